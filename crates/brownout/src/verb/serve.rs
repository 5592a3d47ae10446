//! `serve`: the service over HTTP.

use std::net::Ipv4Addr;
use std::sync::Arc;

use brownout_load::LimitsResult;
use brownout_report::limits_text;
use brownout_serve::{App, Limits, Server};

use crate::exit::{Exit, Stop};
use crate::flags::ServiceFlags;
use crate::output::{print, talk};
use crate::setting::Setting;
use crate::signal::asked_to_end;

/// Answers over HTTP as a scenario says
///
/// Listens on loopback only and prints its address. Every answer of the service carries x-brownout-decision. A request
/// that carries x-brownout-request and x-brownout-attempt meets the fate of that attempt of that request; with the first
/// alone, or with the header that the scenario names as `identity`, its attempts are counted; without either, requests
/// are numbered per route.
///
/// Where the scenario has limits, its end tells how many requests each refused, and which clients came back before
/// Retry-After.
///
/// Bounds: 10,000 connections; silent ones closed after 60 to 120 s; request heads up to 64 KiB; bodies up to 1 MiB, within
/// 60 s. Ctrl-C and SIGTERM let answers under way finish, for 5 s at most, and end it with exit code 0.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    service: ServiceFlags,

    /// Port on 127.0.0.1; 0 takes any free one
    #[arg(long, default_value = "7429")]
    port: u16,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Stop> {
    let setting = Setting::new(&args.service, None)?;
    if !setting.scenario.graph.behind.is_empty() {
        return Err(Stop::usage(
            "services that call others are run in virtual time only; drop `services` and `calls` to serve the first alone",
        ));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Stop::failed(format!("failed to start the runtime: {error}")))?;
    runtime.block_on(async {
        let server = Server::bind((Ipv4Addr::LOCALHOST, args.port).into(), Limits::default()).await;
        let server = server.map_err(|error| Stop::failed(format!("failed to {error}")))?;
        setting.announce();
        let identity = setting.scenario.identity_header.as_deref();
        let app = Arc::new(App::new(setting.scenario.service.clone(), setting.seed, identity));
        // Whoever reads the address may send a signal at once.
        let end = asked_to_end()?;
        print(&format!("serving http://{}\n", server.address()))?;
        server.run(Arc::clone(&app), async { _ = end.await }).await;
        talk(&format!("requests answered: {}", app.requests()));
        if let Some((counts, early)) = app.limits() {
            talk(limits_text(&LimitsResult::new(counts, early)).trim_end());
        }
        Ok(Exit::FINE)
    })
}

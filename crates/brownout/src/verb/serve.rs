//! `serve`: the service over HTTP.

use std::net::Ipv4Addr;
use std::sync::Arc;

use brownout_serve::{App, Limits, Server};

use crate::exit::{Exit, Stop};
use crate::flags::ServiceFlags;
use crate::output::{print, talk};
use crate::setting::{Place, Setting};
use crate::signal::asked_to_end;

/// Answers over HTTP as a scenario says
///
/// Listens on loopback only and prints its address. Every reply carries x-brownout-decision. A request that carries
/// x-brownout-request and x-brownout-attempt meets the fate of that attempt of that request; one that does not is the
/// next of its route.
///
/// Bounds: 10,000 connections, silent for 60 s (noticed within 120), bodies of 1 MiB, request heads of 64 KiB. Ctrl-C and SIGTERM let
/// answers under way finish, for 5 s at most.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    service: ServiceFlags,

    /// Port on 127.0.0.1; 0 takes any free one
    #[arg(long, default_value = "7429")]
    port: u16,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Stop> {
    let setting = Setting::new(&args.service, Place::Served)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Stop::failed(format!("failed to start the runtime: {error}")))?;
    runtime.block_on(async {
        let server = Server::bind((Ipv4Addr::LOCALHOST, args.port).into(), Limits::default()).await;
        let server = server.map_err(|error| Stop::failed(format!("failed to {error}")))?;
        setting.announce();
        let identity = setting.scenario.identity_header.as_deref();
        let app = Arc::new(App::new(setting.scenario.service.clone(), setting.seed(), identity));
        print(&format!("serving http://{}\n", server.address()))?;
        server.run(Arc::clone(&app), asked_to_end()).await;
        talk(&format!("ended after {} requests", app.requests()));
        Ok(Exit::FINE)
    })
}

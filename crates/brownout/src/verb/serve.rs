//! `serve`: the service over HTTP.

mod admin;
mod bounds;
mod tls;

use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};

use brownout_admin::Admin;
use brownout_clock::{Clock, Scale};
use brownout_load::{EffectResult, Graph, LimitsResult};
use brownout_report::{behind_text, effects_text, limits_text};
use brownout_scenario::Scenario;
use brownout_serve::{App, Server};

use admin::AdminFlags;
use bounds::{BoundFlags, JournalFlags};
use tls::TlsFlags;

use crate::descriptors::more_files;
use crate::exit::{Exit, Stop};
use crate::flags::ServiceFlags;
use crate::output::{print, talk};
use crate::row::{Listen, Row, listen, places};
use crate::setting::Setting;
use crate::signal::asked_to_end;

/// Answers over HTTP as a scenario says
///
/// Listens on loopback only and prints its address. Speaks HTTP/1.1 and, with clients that begin with it, HTTP/2; with TLS both
/// sides agree on one. Every answer of the service carries x-brownout-decision. A request that carries x-brownout-request and
/// x-brownout-attempt meets the fate of that attempt of that request; with the first alone, or with the header that the scenario
/// names as `identity`, its attempts are counted; without either, requests are numbered per route.
///
/// Services behind the first listen too, each on a port of its own, and are called over HTTP as the scenario says: each call
/// with its policy, numbered as in virtual time. A request that says in x-brownout-deadline-ms how long it is still waited for,
/// as those of brownout do, has calls that pass their deadline ended by then. Its end tells what was called.
///
/// Where the scenario has limits, its end tells how many requests each refused, and which clients came back before
/// Retry-After. Where its requests have effects, its end tells how often each was done, and how often twice.
///
/// The file is read again when it changes, and at SIGHUP; one that is not sound leaves what runs as it is, and says why. With --admin
/// there is a page for a browser, /live, and an HTTP API to watch what is served and to change it for a time; GET /openapi.json there
/// describes it.
///
/// Of calls that one service makes of another, 10,000 are in flight at the most. Ctrl-C and SIGTERM let answers under way finish, and end
/// it with exit code 0.
#[derive(Debug, clap::Args)]
#[command(before_help = "Example: brownout serve brownout.toml --port 8080")]
pub(crate) struct Args {
    #[command(flatten)]
    service: ServiceFlags,

    /// Port; 0 takes any free one
    #[arg(long, default_value = "7429")]
    port: u16,

    /// Address to listen on; anything but loopback lets other machines in
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    bind: IpAddr,

    /// Where a service behind listens, on loopback: a port, or an address with one; may be given for each [default: any free port]
    #[arg(long, value_name = "NAME=PORT", value_parser = listen)]
    listen: Vec<Listen>,

    /// How many times faster than real time the scenario goes: every delay, window, timeout and Retry-After is that much shorter
    #[arg(long, value_name = "N", default_value_t)]
    time_scale: Scale,

    #[command(flatten)]
    admin: AdminFlags,

    #[command(flatten)]
    journal: JournalFlags,

    #[command(flatten)]
    bounds: BoundFlags,

    #[command(flatten)]
    tls: TlsFlags,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Stop> {
    let setting = Setting::new(&args.service, None)?;
    let first: SocketAddr = (args.bind, args.port).into();
    let places = places(&setting.scenario.graph, first, &args.listen)?;
    let tls = args.tls.tls()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Stop::failed(format!("failed to start the runtime: {error}")))?;
    runtime.block_on(async {
        let _ = more_files();
        let Scenario { service, graph, identity_header, .. } = &setting.scenario;
        let limits = args.bounds.limits();
        let server = Server::bind(first, limits).await;
        let server = server.map_err(|error| Stop::failed(format!("failed to {error}")))?;
        let server = match tls {
            Some(tls) => server.with_tls(tls),
            None => server,
        };
        let clock = Clock::start_fine(args.time_scale);
        let row = Row::new(server, graph, &places, limits, (setting.seed, clock)).await?;
        let admin = args.admin.bind().await?;
        setting.announce();
        let first = App::new(service.clone(), setting.seed, identity_header.as_deref(), clock);
        let journal = args.journal.bounds().filter(|_| admin.is_some());
        let apps = row.apps(first, graph, (setting.seed, clock), |app| match journal {
            Some(bounds) => app.with_journal(bounds),
            None => app,
        });
        let control = admin::control(&args.service, &setting, &apps, row.urls());
        // Whoever reads the address may send a signal at once.
        let end = asked_to_end()?;
        print(&told(&row, graph, admin.as_ref()))?;
        let counts = tokio::select! {
            counts = row.run(apps.clone(), async { _ = end.await }) => counts,
            () = args.admin.run(admin, control, args.service.scenario.as_deref()) => unreachable!("it goes on until it is dropped"),
        };
        let app = &apps[0];
        talk(&format!("requests answered: {}", app.requests()));
        if !graph.behind.is_empty() {
            talk(behind_text(&graph.results(counts.into_iter(), app.calls())).trim_end());
        }
        if let Some((counts, early)) = app.limits() {
            talk(limits_text(&LimitsResult::new(counts, early)).trim_end());
        }
        let effects: Vec<_> = app.effects().into_iter().map(EffectResult::new).collect();
        if !effects.is_empty() {
            talk(effects_text(&effects).trim_end());
        }
        Ok(Exit::FINE)
    })
}

/// Where everybody listens, a line each.
fn told(row: &Row, graph: &Graph, admin: Option<&Admin>) -> String {
    let mut text = String::new();
    let names = std::iter::once(None).chain(graph.behind.iter().map(|node| Some(&node.name)));
    for (url, name) in row.urls().zip(names) {
        let name = name.map(|name| format!(" as {name}")).unwrap_or_default();
        writeln!(text, "serving {url}{name}").expect("writing to a string cannot fail");
    }
    if let Some(admin) = admin {
        writeln!(text, "admin http://{0}\nlive page http://{0}/live", admin.address())
            .expect("writing to a string cannot fail");
    }
    text
}

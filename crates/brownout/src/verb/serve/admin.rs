//! Watching and changing what is served: the admin API, and the file that is read again.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use brownout_admin::{Admin, Control, Guard, Reload, Served};
use brownout_serve::App;
use clap::Args;

use crate::exit::Stop;
use crate::flags::{ServiceFlags, admin_token};
use crate::output::talk;
use crate::row::place;
use crate::setting::{self, Setting};
use crate::signal::hang_ups;

/// Who may watch and change it.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Admin")]
pub(super) struct AdminFlags {
    /// Also listens there for the admin API: a port on 127.0.0.1, or an address with one; 0 takes any free one. Off loopback it takes a
    /// token
    #[arg(long, value_name = "PORT", value_parser = place)]
    admin: Option<SocketAddr>,

    /// What requests to the admin API have to carry as `Authorization: Bearer TOKEN` [default: $BROWNOUT_ADMIN_TOKEN]
    #[arg(long, value_name = "TOKEN", requires = "admin")]
    admin_token: Option<String>,

    /// Does not read the scenario again when its file changes; SIGHUP still does
    #[arg(long)]
    no_watch: bool,
}

/// How often a file is looked at.
const LOOK: Duration = Duration::from_millis(500);

impl AdminFlags {
    /// Listens, if it is to.
    pub(super) async fn bind(&self) -> Result<Option<Admin>, Stop> {
        let Some(address) = self.admin else { return Ok(None) };
        let guard = Guard::new(address, admin_token(self.admin_token.as_ref()));
        let guard = guard.map_err(|error| Stop::usage(format!("--admin: {error}; see --admin-token")))?;
        let refusal = |error| Stop::failed(format!("failed to listen on {address} for the admin API: {error}"));
        Ok(Some(Admin::bind(address, guard).await.map_err(refusal)?))
    }

    /// Serves the API, and reads the scenario again when it is to; until it is dropped.
    pub(super) async fn run(&self, admin: Option<Admin>, control: Control, file: Option<&Path>) {
        let control = Arc::new(control);
        let file = file.filter(|file| !self.no_watch && !setting::is_preset(file));
        let api = async {
            match admin {
                Some(admin) => admin.run(Arc::clone(&control)).await,
                None => std::future::pending().await,
            }
        };
        tokio::join!(api, reread(&control, file));
    }
}

/// Everything that is served, as the API has it.
pub(super) fn control(
    flags: &ServiceFlags,
    setting: &Setting,
    apps: &[Arc<App>],
    urls: impl Iterator<Item = String>,
) -> Control {
    let behind = setting.scenario.graph.behind.iter().map(|node| node.name.clone());
    let names = std::iter::once("service".to_owned()).chain(behind);
    let served = names.zip(urls).zip(apps).map(|((name, url), app)| Served { name, url, app: Arc::clone(app) });
    Control::new(served.collect(), setting.origin("real", &()), reload(flags.clone(), setting, apps.to_vec()))
}

/// Reads the scenario of `flags` again into `apps`; who is served, who calls whom, and the seed stay those of `setting`.
fn reload(flags: ServiceFlags, setting: &Setting, apps: Vec<Arc<App>>) -> Reload {
    let flags = ServiceFlags { seed: Some(setting.seed.0), ..flags };
    let names = |setting: &Setting| -> Vec<String> {
        setting.scenario.graph.behind.iter().map(|node| node.name.clone()).collect()
    };
    let (served, graph, identity) =
        (names(setting), setting.scenario.graph.clone(), setting.scenario.identity_header.clone());
    Box::new(move || {
        let read = Setting::new(&flags, None).map_err(|stop| stop.message)?;
        if names(&read) != served || !read.scenario.graph.hops().eq(graph.hops()) {
            return Err(
                "the services behind, or the calls between services, are not those that are served; start again"
                    .to_owned(),
            );
        }
        if read.scenario.identity_header != identity {
            return Err("`identity` is not the one that is served; start again".to_owned());
        }
        let origin = read.origin("real", &());
        let behind = read.scenario.graph.behind.into_iter().map(|node| node.service);
        for (app, service) in apps.iter().zip(std::iter::once(read.scenario.service).chain(behind)) {
            app.reload(service);
        }
        Ok(origin)
    })
}

/// Reads the scenario again at every SIGHUP, and when its `file` has changed; never ends.
async fn reread(control: &Control, file: Option<&Path>) {
    let mut hang_ups = hang_ups();
    let mut changes = file.map(Changes::new);
    loop {
        let changed = async {
            match &mut changes {
                Some(changes) => changes.next().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = changed => {}
            () = hang_ups.next() => {}
        }
        let name = file.map_or_else(|| "the scenario".to_owned(), |file| file.display().to_string());
        match control.reload() {
            Ok(()) => talk(&format!("{name} was read again")),
            Err(why) => talk(&format!("{name} was not taken, and what runs stays as it is:\n{why}")),
        }
    }
}

/// The changes of a file.
struct Changes {
    file: PathBuf,
    seen: Option<Looks>,
}

/// How a file looks from outside.
type Looks = (SystemTime, u64);

impl Changes {
    fn new(file: &Path) -> Self {
        Self { file: file.to_owned(), seen: looks(file) }
    }

    /// Resolves when the file has changed and stays as it is for a moment: who writes it may need more than one write.
    async fn next(&mut self) {
        let mut last = self.seen;
        loop {
            tokio::time::sleep(LOOK).await;
            let now = looks(&self.file);
            if now.is_some() && now != self.seen && now == last {
                self.seen = now;
                return;
            }
            last = now;
        }
    }
}

fn looks(file: &Path) -> Option<Looks> {
    let data = std::fs::metadata(file).ok()?;
    Some((data.modified().ok()?, data.len()))
}

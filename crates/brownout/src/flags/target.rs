//! What to call.

use std::path::PathBuf;
use std::sync::Arc;

use brownout_clock::{Clock, Scale};
use brownout_drive::{Drive, Target, Trust};
use brownout_load::{Carried, RequestLine, Requests};
use brownout_policy::Policy;
use brownout_service::Request;
use clap::Args;

use super::ServiceFlags;
use crate::exit::Stop;
use crate::output::talk;
use crate::setting::Setting;
use crate::stage::Stage;

/// Flags of a verb that calls a service: which service, and with which request.
#[derive(Debug, Args)]
pub(crate) struct CallFlags {
    #[command(flatten)]
    service: ServiceFlags,

    /// HTTP method [default: the scenario's, else GET]
    #[arg(long)]
    method: Option<String>,

    /// Path of the request [default: the scenario's, else / or the URL's]
    #[arg(long)]
    path: Option<String>,

    /// A header of every request, as 'name: value', in place of the scenario's; may be given several times
    #[arg(long, value_name = "HEADER", requires = "url")]
    header: Vec<String>,

    /// What every request sends behind its head, a text or @FILE, in place of the scenario's; JSON goes as application/json and all else
    /// as text/plain, unless a header says otherwise
    #[arg(long, value_name = "TEXT|@FILE", requires = "url")]
    body: Option<String>,

    /// Calls this http or https URL, for real, in place of the simulated service; redirects are not followed
    #[arg(long, group = "sockets")]
    url: Option<String>,

    /// Also trusts the certificate authorities in this PEM file
    #[arg(long, value_name = "FILE", requires = "url")]
    cacert: Option<PathBuf>,

    /// Trusts whoever answers, whatever certificate they show
    #[arg(long, requires = "url")]
    insecure: bool,

    /// Speaks HTTP/2: over TLS where both agree (ALPN), else by prior knowledge [default: HTTP/1.1]
    #[arg(long, requires = "url")]
    http2: bool,

    /// Makes a connection for each request [default: a client keeps its connections]
    #[arg(long, requires = "url")]
    no_keep_alive: bool,

    /// How many times faster than real time the run goes, as `serve --time-scale` has it: all that callers wait for is that much
    /// shorter, and what they measure and are told is in the scenario's time
    #[arg(long, value_name = "N", default_value_t, requires = "sockets")]
    time_scale: Scale,
}

/// Who is called.
#[derive(Debug)]
pub(crate) enum Callee {
    /// The service of the setting, in virtual time.
    Simulated(RequestLine),
    /// Whoever answers there.
    Real(Arc<Target>),
}

/// Stands for the simulated service, so that its requests obey the rules of real ones.
const SIMULATED: &str = "http://simulated";

impl CallFlags {
    /// The scenario and the luck of the run.
    pub(crate) fn setting(&self) -> Result<Setting, Stop> {
        let mut setting = Setting::new(&self.service, self.url.as_deref())?;
        let load = &mut setting.scenario.load;
        // Who names a request means that one, and none of those that the scenario draws.
        if load.carried.requests().is_some() && (self.method.is_some() || self.path.is_some()) {
            (load.request, load.carried) = (RequestLine::default(), Carried::NOTHING);
        }
        Ok(setting)
    }

    /// Whether a real service is called.
    pub(crate) const fn is_real(&self) -> bool {
        self.url.is_some()
    }

    /// The URL that is called, where it is a real service.
    pub(crate) fn url(&self) -> Option<&str> {
        self.url.as_deref()
    }

    /// Who is called, and with which request.
    pub(crate) fn callee(&self, setting: &Setting) -> Result<Callee, Stop> {
        let (target, line) = self.target(self.url.as_deref().unwrap_or(SIMULATED), setting)?;
        Ok(if self.is_real() { Callee::Real(Arc::new(target)) } else { Callee::Simulated(line) })
    }

    /// The same, where the services of the scenario answer on `stage`.
    pub(crate) fn callee_on(&self, stage: &Stage, setting: &Setting) -> Result<Callee, Stop> {
        let (target, _) = self.target(stage.url(), setting)?;
        Ok(Callee::Real(Arc::new(stage.telling_clients(target))))
    }

    /// What requests to `url` are, and the line that each begins with.
    fn target(&self, url: &str, setting: &Setting) -> Result<(Target, RequestLine), Stop> {
        let scenario = &setting.scenario.load.request;
        let method = self.method.clone().unwrap_or_else(|| scenario.method.clone());
        let own_path = || (*scenario != RequestLine::default()).then(|| scenario.path.clone());
        let path = self.path.clone().or_else(own_path);
        let target = Target::new(url, &method, path.as_deref(), &self.trust()?).map_err(Stop::usage)?;
        let mut target = self.with_flags(target.carrying(setting.scenario.load.carried.clone(), setting.seed))?;
        target = target.succeeding_with(setting.scenario.load.success.clone());
        if self.http2 {
            target = target.over_http2();
        }
        if self.no_keep_alive {
            target = target.without_keep_alive();
        }
        Ok((target, RequestLine { method, path: path.unwrap_or_else(|| "/".to_owned()) }))
    }

    /// What calls `target`.
    pub(crate) fn drive(&self, target: Arc<Target>, policy: Policy, setting: &Setting) -> Drive {
        Drive { target, policy: Arc::new(policy), seed: setting.seed, clock: Clock::start(self.time_scale) }
    }

    /// How fast the time of a run over sockets passes.
    pub(crate) const fn scale(&self) -> Scale {
        self.time_scale
    }

    /// The target with the headers and the body that flags give its requests.
    fn with_flags(&self, mut target: Target) -> Result<Target, Stop> {
        let mut headers = Vec::new();
        for header in &self.header {
            let pair = header.split_once(':').map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()));
            headers.push(pair.ok_or_else(|| {
                Stop::usage(format!("--header: a header is a name, a colon and a value, found `{header}`"))
            })?);
        }
        let headers = Carried::new(headers, false).map_err(|error| Stop::usage(format!("--header: {error}")))?;
        for (name, value) in headers.headers() {
            target = target.with_header(name, value).map_err(Stop::usage)?;
        }
        let Some(body) = self.body()? else { return Ok(target) };
        if headers.header("content-type").is_none() {
            let json = serde_json::from_slice::<serde_json::Value>(&body).is_ok();
            let kind = if json { "application/json" } else { "text/plain" };
            target = target.with_header("content-type", kind).map_err(Stop::usage)?;
        }
        Ok(target.with_body(body.into()))
    }

    fn body(&self) -> Result<Option<Vec<u8>>, Stop> {
        let Some(text) = &self.body else { return Ok(None) };
        let body = match text.strip_prefix('@') {
            None => text.clone().into_bytes(),
            Some(file) => std::fs::read(file).map_err(|error| Stop::usage(format!("--body {text}: {error}")))?,
        };
        if body.len() > Requests::BODY_BYTES_MAX {
            let (found, max) = (body.len(), Requests::BODY_BYTES_MAX);
            return Err(Stop::usage(format!("--body: a body has at most {max} bytes, found {found}; send less")));
        }
        Ok(Some(body))
    }

    fn trust(&self) -> Result<Trust, Stop> {
        if self.insecure {
            talk("warning: with --insecure anybody may answer for the service");
            return Ok(Trust::default().in_anybody());
        }
        let Some(file) = &self.cacert else { return Ok(Trust::default()) };
        let refuse = |error: &dyn std::fmt::Display| Stop::usage(format!("--cacert {}: {error}", file.display()));
        let pem = std::fs::read(file).map_err(|error| refuse(&error))?;
        Trust::default().and(&pem).map_err(|error| refuse(&error))
    }
}

/// What a service looks at of a request: its path without the query.
pub(crate) fn seen(line: &RequestLine) -> Request<'_> {
    line.seen()
}

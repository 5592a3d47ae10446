//! What to call.

use std::path::PathBuf;
use std::sync::Arc;

use brownout_drive::{Target, Trust};
use clap::Args;

use super::ServiceFlags;
use crate::exit::Stop;

/// Flags of the call.
#[derive(Debug, Args)]
pub(crate) struct TargetFlags {
    /// HTTP method
    #[arg(long, default_value = "GET")]
    pub(crate) method: String,

    /// Path of the request [default: /, or the URL's]
    #[arg(long)]
    pub(crate) path: Option<String>,

    /// Calls this http or https URL, for real, in place of the simulated service; redirects are not followed
    #[arg(long)]
    url: Option<String>,

    /// Also trusts the certificate authorities in this PEM file
    #[arg(long, value_name = "FILE", requires = "url")]
    cacert: Option<PathBuf>,
}

impl TargetFlags {
    /// The real service to call; `None` for the simulated one.
    ///
    /// Refuses rates beside a URL: nobody can set the rates of a service that is not ours.
    pub(crate) fn target(&self, service: &ServiceFlags) -> Result<Option<Arc<Target>>, Stop> {
        let Some(url) = &self.url else { return Ok(None) };
        if service.has_rates() {
            let rates = service.rates_text();
            return Err(Stop::usage(format!(
                "rates are of the simulated service, found {rates} beside --url; drop one"
            )));
        }
        let trust = self.trust()?;
        let target = Target::new(url, &self.method, self.path.as_deref(), &trust);
        target.map(|target| Some(Arc::new(target))).map_err(Stop::usage)
    }

    /// The request to the simulated service.
    pub(crate) fn simulated(&self) -> Result<brownout_service::Request<'_>, Stop> {
        // The same rules as over a socket, so that what works here works there.
        Target::new("http://simulated", &self.method, self.path.as_deref(), &Trust::default()).map_err(Stop::usage)?;
        let path = self.path.as_deref().unwrap_or("/");
        let path = path.split_once('?').map_or(path, |(path, _)| path);
        Ok(brownout_service::Request { method: &self.method, path })
    }

    fn trust(&self) -> Result<Trust, Stop> {
        let Some(file) = &self.cacert else { return Ok(Trust::default()) };
        let refuse = |error: &dyn std::fmt::Display| Stop::usage(format!("--cacert {}: {error}", file.display()));
        let pem = std::fs::read(file).map_err(|error| refuse(&error))?;
        Trust::default().and(&pem).map_err(|error| refuse(&error))
    }
}

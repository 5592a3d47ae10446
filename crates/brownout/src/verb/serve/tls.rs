//! HTTPS for the first service.

use std::path::{Path, PathBuf};

use brownout_serve::{Tls, TlsError};

use crate::exit::Stop;
use crate::output::Output;

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "TLS")]
pub(super) struct TlsFlags {
    /// Speaks HTTPS, with a certificate for localhost, 127.0.0.1 and ::1 that is made at the start; services behind stay on HTTP
    #[arg(long)]
    tls: bool,

    /// Writes what clients have to trust for that, in PEM form
    #[arg(long, value_name = "FILE", requires = "tls", conflicts_with = "tls_cert")]
    tls_cert_out: Option<PathBuf>,

    /// Speaks HTTPS with this certificate, in PEM form; those that signed it may follow
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,

    /// Its private key, in PEM form
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
}

impl TlsFlags {
    /// What the server shows; `None` where it speaks plain HTTP.
    pub(super) fn tls(&self) -> Result<Option<Tls>, Stop> {
        if let (Some(chain), Some(key)) = (&self.tls_cert, &self.tls_key) {
            return given(chain, key).map(Some);
        }
        if !self.tls {
            return Ok(None);
        }
        let output = self.tls_cert_out.as_deref().map(Output::at).transpose()?;
        let (tls, authority) = Tls::for_localhost().map_err(|error| Stop::failed(format!("failed to {error}")))?;
        if let Some(output) = output {
            output.write(&authority)?;
        }
        Ok(Some(tls))
    }
}

fn given(chain: &Path, key: &Path) -> Result<Tls, Stop> {
    let read = |flag: &str, path: &Path| {
        std::fs::read(path).map_err(|error| Stop::usage(format!("failed to read {flag} {}: {error}", path.display())))
    };
    Tls::new(&read("--tls-cert", chain)?, &read("--tls-key", key)?).map_err(|error| {
        let files = match error {
            TlsError::Certificates(_) => format!("--tls-cert {}", chain.display()),
            TlsError::Key(_) => format!("--tls-key {}", key.display()),
            _ => format!("--tls-cert {}, --tls-key {}", chain.display(), key.display()),
        };
        Stop::usage(format!("{files}: {error}"))
    })
}

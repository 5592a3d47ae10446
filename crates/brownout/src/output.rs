//! Data on standard output, talk on standard error, files whole or not at all.

use std::io::{self, ErrorKind, IsTerminal, Write};
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};

use crate::exit::Stop;

/// Prints data. A reader that went away is a quiet end.
pub(crate) fn print(text: &str) -> Result<(), Stop> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(Stop::failed(format!("failed to print: {error}"))),
        _ => Ok(()),
    }
}

/// Says something about the run. That nobody listens is no reason to stop.
pub(crate) fn talk(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Whether what is said may be coloured.
pub(crate) fn talk_is_coloured() -> bool {
    io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// A file to be written in one piece.
///
/// What can go wrong with its place goes wrong when this is made, before the work whose result it is to hold.
#[derive(Debug)]
pub(crate) struct Output {
    path: PathBuf,
    /// Beside the path, to take its name once it is whole; `None` for what is no file, such as a terminal or `/dev/null`.
    beside: Option<NamedTempFile>,
}

impl Output {
    /// Makes the folder and finds out whether a file can be there. A link is followed.
    pub(crate) fn at(path: &Path) -> Result<Self, Stop> {
        Self::prepare(path).map_err(|error| Stop::failed(format!("failed to write {}: {error}", path.display())))
    }

    fn prepare(path: &Path) -> io::Result<Self> {
        let folder = |path: &Path| match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
            _ => PathBuf::from("."),
        };
        std::fs::create_dir_all(folder(path))?;
        let (path, there) = match std::fs::metadata(path) {
            Ok(there) => (path.canonicalize()?, Some(there)),
            Err(error) if error.kind() == ErrorKind::NotFound => (path.to_owned(), None),
            Err(error) => return Err(error),
        };
        let beside = match &there {
            Some(there) if there.is_dir() => return Err(ErrorKind::IsADirectory.into()),
            Some(there) if !there.is_file() => None,
            _ => {
                let mut builder = Builder::new();
                #[cfg(unix)]
                builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
                Some(builder.tempfile_in(folder(&path))?)
            }
        };
        if let (Some(there), Some(file)) = (there, &beside) {
            file.as_file().set_permissions(there.permissions())?;
        }
        Ok(Self { path, beside })
    }

    /// Writes `text`, and only then takes the place of what was there.
    pub(crate) fn write(self, text: &str) -> Result<(), Stop> {
        let written = match self.beside {
            None => std::fs::write(&self.path, text),
            Some(mut file) => file
                .write_all(text.as_bytes())
                .and_then(|()| file.as_file().sync_all())
                .and_then(|()| file.persist(&self.path).map(drop).map_err(io::Error::from)),
        };
        written.map_err(|error| Stop::failed(format!("failed to write {}: {error}", self.path.display())))
    }
}

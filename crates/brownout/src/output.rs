//! Data on standard output, talk on standard error, files whole or not at all.

use std::fs::Permissions;
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

/// The one spelling of a path, whether there is a file yet or not.
pub(crate) fn spelling(path: &Path) -> PathBuf {
    let whole = || Some(folder_of(path).canonicalize().ok()?.join(path.file_name()?));
    path.canonicalize().ok().or_else(whole).unwrap_or_else(|| path.to_owned())
}

/// Says something about the run. That nobody listens is no reason to stop.
pub(crate) fn talk(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Whether what is said may be written over: on a terminal that can.
pub(crate) fn talk_is_drawn() -> bool {
    io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Whether what is said may be coloured.
pub(crate) fn talk_is_coloured() -> bool {
    io::stderr().is_terminal() && colours_are_wanted()
}

/// Whether data for people may be coloured.
pub(crate) fn data_is_coloured() -> bool {
    io::stdout().is_terminal() && colours_are_wanted()
}

fn colours_are_wanted() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// A file to be written in one piece.
///
/// What can go wrong with its place goes wrong when this is made, before the work whose result it is to hold.
#[derive(Debug)]
pub(crate) struct Output {
    path: PathBuf,
    place: Place,
}

/// What is at the path.
#[derive(Debug)]
enum Place {
    /// Nothing yet.
    Free,
    /// A file, to be replaced by one of the same permissions.
    File(Permissions),
    /// What is no file, such as a pipe or `/dev/null`: written to, never replaced.
    Special,
}

impl Output {
    /// Whether it can be written again and again: what is replaced can, what is appended to, such as a pipe, cannot.
    pub(crate) const fn is_replaced(&self) -> bool {
        !matches!(self.place, Place::Special)
    }

    /// Makes the folder and finds out whether a file can be there. A link is followed.
    pub(crate) fn at(path: &Path) -> Result<Self, Stop> {
        Self::prepare(path).map_err(|error| failed(path, &error))
    }

    fn prepare(path: &Path) -> io::Result<Self> {
        if path.as_os_str().to_string_lossy().ends_with(std::path::MAIN_SEPARATOR) {
            return Err(ErrorKind::IsADirectory.into());
        }
        std::fs::create_dir_all(folder_of(path))?;
        let (path, place) = match std::fs::metadata(path) {
            Ok(there) if there.is_dir() => return Err(ErrorKind::IsADirectory.into()),
            Ok(there) if there.is_file() => (path.canonicalize()?, Place::File(there.permissions())),
            Ok(_) => (path.to_owned(), Place::Special),
            Err(error) if error.kind() == ErrorKind::NotFound => (path.to_owned(), Place::Free),
            Err(error) => return Err(error),
        };
        let output = Self { path, place };
        // Gone again at once: a run that is killed leaves nothing behind.
        output.beside()?;
        Ok(output)
    }

    /// A new file beside the place, to take its name once it is whole; `None` for what is not replaced.
    fn beside(&self) -> io::Result<Option<NamedTempFile>> {
        let mut builder = Builder::new();
        match &self.place {
            Place::Special => return Ok(None),
            Place::File(permissions) => _ = builder.permissions(permissions.clone()),
            #[cfg(unix)]
            Place::Free => _ = builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666)),
            #[cfg(not(unix))]
            Place::Free => {}
        }
        builder.tempfile_in(folder_of(&self.path)).map(Some)
    }

    /// Writes `text`, and only then takes the place of what was there.
    pub(crate) fn write(&self, text: &str) -> Result<(), Stop> {
        let written = match self.beside() {
            Ok(None) => std::fs::write(&self.path, text),
            Ok(Some(mut file)) => file
                .write_all(text.as_bytes())
                .and_then(|()| file.as_file().sync_all())
                .and_then(|()| file.persist(&self.path).map(drop).map_err(io::Error::from)),
            Err(error) => Err(error),
        };
        written.map_err(|error| failed(&self.path, &error))
    }
}

fn failed(path: &Path, error: &io::Error) -> Stop {
    Stop::failed(format!("failed to write {}: {error}", path.display()))
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

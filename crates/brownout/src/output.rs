//! Data on standard output, talk on standard error, files whole or not at all.

use std::io::{self, ErrorKind, IsTerminal, Write};
use std::path::Path;

use tempfile::Builder;

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
    io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none()
}

/// Makes the folder that `path` is to lie in.
pub(crate) fn make_folder_of(path: &Path) -> io::Result<()> {
    match folder_of(path) {
        Some(folder) => std::fs::create_dir_all(folder),
        None => Ok(()),
    }
}

/// Writes `text` to `path`: to a file beside it first, which then takes its name.
pub(crate) fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    let mut builder = Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(folder_of(path).unwrap_or(Path::new(".")))?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    Ok(())
}

fn folder_of(path: &Path) -> Option<&Path> {
    path.parent().filter(|folder| !folder.as_os_str().is_empty())
}

//! What a command reads from standard input, the same for every attempt.
//!
//! A file is read again from where it stood. What comes only once, as from a pipe, is written aside while the first attempt
//! reads it, and read from there by the next: nothing waits for the end of an input that has none.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::process::Stdio;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::ChildStdin;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// What attempts after the first find on standard input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StdinMode {
    /// All that the first found, from the beginning. A terminal is read on.
    #[default]
    Replay,
    /// What those before have left.
    Once,
    /// Nothing, and nor does the first.
    None,
}

/// Standard input, as attempts get it.
#[derive(Debug)]
pub(crate) enum Input {
    /// Handed over as it is.
    Shared,
    /// Nothing.
    Nothing,
    /// A file, from this place on.
    File(File, u64),
    /// What comes only once.
    Spooled(Box<Spool>),
    /// It is being fed.
    Lent,
}

/// What was read so far, and where the rest comes from.
#[derive(Debug)]
pub(crate) struct Spool {
    source: tokio::io::Stdin,
    kept: File,
    bytes: u64,
    bytes_max: u64,
    /// The source has no more.
    ended: bool,
    /// There was more than is kept.
    overflowed: bool,
}

/// An attempt that is being fed.
#[derive(Debug)]
pub(crate) struct Feeding {
    over: oneshot::Sender<()>,
    task: JoinHandle<Box<Spool>>,
}

const CHUNK: usize = 64 * 1024;

impl Input {
    /// Of this program's standard input.
    ///
    /// - `bytes_max`: how much of an input that comes once is kept.
    pub(crate) fn of(mode: StdinMode, bytes_max: u64) -> io::Result<Self> {
        Ok(match mode {
            StdinMode::Once => Self::Shared,
            StdinMode::None => Self::Nothing,
            StdinMode::Replay => match kind()? {
                Kind::Shareable => Self::Shared,
                Kind::File(mut file) => {
                    let start = file.stream_position()?;
                    Self::File(file, start)
                }
                Kind::Once => Self::Spooled(Box::new(Spool {
                    source: tokio::io::stdin(),
                    kept: tempfile::tempfile()?,
                    bytes: 0,
                    bytes_max,
                    ended: false,
                    overflowed: false,
                })),
            },
        })
    }

    /// For the next attempt.
    pub(crate) fn stdio(&mut self) -> io::Result<Stdio> {
        Ok(match self {
            Self::Shared | Self::Lent => Stdio::inherit(),
            Self::Nothing => Stdio::null(),
            Self::File(file, start) => {
                file.seek(SeekFrom::Start(*start))?;
                file.try_clone()?.into()
            }
            Self::Spooled(_) => Stdio::piped(),
        })
    }

    /// Feeds an attempt, if it has to be.
    pub(crate) fn feed(&mut self, stdin: Option<ChildStdin>) -> Option<Feeding> {
        let stdin = stdin?;
        match std::mem::replace(self, Self::Lent) {
            Self::Spooled(spool) => {
                let (over, told) = oneshot::channel();
                Some(Feeding { over, task: tokio::spawn(spool.feed(stdin, told)) })
            }
            other => {
                *self = other;
                None
            }
        }
    }

    /// The attempt is over.
    pub(crate) async fn fed(&mut self, feeding: Option<Feeding>) {
        if let Some(Feeding { over, task }) = feeding {
            let _ = over.send(());
            // Its only end is to hand the input back; where it panicked, there is none.
            *self = task.await.map_or(Self::Nothing, Self::Spooled);
        }
    }

    /// How much can be kept, where more came, so that another attempt would find less than this one.
    pub(crate) fn overflow(&self) -> Option<u64> {
        match self {
            Self::Spooled(spool) if spool.overflowed => Some(spool.bytes_max),
            _ => None,
        }
    }
}

impl Spool {
    /// Until the attempt is over or reads no more, or there is no more.
    async fn feed(mut self: Box<Self>, mut stdin: ChildStdin, mut over: oneshot::Receiver<()>) -> Box<Self> {
        let mut chunk = vec![0; CHUNK];
        let mut at = 0;
        loop {
            let read = if at < self.bytes && !self.overflowed {
                self.read_kept(at, &mut chunk)
            } else if self.ended {
                return self;
            } else {
                // What was read when this is dropped is what the next reads.
                let read = tokio::select! {
                    biased;
                    read = self.source.read(&mut chunk) => read,
                    _ = &mut over => return self,
                };
                read.and_then(|bytes| self.keep(&chunk[..bytes]).map(|()| bytes))
            };
            let Ok(bytes) = read else { return self };
            at += bytes as u64;
            let written = tokio::select! {
                written = stdin.write_all(&chunk[..bytes]) => written,
                _ = &mut over => return self,
            };
            if written.is_err() {
                return self;
            }
        }
    }

    fn read_kept(&mut self, at: u64, chunk: &mut [u8]) -> io::Result<usize> {
        self.kept.seek(SeekFrom::Start(at))?;
        let left = usize::try_from(self.bytes - at).unwrap_or(usize::MAX).min(chunk.len());
        self.kept.read_exact(&mut chunk[..left])?;
        Ok(left)
    }

    /// Keeps what the source gave, as far as it fits. A disk that is full is as a bound that is reached.
    fn keep(&mut self, new: &[u8]) -> io::Result<()> {
        if new.is_empty() {
            self.ended = true;
            return Ok(());
        }
        let fits = !self.overflowed && self.bytes + new.len() as u64 <= self.bytes_max;
        if fits {
            self.kept.seek(SeekFrom::Start(self.bytes))?;
        }
        if fits && self.kept.write_all(new).is_ok() {
            self.bytes += new.len() as u64;
        } else {
            self.overflowed = true;
        }
        Ok(())
    }
}

/// What standard input is.
enum Kind {
    /// A terminal, or what gives the same at any time, such as `/dev/null`.
    Shareable,
    File(File),
    /// A pipe or a socket.
    Once,
}

#[cfg(unix)]
fn kind() -> io::Result<Kind> {
    use std::os::fd::AsFd;
    use std::os::unix::fs::FileTypeExt;
    // The two share their place in the file.
    let Ok(file) = std::io::stdin().as_fd().try_clone_to_owned().map(File::from) else { return Ok(Kind::Shareable) };
    let kind = file.metadata()?.file_type();
    Ok(if kind.is_file() {
        Kind::File(file)
    } else if kind.is_fifo() || kind.is_socket() {
        Kind::Once
    } else {
        Kind::Shareable
    })
}

#[cfg(not(unix))]
fn kind() -> io::Result<Kind> {
    use std::io::IsTerminal;
    Ok(if std::io::stdin().is_terminal() { Kind::Shareable } else { Kind::Once })
}

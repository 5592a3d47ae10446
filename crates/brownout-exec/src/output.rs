//! What a command writes: let through, looked at on its way, or held until it is known whether it was the last attempt.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use tempfile::NamedTempFile;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::process::Child;
use tokio::sync::oneshot;
use tokio::time::sleep;

use crate::{Examiner, Rules, Seen, Stream};

/// What is done with one stream of one attempt.
#[derive(Debug)]
pub(crate) enum Outlet {
    /// The command writes where this program does.
    Through,
    /// A pipe, passed on as it is looked at.
    Watched,
    /// A file of its own.
    Held(Held),
}

/// The output of an attempt in a file without a name. The command writes to it by itself, so that neither memory nor a
/// pipe can run full.
#[derive(Debug)]
pub(crate) struct Held(File);

/// A stream that is looked at.
#[derive(Debug)]
pub(crate) struct Watching {
    over: oneshot::Sender<()>,
    seen: oneshot::Receiver<Seen>,
}

/// How a stream is looked at.
#[derive(Clone, Debug)]
pub(crate) struct Look {
    pub(crate) rules: Arc<Rules>,
    pub(crate) stream: Stream,
    /// Whether its end is kept.
    pub(crate) tail: bool,
}

const CHUNK: usize = 256 * 1024;
/// Once a command has ended, its pipe is empty when nothing has come for so long: what it wrote was there before.
const QUIET: Duration = Duration::from_millis(25);
/// Of a pipe that others keep open, so much can be the command's: no pipe is larger.
const LEFT_MAX: usize = 1024 * 1024;

impl Outlet {
    /// For a stream; with the end that the command gets.
    pub(crate) fn new(look: &Look, hold: bool) -> io::Result<(Self, Stdio)> {
        if hold {
            let named = NamedTempFile::new()?;
            // Opened once more, so that reading has a place of its own.
            let held = Held(named.reopen()?);
            return Ok((Self::Held(held), named.into_file().into()));
        }
        if look.tail || look.rules.look_at(look.stream) {
            return Ok((Self::Watched, Stdio::piped()));
        }
        Ok((Self::Through, Stdio::inherit()))
    }
}

impl Look {
    /// Begins to pass on what a command writes.
    pub(crate) fn watch(&self, child: &mut Child) -> Option<Watching> {
        match self.stream {
            Stream::Stdout => Some(self.clone().pass(widened(child.stdout.take()?), widened(tokio::io::stdout()))),
            Stream::Stderr => Some(self.clone().pass(widened(child.stderr.take()?), widened(tokio::io::stderr()))),
        }
    }

    fn pass(
        self,
        mut from: impl AsyncRead + Unpin + Send + 'static,
        mut to: impl AsyncWrite + Unpin + Send + 'static,
    ) -> Watching {
        let (over, ended) = oneshot::channel();
        let (tell, seen) = oneshot::channel();
        tokio::spawn(async move {
            let (found, open) = self.pass_on(&mut from, &mut to, ended).await;
            let _ = tell.send(found);
            if open {
                // Whoever the command left behind can go on writing as long as this program runs.
                let _ = tokio::io::copy(&mut from, &mut to).await;
            }
        });
        Watching { over, seen }
    }

    /// Until the stream ends, or is empty once the command has ended; whether somebody still holds it open.
    async fn pass_on(
        &self,
        from: &mut (impl AsyncRead + Unpin),
        to: &mut (impl AsyncWrite + Unpin),
        mut ended: oneshot::Receiver<()>,
    ) -> (Seen, bool) {
        let mut examiner = Examiner::new(&self.rules, self.stream, self.tail);
        let mut chunk = vec![0; CHUNK];
        let mut left = None;
        let open = loop {
            let bytes = tokio::select! {
                biased;
                _ = &mut ended, if left.is_none() => {
                    left = Some(LEFT_MAX);
                    continue;
                }
                read = from.read(&mut chunk) => read.unwrap_or_default(),
                () = sleep(QUIET), if left.is_some() => break true,
            };
            examiner.feed(&chunk[..bytes]);
            // When nobody reads what is passed on, the command is to find that out.
            if bytes == 0 || to.write_all(&chunk[..bytes]).await.is_err() {
                break false;
            }
            if bytes < CHUNK {
                let _ = to.flush().await;
            }
            if let Some(rest) = &mut left {
                *rest = rest.saturating_sub(bytes);
                if *rest == 0 {
                    break true;
                }
            }
        };
        let _ = to.flush().await;
        (examiner.finish(), open)
    }

    /// Looks at what was held.
    fn look_back(&self, held: &mut Held) -> io::Result<Seen> {
        let mut examiner = Examiner::new(&self.rules, self.stream, self.tail);
        if self.rules.look_at(self.stream) {
            let mut chunk = vec![0; CHUNK];
            held.0.seek(SeekFrom::Start(0))?;
            while let bytes @ 1.. = held.0.read(&mut chunk)? {
                examiner.feed(&chunk[..bytes]);
            }
        } else if self.tail {
            let length = held.0.seek(SeekFrom::End(0))?;
            held.0.seek(SeekFrom::Start(length.saturating_sub(CHUNK as u64)))?;
            let mut end = Vec::new();
            (&held.0).take(CHUNK as u64).read_to_end(&mut end)?;
            examiner.feed(&end);
        }
        Ok(examiner.finish())
    }

    /// What was found, once the command has ended.
    pub(crate) async fn seen(&self, outlet: &mut Outlet, watching: Option<Watching>) -> Seen {
        if let Some(Watching { over, seen }) = watching {
            let _ = over.send(());
            return seen.await.unwrap_or_default();
        }
        let Outlet::Held(held) = outlet else { return Seen::default() };
        // A gigabyte takes its time, and a signal may come meanwhile.
        let (look, file) = (self.clone(), held.0.try_clone());
        let looked = tokio::task::spawn_blocking(move || look.look_back(&mut Held(file?)));
        looked.await.ok().and_then(Result::ok).unwrap_or_default()
    }
}

/// With room for more in the pipe, so that both sides are woken less often. Where that is not to be had, it works as well.
#[cfg(target_os = "linux")]
fn widened<P: std::os::fd::AsFd>(pipe: P) -> P {
    let _ = rustix::pipe::fcntl_setpipe_size(&pipe, LEFT_MAX);
    pipe
}

#[cfg(not(target_os = "linux"))]
const fn widened<P>(pipe: P) -> P {
    pipe
}

impl Held {
    /// Writes all of it.
    fn show(&mut self, mut to: impl io::Write) -> io::Result<()> {
        self.0.seek(SeekFrom::Start(0))?;
        io::copy(&mut self.0, &mut to)?;
        to.flush()
    }
}

/// Shows what was held of the last attempt.
///
/// # Errors
/// When it cannot be read or written. That nobody reads is none.
pub(crate) fn show([stdout, stderr]: &mut [Outlet; 2]) -> io::Result<()> {
    let fine = |shown: io::Result<()>| match shown {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    };
    if let Outlet::Held(held) = stdout {
        fine(held.show(widened(io::stdout().lock())))?;
    }
    if let Outlet::Held(held) = stderr {
        fine(held.show(widened(io::stderr().lock())))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Look, Rules, Seen, Stream};
    use std::sync::Arc;
    use tokio::io::AsyncWriteExt;
    use tokio::sync::oneshot;

    fn look() -> Look {
        let rules = Rules { stop_on_output: vec!["denied".parse().unwrap()], ..Rules::default() };
        Look { rules: Arc::new(rules), stream: Stream::Stderr, tail: true }
    }

    /// What a command wrote is seen though somebody keeps the pipe open for ever, and however much that one writes.
    #[tokio::test]
    async fn a_pipe_that_stays_open_holds_nothing_up() {
        for floods in [false, true] {
            let (mut writes, mut from) = tokio::io::duplex(1024);
            let (over, ended) = oneshot::channel();
            let other = tokio::spawn(async move {
                writes.write_all(b"access denied\n").await.unwrap();
                over.send(()).unwrap();
                while floods && writes.write_all(&[b'y'; 1000]).await.is_ok() {}
                writes
            });
            let mut to = Vec::new();
            let (seen, open) = look().pass_on(&mut from, &mut to, ended).await;
            assert!(open && to.starts_with(b"access denied\n"));
            assert_eq!(seen.stop, Some(0));
            other.abort();
        }
    }

    #[tokio::test]
    async fn a_reader_that_went_away_closes_the_pipe() {
        let (mut writes, from) = tokio::io::duplex(16);
        let (to, reader) = tokio::io::duplex(16);
        drop(reader);
        let watching = look().pass(from, to);
        while writes.write_all(b"more and more\n").await.is_ok() {}
        assert_ne!(watching.seen.await.unwrap(), Seen::default());
    }
}

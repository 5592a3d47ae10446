//! HTTP/1.1 on a connection of ours.
//!
//! One request and its answer, on one buffer each way, in the task of the caller: a general client spends more on handing a
//! request to the task of its connection than on the request. Heads are parsed by `httparse`. Source of the framing of bodies:
//! RFC 9112, section 6.3.

use std::mem::MaybeUninit;
use std::time::Duration;

use httparse::{EMPTY_HEADER, ParserConfig, Status};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::Instant;

use crate::answer::Answer;
use crate::broken::Broken;
use crate::connection::{Failure, Wanted};
use crate::stream::Stream;

/// The most headers of an answer, and the most bytes of its head, or of the trailers behind its body.
const HEADERS_MAX: usize = 100;
const HEAD_BYTES_MAX: usize = 64 << 10;

/// How much is read at once, of what is small and of what is known to be large.
const READ: usize = 4 << 10;
const READ_MORE: usize = 64 << 10;

/// How long a connection that nobody used is taken for open without a look at it.
const FRESH: Duration = Duration::from_millis(1);

/// A connection on which no exchange is under way.
#[derive(Debug)]
pub(crate) struct Http1 {
    stream: Stream,
    incoming: Incoming,
    outgoing: Vec<u8>,
    used: Instant,
}

/// Bytes that have come.
#[derive(Debug, Default)]
struct Incoming {
    bytes: Vec<u8>,
    /// Those before it have been looked at.
    at: usize,
}

/// How long a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Framing {
    Length(u64),
    Chunked,
    UntilEnd,
}

/// What a head says.
struct Head {
    answer: Answer,
    framing: Framing,
    /// Whether another request may follow on the connection.
    keeps: bool,
}

impl Http1 {
    pub(crate) fn new(stream: Stream) -> Self {
        Self { stream, incoming: Incoming::default(), outgoing: Vec::new(), used: Instant::now() }
    }

    /// Whether a request can still be sent on it.
    pub(crate) fn is_open(&self) -> bool {
        self.used.elapsed() < FRESH || self.stream.is_quiet()
    }

    /// Sends the request that `write` writes and receives its answer; also whether another request may follow.
    pub(crate) async fn exchange(
        &mut self,
        write: impl FnOnce(&mut Vec<u8>),
        wanted: Wanted<'_>,
    ) -> Result<(Answer, bool), Failure> {
        self.outgoing.clear();
        write(&mut self.outgoing);
        self.send().await?;
        let (answer, keeps) = self.receive(wanted).await.map_err(Failure::Broken)?;
        self.used = Instant::now();
        Ok((answer, keeps && self.incoming.rest().is_empty()))
    }

    async fn send(&mut self) -> Result<(), Failure> {
        let mut sent = 0;
        while sent < self.outgoing.len() {
            match self.stream.write(&self.outgoing[sent..]).await {
                Ok(more) if more > 0 => sent += more,
                _ if sent == 0 => return Err(Failure::Unsent),
                // Who has heard enough may have answered before it ended the connection.
                _ => return Ok(()),
            }
        }
        self.stream.flush().await.map_err(|error| Failure::Broken(Broken::io(&error)))
    }

    async fn receive(&mut self, wanted: Wanted<'_>) -> Result<(Answer, bool), Broken> {
        let Head { mut answer, framing, keeps } = loop {
            let head = self.head(wanted).await?;
            // Interim answers come before the one that counts.
            if !(100..200).contains(&head.answer.status) || head.answer.status == 101 {
                break head;
            }
        };
        if !wanted.body || matches!(answer.status, 204 | 304) {
            return Ok((answer, keeps));
        }
        match framing {
            Framing::Length(length) => self.body(length, &mut answer).await?,
            Framing::Chunked => self.chunks(&mut answer).await?,
            Framing::UntilEnd => self.until_end(&mut answer).await?,
        }
        Ok((answer, keeps && framing != Framing::UntilEnd))
    }

    async fn head(&mut self, wanted: Wanted<'_>) -> Result<Head, Broken> {
        loop {
            let rest = self.incoming.rest();
            if !rest.is_empty()
                && let Some((head, length)) = parse(rest, wanted)?
            {
                self.incoming.take(length);
                return Ok(head);
            }
            if rest.len() > HEAD_BYTES_MAX {
                return Err(Broken::protocol(format!("the head of the answer is larger than {HEAD_BYTES_MAX} bytes")));
            }
            self.read(READ, "before its head was over").await?;
        }
    }

    /// Reads `left` bytes of a body.
    async fn body(&mut self, mut left: u64, answer: &mut Answer) -> Result<(), Broken> {
        loop {
            let rest = self.incoming.rest();
            let part = rest.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            answer.more(&rest[..part])?;
            self.incoming.take(part);
            left -= part as u64;
            if left == 0 {
                return Ok(());
            }
            let wanted = if left > READ as u64 { READ_MORE } else { READ };
            self.read(wanted, "in the middle of its body").await?;
        }
    }

    async fn chunks(&mut self, answer: &mut Answer) -> Result<(), Broken> {
        const WHERE: &str = "between two chunks";
        loop {
            let size = loop {
                match httparse::parse_chunk_size(self.incoming.rest()) {
                    Ok(Status::Complete((length, size))) => {
                        self.incoming.take(length);
                        break size;
                    }
                    Ok(Status::Partial) => self.read(READ, WHERE).await?,
                    Err(_) => return Err(Broken::protocol("what should be the size of a chunk is none".to_owned())),
                }
            };
            if size == 0 {
                return self.trailers().await;
            }
            self.body(size, answer).await?;
            while self.incoming.rest().len() < 2 {
                self.read(READ, WHERE).await?;
            }
            if !self.incoming.rest().starts_with(b"\r\n") {
                return Err(Broken::protocol("a chunk does not end where it said".to_owned()));
            }
            self.incoming.take(2);
        }
    }

    /// Reads what may stand behind the last chunk, and forgets it.
    async fn trailers(&mut self) -> Result<(), Broken> {
        loop {
            let rest = self.incoming.rest();
            match httparse::parse_headers(rest, &mut [EMPTY_HEADER; HEADERS_MAX]) {
                Ok(Status::Complete((length, _))) => {
                    self.incoming.take(length);
                    return Ok(());
                }
                Ok(Status::Partial) if rest.len() <= HEAD_BYTES_MAX => self.read(READ, "behind its last chunk").await?,
                _ => return Err(Broken::protocol("what stands behind the last chunk are no headers".to_owned())),
            }
        }
    }

    async fn until_end(&mut self, answer: &mut Answer) -> Result<(), Broken> {
        loop {
            let rest = self.incoming.rest();
            answer.more(rest)?;
            let length = rest.len();
            self.incoming.take(length);
            if self.try_read(READ_MORE).await? == 0 {
                return Ok(());
            }
        }
    }

    /// Reads more, where the answer cannot be over yet; `place` says where it stands.
    async fn read(&mut self, bytes: usize, place: &str) -> Result<(), Broken> {
        match self.try_read(bytes).await? {
            0 => Err(Broken::closed(format!("the service closed the connection {place}"))),
            _ => Ok(()),
        }
    }

    /// Reads more: how much, 0 at the end.
    async fn try_read(&mut self, bytes: usize) -> Result<usize, Broken> {
        let incoming = self.incoming.room(bytes);
        self.stream.read_buf(incoming).await.map_err(|error| Broken::io(&error))
    }
}

impl Incoming {
    /// What was not looked at yet.
    fn rest(&self) -> &[u8] {
        &self.bytes[self.at..]
    }

    /// So many bytes of it have been looked at.
    fn take(&mut self, bytes: usize) {
        self.at += bytes;
        if self.at == self.bytes.len() {
            self.bytes.clear();
            self.at = 0;
        }
    }

    /// The buffer, with room for so many more.
    fn room(&mut self, bytes: usize) -> &mut Vec<u8> {
        if self.at > 0 {
            self.bytes.drain(..self.at);
            self.at = 0;
        }
        self.bytes.reserve(bytes);
        &mut self.bytes
    }
}

/// A head, and how long it is; `None` where it is not whole yet.
fn parse(bytes: &[u8], wanted: Wanted<'_>) -> Result<Option<(Head, usize)>, Broken> {
    let mut headers = [const { MaybeUninit::uninit() }; HEADERS_MAX];
    let mut parsed = httparse::Response::new(&mut []);
    let length = match ParserConfig::default().parse_response_with_uninit_headers(&mut parsed, bytes, &mut headers) {
        Ok(Status::Complete(length)) => length,
        Ok(Status::Partial) => return Ok(None),
        Err(error) => return Err(Broken::protocol(format!("what came back is no HTTP/1.1 answer: {error}"))),
    };
    let (Some(status), Some(version)) = (parsed.code, parsed.version) else { return Ok(None) };
    let mut answer = wanted.answer(status);
    let mut length_told = None;
    let (mut chunked, mut coded) = (false, false);
    let mut keeps = version == 1;
    for header in &*parsed.headers {
        let value = header.value;
        answer.header(header.name, value);
        if header.name.eq_ignore_ascii_case("content-length") {
            let told = content_length(value).filter(|told| length_told.is_none_or(|known| known == *told));
            length_told = Some(told.ok_or_else(|| {
                Broken::protocol(format!("a content-length that is none: {}", String::from_utf8_lossy(value)))
            })?);
        } else if header.name.eq_ignore_ascii_case("transfer-encoding") {
            (chunked, coded) = (last_is(value, b"chunked"), true);
        } else if header.name.eq_ignore_ascii_case("connection") {
            keeps = if keeps { !names(value, b"close") } else { names(value, b"keep-alive") };
        }
    }
    let framing = match (coded, length_told) {
        (true, _) if chunked => Framing::Chunked,
        (true, _) | (false, None) => Framing::UntilEnd,
        (false, Some(length)) => Framing::Length(length),
    };
    // Who says both lengths is taken at the word that counts, and not trusted with another request.
    keeps &= !(coded && length_told.is_some()) && status != 101;
    Ok(Some((Head { answer, framing, keeps }, length)))
}

fn content_length(value: &[u8]) -> Option<u64> {
    let digits = !value.is_empty() && value.iter().all(u8::is_ascii_digit);
    digits.then(|| std::str::from_utf8(value).ok()?.parse().ok()).flatten()
}

/// Whether a list of words has this one.
fn names(list: &[u8], word: &[u8]) -> bool {
    list.split(|byte| *byte == b',').any(|own| own.trim_ascii().eq_ignore_ascii_case(word))
}

/// Whether a list of words ends with this one.
fn last_is(list: &[u8], word: &[u8]) -> bool {
    list.split(|byte| *byte == b',').next_back().is_some_and(|own| own.trim_ascii().eq_ignore_ascii_case(word))
}

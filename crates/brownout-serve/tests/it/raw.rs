//! A client of HTTP/2 that knows frames and little else.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

pub(crate) const DATA: u8 = 0x0;
pub(crate) const HEADERS: u8 = 0x1;
pub(crate) const RST_STREAM: u8 = 0x3;
pub(crate) const SETTINGS: u8 = 0x4;
const PING: u8 = 0x6;
pub(crate) const GOAWAY: u8 = 0x7;
pub(crate) const WINDOW_UPDATE: u8 = 0x8;

const END_STREAM: u8 = 0x1;
const ACK: u8 = 0x1;
const END_HEADERS: u8 = 0x4;

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// A clean end of the stream of bytes.
    Fin,
    Reset,
    /// Nothing came for two seconds.
    Silence,
}

#[derive(Clone, Debug)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
    pub(crate) payload: Vec<u8>,
    /// When it came.
    pub(crate) at: Instant,
}

impl Frame {
    pub(crate) fn ends_stream(&self) -> bool {
        matches!(self.kind, DATA | HEADERS) && self.flags & END_STREAM != 0
    }

    /// The number in the payload of so many bytes in.
    pub(crate) fn number(&self, at: usize) -> u32 {
        u32::from_be_bytes(self.payload[at..at + 4].try_into().unwrap())
    }

    /// In few words: what it is, and what is in it.
    fn told(&self) -> String {
        let end = if self.ends_stream() { "." } else { "" };
        match self.kind {
            HEADERS if self.payload.starts_with(&[0x88]) => format!("200{end}"),
            HEADERS => format!("HEADERS{end}"),
            DATA => format!("{}{end}", String::from_utf8_lossy(&self.payload)),
            RST_STREAM => format!("RST_STREAM {}", self.number(0)),
            GOAWAY => format!("GOAWAY {} {}", self.number(0), self.number(4)),
            kind => format!("{kind}"),
        }
    }
}

/// A connection, and what came over it.
#[derive(Debug)]
pub(crate) struct Client<S> {
    socket: S,
    /// What is no whole frame yet.
    pub(crate) rest: Vec<u8>,
    pub(crate) fate: Option<Fate>,
    /// Whether a reset was met in sending, of which reading then tells no more.
    was_reset: bool,
}

impl Client<TcpStream> {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        Self::with_settings(address, &[])
    }

    /// Settings are pairs of an identifier and a value.
    pub(crate) fn with_settings(address: SocketAddr, settings: &[(u16, u32)]) -> Self {
        let socket = TcpStream::connect(address).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
        Self::over(socket, settings)
    }
}

impl<S: Read + Write> Client<S> {
    pub(crate) fn over(mut socket: S, settings: &[(u16, u32)]) -> Self {
        socket.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").unwrap();
        let mut client = Self { socket, rest: Vec::new(), fate: None, was_reset: false };
        let settings = settings.iter().flat_map(|(id, value)| [&id.to_be_bytes()[..], &value.to_be_bytes()].concat());
        client.send(SETTINGS, 0, 0, &settings.collect::<Vec<_>>());
        client
    }

    pub(crate) fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        let frame = [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat();
        // Who is cut off finds out when it reads, and what had come before is there still.
        let sent = self.socket.write_all(&frame).and_then(|()| self.socket.flush());
        self.was_reset |= sent.is_err_and(|error| is_reset(error.kind()));
    }

    pub(crate) fn get(&mut self, stream: u32, path: &str) {
        self.ask(stream, "GET", path, true);
    }

    /// Fields in words, but for those that the static table of RFC 7541 has whole.
    pub(crate) fn ask(&mut self, stream: u32, method: &str, path: &str, whole: bool) {
        let text = |index: u8, text: &str| [&[index, u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
        // `:method`, `:scheme: http`, `:path` and `:authority`.
        let block = [text(0x02, method), vec![0x86], text(0x04, path), text(0x01, "x")].concat();
        self.send(HEADERS, END_HEADERS | if whole { END_STREAM } else { 0 }, stream, &block);
    }

    /// The next frame that is of a request, or `GOAWAY`; settings and pings are taken note of. None at the end.
    pub(crate) fn next(&mut self) -> Option<Frame> {
        loop {
            while let Some(frame) = self.whole_frame() {
                match frame.kind {
                    SETTINGS if frame.flags & ACK == 0 => self.send(SETTINGS, ACK, 0, &[]),
                    PING if frame.flags & ACK == 0 => self.send(PING, ACK, 0, &frame.payload),
                    SETTINGS | PING | WINDOW_UPDATE => {}
                    _ => return Some(frame),
                }
            }
            if self.fate.is_some() {
                return None;
            }
            let mut piece = [0; 4096];
            match self.socket.read(&mut piece) {
                Ok(0) | Err(_) if self.was_reset => self.fate = Some(Fate::Reset),
                Ok(0) => self.fate = Some(Fate::Fin),
                Ok(count) => self.rest.extend_from_slice(&piece[..count]),
                Err(error) => {
                    self.fate = Some(match error.kind() {
                        kind if is_reset(kind) => Fate::Reset,
                        ErrorKind::WouldBlock | ErrorKind::TimedOut => Fate::Silence,
                        _ => panic!("{error}"),
                    });
                }
            }
        }
    }

    fn whole_frame(&mut self) -> Option<Frame> {
        let head: [u8; 9] = self.rest.get(..9)?.try_into().unwrap();
        let [a, b, c, kind, flags, stream @ ..] = head;
        let end = 9 + u32::from_be_bytes([0, a, b, c]) as usize;
        let payload = self.rest.get(9..end)?.to_vec();
        self.rest.drain(..end);
        Some(Frame { kind, flags, stream: u32::from_be_bytes(stream), payload, at: Instant::now() })
    }

    /// All frames until a stream ends.
    pub(crate) fn until_end_of(&mut self, stream: u32) -> Vec<Frame> {
        let mut frames = Vec::new();
        while let Some(frame) = self.next() {
            let last = frame.stream == stream && (frame.ends_stream() || frame.kind == RST_STREAM);
            frames.push(frame);
            if last {
                break;
            }
        }
        frames
    }

    /// All frames there are still to come, and how the connection ends.
    pub(crate) fn until_it_ends(&mut self) -> (Vec<Frame>, Fate) {
        let frames = std::iter::from_fn(|| self.next()).collect();
        (frames, self.fate.unwrap())
    }
}

/// Whether a connection was reset. The first to try is told so, the next, perhaps within TLS, that its pipe is broken. A server
/// that ends a connection with a FIN still reads, so that no pipe breaks.
pub(crate) fn is_reset(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::ConnectionReset | ErrorKind::BrokenPipe)
}

/// Frames in few words.
pub(crate) fn told(frames: &[Frame]) -> Vec<String> {
    frames.iter().map(Frame::told).collect()
}

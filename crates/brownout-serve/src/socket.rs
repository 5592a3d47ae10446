//! A connection, with TLS or without: which HTTP is spoken over it, and how it ends.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_rustls::server::TlsStream;

/// How long is waited for a client to end its side, once this one has ended: longer would only keep its place taken.
const LINGER: Duration = Duration::from_secs(1);

/// What HTTP/2 begins with. No method of HTTP/1.1 does: RFC 9113 keeps this one from it.
const PREFACE: &[u8] = b"PRI";

/// The bytes of a connection, and what its end looks like.
pub(crate) trait Socket: AsyncRead + AsyncWrite + Send + Unpin + 'static {
    /// Lets it end with an RST, whatever TLS is on it.
    fn end_with_reset(&self) -> io::Result<()>;
}

impl Socket for TcpStream {
    fn end_with_reset(&self) -> io::Result<()> {
        // Without time to linger a socket is not closed but reset.
        self.set_zero_linger()
    }
}

impl Socket for TlsStream<TcpStream> {
    fn end_with_reset(&self) -> io::Result<()> {
        self.get_ref().0.end_with_reset()
    }
}

/// In memory there is one way to end.
impl Socket for DuplexStream {
    fn end_with_reset(&self) -> io::Result<()> {
        Ok(())
    }
}

/// Whether a client begins with HTTP/2, told by its first bytes, which are left where they are.
pub(crate) async fn speaks_http2(stream: &TcpStream) -> bool {
    let (mut bytes, mut pause) = ([0; PREFACE.len()], Duration::from_millis(1));
    loop {
        match stream.peek(&mut bytes).await {
            Ok(count) if count > 0 && PREFACE.starts_with(&bytes[..count]) => {
                if count == PREFACE.len() {
                    return true;
                }
            }
            _ => return false,
        }
        // What has come is there at once the next time too; hardly anybody sends so few bytes at a time.
        sleep(pause).await;
        pause *= 2;
    }
}

/// Ends a connection with an RST.
pub(crate) fn reset(socket: impl Socket) -> io::Result<()> {
    socket.end_with_reset()?;
    drop(socket);
    Ok(())
}

/// Ends a connection with a FIN.
pub(crate) async fn close(mut socket: impl Socket) -> io::Result<()> {
    socket.shutdown().await?;
    // What is left unread would turn the end into a reset.
    let _ = timeout(LINGER, read_to_end(&mut socket)).await;
    Ok(())
}

/// Reads and forgets what a client still sends, until it sends no more.
pub(crate) async fn read_to_end(socket: &mut impl Socket) -> io::Result<()> {
    let mut bytes = [0; 1024];
    while socket.read(&mut bytes).await? > 0 {}
    Ok(())
}

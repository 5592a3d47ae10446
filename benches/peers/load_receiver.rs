//! Answers every request at once and notes when it came, in nanoseconds, in the file of the command line, when it is ended.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Instant;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::{LocalSet, spawn_local};

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 13\r\n\r\nHello, world!";

/// Requests have no bodies: each ends with the first empty line.
async fn converse(mut stream: TcpStream, start: Instant, moments: Rc<RefCell<Vec<u128>>>) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut heard = Vec::with_capacity(4096);
    while stream.read_buf(&mut heard).await? > 0 {
        while let Some(end) = heard.windows(4).position(|four| four == b"\r\n\r\n") {
            moments.borrow_mut().push(start.elapsed().as_nanos());
            heard.drain(..end + 4);
            stream.write_all(ANSWER).await?;
        }
    }
    Ok(())
}

async fn listen(moments: Rc<RefCell<Vec<u128>>>) -> std::io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("http://{}/", listener.local_addr()?);
    let start = Instant::now();
    loop {
        let (stream, _) = listener.accept().await?;
        spawn_local(converse(stream, start, Rc::clone(&moments)));
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> std::io::Result<()> {
    let place = std::env::args().nth(1).expect("a file");
    let mut end = signal(SignalKind::terminate())?;
    let moments = Rc::new(RefCell::new(Vec::with_capacity(1 << 22)));
    let tasks = LocalSet::new();
    tasks
        .run_until(async {
            tokio::select! {
                failed = listen(Rc::clone(&moments)) => failed,
                _ = end.recv() => Ok(()),
            }
        })
        .await?;
    let lines: String = moments.borrow().iter().map(|moment| format!("{moment}\n")).collect();
    std::fs::write(place, lines)
}

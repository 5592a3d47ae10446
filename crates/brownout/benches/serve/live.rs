//! What somebody who looks on at the live page costs the service.
//!
//! Load model: as for the speed of servers, closed, 32 keep-alive connections from one client thread, no think time, one worker
//! thread, no latency; a round is 200,000 requests, some four seconds, so that events come in it. One server, called in pairs of rounds:
//! one while a stream of events is open and read as fast as it comes, one without; which of them goes first changes from pair to
//! pair. A second server without an admin API goes along, to tell what the journal, the metrics and the look once a second take that
//! is there for those who may look.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::thread::JoinHandle;

use crate::process::Server;
use crate::speed::{Round, SCENARIO, load, text};

const REQUESTS: u64 = 200_000;

/// Somebody who looks on.
struct Onlooker {
    socket: TcpStream,
    reads: Option<JoinHandle<usize>>,
}

impl Onlooker {
    fn at(admin: &str) -> Self {
        let mut socket = TcpStream::connect(admin.trim_start_matches("http://")).expect("a connection");
        socket.write_all(b"GET /events HTTP/1.1\r\nhost: localhost\r\n\r\n").expect("a request");
        let mut own = socket.try_clone().expect("a handle");
        let reads = std::thread::spawn(move || {
            let (mut bytes, mut seen) = (vec![0; 1 << 16], Vec::new());
            while let Ok(read) = own.read(&mut bytes)
                && read > 0
            {
                seen.extend_from_slice(&bytes[..read]);
            }
            String::from_utf8_lossy(&seen).matches("data: ").count()
        });
        Self { socket, reads: Some(reads) }
    }

    /// How many events came.
    fn leaves(mut self) -> usize {
        let _ = self.socket.shutdown(Shutdown::Both);
        self.reads.take().map_or(0, |reads| reads.join().expect("it only reads"))
    }
}

pub(crate) fn run() {
    let wanted = crate::rounds(9);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (alone, server) = (Server::ours(SCENARIO, &[], true), Server::ours(SCENARIO, &["--admin", "0"], true));
    let admin = server.admin.clone().expect("an admin API");
    let unseen = || load(&server, &runtime, REQUESTS);
    let mut events = 0;
    let mut seen = || {
        let onlooker = Onlooker::at(&admin);
        let round = load(&server, &runtime, REQUESTS);
        events += onlooker.leaves();
        round
    };
    unseen();
    let mut rounds: Vec<[Round; 3]> = Vec::new();
    for number in 0..wanted {
        let without = load(&alone, &runtime, REQUESTS);
        let pair = if number % 2 == 0 {
            let first = unseen();
            [first, seen(), without]
        } else {
            let first = seen();
            [unseen(), first, without]
        };
        rounds.push(pair);
    }
    println!(
        "{REQUESTS} requests a round, {wanted} rounds in turn, {events} events read; ÷ the same server that nobody looks at"
    );
    for (place, name) in ["nobody looks", "one looks on", "without --admin"].into_iter().enumerate() {
        let rates = rounds.iter().map(|round| round[place].rate / round[0].rate);
        let cpus = rounds.iter().filter_map(|round| Some(round[place].cpu? / round[0].cpu?));
        let own: f64 = rounds.iter().map(|round| round[place].rate).sum::<f64>() / rounds.len() as f64;
        println!(
            "{name:>18}  rate {:>22}  processor time {:>22}  {own:>8.0}/s",
            text(rates.collect()),
            text(cpus.collect())
        );
    }
}

//! Ten thousand requests held for a second at once.
//!
//! Load model: 10,000 closed clients, each with a connection of its own, make one request each at the same moment; every answer
//! takes a second. Server and client are processes of their own on one machine. Told are how many were answered, how long that
//! took beyond the second, the threads of the server, and its resident memory a held connection.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use brownout_load::Load;

use crate::process::Server;

const CLIENTS: u32 = 10_000;

pub(crate) fn run() {
    if rlimit::increase_nofile_limit(u64::MAX).unwrap_or(0) < u64::from(CLIENTS) + 200 {
        println!("not measured: the limit of open files is too low");
        return;
    }
    let server = Server::ours("[service]\nlatency = \"1s\"\n", &["--max-connections", "20000"], false);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let load =
        Load { count: Some(CLIENTS.into()), clients: NonZeroU32::new(CLIENTS).expect("some"), ..Load::default() };
    let (before, start) = (server.status("VmRSS"), Instant::now());
    let (result, most) = runtime.block_on(async {
        let load = server.drive.load(&load, None, std::future::pending(), |_, _| ());
        let mut load = std::pin::pin!(load);
        let mut most = (0, 0);
        loop {
            tokio::select! {
                result = &mut load => return (result, most),
                () = tokio::time::sleep(Duration::from_millis(20)) => {
                    let memory = server.status("VmRSS").unwrap_or(0).max(most.0);
                    most = (memory, server.status("Threads").unwrap_or(0).max(most.1));
                }
            }
        }
    });
    let took = start.elapsed();
    println!(
        "{} of {CLIENTS} requests held for a second at once were answered with 200",
        result.by_status.get(&200).unwrap_or(&0)
    );
    println!("  all of them within {:.2} s; threads of the server: {}", took.as_secs_f64(), most.1);
    let each = before.map_or(0, |before| most.0.saturating_sub(before)) * 1024 / u64::from(CLIENTS);
    println!(
        "  resident memory: {} KiB before, {} KiB at the most, {each} bytes a held connection",
        before.unwrap_or(0),
        most.0
    );
    assert_eq!(result.by_status.get(&200), Some(&u64::from(CLIENTS)), "{:?}", result.by_fault);
}

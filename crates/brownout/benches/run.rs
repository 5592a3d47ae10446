//! What a retry runner costs: `cargo bench -p brownout --bench run`.
//!
//! Whole processes in turn, closed, one at a time. First a command that succeeds at once: `/bin/true` alone, by this program,
//! by Debian's `retry` where it is installed, and by a loop of bash; what each adds to `/bin/true`. Then a gibibyte of output into
//! a pipe that is read: plain, passed through, looked at, held, and held by hand, in a file that `cat` shows; how long each takes
//! against the plain pipe, and the most memory that the runner had.

#![expect(clippy::print_stdout, reason = "a bench prints ratios")]

use std::io::Read;
use std::process::{Command, Stdio};
use std::time::Instant;

const PROGRAM: &str = env!("CARGO_BIN_EXE_brownout");
const ROUNDS: usize = 300;
const OUTPUT_ROUNDS: usize = 5;
const GIBIBYTE: u64 = 1 << 30;

/// A way to run `/bin/true`.
const STARTS: [(&str, &[&str]); 4] = [
    ("/bin/true", &[]),
    (PROGRAM, &["run", "--", "/bin/true"]),
    ("retry", &["-t", "3", "-d", "1", "--", "/bin/true"]),
    ("bash", &["-c", "for try in 1 2 3; do /bin/true && break; sleep 1; done"]),
];

/// How a gibibyte comes into a pipe.
#[derive(Clone, Copy)]
enum Way {
    /// By a command alone.
    Plain,
    /// By this program around it, with these flags.
    Ours(&'static [&'static str]),
    /// Through a file that a shell makes of it, shows, and takes away.
    ByHand,
}

const WAYS: [(&str, Way); 5] = [
    ("plain pipe", Way::Plain),
    ("passed through", Way::Ours(&[])),
    ("looked at (--stop-on-output)", Way::Ours(&["--stop-on-output", "denied"])),
    ("held (--hold-output)", Way::Ours(&["--hold-output"])),
    ("held by hand (> file; cat file)", Way::ByHand),
];

fn main() {
    starts();
    output();
}

fn starts() {
    let there: Vec<_> = STARTS.into_iter().filter(|(program, words)| once(program, words).is_some()).collect();
    let mut times = vec![Vec::new(); there.len()];
    for round in 0..ROUNDS + 20 {
        for ((program, words), times) in there.iter().zip(&mut times) {
            let time = once(program, words).expect("it has started before");
            // The first rounds warm up.
            if round >= 20 {
                times.push(time);
            }
        }
    }
    let median = |times: &mut Vec<f64>| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    };
    let medians: Vec<f64> = times.iter_mut().map(median).collect();
    println!("a command that succeeds at once, median of {ROUNDS} rounds in turn");
    println!("  /bin/true alone: {:.2} ms", medians[0] * 1e3);
    for ((program, _), time) in there.iter().zip(&medians).skip(1) {
        let name = if *program == PROGRAM { "brownout run" } else { program };
        let (added, ours) = (time - medians[0], medians[1] - medians[0]);
        println!("  {name} adds {:.2} ms; brownout run adds {:.2} times as much", added * 1e3, ours / added);
    }
}

/// How long it takes, in seconds; `None` where it cannot be started.
fn once(program: &str, words: &[&str]) -> Option<f64> {
    let mut command = Command::new(program);
    command.args(words).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let start = Instant::now();
    let status = command.status().ok()?;
    assert!(status.success(), "{program}");
    Some(start.elapsed().as_secs_f64())
}

fn output() {
    let mut ratios = vec![Vec::new(); WAYS.len()];
    let mut peaks = vec![0; WAYS.len()];
    for _ in 0..OUTPUT_ROUNDS {
        let mut plain = 0.0;
        for (at, (_, way)) in WAYS.iter().enumerate() {
            let (time, peak) = write_gibibyte(*way);
            if at == 0 {
                plain = time;
            }
            ratios[at].push(time / plain);
            peaks[at] = peaks[at].max(peak);
        }
    }
    println!(
        "a gibibyte of output, median (min to max) of {OUTPUT_ROUNDS} rounds in turn, time by that of the plain pipe"
    );
    for (((name, way), ratios), peak) in WAYS.iter().zip(&mut ratios).zip(peaks) {
        ratios.sort_by(f64::total_cmp);
        let (low, middle, high) = (ratios[0], ratios[OUTPUT_ROUNDS / 2], ratios[OUTPUT_ROUNDS - 1]);
        let memory = if matches!(way, Way::Ours(_)) { format!(", peak memory {peak} KiB") } else { String::new() };
        println!("  {name}: {middle:.2} ({low:.2} to {high:.2}){memory}");
    }
}

/// How long until the last byte was read, in seconds, and the most memory of the process, in KiB.
fn write_gibibyte(way: Way) -> (f64, u64) {
    let count = GIBIBYTE.to_string();
    let words = ["head", "-c", &count, "/dev/zero"];
    let mut command = Command::new(match way {
        Way::Plain => words[0],
        Way::Ours(_) => PROGRAM,
        Way::ByHand => "sh",
    });
    match way {
        Way::Plain => command.args(&words[1..]),
        Way::Ours(flags) => command.arg("run").args(flags).arg("--").args(words),
        Way::ByHand => {
            command.args(["-c", "file=$(mktemp); \"$@\" > \"$file\"; cat \"$file\"; rm \"$file\"", "sh"]).args(words)
        }
    };
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let start = Instant::now();
    let mut child = command.spawn().expect("it starts");
    let (mut stdout, mut chunk) = (child.stdout.take().expect("it is piped"), vec![0; 1 << 16]);
    let (mut bytes, mut peak) = (0, 0);
    while let read @ 1.. = stdout.read(&mut chunk).expect("a pipe reads") {
        bytes += read as u64;
        // Near the end, when all that it keeps is there.
        if bytes + (1 << 20) > GIBIBYTE && peak == 0 {
            peak = peak_kib(child.id());
        }
    }
    let time = start.elapsed().as_secs_f64();
    assert!(child.wait().expect("it ends").success() && bytes == GIBIBYTE);
    (time, peak)
}

fn peak_kib(process: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or_default()
}

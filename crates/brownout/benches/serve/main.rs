//! `brownout serve` measured: `cargo bench -p brownout --bench serve [-- speed | held | delivered]`. `BENCH_ROUNDS` sets the rounds.

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]

mod delivered;
mod held;
mod process;
mod speed;

/// What can be measured, by name.
const PARTS: [(&str, fn()); 3] = [("speed", speed::run), ("held", held::run), ("delivered", delivered::run)];

fn main() {
    // Cargo adds flags of its own.
    let wanted: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    for (name, run) in PARTS {
        if wanted.is_empty() || wanted.iter().any(|own| own == name) {
            run();
        }
    }
}

/// How many rounds to measure, where nobody says otherwise.
fn rounds(usual: usize) -> usize {
    std::env::var("BENCH_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(usual)
}

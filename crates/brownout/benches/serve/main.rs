//! `brownout serve` measured: `cargo bench -p brownout --bench serve [-- speed | held | delivered | live | soak]`. `BENCH_ROUNDS` sets the rounds.

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]

mod delivered;
mod held;
mod live;
mod process;
mod soak;
mod speed;

/// What can be measured, by name, and whether it is without being named.
const PARTS: [(&str, bool, fn()); 5] = [
    ("speed", true, speed::run),
    ("held", false, held::run),
    ("delivered", false, delivered::run),
    ("live", false, live::run),
    ("soak", false, soak::run),
];

fn main() {
    // Cargo adds flags of its own.
    let wanted: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    for (name, usual, run) in PARTS {
        if wanted.is_empty() && usual || wanted.iter().any(|own| own == name) {
            run();
        }
    }
}

/// How many rounds to measure, where nobody says otherwise.
fn rounds(usual: usize) -> usize {
    std::env::var("BENCH_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(usual)
}

//! What is said of a rehearsal, in text and on its page.

use std::time::Duration;

use brownout_lab::rehearse::{Backoff, CommandEnd, Jitter, Rehearsal};

use crate::number::{counted, seconds};

/// The number in a line, or that there is none.
pub(crate) fn headline(run: &Rehearsal) -> String {
    match run.attempts {
        0 => "the service saw no request".to_owned(),
        attempts => made(run.calls, attempts, run.amplification),
    }
}

/// The answer in a line.
pub(crate) fn made(calls: u64, attempts: u64, amplification: Option<f64>) -> String {
    let amplification = amplification.map_or_else(|| "–".to_owned(), short);
    let (calls, requests) = (counted(calls, "call", "calls"), counted(attempts, "request", "requests"));
    format!("{calls} made {requests}: amplification {amplification}")
}

/// How a command ended.
pub(crate) fn end(command: CommandEnd) -> String {
    match command {
        CommandEnd { timed_out: true, .. } => "ended, since its time was up".to_owned(),
        CommandEnd { exit_code: Some(code), .. } => format!("exit code {code}"),
        CommandEnd { signal: Some(signal), .. } => format!("ended by signal {signal}"),
        CommandEnd { .. } => "ended with this program".to_owned(),
    }
}

/// The rule behind waits.
pub(crate) fn backoff(backoff: &Backoff, layers: &[usize]) -> String {
    let at_once = |first_at_once: bool| if first_at_once { "the first retry at once, then " } else { "" };
    match backoff {
        Backoff::NoRetries => "nothing was tried again".to_owned(),
        Backoff::NotEnoughData { .. } if !layers.is_empty() => "of several layers".to_owned(),
        Backoff::NotEnoughData { why } => format!("not enough data: {why}"),
        Backoff::AtOnce => "none, retries come at once".to_owned(),
        Backoff::Fixed { delay_ms } => format!("fixed, {}", in_seconds(*delay_ms)),
        Backoff::Linear { first_ms, step_ms, first_at_once } => {
            let (first, step) = (in_seconds(*first_ms), in_seconds(*step_ms));
            format!("linear, {}{first} and {step} more each time", at_once(*first_at_once))
        }
        Backoff::Exponential { first_ms, factor, cap_ms, first_at_once } => {
            let cap = cap_ms.map(|cap| format!(", up to {}", in_seconds(cap))).unwrap_or_default();
            let (first, factor) = (in_seconds(*first_ms), about(*factor));
            format!("exponential, {}{first} and {factor} times as long each time{cap}", at_once(*first_at_once))
        }
        Backoff::Growing { first_ms, factor, first_at_once } => {
            let (first, factor) = (in_seconds(*first_ms), about(*factor));
            let tail = "too few waits tell linear from exponential";
            format!("growing, {}{first} and {factor} times as long each time; {tail}", at_once(*first_at_once))
        }
        Backoff::Jittered { like, low_ms, high_ms, waits, factor } => {
            let like = match like {
                Some(Jitter::Full) => "like full jitter",
                Some(Jitter::Equal) => "like equal jitter, or a third more or less",
                Some(Jitter::Proportional) => "by a part more or less",
                None => "which jitter cannot be told",
            };
            let (low, high) = (in_seconds(*low_ms), in_seconds(*high_ms));
            let grown = factor.map(|factor| format!(", the next {} times as long on the mean", about(factor)));
            format!("jittered, {waits} waits from {low} to {high}, {like}{}", grown.unwrap_or_default())
        }
    }
}

/// The layers of retries; `None` where none show.
pub(crate) fn layers(layers: &[usize]) -> Option<String> {
    let tries: Vec<String> = layers.iter().map(ToString::to_string).collect();
    (!layers.is_empty()).then(|| format!("{} tries, each within the next: the waits repeat so", tries.join(" × ")))
}

/// A time, to the millisecond.
pub(crate) fn in_seconds(ms: f64) -> String {
    seconds(Duration::try_from_secs_f64(ms.round() / 1e3).unwrap_or_default())
}

/// Of what noise has a part in.
pub(crate) fn about(number: f64) -> String {
    format!("about {}", short((10.0 * number).round() / 10.0))
}

/// With two digits after the point at the most.
pub(crate) fn short(number: f64) -> String {
    let text = format!("{number:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// With a capital at its beginning.
pub(crate) fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

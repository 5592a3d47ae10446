//! The policy on the command line.

use std::time::Duration;

use brownout_draw::Probability;
use brownout_policy::{Growth, JitterKind, Policy, RetryOn, Settings};
use clap::Args;
use clap::builder::PossibleValuesParser;
use clap::builder::TypedValueParser;

use super::duration;
use crate::exit::Stop;

const POLICY: &str = "Policy, in place of the scenario's";

/// Flags of the retry policy. Durations carry a unit (250ms, 2s, 1m30s); bare numbers are seconds.
#[derive(Debug, Args)]
pub(crate) struct PolicyFlags {
    /// Retries after the first try [default: 3]
    #[arg(long, value_name = "COUNT", allow_hyphen_values = true, help_heading = POLICY)]
    pub(crate) max_retries: Option<u32>,

    /// First delay
    #[arg(long, value_name = "DURATION", value_parser = duration, allow_hyphen_values = true, help_heading = POLICY)]
    pub(crate) base_delay: Option<Duration>,

    /// How the delay grows [default: exponential]
    #[arg(long, value_name = "SHAPE", value_parser = named(&Growth::NAMES), help_heading = POLICY)]
    backoff: Option<Growth>,

    /// Growth of an exponential delay from one retry to the next [default: 2]
    #[arg(long, value_name = "NUMBER", allow_hyphen_values = true, help_heading = POLICY)]
    factor: Option<f64>,

    /// These delays in order, the last repeated, in place of a formula
    #[arg(long, value_name = "DURATION,…", value_parser = duration, value_delimiter = ',', help_heading = POLICY)]
    delays: Option<Vec<Duration>>,

    /// No backoff waits longer, jitter included [default: 60s]
    #[arg(long, value_name = "DURATION", value_parser = duration, allow_hyphen_values = true, help_heading = POLICY)]
    max_delay: Option<Duration>,

    /// Chance in the delay [default: none]
    #[arg(long, value_name = "KIND", value_parser = named(&JitterKind::NAMES), help_heading = POLICY)]
    jitter: Option<JitterKind>,

    /// How far proportional jitter reaches to either side [default: 0.2]
    #[arg(long, value_name = "SHARE", allow_hyphen_values = true, help_heading = POLICY)]
    jitter_ratio: Option<Probability>,

    /// Limit of the whole call, work time and waits included [default: none]
    #[arg(long, value_name = "DURATION", value_parser = duration, allow_hyphen_values = true, help_heading = POLICY)]
    timeout: Option<Duration>,

    /// Limit of each attempt [default: none; over HTTP 60s]
    #[arg(long, value_name = "DURATION", value_parser = duration, allow_hyphen_values = true, help_heading = POLICY)]
    attempt_timeout: Option<Duration>,

    /// Does not wait as long as a service's Retry-After asks
    #[arg(long, help_heading = POLICY)]
    ignore_retry_after: bool,

    /// A longer Retry-After ends the call [default: 300s]
    #[arg(long, value_name = "DURATION", value_parser = duration, allow_hyphen_values = true, help_heading = POLICY)]
    retry_after_max: Option<Duration>,

    /// What is retried: statuses, classes, ranges, `transport` [default: 429,5xx,transport]
    #[arg(long, value_name = "WORD,…", help_heading = POLICY)]
    retry_on: Option<RetryOn>,
}

impl PolicyFlags {
    /// The policy these flags make over `under`: the scenario's, or a verb's own defaults.
    pub(crate) fn over(&self, under: Settings) -> Result<Policy, Stop> {
        Policy::new(self.settings().over(under)).map_err(|errors| {
            let lines: Vec<_> = errors.iter().map(|error| in_flags(&error.to_string())).collect();
            Stop::usage(lines.join("\nerror: "))
        })
    }

    fn settings(&self) -> Settings {
        Settings {
            max_retries: self.max_retries,
            growth: self.backoff,
            base_delay: self.base_delay,
            factor: self.factor,
            delays: self.delays.clone(),
            max_delay: self.max_delay,
            jitter: self.jitter,
            jitter_ratio: self.jitter_ratio,
            deadline: self.timeout,
            attempt_timeout: self.attempt_timeout,
            heed_retry_after: self.ignore_retry_after.then_some(false),
            retry_after_max: self.retry_after_max,
            retry_on: self.retry_on.clone(),
        }
    }
}

/// Settings by the names of their flags.
const FLAGS: [(&str, &str); 6] = [
    ("max_delay", "--max-delay"),
    ("base_delay", "--base-delay"),
    ("jitter_ratio", "--jitter-ratio"),
    ("attempt_timeout", "--attempt-timeout"),
    ("deadline", "--timeout"),
    ("factor must", "--factor must"),
];

/// A policy's message in the words of the command line.
fn in_flags(message: &str) -> String {
    FLAGS.iter().fold(message.to_owned(), |message, (setting, flag)| message.replace(setting, flag))
}

/// A parser of words for values.
fn named<T: Copy + Send + Sync + 'static>(names: &'static [(&'static str, T)]) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(names.iter().map(|(name, _)| *name)).map(|word: String| {
        let found = names.iter().find(|(name, _)| *name == word);
        found.expect("only these names are let through").1
    })
}

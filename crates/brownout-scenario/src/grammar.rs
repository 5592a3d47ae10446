//! Which keys a scenario has.
//!
//! The one list behind the reader, which refuses other keys and suggests the nearest of these, and behind the JSON
//! Schema. A new key is a line here and the code that reads it.

use brownout_policy::{Growth, JitterKind};

/// A table of the file.
pub(crate) struct Table {
    /// How messages and the schema call it.
    pub(crate) name: &'static str,
    /// What it is for.
    pub(crate) doc: &'static str,
    pub(crate) keys: &'static [Key],
    pub(crate) rule: Rule,
}

/// Which of its keys a table must have.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// Any, or none.
    Any,
    /// Exactly one.
    One,
    /// All of these, and any other.
    Required(&'static [&'static str]),
}

/// A key of a table.
pub(crate) struct Key {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) doc: &'static str,
}

/// What stands behind a key.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Seed,
    Duration,
    Probability,
    /// A whole number from this one to `u64::MAX`.
    Count(u64),
    /// A whole number from this one to `u32::MAX`.
    Count32(u64),
    /// A weight in a mix.
    Weight,
    /// The growth of a delay.
    Factor,
    /// The spread of a lognormal.
    Sigma,
    Bool,
    /// A name for results and headers.
    Name,
    /// A method and a path.
    Pattern,
    /// `header:NAME`.
    Identity,
    /// A method and a path of one request.
    Request,
    /// A failure that can be retried.
    Retryable,
    /// One of these words.
    Words(fn() -> Vec<&'static str>),
    List(&'static Kind),
    Table(&'static Table),
    /// Keys such as `p50`, each with a duration.
    Percentiles,
    /// A distribution, or a duration for a fixed one.
    Distribution,
    /// A duration, or a table.
    DurationOr(&'static Table),
}

const fn key(name: &'static str, kind: Kind, doc: &'static str) -> Key {
    Key { name, kind, doc }
}

pub(crate) static SCENARIO: Table = Table {
    name: "scenario",
    doc: "How a service misbehaves and how its callers behave.",
    rule: Rule::Any,
    keys: &[
        key("seed", Kind::Seed, "The number that repeats the run. Chosen and printed when it is missing."),
        key("service", Kind::Table(&SERVICE), "What the service does to a request."),
        key("phases", Kind::List(&Kind::Table(&PHASE)), "When the service does something else."),
        key("load", Kind::Table(&LOAD), "When calls start."),
        key("policy", Kind::Table(&POLICY), "What a caller does after a failure. Without it there are no retries."),
    ],
};

pub(crate) static SERVICE: Table = Table {
    name: "service",
    doc: "What the service does to a request that no route takes, and what routes start from.",
    rule: Rule::Any,
    keys: &[
        key("latency", Kind::Distribution, "How long an answer takes. Default: no time."),
        key("outcomes", Kind::Table(&OUTCOMES), "How often each failure comes. Default: never."),
        key("routes", Kind::List(&Kind::Table(&ROUTE)), "What is different on some paths; the first match counts."),
        key("identity", Kind::Identity, "Where a request says who it is, as \"header:idempotency-key\"."),
    ],
};

pub(crate) static ROUTE: Table = Table {
    name: "service.routes",
    doc: "What is different for some requests.",
    rule: Rule::Required(&["match"]),
    keys: &[
        key("match", Kind::Pattern, "A method (or none for any) and a path, as \"POST /payments/{id}\"."),
        key("latency", Kind::Distribution, "In place of the service's."),
        key("outcomes", Kind::Table(&OUTCOMES), "In place of the service's."),
    ],
};

pub(crate) static PHASE: Table = Table {
    name: "phases",
    doc: "A stretch of time in which every route does something else; where phases overlap, the later one counts.",
    rule: Rule::Required(&["name"]),
    keys: &[
        key("name", Kind::Name, "Shown in results and in the decision header."),
        key("from", Kind::Duration, "When it begins, from the start of the run. Default: at once."),
        key("for", Kind::Duration, "How long it lasts. Default: to the end of the run."),
        key("until", Kind::Duration, "When it ends, in place of `for`."),
        key("outcomes", Kind::Table(&OUTCOMES), "In place of every other."),
        key("latency", Kind::Distribution, "In place of every other."),
    ],
};

pub(crate) static OUTCOMES: Table = Table {
    name: "outcomes",
    doc: "The rate of each failure; what is left over is the success.",
    rule: Rule::Any,
    keys: &[
        key("error", Kind::Probability, "500."),
        key("rate_limit", Kind::Probability, "429 with Retry-After."),
        key(
            "gateway_timeout",
            Kind::Probability,
            "504 after the longest latency: its end, its max, or the 99.99th percentile of a whole tail.",
        ),
    ],
};

pub(crate) static DISTRIBUTION: Table = Table {
    name: "distribution",
    doc: "How durations are distributed.",
    rule: Rule::One,
    keys: &[
        key("fixed", Kind::Duration, "Always the same."),
        key("uniform", Kind::Table(&UNIFORM), "Anything between two ends."),
        key("exponential", Kind::DurationOr(&EXPONENTIAL), "Without memory, by its mean."),
        key("lognormal", Kind::Table(&LOGNORMAL), "With a long tail, by its median."),
        key(
            "percentiles",
            Kind::Percentiles,
            "Some percentiles, joined by straight lines; zero below the first, flat above the last.",
        ),
        key("mix", Kind::List(&Kind::Table(&MIX)), "One of several, by weight."),
    ],
};

pub(crate) static UNIFORM: Table = Table {
    name: "uniform",
    doc: "Anything from min up to max.",
    rule: Rule::Required(&["min", "max"]),
    keys: &[key("min", Kind::Duration, "The shortest."), key("max", Kind::Duration, "The longest.")],
};

pub(crate) static EXPONENTIAL: Table = Table {
    name: "exponential",
    doc: "Exponential.",
    rule: Rule::Required(&["mean"]),
    keys: &[key("mean", Kind::Duration, "The mean, before a max."), key("max", Kind::Duration, CAP)],
};

pub(crate) static LOGNORMAL: Table = Table {
    name: "lognormal",
    doc: "Lognormal, by its median and one of p99 and sigma.",
    rule: Rule::Required(&["median"]),
    keys: &[
        key("median", Kind::Duration, "Half are shorter."),
        key("p99", Kind::Duration, "99 of 100 are shorter."),
        key("sigma", Kind::Sigma, "The standard deviation of the logarithm."),
        key("max", Kind::Duration, CAP),
    ],
};

const CAP: &str = "Where the tail is cut; the rest is scaled up, as if a longer one were drawn again. Default: whole.";

pub(crate) static MIX: Table = Table {
    name: "mix",
    doc: "A part of a mix.",
    rule: Rule::Required(&["weight", "of"]),
    keys: &[
        key("weight", Kind::Weight, "How often, in proportion to the other weights."),
        key("of", Kind::Distribution, "What it is."),
    ],
};

pub(crate) static LOAD: Table = Table {
    name: "load",
    doc: "When calls start.",
    rule: Rule::Any,
    keys: &[
        key("count", Kind::Count(0), "How many calls. Default 100."),
        key("request", Kind::Request, "What every call asks for, as \"POST /orders\". Default \"GET /\"."),
        key("arrivals", Kind::Table(&ARRIVALS), "Who makes them. Default: one client after another call."),
    ],
};

pub(crate) static ARRIVALS: Table = Table {
    name: "load.arrivals",
    doc: "The shape of the load.",
    rule: Rule::One,
    keys: &[key("closed", Kind::Table(&CLOSED), "Clients that wait for their answer before they call again.")],
};

pub(crate) static CLOSED: Table = Table {
    name: "load.arrivals.closed",
    doc: "Clients that wait for their answer before they call again.",
    rule: Rule::Any,
    keys: &[
        key("clients", Kind::Count32(1), "How many. Default 1."),
        key("think", Kind::Distribution, "How long each pauses between two calls. Default: not at all."),
    ],
};

pub(crate) static POLICY: Table = Table {
    name: "policy",
    doc: "What a caller does after a failure.",
    rule: Rule::Any,
    keys: &[
        key("max_retries", Kind::Count32(0), "Retries after the first try. Default 3."),
        key("backoff", Kind::Words(growths), "How the delay grows. Default exponential."),
        key("base_delay", Kind::Duration, "The first delay. Default 100 ms."),
        key("factor", Kind::Factor, "The growth of an exponential delay from one retry to the next. Default 2."),
        key("delays", Kind::List(&Kind::Duration), "These delays in order, the last repeated, in place of a formula."),
        key(
            "max_delay",
            Kind::Duration,
            "No backoff waits longer, jitter included. Default 60 s, or the longest delay asked for.",
        ),
        key("jitter", Kind::Words(jitters), "Chance in the delay. Default none."),
        key("jitter_ratio", Kind::Probability, "How far proportional jitter reaches to either side. Default 0.2."),
        key("deadline", Kind::Duration, "Of the whole call, work time and waits included. Default none."),
        key("attempt_timeout", Kind::Duration, "Of each attempt. Default none."),
        key("retry_after", Kind::Bool, "Whether the service's Retry-After is heeded. Default true."),
        key("retry_after_max", Kind::Duration, "A longer Retry-After ends the call. Default 300 s."),
        key(
            "retry_on",
            Kind::List(&Kind::Retryable),
            "What is retried: statuses, classes, ranges, names of broken exchanges. Default [\"429\", \"5xx\", \"transport\"].",
        ),
    ],
};

fn growths() -> Vec<&'static str> {
    Growth::NAMES.iter().map(|(name, _)| *name).collect()
}

fn jitters() -> Vec<&'static str> {
    JitterKind::NAMES.iter().map(|(name, _)| *name).collect()
}

#[cfg(test)]
mod tests {
    use brownout_service::Outcome;

    /// The reader walks the outcomes, not the grammar: a new one must not be left out of the file.
    #[test]
    fn every_failure_has_its_key() {
        let keys: Vec<_> = super::OUTCOMES.keys.iter().map(|key| key.name).collect();
        assert_eq!(keys, Outcome::failures().map(Outcome::name).collect::<Vec<_>>());
    }
}

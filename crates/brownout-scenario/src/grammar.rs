//! Which keys a scenario has.
//!
//! The one list behind the reader, which refuses other keys and suggests the nearest of these, and behind the JSON
//! Schema. A new key is a line here and the code that reads it.

use brownout_policy::{DepositOn, Growth, JitterKind, Pushback, Scope, TooLong};
use brownout_service::{Abandoned, ErrorCode, HintForm, Order, QuotaFields};

/// A table of the file.
pub(crate) struct Table {
    /// How messages and the schema call it.
    pub(crate) name: &'static str,
    /// What it is for.
    pub(crate) doc: &'static str,
    pub(crate) keys: &'static [Key],
    pub(crate) rule: Rule,
}

/// How many clients and processes there may be: more could not be told apart by the events of a run.
pub(crate) const CLIENTS_MAX: u32 = 1 << 24;

/// How long the path of another file may be.
pub(crate) const FILE_BYTES_MAX: usize = 4096;

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
    /// A number of clients or processes.
    Clients,
    /// A weight in a mix.
    Weight,
    /// The growth of a delay.
    Factor,
    /// The spread of a lognormal.
    Sigma,
    /// Yes or no, or one of these words.
    BoolOr(fn() -> Vec<&'static str>),
    /// A name for results and headers.
    Name,
    /// A method and a path.
    Pattern,
    /// `header:NAME`.
    Identity,
    /// A method and a path of one request.
    Request,
    /// The same, or a table.
    RequestOr(&'static Table),
    /// A method.
    Method,
    /// A path of one request.
    Path,
    /// A failure that can be retried.
    Retryable,
    /// An answer that can be a success.
    Succeeding,
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
    /// A count, or the word `unbounded`.
    CountOrUnbounded,
    /// An HTTP status of a refusal.
    Status,
    /// Events a second.
    Rate,
    /// The same, or none.
    RateOrZero,
    /// Events a second, or a list of tables.
    RateOrList(&'static Table),
    /// Texts or numbers to draw from, or a range of numbers.
    Values,
    /// How many times as fast something passes.
    Quickness,
    /// A probability, or a table.
    ProbabilityOr(&'static Table),
    /// The HTTP status of any answer.
    Code,
    /// Names and values of headers.
    Headers,
    /// A number of bytes.
    Size,
    /// One of these words, or a number of bytes.
    WordOrSize(fn() -> Vec<&'static str>),
    /// A number of bytes a second.
    Speed,
    /// A number of units, more than 0, to the thousandth.
    Units,
    /// A number of units, or a distribution of it.
    Cost,
    /// Who shares an allowance.
    LimitKey,
    /// What requests have in common that land on one replica.
    Sticky,
    /// One of these words, or a duration.
    WordOrDuration(fn() -> Vec<&'static str>),
    /// Any text.
    Text,
    /// What something is multiplied by.
    Multiple,
    /// True or false.
    Bool,
    /// A number of tokens, or a ratio that may exceed 1.
    Number,
    /// This word, or a table.
    WordOr(&'static str, &'static Table),
    /// A name of the file's own choice, or a table.
    NameOr(&'static Table),
    /// The name of a preset, a table, or a list of them.
    Policy(&'static Table),
    /// The same, or a name of the file's own choice.
    PolicyByName(&'static Table),
    /// A relation and a bound.
    Expectation,
    /// The name of a preset.
    Preset,
    /// Names of the file's own choice, each with what stands behind it.
    Named(&'static Kind),
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
        key("services", Kind::Named(&Kind::Table(&BEHIND)), "The services behind, by name, that others call."),
        key("phases", Kind::List(&Kind::Table(&PHASE)), "When the service does something else."),
        key("load", Kind::Table(&LOAD), "When calls start."),
        key(
            "policy",
            Kind::Policy(&POLICY),
            "What a caller does after a failure; of a list, each stands around the one before. Without it there are no retries.",
        ),
        key("policies", Kind::Named(&Kind::Policy(&POLICY)), "Policies to compare, by name."),
        key("expect", Kind::Table(&EXPECT), "What a run is to come to; a miss is exit code 99. Default: anything."),
    ],
};

/// Whether all expectations are to be met, or one of them missed.
pub(crate) const VERDICTS: [(&str, bool); 2] = [("met", false), ("missed", true)];

pub(crate) static EXPECT: Table = Table {
    name: "expect",
    doc: "What a run is to come to.",
    rule: Rule::Any,
    keys: &[
        key("success_rate", Kind::Expectation, "Calls succeeded ÷ calls started."),
        key("error_rate", Kind::Expectation, "Calls that did not succeed ÷ calls started."),
        key("amplification", Kind::Expectation, "Attempts ÷ calls started."),
        key("goodput", Kind::Expectation, "Calls that succeed, a second."),
        key("recovery", Kind::Expectation, "From the end of the last phase until calls fare as before the first."),
        key("p50", Kind::Expectation, "The median latency of calls, from when they were due."),
        key("p90", Kind::Expectation, "Their 90th percentile."),
        key("p95", Kind::Expectation, "Their 95th percentile."),
        key("p99", Kind::Expectation, "Their 99th percentile."),
        key("p99_9", Kind::Expectation, "Their 99.9th percentile."),
        key("attempt_p50", Kind::Expectation, "The median latency of single attempts."),
        key("attempt_p99", Kind::Expectation, "Their 99th percentile."),
        key("unsent", Kind::Expectation, "Calls that were never begun."),
        key("duplicates", Kind::Expectation, "How often effects were done once more for one key."),
        key(
            "verdict",
            Kind::Words(verdicts),
            "`missed` for a negative control: a run in which one of these is to be missed. Default `met`.",
        ),
    ],
};

fn verdicts() -> Vec<&'static str> {
    VERDICTS.iter().map(|(word, _)| *word).collect()
}

pub(crate) static SERVICE: Table = Table {
    name: "service",
    doc: "What the service does to a request that no route takes, and what routes start from.",
    rule: Rule::Any,
    keys: &[
        key("latency", Kind::Distribution, "How long an answer takes. Default: no time."),
        key("outcomes", Kind::Table(&OUTCOMES), "How often each failure comes. Default: never."),
        key("routes", Kind::List(&Kind::Table(&ROUTE)), "What is different on some paths; the first match counts."),
        key("capacity", Kind::Table(&CAPACITY), "What it can do at once. Default: without bound."),
        key("rate_limit", Kind::Table(&LIMIT), "How much each caller gets, by one limit. Default: without bound."),
        key("rate_limits", Kind::List(&Kind::Table(&LIMIT)), "The same by several; the first without room answers."),
        key("identity", Kind::Identity, "Where a request says who it is, as \"header:idempotency-key\"."),
        key("calls", Kind::List(&Kind::NameOr(&CALL)), "Services behind that it calls, one after another."),
        key("cache", Kind::Table(&CACHE), "Answers at hand, for which it calls nobody. Default: none."),
        key(
            "effect",
            Kind::NameOr(&EFFECT),
            "What requests do that is not undone by doing it again, by name, where no route says so. Default: nothing.",
        ),
        key("replicas", Kind::Table(&REPLICAS), "How many of it there are, that phases can tell apart. Default: one."),
    ],
};

pub(crate) static REPLICAS: Table = Table {
    name: "replicas",
    doc: "A service as several alike, so that some can be bad while the others are not.",
    rule: Rule::Required(&["count"]),
    keys: &[
        key("count", Kind::Count32(1), "How many there are."),
        key(
            "sticky",
            Kind::Sticky,
            "What requests have in common that land on one: none, connection, client, address or \"header:NAME\". Default none.",
        ),
    ],
};

pub(crate) static EFFECT: Table = Table {
    name: "effect",
    doc: "What a request does that is not undone by doing it again.",
    rule: Rule::Required(&["name"]),
    keys: &[
        key("name", Kind::Name, "Shown in results."),
        key("key", Kind::Identity, "Where requests say which one it is. Default \"header:idempotency-key\"."),
        key("once", Kind::Bool, "Whether a key that was seen is answered without doing it again. Default false."),
    ],
};

pub(crate) static BEHIND: Table = Table {
    name: "services",
    doc: "A service that others call.",
    rule: Rule::Any,
    keys: &[
        key("latency", Kind::Distribution, "How long an answer takes. Default: no time."),
        key("outcomes", Kind::Table(&OUTCOMES), "How often each failure comes. Default: never."),
        key("capacity", Kind::Table(&CAPACITY), "What it can do at once. Default: without bound."),
        key("calls", Kind::List(&Kind::NameOr(&CALL)), "Services behind that it calls, one after another."),
        key("cache", Kind::Table(&CACHE), "Answers at hand, for which it calls nobody. Default: none."),
        key("replicas", Kind::Table(&REPLICAS), "How many of it there are, that phases can tell apart. Default: one."),
    ],
};

pub(crate) static CACHE: Table = Table {
    name: "cache",
    doc: "Answers that a service has at hand, so that it need not call those behind it.",
    rule: Rule::Required(&["keys", "hits"]),
    keys: &[
        key("keys", Kind::Count32(1), "How many keys requests ask for, all equally often."),
        key("hits", Kind::Probability, "The share of requests that a full cache answers."),
        key("nodes", Kind::Count32(1), "Over how many nodes the keys are spread. Default 1."),
        key("cold", Kind::Bool, "Whether it holds nothing at the start. Default false: it holds everything."),
    ],
};

pub(crate) static CALL: Table = Table {
    name: "calls",
    doc: "Calls of one service to another.",
    rule: Rule::Required(&["to"]),
    keys: &[
        key("to", Kind::Name, "Which service."),
        key(
            "policy",
            Kind::Policy(&POLICY),
            "What the calling service does after a failure. Without it there are no retries.",
        ),
        key(
            "pass_deadline",
            Kind::Bool,
            "Whether the call ends when the request that it is made for is given up. Default false.",
        ),
    ],
};

pub(crate) static CAPACITY: Table = Table {
    name: "service.capacity",
    doc: "Workers and a queue before them: latency and refusals that come from load.",
    rule: Rule::Required(&["workers", "service_time"]),
    keys: &[
        key("workers", Kind::Count32(1), "How many requests are worked on at once."),
        key("service_time", Kind::Distribution, "How long a worker is busy with a request; latency comes on top."),
        key("queue", Kind::Table(&QUEUE), "Where requests wait for a worker."),
        key(
            "shed",
            Kind::WordOr("silent", &SHED),
            "What a request meets that is not taken: an answer, or \"silent\" for none. Default 503.",
        ),
        key(
            "abandoned",
            Kind::Words(abandoned),
            "What happens to a request whose caller has gone. Default keep_working.",
        ),
    ],
};

pub(crate) static QUEUE: Table = Table {
    name: "service.capacity.queue",
    doc: "Where requests wait for a worker.",
    rule: Rule::Any,
    keys: &[
        key("length", Kind::CountOrUnbounded, "How many may wait, or \"unbounded\". Default 1000."),
        key("order", Kind::Words(orders), "Who is next. Default fifo."),
        key("max_wait", Kind::Distribution, "Who has waited longer is shed. Default: for ever."),
    ],
};

pub(crate) static SHED: Table = Table {
    name: "service.capacity.shed",
    doc: "The answer to a request that is not taken.",
    rule: Rule::Any,
    keys: &[
        key("status", Kind::Status, "Its status. Default 503."),
        key("retry_after", Kind::Duration, "Its Retry-After. Default none."),
    ],
};

pub(crate) static LIMIT: Table = Table {
    name: "service.rate_limit",
    doc: "A limit: one kind of it, for whom it holds, and what a request meets that is too much.",
    rule: Rule::Any,
    keys: &[
        key("name", Kind::Name, "Shown in results and headers. Default: its kind."),
        key("token_bucket", Kind::Table(&TOKEN_BUCKET), "So many at once, and so many a second in the long run."),
        key("fixed_window", Kind::Table(&FIXED_WINDOW), "So many in each window of the clock."),
        key("sliding_window", Kind::Table(&SLIDING_WINDOW), "So many in any stretch of so long."),
        key("concurrency", Kind::Count32(1), "So many requests under way."),
        key("slope", Kind::Table(&SLOPE), "No faster growth than this."),
        key(
            "key",
            Kind::LimitKey,
            "Who shares one allowance: global, route, client, address or \"header:NAME\". Default global.",
        ),
        key("match", Kind::Pattern, "Which requests it counts, as in a route. Default: all."),
        key("cost", Kind::Cost, "How many units a request takes, or how that is distributed. Default 1."),
        key("costs", Kind::List(&Kind::Table(&COST)), "What some requests cost; the first match counts."),
        key("status", Kind::Status, "The status of a refusal. Default 429."),
        key(
            "body",
            Kind::Text,
            "Its body, JSON where it begins like that. Default {\"message\": \"Too Many Requests\"}.",
        ),
        key(
            "retry_after",
            Kind::WordOrDuration(waits),
            "When it says to come back: honest, none, until_phase_end, or a duration, true or not. Default honest.",
        ),
        key("retry_after_form", Kind::Words(forms), "How it says so. Default seconds."),
        key("headers", Kind::Words(quota_fields), "What every answer tells of what is left. Default none."),
    ],
};

pub(crate) static TOKEN_BUCKET: Table = Table {
    name: "service.rate_limit.token_bucket",
    doc: "A bucket that is full at first and refilled all the time.",
    rule: Rule::Required(&["rate", "burst"]),
    keys: &[
        key("rate", Kind::Rate, "How fast it is refilled, as \"100/s\", to the thousandth."),
        key("burst", Kind::Units, "The most it holds."),
    ],
};

pub(crate) static FIXED_WINDOW: Table = Table {
    name: "service.rate_limit.fixed_window",
    doc: "A count for each window; windows follow each other from the start of the run.",
    rule: Rule::Required(&["count", "window"]),
    keys: &[key("count", Kind::Units, "How many."), key("window", Kind::Duration, "In how long.")],
};

pub(crate) static SLIDING_WINDOW: Table = Table {
    name: "service.rate_limit.sliding_window",
    doc: "A count for any stretch of time of this length.",
    rule: Rule::Required(&["count", "window"]),
    keys: &[key("count", Kind::Units, "How many."), key("window", Kind::Duration, "In how long.")],
};

pub(crate) static SLOPE: Table = Table {
    name: "service.rate_limit.slope",
    doc: "In each window at most so many times what was let in in the one before.",
    rule: Rule::Required(&["factor", "window", "min"]),
    keys: &[
        key("factor", Kind::Units, "How many times."),
        key("window", Kind::Duration, "How long a window is."),
        key("min", Kind::Units, "What is let in in any case."),
    ],
};

pub(crate) static COST: Table = Table {
    name: "service.rate_limit.costs",
    doc: "What some requests cost.",
    rule: Rule::Required(&["match", "cost"]),
    keys: &[key("match", Kind::Pattern, "Which, as in a route."), key("cost", Kind::Cost, "How many units.")],
};

pub(crate) static ROUTE: Table = Table {
    name: "service.routes",
    doc: "What is different for some requests.",
    rule: Rule::Required(&["match"]),
    keys: &[
        key("match", Kind::Pattern, "A method (or none for any) and a path, as \"POST /payments/{id}\"."),
        key("latency", Kind::Distribution, "In place of the service's."),
        key("outcomes", Kind::Table(&OUTCOMES), "In place of the service's."),
        key("effect", Kind::NameOr(&EFFECT), "In place of the service's; \"none\" for none."),
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
        key("every", Kind::Duration, "How long after its start it comes again. Default: it comes once."),
        key("random", Kind::Table(&RANDOM), "How it comes by chance, in place of `for`, `until` and `every`."),
        key("times", Kind::Count32(1), "How often it comes at the most, where it comes again."),
        key("outcomes", Kind::Table(&OUTCOMES), "In place of every other."),
        key("latency", Kind::Distribution, "In place of every other."),
        key("capacity", Kind::Multiple, "What the workers are multiplied by; 0 stops the service."),
        key("slowdown", Kind::Multiple, "What latency and service time are multiplied by."),
        key("load", Kind::Multiple, "What the rate of open arrivals is multiplied by."),
        key("intake", Kind::Probability, "The share of requests that is let in; the others meet a 503 at once."),
        key("cache_lost", Kind::Count32(1), "How many nodes of the cache are emptied when it begins."),
        key("refuse", Kind::Bool, "Whether its port refuses connections while it is wholly on. Default false."),
        key("bursts", Kind::Table(&BURSTS), "When it holds within its time. Default: all the time."),
        key("replica", Kind::Count32(1), "Which replica it befalls, from 1. Default: all."),
        key("replicas", Kind::List(&Kind::Count32(1)), "Which replicas it befalls, where they are several."),
        key("service", Kind::Name, "Which of the services behind it is of. Default: the one that clients call."),
        key("ramp_up", Kind::Duration, "How long it takes to be wholly on. Default: no time."),
        key("ramp_down", Kind::Duration, "How long before its end it begins to go. Default: no time."),
    ],
};

pub(crate) static LIVE_PHASE: Table = Table {
    name: "change",
    doc: "A phase that is begun while a service runs, and ends by itself; it wins over those of the file.",
    rule: Rule::Required(&["for"]),
    keys: &[
        key("name", Kind::Name, "Shown in results and in the decision header. Default live."),
        key("for", Kind::Duration, "How long it lasts, a day at the most."),
        key("outcomes", Kind::Table(&OUTCOMES), "In place of every other."),
        key("latency", Kind::Distribution, "In place of every other."),
        key("capacity", Kind::Multiple, "What the workers are multiplied by; 0 stops the service."),
        key("slowdown", Kind::Multiple, "What latency and service time are multiplied by."),
        key("intake", Kind::Probability, "The share of requests that is let in; the others meet a 503 at once."),
        key("refuse", Kind::Bool, "Whether its port refuses connections while it is wholly on. Default false."),
        key("service", Kind::Name, "Which of the services behind it is of. Default: the one that clients call."),
        key("ramp_up", Kind::Duration, "How long it takes to be wholly on. Default: no time."),
        key("ramp_down", Kind::Duration, "How long before its end it begins to go. Default: no time."),
        key("replica", Kind::Count32(1), "Which replica it befalls, from 1. Default: all."),
        key("replicas", Kind::List(&Kind::Count32(1)), "Which replicas it befalls, where they are several."),
    ],
};

pub(crate) static BURSTS: Table = Table {
    name: "phases.bursts",
    doc: "How a phase holds in bursts, while a process of two states is in the bad one: drawn from the seed, the same in every run of it.",
    rule: Rule::Required(&["between", "last"]),
    keys: &[
        key(
            "between",
            Kind::Distribution,
            "From the end of one to the start of the next, and until the first; without memory, it is exponential.",
        ),
        key("last", Kind::Distribution, "From its start to its end; without memory, it is exponential."),
    ],
};

pub(crate) static RANDOM: Table = Table {
    name: "phases.random",
    doc: "How a phase comes by chance, from `from` on: drawn from the seed, the same in every run of it.",
    rule: Rule::Required(&["between", "last"]),
    keys: &[
        key(
            "between",
            Kind::Distribution,
            "From its end to its next start; a mean time between failures is exponential.",
        ),
        key("last", Kind::Distribution, "From its start to its end; a mean time to repair is exponential."),
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
        key("connection_reset", Kind::ProbabilityOr(&CONNECTION_RESET), "An RST, before the answer or within it."),
        key("empty_response", Kind::Probability, "A FIN in place of an answer."),
        key("malformed_chunk", Kind::Probability, "A head that announces chunks, bytes that are none, and a FIN."),
        key("garbage_then_close", Kind::Probability, "Bytes that are no HTTP, and a FIN."),
        key("truncate", Kind::ProbabilityOr(&TRUNCATE), "Less of the body than the head promised, and a FIN."),
        key("dribble", Kind::ProbabilityOr(&DRIBBLE), "200, its body a few bytes at a time."),
        key("bandwidth", Kind::ProbabilityOr(&BANDWIDTH), "200, its body so many bytes a second."),
        key("hang", Kind::ProbabilityOr(&HANG), "No answer, and a FIN only after long."),
        key("slow_close", Kind::ProbabilityOr(&SLOW_CLOSE), "200 at once, and a FIN only after long."),
        key("lost_reply", Kind::ProbabilityOr(&LOST_REPLY), "The work is done, and the answer is lost."),
        key("stream_break", Kind::ProbabilityOr(&STREAM_BREAK), "200 and a stream of events that breaks on its way."),
        key("status", Kind::List(&Kind::Table(&STATUS)), "Answers in the file's own words."),
        key("rst_stream", Kind::ProbabilityOr(&RST_STREAM), "The end of one stream of HTTP/2; over HTTP/1.1 an RST."),
        key("goaway", Kind::ProbabilityOr(&GOAWAY), "GOAWAY: nothing was done; over HTTP/1.1 a FIN and no answer."),
        key(
            "refused_stream",
            Kind::Probability,
            "REFUSED_STREAM: nothing was done; over HTTP/1.1 a FIN and no answer.",
        ),
        key("CONNECTION_RESET_BY_PEER", Kind::ProbabilityOr(&CONNECTION_RESET), "WireMock's name of connection_reset."),
        key("EMPTY_RESPONSE", Kind::Probability, "WireMock's name of empty_response."),
        key("MALFORMED_RESPONSE_CHUNK", Kind::Probability, "WireMock's name of malformed_chunk."),
        key("RANDOM_DATA_THEN_CLOSE", Kind::Probability, "WireMock's name of garbage_then_close."),
    ],
};

const RATE: Key = key("rate", Kind::Probability, "How often it comes.");

pub(crate) static CONNECTION_RESET: Table = Table {
    name: "connection_reset",
    doc: "An RST.",
    rule: Rule::Required(&["rate"]),
    keys: &[
        RATE,
        key(
            "at",
            Kind::WordOrSize(points),
            "Where: start, head (in the middle of the headers), or after so much of the body. Default start.",
        ),
    ],
};

pub(crate) static TRUNCATE: Table = Table {
    name: "truncate",
    doc: "Less of the body than the head promised.",
    rule: Rule::Required(&["rate"]),
    keys: &[RATE, key("bytes", Kind::Size, "How much of the body comes. Default: half.")],
};

pub(crate) static DRIBBLE: Table = Table {
    name: "dribble",
    doc: "A body that comes a few bytes at a time.",
    rule: Rule::Required(&["rate"]),
    keys: &[
        RATE,
        key("bytes", Kind::Size, "How much comes at a time. Default 16."),
        key("every", Kind::Duration, "How often. Default 100ms."),
        key("size", Kind::Size, "How large the body is, from 32 bytes to 1MiB. Default 256."),
    ],
};

pub(crate) static BANDWIDTH: Table = Table {
    name: "bandwidth",
    doc: "A body that comes evenly.",
    rule: Rule::Required(&["rate"]),
    keys: &[
        RATE,
        key("speed", Kind::Speed, "How fast, as \"64KiB/s\". Default 16KiB/s."),
        key("size", Kind::Size, "How large the body is, from 32 bytes to 1MiB. Default 16KiB."),
    ],
};

pub(crate) static HANG: Table = Table {
    name: "hang",
    doc: "No answer.",
    rule: Rule::Required(&["rate"]),
    keys: &[RATE, key("for", Kind::Duration, "How long until the FIN, from 1ms to 1h. Default 5m.")],
};

pub(crate) static SLOW_CLOSE: Table = Table {
    name: "slow_close",
    doc: "A connection that stays after its answer.",
    rule: Rule::Required(&["rate"]),
    keys: &[RATE, key("for", Kind::Duration, "How long until the FIN, from 1ms to 1h. Default 5s.")],
};

pub(crate) static LOST_REPLY: Table = Table {
    name: "lost_reply",
    doc: "Work without an answer.",
    rule: Rule::Required(&["rate"]),
    keys: &[
        RATE,
        key("then", Kind::Words(losses), "What comes in place of the answer. Default reset."),
        key("for", Kind::Duration, "How long until the FIN of a hang, from 1ms to 1h. Default 5m."),
    ],
};

pub(crate) static STREAM_BREAK: Table = Table {
    name: "stream_break",
    doc: "A stream of events that breaks.",
    rule: Rule::Required(&["rate"]),
    keys: &[
        RATE,
        key("events", Kind::Count32(0), "How many come, 10,000 at the most. Default 3."),
        key("every", Kind::Duration, "How long each is waited for, but the first. Default 100ms."),
        key("then", Kind::Words(breaks), "What comes in place of the next. Default close, a FIN."),
    ],
};

pub(crate) static STATUS: Table = Table {
    name: "status",
    doc: "An answer in the file's own words.",
    rule: Rule::Required(&["rate", "code"]),
    keys: &[
        RATE,
        key("code", Kind::Code, "Its status, from 200 to 599."),
        key("body", Kind::Text, "Its body, JSON where it begins like that. Default: none."),
        key("headers", Kind::Headers, "Its headers, by name. Default: none but the type of the body."),
    ],
};

pub(crate) static RST_STREAM: Table = Table {
    name: "rst_stream",
    doc: "The end of one stream of HTTP/2.",
    rule: Rule::Required(&["rate"]),
    keys: &[
        RATE,
        key("code", Kind::Words(codes), "Its error code, by its name in RFC 9113. Default INTERNAL_ERROR."),
        key(
            "at",
            Kind::WordOrSize(points),
            "Where: start, head (behind the headers), or after so much of the body. Default start.",
        ),
    ],
};

pub(crate) static GOAWAY: Table = Table {
    name: "goaway",
    doc: "The end of a connection of HTTP/2.",
    rule: Rule::Required(&["rate"]),
    keys: &[RATE, key("code", Kind::Words(codes), "Its error code, by its name in RFC 9113. Default NO_ERROR.")],
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

// What a load says of its clients, whether they are all there are or a cohort.
const CLIENTS: Key = key("clients", Kind::Clients, "Whose calls they are; each has its own policy memory. Default 1.");
const PROCESSES: Key = key("processes", Kind::Clients, "Over how many processes the clients are spread. Default 1.");
const CONNECT_DELAY: Key =
    key("connect_delay", Kind::Distribution, "How long an attempt is on its way to the service. Default: no time.");
const RETURNS: Key =
    key("after_give_up", Kind::Table(&AFTER_GIVE_UP), "What becomes of a call that failed. Default: it is lost.");

pub(crate) static LOAD: Table = Table {
    name: "load",
    doc: "When calls start.",
    rule: Rule::Any,
    keys: &[
        key("count", Kind::Count(0), "How many calls at the most. Default 100, or no bound where there is a duration."),
        key("duration", Kind::Duration, "Calls start before this. Default: no bound."),
        key(
            "request",
            Kind::RequestOr(&REQUEST),
            "What every call asks for, as \"POST /orders\", or with what it carries. Default \"GET /\".",
        ),
        key("body", Kind::Text, "What every call sends behind the head of its request. Default: nothing."),
        key(
            "requests",
            Kind::List(&Kind::Table(&KIND_OF_REQUEST)),
            "What calls ask for where they differ, each drawn for each call by weight; instead of request and body.",
        ),
        key(
            "success",
            Kind::List(&Kind::Succeeding),
            "Which answers are a success: statuses, classes, ranges; all others are failures. Default [\"1xx\", \"2xx\", \"3xx\"].",
        ),
        key("values", Kind::Named(&Kind::Values), "What names in braces in requests stand for, drawn for each call."),
        key("arrivals", Kind::Table(&ARRIVALS), "When calls start. Default: one client, one call after another."),
        CLIENTS,
        PROCESSES,
        CONNECT_DELAY,
        RETURNS,
        key(
            "cohorts",
            Kind::Named(&Kind::Table(&COHORT)),
            "Populations of different clients, by name, each told apart; instead of all other keys but duration, success and those of requests.",
        ),
    ],
};

pub(crate) static REQUEST: Table = Table {
    name: "load.request",
    doc: "What every call asks for, and what it carries.",
    rule: Rule::Any,
    keys: &[
        key("method", Kind::Method, "A method. Default GET."),
        key("path", Kind::Path, "A path. Default \"/\"."),
        key("headers", Kind::Headers, "Headers that all requests have, by name. Default: none."),
        key(
            "idempotency_key",
            Kind::Bool,
            "Whether each call has an Idempotency-Key of its own, the same on all its attempts. Default false.",
        ),
    ],
};

pub(crate) static KIND_OF_REQUEST: Table = Table {
    name: "load.requests",
    doc: "One of the requests that calls draw.",
    rule: Rule::Required(&["request"]),
    keys: &[
        key("weight", Kind::Weight, "How often, in proportion to the other weights. Default 1."),
        key("request", Kind::Request, "What it asks for, as \"GET /users/{user}\"."),
        key("headers", Kind::Headers, "Its headers, by name. Default: none."),
        key("body", Kind::Text, "What is sent behind its head. Default: nothing."),
        key(
            "idempotency_key",
            Kind::Bool,
            "Whether each call has an Idempotency-Key of its own, the same on all its attempts. Default false.",
        ),
    ],
};

pub(crate) static RANGE: Table = Table {
    name: "a range of load.values",
    doc: "Whole numbers, all equally often.",
    rule: Rule::Required(&["from", "to"]),
    keys: &[key("from", Kind::Count(0), "The first."), key("to", Kind::Count(0), "The last.")],
};

pub(crate) static COHORT: Table = Table {
    name: "load.cohorts",
    doc: "A population of clients beside others.",
    rule: Rule::Required(&["arrivals"]),
    keys: &[
        key("arrivals", Kind::Table(&ARRIVALS), "When its calls start."),
        key(
            "count",
            Kind::Count(0),
            "How many calls at the most. Default 100, or no bound where the load has a duration.",
        ),
        CLIENTS,
        PROCESSES,
        CONNECT_DELAY,
        RETURNS,
        key(
            "policy",
            Kind::PolicyByName(&POLICY),
            "What its clients do after a failure; also one of the file's policies, by name. Default: the file's policy.",
        ),
    ],
};

pub(crate) static ARRIVALS: Table = Table {
    name: "load.arrivals",
    doc: "The shape of the load.",
    rule: Rule::One,
    keys: &[
        key("closed", Kind::Table(&CLOSED), "Clients that wait for their answer before they call again."),
        key(
            "constant",
            Kind::RateOrList(&SEGMENT),
            "Calls at equal distances, whatever becomes of them, as \"200/s\" or at a rate that changes.",
        ),
        key(
            "poisson",
            Kind::RateOrList(&SEGMENT),
            "Calls without memory, whatever becomes of them, as \"200/s\" or at a rate that changes.",
        ),
        key("burst", Kind::Table(&BURST), "Calls that come together, again and again."),
        key("replay", Kind::Table(&REPLAY), "Calls at the moments that a file lists."),
    ],
};

pub(crate) static SEGMENT: Table = Table {
    name: "a segment of load.arrivals",
    doc: "A level of the rate, or a ramp.",
    rule: Rule::Any,
    keys: &[
        key("rate", Kind::RateOrZero, "Of a level; 0 is a pause."),
        key("from", Kind::RateOrZero, "Of a ramp, where it begins."),
        key("to", Kind::RateOrZero, "Of a ramp, where it ends."),
        key("for", Kind::Duration, "How long it lasts. Default of a level that is the last: until the load is over."),
    ],
};

pub(crate) static BURST: Table = Table {
    name: "load.arrivals.burst",
    doc: "Calls that come together, the first of them at the beginning.",
    rule: Rule::Required(&["calls", "every"]),
    keys: &[
        key("calls", Kind::Count32(1), "How many at a time."),
        key("every", Kind::Duration, "From the start of one burst to that of the next."),
        key("spread", Kind::Duration, "Over how long they come, evenly. Default: all at one instant."),
    ],
};

pub(crate) static REPLAY: Table = Table {
    name: "load.arrivals.replay",
    doc: "Calls at the moments that a file lists.",
    rule: Rule::Required(&["file"]),
    keys: &[
        key("file", Kind::Text, "Its path, from the scenario's own folder: a moment a line."),
        key("speed", Kind::Quickness, "How many times as fast they pass. Default 1."),
    ],
};

pub(crate) static AFTER_GIVE_UP: Table = Table {
    name: "load.after_give_up",
    doc: "What becomes of a call that failed, where arrivals are open.",
    rule: Rule::One,
    keys: &[
        key("come_back", Kind::Distribution, "The client makes it again after so long, again and again."),
        key("queue", Kind::Distribution, "The client keeps it and makes it again after so long, one at a time."),
    ],
};

pub(crate) static CLOSED: Table = Table {
    name: "load.arrivals.closed",
    doc: "Clients that wait for their answer before they call again.",
    rule: Rule::Any,
    keys: &[
        key("clients", Kind::Clients, "How many; the same as load.clients. Default 1."),
        key("think", Kind::Distribution, "How long each pauses between two calls. Default: not at all."),
        key(
            "start",
            Kind::Distribution,
            "How long after the beginning each makes its first call. Default: all begin at once.",
        ),
    ],
};

pub(crate) static POLICY: Table = Table {
    name: "policy",
    doc: "What a caller does after a failure.",
    rule: Rule::Any,
    keys: &[
        key("preset", Kind::Preset, "The defaults of a real client, which the other keys change."),
        key("max_retries", Kind::CountOrUnbounded, "Retries after the first try, or \"unbounded\". Default 3."),
        key("backoff", Kind::Words(growths), "How the delay grows. Default exponential."),
        key("base_delay", Kind::Duration, "The first delay. Default 100 ms."),
        key("throttling_base_delay", Kind::Duration, "The first delay after a 429. Default as after any failure."),
        key("factor", Kind::Factor, "The growth of an exponential delay from one retry to the next. Default 2."),
        key("delays", Kind::List(&Kind::Duration), "These delays in order, the last repeated, in place of a formula."),
        key(
            "max_delay",
            Kind::Duration,
            "No backoff waits longer, jitter included. Default 60 s, or the longest delay asked for.",
        ),
        key("jitter", Kind::Words(jitters), "Chance in the delay. Default none."),
        key(
            "jitter_ratio",
            Kind::Probability,
            "How far proportional (default 0.2) and subtractive (0.25) jitter reach.",
        ),
        key("jitter_width", Kind::Duration, "How far additive jitter reaches. Default: as far as the delay is long."),
        key("deadline", Kind::Duration, "Of the whole call, work time and waits included. Default none."),
        key("attempt_timeout", Kind::Duration, "Of each attempt. Default none."),
        key(
            "retry_after",
            Kind::BoolOr(pushbacks),
            "What the service's Retry-After does; true is at_least, false ignore. Default at_least.",
        ),
        key("retry_after_max", Kind::Duration, "The longest Retry-After that is waited out. Default 300 s."),
        key("retry_after_over", Kind::Words(too_long), "What a longer one does. Default stop."),
        key(
            "retry_on",
            Kind::List(&Kind::Retryable),
            "What is retried: statuses, classes, ranges, names of broken exchanges. Default [\"429\", \"5xx\", \"transport\"].",
        ),
        key("budget", Kind::Table(&BUDGET), "What all calls together may add in retries. Default: without bound."),
        key("breaker", Kind::Table(&BREAKER), "When to stop asking a service that fails. Default: never."),
        key("throttle", Kind::Table(&THROTTLE), "When to send less to a service that refuses. Default: never."),
        key("adaptive", Kind::Table(&ADAPTIVE), "Attempts spaced out after a 429, as the AWS SDKs do. Default: no."),
        key("concurrency", Kind::Table(&CONCURRENCY), "How many attempts may be in flight. Default: without bound."),
        key("hedge", Kind::Table(&HEDGE), "When to send a second copy beside the first. Default: never."),
    ],
};

const SCOPE: Key = key("scope", Kind::Words(scopes), "Who shares one: client, process or fleet. Default client.");
const COUNTS: Key = key("counts", Kind::List(&Kind::Retryable), "Which failures count. Default: all.");

pub(crate) static BUDGET: Table = Table {
    name: "policy.budget",
    doc: "A retry budget: one kind of it, and who shares it.",
    rule: Rule::Any,
    keys: &[
        key("ratio", Kind::Number, "Retries for each call of the last `ttl`: Finagle, Linkerd. Default 0.2."),
        key("min_per_second", Kind::Count32(0), "Retries a second beside that. Default 10."),
        key("ttl", Kind::Duration, "How long calls count. Default 10 s."),
        key("tokens", Kind::Table(&TOKENS), "A bucket of tokens."),
        key("grpc", Kind::Table(&GRPC), "gRPC's retry throttling."),
        key("aws", Kind::Table(&AWS), "The quota of the AWS SDKs."),
        key("concurrent", Kind::Table(&CONCURRENT), "A share of the attempts in flight: Envoy."),
        key("interval", Kind::Table(&INTERVAL), "A share of the calls of an interval: Gateway API."),
        SCOPE,
        COUNTS,
    ],
};

pub(crate) static TOKENS: Table = Table {
    name: "policy.budget.tokens",
    doc: "A bucket of tokens; a retry takes some.",
    rule: Rule::Required(&["capacity", "deposit"]),
    keys: &[
        key("capacity", Kind::Number, "The most tokens kept."),
        key("deposit", Kind::Number, "Tokens earned at a time."),
        key("deposit_on", Kind::Words(deposits), "By what: success or call. Default success."),
        key("cost", Kind::Number, "Tokens a retry takes. Default 1."),
        key("initial", Kind::Number, "Tokens at the start. Default: full."),
    ],
};

pub(crate) static GRPC: Table = Table {
    name: "policy.budget.grpc",
    doc: "A failure that counts takes one token, a success brings some; a retry needs more than half of them.",
    rule: Rule::Required(&["max_tokens", "token_ratio"]),
    keys: &[
        key("max_tokens", Kind::Count32(1), "The most tokens kept, and those at the start; at most 1000."),
        key("token_ratio", Kind::Number, "Tokens a success brings."),
    ],
};

pub(crate) static AWS: Table = Table {
    name: "policy.budget.aws",
    doc: "A quota that retries take from and successes pay back.",
    rule: Rule::Any,
    keys: &[
        key("capacity", Kind::Count32(1), "The quota. Default 500."),
        key("retry_cost", Kind::Count32(1), "Of a retry. Default 14."),
        key("timeout_cost", Kind::Count32(1), "Of a retry after a timeout. Default 14."),
        key("throttling_cost", Kind::Count32(1), "Of a retry after a 429. Default 5."),
    ],
};

pub(crate) static CONCURRENT: Table = Table {
    name: "policy.budget.concurrent",
    doc: "Retries under way, as a share of the attempts in flight.",
    rule: Rule::Any,
    keys: &[
        key("ratio", Kind::Probability, "The share. Default 20 %."),
        key("min", Kind::Count32(0), "So many in any case. Default 3."),
    ],
};

pub(crate) static INTERVAL: Table = Table {
    name: "policy.budget.interval",
    doc: "Retries in an interval, as a share of the calls in it.",
    rule: Rule::Any,
    keys: &[
        key("ratio", Kind::Probability, "The share. Default 20 %."),
        key("interval", Kind::Duration, "The interval. Default 10 s."),
        key("min_retries", Kind::Count32(0), "So many in each `min_interval` in any case. Default 10."),
        key("min_interval", Kind::Duration, "Default 1 s."),
    ],
};

pub(crate) static BREAKER: Table = Table {
    name: "policy.breaker",
    doc: "A circuit breaker: when it opens, for how long, and what closes it again.",
    rule: Rule::Required(&["open_for"]),
    keys: &[
        key("consecutive", Kind::Count32(1), "Opens after so many failures in a row."),
        key("failure_ratio", Kind::Probability, "Opens when so many of the last calls failed."),
        key("window", Kind::Duration, "Which are the last calls: those of this time."),
        key("window_calls", Kind::Count32(1), "Which are the last calls: so many."),
        key("min_calls", Kind::Count32(1), "With fewer calls to judge by it stays closed. Default 10."),
        key("open_for", Kind::Duration, "How long it refuses everything."),
        key("half_open_calls", Kind::Count32(1), "How many attempts then decide. Default 1."),
        SCOPE,
        COUNTS,
    ],
};

pub(crate) static THROTTLE: Table = Table {
    name: "policy.throttle",
    doc: "Client-side throttling of the SRE book.",
    rule: Rule::Any,
    keys: &[
        key("k", Kind::Number, "Requests sent for each that the service takes. Default 2."),
        key("window", Kind::Duration, "How long both are remembered. Default 2 min."),
        SCOPE,
        key(
            "counts",
            Kind::List(&Kind::Retryable),
            "Which failures are refusals. Default [\"429\", \"503\", \"transport\"].",
        ),
    ],
};

pub(crate) static ADAPTIVE: Table = Table {
    name: "policy.adaptive",
    doc: "The rate limiter of the AWS SDKs' adaptive mode.",
    rule: Rule::Any,
    keys: &[SCOPE],
};

pub(crate) static CONCURRENCY: Table = Table {
    name: "policy.concurrency",
    doc: "A limit of attempts in flight; one more is not sent, and ends its call.",
    rule: Rule::Required(&["limit"]),
    keys: &[key("limit", Kind::Count32(1), "How many."), SCOPE],
};

pub(crate) static HEDGE: Table = Table {
    name: "policy.hedge",
    doc: "A second copy of an attempt that takes long; the first success wins.",
    rule: Rule::Any,
    keys: &[
        key("after", Kind::Duration, "When it is sent."),
        key("quantile", Kind::Probability, "When it is sent: after what so many answers take, as far as is known."),
        key("initial", Kind::Duration, "What that is thought to be at first."),
        key("max", Kind::Count32(1), "How many copies of a whole call. Default 1."),
        SCOPE,
    ],
};

fn words<T>(names: &[(&'static str, T)]) -> Vec<&'static str> {
    names.iter().map(|(name, _)| *name).collect()
}

fn growths() -> Vec<&'static str> {
    words(&Growth::NAMES)
}

fn jitters() -> Vec<&'static str> {
    words(&JitterKind::NAMES)
}

fn pushbacks() -> Vec<&'static str> {
    words(&Pushback::NAMES)
}

fn too_long() -> Vec<&'static str> {
    words(&TooLong::NAMES)
}

fn scopes() -> Vec<&'static str> {
    words(&Scope::NAMES)
}

fn deposits() -> Vec<&'static str> {
    words(&DepositOn::NAMES)
}

fn orders() -> Vec<&'static str> {
    words(&Order::NAMES)
}

fn waits() -> Vec<&'static str> {
    words(&crate::decode::RETRY_AFTER_WORDS)
}

fn forms() -> Vec<&'static str> {
    words(&HintForm::NAMES)
}

fn quota_fields() -> Vec<&'static str> {
    words(&QuotaFields::NAMES)
}

fn points() -> Vec<&'static str> {
    words(&crate::decode::POINT_WORDS)
}

fn losses() -> Vec<&'static str> {
    words(&crate::decode::LOSS_WORDS)
}

fn breaks() -> Vec<&'static str> {
    words(&crate::decode::BREAK_WORDS)
}

fn codes() -> Vec<&'static str> {
    words(&ErrorCode::NAMES)
}

fn abandoned() -> Vec<&'static str> {
    words(&Abandoned::NAMES)
}

#[cfg(test)]
mod tests {
    use brownout_service::Outcome;

    /// The reader walks the outcomes, not the grammar: a new one must not be left out of the file.
    #[test]
    fn every_failure_has_its_key() {
        let keys: Vec<_> = super::OUTCOMES.keys.iter().map(|key| key.name).collect();
        let aliases = Outcome::ALIASES.into_iter().map(|(alias, _)| alias);
        assert_eq!(keys, Outcome::failures().map(Outcome::name).chain(aliases).collect::<Vec<_>>());
    }
}

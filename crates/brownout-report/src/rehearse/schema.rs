//! The JSON Schema of a rehearsal's report.

use brownout_lab::rehearse::Measure;
use serde_json::{Value, json};

use super::RehearseReport;
use crate::schema::{count, document, millis, millis_or_null, or_null, record};

/// The JSON Schema (2020-12) of a [`RehearseReport`]. Later versions may add fields.
#[must_use]
pub fn rehearse_report_schema() -> Value {
    let report = record(&json!({
        "schema": { "const": RehearseReport::SCHEMA },
        "seed": count("of the service; of several runs the first one's"),
        "scenario": { "type": "string", "description": "the file, preset:NAME, or built-in" },
        "scenario_digest": { "type": "string", "description": "a fingerprint of all that decides the runs, but for the seed" },
        "time": { "const": "real" },
        "version": { "type": "string", "description": "of brownout" },
        "command": { "type": "array", "items": { "type": "string" } },
        "runs": { "type": "array", "items": run(), "description": "run by run" },
        "summary": summary(),
    }));
    document("report of brownout rehearse", report)
}

fn run() -> Value {
    let end = record(&json!({
        "exit_code": { "type": ["integer", "null"], "description": "its own" },
        "signal": { "type": ["integer", "null"], "description": "that ended it" },
        "timed_out": { "type": "boolean", "description": "it was ended, since its time was up" },
    }));
    let grouping = record(&json!({
        "by": { "type": "object", "additionalProperties": { "type": "integer", "minimum": 1 }, "description": "how many requests were put together by what: a header, or likeness" },
        "why": { "type": "string", "description": "the same in words" },
        "doubts": { "type": "array", "items": { "type": "string" }, "description": "what speaks against it" },
    }));
    record(&json!({
        "seed": count("the luck of the service"),
        "command": end,
        "attempts": count("requests that the service saw"),
        "calls": count("calls that they were of"),
        "amplification": ratio("requests ÷ calls; null without a call"),
        "attempts_worst": count_or_null("of the call with the most; null where calls cannot be told apart"),
        "calls_failed": count_or_null("calls without a success; null where calls cannot be told apart"),
        "grouping": grouping,
        "backoff": backoff(),
        "layers": { "type": "array", "items": { "type": "integer", "minimum": 2 }, "description": "how often each layer of retries tries, the innermost first" },
        "retry_after": retry_after(),
        "effects": or_null(&effects()),
        "connections": count("that requests came over"),
        "peak": count("most requests at once"),
        "expectations": { "type": "array", "items": judged() },
        "attempts_omitted": count("attempts that are not in the list"),
        "list": { "type": "array", "items": call(), "description": "the calls in the order in which they began" },
    }))
}

fn call() -> Value {
    let answers = json!(["reset", "closed", "not_http", "silence", "left"]);
    let status = record(&json!({ "status": { "type": "integer", "minimum": 0, "maximum": 65535 } }));
    let attempt = record(&json!({
        "at_ms": millis("when it came, from the start of the command"),
        "ended_ms": millis_or_null("when its answer went out, or its client left; null where neither can be told"),
        "wait_ms": millis_or_null("from the end of the one before"),
        "wait_asked": { "type": "boolean", "description": "whether the service asked for that wait" },
        "answer": { "anyOf": [status, { "enum": answers }], "description": "what its client saw" },
        "retry_after_ms": millis_or_null("how long the answer asked it to stay away"),
        "retry_after": { "enum": ["honoured", "broken", "given_up", null], "description": "what became of that" },
        "done": { "type": ["boolean", "null"], "description": "whether what it asked for was done; null where that cannot be done twice" },
        "connection": count("which connection it came over"),
    }));
    record(&json!({
        "method": { "type": "string" },
        "path": { "type": "string", "description": "with the query" },
        "attempts": { "type": "array", "items": attempt },
    }))
}

/// A record a kind.
fn backoff() -> Value {
    let at_once = json!({ "type": "boolean", "description": "whether the first retry comes at once, before these" });
    let factor = json!({ "type": "number", "description": "by which the next wait is longer" });
    let kinds = json!([
        kind("no_retries", json!({})),
        kind("not_enough_data", json!({ "why": { "type": "string" } })),
        kind("at_once", json!({})),
        kind("fixed", json!({ "delay_ms": millis("how long") })),
        kind(
            "linear",
            json!({ "first_ms": millis("the first that is no retry at once"), "step_ms": { "type": "number" }, "first_at_once": at_once })
        ),
        kind(
            "exponential",
            json!({ "first_ms": millis("the first that is no retry at once"), "factor": factor, "cap_ms": millis_or_null("what they stop growing at"), "first_at_once": at_once })
        ),
        kind(
            "growing",
            json!({ "first_ms": millis("the first that is no retry at once"), "factor": factor, "first_at_once": at_once })
        ),
        kind(
            "jittered",
            json!({
                "like": { "enum": ["full", "equal", "proportional", null] },
                "low_ms": millis("the shortest wait before the retry with the most waits"),
                "high_ms": millis("the longest"),
                "waits": count("how many there are"),
                "factor": { "type": ["number", "null"], "description": "by which the next wait is longer on the mean" },
            })
        ),
    ]);
    json!({ "oneOf": kinds, "description": "the rule behind the waits" })
}

fn kind(name: &str, mut properties: Value) -> Value {
    properties["kind"] = json!({ "const": name });
    record(&properties)
}

fn retry_after() -> Value {
    record(&json!({
        "told": count("answers that asked to stay away"),
        "honoured": count("the next attempt came no sooner"),
        "broken": count("it came sooner"),
        "given_up": count("there was none"),
    }))
}

fn effects() -> Value {
    record(&json!({
        "done": count("how often something was done"),
        "duplicates": count("beyond the first time for one call"),
    }))
}

fn judged() -> Value {
    let measures = Measure::NAMES.map(|(name, _)| name);
    record(&json!({
        "measure": { "enum": measures },
        "relation": { "enum": ["<=", ">="] },
        "bound": { "type": "number" },
        "measured": { "type": ["number", "null"], "description": "null where there is no such number" },
        "outcome": outcome(),
    }))
}

fn outcome() -> Value {
    json!({ "enum": ["met", "missed", "not_enough_data"] })
}

fn summary() -> Value {
    record(&json!({
        "runs": count("how many"),
        "runs_exit_0": count("of these, those whose command ended well"),
        "attempts": count("requests in all of them"),
        "calls": count("calls that they were of"),
        "amplification": ratio("requests ÷ calls"),
        "amplification_min": ratio("of the run with the least"),
        "amplification_max": ratio("of the run with the most"),
        "attempts_worst": count_or_null("of the call with the most"),
        "backoff": backoff(),
        "retry_after": retry_after(),
        "effects": or_null(&effects()),
        "outcome": or_null(&outcome()),
        "runs_missed": count("runs that missed something"),
    }))
}

fn ratio(description: &str) -> Value {
    json!({ "type": ["number", "null"], "minimum": 0, "description": description })
}

fn count_or_null(description: &str) -> Value {
    json!({ "type": ["integer", "null"], "minimum": 0, "description": description })
}

#[cfg(test)]
mod tests {
    use super::rehearse_report_schema;
    use crate::RehearseReport;
    use crate::rehearse::tests::{MS, report, run, visit};
    use brownout_lab::rehearse::{Answer, Backoff, CommandEnd, Jitter, Lens, Visit, rehearse};
    use serde_json::Value;

    /// The schema, by which no record may have more than it names.
    fn strict(schema: &mut Value) {
        if let Some(object) = schema.as_object_mut() {
            if object.get("type").is_some_and(|kind| kind == "object") && object.contains_key("properties") {
                object.insert("additionalProperties".to_owned(), false.into());
            }
            object.values_mut().for_each(strict);
        } else if let Some(list) = schema.as_array_mut() {
            list.iter_mut().for_each(strict);
        }
    }

    #[track_caller]
    fn check(report: &RehearseReport) {
        let mut schema = rehearse_report_schema();
        strict(&mut schema);
        let value = serde_json::to_value(report).unwrap();
        if let Err(error) = jsonschema::validator_for(&schema).unwrap().validate(&value) {
            panic!("{error} at {}", error.instance_path());
        }
    }

    #[test]
    fn every_report_is_as_the_schema_says() {
        let ended = CommandEnd { signal: Some(9), ..CommandEnd::default() };
        check(&report(vec![run(1), rehearse(vec![], 2, ended, &Lens::default())]));
        let answers = [Answer::Reset, Answer::Closed, Answer::NotHttp, Answer::Silence, Answer::Left];
        let visits = answers.iter().zip(0..).map(|(answer, place)| visit(1000 * place, *answer)).collect();
        check(&report(vec![rehearse(visits, 1, ended, &Lens::default())]));
        let hung = Visit { until: None, done: None, ..visit(0, Answer::Silence) };
        let early = Visit { retry_after: Some(MS(500)), done: None, ..visit(100, Answer::Status(429)) };
        check(&report(vec![rehearse(vec![hung, early, visit(200, Answer::Status(503))], 1, ended, &Lens::default())]));
    }

    #[test]
    fn every_backoff_is_as_the_schema_says() {
        let (first_ms, first_at_once) = (100.0, false);
        let all = [
            Backoff::NoRetries,
            Backoff::NotEnoughData { why: "few".to_owned() },
            Backoff::AtOnce,
            Backoff::Fixed { delay_ms: 100.0 },
            Backoff::Linear { first_ms, step_ms: 50.0, first_at_once },
            Backoff::Exponential { first_ms, factor: 2.0, cap_ms: Some(400.0), first_at_once },
            Backoff::Growing { first_ms, factor: 2.0, first_at_once },
            Backoff::Jittered { like: Some(Jitter::Full), low_ms: 1.0, high_ms: 2.0, waits: 9, factor: None },
            Backoff::Jittered { like: None, low_ms: 1.0, high_ms: 2.0, waits: 9, factor: Some(1.5) },
        ];
        for backoff in all {
            let mut report = report(vec![run(1)]);
            report.summary.backoff = backoff;
            check(&report);
        }
    }

    #[test]
    fn other_reports_are_refused() {
        let schema = jsonschema::validator_for(&rehearse_report_schema()).unwrap();
        let whole = serde_json::to_value(report(vec![run(1)])).unwrap();
        for (place, wrong) in [
            ("/runs/0/backoff/kind", "luck".into()),
            ("/runs/0/list/0/attempts/0/answer", "late".into()),
            ("/summary/runs", Value::Null),
        ] {
            let mut other = whole.clone();
            *other.pointer_mut(place).unwrap() = wrong;
            assert!(!schema.is_valid(&other), "{place}");
        }
    }
}

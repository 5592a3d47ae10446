//! The JSON Schema of a run's report.

use serde_json::{Value, json};

use super::{Reason, RunReport};
use crate::schema::{count, document, millis, millis_or_null, record, text_or_null};

/// The JSON Schema (2020-12) of a [`RunReport`](super::RunReport). Later versions may add fields.
#[must_use]
pub fn run_report_schema() -> Value {
    let reasons: Vec<Value> = Reason::NAMES.iter().map(|(name, _)| json!(name)).chain([Value::Null]).collect();
    let attempt = record(&json!({
        "n": { "type": "integer", "minimum": 1, "description": "which attempt it is" },
        "start_ms": millis("since the run began"),
        "duration_ms": millis("how long it took"),
        "outcome": { "enum": ["success", "failed"] },
        "error": text_or_null("what went wrong"),
        "reason": { "enum": reasons, "description": "what makes it a failure" },
        "rule": text_or_null("the rule that names it, as it was given"),
        "exit_code": { "type": ["integer", "null"], "description": "the command's own" },
        "signal": { "type": ["integer", "null"], "minimum": 1, "description": "that ended the command" },
        "timed_out": { "type": "boolean", "description": "the runner ended it for taking too long" },
        "stderr_tail": text_or_null("the last 4 KiB that it wrote to standard error; what is no UTF-8 is replaced"),
        "retry_after_ms": millis_or_null("how long the command asked to stay away"),
        "delay_ms": millis_or_null("the wait after it; null after the last"),
        "delay_source": { "enum": ["backoff", "retry_after", null], "description": "where the wait comes from" },
        "delay_ms_min": millis_or_null("the shortest that the wait could have been by the policy's jitter"),
        "delay_ms_max": millis_or_null("the longest"),
    }));
    let report = record(&json!({
        "schema": { "const": RunReport::SCHEMA },
        "version": { "type": "string", "description": "of the program that ran it" },
        "status": { "enum": ["running", "success", "failed"] },
        "stop_reason": { "type": "string", "pattern": "^[a-z_]+$", "description": "why it ended: success, exhausted, stop_rule, …" },
        "exit_code": { "type": ["integer", "null"], "minimum": 0, "maximum": 255, "description": "of the whole; null while it runs" },
        "command": { "type": ["array", "null"], "items": { "type": "string" }, "description": "null for the built-in function" },
        "seed": { "type": "integer", "minimum": 0, "description": "of the jitter" },
        "started_unix_ms": { "type": ["integer", "null"], "minimum": 0, "description": "when it began" },
        "attempts_max": { "type": ["integer", "null"], "minimum": 1, "description": "the most that the policy makes; null without bound" },
        "attempts_total": count("attempts made"),
        "retries": count("of these, retries"),
        "elapsed_ms": millis("work and waits"),
        "total_delay_ms": millis("waits alone, as they were decided"),
        "last_error": text_or_null("of the last failed attempt"),
        "attempts_omitted": count("attempts that are not in the list, which has the first hundred and the last nine hundred"),
        "attempts": { "type": "array", "items": attempt },
    }));
    document("report of brownout run", report)
}

#[cfg(test)]
mod tests {
    use super::run_report_schema;
    use crate::run::tests::{done, failed_code, report, waited};
    use crate::{RunReport, RunStop};
    use brownout_policy::StopReason;
    use serde_json::Value;

    fn names(value: &Value) -> Vec<&String> {
        let mut names: Vec<_> = value.as_object().unwrap().keys().collect();
        names.sort();
        names
    }

    #[track_caller]
    fn check(report: &RunReport) {
        let (schema, value) = (run_report_schema(), serde_json::to_value(report).unwrap());
        let validator = jsonschema::validator_for(&schema).unwrap();
        if let Err(error) = validator.validate(&value) {
            panic!("{error} at {}", error.instance_path());
        }
        // Neither has a field that the other lacks.
        assert_eq!(names(&schema["properties"]), names(&value));
        let of_attempt = &schema["properties"]["attempts"]["items"]["properties"];
        assert!(
            report.attempts.iter().all(|attempt| names(of_attempt) == names(&serde_json::to_value(attempt).unwrap()))
        );
    }

    #[test]
    fn every_report_is_as_the_schema_says() {
        check(&report(vec![], RunStop::GaveUp(StopReason::DeadlineExceeded)));
        check(&report(vec![waited(1, 100), done(2)], RunStop::Success));
        check(&report(vec![waited(1, 100), failed_code(2, 7)], RunStop::Rule));
        check(&report(vec![failed_code(1, 7)], RunStop::Interrupted(15)));
        check(&RunReport::new(crate::run::tests::origin()));
    }

    #[test]
    fn other_reports_are_refused() {
        let schema = jsonschema::validator_for(&run_report_schema()).unwrap();
        let whole = serde_json::to_value(report(vec![failed_code(1, 7)], RunStop::Rule)).unwrap();
        for (place, wrong) in
            [("/status", "done".into()), ("/attempts/0/reason", "luck".into()), ("/exit_code", 256.into())]
        {
            let mut other = whole.clone();
            *other.pointer_mut(place).unwrap() = wrong;
            assert!(!schema.is_valid(&other), "{place}");
        }
    }
}

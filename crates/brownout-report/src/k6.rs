//! A result in the words of k6's summary, for what reads those.
//!
//! Source: the data of `handleSummary` of k6 2.2; times in milliseconds. Its HTTP request is an attempt here, and its iteration a call.
//! What is expected of the run stands as thresholds. What is not measured here (bytes, virtual users) is left out.

use brownout_load::{Latency, LoadResult, Measure, Met, Verdict};
use serde_json::{Map, Value, json};

use crate::LoadReport;

impl LoadReport {
    /// As the JSON summary of k6.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "ratios of counts")]
    pub fn k6(&self) -> Value {
        let LoadResult { latency_ms, attempts, calls, duration_s, .. } = &self.result;
        let counter = |count: u64| {
            let rate = if *duration_s > 0.0 { count as f64 / duration_s } else { 0.0 };
            json!({ "type": "counter", "contains": "default", "values": { "count": count, "rate": rate } })
        };
        // A rate of failures: what passes is a failure.
        let failed = attempts.total - attempts.succeeded.min(attempts.total);
        let share = if attempts.total > 0 { failed as f64 / attempts.total as f64 } else { 0.0 };
        let values = json!({ "rate": share, "passes": failed, "fails": attempts.succeeded });
        let mut metrics = Map::new();
        for (name, metric) in [
            ("http_reqs", counter(attempts.total)),
            ("http_req_duration", trend(&latency_ms.service)),
            ("http_req_failed", json!({ "type": "rate", "contains": "default", "values": values })),
            ("iterations", counter(calls.started)),
            ("iteration_duration", trend(&latency_ms.response)),
            ("dropped_iterations", counter(calls.unsent)),
        ] {
            metrics.insert(name.to_owned(), metric);
        }
        if let Some(verdict) = &self.verdict {
            thresholds(&mut metrics, verdict);
        }
        json!({
            "root_group": { "name": "", "path": "", "groups": [], "checks": [] },
            "state": { "isStdOutTTY": false, "isStdErrTTY": false, "testRunDurationMs": 1e3 * duration_s },
            "metrics": metrics,
        })
    }
}

fn trend(latency: &Latency) -> Value {
    json!({
        "type": "trend",
        "contains": "time",
        "values": {
            "avg": latency.mean,
            "min": latency.min,
            "med": latency.p50,
            "max": latency.max,
            "p(90)": latency.p90,
            "p(95)": latency.p95,
            "p(99)": latency.p99,
        },
    })
}

/// What is expected, beside what it is expected of. What cannot be told is not ok.
fn thresholds(metrics: &mut Map<String, Value>, verdict: &Verdict) {
    for judged in &verdict.expectations {
        let metric = match judged.expectation.measure {
            Measure::AttemptP50 | Measure::AttemptP99 => "http_req_duration",
            Measure::Amplification => "http_reqs",
            Measure::Unsent => "dropped_iterations",
            Measure::P50 | Measure::P90 | Measure::P95 | Measure::P99 | Measure::P999 => "iteration_duration",
            _ => "iterations",
        };
        metrics[metric]["thresholds"][judged.expectation.to_string()] = json!({ "ok": judged.outcome == Met::Met });
    }
}

#[cfg(test)]
mod tests {
    use crate::LoadReport;
    use crate::load::tests::report;
    use brownout_load::{Expectation, Expectations, Measure, Relation};
    use serde_json::Value;

    /// Twelve calls; eighteen attempts of 10 ms: nine 200s, six 503s, three timeouts, in 11.01 s.
    #[test]
    fn attempts_are_requests_calls_are_iterations_and_times_milliseconds() {
        let k6 = report().k6();
        let values = |metric: &str| k6["metrics"][metric]["values"].clone();
        assert_eq!(
            (values("http_reqs")["count"].as_u64(), values("iterations")["count"].as_u64()),
            (Some(18), Some(12))
        );
        let failed = values("http_req_failed");
        assert_eq!(failed["passes"].as_u64().unwrap() + failed["fails"].as_u64().unwrap(), 18);
        let close = |value: &Value, expected: f64| {
            assert!((value.as_f64().unwrap() / expected - 1.0).abs() < 2e-3, "{value} {expected}");
        };
        close(&failed["rate"], 0.5);
        close(&values("http_req_duration")["med"], 10.0);
        close(&values("http_reqs")["rate"], 18.0 / 11.01);
        close(&k6["state"]["testRunDurationMs"], 11_010.0);
        assert!(values("iteration_duration")["p(95)"].is_null(), "twelve calls carry no p95");
        assert_eq!(values("dropped_iterations")["count"], 0);
    }

    #[test]
    fn its_field_names_are_there() {
        let k6 = report().k6();
        let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
        assert_eq!(
            keys(&k6["metrics"]),
            "dropped_iterations http_req_duration http_req_failed http_reqs iteration_duration iterations"
        );
        assert_eq!(keys(&k6["metrics"]["http_req_duration"]["values"]), "avg max med min p(90) p(95) p(99)");
        assert_eq!(k6["metrics"]["http_req_duration"]["type"], "trend");
    }

    #[test]
    fn what_is_expected_is_a_threshold() {
        let at_most = |measure, bound| Expectation { measure, relation: Relation::AtMost, bound };
        let all = vec![at_most(Measure::P50, 1.0), at_most(Measure::Unsent, 0.0)];
        let k6 = LoadReport { expect: Expectations { all, missed: false }, ..report() }.judged().k6();
        assert_eq!(k6["metrics"]["iteration_duration"]["thresholds"]["p50 <= 1ms"]["ok"], false);
        assert_eq!(k6["metrics"]["dropped_iterations"]["thresholds"]["unsent <= 0"]["ok"], true);
    }
}

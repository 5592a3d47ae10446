//! A result in the words of vegeta's report, for what reads those.
//!
//! Source: the JSON of `vegeta report -type=json`, February 2026; times in nanoseconds. Its request is an attempt here, and its
//! status 0 one without an answer. When a run began by the clock on the wall is not kept: it begins in 1970. The wait for the last
//! answer is part of the duration. What is not measured here (bytes) is 0.

use serde_json::{Map, Value, json};

use crate::LoadReport;

impl LoadReport {
    /// As the JSON report of vegeta.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "ratios of counts")]
    pub fn vegeta(&self) -> Value {
        let result = &self.result;
        let latency = &result.latency_ms.service;
        let nanos = |millis: Option<f64>| whole(millis.unwrap_or_default() * 1e6);
        let requests = result.attempts.total;
        let well = result.attempts.succeeded;
        let broken: u64 = result.by_fault.values().sum();
        let per = |count: u64, whole: f64| if whole > 0.0 { count as f64 / whole } else { 0.0 };
        let mut statuses: Map<String, Value> =
            result.by_status.iter().map(|(status, count)| (status.to_string(), json!(count))).collect();
        if broken > 0 {
            statuses.insert("0".to_owned(), json!(broken));
        }
        let none = json!({ "total": 0, "mean": 0 });
        json!({
            "latencies": {
                "total": u64::try_from(latency.sum_ns).unwrap_or(u64::MAX),
                "mean": nanos(latency.mean),
                "50th": nanos(latency.p50),
                "90th": nanos(latency.p90),
                "95th": nanos(latency.p95),
                "99th": nanos(latency.p99),
                "max": latency.max_ns.unwrap_or_default(),
                "min": latency.min_ns.unwrap_or_default(),
            },
            "buckets": null,
            "bytes_in": none.clone(),
            "bytes_out": none,
            "earliest": EPOCH,
            "latest": EPOCH,
            "end": EPOCH,
            "duration": whole(result.duration_s * 1e9),
            "wait": 0,
            "requests": requests,
            "rate": per(requests, result.duration_s),
            "throughput": per(well, result.duration_s),
            "success": per(well, requests as f64),
            "status_codes": statuses,
            "errors": result.by_fault.keys().collect::<Vec<_>>(),
        })
    }
}

/// No moment is kept.
const EPOCH: &str = "1970-01-01T00:00:00Z";

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "nanoseconds, which saturate")]
const fn whole(nanos: f64) -> u64 {
    nanos.round() as u64
}

#[cfg(test)]
mod tests {
    use crate::load::tests::report;
    use serde_json::Value;

    /// Eighteen attempts of 10 ms: nine 200s, six 503s, three timeouts, in 11.01 s.
    #[test]
    fn every_attempt_is_a_request_and_times_are_nanoseconds() {
        let vegeta = report().vegeta();
        let codes = vegeta["status_codes"].as_object().unwrap();
        assert_eq!(codes.values().filter_map(Value::as_u64).sum::<u64>(), 18);
        assert_eq!((codes["0"].as_u64(), vegeta["requests"].as_u64()), (Some(3), Some(18)));
        let close = |value: &Value, expected: f64| {
            assert!((value.as_f64().unwrap() / expected - 1.0).abs() < 2e-3, "{value} {expected}");
        };
        close(&vegeta["success"], 0.5);
        close(&vegeta["latencies"]["50th"], 1e7);
        close(&vegeta["latencies"]["total"], 18e7);
        close(&vegeta["duration"], 11.01e9);
        close(&vegeta["rate"], 18.0 / 11.01);
        close(&vegeta["throughput"], 9.0 / 11.01);
        assert_eq!(vegeta["errors"], serde_json::json!(["timeout"]));
    }

    #[test]
    fn its_field_names_are_there() {
        let vegeta = report().vegeta();
        let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
        assert_eq!(
            keys(&vegeta),
            "buckets bytes_in bytes_out duration earliest end errors latencies latest rate requests status_codes success \
             throughput wait"
        );
        assert_eq!(keys(&vegeta["latencies"]), "50th 90th 95th 99th max mean min total");
    }
}

//! A result in the words of oha, for what reads those.
//!
//! Source: the JSON of oha 1.15; times in seconds. Its request is an attempt here, since it is what goes
//! over the wire, and its success is any answer, errors of the server among them. What is not measured here (bytes, lookups, first
//! bytes) is null.

use brownout_load::{Latency, LatencyHistogram, SeriesResult};
use serde_json::{Map, Value, json};

use crate::LoadReport;

/// Its percentiles.
const PERCENTILES: [(&str, f64); 9] = [
    ("p10", 0.1),
    ("p25", 0.25),
    ("p50", 0.5),
    ("p75", 0.75),
    ("p90", 0.9),
    ("p95", 0.95),
    ("p99", 0.99),
    ("p99.9", 0.999),
    ("p99.99", 0.9999),
];

/// How many buckets its histogram has.
const BUCKETS: u32 = 11;

impl LoadReport {
    /// As the JSON of oha.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "ratios of counts")]
    pub fn oha(&self) -> Value {
        let result = &self.result;
        let latency = &result.latency_ms.service;
        let histogram = latency.histogram().unwrap_or_default();
        let answered: u64 = result.by_status.values().sum();
        let attempts = result.attempts.total;
        let per = |count: u64, whole: f64| (whole > 0.0).then(|| count as f64 / whole);
        let (success, rate) = (per(answered, attempts as f64), per(attempts, result.duration_s));
        let seconds = |millis: Option<f64>| millis.map(|millis| millis / 1e3);
        let percentile =
            |(name, quantile): (&str, f64)| (name.to_owned(), json!(histogram.quantile(quantile).map(nanos)));
        let text = |(status, count): (&u16, &u64)| (status.to_string(), json!(count));
        let nothing = json!({ "average": null, "fastest": null, "slowest": null });
        json!({
            "summary": {
                "successRate": success,
                "total": result.duration_s,
                "slowest": seconds(latency.max),
                "fastest": seconds(latency.min),
                "average": seconds(latency.mean),
                "requestsPerSec": rate,
                "totalData": null,
                "sizePerRequest": null,
                "sizePerSec": null,
            },
            "responseTimeHistogram": buckets(&histogram, latency),
            "latencyPercentiles": PERCENTILES.map(percentile).into_iter().collect::<Map<_, _>>(),
            "firstByteHistogram": null,
            "firstBytePercentiles": null,
            "rps": rates(&result.per_interval),
            "details": { "DNSDialup": nothing.clone(), "DNSLookup": nothing.clone(), "firstByte": nothing },
            "statusCodeDistribution": result.by_status.iter().map(text).collect::<Map<_, _>>(),
            "errorDistribution": result.by_fault,
            "metrics": {
                "success_rate": success,
                "requests_per_sec": rate,
                "latency_ms": {
                    "min": latency.min,
                    "mean": latency.mean,
                    "p50": latency.p50,
                    "p95": latency.p95,
                    "p99": latency.p99,
                    "max": latency.max,
                },
            },
        })
    }
}

/// Seconds.
#[expect(clippy::cast_precision_loss, reason = "104 days of nanoseconds are exact in f64")]
fn nanos(nanos: u64) -> f64 {
    nanos as f64 / 1e9
}

/// Counts by the seconds that they do not exceed, in steps of equal width from the fastest to the slowest.
fn buckets(histogram: &LatencyHistogram, latency: &Latency) -> Value {
    let (Some(fastest), Some(slowest)) = (latency.min_ns, latency.max_ns) else { return json!({}) };
    let (fastest, slowest) = (nanos(fastest), nanos(slowest));
    let ends: Vec<f64> =
        (0..BUCKETS).map(|step| fastest + (slowest - fastest) * f64::from(step) / f64::from(BUCKETS - 1)).collect();
    let mut counts = vec![0_u64; ends.len()];
    for (value, count) in histogram.values() {
        // A value is shown as the highest of its bucket, which may lie a little beyond the slowest.
        let place = ends.iter().position(|end| nanos(value) <= *end).unwrap_or(ends.len() - 1);
        counts[place] += count;
    }
    let mut map = Map::new();
    for (end, count) in ends.iter().zip(counts) {
        // Where all took the same time there is one end.
        let known = map.get(&end.to_string()).and_then(Value::as_u64).unwrap_or_default();
        map.insert(end.to_string(), json!(known + count));
    }
    Value::Object(map)
}

/// Attempts a second, interval by interval; without the last, which is seldom whole.
#[expect(clippy::cast_precision_loss, reason = "counts for rates")]
fn rates(series: &SeriesResult) -> Value {
    let whole = series.attempts.iter().rposition(|attempts| *attempts > 0).unwrap_or_default();
    let mut rates: Vec<f64> =
        series.attempts[..whole].iter().map(|attempts| *attempts as f64 / series.interval_s as f64).collect();
    rates.sort_by(f64::total_cmp);
    let (Some(min), Some(max)) = (rates.first(), rates.last()) else { return Value::Null };
    let n = rates.len() as f64;
    let mean = rates.iter().sum::<f64>() / n;
    let deviation = (rates.iter().map(|rate| (rate - mean) * (rate - mean)).sum::<f64>() / n).sqrt();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "below the number of rates")]
    let percentile = |(name, quantile): (&str, f64)| {
        let place = ((quantile * n).ceil() as usize).clamp(1, rates.len()) - 1;
        (name.to_owned(), json!(rates[place]))
    };
    let percentiles = PERCENTILES.map(percentile).into_iter().collect::<Map<_, _>>();
    json!({ "mean": mean, "stddev": deviation, "max": max, "min": min, "percentiles": percentiles })
}

#[cfg(test)]
mod tests {
    use crate::load::tests::report;
    use serde_json::Value;

    fn sum(counts: &Value) -> u64 {
        counts.as_object().unwrap().values().map(|count| count.as_u64().unwrap()).sum()
    }

    /// Twelve calls, eighteen attempts of 10 ms: nine 200s, six 503s, three timeouts.
    #[test]
    fn every_attempt_is_a_request_and_times_are_seconds() {
        let oha = report().oha();
        assert_eq!(sum(&oha["statusCodeDistribution"]) + sum(&oha["errorDistribution"]), 18);
        assert_eq!(sum(&oha["responseTimeHistogram"]), 18);
        assert_eq!(oha["responseTimeHistogram"].as_object().unwrap().len(), 11);
        assert_eq!(
            (oha["statusCodeDistribution"]["503"].as_u64(), oha["errorDistribution"]["timeout"].as_u64()),
            (Some(6), Some(3))
        );
        let summary = &oha["summary"];
        let close = |value: &Value, expected: f64| {
            assert!((value.as_f64().unwrap() / expected - 1.0).abs() < 2e-3, "{value} {expected}");
        };
        close(&summary["successRate"], 15.0 / 18.0);
        close(&summary["average"], 0.01);
        close(&summary["total"], 11.01);
        close(&summary["requestsPerSec"], 18.0 / 11.01);
        close(&oha["latencyPercentiles"]["p50"], 0.01);
        close(&oha["metrics"]["latency_ms"]["p50"], 10.0);
        close(&oha["metrics"]["success_rate"], 15.0 / 18.0);
        assert!(oha["latencyPercentiles"]["p99.99"].is_null() && summary["totalData"].is_null());
    }

    #[test]
    fn its_field_names_are_there() {
        let oha = report().oha();
        let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ");
        assert_eq!(
            keys(&oha["summary"]),
            "average fastest requestsPerSec sizePerRequest sizePerSec slowest successRate total totalData"
        );
        assert_eq!(keys(&oha["latencyPercentiles"]), "p10 p25 p50 p75 p90 p95 p99 p99.9 p99.99");
        assert_eq!(keys(&oha["rps"]), "max mean min percentiles stddev");
        assert_eq!(keys(&oha["metrics"]["latency_ms"]), "max mean min p50 p95 p99");
        assert_eq!(keys(&oha["details"]), "DNSDialup DNSLookup firstByte");
    }
}

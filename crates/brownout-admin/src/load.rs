//! The counts of a load under way for Prometheus.
//!
//! Names follow those of Envoy where they count the same (`upstream_rq`, `upstream_rq_xx`, `upstream_rq_retry`,
//! `upstream_rq_retry_overflow`), with `brownout` before them: a request there is an attempt here.

use std::fmt;

use brownout_load::{LatencyHistogram, Snapshot};
use brownout_serve::TIMES_BOUNDS;
use hyper::StatusCode;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeGaugeValue, EncodeMetric, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use crate::api::{Answered, Failure, Reply};
use crate::metrics::CONTENT_TYPE;

/// What is answered at `path`; without a snapshot the load has not begun.
pub(crate) fn reply(path: &str, snapshot: Option<Snapshot>) -> Answered {
    if path != "/metrics" {
        let path: String = path.chars().take(256).collect();
        return Err(Failure::missing(format!("there is nothing at `{path}`; GET /metrics is all there is")));
    }
    let mut registry = Registry::with_prefix("brownout");
    if let Some(snapshot) = snapshot {
        registry.register_collector(Box::new(Scrape(snapshot)));
    }
    let mut body = String::new();
    encode(&mut body, &registry).expect("writing to a string cannot fail");
    Ok(Reply { status: StatusCode::OK, content_type: CONTENT_TYPE, content: body.into() })
}

/// What there is at one moment.
#[derive(Debug)]
struct Scrape(Snapshot);

/// The name of a metric, and what it is.
type Named = (&'static str, &'static str);

/// A value beside the one that its label has.
type Labelled = (String, u64);

fn counter(encoder: &mut DescriptorEncoder<'_>, (name, help): Named, value: u64) -> fmt::Result {
    ConstCounter::new(value).encode(encoder.encode_descriptor(name, help, None, MetricType::Counter)?)
}

fn counters(
    encoder: &mut DescriptorEncoder<'_>,
    (name, help): Named,
    label: &'static str,
    values: impl Iterator<Item = Labelled>,
) -> fmt::Result {
    let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
    for (own, value) in values {
        ConstCounter::new(value).encode(metric.encode_family(&[(label, own)])?)?;
    }
    Ok(())
}

fn gauge<V: EncodeGaugeValue>(encoder: &mut DescriptorEncoder<'_>, (name, help): Named, value: V) -> fmt::Result {
    ConstGauge::new(value).encode(encoder.encode_descriptor(name, help, None, MetricType::Gauge)?)
}

fn times(encoder: &mut DescriptorEncoder<'_>, (name, help): Named, times: &LatencyHistogram) -> fmt::Result {
    let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Histogram)?;
    let (buckets, sum) = (buckets(times), seconds(times.sum_ns()));
    metric.encode_histogram::<NoLabelSet>(sum, times.count(), &buckets, None)
}

/// How many lie up to each bound and above the one before; what shares a bucket of a thousandth with a bound lies above it.
#[expect(clippy::cast_precision_loss, reason = "bounds are small")]
fn buckets(times: &LatencyHistogram) -> Vec<(f64, u64)> {
    let mut counts = [0; TIMES_BOUNDS.len() + 1];
    for (highest, count) in times.values() {
        counts[TIMES_BOUNDS.partition_point(|micros| micros * 1000 < highest)] += count;
    }
    TIMES_BOUNDS.iter().map(|micros| *micros as f64 / 1e6).chain([f64::INFINITY]).zip(counts).collect()
}

#[expect(clippy::cast_precision_loss, reason = "a sum for graphs")]
fn seconds(nanos: u128) -> f64 {
    nanos as f64 / 1e9
}

impl Collector for Scrape {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let (Self(now), encoder) = (self, &mut encoder);
        let attempts = now.attempts;
        gauge(encoder, ("time_seconds", "The time of the run, in the scenario's seconds"), now.elapsed.as_secs_f64())?;
        counter(encoder, ("calls", "Calls that were begun"), now.begun)?;
        let ends = [("succeeded", now.succeeded), ("failed", now.failed())].map(|(end, count)| (end.to_owned(), count));
        counters(encoder, ("calls_ended", "Calls that are over, by how they ended"), "end", ends.into_iter())?;
        let active = i64::try_from(now.in_flight()).unwrap_or(i64::MAX);
        gauge(encoder, ("calls_active", "Calls under way"), active)?;
        counter(encoder, ("upstream_rq", "Attempts that came to an end"), attempts.total)?;
        let class = |class: u16| {
            let own = now.by_status.iter().filter(|(status, _)| **status / 100 == class);
            (class.to_string(), own.map(|(_, count)| count).sum())
        };
        let classes = ("upstream_rq_xx", "Answers by the class of their status");
        counters(encoder, classes, "response_code_class", (1..=5).map(class))?;
        let statuses = now.by_status.iter().map(|(status, count)| (status.to_string(), *count));
        counters(encoder, ("upstream_rq_status", "Answers by their status"), "response_code", statuses)?;
        let faults = now.by_fault.iter().map(|(fault, count)| ((*fault).to_owned(), *count));
        let broken = ("upstream_rq_broken", "Attempts without a whole answer, by what broke");
        counters(encoder, broken, "fault", faults)?;
        counter(encoder, ("upstream_rq_retry", "Attempts after a failure"), attempts.retries)?;
        counter(encoder, ("upstream_rq_hedge", "Attempts beside one in flight"), attempts.hedges)?;
        let denied = ("upstream_rq_retry_overflow", "Retries and hedges that a budget refused");
        counter(encoder, denied, attempts.budget_denied)?;
        let own = ("own_failures", "Attempts that failed for want of descriptors or ports of this machine");
        counter(encoder, own, now.pace.own_failures())?;
        let calls = ("call_seconds", "How long calls took from when they were due, in the scenario's time");
        times(encoder, calls, &now.response())?;
        times(encoder, ("upstream_rq_seconds", "How long attempts took, in the scenario's time"), &now.service())?;
        let lag = ("schedule_lag_seconds", "How late calls were begun, in the scenario's time");
        times(encoder, lag, now.pace.lag())
    }
}

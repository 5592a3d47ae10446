//! The counts of all services for Prometheus.
//!
//! Names follow those of Envoy where they count the same (`downstream_rq`, `downstream_rq_xx`, `downstream_cx_active`,
//! `downstream_rq_rx_reset`, `fault_aborts_injected`, `fault_delays_injected`, `ratelimit_over_limit`), with `brownout` before
//! them.

use std::fmt;

use brownout_serve::{Counts, TIMES_BOUNDS, Times};
use brownout_service::Outcome;
use hyper::StatusCode;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, MetricEncoder};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use crate::api::Reply;
use crate::control::Control;
use crate::views::on;

pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Everything that is counted, as Prometheus reads it.
pub(crate) fn reply(control: &Control) -> Reply {
    let mut registry = Registry::with_prefix("brownout");
    registry.register_collector(Box::new(Scrape::of(control)));
    let mut body = String::new();
    encode(&mut body, &registry).expect("writing to a string cannot fail");
    Reply { status: StatusCode::OK, content_type: CONTENT_TYPE, content: body.into() }
}

/// What there is at one moment.
#[derive(Debug)]
struct Scrape {
    time_s: f64,
    reloads: u64,
    reload_refused: bool,
    services: Vec<Service>,
}

#[derive(Debug)]
struct Service {
    name: String,
    counts: Counts,
    active: u64,
    connections: (u64, u64),
    occupancy: Option<(usize, usize)>,
    /// Requests within each limit, and over it.
    limits: Vec<(String, u64, u64)>,
    early: u64,
    /// Each effect, how often it was done, and how often for a key beyond the first time.
    effects: Vec<(String, u64, u64)>,
    phases: Vec<(String, f64)>,
}

impl Scrape {
    fn of(control: &Control) -> Self {
        let service = |served: &crate::Served| {
            let app = &served.app;
            let (limits, early) = app.limits().unwrap_or_default();
            let service = app.service();
            Service {
                name: served.name.clone(),
                counts: app.counts(),
                active: app.active(),
                connections: app.connections(),
                occupancy: app.occupancy(),
                limits: limits.into_iter().map(|own| (own.name, own.asked - own.refused, own.refused)).collect(),
                early: early.attempts,
                effects: app.effects().into_iter().map(|own| (own.name, own.done, own.duplicates)).collect(),
                phases: on(service.phases(), app.clock().now())
                    .map(|(phase, strength)| (phase.name.clone(), strength))
                    .collect(),
            }
        };
        let reloaded = control.reloaded();
        Self {
            time_s: control.clock().now().as_secs_f64(),
            reloads: reloaded.times,
            reload_refused: reloaded.refused.is_some(),
            services: control.services.iter().map(service).collect(),
        }
    }

    /// A counter with a value for each service.
    fn counter(
        &self,
        encoder: &mut DescriptorEncoder<'_>,
        (name, help): (&str, &str),
        value: impl Fn(&Service) -> u64,
    ) -> fmt::Result {
        self.counters(encoder, (name, help), |service| vec![([("service", service.name.clone())], value(service))])
    }

    /// A counter with values for each service, told apart by labels.
    fn counters<const N: usize>(
        &self,
        encoder: &mut DescriptorEncoder<'_>,
        (name, help): (&str, &str),
        values: impl Fn(&Service) -> Vec<([(&'static str, String); N], u64)>,
    ) -> fmt::Result {
        let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (labels, value) in self.services.iter().flat_map(values) {
            ConstCounter::new(value).encode(metric.encode_family(&labels)?)?;
        }
        Ok(())
    }

    fn gauges<const N: usize>(
        &self,
        encoder: &mut DescriptorEncoder<'_>,
        (name, help): (&str, &str),
        values: impl Fn(&Service) -> Vec<([(&'static str, String); N], f64)>,
    ) -> fmt::Result {
        let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
        for (labels, value) in self.services.iter().flat_map(values) {
            ConstGauge::new(value).encode(metric.encode_family(&labels)?)?;
        }
        Ok(())
    }

    fn times(
        &self,
        encoder: &mut DescriptorEncoder<'_>,
        (name, help): (&str, &str),
        times: impl Fn(&Service) -> &Times,
    ) -> fmt::Result {
        let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Histogram)?;
        for service in &self.services {
            let labels = [("service", service.name.clone())];
            histogram(metric.encode_family(&labels)?, times(service))?;
        }
        Ok(())
    }
}

impl Collector for Scrape {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let encoder = &mut encoder;
        ConstGauge::new(self.time_s).encode(encoder.encode_descriptor(
            "time_seconds",
            "The time of the run, in the scenario's seconds",
            None,
            MetricType::Gauge,
        )?)?;
        let reloads = ("reloads", "How often another scenario took the place of the one that ran");
        ConstCounter::new(self.reloads).encode(encoder.encode_descriptor(
            reloads.0,
            reloads.1,
            None,
            MetricType::Counter,
        )?)?;
        let refused = ("reload_refused", "Whether the last scenario that was read was not sound");
        ConstGauge::new(i64::from(self.reload_refused)).encode(encoder.encode_descriptor(
            refused.0,
            refused.1,
            None,
            MetricType::Gauge,
        )?)?;
        self.counter(encoder, ("downstream_rq", "Requests that came to an end"), |own| own.counts.requests)?;
        self.counters(encoder, ("downstream_rq_xx", "Answers by the class of their status"), Service::classes)?;
        self.counter(encoder, ("downstream_rq_rx_reset", "Requests whose client left before the answer"), |own| {
            own.counts.by_outcome.get(Counts::LEFT).copied().unwrap_or(0)
        })?;
        self.gauges(encoder, ("downstream_rq_active", "Requests that are being answered"), |own| {
            own.gauge(own.active)
        })?;
        self.counter(encoder, ("downstream_cx", "Connections that came"), |own| own.connections.0)?;
        self.gauges(encoder, ("downstream_cx_active", "Connections that are open"), |own| {
            own.gauge(own.connections.1)
        })?;
        self.counters(encoder, ("outcomes", "Requests by what they met"), Service::outcomes)?;
        self.counter(
            encoder,
            ("fault_aborts_injected", "Requests that the scenario failed by a draw"),
            Service::failed,
        )?;
        self.counter(encoder, ("fault_delays_injected", "Requests that the scenario asked to take time"), |own| {
            own.counts.injected.count() - own.counts.injected.buckets[0]
        })?;
        self.counters(encoder, ("broken", "Answers that broke on the wire, by how"), |own| {
            own.counts.broken.iter().map(|(how, count)| (own.labels("how", how), *count)).collect()
        })?;
        self.counters(encoder, ("refused", "Requests that a bound of the server refused, by which"), |own| {
            own.counts.refused.iter().map(|(why, count)| (own.labels("bound", why), *count)).collect()
        })?;
        self.counters(encoder, ("ratelimit_ok", "Requests within a limit"), |own| {
            own.limits.iter().map(|(limit, ok, _)| (own.labels("limit", limit), *ok)).collect()
        })?;
        self.counters(encoder, ("ratelimit_over_limit", "Requests that a limit refused"), |own| {
            own.limits.iter().map(|(limit, _, over)| (own.labels("limit", limit), *over)).collect()
        })?;
        self.counters(encoder, ("effects", "What was done, by effect"), |own| {
            own.effects.iter().map(|(effect, done, _)| (own.labels("effect", effect), *done)).collect()
        })?;
        self.counters(
            encoder,
            ("duplicate_effects", "What was done for a key beyond the first time, by effect"),
            |own| own.effects.iter().map(|(effect, _, again)| (own.labels("effect", effect), *again)).collect(),
        )?;
        let early = ("came_back_early", "Attempts that came before a refusal had said");
        self.counter(encoder, early, |own| own.early)?;
        self.gauges(encoder, ("working", "Requests that a worker is busy with"), |own| {
            own.occupancy.into_iter().flat_map(|(working, _)| own.gauge(working as u64)).collect()
        })?;
        self.gauges(encoder, ("waiting", "Requests that wait for a worker"), |own| {
            own.occupancy.into_iter().flat_map(|(_, waiting)| own.gauge(waiting as u64)).collect()
        })?;
        self.gauges(encoder, ("phase_strength", "How far each phase is on, from 0 to 1"), |own| {
            own.phases.iter().map(|(phase, strength)| (own.labels("phase", phase), *strength)).collect()
        })?;
        let injected = ("injected_latency_seconds", "How long the scenario asked answers to take, in its own time");
        self.times(encoder, injected, |own| &own.counts.injected)?;
        let delivered = ("delivered_latency_seconds", "How long answers took, in the scenario's time");
        self.times(encoder, delivered, |own| &own.counts.delivered)?;
        let own = ("own_overhead_seconds", "How long answers took longer than asked, in real time");
        self.times(encoder, own, |own| &own.counts.own)
    }
}

impl Service {
    fn labels(&self, name: &'static str, value: &str) -> [(&'static str, String); 2] {
        [("service", self.name.clone()), (name, value.to_owned())]
    }

    #[expect(clippy::cast_precision_loss, reason = "a gauge of what is there at once")]
    fn gauge(&self, value: u64) -> Vec<([(&'static str, String); 1], f64)> {
        vec![([("service", self.name.clone())], value as f64)]
    }

    fn classes(&self) -> Vec<([(&'static str, String); 2], u64)> {
        let class = |class: u16| {
            let own = self.counts.by_status.iter().filter(|(status, _)| **status / 100 == class);
            (self.labels("response_code_class", &class.to_string()), own.map(|(_, count)| count).sum())
        };
        (1..=5).map(class).collect()
    }

    fn outcomes(&self) -> Vec<([(&'static str, String); 2], u64)> {
        self.counts.by_outcome.iter().map(|(outcome, count)| (self.labels("outcome", outcome), *count)).collect()
    }

    fn failed(&self) -> u64 {
        Outcome::failures().filter_map(|outcome| self.counts.by_outcome.get(outcome.name())).sum()
    }
}

#[expect(clippy::cast_precision_loss, reason = "bounds are small")]
fn histogram(mut encoder: MetricEncoder<'_>, times: &Times) -> fmt::Result {
    let bounds = TIMES_BOUNDS.iter().map(|micros| *micros as f64 / 1e6).chain([f64::INFINITY]);
    let buckets: Vec<_> = bounds.zip(times.buckets).collect();
    encoder.encode_histogram::<prometheus_client::encoding::NoLabelSet>(
        times.sum.as_secs_f64(),
        times.count(),
        &buckets,
        None,
    )
}

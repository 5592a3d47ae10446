//! What is doubtful about a policy, told without a run.
//!
//! Each rule is a function of a policy and of what is known of the service and the load, and finds at most a few things. It
//! says nothing where it does not know: of a policy alone it judges what holds for any service.
//!
//! ```
//! use brownout_lab::lint::{Rule, Subject, lint};
//! use brownout_policy::preset;
//!
//! let settings = preset("curl-retry").unwrap();
//! let findings = lint(&Subject { service: None, load: None, graph: None, settings: &settings });
//! assert!(findings.iter().any(|finding| finding.rule == Rule::NoJitter));
//! ```
//!
//! What is decided here: what is worth a warning, and its words. What is left out: where in a file a key stands, and printing.

mod case;
mod crowd;
mod delays;
mod finding;
mod horizon;
mod layers;
mod timeouts;

use brownout_load::{Graph, Load};
use brownout_policy::{Policy, Settings};
use brownout_service::{Phase, Service};

use case::Case;
pub(crate) use crowd::WorstCase;
pub use finding::{About, Finding, Rule};

/// What is looked at.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'s> {
    /// What the callers meet; `None` where nothing is said of it.
    pub service: Option<&'s Service>,
    /// Who calls, and how often; `None` where nothing is said of it.
    pub load: Option<&'s Load>,
    /// The services behind the one that they meet; `None` where nothing is said of them.
    pub graph: Option<&'s Graph>,
    /// What the callers do.
    pub settings: &'s Settings,
}

/// Everything doubtful, in the order of [`Rule::ALL`].
///
/// # Panics
/// When the settings make no policy.
#[must_use]
pub fn lint(subject: &Subject<'_>) -> Vec<Finding> {
    let Subject { service, load, graph, settings } = *subject;
    let typical = service.and_then(with_one_burst);
    let service = typical.as_ref().or(service);
    let policy = Policy::new(settings.clone()).expect("the settings were checked when they were read");
    let case = Case { service, load, graph, settings, policy };
    let mut findings = horizon::outages(&case);
    findings.extend(horizon::limits(&case));
    let rules: [fn(&Case<'_>) -> Option<Finding>; 15] = [
        horizon::beyond_deadline,
        horizon::nothing_retried,
        timeouts::below_p99,
        timeouts::deadline_within,
        timeouts::deadline_cuts,
        timeouts::none,
        timeouts::hedge_late,
        layers::cut_short,
        crowd::queue,
        crowd::storm,
        crowd::no_budget,
        crowd::budget_per_client,
        delays::no_jitter,
        delays::shrink,
        delays::never_grow,
    ];
    findings.extend(rules.iter().filter_map(|rule| rule(&case)));
    findings.extend(layers::hops(&case));
    findings.sort_by_key(|finding| finding.rule);
    findings
}

/// The service whose phases come once where they hold in bursts: an outage that callers have to outlast is one burst.
fn with_one_burst(service: &Service) -> Option<Service> {
    let phases = service.phases();
    phases.iter().any(|phase| phase.only.bursts.is_some()).then(|| {
        let phases = phases.iter().cloned().map(Phase::with_one_burst).collect();
        service.clone().scheduled(phases)
    })
}

/// What callers can ask of the service at the worst; `None` where that depends on how it answers.
///
/// # Panics
/// When the settings make no policy.
pub(crate) fn worst_case(subject: &Subject<'_>) -> Option<WorstCase> {
    let Subject { service, load, graph, settings } = *subject;
    let policy = Policy::new(settings.clone()).expect("the settings were checked when they were read");
    crowd::worst_case(&Case { service, load, graph, settings, policy })
}

#[cfg(test)]
mod tests;

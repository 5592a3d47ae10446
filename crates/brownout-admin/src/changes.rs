//! What is done to a service that runs.

use std::collections::BTreeSet;

use brownout_draw::Probability;
use brownout_scenario::LivePhase;
use brownout_service::{Change, Factors, Live, Only, Outcome, Phase, Ramp, Window};

use crate::api::{Answered, Asked, Failure, Reply};
use crate::control::{Control, Served};
use crate::force::Changed;

/// Begins a phase that the request describes.
pub(crate) fn begin(control: &Control, asked: &Asked<'_>) -> Answered {
    let live = LivePhase::parse(asked.body).map_err(|invalid| Failure::bad(invalid.render(false)))?;
    let name = live.service.clone();
    let served = control.service(name.as_deref());
    let served =
        served.ok_or_else(|| Failure::missing(format!("there is no service `{}`", name.unwrap_or_default())))?;
    make(served, Live::Begun(live.begun(served.app.clock().now())))
}

/// Undoes a change.
pub(crate) fn undo(control: &Control, asked: &Asked<'_>) -> Answered {
    let served = asked.served(control)?;
    let none = || Failure::missing(format!("there is no change `{}`; GET /changes lists them", asked.segment()));
    let number = asked.segment().parse().map_err(|_| none())?;
    Ok(Reply::json(&Changed::by(served, || served.app.undo(number).ok_or_else(none))?))
}

/// Changes how often an outcome comes.
pub(crate) fn rate(control: &Control, asked: &Asked<'_>) -> Answered {
    let (served, name) = (asked.served(control)?, asked.segment());
    let outcome = Outcome::ALL.into_iter().find(|outcome| outcome.name() == name).ok_or_else(|| {
        let names: Vec<_> = Outcome::ALL.iter().map(|outcome| outcome.name()).collect();
        Failure::missing(format!("there is no outcome `{name}`; there are: {}", names.join(", ")))
    })?;
    let rate = asked.get("rate").unwrap_or_default().parse::<Probability>();
    let rate = rate.map_err(|error| Failure::bad(format!("`rate`: {error}")))?;
    let lasts = asked.duration("for")?.unwrap_or_default();
    if lasts.is_zero() || LivePhase::LASTS_MAX < lasts {
        return Err(Failure::bad(format!("`for`: a change lasts up to a day and some time at least, found {lasts:?}")));
    }
    let (service, from) = (served.app.service(), served.app.clock().now());
    let outcomes = service.outcomes_at(from).with_rates(&[(outcome, rate)]);
    let outcomes = outcomes.map_err(|error| Failure::conflict(format!("with {name} at this rate, {error}")))?;
    let phase = Phase {
        name: format!("rate of {name}"),
        window: Window { from, until: Some(from.saturating_add(lasts)) },
        ramp: Ramp::default(),
        change: Change { outcomes: Some(outcomes), latency: None },
        factors: Factors::default(),
        only: Only::default(),
    };
    make(served, Live::Begun(phase))
}

/// Begins a phase of the scenario.
pub(crate) fn begin_phase(control: &Control, asked: &Asked<'_>) -> Answered {
    let (served, name) = (asked.served(control)?, asked.segment());
    let service = served.app.service();
    let phase = service.phases().iter().find(|phase| phase.name == name).ok_or_else(|| no_phase(served, name))?;
    let now = served.app.clock().now();
    let own = phase.window.until.map(|until| until - phase.window.from);
    let lasts = asked.duration("for")?.or(own).filter(|lasts| *lasts <= LivePhase::LASTS_MAX && !lasts.is_zero());
    let lasts = lasts.ok_or_else(|| {
        Failure::bad(format!(
            "a phase that is begun lasts up to a day; say how long `{name}` does with `for`, as in ?for=30s"
        ))
    })?;
    let mut phase = phase.clone();
    phase.window = Window { from: now, until: None };
    phase.end_at(now.saturating_add(lasts));
    make(served, Live::Begun(phase))
}

/// Ends a phase.
pub(crate) fn end_phase(control: &Control, asked: &Asked<'_>) -> Answered {
    let (served, name) = (asked.served(control)?, asked.segment());
    if served.app.service().phases().iter().all(|phase| phase.name != name) {
        return Err(no_phase(served, name));
    }
    make(served, Live::Ended { phase: name.to_owned(), at: served.app.clock().now() })
}

fn make(served: &Served, live: Live) -> Answered {
    let change = || served.app.change(live).map_err(|error| Failure::conflict(error.to_string()));
    Ok(Reply::created(&Changed::by(served, change)?))
}

fn no_phase(served: &Served, name: &str) -> Failure {
    let service = served.app.service();
    let names: BTreeSet<_> = service.phases().iter().map(|phase| phase.name.as_str()).collect();
    let names = if names.is_empty() { "none".to_owned() } else { names.into_iter().collect::<Vec<_>>().join(", ") };
    Failure::missing(format!("{} has no phase `{name}`; there are: {names}", served.name))
}

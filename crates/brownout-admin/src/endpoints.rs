//! Everything that can be asked.

use std::collections::BTreeSet;

use brownout_scenario::LivePhase;
use brownout_service::{Live, Window};
use hyper::Method;

use crate::api::{Answered, Asked, Body, Endpoint, Failure, JSON, Parameter, Reply};
use crate::control::{Control, Served};
use crate::{metrics, openapi, views};

/// How many records of the journal are told where nobody says.
const LAST: u64 = 100;

const SERVICE: Parameter = Parameter {
    name: "service",
    doc: "Which service; without it, the one that clients call.",
    kind: "string",
    required: false,
};

const FORMAT: Parameter = Parameter {
    name: "format",
    doc: "`json`, or `text` for people; json without it.",
    kind: "string",
    required: false,
};

const fn optional(name: &'static str, kind: &'static str, doc: &'static str) -> Parameter {
    Parameter { name, doc, kind, required: false }
}

/// The API.
pub(crate) static ENDPOINTS: [Endpoint; 16] = [
    Endpoint {
        method: Method::GET,
        path: "/",
        summary: "What can be asked.",
        parameters: &[],
        body: Body::Nothing,
        answer: JSON,
        handle: |_, _| Ok(Reply::json(&openapi::index())),
    },
    Endpoint {
        method: Method::GET,
        path: "/openapi.json",
        summary: "This API as an OpenAPI 3.1 document.",
        parameters: &[],
        body: Body::Nothing,
        answer: JSON,
        handle: |_, _| Ok(Reply::json(&openapi::document())),
    },
    Endpoint {
        method: Method::GET,
        path: "/status",
        summary: "What runs: seed and scenario, the time of the run, the phases that are on, what is under way, what was changed.",
        parameters: &[],
        body: Body::Nothing,
        answer: JSON,
        handle: |control, _| Ok(Reply::json(&views::Status::of(control))),
    },
    Endpoint {
        method: Method::GET,
        path: "/counters",
        summary: "What a service has done: requests by outcome, status, route and phase; limits, and who came back too early.",
        parameters: &[SERVICE],
        body: Body::Nothing,
        answer: JSON,
        handle: |control, asked| Ok(Reply::json(&views::Counters::of(asked.served(control)?))),
    },
    Endpoint {
        method: Method::GET,
        path: "/journal",
        summary: "The last answers of a service one by one, the oldest first.",
        parameters: &[
            SERVICE,
            optional("last", "integer", "How many; 100 without it."),
            optional("outcome", "string", "Only those with this outcome."),
            optional("request", "integer", "Only those of this request."),
            optional("after", "integer", "Only those numbered higher than this."),
        ],
        body: Body::Nothing,
        answer: JSON,
        handle: journal,
    },
    Endpoint {
        method: Method::GET,
        path: "/ledger",
        summary: "What a service has done, effect by effect, and what of it twice, with the keys that were met most often.",
        parameters: &[SERVICE],
        body: Body::Nothing,
        answer: JSON,
        handle: |control, asked| Ok(Reply::json(&views::Ledger::of(asked.served(control)?))),
    },
    Endpoint {
        method: Method::GET,
        path: "/timeline",
        summary: "Every phase with its times, those that come again or by chance worked out, changes included.",
        parameters: &[FORMAT],
        body: Body::Nothing,
        answer: JSON,
        handle: |control, asked| {
            let report = views::timeline(control);
            Ok(if asked.wants_text()? { Reply::text(report.text()) } else { Reply::json(&report) })
        },
    },
    Endpoint {
        method: Method::GET,
        path: "/explain",
        summary: "Why an attempt meets what it meets: the draws behind its decision, and what the journal has of it.",
        parameters: &[
            Parameter { name: "request", doc: "The number of the request.", kind: "integer", required: true },
            SERVICE,
            optional("attempt", "integer", "Which attempt of it; 1 without it."),
            optional(
                "at",
                "string",
                "When, in the time of the run; without it, when it came, or now where it has not.",
            ),
            optional("client", "integer", "Which client sends it, where that decides the replica that it lands on."),
            optional("method", "string", "Its method; without it, as it came, else GET."),
            optional("path", "string", "Its path; without it, as it came, else /."),
            FORMAT,
        ],
        body: Body::Nothing,
        answer: JSON,
        handle: |control, asked| {
            let explained = views::explain(control, asked)?;
            Ok(if asked.wants_text()? { Reply::text(explained.text()) } else { Reply::json(&explained) })
        },
    },
    Endpoint {
        method: Method::GET,
        path: "/changes",
        summary: "The changes of a service that are not over.",
        parameters: &[SERVICE],
        body: Body::Nothing,
        answer: JSON,
        handle: |control, asked| Ok(Reply::json(&views::changes(asked.served(control)?))),
    },
    Endpoint {
        method: Method::POST,
        path: "/changes",
        summary: "Changes a service for a time: a phase that begins now, wins over those of the scenario, and ends by itself.",
        parameters: &[],
        body: Body::Phase,
        answer: JSON,
        handle: begin,
    },
    Endpoint {
        method: Method::DELETE,
        path: "/changes/{number}",
        summary: "Undoes a change.",
        parameters: &[SERVICE],
        body: Body::Nothing,
        answer: JSON,
        handle: undo,
    },
    Endpoint {
        method: Method::POST,
        path: "/phases/{name}/begin",
        summary: "Begins a phase of the scenario now, whenever it is due otherwise.",
        parameters: &[SERVICE, optional("for", "string", "How long it lasts; without it, as long as in the scenario.")],
        body: Body::Nothing,
        answer: JSON,
        handle: begin_phase,
    },
    Endpoint {
        method: Method::POST,
        path: "/phases/{name}/end",
        summary: "Ends a phase now, or keeps it from coming.",
        parameters: &[SERVICE],
        body: Body::Nothing,
        answer: JSON,
        handle: end_phase,
    },
    Endpoint {
        method: Method::POST,
        path: "/reset",
        summary: "Begins the run again: its time, who asked, what was counted; changes are undone.",
        parameters: &[],
        body: Body::Nothing,
        answer: JSON,
        handle: |control, _| {
            control.reset();
            Ok(Reply::json(&views::Status::of(control)))
        },
    },
    Endpoint {
        method: Method::POST,
        path: "/reload",
        summary: "Reads the scenario again; one that is not sound leaves what runs as it is.",
        parameters: &[],
        body: Body::Nothing,
        answer: JSON,
        handle: |control, _| {
            control.reload().map_err(Failure::conflict)?;
            Ok(Reply::json(&views::Status::of(control)))
        },
    },
    Endpoint {
        method: Method::GET,
        path: "/metrics",
        summary: "Counters, gauges and histograms for Prometheus.",
        parameters: &[],
        body: Body::Nothing,
        answer: metrics::CONTENT_TYPE,
        handle: |control, _| Ok(metrics::reply(control)),
    },
];

fn journal(control: &Control, asked: &Asked<'_>) -> Answered {
    let served = asked.served(control)?;
    let last = asked.count("last", u64::from(u32::MAX))?.unwrap_or(LAST);
    let request = asked.count("request", u64::MAX)?;
    let after = asked.count("after", u64::MAX)?.unwrap_or(0);
    let outcome = asked.get("outcome");
    let view = views::Journal::of(served, usize::try_from(last).unwrap_or(usize::MAX), |record| {
        record.number > after
            && request.is_none_or(|request| record.identity.request == request)
            && outcome.is_none_or(|outcome| record.outcome == outcome)
    });
    let none = || Failure::missing("there is no journal; it was turned off");
    Ok(Reply::json(&view.ok_or_else(none)?))
}

fn begin(control: &Control, asked: &Asked<'_>) -> Answered {
    let live = LivePhase::parse(asked.body).map_err(|invalid| Failure::bad(invalid.render(false)))?;
    let name = live.service.clone();
    let served = control.service(name.as_deref());
    let served =
        served.ok_or_else(|| Failure::missing(format!("there is no service `{}`", name.unwrap_or_default())))?;
    make(served, Live::Begun(live.begun(served.app.clock().now())))
}

fn undo(control: &Control, asked: &Asked<'_>) -> Answered {
    let served = asked.served(control)?;
    let number = asked.segment().parse().ok();
    let undone = number.and_then(|number| served.app.undo(number));
    let none = || Failure::missing(format!("there is no change `{}`; GET /changes lists them", asked.segment()));
    Ok(Reply::json(&views::Change::of(served, &undone.ok_or_else(none)?)))
}

fn begin_phase(control: &Control, asked: &Asked<'_>) -> Answered {
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

fn end_phase(control: &Control, asked: &Asked<'_>) -> Answered {
    let (served, name) = (asked.served(control)?, asked.segment());
    if served.app.service().phases().iter().all(|phase| phase.name != name) {
        return Err(no_phase(served, name));
    }
    make(served, Live::Ended { phase: name.to_owned(), at: served.app.clock().now() })
}

fn make(served: &Served, live: Live) -> Answered {
    let change = served.app.change(live).map_err(|error| Failure::conflict(error.to_string()))?;
    Ok(Reply::created(&views::Change::of(served, &change)))
}

fn no_phase(served: &Served, name: &str) -> Failure {
    let service = served.app.service();
    let names: BTreeSet<_> = service.phases().iter().map(|phase| phase.name.as_str()).collect();
    let names = if names.is_empty() { "none".to_owned() } else { names.into_iter().collect::<Vec<_>>().join(", ") };
    Failure::missing(format!("{} has no phase `{name}`; there are: {names}", served.name))
}

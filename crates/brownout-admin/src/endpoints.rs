//! Everything that can be asked.

use std::time::Duration;

use hyper::Method;

use crate::api::{Answered, Asked, Body, EVENTS, Endpoint, Failure, JSON, Parameter, Reply};
use crate::clients::Clients;
use crate::control::Control;
use crate::journal::Journal;
use crate::{changes, journal, metrics, openapi, page, views};

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
pub(crate) static ENDPOINTS: [Endpoint; 21] = [
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
        path: "/live",
        summary: "The live page, for people with a browser: what goes on, and controls to change it. It holds no data of its own.",
        parameters: &[],
        body: Body::Nothing,
        answer: page::HTML,
        handle: |_, _| Ok(page::page()),
    },
    Endpoint {
        method: Method::GET,
        path: "/live/{file}",
        summary: "What the live page is made of: its style and its script.",
        parameters: &[],
        body: Body::Nothing,
        answer: page::SCRIPT,
        handle: |_, asked| page::file(asked.segment()),
    },
    Endpoint {
        method: Method::GET,
        path: "/events",
        summary: "What the live page shows, as server-sent events: all of it at once, and again every second until the stream is closed.",
        parameters: &[SERVICE],
        body: Body::Nothing,
        answer: EVENTS,
        handle: |control, asked| Ok(Reply::events(control.gallery.admit(control, asked.served(control)?)?)),
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
        handle: answers,
    },
    Endpoint {
        method: Method::GET,
        path: "/clients",
        summary: "Who asked, of the answers that the journal has: by the header of a limit, by x-brownout-client, or by address.",
        parameters: &[SERVICE, optional("within", "string", "Only of answers that went out so long ago at the most.")],
        body: Body::Nothing,
        answer: JSON,
        handle: clients,
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
            let explained = journal::explain(control, asked)?;
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
        handle: changes::begin,
    },
    Endpoint {
        method: Method::DELETE,
        path: "/changes/{number}",
        summary: "Undoes a change.",
        parameters: &[SERVICE],
        body: Body::Nothing,
        answer: JSON,
        handle: changes::undo,
    },
    Endpoint {
        method: Method::POST,
        path: "/outcomes/{outcome}",
        summary: "Changes how often an outcome comes, on every route, for a time; the others keep their rates, and the success takes what is left.",
        parameters: &[
            Parameter { name: "rate", doc: "How often: 0.3, or 30%.", kind: "string", required: true },
            Parameter { name: "for", doc: "How long, a day at the most.", kind: "string", required: true },
            SERVICE,
        ],
        body: Body::Nothing,
        answer: JSON,
        handle: changes::rate,
    },
    Endpoint {
        method: Method::POST,
        path: "/phases/{name}/begin",
        summary: "Begins a phase of the scenario now, whenever it is due otherwise.",
        parameters: &[SERVICE, optional("for", "string", "How long it lasts; without it, as long as in the scenario.")],
        body: Body::Nothing,
        answer: JSON,
        handle: changes::begin_phase,
    },
    Endpoint {
        method: Method::POST,
        path: "/phases/{name}/end",
        summary: "Ends a phase now, or keeps it from coming.",
        parameters: &[SERVICE],
        body: Body::Nothing,
        answer: JSON,
        handle: changes::end_phase,
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

fn answers(control: &Control, asked: &Asked<'_>) -> Answered {
    let served = asked.served(control)?;
    let last = asked.count("last", u64::from(u32::MAX))?.unwrap_or(LAST);
    let request = asked.count("request", u64::MAX)?;
    let after = asked.count("after", u64::MAX)?.unwrap_or(0);
    let outcome = asked.get("outcome");
    let view = Journal::of(served, usize::try_from(last).unwrap_or(usize::MAX), |record| {
        record.number > after
            && request.is_none_or(|request| record.identity.request == request)
            && outcome.is_none_or(|outcome| record.outcome == outcome)
    });
    Ok(Reply::json(&view.ok_or_else(no_journal)?))
}

fn clients(control: &Control, asked: &Asked<'_>) -> Answered {
    let (served, within) = (asked.served(control)?, asked.duration("within")?);
    let clients = Clients::of(served, within.unwrap_or(Duration::MAX));
    Ok(Reply::json(&clients.ok_or_else(no_journal)?))
}

fn no_journal() -> Failure {
    Failure::missing("there is no journal; it was turned off")
}

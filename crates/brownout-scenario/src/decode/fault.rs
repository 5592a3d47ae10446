//! How often each outcome comes, and what each takes.

use brownout_draw::Probability;
use brownout_service::{End, ErrorCode, Fault, FaultError, Outcome, Outcomes, Point};

use super::{Fields, scalar};
use crate::grammar::{self, Table};
use crate::node::{Entry, Node, Value};
use crate::problem::Problems;

/// Where a connection or a stream is reset, in words.
pub(crate) const POINT_WORDS: [(&str, Point); 2] = [("start", Point::Start), ("head", Point::Head)];

/// What comes in place of a reply that is lost.
pub(crate) const LOSS_WORDS: [(&str, End); 2] = [("reset", Fault::LOST_REPLY), ("hang", End::Hang(Fault::HANG))];

/// How a stream breaks.
pub(crate) const BREAK_WORDS: [(&str, End); 2] = [("close", End::Close), ("reset", End::Reset)];

/// A fault and how often it comes.
type Rated = (Fault, Probability);

/// Makes a fault of the keys of its table.
type Reader = fn(&Fields<'_>, &mut Problems) -> Option<Result<Fault, FaultError>>;

pub(super) fn outcomes(node: &Node, problems: &mut Problems) -> Option<Outcomes> {
    let fields = Fields::open(node, &grammar::OUTCOMES, problems)?;
    let before = problems.count();
    let (mut plain, mut faults) = (Vec::new(), Vec::new());
    for outcome in Outcome::failures() {
        if outcome == Outcome::Status {
            let statuses = fields.list(outcome.name(), problems);
            faults.extend(statuses.iter().filter_map(|node| fault(node, &grammar::STATUS, status, problems)));
            continue;
        }
        let Some(entry) = entry(&fields, outcome, problems) else { continue };
        match (&entry.node.value, table(outcome)) {
            (Value::Table(_), Some((table, reader))) => faults.extend(fault(&entry.node, table, reader, problems)),
            (value, _) => {
                let rate = problems.accept(&entry.node.span, scalar::probability(value));
                plain.extend(rate.map(|rate| (outcome, rate)));
            }
        }
    }
    if problems.count() > before {
        return None;
    }
    problems.accept(&node.span, Outcomes::with_faults(plain, faults))
}

/// What the file says of an outcome, by its name or by another that it has elsewhere.
fn entry<'n>(fields: &Fields<'n>, outcome: Outcome, problems: &mut Problems) -> Option<&'n Entry> {
    let own = fields.get(outcome.name());
    let alias = Outcome::ALIASES.into_iter().find(|(_, meant)| *meant == outcome).map(|(alias, _)| alias);
    let other = alias.and_then(|alias| fields.get(alias));
    if let (Some(own), Some(other)) = (own, other) {
        let message = format!("`{}` is WireMock's name of `{}`, found both; drop one", other.key, own.key);
        problems.add(&other.key_span, message);
    }
    own.or(other)
}

/// The table that an outcome takes in place of a rate, and who reads it.
fn table(outcome: Outcome) -> Option<(&'static Table, Reader)> {
    Some(match outcome {
        Outcome::ConnectionReset => (&grammar::CONNECTION_RESET, connection_reset),
        Outcome::Truncate => (&grammar::TRUNCATE, truncate),
        Outcome::Dribble => (&grammar::DRIBBLE, dribble),
        Outcome::Bandwidth => (&grammar::BANDWIDTH, bandwidth),
        Outcome::Hang => (&grammar::HANG, hang),
        Outcome::SlowClose => (&grammar::SLOW_CLOSE, slow_close),
        Outcome::LostReply => (&grammar::LOST_REPLY, lost_reply),
        Outcome::StreamBreak => (&grammar::STREAM_BREAK, stream_break),
        Outcome::RstStream => (&grammar::RST_STREAM, rst_stream),
        Outcome::GoAway => (&grammar::GOAWAY, goaway),
        _ => return None,
    })
}

fn fault(node: &Node, table: &'static Table, reader: Reader, problems: &mut Problems) -> Option<Rated> {
    let fields = Fields::open(node, table, problems)?;
    let rate = fields.read("rate", problems, scalar::probability);
    let before = problems.count();
    let fault = reader(&fields, problems);
    if problems.count() > before {
        return None;
    }
    Some((problems.accept(&node.span, fault?)?, rate?))
}

fn connection_reset(fields: &Fields<'_>, problems: &mut Problems) -> Option<Result<Fault, FaultError>> {
    Some(Fault::connection_reset(fields.read("at", problems, point).unwrap_or(Point::Start)))
}

fn truncate(fields: &Fields<'_>, problems: &mut Problems) -> Option<Result<Fault, FaultError>> {
    Some(fields.read("bytes", problems, scalar::size).map_or_else(|| Ok(Fault::truncate_half()), Fault::truncate))
}

fn dribble(fields: &Fields<'_>, problems: &mut Problems) -> Option<Result<Fault, FaultError>> {
    let (bytes, every, size) = Fault::DRIBBLE;
    let bytes = fields.read("bytes", problems, scalar::some_size).unwrap_or(bytes);
    let every = fields.read("every", problems, scalar::duration).unwrap_or(every);
    let size = fields.read("size", problems, scalar::size).unwrap_or(size);
    Some(Fault::dribble(bytes, every, size))
}

fn bandwidth(fields: &Fields<'_>, problems: &mut Problems) -> Option<Result<Fault, FaultError>> {
    let (speed, size) = Fault::BANDWIDTH;
    let speed = fields.read("speed", problems, scalar::speed).unwrap_or(speed);
    let size = fields.read("size", problems, scalar::size).unwrap_or(size);
    Some(Fault::bandwidth(speed, size))
}

fn hang(fields: &Fields<'_>, problems: &mut Problems) -> Option<Result<Fault, FaultError>> {
    Some(Fault::hang(fields.read("for", problems, scalar::duration).unwrap_or(Fault::HANG)))
}

fn slow_close(fields: &Fields<'_>, problems: &mut Problems) -> Option<Result<Fault, FaultError>> {
    Some(Fault::slow_close(fields.read("for", problems, scalar::duration).unwrap_or(Fault::SLOW_CLOSE)))
}

fn lost_reply(fields: &Fields<'_>, problems: &mut Problems) -> Option<Result<Fault, FaultError>> {
    let end = fields.read("then", problems, scalar::word(&LOSS_WORDS)).unwrap_or(Fault::LOST_REPLY);
    let silence = fields.read("for", problems, scalar::duration);
    match (end, silence, fields.get("for")) {
        (End::Hang(_), Some(silence), _) => Some(Fault::lost_reply(End::Hang(silence))),
        (End::Hang(_), ..) | (_, _, None) => Some(Fault::lost_reply(end)),
        (_, _, Some(entry)) => {
            problems.add(&entry.key_span, "a reset is at once; drop `for`, or add then = \"hang\"");
            None
        }
    }
}

fn stream_break(fields: &Fields<'_>, problems: &mut Problems) -> Option<Result<Fault, FaultError>> {
    let (events, every) = Fault::STREAM_BREAK;
    let events = fields.read("events", problems, scalar::count32(0)).unwrap_or(events);
    let every = fields.read("every", problems, scalar::duration).unwrap_or(every);
    let end = fields.read("then", problems, scalar::word(&BREAK_WORDS)).unwrap_or(End::Close);
    Some(Fault::stream_break(events, every, end))
}

fn rst_stream(fields: &Fields<'_>, problems: &mut Problems) -> Option<Result<Fault, FaultError>> {
    let point = fields.read("at", problems, point).unwrap_or(Point::Start);
    Some(Fault::rst_stream(point, code(fields, problems).unwrap_or(Fault::RST_STREAM)))
}

fn goaway(fields: &Fields<'_>, problems: &mut Problems) -> Option<Result<Fault, FaultError>> {
    Some(Ok(Fault::goaway(code(fields, problems).unwrap_or(Fault::GOAWAY))))
}

fn status(fields: &Fields<'_>, problems: &mut Problems) -> Option<Result<Fault, FaultError>> {
    let code = fields.read("code", problems, scalar::code);
    let body = fields.read("body", problems, scalar::text(Fault::BYTES_MAX as usize)).unwrap_or_default();
    let headers = fields.nested("headers", problems, headers).unwrap_or_default();
    Some(Fault::status_of_its_own(code?, headers, body))
}

/// Names and values of headers, which whoever takes them checks.
pub(super) fn headers(node: &Node, problems: &mut Problems) -> Option<Vec<(String, String)>> {
    let Value::Table(entries) = &node.value else {
        let message = format!("headers are a table such as {{ retry-after = \"5\" }}, found {}", node.value);
        problems.add(&node.span, message);
        return None;
    };
    let field = |entry: &Entry| match &entry.node.value {
        Value::Text(value) => Some((entry.key.clone(), value.clone())),
        other => {
            let message = format!("the value of a header is text, found {other}; put it in quotes");
            problems.add(&entry.node.span, message);
            None
        }
    };
    Some(entries.iter().filter_map(field).collect())
}

/// The error code of a stream or a connection of HTTP/2.
fn code(fields: &Fields<'_>, problems: &mut Problems) -> Option<ErrorCode> {
    fields.read("code", problems, scalar::word(&ErrorCode::NAMES))
}

/// Where a connection or a stream is reset.
fn point(value: &Value) -> Result<Point, String> {
    if let Value::Text(text) = value
        && let Some((_, point)) = POINT_WORDS.iter().find(|(word, _)| word == text)
    {
        return Ok(*point);
    }
    scalar::size(value)
        .map(Point::Body)
        .map_err(|error| format!("expected start, head, or how much of the body; {error}"))
}

//! What calls ask for.

use brownout_load::{Carried, Kind, RequestLine, Requests, Spot, Template, Values};

use super::{Fields, fault, scalar};
use crate::grammar;
use crate::node::{Entry, Node, Span, Value};
use crate::problem::Problems;

/// A kind of request, and where it stands.
struct Read<'n> {
    kind: Kind,
    path: &'n Span,
    headers: &'n Span,
    body: &'n Span,
}

/// What the calls of the load in `fields` ask for and carry; `None` where that is not said, or not well.
pub(super) fn read(fields: &Fields<'_>, problems: &mut Problems) -> Option<(RequestLine, Carried)> {
    let keys = ["request", "body", "requests", "values"];
    if keys.iter().all(|key| fields.get(key).is_none()) {
        return None;
    }
    let known = problems.count();
    let values = fields.get("values").and_then(|entry| values(&entry.node, problems)).unwrap_or_default();
    let kinds = match fields.get("requests") {
        None => vec![one(fields, problems)],
        Some(entry) => {
            for key in ["request", "body"].into_iter().filter_map(|key| fields.get(key)) {
                let message = format!("each of `requests` says for itself what it is; drop `{}`, or them", key.key);
                problems.add(&key.key_span, message);
            }
            let nodes = fields.list("requests", problems);
            if nodes.is_empty() && problems.count() == known {
                problems.add(&entry.node.span, "there is no request in here; give it one, or drop the key");
            }
            nodes.iter().map(|node| drawn(node, problems)).collect()
        }
    };
    let kinds = kinds.into_iter().collect::<Option<Vec<_>>>()?;
    if problems.count() > known {
        return None;
    }
    together(fields, kinds, values, problems)
}

fn together(
    fields: &Fields<'_>,
    mut kinds: Vec<Read<'_>>,
    values: Vec<(String, Values, &Span)>,
    problems: &mut Problems,
) -> Option<(RequestLine, Carried)> {
    // A request that is the same for all calls is one that nothing has to be drawn for.
    if let [Read { kind, headers, .. }] = &kinds[..]
        && kind.weight > 0
        && kind.body.is_none()
        && values.is_empty()
        && std::iter::once(&kind.path).chain(kind.headers.iter().map(|(_, value)| value)).all(is_plain)
    {
        let line = RequestLine { method: kind.method.clone(), path: plain(&kind.path) };
        let own = kind.headers.iter().map(|(name, value)| (name.clone(), plain(value))).collect();
        return Some((line, problems.accept(headers, Carried::new(own, kind.idempotency_key))?));
    }
    for Read { kind, .. } in &mut kinds {
        add_content_type(kind, &values);
    }
    let (owned, spans): (Vec<_>, Vec<_>) =
        values.into_iter().map(|(name, values, span)| ((name, values), span)).unzip();
    let all = kinds.iter().map(|read| read.kind.clone()).collect();
    match Requests::new(all, owned) {
        Ok(requests) => Some((requests.usual(), Carried::drawing(requests))),
        Err(error) => {
            let span = match error.spot() {
                Spot::All => fields.blame("requests"),
                Spot::Path(place) => kinds[place].path,
                Spot::Headers(place) => kinds[place].headers,
                Spot::Body(place) => kinds[place].body,
                Spot::Values(place) => spans[place],
            };
            problems.add(span, error);
            None
        }
    }
}

/// The one request of all calls.
fn one<'n>(load: &Fields<'n>, problems: &mut Problems) -> Option<Read<'n>> {
    let body = load.read("body", problems, scalar::text(Requests::BODY_BYTES_MAX));
    let body = body.as_deref().map(Template::parse);
    let node = load.get("request").map(|entry| &entry.node);
    let place = load.blame("request");
    let table = node.filter(|node| matches!(node.value, Value::Table(_)));
    let (mut line, mut headers, mut idempotency_key) = (RequestLine::default(), Vec::new(), false);
    let mut places = (place, place);
    if let Some(table) = table {
        let fields = Fields::open(table, &grammar::REQUEST, problems)?;
        line.method = fields.read("method", problems, scalar::method).unwrap_or(line.method);
        line.path = fields.read("path", problems, scalar::path).unwrap_or(line.path);
        headers = fields.nested("headers", problems, fault::headers).unwrap_or_default();
        idempotency_key = fields.read("idempotency_key", problems, scalar::boolean).unwrap_or_default();
        places = (fields.blame("path"), fields.blame("headers"));
    } else if let Some(node) = node {
        line = problems.accept(&node.span, scalar::request_line(&node.value))?;
    }
    let kind = Kind {
        weight: 1,
        method: line.method,
        path: Template::parse(&line.path),
        headers: templates(headers),
        idempotency_key,
        body,
    };
    Some(Read { kind, path: places.0, headers: places.1, body: load.blame("body") })
}

/// One of several requests.
fn drawn<'n>(node: &'n Node, problems: &mut Problems) -> Option<Read<'n>> {
    let fields = Fields::open(node, &grammar::KIND_OF_REQUEST, problems)?;
    let weight = match fields.get("weight") {
        Some(_) => fields.read("weight", problems, scalar::weight)?,
        None => scalar::weight(&Value::Number("1".to_owned())).ok()?,
    };
    let line = fields.read("request", problems, scalar::request_line);
    let headers = fields.nested("headers", problems, fault::headers).unwrap_or_default();
    let body = fields.read("body", problems, scalar::text(Requests::BODY_BYTES_MAX));
    let idempotency_key = fields.read("idempotency_key", problems, scalar::boolean).unwrap_or_default();
    let RequestLine { method, path } = line?;
    let body = body.as_deref().map(Template::parse);
    let path = Template::parse(&path);
    let kind = Kind { weight, method, path, headers: templates(headers), idempotency_key, body };
    Some(Read { kind, path: fields.blame("request"), headers: fields.blame("headers"), body: fields.blame("body") })
}

/// Values by the names that the file gives them, and where each stands.
fn values<'n>(node: &'n Node, problems: &mut Problems) -> Option<Vec<(String, Values, &'n Span)>> {
    let Value::Table(entries) = &node.value else {
        problems
            .add(&node.span, format!("values are lists by name, as user = [\"ann\", \"bob\"], found {}", node.value));
        return None;
    };
    let mut read = |entry: &'n Entry| {
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if entry.key.is_empty() || !entry.key.bytes().all(is_name) {
            let message = format!("a name of values has letters, digits and underscores, found `{}`", entry.key);
            problems.add(&entry.key_span, message);
        }
        let values = match &entry.node.value {
            Value::List(nodes) => {
                let text = |node: &Node| problems.accept(&node.span, scalar::text_or_number(&node.value));
                let texts: Vec<_> = nodes.iter().map(text).collect();
                Values::Listed(texts.into_iter().collect::<Option<_>>()?)
            }
            Value::Table(_) => {
                let fields = Fields::open(&entry.node, &grammar::RANGE, problems)?;
                let from = fields.read("from", problems, scalar::count(0, u64::MAX));
                let to = fields.read("to", problems, scalar::count(0, u64::MAX));
                Values::Range(from?, to?)
            }
            other => {
                let message =
                    format!("values are a list of texts, or whole numbers {{ from = 1, to = 50 }}, found {other}");
                problems.add(&entry.node.span, message);
                return None;
            }
        };
        Some((entry.key.clone(), values, &entry.node.span))
    };
    let read: Vec<_> = entries.iter().map(&mut read).collect();
    read.into_iter().collect()
}

fn templates(headers: Vec<(String, String)>) -> Vec<(String, Template)> {
    headers.into_iter().map(|(name, value)| (name, Template::parse(&value))).collect()
}

fn is_plain(template: &Template) -> bool {
    template.names().next().is_none()
}

fn plain(template: &Template) -> String {
    template.fill(|_| "".into())
}

/// Says what the body of `kind` is, where no header does: JSON, where it is that with the first values of all.
fn add_content_type(kind: &mut Kind, values: &[(String, Values, &Span)]) {
    const NAME: &str = "content-type";
    let Some(body) = &kind.body else { return };
    if kind.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case(NAME)) {
        return;
    }
    let first = |name: &str| match values.iter().find(|(own, ..)| own == name) {
        Some((_, Values::Listed(texts), _)) => texts.first().cloned().unwrap_or_default().into(),
        Some((_, Values::Range(from, _), _)) => from.to_string().into(),
        None => "".into(),
    };
    let json = serde_json::from_str::<serde_json::Value>(&body.fill(first)).is_ok();
    let value = if json { "application/json" } else { "text/plain" };
    kind.headers.push((NAME.to_owned(), Template::parse(value)));
}

//! Single values. Every message names the rule and the value found.

use std::num::{NonZeroU32, NonZeroU64};
use std::time::Duration;

use brownout_draw::Probability;
use brownout_load::{Rate, RequestLine};
use brownout_policy::{Failures, Pushback, Success};
use brownout_service::{Factor, LimitKey, Pattern, Refill, RetryAfterWait, Sticky, UNIT, UNITS_MAX};

use crate::node::{Node, Value};
use crate::units;

type Read<T> = Result<T, String>;

/// The longest a name may be, so that it fits in a header and a table.
const NAME_CHARS_MAX: usize = 64;

pub(super) fn duration(value: &Value) -> Read<Duration> {
    match value {
        Value::Text(text) => units::duration(text).map_err(|error| error.to_string()),
        Value::Number(text) => units::seconds(text).map_err(|error| error.to_string()),
        other => Err(format!("a duration is text such as \"250ms\" or a number of seconds, found {other}")),
    }
}

pub(super) fn probability(value: &Value) -> Read<Probability> {
    match value {
        Value::Text(text) | Value::Number(text) => text.parse().map_err(|error| format!("{error}")),
        other => Err(format!("a probability is a number from 0 to 1 or a percentage such as \"5%\", found {other}")),
    }
}

pub(super) fn seed(value: &Value) -> Read<u64> {
    whole(value, 0).map_err(|()| format!("a seed is a whole number from 0 to {}, found {value}", u64::MAX))
}

/// A count from `min` to `max`.
pub(super) fn count(min: u64, max: u64) -> impl Fn(&Value) -> Read<u64> {
    move |value| {
        let count = whole(value, min).ok().filter(|count| *count <= max);
        count.ok_or_else(|| format!("a count is a whole number from {min} to {max}, found {value}"))
    }
}

/// A count from `min` that fits 32 bits.
pub(super) fn count32(min: u64) -> impl Fn(&Value) -> Read<u32> {
    move |value| count(min, u32::MAX.into())(value).map(|count| u32::try_from(count).unwrap_or(u32::MAX))
}

/// A weight, in whole parts of a billion.
pub(super) fn weight(value: &Value) -> Read<u64> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 10^15")]
    let parts = |weight: f64| (weight * 1e9).round() as u64;
    // A weight that rounds to nothing would never come, though it was asked for.
    let fine = |weight: &f64| (0.0..=1e6).contains(weight) && (*weight == 0.0 || parts(*weight) > 0);
    number(value)
        .filter(fine)
        .map(parts)
        .ok_or_else(|| format!("a weight is 0 or a number from 0.000000001 to 1000000, found {value}"))
}

/// Any number; whoever asks knows its range.
pub(super) fn float(value: &Value) -> Read<f64> {
    number(value).ok_or_else(|| format!("expected a number, found {value}"))
}

/// What a `Retry-After` does; yes and no are short for the two usual cases.
pub(super) fn pushback(value: &Value) -> Read<Pushback> {
    match value {
        Value::Bool(true) => Ok(Pushback::AtLeast),
        Value::Bool(false) => Ok(Pushback::Ignore),
        other => {
            let refusal = |error: String| error.replacen("expected one of", "expected true, false or one of", 1);
            word(&Pushback::NAMES)(other).map_err(refusal)
        }
    }
}

/// True or false.
pub(super) fn boolean(value: &Value) -> Read<bool> {
    match value {
        Value::Bool(found) => Ok(*found),
        other => Err(format!("expected true or false, found {other}")),
    }
}

/// A count, or `None` for no bound.
pub(super) fn bound(value: &Value) -> Read<Option<u32>> {
    match value {
        Value::Text(text) if text == "unbounded" => Ok(None),
        other => match count32(0)(other) {
            Ok(count) => Ok(Some(count)),
            Err(error) => Err(format!("expected \"unbounded\" or a count; {error}")),
        },
    }
}

/// The status of a refusal.
pub(super) fn refusal(value: &Value) -> Read<u16> {
    let status = whole(value, 400).ok().and_then(|status| u16::try_from(status).ok());
    status
        .filter(|status| *status <= 599)
        .ok_or_else(|| format!("a refusal has a status from 400 to 599, found {value}"))
}

/// The status of any answer.
pub(super) fn code(value: &Value) -> Read<u16> {
    let status = whole(value, 200).ok().and_then(|status| u16::try_from(status).ok());
    status
        .filter(|status| *status <= 599)
        .ok_or_else(|| format!("the status of an answer is from 200 to 599, found {value}"))
}

/// A number of bytes.
pub(super) fn size(value: &Value) -> Read<u32> {
    match value {
        Value::Text(text) => units::size(text).map_err(|error| error.to_string()),
        other => count(0, u32::MAX.into())(other)
            .map(|bytes| u32::try_from(bytes).unwrap_or(u32::MAX))
            .map_err(|_| units::SizeError(other.to_string()).to_string()),
    }
}

/// A number of bytes, more than none.
pub(super) fn some_size(value: &Value) -> Read<NonZeroU32> {
    NonZeroU32::new(size(value)?).ok_or_else(|| format!("a size here is at least 1 byte, found {value}"))
}

/// A number of bytes a second.
pub(super) fn speed(value: &Value) -> Read<NonZeroU32> {
    match value {
        Value::Text(text) => units::speed(text).map_err(|error| error.to_string()),
        other => Err(units::SpeedError(other.to_string()).to_string()),
    }
}

/// What something is multiplied by.
pub(super) fn multiple(value: &Value) -> Read<Factor> {
    let factor = number(value).and_then(Factor::new);
    factor.ok_or_else(|| format!("a multiple is a number from 0 to 1000 (0.5 halves, 2 doubles), found {value}"))
}

pub(super) fn rate(value: &Value) -> Read<Rate> {
    match value {
        Value::Text(text) | Value::Number(text) => units::rate(text).map_err(|error| error.to_string()),
        other => Err(format!("a rate is text such as \"200/s\" or a number a second, found {other}")),
    }
}

/// Events a second, or none.
pub(super) fn rate_or_zero(value: &Value) -> Read<f64> {
    let found =
        || format!("a rate here is 0 or a number from 0.0000001 to 10000000 a second, as \"200/s\", found {value}");
    match value {
        Value::Text(text) | Value::Number(text) => units::rate_or_zero(text).ok_or_else(found),
        _ => Err(found()),
    }
}

/// A name that can stand in a header: letters, digits, and `-_. `.
pub(super) fn name(value: &Value) -> Read<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_. ".contains(c);
    match value {
        Value::Text(text) if (1..=NAME_CHARS_MAX).contains(&text.len()) && text.chars().all(plain) => Ok(text.clone()),
        other => Err(format!(
            "a name is 1 to {NAME_CHARS_MAX} ASCII letters, digits, spaces, dots, dashes or underscores, found {other}"
        )),
    }
}

/// Text that parses.
pub(super) fn parsed<T: std::str::FromStr<Err: std::fmt::Display>>(value: &Value) -> Read<T> {
    match value {
        Value::Text(text) => text.parse().map_err(|error| format!("{error}")),
        other => Err(format!("expected text, found {other}")),
    }
}

/// One of some words.
pub(super) fn word<T: Copy>(words: &'static [(&'static str, T)]) -> impl Fn(&Value) -> Read<T> {
    move |value| {
        let found = match value {
            Value::Text(text) => words.iter().find(|(word, _)| word == text),
            _ => None,
        };
        let all = || words.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ");
        found.map(|(_, value)| *value).ok_or_else(|| format!("expected one of {}, found {value}", all()))
    }
}

/// Where a request says who it is.
pub(super) fn identity(value: &Value) -> Read<String> {
    header(value)
        .ok_or_else(|| format!("an identity is written \"header:NAME\", as \"header:idempotency-key\", found {value}"))
}

/// Where a request says which effect it has.
pub(super) fn effect_key(value: &Value) -> Read<String> {
    let found =
        || format!("the key of an effect is written \"header:NAME\", as \"header:idempotency-key\", found {value}");
    header(value).ok_or_else(found)
}

/// The header named by `header:NAME`, in lower case.
fn header(value: &Value) -> Option<String> {
    let token = |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
    let header = match value {
        Value::Text(text) => text.strip_prefix("header:").filter(|name| token(name)),
        _ => None,
    };
    header.map(str::to_ascii_lowercase)
}

/// Who shares an allowance.
pub(super) fn limit_key(value: &Value) -> Read<LimitKey> {
    let found = || format!("a limit's key is global, route, client, address or \"header:NAME\", found {value}");
    let Value::Text(text) = value else { return Err(found()) };
    match text.as_str() {
        "global" => Ok(LimitKey::Global),
        "route" => Ok(LimitKey::Route),
        "client" => Ok(LimitKey::Client),
        "address" => Ok(LimitKey::Address),
        _ => header(value).map(LimitKey::Header).ok_or_else(found),
    }
}

/// What requests have in common that land on one replica.
pub(super) fn sticky(value: &Value) -> Read<Sticky> {
    let found =
        || format!("requests are kept together by none, connection, client, address or \"header:NAME\", found {value}");
    let Value::Text(text) = value else { return Err(found()) };
    match text.as_str() {
        "none" => Ok(Sticky::Nothing),
        "connection" => Ok(Sticky::Connection),
        "client" => Ok(Sticky::Client),
        "address" => Ok(Sticky::Address),
        _ => header(value).map(Sticky::Header).ok_or_else(found),
    }
}

/// A number of units in thousandths, more than 0.
pub(super) fn units(value: &Value) -> Read<NonZeroU64> {
    let units = thousandths(value).and_then(NonZeroU64::new);
    units.ok_or_else(|| format!("a number of units is from 0.001 to {UNITS_MAX}, to the thousandth, found {value}"))
}

/// A number of units in thousandths, perhaps 0.
pub(super) fn cost(value: &Value) -> Read<u64> {
    thousandths(value).ok_or_else(|| {
        format!(
            "a cost is a number of units from 0 to {UNITS_MAX}, to the thousandth, or a distribution, found {value}"
        )
    })
}

/// How fast something is refilled, without rounding.
pub(super) fn refill(value: &Value) -> Read<Refill> {
    let found = || format!("a refill is a rate to the thousandth, as \"100/s\", \"40000/m\" or \"1/h\", found {value}");
    let (Value::Text(text) | Value::Number(text)) = value else { return Err(found()) };
    let (digits, unit) = text.split_once('/').unwrap_or((text, "s"));
    let seconds: u64 = match unit.trim() {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return Err(found()),
    };
    let amount = decimal(digits.trim()).and_then(NonZeroU64::new).ok_or_else(found)?;
    let per_ns = NonZeroU64::new(seconds * 1_000_000_000).ok_or_else(found)?;
    Ok(Refill { amount, per_ns })
}

fn thousandths(value: &Value) -> Option<u64> {
    let Value::Number(text) = value else { return None };
    decimal(text)
}

/// A number with at most three places behind its point, in thousandths; at most [`UNITS_MAX`].
fn decimal(text: &str) -> Option<u64> {
    let (whole, places) = text.split_once('.').unwrap_or((text, ""));
    let places = places.trim_end_matches('0');
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || places.len() > 3 || !digits(whole) || !digits(places) {
        return None;
    }
    let whole: u64 = whole.parse().ok()?;
    let thousandths = whole.checked_mul(UNIT)?.checked_add(format!("{places:0<3}").parse().ok()?)?;
    (thousandths <= UNITS_MAX * UNIT).then_some(thousandths)
}

/// What a refusal says of when to come back, where it does not say a time.
pub(crate) const RETRY_AFTER_WORDS: [(&str, RetryAfterWait); 3] = [
    ("honest", RetryAfterWait::Honest),
    ("none", RetryAfterWait::Never),
    ("until_phase_end", RetryAfterWait::UntilPhaseEnd),
];

/// When a refusal says to come back.
pub(super) fn retry_after(value: &Value) -> Read<RetryAfterWait> {
    if let Value::Text(text) = value
        && let Some((_, wait)) = RETRY_AFTER_WORDS.iter().find(|(word, _)| word == text)
    {
        return Ok(*wait);
    }
    duration(value)
        .map(RetryAfterWait::Fixed)
        .map_err(|error| format!("expected honest, none, until_phase_end or a duration; {error}"))
}

/// Text of at most so many bytes.
pub(super) fn text(bytes_max: usize) -> impl Fn(&Value) -> Read<String> {
    move |value| match value {
        Value::Text(text) if text.len() <= bytes_max => Ok(text.clone()),
        Value::Text(text) => Err(format!("a text here has at most {bytes_max} bytes, found {}", text.len())),
        other => Err(format!("expected text, found {other}")),
    }
}

/// A text, or a number as it is written.
pub(super) fn text_or_number(value: &Value) -> Read<String> {
    match value {
        Value::Text(text) | Value::Number(text) => Ok(text.clone()),
        other => Err(format!("expected text or a number, found {other}")),
    }
}

/// A method and a path, as "POST /orders"; a path alone is a GET.
pub(super) fn request_line(value: &Value) -> Read<RequestLine> {
    let found = || format!("a request is a path such as \"/orders\" or \"POST /orders\", found {value}");
    let Value::Text(text) = value else { return Err(found()) };
    let (method, path) = text.split_once(' ').unwrap_or(("GET", text));
    let line = || RequestLine { method: method.to_owned(), path: path.to_owned() };
    (Pattern::is_method(method) && is_path(path)).then(line).ok_or_else(found)
}

/// The method of a request.
pub(super) fn method(value: &Value) -> Read<String> {
    match value {
        Value::Text(text) if Pattern::is_method(text) => Ok(text.clone()),
        other => Err(format!("a method is a word in capitals such as \"POST\", found {other}")),
    }
}

/// The path of a request.
pub(super) fn path(value: &Value) -> Read<String> {
    match value {
        Value::Text(text) if is_path(text) => Ok(text.clone()),
        other => Err(format!("a path is visible text that begins with `/`, as \"/orders\", found {other}")),
    }
}

fn is_path(text: &str) -> bool {
    text.starts_with('/') && text.bytes().all(|b| b.is_ascii_graphic())
}

/// Which failures: texts, or bare statuses.
pub(super) fn failures(value: &Value) -> Read<Failures> {
    let words = words(value, "failures are a list such as [\"429\", \"5xx\", \"transport\"]")?;
    Failures::new(words.iter().map(String::as_str)).map_err(|error| error.to_string())
}

/// The answers that callers take for a success.
pub(super) fn success(value: &Value) -> Read<Success> {
    let rule = "successes are a list such as [\"2xx\", \"404\"], of at least one";
    let words = words(value, rule)?;
    if words.is_empty() {
        return Err(format!("{rule}, found none: nothing could ever succeed"));
    }
    Success::new(words.iter().map(String::as_str)).map_err(|error| error.to_string())
}

/// A list of words, or of numbers, which are words as well.
fn words(value: &Value, rule: &str) -> Read<Vec<String>> {
    let Value::List(nodes) = value else { return Err(format!("{rule}, found {value}")) };
    let word = |node: &Node| match &node.value {
        Value::Text(text) | Value::Number(text) => text.clone(),
        other => other.to_string(),
    };
    Ok(nodes.iter().map(word).collect())
}

fn whole(value: &Value, min: u64) -> Result<u64, ()> {
    let Value::Number(text) = value else { return Err(()) };
    text.parse().ok().filter(|number| min <= *number).ok_or(())
}

fn number(value: &Value) -> Option<f64> {
    let Value::Number(text) = value else { return None };
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

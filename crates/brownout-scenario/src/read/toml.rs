//! TOML.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::node::{Entry, Node, Value};
use crate::problem::Problems;

pub(super) fn tree(text: &str, problems: &mut Problems) -> Option<Node> {
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        problems.add(&error.span().unwrap_or(0..0), error.message());
    }
    let span = table.span();
    errors.is_empty().then(|| Node { value: self::table(table.into_inner()), span })
}

fn table(table: DeTable<'_>) -> Value {
    let entry = |(key, value): (Spanned<_>, _)| {
        let key_span = key.span();
        let key: std::borrow::Cow<'_, str> = key.into_inner();
        Entry { key: key.into_owned(), key_span, node: node(value) }
    };
    let mut entries: Vec<Entry> = table.into_iter().map(entry).collect();
    // The order of the file says what the names were given for: the first policy is what others are held against.
    entries.sort_by_key(|entry| entry.key_span.start);
    Value::Table(entries)
}

fn node(value: Spanned<DeValue<'_>>) -> Node {
    let span = value.span();
    let value = match value.into_inner() {
        DeValue::String(text) => Value::Text(text.into_owned()),
        DeValue::Integer(number) => Value::Number(decimal(&number)),
        DeValue::Float(number) => Value::Number(number.as_str().to_owned()),
        DeValue::Boolean(value) => Value::Bool(value),
        DeValue::Datetime(_) => Value::Other("a date"),
        DeValue::Array(list) => Value::List(list.into_iter().map(node).collect()),
        DeValue::Table(inner) => table(inner),
    };
    Node { value, span }
}

/// A whole number in any of TOML's bases, in base ten.
fn decimal(number: &toml::de::DeInteger<'_>) -> String {
    let value = i128::from_str_radix(number.as_str(), number.radix());
    value.map_or_else(|_| number.to_string(), |value| value.to_string())
}

//! JSON, without extensions.

use std::collections::BTreeSet;

use jsonc_parser::ast::{ObjectPropName, Value as Ast};
use jsonc_parser::common::{Range, Ranged};
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast};

use crate::node::{Entry, Node, Span, Value};
use crate::problem::Problems;

const STRICT: ParseOptions = ParseOptions {
    allow_comments: false,
    allow_loose_object_property_names: false,
    allow_trailing_commas: false,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

pub(super) fn tree(text: &str, problems: &mut Problems) -> Option<Node> {
    match parse_to_ast(text, &CollectOptions::default(), &STRICT) {
        Ok(parsed) => {
            if parsed.value.is_none() {
                problems.add_with_hint(
                    &(0..text.len()),
                    "JSON is a value, found nothing",
                    "the least there can be is {}",
                );
            }
            parsed.value.map(|value| node(value, problems))
        }
        Err(error) => {
            problems.add(&span(error.range()), error.kind());
            None
        }
    }
}

fn node(value: Ast<'_>, problems: &mut Problems) -> Node {
    let span = span(value.range());
    let value = match value {
        Ast::StringLit(text) => Value::Text(text.value.into_owned()),
        Ast::NumberLit(number) => Value::Number(number.value.to_owned()),
        Ast::BooleanLit(literal) => Value::Bool(literal.value),
        Ast::NullKeyword(_) => Value::Other("null"),
        Ast::Array(list) => Value::List(list.elements.into_iter().map(|element| node(element, problems)).collect()),
        Ast::Object(object) => {
            let mut entries: Vec<Entry> = Vec::new();
            let mut keys = BTreeSet::new();
            for property in object.properties {
                let key_span = self::span(property.name.range());
                let key = match property.name {
                    ObjectPropName::String(text) => text.value.into_owned(),
                    ObjectPropName::Word(word) => word.value.to_owned(),
                };
                // JSON lets a key stand twice and says nothing of what it means.
                if !keys.insert(key.clone()) {
                    problems.add_with_hint(&key_span, format!("the key `{key}` stands twice in one table"), "drop one");
                }
                entries.push(Entry { key, key_span, node: node(property.value, problems) });
            }
            Value::Table(entries)
        }
    };
    Node { value, span }
}

fn span(range: Range) -> Span {
    range.start..range.end
}

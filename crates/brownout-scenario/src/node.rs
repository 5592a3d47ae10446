//! A file as a tree in which every value knows its place.

use std::fmt;
use std::ops::Range;

/// Bytes of the text.
pub(crate) type Span = Range<usize>;

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) value: Value,
    pub(crate) span: Span,
}

/// What TOML and JSON have in common.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    Text(String),
    /// As written, so that decimals can be read exactly.
    Number(String),
    Bool(bool),
    List(Vec<Node>),
    Table(Vec<Entry>),
    /// What no key takes: a TOML date, a JSON null.
    Other(&'static str),
}

/// A key with its value.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) key_span: Span,
    pub(crate) node: Node,
}

/// What was found, in a word or two for a message.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "\"{}\"", text.escape_debug()),
            Self::Number(number) => f.write_str(number),
            Self::Bool(value) => write!(f, "{value}"),
            Self::List(_) => f.write_str("a list"),
            Self::Table(_) => f.write_str("a table"),
            Self::Other(what) => f.write_str(what),
        }
    }
}

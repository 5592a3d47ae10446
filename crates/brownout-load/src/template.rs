//! Texts in which names stand for values.

use std::borrow::Cow;

/// A text with names in braces, each of which stands for a value of its own in each call.
///
/// A name is of letters, digits and underscores. Twice the braces around one are the braces themselves: `{{user}}` is
/// `{user}`. All other braces are as they are, so that JSON needs nothing.
///
/// ```
/// use brownout_load::Template;
///
/// let template = Template::parse(r#"{"user": "{user}", "of": "{{user}}", "more": {"n": 1}}"#);
/// assert_eq!(template.names().collect::<Vec<_>>(), ["user"]);
/// let filled = template.fill(|_| "ann".into());
/// assert_eq!(filled, r#"{"user": "ann", "of": "{user}", "more": {"n": 1}}"#);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Template {
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Name(String),
}

impl Template {
    /// Takes `text` apart. Every text is one.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut template = Self::default();
        let mut rest = text;
        while let Some(at) = rest.find('{') {
            let (before, braces) = rest.split_at(at);
            template.push_text(before);
            let (piece, length) = if let Some((name, length)) = name_in(braces, "{{", "}}") {
                (Piece::Text(format!("{{{name}}}")), length)
            } else if let Some((name, length)) = name_in(braces, "{", "}") {
                (Piece::Name(name.to_owned()), length)
            } else {
                (Piece::Text("{".to_owned()), 1)
            };
            match piece {
                Piece::Text(text) => template.push_text(&text),
                name @ Piece::Name(_) => template.pieces.push(name),
            }
            rest = &braces[length..];
        }
        template.push_text(rest);
        template
    }

    /// The names in it, in order, each as often as it stands there.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Name(name) => Some(name.as_str()),
            Piece::Text(_) => None,
        })
    }

    /// Its text with the value of each name in its place.
    pub fn fill<'v>(&self, value: impl Fn(&str) -> Cow<'v, str>) -> String {
        let mut filled = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => filled.push_str(text),
                Piece::Name(name) => filled.push_str(&value(name)),
            }
        }
        filled
    }

    fn push_text(&mut self, more: &str) {
        match self.pieces.last_mut() {
            _ if more.is_empty() => {}
            Some(Piece::Text(text)) => text.push_str(more),
            _ => self.pieces.push(Piece::Text(more.to_owned())),
        }
    }
}

/// The name that `text` begins with, between these braces, and how long all of that is.
fn name_in<'t>(text: &'t str, open: &str, close: &str) -> Option<(&'t str, usize)> {
    let (name, _) = text.strip_prefix(open)?.split_once(close)?;
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let fine = !name.is_empty() && name.bytes().all(is_name);
    fine.then_some((name, open.len() + name.len() + close.len()))
}

#[cfg(test)]
mod tests {
    use super::Template;
    use proptest::prelude::*;

    fn filled(text: &str) -> String {
        Template::parse(text).fill(|name| format!("<{name}>").into())
    }

    #[test]
    fn only_names_in_single_braces_stand_for_something() {
        for (text, expected) in [
            ("", ""),
            ("/a/{b}/{b}?c={d_1}", "/a/<b>/<b>?c=<d_1>"),
            ("{{b}}{b}", "{b}<b>"),
            ("{\"a\": {\"b\": {n}}}", "{\"a\": {\"b\": <n>}}"),
            ("{b", "{b"),
            ("{}{ b }{b-c}", "{}{ b }{b-c}"),
            ("{{b}", "{<b>"),
            ("}}{{", "}}{{"),
            ("{{{b}}}", "{{b}}"),
        ] {
            assert_eq!(filled(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_text_without_names_is_itself(text in "[a-z{} \"]*") {
            let template = Template::parse(&text);
            if template.names().next().is_none() && !text.contains("{{") {
                prop_assert_eq!(filled(&text), text);
            }
        }
    }
}

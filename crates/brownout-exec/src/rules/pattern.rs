//! What a command may print.

use std::str::FromStr;

use regex::bytes::Regex;
use thiserror::Error;

/// A stream that a command writes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// A regular expression that lines of output are held against.
///
/// Written as the expression, after `stdout:` or `stderr:` where only that stream counts; `either:` says that both do, for an
/// expression that itself begins so.
///
/// ```
/// use brownout_exec::{Pattern, Stream};
///
/// let pattern: Pattern = "stderr:(?i)too many requests".parse()?;
/// assert!(pattern.is_of(Stream::Stderr) && !pattern.is_of(Stream::Stdout));
/// assert!(pattern.matches(b"429 Too Many Requests"));
/// # Ok::<(), brownout_exec::PatternError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Pattern {
    text: String,
    /// `None`: both.
    stream: Option<Stream>,
    regex: Regex,
}

/// A text that is no pattern.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PatternError {
    /// No regular expression.
    #[error(
        "a pattern is a regular expression, found `{text}`: {error} at character {column}; brackets take a sign literally (`[(]`)"
    )]
    Syntax {
        /// The expression.
        text: String,
        /// What is wrong with it.
        error: String,
        /// Where, from 1.
        column: usize,
    },
    /// One that takes too much memory.
    #[error("the pattern `{0}` is too large; repeat less (`{{1,1000}}`)")]
    Large(String),
    /// One that is to capture something, and does not.
    #[error("the pattern `{0}` has no group for the number of seconds; write one, as in `retry after (\\d+)`")]
    NoGroup(String),
}

impl Pattern {
    /// Whether lines of this stream are held against it.
    #[must_use]
    pub fn is_of(&self, stream: Stream) -> bool {
        self.stream.is_none_or(|own| own == stream)
    }

    /// Whether a line matches.
    #[must_use]
    pub fn matches(&self, line: &[u8]) -> bool {
        self.regex.is_match(line)
    }

    /// What the first group of a line holds.
    pub(super) fn captures<'l>(&self, line: &'l [u8]) -> Option<&'l [u8]> {
        self.regex.captures(line)?.get(1).map(|group| group.as_bytes())
    }

    /// The same, which has to have a group.
    ///
    /// # Errors
    /// When it has none.
    pub fn with_group(self) -> Result<Self, PatternError> {
        if self.regex.captures_len() < 2 {
            return Err(PatternError::NoGroup(self.text));
        }
        Ok(self)
    }

    /// As it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        let (stream, expression) = match text.split_once(':') {
            Some(("stdout", rest)) => (Some(Stream::Stdout), rest),
            Some(("stderr", rest)) => (Some(Stream::Stderr), rest),
            Some(("either", rest)) => (None, rest),
            _ => (None, text),
        };
        // Asked first, since it knows the place of a mistake.
        let parsed = regex_syntax::ParserBuilder::new().utf8(false).build().parse(expression);
        let (error, column) = match parsed {
            Ok(_) => (None, 0),
            Err(regex_syntax::Error::Parse(error)) => (Some(error.kind().to_string()), error.span().start.column),
            Err(regex_syntax::Error::Translate(error)) => (Some(error.kind().to_string()), error.span().start.column),
            Err(other) => (Some(other.to_string()), 1),
        };
        if let Some(error) = error {
            return Err(PatternError::Syntax { text: expression.to_owned(), error, column });
        }
        let regex = Regex::new(expression).map_err(|_| PatternError::Large(expression.to_owned()))?;
        Ok(Self { text: text.to_owned(), stream, regex })
    }
}

#[cfg(test)]
mod tests {
    use super::{Pattern, PatternError, Stream};
    use proptest::prelude::*;

    #[track_caller]
    fn check(text: &str, stdout: bool, stderr: bool, line: &[u8]) {
        let pattern: Pattern = text.parse().unwrap();
        assert_eq!((pattern.is_of(Stream::Stdout), pattern.is_of(Stream::Stderr)), (stdout, stderr), "{text}");
        assert!(pattern.matches(line), "{text}");
    }

    #[test]
    fn a_prefix_names_the_stream() {
        check("503", true, true, b"HTTP 503");
        check("stdout:^ok$", true, false, b"ok");
        check("stderr:a:b", false, true, b"a:b");
        check("either:stderr:x", true, true, b"stderr:x");
        check("note: x", true, true, b"note: x");
        check(r"(?-u)\xff", true, true, b"\xff");
    }

    #[test]
    fn a_mistake_has_its_place_on_one_line() {
        for (text, column) in [("ab(c", 3), ("stderr:[", 1), ("x*{2,1}", 3), (r"a\y", 2)] {
            let error = text.parse::<Pattern>().unwrap_err();
            let PatternError::Syntax { column: found, .. } = &error else { panic!("{error}") };
            assert_eq!(*found, column, "{error}");
            assert!(!error.to_string().contains('\n'), "{error}");
        }
        assert!(matches!(r"(\w{1000}){1000}".parse::<Pattern>(), Err(PatternError::Large(_))));
        assert!(matches!("a(?:b)".parse::<Pattern>().unwrap().with_group(), Err(PatternError::NoGroup(_))));
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,40}") {
            let _ = text.parse::<Pattern>();
        }
    }
}

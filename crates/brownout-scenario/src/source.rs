//! The text of a file, for showing places in it.

use annotate_snippets::{Annotation, AnnotationKind, Snippet};

use crate::node::Span;

/// A file as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) name: String,
    text: String,
}

impl Source {
    pub(crate) fn new(name: &str, text: &str) -> Self {
        Self { name: name.to_owned(), text: text.to_owned() }
    }

    /// The line and the column of a span, both from 1; a column counts characters.
    pub(crate) fn place(&self, span: &Span) -> (usize, usize) {
        let before = &self.text[..self.clip(span).start];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }

    /// The line of a span, with the span marked.
    pub(crate) fn snippet(&self, span: &Span) -> Snippet<'_, Annotation<'_>> {
        Snippet::source(&*self.text).path(&*self.name).annotation(AnnotationKind::Primary.span(self.clip(span)))
    }

    /// Within the text, on the borders of characters, and on one line: the rest of a long table helps nobody.
    fn clip(&self, span: &Span) -> Span {
        let start = self.text.floor_char_boundary(span.start.min(self.text.len()));
        let line_end = self.text[start..].find('\n').map_or(self.text.len(), |newline| start + newline);
        start..self.text.floor_char_boundary(span.end.clamp(start, line_end))
    }
}

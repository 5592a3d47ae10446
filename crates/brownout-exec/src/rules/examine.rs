//! Looking at output as it comes, in bounded memory.

use std::collections::VecDeque;

use super::{Pattern, Rules, Stream};

/// What was found in a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The first pattern of `retry_on_output` that a line matched.
    pub retry: Option<usize>,
    /// The same of `stop_on_output`.
    pub stop: Option<usize>,
    /// What the last line said that `retry_after_from` matched.
    pub retry_after: Option<String>,
    /// The end of the stream, as text; `None` where it is empty or was not kept.
    pub tail: Option<String>,
}

/// Holds the lines of a stream against the rules.
#[derive(Debug)]
pub struct Examiner<'r> {
    rules: &'r Rules,
    stream: Stream,
    keeps_tail: bool,
    /// The line that has not ended yet.
    line: Vec<u8>,
    tail: VecDeque<u8>,
    seen: Seen,
}

/// A longer line is looked at in pieces of this length.
const LINE_BYTES_MAX: usize = 64 * 1024;
/// So much is kept of the end.
const TAIL_BYTES: usize = 4 * 1024;
/// A number of seconds, or a date, is shorter.
const RETRY_AFTER_BYTES_MAX: usize = 64;

impl<'r> Examiner<'r> {
    /// For a `stream`; `keeps_tail` where its end is to be told.
    #[must_use]
    pub fn new(rules: &'r Rules, stream: Stream, keeps_tail: bool) -> Self {
        Self { rules, stream, keeps_tail, line: Vec::new(), tail: VecDeque::new(), seen: Seen::default() }
    }

    /// More of the stream.
    pub fn feed(&mut self, bytes: &[u8]) {
        if self.keeps_tail {
            let new = &bytes[bytes.len().saturating_sub(TAIL_BYTES)..];
            let surplus = (self.tail.len() + new.len()).saturating_sub(TAIL_BYTES);
            self.tail.drain(..surplus);
            self.tail.extend(new);
        }
        if self.rules.look_at(self.stream) {
            for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
                self.piece(piece);
            }
        }
    }

    /// Of one line.
    fn piece(&mut self, mut piece: &[u8]) {
        while !piece.is_empty() {
            let fits = piece.len().min(LINE_BYTES_MAX - self.line.len());
            self.line.extend_from_slice(&piece[..fits]);
            piece = &piece[fits..];
            if self.line.last() == Some(&b'\n') || self.line.len() == LINE_BYTES_MAX {
                self.look();
            }
        }
    }

    fn look(&mut self) {
        let line = self.line.strip_suffix(b"\n").unwrap_or(&self.line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let (rules, stream) = (self.rules, self.stream);
        let first =
            |patterns: &[Pattern]| patterns.iter().position(|pattern| pattern.is_of(stream) && pattern.matches(line));
        if self.seen.retry.is_none() {
            self.seen.retry = first(&rules.retry_on_output);
        }
        if self.seen.stop.is_none() {
            self.seen.stop = first(&rules.stop_on_output);
        }
        let mut asked = rules.retry_after_from.iter().rev().filter(|pattern| pattern.is_of(stream));
        if let Some(asked) = asked.find_map(|pattern| pattern.captures(line)) {
            let asked = &asked[..asked.len().min(RETRY_AFTER_BYTES_MAX)];
            self.seen.retry_after = Some(String::from_utf8_lossy(asked).into_owned());
        }
        self.line.clear();
    }

    /// The stream has ended.
    #[must_use]
    pub fn finish(mut self) -> Seen {
        if !self.line.is_empty() {
            self.look();
        }
        let tail = Vec::from(self.tail);
        // A character that was cut at the beginning of what is kept is left out, not shown as a mistake.
        let cut = if tail.len() == TAIL_BYTES {
            tail.iter().take(3).take_while(|byte| **byte >> 6 == 0b10).count()
        } else {
            0
        };
        let tail = String::from_utf8_lossy(&tail[cut..]).into_owned();
        Seen { tail: Some(tail).filter(|tail| !tail.is_empty()), ..self.seen }
    }
}

impl Seen {
    /// What was found in both streams.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let first = |a: Option<usize>, b: Option<usize>| a.into_iter().chain(b).min();
        Self {
            retry: first(self.retry, other.retry),
            stop: first(self.stop, other.stop),
            retry_after: self.retry_after.or(other.retry_after),
            tail: self.tail.or(other.tail),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Examiner, LINE_BYTES_MAX, Seen, TAIL_BYTES};
    use crate::rules::{Rules, Stream};
    use proptest::prelude::*;

    fn rules() -> Rules {
        Rules {
            retry_on_output: vec!["^503$".parse().unwrap(), "stdout:busy".parse().unwrap()],
            stop_on_output: vec!["denied".parse().unwrap()],
            retry_after_from: vec![r"after (\S+)".parse().unwrap()],
            ..Rules::default()
        }
    }

    fn examine(stream: Stream, pieces: &[&[u8]]) -> Seen {
        let rules = rules();
        let mut examiner = Examiner::new(&rules, stream, true);
        pieces.iter().for_each(|piece| examiner.feed(piece));
        examiner.finish()
    }

    #[test]
    fn lines_are_found_however_they_come() {
        let whole: &[u8] = b"503\r\nretry after 3\nafter 7 seconds, denied";
        for cut in 0..whole.len() {
            let seen = examine(Stream::Stderr, &[&whole[..cut], &whole[cut..]]);
            assert_eq!((seen.retry, seen.stop, seen.retry_after.as_deref()), (Some(0), Some(0), Some("7")), "{cut}");
        }
        assert_eq!(examine(Stream::Stderr, &[b"5", b"033\n", b"1503"]).retry, None);
        assert_eq!(examine(Stream::Stderr, &[b"busy"]).retry, None);
        assert_eq!(examine(Stream::Stdout, &[b"busy"]).retry, Some(1));
    }

    #[test]
    fn the_tail_is_text_whatever_came() {
        assert_eq!(examine(Stream::Stderr, &[]).tail, None);
        assert_eq!(examine(Stream::Stderr, &[b"a\xffb"]).tail.as_deref(), Some("a\u{fffd}b"));
        let long = "ä".repeat(TAIL_BYTES);
        let tail = examine(Stream::Stderr, &[b"x", long.as_bytes(), b"y"]).tail.unwrap();
        assert!(tail.len() <= TAIL_BYTES && tail.ends_with("äy") && !tail.contains('\u{fffd}'), "{tail}");
    }

    #[test]
    fn a_line_without_end_takes_no_more_memory_than_a_piece() {
        let rules = rules();
        let mut examiner = Examiner::new(&rules, Stream::Stdout, false);
        for _ in 0..100 {
            examiner.feed(&[b'x'; 10_000]);
            assert!(examiner.line.capacity() <= 2 * LINE_BYTES_MAX);
        }
        examiner.feed(b" denied");
        assert_eq!(examiner.finish().stop, Some(0));
    }

    proptest! {
        #[test]
        fn no_output_panics(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..5000), 0..4)) {
            let pieces: Vec<&[u8]> = pieces.iter().map(Vec::as_slice).collect();
            prop_assert!(examine(Stream::Stdout, &pieces).tail.is_none_or(|tail| tail.len() <= 3 * TAIL_BYTES));
        }
    }
}

//! Ends of a command, as a list of words.

use std::ops::RangeInclusive;
use std::str::FromStr;

use brownout_report::Exit;
use thiserror::Error;

/// Some of the ways in which a command can end badly.
///
/// Written as words with commas between them: an exit code (`7`), a range (`100-120`), the name of a signal (`SIGKILL`),
/// `signal` for all of them, or `timeout`.
///
/// ```
/// use brownout_exec::Ends;
/// use brownout_report::Exit;
///
/// let ends: Ends = "1,100-120,SIGKILL".parse()?;
/// assert!(ends.includes(Exit { exit_code: Some(101), ..Exit::default() }));
/// // A shell would call it 137; here it is no exit code.
/// assert!(ends.includes(Exit { signal: Some(9), ..Exit::default() }));
/// # Ok::<(), brownout_exec::EndsError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ends {
    text: String,
    codes: Vec<RangeInclusive<i32>>,
    signals: Vec<i32>,
    any_signal: bool,
    timeout: bool,
}

/// A word that names no end.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum EndsError {
    /// None of the forms above.
    #[error(
        "an end is an exit code from 1 to 255, a range (100-120), a signal (SIGKILL), \"signal\" for any or \"timeout\", \
         found `{0}`"
    )]
    Word(String),
    /// Exit code 0.
    #[error(
        "exit code 0 is success and cannot be listed, found `{0}`; to try again after a success, name what it prints in --retry-on-output"
    )]
    Success(String),
}

/// The signals that end a program and have one number everywhere.
const SIGNALS: [(&str, i32); 13] = [
    ("HUP", 1),
    ("INT", 2),
    ("QUIT", 3),
    ("ILL", 4),
    ("TRAP", 5),
    ("ABRT", 6),
    ("FPE", 8),
    ("KILL", 9),
    ("SEGV", 11),
    ("PIPE", 13),
    ("ALRM", 14),
    ("TERM", 15),
    ("XCPU", 24),
];

impl Ends {
    /// Whether a command that ended like this is one of them.
    #[must_use]
    pub fn includes(&self, exit: Exit) -> bool {
        match exit {
            Exit { timed_out: true, .. } => self.timeout,
            Exit { signal: Some(signal), .. } => self.any_signal || self.signals.contains(&signal),
            Exit { exit_code: Some(code), .. } => self.codes.iter().any(|range| range.contains(&code)),
            _ => false,
        }
    }

    /// As it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl FromStr for Ends {
    type Err = EndsError;

    fn from_str(text: &str) -> Result<Self, EndsError> {
        let mut ends =
            Self { text: text.to_owned(), codes: vec![], signals: vec![], any_signal: false, timeout: false };
        for word in text.split(',').map(str::trim) {
            match word {
                "timeout" => ends.timeout = true,
                "signal" => ends.any_signal = true,
                _ => match named_signal(word) {
                    Some(signal) => ends.signals.push(signal),
                    None => ends.codes.push(codes(word)?),
                },
            }
        }
        Ok(ends)
    }
}

fn named_signal(word: &str) -> Option<i32> {
    let name = word.strip_prefix("SIG")?;
    SIGNALS.iter().find(|(known, _)| *known == name).map(|(_, number)| *number)
}

fn codes(word: &str) -> Result<RangeInclusive<i32>, EndsError> {
    let refusal = || EndsError::Word(word.to_owned());
    let code = |text: &str| {
        // No sign: `+1` and a second dash are slips.
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<u8>().ok().filter(|_| digits).map(i32::from).ok_or_else(refusal)
    };
    let (first, last) = word.split_once('-').unwrap_or((word, word));
    let (first, last) = (code(first)?, code(last)?);
    match first {
        0 => Err(EndsError::Success(word.to_owned())),
        _ if last < first => Err(refusal()),
        _ => Ok(first..=last),
    }
}

#[cfg(test)]
mod tests {
    use super::{Ends, EndsError};
    use brownout_report::Exit;
    use proptest::prelude::*;

    #[test]
    fn codes_ranges_signals_and_timeouts_are_told_apart() {
        let ends: Ends = "1, 7,100-120,SIGTERM".parse().unwrap();
        let codes: Vec<i32> =
            (0..=255).filter(|code| ends.includes(Exit { exit_code: Some(*code), ..Exit::default() })).collect();
        assert_eq!(codes, [1, 7].into_iter().chain(100..=120).collect::<Vec<_>>());
        let signals: Vec<i32> =
            (1..64).filter(|signal| ends.includes(Exit { signal: Some(*signal), ..Exit::default() })).collect();
        assert_eq!(signals, [15]);
        let timed_out = Exit { timed_out: true, ..Exit::default() };
        assert!(!ends.includes(timed_out));
        assert!("timeout".parse::<Ends>().unwrap().includes(timed_out));
        let any: Ends = "signal".parse().unwrap();
        assert!(any.includes(Exit { signal: Some(9), ..Exit::default() }) && !any.includes(timed_out));
    }

    #[test]
    fn other_words_are_refused() {
        for word in ["", "256", "-1", "1-", "7-3", "1-2-3", "+1", "SIGFOO", "sigterm", "signals", "1e2", "９"] {
            assert_eq!(word.parse::<Ends>(), Err(EndsError::Word(word.to_owned())));
        }
        for word in ["0", "0-3"] {
            assert_eq!(format!("1,{word}").parse::<Ends>(), Err(EndsError::Success(word.to_owned())));
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".*") {
            let _ = text.parse::<Ends>();
        }
    }
}

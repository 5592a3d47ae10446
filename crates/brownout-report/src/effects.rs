//! What a service has done, as text.

use std::fmt::Write as _;

use brownout_load::{EffectKeyResult, EffectResult};

use crate::number::counted;
use crate::written;

/// A line for each effect, and one for the keys that it was done for more than once, where there are any.
#[must_use]
pub fn effects_text(effects: &[EffectResult]) -> String {
    written(|text| write(text, effects))
}

pub(crate) fn write(text: &mut String, effects: &[EffectResult]) -> std::fmt::Result {
    for effect in effects {
        let EffectResult { name, done, keys, duplicates, repeated, prevented, unkeyed, untracked, worst } = effect;
        write!(text, "Effect {name}: done {} for {}", counted(*done, "time", "times"), counted(*keys, "key", "keys"))?;
        write!(text, ", {}", counted(*duplicates, "duplicate", "duplicates"))?;
        for (count, what) in [
            (prevented, "more prevented"),
            (unkeyed, "without a key, which may be duplicates too"),
            (untracked, "beyond the keys that are told apart"),
        ] {
            if *count > 0 {
                write!(text, ", {count} {what}")?;
            }
        }
        writeln!(text)?;
        if *repeated > 0 {
            let the = if *repeated > worst.len() as u64 { "the worst: " } else { "" };
            let worst: Vec<_> = worst.iter().map(|EffectKeyResult { key, done }| format!("{key} ({done})")).collect();
            writeln!(text, "  done more than once: {}: {the}{}", counted(*repeated, "key", "keys"), worst.join(", "))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::effects_text;
    use brownout_load::{EffectKeyResult, EffectResult};

    #[test]
    fn one_and_many() {
        let none = EffectResult {
            name: "mail".to_owned(),
            done: 1,
            keys: 1,
            duplicates: 0,
            repeated: 0,
            prevented: 0,
            unkeyed: 0,
            untracked: 0,
            worst: vec![],
        };
        assert_eq!(effects_text(std::slice::from_ref(&none)), "Effect mail: done 1 time for 1 key, 0 duplicates\n");
        let worst = vec![EffectKeyResult { key: "request 7".to_owned(), done: 3 }];
        let some = EffectResult {
            done: 18,
            keys: 4,
            duplicates: 5,
            repeated: 2,
            prevented: 1,
            unkeyed: 6,
            untracked: 3,
            worst,
            ..none
        };
        assert_eq!(
            effects_text(&[some]),
            "Effect mail: done 18 times for 4 keys, 5 duplicates, 1 more prevented, 6 without a key, which may be duplicates too, \
             3 beyond the keys that are told apart\n  done more than once: 2 keys: the worst: request 7 (3)\n"
        );
    }
}

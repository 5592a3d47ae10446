//! Retries around retries, as they show in the waits of one call.

use super::backoff::near;

/// How often each layer of retries tries, the innermost first, where the `waits` of a call, in milliseconds, repeat as those of
/// layers do: `[3, 4]` for an SDK that tries three times within a framework that tries four times. Empty where they do not.
///
/// The waits of an inner layer come again, the same, in every try of the one around it. That is all there is to go by, so layers that wait
/// alike, or not at all, or with jitter, do not show.
#[must_use]
pub fn layers(waits: &[Option<f64>]) -> Vec<usize> {
    let Some(known) = waits.iter().copied().collect::<Option<Vec<f64>>>() else { return Vec::new() };
    let mut layers = Vec::new();
    let mut waits = known;
    while let Some(tries) = innermost(&waits) {
        layers.push(tries);
        waits = waits.into_iter().skip(tries - 1).step_by(tries).collect();
    }
    if !layers.is_empty() {
        layers.push(waits.len() + 1);
    }
    layers
}

/// Fewer attempts repeat by chance: of four, one wait that is like another would do.
const ATTEMPTS_MIN: usize = 6;

/// How many tries come again and again.
fn innermost(waits: &[f64]) -> Option<usize> {
    let attempts = waits.len() + 1;
    let uniform = waits.iter().all(|wait| near(*wait, waits[0]));
    if attempts < ATTEMPTS_MIN || uniform {
        return None;
    }
    (2..=attempts / 2).filter(|tries| attempts.is_multiple_of(*tries)).find(|tries| {
        let first = &waits[..tries - 1];
        let inner_repeats = waits.chunks(*tries).all(|block| block.iter().zip(first).all(|(a, b)| near(*a, *b)));
        let mut outer = waits.iter().skip(tries - 1).step_by(*tries);
        // The wait around them is another than any within: otherwise it is one rule, and no layers.
        inner_repeats && outer.all(|wait| first.iter().all(|inner| !near(*wait, *inner)))
    })
}

#[cfg(test)]
mod tests {
    use super::layers;

    fn of(waits: &[f64]) -> Vec<usize> {
        layers(&waits.iter().copied().map(Some).collect::<Vec<_>>())
    }

    /// The waits of layers, the innermost first: how often each tries, and its waits.
    fn nested(of: &[(usize, &[f64])]) -> Vec<f64> {
        of.iter().fold(Vec::new(), |inner, (tries, waits)| {
            (0..*tries).fold(Vec::new(), |mut all, place| {
                all.extend(&inner);
                all.extend(waits.get(place).filter(|_| place + 1 < *tries));
                all
            })
        })
    }

    #[test]
    fn tries_within_tries_are_told() {
        let sdk: (usize, &[f64]) = (3, &[100.0, 200.0]);
        let framework: (usize, &[f64]) = (4, &[500.0, 1000.0, 2000.0]);
        let queue: (usize, &[f64]) = (3, &[8000.0, 8000.0]);
        assert_eq!(nested(&[sdk, framework]).len() + 1, 12);
        assert_eq!(of(&nested(&[sdk, framework])), [3, 4]);
        assert_eq!(of(&nested(&[sdk, framework, queue])), [3, 4, 3]);
        // Immediate retries within longer waits.
        assert_eq!(of(&nested(&[(2, &[1.0]), (3, &[400.0, 400.0])])), [2, 3]);
    }

    #[test]
    fn one_rule_is_no_layers() {
        for waits in [&[][..], &[1000.0], &[1.0, 900.0], &[1000.0; 11], &[1000.0, 2000.0, 4000.0, 8000.0, 16_000.0]] {
            assert!(of(waits).is_empty(), "{waits:?}");
        }
        assert!(layers(&[Some(1.0), None, Some(1.0)]).is_empty());
    }
}

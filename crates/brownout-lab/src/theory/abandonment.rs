//! Queues whose callers give up waiting. Patience counts until service starts; a call in service is served to its end.

use super::chain;

/// What an M/M/c+M (Erlang-A) settles to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ErlangA {
    /// Share of calls that give up waiting.
    pub abandoned: f64,
    /// Share of calls that do not start at once.
    pub delayed: f64,
    /// Mean number waiting.
    pub waiting: f64,
    /// Mean wait of all calls: served at once, served later, or given up.
    pub wait: f64,
}

/// Solves an M/M/c+M: waiting callers give up at rate `theta` each, above 0, so the mean patience is `1 / theta`.
///
/// Birth rate a, death rate min(n, c) + θ max(n - c, 0). With patience there is no overload without bound. In steps, of
/// which there are about c + (a - c) / θ: a patience of millions of service times takes its time.
///
/// Sources: C. Palm, "Research on telephone traffic carried by full availability groups", Tele 1957;
/// A. Mandelbaum and S. Zeltyn, "Service engineering in action: the Palm/Erlang-A queue", 2007.
///
/// ```
/// # use brownout_lab::theory::abandonment::exponential_patience;
/// // Half as many servers as calls need: those who give up make up for it.
/// let pressed = exponential_patience(50, 100.0, 1.0);
/// assert!((pressed.abandoned - 0.5).abs() < 1e-6);
/// ```
#[must_use]
pub fn exponential_patience(servers: u32, load: f64, theta: f64) -> ErlangA {
    let queued = |n: u32| f64::from(n.saturating_sub(servers));
    let ratio = |n: u32| load / (f64::from(n.min(servers)) + theta * queued(n));
    let rewards = |n: u32| [f64::from(u8::from(servers <= n)), queued(n)];
    let [delayed, waiting] = chain::means(None, ratio, rewards);
    let wait = if load > 0.0 { waiting / load } else { 0.0 };
    ErlangA { abandoned: theta * wait, delayed, waiting, wait }
}

/// What an M/M/1+D settles to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FixedPatience {
    /// Share of calls that give up, each after waiting for exactly its patience.
    pub abandoned: f64,
    /// Mean wait of the calls that are served.
    pub wait_of_served: f64,
}

/// Solves an M/M/1+D: one server, and every caller gives up after waiting for `patience`, in mean service times.
///
/// Let V be the work that an arrival finds ahead of it, which is the wait it would have. It stays to be served if V <
/// D, and only then adds work. Balancing the crossings of a level x gives V an atom P at 0; the density `λ P e^((λ-1)
/// x)` below D; and above, where nobody joins, `λ P e^((λ-1) D) e^-(x-D)`. Their sum is 1, and the mass above D is
/// what is lost.
///
/// Source: D. Y. Barrer, "Queuing with impatient customers and ordered service", Operations Research 5 (1957).
#[must_use]
pub fn fixed_patience(load: f64, patience: f64) -> FixedPatience {
    let growth = (load - 1.0) * patience;
    // The three masses ÷ the larger of 1 and e^growth, so that none overflows.
    let atom = libm::exp(-growth.max(0.0));
    let above = load * libm::exp(growth.min(0.0));
    let below = load * patience * decay_mass(growth.abs());
    let first_moment = load * patience * patience * if growth > 0.0 { rising(growth) } else { falling(-growth) };
    FixedPatience { abandoned: above / (atom + below + above), wait_of_served: first_moment / (atom + below) }
}

/// `∫ e^(-vx) dx` over the unit interval.
fn decay_mass(v: f64) -> f64 {
    if v > 0.0 { -libm::expm1(-v) / v } else { 1.0 }
}

/// `∫ x e^(-vx) dx` over the unit interval: by its power series where the closed form would cancel.
fn falling(v: f64) -> f64 {
    if v > 0.5 {
        return (1.0 - libm::exp(-v) * (1.0 + v)) / (v * v);
    }
    let mut term = 1.0;
    (0..16_u8).fold(0.0, |sum, n| {
        let part = term / f64::from(n + 2);
        term *= -v / f64::from(n + 1);
        sum + part
    })
}

/// `∫ x e^(vx) dx ÷ e^v` over the unit interval: `falling` seen from the other end.
fn rising(v: f64) -> f64 {
    decay_mass(v) - falling(v)
}

#[cfg(test)]
mod tests;

use std::time::Duration;

use brownout_draw::{Distribution, Seed, Stream, draw};

use super::super::{assert_near, check, erlang, mm1};
use super::{exponential_patience, fixed_patience};

/// Calls that leave the queue as fast as a server would serve them make an M/M/∞: the number present is Poisson.
#[test]
fn patience_of_one_service_time_is_a_poisson_chain() {
    for (servers, load) in [(1, 0.5), (5, 4.0), (50, 60.0)] {
        let weights = |n: u32| libm::exp(f64::from(n) * libm::log(load) - load - libm::lgamma(f64::from(n) + 1.0));
        let delayed: f64 = 1.0 - (0..servers).map(weights).sum::<f64>();
        let idle: f64 = (0..servers).map(|n| f64::from(servers - n) * weights(n)).sum();
        let solved = exponential_patience(servers, load, 1.0);
        assert_near(solved.delayed, delayed, 1e-12);
        // E(N - c)⁺ = E N - c + E(c - N)⁺.
        assert_near(solved.waiting, load - f64::from(servers) + idle, 1e-12);
    }
}

#[test]
fn endless_patience_is_erlang_c_and_none_is_erlang_b() {
    for (servers, load) in [(1, 0.8), (10, 8.0), (100, 95.0)] {
        let patient = exponential_patience(servers, load, 1e-9);
        assert_near(patient.delayed, erlang::delayed(servers, load), 1e-5);
        assert_near(patient.wait, erlang::wait(servers, load), 1e-5);
        let hasty = exponential_patience(servers, load, 1e12);
        assert_near(hasty.abandoned, erlang::blocking(servers, load), 1e-9);
    }
}

#[test]
fn who_neither_gives_up_nor_waits_is_in_service() {
    // Far above capacity all servers are busy: c calls served per service time, the others give up.
    for (servers, load, theta) in [(1, 10.0, 0.01), (50, 100.0, 0.5), (1000, 2000.0, 3.0)] {
        let solved = exponential_patience(servers, load, theta);
        assert_near(load * (1.0 - solved.abandoned), f64::from(servers), 1e-6);
        assert_near(solved.wait * load, solved.waiting, 1e-9);
    }
}

#[test]
fn without_patience_or_without_calls() {
    // A caller who never waits meets Erlang B.
    for load in [0.3, 1.0, 4.0] {
        let hasty = fixed_patience(load, 0.0);
        assert_near(hasty.abandoned, erlang::blocking(1, load), 1e-15);
        check(hasty.wait_of_served, "0");
    }
    check(fixed_patience(0.0, 3.0).abandoned, "0");
    check(exponential_patience(2, 0.0, 1.0).wait, "0");
}

#[test]
fn endless_fixed_patience_is_mm1_below_capacity_and_sheds_the_surplus_above() {
    assert_near(fixed_patience(0.8, 1e4).abandoned, 0.0, 1e-15);
    assert_near(fixed_patience(0.8, 1e4).wait_of_served, mm1::wait(0.8), 1e-12);
    assert_near(fixed_patience(4.0, 1e4).abandoned, 0.75, 1e-12);
    // Those served have waited nearly to the end of their patience: 1 / (λ - 1) short of it.
    assert_near(fixed_patience(4.0, 1e4).wait_of_served, 1e4 - 1.0 / 3.0, 1e-6);
}

/// The loss in one fraction, `λ (1-λ) e^(-(1-λ)D) / (1 - λ² e^(-(1-λ)D))`.
/// Source: B. V. Gnedenko and I. N. Kovalenko, "Introduction to Queueing Theory", 1968.
#[test]
fn loss_is_the_known_fraction() {
    for load in [0.1, 0.5, 0.9, 1.1, 3.0] {
        for patience in [0.01, 0.5, 2.0, 10.0] {
            let decay = libm::exp((load - 1.0) * patience);
            let known = load * (1.0 - load) * decay / (1.0 - load * load * decay);
            assert_near(fixed_patience(load, patience).abandoned, known, 1e-13);
        }
    }
    // At λ = 1 the fraction is 0/0 and the loss 1 / (2 + D).
    check(fixed_patience(1.0, 2.0).abandoned, "0.250000000000");
}

/// Around capacity, and where the series hands over to the closed form, nothing jumps.
#[test]
fn the_branches_meet() {
    for (load, patience) in [(1.0, 2.0), (1.25, 2.0), (0.75, 2.0)] {
        let (under, over) = (fixed_patience(load - 1e-9, patience), fixed_patience(load + 1e-9, patience));
        assert_near(under.abandoned, over.abandoned, 1e-8);
        assert_near(under.wait_of_served, over.wait_of_served, 1e-8);
    }
}

/// Four standard errors or more: neighbours are alike for the few service times that patience lasts.
const SAMPLING: f64 = 0.006;

#[test]
fn fixed_patience_as_a_queue_has_it() {
    for (load, patience) in [(0.5, 1.0), (0.9, 3.0), (1.0, 2.0), (1.5, 2.0), (3.0, 0.5)] {
        let seen = queue(1, load, |_| patience);
        let solved = fixed_patience(load, patience);
        assert_near(seen.abandoned, solved.abandoned, SAMPLING);
        assert_near(seen.wait_of_served, solved.wait_of_served, SAMPLING * patience.max(1.0));
    }
}

#[test]
fn exponential_patience_as_a_queue_has_it() {
    for (servers, load, theta) in [(1, 0.9, 0.5), (1, 2.0, 2.0), (5, 4.5, 0.25), (5, 7.0, 1.5)] {
        let seen = queue(servers, load, |caller| sample("patience", caller) / theta);
        let solved = exponential_patience(servers, load, theta);
        assert_near(seen.abandoned, solved.abandoned, SAMPLING);
        assert_near(seen.delayed, solved.delayed, SAMPLING);
        assert_near(seen.wait, solved.wait, SAMPLING / theta.min(1.0));
    }
}

struct Seen {
    abandoned: f64,
    delayed: f64,
    wait: f64,
    wait_of_served: f64,
}

/// The queue itself, caller by caller: each starts when a server is free of those before it, unless that is too late.
fn queue(servers: u32, load: f64, patience: impl Fn(u32) -> f64) -> Seen {
    let callers = 400_000;
    let mut free_at = vec![0.0_f64; servers as usize];
    let (mut now, mut abandoned, mut delayed, mut waited, mut waited_in_vain) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for caller in 0..callers {
        now += sample("arrival", caller) / load;
        let server = free_at.iter_mut().min_by(|one, other| one.total_cmp(other)).unwrap();
        let start = server.max(now);
        delayed += f64::from(u8::from(start > now));
        let patience = patience(caller);
        if start - now < patience {
            *server = start + sample("service", caller);
            waited += start - now;
        } else {
            abandoned += 1.0;
            waited_in_vain += patience;
        }
    }
    let callers = f64::from(callers);
    Seen {
        abandoned: abandoned / callers,
        delayed: delayed / callers,
        wait: (waited + waited_in_vain) / callers,
        wait_of_served: waited / (callers - abandoned),
    }
}

/// Exponential with mean 1.
fn sample(purpose: &str, caller: u32) -> f64 {
    let unit = Distribution::exponential(Duration::from_secs(1), None).unwrap();
    unit.sample(draw(Seed(1957), Stream::named(purpose), u64::from(caller), 0)).as_secs_f64()
}

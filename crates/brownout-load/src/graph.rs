//! Who calls whom, behind the service that clients call.

use brownout_draw::{Seed, Stream, draw};
use brownout_policy::Policy;
use brownout_service::{Identity, Phase, Service};

use crate::ServiceResult;

/// The services behind the one that clients call, and the calls that each makes while it works on a request.
///
/// A service makes its calls one after another, when the work of its own is done; its worker is held until they have ended. If
/// one fails, the request is answered with 502. A service fails of itself, by its own outcomes, before it makes a call.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Graph {
    /// What the service makes that clients call.
    pub calls: Vec<Hop>,
    /// The services behind it.
    pub behind: Vec<Node>,
}

/// A service behind another.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// In results.
    pub name: String,
    /// What it does.
    pub service: Service,
    /// What it calls in turn.
    pub calls: Vec<Hop>,
}

/// Calls from one service to another.
#[derive(Clone, Debug, PartialEq)]
pub struct Hop {
    /// To which: its place in [`Graph::behind`].
    pub to: usize,
    /// What the calling service does after a failure. It is one client, with one memory.
    pub policy: Policy,
    /// Whether the call is over when the attempt that it is made for is given up.
    pub pass_deadline: bool,
}

/// What is counted of the calls along one hop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HopCounts {
    /// Calls begun.
    pub calls: u64,
    /// Of these, calls that succeeded.
    pub succeeded: u64,
    /// Attempts of these calls.
    pub attempts: u64,
    /// Retries and hedges that were wanted and that a budget refused.
    pub budget_denied: u64,
}

/// What the services behind are told of who asks; no driver draws from it for anything else.
const HOP: Stream = Stream::named("hop");

/// The number of the call that attempt `asked` has made along hop number `hop` of [`Graph::hops`], from 1: the same in every
/// run and in every world, and none that a client's call has.
#[must_use]
pub fn inner_number(asked: Identity, hop: u32) -> u64 {
    let drawn = draw(Seed(asked.request), HOP, asked.attempt.get().into(), hop);
    drawn | 1 << 63
}

impl Graph {
    /// Nothing behind.
    pub const NONE: Self = Self { calls: Vec::new(), behind: Vec::new() };

    /// The phases of all services, those of the `first` before the others.
    #[must_use]
    pub fn phases(&self, first: &Service) -> Vec<Phase> {
        let behind = self.behind.iter().flat_map(|node| node.service.phases());
        first.phases().iter().chain(behind).cloned().collect()
    }

    /// The calls of every service, those of the first before the others. Hops are numbered in this order, from 1.
    pub fn hops(&self) -> impl Iterator<Item = &[Hop]> {
        let behind = self.behind.iter().map(|node| &*node.calls);
        std::iter::once(&*self.calls).chain(behind)
    }

    /// What became of the services behind the first, whose clients started so many calls, by the `counts` of every hop, in the
    /// order of their numbers. Capacities are told apart.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a ratio of counts")]
    pub fn results(&self, counts: impl Iterator<Item = HopCounts>, started: u64) -> Vec<ServiceResult> {
        let mut sums = vec![HopCounts::default(); self.behind.len()];
        for (hop, counts) in self.hops().flatten().zip(counts) {
            let sum = &mut sums[hop.to];
            sum.calls += counts.calls;
            sum.succeeded += counts.succeeded;
            sum.attempts += counts.attempts;
            sum.budget_denied += counts.budget_denied;
        }
        let result = |(node, sum): (&Node, HopCounts)| {
            let HopCounts { calls, succeeded, attempts, budget_denied } = sum;
            let amplification = (started > 0).then(|| attempts as f64 / started as f64);
            let name = node.name.clone();
            ServiceResult { name, calls, succeeded, attempts, budget_denied, amplification, capacity: None }
        };
        self.behind.iter().zip(sums).map(result).collect()
    }

    /// The names around a circle, where services call each other in one; the first once more at the end.
    #[must_use]
    pub fn circle(&self) -> Option<Vec<&str>> {
        let mut seen = vec![Look::Unseen; self.behind.len()];
        (0..self.behind.len()).find_map(|node| self.walk(node, &mut seen))
    }

    /// Looks for a circle from `node` on; the way back of one is told from its last service to its first.
    fn walk(&self, node: usize, seen: &mut [Look]) -> Option<Vec<&str>> {
        match seen[node] {
            Look::Done => return None,
            Look::OnTheWay => return Some(vec![self.behind[node].name.as_str()]),
            Look::Unseen => seen[node] = Look::OnTheWay,
        }
        for hop in &self.behind[node].calls {
            if let Some(mut circle) = self.walk(hop.to, seen) {
                // Whole once its first service is met again.
                if circle.len() == 1 || circle.first() != circle.last() {
                    circle.insert(0, &self.behind[node].name);
                }
                return Some(circle);
            }
        }
        seen[node] = Look::Done;
        None
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Look {
    Unseen,
    OnTheWay,
    Done,
}

#[cfg(test)]
mod tests {
    use super::{Graph, Hop, HopCounts, Node, inner_number};
    use brownout_policy::Policy;
    use brownout_service::{Identity, Service};

    fn graph(calls: &[&[usize]]) -> Graph {
        let hop = |to: &usize| Hop { to: *to, policy: Policy::none(), pass_deadline: false };
        let node = |(index, calls): (usize, &&[usize])| Node {
            name: ["a", "b", "c", "d"][index].to_owned(),
            service: Service::default(),
            calls: calls.iter().map(hop).collect(),
        };
        Graph { calls: vec![], behind: calls.iter().enumerate().map(node).collect() }
    }

    #[track_caller]
    fn check(calls: &[&[usize]], expected: Option<&[&str]>) {
        assert_eq!(graph(calls).circle().as_deref(), expected);
    }

    #[test]
    fn a_circle_is_found_and_a_diamond_is_none() {
        check(&[&[1, 2], &[3], &[3], &[]], None);
        check(&[&[1], &[2], &[0]], Some(&["a", "b", "c", "a"]));
        check(&[&[0]], Some(&["a", "a"]));
        check(&[&[1], &[2], &[1]], Some(&["b", "c", "b"]));
    }
    #[test]
    fn a_service_that_two_call_has_the_calls_of_both() {
        let graph = graph(&[&[1, 2], &[2], &[]]);
        let counts = |calls| HopCounts { calls, succeeded: 1, attempts: 2 * calls, budget_denied: 0 };
        let results = graph.results([3, 4, 5].map(counts).into_iter(), 6);
        let told: Vec<_> =
            results.iter().map(|own| (own.calls, own.succeeded, own.attempts, own.amplification)).collect();
        assert_eq!(told, [(0, 0, 0, Some(0.0)), (3, 1, 6, Some(1.0)), (9, 2, 18, Some(3.0))]);
        assert_eq!(graph.results(std::iter::empty(), 0)[0].amplification, None);
    }

    /// These numbers decide the luck of every call that a service makes: another one would be another run.
    #[test]
    fn a_call_is_numbered_by_the_attempt_and_the_hop() {
        let attempt = |attempt: u32| Identity { request: 7, attempt: attempt.try_into().unwrap() };
        let numbers = [inner_number(attempt(1), 1), inner_number(attempt(2), 1), inner_number(attempt(1), 2)];
        assert!(numbers.iter().all(|number| *number >= 1 << 63), "a client's call could have that number");
        assert!(numbers[0] != numbers[1] && numbers[0] != numbers[2] && numbers[1] != numbers[2]);
        assert_eq!(numbers[0], 10_867_299_263_783_717_350);
    }
}

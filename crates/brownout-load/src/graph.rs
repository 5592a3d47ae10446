//! Who calls whom, behind the service that clients call.

use brownout_policy::Policy;
use brownout_service::{Phase, Service};

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

impl Graph {
    /// Nothing behind.
    pub const NONE: Self = Self { calls: Vec::new(), behind: Vec::new() };

    /// The phases of all services, those of the `first` before the others.
    #[must_use]
    pub fn phases(&self, first: &Service) -> Vec<Phase> {
        let behind = self.behind.iter().flat_map(|node| node.service.phases());
        first.phases().iter().chain(behind).cloned().collect()
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
    use super::{Graph, Hop, Node};
    use brownout_policy::Policy;
    use brownout_service::Service;

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
}

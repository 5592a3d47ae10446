//! Open loads: calls start when they are due, whatever became of those before.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use brownout_load::{Attempt, GivenUp, Over, Schedule};
use brownout_service::Service;
use tokio::task::JoinSet;

use crate::Client;
use crate::call::UnderWay;
use crate::run::{Crowd, value};
use crate::spares::Spares;
use crate::wait::{end_of, until};

/// How many calls may be in flight: more would tell of this machine's sockets rather than of the service.
pub(crate) const IN_FLIGHT_MAX: usize = 10_000;

/// How many idle connections all clients together keep.
const SPARES_OF_ALL: usize = 512;

/// An open load under way. Times are counted from the beginning of the run.
pub(crate) struct Open<O> {
    crowd: Arc<Crowd>,
    spares: Arc<Spares>,
    observe: O,
    calls: JoinSet<Ended>,
    in_flight_max: usize,
    /// Calls of the schedule that were due, and calls made again that were.
    arrived: u64,
    returned: u64,
    /// Who makes a call again, and when; the number of the call that failed tells equal times apart.
    returns: BTreeMap<(Duration, u64), u32>,
    /// What clients keep of calls that failed.
    given_up: GivenUp,
    ended: bool,
}

/// A call that is due.
#[derive(Clone, Copy)]
struct Due {
    at: Duration,
    client: u32,
    /// Whether it is one that failed before.
    returned: bool,
}

/// A call that is over, for better or worse.
struct Ended {
    number: u64,
    due: Due,
    at: Duration,
    failed: bool,
}

impl<O> Open<O>
where
    O: Fn(u64, &Attempt) + Clone + Send + Sync + 'static,
{
    /// The open `crowd` before its first call, with at most `in_flight_max` calls under way.
    pub(crate) fn new(crowd: Arc<Crowd>, in_flight_max: usize, observe: O) -> Self {
        Self {
            crowd,
            spares: Arc::new(Spares::new(SPARES_OF_ALL)),
            observe,
            calls: JoinSet::new(),
            in_flight_max,
            arrived: 0,
            returned: 0,
            returns: BTreeMap::new(),
            given_up: GivenUp::default(),
            ended: false,
        }
    }

    /// Makes its calls, at the rate of the load times the load factors of `service`: how many it offered.
    pub(crate) async fn make(mut self, service: Option<&Service>) -> u64 {
        let crowd = Arc::clone(&self.crowd);
        let factor = |at| service.map_or(1.0, |service| service.load_factor(at));
        let factor_max = service.and_then(Service::load_factor_max);
        let mut schedule = Schedule::new(&crowd.load, crowd.arrivals_seed, factor_max);
        let mut next = || {
            let arrival = schedule.next_of(crowd.shard, factor)?;
            Some(Due { at: Duration::from_nanos(arrival.at_ns), client: arrival.client, returned: false })
        };
        let mut arrival = next();
        let mut told = crowd.ended();
        loop {
            let due = self.earlier(arrival);
            if due.is_none() && self.calls.is_empty() {
                break;
            }
            let moment = due.map(|due| due.at);
            tokio::select! {
                biased;
                () = end_of(&mut told), if !self.ended => {
                    (self.ended, arrival) = (true, None);
                    self.returns.clear();
                }
                Some(over) = self.calls.join_next() => self.over(&value(over)),
                () = until(&crowd.run.clock, moment) => {
                    if let Some(due) = due {
                        if due.returned {
                            self.returns.pop_first();
                        } else {
                            arrival = next();
                        }
                        self.begin(due);
                    }
                    // With a rate beyond this machine there is always another one due.
                    tokio::task::coop::consume_budget().await;
                }
            }
        }
        crowd.asked.unwrap_or(self.arrived) + self.returned
    }

    /// What is due first: the next of the schedule, or a call made again.
    fn earlier(&self, arrival: Option<Due>) -> Option<Due> {
        let returning = self.returns.first_key_value();
        let returning = returning.map(|(&(at, _), &client)| Due { at, client, returned: true });
        match (arrival, returning) {
            (Some(arrival), Some(returning)) if returning.at < arrival.at => Some(returning),
            (Some(arrival), _) => Some(arrival),
            (None, returning) => returning,
        }
    }

    /// Begins a call; one too many is counted and not made.
    fn begin(&mut self, due: Due) {
        let (_, number) = self.crowd.next_call();
        *(if due.returned { &mut self.returned } else { &mut self.arrived }) += 1;
        if self.calls.len() >= self.in_flight_max {
            return self.over(&Ended { number, due, at: due.at, failed: true });
        }
        if due.returned {
            self.crowd.returned();
        }
        let (crowd, observe) = (Arc::clone(&self.crowd), self.observe.clone());
        let of_all = crowd.first_client + due.client;
        let client = Client::one_of(Arc::clone(&crowd.drive.target), crowd.run.clock, of_all, Arc::clone(&self.spares));
        self.calls.spawn(async move {
            let count = |attempt: &Attempt| {
                crowd.attempt_over(attempt);
                observe(number, attempt);
            };
            let (end, _) = UnderWay::new(&crowd, &client, due.client, number, due.at, count).make().await;
            crowd.call_over(&end);
            Ended { number, due, at: Duration::from_nanos(end.ended_ns()), failed: end.failed.is_some() }
        });
    }

    /// What becomes of what a call was to do, now that it is over.
    fn over(&mut self, ended: &Ended) {
        let Ended { number, due: Due { client, returned, .. }, at, failed } = *ended;
        let Crowd { drive, load, .. } = &*self.crowd;
        let again = self.given_up.over(load, drive.seed, Over { client, number, returned, failed });
        if let Some(after) = again
            && !self.ended
            && let at = at.saturating_add(after)
            && load.goes_on_at(at)
        {
            self.returns.insert((at, number), client);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Open;
    use crate::run::{Crowd, Run};
    use crate::{Drive, Target, Trust};
    use brownout_clock::{Clock, Scale};
    use brownout_draw::{Distribution, Seed};
    use brownout_load::{AfterGiveUp, Arrivals, Calls, Load, Rate};
    use brownout_policy::{Policy, Settings};
    use std::net::TcpListener;
    use std::sync::Arc;
    use std::time::Duration;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    /// Twenty calls within 20 ms to somebody who never answers, five of them at once; each is given up after 1.5 s.
    async fn calls(after_give_up: AfterGiveUp, duration: Option<Duration>) -> Calls {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let target = Arc::new(Target::new(&url, "GET", None, &Trust::default()).unwrap());
        let settings = Settings { max_retries: Some(0), attempt_timeout: Some(MS(1500)), ..Settings::default() };
        let drive = Drive {
            target,
            policy: Arc::new(Policy::new(settings).unwrap()),
            seed: Seed(1),
            clock: Clock::start(Scale::ONE),
        };
        let arrivals = Arrivals::Constant(Rate::per_second(1000.0).unwrap());
        let load = Load { arrivals, count: Some(20), duration, after_give_up, ..Load::default() };
        let run = Arc::new(Run::new(Clock::start(Scale::ONE)));
        let crowd = Arc::new(Crowd::new(&run, &drive, &load.parts()[0]));
        let offered = Open::new(crowd, 5, |_, _| ()).make(None).await;
        run.result(offered, None).calls
    }

    #[tokio::test]
    async fn a_call_too_many_is_counted_and_not_made() {
        let calls = calls(AfterGiveUp::Drop, None).await;
        assert_eq!((calls.offered, calls.started, calls.unsent), (20, 5, 15));
    }

    #[tokio::test]
    async fn what_could_not_be_sent_is_made_again_as_what_failed_is() {
        // Those that were not sent come back while the five are under way, and once more find no place.
        let again = AfterGiveUp::ComeBack(Distribution::fixed(MS(100)));
        let calls = calls(again, Some(MS(150))).await;
        assert_eq!((calls.offered, calls.started, calls.unsent, calls.returned), (35, 5, 30, 0));
    }
}

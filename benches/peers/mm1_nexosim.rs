//! M/M/1 in NeXosim, on one thread: one model that schedules its own arrivals and departures.

use std::collections::VecDeque;
use std::time::Duration;

use nexosim::model::{Context, Model, schedulable};
use nexosim::ports::QuerySource;
use nexosim::simulation::{Mailbox, SimInit};
use nexosim::time::MonotonicTime;
use peers::{Draws, GAP};
use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
struct Server {
    draws: Draws,
    to_come: u64,
    line: VecDeque<MonotonicTime>,
    spent: Duration,
}

#[Model]
impl Server {
    #[nexosim(init)]
    async fn open(&mut self, cx: &Context<Self>) {
        self.schedule_arrival(cx);
    }

    #[nexosim(schedulable)]
    fn arrive(&mut self, _: (), cx: &Context<Self>) {
        self.line.push_back(cx.time());
        if self.line.len() == 1 {
            self.schedule_departure(cx);
        }
        self.to_come -= 1;
        if self.to_come > 0 {
            self.schedule_arrival(cx);
        }
    }

    #[nexosim(schedulable)]
    fn depart(&mut self, _: (), cx: &Context<Self>) {
        let since = self.line.pop_front().expect("who leaves was there");
        self.spent += cx.time().duration_since(since);
        if !self.line.is_empty() {
            self.schedule_departure(cx);
        }
    }

    fn schedule_arrival(&mut self, cx: &Context<Self>) {
        let gap = self.time(GAP);
        cx.schedule_event(gap, schedulable!(Self::arrive), ()).expect("later than now");
    }

    fn schedule_departure(&mut self, cx: &Context<Self>) {
        let service = self.time(1.0);
        cx.schedule_event(service, schedulable!(Self::depart), ()).expect("later than now");
    }

    /// A nanosecond at least: what is scheduled must lie after the present.
    fn time(&mut self, mean: f64) -> Duration {
        Duration::from_nanos(self.draws.exponential_ns(mean).max(1))
    }

    async fn spent(&mut self) -> Duration {
        self.spent
    }
}

fn main() {
    peers::time(|customers, seed| {
        let (draws, line) = (Draws::new(seed), VecDeque::new());
        let server = Server { draws, to_come: customers, line, spent: Duration::ZERO };
        let mailbox = Mailbox::new();
        let mut bench = SimInit::with_num_threads(1);
        let spent = QuerySource::new().connect(Server::spent, &mailbox).register(&mut bench);
        let start = MonotonicTime::EPOCH;
        let mut simulation = bench.add_model(server, mailbox, "server").init(start).expect("one model, well connected");
        simulation.run().expect("nothing fails");
        let spent = simulation.process_query(&spent, ()).expect("one model that answers");
        spent.as_secs_f64() / simulation.time().duration_since(start).as_secs_f64()
    });
}

//! M/M/1 in DesCartes: one component that schedules its own arrivals and departures.

use std::collections::VecDeque;
use std::time::Duration;

use descartes_core::{Component, Execute, Executor, Key, Scheduler, SimTime, Simulation, SimulationConfig};
use peers::{Draws, GAP};

#[derive(Debug)]
enum Event {
    Arrival,
    Departure,
}

struct Server {
    draws: Draws,
    to_come: u64,
    line: VecDeque<SimTime>,
    spent: Duration,
}

impl Server {
    fn schedule(&mut self, id: Key<Event>, scheduler: &mut Scheduler, event: Event, mean: f64) {
        let after = Duration::from_nanos(self.draws.exponential_ns(mean));
        scheduler.schedule(SimTime::from_duration(after), id, event);
    }
}

impl Component for Server {
    type Event = Event;

    fn process_event(&mut self, id: Key<Event>, event: &Event, scheduler: &mut Scheduler) {
        match event {
            Event::Arrival => {
                self.line.push_back(scheduler.time());
                if self.line.len() == 1 {
                    self.schedule(id, scheduler, Event::Departure, 1.0);
                }
                self.to_come -= 1;
                if self.to_come > 0 {
                    self.schedule(id, scheduler, Event::Arrival, GAP);
                }
            }
            Event::Departure => {
                let since = self.line.pop_front().expect("who leaves was there");
                self.spent += scheduler.time().duration_since(since);
                if !self.line.is_empty() {
                    self.schedule(id, scheduler, Event::Departure, 1.0);
                }
            }
        }
    }
}

fn main() {
    peers::time(|customers, seed| {
        let mut simulation = Simulation::new(SimulationConfig { seed });
        let (draws, line) = (Draws::new(seed), VecDeque::new());
        let id = simulation.add_component(Server { draws, to_come: customers, line, spent: Duration::ZERO });
        simulation.schedule(SimTime::zero(), id, Event::Arrival);
        Executor::unbound().execute(&mut simulation);
        let server: Server = simulation.remove_component(id).expect("it was added");
        server.spent.as_secs_f64() / simulation.time().as_duration().as_secs_f64()
    });
}

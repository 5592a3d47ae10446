//! M/M/1 in simu-des: a process a customer, a resource with one place, the generator the crate brings along.

use std::cell::Cell;
use std::rc::Rc;

use peers::GAP;
use simu::rng::{SplitMix64, sample::exponential};
use simu::{EnvHandle, Resource, SimEnv};

async fn customer(env: EnvHandle, server: Resource, spent: Rc<Cell<f64>>) {
    let arrived = env.now();
    let _turn = server.request().await;
    let service = exponential(&mut env.rng(), 1.0);
    env.timeout(service).await;
    spent.set(spent.get() + env.now() - arrived);
}

async fn arrivals(env: EnvHandle, customers: u64, spent: Rc<Cell<f64>>) {
    let server = Resource::new(1);
    for _ in 0..customers {
        env.spawn(customer(env.clone(), server.clone(), spent.clone()));
        let gap = exponential(&mut env.rng(), GAP);
        env.timeout(gap).await;
    }
}

fn main() {
    peers::time(|customers, seed| {
        let mut env = SimEnv::with_source(SplitMix64::new(seed));
        let spent = Rc::new(Cell::new(0.0));
        env.spawn(arrivals(env.handle(), customers, spent.clone()));
        env.run();
        spent.get() / env.now()
    });
}

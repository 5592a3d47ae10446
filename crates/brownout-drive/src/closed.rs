//! Closed loads: each client makes its next call when the last one has ended.

use std::sync::Arc;

use brownout_load::Attempt;
use tokio::task::JoinSet;

use crate::Client;
use crate::call::UnderWay;
use crate::run::{Crowd, value};
use crate::wait::unless_ended;

/// Makes the calls of a closed `crowd`, each client with connections of its own: how many it offered.
pub(crate) async fn make<O>(crowd: Arc<Crowd>, observe: O) -> u64
where
    O: Fn(u64, &Attempt) + Clone + Send + Sync + 'static,
{
    let mut clients = JoinSet::new();
    let owned = |client: &u32| crowd.shard.is_none_or(|shard| shard.owns((*client).into()));
    for number in (0..crowd.load.busy_clients()).filter(owned) {
        clients.spawn(client(Arc::clone(&crowd), number, observe.clone()));
    }
    while let Some(client) = clients.join_next().await {
        value(client);
    }
    // A load with a duration offers what fits into it, however much that is.
    crowd.asked.unwrap_or(0)
}

/// One closed client: call after call, until there are none left or the run is ended.
async fn client<O: Fn(u64, &Attempt)>(crowd: Arc<Crowd>, client: u32, observe: O) {
    let Crowd { drive, load, run, first_client, shard, .. } = &*crowd;
    let (of_all, clock) = (first_client + client, run.clock);
    let connections = Client::numbered(Arc::clone(&drive.target), clock, of_all);
    let mut ended = crowd.ended();
    // When the next call is to begin; its latency counts from then.
    let mut due = load.start(drive.seed, of_all);
    unless_ended(&mut ended, clock.sleep_until(due)).await;
    let mut turns = 0..;
    while !*ended.borrow() && load.goes_on_at(due) {
        let (nth, number) = match turns.next().filter(|_| shard.is_some()) {
            Some(turn) => crowd.call_in_turn(client, turn),
            None => crowd.next_call(),
        };
        if nth > load.count_max() {
            return;
        }
        let count = |attempt: &Attempt| {
            crowd.attempt_over(attempt);
            observe(number, attempt);
        };
        let call = UnderWay::new(&crowd, &connections, client, number, due, count);
        crowd.call_over(&call.make().await.0);
        due = clock.now().saturating_add(load.pause(drive.seed, number));
        if load.goes_on_at(due) {
            unless_ended(&mut ended, clock.sleep_until(due)).await;
        }
    }
}

//! One client and its connections.

use std::sync::Arc;
use std::time::Duration;

use brownout_clock::Clock;
use brownout_load::Exchange;
use brownout_service::Identity;

use crate::Target;
use crate::answer::Answer;
use crate::broken::Broken;
use crate::connection::{Connection, Failure, Wanted};
use crate::outgoing::Outgoing;
use crate::spares::Spares;

/// How many connections of a client by itself are kept while they are idle.
const SPARES_OF_ONE: usize = 8;

/// A client: sends each request on a connection of its own, one that it kept where it has one.
#[derive(Clone, Debug)]
pub struct Client {
    target: Arc<Target>,
    clock: Clock,
    /// Which client of the load it is, and of those that share the spares.
    number: u32,
    spares: Arc<Spares>,
    /// Whether headers and bodies of successes are kept.
    shown: bool,
}

impl Client {
    /// Client `number` of a load, without a connection; the first request makes one.
    #[must_use]
    pub fn numbered(target: Arc<Target>, clock: Clock, number: u32) -> Self {
        Self::one_of(target, clock, number, Arc::new(Spares::new(SPARES_OF_ONE)))
    }

    /// Client `number` of those that keep their connections in `spares`.
    pub(crate) const fn one_of(target: Arc<Target>, clock: Clock, number: u32, spares: Arc<Spares>) -> Self {
        Self { target, clock, number, spares, shown: false }
    }

    /// The same, whose exchanges have headers and body of a success, too.
    #[must_use]
    pub fn showing(self) -> Self {
        Self { shown: true, ..self }
    }

    /// Where its requests go.
    pub(crate) fn target(&self) -> &Target {
        &self.target
    }

    /// Makes one attempt, one request on the wire, within `allowance` if there is one; the service is told what is left of it.
    ///
    /// - `delay`: how long the attempt is on its way before anything is sent; part of its latency.
    pub async fn exchange(&self, identity: Identity, delay: Duration, allowance: Option<Duration>) -> Exchange {
        let started = self.clock.now();
        let attempt = async {
            self.clock.sleep(delay).await;
            let until = allowance.map(|allowance| started.saturating_add(allowance));
            self.attempt(identity, until).await
        };
        let received = match allowance {
            Some(allowance) => self.clock.timeout(allowance, attempt).await.map_err(|_| allowance),
            None => Ok(attempt.await),
        };
        let latency = self.clock.now().saturating_sub(started);
        match received {
            Ok(Ok(answer)) => answer.exchange(latency, self.clock.scale()),
            Ok(Err(Broken { transport, error, own })) => {
                Exchange { own_failure: own, ..Exchange::broken(transport, latency, error) }
            }
            Err(allowance) => Exchange { latency, ..Exchange::timed_out(allowance) },
        }
    }

    async fn attempt(&self, identity: Identity, until: Option<Duration>) -> Result<Answer, Broken> {
        let target = &*self.target;
        let outgoing = Outgoing::new(target, self.number, identity);
        let wanted = Wanted { body: outgoing.is_answered_with_a_body(), shown: self.shown, success: &target.success };
        // Taken out for the time of the attempt: one that is given up halfway cannot be used again.
        if let Some(mut kept) = self.spares.take(self.number).filter(Connection::is_open) {
            match kept.exchange(&outgoing, self.left(until), wanted).await {
                Ok(answered) => return Ok(self.over(kept, answered)),
                Err(Failure::Broken(broken)) => return Err(broken),
                // It had been closed, and no byte of the request left: this is still the first try.
                Err(Failure::Unsent) => {}
            }
        }
        // In a box of its own: what it takes to connect would make every attempt a large one.
        let mut connection = Box::pin(Connection::open(target)).await?;
        match connection.exchange(&outgoing, self.left(until), wanted).await {
            Ok(answered) => Ok(self.over(connection, answered)),
            Err(Failure::Broken(broken)) => Err(broken),
            Err(Failure::Unsent) => {
                Err(Broken::closed("the service closed the connection before it got a request".to_owned()))
            }
        }
    }

    /// Keeps a connection on which another request may follow.
    fn over(&self, connection: Connection, (answer, keeps): (Answer, bool)) -> Answer {
        if keeps && self.target.keep_alive {
            self.spares.keep(self.number, connection);
        }
        answer
    }

    /// How long the answer to a request that is sent now is really waited for.
    fn left(&self, until: Option<Duration>) -> Option<Duration> {
        until.map(|until| self.clock.scale().real(until.saturating_sub(self.clock.now())))
    }
}

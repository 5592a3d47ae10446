//! What the API watches and changes.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use brownout_clock::Clock;
use brownout_report::Origin;
use brownout_serve::App;

use crate::events::Gallery;
use crate::lately::Lately;

/// A service that is served.
#[derive(Debug)]
pub struct Served {
    /// As the scenario calls it; the first has no name there.
    pub name: String,
    /// Where it listens, as a URL.
    pub url: String,
    /// The service.
    pub app: Arc<App>,
}

/// Reads the scenario again and puts it in the place of the one that runs.
pub type Reload = Box<dyn Fn() -> Result<Origin, String> + Send + Sync>;

/// What became of the last reload.
#[derive(Clone, Debug, Default)]
pub struct Reloaded {
    /// How many times another scenario took the place of the one that ran.
    pub times: u64,
    /// Why the last one did not.
    pub refused: Option<String>,
}

/// The services of a program, with all that can be done to them.
pub struct Control {
    pub(crate) services: Vec<Served>,
    /// What they did lately, and who looks on.
    pub(crate) lately: Lately,
    pub(crate) gallery: Gallery,
    reload: Reload,
    state: Mutex<State>,
}

struct State {
    origin: Origin,
    reloaded: Reloaded,
}

impl std::fmt::Debug for Control {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Control").field("services", &self.services).finish_non_exhaustive()
    }
}

impl Control {
    /// Of `services`, the one that clients call first, which come from `origin` and are read again by `reload`.
    ///
    /// # Panics
    /// Without a service.
    #[must_use]
    pub fn new(services: Vec<Served>, origin: Origin, reload: Reload) -> Self {
        assert!(!services.is_empty(), "there is nothing to control");
        let state = State { origin, reloaded: Reloaded::default() };
        let (lately, gallery) = (Lately::of(services.len()), Gallery::default());
        Self { services, lately, gallery, reload, state: Mutex::new(state) }
    }

    /// The service that clients call.
    pub(crate) fn first(&self) -> &Served {
        &self.services[0]
    }

    /// The service of that name; without one, the first.
    pub(crate) fn service(&self, name: Option<&str>) -> Option<&Served> {
        name.map_or(Some(self.first()), |name| self.services.iter().find(|served| served.name == name))
    }

    /// The place of one of them.
    pub(crate) fn place(&self, served: &Served) -> usize {
        self.services.iter().position(|own| std::ptr::eq(own, served)).unwrap_or_default()
    }

    /// The time of all of them.
    pub(crate) fn clock(&self) -> Clock {
        self.first().app.clock()
    }

    pub(crate) fn origin(&self) -> Origin {
        self.state().origin.clone()
    }

    /// What became of the last reload.
    #[must_use]
    pub fn reloaded(&self) -> Reloaded {
        self.state().reloaded.clone()
    }

    /// Reads the scenario again; one that is not sound leaves what runs as it is.
    ///
    /// # Errors
    /// What is wrong with it, with line and column.
    pub fn reload(&self) -> Result<(), String> {
        let read = (self.reload)();
        let mut state = self.state();
        match read {
            Ok(origin) => {
                state.origin = origin;
                state.reloaded.times += 1;
                state.reloaded.refused = None;
                Ok(())
            }
            Err(why) => {
                state.reloaded.refused = Some(why.clone());
                Err(why)
            }
        }
    }

    /// Begins the run again: the time, who asked, what was counted; changes are undone.
    pub(crate) fn reset(&self) {
        let clock = self.clock().anew();
        for served in &self.services {
            served.app.reset(clock);
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

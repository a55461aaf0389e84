//! Keeps a gateway running in a process that goes on when it stops: the desktop app.
//!
//! A person starts and stops it. What breaks off by itself is started again, with growing pauses; what cannot start because
//! somebody else has the port or the folder is tried again until they let go.
//!
//! **Invariant:** one task starts and stops, one thing after the other. There are never two gateways of one keeper.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

use crate::{Environment, ListenError, Options, OwnerError, Paths, Running, Serving, StartError, StopError, start};

/// Somebody else lets go at a moment nobody tells us.
const TAKEN: Duration = Duration::from_secs(3);
/// Before the first new start after a break, and the longest of the doubled pauses.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));
/// Who has served for so long begins with short pauses again.
const SOUND: Duration = Duration::from_secs(300);

/// A gateway and who looks after it. Clones speak to the same one.
#[derive(Debug, Clone)]
pub struct Keeper {
    orders: mpsc::UnboundedSender<Order>,
    phase: watch::Receiver<Phase>,
}

/// How it stands.
#[derive(Debug, Clone)]
pub enum Phase {
    /// It is about to serve.
    Starting,
    /// It serves.
    Running(Serving),
    /// Answers under way may finish.
    Stopping,
    /// A person stopped it.
    Stopped,
    /// It does not serve, though it should.
    Failed(Trouble),
}

/// Why it does not serve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// What to make of it.
    pub kind: TroubleKind,
    /// What happened, in a sentence.
    pub message: String,
    /// Whether it is tried again by itself, or waits for a person.
    pub tries_again: bool,
}

/// Kinds of trouble that a person can do something about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TroubleKind {
    /// Another program listens there.
    PortTaken {
        /// The port.
        port: u16,
    },
    /// Another Codeferry serves this folder.
    OtherOwner {
        /// Where, if it said so already.
        url: Option<String>,
        /// Its process, if it is known.
        pid: Option<u32>,
    },
    /// It served, and broke off.
    Broken,
    /// Something else: the message says it.
    Other,
}

#[derive(Debug)]
enum Order {
    Start,
    Stop,
    /// Start anew with the demo account, or without it.
    Demo(bool),
    End(oneshot::Sender<()>),
}

/// The one task.
struct Care {
    options: Options,
    paths: Paths,
    environment: Environment,
    orders: mpsc::UnboundedReceiver<Order>,
    phase: watch::Sender<Phase>,
    tasks: TaskTracker,
}

/// What comes after a gateway that has ended, or one that did not start.
enum Next {
    /// A person wants it.
    Start,
    /// It is time to try once more.
    Again,
    /// Until a person wants it.
    Wait,
    /// To be told when all is over. `None`: nobody is left to give orders.
    End(Option<oneshot::Sender<()>>),
}

// === impl Keeper ===

impl Keeper {
    /// Starts a gateway as its Owner, within the present runtime. `tasks` tracks the task that looks after it.
    pub fn begin(options: Options, paths: Paths, environment: Environment, tasks: &TaskTracker) -> Self {
        let (send, orders) = mpsc::unbounded_channel();
        let (phase, seen) = watch::channel(Phase::Starting);
        let care = Care { options, paths, environment, orders, phase, tasks: tasks.clone() };
        tasks.spawn(care.run());
        Self { orders: send, phase: seen }
    }

    /// How it stands, and every change.
    pub fn phase(&self) -> watch::Receiver<Phase> {
        self.phase.clone()
    }

    /// The gateway, while it serves.
    pub fn serving(&self) -> Option<Serving> {
        match &*self.phase.borrow() {
            Phase::Running(serving) => Some(serving.clone()),
            _ => None,
        }
    }

    /// Starts it, or tries again at once. Nothing happens if it runs.
    pub fn start(&self) {
        // Nobody to tell: it has ended for good.
        let _ = self.orders.send(Order::Start);
    }

    /// Stops it in order. Nothing happens if it does not run.
    pub fn stop(&self) {
        let _ = self.orders.send(Order::Stop);
    }

    /// Starts it anew with the embedded demo account instead of the person's own ones, or the other way round. Answers
    /// under way may finish.
    pub fn set_demo(&self, demo: bool) {
        let _ = self.orders.send(Order::Demo(demo));
    }

    /// Stops it in order, for good; returns when that is done.
    pub async fn end(&self) {
        let (done, over) = oneshot::channel();
        if self.orders.send(Order::End(done)).is_ok() {
            // An error says that the task is gone, which is what we wait for.
            let _ = over.await;
        }
    }
}

// === impl Phase ===

impl Phase {
    /// A word for programs.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Running(_) => "running",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
            Self::Failed(_) => "failed",
        }
    }
}

// === impl Trouble ===

impl Trouble {
    fn starting(error: &StartError) -> Self {
        let kind = match error {
            StartError::Listen(ListenError::Taken { address, .. }) => TroubleKind::PortTaken { port: address.port() },
            StartError::Owner(OwnerError::Taken { owner, .. }) => TroubleKind::OtherOwner {
                url: owner.as_ref().and_then(|owner| owner.url.clone()),
                pid: owner.as_ref().map(|owner| owner.pid),
            },
            _ => TroubleKind::Other,
        };
        let tries_again = !matches!(kind, TroubleKind::Other);
        let message = match error {
            // What to do about it is not typed here.
            StartError::Listen(ListenError::Taken { address, holder }) => {
                format!("port {} on {} is taken {holder}", address.port(), address.ip())
            }
            error => error.to_string(),
        };
        Self { kind, message, tries_again }
    }

    fn broken(error: &StopError) -> Self {
        Self { kind: TroubleKind::Broken, message: error.to_string(), tries_again: true }
    }
}

// === impl Care ===

impl Care {
    async fn run(mut self) {
        let mut pause = PAUSES.0;
        // What is tried again by itself stays in trouble until it works; a person who asks is shown that we try.
        let mut asked = true;
        loop {
            if asked {
                self.phase.send_replace(Phase::Starting);
            }
            let began = Instant::now();
            let next = match self.start().await {
                Ok(running) => {
                    let next = self.serve(running, &mut pause).await;
                    if began.elapsed() >= SOUND {
                        pause = PAUSES.0;
                    }
                    next
                }
                Err(trouble) => {
                    let again = trouble.tries_again.then_some(TAKEN);
                    self.rest(Phase::Failed(trouble), again).await
                }
            };
            let next = match next {
                Next::Wait => self.rest(Phase::Stopped, None).await,
                next => next,
            };
            match next {
                Next::Start | Next::Wait => asked = true,
                Next::Again => asked = false,
                Next::End(done) => {
                    self.phase.send_replace(Phase::Stopped);
                    if let Some(done) = done {
                        // Whoever waited may have left.
                        let _ = done.send(());
                    }
                    return;
                }
            }
        }
    }

    /// In a task of its own: a panic must not take with it who would say that there was one.
    async fn start(&self) -> Result<Running, Trouble> {
        let (options, paths, environment) = (self.options.clone(), self.paths.clone(), self.environment.clone());
        let started = self.tasks.spawn(async move { start(options, &paths, &environment).await });
        match started.await {
            Ok(started) => started.map_err(|error| Trouble::starting(&error)),
            Err(error) => Err(Trouble::broken(&error.into())),
        }
    }

    /// Until it ends: by an order, by the control plane, or because it broke off.
    async fn serve(&mut self, mut running: Running, pause: &mut Duration) -> Next {
        self.phase.send_replace(Phase::Running(Serving::of(&running)));
        let order = loop {
            tokio::select! {
                order = self.orders.recv() => match order {
                    Some(Order::Start) => {}
                    Some(Order::Demo(demo)) if demo == self.options.demo => {}
                    order => break order,
                },
                () = running.ended() => {
                    // Without an error somebody asked for it through the control plane.
                    let Err(error) = running.stop().await else { return Next::Wait };
                    let trouble = Trouble::broken(&error);
                    let waits = *pause;
                    *pause = (*pause * 2).min(PAUSES.1);
                    return self.rest(Phase::Failed(trouble), Some(waits)).await;
                }
            }
        };
        self.phase.send_replace(Phase::Stopping);
        if let Err(error) = running.stop().await {
            tracing::error!(%error, "the gateway did not end well");
        }
        match order {
            Some(Order::Demo(demo)) => {
                self.options.demo = demo;
                Next::Start
            }
            Some(Order::End(done)) => Next::End(Some(done)),
            Some(_) => Next::Wait,
            None => Next::End(None),
        }
    }

    /// Nothing runs, until somebody wants it or it is time to try again.
    async fn rest(&mut self, phase: Phase, again: Option<Duration>) -> Next {
        // The same trouble once more is no news.
        let same =
            matches!((&*self.phase.borrow(), &phase), (Phase::Failed(known), Phase::Failed(new)) if known == new);
        if !same {
            if let Phase::Failed(trouble) = &phase {
                tracing::error!("the gateway does not run: {}", trouble.message);
            }
            self.phase.send_replace(phase);
        }
        let time = async {
            match again {
                Some(pause) => tokio::time::sleep(pause).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            order = self.orders.recv() => match order {
                Some(Order::Start) => Next::Start,
                Some(Order::Demo(demo)) => {
                    self.options.demo = demo;
                    Next::Start
                }
                // It is not to be tried again.
                Some(Order::Stop) => Next::Wait,
                Some(Order::End(done)) => Next::End(Some(done)),
                None => Next::End(None),
            },
            () = time => Next::Again,
        }
    }
}

#[cfg(test)]
mod tests;

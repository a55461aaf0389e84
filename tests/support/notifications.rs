//! The part of a desktop that shows notifications: it notes them, and a test can click on one.
//!
//! <https://specifications.freedesktop.org/notification-spec/latest/>

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use zbus::object_server::SignalEmitter;
use zbus::zvariant::OwnedValue;
use zbus::{Connection, interface};

use crate::bus::Bus;
use crate::patience::until;

const PATH: &str = "/org/freedesktop/Notifications";

/// What was said so far on a bus.
pub struct Notifications {
    connection: Connection,
    said: Said,
}

/// One notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Given by us.
    pub id: u32,
    /// Who says it.
    pub app: String,
    /// Its title.
    pub summary: String,
    /// Its text.
    pub body: String,
    /// What can be clicked: a key and a label for each.
    pub actions: Vec<(String, String)>,
}

type Said = Arc<Mutex<Vec<Notice>>>;

struct Daemon {
    said: Said,
}

#[interface(name = "org.freedesktop.Notifications")]
impl Daemon {
    fn get_capabilities(&self) -> Vec<&'static str> {
        vec!["actions", "body", "persistence"]
    }

    fn get_server_information(&self) -> (&'static str, &'static str, &'static str, &'static str) {
        ("codeferry-tests", "codeferry", "1", "1.2")
    }

    #[expect(clippy::too_many_arguments, reason = "the specification has so many")]
    fn notify(
        &self,
        app: String,
        replaces: u32,
        _icon: &str,
        summary: String,
        body: String,
        actions: Vec<String>,
        _hints: HashMap<String, OwnedValue>,
        _expires: i32,
    ) -> u32 {
        let mut said = lock(&self.said);
        let next = u32::try_from(said.len()).unwrap_or(u32::MAX - 1) + 1;
        let id = if replaces == 0 { next } else { replaces };
        let actions = actions.chunks(2).filter_map(|pair| Some((pair.first()?.clone(), pair.get(1)?.clone())));
        said.push(Notice { id, app, summary, body, actions: actions.collect() });
        id
    }

    fn close_notification(&self, _id: u32) {}

    #[zbus(signal)]
    async fn action_invoked(emitter: &SignalEmitter<'_>, id: u32, action_key: &str) -> zbus::Result<()>;

    #[zbus(signal)]
    async fn notification_closed(emitter: &SignalEmitter<'_>, id: u32, reason: u32) -> zbus::Result<()>;
}

// === impl Notifications ===

impl Notifications {
    /// Takes the place of the desktop's own.
    pub async fn start(bus: &Bus) -> Self {
        let (connection, said) = (bus.connect().await, Said::default());
        connection.object_server().at(PATH, Daemon { said: Arc::clone(&said) }).await.expect("a free path");
        connection.request_name("org.freedesktop.Notifications").await.expect("the only one");
        Self { connection, said }
    }

    /// Everything that was said, in order.
    pub fn all(&self) -> Vec<Notice> {
        lock(&self.said).clone()
    }

    /// Those in whose title or text this stands.
    pub fn with(&self, words: &str) -> Vec<Notice> {
        self.all().into_iter().filter(|it| it.summary.contains(words) || it.body.contains(words)).collect()
    }

    /// Waits for one in whose title or text this stands.
    pub async fn wait(&self, words: &str) -> Notice {
        until(&format!("a notification with {words:?}"), async || {
            self.with(words).pop().ok_or_else(|| format!("{:#?}", self.all()))
        })
        .await
    }

    /// Clicks on one, as a person does: its default action, then it is gone.
    pub async fn click(&self, notice: &Notice) {
        let server = self.connection.object_server();
        let daemon = server.interface::<_, Daemon>(PATH).await.expect("it is there");
        let emitter = daemon.signal_emitter();
        Daemon::action_invoked(emitter, notice.id, "default").await.expect("the bus takes it");
        Daemon::notification_closed(emitter, notice.id, 2).await.expect("the bus takes it");
    }
}

fn lock(said: &Said) -> MutexGuard<'_, Vec<Notice>> {
    said.lock().unwrap_or_else(PoisonError::into_inner)
}

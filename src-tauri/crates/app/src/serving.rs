//! A running gateway for whoever shows it: all in this process, without HTTP.

use std::sync::Arc;

use codeferry_accounts::Pool;
use codeferry_gateway::{Changes, Gateway, Status};
use codeferry_store::SettingsFile;

use crate::Running;

/// A gateway that serves, or did until a moment ago. Cheap to clone; it keeps nothing running.
#[derive(Clone)]
pub struct Serving {
    url: Arc<str>,
    demo: bool,
    gateway: Arc<Gateway>,
    settings: SettingsFile,
    pool: Pool,
}

// === impl Serving ===

impl Serving {
    pub(crate) fn of(running: &Running) -> Self {
        Self {
            url: running.url().into(),
            demo: running.demo().is_some(),
            gateway: Arc::clone(running.gateway()),
            settings: running.settings().clone(),
            pool: running.pool().clone(),
        }
    }

    /// Where it listens, as `http://address:port`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Whether it answers from the demo account.
    pub fn is_demo(&self) -> bool {
        self.demo
    }

    /// How it fares.
    pub fn status(&self) -> Status {
        self.gateway.status()
    }

    /// Wakes whoever shows the status.
    pub fn changes(&self) -> Changes {
        self.gateway.changes()
    }

    /// What it is doing.
    pub fn gateway(&self) -> &Arc<Gateway> {
        &self.gateway
    }

    /// What was chosen.
    pub fn settings(&self) -> &SettingsFile {
        &self.settings
    }

    /// Who pays.
    pub fn pool(&self) -> &Pool {
        &self.pool
    }

    /// A link that opens the dashboard once, at that screen; see [`Gateway::session_link`].
    ///
    /// # Errors
    /// When the system gives no random numbers.
    pub fn session_link(&self, to: Option<&str>) -> std::io::Result<String> {
        self.gateway.session_link(to).map_err(|error| std::io::Error::other(error.to_string()))
    }
}

impl std::fmt::Debug for Serving {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Serving").field("url", &self.url).finish_non_exhaustive()
    }
}

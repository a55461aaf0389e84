//! Waking those who show the status: the tray, the window's title, notifications.
//!
//! They ask for [`Gateway::status`](crate::Gateway::status) and show all of it, so they are told only that there is something
//! new. What the status shows changes in three places: the accounts, the settings, and what is told here.
//!
//! **Invariant:** whoever tells never waits. Nothing ticks while nothing happens.

use std::sync::Arc;
use std::time::Duration;

use codeferry_accounts::{AccountStatus, Pool};
use codeferry_store::{Settings, SettingsFile};
use tokio::sync::watch;
use tokio::time::Instant;

/// So much time passes between two looks: nobody sees more, and requests that come and go would keep a tray busy.
const APART: Duration = Duration::from_millis(300);

/// Where news is told that no other part tells.
#[derive(Debug)]
pub(crate) struct News(watch::Sender<u64>);

/// Somebody who shows the status.
#[derive(Debug)]
pub struct Changes {
    news: watch::Receiver<u64>,
    accounts: watch::Receiver<Arc<[AccountStatus]>>,
    settings: watch::Receiver<Arc<Settings>>,
    looked: Option<Instant>,
}

// === impl News ===

impl Default for News {
    fn default() -> Self {
        Self(watch::Sender::new(0))
    }
}

impl News {
    /// Something the status shows is new.
    pub(crate) fn tell(&self) {
        self.0.send_modify(|count| *count = count.wrapping_add(1));
    }

    pub(crate) fn changes(&self, pool: &Pool, settings: &SettingsFile) -> Changes {
        let (news, accounts, settings) = (self.0.subscribe(), pool.subscribe(), settings.subscribe());
        Changes { news, accounts, settings, looked: None }
    }
}

// === impl Changes ===

impl Changes {
    /// Returns when there is something new since the last return, and a moment has passed since then. Never, once the
    /// gateway is gone. Dropping the future loses nothing.
    pub async fn next(&mut self) {
        if let Some(looked) = self.looked {
            tokio::time::sleep_until(looked + APART).await;
        }
        let gone = tokio::select! {
            told = self.news.changed() => told.is_err(),
            told = self.accounts.changed() => told.is_err(),
            told = self.settings.changed() => told.is_err(),
        };
        if gone {
            return std::future::pending().await;
        }
        self.news.mark_unchanged();
        self.accounts.mark_unchanged();
        self.settings.mark_unchanged();
        self.looked = Some(Instant::now());
    }
}

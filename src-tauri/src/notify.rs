//! Notifications: what is worth a word while nobody looks.
//!
//! [`facts`] gathers what is so, [`due`] decides what of it is news, [`said`] remembers what was told, [`words`] are the
//! sentences. Each kind has its switch, `desktop.notify.*`, and a click leads to the screen where something can be done.
//!
//! Where clicks are told (tauri-plugin-notification 2.8): on Linux as long as the desktop shows the notification, its list
//! included; on Windows while the toast is on the screen, not from the notification centre; on macOS until it is dismissed.
//!
//! **Invariant:** nothing is told twice, and nothing that was so before somebody began to look.

mod due;
mod facts;
mod said;
mod words;

use codeferry_app::{Phase, system_clock};
use jiff::tz::TimeZone;
use tauri::{AppHandle, Manager as _};
use tauri_plugin_notification::NotificationExt as _;

use self::facts::Facts;
use self::said::Said;
use self::words::Moment;
pub(crate) use self::words::sentence;
use crate::deep_link::Link;
use crate::shell::Shell;
use crate::{language, update, window};

/// One notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Notice {
    pub(crate) title: String,
    pub(crate) body: String,
    /// Where a click leads.
    pub(crate) link: Link,
}

/// What is remembered from one look to the next.
pub(crate) struct Notifier {
    before: Facts,
    said: Said,
}

/// The member of a notification's data that holds its link.
const LINK: &str = "link";

/// Listens for clicks.
pub(crate) fn begin(app: &AppHandle) {
    let opens = app.clone();
    let listens = app.notification().on_action(move |performed| {
        let link = performed.notification().and_then(|shown| shown.extra().get(LINK)?.as_str().and_then(Link::read));
        if performed.action_id() == "tap" {
            window::open_link(&opens, link.as_ref());
        }
    });
    if let Err(error) = listens {
        tracing::warn!(%error, "clicks on notifications lead nowhere");
    }
}

/// Tells something at once, whatever the switches say: the answer to what a person has just done.
pub(crate) fn tell(app: &AppHandle, notice: &Notice) {
    let language = language::of(app);
    let (title, body) = (plain(&language.say(&notice.title)), marked(&language.say(&notice.body)));
    let builder = app.notification().builder().title(title).body(body).extra(LINK, notice.link.to_string());
    // The name of the icon that the packages install. Elsewhere the program's own is shown.
    #[cfg(target_os = "linux")]
    let builder = builder.icon("codeferry-desktop");
    if let Err(error) = builder.show() {
        tracing::warn!(%error, "a notification cannot be shown");
    }
}

/// A title is text.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

/// The body may hold markup on Linux (Desktop Notifications Specification 1.3): what comes from outside is none.
fn marked(text: &str) -> String {
    let text = plain(text);
    if cfg!(target_os = "linux") { text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;") } else { text }
}

// === impl Notifier ===

impl Notifier {
    /// Remembers what earlier runs have told.
    pub(crate) fn new(app: &AppHandle) -> Self {
        Self { before: Facts::default(), said: Said::read(&app.state::<Shell>().paths.notified()) }
    }

    /// Looks at how things are, and tells what is due.
    pub(crate) fn look(&mut self, app: &AppHandle, phase: &Phase) {
        let shell = app.state::<Shell>();
        let (status, settings) = match phase {
            Phase::Running(serving) => (Some(serving.status()), Some(serving.settings().snapshot())),
            _ => (None, codeferry_app::settings(&shell.paths).ok().map(|settings| settings.snapshot())),
        };
        let about = settings.map(|settings| settings.desktop.notify).unwrap_or_default();
        let mut after = Facts::of(phase, status.as_ref(), update::ready(app));
        let (zone, now) = (TimeZone::system(), system_clock()());
        let known = self.said.clone();
        let notices = due::due(&self.before, &after, &mut self.said, about, Moment { now, zone: &zone });
        if self.said != known
            && let Err(error) = self.said.write(&shell.paths.notified())
        {
            tracing::warn!(%error, "what was told is not remembered");
        }
        for notice in &notices {
            tracing::info!(link = %notice.link, "notification");
            tell(app, notice);
        }
        // While no gateway runs, its accounts are as they were.
        if after.accounts.is_none() {
            after.accounts = self.before.accounts.take();
        }
        self.before = after;
    }
}

#[cfg(test)]
mod tests {
    use super::{marked, plain};

    #[test]
    fn what_comes_from_outside_is_no_markup() {
        assert_eq!(plain("a\nb"), "ab");
        if cfg!(target_os = "linux") {
            assert_eq!(marked("<a href=\"x\">R&D</a>"), "&lt;a href=\"x\"&gt;R&amp;D&lt;/a&gt;");
        }
    }
}

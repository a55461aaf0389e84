//! Follows the gateway for what shows nothing of its own: notifications, shortcuts, and whether updates are wanted.
//!
//! Sleeps until something has changed.

use codeferry_app::Phase;
use tauri::{AppHandle, Manager as _};

use crate::notify::Notifier;
use crate::shell::Shell;
use crate::shortcut::Shortcuts;
use crate::{tray, update};

/// Looks whenever there is something new, as long as the program runs.
pub(crate) async fn follow(app: AppHandle) {
    let mut phase = app.state::<Shell>().keeper.phase();
    let mut updates = update::changes(&app);
    let (mut notifier, mut shortcuts) = (Notifier::new(&app), Shortcuts::default());
    loop {
        let now = phase.borrow_and_update().clone();
        let mut changes = match &now {
            Phase::Running(serving) => Some(serving.changes()),
            _ => None,
        };
        let gone = loop {
            notifier.look(&app, &now);
            shortcuts.follow(&app, &now);
            update::follow(&app);
            let news = async {
                match &mut changes {
                    Some(changes) => changes.next().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                changed = phase.changed() => break changed.is_err(),
                Ok(()) = updates.changed() => tray::show(&app),
                () = news => {}
            }
        };
        if gone {
            return;
        }
    }
}

//! What the modules of the shell share, and following the gateway.

use std::sync::Mutex;

use codeferry_app::{Environment, Keeper, Options, Paths, Phase};
use tauri::{AppHandle, Manager as _};
use tokio_util::task::TaskTracker;

use crate::screen::Screen;
use crate::{Start, page, quit, tray, window};

/// Shared by all, as tauri's state.
pub(crate) struct Shell {
    /// The gateway, and who looks after it.
    pub(crate) keeper: Keeper,
    /// Where the files are.
    pub(crate) paths: Paths,
    /// What the environment said.
    #[expect(dead_code, reason = "the sign-in window asks it for the hosts")]
    pub(crate) environment: Environment,
    /// What runs in the background, and is waited for at the end.
    pub(crate) tasks: TaskTracker,
    /// Where the dashboard was when the gateway stopped, to come back to.
    pub(crate) left_at: Mutex<Option<String>>,
}

/// The gateway, the tray, and a window unless it is to be hidden.
///
/// # Errors
/// When the tray cannot be made.
pub(crate) fn begin(app: &AppHandle, start: Start, options: Options) -> tauri::Result<()> {
    let Start { args, environment, paths } = start;
    let tasks = TaskTracker::new();
    let runtime = tauri::async_runtime::handle();
    let _in_it = runtime.inner().enter();
    let keeper = Keeper::begin(options, paths.clone(), environment.clone(), &tasks);
    app.manage(Shell { keeper, paths, environment, tasks, left_at: Mutex::default() });
    window::in_dock(app, false);
    tray::make(app)?;
    quit::on_signals(app);
    tauri::async_runtime::spawn(follow(app.clone()));
    if !args.hidden {
        window::open(app, args.link.as_deref().and_then(linked));
    }
    Ok(())
}

/// Somebody started us once more: they want to see us.
pub(crate) fn second_launch(app: &AppHandle, args: &[String]) {
    // At login we are started hidden, whatever runs already.
    if !args.iter().any(|arg| arg == "--hidden") {
        window::open(app, args.iter().find_map(|arg| linked(arg)));
    }
}

/// The screen that a link names.
fn linked(link: &str) -> Option<Screen> {
    Screen::named(link.strip_prefix("codeferry://")?.trim_end_matches('/'))
}

/// Shows whatever changes: how the gateway stands and, while it serves, what its status says.
async fn follow(app: AppHandle) {
    let mut phase = app.state::<Shell>().keeper.phase();
    loop {
        let now = phase.borrow_and_update().clone();
        tracing::debug!(phase = now.name(), "the gateway");
        window::follow(&app, &now);
        page::tell(&app, &now);
        tray::show(&app);
        let changed = match &now {
            Phase::Running(serving) => {
                let mut changes = serving.changes();
                loop {
                    tokio::select! {
                        changed = phase.changed() => break changed,
                        () = changes.next() => tray::show(&app),
                    }
                }
            }
            _ => phase.changed().await,
        };
        if changed.is_err() {
            return;
        }
    }
}

//! What the modules of the shell share, and following the gateway.

use codeferry_app::{Environment, Keeper, Options, Paths, Phase};
use tauri::{AppHandle, Manager as _};
use tokio_util::task::TaskTracker;

use crate::window::Shown;
use crate::{Start, autostart, deep_link, login_window, news, notify, page, quit, tray, update, window};

/// Shared by all, as tauri's state.
pub(crate) struct Shell {
    /// The gateway, and who looks after it.
    pub(crate) keeper: Keeper,
    /// Where the files are.
    pub(crate) paths: Paths,
    /// What the environment said.
    pub(crate) environment: Environment,
    /// What runs in the background, and is waited for at the end.
    pub(crate) tasks: TaskTracker,
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
    quit::on_signals(app);
    let keeper = Keeper::begin(options, paths.clone(), environment.clone(), &tasks);
    login_window::sweep(&paths);
    app.manage(login_window::Open::default());
    app.manage(Shell { keeper, paths, environment, tasks });
    app.manage(Shown::default());
    // Only now is it known in which language.
    #[cfg(target_os = "macos")]
    drop(app.set_menu(crate::app_menu::menu(app)?)?);
    update::begin(app);
    window::in_dock(app, false);
    tray::make(app)?;
    #[cfg(all(unix, debug_assertions))]
    quit::on_test_signal(app);
    notify::begin(app);
    deep_link::begin(app);
    tauri::async_runtime::spawn(follow(app.clone()));
    tauri::async_runtime::spawn(news::follow(app.clone()));
    if !args.hidden {
        window::open_link(app, deep_link::among(&args.link).as_ref());
    }
    let repairs = app.clone();
    tauri::async_runtime::spawn_blocking(move || autostart::repair(&repairs));
    Ok(())
}

/// Somebody started us once more: they want to see us.
pub(crate) fn second_launch(app: &AppHandle, args: &[String]) {
    // At login we are started hidden, whatever runs already.
    if !args.iter().any(|arg| arg == "--hidden") {
        window::open_link(app, deep_link::among(args).as_ref());
    }
}

/// Shows whatever changes: how the gateway stands and, while it serves, what its status says.
async fn follow(app: AppHandle) {
    let mut phase = app.state::<Shell>().keeper.phase();
    loop {
        let now = phase.borrow_and_update().clone();
        tracing::debug!(phase = now.name(), "the gateway");
        window::follow(&app, &now).await;
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

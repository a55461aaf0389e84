//! What a click does. Nothing here waits on the main thread; what goes wrong is told in a sentence.

use codeferry_app::{Effort, Kind, ModelChoice, ModelRole, Serving, Target};
use tauri::{AppHandle, Manager as _};

use super::action::{Action, Errand};
use super::words::{capital, name};
use crate::deep_link::Link;
use crate::notify::{self, Notice};
use crate::screen::Screen;
use crate::shell::Shell;
use crate::{autostart, login_window, quit, tray, update, window};

/// Does what a click means.
pub(crate) fn perform(app: &AppHandle, action: Action) {
    let shell = app.state::<Shell>();
    match action {
        Action::Start => shell.keeper.start(),
        Action::Stop => shell.keeper.stop(),
        Action::Open(screen) => window::open(app, screen),
        Action::Client(client) => window::open_link(app, Some(&Link::to(Screen::Clients, Some(&client)))),
        Action::AddAccount => login_window::begin(app, Kind::Plan, None),
        Action::Account(id, Errand::SignIn) => login_window::again(app, id),
        Action::Quit => quit::ask(app),
        Action::Update => update::offer(app),
        Action::CopyUrl | Action::Account(..) | Action::Model { .. } | Action::Effort { .. } | Action::Autostart => {
            let app = app.clone();
            tauri::async_runtime::spawn(async move {
                let told = match work(&app, action).await {
                    Ok(told) => told,
                    Err(why) => Some(failed(&why)),
                };
                if let Some(notice) = told {
                    notify::tell(&app, &notice);
                }
                tray::look_again(&app);
            });
        }
    }
}

/// What takes a while. What comes of it is told, if it cannot be seen in the menu.
async fn work(app: &AppHandle, action: Action) -> Result<Option<Notice>, String> {
    if action == Action::Autostart {
        let app = app.clone();
        let switched = tauri::async_runtime::spawn_blocking(move || autostart::set(&app, !autostart::state(&app).on));
        return switched.await.map_err(|error| error.to_string())?.map(|_| None);
    }
    let serving = app.state::<Shell>().keeper.serving().ok_or("the gateway does not run")?;
    match action {
        Action::CopyUrl => copy(app, serving.url().to_owned()).await?,
        Action::Account(id, errand) => return account(&serving, id.as_str(), errand).await,
        Action::Model { role, model } => {
            let gateway = serving.gateway();
            let to = with_model(&gateway.roles(), &gateway.models(), &role, model).ok_or("there is no such family")?;
            gateway.set_role(&role, &to).await?;
        }
        Action::Effort { role, effort } => {
            let gateway = serving.gateway();
            let to = with_effort(&gateway.roles(), &role, effort).ok_or("there is no such family")?;
            gateway.set_role(&role, &to).await?;
        }
        _ => {}
    }
    Ok(None)
}

async fn account(serving: &Serving, id: &str, errand: Errand) -> Result<Option<Notice>, String> {
    let pool = serving.pool();
    let done = match errand {
        Errand::Use => pool.switch(id).await.map(drop),
        Errand::Pause => pool.pause(id).await.map(drop),
        Errand::Resume => pool.resume(id).await.map(drop),
        Errand::Wake => pool.wake(id).await.map(drop),
        Errand::SignIn => Ok(()),
        Errand::Test => {
            let tested = serving.gateway().test_account(id).await?;
            let known = pool.list().iter().find(|account| account.id.as_str() == id).map(name);
            let known = known.unwrap_or_else(|| id.to_owned());
            let title = if tested.ok { format!("{known} works") } else { format!("{known} does not work now") };
            let link = Link::to(Screen::Accounts, Some(id));
            return Ok(Some(Notice { title, body: ended(&tested.message), link }));
        }
    };
    done.map(|()| None).map_err(|error| error.to_string())
}

/// What is told when a click came to nothing.
fn failed(why: &str) -> Notice {
    Notice { title: "That did not work".to_owned(), body: ended(why), link: Link::to(Screen::Overview, None) }
}

/// A sentence, with a capital and an end.
fn ended(text: &str) -> String {
    format!("{}.", capital(text.trim_end().trim_end_matches('.')))
}

/// Another model for a family. The effort stays, if the model knows it.
fn with_model(roles: &[ModelRole], models: &[ModelChoice], role: &str, model: String) -> Option<Target> {
    let now = &roles.iter().find(|known| known.name == role)?.to;
    let knows = |effort: &Effort| {
        models.iter().find(|choice| choice.model == model).is_none_or(|choice| choice.efforts.contains(effort))
    };
    let effort = now.effort.filter(knows);
    Some(Target { model, effort })
}

/// Another effort for a family.
fn with_effort(roles: &[ModelRole], role: &str, effort: Option<Effort>) -> Option<Target> {
    let now = &roles.iter().find(|known| known.name == role)?.to;
    Some(Target { model: now.model.clone(), effort })
}

/// Puts a text on the clipboard, and keeps it there: on X11 and Wayland it is served by whoever copied it.
async fn copy(app: &AppHandle, text: String) -> Result<(), String> {
    let app = app.clone();
    let copied = tauri::async_runtime::spawn_blocking(move || {
        let tray = app.state::<tray::Tray>();
        let mut held = tray.clipboard.lock().map_err(|_| "the clipboard was left in the middle".to_owned())?;
        let clipboard = match &mut *held {
            Some(clipboard) => clipboard,
            None => held.insert(arboard::Clipboard::new().map_err(|error| error.to_string())?),
        };
        clipboard.set_text(text).map_err(|error| error.to_string())
    });
    let copied = copied.await.unwrap_or_else(|error| Err(error.to_string()));
    copied.map_err(|error| format!("the address could not be copied: {error}"))
}

#[cfg(test)]
mod tests {
    use codeferry_app::{Effort, ModelChoice, ModelRole, Target};

    use super::{with_effort, with_model};

    fn to(model: &str, effort: Option<Effort>) -> Target {
        Target { model: model.to_owned(), effort }
    }

    #[test]
    fn the_effort_stays_with_a_model_that_knows_it() {
        let choice =
            |model: &str, efforts: &[Effort]| ModelChoice { model: model.to_owned(), efforts: efforts.to_vec() };
        let models = [choice("large", &[Effort::Low, Effort::Max]), choice("small", &[Effort::Low])];
        let roles = [ModelRole { name: "opus", to: to("large", Some(Effort::Max)) }];
        let with = |model: &str| with_model(&roles, &models, "opus", model.to_owned());
        assert_eq!(with("large"), Some(to("large", Some(Effort::Max))));
        assert_eq!(with("small"), Some(to("small", None)));
        assert_eq!(with("ollama/unlisted"), Some(to("ollama/unlisted", Some(Effort::Max))), "nobody knows better");
        assert_eq!(with_model(&roles, &models, "moon", "small".to_owned()), None);
        assert_eq!(with_effort(&roles, "opus", None), Some(to("large", None)));
    }
}

//! The test tools themselves, without the app: a panel that reads a menu and clicks, a desktop that hears what is said, and
//! processes that end.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use codeferry_tests::bus::Bus;
use codeferry_tests::display::Display;
use codeferry_tests::notifications::Notifications;
use codeferry_tests::patience::until;
use codeferry_tests::process;
use codeferry_tests::tray::Panel;
use zbus::interface;
use zbus::zvariant::{ObjectPath, OwnedValue, Value};

type Layout = (i32, HashMap<String, OwnedValue>, Vec<OwnedValue>);

struct Item;

#[interface(name = "org.kde.StatusNotifierItem")]
impl Item {
    #[zbus(property)]
    fn menu(&self) -> ObjectPath<'_> {
        ObjectPath::from_static_str_unchecked("/menu")
    }

    #[zbus(property)]
    fn icon_name(&self) -> &'static str {
        "/somewhere/icon.png"
    }
}

/// A menu with a tick that a click turns over.
struct Menu {
    on: Arc<Mutex<bool>>,
}

#[interface(name = "com.canonical.dbusmenu")]
impl Menu {
    fn about_to_show(&self, _id: i32) -> bool {
        false
    }

    fn get_layout(&self, _parent: i32, _depth: i32, _names: Vec<String>) -> (u32, Layout) {
        let on = i32::from(*self.on.lock().unwrap());
        let tick =
            [("label", Value::from("_At my__login")), ("toggle-type", "checkmark".into()), ("toggle-state", on.into())];
        let line = [("type", Value::from("separator"))];
        let hidden = [("label", Value::from("Hidden")), ("visible", false.into())];
        let grey = [("label", Value::from("Grey")), ("enabled", false.into())];
        let inner = entry(3, &grey, vec![]);
        let outer = entry(2, &[("label", Value::from("More"))], vec![inner]);
        let entries = vec![entry(1, &tick, vec![]), entry(4, &line, vec![]), entry(5, &hidden, vec![]), outer];
        (7, (0, HashMap::new(), entries))
    }

    fn event(&self, id: i32, kind: &str, _data: Value<'_>, _timestamp: u32) {
        assert_eq!((id, kind), (1, "clicked"));
        let mut on = self.on.lock().unwrap();
        *on = !*on;
    }
}

fn entry(id: i32, properties: &[(&str, Value<'_>)], children: Vec<OwnedValue>) -> OwnedValue {
    let owned = |value: &Value<'_>| value.try_to_owned().unwrap();
    let properties: HashMap<String, OwnedValue> =
        properties.iter().map(|(name, value)| ((*name).to_owned(), owned(value))).collect();
    Value::from((id, properties, children)).try_to_owned().unwrap()
}

#[tokio::test]
async fn a_panel_reads_a_menu_and_clicks() {
    if process::on_path("dbus-daemon").is_none() {
        println!("skipped: there is no dbus-daemon here (Debian: dbus)");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let bus = Bus::start(folder.path()).await;
    let panel = Panel::start(&bus).await;
    let application = bus.connect().await;
    let server = application.object_server();
    server.at("/item", Item).await.unwrap();
    server.at("/menu", Menu { on: Arc::default() }).await.unwrap();
    let watcher = ("org.kde.StatusNotifierWatcher", "/StatusNotifierWatcher");
    let register =
        application.call_method(Some(watcher.0), watcher.1, Some(watcher.0), "RegisterStatusNotifierItem", &"/item");
    register.await.unwrap();

    let tray = panel.tray().await;
    assert_eq!(tray.text().await, "[ ] At my_login\n-----\nMore\n  Grey (grey)\n");
    tray.click(&["At my"]).await;
    let menu = tray.until("a tick", |menu| menu.ticked(&["At my_login"])).await;
    assert_eq!(menu.lines(), 2);
    assert!(menu.find(&["More", "Grey"]).is_some_and(|entry| !entry.enabled));
    assert!(menu.find(&["Hidden"]).is_none());
    assert_eq!(tray.icon().await.to_str(), Some("/somewhere/icon.png"));
}

#[tokio::test]
async fn what_is_said_is_heard_and_clicked() {
    if process::on_path("dbus-daemon").is_none() {
        println!("skipped: there is no dbus-daemon here (Debian: dbus)");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let bus = Bus::start(folder.path()).await;
    let notifications = Notifications::start(&bus).await;
    let application = bus.connect().await;
    let proxy = zbus::Proxy::new(
        &application,
        "org.freedesktop.Notifications",
        "/org/freedesktop/Notifications",
        "org.freedesktop.Notifications",
    );
    let proxy = proxy.await.unwrap();
    let mut clicks = proxy.receive_signal("ActionInvoked").await.unwrap();
    let (actions, hints) = (vec!["default", "Open"], HashMap::<&str, Value<'_>>::new());
    let id: u32 = proxy.call("Notify", &("test", 0_u32, "", "Title", "Text", actions, hints, -1_i32)).await.unwrap();

    let notice = notifications.wait("Text").await;
    assert_eq!((notice.id, notice.summary.as_str(), notice.actions.len()), (id, "Title", 1));
    notifications.click(&notice).await;
    let click = futures_util::StreamExt::next(&mut clicks).await.unwrap();
    assert_eq!(click.body().deserialize::<(u32, String)>().unwrap(), (id, "default".to_owned()));
}

/// Also one that somebody else has started, and its figures can be read while it runs.
#[tokio::test]
async fn a_process_ends_with_its_guard() {
    let mut child = std::process::Command::new("sleep").arg("600").spawn().unwrap();
    let guard = process::Ending(child.id());
    assert!(process::runs(guard.0) && process::children(std::process::id()).contains(&guard.0));
    until("its name", async || if process::name(guard.0) == "sleep" { Ok(()) } else { Err(process::name(guard.0)) })
        .await;
    assert!(process::Memory::of(guard.0).rss > 0);
    drop(guard);
    let status = child.wait().unwrap();
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(9));
}

/// Two screens at once are two screens.
#[tokio::test]
async fn a_screen_of_ones_own() {
    if let Some(name) = ["Xvfb", "openbox", "wmctrl"].into_iter().find(|name| process::on_path(name).is_none()) {
        println!("skipped: there is no {name} here");
        return;
    }
    let (mut one, other) = tokio::join!(Display::start(), Display::start());
    assert_ne!(one.name(), other.name());
    one.manage_windows().await;
    assert_eq!(one.windows().await, []);
}

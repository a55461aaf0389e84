//! A panel without a screen: it takes the icon an application shows (StatusNotifierItem), reads the menu behind it
//! (dbusmenu), and clicks.
//!
//! <https://www.freedesktop.org/wiki/Specifications/StatusNotifierItem/>; dbusmenu is documented in the XML of
//! libdbusmenu. GTK applications speak both through libayatana-appindicator.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use zbus::message::Header;
use zbus::zvariant::{OwnedValue, Value};
use zbus::{Connection, Proxy, interface};

use crate::bus::Bus;
use crate::patience::until;

/// The panel. It is there before the application, as panels are.
pub struct Panel {
    connection: Connection,
    items: Items,
}

/// An icon on the panel, with its menu.
pub struct Tray {
    connection: Connection,
    owner: String,
    path: String,
}

/// An entry of a menu, or the menu itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entry {
    /// What the panel knows it by.
    pub id: i32,
    /// What it says, without the marks of keyboard letters.
    pub label: String,
    /// A line between entries.
    pub separator: bool,
    /// It can be clicked.
    pub enabled: bool,
    /// Whether it is ticked, if it is one that can be.
    pub checked: Option<bool>,
    /// Its own menu.
    pub entries: Vec<Self>,
}

/// The items that have come, oldest first: who, and the path of the object there.
type Items = Arc<Mutex<Vec<(String, String)>>>;
/// An entry as dbusmenu writes it: id, properties, children.
type Layout = (i32, HashMap<String, OwnedValue>, Vec<OwnedValue>);

struct Watcher {
    items: Items,
}

#[interface(name = "org.kde.StatusNotifierWatcher")]
impl Watcher {
    fn register_status_notifier_item(&self, service: &str, #[zbus(header)] header: Header<'_>) {
        let sender = header.sender().map(ToString::to_string).unwrap_or_default();
        // libayatana names only the path, others only themselves.
        let item = if service.starts_with('/') {
            (sender, service.to_owned())
        } else {
            (service.to_owned(), "/StatusNotifierItem".to_owned())
        };
        self.items.lock().unwrap_or_else(PoisonError::into_inner).push(item);
    }

    fn register_status_notifier_host(&self, _service: &str) {}

    #[zbus(property)]
    fn registered_status_notifier_items(&self) -> Vec<String> {
        let items = self.items.lock().unwrap_or_else(PoisonError::into_inner);
        items.iter().map(|(owner, path)| format!("{owner}{path}")).collect()
    }

    #[zbus(property)]
    fn is_status_notifier_host_registered(&self) -> bool {
        true
    }

    #[zbus(property)]
    fn protocol_version(&self) -> i32 {
        0
    }
}

// === impl Panel ===

impl Panel {
    /// Puts a panel on the bus.
    pub async fn start(bus: &Bus) -> Self {
        let (connection, items) = (bus.connect().await, Items::default());
        let watcher = Watcher { items: Arc::clone(&items) };
        connection.object_server().at("/StatusNotifierWatcher", watcher).await.expect("a free path");
        connection.request_name("org.kde.StatusNotifierWatcher").await.expect("the only panel");
        Self { connection, items }
    }

    /// The icon shown last. Those of processes that have ended are passed over.
    pub async fn tray(&self) -> Tray {
        until("an icon in the tray", async || {
            let items = self.items.lock().unwrap_or_else(PoisonError::into_inner).clone();
            for (owner, path) in items.into_iter().rev() {
                let tray = Tray { connection: self.connection.clone(), owner, path };
                if tray.look().await.is_ok() {
                    return Ok(tray);
                }
            }
            Err("none".to_owned())
        })
        .await
    }

    /// Who has shown an icon so far. One that is shown anew, as after a change of its menu, counts once.
    pub fn owners(&self) -> BTreeSet<String> {
        let items = self.items.lock().unwrap_or_else(PoisonError::into_inner);
        items.iter().map(|(owner, _)| owner.clone()).collect()
    }
}

// === impl Tray ===

impl Tray {
    /// The menu as it is now.
    pub async fn menu(&self) -> Entry {
        until("the menu", async || self.look().await).await
    }

    /// The menu as text: what a person reads.
    pub async fn text(&self) -> String {
        self.menu().await.to_string()
    }

    /// Waits until the menu satisfies this.
    pub async fn until(&self, what: &str, fits: impl Fn(&Entry) -> bool) -> Entry {
        until(what, async || {
            let menu = self.look().await?;
            if fits(&menu) { Ok(menu) } else { Err(menu.to_string()) }
        })
        .await
    }

    /// Clicks on an entry as soon as it is there and can be clicked. It is named by how its label begins, entry by entry from
    /// the menu itself down.
    pub async fn click(&self, path: &[&str]) {
        until(&format!("to click on {path:?}"), async || {
            let menu = self.look().await?;
            let entry = menu.find(path).filter(|entry| entry.enabled).ok_or_else(|| menu.to_string())?;
            let (none, now) = (Value::I32(0), 0_u32);
            // It may have been drawn anew since we looked.
            let clicked = self.menu_proxy().await?.call_method("Event", &(entry.id, "clicked", none, now)).await;
            clicked.map(drop).map_err(|error| error.to_string())
        })
        .await;
    }

    /// The picture that is shown: a file.
    pub async fn icon(&self) -> PathBuf {
        PathBuf::from(self.property("IconName").await)
    }

    /// The text beside the picture.
    pub async fn title(&self) -> String {
        self.property("XAyatanaLabel").await
    }

    async fn property(&self, name: &str) -> String {
        let proxy = self.item_proxy().await.expect("an item");
        proxy.get_property::<String>(name).await.expect("a text")
    }

    async fn item_proxy(&self) -> zbus::Result<Proxy<'_>> {
        let mut builder: zbus::proxy::Builder<'_, Proxy<'_>> = zbus::proxy::Builder::new(&self.connection);
        builder = builder.destination(self.owner.as_str())?.path(self.path.as_str())?;
        let builder = builder.interface("org.kde.StatusNotifierItem")?;
        // Asked each time: the signals of changes are not what is tested here.
        builder.cache_properties(zbus::proxy::CacheProperties::No).build().await
    }

    async fn menu_proxy(&self) -> Result<Proxy<'_>, String> {
        let found = async {
            let path: zbus::zvariant::OwnedObjectPath = self.item_proxy().await?.get_property("Menu").await?;
            let builder: zbus::proxy::Builder<'_, Proxy<'_>> = zbus::proxy::Builder::new(&self.connection);
            let builder = builder
                .destination(self.owner.as_str())?
                .path(path.into_inner())?
                .interface("com.canonical.dbusmenu")?;
            builder.cache_properties(zbus::proxy::CacheProperties::No).build().await
        };
        found.await.map_err(|error: zbus::Error| error.to_string())
    }

    async fn look(&self) -> Result<Entry, String> {
        let proxy = self.menu_proxy().await?;
        // Menus may be filled only when they are about to be shown.
        let _ = proxy.call_method("AboutToShow", &(0_i32,)).await;
        let none: [&str; 0] = [];
        let answer: (u32, Layout) =
            proxy.call("GetLayout", &(0_i32, -1_i32, none.as_slice())).await.map_err(|error| error.to_string())?;
        Entry::read(answer.1)
    }
}

// === impl Entry ===

impl Entry {
    fn read((id, properties, children): Layout) -> Result<Self, String> {
        let text = |name: &str| properties.get(name).and_then(|value| <&str>::try_from(value).ok()).unwrap_or_default();
        let checkable = matches!(text("toggle-type"), "checkmark" | "radio");
        let on = properties.get("toggle-state").and_then(|value| i32::try_from(value).ok()) == Some(1);
        let enabled = properties.get("enabled").and_then(|value| bool::try_from(value).ok()).unwrap_or(true);
        let visible = |value: &OwnedValue| {
            let layout = value.try_clone().ok().and_then(|value| Layout::try_from(value).ok());
            layout.filter(|(_, properties, _)| {
                properties.get("visible").and_then(|value| bool::try_from(value).ok()).unwrap_or(true)
            })
        };
        Ok(Self {
            id,
            label: plain(text("label")),
            separator: text("type") == "separator",
            enabled,
            checked: checkable.then_some(on),
            entries: children.iter().filter_map(visible).map(Self::read).collect::<Result<_, _>>()?,
        })
    }

    /// The entry down this path; each step is how a label begins, after the mark of a state.
    pub fn find(&self, path: &[&str]) -> Option<&Self> {
        let Some((first, rest)) = path.split_first() else { return Some(self) };
        let begins = |entry: &&Self| entry.label.trim_start_matches(['●', '○', '▲', '✕', ' ']).starts_with(first);
        self.entries.iter().filter(|entry| !entry.separator).find(begins)?.find(rest)
    }

    /// Whether the entry down this path is there and ticked.
    pub fn ticked(&self, path: &[&str]) -> bool {
        self.find(path).is_some_and(|entry| entry.checked == Some(true))
    }

    /// Lines before anything is opened; separators are not counted.
    pub fn lines(&self) -> usize {
        self.entries.iter().filter(|entry| !entry.separator).count()
    }

    fn write(&self, depth: usize, out: &mut String) {
        for entry in &self.entries {
            let mark = match entry.checked {
                Some(true) => "[x] ",
                Some(false) => "[ ] ",
                None => "",
            };
            let label = if entry.separator { "-----" } else { entry.label.as_str() };
            let greyed = if entry.enabled || entry.separator { "" } else { " (grey)" };
            let _ = writeln!(out, "{}{mark}{label}{greyed}", "  ".repeat(depth));
            entry.write(depth + 1, out);
        }
    }
}

impl std::fmt::Display for Entry {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut text = String::new();
        self.write(0, &mut text);
        out.write_str(&text)
    }
}

/// A label without the underscores that mark keyboard letters; two of them are one that is meant.
fn plain(label: &str) -> String {
    label.replace("__", "\0").replace('_', "").replace('\0', "_")
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn marks_of_letters_are_left_out() {
        assert_eq!(plain("_Quit"), "Quit");
        assert_eq!(plain("my__name"), "my_name");
    }
}

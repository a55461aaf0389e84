//! Drawing on the system's tray: the icon, and the menu by as few steps as its change takes.
//!
//! **Invariant:** all of this runs on the main thread. What looks as it did is not touched, so that a menu that is open stays
//! open: no toolkit tells whether it is.

#[cfg(target_os = "linux")]
mod relabel;

use tauri::image::Image;
use tauri::menu::{
    CheckMenuItem, CheckMenuItemBuilder, IsMenuItem, Menu, MenuItem, MenuItemBuilder, PredefinedMenuItem, Submenu,
    SubmenuBuilder,
};
use tauri::tray::TrayIcon;
use tauri::{AppHandle, Wry};

use super::icon::{Ink, Mask, compose};
use super::menu::{Body, Edit, Entry, edits};
use super::state::{Picture, Shape};

/// All that is to be seen.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Sight {
    pub(crate) menu: Vec<Entry>,
    pub(crate) picture: Picture,
    pub(crate) ink: Ink,
    pub(crate) tooltip: String,
    pub(crate) title: Option<String>,
}

/// What is on the screen.
pub(crate) struct Drawn {
    icon: TrayIcon<Wry>,
    menu: Menu<Wry>,
    lines: Vec<Line>,
    sight: Sight,
}

/// A line of the system's menu.
enum Line {
    Plain(MenuItem<Wry>),
    Check(CheckMenuItem<Wry>),
    Submenu { item: Submenu<Wry>, label: String, lines: Vec<Self> },
    Separator(PredefinedMenuItem<Wry>),
}

/// What lines stand in.
enum Place<'a> {
    Menu(&'a Menu<Wry>),
    Submenu(&'a Submenu<Wry>),
}

const IDLE: &[u8] = include_bytes!("../../../icons/tray/idle.png");
const ACTIVE: &[u8] = include_bytes!("../../../icons/tray/active.png");
const WARN: &[u8] = include_bytes!("../../../icons/tray/warn.png");
const ERROR: &[u8] = include_bytes!("../../../icons/tray/error.png");

/// A menu with these lines, for an icon that is about to be made.
pub(crate) struct Fresh {
    menu: Menu<Wry>,
    lines: Vec<Line>,
    sight: Sight,
}

// === impl Fresh ===

impl Fresh {
    pub(crate) fn new(app: &AppHandle, sight: Sight) -> tauri::Result<Self> {
        let menu = Menu::new(app)?;
        let lines = append(app, &Place::Menu(&menu), &sight.menu)?;
        Ok(Self { menu, lines, sight })
    }

    pub(crate) fn menu(&self) -> &Menu<Wry> {
        &self.menu
    }

    pub(crate) fn image(&self) -> tauri::Result<Image<'static>> {
        image(self.sight.picture, self.sight.ink)
    }

    pub(crate) fn on(self, icon: TrayIcon<Wry>) -> Drawn {
        let Self { menu, lines, sight } = self;
        Drawn { icon, menu, lines, sight }
    }
}

// === impl Drawn ===

impl Drawn {
    /// Shows this.
    ///
    /// # Errors
    /// When the toolkit refuses; then the menu was built anew as far as it went.
    pub(crate) fn show(&mut self, app: &AppHandle, sight: Sight) -> tauri::Result<()> {
        if let Err(error) = self.show_icon(&sight) {
            // A full disk, on Linux. The menu is worth more.
            tracing::warn!(%error, "the tray's icon cannot be drawn");
        }
        let steps = edits(&self.sight.menu, &sight.menu);
        if let Err(error) = make(app, &Place::Menu(&self.menu), &mut Vec::new(), &mut self.lines, steps) {
            tracing::warn!(%error, "the tray's menu could not be changed, and is built anew");
            self.menu = Menu::new(app)?;
            self.lines = append(app, &Place::Menu(&self.menu), &sight.menu)?;
            self.icon.set_menu(Some(self.menu.clone()))?;
        }
        self.sight = sight;
        Ok(())
    }

    /// The picture, and what is said beside it.
    fn show_icon(&self, sight: &Sight) -> tauri::Result<()> {
        if (self.sight.picture, self.sight.ink) != (sight.picture, sight.ink) {
            let image = image(sight.picture, sight.ink)?;
            self.icon.set_icon_with_as_template(Some(image), sight.ink == Ink::Template)?;
        }
        if self.sight.tooltip != sight.tooltip {
            self.icon.set_tooltip(Some(&sight.tooltip))?;
        }
        if self.sight.title != sight.title {
            // An empty text is none, on every system; `None` leaves the old one on some.
            self.icon.set_title(Some(sight.title.as_deref().unwrap_or_default()))?;
        }
        Ok(())
    }

    /// A tick changes by itself when somebody clicks on it, whatever comes of that.
    pub(crate) fn ticked(&mut self, id: &str) {
        fn turn(entries: &mut [Entry], id: &str) {
            for entry in entries {
                match &mut entry.body {
                    Body::Check(on) if entry.id == id => *on = !*on,
                    Body::Submenu(entries) => turn(entries, id),
                    Body::Check(_) | Body::Plain | Body::Separator => {}
                }
            }
        }
        turn(&mut self.sight.menu, id);
    }
}

// === impl Line ===

impl Line {
    fn new(app: &AppHandle, entry: &Entry) -> tauri::Result<Self> {
        let (id, label) = (&entry.id, escaped(&entry.label));
        Ok(match &entry.body {
            Body::Plain => {
                let item = MenuItemBuilder::with_id(id, label).enabled(entry.enabled);
                let item = match key(id) {
                    Some(key) => item.accelerator(key),
                    None => item,
                };
                Self::Plain(item.build(app)?)
            }
            Body::Check(on) => {
                let item = CheckMenuItemBuilder::with_id(id, label).enabled(entry.enabled).checked(*on);
                Self::Check(item.build(app)?)
            }
            Body::Submenu(entries) => {
                let submenu = SubmenuBuilder::with_id(app, id, label).enabled(entry.enabled).build()?;
                let lines = append(app, &Place::Submenu(&submenu), entries)?;
                Self::Submenu { item: submenu, label: entry.label.clone(), lines }
            }
            Body::Separator => Self::Separator(PredefinedMenuItem::separator(app)?),
        })
    }

    fn item(&self) -> &dyn IsMenuItem<Wry> {
        match self {
            Self::Plain(item) => item,
            Self::Check(item) => item,
            Self::Submenu { item, .. } => item,
            Self::Separator(item) => item,
        }
    }

    /// `place` is where it stands, counted from the root.
    fn change(&mut self, place: &[usize], entry: &Entry) -> tauri::Result<()> {
        let label = escaped(&entry.label);
        match self {
            Self::Plain(item) => {
                item.set_text(label)?;
                item.set_enabled(entry.enabled)
            }
            Self::Check(item) => {
                item.set_text(label)?;
                item.set_enabled(entry.enabled)?;
                item.set_checked(entry.body == Body::Check(true))
            }
            Self::Submenu { item, label: known, .. } => {
                item.set_text(label)?;
                #[cfg(target_os = "linux")]
                if known != &entry.label && !relabel::relabel(place, known, &entry.label) {
                    return Err(std::io::Error::other("a line of the menu was not found").into());
                }
                #[cfg(not(target_os = "linux"))]
                let _ = place;
                known.clone_from(&entry.label);
                item.set_enabled(entry.enabled)
            }
            Self::Separator(_) => Ok(()),
        }
    }
}

// === impl Place ===

impl Place<'_> {
    fn insert(&self, line: &Line, at: usize) -> tauri::Result<()> {
        match self {
            Self::Menu(menu) => menu.insert(line.item(), at),
            Self::Submenu(menu) => menu.insert(line.item(), at),
        }
    }

    fn append(&self, line: &Line) -> tauri::Result<()> {
        match self {
            Self::Menu(menu) => menu.append(line.item()),
            Self::Submenu(menu) => menu.append(line.item()),
        }
    }

    /// By its place: the line that takes its place may have the same id.
    fn remove(&self, at: usize) -> tauri::Result<()> {
        match self {
            Self::Menu(menu) => menu.remove_at(at).map(drop),
            Self::Submenu(menu) => menu.remove_at(at).map(drop),
        }
    }
}

fn append(app: &AppHandle, place: &Place<'_>, entries: &[Entry]) -> tauri::Result<Vec<Line>> {
    let mut lines = Vec::with_capacity(entries.len());
    for entry in entries {
        let line = Line::new(app, entry)?;
        place.append(&line)?;
        lines.push(line);
    }
    Ok(lines)
}

/// Takes these steps in the menu that stands at `path`.
fn make(
    app: &AppHandle,
    place: &Place<'_>,
    path: &mut Vec<usize>,
    lines: &mut Vec<Line>,
    steps: Vec<Edit>,
) -> tauri::Result<()> {
    for step in steps {
        match step {
            Edit::Insert { at, entry } => {
                let line = Line::new(app, &entry)?;
                place.insert(&line, at)?;
                lines.insert(at, line);
            }
            Edit::Remove { at } => {
                place.remove(at)?;
                lines.remove(at);
            }
            Edit::Change { at, entry } => {
                path.push(at);
                lines[at].change(path, &entry)?;
                path.pop();
            }
            Edit::Within { at, edits } => {
                if let Line::Submenu { item, lines, .. } = &mut lines[at] {
                    path.push(at);
                    make(app, &Place::Submenu(item), path, lines, edits)?;
                    path.pop();
                }
            }
        }
    }
    Ok(())
}

fn image(picture: Picture, ink: Ink) -> tauri::Result<Image<'static>> {
    let drawing = match picture.shape {
        Shape::Idle => IDLE,
        Shape::Active => ACTIVE,
        Shape::Warn => WARN,
        Shape::Error => ERROR,
    };
    let drawing = Image::from_bytes(drawing)?;
    let (width, height) = (drawing.width(), drawing.height());
    let mask = Mask { rgba: drawing.rgba(), width: width as usize, height: height as usize };
    Ok(Image::new_owned(compose(mask, picture, ink), width, height))
}

/// The keys that do the same while the menu is open. Elsewhere than on macOS they would be shown and do nothing.
fn key(id: &str) -> Option<&'static str> {
    match id {
        _ if cfg!(not(target_os = "macos")) => None,
        "open" => Some("Cmd+D"),
        "open:settings" => Some("Cmd+,"),
        "quit" => Some("Cmd+Q"),
        _ => None,
    }
}

/// `&` marks the letter that a key chooses; we mean the sign.
fn escaped(label: &str) -> String {
    label.replace('&', "&&")
}

#[cfg(test)]
mod tests {
    use super::{ACTIVE, ERROR, IDLE, WARN, escaped};
    use tauri::image::Image;

    #[test]
    fn the_drawings_are_masks_of_one_size() {
        for drawing in [IDLE, ACTIVE, WARN, ERROR] {
            let image = Image::from_bytes(drawing).expect("a picture");
            assert_eq!((image.width(), image.height()), (36, 36));
            let inked = image.rgba().chunks_exact(4).filter(|pixel| pixel[3] > 0);
            assert!(inked.clone().count() > 100);
            assert!(inked.clone().all(|pixel| pixel[..3] == [0; 3]), "black, for macOS");
        }
    }

    #[test]
    fn a_sign_is_a_sign() {
        assert_eq!(escaped("Me & my_team"), "Me && my_team");
    }
}

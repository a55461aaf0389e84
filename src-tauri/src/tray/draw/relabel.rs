//! Another label for a line that opens others, on Linux.
//!
//! muda (0.20) makes such a line of a box with a label in it, and then sets the label of the line, which has none. So the label
//! is looked for where it must be: the lines of the toolkit's menu stand in the order of ours. The panel is told by the
//! toolkit itself, as of any other label.
//!
//! **Invariant:** only a label that says what we believe it says is changed.

use gtk::prelude::*;

/// Lets the line at that place, counted from the root, say something else. `false`: it was not found.
pub(super) fn relabel(place: &[usize], old: &str, new: &str) -> bool {
    let roots = gtk::Window::list_toplevels().into_iter().filter_map(|window| {
        let menu = window.downcast::<gtk::Window>().ok()?.child()?.downcast::<gtk::Menu>().ok()?;
        let within = menu.attach_widget().is_some_and(|widget| widget.is::<gtk::MenuItem>());
        (!within).then_some(menu)
    });
    let old = marked(old);
    let found = roots.filter_map(|menu| label_at(&menu, place)).find(|label| label.label() == old);
    if let Some(label) = &found {
        label.set_label(&marked(new));
    }
    found.is_some()
}

fn label_at(menu: &gtk::Menu, place: &[usize]) -> Option<gtk::Label> {
    let (at, rest) = place.split_first()?;
    let item = menu.children().into_iter().nth(*at)?.downcast::<gtk::MenuItem>().ok()?;
    match rest {
        [] => label_in(&item.child()?),
        rest => label_at(&item.submenu()?.downcast().ok()?, rest),
    }
}

fn label_in(widget: &gtk::Widget) -> Option<gtk::Label> {
    match widget.downcast_ref::<gtk::Label>() {
        Some(label) => Some(label.clone()),
        None => widget.downcast_ref::<gtk::Container>()?.children().iter().find_map(label_in),
    }
}

/// As the toolkit writes it: an underscore marks the letter that a key chooses, and two are one.
fn marked(label: &str) -> String {
    label.replace('_', "__")
}

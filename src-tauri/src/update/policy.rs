//! Whether, when and from where we look for a newer version. Pure.

use std::time::Duration;

use tauri::Url;
use tauri::utils::config::BundleType;

/// What is known of how this program came here, and what it may do.
#[derive(Debug, Clone)]
pub(super) struct Standing<'a> {
    /// What it was packaged as.
    pub(super) bundle: Option<BundleType>,
    /// Which package manager says that it put it here: the file `installed-by`.
    pub(super) installed_by: Option<&'a str>,
    /// It runs from an AppImage.
    pub(super) appimage: bool,
    /// The key that updates must be signed with.
    pub(super) key: &'a str,
    /// The setting `desktop.updates`.
    pub(super) wanted: bool,
}

/// A day, and how far from it a look may be: not all programs ask in the same second.
const BETWEEN: Duration = Duration::from_secs(24 * 3600);
const JITTER: Duration = Duration::from_secs(2 * 3600);
/// The first look, after the start has quietened down.
const FIRST: Duration = Duration::from_secs(20);
const FIRST_JITTER: Duration = Duration::from_secs(100);

// === impl Standing ===

impl Standing<'_> {
    /// Why no update is looked for. `None`: it is.
    pub(super) fn hindrance(&self) -> Option<String> {
        self.cannot().or_else(|| (!self.wanted).then(|| "switched off by the setting desktop.updates".to_owned()))
    }

    /// Why none could be installed, however much somebody wants it.
    pub(super) fn cannot(&self) -> Option<String> {
        if let Some(words) = self.installed_by {
            return Some(format!("installed by a package manager, which brings newer versions as well: {words}"));
        }
        match self.bundle {
            Some(BundleType::Deb) => return Some(packaged("Debian package", "apt")),
            Some(BundleType::Rpm) => return Some(packaged("RPM package", "dnf")),
            _ => {}
        }
        if self.key.trim().is_empty() {
            return Some("this build was made without a key to check updates with, so it installs none".to_owned());
        }
        if cfg!(target_os = "linux") && !self.appimage {
            return Some(
                "this build is no package, so nothing can take its place: get newer versions where you got it"
                    .to_owned(),
            );
        }
        None
    }
}

fn packaged(what: &str, tool: &str) -> String {
    format!("Codeferry was installed as a {what}: install newer versions the same way, or with {tool}")
}

/// The address to ask, if it is one we ask: https, or this machine.
pub(super) fn endpoint(text: &str) -> Option<Url> {
    // Placeholders are the plugin's affair.
    text.parse::<Url>().ok().filter(may_come_from)
}

/// Whether an update may come from there.
pub(super) fn may_come_from(url: &Url) -> bool {
    let loopback = matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost"));
    let plain = url.username().is_empty() && url.password().is_none();
    plain && (url.scheme() == "https" || (url.scheme() == "http" && loopback))
}

/// How long to wait before the next look; `seed` is as good as random.
pub(super) fn pause(first: bool, seed: u64) -> Duration {
    let (base, jitter) = if first { (FIRST, FIRST_JITTER) } else { (BETWEEN - JITTER / 2, JITTER) };
    // Neighbouring seeds end far from one another.
    let spread = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
    base + jitter.mul_f64(spread as f64 / f64::from(u32::MAX))
}

/// What a person reads before deciding: the notes, not longer than fits a dialog.
pub(super) fn excerpt(notes: &str) -> String {
    const LONGEST: usize = 1200;
    let notes = notes.trim();
    let clean: String = notes.chars().filter(|c| *c == '\n' || !c.is_control()).collect();
    match clean.char_indices().nth(LONGEST) {
        None => clean,
        Some((end, _)) => {
            let cut = clean[..end].rfind('\n').filter(|at| *at > LONGEST / 2).unwrap_or(end);
            format!("{}\n…", clean[..cut].trim_end())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tauri::utils::config::BundleType;

    use super::{Standing, endpoint, excerpt, pause};

    const GOOD: Standing<'_> =
        Standing { bundle: Some(BundleType::AppImage), installed_by: None, appimage: true, key: "key", wanted: true };

    #[test]
    fn a_package_managers_program_is_left_to_it() {
        assert_eq!(GOOD.hindrance(), None);
        let brew = Standing { installed_by: Some("Homebrew. Updates come by it."), ..GOOD };
        assert!(brew.hindrance().unwrap().ends_with(": Homebrew. Updates come by it."));
        for (bundle, word) in [(BundleType::Deb, "apt"), (BundleType::Rpm, "dnf")] {
            let packaged = Standing { bundle: Some(bundle), ..GOOD };
            assert!(packaged.hindrance().unwrap().ends_with(word));
        }
    }

    #[test]
    fn without_a_key_nothing_is_installed() {
        for key in ["", "  "] {
            assert!(Standing { key, ..GOOD }.cannot().unwrap().contains("without a key"));
        }
    }

    #[test]
    fn what_is_no_package_cannot_be_replaced() {
        let bare = Standing { bundle: None, appimage: false, ..GOOD };
        assert_eq!(bare.cannot().is_some(), cfg!(target_os = "linux"));
    }

    #[test]
    fn a_person_may_switch_it_off_and_still_ask() {
        let off = Standing { wanted: false, ..GOOD };
        assert!(off.hindrance().unwrap().contains("desktop.updates"));
        assert_eq!(off.cannot(), None);
    }

    #[test]
    fn updates_come_by_https_or_from_this_machine() {
        for good in [
            "https://example.com/{{target}}/x.json",
            "http://127.0.0.1:18500/a",
            "http://[::1]:1/",
            "http://localhost/",
        ] {
            assert!(endpoint(good).is_some(), "{good}");
        }
        for bad in
            ["http://example.com/", "http://127.0.0.1.example.com/", "file:///x", "https://a:b@example.com/", "", "x"]
        {
            assert!(endpoint(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn looks_are_a_day_apart_and_not_all_at_once() {
        let pauses: Vec<Duration> = (0..100).map(|seed| pause(false, seed)).collect();
        assert!(pauses.iter().all(|pause| (23 * 3600..=25 * 3600).contains(&pause.as_secs())), "{pauses:?}");
        let spread = pauses.iter().max().unwrap().abs_diff(*pauses.iter().min().unwrap());
        assert!(spread > Duration::from_secs(3600), "{spread:?}");
        assert!((0..100).all(|seed| (20..=120).contains(&pause(true, seed).as_secs())));
    }

    #[test]
    fn long_notes_are_cut_at_a_line() {
        assert_eq!(excerpt(" - one\n- two\u{7}\n"), "- one\n- two");
        let long = "- a line of notes, ä\n".repeat(200);
        let cut = excerpt(&long);
        assert!(cut.chars().count() < 1210 && cut.ends_with("ä\n…"), "{cut}");
    }
}

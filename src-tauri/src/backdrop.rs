//! What the system shows through a window of ours: the sidebar's material on macOS, mica on Windows 11, nothing elsewhere.
//!
//! **Invariant:** the page is translucent only where the window was made so, which is decided once: a page that lets through
//! what is not there shows black. A person who asked the system for less transparency gets none.

use std::sync::OnceLock;

use tauri::utils::config::WindowEffectsConfig;
use tauri::window::{Effect, EffectState, EffectsBuilder};
use tauri::{Manager, Runtime, WebviewWindowBuilder};

/// The first Windows 11. Mica is not known before:
/// <https://learn.microsoft.com/windows/apps/design/style/mica>
const WINDOWS_11: u32 = 22_000;

/// What is behind the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Backdrop {
    /// The colour of the page, and nothing behind it.
    Opaque,
    /// The material of sidebars on macOS. The system makes it opaque by itself where transparency is reduced.
    Sidebar,
    /// The desktop's picture, much softened, on Windows 11.
    Mica,
}

/// What a system says of itself.
#[derive(Debug, Clone, Copy, Default)]
struct Facts {
    /// The build of Windows; 0: it is another system, or nobody says.
    build: u32,
    /// The person wants no transparency.
    reduced: bool,
}

/// What windows of this process have behind them.
pub(crate) fn here() -> Backdrop {
    static HERE: OnceLock<Backdrop> = OnceLock::new();
    *HERE.get_or_init(|| Backdrop::of(std::env::consts::OS, facts()))
}

/// Gives a window what this system has to show behind it.
pub(crate) fn behind<'a, R: Runtime, M: Manager<R>>(
    builder: WebviewWindowBuilder<'a, R, M>,
) -> WebviewWindowBuilder<'a, R, M> {
    match here().effects() {
        Some(effects) => builder.transparent(true).effects(effects),
        None => builder,
    }
}

#[cfg(windows)]
fn facts() -> Facts {
    const SYSTEM: &str = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion";
    const PERSONALIZE: &str = r"Software\Microsoft\Windows\CurrentVersion\Themes\Personalize";
    let system = windows_registry::LOCAL_MACHINE.open(SYSTEM);
    let build = system.and_then(|key| key.get_string("CurrentBuildNumber")).ok();
    let personal = windows_registry::CURRENT_USER.open(PERSONALIZE);
    let transparency = personal.and_then(|key| key.get_u32("EnableTransparency")).ok();
    Facts { build: build.and_then(|build| build.parse().ok()).unwrap_or(0), reduced: transparency == Some(0) }
}

#[cfg(not(windows))]
fn facts() -> Facts {
    Facts::default()
}

// === impl Backdrop ===

impl Backdrop {
    fn of(system: &str, Facts { build, reduced }: Facts) -> Self {
        match system {
            _ if reduced => Self::Opaque,
            "macos" => Self::Sidebar,
            "windows" if build >= WINDOWS_11 => Self::Mica,
            _ => Self::Opaque,
        }
    }

    /// The page may let something through.
    pub(crate) fn is_translucent(self) -> bool {
        self != Self::Opaque
    }

    fn effects(self) -> Option<WindowEffectsConfig> {
        let effects = match self {
            Self::Opaque => return None,
            Self::Sidebar => EffectsBuilder::new().effect(Effect::Sidebar).state(EffectState::FollowsWindowActiveState),
            Self::Mica => EffectsBuilder::new().effect(Effect::Mica),
        };
        Some(effects.build())
    }
}

#[cfg(test)]
mod tests {
    use super::{Backdrop, Facts, here};

    #[test]
    fn only_systems_that_have_one_get_one() {
        let of = |system, build, reduced| Backdrop::of(system, Facts { build, reduced });
        assert_eq!(of("macos", 0, false), Backdrop::Sidebar);
        assert_eq!(of("windows", 22_631, false), Backdrop::Mica);
        assert_eq!(of("windows", 22_000, false), Backdrop::Mica);
        for (system, build, reduced) in [
            ("windows", 19_045, false),
            ("windows", 0, false),
            ("windows", 22_631, true),
            ("macos", 0, true),
            ("linux", 0, false),
            ("freebsd", 0, false),
        ] {
            assert_eq!(of(system, build, reduced), Backdrop::Opaque, "{system} {build} {reduced}");
        }
    }

    #[test]
    fn a_page_is_translucent_where_its_window_is() {
        for backdrop in [Backdrop::Opaque, Backdrop::Sidebar, Backdrop::Mica] {
            assert_eq!(backdrop.is_translucent(), backdrop.effects().is_some(), "{backdrop:?}");
        }
        if cfg!(target_os = "linux") {
            assert!(!here().is_translucent());
        }
    }
}

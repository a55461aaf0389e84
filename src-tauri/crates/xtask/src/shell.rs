//! The desktop shell, as far as the tasks must know it: it links libraries that not every machine has.

use std::sync::OnceLock;

use crate::say;
use crate::tools::debian;

/// Its package.
pub(crate) const PACKAGE: &str = "codeferry-desktop";

/// Whether the shell can be built here. Installs what is missing where that is allowed; says once what is left out.
pub(crate) fn buildable() -> bool {
    static BUILDABLE: OnceLock<bool> = OnceLock::new();
    *BUILDABLE.get_or_init(|| match debian::ensure(&[debian::DESKTOP]) {
        Ok(()) => true,
        Err(error) => {
            say::step(&format!("the desktop app is left out: {error:#}"));
            false
        }
    })
}

/// What stands for all packages on cargo's command line, as far as they can be built here.
pub(crate) fn everything() -> &'static [&'static str] {
    if buildable() { &["--workspace"] } else { &["--workspace", "--exclude", PACKAGE] }
}

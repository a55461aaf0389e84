//! What must be on the machine itself: found by probing, installed with apt-get where that is allowed.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, anyhow, bail};

use super::python;
use crate::{run, say};

/// Something the machine must have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Need {
    /// What it is for, to be read by a person.
    pub(crate) what: &'static str,
    /// The Debian packages that bring it.
    pub(crate) packages: &'static [&'static str],
    /// Whether it is there.
    pub(crate) here: fn() -> bool,
}

/// Compiling: ring and zstd build C.
pub(crate) const COMPILER: Need =
    Need { what: "a C compiler", packages: &["gcc", "libc6-dev"], here: || cfg!(windows) || run::on_path("cc") };

/// Talking TLS: the system's root certificates.
pub(crate) const ROOTS: Need = Need {
    what: "root certificates",
    packages: &["ca-certificates"],
    here: || {
        let linux = cfg!(target_os = "linux");
        !linux
            || ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"]
                .iter()
                .any(|path| Path::new(path).exists())
    },
};

/// Building the desktop app. Cargo finds the libraries by pkg-config, and so does this.
pub(crate) const DESKTOP: Need = Need {
    what: "the libraries of the desktop app",
    packages: &["libwebkit2gtk-4.1-dev", "libayatana-appindicator3-dev", "librsvg2-dev", "pkg-config"],
    here: || {
        let linux = cfg!(target_os = "linux");
        let libraries = ["webkit2gtk-4.1", "gtk+-3.0", "ayatana-appindicator3-0.1", "librsvg-2.0"];
        !linux || run::succeeds(Command::new("pkg-config").arg("--exists").args(libraries))
    },
};

/// Reading and trying packages of the other family.
pub(crate) const RPM: Need = Need { what: "rpm", packages: &["rpm"], here: || run::on_path("rpm") };

/// The clients from npm.
pub(crate) const NODE: Need =
    Need { what: "Node.js with npm", packages: &["nodejs", "npm"], here: || run::on_path("node") && on_path_npm() };

/// The clients from PyPI.
pub(crate) const PYTHON: Need = Need {
    what: "Python with venv",
    packages: &["python3", "python3-venv"],
    here: || run::succeeds(Command::new(python::interpreter()).args(["-c", "import venv, ensurepip"])),
};

/// A real keychain for the tests of the vault. It runs in a session bus of the test's own and touches no other.
pub(crate) const KEYCHAIN: Need = Need {
    what: "a keychain to test with",
    packages: &["gnome-keyring", "dbus-daemon"],
    here: || {
        let linux = cfg!(target_os = "linux");
        !linux || (run::on_path("dbus-run-session") && run::on_path("gnome-keyring-daemon"))
    },
};

/// A browser for the tests of signing in. It runs without a window and reaches this machine only.
pub(crate) const BROWSER: Need = Need {
    what: "a browser to test with",
    packages: &["chromium"],
    here: || {
        let linux = cfg!(target_os = "linux");
        !linux || ["chromium", "chromium-browser", "google-chrome", "chrome"].iter().any(|name| run::on_path(name))
    },
};

/// A desktop for the tests of the desktop app: screen, session bus, window manager, driver of the webview, panel, keychain.
/// It is nobody's: nothing is shown on a screen that a person looks at.
pub(crate) const SCREEN: Need = Need {
    what: "a desktop to test on",
    packages: &[
        "xvfb",
        "dbus",
        "webkit2gtk-driver",
        "openbox",
        "wmctrl",
        "xdotool",
        "xclip",
        "trayer",
        "imagemagick",
        "xauth",
        "gnome-keyring",
        "fonts-dejavu-core",
        "adwaita-icon-theme",
    ],
    here: || {
        let linux = cfg!(target_os = "linux");
        let programs = [
            "Xvfb",
            "dbus-daemon",
            "WebKitWebDriver",
            "openbox",
            "wmctrl",
            "xdotool",
            "xclip",
            "trayer",
            "import",
            "gnome-keyring-daemon",
        ];
        !linux || programs.iter().all(|name| run::on_path(name))
    },
};

fn on_path_npm() -> bool {
    if cfg!(windows) { run::succeeds(Command::new("npm.cmd").arg("--version")) } else { run::on_path("npm") }
}

/// How `apt-get` may be called here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Right {
    Root,
    Sudo,
    None,
}

/// Installs what is missing, or says with one line how to.
pub(crate) fn ensure(needs: &[Need]) -> Result<()> {
    let missing: Vec<_> = needs.iter().filter(|need| !(need.here)()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let what = names(&missing);
    match right() {
        Some(right @ (Right::Root | Right::Sudo)) => install(right, &missing),
        Some(Right::None) => {
            bail!("missing: {what}; run `{}` and try again", install_line(&packages(&missing)))
        }
        None => bail!("missing: {what}; install it with your system's package manager and try again"),
    }
}

/// As [`ensure`], for what is only good to have: without the right to install it, or without success, this says so and
/// goes on.
pub(crate) fn wish(needs: &[Need]) {
    let missing: Vec<_> = needs.iter().filter(|need| !(need.here)()).collect();
    if missing.is_empty() {
        return;
    }
    let what = names(&missing);
    let installed = match right() {
        Some(right @ (Right::Root | Right::Sudo)) => install(right, &missing),
        Some(Right::None) => Err(anyhow!("`{}` brings it", install_line(&packages(&missing)))),
        None => Err(anyhow!("it is not installed")),
    };
    if let Err(error) = installed {
        say::step(&format!("going on without {what}: {error:#}"));
    }
}

fn names(needs: &[&Need]) -> String {
    needs.iter().map(|need| need.what).collect::<Vec<_>>().join(", ")
}

fn packages(needs: &[&Need]) -> Vec<&'static str> {
    needs.iter().flat_map(|need| need.packages).copied().collect()
}

fn install(right: Right, needs: &[&Need]) -> Result<()> {
    say::step(&format!("installing {}", names(needs)));
    apt(right, &["update", "-qq"])?;
    apt(right, &[&["install", "-y", "-qq", "--no-install-recommends"], packages(needs).as_slice()].concat())
}

/// `None` where there is no apt-get at all.
fn right() -> Option<Right> {
    if !run::on_path("apt-get") {
        return None;
    }
    if run::output(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0") {
        return Some(Right::Root);
    }
    Some(if run::succeeds(Command::new("sudo").args(["-n", "true"])) { Right::Sudo } else { Right::None })
}

fn apt(right: Right, args: &[&str]) -> Result<()> {
    let mut command = if right == Right::Sudo { Command::new("sudo") } else { Command::new("env") };
    run::run(command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get"]).args(args))
}

fn install_line(packages: &[&str]) -> String {
    format!("sudo apt-get update && sudo apt-get install -y {}", packages.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_needs_no_installation() {
        ensure(&[Need { what: "air", packages: &["no-such-package"], here: || true }]).unwrap();
    }

    #[test]
    fn the_line_to_run_can_be_pasted() {
        let line = install_line(&["gcc", "libc6-dev"]);
        assert_eq!(line, "sudo apt-get update && sudo apt-get install -y gcc libc6-dev");
    }
}

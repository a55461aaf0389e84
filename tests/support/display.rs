//! A screen of the test's own: Xvfb, with a window manager where one is needed.

use std::path::Path;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::patience::until;

/// An X server nobody else uses. Dropped, it ends.
pub struct Display {
    name: String,
    manager: Option<Child>,
    _server: Child,
}

/// A window on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// As the tools name it, `0x00400003`.
    pub id: String,
    /// Its process, where it says so.
    pub pid: u32,
    /// Its title.
    pub title: String,
}

// === impl Display ===

impl Display {
    /// A server on a number that it finds free.
    pub async fn start() -> Self {
        let mut command = Command::new("Xvfb");
        command.args(["-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp", "-noreset"]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
        let mut server = command.spawn().expect("Xvfb starts");
        let mut lines = BufReader::new(server.stdout.take().expect("a pipe")).lines();
        let number = tokio::time::timeout(crate::patience::PATIENCE, lines.next_line()).await;
        let number = number.expect("Xvfb says its number").expect("a line").expect("Xvfb runs");
        Self { name: format!(":{number}"), manager: None, _server: server }
    }

    /// For `DISPLAY`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Windows get a frame with their title, can be raised, and be asked to close.
    pub async fn manage_windows(&mut self) {
        if self.manager.is_some() {
            return;
        }
        let mut command = self.command("openbox");
        self.manager = Some(command.kill_on_drop(true).spawn().expect("openbox starts"));
        until("a window manager", async || {
            let managed = self.run("wmctrl", &["-m"]).await;
            if managed.contains("Openbox") { Ok(()) } else { Err(managed) }
        })
        .await;
    }

    /// The windows that a window manager would list.
    pub async fn windows(&self) -> Vec<Window> {
        // id, desktop, process, machine, title
        let list = self.run("wmctrl", &["-lp"]).await;
        let fields = list.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
        let window = |fields: Vec<&str>| {
            let title = fields.get(4..).unwrap_or_default().join(" ");
            Some(Window { id: (*fields.first()?).to_owned(), pid: fields.get(2)?.parse().ok()?, title })
        };
        fields.filter_map(window).collect()
    }

    /// Waits for a window whose title satisfies this.
    pub async fn window(&self, what: &str, fits: impl Fn(&str) -> bool) -> Window {
        until(what, async || {
            let windows = self.windows().await;
            windows.iter().find(|window| fits(&window.title)).cloned().ok_or_else(|| format!("{windows:?}"))
        })
        .await
    }

    /// Waits until there is none.
    pub async fn no_window(&self) {
        until("no window", async || {
            let windows = self.windows().await;
            if windows.is_empty() { Ok(()) } else { Err(format!("{windows:?}")) }
        })
        .await;
    }

    /// The window that has the keyboard, as [`Window::id`] has it.
    pub async fn active(&self) -> String {
        let number = self.run("xdotool", &["getactivewindow"]).await;
        number.trim().parse::<u64>().map(|number| format!("0x{number:08x}")).unwrap_or_default()
    }

    /// Asks a window to close, as the cross in its frame does.
    pub async fn close(&self, window: &Window) {
        self.run("wmctrl", &["-i", "-c", &window.id]).await;
    }

    /// A picture of the whole screen.
    pub async fn picture(&self, path: &Path) {
        self.run("import", &["-window", "root", &path.to_string_lossy()]).await;
    }

    /// Runs a tool on this display and gives what it printed.
    pub async fn run(&self, program: &str, args: &[&str]) -> String {
        let mut command = self.command(program);
        let ran = command.args(args).stdout(Stdio::piped()).kill_on_drop(true).output().await.expect("the tool starts");
        String::from_utf8_lossy(&ran.stdout).into_owned()
    }

    /// A tool on this display.
    pub fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("DISPLAY", &self.name).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }
}

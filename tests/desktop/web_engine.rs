//! The web engine comes with the first window, and its absence is no end.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use codeferry_tests::desktop::Desktop;
use codeferry_tests::patience::until;
use codeferry_tests::process;

/// The libraries that make up the engine, by how their names begin.
const ENGINE: [&str; 3] = ["libwebkit2gtk", "libjavascriptcoregtk", "libsoup"];

fn is_engine(library: &str) -> bool {
    ENGINE.iter().any(|name| library.starts_with(name))
}

/// Those that a process has in its memory.
fn loaded(pid: u32) -> BTreeSet<String> {
    let maps = std::fs::read_to_string(format!("/proc/{pid}/maps")).unwrap_or_default();
    let files = maps.lines().filter_map(|line| line.rsplit('/').next());
    files.filter(|file| is_engine(file)).map(str::to_owned).collect()
}

#[tokio::test]
async fn it_is_loaded_with_the_first_window() {
    let Some(mut desktop) = Desktop::start().await else { return };
    desktop.display.manage_windows().await;
    desktop.sign_in("work").await;
    let mut app = desktop.launch(&["--hidden"]).await;
    let tray = desktop.tray().await;
    desktop.served_by("[[demo:text hi]]").await;
    assert_eq!(loaded(app.pid()), BTreeSet::new(), "the tray and the gateway do without");

    tray.click(&["Open dashboard"]).await;
    desktop.display.window("the dashboard", |title| title.contains("Codeferry")).await;
    let there = loaded(app.pid());
    assert_eq!(there.len(), ENGINE.len(), "{there:?}");
    assert!(app.runs());
}

/// What the linker takes from a library that it was to leave out is a function that `webkit/src/late/symbols.rs` does not list.
#[test]
fn the_program_does_not_link_it() {
    let Some(program) = codeferry_tests::client("CODEFERRY_DESKTOP_BIN", "the desktop app") else { return };
    if process::on_path("readelf").is_none() {
        eprintln!("skipped: readelf is not there (Debian: binutils)");
        return;
    }
    let needed = read(&program, "--dynamic");
    let needed: Vec<&str> = needed.lines().filter_map(|line| line.split(['[', ']']).nth(1)).collect();
    assert!(needed.iter().any(|library| library.starts_with("libgtk-3")), "the program was not read: {needed:?}");
    let linked: Vec<_> = needed.into_iter().filter(|library| is_engine(library)).collect();

    let symbols = read(&program, "--dyn-syms");
    let names = symbols.lines().filter(|line| line.contains(" UND ")).filter_map(|line| line.split_whitespace().nth(7));
    let missing: Vec<_> =
        names.filter(|name| ["webkit_", "jsc_", "soup_"].iter().any(|start| name.starts_with(start))).collect();
    assert!(linked.is_empty() && missing.is_empty(), "it links {linked:?} for {missing:#?}");
}

fn read(program: &Path, what: &str) -> String {
    let output = Command::new("readelf").args(["--wide", what]).arg(program).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

async fn opened(desktop: &Desktop, start: &str) {
    until("a page in the browser", async || {
        let opened = desktop.opened();
        if opened.iter().any(|url| url.starts_with(start)) { Ok(()) } else { Err(format!("{opened:?}")) }
    })
    .await;
}

#[tokio::test]
async fn without_it_the_browser_shows_the_pages() {
    let Some(mut desktop) = Desktop::start().await else { return };
    desktop.display.manage_windows().await;
    // A library of that name comes first, and is none.
    let libraries = desktop.file("libraries");
    std::fs::create_dir(&libraries).expect("a folder");
    std::fs::write(libraries.join("libwebkit2gtk-4.1.so.0"), "no library").expect("a file");
    desktop.variables.push(("LD_LIBRARY_PATH".to_owned(), libraries.display().to_string()));
    let mut app = desktop.launch(&["--hidden"]).await;
    let tray = desktop.tray().await;
    desktop.gateway().await;

    tray.click(&["Open dashboard"]).await;
    let asked = |title: &str| title.contains("cannot show its window");
    let question = desktop.display.window("what is missing", asked).await;
    desktop.display.run("wmctrl", &["-i", "-a", &question.id]).await;
    desktop.display.run("xdotool", &["key", "Return"]).await;
    opened(&desktop, &format!("http://127.0.0.1:{}/", desktop.port)).await;
    // Signing in needs a page as well, and asks nobody.
    desktop.display.no_window().await;
    tray.click(&["Add account"]).await;
    opened(&desktop, &desktop.demo.auth_url()).await;
    assert!(app.runs() && desktop.port_is_open().await, "the tray stays, and the gateway serves");
    desktop.tray().await.click(&["Quit"]).await;
    assert_eq!(app.code().await.0, Some(0));
}

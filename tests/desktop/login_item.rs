//! Starting at login: a file of the desktop's own kind, which the app writes, repairs and removes.
//!
//! <https://specifications.freedesktop.org/autostart-spec/latest/>

use std::path::PathBuf;
use std::process::Stdio;

use codeferry_tests::desktop::Desktop;
use codeferry_tests::patience::until;

/// The one file there is; none if there is none.
fn entry(desktop: &Desktop) -> Option<(PathBuf, String)> {
    let folder = std::fs::read_dir(desktop.config().join("autostart")).ok()?;
    let file =
        folder.flatten().map(|file| file.path()).find(|path| path.extension().is_some_and(|it| it == "desktop"))?;
    let text = std::fs::read_to_string(&file).ok()?;
    Some((file, text))
}

async fn until_written(desktop: &Desktop, words: &str) -> String {
    until("the file", async || match entry(desktop) {
        Some((_, text)) if text.contains(words) => Ok(text),
        other => Err(format!("{other:?}")),
    })
    .await
}

#[tokio::test]
async fn a_tick_writes_the_file_and_another_removes_it() {
    let Some(desktop) = Desktop::start().await else { return };
    let _app = desktop.launch(&["--hidden"]).await;
    let tray = desktop.tray().await;
    assert_eq!(entry(&desktop), None, "off, unless somebody wants it");
    tray.click(&["Start at login"]).await;
    let text = until_written(&desktop, "--hidden").await;
    assert!(text.contains(&*desktop.program().to_string_lossy()) && text.contains("Type=Application"), "{text}");
    tray.until("a tick", |menu| menu.ticked(&["Start at login"])).await;
    tray.click(&["Start at login"]).await;
    until("the file is gone", async || if entry(&desktop).is_none() { Ok(()) } else { Err(String::new()) }).await;
    tray.until("no tick", |menu| !menu.ticked(&["Start at login"])).await;
}

/// The program was moved, into a folder with a space in its name: the file follows at the next start, and what stands in it
/// starts the program.
#[tokio::test]
async fn a_moved_program_is_found_again() {
    let Some(mut desktop) = Desktop::start().await else { return };
    let mut app = desktop.launch(&["--hidden"]).await;
    desktop.tray().await.click(&["Start at login"]).await;
    until_written(&desktop, "--hidden").await;
    desktop.tray().await.click(&["Quit"]).await;
    assert_eq!(app.code().await.0, Some(0));

    let folder = desktop.file("my own apps");
    std::fs::create_dir(&folder).expect("a folder");
    let moved = folder.join("codeferry-desktop");
    // A hard link where that is possible: it is large.
    if std::fs::hard_link(desktop.program(), &moved).is_err() {
        std::fs::copy(desktop.program(), &moved).expect("a copy");
    }
    desktop.use_program(moved);
    let mut app = desktop.launch(&["--hidden"]).await;
    desktop.gateway().await;
    let text = until_written(&desktop, "my own apps").await;
    desktop.tray().await.until("a tick", |menu| menu.ticked(&["Start at login"])).await;
    desktop.tray().await.click(&["Quit"]).await;
    assert_eq!(app.code().await.0, Some(0));

    // As a session does it: the line is split by the rules of desktop entries, which here are those of a shell.
    let line = text.lines().find_map(|line| line.strip_prefix("Exec=")).expect("a line");
    let mut session = tokio::process::Command::new("sh");
    desktop.prepare(&mut session);
    let session = session.args(["-c", &format!("exec {line}")]).stdout(Stdio::null()).stderr(Stdio::null());
    let mut session = session.kill_on_drop(true).spawn().expect("it starts");
    desktop.gateway().await;
    assert_eq!(desktop.display.windows().await, [], "hidden");
    codeferry_tests::process::signal(session.id().expect("it runs"), "TERM");
    assert!(session.wait().await.expect("it ends").success());
}

/// Somebody switched it off in the desktop's own settings: that stays.
#[tokio::test]
async fn what_a_person_switched_off_stays_off() {
    let Some(desktop) = Desktop::start().await else { return };
    let mut app = desktop.launch(&["--hidden"]).await;
    desktop.tray().await.click(&["Start at login"]).await;
    let text = until_written(&desktop, "--hidden").await;
    desktop.tray().await.click(&["Quit"]).await;
    assert_eq!(app.code().await.0, Some(0));
    let (file, _) = entry(&desktop).expect("it is there");
    let off = text + "Hidden=true\nX-GNOME-Autostart-enabled=false\n";
    std::fs::write(&file, &off).expect("a file");
    let _app = desktop.launch(&["--hidden"]).await;
    desktop.gateway().await;
    desktop
        .tray()
        .await
        .until("no tick", |menu| menu.find(&["Start at login"]).is_some_and(|it| it.checked == Some(false)))
        .await;
    assert_eq!(entry(&desktop).expect("it is there").1, off);
}

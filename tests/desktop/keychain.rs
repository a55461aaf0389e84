//! The vault's key in a real keychain, GNOME's, on the session bus of the desktop.

use std::process::Stdio;

use codeferry_tests::desktop::Desktop;
use codeferry_tests::patience::until;
use codeferry_tests::process;
use reqwest::Method;
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::process::{Child, Command};

/// A keychain that is open, as after a login.
async fn keychain(desktop: &Desktop) -> Child {
    let mut command = Command::new("gnome-keyring-daemon");
    desktop.prepare(&mut command);
    command.args(["--foreground", "--unlock", "--components=secrets"]);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let mut daemon = command.spawn().expect("the keychain starts");
    let mut password = daemon.stdin.take().expect("a pipe");
    password.write_all(b"secret").await.expect("it reads");
    drop(password);
    let bus = desktop.bus.connect().await;
    let dbus = zbus::fdo::DBusProxy::new(&bus).await.expect("the bus");
    until("the keychain", async || {
        let name = "org.freedesktop.secrets".try_into().expect("a name");
        match dbus.name_has_owner(name).await {
            Ok(true) => Ok(()),
            other => Err(format!("{other:?}")),
        }
    })
    .await;
    daemon
}

#[tokio::test]
async fn a_sign_in_is_kept_by_the_keychain() {
    let Some(mut desktop) = Desktop::start().await else { return };
    if process::on_path("gnome-keyring-daemon").is_none() {
        println!("skipped: there is no keychain here (Debian: gnome-keyring)");
        return;
    }
    desktop.variables = vec![("CODEFERRY_VAULT".to_owned(), "keychain".to_owned())];
    let _keychain = keychain(&desktop).await;
    let mut app = desktop.launch(&["--hidden"]).await;
    desktop.gateway().await;
    let begin = json!({"kind": "plan", "method": "browser"});
    let begun = desktop.control(Method::POST, "/accounts/sign-in").json(&begin).send().await.expect("an answer");
    let begun: serde_json::Value = begun.json().await.expect("JSON");
    let url = format!("{}&demo=allow&demo_account=work", begun["url"].as_str().expect("an address"));
    assert!(desktop.http.get(url).send().await.expect("a page").status().is_success());
    let stage = desktop.api(&format!("/accounts/sign-in/{}", begun["id"].as_str().expect("an id"))).await;
    assert_eq!(stage["state"], "done", "{stage}");
    assert!(desktop.data().join("vault.bin").exists(), "sealed");
    assert!(!desktop.data().join("vault.key").exists(), "its key is in no file of ours");

    desktop.tray().await.click(&["Quit"]).await;
    assert_eq!(app.code().await.0, Some(0));
    let _app = desktop.launch(&["--hidden"]).await;
    desktop.gateway().await;
    desktop.tray().await.until("the account", |menu| menu.find(&["work@"]).is_some()).await;
    let answer = desktop.say("[[demo:text hi]]").send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
}

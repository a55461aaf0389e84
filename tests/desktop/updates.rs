//! Updates of the real app, from a server of this machine: what is signed by the right key for the right version takes the
//! program's place, and nothing else does.

#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a test looks into JSON, has a server of its own, and fails by panicking"
)]

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::header::CONTENT_TYPE;
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use codeferry_tests::desktop::Desktop;
use codeferry_tests::driver::Driver;
use codeferry_tests::patience::until;
use codeferry_tests::process;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};

/// A key like that of releases: Ed25519, in minisign's format (<https://jedisct1.github.io/minisign/>).
struct Key {
    pair: Ed25519KeyPair,
}

const ID: [u8; 8] = *b"codeferr";
/// Signed as a whole, without hashing it first.
const ALGORITHM: [u8; 2] = *b"Ed";

impl Key {
    fn new() -> Self {
        let document = Ed25519KeyPair::generate_pkcs8(&ring::rand::SystemRandom::new()).unwrap();
        Self { pair: Ed25519KeyPair::from_pkcs8(document.as_ref()).unwrap() }
    }

    /// As a build has it.
    fn public(&self) -> String {
        let key = [&ALGORITHM[..], &ID, self.pair.public_key().as_ref()].concat();
        STANDARD.encode(format!("untrusted comment: a key of a test\n{}\n", STANDARD.encode(key)))
    }

    /// As an announcement has it.
    fn sign(&self, package: &[u8], version: &str) -> String {
        let signature = self.pair.sign(package);
        let comment = format!("timestamp:1790000000\tfile:Codeferry.AppImage\tversion:{version}");
        let all = self.pair.sign(&[signature.as_ref(), comment.as_bytes()].concat());
        let line = STANDARD.encode([&ALGORITHM[..], &ID, signature.as_ref()].concat());
        STANDARD.encode(format!(
            "untrusted comment: x\n{line}\ntrusted comment: {comment}\n{}\n",
            STANDARD.encode(all.as_ref())
        ))
    }
}

/// Where releases are announced.
struct Releases {
    url: String,
    newest: Arc<Mutex<Value>>,
}

/// A program that makes the file it is started with, and ends.
fn package() -> Vec<u8> {
    std::fs::read("/usr/bin/touch").unwrap()
}

impl Releases {
    async fn open() -> Self {
        let newest = Arc::new(Mutex::new(Value::Null));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let told = Arc::clone(&newest);
        let answer = move || {
            let told = told.lock().unwrap().to_string();
            async move { ([(CONTENT_TYPE, "application/json")], told) }
        };
        let routes = Router::new().route("/latest.json", get(answer)).route("/package", get(async || package()));
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { url, newest }
    }

    fn announce(&self, version: &str, signature: &str) {
        let package = json!({"url": format!("{}/package", self.url), "signature": signature});
        let platform = format!("linux-{}", std::env::consts::ARCH);
        *self.newest.lock().unwrap() = json!({
            "version": version, "notes": "- It crosses in both directions now.", "platforms": {platform: package},
        });
    }
}

/// A desktop on which the app is an AppImage, with a key; and where that AppImage is.
async fn desktop(key: &Key, releases: &Releases) -> Option<(Desktop, PathBuf)> {
    let mut desktop = Desktop::start().await?;
    let image = desktop.file("my apps").join("Codeferry.AppImage");
    std::fs::create_dir(image.parent().unwrap()).unwrap();
    std::fs::write(&image, "the old one").unwrap();
    std::fs::set_permissions(&image, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let mounted = desktop.program().parent().unwrap().display().to_string();
    desktop.variables =
        [("APPIMAGE", image.display().to_string()), ("APPDIR", mounted), ("CODEFERRY_UPDATE_KEY", key.public())]
            .map(|(name, value)| (name.to_owned(), value))
            .into();
    desktop.set("desktop.update_endpoint", &format!("{}/latest.json", releases.url));
    desktop.display.manage_windows().await;
    Some((desktop, image))
}

/// Asks the shell, as its page does.
async fn ask(driver: &Driver, command: &str) -> Value {
    let begun = format!(
        "window.told = null; window.__TAURI_INTERNALS__.invoke('{command}')
            .then(ok => window.told = {{ ok }}, error => window.told = {{ error }})"
    );
    driver.js(&begun).await.unwrap();
    until(command, async || {
        let told = driver.js("return window.told").await?;
        if told.is_null() { Err("no answer".to_owned()) } else { Ok(told) }
    })
    .await
}

/// Chooses "Restart to update" in the dialog that shows what is new.
async fn agree(desktop: &Desktop, driver: &Driver, version: &str) {
    ask(driver, "install_update").await;
    let dialog = desktop.display.window("what is new", |title| title.contains(version)).await;
    desktop.display.run("wmctrl", &["-i", "-a", &dialog.id]).await;
    until("the dialog in front", async || {
        let active = desktop.display.active().await;
        if active == dialog.id { Ok(()) } else { Err(active) }
    })
    .await;
    desktop.display.run("xdotool", &["key", "Return"]).await;
}

#[tokio::test]
async fn what_is_not_newer_or_not_signed_is_refused() {
    let (key, releases) = (Key::new(), Releases::open().await);
    let Some((desktop, image)) = desktop(&key, &releases).await else { return };
    let mut driver = desktop.drive(&[]).await;
    desktop.gateway().await;
    driver.page().await;

    for old in ["0.0.1", codeferry_app::VERSION] {
        releases.announce(old, &key.sign(&package(), old));
        let state = ask(&driver, "check_update").await["ok"].clone();
        assert_eq!((&state["stage"], &state["version"]), (&json!("idle"), &Value::Null), "{old}: {state}");
    }
    let other = Key::new();
    let lies = [
        ("another key", other.sign(&package(), "99.0.0"), "not by the key of this build"),
        ("another file", key.sign(b"something else", "99.0.0"), "not by the key of this build"),
        ("another version", key.sign(&package(), "0.0.1"), "signed as another version"),
        ("nothing", String::new(), "not by the key of this build"),
    ];
    for (what, signature, words) in lies {
        releases.announce("99.0.0", &signature);
        let state = ask(&driver, "check_update").await["ok"].clone();
        assert_eq!((&state["stage"], &state["version"]), (&json!("available"), &json!("99.0.0")), "{what}: {state}");
        assert_eq!(state["notes"], "- It crosses in both directions now.");
        agree(&desktop, &driver, "99.0.0").await;
        let refused = desktop.display.window("that it was refused", |title| title.contains("not updated")).await;
        let state = ask(&driver, "update_state").await["ok"].clone();
        assert!(state["why"].as_str().is_some_and(|why| why.contains(words)), "{what}: {state}");
        assert_eq!(std::fs::read(&image).unwrap(), b"the old one", "{what}");
        assert!(desktop.port_is_open().await, "{what}: and the gateway serves");
        desktop.display.close(&refused).await;
    }
    let told = desktop.notifications.with("Codeferry 99.0.0 is there");
    assert_eq!(told.len(), 1, "{told:?}");
}

#[tokio::test]
async fn a_signed_update_takes_the_programs_place() {
    let (key, releases) = (Key::new(), Releases::open().await);
    let Some((desktop, image)) = desktop(&key, &releases).await else { return };
    desktop.sign_in("work").await;
    // No link, and so nothing to us; the new program gets the same arguments.
    let trace = desktop.file("started again");
    let mut driver = desktop.drive(&[&trace.display().to_string()]).await;
    desktop.gateway().await;
    driver.page().await;
    releases.announce("99.0.0", &key.sign(&package(), "99.0.0"));
    ask(&driver, "check_update").await;
    let answer = desktop.say("[[demo:drip 20 100]]").send().await.expect("the gateway answers");
    agree(&desktop, &driver, "99.0.0").await;
    let text = answer.text().await.expect("the whole answer");
    assert!(text.contains("message_stop") && !text.contains("event: error"), "what was under way finished: {text}");
    until("the new program", async || if trace.exists() { Ok(()) } else { Err(desktop.log()) }).await;
    assert_eq!(std::fs::read(&image).unwrap(), package());
    desktop.until_port(false).await;
    assert!(!process::runs(driver.pid()), "the old one has ended");
}

#[tokio::test]
async fn without_a_key_updates_are_off_and_say_so() {
    let (key, releases) = (Key::new(), Releases::open().await);
    let Some((mut desktop, _)) = desktop(&key, &releases).await else { return };
    desktop.variables.retain(|(name, _)| name != "CODEFERRY_UPDATE_KEY");
    let mut driver = desktop.drive(&[]).await;
    desktop.gateway().await;
    driver.page().await;
    releases.announce("99.0.0", &key.sign(&package(), "99.0.0"));
    let told = ask(&driver, "check_update").await;
    assert!(told["error"].as_str().is_some_and(|why| why.contains("without a key")), "{told}");
    let state = ask(&driver, "update_state").await["ok"].clone();
    assert_eq!((&state["stage"], &state["version"]), (&json!("off"), &Value::Null), "{state}");
    assert_eq!(desktop.notifications.with("is there"), []);
}

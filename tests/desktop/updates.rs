//! Updates of the real app, from a server of this machine: what is signed by the right key for the right version takes the
//! program's place, and nothing else does.

#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a test looks into JSON, has a server of its own, and fails by panicking"
)]

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::Query;
use axum::http::header::CONTENT_TYPE;
use axum::response::Redirect;
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use codeferry_tests::desktop::Desktop;
use codeferry_tests::driver::Driver;
use codeferry_tests::patience::until;
use codeferry_tests::process;
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

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
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        Self::at(listener, url)
    }

    /// The same over TLS, with a certificate that [`AUTHORITY`] has signed.
    async fn open_tls() -> Self {
        let (listener, url) = Tls::bind().await;
        Self::at(listener, url)
    }

    fn at(listener: impl axum::serve::Listener<Addr = SocketAddr>, url: String) -> Self {
        let newest = Arc::new(Mutex::new(Value::Null));
        let told = Arc::clone(&newest);
        let answer = move || {
            let told = told.lock().unwrap().to_string();
            async move { ([(CONTENT_TYPE, "application/json")], told) }
        };
        let elsewhere = get(async |Query(to): Query<Vec<(String, String)>>| Redirect::temporary(&to[0].1));
        let routes = Router::new()
            .route("/latest.json", get(answer))
            .route("/package", get(async || package()))
            .route("/elsewhere", elsewhere);
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { url, newest }
    }

    fn announce(&self, version: &str, signature: &str) {
        self.announce_at(&self.url, version, signature);
    }

    fn announce_at(&self, url: &str, version: &str, signature: &str) {
        let package = json!({"url": format!("{url}/package"), "signature": signature});
        let platform = format!("linux-{}", std::env::consts::ARCH);
        *self.newest.lock().unwrap() = json!({
            "version": version, "notes": "- It crosses in both directions now.", "platforms": {platform: package},
        });
    }
}

/// A TLS server for `localhost`.
struct Tls(TcpListener, TlsAcceptor);

const CERTIFICATES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../src-tauri/crates/upstream/src/transport/testdata");

impl Tls {
    async fn bind() -> (Self, String) {
        use rustls::pki_types::pem::PemObject as _;
        use rustls::pki_types::{CertificateDer, PrivateKeyDer};
        let chain = CertificateDer::pem_file_iter(format!("{CERTIFICATES}/server.pem")).unwrap();
        let key = PrivateKeyDer::from_pem_file(format!("{CERTIFICATES}/server.key.pem")).unwrap();
        let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain.map(Result::unwrap).collect(), key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        (Self(listener, TlsAcceptor::from(Arc::new(config))), url)
    }
}

impl axum::serve::Listener for Tls {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let (stream, from) = self.0.accept().await.unwrap();
            // A client that does not trust us hangs up here.
            if let Ok(stream) = self.1.accept(stream).await {
                return (stream, from);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.0.local_addr()
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
    until("the end of the old one", async || if process::runs(driver.pid()) { Err(desktop.log()) } else { Ok(()) })
        .await;
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

/// As releases are announced: over TLS, and no redirect and no package leads out of it.
#[tokio::test]
async fn what_is_asked_for_by_https_comes_by_https() {
    let (key, releases, plain) = (Key::new(), Releases::open_tls().await, Releases::open().await);
    let Some((mut desktop, _)) = desktop(&key, &releases).await else { return };
    desktop.variables.push(("SSL_CERT_FILE".to_owned(), format!("{CERTIFICATES}/ca.pem")));
    let mut driver = desktop.drive(&[]).await;
    desktop.gateway().await;
    driver.page().await;
    let signature = key.sign(&package(), "99.0.0");
    releases.announce("99.0.0", &signature);
    plain.announce("99.0.0", &signature);
    let state = ask(&driver, "check_update").await["ok"].clone();
    assert_eq!(state["version"], "99.0.0", "{state}");

    releases.announce_at(&plain.url, "99.0.0", &signature);
    let told = ask(&driver, "check_update").await;
    assert!(told["error"].as_str().is_some_and(|why| why.contains("not offered by https")), "{told}");

    let leads = |to: &str| format!("{}/elsewhere?to={to}/latest.json", releases.url);
    for (to, newer) in [(&releases.url, true), (&plain.url, false)] {
        releases.announce("99.0.0", &signature);
        let body = json!({"value": leads(to)});
        let set = desktop.control(reqwest::Method::PUT, "/settings/desktop.update_endpoint").json(&body);
        assert!(set.send().await.unwrap().status().is_success());
        let told = ask(&driver, "check_update").await;
        assert_eq!(told["ok"]["version"] == "99.0.0", newer, "{to}: {told}");
    }
}

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use codeferry_accounts::{KeySource, Kind, Rotation};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{Options, Running, StartError, reread, start};
use crate::{Environment, OwnerRecord, Paths, client_keys, control_token, settings, system_clock};

struct Home {
    _temp: tempfile::TempDir,
    paths: Paths,
    environment: Environment,
}

fn home() -> Home {
    let temp = tempfile::tempdir().unwrap();
    let environment = Environment { vault: KeySource::File, ..Environment::default() };
    Home { paths: Paths::at(temp.path().join("data")), _temp: temp, environment }
}

impl Home {
    async fn start(&self, options: Options) -> Result<Running, StartError> {
        start(Options { port: options.port.or(Some(0)), ..options }, &self.paths, &self.environment).await
    }

    async fn demo(&self) -> Running {
        self.start(Options { demo: true, ..Options::default() }).await.unwrap()
    }
}

/// The status line and everything after it.
async fn ask(running: &Running, method: &str, path: &str, bearer: &str) -> String {
    let mut stream = TcpStream::connect(running.address()).await.unwrap();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {bearer}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
        running.address()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn it_serves_and_is_found_and_gives_the_folder_back() {
    let home = home();
    let running = home.demo().await;
    let owner = OwnerRecord::find(&home.paths).unwrap().expect("it runs");
    assert_eq!(owner.url.as_deref(), Some(running.url()));
    assert!(owner.demo);
    assert!(ask(&running, "GET", "/health", "none").await.starts_with("HTTP/1.1 200"));
    let second = home.start(Options::default()).await.unwrap_err();
    assert!(second.is_conflict() && second.to_string().contains(running.url()), "{second}");
    running.stop().await.unwrap();
    assert_eq!(OwnerRecord::find(&home.paths).unwrap(), None);
    home.demo().await.stop().await.unwrap();
}

/// Nothing has run on this runtime since the start: whoever is told that it serves may ask for its address at once.
#[tokio::test]
async fn it_knows_its_address_before_it_is_first_polled() {
    let home = home();
    let running = home.demo().await;
    let link = running.gateway().session_link(None).unwrap();
    assert!(link.starts_with(&format!("{}/login?code=", running.url())), "{link}");
    assert_eq!(running.gateway().status().url, running.url());
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_key_made_beside_it_counts_at_once_and_so_does_its_end() {
    let home = home();
    let running = home.demo().await;
    let keys = client_keys(&home.paths).unwrap();
    let key = keys.create("beside", system_clock()()).unwrap().key;
    assert!(ask(&running, "GET", "/v1/models", &key).await.starts_with("HTTP/1.1 200"));
    keys.revoke("beside").unwrap();
    assert!(ask(&running, "GET", "/v1/models", &key).await.starts_with("HTTP/1.1 401"));
    running.stop().await.unwrap();
}

#[tokio::test]
async fn settings_changed_beside_it_count_after_a_reload() {
    let home = home();
    let running = home.demo().await;
    settings(&home.paths).unwrap().set("body_limit_mib", "3").unwrap();
    let token = control_token(&home.paths).unwrap().expose();
    assert!(ask(&running, "POST", "/api/reload", "wrong").await.starts_with("HTTP/1.1 401"));
    assert!(ask(&running, "POST", "/api/reload", &token).await.starts_with("HTTP/1.1 200"));
    assert_eq!(running.settings().snapshot().body_limit_mib, 3);
    running.stop().await.unwrap();
}

#[tokio::test]
async fn the_control_plane_can_end_it() {
    let home = home();
    let mut running = home.demo().await;
    let token = control_token(&home.paths).unwrap().expose();
    assert!(ask(&running, "POST", "/api/shutdown", &token).await.starts_with("HTTP/1.1 202"));
    running.ended().await;
    running.ended().await;
    running.stop().await.unwrap();
}

#[tokio::test]
async fn the_demo_pays_with_its_own_account_and_makes_no_vault() {
    let home = home();
    let running = home.demo().await;
    let accounts = running.pool().list();
    assert_eq!(accounts.len(), 1);
    assert_eq!((accounts[0].kind, accounts[0].active, accounts[0].ephemeral), (Kind::Demo, true, true));
    let lease = running.pool().lease(&[]).await.unwrap();
    assert_eq!(lease.account.kind, Kind::Demo);
    running.pool().reload().await.unwrap();
    running.stop().await.unwrap();
    let left: Vec<_> = std::fs::read_dir(home.paths.home()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().contains("vault")), "{left:?}");
}

#[tokio::test]
async fn the_network_is_let_in_only_on_purpose_and_with_a_key() {
    let home = home();
    let everywhere = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
    settings(&home.paths).unwrap().set("host", "0.0.0.0").unwrap();
    let error = home.start(Options::default()).await.unwrap_err();
    assert!(matches!(error, StartError::NotLoopback(_)) && error.is_conflict(), "{error}");
    // The app has nobody who could say --host, and must not be locked out by a setting of its own dashboard.
    let app = home.start(Options { stay_on_loopback: true, demo: true, ..Options::default() }).await.unwrap();
    assert!(app.address().ip().is_loopback());
    app.stop().await.unwrap();
    let on_purpose = || Options { host: Some(everywhere), demo: true, ..Options::default() };
    let error = home.start(on_purpose()).await.unwrap_err();
    assert!(matches!(error, StartError::NoKey(_)) && error.is_conflict(), "{error}");
    client_keys(&home.paths).unwrap().create("phone", system_clock()()).unwrap();
    let running = home.start(on_purpose()).await.unwrap();
    assert_eq!(running.address().ip(), everywhere);
    running.stop().await.unwrap();
}

#[tokio::test]
async fn a_taken_port_gives_the_folder_back() {
    let home = home();
    let other = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = other.local_addr().unwrap().port();
    let error = home.start(Options { port: Some(port), demo: true, ..Options::default() }).await.unwrap_err();
    assert!(matches!(error, StartError::Listen(_)) && error.is_conflict(), "{error}");
    assert_eq!(OwnerRecord::find(&home.paths).unwrap(), None);
}

#[tokio::test]
async fn the_catalogue_is_asked_for_after_the_start() {
    let mut home = home();
    let upstream = codeferry_demo::Demo::start(codeferry_demo::Options::default()).await.unwrap();
    home.environment.endpoints.chatgpt = upstream.chatgpt_url().parse().unwrap();
    let file = upstream.account("someone").import_json().to_string();
    let imported = codeferry_accounts::import::read(Kind::Codex, file.as_bytes(), system_clock()()).unwrap();
    crate::vault_pool(&home.paths, &home.environment).import(imported).await.unwrap();
    let running = home.start(Options::default()).await.unwrap();
    upstream.wait_until(|seen| seen.iter().any(|request| request.path.contains("/codex/models"))).await;
    running.stop().await.unwrap();
}

#[tokio::test]
async fn stopping_does_not_wait_for_a_client_that_only_keeps_its_connection() {
    let home = home();
    let options = Options { demo: true, grace: Some(Duration::ZERO), ..Options::default() };
    let running = home.start(options).await.unwrap();
    let _idle = TcpStream::connect(running.address()).await.unwrap();
    running.stop().await.unwrap();
}

#[tokio::test]
async fn an_errand_disturbs_no_owner_and_is_none() {
    let home = home();
    let errand = || Options { errand: true, ..Options::default() };
    let alone = home.start(errand()).await.unwrap();
    assert_eq!(OwnerRecord::find(&home.paths).unwrap(), None);
    let owner = home.demo().await;
    let beside = home.start(errand()).await.unwrap();
    let found = OwnerRecord::find(&home.paths).unwrap().expect("it runs");
    assert_eq!(found.url.as_deref(), Some(owner.url()));
    let token = control_token(&home.paths).unwrap().expose();
    for errand in [alone, beside] {
        assert!(ask(&errand, "GET", "/api/accounts", &token).await.starts_with("HTTP/1.1 200"));
        errand.stop().await.unwrap();
    }
    assert!(OwnerRecord::find(&home.paths).unwrap().is_some(), "it has its folder still");
    owner.stop().await.unwrap();
}

#[tokio::test]
async fn the_rotation_that_was_set_counts_from_the_start_and_after_a_change() {
    let home = home();
    settings(&home.paths).unwrap().set("rotation", "sticky").unwrap();
    let running = home.demo().await;
    assert_eq!(running.pool().rotation(), Rotation::Sticky);
    let mut changes = running.settings().subscribe();
    running.settings().set("rotation", "fill_first").unwrap();
    changes.changed().await.unwrap();
    let followed = async {
        while running.pool().rotation() != Rotation::FillFirst {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), followed).await.expect("it follows");
    running.stop().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_nobody_tells_is_seen_all_the_same() {
    let home = home();
    let upstream = codeferry_demo::Demo::start(codeferry_demo::Options::default()).await.unwrap();
    let pool = crate::vault_pool(&home.paths, &home.environment);
    let mut changes = pool.subscribe();
    let others = crate::vault_pool(&home.paths, &home.environment);
    let imported = async {
        let file = upstream.account("someone").import_json().to_string();
        let imported = codeferry_accounts::import::read(Kind::Codex, file.as_bytes(), system_clock()()).unwrap();
        others.import(imported).await.unwrap();
        changes.changed().await.unwrap();
    };
    tokio::select! {
        () = reread(pool.clone()) => unreachable!("it goes on for good"),
        () = imported => {}
    }
    assert_eq!(pool.list().len(), 1);
}

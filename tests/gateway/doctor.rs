//! `GET /api/doctor`: each thing that is wrong has its row, and what to do about it.

use codeferry_demo::TokenFault;
use codeferry_tests::{Setup, World};
use reqwest::Method;
use serde_json::{Value, json};

async fn examine(world: &World, query: &str) -> Value {
    world.ask(Method::GET, &format!("/doctor{query}"), json!({})).await
}

fn rows<'r>(report: &'r Value, check: &str) -> Vec<&'r Value> {
    report["rows"].as_array().unwrap().iter().filter(|row| row["check"] == check).collect()
}

fn row<'r>(report: &'r Value, check: &str) -> &'r Value {
    let rows = rows(report, check);
    assert_eq!(rows.len(), 1, "{check}: {report}");
    rows[0]
}

#[tokio::test]
async fn all_is_well() {
    let world = World::start().await;
    #[cfg(unix)]
    std::fs::set_permissions(world.home.path(), std::os::unix::fs::PermissionsExt::from_mode(0o700)).unwrap();
    world.say("[[demo:text hi]]").await;
    let report = examine(&world, "").await;
    // How full this machine's disk is, is not the gateway's.
    let bad = |row: &&Value| row["verdict"] != "ok" && row["check"] != "disk_space";
    assert_eq!(report["rows"].as_array().unwrap().iter().find(bad), None, "{report}");
    for check in ["data_folder", "permissions", "proxy", "settings", "vault", "account", "client_keys", "address"] {
        row(&report, check);
    }
    assert!(row(&report, "upstream")["message"].as_str().unwrap().contains("answered"), "{report}");
    assert!(row(&report, "clock")["message"].as_str().unwrap().contains("within"), "{report}");
    let text = report.to_string();
    assert!(!text.contains("@demo.test") && !text.contains(&world.key), "to be shown to whoever helps: {text}");
}

#[tokio::test]
async fn what_is_wrong_is_said_with_its_cure() {
    let world = World::with(Setup { signed_in: false, ..Setup::default() }).await;
    world.gateway.keys().revoke("test").unwrap();
    std::fs::write(world.home.path().join("settings.json"), r#"{"port": "http", "grace_seconds": 3}"#).unwrap();
    world.ask(Method::POST, "/reload", json!({})).await;
    let report = examine(&world, "").await;
    assert_eq!(report["verdict"], "fail");
    for (check, verdict, word, hint) in [
        ("accounts", "fail", "no account", "codeferry accounts add"),
        ("client_keys", "warn", "no client key", "codeferry keys create"),
        ("settings", "warn", "port is \"http\"", "codeferry settings unset port"),
    ] {
        let row = row(&report, check);
        assert_eq!(row["verdict"], verdict, "{row}");
        assert!(row["message"].as_str().unwrap().contains(word), "{row}");
        assert!(row["hint"].as_str().unwrap().contains(hint), "{row}");
    }
    std::fs::write(world.home.path().join("settings.json"), "{").unwrap();
    std::fs::write(world.home.path().join("vault.bin"), "not a vault").unwrap();
    let report = examine(&world, "").await;
    assert_eq!(
        (&row(&report, "settings")["verdict"], &row(&report, "vault")["verdict"]),
        (&json!("fail"), &json!("fail"))
    );
    let (status, refused) = world.ask_refused(Method::GET, "/doctor?alive=true", json!({})).await;
    assert_eq!((status, refused["code"].as_str()), (400, Some("bad_request")));
}

#[tokio::test]
async fn live_asks_and_spends_nothing() {
    let world = World::start().await;
    let report = examine(&world, "?live=true").await;
    assert_eq!(row(&report, "live")["verdict"], "ok", "{report}");
    assert!(!rows(&report, "upstream").is_empty());
    world.demo.expire_access_tokens();
    let report = examine(&world, "?live=true").await;
    assert!(row(&report, "live")["message"].as_str().unwrap().contains("the next request renews it"), "{report}");
    assert_eq!(world.demo.refresh_count(), 0);

    // A sign-in that has died is not asked with, and is what is wrong.
    world.demo.fail_refreshes(Some(TokenFault::Refuse("refresh_token_expired".to_owned())));
    world.refused("hi").await;
    let report = examine(&world, "?live=true").await;
    let account = row(&report, "account");
    assert_eq!((&account["verdict"], rows(&report, "live").len()), (&json!("fail"), 0), "{report}");
    assert!(account["hint"].as_str().unwrap().starts_with("codeferry accounts add --account acc_"), "{account}");
    assert!(!report.to_string().contains("@demo.test"), "{report}");
}

#[tokio::test]
async fn an_upstream_that_is_gone() {
    let world = World::start().await;
    world.say("[[demo:text hi]]").await;
    world.demo.stop().await;
    let refusal = world.refused("hi").await;
    assert!(refusal.status >= 500, "{refusal:?}");
    let report = examine(&world, "").await;
    let unreached = rows(&report, "upstream").into_iter().find(|row| row["verdict"] == "fail");
    assert!(unreached.is_some_and(|row| row["message"].as_str().unwrap().starts_with("not reached")), "{report}");
}

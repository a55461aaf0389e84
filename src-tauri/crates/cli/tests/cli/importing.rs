//! `accounts import`: files shaped as the programs write them that they come from.

use codeferry_demo::{AccountKind, DemoAccount};
use serde_json::{Value, json};

use crate::world::{World, world};

/// `accounts.json` of codex-proxy.
pub(crate) fn codex_proxy(accounts: &[Value], active: &str) -> String {
    format!("{:#}", json!({"accounts": accounts, "activeAccount": active, "version": 1}))
}

pub(crate) fn proxy_account(account: &DemoAccount) -> Value {
    json!({
        "email": account.email, "accountId": account.account_id, "planType": account.plan, "userId": account.user_id,
        "accessToken": account.access_token, "refreshToken": account.refresh_token, "idToken": account.id_token,
        "expiresAt": account.expires_at * 1000, "addedAt": "2026-02-13T04:00:00.000Z", "source": "oauth",
    })
}

/// A file of CLIProxyAPI's folder.
fn cli_proxy_api(account: &DemoAccount) -> String {
    format!(
        "{:#}",
        json!({
            "type": "codex", "email": account.email, "account_id": account.account_id, "disabled": false,
            "access_token": account.access_token, "refresh_token": account.refresh_token, "id_token": account.id_token,
            "expired": "", "last_refresh": "2026-11-01T10:00:00+01:00",
        })
    )
}

pub(crate) fn codaze(account: &DemoAccount, label: &str) -> String {
    format!("{:#}\n", json!({"refresh_token": account.refresh_token, "label": label}))
}

fn import(world: &World, args: &[&str]) -> crate::home::Ran {
    world.home.run(&[&["accounts", "import"], args].concat())
}

#[test]
fn a_file_says_by_itself_whose_it_is() {
    let world = world();
    let (ada, cal) = (world.demo.account("ada"), world.demo.account("cal"));
    let codex = world.file(&ada);
    let ran = import(&world, &[&codex]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(ran.err.contains("warning: ") && ran.err.contains("logged out"), "{}", ran.err);
    assert!(
        ran.err.contains(&format!("hint: read-only: codeferry accounts import --read-only {codex}")),
        "{}",
        ran.err
    );

    let plan = world.file(&world.demo.plan_account("pat"));
    let ran = import(&world, &[&plan]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(!ran.err.contains("warning") && ran.err.contains("added pat@demo.test (plan)"), "{}", ran.err);

    let other = world.write("codex-cal.json", &cli_proxy_api(&cal));
    let ran = import(&world, &[&other]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(ran.err.contains("added cal@demo.test (codex)"), "{}", ran.err);
    // The same sign-in in the form of another program is the same account.
    let again = world.write("again.json", &cli_proxy_api(&ada));
    assert_eq!(world.home.json(&["accounts", "import", &again, "--json"])["outcome"], "unchanged");

    let kinds: Vec<_> = world.list().iter().map(|account| account["kind"].clone()).collect();
    assert_eq!(kinds, ["codex", "plan", "codex"]);
    let ran = import(&world, &[&world.write("claude.json", r#"{"type":"claude","access_token":"x"}"#)]);
    assert_eq!(ran.code, Some(2), "{}", ran.err);
    let ran = import(&world, &["--read-only", &plan]);
    assert_eq!(ran.code, Some(2), "{}", ran.err);
    assert!(ran.err.contains("only the auth.json of the Codex CLI"), "{}", ran.err);
}

#[test]
fn each_account_of_a_file_has_its_own_result() {
    let world = world();
    let (ada, bob) = (world.demo.account("ada"), world.demo.account("bob"));
    let off = json!({"email": "eve@demo.test", "accessToken": "x", "refreshToken": "rt-eve", "enabled": false});
    let accounts = [proxy_account(&ada), off, json!("nonsense"), proxy_account(&bob)];
    let file = world.write("accounts.json", &codex_proxy(&accounts, "bob@demo.test"));
    let ran = import(&world, &[&file, "--json"]);
    assert_eq!(ran.code, Some(2), "{}", ran.err);
    let lines: Vec<Value> = ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let facts: Vec<_> = lines
        .iter()
        .map(|line| (line["place"].as_str().unwrap().rsplit(' ').next().unwrap(), line["email"].as_str()))
        .collect();
    assert_eq!(
        facts,
        [
            ("accounts[3]", Some("bob@demo.test")),
            ("accounts[0]", Some("ada@demo.test")),
            ("accounts[1]", None),
            ("accounts[2]", None)
        ]
    );
    assert_eq!((&lines[0]["outcome"], &lines[0]["active"]), (&"added".into(), &true.into()), "as it was there");
    assert!(lines[2]["error"].as_str().unwrap().contains("switched this account off"), "{}", lines[2]);
    assert!(lines[3]["error"].as_str().unwrap().contains("line 1"), "{}", lines[3]);
    assert_eq!(world.list().len(), 2);
    let ran = import(&world, &[&file]);
    assert_eq!((ran.code, ran.out.lines().count()), (Some(2), 2), "{}", ran.err);
    assert_eq!(ran.err.matches("error: ").count(), 2, "{}", ran.err);
    assert!(!(ran.err + &ran.out).contains(&ada.refresh_token));
}

#[test]
fn a_folder_of_refresh_tokens_is_named_by_its_first_use() {
    let world = world();
    let (ada, bob) = (world.demo.account("ada"), world.demo.account("bob"));
    world.write("codaze/a.json", &codaze(&ada, "work"));
    world.write("codaze/b.json", &codaze(&bob, "home"));
    world.write("codaze/.c.json", "half");
    world.write("codaze/notes.txt", "mine");
    let folder = world.home.file("codaze");
    let ran = import(&world, &[folder.to_str().unwrap()]);
    assert_eq!((ran.code, ran.out.lines().count()), (Some(0), 2), "{}", ran.err);
    assert!(ran.err.contains("right id with its first use"), "{}", ran.err);
    assert_eq!(world.demo.refresh_count(), 0, "nothing is spent by importing");
    let before = world.list();
    assert_eq!((&before[0]["label"], &before[0]["email"]), (&"work".into(), &Value::Null));

    let key = world.home.ok(&["keys", "create", "k"]);
    let server = world.home.serve(&[]);
    assert_eq!(server.say(&key, "hello").status, 200);
    let after = world.list();
    assert_eq!(after.len(), 2);
    let work = after.iter().find(|account| account["label"] == "work").unwrap();
    assert_eq!((&work["email"], &work["active"]), (&"ada@demo.test".into(), &true.into()));
    assert_ne!(work["id"], before[0]["id"]);
    assert_eq!(world.demo.refresh_count(), 1);
    // Its file holds what was spent by now.
    let ran = import(&world, &[world.home.file("codaze/a.json").to_str().unwrap()]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{}", ran.err);
    assert!(ran.err.contains("newer sign-in"), "{}", ran.err);

    let empty = world.home.file("empty");
    std::fs::create_dir(&empty).unwrap();
    assert_eq!(import(&world, &[empty.to_str().unwrap()]).code, Some(2));
}

#[test]
fn an_older_sign_in_replaces_no_newer_one() {
    let world = world();
    let older = world.demo.sign_in(AccountKind::Plan, "pat").plan_import_json();
    let newer = world.demo.sign_in(AccountKind::Plan, "pat").plan_import_json();
    let at = |mut file: Value, end: &str| {
        file["expires_at"] = json!(end);
        file.to_string()
    };
    let newer = world.write("newer.json", &at(newer, "2099-02-01T00:00:00Z"));
    let older = world.write("older.json", &at(older, "2099-01-01T00:00:00Z"));
    let id = world.home.ok(&["accounts", "import", &newer]);
    let ran = import(&world, &[&older]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{}", ran.err);
    assert!(ran.err.contains("remove the account first"), "{}", ran.err);
    assert_eq!(world.listed(&id)["expires_at"], "2099-02-01T00:00:00Z");
    world.home.ok(&["accounts", "remove", &id]);
    world.home.ok(&["accounts", "import", &older]);
}

#[test]
fn read_only_follows_the_file_and_spends_nothing() {
    let world = world();
    let first = world.demo.account("ada");
    let file = world.file(&first);
    let ran = import(&world, &["--read-only", &file]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(!ran.err.contains("warning") && ran.err.contains("read-only"), "{}", ran.err);
    let id = ran.out.trim_end().to_owned();
    assert_eq!(world.listed(&id)["read_only"], file.as_str());
    assert!(world.home.ok(&["accounts", "list"]).contains("ready, read-only"));

    let key = world.home.ok(&["keys", "create", "k"]);
    let server = world.home.serve(&[]);
    assert_eq!(server.say(&key, "hello").status, 200);
    // The Codex CLI has renewed its sign-in.
    world.demo.expire_access_tokens();
    let renewed = world.demo.account("ada");
    world.file(&renewed);
    assert_eq!(server.say(&key, "hello").status, 200);
    assert_eq!(world.demo.refresh_count(), 0, "never by us");

    let ran = world.home.run(&["accounts", "remove", &id]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(ran.err.contains("another program's"), "{}", ran.err);
    assert!(world.demo.is_live(&renewed.refresh_token), "it was not ours to end");
    assert!(std::path::Path::new(&file).exists());
}

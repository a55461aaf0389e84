//! Accounts are called something, preferred, paused, woken, looked at, and forgotten for good.

use std::time::Duration;

use codeferry_demo::{AuthFault, Endpoint, Options, Route};

use crate::world::{world, world_with};

#[test]
fn labels_priorities_and_pauses_reach_the_gateway() {
    let world = world();
    let home = &world.home;
    let (ada, pat) = (world.codex("ada"), world.plan("pat"));
    let key = home.ok(&["keys", "create", "k"]);
    let server = home.serve(&[]);
    home.ok(&["accounts", "label", "ADA@demo.test", "work"]);
    home.ok(&["accounts", "priority", "work", "-3"]);
    let account = world.listed(&ada);
    assert_eq!((&account["label"], &account["priority"]), (&"work".into(), &(-3).into()));
    let taken = home.run(&["accounts", "label", &pat, "work"]);
    assert_eq!((taken.code, taken.err.contains("called that already")), (Some(2), true), "{}", taken.err);
    assert_eq!(home.run(&["accounts", "label", &pat, &"x".repeat(65)]).code, Some(2));

    home.ok(&["accounts", "pause", "work"]);
    assert_eq!(world.listed(&ada)["paused"], true);
    assert_ne!(server.say(&key, "hello").status, 200, "nobody steps in in personal mode");
    home.ok(&["settings", "set", "rotation", "sticky"]);
    assert_eq!(server.say(&key, "hello").status, 200, "the rotation counts at once");
    home.ok(&["accounts", "resume", "work"]);
    assert_eq!(server.say(&key, "again").status, 200);
    let paid: Vec<_> = world.demo.model_requests().into_iter().filter_map(|request| request.account).collect();
    assert_eq!(paid, ["acc-pat", "acc-ada"]);
    home.ok(&["accounts", "label", "work"]);
    assert_eq!(world.listed(&ada)["label"], serde_json::Value::Null);
    for verb in ["label", "pause", "resume", "wake", "verify", "remove"] {
        let ran = home.run(&["accounts", verb, "nobody"]);
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{verb}: {}", ran.err);
        assert!(ran.err.contains("nobody"), "{}", ran.err);
    }
}

#[test]
fn an_account_that_rests_is_woken() {
    let world = world();
    let home = &world.home;
    let ada = world.codex("ada");
    let key = home.ok(&["keys", "create", "k"]);
    let server = home.serve(&[]);
    assert_eq!(server.say(&key, "[[demo:limit 10800]]").status, 429);
    let resting = world.listed(&ada);
    assert_eq!((&resting["state"], &resting["why"]), (&"cooling_down".into(), &"usage_limit".into()));
    let ran = home.run(&["accounts", "wake", "ada@demo.test"]);
    assert_eq!((ran.code, ran.err.contains("may be used again")), (Some(0), true), "{}", ran.err);
    assert_eq!(world.listed(&ada)["state"], "ready");
    assert_eq!(server.say(&key, "hello").status, 200);
    let ran = home.run(&["accounts", "wake", &ada]);
    assert!(ran.err.contains("did not rest"), "{}", ran.err);
    server.kill();
    let ran = home.run(&["accounts", "wake", &ada]);
    assert_eq!((ran.code, ran.err.contains("no gateway")), (Some(0), true), "{}", ran.err);
}

#[test]
fn verifying_spends_no_refresh_token() {
    // Tokens that any request would renew first.
    let world = world_with(Options { token_lifetime: Duration::from_secs(120), ..Options::default() });
    let home = &world.home;
    let ada = world.codex("ada");
    world.plan("pat");
    for beside in [false, true] {
        // A gateway of the demo's, because any other looks for models first.
        let server = beside.then(|| home.serve(&["--demo"]));
        let good = home.json(&["accounts", "verify", "--all", "--json"]);
        assert_eq!((good.as_array().unwrap().len(), &good[0]["ok"], &good[1]["ok"]), (2, &true.into(), &true.into()));
        assert!(home.ok(&["accounts", "verify", &ada]).starts_with("ada@demo.test  good"));
        drop(server);
    }
    let asked = world.demo.requests().into_iter().filter(|request| request.route == Route::Usage).count();
    assert_eq!(asked, 4, "the codex account alone has a usage page");
    world.demo.expire_access_tokens();
    let ran = home.run(&["accounts", "verify", "--all"]);
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    assert_eq!(ran.out.matches("not good").count(), 2, "{}", ran.out);
    assert_eq!(world.demo.refresh_count(), 0);
    assert_eq!(home.run(&["accounts", "verify"]).code, Some(2));
    world.no_violations();
}

#[test]
fn removing_ends_the_sign_in_at_the_auth_host() {
    let world = world();
    let home = &world.home;
    let (ada, pat, cal) = (world.demo.account("ada"), world.demo.plan_account("pat"), world.demo.account("cal"));
    for account in [&ada, &pat, &cal] {
        home.ok(&["accounts", "import", &world.file(account)]);
    }
    let ran = home.run(&["accounts", "remove", "ada@demo.test"]);
    assert_eq!((ran.code, ran.err.contains("ended at the auth host too")), (Some(0), true), "{}", ran.err);
    assert!(!world.demo.is_live(&ada.refresh_token) && world.demo.is_live(&pat.refresh_token));
    // Over the gateway that runs; the auth host is down.
    let server = home.serve(&[]);
    world.demo.fail_next(Endpoint::Revoke, AuthFault::Status(500));
    let ran = home.run(&["accounts", "remove", "cal@demo.test"]);
    assert_eq!((ran.code, ran.err.contains("warning: ")), (Some(0), true), "{}", ran.err);
    assert_eq!(world.list().len(), 1, "it is gone here all the same");

    let ran = home.run(&["accounts", "clear"]);
    assert_eq!((ran.code, ran.err.contains("hint: ")), (Some(2), true), "{}", ran.err);
    assert_eq!(world.list().len(), 1);
    let ran = home.run(&["accounts", "clear", "--yes"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(world.list().is_empty() && !world.demo.is_live(&pat.refresh_token));
    home.ok(&["accounts", "clear", "--yes"]);
    drop(server);
    world.no_violations();
}

#[test]
fn a_vault_that_cannot_be_read_is_not_an_empty_one() {
    let world = world();
    world.codex("ada");
    std::fs::rename(world.home.folder().join("vault.key"), world.home.file("vault.key")).unwrap();
    for words in [&["accounts", "remove", "ada@demo.test"][..], &["accounts", "clear", "--yes"], &["quota"]] {
        let ran = world.home.run(words);
        assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""), "{words:?}: {}", ran.err);
    }
    std::fs::rename(world.home.file("vault.key"), world.home.folder().join("vault.key")).unwrap();
    assert_eq!(world.list().len(), 1);
}

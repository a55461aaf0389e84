//! Accounts: from a file into the vault and out again, beside a running gateway or without one.

use codeferry_accounts::{KeySource, Kind, import};
use codeferry_app::{Environment, Paths};
use codeferry_demo::{Recorded, Route, TokenFault};
use serde_json::Value;

use crate::world::world;

#[test]
fn the_round_trip() {
    let world = world();
    let home = &world.home;
    let none = home.run(&["accounts", "list"]);
    assert_eq!((none.code, none.out.as_str()), (Some(0), ""));
    assert!(none.err.contains("hint: sign in: codeferry accounts add"), "{}", none.err);
    assert_eq!(home.json(&["accounts", "list", "--json"]), serde_json::json!([]));

    let (ada, bob) = (world.codex("ada"), world.plan("bob"));
    assert!(ada.starts_with("acc_") && bob.starts_with("acc_") && ada != bob, "the id alone is printed");
    let list = world.list();
    assert_eq!(list.len(), 2);
    let mut names: Vec<_> = list[0].as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    let expected = [
        "active",
        "email",
        "ephemeral",
        "expires_at",
        "id",
        "in_flight",
        "kind",
        "label",
        "last_refresh",
        "named",
        "paused",
        "plan",
        "priority",
        "quota",
        "read_only",
        "state",
        "url",
        "warning",
    ];
    assert_eq!(names, expected);
    assert_eq!((&list[0]["id"], &list[0]["kind"]), (&ada.as_str().into(), &"codex".into()));
    assert_eq!((&list[0]["email"], &list[0]["state"]), (&"ada@demo.test".into(), &"ready".into()));
    assert_eq!(world.active().as_deref(), Some(ada.as_str()), "the first one pays");

    home.ok(&["accounts", "switch", "bob@demo.test"]);
    assert_eq!(world.active().as_deref(), Some(bob.as_str()));
    home.ok(&["accounts", "switch", &ada]);
    assert_eq!(world.active().as_deref(), Some(ada.as_str()));
    let text = home.ok(&["accounts", "list"]);
    assert!(text.lines().next().unwrap().starts_with(&format!("*  {ada}  codex  ada@demo.test")), "{text}");

    let removed = home.run(&["accounts", "remove", "ada@demo.test"]);
    assert_eq!(removed.code, Some(0), "{}", removed.err);
    assert!(removed.err.contains("hint: no account pays now"), "{}", removed.err);
    assert_eq!(world.list().len(), 1);
    assert_eq!(world.active(), None, "whose plan pays is the user's to say");
}

#[test]
fn an_import_says_what_it_did() {
    let world = world();
    let account = world.demo.account("ada");
    let file = world.file(&account);
    let import = || world.home.json(&["accounts", "import", "--kind", "codex", &file, "--json"]);
    let first = import();
    assert_eq!((&first["outcome"], &first["active"], &first["kind"]), (&"added".into(), &true.into(), &"codex".into()));
    assert_eq!(import()["outcome"], "unchanged");
    assert_eq!(import()["id"], first["id"]);
}

#[test]
fn an_address_that_means_two_accounts_is_refused_with_both_ids() {
    let world = world();
    let ids = [world.codex("ada"), world.plan("ada")];
    for verb in ["switch", "remove"] {
        let ran = world.home.run(&["accounts", verb, "ada@demo.test"]);
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""));
        assert!(ids.iter().all(|id| ran.err.contains(id)), "{}", ran.err);
    }
    assert_eq!(world.list().len(), 2);
    let ran = world.home.run(&["accounts", "switch", "nobody@demo.test"]);
    assert_eq!(ran.code, Some(2), "{}", ran.err);
}

#[test]
fn files_that_cannot_be_imported_are_told_apart() {
    let world = world();
    let home = &world.home;
    let write = |name: &str, text: &str| {
        std::fs::write(home.file(name), text).unwrap();
        home.file(name).to_str().unwrap().to_owned()
    };
    let codex = world.file(&world.demo.account("ada"));
    let plan = world.demo.plan_account("bob").plan_import_json();
    // Its end is past, and there is nothing to renew it with.
    let dead = serde_json::json!({
        "access_token": plan["access_token"], "id_token": plan["id_token"], "expires_at": "2020-01-01T00:00:00Z",
    });
    let cases = [
        ("codex", write("broken.json", "{"), 2, "line 1"),
        ("plan", codex.clone(), 2, "--kind codex"),
        ("codex", home.file("missing.json").to_str().unwrap().to_owned(), 1, "missing.json"),
        ("plan", write("dead.json", &dead.to_string()), 3, "sign in again"),
        ("demo", codex, 2, "codex or plan"),
    ];
    for (kind, file, code, word) in cases {
        let ran = home.run(&["accounts", "import", "--kind", kind, &file]);
        assert_eq!((ran.code, ran.out.as_str()), (Some(code), ""), "{file}: {}", ran.err);
        assert!(ran.err.contains(word), "{}", ran.err);
        assert!(!ran.err.contains("eyJ"), "no token in what is said");
    }
    assert!(world.list().is_empty());
}

#[test]
fn a_running_gateway_uses_what_was_imported_and_drops_what_was_removed() {
    let world = world();
    let home = &world.home;
    let key = home.ok(&["keys", "create", "k"]);
    let server = home.serve(&[]);
    assert_ne!(server.say(&key, "hello").status, 200, "nobody pays yet");
    let ada = world.codex("ada");
    assert_eq!(server.say(&key, "hello").status, 200);
    let bob = world.plan("bob");
    home.ok(&["accounts", "switch", &bob]);
    assert_eq!(server.say(&key, "hello").status, 200);
    let paid: Vec<_> = world.demo.model_requests().into_iter().filter_map(|request| request.account).collect();
    assert_eq!(paid, ["acc-ada", "acc-bob"]);
    home.ok(&["accounts", "remove", &ada]);
    home.ok(&["accounts", "remove", &bob]);
    assert_ne!(server.say(&key, "hello").status, 200);
    assert_eq!(world.demo.model_requests().len(), 2);
}

#[test]
fn a_dead_sign_in_is_exit_code_3() {
    let world = world();
    let home = &world.home;
    let key = home.ok(&["keys", "create", "k"]);
    let ada = world.codex("ada");
    world.demo.expire_access_tokens();
    world.demo.fail_refreshes(Some(TokenFault::Refuse("refresh_token_expired".to_owned())));
    let server = home.serve(&[]);
    assert_ne!(server.say(&key, "hello").status, 200);
    let ran = home.run(&["accounts", "list", "--json"]);
    assert_eq!(ran.code, Some(3), "{}", ran.err);
    let list: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!((&list[0]["id"], &list[0]["state"]), (&ada.as_str().into(), &"needs_sign_in".into()));
    server.kill();
    assert_eq!(home.run(&["accounts", "list"]).code, Some(3), "it is known to the next process too");
    assert_eq!(home.run(&["accounts", "switch", &ada]).code, Some(3));
    let bob = world.plan("bob");
    assert_eq!(home.run(&["accounts", "list"]).code, Some(0), "one can serve: {bob}");
}

#[test]
fn the_vault_is_for_this_user_alone_and_the_demo_does_not_open_it() {
    let world = world();
    let home = &world.home;
    let ada = world.codex("ada");
    #[cfg(unix)]
    for name in ["vault.bin", "vault.key"] {
        assert_eq!(crate::home::mode(&home.folder().join(name)), 0o600, "{name}");
    }
    // With the key gone, whoever opens the vault fails.
    std::fs::rename(home.folder().join("vault.key"), home.file("vault.key")).unwrap();
    let key = home.ok(&["keys", "create", "k"]);
    let server = home.serve(&["--demo"]);
    assert_eq!(server.say(&key, "hello").status, 200);
    let told = home.run(&["settings", "set", "grace_seconds", "5"]);
    assert!(!told.err.contains("warning"), "it read everything again, and no vault: {}", told.err);
    let ran = home.run(&["accounts", "list"]);
    assert_eq!(ran.code, Some(1), "and this one does: {}", ran.err);
    std::fs::rename(home.file("vault.key"), home.folder().join("vault.key")).unwrap();
    let list = world.list();
    assert_eq!(list.len(), 2, "the vault's and the demo's");
    assert_eq!((&list[0]["id"], &list[1]["kind"]), (&ada.as_str().into(), &"demo".into()));
}

#[test]
fn the_list_is_whole_although_the_gateway_was_not_told() {
    let world = world();
    let server = world.home.serve(&[]);
    let environment = Environment { vault: KeySource::File, ..Environment::default() };
    let file = world.demo.account("ada").import_json().to_string();
    let ada = import::read(Kind::Codex, file.as_bytes(), codeferry_app::system_clock()()).unwrap();
    let pool = codeferry_app::vault_pool(&Paths::at(world.home.folder()), &environment);
    world.runtime.block_on(pool.import(ada)).unwrap();
    assert_eq!(world.list().len(), 1);
    drop(server);
}

#[test]
fn forty_requests_and_the_command_line_at_once_make_one_refresh() {
    let world = world();
    let home = &world.home;
    let key = home.ok(&["keys", "create", "k"]);
    let ada = world.codex("ada");
    let server = home.serve(&[]);
    assert_eq!(server.say(&key, "hello").status, 200);
    world.demo.expire_access_tokens();
    world.demo.fail_next_refresh(TokenFault::Hang);
    let statuses = std::thread::scope(|scope| {
        let asked: Vec<_> = (0..40).map(|_| scope.spawn(|| server.say(&key, "hello").status)).collect();
        let refreshing = |seen: &[Recorded]| seen.iter().any(|request| request.route == Route::Token);
        world.runtime.block_on(world.demo.wait_until(refreshing));
        // In the middle of the refresh.
        home.ok(&["accounts", "switch", &ada]);
        assert_eq!(world.list().len(), 1);
        home.ok(&["settings", "set", "grace_seconds", "1"]);
        world.demo.release();
        asked.into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    assert_eq!(statuses, [200; 40]);
    assert_eq!(world.demo.refresh_count(), 1);
    assert!(world.demo.violations().is_empty(), "{:?}", world.demo.violations());
}

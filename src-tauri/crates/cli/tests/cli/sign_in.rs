//! `accounts add`: every way to sign in, and every way not to.

use std::sync::{Mutex, MutexGuard, PoisonError};

use codeferry_demo::{Options, Route};

use crate::world::{until, world, world_with};

/// The codex login comes back to two ports, and there is one of each on a machine.
fn codex_ports() -> MutexGuard<'static, ()> {
    static PORTS: Mutex<()> = Mutex::new(());
    PORTS.lock().unwrap_or_else(PoisonError::into_inner)
}

#[test]
fn a_plan_account_signs_in_with_a_browser() {
    let world = world();
    let (mut add, opened) = world.add(&[]);
    add.type_nothing();
    assert_eq!(opened["kind"], "plan");
    assert!(opened["url"].as_str().unwrap().starts_with(&world.demo.auth_url()), "{opened}");
    let page = world.visit(&opened, "pat");
    assert!(page.status == 200 && page.html.contains("Signed in"), "{page:?}");
    let ran = add.end();
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let done = ran.last();
    assert_eq!((&done["event"], &done["state"], &done["again"]), (&"stage".into(), &"done".into(), &false.into()));
    assert!(ran.err.contains("ChatGPT plan") && ran.err.contains("it is the one that pays"), "{}", ran.err);
    assert!(!ran.err.contains("unofficial"), "{}", ran.err);
    let account = world.listed(done["account"].as_str().unwrap());
    assert_eq!((&account["kind"], &account["email"]), (&"plan".into(), &"pat@demo.test".into()));
    assert_eq!((&account["state"], &account["active"]), (&"ready".into(), &true.into()));
    world.no_violations();
}

#[test]
fn without_json_the_id_is_printed_alone() {
    let world = world();
    let waiting = world.wait(&["accounts", "add", "--no-browser"]);
    let url = until(|| {
        let said = waiting.errors();
        let url = said.lines().find_map(|line| line.strip_prefix("open  "));
        url.filter(|_| said.contains("Ctrl-C")).map(str::to_owned)
    });
    world.visit(&serde_json::json!({ "url": url }), "pat");
    let ran = waiting.end();
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert_eq!(world.active().as_deref(), Some(ran.out.trim_end()));
}

#[cfg(target_os = "linux")]
#[test]
fn a_browser_is_opened_and_it_is_no_matter_if_there_is_none() {
    use std::os::unix::fs::PermissionsExt as _;
    let world = world();
    let script = format!("#!/bin/sh\necho \"$1\" > {}\n", world.home.file("opened").display());
    let script = world.write("bin/xdg-open", &script);
    std::fs::set_permissions(script, std::fs::Permissions::from_mode(0o700)).unwrap();
    for (folder, opens) in [("bin", true), ("nothing", false)] {
        let mut command = world.home.command(&["accounts", "add", "--json"]);
        command.env("PATH", world.home.file(folder));
        let mut add = world.started(command);
        let opened = add.line();
        if opens {
            let opened_there = world.home.file("opened");
            let url = until(|| std::fs::read_to_string(&opened_there).ok().filter(|text| text.ends_with('\n')));
            assert_eq!(url.trim_end(), opened["url"]);
        }
        world.visit(&opened, "pat");
        let ran = add.end();
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        assert_eq!(ran.err.contains("hint: no browser could be opened"), !opens, "{}", ran.err);
    }
}

#[test]
fn a_codex_account_signs_in_with_a_browser_with_its_address_and_with_a_bare_code() {
    let _ports = codex_ports();
    let world = world();
    let (add, opened) = world.add(&["--kind", "codex"]);
    assert_eq!(world.visit(&opened, "ada").status, 200);
    let ran = add.end();
    assert_eq!((ran.code, &ran.last()["state"]), (Some(0), &"done".into()), "{}", ran.err);
    assert!(ran.err.contains("Codex login, unofficial"), "{}", ran.err);
    assert_eq!(world.listed(ran.last()["account"].as_str().unwrap())["kind"], "codex");

    let (mut add, opened) = world.add(&["--kind", "codex"]);
    add.type_line("");
    add.type_line(&world.callback(&opened, "bob"));
    let ran = add.end();
    assert_eq!((ran.code, &ran.last()["state"]), (Some(0), &"done".into()), "{}", ran.err);

    let (mut add, opened) = world.add(&["--kind", "codex"]);
    let callback = world.callback(&opened, "cal");
    let code = callback.split("code=").nth(1).unwrap().split('&').next().unwrap();
    add.type_line(&format!("  {code} "));
    let ran = add.end();
    assert_eq!((ran.code, &ran.last()["state"]), (Some(0), &"done".into()), "{}", ran.err);
    let names: Vec<_> = world.list().iter().map(|account| account["email"].clone()).collect();
    assert_eq!(names, ["ada@demo.test", "bob@demo.test", "cal@demo.test"]);
    world.no_violations();
}

#[test]
fn what_is_pasted_and_is_no_answer_is_said_and_the_waiting_goes_on() {
    let world = world();
    let (mut add, opened) = world.add(&[]);
    let callback = world.callback(&opened, "pat");
    add.type_line("what am I to paste?");
    // Of another attempt, by its state.
    let at = callback.find("state=").unwrap() + "state=".len();
    add.type_line(&format!("{}AAAA{}", &callback[..at], &callback[at + 4..]));
    add.type_line(&callback);
    let ran = add.end();
    assert_eq!((ran.code, &ran.last()["state"]), (Some(0), &"done".into()), "{}", ran.err);
    assert_eq!(ran.err.matches("warning: ").count(), 2, "{}", ran.err);
    assert!(ran.err.contains("paste the whole address"), "{}", ran.err);
}

#[test]
fn a_code_is_typed_on_another_device() {
    let world = world_with(Options { device_interval: 0, ..Options::default() });
    for (decide, code, state) in [("deny", 1, "failed"), ("expire", 1, "failed"), ("approve", 0, "done")] {
        let (add, opened) = world.add(&["--kind", "codex", "--device"]);
        let user_code = opened["user_code"].as_str().unwrap();
        assert!(opened["url"].as_str().unwrap().ends_with("/codex/device"), "{opened}");
        assert!(match decide {
            "deny" => world.demo.deny_device(user_code),
            "expire" => world.demo.expire_device(user_code),
            _ => world.demo.approve_device_as(user_code, "ada"),
        });
        let ran = add.end();
        assert_eq!((ran.code, &ran.last()["state"]), (Some(code), &state.into()), "{decide}: {}", ran.err);
        assert!(ran.err.contains(user_code) && ran.err.contains("unofficial"), "{}", ran.err);
        assert_eq!(ran.err.contains("error: ") && ran.err.contains("\n\nhint: "), code == 1, "{}", ran.err);
    }
    assert_eq!(world.list().len(), 1);
    world.no_violations();

    let ran = world.home.run(&["accounts", "add", "--device"]);
    assert_eq!(ran.code, Some(2), "{}", ran.err);
    assert!(ran.err.contains("hint: add --kind codex"), "{}", ran.err);
    world.demo.enable_device_codes(false);
    let ran = world.home.run(&["accounts", "add", "--device", "--kind", "codex"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""), "{}", ran.err);
}

#[test]
fn who_says_no_in_the_browser_has_not_signed_in() {
    let world = world();
    let (add, opened) = world.add(&[]);
    let url = format!("{}&demo=deny", opened["url"].as_str().unwrap());
    let page = world.look(&world.look(&url).location.unwrap());
    assert!(page.status == 400 && page.html.contains("did not work"), "{page:?}");
    let ran = add.end();
    assert_eq!((ran.code, &ran.last()["state"]), (Some(1), &"failed".into()), "{}", ran.err);
    assert!(ran.err.contains("declined"), "{}", ran.err);
    assert!(world.list().is_empty());
}

#[cfg(unix)]
#[test]
fn two_at_once_do_not_disturb_each_other_and_a_late_answer_is_explained() {
    let world = world();
    let server = world.home.serve(&[]);
    let (given_up, first) = world.add(&[]);
    let (waits, second) = world.add(&[]);
    let late = world.callback(&first, "pat");
    given_up.interrupt();
    let ran = given_up.end();
    assert_eq!((ran.code, &ran.last()["state"]), (Some(1), &"cancelled".into()), "{}", ran.err);
    assert!(ran.err.contains("error: the sign-in was given up"), "{}", ran.err);
    let page = world.look(&late);
    assert!(page.status == 410 && page.html.contains("Too late"), "{page:?}");
    assert!(world.list().is_empty());
    assert_eq!(world.visit(&second, "pam").status, 200);
    let ran = waits.end();
    assert_eq!((ran.code, &ran.last()["state"]), (Some(0), &"done".into()), "{}", ran.err);
    let key = world.home.ok(&["keys", "create", "k"]);
    assert_eq!(server.say(&key, "hello").status, 200, "the gateway has the account at once");
    world.no_violations();
}

#[cfg(unix)]
#[test]
fn a_gateway_that_stops_ends_the_waiting() {
    let world = world();
    world.home.ok(&["settings", "set", "grace_seconds", "0"]);
    let server = world.home.serve(&[]);
    let (add, _) = world.add(&[]);
    server.signal("TERM");
    let ran = add.end();
    assert_eq!((ran.code, ran.err.contains("error: the ")), (Some(1), true), "{}", ran.err);
    assert_eq!(server.end().0, Some(0));
}

#[test]
fn two_at_once_need_no_gateway_that_runs_and_keep_none_from_running() {
    let world = world();
    let (one, first) = world.add(&[]);
    let (other, second) = world.add(&[]);
    let key = world.home.ok(&["keys", "create", "k"]);
    let server = world.home.serve(&[]);
    world.visit(&first, "pat");
    let ran = one.end();
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert_eq!(server.say(&key, "hello").status, 200, "the gateway that came meanwhile was told");
    world.visit(&second, "pam");
    let ran = other.end();
    assert_eq!(ran.code, Some(0), "the end of one is not the end of the other: {}", ran.err);
    assert_eq!(world.list().len(), 2);
}

#[test]
fn beside_the_demo_one_signs_in_too() {
    let world = world();
    let _server = world.home.serve(&["--demo"]);
    let (add, opened) = world.add(&[]);
    world.visit(&opened, "pat");
    let ran = add.end();
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let id = ran.last()["account"].as_str().unwrap().to_owned();
    assert_eq!(world.listed(&id)["state"], "ready", "in the vault, not in the demo's");
    assert!(!world.home.folder().join("demo").exists());
}

#[test]
fn signing_in_again_keeps_id_label_and_client() {
    let world = world();
    let (add, opened) = world.add(&[]);
    world.visit(&opened, "pat");
    let id = add.end().last()["account"].as_str().unwrap().to_owned();
    world.home.ok(&["accounts", "label", "pat@demo.test", "work"]);
    world.home.ok(&["accounts", "priority", "work", "7"]);
    world.demo.revoke_sign_ins("acc-pat");

    let (add, opened) = world.add(&["--account", "work"]);
    assert!(opened["url"].as_str().unwrap().contains("client_id=oaiapp_"), "the client it was issued: {opened}");
    world.visit(&opened, "pat");
    let ran = add.end();
    assert_eq!((ran.code, &ran.last()["account"]), (Some(0), &id.as_str().into()), "{}", ran.err);
    assert_eq!(ran.last()["again"], true);
    assert!(ran.err.contains("signed in again: work"), "{}", ran.err);
    let list = world.list();
    assert_eq!(list.len(), 1);
    assert_eq!((&list[0]["label"], &list[0]["priority"]), (&"work".into(), &7.into()));

    let (add, opened) = world.add(&["--account", &id]);
    world.visit(&opened, "pam");
    let ran = add.end();
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(ran.err.contains("warning: that was not work"), "{}", ran.err);
    assert_eq!(world.list().len(), 2);
    let ran = world.home.run(&["accounts", "add", "--account", "nobody"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{}", ran.err);
}

#[test]
fn a_sign_in_that_may_not_use_the_plan_is_exit_code_3() {
    let world = world();
    world.demo.grant_plan_usage(false);
    let (add, opened) = world.add(&[]);
    let page = world.visit(&opened, "pat");
    assert!(page.status == 200 && page.html.contains("did not allow"), "{page:?}");
    let ran = add.end();
    assert_eq!((ran.code, &ran.last()["state"]), (Some(3), &"done".into()), "{}", ran.err);
    assert!(ran.err.contains("warning: ") && ran.err.contains("sign in again and allow it"), "{}", ran.err);
    let id = ran.last()["account"].as_str().unwrap().to_owned();
    assert_eq!(world.listed(&id)["state"], "needs_sign_in");
    world.demo.grant_plan_usage(true);
    let (add, opened) = world.add(&["--account", &id]);
    world.visit(&opened, "pat");
    assert_eq!(add.end().code, Some(0));
    assert_eq!(world.listed(&id)["state"], "ready");
}

#[test]
fn the_log_of_a_gateway_that_signs_people_in_holds_neither_address_nor_token() {
    let world = world();
    let token = world.home.ok(&["token"]);
    let mut command = world.home.command(&["serve", "--json", "--port", "0", "--log", "json"]);
    command.env("CODEFERRY_LOG", "trace");
    let server = world.home.started(command);
    let (add, opened) = world.add(&[]);
    let callback = world.callback(&opened, "pat");
    assert_eq!(world.look(&callback).status, 200);
    assert_eq!(add.end().code, Some(0));
    let ada = world.demo.account("ada");
    let file = world.file(&ada);
    let id = world.home.ok(&["accounts", "import", &file]);
    world.home.ok(&["quota", "--refresh"]);
    world.home.ok(&["accounts", "verify", "--all"]);
    world.home.ok(&["accounts", "label", &id, "secretive"]);
    world.home.ok(&["accounts", "remove", &id]);
    let bearer = format!("Bearer {token}");
    assert_eq!(server.ask("POST", "/api/shutdown", &[("authorization", &bearer)], "").status, 202);
    let (log, ended) = server.log_at_the_end();
    assert_eq!(ended, Some(0));
    assert!(log.contains("signed in"), "it was logged: {log}");
    let parameter = |name: &str| {
        callback.split(['?', '&']).find_map(|pair| pair.strip_prefix(&format!("{name}="))).unwrap().to_owned()
    };
    let secrets =
        ["@demo.test", "eyJ", "secretive", &token, &ada.refresh_token, &parameter("code"), &parameter("state")];
    for secret in secrets {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
    let tokens = world.demo.requests().into_iter().filter(|request| request.route == Route::Token).count();
    assert_eq!(tokens, 1, "one code was redeemed");
}

#[test]
fn nor_does_the_log_of_a_command_that_needs_no_gateway() {
    let mut world = world();
    world.home = world.home.with("CODEFERRY_LOG", "trace");
    let home = &world.home;
    let (add, opened) = world.add(&[]);
    let callback = world.callback(&opened, "pat");
    world.look(&callback);
    let ran = add.end();
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let mut said = ran.err;
    let ada = world.demo.account("ada");
    let file = world.file(&ada);
    for words in [
        &["accounts", "import", &file][..],
        &["accounts", "list"],
        &["quota", "--refresh"],
        &["accounts", "verify", "--all"],
        &["accounts", "pause", "ada@demo.test"],
        &["accounts", "clear", "--yes"],
    ] {
        let ran = home.run(words);
        assert_eq!(ran.code, Some(0), "{words:?}: {}", ran.err);
        said += &ran.err;
    }
    // What is said to the person at the screen names accounts. The log begins with a date, and does not.
    let log: Vec<_> = said.lines().filter(|line| line.starts_with("20")).collect();
    assert!(log.iter().any(|line| line.contains("signed in")), "{said}");
    let code = callback.split("code=").nth(1).unwrap().split('&').next().unwrap();
    for line in log {
        for secret in ["@demo.test", "eyJ", &ada.refresh_token, code] {
            assert!(!line.contains(secret), "{line}");
        }
    }
}

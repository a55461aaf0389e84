//! `quota`: what is left, as last seen or asked for now.

use codeferry_demo::{AuthFault, Endpoint, ExtraLimit, Limits, ResetCredit, Route, Window};

use crate::world::{World, world};

fn usage_requests(world: &World) -> usize {
    world.demo.requests().into_iter().filter(|request| request.route == Route::Usage).count()
}

/// What depends on the hour is left out.
fn without_times(text: &str) -> String {
    let cut = |line: &str| match (line.split_once("  resets in "), line.split_once("  seen ")) {
        (Some((before, _)), _) => format!("{before}  resets in …"),
        (_, Some((before, _))) => format!("{before}  seen …"),
        _ => line.to_owned(),
    };
    text.lines().map(cut).collect::<Vec<_>>().join("\n")
}

#[test]
fn windows_are_shown_as_last_seen_or_asked_for_now() {
    let world = world();
    let home = &world.home;
    let (ada, _) = (world.codex("ada"), world.plan("pat"));
    let ran = home.run(&["quota", "ada@demo.test"]);
    assert_eq!((ran.code, ran.err.contains("hint: to ask the provider now")), (Some(0), true), "{}", ran.err);
    assert_eq!((ran.out.contains("nothing seen yet"), usage_requests(&world)), (true, 0), "{}", ran.out);

    let extra = ExtraLimit {
        id: "codex_reviews".into(),
        name: "Reviews".into(),
        primary: Some(Window { used_percent: 0.4, minutes: 60, resets_in: 1_800 }),
        secondary: Some(Window::zero()),
    };
    // The week stands first there, and is named by its length all the same.
    let limits = Limits::default().swapped().with_extra(extra).with_credits("12.50");
    world.demo.set_limits("acc-ada", limits);
    world.demo.set_reset_credits("acc-ada", vec![ResetCredit::new("rc_1"), ResetCredit::new("rc_2")]);
    let text = home.ok(&["quota", "--refresh"]);
    insta::assert_snapshot!("quota", without_times(&text));
    assert_eq!(usage_requests(&world), 1, "nobody asks for a plan account");
    // Another process shows it from the disk.
    assert_eq!(without_times(&home.ok(&["quota"])), without_times(&text));
    let list = home.ok(&["accounts", "list"]);
    assert!(list.contains("5-hour 12%, weekly 34%"), "{list}");

    let json = home.json(&["quota", &ada, "--json"]);
    assert_eq!(json.as_array().unwrap().len(), 1);
    let window = &json[0]["quota"]["windows"][0];
    assert_eq!((&window["minutes"], &window["used_percent"]), (&300.into(), &12.0.into()), "{json}");
    assert_eq!((&json[0]["quota"]["reset_credits"], &json[0]["notice"]), (&2.into(), &serde_json::Value::Null));
    let plan = home.json(&["quota", "pat@demo.test", "--json"]);
    assert!(plan[0]["notice"].as_str().unwrap().contains("chatgpt.com/settings/usage"), "{plan}");
    assert_eq!(usage_requests(&world), 1, "looking asks nobody");
    assert_eq!(home.run(&["quota", "nobody"]).code, Some(2));
    world.no_violations();
}

#[test]
fn beside_a_gateway_what_it_saw_is_shown_and_a_failure_is_no_zero() {
    let world = world();
    let home = &world.home;
    world.codex("ada");
    let key = home.ok(&["keys", "create", "k"]);
    let server = home.serve(&[]);
    assert_eq!(server.say(&key, "hello").status, 200);
    assert!(home.ok(&["quota"]).contains("12% used"), "from the headers of the answer");
    world.demo.fail_next(Endpoint::Usage, AuthFault::Status(500));
    let ran = home.run(&["quota", "--refresh"]);
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    assert!(ran.err.contains("warning: ada@demo.test: ") && ran.out.contains("12% used"), "{} {}", ran.err, ran.out);
    #[cfg(unix)]
    {
        server.signal("TERM");
        assert_eq!(server.end().0, Some(0));
        assert!(home.ok(&["quota"]).contains("12% used"), "it was written down at the end");
    }
}

#[test]
fn a_reset_credit_is_used_only_on_purpose() {
    let world = world();
    let home = &world.home;
    world.codex("ada");
    let none = home.run(&["quota", "reset-credits"]);
    assert_eq!((none.code, none.err.contains("no reset credits")), (Some(0), true), "{}", none.err);
    world.demo.set_limits("acc-ada", Limits::used_up(9_000));
    world.demo.set_reset_credits("acc-ada", vec![ResetCredit::new("rc_1")]);
    assert!(home.ok(&["quota", "reset-credits"]).contains("rc_1  available  Rate limit reset"));
    let ran = home.run(&["quota", "consume"]);
    assert_eq!((ran.code, ran.err.contains("--yes")), (Some(2), true), "{}", ran.err);
    assert_eq!(home.json(&["quota", "reset-credits", "ada@demo.test", "--json"])["available"], 1);
    let ran = home.run(&["quota", "consume", "--yes", "--credit", "rc_1"]);
    assert_eq!((ran.code, ran.err.contains("2 windows")), (Some(0), true), "{}", ran.err);
    assert!(home.ok(&["quota"]).contains("0% used"), "what is left is asked for at once");
    let ran = home.run(&["quota", "consume", "--yes", "--json"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(1), "{\"outcome\":\"no_credit\",\"windows_reset\":0}\n"));
    world.plan("pat");
    let ran = home.run(&["quota", "reset-credits", "pat@demo.test"]);
    assert_eq!((ran.code, ran.err.contains("only codex accounts")), (Some(2), true), "{}", ran.err);
    world.no_violations();
}

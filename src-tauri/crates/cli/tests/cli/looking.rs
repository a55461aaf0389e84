//! `route` and `status`.

use crate::home::Home;

#[test]
fn a_route_is_explained() {
    let home = Home::new();
    let text = home.ok(&["route", "claude-opus-4-8[1m]"]);
    assert!(text.contains("gpt-6.1-sol") && text.contains("route.opus"), "{text}");
    let json = home.json(&["route", "haiku", "--effort", "high", "--json"]);
    assert_eq!(
        (&json["name"], &json["model"], &json["effort"]),
        (&"haiku".into(), &"gpt-6-luna".into(), &"high".into())
    );
    assert!(json["reason"].as_str().unwrap().contains("route.haiku"), "{json}");
    home.ok(&["settings", "set", "route.haiku", "gpt-5.5:max"]);
    let json = home.json(&["route", "haiku", "--json"]);
    assert_eq!((&json["model"], &json["effort"]), (&"gpt-5.5".into(), &"xhigh".into()), "{json}");
}

#[test]
fn a_name_that_leads_nowhere_is_refused() {
    let home = Home::new();
    let ran = home.run(&["route", "llama-9"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""));
    assert!(ran.err.contains("\n\nhint: give it a target: codeferry settings set alias.llama-9 "), "{}", ran.err);
    home.ok(&["settings", "set", "alias.llama-9", "gpt-6.1-sol"]);
    home.ok(&["route", "llama-9"]);
    assert_eq!(home.run(&["route", "opus", "--effort", "extreme"]).code, Some(2));
}

#[test]
fn status_tells_whether_somebody_serves() {
    let home = Home::new();
    let ran = home.run(&["status"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(1), ""), "{}", ran.err);
    let ran = home.run(&["status", "--json"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(1), "{\"running\":false}\n"));
    assert!(!home.folder().exists(), "looking makes nothing");

    let key = home.ok(&["keys", "create", "k"]);
    let server = home.serve(&["--demo"]);
    assert_eq!(server.say(&key, "hello").status, 200);
    let status = home.json(&["status", "--json"]);
    assert_eq!(status["running"], true);
    assert_eq!(status["url"], server.url);
    assert_eq!(status["pid"], server.pid());
    assert_eq!(status["demo"], true);
    assert_eq!(status["exchanges"]["completed"], 1);
    assert_eq!(status["accounts"][0]["kind"], "demo");
    assert!(home.ok(&["status"]).contains(&server.url));
}

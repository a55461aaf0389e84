//! Client keys and the control token.

use crate::home::Home;

#[test]
fn a_key_is_printed_alone_and_works_at_once_until_it_is_revoked() {
    let home = Home::new();
    let server = home.serve(&["--demo"]);
    let ran = home.run(&["keys", "create", "laptop"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let key = ran.out.strip_suffix('\n').unwrap();
    assert!(key.starts_with("cf_") && !key.contains(char::is_whitespace), "alone: {key:?}");
    assert!(!ran.err.contains(key), "not in the talk");

    for header in ["x-api-key", "authorization"] {
        let value = if header == "x-api-key" { key.to_owned() } else { format!("Bearer {key}") };
        assert_eq!(server.get("/v1/models", &[(header, &value)]).status, 200, "{header}");
    }
    assert_eq!(server.get("/v1/models", &[("x-api-key", "cf_other")]).status, 401);
    home.ok(&["keys", "revoke", "laptop"]);
    assert_eq!(server.get("/v1/models", &[("x-api-key", key)]).status, 401);
}

#[test]
fn the_list_names_keys_and_never_holds_one() {
    let home = Home::new();
    let empty = home.run(&["keys", "list"]);
    assert_eq!((empty.code, empty.out.as_str()), (Some(0), ""));
    assert!(empty.err.contains("hint: make a key: codeferry keys create"), "{}", empty.err);
    assert_eq!(home.json(&["keys", "list", "--json"]), serde_json::json!([]));

    let keys = ["start", "phone"].map(|name| home.ok(&["keys", "create", name]));
    let list = home.ok(&["keys", "list"]);
    let first: Vec<_> = list.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(first, ["start", "phone"]);
    let json = home.json(&["keys", "list", "--json"]);
    assert_eq!(json[1]["name"], "phone");
    assert!(json[1]["created_at"].is_string());
    for key in &keys {
        assert!(!list.contains(key.as_str()) && !json.to_string().contains(key.as_str()));
        assert!(
            !std::fs::read_to_string(home.folder().join("keys.json")).unwrap().contains(key.as_str()),
            "only a hash"
        );
    }
}

#[test]
fn conflicts_are_told_from_failures() {
    let home = Home::new();
    home.ok(&["keys", "create", "laptop"]);
    for (args, word) in
        [(["create", "laptop"], "laptop"), (["create", "no/slash"], "no/slash"), (["revoke", "phone"], "laptop")]
    {
        let ran = home.run(&[&["keys"], &args[..]].concat());
        assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""), "{args:?}");
        assert!(ran.err.contains(word), "{}", ran.err);
    }
    std::fs::write(home.folder().join("keys.json"), "{").unwrap();
    assert_eq!(home.run(&["keys", "list"]).code, Some(1), "a damaged file is a failure");
}

#[test]
fn the_control_token_is_printed_alone_and_stays_the_same() {
    let home = Home::new();
    let token = home.ok(&["token"]);
    assert!(token.len() >= 40 && !token.contains(char::is_whitespace), "{token:?}");
    let server = home.serve(&["--demo"]);
    assert_eq!(home.ok(&["token"]), token);
    let bearer = format!("Bearer {token}");
    assert_eq!(server.get("/api/status", &[("authorization", &bearer)]).status, 200);
    let key = home.ok(&["keys", "create", "k"]);
    assert_eq!(server.get("/api/status", &[("authorization", &format!("Bearer {key}"))]).status, 401);
    assert_eq!(server.get("/v1/models", &[("authorization", &bearer)]).status, 401, "nor does it open the data plane");
    #[cfg(unix)]
    for name in ["control.token", "keys.json", "owner.json", "owner.lock"] {
        assert_eq!(crate::home::mode(&home.folder().join(name)), 0o600, "{name}");
    }
    #[cfg(unix)]
    assert_eq!(crate::home::mode(&home.folder()), 0o700);
}

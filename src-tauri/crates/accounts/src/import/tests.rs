//! Pure tests: bytes in, accounts out.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use proptest::prelude::*;

use super::{FormatError, read};
use crate::Kind;

pub(crate) fn jwt(payload: &str) -> String {
    let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
    format!("{}.{}.{}", encode(r#"{"alg":"RS256"}"#), encode(payload), encode("signature"))
}

pub(crate) fn id_token(account: &str, user: &str) -> String {
    jwt(&format!(
        r#"{{"email":"ada@example.com","sub":"auth0|x","https://api.openai.com/auth":
            {{"chatgpt_account_id":"{account}","chatgpt_plan_type":"plus","chatgpt_user_id":"{user}"}}}}"#
    ))
}

pub(super) fn auth_json(account: &str, user: &str) -> String {
    let access = jwt(r#"{"exp":1800000000,"iat":1799000000}"#);
    format!(
        r#"{{"auth_mode":"chatgpt","OPENAI_API_KEY":null,
            "tokens":{{"id_token":"{}","access_token":"{access}","refresh_token":"rt-1","account_id":"{account}",
                       "oauth_provenance":{{"issuer":"https://auth.openai.com","client_id":"app_x"}}}},
            "last_refresh":"2026-11-01T10:00:00.123456Z","agent_identity":null}}"#,
        id_token(account, user)
    )
}

pub(super) fn now() -> Timestamp {
    "2026-11-20T12:00:00Z".parse().expect("a date")
}

#[test]
fn the_auth_json_of_the_codex_cli_is_read() {
    let imported = read(Kind::Codex, auth_json("ws-1", "user-1").as_bytes(), now()).expect("sound");
    let (account, credential) = (imported.account, imported.credential);
    assert_eq!(account.email.as_deref(), Some("ada@example.com"));
    assert_eq!(account.plan.as_deref(), Some("plus"));
    assert_eq!(account.chatgpt_account_id.as_deref(), Some("ws-1"));
    assert_eq!(account.user_id.as_deref(), Some("user-1"));
    assert_eq!(account.added_at, now());
    assert_eq!(credential.client_id.as_deref(), Some("app_x"));
    assert_eq!(credential.refresh_token.map(|token| token.expose().to_owned()).as_deref(), Some("rt-1"));
    assert_eq!(credential.expires_at, Timestamp::from_second(1_800_000_000).ok());
    assert_eq!(credential.last_refresh, "2026-11-01T10:00:00.123456Z".parse().ok());
}

#[test]
fn one_address_in_two_workspaces_is_two_accounts_and_a_colleague_a_third() {
    let id = |account, user| {
        let file = auth_json(account, user);
        read(Kind::Codex, file.as_bytes(), now()).expect("sound").account.id
    };
    assert_ne!(id("ws-1", "user-1"), id("ws-2", "user-1"));
    assert_ne!(id("ws-1", "user-1"), id("ws-1", "user-2"));
    assert_eq!(id("ws-1", "user-1"), id("ws-1", "user-1"));
}

#[test]
fn the_plan_form_is_read_with_dates_in_every_usual_writing() {
    for (expires, earliest) in [
        ("1800000000", "1799999000"),
        ("1800000000.9", "\"1799999000\""),
        ("1800000000000", "1799999000000"),
        ("\"2027-01-15T08:00:00Z\"", "\"2027-01-15T07:43:20+00:00\""),
    ] {
        let file = format!(
            r#"{{"client_id":"oaiapp_1","access_token":"opaque","refresh_token":"rt","id_token":"{}",
                "expires_at":{expires},"earliest_refresh_at":{earliest}}}"#,
            jwt(r#"{"sub":"user-9","email":"ada@example.com"}"#)
        );
        let imported = read(Kind::Plan, file.as_bytes(), now()).expect(expires);
        assert_eq!(imported.credential.expires_at, Timestamp::from_second(1_800_000_000).ok(), "{expires}");
        assert_eq!(imported.credential.earliest_refresh_at, Timestamp::from_second(1_799_999_000).ok(), "{earliest}");
        assert_eq!(imported.account.user_id.as_deref(), Some("user-9"), "sub names the user when nothing else does");
        assert_eq!(imported.account.kind, Kind::Plan);
    }
}

#[test]
fn what_is_wrong_with_a_file_is_said() {
    let read = |kind, file: &str| read(kind, file.as_bytes(), now()).expect_err("not sound");
    let plan = format!(r#"{{"client_id":"c","access_token":"a","id_token":"{}"}}"#, id_token("w", "u"));
    assert!(matches!(read(Kind::Codex, "{\n  nonsense"), FormatError::NotJson { line: 2, .. }));
    assert!(matches!(read(Kind::Codex, "[]"), FormatError::NotJson { .. }));
    assert_eq!(read(Kind::Codex, r#"{"OPENAI_API_KEY":"sk-x","tokens":null}"#), FormatError::ApiKeyOnly);
    assert_eq!(read(Kind::Codex, "{}"), FormatError::Missing { field: "tokens" });
    assert_eq!(
        read(Kind::Codex, r#"{"tokens":{"access_token":" "}}"#),
        FormatError::Missing { field: "tokens.access_token" }
    );
    assert_eq!(read(Kind::Codex, &plan), FormatError::OtherKind { found: Kind::Plan });
    assert_eq!(read(Kind::Plan, &auth_json("w", "u")), FormatError::OtherKind { found: Kind::Codex });
    assert_eq!(
        read(Kind::Plan, r#"{"access_token":"a","refresh_token":"r"}"#),
        FormatError::Missing { field: "client_id" }
    );
    assert_eq!(
        read(Kind::Plan, r#"{"client_id":"c","access_token":"a","expires_at":"soon"}"#),
        FormatError::BadDate { field: "expires_at" }
    );
    assert_eq!(read(Kind::Plan, r#"{"client_id":"c","access_token":"a"}"#), FormatError::NoIdentity);
    assert_eq!(read(Kind::Demo, &plan), FormatError::Demo);
}

#[test]
fn an_error_never_quotes_the_file() {
    let file = r#"{"access_token": 5, "refresh_token": "rt-secret"}"#;
    let error = read(Kind::Plan, file.as_bytes(), now()).expect_err("a number is no token");
    assert!(!format!("{error} {error:?}").contains("secret"));
    let typo = r#"{"tokens": "rt-secret"}"#;
    let error = read(Kind::Codex, typo.as_bytes(), now()).expect_err("text is no object");
    assert!(!format!("{error} {error:?}").contains("secret"), "{error}");
}

#[test]
fn debug_of_an_import_shows_no_token() {
    let imported = read(Kind::Codex, auth_json("ws-1", "user-1").as_bytes(), now()).expect("sound");
    let shown = format!("{imported:?}");
    assert!(!shown.contains("rt-1") && !shown.contains("eyJ"), "{shown}");
}

proptest! {
    #[test]
    fn nonsense_is_refused_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        for kind in [Kind::Codex, Kind::Plan] {
            let _ = read(kind, &bytes, now());
        }
    }

    #[test]
    fn broken_tokens_are_refused_without_a_panic(payload in ".*", number in any::<f64>()) {
        let file = format!(r#"{{"client_id":"c","access_token":"{}","expires_at":{number:e}}}"#, jwt(&payload));
        prop_assert!(read(Kind::Plan, file.as_bytes(), now()).is_err(), "nobody is named in there");
    }
}

//! Files shaped like the originals: bytes in, accounts out.

use jiff::Timestamp;
use proptest::prelude::*;

use super::super::tests::{auth_json, id_token, jwt, now};
use super::{Entry, Form, FormatError, detect, read_all};
use crate::import::fingerprint;
use crate::{AccountId, Kind, Secret};

fn access(account: &str, user: &str, exp: i64) -> String {
    jwt(&format!(
        r#"{{"exp":{exp},"iat":1799000000,"https://api.openai.com/auth":{{"chatgpt_account_id":"{account}","chatgpt_user_id":"{user}","chatgpt_plan_type":"pro"}}}}"#
    ))
}

fn all(file: &str) -> Vec<Entry> {
    read_all(file.as_bytes(), now()).expect("a known form").1
}

fn only(file: &str) -> Result<crate::Imported, FormatError> {
    let mut entries = all(file);
    assert_eq!(entries.len(), 1);
    entries.remove(0).result
}

/// What codex-proxy writes, with one sound account, one of another's making, one switched off and one broken.
fn codex_proxy() -> String {
    format!(
        r#"{{
  "accounts": [
    {{ "email": "ada@example.com", "accountId": "ws-1", "planType": "plus", "userId": "user-1",
       "accessToken": "{}", "refreshToken": "rt-ada", "idToken": "{}", "expiresAt": 1800000000000,
       "addedAt": "2026-02-13T04:00:00.000Z", "lastUsed": "2026-02-13T04:30:00.000Z", "source": "oauth",
       "quota": {{ "usage": {{ "limit": 100 }}, "fetchedAt": "2026-02-14T10:00:00.000Z" }} }},
    {{ "email": "bob@example.com", "accountId": "", "accessToken": "opaque", "refreshToken": " rt-bob ", "expiresAt": null }},
    {{ "email": "eve@example.com", "accessToken": "x", "refreshToken": "rt-eve", "enabled": false }},
    "nonsense",
    {{ "email": "imported@unknown.com" }},
    {{ "email": "cal@example.com", "accessToken": "{}", "refreshToken": null }}
  ],
  "activeAccount": "bob@example.com",
  "version": 1
}}"#,
        access("ws-1", "user-1", 1_800_000_000),
        id_token("ws-1", "user-1"),
        access("ws-3", "user-3", 1_800_000_000),
    )
}

#[test]
fn the_accounts_of_codex_proxy_are_read_one_by_one() {
    let file = codex_proxy();
    let (form, entries) = read_all(file.as_bytes(), now()).expect("a known form");
    assert_eq!(form, Form::CodexProxy);
    let places: Vec<_> = entries.iter().map(|entry| entry.place.as_str()).collect();
    assert_eq!(places[0], "accounts[1]", "the active one comes first");
    assert_eq!(places[1..], ["accounts[0]", "accounts[2]", "accounts[3]", "accounts[4]", "accounts[5]"]);

    let bob = entries[0].result.as_ref().expect("a refresh token is enough");
    assert!(bob.provisional);
    assert_eq!(bob.account.email.as_deref(), Some("bob@example.com"));
    assert_eq!(bob.credential.refresh_token.as_ref().map(Secret::expose), Some("rt-bob"));
    assert!(bob.credential.due(now()), "renewed before anybody gets the token that is there");

    let ada = entries[1].result.as_ref().expect("sound");
    assert!(!ada.provisional);
    assert_eq!(ada.account.id, AccountId::derive(Kind::Codex, Some("ws-1"), Some("user-1")));
    assert_eq!((ada.account.email.as_deref(), ada.account.plan.as_deref()), (Some("ada@example.com"), Some("plus")));
    assert_eq!(ada.credential.expires_at, Timestamp::from_second(1_800_000_000).ok());

    let wrong = |at: usize| entries[at].result.as_ref().expect_err("not sound").clone();
    assert_eq!(wrong(2), FormatError::Disabled);
    assert!(matches!(wrong(3), FormatError::NotJson { .. }));
    assert_eq!(wrong(4), FormatError::Missing { field: "refresh_token" });
    let cal = entries[5].result.as_ref().expect("an access token alone is good while it lasts");
    assert_eq!((cal.credential.refresh_token.is_none(), cal.account.email.as_deref()), (true, Some("cal@example.com")));
}

#[test]
fn a_file_of_codaze_is_a_refresh_token_and_gets_a_passing_name() {
    let file = "{\n  \"refresh_token\": \" rt-1 \",\n  \"label\": \" work \",\n  \"unknown\": [1]\n}\n";
    assert_eq!(detect(file.as_bytes()), Ok(Form::Codaze));
    let imported = only(file).expect("sound");
    assert!(imported.provisional);
    assert_eq!(imported.account.label.as_deref(), Some("work"));
    assert_eq!((imported.account.kind, imported.account.user_id.as_deref()), (Kind::Codex, None));
    assert_eq!(imported.credential.access_token.expose(), "");
    assert!(imported.credential.due(now()) && imported.credential.expired(now()));
    assert_eq!(only(file).expect("sound").account.id, imported.account.id, "the same every time");
    let other = only(r#"{"refresh_token":"rt-2"}"#).expect("sound");
    assert_ne!(other.account.id, imported.account.id);
    assert!(!imported.account.id.as_str().contains("rt-1") && !fingerprint(&Secret::new("rt-1")).contains("rt-1"));
    assert_eq!(only(r#"{"refresh_token":"  "}"#).expect_err("blank"), FormatError::Missing { field: "refresh_token" });
}

#[test]
fn a_file_of_cli_proxy_api_is_read() {
    let (id, token) = (id_token("ws-1", "user-1"), access("ws-1", "user-1", 1_800_000_000));
    let file = format!(
        r#"{{"access_token":"{token}","account_id":"ws-1","disabled":false,"email":"ada@example.com",
            "expired":"2027-01-15T08:00:00Z","id_token":"{id}","last_refresh":"2026-11-01T10:00:00+01:00",
            "refresh_token":"rt-1","type":"codex","proxy_url":"socks5://127.0.0.1:1080"}}"#
    );
    assert_eq!(detect(file.as_bytes()), Ok(Form::CliProxyApi));
    let imported = only(&file).expect("sound");
    assert_eq!(imported.account.id, AccountId::derive(Kind::Codex, Some("ws-1"), Some("user-1")));
    assert_eq!(imported.credential.last_refresh, "2026-11-01T09:00:00Z".parse().ok());
    // The same account as in the Codex CLI's own file: one account, not two.
    let codex = crate::import::read(Kind::Codex, auth_json("ws-1", "user-1").as_bytes(), now()).expect("sound");
    assert_eq!(codex.account.id, imported.account.id);

    assert_eq!(only(&file.replace("false", "true")).expect_err("off"), FormatError::Disabled);
    let other = only(&file.replace(r#""codex""#, r#""claude""#)).expect_err("another provider's");
    assert_eq!(other, FormatError::OtherProvider { provider: "claude".into() });
    // Written by tools that leave dates empty, and without an access token: named by its id token, renewed first.
    let sparse = format!(
        r#"{{"type":"codex","id_token":"{id}","refresh_token":"rt-1","access_token":"","expired":"","last_refresh":""}}"#
    );
    let sparse = only(&sparse).expect("sound");
    assert_eq!((sparse.provisional, sparse.account.id == imported.account.id), (false, true), "its id token names it");
    assert!(sparse.credential.due(now()));
}

#[test]
fn whose_file_it_is_shows_by_what_stands_in_it() {
    let plan = format!(r#"{{"client_id":"oaiapp_1","access_token":"a","id_token":"{}"}}"#, id_token("w", "u"));
    let forms = [
        (auth_json("w", "u"), Ok(Form::CodexCli)),
        (r#"{"auth_mode":"apikey","OPENAI_API_KEY":"sk-x"}"#.into(), Ok(Form::CodexCli)),
        (plan.clone(), Ok(Form::Plan)),
        (codex_proxy(), Ok(Form::CodexProxy)),
        (r#"{"refresh_token":"r"}"#.into(), Ok(Form::Codaze)),
        (r#"{"access_token":"a","refresh_token":"r"}"#.into(), Ok(Form::CliProxyApi)),
        (r#"{"type":"gemini"}"#.into(), Ok(Form::CliProxyApi)),
        (r#"{"port":8081}"#.into(), Err(FormatError::Unknown)),
        ("{}".into(), Err(FormatError::Unknown)),
        ("[]".into(), Err(FormatError::NotJson { line: 1, column: 0 })),
    ];
    for (file, form) in forms {
        let found = detect(file.as_bytes());
        match (&found, &form) {
            (Err(FormatError::NotJson { .. }), Err(FormatError::NotJson { .. })) => {}
            _ => assert_eq!(found, form, "{file}"),
        }
    }
    assert_eq!(only(&plan).expect("sound").account.kind, Kind::Plan);
    assert_eq!(only(&auth_json("w", "u")).expect("sound").account.kind, Kind::Codex);
    assert!(Form::CodexCli.warning().is_some_and(|warning| warning.contains("read-only")));
}

#[test]
fn a_plan_sign_in_says_whether_it_may_spend_the_plan() {
    let file =
        |scope: &str| format!(r#"{{"client_id":"c","access_token":"a","id_token":"{}"{scope}}}"#, id_token("w", "u"));
    let granted = |scope: &str| only(&file(scope)).expect("sound").plan_usage_granted;
    assert!(granted(""), "nothing is said");
    assert!(granted(r#","scope":"openid chatgpt.tokens.use.direct""#));
    assert!(!granted(r#","scope":"openid profile chatgpt.tokens.use""#));
}

#[test]
fn no_error_of_an_entry_quotes_it() {
    let file = r#"{"accounts":[{"accessToken":{"a":"at-secret"}},{"refreshToken":7,"idToken":"id-secret"},{"expiresAt":"rt-secret","accessToken":"x"}]}"#;
    for entry in all(file) {
        let error = entry.result.expect_err("not sound");
        assert!(!format!("{error} {error:?}").contains("secret"), "{error}");
    }
    let provider = r#"{"type":"<b>claude</b>\n rt","access_token":"x"}"#;
    assert_eq!(only(provider).expect_err("another").to_string().matches(['<', '\n']).count(), 0);
}

proptest! {
    #[test]
    fn nonsense_is_refused_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = read_all(&bytes, now());
    }

    #[test]
    fn odd_values_are_refused_without_a_panic(
        key in prop::sample::select(vec!["accessToken", "refreshToken", "idToken", "expiresAt", "email", "accountId"]),
        text in ".{0,40}", number in any::<f64>(),
    ) {
        let text = serde_json::to_string(&text).expect("text");
        let file = format!(r#"{{"accounts":[{{"{key}":{text}}},{{"{key}":{number:e}}},{{"refreshToken":"r"}}]}}"#);
        if let Ok((_, entries)) = read_all(file.as_bytes(), now()) {
            prop_assert!(entries.iter().any(|entry| entry.result.is_ok()), "the sound one is not hidden");
        }
    }
}

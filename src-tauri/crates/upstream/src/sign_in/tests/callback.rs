//! What comes back, or is pasted. Pure tests.

use codeferry_accounts::Kind;

use super::{HOST_ID, assert_discreet, attempt, entropy, known, upstream};
use crate::sign_in::{Attempt, Callback, CallbackError, SignInError, Unverified};

const STATE: &str = "QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8";
const CLIENT: &str = "&client_id=oaiapp_7";

fn read(attempt: &Attempt, text: &str) -> Result<Callback, CallbackError> {
    let result = upstream().read_callback(attempt, text);
    assert_discreet(attempt, &format!("{result:?}"));
    if let Err(error) = &result {
        assert_discreet(attempt, &error.to_string());
    }
    result
}

fn refused(result: Result<Callback, CallbackError>) -> SignInError {
    match result {
        Err(CallbackError::Refused(error)) => error,
        other => panic!("ends the attempt, not {other:?}"),
    }
}

#[test]
fn a_callback_is_read_however_it_comes() {
    let (codex, plan) = (attempt(&upstream(), Kind::Codex), attempt(&upstream(), Kind::Plan));
    for text in [
        format!("code=ac_SECRET&state={STATE}{CLIENT}"),
        format!("?code=ac_SECRET&state={STATE}{CLIENT}"),
        format!("/auth/callback?code=ac_SECRET&state={STATE}{CLIENT}"),
        format!("http://127.0.0.1:1455/auth/callback?code=ac_SECRET&state={STATE}{CLIENT}"),
        format!("  http://localhost:1455/auth/callback?state={STATE}{CLIENT}&code=ac_SECRET#_=_ \n"),
        format!("127.0.0.1:1455/auth/callback?scope=&code=ac_SECRET&state={STATE}{CLIENT}&error=&x=1&x=2"),
        // As a terminal breaks it.
        format!("http://127.0.0.1:1455/auth/call\n  back?code=ac_SE\r\nCRET&state={STATE}{CLIENT}"),
        format!("code=%61c_SECRET&state={STATE}{CLIENT}"),
    ] {
        let callback = read(&codex, &text).unwrap();
        assert_eq!(callback.code.expose(), "ac_SECRET", "{text}");
        assert_eq!(callback.client_id.as_deref(), Some("app_EMoamEEZ73f0CkXaXp7hrann"), "one for everybody");
        let callback = read(&plan, &text).unwrap();
        assert_eq!((callback.code.expose(), callback.client_id.as_deref()), ("ac_SECRET", Some("oaiapp_7")), "{text}");
        assert_eq!(callback.scope, None, "empty is absent");
    }
    let scope = read(&plan, &format!("code=c&state={STATE}{CLIENT}&scope=openid+email%20x")).unwrap().scope;
    assert_eq!(scope.as_deref(), Some("openid email x"));
}

/// A page of somebody else's can send the browser here as well. It must not end the attempt, whatever it claims.
#[test]
fn nothing_is_believed_without_the_state() {
    let codex = attempt(&upstream(), Kind::Codex);
    let almost = format!("{}9", &STATE[..42]);
    for state in ["x", "QEFC", &almost, &format!("{STATE}8"), &STATE.to_lowercase()] {
        for rest in ["&code=c", "&error=access_denied", ""] {
            let result = read(&codex, &format!("state={state}{rest}"));
            assert!(matches!(result, Err(CallbackError::StateMismatch)), "{state}{rest}: {result:?}");
        }
    }
    for text in [
        "",
        "hello",
        "http://127.0.0.1:1455/auth/callback",
        "code=c",
        "error=access_denied",
        "code=c&state=",
        &format!("state={STATE}&state={STATE}&code=c"),
        &format!("state=x&state={STATE}&code=c"),
        &format!("state={STATE}&code=c&code=d"),
        &format!("state={STATE}&code=c#{}", "x".repeat(20_000)),
    ] {
        let result = read(&codex, text);
        assert!(matches!(result, Err(CallbackError::Unreadable(_))), "{text:.80}: {result:?}");
    }
}

#[test]
fn the_hosts_no_is_told_in_its_words() {
    let codex = attempt(&upstream(), Kind::Codex);
    let of = |rest: &str| refused(read(&codex, &format!("state={STATE}&{rest}")));
    assert_eq!(of("error=access_denied"), SignInError::Denied { reason: None });
    let reason = Some("Ask your administrator".to_owned());
    assert_eq!(of("error=access_denied&error_description=Ask+your+administrator"), SignInError::Denied { reason });
    let known = SignInError::Refused { code: "server_error".to_owned(), message: "try later".to_owned() };
    assert_eq!(of("error=server_error&error_description=try+later&code=c"), known, "an error beside a code counts");
    // What it writes is shown on a page and in a terminal.
    let SignInError::Refused { code, message } =
        of("error=%3Cb%3E%1b%5B31m&error_description=a%00b%0d%0ac%1b%5B2J%E2%80%AEd%3Cscript%3E")
    else {
        panic!("refused");
    };
    assert_eq!((code.as_str(), message.as_str()), ("unnamed_error", "a b  c [2Jd<script>"));
    let endless = of(&format!("error=x&error_description={}", "long+".repeat(2000)));
    assert!(endless.to_string().len() < 700, "{}", endless.to_string().len());
}

#[test]
fn too_little_ends_the_attempt() {
    let (codex, plan) = (attempt(&upstream(), Kind::Codex), attempt(&upstream(), Kind::Plan));
    let again = upstream().begin_sign_in(Kind::Plan, 1, HOST_ID, known("oaiapp_1", None), &entropy());
    let missing = |attempt, rest: &str| refused(read(attempt, &format!("state={STATE}{rest}")));
    assert_eq!(missing(&codex, ""), SignInError::Incomplete { missing: "a code" });
    assert_eq!(missing(&codex, "&code="), SignInError::Incomplete { missing: "a code" });
    assert_eq!(missing(&plan, CLIENT), SignInError::Incomplete { missing: "a code" });
    let client = SignInError::Incomplete { missing: "the client that was registered (client_id)" };
    assert_eq!(missing(&plan, "&code=c"), client);
    for client in ["dynamic_agent_client", "app_EMoamEEZ73f0CkXaXp7hrann", "oaiapp_", "oaiapp_%0a", "oaiapp_a/b"] {
        for attempt in [&plan, &again] {
            let error = missing(attempt, &format!("&code=c&client_id={client}"));
            assert_eq!(error, SignInError::Unverified { why: Unverified::Client }, "{client}");
        }
    }
    let kept = read(&again, &format!("state={STATE}&code=c")).unwrap();
    assert_eq!(kept.client_id.as_deref(), Some("oaiapp_1"), "the one it was begun with");
    let renamed = read(&again, &format!("state={STATE}&code=c&client_id=oaiapp_2")).unwrap();
    assert_eq!(renamed.client_id.as_deref(), Some("oaiapp_2"), "the one the code was issued to");
}

#[test]
fn a_bare_code_is_taken_where_it_is_enough() {
    let codex = attempt(&upstream(), Kind::Codex);
    let query = codex.with_bare_code(" ac_83450f52-SECRET.x~ \n").unwrap();
    assert_eq!(read(&codex, &query).unwrap().code.expose(), "ac_83450f52-SECRET.x~");
    for text in ["", " ", "code=c", "http://127.0.0.1/?code=c", "a b", "a&b", "é", &"a".repeat(3000)] {
        assert_eq!(codex.with_bare_code(text), None, "{text:.20}");
    }
    assert_eq!(attempt(&upstream(), Kind::Plan).with_bare_code("ac_1"), None, "its client is not known yet");
    let again = upstream().begin_sign_in(Kind::Plan, 1, HOST_ID, known("oaiapp_1", None), &entropy());
    assert!(again.with_bare_code("ac_1").is_some());
}

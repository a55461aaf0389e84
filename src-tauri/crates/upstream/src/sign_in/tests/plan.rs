//! The plan's exchange, against an auth host that signs.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use axum::response::Response;
use codeferry_accounts::{AccountId, Kind, import};

use super::{HOST_ID, assert_discreet, entropy, known};
use crate::sign_in::{SignInError, SignedIn, Unverified};
use crate::testing::signer::{Signer, jwks};
use crate::testing::{Fake, JSON, NOW, Seen, at, clock, moving_clock, options, response, secret};
use crate::{Endpoints, Upstream};

const STATE: &str = "QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8";
const NONCE: &str = "YGFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6e3x9fn8";
const SCOPE: &str = "openid profile email offline_access resource.invoke chatgpt.tokens.use.direct";

/// An auth host: the keys it publishes, and what it answers to an exchange. `ISSUER` in it becomes its own address.
#[derive(Clone)]
struct Host(Arc<Mutex<Script>>);

struct Script {
    keys: Result<String, u16>,
    token: Box<dyn Fn(&str) -> Response + Send>,
}

impl Host {
    async fn start(token: impl Fn(&str) -> Response + Send + 'static) -> (Fake, Self) {
        let keys = Ok(jwks(&[&Signer::first()]));
        let host = Self(Arc::new(Mutex::new(Script { keys, token: Box::new(token) })));
        let answering = host.clone();
        let fake = Fake::start(move |seen| answering.answer(seen)).await;
        (fake, host)
    }

    fn answer(&self, seen: &Seen) -> Response {
        let script = self.0.lock().unwrap();
        match (seen.target.as_str(), &script.keys) {
            ("/.well-known/jwks.json", Ok(keys)) => response(200, &[JSON], keys.clone()),
            ("/.well-known/jwks.json", Err(status)) => response(*status, &[JSON], "{}"),
            ("/api/accounts/oauth/token", _) => (script.token)(&format!("http://{}", seen.header("host").unwrap())),
            (other, _) => panic!("asked for {other}"),
        }
    }

    fn publish(&self, keys: Result<String, u16>) {
        self.0.lock().unwrap().keys = keys;
    }
}

fn claims(issuer: &str, client: &str, nonce: &str) -> String {
    format!(
        r#"{{"iss":"{issuer}","aud":["{client}"],"exp":{},"iat":{NOW},"nonce":"{nonce}","sub":"user-1","email":"a@example.com","https://api.openai.com/auth":{{"chatgpt_account_id":"acc-1","chatgpt_plan_type":"plus"}}}}"#,
        NOW + 3600
    )
}

fn tokens(id_token: &str, scope: &str) -> String {
    format!(
        r#"{{"access_token":"at-SECRET","refresh_token":"rt-SECRET","id_token":"{id_token}","token_type":"Bearer","expires_in":3600,"earliest_refresh_at":{}{scope}}}"#,
        NOW + 3300
    )
}

/// A host that does everything right, with these keys.
fn sound(signer: fn() -> Signer) -> impl Fn(&str) -> Response + Send {
    move |issuer| {
        let id_token = signer().token(&claims(issuer, "oaiapp_7", NONCE));
        response(200, &[JSON], tokens(&id_token, &format!(r#","scope":"{SCOPE}""#)))
    }
}

async fn sign_in(upstream: &Upstream, rest: &str) -> Result<SignedIn, SignInError> {
    let attempt = upstream.begin_sign_in(Kind::Plan, 49_152, HOST_ID, None, &entropy());
    let query = format!("code=ac_SECRET_code&state={STATE}&client_id=oaiapp_7{rest}");
    let callback = upstream.read_callback(&attempt, &query).unwrap();
    let copy = upstream.begin_sign_in(Kind::Plan, 49_152, HOST_ID, None, &entropy());
    let result = upstream.finish_sign_in(attempt, callback).await;
    assert_discreet(&copy, &format!("{result:?}"));
    result
}

fn targets(fake: &Fake) -> Vec<String> {
    fake.seen().into_iter().map(|seen| seen.target).collect()
}

const KEYS: &str = "/.well-known/jwks.json";
const TOKEN: &str = "/api/accounts/oauth/token";

/// `codex-backend.md §12`, "Token".
#[tokio::test]
async fn a_code_becomes_an_account() {
    let (fake, _host) = Host::start(sound(Signer::first)).await;
    let signed_in = sign_in(&fake.upstream(), "").await.unwrap();
    let [keys, token] = <[_; 2]>::try_from(fake.seen()).unwrap();
    assert_eq!((keys.method.as_str(), keys.target.as_str()), ("GET", KEYS));
    assert_eq!((token.method.as_str(), token.target.as_str()), ("POST", TOKEN));
    assert_eq!(
        token.text(),
        "grant_type=authorization_code&client_id=oaiapp_7&code=ac_SECRET_code&redirect_uri=http%3A%2F%2F127.0.0.1%3A49152%2Fauth%2Fcallback&code_verifier=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0-Pw&resource=https%3A%2F%2Fapi.openai.com%2Fv1"
    );
    assert_eq!(
        token.lines(),
        [
            "accept-encoding: identity",
            "accept: application/json",
            &format!("content-length: {}", token.body.len()),
            "content-type: application/x-www-form-urlencoded",
            "user-agent: codeferry/0.0.0 (test; test)",
        ]
    );
    assert!(signed_in.plan_usage_granted);
    let (account, credential) = (&signed_in.account, &signed_in.credential);
    assert_eq!(
        (account.kind, account.email.as_deref(), account.plan.as_deref()),
        (Kind::Plan, Some("a@example.com"), Some("plus"))
    );
    assert_eq!(account.id, AccountId::derive(Kind::Plan, Some("acc-1"), Some("user-1")));
    assert_eq!(credential.client_id.as_deref(), Some("oaiapp_7"));
    assert_eq!(
        (&credential.access_token, &credential.refresh_token),
        (&secret("at-SECRET"), &Some(secret("rt-SECRET")))
    );
    assert_eq!((credential.expires_at, credential.earliest_refresh_at), (Some(at(3600)), Some(at(3300))));
    assert_eq!(credential.last_refresh, Some(at(0)));
    // The same account, had its tokens come in a file.
    let id_token = credential.id_token.as_ref().unwrap().expose();
    let file = format!(r#"{{"client_id":"oaiapp_7","access_token":"at-SECRET","id_token":"{id_token}"}}"#);
    assert_eq!(import::read(Kind::Plan, file.as_bytes(), at(0)).unwrap().account, *account);
}

/// `codex-backend.md §12`: plan usage only if the scope was granted.
#[tokio::test]
async fn the_scope_says_whether_the_plan_may_be_used() {
    for (answered, in_callback, granted) in [
        (r#","scope":"openid chatgpt.tokens.use.direct""#, "", true),
        (r#","scope":"openid profile email""#, "", false),
        (r#","scope":"chatgpt.tokens.use.directly xchatgpt.tokens.use.direct""#, "", false),
        // The answer itself counts more than the address.
        (r#","scope":"openid""#, "&scope=chatgpt.tokens.use.direct", false),
        ("", "&scope=openid+chatgpt.tokens.use.direct", true),
        ("", "&scope=openid", false),
        ("", "", false),
    ] {
        let (fake, _host) = Host::start(move |issuer| {
            let id_token = Signer::first().token(&claims(issuer, "oaiapp_7", NONCE));
            response(200, &[JSON], tokens(&id_token, answered))
        })
        .await;
        let signed_in = sign_in(&fake.upstream(), in_callback).await.unwrap();
        assert_eq!(signed_in.plan_usage_granted, granted, "{answered} {in_callback}");
    }
}

#[tokio::test]
async fn keys_are_kept_for_an_hour_and_fetched_again_once_when_unknown() {
    let (fake, host) = Host::start(sound(Signer::first)).await;
    let (hand, clock) = moving_clock();
    let upstream = Upstream::new(fake.endpoints(), options(), clock);
    for expected in [&[KEYS, TOKEN][..], &[KEYS, TOKEN, TOKEN]] {
        sign_in(&upstream, "").await.unwrap();
        assert_eq!(targets(&fake), expected);
    }
    hand.store(3600, Ordering::Relaxed);
    sign_in(&upstream, "").await.unwrap();
    assert_eq!(targets(&fake)[3..], [KEYS, TOKEN], "old keys are asked for again");

    // The host changes its key.
    host.publish(Ok(jwks(&[&Signer::second()])));
    host.0.lock().unwrap().token = Box::new(sound(Signer::second));
    sign_in(&upstream, "").await.unwrap();
    assert_eq!(targets(&fake)[5..], [TOKEN, KEYS]);
    // And signs with one that it does not publish.
    host.0.lock().unwrap().token = Box::new(sound(Signer::first));
    let unknown = sign_in(&upstream, "").await.unwrap_err();
    assert_eq!(unknown, SignInError::Unverified { why: Unverified::UnknownKey });
    assert_eq!(targets(&fake)[7..], [TOKEN, KEYS], "once");
}

/// A code works once. Where its answer could not be believed anyway, it is not spent.
#[tokio::test]
async fn without_keys_the_code_is_not_spent() {
    let (fake, host) = Host::start(sound(Signer::first)).await;
    let pages = [Err(503), Err(404), Err(403), Ok("<html>".to_owned()), Ok(r#"{"keys":[]}"#.to_owned())];
    for keys in pages {
        host.publish(keys.clone());
        let error = sign_in(&fake.upstream(), "").await.unwrap_err();
        assert!(error.is_transient() && error.to_string().contains("signing keys"), "{keys:?}: {error}");
    }
    assert!(targets(&fake).iter().all(|target| target == KEYS), "{:?}", targets(&fake));
}

#[tokio::test]
async fn an_answer_that_cannot_be_trusted_gives_no_account() {
    type Token = fn(&str) -> String;
    let table: [(Token, Unverified); 7] = [
        (|issuer| Signer::first().token(&claims(issuer, "oaiapp_7", "another")), Unverified::Nonce),
        (|issuer| Signer::first().token(&claims(issuer, "oaiapp_8", NONCE)), Unverified::Audience),
        (|issuer| Signer::first().token(&claims(issuer, "dynamic_agent_client", NONCE)), Unverified::Audience),
        (|_| Signer::first().token(&claims("https://auth.openai.com", "oaiapp_7", NONCE)), Unverified::Issuer),
        (|issuer| Signer::second().named("key-1").token(&claims(issuer, "oaiapp_7", NONCE)), Unverified::Signature),
        (
            |issuer| Signer::first().token_with(r#"{"alg":"none"}"#, &claims(issuer, "oaiapp_7", NONCE)),
            Unverified::Algorithm,
        ),
        (|_| String::new(), Unverified::Missing("identity token")),
    ];
    for (id_token, why) in table {
        let (fake, _host) = Host::start(move |issuer| {
            response(200, &[JSON], tokens(&id_token(issuer), &format!(r#","scope":"{SCOPE}""#)))
        })
        .await;
        let error = sign_in(&fake.upstream(), "").await.unwrap_err();
        assert_eq!(error, SignInError::Unverified { why });
        assert!(!error.is_transient() && !error.hint().is_empty());
    }
}

#[tokio::test]
async fn a_refused_code_and_a_bad_moment_are_told_apart() {
    let refused =
        |code: &str, message: &str| SignInError::Refused { code: code.to_owned(), message: message.to_owned() };
    let spent = r#"{"error":"invalid_grant","error_description":"The code is spent."}"#;
    let nested = r#"{"error":{"message":"No such code.","type":"invalid_request_error","code":"invalid_code"}}"#;
    for (status, body, expected) in [
        (400, spent, refused("invalid_grant", "The code is spent.")),
        (401, nested, refused("invalid_code", "No such code.")),
        (403, r#"{"error":"access_denied"}"#, SignInError::Denied { reason: None }),
    ] {
        let (fake, _host) = Host::start(move |_| response(status, &[JSON], body)).await;
        let error = sign_in(&fake.upstream(), "").await.unwrap_err();
        match (&error, &expected) {
            (SignInError::Denied { .. }, SignInError::Denied { .. }) => {}
            _ => assert_eq!(error, expected),
        }
    }
    for (status, kind, body) in [
        (500, "application/json", spent),
        (502, "text/html", "<html>invalid_grant</html>"),
        (429, "application/json", r#"{"error":{"code":"rate_limit_exceeded"}}"#),
        (403, "text/html", "<html>Just a moment...</html>"),
        (302, "text/html", ""),
        (200, "text/html", "<html>Sign in to this network</html>"),
        (200, "application/json", "{}"),
        (200, "application/json", r#"{"refresh_token":"rt-SECRET"}"#),
    ] {
        let (fake, _host) = Host::start(move |_| response(status, &[("content-type", kind)], body)).await;
        let error = sign_in(&fake.upstream(), "").await.unwrap_err();
        assert!(error.is_transient(), "{status} {body}: {error:?}");
        assert_eq!(targets(&fake), [KEYS, TOKEN], "sent once");
    }
}

/// Hosts have been seen to quote what they were sent.
#[tokio::test]
async fn what_the_host_repeats_goes_no_further() {
    for status in [400, 500] {
        let (fake, _host) = Host::start(move |_| {
            let body = r#"{"error":"bad_ac_SECRET_code","error_description":"Code ac_SECRET_code with verifier AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0-Pw is spent.\u001b[2J"}"#;
            response(status, &[JSON], body)
        })
        .await;
        // `sign_in` looks at the debug form, too.
        let error = sign_in(&fake.upstream(), "").await.unwrap_err();
        let shown = error.to_string();
        assert!(shown.contains("Code «redacted» with verifier «redacted» is spent."), "{shown}");
        assert!(!shown.contains("SECRET") && !shown.contains('\u{1b}'), "{shown}");
    }
}

/// Nothing was sent, so nothing is spent: the connection is tried again, but not for ever.
#[tokio::test(start_paused = true)]
async fn a_connection_that_cannot_be_made_is_tried_three_times() {
    let free = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let auth = format!("http://{free}").parse().unwrap();
    let upstream = Upstream::new(Endpoints { auth, ..Endpoints::default() }, options(), clock());
    let begun = tokio::time::Instant::now();
    let error = sign_in(&upstream, "").await.unwrap_err();
    assert!(error.is_transient() && error.to_string().starts_with("Cannot connect to 127.0.0.1:"), "{error}");
    assert_eq!(begun.elapsed().as_millis(), 800, "two pauses");
}

#[tokio::test]
async fn a_later_sign_in_uses_its_own_client() {
    let (fake, _host) = Host::start(|issuer| {
        let id_token = Signer::first().token(&claims(issuer, "oaiapp_3", NONCE));
        response(200, &[JSON], tokens(&id_token, ""))
    })
    .await;
    let upstream = fake.upstream();
    let attempt = upstream.begin_sign_in(Kind::Plan, 1, HOST_ID, known("oaiapp_3", None), &entropy());
    let callback = upstream.read_callback(&attempt, &attempt.with_bare_code("ac_pasted").unwrap()).unwrap();
    let signed_in = upstream.finish_sign_in(attempt, callback).await.unwrap();
    assert_eq!(signed_in.credential.client_id.as_deref(), Some("oaiapp_3"));
    assert!(fake.seen()[1].text().contains("&client_id=oaiapp_3&code=ac_pasted&"));
}

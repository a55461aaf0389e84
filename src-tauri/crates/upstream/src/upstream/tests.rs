//! The door, against servers on this machine.

mod abroad;
mod by_socket;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body as Sent;
use bytes::Bytes;
use codeferry_accounts::{AccountId, Kind, Secret};
use futures_util::{StreamExt as _, stream};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::{Answer, Call, Carried, Fetched, ModelsCall, Options, Upstream};
use crate::pages::{Beside, CatalogPage};
use crate::testing::{EVENTS, Fake, JSON, at, clock, options, response, secret};
use crate::{Catalog, Consequence, Endpoints, Failure, FailureKind, Payload};

const BODY: &str = r#"{"model":"gpt-6.1-sol","stream":true}"#;
const STREAM: &str = "event: response.created\ndata: {\"type\":\"response.created\"}\n\n";

fn call(kind: Kind, token: &Secret) -> Call<'_> {
    Call {
        endpoint: None,
        kind,
        access_token: token,
        chatgpt_account_id: Some("acc-plus-0001"),
        model: "gpt-6.1-sol",
        lite: false,
        body: Payload::from(Bytes::from_static(BODY.as_bytes())),
        session_id: "0199-session",
        thread_id: "0199-thread",
        turn_state: None,
        program: None,
        carried: Carried::default(),
        seat: None,
    }
}

async fn respond(upstream: &Upstream, kind: Kind) -> Result<Answer, Failure> {
    upstream.respond(call(kind, &secret("at-SECRET"))).await
}

async fn whole(mut answer: Answer) -> Result<String, Failure> {
    let mut text = Vec::new();
    while let Some(chunk) = answer.body.chunk().await? {
        text.extend_from_slice(&chunk);
    }
    Ok(String::from_utf8(text).unwrap())
}

/// Everything that goes over the wire, provider by provider. A header that is not here is not sent.
#[tokio::test]
async fn what_is_sent_to_each_provider() {
    let everywhere = [
        "accept-encoding: identity",
        "accept: text/event-stream",
        "authorization: Bearer at-SECRET",
        "content-length: 37",
        "content-type: application/json",
        "user-agent: codeferry/0.0.0 (test; test)",
    ];
    let codex = [
        "chatgpt-account-id: acc-plus-0001",
        "originator: codeferry",
        "session-id: 0199-session",
        "thread-id: 0199-thread",
        "version: 0.0.0",
        "x-client-request-id: 0199-thread",
        "x-codex-routing-hint: model=gpt-6.1-sol",
    ];
    for (kind, path, extra) in [
        (Kind::Plan, "/v1/responses", &[][..]),
        (Kind::Codex, "/backend-api/codex/responses", &codex[..]),
        (Kind::Demo, "/demo/backend-api/codex/responses", &codex[..]),
    ] {
        let fake = Fake::start(|_| response(200, &[EVENTS], STREAM)).await;
        let answer = respond(&fake.upstream(), kind).await.unwrap();
        assert_eq!(whole(answer).await.as_deref(), Ok(STREAM));
        let seen = fake.only();
        assert_eq!((seen.method.as_str(), seen.target.as_str()), ("POST", path));
        let mut expected = [&everywhere, extra].concat();
        expected.sort_unstable();
        assert_eq!(seen.lines(), expected, "{kind}");
        // Not compressed, although the option is on: this is loopback.
        assert_eq!(seen.text(), BODY);
    }
}

#[tokio::test]
async fn what_belongs_to_a_turn_is_sent_when_there_is_some() {
    let fake = Fake::start(|_| response(200, &[EVENTS, ("x-codex-turn-state", "ts-2")], STREAM)).await;
    let (upstream, token) = (fake.upstream(), secret("t"));
    for kind in [Kind::Codex, Kind::Plan] {
        let call = Call { lite: true, turn_state: Some("ts-1"), ..call(kind, &token) };
        assert_eq!(upstream.respond(call).await.unwrap().turn_state.as_deref(), Some("ts-2"));
    }
    let [codex, plan] = <[_; 2]>::try_from(fake.seen()).unwrap();
    assert_eq!(codex.header("x-codex-turn-state"), Some("ts-1"));
    assert_eq!(codex.header("x-openai-internal-codex-responses-lite"), Some("true"));
    assert_eq!(plan.header("x-codex-turn-state"), None);
    assert_eq!(plan.header("x-openai-internal-codex-responses-lite"), None);
}

#[tokio::test]
async fn what_a_codex_says_of_its_turn_reaches_its_own_backend_alone() {
    let fake = Fake::start(|_| response(200, &[EVENTS], STREAM)).await;
    let (upstream, token) = (fake.upstream(), secret("t"));
    let carried = Carried { beta_features: Some("remote_compaction_v2"), window_id: Some("w:1"), ..Carried::default() };
    for kind in [Kind::Codex, Kind::Plan] {
        upstream.respond(Call { carried, ..call(kind, &token) }).await.unwrap();
    }
    let [codex, plan] = <[_; 2]>::try_from(fake.seen()).unwrap();
    assert_eq!(codex.header("x-codex-beta-features"), Some("remote_compaction_v2"));
    assert_eq!((codex.header("x-codex-window-id"), codex.header("x-openai-subagent")), (Some("w:1"), None));
    assert_eq!((plan.header("x-codex-beta-features"), plan.header("x-codex-window-id")), (None, None));
}

#[tokio::test]
async fn what_stands_beside_answers_is_asked_below_the_same_address() {
    let fake = Fake::start(|_| response(200, &[JSON], r#"{"output":[]}"#)).await;
    let (upstream, token) = (fake.upstream(), secret("t"));
    let (_, body) = upstream.ask(call(Kind::Codex, &token), Beside::Compact).await.unwrap();
    assert_eq!(&body[..], br#"{"output":[]}"#);
    let seen = fake.only();
    assert!(seen.target.ends_with("/codex/responses/compact"), "{}", seen.target);
    assert_eq!((seen.text(), seen.header("accept")), (BODY, Some("application/json")));
    // The plans' host has none of it (codex-backend.md §12).
    let failure = upstream.ask(call(Kind::Plan, &token), Beside::ImagesEdits).await.unwrap_err();
    assert_eq!(failure.consequence(), Consequence::Stop);
    assert_eq!(fake.seen().len(), 1);
}

#[tokio::test]
async fn a_catalogue_is_handed_on_unread() {
    let fake = Fake::start(|seen| match seen.header("if-none-match") {
        Some("\"v1\"") => response(304, &[], ""),
        _ => response(200, &[JSON, ("etag", "\"v1\"")], r#"{"models":[{"slug":"x","tomorrow":1}]}"#),
    })
    .await;
    let (upstream, token, id) = (fake.upstream(), secret("t"), AccountId::derive(Kind::Codex, None, None));
    let ask =
        ModelsCall { account: &id, kind: Kind::Codex, access_token: &token, chatgpt_account_id: None, program: None };
    let page = upstream.catalog_page(ask, Some("0.170.0"), None).await.unwrap();
    let body = Bytes::from_static(br#"{"models":[{"slug":"x","tomorrow":1}]}"#);
    assert_eq!(page, CatalogPage::New { body, etag: Some("\"v1\"".to_owned()) });
    assert!(fake.only().target.ends_with("models?client_version=0.170.0"), "{}", fake.only().target);
    assert_eq!(upstream.catalog_page(ask, None, Some("\"v1\"")).await.unwrap(), CatalogPage::Unchanged);
    assert!(upstream.shelf().of(&id).is_none());
}

/// Session ids come from clients.
#[tokio::test]
async fn an_id_no_header_can_carry_is_left_out() {
    let fake = Fake::start(|_| response(200, &[EVENTS], STREAM)).await;
    let token = secret("t");
    let call =
        Call { session_id: "a\r\nx-evil: 1", thread_id: "", chatgpt_account_id: None, ..call(Kind::Codex, &token) };
    fake.upstream().respond(call).await.unwrap();
    let seen = fake.only();
    for name in ["session-id", "thread-id", "x-client-request-id", "chatgpt-account-id", "x-evil"] {
        assert_eq!(seen.header(name), None, "{name}");
    }
}

#[tokio::test]
async fn an_answer_brings_what_its_headers_tell() {
    let fake = Fake::start(|_| {
        let headers = [
            EVENTS,
            ("x-request-id", "req_7"),
            ("x-models-etag", "\"v2\""),
            ("openai-model", "gpt-6-sol"),
            ("x-codex-primary-used-percent", "12"),
            ("x-codex-primary-window-minutes", "300"),
            ("x-codex-primary-reset-after-seconds", "60"),
        ];
        response(200, &headers, STREAM)
    })
    .await;
    let answer = respond(&fake.upstream(), Kind::Codex).await.unwrap();
    assert_eq!(answer.request_id.as_deref(), Some("req_7"));
    assert_eq!(answer.models_etag.as_deref(), Some("\"v2\""));
    assert_eq!(answer.model.as_deref(), Some("gpt-6-sol"));
    assert_eq!(answer.limits(at(0)).windows[0].resets_at, Some(at(60)));
}

#[tokio::test]
async fn what_is_no_answer_is_a_failure() {
    type Row<'a> = (u16, &'a [(&'a str, &'a str)], &'static str, FailureKind, &'a str);
    let challenge = "<!DOCTYPE html><html><title>Just a moment...</title></html>";
    let rows: &[Row<'_>] = &[
        (
            403,
            &[("content-type", "text/html"), ("cf-mitigated", "challenge")],
            challenge,
            FailureKind::Challenge,
            "Cloudflare stopped",
        ),
        (307, &[("location", "https://elsewhere.test/v1")], "", FailureKind::Protocol, "127.0.0.1:"),
        (304, &[], "", FailureKind::Protocol, "127.0.0.1:"),
        (
            200,
            &[("content-type", "text/html")],
            "<html>Sign in to this network</html>",
            FailureKind::Protocol,
            "127.0.0.1:",
        ),
        (200, &[JSON], "{}", FailureKind::Protocol, "127.0.0.1:"),
        (200, &[EVENTS, ("content-encoding", "gzip")], "\u{1f}", FailureKind::Protocol, "127.0.0.1:"),
        (
            401,
            &[JSON],
            r#"{"error":{"code":"token_expired","message":"Expired."}}"#,
            FailureKind::Unauthorized,
            "Expired.",
        ),
    ];
    for &(status, headers, body, ref kind, beginning) in rows {
        let headers: Vec<(String, String)> = headers.iter().map(|(n, v)| ((*n).into(), (*v).into())).collect();
        let fake = Fake::start(move |_| {
            let headers: Vec<_> = headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
            response(status, &headers, body)
        })
        .await;
        let failure = respond(&fake.upstream(), Kind::Codex).await.unwrap_err();
        assert_eq!(failure.kind, *kind, "{status} {failure}");
        assert!(failure.message.starts_with(beginning), "{failure}");
        assert_eq!(fake.seen().len(), 1, "asked once, and nobody else: {failure}");
    }
}

#[tokio::test]
async fn a_relative_limit_is_counted_from_our_clock() {
    let body = r#"{"error":{"type":"usage_limit_reached","message":"Over.","resets_in_seconds":10800}}"#;
    let fake = Fake::start(move |_| response(429, &[JSON], body)).await;
    let failure = respond(&fake.upstream(), Kind::Codex).await.unwrap_err();
    assert_eq!(failure.resets_at, Some(at(10_800)));
}

#[tokio::test]
async fn a_closed_port_is_a_connection_that_could_not_be_made() {
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let endpoints = Endpoints { chatgpt: format!("http://{free}").parse().unwrap(), ..Endpoints::default() };
    let upstream = Upstream::new(endpoints, options(), clock());
    let failure = respond(&upstream, Kind::Codex).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Connect);
    assert!(failure.message.starts_with(&format!("Cannot connect to {free}: ")), "{failure}");
    assert!(matches!(failure.consequence(), Consequence::SameAccount { .. }));
    let failure = respond(&upstream, Kind::Demo).await.unwrap_err();
    assert_eq!(failure.message, "The demo upstream is not running.");
}

#[tokio::test]
async fn a_token_no_header_can_carry_is_a_bad_token() {
    let upstream = Upstream::new(Endpoints::default(), options(), clock());
    let token = secret("at-SECRET\n");
    let failure = upstream.respond(call(Kind::Codex, &token)).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unauthorized);
    assert!(!format!("{failure:?} {:?}", call(Kind::Codex, &token)).contains("SECRET"));
}

#[tokio::test]
async fn a_stream_that_is_cut_is_told_from_one_that_ended() {
    let fake = Fake::start(|_| {
        let chunks = [Ok(Bytes::from_static(b"data: 1\n\n")), Err(std::io::Error::other("cut"))];
        // The pause lets the first chunk out before the connection breaks.
        let chunks = stream::iter(chunks).then(|chunk| async {
            tokio::task::yield_now().await;
            chunk
        });
        response(200, &[EVENTS], Sent::from_stream(chunks))
    })
    .await;
    let failure = whole(respond(&fake.upstream(), Kind::Codex).await.unwrap()).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::CutOff);
}

/// Tells when it is dropped.
struct Bell(Option<oneshot::Sender<()>>);

impl Drop for Bell {
    fn drop(&mut self) {
        let _ = self.0.take().map(|bell| bell.send(()));
    }
}

/// An endless answer: one chunk, then nothing; and a bell that rings when the server lets go of it.
async fn endless() -> (Fake, oneshot::Receiver<()>) {
    let (tx, rx) = oneshot::channel();
    let bell = Arc::new(Mutex::new(Some(Bell(Some(tx)))));
    let fake = Fake::start(move |_| {
        let bell = bell.lock().unwrap().take();
        let first = stream::once(async { Ok::<_, std::io::Error>(Bytes::from_static(b": hi\n\n")) });
        let silence = stream::once(async move {
            let _bell = bell;
            std::future::pending().await
        });
        response(200, &[EVENTS], Sent::from_stream(first.chain(silence)))
    })
    .await;
    (fake, rx)
}

#[tokio::test]
async fn dropping_the_body_cancels_the_request() {
    let (fake, gone) = endless().await;
    let mut answer = respond(&fake.upstream(), Kind::Codex).await.unwrap();
    assert_eq!(answer.body.chunk().await, Ok(Some(Bytes::from_static(b": hi\n\n"))));
    // The server has begun to wait within its answer.
    assert!(tokio::time::timeout(Duration::from_millis(20), answer.body.chunk()).await.is_err());
    drop(answer);
    tokio::time::timeout(Duration::from_secs(5), gone).await.expect("the server sees it").unwrap();
}

#[tokio::test]
async fn dropping_the_call_cancels_the_request() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let chatgpt = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let upstream = Upstream::new(Endpoints { chatgpt, ..Endpoints::default() }, options(), clock());
    let token = secret("t");
    let mut socket = {
        let mut responding = std::pin::pin!(upstream.respond(call(Kind::Codex, &token)));
        let socket = tokio::select! {
            accepted = listener.accept() => accepted.unwrap().0,
            answer = &mut responding => panic!("nobody answered: {answer:?}"),
        };
        // Until the request is on the wire.
        let mut first = [0; 1];
        tokio::select! {
            seen = socket.peek(&mut first) => assert_eq!(seen.unwrap(), 1),
            answer = &mut responding => panic!("nobody answered: {answer:?}"),
        }
        socket
    };
    let mut rest = Vec::new();
    let read = tokio::io::AsyncReadExt::read_to_end(&mut socket, &mut rest);
    tokio::time::timeout(Duration::from_secs(5), read).await.expect("the connection is closed").unwrap();
    let rest = String::from_utf8(rest).unwrap();
    assert!(rest.starts_with("POST /codex/responses HTTP/1.1\r\n"), "{rest}");
}

#[tokio::test(start_paused = true)]
async fn silence_before_the_headers_ends_after_the_idle_time() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let chatgpt = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let upstream = Upstream::new(Endpoints { chatgpt, ..Endpoints::default() }, options(), clock());
    let start = tokio::time::Instant::now();
    let failure = respond(&upstream, Kind::Codex).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Timeout);
    assert_eq!(start.elapsed().as_secs(), 300);
}

#[tokio::test(start_paused = true)]
async fn silence_within_a_stream_ends_after_the_idle_time() {
    let (fake, gone) = endless().await;
    let answer = respond(&fake.upstream(), Kind::Codex).await.unwrap();
    let failure = whole(answer).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Timeout);
    assert_eq!(failure.consequence(), Consequence::Stop);
    gone.await.expect("the upstream is cancelled");
}

#[tokio::test(start_paused = true)]
async fn an_error_body_that_never_ends_does_not_hold_back_the_status() {
    let fake = Fake::start(|_| {
        let silence = stream::pending::<Result<Bytes, std::io::Error>>();
        response(503, &[JSON, ("retry-after", "4")], Sent::from_stream(silence))
    })
    .await;
    let start = tokio::time::Instant::now();
    let failure = respond(&fake.upstream(), Kind::Codex).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unavailable);
    assert_eq!(failure.retry_after, Some(Duration::from_secs(4)));
    assert!(start.elapsed() <= Duration::from_secs(11));
}

// --- the catalogue ---

fn account() -> AccountId {
    AccountId::derive(Kind::Codex, Some("acc-plus-0001"), None)
}

async fn models(upstream: &Upstream, kind: Kind) -> Result<Fetched, Failure> {
    let (account, token) = (account(), secret("at-SECRET"));
    let call = ModelsCall {
        account: &account,
        kind,
        access_token: &token,
        chatgpt_account_id: Some("acc-plus-0001"),
        program: None,
    };
    upstream.models(call).await
}

/// `traces/codex/get_models.json`, but for who we are.
#[tokio::test]
async fn the_catalogue_is_asked_for_as_recorded_and_then_only_for_news() {
    let fake = Fake::start(|seen| match seen.header("if-none-match") {
        Some("\"v1\"") => response(304, &[], ""),
        _ => response(200, &[JSON, ("etag", "\"v1\"")], r#"{"models":[{"slug":"gpt-new"}]}"#),
    })
    .await;
    let upstream = fake.upstream();
    assert_eq!(*upstream.shelf().all(), Catalog::builtin());
    let Ok(Fetched::New(catalog)) = models(&upstream, Kind::Codex).await else { panic!("a new catalogue") };
    assert!(catalog.get("gpt-new").is_some());
    assert_eq!(models(&upstream, Kind::Codex).await, Ok(Fetched::Unchanged));
    assert!(upstream.shelf().all().get("gpt-new").is_some());

    let [first, second] = <[_; 2]>::try_from(fake.seen()).unwrap();
    assert_eq!(
        (first.method.as_str(), first.target.as_str()),
        ("GET", "/backend-api/codex/models?client_version=0.169.0")
    );
    assert_eq!(
        first.lines(),
        [
            "accept-encoding: identity",
            "accept: application/json",
            "authorization: Bearer at-SECRET",
            "chatgpt-account-id: acc-plus-0001",
            "originator: codeferry",
            "user-agent: codeferry/0.0.0 (test; test)",
            "version: 0.0.0",
        ]
    );
    assert_eq!(second.header("if-none-match"), Some("\"v1\""));
}

#[tokio::test]
async fn the_public_api_is_asked_with_the_bearer_only() {
    let fake = Fake::start(|_| response(200, &[JSON], r#"{"models":[{"slug":"gpt-new"}]}"#)).await;
    models(&fake.upstream(), Kind::Plan).await.unwrap();
    let seen = fake.only();
    assert_eq!(seen.target, "/v1/models?client_version=0.169.0");
    assert_eq!((seen.header("originator"), seen.header("chatgpt-account-id")), (None, None));
}

#[tokio::test]
async fn what_cannot_be_read_never_takes_the_place_of_a_catalogue() {
    let answers = Arc::new(Mutex::new(vec![
        (401, r#"{"detail":"Unauthorized"}"#),
        (200, r#"{"models":[]}"#),
        (200, "<html>"),
        (200, r#"{"models":[{"slug":"gpt-new"}]}"#),
    ]));
    let fake = Fake::start(move |_| {
        let (status, body) = answers.lock().unwrap().pop().unwrap();
        response(status, &[JSON], body)
    })
    .await;
    let upstream = fake.upstream();
    models(&upstream, Kind::Codex).await.unwrap();
    let kinds = [FailureKind::Protocol, FailureKind::Protocol, FailureKind::Unauthorized];
    for kind in kinds {
        assert_eq!(models(&upstream, Kind::Codex).await.unwrap_err().kind, kind);
        assert!(upstream.shelf().of(&account()).unwrap().get("gpt-new").is_some());
    }
}

#[tokio::test]
async fn an_answer_tells_when_the_catalogue_is_old() {
    let fake = Fake::start(|seen| match seen.method.as_str() {
        "GET" => response(200, &[JSON, ("etag", "\"v1\"")], r#"{"models":[{"slug":"gpt-new"}]}"#),
        _ => match seen.header("thread-id") {
            Some("old") => response(200, &[EVENTS, ("x-models-etag", "\"v1\"")], ""),
            Some("new") => response(200, &[EVENTS, ("x-models-etag", "\"v2\"")], ""),
            _ => response(200, &[EVENTS], ""),
        },
    })
    .await;
    let (upstream, token) = (fake.upstream(), secret("t"));
    let stale = async |thread_id| {
        let answer = upstream.respond(Call { thread_id, ..call(Kind::Codex, &token) }).await.unwrap();
        upstream.is_stale(&account(), &answer)
    };
    assert!(stale("old").await, "none was fetched yet");
    models(&upstream, Kind::Codex).await.unwrap();
    assert_eq!((stale("old").await, stale("new").await, stale("silent").await), (false, true, false));
}

#[test]
fn our_name_is_our_own() {
    let options = Options::default();
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(options.version, version);
    let beginning = format!("codeferry/{version} (");
    assert!(options.user_agent.starts_with(&beginning) && options.user_agent.is_ascii(), "{}", options.user_agent);
    assert_eq!(options.idle_timeout, Duration::from_secs(300));
    // Making one connects nowhere and reads nothing, so it needs no runtime.
    drop(Upstream::new(Endpoints::default(), options, clock()));
}

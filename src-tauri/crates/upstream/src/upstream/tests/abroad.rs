//! Hosts that are not this machine: proxies, compression, certificates.
//!
//! What decides here is the environment, and a test must not change its own. So the test below starts this very test
//! program once more, with the environment it wants, to run one [`errand`] and say how it went.

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use codeferry_accounts::{AccountId, Kind};
use futures_util::{SinkExt as _, StreamExt as _};
use http::Version;
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_tungstenite::tungstenite::Message;

use super::{BODY, STREAM, call, whole};
use crate::testing::{EVENTS, Fake, clock, options, response, secret};
use crate::{Call, Endpoints, Line, Options, Seat, Upstream};

/// Where the errand goes: `kind address`, how many milliseconds a connection may take, and `socket` for a WebSocket.
const ERRAND: &str = "CODEFERRY_TEST_ERRAND";
const TESTDATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/transport/testdata");

/// Not a test of its own: sends one request where its environment says.
#[tokio::test]
#[ignore = "run by the other tests in this file"]
async fn errand() {
    let errand = std::env::var(ERRAND).expect("an errand");
    let mut words = errand.split(' ');
    let (kind, address) = words.next().zip(words.next()).expect("kind and address");
    let connect_timeout = words
        .next()
        .map_or(Options::default().connect_timeout, |ms| Duration::from_millis(ms.parse().expect("milliseconds")));
    let url: url::Url = address.parse().expect("an address");
    let endpoints = Endpoints { chatgpt: url.clone(), openai: url, ..Endpoints::default() };
    let upstream = Upstream::new(endpoints, Options { compress: true, connect_timeout, ..options() }, clock());
    let (kind, token) = (kind.parse::<Kind>().expect("a kind"), secret("at-SECRET"));
    let (line, account) = (Arc::new(Line::default()), AccountId::derive(kind, None, Some("someone")));
    let seat = words.next().map(|_| Seat { line: &line, account: &account });
    let answer = match upstream.respond(Call { seat, ..call(kind, &token) }).await {
        Ok(answer) if answer.message.is_some() => whole(answer).await.map(|text| format!("{text}over a WebSocket")),
        Ok(answer) => whole(answer).await,
        Err(failure) => Err(failure),
    };
    match answer {
        Ok(text) => println!("\nerrand: answered {}", text.escape_debug()),
        Err(failure) => println!("\nerrand: {} {failure}", failure.kind.name()),
    }
}

/// Runs the errand with nothing in its environment but this.
async fn run(errand: &str, environment: &[(&str, &str)]) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "upstream::tests::abroad::errand", "--ignored", "--nocapture"]);
    command.env_clear().env(ERRAND, errand).envs(environment.iter().copied()).stdin(Stdio::null());
    if let Some(root) = std::env::var_os("SystemRoot") {
        // Without it Windows opens no socket.
        command.env("SystemRoot", root);
    }
    let output = command.output().await.unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    let told = printed.lines().find_map(|line| line.strip_prefix("errand: "));
    told.unwrap_or_else(|| panic!("no word from the errand: {output:?}")).to_owned()
}

fn answered() -> String {
    format!("answered {}", STREAM.escape_debug())
}

/// The proxy is our server: it sees what would have gone to the host.
#[tokio::test]
async fn a_proxy_of_the_environment_is_used_and_bodies_abroad_are_compressed() {
    let proxy = Fake::start(|_| response(200, &[EVENTS], STREAM)).await;
    let environment = [("HTTP_PROXY", proxy.url.as_str())];
    assert_eq!(run("codex http://upstream.test/backend-api", &environment).await, answered());
    assert_eq!(run("plan http://upstream.test/v1", &environment).await, answered());
    let [codex, plan] = <[_; 2]>::try_from(proxy.seen()).unwrap();
    assert_eq!(codex.target, "http://upstream.test/backend-api/codex/responses");
    assert_eq!(codex.header("content-encoding"), Some("zstd"));
    assert_eq!(zstd::decode_all(&codex.body[..]).unwrap(), BODY.as_bytes());
    assert_eq!(plan.target, "http://upstream.test/v1/responses");
    assert_eq!((plan.header("content-encoding"), plan.text()), (None, BODY), "its own client does not compress");
}

#[tokio::test]
async fn no_proxy_stands_between_us_and_this_machine() {
    let proxy = Fake::start(|_| response(502, &[], "")).await;
    let here = Fake::start(|_| response(200, &[EVENTS], STREAM)).await;
    let environment = [("HTTP_PROXY", proxy.url.as_str()), ("ALL_PROXY", proxy.url.as_str())];
    assert_eq!(run(&format!("codex {}", here.url), &environment).await, answered());
    assert_eq!((proxy.seen().len(), here.only().text().to_owned()), (0, BODY.to_owned()));
}

/// A TLS server with a certificate that no system trusts.
struct Tls(TcpListener, TlsAcceptor);

impl Tls {
    async fn bind() -> (Self, String) {
        use rustls::pki_types::pem::PemObject as _;
        use rustls::pki_types::{CertificateDer, PrivateKeyDer};
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let chain = CertificateDer::pem_file_iter(format!("{TESTDATA}/server.pem")).unwrap();
        let key = PrivateKeyDer::from_pem_file(format!("{TESTDATA}/server.key.pem")).unwrap();
        let mut config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain.map(Result::unwrap).collect(), key)
            .unwrap();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://localhost:{}", listener.local_addr().unwrap().port());
        (Self(listener, TlsAcceptor::from(Arc::new(config))), url)
    }
}

impl axum::serve::Listener for Tls {
    type Io = TlsStream<TcpStream>;
    type Addr = std::net::SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let (stream, from) = self.0.accept().await.unwrap();
            // A client that does not trust us hangs up here.
            if let Ok(stream) = self.1.accept(stream).await {
                return (stream, from);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.0.local_addr()
    }
}

#[tokio::test]
async fn a_certificate_named_by_ssl_cert_file_is_trusted_and_http_2_is_spoken() {
    let (listener, url) = Tls::bind().await;
    let fake = Fake::serve(listener, &url, |_| response(200, &[EVENTS], STREAM));
    let errand = format!("codex {url}");
    let authority = format!("{TESTDATA}/ca.pem");
    assert_eq!(run(&errand, &[("SSL_CERT_FILE", &authority)]).await, answered());
    assert_eq!(fake.only().version, Version::HTTP_2);

    // Some other certificate: this one signed nothing.
    let stranger = format!("{TESTDATA}/server.pem");
    let refused = run(&errand, &[("SSL_CERT_FILE", &stranger)]).await;
    assert!(refused.starts_with("connect Cannot connect to localhost:"), "{refused}");
    assert!(refused.contains("SSL_CERT_FILE"), "says what helps: {refused}");

    let missing = run(&errand, &[("SSL_CERT_FILE", "/nowhere/ca.pem")]).await;
    assert!(missing.starts_with("protocol ") && missing.contains("SSL_CERT_FILE"), "{missing}");
    assert_eq!(fake.seen().len(), 1);
}

/// An answer over a WebSocket: two events.
async fn speak(stream: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin) {
    let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
    assert!(matches!(socket.next().await, Some(Ok(Message::Text(_)))));
    for event in [r#"{"type":"response.created"}"#, r#"{"type":"response.completed"}"#] {
        socket.send(Message::text(event)).await.unwrap();
    }
    while let Some(Ok(_)) = socket.next().await {}
}

fn over_a_socket() -> String {
    let events = "event: response.created\ndata: {\"type\":\"response.created\"}\n\n\
                  event: response.completed\ndata: {\"type\":\"response.completed\"}\n\nover a WebSocket";
    format!("answered {}", events.escape_debug())
}

/// The same certificates, though the host would rather speak HTTP/2.
#[tokio::test]
async fn a_socket_over_tls() {
    let (mut listener, url) = Tls::bind().await;
    let mut serving = JoinSet::new();
    serving.spawn(async move {
        let (stream, _) = axum::serve::Listener::accept(&mut listener).await;
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
        speak(stream).await;
    });
    let authority = format!("{TESTDATA}/ca.pem");
    let told = run(&format!("codex {url} 5000 socket"), &[("SSL_CERT_FILE", &authority)]).await;
    assert_eq!(told, over_a_socket());
}

/// The same proxy: it is asked for the host by its whole address.
#[tokio::test]
async fn a_socket_through_a_proxy() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = format!("http://{}", listener.local_addr().unwrap());
    let mut serving = JoinSet::new();
    serving.spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let mut begin = [0; 44];
        stream.peek(&mut begin).await.unwrap();
        assert_eq!(std::str::from_utf8(&begin).unwrap(), "GET http://upstream.test/v1/responses HTTP/1");
        speak(stream).await;
    });
    assert_eq!(run("plan http://upstream.test/v1 5000 socket", &[("HTTP_PROXY", &proxy)]).await, over_a_socket());
}

/// Somebody accepts the connection and then says nothing: the TLS handshake counts as connecting.
#[tokio::test]
async fn a_handshake_that_does_not_come_about_is_no_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let errand = format!("codex https://localhost:{} 100", listener.local_addr().unwrap().port());
    let authority = format!("{TESTDATA}/ca.pem");
    let told = run(&errand, &[("SSL_CERT_FILE", &authority)]).await;
    assert!(told.starts_with("connect Cannot connect to localhost:"), "{told}");
}

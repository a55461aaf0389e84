//! The way over a WebSocket, against hosts that are played by hand: down to the bytes of a frame.

use std::sync::Arc;
use std::time::Duration;

use codeferry_accounts::{AccountId, Kind};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};
use tokio_tungstenite::{WebSocketStream, accept_async};

use super::{STREAM, call, whole};
use crate::testing::{clock, options, secret};
use crate::transport::socket::Handshake;
use crate::{Answer, Call, Endpoints, Failure, FailureKind, Line, Seat, Upstream};

const CREATED: &str = r#"{"type":"response.created","response":{"id":"resp_1"}}"#;
const COMPLETED: &str = r#"{"type":"response.completed","response":{"id":"resp_1"}}"#;

/// An upstream whose connections are played one by one.
async fn host<T>(play: impl Fn(usize, TcpStream) -> T + Send + 'static) -> (Upstream, JoinSet<()>)
where
    T: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url: url::Url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let endpoints = Endpoints { chatgpt: url.clone(), openai: url, ..Endpoints::default() };
    let mut serving = JoinSet::new();
    serving.spawn(async move {
        let mut playing = JoinSet::new();
        for number in 0.. {
            let (stream, _) = listener.accept().await.unwrap();
            playing.spawn(play(number, stream));
        }
    });
    (Upstream::new(endpoints, options(), clock()), serving)
}

/// A request over a line of the account of this name.
async fn ask(upstream: &Upstream, line: &Arc<Line>) -> Result<Answer, Failure> {
    let (account, token) = (AccountId::derive(Kind::Codex, None, Some("someone")), secret("at-SECRET"));
    upstream.respond(Call { seat: Some(Seat { line, account: &account }), ..call(Kind::Codex, &token) }).await
}

/// Reads a head, and a body if there is one, and gives its first line.
async fn head(stream: &mut TcpStream) -> (String, Option<String>) {
    let mut text = String::new();
    while !text.contains("\r\n\r\n") {
        let mut piece = [0; 4096];
        let length = stream.read(&mut piece).await.unwrap();
        text.push_str(std::str::from_utf8(&piece[..length]).unwrap());
    }
    let key = text.lines().find_map(|line| line.strip_prefix("sec-websocket-key: ")).map(str::to_owned);
    (text.lines().next().unwrap().to_owned(), key)
}

async fn answer_over_http(mut stream: TcpStream) {
    assert!(head(&mut stream).await.0.starts_with("POST "));
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n{STREAM}");
    stream.write_all(answer.as_bytes()).await.unwrap();
    stream.shutdown().await.unwrap();
    let _ = stream.read_to_end(&mut Vec::new()).await;
}

/// A handshake, after which bytes are written as they are.
async fn raw(mut stream: TcpStream, then: &[&[u8]]) {
    let (_, key) = head(&mut stream).await;
    let accept = tokio_tungstenite::tungstenite::handshake::derive_accept_key(key.unwrap().as_bytes());
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: {accept}\r\n\r\n"
    );
    stream.write_all(answer.as_bytes()).await.unwrap();
    for bytes in then {
        stream.write_all(bytes).await.unwrap();
    }
    let _ = stream.read_to_end(&mut Vec::new()).await;
}

/// A text frame of a server.
fn frame(text: &str) -> Vec<u8> {
    let mut frame = vec![0x81, 126];
    frame.extend_from_slice(&u16::try_from(text.len()).unwrap().to_be_bytes());
    frame.extend_from_slice(text.as_bytes());
    frame
}

#[tokio::test]
async fn who_has_not_read_the_handshake_is_no_socket() {
    let (upstream, _host) = host(|number, mut stream| async move {
        if number > 0 {
            return answer_over_http(stream).await;
        }
        assert_eq!(head(&mut stream).await.0, "GET /codex/responses HTTP/1.1");
        let answer = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
                      sec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
        stream.write_all(answer.as_bytes()).await.unwrap();
        let _ = stream.read_to_end(&mut Vec::new()).await;
    })
    .await;
    let answer = ask(&upstream, &Arc::default()).await.unwrap();
    assert_eq!(whole(answer).await.unwrap(), STREAM);
    let mut headers = http::HeaderMap::new();
    let handshake = Handshake::add(&mut headers);
    assert!(!handshake.is_answered(http::StatusCode::OK, &headers), "{headers:?}");
}

/// What is no WebSocket before the first event goes over HTTP; behind it, the answer broke off.
#[tokio::test]
async fn frames_that_are_none() {
    let reserved: &[u8] = &[0x83, 0];
    let masked: &[u8] = &[0x81, 0x81, 1, 2, 3, 4, 5];
    let no_text: &[u8] = &[0x81, 2, 0xc3, 0x28];
    let oversized: &[u8] = &[0x81, 127, 0, 0, 0, 1, 0, 0, 0, 0];
    let binary: &[u8] = &[0x82, 1, 0];
    for bad in [reserved, masked, no_text, oversized, binary] {
        let (upstream, _host) = host(move |number, stream| async move {
            if number == 0 { raw(stream, &[bad]).await } else { answer_over_http(stream).await }
        })
        .await;
        let answer = ask(&upstream, &Arc::default()).await.unwrap();
        assert!(answer.message.is_none(), "{bad:x?}");
        assert_eq!(whole(answer).await.unwrap(), STREAM, "{bad:x?}");

        let (upstream, _host) = host(move |_, stream| async move { raw(stream, &[&frame(CREATED), bad]).await }).await;
        let mut answer = ask(&upstream, &Arc::default()).await.unwrap();
        let first = answer.body.chunk().await.unwrap().unwrap();
        assert_eq!(first, format!("event: response.created\ndata: {CREATED}\n\n"));
        let failure = answer.body.chunk().await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::CutOff, "{bad:x?}: {failure}");
        assert_eq!(answer.body.chunk().await.unwrap(), None, "{bad:x?}");
    }
}

/// An event may come in pieces, pings in between are answered, and events that are there together go on together.
#[tokio::test]
async fn an_event_in_pieces() {
    let (upstream, _host) = host(|_, stream| async move {
        let mut socket = accept_async(stream).await.unwrap();
        assert!(matches!(socket.next().await, Some(Ok(Message::Text(_)))));
        let (one, two) = CREATED.split_at(20);
        let piece = |text: &'static str, code, last| Message::Frame(Frame::message(text, OpCode::Data(code), last));
        socket.send(piece(one, Data::Text, false)).await.unwrap();
        socket.send(Message::Ping("there?".into())).await.unwrap();
        socket.send(piece(two, Data::Continue, true)).await.unwrap();
        socket.send(Message::text(r#"{"type":"codex.rate_limits","rate_limits":{}}"#)).await.unwrap();
        assert_eq!(socket.next().await.unwrap().unwrap(), Message::Pong("there?".into()));
        socket.send(Message::text(COMPLETED)).await.unwrap();
        while socket.next().await.is_some() {}
    })
    .await;
    let line = Arc::new(Line::default());
    let answer = ask(&upstream, &line).await.unwrap();
    let sent = answer.message.clone().unwrap();
    assert_eq!(sent, &br#"{"type":"response.create","model":"gpt-6.1-sol","stream":true}"#[..]);
    let text = whole(answer).await.unwrap();
    let names: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("event: ")).collect();
    assert_eq!(names, ["response.created", "codex.rate_limits", "response.completed"]);
    assert!(format!("{line:?}").contains("Held"), "the connection is kept: {line:?}");
}

async fn begun(stream: TcpStream) -> WebSocketStream<TcpStream> {
    let mut socket = accept_async(stream).await.unwrap();
    assert!(matches!(socket.next().await, Some(Ok(Message::Text(_)))));
    socket.send(Message::text(CREATED)).await.unwrap();
    socket
}

/// A host that thinks answers pings; one that is gone does not, and that is noticed within a minute.
#[tokio::test(start_paused = true)]
async fn signs_of_life() {
    let (upstream, _host) = host(|number, stream| async move {
        let mut socket = begun(stream).await;
        if number == 0 {
            std::future::pending::<()>().await;
        }
        while socket.next().await.is_some() {}
    })
    .await;
    for (patience, kind) in [(50, FailureKind::CutOff), (600, FailureKind::Timeout)] {
        let mut answer = ask(&upstream, &Arc::default()).await.unwrap();
        answer.body.chunk().await.unwrap();
        let silent = Instant::now();
        let failure = answer.body.chunk().await.unwrap_err();
        assert_eq!((failure.kind.clone(), silent.elapsed().as_secs()), (kind, patience), "{failure}");
    }
}

/// It may well be running, so it is not sent again; the next one goes over HTTP.
#[tokio::test(start_paused = true)]
async fn a_socket_that_swallows_what_it_is_sent() {
    let (upstream, _host) = host(|number, stream| async move {
        if number > 0 {
            return answer_over_http(stream).await;
        }
        let mut socket = accept_async(stream).await.unwrap();
        while socket.next().await.is_some() {}
    })
    .await;
    let line = Arc::default();
    let asked = Instant::now();
    let failure = ask(&upstream, &line).await.unwrap_err();
    assert_eq!((failure.kind, asked.elapsed().as_secs()), (FailureKind::Timeout, 300));
    assert_eq!(whole(ask(&upstream, &line).await.unwrap()).await.unwrap(), STREAM);
    assert!(asked.elapsed() < Duration::from_secs(310));
}

/// Some hosts go on behind an end: that is no beginning of the next answer.
#[tokio::test]
async fn what_is_left_of_the_answer_before() {
    let (upstream, _host) = host(|_, stream| async move {
        let mut socket = begun(stream).await;
        for event in [COMPLETED, r#"{"type":"response.output_text.delta","delta":"late"}"#, COMPLETED] {
            socket.send(Message::text(event)).await.unwrap();
        }
        assert!(matches!(socket.next().await, Some(Ok(Message::Text(_)))));
        for event in [CREATED, COMPLETED] {
            socket.send(Message::text(event.replace("resp_1", "resp_2"))).await.unwrap();
        }
        while socket.next().await.is_some() {}
    })
    .await;
    let line = Arc::default();
    assert!(whole(ask(&upstream, &line).await.unwrap()).await.unwrap().contains("resp_1"));
    let second = whole(ask(&upstream, &line).await.unwrap()).await.unwrap();
    assert!(second.starts_with("event: response.created") && !second.contains("resp_1"), "{second}");
}

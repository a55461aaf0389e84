//! The WebSocket of the model hosts: what it refuses, and what it keeps.

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::{Stage, request, user};
use crate::{HandshakeFault, Outcome, Route};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

const BETA: &str = "responses_websockets=2026-02-06";

async fn shake(stage: &Stage, base: &str, headers: &[(&'static str, &str)]) -> Result<Socket, u16> {
    let mut asked = format!("{}/responses", base.replace("http", "ws")).into_client_request().expect("an address");
    let bearer = format!("Bearer {}", stage.account.access_token);
    let own = [("authorization", bearer.as_str()), ("user-agent", "codeferry/0.1.0"), ("originator", "codeferry")];
    let own = own.iter().chain(&[("session-id", "s-1"), ("thread-id", "s-1"), ("x-client-request-id", "s-1")]);
    for (name, value) in own.chain(headers) {
        asked.headers_mut().insert(*name, value.parse().expect("a header"));
    }
    match connect_async(asked).await {
        Ok((socket, _)) => Ok(socket),
        Err(Error::Http(response)) => Err(response.status().as_u16()),
        Err(_) => Err(0),
    }
}

async fn codex(stage: &Stage) -> Socket {
    let base = format!("{}/codex", stage.demo.chatgpt_url());
    shake(stage, &base, &[("openai-beta", BETA)]).await.expect("a socket")
}

fn create(body: &Value) -> Value {
    let mut body = body.clone();
    body["type"] = json!("response.create");
    body
}

async fn ask(socket: &mut Socket, body: &Value) -> Vec<Value> {
    socket.send(Message::text(body.to_string())).await.expect("it is open");
    let mut events: Vec<Value> = Vec::new();
    while let Some(Ok(message)) = socket.next().await {
        let Message::Text(text) = message else { continue };
        events.push(serde_json::from_str(&text).unwrap_or_default());
        let kind = events.last().map_or("", |event| event["type"].as_str().unwrap_or_default());
        if matches!(kind, "response.completed" | "response.failed" | "response.incomplete" | "error") {
            break;
        }
    }
    events
}

#[tokio::test]
async fn a_handshake_needs_what_the_hosts_need() {
    let stage = Stage::open().await;
    let base = format!("{}/codex", stage.demo.chatgpt_url());
    assert_eq!(shake(&stage, &base, &[]).await.err(), Some(400), "no beta header");
    assert_eq!(shake(&stage, &base, &[("openai-beta", "responses=experimental")]).await.err(), Some(400));
    assert_eq!(stage.demo.violations().len(), 2);
    assert_eq!(shake(&stage, &base, &[("openai-beta", BETA), ("authorization", "Bearer x")]).await.err(), Some(401));
    shake(&stage, &stage.demo.openai_url(), &[]).await.expect("the plan host takes a bearer alone");
    for (fault, status) in
        [(HandshakeFault::Status(426), 426), (HandshakeFault::Limit, 429), (HandshakeFault::Reset, 0)]
    {
        stage.demo.fail_handshakes(Some(fault));
        assert_eq!(shake(&stage, &base, &[("openai-beta", BETA)]).await.err(), Some(status), "{fault:?}");
    }
    stage.demo.fail_handshakes(None);
    let plain = stage.http.get(format!("{base}/responses")).send().await.expect("an answer");
    assert_eq!(plain.status(), 405);
}

#[tokio::test]
async fn a_connection_keeps_its_last_response() {
    let stage = Stage::open().await;
    let (mut socket, mut other) = (codex(&stage).await, codex(&stage).await);
    let first = ask(&mut socket, &create(&request("[[demo:text one]]"))).await;
    let id = first.last().expect("an end")["response"]["id"].clone();
    let mut next = create(&request("[[demo:text two]]"));
    next["previous_response_id"] = id.clone();
    let forgotten = ask(&mut other, &next).await;
    assert_eq!(forgotten[0]["error"]["code"], "previous_response_not_found", "it is another connection's");
    assert_eq!(ask(&mut socket, &next).await.last().expect("an end")["type"], "response.completed");
    assert_eq!(ask(&mut socket, &next).await[0]["error"]["code"], "previous_response_not_found", "the last alone");
    let all = stage.demo.model_requests();
    let kinds: Vec<_> = all[1].json()["input"].as_array().expect("a list").iter().map(|item| &item["role"]).collect();
    assert_eq!(kinds, ["user", "assistant", "user"], "on record is what it stands for");
    assert_eq!(
        serde_json::from_slice::<Value>(&all[1].body).expect("JSON")["input"],
        json!([user("[[demo:text two]]")])
    );
    assert_eq!(all[0].socket, all[1].socket);
    let mut warm = create(&request(""));
    (warm["generate"], warm["input"]) = (json!(false), json!([]));
    assert_eq!(ask(&mut other, &warm).await.len(), 2);
    assert_eq!(stage.demo.model_requests().len(), 2, "nothing was generated");
}

#[tokio::test]
async fn what_is_no_request_is_refused() {
    let stage = Stage::open().await;
    let mut socket = codex(&stage).await;
    for wrong in [json!({"type": "response.cancel"}), json!([]), json!({"model": "gpt-5.5"})] {
        assert_eq!(ask(&mut socket, &wrong).await[0]["status"], 400, "{wrong}");
    }
    assert_eq!(
        ask(&mut socket, &create(&json!({"model": "gpt-5.5"}))).await[0]["detail"],
        "Store must be set to false"
    );
    let limited = ask(&mut socket, &create(&request("[[demo:limit]]"))).await.remove(0);
    assert_eq!((&limited["status"], &limited["error"]["type"]), (&json!(429), &json!("usage_limit_reached")));
    assert_eq!(limited["headers"]["x-codex-primary-used-percent"], "100");
    socket.send(Message::binary(vec![1])).await.expect("it is open");
    let close = loop {
        match socket.next().await {
            Some(Ok(Message::Close(Some(close)))) => break close,
            Some(Ok(_)) => {}
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(u16::from(close.code), 1003);
    let ended = |all: &[crate::Recorded]| {
        all.iter().any(|request| request.route == Route::Socket && request.outcome == Outcome::Aborted)
    };
    stage.demo.wait_until(ended).await;
}

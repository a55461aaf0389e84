//! A client that comes over a WebSocket, as a Codex does.

use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::World;

/// Longer than anything here takes on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A client's side of a connection.
pub struct Client(pub WebSocketStream<MaybeTlsStream<TcpStream>>);

/// A handshake with these headers; the status of a refusal.
pub async fn shake(world: &World, headers: &[(&'static str, &str)]) -> Result<Client, u16> {
    let mut request =
        format!("{}/v1/responses", world.url().replace("http://", "ws://")).into_client_request().expect("an address");
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().expect("a header"));
    }
    match connect_async(request).await {
        Ok((stream, _)) => Ok(Client(stream)),
        Err(Error::Http(response)) => Err(response.status().as_u16()),
        Err(error) => unreachable!("{error}"),
    }
}

/// A connection with the world's key.
pub async fn connect(world: &World) -> Client {
    let key = format!("Bearer {}", world.key);
    shake(world, &[("authorization", &key), ("originator", "codex_exec")]).await.expect("a connection")
}

/// What a person says.
pub fn user(text: &str) -> Value {
    json!({"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]})
}

/// A request as a Codex makes it.
pub fn create(input: &[Value], previous: Option<&str>) -> Value {
    let mut body = json!({
        "type": "response.create",
        "model": "gpt-5.5",
        "stream": true,
        "input": input,
        "tool_choice": "auto",
        "parallel_tool_calls": true,
        "store": false,
        "include": ["reasoning.encrypted_content"],
        "prompt_cache_key": "01a1f6d2-7e3c-7953-802e-421805dbd2e2",
        "client_metadata": {"session_id": "s-1", "turn_id": "t-1", "ws_request_header_x_any": "true"},
    });
    if let Some(previous) = previous {
        body["previous_response_id"] = json!(previous);
    }
    body
}

impl Client {
    /// Sends a message.
    pub async fn send(&mut self, body: &Value) {
        self.0.send(Message::text(body.to_string())).await.expect("it is open");
    }

    /// The next event; pings are not events.
    pub async fn event(&mut self) -> Value {
        loop {
            match timeout(PATIENCE, self.0.next())
                .await
                .expect("something comes")
                .expect("it is open")
                .expect("a message")
            {
                Message::Text(text) => return serde_json::from_str(&text).expect("JSON"),
                Message::Ping(_) | Message::Pong(_) => {}
                other => unreachable!("{other:?}"),
            }
        }
    }

    /// Everything up to the end of a response.
    pub async fn response(&mut self) -> Vec<Value> {
        let mut events = Vec::new();
        loop {
            let event = self.event().await;
            let last = matches!(
                event["type"].as_str().expect("a text"),
                "response.completed" | "response.incomplete" | "response.failed" | "error"
            );
            events.push(event);
            if last {
                return events;
            }
        }
    }

    /// Asks, and gives the text and the id of the response.
    pub async fn ask(&mut self, body: &Value) -> (String, String) {
        self.send(body).await;
        let events = self.response().await;
        let last = events.last().expect("an end");
        assert_eq!(last["type"], "response.completed", "{last}");
        (text(&events), last["response"]["id"].as_str().expect("a text").to_owned())
    }

    /// How the gateway says goodbye.
    pub async fn farewell(&mut self) -> Option<CloseFrame> {
        loop {
            match timeout(PATIENCE, self.0.next()).await.expect("something comes") {
                Some(Ok(Message::Close(frame))) => return frame,
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return None,
            }
        }
    }
}

/// The text of an answer.
pub fn text(events: &[Value]) -> String {
    let delta = |event: &&Value| event["type"] == "response.output_text.delta";
    events.iter().filter(delta).map(|event| event["delta"].as_str().expect("a text")).collect()
}

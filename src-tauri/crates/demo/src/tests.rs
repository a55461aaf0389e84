//! The demo over real HTTP on loopback, as its clients meet it.

use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

use crate::{Demo, DemoAccount, Options};

mod assistant;
mod browser;
mod device;
mod faults;
mod gate;
mod id_token;
mod items;
mod record;
mod refresh;
mod sign_in;
mod socket;
mod stream;
mod wham;

/// A demo, somebody signed in, and a client.
struct Stage {
    demo: Demo,
    account: DemoAccount,
    http: reqwest::Client,
}

impl Stage {
    async fn open() -> Self {
        Self::with(Options::default()).await
    }

    async fn with(options: Options) -> Self {
        // Only plain HTTP is spoken here, but the client wants a provider all the same.
        drop(rustls::crypto::ring::default_provider().install_default());
        let demo = Demo::start(options).await.expect("a free port");
        let account = demo.account("ann");
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        Self { demo, account, http }
    }

    fn codex(&self) -> reqwest::RequestBuilder {
        self.http
            .post(format!("{}/codex/responses", self.demo.chatgpt_url()))
            .bearer_auth(&self.account.access_token)
            .header("user-agent", "codeferry/0.1.0")
            .header("originator", "codeferry")
            .header("chatgpt-account-id", &self.account.account_id)
            .header("session-id", "s-1")
            .header("thread-id", "s-1")
            .header("x-client-request-id", "s-1")
    }

    fn plan(&self) -> reqwest::RequestBuilder {
        self.http
            .post(format!("{}/responses", self.demo.openai_url()))
            .bearer_auth(&self.account.access_token)
            .header("user-agent", "codeferry/0.1.0")
    }

    async fn ask(&self, body: &Value) -> Answer {
        Answer::of(self.codex().json(body).send().await.expect("an answer")).await
    }

    async fn ask_plan(&self, body: &Value) -> Answer {
        Answer::of(self.plan().json(body).send().await.expect("an answer")).await
    }

    /// The answer to a single user text.
    async fn say(&self, text: &str) -> Answer {
        self.ask(&request(text)).await
    }
}

/// A whole answer. `cut` says that the body did not end well.
struct Answer {
    status: StatusCode,
    headers: reqwest::header::HeaderMap,
    text: String,
    cut: bool,
}

impl Answer {
    async fn of(mut response: Response) -> Self {
        let (status, headers) = (response.status(), response.headers().clone());
        let mut bytes = Vec::new();
        let cut = loop {
            match response.chunk().await {
                Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
                Ok(None) => break false,
                Err(_) => break true,
            }
        };
        Self { status, headers, text: String::from_utf8(bytes).expect("UTF-8"), cut }
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.text).expect("a JSON body")
    }

    /// The events of the stream; what is not JSON is left out.
    fn events(&self) -> Vec<Value> {
        self.text
            .lines()
            .filter_map(|line| line.strip_prefix("data: "))
            .filter_map(|data| serde_json::from_str(data).ok())
            .collect()
    }

    fn kinds(&self) -> Vec<String> {
        self.events().iter().map(|event| event["type"].as_str().expect("a type").to_owned()).collect()
    }

    /// The finished output items.
    fn items(&self) -> Vec<Value> {
        self.events()
            .into_iter()
            .filter(|event| event["type"] == "response.output_item.done")
            .map(|mut event| event["item"].take())
            .collect()
    }

    /// All text deltas in a row.
    fn said(&self) -> String {
        self.events()
            .iter()
            .filter(|event| event["type"] == "response.output_text.delta")
            .map(|event| event["delta"].as_str().expect("a text"))
            .collect()
    }

    fn last(&self) -> Value {
        self.events().pop().expect("at least one event")
    }

    fn usage(&self) -> Value {
        self.last()["response"]["usage"].take()
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }
}

/// A request the gate lets through.
fn request(text: &str) -> Value {
    json!({
        "model": "gpt-5.5",
        "stream": true,
        "store": false,
        "instructions": "Be brief.",
        "input": [user(text)],
        "include": ["reasoning.encrypted_content"],
        "reasoning": {"effort": "low", "summary": "auto"},
    })
}

fn user(text: &str) -> Value {
    json!({"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]})
}

fn bash() -> Value {
    json!({
        "type": "function",
        "name": "Bash",
        "strict": false,
        "parameters": {"type": "object", "required": ["command"], "properties": {"command": {"type": "string"}}},
    })
}

fn with_tools(text: &str, tools: Vec<Value>) -> Value {
    let mut body = request(text);
    body["tools"] = json!(tools);
    body
}

/// Appends what the model said and what the tools answered, as a client would.
fn follow_up(body: &mut Value, answer: &Answer) {
    let input = body["input"].as_array_mut().expect("a list");
    let items = answer.items();
    let outputs: Vec<Value> = items
        .iter()
        .filter(|item| item["type"] == "function_call")
        .map(|item| json!({"type": "function_call_output", "call_id": item["call_id"], "output": format!("ran {}", item["arguments"])}))
        .collect();
    input.extend(items);
    input.extend(outputs);
}

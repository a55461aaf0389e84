//! How each request goes on from the last one of its conversation, as the request log tells it.

use codeferry_demo::AccountKind;
use codeferry_store::log::{Filter, Found, Prefix};
use codeferry_tests::{Setup, World};
use reqwest::Method;
use serde_json::{Value, json};

const SESSION: &str = "5f0d9a4e-0000-4000-8000-000000000002";

/// A conversation with tools, as Claude Code keeps it.
struct Talk {
    body: Value,
    agent: Option<&'static str>,
}

impl Talk {
    fn new() -> Self {
        let body = json!({
            "model": "claude-opus-4-8",
            "max_tokens": 1000,
            "system": [
                {"type": "text", "text": "x-anthropic-billing-header: cc_version=2.1.197.abc; cc_entrypoint=cli;"},
                {"type": "text", "text": "You are careful.", "cache_control": {"type": "ephemeral"}},
            ],
            "tools": [{"name": "Read", "input_schema": {"type": "object"}}],
            "messages": [],
        });
        Self { body, agent: None }
    }

    fn says(&mut self, text: &str) -> &mut Self {
        self.push(json!({"role": "user", "content": [{"type": "text", "text": text}]}))
    }

    fn hears(&mut self, text: &str) -> &mut Self {
        self.push(json!({"role": "assistant", "content": [{"type": "text", "text": text}]}))
    }

    fn push(&mut self, message: Value) -> &mut Self {
        self.body["messages"].as_array_mut().unwrap().push(message);
        self
    }

    /// Sends it; what the log has of it then.
    async fn send(&self, world: &World) -> Found {
        let mut request = world.post("/v1/messages").header("x-claude-code-session-id", SESSION);
        if let Some(agent) = self.agent {
            request = request.header("x-claude-code-agent-id", agent);
        }
        let answer = request.json(&self.body).send().await.expect("an answer");
        let id = answer.headers()["request-id"].to_str().unwrap().to_owned();
        answer.text().await.expect("a body");
        let log = world.gateway.log().clone();
        let found = tokio::task::spawn_blocking(move || log.page(&Filter::default(), None, 1)).await.unwrap().unwrap();
        let found = found.exchanges.into_iter().next().expect("a row");
        assert_eq!(found.exchange.id, id);
        found
    }

    async fn prefix(&self, world: &World) -> Prefix {
        self.send(world).await.exchange.prefix.expect("it is noted")
    }
}

fn prefix(broke: impl Into<Option<&'static str>>, item: impl Into<Option<u32>>, items: u32, turn: u32) -> Prefix {
    Prefix { broke: broke.into().map(str::to_owned), item: item.into(), items, turn }
}

#[tokio::test]
async fn each_part_that_changes_is_named() {
    let world = World::start().await;
    let mut talk = Talk::new();
    assert_eq!(talk.says("one").prefix(&world).await, prefix(None, None, 1, 0));

    // The first block of Claude Code's system prompt is another one each time, and the marks of its cache move.
    talk.body["system"][0]["text"] = json!("x-anthropic-billing-header: cc_version=2.1.197.def; cc_entrypoint=cli;");
    talk.body["system"][1].as_object_mut().unwrap().remove("cache_control");
    let found = talk.hears("1").says("two").send(&world).await.exchange;
    assert_eq!(found.prefix, Some(prefix(None, None, 3, 1)));
    let tokens = found.tokens.unwrap();
    assert!(tokens.cached * 2 > tokens.input, "{tokens:?}");

    talk.body["tools"].as_array_mut().unwrap().push(json!({"name": "Late", "input_schema": {"type": "object"}}));
    assert_eq!(talk.hears("2").says("three").prefix(&world).await, prefix("tools", None, 5, 2));
    talk.body["system"][1]["text"] = json!("You are quick.");
    assert_eq!(talk.hears("3").says("four").prefix(&world).await, prefix("system", None, 7, 3));
    talk.body["messages"][2]["content"][0]["text"] = json!("another two");
    assert_eq!(talk.hears("4").says("five").prefix(&world).await, prefix("message", 2, 9, 4));
    talk.body["model"] = json!("claude-haiku-4-5");
    assert_eq!(talk.hears("5").says("six").prefix(&world).await, prefix("model", None, 11, 5));
    talk.body["output_config"] = json!({"format": {"type": "json_schema", "schema": {"type": "object", "properties": {}, "additionalProperties": false}}});
    assert_eq!(talk.hears("6").says("seven").prefix(&world).await, prefix("format", None, 13, 6));
    let summary = json!([{"role": "user", "content": "It was about numbers."}]);
    talk.body["messages"] = summary;
    assert_eq!(talk.prefix(&world).await, prefix("compacted", 0, 1, 7));
    assert_eq!(talk.hears("7").says("eight").prefix(&world).await, prefix(None, None, 3, 8));
    talk.body["messages"].as_array_mut().unwrap().pop();
    assert_eq!(talk.says("eight, or nine").prefix(&world).await, prefix("rewound", 2, 3, 9));
}

#[tokio::test]
async fn a_chat_goes_on_from_where_it_was() {
    let world = World::start().await;
    let mut body = json!({"model": "codex-5", "prompt_cache_key": "a-talk", "messages": [
        {"role": "system", "content": "You are careful."}, {"role": "user", "content": "one"}]});
    let send = async |body: &Value| {
        let answer = world.post("/v1/chat/completions").json(body).send().await.expect("an answer");
        answer.text().await.expect("a body");
        let log = world.gateway.log().clone();
        let found = tokio::task::spawn_blocking(move || log.page(&Filter::default(), None, 1)).await.unwrap().unwrap();
        found.exchanges.into_iter().next().expect("a row").exchange.prefix.expect("it is noted")
    };
    assert_eq!(send(&body).await, prefix(None, None, 1, 0));
    let push = |body: &mut Value, role: &str, text: &str| {
        body["messages"].as_array_mut().unwrap().push(json!({"role": role, "content": text}));
    };
    push(&mut body, "assistant", "1");
    push(&mut body, "user", "two");
    assert_eq!(send(&body).await, prefix(None, None, 3, 1));
    body["messages"][0]["content"] = json!("You are quick.");
    push(&mut body, "assistant", "2");
    push(&mut body, "user", "three");
    assert_eq!(send(&body).await, prefix("system", None, 5, 2));
}

#[tokio::test]
async fn what_stands_beside_a_conversation_does_not_break_it() {
    let world = World::start().await;
    let mut talk = Talk::new();
    talk.says("one").send(&world).await;
    let mut title = Talk::new();
    title.body["system"] = json!("Give it a title.");
    title.body["tools"] = json!([]);
    assert_eq!(title.says("one, in short").prefix(&world).await, prefix("beside", None, 1, 1));
    assert_eq!(talk.hears("1").says("two").prefix(&world).await, prefix(None, None, 3, 2));
    // A subagent is a conversation of its own.
    let mut agent = Talk { agent: Some("agent-1"), ..Talk::new() };
    assert_eq!(agent.says("look around").prefix(&world).await, prefix(None, None, 1, 0));
    assert_eq!(talk.hears("2").says("three").prefix(&world).await, prefix(None, None, 5, 3));
}

/// Another account pays: its cache knows nothing, and reasoning that the first one sealed is not shown to it. The cause is
/// the account, and after that all goes on.
#[tokio::test]
async fn another_account_is_the_cause_of_what_it_changes() {
    let world = World::with(Setup { kind: AccountKind::Codex, ..Setup::default() }).await;
    let mut talk = Talk::new();
    talk.body["thinking"] = json!({"type": "adaptive"});
    talk.says("[[demo:reasoning Think.]][[demo:text One.]]");
    let answer = world.post("/v1/messages").header("x-claude-code-session-id", SESSION).json(&talk.body);
    let answer: Value = answer.send().await.unwrap().json().await.unwrap();
    assert!(answer["content"].as_array().unwrap().len() > 1, "{answer}");
    talk.push(json!({"role": "assistant", "content": answer["content"]}));
    assert_eq!(talk.says("two").prefix(&world).await, prefix(None, None, 4, 1));

    world.add(AccountKind::Codex, "home").await;
    world.gateway.pool().switch("home@demo.test").await.unwrap();
    assert_eq!(talk.hears("2").says("three").prefix(&world).await, prefix("account", None, 5, 2));
    assert_eq!(talk.hears("3").says("four").prefix(&world).await, prefix(None, None, 7, 3));
}

/// What was not answered was not read: it says nothing of a cache.
#[tokio::test]
async fn a_refused_request_is_not_remembered() {
    let world = World::start().await;
    let mut talk = Talk::new();
    let refused = talk.says("[[demo:overflow status]]").send(&world).await.exchange;
    assert_eq!((refused.status, refused.prefix), (Some(400), None));
    let mut talk = Talk::new();
    assert_eq!(talk.says("one").prefix(&world).await, prefix(None, None, 1, 0));
    // Tried twice, told once.
    talk.hears("1").says("[[demo:500]]");
    assert_eq!(talk.prefix(&world).await, prefix(None, None, 3, 1));
}

/// What the control plane tells of conversations: in a list, and turn by turn.
#[tokio::test]
async fn conversations_are_told_turn_by_turn() {
    let world = World::start().await;
    let mut talk = Talk::new();
    // Long enough for a cache.
    talk.body["system"][1]["text"] = json!("You are careful. ".repeat(400));
    talk.says("one").send(&world).await;
    talk.body["temperature"] = json!(0.5);
    talk.hears("1").says("two").send(&world).await;
    for turn in 0..3 {
        talk.body["tools"] = json!([{"name": format!("Tool{turn}"), "input_schema": {"type": "object"}}]);
        talk.hears("so").says(&format!("more {turn}")).send(&world).await;
    }
    let mut agent = Talk { agent: Some("agent-1"), ..Talk::new() };
    agent.says("look around").send(&world).await;
    talk.says("[[demo:overflow status]]").send(&world).await;

    let list = world.ask(Method::GET, "/conversations", json!({})).await;
    let all = list["conversations"].as_array().unwrap();
    assert_eq!(all.len(), 2, "{list}");
    let main = &all[0];
    assert_eq!(main["conversation"], SESSION);
    assert_eq!((&main["client"], &main["model"]), (&json!("test"), &json!("gpt-6.1-sol")));
    assert_eq!((&main["requests"], &main["followed"], &main["breaks"]), (&json!(6), &json!(4), &json!({"tools": 3})));
    let remark = "breaks at tools in 3 of 4 turns: the client sends other tools each time, or in another order";
    assert_eq!(main["remark"], remark);
    assert!(main["cached_percent"].as_f64().unwrap() > 0.0);
    assert_eq!((&all[1]["requests"], &all[1]["remark"]), (&json!(1), &json!(null)));
    assert_eq!(world.ask(Method::GET, "/conversations?since=1&until=2", json!({})).await["conversations"], json!([]));
    assert_eq!(world.ask(Method::GET, "/conversations?limit=1", json!({})).await["conversations"], json!([main]));

    let one = world.ask(Method::GET, &format!("/conversations/{}", &SESSION[..8]), json!({})).await;
    assert_eq!((&one["conversation"], &one["remark"]), (&json!(SESSION), &json!(remark)));
    let turns = one["turns"].as_array().unwrap();
    let told: Vec<_> = turns.iter().map(|turn| turn["explanation"].as_str().unwrap()).collect();
    let tools = "tools changed: they and the history were read anew";
    assert_eq!(
        told,
        [
            "the first request",
            "went on; what was sent before came from the cache",
            tools,
            tools,
            tools,
            "no answer began, so no cache has it",
        ]
    );
    assert_eq!(turns[1]["losses"], json!(["temperature"]));
    assert_eq!(turns[2]["prefix"], json!({"broke": "tools", "items": 5, "turn": 2}));
    assert_eq!(turns[1]["account_name"], "work@demo.test");
    assert!(turns[1]["cached_percent"].as_f64().unwrap() > 50.0 && turns[1]["pause_seconds"].is_number(), "{one}");

    for (path, status, code) in [
        ("/conversations/nobody", 404, "unknown_conversation"),
        ("/conversations?since=soon", 400, "bad_parameter"),
        ("/conversations?colour=red", 400, "bad_parameter"),
        ("/conversations?limit=0", 400, "bad_parameter"),
    ] {
        let (got, refused) = world.ask_refused(Method::GET, path, json!({})).await;
        assert_eq!((got, refused["code"].as_str().unwrap()), (status, code), "{path}: {refused}");
    }
    let twin = SESSION.replace("000000000002", "000000000003");
    let twin = world.post("/v1/messages").header("x-claude-code-session-id", twin).json(&agent.body);
    twin.send().await.unwrap().text().await.unwrap();
    let (got, refused) = world.ask_refused(Method::GET, &format!("/conversations/{}", &SESSION[..8]), json!({})).await;
    assert_eq!((got, refused["code"].as_str().unwrap()), (409, "ambiguous_conversation"), "{refused}");
    assert!(refused["hint"].as_str().unwrap().contains(SESSION), "{refused}");
}

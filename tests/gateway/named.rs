//! Accounts that are asked for by name, against strict fakes of the servers they stand for.

use codeferry_demo::{ChatFlavour, ChatServer};
use codeferry_tests::sse::{check_grammar, text};
use codeferry_tests::world::{Refusal, asking};
use codeferry_tests::{Setup, World};
use reqwest::Method;
use serde_json::{Value, json};

pub(crate) const LLAMA: &str = "ollama/llama3.2:3b";

pub(crate) async fn add(world: &World, new: &Value) -> (u16, Value) {
    let answer = world.control(Method::POST, "/accounts").json(new).send().await.unwrap();
    let status = answer.status().as_u16();
    (status, answer.json().await.unwrap())
}

/// A world with a plan and an Ollama.
pub(crate) async fn with_ollama() -> (World, ChatServer) {
    let world = World::start().await;
    let server = ChatServer::start(ChatFlavour::Ollama).await.unwrap();
    let (status, added) = add(&world, &json!({"kind": "compatible", "preset": "ollama", "url": server.url()})).await;
    assert_eq!((status, &added["label"], &added["models"]), (201, &json!("ollama"), &json!(3)), "{added}");
    (world, server)
}

fn saying(model: &str, text: &str) -> Value {
    let mut body = asking(text);
    body["model"] = model.into();
    body
}

async fn refused(world: &World, model: &str, text: &str) -> Refusal {
    Refusal::of(world.messages(&saying(model, text)).await).await
}

pub(crate) fn clean(server: &ChatServer) {
    assert_eq!(server.violations(), [] as [&str; 0]);
}

#[tokio::test]
async fn streamed_and_whole_however_untidy_the_server_is() {
    let (world, server) = with_ollama().await;
    let asks = "[[demo:think let me see]][[demo:text Hello there — 你好]][[demo:usage]]";
    for manner in ["", "whole", "split", "crlf", "comments", "no-done"] {
        let body = saying(LLAMA, &format!("{asks}[[demo:{manner}]]"));
        let events = world.stream(&body).await;
        check_grammar(&events);
        assert_eq!(text(&events), "Hello there — 你好", "{manner}");
        assert_eq!(events[0].data["message"]["model"], LLAMA, "{manner}");
        let message: Value = world.messages(&body).await.json().await.unwrap();
        let blocks = &message["content"];
        assert_eq!(
            (&blocks[0]["type"], &blocks[0]["thinking"]),
            (&json!("thinking"), &json!("let me see")),
            "{manner}"
        );
        assert_eq!(blocks[1], json!({"type": "text", "text": "Hello there — 你好"}), "{manner}");
        assert_eq!(message["stop_reason"], "end_turn");
        let usage = &message["usage"];
        let counts = ["input_tokens", "cache_read_input_tokens", "output_tokens"].map(|name| usage[name].as_u64());
        assert_eq!(counts, [Some(20), Some(100), Some(30)], "{manner}: {usage}");
    }
    clean(&server);
    assert!(world.demo.model_requests().is_empty(), "the plan was not asked");
    let sent = server.requests().into_iter().find(|request| request.path.ends_with("completions")).unwrap();
    assert_eq!(sent.header("authorization"), None, "no key, no header");
}

#[tokio::test]
async fn what_is_sent_is_what_was_meant() {
    let (world, server) = with_ollama().await;
    let mut body = saying(LLAMA, "hi");
    body["system"] = json!("Be brief.");
    body["temperature"] = json!(0.25);
    body["top_p"] = json!(0.5);
    body["top_k"] = json!(7);
    body["output_config"] = json!({"effort": "max"});
    body["tools"] = json!([
        {"name": "Read", "description": "reads", "input_schema": {"type": "object", "properties": {"path": {"type": "string"}}}},
        {"type": "web_search_20250305", "name": "web_search"},
    ]);
    body["tool_choice"] = json!({"type": "any", "disable_parallel_tool_use": true});
    let answer = world.messages(&body).await;
    assert_eq!(answer.headers()["codeferry-losses"], "server_tool, top_k");
    let sent = server.asked().pop().unwrap();
    let schema = json!({"type": "object", "properties": {"path": {"type": "string"}}});
    let expected = json!({
        "model": "llama3.2:3b",
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hi"}],
        "tools": [{"type": "function", "function": {"name": "Read", "description": "reads", "parameters": schema}}],
        "tool_choice": "required",
        "parallel_tool_calls": false,
        "max_tokens": 64_000,
        "temperature": 0.25,
        "top_p": 0.5,
        "reasoning_effort": "high",
        "stream": true,
        "stream_options": {"include_usage": true},
    });
    assert_eq!(sent, expected);
    let log: Value = world.control(Method::GET, "/exchanges").send().await.unwrap().json().await.unwrap();
    let row = &log["exchanges"][0];
    let told = ["asked", "model", "effort"].map(|name| row[name].as_str().unwrap_or_default().to_owned());
    assert_eq!(told, [LLAMA, "llama3.2:3b", "high"], "as it was sent: {row}");
    clean(&server);
}

#[tokio::test]
async fn tools_are_called_and_their_results_go_back() {
    let (world, server) = with_ollama().await;
    let tools = json!([{"name": "Read", "input_schema": {"type": "object"}}, {"name": "Shot", "input_schema": {"type": "object"}}]);
    for manner in ["", "no-ids", "object-args", "no-ids]][[demo:object-args", "whole"] {
        let ask = format!(
            "[[demo:text Looking.]][[demo:tool Read {{\"path\":\"a b\"}}]][[demo:tool Shot {{}}]][[demo:then Done.]][[demo:{manner}]]"
        );
        let mut body = saying(LLAMA, &ask);
        body["tools"] = tools.clone();
        let first: Value = world.messages(&body).await.json().await.unwrap();
        assert_eq!(first["stop_reason"], "tool_use", "{manner}: {first}");
        let calls: Vec<&Value> =
            first["content"].as_array().unwrap().iter().filter(|block| block["type"] == "tool_use").collect();
        let told: Vec<_> = calls.iter().map(|call| (call["name"].as_str().unwrap(), &call["input"])).collect();
        assert_eq!(told, [("Read", &json!({"path": "a b"})), ("Shot", &json!({}))], "{manner}");
        let picture = json!({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}});
        let mut next = body.clone();
        next["messages"] = json!([
            body["messages"][0],
            {"role": "assistant", "content": first["content"]},
            {"role": "user", "content": [
                {"type": "tool_result", "tool_use_id": calls[1]["id"], "content": [{"type": "text", "text": "here"}, picture]},
                {"type": "tool_result", "tool_use_id": calls[0]["id"], "content": "the file", "is_error": true},
            ]},
        ]);
        let events = world.stream(&next).await;
        check_grammar(&events);
        // The picture of a tool is shown as the person's words, so the person spoke last.
        let sent = server.asked().pop().unwrap();
        let messages = sent["messages"].as_array().unwrap();
        let roles: Vec<_> = messages.iter().map(|message| message["role"].as_str().unwrap()).collect();
        assert_eq!(roles[roles.len() - 5..], ["user", "assistant", "tool", "tool", "user"], "{manner}");
        assert_eq!(messages[messages.len() - 3]["content"], "The tool reported an error:\nthe file");
        assert_eq!(messages.last().unwrap()["content"][0]["image_url"]["url"], "data:image/png;base64,AAAA");
    }
    clean(&server);
}

#[tokio::test]
async fn ends_are_told_as_they_are() {
    let (world, server) = with_ollama().await;
    for (ask, reason) in [
        ("[[demo:text so]][[demo:finish length]]", "max_tokens"),
        ("[[demo:text so]][[demo:finish content_filter]]", "refusal"),
        ("[[demo:refuse No.]]", "refusal"),
        ("[[demo:text so]][[demo:finish stop]]", "end_turn"),
    ] {
        let message: Value = world.messages(&saying(LLAMA, ask)).await.json().await.unwrap();
        assert_eq!(message["stop_reason"], reason, "{ask}: {message}");
    }
    // After the first byte the client is told.
    for ask in ["[[demo:text so far]][[demo:cut]]", "[[demo:text so far]][[demo:late 502 upstream went away]]"] {
        let events = world.stream(&saying(LLAMA, ask)).await;
        check_grammar(&events);
        assert_eq!(events.last().unwrap().name, "error", "{ask}");
    }
    clean(&server);
}

#[tokio::test]
async fn failures_have_their_own_words() {
    let (world, server) = with_ollama().await;
    for (model, ask, status, kind, part) in [
        ("ollama/nope", "hi", 404, "not_found_error", "try pulling it first"),
        (LLAMA, "[[demo:status 401 bad key]]", 503, "api_error", "does not accept the key"),
        (LLAMA, "[[demo:status 402 no credits]]", 429, "rate_limit_error", "nothing left to spend: no credits"),
        (LLAMA, "[[demo:status 403 flagged]]", 503, "api_error", "refused the request: flagged"),
        (LLAMA, "[[demo:status 500 boom]]", 502, "api_error", "boom"),
        (LLAMA, "[[demo:no-tools]]", 400, "invalid_request_error", "Choose a model that can call tools"),
        (
            LLAMA,
            "[[demo:status 400 request (9412 tokens) exceeds the available context size (8192 tokens), try increasing it]]",
            400,
            "invalid_request_error",
            "prompt is too long: 9412 tokens > 8192 maximum",
        ),
        (LLAMA, "[[demo:late 429 slow down]]", 429, "rate_limit_error", "slow down"),
    ] {
        let mut body = saying(model, ask);
        body["tools"] = json!([{"name": "Read", "input_schema": {"type": "object"}}]);
        let refusal = Refusal::of(world.messages(&body).await).await;
        assert_eq!((refusal.status, refusal.kind.as_str()), (status, kind), "{ask}: {refusal:?}");
        assert!(refusal.message.contains(part), "{ask}: {refusal:?}");
        assert!(!refusal.message.contains("ChatGPT"), "there is no plan behind it: {refusal:?}");
    }
    clean(&server);
    let limited = refused(&world, LLAMA, "[[demo:limit 45]]").await;
    assert_eq!((limited.status, limited.retry_after.as_deref()), (429, Some("45")), "{limited:?}");
    // It is remembered, and nobody else is asked meanwhile.
    let before = server.asked().len();
    assert_eq!(refused(&world, LLAMA, "hi").await.status, 429);
    assert_eq!((server.asked().len(), world.demo.model_requests().len()), (before, 0));
    world.control(Method::POST, "/accounts/ollama/wake").send().await.unwrap();
    server.stop().await;
    let gone = refused(&world, LLAMA, "hi").await;
    assert_eq!(gone.status, 502);
    assert!(gone.message.contains("Is Ollama running? Start it with: ollama serve"), "{gone:?}");
}

#[tokio::test]
async fn what_a_model_cannot_take_is_left_out_and_remembered() {
    let (world, server) = with_ollama().await;
    let mut body = saying(LLAMA, "[[demo:no-thinking]][[demo:text well]]");
    body["output_config"] = json!({"effort": "high"});
    for _ in 0..2 {
        assert_eq!(text(&world.stream(&body).await), "well");
    }
    let asked: Vec<bool> = server.asked().iter().map(|body| body.get("reasoning_effort").is_some()).collect();
    assert_eq!(asked, [true, false, false], "once is enough");
    // It is told, streamed and not, the first time and later.
    let mut body = saying("ollama/vendor/model:free", "[[demo:no-sampling]][[demo:no-thinking]][[demo:text well]]");
    (body["temperature"], body["output_config"]) = (json!(0.5), json!({"effort": "low"}));
    for streamed in [true, false, true] {
        body["stream"] = streamed.into();
        let answer = world.messages(&body).await;
        assert_eq!(answer.headers()["codeferry-losses"], "effort, temperature", "{streamed}");
        assert!(answer.text().await.unwrap().contains("well"));
    }
    let asked_so_far = server.asked().len();
    // Room for the answer depends on the prompt, so it is asked for anew each time.
    for _ in 0..2 {
        assert_eq!(text(&world.stream(&saying("ollama/qwen3:8b", "[[demo:small]][[demo:text well]]")).await), "well");
    }
    let asked: Vec<bool> = server.asked()[asked_so_far..].iter().map(|body| body.get("max_tokens").is_some()).collect();
    assert_eq!(asked, [true, false, true, false]);
    clean(&server);
}

#[tokio::test]
async fn nobody_is_asked_who_was_not_named() {
    let setup = Setup { settings: vec![("rotation", "sticky".to_owned())], ..Setup::default() };
    let world = World::with(setup).await;
    let server = ChatServer::start(ChatFlavour::Ollama).await.unwrap();
    add(&world, &json!({"kind": "compatible", "preset": "ollama", "url": server.url(), "verify": false})).await;
    let limited = world.refused("[[demo:limit 10800]]").await;
    assert_eq!(limited.status, 429, "{limited:?}");
    assert_eq!(world.refused("hi").await.status, 429);
    assert_eq!(server.requests().len(), 0, "the plan's limit is no reason to send prompts elsewhere");
    // Named, it answers, and the log and the status say why.
    assert_eq!(text(&world.stream(&saying(LLAMA, "[[demo:text here]]")).await), "here");
    let status: Value = world.control(Method::GET, "/status").send().await.unwrap().json().await.unwrap();
    assert_eq!(status["last_pick"]["why"], "ollama: asked for by name");
    // A label that is nobody's leads nowhere.
    let gone = refused(&world, "lmstudio/llama3.2:3b", "hi").await;
    assert_eq!((gone.status, gone.kind.as_str()), (404, "not_found_error"));
    assert_eq!(gone.message, "model: lmstudio/llama3.2:3b (no account is called lmstudio)");
    world.gateway.settings().set("route.haiku", "elsewhere/x:1b").unwrap();
    let gone = refused(&world, "claude-haiku-4-5", "hi").await;
    assert!(gone.status == 404 && gone.message.contains("route.haiku leads to elsewhere/x:1b"), "{gone:?}");
    let removed = world.control(Method::DELETE, "/accounts/ollama").send().await.unwrap();
    assert_eq!(removed.status(), 200);
    assert_eq!(refused(&world, LLAMA, "hi").await.status, 404, "nor does it once it is gone");
    assert_eq!(world.demo.model_requests().len(), 1, "and never to the plan");
}

#[tokio::test]
async fn routes_and_aliases_may_lead_there() {
    let (world, server) = with_ollama().await;
    for (key, target) in [("route.haiku", "ollama/qwen3:8b"), ("alias.local", "ollama/llama3.2:3b:low")] {
        world.gateway.settings().set(key, target).unwrap();
    }
    for name in ["claude-haiku-4-5-20251001", "local", "claude/ollama/llama3.2:3b"] {
        assert_eq!(world.messages(&saying(name, "hi")).await.status(), 200, "{name}");
    }
    let asked = server.asked();
    let models: Vec<_> = asked.iter().map(|body| body["model"].as_str().unwrap()).collect();
    assert_eq!(models, ["qwen3:8b", "llama3.2:3b", "llama3.2:3b"]);
    assert_eq!(asked[1]["reasoning_effort"], "low");
    let tried = world.control(Method::POST, "/routes/try").json(&json!({"model": "local"})).send().await.unwrap();
    let tried: Value = tried.json().await.unwrap();
    assert_eq!((&tried["account"], &tried["model"]), (&json!("ollama"), &json!("llama3.2:3b")), "{tried}");
    clean(&server);
}

#[tokio::test]
async fn a_router_is_spoken_to_in_its_own_way() {
    let world = World::start().await;
    let server = ChatServer::start(ChatFlavour::OpenRouter).await.unwrap();
    let new = |key: &str| json!({"kind": "compatible", "preset": "openrouter", "url": server.url(), "key": key});
    let (status, error) = add(&world, &new("wrong")).await;
    assert_eq!((status, &error["code"]), (502, &json!("unauthorized")), "its list is open, its key is not: {error}");
    assert_eq!(add(&world, &new(server.key().unwrap())).await.0, 201);
    let mut body = saying("openrouter/vendor/model:free", "[[demo:think hm]][[demo:text so]][[demo:comments]]");
    body["output_config"] = json!({"effort": "max"});
    body["messages"][0]["content"] = json!([
        {"type": "text", "text": body["messages"][0]["content"]},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}},
        {"type": "document", "title": "A.pdf", "source": {"type": "base64", "media_type": "application/pdf", "data": "BBBB"}},
    ]);
    let answer = world.messages(&body).await;
    assert!(answer.headers().get("codeferry-losses").is_none());
    let message: Value = answer.json().await.unwrap();
    assert_eq!(message["content"][0]["thinking"], "hm", "said twice, shown once: {message}");
    let sent = server.asked().pop().unwrap();
    assert_eq!(sent["reasoning"], json!({"effort": "xhigh"}));
    let parts = sent["messages"][0]["content"].as_array().unwrap();
    let parts: Vec<_> = parts.iter().map(|part| part["type"].as_str().unwrap()).collect();
    assert_eq!(parts, ["text", "image_url", "file"]);
    let refusal = refused(&world, "openrouter/no/such", "hi").await;
    assert_eq!(refusal.status, 404, "{refusal:?}");
    clean(&server);
}

#[tokio::test]
async fn kilo_lists_what_is_free_and_is_told_who_we_are() {
    let world = World::start().await;
    let server = ChatServer::start(ChatFlavour::Kilo).await.unwrap();
    let (status, added) = add(&world, &json!({"kind": "compatible", "preset": "kilo", "url": server.url()})).await;
    assert_eq!((status, &added["models"]), (201, &json!(1)), "{added}");
    assert_eq!(text(&world.stream(&saying("kilo/vendor/model:free", "[[demo:text free]]")).await), "free");
    let list = world.http.get(format!("{}/v1/models", world.url())).bearer_auth(&world.key);
    let list: Value = list.header("anthropic-version", "2023-06-01").send().await.unwrap().json().await.unwrap();
    let ids: Vec<_> = list["data"].as_array().unwrap().iter().filter_map(|model| model["id"].as_str()).collect();
    let of_kilo: Vec<_> = ids.iter().filter(|id| id.contains("kilo/")).collect();
    assert_eq!(of_kilo, [&"claude/kilo/vendor/model:free", &"kilo/vendor/model:free"]);
    assert!(ids.contains(&"gpt-6-sol"), "beside those of the plan");
    // codex-proxy's own way to ask, as people's scripts have it.
    let token = codeferry_app::control_token(&codeferry_app::Paths::at(world.home.path())).unwrap().expose();
    let old =
        |method, path: &str| world.http.request(method, format!("{}{path}", world.url())).bearer_auth(token.clone());
    let free: Value = old(Method::GET, "/settings/kilo-models").send().await.unwrap().json().await.unwrap();
    assert_eq!(free["models"], json!([{"id": "vendor/model:free", "name": "A free model"}]), "{free}");
    for (model, status) in [("vendor/paid", 400), ("vendor/model:free", 200)] {
        let set = old(Method::POST, "/settings/haiku-model").json(&json!({"haikuKiloModel": model}));
        assert_eq!(set.send().await.unwrap().status(), status, "{model}");
    }
    assert_eq!(text(&world.stream(&saying("kilo", "[[demo:text free]]")).await), "free");
    let lists = server.requests().iter().filter(|request| request.path.ends_with("/models")).count();
    world.http.get(format!("{}/v1/models", world.url())).bearer_auth(&world.key).send().await.unwrap();
    let again = server.requests().iter().filter(|request| request.path.ends_with("/models")).count();
    assert_eq!(again, lists, "a list is good for ten minutes");
    clean(&server);
    // A server that is gone does not keep the others from being listed.
    server.stop().await;
    let list = world.http.get(format!("{}/v1/models", world.url())).bearer_auth(&world.key).send().await.unwrap();
    assert_eq!(list.status(), 200);
}

#[tokio::test]
async fn what_cannot_be_added_is_not() {
    let (world, _server) = with_ollama().await;
    for (new, status, code) in [
        (json!({"kind": "plan", "label": "x"}), 400, "bad_kind"),
        (json!({"kind": "compatible", "label": "x"}), 400, "bad_url"),
        (json!({"kind": "compatible", "label": "x", "url": "http://192.0.2.1/v1"}), 400, "bad_url"),
        (json!({"kind": "compatible", "label": "x", "url": "https://u:p@x.test/v1"}), 400, "bad_url"),
        (json!({"kind": "compatible", "url": "http://127.0.0.1:1/v1"}), 400, "bad_label"),
        (json!({"kind": "compatible", "label": "opus", "url": "http://127.0.0.1:1/v1"}), 400, "bad_label"),
        (json!({"kind": "compatible", "label": "a/b", "url": "http://127.0.0.1:1/v1"}), 400, "bad_label"),
        (json!({"kind": "compatible", "label": "x", "preset": "llamafile"}), 400, "bad_preset"),
        (json!({"kind": "compatible", "preset": "openrouter"}), 400, "key_needed"),
        (json!({"kind": "openai_key", "label": "x"}), 400, "key_needed"),
        (json!({"kind": "openai_key", "label": "x", "key": "a b"}), 400, "bad_key"),
        (json!({"kind": "openai_key", "label": "x", "key": "k", "url": "https://x.test/v1"}), 400, "bad_url"),
        (json!({"kind": "compatible", "label": "x", "url": "http://127.0.0.1:1/v1"}), 502, "connect"),
        (json!({"kind": "compatible", "label": "x", "url": world.url()}), 502, "protocol"),
        (
            json!({"kind": "compatible", "label": "ollama", "url": "http://127.0.0.1:1/v1", "verify": false}),
            409,
            "label_taken",
        ),
        (json!({"kind": "compatible", "label": "x", "key_file": "/etc/passwd"}), 400, "bad_request"),
    ] {
        let (got, error) = add(&world, &new).await;
        assert_eq!((got, &error["code"]), (status, &json!(code)), "{new}: {error}");
    }
    let switch = world.control(Method::POST, "/accounts/ollama/switch").send().await.unwrap();
    assert_eq!(switch.status(), 409);
    let error: Value = switch.json().await.unwrap();
    assert!(error["message"].as_str().unwrap().contains("ask for the model ollama/MODEL"), "{error}");
    let listed: Value = world.control(Method::GET, "/accounts").send().await.unwrap().json().await.unwrap();
    let accounts = listed["accounts"].as_array().unwrap();
    assert_eq!(accounts.len(), 2, "{listed}");
    assert_eq!((&accounts[1]["named"], &accounts[1]["active"]), (&json!(true), &json!(false)));
}

#[tokio::test]
async fn a_key_of_openai_is_paid_per_token_and_asked_by_name() {
    let server = ChatServer::start(ChatFlavour::OpenAi).await.unwrap();
    let openai = server.url();
    let setup = Setup { openai: Some(openai.clone()), ..Setup::default() };
    let world = World::with(setup).await;
    let new = |key: &str| json!({"kind": "openai_key", "label": "paid", "key": key});
    let (status, error) = add(&world, &new("sk-wrong-SECRET")).await;
    assert_eq!((status, &error["code"]), (502, &json!("unauthorized")), "{error}");
    assert!(!error.to_string().contains("SECRET"), "{error}");
    let (status, added) = add(&world, &new(server.key().unwrap())).await;
    assert_eq!((status, &added["models"]), (201, &json!(2)), "those that answer in text: {added}");
    assert!(added["notice"].as_str().unwrap().contains("paid per token"), "{added}");

    let mut body = saying("paid/gpt-6-sol", "hello");
    body["temperature"] = json!(0.5);
    body["output_config"] = json!({"effort": "max"});
    let answer = world.messages(&body).await;
    assert!(answer.headers().get("codeferry-losses").is_none(), "{:?}", answer.headers());
    let message: Value = answer.json().await.unwrap();
    assert_eq!(message["content"][0]["text"], "You said: hello", "{message}");
    let sent = server.asked().pop().unwrap();
    let told = ["model", "max_output_tokens", "temperature"].map(|name| sent[name].clone());
    assert_eq!(told, [json!("gpt-6-sol"), json!(64_000), json!(0.5)]);
    assert_eq!(sent["store"], false);
    clean(&server);
    assert_eq!(world.demo.model_requests().len(), 0, "the ChatGPT account has no part in it");
}

#[tokio::test]
async fn no_key_is_told_to_anybody() {
    codeferry_tests::log::listen();
    let world = World::start().await;
    let server = ChatServer::start(ChatFlavour::OpenRouter).await.unwrap();
    let key = server.key().unwrap();
    add(&world, &json!({"kind": "compatible", "preset": "openrouter", "url": server.url(), "key": "sk-or-WRONG"}))
        .await;
    add(&world, &json!({"kind": "compatible", "preset": "openrouter", "url": server.url(), "key": key})).await;
    let mut told = String::new();
    for ask in ["hi", "[[demo:status 401 bad key]]", "[[demo:late 500 boom]]", "[[demo:cut]]"] {
        told += &world.messages(&saying("openrouter/vendor/model:free", ask)).await.text().await.unwrap();
    }
    for path in ["/accounts", "/status", "/quota"] {
        told += &world.control(Method::GET, path).send().await.unwrap().text().await.unwrap();
    }
    told += &world.control(Method::POST, "/accounts/openrouter/verify").send().await.unwrap().text().await.unwrap();
    told += &codeferry_tests::log::lines();
    for secret in [key, "sk-or-WRONG"] {
        assert!(!told.contains(secret), "{secret} is told");
    }
    // Not in a file either, but sealed in the vault.
    for entry in std::fs::read_dir(world.home.path()).unwrap().flatten() {
        let bytes = std::fs::read(entry.path()).unwrap_or_default();
        let found = bytes.windows(key.len()).any(|window| window == key.as_bytes());
        assert!(!found, "{}", entry.path().display());
    }
    clean(&server);
}

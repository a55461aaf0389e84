//! `POST /v1/responses`: what goes up, what comes back, what is refused.

use std::time::Duration;

use codeferry_demo::AccountKind;
use codeferry_tests::{Event, Setup, World, events};
use futures_util::StreamExt as _;
use reqwest::Response;
use serde_json::{Value, json};

/// Another account steps in for one that cannot.
fn rotating() -> Setup {
    Setup { settings: vec![("rotation", "fill_first".to_owned())], ..Setup::default() }
}

/// A request as a client of the public API makes it.
fn asking(text: &str) -> Value {
    json!({"model": "gpt-6.1-sol", "input": text, "stream": true})
}

/// The same as a Codex makes it, in the shape that is not Lite.
fn of_codex(text: &str) -> Value {
    json!({
        "model": "gpt-5.5",
        "stream": true,
        "service_tier": "priority",
        "input": [
            {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "Be brief."}]},
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]},
        ],
        "tool_choice": "auto",
        "parallel_tool_calls": true,
        "reasoning": {"effort": "medium", "summary": "auto"},
        "store": false,
        "include": ["reasoning.encrypted_content"],
        "prompt_cache_key": "01a1f6d2-7e3c-7953-802e-421805dbd2e2",
        "client_metadata": {"session_id": "01a1f6d2-7e3c-7953-802e-421805dbd2e2"},
    })
}

async fn post(world: &World, body: &Value) -> Response {
    world.post("/v1/responses").json(body).send().await.expect("an answer")
}

async fn post_as_codex(world: &World, body: &str) -> Response {
    let request =
        world.post("/v1/responses").header("originator", "codex_exec").header("content-type", "application/json");
    let request = request.header("session-id", "01a1f6d2-7e3c-7953-802e-421805dbd2e2");
    request
        .header("thread-id", "01a1f6d2-7e3c-7953-802e-421805dbd2e2")
        .body(body.to_owned())
        .send()
        .await
        .expect("an answer")
}

async fn heard(response: Response) -> Vec<Event> {
    assert_eq!(response.status(), 200, "{}", response.text().await.unwrap());
    events(&response.text().await.unwrap())
}

fn text(events: &[Event]) -> String {
    let delta = |event: &&Event| event.name == "response.output_text.delta";
    events.iter().filter(delta).map(|event| event.data["delta"].as_str().unwrap()).collect()
}

async fn error_of(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    let body: Value = response.json().await.expect("an error");
    (status, body["error"].clone())
}

#[tokio::test]
async fn a_text_is_streamed_and_collected_alike() {
    let world = World::start().await;
    let mut body = asking("[[demo:text Hello there, \"friend\" — 你好]]");
    let events = heard(post(&world, &body).await).await;
    assert_eq!(text(&events), "Hello there, \"friend\" — 你好");
    let names: Vec<&str> = events.iter().map(|event| event.name.as_str()).collect();
    assert_eq!((names[0], *names.last().unwrap()), ("response.created", "response.completed"));
    let numbers: Vec<u64> = events.iter().map(|event| event.data["sequence_number"].as_u64().unwrap()).collect();
    assert_eq!(numbers, (0..events.len() as u64).collect::<Vec<_>>());
    let last = &events.last().unwrap().data["response"];
    assert_eq!(last["output"][0]["content"][0]["text"], "Hello there, \"friend\" — 你好", "the SDKs read it there");

    for stream in [json!(false), Value::Null] {
        body["stream"] = stream;
        let response = post(&world, &body).await;
        assert_eq!(response.headers()["content-type"], "application/json");
        let whole: Value = response.json().await.unwrap();
        assert_eq!((&whole["object"], &whole["status"]), (&json!("response"), &json!("completed")));
        assert_eq!(whole["output"][0]["content"], last["output"][0]["content"]);
        assert_eq!(whole["usage"]["output_tokens"], last["usage"]["output_tokens"]);
    }
    assert!(world.demo.violations().is_empty(), "{:?}", world.demo.violations());
}

#[tokio::test]
async fn what_a_codex_sends_and_hears_is_what_was_sent_and_said() {
    let world = World::start().await;
    // White space and order as no writer of ours would have them.
    let body = of_codex("[[demo:unknown]][[demo:reasoning]][[demo:text so]]").to_string().replacen(':', " :\t", 1);
    let response = post_as_codex(&world, &body).await;
    assert_eq!(response.status(), 200);
    let said = response.text().await.unwrap();
    let sent = world.demo.model_requests().last().unwrap().body.clone();
    assert_eq!(std::str::from_utf8(&sent).unwrap(), body);
    for name in ["codex.rate_limits", "response.future_thing.delta", "response.metadata", "hologram_call"] {
        assert!(said.contains(name), "{name} is passed on");
    }
    assert!(said.contains("\"output\":[]"), "and the end is as empty as it was");
    let others = post(&world, &asking("[[demo:unknown]][[demo:text so]]")).await.text().await.unwrap();
    assert!(!others.contains("codex.rate_limits") && !others.contains("response.metadata"), "{others}");
    assert!(others.contains("hologram_call"), "an item is an item");
    assert!(world.demo.violations().is_empty(), "{:?}", world.demo.violations());
}

#[tokio::test]
async fn nothing_of_the_clients_headers_goes_up() {
    let world = World::start().await;
    let request = world.post("/v1/responses").header("originator", "codex_exec").header("cookie", "a=b");
    let request = request.header("x-codex-beta-features", "remote_compaction_v2").header("openai-organization", "org");
    let request = request.header("x-codex-turn-state", "of-somebody-else");
    heard(request.json(&of_codex("[[demo:text so]]")).send().await.unwrap()).await;
    let requests = world.demo.model_requests();
    let headers = &requests.last().unwrap().headers;
    assert_eq!(headers["originator"], "codeferry");
    assert_eq!(headers["x-codex-beta-features"], "remote_compaction_v2");
    for name in ["cookie", "openai-organization", "x-codex-turn-state"] {
        assert!(!headers.contains_key(name), "{name}");
    }
    assert!(!headers["authorization"].to_str().unwrap().contains(&world.key));
    assert!(world.demo.violations().is_empty(), "{:?}", world.demo.violations());
}

#[tokio::test]
async fn zstd_bodies_are_read() {
    let world = World::start().await;
    let body = zstd::bulk::compress(of_codex("[[demo:text packed]]").to_string().as_bytes(), 3).unwrap();
    let request = world.post("/v1/responses").header("originator", "codex_exec").header("content-encoding", "zstd");
    let response = request.header("content-type", "application/json").body(body).send().await.unwrap();
    assert_eq!(text(&heard(response).await), "packed");
}

#[tokio::test]
async fn what_the_public_api_takes_is_put_right_unless_it_is_to_pass() {
    let mut body = asking("x");
    body["input"] =
        json!([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "[[demo:text so]]"}]);
    body["temperature"] = json!(0.2);
    body["user"] = json!("somebody");
    body["tools"] = json!([{"type": "web_search_preview"}]);
    for kind in [AccountKind::Codex, AccountKind::Plan] {
        let world = World::with(Setup { kind, ..Setup::default() }).await;
        let response = post(&world, &body).await;
        assert_eq!(response.headers()["codeferry-losses"], "temperature");
        assert_eq!(text(&heard(response).await), "so");
        assert!(world.demo.violations().is_empty(), "{:?}", world.demo.violations());
    }
    let world = World::with(Setup { settings: vec![("passthrough", "true".to_owned())], ..Setup::default() }).await;
    let (status, error) = error_of(post(&world, &body).await).await;
    assert_eq!((status, &error["type"]), (400, &json!("invalid_request_error")), "{error}");
}

/// The plans' host knows neither of the two, so it is not asked.
#[tokio::test]
async fn a_plan_is_not_told_what_only_the_codex_host_takes() {
    let world = World::with(Setup { kind: AccountKind::Plan, ..Setup::default() }).await;
    let events = heard(post_as_codex(&world, &of_codex("[[demo:text so]]").to_string()).await).await;
    assert_eq!(text(&events), "so");
    let sent = world.last_upstream();
    assert_eq!((sent.get("client_metadata"), sent.get("service_tier")), (None, None));
    assert_eq!(world.demo.model_requests().len(), 1);
    assert!(world.demo.violations().is_empty(), "{:?}", world.demo.violations());
}

#[tokio::test]
async fn refusals_are_in_shape() {
    let world = World::start().await;
    let deep = format!(r#"{{"model":"gpt-6.1-sol","input":{}{}}}"#, "[".repeat(5000), "]".repeat(5000));
    for (body, param, code) in [
        ("{\"model\":", Value::Null, json!("invalid_json")),
        (&*deep, Value::Null, json!("invalid_json")),
        (r#"{"model":7,"input":"x"}"#, json!("model"), json!("invalid_type")),
        (r#"{"input":"x"}"#, json!("model"), json!("missing_required_parameter")),
        (r#"{"model":"gpt-6.1-sol"}"#, json!("input"), json!("missing_required_parameter")),
        (
            r#"{"model":"gpt-6.1-sol","input":"x","background":true}"#,
            json!("background"),
            json!("unsupported_parameter"),
        ),
        (
            r#"{"model":"gpt-6.1-sol","input":"x","previous_response_id":"resp_1"}"#,
            json!("previous_response_id"),
            json!("previous_response_not_found"),
        ),
    ] {
        let response = world.post("/v1/responses").header("content-type", "application/json").body(body.to_owned());
        let (status, error) = error_of(response.send().await.unwrap()).await;
        assert_eq!((status, &error["type"]), (400, &json!("invalid_request_error")), "{error}");
        assert_eq!((&error["param"], &error["code"]), (&param, &code), "{error}");
    }
    let mut body = asking("x");
    body["model"] = json!("no-such-model");
    let (status, error_of_model) = error_of(post(&world, &body).await).await;
    assert_eq!((status, &error_of_model["code"]), (404, &json!("model_not_found")));
    let stranger = world.http.post(format!("{}/v1/responses", world.url())).json(&asking("x")).send().await.unwrap();
    let (status, error_of_key) = error_of(stranger).await;
    assert_eq!((status, &error_of_key["code"]), (401, &json!("invalid_api_key")));
    for method in [reqwest::Method::GET, reqwest::Method::POST, reqwest::Method::DELETE] {
        let request =
            world.http.request(method, format!("{}/v1/responses/resp_123", world.url())).bearer_auth(&world.key);
        let (status, error) = error_of(request.send().await.unwrap()).await;
        assert_eq!(status, 404);
        assert!(error["message"].as_str().unwrap().starts_with("Response with id 'resp_123' not found."), "{error}");
    }
    assert_eq!(world.demo.model_requests().len(), 0);
}

/// As the Vercel AI SDK and the openai SDKs do that are not told `store: false`: they take it that answers are kept.
#[tokio::test]
async fn what_was_answered_can_be_referred_to() {
    let world = World::start().await;
    let mut first = asking("[[demo:reasoning]][[demo:tool weather {\"city\":\"Oslo\"}]]");
    first["tools"] =
        json!([{"type": "function", "name": "weather", "parameters": {"type": "object", "properties": {}}}]);
    first["stream"] = json!(false);
    let answer: Value = post(&world, &first).await.json().await.unwrap();
    let (reasoning, call) = (&answer["output"][0], &answer["output"][1]);
    assert_eq!((&reasoning["type"], &call["type"]), (&json!("reasoning"), &json!("function_call")), "{answer}");

    let output = json!({"type": "function_call_output", "call_id": call["call_id"], "output": "sunny"});
    let go_on = json!({"role": "user", "content": "[[demo:text So it is.]]"});
    let mut by_items = first.clone();
    let asked = json!({"role": "user", "content": [{"type": "input_text", "text": "What is it like there?"}]});
    by_items["input"] =
        json!([asked, {"type": "item_reference", "id": reasoning["id"]}, call, output.clone(), go_on.clone()]);
    let mut by_response = first.clone();
    by_response["input"] = json!([output, go_on]);
    by_response["previous_response_id"] = answer["id"].clone();
    for body in [&by_items, &by_response] {
        let next: Value = post(&world, body).await.json().await.unwrap();
        assert_eq!(next["output"][0]["content"][0]["text"], "So it is.", "{next}");
        let sent = world.last_upstream();
        let items = sent["input"].as_array().unwrap();
        assert_eq!(items[1]["encrypted_content"], reasoning["encrypted_content"], "{sent}");
        assert_eq!((&items[2]["call_id"], &items[3]["output"]), (&call["call_id"], &json!("sunny")));
        assert_eq!((items.len(), sent.get("previous_response_id")), (5, None));
        // And the conversation goes on from there.
        let mut again = asking("[[demo:text And on.]]");
        again["previous_response_id"] = next["id"].clone();
        assert_eq!(text(&heard(post(&world, &again).await).await), "And on.");
        assert_eq!(world.last_upstream()["input"].as_array().unwrap().len(), 7);
    }
    assert!(world.demo.violations().is_empty(), "{:?}", world.demo.violations());
}

#[tokio::test]
async fn nobody_refers_to_what_is_not_kept_or_not_his() {
    let world = World::start().await;
    let id_of = async |body: &Value| {
        let answer: Value = post(&world, body).await.json().await.unwrap();
        answer["id"].as_str().unwrap().to_owned()
    };
    let mut body = asking("[[demo:text so]]");
    body["stream"] = json!(false);
    let kept = id_of(&body).await;
    body["input"] = json!("[[demo:text and so]]");
    body["store"] = json!(false);
    let not_kept = id_of(&body).await;
    let asked = world.demo.model_requests().len();
    let stranger = world.gateway.keys().create("other", jiff::Timestamp::now()).unwrap().key;
    for (key, id) in [(&world.key, &not_kept), (&stranger, &kept)] {
        let mut next = asking("and?");
        next["previous_response_id"] = json!(id);
        let url = format!("{}/v1/responses", world.url());
        let refused = world.http.post(url).bearer_auth(key).json(&next).send().await.unwrap();
        let (status, error) = error_of(refused).await;
        assert_eq!((status, &error["code"]), (400, &json!("previous_response_not_found")), "{error}");
        assert_eq!(error["param"], "previous_response_id");
    }
    let gone = json!({"model": "gpt-6.1-sol", "input": [{"type": "item_reference", "id": "rs_gone"}]});
    let (status, error) = error_of(post(&world, &gone).await).await;
    assert_eq!((status, &error["code"], &error["param"]), (400, &json!("item_not_found"), &json!("input[0]")));
    world.gateway.settings().set("remembered_responses_mib", "0").unwrap();
    body["input"] = json!("[[demo:text and so on]]");
    body["store"] = json!(true);
    let switched_off = id_of(&body).await;
    let mut next = asking("and?");
    next["previous_response_id"] = json!(switched_off);
    assert_eq!(error_of(post(&world, &next).await).await.0, 400);
    assert_eq!(world.demo.model_requests().len(), asked + 1, "the upstream is not asked about it");
}

#[tokio::test]
async fn a_limit_is_told_as_a_codex_knows_it_and_another_account_steps_in() {
    let world = World::with(rotating()).await;
    let alone = post_as_codex(&world, &of_codex("[[demo:limit]]").to_string()).await;
    let (status, error) = error_of(alone).await;
    assert_eq!((status, &error["type"]), (429, &json!("usage_limit_reached")), "{error}");
    assert!(error["resets_at"].as_i64().is_some() && error["resets_in_seconds"].as_i64().is_some(), "{error}");

    // It rests, and says so in the same way; then somebody stands in for it.
    let resting = post_as_codex(&world, &of_codex("x").to_string()).await;
    let (status, error) = error_of(resting).await;
    assert_eq!((status, &error["type"]), (429, &json!("usage_limit_reached")), "{error}");
    world.add(AccountKind::Codex, "second").await;
    let events = heard(post_as_codex(&world, &of_codex("[[demo:text from the other]]").to_string()).await).await;
    assert_eq!(text(&events), "from the other");
}

#[tokio::test]
async fn a_stream_that_breaks_off_ends_with_an_event_of_the_language() {
    let world = World::start().await;
    let cut = "[[demo:text some words before it ends]][[demo:cut]]";
    let events = heard(post_as_codex(&world, &of_codex(cut).to_string()).await).await;
    let last = events.last().unwrap();
    assert_eq!(last.name, "response.failed", "{last:?}");
    assert_eq!(last.data["response"]["error"]["code"], "server_error");
    assert_eq!(last.data["response"]["id"], events[0].data["response"]["id"]);
    let events = heard(post(&world, &asking(cut)).await).await;
    let last = events.last().unwrap();
    assert_eq!((last.name.as_str(), &last.data["code"]), ("error", &json!("server_error")), "{last:?}");
}

/// A model may think for minutes. A Codex counts events and not comments; others are told nothing that they do not know.
#[tokio::test(start_paused = true)]
async fn minutes_of_silence_are_bridged() {
    for (is_codex, place) in [(true, "inside"), (false, "inside"), (true, "headers"), (false, "headers")] {
        let world = World::start().await;
        let seconds = if place == "headers" { 100 } else { 200 };
        let said = format!("[[demo:silence {seconds} {place}]][[demo:text after all]]");
        let begun = tokio::time::Instant::now();
        let response = if is_codex {
            post_as_codex(&world, &of_codex(&said).to_string()).await
        } else {
            post(&world, &asking(&said)).await
        };
        assert!(begun.elapsed() <= Duration::from_secs(11), "headers within ten seconds");
        let mut stream = response.bytes_stream();
        let (mut heard, mut last) = (Vec::new(), tokio::time::Instant::now());
        while let Some(chunk) = stream.next().await {
            assert!(last.elapsed() <= Duration::from_secs(16), "{place}: {:?} of silence", last.elapsed());
            last = tokio::time::Instant::now();
            heard.extend_from_slice(&chunk.unwrap());
        }
        let heard = String::from_utf8(heard).unwrap();
        assert!(heard.contains(": keepalive\n\n"), "{place}: {heard}");
        assert_eq!(heard.contains("codeferry.keepalive"), is_codex, "{place}: {heard}");
        let events = events(&heard.replace(": keepalive\n\n", ""));
        assert!(text(&events).ends_with("after all"), "{place}");
        assert_eq!(events.last().unwrap().name, "response.completed", "{place}");
    }
}

#[tokio::test]
async fn reasoning_goes_back_to_its_account_and_only_there() {
    let world = World::with(rotating()).await;
    let mut body = of_codex("[[demo:reasoning]][[demo:text so]]");
    let events = heard(post_as_codex(&world, &body.to_string()).await).await;
    let items =
        events.iter().filter(|event| event.name == "response.output_item.done").map(|event| event.data["item"].clone());
    let input = body["input"].as_array_mut().unwrap();
    input.extend(items);
    input.push(
        json!({"type": "message", "role": "user", "content": [{"type": "input_text", "text": "[[demo:text ok]]"}]}),
    );
    assert_eq!(input[2]["type"], "reasoning");
    heard(post_as_codex(&world, &body.to_string()).await).await;
    assert_eq!(world.last_upstream()["input"], body["input"]);

    // Another account, which could not open it.
    let second = world.add(AccountKind::Codex, "second").await;
    let first = world.gateway.pool().list().iter().find(|account| account.active).unwrap().id.clone();
    world.gateway.pool().pause(first.as_str()).await.unwrap();
    heard(post_as_codex(&world, &body.to_string()).await).await;
    let kinds: Vec<Value> =
        world.last_upstream()["input"].as_array().unwrap().iter().map(|item| item["type"].clone()).collect();
    assert!(!kinds.contains(&json!("reasoning")), "{kinds:?}");
    assert_eq!(world.demo.model_requests().last().unwrap().account.as_deref(), Some(second.account_id.as_str()));
    assert_eq!(world.demo.model_requests().len(), 3, "it was known beforehand");
}

#[tokio::test]
async fn who_began_a_session_is_told_to_the_codex_host_alone() {
    let told = |world: &World, path: &str| {
        let asked = world.demo.requests().into_iter().rfind(|request| request.path.ends_with(path)).unwrap();
        assert!(asked.json().get("_gateway").is_none());
        let header = |name: &str| asked.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
        (header("x-openai-subagent"), header("x-codex-parent-thread-id"))
    };
    let spawned = json!({"session_source": {"subagent": {"thread_spawn": {"parent_thread_id": "t-1", "depth": 1}}}});
    let as_spawned = (Some("collab_spawn".to_owned()), Some("t-1".to_owned()));
    let world = World::start().await;
    let mut body = asking("[[demo:text so]]");
    body["_gateway"] = spawned.clone();
    heard(post(&world, &body).await).await;
    assert_eq!(told(&world, "/responses"), as_spawned);
    heard(world.post("/v1/responses").header("x-openai-subagent", "review").json(&body).send().await.unwrap()).await;
    assert_eq!(told(&world, "/responses").0.as_deref(), Some("review"), "a header counts before it");
    let compact = json!({"model": "gpt-5.5", "input": [], "_gateway": spawned});
    assert_eq!(world.post("/v1/responses/compact").json(&compact).send().await.unwrap().status(), 200);
    assert_eq!(told(&world, "/compact"), as_spawned);
    assert!(world.demo.violations().is_empty(), "{:?}", world.demo.violations());
    for (control, param) in [
        (json!({"account": "work"}), "_gateway.account"),
        (json!({"session_source": 7}), "_gateway.session_source"),
        (json!([]), "_gateway"),
    ] {
        body["_gateway"] = control.clone();
        let (status, error) = error_of(post(&world, &body).await).await;
        assert_eq!((status, &error["param"]), (400, &json!(param)), "{error}");
        let compact = json!({"model": "gpt-5.5", "input": [], "_gateway": control});
        let (status, error) = error_of(world.post("/v1/responses/compact").json(&compact).send().await.unwrap()).await;
        assert_eq!((status, &error["param"]), (400, &json!(param)), "{error}");
    }

    let world = World::with(Setup { kind: AccountKind::Plan, ..Setup::default() }).await;
    body["_gateway"] = spawned;
    heard(post(&world, &body).await).await;
    assert_eq!(told(&world, "/responses"), (None, None));
}

#[tokio::test]
async fn an_exchange_is_written_down() {
    let world = World::start().await;
    heard(post(&world, &asking("[[demo:text so]]")).await).await;
    let rows: Value = world.control(reqwest::Method::GET, "/exchanges").send().await.unwrap().json().await.unwrap();
    let text = rows.to_string();
    assert!(text.contains("\"dialect\":\"responses\"") && text.contains("\"path\":\"/v1/responses\""), "{text}");
}

#[tokio::test]
async fn a_codex_gets_the_whole_catalogue_and_others_a_list() {
    let world = World::start().await;
    let get = |path: &str| world.http.get(format!("{}{path}", world.url())).bearer_auth(&world.key);
    for path in ["/v1/models?client_version=0.169.0", "/backend-api/codex/models?client_version=0.169.0"] {
        let response = get(path).header("originator", "Codex Desktop").send().await.unwrap();
        let etag = response.headers()["etag"].clone();
        let page: Value = response.json().await.unwrap();
        let first = &page["models"][0];
        assert_eq!(
            (&first["slug"], &first["comp_hash"]),
            (&json!("gpt-6.1-sol"), &json!("demo")),
            "unread members too"
        );
        let again = get(path).header("originator", "codex_exec").header("if-none-match", &etag).send().await.unwrap();
        assert_eq!((again.status().as_u16(), again.headers()["etag"].clone()), (304, etag));
    }
    let one: Value =
        get("/v1/models/gpt-5.5").header("originator", "codex_exec").send().await.unwrap().json().await.unwrap();
    assert_eq!((&one["slug"], &one["shell_type"]), (&json!("gpt-5.5"), &json!("shell_command")));
    let (status, error) =
        error_of(get("/v1/models/none").header("originator", "codex_exec").send().await.unwrap()).await;
    assert_eq!((status, &error["code"]), (404, &json!("model_not_found")));
    let list: Value = get("/v1/models").send().await.unwrap().json().await.unwrap();
    assert_eq!((&list["object"], &list["data"][0]["object"]), (&json!("list"), &json!("model")));
    let one: Value = get("/v1/models/gpt-5.5").send().await.unwrap().json().await.unwrap();
    assert_eq!((&one["id"], &one["object"]), (&json!("gpt-5.5"), &json!("model")));
}

#[tokio::test]
async fn what_a_codex_asks_about_its_account_is_answered_for_the_one_that_serves() {
    let world = World::start().await;
    let get = |path: &str| world.http.get(format!("{}{path}", world.url()));
    for path in ["/backend-api/wham/usage", "/api/codex/usage", "/backend-api/codex/usage"] {
        let (status, _) = error_of(get(path).send().await.unwrap()).await;
        assert_eq!(status, 401, "{path} takes a client key");
        let usage: Value = get(path).bearer_auth(&world.key).send().await.unwrap().json().await.unwrap();
        assert_eq!(usage["rate_limit"]["primary_window"]["used_percent"], 12, "{usage}");
        assert_eq!((&usage["email"], &usage["account_id"]), (&json!("codeferry"), &json!("codeferry")));
    }
    let credits = get("/backend-api/wham/rate-limit-reset-credits").bearer_auth(&world.key).send().await.unwrap();
    assert_eq!(credits.json::<Value>().await.unwrap()["available_count"], 0);
    let check = get("/backend-api/wham/accounts/check").header("chatgpt-account-id", "mine").bearer_auth(&world.key);
    let check: Value = check.send().await.unwrap().json().await.unwrap();
    let account = &check["accounts"][0];
    assert_eq!((&account["id"], &check["default_account_id"]), (&json!("mine"), &json!("mine")));
    assert!(account["workspace_backend_origin"].as_str().unwrap().starts_with("https://127.0.0.1:"), "{check}");
    let text = check.to_string();
    assert!(!text.contains(&world.account.as_ref().unwrap().account_id), "{text}");
    let (status, _) =
        error_of(get("/backend-api/wham/settings/user").bearer_auth(&world.key).send().await.unwrap()).await;
    assert_eq!(status, 404);
    assert!(world.demo.violations().is_empty(), "{:?}", world.demo.violations());

    let world = World::with(Setup { kind: AccountKind::Plan, ..Setup::default() }).await;
    let usage = world.http.get(format!("{}/backend-api/wham/usage", world.url())).bearer_auth(&world.key);
    let usage: Value = usage.send().await.unwrap().json().await.unwrap();
    assert_eq!((&usage["plan_type"], &usage["rate_limit"]), (&json!("plus"), &Value::Null), "its host tells nobody");
}

#[tokio::test]
async fn a_codex_is_told_the_windows_of_the_account_and_the_state_of_its_turn() {
    let world = World::start().await;
    let response = post_as_codex(&world, &of_codex("[[demo:text so]]").to_string()).await;
    assert_eq!(response.headers()["x-codex-primary-used-percent"], "12");
    let state = response.headers().get("x-codex-turn-state").map(|state| state.to_str().unwrap().to_owned());
    heard(response).await;
    if let Some(state) = state {
        assert!(state.starts_with("acc_"), "{state}");
    }
    let others = post(&world, &asking("[[demo:text so]]")).await;
    assert!(others.headers().keys().all(|name| !name.as_str().starts_with("x-codex-")), "{:?}", others.headers());
}

#[tokio::test]
async fn what_stands_beside_answers_is_handed_to_an_account_that_has_it() {
    let world = World::start().await;
    let body = json!({"model": "gpt-5.5", "input": [], "instructions": "i", "tomorrow": [1]});
    let response = world.post("/v1/responses/compact").json(&body).send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert_eq!(response.json::<Value>().await.unwrap()["output"][0]["type"], "compaction");
    let sent = world.demo.requests().into_iter().find(|request| request.path.ends_with("/codex/responses/compact"));
    assert_eq!(sent.unwrap().json(), &body);
    // As the openai SDK asks, and refused as it expects.
    let plainly = json!({"model": "codex-5", "input": "all of it"});
    let response = world.post("/v1/responses/compact").json(&plainly).send().await.unwrap();
    assert_eq!(response.status(), 200, "{}", response.text().await.unwrap());
    for (body, status, code, param) in [
        ("{\"model\":", 400, "invalid_json", Value::Null),
        (r#"{"model":"none","input":[]}"#, 404, "model_not_found", json!("model")),
    ] {
        let refused = world.post("/v1/responses/compact").body(body).send().await.unwrap();
        let (told, error) = error_of(refused).await;
        assert_eq!((told, &error["code"], &error["param"]), (status, &json!(code), &param), "{error}");
    }
    let drawing = json!({"model": "gpt-image-2", "prompt": "a dot"});
    for path in ["/v1/images/generations", "/backend-api/codex/images/edits"] {
        let picture: Value = world.post(path).json(&drawing).send().await.unwrap().json().await.unwrap();
        assert_eq!(picture["data"][0]["revised_prompt"], "a dot", "{picture}");
    }
    let traces = world.post("/v1/memories/trace_summarize").json(&json!({"model": "gpt-5.5", "traces": []}));
    assert_eq!(traces.send().await.unwrap().status(), 200);
    let nobody = world.http.post(format!("{}/v1/responses/compact", world.url())).json(&body).send().await.unwrap();
    assert_eq!(error_of(nobody).await.0, 401);
    assert!(world.demo.violations().is_empty(), "{:?}", world.demo.violations());

    let world = World::with(Setup { kind: AccountKind::Plan, ..Setup::default() }).await;
    let (status, error) = error_of(world.post("/v1/responses/compact").json(&body).send().await.unwrap()).await;
    assert_eq!(status, 404);
    assert!(error["message"].as_str().unwrap().contains("of the kind codex"), "{error}");
    assert_eq!(world.demo.requests().iter().filter(|request| request.path.contains("compact")).count(), 0);
}

#[tokio::test]
async fn pictures_come_as_a_form_and_go_as_a_stream() {
    let world = World::start().await;
    let field =
        |head: &str, value: &str| format!("--b\r\ncontent-disposition: form-data; name={head}\r\n\r\n{value}\r\n");
    let fields = [
        ("prompt", "a dot"),
        ("image[]; filename=a.png", "p"),
        ("model", "gpt-image-2"),
        ("n", "1"),
        ("stream", "true"),
    ];
    let body: String = fields.iter().map(|(head, value)| field(head, value)).collect();
    let edits = |body: String| {
        world.post("/v1/images/edits").header("content-type", "multipart/form-data; boundary=b").body(body)
    };
    let response = edits(body + "--b--\r\n").send().await.unwrap();
    assert!(response.headers()["content-type"].to_str().unwrap().starts_with("text/event-stream"));
    let events = heard(response).await;
    assert_eq!((events.len(), events[0].name.as_str()), (1, "image_edit.completed"));
    assert!(events[0].data["b64_json"].is_string() && events[0].data["usage"]["total_tokens"] == 0, "{events:?}");
    let sent = world.demo.requests().into_iter().rfind(|request| request.path.ends_with("/images/edits")).unwrap();
    let expected = json!({"images": [{"image_url": "data:image/png;base64,cA=="}], "prompt": "a dot", "model": "gpt-image-2", "n": 1});
    assert_eq!(sent.json(), &expected);
    let (status, error) = error_of(edits("--b".to_owned()).send().await.unwrap()).await;
    assert_eq!((status, &error["type"]), (400, &json!("invalid_request_error")), "{error}");
    let drawing = json!({"model": "gpt-image-2", "prompt": "a dot", "stream": true, "partial_images": 2});
    let events = heard(world.post("/v1/images/generations").json(&drawing).send().await.unwrap()).await;
    assert_eq!((events.len(), events[0].name.as_str()), (1, "image_generation.completed"));
    assert!(world.demo.violations().is_empty(), "{:?}", world.demo.violations());
}

/// Nobody else can open what a conversation was summed up to.
#[tokio::test]
async fn a_conversation_is_summed_up_and_goes_on() {
    let world = World::start().await;
    let mut body = of_codex("[[demo:text so]]");
    body["input"].as_array_mut().unwrap().push(json!({"type": "compaction_trigger"}));
    let events = heard(post_as_codex(&world, &body.to_string()).await).await;
    let done = events.iter().find(|event| event.name == "response.output_item.done").unwrap();
    let item = done.data["item"].clone();
    assert_eq!(item["type"], "compaction");
    let mut body = of_codex("[[demo:text Go on.]]");
    body["input"].as_array_mut().unwrap().insert(1, item.clone());
    assert_eq!(text(&heard(post_as_codex(&world, &body.to_string()).await).await), "Go on.");
    assert_eq!(world.last_upstream()["input"][1], item, "with its id");
    assert!(world.demo.violations().is_empty(), "{:?}", world.demo.violations());
}

#[tokio::test]
async fn a_server_of_ones_own_is_asked_by_its_label() {
    let (world, server) = crate::named::with_ollama().await;
    let mut body = asking("[[demo:text From next door.]][[demo:usage]]");
    body["model"] = json!(crate::named::LLAMA);
    body["temperature"] = json!(0.25);
    let said = post(&world, &body).await.text().await.unwrap();
    assert!(said.contains("response.output_text.delta") && said.contains("response.completed"), "{said}");
    body["stream"] = json!(false);
    let whole: Value = post(&world, &body).await.json().await.unwrap();
    assert_eq!(whole["output"][0]["content"][0]["text"], "From next door.", "{whole}");
    assert_eq!(whole["usage"]["output_tokens"], 30, "{whole}");
    let mut of_codex = of_codex("[[demo:text And to a Codex.]]");
    of_codex["model"] = json!(crate::named::LLAMA);
    let said = post_as_codex(&world, &of_codex.to_string()).await.text().await.unwrap();
    assert!(said.contains("And to a Codex."), "{said}");
    let sent = server.requests().into_iter().find(|request| request.path.ends_with("completions")).unwrap();
    assert_eq!(sent.body["temperature"], 0.25);
    assert!(world.demo.model_requests().is_empty(), "the plan was not asked");
    crate::named::clean(&server);
}

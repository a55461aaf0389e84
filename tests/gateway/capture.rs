//! Captures: when they are made, what is in them, and that nobody is disturbed by them.

use std::io::Read as _;
use std::time::Duration;

use codeferry_tests::attempt::pass;
use codeferry_tests::world::asking;
use codeferry_tests::{Setup, World};
use reqwest::Method;
use serde_json::{Value, json};

/// What there is, newest first, once there are so many. An exchange ends when the server lets go of it.
#[expect(clippy::panic, reason = "a test that waits in vain fails")]
async fn captures(world: &World, count: usize) -> Vec<Value> {
    for _ in 0..200 {
        let shown = world.ask(Method::GET, "/capture", json!({})).await;
        let list = shown["captures"].as_array().expect("a list").clone();
        if list.len() >= count {
            assert_eq!(list.len(), count, "{shown}");
            return list;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("there are not {count} captures");
}

/// The last one, whole.
async fn last(world: &World, count: usize) -> Value {
    let list = captures(world, count).await;
    let id = list[0]["id"].as_str().expect("an id").to_owned();
    world.ask(Method::GET, &format!("/capture/{id}"), json!({})).await
}

async fn on(world: &World, body: Value) -> Value {
    let mut wish = json!({"minutes": 10});
    wish.as_object_mut().expect("an object").extend(body.as_object().expect("an object").clone());
    world.ask(Method::POST, "/capture", wish).await
}

fn folder(world: &World) -> std::path::PathBuf {
    world.home.path().join("captures")
}

/// All files there are, unpacked.
fn on_disk(world: &World) -> String {
    let files = std::fs::read_dir(folder(world)).expect("the folder").map(|file| file.expect("a file").path());
    let unpacked = files.map(|file| {
        let mut text = String::new();
        let file = std::fs::File::open(file).expect("a file");
        zstd::Decoder::new(file).expect("zstd").read_to_string(&mut text).expect("a text");
        text
    });
    unpacked.collect()
}

fn texts(stream: &Value) -> String {
    let records = stream["records"].as_array().expect("records");
    records.iter().map(|record| record["text"].as_str().expect("a text")).collect()
}

#[tokio::test]
async fn a_chat_is_taken_down_as_it_went() {
    let world = World::start().await;
    on(&world, json!({})).await;
    let body = json!({"model": "codex-5", "stream": true, "messages": [{"role": "user", "content": "[[demo:text well said]]"}]});
    let response = world.post("/v1/chat/completions").json(&body).send().await.expect("an answer");
    let got = response.text().await.expect("a body");
    let capture = last(&world, 1).await;
    assert_eq!(capture["exchange"]["dialect"], "chat");
    assert_eq!(capture["request"]["line"], "POST /v1/chat/completions HTTP/1.1");
    assert_eq!(capture["request"]["body"]["json"], body);
    assert_eq!(texts(&capture["answer"]["stream"]), got, "byte for byte");
}

#[tokio::test]
async fn nothing_is_kept_unless_somebody_asks() {
    let world = World::start().await;
    world.say("hello").await;
    let shown = world.ask(Method::GET, "/capture", json!({})).await;
    assert_eq!(shown, json!({"on": false, "dropped": 0, "problem": null, "captures": [], "bytes": 0, "damaged": 0}));
    assert!(!folder(&world).exists());
    assert!(!world.ask(Method::GET, "/doctor", json!({})).await.to_string().contains("capture"));
}

#[tokio::test]
async fn a_stream_is_taken_down_from_end_to_end() {
    let world = World::start().await;
    let state = on(&world, json!({})).await;
    assert_eq!((&state["on"], &state["images"], &state["client"]), (&json!(true), &json!(false), &Value::Null));
    assert_eq!(world.ask(Method::GET, "/status", json!({})).await["capture"]["until"], state["until"]);
    let report = world.ask(Method::GET, "/doctor", json!({})).await.to_string();
    assert!(report.contains("codeferry capture off"), "{report}");
    let mut body = asking("[[demo:text well said]]");
    body["stream"] = json!(true);
    let response = world.messages(&body).await;
    let id = response.headers()["request-id"].to_str().expect("text").to_owned();
    let got = response.text().await.expect("a body");

    let capture = last(&world, 1).await;
    assert_eq!(capture["summary"]["id"], json!(id));
    assert_eq!(capture["exchange"]["id"], json!(id));
    assert_eq!(capture["exchange"]["outcome"], "completed");
    assert_eq!(capture["request"]["line"], "POST /v1/messages HTTP/1.1");
    assert_eq!(capture["request"]["body"]["json"], body);
    let attempt = &capture["attempts"][0];
    assert_eq!(attempt["lowered"]["json"], world.last_upstream());
    assert_eq!(attempt["answer"]["status"], 200);
    assert!(texts(&attempt["answer"]["stream"]).contains("response.completed"));
    assert_eq!(capture["answer"]["status"], 200);
    assert_eq!(capture["answer"]["whole"], true);
    assert_eq!(texts(&capture["answer"]["stream"]), got, "byte for byte");
    assert_eq!(capture["version"], codeferry_app::VERSION);
    assert_eq!(capture["settings"]["rotation"], "personal");
}

#[tokio::test]
async fn an_answer_in_one_piece_and_a_refusal() {
    let world = World::start().await;
    on(&world, json!({})).await;
    let got: Value = world.messages(&asking("[[demo:text so]]")).await.json().await.expect("JSON");
    let capture = last(&world, 1).await;
    assert_eq!(capture["answer"]["body"]["json"], got);
    let refusal = world.refused("[[demo:overflow status]]").await;
    let capture = last(&world, 2).await;
    assert_eq!(capture["answer"]["status"], 400);
    assert_eq!(capture["answer"]["body"]["json"]["error"]["message"], json!(refusal.message));
    assert_eq!(capture["attempts"][0]["answer"]["status"], 400, "what the upstream said");
    assert!(capture["attempts"][0]["answer"]["body"]["json"]["error"].is_object(), "{capture}");
    // What is not even understood.
    let response = world.post("/v1/messages").body("{\"model\": nonsense").send().await.expect("an answer");
    assert_eq!(response.status(), 400);
    drop(response);
    let capture = last(&world, 3).await;
    assert_eq!(capture["request"]["body"]["text"], "{\"model\": nonsense");
    assert_eq!((&capture["attempts"], &capture["answer"]["status"]), (&json!([]), &json!(400)));
}

#[tokio::test]
async fn each_attempt_is_there_with_what_the_upstream_said() {
    let world = World::start().await;
    on(&world, json!({})).await;
    world.say("[[demo:500]]").await;
    let capture = last(&world, 1).await;
    let attempts = capture["attempts"].as_array().expect("attempts");
    assert_eq!(attempts.len(), 2);
    assert_eq!((&attempts[0]["answer"]["status"], &attempts[1]["answer"]["status"]), (&json!(500), &json!(200)));
    assert!(attempts[0]["failure"].is_string() && attempts[1].get("failure").is_none());
    assert!(attempts[0]["answer"]["headers"].to_string().contains("x-request-id"));
    assert_eq!(attempts[1]["lowered"]["same_as"], 1);
    assert!(attempts[0]["at_ms"].as_u64() < attempts[1]["at_ms"].as_u64());
    // A break after the first byte.
    world.say("[[demo:cut]]").await;
    let capture = last(&world, 2).await;
    assert_eq!(capture["exchange"]["error"], "upstream cut off");
    assert!(texts(&capture["answer"]["stream"]).contains("event: error"));
}

#[tokio::test]
async fn who_leaves_is_seen_to_leave() {
    let world = World::start().await;
    on(&world, json!({})).await;
    let mut body = asking("[[demo:drip 100 100]]");
    body["stream"] = json!(true);
    let mut response = world.messages(&body).await;
    response.chunk().await.expect("the beginning");
    drop(response);
    let capture = last(&world, 1).await;
    assert_eq!((&capture["exchange"]["outcome"], &capture["answer"]["whole"]), (&json!("cancelled"), &json!(false)));
}

#[tokio::test]
async fn only_of_the_client_that_is_meant() {
    let world = World::start().await;
    let other = codeferry_app::client_keys(&codeferry_app::Paths::at(world.home.path())).expect("keys");
    let other = other.create("other", jiff::Timestamp::now()).expect("a key").key;
    let (status, refused) =
        world.ask_refused(Method::POST, "/capture", json!({"minutes": 1, "client": "nobody"})).await;
    assert_eq!((status, &refused["code"]), (404, &json!("unknown_key")));
    for minutes in [0, 241] {
        let (status, _) = world.ask_refused(Method::POST, "/capture", json!({"minutes": minutes})).await;
        assert_eq!(status, 400);
    }
    on(&world, json!({"client": "other"})).await;
    world.say("[[demo:text mine]]").await;
    let url = format!("{}/v1/messages", world.url());
    let theirs = world.http.post(&url).bearer_auth(&other).json(&asking("[[demo:text theirs]]"));
    theirs.send().await.expect("an answer").text().await.expect("a body");
    // Nor of anybody without a key.
    world.http.post(&url).json(&asking("x")).send().await.expect("an answer");
    let capture = last(&world, 1).await;
    assert_eq!(capture["summary"]["client"], "other");
    assert!(!on_disk(&world).contains("mine"));
}

#[tokio::test]
async fn it_ends_by_itself_and_by_a_word_and_with_the_gateway() {
    let world = World::start().await;
    on(&world, json!({"minutes": 10})).await;
    pass(Duration::from_secs(9 * 60)).await;
    world.say("[[demo:text one]]").await;
    captures(&world, 1).await;
    pass(Duration::from_secs(61)).await;
    world.say("[[demo:text two]]").await;
    assert_eq!(world.ask(Method::GET, "/status", json!({})).await["capture"]["on"], false);

    on(&world, json!({})).await;
    assert_eq!(world.control(Method::DELETE, "/capture").send().await.expect("an answer").status(), 204);
    world.say("[[demo:text three]]").await;

    on(&world, json!({})).await;
    let world = world.restart().await;
    world.say("[[demo:text four]]").await;
    let left = captures(&world, 1).await;
    assert_eq!(world.ask(Method::GET, "/capture", json!({})).await["on"], false);
    let text = on_disk(&world);
    assert!(
        text.contains("one")
            && !["[[demo:text two", "[[demo:text three", "[[demo:text four"].iter().any(|word| text.contains(word))
    );

    let path = format!("/capture/{}", left[0]["id"].as_str().expect("an id"));
    assert_eq!(world.control(Method::DELETE, &path).send().await.expect("an answer").status(), 204);
    let (status, refused) = world.ask_refused(Method::GET, &path, json!({})).await;
    assert_eq!((status, &refused["code"]), (404, &json!("unknown_capture")));
}

#[tokio::test]
async fn no_secret_is_in_it_however_it_is_shown() {
    let world = World::start().await;
    on(&world, json!({})).await;
    let secret = "sk-proj-0123456789abcdefABCDEF";
    // The model says one word at a time, so this one is known by the word before it alone.
    let spread = "qwertzuiopasdf";
    let mut body = asking(&format!(
        "[[demo:text your key is {secret} or Bearer {spread} I think]] {{\"password\": \"hunter22\"}}"
    ));
    body["stream"] = json!(true);
    body["metadata"] = json!({"user_id": "user_1"});
    let cookie = "session=geheim";
    let request = world.post("/v1/messages").header("cookie", cookie).header("x-api-key", &world.key);
    let answer = request.json(&body).send().await.expect("an answer").text().await.expect("a body");
    assert!(answer.contains(secret) && !answer.contains(&format!("Bearer {spread}")), "{answer}");
    let capture = last(&world, 1).await;

    let said = |stream: &Value, name: &str| -> String {
        let records = texts(stream);
        let data = records.lines().filter_map(|line| line.strip_prefix("data: "));
        let events = data.map(|data| serde_json::from_str::<Value>(data).expect("JSON"));
        events.filter_map(|event| event.pointer(name).and_then(Value::as_str).map(str::to_owned)).collect()
    };
    assert_eq!(
        said(&capture["answer"]["stream"], "/delta/text"),
        "your key is «redacted» or Bearer «redacted» I think"
    );
    assert_eq!(
        said(&capture["attempts"][0]["answer"]["stream"], "/delta"),
        "your key is «redacted» or Bearer «redacted» I think"
    );

    let id = capture["summary"]["id"].as_str().expect("an id");
    let bundle = world.control(Method::GET, &format!("/capture/{id}/bundle")).send().await.expect("an answer");
    assert_eq!(bundle.headers()["content-type"], "application/gzip");
    assert!(
        bundle.headers()["content-disposition"].to_str().expect("text").contains(&format!("codeferry-{id}.json.gz"))
    );
    let packed = bundle.bytes().await.expect("a body");
    let mut text = String::new();
    flate2::read::GzDecoder::new(&packed[..]).read_to_string(&mut text).expect("gzip");
    let bundle: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(bundle["request"]["body"]["json"]["metadata"]["user_id"], "«person»");
    let token = codeferry_app::control_token(&codeferry_app::Paths::at(world.home.path())).expect("a token").expose();
    let access = world.demo.model_requests()[0].header("authorization").expect("a token").to_owned();
    let access = access.trim_start_matches("Bearer ");
    for shown in [&on_disk(&world), &capture.to_string(), &text] {
        for secret in [secret, spread, "hunter22", cookie, world.key.as_str(), token.as_str(), access] {
            assert!(!shown.contains(secret), "{secret} in {shown}");
        }
        assert!(shown.contains("«redacted»"));
    }
}

#[tokio::test]
async fn pictures_only_if_they_are_wanted() {
    let world = World::start().await;
    let png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVQI12P4z8AAAAACAAE=";
    let mut body = asking("x");
    body["messages"][0]["content"] = json!([
        {"type": "text", "text": "[[demo:text nice]]"},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": png}},
    ]);
    on(&world, json!({})).await;
    world.stream(&body).await;
    let capture = last(&world, 1).await;
    let note = &capture["request"]["body"]["json"]["messages"][0]["content"][1]["source"]["data"];
    assert_eq!((&note["media_type"], &note["bytes"]), (&json!("image/png"), &json!(53)));
    assert!(!on_disk(&world).contains(&png[12..40]));
    on(&world, json!({"images": true})).await;
    world.stream(&body).await;
    let capture = last(&world, 2).await;
    assert_eq!(capture["request"]["body"]["json"], {
        body["stream"] = json!(true);
        body
    });
    assert!(capture["attempts"][0]["lowered"].to_string().contains(png));
}

#[tokio::test]
async fn long_ones_are_cut_and_old_ones_go() {
    let settings = vec![("capture_part_kib", "1".to_owned())];
    let world = World::with(Setup { settings, ..Setup::default() }).await;
    on(&world, json!({})).await;
    world.say(&"much ".repeat(1000)).await;
    let capture = last(&world, 1).await;
    let body = &capture["request"]["body"];
    assert!(body["cut"].as_u64() > Some(3000) && body["text"].as_str().map(str::len) == Some(1024), "{body}");
    // The name of the file tells its time.
    let file = std::fs::read_dir(folder(&world)).expect("the folder").next().expect("a file").expect("a file").path();
    let name = file.file_name().expect("a name").to_string_lossy().into_owned();
    let (at, rest) = name.split_once('-').expect("a time");
    let older = at.parse::<u64>().expect("a time") - 25 * 3_600_000;
    std::fs::rename(&file, file.with_file_name(format!("{older:013}-{rest}"))).expect("renamed");
    captures(&world, 0).await;
    assert_eq!(std::fs::read_dir(folder(&world)).expect("the folder").count(), 0);
}

#[tokio::test]
async fn a_disk_that_takes_nothing_disturbs_nobody_and_is_shown() {
    let world = World::start().await;
    std::fs::write(folder(&world), "in the way").expect("a file in its place");
    on(&world, json!({})).await;
    let events = world.say("hello").await;
    assert_eq!(events.last().expect("an end").name, "message_stop");
    for _ in 0..200 {
        let capture = world.ask(Method::GET, "/status", json!({})).await["capture"].clone();
        if capture["dropped"] == 1 {
            assert!(capture["problem"].as_str().is_some_and(|problem| problem.contains("captures")), "{capture}");
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("nobody says that the capture is lost");
}

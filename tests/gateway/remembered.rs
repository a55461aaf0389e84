//! What the request log says of exchanges of every kind of end.

use std::time::Duration;

use codeferry_store::log::{Filter, Found, Outcome};
use codeferry_tests::world::asking;
use codeferry_tests::{Setup, World};
use serde_json::json;

/// The rows, newest first, once there are so many. An exchange that was left ends when the server notices.
#[expect(clippy::panic, reason = "a test that waits in vain fails")]
async fn rows(world: &World, count: usize) -> Vec<Found> {
    for _ in 0..200 {
        let log = world.gateway.log().clone();
        let page = tokio::task::spawn_blocking(move || log.page(&Filter::default(), None, 100)).await;
        let found = page.expect("no panic").expect("the log can be read").exchanges;
        if found.len() >= count {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("there are not {count} rows");
}

#[tokio::test]
async fn an_exchange_is_written_down_with_its_figures() {
    let world = World::start().await;
    let response = world
        .post("/v1/messages")
        .header("user-agent", "claude-cli/2.1")
        .header("x-claude-code-session-id", "5f0d9a4e-0000-4000-8000-000000000001")
        .json(&asking("hello"))
        .send()
        .await
        .expect("an answer");
    let id = response.headers()["request-id"].to_str().expect("text").to_owned();
    response.text().await.expect("a body");

    let account = world.gateway.pool().list()[0].id.to_string();
    let found = rows(&world, 1).await.remove(0);
    let x = found.exchange;
    assert_eq!(x.id, id);
    assert_eq!((x.client.as_str(), x.dialect.as_str(), x.path.as_str()), ("test", "anthropic", "/v1/messages"));
    assert_eq!((x.asked.as_str(), x.model.as_str()), ("claude-opus-4-8", "gpt-6.1-sol"));
    assert_eq!((x.provider.as_str(), x.account.clone()), ("codex", account.clone()));
    assert_eq!(x.user_agent.as_deref(), Some("claude-cli/2.1"));
    assert_eq!(x.conversation.as_deref(), Some("5f0d9a4e-0000-4000-8000-000000000001"));
    assert_eq!((x.outcome, x.status, x.error), (Outcome::Completed, Some(200), None));
    assert!(x.route.is_some_and(|why| why.contains("opus")) && x.picked.is_some());
    let tokens = x.tokens.expect("the upstream said");
    assert!(tokens.input > 0 && tokens.output > 0, "{tokens:?}");
    assert!(found.cost_nano_usd.is_some_and(|cost| cost > 0));
    assert_eq!(x.attempts.len(), 1);
    assert_eq!((x.attempts[0].account.clone(), x.attempts[0].failure.clone()), (account, None));
    assert_eq!(x.upstream_id, x.attempts[0].upstream_id);
    assert!(x.upstream_id.is_some() && x.first_byte_ms.is_some());
}

#[tokio::test]
async fn refusals_retries_and_cuts_say_why() {
    let world = World::start().await;
    let refused = world.refused("[[demo:overflow status]]").await;
    let x = rows(&world, 1).await.remove(0).exchange;
    assert_eq!((x.outcome, x.status), (Outcome::Refused, Some(refused.status)));
    assert_eq!(x.message.as_deref(), Some(refused.message.as_str()));
    assert_eq!(x.attempts[0].failure.as_deref(), Some("context_overflow"));

    // The first try finds no server; the second answers.
    world.say("[[demo:500]]").await;
    let x = rows(&world, 2).await.remove(0).exchange;
    let tries: Vec<_> = x.attempts.iter().map(|attempt| (attempt.failure.as_deref(), attempt.status)).collect();
    assert_eq!((x.outcome, tries), (Outcome::Completed, vec![(Some("server"), Some(500)), (None, None)]));

    let ids: Vec<_> = x.attempts.iter().map(|attempt| attempt.upstream_id.clone()).collect();
    assert!(ids[0].is_some() && ids[1].is_some() && ids[0] != ids[1], "each has its own: {ids:?}");
    assert_eq!(x.upstream_id, ids[1]);

    world.say("[[demo:cut]]").await;
    let x = rows(&world, 3).await.remove(0).exchange;
    assert_eq!((x.outcome, x.status, x.error.as_deref()), (Outcome::Failed, Some(200), Some("upstream cut off")));
    assert!(x.message.is_some_and(|message| message.contains("broke off")));

    world.http.post(format!("{}/v1/messages", world.url())).json(&asking("x")).send().await.expect("an answer");
    let x = rows(&world, 4).await.remove(0).exchange;
    assert_eq!((x.client.as_str(), x.status, x.error.as_deref()), ("", Some(401), Some("authentication_error")));
    assert_eq!(x.attempts, []);
}

#[tokio::test]
async fn nothing_of_what_was_said_is_in_the_file() {
    let world = World::start().await;
    let secret = "the-cat-is-called-mitzi";
    world.say(&format!("say {secret}")).await;
    let mut body = asking(secret);
    body["tools"] = json!([{"name": secret, "input_schema": {"type": "object"}}]);
    body["tool_choice"] = json!({"type": "tool", "name": "another"});
    world.messages(&body).await;
    rows(&world, 2).await;
    world.gateway.log().close();
    for file in std::fs::read_dir(world.home.path()).expect("the folder").map(|entry| entry.expect("an entry").path()) {
        if file.to_string_lossy().contains("requests") {
            let bytes = std::fs::read(&file).expect("the file");
            assert!(!bytes.windows(secret.len()).any(|part| part == secret.as_bytes()), "{}", file.display());
        }
    }
}

#[tokio::test]
async fn a_log_that_cannot_be_written_disturbs_nobody_and_is_shown() {
    let world = World::start().await;
    std::fs::create_dir(world.home.path().join("requests.sqlite")).expect("a folder in its place");
    let events = world.say("hello").await;
    assert_eq!(events.last().expect("an end").name, "message_stop");
    for _ in 0..100 {
        let status = world.ask(reqwest::Method::GET, "/status", json!({})).await;
        if status["request_log"]["dropped"] == 1 {
            assert!(
                status["request_log"]["problem"].as_str().is_some_and(|problem| problem.contains("requests.sqlite"))
            );
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("nobody says that the row is lost");
}

#[tokio::test]
async fn who_leaves_is_written_down() {
    let world = World::with(Setup::default()).await;
    let mut body = asking("[[demo:drip 100 100]]");
    body["stream"] = json!(true);
    let mut response = world.messages(&body).await;
    response.chunk().await.expect("the beginning");
    drop(response);
    let x = rows(&world, 1).await.remove(0).exchange;
    assert_eq!((x.outcome, x.tokens), (Outcome::Cancelled, None));
}

#[tokio::test]
async fn the_log_can_be_switched_off_while_it_runs() {
    let world = World::start().await;
    world.say("one").await;
    rows(&world, 1).await;
    world.gateway.settings().set("request_log", "false").expect("a setting");
    // The writer is told by whoever follows the settings.
    for _ in 0..100 {
        world.say("two").await;
        let before = rows(&world, 1).await.len();
        world.say("three").await;
        if rows(&world, 1).await.len() == before {
            return;
        }
    }
    panic!("it is still written");
}

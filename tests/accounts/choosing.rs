//! Whose plan pays for a request, and who steps in.

use codeferry_demo::{AccountKind, Route, Scripted};
use codeferry_tests::World;
use codeferry_tests::sse::{check_grammar, text};
use codeferry_tests::world::{Refusal, asking};
use reqwest::Method;
use serde_json::{Value, json};

use crate::{at_work, end};

const OTHERS: [&str; 4] = ["sticky", "round_robin", "least_in_flight", "fill_first"];

/// `work`, which is active, and `home`.
async fn two(rotation: &str) -> World {
    let world = at_work(&[("rotation", rotation)]).await;
    world.add(AccountKind::Codex, "home").await;
    world
}

/// Whose token each request to a model came with; nothing for one that counts no more.
fn asked(world: &World) -> Vec<String> {
    world.demo.model_requests().into_iter().map(|request| request.account.unwrap_or_default()).collect()
}

/// How `work` and the others are, and why.
async fn states(world: &World) -> Vec<(String, Value)> {
    let state = |account: &Value| (account["state"].as_str().unwrap().to_owned(), account["why"].clone());
    world.accounts().await.iter().map(state).collect()
}

fn usage_limit(seconds: i64) -> Scripted {
    let error = json!({"type": "usage_limit_reached", "message": "The usage limit has been reached", "plan_type": "plus",
        "resets_in_seconds": seconds});
    Scripted::json(429, &json!({"error": error}))
}

/// The same inside a 200 stream, before anything worth sending.
fn hidden_limit(first: &str) -> Scripted {
    let created = json!({"type": "response.created", "response": {"id": "resp_1", "status": "in_progress"}});
    let error = json!({"type": "usage_limit_reached", "code": "usage_limit_reached", "resets_in_seconds": 10_800,
        "message": "The usage limit has been reached"});
    let failed = match first {
        "error" => json!({"type": "error", "error": error}),
        _ => json!({"type": "response.failed", "response": {"id": "resp_1", "status": "failed", "error": error}}),
    };
    let events = if first == "failed" { vec![failed] } else { vec![created, failed] };
    let frame = |event: &Value| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap());
    Scripted::sse(events.iter().map(frame).collect::<String>())
}

fn refused_token() -> Scripted {
    let error = json!({"message": "Provided authentication token is expired.", "type": null, "code": "token_expired"});
    Scripted::json(401, &json!({"error": error, "status": 401}))
}

/// A conversation of a Claude Code session, turn by turn.
struct Talk<'w> {
    world: &'w World,
    session: &'static str,
    messages: Vec<Value>,
}

impl<'w> Talk<'w> {
    fn new(world: &'w World, session: &'static str) -> Self {
        Self { world, session, messages: Vec::new() }
    }

    /// Says something; what goes upstream for it, and who paid.
    async fn say(&mut self, text: &str) -> (Value, String) {
        self.messages.push(json!({"role": "user", "content": text}));
        let mut body = asking("");
        body["messages"] = json!(self.messages);
        let request = self.world.post("/v1/messages").header("x-claude-code-session-id", self.session);
        let answer: Value = request.json(&body).send().await.unwrap().json().await.unwrap();
        assert_eq!(answer["type"], "message", "{answer}");
        self.messages.push(json!({"role": "assistant", "content": answer["content"]}));
        let last = self.world.demo.model_requests().pop().unwrap();
        (last.json().clone(), last.account.unwrap())
    }
}

/// What of its reasoning a request shows to the upstream again.
fn sealed(body: &Value) -> Vec<String> {
    let items = body["input"].as_array().unwrap().iter();
    items.filter_map(|item| item["encrypted_content"].as_str().map(str::to_owned)).collect()
}

#[tokio::test]
async fn nobody_steps_in_unless_told_to() {
    let world = at_work(&[]).await;
    world.add(AccountKind::Codex, "home").await;
    let list = world.ask(Method::GET, "/accounts", json!({})).await;
    assert_eq!(list["rotation"], "personal", "the default");
    let refusal = world.refused("[[demo:limit 10800]]").await;
    assert_eq!((refusal.status, refusal.should_retry.as_deref()), (429, Some("false")));
    let refusal = world.refused("[[demo:text hi]]").await;
    assert_eq!(refusal.status, 429);
    assert!(refusal.message.contains("work@demo.test") && !refusal.message.contains("home"), "{refusal:?}");
    assert_eq!(asked(&world), ["acc-work"], "the other plan was never touched");
    world.ask(Method::POST, "/accounts/work@demo.test/wake", json!({})).await;
    assert_eq!(text(&world.say("[[demo:text awake]]").await), "awake");
    assert_eq!(asked(&world), ["acc-work"; 2]);
    end(world).await;
}

/// The limit comes as a status, or hides in the first event of a 200 stream: the client sees one whole answer.
#[tokio::test]
async fn another_account_steps_in_before_the_first_byte() {
    for rotation in OTHERS {
        for limit in ["status", "failed", "created", "error"] {
            let world = two(rotation).await;
            world.demo.push(if limit == "status" { usage_limit(10_800) } else { hidden_limit(limit) });
            let events = world.say("[[demo:text moved]]").await;
            check_grammar(&events);
            assert_eq!(text(&events), "moved", "{rotation}, {limit}");
            assert_eq!(asked(&world), ["acc-work", "acc-home"], "{rotation}, {limit}");
            let states = states(&world).await;
            assert_eq!(states[0], ("cooling_down".to_owned(), json!("usage_limit")), "{rotation}, {limit}");
            assert_eq!(states[1].0, "ready");
            end(world).await;
        }
    }
}

#[tokio::test]
async fn after_the_first_byte_nobody_steps_in() {
    let world = two("sticky").await;
    let events = world.say("[[demo:limit 10800 late]]").await;
    assert_eq!(events.last().unwrap().name, "error");
    assert_eq!(asked(&world), ["acc-work"]);
    assert_eq!(states(&world).await[0].0, "cooling_down", "but it is remembered");
    world.say("[[demo:text hi]]").await;
    assert_eq!(asked(&world), ["acc-work", "acc-home"]);
    end(world).await;
}

/// Another plan pays from then on, so the status says so: in the middle of a request, or between two of them.
#[tokio::test]
async fn who_took_over_is_told() {
    let told = async |world: &World| world.ask(Method::GET, "/status", json!({})).await["failed_over"].clone();
    for (rotation, marker) in [("sticky", "[[demo:limit 10800 late]]"), ("fill_first", ""), ("round_robin", "")] {
        let world = two(rotation).await;
        let ids: Vec<Value> = world.accounts().await.iter().map(|account| account["id"].clone()).collect();
        world.say("[[demo:text hi]]").await;
        assert_eq!(told(&world).await, Value::Null, "{rotation}: nothing happened yet");
        if marker.is_empty() {
            // In turns it is home's, and work steps in.
            world.demo.push(usage_limit(10_800));
        } else {
            world.say(marker).await;
            assert_eq!(told(&world).await, Value::Null, "{rotation}: nobody has taken over so far");
        }
        world.say("[[demo:text moved]]").await;
        let first = told(&world).await;
        let (from, to) = if rotation == "round_robin" { (1, 0) } else { (0, 1) };
        assert_eq!((&first["from"], &first["to"]), (&ids[from], &ids[to]), "{rotation}: {first}");
        let why = first["why"].as_str().unwrap();
        assert!(why.contains("limit") && first["until"].is_string() && first["at"].is_string(), "{first}");
        world.say("[[demo:text on]]").await;
        assert_eq!(told(&world).await, first, "{rotation}: once for each time");
        end(world).await;
    }
    // Turns that are taken anyway are no news, and in personal mode nobody takes over.
    let world = two("round_robin").await;
    for _ in 0..3 {
        world.say("[[demo:text hi]]").await;
    }
    assert_eq!(told(&world).await, Value::Null);
    world.ask(Method::PUT, "/settings/rotation", json!({"value": "personal"})).await;
    world.refused("[[demo:limit 10800]]").await;
    assert_eq!(told(&world).await, Value::Null);
    end(world).await;
}

#[tokio::test]
async fn a_conversation_stays_where_it_is() {
    let world = two("round_robin").await;
    let (mut one, mut other) = (
        Talk::new(&world, "11111111-1111-4111-8111-111111111111"),
        Talk::new(&world, "22222222-2222-4222-8222-222222222222"),
    );
    let think = "[[demo:reasoning so be it]][[demo:text so]]";
    let mut known = Vec::new();
    for turn in 0..3 {
        let (body, account) = one.say(think).await;
        assert_eq!(account, "acc-work", "it begins at the active one");
        assert_eq!(sealed(&body).len(), turn, "what it thought so far goes along");
        known = sealed(&body);
        assert_eq!(other.say(think).await.1, "acc-home", "the next conversation takes the next one");
    }
    // Its account is used up in the middle of it.
    world.demo.push(hidden_limit("created"));
    let (body, account) = one.say(think).await;
    assert_eq!(account, "acc-home");
    assert_eq!(sealed(&body), Vec::<String>::new(), "what one account sealed is not shown to another");
    let at_work = world.demo.model_requests();
    let refused = &at_work[at_work.len() - 2];
    assert_eq!((refused.account.as_deref(), sealed(refused.json()).len()), (Some("acc-work"), 3));
    // There it stays, though the first one can serve again; what it thinks there goes along there.
    world.ask(Method::POST, "/accounts/work@demo.test/wake", json!({})).await;
    let (body, account) = one.say(think).await;
    assert_eq!((account.as_str(), sealed(&body).len()), ("acc-home", 1));
    assert!(sealed(&body).iter().all(|item| !known.contains(item)));
    assert_eq!(other.say(think).await.1, "acc-home");
    end(world).await;
}

#[tokio::test]
async fn the_account_with_least_to_do() {
    let world = two("least_in_flight").await;
    let mut body = asking("[[demo:silence 3600 inside]]");
    body["stream"] = json!(true);
    let under_way = world.messages(&body).await;
    world.demo.wait_for(1).await;
    assert_eq!(world.accounts().await[0]["in_flight"], 1);
    for _ in 0..2 {
        world.say("[[demo:text hi]]").await;
    }
    assert_eq!(asked(&world), ["acc-work", "acc-home", "acc-home"], "the first is busy");
    world.demo.release();
    under_way.text().await.unwrap();
    end(world).await;
}

#[tokio::test]
async fn the_first_in_line_until_it_is_used_up() {
    let world = two("fill_first").await;
    world.ask(Method::POST, "/accounts/home@demo.test/priority", json!({"priority": 5})).await;
    for _ in 0..3 {
        world.say("[[demo:text hi]]").await;
    }
    world.demo.push(usage_limit(10_800));
    world.say("[[demo:text hi]]").await;
    world.say("[[demo:text another conversation]]").await;
    assert_eq!(asked(&world), ["acc-home", "acc-home", "acc-home", "acc-home", "acc-work", "acc-work"]);
    end(world).await;
}

#[tokio::test]
async fn each_reason_has_its_own_name() {
    let deactivated = json!({"detail": {"code": "deactivated_workspace", "message": "This workspace is deactivated."}});
    let not_included =
        json!({"error": {"type": "usage_not_included", "message": "Usage is not included in your plan"}});
    let page = "<!DOCTYPE html><html><head><title>Just a moment...</title></head><body></body></html>";
    for (answer, why) in [
        (Scripted::json(402, &deactivated), "workspace_deactivated"),
        (Scripted::json(429, &not_included), "plan_mismatch"),
        (Scripted::json(403, &json!({"detail": "workspace_access_denied"})), "unavailable"),
        (Scripted::status(403, "text/html", page).header("cf-mitigated", "challenge"), "challenge"),
    ] {
        let world = two("sticky").await;
        world.demo.push(answer);
        assert_eq!(text(&world.say("[[demo:text moved]]").await), "moved", "{why}");
        assert_eq!(asked(&world), ["acc-work", "acc-home"], "{why}");
        let states = states(&world).await;
        assert_eq!(states[0].1, why, "{states:?}");
        end(world).await;
    }
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_and_then_somebody_else_is_asked() {
    let world = two("sticky").await;
    world.demo.push(refused_token());
    assert_eq!(text(&world.say("[[demo:text renewed]]").await), "renewed");
    assert_eq!((asked(&world), world.demo.refresh_count()), (vec!["acc-work".to_owned(); 2], 1));

    world.demo.push(refused_token());
    world.demo.push(refused_token());
    assert_eq!(text(&world.say("[[demo:text moved]]").await), "moved");
    assert_eq!(asked(&world)[2..], ["acc-work", "acc-work", "acc-home"]);
    assert_eq!(world.demo.refresh_count(), 2, "once for each request");
    assert_eq!(states(&world).await[0].0, "needs_sign_in");
    end(world).await;
}

/// The sign-in has ended, or the auth host is away: another account steps in, where one may.
#[tokio::test]
async fn a_token_that_cannot_be_renewed() {
    let world = two("sticky").await;
    world.demo.revoke_sign_ins("acc-work");
    assert_eq!(text(&world.say("[[demo:text moved]]").await), "moved");
    assert_eq!(asked(&world), ["", "acc-home"]);
    assert_eq!(states(&world).await[0].0, "needs_sign_in");
    end(world).await;

    let world = two("sticky").await;
    world.demo.push(refused_token());
    world.demo.fail_next_refresh(codeferry_demo::TokenFault::Status(500));
    assert_eq!(text(&world.say("[[demo:text moved]]").await), "moved");
    assert_eq!(asked(&world), ["acc-work", "acc-home"]);
    assert_eq!(states(&world).await[0].0, "ready", "a bad moment of the auth host is no end");
    end(world).await;

    // Alone, it says why.
    let world = at_work(&[]).await;
    world.demo.revoke_sign_ins("acc-work");
    let refusal = world.refused("hello").await;
    assert!(refusal.status == 503 && refusal.message.contains("needs sign-in"), "{refusal:?}");
    end(world).await;
}

/// Each account's reason, and when the first of them can serve again.
#[tokio::test]
async fn nobody_can_serve() {
    let world = two("fill_first").await;
    world.add(AccountKind::Codex, "third").await;
    world.add(AccountKind::Codex, "fourth").await;
    world.ask(Method::POST, "/accounts/third@demo.test/pause", json!({})).await;
    world.demo.revoke_sign_ins("acc-fourth");
    world.demo.push(usage_limit(10_800));
    world.demo.push(usage_limit(40));
    // The request that finds it out, and the one that comes after it.
    let first = world.refused("hello").await;
    assert_eq!(asked(&world), ["acc-work", "acc-home", ""]);
    let second = world.refused("hello").await;
    assert_eq!(asked(&world).len(), 3, "nobody is asked in vain");
    for refusal in [first, second] {
        assert_eq!((refusal.status, refusal.kind.as_str()), (429, "rate_limit_error"), "{refusal:?}");
        let seconds: u64 = refusal.retry_after.as_deref().unwrap().parse().unwrap();
        assert!((30..=40).contains(&seconds), "{refusal:?}");
        for part in
            ["work@demo.test: ", "home@demo.test: ", "third@demo.test: paused", "fourth@demo.test: ", "usage limit"]
        {
            assert!(refusal.message.contains(part), "{part}: {refusal:?}");
        }
        assert_eq!(refusal.should_retry, None, "it passes by itself within a minute");
    }
    let answer = world.messages(&asking("hello")).await;
    assert_eq!(Refusal::of(answer).await.status, 429, "not streamed, it is the same");
    end(world).await;
}

/// A rest that is shorter than the overall deadline is sat out in `sticky`, and the client sees one whole answer. In the other modes the client
/// is told to wait, and so it is in `sticky` when the rest is longer.
#[tokio::test]
async fn sticky_waits_for_a_short_rest() {
    for rotation in OTHERS {
        let world = two(rotation).await;
        world.demo.push(usage_limit(2));
        world.demo.push(usage_limit(2));
        if rotation == "sticky" {
            let events = world.say("[[demo:text waited]]").await;
            check_grammar(&events);
            assert_eq!(text(&events), "waited");
            assert_eq!(asked(&world), ["acc-work", "acc-home", "acc-home"], "it stays where it moved");
        } else {
            assert_eq!(world.refused("hello").await.status, 429, "{rotation}");
            assert_eq!(asked(&world).len(), 2, "{rotation}");
        }
        end(world).await;
    }
    let world = two("sticky").await;
    world.demo.push(usage_limit(130));
    world.demo.push(usage_limit(10_800));
    assert_eq!(world.refused("hello").await.status, 429);
    end(world).await;
}

/// The auth host had a bad moment before the wait: after it, a refused token is renewed as if it were the first.
#[tokio::test]
async fn a_renewal_that_failed_before_a_wait_is_tried_again_after_it() {
    let world = two("sticky").await;
    world.demo.push(refused_token());
    world.demo.fail_next_refresh(codeferry_demo::TokenFault::Status(500));
    world.demo.push(usage_limit(2));
    world.demo.push(refused_token());
    let pausing = async {
        world.demo.wait_until(|seen| seen.iter().filter(|one| one.route == Route::CodexResponses).count() == 2).await;
        world.ask(Method::POST, "/accounts/home@demo.test/pause", json!({})).await;
    };
    let (events, ()) = tokio::join!(world.say("[[demo:text waited]]"), pausing);
    assert_eq!(text(&events), "waited");
    assert_eq!(asked(&world), ["acc-work", "acc-home", "acc-work", "acc-work"]);
    assert_eq!(states(&world).await[0].0, "ready");
    end(world).await;
}

#[tokio::test]
async fn a_flaky_line_benches_nobody() {
    let world = two("sticky").await;
    world.demo.push(Scripted::reset());
    assert_eq!(text(&world.say("[[demo:text through]]").await), "through");
    assert_eq!(asked(&world), ["acc-work"; 2], "the same account, once more");
    let refusal = world.refused("[[demo:reset]]").await;
    assert_eq!((refusal.status, refusal.should_retry), (502, None));
    for (state, why) in states(&world).await {
        assert_eq!((state.as_str(), why), ("ready", Value::Null));
    }
    assert_eq!(text(&world.say("[[demo:text fine]]").await), "fine");
    end(world).await;

    // Where nobody can step in, however often it happens.
    let world = at_work(&[]).await;
    for _ in 0..5 {
        world.refused("[[demo:reset]]").await;
    }
    assert_eq!(states(&world).await[0].0, "ready");
    assert_eq!(text(&world.say("[[demo:text fine]]").await), "fine");
    end(world).await;
}

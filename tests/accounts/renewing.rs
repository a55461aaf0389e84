//! Renewing a token in the middle of a request, and every way the auth host can spoil it.

use codeferry_demo::{AccountKind, Route, Scripted, TokenFault};
use codeferry_tests::sse::text;
use codeferry_tests::{Setup, World, log};
use futures_util::future::{join, join_all};
use serde_json::json;

use crate::{at_work, end, end_with_violations};

async fn state(world: &World) -> String {
    world.accounts().await[0]["state"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn who_comes_while_a_token_is_renewed_waits_for_it() {
    let world = at_work(&[]).await;
    world.demo.expire_access_tokens();
    world.demo.fail_next_refresh(TokenFault::Hang);
    let requests = join_all((0..5).map(|_| world.say("[[demo:text hi]]")));
    let release = async {
        // All five were refused, and one of them asks for a new token.
        let refused = |seen: &[codeferry_demo::Recorded]| {
            seen.iter().filter(|request| request.is_model_call()).count() == 5
                && seen.iter().any(|request| request.route == Route::Token)
        };
        world.demo.wait_until(refused).await;
        world.demo.release();
    };
    let (answers, ()) = join(requests, release).await;
    assert!(answers.iter().all(|answer| text(answer) == "hi"));
    assert_eq!(world.demo.refresh_count(), 1, "one for all");
    end(world).await;
}

#[tokio::test]
async fn a_bad_moment_of_the_auth_host_passes() {
    for fault in [TokenFault::Status(500), TokenFault::Status(429), TokenFault::Challenge] {
        let world = at_work(&[]).await;
        world.demo.expire_access_tokens();
        world.demo.fail_next_refresh(fault.clone());
        let refusal = world.refused("hello").await;
        assert_eq!((refusal.status, refusal.should_retry.as_deref()), (503, None), "{fault:?}: {refusal:?}");
        assert_eq!(state(&world).await, "ready", "{fault:?}");
        assert_eq!(text(&world.say("[[demo:text again]]").await), "again", "{fault:?}");
        assert_eq!(world.demo.refresh_count(), 1);
        end(world).await;
    }
    // What an answer leaves out stays as it was.
    for fault in [TokenFault::WithoutRefreshToken, TokenFault::WithoutIdToken] {
        let world = at_work(&[]).await;
        world.demo.fail_next_refresh(fault);
        for _ in 0..2 {
            world.demo.expire_access_tokens();
            assert_eq!(text(&world.say("[[demo:text hi]]").await), "hi");
        }
        assert_eq!(world.demo.refresh_count(), 2);
        end(world).await;
    }
}

#[tokio::test]
async fn a_sign_in_that_has_ended_says_so_and_is_left_alone() {
    for code in ["refresh_token_reused", "refresh_token_expired", "refresh_token_invalidated", "invalid_grant"] {
        let world = at_work(&[]).await;
        world.demo.expire_access_tokens();
        world.demo.fail_next_refresh(TokenFault::Refuse(code.to_owned()));
        let refusal = world.refused("hello").await;
        assert_eq!((refusal.status, refusal.should_retry.as_deref()), (503, Some("false")), "{code}: {refusal:?}");
        assert!(refusal.message.contains("needs sign-in") && refusal.message.contains(code), "{refusal:?}");
        assert_eq!(state(&world).await, "needs_sign_in", "{code}");
        let asked = world.demo.requests().len();
        let world = world.restart().await;
        assert_eq!(state(&world).await, "needs_sign_in", "it is remembered");
        assert!(world.refused("hello").await.message.contains("work@demo.test"));
        let since = &world.demo.requests()[asked..];
        assert!(since.iter().all(|request| request.route != Route::Token), "{code}: nobody asks again");
        // A new sign-in mends it.
        world.add(AccountKind::Codex, "work").await;
        assert_eq!(text(&world.say("[[demo:text back]]").await), "back", "{code}");
        end(world).await;
    }
}

/// Rotated, but the answer never came: the next try shows that the sign-in is over, and that is what is said.
#[tokio::test]
async fn an_answer_that_was_lost() {
    let world = at_work(&[]).await;
    world.demo.expire_access_tokens();
    world.demo.fail_next_refresh(TokenFault::LostAnswer);
    let refusal = world.refused("hello").await;
    assert_eq!(refusal.status, 503, "{refusal:?}");
    let refusal = world.refused("hello").await;
    assert!(refusal.status == 503 && refusal.message.contains("needs sign-in"), "{refusal:?}");
    assert_eq!((state(&world).await.as_str(), world.accounts().await.len()), ("needs_sign_in", 1));
    world.add(AccountKind::Codex, "work").await;
    assert_eq!(text(&world.say("[[demo:text back]]").await), "back");
    end_with_violations(world).await;
}

/// A plan token has an hour before which it may not be renewed (codex-backend.md §12): the account rests until then, and
/// nothing is spent.
#[tokio::test]
async fn nobody_renews_too_early() {
    log::listen();
    let world = World::with(Setup { kind: AccountKind::Plan, ..Setup::default() }).await;
    world.demo.push(Scripted::json(401, &json!({"detail": {"error_code": "invalid_token"}})));
    let refusal = world.refused("hello").await;
    assert_eq!(refusal.status, 429, "{refusal:?}");
    let account = world.accounts().await.remove(0);
    assert_eq!((&account["state"], &account["why"]), (&json!("cooling_down"), &json!("refresh_too_early")));
    assert_eq!(world.demo.refresh_count(), 0);
    assert!(world.demo.is_live(&world.account.as_ref().unwrap().refresh_token));
    assert!(world.demo.requests().iter().all(|request| request.route != Route::Token), "the host was not even asked");
    end(world).await;
}

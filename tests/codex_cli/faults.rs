//! Children that are missing, mute, mad or stubborn.

use std::time::Instant;

use super::*;

#[tokio::test]
async fn a_child_that_dies_in_a_turn_fails_that_turn_and_is_started_again() {
    let stage = Stage::new("");
    let mut begun = stage.ask(&saying("die")).await.unwrap();
    let first = begun.chunk().await.unwrap().unwrap();
    assert!(String::from_utf8_lossy(&first).contains("output_item.added"));
    let failure = loop {
        match begun.chunk().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("an answer that was cut looks whole"),
            Err(failure) => break failure,
        }
    };
    assert_eq!(failure.kind, FailureKind::CutOff);
    assert!(failure.message.contains("exit status: 3"), "{failure}");
    assert!(begun.chunk().await.unwrap().is_none(), "a failure is said once");

    let before = Instant::now();
    assert_eq!(text(&stage.say("again").await.unwrap()), "Be brief.|1|again");
    assert!(before.elapsed() > Duration::from_millis(400), "after a rest of half a second");
    assert_eq!(stage.noted("pids").len(), 2);
}

#[tokio::test]
async fn the_rest_between_starts_grows() {
    let stage = Stage::with("dies-first", |household| household.bounds.first_rest = Duration::from_millis(50));
    let begun = Instant::now();
    for _ in 0..4 {
        assert_eq!(kind(stage.say("x").await), FailureKind::CutOff);
    }
    // 50 + 100 + 200 between the four.
    assert!(begun.elapsed() > Duration::from_millis(350), "{:?}", begun.elapsed());
    assert_eq!(stage.noted("pids").len(), 4);
    stage.mode("");
    assert!(stage.say("well again").await.is_ok());
}

#[tokio::test]
async fn a_mute_child_is_given_up_and_ended() {
    let stage = Stage::with("mute", |household| household.bounds.handshake = Duration::from_millis(200));
    let failure = stage.say("x").await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Unavailable);
    assert!(failure.message.contains("did not become ready"), "{failure}");
    stage.all_gone().await;
}

#[tokio::test]
async fn silence_within_an_answer_ends() {
    let stage = Stage::with("", |household| household.bounds.silence = Duration::from_millis(200));
    let begun = stage.ask(&saying("silence")).await.unwrap();
    assert_eq!(kind(read(begun).await), FailureKind::Timeout);
    stage.hears("turn/interrupt", 1).await;
}

#[tokio::test]
async fn garbage_and_endless_lines_end_the_child_and_not_the_gateway() {
    let stage = Stage::with("", |household| household.bounds.first_rest = Duration::from_millis(10));
    for fault in ["garbage", "huge"] {
        assert_eq!(kind(stage.say(fault).await), FailureKind::Protocol, "{fault}");
        stage.all_gone().await;
    }
    assert!(stage.say("fine").await.is_ok());
    assert_eq!(stage.noted("pids").len(), 3);
}

#[tokio::test]
async fn others_on_the_same_child_are_told_too() {
    let stage = Stage::new("");
    let waiting = stage.ask(&saying("silence")).await.unwrap();
    assert_eq!(kind(stage.say("die at once").await), FailureKind::CutOff);
    assert_eq!(kind(read(waiting).await), FailureKind::CutOff);
}

#[tokio::test]
async fn a_question_of_the_childs_is_refused_and_not_left_open() {
    let stage = Stage::new("");
    let begun = stage.ask(&saying("ask")).await.unwrap();
    until(|| stage.noted("heard").iter().any(|line| line.contains("\"id\":\"q-1\"") && line.contains("-32601"))).await;
    drop(begun);
}

#[tokio::test]
async fn a_stubborn_child_goes_with_all_it_has_begun() {
    let stage = Stage::with("stuck", |household| household.bounds.grace = Duration::from_millis(300));
    stage.say("hello").await.unwrap();
    let before = Instant::now();
    stage.cli.stop().await;
    assert!(before.elapsed() < Duration::from_secs(10));
    assert_eq!(stage.noted("pids").len(), 2, "the child and its helper");
    stage.all_gone().await;
    let failure = stage.say("more").await.unwrap_err();
    assert!(failure.message.contains("stopping"), "{failure}");
}

#[tokio::test]
async fn a_child_nobody_uses_ends_and_comes_again_at_once() {
    let stage = Stage::with("", |household| {
        household.bounds.idle = Duration::from_millis(200);
        household.bounds.first_rest = Duration::from_secs(60);
    });
    stage.say("one").await.unwrap();
    stage.all_gone().await;
    // To rest is for those that fell.
    stage.say("two").await.unwrap();
    assert_eq!(stage.noted("pids").len(), 2);
}

#[tokio::test]
async fn what_only_a_person_can_mend_is_said_so() {
    let said = async |mode: &str| {
        let stage = Stage::new(mode);
        let failure = stage.cli.look(&stage.program).await.unwrap_err();
        assert_eq!(failure.kind, FailureKind::Program, "{mode}: {failure}");
        failure.message
    };
    assert!(said("old").await.contains("0.120.0"));
    assert!(said("signed-out").await.contains("codex login"));
    assert!(said("no-models").await.contains("codex debug models"));

    let stage = Stage::new("");
    let nowhere = Program { path: "/nowhere/codex".into(), home: None };
    let failure = stage.cli.respond(&nowhere, "m", b"{}", jiff::Timestamp::UNIX_EPOCH).await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::Program);
    assert!(failure.message.contains("npm install -g @openai/codex"), "{failure}");
    let homeless = Program { home: Some("/nowhere/.codex".into()), ..stage.program.clone() };
    assert!(stage.cli.look(&homeless).await.unwrap_err().message.contains("/nowhere/.codex"));
    let other = Program { path: "/bin/true".into(), home: None };
    assert!(stage.cli.look(&other).await.unwrap_err().message.contains("not the Codex CLI"));
}

#[tokio::test]
async fn a_turn_that_fails_has_its_kind() {
    let stage = Stage::new("");
    assert!(matches!(kind(stage.say("limit").await), FailureKind::UsageLimit { .. }));
    assert_eq!(kind(stage.say("signed out").await), FailureKind::Program);
    let refused = json!({"input": [{"type": "refused"}]});
    assert!(matches!(stage.ask(&refused).await.unwrap_err().kind, FailureKind::InvalidRequest { .. }));
    stage.hears("thread/unsubscribe", 3).await;
    assert_eq!(stage.noted("pids").len(), 1, "none of it is the child's fault");
}

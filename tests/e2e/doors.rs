//! What else Claude Code asks of a gateway: other models, token counts.

use codeferry_tests::World;
use codeferry_tests::claude::Claude;

use crate::asked;

#[tokio::test]
async fn models_by_every_kind_of_name() {
    let world = World::start().await;
    let Some(claude) = Claude::at(&world) else { return };
    world.gateway.settings().set("alias.mine", "gpt-6-luna:low").unwrap();
    let table = [
        ("haiku", "claude-haiku-4-5-20251001", "gpt-6-luna", None),
        ("sonnet", "claude-sonnet-5", "gpt-6-sol", Some("high")),
        ("gpt-5.5", "gpt-5.5", "gpt-5.5", Some("high")),
        ("gpt-6-luna-low", "gpt-6-luna-low", "gpt-6-luna", Some("low")),
        ("codex/gpt-6-sol", "codex/gpt-6-sol", "gpt-6-sol", Some("high")),
        ("mine", "mine", "gpt-6-luna", Some("high")),
    ];
    for (asked_for, shown, upstream, effort) in table {
        let run = claude.run("[[demo:text Here.]]", &["--model", asked_for]).await;
        assert_eq!(run.text(), "Here.", "{asked_for}");
        let answers: Vec<_> = run.lines.iter().filter(|line| line["type"] == "assistant").collect();
        assert_eq!(answers[0]["message"]["model"], shown, "the answer names the model as it was asked for");
        let asked = asked(&world);
        let request = asked.last().unwrap();
        assert_eq!(request["model"], upstream, "{asked_for}");
        if let Some(effort) = effort {
            assert_eq!(request["reasoning"]["effort"], effort, "{asked_for}");
        }
    }
    let run = claude.run("hello", &["--model", "no-such-model"]).await;
    assert!(run.failure().contains("no-such-model"), "{}", run.failure());
    assert_eq!(asked(&world).len(), table.len(), "an unknown model is refused here");
}

/// `/context` weighs each part of the prompt. If that fails, the client asks the model instead (`claude-code.md §1`).
#[tokio::test]
async fn tokens_are_counted_without_asking_a_model() {
    let world = World::start().await;
    let Some(claude) = Claude::at(&world) else { return };
    let run = claude.run("/context", &[]).await;
    let row = run.text().lines().find(|line| line.contains("System tools")).expect("the tools are weighed");
    let weight: f64 = row.split('|').nth(2).unwrap().trim().strip_suffix('k').expect(row).parse().unwrap();
    assert!((8.0..30.0).contains(&weight), "{row}");
    assert_eq!(asked(&world).len(), 0, "nothing of it goes upstream");
}

//! What the upstream's prompt cache lives on: each request of a conversation begins with the bytes of the one before.

use codeferry_store::log::{Exchange, Filter};
use codeferry_tests::World;
use codeferry_tests::claude::Claude;
use serde_json::json;

use crate::{asked, calling, playing};

/// What the request log has, the oldest first.
async fn rows(world: &World) -> Vec<Exchange> {
    let log = world.gateway.log().clone();
    let page = tokio::task::spawn_blocking(move || log.page(&Filter::default(), None, 100)).await;
    let found = page.unwrap().unwrap().exchanges.into_iter().rev();
    found.map(|found| found.exchange).collect()
}

/// What broke in each of these rows.
fn broke(rows: &[Exchange]) -> Vec<&str> {
    let word = |row: &'_ Exchange| row.prefix.as_ref().expect("each is noted").broke.as_deref().map(str::to_owned);
    let known = ["beside", "compacted"];
    let name = |word: Option<String>| match word {
        None => "",
        Some(word) => known.into_iter().find(|known| *known == word).unwrap_or("broke"),
    };
    rows.iter().map(|row| name(word(row))).collect()
}

/// Each request of the main conversation goes on with the very bytes of the one before.
fn grows_byte_by_byte(world: &World, conversation: &str) {
    const END_OF_INPUT: &[u8] = b"],\"tool_choice\":";
    let all = world.demo.model_requests();
    let of_it = |request: &&codeferry_demo::Recorded| {
        request.json()["prompt_cache_key"] == conversation && request.json()["tools"].as_array().unwrap().len() > 1
    };
    let bodies: Vec<_> = all.iter().filter(of_it).map(|request| &request.body).collect();
    assert!(bodies.len() > 5, "{}", bodies.len());
    for (turn, pair) in bodies.windows(2).enumerate() {
        let end = pair[0].windows(END_OF_INPUT.len()).rposition(|window| window == END_OF_INPUT).unwrap();
        let same = pair[0].iter().zip(pair[1]).take_while(|(old, new)| old == new).count();
        let around = String::from_utf8_lossy(&pair[0][same.saturating_sub(200)..pair[0].len().min(same + 200)]);
        assert!(same >= end, "turn {}: byte {same} of {end} differs: …{around}…", turn + 1);
    }
}

/// Tools, reasoning, a file that changes behind its back, a subagent, a web search, and a new process for each prompt.
#[tokio::test]
async fn a_conversation_keeps_its_prefix() {
    let world = World::start().await;
    let Some(claude) = Claude::at(&world) else { return };
    // The default model is called "… (1M context)" in the system prompt, and otherwise when the session goes on. With this
    // it has one name; without, the prefix breaks there once (docs/dialects.md).
    let claude = claude.env("CLAUDE_CODE_DISABLE_1M_CONTEXT", "1");
    let file = claude.file("greeting.txt", "hello moon\n");
    let read = calling("Read", &json!({"file_path": file}));
    let edit = calling("Edit", &json!({"file_path": file, "old_string": "moon", "new_string": "world"}));
    let todo = calling("TodoWrite", &json!({"todos": [{"content": "a", "status": "pending", "activeForm": "b"}]}));
    let bash = |command: &str| calling("Bash", &json!({"command": command, "description": command}));
    let steps =
        [format!("[[demo:reasoning Look.]]{read}"), edit, todo, bash("sleep 0.3; echo one") + &bash("echo two")];
    let steps: Vec<_> = steps.iter().map(String::as_str).chain(["[[demo:reasoning]][[demo:text Done.]]"]).collect();
    claude.run(&playing(&steps), &[]).await.text();
    claude.file("greeting.txt", "changed by somebody else\n");
    claude.run(&playing(&[&read, "[[demo:text Read.]]"]), &["--continue"]).await.text();
    let inside = playing(&[&bash("ls"), "[[demo:text Ada is back.]]"]);
    let agent = calling("Agent", &json!({"description": "Ada", "subagent_type": "general-purpose", "prompt": inside}));
    claude.run(&playing(&[&agent, "[[demo:text Both.]]"]), &["--continue"]).await.text();
    let search = calling("WebSearch", &json!({"query": "car ferries"}));
    claude.run(&playing(&[&search, "[[demo:text Found.]]"]), &["--continue"]).await.text();

    asked(&world);
    let rows = rows(&world).await;
    let main = rows[0].conversation.clone().expect("Claude Code names it");
    grows_byte_by_byte(&world, &main);
    let (main, subagent): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.conversation.as_ref() == Some(&main));
    assert_eq!(broke(&subagent), ["", ""], "a subagent has a cache of its own, and keeps it");
    assert_eq!(broke(&main), ["", "", "", "", "", "", "", "", "", "", "beside", ""], "only the search stands beside");
    let tokens: Vec<_> = main.iter().filter_map(|row| row.tokens).collect();
    let goes_on = tokens[..10].windows(2).all(|pair| pair[1].cached == pair[0].input);
    assert!(goes_on, "all that was sent before comes from the cache: {tokens:?}");
}

#[tokio::test]
async fn a_compacted_conversation_breaks_once() {
    let world = World::start().await;
    let Some(claude) = Claude::at(&world) else { return };
    let claude = claude.env("CLAUDE_CODE_DISABLE_1M_CONTEXT", "1");
    let bash = calling("Bash", &json!({"command": "echo one", "description": "one"}));
    claude.run(&playing(&[&bash, &bash, &bash, &bash, "[[demo:text Done.]]"]), &[]).await.text();
    claude.run("/compact", &["--continue"]).await;
    claude.run("[[demo:text After.]]", &["--continue"]).await.text();
    claude.run("[[demo:text Again.]]", &["--continue"]).await.text();

    asked(&world);
    // The summary is asked for with the old history.
    assert_eq!(broke(&rows(&world).await), ["", "", "", "", "", "", "compacted", ""]);
}

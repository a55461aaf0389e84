//! The real Codex CLI as a client, over a WebSocket: it warms up, goes on from its last response, and finds its way back to
//! HTTP. Upstream there is one as well, or HTTP, and it does not notice.

use std::sync::{Arc, Mutex};

use codeferry_demo::HandshakeFault;
use codeferry_tests::codex_client::CodexClient;
use codeferry_tests::{Setup, World};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::{asked, calling, items, playing};

/// Stands between the two and notes what is asked for: by which way the answers come cannot be seen from upstream.
struct Between {
    lines: Arc<Mutex<Vec<String>>>,
    _relaying: JoinSet<()>,
}

impl Between {
    async fn at(world: &World, codex: &CodexClient) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (gateway, own) = (world.url().to_owned(), format!("http://{}", listener.local_addr().unwrap()));
        let file = codex.home.path().join("config.toml");
        let config = std::fs::read_to_string(&file).unwrap().replace(&gateway, &own);
        std::fs::write(&file, config).unwrap();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let (seen, gateway) = (Arc::clone(&lines), gateway.trim_start_matches("http://").to_owned());
        let mut relaying = JoinSet::new();
        relaying.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((mut client, _)) = listener.accept().await {
                let (seen, gateway) = (Arc::clone(&seen), gateway.clone());
                connections.spawn(async move {
                    let mut head = vec![0; 16 * 1024];
                    let length = client.read(&mut head).await.unwrap_or_default();
                    let line = String::from_utf8_lossy(&head[..length]).lines().next().unwrap_or_default().to_owned();
                    seen.lock().unwrap().push(line);
                    let Ok(mut server) = TcpStream::connect(gateway).await else { return };
                    if server.write_all(&head[..length]).await.is_ok() {
                        let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
                    }
                });
            }
        });
        Self { lines, _relaying: relaying }
    }

    /// How many connections began so.
    fn count(&self, begin: &str) -> usize {
        self.lines.lock().unwrap().iter().filter(|line| line.starts_with(begin)).count()
    }
}

const SOCKET: &str = "GET /v1/responses";
const POST: &str = "POST /v1/responses";

fn two_steps() -> String {
    let command = json!({"cmd": "echo hello > greeting.txt; cat greeting.txt"});
    playing(&[&format!("[[demo:reasoning]]{}", calling("exec_command", &command)), "[[demo:text It says hello.]]"])
}

#[tokio::test]
async fn a_tool_loop_and_a_resumed_conversation() {
    let world = World::start().await;
    let Some(codex) = CodexClient::with(&world, "supports_websockets = true") else { return };
    let between = Between::at(&world, &codex).await;
    let run = codex.exec(&["-m", "gpt-5.5", &two_steps()]).await;
    assert_eq!(run.text(), "It says hello.");
    assert_eq!(codex.read("greeting.txt"), "hello\n");
    assert!(between.count(SOCKET) > 0, "{:?}", between.lines);
    assert_eq!(between.count(POST), 0, "{:?}", between.lines);
    let all = asked(&world);
    assert_eq!(all.len(), 2, "one request per round, and none for warming up");
    let output = items(&all[1], "function_call_output")[0]["output"].to_string();
    assert!(output.contains("hello"), "{output}");
    assert_eq!(items(&all[1], "reasoning").len(), 1, "its reasoning goes back");
    let first = all[0]["input"].as_array().unwrap();
    let messages = messages(&world);
    let new = messages[1]["input"].as_array().unwrap();
    assert_eq!((new.len(), &new[0]["type"]), (1, &json!("function_call_output")), "only what is new goes up: {new:?}");
    assert_eq!(world.demo.handshakes().len(), 1, "over one connection");
    assert_eq!(first[..], all[1]["input"].as_array().unwrap()[..first.len()], "the prefix stays, for the prompt cache");

    let run = codex.exec(&["-m", "gpt-5.5", "resume", run.thread(), "[[demo:text Still here.]]"]).await;
    assert_eq!(run.text(), "Still here.");
    assert_eq!(items(&asked(&world)[2], "function_call_output").len(), 1);
    assert_eq!(between.count(POST), 0, "{:?}", between.lines);
    assert_eq!(world.demo.handshakes().len(), 2, "another run is another connection");
    assert_eq!(world.demo.violations(), []);
}

/// What went up over a WebSocket, message by message.
fn messages(world: &World) -> Vec<Value> {
    let all = world.demo.model_requests();
    let over = all.iter().filter(|request| request.socket.is_some());
    over.map(|request| serde_json::from_slice(&request.body).unwrap()).collect()
}

/// It has its socket, and we have none: because it is switched off, or because the host has none.
#[tokio::test]
async fn it_does_not_notice_how_its_answers_come() {
    for off in [true, false] {
        let settings = off.then(|| ("upstream_websocket", "false".to_owned())).into_iter().collect();
        let world = World::with(Setup { settings, ..Setup::default() }).await;
        world.demo.fail_handshakes(Some(HandshakeFault::Status(426)));
        let Some(codex) = CodexClient::with(&world, "supports_websockets = true") else { return };
        let between = Between::at(&world, &codex).await;
        let run = codex.exec(&["-m", "gpt-5.5", &two_steps()]).await;
        assert_eq!(run.text(), "It says hello.");
        assert_eq!((between.count(POST), messages(&world).len(), asked(&world).len()), (0, 0, 2));
        assert_eq!(world.demo.handshakes().len(), usize::from(!off), "asked once");
        assert_eq!(world.demo.violations(), []);
    }
}

/// A connection that breaks between two steps: everything goes up over another.
#[tokio::test]
async fn a_connection_that_is_lost_on_the_way() {
    let world = World::start().await;
    let Some(codex) = CodexClient::with(&world, "supports_websockets = true") else { return };
    let prompt = format!("[[demo:socket forgotten]]{}", two_steps());
    let run = codex.exec(&["-m", "gpt-5.5", &prompt]).await;
    assert_eq!(run.text(), "It says hello.");
    let messages = messages(&world);
    assert!(messages.last().unwrap()["previous_response_id"].is_null());
    assert_eq!((asked(&world).len(), world.demo.violations()), (2, vec![]));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_conversation_is_summed_up_and_goes_on() {
    let world = World::start().await;
    let Some(codex) = CodexClient::with(&world, "supports_websockets = true") else { return };
    let between = Between::at(&world, &codex).await;
    crate::codex_client::sums_up(&world, &codex).await;
    assert_eq!((between.count(POST), world.demo.violations()), (0, vec![]), "{:?}", between.lines);
}

#[tokio::test]
async fn a_first_turn_in_the_lite_shape() {
    let world = World::start().await;
    let Some(codex) = CodexClient::with(&world, "supports_websockets = true") else { return };
    let between = Between::at(&world, &codex).await;
    let run = codex.exec(&["-m", "gpt-6.1-sol", "[[demo:reasoning]][[demo:text It is here.]]"]).await;
    assert_eq!(run.text(), "It is here.");
    assert!(!items(&asked(&world)[0], "additional_tools").is_empty());
    let mark = &messages(&world)[0]["client_metadata"]["ws_request_header_x_openai_internal_codex_responses_lite"];
    assert_eq!(mark, "true");
    assert_eq!((between.count(POST), world.demo.violations()), (0, vec![]));
}

#[tokio::test]
async fn switched_off_it_goes_on_over_http() {
    let world = World::start().await;
    world.gateway.settings().set("websocket", "false").unwrap();
    let Some(codex) = CodexClient::with(&world, "supports_websockets = true") else { return };
    let between = Between::at(&world, &codex).await;
    let run = codex.exec(&["-m", "gpt-5.5", "[[demo:text By the other way.]]"]).await;
    assert_eq!(run.text(), "By the other way.");
    assert!(between.count(POST) > 0, "{:?}", between.lines);
}

#[tokio::test]
async fn failures_are_told_in_words_that_it_knows() {
    let world = World::start().await;
    let Some(codex) = CodexClient::with(&world, "supports_websockets = true") else { return };
    let _between = Between::at(&world, &codex).await;
    let failure = codex.exec(&["-m", "gpt-5.5", "[[demo:limit]]"]).await.failure().to_owned();
    assert!(failure.contains("usage limit. Try again at"), "it knows when: {failure}");
}

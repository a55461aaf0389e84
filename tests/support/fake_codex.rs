//! A stand-in for the Codex CLI: `--version`, `debug models` and `app-server`, as the real one was seen to speak, with
//! faults to choose from. How it starts is said by the file `mode` in its home; what a turn does by the last thing that was
//! said in it. It writes down what it heard, so that a test can look.

#![expect(
    clippy::disallowed_types,
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test program, which speaks on its standard output and may end in a panic"
)]

use std::fs::OpenOptions;
use std::io::{BufRead as _, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let fake = Fake::new();
    match args.first().map(String::as_str) {
        Some("--version") => {
            println!("codex-cli {}", if fake.mode == "old" { "0.120.0" } else { "0.169.0" });
        }
        Some("debug") if fake.mode == "no-models" => std::process::exit(2),
        Some("debug") => println!("{}", models()),
        Some("app-server") => fake.serve(&args),
        _ => std::process::exit(2),
    }
}

fn models() -> Value {
    json!({"models": [{
        "slug": "fake-1", "display_name": "Fake 1", "visibility": "list", "context_window": 100_000,
        "tool_mode": "code_mode_only", "supported_reasoning_levels": [{"effort": "low"}, {"effort": "high"}],
    }]})
}

struct Fake {
    home: PathBuf,
    mode: String,
}

impl Fake {
    fn new() -> Self {
        let home = PathBuf::from(std::env::var_os("CODEX_HOME").unwrap());
        let mode = std::fs::read_to_string(home.join("mode")).unwrap_or_default().trim().to_owned();
        Self { home, mode }
    }

    fn note(&self, file: &str, line: &str) {
        let mut file = OpenOptions::new().create(true).append(true).open(self.home.join(file)).unwrap();
        file.write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    fn serve(&self, args: &[String]) {
        self.note("pids", &std::process::id().to_string());
        self.note("args", &args.join(" "));
        let names: Vec<String> = std::env::vars_os().map(|(name, _)| name.to_string_lossy().into_owned()).collect();
        self.note("environment", &names.join(" "));
        self.note("cwd", &std::env::current_dir().unwrap().to_string_lossy());
        eprintln!("a complaint with a \"secret\"");
        let mut threads: Vec<Thread> = Vec::new();
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            let message: Value = serde_json::from_str(&line).unwrap();
            self.note("heard", &line);
            self.on(&message, &mut threads);
        }
        if self.mode == "stuck" {
            // Neither the end of its stdin nor a plea ends it, and it has begun something of its own.
            let helper = std::process::Command::new("sleep").arg("600").spawn();
            self.note("pids", &helper.unwrap().id().to_string());
            std::thread::sleep(Duration::from_secs(600));
        }
    }

    fn on(&self, message: &Value, threads: &mut Vec<Thread>) {
        let (id, params) = (&message["id"], &message["params"]);
        let thread = |threads: &mut Vec<Thread>| {
            let wanted = params["threadId"].as_str().unwrap_or_default().to_owned();
            threads.iter_mut().position(|thread| thread.id == wanted)
        };
        match message["method"].as_str().unwrap_or_default() {
            "initialize" if self.mode == "mute" => {}
            "initialize" if self.mode == "dies-first" => std::process::exit(1),
            "initialize" => answer(id, &json!({"userAgent": "codeferry/0.169.0 (Debian)", "codexHome": self.home})),
            "account/read" if self.mode == "signed-out" => {
                answer(id, &json!({"account": null, "requiresOpenaiAuth": true}));
            }
            "account/read" => answer(
                id,
                &json!({"account": {"type": "chatgpt", "email": "me@example.com", "planType": "plus"},
                        "requiresOpenaiAuth": true}),
            ),
            "config/read" => answer(id, &json!({"config": {"mcp_servers": {"own": {"command": "x"}}}})),
            "thread/start" => {
                let thread = Thread { id: format!("thread-{id}"), params: params.clone(), items: Vec::new() };
                answer(id, &json!({"thread": {"id": thread.id}, "instructionSources": []}));
                threads.push(thread);
            }
            "thread/inject_items" => {
                let at = thread(threads).unwrap();
                let items = params["items"].as_array().unwrap();
                if items.iter().any(|item| item["type"] == "refused") {
                    return say(
                        &json!({"id": id, "error": {"code": -32600, "message": "items[0] is not a valid response item"}}),
                    );
                }
                threads[at].items.extend(items.iter().cloned());
                answer(id, &json!({}));
            }
            "turn/start" => {
                let at = thread(threads).unwrap();
                let turn = format!("turn-{id}");
                answer(id, &json!({"turn": {"id": turn, "status": "inProgress", "items": []}}));
                self.turn(&threads[at], &turn);
            }
            "turn/interrupt" => {
                answer(id, &json!({}));
                tell(
                    "turn/completed",
                    &json!({"threadId": params["threadId"],
                            "turn": {"id": params["turnId"], "items": [], "status": "interrupted", "error": null}}),
                );
            }
            "thread/unsubscribe" => answer(id, &json!({"status": "unsubscribed"})),
            _ => {}
        }
    }

    fn turn(&self, thread: &Thread, turn: &str) {
        let out = Out { thread: &thread.id, turn };
        let said = thread.last();
        // The history is announced like an answer, under another turn.
        for item in &thread.items {
            tell(
                "rawResponseItem/completed",
                &json!({"threadId": thread.id, "turnId": "auto-compact-0", "item": item}),
            );
        }
        tell("turn/started", &json!({"threadId": thread.id, "turn": {"id": turn, "status": "inProgress"}}));
        match said.as_str() {
            "die" => {
                out.text("half of ");
                std::process::exit(3);
            }
            "die at once" => std::process::exit(3),
            "silence" => {}
            "garbage" => println!("Segmentation fault"),
            "huge" => {
                let mut stdout = std::io::stdout().lock();
                let block = vec![b'x'; 1024 * 1024];
                // The reader gives up long before.
                for _ in 0..64 {
                    if stdout.write_all(&block).and_then(|()| stdout.flush()).is_err() {
                        return;
                    }
                }
            }
            "ask" => say(&json!({"id": "q-1", "method": "item/commandExecution/requestApproval",
                                 "params": {"threadId": thread.id}})),
            "limit" => out.failed("usageLimitExceeded", "You've hit your usage limit."),
            "signed out" => out.failed("unauthorized", "401"),
            "slow" => {
                for n in 0..20 {
                    out.text(&format!("word{n} "));
                    std::thread::sleep(Duration::from_millis(5));
                }
                out.done("msg", "slow");
            }
            _ if said.starts_with("call ") => {
                for (n, name) in said["call ".len()..].split(' ').enumerate() {
                    let call = json!({"type": "function_call", "id": format!("fc_{n}"), "call_id": format!("{turn}-{n}"),
                                      "name": name, "arguments": "{\"n\":1}"});
                    out.tell("rawResponseItem/completed", "item", &call);
                    say(&json!({"id": n, "method": "item/tool/call",
                                "params": {"threadId": thread.id, "turnId": turn, "callId": format!("{turn}-{n}"),
                                           "tool": name, "arguments": {"n": 1}}}));
                }
                out.completed();
            }
            _ => {
                let base = thread.params["baseInstructions"].as_str().unwrap_or("-");
                let text = format!("{base}|{}|{said}", thread.items.len());
                out.text(&text);
                out.done("msg", &text);
            }
        }
    }
}

struct Thread {
    id: String,
    params: Value,
    items: Vec<Value>,
}

impl Thread {
    /// The last thing that was said to it.
    fn last(&self) -> String {
        let Some(item) = self.items.last() else { return String::new() };
        let text = item["content"][0]["text"].as_str().or(item["output"].as_str());
        text.unwrap_or_default().to_owned()
    }
}

struct Out<'a> {
    thread: &'a str,
    turn: &'a str,
}

impl Out<'_> {
    fn tell(&self, method: &str, key: &str, value: &Value) {
        tell(method, &json!({"threadId": self.thread, "turnId": self.turn, "itemId": "msg", key: value}));
    }

    fn text(&self, text: &str) {
        self.tell("item/agentMessage/delta", "delta", &json!(text));
    }

    fn done(&self, id: &str, text: &str) {
        let item = json!({"type": "message", "id": id, "role": "assistant",
                          "content": [{"type": "output_text", "text": text}]});
        self.tell("rawResponseItem/completed", "item", &item);
        self.completed();
        tell(
            "turn/completed",
            &json!({"threadId": self.thread, "turn": {"id": self.turn, "items": [], "status": "completed", "error": null}}),
        );
    }

    fn completed(&self) {
        let usage = json!({"inputTokens": 100, "cachedInputTokens": 40, "outputTokens": 20, "reasoningOutputTokens": 5,
                           "totalTokens": 120});
        self.tell("rawResponse/completed", "usage", &usage);
    }

    fn failed(&self, info: &str, message: &str) {
        let error = json!({"message": message, "codexErrorInfo": info, "additionalDetails": null});
        tell("error", &json!({"threadId": self.thread, "turnId": self.turn, "error": error, "willRetry": false}));
        tell(
            "turn/completed",
            &json!({"threadId": self.thread,
                    "turn": {"id": self.turn, "items": [], "status": "failed", "error": error}}),
        );
    }
}

fn answer(id: &Value, result: &Value) {
    say(&json!({"id": id, "result": result}));
}

fn tell(method: &str, params: &Value) {
    say(&json!({"method": method, "params": params, "emittedAtMs": 1}));
}

fn say(message: &Value) {
    let mut stdout = std::io::stdout().lock();
    // Nobody listens any more: then it is over.
    if stdout.write_all(format!("{message}\n").as_bytes()).and_then(|()| stdout.flush()).is_err() {
        std::process::exit(0);
    }
}

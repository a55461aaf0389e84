//! Servers that are asked for by name: added, listed, asked, refused, gone.

use std::io::Write as _;
use std::process::Stdio;

use codeferry_demo::{ChatFlavour, ChatServer};

use crate::home::{Home, Ran};
use crate::world::world;

/// A command that is given this on standard input.
fn fed(home: &Home, args: &[&str], input: &str) -> Ran {
    let mut command = home.command(args);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

#[test]
fn an_ollama_is_added_asked_and_removed() {
    let world = world();
    let home = &world.home;
    let server = world.runtime.block_on(ChatServer::start(ChatFlavour::Ollama)).unwrap();
    let added = home.run(&["accounts", "add", "--preset", "ollama", "--url", &server.url()]);
    assert_eq!(added.code, Some(0), "{}", added.err);
    let id = added.out.trim();
    assert!(id.starts_with("acc_"), "{id}");
    assert!(added.err.contains("ollama added; the server lists 3 models"), "{}", added.err);
    assert!(added.err.contains("use the model ollama/MODEL"), "{}", added.err);
    assert!(!added.err.contains("warning"), "it is on this machine: {}", added.err);
    let listed = world.listed(id);
    assert_eq!(
        (&listed["named"], &listed["active"], &listed["kind"]),
        (&true.into(), &false.into(), &"compatible".into())
    );
    let table = home.ok(&["accounts", "list"]);
    assert!(table.contains("ready, by name") && table.contains(&server.url()), "{table}");

    let route = home.json(&["route", "ollama/llama3.2:3b", "--json"]);
    assert_eq!((&route["account"], &route["model"]), (&"ollama".into(), &"llama3.2:3b".into()), "{route}");
    home.ok(&["settings", "set", "route.haiku", "ollama/qwen3:8b"]);
    let route = home.ok(&["route", "claude-haiku-4-5"]);
    assert!(route.contains("account ollama") && route.contains("route.haiku"), "{route}");
    let gone = home.run(&["route", "lmstudio/x"]);
    assert_eq!((gone.code, gone.err.contains("no account is called")), (Some(2), true), "{}", gone.err);

    let key = home.ok(&["keys", "create", "k"]);
    let gateway = home.serve(&[]);
    let body = r#"{"model":"ollama/llama3.2:3b","max_tokens":50,"messages":[{"role":"user","content":"[[demo:text at home]]"}]}"#;
    let answer = gateway.ask("POST", "/v1/messages", &[("x-api-key", &key)], body);
    assert!(answer.status == 200 && answer.body.contains("at home"), "{answer:?}");
    assert!(home.ok(&["accounts", "verify", "ollama"]).contains("good"));

    let switch = home.run(&["accounts", "switch", "ollama"]);
    assert_eq!((switch.code, switch.err.contains("ask for the model ollama/MODEL")), (Some(2), true), "{}", switch.err);
    let relabel = home.run(&["accounts", "label", "ollama", "gpt-5"]);
    assert_eq!((relabel.code, relabel.err.contains("something else")), (Some(2), true), "{}", relabel.err);
    home.ok(&["accounts", "label", "ollama", "llama"]);
    assert_eq!(
        gateway.ask("POST", "/v1/messages", &[("x-api-key", &key)], body).status,
        404,
        "it has another name now"
    );
    let removed = home.run(&["accounts", "remove", "llama"]);
    assert_eq!(
        (removed.code, removed.err.contains("warning"), removed.err.contains("hint")),
        (Some(0), false, false),
        "{}",
        removed.err
    );
    assert_eq!(world.list().len(), 0);
    assert_eq!(server.violations(), [] as [&str; 0]);
}

#[test]
fn a_key_comes_from_anywhere_but_the_command_line() {
    let world = world();
    let server = world.runtime.block_on(ChatServer::start(ChatFlavour::OpenRouter)).unwrap();
    let url = server.url();
    let home = &world.home;
    let add = ["accounts", "add", "--preset", "openrouter", "--url", &url];
    let piped = fed(home, &add, "sk-or-SECRET\n");
    assert_eq!(piped.code, Some(0), "{}", piped.err);
    let again = home
        .command(&[&add[..], &["--key-env", "MY_KEY", "--json"]].concat())
        .env("MY_KEY", "sk-or-SECRET")
        .output()
        .unwrap();
    let text = String::from_utf8(again.stdout).unwrap();
    assert!(text.contains(r#""outcome":"unchanged""#) && !text.contains("SECRET"), "{text}");
    for (args, input, part) in [
        (&["--no-verify"][..], "", "no key was given"),
        (&["--key-env", "NOT_SET"], "", "the variable NOT_SET is not set"),
        (&[], "wrong\n", "Incorrect API key provided"),
        (&["--label", "opus"], "sk-or-SECRET\n", "means something else"),
        (&["--key", "sk-or-SECRET"], "", "unexpected argument"),
    ] {
        let ran = fed(home, &[&add[..], args].concat(), input);
        assert!(ran.code != Some(0) && ran.err.contains(part), "{args:?}: {}", ran.err);
        assert!(!ran.err.contains("sk-or-SECRET") || args.contains(&"--key"), "{args:?}: {}", ran.err);
    }
    assert_eq!(world.list().len(), 1);
}

#[test]
fn what_means_nothing_is_refused() {
    let home = Home::new();
    for (args, part) in [
        (&["--kind", "compatible"][..], "where is the server?"),
        (&["--kind", "compatible", "--url", "http://192.0.2.7:11434/v1", "--label", "x"], "--allow-http"),
        (&["--kind", "compatible", "--url", "127.0.0.1:11434/v1", "--label", "x"], "address"),
        (&["--kind", "codex", "--preset", "ollama"], "means nothing for a codex account"),
        (&["--label", "x"], "goes with a kind that has no sign-in"),
        (&["--preset", "llamafile"], "use kilo, openrouter, ollama, lm-studio or vllm"),
        (&["--preset", "ollama", "--url", "http://127.0.0.1:9/v1"], "Is Ollama running?"),
    ] {
        let ran = fed(&home, &[&["accounts", "add"], args].concat(), "");
        assert!(ran.code != Some(0) && ran.err.contains(part), "{args:?}: {:?} {}", ran.code, ran.err);
        assert!(ran.out.is_empty(), "{args:?}: {}", ran.out);
    }
    let kept = home.ok(&["accounts", "add", "--preset", "ollama", "--url", "http://127.0.0.1:9/v1", "--no-verify"]);
    assert!(kept.starts_with("acc_"), "{kept}");
}

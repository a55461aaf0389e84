//! The real Gemini CLI: set up by its files, and by variables alone.

use codeferry_clients::client::Kind;
use codeferry_clients::gemini_cli;
use codeferry_tests::World;
use serde_json::json;

use crate::clients_setup::Person;
use crate::{asked, calling, items, playing};

/// Settings that somebody has worked on.
const SETTINGS: &str = "{\n  // mine\n  \"ui\": { \"hideBanner\": true },\n  \"security\": { \"auth\": { \"selectedType\": \"oauth-personal\" } }\n}\n";

#[tokio::test]
async fn the_gemini_cli_comes_here_by_its_files_and_goes_back() {
    let world = World::start().await;
    let Some(gemini) = codeferry_tests::client("CODEFERRY_TEST_GEMINI", "the Gemini CLI") else { return };
    let person = Person::of(&world);
    person.put(".gemini/settings.json", SETTINGS);
    person.set_up(Kind::Gemini);

    let call = calling("run_shell_command", &json!({"command": "echo by-hand > made.txt", "description": "writes"}));
    let prompt = playing(&[&format!("[[demo:reasoning]]{call}"), "[[demo:text All done.]]"]);
    let args = ["--skip-trust", "--yolo", "-m", "gemini-3-pro-preview", "-p", &prompt];
    let said = person.run(&gemini, &args, "").await;
    assert!(said.contains("All done."), "{said}");
    assert_eq!(person.made("made.txt"), "by-hand\n");
    let requests = asked(&world);
    let answered = requests.last().unwrap();
    assert_eq!(items(answered, "function_call_output").len(), 1, "the result of the tool went back");
    assert_eq!(items(answered, "reasoning").len(), 1, "and so did what was thought");
    assert_eq!(answered["model"], "gpt-6.1-sol");
    assert!(world.demo.violations().is_empty(), "{:?}", world.demo.violations());

    person.go_back(Kind::Gemini);
    assert_eq!(person.read(".gemini/settings.json"), SETTINGS);
}

#[tokio::test]
async fn variables_alone_bring_it_here() {
    let world = World::start().await;
    let Some(gemini) = codeferry_tests::client("CODEFERRY_TEST_GEMINI", "the Gemini CLI") else { return };
    let person = Person::of(&world);
    let mut command = vec!["-c".to_owned(), "exec env \"$@\"".to_owned(), "sh".to_owned()];
    command.extend(gemini_cli::variables(&person.intent).into_iter().map(|(name, value)| format!("{name}={value}")));
    command.push(gemini.display().to_string());
    command.extend(["--skip-trust", "-m", "gemini-3-pro-preview", "-p", "[[demo:text Just once.]]"].map(str::to_owned));
    let args: Vec<_> = command.iter().map(String::as_str).collect();
    let said = person.run(std::path::Path::new("sh"), &args, "").await;
    assert!(said.contains("Just once."), "{said}");
    assert_eq!(asked(&world).len(), 1, "and it came here");
}

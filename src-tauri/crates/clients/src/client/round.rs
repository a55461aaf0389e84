//! Every client that is set up by files: there, once more, and back, on a real disk.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::{Client, Documents, Kind, Os, State, Target, View, World};
use crate::apply::{Desk, Seen};
use crate::client;
use crate::intent::{Intent, Model, Token};

const CODEX: &str = "# mine\nmodel_reasoning_effort = \"high\" # very\nmodel_provider = \"openrouter\"\r\n\n[projects.\"/home/ada/x\"]\n\
                     trust_level = \"trusted\"\n\n[model_providers.openrouter]\nname = 'OpenRouter'\nbase_url = \
                     \"https://openrouter.ai/api/v1\"\n[mcp_servers.hub]\ncommand = \"hub\"\n";
const OPENCODE: &str = "{\n    // mine\n    \"$schema\": \"https://opencode.ai/config.json\",\n    \"theme\": \"system\",\n    \
                        \"model\": \"anthropic/claude-opus-4-8\",\n    \"provider\": {\n        \"local\": {\"options\": {\"baseURL\": \
                        \"http://127.0.0.1:1234/v1\"}},\n    },\n}\n";
const OPENCLAW: &str = "\u{feff}{\n  // mine\n  gateway: { mode: 'local', port: 18789, },\n  agents: { defaults: { workspace: \
                        '~/w', model: { primary: 'anthropic/claude', fallbacks: [], }, }, },\n}\n";
const CONTINUE: &str = "\u{feff}# mine\n---\nname: Mine # really\nversion: 0.0.1\nschema: v1\n\nmodels:\n    # local ones\n    -   name: \
                        Local\n        provider: ollama\n        model: 'qwen'\n        chatOptions:\n            baseSystemMessage: |+\n                \
                        models: none\n\n\n# end of them\nprompts:\n    -   &short\n        name: short\n        prompt: \"a\n            \
                        b\"\n    -   *short";
const ZED: &str = "// Zed settings\n{\n  \"theme\": \"One Dark\",\n  \"language_models\": { \"ollama\": { \"api_url\": \
                   \"http://localhost:11434\" } }\n}\n";
const VSCODE: &str = "[\r\n    // mine\r\n    {\r\n        \"name\": \"Local\",\r\n        \"vendor\": \"customendpoint\",\r\n        \
                      \"apiKey\": \"${input:chat.lm.secret.1}\",\r\n        \"models\": [{ \"id\": \"m\", \"url\": \
                      \"http://127.0.0.1:1234/v1\" }]\r\n    }, // one\r\n]\r\n";
const VSCODE_GROUP: &str =
    "[{\"name\":\"Codeferry\",\"vendor\":\"customendpoint\",\"apiKey\":\"${input:chat.lm.secret.1}\",\"models\":[]}]";

/// What may stand there before, by the path in the home folder.
fn before(kind: Kind) -> Vec<Vec<(&'static str, &'static str)>> {
    let nothing = Vec::new();
    let beside = |files: &[(&'static str, &'static str)]| vec![nothing.clone(), files.to_vec()];
    match kind {
        Kind::Codex => {
            beside(&[(".codex/config.toml", CODEX), (".codex/auth.json", "{\"OPENAI_API_KEY\": \"sk-mine\"}")])
        }
        Kind::OpenCode => {
            beside(&[(".config/opencode/opencode.jsonc", OPENCODE), (".config/opencode/opencode.json", "{}")])
        }
        Kind::KiloCode => beside(&[(".config/kilo/kilo.json", "{\"permission\": {\"bash\": \"allow\"}}")]),
        Kind::OpenClaw => beside(&[(".openclaw/openclaw.json", OPENCLAW)]),
        Kind::Continue => vec![
            nothing,
            vec![(".continue/.env", "# mine\nexport OTHER_KEY='x y'\n")],
            vec![(".continue/config.yaml", CONTINUE)],
            vec![(
                ".continue/config.yaml",
                "name: Mine\r\nversion: 0.0.1\r\nmodels: [] # none\r\nrules:\r\n- be brief",
            )],
            vec![(".continue/config.yaml", "")],
        ],
        Kind::VsCode => {
            let file = ".config/Code/User/chatLanguageModels.json";
            vec![nothing, vec![(file, "[]")], vec![(file, VSCODE)], vec![(file, VSCODE_GROUP)]]
        }
        Kind::Gemini => beside(&[
            (".gemini/.env", "# mine\nexport OTHER_KEY='x y'\nGEMINI_API_KEY=AIza-mine\n"),
            (".gemini/settings.json", "{\n  // mine\n  \"ui\": {\"theme\": \"Default\"},\n}\n"),
        ]),
        Kind::Zed => beside(&[(".config/zed/settings.json", ZED)]),
        _ => vec![nothing],
    }
}

fn intent() -> Intent {
    let model = |slug: &str, efforts: &[&str]| Model {
        slug: slug.to_owned(),
        name: slug.to_uppercase(),
        context_window: Some(272_000),
        efforts: efforts.iter().map(|&effort| effort.to_owned()).collect(),
        default_effort: efforts.first().map(|&effort| effort.to_owned()),
        images: true,
        ..Model::default()
    };
    Intent {
        models: vec![model("gpt-6-sol", &["low", "max"]), model("gpt-6-luna", &[])],
        default_model: Some("gpt-6-sol".to_owned()),
        key_name: Some("made".to_owned()),
        ..Intent::new("http://127.0.0.1:8081".parse().unwrap(), Token::new("cf_0123456789abcdef"))
    }
}

/// All files below a folder.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let inside = |path: PathBuf| match path.is_dir() {
        true => files(&path),
        false => BTreeMap::from([(path.clone(), fs::read(&path).unwrap())]),
    };
    entries.flat_map(inside).collect()
}

struct Person {
    world: World,
    desk: Desk,
    folders: (tempfile::TempDir, tempfile::TempDir),
}

// === impl Person ===

impl Person {
    fn with(files: &[(&str, &str)]) -> Self {
        let (home, data) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let folder = home.path().canonicalize().unwrap();
        for (path, text) in files {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let world = World { os: Os::Linux, ..World::here(folder, BTreeMap::new(), Vec::new()) };
        Self { world, desk: Desk::new(data.path()), folders: (home, data) }
    }

    fn set_up(&self, client: &dyn Client, target: &Target, intent: &Intent) -> bool {
        let documents = Documents::of(client, &self.world, target);
        let changes = client.plan(&self.world, target, &documents, intent);
        let seen = documents
            .paths()
            .fold(Seen::default(), |seen, path| seen.with(path, documents.bytes(path).map(<[u8]>::to_vec)));
        for preview in self.desk.preview(client.kind().name(), &seen, &changes).unwrap() {
            assert!(!preview.diff.contains("cf_0123456789abcdef"), "{}", preview.diff);
        }
        let done = self.desk.apply(client.kind().name(), &seen, &changes, jiff::Timestamp::UNIX_EPOCH).unwrap();
        done.files.iter().any(|file| file.changed)
    }

    fn state(&self, client: &dyn Client, target: &Target, intent: &Intent) -> State {
        let documents = Documents::of(client, &self.world, target);
        let owned = self.desk.owned(Some(client.kind().name())).unwrap();
        let owned: Vec<_> = owned.into_iter().map(client::Owned::from).collect();
        let opens = |key: &str| key == "cf_0123456789abcdef";
        client.state(&self.world, target, &View { documents: &documents, owned: &owned, intent, opens: &opens })
    }
}

#[test]
fn every_client_comes_here_and_goes_back_without_a_trace() {
    let mut written = 0;
    for kind in Kind::ALL.into_iter().filter(|kind| *kind != Kind::ClaudeCode) {
        let client = kind.client().unwrap();
        for before in before(kind) {
            let person = Person::with(&before);
            let original = files(&person.world.home);
            for target in client.detect(&person.world).targets {
                let changed = person.set_up(client, &target, &intent());
                assert_eq!(changed, target.obstacle.is_none(), "{kind}: {}", target.id);
                if !changed {
                    continue;
                }
                written += 1;
                assert_eq!(person.state(client, &target, &intent()), State::Ours, "{kind}: {}", target.id);
                assert!(!person.set_up(client, &target, &intent()), "{kind}: once is enough");
                person.desk.revert(kind.name(), jiff::Timestamp::UNIX_EPOCH).unwrap();
                assert_eq!(files(&person.world.home), original, "{kind}: {}", target.id);
            }
        }
    }
    assert_eq!(
        written, 23,
        "seven clients from two beginnings each, Continue from five, VS Code from four, and Codex at two places"
    );
}

#[test]
fn other_models_are_told_and_taken_over_and_what_people_added_stays() {
    let person = Person::with(&[]);
    let client = Kind::OpenCode.client().unwrap();
    let target = client.detect(&person.world).targets.remove(0);
    person.set_up(client, &target, &intent());
    let file = target.file().unwrap();
    let before = fs::read_to_string(file).unwrap();
    let added = before.replacen("\"reasoning\": true,", "\"reasoning\": true,\n          \"mine\": 1,", 1);
    fs::write(file, &added).unwrap();
    assert_eq!(person.state(client, &target, &intent()), State::Ours, "what they add beside ours is no drift");
    let later = Intent { models: vec![intent().models.remove(0)], ..intent() };
    let State::Drifted { drifts } = person.state(client, &target, &later) else { panic!("no drift") };
    let told: Vec<_> = drifts.iter().map(|drift| (drift.key.as_str(), drift.by)).collect();
    assert_eq!(told, [("provider.codeferry.models", client::Moved::Intent)]);
    person.set_up(client, &target, &later);
    let text = fs::read_to_string(file).unwrap();
    assert!(text.contains("\"mine\": 1") && !text.contains("gpt-6-luna"), "{text}");
    assert_eq!(person.state(client, &target, &later), State::Ours);
}

#[test]
fn an_item_in_a_list_that_somebody_changed_stays_and_is_told() {
    let person = Person::with(&[(".continue/config.yaml", "models:\n  - name: Local\n")]);
    let client = Kind::Continue.client().unwrap();
    let target = client.detect(&person.world).targets.remove(0);
    person.set_up(client, &target, &intent());
    let file = target.file().unwrap();
    let text = fs::read_to_string(file).unwrap();
    let changed = text.replacen("    model: \"gpt-6-sol\"\n", "    model: \"gpt-6-sol\"\n    # mine\n", 1);
    assert_ne!(changed, text);
    fs::write(file, &changed).unwrap();
    assert!(matches!(person.state(client, &target, &intent()), State::Drifted { .. }));
    let done = person.desk.revert("continue", jiff::Timestamp::UNIX_EPOCH).unwrap();
    let kept: Vec<_> = done.files.iter().flat_map(|file| &file.kept).map(ToString::to_string).collect();
    assert_eq!(kept, ["/models/Codeferry GPT-6-SOL"]);
    let text = fs::read_to_string(file).unwrap();
    assert!(text.contains("# mine") && text.contains("gpt-6-sol") && !text.contains("gpt-6-luna"), "{text}");
}

#[test]
fn a_list_follows_the_models_and_is_taken_back_without_the_ledger() {
    let before = "name: Mine\nmodels:\n- name: Local\n  apiBase: http://127.0.0.1:1234/v1\n";
    let person = Person::with(&[(".continue/config.yaml", before)]);
    let client = Kind::Continue.client().unwrap();
    let target = client.detect(&person.world).targets.remove(0);
    person.set_up(client, &target, &intent());
    let later = Intent { models: vec![intent().models.remove(1)], ..intent() };
    assert!(matches!(person.state(client, &target, &later), State::Drifted { .. }));
    person.set_up(client, &target, &later);
    let file = target.file().unwrap();
    let text = fs::read_to_string(file).unwrap();
    assert!(text.contains("gpt-6-luna") && !text.contains("gpt-6-sol"), "{text}");
    assert_eq!(person.state(client, &target, &later), State::Ours);
    for name in ["clients.json", "clients.copy.json"] {
        fs::write(person.folders.1.path().join(name), "{").unwrap();
    }
    let documents = Documents::of(client, &person.world, &target);
    let changes = client.plan(&person.world, &target, &documents, &later);
    let suspects: Vec<_> = changes.iter().map(|change| crate::apply::Suspect::of("continue", change)).collect();
    person.desk.revert_all(&suspects, &[8081], jiff::Timestamp::UNIX_EPOCH).unwrap();
    assert_eq!(fs::read_to_string(file).unwrap(), before);
}

/// VS Code writes the list anew: with tabs, without comments, and with what the person chose for our models.
#[test]
fn a_list_of_groups_that_vs_code_wrote_anew_is_still_ours_and_goes_without_a_trace() {
    let person = Person::with(&[(".config/Code/User/chatLanguageModels.json", VSCODE)]);
    let client = Kind::VsCode.client().unwrap();
    let target = client.detect(&person.world).targets.remove(0);
    person.set_up(client, &target, &intent());
    let file = target.file().unwrap();
    let text = fs::read_to_string(file).unwrap();
    let chosen =
        "\"vendor\": \"customendpoint\",\n\"settings\": {\"gpt-6-sol\": {\"reasoningEffort\": \"low\"}},\n\"apiType\"";
    let anew: String =
        text.lines().filter(|line| !line.contains("// mine")).map(|line| format!("{}\n", line.trim())).collect();
    let anew = anew.replace("}, // one", "},").replace("\"vendor\": \"customendpoint\",\n\"apiType\"", chosen);
    assert!(anew.contains("reasoningEffort") && !anew.contains("// "), "{anew}");
    fs::write(file, &anew).unwrap();
    assert_eq!(person.state(client, &target, &intent()), State::Ours);
    let later = Intent { models: vec![intent().models.remove(1)], ..intent() };
    let State::Drifted { drifts } = person.state(client, &target, &later) else { panic!("no drift") };
    assert_eq!((drifts.len(), drifts[0].key.as_str()), (1, "Codeferry.models"));
    person.set_up(client, &target, &later);
    let text = fs::read_to_string(file).unwrap();
    assert!(!text.contains("\"id\": \"gpt-6-sol\"") && text.contains("reasoningEffort"), "{text}");
    let done = person.desk.revert("vscode", jiff::Timestamp::UNIX_EPOCH).unwrap();
    assert!(done.files.iter().all(|file| file.kept.is_empty()), "{done:?}");
    let text = fs::read_to_string(file).unwrap();
    assert!(text.contains("\"Local\"") && !text.contains("Codeferry") && !text.contains("8081"), "{text}");
}

#[cfg(unix)]
#[test]
fn a_file_with_a_key_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    for kind in [Kind::Codex, Kind::OpenCode, Kind::OpenClaw, Kind::Continue, Kind::VsCode] {
        let person = Person::with(&[]);
        let client = kind.client().unwrap();
        let target = client.detect(&person.world).targets.remove(0);
        person.set_up(client, &target, &intent());
        for (path, bytes) in files(&person.world.home) {
            let open = fs::metadata(&path).unwrap().permissions().mode() & 0o077;
            assert!(open == 0 || !String::from_utf8_lossy(&bytes).contains("cf_"), "{}", path.display());
        }
    }
}

//! VS Code's own chat: a group of our models in `chatLanguageModels.json`, the file that its documentation lets people edit
//! (code.visualstudio.com/docs/agent-customization/language-models, Custom Endpoint; not tried here).
//!
//! - VS Code looks after the file and takes over what is written there. It writes it anew, with tabs and without comments, when a
//!   group is changed in its window (`languageModelsConfigurationService.ts` in microsoft/vscode).
//! - `apiKey` holds a reference into its keychain; a key itself at that place is passed over without a word
//!   (microsoft/vscode#322299). A header of a model's `requestHeaders` is sent as it stands, and `x-api-key` in place of the key.
//! - `zeroDataRetentionEnabled` keeps it from sending `previous_response_id`: the history goes along instead.

use std::path::PathBuf;

use crate::apply::{Change, Wish};
use crate::client::leads::{self, Key, Leads, judge};
use crate::client::{
    Client, Conflict, Documents, Found, Kind, Os, State, Target, View, Weight, World, lines, models, programs,
};
use crate::format::{Document, Format, Pointer, Value};
use crate::intent::{Intent, Model};

/// Its module.
#[derive(Debug, Clone, Copy)]
pub struct VsCode;

/// What our group is called, in VS Code's list of models too.
const GROUP: &str = "Codeferry";
/// Tokens of a model of which nobody says how many it takes, and gives.
const WINDOW: u64 = 200_000;
const OUTPUT: u64 = 32_000;

impl Client for VsCode {
    fn kind(&self) -> Kind {
        Kind::VsCode
    }

    fn detect(&self, world: &World) -> Found {
        let program = programs::app(world, "Visual Studio Code", &["Microsoft VS Code", "Code.exe"], &["code"]);
        let insiders = folder(world, "Code - Insiders");
        let mut targets = vec![Target::user("models of its chat", vec![file(world, "Code")])];
        if world.files.exists(&insiders) {
            let files = vec![file(world, "Code - Insiders")];
            targets.push(Target { id: "insiders".to_owned(), ..Target::user("models of its chat, Insiders", files) });
        }
        Found {
            how: program.as_ref().map(|program| program.how),
            version: program.as_ref().and_then(|program| program.version.clone()),
            program: program.map(|program| program.path),
            settings: world.files.exists(&world.at_home(&[".vscode"])) || world.files.exists(&folder(world, "Code")),
            targets,
        }
    }

    fn state(&self, world: &World, target: &Target, view: &View<'_>) -> State {
        let found = self.detect(world);
        let leads = leads::in_file(target, view.documents, Format::Groups, |document| lead(document, view.intent));
        judge(self, found.program.is_some() || found.settings, world, target, view, leads)
    }

    fn plan(&self, _world: &World, target: &Target, _documents: &Documents, intent: &Intent) -> Vec<Change> {
        let Some(file) = target.file().filter(|_| models::first(intent).is_some()) else { return Vec::new() };
        let models = intent.models.iter().map(|model| (model.slug.clone(), endpoint(model, intent)));
        let take = |name: &str, value: Value, key: Option<String>| Wish::Take {
            pointer: Pointer::of(&[GROUP, name]),
            value: Some(value),
            key,
        };
        let wishes = vec![
            take("vendor", "customendpoint".into(), None),
            take("apiType", "responses".into(), None),
            take("models", Value::Table(models.collect()), intent.key_name.clone()),
        ];
        vec![Change { file: file.to_owned(), format: Format::Groups, wishes }]
    }

    fn conflicts(&self, _world: &World, _target: &Target, _documents: &Documents, intent: &Intent) -> Vec<Conflict> {
        let mut conflicts: Vec<_> = models::first(intent).is_none().then(models::none_known).into_iter().collect();
        conflicts.push(Conflict {
            code: "chosen_there",
            weight: Weight::Note,
            what: "VS Code goes on with the model it had.".to_owned(),
            place: "its list of models".to_owned(),
            cure: format!(
                "Choose one of {GROUP} in the chat's list of models. Where it does not stand there, start VS Code anew; in a company, \
                 the policy for own keys must allow it."
            ),
        });
        conflicts
    }

    fn manual(&self, world: &World, intent: &Intent) -> String {
        let target = Target::user("", vec![file(world, "Code")]);
        lines::of(&self.plan(world, &target, &Documents::default(), intent))
    }
}

/// Where our group leads; without one, wherever an address in the file does.
fn lead(document: &Document, intent: &Intent) -> Leads {
    let group = match document.value(&Pointer::of(&[GROUP])) {
        Err(bad) => return Leads::Unclear(bad.to_string()),
        Ok(group) => group,
    };
    let Some(Value::Table(models)) = group.as_ref().and_then(|group| group.get("models")) else {
        return leads::mentioned(document.text(), intent);
    };
    let Some((_, first)) = models.first() else { return Leads::Nowhere };
    let text = |value: Option<&Value>| value.and_then(Value::text).map(str::to_owned);
    let Some(url) = text(first.get("url")) else { return Leads::Nowhere };
    let header = text(first.get("requestHeaders").and_then(|headers| headers.get("x-api-key")));
    // Its keychain may hold one that was typed there.
    let key = match (header, group.as_ref().and_then(|group| group.get("apiKey"))) {
        (None, Some(_)) => Key::Elsewhere,
        (header, _) => Key::found(header),
    };
    let url = url.strip_suffix("/responses").map_or(url.clone(), str::to_owned);
    Leads::To { url, key }
}

fn endpoint(model: &Model, intent: &Intent) -> Value {
    let output = model.max_output.unwrap_or(OUTPUT);
    let input = model.context_window.unwrap_or(WINDOW).saturating_sub(output);
    let mut members = vec![
        ("name", Value::from(model.name.as_str())),
        ("url", intent.base_with("/v1/responses").into()),
        ("toolCalling", true.into()),
        ("vision", model.images.into()),
        ("maxInputTokens", models::tokens(input).into()),
        ("maxOutputTokens", models::tokens(output).into()),
        ("thinking", (!model.efforts.is_empty()).into()),
    ];
    if !model.efforts.is_empty() {
        members.push(("supportsReasoningEffort", model.efforts.clone().into()));
    }
    members.push(("zeroDataRetentionEnabled", true.into()));
    members.push(("requestHeaders", Value::table([("x-api-key", intent.token.expose().into())])));
    Value::table(members)
}

/// Where VS Code, or an edition of it, keeps what is the person's.
fn folder(world: &World, edition: &str) -> PathBuf {
    let folder = match world.os {
        Os::Linux => world.xdg_config(),
        Os::Macos => world.at_home(&["Library", "Application Support"]),
        Os::Windows => world.folder("APPDATA").unwrap_or_else(|| world.at_home(&["AppData", "Roaming"])),
    };
    world.join(&folder, &[edition, "User"])
}

fn file(world: &World, edition: &str) -> PathBuf {
    world.join(&folder(world, edition), &["chatLanguageModels.json"])
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::VsCode;
    use crate::client::{Client as _, Documents, MadeUpFiles, Os, State, View, World};
    use crate::format::Document;
    use crate::intent::{Intent, Model, Token};

    const FILE: &str = "/home/ada/.config/Code/User/chatLanguageModels.json";

    fn intent() -> Intent {
        let model = Model {
            slug: "gpt-6-sol".to_owned(),
            name: "GPT-6-Sol".to_owned(),
            efforts: vec!["low".to_owned(), "high".to_owned()],
            ..Model::default()
        };
        let intent = Intent::new("http://127.0.0.1:8081".parse().unwrap(), Token::new("cf_key"));
        Intent { models: vec![model], ..intent }
    }

    fn state(file: &str) -> State {
        let world = World::made_up(Os::Linux, "/home/ada", MadeUpFiles::new().with(FILE, file));
        let target = VsCode.detect(&world).targets.remove(0);
        let (documents, intent) = (Documents::of(&VsCode, &world, &target), intent());
        let opens = |key: &str| key == "cf_key";
        VsCode.state(&world, &target, &View { documents: &documents, owned: &[], intent: &intent, opens: &opens })
    }

    /// A file in the form that its documentation shows, and what we add to it.
    #[test]
    fn our_group_stands_behind_theirs() {
        let theirs = "[\n\t{\n\t\t\"name\": \"Local\",\n\t\t\"vendor\": \"ollama\"\n\t}\n]";
        let world = World::made_up(Os::Linux, "/home/ada", MadeUpFiles::new().with(FILE, theirs));
        let target = VsCode.detect(&world).targets.remove(0);
        let change = VsCode.plan(&world, &target, &Documents::default(), &intent()).remove(0);
        let mut document = Document::read(change.format, theirs.as_bytes()).unwrap();
        for wish in &change.wishes {
            let crate::apply::Wish::Take { pointer, value: Some(value), .. } = wish else { panic!() };
            document.set(pointer, value).unwrap();
        }
        assert_eq!(
            document.text(),
            theirs.trim_end_matches("\n]").to_owned()
                + ",\n\t{\n\t\t\"name\": \"Codeferry\",\n\t\t\"vendor\": \"customendpoint\",\n\t\t\"apiType\": \"responses\",\n\t\t\
                   \"models\": [\n\t\t\t{\n\t\t\t\t\"id\": \"gpt-6-sol\",\n\t\t\t\t\"name\": \"GPT-6-Sol\",\n\t\t\t\t\"url\": \
                   \"http://127.0.0.1:8081/v1/responses\",\n\t\t\t\t\"toolCalling\": true,\n\t\t\t\t\"vision\": false,\n\t\t\t\t\
                   \"maxInputTokens\": 168000,\n\t\t\t\t\"maxOutputTokens\": 32000,\n\t\t\t\t\"thinking\": true,\n\t\t\t\t\
                   \"supportsReasoningEffort\": [\"low\", \"high\"],\n\t\t\t\t\"zeroDataRetentionEnabled\": true,\n\t\t\t\t\
                   \"requestHeaders\": {\n\t\t\t\t\t\"x-api-key\": \"cf_key\"\n\t\t\t\t}\n\t\t\t}\n\t\t]\n\t}\n]"
        );
        assert_eq!(state(document.text()), State::Ours);
        assert_eq!(state(theirs), State::Clean);
        assert_eq!(state("[]"), State::Clean);
        let State::Broken { why } = state("{}") else { panic!("a list is wanted") };
        assert!(why.contains("line 1, column 1"), "{why}");
        let State::Broken { why } = state(&document.text().replace("cf_key", "cf_old")) else { panic!() };
        assert!(why.contains("does not open"), "{why}");
        assert_eq!(
            state(&document.text().replace("8081", "9")),
            State::Elsewhere { url: "http://127.0.0.1:9/v1".to_owned() }
        );
        let lines = VsCode.manual(&world, &intent());
        let (_, lines) = lines.split_once('\n').unwrap();
        assert_eq!(state(lines), State::Ours, "{lines}");
    }

    /// Whoever typed it in VS Code's window has the key in the keychain.
    #[test]
    fn a_group_that_was_made_there_is_known() {
        let list = r#"[{"vendor": "customendpoint", "name": "Mine", "models": [{"url": "http://localhost:8081/v1/responses"}]}]"#;
        assert_eq!(state(list), State::Ours);
        assert_eq!(state(&list.replace("8081", "8082")), State::Clean);
        let ours = r#"[{"vendor": "customendpoint", "name": "Codeferry", "apiKey": "${input:chat.lm.secret.1}",
            "models": [{"id": "x", "url": "http://localhost:8081/v1/responses"}]}]"#;
        assert_eq!(state(ours), State::Ours);
    }

    #[test]
    fn each_edition_has_a_file_of_its_own() {
        let there = MadeUpFiles::new().with("/Users/ada/Library/Application Support/Code - Insiders/User/x", "");
        let world = World::made_up(Os::Macos, "/Users/ada", there);
        let targets = VsCode.detect(&world).targets;
        let files: Vec<_> = targets.iter().map(|target| (target.id.as_str(), target.files[0].as_path())).collect();
        let support = "/Users/ada/Library/Application Support";
        assert_eq!(
            files,
            [
                ("user", Path::new(&format!("{support}/Code/User/chatLanguageModels.json"))),
                ("insiders", Path::new(&format!("{support}/Code - Insiders/User/chatLanguageModels.json"))),
            ]
        );
        let windows = World::made_up(Os::Windows, r"C:\Users\ada", MadeUpFiles::new());
        let file = VsCode.detect(&windows).targets[0].files[0].clone();
        assert_eq!(file, Path::new(r"C:\Users\ada\AppData\Roaming\Code\User\chatLanguageModels.json"));
    }
}

//! Zed: a provider of our own with its models in `settings.json`. The key has no place there: Zed keeps keys in the system's
//! keychain and takes them from its own window, or from a variable (its documentation of API access says so; not tried here).

use std::path::PathBuf;

use crate::apply::{Change, Wish};
use crate::client::leads::{self, Key, Leads, PROVIDER, judge};
use crate::client::{
    Client, Conflict, Documents, Found, Kind, Os, State, Target, View, Weight, World, lines, models, programs,
};
use crate::format::{Document, Format, Pointer, Value};
use crate::intent::{Intent, Model};

/// Its module.
#[derive(Debug, Clone, Copy)]
pub struct Zed;

/// The variable that it makes of our provider's name.
const KEY_VARIABLE: &str = "CODEFERRY_API_KEY";
/// It does not take a model without one, and some window is better than none.
const WINDOW: i64 = 200_000;

impl Client for Zed {
    fn kind(&self) -> Kind {
        Kind::Zed
    }

    fn detect(&self, world: &World) -> Found {
        let program = programs::app(world, "Zed", &["Zed", "Zed.exe"], &["zed", "zeditor", "zedit"]);
        let folder = folder(world);
        Found {
            how: program.as_ref().map(|program| program.how),
            version: program.as_ref().and_then(|program| program.version.clone()),
            program: program.map(|program| program.path),
            settings: world.files.exists(&folder),
            targets: vec![Target::user("settings.json", vec![world.join(&folder, &["settings.json"])])],
        }
    }

    fn state(&self, world: &World, target: &Target, view: &View<'_>) -> State {
        let found = self.detect(world);
        let lead = |document: &Document| match document.string(&ours("api_url")) {
            Err(bad) => Leads::Unclear(bad.to_string()),
            Ok(None) => Leads::Nowhere,
            Ok(Some(url)) => Leads::To { url, key: Key::Elsewhere },
        };
        let leads = leads::in_file(target, view.documents, Format::Json, lead);
        judge(self, found.program.is_some() || found.settings, world, target, view, leads)
    }

    fn plan(&self, _world: &World, target: &Target, _documents: &Documents, intent: &Intent) -> Vec<Change> {
        let Some(file) = target.file().filter(|_| models::first(intent).is_some()) else { return Vec::new() };
        let take = |name: &str, value: Value| Wish::Take { pointer: ours(name), value: Some(value), key: None };
        let wishes = vec![
            take("api_url", intent.base_with("/v1").into()),
            take("available_models", Value::List(intent.models.iter().map(described).collect())),
        ];
        vec![Change { file: file.to_owned(), format: Format::Json, wishes }]
    }

    fn conflicts(&self, world: &World, _target: &Target, _documents: &Documents, intent: &Intent) -> Vec<Conflict> {
        let mut conflicts: Vec<_> = models::first(intent).is_none().then(models::none_known).into_iter().collect();
        if world.variable(KEY_VARIABLE).is_none() {
            conflicts.push(Conflict {
                code: "key_by_hand",
                weight: Weight::Warning,
                what: "Zed keeps keys in the system's keychain, so its settings cannot hold one.".to_owned(),
                place: format!("the keychain, or {KEY_VARIABLE} where Zed is started"),
                cure: format!(
                    "Make a key with codeferry keys create zed, and paste it in Zed: agent: open settings, LLM Providers, {PROVIDER}."
                ),
            });
        }
        conflicts
    }

    fn manual(&self, world: &World, intent: &Intent) -> String {
        let file = world.join(&folder(world), &["settings.json"]);
        let lines = lines::of(&self.plan(world, &Target::user("", vec![file]), &Documents::default(), intent));
        format!(
            "{lines}\n// The key goes into Zed's own window (agent: open settings, LLM Providers, {PROVIDER}):\n// {}\n",
            intent.token.expose()
        )
    }
}

/// Efforts that it knows; another would make it refuse its settings.
const EFFORTS: [&str; 6] = ["minimal", "low", "medium", "high", "xhigh", "max"];

fn described(model: &Model) -> Value {
    let mut members = vec![
        ("name", Value::from(model.slug.as_str())),
        ("display_name", model.name.as_str().into()),
        ("max_tokens", model.context_window.map_or(WINDOW, models::tokens).into()),
    ];
    members.extend(model.max_output.map(|output| ("max_output_tokens", models::tokens(output).into())));
    let effort = model.default_effort.as_deref().filter(|effort| EFFORTS.contains(effort));
    members.extend(effort.map(|effort| ("reasoning_effort", effort.into())));
    let capabilities = [
        ("tools", true),
        ("images", model.images),
        ("parallel_tool_calls", true),
        ("prompt_cache_key", true),
        // The Responses dialect, which carries reasoning from turn to turn.
        ("chat_completions", false),
    ];
    members.push(("capabilities", Value::table(capabilities.map(|(name, is)| (name, is.into())))));
    Value::table(members)
}

fn folder(world: &World) -> PathBuf {
    match world.os {
        Os::Linux | Os::Macos => world.join(&world.xdg_config(), &["zed"]),
        Os::Windows => {
            let roaming = world.folder("APPDATA").unwrap_or_else(|| world.at_home(&["AppData", "Roaming"]));
            world.join(&roaming, &["Zed"])
        }
    }
}

fn ours(name: &str) -> Pointer {
    Pointer::of(&["language_models", "openai_compatible", PROVIDER, name])
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::Zed;
    use crate::client::{Client as _, Documents, MadeUpFiles, Os, State, View, World};
    use crate::intent::{Intent, Model, Token};

    const FILE: &str = "/home/ada/.config/zed/settings.json";

    fn intent() -> Intent {
        let model =
            Model { slug: "gpt-6-sol".to_owned(), default_effort: Some("ultra".to_owned()), ..Model::default() };
        let intent = Intent::new("http://127.0.0.1:8081".parse().unwrap(), Token::new("cf_key"));
        Intent { models: vec![model], ..intent }
    }

    fn state(settings: &str) -> State {
        let world = World::made_up(Os::Linux, "/home/ada", MadeUpFiles::new().with(FILE, settings));
        let target = Zed.detect(&world).targets.remove(0);
        let (documents, intent) = (Documents::of(&Zed, &world, &target), intent());
        Zed.state(&world, &target, &View { documents: &documents, owned: &[], intent: &intent, opens: &|_| false })
    }

    #[test]
    fn its_settings_lead_here_and_its_key_is_its_own_affair() {
        assert_eq!(state("{ // nothing\n}"), State::Clean);
        let world = World::made_up(Os::Linux, "/home/ada", MadeUpFiles::new());
        let lines = Zed.manual(&world, &intent());
        let (settings, key) = lines.split_once("\n// The key").unwrap();
        assert_eq!(state(settings), State::Ours, "{settings}");
        assert!(key.contains("cf_key") && !settings.contains("cf_key"));
        assert!(
            !settings.contains("ultra"),
            "an effort that it does not know would cost it all its settings: {settings}"
        );
        let codes: Vec<_> = Zed
            .conflicts(&world, &Zed.detect(&world).targets[0], &Documents::default(), &intent())
            .into_iter()
            .map(|conflict| conflict.code)
            .collect();
        assert_eq!(codes, ["key_by_hand"]);
    }

    #[test]
    fn its_settings_stand_where_the_system_has_them() {
        let file = |world: World| Zed.detect(&world).targets[0].files[0].clone();
        let mac = World::made_up(Os::Macos, "/Users/ada", MadeUpFiles::new());
        assert_eq!(file(mac), Path::new("/Users/ada/.config/zed/settings.json"));
        let windows = World::made_up(Os::Windows, r"C:\Users\ada", MadeUpFiles::new());
        assert_eq!(file(windows), Path::new(r"C:\Users\ada\AppData\Roaming\Zed\settings.json"));
    }
}

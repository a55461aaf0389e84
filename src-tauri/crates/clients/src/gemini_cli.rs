//! The Gemini CLI: `~/.gemini/.env` says where it goes and with which key, and `settings.json` beside it that it goes by a key at all.
//!
//! What the real `@google/gemini-cli` 0.61.0 was seen to do: with `GOOGLE_GEMINI_BASE_URL` in the environment and no kind of sign-in
//! chosen it takes that for a gateway, and then refuses to start ("Invalid auth method selected"); with
//! `security.auth.selectedType` `gemini-api-key` it sends `GEMINI_API_KEY` to that address. `.env` is read in folders that are
//! trusted, and a `.env` in the project or in a folder above it is read in place of it. Variables of the shell win over both.

use std::path::{Path, PathBuf};

use crate::apply::{Change, Wish};
use crate::client::leads::{self, Key, Leads, judge};
use crate::client::{
    Client, Conflict, Documents, Effective, Found, Kind, Os, State, Target, View, Way, Weight, World, exports,
    programs, proxied,
};
use crate::format::{Document, Format, Pointer};
use crate::intent::Intent;
use crate::shell::{Line, Shell, text};

/// Its module.
#[derive(Debug, Clone, Copy)]
pub struct GeminiCli;

const URL: &str = "GOOGLE_GEMINI_BASE_URL";
const KEY: &str = "GEMINI_API_KEY";
/// The kind of sign-in, and the one that goes by a key.
const TYPE: [&str; 3] = ["security", "auth", "selectedType"];
const ENFORCED: [&str; 3] = ["security", "auth", "enforcedType"];
const BY_KEY: &str = "gemini-api-key";
/// The same address and key as its other way of calling models reads them, and what chooses that way. Without a kind of sign-in in
/// its settings this is the only one that goes by variables alone (seen with 0.61.0).
const VERTEX: [&str; 3] = ["GOOGLE_GENAI_USE_VERTEXAI", "GOOGLE_VERTEX_BASE_URL", "GOOGLE_API_KEY"];
/// Chooses signing in with Google, where no other kind is chosen.
pub const BY_GOOGLE: &str = "GOOGLE_GENAI_USE_GCA";
const PROXIES: [&str; 4] = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"];

/// What brings it here without a file, whether a key was chosen in its settings or nothing was.
pub fn variables(intent: &Intent) -> Vec<(String, String)> {
    let (base, key) = (intent.base(), intent.token.expose());
    let [vertex, vertex_url, vertex_key] = VERTEX;
    [(URL, base), (KEY, key), (vertex, "true"), (vertex_url, base), (vertex_key, key)]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

/// The kind of sign-in that its settings choose, if it is one that variables do not change.
pub fn signed_in_otherwise(world: &World) -> Option<String> {
    let file = settings(world);
    let documents = Documents::read(&*world.files, [file.as_path()]);
    chosen(&documents, &file, TYPE).filter(|kind| kind != BY_KEY && kind != "vertex-ai")
}

impl Client for GeminiCli {
    fn kind(&self) -> Kind {
        Kind::Gemini
    }

    fn detect(&self, world: &World) -> Found {
        let program = programs::find(world, &["gemini"]);
        Found {
            how: program.as_ref().map(|program| program.how),
            version: program.as_ref().and_then(|program| program.version.clone()),
            program: program.map(|program| program.path),
            settings: world.files.exists(&folder(world)),
            targets: vec![Target::user(".env", vec![keys(world), settings(world)])],
        }
    }

    fn also_reads(&self, world: &World, _: &Target) -> Vec<PathBuf> {
        let mut files = exports::files(world);
        files.extend(managed(world));
        files
    }

    fn state(&self, world: &World, target: &Target, view: &View<'_>) -> State {
        let found = self.detect(world);
        let installed = found.program.is_some() || found.settings;
        let leads = leads::in_file(target, view.documents, Format::Env, |document| lead(world, view, document));
        judge(self, installed, world, target, view, leads)
    }

    fn plan(&self, world: &World, _: &Target, _: &Documents, intent: &Intent) -> Vec<Change> {
        let take = |place: &[&str], value: &str, key| Wish::Take {
            pointer: Pointer::of(place),
            value: Some(value.into()),
            key,
        };
        let address = take(&[URL], intent.base(), None);
        let key = take(&[KEY], intent.token.expose(), intent.key_name.clone());
        let kind = take(&TYPE, BY_KEY, None);
        vec![
            Change { file: keys(world), format: Format::Env, wishes: vec![address, key] },
            Change { file: settings(world), format: Format::Json, wishes: vec![kind] },
        ]
    }

    fn conflicts(&self, world: &World, _: &Target, documents: &Documents, intent: &Intent) -> Vec<Conflict> {
        let mut conflicts = Vec::new();
        if let Some((value, place)) = exported(world, documents, URL)
            && !intent.is_here(&value)
        {
            conflicts.push(Conflict {
                code: "shell_export",
                weight: Weight::Blocks,
                what: format!("Your shell sets {URL}, which wins over .env, so it goes to {value}."),
                place,
                cure: format!("Take {URL} out of there, and open a new terminal."),
            });
        }
        if let Some((value, place)) = exported(world, documents, KEY)
            && value != intent.token.expose()
        {
            conflicts.push(Conflict {
                code: "api_key",
                weight: Weight::Warning,
                what: format!("Your shell sets {KEY}, which wins over .env, so it shows another key."),
                place,
                cure: format!("Take {KEY} out of there, and open a new terminal."),
            });
        }
        if let Some(file) = managed(world)
            && let Some((kind, place)) =
                [ENFORCED, TYPE].into_iter().find_map(|place| Some((chosen(documents, &file, place)?, place)))
            && kind != BY_KEY
        {
            conflicts.push(Conflict {
                code: "managed_settings",
                weight: Weight::Blocks,
                what: format!("Settings made by an administrator ask for the sign-in {kind}, and win over yours."),
                place: format!("{}: {}", file.display(), place.join(".")),
                cure: "Ask whoever looks after this machine.".to_owned(),
            });
        }
        conflicts.extend(proxied::conflict(world, &PROXIES, &proxied::SPARING, "The Gemini CLI"));
        conflicts
    }

    fn effective(&self, world: &World, target: &Target, documents: &Documents) -> Vec<Effective> {
        let Some(file) = target.file() else { return Vec::new() };
        let of = |name: &str| {
            let in_file = document(documents, file, Format::Env).and_then(|document| text_at(&document, &[name]));
            match (exported(world, documents, name), in_file) {
                (Some((value, place)), in_file) => {
                    let overruled = in_file.map(|_| file.display().to_string()).into_iter().collect();
                    Some(Effective::new(name, value, place, overruled))
                }
                (None, Some(value)) => Some(Effective::new(name, value, file.display(), Vec::new())),
                (None, None) => None,
            }
        };
        let settings = settings(world);
        let kind = chosen(documents, &settings, TYPE)
            .map(|kind| Effective::new(&TYPE.join("."), kind, settings.display(), Vec::new()));
        [of(URL), of(KEY), kind].into_iter().flatten().collect()
    }

    fn way(&self, world: &World, target: &Target, documents: &Documents) -> Option<Way> {
        let effective = self.effective(world, target, documents);
        let of = |name: &str| effective.iter().find(|one| one.key == name).cloned();
        Some(Way { url: of(URL), key: of(KEY) })
    }

    fn manual(&self, world: &World, intent: &Intent) -> String {
        let (base, key) = (intent.base(), intent.token.expose());
        let files = format!(
            "# {}\n{URL}={base}\n{KEY}={key}\n\n// {}\n{{ \"security\": {{ \"auth\": {{ \"selectedType\": \"{BY_KEY}\" }} }} }}\n",
            keys(world).display(),
            settings(world).display()
        );
        // Programs with Google's libraries go by the first two, and by GOOGLE_API_KEY before them.
        let lines = [
            Line::Comment("programs with Google's libraries, in sh, bash, zsh".to_owned()),
            Line::Set(URL.to_owned(), base.to_owned()),
            Line::Set(KEY.to_owned(), key.to_owned()),
            Line::Unset("GOOGLE_API_KEY".to_owned()),
        ];
        format!("{files}\n{}", text(Shell::Sh, &lines))
    }
}

/// Where `.env` leads. With another kind of sign-in it leads nowhere: the address is not asked.
fn lead(world: &World, view: &View<'_>, document: &Document) -> Leads {
    let exported = world.variable(URL).map(str::to_owned);
    let Some(url) = exported.or_else(|| text_at(document, &[URL])) else { return Leads::Nowhere };
    if chosen(view.documents, &settings(world), TYPE).is_some_and(|kind| kind != BY_KEY) {
        return Leads::Nowhere;
    }
    let key = world.variable(KEY).map(str::to_owned).or_else(|| text_at(document, &[KEY]));
    Leads::To { url, key: Key::found(key) }
}

/// What the environment sets, or a file of the shell.
fn exported(world: &World, documents: &Documents, name: &str) -> Option<(String, String)> {
    let found = exports::found(world, documents).into_iter().rfind(|export| export.name == name);
    let in_file = found.and_then(|found| Some((found.value?, format!("{}:{}", found.file.display(), found.line))));
    in_file.or_else(|| Some((world.variable(name)?.to_owned(), "the environment".to_owned())))
}

fn chosen(documents: &Documents, file: &Path, place: [&str; 3]) -> Option<String> {
    document(documents, file, Format::Json).and_then(|document| text_at(&document, &place))
}

fn document(documents: &Documents, file: &Path, format: Format) -> Option<Document> {
    leads::document(documents, file, format).ok()
}

fn text_at(document: &Document, place: &[&str]) -> Option<String> {
    document.string(&Pointer::of(place)).ok().flatten()
}

fn folder(world: &World) -> PathBuf {
    let home = world.folder("GEMINI_CLI_HOME").unwrap_or_else(|| world.home.clone());
    world.join(&home, &[".gemini"])
}

fn keys(world: &World) -> PathBuf {
    world.join(&folder(world), &[".env"])
}

fn settings(world: &World) -> PathBuf {
    world.join(&folder(world), &["settings.json"])
}

/// Where administrators overrule people (`getSystemSettingsPath`).
fn managed(world: &World) -> Option<PathBuf> {
    Some(match world.os {
        Os::Linux => PathBuf::from("/etc/gemini-cli/settings.json"),
        Os::Macos => PathBuf::from("/Library/Application Support/GeminiCli/settings.json"),
        Os::Windows => world.join(&world.folder("PROGRAMDATA")?, &["gemini-cli", "settings.json"]),
    })
}

#[cfg(test)]
mod tests {
    use super::{GeminiCli, signed_in_otherwise, variables};
    use crate::client::{Client as _, Documents, MadeUpFiles, Os, State, View, Weight, World};
    use crate::intent::{Intent, Token};

    const ENV: &str = "/home/ada/.gemini/.env";
    const SETTINGS: &str = "/home/ada/.gemini/settings.json";
    const OURS: &str = "GOOGLE_GEMINI_BASE_URL=http://127.0.0.1:8081\nGEMINI_API_KEY=cf_key\n";
    const BY_KEY: &str = r#"{"security":{"auth":{"selectedType":"gemini-api-key"}}}"#;

    fn intent() -> Intent {
        Intent::new("http://127.0.0.1:8081".parse().unwrap(), Token::new("cf_key"))
    }

    fn world(files: &[(&str, &str)]) -> World {
        let made = files.iter().fold(MadeUpFiles::new(), |made, (path, text)| made.with(path, text));
        World::made_up(Os::Linux, "/home/ada", made)
    }

    fn state(world: &World) -> State {
        let target = GeminiCli.detect(world).targets.remove(0);
        let (documents, intent) = (Documents::of(&GeminiCli, world, &target), intent());
        let view = View { documents: &documents, owned: &[], intent: &intent, opens: &|key| key == "cf_key" };
        GeminiCli.state(world, &target, &view)
    }

    fn conflicts(world: &World) -> Vec<(&'static str, Weight)> {
        let target = GeminiCli.detect(world).targets.remove(0);
        let documents = Documents::of(&GeminiCli, world, &target);
        let found = GeminiCli.conflicts(world, &target, &documents, &intent());
        found.into_iter().map(|conflict| (conflict.code, conflict.weight)).collect()
    }

    #[test]
    fn it_comes_here_by_its_key_and_no_other_way() {
        assert_eq!(state(&world(&[])), State::NotInstalled);
        assert_eq!(state(&world(&[(SETTINGS, "{}")])), State::Clean);
        assert_eq!(state(&world(&[(ENV, OURS), (SETTINGS, BY_KEY)])), State::Ours);
        let signed_in = BY_KEY.replace("gemini-api-key", "oauth-personal");
        assert_eq!(state(&world(&[(ENV, OURS), (SETTINGS, &signed_in)])), State::Clean, "the address is not asked");
        let stale = OURS.replace("cf_key", "old");
        assert!(matches!(state(&world(&[(ENV, &stale), (SETTINGS, BY_KEY)])), State::Broken { .. }));
        let there = OURS.replace("127.0.0.1:8081", "10.0.0.1:1");
        assert!(matches!(state(&world(&[(ENV, &there), (SETTINGS, BY_KEY)])), State::Elsewhere { .. }));
    }

    #[test]
    fn what_keeps_it_away_is_told() {
        let ours = [(ENV, OURS), (SETTINGS, BY_KEY)];
        assert_eq!(conflicts(&world(&ours)), []);
        let exported = world(&ours).with("GOOGLE_GEMINI_BASE_URL", "https://example.com");
        assert_eq!(conflicts(&exported), [("shell_export", Weight::Blocks)]);
        let shell = [&ours[..], &[("/home/ada/.bashrc", "export GEMINI_API_KEY=AIza-mine\n")]].concat();
        assert_eq!(conflicts(&world(&shell)), [("api_key", Weight::Warning)]);
        let enforced = r#"{"security":{"auth":{"enforcedType":"oauth-personal"}}}"#;
        let managed = [&ours[..], &[("/etc/gemini-cli/settings.json", enforced)]].concat();
        assert_eq!(conflicts(&world(&managed)), [("managed_settings", Weight::Blocks)]);
        assert_eq!(conflicts(&world(&ours).with("HTTPS_PROXY", "http://p:1")), [("proxy", Weight::Warning)]);
    }

    #[test]
    fn variables_bring_it_unless_it_is_signed_in_otherwise() {
        let names: Vec<_> = variables(&intent()).into_iter().map(|(name, _)| name).collect();
        assert!(
            names.contains(&"GOOGLE_GEMINI_BASE_URL".to_owned())
                && names.contains(&"GOOGLE_VERTEX_BASE_URL".to_owned())
        );
        assert_eq!(signed_in_otherwise(&world(&[(SETTINGS, BY_KEY)])), None);
        assert_eq!(signed_in_otherwise(&world(&[])), None);
        let signed_in = BY_KEY.replace("gemini-api-key", "oauth-personal");
        assert_eq!(signed_in_otherwise(&world(&[(SETTINGS, &signed_in)])).as_deref(), Some("oauth-personal"));
    }

    #[test]
    fn there_are_lines_for_the_files_and_for_a_shell() {
        let lines = GeminiCli.manual(&world(&[]), &intent());
        for line in [
            "# /home/ada/.gemini/.env\nGOOGLE_GEMINI_BASE_URL=http://127.0.0.1:8081\n",
            "\"selectedType\": \"gemini-api-key\"",
            "export GEMINI_API_KEY='cf_key'\n",
            "unset GOOGLE_API_KEY\n",
        ] {
            assert!(lines.contains(line), "{line} in {lines}");
        }
    }
}

//! What the environment says, read once at the start and passed on as a value.
//!
//! Nothing else of ours looks at the environment. Libraries still do: the proxies (`HTTPS_PROXY` …) and
//! `SSL_CERT_FILE` are theirs.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

use codeferry_accounts::{KeySource, Secret};
use codeferry_clients::client::World;
use codeferry_upstream::Endpoints;
use directories::BaseDirs;

use crate::Otel;
use crate::old_names::{OldName, VARIABLES};

/// The environment of this process. `Default` is an empty one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment {
    /// `CODEFERRY_HOME`, absolute; else the platform's data folder, where there is one.
    pub home: Option<PathBuf>,
    /// `CODEFERRY_VAULT`: where the vault's key lies.
    pub vault: KeySource,
    /// `CODEFERRY_AUTH_URL`, `CODEFERRY_CHATGPT_URL`, `CODEFERRY_OPENAI_URL`.
    pub endpoints: Endpoints,
    /// `CODEFERRY_LOG`, as it stands.
    pub log: Option<String>,
    /// Where traces go, if anywhere: `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` or `OTEL_EXPORTER_OTLP_ENDPOINT`, and
    /// `OTEL_SERVICE_NAME`.
    pub otel: Option<Otel>,
    /// `NO_COLOR` is set to something.
    pub no_color: bool,
    /// `COLUMNS`: how wide tables may be, where no terminal says so.
    pub columns: Option<usize>,
    /// Where others keep their files.
    pub folders: Folders,
    /// What the desktop around us is like.
    pub session: Session,
    /// `CODEFERRY_UPDATE_KEY`, for tests of the desktop app's updates: no release build reads it.
    pub update_key: Option<String>,
    /// What is set and was a name of a system people come from. None of it is obeyed, but for `CLAUDE_CONFIG_PATH`.
    pub old: Vec<&'static OldName>,
    /// `PROXY_API_KEY`, the client key of codex-completions-api, to be adopted when somebody asks for that.
    pub old_api_key: Option<Secret>,
    /// `PATH`: where programs are found.
    pub search: Option<OsString>,
    /// `CODEX_HOME`: where the person's own Codex CLI keeps its things.
    pub codex_home: Option<PathBuf>,
    /// The variables that name a proxy. What they say is the libraries', and may hold a password.
    pub proxies: Vec<&'static str>,
    /// `NO_PROXY` names this machine.
    pub spares_loopback: bool,
    /// `CODEFERRY_SIGN_IN_ATTACHABLE`: a test wants to drive the sign-in window, which cannot be done while it is private.
    /// Never so in a release.
    pub sign_in_attachable: bool,
    /// What clients that are started from here would see. Looked at only for what is done about clients.
    pub variables: Variables,
}

/// The variables that clients obey, or that say where their programs and files are. They may hold keys.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Variables(BTreeMap<String, String>);

/// Folders of other programs, and the user's own. Each is looked into only when somebody asks for it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Folders {
    /// `HOME`, or what Windows calls it.
    pub user: Option<PathBuf>,
    /// The Codex CLI's: `CODEX_HOME`, else `~/.codex`.
    pub codex: Option<PathBuf>,
    /// Claude Code's: `CLAUDE_CONFIG_DIR`, else `CLAUDE_CONFIG_PATH`, as codex-proxy called it, else `~/.claude`.
    pub claude: Option<PathBuf>,
}

/// The desktop around us, for the desktop app.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Session {
    /// Where programs keep their configurations: `XDG_CONFIG_HOME`, else `~/.config`.
    pub config: Option<PathBuf>,
    /// Windows are shown by Wayland: `WAYLAND_DISPLAY`, `XDG_SESSION_TYPE`.
    pub wayland: bool,
    /// We run within a Flatpak: `FLATPAK_ID`.
    pub flatpak: bool,
    /// The snap that started us, or a program before us: `SNAP`.
    pub snap: Option<PathBuf>,
    /// The language of messages: the first that is set of `LC_ALL`, `LC_MESSAGES` and `LANG` (POSIX), but what `LANGUAGE` names
    /// comes before it (GNU gettext).
    pub locale: Option<String>,
}

/// A variable holds something it cannot mean.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{variable} is {value:?}: {wanted}")]
pub struct BadVariable {
    variable: &'static str,
    value: String,
    wanted: &'static str,
}

// === impl Environment ===

impl Default for Environment {
    fn default() -> Self {
        Self {
            home: None,
            vault: KeySource::Keychain,
            endpoints: Endpoints::default(),
            log: None,
            otel: None,
            no_color: false,
            columns: None,
            folders: Folders::default(),
            session: Session::default(),
            update_key: None,
            old: Vec::new(),
            old_api_key: None,
            search: None,
            codex_home: None,
            proxies: Vec::new(),
            spares_loopback: false,
            sign_in_attachable: false,
            variables: Variables::default(),
        }
    }
}

impl Environment {
    /// Reads the variables through `get`, usually [`std::env::var_os`]. Empty ones count as unset.
    ///
    /// # Errors
    /// When a variable holds something it cannot mean: going on without it would send tokens somewhere else.
    pub fn read(get: impl Fn(&'static str) -> Option<OsString>) -> Result<Self, BadVariable> {
        let get = |name| get(name).filter(|value| !value.is_empty());
        let mut endpoints = Endpoints::default();
        for (variable, place) in [
            ("CODEFERRY_AUTH_URL", &mut endpoints.auth),
            ("CODEFERRY_CHATGPT_URL", &mut endpoints.chatgpt),
            ("CODEFERRY_OPENAI_URL", &mut endpoints.openai),
        ] {
            if let Some(value) = get(variable) {
                let value = value.to_string_lossy().into_owned();
                let url = value.parse().ok().filter(|url: &url::Url| matches!(url.scheme(), "http" | "https"));
                *place = url.ok_or(BadVariable { variable, value, wanted: "an http or https address is needed" })?;
            }
        }
        Ok(Self {
            home: home(get("CODEFERRY_HOME"))?,
            vault: vault(get("CODEFERRY_VAULT"))?,
            endpoints,
            log: get("CODEFERRY_LOG").map(|value| value.to_string_lossy().into_owned()),
            otel: otel(&|name| get(name).map(|value| value.to_string_lossy().into_owned()))?,
            no_color: get("NO_COLOR").is_some(),
            columns: get("COLUMNS").and_then(|value| value.to_str()?.parse().ok()),
            folders: Folders::read(get),
            session: Session::read(get),
            update_key: get("CODEFERRY_UPDATE_KEY")
                .filter(|_| cfg!(debug_assertions))
                .map(|value| value.to_string_lossy().into_owned()),
            old: VARIABLES.iter().filter(|old| get(old.name).is_some()).collect(),
            old_api_key: get("PROXY_API_KEY").map(|key| Secret::new(key.to_string_lossy())),
            search: get("PATH"),
            codex_home: get("CODEX_HOME").and_then(|value| std::path::absolute(value).ok()),
            proxies: PROXIES.iter().copied().filter(|name| get(name).is_some()).collect(),
            spares_loopback: ["NO_PROXY", "no_proxy"].into_iter().filter_map(get).any(|list| spares(&list)),
            sign_in_attachable: cfg!(debug_assertions) && get("CODEFERRY_SIGN_IN_ATTACHABLE").is_some(),
            variables: Variables::default(),
        })
    }

    /// The same with what clients would see among these variables, usually all of [`std::env::vars_os`].
    #[must_use]
    pub fn seeing(mut self, variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        self.variables = Variables::of(variables);
        self
    }
}

// === impl Variables ===

impl Variables {
    /// Those of them that clients look at. What is no text is nothing to them, and what is empty counts as unset.
    pub fn of(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let kept = variables.into_iter().filter_map(|(name, value)| {
            let (name, value) = (name.into_string().ok()?, value.into_string().ok()?);
            // Windows knows no difference, and writes `Path`.
            let name = if cfg!(windows) { name.to_ascii_uppercase() } else { name };
            (World::wants(&name) && !value.is_empty()).then_some((name, value))
        });
        Self(kept.collect())
    }

    /// What this one holds.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// All of them.
    pub fn all(&self) -> &BTreeMap<String, String> {
        &self.0
    }
}

impl std::fmt::Debug for Variables {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// What OpenTelemetry's own variables say
/// (<https://opentelemetry.io/docs/specs/otel/protocol/exporter/>). The other ones are read by its library.
fn otel(get: &dyn Fn(&'static str) -> Option<String>) -> Result<Option<Otel>, BadVariable> {
    let off = get("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"))
        || get("OTEL_TRACES_EXPORTER").is_some_and(|value| !value.split(',').any(|name| name.trim() == "otlp"));
    let own = get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT").map(|value| ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", value));
    let named = own.or_else(|| Some(("OTEL_EXPORTER_OTLP_ENDPOINT", get("OTEL_EXPORTER_OTLP_ENDPOINT")?)));
    let Some((variable, value)) = named.filter(|_| !off) else { return Ok(None) };
    let url = value.parse().ok().filter(|url: &url::Url| matches!(url.scheme(), "http" | "https"));
    let mut endpoint = url.ok_or(BadVariable { variable, value, wanted: "an http or https address is needed" })?;
    if variable == "OTEL_EXPORTER_OTLP_ENDPOINT" {
        // The address for all signals; each has its path below it.
        let path = format!("{}/v1/traces", endpoint.path().trim_end_matches('/'));
        endpoint.set_path(&path);
    }
    let protocol = get("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL").or_else(|| get("OTEL_EXPORTER_OTLP_PROTOCOL"));
    Ok(Some(Otel {
        endpoint,
        service: get("OTEL_SERVICE_NAME").unwrap_or_else(|| "codeferry".to_owned()),
        unspoken: protocol.filter(|protocol| protocol != "http/protobuf"),
    }))
}

// === impl Folders ===

impl Folders {
    fn read(get: impl Fn(&'static str) -> Option<OsString>) -> Self {
        let folder = |name| get(name).map(PathBuf::from);
        let user = folder("HOME").or_else(|| folder("USERPROFILE"));
        let below = |name: &str| user.as_ref().map(|user| user.join(name));
        let codex = folder("CODEX_HOME").or_else(|| below(".codex"));
        let claude = folder("CLAUDE_CONFIG_DIR").or_else(|| folder("CLAUDE_CONFIG_PATH")).or_else(|| below(".claude"));
        Self { user, codex, claude }
    }
}

// === impl Session ===

impl Session {
    fn read(get: impl Fn(&'static str) -> Option<OsString>) -> Self {
        let folder = |name| get(name).map(PathBuf::from);
        // One that is not absolute is to be ignored (XDG Base Directory Specification).
        let config = folder("XDG_CONFIG_HOME").filter(|folder| folder.is_absolute());
        Self {
            config: config.or_else(|| folder("HOME").map(|home| home.join(".config"))),
            wayland: get("WAYLAND_DISPLAY").is_some() || get("XDG_SESSION_TYPE").is_some_and(|kind| kind == "wayland"),
            flatpak: get("FLATPAK_ID").is_some(),
            snap: folder("SNAP"),
            locale: locale(get),
        }
    }
}

fn locale(get: impl Fn(&'static str) -> Option<OsString>) -> Option<String> {
    let text = |name| get(name).and_then(|text| text.into_string().ok());
    let locale = ["LC_ALL", "LC_MESSAGES", "LANG"].into_iter().find_map(text)?;
    // In the plain locale nothing is translated, whatever else is said.
    let plain = locale == "C" || locale.starts_with("C.") || locale == "POSIX";
    Some(text("LANGUAGE").filter(|_| !plain).unwrap_or(locale))
}

/// The variables that are ours, or hold a key to us. No program beside us gets them.
pub(crate) fn our_variables() -> Vec<OsString> {
    let ours = |name: &str| name.starts_with("CODEFERRY_") || name == "PROXY_API_KEY";
    std::env::vars_os().map(|(name, _)| name).filter(|name| ours(&name.to_string_lossy())).collect()
}

const PROXIES: [&str; 6] = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"];

/// Whether this list of exceptions holds 127.0.0.1, which is what clients are told to ask.
fn spares(list: &OsString) -> bool {
    let list = list.to_string_lossy();
    list.split(',').map(str::trim).any(|name| matches!(name, "*" | "127.0.0.1" | "127.0.0.0/8"))
}

fn home(value: Option<OsString>) -> Result<Option<PathBuf>, BadVariable> {
    let Some(value) = value else {
        // On Linux ~/.local/share, on macOS ~/Library/Application Support, on Windows %APPDATA%.
        return Ok(BaseDirs::new().map(|folders| folders.data_dir().join("codeferry")));
    };
    let bad = |_| BadVariable {
        variable: "CODEFERRY_HOME",
        value: value.to_string_lossy().into_owned(),
        wanted: "a folder is needed",
    };
    // Absolute, so that it still names the same folder for whom it is shown to.
    std::path::absolute(&value).map(Some).map_err(bad)
}

fn vault(value: Option<OsString>) -> Result<KeySource, BadVariable> {
    let Some(value) = value else { return Ok(KeySource::Keychain) };
    match value.to_str() {
        Some("keychain") => Ok(KeySource::Keychain),
        Some("file") => Ok(KeySource::File),
        _ => Err(BadVariable {
            variable: "CODEFERRY_VAULT",
            value: value.to_string_lossy().into_owned(),
            wanted: "keychain or file is needed",
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::{Environment, KeySource};

    fn read(set: &[(&str, &str)]) -> Result<Environment, String> {
        let get = |name: &str| set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).into());
        Environment::read(get).map_err(|error| error.to_string())
    }

    #[test]
    fn nothing_set_means_the_real_hosts_and_the_keychain() {
        let environment = read(&[("CODEFERRY_HOME", "/somewhere"), ("CODEFERRY_VAULT", ""), ("NO_COLOR", "")]).unwrap();
        assert_eq!(environment, Environment { home: Some("/somewhere".into()), ..Environment::default() });
    }

    #[test]
    fn each_variable_goes_where_it_belongs() {
        let environment = read(&[
            ("CODEFERRY_HOME", "/h"),
            ("CODEFERRY_VAULT", "file"),
            ("CODEFERRY_AUTH_URL", "http://127.0.0.1:1"),
            ("CODEFERRY_CHATGPT_URL", "http://127.0.0.1:2/backend-api"),
            ("CODEFERRY_OPENAI_URL", "https://gateway.example/v1"),
            ("CODEFERRY_LOG", "debug"),
            ("NO_COLOR", "1"),
            ("COLUMNS", "80"),
        ])
        .unwrap();
        let hosts = &environment.endpoints;
        assert_eq!(hosts.auth.as_str(), "http://127.0.0.1:1/");
        assert_eq!(hosts.chatgpt.as_str(), "http://127.0.0.1:2/backend-api");
        assert_eq!(hosts.openai.as_str(), "https://gateway.example/v1");
        assert_eq!((environment.vault, environment.no_color), (KeySource::File, true));
        assert_eq!(environment.log.as_deref(), Some("debug"));
        assert_eq!(environment.columns, Some(80));
    }

    #[test]
    fn traces_go_where_opentelemetry_says() {
        let otel = |set: &[(&str, &str)]| read(&[set, &[("CODEFERRY_HOME", "/h")]].concat()).unwrap().otel;
        assert_eq!(otel(&[("OTEL_SERVICE_NAME", "mine")]), None, "nobody is named");
        let all = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://box.lan:4318/base/");
        let found = otel(&[all]).unwrap();
        assert_eq!(
            (found.endpoint.as_str(), found.service.as_str()),
            ("http://box.lan:4318/base/v1/traces", "codeferry")
        );
        let own = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://traces.example/in");
        let found = otel(&[all, own, ("OTEL_SERVICE_NAME", "mine")]).unwrap();
        assert_eq!((found.endpoint.as_str(), found.service.as_str()), ("https://traces.example/in", "mine"));
        for off in [("OTEL_SDK_DISABLED", "true"), ("OTEL_TRACES_EXPORTER", "none")] {
            assert_eq!(otel(&[all, off]), None, "{off:?}");
        }
        assert!(otel(&[all, ("OTEL_TRACES_EXPORTER", "console, otlp")]).is_some());
        let protocol = |word| otel(&[all, ("OTEL_EXPORTER_OTLP_PROTOCOL", word)]).unwrap().unspoken;
        assert_eq!((protocol("http/protobuf"), protocol("grpc").as_deref()), (None, Some("grpc")));
    }

    #[test]
    fn folders_of_others_are_where_they_say() {
        let home = &[("CODEFERRY_HOME", "/h"), ("HOME", "/u")];
        let folders = read(home).unwrap().folders;
        assert_eq!((folders.codex, folders.claude), (Some("/u/.codex".into()), Some("/u/.claude".into())));
        let moved = [home.as_slice(), &[("CODEX_HOME", "/c"), ("CLAUDE_CONFIG_DIR", "/d")]].concat();
        let folders = read(&moved).unwrap().folders;
        assert_eq!((folders.codex, folders.claude), (Some("/c".into()), Some("/d".into())));
        let old = [home.as_slice(), &[("CLAUDE_CONFIG_PATH", "/p")]].concat();
        assert_eq!(read(&old).unwrap().folders.claude, Some("/p".into()));
        let both = [old.as_slice(), &[("CLAUDE_CONFIG_DIR", "/d")]].concat();
        assert_eq!(read(&both).unwrap().folders.claude, Some("/d".into()));
    }

    #[test]
    fn the_desktop_is_looked_at() {
        let session =
            |set: &[(&str, &str)]| read(&[&[("CODEFERRY_HOME", "/h"), ("HOME", "/u")], set].concat()).unwrap().session;
        let plain = session(&[]);
        assert_eq!((plain.config, plain.wayland, plain.flatpak), (Some("/u/.config".into()), false, false));
        assert_eq!(session(&[("XDG_CONFIG_HOME", "/c")]).config, Some("/c".into()));
        assert_eq!(session(&[("XDG_CONFIG_HOME", "c")]).config, Some("/u/.config".into()));
        assert!(
            session(&[("WAYLAND_DISPLAY", "wayland-0")]).wayland && session(&[("XDG_SESSION_TYPE", "wayland")]).wayland
        );
        assert!(!session(&[("XDG_SESSION_TYPE", "x11")]).wayland);
        for (variables, locale) in [
            (vec![("LANG", "zh_CN.UTF-8")], Some("zh_CN.UTF-8")),
            (vec![("LANG", "de_DE.UTF-8"), ("LC_ALL", "zh_CN.UTF-8")], Some("zh_CN.UTF-8")),
            (vec![("LANG", "de_DE.UTF-8"), ("LANGUAGE", "zh_CN:en")], Some("zh_CN:en")),
            (vec![("LANG", "C.UTF-8"), ("LANGUAGE", "zh_CN:en")], Some("C.UTF-8")),
            (vec![("LANGUAGE", "zh_CN")], None),
        ] {
            assert_eq!(session(&variables).locale.as_deref(), locale, "{variables:?}");
        }
        assert!(session(&[("FLATPAK_ID", "app.codeferry.desktop")]).flatpak);
    }

    #[test]
    fn old_names_are_noticed_and_not_obeyed() {
        let old = [("PORT", "3000"), ("PROXY_API_KEY", "sk-old"), ("RUST_LOG", "trace"), ("CODEX_MODEL", "")];
        let environment = read(&[&[("CODEFERRY_HOME", "/h")], old.as_slice()].concat()).unwrap();
        let names: Vec<_> = environment.old.iter().map(|old| old.name).collect();
        assert_eq!(names, ["PORT", "PROXY_API_KEY", "RUST_LOG"], "an empty one is not set");
        assert_eq!(environment.log, None);
        assert!(!format!("{environment:?}").contains("sk-old"));
        let told: String = environment.old.iter().map(ToString::to_string).collect();
        assert!(
            told.contains("--port N") && told.contains("codeferry keys create") && !told.contains("3000"),
            "{told}"
        );
    }

    #[test]
    fn what_clients_would_see_is_kept_and_not_shown() {
        let all =
            [("ANTHROPIC_API_KEY", "sk-mine"), ("no_proxy", "corp"), ("NVM_DIR", "/nvm"), ("SECRET_OF_MINE", "x")];
        let environment = Environment::default().seeing(all.map(|(name, value)| (name.into(), value.into())));
        assert_eq!(environment.variables.get("ANTHROPIC_API_KEY"), Some("sk-mine"));
        assert_eq!(environment.variables.get("NVM_DIR"), Some("/nvm"));
        assert_eq!(environment.variables.all().len(), 3, "what is nobody's business is not kept");
        let shown = format!("{environment:?}");
        assert!(shown.contains("ANTHROPIC_API_KEY") && !shown.contains("sk-mine"), "{shown}");
    }

    #[test]
    fn a_relative_home_is_made_absolute() {
        let home = read(&[("CODEFERRY_HOME", "data")]).unwrap().home.unwrap();
        assert!(home.is_absolute() && home.ends_with("data"), "{}", home.display());
    }

    #[test]
    fn what_cannot_be_meant_is_refused_by_name() {
        for (name, value) in [
            ("CODEFERRY_VAULT", "flie"),
            ("CODEFERRY_AUTH_URL", "auth.openai.com"),
            ("CODEFERRY_CHATGPT_URL", "ftp://chatgpt.com"),
            ("CODEFERRY_OPENAI_URL", "/v1"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost:4318"),
        ] {
            let error = read(&[("CODEFERRY_HOME", "/h"), (name, value)]).unwrap_err();
            assert!(error.starts_with(name) && error.contains(value), "{error}");
        }
    }
}

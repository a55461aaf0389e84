//! What is put together, and for which machine.

use std::env;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde::Serialize;

use crate::run;

/// What this system makes without asking anybody. An AppImage needs parts from the network and is made when it is named.
pub(crate) const KINDS: [&str; 2] = if cfg!(target_os = "macos") {
    ["app", "dmg"]
} else if cfg!(windows) {
    ["nsis", "msi"]
} else {
    ["deb", "rpm"]
};

/// This kind holds the libraries of the program, which are found by reading it.
const SELF_CONTAINED: &str = "appimage";
/// With this feature the program names the web engine among its libraries, instead of loading it later.
const LINKED: &str = "link-webkit";

/// Which packages hold the same program, and with which features that is built. The usual one last: it is what stays in the
/// folder of builds.
pub(crate) fn programs(kinds: &[String]) -> Vec<(Vec<&str>, Option<&'static str>)> {
    let all = kinds.iter().map(String::as_str);
    let (contained, usual): (Vec<_>, Vec<_>) = all.partition(|kind| *kind == SELF_CONTAINED);
    [(contained, Some(LINKED)), (usual, None)].into_iter().filter(|(kinds, _)| !kinds.is_empty()).collect()
}

/// The one name for Macs of both kinds.
const UNIVERSAL: &str = "universal-apple-darwin";

/// The kind of machine the packages are for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Machine {
    /// As it was asked for; nothing means this one, and cargo's folders without the name of a machine.
    pub(crate) asked: Option<String>,
    /// What the compiler is asked for.
    pub(crate) triples: Vec<String>,
}

// === impl Machine ===

impl Machine {
    pub(crate) fn parse(asked: Option<&str>) -> Result<Self> {
        let triples = match asked {
            Some(UNIVERSAL) => vec!["aarch64-apple-darwin".to_owned(), "x86_64-apple-darwin".to_owned()],
            Some(triple) => vec![triple.to_owned()],
            None => vec![host()?],
        };
        Ok(Self { asked: asked.map(str::to_owned), triples })
    }

    /// The name that files carry.
    pub(crate) fn name(&self) -> &str {
        self.asked.as_deref().or_else(|| self.triples.first().map(String::as_str)).unwrap_or_default()
    }

    /// The word for the processor in the names of Tauri's packages for macOS.
    pub(crate) fn mac_word(&self) -> &'static str {
        match self.name() {
            UNIVERSAL => "universal",
            name if name.starts_with("aarch64") => "aarch64",
            _ => "x64",
        }
    }

    pub(crate) fn executable(&self, name: &str) -> String {
        if self.name().contains("windows") { format!("{name}.exe") } else { name.to_owned() }
    }
}

fn host() -> Result<String> {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = run::output(Command::new(rustc).arg("-vV"))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("rustc does not say which machine this is")
}

/// What packages are signed with, as far as there is any. The environment gives it: in a release the secrets of the workflow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Signing {
    /// The two halves of the key that updates are checked with are there: this is the public one, which goes into the program.
    pub(crate) updates: Option<String>,
    /// Which certificate of the Windows certificate store signs programs and installers.
    pub(crate) windows: Option<String>,
}

// === impl Signing ===

impl Signing {
    /// The half that Tauri's CLI reads by itself, and the other one.
    pub(crate) const UPDATES: [&str; 2] = ["TAURI_SIGNING_PRIVATE_KEY", "CODEFERRY_UPDATE_PUBLIC_KEY"];
    const WINDOWS: &str = "CODEFERRY_WINDOWS_CERTIFICATE_THUMBPRINT";

    /// # Errors
    /// One half of the key without the other: the program could not check what is signed, or would wait for what is not.
    pub(crate) fn find(variable: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let set = |name: &str| variable(name).filter(|value| !value.trim().is_empty());
        let updates = match Self::UPDATES.map(set) {
            [Some(_), Some(public)] => Some(public),
            [None, None] => None,
            _ => bail!("{} go together: set both or none", Self::UPDATES.join(" and ")),
        };
        Ok(Self { updates, windows: set(Self::WINDOWS) })
    }
}

/// What is added to tauri.conf.json: it is known only now, and a plain build of the shell must not need it.
pub(crate) fn config(headless: &Path, signing: &Signing) -> Result<String> {
    #[derive(Serialize)]
    struct Config<'a> {
        bundle: Bundle<'a>,
        #[serde(skip_serializing_if = "Option::is_none")]
        plugins: Option<Plugins<'a>>,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Bundle<'a> {
        external_bin: [&'a Path; 1],
        create_updater_artifacts: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        windows: Option<Windows<'a>>,
    }
    #[derive(Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Windows<'a> {
        certificate_thumbprint: &'a str,
    }
    #[derive(Serialize)]
    struct Plugins<'a> {
        updater: Updater<'a>,
    }
    #[derive(Serialize)]
    struct Updater<'a> {
        pubkey: &'a str,
    }
    let windows = signing.windows.as_deref().map(|certificate_thumbprint| Windows { certificate_thumbprint });
    let plugins = signing.updates.as_deref().map(|pubkey| Plugins { updater: Updater { pubkey } });
    let create_updater_artifacts = plugins.is_some();
    let bundle = Bundle { external_bin: [headless], create_updater_artifacts, windows };
    Ok(serde_json::to_string(&Config { bundle, plugins })?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_of_mac_have_one_name_and_two_builds() {
        let machine = Machine::parse(Some(UNIVERSAL)).unwrap();
        assert_eq!((machine.triples.len(), machine.mac_word()), (2, "universal"));
        let machine = Machine::parse(Some("aarch64-apple-darwin")).unwrap();
        assert_eq!((machine.triples.len(), machine.mac_word()), (1, "aarch64"));
        assert_eq!(Machine::parse(Some("x86_64-apple-darwin")).unwrap().mac_word(), "x64");
        assert_eq!(Machine::parse(Some("x86_64-pc-windows-msvc")).unwrap().executable("codeferry"), "codeferry.exe");
    }

    #[test]
    fn this_machine_is_built_for_where_none_is_named() {
        let machine = Machine::parse(None).unwrap();
        assert_eq!(machine.asked, None);
        assert!(machine.name().contains(env::consts::ARCH), "{machine:?}");
    }

    #[test]
    fn an_appimage_has_a_program_of_its_own() {
        let kinds = ["deb", "appimage", "rpm"].map(str::to_owned);
        let two = vec![(vec!["appimage"], Some(LINKED)), (vec!["deb", "rpm"], None)];
        assert_eq!(programs(&kinds), two);
        assert_eq!(programs(&["dmg".to_owned()]), [(vec!["dmg"], None)]);
        assert_eq!(programs(&["appimage".to_owned()]).len(), 1);
    }

    #[test]
    fn without_keys_only_the_binary_is_added() {
        let added = config(Path::new("/x/codeferry"), &Signing::find(|_| Some(" ".to_owned())).unwrap()).unwrap();
        assert_eq!(added, r#"{"bundle":{"externalBin":["/x/codeferry"],"createUpdaterArtifacts":false}}"#);
    }

    #[test]
    fn with_keys_the_program_gets_the_public_half() {
        let signing = Signing::find(|name| Some(name.rsplit('_').take(2).collect())).unwrap();
        let added = config(Path::new("/x/codeferry"), &signing).unwrap();
        assert!(added.contains(r#""createUpdaterArtifacts":true"#), "{added}");
        assert!(added.contains(r#""plugins":{"updater":{"pubkey":"KEYPUBLIC"}}"#), "{added}");
        assert!(added.contains(r#""windows":{"certificateThumbprint":"THUMBPRINTCERTIFICATE"}"#), "{added}");
    }

    #[test]
    fn half_a_key_is_refused() {
        for half in Signing::UPDATES {
            let error = Signing::find(|name| (name == half).then(|| "key".to_owned())).unwrap_err();
            assert!(error.to_string().contains("go together"), "{error}");
        }
    }
}

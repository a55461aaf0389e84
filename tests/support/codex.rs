//! The real Codex CLI, as a program whose only model host is the fake upstream.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use codeferry_demo::{Demo, DemoAccount};
use tempfile::TempDir;

/// A Codex CLI with a home of its own.
pub struct Codex {
    /// The executable.
    pub binary: PathBuf,
    /// Its `CODEX_HOME`.
    pub home: TempDir,
}

impl Codex {
    /// A Codex CLI that knows no model host but this one, and pays with this account; `None` where there is none, and the
    /// test says that it was skipped.
    pub fn at(demo: &Demo, account: &DemoAccount) -> Option<Self> {
        let binary = crate::client("CODEFERRY_TEST_CODEX", "the Codex CLI")?;
        let home = tempfile::tempdir().expect("a home");
        let config = format!(
            "model_provider = \"fake\"\ncheck_for_update_on_startup = false\n\
             [model_providers.fake]\nname = \"fake\"\nbase_url = \"{}/codex\"\nwire_api = \"responses\"\n\
             experimental_bearer_token = \"{}\"\nhttp_headers = {{ \"chatgpt-account-id\" = \"{}\" }}\n\
             request_max_retries = 0\nstream_max_retries = 0\n",
            demo.chatgpt_url(),
            account.access_token,
            account.account_id
        );
        std::fs::write(home.path().join("config.toml"), config).expect("its configuration");
        Some(Self { binary, home })
    }

    /// Every file of its home, with its content.
    pub fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = BTreeMap::new();
        let mut folders = vec![self.home.path().to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).expect("its home").flatten() {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                } else if let Ok(content) = std::fs::read(&path) {
                    files.insert(path.strip_prefix(self.home.path()).unwrap_or(&path).to_owned(), content);
                }
            }
        }
        files
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.binary
    }
}

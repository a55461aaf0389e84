//! The real Codex CLI, as a program whose only model host is the fake upstream.

use std::collections::BTreeMap;
use std::path::PathBuf;

use codeferry_accounts::{Kind, NamedAccount, Program, Secret};
use codeferry_demo::{AccountKind, DemoAccount};
use tempfile::TempDir;

use crate::World;

/// A Codex CLI with a home and a sign-in of its own.
pub struct Codex {
    /// The executable.
    pub binary: PathBuf,
    /// Its `CODEX_HOME`.
    pub home: TempDir,
    /// Who pays for it.
    pub account: DemoAccount,
}

impl Codex {
    /// A Codex CLI that knows no model host but the one of this world, where it is reached as `codex-cli/MODEL`; `None`
    /// where there is none, and the test says that it was skipped.
    pub async fn at(world: &World) -> Option<Self> {
        let binary = crate::client("CODEFERRY_TEST_CODEX", "the Codex CLI")?;
        let home = tempfile::tempdir().expect("a home");
        let account = world.demo.sign_in(AccountKind::Codex, "cli");
        let config = format!(
            "model_provider = \"fake\"\ncheck_for_update_on_startup = false\n\
             developer_instructions = \"OF THE PERSON'S OWN\"\n\
             [model_providers.fake]\nname = \"fake\"\nbase_url = \"{}/codex\"\nwire_api = \"responses\"\n\
             experimental_bearer_token = \"{}\"\nhttp_headers = {{ \"chatgpt-account-id\" = \"{}\" }}\n\
             request_max_retries = 0\nstream_max_retries = 0\n\
             [mcp_servers.own]\ncommand = \"{}\"\nargs = [\"started\"]\n",
            world.demo.chatgpt_url(),
            account.access_token,
            account.account_id,
            home.path().join("mcp").display(),
        );
        std::fs::write(home.path().join("config.toml"), config).expect("its configuration");
        let codex = Self { binary, home, account };
        let program = Some(codex.program());
        let label = "codex-cli".to_owned();
        let new = NamedAccount { kind: Kind::CodexCli, label, endpoint: None, program, key: Secret::new("") };
        world.gateway.pool().add_named(new).await.expect("the vault takes it");
        Some(codex)
    }

    /// How it is started.
    pub fn program(&self) -> Program {
        Program { path: self.binary.clone(), home: Some(self.home.path().to_owned()) }
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
}

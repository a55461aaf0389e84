//! The CLI beside a running gateway: a Guest of its data folder, through the control plane.

use std::time::Duration;

use anyhow::{Context as _, bail};
use codeferry_accounts::AccountStatus;
use codeferry_app::{OwnerRecord, Paths};
use codeferry_store::ControlToken;
use jiff::Timestamp;
use reqwest::{Client, Method, Response};
use serde::{Deserialize, Serialize};

/// The running gateway, seen from outside.
#[derive(Debug)]
pub(crate) struct Guest {
    client: Client,
    url: String,
    token: ControlToken,
    pub(crate) owner: OwnerRecord,
}

/// What `POST /api/reload` says.
#[derive(Deserialize)]
struct Reloaded {
    problems: Vec<String>,
}

/// What `GET /api/status` says, as far as we show it.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Status {
    pub(crate) version: String,
    pub(crate) pid: u32,
    pub(crate) started_at: Timestamp,
    pub(crate) accounts: Vec<Listed>,
    pub(crate) exchanges: Exchanges,
}

/// Counts since the start.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Exchanges {
    pub(crate) open: u64,
    pub(crate) completed: u64,
    pub(crate) refused: u64,
    pub(crate) failed: u64,
    pub(crate) cancelled: u64,
}

/// An account as it is listed, from the vault or from the gateway: the form of [`AccountStatus`], read back.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
pub(crate) struct Listed {
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) email: Option<String>,
    pub(crate) label: Option<String>,
    pub(crate) plan: Option<String>,
    pub(crate) active: bool,
    pub(crate) ephemeral: bool,
    /// `ready`, `cooling_down` or `needs_sign_in`.
    pub(crate) state: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) until: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) why: Option<String>,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) last_refresh: Option<Timestamp>,
}

/// How long the gateway may take to answer. It does not ask anyone else for these.
const PATIENCE: Duration = Duration::from_secs(5);
/// An Owner that is just starting says soon where it listens.
const STARTING: u32 = 40;
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

// === impl Guest ===

impl Guest {
    /// The gateway that serves this data folder, if one runs.
    pub(crate) async fn find(paths: &Paths) -> anyhow::Result<Option<Self>> {
        let mut looks = 0;
        loop {
            let owner = OwnerRecord::find(paths).context("cannot tell whether a gateway runs")?;
            let Some(owner) = owner else { return Ok(None) };
            if let Some(url) = owner.url.as_deref().map(reachable) {
                let token = codeferry_app::control_token(paths)?;
                return Ok(Some(Self { client: client()?, url, token, owner }));
            }
            looks += 1;
            if looks > STARTING {
                bail!("codeferry (process {}) is starting and does not say where it listens", owner.pid);
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
    }

    /// Makes the gateway read settings, keys and vault again.
    ///
    /// What it could not read is the second half of the answer; that stays as it was.
    pub(crate) async fn reload(&self) -> anyhow::Result<Vec<String>> {
        let answer = self.ask(Method::POST, "reload").await?;
        let reloaded: Reloaded = answer.json().await.context("the running gateway answered something else")?;
        Ok(reloaded.problems)
    }

    pub(crate) async fn status(&self) -> anyhow::Result<Status> {
        let answer = self.ask(Method::GET, "status").await?;
        answer.json().await.context("the gateway's status cannot be read: it may be of another version")
    }

    async fn ask(&self, method: Method, what: &str) -> anyhow::Result<Response> {
        let request = self.client.request(method, format!("{}/api/{what}", self.url)).bearer_auth(self.token.expose());
        // The name it always answers to, whichever address it listens on.
        let request = request.header(reqwest::header::HOST, "localhost");
        let answer = request.send().await.context("the running gateway does not answer")?;
        if !answer.status().is_success() {
            bail!("the running gateway refused ({})", answer.status());
        }
        Ok(answer)
    }
}

/// A gateway that listens on every address is reached on loopback.
fn reachable(url: &str) -> String {
    url.replacen("//0.0.0.0:", "//127.0.0.1:", 1).replacen("//[::]:", "//[::1]:", 1)
}

/// To this machine, in the clear: no proxy, no certificates to read.
fn client() -> anyhow::Result<Client> {
    codeferry_app::install_crypto_provider();
    let builder = Client::builder().no_proxy().tls_certs_only(std::iter::empty()).timeout(PATIENCE);
    builder.build().context("cannot make an HTTP client")
}

// === impl Listed ===

impl Listed {
    pub(crate) fn from_pool(account: &AccountStatus) -> anyhow::Result<Self> {
        Ok(serde_json::from_slice(&serde_json::to_vec(account)?)?)
    }

    pub(crate) fn needs_sign_in(&self) -> bool {
        self.state == "needs_sign_in"
    }

    /// As [`codeferry_accounts::Account::name`].
    pub(crate) fn name(&self) -> &str {
        self.label.as_deref().or(self.email.as_deref()).unwrap_or(&self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::reachable;

    #[test]
    fn every_address_means_this_one_from_here() {
        assert_eq!(reachable("http://0.0.0.0:8081"), "http://127.0.0.1:8081");
        assert_eq!(reachable("http://[::]:8081"), "http://[::1]:8081");
        assert_eq!(reachable("http://192.168.1.5:8081"), "http://192.168.1.5:8081");
    }
}

//! The CLI beside a running gateway: a Guest of its data folder, through the control plane.

mod answers;
mod lines;

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use codeferry_app::doctor::Report;
use codeferry_app::setup::Offer;
use codeferry_app::setup::probe::{Answer, PATIENCE as PROBE, Probe};
use codeferry_app::{LogLevel, LogLine, OwnerRecord, Paths};
use codeferry_store::ControlToken;
use reqwest::{Client, Method, Response};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

pub(crate) use self::answers::{
    Begun, Capture, Gone, Link, Listed, Outcome, Quota, Redeemed, ResetCredits, Stage, Status, Verified, Window,
};
pub(crate) use self::lines::Lines;
use crate::commands::accounts::{Added, New};
use crate::failure::Failure;

/// The running gateway, seen from outside.
#[derive(Debug)]
pub(crate) struct Guest {
    client: Client,
    url: String,
    token: ControlToken,
}

/// Where an attempt to sign in stands, as the gateway tells it.
#[derive(Debug)]
pub(crate) struct Stages {
    answer: Response,
    buffer: Vec<u8>,
}

/// An answer that is passed on: a gateway may say more than this program knows of.
pub(crate) type Told = BTreeMap<String, Box<RawValue>>;

/// What `POST /api/reload` says.
#[derive(Deserialize)]
struct Reloaded {
    problems: Vec<String>,
}

/// What `GET /api/logs` says.
#[derive(Deserialize)]
struct Logs {
    lines: Vec<LogLine>,
}

/// What `GET /api/accounts` says.
#[derive(Deserialize)]
struct List {
    accounts: Vec<Listed>,
}

/// Why the control plane does not do what it was asked.
#[derive(Deserialize)]
struct Refused {
    code: String,
    message: String,
    hint: Option<String>,
}

/// How long the gateway may take to answer. It does not ask anyone else for these.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long where it asks the upstream, and again if need be.
const ASKING: Duration = Duration::from_secs(90);
/// Longer than any attempt to sign in.
const WAITING: Duration = Duration::from_secs(20 * 60);
/// Longer than anybody looks on.
const FOR_EVER: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);
/// An Owner that is just starting says soon where it listens.
const STARTING: u32 = 40;
const BETWEEN_LOOKS: Duration = Duration::from_millis(50);

// === impl Guest ===

impl Guest {
    /// The gateway that serves this data folder, if one runs, and who it is.
    pub(crate) async fn find(paths: &Paths) -> anyhow::Result<Option<(Self, OwnerRecord)>> {
        let mut looks = 0;
        loop {
            let owner = OwnerRecord::find(paths).context("cannot tell whether a gateway runs")?;
            let Some(owner) = owner else { return Ok(None) };
            if let Some(url) = owner.url.as_deref().map(reachable) {
                return Ok(Some((Self::at(url, paths)?, owner)));
            }
            looks += 1;
            if looks > STARTING {
                bail!("codeferry (process {}) is starting and does not say where it listens", owner.pid);
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
    }

    /// The gateway at that address, which serves this data folder.
    pub(crate) fn at(url: String, paths: &Paths) -> anyhow::Result<Self> {
        Ok(Self { client: client()?, url, token: codeferry_app::control_token(paths)? })
    }

    /// Makes the gateway read settings, keys and vault again.
    ///
    /// What it could not read is the second half of the answer; that stays as it was.
    pub(crate) async fn reload(&self) -> anyhow::Result<Vec<String>> {
        let reloaded: Reloaded = self.ask(Method::POST, "reload", PATIENCE).await.map_err(|refused| refused.error)?;
        Ok(reloaded.problems)
    }

    /// What is well and what is not, as the gateway sees it. Its vault may wait for a keychain, and hosts take their time.
    pub(crate) async fn doctor(&self, live: bool) -> Result<Report, Failure> {
        self.ask(Method::GET, if live { "doctor?live=true" } else { "doctor" }, ASKING).await
    }

    /// What clients are told of it.
    pub(crate) async fn intent(&self) -> Result<Offer, Failure> {
        self.ask(Method::GET, "intent", PATIENCE).await
    }

    /// Tries something as a client with that key.
    pub(crate) async fn probe(&self, probe: &Probe, key: &str) -> Result<Answer, String> {
        let begun = tokio::time::Instant::now();
        let method = if probe.method == "GET" { Method::GET } else { Method::POST };
        let mut request = self.client.request(method, format!("{}{}", self.url, probe.path)).bearer_auth(key);
        for (name, value) in probe.headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = &probe.body {
            request = request.body(body.clone());
        }
        let answer = request.timeout(PROBE).send().await.map_err(|error| error.without_url().to_string())?;
        let status = answer.status().as_u16();
        let body = answer.bytes().await.map_err(|error| error.without_url().to_string())?.to_vec();
        Ok(Answer { status, body, took: begun.elapsed() })
    }

    /// A link that opens one browser session.
    pub(crate) async fn session_link(&self) -> Result<Link, Failure> {
        self.ask(Method::POST, "session/link", PATIENCE).await
    }

    /// How it fares, as it says it.
    pub(crate) async fn status_as_told(&self) -> anyhow::Result<Told> {
        self.ask(Method::GET, "status", PATIENCE).await.map_err(|refused| refused.error)
    }

    pub(crate) async fn status(&self) -> anyhow::Result<Status> {
        self.ask(Method::GET, "status", PATIENCE).await.map_err(|refused| refused.error)
    }

    /// The last lines of its log that are at least that bad.
    pub(crate) async fn logs(&self, lines: usize, level: LogLevel) -> Result<Vec<LogLine>, Failure> {
        let what = format!("logs?lines={lines}&level={}", level.as_str());
        let logs: Logs = self.ask(Method::GET, &what, PATIENCE).await?;
        Ok(logs.lines)
    }

    /// The lines it logs from now on, from `info` on.
    pub(crate) async fn follow_logs(&self) -> Result<Lines, Failure> {
        let answer = self.send(self.request(Method::GET, "events?types=log", FOR_EVER)).await?;
        Ok(Lines::begin(answer).await?)
    }

    /// What it says at `/api/{what}` to these parameters, as it stands.
    pub(crate) async fn text(&self, what: &str, pairs: &[(String, String)]) -> Result<String, Failure> {
        let answer = self.send(self.request(Method::GET, what, ASKING).query(pairs)).await?;
        let text = answer.text().await.context("the running gateway broke off its answer")?;
        Ok(text)
    }

    /// Captures exchanges from now on.
    pub(crate) async fn capture(&self, minutes: u64, client: Option<&str>, images: bool) -> Result<Capture, Failure> {
        #[derive(Serialize)]
        struct Begin<'a> {
            minutes: u64,
            client: Option<&'a str>,
            images: bool,
        }
        let request = self.request(Method::POST, "capture", PATIENCE).json(&Begin { minutes, client, images });
        read(self.send(request).await?).await
    }

    /// Whether something is captured. All that was is written now.
    pub(crate) async fn captures(&self) -> Result<Capture, Failure> {
        self.ask(Method::GET, "capture", PATIENCE).await
    }

    /// Captures nothing any more. Whether something was captured before.
    pub(crate) async fn end_capture(&self) -> Result<bool, Failure> {
        let was_on = self.captures().await?.on;
        self.send(self.request(Method::DELETE, "capture", PATIENCE)).await?;
        Ok(was_on)
    }

    /// The accounts, as the vault has them now.
    pub(crate) async fn accounts(&self) -> Result<Vec<Listed>, Failure> {
        let list: List = self.ask(Method::GET, "accounts", PATIENCE).await?;
        Ok(list.accounts)
    }

    pub(crate) async fn wake(&self, id: &str) -> Result<(), Failure> {
        self.send(self.request(Method::POST, &format!("accounts/{id}/wake"), PATIENCE)).await.map(drop)
    }

    pub(crate) async fn verify(&self, id: &str) -> Result<Verified, Failure> {
        self.ask(Method::POST, &format!("accounts/{id}/verify"), ASKING).await
    }

    pub(crate) async fn remove(&self, id: &str) -> Result<Gone, Failure> {
        self.ask(Method::DELETE, &format!("accounts/{id}"), ASKING).await
    }

    pub(crate) async fn clear(&self) -> Result<Vec<Gone>, Failure> {
        self.ask(Method::DELETE, "accounts", ASKING).await
    }

    pub(crate) async fn refresh_quota(&self, id: &str) -> Result<(), Failure> {
        self.send(self.request(Method::POST, &format!("accounts/{id}/quota/refresh"), ASKING)).await.map(drop)
    }

    pub(crate) async fn reset_credits(&self, id: &str) -> Result<ResetCredits, Failure> {
        self.ask(Method::GET, &format!("accounts/{id}/reset-credits"), ASKING).await
    }

    pub(crate) async fn consume_reset_credit(&self, id: &str, credit: Option<&str>) -> Result<Redeemed, Failure> {
        #[derive(Serialize)]
        struct Consume<'a> {
            confirm: bool,
            credit_id: Option<&'a str>,
        }
        let request = self.request(Method::POST, &format!("accounts/{id}/reset-credits/consume"), ASKING);
        read(self.send(request.json(&Consume { confirm: true, credit_id: credit })).await?).await
    }

    /// Begins to sign in.
    pub(crate) async fn begin_sign_in(
        &self,
        kind: codeferry_accounts::Kind,
        device: bool,
        account: Option<&str>,
    ) -> Result<Begun, Failure> {
        #[derive(Serialize)]
        struct Begin<'a> {
            kind: codeferry_accounts::Kind,
            method: &'a str,
            account: Option<&'a str>,
        }
        let method = if device { "device" } else { "browser" };
        let request = self.request(Method::POST, "accounts/sign-in", ASKING);
        read(self.send(request.json(&Begin { kind, method, account })).await?).await
    }

    /// Adds an account that is asked for by name.
    pub(crate) async fn add_named(&self, new: &New<'_>) -> Result<Added, Failure> {
        read(self.send(self.request(Method::POST, "accounts", ASKING).json(new)).await?).await
    }

    /// Follows an attempt to its end.
    pub(crate) async fn stages(&self, attempt: &str) -> Result<Stages, Failure> {
        let request = self.request(Method::GET, &format!("accounts/sign-in/{attempt}/events"), WAITING);
        Ok(Stages { answer: self.send(request).await?, buffer: Vec::new() })
    }

    /// Hands over what a person pasted.
    pub(crate) async fn paste(&self, attempt: &str, pasted: &str) -> Result<(), Failure> {
        #[derive(Serialize)]
        struct Pasted<'a> {
            url_or_code: &'a str,
        }
        let request = self.request(Method::POST, &format!("accounts/sign-in/{attempt}/callback"), ASKING);
        self.send(request.json(&Pasted { url_or_code: pasted })).await.map(drop)
    }

    pub(crate) async fn cancel_sign_in(&self, attempt: &str) -> Result<(), Failure> {
        self.send(self.request(Method::DELETE, &format!("accounts/sign-in/{attempt}"), PATIENCE)).await.map(drop)
    }

    async fn ask<T: DeserializeOwned>(&self, method: Method, what: &str, patience: Duration) -> Result<T, Failure> {
        read(self.send(self.request(method, what, patience)).await?).await
    }

    fn request(&self, method: Method, what: &str, patience: Duration) -> reqwest::RequestBuilder {
        let request = self.client.request(method, format!("{}/api/{what}", self.url)).bearer_auth(self.token.expose());
        // The name it always answers to, whichever address it listens on.
        request.header(reqwest::header::HOST, "localhost").timeout(patience)
    }

    async fn send(&self, request: reqwest::RequestBuilder) -> Result<Response, Failure> {
        let answer = request.send().await.context("the running gateway does not answer")?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        let Ok(refused) = answer.json::<Refused>().await else {
            return Err(anyhow!("the running gateway refused ({status})").into());
        };
        let error = anyhow!(refused.message);
        let failure = match refused.code.as_str() {
            "unknown_account"
            | "ambiguous_account"
            | "unknown_conversation"
            | "ambiguous_conversation"
            | "bad_label"
            | "bad_method"
            | "no_reset_credits"
            | "bad_parameter"
            | "unknown_key"
            | "bad_url"
            | "bad_key"
            | "key_needed"
            | "label_taken" => Failure::conflict(error),
            _ => Failure::from(error),
        };
        Err(match refused.hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        })
    }
}

async fn read<T: DeserializeOwned>(answer: Response) -> Result<T, Failure> {
    let read = answer.json().await.context("the gateway's answer cannot be read: it may be of another version");
    read.map_err(Failure::from)
}

/// A gateway that listens on every address is reached on loopback.
fn reachable(url: &str) -> String {
    url.replacen("//0.0.0.0:", "//127.0.0.1:", 1).replacen("//[::]:", "//[::1]:", 1)
}

/// Whether the server on that port says that it is one of us.
pub(crate) async fn is_codeferry(port: u16, patience: Duration) -> bool {
    let asked = async {
        let answer = client().ok()?.get(format!("http://127.0.0.1:{port}/")).send().await.ok()?;
        Some(answer.text().await.ok()?.starts_with("codeferry "))
    };
    tokio::time::timeout(patience, asked).await.ok().flatten().unwrap_or_default()
}

/// To this machine, in the clear: no proxy, no certificates to read.
fn client() -> anyhow::Result<Client> {
    codeferry_app::install_crypto_provider();
    let builder = Client::builder().no_proxy().tls_certs_only(std::iter::empty());
    builder.build().context("cannot make an HTTP client")
}

// === impl Stages ===

impl Stages {
    /// The next stage. The last one is an end; after it nothing comes.
    pub(crate) async fn next(&mut self) -> anyhow::Result<Stage> {
        loop {
            while let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.buffer.drain(..=end).collect();
                // One event is one line of data; the others carry nothing.
                if let Some(data) = line.strip_prefix(b"data:") {
                    return serde_json::from_slice(data).context("the gateway's answer cannot be read");
                }
            }
            match self.answer.chunk().await.context("the gateway that waits for the sign-in is gone")? {
                Some(chunk) => self.buffer.extend_from_slice(&chunk),
                None => bail!("the gateway that waited for the sign-in has ended"),
            }
        }
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

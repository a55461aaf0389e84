//! Questions with one answer in one piece, passed on as they are: the catalogue for a Codex, an account's own pages, and
//! what stands beside the answers of models (`codex-backend.md §7`).
//!
//! **Invariant:** as everywhere in this crate, a question carries our own identity.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode, header};

use crate::catalog::CLIENT_VERSION;
use crate::endpoints::{below, host_of};
use crate::failure::{Failure, FailureKind};
use crate::headers;
use crate::provider::Provider;
use crate::server;
use crate::upstream::{Call, ModelsCall, Upstream, insert, read};

/// The catalogue is some hundred kilobytes.
const LONGEST_CATALOG: usize = 16 * 1024 * 1024;
const CATALOG_PATIENCE: Duration = Duration::from_secs(30);
/// Pictures are megabytes of base64, several at once.
const LONGEST: usize = 128 * 1024 * 1024;

/// The catalogue as an upstream has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CatalogPage {
    /// Whoever asks has it already.
    Unchanged,
    /// All of it.
    New {
        /// `{"models":[…]}`, unread.
        body: Bytes,
        /// Its name.
        etag: Option<String>,
    },
}

/// A page of an account's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountPage {
    /// What is left of its windows.
    Usage,
    /// Credits that reset a window.
    ResetCredits,
}

/// What is asked beside the answers of models.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beside {
    /// Sums a conversation up. The Codex CLI of 2026 asks for that within an answer instead.
    Compact,
    /// Sums up traces for a memory.
    TraceSummarize,
    /// Makes pictures.
    ImagesGenerations,
    /// Changes pictures.
    ImagesEdits,
}

// === impl AccountPage ===

impl AccountPage {
    fn path(self) -> &'static str {
        match self {
            Self::Usage => "usage",
            Self::ResetCredits => "rate-limit-reset-credits",
        }
    }
}

// === impl Beside ===

impl Beside {
    /// Below the provider's base address; the same as below `/v1`.
    pub fn path(self) -> &'static str {
        match self {
            Self::Compact => "responses/compact",
            Self::TraceSummarize => "memories/trace_summarize",
            Self::ImagesGenerations => "images/generations",
            Self::ImagesEdits => "images/edits",
        }
    }
}

// === impl Upstream ===

impl Upstream {
    /// The catalogue of an account as its provider has it for a client of this version; nothing of it is kept here.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn catalog_page(
        &self,
        call: ModelsCall<'_>,
        client_version: Option<&str>,
        held: Option<&str>,
    ) -> Result<CatalogPage, Failure> {
        let wire = &*self.wire;
        let provider = Provider::of(call.kind);
        let mut url = below(wire.models_host(call.kind)?, provider.models);
        url.query_pairs_mut().append_pair("client_version", client_version.unwrap_or(CLIENT_VERSION));
        let host = host_of(&url);
        let mut headers = wire.headers(call.access_token, "application/json")?;
        wire.add_identity(provider, call.chatgpt_account_id, &mut headers);
        insert(&mut headers, "if-none-match", held);
        let request = wire.clients.for_url(&url)?.get(url).headers(headers);
        let exchange = async {
            let response = request.send().await.map_err(|error| Failure::from_transport(&error, &host))?;
            if response.status() == StatusCode::NOT_MODIFIED && held.is_some() {
                return Ok(CatalogPage::Unchanged);
            }
            let response = wire.accepted(response, &host).await?;
            let etag = headers::text(response.headers(), header::ETAG.as_str());
            Ok(CatalogPage::New { body: read(response, LONGEST_CATALOG, &host).await?, etag })
        };
        let answer = tokio::time::timeout(CATALOG_PATIENCE, exchange).await;
        answer.map_err(|_| Failure::idle(&host, CATALOG_PATIENCE))?
    }

    /// A page of the account's own, unread.
    ///
    /// # Errors
    /// As [`usage`](Self::usage).
    pub async fn account_page(&self, call: ModelsCall<'_>, page: AccountPage) -> Result<Bytes, Failure> {
        let (body, _) = self.wham(call, page.path(), |client, url| client.get(url)).await?;
        Ok(body)
    }

    /// Asks something beside the answers of models. The body goes up as it is, and the answer comes back so.
    ///
    /// # Errors
    /// [`Failure`]; [`InvalidRequest`](FailureKind::InvalidRequest) where a provider has nothing of the kind.
    pub async fn ask(&self, call: Call<'_>, beside: Beside) -> Result<(HeaderMap, Bytes), Failure> {
        let wire = &*self.wire;
        let provider = Provider::of(call.kind);
        let Some(base) = provider.responses.strip_suffix("responses").filter(|_| provider.beside) else {
            let message = format!("This {} account's host has no {}.", call.kind, beside.path());
            return Err(Failure::new(FailureKind::InvalidRequest { param: None }, message));
        };
        let path = format!("{base}{}", beside.path());
        let url = match call.endpoint {
            Some(endpoint) => below(&server::base(endpoint)?, &path),
            None => below(wire.models_host(call.kind)?, &path),
        };
        let host = host_of(&url);
        let mut headers = wire.headers(call.access_token, "application/json")?;
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        wire.add_identity(provider, call.chatgpt_account_id, &mut headers);
        call.add_conversation(provider, &mut headers);
        let request = wire.clients.for_url(&url)?.post(url).headers(headers).body(call.body.plain().clone());
        let patience = wire.options.silence_timeout;
        let exchange = async {
            let response = request.send().await.map_err(|error| Failure::from_transport(&error, &host))?;
            let response = wire.accepted(response, &host).await?;
            let headers = response.headers().clone();
            Ok((headers, read(response, LONGEST, &host).await?))
        };
        tokio::time::timeout(patience, exchange).await.map_err(|_| Failure::idle(&host, patience))?
    }
}

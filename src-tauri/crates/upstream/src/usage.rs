//! What is left of an account, asked for (`codex-backend.md §7`).

use std::time::Duration;

use bytes::Bytes;
use reqwest::{Client, RequestBuilder};
use url::Url;

use crate::endpoints::{below, host_of};
use crate::failure::{Failure, FailureKind};
use crate::limits::Limits;
use crate::provider::Provider;
use crate::upstream::{ModelsCall, ORIGINATOR, Upstream, insert, read};

const PATIENCE: Duration = Duration::from_secs(30);
/// A page of numbers.
const LONGEST: usize = 1024 * 1024;

impl Upstream {
    /// Asks how much of its windows an account has used. Costs nothing, and no refresh token.
    ///
    /// # Errors
    /// [`Failure`]; [`InvalidRequest`](FailureKind::InvalidRequest) for a plan account, whose provider tells nobody.
    pub async fn usage(&self, call: ModelsCall<'_>) -> Result<Limits, Failure> {
        let (body, host) = self.wham(call, "usage", |client, url| client.get(url)).await?;
        let now = (self.wire.clock)();
        Limits::from_usage(&body, now).ok_or_else(|| unreadable(&host, "usage"))
    }

    /// One request to the account's own pages, and the whole answer.
    pub(crate) async fn wham(
        &self,
        call: ModelsCall<'_>,
        page: &str,
        request: impl FnOnce(&Client, Url) -> RequestBuilder,
    ) -> Result<(Bytes, String), Failure> {
        let wire = &*self.wire;
        let Some(wham) = Provider::of(call.kind).wham else {
            return Err(Failure::new(
                FailureKind::InvalidRequest { param: None },
                "ChatGPT does not tell applications how much of a plan is left: see https://chatgpt.com/settings/usage.",
            ));
        };
        let url = below(wire.models_host(call.kind)?, &format!("{wham}/{page}"));
        let host = host_of(&url);
        let mut headers = wire.headers(call.access_token, "application/json")?;
        insert(&mut headers, "chatgpt-account-id", call.chatgpt_account_id);
        insert(&mut headers, "originator", Some(ORIGINATOR));
        let request = request(wire.clients.for_url(&url)?, url).headers(headers);
        let exchange = async {
            let response = request.send().await.map_err(|error| Failure::from_transport(&error, &host))?;
            let response = wire.accepted(response, &host).await?;
            read(response, LONGEST, &host).await
        };
        let body = tokio::time::timeout(PATIENCE, exchange).await.map_err(|_| Failure::idle(&host, PATIENCE))??;
        Ok((body, host))
    }
}

/// A success that holds something else.
pub(crate) fn unreadable(host: &str, what: &str) -> Failure {
    Failure::new(FailureKind::Protocol, format!("{host} answered with something that holds no {what}."))
}

#[cfg(test)]
mod tests;

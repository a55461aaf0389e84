//! What happened and what was used: told by the gateway that runs, or read from the file where none does.
//!
//! **Invariant:** it is the same either way, letter by letter where JSON is printed.

use anyhow::anyhow;
use codeferry_app::history::{
    ConversationAsk, ConversationDetail, ConversationFound, ConversationList, Detail, ExchangePage, ExchangeQuery,
    HistoryError, Names, UsageAsk, UsageReport, usage_text,
};
use codeferry_store::log::Log;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::commands::{Context, cache};
use crate::failure::Failure;
use crate::guest::Guest;

/// Names and values of parameters, as the control plane takes them.
pub(crate) type Pairs = Vec<(String, String)>;

/// Somebody who knows.
#[derive(Debug)]
pub(crate) enum History {
    Gateway(Guest),
    File { log: Log, names: Names },
}

/// An answer, and the JSON of it.
#[derive(Debug)]
pub(crate) struct Told<T> {
    pub(crate) json: String,
    pub(crate) value: T,
}

/// The rows of one answer, at most.
pub(crate) const PAGE: usize = 1000;

// === impl History ===

impl History {
    pub(crate) async fn open(context: &Context) -> Result<Self, Failure> {
        if let Some((guest, _)) = Guest::find(&context.paths).await? {
            return Ok(Self::Gateway(guest));
        }
        let log = codeferry_app::request_log(&context.paths);
        let names = match context.paths.request_log().exists() {
            true => names(context).await,
            // Nothing will be found, so nobody is asked for the vault's key.
            false => Names::default(),
        };
        Ok(Self::File { log, names })
    }

    /// Rows, newest first.
    pub(crate) async fn exchanges(&self, pairs: &Pairs) -> Result<Told<ExchangePage>, Failure> {
        match self {
            Self::Gateway(guest) => Told::read(guest.text("exchanges", pairs).await?),
            Self::File { log, names } => {
                let query = ExchangeQuery::read(pairs.clone(), names, now()).map_err(bad)?;
                Told::write(query.page(log, names).map_err(bad)?)
            }
        }
    }

    /// The same for as many as are asked for, and for a search, either of which may take several pages.
    pub(crate) async fn all(&self, pairs: &Pairs, limit: usize) -> Result<Told<ExchangePage>, Failure> {
        let step = |left: usize, before: Option<i64>| {
            let more =
                [("limit", Some(left.min(PAGE).to_string())), ("before", before.map(|before| before.to_string()))];
            let more = more.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
            pairs.iter().cloned().chain(more).collect::<Pairs>()
        };
        let mut told = self.exchanges(&step(limit, None)).await?;
        while let Some(next) = told.value.next.filter(|_| told.value.exchanges.len() < limit) {
            let left = limit - told.value.exchanges.len();
            let more = self.exchanges(&step(left, Some(next))).await?.value;
            told.value.exchanges.extend(more.exchanges);
            told = Told::write(ExchangePage { next: more.next, ..told.value })?;
        }
        Ok(told)
    }

    /// Everything about one. An id is as long as it is; the one that was found by `exchanges` is whole.
    pub(crate) async fn exchange(&self, id: &str) -> Result<Option<Told<Detail>>, Failure> {
        match self {
            Self::Gateway(guest) => Told::read(guest.text(&format!("exchanges/{id}"), &[]).await?).map(Some),
            Self::File { log, names } => Detail::find(log, names, id).map_err(bad)?.map(Told::write).transpose(),
        }
    }

    pub(crate) async fn usage(&self, pairs: &Pairs) -> Result<Told<UsageReport>, Failure> {
        match self {
            Self::Gateway(guest) => Told::read(guest.text("usage", pairs).await?),
            Self::File { log, names } => {
                let ask = UsageAsk::read(pairs.clone(), names, now()).map_err(bad)?;
                Told::write(ask.report(log, names).map_err(bad)?)
            }
        }
    }

    /// Conversations, the one used last first.
    pub(crate) async fn conversations(&self, pairs: &Pairs) -> Result<Told<ConversationList>, Failure> {
        match self {
            Self::Gateway(guest) => Told::read(guest.text("conversations", pairs).await?),
            Self::File { log, .. } => {
                let ask = ConversationAsk::read(pairs.clone(), now()).map_err(bad)?;
                Told::write(ask.list(log).map_err(bad)?)
            }
        }
    }

    /// The conversation whose name begins so.
    pub(crate) async fn conversation(&self, beginning: &str) -> Result<Told<ConversationDetail>, Failure> {
        match self {
            Self::Gateway(guest) => Told::read(guest.text(&format!("conversations/{beginning}"), &[]).await?),
            Self::File { log, names } => match ConversationDetail::find(log, names, beginning).map_err(bad)? {
                ConversationFound::One(detail) => Told::write(*detail),
                ConversationFound::Nothing => Err(cache::unknown(beginning)),
                ConversationFound::Several(some) => {
                    Err(Failure::conflict(anyhow!("the names of several conversations begin with {beginning:?}"))
                        .hint(format!("give more of the name: {}", some.join(", "))))
                }
            },
        }
    }

    /// The same sums for a spreadsheet.
    pub(crate) async fn usage_csv(&self, pairs: &Pairs) -> Result<String, Failure> {
        match self {
            Self::Gateway(guest) => guest.text("usage.csv", pairs).await,
            Self::File { .. } => Ok(usage_text(&self.usage(pairs).await?.value)),
        }
    }
}

// === impl Told ===

impl<T: Serialize + DeserializeOwned> Told<T> {
    fn read(json: String) -> Result<Self, Failure> {
        let value = serde_json::from_str(&json).map_err(|error| {
            anyhow::Error::from(error).context("the gateway's answer cannot be read: it may be of another version")
        })?;
        Ok(Self { json, value })
    }

    fn write(value: T) -> Result<Self, Failure> {
        Ok(Self { json: serde_json::to_string(&value)?, value })
    }
}

/// The parameters that say something.
pub(crate) fn pairs<'a>(all: impl IntoIterator<Item = (&'static str, Option<&'a str>)>) -> Pairs {
    all.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned()))).collect()
}

/// The time zone of whoever looks, by a name that the gateway understands.
pub(crate) fn zone_name() -> String {
    TimeZone::system().iana_name().unwrap_or("local").to_owned()
}

/// How the vault calls the accounts. Where it cannot be read, they are called by their ids.
async fn names(context: &Context) -> Names {
    let pool = codeferry_app::vault_pool(&context.paths, &context.environment);
    if let Err(error) = pool.reload().await {
        context.print.warning(&format!("{error}; accounts are called by their ids here"));
    }
    Names::of(&pool.list())
}

fn now() -> Timestamp {
    codeferry_app::system_clock()()
}

fn bad(error: impl Into<HistoryError>) -> Failure {
    match error.into() {
        HistoryError::Parameter(bad) => {
            let hint = bad.hint.clone();
            let failure = Failure::conflict(bad);
            match hint {
                Some(hint) => failure.hint(hint),
                None => failure,
            }
        }
        other => Failure::from(other),
    }
}

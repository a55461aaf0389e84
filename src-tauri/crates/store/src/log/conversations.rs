//! Conversations: how much of each came from the prompt cache, and what broke its prefix.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, named_params};
use serde::{Deserialize, Serialize};

use super::{Log, LogError};

/// Which conversations.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConversationFilter {
    /// Only exchanges not before that.
    pub since: Option<Timestamp>,
    /// Only exchanges before that.
    pub until: Option<Timestamp>,
    /// Only this one.
    pub conversation: Option<String>,
}

/// The exchanges of one conversation, added up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConversationSum {
    /// Its name: the key of the prompt cache.
    pub conversation: String,
    /// The name of the client key, at the last exchange.
    pub client: String,
    /// The program, at the last exchange.
    pub user_agent: Option<String>,
    /// The model upstream, at the last exchange.
    pub model: String,
    /// When the first exchange began.
    #[serde(default)]
    pub first: Timestamp,
    /// When the last one began.
    #[serde(default)]
    pub last: Timestamp,
    /// Exchanges.
    pub requests: u64,
    /// Tokens of input, of those whose tokens are known.
    pub input: u64,
    /// Those of them that came from the prompt cache.
    pub cached: u64,
    /// Exchanges that had one to go on from, and are no requests beside the conversation.
    pub followed: u64,
    /// How many of them did not simply go on, and why, in the words of [`Prefix::broke`](super::Prefix::broke).
    pub breaks: BTreeMap<String, u64>,
}

/// Not a change of what was sent before, but a request of another kind.
const BESIDE: &str = "beside";

// === impl Log ===

impl Log {
    /// The conversations the filter lets through, the one used last first.
    ///
    /// # Errors
    /// See [`LogError`]. No file is no conversation.
    pub fn conversations(&self, filter: &ConversationFilter, limit: usize) -> Result<Vec<ConversationSum>, LogError> {
        self.read(|connection| conversations(connection, filter, limit))
    }

    /// The names of conversations that begin so, at most `limit`. One that is called exactly so is the only one.
    ///
    /// # Errors
    /// See [`LogError`].
    pub fn conversation_names(&self, beginning: &str, limit: usize) -> Result<Vec<String>, LogError> {
        self.read(|connection| names(connection, beginning, limit))
    }
}

const SUMS: &str = "
SELECT conversation, max(seq) AS newest, min(at) AS first, max(at) AS last, count(*) AS requests,
  coalesce(sum(input), 0) AS input, coalesce(sum(cached), 0) AS cached,
  CASE WHEN json_valid(prefix) THEN json_extract(prefix, '$.broke') END AS broke,
  CASE WHEN json_valid(prefix) THEN json_extract(prefix, '$.turn') > 0 ELSE 0 END AS follows
FROM exchange INDEXED BY #index
WHERE conversation IS NOT NULL AND at >= :since AND at < :until AND #which
GROUP BY conversation, broke, follows";

const NEWEST: &str = "
SELECT client, user_agent, model FROM exchange JOIN facet ON facet.id = exchange.facet WHERE seq = ?1";

fn conversations(
    connection: &Connection,
    filter: &ConversationFilter,
    limit: usize,
) -> Result<Vec<ConversationSum>, rusqlite::Error> {
    // Left to itself, the database goes through all conversations there ever were, to have them in order.
    let (index, which) = match filter.conversation {
        Some(_) => ("exchange_conversation", "conversation = :conversation"),
        None => ("exchange_at", ":conversation IS NULL"),
    };
    let sql = SUMS.replace("#index", index).replace("#which", which);
    let mut query = connection.prepare_cached(&sql)?;
    let mut rows = query.query(named_params! {
        ":since": filter.since.map_or(i64::MIN, Timestamp::as_millisecond),
        ":until": filter.until.map_or(i64::MAX, Timestamp::as_millisecond),
        ":conversation": filter.conversation,
    })?;
    let mut sums: HashMap<String, (i64, ConversationSum)> = HashMap::new();
    while let Some(row) = rows.next()? {
        let count = |name: &str| row.get::<_, i64>(name).map(|value| u64::try_from(value).unwrap_or_default());
        let at = |name: &str| row.get::<_, i64>(name).map(|at| Timestamp::from_millisecond(at).unwrap_or_default());
        let (name, seq): (String, i64) = (row.get("conversation")?, row.get("newest")?);
        let (first, last, requests) = (at("first")?, at("last")?, count("requests")?);
        let (newest, sum) = sums.entry(name.clone()).or_insert_with(|| {
            (seq, ConversationSum { conversation: name, first, last, ..ConversationSum::default() })
        });
        *newest = (*newest).max(seq);
        sum.first = sum.first.min(first);
        sum.last = sum.last.max(last);
        sum.requests += requests;
        sum.input += count("input")?;
        sum.cached += count("cached")?;
        let broke: Option<String> = row.get("broke")?;
        if row.get("follows")? && broke.as_deref() != Some(BESIDE) {
            sum.followed += requests;
            if let Some(broke) = broke {
                *sum.breaks.entry(broke).or_default() += requests;
            }
        }
    }
    let mut sums: Vec<_> = sums.into_values().collect();
    sums.sort_by_key(|(newest, sum)| std::cmp::Reverse((sum.last, *newest)));
    sums.truncate(limit);
    let mut newest = connection.prepare_cached(NEWEST)?;
    let mut whole = |(seq, mut sum): (i64, ConversationSum)| {
        let found = newest.query_row([seq], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).optional()?;
        if let Some(found) = found {
            (sum.client, sum.user_agent, sum.model) = found;
        }
        Ok(sum)
    };
    sums.into_iter().map(&mut whole).collect()
}

fn names(connection: &Connection, beginning: &str, limit: usize) -> Result<Vec<String>, rusqlite::Error> {
    let sql = "SELECT DISTINCT conversation FROM exchange WHERE conversation >= ?1 AND conversation < ?2
               ORDER BY conversation LIMIT ?3";
    let mut query = connection.prepare_cached(sql)?;
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let names = query.query_map((beginning, format!("{beginning}\u{10FFFF}"), limit), |row| row.get(0))?;
    let mut names: Vec<String> = names.collect::<Result<_, _>>()?;
    if names.first().is_some_and(|first| first == beginning) {
        names.truncate(1);
    }
    Ok(names)
}

//! Rows, page by page.

use jiff::Timestamp;
use rusqlite::types::{ToSql, Type};
use rusqlite::{Connection, Row};
use serde::Serialize;

use super::{Exchange, Log, LogError, Outcome, Tokens};

/// The most rows of a page.
const LONGEST_PAGE: usize = 1000;

/// Which rows. What is `None` does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Not before.
    pub since: Option<Timestamp>,
    /// Before.
    pub until: Option<Timestamp>,
    /// The model upstream, or as it was asked for.
    pub model: Option<String>,
    /// An account's id.
    pub account: Option<String>,
    /// The name of a client key.
    pub client: Option<String>,
    /// Any of these; all, if there are none.
    pub outcomes: Vec<Outcome>,
    /// The HTTP status the client got.
    pub status: Option<u16>,
    /// A conversation.
    pub conversation: Option<String>,
    /// Stands somewhere in the ids, the models, the error or its sentence.
    pub text: Option<String>,
}

/// One row, as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Found {
    /// Its number: later rows have larger ones. A page goes on before it.
    pub seq: i64,
    /// What it would have cost at list prices, in billionths of a dollar; `None`: nobody knows.
    pub cost_nano_usd: Option<i64>,
    /// What happened.
    #[serde(flatten)]
    pub exchange: Exchange,
}

/// Rows, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Page {
    /// The rows.
    pub exchanges: Vec<Found>,
    /// Ask for what comes before this; `None`: that was all.
    pub next: Option<i64>,
}

// === impl Log ===

impl Log {
    /// The newest rows before `before` (or of all) that the filter lets through.
    ///
    /// # Errors
    /// See [`LogError`]. No file is an empty page.
    pub fn page(&self, filter: &Filter, before: Option<i64>, limit: usize) -> Result<Page, LogError> {
        let limit = limit.clamp(1, LONGEST_PAGE);
        self.read(|connection| page(connection, filter, before, limit))
    }

    /// The row of that id.
    ///
    /// # Errors
    /// See [`LogError`].
    pub fn get(&self, id: &str) -> Result<Option<Found>, LogError> {
        self.read(|connection| {
            let mut query = connection.prepare_cached(&format!("{SELECT} WHERE id = ?1"))?;
            let mut rows = query.query_map([id], found)?;
            rows.next().transpose()
        })
    }
}

const SELECT: &str = "
SELECT seq, cost_nano_usd, id, at, client, dialect, path, user_agent, conversation, asked, model, effort, route,
  provider, account, picked, streamed, input, cached, output, reasoning, first_byte_ms, total_ms, outcome, status,
  error, message, losses, notes, attempts, upstream_id, prefix
FROM exchange";

fn page(connection: &Connection, filter: &Filter, before: Option<i64>, limit: usize) -> Result<Page, rusqlite::Error> {
    let (conditions, values) = conditions(filter, before);
    // One more than asked for tells whether there is another page.
    let sql = format!("{SELECT}{conditions} ORDER BY seq DESC LIMIT {}", limit + 1);
    let mut query = connection.prepare_cached(&sql)?;
    let rows = query.query_map(rusqlite::params_from_iter(values.iter().map(|value| &**value)), found)?;
    let mut exchanges: Vec<Found> = rows.collect::<Result<_, _>>()?;
    let more = exchanges.len() > limit;
    exchanges.truncate(limit);
    let next = exchanges.last().filter(|_| more).map(|last| last.seq);
    Ok(Page { exchanges, next })
}

/// The conditions and what they are about. Values are never part of the text.
fn conditions(filter: &Filter, before: Option<i64>) -> (String, Vec<Box<dyn ToSql>>) {
    let (mut all, mut values): (Vec<String>, Vec<Box<dyn ToSql>>) = (Vec::new(), Vec::new());
    let mut also = |condition: &str, value: Box<dyn ToSql>| {
        values.push(value);
        all.push(condition.replace('#', &format!("?{}", values.len())));
    };
    if let Some(before) = before {
        also("seq < #", Box::new(before));
    }
    if let Some(since) = filter.since {
        also("at >= #", Box::new(since.as_millisecond()));
    }
    if let Some(until) = filter.until {
        also("at < #", Box::new(until.as_millisecond()));
    }
    // `asked` has no index on purpose: a name that was asked for and is none upstream is rare.
    if let Some(model) = &filter.model {
        also("(model = # OR asked = #)", Box::new(model.clone()));
    }
    for (column, value) in
        [("account", &filter.account), ("client", &filter.client), ("conversation", &filter.conversation)]
    {
        if let Some(value) = value {
            also(&format!("{column} = #"), Box::new(value.clone()));
        }
    }
    if let Some(status) = filter.status {
        also("status = #", Box::new(status));
    }
    if let Some(text) = &filter.text {
        let escaped = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        let columns = ["id", "asked", "model", "error", "message", "upstream_id", "conversation"];
        let like: Vec<_> = columns.iter().map(|column| format!("{column} LIKE # ESCAPE '\\'")).collect();
        also(&format!("({})", like.join(" OR ")), Box::new(format!("%{escaped}%")));
    }
    if !filter.outcomes.is_empty() {
        // Words of ours, nobody's input.
        let words: Vec<_> = filter.outcomes.iter().map(|outcome| format!("'{outcome}'")).collect();
        let sparse = !filter.outcomes.contains(&Outcome::Completed);
        // Said twice, so that the index of what went wrong is used.
        let hint = if sparse { " AND outcome <> 'completed'" } else { "" };
        all.push(format!("outcome IN ({}){hint}", words.join(", ")));
    }
    let text = if all.is_empty() { String::new() } else { format!(" WHERE {}", all.join(" AND ")) };
    (text, values)
}

fn found(row: &Row<'_>) -> Result<Found, rusqlite::Error> {
    let count = |name: &str| row.get::<_, Option<i64>>(name).map(|value| value.and_then(|value| value.try_into().ok()));
    let list = |name: &str| row.get::<_, Option<String>>(name);
    let at = Timestamp::from_millisecond(row.get("at")?)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(3, Type::Integer, Box::new(error)))?;
    let tokens = match (count("input")?, count("output")?) {
        (Some(input), Some(output)) => Some(Tokens {
            input,
            output,
            cached: count("cached")?.unwrap_or_default(),
            reasoning: count("reasoning")?.unwrap_or_default(),
        }),
        _ => None,
    };
    let exchange = Exchange {
        id: row.get("id")?,
        at,
        client: row.get("client")?,
        dialect: row.get("dialect")?,
        path: row.get("path")?,
        user_agent: row.get("user_agent")?,
        conversation: row.get("conversation")?,
        asked: row.get("asked")?,
        model: row.get("model")?,
        effort: row.get("effort")?,
        route: row.get("route")?,
        provider: row.get("provider")?,
        account: row.get("account")?,
        picked: row.get("picked")?,
        streamed: row.get("streamed")?,
        tokens,
        first_byte_ms: count("first_byte_ms")?,
        total_ms: count("total_ms")?.unwrap_or_default(),
        outcome: Outcome::parse(&row.get::<_, String>("outcome")?).unwrap_or_default(),
        status: row.get("status")?,
        error: row.get("error")?,
        message: row.get("message")?,
        losses: parse(list("losses")?),
        notes: parse(list("notes")?),
        attempts: parse(list("attempts")?),
        upstream_id: row.get("upstream_id")?,
        prefix: list("prefix")?.and_then(|text| serde_json::from_str(&text).ok()),
    };
    Ok(Found { seq: row.get("seq")?, cost_nano_usd: row.get("cost_nano_usd")?, exchange })
}

/// What cannot be read (a newer version wrote it, or somebody by hand) is left out; the row is still worth showing.
fn parse<T: serde::de::DeserializeOwned>(text: Option<String>) -> Vec<T> {
    text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
}

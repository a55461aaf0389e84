//! Rows, page by page.

use jiff::Timestamp;
use rusqlite::types::{ToSql, Type};
use rusqlite::{Connection, OptionalExtension as _, Row};
use serde::{Deserialize, Serialize};

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
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// Its number, in the order in which exchanges ended. A page goes on before it.
    pub seq: i64,
    /// What it would have cost at list prices, in billionths of a dollar; `None`: nobody knows.
    pub cost_nano_usd: Option<i64>,
    /// What happened.
    #[serde(flatten)]
    pub exchange: Exchange,
}

/// Rows, newest first by the time the request came in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Page {
    /// The rows.
    pub exchanges: Vec<Found>,
    /// Ask for what comes before this; `None`: that was all. A search for a text looks at so many rows at a time: its page
    /// may be short, even empty, and yet not the last.
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
            let mut query = connection.prepare_cached(&format!("{SELECT} {FROM} WHERE exchange.id = ?1"))?;
            let mut rows = query.query_map([id], found)?;
            rows.next().transpose()
        })
    }
}

/// So many facets are looked for one by one; with more, most rows are wanted anyway.
const MOST_FACETS: usize = 500;
/// So many rows are looked through for a text in one go. The next page goes on behind them.
const LOOK_THROUGH: i64 = 10_000;

const SELECT: &str = "
SELECT seq, cost_nano_usd, exchange.id, at, client, dialect, path, user_agent, conversation, asked, model, effort, route,
  provider, account, picked, streamed, input, cached, output, reasoning, first_byte_ms, total_ms, outcome, status,
  error, message, losses, notes, attempts, upstream_id, prefix";
const FROM: &str = "FROM exchange JOIN facet ON facet.id = exchange.facet";

/// Rows of a span of time, from its end backwards.
const SPAN: &str = "at >= :since AND at <= :last AND (at < :at OR seq < :seq)";
const NEWEST: &str = "ORDER BY at DESC, seq DESC";

/// Where a page begins, and where the search for it ends.
struct Span {
    since: i64,
    /// The last moment. One bound, so that the index begins there.
    last: i64,
    /// The row before which the page begins.
    at: i64,
    seq: i64,
}

fn page(connection: &Connection, filter: &Filter, before: Option<i64>, limit: usize) -> Result<Page, rusqlite::Error> {
    let Some(span) = span(connection, filter, before)? else { return Ok(Page::default()) };
    let facets = facets(connection, filter)?;
    match facets {
        Some(facets) if facets.is_empty() => Ok(Page::default()),
        facets if filter.conversation.is_some() => of_conversation(connection, filter, &span, facets.as_deref(), limit),
        Some(facets) if filter.text.is_none() && facets.len() <= MOST_FACETS => {
            merge(connection, &span, &facets, limit)
        }
        None if filter.text.is_none() => {
            let sql = format!("{SELECT} {FROM} WHERE {SPAN} {NEWEST} LIMIT {}", limit + 1);
            select(connection, &sql, &span.params(), limit)
        }
        facets => look_through(connection, filter, &span, facets.as_deref(), limit),
    }
}

/// The page of a question that asks for one row more than the limit.
fn select(
    connection: &Connection,
    sql: &str,
    params: &[(&str, &dyn ToSql)],
    limit: usize,
) -> Result<Page, rusqlite::Error> {
    let mut query = connection.prepare_cached(sql)?;
    let rows = query.query_map(params, found)?;
    Ok(Page::of(rows.collect::<Result<_, _>>()?, limit))
}

/// `None`: the row the page is to begin before is gone, and all older ones with it.
fn span(connection: &Connection, filter: &Filter, before: Option<i64>) -> Result<Option<Span>, rusqlite::Error> {
    let since = filter.since.map_or(i64::MIN, Timestamp::as_millisecond);
    let last = filter.until.map_or(i64::MAX, |until| until.as_millisecond() - 1);
    let Some(seq) = before else { return Ok(Some(Span { since, last, at: i64::MAX, seq: i64::MAX })) };
    let at = connection.query_row("SELECT at FROM exchange WHERE seq = ?1", [seq], |row| row.get(0)).optional()?;
    Ok(at.map(|at: i64| Span { since, last: last.min(at), at, seq }))
}

/// The combinations the filter lets through; `None`: all of them.
fn facets(connection: &Connection, filter: &Filter) -> Result<Option<Vec<i64>>, rusqlite::Error> {
    let mut conditions: Vec<String> = Vec::new();
    let mut values: Vec<&dyn ToSql> = Vec::new();
    if let Some(model) = &filter.model {
        values.push(model);
        conditions.push(format!("(model = ?{0} OR asked = ?{0})", values.len()));
    }
    for (column, value) in [("account", &filter.account), ("client", &filter.client)] {
        if let Some(value) = value {
            values.push(value);
            conditions.push(format!("{column} = ?{}", values.len()));
        }
    }
    if let Some(status) = &filter.status {
        values.push(status);
        conditions.push(format!("status = ?{}", values.len()));
    }
    if !filter.outcomes.is_empty() {
        // Words of ours, nobody's input.
        let words: Vec<_> = filter.outcomes.iter().map(|outcome| format!("'{outcome}'")).collect();
        conditions.push(format!("outcome IN ({})", words.join(", ")));
    }
    if conditions.is_empty() {
        return Ok(None);
    }
    let mut query = connection.prepare_cached(&format!("SELECT id FROM facet WHERE {}", conditions.join(" AND ")))?;
    let ids = query.query_map(&*values, |row| row.get(0))?;
    ids.collect::<Result<_, _>>().map(Some)
}

/// The newest of the newest of each facet.
fn merge(connection: &Connection, span: &Span, facets: &[i64], limit: usize) -> Result<Page, rusqlite::Error> {
    let sql = format!("SELECT at, seq FROM exchange WHERE facet = :facet AND {SPAN} {NEWEST} LIMIT {}", limit + 1);
    let mut query = connection.prepare_cached(&sql)?;
    let mut newest: Vec<(i64, i64)> = Vec::new();
    for facet in facets {
        let mut params = span.params().to_vec();
        params.push((":facet", facet));
        for row in query.query_map(&*params, |row| Ok((row.get(0)?, row.get(1)?)))? {
            newest.push(row?);
        }
    }
    newest.sort_unstable_by(|a, b| b.cmp(a));
    newest.truncate(limit + 1);
    let mut query = connection.prepare_cached(&format!("{SELECT} {FROM} WHERE seq = ?1"))?;
    let rows = newest.into_iter().map(|(_, seq)| query.query_row([seq], found));
    Ok(Page::of(rows.collect::<Result<_, _>>()?, limit))
}

/// A conversation is short enough to look at all of it.
fn of_conversation(
    connection: &Connection,
    filter: &Filter,
    span: &Span,
    facets: Option<&[i64]>,
    limit: usize,
) -> Result<Page, rusqlite::Error> {
    let (more, text) = rest(filter, facets);
    let sql =
        format!("{SELECT} {FROM} WHERE conversation = :conversation AND {SPAN}{more} {NEWEST} LIMIT {}", limit + 1);
    let mut params = span.params().to_vec();
    params.push((":conversation", &filter.conversation));
    if let Some(text) = &text {
        params.push((":text", text));
    }
    select(connection, &sql, &params, limit)
}

/// Looks at a bounded number of rows. A page may be short, and another follow all the same.
fn look_through(
    connection: &Connection,
    filter: &Filter,
    span: &Span,
    facets: Option<&[i64]>,
    limit: usize,
) -> Result<Page, rusqlite::Error> {
    let (more, text) = rest(filter, facets);
    let within = format!("SELECT seq AS within FROM exchange WHERE {SPAN} {NEWEST} LIMIT {LOOK_THROUGH}");
    let sql = format!(
        "{SELECT} FROM ({within}) CROSS JOIN exchange ON seq = within JOIN facet ON facet.id = exchange.facet
         WHERE true{more} {NEWEST} LIMIT {}",
        limit + 1
    );
    let mut params = span.params().to_vec();
    if let Some(text) = &text {
        params.push((":text", text));
    }
    let mut page = select(connection, &sql, &params, limit)?;
    if page.next.is_none() {
        let last = format!("SELECT seq FROM exchange WHERE {SPAN} {NEWEST} LIMIT 1 OFFSET {}", LOOK_THROUGH - 1);
        page.next = connection.prepare_cached(&last)?.query_row(&span.params()[..], |row| row.get(0)).optional()?;
    }
    Ok(page)
}

/// Conditions that no index knows, and the pattern of the text in them.
fn rest(filter: &Filter, facets: Option<&[i64]>) -> (String, Option<String>) {
    let mut more = String::new();
    if let Some(facets) = facets {
        let list: Vec<_> = facets.iter().map(i64::to_string).collect();
        more = format!(" AND facet IN ({})", list.join(", "));
    }
    let text = filter.text.as_ref().map(|text| {
        let columns = ["exchange.id", "asked", "model", "error", "message", "upstream_id", "conversation"];
        let like: Vec<_> = columns.iter().map(|column| format!("{column} LIKE :text ESCAPE '\\'")).collect();
        more.push_str(&format!(" AND ({})", like.join(" OR ")));
        let escaped = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        format!("%{escaped}%")
    });
    (more, text)
}

// === impl Span ===

impl Span {
    fn params(&self) -> [(&'static str, &dyn ToSql); 4] {
        [(":since", &self.since), (":last", &self.last), (":at", &self.at), (":seq", &self.seq)]
    }
}

// === impl Page ===

impl Page {
    /// One row more than asked for tells that there is another page.
    fn of(mut exchanges: Vec<Found>, limit: usize) -> Self {
        let more = exchanges.len() > limit;
        exchanges.truncate(limit);
        let next = exchanges.last().filter(|_| more).map(|last| last.seq);
        Self { exchanges, next }
    }
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
        status: row.get::<_, Option<u16>>("status")?.filter(|status| *status != 0),
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

//! The writer: takes rows off the queue, writes them in batches, and keeps the file within its bounds.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use rusqlite::{Connection, ErrorCode, OptionalExtension as _, Transaction, named_params, params};

use super::{Command, Exchange, Keep, LogError, LogHealth, Now, Outcome, db, lock};
use crate::prices::Prices;

/// Rows that come within this time of the first are written together.
const LINGER: Duration = Duration::from_millis(200);
/// A batch is no larger.
const BATCH: usize = 256;
/// Pruning comes after so many rows, and when the writer starts.
const PRUNE_EVERY: usize = 1000;
/// Rows that go in one step of pruning, so that readers and new rows get their turn.
const PRUNE_STEP: i64 = 5000;
/// A model's name as asked for is cut to so many characters: clients may ask for anything.
const LONGEST_NAME: usize = 200;
/// Rows whose writing is tried again when others hold the file.
const HELD_BACK: usize = 4096;

pub(super) struct Writer {
    path: PathBuf,
    keep: Keep,
    prices: Prices,
    now: Now,
    health: Arc<Mutex<LogHealth>>,
    connection: Option<Connection>,
    /// Not written yet.
    batch: Vec<Exchange>,
    since_pruning: usize,
    facets: Facets,
    /// Prices have changed since rows were written.
    reprice: bool,
    /// A disk that is soon full.
    #[cfg(test)]
    pub(super) max_pages: Option<u32>,
}

/// The facets that were used lately, by what they are made of.
#[derive(Default)]
struct Facets {
    known: HashMap<FacetKey, i64>,
}

#[derive(PartialEq, Eq, Hash)]
struct FacetKey {
    names: [String; 6],
    outcome: Outcome,
    status: u16,
}

/// What ends a batch.
enum Next {
    Go,
    Done(SyncSender<()>),
    Stop,
}

// === impl Writer ===

impl Writer {
    pub(super) fn new(path: PathBuf, keep: Keep, prices: Prices, now: Now, health: Arc<Mutex<LogHealth>>) -> Self {
        Self {
            path,
            keep,
            prices,
            now,
            health,
            connection: None,
            batch: Vec::new(),
            since_pruning: PRUNE_EVERY,
            facets: Facets::default(),
            reprice: false,
            #[cfg(test)]
            max_pages: None,
        }
    }

    /// Until it is told to stop, or nobody is left who could. Sleeps while there is nothing to do.
    pub(super) fn run(mut self, commands: &Receiver<Command>) {
        loop {
            let next = self.gather(commands);
            self.write();
            match next {
                Next::Go => {}
                Next::Done(done) => drop(done),
                Next::Stop => break,
            }
        }
        // Closed in order: the write-ahead log becomes part of the file.
        if let Some(connection) = self.connection.take()
            && let Err((_, error)) = connection.close()
        {
            tracing::debug!(%error, "the request log was not closed in order");
        }
    }

    /// Waits for the first row, and a little longer for those that follow.
    fn gather(&mut self, commands: &Receiver<Command>) -> Next {
        let mut deadline = None;
        loop {
            let command = match deadline {
                None => commands.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(deadline) => commands.recv_timeout(Instant::saturating_duration_since(&deadline, Instant::now())),
            };
            match command {
                Ok(Command::Row(exchange)) => {
                    self.batch.push(*exchange);
                    deadline.get_or_insert_with(|| Instant::now() + LINGER);
                    if self.batch.len() >= BATCH {
                        return Next::Go;
                    }
                }
                Ok(Command::Keep(keep)) => {
                    self.since_pruning = PRUNE_EVERY;
                    self.keep = keep;
                    return Next::Go;
                }
                Ok(Command::Prices(prices)) => {
                    self.reprice |= self.prices != prices;
                    self.prices = prices;
                    return Next::Go;
                }
                Ok(Command::Flush(done)) => return Next::Done(done),
                Ok(Command::Stop) | Err(RecvTimeoutError::Disconnected) => return Next::Stop,
                Err(RecvTimeoutError::Timeout) => return Next::Go,
            }
        }
    }

    /// Writes the batch, if it can be written. Whatever goes wrong is put down as a figure and a sentence.
    fn write(&mut self) {
        if !self.keep.on {
            self.batch.clear();
        }
        let idle = self.batch.is_empty() && !self.reprice && self.since_pruning < PRUNE_EVERY;
        // What is not there need not be pruned or priced.
        if idle || (self.batch.is_empty() && self.connection.is_none() && !self.path.exists()) {
            return;
        }
        match self.try_write() {
            Ok(()) => lock(&self.health).problem = None,
            Err(error) => self.cope(&error),
        }
    }

    fn try_write(&mut self) -> Result<(), LogError> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => {
                let connection = none.insert(db::open_to_write(&self.path)?);
                // They may have changed while nobody wrote.
                self.reprice |= !is_priced_with(connection, &self.prices)
                    .map_err(|source| LogError::Database { path: self.path.clone(), source })?;
                connection
            }
        };
        let failed = |source| LogError::Database { path: self.path.clone(), source };
        #[cfg(test)]
        if let Some(pages) = self.max_pages {
            connection.pragma_update(None, "max_page_count", pages).map_err(failed)?;
        }
        if !self.batch.is_empty() {
            insert(connection, &self.batch, &self.prices, &mut self.facets).map_err(failed)?;
            self.since_pruning += self.batch.len();
            self.batch.clear();
        }
        if self.reprice {
            reprice(connection, &self.prices).map_err(failed)?;
            self.reprice = false;
        }
        if self.since_pruning >= PRUNE_EVERY {
            // Those that nobody needs any more go.
            self.facets = Facets::default();
            prune(connection, &self.keep, (self.now)()).map_err(failed)?;
            self.since_pruning = 0;
        }
        Ok(())
    }

    fn cope(&mut self, error: &LogError) {
        let message = error.to_string();
        let (damaged, held) = match error {
            LogError::Database { source, .. } => {
                let code = source.sqlite_error_code();
                let held = matches!(code, Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked));
                (db::is_damage(source), held)
            }
            LogError::Newer { .. } => (false, false),
        };
        self.connection = None;
        // Some may have gone with the transaction.
        self.facets = Facets::default();
        if damaged && self.begin_anew(&message) {
            return self.write();
        }
        // Others may let go of the file; a disk that is full now may have room later, but rows cannot wait for that.
        if !held || self.batch.len() > HELD_BACK {
            self.drop_batch();
        }
        let mut health = lock(&self.health);
        if health.problem.as_ref() != Some(&message) {
            tracing::warn!(error = message, dropped = health.dropped, "the request log cannot be written");
        }
        health.problem = Some(message);
    }

    fn drop_batch(&mut self) {
        lock(&self.health).dropped += u64::try_from(self.batch.len()).unwrap_or(u64::MAX);
        self.batch.clear();
    }

    /// Puts the damaged file aside. Whether that worked; it is tried once for each batch.
    fn begin_anew(&mut self, message: &str) -> bool {
        let stamp = (self.now)().strftime("%Y%m%d-%H%M%S").to_string();
        match db::put_aside(&self.path, &stamp) {
            Ok(aside) => {
                tracing::warn!(error = message, kept = %aside.display(), "the request log is damaged; a new one is begun");
                lock(&self.health).put_aside = Some(aside);
                self.since_pruning = 0;
                true
            }
            Err(error) => {
                tracing::warn!(%error, "the damaged request log cannot be put aside");
                false
            }
        }
    }
}

// === impl Facets ===

impl Facets {
    /// The number of the exchange's combination, new or known.
    fn of(&mut self, transaction: &Transaction<'_>, exchange: &Exchange) -> Result<i64, rusqlite::Error> {
        let x = exchange;
        let asked = x.asked.chars().take(LONGEST_NAME).collect();
        let [client, dialect, model, provider, account] =
            [&x.client, &x.dialect, &x.model, &x.provider, &x.account].map(String::clone);
        let names = [client, dialect, asked, model, provider, account];
        let key = FacetKey { names, outcome: x.outcome, status: x.status.unwrap_or_default() };
        if let Some(known) = self.known.get(&key) {
            return Ok(*known);
        }
        let [client, dialect, asked, model, provider, account] = &key.names;
        let values = params![client, dialect, asked, model, provider, account, key.outcome.as_str(), key.status];
        transaction.prepare_cached("INSERT OR IGNORE INTO facet (client, dialect, asked, model, provider, account, outcome, status) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)")?.execute(values)?;
        let find = "SELECT id FROM facet WHERE client = ?1 AND dialect = ?2 AND asked = ?3 AND model = ?4 AND provider = ?5 AND account = ?6 AND outcome = ?7 AND status = ?8";
        let id = transaction.prepare_cached(find)?.query_row(values, |row| row.get(0))?;
        self.known.insert(key, id);
        Ok(id)
    }
}

const INSERT: &str = "
INSERT OR IGNORE INTO exchange (
  id, at, facet, path, user_agent, conversation, effort, route, picked, streamed, input, cached, output, reasoning,
  first_byte_ms, total_ms, error, message, losses, notes, attempts, upstream_id, prefix, cost_nano_usd
) VALUES (
  :id, :at, :facet, :path, :user_agent, :conversation, :effort, :route, :picked, :streamed, :input, :cached, :output,
  :reasoning, :first_byte_ms, :total_ms, :error, :message, :losses, :notes, :attempts, :upstream_id, :prefix, :cost
)";

const ADD: &str = "
INSERT INTO usage_hour VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)
ON CONFLICT DO UPDATE SET
  requests = requests + 1, refused = refused + ?7, failed = failed + ?8, cancelled = cancelled + ?9, input = input + ?10,
  cached = cached + ?11, output = output + ?12, reasoning = reasoning + ?13, cost_nano_usd = cost_nano_usd + ?14,
  counted = counted + ?15, unpriced = unpriced + ?16, begun = begun + ?17, first_byte_ms = first_byte_ms + ?18,
  total_ms = total_ms + ?19, counted_ms = counted_ms + ?20";

/// A row and its sums together, or neither.
fn insert(
    connection: &mut Connection,
    batch: &[Exchange],
    prices: &Prices,
    facets: &mut Facets,
) -> Result<(), rusqlite::Error> {
    let transaction = connection.transaction()?;
    for exchange in batch {
        let facet = facets.of(&transaction, exchange)?;
        insert_one(&transaction, exchange, facet, prices)?;
    }
    transaction.commit()
}

fn insert_one(
    transaction: &Transaction<'_>,
    exchange: &Exchange,
    facet: i64,
    prices: &Prices,
) -> Result<(), rusqlite::Error> {
    let x = exchange;
    let at = x.at.as_millisecond();
    let cost = x.tokens.as_ref().and_then(|tokens| prices.cost(&x.model, x.at, tokens));
    let tokens = x.tokens.map(|tokens| {
        // A part is never larger than the whole, or sums could not be priced.
        let (cached, reasoning) = (tokens.cached.min(tokens.input), tokens.reasoning.min(tokens.output));
        [tokens.input, cached, tokens.output, reasoning].map(|count| int(Some(count)))
    });
    let [input, cached, output, reasoning] = tokens.unwrap_or_default();
    let new = transaction.prepare_cached(INSERT)?.execute(named_params! {
        ":id": x.id, ":at": at, ":facet": facet, ":path": x.path, ":user_agent": x.user_agent,
        ":conversation": x.conversation, ":effort": x.effort, ":route": x.route, ":picked": x.picked,
        ":streamed": x.streamed, ":input": input, ":cached": cached, ":output": output, ":reasoning": reasoning,
        ":first_byte_ms": int(x.first_byte_ms), ":total_ms": int(Some(x.total_ms)), ":error": x.error,
        ":message": x.message, ":losses": json(&x.losses), ":notes": json(&x.notes), ":attempts": json(&x.attempts),
        ":upstream_id": x.upstream_id, ":prefix": x.prefix.as_ref().and_then(|prefix| serde_json::to_string(prefix).ok()),
        ":cost": cost,
    })?;
    if new == 0 {
        return Ok(());
    }
    let unpriced = i64::from(tokens.is_some() && cost.is_none());
    let count = |value: Option<i64>| value.unwrap_or_default();
    transaction.prepare_cached(ADD)?.execute(params![
        hour_of(x.at),
        x.model,
        x.provider,
        x.account,
        x.client,
        x.dialect,
        i64::from(x.outcome == Outcome::Refused),
        i64::from(x.outcome == Outcome::Failed),
        i64::from(x.outcome == Outcome::Cancelled),
        count(input),
        count(cached),
        count(output),
        count(reasoning),
        cost.unwrap_or_default(),
        i64::from(tokens.is_some()),
        unpriced,
        i64::from(x.first_byte_ms.is_some()),
        count(int(x.first_byte_ms)),
        count(int(Some(x.total_ms))),
        count(int(x.tokens.map(|_| x.total_ms))),
    ])?;
    Ok(())
}

/// Whether what is recorded has these prices already.
fn is_priced_with(connection: &Connection, prices: &Prices) -> Result<bool, rusqlite::Error> {
    let known =
        connection.query_row("SELECT fingerprint FROM pricing", [], |row| row.get::<_, String>(0)).optional()?;
    Ok(known == Some(prices.fingerprint()))
}

/// What was recorded gets the price that counts now for its time.
fn reprice(connection: &mut Connection, prices: &Prices) -> Result<(), rusqlite::Error> {
    let transaction = connection.transaction()?;
    let models: Vec<String> = {
        let mut models = transaction.prepare("SELECT DISTINCT model FROM usage_hour")?;
        let models = models.query_map([], |row| row.get(0))?;
        models.collect::<Result<_, _>>()?
    };
    let priced = "((input - cached) * ?2 + cached * ?3 + output * ?4)";
    for model in models {
        transaction.execute(
            "UPDATE exchange SET cost_nano_usd = NULL WHERE facet IN (SELECT id FROM facet WHERE model = ?1)",
            [&model],
        )?;
        transaction
            .execute("UPDATE usage_hour SET cost_nano_usd = 0, unpriced = counted WHERE model = ?1", [&model])?;
        for (from, price) in prices.spans(&model) {
            let [input, cached, output] = [price.input, price.cached, price.output].map(|each| int(Some(each)));
            let from = from.as_millisecond();
            let rows = format!(
                "UPDATE exchange SET cost_nano_usd = {priced}
                 WHERE facet IN (SELECT id FROM facet WHERE model = ?1) AND at >= ?5 AND input IS NOT NULL"
            );
            transaction.execute(&rows, params![model, input, cached, output, from])?;
            let sums =
                format!("UPDATE usage_hour SET cost_nano_usd = {priced}, unpriced = 0 WHERE model = ?1 AND hour >= ?5");
            transaction.execute(&sums, params![model, input, cached, output, from.div_euclid(HOUR_MS)])?;
        }
    }
    transaction.execute("DELETE FROM pricing", [])?;
    transaction.execute("INSERT INTO pricing VALUES (?1)", [prices.fingerprint()])?;
    transaction.commit()
}

/// What is too old, and what is too much.
fn prune(connection: &Connection, keep: &Keep, now: Timestamp) -> Result<(), rusqlite::Error> {
    let before = |days: u64| {
        let span = SignedDuration::from_hours(i64::try_from(days.saturating_mul(24)).unwrap_or(i64::MAX / 3600));
        now.checked_sub(span).unwrap_or(Timestamp::MIN)
    };
    let oldest = before(keep.days).as_millisecond();
    let step = "DELETE FROM exchange WHERE seq IN (SELECT seq FROM exchange WHERE at < ?1 ORDER BY at LIMIT ?2)";
    while connection.execute(step, params![oldest, PRUNE_STEP])? > 0 {}
    connection.execute("DELETE FROM usage_hour WHERE hour < ?1", [hour_of(before(keep.sums_days))])?;
    let pragma = |name: &str| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let limit = i64::try_from(keep.mib.saturating_mul(1024 * 1024)).unwrap_or(i64::MAX);
    let used = || Ok::<_, rusqlite::Error>((pragma("page_count")? - pragma("freelist_count")?) * pragma("page_size")?);
    while used()? > limit {
        let step = "DELETE FROM exchange WHERE seq IN (SELECT seq FROM exchange ORDER BY seq LIMIT ?1)";
        if connection.execute(step, [PRUNE_STEP])? == 0 {
            break;
        }
    }
    connection.execute("DELETE FROM facet WHERE NOT EXISTS (SELECT 1 FROM exchange WHERE facet = facet.id)", [])?;
    if pragma("freelist_count")? > 0 {
        connection.execute_batch("PRAGMA incremental_vacuum")?;
    }
    Ok(())
}

pub(super) const HOUR_MS: i64 = 3_600_000;

pub(super) fn hour_of(at: Timestamp) -> i64 {
    at.as_millisecond().div_euclid(HOUR_MS)
}

fn int(value: Option<u64>) -> Option<i64> {
    value.map(|value| i64::try_from(value).unwrap_or(i64::MAX))
}

/// Empty lists stay away.
fn json<T: serde::Serialize>(list: &[T]) -> Option<String> {
    (!list.is_empty()).then(|| serde_json::to_string(list).ok()).flatten()
}

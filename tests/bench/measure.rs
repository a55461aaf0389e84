//! The measures. Relay and gateway take turns, so that a busy moment of the machine falls on both.

use std::time::Duration;

use anyhow::{Result, bail};
use bytes::Bytes;
use tokio::time::sleep;

use crate::Args;
use crate::body::{self, Order};
use crate::load::{Load, Road};
use crate::meter;
use crate::report::{self, Row, Target};
use crate::say;
use crate::subject::{Home, Subject, Which};
use crate::upstream;

const BOTH: [Which; 2] = [Which::Relay, Which::Gateway];
const MEGABYTE: usize = 1_000_000;

/// Everything a measure needs.
struct Bench {
    home: Home,
    upstream: Subject,
    /// One that has a WebSocket as well.
    sockets: Subject,
    load: Load,
    /// Divides the work.
    share: usize,
    rows: Vec<Row>,
}

/// One value for each of the two.
#[derive(Debug, Clone, Copy, Default)]
struct Pair {
    relay: f64,
    gateway: f64,
}

/// Runs what was asked for and reports it.
pub(crate) async fn all(args: &Args) -> Result<()> {
    let home = Home::prepare()?;
    let load = Load::new(&home.key)?;
    let share = if args.quick { 10 } else { 1 };
    let mut bench = Bench {
        home,
        upstream: Subject::upstream(&[])?,
        sockets: Subject::upstream(&["sockets"])?,
        load,
        share,
        rows: Vec::new(),
    };
    let wanted = |name: &str| args.only.as_ref().is_none_or(|only| name.contains(only.as_str()));
    if wanted("start") {
        bench.start().await?;
    }
    if wanted("streams") {
        for (streams, pace) in [(1, 1), (32, 5), (300, 30)] {
            bench.streams(streams, Duration::from_millis(pace)).await?;
        }
    }
    if wanted("roads") {
        bench.roads().await?;
    }
    if wanted("burst") {
        bench.burst().await?;
    }
    if wanted("first") {
        bench.first_token().await?;
    }
    if wanted("history") {
        bench.history().await?;
    }
    if wanted("memory") {
        bench.peak().await?;
        bench.open_streams().await?;
    }
    if wanted("remembering") {
        bench.remembering().await?;
    }
    finish(args, &bench.rows)
}

fn finish(args: &Args, rows: &[Row]) -> Result<()> {
    let table = report::table(rows, &report::machine());
    say::data(&table);
    if let Some(file) = &args.record {
        if args.quick || args.only.is_some() {
            bail!("only a whole run is recorded");
        }
        report::record(file, &table)?;
    }
    Ok(())
}

// === impl Bench ===

impl Bench {
    async fn subject(&self, which: Which) -> Result<Subject> {
        self.subject_before(which, &self.upstream).await
    }

    async fn subject_before(&self, which: Which, upstream: &Subject) -> Result<Subject> {
        let subject = Subject::start(which, &self.home, &upstream.url).await?;
        // The first request pays for connections, caches and pages; nobody is measured on it.
        let order = Order::new(3, Duration::ZERO);
        self.load.one(&subject.url, body::request(order, 0).into(), order).await?;
        Ok(subject)
    }

    fn add(&mut self, name: impl Into<String>, unit: &'static str, pair: Pair, target: Target) {
        let row = Row { name: name.into(), unit, relay: Some(pair.relay), gateway: pair.gateway, target };
        say::progress(&row.line());
        self.rows.push(row);
    }

    fn add_alone(&mut self, name: &str, unit: &'static str, gateway: f64, target: Target) {
        let row = Row { name: name.into(), unit, relay: None, gateway, target };
        say::progress(&row.line());
        self.rows.push(row);
    }

    /// Idle memory and the time to the first accepted request.
    async fn start(&mut self) -> Result<()> {
        let (mut times, mut sizes) = (Vec::new(), Vec::new());
        for _ in 0..7 {
            let subject = Subject::start(Which::Gateway, &self.home, &self.upstream.url).await?;
            times.push(millis(subject.start));
            sleep(Duration::from_millis(500)).await;
            sizes.push(mebibytes(meter::resident(subject.pid())?));
        }
        self.add_alone("exec to first accepted request", "ms", median(times), Target::Most(60.0));
        self.add_alone("idle resident memory", "MiB", median(sizes), Target::Most(15.0));
        Ok(())
    }

    /// CPU for each event when events come one by one.
    async fn streams(&mut self, streams: usize, pace: Duration) -> Result<()> {
        let seconds = 12 / self.share.min(6);
        let events = Duration::from_secs(seconds as u64).div_duration_f64(pace) as usize;
        let order = Order::new(events, pace);
        say::progress(&format!("{streams} streams for {:?}, three rounds", upstream::length(order)));
        let pair = self.cpu_per(Road::Messages, streams, 3, order, streams).await?;
        self.add(format!("CPU per event, {streams} paced"), "µs", pair, Target::Ratio(1.5));
        Ok(())
    }

    /// CPU for each event in the other dialects.
    async fn roads(&mut self) -> Result<()> {
        let (streams, pace) = (32, Duration::from_millis(5));
        let seconds = 12 / self.share.min(6);
        let order = Order::new(Duration::from_secs(seconds as u64).div_duration_f64(pace) as usize, pace);
        let roads = [
            (Road::Chat, "chat", 1.5),
            (Road::Responses, "pass-through", 1.2),
            (Road::Socket, "WebSocket", 1.5),
            (Road::Sockets, "WebSocket both ways", 1.5),
        ];
        for (road, name, most) in roads {
            say::progress(&format!("{streams} streams of {name} for {:?}, three rounds", upstream::length(order)));
            let pair = self.cpu_per(road, streams, 3, order, streams).await?;
            self.add(format!("CPU per event, {name}, {streams} paced"), "µs", pair, Target::Ratio(most));
        }
        Ok(())
    }

    /// CPU for each event when many arrive together.
    async fn burst(&mut self) -> Result<()> {
        // Short enough for the client's `max_tokens`, which the gateway keeps.
        let order = Order::new(20_000, Duration::ZERO);
        let pair = self.cpu_per(Road::Messages, 80 / self.share, 3, order, 8).await?;
        self.add("CPU per event, unpaced", "µs", pair, Target::None);
        Ok(())
    }

    /// Microseconds of CPU for each event, the median of some rounds of `answers` answers, so many at a time.
    async fn cpu_per(&self, road: Road, answers: usize, rounds: usize, order: Order, at_once: usize) -> Result<Pair> {
        let body: Bytes = match road {
            Road::Messages => body::request(order, 0),
            Road::Chat => body::chat(order),
            Road::Responses | Road::Socket | Road::Sockets => body::responses(order),
        }
        .into();
        let load = self.load.on(road);
        // The relay knows bytes of HTTP alone.
        let plain = self.load.on(if road.is_socket() { Road::Responses } else { road });
        let upstream = if road == Road::Sockets { &self.sockets } else { &self.upstream };
        let subjects =
            [self.subject_before(Which::Relay, upstream).await?, self.subject_before(Which::Gateway, upstream).await?];
        let mut spent = [Vec::new(), Vec::new()];
        for _ in 0..rounds {
            for ((subject, load), spent) in subjects.iter().zip([&plain, &load]).zip(&mut spent) {
                let before = meter::cpu(subject.pid())?;
                for _ in 0..answers.div_ceil(at_once) {
                    load.many(&subject.url, &body, order, at_once).await?;
                }
                let events = answers.next_multiple_of(at_once) * order.events;
                spent.push(micros(meter::cpu(subject.pid())?.saturating_sub(before)) / events as f64);
            }
        }
        let [relay, gateway] = spent.map(median);
        Ok(Pair { relay, gateway })
    }

    /// Time to the first text, one request after the other. The answer goes on after it, as answers do: what belongs to
    /// the end is not part of the beginning.
    async fn first_token(&mut self) -> Result<()> {
        let order = Order::new(3, Duration::from_millis(2));
        let body: Bytes = body::request(order, 0).into();
        let subjects = [self.subject(Which::Relay).await?, self.subject(Which::Gateway).await?];
        let mut times = [Vec::new(), Vec::new()];
        for _ in 0..2000 / self.share {
            for (subject, times) in subjects.iter().zip(&mut times) {
                times.push(micros(self.load.one(&subject.url, body.clone(), order).await?.first));
            }
        }
        let [relay, gateway] = times.map(median);
        self.add("first token, median", "µs", Pair { relay, gateway }, Target::Ratio(1.3));
        Ok(())
    }

    /// CPU for each request with a long history.
    async fn history(&mut self) -> Result<()> {
        let order = Order::new(5, Duration::ZERO);
        let mut per_megabyte = Vec::new();
        for (megabytes, target) in
            [(1, Target::Ratio(2.5)), (2, Target::None), (4, Target::None), (8, Target::Ratio(2.0)), (16, Target::None)]
        {
            // Enough for a clock that ticks every 10 ms.
            let requests = (800 / megabytes / self.share).max(4);
            let size = megabytes * MEGABYTE;
            let body: Bytes = body::request(order, size).into();
            let subjects = [self.subject(Which::Relay).await?, self.subject(Which::Gateway).await?];
            let mut spent = [Vec::new(), Vec::new()];
            for _ in 0..3 {
                for (subject, spent) in subjects.iter().zip(&mut spent) {
                    let before = meter::cpu(subject.pid())?;
                    for _ in 0..requests {
                        self.load.one(&subject.url, body.clone(), order).await?;
                    }
                    spent.push(millis(meter::cpu(subject.pid())?.saturating_sub(before)) / requests as f64);
                }
            }
            let [relay, gateway] = spent.map(median);
            per_megabyte.push(gateway / megabytes as f64);
            self.add(format!("CPU per request, {megabytes} MB history"), "ms", Pair { relay, gateway }, target);
        }
        if let [first, .., last] = per_megabyte.as_slice() {
            self.add_alone("growth of CPU per MB from 1 to 16 MB", "x", last / first, Target::Most(1.2));
        }
        Ok(())
    }

    /// What the request log takes of the CPU of an exchange like an agent's: 200 KB of history, a hundred events.
    async fn remembering(&mut self) -> Result<()> {
        let forgetful = Home::prepare()?;
        forgetful.tell(&["settings", "set", "request_log", "false"])?;
        let order = Order::new(100, Duration::from_millis(1));
        let body: Bytes = body::request(order, MEGABYTE / 5).into();
        let (rounds, at_once, turns) = (9 / self.share.min(3), 8, 40 / self.share.min(4));
        let mut subjects = Vec::new();
        for home in [&forgetful, &self.home] {
            let subject = Subject::start(Which::Gateway, home, &self.upstream.url).await?;
            let load = Load::new(&home.key)?;
            load.many(&subject.url, &body, order, at_once).await?;
            subjects.push((subject, load));
        }
        let mut spent = [Vec::new(), Vec::new()];
        for _ in 0..rounds {
            for ((subject, load), spent) in subjects.iter().zip(&mut spent) {
                let before = meter::cpu(subject.pid())?;
                for _ in 0..turns {
                    load.many(&subject.url, &body, order, at_once).await?;
                }
                // The last rows are written a moment later.
                sleep(Duration::from_millis(300)).await;
                spent.push(micros(meter::cpu(subject.pid())?.saturating_sub(before)) / (turns * at_once) as f64);
            }
        }
        let [without, with] = spent.map(median);
        say::progress(&format!("an exchange takes {without:.0} µs without the request log, {with:.0} µs with it"));
        self.add_alone(
            "share of the request log in an exchange",
            "%",
            (with / without - 1.0) * 100.0,
            Target::Most(3.0),
        );
        Ok(())
    }

    /// The most memory one body of 8 MB takes.
    async fn peak(&mut self) -> Result<()> {
        let order = Order::new(5, Duration::ZERO);
        let body: Bytes = body::request(order, 8 * MEGABYTE).into();
        let mut peaks = Pair::default();
        for which in BOTH {
            let mut sizes = Vec::new();
            for _ in 0..3 {
                let subject = self.subject(which).await?;
                self.load.one(&subject.url, body.clone(), order).await?;
                sizes.push(mebibytes(meter::peak(subject.pid())?));
            }
            peaks.set(which, median(sizes));
        }
        self.add("peak memory, body of 8 MB", "MiB", peaks, Target::Ratio(2.0));
        Ok(())
    }

    /// Memory for each stream that is open and says little.
    async fn open_streams(&mut self) -> Result<()> {
        let streams = 500 / self.share.min(2);
        let order = Order::new(60, Duration::from_secs(1));
        let body: Bytes = body::request(order, 20_000).into();
        let mut sizes = Pair::default();
        for which in BOTH {
            let mut each = Vec::new();
            for _ in 0..3 {
                let subject = self.subject(which).await?;
                let before = meter::resident(subject.pid())?;
                let open = self.load.open(&subject.url, &body, streams).await?;
                sleep(Duration::from_secs(3)).await;
                let grown = meter::resident(subject.pid())?.saturating_sub(before);
                each.push(grown as f64 / open.len() as f64);
            }
            sizes.set(which, median(each));
        }
        self.add("memory per open slow stream", "KiB", sizes, Target::Ratio(1.25));
        Ok(())
    }
}

// === impl Pair ===

impl Pair {
    fn set(&mut self, which: Which, value: f64) {
        match which {
            Which::Relay => self.relay = value,
            Which::Gateway => self.gateway = value,
        }
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn mebibytes(kibibytes: u64) -> f64 {
    kibibytes as f64 / 1024.0
}

//! What stands somewhere anyway, and is read when somebody asks.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use codeferry_accounts::{AccountState, AccountStatus, Pool, QuotaWindow};
use codeferry_store::log::Log;
use jiff::Timestamp;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _, MetricEncoder};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

use crate::log_lines::LogLines;
use crate::serve::Traffic;
use crate::status::Counters;

/// Where it stands.
#[derive(Debug)]
pub(crate) struct Now {
    pub(crate) version: &'static str,
    pub(crate) started_at: Timestamp,
    pub(crate) counters: Arc<Counters>,
    pub(crate) traffic: Arc<Traffic>,
    pub(crate) pool: Arc<Pool>,
    pub(crate) log: Log,
    pub(crate) log_lines: LogLines,
}

/// One figure and what it is the figure of.
type Sample<'a> = (Vec<(&'static str, Cow<'a, str>)>, f64);

impl Collector for Now {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let accounts = self.pool.list();
        let open = count(self.counters.snapshot().open);
        let mut gauge =
            |name, help, samples: Vec<Sample<'_>>| put(&mut encoder, MetricType::Gauge, name, help, samples);
        gauge("process_start_time_seconds", "When it began to serve.", vec![(vec![], seconds(self.started_at))])?;
        gauge("codeferry_build_info", "Which version this is.", vec![(vec![("version", self.version.into())], 1.0)])?;
        gauge("codeferry_exchanges_in_flight", "Exchanges under way.", vec![(vec![], open)])?;
        gauge("codeferry_accounts", "Accounts by provider and state.", by_state(&accounts))?;
        let used = windows(&accounts).map(|(labels, window)| (labels, window.used_percent)).collect();
        gauge("codeferry_quota_used_percent", "How much of a window of a plan is used, as last seen.", used)?;
        let resets = |(labels, window): (_, &QuotaWindow)| Some((labels, seconds(window.resets_at?)));
        let resets = windows(&accounts).filter_map(resets).collect();
        gauge("codeferry_quota_resets_at_seconds", "When a window of a plan begins anew.", resets)?;

        let mut counter = |name, help, samples| put(&mut encoder, MetricType::Counter, name, help, samples);
        let rows = count(self.log.health().dropped);
        counter("codeferry_request_log_rows_dropped", "Exchanges the request log did not take.", vec![(vec![], rows)])?;
        let lines = count(self.log_lines.dropped());
        counter("codeferry_log_lines_dropped", "Log lines that did not reach their file.", vec![(vec![], lines)])?;
        let bytes = [("received", &self.traffic.received), ("sent", &self.traffic.sent)];
        let bytes = bytes
            .map(|(direction, bytes)| (vec![("direction", direction.into())], count(bytes.load(Ordering::Relaxed))));
        counter("codeferry_client_bytes", "Bytes on the connections of clients.", bytes.into())
    }
}

fn put(
    encoder: &mut DescriptorEncoder<'_>,
    kind: MetricType,
    name: &str,
    help: &str,
    samples: Vec<Sample<'_>>,
) -> fmt::Result {
    let counts = matches!(kind, MetricType::Counter);
    let mut metric = encoder.encode_descriptor(name, help, None, kind)?;
    let put = |value, one: MetricEncoder<'_>| match counts {
        true => ConstCounter::new(value).encode(one),
        false => ConstGauge::new(value).encode(one),
    };
    match samples.as_slice() {
        // Alone: without braces.
        [(labels, value)] if labels.is_empty() => put(*value, metric),
        samples => samples.iter().try_for_each(|(labels, value)| put(*value, metric.encode_family(labels)?)),
    }
}

fn by_state(accounts: &[AccountStatus]) -> Vec<Sample<'_>> {
    let mut counts = BTreeMap::<_, u64>::new();
    for account in accounts {
        *counts.entry((account.kind.as_str(), state(account))).or_default() += 1;
    }
    let sample = |((provider, state), many): ((&'static str, &'static str), _)| {
        (vec![("provider", provider.into()), ("state", state.into())], count(many))
    };
    counts.into_iter().map(sample).collect()
}

fn state(account: &AccountStatus) -> &'static str {
    match account.state {
        _ if account.paused => "paused",
        AccountState::Ready => "ready",
        AccountState::CoolingDown { .. } => "cooling_down",
        AccountState::Blocked { .. } => "blocked",
        AccountState::NeedsSignIn { .. } => "needs_sign_in",
    }
}

/// The windows of all accounts, each by account, family and length.
fn windows(accounts: &[AccountStatus]) -> impl Iterator<Item = (Vec<(&'static str, Cow<'_, str>)>, &QuotaWindow)> {
    accounts.iter().flat_map(|account| {
        let windows = account.quota.iter().flat_map(|quota| &quota.windows);
        windows.map(|window| {
            let labels = vec![
                ("account", account.id.to_string().into()),
                ("family", window.family.as_str().into()),
                ("window_minutes", window.minutes.to_string().into()),
            ];
            (labels, window)
        })
    })
}

fn seconds(at: Timestamp) -> f64 {
    at.as_second() as f64
}

/// Exact up to 2^53, which no counter here comes near.
fn count(count: u64) -> f64 {
    count as f64
}

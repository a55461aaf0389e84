//! Everything that is logged in this process, kept to look for what must not be in it.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use codeferry_demo::{Demo, Recorded};
use serde_json::Value;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

static PAGE: Mutex<Vec<u8>> = Mutex::new(Vec::new());
static LISTENING: OnceLock<()> = OnceLock::new();

/// What tokens, codes and the like begin with here and at the real host. The addresses of all accounts end alike.
const TELLTALE: [&str; 7] = ["eyJ", "rt_", "ac_", "deviceauth_", "Bearer ", "@demo.test", "%40demo.test"];
/// The fields of requests to the auth host that hold a secret.
const SECRET: [&str; 10] = [
    "refresh_token",
    "access_token",
    "id_token",
    "id_token_hint",
    "token",
    "code",
    "code_verifier",
    "state",
    "nonce",
    "device_auth_id",
];

struct Writer;

impl io::Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        page().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn page() -> MutexGuard<'static, Vec<u8>> {
    PAGE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Keeps everything our own crates log from here on, down to `trace`.
pub fn listen() {
    LISTENING.get_or_init(|| {
        let ours = Targets::new().with_target("codeferry", LevelFilter::TRACE);
        let lines = tracing_subscriber::fmt::layer().with_ansi(false).with_writer(|| Writer);
        tracing_subscriber::registry().with(lines.with_filter(ours)).init();
    });
}

/// What was logged so far, by all tests of this process.
pub fn lines() -> String {
    String::from_utf8_lossy(&page()).into_owned()
}

/// Every secret this upstream was shown.
pub fn secrets(demo: &Demo) -> BTreeSet<String> {
    let mut secrets = BTreeSet::new();
    for request in demo.requests() {
        secrets.extend(SECRET.iter().filter_map(|name| in_query(&request, name)));
        if let Some(fields) = request.json().as_object() {
            let shown = fields.iter().filter(|(name, _)| SECRET.contains(&name.as_str()));
            secrets.extend(shown.filter_map(|(_, value)| value.as_str().map(str::to_owned)));
        }
        if let Some(token) = request.header("authorization").and_then(|value| value.strip_prefix("Bearer ")) {
            secrets.insert(token.to_owned());
        }
    }
    secrets.retain(|secret| secret.len() >= 8);
    secrets
}

fn in_query(request: &Recorded, name: &str) -> Option<String> {
    if matches!(request.json(), Value::Object(_)) { None } else { request.field(name) }
}

/// Fails if any of these, or anything that looks like one, stands in the log.
pub fn assert_discreet(log: &str, secrets: &BTreeSet<String>) {
    for line in log.lines() {
        let told = TELLTALE.iter().copied().chain(secrets.iter().map(String::as_str)).find(|it| line.contains(*it));
        assert_eq!(told, None, "in the log: {line}");
    }
}

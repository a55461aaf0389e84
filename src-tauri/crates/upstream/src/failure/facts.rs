//! The structured facts of a failure, gathered from wherever the upstream put them.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use codeferry_translate::turn::UpstreamError;
use http::{HeaderMap, StatusCode, header};
use jiff::{SignedDuration, Timestamp};
use serde_json::value::RawValue;

use crate::headers;

/// No wait named by an upstream is believed beyond this: a month covers the longest window.
const LONGEST_WAIT: Duration = Duration::from_secs(31 * 24 * 60 * 60);

/// What was said, sorted by how much it can be trusted.
#[derive(Debug, Default)]
pub(super) struct Facts {
    pub(super) status: Option<StatusCode>,
    /// `error.code`, `detail.code`, `detail.error_code`, or the code in the header `x-error-json`.
    pub(super) code: Option<String>,
    /// `error.type`.
    pub(super) kind: Option<String>,
    pub(super) param: Option<String>,
    /// `error.message`, `error_description` or the like: for people, not for decisions.
    pub(super) message: Option<String>,
    /// FastAPI's `{"detail": "a sentence"}`.
    pub(super) detail: Option<String>,
    pub(super) plan: Option<String>,
    pub(super) resets_at: Option<Timestamp>,
    pub(super) retry_after: Option<Duration>,
    pub(super) request_id: Option<String>,
    /// The body was a JSON object.
    pub(super) is_json: bool,
    /// The body was a web page.
    pub(super) is_page: bool,
    pub(super) is_empty: bool,
    /// `cf-mitigated`, or a page or an empty body served by Cloudflare itself.
    pub(super) cloudflare: Cloudflare,
}

/// What the answer tells of Cloudflare.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cloudflare {
    #[default]
    Absent,
    /// It passed through (`cf-ray`, `server: cloudflare`), as every sound answer does.
    Passed,
    /// It says itself that it stopped the request.
    Mitigated,
}

/// One JSON object, its values unread. An error body may have any shape, so that each field is asked for on its own.
#[derive(serde::Deserialize)]
#[serde(transparent)]
pub(crate) struct Fields<'a>(#[serde(borrow)] BTreeMap<String, &'a RawValue>);

// === impl Facts ===

impl Facts {
    pub(super) fn from_http(status: StatusCode, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Self {
        let mut facts = Self {
            status: Some(status),
            retry_after: retry_after(headers, now),
            request_id: headers::request_id(headers),
            is_empty: body.trim_ascii().is_empty(),
            is_page: is_page(headers, body),
            cloudflare: cloudflare(headers),
            ..Self::default()
        };
        if let Some(body) = Fields::parse(body) {
            facts.is_json = true;
            facts.read_body(&body, now);
        }
        // Gateways in front of the backend give the code of an authorization error in a header only.
        if facts.code.is_none() {
            facts.code = error_json(headers);
        }
        if facts.message.is_none() {
            facts.message = headers::text(headers, "x-openai-authorization-error");
        }
        facts
    }

    pub(super) fn from_event(error: &UpstreamError, now: Timestamp) -> Self {
        Self {
            status: error.status.and_then(|status| StatusCode::from_u16(status).ok()),
            code: error.code.clone(),
            kind: error.kind.clone(),
            param: error.param.clone(),
            message: Some(error.message.clone()).filter(|message| !message.is_empty()),
            plan: error.plan_type.clone(),
            resets_at: reset(error.resets_at, error.resets_in_seconds.and_then(|within| within.try_into().ok()), now),
            is_json: true,
            ..Self::default()
        }
    }

    fn read_body(&mut self, body: &Fields<'_>, now: Timestamp) {
        if let Some(error) = body.object("error") {
            self.code = error.text("code");
            self.kind = error.text("type");
            self.param = error.text("param");
            self.message = error.text("message");
            self.plan = error.text("plan_type");
            self.resets_at = reset(error.whole("resets_at"), error.whole("resets_in_seconds"), now);
        } else if let Some(code) = body.text("error") {
            // OAuth's shape, RFC 6749 §5.2; or just a sentence, as Ollama writes it.
            if code.contains(' ') {
                self.message = Some(code);
            } else {
                self.code = Some(code);
                self.message = body.text("error_description");
            }
        }
        if let Some(detail) = body.object("detail") {
            self.code = self.code.take().or_else(|| detail.text("code")).or_else(|| detail.text("error_code"));
            self.message = self.message.take().or_else(|| detail.text("message"));
        } else if let Some(detail) = body.text("detail") {
            self.detail = Some(detail);
        } else if let Some(first) = body.list("detail").and_then(|list| list.into_iter().next()) {
            // A body that failed validation: `[{"loc": ["body", "input"], "msg": …, "type": …}]`.
            self.message = first.text("msg");
            self.param = first.path("loc");
        }
        if self.message.is_none() && self.detail.is_none() {
            self.message = body.text("message");
        }
    }
}

// === impl Fields ===

impl<'a> Fields<'a> {
    pub(crate) fn parse(bytes: &'a [u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    /// Whether it stands there, as anything but null.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|value| value.get() != "null")
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    fn read<T: serde::Deserialize<'a>>(&self, name: &str) -> Option<T> {
        serde_json::from_str(self.0.get(name)?.get()).ok()
    }

    /// A string that is not empty.
    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.read::<String>(name).filter(|text| !text.is_empty())
    }

    /// A whole number, also where it came as a fraction or as a string.
    pub(crate) fn whole(&self, name: &str) -> Option<i64> {
        self.read::<i64>(name)
            .or_else(|| self.read::<f64>(name).map(|number| number as i64))
            .or_else(|| self.read::<String>(name)?.trim().parse().ok())
    }

    /// A finite number that is not negative, also where it came as a string.
    pub(crate) fn number(&self, name: &str) -> Option<f64> {
        let number = self.read::<f64>(name).or_else(|| self.read::<String>(name)?.trim().parse().ok())?;
        (number.is_finite() && number >= 0.0).then_some(number)
    }

    pub(crate) fn flag(&self, name: &str) -> Option<bool> {
        self.read(name)
    }

    pub(crate) fn object(&self, name: &str) -> Option<Self> {
        self.read(name)
    }

    /// The objects of a list. What else stands in it is passed over.
    pub(crate) fn list(&self, name: &str) -> Option<Vec<Self>> {
        let elements: Vec<&RawValue> = self.read(name)?;
        Some(elements.iter().filter_map(|element| serde_json::from_str(element.get()).ok()).collect())
    }

    /// A list of names and indices, joined by dots.
    fn path(&self, name: &str) -> Option<String> {
        let parts: Vec<&RawValue> = self.read(name)?;
        Some(parts.iter().map(|part| part.get().trim_matches('"')).collect::<Vec<_>>().join("."))
    }
}

/// An instant given as epoch seconds or as a distance.
fn reset(at: Option<i64>, within: Option<i64>, now: Timestamp) -> Option<Timestamp> {
    let at = at.filter(|at| *at > 0).and_then(|at| Timestamp::from_second(at).ok());
    at.or_else(|| {
        let within = within.filter(|within| *within >= 0)?;
        now.checked_add(SignedDuration::from_secs(within)).ok()
    })
}

/// `retry-after-ms`, then `retry-after` as seconds or as an HTTP date (RFC 9110 §10.2.3).
pub(crate) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let milliseconds = || headers::number(headers, "retry-after-ms").map(|ms| ms / 1000.0);
    let seconds = || headers::number(headers, header::RETRY_AFTER.as_str());
    let from_number = |seconds: f64| Duration::try_from_secs_f64(seconds).ok();
    let from_date = || {
        let date = headers::text(headers, header::RETRY_AFTER.as_str())?;
        let at = jiff::fmt::rfc2822::DateTimeParser::new().relaxed_weekday(true).parse_timestamp(&date).ok()?;
        // A date that has passed means "now".
        Some(Duration::try_from(at.duration_since(now)).unwrap_or_default())
    };
    let wait = milliseconds().or_else(seconds).and_then(from_number).or_else(from_date)?;
    Some(wait.min(LONGEST_WAIT))
}

/// `x-error-json`: base64 of `{"error":{"code":…}}` (`codex-backend.md §4`).
fn error_json(headers: &HeaderMap) -> Option<String> {
    let bytes = STANDARD.decode(headers::text(headers, "x-error-json")?).ok()?;
    Fields::parse(&bytes)?.object("error")?.text("code")
}

pub(crate) fn is_page(headers: &HeaderMap, body: &[u8]) -> bool {
    match headers::text(headers, header::CONTENT_TYPE.as_str()) {
        Some(kind) => kind.trim_start().to_ascii_lowercase().starts_with("text/html"),
        None => body.trim_ascii_start().starts_with(b"<"),
    }
}

fn cloudflare(headers: &HeaderMap) -> Cloudflare {
    if headers.contains_key("cf-mitigated") {
        return Cloudflare::Mitigated;
    }
    let served = headers::text(headers, header::SERVER.as_str());
    let served = served.is_some_and(|server| server.eq_ignore_ascii_case("cloudflare"));
    if served || headers.contains_key("cf-ray") { Cloudflare::Passed } else { Cloudflare::Absent }
}

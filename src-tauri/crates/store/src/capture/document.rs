//! A capture as it is written: one JSON document, compressed.
//!
//! Bodies stand in it as JSON where they are JSON, so that common tools can look into them; streams as their records, each
//! with the time at which its end came.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::record::{Answered, Capture, Stream};
use super::redact::{self, Known, Rules};
use super::{Summary, folder};
use crate::Settings;
use crate::settings::value::Value;

/// The whole document. Its head comes first, so that a list needs to read no further.
#[derive(Serialize, Deserialize)]
pub(super) struct Document {
    codeferry_capture: u32,
    summary: Summary,
    version: String,
    system: String,
    settings: BTreeMap<String, Value>,
    /// The row of the request log.
    exchange: Box<RawValue>,
    request: Request,
    attempts: Vec<Attempt>,
    answer: Answer,
}

/// `name: value`, in their order.
type Headers = Vec<String>;

#[derive(Serialize, Deserialize)]
struct Request {
    line: String,
    headers: Headers,
    body: Part,
}

#[derive(Serialize, Deserialize)]
struct Attempt {
    at_ms: u64,
    /// The request as it was lowered.
    lowered: Part,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failure: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    answer: Option<Answer>,
}

#[derive(Serialize, Deserialize)]
struct Answer {
    at_ms: u64,
    status: Option<u16>,
    headers: Headers,
    /// It came to its end, as far as that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    whole: Option<bool>,
    // One of the two. Two fields and no enum: raw JSON cannot be read back through a flattened one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body: Option<Part>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stream: Option<Records>,
}

/// The records of an event stream.
#[derive(Serialize, Deserialize)]
struct Records {
    bytes: u64,
    /// So many bytes are not here.
    #[serde(default, skip_serializing_if = "is_zero")]
    cut: u64,
    records: Vec<Record>,
}

#[derive(Serialize, Deserialize)]
struct Record {
    ms: u64,
    text: String,
}

/// A body: as JSON, or as text.
#[derive(Default, Serialize, Deserialize)]
struct Part {
    bytes: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    cut: u64,
    /// The same as in the attempt of that number, counted from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    same_as: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    json: Option<Box<RawValue>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

const FORM: u32 = 1;
/// How every file begins.
const HEAD: &str = r#"{"codeferry_capture":1,"summary":"#;
/// No summary is longer.
const LONGEST_HEAD: u64 = 64 * 1024;
/// Text of one kind: a higher level gains little.
const LEVEL: i32 = 3;
/// What of the settings decides how a request is served.
const SETTINGS: &[&str] = &[
    "body_limit_mib",
    "compress_upstream",
    "connect_timeout_seconds",
    "first_event_hold_seconds",
    "idle_timeout_seconds",
    "overall_deadline_seconds",
    "passthrough",
    "reasoning_content",
    "reasoning_summary",
    "remembered_responses_mib",
    "requests_per_minute_per_key",
    "responses_lite",
    "rotation",
    "streams_per_key",
    "upstream_websocket",
];

// === impl Document ===

impl Document {
    /// What is to be written of a capture: redacted first, then cut, so that no half of a secret stays.
    pub(super) fn of(capture: Capture, part_limit: usize) -> Self {
        let known = Known::default();
        let rules = Rules { images: capture.images, leaves: false, known: Some(&known) };
        let mut document = Self::raw(capture).redacted(rules);
        if known.settle() {
            document = document.redacted(rules);
        }
        document.request.body.limit(part_limit);
        for attempt in &mut document.attempts {
            attempt.lowered.limit(part_limit);
            if let Some(answer) = &mut attempt.answer {
                answer.limit(part_limit);
            }
        }
        document.answer.limit(part_limit);
        document
    }

    fn raw(capture: Capture) -> Self {
        let exchange = &capture.exchange;
        let summary = Summary {
            id: exchange.id.clone(),
            at: exchange.at,
            client: exchange.client.clone(),
            dialect: exchange.dialect.clone(),
            asked: exchange.asked.clone(),
            model: exchange.model.clone(),
            outcome: exchange.outcome.to_string(),
            status: exchange.status,
            attempts: capture.tries.len(),
            images: capture.images,
        };
        let mut bodies: Vec<Bytes> = Vec::new();
        let attempts = capture.tries.into_iter().map(|each| {
            let same = |body: &Bytes| body.as_ptr() == each.body.as_ptr() && body.len() == each.body.len();
            let lowered = match bodies.iter().position(same) {
                Some(before) => Part { bytes: size(each.body.len()), same_as: Some(before + 1), ..Part::default() },
                None => Part::of(&each.body),
            };
            bodies.push(each.body);
            let answered = each.answer.status.is_some();
            let answer = answered.then(|| Answer::of(each.answer));
            Attempt { at_ms: each.at_ms, lowered, failure: each.failure, answer }
        });
        Self {
            codeferry_capture: FORM,
            summary,
            version: capture.version.to_owned(),
            system: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            settings: settings(&capture.settings),
            exchange: serde_json::value::to_raw_value(exchange).unwrap_or_default(),
            attempts: attempts.collect(),
            request: Request {
                line: capture.request.line,
                headers: lines(capture.request.headers),
                body: Part::of(&capture.request.body),
            },
            answer: Answer::of(capture.answer),
        }
    }

    /// The same without what the rules forbid.
    pub(super) fn redacted(mut self, rules: Rules<'_>) -> Self {
        let summary = &mut self.summary;
        for text in [&mut summary.client, &mut summary.asked, &mut summary.model] {
            replace(text, rules);
        }
        if let Some(exchange) = raw(&redact::text(self.exchange.get(), rules)) {
            self.exchange = exchange;
        }
        for value in self.settings.values_mut() {
            if let Value::Text(text) = value {
                replace(text, rules);
            }
        }
        replace(&mut self.request.line, rules);
        headers(&mut self.request.headers, rules);
        self.request.body.redact(rules);
        for attempt in &mut self.attempts {
            attempt.lowered.redact(rules);
            if let Some(failure) = &mut attempt.failure {
                replace(failure, rules);
            }
            if let Some(answer) = &mut attempt.answer {
                answer.redact(rules);
            }
        }
        self.answer.redact(rules);
        self
    }

    /// Whether pictures and files were asked for.
    pub(super) fn images(&self) -> bool {
        self.summary.images
    }

    pub(super) fn to_pretty(&self) -> Vec<u8> {
        let mut text = serde_json::to_vec_pretty(self).unwrap_or_default();
        text.push(b'\n');
        text
    }

    /// As it lies on the disk. A checksum tells damage.
    pub(super) fn packed(&self) -> io::Result<Vec<u8>> {
        let mut encoder = zstd::Encoder::new(Vec::new(), LEVEL)?;
        encoder.include_checksum(true)?;
        serde_json::to_writer(&mut encoder, self)?;
        encoder.finish()
    }

    /// `None`: it is damaged, or of another version.
    pub(super) fn read(path: &Path) -> Option<Self> {
        let text = zstd::decode_all(File::open(path).ok()?).ok()?;
        serde_json::from_slice(&text).ok()
    }

    /// What it is of. The rest is not read.
    pub(super) fn summary(path: &Path) -> Option<Summary> {
        let mut head = Vec::new();
        let decoder = zstd::Decoder::new(File::open(path).ok()?).ok()?;
        decoder.take(LONGEST_HEAD).read_to_end(&mut head).ok()?;
        let rest = head.strip_prefix(HEAD.as_bytes())?;
        let summary: Summary = serde_json::Deserializer::from_slice(rest).into_iter().next()?.ok()?;
        folder::is_id(&summary.id).then_some(summary)
    }
}

// === impl Answer ===

impl Answer {
    fn of(answered: Answered) -> Self {
        let events = answered.headers.iter().any(|(name, value)| {
            name.eq_ignore_ascii_case("content-type") && value.trim_start().starts_with("text/event-stream")
        });
        let (body, stream) = if events {
            (None, Some(Records::of(answered.stream)))
        } else {
            let mut whole = Vec::with_capacity(answered.stream.kept);
            answered.stream.chunks.iter().for_each(|(_, chunk)| whole.extend_from_slice(chunk));
            let mut part = Part::of(&whole);
            (part.bytes, part.cut) = (part.bytes + answered.stream.cut, answered.stream.cut);
            (Some(part), None)
        };
        let Answered { at_ms, status, headers, whole, .. } = answered;
        Self { at_ms, status, headers: lines(headers), whole, body, stream }
    }

    fn redact(&mut self, rules: Rules<'_>) {
        headers(&mut self.headers, rules);
        if let Some(body) = &mut self.body {
            body.redact(rules);
        }
        if let Some(stream) = &mut self.stream {
            stream.redact(rules);
        }
    }

    fn limit(&mut self, limit: usize) {
        if let Some(body) = &mut self.body {
            body.limit(limit);
        }
        if let Some(stream) = &mut self.stream {
            stream.limit(limit);
        }
    }
}

// === impl Records ===

impl Records {
    fn of(stream: Stream) -> Self {
        let Stream { chunks, kept, cut } = stream;
        let mut whole = Vec::with_capacity(kept);
        let mut ends = Vec::with_capacity(chunks.len());
        for (ms, chunk) in chunks {
            whole.extend_from_slice(&chunk);
            ends.push((whole.len(), ms));
        }
        let (mut records, mut start, mut chunk) = (Vec::new(), 0, 0);
        let mut lost = 0;
        for end in ends_of_records(&whole) {
            while ends.get(chunk).is_some_and(|(chunk_end, _)| *chunk_end < end) {
                chunk += 1;
            }
            let ms = ends.get(chunk).map_or(0, |(_, ms)| *ms);
            records.push(Record { ms, text: String::from_utf8_lossy(&whole[start..end]).into_owned() });
            start = end;
        }
        if start < whole.len() {
            match cut {
                0 => {
                    let ms = ends.last().map_or(0, |(_, ms)| *ms);
                    records.push(Record { ms, text: String::from_utf8_lossy(&whole[start..]).into_owned() });
                }
                // The first half of a record that was cut could be the first half of a secret.
                _ => lost = size(whole.len() - start),
            }
        }
        Self { bytes: size(kept) + cut, cut: cut + lost, records }
    }

    fn redact(&mut self, rules: Rules<'_>) {
        let mut texts: Vec<_> = self.records.iter_mut().map(|record| std::mem::take(&mut record.text)).collect();
        redact::frames(&mut texts, rules);
        for (record, text) in self.records.iter_mut().zip(texts) {
            record.text = text;
        }
    }

    fn limit(&mut self, limit: usize) {
        let mut room = limit;
        let fits = self.records.iter().take_while(|record| {
            let fits = record.text.len() <= room;
            room = room.saturating_sub(record.text.len());
            fits
        });
        let fits = fits.count();
        self.cut += self.records.drain(fits..).map(|record| size(record.text.len())).sum::<u64>();
    }
}

/// Where the records of an event stream end, blank line included.
fn ends_of_records(bytes: &[u8]) -> Vec<usize> {
    let (mut ends, mut line) = (Vec::new(), 0);
    for (at, _) in bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n') {
        if bytes[line..at].iter().all(|byte| *byte == b'\r') {
            ends.push(at + 1);
        }
        line = at + 1;
    }
    ends
}

// === impl Part ===

impl Part {
    fn of(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes).into_owned();
        Self { bytes: size(bytes.len()), ..Self::default() }.holding(text)
    }

    /// As JSON if it is JSON.
    fn holding(mut self, text: String) -> Self {
        (self.json, self.text) = match raw(&text) {
            Some(json) => (Some(json), None),
            None => (None, (!text.is_empty()).then_some(text)),
        };
        self
    }

    fn redact(&mut self, rules: Rules<'_>) {
        let text = match (&self.json, &self.text) {
            (Some(json), _) => redact::text(json.get(), rules),
            (None, Some(text)) => redact::text(text, rules),
            (None, None) => return,
        };
        let text = text.into_owned();
        *self = std::mem::take(self).holding(text);
    }

    /// Beyond it, the beginning stays, as text.
    fn limit(&mut self, limit: usize) {
        let text = match (self.json.take(), self.text.take()) {
            (Some(json), _) if json.get().len() <= limit => return self.json = Some(json),
            (Some(json), _) => String::from(Box::<str>::from(json)),
            (None, Some(text)) => text,
            (None, None) => return,
        };
        let end = (0..=limit.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
        self.cut += size(text.len() - end);
        self.text = Some(text[..end].to_owned());
    }
}

/// Compressed as a file that everybody can open.
pub(super) fn gzip(text: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text)?;
    encoder.finish()
}

fn settings(settings: &Settings) -> BTreeMap<String, Value> {
    let all = settings.listed();
    all.filter(|(key, _)| SETTINGS.contains(&key.as_str()) || key.starts_with("route.") || key.starts_with("alias."))
        .collect()
}

fn headers(headers: &mut Headers, rules: Rules<'_>) {
    for line in headers {
        *line = match line.split_once(": ") {
            Some((name, value)) => format!("{}: {}", redact::text(name, rules), redact::header(name, value, rules)),
            None => redact::text(line, rules).into_owned(),
        };
    }
}

fn lines(headers: Vec<(String, String)>) -> Headers {
    headers.into_iter().map(|(name, value)| format!("{name}: {value}")).collect()
}

fn replace(text: &mut String, rules: Rules<'_>) {
    let other = redact::text(text, rules).into_owned();
    *text = other;
}

fn raw(text: &str) -> Option<Box<RawValue>> {
    let json = text.trim();
    // A number or a word alone is a text to us.
    json.starts_with(['{', '[']).then(|| RawValue::from_string(json.to_owned()).ok()).flatten()
}

fn size(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

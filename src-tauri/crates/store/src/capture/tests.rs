//! Captures on a disk that is theirs: what is written, what goes, and what happens when it cannot be.

#![expect(clippy::disallowed_types, reason = "what was written is judged as whole JSON")]

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::document::Document;
use super::write::Writer;
use super::*;
use crate::log::{Exchange, Outcome};

const START: i64 = 1_763_628_000_000;
const HOUR: i64 = 3_600_000;

struct Place {
    home: TempDir,
    settings: SettingsFile,
    clock: Arc<AtomicI64>,
}

impl Place {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let settings = SettingsFile::open(home.path().join("settings.json")).unwrap();
        Self { home, settings, clock: Arc::new(AtomicI64::new(START)) }
    }

    fn folder(&self) -> PathBuf {
        self.home.path().join("captures")
    }

    fn now(&self) -> Now {
        let clock = Arc::clone(&self.clock);
        Arc::new(move || Timestamp::from_millisecond(clock.load(Ordering::SeqCst)).unwrap())
    }

    fn open(&self) -> Captures {
        Captures::open(self.folder(), self.settings.clone(), self.now())
    }

    fn pass(&self, ms: i64) {
        self.clock.fetch_add(ms, Ordering::SeqCst);
    }

    /// A capture of now.
    fn capture(&self, number: u32, request: &str, answer: &[&str]) -> Capture {
        let exchange = Exchange {
            id: format!("req_{number:032x}"),
            at: (self.now())(),
            client: "laptop".to_owned(),
            asked: "opus".to_owned(),
            outcome: Outcome::Completed,
            status: Some(200),
            ..Exchange::default()
        };
        let events = || vec![("content-type".to_owned(), "text/event-stream; charset=utf-8".to_owned())];
        let mut stream = Stream::default();
        for (ms, chunk) in answer.iter().enumerate() {
            stream.push(ms as u64, &Bytes::copy_from_slice(chunk.as_bytes()), usize::MAX);
        }
        let body = Bytes::from(r#"{"model":"m","input":[]}"#);
        let refused = Answered {
            at_ms: 2,
            status: Some(500),
            headers: vec![("set-cookie".to_owned(), "crumb=1".to_owned())],
            ..Answered::default()
        };
        let tries = vec![
            Try { at_ms: 1, body: body.clone(), answer: refused, failure: Some("it broke".to_owned()) },
            Try {
                at_ms: 3,
                body,
                answer: Answered { at_ms: 4, status: Some(200), headers: events(), ..Answered::default() },
                failure: None,
            },
        ];
        Capture {
            version: "1.2.3",
            settings: self.settings.snapshot(),
            images: false,
            exchange,
            request: Sent {
                line: "POST /v1/messages?key=abcdefghij HTTP/1.1".to_owned(),
                headers: vec![
                    ("x-api-key".to_owned(), "cf_secret".to_owned()),
                    ("user-agent".to_owned(), "x/1".to_owned()),
                ],
                body: Bytes::copy_from_slice(request.as_bytes()),
            },
            tries,
            answer: Answered { at_ms: 5, status: Some(200), headers: events(), stream, whole: Some(true) },
        }
    }
}

fn id(number: u32) -> String {
    format!("req_{number:032x}")
}

fn read(captures: &Captures, number: u32) -> Value {
    serde_json::from_slice(&captures.read(&id(number)).unwrap()).unwrap()
}

fn ids(captures: &Captures) -> Vec<String> {
    captures.list().unwrap().captures.into_iter().map(|kept| kept.summary.id).collect()
}

fn files(folder: &Path) -> usize {
    fs::read_dir(folder).map_or(0, Iterator::count)
}

/// What has no repetition in it to be compressed away.
fn noise(bytes: usize) -> String {
    let mut state = 1_u64;
    let letters = std::iter::repeat_with(|| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(b" abcdefghijklmnopqrstuvwxyz.,-!?"[(state >> 59) as usize])
    });
    letters.take(bytes).collect()
}

#[test]
fn an_exchange_is_kept_as_one_document() {
    let place = Place::new();
    let captures = place.open();
    assert_eq!(captures.list().unwrap(), Listing::default());
    assert!(!place.folder().exists(), "nothing is made before it is needed");
    let frames = ["event: a\nda", "ta: {\"n\":1}\n\ndata: 2\n\n", "data: half"];
    captures.record(place.capture(1, r#"{"model":"opus","messages":["ä"]}"#, &frames));
    let listing = captures.list().unwrap();
    let kept = &listing.captures[0];
    assert_eq!((kept.summary.id.clone(), kept.summary.attempts, kept.summary.client.as_str()), (id(1), 2, "laptop"));
    assert_eq!(kept.expires_at.as_millisecond(), START + 24 * HOUR);
    assert_eq!((listing.bytes, listing.damaged), (kept.bytes, 0));

    let document = read(&captures, 1);
    assert_eq!(document["request"]["line"], "POST /v1/messages?key=«redacted» HTTP/1.1");
    assert_eq!(document["request"]["headers"], json!(["x-api-key: «redacted»", "user-agent: x/1"]));
    assert_eq!(document["request"]["body"], json!({"bytes": 34, "json": {"model": "opus", "messages": ["ä"]}}));
    assert_eq!(document["settings"]["route.opus"], "gpt-6.1-sol");
    assert_eq!(document["settings"].get("allowed_hosts"), None);
    let attempts = &document["attempts"];
    assert_eq!((&attempts[0]["failure"], &attempts[0]["answer"]["status"]), (&json!("it broke"), &json!(500)));
    assert_eq!(attempts[0]["answer"]["headers"], json!(["set-cookie: «redacted»"]));
    assert_eq!(attempts[0]["lowered"]["json"], json!({"model": "m", "input": []}));
    assert_eq!(attempts[1]["lowered"], json!({"bytes": 24, "same_as": 1}));
    let stream = &document["answer"]["stream"];
    assert_eq!(stream["bytes"], 43);
    let expected = json!([
        {"ms": 1, "text": "event: a\ndata: {\"n\":1}\n\n"}, {"ms": 1, "text": "data: 2\n\n"}, {"ms": 2, "text": "data: half"},
    ]);
    assert_eq!(stream["records"], expected);
    assert_eq!(captures.health(), CaptureHealth::default());
}

#[test]
fn what_is_a_secret_in_one_place_is_one_everywhere() {
    let place = Place::new();
    let captures = place.open();
    let request = r#"{"env":{"DB_PASSWORD":"hunter22"},"note":"it is hunter22, and your key was adopted-key-7","password":"secrecy"}"#;
    let frames = ["data: {\"delta\":\"so hunt\"}\n\n", "data: {\"delta\":\"er22 and secrecy\"}\n\n"];
    let mut capture = place.capture(1, request, &frames);
    capture.request.headers.push(("authorization".to_owned(), "Bearer adopted-key-7".to_owned()));
    capture.exchange.message = Some("hunter22 is wrong".to_owned());
    captures.record(capture);
    captures.flush();
    let document = read(&captures, 1);
    let note = &document["request"]["body"]["json"]["note"];
    assert_eq!(note, "it is «redacted», and your key was «redacted»");
    assert_eq!(document["exchange"]["message"], "«redacted» is wrong");
    let records = &document["answer"]["stream"]["records"];
    assert_eq!(records[0]["text"], "data: {\"delta\":\"so «redacted»\"}\n\n");
    // A word like any other goes under its name alone.
    assert_eq!(records[1]["text"], "data: {\"delta\":\" and secrecy\"}\n\n");
    assert_eq!(document["request"]["body"]["json"]["password"], "«redacted»");
}

#[cfg(unix)]
#[test]
fn everything_is_the_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let place = Place::new();
    fs::create_dir(place.folder()).unwrap();
    fs::set_permissions(place.folder(), fs::Permissions::from_mode(0o755)).unwrap();
    let captures = place.open();
    captures.record(place.capture(1, "{}", &[]));
    captures.flush();
    let file = fs::read_dir(place.folder()).unwrap().next().unwrap().unwrap().path();
    assert_eq!((mode(&place.folder()), mode(&file)), (0o700, 0o600));
}

#[test]
fn what_is_too_much_is_cut_and_said() {
    let place = Place::new();
    place.settings.set("capture_part_kib", "1").unwrap();
    let captures = place.open();
    let long = noise(3000);
    let record = format!("data: {}\n\n", noise(392));
    let mut capture = place.capture(1, &json!({"text": long}).to_string(), &[&record, &record, &record]);
    capture.tries[1].answer.stream.push(9, &Bytes::from("data: a\n\ndata: b"), 4);
    capture.tries[1].answer.stream.push(9, &Bytes::from("1234"), 4);
    captures.record(capture);
    captures.flush();
    let document = read(&captures, 1);
    let body = &document["request"]["body"];
    assert_eq!((&body["bytes"], &body["cut"], body.get("json")), (&json!(3011), &json!(3011 - 1024), None));
    assert_eq!(body["text"].as_str().map(str::len), Some(1024));
    let stream = &document["answer"]["stream"];
    assert_eq!((&stream["bytes"], &stream["cut"]), (&json!(1200), &json!(400)));
    assert_eq!(stream["records"].as_array().map(Vec::len), Some(2));
    // Half a record could be half a secret.
    let stream = &document["attempts"][1]["answer"]["stream"];
    assert_eq!(stream, &json!({"bytes": 20, "cut": 11, "records": [{"ms": 9, "text": "data: a\n\n"}]}));
}

#[test]
fn they_go_when_their_time_comes() {
    let place = Place::new();
    place.settings.set("capture_keep_hours", "2").unwrap();
    let captures = place.open();
    captures.record(place.capture(1, "{}", &[]));
    place.pass(HOUR);
    captures.record(place.capture(2, "{}", &[]));
    assert_eq!(ids(&captures), [id(2), id(1)]);
    // When listed,
    place.pass(HOUR);
    assert_eq!(ids(&captures), [id(2)]);
    // when another is written,
    place.pass(HOUR);
    captures.record(place.capture(3, "{}", &[]));
    captures.flush();
    assert_eq!(files(&place.folder()), 1);
    // at the start, together with what was not finished,
    captures.close();
    place.pass(2 * HOUR);
    fs::write(place.folder().join("x.json.new"), "half").unwrap();
    let captures = place.open();
    captures.flush();
    assert_eq!(files(&place.folder()), 0);
    // and beside a running one that does nothing.
    captures.record(place.capture(4, "{}", &[]));
    captures.flush();
    place.pass(2 * HOUR);
    assert_eq!(Captures::look(place.folder(), place.settings.clone(), place.now()).list().unwrap(), Listing::default());
    assert_eq!(files(&place.folder()), 0);
}

#[test]
fn the_oldest_go_when_there_are_too_many() {
    let place = Place::new();
    place.settings.set("capture_mib", "1").unwrap();
    place.settings.set("capture_part_kib", "65536").unwrap();
    let captures = place.open();
    // A picture is kept as it is: large, and quick to redact.
    let large = |number, bytes| {
        let mut capture = place.capture(number, "", &[]);
        capture.images = true;
        let body = json!({"image_url": format!("data:image/png;base64,{}", noise(bytes).replace([' ', '.', ',', '-', '!', '?'], "A"))});
        capture.request.body = body.to_string().into();
        captures.record(capture);
        place.pass(1);
    };
    (1..=4).for_each(|number| large(number, 600_000));
    let listing = captures.list().unwrap();
    assert!(listing.bytes <= 1024 * 1024, "{}", listing.bytes);
    assert!((1..4).contains(&listing.captures.len()) && listing.captures[0].summary.id == id(4), "{listing:?}");
    // One alone that is too large.
    large(5, 4_000_000);
    captures.flush();
    let health = captures.health();
    assert_eq!(health.dropped, 1);
    assert!(health.problem.unwrap().contains("capture_mib"));
    assert!(!ids(&captures).is_empty(), "what was there stays");
}

#[test]
fn damage_costs_one_capture() {
    let place = Place::new();
    let captures = place.open();
    for number in 1..=3 {
        captures.record(place.capture(number, &noise(20_000), &[]));
    }
    captures.flush();
    let path = |number: u32| place.folder().join(format!("{START:013}-{}.json.zst", id(number)));
    fs::write(path(1), b"nonsense").unwrap();
    let mut bytes = fs::read(path(2)).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x55;
    fs::write(path(2), bytes).unwrap();
    fs::write(place.folder().join("notes.txt"), "somebody else's").unwrap();
    let listing = captures.list().unwrap();
    assert!(listing.damaged >= 1 && listing.captures.iter().any(|kept| kept.summary.id == id(3)));
    for number in 1..=2 {
        assert!(matches!(captures.read(&id(number)), Err(CaptureError::Damaged(_))));
        assert!(matches!(captures.bundle(&id(number)), Err(CaptureError::Damaged(_))));
    }
    assert_eq!(read(&captures, 3)["summary"]["id"], id(3));
    for strange in ["", "../settings", "req_", "..", "/etc/passwd"] {
        assert!(matches!(captures.read(strange), Err(CaptureError::Unknown(_))));
    }
    captures.remove(&id(1)).unwrap();
    assert!(matches!(captures.remove(&id(1)), Err(CaptureError::Unknown(_))));
    assert_eq!(captures.clear().unwrap(), 2);
    assert_eq!(files(&place.folder()), 1, "what is not ours stays");
}

#[test]
fn a_folder_that_cannot_be_written_is_counted() {
    let place = Place::new();
    fs::write(place.folder(), "in the way").unwrap();
    let captures = place.open();
    captures.record(place.capture(1, "{}", &[]));
    captures.flush();
    let health = captures.health();
    assert!(health.dropped == 1 && health.problem.unwrap().contains("captures"));
    fs::remove_file(place.folder()).unwrap();
    captures.record(place.capture(2, "{}", &[]));
    assert_eq!(ids(&captures), [id(2)]);
    assert_eq!(captures.health(), CaptureHealth { dropped: 1, problem: None });
    captures.close();
    captures.record(place.capture(3, "{}", &[]));
    assert_eq!(captures.health().dropped, 2);
}

#[test]
fn a_full_disk_leaves_nothing_half() {
    let place = Place::new();
    let health: Arc<Mutex<CaptureHealth>> = Arc::default();
    let (queue, commands) = sync_channel(4);
    let writer = Writer {
        folder: place.folder(),
        settings: place.settings.clone(),
        now: place.now(),
        health: Arc::clone(&health),
        waiting: Arc::default(),
        full: true,
    };
    queue.send(Command::Write(Box::new(place.capture(1, "{}", &[])), 0)).unwrap();
    drop(queue);
    writer.run(&commands);
    assert_eq!(files(&place.folder()), 0);
    assert_eq!(lock(&health).dropped, 1);
}

#[test]
fn more_than_can_wait_is_dropped_and_counted() {
    let place = Place::new();
    let captures = place.open();
    captures.shared.waiting.store(QUEUED_BYTES + 1, Ordering::SeqCst);
    captures.record(place.capture(1, "{}", &[]));
    assert_eq!(captures.health().dropped, 1);
    assert_eq!(captures.shared.waiting.load(Ordering::SeqCst), QUEUED_BYTES + 1);
}

#[test]
fn a_bundle_opens_with_common_tools_and_names_nobody() {
    let place = Place::new();
    let captures = place.open();
    let request = r#"{"system":"cwd /home/ada/x, mail ada@example.com","metadata":{"user_id":"user_ada"}}"#;
    let frames = [
        "data: {\"type\":\"d\",\"delta\":\"write to a\"}\n\n",
        "data: {\"type\":\"d\",\"delta\":\"da@example.com\"}\n\n",
    ];
    captures.record(place.capture(1, request, &frames));
    captures.flush();
    assert!(read(&captures, 1).to_string().contains("ada@example.com"), "at home it is all there");
    let mut text = String::new();
    flate2::read::GzDecoder::new(&captures.bundle(&id(1)).unwrap()[..]).read_to_string(&mut text).unwrap();
    assert!(text.lines().count() > 20, "for people to read");
    let document: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(document["request"]["body"]["json"]["system"], "cwd /home/«user»/x, mail «e-mail»");
    assert_eq!(document["request"]["body"]["json"]["metadata"]["user_id"], "«person»");
    let records = &document["answer"]["stream"]["records"];
    assert!(!text.contains("da@example.com") && records[0]["text"].as_str().unwrap().contains("«e-mail»"), "{records}");
}

#[test]
fn nothing_of_it_is_in_its_debug_form() {
    let place = Place::new();
    let capture = place.capture(1, "secret plans", &[]);
    assert_eq!(format!("{capture:?}"), format!("Capture({}, 60 bytes)", id(1)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// Wherever in an exchange a secret is, it is not in what is written.
    #[test]
    fn no_secret_reaches_the_disk(
        secret in prop_oneof!["sk-[A-Za-z0-9]{20,40}", "cf_[A-Za-z0-9_-]{43}", "eyJ[A-Za-z0-9]{20}\\.[A-Za-z0-9]{20}\\.[A-Za-z0-9]{10}"],
        place in 0..11_usize,
        at in 1..20_usize,
    ) {
        let home = Place::new();
        let said = format!("it is {secret}, is it not");
        let request = if place == 0 { json!({"messages": [{"content": said}]}).to_string() } else { "{}".to_owned() };
        // The record is cut in the middle of the secret; the pieces are the model's.
        let (one, other) = said.split_at(at + 6);
        let pieces = [one, other].map(|piece| format!("data: {}\n\n", json!({"type": "x.delta", "delta": piece})));
        let whole = format!("data: {}\n\n", json!({"text": said}));
        let (front, back) = whole.split_at(at + 20);
        let frames: &[&str] = match place { 1 => &[front, back], 2 => &[&pieces[0], &pieces[1]], _ => &[] };
        let mut capture = home.capture(1, &request, frames);
        match place {
            3 => capture.request.headers.push(("x-any".to_owned(), said)),
            4 => capture.request.line = format!("GET /{secret} HTTP/1.1"),
            5 => capture.exchange.message = Some(said),
            6 => capture.exchange.asked = said,
            7 => capture.tries[0].body = said.into(),
            8 => capture.tries[0].failure = Some(said),
            9 => capture.tries[0].answer.headers.push(("location".to_owned(), format!("https://x/?token={secret}"))),
            10 => capture.tries[0].answer.stream.push(1, &json!({"error": {"message": said}}).to_string().into(), usize::MAX),
            _ => {}
        }
        let bytes = zstd::decode_all(&Document::of(capture, 1 << 20).packed().unwrap()[..]).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        prop_assert!(!text.contains(&secret), "{text}");
        prop_assert!(text.contains("«redacted»"));
        if place == 2 {
            let both = text.replace("\\\"}\\n\\n\"},{\"ms\":1,\"text\":\"data: {\\\"delta\\\":\\\"", "");
            prop_assert!(!both.contains(&secret[8..]), "{both}");
        }
    }
}

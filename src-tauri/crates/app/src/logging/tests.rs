use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use codeferry_gateway::{LogField, LogLevel, LogLine, LogLines};
use codeferry_store::LogForm;

use super::{LogError, Logging, note_panic, subscriber};

#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn say(form: LogForm, directives: &str, lines: impl FnOnce()) -> (String, Vec<Arc<LogLine>>) {
    let (page, kept) = (Page::default(), LogLines::new());
    let writer = {
        let page = page.clone();
        move || page.clone()
    };
    let logging = Logging { form, directives: Some(directives), usual: "info", color: false };
    tracing::subscriber::with_default(subscriber(logging, writer, kept.clone()).unwrap(), lines);
    let bytes = page.0.lock().unwrap().clone();
    (String::from_utf8(bytes).unwrap(), kept.last(100, LogLevel::Trace))
}

fn talk(form: LogForm, directives: &str) -> (String, Vec<Arc<LogLine>>) {
    say(form, directives, || {
        tracing::trace!(target: "codeferry_upstream", "ours");
        tracing::trace!(target: "hyper", "theirs, with a header");
        tracing::debug!(target: "h2", "theirs, with a frame");
        tracing::info!(target: "h2", "a remark");
        tracing::warn!(target: "h2", "a warning");
    })
}

#[test]
fn details_of_other_crates_are_never_logged() {
    let (log, kept) = talk(LogForm::Human, "trace");
    assert!(log.contains("ours") && log.contains("a remark"), "{log}");
    assert!(!log.contains("theirs"), "{log}");
    let kept: Vec<_> = kept.iter().map(|line| line.message.as_str()).collect();
    assert_eq!(kept, ["ours", "a warning"], "what is kept is ours, and what may be wrong");
    let (log, kept) = talk(LogForm::Human, "hyper=trace");
    assert!(!log.contains("theirs") && kept.is_empty(), "{log}");
}

#[test]
fn each_json_line_is_one_object() {
    let (log, _) = talk(LogForm::Json, "info");
    assert_eq!(log.lines().count(), 2, "{log}");
    assert!(log.starts_with('{') && log.contains(r#""message":"a remark""#), "{log}");
}

#[test]
fn a_kept_line_has_its_parts() {
    let (_, kept) = say(LogForm::Human, "info", || {
        let none: Option<&str> = None;
        tracing::info!(target: "codeferry::exchange", id = %"req_1", why = none, attempts = 2, below = -1, streamed = true,
            part = 0.5, long = %"é".repeat(3000), "{}", "completed");
    });
    let [line] = kept.as_slice() else { panic!("{kept:?}") };
    assert_eq!(
        (line.level, line.target.as_str(), line.message.as_str()),
        (LogLevel::Info, "codeferry::exchange", "completed")
    );
    let names: Vec<_> = line.fields.0.iter().map(|(name, _)| name.as_ref()).collect();
    assert_eq!(names, ["id", "attempts", "below", "streamed", "part", "long"]);
    let values: Vec<_> = line.fields.0.iter().map(|(_, value)| value.clone()).collect();
    let text = |text: &str| LogField::Text(text.to_owned());
    let figures = [LogField::Count(2), LogField::Figure(-1), LogField::Flag(true), LogField::Fraction(0.5)];
    assert_eq!((&values[0], &values[1..5]), (&text("req_1"), figures.as_slice()));
    assert_eq!(values[5], text(&format!("{}…", "é".repeat(1000))), "cut, and at the end of a letter");
}

/// The words of a panic may quote what was worked on.
#[test]
fn a_panic_is_told_by_its_place() {
    let own = std::thread::current().id();
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(
        move |panic| {
            if std::thread::current().id() == own { note_panic(panic) } else { usual(panic) }
        },
    ));
    let prompt = "tell nobody, é";
    let (log, kept) = say(LogForm::Human, "info", || {
        let quoting = std::panic::catch_unwind(|| prompt[..prompt.len() - 1].len());
        let literal = std::panic::catch_unwind(|| panic!("a plain word"));
        assert!(quoting.is_err() && literal.is_err());
    });
    assert_eq!(kept.len(), 2, "{log}");
    assert!(!log.contains("tell nobody") && log.contains("a plain word"), "{log}");
    assert_eq!(log.matches("logging/tests.rs:").count(), 2, "{log}");
}

#[test]
fn directives_nobody_understands_are_refused_by_name() {
    let logging = Logging { form: LogForm::Human, directives: Some("a=b=c"), usual: "info", color: false };
    let refused = subscriber(logging, io::sink, LogLines::new()).err().unwrap();
    assert!(matches!(refused, LogError::Directives { .. }) && refused.to_string().contains("a=b=c"), "{refused}");
}

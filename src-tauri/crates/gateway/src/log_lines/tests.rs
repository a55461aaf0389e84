use tokio::sync::broadcast::error::TryRecvError;

use super::{KEPT_LINES, LogField, LogFields, LogLevel, LogLine, LogLines, WAITING_LINES};

fn line(level: LogLevel, message: &str) -> LogLine {
    let fields = vec![("account".into(), LogField::Text("acc_1".into())), ("attempts".into(), LogField::Count(2))];
    let at = "2026-11-20T07:30:00Z".parse().unwrap();
    LogLine { at, level, target: "codeferry::exchange".into(), message: message.into(), fields: LogFields(fields) }
}

fn messages(lines: &LogLines, most: usize, level: LogLevel) -> Vec<String> {
    lines.last(most, level).iter().map(|line| line.message.clone()).collect()
}

#[test]
fn the_last_lines_by_level() {
    let lines = LogLines::new();
    for (level, message) in
        [(LogLevel::Info, "a"), (LogLevel::Warn, "b"), (LogLevel::Error, "c"), (LogLevel::Info, "d")]
    {
        lines.push(line(level, message));
    }
    assert_eq!(messages(&lines, 2, LogLevel::Info), ["c", "d"]);
    assert_eq!(messages(&lines, 9, LogLevel::Warn), ["b", "c"]);
    assert_eq!(messages(&lines, 0, LogLevel::Trace), <[&str; 0]>::default());
}

#[test]
fn no_more_are_kept_than_said() {
    let lines = LogLines::new();
    for n in 0..KEPT_LINES + 3 {
        lines.push(line(LogLevel::Info, &n.to_string()));
    }
    let kept = messages(&lines, usize::MAX, LogLevel::Trace);
    assert_eq!((kept.len(), kept[0].as_str()), (KEPT_LINES, "3"));
}

#[test]
fn a_follower_misses_nothing_and_is_told_if_it_does() {
    let lines = LogLines::new();
    lines.push(line(LogLevel::Info, "before"));
    let (before, mut coming) = lines.follow(10, LogLevel::Trace);
    lines.push(line(LogLevel::Info, "after"));
    assert_eq!(before.len(), 1);
    assert_eq!(coming.try_recv().unwrap().message, "after");
    assert_eq!(coming.try_recv().unwrap_err(), TryRecvError::Empty);
    for _ in 0..WAITING_LINES + 5 {
        lines.push(line(LogLevel::Info, "many"));
    }
    assert_eq!(coming.try_recv().unwrap_err(), TryRecvError::Lagged(5));
}

#[test]
fn a_line_is_the_same_after_the_way_through_a_file() {
    let line = line(LogLevel::Warn, "attempt failed");
    let text = serde_json::to_string(&line).unwrap();
    assert_eq!(
        text,
        r#"{"at":"2026-11-20T07:30:00Z","level":"warn","target":"codeferry::exchange","message":"attempt failed","fields":{"account":"acc_1","attempts":2}}"#
    );
    assert_eq!(serde_json::from_str::<LogLine>(&text).unwrap(), line);
}

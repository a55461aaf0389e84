//! Sentences for what is wrong.

use std::collections::BTreeMap;

use codeferry_store::log::LogHealth;
use codeferry_upstream::Seen;
use jiff::{SignedDuration, Timestamp};

use super::{Report, Row, Unreached, Verdict, request_log, upstream};

fn now() -> Timestamp {
    "2026-11-20T08:00:00Z".parse().expect("a moment")
}

fn seen(before: i64, ahead: Option<i64>) -> BTreeMap<String, Seen> {
    let at = now() - SignedDuration::from_secs(before);
    [("api.example".to_owned(), Seen { at, ahead: ahead.map(SignedDuration::from_secs) })].into()
}

fn lines(rows: &[Row]) -> Vec<String> {
    rows.iter().map(|row| format!("{:?} {}: {}", row.verdict, row.check, row.message)).collect()
}

#[test]
fn hosts_and_clocks() {
    let unreached =
        |before: i64| Unreached { at: now() - SignedDuration::from_secs(before), message: "no route".into() };
    let ask = |seen, unreached: Option<Unreached>| lines(&upstream(&seen, unreached.as_ref(), now()));
    assert_eq!(ask(BTreeMap::new(), None), ["Ok upstream: nobody was asked yet; --live asks"]);
    assert_eq!(
        ask(seen(300, Some(0)), None),
        ["Ok upstream: api.example answered 5 minutes ago", "Ok clock: within 1 second of api.example"]
    );
    assert_eq!(
        ask(seen(1, Some(-7200)), None),
        [
            "Ok upstream: api.example answered just now",
            "Warn clock: this machine's clock is 7200 seconds ahead of api.example"
        ]
    );
    assert_eq!(ask(seen(5, Some(61)), None)[1], "Warn clock: this machine's clock is 61 seconds behind api.example");
    let broken = "Fail upstream: not reached 60 seconds ago: no route";
    assert_eq!(ask(BTreeMap::new(), Some(unreached(60))), [broken]);
    assert_eq!(ask(seen(20_000, None), Some(unreached(60))), ["Ok upstream: api.example answered 5 hours ago", broken]);
    assert_eq!(ask(seen(30, None), Some(unreached(60))).len(), 1, "it was reached since");
}

#[test]
fn the_worst_row_is_the_verdict() {
    let (ok, warn, fail) = (Row::ok("a", "x"), Row::warn("b", "y"), Row::fail("c", "z").hint("do it"));
    assert_eq!(Report::of(Vec::new()).verdict, Verdict::Ok);
    assert_eq!(Report::of(vec![ok.clone(), warn.clone(), ok.clone()]).verdict, Verdict::Warn);
    let report = Report::of(vec![ok, fail, warn]);
    assert_eq!(report.verdict, Verdict::Fail);
    let json = serde_json::to_string(&report).expect("JSON");
    assert!(json.contains(r#"{"check":"c","verdict":"fail","message":"z","hint":"do it"}"#), "{json}");
    assert_eq!(serde_json::from_str::<Report>(&json).expect("a report"), report);
}

#[test]
fn the_request_log() {
    let verdict = |health: LogHealth| request_log(&health).verdict;
    assert_eq!(verdict(LogHealth::default()), Verdict::Ok);
    assert_eq!(verdict(LogHealth { dropped: 1, ..LogHealth::default() }), Verdict::Warn);
    assert_eq!(verdict(LogHealth { problem: Some("full".into()), ..LogHealth::default() }), Verdict::Warn);
}

//! Pure tests. Time is a number.

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::{Credits, Ledger, MAIN, QuotaWindow, WindowSeen, WindowsSeen, window_name};

const HOURS_5: u32 = 300;
const WEEK: u32 = 10_080;

fn at(minutes: i64) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minutes)
}

fn window(family: &str, minutes: u32, used_percent: f64, resets_at: Option<i64>) -> WindowSeen {
    WindowSeen { family: family.into(), title: None, minutes, used_percent, resets_at: resets_at.map(at) }
}

fn seen(windows: impl Into<Vec<WindowSeen>>) -> WindowsSeen {
    WindowsSeen { windows: windows.into(), ..WindowsSeen::default() }
}

fn ledger(points: &[(i64, f64)], minutes: u32, resets_at: Option<i64>) -> Ledger {
    let mut ledger = Ledger::default();
    for &(minute, used) in points {
        ledger.note(&seen([window(MAIN, minutes, used, resets_at)]), at(minute));
    }
    ledger
}

fn only(ledger: &Ledger, now: i64) -> QuotaWindow {
    ledger.view(at(now)).expect("something was seen").windows.remove(0)
}

#[test]
fn windows_are_known_by_family_and_length_whatever_their_order() {
    let mut ledger = Ledger::default();
    let title = Some("GPT-6-Luna".to_owned());
    let extra = WindowSeen { title, ..window("codex_bengalfox", HOURS_5, 1.0, None) };
    // The week comes first on some plans.
    ledger.note(&seen([window(MAIN, WEEK, 40.0, Some(900)), window(MAIN, HOURS_5, 10.0, Some(300)), extra]), at(0));
    ledger.note(&seen([window(MAIN, HOURS_5, 20.0, Some(300)), window(MAIN, 0, 99.0, None)]), at(1));
    ledger.note(&seen([window(MAIN, WEEK, f64::NAN, None)]), at(2));
    let quota = ledger.view(at(3)).expect("something was seen");
    let shown: Vec<_> =
        quota.windows.iter().map(|shown| (shown.family.as_str(), shown.minutes, shown.used_percent)).collect();
    assert_eq!(shown, [(MAIN, HOURS_5, 20.0), (MAIN, WEEK, 40.0), ("codex_bengalfox", HOURS_5, 1.0)]);
    assert_eq!(quota.windows[2].title.as_deref(), Some("GPT-6-Luna"));
    assert_eq!((quota.seen_at, quota.windows[1].seen_at), (at(1), at(0)), "each with its own age");
}

#[test]
fn nothing_seen_is_nothing_to_show() {
    let mut ledger = Ledger::default();
    ledger.note(&WindowsSeen::default(), at(0));
    ledger.note(&seen([window(MAIN, 0, 5.0, None)]), at(0));
    assert_eq!(ledger.view(at(1)), None);
}

#[test]
fn credits_plan_and_resets_stay_until_they_are_seen_again() {
    let mut ledger = Ledger::default();
    let credits = Credits { has_credits: true, unlimited: false, balance: Some("12.50".into()) };
    let told = WindowsSeen {
        plan: Some("plus".into()),
        credits: Some(credits.clone()),
        reset_credits: Some(2),
        ..WindowsSeen::default()
    };
    ledger.note(&told, at(0));
    ledger.note(&seen([window(MAIN, WEEK, 1.0, None)]), at(5));
    ledger.note(&WindowsSeen { plan: Some("free".into()), ..WindowsSeen::default() }, at(-5));
    let quota = ledger.view(at(9)).expect("something was seen");
    assert_eq!((quota.plan.as_deref(), quota.credits, quota.reset_credits), (Some("plus"), Some(credits), Some(2)));
}

#[test]
fn an_answer_that_comes_late_changes_nothing() {
    let mut ledger = ledger(&[(10, 30.0)], HOURS_5, Some(300));
    let before = ledger.clone();
    ledger.note(&seen([window(MAIN, HOURS_5, 25.0, Some(300))]), at(9));
    assert_eq!(ledger, before);
}

#[test]
fn a_window_that_has_begun_anew_shows_nothing_used_and_its_age() {
    let ledger = ledger(&[(0, 80.0)], HOURS_5, Some(60));
    assert_eq!(only(&ledger, 59).used_percent, 80.0);
    let shown = only(&ledger, 60);
    assert_eq!((shown.used_percent, shown.resets_at, shown.seen_at, shown.forecast), (0.0, None, at(0), None));
}

#[test]
fn at_this_pace_it_is_empty_when_the_line_says() {
    // 10 % in 30 minutes, 60 % left: three hours more.
    let ledger = ledger(&[(0, 30.0), (10, 33.0), (20, 37.0), (30, 40.0)], HOURS_5, Some(280));
    assert_eq!(only(&ledger, 30).forecast, Some(at(210)));
    // Half an hour of silence later the pace is half of it.
    assert_eq!(only(&ledger, 60).forecast, None, "it begins anew before that");
    let slow = self::ledger(&[(0, 30.0), (30, 31.0)], HOURS_5, Some(280));
    assert_eq!(only(&slow, 30).forecast, None, "it begins anew before that");
    let unknown = self::ledger(&[(0, 30.0), (30, 31.0)], HOURS_5, None);
    assert_eq!(only(&unknown, 30).forecast, Some(at(30 + 69 * 30)));
}

#[test]
fn there_is_no_forecast_without_a_pace() {
    for (points, why) in [
        (&[(0, 30.0)][..], "one point is no pace"),
        (&[(0, 30.0), (4, 34.0)], "four minutes are a guess"),
        (&[(0, 30.0), (30, 30.0)], "nothing is used"),
        (&[(0, 90.0), (30, 100.0)], "it is empty already"),
        (&[(0, 30.0), (30, 29.5)], "less by rounding"),
    ] {
        let now = points.last().expect("a point").0;
        assert_eq!(only(&ledger(points, HOURS_5, None), now).forecast, None, "{why}");
    }
    let old = ledger(&[(0, 30.0), (30, 40.0)], HOURS_5, None);
    assert_eq!(only(&old, 91).forecast, None, "that was an hour ago");
}

#[test]
fn a_reset_starts_the_pace_over() {
    // Used up, reset by a credit, and used again: the fall is no pace.
    let mut points = ledger(&[(0, 80.0), (20, 95.0), (25, 0.0), (45, 10.0)], HOURS_5, None);
    assert_eq!(only(&points, 45).forecast, Some(at(45 + 180)), "ten per cent in twenty minutes");
    // The same when the percentage does not fall but the end moves.
    points = Ledger::default();
    points.note(&seen([window(MAIN, HOURS_5, 5.0, Some(10))]), at(0));
    points.note(&seen([window(MAIN, HOURS_5, 10.0, Some(310))]), at(20));
    points.note(&seen([window(MAIN, HOURS_5, 20.0, Some(310))]), at(40));
    assert_eq!(only(&points, 40).forecast, Some(at(200)), "ten per cent in twenty minutes, eighty left");
    // And when it moves before its time.
    points = Ledger::default();
    points.note(&seen([window(MAIN, HOURS_5, 5.0, Some(200))]), at(0));
    points.note(&seen([window(MAIN, HOURS_5, 10.0, Some(320))]), at(20));
    points.note(&seen([window(MAIN, HOURS_5, 20.0, Some(320))]), at(40));
    assert_eq!(only(&points, 40).forecast, Some(at(200)), "what was used of the window before does not count");
}

#[test]
fn history_is_bounded_and_the_pace_of_a_week_is_that_of_days() {
    let mut ledger = Ledger::default();
    for minute in 0..7200 {
        ledger.note(&seen([window(MAIN, WEEK, f64::from(minute) / 144.0, Some(10_080))]), at(minute.into()));
    }
    let json = serde_json::to_string(&ledger).expect("it is written");
    assert!(json.len() < 4000, "{} bytes", json.len());
    let forecast = only(&ledger, 7200).forecast;
    assert_eq!(forecast, None, "half a week's worth in half a week lasts the week");
    let mut fast = Ledger::default();
    for minute in 0..4000 {
        fast.note(&seen([window(MAIN, WEEK, f64::from(minute) / 50.0, Some(10_080))]), at(minute.into()));
    }
    let empty = only(&fast, 4000).forecast.expect("in 5000 minutes").duration_since(at(5000));
    assert!(empty.abs() < SignedDuration::from_mins(30), "{empty:?}");
}

#[test]
fn what_shows_that_there_is_quota() {
    let evidence = |windows: Vec<WindowSeen>| seen(windows).is_evidence_of_quota();
    assert!(evidence(vec![window(MAIN, HOURS_5, 0.0, None), window(MAIN, WEEK, 98.0, None)]));
    assert!(!evidence(vec![window(MAIN, HOURS_5, 0.0, None), window(MAIN, WEEK, 100.0, None)]), "the week is used up");
    assert!(!evidence(vec![window(MAIN, HOURS_5, 99.5, None)]), "a percentage lags");
    assert!(!evidence(vec![window("codex_bengalfox", HOURS_5, 0.0, None)]), "another limit");
    assert!(!evidence(vec![window(MAIN, 0, 0.0, None)]), "no window");
    assert!(!evidence(vec![]));
    let reached = WindowsSeen { reached: Some("workspace".into()), ..seen([window(MAIN, HOURS_5, 0.0, None)]) };
    assert!(!reached.is_evidence_of_quota());
}

#[test]
fn closed_until_the_last_of_the_windows_that_are_used_up() {
    let mut ledger = Ledger::default();
    assert_eq!(ledger.closed_until(at(0)), None);
    let extra = window("codex_bengalfox", HOURS_5, 100.0, Some(9000));
    ledger.note(&seen([window(MAIN, HOURS_5, 100.0, Some(60)), window(MAIN, WEEK, 101.0, Some(600)), extra]), at(0));
    assert_eq!(ledger.closed_until(at(1)), Some(at(600)));
    assert_eq!(ledger.closed_until(at(600)), None);
}

fn any_seen() -> impl Strategy<Value = (WindowsSeen, i64)> {
    let family = prop::sample::select(vec![MAIN, "codex_bengalfox"]);
    let minutes = prop::sample::select(vec![0, HOURS_5, WEEK]);
    let used = prop_oneof![0.0..120.0f64, Just(f64::NAN), Just(-3.0)];
    let windows = prop::collection::vec(
        (family, minutes, used, prop::option::of(0..2000i64))
            .prop_map(|(family, minutes, used, reset)| window(family, minutes, used, reset)),
        0..4,
    );
    let plan = prop::option::of(prop::sample::select(vec!["plus".to_owned(), "pro".to_owned()]));
    (windows, plan, prop::option::of(0..3u32), 0..500i64).prop_map(|(windows, plan, reset_credits, minute)| {
        (WindowsSeen { windows, plan, reset_credits, ..WindowsSeen::default() }, minute)
    })
}

fn any_ledger() -> impl Strategy<Value = Ledger> {
    prop::collection::vec(any_seen(), 0..6).prop_map(|all| {
        let mut ledger = Ledger::default();
        all.iter().for_each(|(seen, minute)| ledger.note(seen, at(*minute)));
        ledger
    })
}

fn merged(one: &Ledger, other: &Ledger) -> Ledger {
    let mut out = one.clone();
    out.merge(other);
    out
}

proptest! {
    #[test]
    fn merging_has_no_order(a in any_ledger(), b in any_ledger(), c in any_ledger()) {
        prop_assert_eq!(merged(&a, &b), merged(&b, &a));
        prop_assert_eq!(merged(&merged(&a, &b), &c), merged(&a, &merged(&b, &c)));
        prop_assert_eq!(&merged(&a, &a), &a);
        prop_assert_eq!(merged(&a, &Ledger::default()), a);
    }

    #[test]
    fn the_newest_counts_in_whatever_order_it_arrives(all in prop::collection::vec(any_seen(), 0..8), turn in any::<prop::sample::Index>()) {
        let mut sorted = all.clone();
        sorted.sort_by_key(|(_, minute)| *minute);
        let mut turned = all;
        let mid = if turned.is_empty() { 0 } else { turn.index(turned.len()) };
        turned.rotate_left(mid);
        let shown = |all: &[(WindowsSeen, i64)]| {
            let mut ledger = Ledger::default();
            all.iter().for_each(|(seen, minute)| ledger.note(seen, at(*minute)));
            let quota = ledger.view(at(0))?;
            Some((quota.windows.into_iter().map(|w| (w.family, w.minutes, w.seen_at)).collect::<Vec<_>>(), quota.seen_at))
        };
        prop_assert_eq!(shown(&sorted), shown(&turned));
    }

    #[test]
    fn what_is_shown_is_sound(ledger in any_ledger(), now in 0..3000i64) {
        let Some(quota) = ledger.view(at(now)) else { return Ok(()) };
        for window in &quota.windows {
            prop_assert!(window.minutes > 0 && window.used_percent.is_finite() && window.used_percent >= 0.0);
            prop_assert!(window.resets_at.is_none_or(|reset| reset > at(now)));
            prop_assert!(window.forecast.is_none_or(|empty| empty > at(now)), "a forecast lies ahead");
            prop_assert!(window.forecast.is_none_or(|empty| window.resets_at.is_none_or(|reset| empty < reset)));
        }
        let mut keys: Vec<_> = quota.windows.iter().map(|window| (&window.family, window.minutes)).collect();
        keys.sort_unstable();
        keys.dedup();
        prop_assert_eq!(keys.len(), quota.windows.len(), "each window once");
    }

    #[test]
    fn a_ledger_survives_its_writing(ledger in any_ledger()) {
        let json = serde_json::to_string(&ledger).expect("it is written");
        let back: Ledger = serde_json::from_str(&json).expect("it is read");
        // Floats are written shortest and read back exactly.
        prop_assert_eq!(back, ledger);
    }
}

#[test]
fn windows_have_names() {
    for (minutes, name) in [
        (300, "5-hour"),
        (10_080, "weekly"),
        (1_440, "daily"),
        (43_200, "monthly"),
        (4_320, "3-day"),
        (90, "90-minute"),
    ] {
        assert_eq!(window_name(minutes), name);
    }
}

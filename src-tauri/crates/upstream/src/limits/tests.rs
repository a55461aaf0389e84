//! Pure tests. No IO, no async.

use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;

use codeferry_accounts::Credits;
use codeferry_accounts::quota::window_name;

use super::Limits;

const NOW: i64 = 1_795_143_900;

fn limits(pairs: &[(&'static str, &'static str)]) -> Limits {
    let headers: HeaderMap =
        pairs.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect();
    Limits::from_headers(&headers, Timestamp::from_second(NOW).unwrap())
}

/// Family, minutes, percent, seconds until the reset.
fn rows(limits: &Limits) -> Vec<(&str, u32, f64, Option<i64>)> {
    let left = |at: Timestamp| at.as_second() - NOW;
    limits.windows.iter().map(|w| (w.family.as_str(), w.minutes, w.used_percent, w.resets_at.map(left))).collect()
}

/// The header names of the verbatim dumps cited in `codex-backend.md §4`.
#[test]
fn a_paid_plan_has_two_windows() {
    let limits = limits(&[
        ("x-codex-primary-used-percent", "12"),
        ("x-codex-primary-window-minutes", "300"),
        ("x-codex-primary-reset-at", "1795150000"),
        ("x-codex-primary-reset-after-seconds", "6100"),
        ("x-codex-secondary-used-percent", "40.5"),
        ("x-codex-secondary-window-minutes", "10080"),
        ("x-codex-secondary-reset-after-seconds", "200000"),
        ("x-codex-primary-over-secondary-limit-percent", "0"),
        ("x-codex-active-limit", "premium"),
        ("x-codex-plan-type", "plus"),
        ("x-codex-credits-has-credits", "False"),
        ("x-codex-credits-unlimited", "False"),
        ("x-codex-credits-balance", ""),
        ("x-codex-promo-message", ""),
        ("x-codex-rate-limit-reached-type", ""),
    ]);
    assert_eq!(rows(&limits), [("codex", 300, 12.0, Some(6_100)), ("codex", 10_080, 40.5, Some(200_000))]);
    assert_eq!((limits.plan.as_deref(), limits.active.as_deref()), (Some("plus"), Some("premium")));
    assert_eq!(limits.reached, None, "empty is absent");
    assert_eq!(limits.credits, Some(Credits { has_credits: false, unlimited: false, balance: None }));
}

#[test]
fn a_window_is_known_by_its_length_wherever_it_stands() {
    let free = limits(&[
        ("x-codex-primary-used-percent", "70"),
        ("x-codex-primary-window-minutes", "10080"),
        ("x-codex-secondary-used-percent", "0"),
        ("x-codex-secondary-window-minutes", "0"),
    ]);
    assert_eq!(rows(&free), [("codex", 10_080, 70.0, None)], "a window of no length is none");
    assert_eq!(free.of_minutes(10_080).map(|window| window_name(window.minutes)), Some("weekly".to_owned()));
    assert_eq!(free.of_minutes(300), None);
}

#[test]
fn other_families_come_after_the_main_one() {
    let limits = limits(&[
        ("x-codex-bengalfox-primary-used-percent", "5"),
        ("x-codex-bengalfox-primary-window-minutes", "300"),
        ("x-codex-bengalfox-limit-name", "GPT-Spark"),
        ("x-codex-secondary-used-percent", "3"),
        ("x-codex-secondary-window-minutes", "300"),
        ("x-codex-primary-used-percent", "2"),
        ("x-codex-primary-window-minutes", "10080"),
    ]);
    let expected = [("codex", 300, 3.0, None), ("codex", 10_080, 2.0, None), ("codex_bengalfox", 300, 5.0, None)];
    assert_eq!(rows(&limits), expected);
    assert_eq!(limits.windows[2].title.as_deref(), Some("GPT-Spark"));
}

#[test]
fn nothing_said_is_nothing_known() {
    assert_eq!(limits(&[]), Limits::default());
    let broken = limits(&[("x-codex-primary-used-percent", "many"), ("x-codex-primary-window-minutes", "300")]);
    assert_eq!(broken.windows, []);
    let nameless = limits(&[("x-codex-primary-used-percent", "5"), ("x-codex-primary-window-minutes", "")]);
    assert_eq!(nameless.windows, []);
}

#[test]
fn the_exhausted_window_is_the_one_the_refusal_means() {
    let both = [
        ("x-codex-primary-used-percent", "100"),
        ("x-codex-primary-window-minutes", "300"),
        ("x-codex-primary-reset-after-seconds", "100"),
        ("x-codex-secondary-used-percent", "100"),
        ("x-codex-secondary-window-minutes", "10080"),
        ("x-codex-secondary-reset-after-seconds", "9000"),
    ];
    let which = |limits: &Limits, after: Option<i64>| {
        let at = after.map(|after| Timestamp::from_second(NOW + after).unwrap());
        limits.exhausted(at).map(|window| window.minutes)
    };
    let full = limits(&both);
    assert_eq!(which(&full, Some(103)), Some(300));
    assert_eq!(which(&full, Some(9_000)), Some(10_080));
    assert_eq!(which(&full, None), Some(10_080), "closed longest");
    let mut lagging = both;
    (lagging[0].1, lagging[3].1) = ("99", "20");
    assert_eq!(which(&limits(&lagging), Some(100)), Some(300));
    assert_eq!(which(&limits(&lagging), None), None);
}

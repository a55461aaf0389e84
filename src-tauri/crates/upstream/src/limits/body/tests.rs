//! Pure tests. No IO, no async. The shapes are those of `codex-backend.md §3, §5, §6, §7`.

use codeferry_accounts::{Credits, WindowsSeen};
use codeferry_wire::json::Reader;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use jiff::Timestamp;
use proptest::prelude::*;

use crate::limits::Limits;
use crate::testing::{NOW, at};
use crate::{Failure, FailureKind};

/// Family, minutes, percent, seconds until the reset.
fn rows(limits: &Limits) -> Vec<(&str, u32, f64, Option<i64>)> {
    let left = |at: Timestamp| at.as_second() - NOW;
    limits.windows.iter().map(|w| (w.family.as_str(), w.minutes, w.used_percent, w.resets_at.map(left))).collect()
}

fn event(text: &str) -> Limits {
    Limits::from_event(Reader::new(text.as_bytes()).unwrap().value().unwrap(), at(0))
}

fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
    pairs.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value))).collect()
}

#[test]
fn the_usage_page_is_read_whole() {
    let page = r#"{"user_id":"u","account_id":"a","email":"a@example.com","plan_type":"pro",
        "rate_limit":{"allowed":true,"limit_reached":false,
            "primary_window":{"used_percent":12.5,"limit_window_seconds":18000,"reset_after_seconds":60,"reset_at":1795143960},
            "secondary_window":{"used_percent":40,"limit_window_seconds":604800,"reset_after_seconds":3600}},
        "code_review_rate_limit":{"allowed":false,"limit_reached":true,"primary_window":{"used_percent":100,"limit_window_seconds":604800,"reset_at":0}},
        "additional_rate_limits":[
            {"limit_name":"GPT-Spark","metered_feature":"codex_bengalfox","rate_limit":{"primary_window":{"used_percent":7,"limit_window_seconds":18000},"secondary_window":null}},
            {"limit_name":"Only a title","rate_limit":{"primary_window":{"used_percent":1,"limit_window_seconds":86400}}},
            {"limit_name":"Empty","metered_feature":"empty","rate_limit":null},
            7, {}],
        "credits":{"has_credits":true,"unlimited":false,"balance":"12.50","approx_local_messages":[1,6]},
        "spend_control":{"reached":true,"individual_limit":null},
        "rate_limit_reached_type":{"type":"workspace_member_usage_limit_reached"},
        "rate_limit_reset_credits":{"available_count":2},"rate_limit_upsell":null,"promo":null}"#;
    let limits = Limits::from_usage(page.as_bytes(), at(0)).unwrap();
    assert_eq!(
        rows(&limits),
        [
            ("codex", 300, 12.5, Some(60)),
            ("codex", 10_080, 40.0, Some(3600)),
            ("code_review", 10_080, 100.0, None),
            ("codex_bengalfox", 300, 7.0, None),
            ("only_a_title", 1440, 1.0, None),
        ]
    );
    assert_eq!(limits.windows[3].title.as_deref(), Some("GPT-Spark"));
    assert_eq!(
        (limits.plan.as_deref(), limits.allowed),
        (Some("pro"), Some(true)),
        "the review limit blocks reviews only"
    );
    assert_eq!(limits.reached.as_deref(), Some("workspace_member_usage_limit_reached"));
    let balance = Some("12.50".to_owned());
    assert_eq!(limits.credits, Some(Credits { has_credits: true, unlimited: false, balance }));
    assert_eq!((limits.spend_limit_reached, limits.reset_credits), (Some(true), Some(2)));
}

#[test]
fn a_window_of_the_page_is_known_by_its_length() {
    let page = |primary: &str, secondary: &str| {
        let page = format!(r#"{{"rate_limit":{{"primary_window":{primary},"secondary_window":{secondary}}}}}"#);
        Limits::from_usage(page.as_bytes(), at(0)).unwrap()
    };
    let week = r#"{"used_percent":70,"limit_window_seconds":604800}"#;
    let free = page(week, r#"{"used_percent":0,"limit_window_seconds":0,"reset_at":0}"#);
    assert_eq!(rows(&free), [("codex", 10_080, 70.0, None)], "the week stands first on free plans");
    let swapped = page(week, r#"{"used_percent":5,"limit_window_seconds":18000}"#);
    assert_eq!(rows(&swapped), [("codex", 300, 5.0, None), ("codex", 10_080, 70.0, None)]);
    for nothing in [
        "null",
        "7",
        "{}",
        r#"{"used_percent":5}"#,
        r#"{"limit_window_seconds":18000}"#,
        r#"{"used_percent":null,"limit_window_seconds":18000}"#,
        r#"{"used_percent":-1,"limit_window_seconds":18000}"#,
        r#"{"used_percent":5,"limit_window_seconds":-18000}"#,
        r#"{"used_percent":"many","limit_window_seconds":18000}"#,
    ] {
        assert_eq!(rows(&page(nothing, week)), [("codex", 10_080, 70.0, None)], "{nothing}");
    }
    let twice = page(r#"{"used_percent":"60","limit_window_seconds":604800}"#, week);
    assert_eq!(rows(&twice), [("codex", 10_080, 70.0, None)], "two of one length are one; the fuller counts");
}

#[test]
fn whether_requests_go_through_is_told_in_two_words() {
    for (limit, allowed) in [
        (r#"{"allowed":true,"limit_reached":false}"#, Some(true)),
        (r#"{"allowed":false}"#, Some(false)),
        (r#"{"allowed":true,"limit_reached":true}"#, Some(false)),
        (r#"{"limit_reached":false}"#, Some(true)),
        ("{}", None),
    ] {
        let page = format!(r#"{{"rate_limit":{limit}}}"#);
        assert_eq!(Limits::from_usage(page.as_bytes(), at(0)).unwrap().allowed, allowed, "{limit}");
    }
    let nobody_knows = Limits::from_usage(br#"{"plan_type":"team","rate_limit":null,"credits":null}"#, at(0)).unwrap();
    assert_eq!(nobody_knows, Limits { plan: Some("team".to_owned()), ..Limits::default() });
    for body in ["", "<html>", "[]", "{}", r#"{"detail":"x"}"#] {
        assert_eq!(Limits::from_usage(body.as_bytes(), at(0)), None, "{body}");
    }
}

/// The event as third parties logged it (`codex-backend.md §6`).
#[test]
fn an_event_tells_of_the_limit_that_counted() {
    let main = event(
        r#"{"type":"codex.rate_limits","plan_type":"pro","rate_limits":{"allowed":true,"limit_reached":false,"primary":{"used_percent":7,"window_minutes":300,"reset_after_seconds":13168,"reset_at":1795157068},"secondary":{"used_percent":29,"window_minutes":10080,"reset_after_seconds":434962,"reset_at":1795578862}},"code_review_rate_limits":null,"additional_rate_limits":null,"credits":{"has_credits":false,"unlimited":true,"balance":null}}"#,
    );
    assert_eq!(rows(&main), [("codex", 300, 7.0, Some(13_168)), ("codex", 10_080, 29.0, Some(434_962))]);
    assert_eq!((main.plan.as_deref(), main.allowed, main.active.as_deref()), (Some("pro"), Some(true), None));
    assert_eq!(main.credits, Some(Credits { has_credits: false, unlimited: true, balance: None }));

    let other = event(
        r#"{"type":"codex.rate_limits","metered_limit_name":"codex-bengalfox","limit_name":"GPT-Spark","rate_limits":{"allowed":false,"limit_reached":true,"primary":{"used_percent":100,"window_minutes":300}}}"#,
    );
    assert_eq!(rows(&other), [("codex_bengalfox", 300, 100.0, None)]);
    assert_eq!(other.windows[0].title.as_deref(), Some("GPT-Spark"));
    assert_eq!(
        (other.active.as_deref(), other.allowed),
        (Some("codex-bengalfox"), None),
        "the main limit is not meant"
    );

    assert!(event(r#"{"type":"codex.rate_limits","rate_limits":{}}"#).is_empty());
    assert!(event("[]").is_empty());
}

/// The same limits, told in four ways, are the same windows.
#[test]
fn every_source_feeds_one_type() {
    let from_headers = Limits::from_headers(
        &headers(&[
            ("x-codex-primary-used-percent", "100"),
            ("x-codex-primary-window-minutes", "300"),
            ("x-codex-primary-reset-at", "1795144000"),
            ("x-codex-secondary-used-percent", "40"),
            ("x-codex-secondary-window-minutes", "10080"),
            ("x-codex-secondary-reset-after-seconds", "500"),
        ]),
        at(0),
    );
    let page = br#"{"rate_limit":{"primary_window":{"used_percent":100,"limit_window_seconds":18000,"reset_at":1795144000},"secondary_window":{"used_percent":40,"limit_window_seconds":604800,"reset_after_seconds":500}}}"#;
    let told = event(
        r#"{"rate_limits":{"primary":{"used_percent":100,"window_minutes":300,"reset_at":1795144000},"secondary":{"used_percent":40,"window_minutes":10080,"reset_after_seconds":500}}}"#,
    );
    let frame = br#"{"type":"error","status":429,"error":{"type":"usage_limit_reached","resets_at":1795144000},"headers":{"X-Codex-Primary-Used-Percent":"99","X-Codex-Primary-Window-Minutes":300,"X-Codex-Primary-Reset-At":"1795144000","X-Codex-Secondary-Used-Percent":"40","X-Codex-Secondary-Window-Minutes":"10080","X-Codex-Secondary-Reset-After-Seconds":"500","Bad Name":"x"}}"#;
    let refused = Limits::from_failure_body(&HeaderMap::new(), frame, at(0));
    assert_eq!(from_headers.windows, Limits::from_usage(page, at(0)).unwrap().windows);
    assert_eq!(from_headers.windows, told.windows);
    assert_eq!(from_headers.windows, refused.windows, "the refusal knows better than the percentage");
    assert_eq!((refused.allowed, refused.reached.as_deref()), (Some(false), Some("usage_limit_reached")));
}

/// What the pool is told.
#[test]
fn a_limit_that_lets_nothing_through_is_reached() {
    let page = |limit: &str, rest: &str| {
        let page = format!(
            r#"{{"rate_limit":{{{limit}"primary_window":{{"used_percent":5,"limit_window_seconds":18000}}}},"credits":{{"has_credits":true,"balance":"3"}},"rate_limit_reset_credits":{{"available_count":1}}{rest}}}"#
        );
        WindowsSeen::from(&Limits::from_usage(page.as_bytes(), at(0)).unwrap())
    };
    let open = page(r#""allowed":true,"#, r#","plan_type":"pro","spend_control":{"reached":false}"#);
    assert!(open.is_evidence_of_quota(), "{open:?}");
    assert_eq!((open.plan.as_deref(), open.reset_credits, open.reached), (Some("pro"), Some(1), None));
    assert_eq!(open.credits.unwrap().balance.as_deref(), Some("3"));
    assert_eq!((open.windows[0].minutes, open.windows[0].used_percent), (300, 5.0));
    for (limit, rest, reached) in [
        (r#""limit_reached":true,"#, "", "not_allowed"),
        (r#""allowed":true,"#, r#","spend_control":{"reached":true}"#, "spend_limit"),
        (r#""allowed":false,"#, r#","rate_limit_reached_type":{"type":"weekly"}"#, "weekly"),
    ] {
        let shut = page(limit, rest);
        assert_eq!(shut.reached.as_deref(), Some(reached));
        assert!(!shut.is_evidence_of_quota(), "{limit}{rest}");
    }
}

/// `codex-backend.md §5`: the 429 of a used-up window, with its headers.
#[test]
fn a_refusal_brings_its_windows_along() {
    let body = br#"{"error":{"type":"usage_limit_reached","message":"The usage limit has been reached","plan_type":"plus","resets_at":1795144000,"eligible_promo":null,"resets_in_seconds":100}}"#;
    let headers = headers(&[
        ("x-codex-primary-used-percent", "98"),
        ("x-codex-primary-window-minutes", "300"),
        ("x-codex-primary-reset-after-seconds", "102"),
        ("x-codex-secondary-used-percent", "20"),
        ("x-codex-secondary-window-minutes", "10080"),
    ]);
    let failure = Failure::from_http(StatusCode::TOO_MANY_REQUESTS, &headers, body, at(0));
    let plan = Some("plus".into());
    assert_eq!(failure.kind, FailureKind::UsageLimit { window_minutes: Some(300), plan });
    let limits = failure.limits().unwrap();
    assert_eq!(rows(limits), [("codex", 300, 100.0, Some(102)), ("codex", 10_080, 20.0, None)]);
    assert_eq!((limits.plan.as_deref(), limits.allowed), (Some("plus"), Some(false)));

    let elsewhere = Failure::from_http(StatusCode::INTERNAL_SERVER_ERROR, &headers, b"", at(0));
    assert_eq!(rows(elsewhere.limits().unwrap())[0].2, 98.0, "a broken upstream says nothing of the quota");
    let nothing = Failure::from_http(StatusCode::BAD_REQUEST, &HeaderMap::new(), br#"{"detail":"x"}"#, at(0));
    assert_eq!(nothing.limits(), None);
    // A plan's refusal has no window, and still says that there is no way through (`codex-backend.md §12`).
    let plan = br#"{"error":{"code":"subscription_sharing_usage_limit_exceeded","message":"m"}}"#;
    let limits = Limits::from_failure_body(&HeaderMap::new(), plan, at(0));
    assert_eq!((limits.windows.len(), limits.allowed), (0, Some(false)));
}

#[test]
fn what_the_host_writes_is_kept_short_and_plain() {
    let long = "x".repeat(5000);
    let page = format!(
        r#"{{"plan_type":"p\u001b[2J{long}","additional_rate_limits":[{{"metered_feature":"A B/{long}","limit_name":"t\n{long}","rate_limit":{{"primary_window":{{"used_percent":1,"limit_window_seconds":60}}}}}}]}}"#
    );
    let limits = Limits::from_usage(page.as_bytes(), at(0)).unwrap();
    assert!(limits.plan.as_deref().unwrap().starts_with("p [2Jxx") && limits.plan.unwrap().len() < 700);
    let window = &limits.windows[0];
    assert!(window.family.starts_with("a_b_xx") && window.family.len() == 64, "{}", window.family);
    assert!(window.title.as_deref().unwrap().starts_with("t xx") && window.title.as_ref().unwrap().len() < 700);
    let many = vec![r#"{"metered_feature":"f","rate_limit":{}}"#; 10_000].join(",");
    let page = format!(r#"{{"plan_type":"x","additional_rate_limits":[{many}]}}"#);
    assert_eq!(Limits::from_usage(page.as_bytes(), at(0)).unwrap().windows, []);
}

proptest! {
    /// Whatever numbers come, a window has a length, a percentage, and no date beyond the calendar.
    #[test]
    fn no_number_is_too_strange(minutes in any::<f64>(), used in any::<f64>(), reset in any::<f64>(), after in any::<i64>()) {
        let number = |n: f64| if n.is_finite() { format!("{n:e}") } else { "null".to_owned() };
        let text = format!(
            r#"{{"rate_limits":{{"primary":{{"used_percent":{},"window_minutes":{},"reset_at":{},"reset_after_seconds":{after}}}}}}}"#,
            number(used), number(minutes), number(reset)
        );
        for window in event(&text).windows {
            prop_assert!(window.minutes > 0 && window.used_percent >= 0.0 && window.used_percent.is_finite(), "{text}");
        }
    }
}

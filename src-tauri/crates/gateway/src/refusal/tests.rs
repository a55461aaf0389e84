//! The failure table, row by row.

use std::time::Duration;

use codeferry_accounts::{AccountId, Blocked, Cooldown, Kind, NoAccount};
use codeferry_upstream::{Failure, FailureKind};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{Circumstances, Problem, Shape, of_failure, of_no_account};

const NOW: &str = "2026-11-20T10:00:00Z";

fn now() -> Timestamp {
    NOW.parse().expect("a time")
}

/// status, kind, retry-after, whether it is final
type Row = (u16, &'static str, Option<u64>, bool);

fn row(problem: &Problem) -> Row {
    (problem.status.as_u16(), problem.kind.as_str(), problem.retry_after, problem.final_word)
}

fn told(failure: &Failure) -> Problem {
    let around = Circumstances {
        account: "me@example.org",
        asked: "claude-opus-4-8",
        model: "gpt-x",
        input_tokens: 280_000,
        context_window: Some(272_000),
        shape: Shape::Anthropic,
        keyed: false,
        now: now(),
        zone: TimeZone::fixed(jiff::tz::offset(1)),
    };
    of_failure(failure, &around)
}

fn failure(kind: FailureKind) -> Failure {
    Failure::new(kind, "said the upstream")
}

#[test]
fn overflow_is_said_so_that_the_client_compacts() {
    let known = told(&failure(FailureKind::ContextOverflow { actual: Some(300_000), max: Some(270_000) }));
    assert_eq!(row(&known), (400, "invalid_request_error", None, false));
    assert_eq!(known.message, "prompt is too long: 300000 tokens > 270000 maximum");
    let guessed = told(&failure(FailureKind::ContextOverflow { actual: None, max: None }));
    assert_eq!(guessed.message, "prompt is too long: 280000 tokens > 272000 maximum");
    let small = told(&failure(FailureKind::ContextOverflow { actual: Some(5), max: Some(10) }));
    assert_eq!(
        small.message, "prompt is too long: 11 tokens > 10 maximum",
        "the figures must not contradict the refusal"
    );
}

#[test]
fn a_usage_limit_names_account_window_and_local_time() {
    let limit = FailureKind::UsageLimit { window_minutes: Some(300), plan: None };
    let mut far = failure(limit.clone());
    far.resets_at = Some("2026-11-20T13:02:00Z".parse().expect("a time"));
    let problem = told(&far);
    assert_eq!(row(&problem), (429, "rate_limit_error", None, true));
    assert_eq!(
        problem.message,
        "me@example.org has reached the 5-hour limit of its ChatGPT plan; it resets at 14:02 (in 3 h 3 min)"
    );
    let mut near = failure(limit.clone());
    near.resets_at = Some("2026-11-20T10:00:40Z".parse().expect("a time"));
    assert_eq!(row(&told(&near)), (429, "rate_limit_error", Some(40), false));
    let mut other_day = failure(FailureKind::UsageLimit { window_minutes: Some(10_080), plan: None });
    other_day.resets_at = Some("2026-11-23T09:30:00Z".parse().expect("a time"));
    assert!(
        told(&other_day)
            .message
            .ends_with("the weekly limit of its ChatGPT plan; it resets at Mon 23 Nov, 10:30 (in 2 d 23 h)")
    );
    assert_eq!(row(&told(&failure(limit))), (429, "rate_limit_error", None, true), "a limit of unknown length");
}

#[test]
fn everything_else_by_kind() {
    use FailureKind as K;
    let table: [(FailureKind, Row); 18] = [
        (K::TooLarge, (413, "request_too_large", None, false)),
        (K::UsageNotIncluded, (429, "rate_limit_error", None, true)),
        (K::RateLimited, (429, "rate_limit_error", None, false)),
        (K::Overloaded, (529, "overloaded_error", None, false)),
        (K::Unauthorized, (503, "api_error", None, true)),
        (K::AccountDead, (503, "api_error", None, true)),
        (K::NotEligible, (503, "api_error", None, true)),
        (K::Forbidden, (503, "api_error", None, true)),
        (K::Challenge, (503, "api_error", None, true)),
        (K::ModelNotFound, (404, "not_found_error", None, true)),
        (K::InvalidRequest { param: None }, (400, "invalid_request_error", None, false)),
        (K::Policy, (400, "invalid_request_error", None, false)),
        (K::ReasoningRejected, (400, "invalid_request_error", None, false)),
        (K::Server, (502, "api_error", None, false)),
        (K::Unavailable, (502, "api_error", None, false)),
        (K::Connect, (502, "api_error", None, false)),
        (K::Timeout, (504, "timeout_error", None, false)),
        (K::CutOff, (502, "api_error", None, false)),
    ];
    for (kind, expected) in table {
        let problem = told(&failure(kind.clone()));
        assert_eq!(row(&problem), expected, "{kind:?}");
        assert!(!matches!(problem.status.as_u16(), 401 | 403), "{kind:?}: the client's own key was right");
    }
    let mut slow = failure(K::RateLimited);
    slow.retry_after = Some(Duration::from_millis(1500));
    assert_eq!(told(&slow).retry_after, Some(2));
    assert!(told(&failure(K::ModelNotFound)).message.starts_with("model: claude-opus-4-8"));
}

#[test]
fn nobody_can_serve() {
    let zone = TimeZone::UTC;
    let id = AccountId::derive(Kind::Codex, None, Some("u"));
    let blocked = Blocked { id, name: "work".into(), why: Cooldown::UsageLimit.to_string() };
    let cooling = NoAccount::CoolingDown {
        earliest: "2026-11-20T13:05:00Z".parse().expect("a time"),
        accounts: vec![blocked.clone()],
    };
    let problem = of_no_account(&cooling, now(), &zone);
    assert_eq!(row(&problem), (429, "rate_limit_error", None, true));
    assert!(
        problem.message.contains("can serve before 13:05 (in ")
            && problem.message.contains("work: usage limit reached"),
        "{}",
        problem.message
    );
    for none in [NoAccount::None, NoAccount::NeedsSignIn { accounts: vec![blocked] }] {
        assert_eq!(row(&of_no_account(&none, now(), &zone)), (503, "api_error", None, true), "{none:?}");
    }
}

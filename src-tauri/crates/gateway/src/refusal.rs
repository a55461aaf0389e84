//! What a failure upstream means for an Anthropic client: the table of `docs/dialects.md`, as code.
//!
//! Two rules stand above the rows. The gateway's own account is not the client's: a 401 or 403 from upstream never passes,
//! clients would sign the person out (`complaints.md`, theme 2). And what cannot get better by trying says so, or the
//! client tries for three minutes (`claude-code.md §0.5`).

use std::time::Duration;

use axum::http::StatusCode;
use codeferry_accounts::quota::window_name;
use codeferry_accounts::{NoAccount, RecoverError};
use codeferry_upstream::{Failure, FailureKind};
use codeferry_wire::anthropic::error::ErrorKind;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Unit};

use crate::dialect::Shape;
use crate::reply::{Problem, Resets, USAGE_LIMIT};

/// Clients wait by themselves up to this long (`claude-code.md §0.5`); beyond, waiting is the person's decision.
const LONGEST_WAIT: u64 = 60;

/// `error.code` for a model that is not there (`seed-b.md`, B-021).
/// OpenAI's clients know a sentence of their own for a name that leads nowhere (`seed-b.md`, B-021).
pub(crate) fn no_such_model(asked: &str) -> String {
    format!("The model {asked} does not exist or you do not have access to it.")
}

/// What they are told of a name that leads nowhere.
pub(crate) fn unroutable(asked: &str, mut problem: Problem) -> Problem {
    if problem.kind != ErrorKind::NotFound {
        return problem;
    }
    let sentence = no_such_model(asked);
    let known = problem.message == format!("model: {asked}");
    problem.message = if known { sentence } else { format!("{sentence} ({})", problem.message) };
    problem.about(Some(MODEL_NOT_FOUND), Some("model".to_owned()))
}

pub(crate) const MODEL_NOT_FOUND: &str = "model_not_found";

/// What is known around a failure, to speak of it in words.
#[derive(Debug, Clone)]
pub(crate) struct Circumstances<'a> {
    /// The account that was used, as people know it.
    pub(crate) account: &'a str,
    /// The model as the client asked for it.
    pub(crate) asked: &'a str,
    /// The model upstream.
    pub(crate) model: &'a str,
    /// The size of the prompt, estimated.
    pub(crate) input_tokens: u64,
    /// The model's window, if known.
    pub(crate) context_window: Option<u64>,
    /// How errors are told to the client.
    pub(crate) shape: Shape,
    /// The account is a server and a key for it: the server and the bill are the person's own.
    pub(crate) keyed: bool,
    /// The clock.
    pub(crate) now: Timestamp,
    /// Where the person lives.
    pub(crate) zone: TimeZone,
}

/// The problem a failed attempt leaves the client with.
pub(crate) fn of_failure(failure: &Failure, around: &Circumstances<'_>) -> Problem {
    let problem = |kind, message: String| Problem::new(kind, message);
    if let Some(problem) = Some(failure).filter(|_| around.keyed).and_then(|failure| of_keyed(failure, around)) {
        return problem;
    }
    match &failure.kind {
        FailureKind::ContextOverflow { actual, max } => {
            let max = max.map(u64::from).or(around.context_window).unwrap_or(around.input_tokens);
            // Claude Code compacts upon this very wording, and reads the figures (`claude-code.md §0.4`).
            let actual = actual.map_or(around.input_tokens, u64::from).max(max + 1);
            let message = match around.shape {
                Shape::Anthropic => format!("prompt is too long: {actual} tokens > {max} maximum"),
                // The wording of OpenAI's own endpoint, which programs look for as well as for the code.
                Shape::OpenAi => format!(
                    "This model's maximum context length is {max} tokens. However, your messages resulted in {actual} tokens."
                ),
                // Google's own.
                Shape::Google => {
                    format!("The input token count ({actual}) exceeds the maximum number of tokens allowed ({max}).")
                }
            };
            let param = if around.shape == Shape::Google { "contents" } else { "messages" };
            Problem::bad_request(message).about(Some("context_length_exceeded"), Some(param.to_owned()))
        }
        FailureKind::TooLarge => {
            problem(ErrorKind::RequestTooLarge, "the request is larger than the upstream takes".to_owned())
        }
        FailureKind::UsageLimit { window_minutes, .. } => usage_limit(failure, *window_minutes, around),
        FailureKind::UsageNotIncluded => {
            let message =
                format!("the ChatGPT plan of {} does not include this use: {}", around.account, failure.message);
            problem(ErrorKind::RateLimit, message).final_word().about(Some("usage_not_included"), None)
        }
        FailureKind::RateLimited => {
            let mut problem =
                problem(ErrorKind::RateLimit, format!("too many requests for {}: {}", around.account, failure.message));
            problem.retry_after = failure.retry_after.map(seconds).filter(|seconds| *seconds <= LONGEST_WAIT);
            problem
        }
        FailureKind::Overloaded => problem(
            ErrorKind::Overloaded,
            format!("the model {} is overloaded upstream: {}", around.model, failure.message),
        ),
        FailureKind::Unauthorized | FailureKind::AccountDead | FailureKind::NotEligible | FailureKind::Forbidden => {
            needs_attention(format!("the upstream does not accept the account {}: {}", around.account, failure.message))
        }
        FailureKind::Program => needs_attention(failure.message.clone()),
        FailureKind::Challenge => needs_attention(format!(
            "the upstream asked for a browser check instead of answering; this says nothing about the account {}. Try again later, or from another network",
            around.account
        )),
        FailureKind::ModelNotFound => {
            let message = format!("model: {} (routed to {}: {})", around.asked, around.model, failure.message);
            problem(ErrorKind::NotFound, message).final_word().about(Some(MODEL_NOT_FOUND), Some("model".to_owned()))
        }
        FailureKind::InvalidRequest { param } => {
            let message = format!("the upstream refused the request: {}", failure.message);
            Problem::bad_request(message).about(None, param.as_deref().map(str::to_owned))
        }
        FailureKind::ReasoningRejected => {
            Problem::bad_request(format!("the upstream refused the request: {}", failure.message))
        }
        FailureKind::Policy => {
            Problem::bad_request(format!("refused by a content policy upstream: {}", failure.message))
                .about(Some("content_policy_violation"), None)
        }
        FailureKind::Timeout => {
            problem(ErrorKind::Timeout, failure.message.clone()).with_status(StatusCode::GATEWAY_TIMEOUT)
        }
        FailureKind::Server | FailureKind::Unavailable => {
            problem(ErrorKind::Api, format!("the upstream failed: {}", failure.message))
                .with_status(StatusCode::BAD_GATEWAY)
        }
        FailureKind::Connect | FailureKind::CutOff | FailureKind::Protocol => {
            problem(ErrorKind::Api, failure.message.clone()).with_status(StatusCode::BAD_GATEWAY)
        }
    }
}

/// The same, where it means something else for a server with a key: there is no plan behind it.
fn of_keyed(failure: &Failure, around: &Circumstances<'_>) -> Option<Problem> {
    let (account, said) = (around.account, &failure.message);
    Some(match &failure.kind {
        FailureKind::Unauthorized | FailureKind::AccountDead => needs_attention(format!(
            "the server of {account} does not accept the key: {said} (give it another: codeferry accounts add, with the \
             same kind, address and label)"
        )),
        FailureKind::Forbidden | FailureKind::NotEligible => {
            needs_attention(format!("the server of {account} refused the request: {said}"))
        }
        FailureKind::UsageLimit { .. } | FailureKind::UsageNotIncluded => {
            let mut problem =
                Problem::new(ErrorKind::RateLimit, format!("{account} has nothing left to spend: {said}"));
            problem.retry_after = failure.retry_after.map(seconds).filter(|seconds| *seconds <= LONGEST_WAIT);
            if problem.retry_after.is_none() { problem.final_word() } else { problem }
        }
        FailureKind::Challenge => needs_attention(format!(
            "somebody in front of the server of {account} asked for a browser check instead of answering"
        )),
        _ => return None,
    })
}

/// The problem when no account can serve.
pub(crate) fn of_no_account(none: &NoAccount, now: Timestamp, zone: &TimeZone) -> Problem {
    match none {
        NoAccount::CoolingDown { earliest, accounts } => {
            let named = accounts.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
            let message = format!("no account can serve before {} ({named})", moment(*earliest, now, zone));
            let problem = waiting(message, *earliest, now);
            // Nothing but a plan that is used up makes an account rest for so long.
            if problem.final_word { problem.about(Some(USAGE_LIMIT), None) } else { problem }
        }
        NoAccount::RefreshFailed { .. } => {
            Problem::new(ErrorKind::Api, none.to_string()).with_status(StatusCode::SERVICE_UNAVAILABLE)
        }
        NoAccount::None
        | NoAccount::NoneActive { .. }
        | NoAccount::NeedsSignIn { .. }
        | NoAccount::Unusable { .. }
        | NoAccount::Excluded { .. }
        | NoAccount::Vault { .. } => needs_attention(none.to_string()),
    }
}

/// The problem when a refused token could not be replaced.
pub(crate) fn of_recover_error(error: &RecoverError, now: Timestamp, zone: &TimeZone) -> Problem {
    match error {
        RecoverError::TooEarly { at, .. } => {
            waiting(format!("{error} (that is at {})", moment(*at, now, zone)), *at, now)
        }
        RecoverError::RefreshFailed { .. } => {
            Problem::new(ErrorKind::Api, error.to_string()).with_status(StatusCode::SERVICE_UNAVAILABLE)
        }
        RecoverError::NeedsSignIn { .. } | RecoverError::Removed => needs_attention(error.to_string()),
    }
}

/// Something only the person can mend. Neither 401 nor 403: the client's own key was right.
fn needs_attention(message: String) -> Problem {
    Problem::new(ErrorKind::Api, message).with_status(StatusCode::SERVICE_UNAVAILABLE).final_word()
}

fn usage_limit(failure: &Failure, window_minutes: Option<u32>, around: &Circumstances<'_>) -> Problem {
    let window =
        window_minutes.map_or_else(|| "usage limit".to_owned(), |minutes| format!("{} limit", window_name(minutes)));
    let account = around.account;
    let problem = match failure.resets_at {
        Some(at) => {
            let message = format!(
                "{account} has reached the {window} of its ChatGPT plan; it resets at {}",
                moment(at, around.now, &around.zone)
            );
            waiting(message, at, around.now)
        }
        None => {
            let message = format!(
                "{account} has reached the {window} of its ChatGPT plan; when it resets is shown at chatgpt.com/settings/usage"
            );
            Problem::new(ErrorKind::RateLimit, message).final_word()
        }
    };
    problem.about(Some(USAGE_LIMIT), None)
}

/// A 429 that passes by itself at `at`.
fn waiting(message: String, at: Timestamp, now: Timestamp) -> Problem {
    let mut problem = Problem::new(ErrorKind::RateLimit, message);
    let wait = seconds(Duration::try_from(at.duration_since(now)).unwrap_or_default());
    problem.resets = Some(Box::new(Resets { at: at.as_second(), after: wait }));
    if wait <= LONGEST_WAIT {
        problem.retry_after = Some(wait.max(1));
        problem
    } else {
        problem.final_word()
    }
}

/// `14:20 (in 3 h 2 min)`, in the person's own time.
fn moment(at: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let (there, here) = (at.to_zoned(zone.clone()), now.to_zoned(zone.clone()));
    let clock = if there.date() == here.date() { there.strftime("%H:%M") } else { there.strftime("%a %d %b, %H:%M") };
    let minutes = at.since((Unit::Minute, now)).map_or(0, |span| span.get_minutes().max(0)) + 1;
    let distance = match (minutes / 1440, minutes / 60 % 24, minutes % 60) {
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) => format!("{days} d {hours} h"),
    };
    format!("{clock} (in {distance})")
}

/// Whole seconds, rounded up: a client that comes a moment too early is refused again.
fn seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests;

//! What an attempt means for the account that paid for it.

use std::time::Duration;

use codeferry_accounts::{Cooldown, End, Hint, Lease, Pool, WindowsSeen};
use codeferry_upstream::{Failure, FailureKind};
use jiff::Timestamp;

/// A shorter wait than this is sat out with the same account.
const SHORT: Duration = Duration::from_secs(20);

/// Tells the pool what a failure says about the account, whether the client has seen a part of the answer or none.
pub(crate) fn note(pool: &Pool, lease: &Lease, failure: &Failure, now: Timestamp) {
    if let Some(limits) = failure.limits() {
        pool.note_limits(&lease.account.id, &WindowsSeen::from(limits), now);
    }
    let end = end_of(failure);
    // Nobody stands in for a server with a key, so putting it to rest helps only who is asked to wait: a key that is put right
    // or a bill that is paid counts at once.
    let end = if lease.account.kind.takes_key() { end.filter(waits) } else { end };
    if let Some(end) = end {
        pool.ended(lease, end);
    }
}

/// How a failed attempt ended for its account. `None`: nothing was learned about the account.
fn end_of(failure: &Failure) -> Option<End> {
    use FailureKind as K;
    let hint = Hint { resets_at: failure.resets_at, resets_in: None, retry_after: failure.retry_after };
    let refused = |why| Some(End::Refused { why, hint });
    match failure.kind {
        K::UsageLimit { .. } => refused(Cooldown::UsageLimit),
        K::RateLimited if failure.retry_after.is_some_and(|after| after > SHORT) => refused(Cooldown::RateLimit),
        K::UsageNotIncluded | K::NotEligible => refused(Cooldown::PlanMismatch),
        K::AccountDead => refused(Cooldown::WorkspaceDeactivated),
        K::Forbidden => refused(Cooldown::Unavailable),
        K::Challenge => refused(Cooldown::Challenge),
        K::Connect | K::Timeout | K::CutOff | K::Server | K::Unavailable => Some(End::Broken),
        // The request was at fault, so the account was good enough to be answered.
        K::ContextOverflow { .. } | K::TooLarge | K::InvalidRequest { .. } | K::Policy | K::ReasoningRejected => {
            Some(End::Served)
        }
        // A program may be put right at any moment, and is asked again then.
        K::RateLimited | K::Overloaded | K::Unauthorized | K::ModelNotFound | K::Protocol | K::Program => None,
    }
}

/// Whether an end says when to come back.
fn waits(end: &End) -> bool {
    match end {
        End::Served | End::Broken => true,
        End::Refused { hint, .. } => hint.resets_at.is_some() || hint.retry_after.is_some(),
    }
}

#[cfg(test)]
mod tests {
    use codeferry_accounts::{Cooldown, End};
    use codeferry_upstream::{Failure, FailureKind};

    use super::{Duration, end_of};

    #[test]
    fn only_what_is_the_accounts_counts_against_it() {
        use FailureKind as K;
        let why = |kind| match end_of(&Failure::new(kind, "")) {
            Some(End::Refused { why, .. }) => Some(why),
            _ => None,
        };
        assert_eq!(why(K::UsageLimit { window_minutes: None, plan: None }), Some(Cooldown::UsageLimit));
        assert_eq!(why(K::AccountDead), Some(Cooldown::WorkspaceDeactivated));
        assert_eq!(why(K::Challenge), Some(Cooldown::Challenge));
        for kind in [K::Overloaded, K::CutOff, K::InvalidRequest { param: None }, K::RateLimited, K::ModelNotFound] {
            assert_eq!(why(kind.clone()), None, "{kind:?}");
        }
        let mut slow = Failure::new(K::RateLimited, "");
        slow.retry_after = Some(Duration::from_secs(60));
        assert!(matches!(end_of(&slow), Some(End::Refused { why: Cooldown::RateLimit, .. })));
    }
}

//! Notices that another account took over, for people: another plan pays from then on.
//!
//! Two ways lead there. An attempt failed, and the same request goes to another account. Or the account that served last
//! rests meanwhile, and the next one in line is picked at once. In the rotations that share the work out by themselves the
//! second one is no news.

use codeferry_accounts::{AccountId, AccountState, AccountStatus, Lease, Rotation};
use jiff::Timestamp;

use crate::Gateway;
use crate::status::FailedOver;

/// Notes the change, if this lease is one. `left` is the account that failed for the same request, and why. To be called
/// before the pick is noted.
pub(crate) fn note(gateway: &Gateway, lease: &Lease, left: Option<(AccountId, String)>) {
    if lease.account.kind.is_named() {
        return;
    }
    let to = &lease.account.id;
    let before = gateway.last_pick();
    let from = left.as_ref().map(|(id, _)| id).or(before.as_ref()).filter(|from| *from != to);
    // Nearly every request ends here, before the accounts are looked at.
    let Some(from) = from.filter(|_| left.is_some() || keeps_to_one(gateway.pool.rotation())) else { return };
    let accounts = gateway.pool.list();
    let Some(account) = accounts.iter().find(|account| account.id == *from && !account.named) else { return };
    let (resting, until) = hindrance(account);
    let why = left.as_ref().map(|(_, why)| why.clone()).or(resting);
    if let Some(why) = why {
        gateway.note_failover(FailedOver { at: gateway.now(), from: from.clone(), to: to.clone(), why, until });
    }
}

/// Whether the rotation stays with one account while that can serve.
fn keeps_to_one(rotation: Rotation) -> bool {
    matches!(rotation, Rotation::Sticky | Rotation::FillFirst)
}

/// Why an account cannot serve, other than because its owner wants it so, and until when.
fn hindrance(account: &AccountStatus) -> (Option<String>, Option<Timestamp>) {
    if account.paused {
        return (None, None);
    }
    match &account.state {
        AccountState::Ready => (None, None),
        AccountState::CoolingDown { until, why } => (Some(why.to_string()), Some(*until)),
        AccountState::Blocked { why } => (Some(why.to_string()), None),
        AccountState::NeedsSignIn { why } => (Some(why.clone()), None),
    }
}

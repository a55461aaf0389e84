//! What tests of several modules need.

use codeferry_app::{AccountState, AccountStatus, Kind};

/// An account that is well, with an address like `work@example.com`.
pub(crate) fn account(name: &str) -> AccountStatus {
    let hash = name.bytes().fold(7_u64, |hash, byte| hash.wrapping_mul(31).wrapping_add(u64::from(byte)));
    AccountStatus {
        id: format!("acc_{hash:016x}").parse().unwrap(),
        kind: Kind::Codex,
        email: Some(format!("{name}@example.com")),
        label: None,
        plan: None,
        active: false,
        named: false,
        url: None,
        ephemeral: false,
        state: AccountState::Ready,
        expires_at: None,
        last_refresh: None,
        paused: false,
        priority: 0,
        read_only: None,
        in_flight: 0,
        quota: None,
        warning: None,
    }
}

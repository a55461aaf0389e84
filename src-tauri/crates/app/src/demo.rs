//! The embedded demo: a simulated upstream in this process, and an account that it knows.

use std::io;

use codeferry_accounts::{Account, AccountId, Credential, Kind, Secret};
use codeferry_demo::{Demo, DemoAccount, Options};
use jiff::Timestamp;

/// Starts the upstream and signs an account in.
pub(crate) async fn start(now: Timestamp) -> io::Result<(Demo, Account, Credential)> {
    let demo = Demo::start(Options::embedded()).await?;
    // The codex wire: see the provider of `Kind::Demo`.
    let (account, credential) = sign_in(demo.account("demo"), now);
    Ok((demo, account, credential))
}

fn sign_in(from: DemoAccount, now: Timestamp) -> (Account, Credential) {
    let account = Account {
        id: AccountId::derive(Kind::Demo, Some(&from.account_id), Some(&from.user_id)),
        kind: Kind::Demo,
        email: Some(from.email),
        label: Some("demo".to_owned()),
        plan: Some(from.plan),
        chatgpt_account_id: Some(from.account_id),
        user_id: Some(from.user_id),
        added_at: now,
        endpoint: None,
        program: None,
    };
    let credential = Credential {
        client_id: Some(from.client_id),
        access_token: Secret::new(from.access_token),
        refresh_token: Some(Secret::new(from.refresh_token)),
        id_token: Some(Secret::new(from.id_token)),
        expires_at: Timestamp::from_second(from.expires_at).ok(),
        earliest_refresh_at: from.earliest_refresh_at.and_then(|at| Timestamp::from_second(at).ok()),
        last_refresh: Some(now),
    };
    (account, credential)
}

//! What people do: import, switch, remove, look.

use std::sync::atomic::Ordering;

use jiff::SignedDuration;

use super::{World, account, status, why_sign_in};
use crate::{AccountState, ChooseError, Cooldown, ImportError, ImportOutcome, NoAccount};

#[tokio::test(start_paused = true)]
async fn the_first_account_serves_and_the_second_waits_to_be_chosen() {
    let world = World::new();
    let pool = world.pool();
    assert_eq!(pool.lease(&[]).await.expect_err("nobody"), NoAccount::None);
    let ada = pool.import(world.signed_in("ada")).await.expect("imported");
    let bob = pool.import(world.signed_in("bob")).await.expect("imported");
    assert_eq!((ada.outcome, ada.active), (ImportOutcome::Added, true));
    assert_eq!((bob.outcome, bob.active), (ImportOutcome::Added, false));
    assert_eq!(pool.lease(&[]).await.expect("a lease").account.id, ada.id);
    pool.switch("BOB@example.com").await.expect("switched");
    assert_eq!(pool.lease(&[]).await.expect("a lease").account.id, bob.id);
    assert!(matches!(pool.lease(&[bob.id]).await, Err(NoAccount::Excluded { .. })), "Ada does not step in unasked");
}

#[tokio::test(start_paused = true)]
async fn importing_again_updates_and_never_goes_back() {
    let world = World::new();
    let pool = world.pool();
    let old = world.signed_in("ada");
    pool.import(old.clone()).await.expect("imported");
    assert_eq!(pool.import(old.clone()).await.expect("the same").outcome, ImportOutcome::Unchanged);
    world.time.pass(10);
    let mut new = world.signed_in("ada");
    new.account.plan = Some("pro".into());
    assert_eq!(pool.import(new).await.expect("newer").outcome, ImportOutcome::Updated);
    assert_eq!(status(&pool, "ada").plan.as_deref(), Some("pro"));
    let error = pool.import(old).await.expect_err("older");
    assert!(matches!(error, ImportError::Older { .. }), "{error}");
    assert!(error.to_string().contains("ada@example.com holds a newer sign-in"), "{error}");
    assert_eq!(pool.lease(&[]).await.expect("a lease").access_token.expose(), "access-ada.2");
    assert_eq!(pool.list().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn one_address_with_two_accounts_is_chosen_by_id() {
    let world = World::new();
    let pool = world.pool();
    let mut second = world.signed_in("bob");
    second.account.email = account("ada").email;
    pool.import(world.signed_in("ada")).await.expect("imported");
    let second = pool.import(second).await.expect("imported");
    let error = pool.switch("ada@example.com").await.expect_err("which one?");
    assert!(matches!(&error, ChooseError::Ambiguous { ids, .. } if ids.len() == 2), "{error}");
    pool.switch(second.id.as_str()).await.expect("that one");
    let error = pool.switch("eve").await.expect_err("nobody");
    assert!(error.to_string().contains("ada@example.com"), "it says who there is: {error}");
}

#[tokio::test(start_paused = true)]
async fn a_removed_account_is_gone_and_hands_its_tokens_out_once() {
    let world = World::new();
    let pool = world.with_ada().await;
    pool.import(world.signed_in("bob")).await.expect("imported");
    let lease = pool.lease(&[]).await.expect("a lease");
    let removed = pool.remove("ada@example.com").await.expect("removed");
    assert!(world.host.counts("ada", &removed.credential));
    assert!(matches!(pool.lease(&[]).await, Err(NoAccount::NoneActive { .. })), "nobody steps in unasked");
    assert!(matches!(pool.recover(&lease).await, Err(crate::RecoverError::Removed)));
    let other = world.pool();
    other.reload().await.expect("sound");
    assert_eq!(other.list().len(), 1);
    assert!(matches!(pool.remove("ada@example.com").await, Err(ChooseError::Unknown { .. })));
}

#[tokio::test(start_paused = true)]
async fn what_another_process_changed_is_seen_upon_reload() {
    let world = World::new();
    let gateway = world.with_ada().await;
    let cli = world.pool();
    assert!(!gateway.reload_if_changed().await.expect("sound"), "its own writing is no news");
    cli.import(world.signed_in("bob")).await.expect("imported");
    cli.switch("bob@example.com").await.expect("switched");
    assert!(gateway.reload_if_changed().await.expect("sound"));
    assert!(!gateway.reload_if_changed().await.expect("sound"), "once is enough");
    assert!(status(&gateway, "bob").active && !status(&gateway, "ada").active);
}

#[tokio::test(start_paused = true)]
async fn who_watches_sees_each_change_and_nothing_else() {
    let world = World::new();
    let pool = world.pool();
    let mut watching = pool.subscribe();
    pool.import(world.signed_in("ada")).await.expect("imported");
    assert_eq!(watching.borrow_and_update().len(), 1);
    pool.reload().await.expect("sound");
    assert!(!watching.has_changed().expect("the pool lives"), "nothing new");
    pool.cool_down(&account("ada").id, world.time.now() + SignedDuration::from_mins(1), Cooldown::RateLimit);
    assert!(watching.has_changed().expect("the pool lives"));
    assert!(matches!(watching.borrow_and_update()[0].state, AccountState::CoolingDown { .. }));
}

#[tokio::test(start_paused = true)]
async fn a_cooldown_is_never_shortened_and_ends_by_itself_or_by_hand() {
    let world = World::new();
    let pool = world.with_ada().await;
    let id = account("ada").id;
    let long = world.time.now() + SignedDuration::from_mins(10);
    pool.cool_down(&id, long, Cooldown::UsageLimit);
    pool.cool_down(&id, world.time.now() + SignedDuration::from_mins(1), Cooldown::RateLimit);
    assert!(matches!(pool.lease(&[]).await, Err(NoAccount::CoolingDown { earliest, .. }) if earliest == long));
    pool.wake(id.as_str()).await.expect("it is known");
    pool.lease(&[]).await.expect("awake");
    pool.cool_down(&id, long, Cooldown::UsageLimit);
    pool.reload().await.expect("sound");
    pool.lease(&[]).await.expect_err("reading the vault again ends no cooldown");
    world.time.pass(10);
    pool.lease(&[]).await.expect("over");
}

#[tokio::test(start_paused = true)]
async fn that_sign_in_is_needed_is_known_to_the_next_process() {
    let world = World::new();
    let pool = world.with_ada().await;
    pool.needs_sign_in(&account("ada").id, "the workspace was deactivated");
    assert!(matches!(pool.lease(&[]).await, Err(NoAccount::NeedsSignIn { .. })), "at once");
    pool.settle().await;
    let next = world.pool();
    next.reload().await.expect("sound");
    assert_eq!(why_sign_in(&next, "ada").as_deref(), Some("the workspace was deactivated"));
}

#[tokio::test(start_paused = true)]
async fn a_locked_keychain_is_said_and_passes() {
    let world = World::new();
    world.with_ada().await;
    let pool = world.pool();
    world.keys.locked.store(true, Ordering::SeqCst);
    let refused = pool.lease(&[]).await.expect_err("locked");
    assert!(refused.to_string().contains("keychain is locked"), "{refused}");
    world.keys.locked.store(false, Ordering::SeqCst);
    pool.lease(&[]).await.expect_err("it is not asked again at once");
    world.time.pass(1);
    pool.lease(&[]).await.expect("unlocked");
}

#[tokio::test(start_paused = true)]
async fn the_status_as_json_has_no_secrets_in_it() {
    let world = World::new();
    let pool = world.with_ada().await;
    pool.cool_down(&account("ada").id, world.time.now() + SignedDuration::from_mins(1), Cooldown::UsageLimit);
    let json = serde_json::to_string(&pool.list()).expect("it is serialised");
    assert_eq!(
        json,
        format!(
            r#"[{{"id":"{}","kind":"codex","email":"ada@example.com","label":null,"plan":"plus","active":true,"#,
            account("ada").id
        ) + r#""named":false,"url":null,"ephemeral":false,"state":"cooling_down","until":"2026-11-20T12:01:00Z","why":"usage_limit","#
            + r#""expires_at":"2026-11-20T13:00:00Z","last_refresh":"2026-11-20T12:00:00Z","#
            + r#""paused":false,"priority":0,"read_only":null,"in_flight":0,"quota":null,"warning":null}]"#
    );
}

#[tokio::test(start_paused = true)]
async fn an_ephemeral_account_serves_until_another_is_chosen() {
    let world = World::new();
    let pool = world.with_ada().await;
    pool.add_ephemeral(account("demo"), world.host.sign_in("demo"));
    assert_eq!(pool.lease(&[]).await.expect("a lease").account.id, account("demo").id);
    let other = world.pool();
    other.reload().await.expect("sound");
    assert_eq!(other.list().len(), 1, "nobody else sees it");
    pool.switch("ada@example.com").await.expect("switched");
    assert_eq!(pool.lease(&[]).await.expect("a lease").account.id, account("ada").id);
    pool.switch("demo@example.com").await.expect("and back");
    pool.remove("demo@example.com").await.expect("removed");
    assert_eq!(pool.lease(&[]).await.expect("a lease").account.id, account("ada").id);
}

#[tokio::test(start_paused = true)]
async fn a_vault_that_cannot_be_read_is_reported_once_and_the_accounts_go_on() {
    let world = World::new();
    let gateway = world.with_ada().await;
    let path = world.pool().0.vault.path();
    let sound = std::fs::read(&path).expect("a vault");
    std::fs::write(&path, b"damaged").expect("written");
    gateway.reload_if_changed().await.expect_err("damaged");
    assert!(!gateway.reload_if_changed().await.expect("said already"));
    gateway.lease(&[]).await.expect("what was known still serves");
    std::fs::write(&path, sound).expect("mended");
    assert!(gateway.reload_if_changed().await.expect("sound"));
}

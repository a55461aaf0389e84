//! One renewal at a time, looked at closely.

use std::sync::Arc;
use std::task::Poll;

use jiff::SignedDuration;

use super::host::{Answer, Host};
use super::{World, account, status, why_sign_in};
use crate::{AccountState, Cooldown, NoAccount, Pool, RecoverError};

/// Let everything run that can, without waiting for anything.
pub(super) async fn poll_once<F: Future + Unpin>(future: &mut F) {
    std::future::poll_fn(|context| {
        assert!(std::pin::Pin::new(&mut *future).poll(context).is_pending(), "it has to wait");
        Poll::Ready(())
    })
    .await;
}

fn token_on_disk(world: &World) -> String {
    let (contents, _) = world.pool().0.vault.read().expect("sound");
    contents.entries[0].credential.access_token.expose().to_owned()
}

#[tokio::test(start_paused = true)]
async fn a_token_is_renewed_five_minutes_before_its_end_and_not_sooner() {
    let world = World::new();
    let pool = world.with_ada().await;
    world.time.pass(54);
    assert_eq!(pool.lease(&[]).await.expect("a lease").access_token.expose(), "access-ada.1");
    world.time.pass(1);
    let lease = pool.lease(&[]).await.expect("a lease");
    assert_eq!((lease.access_token.expose(), lease.why.as_str()), ("access-ada.2", "ada@example.com: active"));
    assert_eq!(token_on_disk(&world), "access-ada.2");
}

#[tokio::test(start_paused = true)]
async fn a_waiter_who_leaves_takes_nothing_with_him() {
    let mut world = World::new();
    world.host = Arc::new(Host::gated(world.time.clone()));
    let pool = world.with_ada().await;
    world.time.pass(57);
    let mut left = Box::pin(pool.lease(&[]));
    poll_once(&mut left).await;
    let mut stays = Box::pin(pool.lease(&[]));
    poll_once(&mut stays).await;
    drop(left);
    world.host.open();
    assert_eq!(stays.await.expect("a lease").access_token.expose(), "access-ada.2");
    assert_eq!(world.host.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_rotated_token_reaches_the_disk_when_everybody_left() {
    let mut world = World::new();
    world.host = Arc::new(Host::gated(world.time.clone()));
    let pool = world.with_ada().await;
    world.time.pass(57);
    let mut only = Box::pin(pool.lease(&[]));
    poll_once(&mut only).await;
    drop(only);
    world.host.open();
    pool.settle().await;
    assert_eq!(token_on_disk(&world), "access-ada.2");
    assert_eq!(world.host.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn on_a_full_disk_the_new_token_is_not_lent_and_not_lost() {
    for step in 0..5 {
        let world = World::new();
        let pool = world.with_ada().await;
        world.time.pass(57);
        world.disk.fail_after(step);
        let lease = pool.lease(&[]).await.expect("the old token counts for three minutes more");
        assert_eq!(lease.access_token.expose(), "access-ada.1");
        assert!(lease.why.contains("could not be stored"), "{}", lease.why);

        world.time.pass(4);
        let refused = pool.lease(&[]).await.expect_err("the old one ran out, the new one is not safe");
        assert!(matches!(&refused, NoAccount::RefreshFailed { account } if account.why.contains("No space left")));
        assert_eq!(world.host.count(), 1, "the spent token is not spent again");

        world.disk.heal();
        pool.settle().await;
        let lease = pool.lease(&[]).await.expect("stored by now");
        assert_eq!(lease.access_token.expose(), "access-ada.2");
        assert_eq!(token_on_disk(&world), "access-ada.2");
        assert_eq!((world.host.count(), world.host.reused()), (1, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn while_a_token_waits_for_room_no_other_process_spends_the_old_one() {
    let world = World::new();
    let pool = world.with_ada().await;
    let other = world.pool();
    world.time.pass(57);
    world.disk.fail_after(0);
    pool.lease(&[]).await.expect("the old token still counts");
    let mut waiting = Box::pin(other.lease(&[]));
    for _ in 0..20 {
        poll_once(&mut waiting).await;
        tokio::task::yield_now().await;
    }
    assert_eq!(world.host.count(), 1);
    world.disk.heal();
    assert_eq!(waiting.await.expect("a lease").access_token.expose(), "access-ada.2");
    assert_eq!((world.host.count(), world.host.reused()), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn when_the_auth_host_fails_the_old_token_is_lent_while_it_counts() {
    let world = World::new();
    let pool = world.with_ada().await;
    world.time.pass(56);
    world.host.next(Answer::Transient);
    let lease = pool.lease(&[]).await.expect("four minutes left");
    assert_eq!(lease.access_token.expose(), "access-ada.1");
    assert!(lease.why.contains("503"), "{}", lease.why);
    pool.lease(&[]).await.expect("four minutes left");
    assert_eq!(world.host.count(), 1, "not asked again at once");

    world.time.pass(5);
    world.host.next(Answer::Transient);
    let refused = pool.lease(&[]).await.expect_err("it ran out");
    assert!(refused.to_string().contains("503"), "{refused}");
    assert_eq!(why_sign_in(&pool, "ada"), None, "a 503 ends no sign-in");
    assert_eq!(pool.lease(&[]).await.expect("the host is back").access_token.expose(), "access-ada.2");
}

#[tokio::test(start_paused = true)]
async fn a_dead_sign_in_is_marked_for_all_processes_and_a_new_one_heals_it() {
    let world = World::new();
    let pool = world.with_ada().await;
    let other = world.pool();
    world.host.revoke("ada");
    world.time.pass(57);
    let refused = pool.lease(&[]).await.expect_err("revoked");
    assert!(
        matches!(&refused, NoAccount::NeedsSignIn { accounts } if accounts[0].why.contains("refresh_token_reused"))
    );
    other.reload().await.expect("sound");
    assert!(why_sign_in(&other, "ada").is_some());
    other.lease(&[]).await.expect_err("it knows");
    assert_eq!(world.host.count(), 1, "the other process does not try in vain");

    other.import(world.signed_in("ada")).await.expect("taken over");
    assert!(pool.reload_if_changed().await.expect("sound"));
    pool.lease(&[]).await.expect("signed in again");
}

#[tokio::test(start_paused = true)]
async fn nothing_is_renewed_before_the_host_allows_it() {
    let world = World::new();
    world.host.earliest(SignedDuration::from_mins(61));
    let pool = world.with_ada().await;
    world.time.pass(60);
    // Expired by our clock, and not renewable yet: the upstream decides.
    let lease = pool.lease(&[]).await.expect("lent as it is");
    assert_eq!(lease.access_token.expose(), "access-ada.1");
    let at = world.time.now() + SignedDuration::from_mins(1);
    let error = pool.recover(&lease).await.expect_err("too early");
    assert!(matches!(error, RecoverError::TooEarly { at: found, .. } if found == at), "{error}");
    assert_eq!(status(&pool, "ada").state, AccountState::CoolingDown { until: at, why: Cooldown::RefreshTooEarly });
    assert!(matches!(pool.lease(&[]).await, Err(NoAccount::CoolingDown { earliest, .. }) if earliest == at));
    assert_eq!(world.host.count(), 0);

    world.time.pass(1);
    assert_eq!(pool.lease(&[]).await.expect("allowed by now").access_token.expose(), "access-ada.2");
}

#[tokio::test(start_paused = true)]
async fn who_was_refused_with_an_old_token_gets_the_new_one_and_nothing_is_renewed() {
    let world = World::new();
    let pool = world.with_ada().await;
    let old = pool.lease(&[]).await.expect("a lease");
    let new = pool.recover(&old).await.expect("renewed");
    assert_ne!(old.generation, new.generation);
    let again = pool.recover(&old).await.expect("at once");
    assert_eq!(again.access_token, new.access_token);
    assert_eq!(world.host.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_another_process_renewed_is_found_in_the_vault() {
    let world = World::new();
    let one = world.with_ada().await;
    let other = world.pool();
    let (mine, theirs) = (one.lease(&[]).await.expect("a lease"), other.lease(&[]).await.expect("a lease"));
    one.recover(&mine).await.expect("renewed");
    let found = other.recover(&theirs).await.expect("found");
    assert_eq!(found.access_token.expose(), "access-ada.2");
    assert_eq!(world.host.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_without_refresh_token_needs_sign_in() {
    let world = World::new();
    let pool = world.pool();
    let mut imported = world.signed_in("ada");
    imported.credential.refresh_token = None;
    pool.import(imported).await.expect("imported");
    let lease = pool.lease(&[]).await.expect("a lease");
    let error = pool.recover(&lease).await.expect_err("nothing to renew it with");
    assert!(matches!(error, RecoverError::NeedsSignIn { .. }), "{error}");

    let ran_out = World::new();
    let pool = ran_out.pool();
    let mut imported = ran_out.signed_in("ada");
    imported.credential.refresh_token = None;
    pool.import(imported).await.expect("imported");
    ran_out.time.pass(61);
    assert!(matches!(pool.lease(&[]).await, Err(NoAccount::NeedsSignIn { .. })));
}

#[tokio::test(start_paused = true)]
async fn tokens_that_live_shorter_than_the_margin_are_not_renewed_at_every_request() {
    let world = World::new();
    world.host.lifetime(SignedDuration::from_mins(2));
    let pool = world.with_ada().await;
    for _ in 0..10 {
        pool.lease(&[]).await.expect("a lease");
    }
    assert_eq!(world.host.count(), 0);
    world.time.pass(1);
    for _ in 0..10 {
        pool.lease(&[]).await.expect("a lease");
    }
    assert_eq!(world.host.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_bug_in_the_client_fails_the_request_and_no_other() {
    let world = World::new();
    let pool = world.with_ada().await;
    world.time.pass(61);
    world.host.next(Answer::Panic);
    let refused = pool.lease(&[]).await.expect_err("the task panicked");
    assert!(matches!(refused, NoAccount::RefreshFailed { .. }), "{refused}");
    pool.lease(&[]).await.expect("the next one goes well");
}

#[tokio::test(start_paused = true)]
async fn an_ephemeral_account_lives_without_a_vault() {
    let world = World::new();
    let pool: Pool = world.pool();
    world.keys.locked.store(true, std::sync::atomic::Ordering::SeqCst);
    pool.add_ephemeral(account("demo"), world.host.sign_in("demo"));
    let lease = pool.lease(&[]).await.expect("a lease");
    world.time.pass(57);
    let renewed = pool.lease(&[]).await.expect("renewed in memory");
    assert_ne!(lease.access_token, renewed.access_token);
    pool.recover(&renewed).await.expect("and again");
    pool.needs_sign_in(&account("demo").id, "enough");
    pool.settle().await;
    assert_eq!(std::fs::read_dir(world.folder()).expect("a folder").count(), 0, "nothing is written");
}

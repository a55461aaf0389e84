//! The races that cost others their sign-ins (seed-c.md §15, D-01 to D-04).

use std::sync::Arc;

use jiff::SignedDuration;
use tokio::task::JoinSet;

use super::host::Host;
use super::renewing::poll_once;
use super::{World, account, status};
use crate::{Cooldown, End, Hint, ImportError, NoAccount};

/// D-01: whatever an older request does when it ends, the renewal under way stays the only one.
#[tokio::test(start_paused = true)]
async fn an_older_request_that_ends_in_the_middle_of_a_renewal_starts_no_second_one() {
    let ends = [
        Some(End::Served),
        Some(End::Broken),
        Some(End::Refused { why: Cooldown::RateLimit, hint: Hint::default() }),
        None,
    ];
    for end in ends {
        let mut world = World::new();
        world.host = Arc::new(Host::gated(world.time.clone()));
        let pool = world.with_ada().await;
        let older = pool.lease(&[]).await.expect("a lease");
        world.time.pass(57);
        let mut second = Box::pin(pool.lease(&[]));
        poll_once(&mut second).await;
        if let Some(end) = end {
            assert!(pool.ended(&older, end));
        }
        let recovering = older.clone();
        drop(older);
        pool.wake("ada@example.com").await.expect("awake, whatever it was");
        let mut third = Box::pin(pool.lease(&[]));
        poll_once(&mut third).await;
        // One that was refused with the old token waits for the same renewal.
        let mut fourth = Box::pin(pool.recover(&recovering));
        poll_once(&mut fourth).await;
        world.host.open();
        for lease in [second.await.expect("a lease"), third.await.expect("a lease"), fourth.await.expect("recovered")] {
            assert_eq!(lease.access_token.expose(), "access-ada.2", "{end:?}");
        }
        assert_eq!((world.host.count(), world.host.reused()), (1, 0), "{end:?}");
    }
}

/// D-02: one account, many requests at a cold start: one renewal, and everybody is served.
#[tokio::test(start_paused = true)]
async fn many_requests_at_a_cold_start_are_all_served_by_one_renewal() {
    let world = World::new();
    world.with_ada().await;
    world.time.pass(600);
    let cold = world.pool();
    let mut requests = JoinSet::new();
    for _ in 0..50 {
        let pool = cold.clone();
        requests.spawn(async move { pool.lease(&[]).await });
    }
    let mut leases = Vec::new();
    while let Some(lease) = requests.join_next().await {
        leases.push(lease.expect("no panic").expect("a lease"));
    }
    assert!(leases.iter().all(|lease| lease.access_token.expose() == "access-ada.2"));
    assert_eq!((leases.len(), world.host.count(), status(&cold, "ada").in_flight), (50, 1, 50));
    drop(leases);
    assert_eq!(status(&cold, "ada").in_flight, 0);
}

/// D-03: importing the original file again changes nothing, on disk or in memory, even if it tells no dates.
#[tokio::test(start_paused = true)]
async fn the_original_of_a_renewed_token_is_refused_on_disk_and_in_memory() {
    for dated in [true, false] {
        let world = World::new();
        let pool = world.pool();
        let mut original = world.signed_in("ada");
        if !dated {
            (original.credential.expires_at, original.credential.last_refresh) = (None, None);
        }
        pool.import(original.clone()).await.expect("imported");
        let lease = pool.lease(&[]).await.expect("a lease");
        pool.recover(&lease).await.expect("renewed");
        let bytes = std::fs::read(pool.0.vault.path()).expect("a vault");
        for pool in [&pool, &world.pool()] {
            let error = pool.import(original.clone()).await.expect_err("older");
            assert!(matches!(error, ImportError::Older { .. }), "{error}");
        }
        assert_eq!(std::fs::read(pool.0.vault.path()).expect("a vault"), bytes);
        assert_eq!(pool.lease(&[]).await.expect("a lease").access_token.expose(), "access-ada.2");
        assert_eq!(world.pool().lease(&[]).await.expect("after a restart").access_token.expose(), "access-ada.2");
        assert_eq!(world.host.reused(), 0);
    }
}

/// D-04: a rotated token that could not be written is written later, and everybody can see that it is not yet.
#[tokio::test(start_paused = true)]
async fn a_token_that_is_not_stored_yet_is_said_until_it_is() {
    let world = World::new();
    let pool = world.with_ada().await;
    world.time.pass(57);
    world.disk.fail_after(0);
    pool.lease(&[]).await.expect("the old token counts");
    let warning = status(&pool, "ada").warning.expect("it is said");
    assert!(warning.contains("No space left") && warning.contains("tried again"), "{warning}");
    world.time.pass(4);
    assert!(matches!(pool.lease(&[]).await, Err(NoAccount::RefreshFailed { .. })), "not lent before it is safe");
    world.disk.heal();
    pool.settle().await;
    assert_eq!(status(&pool, "ada").warning, None);
    assert_eq!(world.pool().lease(&[]).await.expect("a lease").access_token.expose(), "access-ada.2");
    assert_eq!((world.host.count(), world.host.reused()), (1, 0));
}

/// People change things while a token is renewed: nothing of either is lost.
#[tokio::test(start_paused = true)]
async fn labels_and_pauses_given_during_a_renewal_stay_and_so_does_the_token() {
    let mut world = World::new();
    world.host = Arc::new(Host::gated(world.time.clone()));
    let pool = world.with_ada().await;
    let other = world.pool();
    world.time.pass(57);
    let mut waiting = Box::pin(pool.lease(&[]));
    poll_once(&mut waiting).await;
    pool.label("ada@example.com", Some("work".into())).await.expect("labelled");
    other.set_priority("work", 2).await.expect("from another process");
    pool.pause("work").await.expect("paused");
    world.host.open();
    assert!(matches!(waiting.await, Err(NoAccount::Unusable { .. })), "paused meanwhile");
    let next = world.pool();
    next.resume("work").await.expect("resumed");
    assert_eq!(next.lease(&[]).await.expect("a lease").access_token.expose(), "access-ada.2");
    assert_eq!((status(&next, "ada").label.as_deref(), status(&next, "ada").priority), (Some("work"), 2));
    assert_eq!(world.host.count(), 1);
}

/// A removed account's renewal ends in nothing, and what was out is counted to nothing.
#[tokio::test(start_paused = true)]
async fn leases_of_a_removed_account_do_no_harm() {
    let world = World::new();
    let pool = world.with_ada().await;
    let lease = pool.lease(&[]).await.expect("a lease");
    pool.remove("ada@example.com").await.expect("removed");
    assert!(pool.ended(&lease, End::Refused { why: Cooldown::UsageLimit, hint: Hint::default() }));
    pool.cool_down(&account("ada").id, world.time.now() + SignedDuration::from_mins(5), Cooldown::UsageLimit);
    pool.import(world.signed_in("ada")).await.expect("back again");
    drop(lease);
    assert_eq!(status(&pool, "ada").in_flight, 0);
    pool.lease(&[]).await.expect("nothing of the old one sticks to it");
}

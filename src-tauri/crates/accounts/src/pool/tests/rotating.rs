//! Several accounts: whose turn it is, who is spared, where conversations stay.

use jiff::SignedDuration;

use super::{World, account, status};
use crate::{Cooldown, Lease, NoAccount, Pool, Rotation, Want};

/// Ada (active), Bob and Cal, under that rotation.
async fn three(world: &World, rotation: Rotation) -> Pool {
    let pool = world.with_ada().await;
    for user in ["bob", "cal"] {
        pool.import(world.signed_in(user)).await.expect("imported");
    }
    pool.set_rotation(rotation);
    pool
}

async fn lease(pool: &Pool, conversation: Option<&str>) -> Lease {
    pool.lease_for(Want { conversation, ..Want::default() }).await.expect("a lease")
}

fn user(lease: &Lease) -> &str {
    lease.account.user_id.as_deref().expect("they have one")
}

#[tokio::test(start_paused = true)]
async fn nobody_steps_in_before_a_rotation_is_chosen() {
    let world = World::new();
    let pool = three(&world, Rotation::default()).await;
    pool.cool_down(&account("ada").id, world.time.now() + SignedDuration::from_mins(1), Cooldown::UsageLimit);
    assert!(matches!(pool.lease(&[]).await, Err(NoAccount::CoolingDown { accounts, .. }) if accounts.len() == 1));
    pool.set_rotation(Rotation::Sticky);
    let lease = lease(&pool, None).await;
    assert_eq!(
        (user(&lease), lease.why.as_str()),
        ("bob", "bob@example.com: next in line; ada@example.com: cooling down until 12:01 UTC (usage limit reached)")
    );
}

#[tokio::test(start_paused = true)]
async fn turns_go_around_from_the_active_account_and_failed_steps_cost_nobody_a_turn() {
    let world = World::new();
    let pool = three(&world, Rotation::RoundRobin).await;
    let mut served = Vec::new();
    for _ in 0..2 {
        let lease = lease(&pool, None).await;
        served.push(user(&lease).to_owned());
        // Its request fails; somebody else answers it.
        pool.lease(std::slice::from_ref(&lease.account.id)).await.expect("a lease");
        // And somebody looks at an account.
        pool.lease_of(&account("cal").id).await.expect("a lease");
    }
    pool.import(world.signed_in("dan")).await.expect("imported");
    for _ in 0..6 {
        served.push(user(&lease(&pool, None).await).to_owned());
    }
    assert_eq!(served, ["ada", "bob", "cal", "dan", "ada", "bob", "cal", "dan"], "a newcomer has his turn, nobody two");
    pool.remove("bob@example.com").await.expect("removed");
    for _ in 0..3 {
        served.push(user(&lease(&pool, None).await).to_owned());
    }
    assert_eq!(served[8..], ["ada", "cal", "dan"]);
}

#[tokio::test(start_paused = true)]
async fn a_lease_counts_until_its_last_copy_is_gone_and_the_idle_one_is_next() {
    let world = World::new();
    let pool = three(&world, Rotation::LeastInFlight).await;
    let first = lease(&pool, None).await;
    let second = lease(&pool, None).await;
    let third = lease(&pool, None).await;
    assert_eq!((user(&first), user(&second), user(&third)), ("ada", "bob", "cal"));
    let copy = second.clone();
    drop(second);
    assert_eq!(status(&pool, "bob").in_flight, 1, "a copy is out");
    // A renewed token is the same request.
    let renewed = pool.recover(&copy).await.expect("renewed");
    assert_eq!(status(&pool, "bob").in_flight, 1);
    drop((copy, renewed));
    assert_eq!(status(&pool, "bob").in_flight, 0);
    assert_eq!(user(&lease(&pool, None).await), "bob");
    drop((first, third));
    pool.reload().await.expect("sound");
    assert_eq!(pool.list().iter().map(|account| account.in_flight).sum::<usize>(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_conversation_stays_until_its_account_is_blocked_and_does_not_come_back_by_itself() {
    let world = World::new();
    let pool = three(&world, Rotation::RoundRobin).await;
    assert_eq!(user(&lease(&pool, Some("a")).await), "ada");
    assert_eq!(user(&lease(&pool, Some("b")).await), "bob");
    for _ in 0..5 {
        let again = lease(&pool, Some("b")).await;
        assert_eq!((user(&again), again.moved_from.as_ref()), ("bob", None));
        assert_eq!(again.why, "bob@example.com: this conversation is with it");
    }
    assert_eq!(user(&lease(&pool, Some("c")).await), "cal", "staying was nobody's turn");

    pool.pause("bob@example.com").await.expect("paused");
    let moved = lease(&pool, Some("b")).await;
    assert_eq!((user(&moved), moved.moved_from.as_ref()), ("ada", Some(&account("bob").id)));
    assert_eq!(moved.why, "ada@example.com: its turn; moved from bob@example.com: paused");
    pool.resume("bob@example.com").await.expect("resumed");
    let stays = lease(&pool, Some("b")).await;
    assert_eq!((user(&stays), stays.moved_from.as_ref()), ("ada", None));

    pool.remove("ada@example.com").await.expect("removed");
    let moved = lease(&pool, Some("b")).await;
    assert_eq!(moved.moved_from.as_ref(), Some(&account("ada").id), "what is bound to her must not go along");
    assert!(moved.why.ends_with("moved from an account that is gone"), "{}", moved.why);
}

#[tokio::test(start_paused = true)]
async fn whom_its_owner_spares_is_spared_in_the_next_process_too() {
    let world = World::new();
    let pool = three(&world, Rotation::FillFirst).await;
    pool.set_priority("cal@example.com", 5).await.expect("known");
    assert_eq!(user(&lease(&pool, None).await), "cal");
    pool.pause("cal@example.com").await.expect("known");
    let next = world.pool();
    next.set_rotation(Rotation::FillFirst);
    assert_eq!(user(&lease(&next, None).await), "ada");
    assert_eq!((status(&next, "cal").paused, status(&next, "cal").priority), (true, 5));

    for user in ["ada", "bob"] {
        pool.pause(&format!("{user}@example.com")).await.expect("known");
    }
    let nobody = pool.lease(&[]).await.expect_err("all are paused");
    assert!(matches!(&nobody, NoAccount::Unusable { accounts } if accounts.len() == 3), "{nobody}");
    assert!(nobody.to_string().contains("codeferry accounts resume"), "{nobody}");
    assert_eq!(user(&pool.lease_of(&account("cal").id).await.expect("asked for by name")), "cal");
}

#[tokio::test(start_paused = true)]
async fn who_cannot_be_renewed_is_stepped_in_for() {
    let world = World::new();
    let pool = three(&world, Rotation::Sticky).await;
    world.time.pass(61);
    world.host.next(super::host::Answer::Transient);
    let lease = lease(&pool, None).await;
    assert_eq!(user(&lease), "bob");
    assert_eq!(world.host.count(), 2, "Ada's renewal failed, Bob's went well");
    world.host.revoke("cal");
    world.host.next(super::host::Answer::Transient);
    world.time.pass(61);
    let excluded = [account("bob").id, account("cal").id];
    let refused = pool.lease(&excluded).await.expect_err("only Ada is left");
    assert!(matches!(&refused, NoAccount::RefreshFailed { account } if account.why.contains("503")), "{refused}");
}

#[tokio::test(start_paused = true)]
async fn the_demo_account_stands_in_for_nobody_and_nobody_for_it() {
    let world = World::new();
    let pool = three(&world, Rotation::RoundRobin).await;
    pool.add_ephemeral(account("demo"), world.host.sign_in("demo"));
    for _ in 0..4 {
        assert_eq!(user(&lease(&pool, None).await), "demo");
    }
    pool.cool_down(&account("demo").id, world.time.now() + SignedDuration::from_mins(1), Cooldown::RateLimit);
    pool.lease(&[]).await.expect_err("the vault's accounts are not asked for the demo");
    pool.switch("ada@example.com").await.expect("switched");
    world.time.pass(2);
    for _ in 0..6 {
        assert_ne!(user(&lease(&pool, None).await), "demo");
    }
}

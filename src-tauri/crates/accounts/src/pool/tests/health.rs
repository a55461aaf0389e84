//! Rests: how long, why, and what ends them.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::{World, account, status};
use crate::{AccountState, Cooldown, End, Hint, Lease, NoAccount, Pool, Rotation, WindowSeen, WindowsSeen, quota};

fn refused(why: Cooldown) -> End {
    End::Refused { why, hint: Hint::default() }
}

async fn lease(pool: &Pool) -> Lease {
    pool.lease(&[]).await.expect("a lease")
}

fn resting_until(pool: &Pool) -> Option<Timestamp> {
    match status(pool, "ada").state {
        AccountState::CoolingDown { until, .. } => Some(until),
        _ => None,
    }
}

fn seconds(world: &World, seconds: i64) -> Option<Timestamp> {
    Some(world.time.now() + SignedDuration::from_secs(seconds))
}

fn window(minutes: u32, used_percent: f64, resets_at: Option<Timestamp>) -> WindowsSeen {
    let window = WindowSeen { family: quota::MAIN.into(), title: None, minutes, used_percent, resets_at };
    WindowsSeen { windows: vec![window], ..WindowsSeen::default() }
}

#[tokio::test(start_paused = true)]
async fn refusals_without_a_word_rest_longer_each_time_until_an_answer() {
    let world = World::new();
    let pool = world.with_ada().await;
    for expected in [1, 2, 4, 8] {
        assert!(pool.ended(&lease(&pool).await, refused(Cooldown::RateLimit)));
        assert_eq!(resting_until(&pool), seconds(&world, expected));
        world.time.pass(1);
    }
    assert!(pool.ended(&lease(&pool).await, End::Served));
    pool.ended(&lease(&pool).await, refused(Cooldown::RateLimit));
    assert_eq!(resting_until(&pool), seconds(&world, 1), "it begins again");
}

#[tokio::test(start_paused = true)]
async fn requests_that_were_under_way_together_are_refused_once() {
    let world = World::new();
    let pool = world.with_ada().await;
    let mut leases = Vec::new();
    for _ in 0..10 {
        leases.push(lease(&pool).await);
    }
    for lease in &leases[1..] {
        pool.ended(lease, refused(Cooldown::RateLimit));
    }
    assert_eq!(resting_until(&pool), seconds(&world, 1));
    // One of them is answered all the same: it began before the refusal and says nothing about it.
    pool.ended(&leases[0], End::Served);
    assert_eq!(resting_until(&pool), seconds(&world, 1));
    world.time.pass(1);
    pool.ended(&lease(&pool).await, refused(Cooldown::RateLimit));
    assert_eq!(resting_until(&pool), seconds(&world, 2));
}

#[tokio::test(start_paused = true)]
async fn a_lease_is_settled_once_however_many_copies_and_tries_there_are() {
    let world = World::new();
    let pool = world.with_ada().await;
    let lease = lease(&pool).await;
    let copy = lease.clone();
    assert!(pool.ended(&lease, End::Broken), "the first try");
    assert!(!pool.ended(&copy, End::Broken));
    assert!(pool.ended(&copy, End::Served), "the second");
    assert!(!pool.ended(&lease, End::Served) && !pool.ended(&lease, End::Broken));
    let renewed = pool.recover(&lease).await.expect("renewed");
    assert!(pool.ended(&renewed, refused(Cooldown::RateLimit)), "the third");
    let until = resting_until(&pool);
    world.time.pass(1);
    assert!(!pool.ended(&copy, refused(Cooldown::UsageLimit)) && !pool.ended(&lease, End::Served));
    assert!(until.is_some());
    assert_eq!(status(&pool, "ada").state, AccountState::Ready, "the one rest there was is over");
}

#[tokio::test(start_paused = true)]
async fn a_try_that_broke_and_then_went_well_was_no_break() {
    let world = World::new();
    let pool = world.with_ada().await;
    pool.import(world.signed_in("bob")).await.expect("imported");
    pool.set_rotation(Rotation::Sticky);
    for _ in 0..9 {
        let lease = lease(&pool).await;
        pool.ended(&lease, End::Broken);
        pool.ended(&lease, End::Served);
        world.time.pass(1);
    }
    assert_eq!(status(&pool, "ada").state, AccountState::Ready);
}

#[tokio::test(start_paused = true)]
async fn the_upstream_knows_best_when_to_come_back() {
    let world = World::new();
    let pool = world.with_ada().await;
    let hint = Hint { retry_after: Some(Duration::from_secs(90)), ..Hint::default() };
    pool.ended(&lease(&pool).await, End::Refused { why: Cooldown::UsageLimit, hint });
    assert_eq!(resting_until(&pool), seconds(&world, 90));
    pool.wake("ada@example.com").await.expect("known");
    // Without a word the window says it that is used up.
    let resets_at = seconds(&world, 3600);
    pool.note_limits(&account("ada").id, &window(300, 100.0, resets_at), world.time.now());
    pool.ended(&lease(&pool).await, refused(Cooldown::UsageLimit));
    assert_eq!(resting_until(&pool), resets_at);
    pool.wake("ada@example.com").await.expect("known");
    pool.ended(&lease(&pool).await, refused(Cooldown::RateLimit));
    assert_eq!(resting_until(&pool), seconds(&world, 1), "a rate limit is no matter of the window");
}

#[tokio::test(start_paused = true)]
async fn what_only_a_person_mends_rests_until_somebody_does_something() {
    let world = World::new();
    let pool = world.with_ada().await;
    let (id, dead) = (account("ada").id, AccountState::Blocked { why: Cooldown::WorkspaceDeactivated });
    pool.ended(&lease(&pool).await, refused(Cooldown::WorkspaceDeactivated));
    assert_eq!(status(&pool, "ada").state, dead);
    pool.cool_down(&id, world.time.now() + SignedDuration::from_mins(1), Cooldown::RateLimit);
    world.time.pass(40);
    assert_eq!(status(&pool, "ada").state, dead, "no timed rest replaces it");
    let refused = pool.lease(&[]).await.expect_err("blocked");
    assert!(
        matches!(&refused, NoAccount::Unusable { accounts } if accounts[0].why.contains("workspace was deactivated")),
        "{refused}"
    );
    pool.evidence_of_quota(&id);
    assert_eq!(status(&pool, "ada").state, dead, "quota is not what it lacks");
    let anew = world.signed_in("ada");
    pool.add_signed_in(anew.account, anew.credential, true).await.expect("signed in");
    assert_eq!(status(&pool, "ada").state, AccountState::Ready);
    pool.block(&id, Cooldown::PlanMismatch);
    pool.wake(id.as_str()).await.expect("known");
    assert_eq!(status(&pool, "ada").state, AccountState::Ready);
}

#[tokio::test(start_paused = true)]
async fn any_evidence_of_quota_ends_a_usage_cooldown_and_no_other() {
    let world = World::new();
    let pool = world.with_ada().await;
    let id = account("ada").id;
    let until = world.time.now() + SignedDuration::from_hours(50);
    let week = |used| window(10_080, used, Some(until));
    pool.cool_down(&id, until, Cooldown::UsageLimit);
    pool.note_limits(&id, &week(3.0), world.time.now());
    assert_eq!(resting_until(&pool), Some(until), "seen before the refusal, perhaps");
    world.time.pass(1);
    for used in [100.0, 99.5] {
        pool.note_limits(&id, &week(used), world.time.now());
        assert_eq!(resting_until(&pool), Some(until));
    }
    pool.note_limits(&id, &week(0.0), world.time.now());
    assert_eq!(status(&pool, "ada").state, AccountState::Ready, "reset ahead of time");
    pool.cool_down(&id, until, Cooldown::UsageLimit);
    pool.evidence_of_quota(&id);
    assert_eq!(status(&pool, "ada").state, AccountState::Ready);
    pool.cool_down(&id, until, Cooldown::RateLimit);
    world.time.pass(1);
    pool.note_limits(&id, &week(0.0), world.time.now());
    pool.evidence_of_quota(&id);
    assert_eq!(resting_until(&pool), Some(until));
}

#[tokio::test(start_paused = true)]
async fn a_flaky_network_benches_nobody_alone() {
    let world = World::new();
    let pool = world.with_ada().await;
    for rotation in [Rotation::Personal, Rotation::Sticky] {
        pool.set_rotation(rotation);
        for _ in 0..20 {
            pool.ended(&lease(&pool).await, End::Broken);
            world.time.pass(1);
        }
        assert_eq!(status(&pool, "ada").state, AccountState::Ready, "{rotation}");
    }
}

#[tokio::test(start_paused = true)]
async fn with_another_account_at_hand_a_line_that_keeps_breaking_is_left_for_a_while() {
    let world = World::new();
    let pool = world.with_ada().await;
    pool.import(world.signed_in("bob")).await.expect("imported");
    pool.set_rotation(Rotation::Sticky);
    // One drop takes ten requests with it.
    let mut leases = Vec::new();
    for _ in 0..10 {
        leases.push(lease(&pool).await);
    }
    leases.iter().for_each(|lease| assert!(pool.ended(lease, End::Broken)));
    world.time.pass(1);
    pool.ended(&lease(&pool).await, End::Broken);
    world.time.pass(1);
    pool.ended(&lease(&pool).await, End::Served);
    for _ in 0..2 {
        world.time.pass(1);
        pool.ended(&lease(&pool).await, End::Broken);
    }
    assert_eq!(status(&pool, "ada").state, AccountState::Ready, "never three in a row so far");
    let running = lease(&pool).await;
    world.time.pass(1);
    pool.ended(&lease(&pool).await, End::Broken);
    assert_eq!(
        status(&pool, "ada").state,
        AccountState::CoolingDown { until: seconds(&world, 1).expect("a date"), why: Cooldown::Network }
    );
    assert_eq!(lease(&pool).await.account.id, account("bob").id);
    // An answer over the same line shows that it holds.
    pool.ended(&running, End::Served);
    assert_eq!(status(&pool, "ada").state, AccountState::Ready);
}

#[tokio::test(start_paused = true)]
async fn who_is_out_of_reach_for_others_does_not_count_as_another() {
    let world = World::new();
    let pool = world.with_ada().await;
    pool.import(world.signed_in("bob")).await.expect("imported");
    pool.set_rotation(Rotation::Sticky);
    pool.pause("bob@example.com").await.expect("known");
    for _ in 0..5 {
        pool.ended(&lease(&pool).await, End::Broken);
        world.time.pass(1);
    }
    assert_eq!(status(&pool, "ada").state, AccountState::Ready, "Bob is paused");
}

#[tokio::test(start_paused = true)]
async fn an_answer_to_a_request_that_began_after_the_refusal_is_evidence() {
    let world = World::new();
    let pool = world.with_ada().await;
    let id = account("ada").id;
    let before = lease(&pool).await;
    world.time.pass(1);
    let until = world.time.now() + SignedDuration::from_hours(5);
    pool.cool_down(&id, until, Cooldown::UsageLimit);
    assert!(pool.ended(&before, End::Served));
    assert_eq!(resting_until(&pool), Some(until), "it began before");
    world.time.pass(1);
    let tried = pool.lease_of(&id).await.expect("tried all the same");
    pool.ended(&tried, End::Served);
    assert_eq!(status(&pool, "ada").state, AccountState::Ready);
}

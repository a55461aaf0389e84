//! What is left of the plans, across restarts and processes.

use std::fs;

use jiff::{SignedDuration, Timestamp};

use super::{World, account, status};
use crate::{Credits, Pool, WindowSeen, WindowsSeen, quota};

fn seen(used_percent: f64, resets_at: Option<Timestamp>) -> WindowsSeen {
    let window = |minutes| WindowSeen { family: quota::MAIN.into(), title: None, minutes, used_percent, resets_at };
    let credits = Some(Credits { has_credits: false, unlimited: false, balance: Some("0".into()) });
    WindowsSeen {
        windows: vec![window(10_080), window(0)],
        credits,
        plan: Some("plus".into()),
        ..WindowsSeen::default()
    }
}

fn used(pool: &Pool, user: &str) -> Option<f64> {
    pool.quota(&account(user).id).map(|quota| quota.windows[0].used_percent)
}

async fn restarted(world: &World) -> Pool {
    let pool = world.pool();
    pool.reload().await.expect("sound");
    pool
}

#[tokio::test(start_paused = true)]
async fn what_was_seen_is_there_after_a_restart_with_its_age() {
    let world = World::new();
    let pool = world.with_ada().await;
    let at = world.time.now();
    pool.note_limits(&account("ada").id, &seen(42.0, Some(at + SignedDuration::from_hours(90))), at);
    assert!(!world.folder().join("quota.json").exists(), "not with every answer");
    pool.settle().await;
    world.time.pass(120);
    let next = restarted(&world).await;
    let quota = next.quota(&account("ada").id).expect("it was written down");
    assert_eq!((quota.windows.len(), quota.windows[0].used_percent, quota.seen_at), (1, 42.0, at));
    assert_eq!(status(&next, "ada").quota, Some(quota));
    #[cfg(unix)]
    for file in ["quota.json", "quota.lock"] {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(world.folder().join(file)).expect("it exists").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    let text = fs::read_to_string(world.folder().join("quota.json")).expect("a file");
    assert!(!text.contains("example.com") && !text.contains("access-"), "{text}");
}

#[tokio::test(start_paused = true)]
async fn many_answers_are_written_down_once_in_a_while() {
    let world = World::new();
    let pool = world.with_ada().await;
    let (file, at) = (world.folder().join("quota.json"), world.time.now());
    for second in 0..4 {
        pool.note_limits(
            &account("ada").id,
            &seen(f64::from(second), None),
            at + SignedDuration::from_secs(second.into()),
        );
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
        assert!(!file.exists());
    }
    // The fifth second is over: the one task writes what all four told.
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    pool.settle().await;
    assert_eq!(used(&restarted(&world).await, "ada"), Some(3.0));
    fs::remove_file(&file).expect("it was there");
    pool.flush().await.expect("nothing to do");
    assert!(!file.exists(), "nothing new is not written");
}

#[tokio::test(start_paused = true)]
async fn two_processes_write_into_one_file_and_the_newest_counts() {
    let world = World::new();
    let gateway = world.with_ada().await;
    gateway.import(world.signed_in("bob")).await.expect("imported");
    let cli = restarted(&world).await;
    let at = world.time.now();
    gateway.note_limits(&account("ada").id, &seen(10.0, None), at);
    cli.note_limits(&account("ada").id, &seen(20.0, None), at + SignedDuration::from_secs(1));
    cli.note_limits(&account("bob").id, &seen(30.0, None), at);
    cli.flush().await.expect("saved");
    gateway.flush().await.expect("saved");
    assert_eq!((used(&gateway, "ada"), used(&gateway, "bob")), (Some(20.0), Some(30.0)), "it learned in passing");
    let next = restarted(&world).await;
    assert_eq!((used(&next, "ada"), used(&next, "bob")), (Some(20.0), Some(30.0)));
}

#[tokio::test(start_paused = true)]
async fn nothing_is_left_of_an_account_that_was_removed() {
    let world = World::new();
    let pool = world.with_ada().await;
    pool.import(world.signed_in("bob")).await.expect("imported");
    let other = restarted(&world).await;
    for (pool, user) in [(&pool, "ada"), (&pool, "bob"), (&other, "ada")] {
        pool.note_limits(&account(user).id, &seen(10.0, None), world.time.now());
        pool.flush().await.expect("saved");
    }
    pool.remove("ada@example.com").await.expect("removed");
    let text = || fs::read_to_string(world.folder().join("quota.json")).expect("a file");
    assert!(!text().contains(account("ada").id.as_str()) && text().contains(account("bob").id.as_str()));
    // Another process that knew her does not bring her back.
    other.reload().await.expect("sound");
    other.note_limits(&account("bob").id, &seen(11.0, None), world.time.now());
    other.flush().await.expect("saved");
    assert!(!text().contains(account("ada").id.as_str()));
    // Who comes back starts over.
    pool.import(world.signed_in("ada")).await.expect("imported");
    assert_eq!(used(&pool, "ada"), None);
    pool.note_limits(&account("ada").id, &seen(1.0, None), world.time.now());
    pool.flush().await.expect("saved");
    assert!(text().contains(account("ada").id.as_str()));
}

#[tokio::test(start_paused = true)]
async fn a_file_that_cannot_be_read_is_written_anew_and_stops_nobody() {
    let world = World::new();
    world.with_ada().await;
    for broken in ["{\"version\":1,\"accounts\":", "", "{\"version\":99,\"accounts\":{}}", "[]"] {
        fs::write(world.folder().join("quota.json"), broken).expect("written");
        let pool = restarted(&world).await;
        pool.lease(&[]).await.expect("accounts do not depend on it");
        assert_eq!(used(&pool, "ada"), None);
        pool.note_limits(&account("ada").id, &seen(5.0, None), world.time.now());
        pool.flush().await.expect("saved");
        assert_eq!(used(&restarted(&world).await, "ada"), Some(5.0));
    }
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_written_is_said_and_tried_again() {
    let world = World::new();
    let pool = world.with_ada().await;
    let lock = world.folder().join("quota.lock");
    fs::create_dir(&lock).expect("something is in the way");
    pool.note_limits(&account("ada").id, &seen(5.0, None), world.time.now());
    let error = pool.flush().await.expect_err("in the way");
    assert!(error.to_string().contains("quota.json"), "{error}");
    fs::remove_dir(&lock).expect("away with it");
    pool.flush().await.expect("it still has something to write");
    assert_eq!(used(&restarted(&world).await, "ada"), Some(5.0));
}

#[tokio::test(start_paused = true)]
async fn the_demo_account_leaves_no_trace() {
    let world = World::new();
    let pool = world.pool();
    pool.add_ephemeral(account("demo"), world.host.sign_in("demo"));
    pool.note_limits(&account("demo").id, &seen(5.0, None), world.time.now());
    pool.note_limits(&account("nobody").id, &seen(5.0, None), world.time.now());
    pool.note_limits(&account("demo").id, &WindowsSeen::default(), world.time.now());
    assert_eq!((used(&pool, "demo"), used(&pool, "nobody")), (Some(5.0), None));
    pool.flush().await.expect("nothing to do");
    pool.settle().await;
    assert_eq!(fs::read_dir(world.folder()).expect("a folder").count(), 0);
}

#[tokio::test(start_paused = true)]
async fn who_watches_sees_what_is_used() {
    let world = World::new();
    let pool = world.with_ada().await;
    let mut watching = pool.subscribe();
    watching.borrow_and_update();
    pool.note_limits(&account("ada").id, &seen(5.0, None), world.time.now());
    assert!(watching.has_changed().expect("the pool lives"));
    let list = watching.borrow_and_update().clone();
    assert_eq!(list[0].quota.as_ref().map(|quota| quota.windows[0].used_percent), Some(5.0));
    pool.note_limits(&account("ada").id, &seen(7.0, None), world.time.now() + SignedDuration::from_hours(3));
    watching.borrow_and_update();
    // Time passes, requests come and go, the forecast moves along.
    world.time.pass(200);
    let lease = pool.lease(&[]).await.expect("a lease");
    watching.borrow_and_update();
    world.time.pass(10);
    pool.ended(&lease, crate::End::Served);
    pool.reload().await.expect("sound");
    assert!(!watching.has_changed().expect("the pool lives"), "no news");
}

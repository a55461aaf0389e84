//! Many requests in two processes, one refresh token.

use std::collections::HashSet;

use tokio::task::JoinSet;

use super::host::Answer;
use super::{World, why_sign_in};
use crate::{Lease, NoAccount, RefreshReason};

#[tokio::test(start_paused = true)]
async fn two_processes_in_a_storm_renew_once_per_expiry_and_lose_no_token() {
    const ROUNDS: usize = 25;
    let world = World::new();
    let one = world.with_ada().await;
    let other = world.pool();
    for round in 1..=ROUNDS {
        world.time.pass(57);
        let mut requests: JoinSet<Result<Lease, NoAccount>> = JoinSet::new();
        for _ in 0..40 {
            for pool in [one.clone(), other.clone()] {
                requests.spawn(async move { pool.lease(&[]).await });
            }
        }
        let mut tokens = HashSet::new();
        while let Some(lease) = requests.join_next().await {
            let lease = lease.expect("no panic").expect("a lease");
            tokens.insert(lease.access_token.expose().to_owned());
        }
        assert_eq!(tokens.len(), 1, "round {round}: everybody has the new token");
        assert_eq!(world.host.count(), round, "one renewal per expiry");
    }
    assert_eq!(world.host.reused(), 0);
    assert_eq!(world.host.refreshes(), [RefreshReason::ProactiveExpiry; ROUNDS]);
    let (contents, _) = world.pool().0.vault.read().expect("sound");
    assert!(world.host.counts("ada", &contents.entries[0].credential), "the token on disk is the one that counts");
}

#[tokio::test(start_paused = true)]
async fn forty_refused_requests_in_each_of_two_processes_renew_once() {
    let world = World::new();
    let one = world.with_ada().await;
    let other = world.pool();
    let mut requests = JoinSet::new();
    for pool in [&one, &other] {
        for _ in 0..40 {
            let lease = pool.lease(&[]).await.expect("a lease");
            let pool = pool.clone();
            requests.spawn(async move { pool.recover(&lease).await });
        }
    }
    let mut tokens = HashSet::new();
    while let Some(lease) = requests.join_next().await {
        tokens.insert(lease.expect("no panic").expect("recovered").access_token.expose().to_owned());
    }
    assert_eq!(tokens.len(), 1);
    assert_eq!(world.host.refreshes(), [RefreshReason::UnauthorizedRecovery]);
}

#[tokio::test(start_paused = true)]
async fn people_may_act_on_the_accounts_in_the_middle_of_a_storm() {
    let world = World::new();
    let one = world.with_ada().await;
    let cli = world.pool();
    cli.import(world.signed_in("bob")).await.expect("imported");
    for _ in 0..10 {
        world.time.pass(57);
        let mut requests = JoinSet::new();
        for _ in 0..40 {
            let pool = one.clone();
            requests.spawn(async move { pool.lease(&[]).await });
        }
        let switched = cli.switch("bob@example.com").await.map(|_| ());
        switched.and(cli.switch("ada@example.com").await.map(|_| ())).expect("switched");
        while let Some(lease) = requests.join_next().await {
            lease.expect("no panic").expect("a lease");
        }
        one.reload().await.expect("sound");
    }
    assert_eq!(world.host.reused(), 0);
    assert_eq!((why_sign_in(&one, "ada"), why_sign_in(&one, "bob")), (None, None));
}

#[tokio::test(start_paused = true)]
async fn a_thousand_rounds_with_faults_of_host_and_disk_lose_no_token() {
    const ROUNDS: usize = 1000;
    let world = World::new();
    let pools = [world.with_ada().await, world.pool()];
    let mut failed = 0;
    for round in 0..ROUNDS {
        world.time.pass(57);
        if round % 7 == 3 {
            world.host.next(Answer::Transient);
            failed += 1;
        }
        if round % 11 == 5 {
            // The disk is full at any of its five steps, for as long as the requests of this round wait.
            world.disk.fail_after(round % 5);
        }
        let mut requests: JoinSet<Result<Lease, NoAccount>> = JoinSet::new();
        for pool in &pools {
            for _ in 0..3 {
                let pool = pool.clone();
                requests.spawn(async move { pool.lease(&[]).await });
            }
        }
        if round % 11 == 5 {
            tokio::time::sleep(std::time::Duration::from_secs(2)).await;
            world.disk.heal();
        }
        while let Some(lease) = requests.join_next().await {
            // The old token counts for three minutes more, so nobody is turned away.
            lease.expect("no panic").expect("a lease");
        }
        for pool in &pools {
            pool.settle().await;
        }
        if round % 7 == 3 {
            world.time.pass(1);
            pools[round % 2].lease(&[]).await.expect("the host is back");
        }
        let (contents, _) = world.pool().0.vault.read().expect("sound");
        assert!(world.host.counts("ada", &contents.entries[0].credential), "round {round}: the token on disk counts");
    }
    assert_eq!((world.host.reused(), world.host.count()), (0, ROUNDS + failed));
    assert_eq!((why_sign_in(&pools[0], "ada"), why_sign_in(&pools[1], "ada")), (None, None));
}

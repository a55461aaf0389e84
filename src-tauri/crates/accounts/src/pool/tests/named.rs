//! Named accounts: only who asks for one gets it, and nobody else steps in.

use jiff::SignedDuration;

use super::{World, account};
use crate::{
    ChooseError, Cooldown, Endpoint, ImportOutcome, Kind, LabelError, NamedAccount, NamedError, NoAccount, Pool,
    Preset, Rotation, Secret, Want,
};

fn server(label: &str, key: &str) -> NamedAccount {
    let endpoint =
        Endpoint { url: "http://127.0.0.1:11434/v1".into(), preset: Some(Preset::Ollama), allow_http: false };
    NamedAccount {
        kind: Kind::Compatible,
        label: label.into(),
        endpoint: Some(endpoint),
        program: None,
        key: Secret::new(key),
    }
}

async fn by_name(pool: &Pool, label: &str) -> Result<crate::Lease, NoAccount> {
    let account = pool.named(label).expect("it is here");
    pool.lease_for(Want { named: Some(&account.id), conversation: Some("talk"), ..Want::default() }).await
}

#[tokio::test(start_paused = true)]
async fn no_rotation_ever_picks_one() {
    let world = World::new();
    let pool = world.pool();
    let added = pool.add_named(server("ollama", "")).await.expect("added");
    assert_eq!((added.outcome, added.active), (ImportOutcome::Added, false), "not even as the first account");
    for rotation in Rotation::ALL {
        pool.set_rotation(rotation);
        assert_eq!(pool.lease(&[]).await.expect_err("nobody").to_string(), NoAccount::None.to_string(), "{rotation}");
    }
    let ada = pool.import(world.signed_in("ada")).await.expect("imported");
    assert!(ada.active, "the first account that can be");
    pool.cool_down(&ada.id, world.time.now() + SignedDuration::from_mins(9), Cooldown::UsageLimit);
    for rotation in Rotation::ALL {
        pool.set_rotation(rotation);
        let none = pool.lease(&[]).await.expect_err("she rests, and nobody stands in");
        assert!(
            matches!(none, NoAccount::CoolingDown { ref accounts, .. } if accounts.len() == 1),
            "{rotation}: {none}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn by_name_it_serves_alone_and_binds_no_conversation() {
    let world = World::new();
    let pool = world.with_ada().await;
    pool.set_rotation(Rotation::Sticky);
    pool.add_named(server("ollama", "")).await.expect("added");
    let lease = by_name(&pool, "ollama").await.expect("a lease");
    assert_eq!((lease.account.name(), lease.why.as_str()), ("ollama", "ollama: asked for by name"));
    assert_eq!(lease.why_logged, format!("{}: asked for by name", lease.account.id));
    let next = pool.lease_for(Want { conversation: Some("talk"), ..Want::default() }).await.expect("a lease");
    assert_eq!((next.account.user_id.as_deref(), &next.moved_from), (Some("ada"), &None));

    let id = lease.account.id.clone();
    pool.cool_down(&id, world.time.now() + SignedDuration::from_mins(1), Cooldown::RateLimit);
    let none = by_name(&pool, "ollama").await.expect_err("it rests; Ada is not asked");
    assert!(matches!(none, NoAccount::CoolingDown { ref accounts, .. } if accounts[0].id == id), "{none}");
    pool.wake("ollama").await.expect("woken");
    pool.pause("ollama").await.expect("paused");
    assert!(matches!(by_name(&pool, "ollama").await, Err(NoAccount::Unusable { .. })));
    // And an account with a sign-in is not to be had this way.
    let want = Want { named: Some(&account("ada").id), ..Want::default() };
    assert!(matches!(pool.lease_for(want).await, Err(NoAccount::RefreshFailed { .. })));
}

#[tokio::test(start_paused = true)]
async fn a_label_is_needed_fits_and_is_nobody_elses() {
    let world = World::new();
    let pool = world.with_ada().await;
    pool.label("ada@example.com", Some("work".into())).await.expect("labelled");
    for (label, taken) in [("", false), ("a/b", false), ("opus", false), ("work", true)] {
        let error = pool.add_named(server(label, "")).await.expect_err("refused");
        assert_eq!(matches!(error, NamedError::Taken { .. }), taken, "{label}: {error}");
    }
    let first = pool.add_named(server("ollama", "")).await.expect("added");
    let elsewhere = Endpoint { url: "http://127.0.0.1:9/v1".into(), preset: None, allow_http: false };
    let other = NamedAccount { endpoint: Some(elsewhere), ..server("ollama", "") };
    assert!(matches!(pool.add_named(other).await, Err(NamedError::Taken { .. })), "another server of that name");
    let signed_in = NamedAccount { kind: Kind::Plan, ..server("plan", "") };
    assert!(matches!(pool.add_named(signed_in).await, Err(NamedError::NotNamed(Kind::Plan))));

    // The same place under the same label gets the new key.
    assert_eq!(pool.add_named(server("ollama", "")).await.expect("known").outcome, ImportOutcome::Unchanged);
    let again = pool.add_named(server("ollama", "new")).await.expect("known");
    assert_eq!((again.outcome, &again.id), (ImportOutcome::Updated, &first.id));
    assert_eq!(by_name(&pool, "ollama").await.expect("a lease").access_token.expose(), "new");

    assert!(matches!(pool.switch("ollama").await, Err(ChooseError::Named { .. })));
    for unfit in [None, Some("a b".to_owned()), Some("gpt-5".to_owned())] {
        assert!(matches!(pool.label("ollama", unfit).await, Err(LabelError::Named(_))));
    }
    assert!(matches!(pool.label("ollama", Some("work".into())).await, Err(LabelError::Taken { .. })));
    pool.label("ollama", Some("llama".into())).await.expect("labelled");
    assert!(pool.named("ollama").is_none());
    // Its old label is free, and its id stays its own.
    let second = pool.add_named(server("ollama", "x")).await.expect("added");
    assert_ne!(second.id, first.id);

    // Another process reads all of it from the vault.
    let other = world.pool();
    other.ready().await.expect("read");
    let labels: Vec<_> = other.all_named().iter().map(|account| account.name().to_owned()).collect();
    assert_eq!(labels, ["llama", "ollama"]);
    assert_eq!(other.named("llama"), pool.named("llama"));
    assert_eq!(by_name(&other, "llama").await.expect("a lease").access_token.expose(), "new");
}

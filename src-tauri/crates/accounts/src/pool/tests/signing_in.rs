//! Sign-ins that come again, labels, and accounts nobody can name yet.

use jiff::SignedDuration;

use super::{World, account, status, why_sign_in};
use crate::import;
use crate::{
    Account, AccountId, ChooseError, Cooldown, ImportError, ImportOutcome, Kind, LabelError, NoAccount, Pool,
    WindowSeen, WindowsSeen, quota,
};

/// A file of codaze with that refresh token.
fn codaze(world: &World, token: &str) -> crate::Imported {
    let file = format!(r#"{{"refresh_token":"{token}","label":"from codaze"}}"#);
    import::read_all(file.as_bytes(), world.time.now()).expect("a known form").1.remove(0).result.expect("sound")
}

async fn tell_names(world: &World, pool: &Pool, user: &str) -> crate::Import {
    world.host.names(user);
    let token = world.host.sign_in(user).refresh_token.expect("one is given");
    pool.import(codaze(world, token.expose())).await.expect("imported")
}

#[tokio::test(start_paused = true)]
async fn signing_in_again_keeps_everything_but_the_tokens() {
    let world = World::new();
    let pool = world.with_ada().await;
    let id = account("ada").id;
    pool.label("ada@example.com", Some(" work ".into())).await.expect("labelled");
    pool.set_priority("work", 3).await.expect("known");
    let seen = WindowSeen { family: quota::MAIN.into(), title: None, minutes: 300, used_percent: 7.0, resets_at: None };
    pool.note_limits(&id, &WindowsSeen { windows: vec![seen], ..WindowsSeen::default() }, world.time.now());
    let added_at = pool.lease(&[]).await.expect("a lease").account.added_at;
    pool.needs_sign_in(&id, "revoked");

    // Of a shorter life than the old one: newest is who signed in last, whatever the dates say.
    world.host.lifetime(SignedDuration::from_mins(20));
    let anew = world.signed_in("ada");
    let anew = Account { plan: Some("pro".into()), added_at: world.time.now(), ..anew.account };
    let done = pool.add_signed_in(anew, world.host.sign_in("ada"), true).await.expect("signed in");
    assert_eq!((done.id.clone(), done.outcome, done.active), (id.clone(), ImportOutcome::Updated, true));
    let now = status(&pool, "ada");
    assert_eq!((now.label.as_deref(), now.priority, now.plan.as_deref()), (Some("work"), 3, Some("pro")));
    assert_eq!(pool.lease(&[]).await.expect("a lease").account.added_at, added_at);
    assert!(pool.quota(&id).is_some() && why_sign_in(&pool, "ada").is_none());
    assert_eq!(pool.list().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_used_up_plan_is_used_up_after_a_sign_in_too() {
    let world = World::new();
    let pool = world.with_ada().await;
    let until = world.time.now() + SignedDuration::from_hours(1);
    for (why, stays) in [(Cooldown::UsageLimit, true), (Cooldown::Unavailable, false)] {
        pool.wake("ada@example.com").await.expect("known");
        pool.cool_down(&account("ada").id, until, why);
        let anew = world.signed_in("ada");
        pool.add_signed_in(anew.account, anew.credential, true).await.expect("signed in");
        assert_eq!(pool.lease(&[]).await.is_err(), stays, "{why}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_plan_sign_in_without_plan_usage_is_kept_and_not_used() {
    let world = World::new();
    let pool = world.pool();
    let plan = Account { kind: Kind::Plan, id: AccountId::derive(Kind::Plan, None, Some("ada")), ..account("ada") };
    let done = pool.add_signed_in(plan.clone(), world.host.sign_in("ada"), false).await.expect("kept");
    assert_eq!(done.outcome, ImportOutcome::Added);
    let refused = pool.lease(&[]).await.expect_err("not used");
    assert!(
        matches!(&refused, NoAccount::NeedsSignIn { accounts } if accounts[0].why.contains("plan usage")),
        "{refused}"
    );
    let next = world.pool();
    next.reload().await.expect("sound");
    next.lease(&[]).await.expect_err("known after a restart");
    next.add_signed_in(plan.clone(), world.host.sign_in("ada"), true).await.expect("granted now");
    next.lease(&[]).await.expect("a lease");
    next.add_signed_in(plan, world.host.sign_in("ada"), false).await.expect("kept");
    next.lease(&[]).await.expect_err("and taken back");
    // A codex sign-in knows no such scope.
    next.add_signed_in(account("bob"), world.host.sign_in("bob"), false).await.expect("kept");
    assert_eq!(why_sign_in(&next, "bob"), None);
}

#[tokio::test(start_paused = true)]
async fn labels_are_trimmed_bounded_and_tell_accounts_apart() {
    let world = World::new();
    let pool = world.with_ada().await;
    pool.import(world.signed_in("bob")).await.expect("imported");
    let named = pool.label("ada@example.com", Some("work".into())).await.expect("labelled");
    assert_eq!((named.name(), named.label.as_deref()), ("work", Some("work")));
    pool.label("work", Some("work".into())).await.expect("the same again");
    for taken in ["work", "ada@example.com", account("ada").id.as_str()] {
        let error = pool.label("bob@example.com", Some(taken.into())).await.expect_err("taken");
        assert!(matches!(error, LabelError::Taken { .. }), "{taken}: {error}");
    }
    for unfit in ["x".repeat(65), "a\nb".to_owned()] {
        assert!(matches!(pool.label("work", Some(unfit)).await, Err(LabelError::Unfit)));
    }
    let unknown = pool.label("eve", Some("x".into())).await.expect_err("nobody");
    assert!(matches!(unknown, LabelError::Choose(ChooseError::Unknown { .. })));
    pool.label("work", Some("  ".into())).await.expect("blank is none");
    assert_eq!(status(&pool, "ada").label, None);
    pool.label("ada@example.com", Some("é".repeat(64))).await.expect("letters count, not bytes");
    let next = world.pool();
    next.reload().await.expect("sound");
    assert_eq!(status(&next, "ada").label, Some("é".repeat(64)));
}

#[tokio::test(start_paused = true)]
async fn all_accounts_are_forgotten_at_once() {
    let world = World::new();
    let pool = world.with_ada().await;
    pool.import(world.signed_in("bob")).await.expect("imported");
    let removed = pool.clear().await.expect("cleared");
    assert_eq!(removed.len(), 2);
    assert!(world.host.counts("ada", &removed[0].credential), "handed out to be revoked");
    assert_eq!(pool.lease(&[]).await.expect_err("nobody"), NoAccount::None);
    assert!(pool.clear().await.expect("nothing to do").is_empty());
    let ada = pool.import(world.signed_in("ada")).await.expect("imported");
    assert!(ada.active, "the first is the active one again");
}

#[tokio::test(start_paused = true)]
async fn a_refresh_token_alone_is_named_by_its_first_renewal() {
    let world = World::new();
    let pool = world.pool();
    let passing = tell_names(&world, &pool, "ada").await;
    assert!(passing.active);
    let listed = pool.list().remove(0);
    assert!(listed.warning.is_some_and(|warning| warning.contains("first renewal")), "nobody knows her yet");
    pool.set_priority(passing.id.as_str(), 4).await.expect("known");

    let lease = pool.lease(&[]).await.expect("renewed and named");
    assert_eq!(lease.account.id, AccountId::derive(Kind::Codex, Some("ws"), Some("ada")));
    assert_eq!(
        (lease.account.email.as_deref(), lease.account.label.as_deref()),
        (Some("ada@example.com"), Some("from codaze"))
    );
    assert_eq!(world.host.count(), 1);
    let named = pool.list();
    assert_eq!((named.len(), named[0].active, named[0].priority, named[0].warning.clone()), (1, true, 4, None));
    let next = world.pool();
    assert_eq!(next.lease(&[]).await.expect("for good").account.id, lease.account.id);
    assert_eq!(world.host.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_refresh_token_of_an_account_we_have_goes_to_it() {
    let world = World::new();
    let pool = world.with_ada().await;
    pool.label("ada@example.com", Some("work".into())).await.expect("labelled");
    let passing = tell_names(&world, &pool, "ada").await;
    assert_eq!(pool.list().len(), 2, "not known to be the same yet");
    pool.switch(passing.id.as_str()).await.expect("switched");
    let lease = pool.lease(&[]).await.expect("renewed and named");
    assert_eq!((lease.account.id.clone(), lease.account.label.as_deref()), (account("ada").id, Some("work")));
    let listed = pool.list();
    assert_eq!((listed.len(), listed[0].active), (1, true));
    // Without a label of its own it takes the file's.
    pool.label("work", None).await.expect("taken away");
    let passing = tell_names(&world, &pool, "ada").await;
    let renamed = pool.lease_of(&passing.id).await.expect_err("it has another name by now").to_string();
    assert!(renamed.contains("not here any more"), "{renamed}");
    assert_eq!(status(&pool, "ada").label.as_deref(), Some("from codaze"));
    let (contents, _) = world.pool().0.vault.read().expect("sound");
    assert!(world.host.counts("ada", &contents.entries[0].credential), "the token on disk is the one that counts");
}

#[tokio::test(start_paused = true)]
async fn a_token_that_was_spent_here_never_comes_back() {
    let world = World::new();
    let pool = world.pool();
    world.host.names("ada");
    let first = world.host.sign_in("ada").refresh_token.expect("one is given");
    let file = || codaze(&world, first.expose());
    pool.import(file()).await.expect("imported");
    assert_eq!(pool.import(file()).await.expect("twice").outcome, ImportOutcome::Unchanged);
    pool.lease(&[]).await.expect("renewed");
    let before = world.pool().0.vault.read().expect("sound").0;
    for pool in [&pool, &world.pool()] {
        let error = pool.import(file()).await.expect_err("spent");
        assert!(matches!(&error, ImportError::Older { id, .. } if *id == account("ada").id), "{error}");
    }
    assert_eq!(world.pool().0.vault.read().expect("sound").0, before, "the disk is as it was");
    // The token she holds now, in a file without a name: nothing to do.
    let current = before.entries[0].credential.refresh_token.clone().expect("one is there");
    let known = pool.import(codaze(&world, current.expose())).await.expect("known");
    assert_eq!((known.id, known.outcome), (account("ada").id, ImportOutcome::Unchanged));
    world.time.pass(57);
    pool.lease(&[]).await.expect("renewed again");
    assert_eq!((world.host.count(), world.host.reused()), (2, 0));
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_changed_shows_after_the_next_renewal() {
    let world = World::new();
    let pool = world.with_ada().await;
    world.host.names("ada");
    world.host.plan("pro");
    world.time.pass(57);
    pool.lease(&[]).await.expect("renewed");
    assert_eq!(status(&pool, "ada").plan.as_deref(), Some("pro"));
}

#[tokio::test(start_paused = true)]
async fn a_token_is_lent_as_it_is_to_see_whether_it_works() {
    let world = World::new();
    let pool = world.with_ada().await;
    let id = account("ada").id;
    pool.pause("ada@example.com").await.expect("paused");
    world.time.pass(600);
    let lease = pool.lease_as_is(&id).await.expect("as it is");
    assert_eq!((lease.access_token.expose(), world.host.count()), ("access-ada.1", 0), "nothing is spent");
    assert_eq!(pool.lease_of(&id).await.expect("renewed").access_token.expose(), "access-ada.2");
    let passing = tell_names(&world, &pool, "bob").await;
    let refused = pool.lease_as_is(&passing.id).await.expect_err("there is nothing to lend");
    assert!(matches!(refused, NoAccount::RefreshFailed { .. }), "{refused}");
    assert!(pool.lease_as_is(&account("eve").id).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_plan_account_signs_in_again_over_the_client_it_was_issued() {
    let world = World::new();
    let pool = world.with_ada().await;
    let plan = Account { kind: Kind::Plan, id: AccountId::derive(Kind::Plan, None, Some("ada")), ..account("ada") };
    let mut credential = world.host.sign_in("ada");
    credential.client_id = Some("oaiapp_1".into());
    credential.id_token = Some(crate::Secret::new("id"));
    let done = pool.add_signed_in(plan, credential, true).await.expect("signed in");
    let (client, hint) = pool.issued_client(&done.id).expect("it was issued one");
    assert_eq!((client.as_str(), hint.as_ref().map(crate::Secret::expose)), ("oaiapp_1", Some("id")));
    assert_eq!(pool.issued_client(&account("ada").id), None, "a codex sign-in has none of its own");
}

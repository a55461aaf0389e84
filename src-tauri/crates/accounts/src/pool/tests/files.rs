//! Read-only accounts: the token of another program, from its file.

use std::fs;
use std::path::PathBuf;

use jiff::SignedDuration;

use super::{World, why_sign_in_of};
use crate::import::{self, Imported};
use crate::{AccountId, Import, ImportOutcome, Kind, NoAccount, Pool, RecoverError};

/// The Codex CLI's file, in a folder of its own.
struct Codex {
    home: tempfile::TempDir,
}

impl Codex {
    fn new() -> Self {
        Self { home: tempfile::tempdir().expect("a folder") }
    }

    fn path(&self) -> PathBuf {
        self.home.path().join("auth.json")
    }

    /// Codex signs in, or renews its token; that lasts an hour.
    fn writes(&self, world: &World, user: &str, number: u32) -> String {
        let expires = (world.time.now() + SignedDuration::from_hours(1)).as_second();
        let access = import::tests::jwt(&format!(r#"{{"exp":{expires},"jti":"{number}"}}"#));
        let id = import::tests::id_token("ws", user);
        let file = format!(
            r#"{{"tokens":{{"id_token":"{id}","access_token":"{access}","refresh_token":"codex-{number}","account_id":"ws"}}}}"#
        );
        // Files written within one tick of the clock differ in length.
        fs::write(self.path(), file + &" ".repeat(number as usize)).expect("written");
        access
    }

    fn read(&self, world: &World) -> Imported {
        import::read(Kind::Codex, &fs::read(self.path()).expect("a file"), world.time.now()).expect("sound")
    }

    async fn added(&self, world: &World, pool: &Pool) -> Import {
        pool.add_read_only(self.read(world), self.path()).await.expect("added")
    }
}

fn id(user: &str) -> AccountId {
    AccountId::derive(Kind::Codex, Some("ws"), Some(user))
}

#[tokio::test(start_paused = true)]
async fn its_token_follows_the_file_and_is_never_renewed_by_us() {
    let (world, codex) = (World::new(), Codex::new());
    let pool = world.pool();
    let first = codex.writes(&world, "ada", 1);
    let added = codex.added(&world, &pool).await;
    assert_eq!((added.outcome, added.active), (ImportOutcome::Added, true));
    assert_eq!(pool.lease(&[]).await.expect("a lease").access_token.expose(), first);
    let stored = world.pool().0.vault.read().expect("sound").0;
    assert_eq!(stored.entries[0].credential.refresh_token, None, "what is not ours is not kept");

    world.time.pass(58);
    assert_eq!(pool.lease(&[]).await.expect("two minutes left").access_token.expose(), first);
    let second = codex.writes(&world, "ada", 2);
    assert_eq!(pool.lease(&[]).await.expect("a lease").access_token.expose(), second);
    // Whoever only looks sees it as well.
    world.time.pass(61);
    assert!(why_sign_in_of(&pool, &added.id).is_some());
    codex.writes(&world, "ada", 4);
    assert!(!pool.reload_if_changed().await.expect("sound"), "the vault was as it was");
    assert_eq!(why_sign_in_of(&pool, &added.id), None);

    world.time.pass(61);
    let refused = pool.lease(&[]).await.expect_err("it ran out");
    assert!(
        matches!(&refused, NoAccount::NeedsSignIn { accounts } if accounts[0].why.contains("run `codex` once")),
        "{refused}"
    );
    let third = codex.writes(&world, "ada", 3);
    assert_eq!(pool.lease(&[]).await.expect("Codex was run").access_token.expose(), third);
    assert_eq!(world.host.count(), 0, "the auth host heard nothing of us");
    assert_eq!(pool.list()[0].read_only, Some(codex.path()));
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_is_looked_for_in_the_file_and_only_there() {
    let (world, codex) = (World::new(), Codex::new());
    let pool = world.pool();
    codex.writes(&world, "ada", 1);
    codex.added(&world, &pool).await;
    let lease = pool.lease(&[]).await.expect("a lease");
    let second = codex.writes(&world, "ada", 2);
    let renewed = pool.recover(&lease).await.expect("Codex has renewed it");
    assert_eq!(renewed.access_token.expose(), second);
    let error = pool.recover(&renewed).await.expect_err("that one is refused as well");
    assert!(
        matches!(&error, RecoverError::NeedsSignIn { account } if account.why.contains("run `codex` once")),
        "{error}"
    );
    pool.lease(&[]).await.expect_err("until the file changes");
    let third = codex.writes(&world, "ada", 3);
    assert_eq!(pool.lease(&[]).await.expect("it changed").access_token.expose(), third);
    assert_eq!(world.host.count(), 0);
}

#[tokio::test(start_paused = true)]
async fn another_sign_in_in_the_file_is_not_used() {
    let (world, codex) = (World::new(), Codex::new());
    let pool = world.pool();
    codex.writes(&world, "ada", 1);
    codex.added(&world, &pool).await;
    pool.lease(&[]).await.expect("a lease");
    codex.writes(&world, "bob", 2);
    let refused = pool.lease(&[]).await.expect_err("that is Bob's plan");
    assert!(refused.to_string().contains("belongs to ada@example.com now"), "the address of the test token: {refused}");
    assert!(why_sign_in_of(&pool, &id("ada")).is_some());
    codex.writes(&world, "ada", 3);
    pool.lease(&[]).await.expect("she is back");
}

#[tokio::test(start_paused = true)]
async fn a_file_that_is_gone_is_said_and_the_token_serves_while_it_counts() {
    let (world, codex) = (World::new(), Codex::new());
    let pool = world.pool();
    codex.writes(&world, "ada", 1);
    codex.added(&world, &pool).await;
    for nonsense in [None, Some("{"), Some("{}")] {
        match nonsense {
            None => fs::remove_file(codex.path()).expect("it was there"),
            Some(text) => fs::write(codex.path(), text).expect("written"),
        }
        pool.lease(&[]).await.expect("the token still counts");
        let warning = pool.list()[0].warning.clone().expect("it is said");
        assert!(warning.contains("auth.json cannot be read"), "{warning}");
    }
    codex.writes(&world, "ada", 2);
    pool.lease(&[]).await.expect("a lease");
    assert_eq!(pool.list()[0].warning, None);
}

#[tokio::test(start_paused = true)]
async fn an_own_sign_in_is_worth_more_than_a_read_one() {
    let (world, codex) = (World::new(), Codex::new());
    let pool = world.pool();
    codex.writes(&world, "ada", 1);
    let added = codex.added(&world, &pool).await;
    assert_eq!(codex.added(&world, &pool).await.outcome, ImportOutcome::Unchanged, "once is enough");
    pool.label(added.id.as_str(), Some("work".into())).await.expect("labelled");

    let account = codex.read(&world).account;
    let own = pool.add_signed_in(account, world.host.sign_in("ada"), true).await.expect("signed in");
    assert_eq!((own.id.clone(), own.outcome), (added.id, ImportOutcome::Updated));
    let listed = pool.list().remove(0);
    assert_eq!((listed.read_only, listed.label.as_deref()), (None, Some("work")));
    assert_eq!(codex.added(&world, &pool).await.outcome, ImportOutcome::Unchanged, "it does not take the place of it");
    world.time.pass(57);
    pool.lease(&[]).await.expect("renewed by us again");
    assert_eq!(world.host.count(), 1);
    assert!(!pool.remove("work").await.expect("removed").read_only);
}

#[tokio::test(start_paused = true)]
async fn what_is_only_read_is_not_ours_to_revoke() {
    let (world, codex) = (World::new(), Codex::new());
    let pool = world.pool();
    codex.writes(&world, "ada", 1);
    let added = codex.added(&world, &pool).await;
    let removed = pool.remove(added.id.as_str()).await.expect("removed");
    assert!(removed.read_only && removed.credential.refresh_token.is_none());
    assert!(codex.path().exists());
}

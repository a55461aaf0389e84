//! Two processes, one home, one refresh token: `codeferry serve` and a pool in this process.

use std::time::{Duration, Instant};

use codeferry_accounts::{Lease, Pool};
use codeferry_tests::binary::{Binary, Server};
use codeferry_tests::world::{asking, environment, http};
use codeferry_upstream::{FailureKind, ModelsCall, Options, Upstream};
use futures_util::future::{join, join_all};
use reqwest::Client;

/// Enough to meet rare interleavings, if the machine is fast enough.
const ROUNDS: u64 = 1_000;
const TIME: Duration = Duration::from_secs(75);

/// A request of this process: a token from the pool, and if the upstream refuses it, the next one.
async fn look(pool: &Pool, upstream: &Upstream) {
    let call = |lease: &Lease| {
        let (account, token) = (lease.account.clone(), lease.access_token.clone());
        async move {
            let chatgpt_account_id = account.chatgpt_account_id.as_deref();
            let call = ModelsCall {
                account: &account.id,
                kind: account.kind,
                access_token: &token,
                chatgpt_account_id,
                program: None,
            };
            upstream.usage(call).await.map(drop).map_err(|failure| failure.kind)
        }
    };
    let lease = pool.lease(&[]).await.expect("an account");
    match call(&lease).await {
        Ok(()) => {}
        Err(FailureKind::Unauthorized) => {
            let renewed = pool.recover(&lease).await.expect("a new token");
            call(&renewed).await.expect("which is good");
        }
        Err(kind) => panic!("{kind:?}"),
    }
}

/// A request to the other process.
async fn ask(client: &Client, server: &Server, key: &str) {
    let request = client.post(format!("{}/v1/messages", server.url)).bearer_auth(key);
    let answer = request.json(&asking("[[demo:text hi]]")).send().await.expect("an answer");
    let status = answer.status();
    assert_eq!(status, 200, "{}", answer.text().await.expect("a body"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_spend_each_token_once() {
    let Some(user) = Binary::new().await else { return };
    let file = user.sign_in_of(&user.demo.account("ada"), "ada.json");
    user.ok(&["accounts", "import", "--kind", "codex", &file]).await;
    let key = codeferry_app::client_keys(&codeferry_app::Paths::at(user.folder())).expect("keys");
    let key = key.create("storm", jiff::Timestamp::now()).expect("a key").key;
    let server = user.serve().await;
    let pool = user.pool();
    let endpoints = environment(&user.demo, &user.folder()).endpoints;
    let upstream = Upstream::new(endpoints, Options::new("0.0.0"), codeferry_app::system_clock());

    let client = http();
    let begun = Instant::now();
    let mut rounds = 0;
    while rounds < ROUNDS && begun.elapsed() < TIME {
        rounds += 1;
        user.demo.expire_access_tokens();
        let here = join_all((0..2).map(|_| look(&pool, &upstream)));
        let there = join_all((0..2).map(|_| ask(&client, &server, &key)));
        let both = tokio::time::timeout(Duration::from_secs(60), join(here, there)).await;
        both.expect("nobody waits for ever");
        assert_eq!(user.demo.refresh_count(), rounds, "one renewal for all of both processes");
    }
    println!("{rounds} rounds in {:?}", begun.elapsed());
    assert!(rounds >= 100, "a storm, not a breeze: {rounds}");
    assert_eq!(user.demo.violations(), [], "no token was spent twice");
    drop(server);
    let removed = pool.remove("ada@demo.test").await.expect("it is there");
    let refresh_token = removed.credential.refresh_token.as_ref().expect("a refresh token");
    assert!(user.demo.is_live(refresh_token.expose()), "what is on disk is what counts");
}

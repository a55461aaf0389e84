//! `kill -9` at every step of a rotation: the next process goes on, or says clearly that it needs a sign-in.

use std::time::Duration;

use codeferry_accounts::{AccountState, NoAccount};
use codeferry_demo::{Options, Outcome, Route, TokenFault};
use codeferry_tests::binary::{Binary, Server};

/// A user whose tokens are over as soon as they are given out: whoever looks at the account renews it.
async fn user() -> Option<Binary> {
    let demo = Options { token_lifetime: Duration::ZERO, ..Options::default() };
    let user = Binary::with(demo).await?;
    sign_in(&user).await;
    Some(user)
}

async fn sign_in(user: &Binary) {
    let file = user.sign_in_of(&user.demo.account("ada"), "ada.json");
    user.ok(&["accounts", "import", "--kind", "codex", &file]).await;
}

/// What the next process makes of it. `true`: it has a token. Else it has said what is to be done.
async fn goes_on(user: &Binary) -> bool {
    let pool = user.pool();
    let lease = pool.lease(&[]).await;
    let list = pool.list();
    assert_eq!(list.len(), 1, "the account is never lost");
    match lease {
        Ok(_) => {
            // The token it got belongs to what is on disk.
            assert_eq!(list[0].state, AccountState::Ready);
            pool.settle().await;
            true
        }
        Err(NoAccount::NeedsSignIn { accounts }) => {
            assert!(accounts[0].why.contains("sign"), "{accounts:?}");
            assert!(matches!(&list[0].state, AccountState::NeedsSignIn { why } if !why.is_empty()), "{list:?}");
            let told = user.run(&["accounts", "list", "--json"]).await.out;
            assert!(told.contains("\"needs_sign_in\""), "and everybody else is told so: {told}");
            false
        }
        Err(other) => panic!("neither a token nor a clear word: {other}"),
    }
}

async fn kill(mut server: Server) {
    server.child.start_kill().expect("it runs");
    server.child.wait().await.expect("it has ended");
}

/// Before the host has the token: nothing was spent.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_while_the_host_thinks() {
    let Some(user) = user().await else { return };
    for _ in 0..3 {
        user.demo.fail_next_refresh(TokenFault::Hang);
        let asked = user.demo.requests().len();
        let server = user.serve().await;
        let open = |seen: &[codeferry_demo::Recorded]| seen[asked..].iter().any(|one| one.route == Route::Token);
        user.demo.wait_until(open).await;
        kill(server).await;
        let over = |seen: &[codeferry_demo::Recorded]| seen.iter().all(|one| one.outcome != Outcome::Open);
        user.demo.wait_until(over).await;
        assert!(goes_on(&user).await, "nothing was spent, so nothing is lost");
    }
    assert_eq!(user.demo.violations(), []);
}

/// After the host has taken the token and before its answer is here: the sign-in is gone, and that is said.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_when_the_answer_was_lost() {
    let Some(user) = user().await else { return };
    for _ in 0..2 {
        let before = user.demo.refresh_count();
        user.demo.fail_next_refresh(TokenFault::LostAnswer);
        let server = user.serve().await;
        user.demo.wait_until(|_| user.demo.refresh_count() > before).await;
        kill(server).await;
        assert!(!goes_on(&user).await, "a spent token renews nothing");
        // Signing in again mends it, under the same name.
        let id = async || {
            let pool = user.pool();
            pool.reload().await.expect("the vault opens");
            pool.list()[0].id.clone()
        };
        let before = id().await;
        sign_in(&user).await;
        assert!(goes_on(&user).await);
        assert_eq!(id().await, before);
    }
}

/// Between the answer and the last step of saving it, at many moments.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_while_the_answer_is_stored() {
    const ROUNDS: u32 = 40;
    let Some(user) = user().await else { return };
    let (mut kept, mut said) = (0, 0);
    for round in 0..ROUNDS {
        let before = user.demo.refresh_count();
        let server = user.serve().await;
        user.demo.wait_until(|_| user.demo.refresh_count() > before).await;
        if round % 2 == 1 {
            // The new file stands beside the old one, or is in its place already.
            let beside = user.folder().join("vault.new");
            let given_up = std::time::Instant::now() + Duration::from_millis(20);
            while !beside.exists() && std::time::Instant::now() < given_up {
                std::hint::spin_loop();
            }
        }
        std::thread::sleep(Duration::from_micros(150) * (round / 2));
        kill(server).await;
        if goes_on(&user).await {
            kept += 1;
        } else {
            said += 1;
            sign_in(&user).await;
        }
    }
    println!("{kept} kept, {said} said that they need a sign-in");
    assert!(kept >= 5, "the answer is stored at once: {kept} of {ROUNDS}");
}

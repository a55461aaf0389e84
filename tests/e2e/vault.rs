//! The vault under several processes at once.

use codeferry_demo::{Outcome, Route};
use codeferry_tests::binary::Binary;
use codeferry_tests::world::{asking, http};

/// Forty requests through a running gateway, forty more askers in another process, and a person at the command line:
/// the token that ran out is renewed once, and nobody loses it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_storm_over_two_processes_and_the_command_line_renews_once() {
    let Some(user) = Binary::new().await else { return };
    let ada = user.sign_in_of(&user.demo.account("ada"), "ada.json");
    let bob = user.sign_in_of(&user.demo.account("bob"), "bob.json");
    let id = user.ok(&["accounts", "import", "--kind", "codex", &ada]).await;
    let key = user.ok(&["keys", "create", "storm"]).await;
    let server = user.serve().await;
    let client = http();
    let says = |text: &'static str| {
        let request = client.post(format!("{}/v1/messages", server.url)).bearer_auth(&key).json(&asking(text));
        async move { request.send().await.expect("it answers").status().as_u16() }
    };
    assert_eq!(says("[[demo:text warm]]").await, 200);
    let other = user.pool();
    let stale = other.lease(&[]).await.expect("a lease");
    user.demo.expire_access_tokens();
    // Renewing takes its time, so that everybody meets it under way.
    user.demo.fail_next_refresh(codeferry_demo::TokenFault::Hang);

    let requests = futures_util::future::join_all((0..40).map(|_| says("[[demo:text through]]")));
    let others = futures_util::future::join_all((0..40).map(|_| other.recover(&stale)));
    let person = async {
        user.demo.wait_until(|all| all.iter().any(|request| request.route == Route::Token)).await;
        let listed = user.ok(&["accounts", "list", "--json"]).await;
        assert!(listed.contains(&id), "{listed}");
        // The file holds the very token that is being spent: it must not come back.
        let again = user.command(&["accounts", "import", "--kind", "codex", &ada]).spawn().unwrap();
        user.ok(&["accounts", "switch", &id]).await;
        user.demo.release();
        user.ok(&["accounts", "import", "--kind", "codex", &bob]).await;
        user.ok(&["accounts", "switch", &id]).await;
        let again = again.wait_with_output().await.unwrap();
        assert_eq!(again.status.code(), Some(2), "{again:?}");
        assert!(String::from_utf8_lossy(&again.stderr).contains("newer sign-in"), "{again:?}");
        user.ok(&["accounts", "list"]).await;
    };
    let (statuses, leases, ()) = tokio::join!(requests, others, person);

    assert_eq!(statuses, [200; 40]);
    for lease in leases {
        assert_ne!(lease.expect("a new lease").access_token.expose(), stale.access_token.expose());
    }
    assert_eq!(user.demo.refresh_count(), 1);
    let refreshes: Vec<_> = user.demo.requests().into_iter().filter(|it| it.route == Route::Token).collect();
    assert!(refreshes.iter().all(|it| it.outcome == Outcome::Completed), "{refreshes:?}");
    assert_eq!(user.demo.violations(), []);

    // The new token is on disk: whoever starts now uses it, and asks for no other.
    assert_eq!(says("[[demo:text after]]").await, 200);
    drop(server);
    let accounts = user.accounts().await;
    assert_eq!(accounts.len(), 2);
    assert!(accounts.iter().all(|account| account["state"] == "ready"), "{accounts:?}");
    let server = user.serve().await;
    let request = client.post(format!("{}/v1/messages", server.url)).bearer_auth(&key).json(&asking("hi"));
    assert_eq!(request.send().await.unwrap().status(), 200);
    assert_eq!(user.demo.refresh_count(), 1);
}

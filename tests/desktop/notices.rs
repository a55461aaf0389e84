//! What the desktop is told, heard on the bus; and where a click on it leads.

use std::time::Duration;

use codeferry_demo::{DemoAccount, Limits, TokenFault, Window};
use codeferry_tests::desktop::Desktop;
use codeferry_tests::patience::stays;

/// The five hours of this account are used so far, and two and a half of them are left.
fn used(desktop: &Desktop, account: &DemoAccount, percent: f64) {
    let limits = Limits { primary: Some(Window::five_hours(percent, 9_000)), ..Limits::default() };
    desktop.demo.set_limits(&account.account_id, limits);
}

/// Waits until the app has seen the account: what was so before is no news.
async fn looked(desktop: &Desktop) {
    desktop.gateway().await;
    desktop.tray().await.until("the account", |menu| menu.find(&["work@"]).is_some()).await;
}

/// Nothing more is said for a while.
async fn no_more_than(desktop: &Desktop, count: usize) {
    stays("nothing more is said", Duration::from_millis(1500), async || {
        let all = desktop.notifications.all();
        if all.len() == count { Ok(()) } else { Err(format!("{all:#?}")) }
    })
    .await;
}

/// 80 and 95 percent are told once each, over a new start, too.
#[tokio::test]
async fn a_window_that_runs_low_is_told_once() {
    let Some(desktop) = Desktop::start().await else { return };
    let work = desktop.sign_in("work").await;
    let mut app = desktop.launch(&["--hidden"]).await;
    looked(&desktop).await;
    desktop.served_by("[[demo:text hi]]").await;
    used(&desktop, &work, 79.0);
    desktop.served_by("[[demo:text hi]]").await;
    no_more_than(&desktop, 0).await;

    used(&desktop, &work, 81.0);
    desktop.served_by("[[demo:text hi]]").await;
    let notice = desktop.notifications.wait("running low").await;
    assert!(notice.summary.contains("work") && notice.body.contains("19 %"), "{notice:?}");
    for percent in [82.0, 90.0, 94.0] {
        used(&desktop, &work, percent);
        desktop.served_by("[[demo:text hi]]").await;
    }
    no_more_than(&desktop, 1).await;

    used(&desktop, &work, 95.5);
    desktop.served_by("[[demo:text hi]]").await;
    let notice = desktop.notifications.wait("4 %").await;
    assert!(notice.body.contains("back at"), "when it is back: {notice:?}");
    used(&desktop, &work, 97.0);
    desktop.served_by("[[demo:text hi]]").await;
    no_more_than(&desktop, 2).await;

    desktop.tray().await.click(&["Quit"]).await;
    assert_eq!(app.code().await.0, Some(0));
    let _app = desktop.launch(&["--hidden"]).await;
    looked(&desktop).await;
    used(&desktop, &work, 98.0);
    desktop.served_by("[[demo:text hi]]").await;
    no_more_than(&desktop, 2).await;
}

/// The plan's limit is reached: that it is, and when it is back.
#[tokio::test]
async fn a_limit_is_told_with_its_end() {
    let Some(desktop) = Desktop::start().await else { return };
    desktop.sign_in("work").await;
    let _app = desktop.launch(&["--hidden"]).await;
    looked(&desktop).await;
    desktop.served_by("[[demo:text hi]]").await;
    let refused = desktop.say("[[demo:limit 7200]]").send().await.expect("an answer");
    assert_eq!(refused.status(), 429);
    let notice = desktop.notifications.wait("is used up").await;
    assert!(notice.summary.contains("work") && notice.body.contains("back at "), "{notice:?}");
    // It is refused without asking, and nothing is said again.
    assert_eq!(desktop.say("[[demo:text hi]]").send().await.expect("an answer").status(), 429);
    no_more_than(&desktop, 1).await;
}

/// Another plan pays from now on: whose, and why.
#[tokio::test]
async fn who_took_over_is_told() {
    let Some(desktop) = Desktop::start().await else { return };
    desktop.set("rotation", "sticky");
    desktop.sign_in("work").await;
    desktop.sign_in("home").await;
    let _app = desktop.launch(&["--hidden"]).await;
    looked(&desktop).await;
    let first = desktop.served_by("[[demo:text hi]]").await;
    desktop.say("[[demo:limit 7200 late]]").send().await.expect("an answer").text().await.expect("a stream");
    let second = desktop.served_by("[[demo:text hi]]").await;
    assert_ne!(first, second);
    let notice = desktop.notifications.wait("has taken over").await;
    assert!(notice.summary.contains("home") && notice.summary.contains("work"), "{notice:?}");
    for _ in 0..3 {
        desktop.served_by("[[demo:text hi]]").await;
    }
    no_more_than(&desktop, 2).await;
    assert_eq!(desktop.notifications.with("is used up").len(), 1, "of the first, its limit");
}

/// An account needs its owner; clicking leads to the accounts.
#[tokio::test]
async fn a_needed_sign_in_is_told_and_leads_to_the_accounts() {
    let Some(desktop) = Desktop::start().await else { return };
    desktop.sign_in("work").await;
    let mut driver = desktop.drive(&["--hidden"]).await;
    looked(&desktop).await;
    desktop.served_by("[[demo:text hi]]").await;
    desktop.demo.fail_refreshes(Some(TokenFault::Refuse("refresh_token_expired".to_owned())));
    desktop.demo.expire_access_tokens();
    let refused = desktop.say("[[demo:text hi]]").send().await.expect("an answer");
    assert!(!refused.status().is_success(), "{}", refused.status());
    let notice = desktop.notifications.wait("sign in").await;
    assert!(notice.summary.contains("work") && !notice.actions.is_empty(), "{notice:?}");
    desktop.notifications.click(&notice).await;
    driver.page().await;
    driver.see("work@demo.test").await;
    assert!(driver.url().await.contains("#/accounts"), "{}", driver.url().await);
    desktop.say("[[demo:text hi]]").send().await.expect("an answer");
    no_more_than(&desktop, 1).await;
}

/// Each kind has its switch.
#[tokio::test]
async fn what_is_switched_off_is_not_said() {
    let Some(desktop) = Desktop::start().await else { return };
    let work = desktop.sign_in("work").await;
    desktop.set("desktop.notify.window", "false");
    desktop.set("desktop.notify.limit", "false");
    let _app = desktop.launch(&["--hidden"]).await;
    looked(&desktop).await;
    desktop.served_by("[[demo:text hi]]").await;
    used(&desktop, &work, 96.0);
    desktop.served_by("[[demo:text hi]]").await;
    desktop.say("[[demo:limit 7200]]").send().await.expect("an answer");
    no_more_than(&desktop, 0).await;
}

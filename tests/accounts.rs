//! Signing in, quota, choosing and failing over, and what must survive, against the simulated hosts.
//!
//! Whatever a test of this suite does, nothing secret may appear in a log: see [`end`].

#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests look into JSON, and fail by panicking"
)]

#[cfg(unix)]
#[path = "accounts/browser.rs"]
mod browser;
#[path = "accounts/choosing.rs"]
mod choosing;
#[path = "accounts/control.rs"]
mod control;
#[path = "accounts/device.rs"]
mod device;
#[path = "accounts/in_window.rs"]
mod in_window;
#[cfg(unix)]
#[path = "accounts/killed.rs"]
mod killed;
#[path = "accounts/logs.rs"]
mod logs;
#[path = "accounts/ports.rs"]
mod ports;
#[path = "accounts/quota.rs"]
mod quota;
#[path = "accounts/renewing.rs"]
mod renewing;
#[path = "accounts/sign_in.rs"]
mod sign_in;
#[path = "accounts/storm.rs"]
mod storm;
#[path = "accounts/trust.rs"]
mod trust;

use codeferry_tests::{Setup, World, log};

/// A world in which nobody is signed in.
async fn nobody_home() -> World {
    log::listen();
    World::with(Setup { signed_in: false, ..Setup::default() }).await
}

/// A world with one codex account, called `work`, and these settings.
async fn at_work(settings: &[(&'static str, &str)]) -> World {
    log::listen();
    let settings = settings.iter().map(|(key, value)| (*key, (*value).to_owned())).collect();
    World::with(Setup { settings, ..Setup::default() }).await
}

/// The end of every test: the hosts have nothing to complain about, and none of the secrets they saw was logged, by this
/// test or any other.
async fn end(world: World) {
    assert_eq!(world.demo.violations(), [], "the upstream has nothing to complain about");
    end_with_violations(world).await;
}

/// The same where a host was given something that it complains about on purpose.
async fn end_with_violations(world: World) {
    let secrets = log::secrets(&world.demo);
    world.gateway.stop().await.expect("the gateway stops");
    log::assert_discreet(&log::lines(), &secrets);
}

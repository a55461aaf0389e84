//! Sign-ins, against auth hosts on this machine.

mod address;
mod callback;
mod codex;
mod device;
mod plan;

use codeferry_accounts::Kind;

use super::{Attempt, Entropy, KnownClient};
use crate::testing::{clock, options, secret};
use crate::{Endpoints, Upstream};

const HOST_ID: &str = "urn:uuid:5e0b4a2c-1d3f-4a56-8b7c-9d0e1f2a3b4c";

/// Bytes that differ, so that no part can be taken for another.
fn entropy() -> Entropy {
    Entropy::new(std::array::from_fn(|index| index as u8))
}

fn upstream() -> Upstream {
    Upstream::new(Endpoints::default(), options(), clock())
}

fn attempt(upstream: &Upstream, kind: Kind) -> Attempt {
    upstream.begin_sign_in(kind, 1455, HOST_ID, None, &entropy())
}

fn known(client_id: &str, hint: Option<&str>) -> Option<KnownClient> {
    Some(KnownClient { client_id: client_id.to_owned(), id_token_hint: hint.map(secret) })
}

/// Nothing that is secret stands in what may be logged.
fn assert_discreet(attempt: &Attempt, shown: &str) {
    let nonce = attempt.nonce.as_ref().map(codeferry_accounts::Secret::expose);
    for secret in [attempt.state.expose(), attempt.verifier.expose()].into_iter().chain(nonce) {
        assert!(!shown.contains(secret), "{shown}");
    }
    assert!(!shown.contains("SECRET") && !shown.contains("@example"), "{shown}");
}

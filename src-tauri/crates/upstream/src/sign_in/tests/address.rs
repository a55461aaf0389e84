//! Where the browser is sent. Pure tests.

use codeferry_accounts::Kind;

use super::{HOST_ID, assert_discreet, attempt, entropy, known, upstream};
use crate::sign_in::{Entropy, challenge};
use crate::testing::{clock, options, secret};
use crate::{Endpoints, Upstream};

/// base64url of the bytes 0 to 63, 64 to 95 and 96 to 127.
const VERIFIER: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0-Pw";
const STATE: &str = "QEFCQ0RFRkdISUpLTE1OT1BRUlNUVVZXWFlaW1xdXl8";
const NONCE: &str = "YGFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6e3x9fn8";
const CHALLENGE: &str = "wsNdZaf3VpLTsEDmR5gPk2C6xYVWxKb0xcaG3O6kX10";

/// RFC 7636, appendix B.
#[test]
fn the_challenge_is_the_one_of_the_standard() {
    let verifier = secret("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    assert_eq!(challenge(&verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
}

/// `codex-backend.md §12`, "Authorize".
#[test]
fn the_first_plan_sign_in_registers() {
    let attempt = upstream().begin_sign_in(Kind::Plan, 49_152, HOST_ID, None, &entropy());
    assert_eq!(attempt.redirect_uri, "http://127.0.0.1:49152/auth/callback");
    let expected = format!(
        "https://auth.openai.com/api/accounts/authorize?response_type=code&client_id=dynamic_agent_client\
         &agent_name_hint=Codeferry&ext_agent_host_id=urn%3Auuid%3A5e0b4a2c-1d3f-4a56-8b7c-9d0e1f2a3b4c\
         &redirect_uri=http%3A%2F%2F127.0.0.1%3A49152%2Fauth%2Fcallback&resource=https%3A%2F%2Fapi.openai.com%2Fv1\
         &scope=openid+profile+email+offline_access+resource.invoke+chatgpt.tokens.use.direct\
         &code_challenge={CHALLENGE}&code_challenge_method=S256&state={STATE}&nonce={NONCE}"
    );
    assert_eq!(attempt.authorize_url.as_str(), expected);
}

#[test]
fn a_later_plan_sign_in_names_its_client_and_account() {
    let known = known("oaiapp_7", Some("id-SECRET"));
    let attempt = upstream().begin_sign_in(Kind::Plan, 1455, HOST_ID, known, &entropy());
    let url = attempt.authorize_url.as_str();
    assert!(url.contains("?response_type=code&client_id=oaiapp_7&ext_agent_host_id=urn%3Auuid%3A"), "{url}");
    assert!(url.ends_with("&id_token_hint=id-SECRET"), "{url}");
    assert!(!url.contains("agent_name_hint"), "{url}");
    assert_discreet(&attempt, &format!("{attempt:?}"));
}

/// What is stored may be damaged, or stem from an import that knows no client.
#[test]
fn what_is_no_issued_client_registers_anew() {
    for client in ["", "oaiapp_", "dynamic_agent_client", "app_EMoamEEZ73f0CkXaXp7hrann", "oaiapp_a b", "OAIAPP_7"] {
        let attempt = upstream().begin_sign_in(Kind::Plan, 1455, HOST_ID, known(client, Some("id-SECRET")), &entropy());
        let url = attempt.authorize_url.as_str();
        assert!(url.contains("client_id=dynamic_agent_client&agent_name_hint=Codeferry"), "{client}: {url}");
        assert!(!url.contains("id_token_hint"), "{client}: {url}");
    }
}

/// The recording `traces/codex/oauth_authorize.json`, but for what is another every time and for who we are.
#[test]
fn the_codex_address_is_the_recorded_one() {
    const RECORDED: &str = "/oauth/authorize?response_type=code&client_id=app_EMoamEEZ73f0CkXaXp7hrann&redirect_uri=http%3A%2F%2F127.0.0.1%3A1455%2Fauth%2Fcallback&code_challenge=lMZ6kObAFg9kZkc5Dh-7f0UMncK6Vs6H6G-zcNVYc2E&code_challenge_method=S256&state=x1NLPp-floE_fbv8zYSwZMNLsjPI9nMzElZMi5hR1WU&scope=openid+profile+email+offline_access+api.connectors.read+api.connectors.invoke&id_token_add_organizations=true&codex_cli_simplified_flow=true&originator=acc_probe";
    let expected = RECORDED
        .replace("lMZ6kObAFg9kZkc5Dh-7f0UMncK6Vs6H6G-zcNVYc2E", CHALLENGE)
        .replace("x1NLPp-floE_fbv8zYSwZMNLsjPI9nMzElZMi5hR1WU", STATE)
        .replace("acc_probe", "codeferry");
    let attempt = attempt(&upstream(), Kind::Codex);
    assert_eq!(attempt.authorize_url.as_str(), format!("https://auth.openai.com{expected}"));
    assert_eq!(attempt.verifier.expose(), VERIFIER);
    assert_discreet(&attempt, &format!("{attempt:?} {:?}", entropy()));
}

#[test]
fn another_auth_host_is_asked_below_its_own_path() {
    let auth = "http://127.0.0.1:9/auth/".parse().unwrap();
    let upstream = Upstream::new(Endpoints { auth, ..Endpoints::default() }, options(), clock());
    for (kind, beginning) in [
        (Kind::Plan, "http://127.0.0.1:9/auth/api/accounts/authorize?response_type=code&"),
        (Kind::Codex, "http://127.0.0.1:9/auth/oauth/authorize?response_type=code&"),
    ] {
        let url = attempt(&upstream, kind).authorize_url;
        assert!(url.as_str().starts_with(beginning), "{url}");
    }
}

#[test]
fn two_attempts_have_nothing_in_common() {
    let other = Entropy::new(std::array::from_fn(|index| !(index as u8)));
    let (one, two) =
        (attempt(&upstream(), Kind::Plan), upstream().begin_sign_in(Kind::Plan, 1455, HOST_ID, None, &other));
    assert_ne!(one.state, two.state);
    assert_ne!(one.verifier, two.verifier);
    assert_ne!(one.nonce, two.nonce);
    let parts = [one.state.expose(), one.verifier.expose(), one.nonce.as_ref().unwrap().expose()];
    assert_eq!(parts, [STATE, VERIFIER, NONCE], "no byte is used twice");
}

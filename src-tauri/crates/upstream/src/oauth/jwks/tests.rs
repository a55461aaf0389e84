//! Pure tests. No IO, no async. How keys are fetched and kept is shown with the sign-in.

use super::KeySet;
use crate::testing::signer::{Signer, jwks};

#[test]
fn a_key_is_found_by_its_id() {
    let keys = KeySet::parse(jwks(&[&Signer::first(), &Signer::second()]).as_bytes()).unwrap();
    assert_eq!(keys.find(Some("key-2")).unwrap().modulus, Signer::second().public().n);
    assert!(keys.find(Some("key-3")).is_none());
    assert!(keys.find(None).is_none(), "which of the two?");
    let only = KeySet::parse(jwks(&[&Signer::first()]).as_bytes()).unwrap();
    assert_eq!(only.find(None).unwrap().modulus, Signer::first().public().n);
}

#[test]
fn what_is_no_key_for_rs256_signatures_is_left_out() {
    let sound = Signer::first().jwk();
    for other in [
        r#"{"kty":"EC","crv":"P-256","kid":"key-1","x":"AQAB","y":"AQAB"}"#.to_owned(),
        r#"{"kty":"oct","kid":"key-1","k":"c2VjcmV0"}"#.to_owned(),
        r#"{"kty":"RSA","kid":"key-1"}"#.to_owned(),
        r#"{"kty":"RSA","kid":"key-1","n":"AAAA","e":"AQAB"}"#.to_owned(),
        r#"{"kty":"RSA","kid":"key-1","n":"not base64","e":"AQAB"}"#.to_owned(),
        r#"{"kid":7}"#.to_owned(),
        r#""key-1""#.to_owned(),
        sound.replace(r#""use":"sig""#, r#""use":"enc""#),
        sound.replace("RS256", "RS512"),
    ] {
        let keys = KeySet::parse(format!(r#"{{"keys":[{other},{}]}}"#, Signer::second().jwk()).as_bytes()).unwrap();
        assert!(keys.find(Some("key-1")).is_none(), "{other}");
        assert!(keys.find(Some("key-2")).is_some(), "beside {other}");
    }
}

/// Some writers put a zero in front of the modulus, or padding behind it.
#[test]
fn a_modulus_is_read_in_its_spellings() {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE;
    let modulus = Signer::first().public().n;
    let spelled = URL_SAFE.encode([&[0, 0][..], &modulus].concat());
    let keys = KeySet::parse(format!(r#"{{"keys":[{{"kty":"RSA","n":"{spelled}","e":"AQAB"}}]}}"#).as_bytes()).unwrap();
    assert_eq!(keys.find(None).unwrap().modulus, modulus);
}

#[test]
fn what_is_no_key_set_is_none() {
    for body in ["", "<html>", "[]", "{}", r#"{"keys":{}}"#] {
        assert!(KeySet::parse(body.as_bytes()).is_none(), "{body}");
    }
}

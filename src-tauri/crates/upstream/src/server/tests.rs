//! The servers of named accounts, against a fake one.

use codeferry_accounts::{Endpoint, Preset};

use super::{BadUrl, endpoint};

fn url(text: &str) -> Result<String, BadUrl> {
    endpoint(text, None, false).map(|endpoint| endpoint.url)
}

#[test]
fn an_address_has_one_spelling() {
    for (text, kept) in [
        ("http://127.0.0.1:11434/v1", "http://127.0.0.1:11434/v1"),
        (" http://localhost:11434/v1/ ", "http://localhost:11434/v1"),
        ("https://api.example.com/v1/chat/completions", "https://api.example.com/v1"),
        ("https://api.example.com/v1/models/", "https://api.example.com/v1"),
        ("https://EXAMPLE.com", "https://example.com"),
        ("http://[::1]:8000/v1", "http://[::1]:8000/v1"),
    ] {
        assert_eq!(url(text).as_deref(), Ok(kept));
    }
}

#[test]
fn a_key_does_not_cross_a_network_in_the_clear_unasked() {
    for far in ["http://10.0.0.7:11434/v1", "http://ollama.lan/v1", "http://127.0.0.1.example.com"] {
        assert!(matches!(url(far), Err(BadUrl::InTheClear { .. })), "{far}");
        assert!(endpoint(far, None, true).is_ok(), "{far}");
        // And not because a file says so either.
        let smuggled = Endpoint { url: far.to_owned(), preset: Some(Preset::Ollama), allow_http: false };
        assert!(super::base(&smuggled).is_err(), "{far}");
    }
    for bad in ["", "ollama", "127.0.0.1:11434/v1", "http://", "ftp://127.0.0.1/", "file:///etc/passwd"] {
        url(bad).expect_err(bad);
    }
    for extra in ["https://user:pw@example.com/v1", "https://example.com/v1?key=1", "https://example.com/v1#x"] {
        assert_eq!(url(extra), Err(BadUrl::Extra), "{extra}");
    }
}

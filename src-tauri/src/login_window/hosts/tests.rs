use super::{Refusal, Verdict, Way};
use tauri::Url;

fn url(text: &str) -> Url {
    text.parse().unwrap()
}

fn real() -> Way {
    Way::new(url("https://auth.openai.com/api/accounts/authorize?state=s"), url("http://127.0.0.1:41234/auth/callback"))
}

/// With `CODEFERRY_AUTH_URL`.
fn simulated() -> Way {
    Way::new(url("http://127.0.0.1:9000/oauth/authorize?state=s"), url("http://127.0.0.1:1455/auth/callback"))
}

/// As text, to be read in a table.
fn said(way: &Way, to: &str) -> String {
    match way.decide(&url(to)) {
        Verdict::Allow => "allow".to_owned(),
        Verdict::Callback => "callback".to_owned(),
        Verdict::OpenInBrowser => "browser".to_owned(),
        Verdict::Refuse(Refusal::Unknown { host }) => format!("unknown {host}"),
        Verdict::Refuse(Refusal::Unwilling { host, provider }) => format!("unwilling {host} ({provider})"),
        Verdict::Refuse(Refusal::Unsafe { host }) => format!("unsafe {host}"),
        Verdict::Refuse(Refusal::Nothing) => "nothing".to_owned(),
    }
}

#[test]
fn the_sign_in_and_the_way_back_and_nothing_else() {
    for (to, verdict) in [
        // The sign-in.
        ("https://auth.openai.com/log-in", "allow"),
        ("https://setup.auth.openai.com/", "allow"),
        ("https://chatgpt.com/auth/login", "allow"),
        ("https://login.microsoftonline.com/common/oauth2/v2.0/authorize", "allow"),
        ("https://login.live.com/oauth20_authorize.srf", "allow"),
        ("https://appleid.apple.com/auth/authorize", "allow"),
        ("https://AUTH.OPENAI.COM/log-in", "allow"),
        ("about:blank", "allow"),
        ("about:srcdoc", "allow"),
        // The end of it, by either name of this machine.
        ("http://127.0.0.1:41234/auth/callback?code=ac_x&state=s", "callback"),
        ("http://localhost:41234/auth/callback?error=access_denied&state=s", "callback"),
        // This machine has other things that listen.
        ("http://127.0.0.1:41234/cancel", "unsafe 127.0.0.1"),
        ("http://127.0.0.1:41235/auth/callback?code=ac_x", "unsafe 127.0.0.1"),
        ("http://127.0.0.1:8080/api/settings", "unsafe 127.0.0.1"),
        ("https://127.0.0.1:41234/auth/callback?code=ac_x", "unknown 127.0.0.1"),
        ("http://127.0.0.1.example.com:41234/auth/callback?code=ac_x", "unsafe 127.0.0.1.example.com"),
        // Providers who would refuse the window.
        ("https://accounts.google.com/o/oauth2/v2/auth?client_id=x", "unwilling accounts.google.com (Google)"),
        ("https://accounts.google.com/gsi/iframe/select", "nothing"),
        ("https://id.example.com/error?code=disallowed_useragent", "unwilling id.example.com (This identity provider)"),
        // A company's own.
        ("https://login.acme.example/saml", "unknown login.acme.example"),
        ("https://acme.okta.com/app/openai/sso/saml", "unknown acme.okta.com"),
        // Terms and help.
        ("https://openai.com/policies/terms-of-use", "browser"),
        ("https://help.openai.com/en/articles/1", "browser"),
        // What pages embed.
        ("https://challenges.cloudflare.com/turnstile/v0/x", "allow"),
        ("https://openai-api.arkoselabs.com/v2/x", "allow"),
        ("https://sentinel.openai.com/frame.html", "allow"),
        ("https://www.google.com/recaptcha/api2/anchor", "allow"),
        ("https://www.google.com/search", "unknown www.google.com"),
        // What they embed and nobody misses.
        ("https://www.googletagmanager.com/ns.html", "nothing"),
        ("https://js.stripe.com/v3/x.html", "nothing"),
        ("https://notstripe.com/", "unknown notstripe.com"),
        // What looks like it and is not.
        ("https://auth.openai.com.evil.example/log-in", "unknown auth.openai.com.evil.example"),
        ("https://evilauth.openai.com.example/", "unknown evilauth.openai.com.example"),
        ("https://notopenai.com/", "unknown notopenai.com"),
        ("https://auth.openai.com:8443/log-in", "unknown auth.openai.com"),
        ("https://auth.openai.com@evil.example/", "unsafe evil.example"),
        ("https://a:b@auth.openai.com/", "unsafe auth.openai.com"),
        ("http://auth.openai.com/log-in", "unsafe auth.openai.com"),
        // Other schemes.
        ("javascript:alert(1)", "nothing"),
        ("data:text/html,<h1>Sign in</h1>", "nothing"),
        ("file:///etc/passwd", "nothing"),
        ("blob:https://auth.openai.com/1", "nothing"),
        ("tauri://localhost/shell.html", "nothing"),
        ("codeferry://accounts", "nothing"),
        ("mailto:support@openai.com", "nothing"),
    ] {
        assert_eq!(said(&real(), to), verdict, "{to}");
    }
}

#[test]
fn another_auth_host_is_the_one_that_counts() {
    for (to, verdict) in [
        ("http://127.0.0.1:9000/demo/consent", "allow"),
        ("http://localhost:9000/demo/consent", "unsafe localhost"),
        ("http://127.0.0.1:9001/demo/consent", "unsafe 127.0.0.1"),
        ("http://127.0.0.1:1455/auth/callback?code=ac_x&state=s", "callback"),
        ("http://localhost:1455/auth/callback?code=ac_x&state=s", "callback"),
        ("http://127.0.0.1:1457/auth/callback?code=ac_x&state=s", "unsafe 127.0.0.1"),
    ] {
        assert_eq!(said(&simulated(), to), verdict, "{to}");
    }
    // In the clear over a network nobody signs in.
    let far = Way::new(url("http://auth.lan/oauth/authorize"), url("http://127.0.0.1:1455/auth/callback"));
    assert_eq!(said(&far, "http://auth.lan/oauth/authorize"), "unsafe auth.lan");
}

#[test]
fn what_pages_embed_is_no_page() {
    for (shown, may) in [
        ("https://auth.openai.com/log-in", true),
        ("https://login.live.com/", true),
        ("about:blank", true),
        ("https://challenges.cloudflare.com/x", false),
        ("https://community.openai.com/x", false),
        ("https://help.openai.com/", false),
        ("http://auth.openai.com/", false),
        ("https://auth.openai.com:8443/", false),
    ] {
        assert_eq!(real().may_show(&url(shown)), may, "{shown}");
    }
    assert!(simulated().may_show(&url("http://127.0.0.1:9000/demo/consent")));
}

//! Where the hosts are.

use codeferry_accounts::Kind;
use url::Url;

/// The hosts, each with its base path. The defaults are the real ones; tests and gateways put their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoints {
    /// Sign-in and refresh, `codex-backend.md §1, §12`.
    pub auth: Url,
    /// The ChatGPT backend, `codex-backend.md §2, §7`.
    pub chatgpt: Url,
    /// The public API, `codex-backend.md §12`.
    pub openai: Url,
    /// The simulated upstream, while it runs. It is all three hosts at once.
    pub demo: Option<Url>,
}

impl Default for Endpoints {
    fn default() -> Self {
        #[expect(clippy::expect_used, reason = "constants, and every test makes one")]
        let url = |text: &str| Url::parse(text).expect("a constant address is an address");
        Self {
            auth: url("https://auth.openai.com"),
            chatgpt: url("https://chatgpt.com/backend-api"),
            openai: url("https://api.openai.com/v1"),
            demo: None,
        }
    }
}

impl Endpoints {
    /// The model host of a provider. `None`: the demo upstream is not running, or each account has its own.
    pub(crate) fn models_host(&self, kind: Kind) -> Option<&Url> {
        match kind {
            Kind::Plan | Kind::OpenaiKey => Some(&self.openai),
            Kind::Codex => Some(&self.chatgpt),
            Kind::Demo => self.demo.as_ref(),
            Kind::Compatible | Kind::CodexCli => None,
        }
    }

    /// The auth host of a provider. `None`: there is nothing to renew, or the demo upstream is not running.
    pub(crate) fn auth_host(&self, kind: Kind) -> Option<&Url> {
        match kind {
            Kind::Plan | Kind::Codex => Some(&self.auth),
            Kind::Demo => self.demo.as_ref(),
            Kind::Compatible | Kind::OpenaiKey | Kind::CodexCli => None,
        }
    }
}

/// `path` below `base`, whether or not the base ends in a slash. [`Url::join`] would replace the last segment.
pub(crate) fn below(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}/{path}", base.path().trim_end_matches('/')));
    url
}

/// This machine. Traffic to it takes no proxy and is not compressed.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback() || ip.to_ipv4_mapped().is_some_and(|ip| ip.is_loopback()),
        None => false,
    }
}

/// The host to name in a sentence.
pub(crate) fn host_of(url: &Url) -> String {
    match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        (None, _) => url.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Endpoints, below, host_of, is_loopback};
    use url::Url;

    #[test]
    fn paths_go_below_the_base_and_keep_its_query() {
        for (base, path, expected) in [
            ("https://chatgpt.com/backend-api", "codex/responses", "https://chatgpt.com/backend-api/codex/responses"),
            ("https://chatgpt.com/backend-api/", "codex/responses", "https://chatgpt.com/backend-api/codex/responses"),
            ("http://127.0.0.1:9", "oauth/token", "http://127.0.0.1:9/oauth/token"),
            ("http://127.0.0.1:9/v1?tenant=a", "responses", "http://127.0.0.1:9/v1/responses?tenant=a"),
        ] {
            assert_eq!(below(&Url::parse(base).unwrap(), path).as_str(), expected);
        }
    }

    #[test]
    fn loopback_is_known_in_all_its_spellings() {
        for near in [
            "http://localhost:1",
            "http://a.localhost",
            "http://127.3.4.5/x",
            "https://[::1]:8",
            "http://[::ffff:127.0.0.1]",
        ] {
            assert!(is_loopback(&Url::parse(near).unwrap()), "{near}");
        }
        for far in [
            "https://chatgpt.com",
            "http://127.0.0.1.example.com",
            "http://10.0.0.1",
            "http://mylocalhost",
            "http://[2001:db8::1]",
        ] {
            assert!(!is_loopback(&Url::parse(far).unwrap()), "{far}");
        }
    }

    #[test]
    fn the_defaults_are_the_real_hosts_and_no_demo() {
        let real = Endpoints::default();
        let hosts = [host_of(&real.auth), host_of(&real.chatgpt), host_of(&real.openai)];
        assert_eq!(hosts, ["auth.openai.com", "chatgpt.com", "api.openai.com"]);
        assert_eq!(real.demo, None);
    }
}

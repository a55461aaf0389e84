//! What a client is to be told: where the gateway is, which key opens it, and which models stand behind it. Pure data, filled
//! by whoever knows; no client is named here.

use std::fmt;

use url::{Host, Url};

/// What a client is set up with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    /// This gateway: `http://127.0.0.1:PORT`, without a path.
    pub base: Url,
    /// The client key it is to show.
    pub token: Token,
    /// What that key is called, if it was made for this client.
    pub key_name: Option<String>,
    /// The models of the account in use, in the order of lists.
    pub models: Vec<Model>,
    /// What stands for the families of a client's own models.
    pub roles: Vec<Role>,
    /// The model to begin with, for clients that have no families: a slug of [`models`](Self::models).
    pub default_model: Option<String>,
    /// `/v1/responses` speaks WebSocket.
    pub websocket: bool,
    /// Claude Code asks claude.ai before it fetches a page, unless it is told not to. `true`: it is told.
    pub skip_web_fetch_preflight: bool,
}

/// One model, as its catalogue describes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Model {
    /// Its name on the wire.
    pub slug: String,
    /// Its name for people.
    pub name: String,
    /// One sentence about it.
    pub description: Option<String>,
    /// Tokens it takes. `None`: nobody says.
    pub context_window: Option<u64>,
    /// Tokens it answers with at most. `None`: nobody says.
    pub max_output: Option<u64>,
    /// Reasoning efforts, weakest first.
    pub efforts: Vec<String>,
    /// What it does when none is named.
    pub default_effort: Option<String>,
    /// It sees images.
    pub images: bool,
}

/// What stands for one family of the client's models. Which model that is may change any day without the client's files: they
/// name the family.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// Which family.
    pub family: Family,
    /// Where it leads: a slug of the intent's models, or `LABEL/MODEL`.
    pub model: String,
    /// The effort for requests that ask for none.
    pub effort: Option<String>,
}

/// A family of Anthropic's models, as clients and routes name them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Family {
    /// The large one.
    Opus,
    /// The everyday one.
    Sonnet,
    /// The small one, for titles and searches.
    Haiku,
    /// The one above.
    Fable,
    /// Whatever else is asked for.
    Default,
}

/// A client key. It shows itself to nobody who does not ask.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

// === impl Intent ===

impl Intent {
    /// The least that can be meant: an address and a key, and nothing known about models.
    pub fn new(base: Url, token: Token) -> Self {
        Self {
            base,
            token,
            key_name: None,
            models: Vec::new(),
            roles: Vec::new(),
            default_model: None,
            websocket: false,
            skip_web_fetch_preflight: true,
        }
    }

    /// The address as clients write it: without a slash at its end.
    pub fn base(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }

    /// The address with a path that clients want in it, such as `/v1`.
    pub fn base_with(&self, path: &str) -> String {
        format!("{}{path}", self.base())
    }

    /// The model of that name, if it is known.
    pub fn model(&self, slug: &str) -> Option<&Model> {
        self.models.iter().find(|model| model.slug == slug)
    }

    /// What stands for a family, if that is said.
    pub fn role(&self, family: Family) -> Option<&Role> {
        self.roles.iter().find(|role| role.family == family)
    }

    /// Whether an address of a client's leads here: this port of this machine, whatever the machine is called, with or without
    /// the path `/v1`.
    pub fn is_here(&self, url: &str) -> bool {
        let Ok(url) = url.trim().parse::<Url>() else { return false };
        url.scheme() == "http"
            && is_loopback(&url)
            && url.port_or_known_default() == self.base.port_or_known_default()
            && matches!(url.path().trim_end_matches('/'), "" | "/v1")
    }
}

/// Whether an address is one of this machine's own.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

// === impl Family ===

impl Family {
    /// All of them, in the order of lists.
    pub const ALL: [Self; 5] = [Self::Opus, Self::Sonnet, Self::Haiku, Self::Fable, Self::Default];

    /// As in `route.NAME`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Opus => "opus",
            Self::Sonnet => "sonnet",
            Self::Haiku => "haiku",
            Self::Fable => "fable",
            Self::Default => "default",
        }
    }

    /// The family of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|family| family.as_str() == name)
    }
}

// === impl Token ===

impl Token {
    /// Keeps a key.
    pub fn new(key: impl Into<String>) -> Self {
        Self(key.into())
    }

    /// The key itself: for the file it goes into, and for nothing else.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::{Intent, Token};

    #[test]
    fn an_address_leads_here_by_whatever_name_this_machine_has() {
        let intent = Intent::new("http://127.0.0.1:8081".parse().unwrap(), Token::new("secret"));
        assert_eq!(intent.base(), "http://127.0.0.1:8081");
        assert_eq!(intent.base_with("/v1"), "http://127.0.0.1:8081/v1");
        for here in
            ["http://127.0.0.1:8081", "http://localhost:8081/", "http://[::1]:8081/v1", " http://127.0.0.1:8081/v1/ "]
        {
            assert!(intent.is_here(here), "{here}");
        }
        for elsewhere in [
            "",
            "8081",
            "https://127.0.0.1:8081",
            "http://127.0.0.1:8082",
            "http://example.com:8081",
            "http://127.0.0.1:8081/x",
        ] {
            assert!(!intent.is_here(elsewhere), "{elsewhere}");
        }
    }

    #[test]
    fn a_key_is_not_shown() {
        let intent = Intent::new("http://127.0.0.1:8081".parse().unwrap(), Token::new("cf-1234"));
        assert!(!format!("{intent:?}").contains("1234"));
    }
}

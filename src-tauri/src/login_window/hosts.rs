//! Where the sign-in window may go: a pure decision about each address, before anything is asked there.
//!
//! **Invariant:** only https, but for this machine; only hosts that are listed here, the one the attempt begins at, and the way
//! back. What a list cannot know (the sign-in page of somebody's company) is refused and named, and the person's own browser is
//! offered.
//!
//! WebKit asks for each frame of a page, too, and does not say so (wry 0.57, `decide-policy`). So what pages embed is let pass
//! here and must not be what the window shows: [`Way::may_show`].

use tauri::Url;

/// Pages of the sign-in itself. Hosts below `auth.openai.com` are its own, too.
const PAGES: &[&str] = &[
    "auth.openai.com",
    "auth0.openai.com",
    "chatgpt.com",
    // Where companies' sign-ins pass through (help.openai.com/en/articles/10468051).
    "api.workos.com",
    "auth.workos.com",
    // Microsoft and Apple, which a person may have signed up with.
    "login.microsoftonline.com",
    "login.microsoft.com",
    "login.live.com",
    "account.live.com",
    "appleid.apple.com",
];

/// What those pages embed: checks that somebody is human. Never shown as a page.
const FRAMES: &[&str] = &["challenges.cloudflare.com", "www.recaptcha.net", "idmsa.apple.com"];

/// The same, with everything below.
const FRAMES_BELOW: &[&str] = &["arkoselabs.com", "funcaptcha.com", "hcaptcha.com", "openai.com", "chatgpt.com"];

/// What pages embed besides: measuring, paying, chatting. Nobody misses it here, so nobody is asked.
const UNMISSED_BELOW: &[&str] = &[
    "googletagmanager.com",
    "google-analytics.com",
    "doubleclick.net",
    "stripe.com",
    "stripe.network",
    "intercom.io",
    "microsoftazuread-sso.com",
];

/// What people read beside a sign-in: terms, help. That is for a browser.
const READING: &[&str] = &[
    "openai.com",
    "www.openai.com",
    "help.openai.com",
    "platform.openai.com",
    "status.openai.com",
    "www.microsoft.com",
    "privacy.microsoft.com",
    "support.microsoft.com",
    "www.apple.com",
    "support.apple.com",
];

/// Who does not let people sign in within other programs' windows, and says so only after the password was half typed
/// (<https://developers.googleblog.com/en/upcoming-security-changes-to-googles-oauth-20-authorization-endpoint-in-embedded-webviews/>).
const UNWILLING: &[(&str, &str)] = &[("accounts.google.com", "Google"), ("accounts.youtube.com", "Google")];

/// What such a provider puts into its error's address.
const UNWILLING_ERROR: &str = "disallowed_useragent";

/// Where one attempt begins and where it comes back to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Way {
    /// The page it begins at.
    begins: Url,
    /// Where the auth host sends the browser in the end.
    back: Url,
}

/// What becomes of an address the window wants to go to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It goes there.
    Allow,
    /// The end: it stays where it is, and the address is taken in.
    Callback,
    /// For the person's browser.
    OpenInBrowser,
    /// It does not go there.
    Refuse(Refusal),
}

/// Why the window does not go somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// A host that no list knows: somebody's company, or somebody who has no business here.
    Unknown {
        /// As it stands in the address.
        host: String,
    },
    /// This provider would refuse the window, so it is not bothered.
    Unwilling {
        /// As it stands in the address.
        host: String,
        /// Who that is.
        provider: &'static str,
    },
    /// Not encrypted, or with a name and password in front that make it look like another.
    Unsafe {
        /// As it stands in the address.
        host: String,
    },
    /// Nothing a person waits for: another program's scheme, or a part of a page.
    Nothing,
}

// === impl Way ===

impl Way {
    /// The way of an attempt.
    pub(crate) fn new(begins: Url, back: Url) -> Self {
        Self { begins, back }
    }

    /// What becomes of this address.
    pub(crate) fn decide(&self, url: &Url) -> Verdict {
        if url.scheme() == "about" {
            // An empty frame, which its page fills.
            return Verdict::Allow;
        }
        let Some(host) = url.host_str().filter(|_| matches!(url.scheme(), "http" | "https")) else {
            return Verdict::Refuse(Refusal::Nothing);
        };
        let host = host.to_owned();
        if !url.username().is_empty() || url.password().is_some() {
            return Verdict::Refuse(Refusal::Unsafe { host });
        }
        if self.is_back(url) {
            return Verdict::Callback;
        }
        if self.is_begin(url) {
            return Verdict::Allow;
        }
        if url.scheme() == "http" {
            return Verdict::Refuse(Refusal::Unsafe { host });
        }
        if url.port().is_some() {
            return Verdict::Refuse(Refusal::Unknown { host });
        }
        if let Some(provider) = unwilling(url, &host) {
            return match url.path().starts_with("/gsi/") {
                // A button within somebody's page.
                true => Verdict::Refuse(Refusal::Nothing),
                false => Verdict::Refuse(Refusal::Unwilling { host, provider }),
            };
        }
        if is_page(&host) {
            Verdict::Allow
        } else if READING.contains(&host.as_str()) {
            Verdict::OpenInBrowser
        } else if is_frame(url, &host) {
            Verdict::Allow
        } else if UNMISSED_BELOW.iter().any(|parent| is_below(&host, parent)) {
            Verdict::Refuse(Refusal::Nothing)
        } else {
            Verdict::Refuse(Refusal::Unknown { host })
        }
    }

    /// Whether this may be the page that the window shows.
    pub(crate) fn may_show(&self, url: &Url) -> bool {
        let page = url.scheme() == "https" && url.port().is_none() && url.host_str().is_some_and(is_page);
        page || self.is_begin(url) || url.scheme() == "about"
    }

    /// The host it begins at, which may be another than the real one: `CODEFERRY_AUTH_URL`. In the clear only on this machine.
    fn is_begin(&self, url: &Url) -> bool {
        url.origin() == self.begins.origin() && (url.scheme() == "https" || is_loopback(url))
    }

    /// `localhost` is taken for what it is: the auth host may write either.
    fn is_back(&self, url: &Url) -> bool {
        let parts = |url: &Url| (url.scheme().to_owned(), url.port_or_known_default(), url.path().to_owned());
        is_loopback(url) && parts(url) == parts(&self.back)
    }
}

/// This machine, by one of the names that an address of ours has.
pub(crate) fn is_loopback(url: &Url) -> bool {
    matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"))
}

fn is_page(host: &str) -> bool {
    PAGES.contains(&host) || host.ends_with(".auth.openai.com")
}

fn is_frame(url: &Url, host: &str) -> bool {
    FRAMES.contains(&host)
        || FRAMES_BELOW.iter().any(|parent| is_below(host, parent))
        || (host == "www.google.com" && url.path().starts_with("/recaptcha/"))
}

/// The host of that name, or one below it.
fn is_below(host: &str, parent: &str) -> bool {
    host.strip_suffix(parent).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

fn unwilling(url: &Url, host: &str) -> Option<&'static str> {
    let known = UNWILLING.iter().find(|(name, _)| *name == host).map(|(_, provider)| *provider);
    let refuses = || url.query().is_some_and(|query| query.contains(UNWILLING_ERROR));
    known.or_else(|| refuses().then_some("This identity provider"))
}

#[cfg(test)]
mod tests;

//! Sessions of browsers: begun by a link that opens once, kept by a cookie, ended by the person or by time.
//!
//! Whoever holds the control token asks for a link; the browser that opens it first gets a session. Links and sessions
//! are random, and are kept here as hashes, in memory alone: a restart ends them all.
//!
//! **Invariant:** a link opens one session, whoever asks at the same moment. A session opens the control plane and never
//! the data plane.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::{HeaderMap, header};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// A link is for now: it was asked for by the person who opens it.
pub(crate) const LINK_LASTS: Duration = Duration::from_secs(60);
/// How long a session lasts after it was last used.
pub(crate) const SESSION_LASTS: Duration = Duration::from_secs(12 * 60 * 60);
/// The oldest gives way to one more.
const MOST_LINKS: usize = 4;
/// Of them the one that was not used for the longest time gives way.
const MOST_SESSIONS: usize = 32;
/// So many cookies of our name are looked at. Other programs on this host can set some, too.
const MOST_COOKIES: usize = 8;

/// All links and sessions.
#[derive(Debug, Default)]
pub(crate) struct Sessions(Mutex<Held>);

#[derive(Debug, Default)]
struct Held {
    links: Vec<Link>,
    open: Vec<Open>,
}

#[derive(Debug)]
struct Link {
    hash: Hash,
    until: Instant,
}

#[derive(Debug)]
struct Open {
    hash: Hash,
    used: Instant,
    ended: CancellationToken,
}

type Hash = [u8; 32];

/// A session that is open.
#[derive(Debug, Clone)]
pub(crate) struct Session {
    hash: Hash,
    /// Cancelled when it ends. What still runs for it ends then.
    pub(crate) ended: CancellationToken,
}

// === impl Sessions ===

impl Sessions {
    /// A new link's code. It is good once, for [`LINK_LASTS`].
    pub(crate) fn link(&self) -> Result<String, getrandom::Error> {
        let code = secret()?;
        let mut held = self.held();
        if held.links.len() >= MOST_LINKS {
            held.links.remove(0);
        }
        held.links.push(Link { hash: hash(&code), until: Instant::now() + LINK_LASTS });
        Ok(code)
    }

    /// A session for a link's code: the secret of its cookie. `None`: the code is not good, or not any more.
    pub(crate) fn redeem(&self, code: &str) -> Result<Option<String>, getrandom::Error> {
        let cookie = secret()?;
        let code = hash(code);
        let mut held = self.held();
        let at = position(held.links.iter().map(|link| &link.hash), &code);
        let Some(at) = at else { return Ok(None) };
        held.links.remove(at);
        if held.open.len() >= MOST_SESSIONS
            && let Some(oldest) = held.open.iter().enumerate().min_by_key(|(_, open)| open.used).map(|(at, _)| at)
        {
            held.open.remove(oldest).ended.cancel();
        }
        held.open.push(Open { hash: hash(&cookie), used: Instant::now(), ended: CancellationToken::new() });
        Ok(Some(cookie))
    }

    /// The session behind one of these cookies, which counts as used.
    pub(crate) fn find<'c>(&self, cookies: impl Iterator<Item = &'c str>) -> Option<Session> {
        let mut held = self.held();
        cookies.take(MOST_COOKIES).find_map(|cookie| {
            let at = position(held.open.iter().map(|open| &open.hash), &hash(cookie))?;
            let open = held.open.get_mut(at)?;
            open.used = Instant::now();
            Some(Session { hash: open.hash, ended: open.ended.clone() })
        })
    }

    /// Somebody still looks: the session counts as used.
    pub(crate) fn touch(&self, session: &Session) {
        if let Some(open) = self.held().open.iter_mut().find(|open| open.hash == session.hash) {
            open.used = Instant::now();
        }
    }

    /// Ends one session.
    pub(crate) fn end(&self, session: &Session) {
        let mut held = self.held();
        held.open.retain(|open| open.hash != session.hash);
        session.ended.cancel();
    }

    /// Ends all sessions, and the links that could open one; how many sessions there were.
    pub(crate) fn end_all(&self) -> usize {
        let mut held = self.held();
        held.links.clear();
        held.open.drain(..).inspect(|open| open.ended.cancel()).count()
    }

    /// What is held, without what has run out.
    fn held(&self) -> MutexGuard<'_, Held> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        held.links.retain(|link| now < link.until);
        held.open.retain(|open| {
            let lasts = now < open.used + SESSION_LASTS;
            if !lasts {
                open.ended.cancel();
            }
            lasts
        });
        held
    }
}

/// What our cookie is called. Cookies know no ports, so two gateways on one host need two names.
pub(crate) fn cookie_name(port: u16) -> String {
    format!("codeferry_{port}")
}

/// The header that gives a browser its session.
pub(crate) fn set_cookie(port: u16, secret: &str) -> String {
    format!("{}={secret}; Path=/; HttpOnly; SameSite=Strict", cookie_name(port))
}

/// The header that takes it away.
pub(crate) fn unset_cookie(port: u16) -> String {
    format!("{}; Max-Age=0", set_cookie(port, ""))
}

/// The values of our cookie; there may be several.
pub(crate) fn cookies<'h>(headers: &'h HeaderMap, name: &'h str) -> impl Iterator<Item = &'h str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(move |(found, _)| *found == name).map(|(_, value)| value)
}

/// 256 random bits.
fn secret() -> Result<String, getrandom::Error> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

fn hash(secret: &str) -> Hash {
    Sha256::digest(secret.as_bytes()).into()
}

/// Where it is. All are compared, each in constant time.
fn position<'h>(all: impl Iterator<Item = &'h Hash>, wanted: &Hash) -> Option<usize> {
    let mut found = None;
    for (at, hash) in all.enumerate() {
        if bool::from(hash.ct_eq(wanted)) {
            found = Some(at);
        }
    }
    found
}

#[cfg(test)]
mod tests;

//! Which account serves the next request. Pure: no lock, no clock, no vault.
//!
//! What the rotations remember (whose turn was when) is an argument too, and given back as [`Picked::turn`]: there is
//! no cursor that a list could shift under, and a step taken for a failed request is nobody's turn.

use std::cmp::Reverse;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::{AccountId, Blocked, NoAccount, Rest, Rotation};

/// What choosing needs to know of an account. The order of the list is the order in which they were added.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    pub id: &'a AccountId,
    /// What to call it in the reason.
    pub name: &'a str,
    /// Why its sign-in has ended, if it has.
    pub sign_in: Option<&'a str>,
    /// Its owner wants it left alone.
    pub paused: bool,
    /// Its rest, over or not.
    pub rest: Option<Rest>,
    /// Higher goes first.
    pub priority: i32,
    /// Leases of it that are out.
    pub in_flight: usize,
    /// When it last had its turn, as a count; 0: never.
    pub turn: u64,
    /// When it was last lent, as a count; 0: never.
    pub used: u64,
}

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Ask<'a> {
    pub rotation: Rotation,
    pub active: Option<&'a AccountId>,
    /// The account this conversation is with.
    pub kept: Option<&'a AccountId>,
    /// Accounts tried for this request already.
    pub excluded: &'a [AccountId],
    pub now: Timestamp,
    /// For the clock in the reasons.
    pub zone: &'a TimeZone,
}

/// The account to use, and why this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picked {
    pub id: AccountId,
    /// `work: active; home: cooling down until 13:05`
    pub why: String,
    /// The same with ids for names and without the words of others: those may hold e-mail addresses.
    pub why_logged: String,
    /// The account the conversation was with until now.
    pub moved_from: Option<AccountId>,
    /// It was its turn: remember that it has had it.
    pub turn: bool,
    /// A request is to be served by it, and counts when the work is shared out.
    pub counts: bool,
}

/// Why an account cannot serve.
enum Hindrance<'a> {
    Paused,
    SignIn(&'a str),
    Resting(Rest),
    Tried,
}

/// Who reads a reason.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Audience {
    Owner,
    Log,
}

/// More than this many accounts that were passed over are counted, not named.
const MOST_NAMED: usize = 4;

/// Choose an account.
///
/// In personal mode the active one serves, or nobody does: whose plan pays is the user's to say. In every other mode the
/// conversation's own account comes first, then the order of the [`Rotation`].
pub fn pick(views: &[View<'_>], ask: &Ask<'_>) -> Result<Picked, NoAccount> {
    if views.is_empty() {
        return Err(NoAccount::None);
    }
    let moved_from = |to: &View<'_>| ask.kept.filter(|kept| *kept != to.id).cloned();
    if ask.rotation == Rotation::Personal {
        let Some(view) = views.iter().find(|view| view.is_active(ask)) else {
            let accounts = views.iter().map(|view| view.blocked("not active".to_owned())).collect();
            return Err(NoAccount::NoneActive { accounts });
        };
        if view.hindrance(ask).is_some() {
            return Err(nobody(std::slice::from_ref(view), ask));
        }
        let moved_from = moved_from(view);
        let moved = if moved_from.is_some() { "; the conversation was with another account" } else { "" };
        return Ok(Picked::of(view, &format!("active{moved}"), moved_from));
    }

    let free = |view: &&View<'_>| view.hindrance(ask).is_none();
    if let Some(view) = views.iter().find(|view| Some(view.id) == ask.kept).filter(free) {
        return Ok(Picked::of(view, "this conversation is with it", None));
    }
    let ready: Vec<(usize, &View<'_>)> = views.iter().enumerate().filter(|(_, view)| free(view)).collect();
    let start = views.iter().position(|view| view.is_active(ask)).unwrap_or(0);
    // Counted from the active account, around.
    let place = |at: usize| (at + views.len() - start) % views.len();
    let first = Reverse(ready.iter().map(|(_, view)| view.priority).max());
    let front = |view: &View<'_>| Reverse(Some(view.priority)) == first;
    let found = match ask.rotation {
        Rotation::Personal => None,
        Rotation::Sticky => {
            ready.iter().min_by_key(|(at, view)| (!view.is_active(ask), Reverse(view.priority), place(*at)))
        }
        Rotation::FillFirst => {
            ready.iter().min_by_key(|(at, view)| (Reverse(view.priority), !view.is_active(ask), *at))
        }
        Rotation::RoundRobin => {
            ready.iter().filter(|(_, view)| front(view)).min_by_key(|(at, view)| (view.turn, place(*at)))
        }
        Rotation::LeastInFlight => {
            let key = |(at, view): &&(usize, &View<'_>)| (view.in_flight, view.used, place(*at));
            ready.iter().filter(|(_, view)| front(view)).min_by_key(key)
        }
    };
    let Some((_, view)) = found else { return Err(nobody(views, ask)) };
    Ok(Picked {
        id: view.id.clone(),
        why: reason(view, views, ask, Audience::Owner),
        why_logged: reason(view, views, ask, Audience::Log),
        moved_from: moved_from(view),
        // A step taken because another account failed is no turn: the next request is where it would have been.
        turn: ask.rotation == Rotation::RoundRobin && ask.excluded.is_empty(),
        counts: true,
    })
}

/// Take the one account that a request names, if it can serve. Nobody stands in for it, and it is nobody's turn.
pub fn named(view: &View<'_>, ask: &Ask<'_>) -> Result<Picked, NoAccount> {
    match view.hindrance(ask) {
        None => Ok(Picked::of(view, "asked for by name", None)),
        Some(_) => Err(nobody(std::slice::from_ref(view), ask)),
    }
}

/// What to tell when nobody is left: what helps soonest comes first.
fn nobody(views: &[View<'_>], ask: &Ask<'_>) -> NoAccount {
    let mut earliest: Option<Timestamp> = None;
    let (mut tried, mut sign_in) = (false, false);
    let mut accounts = Vec::with_capacity(views.len());
    for view in views {
        let Some(hindrance) = view.hindrance(ask) else { continue };
        match &hindrance {
            Hindrance::Resting(Rest { until: Some(until), .. }) => {
                earliest = Some(earliest.map_or(*until, |known| known.min(*until)));
            }
            Hindrance::Tried => tried = true,
            Hindrance::SignIn(_) => sign_in = true,
            Hindrance::Paused | Hindrance::Resting(_) => {}
        }
        let why = match hindrance {
            // The one moment is in the sentence already.
            Hindrance::Resting(rest) if views.len() == 1 => rest.why.to_string(),
            hindrance => hindrance.sentence(ask),
        };
        accounts.push(view.blocked(why));
    }
    match earliest {
        Some(earliest) => NoAccount::CoolingDown { earliest, accounts },
        None if tried => NoAccount::Excluded { accounts },
        None if sign_in => NoAccount::NeedsSignIn { accounts },
        None => NoAccount::Unusable { accounts },
    }
}

fn reason(view: &View<'_>, views: &[View<'_>], ask: &Ask<'_>, audience: Audience) -> String {
    let name = |view: &View<'_>| match audience {
        Audience::Owner => view.name.to_owned(),
        Audience::Log => view.id.to_string(),
    };
    let own = match ask.rotation {
        Rotation::Personal | Rotation::Sticky if view.is_active(ask) => "active".to_owned(),
        Rotation::Personal | Rotation::Sticky => "next in line".to_owned(),
        Rotation::FillFirst => "first in line".to_owned(),
        Rotation::RoundRobin => "its turn".to_owned(),
        Rotation::LeastInFlight => format!("fewest requests under way ({})", view.in_flight),
    };
    let mut why = format!("{}: {own}", name(view));
    let mut unnamed = 0;
    let hindered = views.iter().filter_map(|other| Some((other, other.hindrance(ask)?)));
    for (at, (other, hindrance)) in hindered.enumerate() {
        // Where a conversation comes from is always said.
        let moved = Some(other.id) == ask.kept;
        if at >= MOST_NAMED && !moved {
            unnamed += 1;
            continue;
        }
        let hindrance = match hindrance {
            Hindrance::SignIn(_) if audience == Audience::Log => "needs sign-in".to_owned(),
            hindrance => hindrance.sentence(ask),
        };
        let who = if moved { format!("moved from {}", name(other)) } else { name(other) };
        why += &format!("; {who}: {hindrance}");
    }
    if unnamed > 0 {
        why += &format!("; {unnamed} more cannot serve");
    }
    let gone = ask.kept.is_some_and(|kept| !views.iter().any(|view| view.id == kept));
    if gone {
        why += "; moved from an account that is gone";
    }
    why
}

/// `13:05`, or `Sat 21 Nov, 09:00` on another day.
fn clock(at: Timestamp, ask: &Ask<'_>) -> String {
    let (there, here) = (at.to_zoned(ask.zone.clone()), ask.now.to_zoned(ask.zone.clone()));
    let form = if there.date() == here.date() { "%H:%M" } else { "%a %d %b, %H:%M" };
    let utc = if *ask.zone == TimeZone::UTC { " UTC" } else { "" };
    format!("{}{utc}", there.strftime(form))
}

// === impl Picked ===

impl Picked {
    /// A choice with one reason and no comparison; nobody's turn.
    pub(crate) fn of(view: &View<'_>, reason: &str, moved_from: Option<AccountId>) -> Self {
        Self {
            id: view.id.clone(),
            why: format!("{}: {reason}", view.name),
            why_logged: format!("{}: {reason}", view.id),
            moved_from,
            turn: false,
            counts: true,
        }
    }

    /// The same for a look at the account itself.
    pub(crate) fn for_a_look(self) -> Self {
        Self { counts: false, ..self }
    }
}

// === impl View ===

impl<'a> View<'a> {
    fn is_active(&self, ask: &Ask<'_>) -> bool {
        Some(self.id) == ask.active
    }

    fn hindrance(&self, ask: &Ask<'_>) -> Option<Hindrance<'a>> {
        if self.paused {
            return Some(Hindrance::Paused);
        }
        if let Some(why) = self.sign_in {
            return Some(Hindrance::SignIn(why));
        }
        if let Some(rest) = self.rest.filter(|rest| rest.lasts(ask.now)) {
            return Some(Hindrance::Resting(rest));
        }
        ask.excluded.contains(self.id).then_some(Hindrance::Tried)
    }

    fn blocked(&self, why: String) -> Blocked {
        Blocked { id: self.id.clone(), name: self.name.to_owned(), why }
    }
}

// === impl Hindrance ===

impl Hindrance<'_> {
    fn sentence(&self, ask: &Ask<'_>) -> String {
        match self {
            Self::Paused => "paused".to_owned(),
            Self::SignIn(why) => (*why).to_owned(),
            Self::Resting(Rest { until: Some(until), why, .. }) => {
                format!("cooling down until {} ({why})", clock(*until, ask))
            }
            Self::Resting(rest) => format!("{}, until it is woken", rest.why),
            Self::Tried => "tried for this request".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests;

//! Which account serves the next request. Pure: no lock, no clock, no vault.

use jiff::Timestamp;

use crate::{AccountId, Blocked, Cooldown, NoAccount};

/// What choosing needs to know of an account.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    pub id: &'a AccountId,
    /// What to call it in the reason.
    pub name: &'a str,
    /// Why its sign-in has ended, if it has.
    pub sign_in: Option<&'a str>,
    /// Until when it rests, and why. In the past: it rests no more.
    pub cooldown: Option<(Timestamp, Cooldown)>,
}

/// The account to use, and why this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picked {
    pub id: AccountId,
    pub why: String,
}

/// Choose an account in personal mode: the active one serves, or nobody does.
///
/// Another account never steps in unasked; whose plan pays is the user's to say. `excluded` are the accounts tried for
/// this request already.
pub fn pick(
    views: &[View<'_>],
    active: Option<&AccountId>,
    excluded: &[AccountId],
    now: Timestamp,
) -> Result<Picked, NoAccount> {
    if views.is_empty() {
        return Err(NoAccount::None);
    }
    let Some(view) = views.iter().find(|view| Some(view.id) == active) else {
        return Err(NoAccount::NoneActive { accounts: views.iter().map(|view| view.blocked("not active")).collect() });
    };
    if let Some(why) = view.sign_in {
        return Err(NoAccount::NeedsSignIn { accounts: vec![view.blocked(why)] });
    }
    if let Some((until, why)) = view.cooldown
        && until > now
    {
        return Err(NoAccount::CoolingDown { earliest: until, accounts: vec![view.blocked(&why.to_string())] });
    }
    if excluded.contains(view.id) {
        return Err(NoAccount::Excluded { accounts: vec![view.blocked("tried for this request")] });
    }
    Ok(Picked { id: view.id.clone(), why: format!("{}: active", view.name) })
}

// === impl View ===

impl View<'_> {
    fn blocked(&self, why: &str) -> Blocked {
        Blocked { id: self.id.clone(), name: self.name.to_owned(), why: why.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};
    use proptest::prelude::*;

    use super::{View, pick};
    use crate::{AccountId, Cooldown, Kind, NoAccount};

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn id(number: usize) -> AccountId {
        AccountId::derive(Kind::Codex, None, Some(&number.to_string()))
    }

    fn view(id: &AccountId) -> View<'_> {
        View { id, name: "work", sign_in: None, cooldown: None }
    }

    #[test]
    fn the_reason_comes_with_the_account() {
        let (work, home) = (id(1), id(2));
        let picked = pick(&[view(&home), view(&work)], Some(&work), &[], NOW).expect("it is ready");
        assert_eq!((picked.id, picked.why.as_str()), (work, "work: active"));
    }

    #[test]
    fn every_refusal_says_why() {
        let work = id(1);
        let refused = |view: View<'_>, active: Option<&AccountId>, excluded: &[AccountId]| {
            pick(&[view], active, excluded, NOW).expect_err("refused").to_string()
        };
        let until = NOW + SignedDuration::from_hours(1);
        assert_eq!(pick(&[], None, &[], NOW), Err(NoAccount::None));
        assert!(refused(view(&work), None, &[]).contains("codeferry accounts switch"));
        assert_eq!(
            refused(View { sign_in: Some("revoked"), ..view(&work) }, Some(&work), &[]),
            "sign-in needed: work: revoked"
        );
        assert_eq!(
            refused(View { cooldown: Some((until, Cooldown::UsageLimit)), ..view(&work) }, Some(&work), &[]),
            "cooling down until 1970-01-01T01:00:00Z: work: usage limit reached"
        );
        assert!(refused(view(&work), Some(&work), std::slice::from_ref(&work)).contains("tried"));
    }

    #[test]
    fn a_cooldown_ends_at_its_end() {
        let work = id(1);
        let view = View { cooldown: Some((NOW, Cooldown::RateLimit)), ..view(&work) };
        pick(&[view], Some(&work), &[], NOW).expect("over");
    }

    proptest! {
        #[test]
        fn only_the_active_account_and_never_a_blocked_one_is_picked(
            accounts in prop::collection::vec((any::<bool>(), prop::option::of(-5i64..5)), 0..6),
            active in prop::option::of(0..6usize), excluded in prop::collection::vec(0..6usize, 0..3),
        ) {
            let ids: Vec<_> = (0..6).map(id).collect();
            let views: Vec<_> = accounts.iter().zip(&ids).map(|((dead, rest), id)| View {
                sign_in: dead.then_some("dead"),
                cooldown: rest.map(|rest| (NOW + SignedDuration::from_secs(rest), Cooldown::RateLimit)),
                ..view(id)
            }).collect();
            let excluded: Vec<_> = excluded.into_iter().map(|at| ids[at].clone()).collect();
            let ready = active.filter(|&at| {
                accounts.get(at).is_some_and(|(dead, rest)| !dead && rest.is_none_or(|rest| rest <= 0))
                    && !excluded.contains(&ids[at])
            });
            let picked = pick(&views, active.map(|at| &ids[at]), &excluded, NOW);
            prop_assert_eq!(picked.ok().map(|picked| picked.id), ready.map(|at| ids[at].clone()));
        }
    }
}

//! How tokens and sign-ins end before their time.

use super::{Family, Issuer};
use crate::account::Identity;

impl Issuer {
    /// Ends the sign-in a refresh or access token belongs to. None: it is none of ours.
    pub(crate) fn revoke_any(&self, token: &str) -> Option<Identity> {
        let (who, family, generation) = match self.read_refresh(token) {
            Some(found) => found,
            None => {
                let claims = self.read_access(token)?;
                (claims.identity, claims.family, 0)
            }
        };
        let mut state = self.lock();
        let known = state.families.entry(family).or_insert_with(|| Family::found(&who.account_id, generation));
        known.dead = true;
        known.revoked = true;
        Some(who)
    }

    /// Ends one sign-in.
    pub(crate) fn revoke_family(&self, family: &str) {
        if let Some(family) = self.lock().families.get_mut(family) {
            family.dead = true;
            family.revoked = true;
        }
    }

    /// Ends every sign-in of an account.
    pub(crate) fn revoke_account(&self, account: &str) {
        for family in self.lock().families.values_mut().filter(|family| family.account == account) {
            family.dead = true;
            family.revoked = true;
        }
    }

    /// Every access token issued until now is expired from here on, whatever its `exp` says.
    ///
    /// Plan tokens may be refreshed at once: their time has come.
    pub(crate) fn expire_all(&self) {
        let mut state = self.lock();
        state.expired_below = state.serial;
        for family in state.families.values_mut() {
            family.earliest = i64::MIN;
        }
    }

    /// This one access token is refused from here on; its family may be refreshed at once.
    pub(crate) fn revoke(&self, token: &str) {
        if let Some(claims) = self.read_access(token) {
            let mut state = self.lock();
            // Bounded, because the embedded demo account runs for weeks.
            if state.revoked.len() > 10_000 {
                state.revoked.clear();
            }
            state.revoked.insert(claims.serial);
            if let Some(family) = state.families.get_mut(&claims.family) {
                family.earliest = i64::MIN;
            }
        }
    }
}

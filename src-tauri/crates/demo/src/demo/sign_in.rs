//! The handle's part of the auth host: who sits at the browser, what is granted, and what goes wrong.

use super::Demo;
use crate::auth::device::Stage;
use crate::auth::fault::{AuthFault, Endpoint};
use crate::auth::keys::IdTokenFault;

impl Demo {
    /// Whether a sign-in page answers itself: the first visitor says yes, and the browser is sent on at once.
    ///
    /// Without it, `&demo=allow` or `&demo=deny` at the end of an authorize URL does the same for one request, and
    /// `&demo_account=NAME` names who says yes.
    pub fn auto_consent(&self, yes: bool) {
        self.world.auth.lock().auto_consent = yes;
    }

    /// The accounts that sign-in pages offer, the first one first. `work` and `home`, unless told so.
    pub fn set_visitors(&self, names: &[&str]) {
        self.world.auth.lock().visitors = names.iter().map(|name| (*name).to_owned()).collect();
    }

    /// Whether plan sign-ins get `chatgpt.tokens.use.direct` (on the page: whether the box is ticked). They do.
    pub fn grant_plan_usage(&self, yes: bool) {
        self.world.auth.lock().plan_usage = yes;
    }

    // --- keys and id tokens ---

    /// Id tokens are signed with another key from here on, under a new `kid`; the last one stays published.
    pub fn rotate_signing_key(&self) {
        self.world.issuer.keys.rotate();
    }

    /// The next id token of an answer is wrong in this way; several wait in line.
    pub fn spoil_next_id_token(&self, fault: IdTokenFault) {
        self.world.issuer.spoil(fault);
    }

    // --- device codes ---

    /// Device codes that wait for somebody, oldest first.
    pub fn device_codes(&self) -> Vec<String> {
        self.world.auth.lock().devices.waiting()
    }

    /// The first visitor agrees to a device code; false when no such code is waiting.
    pub fn approve_device(&self, user_code: &str) -> bool {
        let visitor = self.world.auth.lock().visitors.first().cloned().unwrap_or_default();
        self.approve_device_as(user_code, &visitor)
    }

    /// The account of this name agrees to a device code.
    pub fn approve_device_as(&self, user_code: &str, name: &str) -> bool {
        self.decide(user_code, Stage::Approved(name.to_owned()))
    }

    /// Somebody presses `Cancel` on the device page.
    pub fn deny_device(&self, user_code: &str) -> bool {
        self.decide(user_code, Stage::Denied)
    }

    /// The quarter of an hour of a device code is over.
    pub fn expire_device(&self, user_code: &str) -> bool {
        self.decide(user_code, Stage::Expired)
    }

    fn decide(&self, user_code: &str, stage: Stage) -> bool {
        let now = self.world.now();
        self.world.auth.lock().devices.decide(user_code, now, stage)
    }

    /// The next polls for device codes are told to slow down.
    pub fn slow_down_devices(&self, polls: u32) {
        self.world.auth.lock().devices.slow_down = polls;
    }

    /// Whether device codes are given out at all; if not, the endpoint answers 404.
    pub fn enable_device_codes(&self, yes: bool) {
        self.world.auth.lock().devices.enabled = yes;
    }

    /// The status of "not yet": 403 or 404.
    pub fn set_device_pending_status(&self, status: u16) {
        self.world.auth.lock().devices.pending_status = status;
    }

    // --- tokens ---

    /// Ends every sign-in of the account, as its owner can on the web: access tokens are refused at once, refresh tokens
    /// with `refresh_token_invalidated`.
    pub fn revoke_sign_ins(&self, account_id: &str) {
        self.world.issuer.revoke_account(account_id);
    }

    /// Whether this refresh token is the current one of a sign-in that was not ended.
    pub fn is_live(&self, refresh_token: &str) -> bool {
        self.world.issuer.is_live(refresh_token)
    }

    // --- faults ---

    /// The next request to this endpoint goes wrong; several faults wait in line.
    pub fn fail_next(&self, endpoint: Endpoint, fault: AuthFault) {
        self.world.auth.lock().faults.push(endpoint, fault);
    }

    /// Every request to this endpoint goes wrong, until this is called with `None`.
    pub fn fail_always(&self, endpoint: Endpoint, fault: Option<AuthFault>) {
        self.world.auth.lock().faults.stand(endpoint, fault);
    }
}

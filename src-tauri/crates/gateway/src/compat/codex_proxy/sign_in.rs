//! `/accounts/add…`: signing in, by the same engine as everywhere.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use codeferry_accounts::Kind;
use serde::{Deserialize, Serialize};

use super::super::sent::Body;
use super::Done;
use super::view::name;
use crate::Gateway;
use crate::control::accounts::find;
use crate::control::refused::Refused;
use crate::sign_in::{Delivered, Method, Stage};

#[derive(Serialize)]
struct Begun {
    status: &'static str,
    oauth_url: String,
    callback_port: Option<u16>,
}

#[derive(Serialize)]
struct NotBegun {
    status: &'static str,
    error: &'static str,
    message: String,
}

/// A `verifier` may be sent along, and is not needed: ours stay here.
#[derive(Default, Deserialize)]
pub(super) struct Pasted {
    code: Option<String>,
}

/// The port is not the caller's to choose: the auth host knows two (`codex-backend.md §1`), and the answer says which.
pub(super) async fn begin(State(gateway): State<Arc<Gateway>>) -> Response {
    match gateway.begin_sign_in(Kind::Codex, Method::Browser, None).await {
        Ok(begun) => {
            Json(Begun { status: "oauth_url", oauth_url: begun.url, callback_port: begun.port }).into_response()
        }
        Err(error) => {
            let (error, message) = ("Failed to start OAuth callback server", error.to_string());
            let failed = NotBegun { status: "error", error, message };
            (StatusCode::INTERNAL_SERVER_ERROR, Json(failed)).into_response()
        }
    }
}

/// The address at which the browser ended; or the code alone, if there is no doubt about whose it is.
pub(super) async fn pasted(
    State(gateway): State<Arc<Gateway>>,
    Body(pasted): Body<Pasted>,
) -> Result<Json<Done>, Refused> {
    let refused = |message: String| Refused::new(StatusCode::BAD_REQUEST, "bad_callback", message);
    let code = pasted.code.map(|code| code.trim().to_owned()).filter(|code| !code.is_empty());
    let Some(code) = code else { return Err(refused("Code is required".to_owned())) };
    let delivered = if code.contains("state=") {
        gateway.deliver_callback(&code).await
    } else {
        let Some(id) = gateway.sign_ins.only_waiting(Kind::Codex) else {
            let message = "a bare code is taken while exactly one sign-in waits for it; paste the whole callback URL";
            return Err(refused(message.to_owned()));
        };
        gateway.deliver_pasted(id, &code).await
    };
    match delivered {
        Delivered::Ended(Stage::Done { account, .. }) => {
            let account = find(&gateway, account.as_str()).await?;
            let pays = if account.active { "" } else { "; another account pays until you switch" };
            Ok(Done::new(format!("Account {} added successfully{pays}", name(&account))))
        }
        Delivered::Ended(Stage::Failed { message, hint }) => Err(refused(format!("{message}; {hint}"))),
        Delivered::Ended(_) => Err(refused("the sign-in was given up".to_owned())),
        Delivered::Stale => Err(refused("this answer belongs to a sign-in that is no longer waited for".to_owned())),
        Delivered::Unreadable(why) => Err(refused(why)),
    }
}

pub(super) async fn give_up(State(gateway): State<Arc<Gateway>>) -> Json<Done> {
    gateway.sign_ins.cancel_browsers(Kind::Codex);
    Done::new("OAuth servers cleaned up")
}

//! What every request to the auth host and the account endpoints has in common: it is read, it is recorded, and it can
//! go wrong before or after it has done something.

use std::collections::HashMap;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::Value;

use crate::auth::fault::{AuthFault, Endpoint, oauth_refusal};
use crate::failure::{Circumstances, Failure};
use crate::net::Line;
use crate::record::{Exchange, Outcome, Route};
use crate::refusal::Refusal;
use crate::respond::drop_line;
use crate::routes::{json_body, refuse};
use crate::script::Releases;
use crate::strict::Provider;
use crate::world::World;

/// Credentials fit in there many times.
const BODY_LIMIT: usize = 1 << 20;

/// One request on its way.
pub(crate) struct Visit {
    pub(crate) world: Arc<World>,
    pub(crate) parts: Parts,
    pub(crate) json: Option<Arc<Value>>,
    /// The body's fields, or those of the query where there is no body.
    pub(crate) fields: HashMap<String, String>,
    pub(crate) exchange: Exchange,
    pub(crate) releases: Releases,
    line: Line,
    /// A fault that comes after the deed.
    late: Option<AuthFault>,
}

// === impl Visit ===

impl Visit {
    /// Reads the request and puts it on record. A body without end is answered here.
    pub(crate) async fn read(world: Arc<World>, route: Route, line: Line, request: Request) -> Result<Self, Response> {
        let (parts, body) = request.into_parts();
        let mut exchange = world.recorder.begin(route, &parts);
        let releases = Releases::new(world.releases.subscribe());
        let Ok(raw) = axum::body::to_bytes(body, BODY_LIMIT).await else {
            return Err(refuse(&Refusal::detail(413, "Request body too large"), &mut exchange));
        };
        let json = serde_json::from_slice::<Value>(&raw).ok().map(Arc::new);
        exchange.body(&raw, json.as_ref());
        let fields = fields(&parts, json.as_deref(), &raw);
        Ok(Self { world, parts, json, fields, exchange, releases, line, late: None })
    }

    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        self.fields.get(name).map(String::as_str)
    }

    pub(crate) fn is_form(&self) -> bool {
        content_type(&self.parts.headers).starts_with("application/x-www-form-urlencoded")
    }

    pub(crate) fn is_json(&self) -> bool {
        self.json.is_some() && content_type(&self.parts.headers).starts_with("application/json")
    }

    /// Which of the two families of paths this is.
    pub(crate) fn provider(&self) -> Provider {
        let path = self.parts.uri.path();
        let device = path.starts_with("/api/accounts/deviceauth/");
        if path.starts_with("/api/accounts/") && !device { Provider::Plan } else { Provider::Codex }
    }

    /// The faults that come before the deed; with an answer, the visit is over.
    pub(crate) async fn misfortune(&mut self, endpoint: Endpoint) -> Option<Response> {
        let fault = self.world.auth.lock().faults.take(endpoint)?;
        let provider = self.provider();
        match fault {
            AuthFault::Status(status) => Some(self.refuse(&unavailable(status))),
            AuthFault::Challenge => Some(self.challenge()),
            AuthFault::Refuse(code) => {
                let refusal = oauth_refusal(provider, 400, &code, "The request was refused.");
                Some(self.refuse(&refusal.excused()))
            }
            AuthFault::Hang => {
                self.releases.next(None).await;
                None
            }
            AuthFault::Reset => Some(self.hang_up().await),
            late @ (AuthFault::LostAnswer | AuthFault::Garbled | AuthFault::Without(_)) => {
                self.late = Some(late);
                None
            }
        }
    }

    pub(crate) fn refuse(&mut self, refusal: &Refusal) -> Response {
        refuse(refusal, &mut self.exchange)
    }

    /// Refuses what no careful client sends.
    pub(crate) fn blame(&mut self, mut refusal: Refusal) -> Response {
        refusal.violation = true;
        self.refuse(&refusal)
    }

    /// Status 200 and this body, unless a fault keeps it.
    pub(crate) async fn answer(mut self, mut body: Value) -> Response {
        if let (Some(AuthFault::Without(field)), Some(fields)) = (&self.late, body.as_object_mut()) {
            fields.remove(*field);
        }
        let mut response = match self.late {
            Some(AuthFault::Garbled) => Response::new(Body::from("{\"this is\": no JSON")),
            _ => json_body(StatusCode::OK, &body),
        };
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        self.late = self.late.filter(|fault| *fault == AuthFault::LostAnswer);
        self.send(response).await
    }

    /// This answer, unless it gets lost.
    pub(crate) async fn send(mut self, response: Response) -> Response {
        if self.late == Some(AuthFault::LostAnswer) {
            return self.hang_up().await;
        }
        self.exchange.end(Outcome::Completed);
        response
    }

    pub(crate) async fn hang_up(&mut self) -> Response {
        drop_line(&self.line, &mut self.exchange).await
    }

    pub(crate) fn challenge(&mut self) -> Response {
        let case = Circumstances { provider: self.provider(), model: "", plan: "", now: 0 };
        let http = Failure::Challenge.http(case);
        self.exchange.end(Outcome::Refused { status: 403, reason: http.refusal.reason });
        let mut response = Response::new(Body::from(http.html.unwrap_or_default()));
        *response.status_mut() = StatusCode::FORBIDDEN;
        *response.headers_mut() = http.headers;
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=UTF-8"));
        response
    }
}

/// A host that has a bad day.
pub(crate) fn unavailable(status: u16) -> Refusal {
    Refusal::error(status, "server_error", Some("server_error"), None, "Please try again later.").excused()
}

fn content_type(headers: &HeaderMap) -> &str {
    headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

/// JSON from the Codex CLI, a form from everybody else, the query where there is no body.
fn fields(parts: &Parts, json: Option<&Value>, raw: &[u8]) -> HashMap<String, String> {
    let form = |bytes: &[u8]| url::form_urlencoded::parse(bytes).into_owned().collect();
    if raw.is_empty() {
        return form(parts.uri.query().unwrap_or_default().as_bytes());
    }
    if content_type(&parts.headers).starts_with("application/x-www-form-urlencoded") {
        return form(raw);
    }
    let fields = json.and_then(Value::as_object).into_iter().flatten();
    fields.filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned()))).collect()
}

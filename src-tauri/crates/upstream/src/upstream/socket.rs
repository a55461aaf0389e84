//! A request over a WebSocket, where its provider offers one and its client came over one.
//!
//! **Invariant:** nothing is lost by trying. Whatever keeps a socket from answering, short of a refusal of the request itself,
//! sends the same request over HTTP at once; what that says counts.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use codeferry_accounts::AccountId;
use http::HeaderMap;
use ring::digest::{SHA256, digest};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Utf8Bytes;
use url::Url;

use super::{Answer, Call, Upstream};
use crate::continuation::{Kept, Message};
use crate::failure::Failure;
use crate::headers;
use crate::line::{Held, Key, Seat};
use crate::provider::{Extra, Provider};
use crate::transport::answering::{First, code_of, refusal};
use crate::transport::body::Body;
use crate::transport::socket::{Broken, Connection, Handshake};

/// How long an upgrade may take, connecting included. What stands in between and does not know upgrades may swallow one.
const PATIENCE: Duration = Duration::from_secs(15);
/// For so long a socket that did not answer, where HTTP did, is not tried again.
const DETOUR: Duration = Duration::from_secs(10 * 60);

/// Where and for whom HTTP is taken for the time being, and until when.
#[derive(Debug, Default)]
pub(crate) struct Detours(Mutex<HashMap<(String, AccountId), Instant>>);

/// What became of a request over a socket.
pub(super) enum Tried {
    /// It was answered, or refused.
    Done(Box<Result<Answer, Failure>>),
    /// HTTP is to be taken, and this is why; nobody is told, if HTTP knows better.
    Elsewhere(String),
}

/// Why there is no connection.
enum Unopened {
    Failed(Failure),
    Elsewhere(String),
}

// === impl Detours ===

impl Detours {
    /// Whether HTTP is to be taken.
    pub(super) fn is_on(&self, host: &str, account: &AccountId) -> bool {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(&(host.to_owned(), account.clone())).is_some_and(|until| Instant::now() < *until)
    }

    /// HTTP answered where a socket did not.
    pub(super) fn begin(&self, host: &str, account: &AccountId) {
        let now = Instant::now();
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|_, until| now < *until);
        all.insert((host.to_owned(), account.clone()), now + DETOUR);
    }
}

// === impl Upstream ===

impl Upstream {
    /// The seat of a call that may take a socket.
    pub(super) fn seat<'c>(&self, call: &Call<'c>, host: &str) -> Option<Seat<'c>> {
        let seat = call.seat?;
        let offered = Provider::of(call.kind).socket.is_some() && call.endpoint.is_none();
        (offered && !self.detours.is_on(host, seat.account)).then_some(seat)
    }

    /// Sends a request over the connection of its line, or over a new one.
    pub(super) async fn by_socket(&self, call: &Call<'_>, seat: Seat<'_>, url: &Url, host: &Arc<str>) -> Tried {
        let key = Key {
            account: seat.account.clone(),
            url: url.to_string(),
            session: call.session_id.to_owned(),
            thread: call.thread_id.to_owned(),
            model: call.model.to_owned(),
            bearer: digest(&SHA256, call.access_token.expose().as_bytes()).as_ref().to_vec(),
        };
        let mut held = seat.line.take(&key);
        let mut refound = held.is_some();
        loop {
            let (mut connection, kept, request_id, headers) = match held.take() {
                Some(Held { connection, kept, request_id, .. }) => (connection, kept, request_id, HeaderMap::new()),
                None => match self.open_socket(call, url, host).await {
                    Ok((connection, headers)) => (connection, None, headers::request_id(&headers), headers),
                    Err(Unopened::Failed(failure)) => return Tried::Done(Box::new(Err(failure))),
                    Err(Unopened::Elsewhere(why)) => return Tried::Elsewhere(why),
                },
            };
            let Some(message) = written(call, kept.clone()).await else {
                return Tried::Elsewhere("the request is none".to_owned());
            };
            let Message { text, shortened, asked } = message;
            let text = Utf8Bytes::from(text);
            let sent = Bytes::from(text.clone());
            let idle = self.wire.options.idle_timeout;
            let first = async {
                match connection.send(text).await {
                    Ok(()) => {
                        First::of(connection, kept.as_ref(), key.clone(), seat.line, request_id.clone(), asked).await
                    }
                    Err(broken) => First::Broken(broken),
                }
            };
            match tokio::time::timeout(idle, first).await {
                Ok(First::Begun(answering)) => {
                    let body = Body::of_socket(answering, Arc::clone(host), self.wire.options.silence_timeout);
                    return Tried::Done(Box::new(Ok(answer(headers, request_id, sent, body))));
                }
                Ok(First::Refused { status, event, connection }) => {
                    match code_of(&event).as_deref() {
                        // The host does not know the response after all: it is told everything.
                        Some("previous_response_not_found") if shortened => {
                            let since = Instant::now();
                            held =
                                Some(Held { key: key.clone(), connection: *connection, request_id, kept: None, since });
                        }
                        Some("websocket_connection_limit_reached") if refound => {}
                        Some("websocket_connection_limit_reached") => {
                            return Tried::Elsewhere("a new connection was said to be too old".to_owned());
                        }
                        _ => return Tried::Done(Box::new(Err(refusal(status, &event, (self.wire.clock)())))),
                    }
                }
                // Closed while nobody looked, most likely.
                Ok(First::Broken(_)) if refound => {}
                Ok(First::Broken(Broken::Gone(why) | Broken::Wrong(why))) => return Tried::Elsewhere(why),
                Err(_) => {
                    // It may well be running, so it is not sent again; the next one is not to wait as long.
                    self.detours.begin(host, seat.account);
                    return Tried::Done(Box::new(Err(Failure::idle(host, idle))));
                }
            }
            refound = false;
        }
    }

    /// Asks for an upgrade.
    async fn open_socket(
        &self,
        call: &Call<'_>,
        url: &Url,
        host: &Arc<str>,
    ) -> Result<(Connection, HeaderMap), Unopened> {
        let wire = &*self.wire;
        let provider = Provider::of(call.kind);
        let mut headers = wire.headers(call.access_token, "*/*").map_err(Unopened::Failed)?;
        wire.add_identity(provider, call.chatgpt_account_id, &mut headers);
        call.add_conversation(provider, &mut headers);
        // Said in each message instead.
        headers.remove(Extra::LITE);
        super::insert(&mut headers, "openai-beta", provider.socket.and_then(|socket| socket.beta));
        let handshake = Handshake::add(&mut headers);
        let client = wire.clients.for_upgrade(url).map_err(Unopened::Failed)?;
        let asking = async {
            let response = match client.get(url.clone()).headers(headers).send().await {
                Ok(response) => response,
                // Where no connection can be made, none can for HTTP.
                Err(error) if error.is_connect() => {
                    return Err(Unopened::Failed(Failure::from_transport(&error, host)));
                }
                Err(error) => return Err(Unopened::Elsewhere(Failure::from_transport(&error, host).message)),
            };
            let (status, told) = (response.status(), response.headers().clone());
            wire.sightings.note(host, &told, (wire.clock)());
            if !handshake.is_answered(status, &told) {
                return Err(Unopened::Elsewhere(format!("the upgrade was answered with {status}")));
            }
            match Connection::over(response, Arc::clone(host)).await {
                Ok(connection) => Ok((connection, told)),
                Err(Broken::Gone(why) | Broken::Wrong(why)) => Err(Unopened::Elsewhere(why)),
            }
        };
        let late = || Unopened::Elsewhere(format!("no upgrade within {} s", PATIENCE.as_secs()));
        tokio::time::timeout(PATIENCE, asking).await.map_err(|_| late())?
    }
}

/// From here on writing a message takes milliseconds, too long for a thread that drives streams.
const OFF_THREAD: usize = 256 * 1024;

async fn written(call: &Call<'_>, kept: Option<Kept>) -> Option<Message> {
    let (body, lite) = (call.body.clone(), call.lite);
    let large = body.plain().len() >= OFF_THREAD;
    let write = move || Message::write(body.plain(), lite, kept.as_ref()).ok();
    if large { tokio::task::spawn_blocking(write).await.ok().flatten() } else { write() }
}

fn answer(headers: HeaderMap, request_id: Option<String>, sent: Bytes, body: Body) -> Answer {
    Answer {
        request_id,
        turn_state: headers::turn_state(&headers),
        models_etag: headers::models_etag(&headers),
        model: headers::model(&headers),
        headers,
        message: Some(sent),
        body,
    }
}

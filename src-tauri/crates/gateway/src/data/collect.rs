//! The answer in one piece, for clients that do not stream.
//!
//! It is the fold of the very frames a streaming client would get. Since nothing is sent before it is whole, a stream that
//! breaks off may be tried again as long as patience lasts.

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use codeferry_upstream::{Consequence, Failure, FailureKind};
use tokio::time::Instant;

use crate::Gateway;
use crate::attempt::{self, Committed, Plan};
use crate::refusal;
use crate::reply::{Problem, add_losses};
use crate::settle;
use crate::tap::{Outcome, Tap};
use crate::turn::End;
use crate::windows;

/// Answers in one piece.
pub(crate) async fn collect(gateway: &Arc<Gateway>, plan: &Plan, mut tap: Tap) -> Result<Response, (Problem, Tap)> {
    let deadline = Instant::now() + plan.patience;
    let mut retried = false;
    loop {
        let committed = match attempt::open(gateway, plan, &mut tap).await {
            Ok(committed) => committed,
            Err(problem) => return Err((problem, tap)),
        };
        let account = attempt::name_of(&committed.lease.account).to_owned();
        let left = windows::of(plan.recipe.dialect, &committed);
        let (problem, again) = match drive(gateway, committed, &mut tap).await {
            Ok(Some(message)) => return Ok(respond(message, left, &mut tap)),
            Ok(None) => (attempt::empty(&plan.model), true),
            Err(failure) => {
                let problem = refusal::of_failure(&failure, &plan.circumstances(gateway, &account));
                (problem, matches!(failure.consequence(), Consequence::SameAccount { .. }))
            }
        };
        if !again || std::mem::replace(&mut retried, true) || Instant::now() >= deadline {
            return Err((problem, tap));
        }
    }
}

/// Reads to the end; the message as JSON, or `None` if there is nothing in it.
async fn drive(gateway: &Gateway, committed: Committed, tap: &mut Tap) -> Result<Option<Vec<u8>>, Failure> {
    // The lease counts as under way until here.
    let Committed { lease, pool, mut body, mut turn, .. } = committed;
    loop {
        match turn.end() {
            Some(End::Finished) => {
                tap.facts.usage = turn.usage();
                tap.facts.notes = turn.notes();
                return Ok(turn.into_whole());
            }
            Some(End::Empty) => return Ok(None),
            Some(End::Failed(error)) => {
                let failure = attempt::failure_of(&lease.account, error, gateway.now());
                settle::note(&pool, &lease, &failure, gateway.now());
                return Err(failure);
            }
            Some(End::CutOff) => return Err(Failure::cut_off()),
            None => {}
        }
        let chunk = tokio::select! {
            chunk = body.chunk() => chunk?,
            () = gateway.closing.cancelled() => {
                return Err(Failure::new(FailureKind::Overloaded, "the gateway is shutting down"));
            }
        };
        match chunk {
            Some(bytes) => {
                tap.upstream(&bytes);
                turn.feed(&bytes);
            }
            None => turn.eof(),
        }
    }
}

fn respond(message: Vec<u8>, left: HeaderMap, tap: &mut Tap) -> Response {
    let mut response = Response::new(Body::from(message));
    let headers = response.headers_mut();
    headers.extend(left);
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    add_losses(headers, &tap.facts.losses.header());
    tap.first_byte();
    tap.end(&Outcome::Completed);
    response
}

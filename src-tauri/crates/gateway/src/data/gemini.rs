//! `POST /v1beta/models/{model}:generateContent`, `:streamGenerateContent` and `:countTokens`: Google's Gemini.
//!
//! The model and the way of answering stand in the path, so they are read before the body. A client key may stand in the
//! query, as Google has it; it is taken out of there at the door, before anybody writes the address down.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderName, HeaderValue, Uri, header};
use axum::response::Response;
use codeferry_translate::conversation::Conversation;
use codeferry_translate::lower::Lowered;
use codeferry_translate::lower::gemini::lower;
use codeferry_translate::stop::Limits;
use codeferry_translate::{count, effort};
use codeferry_wire::anthropic::ErrorKind;
use codeferry_wire::gemini::frame::{Form, Head};
use codeferry_wire::gemini::path::{Method, split};
use codeferry_wire::gemini::request::{BadRequest, Format, Request as Asked};

use super::exchange::{self, Prepared, Scene, mended};
use crate::dialect::{Dialect, Shape};
use crate::guard::GOOGLE_KEY;
use crate::reply::Problem;
use crate::tap::Tap;
use crate::turn::Recipe;
use crate::{Gateway, body, guard, new_request_id, routing};
use voice::Voice;

mod voice;

/// What the path and the query say of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Call {
    model: String,
    method: Method,
    /// `?alt=sse`
    sse: bool,
}

/// Answers a call of a model.
pub(crate) async fn call(
    State(gateway): State<Arc<Gateway>>,
    path: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    // What is no text is no name of a model either.
    let id = path.map(|Path(id)| id).unwrap_or_default();
    let mut request = with_key_in_header(request);
    let Some((model, method)) = split(&id) else {
        let message = "models can be asked for: generateContent, streamGenerateContent, countTokens";
        return Problem::new(ErrorKind::NotFound, message).into_response(Shape::Google, &new_request_id());
    };
    if method == Method::CountTokens {
        return match counted(&gateway, request).await {
            Ok(tokens) => json(format!("{{\"totalTokens\":{tokens}}}")),
            Err(problem) => problem.into_response(Shape::Google, &new_request_id()),
        };
    }
    let sse = query(request.uri()).any(|(name, value)| name == "alt" && value == "sse");
    let call = Call { model: model.to_owned(), method, sse };
    request.extensions_mut().insert(call);
    exchange::answer(&gateway, Dialect::Gemini, request, None).await
}

/// Puts the key from the query, if one is there, into the header for it.
pub(super) fn with_key_in_header(mut request: Request) -> Request {
    let Some((_, key)) = query(request.uri()).find(|(name, _)| name == "key") else { return request };
    let rest: Vec<_> = query(request.uri()).filter(|(name, _)| name != "key").collect();
    let rest = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(rest).finish();
    let path = request.uri().path();
    let bare = if rest.is_empty() { path.to_owned() } else { format!("{path}?{rest}") };
    // It was an address before, and is one without a part of its query.
    *request.uri_mut() = bare.parse().unwrap_or(Uri::from_static("/"));
    if let Ok(mut key) = HeaderValue::from_str(&key) {
        key.set_sensitive(true);
        request.headers_mut().entry(HeaderName::from_static(GOOGLE_KEY)).or_insert(key);
    }
    request
}

fn query(uri: &Uri) -> impl Iterator<Item = (String, String)> {
    let pairs: Vec<_> = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    pairs.into_iter()
}

fn json(body: String) -> Response {
    let mut response = Response::new(Body::from(body));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Counts with the ranks of the upstream's own models. Nothing goes upstream.
async fn counted(gateway: &Gateway, request: Request) -> Result<u64, Problem> {
    let (parts, body) = request.into_parts();
    guard::client_of(&parts.headers, &gateway.keys)?;
    let limit = routing::body_limit(&gateway.settings.snapshot());
    let bytes = body::read(&parts.headers, body, limit).await?;
    // Counting megabytes takes a while, and unpacking the ranks the first time does too.
    let counted = tokio::task::spawn_blocking(move || {
        Asked::parse_to_count(&bytes).map(|request| count::exact_gemini(&request)).map_err(refused)
    });
    counted.await.unwrap_or_else(|_| Err(Problem::new(ErrorKind::Api, "counting was interrupted")))
}

/// Reads a request, and says what is to be tried.
pub(super) fn read(scene: &Scene<'_>, bytes: &[u8], tap: &mut Tap) -> Result<Prepared, Problem> {
    let Some(call) = scene.call else {
        return Err(Problem::bad_request("the path names no model"));
    };
    let request = Asked::parse(bytes).map_err(refused)?;
    if !request.lone_surrogate {
        return prepare(scene, call, &request, bytes.len(), tap);
    }
    let mended = mended(bytes);
    let mut request = Asked::parse(&mended).map_err(refused)?;
    request.lone_surrogate = true;
    prepare(scene, call, &request, mended.len(), tap)
}

fn refused(bad: BadRequest) -> Problem {
    let field = bad.param().map(str::to_owned);
    Problem::bad_request(bad.to_string()).about(Some(bad.code()), field)
}

fn prepare(
    scene: &Scene<'_>,
    call: &Call,
    request: &Asked<'_>,
    size: usize,
    tap: &mut Tap,
) -> Result<Prepared, Problem> {
    let streamed = call.method == Method::Stream;
    tap.facts.path = if streamed {
        "/v1beta/models/{model}:streamGenerateContent"
    } else {
        "/v1beta/models/{model}:generateContent"
    };
    let way = scene.route(&call.model, streamed, tap)?;
    let conversation = Conversation::of_gemini(&call.model, request);
    let config = &request.config;
    let wanted = effort::wanted_by_gemini(config.level.as_deref(), config.budget, way.route.named, way.route.routed);
    let target = scene.target(&way, wanted, &conversation, tap);
    let mut lowered = lower(request, &target, size);
    let recipe = recipe(scene, call, request, &mut lowered);
    scene.plan(way, conversation, lowered, recipe, tap)
}

fn recipe(scene: &Scene<'_>, call: &Call, request: &Asked<'_>, lowered: &mut Lowered) -> Recipe {
    let input_estimate = count::roughly_gemini(request);
    let id = scene.id.trim_start_matches("req_").to_owned();
    let form = if call.sse { Form::Sse } else { Form::Array };
    let voice = Voice {
        head: Arc::new(Head { id, model: call.model.clone(), form }),
        names: std::mem::take(&mut lowered.names),
        thoughts: lowered.thinking,
        structured: request.config.format != Format::Text,
        input_estimate,
        streamed: call.method == Method::Stream,
    };
    Recipe {
        dialect: scene.dialect,
        asked: call.model.clone(),
        limits: Limits {
            stop_sequences: request.config.stop.iter().map(|stop| stop.clone().into_owned()).collect(),
            max_tokens: request.config.max_tokens,
            thinking: lowered.thinking,
        },
        input_estimate,
        language: Box::new(voice),
        watch: scene.watch.clone(),
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::Request;

    use super::with_key_in_header;
    use crate::guard::GOOGLE_KEY;

    #[test]
    fn a_key_leaves_the_address() {
        for (uri, header, bare, key) in [
            ("/v1beta/models?key=cfk_1", None, "/v1beta/models", Some("cfk_1")),
            ("/v1beta/m:s?alt=sse&key=a%2Bb&x=%26", None, "/v1beta/m:s?alt=sse&x=%26", Some("a+b")),
            ("/v1beta/m:s?key=one&key=two", Some("own"), "/v1beta/m:s", Some("own")),
            ("/v1beta/m:s?alt=sse", None, "/v1beta/m:s?alt=sse", None),
        ] {
            let mut request = Request::builder().uri(uri);
            if let Some(header) = header {
                request = request.header(GOOGLE_KEY, header);
            }
            let request = with_key_in_header(request.body(Body::empty()).expect("a request"));
            assert_eq!(request.uri().to_string(), bare);
            assert_eq!(request.headers().get(GOOGLE_KEY).map(|key| key.to_str().unwrap()), key);
        }
    }
}

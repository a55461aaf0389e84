//! `docs/openapi.json`: what can be asked of the gateway and what it answers, as OpenAPI 3.1 says it. The gateway serves it at
//! `/api/openapi.json`.
//!
//! The routes are the rows of `openapi/table.rs`, which a test compares with the router. Types come from the Rust sources (see
//! [`crate::types`]); those of other people's dialects are in `openapi/by_hand.json`: the members we read or give, and no more.
//!
//! **Invariant:** a name that nothing is behind is an error. So is a type that no row leads to.

mod json;
mod params;
mod row;
mod schema;
mod table;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, bail, ensure};
use serde::Serialize as _;
use serde_json::Serializer;
use serde_json::ser::PrettyFormatter;

use self::json::{Json, object, text, texts};
use self::params::PARAMS;
use self::row::{Door, Errors, Row};
use crate::types::kinds::Declared;

/// Where it is written.
pub(crate) const FILE: &str = "docs/openapi.json";

const BY_HAND: &str = include_str!("openapi/by_hand.json");

const ABOUT: &str = "What clients of models ask (/v1 and /backend-api, with a client key), and what the gateway's own programs \
    and its dashboard ask (/api, with the control token or a browser's session). Bodies of the data plane name the members that \
    are read or given; others may stand beside them. In words: docs/api.md.";

/// The whole document.
pub(crate) fn document(types: &[Declared]) -> Result<String> {
    let mut schemas: Vec<(String, Json)> =
        types.iter().map(|declared| (declared.name.to_owned(), schema::of(declared))).collect();
    let by_hand: Json = serde_json::from_str(BY_HAND).context("in openapi/by_hand.json")?;
    schemas.extend(by_hand.members().iter().cloned());
    schemas.sort_by(|(one, _), (other, _)| one.cmp(other));
    if let Some(twice) = schemas.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        bail!("there are two types {}", twice[0].0);
    }
    let mut refusals = BTreeMap::new();
    let paths = paths(&table::rows(), &mut refusals)?;
    let refusals = object(refusals);
    let schemas = needed(schemas, &[&paths, &refusals])?;
    let document = object([
        ("openapi", text("3.1.0")),
        (
            "info",
            object([
                ("title", text("Codeferry")),
                ("version", text(env!("CARGO_PKG_VERSION"))),
                ("description", text(ABOUT)),
                ("license", object([("name", text("MIT")), ("identifier", text("MIT"))])),
            ]),
        ),
        ("servers", Json::List(vec![object([("url", text("http://127.0.0.1:8081"))])])),
        ("paths", paths),
        (
            "components",
            object([("securitySchemes", schemes()), ("responses", refusals), ("schemas", Json::Object(schemas))]),
        ),
    ]);
    let mut out = Vec::new();
    document.serialize(&mut Serializer::with_formatter(&mut out, PrettyFormatter::with_indent(b" ")))?;
    Ok(String::from_utf8(out)? + "\n")
}

fn schemes() -> Json {
    let bearer =
        |about: &str| object([("type", text("http")), ("scheme", text("bearer")), ("description", text(about))]);
    let key = |place: &str, name: &str, about: &str| {
        object([("type", text("apiKey")), ("in", text(place)), ("name", text(name)), ("description", text(about))])
    };
    object([
        ("clientKey", bearer("A client key, as Authorization: Bearer.")),
        ("clientKeyHeader", key("header", "x-api-key", "The same, as Anthropic's clients send it.")),
        ("clientKeyGoogle", key("header", "x-goog-api-key", "The same, as Google's clients send it.")),
        ("controlToken", bearer("The control token: codeferry token.")),
        (
            "session",
            key(
                "cookie",
                "codeferry_8081",
                "A browser's session, opened by /login; the port of the gateway is part of the name. What changes something also \
                 says that it is JSON or, without a body, has a header X-Codeferry.",
            ),
        ),
    ])
}

/// Answers that say no, by name: many requests have the same.
type Refusals = BTreeMap<String, Json>;

fn paths(rows: &[Row], refusals: &mut Refusals) -> Result<Json> {
    let mut paths: Vec<(String, Vec<(String, Json)>)> = Vec::new();
    let mut put = |path: &str, method: &str, operation: Json| {
        let method = method.to_ascii_lowercase();
        match paths.iter_mut().find(|(known, _)| known == path) {
            Some((_, methods)) => methods.push((method, operation)),
            None => paths.push((path.to_owned(), vec![(method, operation)])),
        }
    };
    for row in rows {
        let mut of_row = |path: &str, of: Option<&str>| {
            operation(row, path, of, refusals).with_context(|| format!("{} {}", row.method, row.path))
        };
        put(&row.path, row.method, of_row(&row.path, None)?);
        for also in &row.also {
            put(also, row.method, of_row(also, Some(&row.path))?);
        }
    }
    for (path, methods) in &paths {
        let names: BTreeSet<_> = methods.iter().map(|(name, _)| name).collect();
        ensure!(names.len() == methods.len(), "{path} has a row twice");
    }
    Ok(object(paths.into_iter().map(|(path, methods)| (path, Json::Object(methods)))))
}

fn operation(row: &Row, path: &str, of: Option<&str>, refusals: &mut Refusals) -> Result<Json> {
    let word = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '_' };
    let id: String = format!("{}{path}", row.method.to_ascii_lowercase()).chars().map(word).collect();
    let tag = match row.door {
        Door::Open => "open",
        Door::Client => "data",
        Door::Control | Door::Token => "control",
    };
    let mut operation = object([
        ("operationId", text(id)),
        ("tags", texts([tag])),
        ("summary", text(row.summary.trim_end_matches('.'))),
    ]);
    if let Some(of) = of {
        operation = operation.with("description", text(format!("The same as {of}.")));
    }
    let parameters = parameters(row, path)?;
    if !parameters.is_empty() {
        operation = operation.with("parameters", Json::List(parameters));
    }
    if let Some(taken) = &row.takes {
        let kinds = [row::JSON, row::FORM].into_iter().take(if taken.form { 2 } else { 1 });
        let content = object(kinds.map(|kind| (kind, object([("schema", schema_of(taken.is))]))));
        let body = object([("required", Json::Flag(taken.needed)), ("content", content)]);
        operation = operation.with("requestBody", body);
    }
    operation = operation.with("responses", answers(row, refusals)?);
    let needs = |name: &str| object([(name, Json::List(Vec::new()))]);
    let security = match row.door {
        Door::Open => Vec::new(),
        Door::Client => vec![needs("clientKey"), needs("clientKeyHeader"), needs("clientKeyGoogle")],
        Door::Token => vec![needs("controlToken")],
        Door::Control => vec![needs("controlToken"), needs("session")],
    };
    Ok(operation.with("security", Json::List(security)))
}

fn parameters(row: &Row, path: &str) -> Result<Vec<Json>> {
    let inside = path.split('{').skip(1).filter_map(|rest| rest.split('}').next());
    let inside = inside.map(|name| (name, "path")).chain(row.asks.iter().map(|name| (*name, "query")));
    inside
        .map(|(name, place)| {
            let known = PARAMS.iter().find(|(known, ..)| *known == name);
            let (_, kind, about) = known.with_context(|| format!("openapi/params.rs does not know {name}"))?;
            Ok(object([
                ("name", text(name)),
                ("in", text(place)),
                ("required", Json::Flag(place == "path")),
                ("description", text(*about)),
                ("schema", object([("type", text(*kind))])),
            ]))
        })
        .collect()
}

fn answers(row: &Row, said: &mut Refusals) -> Result<Json> {
    let mut answers: Vec<(u16, Json)> = Vec::new();
    for given in &row.gives {
        if answers.iter().any(|(known, _)| *known == given.status) {
            continue;
        }
        let same = row.gives.iter().filter(|other| other.status == given.status && !other.media.is_empty());
        let media: Vec<_> = same.map(|given| (given.media, media(row, given))).collect();
        let mut answer = object([("description", text(word_of(given.status)?))]);
        if !media.is_empty() {
            answer = answer.with("content", object(media));
        }
        answers.push((given.status, answer));
    }
    let mut refusals: Vec<_> = row.refuses.iter().collect();
    refusals.sort_by_key(|(status, _)| *status);
    for (status, codes) in refusals {
        let codes: BTreeSet<_> = codes.iter().copied().collect();
        let codes_said = codes.iter().copied().collect::<Vec<_>>();
        let about = match codes_said.as_slice() {
            [] => word_of(*status)?.to_owned(),
            codes => format!("{}: {}", word_of(*status)?, codes.join(", ")),
        };
        let content = object([(row::JSON, object([("schema", error_of(row.errors, &codes))]))]);
        let name = [format!("{:?}.{status}", row.errors)].into_iter().chain(codes_said.into_iter().map(str::to_owned));
        let name = name.collect::<Vec<_>>().join(".");
        answers.push((*status, object([("$ref", text(format!("#/components/responses/{name}")))])));
        said.insert(name, object([("description", text(about)), ("content", content)]));
    }
    Ok(object(answers.into_iter().map(|(status, answer)| (status.to_string(), answer))))
}

fn media(row: &Row, given: &row::Given) -> Json {
    if given.media == row::STREAM {
        let events = row.events.iter().map(|(name, is)| (*name, schema_of(is)));
        return object([("schema", object([("type", text("string"))])), ("x-events", object(events))]);
    }
    match (given.is, given.media) {
        ("", "application/gzip") => Json::Object(Vec::new()),
        ("", _) => object([("schema", object([("type", text("string"))]))]),
        (is, _) => object([("schema", schema_of(is))]),
    }
}

fn error_of(errors: Errors, codes: &BTreeSet<&str>) -> Json {
    match errors {
        Errors::Control if codes.is_empty() => schema_of("Refused"),
        Errors::Control => object([(
            "allOf",
            Json::List(vec![
                schema_of("Refused"),
                object([("properties", object([("code", object([("enum", texts(codes.iter().copied()))]))]))]),
            ]),
        )]),
        Errors::Anthropic | Errors::None => schema_of("AnthropicError"),
        Errors::OpenAi => schema_of("OpenAiError"),
        Errors::Google => schema_of("GoogleError"),
        Errors::Either => object([("anyOf", Json::List(vec![schema_of("OpenAiError"), schema_of("AnthropicError")]))]),
    }
}

fn schema_of(is: &str) -> Json {
    match is.strip_prefix('[').and_then(|is| is.strip_suffix(']')) {
        Some(is) => object([("type", text("array")), ("items", schema::reference(is))]),
        None => schema::reference(is),
    }
}

/// What a status says.
fn word_of(status: u16) -> Result<&'static str> {
    Ok(match status {
        101 => {
            "The connection is a WebSocket from now on. Each text of the client is a `response.create` with the members of a \
             ResponsesRequest; each of ours a ResponsesEvent, or a refusal with `status`, `error` and `headers`. \
             docs/dialects.md lists all frames"
        }
        200 => "Done",
        201 => "Made",
        202 => "Begun",
        204 => "Done; there is nothing to say",
        303 => "It is elsewhere",
        304 => "It is what the caller has",
        400 => "The request is wrong",
        401 => "Nobody is known by that key",
        402 => "The plan or the credit is used up",
        403 => "The caller may not",
        404 => "There is no such thing",
        405 => "Not with this method",
        408 => "The body did not come in time",
        409 => "It does not fit how things are",
        410 => "It is no longer good",
        413 => "The body is too large",
        415 => "The body is of another kind",
        422 => "A file cannot be read",
        426 => "WebSockets are switched off; POST does the same",
        429 => "Too many requests, or a limit of the plan; `Retry-After` says for how long, where waiting helps",
        500 => "It went wrong here",
        502 => "It went wrong upstream",
        503 => "Nobody can serve it now",
        504 => "The upstream did not answer in time",
        529 => "The upstream has too much to do",
        other => bail!("openapi.rs has no words for {other}"),
    })
}

/// The types that are referred to, and no others.
fn needed(schemas: Vec<(String, Json)>, from: &[&Json]) -> Result<Vec<(String, Json)>> {
    let mut wanted = BTreeSet::new();
    let mut rest = from.to_vec();
    while let Some(json) = rest.pop() {
        match json {
            Json::List(list) => rest.extend(list),
            Json::Object(members) => rest.extend(members.iter().map(|(_, value)| value)),
            _ => {}
        }
        let name = json.get("$ref").and_then(Json::as_text).and_then(|name| name.strip_prefix("#/components/schemas/"));
        if let Some(name) = name.filter(|name| wanted.insert((*name).to_owned())) {
            let found = schemas.iter().find(|(known, _)| known == name);
            rest.push(&found.with_context(|| format!("no type is called {name}: see types/sources.rs"))?.1);
        }
    }
    let (used, unused): (Vec<_>, Vec<_>) = schemas.into_iter().partition(|(name, _)| wanted.contains(name));
    if !unused.is_empty() {
        let names: Vec<_> = unused.iter().map(|(name, _)| name.as_str()).collect();
        bail!("no row of openapi/table.rs leads to {}", names.join(", "));
    }
    Ok(used)
}

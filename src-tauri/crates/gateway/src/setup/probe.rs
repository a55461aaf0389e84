//! Trying out what a client would do: which requests, and what their answers mean. Pure; whoever tries sends them.

use std::time::Duration;

use codeferry_clients::client::Kind;
use serde::Deserialize;

use super::Offer;
use crate::doctor::Row;

/// How far to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// What costs nothing: the gateway answers by itself.
    Free,
    /// A short request to each model a client would ask for, too. It uses up a little of a plan.
    Live,
}

/// One request as a client sends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// What is tried, in the words of a checklist.
    pub what: String,
    /// `GET` or `POST`.
    pub method: &'static str,
    /// With its leading slash.
    pub path: &'static str,
    /// Beside the key.
    pub headers: &'static [(&'static str, &'static str)],
    /// JSON.
    pub body: Option<String>,
    asks: Asks,
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The whole body.
    pub body: Vec<u8>,
    /// How long it took.
    pub took: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Asks {
    Models,
    Tokens,
    /// That a WebSocket opens.
    Socket,
    /// An answer.
    Model {
        /// What the name leads to.
        to: String,
    },
}

/// The language a client speaks with us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Dialect {
    Anthropic,
    Responses,
    Chat,
    Gemini,
}

/// Longer than a short answer takes anywhere.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// What rows about a client are called in a report about everything.
pub const CHECK: &str = "client";

const ANTHROPIC: &[(&str, &str)] = &[("anthropic-version", "2023-06-01"), ("content-type", "application/json")];
const JSON: &[(&str, &str)] = &[("content-type", "application/json")];
/// Few words, and few back.
const WORDS: &str = "Answer with the word ok.";

const PRO: &str = "/v1beta/models/gemini-pro:generateContent";
/// The steps of Google's models: the role whose model stands for each, a name for it, and where it is asked.
const GEMINI: [(&str, &str, &str); 3] = [
    ("opus", "gemini-pro", PRO),
    ("sonnet", "gemini-flash", "/v1beta/models/gemini-flash:generateContent"),
    ("haiku", "gemini-flash-lite", "/v1beta/models/gemini-flash-lite:generateContent"),
];

/// An error in either of the shapes we answer in.
#[derive(Deserialize)]
struct Refusal {
    error: Why,
}

#[derive(Deserialize)]
struct Why {
    message: String,
}

#[derive(Deserialize)]
struct Models {
    data: Vec<serde::de::IgnoredAny>,
}

/// What this client would do.
pub fn probes(kind: Kind, offer: &Offer, depth: Depth) -> Vec<Probe> {
    let dialect = Dialect::of(kind);
    let headers = if dialect == Dialect::Anthropic { ANTHROPIC } else { JSON };
    let get = |what: &str| Probe {
        what: what.to_owned(),
        method: "GET",
        path: "/v1/models",
        headers,
        body: None,
        asks: Asks::Models,
    };
    let mut probes = vec![get("the list of models")];
    if dialect == Dialect::Anthropic {
        probes.push(Probe {
            what: "counting tokens".to_owned(),
            method: "POST",
            path: "/v1/messages/count_tokens",
            headers,
            body: Some(dialect.body("claude/sonnet")),
            asks: Asks::Tokens,
        });
    }
    // No other client opens one.
    if offer.websocket && kind == Kind::Codex {
        let what = "a WebSocket".to_owned();
        probes.push(Probe { what, method: "GET", path: dialect.path(), headers: &[], body: None, asks: Asks::Socket });
    }
    if depth == Depth::Live {
        probes.extend(dialect.names(offer).into_iter().map(|(name, to)| Probe {
            what: format!("a request for {name}"),
            method: "POST",
            path: dialect.path_of(&name),
            headers,
            body: Some(dialect.body(&name)),
            asks: Asks::Model { to },
        }));
    }
    probes
}

/// What it means that there is no key to try with.
pub fn no_key(setup: &str) -> Row {
    Row::fail("key", "there is no client key in its files that opens").hint(setup.to_owned())
}

/// The same row in a report about more than this client.
pub fn named(client: &str, row: Row) -> Row {
    Row { check: CHECK.into(), message: format!("{client}: {}", row.message), ..row }
}

/// What the answer to it means. `setup` is the command that sets the client up anew.
pub fn judge(setup: &str, probe: &Probe, answer: Result<&Answer, &str>) -> Row {
    let (what, check) = (&probe.what, probe.asks.word());
    let answer = match answer {
        Ok(answer) => answer,
        Err(why) => {
            let row = Row::fail(check, format!("{what} got no answer: {why}"));
            return row.hint("is the gateway running? codeferry status");
        }
    };
    let Answer { status, body, took } = answer;
    if probe.asks == Asks::Socket {
        return match status {
            101 => Row::ok(check, format!("{what} opens")),
            // It was switched on when the client was set up.
            426 => Row::warn(check, format!("{what} is refused, so it goes on over HTTP"))
                .hint("codeferry settings set websocket true"),
            401 | 403 => Row::fail(check, format!("{what} is refused")).hint(format!("its key does not open: {setup}")),
            _ => Row::warn(check, format!("{what} is refused with status {status}, so it goes on over HTTP")),
        };
    }
    if *status == 200 {
        let message = match &probe.asks {
            Asks::Models => {
                let count = serde_json::from_slice(body).map_or(0, |list: Models| list.data.len());
                if count == 0 {
                    return Row::warn(check, "the list of models is empty")
                        .hint("codeferry doctor --live says whether the upstream answers");
                }
                format!("{what} has {count} entries")
            }
            Asks::Tokens | Asks::Socket => format!("{what} works"),
            Asks::Model { to } => format!("{what} was answered by {to} in {} ms", took.as_millis()),
        };
        return Row::ok(check, message);
    }
    let why = serde_json::from_slice(body).map_or_else(|_| format!("status {status}"), |it: Refusal| it.error.message);
    let said = format!("{what} was refused: {why}");
    match (status, &probe.asks) {
        (401 | 403, _) => Row::fail(check, said).hint(format!("its key does not open: {setup}")),
        (404, Asks::Model { .. }) => Row::fail(check, said).hint("see where a name leads: codeferry route NAME"),
        (404, _) => Row::warn(check, said),
        (429, _) => Row::warn(check, said).hint("see what is left: codeferry quota"),
        _ => Row::fail(check, said).hint("see who can pay: codeferry accounts list"),
    }
}

// === impl Probe ===

impl Probe {
    /// It is a handshake and no request: whoever tries [knocks](super::handshake::knock).
    pub fn knocks(&self) -> bool {
        self.asks == Asks::Socket
    }
}

// === impl Asks ===

impl Asks {
    /// For programs.
    fn word(&self) -> &'static str {
        match self {
            Self::Models => "models",
            Self::Tokens => "count_tokens",
            Self::Socket => "websocket",
            Self::Model { .. } => "model",
        }
    }
}

// === impl Dialect ===

impl Dialect {
    fn of(kind: Kind) -> Self {
        match kind {
            Kind::Codex | Kind::OpenCode | Kind::KiloCode | Kind::OpenClaw | Kind::Zed | Kind::VsCode => {
                Self::Responses
            }
            Kind::Gemini => Self::Gemini,
            Kind::OpenAi | Kind::Cline | Kind::RooCode | Kind::Cursor | Kind::Continue => Self::Chat,
            _ => Self::Anthropic,
        }
    }

    fn path(self) -> &'static str {
        match self {
            Self::Anthropic => "/v1/messages",
            Self::Responses => "/v1/responses",
            Self::Chat => "/v1/chat/completions",
            Self::Gemini => PRO,
        }
    }

    /// The same where the model's name is a part of it.
    fn path_of(self, name: &str) -> &'static str {
        let gemini = GEMINI.iter().find(|(_, model, _)| self == Self::Gemini && *model == name);
        gemini.map_or(self.path(), |(.., path)| path)
    }

    /// Each name it would ask for, and what that leads to.
    fn names(self, offer: &Offer) -> Vec<(String, String)> {
        if self == Self::Anthropic {
            let known = offer.roles.iter().filter(|role| role.role != "default");
            return known.map(|role| (format!("claude/{}", role.role), role.model.clone())).collect();
        }
        if self == Self::Gemini {
            let led = |role: &str| offer.roles.iter().find(|known| known.role == role).map(|role| role.model.clone());
            return GEMINI.iter().filter_map(|(role, name, _)| Some(((*name).to_owned(), led(role)?))).collect();
        }
        offer.default_model.iter().map(|model| (model.clone(), model.clone())).collect()
    }

    fn body(self, model: &str) -> String {
        let model = quoted(model);
        match self {
            Self::Anthropic => {
                format!(r#"{{"model":{model},"max_tokens":32,"messages":[{{"role":"user","content":"{WORDS}"}}]}}"#)
            }
            Self::Responses => {
                format!(
                    r#"{{"model":{model},"input":[{{"role":"user","content":"{WORDS}"}}],"stream":false,"store":false}}"#
                )
            }
            Self::Chat => format!(r#"{{"model":{model},"messages":[{{"role":"user","content":"{WORDS}"}}]}}"#),
            Self::Gemini => format!(r#"{{"contents":[{{"role":"user","parts":[{{"text":"{WORDS}"}}]}}]}}"#),
        }
    }
}

/// As JSON writes it.
fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use codeferry_clients::client::Kind;
    use codeferry_store::Settings;
    use codeferry_upstream::Catalog;

    use super::{Answer, Depth, judge, named, probes};
    use crate::doctor::Verdict;
    use crate::setup::Offer;

    fn offer() -> Offer {
        Offer::of("http://127.0.0.1:8081".parse().unwrap(), &Settings::default(), &Catalog::builtin())
    }

    #[test]
    fn each_role_is_asked_for_and_nothing_is_spent_unless_wanted() {
        let free = probes(Kind::ClaudeCode, &offer(), Depth::Free);
        assert_eq!(
            free.iter().map(|probe| probe.path).collect::<Vec<_>>(),
            ["/v1/models", "/v1/messages/count_tokens"]
        );
        let live = probes(Kind::ClaudeCode, &offer(), Depth::Live);
        let asked: Vec<_> = live[2..].iter().map(|probe| probe.what.as_str()).collect();
        assert_eq!(
            asked,
            [
                "a request for claude/opus",
                "a request for claude/sonnet",
                "a request for claude/haiku",
                "a request for claude/fable"
            ]
        );
        let gemini = probes(Kind::Gemini, &offer(), Depth::Live);
        let paths: Vec<_> = gemini.iter().map(|probe| probe.path).collect();
        assert_eq!(paths[0], "/v1/models");
        assert_eq!(paths.len(), 4, "the list, and each step: {paths:?}");
        let codex = probes(Kind::Codex, &offer(), Depth::Live);
        assert_eq!(codex.last().unwrap().path, "/v1/responses");
        let knocks: Vec<_> = codex.iter().filter(|probe| probe.knocks()).collect();
        let [socket] = knocks[..] else { panic!("one of them opens a WebSocket: {codex:?}") };
        for (status, verdict) in [(101, Verdict::Ok), (426, Verdict::Warn), (401, Verdict::Fail), (500, Verdict::Warn)]
        {
            let answer = Answer { status, body: Vec::new(), took: std::time::Duration::ZERO };
            assert_eq!(judge("", socket, Ok(&answer)).verdict, verdict, "{status}");
        }
        let off = Offer { websocket: false, ..offer() };
        assert!(!probes(Kind::Codex, &off, Depth::Live).iter().any(super::Probe::knocks));
        for probe in live.iter().chain(&codex).filter_map(|probe| probe.body.as_ref()) {
            serde_json::from_str::<serde::de::IgnoredAny>(probe).unwrap();
        }
    }

    #[test]
    fn every_refusal_has_its_cure() {
        let live = probes(Kind::ClaudeCode, &offer(), Depth::Live);
        let judged = |at: usize, status: u16, body: &str| {
            let answer = Answer { status, body: body.as_bytes().to_vec(), took: std::time::Duration::from_millis(7) };
            judge("codeferry setup claude-code", &live[at], Ok(&answer))
        };
        let row = judged(0, 200, r#"{"data": [{}, {}]}"#);
        assert_eq!((row.verdict, row.message.as_str()), (Verdict::Ok, "the list of models has 2 entries"));
        assert_eq!(judged(0, 200, r#"{"data": []}"#).verdict, Verdict::Warn);
        assert!(judged(2, 200, "{}").message.ends_with("in 7 ms"));
        for (status, verdict, cure) in [
            (401, Verdict::Fail, "codeferry setup claude-code"),
            (404, Verdict::Fail, "codeferry route"),
            (429, Verdict::Warn, "codeferry quota"),
            (503, Verdict::Fail, "codeferry accounts list"),
        ] {
            let row = judged(2, status, r#"{"error": {"message": "no such thing"}}"#);
            assert_eq!(row.verdict, verdict, "{status}");
            assert!(row.message.contains("no such thing") && row.hint.unwrap().contains(cure), "{status}");
        }
        let row = named("Claude Code", judge("", &live[0], Err("refused")));
        assert_eq!((row.verdict, row.check.as_ref()), (Verdict::Fail, "client"));
        assert!(row.message.starts_with("Claude Code: the list of models got no answer"), "{}", row.message);
    }
}

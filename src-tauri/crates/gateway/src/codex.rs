//! Which callers are a Codex, and what it says about its turn beside the body.
//!
//! **Invariant:** nothing here decides who may come in. A caller that calls itself a Codex is told what one is told; it has to
//! have a key like everybody.

use axum::http::HeaderMap;
use codeferry_accounts::AccountId;
use codeferry_translate::conversation::Hints;
use codeferry_translate::lower::responses::control::Session;
use codeferry_upstream::Carried;

/// Names the Codex programs give themselves: the CLI, its terminal interface, the editor extensions, `codex exec`, and the
/// desktop apps, which begin with `Codex ` (openai/codex, `is_first_party_originator`; `codex-backend.md §2`).
const ORIGINATOR: &str = "codex";

/// What only a Codex sends, under whatever name: programs built on its app server give themselves another.
const TELLING: [&str; 2] = ["x-codex-turn-metadata", "x-codex-window-id"];

/// Stands between the account and the value of a turn state that was handed out. Neither holds it.
const SEAM: char = '~';

/// Whether the caller is a Codex.
pub(crate) fn is_codex(headers: &HeaderMap) -> bool {
    let originator = text(headers, "originator").and_then(|name| name.get(..ORIGINATOR.len()));
    originator.is_some_and(|name| name.eq_ignore_ascii_case(ORIGINATOR))
        || TELLING.iter().any(|name| headers.contains_key(*name))
}

/// What it says of its conversation.
pub(crate) fn hints(headers: &HeaderMap) -> Hints<'_> {
    let first = |names: [&str; 2]| names.into_iter().find_map(|name| text(headers, name));
    Hints { session: first(["session-id", "session_id"]), agent: first(["thread-id", "conversation_id"]) }
}

/// What it says of its turn. Only that is carried.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Said {
    beta_features: Option<String>,
    window_id: Option<String>,
    turn_metadata: Option<String>,
    parent_thread_id: Option<String>,
    subagent: Option<String>,
    memgen_request: Option<String>,
    /// Sticky routing: what an earlier answer of the turn gave, and whose it is.
    turn_state: Option<(String, String)>,
}

// === impl Said ===

impl Said {
    /// From the headers of a request.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let owned = |name| text(headers, name).map(str::to_owned);
        let state = text(headers, "x-codex-turn-state").and_then(|state| state.split_once(SEAM));
        Self {
            beta_features: owned("x-codex-beta-features"),
            window_id: owned("x-codex-window-id"),
            turn_metadata: owned("x-codex-turn-metadata"),
            parent_thread_id: owned("x-codex-parent-thread-id"),
            subagent: owned("x-openai-subagent"),
            memgen_request: owned("x-openai-memgen-request"),
            turn_state: state.map(|(account, state)| (account.to_owned(), state.to_owned())),
        }
    }

    /// With what a client says of its session in the body, where no header says it.
    pub(crate) fn or(mut self, session: Session) -> Self {
        self.subagent = self.subagent.or(session.subagent);
        self.parent_thread_id = self.parent_thread_id.or(session.parent_thread_id);
        self
    }

    /// As the upstream is told it.
    pub(crate) fn carried(&self) -> Carried<'_> {
        Carried {
            beta_features: self.beta_features.as_deref(),
            window_id: self.window_id.as_deref(),
            turn_metadata: self.turn_metadata.as_deref(),
            parent_thread_id: self.parent_thread_id.as_deref(),
            subagent: self.subagent.as_deref(),
            memgen_request: self.memgen_request.as_deref(),
        }
    }

    /// The turn state, if this account gave it: to another it means nothing, or something else.
    pub(crate) fn turn_state(&self, account: &AccountId) -> Option<&str> {
        self.turn_state.as_ref().filter(|(whose, _)| whose == account.as_str()).map(|(_, state)| state.as_str())
    }
}

/// A turn state as it is handed out: with the account it belongs to, since the next request may go to another.
pub(crate) fn turn_state(account: &AccountId, state: &str) -> String {
    format!("{account}{SEAM}{state}")
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok().filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderName, HeaderValue};
    use codeferry_accounts::{AccountId, Kind};

    use super::{Said, is_codex, turn_state};

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &str)| {
            (HeaderName::from_static(name), HeaderValue::from_str(value).expect("a value"))
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn a_codex_is_known_by_its_name_or_by_what_it_tells() {
        for name in ["codex_cli_rs", "codex-tui", "codex_vscode", "codex_exec", "Codex Desktop", "Codex IDE"] {
            assert!(is_codex(&headers(&[("originator", name)])), "{name}");
        }
        for name in ["", "cod", "openai-python", "my codex"] {
            assert!(!is_codex(&headers(&[("originator", name)])), "{name}");
        }
        assert!(is_codex(&headers(&[("originator", "my-app"), ("x-codex-window-id", "t:0")])));
        assert!(!is_codex(&HeaderMap::new()));
    }

    #[test]
    fn a_turn_state_goes_back_to_who_gave_it() {
        let [one, two] = ["one", "two"].map(|user| AccountId::derive(Kind::Codex, None, Some(user)));
        let given = turn_state(&one, "ts~1");
        let said = Said::of(&headers(&[("x-codex-turn-state", &given)]));
        assert_eq!((said.turn_state(&one), said.turn_state(&two)), (Some("ts~1"), None));
        let strange = Said::of(&headers(&[("x-codex-turn-state", "ts-from-elsewhere")]));
        assert_eq!(strange.turn_state(&one), None);
    }

    #[test]
    fn nothing_else_is_carried() {
        let said = Said::of(&headers(&[
            ("x-codex-beta-features", "b"),
            ("authorization", "Bearer secret"),
            ("cookie", "c"),
            ("x-codex-installation-id", "i"),
        ]));
        assert_eq!(said.carried(), codeferry_upstream::Carried { beta_features: Some("b"), ..Default::default() });
    }
}

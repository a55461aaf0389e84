//! `_gateway`: what a client says to the gateway alone. It never goes upstream (`seed-c.md`, C-054).
//!
//! One member is known. `session_source` says who began the session, in the words of the Codex protocol (openai/codex,
//! `SessionSource`); what of it the codex host is told goes up in two headers (C-053). Anything else is a wish that nobody
//! here can grant, and is refused by name.

use codeferry_wire::json::{Kind, Open, Raw};

use super::BadRequest;

pub(super) const CONTROL: &str = "_gateway";
const SOURCE: &str = "_gateway.session_source";

/// Who began the session, as the codex host is told it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Session {
    /// For `x-openai-subagent`; `None` where a person began it.
    pub subagent: Option<String>,
    /// For `x-codex-parent-thread-id`.
    pub parent_thread_id: Option<String>,
}

/// Reads `_gateway`, if it is there.
///
/// # Errors
/// When it is no object, has a member nobody knows, or one that is not what it should be.
pub fn read(value: Option<Raw<'_>>) -> Result<Session, BadRequest> {
    let Some(value) = value.filter(|value| !value.is_null()) else { return Ok(Session::default()) };
    let Some(control) = Open::of(value) else { return Err(BadRequest::kind(CONTROL, "null or an object", value)) };
    if let Some(name) = control.names().find(|name| *name != "session_source") {
        return Err(BadRequest::of(Some(format!("{CONTROL}.{name}")), format!("{CONTROL}.{name} is not known here")));
    }
    match control.get("session_source").filter(|source| !source.is_null()) {
        None => Ok(Session::default()),
        Some(source) => of(source).ok_or_else(|| {
            let message = format!(
                "{SOURCE} is no session source of the Codex protocol, such as \"exec\" or {{\"subagent\":\"review\"}}"
            );
            BadRequest::of(Some(SOURCE.to_owned()), message)
        }),
    }
}

fn of(source: Raw<'_>) -> Option<Session> {
    if source.kind() == Kind::String {
        // `cli`, `exec`, …; whatever is new is taken for unknown there as well.
        return Some(Session::default());
    }
    let (kind, inner) = only(source)?;
    match &*kind {
        "custom" => inner.string().map(|_| Session::default()),
        "internal" if inner.literal() == Some("memory_consolidation") => labelled(inner),
        "subagent" if matches!(inner.literal(), Some("review" | "compact" | "memory_consolidation")) => labelled(inner),
        "subagent" => {
            let (kind, inner) = only(inner)?;
            match &*kind {
                "other" => labelled(inner),
                "thread_spawn" => Some(Session {
                    subagent: Some("collab_spawn".to_owned()),
                    parent_thread_id: Some(word(inner.get("parent_thread_id")?)?),
                }),
                _ => None,
            }
        }
        _ => None,
    }
}

/// The one member of an object.
fn only(value: Raw<'_>) -> Option<(String, Raw<'_>)> {
    let open = Open::of(value)?;
    let mut names = open.names();
    let name = names.next()?.to_owned();
    let alone = names.next().is_none();
    drop(names);
    open.get(&name).filter(|_| alone).map(|inner| (name, inner))
}

fn labelled(label: Raw<'_>) -> Option<Session> {
    Some(Session { subagent: Some(word(label)?), parent_thread_id: None })
}

/// A text that can stand in a header.
fn word(value: Raw<'_>) -> Option<String> {
    let text = value.string()?.into_owned();
    (!text.is_empty() && text.bytes().all(|byte| matches!(byte, b' '..=b'~'))).then_some(text)
}

#[cfg(test)]
mod tests {
    use codeferry_wire::json::Reader;

    use super::{Session, read};

    fn of(text: &str) -> Result<Session, Option<String>> {
        read(Some(Reader::of(text).value().expect("JSON"))).map_err(|bad| bad.param)
    }

    fn session(subagent: Option<&str>, parent: Option<&str>) -> Result<Session, Option<String>> {
        Ok(Session { subagent: subagent.map(str::to_owned), parent_thread_id: parent.map(str::to_owned) })
    }

    #[test]
    fn who_began_a_session_is_told_in_headers() {
        for (source, subagent, parent) in [
            ("null", None, None),
            ("\"cli\"", None, None),
            ("\"tomorrow\"", None, None),
            (r#"{"custom":"my app"}"#, None, None),
            (r#"{"internal":"memory_consolidation"}"#, Some("memory_consolidation"), None),
            (r#"{"subagent":"review"}"#, Some("review"), None),
            (r#"{"subagent":"compact"}"#, Some("compact"), None),
            (r#"{"subagent":{"other":"guardian"}}"#, Some("guardian"), None),
            (
                r#"{"subagent":{"thread_spawn":{"parent_thread_id":"t-1","depth":1}}}"#,
                Some("collab_spawn"),
                Some("t-1"),
            ),
        ] {
            let told = of(&format!(r#"{{"session_source":{source}}}"#));
            assert_eq!(told, session(subagent, parent), "{source}");
        }
        assert_eq!(of("null"), session(None, None));
        assert_eq!(of("{}"), session(None, None));
    }

    #[test]
    fn whatever_else_is_wished_for_is_refused_by_name() {
        assert_eq!(of("7"), Err(Some("_gateway".to_owned())));
        assert_eq!(of(r#"{"account":"x"}"#), Err(Some("_gateway.account".to_owned())));
        for source in [
            "7",
            "{}",
            r#"{"subagent":"x"}"#,
            r#"{"subagent":{"thread_spawn":{}}}"#,
            r#"{"subagent":{"other":"a\nb"}}"#,
            r#"{"subagent":"review","custom":"y"}"#,
        ] {
            let told = of(&format!(r#"{{"session_source":{source}}}"#));
            assert_eq!(told, Err(Some("_gateway.session_source".to_owned())), "{source}");
        }
    }
}

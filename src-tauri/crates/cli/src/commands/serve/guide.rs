//! What `codeferry demo` says: how to point a client here, and what to type.

use codeferry_demo::scenarios;

use crate::print::table;

/// The few to begin with; the rest are listed below them.
const FIRST: &[&str] = &[
    "What can you do?",
    "Read README.md and tell me what this project is",
    "[[demo:parallel]]",
    "[[demo:reasoning]] [[demo:search]]",
    "[[demo:limit 10800]]",
];

pub(super) fn text(url: &str, no_key: bool) -> String {
    let key = if no_key { "codeferry keys create demo   # no client can come in without a key\n  " } else { "" };
    let first: String = FIRST.iter().map(|line| format!("  {line}\n")).collect();
    let all: Vec<_> = scenarios().iter().map(|known| [format!("  {}", known.usage), known.about.to_owned()]).collect();
    format!(
        "\
Codeferry demo, listening on {url}. Answers come from a script; nothing leaves this machine.

In another terminal:

  {key}export ANTHROPIC_BASE_URL={url}
  export ANTHROPIC_AUTH_TOKEN=<a client key>
  claude

Then say:

{first}
A marker makes something happen in the answer to the message it stands in:

{}
",
        table(&all)
    )
}

#[cfg(test)]
mod tests {
    use super::{FIRST, scenarios, text};

    #[test]
    fn every_marker_is_listed_and_those_to_begin_with_exist() {
        let text = text("http://127.0.0.1:8081", true);
        for known in scenarios() {
            assert!(text.contains(known.usage), "{}", known.usage);
        }
        let known = |name: &str| scenarios().iter().any(|known| known.name == name);
        let markers = FIRST.iter().flat_map(|line| line.split("[[demo:").skip(1));
        let names: Vec<_> = markers.map(|rest| rest.split([' ', ']']).next().unwrap_or_default()).collect();
        assert!(!names.is_empty() && names.iter().all(|name| known(name)), "{names:?}");
    }

    #[test]
    fn a_key_is_asked_for_only_where_there_is_none() {
        assert!(text("u", true).contains("keys create"));
        assert!(!text("u", false).contains("keys create"));
    }
}

//! What the documents promise and a program can check.

use std::collections::BTreeSet;

/// The names of losses in the source of `translate::loss`: the strings its match arms give.
pub(crate) fn losses_in_source(source: &str) -> BTreeSet<&str> {
    source
        .lines()
        .filter(|line| line.trim_start().starts_with("Self::"))
        .filter_map(|line| line.split_once("=> \"")?.1.split('"').next())
        .collect()
}

/// The names in the first column of the table under the heading `## Losses`.
pub(crate) fn losses_in_document(document: &str) -> BTreeSet<&str> {
    let section = document.split("\n## Losses").nth(1).unwrap_or_default();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next());
    rows.flat_map(|cell| cell.split('`').skip(1).step_by(2)).collect()
}

/// The requests to the control plane that a document names: `METHOD /api/…` in code. Parameters have no names here.
pub(crate) fn control_routes(document: &str) -> BTreeSet<String> {
    let code = document.split('`').skip(1).step_by(2);
    let requests = code.filter_map(|code| code.split_once(' ').filter(|(_, path)| path.starts_with("/api/")));
    let bare = |path: &str| path.split(['?', ' ']).next().unwrap_or_default().to_owned();
    requests.map(|(method, path)| format!("{method} {}", without_names(&bare(path)))).collect()
}

/// A path with its parameters as `{}`.
pub(crate) fn without_names(path: &str) -> String {
    let part = |part| if str::starts_with(part, '{') { "{}" } else { part };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

/// The targets of relative links.
pub(crate) fn links(document: &str) -> impl Iterator<Item = &str> {
    let targets = document.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    targets.filter(|target| !target.contains("://") && !target.starts_with('#'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_are_read_from_both_sides() {
        let source =
            "    pub fn name(self) {\n            Self::TopK => \"top_k\",\n            Self::TopP => \"top_p\",\n";
        assert_eq!(losses_in_source(source), ["top_k", "top_p"].into());
        let document =
            "| `other` | x |\n\n## Losses\n\n| loss | what |\n|---|---|\n| `top_k`, `top_p` | has `code` |\n";
        assert_eq!(losses_in_document(document), ["top_k", "top_p"].into());
    }

    #[test]
    fn requests_are_read_from_the_document() {
        let document = "`GET /api/a` and `POST /api/b/{id}/c` `{\"x\": 1}`\n| `GET /api/d?live=true` | `/api/e` |";
        let expected = ["GET /api/a", "GET /api/d", "POST /api/b/{}/c"].map(str::to_owned);
        assert_eq!(control_routes(document), expected.into());
    }

    #[test]
    fn only_relative_links_are_followed() {
        let document = "[a](b.md) [c](https://example.com/x) [d](#e)\n[f](g/h.md#i)";
        assert_eq!(links(document).collect::<Vec<_>>(), ["b.md", "g/h.md#i"]);
    }
}

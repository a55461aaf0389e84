//! What the documents promise and a program can check.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

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

/// The requests that a document names: `METHOD /…` in code, and what may stand behind the question mark. Parameters of paths
/// have no names here.
pub(crate) fn requests(document: &str) -> BTreeMap<String, BTreeSet<String>> {
    let code = document.split('`').skip(1).step_by(2);
    let requests = code.filter_map(|code| {
        let (method, path) = code.split_once(' ').filter(|(_, path)| path.starts_with('/'))?;
        let path = path.split(' ').next().unwrap_or_default();
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let names = query.split('&').filter_map(|pair| pair.split('=').next()).filter(|name| !name.is_empty());
        Some((format!("{method} {}", without_names(path)), names.map(str::to_owned).collect()))
    });
    let mut named = BTreeMap::<_, BTreeSet<String>>::new();
    for (request, names) in requests {
        named.entry(request).or_default().append(&mut { names });
    }
    named
}

/// The same of an OpenAPI document.
pub(crate) fn described(document: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let mut described = BTreeMap::new();
    for (path, methods) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in methods.as_object().into_iter().flatten() {
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            let asked = parameters.filter(|parameter| parameter["in"] == "query");
            let names = asked.filter_map(|parameter| parameter["name"].as_str().map(str::to_owned)).collect();
            described.insert(format!("{} {}", method.to_uppercase(), without_names(path)), names);
        }
    }
    described
}

/// Where a request of the data plane has another address that the documents name instead.
pub(crate) fn first_address(request: &str) -> Option<String> {
    let (method, path) = request.split_once(' ')?;
    let below = path.strip_prefix("/v1/v1").or_else(|| path.strip_prefix("/backend-api/codex"))?;
    Some(format!("{method} /v1{below}"))
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
        let document = "`GET /api/a` and `POST /api/b/{id}/c` `{\"x\": 1}`\n| `GET /v1/d?live=true&x=` | `/api/e` |";
        let expected = [("GET /api/a", ""), ("GET /v1/d", "live x"), ("POST /api/b/{}/c", "")];
        let names = |names: &str| names.split_whitespace().map(str::to_owned).collect();
        assert_eq!(requests(document), expected.map(|(request, asked)| (request.to_owned(), names(asked))).into());
    }

    #[test]
    fn requests_are_read_from_openapi() {
        let query = |name: &str| serde_json::json!({"name": name, "in": "query"});
        let operation = serde_json::json!({"parameters": [query("a"), {"name": "id", "in": "path"}]});
        let document = serde_json::json!({"paths": {"/api/b/{id}": {"post": operation}}});
        assert_eq!(described(&document), [("POST /api/b/{}".to_owned(), ["a".to_owned()].into())].into());
    }

    #[test]
    fn other_addresses_are_known() {
        assert_eq!(first_address("GET /v1/v1/models").as_deref(), Some("GET /v1/models"));
        assert_eq!(first_address("POST /backend-api/codex/responses").as_deref(), Some("POST /v1/responses"));
        assert_eq!(first_address("GET /v1/models"), None);
    }

    #[test]
    fn only_relative_links_are_followed() {
        let document = "[a](b.md) [c](https://example.com/x) [d](#e)\n[f](g/h.md#i)";
        assert_eq!(links(document).collect::<Vec<_>>(), ["b.md", "g/h.md#i"]);
    }
}

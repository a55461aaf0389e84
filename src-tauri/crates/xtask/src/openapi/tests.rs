use std::collections::BTreeMap;

use super::json::{Json, object, text};
use super::row::{Errors, control, data};
use super::{PARAMS, needed, operation, paths, schema, table};

fn sent(json: &Json) -> String {
    serde_json::to_string(json).unwrap()
}

#[test]
fn a_row_says_what_opens_it_and_what_is_answered() {
    let row = control("POST", "/api/keys/{name}", "Does.").takes("A").gives_nothing().refuses(404, "unknown_key");
    let mut refusals = BTreeMap::new();
    let said = sent(&operation(&row, &row.path, None, &mut refusals).unwrap());
    for part in [
        r#""operationId":"post_api_keys__name_""#,
        r#"{"name":"name","in":"path","required":true"#,
        r##""requestBody":{"required":true,"content":{"application/json":{"schema":{"$ref":"#/components/schemas/A"}}}}"##,
        r#""204":{"description":"Done; there is nothing to say"}"#,
        r##""404":{"$ref":"#/components/responses/Control.404.unknown_key"}"##,
        r#""security":[{"controlToken":[]},{"session":[]}]"#,
    ] {
        assert!(said.contains(part), "{part} is missing: {said}");
    }
    let unknown = sent(&refusals["Control.404.unknown_key"]);
    assert!(unknown.contains(r#"{"properties":{"code":{"enum":["unknown_key"]}}}"#), "{unknown}");
    assert!(refusals.contains_key("Control.415.json_needed"), "{refusals:?}");
}

#[test]
fn a_request_is_at_all_its_addresses() {
    let row = data("GET", "/models", "Tells.").of_codex().gives("A").local(Errors::Either);
    let mut refusals = BTreeMap::new();
    let paths = paths(&[row], &mut refusals).unwrap();
    let at: Vec<_> = paths.members().iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(at, ["/v1/models", "/v1/v1/models", "/backend-api/codex/models"]);
}

#[test]
fn what_nothing_is_behind_is_refused() {
    let refused = |row| paths(&[row], &mut BTreeMap::new()).map_err(|error| format!("{error:#}")).unwrap_err();
    assert!(refused(control("GET", "/api/a/{strange}", "")).contains("strange"));
    assert!(refused(control("GET", "/api/a", "").asks("strange")).contains("strange"));
    assert!(refused(control("GET", "/api/a", "").refuses(418, "teapot")).contains("418"));
    let twice = || control("GET", "/api/a", "").gives("A");
    assert!(paths(&[twice(), twice()], &mut BTreeMap::new()).is_err());
    let from = object([("x", schema::reference("A"))]);
    assert!(needed(Vec::new(), &[&from]).is_err());
    assert!(needed(vec![("B".to_owned(), text("b"))], &[]).is_err());
}

#[test]
fn parameters_are_in_order_and_each_is_used() {
    assert!(PARAMS.is_sorted_by(|one, other| one.0 < other.0));
    let rows = table::rows();
    let used =
        |name: &str| rows.iter().any(|row| row.asks.contains(&name) || row.path.contains(&format!("{{{name}}}")));
    let unused: Vec<_> = PARAMS.iter().map(|(name, ..)| *name).filter(|name| !used(name)).collect();
    assert!(unused.is_empty(), "{unused:?}");
}

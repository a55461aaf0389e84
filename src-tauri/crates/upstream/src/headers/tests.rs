//! Pure tests. No IO, no async.

use http::{HeaderMap, HeaderValue};

use super::{flag, model, models_etag, number, request_id, text, turn_state};

#[test]
fn names_are_found_and_empty_ones_are_absent() {
    let mut headers = HeaderMap::new();
    assert_eq!(request_id(&headers), None);
    headers.insert("x-request-id", HeaderValue::from_static(" "));
    headers.insert("cf-ray", HeaderValue::from_static("8f2-FRA"));
    assert_eq!(request_id(&headers).as_deref(), Some("8f2-FRA"));
    headers.insert("x-oai-request-id", HeaderValue::from_static("req_2"));
    assert_eq!(request_id(&headers).as_deref(), Some("req_2"));
    headers.insert("x-codex-turn-state", HeaderValue::from_static("mock-ts-cb3ccf4a"));
    headers.insert("x-models-etag", HeaderValue::from_static("W/\"1\""));
    headers.insert("openai-model", HeaderValue::from_static("gpt-6-sol"));
    assert_eq!(turn_state(&headers).as_deref(), Some("mock-ts-cb3ccf4a"));
    assert_eq!(models_etag(&headers).as_deref(), Some("W/\"1\""));
    assert_eq!(model(&headers).as_deref(), Some("gpt-6-sol"));
}

#[test]
fn values_that_make_no_sense_are_absent() {
    let mut headers = HeaderMap::new();
    for (value, as_number, as_flag) in [
        ("True", None, Some(true)),
        ("False", None, Some(false)),
        ("1", Some(1.0), Some(true)),
        ("12.5", Some(12.5), None),
        ("-1", None, None),
        ("NaN", None, None),
        ("inf", None, None),
    ] {
        headers.insert("x-a", HeaderValue::from_static(value));
        assert_eq!((number(&headers, "x-a"), flag(&headers, "x-a")), (as_number, as_flag), "{value}");
    }
    headers.insert("x-a", HeaderValue::from_bytes(b"\xff").unwrap());
    assert_eq!(text(&headers, "x-a"), None);
}

use super::{ErrorBody, ErrorKind};

#[test]
fn a_body_says_what_is_known_and_no_more() {
    let plain = ErrorBody::new(ErrorKind::InvalidRequest, "say \"please\"");
    assert_eq!(
        String::from_utf8(plain.to_json()).expect("UTF-8"),
        r#"{"type":"error","error":{"type":"invalid_request_error","message":"say \"please\""}}"#
    );
    let full = ErrorBody { code: Some("thread_unsupported_request"), request_id: Some("req_1"), ..plain };
    assert_eq!(
        String::from_utf8(full.to_json()).expect("UTF-8"),
        concat!(
            r#"{"type":"error","error":{"type":"invalid_request_error","message":"say \"please\"","#,
            r#""details":{"error_code":"thread_unsupported_request"}},"request_id":"req_1"}"#
        )
    );
}

//! Traces: only where the environment names a collector.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use crate::home::Home;

/// The first request somebody makes to this listener, head and body as they came.
fn first_request(listener: &TcpListener) -> Vec<u8> {
    let (mut stream, _) = listener.accept().unwrap();
    let (mut request, mut chunk) = (Vec::new(), [0; 4096]);
    loop {
        let read = stream.read(&mut chunk).unwrap();
        request.extend_from_slice(&chunk[..read]);
        let text = String::from_utf8_lossy(&request);
        let Some((head, _)) = text.split_once("\r\n\r\n") else { continue };
        let length =
            head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
        if read == 0 || request.len() >= head.len() + 4 + length.unwrap_or(0) {
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").unwrap();
            return request;
        }
    }
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[cfg(unix)]
#[test]
fn the_collector_of_the_environment_gets_spans_and_no_prompt() {
    let collector = TcpListener::bind("127.0.0.1:0").unwrap();
    let home = Home::new()
        .with("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{}", collector.local_addr().unwrap()))
        .with("OTEL_EXPORTER_OTLP_HEADERS", "x-team=ours")
        .with("OTEL_SERVICE_NAME", "my-ferry");
    let key = home.ok(&["keys", "create", "k"]);
    let server = home.serve(&["--demo"]);
    assert_eq!(server.say(&key, "[[demo:text hi]] a secret prompt").status, 200);
    // The end sends what is left.
    server.signal("TERM");
    let request = first_request(&collector);
    assert!(request.starts_with(b"POST /v1/traces HTTP/1.1\r\n"), "{}", String::from_utf8_lossy(&request));
    for told in ["x-team: ours", "my-ferry", "gen_ai.request.model", "claude-opus-4-8", "codeferry.account"] {
        assert!(holds(&request, told), "{told}");
    }
    for private in ["a secret prompt", key.as_str(), "demo@"] {
        assert!(!holds(&request, private), "{private}");
    }
    assert_eq!(server.end().0, Some(0));
}

#[test]
fn what_cannot_be_spoken_is_said_and_an_address_must_be_one() {
    let home = Home::new()
        .with("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
        .with("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc");
    home.ok(&["keys", "create", "k"]);
    let server = home.serve(&["--demo"]);
    assert!(server.errors().contains("http/protobuf") && server.errors().contains("grpc"), "{}", server.errors());
    let ran = Home::new().with("OTEL_EXPORTER_OTLP_ENDPOINT", "localhost").run(&["status"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("OTEL_EXPORTER_OTLP_ENDPOINT"), "{}", ran.err);
}

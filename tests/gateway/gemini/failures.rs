//! Refusals and failures, as Google's clients expect them.

use codeferry_tests::World;
use serde_json::{Value, json};

use super::{ARRAY, STREAM, WHOLE, asking, send, text, whole};

/// Status, `error.status`, and after how many seconds another try makes sense, if that is said.
type Row = (&'static str, u16, &'static str, Option<u64>);

/// The `google.rpc` detail of that kind.
fn detail<'e>(error: &'e Value, kind: &str) -> Option<&'e Value> {
    let kind = format!("type.googleapis.com/google.rpc.{kind}");
    error["error"]["details"].as_array()?.iter().find(|detail| detail["@type"] == kind)
}

#[tokio::test]
async fn before_the_first_byte() {
    let table: [Row; 12] = [
        ("[[demo:overflow]]", 400, "INVALID_ARGUMENT", None),
        ("[[demo:limit 10800]]", 429, "RESOURCE_EXHAUSTED", Some(10_800)),
        ("[[demo:limit 30]]", 429, "RESOURCE_EXHAUSTED", Some(30)),
        ("[[demo:not-included]]", 429, "RESOURCE_EXHAUSTED", Some(3600)),
        ("[[demo:overloaded]]", 503, "UNAVAILABLE", None),
        // What only the person can mend is shown at once: these clients try again upon every 5xx.
        ("[[demo:401 always]]", 400, "FAILED_PRECONDITION", None),
        ("[[demo:403]]", 400, "FAILED_PRECONDITION", None),
        ("[[demo:model]]", 404, "NOT_FOUND", None),
        ("[[demo:policy]]", 400, "INVALID_ARGUMENT", None),
        ("[[demo:500 always]]", 502, "UNAVAILABLE", None),
        ("[[demo:reset]]", 502, "UNAVAILABLE", None),
        ("[[demo:empty]]", 502, "UNAVAILABLE", None),
    ];
    for (marker, status, name, wait) in table {
        for path in [STREAM, WHOLE] {
            let world = World::start().await;
            let response = send(&world, path, &asking(marker)).await;
            assert_eq!(response.status(), status, "{marker}");
            let error: Value = response.json().await.unwrap();
            assert_eq!(
                (error["error"]["code"].as_u64(), error["error"]["status"].as_str()),
                (Some(u64::from(status)), Some(name)),
                "{marker}: {error}"
            );
            assert!(error["error"]["message"].as_str().is_some_and(|message| !message.is_empty()));
            let told = detail(&error, "RetryInfo").map(|info| info["retryDelay"].as_str().unwrap().to_owned());
            let seconds = told.map(|delay| delay.trim_end_matches('s').parse::<u64>().unwrap());
            let near = |seconds: u64| wait.is_some_and(|wait| seconds.abs_diff(wait) <= 2);
            assert!(seconds.map_or(wait.is_none(), near), "{marker}: {error}");
        }
    }
}

/// A failure after the first chunk stands there as a record and bare: each SDK knows one of them.
#[tokio::test]
async fn after_the_first_byte() {
    for (marker, code) in [
        ("[[demo:overloaded late]]", 503),
        ("[[demo:error late]]", 500),
        ("[[demo:eof 3]]", 503),
        ("[[demo:limit 10800 late]]", 429),
    ] {
        let world = World::start().await;
        let body = asking(&format!("[[demo:long 4000]]{marker}"));
        let sent = send(&world, STREAM, &body).await.text().await.unwrap();
        let records: Vec<&str> = sent.split_terminator("\r\n\r\n").collect();
        let (last, rest) = records.split_last().unwrap();
        let (record, rest) = rest.split_last().unwrap();
        assert_eq!(record.strip_prefix("data: "), Some(*last), "{marker}");
        let error: Value = serde_json::from_str(last).expect(last);
        assert_eq!(error["error"]["code"], code, "{marker}: {last}");
        assert!(rest.iter().all(|record| !record.contains("finishReason")), "{marker}");
        let world = World::start().await;
        let array: Vec<Value> = send(&world, ARRAY, &body).await.json().await.expect("it is an array all the same");
        assert_eq!(array.last().unwrap()["error"]["code"], code, "{marker}");
    }
}

#[tokio::test]
async fn bad_input_is_refused_by_its_name() {
    let world = World::start().await;
    let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
    for (body, field) in [
        ("{".to_owned(), None),
        (String::new(), None),
        (format!(r#"{{"labels":{deep},"contents":[]}}"#), None),
        ("{}".to_owned(), Some("contents")),
        (r#"{"contents":[{"role":"wizard","parts":[]}]}"#.to_owned(), Some("contents[0].role")),
        (
            r#"{"contents":[{"parts":[{"text":"x"}]}],"generationConfig":{"candidateCount":3}}"#.to_owned(),
            Some("generationConfig.candidateCount"),
        ),
        (
            r#"{"contents":[{"parts":[{"text":"x"}]}],"cachedContent":"cachedContents/x"}"#.to_owned(),
            Some("cachedContent"),
        ),
    ] {
        let response = world.post(WHOLE).body(body.clone()).send().await.unwrap();
        assert_eq!(response.status(), 400, "{body:.80}");
        let error: Value = response.json().await.unwrap();
        assert_eq!(error["error"]["status"], "INVALID_ARGUMENT", "{error}");
        let named = detail(&error, "BadRequest").and_then(|bad| bad["fieldViolations"][0]["field"].as_str());
        assert_eq!(named, field, "{error}");
    }
    assert!(world.demo.model_requests().is_empty());
    assert_eq!(text(&[whole(&world, &asking("[[demo:text alive]]")).await]), "alive");
}

#[tokio::test]
async fn a_prompt_that_is_too_long_is_told_in_googles_words() {
    let world = World::start().await;
    let error: Value = send(&world, WHOLE, &asking("[[demo:overflow]]")).await.json().await.unwrap();
    let message = error["error"]["message"].as_str().unwrap();
    assert!(
        message.starts_with("The input token count (") && message.contains("exceeds the maximum number"),
        "{message}"
    );
    assert_eq!(detail(&error, "ErrorInfo").unwrap()["reason"], json!("CONTEXT_LENGTH_EXCEEDED"));
}

//! What goes and what stays.

#![expect(clippy::disallowed_types, reason = "what was written is judged as whole JSON")]

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{MARK, Rules, frames, header, text};

const KEPT: Rules<'_> = Rules { images: false, leaves: false, known: None };
const LEAVING: Rules<'_> = Rules { images: false, leaves: true, known: None };

fn kept(value: &str) -> String {
    text(value, KEPT).into_owned()
}

fn redacted(value: &Value) -> Value {
    serde_json::from_str(&kept(&value.to_string())).unwrap()
}

#[test]
fn what_looks_like_a_secret_goes_and_the_rest_stays() {
    let table = [
        ("use sk-proj-abcDEF123456_x now", "use «redacted» now"),
        ("key=cf_0123456789012345678901234567890123456789012.", "key=«redacted»."),
        ("ghp_0123456789abcdefABCDEF0123456789abcd", "«redacted»"),
        ("a AKIAIOSFODNN7EXAMPLE b", "a «redacted» b"),
        ("Authorization: Bearer abc.def-ghi", "Authorization: «redacted»"),
        ("send a bearer abcdefghijkl", "send a bearer «redacted»"),
        ("x eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.c2ln y", "x «redacted» y"),
        (r#"curl -H "x-api-key: 12345678" url"#, r#"curl -H "x-api-key: «redacted»" url"#),
        ("OPENAI_API_KEY=abcd1234\nNEXT=1", "OPENAI_API_KEY=«redacted»\nNEXT=1"),
        ("db:\n  password: hunter22\n  port: 1", "db:\n  password: «redacted»\n  port: 1"),
        ("https://me:geheim@host/path?token=abcdefgh&x=1", "https://me:«redacted»@host/path?token=«redacted»&x=1"),
        (r#"it says {"access_token": "abc", "n": 1} there"#, r#"it says {"access_token": "«redacted»", "n": 1} there"#),
        (r#"twice \"refresh_token\":\"abc\",\"n\""#, r#"twice \"refresh_token\":\"«redacted»\",\"n\""#),
        (r"a\nsk-abcdefghijkl\n", r"a\n«redacted»\n"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----", "«redacted»"),
        // Nothing of this is one.
        ("disk-utilities and task-something-else, e.g. req_0190a0b0c0d0e0f0a0b0c0d0e0f0a0b0", ""),
        ("msg_0123456789abcdef0123 call_0123456789abcdef fc_0123456789abcdef rs_0123456789abcdef", ""),
        ("let password = ask(); secret: String, max_tokens: 4000", ""),
        ("the token is 12 and a bearer came", ""),
    ];
    for (before, after) in table {
        let after = if after.is_empty() { before } else { after };
        assert_eq!(kept(before), after);
        assert_eq!(kept(after), after, "twice is once");
    }
}

#[test]
fn names_tell_what_their_values_are() {
    let before = json!({
        "api_key": "x", "OPENAI-Api-Key": 12345, "password": "", "secret": ["a", {"b": "c"}], "token": "short",
        "authorization_token": "0123456789abcdef", "max_tokens": 5, "tools": [{"properties": {"password": {"type": "string"}}}],
        "sk-abcdefghijkl": 1, "arguments": "{\"cmd\":\"x\",\"password\":\"y\"}", "cookie": true,
    });
    let after = json!({
        "api_key": MARK, "OPENAI-Api-Key": MARK, "password": "", "secret": [MARK, {"b": "c"}], "token": "short",
        "authorization_token": MARK, "max_tokens": 5, "tools": [{"properties": {"password": {"type": "string"}}}],
        MARK: 1, "arguments": format!("{{\"cmd\":\"x\",\"password\":\"{MARK}\"}}"), "cookie": true,
    });
    assert_eq!(redacted(&before), after);
    for (name, value, shown) in [
        ("Authorization", "Bearer abc", "Bearer «redacted»"),
        ("x-api-key", "abc", MARK),
        ("Set-Cookie", "a=b", MARK),
        ("x-goog-auth-token", "abc", MARK),
        ("x-claude-code-session-id", "5f0d", "5f0d"),
        ("x-other", "sk-abcdefghijkl", MARK),
    ] {
        assert_eq!(header(name, value, KEPT), shown);
    }
}

#[test]
fn what_is_kept_is_kept_as_it_was_written() {
    let before =
        "{ \"z\" : 1.50,\n \"a\":\"\\u00e9\\/\", \"n\":12345678901234567890, \"lone\":\"\\ud800\" , \"z\":[ ] }";
    assert_eq!(kept(before), before);
    let before = "{\"a\" :[1, \"sk-abcdefghijkl\" ,{ }],\"b\":\"\\t\"}";
    assert_eq!(kept(before), "{\"a\" :[1, \"«redacted»\" ,{ }],\"b\":\"\\t\"}");
    assert_eq!(kept("{\"cut\": \"sk-abcdefghijkl"), "{\"cut\": \"«redacted»");
}

#[test]
fn pictures_and_files_become_a_note() {
    // One red pixel.
    let png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVQI12P4z8AAAAACAAE=";
    let before = json!({"content": [
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": png}},
        {"type": "input_image", "image_url": format!("data:image/png;base64,{png}")},
        {"type": "input_image", "image_url": "https://example.com/a.png"},
        {"type": "text", "text": format!("see data:image/png;base64,{png} there")},
        {"type": "input_file", "file_data": "QUJD".repeat(100)},
    ]});
    let after = redacted(&before);
    let note = &after["content"][0]["source"]["data"];
    assert_eq!((note["type"].as_str(), note["media_type"].as_str()), (Some("left_out"), Some("image/png")));
    assert_eq!(note["bytes"], 53);
    assert_eq!(note["sha256"].as_str().map(str::len), Some(64));
    assert_eq!(&after["content"][1]["image_url"], note);
    assert_eq!(after["content"][2], before["content"][2]);
    assert!(after["content"][3]["text"].as_str().unwrap().starts_with("see «image/png, 53 bytes, sha256 "));
    assert_eq!(after["content"][4]["file_data"]["bytes"], 300);
    assert!(!after.to_string().contains(&png[20..60]));
    let rules = Rules { images: true, ..KEPT };
    assert_eq!(text(&before.to_string(), rules), before.to_string(), "unless they are wanted");

    // As `base64 file` prints it, and as a tool result in a text.
    let lines = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2\n".repeat(12);
    assert!(kept(&format!("$ base64 x\n{lines}$")).len() < 200);
}

#[test]
fn what_is_sealed_is_shortened() {
    let sealed = "gAAAA".repeat(100);
    let after = redacted(
        &json!({"encrypted_content": sealed, "signature": format!("codeferry.1.acc_1.{sealed}"), "data": format!("codeferry.1.acc_1.{sealed}")}),
    );
    for (name, begins) in
        [("encrypted_content", "gAAAAgAAAA"), ("signature", "codeferry.1.acc_1."), ("data", "codeferry.1.acc_1.")]
    {
        let short = after[name].as_str().unwrap();
        assert!(short.starts_with(begins) && short.contains("bytes, sha256") && short.len() < 100, "{short}");
    }
}

#[test]
fn people_are_left_out_of_what_leaves() {
    let before = r"mail ada.l@example.co.uk from /home/ada/x, /Users/Ada and C:\\Users\\ada\\y";
    assert_eq!(kept(before), before);
    let after = r"mail «e-mail» from /home/«user»/x, /Users/«user» and C:\\Users\\«user»\\y";
    assert_eq!(text(before, LEAVING), after);
    assert_eq!(text(after, LEAVING), after);
    let before =
        r#"{"metadata":{"user_id":"user_ab_account_cd"},"tools":[{"properties":{"user_id":{"type":"string"}}}]}"#;
    assert_eq!(kept(before), before);
    assert_eq!(text(before, LEAVING), before.replace("user_ab_account_cd", "«person»"));
    assert_eq!(header("chatgpt-account-id", "uuid", LEAVING), "«person»");
}

fn delta(text: &str) -> String {
    let data = json!({"type": "response.output_text.delta", "output_index": 0, "delta": text});
    format!("event: response.output_text.delta\ndata: {data}\n\n")
}

/// What the pieces of a stream say together.
fn said(records: &[String]) -> String {
    let data = records.iter().filter_map(|record| record.split_once("data: "));
    data.map(|(_, data)| {
        let value: Value = serde_json::from_str(data).unwrap();
        value["delta"].as_str().unwrap().to_owned()
    })
    .collect()
}

#[test]
fn a_secret_in_pieces_goes_from_all_of_them() {
    let mut records: Vec<_> = ["my key: s", "k-ab", "cdefgh", "ijkl", " and", " more"].map(delta).into();
    records.insert(2, ": a comment\n\n".to_owned());
    records.insert(3, delta("other").replace("\"output_index\":0", "\"output_index\":1"));
    frames(&mut records, KEPT);
    assert_eq!(records[2], ": a comment\n\n");
    assert!(records.remove(3).contains("other"));
    records.remove(2);
    assert_eq!(said(&records), "my key: «redacted» and more");
    let quiet: Vec<_> = ["nothing ", "to hide"].map(delta).into();
    let mut same = quiet.clone();
    frames(&mut same, KEPT);
    assert_eq!(same, quiet);
}

#[test]
fn clients_frames_have_other_names_for_their_pieces() {
    let frame = |kind: &str, name: &str, text: &str| {
        let data = json!({"type": "content_block_delta", "index": 1, "delta": {"type": kind, name: text}});
        format!("event: content_block_delta\ndata: {data}\n\n")
    };
    let mut records = vec![
        frame("input_json_delta", "partial_json", "{\"password\": \"hun"),
        frame("input_json_delta", "partial_json", "ter2\", \"n\": 1}"),
        frame("text_delta", "text", "ter2"),
    ];
    frames(&mut records, KEPT);
    assert!(!records[0].contains("hun") && records[0].contains(MARK), "{}", records[0]);
    assert!(!records[1].contains("ter2") && records[1].contains("n\\\": 1"), "{}", records[1]);
    assert!(records[2].contains("ter2"), "another thread");
}

fn secrets() -> impl Strategy<Value = String> {
    prop_oneof![
        "sk-[A-Za-z0-9_-]{16,40}",
        "sk-proj-[A-Za-z0-9]{40}",
        "cf_[A-Za-z0-9_-]{43}",
        "gh[pos]_[A-Za-z0-9]{36}",
        "rt_[A-Za-z0-9_-]{30,60}",
        "eyJ[A-Za-z0-9_-]{10,40}\\.[A-Za-z0-9_-]{10,60}\\.[A-Za-z0-9_-]{10,40}",
    ]
}

/// Around a secret: whatever a key would not be part of.
fn around() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), "[a-z ]{0,8}[ \n\"'\\\\:=,{}\\[\\]()é/]"]
}

fn after() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), "[ \n\"'\\\\:,{}\\[\\]()é][a-z \"\\\\]{0,8}"]
}

/// A document with this text somewhere in it, as a value, within a list, in a document in a text, or as a name.
fn documents(place: usize, text: &str) -> Value {
    match place % 6 {
        0 => json!({"a": {"b": [1, {"text": text}]}}),
        1 => json!([[["x", text], null]]),
        2 => json!({"arguments": json!({"deep": json!({"deeper": text}).to_string()}).to_string()}),
        3 => json!({text: true}),
        4 => json!({"output": format!("$ cat file\n{}", json!({"value": text}))}),
        _ => json!({"image_url": text, "data": text, "signature": text}),
    }
}

proptest! {
    #[test]
    fn no_secret_stays_wherever_it_stands(secret in secrets(), before in around(), behind in after(), place in 0..6_usize) {
        let document = documents(place, &format!("{before}{secret}{behind}")).to_string();
        for rules in [KEPT, LEAVING, Rules { images: true, ..KEPT }] {
            let shown = text(&document, rules);
            prop_assert!(!shown.contains(&secret), "{shown}");
            prop_assert!(serde_json::from_str::<Value>(&shown).is_ok(), "{shown}");
            // A document that was cut is a text.
            prop_assert!(!text(&document[..document.len() - 1], rules).contains(&secret));
        }
        prop_assert!(!header("x-any", &secret, KEPT).contains(&secret));
    }

    #[test]
    fn whatever_stands_under_the_name_of_a_secret_goes(
        value in "[a-zA-Z0-9!$%&/?.;:+é -]{6,30}[0-9]",
        name in prop::sample::select(vec!["access_token", "refresh_token", "id_token", "api_key", "authorization", "password", "client_secret", "DB_PASSWORD", "openaiApiKey"]),
        place in 0..5_usize,
    ) {
        let inner = json!({name: value}).to_string();
        let document = match place {
            0 => json!({"a": [{name: value}]}).to_string(),
            3 => format!("{{\"{name}\" : \"{value}\"}}"),
            _ => documents(place, &inner).to_string(),
        };
        let shown = kept(&document);
        prop_assert!(!shown.contains(value.trim()), "{shown}");
    }

    #[test]
    fn no_secret_stays_in_a_stream_however_it_is_cut(
        secret in secrets(), before in "[a-z é]{0,10} ", behind in "[ .][a-z ]{0,10}",
        cuts in prop::collection::vec(0..200_usize, 0..20),
    ) {
        let whole = format!("{before}{secret}{behind}");
        let mut cuts: Vec<_> = cuts.into_iter().filter(|cut| *cut < whole.len() && whole.is_char_boundary(*cut)).collect();
        cuts.extend([0, whole.len()]);
        cuts.sort_unstable();
        let mut records: Vec<_> = cuts.windows(2).map(|cut| delta(&whole[cut[0]..cut[1]])).collect();
        frames(&mut records, KEPT);
        let said = said(&records);
        prop_assert!(!said.contains(&secret) && said.contains(MARK), "{said}");
        prop_assert!(said.starts_with(&before), "{said}");
    }

    #[test]
    fn any_text_at_all_is_taken(wild in any::<String>()) {
        let _ = text(&wild, LEAVING);
        let mut records = vec![format!("data: {wild}\n\n"), wild];
        frames(&mut records, LEAVING);
    }
}

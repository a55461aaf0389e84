//! What goes upstream, and what is said of the rest.

use codeferry_tests::World;
use serde_json::{Value, json};

use super::{WHOLE, asking, send, text, whole};

const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

async fn losses(world: &World, body: &Value) -> String {
    let response = send(world, WHOLE, body).await;
    assert_eq!(response.status(), 200);
    response.headers().get("codeferry-losses").map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
}

#[tokio::test]
async fn the_conversation_arrives_as_it_was_said() {
    let world = World::start().await;
    let body = json!({
        "system_instruction": {"parts": [{"text": "be brief"}, {"text": "and kind"}]},
        "contents": [
            {"parts": [
                {"text": "look"},
                {"inlineData": {"mimeType": "image/png", "data": PNG.replace('+', "-").replace('/', "_")}},
                {"fileData": {"mimeType": "image/png", "fileUri": "https://example.org/a.png"}},
                {"inline_data": {"mime_type": "application/pdf", "data": "JVBERi0=", "display_name": "a.pdf"}},
                {"inlineData": {"mimeType": "text/plain", "data": "bm90ZXM="}}]},
            {"role": "model", "parts": [{"text": "se"}]},
            {"role": "model", "parts": [{"text": "en"}]},
            {"role": "user", "parts": [{"text": "[[demo:text {}]]"}]}],
        "tools": [{"googleSearch": {}}],
        "generationConfig": {
            "responseMimeType": "application/json",
            "responseSchema": {"type": "OBJECT", "properties": {"t": {"type": "STRING", "nullable": true}}},
            "thinkingConfig": {"thinkingLevel": "HIGH"}}});
    whole(&world, &body).await;
    let sent = world.last_upstream();
    assert_eq!(sent["instructions"], "be brief\n\nand kind");
    let parts = &sent["input"][0]["content"];
    assert_eq!(parts[0], json!({"type": "input_text", "text": "look"}));
    assert_eq!(parts[1]["image_url"], format!("data:image/png;base64,{PNG}"));
    assert_eq!(parts[2], json!({"type": "input_image", "image_url": "https://example.org/a.png"}));
    assert_eq!(parts[3]["filename"], "a.pdf");
    assert_eq!(parts[4]["text"], "notes");
    assert_eq!(sent["input"][1]["content"], json!([{"type": "output_text", "text": "seen"}]));
    assert_eq!(sent["text"]["format"]["schema"]["properties"]["t"]["type"], json!(["string", "null"]));
    assert_eq!(sent["tools"][0]["type"], "web_search");
    assert_eq!((sent["reasoning"]["effort"].as_str(), sent["store"].as_bool()), (Some("high"), Some(false)));
    assert!(world.demo.violations().is_empty(), "{:?}", world.demo.violations());
}

/// The upstream knows objects alone: any other JSON is asked for in words.
#[tokio::test]
async fn json_of_every_kind_is_asked_for() {
    let world = World::start().await;
    let mut body = asking("[[demo:text []]]");
    body["generationConfig"] = json!({"responseMimeType": "application/json"});
    whole(&world, &body).await;
    let sent = world.last_upstream();
    assert_eq!(sent["text"]["format"]["type"], "json_object");
    assert_eq!(sent["input"][0]["role"], "developer");
    body["generationConfig"]["responseSchema"] = json!({"type": "ARRAY", "items": {"type": "STRING"}});
    whole(&world, &body).await;
    let sent = world.last_upstream();
    assert!(sent.get("text").is_none());
    let told = sent["input"][0]["content"][0]["text"].as_str().unwrap();
    let (_, schema) = told.split_once("schema: ").unwrap();
    let schema: Value = serde_json::from_str(schema).unwrap();
    assert_eq!(schema, json!({"type": "array", "items": {"type": "string"}}));
}

#[tokio::test]
async fn every_mode_of_calling_is_taken() {
    let world = World::start().await;
    for (config, sent) in [
        (json!({"mode": "AUTO"}), json!("auto")),
        (json!({"mode": "NONE"}), json!("none")),
        (json!({"mode": "ANY"}), json!("required")),
        (json!({"mode": "any", "allowedFunctionNames": ["b"]}), json!({"type": "function", "name": "b"})),
        (
            json!({"mode": "VALIDATED", "allowedFunctionNames": ["a"]}),
            json!({"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "a"}]}),
        ),
    ] {
        let mut body = asking("[[demo:text ok]]");
        body["tools"] = json!([{"functionDeclarations": [{"name": "a"}, {"name": "b"}]}]);
        body["toolConfig"] = json!({"functionCallingConfig": config});
        let response = send(&world, WHOLE, &body).await;
        assert_eq!(response.status(), 200, "{config}: {}", response.text().await.unwrap());
        assert_eq!(world.last_upstream()["tool_choice"], sent, "{config}");
    }
}

#[tokio::test]
async fn what_cannot_be_carried_is_named() {
    let world = World::start().await;
    let mut body = asking("[[demo:text ok]]");
    body["generationConfig"] = json!({"temperature": 0.2, "topP": 0.9, "topK": 40, "seed": 7, "presencePenalty": 0.5, "mediaResolution": "LOW"});
    body["tools"] = json!([{"codeExecution": {}}]);
    assert_eq!(losses(&world, &body).await, "hosted_tool, penalty, seed, temperature, top_k, top_p, unknown_member");
    let part = |part: Value| {
        let mut body = asking("[[demo:text ok]]");
        body["contents"][0]["parts"].as_array_mut().unwrap().insert(0, part);
        body
    };
    for (given, loss) in [
        (json!({"inlineData": {"mimeType": "audio/wav", "data": "AA=="}}), "audio"),
        (json!({"inlineData": {"mimeType": "image/tiff", "data": "AA=="}}), "image_type"),
        (json!({"fileData": {"fileUri": "https://generativelanguage.googleapis.com/v1beta/files/x"}}), "file_source"),
        (json!({"executableCode": {"code": "1"}}), "unknown_block"),
        (json!({"functionResponse": {"name": "f", "response": {}}}), "orphan_result"),
    ] {
        assert_eq!(losses(&world, &part(given.clone())).await, loss, "{given}");
    }
    let mut signed = asking("[[demo:text ok]]");
    let model = json!({"role": "model", "parts": [{"text": "hi", "thoughtSignature": "c2ln"}]});
    signed["contents"].as_array_mut().unwrap().insert(0, model);
    assert_eq!(losses(&world, &signed).await, "foreign_thinking");
    signed["contents"][0]["parts"][0]["thoughtSignature"] = json!("skip_thought_signature_validator");
    assert_eq!(losses(&world, &signed).await, "");
    assert!(world.demo.violations().is_empty(), "{:?}", world.demo.violations());
}

/// The table's effort comes before the level that the Gemini CLI says with every request.
#[tokio::test]
async fn names_and_efforts() {
    let world = World::start().await;
    for (name, config, model, effort) in [
        ("gemini-3.1-pro-preview", json!({"thinkingLevel": "LOW"}), "gpt-6.1-sol", Some("low")),
        ("gemini-3.8-flash", json!({"thinkingBudget": 9000}), "gpt-6-sol", Some("medium")),
        ("gemini-3.5-flash-lite", json!({"thinkingLevel": "HIGH"}), "gpt-6-luna", Some("low")),
        ("gemini-3-pro-high", json!({}), "gpt-6.1-sol", Some("high")),
        ("gpt-6-luna", json!({"thinkingBudget": -1}), "gpt-6-luna", None),
    ] {
        let mut body = asking("[[demo:text ok]]");
        body["generationConfig"] = json!({"thinkingConfig": config});
        let path = format!("/v1beta/models/{name}:generateContent");
        let answer: Value = send(&world, &path, &body).await.json().await.unwrap();
        assert_eq!((text(std::slice::from_ref(&answer)).as_str(), answer["modelVersion"].as_str()), ("ok", Some(name)));
        let sent = world.last_upstream();
        assert_eq!((sent["model"].as_str(), sent["reasoning"]["effort"].as_str()), (Some(model), effort), "{name}");
    }
}

#[tokio::test]
async fn it_is_written_down_as_gemini() {
    let world = World::start().await;
    let response = send(&world, WHOLE, &asking("[[demo:text ok]]")).await;
    let id = response.headers()["request-id"].to_str().unwrap().to_owned();
    let path = format!("/exchanges/{id}");
    let row = world.control(reqwest::Method::GET, &path).send().await.unwrap().json::<Value>().await.unwrap();
    let written = (row["dialect"].as_str(), row["path"].as_str(), row["asked"].as_str());
    assert_eq!(
        written,
        (Some("gemini"), Some("/v1beta/models/{model}:generateContent"), Some("gemini-3-pro")),
        "{row}"
    );
}

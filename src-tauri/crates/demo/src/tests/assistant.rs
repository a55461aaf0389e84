//! The built-in assistant.

use serde_json::{Value, json};

use super::{Stage, bash, follow_up, request, user, with_tools};

fn tool(name: &str, properties: &[&str]) -> Value {
    let fields: serde_json::Map<String, Value> =
        properties.iter().map(|name| ((*name).to_owned(), json!({"type": "string"}))).collect();
    json!({"type": "function", "name": name, "strict": false, "parameters": {
        "type": "object", "required": properties, "properties": fields,
    }})
}

#[tokio::test]
async fn it_greets_and_says_what_it_is() {
    let stage = Stage::open().await;
    let plain = stage.say("hi there").await.said();
    assert!(plain.starts_with("Hello! I am the built-in demo of Codeferry") && plain.contains("no tools"), "{plain}");
    let with = stage.ask(&with_tools("hi there", vec![bash()])).await.said();
    assert!(with.contains("\"run date\""), "{with}");
}

#[tokio::test]
async fn it_makes_real_calls_one_after_the_other_and_sums_up() {
    let stage = Stage::open().await;
    let tools = vec![bash(), tool("Read", &["file_path"]), tool("Write", &["file_path", "content"])];
    let mut body = with_tools("write a.txt with good morning and then read a.txt and then list files", tools);
    body["instructions"] = json!("Environment:\nPrimary working directory: /tmp/work\nPlatform: linux");
    let mut made = Vec::new();
    for _ in 0..3 {
        let answer = stage.ask(&body).await;
        let call = answer.items().pop().expect("a call");
        let input: Value = serde_json::from_str(call["arguments"].as_str().expect("text")).expect("JSON");
        made.push((call["name"].as_str().expect("a name").to_owned(), input));
        follow_up(&mut body, &answer);
    }
    assert_eq!(made[0], ("Write".to_owned(), json!({"file_path": "/tmp/work/a.txt", "content": "good morning"})));
    assert_eq!(made[1], ("Read".to_owned(), json!({"file_path": "/tmp/work/a.txt"})));
    assert_eq!(made[2], ("Bash".to_owned(), json!({"command": "ls -la"})));
    let end = stage.ask(&body).await.said();
    assert!(end.starts_with("Done, 3 tools answered.") && end.contains("good morning"), "{end}");
    assert_eq!(stage.demo.violations(), []);
}

#[tokio::test]
async fn it_obeys_the_tool_choice() {
    let stage = Stage::open().await;
    let mut body = with_tools("run date", vec![bash(), tool("Other", &["x"])]);
    body["tool_choice"] = json!("none");
    assert_eq!(stage.ask(&body).await.items()[0]["type"], "message");
    body["tool_choice"] = json!({"type": "function", "name": "Other"});
    assert_eq!(stage.ask(&body).await.items()[0]["arguments"], json!({"x": "demo x"}).to_string());
    body["tool_choice"] = json!("required");
    body["input"] = json!([user("hello")]);
    assert_eq!(stage.ask(&body).await.items()[0]["name"], "Bash");
}

#[tokio::test]
async fn it_answers_the_calls_claude_code_makes_by_itself() {
    let stage = Stage::open().await;
    // A title, over a text that holds a marker.
    let mut title = request("[[demo:limit]] please sort my files");
    title["text"] = json!({"format": {"type": "json_schema", "name": "title", "schema": {
        "type": "object", "properties": {"title": {"type": "string"}}, "required": ["title"], "additionalProperties": false,
    }}});
    let said: Value = serde_json::from_str(&stage.ask(&title).await.said()).expect("JSON");
    assert_eq!(said, json!({"title": "please sort my files"}));
    // A web search, in a request of its own.
    let mut search = request("Perform a web search for the query: ferries of Norway");
    search["tools"] = json!([{"type": "web_search"}]);
    search["tool_choice"] = json!({"type": "web_search"});
    assert_eq!(stage.ask(&search).await.items()[0]["action"]["query"], "ferries of Norway");
    // --json-schema is a tool that waits to be called.
    let mut body = with_tools("answer", vec![tool("StructuredOutput", &["answer"])]);
    let answer = stage.ask(&body).await;
    assert_eq!(answer.items()[0]["name"], "StructuredOutput");
    follow_up(&mut body, &answer);
    assert_eq!(stage.ask(&body).await.items()[0]["type"], "message", "called once");
}

#[tokio::test]
async fn it_thinks_when_asked_to_and_its_thoughts_come_back() {
    let stage = Stage::open().await;
    let mut body = request("hello");
    body["reasoning"]["effort"] = json!("high");
    let answer = stage.ask(&body).await;
    assert_eq!(answer.items()[0]["type"], "reasoning");
    follow_up(&mut body, &answer);
    body["input"].as_array_mut().expect("a list").push(user("and now?"));
    assert!(stage.ask(&body).await.said().starts_with("Still here."));
}

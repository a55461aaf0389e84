//! A chat with an account that is asked for by name: there and back again, through the same hub as everything else.

use codeferry_demo::{ChatFlavour, ChatServer};
use codeferry_tests::chat::fold;
use codeferry_tests::{Setup, World};
use serde_json::{Value, json};

use super::{CHAT, asking, chunks, send, whole};
use crate::named::{LLAMA, add, clean, with_ollama};

#[tokio::test]
async fn a_compatible_server_is_spoken_to_in_its_own_words() {
    let (world, server) = with_ollama().await;
    let mut body = asking("[[demo:text Hello]]");
    body["model"] = json!(LLAMA);
    let streamed = chunks(&world, &body).await;
    assert_eq!(
        (streamed[0]["model"].as_str(), fold(&streamed)["message"]["content"].as_str()),
        (Some(LLAMA), Some("Hello"))
    );

    let tool = json!({"type": "function", "function": {"name": "read", "description": "reads", "parameters": {"type": "object", "properties": {}}}});
    let mut body = json!({"model": LLAMA, "temperature": 0.25, "max_tokens": 900, "stop": ["END"], "reasoning_effort": "high",
        "tools": [tool], "tool_choice": {"type": "function", "function": {"name": "read"}}, "seed": 3,
        "response_format": {"type": "json_object"},
        "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hi"}]});
    let answer = send(&world, CHAT, &body).await;
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["codeferry-losses"], "seed");
    let sent = server.asked().pop().unwrap();
    assert_eq!(
        sent,
        json!({"model": "llama3.2:3b", "max_tokens": 900, "temperature": 0.25, "reasoning_effort": "high",
            "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "hi"}],
            "tools": [tool], "tool_choice": {"type": "function", "function": {"name": "read"}},
            "response_format": {"type": "json_object"}, "stream": true, "stream_options": {"include_usage": true}})
    );
    body["tool_choice"] = json!({"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [{"type": "function", "function": {"name": "read"}}]}});
    let answer = send(&world, CHAT, &body).await;
    assert_eq!(answer.headers()["codeferry-losses"], "seed, tool_choice");
    clean(&server);
    assert!(world.demo.model_requests().is_empty(), "the plan was not asked");
}

#[tokio::test]
async fn a_key_of_openai_takes_what_plans_refuse() {
    let server = ChatServer::start(ChatFlavour::OpenAi).await.unwrap();
    let world = World::with(Setup { openai: Some(server.url()), ..Setup::default() }).await;
    let (status, added) =
        add(&world, &json!({"kind": "openai_key", "label": "paid", "key": server.key().unwrap()})).await;
    assert_eq!(status, 201, "{added}");
    let mut body = asking("hello");
    body["model"] = json!("paid/gpt-6-sol");
    body["temperature"] = json!(0.5);
    body["max_completion_tokens"] = json!(100);
    let answer: Value = whole(&world, &body).await;
    assert_eq!(answer["choices"][0]["message"]["content"], "You said: hello");
    let sent = server.asked().pop().unwrap();
    assert_eq!((sent["temperature"].as_f64(), sent["max_output_tokens"].as_u64()), (Some(0.5), Some(100)));
    clean(&server);
}

//! Pictures and documents: read from disk, and made by an MCP server.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use codeferry_tests::World;
use codeferry_tests::claude::Claude;
use serde_json::json;

use crate::{asked, calling, items, playing};

/// Eight by eight pixels of red.
const RED: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAEklEQVR4nGP8z4AdMOEQH6QSAM1BAQ/oQeJvAAAAAElFTkSuQmCC";

/// One page with one line of text.
fn pdf() -> Vec<u8> {
    let content = "BT /F1 24 Tf 20 50 Td (A ferry) Tj ET";
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 100] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>"
            .to_owned(),
        format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>".to_owned(),
    ];
    let (mut file, mut places) = ("%PDF-1.4\n".to_owned(), String::new());
    for (index, object) in objects.iter().enumerate() {
        places += &format!("{:010} 00000 n \n", file.len());
        file += &format!("{} 0 obj\n{object}\nendobj\n", index + 1);
    }
    let (start, size) = (file.len(), objects.len() + 1);
    file += &format!("xref\n0 {size}\n0000000000 65535 f \n{places}");
    file += &format!("trailer\n<< /Size {size} /Root 1 0 R >>\nstartxref\n{start}\n%%EOF\n");
    file.into_bytes()
}

#[tokio::test]
async fn a_picture_and_a_document_are_read() {
    let world = World::start().await;
    let Some(claude) = Claude::at(&world) else { return };
    let (picture, document) = (claude.file("red.png", STANDARD.decode(RED).unwrap()), claude.file("ferry.pdf", pdf()));
    let prompt = playing(&[
        &calling("Read", &json!({"file_path": picture})),
        &calling("Read", &json!({"file_path": document})),
        "[[demo:text Seen.]]",
    ]);
    let run = claude.run(&prompt, &[]).await;

    assert_eq!(run.text(), "Seen.");
    let asked = asked(&world);
    assert_eq!(asked.len(), 3);
    let outputs = items(&asked[2], "function_call_output");
    let image = json!([{"type": "input_image", "image_url": format!("data:image/png;base64,{RED}")}]);
    assert_eq!(outputs[0]["output"], image, "the picture stands inside of the tool's answer");
    let messages = items(&asked[2], "message");
    let file = messages
        .iter()
        .filter_map(|message| message["content"].as_array())
        .flatten()
        .find(|part| part["type"] == "input_file")
        .expect("the document stands beside the tool's answer");
    let data = format!("data:application/pdf;base64,{}", STANDARD.encode(pdf()));
    assert_eq!(file["file_data"], data.as_str());
}

#[tokio::test]
async fn an_mcp_tool_answers_with_a_picture() {
    let world = World::start().await;
    let Some(claude) = Claude::at(&world) else { return };
    let Some(python) = codeferry_tests::client("CODEFERRY_TEST_PYTHON", "Python") else { return };
    let server = claude.file("server.py", include_str!("mcp_server.py"));
    let config = json!({"mcpServers": {"harbour": {"command": python, "args": [server], "env": {"PICTURE": RED}}}});
    let config = claude.file("mcp.json", config.to_string());
    let tool = "mcp__harbour__snapshot";
    let prompt = playing(&[&calling(tool, &json!({"place": "pier 3"})), "[[demo:text A red one.]]"]);
    let run = claude.run(&prompt, &["--mcp-config", config.to_str().unwrap(), "--strict-mcp-config"]).await;

    assert_eq!(run.text(), "A red one.");
    let asked = asked(&world);
    assert_eq!(asked.len(), 2);
    let offered = asked[0]["tools"].as_array().unwrap().iter().find(|offered| offered["name"] == tool);
    let offered = offered.expect("the server's tool is offered");
    assert_eq!(offered["parameters"]["properties"]["place"]["type"], "string");
    let answers = items(&asked[1], "function_call_output");
    let parts = answers[0]["output"].as_array().expect("text and picture");
    assert!(parts.iter().any(|part| part["type"] == "input_text" && part["text"] == "This is pier 3."), "{parts:?}");
    let image = format!("data:image/png;base64,{RED}");
    assert!(parts.iter().any(|part| part["type"] == "input_image" && part["image_url"] == image.as_str()), "{parts:?}");
}

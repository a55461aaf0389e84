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
    // Longer than the upstream takes.
    let long = "mcp__harbour__a_snapshot_of_a_place_with_a_name_that_is_longer_than_sixty_four_characters";
    let prompt = playing(&[
        &calling(tool, &json!({"place": "pier 3"})),
        &calling(long, &json!({"place": "pier 4"})),
        "[[demo:text A red one.]]",
    ]);
    let run = claude.run(&prompt, &["--mcp-config", config.to_str().unwrap(), "--strict-mcp-config"]).await;

    assert_eq!(run.text(), "A red one.");
    let called: Vec<_> = run.tool_uses().into_iter().map(|(name, _)| name).collect();
    assert_eq!(called, [tool, long], "names come back as the client knows them");
    let asked = asked(&world);
    assert_eq!(asked.len(), 3);
    let offered = asked[0]["tools"].as_array().unwrap();
    assert!(offered.iter().all(|offered| offered["name"].as_str().unwrap().len() <= 64));
    let offered = offered.iter().find(|offered| offered["name"] == tool);
    let offered = offered.expect("the server's tool is offered");
    assert_eq!(offered["parameters"]["properties"]["place"]["type"], "string");
    let image = format!("data:image/png;base64,{RED}");
    for (answer, text) in items(&asked[2], "function_call_output").iter().zip(["This is pier 3.", "This is pier 4."]) {
        let parts = answer["output"].as_array().expect("text and picture");
        assert!(parts.iter().any(|part| part["type"] == "input_text" && part["text"] == text), "{parts:?}");
        assert!(parts.iter().any(|part| part["image_url"] == image.as_str()), "{parts:?}");
    }
}

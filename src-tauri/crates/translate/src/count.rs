//! How many tokens a request is.
//!
//! [`exact`] answers `/v1/messages/count_tokens`; [`roughly`] fills `message_start` on every request and so must cost next
//! to nothing.

use codeferry_wire::anthropic::request::{Block, Content, Request, Source, Tool};
use codeferry_wire::chat::ask;
use codeferry_wire::gemini::request as gemini;
use codeferry_wire::json::Raw;

use crate::tokens::{self, Estimate};

/// What the upstream adds around each message and each tool, in tokens: role, separators, the signature's syntax.
const AROUND_MESSAGE: u64 = 4;
const AROUND_TOOL: u64 = 8;
/// What a request costs before its first word.
const AROUND_REQUEST: u64 = 8;

/// Counts with the upstream's own ranks.
pub fn exact(request: &Request<'_>) -> u64 {
    let mut meter = Exact(0);
    walk(request, &mut meter);
    meter.0
}

/// Estimates by the look of the bytes.
pub fn roughly(request: &Request<'_>) -> u64 {
    let mut meter = Rough { estimate: Estimate::default(), looked_at: 0 };
    walk(request, &mut meter);
    meter.estimate.tokens()
}

/// Estimates a chat request by the look of the bytes.
pub fn roughly_chat(request: &ask::Request<'_>) -> u64 {
    let mut meter = Rough { estimate: Estimate::default(), looked_at: 0 };
    meter.extra(AROUND_REQUEST);
    for message in &request.messages {
        meter.extra(AROUND_MESSAGE);
        for part in &message.content {
            match part {
                ask::Part::Text(text) | ask::Part::Refusal(text) | ask::Part::Other(text) => meter.json(*text),
                ask::Part::Image { .. } => meter.image(""),
                ask::Part::File { data, .. } => meter.document(data.and_then(Raw::literal).unwrap_or_default()),
                ask::Part::Audio | ask::Part::Thinking => {}
            }
        }
        for call in &message.calls {
            meter.plain(&call.name);
            meter.json(call.arguments);
        }
    }
    for tool in &request.tools {
        meter.extra(AROUND_TOOL);
        meter.plain(&tool.name);
        for raw in [tool.description, tool.parameters].into_iter().flatten() {
            meter.json(raw);
        }
    }
    if let ask::Format::JsonSchema { schema: Some(schema), .. } = request.format {
        meter.json(schema);
    }
    meter.estimate.tokens()
}

/// Counts a Gemini request with the upstream's own ranks.
pub fn exact_gemini(request: &gemini::Request<'_>) -> u64 {
    let mut meter = Exact(0);
    walk_gemini(request, &mut meter);
    meter.0
}

/// Estimates a Gemini request by the look of the bytes.
pub fn roughly_gemini(request: &gemini::Request<'_>) -> u64 {
    let mut meter = Rough { estimate: Estimate::default(), looked_at: 0 };
    walk_gemini(request, &mut meter);
    meter.estimate.tokens()
}

fn walk_gemini(request: &gemini::Request<'_>, meter: &mut impl Meter) {
    meter.extra(AROUND_REQUEST);
    request.system.iter().for_each(|part| gemini_part(part, meter));
    for content in &request.contents {
        meter.extra(AROUND_MESSAGE);
        content.parts.iter().for_each(|part| gemini_part(part, meter));
    }
    for tool in &request.tools {
        meter.extra(AROUND_TOOL);
        meter.plain(&tool.name);
        for raw in [tool.description, tool.parameters].into_iter().flatten() {
            meter.json(raw);
        }
    }
    if let gemini::Format::Schema(schema) = request.config.format {
        meter.json(schema);
    }
}

fn gemini_part(part: &gemini::Part<'_>, meter: &mut impl Meter) {
    if let Some(signature) = &part.signature {
        meter.extra(signature.len() as u64 / 8);
    }
    match &part.said {
        gemini::Said::Text(_) if part.thought => {}
        gemini::Said::Text(text) | gemini::Said::Other(text) => meter.json(*text),
        gemini::Said::Data { media_type, data, .. } if media_type.starts_with("image/") => meter.image(data),
        gemini::Said::Data { data, .. } => meter.document(data),
        gemini::Said::File { media_type, .. } => {
            let image = media_type.as_deref().is_some_and(|kind| kind.starts_with("image/"));
            meter.extra(if image { 1000 } else { 2000 });
        }
        gemini::Said::Call { name, args, .. } => {
            meter.plain(name);
            meter.json(*args);
        }
        gemini::Said::Result { response, parts, .. } => {
            meter.json(*response);
            parts.iter().for_each(|part| gemini_part(part, meter));
        }
    }
}

/// Measures the pieces of a request.
trait Meter {
    /// A string literal, or the text of any other JSON value.
    fn json(&mut self, raw: Raw<'_>);
    fn plain(&mut self, text: &str);
    fn image(&mut self, base64: &str);
    fn document(&mut self, base64: &str);
    fn extra(&mut self, tokens: u64);
}

struct Exact(u64);

impl Meter for Exact {
    fn json(&mut self, raw: Raw<'_>) {
        match raw.string() {
            Some(text) => self.plain(&text),
            None => self.plain(raw.as_slice_str()),
        }
    }

    fn plain(&mut self, text: &str) {
        self.0 += tokens::count(text) as u64;
    }

    fn image(&mut self, base64: &str) {
        self.0 += tokens::image(base64);
    }

    fn document(&mut self, base64: &str) {
        self.0 += tokens::pdf(base64);
    }

    fn extra(&mut self, tokens: u64) {
        self.0 += tokens;
    }
}

/// Looks at the beginning of a conversation in full, and at the head of each text after that: a text goes on as it begins,
/// and a history of megabytes must not hold up its answer.
struct Rough {
    estimate: Estimate,
    looked_at: usize,
}

/// How much is looked at in full.
const IN_FULL: usize = 3 * 1024;
/// How much of each text after that.
const HEAD: usize = 96;

impl Meter for Rough {
    /// Escapes are counted as they stand: that errs by a few percent, decoding would cost more than all the rest.
    fn json(&mut self, raw: Raw<'_>) {
        self.plain(raw.literal().unwrap_or(raw.as_slice_str()));
    }

    fn plain(&mut self, text: &str) {
        if self.looked_at < IN_FULL || text.len() <= HEAD {
            self.looked_at += text.len();
            return self.estimate.add(text);
        }
        let mut head = HEAD;
        while !text.is_char_boundary(head) {
            head -= 1;
        }
        let tokens = tokens::estimate(&text[..head]);
        self.estimate.add_tokens(tokens * text.len() as u64 / head as u64);
    }

    fn image(&mut self, _base64: &str) {
        self.estimate.add_tokens(1000);
    }

    /// By size alone; looking for the pages means unpacking it.
    fn document(&mut self, base64: &str) {
        self.estimate.add_tokens((base64.len() / 40).max(1500) as u64);
    }

    fn extra(&mut self, tokens: u64) {
        self.estimate.add_tokens(tokens);
    }
}

fn walk(request: &Request<'_>, meter: &mut impl Meter) {
    meter.extra(AROUND_REQUEST);
    blocks(&request.system, meter);
    for message in &request.messages {
        meter.extra(AROUND_MESSAGE);
        blocks(&message.content, meter);
    }
    for offered in &request.tools {
        tool(offered, meter);
    }
    if let Some(schema) = request.format {
        meter.json(schema);
    }
}

fn tool(tool: &Tool<'_>, meter: &mut impl Meter) {
    meter.extra(AROUND_TOOL);
    meter.plain(&tool.name);
    for raw in [tool.description, tool.input_schema].into_iter().flatten() {
        meter.json(raw);
    }
}

fn blocks(blocks: &[Block<'_>], meter: &mut impl Meter) {
    for each in blocks {
        block(each, meter);
    }
}

fn block(block: &Block<'_>, meter: &mut impl Meter) {
    match block {
        Block::Text { text } => meter.json(*text),
        Block::Image { source: Source::Base64 { data, .. } } => meter.image(data),
        Block::Image { .. } => meter.extra(1000),
        Block::Document { source, title, context } => {
            for raw in [title, context].into_iter().flatten() {
                meter.json(*raw);
            }
            match source {
                Source::Base64 { data, .. } => meter.document(data),
                Source::Text(text) => meter.json(*text),
                Source::Blocks(inner) => blocks(inner, meter),
                Source::Url(_) | Source::Other(_) => meter.extra(2000),
            }
        }
        Block::SearchResult { title, source, content } => {
            for raw in [title, source].into_iter().flatten() {
                meter.json(*raw);
            }
            blocks(content, meter);
        }
        // Sealed reasoning weighs about what the reasoning was; base64 of encrypted text, four bytes a token at most.
        Block::Thinking { signature: sealed } | Block::RedactedThinking { data: sealed } => {
            meter.extra(sealed.len() as u64 / 6);
        }
        Block::ToolUse { name, input, .. } | Block::ServerToolUse { name, input } => {
            meter.plain(name);
            meter.json(*input);
        }
        Block::ToolResult { content: Content::Text(text), .. } => meter.json(*text),
        Block::ToolResult { content: Content::Blocks(inner), .. } => blocks(inner, meter),
        Block::ServerToolResult { content, .. } => meter.json(*content),
        Block::ToolReference { name } => meter.plain(name),
        Block::Other { raw, .. } => meter.json(*raw),
    }
}

#[cfg(test)]
mod tests {
    use super::{Request, exact, exact_gemini, gemini, roughly, roughly_gemini};

    fn both(body: &str) -> (u64, u64) {
        let request = Request::parse(body.as_bytes()).expect("a request");
        (exact(&request), roughly(&request))
    }

    fn said(text: &str) -> String {
        format!(r#"{{"model":"m","messages":[{{"role":"user","content":"{text}"}}]}}"#)
    }

    #[test]
    fn words_and_characters() {
        // o200k: "hello world" is 2 tokens; around them stand a request and a message.
        assert_eq!(both(&said("hello world")).0, 2 + 4 + 8);
        let (chinese, rough) = both(&said(&"今天天气很好，我们去公园散步吧。".repeat(50)));
        assert!((400..=700).contains(&chinese), "{chinese}");
        assert!(rough.abs_diff(chinese) * 100 < chinese * 25, "{rough} for {chinese}");
    }

    #[test]
    fn escapes_count_as_what_they_mean() {
        assert_eq!(both(&said("hello\\u0020world")).0, both(&said("hello world")).0);
    }

    #[test]
    fn a_long_history_is_estimated_by_the_heads_of_its_texts() {
        let code = r"fn next(&mut self) -> Option<u32> {\n    let at = self.items.iter().position(|item| item.id > 7)?;\n    Some(at as u32)\n}\n";
        let messages: Vec<String> =
            (0..200).map(|n| format!(r#"{{"role":"user","content":"{}"}}"#, code.repeat(5 + n % 40))).collect();
        let (exact, rough) = both(&format!(r#"{{"model":"m","messages":[{}]}}"#, messages.join(",")));
        assert!(exact > 100_000, "{exact}");
        assert!(rough.abs_diff(exact) * 100 < exact * 25, "{rough} for {exact}");
    }

    #[test]
    fn tools_and_pictures_count() {
        let bare = both(&said("x")).0;
        let with_tool = said("x").replace(
            r#""model":"m","#,
            r#""model":"m","tools":[{"name":"Read","description":"Reads a file from disk","input_schema":{"type":"object","properties":{"path":{"type":"string"}}}}],"#,
        );
        assert!(both(&with_tool).0 > bare + 20);
        let picture = r#"[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AAAA"}}]"#;
        let with_picture = said("x").replace("\"x\"", picture);
        assert!(both(&with_picture).0 > bare + 1000);
    }
    #[test]
    fn a_gemini_request_weighs_what_it_says() {
        let both = |rest: &str| {
            let body = format!(r#"{{"contents":[{{"parts":[{{"text":"hello world"}}{rest}]}}]}}"#);
            let request = gemini::Request::parse(body.as_bytes()).expect("a request");
            (exact_gemini(&request), roughly_gemini(&request))
        };
        assert_eq!(both("").0, 2 + 4 + 8);
        assert_eq!(both(r#",{"text":"a thought","thought":true}"#).0, 2 + 4 + 8, "thoughts are not sent");
        let (exact, rough) = both(
            r#",{"functionResponse":{"name":"f","response":{"output":"one two three"},"parts":[{"inlineData":{"mimeType":"image/png","data":"AAAA"}}]}}"#,
        );
        assert!(exact > 1000 && rough > 1000, "{exact} {rough}");
    }
}

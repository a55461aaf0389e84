//! Requests as Claude Code sends them, with a history of any size.

use std::fmt::Write as _;
use std::time::Duration;

/// What the upstream is to play. It stands in the last user message, so it survives every translation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Order {
    /// Text deltas in the answer.
    pub(crate) events: usize,
    /// Time from one to the next.
    pub(crate) pace: Duration,
}

const MARK: &[u8] = b"bench-order ";

// === impl Order ===

impl Order {
    pub(crate) fn new(events: usize, pace: Duration) -> Self {
        Self { events, pace }
    }

    fn text(self) -> String {
        format!("bench-order {} {} please", self.events, self.pace.as_micros())
    }

    /// The last order in a body. Tools may stand behind the messages, so the whole body may have to be looked at.
    pub(crate) fn find(body: &[u8]) -> Option<Self> {
        let at = body.windows(MARK.len()).rposition(|window| window == MARK)?;
        let rest = &body[at + MARK.len()..body.len().min(at + MARK.len() + 40)];
        let mut words = std::str::from_utf8(rest).ok()?.split_whitespace();
        let events = words.next()?.parse().ok()?;
        let pace = Duration::from_micros(words.next()?.parse().ok()?);
        Some(Self { events, pace })
    }
}

/// A streamed request whose history takes about `size` bytes.
pub(crate) fn request(order: Order, size: usize) -> String {
    let mut messages = String::with_capacity(size + 4096);
    let mut call = 0;
    messages.push_str(
        r#"{"role":"user","content":[{"type":"text","text":"Look through the project and tell me what it does."}]}"#,
    );
    while messages.len() < size {
        turn(&mut messages, call);
        call += 1;
    }
    format!(
        r#"{{"model":"claude-opus-4-8","max_tokens":1000000,"stream":true,"metadata":{{"user_id":"{{\"device_id\":\"bench\",\"account_uuid\":\"\",\"session_id\":\"0a1b2c3d-0000-4000-8000-000000000000\"}}"}},"system":[{{"type":"text","text":"You are a careful programmer.","cache_control":{{"type":"ephemeral"}}}}],"tools":[{}],"messages":[{messages},{{"role":"user","content":"{}"}}]}}"#,
        tools(),
        order.text()
    )
}

/// A streamed request of a chat client, without a history.
pub(crate) fn chat(order: Order) -> String {
    format!(
        r#"{{"model":"gpt-5.5","stream":true,"messages":[{{"role":"system","content":"You are a careful programmer."}},{{"role":"user","content":"{}"}}]}}"#,
        order.text()
    )
}

/// A streamed request of a client that speaks upstream's own language, without a history.
pub(crate) fn responses(order: Order) -> String {
    format!(
        r#"{{"model":"gpt-5.5","stream":true,"store":false,"instructions":"You are a careful programmer.","input":[{{"type":"message","role":"user","content":[{{"type":"input_text","text":"{}"}}]}}]}}"#,
        order.text()
    )
}

/// A call of a tool and its output: lines as files and commands give them, with the escapes that source text brings and
/// some that are not ASCII.
fn turn(out: &mut String, call: usize) {
    const LINES: [&str; 8] = [
        r#"    let reply = format!(\"{name}:\\t{}\", input.trim());\n"#,
        r#"   412\t        self.buffer.extend_from_slice(&chunk[..read]);\n"#,
        r#"{\"level\":\"info\",\"ts\":1763614801.221,\"msg\":\"request served\",\"ms\":14}\n"#,
        r"test parse::tests::numbers_keep_their_digits ... ok\n",
        r"\n",
        r"  * The window is told by its length, never by its position in the answer.\n",
        r#"        raise ValueError(f\"unexpected token at {position}: {text[position:][:20]!r}\")\n"#,
        r"// Die Zeile steht unverändert da — 行はそのまま残る。\n",
    ];
    let lines = 60 + (call * 37) % 240;
    let _ = write!(
        out,
        r#",{{"role":"assistant","content":[{{"type":"text","text":"I will read file {call} next."}},{{"type":"tool_use","id":"toolu_{call:08}","name":"Read","input":{{"file_path":"/work/src/module_{call}.rs","offset":{call},"limit":{lines}}}}}]}},{{"role":"user","content":[{{"type":"tool_result","tool_use_id":"toolu_{call:08}","content":""#
    );
    for line in 0..lines {
        out.push_str(LINES[(line * 5 + call) % LINES.len()]);
    }
    out.push_str(r#""}]}"#);
}

fn tools() -> String {
    let one = |name: &str| {
        format!(
            r#"{{"name":"{name}","description":"{}","input_schema":{{"type":"object","properties":{{"file_path":{{"type":"string","description":"The absolute path"}},"offset":{{"type":"number"}},"limit":{{"type":"number"}}}},"required":["file_path"],"additionalProperties":false}}}}"#,
            "Does one thing to one file and says what it did. ".repeat(4)
        )
    };
    ["Read", "Write", "Edit", "Bash"].map(one).join(",")
}

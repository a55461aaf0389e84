//! Reading a streamed answer the way a strict client does.

use serde_json::Value;

/// One frame.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// The `event:` line.
    pub name: String,
    /// The data.
    pub data: Value,
}

/// The frames of a body. Each must have an `event:` line that repeats the type of its data: clients drop frames without
/// (`claude-code.md §0.7`).
pub fn events(body: &str) -> Vec<Event> {
    body.split("\n\n")
        .filter(|record| !record.is_empty())
        .map(|record| {
            let line = |start: &str| record.lines().find_map(|line| line.strip_prefix(start)).map(str::to_owned);
            let name = line("event: ").unwrap_or_else(|| panic!("a frame without event line: {record}"));
            let data = line("data: ").unwrap_or_else(|| panic!("a frame without data: {record}"));
            let data: Value = serde_json::from_str(&data).expect("the data is JSON");
            assert_eq!(data["type"], name.as_str(), "the event line repeats the type");
            Event { name, data }
        })
        .collect()
}

/// The concatenated text of an answer.
pub fn text(events: &[Event]) -> String {
    events.iter().filter_map(|event| event.data["delta"]["text"].as_str()).collect()
}

/// The names of the frames, runs of deltas and pings taken as one.
pub fn outline(events: &[Event]) -> Vec<&str> {
    let mut names: Vec<&str> = events.iter().map(|event| event.name.as_str()).collect();
    names.dedup();
    names
}

/// What every answer must obey (`claude-code.md §5`): one message_start, dense indices, one block open at a time, an end.
pub fn check_grammar(events: &[Event]) {
    let mut open = None;
    let mut next = 0;
    let mut stopped = false;
    for (place, event) in events.iter().enumerate() {
        assert_eq!(event.name == "message_start", place == 0, "message_start is the first frame and no other");
        let index = event.data["index"].as_u64();
        match event.name.as_str() {
            "content_block_start" => {
                assert_eq!(open, None, "a block opens while another is open");
                assert_eq!(index, Some(next), "indices are dense");
                open = index;
                next += 1;
            }
            "content_block_delta" => assert_eq!(index, open, "a delta belongs to the open block"),
            "content_block_stop" => {
                assert_eq!(index, open, "the open block is closed");
                open = None;
            }
            "message_stop" => stopped = true,
            _ => {}
        }
    }
    if events.last().is_none_or(|event| event.name != "error") {
        assert!(stopped && open.is_none(), "an answer without error has an end");
    }
}

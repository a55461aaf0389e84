//! The documented list of markers, as `codeferry demo` prints it.

/// One marker: what to type and what happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scenario {
    /// Its name in the marker.
    pub name: &'static str,
    /// The whole marker, with arguments; square brackets mean optional.
    pub usage: &'static str,
    /// What the answer is.
    pub about: &'static str,
}

macro_rules! scenarios {
    ($($name:literal $args:literal $about:literal;)*) => {
        &[$(Scenario { name: $name, usage: concat!("[[demo:", $name, $args, "]]"), about: $about }),*]
    };
}

const LIST: &[Scenario] = scenarios! {
    // Items, in the order they stand in.
    "text" " [TEXT]" "a plain text";
    "long" " [N=200]" "a text of N deltas, as fast as it goes";
    "drip" " [N=100] [MS=100]" "a text of N deltas, one each MS milliseconds";
    "huge" " [KB=1024]" "a text in one delta of KB kilobytes";
    "tool" " NAME [JSON]" "a call of that tool; several markers make several calls; then the results are summed up";
    "parallel" " [N=6]" "N calls at once whose events run into each other; the fourth fails";
    "turns" " [N=3 | JSON]" "a tool call per turn, N turns; or a list of steps: texts with markers, {\"tool\",\"input\"}, lists of these";
    "reasoning" " [TEXT]" "reasoning with two summary parts, sealed for the account";
    "search" " [QUERY]" "a web search and a text with two citations";
    "json" "" "a value for the schema of text.format";
    "commentary" " [TEXT]" "a message of the commentary phase";
    "refusal" " [TEXT]" "a refusal";
    "empty" " [once]" "completed without any output";
    // Ends of a stream.
    "incomplete" "" "response.incomplete, max_output_tokens, in the middle of a text";
    "filter" "" "response.incomplete, content_filter, in the middle of a text";
    "cut" " [once]" "the connection drops in the middle of a text";
    "eof" " [once]" "the body ends in the middle of a text, without a terminal event";
    "silence" " [SECONDS] [headers|start|inside]" "nothing for so long, or until a test releases it";
    // Failures: an HTTP status; with `first`, `event` or `late` inside a 200 stream. With `once`, as above, only the first time.
    "limit" " [SECONDS=10800] [first|event|late]" "429, the plan's usage limit, with its reset";
    "not-included" " [event]" "the plan does not include the model host";
    "rate" " [SECONDS=2] [event]" "429, too many tokens a minute";
    "overloaded" " [event|late]" "503, at capacity";
    "401" " [always]" "401 until the access token is renewed; or for every token";
    "402" "" "402, the workspace is deactivated";
    "403" " [json]" "403, a bot check in HTML; or a JSON refusal";
    "500" " [always] [event|late]" "500, the first time; or each time";
    "model" "" "400, the model is not on the plan";
    "policy" " [status]" "response.failed, cyber_policy; or 400";
    "overflow" " [status]" "response.failed, context_length_exceeded, until the history was summed up; or 400";
    "sealed" "" "400, invalid_encrypted_content, as long as the history holds reasoning";
    "reset" "" "the connection drops before any answer";
    "error" " [nested]" "a bare error event";
    // On a WebSocket alone; HTTP answers as if it were not there.
    "socket" " close|drop|binary|huge|silent|expired|forgotten [late] [once]" "the socket closes, breaks, or does what no socket may, at once or in the middle of a text; or the connection is said to be too old, or to know no response";
    // Liberties of the stream.
    "split" "" "each byte is a chunk of its own";
    "crlf" "" "lines end with CR LF";
    "bare" "" "frames without an event line";
    "comments" "" "comment lines between the frames";
    "done-line" "" "data: [DONE] after the end";
    "after-end" "" "events after the terminal one";
    "unknown" "" "events and items nobody has heard of";
    "malformed" "" "an event that is not JSON among good ones";
    "no-deltas" "" "finished items without deltas";
    "repeat" "" "the finished text and item come twice";
    "late-ids" "" "ids and names only with the finished item";
    "early-args" "" "arguments before the item they belong to";
    "interleave" "" "several calls run into each other";
    "full-output" "" "response.completed repeats the output; without it the list is empty";
    "long-ids" "" "call ids of 69 characters";
    "same-ids" "" "each call has the same call id";
};

/// Every marker this demo knows.
pub fn scenarios() -> &'static [Scenario] {
    LIST
}

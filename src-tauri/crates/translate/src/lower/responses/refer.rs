//! What a request only refers to, put in its place.
//!
//! The public API keeps responses, so its clients send no more than what is new (`previous_response_id`), or the names of items
//! they were given (`item_reference`; a Vercel AI SDK does unless it is told `store: false`). No upstream here keeps anything:
//! whoever remembers the items for a while gives them back here.

use codeferry_wire::json::{Kind, Raw};
use codeferry_wire::responses::open::{Item, Request};

use super::{Asked, BadRequest};

/// What is remembered.
pub trait Remembered {
    /// The items up to the end of a response, without brackets.
    fn before(&self, response: &str) -> Option<Vec<u8>>;

    /// An item of a response, by its id.
    fn item(&self, id: &str) -> Option<Vec<u8>>;
}

// === impl Asked ===

impl Asked<'_> {
    /// Whether it refers to anything.
    pub fn refers(&self) -> bool {
        self.previous.as_deref().is_some_and(|id| !id.is_empty()) || self.request.items.iter().any(is_reference)
    }

    /// The items of its input as they came, without brackets.
    pub fn items(&self) -> Vec<u8> {
        items_of(self.request.object.get("input"))
    }

    /// The same request, with all it refers to in its place.
    ///
    /// # Errors
    /// When something is not remembered.
    pub fn resolved(self, remembered: &dyn Remembered) -> Result<Vec<u8>, BadRequest> {
        let Request { mut object, items: list } = self.request;
        let mut out = b"[".to_vec();
        if let Some(previous) = self.previous.as_deref().filter(|id| !id.is_empty()) {
            out.extend(remembered.before(previous).ok_or_else(|| unknown_response(previous))?);
            object.remove("previous_response_id");
        }
        if list.is_empty() {
            append(&mut out, &items_of(object.get("input")));
        }
        for (at, item) in list.iter().enumerate() {
            if is_reference(item) {
                append(&mut out, &referred(item, at, remembered)?);
            } else {
                append(&mut out, item.raw.as_slice_str().as_bytes());
            }
        }
        out.push(b']');
        object.set("input", out);
        Ok(object.write().bytes)
    }
}

/// It may go without its type.
pub(super) fn is_reference(item: &Item<'_>) -> bool {
    match item.tag {
        Some(tag) => tag == "item_reference",
        None => item.role.is_none() && item.raw.get("id").is_some_and(|id| id.kind() == Kind::String),
    }
}

fn referred(item: &Item<'_>, at: usize, remembered: &dyn Remembered) -> Result<Vec<u8>, BadRequest> {
    let id = item.raw.get("id").and_then(Raw::string).unwrap_or_default();
    remembered.item(&id).ok_or_else(|| unknown_item(&id, at))
}

/// For something that nobody remembers.
pub(super) fn unknown_item(id: &str, at: usize) -> BadRequest {
    let message = format!(
        "Item with id '{id}' not found: items are remembered here for a while only. Send the item itself; a client that is \
         told `store: false` does."
    );
    BadRequest { code: Some("item_not_found"), ..BadRequest::of(Some(format!("input[{at}]")), message) }
}

/// Clients that know this code send the whole conversation instead.
fn unknown_response(id: &str) -> BadRequest {
    let message = format!(
        "Previous response with id '{id}' not found: responses are remembered here for a while only, and not at all with \
         `store: false`. Send the whole conversation as input, or use the WebSocket, which keeps its own."
    );
    let param = Some("previous_response_id".to_owned());
    BadRequest { code: Some("previous_response_not_found"), ..BadRequest::of(param, message) }
}

/// The items of an `input`, without brackets. A text is a message.
pub fn items_of(input: Option<Raw<'_>>) -> Vec<u8> {
    match input.map(|input| (input.kind(), input.as_slice_str())) {
        Some((Kind::Array, list)) => list[1..list.len() - 1].trim_ascii().as_bytes().to_vec(),
        Some((Kind::String, text)) => {
            [br#"{"type":"message","role":"user","content":[{"type":"input_text","text":"#, text.as_bytes(), b"}]}"]
                .concat()
        }
        _ => Vec::new(),
    }
}

fn append(list: &mut Vec<u8>, items: &[u8]) {
    if list.len() > 1 && !items.is_empty() {
        list.push(b',');
    }
    list.extend_from_slice(items);
}

#[cfg(test)]
mod tests {
    use super::{Asked, Remembered};

    struct Both;

    impl Remembered for Both {
        fn before(&self, response: &str) -> Option<Vec<u8>> {
            (response == "resp_1").then(|| br#"{"a":1},{"b":2}"#.to_vec())
        }

        fn item(&self, id: &str) -> Option<Vec<u8>> {
            (id == "rs_1").then(|| br#"{"type":"reasoning","id":"rs_1"}"#.to_vec())
        }
    }

    fn resolved(body: &str) -> Result<String, (Option<String>, Option<&'static str>)> {
        let asked = Asked::read(body.as_bytes()).expect("a request");
        assert!(asked.refers(), "{body}");
        let resolved = asked.resolved(&Both).map_err(|bad| (bad.param, bad.code))?;
        Ok(String::from_utf8(resolved).expect("a text"))
    }

    #[test]
    fn what_is_remembered_is_put_in_its_place() {
        for (body, whole) in [
            (
                r#"{"model":"m","previous_response_id":"resp_1","input":"say \"hi\""}"#,
                r#"{"model":"m","input":[{"a":1},{"b":2},{"type":"message","role":"user","content":[{"type":"input_text","text":"say \"hi\""}]}]}"#,
            ),
            (
                r#"{"model":"m","input":[{"role":"user"},{"type":"item_reference","id":"rs_1"},{"id":"rs_1"} , {"c": 3}]}"#,
                r#"{"model":"m","input":[{"role":"user"},{"type":"reasoning","id":"rs_1"},{"type":"reasoning","id":"rs_1"},{"c": 3}]}"#,
            ),
            (
                r#"{"model":"m","input":[ ],"previous_response_id":"resp_1"}"#,
                r#"{"model":"m","input":[{"a":1},{"b":2}]}"#,
            ),
        ] {
            assert_eq!(resolved(body).as_deref(), Ok(whole));
        }
    }

    #[test]
    fn what_is_not_is_refused_by_its_name() {
        let gone = resolved(r#"{"model":"m","input":[{"role":"user"},{"type":"item_reference","id":"rs_2"}]}"#);
        assert_eq!(gone, Err((Some("input[1]".to_owned()), Some("item_not_found"))));
        let gone = resolved(r#"{"model":"m","input":"x","previous_response_id":"resp_2"}"#);
        assert_eq!(gone, Err((Some("previous_response_id".to_owned()), Some("previous_response_not_found"))));
        let plain = Asked::read(br#"{"model":"m","input":[{"role":"user","id":"msg_1"}],"previous_response_id":null}"#);
        assert!(!plain.expect("a request").refers());
    }
}

//! `[[demo:name arguments]]` in a text. Arguments may be JSON, and JSON may hold further markers.

/// One marker as it stands in the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Marker<'a> {
    pub(crate) name: &'a str,
    pub(crate) args: &'a str,
}

const OPEN: &str = "[[demo:";

/// The markers of a text, outermost only, and the text around them.
pub(crate) fn read(text: &str) -> (Vec<Marker<'_>>, String) {
    let mut markers = Vec::new();
    let mut around = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(OPEN) {
        let inside = &rest[start + OPEN.len()..];
        let Some(length) = end(inside) else { break };
        around.push_str(&rest[..start]);
        let body = &inside[..length];
        let (name, args) = body.split_once(char::is_whitespace).unwrap_or((body, ""));
        markers.push(Marker { name, args: args.trim() });
        rest = &inside[length + 2..];
    }
    around.push_str(rest);
    (markers, around)
}

/// Where the closing brackets stand, brackets and strings of JSON arguments aside.
fn end(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut depth, mut quoted, mut at) = (0_u32, false, 0);
    while at < bytes.len() {
        match bytes[at] {
            b'\\' if quoted => at += 1,
            // Quotes count only inside of JSON: prose has apostrophes and half quotes.
            b'"' if depth > 0 => quoted = !quoted,
            _ if quoted => {}
            b']' if depth == 0 && bytes.get(at + 1) == Some(&b']') => return Some(at),
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += 1;
    }
    None
}

// === impl Marker ===

impl<'a> Marker<'a> {
    /// The words of the arguments.
    pub(crate) fn words(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.args.split_whitespace()
    }

    pub(crate) fn has(&self, word: &str) -> bool {
        self.words().any(|other| other == word)
    }

    /// The first number among the arguments.
    pub(crate) fn number(&self) -> Option<u64> {
        self.words().find_map(|word| word.parse().ok())
    }
}

#[cfg(test)]
mod tests {
    use super::{Marker, read};

    #[test]
    fn a_marker_has_a_name_and_arguments_and_leaves_the_text_around_it() {
        let (markers, around) = read("please [[demo:silence 360 inside]] answer [[demo:text hi]]");
        assert_eq!(markers, [Marker { name: "silence", args: "360 inside" }, Marker { name: "text", args: "hi" }]);
        assert_eq!(around, "please  answer ");
        assert_eq!(markers[0].number(), Some(360));
        assert!(markers[0].has("inside") && !markers[0].has("start"));
    }

    #[test]
    fn json_arguments_may_hold_brackets_quotes_and_markers() {
        let text = r#"[[demo:tool Agent {"prompt":"[[demo:text a \"]] b]]", "list":[[1],[2]]}]] tail"#;
        let (markers, around) = read(text);
        assert_eq!(markers.len(), 1);
        assert_eq!(markers[0].args, r#"Agent {"prompt":"[[demo:text a \"]] b]]", "list":[[1],[2]]}"#);
        assert_eq!(around, " tail");
        let (turns, _) = read(r#"[[demo:turns ["a","b"]]]"#);
        assert_eq!(turns[0].args, r#"["a","b"]"#);
    }

    #[test]
    fn what_is_not_closed_is_text() {
        let (markers, around) = read("look at [[demo:text");
        assert!(markers.is_empty());
        assert_eq!(around, "look at [[demo:text");
        assert_eq!(read("it's [[demo:text don't \"]]").0[0].args, "don't \"");
    }
}

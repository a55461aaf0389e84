//! Pictures as OpenAI's clients ask for them, and as the hosts take them: a form becomes JSON, for the codex host reads
//! nothing else (`codex-backend.md §7`), and an answer in one piece becomes the stream that a client asked for. Pure.

use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use codeferry_upstream::pages::Beside;
use codeferry_wire::json::{Open, Raw, Reader};
use codeferry_wire::responses::request::Object;

use super::form::{self, Part};
use crate::reply::Problem;

/// Members of the request that are numbers; a form has texts only (`openai` 3.52 for Python, `ImageEditParams`).
const NUMBERS: [&str; 5] = ["frame_count", "frame_duration_ms", "n", "output_compression", "partial_images"];
/// What the codex host has no word for: it answers in one piece.
const OF_A_STREAM: [&str; 2] = ["stream", "partial_images"];

/// The body of a form as JSON; `None` for a body that is no form.
pub(super) fn json_of_form(headers: &HeaderMap, body: &[u8]) -> Result<Option<Vec<u8>>, Problem> {
    let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.get(..10).is_some_and(|begin| begin.eq_ignore_ascii_case("multipart/")) {
        return Ok(None);
    }
    let parts =
        form::read(kind, body).map_err(|wrong| Problem::bad_request(format!("the form cannot be read: {wrong}")))?;
    let mut json = Vec::with_capacity(body.len() + body.len() / 2);
    let mut object = Object::begin(&mut json);
    let is_picture = |part: &&Part<'_>| matches!(part.name.as_str(), "image" | "image[]");
    if parts.iter().any(|part| is_picture(&part)) {
        object.array("images", |images| {
            for part in parts.iter().filter(is_picture) {
                images.object(|image| {
                    image.string("image_url", &data_url(part));
                });
            }
        });
    }
    for part in parts.iter().filter(|part| !is_picture(part)) {
        match part.name.as_str() {
            name if name.contains('[') => {
                let message = format!("the field {name} is not known here; send JSON");
                return Err(Problem::bad_request(message).about(None, Some(name.to_owned())));
            }
            name if part.is_file => {
                object.object(name, |file| {
                    file.string("image_url", &data_url(part));
                });
            }
            name => {
                let text = String::from_utf8_lossy(part.body);
                match &*text {
                    "true" | "false" if name == "stream" => {
                        object.bool(name, text == "true");
                    }
                    number if NUMBERS.contains(&name) && number.parse::<i64>().is_ok() => {
                        object.key(name).extend_from_slice(number.as_bytes());
                    }
                    text => {
                        object.string(name, text);
                    }
                }
            }
        }
    }
    object.end();
    Ok(Some(json))
}

fn data_url(part: &Part<'_>) -> String {
    let kind = part.kind.filter(|kind| kind.starts_with("image/")).unwrap_or_else(|| sniffed(part.body));
    format!("data:{kind};base64,{}", STANDARD.encode(part.body))
}

/// What a picture is, by its first bytes: a client that has only bytes does not say.
fn sniffed(bytes: &[u8]) -> &'static str {
    match bytes {
        [0xFF, 0xD8, 0xFF, ..] => "image/jpeg",
        [b'G', b'I', b'F', b'8', ..] => "image/gif",
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => "image/webp",
        _ => "image/png",
    }
}

/// What was asked of a stream, if one was asked for. It is taken out of the request.
pub(super) fn take_stream(beside: Beside, open: &mut Open<'_>) -> Option<Streamed> {
    let name = match beside {
        Beside::ImagesGenerations => "image_generation.completed",
        Beside::ImagesEdits => "image_edit.completed",
        Beside::Compact | Beside::TraceSummarize => return None,
    };
    let asked = open.get("stream").and_then(Raw::bool) == Some(true);
    for member in OF_A_STREAM {
        open.remove(member);
    }
    let said = |name: &str| open.get(name).and_then(Raw::string).map(std::borrow::Cow::into_owned);
    asked.then(|| Streamed {
        name,
        said: LOOKS.map(|(member, default)| (member, said(member).unwrap_or_else(|| default.to_owned()))),
    })
}

/// What an event says of a picture beside it, and what it says where nobody said it.
const LOOKS: [(&str, &str); 4] =
    [("background", "auto"), ("output_format", "png"), ("quality", "auto"), ("size", "auto")];

/// What an event says it cost, where nobody said it.
const NO_USAGE: &str = r#"{"input_tokens":0,"input_tokens_details":{"image_tokens":0,"text_tokens":0},"output_tokens":0,"total_tokens":0}"#;

/// An answer in one piece that is to be a stream.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Streamed {
    /// The event of a whole picture.
    name: &'static str,
    said: [(&'static str, String); 4],
}

// === impl Streamed ===

impl Streamed {
    /// The events: one for each picture. There are no parts of pictures, for the host has none.
    pub(super) fn events(&self, answer: &[u8]) -> Vec<u8> {
        let answer = Reader::new(answer).and_then(|mut reader| reader.value()).unwrap_or(Raw::EMPTY_OBJECT);
        let (mut out, mut pictures) = (Vec::new(), Vec::new());
        if let Some(data) = answer.get("data") {
            // What is no list has no pictures.
            let _ = data.reader().array(|reader| {
                pictures.push(reader.value()?);
                Ok(())
            });
        }
        for picture in pictures {
            let Some(bytes) = picture.get("b64_json") else { continue };
            out.extend_from_slice(b"event: ");
            out.extend_from_slice(self.name.as_bytes());
            out.extend_from_slice(b"\ndata: ");
            let mut event = Object::begin(&mut out);
            event.string("type", self.name).raw("b64_json", bytes);
            event.raw("created_at", answer.get("created").unwrap_or(Raw::ZERO));
            for (member, said) in &self.said {
                match answer.get(member).filter(|told| !told.is_null()) {
                    Some(told) => event.raw(member, told),
                    None => event.string(member, said),
                };
            }
            let usage = answer.get("usage").filter(|usage| !usage.is_null()).map_or(NO_USAGE, Raw::as_slice_str);
            event.key("usage").extend_from_slice(usage.as_bytes());
            event.end();
            out.extend_from_slice(b"\n\n");
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderMap;
    use axum::http::header::CONTENT_TYPE;
    use codeferry_upstream::pages::Beside;
    use codeferry_wire::json::Open;

    use super::{json_of_form, take_stream};

    fn of_form(fields: &[(&str, &str)]) -> Result<String, Option<String>> {
        let mut body = String::new();
        for (head, value) in fields {
            body += &format!("--b\r\ncontent-disposition: form-data; name={head}\r\n\r\n{value}\r\n");
        }
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, "Multipart/form-data; boundary=b".parse().expect("a value"));
        let json = json_of_form(&headers, (body + "--b--").as_bytes()).map_err(|problem| problem.param)?;
        Ok(String::from_utf8(json.expect("it is a form")).expect("text"))
    }

    #[test]
    fn a_form_becomes_what_the_hosts_read() {
        let fields = [
            ("image[]; filename=a.png", "GIF89a"),
            ("prompt", "a \"dot\""),
            ("image[]; filename=b.jpg\r\ncontent-type: image/jpeg", "x"),
            ("mask; filename=upload\r\ncontent-type: application/octet-stream", "m"),
            ("n", "2"),
            ("size", "1024x1024"),
            ("stream", "true"),
            ("output_compression", "much"),
        ];
        assert_eq!(
            of_form(&fields).as_deref(),
            Ok(concat!(
                r#"{"images":[{"image_url":"data:image/gif;base64,R0lGODlh"},{"image_url":"data:image/jpeg;base64,eA=="}],"#,
                r#""prompt":"a \"dot\"","mask":{"image_url":"data:image/png;base64,bQ=="},"n":2,"size":"1024x1024","#,
                r#""stream":true,"output_compression":"much"}"#
            ))
        );
        assert_eq!(of_form(&[("svg[model]", "x")]), Err(Some("svg[model]".to_owned())));
        assert_eq!(json_of_form(&HeaderMap::new(), b"{}").expect("no problem"), None);
    }

    #[test]
    fn an_answer_in_one_piece_becomes_a_stream() {
        let body = br#"{"prompt":"p","stream":true,"partial_images":2,"quality":"low"}"#;
        let mut open = Open::read(body, |_, _| Ok(())).expect("JSON");
        let streamed = take_stream(Beside::ImagesEdits, &mut open).expect("a stream");
        assert_eq!(open.write().bytes, br#"{"prompt":"p","quality":"low"}"#);
        let events = streamed.events(br#"{"created":5,"data":[{"b64_json":"AA"},{"url":"u"}],"size":"1x1"}"#);
        assert_eq!(
            String::from_utf8(events).expect("text"),
            "event: image_edit.completed\ndata: {\"type\":\"image_edit.completed\",\"b64_json\":\"AA\",\"created_at\":5,\
             \"background\":\"auto\",\"output_format\":\"png\",\"quality\":\"low\",\"size\":\"1x1\",\"usage\":\
             {\"input_tokens\":0,\"input_tokens_details\":{\"image_tokens\":0,\"text_tokens\":0},\"output_tokens\":0,\
             \"total_tokens\":0}}\n\n"
        );
        let mut open = Open::read(br#"{"stream":false}"#, |_, _| Ok(())).expect("JSON");
        assert_eq!(take_stream(Beside::ImagesGenerations, &mut open), None);
        assert_eq!(open.write().bytes, b"{}");
        let mut open = Open::read(body, |_, _| Ok(())).expect("JSON");
        assert_eq!(take_stream(Beside::Compact, &mut open), None);
        assert!(!open.is_changed());
    }
}

//! What is different about `/v1/completions`.

use crate::json::{self, Kind, Raw, Reader, What};
use crate::path::Path;

/// The prompt: a text, or a list of one. Lists of tokens belong to models that are gone.
pub(super) fn prompt<'a>(reader: &mut Reader<'a>, path: &mut Path) -> Result<Raw<'a>, json::Error> {
    const WANTED: What = What::Expected("a string, or a list of one string");
    let raw = reader.value()?;
    match raw.kind() {
        Kind::String => Ok(raw),
        Kind::Array => {
            let mut prompts = Vec::new();
            raw.reader().array(|reader| {
                prompts.push(reader.value()?);
                Ok(())
            })?;
            match prompts[..] {
                [one] if one.kind() == Kind::String => Ok(one),
                _ => {
                    path.code = "unsupported_value";
                    Err(reader.error(WANTED))
                }
            }
        }
        _ => Err(reader.error(WANTED)),
    }
}

/// What only a model that completes text can do.
pub(super) fn refuse(key: &str, reader: &mut Reader<'_>, path: &mut Path) -> Result<(), json::Error> {
    let value = reader.value()?;
    let harmless = match key {
        "best_of" => value.u64() == Some(1),
        "suffix" => value.literal() == Some(""),
        // 0 asks for the probability of the words that were chosen.
        "logprobs" => false,
        _ => value.bool() == Some(false),
    };
    if harmless || value.is_null() {
        return Ok(());
    }
    path.code = "unsupported_parameter";
    Err(reader.error(What::Expected("nothing: the models here converse, and complete no text")))
}

//! `generationConfig`: what the answer is to be like.

use std::borrow::Cow;

use super::{camel, members};
use crate::json::{self, Kind, Raw, Reader, What};
use crate::path::{Path, nullable, strings};

/// `generationConfig`
#[derive(Debug, Default)]
pub struct Config<'a> {
    /// The most tokens the answer may have.
    pub max_tokens: Option<u64>,
    /// Texts at which the answer ends.
    pub stop: Vec<Cow<'a, str>>,
    /// Sampling temperature.
    pub temperature: Option<f64>,
    /// `topP`
    pub top_p: Option<f64>,
    /// `topK`
    pub top_k: Option<f64>,
    /// `thinkingConfig.thinkingLevel`, in lower case.
    pub level: Option<String>,
    /// `thinkingConfig.thinkingBudget`: 0 for none, -1 for as much as the model likes.
    pub budget: Option<i64>,
    /// `thinkingConfig.includeThoughts`
    pub thoughts: bool,
    /// What the answer is to look like.
    pub format: Format<'a>,
    /// Members that steer the choice of words and cannot be carried, by name.
    pub sampling: Vec<&'static str>,
    /// Members nobody here knows, in the order they came.
    pub unknown: Vec<String>,
}

/// `responseMimeType` and what goes with it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Format<'a> {
    /// Text.
    #[default]
    Text,
    /// Some JSON.
    Json,
    /// JSON by a schema, in Google's words or as a JSON schema.
    Schema(Raw<'a>),
}

pub(super) fn config<'a>(reader: &mut Reader<'a>, path: &mut Path) -> Result<Config<'a>, json::Error> {
    let mut config = Config::default();
    if reader.peek()? == Kind::Null {
        reader.value()?;
        return Ok(config);
    }
    let (mut json, mut schema) = (false, None);
    reader.object(|key, reader| {
        let key = camel(key);
        path.push(&key);
        match &*key {
            "responseMimeType" => json = mime_type(reader, path)?,
            "responseSchema" | "responseJsonSchema" => {
                schema = Some(reader.value()?).filter(|raw| raw.kind() == Kind::Object).or(schema);
            }
            other => config.member(other, reader, path)?,
        }
        path.pop();
        Ok(())
    })?;
    config.format = match schema {
        Some(schema) => Format::Schema(schema),
        None if json => Format::Json,
        None => Format::Text,
    };
    Ok(config)
}

// === impl Config ===

impl<'a> Config<'a> {
    fn member(&mut self, key: &str, reader: &mut Reader<'a>, path: &mut Path) -> Result<(), json::Error> {
        match key {
            "maxOutputTokens" => {
                let most = |raw| whole(raw).and_then(|most| u64::try_from(most).ok()).filter(|most| *most > 0);
                self.max_tokens = nullable(reader, most, "a whole number above 0")?;
            }
            "stopSequences" => self.stop = strings(reader)?,
            "temperature" => {
                let within = |raw: Raw<'a>| raw.f64().filter(|value| (0.0..=2.0).contains(value));
                self.temperature = nullable(reader, within, "a number from 0 to 2")?;
            }
            "topP" => {
                let within = |raw: Raw<'a>| raw.f64().filter(|value| (0.0..=1.0).contains(value));
                self.top_p = nullable(reader, within, "a number from 0 to 1")?;
            }
            "thinkingConfig" => self.thinking(reader, path)?,
            "candidateCount" => {
                if nullable(reader, whole, "a whole number")?.is_some_and(|count| count > 1) {
                    path.code = "unsupported_value";
                    return Err(reader.error(What::Expected("1: only one candidate is made at a time")));
                }
            }
            "responseModalities" => {
                if !strings(reader)?.iter().all(|modality| modality.eq_ignore_ascii_case("TEXT")) {
                    path.code = "unsupported_value";
                    return Err(reader.error(What::Expected("TEXT alone: the model neither paints nor speaks")));
                }
            }
            "responseLogprobs" | "logprobs" => {
                let value = reader.value()?;
                if value.bool() == Some(true) || whole(value).is_some_and(|count| count > 0) {
                    path.code = "unsupported_parameter";
                    return Err(reader.error(What::Expected("nothing: the model's host tells no probabilities")));
                }
            }
            "topK" => self.top_k = nullable(reader, Raw::f64, "a number")?,
            "seed" => self.steers("seed", reader)?,
            "presencePenalty" | "frequencyPenalty" => {
                if reader.value()?.f64().is_some_and(|value| value != 0.0) {
                    self.sampling.push("penalty");
                }
            }
            other => {
                if !reader.value()?.is_null() {
                    self.unknown.push(other.to_owned());
                }
            }
        }
        Ok(())
    }

    fn steers(&mut self, name: &'static str, reader: &mut Reader<'a>) -> Result<(), json::Error> {
        if !reader.value()?.is_null() {
            self.sampling.push(name);
        }
        Ok(())
    }

    fn thinking(&mut self, reader: &mut Reader<'a>, path: &mut Path) -> Result<(), json::Error> {
        let raw = reader.value()?;
        if raw.is_null() {
            return Ok(());
        }
        if raw.kind() != Kind::Object {
            return Err(reader.error(What::Expected("an object")));
        }
        let [level, budget, thoughts] = members(raw, ["thinkingLevel", "thinkingBudget", "includeThoughts"])?;
        self.thoughts = thoughts.and_then(Raw::bool).unwrap_or(false);
        self.budget = budget.and_then(whole);
        if let Some(level) = level {
            let word = level.string().unwrap_or_default().to_ascii_lowercase();
            match word.as_str() {
                "minimal" | "low" | "medium" | "high" | "xhigh" => self.level = Some(word),
                "" | "thinking_level_unspecified" => {}
                _ => {
                    path.push("thinkingLevel");
                    let levels = "'MINIMAL', 'LOW', 'MEDIUM', 'HIGH' or 'XHIGH'";
                    return Err(reader.error(What::Expected(levels)));
                }
            }
        }
        Ok(())
    }
}

/// Whether the answer is to be JSON.
fn mime_type(reader: &mut Reader<'_>, path: &mut Path) -> Result<bool, json::Error> {
    match nullable(reader, Raw::string, "a string")?.as_deref() {
        None | Some("" | "text/plain") => Ok(false),
        Some("application/json") => Ok(true),
        Some(_) => {
            path.code = "unsupported_value";
            Err(reader.error(What::Expected("'text/plain' or 'application/json'")))
        }
    }
}

/// A whole number. Google's JSON may write it as a string.
fn whole(raw: Raw<'_>) -> Option<i64> {
    raw.i64().or_else(|| raw.literal()?.parse().ok())
}

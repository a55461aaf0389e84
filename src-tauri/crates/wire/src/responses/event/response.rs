//! The response object that opens and ends a stream, and the facts of an error.

use std::borrow::Cow;

use super::{Item, read};
use crate::json::{Error, Kind, Raw, Reader};

/// The members of a response that anyone reads. The echo of the request, often most of its bytes, is skipped.
#[derive(Debug, Clone, PartialEq)]
pub struct Response<'a> {
    /// The response's id.
    pub id: Option<Cow<'a, str>>,
    /// The model that answers. It may differ from the one asked for.
    pub model: Option<Cow<'a, str>>,
    /// `in_progress`, `completed`, `incomplete`, `failed`, …
    pub status: Option<Cow<'a, str>>,
    /// What it cost.
    pub usage: Option<Usage>,
    /// Why an incomplete response is incomplete: `max_output_tokens`, `content_filter`.
    pub incomplete_reason: Option<Cow<'a, str>>,
    /// Why a failed response failed.
    pub error: Option<ErrorFacts<'a>>,
    /// The items, unread: often `[]`, even when there were items (codex-backend.md §3).
    output: Raw<'a>,
}

/// What an answer cost, as the upstream counts: cached tokens are part of the input.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// All input tokens.
    pub input_tokens: u64,
    /// Those that were read from the cache.
    pub cached_tokens: u64,
    /// Those that were written to it.
    pub cache_write_tokens: u64,
    /// All output tokens.
    pub output_tokens: u64,
    /// Those that were reasoning.
    pub reasoning_tokens: u64,
}

/// What is known of an error.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ErrorFacts<'a> {
    /// `context_length_exceeded`, `server_is_overloaded`, …
    pub code: Option<Cow<'a, str>>,
    /// The error's `type`: `usage_limit_reached` has no code (codex-backend.md §5).
    pub kind: Option<Cow<'a, str>>,
    /// In words.
    pub message: Option<Cow<'a, str>>,
    /// The parameter that was wrong.
    pub param: Option<Cow<'a, str>>,
    /// The account's plan.
    pub plan_type: Option<Cow<'a, str>>,
    /// When a limit ends, in seconds since 1970.
    pub resets_at: Option<i64>,
    /// In how many seconds a limit ends.
    pub resets_in_seconds: Option<u64>,
    /// The HTTP status that belongs to it, when the event carries one.
    pub status: Option<u16>,
}

// === impl Response ===

impl<'a> Response<'a> {
    pub(super) fn read(reader: &mut Reader<'a>) -> Result<Self, Error> {
        let mut response = Self::default();
        read::object(reader, |key, reader| {
            match key {
                "id" => response.id = read::name(reader.value()?),
                "model" => response.model = read::name(reader.value()?),
                "status" => response.status = read::name(reader.value()?),
                "usage" => response.usage = Usage::read(reader)?,
                "incomplete_details" => {
                    response.incomplete_reason = reader.value()?.get("reason").and_then(read::name);
                }
                "error" => {
                    let mut error = ErrorFacts::default();
                    error.take(key, reader)?;
                    response.error = (!error.is_empty()).then_some(error);
                }
                "output" => response.output = reader.value()?,
                _ => {}
            }
            Ok(())
        })?;
        Ok(response)
    }

    /// The items that the response repeats at its end, if it does.
    pub fn output(&self) -> Vec<Item<'a>> {
        read::elements(self.output).into_iter().filter_map(|item| Item::read(&mut item.reader()).ok()).collect()
    }

    /// The same response with this output, for tests and for upstreams that answer at once.
    #[must_use]
    pub fn with_output(mut self, output: Raw<'a>) -> Self {
        self.output = output;
        self
    }
}

impl Default for Response<'_> {
    fn default() -> Self {
        Self {
            id: None,
            model: None,
            status: None,
            usage: None,
            incomplete_reason: None,
            error: None,
            output: Raw::NULL,
        }
    }
}

// === impl Usage ===

impl Usage {
    /// `null` is no usage; an object without the counts is neither.
    fn read(reader: &mut Reader<'_>) -> Result<Option<Self>, Error> {
        let mut usage = Self::default();
        let mut seen = false;
        read::object(reader, |key, reader| {
            match key {
                "input_tokens" | "output_tokens" => {
                    let count = read::count(reader.value()?);
                    seen |= count.is_some();
                    let place = if key == "input_tokens" { &mut usage.input_tokens } else { &mut usage.output_tokens };
                    *place = count.unwrap_or_default();
                }
                "input_tokens_details" => read::object(reader, |key, reader| {
                    match key {
                        "cached_tokens" => usage.cached_tokens = read::count(reader.value()?).unwrap_or_default(),
                        "cache_write_tokens" => {
                            usage.cache_write_tokens = read::count(reader.value()?).unwrap_or_default();
                        }
                        _ => {}
                    }
                    Ok(())
                })?,
                "output_tokens_details" => {
                    usage.reasoning_tokens =
                        reader.value()?.get("reasoning_tokens").and_then(read::count).unwrap_or_default();
                }
                _ => {}
            }
            Ok(())
        })?;
        Ok(seen.then_some(usage))
    }
}

// === impl ErrorFacts ===

impl<'a> ErrorFacts<'a> {
    /// Takes one member of an error, or of the event around it.
    pub(super) fn take(&mut self, key: &str, reader: &mut Reader<'a>) -> Result<(), Error> {
        match key {
            "error" | "detail" => match reader.peek()? {
                Kind::Object => reader.object(|key, reader| match key {
                    "error" | "detail" => Ok(()),
                    "type" => {
                        self.kind = read::name(reader.value()?);
                        Ok(())
                    }
                    _ => self.take(key, reader),
                })?,
                // `null` here must not hide what stands beside it.
                _ => self.message = read::name(reader.value()?).or(self.message.take()),
            },
            "code" | "error_code" => self.code = read::name(reader.value()?),
            "message" => self.message = read::name(reader.value()?),
            "param" => self.param = read::name(reader.value()?),
            "plan_type" => self.plan_type = read::name(reader.value()?),
            "resets_at" => self.resets_at = read::whole(reader.value()?),
            "resets_in_seconds" => self.resets_in_seconds = read::count(reader.value()?),
            "status" | "status_code" => {
                self.status = read::count(reader.value()?).and_then(|code| code.try_into().ok());
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

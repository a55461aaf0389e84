//! What the models can do: windows, efforts, shapes (`codex-backend.md §7, §8`).
//!
//! **Invariant:** a catalogue is never empty, and an answer that cannot be read never takes the place of one.

mod builtin;
mod shelf;

use serde::Deserialize;
use serde_json::value::RawValue;

pub use codeferry_translate::effort::Effort;
pub use shelf::Shelf;

/// The Codex CLI version whose catalogue we ask for. Not who we are (that is in `user-agent`, `originator` and
/// `version`): models are hidden from callers that name none or an old one (`codex-backend.md §12`), so this says up to
/// which catalogue we know the shapes. Raise it with the reference.
pub const CLIENT_VERSION: &str = "0.169.0";

/// The models an account may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Catalog {
    models: Vec<Model>,
    etag: Option<String>,
}

/// One model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    /// Its name on the wire.
    pub slug: String,
    /// Its name for people.
    pub display_name: String,
    /// One sentence about it.
    pub description: Option<String>,
    /// Tokens the model takes unless more is asked for.
    pub context_window: Option<u64>,
    /// Tokens it can be made to take.
    pub max_context_window: Option<u64>,
    /// How much of the window its own client fills before it compacts.
    pub effective_percent: u8,
    /// Reasoning efforts, weakest first.
    pub efforts: Vec<Effort>,
    /// What it does when no effort is named.
    pub default_effort: Option<Effort>,
    /// What `ultra` becomes on the wire.
    pub ultra_effort: Option<Effort>,
    /// Its own client sends it the Responses-Lite shape (`codex-backend.md §0`).
    pub lite: bool,
    /// Offered to people, or only known.
    pub visible: bool,
    /// Order in lists; lower comes first.
    pub priority: i64,
    /// It sees images.
    pub images: bool,
    /// `text.verbosity` is understood.
    pub verbosity: bool,
}

/// Not a catalogue.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// No `{"models": […]}`.
    #[error("{0}")]
    Shape(String),
    /// There is a list, and no model in it that we can read.
    #[error("it names no model")]
    Empty,
}

#[derive(Deserialize)]
struct List<'a> {
    #[serde(borrow)]
    models: Vec<&'a RawValue>,
}

/// A model as the wire has it; what is not named here is not read.
#[derive(Deserialize)]
struct Entry {
    #[serde(alias = "id")]
    slug: String,
    display_name: Option<String>,
    description: Option<String>,
    context_window: Option<u64>,
    max_context_window: Option<u64>,
    effective_context_window_percent: Option<u8>,
    #[serde(default)]
    supported_reasoning_levels: Option<Vec<Level>>,
    default_reasoning_level: Option<String>,
    multi_agent_reasoning_effort: Option<String>,
    #[serde(default)]
    use_responses_lite: Option<bool>,
    visibility: Option<String>,
    priority: Option<i64>,
    input_modalities: Option<Vec<String>>,
    support_verbosity: Option<bool>,
}

#[derive(Deserialize)]
struct Level {
    effort: String,
}

/// Its own client compacts at this share (`codex-backend.md §8`).
const EFFECTIVE_PERCENT: u8 = 95;

// === impl Catalog ===

impl Catalog {
    /// The catalogue compiled in, for the time before one was fetched.
    pub fn builtin() -> Self {
        Self { models: builtin::models(), etag: None }
    }

    /// Reads `{"models": […]}`. Unknown fields are passed over; an entry that cannot be read is left out.
    pub fn parse(body: &[u8], etag: Option<String>) -> Result<Self, Malformed> {
        let list: List<'_> = serde_json::from_slice(body).map_err(|error| Malformed::Shape(error.to_string()))?;
        let mut models: Vec<Model> = Vec::with_capacity(list.models.len());
        for raw in list.models {
            match serde_json::from_str::<Entry>(raw.get()) {
                Ok(entry) if !entry.slug.is_empty() => models.push(entry.into()),
                Ok(_) => tracing::warn!("a model without a name in the catalogue"),
                Err(error) => tracing::warn!(%error, "a model in the catalogue that cannot be read"),
            }
        }
        Self::of(models, etag).ok_or(Malformed::Empty)
    }

    /// `None` if there is no model. The first of two with one name counts.
    fn of(models: Vec<Model>, etag: Option<String>) -> Option<Self> {
        let mut seen = std::collections::HashSet::new();
        let mut models: Vec<Model> = models.into_iter().filter(|model| seen.insert(model.slug.clone())).collect();
        models.sort_by_key(|model| model.priority);
        (!models.is_empty()).then_some(Self { models, etag })
    }

    /// The model of this name.
    pub fn get(&self, slug: &str) -> Option<&Model> {
        self.models.iter().find(|model| model.slug == slug)
    }

    /// All of them, in the order of lists, hidden ones too.
    pub fn models(&self) -> &[Model] {
        &self.models
    }

    /// Those to offer.
    pub fn visible(&self) -> impl Iterator<Item = &Model> {
        self.models.iter().filter(|model| model.visible)
    }

    /// The upstream's name for this version of the catalogue. `None` for the one compiled in.
    pub fn etag(&self) -> Option<&str> {
        self.etag.as_deref()
    }
}

impl From<Entry> for Model {
    fn from(entry: Entry) -> Self {
        let effort = |name: &Option<String>| name.as_deref().and_then(Effort::parse);
        let mut efforts: Vec<Effort> = entry
            .supported_reasoning_levels
            .iter()
            .flatten()
            // An effort we have never heard of cannot be compared with the others.
            .filter_map(|level| Effort::parse(&level.effort))
            .collect();
        efforts.sort_unstable();
        efforts.dedup();
        Self {
            default_effort: effort(&entry.default_reasoning_level),
            ultra_effort: effort(&entry.multi_agent_reasoning_effort),
            display_name: entry.display_name.filter(|name| !name.is_empty()).unwrap_or_else(|| entry.slug.clone()),
            slug: entry.slug,
            description: entry.description.filter(|text| !text.is_empty()),
            context_window: entry.context_window.filter(|tokens| *tokens > 0),
            max_context_window: entry.max_context_window.filter(|tokens| *tokens > 0),
            effective_percent: entry
                .effective_context_window_percent
                .filter(|percent| (1..=100).contains(percent))
                .unwrap_or(EFFECTIVE_PERCENT),
            efforts,
            lite: entry.use_responses_lite.unwrap_or(false),
            // Only what the upstream hides is hidden: the public API does not send the field.
            visible: !matches!(entry.visibility.as_deref(), Some("hide" | "none")),
            priority: entry.priority.unwrap_or(i64::MAX),
            images: entry.input_modalities.is_none_or(|kinds| kinds.iter().any(|kind| kind == "image")),
            verbosity: entry.support_verbosity.unwrap_or(true),
        }
    }
}

// === impl Model ===

impl Model {
    /// The tokens a client may fill, of the plain window or of the largest one.
    pub fn usable_tokens(&self, largest: bool) -> Option<u64> {
        let window = if largest { self.max_context_window.or(self.context_window) } else { self.context_window };
        window.map(|tokens| tokens / 100 * u64::from(self.effective_percent))
    }

    /// What to put on the wire when a client wants this effort (`codex-backend.md §2`, reasoning.effort).
    ///
    /// `none` is taken by every model, `ultra` by none: its client turns it into something else, and what that is stands
    /// beside the list. The rest is clamped to the list.
    pub fn nearest_effort(&self, wanted: Effort) -> Effort {
        let lists = |effort: Effort| self.efforts.contains(&effort);
        let wanted = match wanted {
            Effort::Ultra if lists(Effort::Ultra) => {
                // Given apart from the list, so it needs no clamp.
                return self.ultra_effort.filter(|effort| *effort != Effort::Ultra).unwrap_or(Effort::Max);
            }
            Effort::Ultra => Effort::Max,
            // Refused where it is not listed, and it is listed nowhere today.
            Effort::Minimal if !lists(Effort::Minimal) => Effort::Low,
            other => other,
        };
        let on_the_wire: Vec<Effort> = self.efforts.iter().copied().filter(|e| *e != Effort::Ultra).collect();
        wanted.nearest(&on_the_wire)
    }
}

#[cfg(test)]
mod tests;

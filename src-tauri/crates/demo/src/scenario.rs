//! Markers to recipes: what `[[demo:…]]` in the last thing the user said makes of the answer.
//!
//! Markers combine. Item markers add items in the order they stand in; the others bend the stream that carries them.
//! A failure, a silence or an end belongs to one answer; after tool results the next step is played without it.

use std::time::Duration;

use serde_json::{Value, json};

use crate::conversation::{Conversation, Tool};
use crate::example::example;
use crate::failure::Failure;
use crate::marker::{self, Marker};
use crate::recipe::{Citation, Ending, FailAt, Item, Phase, Place, Quirks, Recipe, Silence};

mod list;

pub use list::{Scenario, scenarios};

/// Something bad that is played only the first time it is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Once(pub(crate) String);

/// What the markers of one text come to.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Scene {
    pub(crate) recipe: Recipe,
    /// The failure in the recipe happens once.
    pub(crate) once: Option<Once>,
    /// The recipe asked for no item of its own.
    pub(crate) filler: bool,
    /// The names of the markers, for the log.
    pub(crate) name: String,
}

/// The scene for this request, if the user asked for one.
pub(crate) fn scene(talk: &Conversation<'_>) -> Option<Scene> {
    let (markers, _) = marker::read(&talk.prompt);
    let first = markers.first()?;
    // A client asks for a title of the very text that holds the marker; it shall get one.
    if talk.schema.is_some_and(is_title) && first.name != "json" {
        return None;
    }
    if let Some(unknown) = markers.iter().find(|marker| scenarios().iter().all(|known| known.name != marker.name)) {
        let name = unknown.name.to_owned();
        let text = format!("There is no scenario named `{name}` here; `codeferry demo` lists them.");
        return Some(Scene { recipe: Recipe::says(text), name, ..Scene::default() });
    }
    let steps = markers.iter().find(|marker| marker.name == "turns").map(|marker| turns(marker, talk));
    let name = markers.iter().map(|marker| marker.name).collect::<Vec<_>>().join("+");
    let quirks = markers.iter().fold(Quirks::default(), |quirks, marker| quirk(marker, quirks));
    let mut scene = match (&steps, talk.rounds) {
        (None, 0) => build(&markers, talk),
        (Some(steps), round) if round < steps.len() => {
            let mut scene = build(&marker::read(&steps[round]).0, talk);
            if scene.name.is_empty() {
                scene.recipe.items.push(Item::says(steps[round].clone()));
            }
            if round == 0 {
                let top = build(&markers, talk);
                scene.recipe.refuse = scene.recipe.refuse.or(top.recipe.refuse);
                scene.recipe.silence = scene.recipe.silence.or(top.recipe.silence);
                scene.once = scene.once.or(top.once);
                if scene.recipe.ending == Ending::Completed {
                    scene.recipe.ending = top.recipe.ending;
                }
            }
            scene
        }
        _ => Scene { recipe: Recipe::says(crate::assistant::sum_up(talk)), ..Scene::default() },
    };
    scene.name = name;
    let own = scene.recipe.quirks;
    scene.recipe.quirks = quirks.with(own);
    if scene.recipe.items.is_empty() && !markers.iter().any(|marker| marker.name == "empty") {
        let text = match &scene.recipe.ending {
            Ending::Completed if scene.recipe.silence.is_none() => "This is a plain answer of the demo upstream.",
            _ => {
                "This answer of the demo upstream is a little longer, so that something can happen in the middle of it."
            }
        };
        scene.filler = true;
        scene.recipe.items.push(Item::says(text));
    }
    Some(scene)
}

fn is_title(schema: &Value) -> bool {
    schema["properties"].as_object().is_some_and(|map| map.len() == 1 && map.contains_key("title"))
}

fn build(markers: &[Marker<'_>], talk: &Conversation<'_>) -> Scene {
    let mut scene = Scene::default();
    for marker in markers {
        if !scene.name.is_empty() {
            scene.name.push('+');
        }
        scene.name.push_str(marker.name);
        let recipe = &mut scene.recipe;
        recipe.quirks = quirk(marker, recipe.quirks);
        items(marker, talk, &mut recipe.items);
        match marker.name {
            "silence" => recipe.silence = Some(silence(marker)),
            "cut" => recipe.ending = Ending::Cut,
            "eof" => recipe.ending = Ending::Eof,
            "incomplete" => recipe.ending = Ending::Incomplete("max_output_tokens"),
            "filter" => recipe.ending = Ending::Incomplete("content_filter"),
            _ => {}
        }
        let failure = failure(marker);
        let bends =
            failure.is_some() || matches!(marker.name, "silence" | "cut" | "eof" | "incomplete" | "filter" | "empty");
        if bends && (marker.has("once") || (matches!(marker.name, "401" | "500") && !marker.has("always"))) {
            scene.once = Some(Once(format!("{} {}", marker.name, marker.args)));
        }
        if let Some(failure) = failure {
            place(failure, marker, recipe);
        }
    }
    scene
}

/// Puts a failure where its arguments say.
fn place(failure: Failure, marker: &Marker<'_>, recipe: &mut Recipe) {
    let at = if marker.has("first") {
        Some(FailAt::First)
    } else if marker.has("late") {
        Some(FailAt::Late)
    } else if marker.has("event") || matches!(failure, Failure::Event { .. }) {
        Some(FailAt::Opened)
    } else if matches!(failure, Failure::Overflow | Failure::Policy) && !marker.has("status") {
        // These two are known as events of a 200 stream (codex-backend.md §3).
        Some(FailAt::Opened)
    } else {
        None
    };
    match at {
        Some(at) => recipe.ending = Ending::Failed { failure, at },
        None => recipe.refuse = Some(failure),
    }
}

fn failure(marker: &Marker<'_>) -> Option<Failure> {
    let seconds = |default| marker.number().and_then(|n| i64::try_from(n).ok()).unwrap_or(default);
    Some(match marker.name {
        "limit" => Failure::Limit(seconds(10_800)),
        "not-included" => Failure::NotIncluded,
        "rate" => Failure::Rate(seconds(2)),
        "overloaded" => Failure::Overloaded,
        "401" => Failure::Unauthorized,
        "402" => Failure::Deactivated,
        "403" if marker.has("json") => Failure::Forbidden,
        "403" => Failure::Challenge,
        "500" => Failure::Server,
        "model" => Failure::Model,
        "policy" => Failure::Policy,
        "overflow" => Failure::Overflow,
        "sealed" => Failure::Sealed,
        "reset" => Failure::Reset,
        "error" => Failure::Event { nested: marker.has("nested") },
        _ => return None,
    })
}

fn silence(marker: &Marker<'_>) -> Silence {
    let place = if marker.has("headers") {
        Place::Headers
    } else if marker.has("inside") {
        Place::Inside
    } else {
        Place::Start
    };
    Silence { time: marker.number().map(Duration::from_secs), place }
}

fn quirk(marker: &Marker<'_>, mut quirks: Quirks) -> Quirks {
    match marker.name {
        "split" => quirks.split = true,
        "crlf" => quirks.crlf = true,
        "bare" => quirks.bare = true,
        "comments" => quirks.comments = true,
        "done-line" => quirks.done_line = true,
        "after-end" => quirks.after_end = true,
        "unknown" => quirks.unknown = true,
        "malformed" => quirks.malformed = true,
        "no-deltas" => quirks.no_deltas = true,
        "repeat" => quirks.repeat = true,
        "late-ids" => quirks.late_ids = true,
        "early-args" => quirks.early_args = true,
        "interleave" | "parallel" => quirks.interleave = true,
        "full-output" => quirks.full_output = true,
        "long-ids" => quirks.long_ids = true,
        "same-ids" => quirks.same_ids = true,
        _ => {}
    }
    quirks
}

fn items(marker: &Marker<'_>, talk: &Conversation<'_>, items: &mut Vec<Item>) {
    let said = |default: &str| if marker.args.is_empty() { default.to_owned() } else { marker.args.to_owned() };
    match marker.name {
        "text" => items.push(Item::says(said("This is a plain answer of the demo upstream."))),
        "long" => items.push(Item::Drip { count: marker.number().unwrap_or(200), every: None }),
        "drip" => {
            let mut numbers = marker.words().filter_map(|word| word.parse::<u64>().ok());
            let count = numbers.next().unwrap_or(100);
            let every = Duration::from_millis(numbers.next().unwrap_or(100));
            items.push(Item::Drip { count, every: Some(every) });
        }
        // One word, so that it is one delta.
        "huge" => items.push(Item::says("x".repeat(marker.number().unwrap_or(1_024) as usize * 1_024))),
        "tool" => items.push(tool(marker.args, talk)),
        "parallel" => items.extend((1..=marker.number().unwrap_or(6)).map(|n| step(n, talk, n == 4))),
        "reasoning" => items.push(Item::Reasoning(vec![
            "**Thinking it through**\n\nFirst, look at what was asked.".to_owned(),
            format!("**Deciding**\n\n{}", said("Answer briefly.")),
        ])),
        "search" => items.extend(search(&said("the demo upstream"))),
        "json" => {
            let value = talk.schema.map_or_else(|| json!({"ok": true}), |schema| example(schema, &talk.prompt));
            items.push(Item::says(value.to_string()));
        }
        "commentary" => {
            let text = said("Working on it.");
            items.push(Item::Text { text, phase: Phase::Commentary, citations: Vec::new() });
        }
        "refusal" => items.push(Item::Refusal(said("I can't help with that."))),
        _ => {}
    }
}

/// A web search and the text that cites what it found.
pub(crate) fn search(query: &str) -> Vec<Item> {
    let text = format!("According to the web, {query} is described on two pages of example.com.");
    let cite = |title: &str, path: &str, words: &str| Citation {
        title: title.to_owned(),
        url: format!("https://example.com/{path}?utm_source=openai"),
        words: words.to_owned(),
    };
    let citations =
        vec![cite("Example one", "one", "According to the web"), cite("Example two", "two", "described on two pages")];
    vec![Item::Search(query.to_owned()), Item::Text { text, phase: Phase::Final, citations }]
}

/// `NAME {json}`: the JSON as it stands, or an example of the tool's own schema.
fn tool(args: &str, talk: &Conversation<'_>) -> Item {
    let (name, input) = args.split_once(char::is_whitespace).unwrap_or((args, ""));
    let name = if name.is_empty() { talk.tools.first().map_or("Bash", |tool| tool.name) } else { name };
    let name = talk.meant(name);
    let input = input.trim();
    if input.is_empty() {
        let input = talk.tool(&name).map_or_else(|| json!({}), |tool| example(tool.schema, &talk.prompt));
        return Item::calls(name, &input);
    }
    // Not parsed: a test may want broken arguments, and the order of the keys is the author's.
    Item::Call { name, arguments: input.to_owned() }
}

/// One harmless call of whatever is offered; a failing one on demand.
fn step(n: u64, talk: &Conversation<'_>, fails: bool) -> Item {
    let shell = talk.tool("Bash").or_else(|| talk.tool("shell")).or_else(|| talk.tool("exec_command"));
    match shell.or_else(|| talk.tools.first().copied()) {
        Some(Tool { name, schema }) => {
            let mut input = example(schema, &talk.prompt);
            let command = if fails { format!("echo step {n}; exit 1") } else { format!("echo step {n}") };
            for key in ["command", "cmd"].into_iter().filter(|key| schema["properties"].get(key).is_some()) {
                input[key] = json!(command);
            }
            if input.get("description").is_some() {
                input["description"] = json!(format!("Step {n}"));
            }
            Item::calls(name, &input)
        }
        None => Item::calls("Bash", &json!({"command": format!("echo step {n}")})),
    }
}

/// The steps of a plan: a JSON list of texts with markers, or a number of tool calls one after the other.
fn turns(marker: &Marker<'_>, talk: &Conversation<'_>) -> Vec<String> {
    if let Ok(Value::Array(steps)) = serde_json::from_str(marker.args) {
        return steps.iter().map(as_text).collect();
    }
    let calls = (1..=marker.number().unwrap_or(3)).map(|n| match step(n, talk, false) {
        Item::Call { name, arguments } => format!("[[demo:tool {name} {arguments}]]"),
        _ => String::new(),
    });
    calls.collect()
}

/// `"text"`, `{"tool": NAME, "input": {…}}`, or a list of those.
fn as_text(step: &Value) -> String {
    match step {
        Value::String(text) => text.clone(),
        Value::Array(steps) => steps.iter().map(as_text).collect::<Vec<_>>().join(" "),
        other => {
            let name = other["tool"].as_str().unwrap_or("Bash");
            let input = other.get("input").map_or_else(String::new, Value::to_string);
            format!("[[demo:tool {name} {input}]]")
        }
    }
}

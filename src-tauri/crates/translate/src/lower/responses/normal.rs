//! What clients of the public API send and the plans' hosts refuse, put right.
//!
//! **Invariant:** an item, a tool or a member that needs nothing is copied as it stood.

use codeferry_wire::json::{Kind, Open, Raw, write_str};
use codeferry_wire::responses::open::Item;
use codeferry_wire::responses::request::MEMBERS;

use super::{BadRequest, Host, Places, Spot, Target, marks, refer};
use crate::loss::{Loss, Losses};

/// What a server that speaks Chat Completions takes as well.
const SAMPLING: [&str; 3] = ["max_output_tokens", "temperature", "top_p"];

/// What asks for something that nobody here can give: to leave it out would change what the answer means.
const IMPOSSIBLE: [(&str, &str); 3] = [
    ("background", "answers cannot be fetched here, so none can be made in the background"),
    ("conversation", "conversations are not kept here; send the whole history as input"),
    ("prompt", "prompt templates are kept by the public API alone; send instructions and input"),
];

/// What can be left out without a loss: a hint, what is so anyway, or what we see to ourselves.
const HINTS: [&str; 8] = [
    "max_output_tokens",
    "stream_options",
    "user",
    "safety_identifier",
    "prompt_cache_retention",
    "prompt_cache_options",
    "previous_response_id",
    "metadata",
];

const SEALED: &str = "reasoning.encrypted_content";
const INCLUDES: [&str; 2] = [SEALED, "web_search_call.action.sources"];
const TIERS: [&str; 3] = ["default", "priority", "ultrafast"];
const LONGEST_KEY: usize = 64;

/// Puts a request right. Gives the places of its items, if they were written anew.
pub(super) fn normalise(
    object: &mut Open<'_>,
    items: &[Item<'_>],
    target: &Target<'_>,
    losses: &mut Losses,
) -> Result<Option<Places>, BadRequest> {
    if target.host == Host::Api {
        return Ok(None);
    }
    members(object, target.host, losses)?;
    tier(object, losses);
    include(object, losses);
    reasoning(object);
    tools(object);
    choice(object);
    let key = object.get("prompt_cache_key").and_then(Raw::string);
    if key.is_none_or(|key| key.is_empty() || key.chars().count() > LONGEST_KEY) {
        object.set_str("prompt_cache_key", &target.conversation.key);
    }
    input(object, items, target, losses)
}

fn members(object: &mut Open<'_>, host: Host, losses: &mut Losses) -> Result<(), BadRequest> {
    let taken = |name: &str| MEMBERS.contains(&name) || (host == Host::Chat && SAMPLING.contains(&name));
    let strangers: Vec<String> = object.names().filter(|name| !taken(name)).map(str::to_owned).collect();
    for name in strangers {
        let value = object.get(&name).unwrap_or(Raw::NULL);
        let says_nothing = value.is_null() || value.bool() == Some(false);
        if let Some((_, why)) = IMPOSSIBLE.iter().find(|(param, _)| *param == name).filter(|_| !says_nothing) {
            return Err(BadRequest::unsupported(&name, why));
        }
        object.remove(&name);
        if says_nothing || HINTS.contains(&&*name) || name == super::control::CONTROL {
            continue;
        }
        match &*name {
            "temperature" if value.f64() == Some(1.0) => {}
            "top_p" if value.f64() == Some(1.0) => {}
            "truncation" if value.literal() == Some("disabled") => {}
            "top_logprobs" if value.u64() == Some(0) => {}
            "temperature" => losses.add(Loss::Temperature),
            "top_p" => losses.add(Loss::TopP),
            _ => losses.add(Loss::UnknownMember),
        }
    }
    Ok(())
}

fn tier(object: &mut Open<'_>, losses: &mut Losses) {
    let Some(tier) = object.get("service_tier").map(|tier| tier.literal().unwrap_or_default()) else { return };
    match tier {
        _ if TIERS.contains(&tier) => {}
        // The Codex CLI's own word for it (`codex-backend.md §2`).
        "fast" => object.set_str("service_tier", "priority"),
        _ => {
            object.remove("service_tier");
            if !matches!(tier, "auto" | "") {
                losses.add(Loss::ServiceTier);
            }
        }
    }
}

/// Nothing is stored upstream, so reasoning can only come back if the client is given it sealed.
fn include(object: &mut Open<'_>, losses: &mut Losses) {
    let (mut kept, mut lost, mut sealed) = (Vec::new(), false, false);
    if let Some(list) = object.get("include").filter(|list| list.kind() == Kind::Array) {
        let read = list.reader().array(|reader| {
            let one = reader.value()?;
            let known = one.literal().is_some_and(|name| INCLUDES.contains(&name));
            sealed |= one.literal() == Some(SEALED);
            lost |= !known;
            if known {
                kept.push(one.as_slice_str());
            }
            Ok(())
        });
        lost |= read.is_err();
    }
    if lost {
        losses.add(Loss::UnknownMember);
    }
    if sealed && !lost {
        return;
    }
    let own = format!("\"{SEALED}\"");
    if !sealed {
        kept.push(&own);
    }
    object.set("include", format!("[{}]", kept.join(",")).into_bytes());
}

/// An older name, and values of an older API.
fn reasoning(object: &mut Open<'_>) {
    let Some(mut reasoning) = object.get("reasoning").and_then(Open::of) else { return };
    let old = reasoning.get("generate_summary");
    if reasoning.remove("generate_summary")
        && let Some(summary) = old.and_then(Raw::string)
        && reasoning.get("summary").is_none_or(Raw::is_null)
    {
        reasoning.set_str("summary", &summary);
    }
    // Null says nothing, and not all hosts know it here.
    for name in ["effort", "summary"] {
        if reasoning.get(name).is_some_and(Raw::is_null) {
            reasoning.remove(name);
        }
    }
    if reasoning.is_changed() {
        object.set("reasoning", reasoning.write().bytes);
    }
}

/// `web_search_preview`, `web_search_preview_2025_03_11` and whatever comes after them.
fn is_preview(kind: Option<&str>) -> bool {
    kind.is_some_and(|kind| kind.starts_with("web_search_preview"))
}

fn tools(object: &mut Open<'_>) {
    let Some(list) = object.get("tools").filter(|list| list.kind() == Kind::Array) else { return };
    let (mut out, mut changed) = (b"[".to_vec(), false);
    let read = list.reader().array(|reader| {
        let raw = reader.value()?;
        if out.len() > 1 {
            out.push(b',');
        }
        match tool(raw) {
            Some(bytes) => {
                changed = true;
                out.extend_from_slice(&bytes);
            }
            None => out.extend_from_slice(raw.as_slice_str().as_bytes()),
        }
        Ok(())
    });
    out.push(b']');
    if changed && read.is_ok() {
        object.set("tools", out);
    }
}

/// The tool, if it needs anything.
fn tool(raw: Raw<'_>) -> Option<Vec<u8>> {
    let kind = raw.get("type").and_then(Raw::literal);
    let mut tool = Open::of(raw)?;
    match kind {
        _ if is_preview(kind) => tool.set_str("type", "web_search"),
        Some("function") => {
            // As in Chat Completions: one level too deep (`codex-backend.md §2`, tools).
            if let Some(inner) = tool.get("function").filter(|_| tool.get("name").is_none()).and_then(Open::of) {
                tool = inner;
                tool.set_str("type", "function");
            }
            if tool.get("strict").is_none_or(Raw::is_null) {
                tool.set("strict", b"false".to_vec());
            }
            tool.remove("cache_control");
            tool.remove("defer_loading");
        }
        _ => return None,
    }
    tool.is_changed().then(|| tool.write().bytes)
}

fn choice(object: &mut Open<'_>) {
    let Some(choice) = object.get("tool_choice") else { return };
    if is_preview(choice.literal()) || choice.literal() == Some("web_search") {
        object.set("tool_choice", br#"{"type":"web_search"}"#.to_vec());
        return;
    }
    let Some(mut open) = Open::of(choice) else { return };
    if is_preview(choice.get("type").and_then(Raw::literal)) {
        open.set_str("type", "web_search");
    }
    if let Some(inner) = open.get("function").filter(|_| open.get("name").is_none()).and_then(|it| it.get("name")) {
        open.remove("function");
        open.set("name", inner.as_slice_str().as_bytes().to_vec());
    }
    if let Some(allowed) = open.get("tools").filter(|list| list.kind() == Kind::Array)
        && let Some(renamed) = allowed_tools(allowed)
    {
        open.set("tools", renamed);
    }
    if open.is_changed() {
        object.set("tool_choice", open.write().bytes);
    }
}

fn allowed_tools(list: Raw<'_>) -> Option<Vec<u8>> {
    let (mut out, mut changed) = (b"[".to_vec(), false);
    let read = list.reader().array(|reader| {
        let raw = reader.value()?;
        if out.len() > 1 {
            out.push(b',');
        }
        match Open::of(raw).filter(|_| is_preview(raw.get("type").and_then(Raw::literal))) {
            Some(mut tool) => {
                changed = true;
                tool.set_str("type", "web_search");
                out.extend_from_slice(&tool.write().bytes);
            }
            None => out.extend_from_slice(raw.as_slice_str().as_bytes()),
        }
        Ok(())
    });
    out.push(b']');
    (changed && read.is_ok()).then_some(out)
}

fn input(
    object: &mut Open<'_>,
    items: &[Item<'_>],
    target: &Target<'_>,
    losses: &mut Losses,
) -> Result<Option<Places>, BadRequest> {
    let Some(input) = object.get("input") else { return Ok(None) };
    let mut out = b"[".to_vec();
    let mut places = Places::default();
    if input.kind() == Kind::String {
        out.extend_from_slice(br#"{"type":"message","role":"user","content":[{"type":"input_text","text":"#);
        out.extend_from_slice(input.as_slice_str().as_bytes());
        out.extend_from_slice(b"}]}");
        places.items.push(Spot { until: out.len(), by_model: false, sealed: None });
        out.push(b']');
        object.set("input", out);
        return Ok(Some(places));
    }
    let mut changed = false;
    for (at, item) in items.iter().enumerate() {
        let bytes = match rewritten(item, at)? {
            Rewritten::No => None,
            Rewritten::Gone => {
                losses.add(Loss::ForeignThinking);
                changed = true;
                continue;
            }
            Rewritten::As(bytes) => Some(bytes),
        };
        changed |= bytes.is_some();
        if out.len() > 1 {
            out.push(b',');
        }
        out.extend_from_slice(bytes.as_deref().unwrap_or(item.raw.as_slice_str().as_bytes()));
        places.items.push(Spot::of(item, out.len(), target.owner));
    }
    if !changed {
        return Ok(None);
    }
    out.push(b']');
    object.set("input", out);
    Ok(Some(places))
}

enum Rewritten {
    /// It is right as it is.
    No,
    /// It would be refused, and says nothing to anybody.
    Gone,
    As(Vec<u8>),
}

fn rewritten(item: &Item<'_>, at: usize) -> Result<Rewritten, BadRequest> {
    match item.tag {
        // What is remembered was put in its place before.
        Some("item_reference") => {
            return Err(refer::unknown_item(&item.raw.get("id").and_then(Raw::string).unwrap_or_default(), at));
        }
        // Without its seal it is a reference as well (`codex-backend.md §2`, reasoning item).
        Some("reasoning") if item.sealed.is_none() => return Ok(Rewritten::Gone),
        _ => {}
    }
    let untyped = item.tag.is_none() && item.role.is_some();
    let system = item.role == Some("system");
    let unmarked = marks::without(item.raw);
    let read = item.tag == Some("function_call") && item.raw.get(marks::READ).is_some();
    if !untyped && !system && !read && unmarked.is_empty() {
        return Ok(Rewritten::No);
    }
    let Some(mut open) = Open::of(item.raw) else { return Ok(Rewritten::No) };
    for (name, list) in unmarked {
        open.set(name, list);
    }
    if read {
        open.remove(marks::READ);
    }
    if system {
        open.set_str("role", "developer");
    }
    if !untyped {
        return Ok(Rewritten::As(open.write().bytes));
    }
    // In front, where all who write items have it.
    open.remove("type");
    let rest = open.write().bytes;
    let mut out = b"{".to_vec();
    write_str(&mut out, "type");
    out.push(b':');
    write_str(&mut out, "message");
    let inner = rest.trim_ascii().strip_prefix(b"{").unwrap_or_default();
    if inner.trim_ascii() != b"}" {
        out.push(b',');
    }
    out.extend_from_slice(inner);
    Ok(Rewritten::As(out))
}

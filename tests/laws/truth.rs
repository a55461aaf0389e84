//! Answers that are known, told in every sloppy way that upstreams have been seen to use: the answer stays the same.

use codeferry_tests::answer::Pipe;
use codeferry_translate::stop::Limits;
use codeferry_wire::responses::StreamEvent;
use proptest::prelude::*;
use serde_json::{Value, json};

/// One item as it should come out.
#[derive(Debug, Clone)]
enum Item {
    Message(String),
    Reasoning(Vec<String>),
    Call { name: String, arguments: String },
}

/// How one item is told.
#[derive(Debug, Clone)]
struct Telling {
    added: bool,
    /// The item holds its content from the start.
    eager: bool,
    deltas: bool,
    /// The text is repeated by `….done`.
    repeated: bool,
    done: bool,
    /// How many characters each delta has.
    step: usize,
}

/// How items are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Naming {
    Both,
    IdOnly,
    PlaceOnly,
    /// A new id in each event, as some gateways make them up.
    FreshIds,
    /// Neither: one item after the other.
    Nothing,
}

#[derive(Debug, Clone)]
struct Story {
    items: Vec<(Item, Telling)>,
    naming: Naming,
    /// `completed.output` repeats everything.
    full_output: bool,
    /// Which item speaks next, when they speak at the same time.
    order: Vec<u8>,
}

fn words() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(vec!["one ", "two\n", "é✓ ", "\"q\" ", "a", "{", "end. "]), 1..8)
        .prop_map(|words| words.concat())
}

fn items() -> impl Strategy<Value = Vec<(Item, Telling)>> {
    let item = prop_oneof![
        words().prop_map(Item::Message),
        prop::collection::vec(words(), 1..3).prop_map(Item::Reasoning),
        (words(), prop::sample::select(vec!["Read", "Bash"])).prop_map(|(words, name)| Item::Call {
            name: name.to_owned(),
            arguments: json!({ "words": words }).to_string(),
        }),
    ];
    let telling = (any::<[bool; 5]>(), 1_usize..12).prop_map(|([added, eager, deltas, repeated, done], step)| {
        Telling { added, eager, deltas, repeated, done, step }
    });
    prop::collection::vec((item, telling), 1..5)
}

fn story() -> impl Strategy<Value = Story> {
    let naming =
        prop::sample::select(vec![Naming::Both, Naming::IdOnly, Naming::PlaceOnly, Naming::FreshIds, Naming::Nothing]);
    (items(), naming, any::<bool>(), prop::collection::vec(any::<u8>(), 100)).prop_map(
        |(mut items, naming, full_output, order)| {
            // A message that says the same as another is not shown twice; that is another law.
            for (place, (item, _)) in items.iter_mut().enumerate() {
                if let Item::Message(text) = item {
                    text.insert_str(0, &format!("{place}: "));
                }
            }
            for (item, telling) in &mut items {
                // Something must tell what the item is, and what is in it.
                let described = telling.added || telling.done || full_output;
                let told = telling.done || full_output || (telling.added && (telling.deltas || telling.eager));
                // Sealed reasoning comes with the whole item only.
                let sealed = !matches!(item, Item::Reasoning(_)) || telling.done || full_output;
                // Without names nothing but its end tells one item from the next.
                let ended = naming != Naming::Nothing || telling.done;
                if !(described && told && sealed && ended) {
                    telling.done = true;
                }
            }
            // What is told again at the end must be known again.
            let full_output = full_output && matches!(naming, Naming::Both | Naming::IdOnly | Naming::PlaceOnly);
            for (_, telling) in &mut items {
                telling.done |= !full_output && !telling.added;
                telling.done |= !full_output && !telling.deltas;
            }
            for (item, telling) in &mut items {
                telling.done |= !full_output && matches!(item, Item::Reasoning(_));
            }
            // Only the last ones can be silent until the end, else nothing would tell the order.
            let mut last = true;
            for (_, telling) in items.iter_mut().rev() {
                let silent = !(telling.added || telling.deltas || telling.done);
                telling.done |= silent && !last;
                last &= silent;
            }
            Story { items, naming, full_output, order }
        },
    )
}

impl Item {
    fn json(&self, id: &str, place: usize, content: bool) -> Value {
        match self {
            Self::Message(text) => {
                let content = if content {
                    json!([{ "type": "output_text", "text": text, "annotations": [] }])
                } else {
                    json!([])
                };
                json!({ "id": id, "type": "message", "content": content })
            }
            Self::Reasoning(parts) if content => {
                let summary: Vec<_> =
                    parts.iter().map(|text| json!({ "type": "summary_text", "text": text })).collect();
                json!({ "id": id, "type": "reasoning", "summary": summary, "encrypted_content": format!("sealed{place}") })
            }
            Self::Reasoning(_) => {
                json!({ "id": id, "type": "reasoning", "summary": [], "encrypted_content": "partial" })
            }
            Self::Call { name, arguments } => {
                let arguments = if content { arguments.as_str() } else { "" };
                json!({ "id": id, "type": "function_call", "call_id": format!("call_{place}"), "name": name, "arguments": arguments })
            }
        }
    }

    /// The texts, with the names of their events, the member that the whole text has, and the member for the part.
    fn texts(&self) -> (&'static str, &'static str, &'static str, Vec<&str>) {
        match self {
            Self::Message(text) => ("response.output_text", "text", "content_index", vec![text]),
            Self::Reasoning(parts) => {
                ("response.reasoning_summary_text", "text", "summary_index", parts.iter().map(String::as_str).collect())
            }
            Self::Call { arguments, .. } => {
                ("response.function_call_arguments", "arguments", "unused", vec![arguments])
            }
        }
    }

    /// The block of the message that it becomes.
    fn block(&self, place: usize) -> Value {
        match self {
            Self::Message(text) => json!({ "type": "text", "text": text }),
            Self::Reasoning(parts) => {
                let signature = format!("codeferry.1.acc_test.sealed{place}");
                json!({ "type": "thinking", "thinking": parts.join("\n\n"), "signature": signature })
            }
            Self::Call { name, arguments } => {
                let input: Value = serde_json::from_str(arguments).expect("JSON");
                json!({ "type": "tool_use", "id": format!("call_{place}"), "name": name, "input": input })
            }
        }
    }
}

impl Story {
    fn events(&self) -> Vec<String> {
        let mut tracks: Vec<_> =
            self.items.iter().enumerate().map(|(place, (item, telling))| self.track(place, item, telling)).collect();
        let mut events = Vec::new();
        let mut order = self.order.iter();
        // Items begin one after the other, and speak at the same time if they can be told apart.
        let together = matches!(self.naming, Naming::Both | Naming::PlaceOnly | Naming::FreshIds);
        let mut begun = 0;
        loop {
            while tracks.get(begun).is_some_and(Vec::is_empty) {
                begun += 1;
            }
            let speaking: Vec<_> =
                (0..tracks.len()).take(begun + 1).filter(|place| !tracks[*place].is_empty()).collect();
            let chosen = match (speaking.is_empty(), order.next()) {
                (true, _) => break,
                (false, Some(index)) if together => speaking[usize::from(*index) % speaking.len()],
                (false, _) => speaking[0],
            };
            events.push(tracks[chosen].remove(0));
            begun += usize::from(chosen == begun);
        }
        let output: Vec<_> = if self.full_output {
            self.items.iter().enumerate().map(|(place, (item, _))| item.json(&self.id(place, 0), place, true)).collect()
        } else {
            Vec::new()
        };
        events.push(json!({ "type": "response.completed", "response": { "output": output } }).to_string());
        events
    }

    fn track(&self, place: usize, item: &Item, telling: &Telling) -> Vec<String> {
        let mut track = Vec::new();
        let mut put = |tag: &str, more: Value| {
            let mut event = json!({ "type": tag });
            let id = self.id(place, track.len());
            if matches!(self.naming, Naming::Both | Naming::IdOnly | Naming::FreshIds) && !tag.contains("output_item") {
                event["item_id"] = id.clone().into();
            }
            if matches!(self.naming, Naming::Both | Naming::PlaceOnly | Naming::FreshIds) {
                event["output_index"] = place.into();
            }
            for (name, value) in more.as_object().expect("an object") {
                event[name] = value.clone();
            }
            if event["item"].is_object() {
                match self.naming {
                    Naming::PlaceOnly | Naming::Nothing => event["item"]["id"] = Value::Null,
                    _ => event["item"]["id"] = id.into(),
                }
            }
            track.push(event.to_string());
        };
        if telling.added {
            put("response.output_item.added", json!({ "item": item.json("", place, telling.eager) }));
        }
        let (tag, member, part_member, texts) = item.texts();
        for (part, text) in texts.into_iter().enumerate() {
            let chars: Vec<_> = text.chars().collect();
            if telling.deltas {
                for piece in chars.chunks(telling.step) {
                    let piece: String = piece.iter().collect();
                    put(&format!("{tag}.delta"), json!({ part_member: part, "delta": piece }));
                }
            }
            if telling.repeated && (telling.deltas || telling.added) {
                put(&format!("{tag}.done"), json!({ part_member: part, member: text }));
            }
        }
        if telling.done {
            put("response.output_item.done", json!({ "item": item.json("", place, true) }));
        }
        track
    }

    fn id(&self, place: usize, step: usize) -> String {
        if self.naming == Naming::FreshIds { format!("id_{place}_{step}") } else { format!("id_{place}") }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn no_sloppiness_changes_the_answer(story in story()) {
        let events = story.events();
        let mut pipe = Pipe::new(Limits::default());
        for event in &events {
            pipe.event(StreamEvent::parse(event).expect("JSON"));
        }
        let answer = pipe.finish();
        prop_assert_eq!(&answer.broken, &Vec::<String>::new(), "{:#?}", events);
        let blocks: Vec<_> = story.items.iter().enumerate().map(|(place, (item, _))| item.block(place)).collect();
        match &answer.message {
            Ok(message) => {
                let message: Value = serde_json::from_str(message).expect("JSON");
                prop_assert_eq!(&message["content"], &Value::Array(blocks), "{:#?}", events);
            }
            // Thinking alone is no answer.
            Err(_) => prop_assert!(story.items.iter().all(|(item, _)| matches!(item, Item::Reasoning(_))), "{:#?}", events),
        }
    }
}

//! What is named when a prefix breaks, and what is no break.

use proptest::prelude::*;

use super::{Change, Continuation, Fingerprint, Key, Layout, Lines, MOST_ITEMS, Piece, WHOLE, compare};

/// A request in plain words. Items in capitals are the model's.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Said {
    account: String,
    model: String,
    system: String,
    tools: String,
    format: String,
    items: Vec<String>,
}

fn key() -> Key {
    Key::new(7)
}

fn said(items: &[&str]) -> Said {
    let word = |word: &str| word.to_owned();
    Said {
        account: word("a"),
        model: word("m"),
        system: word("s"),
        tools: word("t"),
        format: String::new(),
        items: items.iter().map(|item| word(item)).collect(),
    }
}

fn fingerprint(said: &Said) -> Fingerprint {
    let mut body = Vec::new();
    let mut write = |text: &str| {
        let from = body.len();
        body.extend_from_slice(text.as_bytes());
        from..body.len()
    };
    let layout = Layout {
        instructions: write(&said.system),
        tools: write(&said.tools),
        format: write(&said.format),
        items: said
            .items
            .iter()
            .map(|item| Piece { range: write(&format!(",{item}")), by_model: item.starts_with(char::is_uppercase) })
            .collect(),
    };
    Fingerprint::of(&body, &layout, &said.model, &key()).sent(&said.account, [], &key())
}

fn between(old: &Said, new: &Said) -> Continuation {
    compare(&fingerprint(old), &fingerprint(new))
}

fn change(old: &[&str], new: &[&str]) -> (Option<Change>, Option<usize>) {
    let found = between(&said(old), &said(new));
    (found.change, found.item)
}

#[test]
fn what_becomes_of_a_history() {
    let old = ["u1", "A1", "u2", "A2", "u3"];
    assert_eq!(change(&old, &old), (None, None));
    assert_eq!(change(&old, &["u1", "A1", "u2", "A2", "u3", "A3", "u4"]), (None, None));
    // A reminder that stood in the last message is not there any more.
    assert_eq!(change(&old, &["u1", "A1", "u2", "A2", "u3x", "A3", "u4"]), (Some(Change::Message), Some(4)));
    assert_eq!(change(&["u1"], &["u1x", "A1", "u2"]), (Some(Change::Message), Some(0)));
    // In the middle: another item, one gone, one put in.
    assert_eq!(change(&old, &["u1", "A1", "u2x", "A2", "u3", "A3", "u4"]), (Some(Change::Message), Some(2)));
    assert_eq!(change(&old, &["u1", "u2", "A2", "u3"]), (Some(Change::Message), Some(1)));
    assert_eq!(change(&old, &["u0", "u1", "A1", "u2", "A2", "u3"]), (Some(Change::Message), Some(0)));
    // Another end.
    assert_eq!(change(&old, &["u1", "A1", "u2", "A2", "u3x"]), (Some(Change::Rewound), Some(4)));
    assert_eq!(change(&old, &["u1", "A1", "u2x"]), (Some(Change::Rewound), Some(2)));
    assert_eq!(change(&old, &["u1", "A1"]), (Some(Change::Rewound), Some(2)));
    // Summed up, with and without the last words.
    assert_eq!(change(&old, &["sum"]), (Some(Change::Compacted), Some(0)));
    assert_eq!(change(&old, &["u1", "sum", "A2", "u4"]), (Some(Change::Compacted), Some(1)));
    assert_eq!(change(&old, &["other", "A9", "u9"]), (Some(Change::Compacted), Some(0)));
    // Two questions of their own.
    assert_eq!(change(&["q1"], &["q2"]), (Some(Change::Beside), None));
    assert_eq!(change(&["q1"], &["q2", "q3"]), (Some(Change::Beside), None));
}

#[test]
fn who_pays_and_which_model_answers_come_first() {
    let old = said(&["u1", "R1", "A1", "u2"]);
    let mut new = said(&["u1", "A1", "u2", "A2", "u3"]);
    assert_eq!(between(&old, &new).change, Some(Change::Message), "the reasoning is gone");
    new.tools.push('x');
    assert_eq!(between(&old, &new).change, Some(Change::Tools));
    new.system.push('x');
    assert_eq!(between(&old, &new).change, Some(Change::System));
    new.model.push('x');
    assert_eq!(between(&old, &new).change, Some(Change::Model));
    new.account.push('x');
    assert_eq!(between(&old, &new), Continuation { change: Some(Change::Account), item: None, common: 1 });
    new.items[0].push('x');
    assert_eq!(between(&old, &new).change, Some(Change::Beside), "nothing in common");
}

#[test]
fn what_was_cut_out_was_not_sent() {
    let whole = fingerprint(&said(&["u1", "R1", "A1", "R2", "A2", "u2"]));
    assert_eq!(whole.sent("a", [1, 3], &key()), fingerprint(&said(&["u1", "A1", "A2", "u2"])));
}

#[test]
fn long_items_are_told_apart_by_length_ends_and_middle() {
    let whole = "x".repeat(WHOLE - 1);
    assert_eq!(change(&[&whole, "A1", "u2"], &[&whole.replacen("xx", "xy", 1), "A1", "u2"]).1, Some(0));
    let long = "x".repeat(WHOLE * 4);
    let same = |other: &str| change(&[&long, "A1", "u2"], &[other, "A1", "u2"]).0.is_none();
    assert!(same(&long));
    assert!(!same(&format!("{long}x")), "one byte more");
    for at in [0, 100, 1000, long.len() / 2 + 100, long.len() - 1000, long.len() - 1] {
        let mut other = long.clone();
        other.replace_range(at..=at, "y");
        assert!(!same(&other), "another byte at {at}");
    }
}

#[test]
fn hashes_differ_from_process_to_process() {
    let body = br#"{"input":["x"]}"#;
    let layout = Layout { items: vec![Piece { range: 10..13, by_model: false }], ..Layout::default() };
    let of = |bits| Fingerprint::of(body, &layout, "m", &Key::new(bits));
    assert_ne!(of(1), of(2));
    assert_eq!(format!("{:?}", Key::new(123_456)), "Key(«redacted»)");
}

/// What the lines of one conversation say of each request in turn.
fn noted(requests: &[Said]) -> Vec<Option<Change>> {
    let mut lines = Lines::default();
    requests.iter().map(|said| lines.note(fingerprint(said)).and_then(|continuation| continuation.change)).collect()
}

#[test]
fn requests_beside_the_main_line_do_not_break_it() {
    let main = said(&["u1"]);
    let title = Said { system: "title".into(), tools: String::new(), ..said(&["name this"]) };
    let second = said(&["u1", "A1", "u2"]);
    let suggestion = said(&["u1", "A1", "u2", "A2", "suggest"]);
    let third = said(&["u1", "A1", "u2", "A2", "u3"]);
    let search = Said { system: "search".into(), tools: "web".into(), ..said(&["look for"]) };
    let fourth = said(&["u1", "A1", "u2", "A2", "u3", "A3", "u4"]);
    let found = noted(&[main, title, second.clone(), suggestion, third, search, fourth, second]);
    let beside = Some(Change::Beside);
    // The suggestion has answered nothing, so what replaces it looks like another last word.
    assert_eq!(found, [None, beside, None, None, Some(Change::Rewound), beside, None, None]);
}

#[test]
fn a_summary_request_is_followed_by_a_shorter_history() {
    let asked = said(&["u1", "A1", "u2", "A2", "u3", "A3", "sum up"]);
    let after = said(&["summary", "A9", "u9"]);
    assert_eq!(noted(&[said(&["u1", "A1", "u2", "A2", "u3"]), asked, after]), [None, None, Some(Change::Compacted)]);
}

#[test]
fn going_back_to_a_model_finds_what_it_knew() {
    let small = |items: &[&str]| Said { model: "small".into(), ..said(items) };
    let found = noted(&[
        said(&["u1"]),
        small(&["u1", "A1", "u2"]),
        small(&["u1", "A1", "u2", "A2", "u3"]),
        said(&["u1", "A1", "u2", "A2", "u3", "A3", "u4"]),
    ]);
    assert_eq!(found, [None, Some(Change::Model), None, None], "the first model still knows the beginning");
}

#[test]
fn a_break_is_told_once() {
    let moved = said(&["u1x", "A1", "u2"]);
    let next = said(&["u1x", "A1", "u2", "A2", "u3"]);
    assert_eq!(noted(&[said(&["u1"]), moved, next]), [None, Some(Change::Message), None]);
}

#[test]
fn the_memory_of_a_conversation_is_bounded() {
    let mut lines = Lines::default();
    for number in 0..100 {
        let items: Vec<_> = (0..10).map(|item| format!("{number} {item}")).collect();
        lines.note(fingerprint(&Said { system: number.to_string(), items, ..said(&[]) }));
    }
    assert!(lines.size() <= 40, "{}", lines.size());
    let endless: Vec<_> = (0..MOST_ITEMS + 100).map(|item| item.to_string()).collect();
    assert_eq!(fingerprint(&Said { items: endless, ..said(&[]) }).items(), MOST_ITEMS);
}

/// A history as clients send it: no item twice, the person has the first word and the last.
fn history() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(any::<bool>(), 0..20).prop_map(|by_model| {
        let middle = by_model.iter().enumerate();
        let middle = middle.map(|(at, by_model)| format!("{}{at}", if *by_model { "A" } else { "u" }));
        std::iter::once("first".to_owned()).chain(middle).chain(["last".to_owned()]).collect()
    })
}

/// What a turn adds: the model's answer, and what follows it.
fn turn() -> impl Strategy<Value = Vec<String>> {
    (1..4_usize, 0..3_usize).prop_map(|(answer, after)| {
        let answer = (0..answer).map(|at| format!("Answer{at}"));
        answer.chain((0..after).map(|at| format!("next{at}"))).collect()
    })
}

fn with(items: &[String]) -> Said {
    Said { items: items.to_vec(), ..said(&[]) }
}

proptest! {
    #[test]
    fn the_same_is_no_break(items in history()) {
        let found = between(&with(&items), &with(&items));
        prop_assert_eq!(found, Continuation { change: None, item: None, common: items.len() });
    }

    #[test]
    fn going_on_is_no_break(items in history(), turns in prop::collection::vec(turn(), 0..4)) {
        let mut all = items.clone();
        for (number, turn) in turns.iter().enumerate() {
            all.extend(turn.iter().map(|item| format!("{item} {number}")));
        }
        let found = between(&with(&items), &with(&all));
        prop_assert_eq!(found, Continuation { change: None, item: None, common: items.len() });
    }

    #[test]
    fn each_part_is_named_when_it_changes(items in history(), turn in turn(), part in 0..5_usize) {
        let old = with(&items);
        let mut new = with(&[items, turn].concat());
        let (text, change) = match part {
            0 => (&mut new.account, Change::Account),
            1 => (&mut new.model, Change::Model),
            2 => (&mut new.system, Change::System),
            3 => (&mut new.tools, Change::Tools),
            _ => (&mut new.format, Change::Format),
        };
        text.push('x');
        prop_assert_eq!(between(&old, &new).change, Some(change));
    }

    #[test]
    fn the_item_that_changed_is_named(items in history(), turn in turn(), at in any::<prop::sample::Index>()) {
        let at = at.index(items.len());
        let mut new = [items.clone(), turn].concat();
        new[at].push('x');
        let found = between(&with(&items), &with(&new));
        prop_assert_eq!(found, Continuation { change: Some(Change::Message), item: Some(at), common: at });
    }

    /// The figures hold for any two requests: nothing in them depends on order or chance.
    #[test]
    fn whatever_is_compared(old in prop::collection::vec("[a-dA-D]", 0..8), new in prop::collection::vec("[a-dA-D]", 0..8)) {
        let found = between(&with(&old), &with(&new));
        prop_assert_eq!(found, between(&with(&old), &with(&new)));
        prop_assert!(found.common <= old.len().min(new.len()));
        prop_assert!(old[..found.common] == new[..found.common]);
        prop_assert!(found.item.is_none_or(|item| item == found.common));
        if found.change.is_none() && found.common < old.len() {
            prop_assert!(false, "what was there is gone without a word: {found:?}");
        }
    }
}

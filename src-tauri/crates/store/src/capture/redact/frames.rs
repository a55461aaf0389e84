//! Streams. A secret that the model says comes in pieces of a few letters, each in a frame of its own.

use std::collections::HashMap;

use super::{Rules, forms, json};

/// The records of a stream without secrets: those that stand in one record, and those that are spread over several.
pub(in super::super) fn frames(records: &mut [String], rules: Rules<'_>) {
    let replaced = spread(records, rules);
    for (record, replaced) in records.iter_mut().zip(replaced) {
        *record = frame(record, rules, &replaced);
    }
}

/// What is to stand in place of each piece of each record. `None` where it stays.
fn spread(records: &[String], rules: Rules<'_>) -> Vec<Vec<Option<String>>> {
    /// A piece: of which record, the how manyth, from where to where in its thread.
    struct Place {
        record: usize,
        piece: usize,
        start: usize,
        end: usize,
    }
    let mut threads: HashMap<String, (String, Vec<Place>)> = HashMap::new();
    let mut replaced: Vec<Vec<Option<String>>> = Vec::with_capacity(records.len());
    for (record, text) in records.iter().enumerate() {
        let pieces = data(text).map(json::pieces).unwrap_or_default();
        replaced.push(vec![None; pieces.len()]);
        for (index, piece) in pieces.into_iter().enumerate() {
            let (whole, places) = threads.entry(piece.thread).or_default();
            let start = whole.len();
            *whole += &piece.text;
            places.push(Place { record, piece: index, start, end: whole.len() });
        }
    }
    for (whole, places) in threads.values() {
        let spans = forms::spans(whole, rules);
        let mut first = 0;
        for place in places {
            // Both are in order.
            while spans.get(first).is_some_and(|(span, _)| span.end <= place.start) {
                first += 1;
            }
            let here: Vec<_> = spans[first..].iter().take_while(|(span, _)| span.start < place.end).collect();
            if here.is_empty() {
                continue;
            }
            let (mut text, mut at) = (String::new(), place.start);
            for (span, mark) in here {
                text += &whole[at..span.start.max(at)];
                // The note stands where it begins.
                if span.start >= place.start {
                    text += mark;
                }
                at = span.end.clamp(at, place.end);
            }
            text += &whole[at..place.end];
            replaced[place.record][place.piece] = Some(text);
        }
    }
    replaced
}

fn frame(record: &str, rules: Rules<'_>, replaced: &[Option<String>]) -> String {
    let whole = data(record);
    let lines = record.split_inclusive('\n').map(|line| {
        let Some(payload) = whole.filter(|whole| line.trim_end().ends_with(whole)) else {
            return forms::replace(line, rules).into_owned();
        };
        match json::with(payload, rules, 0, replaced) {
            Some(other) => line.replacen(payload, &other, 1),
            None => forms::replace(line, rules).into_owned(),
        }
    });
    lines.collect()
}

/// The data of a record, if it is one line.
fn data(record: &str) -> Option<&str> {
    let mut lines = record.lines().filter_map(|line| line.strip_prefix("data:"));
    let data = lines.next()?.trim();
    lines.next().is_none().then_some(data)
}

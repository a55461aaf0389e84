//! What a spreadsheet reads is what the JSON says, whatever stands in it, and never a formula.

use std::collections::BTreeMap;

use codeferry_app::history::{Figures, Row, UsageReport, UsageRow, exchange_header, exchange_line, usage_text};
use codeferry_store::log::{Exchange, Found, Outcome, Tokens};
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::Value;

/// Texts of everything that means something to a spreadsheet or in CSV, and some more.
fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), "[=+@',\"\r\n\t ;a-z0-9-]{0,12}", any::<String>()]
}

fn any_row() -> impl Strategy<Value = Row> {
    let texts = proptest::collection::vec(any_text(), 14);
    let tokens = proptest::option::of((any::<u64>(), any::<u64>(), any::<u64>(), any::<u64>()));
    let figures = (proptest::option::of(0..i64::MAX), proptest::option::of(any::<u64>()), any::<u64>(), 0..4usize);
    (texts, tokens, figures, any::<bool>(), 0..4_000_000_000_000i64).prop_map(
        |(texts, tokens, (cost, first_byte_ms, total_ms, outcome), streamed, at)| {
            let text = |at: usize| texts[at].clone();
            let some = |at: usize| Some(text(at)).filter(|text| !text.is_empty());
            let exchange = Exchange {
                id: text(0),
                at: Timestamp::from_millisecond(at).expect("within bounds"),
                client: text(1),
                dialect: "anthropic".into(),
                path: "/v1/messages".into(),
                user_agent: some(2),
                conversation: some(3),
                asked: text(4),
                model: text(5),
                effort: some(6),
                route: some(7),
                provider: text(8),
                account: text(9),
                streamed,
                tokens: tokens.map(|(input, cached, output, reasoning)| Tokens { input, cached, output, reasoning }),
                first_byte_ms,
                total_ms,
                outcome: Outcome::ALL[outcome],
                status: Some(200),
                error: some(10),
                message: some(11),
                upstream_id: some(12),
                ..Exchange::default()
            };
            let found = Found { seq: 7, cost_nano_usd: cost, exchange };
            Row { found, account_name: some(13), cost_usd: cost.map(|nano| nano as f64 / 1e9) }
        },
    )
}

/// Lines of cells, as RFC 4180 has them; written without ours.
fn read(csv: &str) -> Vec<Vec<String>> {
    let (mut lines, mut line, mut cell) = (Vec::new(), Vec::new(), String::new());
    let mut letters = csv.chars().peekable();
    let mut quoted = false;
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => cell.extend(letters.next()),
            '"' => quoted = !quoted,
            ',' if !quoted => line.push(std::mem::take(&mut cell)),
            '\r' if !quoted && letters.peek() == Some(&'\n') => {
                letters.next();
                line.push(std::mem::take(&mut cell));
                lines.push(std::mem::take(&mut line));
            }
            letter => cell.push(letter),
        }
    }
    assert!(!quoted && line.is_empty() && cell.is_empty(), "the last line has its end");
    lines
}

/// The cell that stands for a value.
fn assert_same(name: &str, cell: &str, value: &Value) {
    match value {
        Value::Null => assert_eq!(cell, "", "{name}"),
        Value::Bool(yes) => assert_eq!(cell, yes.to_string(), "{name}"),
        Value::Number(number) if number.is_f64() => {
            assert_eq!(cell.parse::<f64>().ok(), number.as_f64(), "{name}: {cell}");
        }
        Value::Number(number) => assert_eq!(cell, number.to_string(), "{name}"),
        Value::String(text) => {
            let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
            assert_eq!(cell, if formula { format!("'{text}") } else { text.clone() }, "{name}");
        }
        Value::Array(list) if name == "attempts" => assert_eq!(cell, list.len().to_string()),
        Value::Array(list) => {
            let words: Vec<_> = list.iter().filter_map(Value::as_str).collect();
            assert_eq!(cell, words.join(" "), "{name}");
        }
        Value::Object(_) => panic!("{name} is no cell"),
    }
    assert!(!cell.starts_with(['=', '+', '@']), "{name} is a formula: {cell}");
}

fn member<'v>(json: &'v Value, name: &str) -> &'v Value {
    match name {
        "input" | "cached" | "output" | "reasoning" if json.get("tokens").is_some() => &json["tokens"][name],
        name => json.get(name).expect("each column is a member"),
    }
}

proptest! {
    #[test]
    fn a_line_says_what_the_json_says(row in any_row()) {
        let json = serde_json::to_value(&row).expect("JSON");
        let lines = read(&(exchange_header() + &exchange_line(&row)));
        prop_assert_eq!(lines.len(), 2);
        prop_assert_eq!(lines[0].len(), lines[1].len());
        for (name, cell) in lines[0].iter().zip(&lines[1]) {
            assert_same(name, cell, member(&json, name));
        }
        // Nothing else is left out but what only a list of lists could say.
        let columns: Vec<&str> = lines[0].iter().map(String::as_str).collect();
        for name in json.as_object().expect("an object").keys() {
            prop_assert!(columns.contains(&name.as_str()) || ["tokens", "prefix"].contains(&name.as_str()), "{}", name);
        }
    }

    #[test]
    fn sums_say_what_the_json_says(
        rows in proptest::collection::vec((any_text(), any_text(), proptest::option::of(any_text()), 0..i64::MAX), 0..5),
        shares in (proptest::option::of(0.0..100.0f64), proptest::option::of(0.0..1e6f64)),
    ) {
        let figures = |cost: i64| Figures {
            requests: 5, input: cost / 3, cost_nano_usd: cost, cost_usd: cost as f64 / 1e9, cached_percent: shares.0,
            tokens_per_second: shares.1, ..Figures::default()
        };
        let row = |(model, account, account_name, cost): (String, String, Option<String>, i64)| UsageRow {
            key: BTreeMap::from([("model".to_owned(), model), ("account".to_owned(), account)]),
            account_name: account_name.filter(|name| !name.is_empty()),
            figures: figures(cost),
        };
        let mut report = UsageReport {
            by: vec!["account".to_owned(), "model".to_owned()],
            total: figures(9),
            sums: rows.into_iter().map(row).collect(),
            ..UsageReport::default()
        };
        let check = |report: &UsageReport, expected: &[Value]| {
            let lines = read(&usage_text(report));
            assert_eq!(lines.len(), 1 + expected.len());
            for (json, line) in expected.iter().zip(&lines[1..]) {
                assert_eq!(line.len(), lines[0].len());
                for (name, cell) in lines[0].iter().zip(line) {
                    let value = json["key"].get(name).or(json.get(name)).unwrap_or(&Value::Null);
                    assert_same(name, cell, value);
                }
            }
        };
        let json: Vec<_> = report.sums.iter().map(|row| serde_json::to_value(row).expect("JSON")).collect();
        check(&report, &json);
        report.by.clear();
        report.sums.clear();
        check(&report, &[serde_json::to_value(report.total).expect("JSON")]);
    }
}

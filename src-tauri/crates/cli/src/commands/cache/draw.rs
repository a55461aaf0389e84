//! Conversations and their turns as tables.

use codeferry_app::history::{ConversationDetail, ConversationList, ConversationRow, ConversationTurn};
use codeferry_store::log::{Outcome, Tokens};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::columns::{Column, Layout};
use crate::figures::{clock, count, percent, plain};

const CONVERSATIONS: [Column; 9] = [
    Column::text("conversation", 100, 8),
    Column::figure("last", 95),
    Column::text("client", 60, 8),
    Column::text("program", 20, 10),
    Column::text("model", 50, 11),
    Column::figure("requests", 40),
    Column::figure("in", 70),
    Column::figure("cached", 90),
    Column::text("breaks", 85, 16),
];

const TURNS: [Column; 8] = [
    Column::figure("time", 95),
    Column::text("model", 50, 11),
    Column::text("account", 40, 8),
    Column::figure("in", 90),
    Column::figure("new", 60),
    Column::figure("cached", 92),
    Column::text("what became of the prefix", 100, 52),
    Column::text("losses", 20, 8),
];

/// So much of a name tells conversations apart.
const NAME: usize = 8;

/// What a client wants, and no trouble.
const WANTED: [&str; 1] = ["rewound"];

pub(super) fn list(list: &ConversationList, zone: &TimeZone, room: Option<usize>) -> String {
    let rows = &list.conversations;
    let form = form(rows.iter().map(|row| row.sum.last), zone);
    // The one used last stands where the eye is.
    let cells: Vec<_> = rows.iter().rev().map(|row| conversation(row, form, zone)).collect();
    let mut text = Layout::new(CONVERSATIONS, &cells, room).all(&cells);
    let remarks = rows.iter().rev().filter_map(|row| Some(format!("{}  {}", name(row), row.remark.as_ref()?)));
    let remarks: Vec<_> = remarks.collect();
    if !remarks.is_empty() {
        text += &format!("\n\n{}", remarks.join("\n"));
    }
    text
}

/// A conversation with its last turns, and how many are not shown.
pub(super) fn one(detail: &ConversationDetail, zone: &TimeZone, room: Option<usize>, limit: usize) -> (String, usize) {
    let hidden = detail.turns.len().saturating_sub(limit);
    let turns = &detail.turns[hidden..];
    let form = form(turns.iter().map(|turn| turn.at), zone);
    let cells: Vec<_> = turns.iter().map(|turn| self::turn(turn, form, zone)).collect();
    let sum = &detail.row.sum;
    let share = detail.row.cached_percent.map(|share| format!(", {} of it cached", percent(share)));
    let mut head = format!(
        "{}\n{} requests, {} tokens in{}",
        plain(&sum.conversation),
        sum.requests,
        count(sum.input),
        share.unwrap_or_default()
    );
    if let Some(remark) = &detail.row.remark {
        head += &format!("\n{remark}");
    }
    (format!("{head}\n\n{}", Layout::new(TURNS, &cells, room).all(&cells)), hidden)
}

fn conversation(row: &ConversationRow, form: &str, zone: &TimeZone) -> [String; 9] {
    let sum = &row.sum;
    let breaks = sum.breaks.iter().filter(|(what, _)| !WANTED.contains(&what.as_str()));
    let breaks: Vec<_> = breaks.map(|(what, times)| format!("{} {times}", plain(what))).collect();
    let known = |share: Option<f64>| share.map(percent).unwrap_or_default();
    [
        name(row),
        clock(sum.last, form, zone),
        plain(&sum.client),
        plain(sum.user_agent.as_deref().unwrap_or_default()),
        plain(&sum.model),
        sum.requests.to_string(),
        count(sum.input),
        known(row.cached_percent),
        match breaks.is_empty() {
            true if sum.followed > 0 => "none".to_owned(),
            _ => breaks.join(", "),
        },
    ]
}

fn turn(turn: &ConversationTurn, form: &str, zone: &TimeZone) -> [String; 8] {
    let tokens = |of: fn(&Tokens) -> u64| turn.tokens.as_ref().map(of).map(count).unwrap_or_default();
    let ended = match turn.outcome {
        Outcome::Completed => String::new(),
        Outcome::Cancelled => "left by the client: ".to_owned(),
        outcome => format!("{outcome}: "),
    };
    [
        clock(turn.at, form, zone),
        plain(&turn.model),
        plain(turn.account_name.as_deref().unwrap_or(&turn.account)),
        tokens(|tokens| tokens.input),
        tokens(|tokens| tokens.input.saturating_sub(tokens.cached)),
        turn.cached_percent.map(percent).unwrap_or_default(),
        format!("{ended}{}", plain(&turn.explanation)),
        plain(&turn.losses.join(", ")),
    ]
}

fn name(row: &ConversationRow) -> String {
    plain(&row.sum.conversation).chars().take(NAME).collect()
}

/// The day is said where there is more than one.
fn form(times: impl Iterator<Item = Timestamp>, zone: &TimeZone) -> &'static str {
    let mut days: Vec<_> = times.map(|at| at.to_zoned(zone.clone()).date()).collect();
    days.dedup();
    if days.len() > 1 { "%m-%d %H:%M:%S" } else { "%H:%M:%S" }
}

#[cfg(test)]
mod tests {
    use codeferry_app::history::{ConversationDetail, ConversationList};
    use jiff::tz::TimeZone;

    #[test]
    fn it_fits_terminals_of_every_width() {
        let row = |name: &str, at: &str, rest: &str| {
            format!(
                r#"{{"conversation":"{name}","client":"laptop","user_agent":"claude-cli/2.1.197 (external, cli)","model":"gpt-6.1-sol",
                "first":"2026-11-20T07:00:00Z","last":"{at}",{rest}}}"#
            )
        };
        let well = r#""requests":18,"input":302000,"cached":290000,"followed":16,"breaks":{"rewound":2},"cached_percent":96.0,"remark":null"#;
        let badly = r#""requests":11,"input":1102000,"cached":12000,"followed":10,"breaks":{"system":9,"tools":1},"cached_percent":1.1,
            "remark":"breaks at system in 9 of 10 turns: the client sends another system prompt each time""#;
        let rows = [
            row("d041f127-221b-45bb-92f8-434671d1d509", "2026-11-20T07:30:00Z", well),
            row("fc3a8ba7-0000-4000-8000-000000000001", "2026-11-20T07:20:00Z", badly),
        ];
        let list: ConversationList =
            serde_json::from_str(&format!(r#"{{"since":null,"until":null,"conversations":[{}]}}"#, rows.join(",")))
                .unwrap();
        let turn = |at: &str, tokens: &str, explanation: &str| {
            format!(
                r#"{{"id":"req_1","at":"{at}","model":"gpt-6.1-sol","account":"acc_0123456789abcdef","account_name":"work",
                "outcome":"completed","status":200,"tokens":{tokens},"prefix":null,"pause_seconds":7,"losses":[],
                "cached_percent":99.4,"explanation":"{explanation}"}}"#
            )
        };
        let turns = [
            turn("2026-11-20T07:00:00Z", r#"{"input":17048,"cached":0,"output":1,"reasoning":0}"#, "the first request"),
            turn(
                "2026-11-20T07:00:07Z",
                r#"{"input":17144,"cached":17048,"output":1,"reasoning":0}"#,
                "went on; what was sent before came from the cache",
            ),
            turn(
                "2026-11-20T07:20:00Z",
                r#"{"input":17559,"cached":0,"output":1,"reasoning":0}"#,
                "tools changed: they and the history were read anew",
            )
            .replace("[]", r#"["max_uses"]"#),
            turn("2026-11-20T07:21:00Z", "null", "no answer began, so no cache has it").replace("completed", "refused"),
        ];
        let badly = rows[1].strip_suffix('}').unwrap();
        let detail = format!(r#"{badly},"turns":[{}]}}"#, turns.join(","));
        let detail: ConversationDetail = serde_json::from_str(&detail).unwrap();
        let drawn =
            |room| super::list(&list, &TimeZone::UTC, room) + "\n\n" + &super::one(&detail, &TimeZone::UTC, room, 3).0;
        insta::assert_snapshot!([Some(80), Some(120), None].map(drawn).join("\n\n====\n\n"));
    }
}

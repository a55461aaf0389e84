//! Everything about one exchange, for people.

use codeferry_app::history::Detail;
use codeferry_store::log::{Attempt, Prefix};
use jiff::tz::TimeZone;

use super::draw::cost;
use super::{meant, unknown};
use crate::commands::{Context, Outcome};
use crate::failure::Exit;
use crate::figures::{clock, percent, plain, span};
use crate::history::History;
use crate::print::table;

pub(super) async fn run(text: &str, json: bool, context: &Context) -> Outcome {
    let history = History::open(context).await?;
    let id = meant(&history, text).await?;
    let told = history.exchange(&id).await?.ok_or_else(|| unknown(text))?;
    if json {
        context.print.data(&told.json)?;
    } else {
        context.print.data(&drawn(&told.value, &TimeZone::system()))?;
    }
    Ok(Exit::Done)
}

fn drawn(detail: &Detail, zone: &TimeZone) -> String {
    let mut parts = vec![table(&facts(detail, zone))];
    let x = &detail.row.found.exchange;
    if !x.attempts.is_empty() {
        let rows: Vec<_> = x.attempts.iter().enumerate().map(|(index, one)| attempt(index + 1, one, detail)).collect();
        parts.push(section("tries upstream", table(&rows).lines()));
    }
    if !detail.explained.is_empty() {
        let lines = detail.explained.iter().map(|one| match &one.meaning {
            Some(meaning) => format!("{}: {meaning}", plain(&one.loss)),
            None => plain(&one.loss),
        });
        let lines: Vec<_> = lines.collect();
        parts.push(section("lost on the way", lines.iter().map(String::as_str)));
    }
    if !x.notes.is_empty() {
        let notes = plain(&x.notes.join(", "));
        parts.push(section("put right in the answer", std::iter::once(notes.as_str())));
    }
    parts.join("\n\n")
}

/// What is known, by name. What is not known is not there.
fn facts(detail: &Detail, zone: &TimeZone) -> Vec<[String; 2]> {
    let row = &detail.row;
    let x = &row.found.exchange;
    let mut facts = Vec::new();
    let mut add = |name: &str, value: String| {
        if !value.is_empty() {
            facts.push([name.to_owned(), value]);
        }
    };
    add("id", plain(&x.id));
    add("time", clock(x.at, "%Y-%m-%d %H:%M:%S%.3f %Z", zone));
    add("outcome", outcome(detail));
    add("reason", x.message.as_deref().map(plain).unwrap_or_default());
    let agent = x.user_agent.as_deref().map(|agent| format!(" ({})", plain(agent))).unwrap_or_default();
    let client = if x.client.is_empty() { "not known" } else { &x.client };
    add("client", plain(client) + &agent);
    let form = if x.streamed { "streamed" } else { "not streamed" };
    add("request", format!("{} {}, {form}", x.dialect, x.path));
    add("conversation", x.conversation.as_deref().map(plain).unwrap_or_default());
    add("asked", plain(&x.asked));
    let effort = x.effort.as_deref().map(|effort| format!(", effort {effort}")).unwrap_or_default();
    if !x.model.is_empty() {
        add("model", plain(&x.model) + &effort);
    }
    add("route", x.route.as_deref().map(plain).unwrap_or_default());
    if !x.account.is_empty() {
        add("account", format!("{} ({})", named(&x.account, row.account_name.as_deref()), x.provider));
    }
    add("picked", x.picked.as_deref().map(|why| plain(&by_name(why, detail))).unwrap_or_default());
    if let Some(tokens) = &x.tokens {
        let share = match tokens.input {
            0 => String::new(),
            input => format!(", {}", percent(tokens.cached as f64 * 100.0 / input as f64)),
        };
        add("tokens in", format!("{} ({} cached{share})", tokens.input, tokens.cached));
        add("tokens out", format!("{} ({} reasoning)", tokens.output, tokens.reasoning));
        add(
            "cost",
            match cost(row).as_str() {
                "?" => format!("not known: codeferry settings set price.{} INPUT/CACHED/OUTPUT", plain(&x.model)),
                cost => format!("{cost} at list prices"),
            },
        );
    }
    add("first byte", x.first_byte_ms.map(span).unwrap_or_default());
    add("total", span(x.total_ms) + &speed(detail));
    if let Some(prefix) = &x.prefix {
        add("history", history(prefix));
    }
    add("upstream id", x.upstream_id.as_deref().map(plain).unwrap_or_default());
    facts
}

/// How it goes on from what its conversation sent before, on which it depends what the prompt cache holds.
fn history(prefix: &Prefix) -> String {
    let items = match prefix.items {
        1 => "1 item".to_owned(),
        items => format!("{items} items"),
    };
    let item = prefix.item.map(|item| format!(" (item {})", item + 1)).unwrap_or_default();
    let went = match prefix.broke.as_deref() {
        None if prefix.turn == 0 => return format!("{items}, the first request of its conversation"),
        None => "goes on where the last one ended".to_owned(),
        Some("account") => "another account than before".to_owned(),
        Some("model") => "another model than before".to_owned(),
        Some("system") => "the system prompt has changed".to_owned(),
        Some("tools") => "the tools have changed".to_owned(),
        Some("format") => "the schema of the answer has changed".to_owned(),
        Some("message") => format!("an earlier message has changed{item}"),
        Some("compacted") => format!("was compacted{item}"),
        Some("rewound") => format!("was rewound{item}"),
        Some("beside") => "a request beside the conversation".to_owned(),
        Some(other) => plain(other),
    };
    format!("{items}, request {} of its conversation, {went}", prefix.turn + 1)
}

/// The log has accounts by their ids; people have names for them.
fn by_name(text: &str, detail: &Detail) -> String {
    let names = detail.account_names.iter();
    names.fold(text.to_owned(), |text, (id, name)| text.replace(id.as_str(), name))
}

fn outcome(detail: &Detail) -> String {
    let x = &detail.row.found.exchange;
    let mut text = x.outcome.to_string();
    if let Some(status) = x.status {
        text += &format!(", HTTP {status}");
    }
    if let Some(error) = &x.error {
        text += &format!(", {}", plain(error));
    }
    text
}

/// How fast it came, once it came.
fn speed(detail: &Detail) -> String {
    let x = &detail.row.found.exchange;
    let (Some(tokens), Some(first), true) = (&x.tokens, x.first_byte_ms, x.streamed) else { return String::new() };
    match x.total_ms.saturating_sub(first) {
        0 => String::new(),
        _ if tokens.output == 0 => String::new(),
        milliseconds => {
            let rate = tokens.output as f64 * 1000.0 / milliseconds as f64;
            format!(" ({rate:.0} tokens a second after the first byte)")
        }
    }
}

/// Number, account, time, how it went, the upstream's id.
fn attempt(number: usize, attempt: &Attempt, detail: &Detail) -> [String; 5] {
    let name = detail.account_names.get(&attempt.account).map(String::as_str);
    let went = match (&attempt.failure, attempt.status) {
        (None, _) => "answered".to_owned(),
        (Some(failure), Some(status)) => format!("failed: {} (HTTP {status})", plain(failure).replace('_', " ")),
        (Some(failure), None) => format!("failed: {}", plain(failure).replace('_', " ")),
    };
    let id = attempt.upstream_id.as_deref().map(plain).unwrap_or_default();
    [format!("{number}."), named(&attempt.account, name), format!("{:>6}", span(attempt.ms)), went, id]
}

fn named(id: &str, name: Option<&str>) -> String {
    name.map_or_else(|| plain(id), plain)
}

fn section<'a>(title: &str, lines: impl Iterator<Item = &'a str>) -> String {
    let lines = lines.map(|line| format!("  {line}"));
    std::iter::once(title.to_owned()).chain(lines).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::{drawn, history};

    #[test]
    fn the_history_is_told_in_words() {
        let told = |text: &str| history(&serde_json::from_str(text).unwrap());
        assert_eq!(told(r#"{"items":1,"turn":0}"#), "1 item, the first request of its conversation");
        let goes_on = "12 items, request 4 of its conversation, goes on where the last one ended";
        assert_eq!(told(r#"{"items":12,"turn":3}"#), goes_on);
        let changed = "12 items, request 4 of its conversation, an earlier message has changed (item 3)";
        assert_eq!(told(r#"{"items":12,"turn":3,"broke":"message","item":2}"#), changed);
        assert!(told(r#"{"items":12,"turn":3,"broke":"of_tomorrow"}"#).ends_with(", of_tomorrow"));
    }

    #[test]
    fn it_says_what_is_known_and_nothing_else() {
        let full = serde_json::from_str(
            r#"{"seq":1,"id":"req_0199d3a7c0de70008000aaaabbbbcccc","at":"2026-11-20T07:30:01.5Z","client":"claude-code",
                "dialect":"anthropic","path":"/v1/messages","user_agent":"claude-cli/2.1","conversation":"5f0d9a4e",
                "asked":"claude-opus-4-8","model":"gpt-6.1-sol","effort":"high","route":"opus by route.opus",
                "provider":"codex","account":"acc_0123456789abcdef","account_name":"work","picked":"acc_0123456789abcdef: active",
                "streamed":true,"tokens":{"input":128403,"cached":120000,"output":2310,"reasoning":1200},
                "cost_nano_usd":51906000,"cost_usd":0.051906,"first_byte_ms":1840,"total_ms":48210,"outcome":"completed",
                "status":200,"losses":["temperature","of_tomorrow"],"notes":["late_delta"],"upstream_id":"up_2",
                "prefix":{"items":12,"turn":3,"broke":"system","item":0},
                "attempts":[
                    {"account":"acc_fedcba9876543210","provider":"codex","ms":300,"failure":"usage_limit","status":429,
                     "upstream_id":"up_1"},
                    {"account":"acc_0123456789abcdef","provider":"codex","ms":1500,"upstream_id":"up_2"}],
                "account_names":{"acc_0123456789abcdef":"work"},
                "explained":[{"loss":"temperature","meaning":"The sampling temperature was left out."},
                             {"loss":"of_tomorrow","meaning":null}]}"#,
        );
        let bare = serde_json::from_str(
            r#"{"seq":2,"id":"req_0199d3a7c0de70008000aaaabbbbdddd","at":"2026-11-20T07:30:01.5Z","client":"",
                "dialect":"anthropic","path":"/v1/messages","asked":"","model":"","provider":"","account":"",
                "streamed":false,"total_ms":1,"outcome":"refused","status":401,"error":"authentication_error",
                "message":"a client key is needed","losses":[],"notes":[],"attempts":[],"account_names":{},"explained":[]}"#,
        );
        let text = [full, bare].map(|detail| drawn(&detail.unwrap(), &TimeZone::UTC)).join("\n\n----\n\n");
        insta::assert_snapshot!(text);
    }
}

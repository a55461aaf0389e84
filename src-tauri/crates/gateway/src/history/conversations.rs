//! Conversations: what came of the prompt cache, turn by turn, and why not more.

use codeferry_store::log::{
    ConversationFilter, ConversationSum, Exchange, Filter, Found, Log, LogError, Outcome, Prefix, Tokens,
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::usage::percent_of;
use super::{BadParameter, Names, Params};

/// Which conversations.
#[derive(Debug, Clone, Default)]
pub struct ConversationAsk {
    filter: ConversationFilter,
    limit: usize,
}

/// Conversations, the one used last first.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ConversationList {
    /// Only exchanges not before that.
    pub since: Option<Timestamp>,
    /// Only exchanges before that.
    pub until: Option<Timestamp>,
    /// The conversations.
    pub conversations: Vec<ConversationRow>,
}

/// One conversation.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ConversationRow {
    /// The figures.
    #[serde(flatten)]
    pub sum: ConversationSum,
    /// How much of the input came from the prompt cache; `None`: nothing is known of tokens.
    pub cached_percent: Option<f64>,
    /// What goes wrong again and again, in a sentence.
    pub remark: Option<String>,
}

/// One conversation with its turns.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ConversationDetail {
    /// The conversation.
    #[serde(flatten)]
    pub row: ConversationRow,
    /// Its last exchanges, at most a thousand, the oldest first.
    pub turns: Vec<ConversationTurn>,
}

/// One exchange of a conversation.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ConversationTurn {
    /// The exchange.
    pub id: String,
    /// When it began.
    #[serde(default)]
    pub at: Timestamp,
    /// The model upstream.
    pub model: String,
    /// The id of the account that served.
    pub account: String,
    /// How its owner calls it; `None`: not known any more.
    pub account_name: Option<String>,
    /// How it ended.
    pub outcome: Outcome,
    /// The HTTP status the client got.
    pub status: Option<u16>,
    /// What it cost.
    pub tokens: Option<Tokens>,
    /// How much of the input came from the prompt cache.
    pub cached_percent: Option<f64>,
    /// How it goes on from the last one.
    pub prefix: Option<Prefix>,
    /// Seconds since the exchange before it began.
    pub pause_seconds: Option<u64>,
    /// What of the request could not be carried.
    pub losses: Vec<String>,
    /// All of this in a sentence.
    pub explanation: String,
}

/// What answers to the beginning of a name.
#[derive(Debug, Clone, PartialEq)]
pub enum ConversationFound {
    /// This one.
    One(Box<ConversationDetail>),
    /// Nothing.
    Nothing,
    /// Several; some of their names.
    Several(Vec<String>),
}

/// Conversations of a list, where nobody says how many.
const USUAL: usize = 50;
/// How far back, where nobody says.
const USUAL_SPAN: SignedDuration = SignedDuration::from_hours(24);
/// Turns of a detail.
const MOST_TURNS: usize = 1000;
/// Names of those that begin alike.
const SOME: usize = 5;

/// Shorter prompts are never cached (OpenAI's guide "Prompt caching").
const LEAST_CACHED: u64 = 1024;
/// After a pause of this length a cache may have expired. The same guide: kept in memory for 5 to 10 minutes of inactivity,
/// an hour at most; in the extended form, up to 24 hours. Which of them a plan gets is not said, so this is a hint.
const MAY_EXPIRE: SignedDuration = SignedDuration::from_mins(5);

// === impl ConversationAsk ===

impl ConversationAsk {
    /// The parameters there are.
    pub const PARAMETERS: &[&str] = &["since", "until", "limit", "tz"];

    /// # Errors
    /// When a parameter cannot be used.
    pub fn read(pairs: Vec<(String, String)>, now: Timestamp) -> Result<Self, BadParameter> {
        let params = Params::read(pairs, Self::PARAMETERS, now)?;
        let zone = params.zone("tz")?;
        let until = params.moment("until", &zone)?;
        let usual = || until.unwrap_or(now).checked_sub(USUAL_SPAN).ok();
        let since = params.moment("since", &zone)?.or_else(usual);
        let filter = ConversationFilter { since, until, conversation: None };
        Ok(Self { filter, limit: params.number("limit", 1..=1000)?.unwrap_or(USUAL) })
    }

    /// The conversations.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn list(&self, log: &Log) -> Result<ConversationList, LogError> {
        let sums = log.conversations(&self.filter, self.limit)?;
        let conversations = sums.into_iter().map(ConversationRow::of).collect();
        Ok(ConversationList { since: self.filter.since, until: self.filter.until, conversations })
    }
}

// === impl ConversationRow ===

impl ConversationRow {
    fn of(sum: ConversationSum) -> Self {
        let cached_percent = percent_of(sum.cached, sum.input);
        let remark = remark(&sum);
        Self { sum, cached_percent, remark }
    }
}

/// A break now and then is a client's affair. What breaks half of the turns can be helped.
fn remark(sum: &ConversationSum) -> Option<String> {
    const OFTEN: u64 = 3;
    let often = |count: u64| count >= OFTEN && count * 2 >= sum.followed;
    let reasons = [
        ("account", "an account", "accounts take turns; the rotations personal and sticky keep a conversation on one"),
        ("model", "a model", "each model has a cache of its own"),
        ("system", "system", "the client sends another system prompt each time"),
        ("tools", "tools", "the client sends other tools each time, or in another order"),
        ("format", "format", "the client asks for another form of the answer each time"),
        ("message", "a message", "the client rewrites what was said before"),
    ];
    let counted = reasons.iter().map(|reason| (sum.breaks.get(reason.0).copied().unwrap_or_default(), reason));
    // Of equals, the first: the others may follow from it.
    let (count, (_, what, why)) = counted.rev().filter(|(count, _)| often(*count)).max_by_key(|(count, _)| *count)?;
    Some(format!("breaks at {what} in {count} of {} turns: {why}", sum.followed))
}

// === impl ConversationDetail ===

impl ConversationDetail {
    /// The conversation whose name begins so.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn find(log: &Log, names: &Names, beginning: &str) -> Result<ConversationFound, LogError> {
        let mut found = log.conversation_names(beginning, SOME)?;
        let (Some(name), true) = (found.pop(), found.is_empty()) else {
            let several = log.conversation_names(beginning, SOME)?;
            return Ok(match several.is_empty() {
                true => ConversationFound::Nothing,
                false => ConversationFound::Several(several),
            });
        };
        let filter = ConversationFilter { conversation: Some(name.clone()), ..ConversationFilter::default() };
        // Gone meanwhile: it was old.
        let Some(sum) = log.conversations(&filter, 1)?.pop() else { return Ok(ConversationFound::Nothing) };
        let filter = Filter { conversation: Some(name), ..Filter::default() };
        let rows = log.page(&filter, None, MOST_TURNS)?.exchanges;
        Ok(ConversationFound::One(Box::new(Self { row: ConversationRow::of(sum), turns: turns(rows, names) })))
    }
}

/// What came before, of which a request may know something.
#[derive(Default)]
struct Before {
    at: Option<Timestamp>,
    /// Tokens of the last request that was not one beside the conversation.
    input: Option<u64>,
}

fn turns(newest_first: Vec<Found>, names: &Names) -> Vec<ConversationTurn> {
    let mut before = Before::default();
    let turn = |found: Found| {
        let x = found.exchange;
        let pause = before.at.map(|at| x.at.duration_since(at));
        let explanation = explain(&x, pause, &before);
        before.at = Some(x.at);
        let beside = x.prefix.as_ref().is_some_and(|prefix| prefix.broke.as_deref() == Some("beside"));
        if let (Some(tokens), false) = (x.tokens, beside) {
            before.input = Some(tokens.input);
        }
        ConversationTurn {
            account_name: names.call(&x.account),
            cached_percent: x.tokens.and_then(|tokens| percent_of(tokens.cached, tokens.input)),
            pause_seconds: pause.map(|pause| u64::try_from(pause.as_secs()).unwrap_or_default()),
            explanation,
            id: x.id,
            at: x.at,
            model: x.model,
            account: x.account,
            outcome: x.outcome,
            status: x.status,
            tokens: x.tokens,
            prefix: x.prefix,
            losses: x.losses,
        }
    };
    newest_first.into_iter().rev().map(turn).collect()
}

fn explain(x: &Exchange, pause: Option<SignedDuration>, before: &Before) -> String {
    let Some(prefix) = &x.prefix else {
        return match x.outcome {
            Outcome::Completed => "how it goes on was not noted".to_owned(),
            _ => "no answer began, so no cache has it".to_owned(),
        };
    };
    // People count from one.
    let item = u64::from(prefix.item.unwrap_or_default()) + 1;
    let sentence = match prefix.broke.as_deref() {
        None if prefix.turn == 0 => return first(before),
        None => return goes_on(x.tokens, pause, before),
        Some("account") => "another account paid, whose cache knew nothing of this".to_owned(),
        Some("model") => "another model answered, whose cache knew nothing of this".to_owned(),
        Some("system") => "system prompt changed: everything was read anew".to_owned(),
        Some("tools") => "tools changed: they and the history were read anew".to_owned(),
        Some("format") => "form of the answer changed: everything was read anew".to_owned(),
        Some("message") => format!("item {item} of {} changed: it and what follows were read anew", prefix.items),
        Some("compacted") => "a shorter history stands in place of the old one: it was read anew".to_owned(),
        Some("rewound") => return format!("went on from an earlier point, after item {}", item - 1),
        Some("beside") => return "a request beside the conversation (such as for a title or a search)".to_owned(),
        Some(other) => format!("{other} changed"),
    };
    match x.tokens {
        // Somebody else sent the same, or the upstream knows better.
        Some(tokens) if tokens.cached * 2 > tokens.input => {
            sentence.replace("was read anew", "was to be read anew").replace("were read anew", "were to be read anew")
                + "; yet most of the input came from the cache"
        }
        _ => sentence,
    }
}

fn first(before: &Before) -> String {
    match before.at {
        None => "the first request".to_owned(),
        Some(_) => "the first request since the gateway was started, or since it forgot the conversation".to_owned(),
    }
}

fn goes_on(tokens: Option<Tokens>, pause: Option<SignedDuration>, before: &Before) -> String {
    let (Some(tokens), Some(known)) = (tokens, before.input) else { return "went on".to_owned() };
    if known < LEAST_CACHED {
        return "went on; what was sent before is too short to be cached".to_owned();
    }
    if tokens.cached * 2 >= known {
        return "went on; what was sent before came from the cache".to_owned();
    }
    match pause.filter(|pause| *pause >= MAY_EXPIRE) {
        Some(pause) => format!("went on, but after {}: perhaps the cache had expired", words(pause)),
        None => "went on, but the upstream did not find it in its cache; it does not say why".to_owned(),
    }
}

fn words(pause: SignedDuration) -> String {
    match pause.as_mins() {
        minutes @ ..120 => format!("{minutes} minutes"),
        minutes => format!("{} hours", minutes / 60),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use codeferry_translate::fingerprint::Change;

    use super::*;

    fn exchange(minute: i64, broke: Option<&str>, turn: u32, cached: u64) -> Found {
        let exchange = Exchange {
            id: format!("req_{minute}"),
            at: Timestamp::UNIX_EPOCH + SignedDuration::from_mins(minute),
            account: "acc_1".into(),
            tokens: Some(Tokens { input: 10_000, cached, ..Tokens::default() }),
            prefix: Some(Prefix { broke: broke.map(str::to_owned), item: Some(4), items: 9, turn }),
            ..Exchange::default()
        };
        Found { exchange, ..Found::default() }
    }

    fn sentences(mut rows: Vec<Found>) -> Vec<String> {
        rows.reverse();
        turns(rows, &Names::default()).into_iter().map(|turn| turn.explanation).collect()
    }

    #[test]
    fn each_turn_is_explained() {
        let mut short = exchange(1, None, 0, 0);
        short.exchange.tokens = Some(Tokens { input: 900, ..Tokens::default() });
        let mut refused = exchange(1, None, 0, 0);
        refused.exchange.prefix = None;
        refused.exchange.outcome = Outcome::Refused;
        let found = sentences(vec![
            short,
            exchange(2, None, 1, 0),
            exchange(3, Some("beside"), 2, 0),
            exchange(4, None, 3, 9_000),
            exchange(51, None, 4, 0),
            exchange(52, None, 5, 0),
            exchange(53, Some("tools"), 6, 1_000),
            exchange(54, Some("message"), 7, 9_000),
            exchange(55, Some("rewound"), 8, 9_000),
            refused,
            exchange(300, None, 0, 0),
            exchange(600, None, 1, 0),
        ]);
        let expected = [
            "the first request",
            "went on; what was sent before is too short to be cached",
            "a request beside the conversation (such as for a title or a search)",
            "went on; what was sent before came from the cache",
            "went on, but after 47 minutes: perhaps the cache had expired",
            "went on, but the upstream did not find it in its cache; it does not say why",
            "tools changed: they and the history were read anew",
            "item 5 of 9 changed: it and what follows were to be read anew; yet most of the input came from the cache",
            "went on from an earlier point, after item 4",
            "no answer began, so no cache has it",
            "the first request since the gateway was started, or since it forgot the conversation",
            "went on, but after 5 hours: perhaps the cache had expired",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn every_change_has_words() {
        for change in Change::ALL {
            let sentence = &sentences(vec![exchange(1, Some(change.as_str()), 1, 0)])[0];
            assert_ne!(sentence, &format!("{} changed", change.as_str()), "{change:?}");
        }
    }

    #[test]
    fn what_breaks_again_and_again_is_said() {
        let of = |breaks: &[(&str, u64)], followed| {
            let breaks: BTreeMap<_, _> = breaks.iter().map(|(part, count)| ((*part).to_owned(), *count)).collect();
            ConversationRow::of(ConversationSum { followed, breaks, ..ConversationSum::default() }).remark
        };
        let said = of(&[("system", 9)], 10).unwrap();
        assert_eq!(said, "breaks at system in 9 of 10 turns: the client sends another system prompt each time");
        assert_eq!(of(&[("system", 2)], 2), None, "too few to tell");
        assert_eq!(of(&[("system", 3)], 10), None, "not often");
        assert_eq!(of(&[("compacted", 9), ("rewound", 5)], 10), None, "that is what was wanted");
        assert!(of(&[("account", 4), ("message", 4)], 8).unwrap().starts_with("breaks at an account in 4 of 8"));
        assert!(of(&[("account", 4), ("message", 5)], 9).unwrap().starts_with("breaks at a message in 5 of 9"));
    }
}

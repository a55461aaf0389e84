//! Conversations, added up.

use std::collections::BTreeMap;

use jiff::SignedDuration;

use super::{exchange, home, now, open};
use crate::log::{ConversationFilter, ConversationSum, Exchange, Prefix, Tokens};

/// A request of a conversation, so many minutes ago.
fn request(minutes: u32, conversation: &str, turn: u32, broke: Option<&str>) -> Exchange {
    Exchange {
        conversation: Some(conversation.into()),
        user_agent: Some("claude-cli/2".into()),
        prefix: Some(Prefix { broke: broke.map(str::to_owned), item: None, items: 3, turn }),
        ..exchange(minutes)
    }
}

fn all() -> ConversationFilter {
    ConversationFilter::default()
}

#[test]
fn breaks_are_counted_and_requests_beside_are_none() {
    let home = home();
    let log = open(home.path());
    for exchange in [
        request(50, "a", 0, None),
        request(49, "a", 1, Some("beside")),
        request(40, "a", 2, Some("system")),
        request(30, "a", 3, Some("system")),
        request(20, "a", 4, None),
        request(10, "a", 5, Some("tools")),
        // Refused: nobody read it.
        Exchange { prefix: None, tokens: None, ..request(5, "a", 0, None) },
        request(7, "b", 0, None),
        Exchange { conversation: None, ..request(3, "", 0, None) },
    ] {
        log.record(exchange);
    }
    let found = log.conversations(&all(), 10).unwrap();
    let minutes = |minutes| now() - SignedDuration::from_mins(minutes);
    assert_eq!(
        found[0],
        ConversationSum {
            conversation: "a".into(),
            client: "laptop".into(),
            user_agent: Some("claude-cli/2".into()),
            model: "gpt-6.1-sol".into(),
            first: minutes(50),
            last: minutes(5),
            requests: 7,
            input: 6000,
            cached: 4800,
            followed: 4,
            breaks: BTreeMap::from([("system".into(), 2), ("tools".into(), 1)]),
        }
    );
    assert_eq!((found[1].conversation.as_str(), found[1].requests, found[1].followed), ("b", 1, 0));
    assert_eq!(found.len(), 2);

    let names = |found: Vec<ConversationSum>| found.into_iter().map(|sum| sum.conversation).collect::<Vec<_>>();
    assert_eq!(names(log.conversations(&all(), 1).unwrap()), ["a"], "the one used last");
    let since = ConversationFilter { since: Some(minutes(8)), until: Some(minutes(6)), ..all() };
    assert_eq!(names(log.conversations(&since, 10).unwrap()), ["b"]);
    let one = ConversationFilter { conversation: Some("b".into()), ..all() };
    assert_eq!(log.conversations(&one, 10).unwrap(), [found[1].clone()]);
}

#[test]
fn what_cannot_be_read_breaks_nothing() {
    let home = home();
    let log = open(home.path());
    log.record(request(1, "a", 1, Some("system")));
    log.record(Exchange { tokens: Some(Tokens { cached: 5, ..Tokens::default() }), ..request(2, "a", 1, None) });
    log.flush();
    let connection = rusqlite::Connection::open(home.path().join("log.sqlite")).unwrap();
    connection.execute("UPDATE exchange SET prefix = 'not JSON' WHERE id = 'req_000002'", []).unwrap();
    let found = log.conversations(&all(), 10).unwrap();
    assert_eq!((found[0].requests, found[0].followed), (2, 1));
}

#[test]
fn a_conversation_is_found_by_its_beginning() {
    let home = home();
    let log = open(home.path());
    assert_eq!(log.conversation_names("a", 3).unwrap(), [""; 0]);
    for (minutes, name) in ["abc", "abe", "ab", "abc", "b"].into_iter().enumerate() {
        log.record(request(minutes.try_into().unwrap(), name, 0, None));
    }
    assert_eq!(log.conversation_names("a", 9).unwrap(), ["ab", "abc", "abe"]);
    assert_eq!(log.conversation_names("a", 2).unwrap(), ["ab", "abc"]);
    assert_eq!(log.conversation_names("abc", 9).unwrap(), ["abc"]);
    assert_eq!(log.conversation_names("ab", 9).unwrap(), ["ab"], "it is called so");
    assert_eq!(log.conversation_names("%", 9).unwrap(), [""; 0]);
}

//! What was answered lately, for clients of the Responses dialect that refer to it instead of sending it again.
//!
//! The public API keeps responses for weeks, and its clients rely on that; no upstream here keeps any.
//!
//! **Invariant:** in memory alone, no more than the setting `remembered_responses_mib` and not for longer than [`LASTS`]. A
//! client is given what it was answered itself, and nothing of another's.

use std::collections::{HashMap, VecDeque};
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use codeferry_translate::lower::responses::Remembered;
use codeferry_wire::json::{Kind, Raw, Reader};
use tokio::time::Instant;

/// A conversation that rested for so long has ended.
const LASTS: Duration = Duration::from_secs(4 * 60 * 60);
/// What an entry takes beside its text, about.
const OVERHEAD: usize = 256;

/// The memory.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    responses: HashMap<Name, Response>,
    /// Where an item stands: in which response, and where there. The newest one counts.
    items: HashMap<Name, (Arc<str>, Range<usize>)>,
    order: VecDeque<(Name, Instant)>,
    bytes: usize,
}

/// Whose, and its id.
type Name = (Arc<str>, Arc<str>);

#[derive(Debug)]
struct Response {
    /// All items up to its end, with commas between them.
    items: Vec<u8>,
    /// The ids among them.
    ids: Vec<Arc<str>>,
    since: Instant,
}

/// What is to be remembered of an answer under way.
#[derive(Debug, Clone)]
pub(crate) struct Keeping {
    pub(crate) kept: Arc<Kept>,
    pub(crate) client: Arc<str>,
    /// The items it answers, without brackets.
    pub(crate) before: Arc<[u8]>,
    /// In bytes.
    pub(crate) limit: usize,
}

/// What one client may refer to.
pub(crate) struct Own<'k> {
    pub(crate) kept: &'k Kept,
    pub(crate) client: &'k str,
    pub(crate) now: Instant,
}

// === impl Kept ===

impl Kept {
    fn keep(&self, client: &Arc<str>, id: &str, items: Vec<u8>, limit: usize, now: Instant) {
        let mut known = self.lock();
        known.forget(|since, bytes| now.duration_since(since) >= LASTS || bytes > limit);
        let size = items.len() + OVERHEAD;
        if size > limit {
            return;
        }
        known.forget(|_, bytes| bytes + size > limit);
        let name: Name = (Arc::clone(client), id.into());
        known.remove(&name);
        let mut ids = Vec::new();
        for (id, range) in ids_in(&items) {
            let id: Arc<str> = id.into();
            known.items.insert((Arc::clone(client), Arc::clone(&id)), (Arc::clone(&name.1), range));
            ids.push(id);
        }
        known.bytes += size;
        known.order.push_back((name.clone(), now));
        known.responses.insert(name, Response { items, ids, since: now });
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        // Nothing in here panics between two changes that belong together.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Known ===

impl Known {
    /// Forgets the oldest for as long as somebody wants it, who is told since when it is there, and of how many bytes there are.
    fn forget(&mut self, wanted: impl Fn(Instant, usize) -> bool) {
        while self.order.front().is_some_and(|(_, since)| wanted(*since, self.bytes)) {
            let Some((name, since)) = self.order.pop_front() else { return };
            // One that came again has a place of its own further back.
            if self.responses.get(&name).is_some_and(|response| response.since == since) {
                self.remove(&name);
            }
        }
    }

    fn remove(&mut self, name: &Name) {
        let Some(response) = self.responses.remove(name) else { return };
        self.bytes -= response.items.len() + OVERHEAD;
        for id in response.ids {
            let item = (Arc::clone(&name.0), id);
            if self.items.get(&item).is_some_and(|(response, _)| *response == name.1) {
                self.items.remove(&item);
            }
        }
    }

    fn response(&self, client: &str, id: &str, now: Instant) -> Option<&Response> {
        let response = self.responses.get(&(Arc::from(client), Arc::from(id)));
        response.filter(|response| now.duration_since(response.since) < LASTS)
    }
}

// === impl Keeping ===

impl Keeping {
    /// Remembers the answer, once it is there: the response object of its end. One that failed is not gone on from.
    pub(crate) fn end(&self, response: &[u8], now: Instant) {
        let Ok(Ok(response)) = std::str::from_utf8(response).map(|text| Reader::of(text).value()) else { return };
        let text = |name| response.get(name).and_then(Raw::string);
        let whole = matches!(text("status").as_deref(), Some("completed" | "incomplete"));
        let (Some(id), Some(output)) = (text("id"), response.get("output")) else { return };
        if !whole || output.kind() != Kind::Array {
            return;
        }
        let output = output.as_slice_str();
        let output = output[1..output.len() - 1].trim_ascii();
        let mut items = self.before.to_vec();
        if !items.is_empty() && !output.is_empty() {
            items.push(b',');
        }
        items.extend_from_slice(output.as_bytes());
        self.kept.keep(&self.client, &id, items, self.limit, now);
    }
}

// === impl Own ===

impl Remembered for Own<'_> {
    fn before(&self, response: &str) -> Option<Vec<u8>> {
        self.kept.lock().response(self.client, response, self.now).map(|response| response.items.clone())
    }

    fn item(&self, id: &str) -> Option<Vec<u8>> {
        let known = self.kept.lock();
        let (response, range) = known.items.get(&(Arc::from(self.client), Arc::from(id)))?;
        known.response(self.client, response, self.now)?.items.get(range.clone()).map(<[u8]>::to_vec)
    }
}

/// The ids of the items that have one, and where these stand.
fn ids_in(items: &[u8]) -> Vec<(String, Range<usize>)> {
    let mut found = Vec::new();
    let Ok(list) = std::str::from_utf8(items).map(|items| format!("[{items}]")) else { return found };
    // What cannot be read is not referred to.
    let _ = Reader::of(&list).array(|reader| {
        reader.peek()?;
        let from = reader.position();
        let item = reader.value()?;
        if let Some(id) = item.get("id").and_then(Raw::string).filter(|id| !id.is_empty()) {
            // Behind the bracket.
            found.push((id.into_owned(), from - 1..reader.position() - 1));
        }
        Ok(())
    });
    found
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use codeferry_translate::lower::responses::Remembered as _;
    use tokio::time::Instant;

    use super::{Keeping, Kept, LASTS, OVERHEAD, Own};

    fn keeping(kept: &Arc<Kept>, client: &str, before: &str, limit: usize) -> Keeping {
        Keeping { kept: Arc::clone(kept), client: client.into(), before: before.as_bytes().into(), limit }
    }

    fn response(id: &str, status: &str) -> Vec<u8> {
        format!(r#"{{"id":"resp_{id}","status":"{status}","output":[ {{"id":"rs_{id}"}}, {{"id":"msg_{id}"}} ]}}"#)
            .into()
    }

    fn own<'k>(kept: &'k Kept, client: &'k str, now: Instant) -> Own<'k> {
        Own { kept, client, now }
    }

    #[test]
    fn a_client_finds_its_own_again() {
        let (kept, now) = (Arc::new(Kept::default()), Instant::now());
        keeping(&kept, "a", r#"{"q":1}"#, 10_000).end(&response("1", "completed"), now);
        let known = own(&kept, "a", now);
        assert_eq!(known.before("resp_1").as_deref(), Some(br#"{"q":1},{"id":"rs_1"}, {"id":"msg_1"}"#.as_slice()));
        assert_eq!(known.item("msg_1").as_deref(), Some(br#"{"id":"msg_1"}"#.as_slice()));
        assert_eq!(known.item("msg_2"), None);
        let other = own(&kept, "b", now);
        assert_eq!((other.before("resp_1"), other.item("msg_1")), (None, None), "of nobody else");
        let later = own(&kept, "a", now + LASTS);
        assert_eq!((later.before("resp_1"), later.item("msg_1")), (None, None), "nor for ever");
        for status in ["failed", "cancelled"] {
            keeping(&kept, "a", "", 10_000).end(&response("2", status), now);
            assert_eq!(own(&kept, "a", now).before("resp_2"), None, "{status}");
        }
    }

    #[test]
    fn the_oldest_makes_room() {
        let (kept, now) = (Arc::new(Kept::default()), Instant::now());
        let limit = 3 * (OVERHEAD + 40);
        for id in ["1", "2", "3", "4"] {
            keeping(&kept, "a", "", limit).end(&response(id, "completed"), now);
        }
        let known = own(&kept, "a", now);
        assert_eq!((known.before("resp_1"), known.item("rs_1")), (None, None));
        assert!(known.before("resp_2").is_some() && known.item("rs_4").is_some());
        keeping(&kept, "a", &"x".repeat(limit), limit).end(&response("5", "completed"), now);
        assert_eq!(known.before("resp_5"), None, "too large by itself");
        assert!(known.before("resp_4").is_some());

        // The newest that has an item keeps it, and what came twice counts once.
        keeping(&kept, "a", r#"{"id":"rs_2"}"#, limit).end(&response("4", "completed"), now);
        keeping(&kept, "a", "", limit).end(&response("6", "completed"), now + Duration::from_secs(1));
        assert!(known.before("resp_2").is_none() && known.item("rs_2").is_some());
        keeping(&kept, "a", "", 0).end(&response("7", "completed"), now);
        let known = kept.lock();
        assert_eq!((known.bytes, known.responses.len(), known.items.len()), (0, 0, 0), "switched off");
    }
}

//! Readers that are quick, slow, away, and back.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::time::advance;

use super::{Bus, LINGER, MOST_READERS, More, Reader, TooMany, Topic, Topics};

const EXCHANGES: &str = "exchange";

fn listen(bus: &Arc<Bus>, types: &str, last: Option<&str>) -> Reader {
    bus.listen(Topics::parse(types).expect("topics"), last).expect("there is room")
}

/// A reader that has its snapshot.
async fn begun(bus: &Arc<Bus>, types: &str) -> Reader {
    let mut reader = listen(bus, types, None);
    assert_eq!(reader.more().await, More::Gap, "first there is a snapshot");
    reader.reset(|| 0);
    reader
}

fn publish(bus: &Bus, topic: Topic, number: u64) {
    bus.publish(topic, topic.as_str(), || number);
}

/// The numbers that were published, and the last id.
async fn read(reader: &mut Reader) -> (Vec<u64>, String) {
    let More::Events(events) = reader.more().await else { panic!("there is no gap") };
    parse(std::str::from_utf8(&events).expect("text"))
}

fn parse(text: &str) -> (Vec<u64>, String) {
    let all =
        |name: &str| text.lines().filter_map(|line| line.strip_prefix(name)).map(str::to_owned).collect::<Vec<_>>();
    let numbers = all("data: ").iter().map(|data| data.parse().expect("a number")).collect();
    (numbers, all("id: ").pop().expect("an id"))
}

#[tokio::test]
async fn nothing_is_built_while_nobody_listens() {
    let bus = Bus::new(1);
    bus.publish(Topic::Log, "log", || panic!("nobody listens") as u64);
    let reader = begun(&bus, "").await;
    drop(reader);
    bus.publish(Topic::Log, "log", || 1);
    assert!(bus.rest() && bus.is_idle());
    bus.publish(Topic::Log, "log", || panic!("nobody listens any more") as u64);
}

#[tokio::test]
async fn who_comes_back_reads_on() {
    let bus = Bus::new(1);
    let mut reader = begun(&bus, EXCHANGES).await;
    (1..=3).for_each(|number| publish(&bus, Topic::Exchange, number));
    let (numbers, last) = read(&mut reader).await;
    assert_eq!((numbers, last.as_str()), (vec![1, 2, 3], "00000001-3"));
    drop(reader);
    (4..=5).for_each(|number| publish(&bus, Topic::Exchange, number));
    assert_eq!(read(&mut listen(&bus, EXCHANGES, Some(&last))).await.0, [4, 5]);
    assert_eq!(read(&mut listen(&bus, EXCHANGES, Some("00000001-4"))).await.0, [5]);
    for strange in ["00000002-4", "00000001-6", "00000001-99", "00000001-x", "4", ""] {
        let mut reader = listen(&bus, EXCHANGES, Some(strange));
        assert_eq!(reader.more().await, More::Gap, "{strange}");
    }
}

#[tokio::test]
async fn who_was_away_too_long_begins_anew() {
    let bus = Bus::new(1);
    let mut reader = begun(&bus, EXCHANGES).await;
    publish(&bus, Topic::Exchange, 0);
    let (_, last) = read(&mut reader).await;
    drop(reader);
    let mut slow = listen(&bus, EXCHANGES, Some(&last));
    (1..=1000).for_each(|number| publish(&bus, Topic::Exchange, number));
    let mut just = listen(&bus, EXCHANGES, Some(&last));
    let mut numbers = Vec::new();
    while numbers.len() < 1000 {
        numbers.extend(read(&mut just).await.0);
    }
    assert!(numbers.iter().copied().eq(1..=1000), "a ring is a thousand");
    publish(&bus, Topic::Exchange, 1001);
    assert_eq!(slow.more().await, More::Gap, "one more is too many");
    // After the snapshot it is among the others again.
    slow.reset(|| 0);
    publish(&bus, Topic::Exchange, 1002);
    assert_eq!(read(&mut slow).await.0, [1002]);
    assert_eq!(read(&mut just).await.0, [1001, 1002]);
}

#[tokio::test]
async fn a_talkative_topic_does_not_push_out_another() {
    let bus = Bus::new(1);
    let (mut few, mut all) = (begun(&bus, "exchange,status").await, begun(&bus, "").await);
    publish(&bus, Topic::Exchange, 1);
    (0..2000).for_each(|number| publish(&bus, Topic::Log, number));
    (2..5).for_each(|number| publish(&bus, Topic::Status, number));
    publish(&bus, Topic::Exchange, 5);
    assert_eq!(read(&mut few).await.0, [1, 4, 5], "of the status the last is enough");
    assert_eq!(all.more().await, More::Gap, "who wants the log has missed some of it");
    // What was passed over counts as read.
    drop(few);
    let mut back = listen(&bus, "exchange", Some("00000001-2005"));
    publish(&bus, Topic::Exchange, 6);
    assert_eq!(read(&mut back).await.0, [6]);
    assert_eq!(back.heartbeat(), ": still here\nid: 00000001-2006\n\n");
}

#[tokio::test]
async fn large_events_are_bounded_in_bytes() {
    let bus = Bus::new(1);
    let mut reader = begun(&bus, "log").await;
    let large = "x".repeat(300_000);
    for _ in 0..20 {
        bus.publish(Topic::Log, "log", || &large);
    }
    assert!(bus.held().lanes[Topic::Log as usize].from(0).map(|(_, frame)| frame.len()).sum::<usize>() < 2_200_000);
    assert_eq!(reader.more().await, More::Gap);
}

#[tokio::test(start_paused = true)]
async fn events_are_kept_for_a_minute_after_the_last_has_left() {
    let bus = Bus::new(1);
    let mut reader = begun(&bus, EXCHANGES).await;
    publish(&bus, Topic::Exchange, 1);
    let (_, last) = read(&mut reader).await;
    let other = begun(&bus, EXCHANGES).await;
    drop(reader);
    assert!(!bus.rest(), "one still listens");
    drop(other);
    let alone = tokio::time::Instant::now();
    bus.deserted().await;
    assert_eq!(alone.elapsed(), LINGER);
    assert!(bus.rest());
    publish(&bus, Topic::Exchange, 2);
    assert_eq!(listen(&bus, EXCHANGES, Some(&last)).more().await, More::Gap, "nobody knows what came in between");

    // Who comes in time is told everything, and the minute begins again.
    let mut reader = begun(&bus, EXCHANGES).await;
    publish(&bus, Topic::Exchange, 3);
    let (_, last) = read(&mut reader).await;
    drop(reader);
    advance(LINGER / 2).await;
    publish(&bus, Topic::Exchange, 4);
    let mut reader = listen(&bus, EXCHANGES, Some(&last));
    assert_eq!(read(&mut reader).await.0, [4]);
    drop(reader);
    let alone = tokio::time::Instant::now();
    bus.deserted().await;
    assert_eq!(alone.elapsed(), LINGER);
}

#[test]
fn readers_are_bounded() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let _inside = runtime.enter();
    let bus = Bus::new(1);
    let mut readers: Vec<_> = (0..MOST_READERS).map(|_| listen(&bus, "", None)).collect();
    assert_eq!(bus.listen(Topics::ALL, None).map(drop), Err(TooMany));
    readers.pop();
    assert!(bus.listen(Topics::ALL, None).is_ok());
}

/// Many publish, and readers leave and come back at any moment: each event is read once, in the order of its number.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn under_load_nothing_is_lost_and_nothing_comes_twice() {
    const EACH: u64 = 20_000;
    const WRITERS: u64 = 4;
    let bus = Bus::new(7);
    // Writers wait for the slowest reader to be near, or else there are gaps, and rightly so.
    let read_so_far: Arc<[AtomicU64; 3]> = Arc::default();
    let first: Vec<_> =
        [begun(&bus, EXCHANGES).await, begun(&bus, EXCHANGES).await, begun(&bus, EXCHANGES).await].into();
    let published = Arc::new(AtomicU64::new(0));
    let mut tasks = tokio::task::JoinSet::new();
    for writer in 0..WRITERS {
        let (bus, read_so_far, published) = (Arc::clone(&bus), Arc::clone(&read_so_far), Arc::clone(&published));
        tasks.spawn(async move {
            for number in 0..EACH {
                let near = || {
                    let slowest = read_so_far.iter().map(|read| read.load(Ordering::Acquire)).min().unwrap_or_default();
                    published.load(Ordering::Acquire) < slowest + 500
                };
                while !near() {
                    tokio::task::yield_now().await;
                }
                published.fetch_add(1, Ordering::AcqRel);
                publish(&bus, Topic::Exchange, writer * EACH + number);
            }
        });
    }
    for (at, mut reader) in first.into_iter().enumerate() {
        let (bus, read_so_far) = (Arc::clone(&bus), Arc::clone(&read_so_far));
        tasks.spawn(async move {
            let (mut all, mut turns) = (Vec::new(), 0_u64);
            while (all.len() as u64) < WRITERS * EACH {
                let (numbers, last) = read(&mut reader).await;
                all.extend(numbers);
                read_so_far[at].store(all.len() as u64, Ordering::Release);
                turns += 1;
                if turns.is_multiple_of(at as u64 + 2) {
                    // It leaves, and comes back with the last id it saw.
                    drop(reader);
                    reader = listen(&bus, EXCHANGES, Some(&last));
                }
            }
            assert_eq!(all.len(), all.iter().collect::<BTreeSet<_>>().len(), "nothing comes twice");
            for writer in 0..WRITERS {
                let own: Vec<_> = all.iter().filter(|number| **number / EACH == writer).collect();
                assert!(own.is_sorted() && own.len() as u64 == EACH, "in order, and nothing is lost");
            }
        });
    }
    while let Some(ended) = tasks.join_next().await {
        ended.expect("no panic");
    }
}

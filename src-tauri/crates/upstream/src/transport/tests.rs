//! Bodies and payloads without a network.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};

use super::body::Body;
use super::payload::Payload;
use crate::failure::FailureKind;

const IDLE: Duration = Duration::from_secs(300);

/// A body fed by hand.
fn fed() -> (mpsc::UnboundedSender<io::Result<Bytes>>, Body) {
    let (feed, rx) = mpsc::unbounded_channel();
    let chunks = stream::unfold(rx, |mut rx| async move { rx.recv().await.map(|chunk| (chunk, rx)) });
    (feed, Body::new(reqwest::Body::wrap_stream(chunks.boxed()), "model.test".into(), IDLE))
}

#[tokio::test]
async fn chunks_come_as_they_were_sent_and_empty_ones_do_not() {
    let (feed, mut body) = fed();
    for chunk in ["one", "", "two"] {
        feed.send(Ok(chunk.into())).unwrap();
    }
    drop(feed);
    assert_eq!(body.chunk().await, Ok(Some("one".into())));
    assert_eq!(body.chunk().await, Ok(Some("two".into())));
    assert_eq!(body.chunk().await, Ok(None));
    assert_eq!(body.chunk().await, Ok(None), "and again");
}

#[tokio::test]
async fn a_broken_stream_fails_once_and_is_over() {
    let (feed, mut body) = fed();
    feed.send(Err(io::Error::other("reset by peer"))).unwrap();
    let failure = body.chunk().await.unwrap_err();
    assert_eq!(failure.kind, FailureKind::CutOff);
    assert_eq!(failure.message, "The connection to model.test broke: reset by peer.");
    assert!(feed.is_closed(), "let go of at once");
    assert_eq!(body.chunk().await, Ok(None));
}

#[tokio::test(start_paused = true)]
async fn silence_ends_after_the_idle_time_and_not_before() {
    let (feed, mut body) = fed();
    let start = Instant::now();
    for _ in 0..3 {
        assert!(timeout(IDLE - Duration::from_secs(1), body.chunk()).await.is_err(), "still waiting");
        feed.send(Ok("x".into())).unwrap();
        assert_eq!(body.chunk().await, Ok(Some("x".into())));
    }
    let last = Instant::now();
    assert_eq!(last - start, (IDLE - Duration::from_secs(1)) * 3);
    let failure = body.chunk().await.unwrap_err();
    assert_eq!(last.elapsed().as_secs(), IDLE.as_secs(), "counted from the last chunk");
    assert_eq!(failure.kind, FailureKind::Timeout);
    assert_eq!(failure.message, "model.test was silent for 300 seconds.");
    assert!(feed.is_closed(), "the upstream is cancelled");
    assert_eq!(body.chunk().await, Ok(None));
}

/// A client that stops reading must not make the upstream look dead.
#[tokio::test(start_paused = true)]
async fn time_in_which_nobody_asks_does_not_count() {
    let (feed, mut body) = fed();
    // A first wait, so that an alarm is set.
    assert!(timeout(Duration::from_secs(1), body.chunk()).await.is_err());
    feed.send(Ok("x".into())).unwrap();
    assert_eq!(body.chunk().await, Ok(Some("x".into())));
    sleep(IDLE * 3).await;
    let asked = Instant::now();
    assert_eq!(body.chunk().await.unwrap_err().kind, FailureKind::Timeout);
    assert_eq!(asked.elapsed().as_secs(), IDLE.as_secs());
}

#[tokio::test]
async fn a_payload_is_compressed_once_for_all_its_copies() {
    for size in [0, 20, 300_000, 5_000_000] {
        let plain: Vec<u8> = (0..size).map(|i: u32| b"abcdefgh\n"[(i.wrapping_mul(i) % 9) as usize]).collect();
        let payload = Payload::from(plain.clone());
        let copy = payload.clone();
        let packed = payload.zstd().await.expect("compressed");
        assert_eq!(copy.zstd().await.expect("compressed").as_ptr(), packed.as_ptr(), "the same bytes");
        assert_eq!(zstd::decode_all(&packed[..]).unwrap(), plain);
        assert!(size < 1000 || packed.len() < plain.len() / 2, "{size} became {}", packed.len());
        assert_eq!(copy.plain(), &plain);
    }
    assert_eq!(format!("{:?}", Payload::from(Bytes::from_static(b"secret plans"))), "Payload(12 bytes)");
}

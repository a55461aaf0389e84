//! Pure tests. No IO, no async.

use proptest::prelude::*;

use super::{Decoder, TooLong};

type Owned = (Option<String>, String);

fn decode<'a>(limit: usize, chunks: impl IntoIterator<Item = &'a [u8]>) -> (Vec<Owned>, Option<TooLong>) {
    let mut decoder = Decoder::new(limit);
    let mut frames = Vec::new();
    for chunk in chunks {
        decoder.push(chunk);
        loop {
            match decoder.next_frame() {
                Ok(Some(frame)) => frames.push((frame.event.map(str::to_owned), frame.data.into_owned())),
                Ok(None) => break,
                Err(error) => return (frames, Some(error)),
            }
        }
    }
    (frames, None)
}

fn data_of(stream: &str) -> Vec<String> {
    decode(1024, [stream.as_bytes()]).0.into_iter().map(|(_, data)| data).collect()
}

#[test]
fn comments_and_bare_events_are_not_frames() {
    let stream = ": hi\n\nevent: a\ndata: {\"n\":1}\n\ndata: two\r\ndata: lines é\r\n\r\nevent: bare\n\ndata: end\n\n";
    assert_eq!(data_of(stream), ["{\"n\":1}", "two\nlines é", "end"]);
}

#[test]
fn the_event_name_belongs_to_its_record_only() {
    let (frames, _) = decode(1024, [b"event: a\n\nevent: b\ndata: 1\n\ndata: 2\n\n".as_slice()]);
    assert_eq!(frames, [(Some("b".to_owned()), "1".to_owned()), (None, "2".to_owned())]);
}

#[test]
fn a_line_may_end_in_cr_or_lf_or_both() {
    for end in ["\n", "\r", "\r\n"] {
        let stream = format!("event: x{end}data: 1{end}{end}data: 2{end}data:3{end}{end}");
        assert_eq!(data_of(&stream), ["1", "2\n3"], "line end {end:?}");
    }
}

#[test]
fn a_record_that_ends_in_cr_does_not_wait_for_more() {
    assert_eq!(data_of("data: 1\r\r"), ["1"]);
}

#[test]
fn one_space_after_the_colon_is_not_part_of_the_value() {
    assert_eq!(data_of("data:  two\n\ndata:none\n\ndata\n\ndatum: no\n\n"), [" two", "none"]);
}

#[test]
fn a_byte_order_mark_is_ignored_at_the_start_only() {
    assert_eq!(data_of("\u{feff}data: 1\n\n\u{feff}data: 2\n\ndata: 3\n\n"), ["1", "3"]);
}

#[test]
fn bytes_that_are_not_utf8_are_replaced() {
    let (frames, _) = decode(1024, [b"event: \xFF\ndata: a\xFFb\n\ndata: \xFF\ndata: c\n\n".as_slice()]);
    assert_eq!(frames, [(None, "a\u{fffd}b".to_owned()), (None, "\u{fffd}\nc".to_owned())]);
}

#[test]
fn a_record_without_end_is_refused_at_the_limit() {
    let (_, error) = decode(8, [b"data: 123456789".as_slice()]);
    assert_eq!(error, Some(TooLong { limit: 8 }));
}

#[test]
fn a_whole_record_past_the_limit_is_refused_too_and_nothing_comes_after() {
    let mut decoder = Decoder::new(8);
    decoder.push(b"data: 123456789\n\ndata: 1\n\n");
    assert!(decoder.next_frame().is_err());
    assert!(decoder.next_frame().is_err());
}

#[test]
fn a_comment_past_the_limit_is_refused_whole_or_in_pieces() {
    let comment = b":23456789\n".as_slice();
    assert!(decode(8, [comment]).1.is_some());
    assert!(decode(8, [&comment[..9], &comment[9..]]).1.is_some());
}

#[test]
fn endless_comments_and_short_records_do_not_reach_the_limit_nor_fill_the_buffer() {
    let mut decoder = Decoder::new(64);
    for _ in 0..10_000 {
        decoder.push(b": keep-alive\n");
        assert!(decoder.next_frame().is_ok_and(|frame| frame.is_none()));
        decoder.push(b"data: x\n\n");
        assert!(decoder.next_frame().is_ok_and(|frame| frame.is_some()));
    }
    assert!(decoder.buffer.capacity() < 1024, "the buffer grew to {}", decoder.buffer.capacity());
}

#[test]
fn a_single_data_line_is_lent_and_not_copied() {
    let mut decoder = Decoder::new(64);
    decoder.push(b"data: {}\n\n");
    let frame = decoder.next_frame().expect("short").expect("whole");
    assert!(matches!(frame.data, std::borrow::Cow::Borrowed("{}")));
}

/// Pieces that hurt: ends of lines, half characters, fields, marks.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b"data: ".to_vec()),
        Just(b"event: ".to_vec()),
        Just(b":".to_vec()),
        Just(b"\n".to_vec()),
        Just(b"\r".to_vec()),
        Just(b"\r\n".to_vec()),
        Just(b"\n\n".to_vec()),
        Just(b"\xEF\xBB\xBF".to_vec()),
        Just("é✓".as_bytes().to_vec()),
        Just(b"\xFF".to_vec()),
        Just(b" ".to_vec()),
        "[a-z]{1,12}".prop_map(String::into_bytes),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn frames_do_not_depend_on_where_chunks_are_cut(
        stream in stream(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        limit in 8_usize..80,
    ) {
        let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.index(stream.len() + 1)).collect();
        cuts.sort_unstable();
        let mut chunks = Vec::new();
        let mut from = 0;
        for cut in cuts {
            chunks.push(&stream[from..cut]);
            from = cut;
        }
        chunks.push(&stream[from..]);
        prop_assert_eq!(decode(limit, chunks), decode(limit, [stream.as_slice()]));
    }
}

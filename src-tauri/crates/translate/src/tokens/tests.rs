use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{Estimate, count, cut_after, estimate, image, pdf};

const PROSE: &str = "A ferry leaves the harbour at dawn. The crew has loaded forty crates of apples, two bicycles and a piano that \
    nobody wants to carry twice. On the upper deck a child asks why the gulls follow the ship, and her grandfather says \
    that they remember last year's sandwiches. By noon the far shore is a thin grey line; by three o'clock one can count \
    the windows of the customs house. Nothing else happens, which is what the passengers have paid for.";

const CHINESE: &str = "请帮我看一下这个函数为什么在空列表的时候会抛出异常，我已经检查过调用方的参数，但是没有发现问题。\
    如果可以的话，请顺便补充一个单元测试，并解释一下修改的原因。山路两旁开满了野花，空气里弥漫着淡淡的清香。";

const RUSSIAN: &str = "Вчера вечером мы долго гуляли по набережной и говорили о книгах, которые прочитали за лето. \
    Пожалуйста, посмотри, почему эта функция выбрасывает исключение при пустом списке, и добавь тест.";

fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

#[test]
fn counts_are_those_of_o200k() {
    for (text, tokens) in [("", 0), ("hello world", 2), ("hello  world\n\n", 4), ("你好，世界", 3), ("fn main() {}", 4)]
    {
        assert_eq!(count(text), tokens, "{text:?}");
    }
}

#[test]
fn an_estimate_is_within_fifteen_percent() {
    let code = include_str!("estimate.rs");
    let json =
        r#"{"type":"response.output_text.delta","item_id":"msg_1","output_index":0,"delta":"two words","logprobs":[]}"#;
    let long = [PROSE, code, CHINESE].concat().repeat(40);
    for text in [PROSE, CHINESE, RUSSIAN, code, json, &long] {
        #[expect(clippy::cast_precision_loss, reason = "small counts")]
        let ratio = estimate(text) as f64 / count(text) as f64;
        assert!((0.85..1.15).contains(&ratio), "{ratio:.2} for {:?}", text.chars().take(40).collect::<String>());
    }
}

#[test]
fn an_estimate_does_not_depend_on_how_a_long_text_is_divided() {
    let text = [PROSE, CHINESE].concat().repeat(100);
    let mut divided = Estimate::default();
    for piece in text.split_inclusive(' ') {
        divided.add(piece);
    }
    divided.add_tokens(1000);
    let (whole, divided) = (estimate(&text), divided.tokens() - 1000);
    assert!(whole.abs_diff(divided) * 20 < whole, "{whole} and {divided}");
}

#[test]
fn a_cut_leaves_so_many_tokens_and_whole_characters() {
    assert_eq!(cut_after("one two three", 3), None);
    assert_eq!(cut_after("one two three", 2), Some("one two".len()));
    assert_eq!(cut_after("one two three", 0), Some(0));
    let text = "🧗🏽‍♀️🧗🏽‍♀️";
    for tokens in 0..count(text) {
        let end = cut_after(text, tokens).expect("there are more");
        assert!(text.is_char_boundary(end));
    }
}

#[test]
fn a_picture_costs_what_its_size_costs() {
    let png = |width: u32, height: u32| {
        let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
        bytes.extend(width.to_be_bytes());
        bytes.extend(height.to_be_bytes());
        bytes.extend([0; 64]);
        bytes
    };
    let mut jpeg = b"\xFF\xD8\xFF\xE0\x00\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0".to_vec();
    jpeg.extend(b"\xFF\xC0\x00\x11\x08\x02\x58\x03\x20\x03\x01\x22\x00");
    let gif = b"GIF89a\x20\x03\x58\x02\0\0\0".to_vec();
    let mut lossy = b"RIFF\0\0\0\0WEBPVP8 \0\0\0\0\0\0\0\x9d\x01\x2a".to_vec();
    lossy.extend([0x20, 0x03, 0x58, 0x02]);
    let mut lossless = b"RIFF\0\0\0\0WEBPVP8L\0\0\0\0\x2f".to_vec();
    lossless.extend((799_u32 | 599 << 14).to_le_bytes());
    let mut extended = b"RIFF\0\0\0\0WEBPVP8X\0\0\0\0\0\0\0\0".to_vec();
    extended.extend([0x1F, 0x03, 0, 0x57, 0x02, 0]);

    for (bytes, tokens) in [
        (png(800, 600), 640),
        (jpeg, 640),
        (gif, 640),
        (lossy, 640),
        (lossless, 640),
        (extended, 640),
        (png(1, 1), 1),
        (png(100_000, 10), 1),
        (png(0, 0), 1),
        (png(3136, 1568), 1600),
        (png(u32::MAX, u32::MAX), 1600),
        (b"\xFF\xD8\xFF".to_vec(), 1600),
        (b"no picture".to_vec(), 1600),
    ] {
        assert_eq!(image(&base64(&bytes)), tokens, "{:?}", &bytes[..bytes.len().min(12)]);
    }
    assert_eq!(image("not base64 at all!"), 1600);
}

#[test]
fn a_pdf_costs_its_pages() {
    let document = b"%PDF-1.4 /Type /Pages /Count 2 ... /Type /Page ... /Type/Page\n/Contents";
    assert_eq!(pdf(&base64(document)), 4000);
    assert_eq!(pdf(&base64(&[b'x'; 150_000])), 6000);
    assert_eq!(pdf(""), 2000);
}

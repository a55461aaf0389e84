//! What we say, in Chinese: for what a person sees without the dashboard, the tray, notifications, dialogs and the pages at the end of a
//! sign-in.
//!
//! A sentence is known by its English, and what was filled into it goes into the Chinese one (docs/decisions/0011-said.md). The
//! catalogues are those of the dashboard, and so is the way of reading: `ui/src/i18n/told.ts`.
//!
//! **Invariant:** what is no sentence of ours stays as it came.

use std::collections::{BTreeMap, HashMap};
use std::sync::LazyLock;

/// The catalogues, as the list of `cargo xtask types` asks for them.
const CATALOGUES: [&str; 3] = [
    include_str!("../../../../ui/messages/said/desktop.zh.json"),
    include_str!("../../../../ui/messages/said/gateway.zh.json"),
    include_str!("../../../../ui/messages/said/clients.zh.json"),
];
/// What is longer is none of ours.
const LONGEST: usize = 2_000;
/// A sentence of so few letters is one only around a few words: it would be found in anybody's.
const WEAK: usize = 14;
const FEW_WORDS: usize = 4;
/// How several sentences are put into one text, and how that is done in Chinese.
const JOINTS: [(&str, &str); 7] = [
    ("\n\n", "\n\n"),
    ("\u{2003}", "\u{2003}"),
    (" — ", " — "),
    (" · ", " · "),
    ("; ", "；"),
    (". ", ""),
    (": ", "："),
];
/// Pictures at the beginning of a line of a menu.
const MARKS: [&str; 4] = ["● ", "○ ", "▲ ", "✕ "];

/// A language that we speak to people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Language {
    /// As everything is said.
    #[default]
    English,
    /// In simplified characters.
    Chinese,
}

/// A sentence with places.
struct Form {
    names: Vec<String>,
    /// What stands before, between and behind the places; the first begins small.
    words: Vec<String>,
    says: String,
}

/// All sentences there are.
#[derive(Default)]
struct Translation {
    whole: HashMap<String, String>,
    /// The one that says most comes first.
    forms: Vec<Form>,
}

/// Each piece of a text is read once, however many ways lead to it.
type Known = HashMap<String, Option<String>>;

static CHINESE: LazyLock<Translation> = LazyLock::new(|| {
    let mut translation = Translation::default();
    for catalogue in CATALOGUES {
        // What cannot be read is English; a test reads all of it.
        translation.add(serde_json::from_str(catalogue).unwrap_or_default());
    }
    translation
});

// === impl Language ===

impl Language {
    /// The first of these that we speak, as locales and the header `Accept-Language` write them; `zh-Hans-CN,en;q=0.5`, `zh_CN.UTF-8`.
    pub fn preferred(languages: &str) -> Self {
        let mut tags = languages.split([',', ':', ' ', '(', ')', '"', '\n']).map(|tag| tag.trim().to_ascii_lowercase());
        let spoken = tags.find_map(|tag| match tag.split(['-', '_', '.', ';']).next() {
            Some("zh") => Some(Self::Chinese),
            Some("en" | "c" | "posix") => Some(Self::English),
            _ => None,
        });
        spoken.unwrap_or_default()
    }

    /// The text in this language.
    pub fn say(self, english: &str) -> String {
        match self {
            Self::English => english.to_owned(),
            Self::Chinese => CHINESE.text(english).unwrap_or_else(|| english.to_owned()),
        }
    }

    /// As a page's `lang` has it.
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Chinese => "zh-CN",
        }
    }
}

// === impl Translation ===

impl Translation {
    fn add(&mut self, catalogue: BTreeMap<String, String>) {
        for (template, says) in catalogue {
            match form(&template) {
                Some((names, words)) => self.forms.push(Form { names, words, says }),
                None => drop(self.whole.insert(bare(&template), says)),
            }
        }
        self.forms.sort_by_key(|form| std::cmp::Reverse(form.weight()));
    }

    /// A line of a menu may begin with a picture.
    fn text(&self, text: &str) -> Option<String> {
        let mark = MARKS.into_iter().find(|mark| text.starts_with(mark)).unwrap_or_default();
        let said = if text.len() > LONGEST { None } else { self.say(text[mark.len()..].trim(), &mut Known::new()) };
        said.map(|said| format!("{mark}{said}"))
    }

    /// A piece is shorter than what it is a piece of, so this comes to an end.
    fn say(&self, text: &str, known: &mut Known) -> Option<String> {
        if let Some(said) = known.get(text) {
            return said.clone();
        }
        let whole = self.whole.get(&bare(text)).cloned();
        let said = match text.is_empty() {
            true => None,
            false => whole.or_else(|| self.filled(text, known)).or_else(|| self.in_parts(text, known)),
        };
        known.insert(text.to_owned(), said.clone());
        said
    }

    fn filled(&self, text: &str, known: &mut Known) -> Option<String> {
        let ended = text.strip_suffix('.').unwrap_or(text);
        self.forms.iter().find_map(|form| {
            let values = form.read(ended)?;
            if form.weight() < WEAK && values.iter().any(|value| self.is_foreign(value, known)) {
                return None;
            }
            let mut said = form.says.clone();
            for (name, value) in form.names.iter().zip(values) {
                let value = self.say(value, known).unwrap_or_else(|| value.to_owned());
                let value = value.strip_suffix('。').unwrap_or(&value);
                said = said.replace(&format!("{{{name}:}}"), "").replace(&format!("{{{name}}}"), value);
            }
            Some(said)
        })
    }

    fn is_foreign(&self, text: &str, known: &mut Known) -> bool {
        text.split(' ').count() > FEW_WORDS && self.say(text, known).is_none()
    }

    fn in_parts(&self, text: &str, known: &mut Known) -> Option<String> {
        JOINTS.into_iter().find_map(|(joint, joins)| {
            let parts: Vec<_> = text.split(joint).collect();
            if parts.len() < 2 {
                return None;
            }
            let said: Vec<_> = parts.iter().map(|part| self.say(part, known)).collect();
            let any = said.iter().any(Option::is_some);
            let whole = said.into_iter().zip(parts).map(|(said, part)| said.unwrap_or_else(|| part.to_owned()));
            any.then(|| whole.collect::<Vec<_>>().join(joins))
        })
    }
}

// === impl Form ===

impl Form {
    fn weight(&self) -> usize {
        self.words.iter().map(String::len).sum()
    }

    /// What stands in the places, if the text has these words: as little as can be in each but the last.
    fn read<'t>(&self, text: &'t str) -> Option<Vec<&'t str>> {
        let (first, words) = self.words.split_first()?;
        let (last, between) = words.split_last()?;
        let begin = text.get(..first.len())?;
        if small(begin) != *first {
            return None;
        }
        let mut rest = &text[first.len()..];
        let mut values = Vec::with_capacity(self.names.len());
        for word in between {
            let (value, behind) = rest.split_once(word.as_str())?;
            values.push(value);
            rest = behind;
        }
        values.push(rest.strip_suffix(last.as_str())?);
        Some(values)
    }
}

/// The names of its places, and the words around them. `None`: it has no places.
fn form(template: &str) -> Option<(Vec<String>, Vec<String>)> {
    let mut rest = template.strip_suffix('.').unwrap_or(template);
    let (mut names, mut words) = (Vec::new(), Vec::new());
    let mut word = String::new();
    while let Some((before, behind)) = rest.split_once('{') {
        word.push_str(before);
        match behind.split_once('}').filter(|(name, _)| is_name(name)) {
            Some((name, behind)) => {
                names.push(name.to_owned());
                words.push(std::mem::take(&mut word));
                rest = behind;
            }
            None => {
                word.push('{');
                rest = behind;
            }
        }
    }
    word.push_str(rest);
    words.push(word);
    if let Some(first) = words.first_mut() {
        *first = small(first);
    }
    (!names.is_empty()).then_some((names, words))
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Without what a sentence gains by standing alone: its capital and its full stop.
fn bare(text: &str) -> String {
    small(text.strip_suffix('.').unwrap_or(text))
}

fn small(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{CATALOGUES, Language, Translation};

    fn speaking(catalogue: &[(&str, &str)]) -> Translation {
        let mut translation = Translation::default();
        translation.add(catalogue.iter().map(|(english, own)| ((*english).to_owned(), (*own).to_owned())).collect());
        translation
    }

    #[test]
    fn the_catalogues_can_be_read() {
        for catalogue in CATALOGUES {
            let read: BTreeMap<String, String> = serde_json::from_str(catalogue).unwrap();
            assert!(!read.is_empty());
        }
    }

    #[test]
    fn a_sentence_is_found_with_what_was_filled_in() {
        let translation = speaking(&[
            ("port {port} on {0} is taken", "{0} 的端口 {port} 已被占用"),
            ("cannot read {0}: {why}", "无法读取 {0}：{why}"),
            ("the disk is full.", "磁盘已满。"),
            ("{n} file{s} changed", "更改了 {n} 个文件{s:}"),
        ]);
        for (english, chinese) in [
            ("Port 8081 on 127.0.0.1 is taken.", Some("127.0.0.1 的端口 8081 已被占用")),
            ("Cannot read /x: the disk is full.", Some("无法读取 /x：磁盘已满")),
            ("● The disk is full · 5 h", Some("● 磁盘已满。 · 5 h")),
            ("3 files changed", Some("更改了 3 个文件")),
            ("The disk is full. Why?", Some("磁盘已满。Why?")),
            ("an upstream: says whatever", None),
            ("", None),
        ] {
            assert_eq!(translation.text(english).as_deref(), chinese, "{english}");
        }
    }

    #[test]
    fn what_others_say_is_theirs() {
        let translation = speaking(&[("{what} works", "{what}正常")]);
        assert_eq!(translation.text("please look whether your own proxy works"), None);
        assert_eq!(translation.text("it works").as_deref(), Some("it正常"));
    }

    #[test]
    fn the_first_language_that_we_speak_is_taken() {
        for (languages, language) in [
            ("zh_CN.UTF-8", Language::Chinese),
            ("zh-Hans-CN,en;q=0.5", Language::Chinese),
            ("de-DE,en-GB;q=0.8,zh;q=0.5", Language::English),
            ("de:zh_CN:en", Language::Chinese),
            ("(\n    \"zh-Hans-DE\",\n    \"en-DE\"\n)", Language::Chinese),
            ("C.UTF-8", Language::English),
            ("fr", Language::English),
            ("", Language::English),
        ] {
            assert_eq!(Language::preferred(languages), language, "{languages}");
        }
    }
}

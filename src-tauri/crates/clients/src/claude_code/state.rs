//! Where Claude Code goes by its file, and how that differs from what would be written. Pure.

use super::told::{self, AUTH_TOKEN, BASE_URL, Purpose, Told};
use super::{layers, places, spared, text_of};
use crate::client::{Drift, Held, Moved, State, Target, View, World, secret_shown};
use crate::format::{Document, Format, Value};

pub(super) fn of(world: &World, target: &Target, view: &View<'_>) -> State {
    if let Some(why) = &target.obstacle {
        return State::Broken { why: why.clone() };
    }
    let Some(file) = target.file() else { return State::NotInstalled };
    let owned = |told: &Told| view.owned.iter().find(|own| own.file == file && own.pointer == told.pointer);
    let bytes = match view.documents.held(file) {
        Held::Unreadable(why) => return State::Broken { why: format!("{} cannot be read: {why}", file.display()) },
        Held::Missing => &[][..],
        Held::Bytes(bytes) => bytes.as_slice(),
    };
    let document = match Document::read(Format::Json, bytes) {
        Ok(document) => document,
        Err(bad) => return State::Broken { why: format!("{}: {bad}", file.display()) },
    };
    let told = told::all(view.intent, spared(world, target, view.documents));
    let drifts = || drifts(&told, &document, view, &owned);
    let url = document.string(&told[0].pointer).ok().flatten();
    // What the ledger knows of is ours, wherever it leads now.
    let ours = view.owned.iter().any(|own| own.file == file && own.pointer == told[0].pointer);
    let Some(url) = url else {
        return match (ours, matches!(view.documents.held(file), Held::Missing)) {
            (true, _) => State::Drifted { drifts: drifts() },
            (false, true) if !installed(world, target) => State::NotInstalled,
            (false, _) => State::Clean,
        };
    };
    if !view.intent.is_here(&url) {
        return if ours { State::Drifted { drifts: drifts() } } else { State::Elsewhere { url } };
    }
    if let Err(why) = layers::plain(bytes) {
        return State::Broken { why: format!("Claude Code passes over {}: {why}", file.display()) };
    }
    let key = told.iter().find(|told| told.key == AUTH_TOKEN).and_then(|told| document.string(&told.pointer).ok()?);
    if !key.is_some_and(|key| (view.opens)(&key)) {
        let why = format!("{AUTH_TOKEN} in {} opens nothing here; set it up again", file.display());
        return State::Broken { why };
    }
    let drifts = drifts();
    if drifts.is_empty() { State::Ours } else { State::Drifted { drifts } }
}

/// What would do something else than what is written now. A model's name of another day is no drift; a window that is smaller
/// than it could be does no harm.
fn drifts<'o>(
    told: &[Told],
    document: &Document,
    view: &View<'_>,
    owned: &dyn Fn(&Told) -> Option<&'o crate::client::Owned>,
) -> Vec<Drift> {
    let valid = |key: Option<&Value>| key.and_then(Value::text).is_some_and(|key| (view.opens)(key));
    let mut drifts = Vec::new();
    for told in told {
        let Some(own) = owned(told) else { continue };
        let now = document.value(&told.pointer).ok().flatten();
        if now == told.value {
            continue;
        }
        let by = if own.intact { Moved::Intent } else { Moved::File };
        // Another key that opens is as good.
        if told.key == AUTH_TOKEN && valid(now.as_ref()) {
            continue;
        }
        let harmless = match by {
            Moved::Intent => told.for_what == Purpose::Name || smaller(now.as_ref(), told),
            Moved::File => {
                told.key == BASE_URL && now.as_ref().and_then(Value::text).is_some_and(|url| view.intent.is_here(url))
            }
        };
        if !harmless {
            let shown = |value: Option<&Value>| value.and_then(text_of).map(|text| secret_shown(told.key, &text));
            let (now, wanted) = (shown(now.as_ref()), shown(told.value.as_ref()));
            drifts.push(Drift { key: told.key.to_owned(), now, wanted, by });
        }
    }
    drifts
}

fn smaller(now: Option<&Value>, told: &Told) -> bool {
    let number = |value: Option<&Value>| value.and_then(text_of).and_then(|text| text.parse::<u64>().ok());
    let window = told.key == told::WINDOW || told.key == told::COMPACT_AT;
    window && number(now).zip(number(told.value.as_ref())).is_some_and(|(now, wanted)| now < wanted)
}

fn installed(world: &World, target: &Target) -> bool {
    let traces = layers::folder_of(target).is_some_and(|folder| world.files.exists(&folder));
    traces || places::detect(world).program.is_some()
}

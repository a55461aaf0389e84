//! Tolerant reading: a member of the wrong kind is as good as absent.

use std::borrow::Cow;

use crate::json::{Error, Kind, Raw, Reader};

/// An id or a name. The empty string says nothing.
pub(super) fn name(raw: Raw<'_>) -> Option<Cow<'_, str>> {
    raw.string().filter(|text| !text.is_empty())
}

/// A place in a list.
pub(super) fn index(raw: Raw<'_>) -> Option<u32> {
    raw.u64()?.try_into().ok()
}

/// A count or a point in time. Some upstreams write whole numbers as floats, and times with a fraction.
pub(super) fn whole(raw: Raw<'_>) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "the fraction is not wanted, and `as` saturates")]
    raw.i64().or_else(|| raw.f64().filter(|float| float.is_finite()).map(|float| float as i64))
}

/// A count.
pub(super) fn count(raw: Raw<'_>) -> Option<u64> {
    whole(raw).map(|number| number.max(0).unsigned_abs())
}

/// Reads an object's members; skips a value that is no object.
pub(super) fn object<'a>(
    reader: &mut Reader<'a>,
    field: impl FnMut(&str, &mut Reader<'a>) -> Result<(), Error>,
) -> Result<(), Error> {
    match reader.peek()? {
        Kind::Object => reader.object(field),
        _ => reader.value().map(drop),
    }
}

/// Reads an array's elements; skips a value that is no array.
pub(super) fn array<'a>(
    reader: &mut Reader<'a>,
    element: impl FnMut(&mut Reader<'a>) -> Result<(), Error>,
) -> Result<(), Error> {
    match reader.peek()? {
        Kind::Array => reader.array(element),
        _ => reader.value().map(drop),
    }
}

/// The elements of a checked array, each as it stood.
pub(super) fn elements(raw: Raw<'_>) -> Vec<Raw<'_>> {
    let mut found = Vec::new();
    // A `Raw` was checked when it was read, so this cannot fail; if it did, what was found so far is as good.
    let _ = array(&mut raw.reader(), |reader| {
        found.push(reader.value()?);
        Ok(())
    });
    found
}

/// Reads the members of a checked object; nothing when it is none.
pub(super) fn members<'a>(raw: Raw<'a>, mut field: impl FnMut(&str, Raw<'a>)) {
    // As in `elements`.
    let _ = object(&mut raw.reader(), |key, reader| {
        field(key, reader.value()?);
        Ok(())
    });
}

/// The `type` of an event that need not be understood; empty if it has none. All upstreams write it first.
pub fn tag_of(event: &str) -> Cow<'_, str> {
    let first = event.strip_prefix("{\"type\":\"").and_then(|rest| rest.split_once('"')).map(|(tag, _)| tag);
    match first.filter(|tag| !tag.contains('\\')) {
        Some(tag) => Cow::Borrowed(tag),
        None => member(event, "type").and_then(Raw::string).unwrap_or_default(),
    }
}

/// A member of such an event.
pub fn member<'e>(event: &'e str, name: &str) -> Option<Raw<'e>> {
    Reader::of(event).value().ok()?.get(name)
}

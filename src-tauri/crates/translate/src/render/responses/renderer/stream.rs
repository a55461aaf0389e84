//! Writes the events of a stream, one record each, and counts them.

use codeferry_wire::responses::request::Object;

/// The events so far.
#[derive(Debug, Default)]
pub(in crate::render::responses) struct Stream {
    /// The number of the next one.
    next: u64,
}

/// Which item an event belongs to.
#[derive(Debug, Clone, Copy)]
pub(in crate::render::responses) struct Place<'a> {
    pub(in crate::render::responses) id: &'a str,
    pub(in crate::render::responses) index: u32,
}

// === impl Stream ===

impl Stream {
    /// One that goes on from others' events: the next has this number.
    pub(in crate::render::responses) fn from(next: u64) -> Self {
        Self { next }
    }

    /// Writes an event. Nothing that is written holds a line break.
    pub(in crate::render::responses) fn event(
        &mut self,
        name: &'static str,
        out: &mut Vec<u8>,
        write: impl FnOnce(&mut Object<'_>),
    ) {
        out.extend_from_slice(b"event: ");
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b"\ndata: ");
        let mut object = Object::begin(out);
        object.string("type", name);
        number(&mut object, "sequence_number", self.next);
        write(&mut object);
        object.end();
        out.extend_from_slice(b"\n\n");
        self.next += 1;
    }

    /// Writes an event of an item.
    pub(in crate::render::responses) fn of(
        &mut self,
        name: &'static str,
        place: Place<'_>,
        out: &mut Vec<u8>,
        write: impl FnOnce(&mut Object<'_>),
    ) {
        self.event(name, out, |event| {
            event.string("item_id", place.id);
            number(event, "output_index", place.index.into());
            write(event);
        });
    }

    /// `response.output_item.added`
    pub(in crate::render::responses) fn added(
        &mut self,
        index: u32,
        out: &mut Vec<u8>,
        write: impl FnOnce(&mut Object<'_>),
    ) {
        self.event("response.output_item.added", out, |event| {
            number(event, "output_index", index.into());
            event.object("item", write);
        });
    }
}

pub(in crate::render::responses) fn number(object: &mut Object<'_>, name: &str, value: u64) {
    object.key(name).extend_from_slice(value.to_string().as_bytes());
}

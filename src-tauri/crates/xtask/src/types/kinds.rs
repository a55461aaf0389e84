//! What a Rust type is in JSON, before it is said in a language.

/// A type, ready to be written.
#[derive(Debug)]
pub(crate) struct Declared {
    pub(crate) name: &'static str,
    pub(crate) docs: Vec<String>,
    pub(crate) shape: Shape,
    /// Whatever else is sent is refused.
    pub(crate) closed: bool,
}

#[derive(Debug)]
pub(crate) enum Shape {
    /// An object, and the types whose fields lie beside its own.
    Object { beside: Vec<Beside>, fields: Vec<Field> },
    /// One of these.
    OneOf(Vec<Choice>),
}

/// A type whose fields lie beside those of another.
#[derive(Debug)]
pub(crate) struct Beside {
    pub(crate) is: Is,
    /// All of them may be missing.
    pub(crate) may_miss: bool,
}

#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) docs: Vec<String>,
    pub(crate) name: String,
    pub(crate) may_miss: bool,
    /// Whoever sends it may say `null` instead of leaving it out.
    pub(crate) or_null: bool,
    pub(crate) is: Is,
}

/// A type, wherever it stands.
#[derive(Debug)]
pub(crate) enum Is {
    Flag,
    /// With its format, where it has one that JSON Schema knows.
    Text(Option<&'static str>),
    /// Below zero, too?
    Whole {
        signed: bool,
    },
    Number,
    Anything,
    OrNull(Box<Self>),
    List(Box<Self>),
    /// By key.
    Map(Box<Self>, Box<Self>),
    Tuple(Vec<Self>),
    /// One of ours, by its name outside of Rust.
    Ours(&'static str),
}

/// One of several.
#[derive(Debug)]
pub(crate) enum Choice {
    /// A word.
    Word(String),
    /// A value that nothing names.
    Value(Is),
    /// An object with one field.
    Keyed(String, Is),
    /// An object that says what it is.
    Tagged { tag: String, name: String, fields: Vec<Field> },
    /// The same, with the fields of a type.
    TaggedWith { tag: String, name: String, is: Is },
}

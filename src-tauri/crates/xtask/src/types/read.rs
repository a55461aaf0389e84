//! Rust's types, as serde writes and reads them.

use anyhow::{Context as _, Result, bail};
use syn::{Fields, FieldsNamed, GenericArgument, Item, PathArguments, Type, Variant};

use super::Wanted;
use super::attributes::{self, Serde};
use super::kinds::{Beside, Choice, Declared, Field, Is, Shape};

/// Texts, however Rust keeps them. Ids are written as texts.
const TEXTS: [&str; 5] = ["String", "str", "Cow", "PathBuf", "AccountId"];
/// Texts of a form that has a name.
const FORMS: [(&str, &str); 3] = [("Timestamp", "date-time"), ("Uuid", "uuid"), ("Url", "uri")];
const COUNTS: [&str; 5] = ["u8", "u16", "u32", "u64", "usize"];
const FIGURES: [&str; 4] = ["i8", "i16", "i32", "i64"];
const FRACTIONS: [&str; 2] = ["f32", "f64"];
/// They hold what they hold, and are not seen in JSON.
const SHELLS: [&str; 3] = ["Box", "Arc", "Rc"];

/// What a file's types are read by.
struct Reader<'w> {
    file: &'static str,
    items: Vec<Item>,
    wanted: &'w [Wanted],
}

/// Those types of a file that are wanted.
pub(super) fn types(file: &'static str, source: &str, wanted: &[Wanted]) -> Result<Vec<Declared>> {
    let reader = Reader { file, items: syn::parse_file(source)?.items, wanted };
    let here = wanted.iter().filter(|one| one.file == file);
    here.map(|one| reader.declared(one).with_context(|| one.rust.to_owned())).collect()
}

// === impl Reader ===

impl Reader<'_> {
    fn declared(&self, wanted: &Wanted) -> Result<Declared> {
        let found = self.items.iter().find_map(|item| match item {
            Item::Struct(item) if item.ident == wanted.rust => Some((&item.attrs, Ok(&item.fields))),
            Item::Enum(item) if item.ident == wanted.rust => Some((&item.attrs, Err(&item.variants))),
            _ => None,
        });
        let Some((attributes, what)) = found else { bail!("it is not declared here") };
        // What is only read is what a page asks for.
        let asked =
            match (attributes::derives(attributes, "Serialize")?, attributes::derives(attributes, "Deserialize")?) {
                (true, _) => false,
                (false, true) => true,
                (false, false) => bail!("it derives neither Serialize nor Deserialize"),
            };
        let serde = attributes::serde(attributes)?;
        let shape = match what {
            Ok(Fields::Named(fields)) => self.object(fields, asked, &serde)?,
            Ok(_) => bail!("only structs with named fields are known here"),
            Err(variants) => {
                let variants = variants.iter().map(|variant| self.variant(variant, &serde, asked));
                Shape::OneOf(variants.collect::<Result<_>>()?)
            }
        };
        Ok(Declared { name: wanted.name, docs: attributes::docs(attributes), shape, closed: serde.closed })
    }

    /// `asked`: it is sent by the page. What it need not say it may leave out.
    fn object(&self, fields: &FieldsNamed, asked: bool, of: &Serde) -> Result<Shape> {
        let (mut beside, mut own) = (Vec::new(), Vec::new());
        for field in &fields.named {
            let name = field.ident.as_ref().context("a field without a name")?.to_string();
            let serde = attributes::serde(&field.attrs).with_context(|| name.clone())?;
            if serde.skip {
                continue;
            }
            if serde.flatten {
                let optional = inside(&field.ty, &["Option"]);
                beside.push(Beside { is: self.is(optional.unwrap_or(&field.ty))?, may_miss: optional.is_some() });
                continue;
            }
            let optional = inside(&field.ty, &["Option"]);
            let may_miss = if asked { of.default || serde.default || optional.is_some() } else { serde.may_miss };
            // What is left out where it is none is never `null`.
            let seen = match optional {
                Some(inner) if may_miss => inner,
                _ => &field.ty,
            };
            let is = self.is(seen).with_context(|| name.clone())?;
            let name = serde.rename.unwrap_or_else(|| if of.camel { camel(&name) } else { name });
            let or_null = asked && optional.is_some();
            own.push(Field { docs: attributes::docs(&field.attrs), name, may_miss, or_null, is });
        }
        Ok(Shape::Object { beside, fields: own })
    }

    fn variant(&self, variant: &Variant, of: &Serde, asked: bool) -> Result<Choice> {
        let serde = attributes::serde(&variant.attrs)?;
        let ident = variant.ident.to_string();
        let name = serde.rename.unwrap_or_else(|| match (of.snake, of.lower) {
            (true, _) => snake(&ident),
            (false, true) => ident.to_lowercase(),
            (false, false) => ident,
        });
        let only = || match &variant.fields {
            Fields::Unnamed(fields) if fields.unnamed.len() == 1 => fields.unnamed.first().map(|field| &field.ty),
            _ => None,
        };
        Ok(match (&of.tag, &variant.fields) {
            (None, _) if of.untagged => {
                Choice::Value(self.is(only().context("an untagged variant that is not one value")?)?)
            }
            (None, Fields::Unit) => Choice::Word(name),
            (None, Fields::Unnamed(_)) => Choice::Keyed(name, self.is(only().context("a variant of several values")?)?),
            (None, Fields::Named(_)) => bail!("{name}: a variant with fields, and no tag"),
            (Some(tag), Fields::Unit) => Choice::Tagged { tag: tag.clone(), name, fields: Vec::new() },
            (Some(tag), Fields::Named(fields)) => {
                let Shape::Object { beside, fields } = self.object(fields, asked, &Serde::default())? else {
                    bail!("no object")
                };
                if !beside.is_empty() {
                    bail!("{name}: a flattened field in a variant");
                }
                Choice::Tagged { tag: tag.clone(), name, fields }
            }
            (Some(tag), Fields::Unnamed(_)) => {
                let is = self.is(only().context("a tagged variant of several values")?)?;
                Choice::TaggedWith { tag: tag.clone(), name, is }
            }
        })
    }

    /// A type, wherever it stands.
    fn is(&self, rust: &Type) -> Result<Is> {
        match rust {
            Type::Reference(reference) => return self.is(&reference.elem),
            Type::Tuple(tuple) => {
                return Ok(Is::Tuple(tuple.elems.iter().map(|part| self.is(part)).collect::<Result<_>>()?));
            }
            _ => {}
        }
        let (name, inner) = named(rust).context("a type of a kind that is not known here")?;
        let part = |at: usize| -> Result<Box<Is>> {
            Ok(Box::new(self.is(inner.get(at).copied().with_context(|| format!("{name} of nothing"))?)?))
        };
        Ok(match name.as_str() {
            "bool" => Is::Flag,
            "RawValue" => Is::Anything,
            "Option" => Is::OrNull(part(0)?),
            "Vec" | "BTreeSet" => Is::List(part(0)?),
            "BTreeMap" => Is::Map(part(0)?, part(1)?),
            text if TEXTS.contains(&text) => Is::Text(None),
            count if COUNTS.contains(&count) => Is::Whole { signed: false },
            figure if FIGURES.contains(&figure) => Is::Whole { signed: true },
            fraction if FRACTIONS.contains(&fraction) => Is::Number,
            shell if SHELLS.contains(&shell) => *part(0)?,
            other => match (FORMS.iter().find(|(form, _)| *form == other), self.alias(other)) {
                (Some((_, form)), _) => Is::Text(Some(form)),
                (None, Some(alias)) => self.is(alias)?,
                (None, None) => Is::Ours(self.reference(other)?),
            },
        })
    }

    /// What a `type` of this file stands for.
    fn alias(&self, name: &str) -> Option<&Type> {
        self.items.iter().find_map(|item| match item {
            Item::Type(item) if item.ident == name => Some(&*item.ty),
            _ => None,
        })
    }

    /// A type of ours: that of this file, or the only one of that name.
    fn reference(&self, name: &str) -> Result<&'static str> {
        let so_called: Vec<_> = self.wanted.iter().filter(|one| one.rust == name).collect();
        let here = so_called.iter().find(|one| one.file == self.file);
        match (here, so_called.as_slice()) {
            (Some(one), _) | (None, [one]) => Ok(one.name),
            (None, []) => bail!("{name} is sent, and is not among the types in xtask/src/types/sources.rs"),
            (None, _) => bail!("there are several types {name}"),
        }
    }
}

/// The name of a type, and the types in its brackets.
fn named(rust: &Type) -> Option<(String, Vec<&Type>)> {
    let Type::Path(path) = rust else { return None };
    let last = path.path.segments.last()?;
    let inner = match &last.arguments {
        PathArguments::AngleBracketed(brackets) => brackets
            .args
            .iter()
            .filter_map(|argument| match argument {
                GenericArgument::Type(inner) => Some(inner),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    };
    Some((last.ident.to_string(), inner))
}

/// What one of these holds.
fn inside<'t>(rust: &'t Type, holders: &[&str]) -> Option<&'t Type> {
    let (name, inner) = named(rust)?;
    holders.contains(&name.as_str()).then(|| inner.first().copied()).flatten()
}

/// As serde's `snake_case` does for variants.
fn snake(name: &str) -> String {
    let mut snake = String::new();
    for (at, letter) in name.char_indices() {
        if at > 0 && letter.is_uppercase() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

/// As serde's `camelCase` does for fields.
fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |name, word| {
        let (head, rest) = word.split_at(word.len().min(1));
        name + &head.to_ascii_uppercase() + rest
    })
}

//! Rust's types, as TypeScript would say them.

use anyhow::{Context as _, Result, bail};
use syn::{Fields, FieldsNamed, GenericArgument, Item, PathArguments, Type, Variant};

use super::Wanted;
use super::attributes::{self, Serde};

/// A type, ready to be written.
#[derive(Debug)]
pub(super) struct Declared {
    pub(super) name: &'static str,
    pub(super) docs: Vec<String>,
    pub(super) shape: Shape,
}

#[derive(Debug)]
pub(super) enum Shape {
    /// An object, and the types whose fields lie beside its own.
    Object { beside: Vec<String>, fields: Vec<Field> },
    /// One of these.
    OneOf(Vec<String>),
}

#[derive(Debug)]
pub(super) struct Field {
    pub(super) docs: Vec<String>,
    pub(super) name: String,
    pub(super) may_miss: bool,
    pub(super) is: String,
}

/// Texts, however Rust keeps them. Ids and moments are written as texts.
const TEXTS: [&str; 7] = ["String", "str", "Cow", "PathBuf", "Timestamp", "Uuid", "AccountId"];
const NUMBERS: [&str; 11] = ["u8", "u16", "u32", "u64", "usize", "i8", "i16", "i32", "i64", "f32", "f64"];
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
            Ok(Fields::Named(fields)) => self.object(fields, asked)?,
            Ok(_) => bail!("only structs with named fields are known here"),
            Err(variants) => {
                let variants = variants.iter().map(|variant| self.variant(variant, &serde));
                Shape::OneOf(variants.collect::<Result<_>>()?)
            }
        };
        Ok(Declared { name: wanted.typescript, docs: attributes::docs(attributes), shape })
    }

    /// `asked`: it is sent by the page. What it need not say it may leave out.
    fn object(&self, fields: &FieldsNamed, asked: bool) -> Result<Shape> {
        let (mut beside, mut own) = (Vec::new(), Vec::new());
        for field in &fields.named {
            let name = field.ident.as_ref().context("a field without a name")?.to_string();
            let serde = attributes::serde(&field.attrs).with_context(|| name.clone())?;
            if serde.skip {
                continue;
            }
            if serde.flatten {
                beside.push(match inside(&field.ty, &["Option"]) {
                    Some(inner) => format!("Partial<{}>", self.is(inner)?),
                    None => self.is(&field.ty)?,
                });
                continue;
            }
            let optional = inside(&field.ty, &["Option"]);
            let may_miss = if asked { serde.default || optional.is_some() } else { serde.may_miss };
            // What is left out where it is none is never `null`.
            let seen = match optional {
                Some(inner) if may_miss => inner,
                _ => &field.ty,
            };
            let is = self.is(seen).with_context(|| name.clone())?;
            let name = serde.rename.unwrap_or(name);
            own.push(Field { docs: attributes::docs(&field.attrs), name, may_miss, is });
        }
        Ok(Shape::Object { beside, fields: own })
    }

    fn variant(&self, variant: &Variant, of: &Serde) -> Result<String> {
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
        match (&of.tag, &variant.fields) {
            (None, _) if of.untagged => self.is(only().context("an untagged variant that is not one value")?),
            (None, Fields::Unit) => Ok(format!("'{name}'")),
            (None, Fields::Unnamed(_)) => {
                Ok(format!("{{ {name}: {} }}", self.is(only().context("a variant of several values")?)?))
            }
            (None, Fields::Named(_)) => bail!("{name}: a variant with fields, and no tag"),
            (Some(tag), Fields::Unit) => Ok(format!("{{ {tag}: '{name}' }}")),
            (Some(tag), Fields::Named(fields)) => {
                let Shape::Object { beside, fields } = self.object(fields, false)? else { bail!("no object") };
                if !beside.is_empty() {
                    bail!("{name}: a flattened field in a variant");
                }
                let fields: String = fields.iter().map(|field| format!("; {}", field.declared())).collect();
                Ok(format!("{{ {tag}: '{name}'{fields} }}"))
            }
            (Some(tag), Fields::Unnamed(_)) => {
                let inner = self.is(only().context("a tagged variant of several values")?)?;
                Ok(format!("({{ {tag}: '{name}' }} & {inner})"))
            }
        }
    }

    /// A type, wherever it stands.
    fn is(&self, rust: &Type) -> Result<String> {
        match rust {
            Type::Reference(reference) => return self.is(&reference.elem),
            Type::Tuple(tuple) => {
                let parts = tuple.elems.iter().map(|part| self.is(part)).collect::<Result<Vec<_>>>()?;
                return Ok(format!("[{}]", parts.join(", ")));
            }
            _ => {}
        }
        let (name, inner) = named(rust).context("a type of a kind that is not known here")?;
        let part = |at: usize| self.is(inner.get(at).copied().with_context(|| format!("{name} of nothing"))?);
        Ok(match name.as_str() {
            "bool" => "boolean".to_owned(),
            "RawValue" => "unknown".to_owned(),
            "Option" => format!("{} | null", part(0)?),
            "Vec" | "BTreeSet" => list(&part(0)?),
            "BTreeMap" => format!("Record<{}, {}>", part(0)?, part(1)?),
            text if TEXTS.contains(&text) => "string".to_owned(),
            number if NUMBERS.contains(&number) => "number".to_owned(),
            shell if SHELLS.contains(&shell) => part(0)?,
            other => match self.alias(other) {
                Some(alias) => self.is(alias)?,
                None => self.reference(other)?.to_owned(),
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
            (Some(one), _) | (None, [one]) => Ok(one.typescript),
            (None, []) => bail!("{name} is sent, and is not among the types in xtask/src/types.rs"),
            (None, _) => bail!("there are several types {name}"),
        }
    }
}

// === impl Field ===

impl Field {
    pub(super) fn declared(&self) -> String {
        format!("{}{}: {}", self.name, if self.may_miss { "?" } else { "" }, self.is)
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

fn list(of: &str) -> String {
    match of.contains(' ') && !of.starts_with(['[', '{']) {
        true => format!("({of})[]"),
        false => format!("{of}[]"),
    }
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

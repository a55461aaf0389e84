//! Rust's types as JSON Schema says them.
//!
//! What is sent by us may have more members in another version, so objects are open. What is sent to us and refused with a
//! member too many says so.

use super::json::{Json, object, text, texts};
use crate::types::kinds::{Choice, Declared, Field, Is, Shape};

/// A component.
pub(super) fn of(declared: &Declared) -> Json {
    let described = described(&declared.docs);
    let schema = match &declared.shape {
        Shape::OneOf(choices) => one_of(choices),
        Shape::Object { beside, fields } => {
            let own = fields_of(None, fields, declared.closed && beside.is_empty());
            let laid = beside.iter().map(|beside| match beside.may_miss {
                true => object([("anyOf", Json::List(vec![is(&beside.is), object([("type", text("object"))])]))]),
                false => is(&beside.is),
            });
            let mut parts: Vec<_> = laid.collect();
            if parts.is_empty() {
                own
            } else {
                if !fields.is_empty() {
                    parts.push(own);
                }
                object([("allOf", Json::List(parts))])
            }
        }
    };
    join(described, schema)
}

/// A reference to a component.
pub(super) fn reference(name: &str) -> Json {
    object([("$ref", text(format!("#/components/schemas/{name}")))])
}

fn described(docs: &[String]) -> Json {
    let said = docs.join(" ");
    if said.trim().is_empty() { Json::Object(Vec::new()) } else { object([("description", text(said.trim()))]) }
}

fn join(one: Json, other: Json) -> Json {
    let members = one.members().iter().chain(other.members()).cloned();
    Json::Object(members.collect())
}

fn one_of(choices: &[Choice]) -> Json {
    let words: Option<Vec<_>> = choices
        .iter()
        .map(|choice| match choice {
            Choice::Word(word) => Some(word.as_str()),
            _ => None,
        })
        .collect();
    match words {
        Some(words) => object([("type", text("string")), ("enum", texts(words))]),
        // A whole number is also a number: what fits one fits perhaps another.
        None => object([("anyOf", Json::List(choices.iter().map(choice).collect()))]),
    }
}

fn choice(choice: &Choice) -> Json {
    match choice {
        Choice::Word(word) => object([("const", text(word))]),
        Choice::Value(value) => is(value),
        Choice::Keyed(name, value) => {
            object([("type", text("object")), ("properties", object([(name, is(value))])), ("required", texts([name]))])
        }
        Choice::Tagged { tag, name, fields } => fields_of(Some((tag, name)), fields, false),
        Choice::TaggedWith { tag, name, is: inner } => {
            object([("allOf", Json::List(vec![fields_of(Some((tag, name)), &[], false), is(inner)]))])
        }
    }
}

fn fields_of(tag: Option<(&str, &str)>, fields: &[Field], closed: bool) -> Json {
    let tagged = tag.map(|(tag, name)| (tag.to_owned(), object([("const", text(name))])));
    let own = fields.iter().map(|field| (field.name.clone(), field_of(field)));
    let properties = object(tagged.into_iter().chain(own));
    let required = tag.map(|(tag, _)| tag).into_iter();
    let required: Vec<_> =
        required.chain(fields.iter().filter(|field| !field.may_miss).map(|field| field.name.as_str())).collect();
    let mut schema = object([("type", text("object")), ("properties", properties)]);
    if !required.is_empty() {
        schema = schema.with("required", texts(required));
    }
    if closed { schema.with("additionalProperties", Json::Flag(false)) } else { schema }
}

fn field_of(field: &Field) -> Json {
    let schema = if field.or_null { or_null(&field.is) } else { is(&field.is) };
    join(described(&field.docs), schema)
}

fn is(kind: &Is) -> Json {
    match kind {
        Is::Flag => object([("type", text("boolean"))]),
        Is::Text(None) => object([("type", text("string"))]),
        Is::Text(Some(form)) => object([("type", text("string")), ("format", text(*form))]),
        Is::Whole { signed: true } => object([("type", text("integer"))]),
        Is::Whole { signed: false } => object([("type", text("integer")), ("minimum", Json::Whole(0))]),
        Is::Number => object([("type", text("number"))]),
        Is::Anything => Json::Object(Vec::new()),
        Is::OrNull(inner) => or_null(inner),
        Is::List(inner) => object([("type", text("array")), ("items", is(inner))]),
        Is::Map(key, value) => {
            let schema = object([("type", text("object")), ("additionalProperties", is(value))]);
            if matches!(**key, Is::Ours(_)) { schema.with("propertyNames", is(key)) } else { schema }
        }
        Is::Tuple(parts) => object([
            ("type", text("array")),
            ("prefixItems", Json::List(parts.iter().map(is).collect())),
            ("items", Json::Flag(false)),
        ]),
        Is::Ours(name) => reference(name),
    }
}

fn or_null(inner: &Is) -> Json {
    object([("anyOf", Json::List(vec![is(inner), object([("type", text("null"))])]))])
}

#[cfg(test)]
mod tests {
    use super::of;
    use crate::types::kinds::{Beside, Choice, Declared, Field, Is, Shape};

    fn field(name: &str, may_miss: bool, or_null: bool) -> Field {
        Field { docs: Vec::new(), name: name.to_owned(), may_miss, or_null, is: Is::Flag }
    }

    #[track_caller]
    fn says(shape: Shape, closed: bool, expected: &str) {
        let declared = Declared { name: "A", docs: vec!["A thing.".to_owned()], shape, closed };
        assert_eq!(serde_json::to_string(&of(&declared)).unwrap(), expected);
    }

    #[test]
    fn what_may_be_missing_is_not_required() {
        says(
            Shape::Object { beside: Vec::new(), fields: vec![field("a", false, false), field("b", true, true)] },
            true,
            r#"{"description":"A thing.","type":"object","properties":{"a":{"type":"boolean"},"b":{"anyOf":[{"type":"boolean"},{"type":"null"}]}},"required":["a"],"additionalProperties":false}"#,
        );
    }

    #[test]
    fn what_lies_beside_is_all_of_it() {
        let beside = |may_miss| Beside { is: Is::Ours("B"), may_miss };
        says(
            Shape::Object { beside: vec![beside(false), beside(true)], fields: Vec::new() },
            true,
            r##"{"description":"A thing.","allOf":[{"$ref":"#/components/schemas/B"},{"anyOf":[{"$ref":"#/components/schemas/B"},{"type":"object"}]}]}"##,
        );
    }

    #[test]
    fn one_of_several_says_which() {
        let words = ["a", "b"].map(|word| Choice::Word(word.to_owned()));
        says(Shape::OneOf(words.into()), false, r#"{"description":"A thing.","type":"string","enum":["a","b"]}"#);
        let tagged = Choice::Tagged { tag: "is".to_owned(), name: "a".to_owned(), fields: Vec::new() };
        says(
            Shape::OneOf(vec![tagged]),
            false,
            r#"{"description":"A thing.","anyOf":[{"type":"object","properties":{"is":{"const":"a"}},"required":["is"]}]}"#,
        );
    }
}

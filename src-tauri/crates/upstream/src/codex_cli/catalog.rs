//! The child's own model catalogue, changed so that a model can be used as a model.
//!
//! What the CLI does with a model is decided by its catalogue. For most models it says `tool_mode: code_mode_only`: tools
//! are then no tools but functions inside a JavaScript program the model writes, and further tools and texts come along.
//! `codex debug models` prints the catalogue of the signed-in account, `model_catalog_json` puts another in its place
//! (measured with 0.169.0, docs/decisions/0005).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

#[derive(Deserialize, Serialize)]
struct List<'a> {
    #[serde(borrow)]
    models: Vec<BTreeMap<&'a str, &'a RawValue>>,
}

/// What is put in place, as JSON. Everything else stays.
const CHANGES: &[(&str, &str)] = &[
    ("tool_mode", "\"direct\""),
    ("multi_agent_version", "null"),
    ("experimental_supported_tools", "[]"),
    ("apply_patch_tool_type", "null"),
];

/// The catalogue, with every model's tools called directly and none of the CLI's own.
pub(super) fn plain(catalog: &[u8]) -> Result<Vec<u8>, serde_json::Error> {
    let mut list: List<'_> = serde_json::from_slice(catalog)?;
    for model in &mut list.models {
        for (key, value) in CHANGES {
            model.insert(key, serde_json::from_str(value)?);
        }
    }
    serde_json::to_vec(&list)
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn tools_are_called_directly_and_the_rest_is_kept() {
        let raw = br#"{"models":[{"slug":"a","tool_mode":"code_mode_only","x":{"y":[1]},"apply_patch_tool_type":"freeform"},{"slug":"b"}]}"#;
        let changed = String::from_utf8(plain(raw).unwrap()).unwrap();
        assert_eq!(
            changed,
            r#"{"models":[{"apply_patch_tool_type":null,"experimental_supported_tools":[],"multi_agent_version":null,"slug":"a","tool_mode":"direct","x":{"y":[1]}},{"apply_patch_tool_type":null,"experimental_supported_tools":[],"multi_agent_version":null,"slug":"b","tool_mode":"direct"}]}"#
        );
        assert!(plain(b"{}").is_err() && plain(b"no").is_err());
    }
}

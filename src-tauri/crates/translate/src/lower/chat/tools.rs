//! The tools on offer.

use codeferry_wire::chat::ask::Tool;
use codeferry_wire::json::Raw;
use codeferry_wire::responses::request::{Array, Object};

use crate::loss::{Loss, Losses};
use crate::names::Names;
use crate::schema;

/// Functions, and the host's web search.
pub(in crate::lower) struct Offer<'r, 'a> {
    pub(in crate::lower) functions: &'r [Tool<'a>],
    /// `web_search_options`
    pub(in crate::lower) search: Option<Raw<'a>>,
}

// === impl Offer ===

impl Offer<'_, '_> {
    pub(in crate::lower) fn is_empty(&self) -> bool {
        self.functions.is_empty() && self.search.is_none()
    }

    pub(in crate::lower) fn write(&self, array: &mut Array<'_>, names: &mut Names, losses: &mut Losses) {
        for tool in self.functions {
            array.object(|object| write_function(object, tool, names, losses));
        }
        self.write_search(array);
    }

    /// The shape of Responses-Lite: functions inside a namespace, hosted tools beside it.
    pub(in crate::lower) fn write_namespaced(&self, array: &mut Array<'_>, names: &mut Names, losses: &mut Losses) {
        array.object(|namespace| {
            namespace.string("type", "namespace").string("name", "functions").string("description", "");
            namespace.array("tools", |tools| {
                for tool in self.functions {
                    tools.object(|object| write_function(object, tool, names, losses));
                }
            });
        });
        self.write_search(array);
    }

    fn write_search(&self, array: &mut Array<'_>) {
        let Some(options) = self.search else { return };
        array.object(|object| {
            object.string("type", "web_search").bool("external_web_access", true);
            // `{"type":"approximate","approximate":{…}}` there, flat here.
            let place = options.get("user_location").and_then(|location| location.get("approximate"));
            if let Some(place) = place {
                object.object("user_location", |location| {
                    location.string("type", "approximate");
                    for name in ["city", "country", "region", "timezone"] {
                        if let Some(value) = place.get(name).filter(|value| value.literal().is_some()) {
                            location.raw(name, value);
                        }
                    }
                });
            }
        });
    }
}

fn write_function(object: &mut Object<'_>, tool: &Tool<'_>, names: &mut Names, losses: &mut Losses) {
    object.string("type", "function").string("name", &names.lower(&tool.name));
    if let Some(description) = tool.description {
        object.raw("description", description);
    }
    // Said explicitly: the default upstream would be strict (`codex-backend.md §2`). And a schema that is not strict itself
    // would be refused.
    let strict = tool.strict && tool.parameters.is_some_and(schema::is_strict);
    if tool.strict && !strict {
        losses.add(Loss::StrictTool);
    }
    object.bool("strict", strict);
    if schema::write_parameters(object.key("parameters"), tool.parameters) {
        losses.add(Loss::ToolSchema);
    }
}

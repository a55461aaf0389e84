//! The tools on offer.

use codeferry_wire::anthropic::request::Tool;
use codeferry_wire::json::{Raw, Reader};
use codeferry_wire::responses::request::{Array, Object};

use crate::loss::{Loss, Losses};
use crate::names::Names;
use crate::schema::write_parameters;

/// The tools that can be carried.
pub(super) struct Offer<'r, 'a>(Vec<Carried<'r, 'a>>);

enum Carried<'r, 'a> {
    /// One the client runs.
    Function { tool: &'r Tool<'a>, builtin: Option<&'static Builtin> },
    /// One the upstream runs.
    Search(&'r Tool<'a>),
}

/// What a tool by that name is.
pub(super) enum Found {
    /// One the client runs.
    Function,
    /// Web search.
    Search,
}

/// A tool whose schema Anthropic's models know by heart and others have to be told. The client runs it all the same.
struct Builtin {
    /// Start of its versioned type.
    prefix: &'static str,
    description: &'static str,
    schema: &'static str,
}

const BUILTINS: [Builtin; 3] = [
    Builtin {
        prefix: "bash_",
        description: "Runs a command in a persistent shell and returns what it printed.",
        schema: r#"{"type":"object","properties":{"command":{"type":"string","description":"The command to run."},"restart":{"type":"boolean","description":"Start the shell anew instead."}}}"#,
    },
    Builtin {
        prefix: "text_editor_",
        description: "Views, creates and edits text files.",
        schema: r#"{"type":"object","properties":{"command":{"type":"string","enum":["view","create","str_replace","insert"]},"path":{"type":"string"},"file_text":{"type":"string","description":"For create: the content."},"old_str":{"type":"string","description":"For str_replace: the text to replace; it must occur exactly once."},"new_str":{"type":"string","description":"For str_replace: the new text."},"insert_line":{"type":"integer","description":"For insert: the line after which to insert."},"insert_text":{"type":"string","description":"For insert: the text."},"view_range":{"type":"array","items":{"type":"integer"},"description":"For view: first and last line."}},"required":["command","path"]}"#,
    },
    Builtin {
        prefix: "memory_",
        description: "Views and edits files below /memories, which persist between conversations.",
        schema: r#"{"type":"object","properties":{"command":{"type":"string","enum":["view","create","str_replace","insert","delete","rename"]},"path":{"type":"string"},"file_text":{"type":"string"},"old_str":{"type":"string"},"new_str":{"type":"string"},"insert_line":{"type":"integer"},"insert_text":{"type":"string"},"old_path":{"type":"string"},"new_path":{"type":"string"},"view_range":{"type":"array","items":{"type":"integer"}}},"required":["command"]}"#,
    },
];

// === impl Offer ===

impl<'r, 'a> Offer<'r, 'a> {
    pub(super) fn of(tools: &'r [Tool<'a>], losses: &mut Losses) -> Self {
        let mut offer = Vec::with_capacity(tools.len());
        for tool in tools {
            let kind = tool.kind.as_deref().unwrap_or("custom");
            if kind == "custom" {
                offer.push(Carried::Function { tool, builtin: None });
                if tool.strict {
                    losses.add(Loss::StrictTool);
                }
            } else if kind.starts_with("web_search_") {
                offer.push(Carried::Search(tool));
                if tool.max_uses.is_some() {
                    losses.add(Loss::MaxUses);
                }
                if tool.blocked_domains.is_some() {
                    losses.add(Loss::BlockedDomains);
                }
            } else if let Some(builtin) = BUILTINS.iter().find(|builtin| kind.starts_with(builtin.prefix)) {
                offer.push(Carried::Function { tool, builtin: Some(builtin) });
            } else {
                losses.add(Loss::ServerTool);
            }
        }
        Self(offer)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn searches(&self) -> bool {
        self.0.iter().any(|carried| matches!(carried, Carried::Search(_)))
    }

    pub(super) fn find(&self, name: &str) -> Option<Found> {
        self.0.iter().find_map(|carried| match carried {
            Carried::Function { tool, .. } => (tool.name == name).then_some(Found::Function),
            Carried::Search(tool) => (tool.name == name).then_some(Found::Search),
        })
    }

    pub(super) fn write(&self, array: &mut Array<'_>, names: &mut Names, losses: &mut Losses) {
        for carried in &self.0 {
            carried.write(array, names, losses);
        }
    }

    /// The shape of Responses-Lite: functions inside a namespace, hosted tools beside it.
    pub(super) fn write_namespaced(&self, array: &mut Array<'_>, names: &mut Names, losses: &mut Losses) {
        let is_function = |carried: &&Carried<'_, '_>| matches!(carried, Carried::Function { .. });
        array.object(|namespace| {
            namespace.string("type", "namespace").string("name", "functions").string("description", "");
            namespace.array("tools", |tools| {
                self.0.iter().filter(is_function).for_each(|carried| carried.write(tools, names, losses));
            });
        });
        self.0.iter().filter(|carried| !is_function(carried)).for_each(|carried| carried.write(array, names, losses));
    }
}

// === impl Carried ===

impl Carried<'_, '_> {
    fn write(&self, array: &mut Array<'_>, names: &mut Names, losses: &mut Losses) {
        array.object(|object| match self {
            Self::Function { tool, builtin } => write_function(object, tool, *builtin, names, losses),
            Self::Search(tool) => write_search(object, tool),
        });
    }
}

fn write_function(
    object: &mut Object<'_>,
    tool: &Tool<'_>,
    builtin: Option<&Builtin>,
    names: &mut Names,
    losses: &mut Losses,
) {
    object.string("type", "function").string("name", &names.lower(&tool.name));
    match (tool.description, builtin) {
        (Some(description), _) => {
            object.raw("description", description);
        }
        (None, Some(builtin)) => {
            object.string("description", builtin.description);
        }
        (None, None) => {}
    }
    // Said explicitly: the default upstream would be strict (`codex-backend.md §2`).
    object.bool("strict", false);
    let told = builtin.and_then(|builtin| Reader::of(builtin.schema).value().ok());
    if write_parameters(object.key("parameters"), tool.input_schema.or(told)) {
        losses.add(Loss::ToolSchema);
    }
}

fn write_search(object: &mut Object<'_>, tool: &Tool<'_>) {
    object.string("type", "web_search").bool("external_web_access", true);
    if let Some(domains) = tool.allowed_domains {
        object.object("filters", |filters| {
            filters.raw("allowed_domains", domains);
        });
    }
    if let Some(location) = tool.user_location.filter(|location| location.get("type").and_then(Raw::string).is_some()) {
        object.raw("user_location", location);
    }
}

//! Where the sentences are.

/// Sentences that are loaded together.
pub(super) struct Area {
    pub(super) name: &'static str,
    /// Below `src-tauri/crates`. What an earlier area has, a later one has not.
    pub(super) sources: &'static [&'static str],
}

/// Crates whose words reach the dashboard. Those of `demo` are an upstream's, those of `cli` are for a terminal.
pub(super) const AREAS: &[Area] = &[
    Area { name: "settings", sources: &["store/src/settings"] },
    Area { name: "clients", sources: &["clients/src", "gateway/src/setup"] },
    Area {
        name: "gateway",
        sources: &["accounts/src", "app/src", "gateway/src", "store/src", "translate/src", "upstream/src"],
    },
];

/// What is read and not listed, and why.
pub(super) const LEFT_OUT: &[(&str, &str)] = &[
    ("app/src/dashboard.rs", "a page of its own"),
    ("app/src/logging", "the log"),
    ("app/src/old_names", "the log and the terminal"),
    ("app/src/traces", "the log"),
    ("clients/src/shell.rs", "comments in lines to copy"),
    ("gateway/src/compat", "scripts of other systems"),
    ("gateway/src/health.rs", "monitors"),
    ("gateway/src/metrics", "monitors"),
    ("gateway/src/page.rs", "a page of its own"),
    ("gateway/src/sign_in/page.rs", "a page of its own"),
    ("gateway/src/ui.rs", "a page of its own"),
    ("store/src/capture/redact", "what it looks for"),
    ("store/src/log/", "the database"),
    ("translate/src/outbound/chat/request.rs", "what a model is told"),
    ("translate/src/render.rs", "what a client is told in the model's place"),
    ("upstream/src/codex_cli/request.rs", "what a model is told"),
    ("upstream/src/failure/server.rs", "what it looks for, but for two sentences"),
    ("upstream/src/failure/text.rs", "what it looks for"),
];

/// What no rule finds: short words that are put into sentences, and what stands in a file that is left out.
pub(super) const BESIDE: &[(&str, &[&str])] = &[
    ("clients", &["{name}: in force by {source}: {told}"]),
    (
        "gateway",
        &[
            "Choose a model that can call tools.",
            "Is the address right? Most end in /v1.",
            "active",
            "format",
            "paused",
            "system",
            "tools",
            // The log tells what was to be expected where the cache knew better.
            "a shorter history stands in place of the old one: it was to be read anew",
            "form of the answer changed: everything was to be read anew",
            "item {item} of {0} changed: it and what follows were to be read anew",
            "system prompt changed: everything was to be read anew",
            "tools changed: they and the history were to be read anew",
        ],
    ),
];

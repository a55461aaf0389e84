//! Who may depend on whom.

/// One line of a manifest's dependencies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Edge {
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Ends up in the binary (or in its build script).
    Normal,
    /// Only its tests.
    Dev,
}

/// Every normal edge between members, with its reason. What is not here is not allowed; what is here must exist, so
/// that the table stays a map. The package `codeferry-tests` may know everyone and is not listed.
const ALLOWED: &[(&str, &str, &str)] = &[
    ("translate", "wire", "it gives meaning to the languages"),
    ("upstream", "accounts", "it leases, and implements the refresh"),
    ("upstream", "translate", "failures inside a stream are classified from reduced events"),
    ("upstream", "wire", "it writes and reads the Responses dialect"),
    ("gateway", "accounts", "it asks the pool for a lease"),
    ("gateway", "clients", "it sets Claude Code up when it is asked to"),
    ("gateway", "store", "it reads settings and client keys"),
    ("gateway", "translate", "it carries requests and answers across"),
    ("gateway", "upstream", "it sends"),
    ("gateway", "wire", "it reads requests and writes frames"),
    ("app", "accounts", "composition"),
    ("app", "clients", "composition: what clients would see of the environment"),
    ("app", "demo", "composition: the embedded demo account"),
    ("app", "gateway", "composition"),
    ("app", "store", "composition"),
    ("app", "translate", "composition"),
    ("app", "upstream", "composition"),
    ("cli", "accounts", "it imports and lists accounts"),
    ("cli", "app", "it starts the same thing as the shell"),
    ("cli", "clients", "it says in a shell's words what clients are told"),
    ("cli", "demo", "`codeferry demo` lists what to try"),
    ("cli", "store", "it reads and sets settings and keys"),
    ("desktop", "app", "it starts the same thing as the CLI"),
    ("desktop", "webkit", "it has the web engine loaded before its first window"),
];

/// Members that nobody may name but those listed, not even in tests.
const KNOWN_TO: &[(&str, &[&str])] = &[
    ("app", &["cli", "desktop", "tests"]),
    ("cli", &["tests"]),
    ("desktop", &["tests"]),
    ("tests", &[]),
    ("webkit", &["desktop"]),
    ("xtask", &[]),
];

/// Outside crates that only some members may name. A trailing `*` stands for any ending.
const RESERVED: &[(&str, &[&str], &str)] = &[
    ("axum*", SERVERS, "HTTP is served in one place, and by the demo upstream"),
    ("tower-http", SERVERS, "HTTP is served in one place, and by the demo upstream"),
    ("reqwest*", CLIENTS, "HTTP is spoken upstream, and by the CLI to the control API"),
    ("ureq", CLIENTS, "HTTP is spoken upstream"),
    ("isahc", CLIENTS, "HTTP is spoken upstream"),
    ("curl", CLIENTS, "HTTP is spoken upstream"),
    ("hyper*", &["gateway", "demo", "upstream", "tests"], "HTTP is spoken upstream and served by the gateway"),
    ("tokio-tungstenite", &["gateway", "demo", "upstream", "tests"], "sockets belong to the gateway and upstream"),
    ("rusqlite", &["store"], "what is remembered is the store's"),
    ("sqlx*", &["store"], "what is remembered is the store's"),
    ("libloading", &["webkit"], "libraries are loaded late in one place"),
    ("keyring*", &["accounts"], "credentials have one vault"),
    ("tauri*", &["desktop"], "only the shell knows the desktop"),
    ("opentelemetry*", &["app", "tests"], "the gateway tells of an exchange, and app makes spans of it"),
    ("prometheus-client", &["gateway"], "figures are shown where they are counted"),
];
const SERVERS: &[&str] = &["gateway", "demo", "tests"];
const CLIENTS: &[&str] = &["upstream", "cli", "tests"];

/// Members that are pure, and what would make them impure.
const PURE: &[&str] = &["wire", "translate"];
const IMPURE: &[&str] = &[
    "tokio*",
    "futures*",
    "async-*",
    "mio",
    "socket2",
    "http*",
    "url",
    "jiff",
    "chrono",
    "time",
    "uuid",
    "rand*",
    "getrandom",
    "tempfile",
    "directories",
    "dirs*",
    "tracing*",
    "log",
];

/// What is broken, one sentence each.
pub(crate) fn broken(members: &[String], edges: &[Edge]) -> Vec<String> {
    let mut broken = Vec::new();
    for edge in edges {
        let (from, to) = (short(&edge.from), short(&edge.to));
        if members.contains(&edge.to) {
            member_edge(from, to, edge.kind, &mut broken);
        } else {
            outside_edge(from, to, edge.kind, &mut broken);
        }
    }
    stale(members, edges, &mut broken);
    broken
}

fn member_edge(from: &str, to: &str, kind: Kind, broken: &mut Vec<String>) {
    let known_to = KNOWN_TO.iter().find(|(name, _)| *name == to);
    if known_to.is_some_and(|(_, who)| !who.contains(&from)) {
        broken.push(format!("{from} names {to}, which only its users may know"));
    } else if kind == Kind::Normal && from != "tests" && !ALLOWED.iter().any(|(a, b, _)| (*a, *b) == (from, to)) {
        broken.push(format!("{from} depends on {to}: no such edge in the plan"));
    } else if kind == Kind::Dev && PURE.contains(&from) && !PURE.contains(&to) {
        broken.push(format!("the tests of {from} need {to}: a pure crate is tested without it"));
    }
}

fn outside_edge(from: &str, to: &str, kind: Kind, broken: &mut Vec<String>) {
    for (name, who, why) in RESERVED {
        // Who serves HTTP is tested with a client, and who speaks it with a server.
        let other_side = (*who == CLIENTS && SERVERS.contains(&from)) || (*who == SERVERS && CLIENTS.contains(&from));
        let tests_itself = kind == Kind::Dev && other_side;
        if matches(name, to) && !who.contains(&from) && !tests_itself {
            broken.push(format!("{from} names {to}: {why}"));
        }
    }
    if kind == Kind::Normal && PURE.contains(&from) && IMPURE.iter().any(|name| matches(name, to)) {
        broken.push(format!("{from} depends on {to}: it has no async, no clock, no IO"));
    }
}

fn stale(members: &[String], edges: &[Edge], broken: &mut Vec<String>) {
    let is_member = |name: &str| members.iter().any(|member| short(member) == name);
    for (from, to, _) in ALLOWED.iter().filter(|(from, ..)| is_member(from)) {
        let there = |edge: &&Edge| edge.kind == Kind::Normal && short(&edge.from) == *from && short(&edge.to) == *to;
        if !edges.iter().any(|edge| there(&edge)) {
            broken.push(format!("the plan lists {from} -> {to}, which is no longer there: strike it from the table"));
        }
    }
}

/// A member's name without the common prefix.
fn short(name: &str) -> &str {
    name.strip_prefix("codeferry-").unwrap_or(name)
}

fn matches(pattern: &str, name: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == name, |start| name.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edge(from: &str, to: &str, kind: Kind) -> Edge {
        let full = |name: &str| if MEMBERS.contains(&name) { format!("codeferry-{name}") } else { name.to_owned() };
        Edge { from: full(from), to: full(to), kind }
    }

    const MEMBERS: &[&str] = &[
        "wire",
        "translate",
        "accounts",
        "upstream",
        "store",
        "clients",
        "gateway",
        "demo",
        "app",
        "cli",
        "desktop",
        "webkit",
        "xtask",
        "tests",
    ];

    /// The whole plan, and then one edge more.
    fn with(from: &str, to: &str, kind: Kind) -> Vec<String> {
        let members: Vec<_> = MEMBERS.iter().map(|name| format!("codeferry-{name}")).collect();
        let mut edges: Vec<_> = ALLOWED.iter().map(|(from, to, _)| edge(from, to, Kind::Normal)).collect();
        assert_eq!(broken(&members, &edges), Vec::<String>::new(), "the plan itself is clean");
        edges.push(edge(from, to, kind));
        broken(&members, &edges)
    }

    #[test]
    fn edges_against_the_plan_are_found() {
        for (from, to) in [
            ("wire", "translate"),
            ("translate", "accounts"),
            ("accounts", "upstream"),
            ("accounts", "store"),
            ("store", "accounts"),
            ("upstream", "gateway"),
            ("gateway", "app"),
            ("gateway", "demo"),
            ("clients", "store"),
            ("clients", "wire"),
            ("demo", "wire"),
            ("demo", "translate"),
            ("xtask", "app"),
            ("desktop", "gateway"),
            ("desktop", "cli"),
            ("webkit", "app"),
        ] {
            assert_eq!(with(from, to, Kind::Normal).len(), 1, "{from} -> {to}");
        }
    }

    #[test]
    fn nobody_names_the_composition_root_even_in_tests() {
        for (from, to) in
            [("gateway", "app"), ("store", "cli"), ("accounts", "tests"), ("tests", "xtask"), ("cli", "webkit")]
        {
            assert_eq!(with(from, to, Kind::Dev).len(), 1, "{from} -> {to}");
        }
        assert_eq!(with("tests", "app", Kind::Dev), Vec::<String>::new());
    }

    #[test]
    fn pure_crates_are_tested_without_the_others() {
        assert_eq!(with("wire", "demo", Kind::Dev).len(), 1);
        assert_eq!(with("gateway", "demo", Kind::Dev), Vec::<String>::new(), "the fake is there to be used");
    }

    #[test]
    fn reserved_crates_are_found_wherever_they_do_not_belong() {
        for (from, to) in [
            ("app", "axum"),
            ("store", "axum-extra"),
            ("app", "reqwest"),
            ("accounts", "reqwest"),
            ("accounts", "hyper-util"),
            ("accounts", "ureq"),
            ("gateway", "rusqlite"),
            ("store", "keyring"),
            ("app", "tauri"),
            ("gateway", "opentelemetry"),
            ("upstream", "opentelemetry-otlp"),
            ("store", "prometheus-client"),
            ("desktop", "libloading"),
            ("cli", "tauri-plugin-updater"),
        ] {
            assert_eq!(with(from, to, Kind::Normal).len(), 1, "{from} -> {to}");
            assert_eq!(with(from, to, Kind::Dev).len(), 1, "{from} -> {to}, in its tests");
        }
        for (from, to) in [("gateway", "reqwest"), ("demo", "reqwest"), ("upstream", "axum")] {
            assert_eq!(with(from, to, Kind::Normal).len(), 1, "{from} -> {to}");
            assert_eq!(with(from, to, Kind::Dev), Vec::<String>::new(), "the tests of {from} may be the other side");
        }
        for (from, to) in [("gateway", "axum"), ("upstream", "reqwest"), ("store", "rusqlite"), ("desktop", "tauri")] {
            assert_eq!(with(from, to, Kind::Normal), Vec::<String>::new(), "{from} -> {to}");
        }
    }

    #[test]
    fn pure_crates_stay_pure() {
        for from in PURE {
            for to in ["tokio", "tokio-util", "futures-util", "jiff", "uuid", "getrandom", "url", "tracing"] {
                assert_eq!(with(from, to, Kind::Normal).len(), 1, "{from} -> {to}");
            }
            for to in ["reqwest", "axum"] {
                assert!(!with(from, to, Kind::Normal).is_empty(), "{from} -> {to}");
            }
            assert_eq!(with(from, "tempfile", Kind::Dev), Vec::<String>::new(), "its tests may write a file");
            assert_eq!(with(from, "memchr", Kind::Normal), Vec::<String>::new());
        }
    }

    #[test]
    fn an_edge_that_is_gone_must_leave_the_table() {
        let members: Vec<_> = MEMBERS.iter().map(|name| format!("codeferry-{name}")).collect();
        let edges: Vec<_> = ALLOWED.iter().skip(1).map(|(from, to, _)| edge(from, to, Kind::Normal)).collect();
        let found = broken(&members, &edges);
        assert_eq!(found.len(), 1, "{found:?}");
        let without_translate: Vec<_> = members.iter().filter(|name| *name != "codeferry-translate").cloned().collect();
        let edges: Vec<_> = edges.into_iter().filter(|edge| edge.to != "codeferry-translate").collect();
        let found = broken(&without_translate, &edges);
        assert!(
            found.iter().all(|line| !line.contains("translate -> wire")),
            "no such member, no such line: {found:?}"
        );
    }
}

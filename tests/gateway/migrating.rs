//! `docs/migrating.md` against what there is: routes, settings, commands, variables and tests. Nothing it promises may be
//! missing, and nothing the three systems had may be without a row.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use codeferry_app::old_names::{FLAGS, OldName, Ours, System, VARIABLES};
use codeferry_tests::World;
use reqwest::Method;

/// A row of a table: the system it is of, and its cells.
struct Row {
    system: String,
    old: Vec<String>,
    here: String,
    shown: String,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn document() -> Vec<Row> {
    let text = fs::read_to_string(root().join("docs/migrating.md")).unwrap();
    let mut rows = Vec::new();
    for section in text.split("\n## From ").skip(1) {
        let name = section.lines().next().unwrap();
        let system = name.strip_prefix("codex-completions").map_or(name, |_| "completions-api").to_owned();
        for line in section.lines().filter(|line| line.starts_with("| `")) {
            let cells: Vec<_> = line.trim_matches('|').split(" | ").map(str::trim).collect();
            let [old, here, shown] = <[&str; 3]>::try_from(cells).expect(line);
            let (here, shown) = (here.to_owned(), shown.to_owned());
            rows.push(Row { system: system.clone(), old: spans(old).map(str::to_owned).collect(), here, shown });
        }
    }
    assert!(rows.len() > 200, "the tables were not read: {}", rows.len());
    rows
}

/// What stands in code.
fn spans(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

/// The keys after the words "setting" or "settings".
fn settings(cell: &str) -> Vec<&str> {
    let mut keys = Vec::new();
    for part in cell.split("setting").skip(1) {
        let mut rest = part.strip_prefix('s').unwrap_or(part);
        while let Some(after) = [" `", ", `", " and `", ", and `"].iter().find_map(|start| rest.strip_prefix(start)) {
            let (key, more) = after.split_once('`').unwrap();
            // A command in the same breath is no key.
            if !key.contains(' ') {
                keys.push(key);
            }
            rest = more;
        }
    }
    keys
}

/// Commands as they would be typed, wherever they stand.
fn commands(cell: &str) -> Vec<&str> {
    let starts = cell.match_indices("codeferry ").map(|(at, _)| &cell[at..]);
    let end = |text: &str| [",", ";", " (", "`", " or ", " then", ":  "].iter().filter_map(|end| text.find(end)).min();
    starts.map(|text| &text[..end(text).unwrap_or(text.len())]).collect()
}

fn is_placeholder(word: &str) -> bool {
    word.starts_with(|first: char| first.is_ascii_uppercase())
}

#[test]
fn everything_the_three_systems_had_has_a_row() {
    let rows = document();
    let mut described: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for row in &rows {
        described.entry(&row.system).or_default().extend(row.old.iter().map(String::as_str));
    }
    let list = fs::read_to_string(root().join("tests/fixtures/migrating/names.tsv")).unwrap();
    let mut missing = Vec::new();
    for line in list.lines() {
        let [system, _, name] = <[&str; 3]>::try_from(line.split('\t').collect::<Vec<_>>()).expect(line);
        if !described[system].contains(name) {
            missing.push(line);
        }
    }
    assert!(list.lines().count() > 250 && missing.is_empty(), "{missing:?}");
    for system in System::ALL {
        let of = |old: &&OldName| old.of.contains(&system);
        let names = VARIABLES.iter().chain(FLAGS).filter(of);
        missing.extend(names.map(|old| old.name).filter(|name| !described[system.name()].contains(name)));
    }
    assert!(missing.is_empty(), "recognised by the program, and without a row: {missing:?}");
}

/// What the program says of a name is what stands in its row.
#[test]
fn the_program_says_what_the_document_says() {
    let rows = document();
    for old in VARIABLES.iter().chain(FLAGS) {
        for row in rows.iter().filter(|row| row.old == [old.name]) {
            match old.ours {
                Ours::Use(ours) | Ours::Better(ours) => assert_eq!(row.here, ours, "{}", old.name),
                Ours::Nothing(why) => {
                    assert_eq!((row.here.as_str(), row.shown.as_str()), ("nothing", why), "{}", old.name);
                }
            }
        }
    }
}

#[test]
fn each_row_names_a_test_that_exists_or_a_reason() {
    let mut sources = String::new();
    let mut folders = vec![root().join("tests"), root().join("src-tauri/crates")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                sources += &fs::read_to_string(path).unwrap();
            }
        }
    }
    let tests: BTreeSet<&str> = sources.split("fn ").skip(1).filter_map(|rest| rest.split('(').next()).collect();
    let mut broken = Vec::new();
    for row in document() {
        let named: Vec<_> = spans(&row.shown).filter(|span| span.contains('_') && !span.contains(' ')).collect();
        let is_list = row.shown.starts_with('`');
        broken.extend(
            named.iter().filter(|name| is_list && !tests.contains(*name)).map(|name| format!("no test {name}")),
        );
        if !is_list && row.shown.len() < 20 {
            broken.push(format!("{:?} has neither test nor reason", row.old));
        }
    }
    assert!(broken.is_empty(), "{broken:?}");
}

/// Commands and their flags are those of `--help`, which another test keeps true.
#[test]
fn each_command_can_be_typed() {
    let help = root().join("src-tauri/crates/cli/tests/cli/snapshots/cli__help__help.snap");
    let help = fs::read_to_string(help).unwrap();
    let pages: BTreeMap<&str, &str> = help
        .split("\n$ codeferry ")
        .skip(1)
        .filter_map(|page| page.split_once("--help\n"))
        .map(|(words, page)| (words.trim(), page))
        .collect();
    assert!(pages.len() > 30, "the help was not read");
    let mut broken = BTreeSet::new();
    for row in document() {
        for command in commands(&row.here).into_iter().chain(commands(&row.shown)) {
            let words: Vec<_> = command.split_whitespace().skip(1).collect();
            if matches!(words[..], ["help" | "--version"]) {
                continue;
            }
            // The longest run of words that is a command.
            let page = (1..=words.len()).rev().find_map(|most| pages.get(words[..most].join(" ").as_str()));
            let Some(page) = page else {
                broken.insert(format!("{command}: no such command"));
                continue;
            };
            let flags = words.iter().map(|word| word.split('=').next().unwrap()).filter(|word| word.starts_with('-'));
            broken.extend(flags.filter(|flag| !page.contains(flag)).map(|flag| format!("{command}: no {flag}")));
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[tokio::test]
async fn each_route_and_setting_is_there() {
    let world = World::start().await;
    let token = codeferry_app::control_token(&codeferry_app::Paths::at(world.home.path())).unwrap().expose();
    let known: BTreeSet<String> = codeferry_gateway::control_routes()
        .into_iter()
        .chain(codeferry_gateway::compat_routes())
        .map(|route| format!("{} {}", route.method, route.path))
        .collect();
    let mut broken = BTreeSet::new();
    let mut asked = 0;
    for row in document() {
        for span in spans(&row.here) {
            let Some((method, path)) = span.split_once(" /") else { continue };
            let path = format!("/{}", path.split('?').next().unwrap());
            asked += 1;
            if known.contains(&format!("{method} {path}")) {
                continue;
            }
            // The others take no parameters, and a look at them changes nothing.
            let method: Method = method.parse().unwrap();
            let key = if path.starts_with("/v1/") { &world.key } else { &token };
            let call = world.http.request(method.clone(), format!("{}{path}", world.url())).bearer_auth(key);
            let status = call.send().await.unwrap().status();
            if status == 404 || status == 405 {
                broken.insert(format!("{method} {path} is not served"));
            }
        }
        let ours = world.gateway.settings();
        let is_setting = |key: &str| ours.allowed(key).is_ok();
        broken.extend(
            settings(&row.here).into_iter().filter(|key| !is_setting(key)).map(|key| format!("no setting {key}")),
        );
        for command in commands(&row.here) {
            if let ["codeferry", "settings", "set", key, ..] = command.split_whitespace().collect::<Vec<_>>()[..]
                && !is_placeholder(key)
                && !is_setting(key)
            {
                broken.insert(format!("{command}: no such setting"));
            }
        }
    }
    assert!(asked > 60, "{asked}");
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn cells_are_taken_apart() {
    assert_eq!(
        settings("`GET /x`, setting `rotation`. And settings `a.b`, `c`, and `d` with `e f`"),
        ["rotation", "a.b", "c", "d"]
    );
    assert_eq!(commands("`codeferry a b`, or codeferry c --d E (or f)"), ["codeferry a b", "codeferry c --d E"]);
}

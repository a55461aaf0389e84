//! `cargo xtask types`: from the Rust types that the control API sends and is sent to `ui/src/api/types.gen.ts`.
//!
//! The sources are read as they are, with what serde is told of them, so no part of the program carries anything for this
//! and private types stay private. `cargo xtask check types` and a test find a file that is no longer what the sources say.
//!
//! **Invariant:** what is not understood (a type, an attribute) is an error and never a guess.

mod attributes;
mod read;
mod write;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};

use crate::place::Place;
use crate::say;

/// Where the types are, below `src-tauri/crates`; and which of them the dashboard reads, as `Rust` or `Rust as TypeScript`.
const SOURCES: &[(&str, &[&str])] = &[
    ("accounts/src/account.rs", &["Kind"]),
    ("accounts/src/cooldown.rs", &["Cooldown"]),
    ("accounts/src/quota.rs", &["Credits", "Quota", "QuotaWindow"]),
    ("accounts/src/rotation.rs", &["Rotation"]),
    ("accounts/src/status.rs", &["AccountState", "AccountStatus as Account"]),
    ("gateway/src/bus/exchange.rs", &["OpenExchange", "Attempt as AttemptBegun", "FirstToken"]),
    ("gateway/src/bus/watch.rs", &["QuotaOf", "Changed as SettingsChanged", "Setting as SettingChanged"]),
    ("gateway/src/capture.rs", &["CaptureState", "Wish as CaptureWish"]),
    ("gateway/src/control/accounts.rs", &["List as AccountList", "Gone as AccountGone"]),
    ("gateway/src/control/capture.rs", &["Shown as Captures"]),
    (
        "gateway/src/control/clients.rs",
        &[
            "List as ClientList",
            "Changed as ClientChanged",
            "Copies as ClientBackups",
            "CopyDetail as ClientBackupDetail",
        ],
    ),
    ("gateway/src/control/events.rs", &["Snapshot"]),
    ("gateway/src/control/keys.rs", &["List as KeyList", "Created as KeyCreated"]),
    ("gateway/src/control/models.rs", &["List as ModelList", "Entry as Model"]),
    ("gateway/src/control/named.rs", &["New as NewServer", "Added as ServerAdded"]),
    ("gateway/src/control/playground.rs", &["Record as PlayRecord", "What as PlayWhat"]),
    ("gateway/src/control/playground/step.rs", &["Step"]),
    ("gateway/src/control/quota.rs", &["Consume as UseCredit", "Known as Left", "Verified"]),
    ("gateway/src/control/refused.rs", &["Refused"]),
    ("gateway/src/control/routes.rs", &["Table as RouteTable", "Role", "Alias", "To as Route"]),
    ("gateway/src/control/settings.rs", &["List as SettingList"]),
    ("gateway/src/control/sign_in.rs", &["Begin as BeginSignIn"]),
    ("gateway/src/doctor.rs", &["Report as Doctor", "Row as DoctorRow", "Verdict"]),
    (
        "gateway/src/history/conversations.rs",
        &["ConversationRow", "ConversationDetail as Conversation", "ConversationTurn as Turn"],
    ),
    (
        "gateway/src/history/exchanges.rs",
        &["ExchangePage", "Row as ExchangeRow", "Detail as ExchangeDetail", "Explained"],
    ),
    ("gateway/src/history/usage.rs", &["UsageReport", "UsageRow", "Figures"]),
    ("gateway/src/routing.rs", &["Destination"]),
    (
        "gateway/src/setup/shape.rs",
        &[
            "Program",
            "Place as ClientPlace",
            "Standing as ClientStanding",
            "Difference as ClientDrift",
            "Mover as ClientMover",
            "Obstacle as ClientConflict",
            "Gravity as ClientConflictWeight",
            "Plan as ClientPlan",
            "File as ClientPlanFile",
            "Will as ClientPlanWill",
            "Settled as ClientSettled",
            "Verification as ClientVerification",
            "Copy as ClientBackup",
        ],
    ),
    ("gateway/src/setup/watch.rs", &["DriftedPlace as ClientDrifted"]),
    (
        "gateway/src/sign_in.rs",
        &["Method as SignInMethod", "Stage as SignInStage", "Begun as SignInBegun", "Told as SignInTold"],
    ),
    ("gateway/src/status.rs", &["Status", "Pick", "FailedOver", "Exchanges"]),
    (
        "store/src/capture.rs",
        &["CaptureHealth", "Summary as CaptureSummary", "Kept as CaptureKept", "Listing as CaptureListing"],
    ),
    (
        "store/src/capture/document.rs",
        &[
            "Document as Capture",
            "Request as CapturedRequest",
            "Attempt as CapturedAttempt",
            "Answer as CapturedAnswer",
            "Records as CapturedStream",
            "Record as CapturedRecord",
            "Part as CapturedPart",
        ],
    ),
    ("store/src/client_keys.rs", &["KeyInfo"]),
    ("store/src/log.rs", &["LogHealth"]),
    ("store/src/log/conversations.rs", &["ConversationSum"]),
    ("store/src/log/find.rs", &["Found"]),
    ("store/src/log/record.rs", &["Exchange", "Attempt", "Tokens", "Prefix", "Outcome"]),
    ("store/src/settings/file.rs", &["Listed as Setting", "Problem as SettingProblem"]),
    ("store/src/settings/value.rs", &["Value as SettingValue"]),
    ("upstream/src/reset_credits.rs", &["ResetCredits", "ResetCredit", "Redeemed", "Redemption"]),
];
const FILE: &str = "ui/src/api/types.gen.ts";

/// A type that is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Wanted {
    /// Where it is declared.
    file: &'static str,
    rust: &'static str,
    typescript: &'static str,
}

/// Writes the file anew.
pub(crate) fn run(place: &Place) -> Result<()> {
    let text = generate(&place.root)?;
    fs::write(place.root.join(FILE), text).with_context(|| format!("cannot write {FILE}"))?;
    say::data(FILE);
    Ok(())
}

/// The file is what the sources say.
pub(crate) fn fresh(place: &Place) -> Result<()> {
    compare(&place.root)
}

fn compare(root: &Path) -> Result<()> {
    let there = fs::read_to_string(root.join(FILE)).with_context(|| format!("cannot read {FILE}"))?;
    if there.replace("\r\n", "\n") != generate(root)? {
        bail!("{FILE} is not what the Rust types say; `cargo xtask types` writes it anew");
    }
    Ok(())
}

fn generate(root: &Path) -> Result<String> {
    let crates: PathBuf = root.join("src-tauri/crates");
    let wanted = wanted();
    let mut types = Vec::new();
    for (file, _) in SOURCES {
        let path = crates.join(file);
        let source = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        types.extend(read::types(file, &source, &wanted).with_context(|| format!("in {file}"))?);
    }
    types.sort_by(|one, other| one.name.cmp(other.name));
    Ok(write::module(&types))
}

fn wanted() -> Vec<Wanted> {
    let named = SOURCES.iter().flat_map(|(file, names)| names.iter().map(move |name| (*file, *name)));
    named
        .map(|(file, name)| {
            let (rust, typescript) = name.split_once(" as ").unwrap_or((name, name));
            Wanted { file, rust, typescript }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::{Wanted, compare, read, wanted, write};

    const FILE: &str = "gateway/src/x.rs";

    fn typescript(source: &str, names: &[&'static str]) -> anyhow::Result<String> {
        let wanted: Vec<_> = names.iter().map(|name| Wanted { file: FILE, rust: name, typescript: name }).collect();
        Ok(write::module(&read::types(FILE, source, &wanted)?))
    }

    #[track_caller]
    fn says(source: &str, names: &[&'static str], expected: &str) {
        let text = typescript(source, names).unwrap();
        assert!(text.ends_with(expected), "{text}");
    }

    #[test]
    fn the_dashboard_has_the_types_of_today() {
        compare(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../..")).unwrap();
    }

    #[test]
    fn no_name_is_given_twice() {
        let names: Vec<_> = wanted().iter().map(|one| one.typescript).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    }

    #[test]
    fn fields_that_may_be_missing_say_so() {
        says(
            "/// A thing.\n#[derive(Serialize)] struct A { a: u64, b: Option<String>, \
             #[serde(skip_serializing_if = \"Option::is_none\")] c: Option<Vec<bool>>, #[serde(skip)] d: Instant, \
             #[serde(rename = \"f\")] e: BTreeMap<String, f64> }",
            &["A"],
            "/** A thing. */\nexport interface A {\n  a: number;\n  b: string | null;\n  c?: boolean[];\n  \
             f: Record<string, number>;\n}\n",
        );
    }

    #[test]
    fn what_is_asked_need_not_say_everything() {
        says(
            "#[derive(Deserialize)] struct A { a: bool, b: Option<String>, #[serde(default = \"yes\")] c: bool }",
            &["A"],
            "export interface A {\n  a: boolean;\n  b?: string;\n  c?: boolean;\n}\n",
        );
    }

    #[test]
    fn what_is_flattened_lies_beside_the_rest() {
        let source = "#[derive(Serialize)] struct A { x: u8, #[serde(flatten)] b: B, #[serde(flatten)] c: Option<B> }\n\
                      #[derive(Serialize)] struct B { y: u8 }";
        let text = typescript(source, &["A", "B"]).unwrap();
        assert!(text.contains("export type A = B & Partial<B> & {\n  x: number;\n};\n"), "{text}");
    }

    #[test]
    fn an_enum_is_what_serde_makes_of_it() {
        says(
            "#[derive(Serialize)] #[serde(rename_all = \"snake_case\")] enum A { OneTwo, Three }",
            &["A"],
            "export type A =\n  | 'one_two'\n  | 'three';\n",
        );
        says(
            "#[derive(Serialize)] #[serde(tag = \"is\", rename_all = \"snake_case\")] enum A { None, \
             Some { some_thing: u8 }, All(A) }",
            &["A"],
            "export type A =\n  | { is: 'none' }\n  | { is: 'some'; some_thing: number }\n  | ({ is: 'all' } & A);\n",
        );
        says(
            "#[derive(Serialize)] #[serde(rename_all = \"lowercase\")] enum A { OneTwo, Other(String) }",
            &["A"],
            "export type A =\n  | 'onetwo'\n  | { other: string };\n",
        );
        says(
            "#[derive(Serialize)] #[serde(untagged)] enum A { Flag(bool), List(Vec<String>) }",
            &["A"],
            "export type A =\n  | boolean\n  | string[];\n",
        );
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for (source, why) in [
            ("#[derive(Serialize)] struct A { a: Strange }", "Strange"),
            ("#[derive(Serialize)] struct A { #[serde(with = \"x\")] a: u8 }", "with"),
            ("#[derive(Serialize)] struct A(u8);", "named fields"),
            ("#[derive(Debug)] struct A { a: u8 }", "Serialize"),
            ("#[derive(Serialize)] enum A { One { x: u8 } }", "tag"),
            ("struct B { a: u8 }", "not declared"),
        ] {
            let error = format!("{:#}", typescript(source, &["A"]).unwrap_err());
            assert!(error.contains(why), "{source}: {error}");
        }
    }
}

//! Sign-ins, with all that `codeferry accounts import` knows of forms.

use std::path::{Path, PathBuf};

use codeferry_accounts::import::{self, Entry};
use codeferry_accounts::{Account, Import, ImportError, ImportOutcome};

use super::{Did, Item, Work};
use crate::commands::accounts::import::{Done, Reading, one_file};
use crate::failure::Failure;

/// Each account of a file. One that renewed itself here since is left alone.
pub(super) async fn of_file(file: &Path, work: &Work<'_>) -> Vec<Item> {
    if work.dry_run {
        return would(file);
    }
    let pool = codeferry_app::vault_pool(&work.context.paths, &work.context.environment);
    let all = one_file(&pool, file, Reading { silent: true, ..Reading::default() }, work.context).await;
    all.into_iter().map(|Done { place, result }| item(&short(&place, work.folder), result)).collect()
}

/// The JSON files of a folder, sorted.
pub(super) fn json_files(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let is_account = |path: &PathBuf| {
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        !hidden && path.extension().is_some_and(|end| end.eq_ignore_ascii_case("json")) && path.is_file()
    };
    let mut files: Vec<_> = std::fs::read_dir(folder)?.flatten().map(|entry| entry.path()).filter(is_account).collect();
    files.sort();
    Ok(files)
}

fn would(file: &Path) -> Vec<Item> {
    let place = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let failed = |message: String| vec![Item::new(format!("account in {place}"), Did::Failed, message)];
    let bytes = match std::fs::read(file) {
        Ok(bytes) => bytes,
        Err(error) => return failed(error.to_string()),
    };
    match import::read_all(&bytes, codeferry_app::system_clock()()) {
        Err(error) => failed(error.to_string()),
        Ok((_, entries)) => entries
            .into_iter()
            .map(|Entry { result, place: within }| match result {
                Ok(imported) => {
                    let message = format!("its sign-in would be imported from {place} {within}");
                    Item::new(format!("account {}", imported.account.name()), Did::Would, message.trim_end())
                }
                Err(error) => Item::new(format!("account in {place} {within}"), Did::Failed, error.to_string()),
            })
            .collect(),
    }
}

fn item(place: &str, result: Result<(Account, Import, bool), Failure>) -> Item {
    match result {
        Ok((account, import, provisional)) => {
            let what = format!("account {}", account.name());
            let (outcome, said) = match import.outcome {
                ImportOutcome::Added => (Did::Done, "imported"),
                ImportOutcome::Updated => (Did::Done, "was known; its sign-in was replaced"),
                ImportOutcome::Unchanged => (Did::Unchanged, "is here already"),
            };
            let mut message = format!("{said} ({})", import.id);
            if import.active {
                message += "; it is the one that pays";
            }
            if provisional {
                message += "; it gets its name with its first use";
            }
            Item::new(what, outcome, message)
        }
        Err(failure) => match failure.error.downcast_ref::<ImportError>() {
            Some(ImportError::Older { name, .. }) => {
                Item::new(format!("account {name}"), Did::Unchanged, "a newer sign-in of it is here already")
            }
            _ => {
                let item = Item::new(format!("account in {place}"), Did::Failed, format!("{:#}", failure.error));
                Item { hint: failure.hint, ..item }
            }
        },
    }
}

/// The place without the folder that everything stands in.
fn short(place: &str, folder: &Path) -> String {
    let folder = format!("{}{}", folder.display(), std::path::MAIN_SEPARATOR);
    place.strip_prefix(&folder).unwrap_or(place).to_owned()
}

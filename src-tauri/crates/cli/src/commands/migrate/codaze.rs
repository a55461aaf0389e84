//! codaze: a folder with a file for each account (`seed-c.md` C-070). It kept no settings.

use super::{Did, Item, Work, accounts};
use crate::failure::Failure;

pub(super) async fn carry(work: &Work<'_>) -> Result<Vec<Item>, Failure> {
    let mut items = Vec::new();
    for file in accounts::json_files(work.folder)? {
        items.extend(accounts::of_file(&file, work).await);
    }
    if items.is_empty() {
        items.push(Item::new("accounts", Did::Skipped, "there is no account file in the folder"));
    }
    if work.folder.join("trash").is_dir() {
        let message = "sign-ins that had ended: they can only be made anew, with codeferry accounts add";
        items.push(Item::new("trash", Did::Skipped, message));
    }
    let message = "codaze used all accounts by turns, and kept its policy nowhere; here only the active account pays";
    let hint = "codeferry settings set rotation least_in_flight (or round_robin, fill_first)";
    items.push(Item::new("routing policy", Did::ByHand, message).hint(hint));
    Ok(items)
}

//! Pure tests. No IO, no async.

use super::{AccountId, Kind};

#[test]
fn one_person_in_two_workspaces_is_two_accounts() {
    let home = AccountId::derive(Kind::Codex, Some("workspace-a"), Some("user-1"));
    let work = AccountId::derive(Kind::Codex, Some("workspace-b"), Some("user-1"));
    let colleague = AccountId::derive(Kind::Codex, Some("workspace-b"), Some("user-2"));
    let plan = AccountId::derive(Kind::Plan, Some("workspace-b"), Some("user-2"));
    let ids = [&home, &work, &colleague, &plan];
    for (i, a) in ids.iter().enumerate() {
        for b in &ids[i + 1..] {
            assert_ne!(a, b);
        }
    }
    assert_eq!(home, AccountId::derive(Kind::Codex, Some("workspace-a"), Some("user-1")), "the same every time");
}

#[test]
fn the_parts_of_an_identity_do_not_run_together() {
    assert_ne!(
        AccountId::derive(Kind::Codex, Some("ab"), Some("c")),
        AccountId::derive(Kind::Codex, Some("a"), Some("bc"))
    );
    assert_ne!(AccountId::derive(Kind::Codex, Some(""), Some("c")), AccountId::derive(Kind::Codex, None, Some("c")));
}

#[test]
fn only_the_form_of_an_id_is_an_id() {
    let id = AccountId::derive(Kind::Plan, None, Some("user-1"));
    assert_eq!(id.as_str().parse(), Ok(id.clone()));
    for wrong in
        ["", "acc_", "acc_0123456789ABCDEF", "acc_0123456789abcde", "acc_0123456789abcdef0", "acc_../../../etc/x"]
    {
        wrong.parse::<AccountId>().unwrap_err();
    }
}

//! `codeferry accounts list`.

use codeferry_accounts::quota::window_name;
use jiff::Timestamp;

use super::pool;
use crate::commands::status::local;
use crate::commands::{Context, Outcome};
use crate::failure::{Exit, Failure};
use crate::guest::{Guest, Listed, Quota};
use crate::print::table;

pub(super) async fn run(json: bool, context: &Context) -> Outcome {
    let accounts = accounts(context).await?;
    if json {
        context.print.json(&accounts)?;
    } else {
        context.print.data(&table(&accounts.iter().map(row).collect::<Vec<_>>()))?;
        for account in &accounts {
            if let Some(warning) = &account.warning {
                context.print.warning(&format!("{}: {warning}", account.name()));
            }
        }
    }
    if accounts.is_empty() {
        context.print.note("no account is signed in");
        context.print.hint("sign in: codeferry accounts add (or bring accounts along: codeferry accounts import FILE)");
    }
    // A script asks with this whether somebody has to sit down and sign in.
    let stuck = !accounts.is_empty() && accounts.iter().all(Listed::needs_sign_in);
    Ok(if stuck { Exit::NeedsSignIn } else { Exit::Done })
}

/// The gateway knows more than the vault (who rests until when), and asking it costs no visit to the keychain. One
/// that serves the demo has not opened the vault.
pub(crate) async fn accounts(context: &Context) -> Result<Vec<Listed>, Failure> {
    let (accounts, whole) = match running(context).await {
        Ok(Some((accounts, whole))) => (accounts, whole),
        Ok(None) => (Vec::new(), false),
        Err(failure) => {
            context.print.warning(&format!("{:#}: this is what the vault says", failure.error));
            (Vec::new(), false)
        }
    };
    if whole {
        return Ok(accounts);
    }
    let pool = pool(context);
    pool.reload().await?;
    let stored = pool.list();
    stored
        .iter()
        .map(|account| Listed::from_pool(account).map_err(Failure::from))
        .chain(accounts.into_iter().map(Ok))
        .collect()
}

/// The accounts of the running gateway, and whether those of the vault are among them.
async fn running(context: &Context) -> Result<Option<(Vec<Listed>, bool)>, Failure> {
    let Some((guest, owner)) = Guest::find(&context.paths).await? else { return Ok(None) };
    // It reads the vault when it first needs an account; that may not have been yet.
    for problem in guest.reload().await? {
        context.print.warning(&problem);
    }
    Ok(Some((guest.accounts().await?, !owner.demo)))
}

/// Active mark, id, kind, name, plan, state, what is used.
fn row(account: &Listed) -> [String; 7] {
    let mark = if account.active { "*" } else { "" };
    let name = if account.name() == account.id { "" } else { account.name() };
    let texts =
        [mark, &account.id, &account.kind, name, account.plan.as_deref().or(account.url.as_deref()).unwrap_or("")];
    let [a, b, c, d, e] = texts.map(str::to_owned);
    [a, b, c, d, e, state(account), account.quota.as_ref().map(used).unwrap_or_default()]
}

fn state(account: &Listed) -> String {
    let mut text = account.state.replace('_', " ");
    if let Some(until) = account.until {
        text += &format!(" until {}", local(until));
    }
    if let Some(why) = &account.why {
        text += &format!(": {}", if account.needs_sign_in() { why.clone() } else { why.replace('_', " ") });
    }
    if account.named {
        text += ", by name";
    }
    if account.paused {
        text += ", paused";
    }
    if account.read_only.is_some() {
        text += ", read-only";
    }
    if account.priority != 0 {
        text += &format!(", priority {}", account.priority);
    }
    text
}

/// The windows of the plan itself. Limits of their own are shown by `quota`.
fn used(quota: &Quota) -> String {
    let main = quota.windows.iter().filter(|window| window.family == codeferry_accounts::quota::MAIN);
    let used = main.map(|window| format!("{} {:.0}%", window_name(window.minutes), window.used_percent.floor()));
    used.collect::<Vec<_>>().join(", ")
}

/// For people, in the time of this machine; the day only where it is not today's.
pub(crate) fn clock(moment: Timestamp, now: Timestamp, zone: &jiff::tz::TimeZone) -> String {
    let (moment, now) = (moment.to_zoned(zone.clone()), now.to_zoned(zone.clone()));
    let form = if moment.date() == now.date() { "%H:%M" } else { "%a %-d %b %H:%M" };
    moment.strftime(form).to_string()
}

#[cfg(test)]
mod tests {
    use super::{Listed, row, table};

    fn listed(json: &str) -> Listed {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_line_says_who_pays_and_why_another_cannot() {
        let ready = listed(
            r#"{"id":"acc_0123456789abcdef","kind":"plan","email":"a@example.com","label":null,"plan":"plus","active":true,
                "ephemeral":false,"state":"ready","expires_at":null,"last_refresh":null}"#,
        );
        let dead = listed(
            r#"{"id":"acc_fedcba9876543210","kind":"codex","email":null,"label":null,"plan":null,"active":false,
                "ephemeral":false,"state":"needs_sign_in","why":"refresh_token_reused","expires_at":null,"last_refresh":null}"#,
        );
        let text = table(&[row(&ready), row(&dead)]);
        assert_eq!(
            text,
            "*  acc_0123456789abcdef  plan   a@example.com  plus  ready\n\
             \x20  acc_fedcba9876543210  codex                       needs sign in: refresh_token_reused"
        );
    }

    #[test]
    fn an_account_that_is_asked_for_by_name_says_so_and_where_it_is() {
        let server = listed(
            r#"{"id":"acc_0123456789abcdef","kind":"compatible","email":null,"label":"ollama","plan":null,"active":false,
                "named":true,"url":"http://127.0.0.1:11434/v1","ephemeral":false,"state":"ready","expires_at":null,
                "last_refresh":null}"#,
        );
        let text = table(&[row(&server)]);
        assert_eq!(text, "  acc_0123456789abcdef  compatible  ollama  http://127.0.0.1:11434/v1  ready, by name");
    }

    #[test]
    fn it_ends_with_what_is_used_and_what_was_chosen_for_it() {
        let account = listed(
            r#"{"id":"acc_0123456789abcdef","kind":"codex","email":"a@example.com","label":"work","plan":"pro","active":false,
                "ephemeral":false,"state":"ready","expires_at":null,"last_refresh":null,"paused":true,"priority":-2,
                "read_only":"/home/a/.codex/auth.json","in_flight":0,"warning":null,
                "quota":{"windows":[
                    {"minutes":300,"family":"codex","title":null,"used_percent":62.9,"resets_at":null,
                     "seen_at":"2026-11-20T06:00:00Z","forecast":null},
                    {"minutes":10080,"family":"codex","title":null,"used_percent":100.0,"resets_at":null,
                     "seen_at":"2026-11-20T06:00:00Z","forecast":null},
                    {"minutes":60,"family":"other","title":"Other","used_percent":1.0,"resets_at":null,
                     "seen_at":"2026-11-20T06:00:00Z","forecast":null}],
                  "credits":null,"plan":"pro","reset_credits":null,"seen_at":"2026-11-20T06:00:00Z"}}"#,
        );
        let text = table(&[row(&account)]);
        assert!(text.ends_with("work  pro  ready, paused, read-only, priority -2  5-hour 62%, weekly 100%"), "{text}");
    }
}

//! `codeferry accounts`: the accounts that pay.
//!
//! What is only written down works on the vault, whose locks make that safe beside a running gateway, and then the
//! gateway is told. What needs the network goes over the [`Desk`](crate::desk::Desk).

mod add;
mod change;
pub(crate) mod import;
mod list;
mod remove;
mod verify;
mod watch;

use clap::Subcommand;
use codeferry_accounts::{ChooseError, Kind, LabelError, Pool};

pub(crate) use self::add::{Added, New};
pub(crate) use self::list::{accounts, clock};
use crate::commands::{Context, Outcome};
use crate::failure::Failure;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Sign in with a ChatGPT account, or add a server that is asked for by name
    Add(Box<add::Args>),
    /// Add accounts from a file or a folder, or give known ones a new sign-in
    Import(import::Args),
    /// Import account files as they come into a folder, until Ctrl-C
    Watch(watch::Args),
    /// List the accounts and how they fare
    List {
        /// Print one line of JSON
        #[arg(long)]
        json: bool,
    },
    /// Make another account the one that pays
    Switch {
        /// Its id, label or e-mail address
        who: String,
    },
    /// Call an account something, or nothing in particular any more
    Label {
        /// Its id, label or e-mail address
        who: String,
        /// At most 64 characters; none takes the label away
        text: Option<String>,
    },
    /// Leave an account alone until it is resumed
    Pause {
        /// Its id, label or e-mail address
        who: String,
    },
    /// Use a paused account again
    Resume {
        /// Its id, label or e-mail address
        who: String,
    },
    /// Prefer an account to others; of no consequence while `rotation` is personal
    Priority {
        /// Its id, label or e-mail address
        who: String,
        /// Higher goes first; all begin at 0
        #[arg(allow_hyphen_values = true)]
        priority: i32,
    },
    /// End the rest of an account, whatever it rests for
    Wake {
        /// Its id, label or e-mail address
        who: String,
    },
    /// See whether accounts can be used, without spending a refresh token
    Verify(verify::Args),
    /// Forget an account, and end its sign-in
    Remove {
        /// Its id, label or e-mail address
        who: String,
    },
    /// Forget all accounts, and end their sign-ins
    Clear {
        /// Yes, all of them
        #[arg(long)]
        yes: bool,
    },
}

pub(crate) async fn run(command: Command, context: &Context) -> Outcome {
    match command {
        Command::Add(args) => add::run(&args, context).await,
        Command::Import(args) => import::run(&args, context).await,
        Command::Watch(args) => watch::run(&args, context).await,
        Command::List { json } => list::run(json, context).await,
        Command::Switch { who } => change::switch(&who, context).await,
        Command::Label { who, text } => change::label(&who, text, context).await,
        Command::Pause { who } => change::pause(&who, context).await,
        Command::Resume { who } => change::resume(&who, context).await,
        Command::Priority { who, priority } => change::priority(&who, priority, context).await,
        Command::Wake { who } => change::wake(&who, context).await,
        Command::Verify(args) => verify::run(&args, context).await,
        Command::Remove { who } => remove::one(&who, context).await,
        Command::Clear { yes } => remove::all(yes, context).await,
    }
}

fn pool(context: &Context) -> Pool {
    codeferry_app::vault_pool(&context.paths, &context.environment)
}

fn choice(error: ChooseError) -> Failure {
    match &error {
        ChooseError::Unknown { .. } | ChooseError::Ambiguous { .. } | ChooseError::Named { .. } => {
            Failure::conflict(error)
        }
        ChooseError::Busy { .. } | ChooseError::Vault(_) => Failure::from(error),
    }
}

fn unfit(error: LabelError) -> Failure {
    match error {
        LabelError::Choose(error) => choice(error),
        LabelError::Unfit | LabelError::Taken { .. } | LabelError::Named(_) => Failure::conflict(error),
        LabelError::Vault(_) => Failure::from(error),
    }
}

/// The kinds people have.
fn real_kind(text: &str) -> Result<Kind, String> {
    match text.parse() {
        Ok(kind @ (Kind::Codex | Kind::Plan)) => Ok(kind),
        _ => Err("use codex or plan".to_owned()),
    }
}

/// The kinds that can be added.
fn kind_to_add(text: &str) -> Result<Kind, String> {
    match text.parse() {
        Ok(kind @ (Kind::CodexCli | Kind::Compatible | Kind::OpenaiKey)) => Ok(kind),
        _ => real_kind(text).map_err(|_| "use plan, codex, codex_cli, compatible or openai_key".to_owned()),
    }
}

/// What people are to call a kind.
fn kind_in_words(kind: Kind) -> &'static str {
    match kind {
        Kind::Plan => "ChatGPT plan",
        Kind::Codex => "Codex login, unofficial",
        Kind::Demo => "demo",
        Kind::Compatible => "OpenAI-compatible server",
        Kind::OpenaiKey => "OpenAI API key, paid per token",
        Kind::CodexCli => "Codex CLI, a program beside us",
    }
}

#[cfg(test)]
mod tests {
    use super::real_kind;

    #[test]
    fn only_real_accounts_are_added() {
        assert!(real_kind("codex").is_ok() && real_kind("plan").is_ok());
        assert!(real_kind("demo").is_err() && real_kind("").is_err());
    }
}

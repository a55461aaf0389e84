//! `codeferry settings`: what can be chosen.

use clap::Subcommand;
use codeferry_store::{Listed, SetError};

use crate::commands::{Context, Outcome};
use crate::failure::{Exit, Failure};
use crate::print::table;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Print the value of a setting, alone
    Get {
        /// `codeferry settings list` names them all
        key: String,
    },
    /// Change a setting
    Set {
        /// `codeferry settings list` names them all
        key: String,
        /// The new value
        // `settings set port -1` is a bad value, not an unknown option.
        #[arg(allow_hyphen_values = true)]
        value: String,
    },
    /// Go back to the default
    Unset {
        /// `codeferry settings list` names them all
        key: String,
    },
    /// List all settings and what they mean
    List {
        /// Print one line of JSON
        #[arg(long)]
        json: bool,
    },
}

pub(crate) async fn run(command: Command, context: &Context) -> Outcome {
    let settings = codeferry_app::settings(&context.paths)?;
    match command {
        Command::Get { key } => {
            let value = settings.get(&key).map_err(Failure::conflict)?;
            context.print.data(&value.to_string())?;
        }
        Command::Set { key, value } => {
            let value = settings.set(&key, &value).map_err(refused)?;
            context.tell_owner().await;
            context.print.note(&format!("{key} is now {value}"));
        }
        Command::Unset { key } => {
            let was_set = settings.unset(&key).map_err(refused)?;
            context.tell_owner().await;
            context.print.note(&match (was_set, settings.get(&key)) {
                (false, _) => format!("{key} was not set"),
                (true, Ok(value)) => format!("{key} is now {value}, the default"),
                (true, Err(_)) => format!("{key} is gone"),
            });
        }
        Command::List { json } => {
            let list = settings.list();
            if json {
                context.print.json(&list)?;
            } else {
                context.print.data(&lines(&list))?;
            }
            for problem in settings.problems() {
                context.print.warning(&problem.to_string());
            }
        }
    }
    Ok(Exit::Done)
}

/// The values first, as one would look for them; a star marks what was set. Then what they mean.
fn lines(list: &[Listed]) -> String {
    let mark = |listed: &Listed| if listed.set { "*" } else { "" }.to_owned();
    let values: Vec<_> = list.iter().map(|l| [mark(l), l.key.clone(), l.value.to_string()]).collect();
    let meanings = list.iter().map(|l| format!("\n{}: {}\n  {} Must be {}.", l.key, l.value, l.doc, l.allowed));
    format!("{}\n{}", table(&values), meanings.collect::<Vec<_>>().join("\n"))
}

fn refused(error: SetError) -> Failure {
    match error {
        SetError::UnknownKey(_) | SetError::BadValue { .. } => Failure::conflict(error),
        SetError::File(_) | SetError::Write { .. } => Failure::from(error),
    }
}

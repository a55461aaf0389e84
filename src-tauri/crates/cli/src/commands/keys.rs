//! `codeferry keys`: who may use the gateway.

use clap::Subcommand;
use codeferry_store::{KeyError, KeyInfo};

use crate::commands::status::local;
use crate::commands::{Context, Outcome};
use crate::failure::{Exit, Failure};
use crate::print::table;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a key for a client and print it, this once
    Create {
        /// What to call it: the client, the machine
        name: String,
    },
    /// List the keys, without what opens
    List {
        /// Print one line of JSON
        #[arg(long)]
        json: bool,
    },
    /// Let the client with this key in no longer
    Revoke {
        /// The name it was made with
        name: String,
    },
}

pub(crate) async fn run(command: Command, context: &Context) -> Outcome {
    let keys = codeferry_app::client_keys(&context.paths)?;
    match command {
        Command::Create { name } => {
            let made = keys.create(&name, codeferry_app::system_clock()()).map_err(refused)?;
            // First, so that the key works by the time it can be read.
            context.tell_owner().await;
            context.print.data(&made.key)?;
            context.print.note("it is shown this once; clients send it as a bearer token or as x-api-key");
        }
        Command::List { json } => {
            let list = keys.list()?;
            if json {
                context.print.json(&list)?;
            } else {
                context.print.data(&table(&list.iter().map(row).collect::<Vec<_>>()))?;
            }
            if list.is_empty() {
                context.print.note("no client can come in yet");
                context.print.hint("make a key: codeferry keys create NAME");
            }
        }
        Command::Revoke { name } => {
            keys.revoke(&name).map_err(refused)?;
            context.tell_owner().await;
            context.print.note(&format!("the key {name} opens nothing any more"));
        }
    }
    Ok(Exit::Done)
}

fn row(key: &KeyInfo) -> [String; 3] {
    [key.name.clone(), local(key.created_at), format!("…{}", key.ends_with)]
}

fn refused(error: KeyError) -> Failure {
    match error {
        KeyError::NameTaken(_) | KeyError::BadName(_) | KeyError::Unknown { .. } => Failure::conflict(error),
        _ => Failure::from(error),
    }
}

//! `codeferry`: the headless gateway and its command line.
//!
//! - [`args`] is what was typed; [`commands`] has one file for each command.
//! - [`mod@print`] is the one place that prints; [`failure`] says how a command ends.
//! - [`history`] asks for what happened, wherever that is known; [`columns`] and [`figures`] make tables of it.
//! - [`guest`] speaks to a gateway that is already running; [`desk`] runs one for an errand where there is none.
//!
//! **Invariant:** the CLI decides nothing about requests. It starts an app, changes what is on disk, or asks the
//! running gateway through the control plane.

mod args;
mod browser;
mod columns;
mod commands;
mod desk;
mod failure;
mod figures;
mod guest;
mod history;
mod logging;
mod print;
mod signals;
mod stdin;

use std::process::ExitCode;

use clap::Parser as _;
use clap::error::ErrorKind;
use codeferry_app::{Environment, Paths, old_names};

use crate::args::Args;
use crate::commands::Context;
use crate::failure::{Exit, Failure};
use crate::print::Print;

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => return misread(&error),
    };
    // The one place of this program that looks at the environment.
    let environment = Environment::read(std::env::var_os).map(|read| read.seeing(std::env::vars_os()));
    let print = Print::new(environment.as_ref().is_ok_and(|environment| environment.no_color));
    let prepared = environment.map_err(Failure::conflict).and_then(|environment| {
        let paths = Paths::of(&environment).map_err(Failure::conflict)?;
        Ok(Context { environment, paths, print })
    });
    match prepared.and_then(|context| commands::run(args, &context)) {
        Ok(exit) => exit.into(),
        Err(failure) => {
            print.error(&format!("{:#}", failure.error));
            if let Some(hint) = &failure.hint {
                print.hint(hint);
            }
            debug_assert_ne!(failure.exit, Exit::Done, "a failure is never done");
            failure.exit.into()
        }
    }
}

/// Help, or an error; and what a flag that another system had is called here.
fn misread(error: &clap::Error) -> ExitCode {
    // Nobody is left to hear that nobody hears us.
    drop(error.print());
    if error.kind() == ErrorKind::UnknownArgument {
        let typed = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned());
        for flag in old_names::flags_in(typed) {
            Print::new(false).hint(&flag.to_string());
        }
    }
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

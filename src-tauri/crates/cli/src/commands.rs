//! One file for each command.

pub(crate) mod accounts;
pub(crate) mod keys;
pub(crate) mod route;
pub(crate) mod serve;
pub(crate) mod settings;
pub(crate) mod status;
pub(crate) mod token;

use codeferry_app::{Environment, Paths};

use crate::args::{Args, Command};
use crate::failure::{Exit, Failure};
use crate::guest::Guest;
use crate::logging;
use crate::print::Print;

/// How a command ends. `Ok` with another code than [`Exit::Done`] has said already what there is to say.
pub(crate) type Outcome = Result<Exit, Failure>;

/// What every command needs.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) environment: Environment,
    pub(crate) paths: Paths,
    pub(crate) print: Print,
}

/// Does what was asked for.
pub(crate) fn run(args: Args, context: &Context) -> Outcome {
    match args.command {
        Command::Serve(args) => serve::run(&args, context),
        Command::Demo(listen) => serve::run(&serve::Args { listen, demo: true, guided: true }, context),
        other => {
            let color = context.print.color();
            logging::start(logging::Format::Human, context.environment.log.as_deref(), "warn", color)?;
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(quick(other, context))
        }
    }
}

/// The commands that end by themselves.
async fn quick(command: Command, context: &Context) -> Outcome {
    match command {
        Command::Serve(_) | Command::Demo(_) => Ok(Exit::Done),
        Command::Keys(command) => keys::run(command, context).await,
        Command::Token => token::run(context),
        Command::Settings(command) => settings::run(command, context).await,
        Command::Accounts(command) => accounts::run(command, context).await,
        Command::Route(args) => route::run(&args, context),
        Command::Status(args) => status::run(&args, context).await,
    }
}

// === impl Context ===

impl Context {
    /// Makes a running gateway see what was just changed on disk. That it does not answer is no failure of the change.
    pub(crate) async fn tell_owner(&self) {
        let told = match Guest::find(&self.paths).await {
            Ok(None) => return,
            Ok(Some(guest)) => guest.reload().await,
            Err(error) => Err(error),
        };
        match told {
            Ok(problems) => problems.iter().for_each(|problem| self.print.warning(problem)),
            Err(error) => self.print.warning(&format!("{error:#}: it sees the change when it is restarted")),
        }
    }
}

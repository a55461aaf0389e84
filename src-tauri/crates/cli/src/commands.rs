//! One file for each command.

pub(crate) mod accounts;
pub(crate) mod cache;
pub(crate) mod capture;
pub(crate) mod dashboard;
pub(crate) mod doctor;
pub(crate) mod env;
pub(crate) mod exchanges;
pub(crate) mod keys;
pub(crate) mod logs;
pub(crate) mod migrate;
pub(crate) mod quota;
pub(crate) mod route;
pub(crate) mod run;
pub(crate) mod serve;
pub(crate) mod settings;
pub(crate) mod setup;
pub(crate) mod status;
pub(crate) mod token;
mod told;
pub(crate) mod usage;

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
        Command::Run(args) => run::run(&args, context),
        Command::Setup(args) => brief(context, setup::run(args, context)),
        Command::Env(args) => brief(context, env::run(&args, context)),
        Command::Keys(command) => brief(context, keys::run(command, context)),
        Command::Token => brief(context, token::run(context)),
        Command::Settings(command) => brief(context, settings::run(command, context)),
        Command::Accounts(command) => brief(context, accounts::run(command, context)),
        Command::Quota(args) => brief(context, quota::run(args, context)),
        Command::Route(args) => brief(context, route::run(&args, context)),
        Command::Dashboard(args) => brief(context, dashboard::run(&args, context)),
        Command::Doctor(args) => brief(context, doctor::run(&args, context)),
        Command::Status(args) => brief(context, status::run(&args, context)),
        Command::Exchanges(args) => brief(context, exchanges::run(args, context)),
        Command::Usage(args) => brief(context, usage::run(&args, context)),
        Command::Cache(args) => brief(context, cache::run(&args, context)),
        Command::Logs(args) => brief(context, logs::run(&args, context)),
        Command::Capture(command) => brief(context, capture::run(command, context)),
        Command::Migrate(args) => brief(context, migrate::run(&args, context)),
    }
}

/// A command that ends by itself.
fn brief(context: &Context, work: impl Future<Output = Outcome>) -> Outcome {
    logging::start(logging::Format::Human, "warn", context)?;
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(work)
}

// === impl Context ===

impl Context {
    /// How wide a table may be: as the terminal is, else as somebody says. A file takes lines of any length.
    pub(crate) fn room(&self) -> Option<usize> {
        match terminal_size::terminal_size_of(std::io::stdout()) {
            Some((width, _)) => Some(width.0.into()),
            None => self.environment.columns,
        }
    }

    /// Makes a running gateway see what was just changed on disk. That it does not answer is no failure of the change.
    pub(crate) async fn tell_owner(&self) {
        let told = match Guest::find(&self.paths).await {
            Ok(None) => return,
            Ok(Some((guest, _))) => guest.reload().await,
            Err(error) => Err(error),
        };
        match told {
            Ok(problems) => problems.iter().for_each(|problem| self.print.warning(problem)),
            Err(error) => self.print.warning(&format!("{error:#}: it sees the change when it is restarted")),
        }
    }
}

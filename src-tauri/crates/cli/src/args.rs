//! What was typed. What it means is decided by the commands.

use clap::{Parser, Subcommand};

use crate::commands::{
    accounts, cache, capture, dashboard, doctor, env, exchanges, keys, logs, migrate, quota, route, run, serve,
    settings, setup, status, usage,
};

/// A gateway on your own machine that lets coding agents use the ChatGPT plan you already pay for
#[derive(Debug, Parser)]
#[command(name = "codeferry", version, after_help = AFTER)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const AFTER: &str = "\
Exit codes: 0 done, 1 failed, 2 wrong usage or a conflict, 3 an account needs to sign in.
State is kept under CODEFERRY_HOME, by default the platform's data folder.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve in the foreground until SIGINT or SIGTERM
    Serve(serve::Args),
    /// Serve with the embedded demo account, and say what to try
    Demo(serve::Listen),
    /// Set clients up, so that they come here by their own settings, and take that back
    Setup(setup::Args),
    /// Start a client that comes here, without changing its files
    Run(run::Args),
    /// Print what a shell has to set so that clients started from it come here; no file is changed
    Env(env::Args),
    /// Client keys: what a client shows to be let in
    #[command(subcommand)]
    Keys(keys::Command),
    /// Print the token of the control plane
    Token,
    /// What can be chosen
    #[command(subcommand)]
    Settings(settings::Command),
    /// The accounts that pay
    #[command(subcommand)]
    Accounts(accounts::Command),
    /// What is left of the accounts' plans
    Quota(quota::Args),
    /// Say which upstream model a name leads to, and why
    Route(route::Args),
    /// Open the running gateway in a browser
    Dashboard(dashboard::Args),
    /// Look what is well and what is not, and say what to do
    Doctor(doctor::Args),
    /// Ask the running gateway how it fares
    Status(status::Args),
    /// Show what was asked of the gateway, what became of it and what it cost
    Exchanges(exchanges::Args),
    /// Sum up what was used
    Usage(usage::Args),
    /// Show how much came from the prompt cache, and what broke it
    Cache(cache::Args),
    /// Show what the gateway said last, and follow it
    Logs(logs::Args),
    /// Whole exchanges, word for word, for a bug report
    #[command(subcommand)]
    Capture(capture::Command),
    /// Bring along accounts and settings of codex-proxy, codaze or codex-completions-api
    Migrate(migrate::Args),
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use super::{Args, Command};

    #[test]
    fn the_definition_is_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn hosts_are_addresses_or_localhost() {
        let host = |host: &str| match Args::try_parse_from(["codeferry", "serve", "--host", host])?.command {
            Command::Serve(args) => Ok(args.listen.host.map(|host| host.to_string())),
            other => panic!("{other:?}"),
        };
        let parsed = |text: &str| host(text).map_err(|error: clap::Error| error.to_string());
        assert_eq!(parsed("127.0.0.1").unwrap().as_deref(), Some("127.0.0.1"));
        assert_eq!(parsed("localhost").unwrap().as_deref(), Some("127.0.0.1"));
        assert_eq!(parsed("::1").unwrap().as_deref(), Some("::1"));
        assert_eq!(parsed("[::1]").unwrap().as_deref(), Some("::1"));
        let error = parsed("box.lan").unwrap_err();
        assert!(error.contains("box.lan") && error.contains("address"), "{error}");
    }
}

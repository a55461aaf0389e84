//! Turns the server's `listening` line into the lines a person needs.

use std::io::{self, BufRead as _};
use std::path::PathBuf;

use anyhow::{Context as _, Result};

use crate::say;
use crate::tools::CLAUDE_CODE;

/// How `start` hands over the client key.
pub(crate) const KEY_VARIABLE: &str = "CODEFERRY_XTASK_KEY";

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[arg(long)]
    codeferry: PathBuf,
    #[arg(long)]
    demo: bool,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let key = std::env::var(KEY_VARIABLE).with_context(|| format!("{KEY_VARIABLE} is not set"))?;
    for line in io::stdin().lock().lines() {
        let line = line.context("cannot read what the server prints")?;
        match listening_url(&line) {
            Some(url) => say::data(&explain(url, &key, args)),
            None => say::data(&line),
        }
    }
    Ok(())
}

/// The address in `{"event":"listening","url":"http://…","pid":…}`.
///
/// An address holds no character that JSON escapes, so this needs no JSON reader.
fn listening_url(line: &str) -> Option<&str> {
    line.contains(r#""event":"listening""#).then_some(())?;
    let (_, rest) = line.split_once(r#""url":""#)?;
    rest.split_once('"').map(|(url, _)| url)
}

fn explain(url: &str, key: &str, args: &Args) -> String {
    let url = url.trim_end_matches('/');
    let set = |name: &str, value: &str| {
        if cfg!(windows) { format!("$env:{name} = \"{value}\"") } else { format!("export {name}={value}") }
    };
    let account = if args.demo {
        "Account   demo: scripted answers, nothing leaves this machine".to_owned()
    } else {
        format!("Accounts  {} accounts list", args.codeferry.display())
    };
    format!(
        "
Codeferry is listening.

  Address   {url}
  Key       {key}
  {account}

Point Claude Code at it, in another terminal:

  npm i -g {claude}@{version}   # if you do not have it
  {base}
  {token}
  claude
{ask}
Ctrl-C stops the gateway.
",
        ask = if args.demo { "\nThe demo understands: list files · read README.md · run date\n" } else { "" },
        claude = CLAUDE_CODE.name,
        version = CLAUDE_CODE.version,
        base = set("ANTHROPIC_BASE_URL", url),
        token = set("ANTHROPIC_AUTH_TOKEN", key),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_listening_line_is_explained() {
        let line = r#"{"event":"listening","url":"http://127.0.0.1:8081","pid":7}"#;
        assert_eq!(listening_url(line), Some("http://127.0.0.1:8081"));
        assert_eq!(listening_url(r#"{"event":"stopped","url":"http://127.0.0.1:8081"}"#), None);
        assert_eq!(listening_url("listening on http://127.0.0.1:8081"), None);
    }

    #[test]
    fn the_lines_can_be_pasted_into_a_shell() {
        let args = Args { codeferry: "/x/codeferry".into(), demo: true };
        let text = explain("http://127.0.0.1:8081/", "cf_abc", &args);
        for name in ["ANTHROPIC_BASE_URL", "ANTHROPIC_AUTH_TOKEN"] {
            assert!(text.lines().any(|line| line.trim_start().contains(name)), "{text}");
        }
        assert!(!text.contains("8081/"), "the client appends /v1/… itself: {text}");
    }
}

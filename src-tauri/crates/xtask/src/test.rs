//! `cargo xtask test`: every test there is, with the real clients.

use anyhow::{Context as _, Result};

use crate::place::Place;
use crate::tools::{
    ANTHROPIC_SDK, CLAUDE_CODE, CODEX, GEMINI_CLI, GEMINI_NPM, LANGCHAIN, OPENAI_NPM, OPENAI_SDK, OPENCODE, debian,
    node, python,
};
use crate::{run, say, shell, ui};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Do not install or use Claude Code, the Codex CLI, opencode, the Gemini CLI and the SDKs; the tests that need them say that they
    /// were skipped
    #[arg(long)]
    without_clients: bool,
    /// Passed on to `cargo test` instead of `--workspace`, for example `-- -p codeferry-wire sse`
    #[arg(last = true)]
    cargo: Vec<String>,
}

pub(crate) fn run(place: &Place, args: &Args) -> Result<()> {
    debian::ensure(&[debian::COMPILER, debian::ROOTS])?;
    debian::wish(&[debian::KEYCHAIN]);
    debian::wish(&[debian::BROWSER]);
    let mut tests = run::cargo(place, &["test"]);
    if args.cargo.is_empty() {
        tests.args(shell::everything());
    } else {
        tests.args(&args.cargo);
    }
    if !args.without_clients {
        debian::ensure(&[debian::NODE, debian::PYTHON])?;
        let offline = "cannot install the real clients (`--without-clients` leaves them out)";
        let claude = node::install(place, CLAUDE_CODE, "claude").context(offline)?;
        let codex = node::install(place, CODEX, "codex").context(offline)?;
        let opencode = node::install(place, OPENCODE, "opencode").context(offline)?;
        let python = python::Environment::install(place, ANTHROPIC_SDK).context(offline)?;
        let openai = python::Environment::install(place, OPENAI_SDK).context(offline)?;
        let library = node::library(place, OPENAI_NPM, "index.mjs").context(offline)?;
        tests.env("CODEFERRY_TEST_OPENAI_PYTHON", openai.program("python")).env("CODEFERRY_TEST_OPENAI_NPM", library);
        let gemini = node::install(place, GEMINI_CLI, "gemini").context(offline)?;
        let library = node::library(place, GEMINI_NPM, "dist/node/index.mjs").context(offline)?;
        tests.env("CODEFERRY_TEST_GEMINI", gemini).env("CODEFERRY_TEST_GEMINI_NPM", library);
        let langchain = python::Environment::install(place, LANGCHAIN).context(offline)?;
        tests.env("CODEFERRY_TEST_LANGCHAIN", langchain.program("python"));
        tests.env("CODEFERRY_TEST_CODEX", codex).env("CODEFERRY_TEST_OPENCODE", opencode);
        tests.env("CODEFERRY_TEST_CLAUDE", claude).env("CODEFERRY_TEST_PYTHON", python.program("python"));
    }
    match args.without_clients {
        true => ui::build_if_possible(place),
        false => ui::build(place)?,
    }
    if args.cargo.is_empty() && !args.without_clients {
        say::step("running the tests of the dashboard");
        ui::test(place)?;
    }
    // Minutes, where it was not built before: only for tests that may start it.
    let on_a_desktop = args.cargo.is_empty() || args.cargo.iter().any(|arg| arg == "codeferry-tests");
    if on_a_desktop && shell::buildable() {
        say::step("building the gateway and the desktop app");
        shell::under_test(place, "debug", &mut tests)?;
    } else {
        say::step("building the gateway");
        run::run(&mut run::cargo(place, &["build", "--quiet", "-p", "codeferry-cli", "--bin", "codeferry"]))?;
        tests.env("CODEFERRY_BIN", place.built("debug", "codeferry"));
    }
    if args.cargo.is_empty() && !args.without_clients {
        say::step("running the tests of the dashboard in a browser");
        ui::test_pages(place, &place.built("debug", "codeferry"))?;
    }
    say::step("running the tests");
    run::run(&mut tests)?;
    say::data(&if args.without_clients {
        "All tests passed; the real clients were left out.".to_owned()
    } else {
        format!(
            "All tests passed, with Claude Code {}, Codex CLI {}, opencode {}, Gemini CLI {}, anthropic {}, openai {} \
             and {}, @google/genai {}.",
            CLAUDE_CODE.version,
            CODEX.version,
            OPENCODE.version,
            GEMINI_CLI.version,
            ANTHROPIC_SDK.version,
            OPENAI_SDK.version,
            OPENAI_NPM.version,
            GEMINI_NPM.version
        )
    });
    Ok(())
}

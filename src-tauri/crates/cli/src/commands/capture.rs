//! `codeferry capture`: whole exchanges, word for word, for a bug report.
//!
//! Whether something is captured is the running gateway's affair. What was captured lies in the data folder, and is read
//! there, with a gateway or without.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use clap::Subcommand;
use codeferry_store::capture::{CaptureError, Captures, Kept, Listing};
use serde::Serialize;

use crate::commands::status::local;
use crate::commands::{Context, Outcome};
use crate::failure::{Exit, Failure};
use crate::guest::{Capture, Guest};
use crate::print::table;

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write down what clients send and get, word for word, for some minutes
    On {
        /// For how long, at most four hours
        #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=240))]
        minutes: u64,
        /// Only for the client with the key of this name
        #[arg(long, value_name = "NAME")]
        client: Option<String>,
        /// Keep pictures and files as well
        #[arg(long)]
        images: bool,
    },
    /// Write nothing down any more; what there is stays until its time comes
    Off,
    /// Show what was captured, and whether something is now
    List {
        /// Print one line of JSON
        #[arg(long)]
        json: bool,
    },
    /// Print a capture, as JSON
    Show {
        /// The exchange [default: the last one captured]
        id: Option<String>,
    },
    /// Make a file for a bug report, without e-mail addresses and the names of home folders
    Export {
        /// The exchange [default: the last one captured]
        id: Option<String>,
        /// Where to [default: codeferry-ID.json.gz in this folder]
        #[arg(short, long, value_name = "FILE")]
        output: Option<PathBuf>,
    },
    /// Remove all that was captured, and capture nothing any more
    Clear,
}

/// What `list --json` prints.
#[derive(Serialize)]
struct Report {
    #[serde(flatten)]
    state: Capture,
    #[serde(flatten)]
    listing: Listing,
}

pub(crate) async fn run(command: Command, context: &Context) -> Outcome {
    match command {
        Command::On { minutes, client, images } => on(minutes, client.as_deref(), images, context).await,
        Command::Off => off(context).await,
        Command::List { json } => list(json, context).await,
        Command::Show { id } => {
            state(context).await?;
            let captures = codeferry_app::captures(&context.paths)?;
            let document = captures.read(&meant(id, &captures)?).map_err(refused)?;
            context.print.data(String::from_utf8_lossy(&document).trim_end())?;
            Ok(Exit::Done)
        }
        Command::Export { id, output } => export(id, output, context).await,
        Command::Clear => clear(context).await,
    }
}

async fn on(minutes: u64, client: Option<&str>, images: bool, context: &Context) -> Outcome {
    let Some((guest, _)) = Guest::find(&context.paths).await? else {
        let error = anyhow!("no gateway serves {}, so there is nothing to capture", context.paths.home().display());
        return Err(Failure::from(error).hint("start one: codeferry serve"));
    };
    let state = guest.capture(minutes, client, images).await?;
    let folder = codeferry_app::captures(&context.paths)?.folder().display().to_string();
    context.print.warning(&format!("{}, and is written to {folder}", describe(&state)));
    context
        .print
        .note("keys and tokens are taken out; what is said is not. It ends by itself, or when the gateway stops");
    context.print.hint("let it happen, then: codeferry capture export");
    Ok(Exit::Done)
}

async fn off(context: &Context) -> Outcome {
    let was_on = match Guest::find(&context.paths).await? {
        Some((guest, _)) => guest.end_capture().await?,
        None => false,
    };
    context.print.note(if was_on { "nothing is captured any more" } else { "nothing was being captured" });
    Ok(Exit::Done)
}

async fn list(json: bool, context: &Context) -> Outcome {
    let state = state(context).await?;
    let listing = codeferry_app::captures(&context.paths)?.list().map_err(refused)?;
    if json {
        context.print.json(&Report { state, listing })?;
        return Ok(Exit::Done);
    }
    context.print.data(&table(&listing.captures.iter().map(row).collect::<Vec<_>>()))?;
    if state.on {
        context.print.warning(&describe(&state));
    }
    if let Some(problem) = &state.problem {
        context.print.warning(&format!("{} captures were lost: {problem}", state.dropped));
    }
    if listing.damaged > 0 {
        context.print.warning(&format!("{} files cannot be read; they go when their time comes", listing.damaged));
    }
    if listing.captures.is_empty() && !state.on {
        context.print.note("nothing was captured");
        context.print.hint("to begin: codeferry capture on");
    }
    Ok(Exit::Done)
}

async fn export(id: Option<String>, output: Option<PathBuf>, context: &Context) -> Outcome {
    state(context).await?;
    let captures = codeferry_app::captures(&context.paths)?;
    let id = meant(id, &captures)?;
    let packed = captures.bundle(&id).map_err(refused)?;
    let path = output.unwrap_or_else(|| PathBuf::from(Captures::bundle_name(&id)));
    write(&path, &packed)?;
    context.print.data(&path.display().to_string())?;
    context.print.note(
        "keys, tokens, e-mail addresses and the names of home folders are taken out, as far as they can be recognised;\n\
         what was said to the model and what it answered is in it. Look through it before you give it to others",
    );
    context.print.hint(&format!("to look: gunzip -c {}", path.display()));
    Ok(Exit::Done)
}

/// Whether the running gateway captures something. It has written what it captured when it answers.
async fn state(context: &Context) -> Result<Capture, Failure> {
    match Guest::find(&context.paths).await? {
        Some((guest, _)) => guest.captures().await,
        None => Ok(Capture::default()),
    }
}

/// What is there already is not written over.
fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path).and_then(|mut file| file.write_all(bytes)) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            Err(Failure::conflict(anyhow!("{} is there already", path.display())).hint("name another file: -o FILE"))
        }
        written => written.with_context(|| format!("cannot write {}", path.display())).map_err(Failure::from),
    }
}

async fn clear(context: &Context) -> Outcome {
    // First, so that nothing comes after it.
    if let Some((guest, _)) = Guest::find(&context.paths).await? {
        guest.end_capture().await?;
    }
    let gone = codeferry_app::captures(&context.paths)?.clear().map_err(refused)?;
    context.print.note(&match gone {
        1 => "one capture is gone".to_owned(),
        gone => format!("{gone} captures are gone"),
    });
    Ok(Exit::Done)
}

/// The one that is named, or the last.
fn meant(id: Option<String>, captures: &Captures) -> Result<String, Failure> {
    if let Some(id) = id {
        return Ok(id);
    }
    let last = captures.list().map_err(refused)?.captures.into_iter().next();
    last.map(|last| last.summary.id)
        .ok_or_else(|| Failure::conflict(anyhow!("nothing was captured")).hint("to begin: codeferry capture on"))
}

fn refused(error: CaptureError) -> Failure {
    match error {
        CaptureError::Unknown(_) => Failure::conflict(error).hint("see them all: codeferry capture list"),
        error => Failure::from(error),
    }
}

/// Id, when, who, what and how it ended.
fn row(kept: &Kept) -> [String; 6] {
    let summary = &kept.summary;
    let status = summary.status.map_or_else(String::new, |status| format!(" {status}"));
    [
        summary.id.clone(),
        local(summary.at),
        summary.client.clone(),
        summary.asked.clone(),
        format!("{}{status}", summary.outcome),
        format!("{} KiB, until {}", kept.bytes.div_ceil(1024), local(kept.expires_at)),
    ]
}

/// What is captured at present, in a sentence.
pub(crate) fn describe(state: &Capture) -> String {
    let until = state.until.map(local).unwrap_or_default();
    let what = match &state.client {
        Some(client) => format!("what the client {client} sends and gets"),
        None => "what all clients send and get".to_owned(),
    };
    let images = if state.images == Some(true) { "with" } else { "without" };
    format!("until {until} {what} is captured, {images} pictures and files")
}

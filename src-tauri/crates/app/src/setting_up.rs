//! Setting clients up where no gateway runs, or beside one.

use std::path::Path;
use std::sync::Arc;

use codeferry_gateway::setup::{Offer, Setup};
use codeferry_store::{ClientKeys, ClientsOnQuit, KeyError, OpenError, Settings};

use crate::{Environment, Paths, catalog, machine, parts, system_clock};

/// Clients cannot be set up from here.
#[derive(Debug, thiserror::Error)]
pub enum SetupHereError {
    /// The settings cannot be read.
    #[error(transparent)]
    Settings(#[from] OpenError),
    /// The client keys cannot be read.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// There is no such address.
    #[error("the address of the gateway is none: {0}")]
    Address(#[from] url::ParseError),
    /// Nobody knows where clients keep their settings.
    #[error("it is not known where clients keep their settings: set HOME")]
    NoHome,
}

/// What clients are told of a gateway that does not run now: it will be where the settings say, with the models that were known
/// last.
///
/// # Errors
/// When the settings cannot be read.
pub fn offer(paths: &Paths) -> Result<Offer, SetupHereError> {
    let settings = parts::settings(paths)?.snapshot();
    offer_of(paths, &settings)
}

/// Everything that setting up needs, by this environment, with the folder of a project where one is named. `offer` is what a
/// running gateway says of itself.
///
/// # Errors
/// When a part of it cannot be read.
pub fn open_setup(
    paths: &Paths,
    environment: &Environment,
    offer: Option<Offer>,
    project: Option<&Path>,
) -> Result<Setup, SetupHereError> {
    let offer = match offer {
        Some(offer) => offer,
        None => self::offer(paths)?,
    };
    setup(paths, environment, offer, parts::client_keys(paths)?, project)
}

/// The same for whoever wants to be rid of us: what is damaged is done without, and named.
///
/// # Errors
/// When nobody knows where clients keep their settings.
pub fn rescue_setup(paths: &Paths, environment: &Environment) -> Result<(Setup, Vec<String>), SetupHereError> {
    let mut problems = Vec::new();
    let offer = match offer(paths) {
        Ok(offer) => offer,
        Err(error) => {
            problems.push(error.to_string());
            offer_of(paths, &Settings::default())?
        }
    };
    let keys = match parts::client_keys(paths) {
        Ok(keys) => keys,
        Err(error) => {
            problems.push(format!("{error}. Keys that were made for clients are not revoked"));
            // Beside the damaged file, where there is none: it holds no key, and nothing is written to it.
            ClientKeys::open(paths.home().join("keys-none.json"))?
        }
    };
    Ok((setup(paths, environment, offer, keys, None)?, problems))
}

/// A person has ended the gateway: takes back what is ours in the files of clients, if that is what they chose. `None`: they
/// stay as they are. What came of it, in sentences. Waits for the disk.
pub fn clients_on_quit(paths: &Paths, environment: &Environment) -> Option<Vec<String>> {
    let chosen = parts::settings(paths).ok()?.snapshot().clients_on_quit;
    if chosen == ClientsOnQuit::Leave {
        return None;
    }
    let told = match rescue_setup(paths, environment) {
        Ok((setup, problems)) => match setup.revert_all() {
            Ok((done, failed)) => [problems, vec![done.told], done.notes, failed].concat(),
            Err(error) => vec![error.to_string()],
        },
        Err(error) => vec![error.to_string()],
    };
    Some(told)
}

fn offer_of(paths: &Paths, settings: &Settings) -> Result<Offer, SetupHereError> {
    let url = format!("http://127.0.0.1:{}", settings.port).parse()?;
    Ok(Offer::of(url, settings, &catalog::known_models(paths)))
}

fn setup(
    paths: &Paths,
    environment: &Environment,
    offer: Offer,
    keys: ClientKeys,
    project: Option<&Path>,
) -> Result<Setup, SetupHereError> {
    let world = machine::machine(environment)(project).ok_or(SetupHereError::NoHome)?;
    Ok(Setup { data: paths.home().to_owned(), keys: Arc::new(keys), world, offer, clock: system_clock() })
}

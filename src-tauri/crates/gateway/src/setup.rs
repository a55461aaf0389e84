//! Setting clients up: looking, showing what would be done, doing it, taking it back. The one way for the control plane and
//! for the command line.
//!
//! - [`Setup`] does it; [`Offer`] is what clients are told of the gateway; [`shape`] is what is said about them.
//! - [`probe`] and [`handshake`] try out what a client would do; [`report`] makes a checklist of it all.
//!
//! **Invariant:** a client's file is written by [`Setup`] only, and only when a person asks for it: nothing here is called at a
//! start, a login, an update or a change of accounts.

mod copies;
mod hands;
pub mod handshake;
mod memory;
mod offer;
pub mod probe;
pub mod report;
mod rescue;
pub mod shape;
mod token;
mod watch;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use codeferry_accounts::Clock;
use codeferry_clients::client::{Client, Documents, Found, Owned, State, Target, View, World, in_force};
use codeferry_store::ClientKeys;

pub use self::hands::SetupError;
use self::hands::slot;
use self::memory::Memory;
pub use self::offer::{Offer, OfferedModel, OfferedRole};
use self::shape::{Place, Program};
pub(crate) use self::watch::Watched;
pub use self::watch::{DriftedPlace, SeenClient};
pub use codeferry_clients::client::Kind;

/// Makes the machine as clients see it, with the folder of a project where one is named. It may wait for the disk.
pub type Machine = Arc<dyn Fn(Option<&Path>) -> Option<World> + Send + Sync>;

/// Stands where a client key would, in what is shown.
pub const KEY_HERE: &str = "YOUR-CLIENT-KEY";

/// Everything that is needed to set clients up. It waits for the disk, so no task of a runtime calls it directly.
pub struct Setup {
    /// Our own folder: what stood in clients' files before is noted and copied there.
    pub data: PathBuf,
    /// Whose keys clients get.
    pub keys: Arc<ClientKeys>,
    /// The machine as it is now.
    pub world: World,
    /// What clients are told.
    pub offer: Offer,
    /// The time.
    pub clock: Clock,
}

// === impl Setup ===

impl Setup {
    /// All clients, in the order of lists.
    pub fn list(&self) -> Vec<Program> {
        Kind::ALL.into_iter().filter_map(|kind| self.program(kind)).collect()
    }

    /// One client. `None`: it cannot be set up by us, nor by hand.
    pub fn program(&self, kind: Kind) -> Option<Program> {
        let client = kind.client()?;
        let Found { program, version, how, settings, targets } = client.detect(&self.world);
        Some(Program {
            client: kind.name(),
            name: kind.label(),
            installed: program.is_some() || settings,
            program: program.map(|path| path.display().to_string()),
            version,
            how,
            targets: targets.iter().map(|target| self.place(client, target)).collect(),
            manual: client.manual(&self.world, &self.offer.intent(KEY_HERE, None)),
            backups: self.copies(kind).len(),
        })
    }

    fn place(&self, client: &dyn Client, target: &Target) -> Place {
        let documents = Documents::of(client, &self.world, target);
        let intent = self.offer.intent(KEY_HERE, None);
        let opens = |key: &str| self.keys.verify(key).is_some();
        // Where nobody knows what is ours, nothing is.
        let owned = self.desk().owned(Some(client.kind().name())).unwrap_or_default();
        let owned: Vec<_> = owned.into_iter().filter(|own| self.holds(target, &own.real)).map(ours).collect();
        let view = View { documents: &documents, owned: &owned, intent: &intent, opens: &opens };
        let standing = client.state(&self.world, target, &view);
        let accepted = match &standing {
            State::Drifted { drifts } => Memory::of(&self.data).has(&slot(client.kind(), target), drifts),
            _ => false,
        };
        let conflicts = client.conflicts(&self.world, target, &documents, &intent);
        Place {
            target: target.id.clone(),
            label: target.label.clone(),
            files: target.files.iter().map(|file| file.display().to_string()).collect(),
            opt_in: target.opt_in,
            obstacle: target.obstacle.clone(),
            standing,
            held: !owned.is_empty(),
            accepted,
            conflicts,
            in_force: in_force(&client.effective(&self.world, target, &documents)),
        }
    }
}

impl std::fmt::Debug for Setup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Setup").field("world", &self.world).field("url", &self.offer.url).finish_non_exhaustive()
    }
}

/// As a client's module wants it told.
fn ours(own: codeferry_clients::apply::Owned) -> Owned {
    Owned { file: own.file, pointer: own.pointer, intact: own.intact }
}

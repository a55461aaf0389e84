//! Taking everything back: without a gateway, and with whatever is damaged. It is how one gets rid of us.

use codeferry_clients::apply::{Rescued, Suspect, Trouble};
use codeferry_clients::client::Kind;

use super::hands::SetupError;
use super::shape::Settled;
use super::{KEY_HERE, Setup};

/// Where we listen unless somebody says otherwise.
const USUAL_PORT: u16 = 8081;

// === impl Setup ===

impl Setup {
    /// The clients that have something of ours in their files.
    ///
    /// # Errors
    /// When what is ours is not known: the ledger cannot be read.
    pub fn held(&self) -> Result<Vec<Kind>, SetupError> {
        Ok(self.desk().clients()?.iter().filter_map(|client| Kind::parse(client)).collect())
    }

    /// Takes everything back. Where the ledger is damaged, what is recognised as ours. What fails does not keep the others: its
    /// sentences are the second half of the answer.
    ///
    /// # Errors
    /// When nothing could be done at all.
    pub fn revert_all(&self) -> Result<(Settled, Vec<String>), SetupError> {
        let port = self.offer.url.port_or_known_default().unwrap_or(USUAL_PORT);
        let Rescued { files, told, failed } =
            self.desk().revert_all(&self.suspects(), &[port, USUAL_PORT], (self.clock)())?;
        self.retire(files.iter().flat_map(|file| &file.retired));
        let changed = files.iter().filter(|file| file.changed).count();
        // What was recognised, or stays because somebody changed it, is not what stood there before.
        let whole = told.is_empty() && files.iter().all(|file| file.kept.is_empty());
        let sentence = match (changed, whole) {
            (0, _) => "nothing of ours was in the files of clients; nothing was written".to_owned(),
            (1, true) => "one file is as it was before us".to_owned(),
            (several, true) => format!("{several} files are as they were before us"),
            (1, false) => "what is known to be ours was taken out of one file".to_owned(),
            (several, false) => format!("what is known to be ours was taken out of {several} files"),
        };
        let kept = files
            .iter()
            .flat_map(|file| file.kept.iter().map(|place| super::hands::left(place, &file.file.display().to_string())));
        let notes = told.into_iter().chain(kept).collect();
        let failed = failed.iter().map(Trouble::to_string).collect();
        Ok((Settled { changed: changed > 0, told: sentence, notes, asides: 0 }, failed))
    }

    /// Every file and place that could be ours.
    fn suspects(&self) -> Vec<Suspect> {
        let mut suspects = Vec::new();
        for client in Kind::ALL.into_iter().filter_map(Kind::client) {
            for target in client.detect(&self.world).targets {
                let changes = self.changes(client, &target, KEY_HERE, None);
                suspects.extend(changes.iter().map(|change| Suspect::of(client.kind().name(), change)));
            }
        }
        suspects
    }
}

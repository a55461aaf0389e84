//! Who does what needs a whole gateway (signing in, asking the upstream, revoking): the one that runs, or one of our own
//! for as long as it takes. Both are asked over the control plane.

use anyhow::anyhow;
use codeferry_app::{Options, Running};

use crate::commands::Context;
use crate::failure::Failure;
use crate::guest::{Guest, Listed};

/// A gateway that serves the vault of this data folder.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) guest: Guest,
    /// Ours, where nobody else serves the vault.
    own: Option<Running>,
}

// === impl Desk ===

impl Desk {
    /// One that serves the demo knows nothing of the vault.
    pub(crate) async fn open(context: &Context) -> Result<Self, Failure> {
        if let Some((guest, owner)) = Guest::find(&context.paths).await?
            && !owner.demo
        {
            return Ok(Self { guest, own: None });
        }
        let options = Options { host: Some(LOOPBACK), port: Some(0), errand: true, ..Options::default() };
        let running = codeferry_app::start(options, &context.paths, &context.environment).await?;
        let guest = Guest::at(running.url().to_owned(), &context.paths)?;
        Ok(Self { guest, own: Some(running) })
    }

    /// The accounts, as the vault has them now.
    pub(crate) async fn accounts(&self) -> Result<Vec<Listed>, Failure> {
        let problems = self.guest.reload().await?;
        let accounts = self.guest.accounts().await?;
        match problems.into_iter().next() {
            // Nothing was read. Who acts on that would say "there is no such account".
            Some(problem) if accounts.is_empty() => Err(anyhow!(problem).into()),
            _ => Ok(accounts),
        }
    }

    /// Ends what was begun here, and tells a gateway that runs beside it.
    pub(crate) async fn close(self, context: &Context) -> Result<(), Failure> {
        if let Some(running) = self.own {
            running.stop().await?;
            context.tell_owner().await;
        }
        Ok(())
    }
}

/// The one account that `who` means: an id, a label or an e-mail address.
pub(crate) fn meant<'a>(accounts: &'a [Listed], who: &str) -> Result<&'a Listed, Failure> {
    let found: Vec<_> = accounts.iter().filter(|account| account.answers_to(who)).collect();
    match found.as_slice() {
        [account] => Ok(account),
        [] => {
            Err(Failure::conflict(anyhow!("no account is called {who:?}"))
                .hint("see them all: codeferry accounts list"))
        }
        several => {
            let ids: Vec<_> = several.iter().map(|account| account.id.as_str()).collect();
            Err(Failure::conflict(anyhow!("several accounts are called {who:?}: use the id ({})", ids.join(", "))))
        }
    }
}

const LOOPBACK: std::net::IpAddr = std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

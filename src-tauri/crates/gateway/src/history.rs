//! What people see of the request log: rows, sums and prices, in the shapes of the control plane.
//!
//! The control plane answers with it, and the command line where no gateway runs: the same parameters are read in the same
//! way, and the same answers come out.
//!
//! **Invariant:** nothing here waits for anything but the file; whoever calls from a task that serves others calls from a
//! thread for that.

mod conversations;
mod csv;
mod exchanges;
mod params;
mod prices;
mod usage;

use std::collections::BTreeMap;

use codeferry_accounts::{AccountId, AccountStatus};
use codeferry_store::log::LogError;

pub use self::conversations::{
    ConversationAsk, ConversationDetail, ConversationFound, ConversationList, ConversationRow, ConversationTurn,
};
pub use self::csv::{exchange_header, exchange_line, usage_text};
pub use self::exchanges::{Detail, ExchangePage, ExchangeQuery, Explained, Row};
pub use self::params::{BadParameter, Params};
pub use self::prices::{PriceList, PriceRow};
pub use self::usage::{Figures, UsageAsk, UsageReport, UsageRow};

/// How to call accounts. Rows name them by id, and outlive them.
#[derive(Debug, Clone, Default)]
pub struct Names {
    accounts: Vec<Named>,
}

#[derive(Debug, Clone)]
struct Named {
    id: String,
    label: Option<String>,
    email: Option<String>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// A parameter cannot be used.
    #[error(transparent)]
    Parameter(#[from] BadParameter),
    /// The log cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The reading itself broke off.
    #[error("reading the request log broke off")]
    Broken,
}

// === impl Names ===

impl Names {
    /// The names of these accounts.
    pub fn of(accounts: &[AccountStatus]) -> Self {
        let named = |account: &AccountStatus| Named {
            id: account.id.to_string(),
            label: account.label.clone(),
            email: account.email.clone(),
        };
        Self { accounts: accounts.iter().map(named).collect() }
    }

    /// How to call the account of that id; `None`: nobody knows it any more.
    fn call(&self, id: &str) -> Option<String> {
        let named = self.accounts.iter().find(|named| named.id == id)?;
        named.label.clone().or_else(|| named.email.clone())
    }

    /// How to call these, by id. Those without a name are left out.
    fn call_all<'a>(&self, ids: impl IntoIterator<Item = &'a str>) -> BTreeMap<String, String> {
        ids.into_iter().filter_map(|id| Some((id.to_owned(), self.call(id)?))).collect()
    }

    /// The id of the account a person means: by its id, label or e-mail address. An account that is gone has only its id
    /// left.
    fn meant(&self, parameter: &'static str, text: &str) -> Result<String, BadParameter> {
        let is = |named: &&Named| {
            named.id == text
                || named.label.as_deref() == Some(text)
                || named.email.as_deref().is_some_and(|email| email.eq_ignore_ascii_case(text))
        };
        let mut found = self.accounts.iter().filter(is);
        match (found.next(), found.next()) {
            (Some(named), None) => Ok(named.id.clone()),
            (Some(_), Some(_)) => {
                let message = format!("several accounts are called {text:?}");
                Err(BadParameter::new(parameter, message).hint("use the account's id"))
            }
            (None, _) if text.parse::<AccountId>().is_ok() => Ok(text.to_owned()),
            (None, _) => Err(BadParameter::new(parameter, format!("no account is called {text:?}"))
                .hint("an account has an id, perhaps a label and an e-mail address: codeferry accounts list")),
        }
    }
}

/// Billionths of a dollar as dollars.
fn dollars(nano: i64) -> f64 {
    nano as f64 / 1e9
}

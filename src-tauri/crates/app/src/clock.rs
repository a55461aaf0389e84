//! The one place that reads the clock.

use std::sync::Arc;

use codeferry_accounts::Clock;

/// The clock of the machine.
#[expect(clippy::disallowed_methods, reason = "the composition root hands the clock to everyone else")]
pub fn system_clock() -> Clock {
    Arc::new(jiff::Timestamp::now)
}

//! The built-in prices: the public API's standard rates for text, requests of up to 272,000 input tokens. Longer
//! requests, faster tiers, writes to the cache and tool fees cost more there; an estimate need not know.
//!
//! Last read on 2026-11-20.

use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::{Listed, Price};

const PRICING: &str = "https://developers.openai.com/api/docs/pricing";

/// Model, first day, price, source. Several lines of a model stand oldest first. Days before 2026-07 are the day of the
/// model's release or earlier: nothing was recorded then.
const TABLE: &[(&str, &str, &str, &str)] = &[
    ("gpt-5", "2025-08-07", "1.25/0.125/10", PRICING),
    ("gpt-5-mini", "2025-08-07", "0.25/0.025/2", PRICING),
    ("gpt-5.1", "2025-11-13", "1.25/0.125/10", PRICING),
    ("gpt-5.2", "2025-12-11", "1.75/0.175/14", PRICING),
    ("gpt-5.2-codex", "2025-12-11", "1.75/0.175/14", PRICING),
    ("gpt-5.3-codex", "2026-02-01", "1.75/0.175/14", PRICING),
    ("gpt-5.4", "2026-03-05", "2.5/0.25/15", PRICING),
    ("gpt-5.4-mini", "2026-03-05", "0.75/0.075/4.5", PRICING),
    ("gpt-5.4-nano", "2026-03-05", "0.2/0.02/1.25", PRICING),
    ("gpt-5.5", "2026-04-23", "5/0.5/30", PRICING),
    ("gpt-5.6-sol", "2026-07-09", "5/0.5/30", PRICING),
    ("gpt-5.6-sol", "2026-09-03", "4/0.4/20", "https://developers.openai.com/api/docs/models"),
    ("gpt-5.6-terra", "2026-07-09", "2.5/0.25/15", PRICING),
    ("gpt-5.6-terra", "2026-07-30", "2/0.2/12", "https://developers.openai.com/api/docs/models"),
    ("gpt-5.6-luna", "2026-07-09", "1/0.1/6", PRICING),
    ("gpt-5.6-luna", "2026-07-30", "0.2/0.02/1.2", "https://developers.openai.com/api/docs/models"),
    ("gpt-6-astra", "2026-09-03", "10/1/50", "https://developers.openai.com/api/docs/models/gpt-6-astra"),
    ("gpt-6-sol", "2026-09-22", "2/0.2/10", PRICING),
    ("gpt-6-luna", "2026-09-22", "0.1/0.01/0.5", PRICING),
    ("gpt-6.1-sol", "2026-10-01", "2/0.1/10", "https://developers.openai.com/api/docs/models/gpt-6.1-sol"),
    ("gpt-6.1-terra", "2026-10-26", "1/0.05/5", "https://developers.openai.com/api/docs/models/gpt-6.1-terra"),
];

pub(super) fn listed() -> &'static [Listed] {
    static LISTED: LazyLock<Vec<Listed>> = LazyLock::new(|| TABLE.iter().filter_map(read).collect());
    &LISTED
}

fn read(&(model, day, price, source): &(&'static str, &str, &str, &'static str)) -> Option<Listed> {
    let from: Timestamp = day.parse::<Date>().ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp();
    Some(Listed { model, from, price: price.parse::<Price>().ok()?, source })
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_line_can_be_read() {
        assert_eq!(super::listed().len(), super::TABLE.len());
    }
}

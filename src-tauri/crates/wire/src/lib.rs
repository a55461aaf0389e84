//! codeferry-wire

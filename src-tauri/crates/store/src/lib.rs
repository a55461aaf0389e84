//! codeferry-store

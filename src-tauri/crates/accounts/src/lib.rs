//! codeferry-accounts

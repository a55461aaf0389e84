//! codeferry-app

//! codeferry-demo

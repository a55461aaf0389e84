//! codeferry-upstream

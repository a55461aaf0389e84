//! codeferry-translate

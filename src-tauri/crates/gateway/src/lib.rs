//! codeferry-gateway

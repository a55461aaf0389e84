//! The gateway over HTTP, against the strict fake upstream.

#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "tests look into JSON, and fail by panicking"
)]

#[path = "gateway/answers.rs"]
mod answers;
#[path = "gateway/capture.rs"]
mod capture;
#[path = "gateway/chat.rs"]
mod chat;
#[path = "gateway/choices.rs"]
mod choices;
#[path = "gateway/clients.rs"]
mod clients;
#[path = "gateway/cors.rs"]
mod cors;
#[path = "gateway/described.rs"]
mod described;
#[path = "gateway/doctor.rs"]
mod doctor;
#[path = "gateway/doors.rs"]
mod doors;
#[path = "gateway/events.rs"]
mod events;
#[path = "gateway/exchanges.rs"]
mod exchanges;
#[path = "gateway/failures.rs"]
mod failures;
#[path = "gateway/gemini.rs"]
mod gemini;
#[path = "gateway/health.rs"]
mod health;
#[path = "gateway/in_process.rs"]
mod in_process;
#[path = "gateway/life.rs"]
mod life;
#[path = "gateway/limits.rs"]
mod limits;
#[path = "gateway/logs.rs"]
mod logs;
#[path = "gateway/metrics.rs"]
mod metrics;
#[path = "gateway/migrating.rs"]
mod migrating;
#[path = "gateway/mutated.rs"]
mod mutated;
#[path = "gateway/named.rs"]
mod named;
#[path = "gateway/old_paths.rs"]
mod old_paths;
#[path = "gateway/playground.rs"]
mod playground;
#[path = "gateway/prefixes.rs"]
mod prefixes;
#[path = "gateway/remembered.rs"]
mod remembered;
#[path = "gateway/requests.rs"]
mod requests;
#[path = "gateway/responses.rs"]
mod responses;
#[path = "gateway/session.rs"]
mod session;
#[path = "gateway/socket.rs"]
mod socket;
#[path = "gateway/told.rs"]
mod told;
#[path = "gateway/traces.rs"]
mod traces;
#[path = "gateway/ui.rs"]
mod ui;
#[path = "gateway/upstream_socket.rs"]
mod upstream_socket;
#[path = "gateway/usage.rs"]
mod usage;

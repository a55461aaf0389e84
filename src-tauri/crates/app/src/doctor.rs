//! What is well with this installation, and what is not: the part of `codeferry doctor` that looks at folder, disk and
//! environment, and the whole of it where no gateway runs.
//!
//! **Invariant:** looking changes nothing. A file that is written to try it out is gone afterwards.

mod folder;

use codeferry_gateway::doctor;

pub use codeferry_gateway::doctor::{Report, Row, Verdict};

use crate::{Environment, Paths, client_keys, listen, parts, settings, system_clock, vault_pool};

/// Folder, disk and environment. Waits for the disk.
pub(crate) fn house(paths: &Paths, environment: &Environment) -> Vec<Row> {
    let mut rows = folder::rows(paths);
    rows.push(proxy(environment));
    rows
}

/// Everything that can be told without a gateway. With `live` the upstream is asked, too.
pub async fn alone(paths: &Paths, environment: &Environment, live: bool) -> Report {
    let mut rows = house(paths, environment);
    let port = match settings(paths) {
        Ok(settings) => {
            rows.extend(doctor::settings(&settings));
            Some(settings.snapshot().port)
        }
        Err(error) => {
            rows.push(Row::fail("settings", error.to_string()));
            None
        }
    };
    let pool = vault_pool(paths, environment);
    rows.push(doctor::vault(&pool).await);
    rows.extend(doctor::accounts(&pool.list()));
    rows.push(match client_keys(paths) {
        Ok(keys) => doctor::keys(&keys),
        Err(error) => Row::fail("client_keys", error.to_string()),
    });
    rows.push(Row::warn("gateway", "none runs on this folder").hint("start one: codeferry serve"));
    if let Some(port) = port {
        rows.push(free(port).await);
    }
    if live {
        parts::install_crypto_provider();
        let clock = system_clock();
        let upstream = parts::upstream(environment.endpoints.clone(), &codeferry_store::Settings::default(), &clock);
        rows.extend(doctor::live(&pool, &upstream).await);
        rows.extend(doctor::upstream(&upstream.seen(), None, clock()));
    }
    Report::of(rows)
}

/// Whether a gateway could listen there.
async fn free(port: u16) -> Row {
    match listen::bind(std::net::Ipv4Addr::LOCALHOST.into(), port).await {
        Ok(_) => Row::ok("address", format!("port {port} is free")),
        Err(error) => Row::warn("address", error.to_string()),
    }
}

/// Variables that make clients started here ask a proxy for this machine.
pub fn proxy(environment: &Environment) -> Row {
    let named = environment.proxies.join(", ");
    if named.is_empty() {
        return Row::ok("proxy", "no proxy is set");
    }
    if environment.spares_loopback {
        return Row::ok("proxy", format!("{named} is set, and NO_PROXY spares this machine"));
    }
    Row::warn("proxy", format!("{named} is set: clients started like this may ask the proxy for 127.0.0.1"))
        .hint("add 127.0.0.1,localhost to NO_PROXY where clients are started")
}

#[cfg(test)]
mod tests;

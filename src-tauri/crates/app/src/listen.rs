//! The socket: which address, and who has it when it is taken.

mod holder;

use std::io;
use std::net::{IpAddr, SocketAddr};

use tokio::net::TcpListener;

use self::holder::Holder;

/// The gateway cannot listen there.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Somebody else does.
    #[error("port {} on {} is taken {}: stop it, or choose another with --port", .address.port(), .address.ip(), .holder)]
    Taken {
        /// Where we wanted to listen.
        address: SocketAddr,
        /// Who has it, or how to find out.
        holder: Holder,
    },
    /// Ports below 1024 belong to root, on most systems.
    #[error("port {} on {} is not ours to use ({source}): choose one above 1023 with --port", .address.port(), .address.ip())]
    Forbidden {
        /// Where we wanted to listen.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// No such address on this machine, or something rarer.
    #[error("cannot listen on {address}: {source}")]
    Io {
        /// Where we wanted to listen.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
}

/// Listens on one address. Port 0 takes a free one.
pub(crate) async fn bind(ip: IpAddr, port: u16) -> Result<(TcpListener, SocketAddr), ListenError> {
    let address = SocketAddr::new(ip, port);
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::AddrInUse => ListenError::Taken { address, holder: Holder::of(port) },
        io::ErrorKind::PermissionDenied => ListenError::Forbidden { address, source },
        _ => ListenError::Io { address, source },
    };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((listener, address))
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::{ListenError, bind};

    const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    #[tokio::test]
    async fn a_taken_port_names_who_has_it() {
        let (_held, address) = bind(LOOPBACK, 0).await.unwrap();
        let error = bind(LOOPBACK, address.port()).await.unwrap_err();
        assert!(matches!(error, ListenError::Taken { .. }), "{error}");
        let text = error.to_string();
        assert!(text.contains(&address.port().to_string()) && text.contains("--port"), "{text}");
        assert!(!text.contains('\n'), "one line: {text}");
        #[cfg(target_os = "linux")]
        assert!(text.contains(&format!("(process {})", std::process::id())), "{text}");
    }

    #[tokio::test]
    async fn an_address_of_another_machine_is_named() {
        // TEST-NET-1, RFC 5737: nobody has it.
        let error = bind(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), 0).await.unwrap_err();
        assert!(error.to_string().contains("192.0.2.1"), "{error}");
    }
}

//! From HOST:PORT to addresses. A look-up may block, so that the caller says how it is done: the
//! broker asks its control thread, loadgen blocks at its start.
//!
//! Owns: the caller's function. Lives on: the core that made it. Never: asks for what is an address
//! already, remembers an answer.

use crate::error::ConnectError;
use std::{future::Future, io, net::SocketAddr, pin::Pin, rc::Rc, sync::Arc};

/// A look-up under way.
pub type Resolving = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>>>>;

/// Finds the addresses behind names, best first.
#[derive(Clone)]
pub struct Resolver(Rc<dyn Fn(&str) -> Resolving>);

impl Resolver {
    /// `look_up` gets HOST:PORT.
    pub fn new(look_up: impl Fn(&str) -> Resolving + 'static) -> Resolver {
        Resolver(Rc::new(look_up))
    }

    /// For callers that have addresses alone: a name is an error.
    pub fn none() -> Resolver {
        Resolver::new(|host_port| {
            let message = format!("'{host_port}' is a name, and only addresses are known here");
            Box::pin(async move { Err(io::Error::new(io::ErrorKind::NotFound, message)) })
        })
    }

    /// At least one address.
    pub async fn resolve(&self, host_port: &str) -> Result<Vec<SocketAddr>, ConnectError> {
        if let Ok(address) = host_port.parse() {
            return Ok(vec![address]);
        }
        let found = match (self.0)(host_port).await {
            Ok(none) if none.is_empty() => {
                Err(io::Error::new(io::ErrorKind::NotFound, "the name stands for no address"))
            }
            found => found,
        };
        found.map_err(|error| ConnectError::Resolve {
            host_port: host_port.into(),
            error: Arc::new(error),
        })
    }
}

//! Two nodes of a simulated world, one of which is a small server that does as the test says.

mod connection;
mod fake;
mod negotiation;
mod node;
mod real;
mod room;
mod storm;

use crate::{ClientRequest, Connection, ConnectionOptions, DisconnectReason, Disconnected};
use bytes::Bytes;
use fake::{Peer, accept_each};
use protocol::ApiKey;
use ring::{
    Ring,
    sim::{SimOptions, World},
};
use std::{cell::RefCell, future::Future, net::SocketAddr, rc::Rc, time::Duration};

const PORT: u16 = 9092;
/// Virtual time: a test that needs it hangs.
const LIMIT: Duration = Duration::from_secs(600);
const SETUP_TIMEOUT: Duration = Duration::from_secs(10);

/// Runs `client` against a server whose connections are each served by `serve`.
fn with_server<T, S, C>(
    seed: u64,
    options: SimOptions,
    serve: impl Fn(Peer) -> S + 'static,
    client: impl FnOnce(Ring, SocketAddr) -> C + 'static,
) -> T
where
    T: 'static,
    S: Future<Output = ()> + 'static,
    C: Future<Output = T> + 'static,
{
    let world = World::new(seed, options);
    let (server, near) = (world.node("server"), world.node("client"));
    let address = SocketAddr::new(world.address(server), PORT);
    world.start_core(server, 0, |ring| accept_each(ring, PORT, serve));
    world.run_for(Duration::from_millis(1));
    let result = Rc::new(RefCell::new(None));
    let result_of_client = result.clone();
    world.start_core(near, 0, move |ring| async move {
        let value = client(ring, address).await;
        *result_of_client.borrow_mut() = Some(value);
    });
    assert!(world.run_until(LIMIT, || result.borrow().is_some()), "the client hangs");
    world.close();
    result.take().expect("waited for")
}

/// The same in a world where nothing goes wrong by itself.
fn calm<T, S, C>(
    serve: impl Fn(Peer) -> S + 'static,
    client: impl FnOnce(Ring, SocketAddr) -> C + 'static,
) -> T
where
    T: 'static,
    S: Future<Output = ()> + 'static,
    C: Future<Output = T> + 'static,
{
    with_server(1, SimOptions::calm(), serve, client)
}

fn options() -> ConnectionOptions {
    ConnectionOptions::new("a-test", "client-test", "1.0")
}

async fn open(ring: &Ring, address: SocketAddr) -> Connection {
    open_with(ring, address, &options()).await
}

async fn open_with(ring: &Ring, address: SocketAddr, options: &ConnectionOptions) -> Connection {
    Connection::open(ring, address, options, SETUP_TIMEOUT).await.expect("the server answers")
}

/// A request whose header and that of its response have tagged fields. The server looks at no body.
fn request(body: impl Into<Bytes>) -> ClientRequest {
    ClientRequest::new(ApiKey::Metadata, 12, body.into())
}

/// Bytes that tell where they belong.
fn pattern(from: usize, length: usize) -> Bytes {
    (from..from + length).map(|at| (at * 7 + at / 251) as u8).collect::<Vec<_>>().into()
}

/// Why the connection has ended, where the request may have arrived.
fn unknown(disconnected: Disconnected) -> DisconnectReason {
    assert_eq!(disconnected.delivery, crate::Delivery::Unknown, "{disconnected}");
    disconnected.reason
}

//! The same on the real back-ends, over loopback.

use super::*;
use crate::{ConnectError, Node, NodeOptions, Resolver};
use fake::accept_on;
use ring::{BackendChoice, BackendKind, CoreOptions, ListenOptions};

/// Long enough for the slowest machine; a test that needs it hangs.
const HANGS_AFTER: Duration = Duration::from_secs(120);

fn on_each<F: Future<Output = ()> + 'static>(test: impl Fn(Ring) -> F) {
    let kinds = match ring::select(BackendChoice::IoUring) {
        Ok(_) => vec![BackendKind::Epoll, BackendKind::IoUring],
        Err(error) => {
            eprintln!("only epoll is tested: {error}");
            vec![BackendKind::Epoll]
        }
    };
    for backend in kinds {
        let name = format!("test-{backend:?}");
        let spin = Duration::ZERO;
        let core = CoreOptions { name, index: 0, cpu: None, backend, spin };
        let ended = ring::run(core, |ring| {
            let test = test(ring.clone());
            async move { ring.timeout(HANGS_AFTER, test).await }
        });
        assert!(ended.expect("the core starts").is_some(), "the test hangs on {backend:?}");
    }
}

/// Where a server listens that gives each request its body back, until it is asked to close.
fn server(ring: &Ring) -> SocketAddr {
    let any = ([127, 0, 0, 1], 0).into();
    let listener = ring.listen(any, ListenOptions::default()).expect("a free port");
    let address = listener.local_addr();
    let serve = |mut peer: Peer| async move {
        peer.negotiate().await;
        while let Some(asked) = peer.receive().await {
            if asked.body == b"close"[..] {
                return;
            }
            peer.respond(&asked, &asked.body).await;
        }
    };
    ring.spawn(accept_on(ring.clone(), listener, serve));
    address
}

#[test]
fn requests_of_all_sizes_over_loopback_and_again_after_an_end() {
    on_each(|ring| async move {
        let address = server(&ring);
        let options = NodeOptions::new(options());
        let node = Node::new(&ring, &address.to_string(), Resolver::none(), options);
        for _ in 0..2 {
            let connection = node.connection().await.expect("the server listens");
            let sizes = [0, 1, 100, 64 << 10, 4 << 20, 3, 1 << 20, 9];
            let bodies: Vec<_> =
                sizes.iter().cycle().take(64).map(|size| pattern(*size, *size)).collect();
            let send = |body: &Bytes| connection.send(request(body.clone()));
            let mut pending = Vec::new();
            for body in &bodies[..] {
                pending.push(send(body).await.expect("the connection lasts"));
            }
            for (response, body) in pending.into_iter().zip(&bodies) {
                assert!(response.await.expect("answered").body == *body, "{} bytes", body.len());
            }
            let closing = send(&Bytes::from_static(b"close")).await.expect("it lasts until then");
            assert!(matches!(unknown(closing.await.unwrap_err()), DisconnectReason::ClosedByPeer));
        }
    });
}

#[test]
fn nobody_who_listens_is_an_error() {
    on_each(|ring| async move {
        let any = ([127, 0, 0, 1], 0).into();
        let closed = ring.listen(any, ListenOptions::default()).expect("a free port").local_addr();
        let opened = Connection::open(&ring, closed, &options(), SETUP_TIMEOUT).await;
        let Err(ConnectError::Connect { error, .. }) = opened else { panic!("{opened:?}") };
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionRefused);
    });
}

//! The HTTP side: binds, routes, and runs until told to stop. Control thread only.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

use super::{
    Source,
    health::{self, Verdict},
    metrics, system,
};
use crate::config::listeners::Address;

/// A shard that takes longer to say what it does not serve stands still.
const HEALTH_TIMEOUT: Duration = Duration::from_secs(2);

/// A scrape that waits longer for the shards, or for scrapes before it, is answered with 503.
const COLLECT_TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Debug, thiserror::Error)]
pub enum AdminError {
    #[error(
        "admin.listener={address}: cannot listen there: {error}. Choose another port, or leave it \
         empty to serve no metrics"
    )]
    Bind { address: String, error: std::io::Error },
    #[error("the admin service stopped: {0}")]
    Serve(#[from] std::io::Error),
}

/// Listening, not serving yet.
pub struct Bound {
    listener: TcpListener,
    local_address: SocketAddr,
}

/// Listens on `address`. Split from serving, so that a port in use is known before the broker
/// starts.
pub async fn bind(address: &Address) -> Result<Bound, AdminError> {
    let failed = |error| AdminError::Bind { address: address.to_string(), error };
    let listener =
        TcpListener::bind((address.host.as_str(), address.port)).await.map_err(failed)?;
    let local_address = listener.local_addr().map_err(failed)?;
    Ok(Bound { listener, local_address })
}

/// Listens and serves until `shutdown` is done.
pub async fn serve(
    address: &Address,
    source: Source,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> Result<(), AdminError> {
    bind(address).await?.serve(source, shutdown).await
}

impl Bound {
    /// The real port, where `admin.listener` asked for port 0.
    pub fn local_address(&self) -> SocketAddr {
        self.local_address
    }

    /// Serves until `shutdown` is done and the answers begun by then are out.
    pub async fn serve(
        self,
        source: Source,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> Result<(), AdminError> {
        let service = Arc::new(Service { source, one_at_a_time: Semaphore::new(1) });
        let router = Router::new()
            .route("/", get(|| async { "Millstream: /metrics /health /ready\n" }))
            .route("/metrics", get(metrics_page))
            .route("/health", get(|| async { "ok\n" }))
            .route("/ready", get(ready_page))
            .with_state(service);
        let listener = Spared { listener: self.listener, spares: Vec::new() };
        axum::serve(listener, router).with_graceful_shutdown(shutdown).await?;
        Ok(())
    }
}

/// Descriptors that are kept for the time when there are no others: one for a connection, and some
/// for what a page reads.
const SPARES: usize = 4;

/// How long to wait after an accept that failed, before the next try.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Accepts also when the process has no descriptor left: what is wrong then is on these pages.
struct Spared {
    listener: TcpListener,
    spares: Vec<std::fs::File>,
}

impl Spared {
    fn keep_spares(&mut self) {
        while self.spares.len() < SPARES
            && let Ok(spare) = std::fs::File::open("/dev/null")
        {
            self.spares.push(spare);
        }
    }
}

impl axum::serve::Listener for Spared {
    type Io = TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        self.keep_spares();
        loop {
            match self.listener.accept().await {
                Ok(accepted) => return accepted,
                Err(error) if ring::is_out_of_files(&error) && !self.spares.is_empty() => {
                    self.spares.clear()
                }
                // The connection was reset, or the system lacks something.
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

struct Service {
    source: Source,
    /// Scrapes wait for each other: two at once would only cost the shards twice.
    one_at_a_time: Semaphore,
}

async fn ready_page(State(service): State<Arc<Service>>) -> Response {
    let not_ready = |why: String| {
        (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {why}\n")).into_response()
    };
    if !service.source.ready.load(Ordering::Relaxed) {
        return not_ready("starting or stopping".to_owned());
    }
    let Ok(shards) = tokio::time::timeout(HEALTH_TIMEOUT, (service.source.health)()).await else {
        return not_ready("a core stands still".to_owned());
    };
    match health::verdict(&shards) {
        Verdict::Ready(but) => format!("ready\n{but}").into_response(),
        Verdict::NotReady(why) => not_ready(why),
    }
}

async fn metrics_page(State(service): State<Arc<Service>>) -> Response {
    let collect = async {
        let _turn = service.one_at_a_time.acquire().await.expect("the semaphore is never closed");
        (service.source.collect)().await
    };
    let Ok(snapshot) = tokio::time::timeout(COLLECT_TIMEOUT, collect).await else {
        return (StatusCode::SERVICE_UNAVAILABLE, "the shards did not answer in time\n")
            .into_response();
    };
    let system = system::collect(&service.source.log_dirs);
    let ready = service.source.ready.load(Ordering::Relaxed);
    let clients = service.source.client_metrics.snapshot();
    let page = metrics::render(snapshot, clients, system, ready);
    ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], page).into_response()
}

//! The server: a script over HTTP, with faults, limits, latency, and counters.

mod body;
mod fault;
mod limit;
mod shop;
mod stats;

pub use fault::{Fault, FaultKind};
pub use limit::{Latency, Limit};
pub use stats::Stats;

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::thread::JoinHandle;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::sync::watch;

use super::script::Script;
use shop::Shop;

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerOptions {
    /// Address. Default: 127.0.0.1.
    pub host: IpAddr,
    /// Port; 0 for a free one. Default: 0.
    pub port: u16,
    /// Threads; 0 for one per processor. Default: 0.
    pub threads: usize,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self { host: IpAddr::V4(Ipv4Addr::LOCALHOST), port: 0, threads: 0 }
    }
}

/// Why a server does not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServerError {
    /// The address cannot be listened at.
    #[error("cannot listen at {address}; choose another port, or 0 for a free one")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The threads cannot be started.
    #[error("cannot start the server")]
    Start(#[from] std::io::Error),
}

/// A running server. It stops when it is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    shop: Arc<Shop>,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Starts a server on a free port of this machine.
    pub fn start(script: Script) -> Result<Self, ServerError> {
        Self::start_at(script, &ServerOptions::default())
    }

    /// Starts a server.
    pub fn start_at(script: Script, options: &ServerOptions) -> Result<Self, ServerError> {
        let address = SocketAddr::new(options.host, options.port);
        let listener =
            TcpListener::bind(address).map_err(|source| ServerError::Listen { address, source })?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        if options.threads > 0 {
            builder.worker_threads(options.threads);
        }
        let runtime = builder.thread_name("serve-model").enable_all().build()?;
        let shop = Arc::new(Shop::new(script));
        let (stop, stopped) = watch::channel(false);
        let inner = Arc::clone(&shop);
        let thread =
            std::thread::Builder::new().name("serve-model-main".into()).spawn(move || {
                runtime.block_on(until_stopped(accept(listener, inner), stopped));
                // Whatever is still under way ends with the server.
                runtime.shutdown_timeout(Duration::from_millis(200));
            })?;
        Ok(Self { address, shop, stop, thread: Some(thread) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The base URL for OpenAI clients: `http://127.0.0.1:PORT/v1`.
    pub fn url(&self) -> String {
        format!("{}/v1", self.root())
    }

    /// The URL without `/v1`.
    pub fn root(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What it has done so far.
    pub fn stats(&self) -> Stats {
        self.shop.stats()
    }

    /// Forgets all counts and all earlier requests, for the faults as well.
    pub fn reset(&self) {
        self.shop.reset();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The receiver lives as long as the thread: without one there is nothing to stop.
        let _ = self.stop.send(true);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn accept(listener: TcpListener, shop: Arc<Shop>) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            // A failed accept concerns one client; out of file handles, waiting is all there is to do.
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        let _ = stream.set_nodelay(true);
        shop.connected();
        let shop = Arc::clone(&shop);
        tokio::spawn(async move {
            let service = service_fn(move |request| Arc::clone(&shop).handle(request));
            // Errors are clients that went away, and our own faults.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

/// Runs the work until the server is to stop.
async fn until_stopped(work: impl Future<Output = ()>, mut stopped: watch::Receiver<bool>) {
    let mut stop = pin!(async move { stopped.wait_for(|stop| *stop).await.map(|_| ()) });
    let mut work = pin!(work);
    std::future::poll_fn(|context| match stop.as_mut().poll(context) {
        Poll::Ready(_) => Poll::Ready(()),
        Poll::Pending => work.as_mut().poll(context),
    })
    .await;
}

//! The sink on tokio: one thread, a task per connection.

use clap::Parser;
use sink::{
    conversation::{self, Shared, Socket},
    options::Options,
};
use std::{io, rc::Rc};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::LocalSet,
};

struct OnTokio(TcpStream);

impl Socket for OnTokio {
    async fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer).await
    }

    async fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes).await
    }
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let shared = Rc::new(Shared::new(&options)?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    LocalSet::new().block_on(&runtime, async {
        let listener = TcpListener::bind(("127.0.0.1", options.port)).await?;
        println!("ready");
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let shared = shared.clone();
            tokio::task::spawn_local(async move {
                drop(conversation::serve(OnTokio(stream), &shared).await)
            });
        }
    })
}

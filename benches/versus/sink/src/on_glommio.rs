//! The sink on glommio: one executor on one thread, a task per connection.

use clap::Parser;
use futures_lite::{AsyncReadExt, AsyncWriteExt};
use glommio::{
    LocalExecutor,
    net::{TcpListener, TcpStream},
};
use sink::{
    conversation::{self, Shared, Socket},
    options::Options,
};
use std::{io, rc::Rc};

struct OnGlommio(TcpStream);

impl Socket for OnGlommio {
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
    LocalExecutor::default().run(async {
        let listener = TcpListener::bind(("127.0.0.1", options.port))
            .map_err(|error| anyhow::anyhow!("{error}"))?;
        println!("ready");
        loop {
            let stream = listener.accept().await.map_err(|error| anyhow::anyhow!("{error}"))?;
            stream.set_nodelay(true).map_err(|error| anyhow::anyhow!("{error}"))?;
            let shared = shared.clone();
            glommio::spawn_local(async move {
                drop(conversation::serve(OnGlommio(stream), &shared).await)
            })
            .detach();
        }
    })
}

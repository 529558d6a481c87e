//! A blocking client: one request, one answer.

use anyhow::{Context, ensure};
use bytes::{BufMut, BytesMut};
use protocol::{ApiKey, Request, decode_exact};
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

const PATIENCE: Duration = Duration::from_secs(180);

pub struct Client {
    stream: TcpStream,
}

impl Client {
    pub fn connect(address: SocketAddr) -> anyhow::Result<Client> {
        let stream = TcpStream::connect(address).context(
            "cannot connect; a thousand connections more than `ulimit -n` allows are too many",
        )?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Client { stream })
    }

    pub fn call<R: Request>(&mut self, request: &R, version: i16) -> anyhow::Result<R::Response> {
        let key = ApiKey::from_i16(R::API_KEY).context("an API of this release")?;
        let mut frame = BytesMut::new();
        frame.put_i32(0);
        frame.put_i16(R::API_KEY);
        frame.put_i16(version);
        frame.put_i32(1);
        frame.put_i16(5);
        frame.put_slice(b"scale");
        if key.request_header_version(version) >= 2 {
            frame.put_u8(0);
        }
        request.encode(&mut frame, version)?;
        let length = frame.len() as i32 - 4;
        frame[..4].copy_from_slice(&length.to_be_bytes());
        self.stream.write_all(&frame)?;
        let mut length = [0; 4];
        self.stream.read_exact(&mut length).with_context(|| format!("no answer to {key}"))?;
        let mut answer = vec![0; i32::from_be_bytes(length) as usize];
        self.stream.read_exact(&mut answer)?;
        let body = 4 + usize::from(key.response_header_version(version) >= 1);
        ensure!(answer.len() >= body, "an answer of {} bytes to {key}", answer.len());
        Ok(decode_exact(&answer[body..], version)?)
    }
}

//! A transport of the tests that changes every byte on its way, as TLS would: each is combined with
//! a mask that depends on its place in the stream, through a buffer of a fixed size.

use crate::{
    memory::{Memory, Use},
    request::FileRange,
};
use bytes::{Bytes, BytesMut};
use ring::{Ring, Stream};
use std::{cell::Cell, io, rc::Rc};

/// What one piece of a send goes through: odd, so that no piece ends where one of the reply does.
pub const BUFFER_BYTES: usize = 1021;

/// What it keeps as long as the connection lasts, as a TLS session does.
pub const HELD_BYTES: usize = 333;

/// The byte that the one at this place of the stream is combined with.
pub fn mask(place: u64) -> u8 {
    (place.wrapping_mul(31) >> 2) as u8 ^ 0x5a
}

pub struct Masked<S> {
    pub inner: S,
    received: Cell<u64>,
    sent: Cell<u64>,
}

impl<S> Masked<S> {
    pub fn new(inner: S) -> Masked<S> {
        Masked { inner, received: Cell::new(0), sent: Cell::new(0) }
    }

    /// The same stream in another form, with all that the transport knows of it.
    pub fn map<T>(self, to: impl FnOnce(S) -> io::Result<T>) -> io::Result<Masked<T>> {
        let Masked { inner, received, sent } = self;
        Ok(Masked { inner: to(inner)?, received, sent })
    }
}

/// Combines bytes with their masks, and moves `place` on behind them.
fn change(bytes: &mut [u8], place: &Cell<u64>) {
    for (byte, at) in bytes.iter_mut().zip(place.get()..) {
        *byte ^= mask(at);
    }
    place.set(place.get() + bytes.len() as u64);
}

impl Masked<Stream> {
    pub async fn recv(
        &self,
        ring: &Ring,
        buf: BytesMut,
        least: usize,
        max: usize,
    ) -> (io::Result<usize>, BytesMut) {
        let before = buf.len();
        let (received, mut buf) = ring.recv_at_least(&self.inner, buf, least, max).await;
        change(&mut buf[before..], &self.received);
        (received, buf)
    }

    async fn send_piece(&self, ring: &Ring, mut piece: BytesMut) -> io::Result<()> {
        change(&mut piece, &self.sent);
        ring.send(&self.inner, vec![piece.freeze()]).await
    }

    pub async fn send(&self, ring: &Ring, bufs: &mut Vec<Bytes>) -> io::Result<()> {
        for bytes in bufs.drain(..) {
            for piece in bytes.chunks(BUFFER_BYTES) {
                self.send_piece(ring, BytesMut::from(piece)).await?;
            }
        }
        Ok(())
    }

    pub async fn send_file(
        &self,
        ring: &Ring,
        memory: &Rc<Memory>,
        range: &FileRange,
    ) -> io::Result<()> {
        let _buffer = memory.charge(Use::Replies, BUFFER_BYTES);
        let FileRange { file, position, length, .. } = range;
        for from in (0..*length).step_by(BUFFER_BYTES) {
            let piece_bytes = (*length - from).min(BUFFER_BYTES as u64) as usize;
            let piece = ring.read_exact_at(file, *position + from, piece_bytes).await?;
            self.send_piece(ring, piece).await?;
        }
        Ok(())
    }
}

//! One connection of a sink on an asynchronous runtime: receive, put down, answer. Files are read
//! and written in line, so that the runtimes differ only in what carries the bytes of the sockets.

use crate::{
    answers::{self, Answer, Answers, BLOCK_BYTES},
    frames::Frames,
    options::Options,
    storage::{Aligned, Blocks, Group, Storage},
};
use std::{
    cell::{Cell, RefCell},
    io,
};

/// What a runtime's sockets must do here.
pub trait Socket {
    fn read(&mut self, buffer: &mut [u8]) -> impl Future<Output = io::Result<usize>>;
    fn write_all(&mut self, bytes: &[u8]) -> impl Future<Output = io::Result<()>>;
}

/// What all connections of a sink share; they run on one thread.
pub struct Shared {
    answers: Answers,
    storage: RefCell<Storage>,
    blocks: Blocks,
    next_block: Cell<u64>,
}

impl Shared {
    pub fn new(options: &Options) -> anyhow::Result<Shared> {
        Ok(Shared {
            answers: Answers::new(options)?,
            storage: RefCell::new(Storage::new(options)?),
            blocks: Blocks::new(options)?,
            next_block: Cell::new(0),
        })
    }
}

/// Serves until the client goes.
pub async fn serve<S: Socket>(mut socket: S, shared: &Shared) -> anyhow::Result<()> {
    let (mut frames, mut group, mut replies) = (Frames::default(), Group::default(), Vec::new());
    let mut block =
        Aligned::new(if matches!(shared.blocks, Blocks::None) { 0 } else { BLOCK_BYTES });
    let mut whole = Vec::new();
    loop {
        let received = socket.read(group.room()).await?;
        if received == 0 {
            return Ok(());
        }
        frames
            .feed(group.fill(received), |request| whole.push(request))
            .map_err(anyhow::Error::msg)?;
        if whole.is_empty() && !group.is_full() {
            continue;
        }
        shared.storage.borrow_mut().write(&mut group)?;
        for request in whole.drain(..) {
            match shared.answers.to(&request)? {
                Answer::Whole(bytes) => {
                    answers::append(&mut replies, bytes, request.correlation_id)
                }
                Answer::Fetched => {
                    let index = shared.next_block.replace(shared.next_block.get() + 1);
                    let bytes = shared.blocks.get(index, &mut block)?;
                    socket.write_all(&shared.answers.fetch_prefix(request.correlation_id)).await?;
                    socket.write_all(bytes).await?;
                    socket.write_all(&shared.answers.fetch_suffix).await?;
                }
            }
        }
        if !replies.is_empty() {
            socket.write_all(&replies).await?;
            replies.clear();
        }
    }
}

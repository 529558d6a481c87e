//! The sink itself: one thread, level-triggered epoll, blocking files. The plainest code that moves
//! the bytes.
//!
//! Each turn reads once from every connection that has something, into one buffer; writes the
//! buffer; then answers what was whole. The buffer is the same for ever.

use anyhow::Context;
use clap::Parser;
use rustix::{
    event::epoll::{self, EventData, EventFlags},
    io::Errno,
    net::{SendFlags, send},
    pipe::{PipeFlags, SpliceFlags, fcntl_setpipe_size, pipe_with, splice},
};
use sink::{
    answers::{self, Answer, Answers, BLOCK_BYTES},
    frames::{Frames, Request},
    options::Options,
    storage::{Aligned, Blocks, Group, Storage},
};
use std::{
    collections::VecDeque,
    io::{self, Read},
    net::{TcpListener, TcpStream},
    os::fd::OwnedFd,
};

const EVENTS_MAX: usize = 1024;
const LISTENER: u64 = u64::MAX;

struct Connection {
    stream: TcpStream,
    frames: Frames,
    whole: Vec<Request>,
    /// Answers that the socket has not taken yet, and how much of them it has.
    replies: Vec<u8>,
    replied: usize,
    /// Fetches that wait for the one that is being answered.
    fetches: VecDeque<i32>,
    fetched: Option<Fetched>,
    waits_for_room: bool,
}

/// A fetch that is being answered: prefix, block, suffix.
struct Fetched {
    prefix: Vec<u8>,
    block: u64,
    /// How much of the three was sent.
    sent: usize,
    /// Read from the file, where blocks are read before they are sent.
    buffer: Option<Aligned>,
    /// What has left the page cache, and not yet arrived at the socket.
    in_pipe: usize,
    pipe: Option<(OwnedFd, OwnedFd)>,
}

struct Sink {
    epoll: OwnedFd,
    connections: Vec<Option<Connection>>,
    answers: Answers,
    storage: Storage,
    blocks: Blocks,
    group: Group,
    next_block: u64,
    /// Buffers and pipes of fetches that are over.
    buffers: Vec<Aligned>,
    pipes: Vec<(OwnedFd, OwnedFd)>,
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let mut sink = Sink {
        epoll: epoll::create(epoll::CreateFlags::CLOEXEC)?,
        connections: Vec::new(),
        answers: Answers::new(&options)?,
        storage: Storage::new(&options)?,
        blocks: Blocks::new(&options)?,
        group: Group::default(),
        next_block: 0,
        buffers: Vec::new(),
        pipes: Vec::new(),
    };
    let listener = TcpListener::bind(("127.0.0.1", options.port))
        .with_context(|| format!("port {} is not to be had", options.port))?;
    listener.set_nonblocking(true)?;
    epoll::add(&sink.epoll, &listener, EventData::new_u64(LISTENER), EventFlags::IN)?;
    println!("ready");
    let mut events = Vec::with_capacity(EVENTS_MAX);
    loop {
        epoll::wait(&sink.epoll, rustix::buffer::spare_capacity(&mut events), None)?;
        sink.turn(&listener, &events)?;
        events.clear();
    }
}

impl Sink {
    fn turn(&mut self, listener: &TcpListener, events: &[epoll::Event]) -> anyhow::Result<()> {
        let mut is_due = false;
        for event in events {
            let (flags, data) = (event.flags, event.data);
            let index = data.u64();
            if index == LISTENER {
                self.accept(listener)?;
                continue;
            }
            if flags.intersects(EventFlags::IN | EventFlags::HUP | EventFlags::ERR) {
                match self.receive(index as usize) {
                    Ok(has_whole) => is_due |= has_whole,
                    Err(_) => self.close(index as usize),
                }
                if self.group.is_full() {
                    self.storage.write(&mut self.group)?;
                }
            }
        }
        // A request in parts waits in the buffer for its end.
        if is_due {
            self.storage.write(&mut self.group)?;
        }
        for event in events {
            let data = event.data;
            let index = data.u64();
            if index != LISTENER
                && self.connections[index as usize].is_some()
                && self.answer(index as usize).is_err()
            {
                self.close(index as usize);
            }
        }
        Ok(())
    }

    fn accept(&mut self, listener: &TcpListener) -> anyhow::Result<()> {
        loop {
            let stream = match listener.accept() {
                Ok((stream, _)) => stream,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error.into()),
            };
            stream.set_nodelay(true)?;
            stream.set_nonblocking(true)?;
            let free = self.connections.iter().position(Option::is_none);
            let index = free.unwrap_or_else(|| {
                self.connections.push(None);
                self.connections.len() - 1
            });
            epoll::add(&self.epoll, &stream, EventData::new_u64(index as u64), EventFlags::IN)?;
            self.connections[index] = Some(Connection {
                stream,
                frames: Frames::default(),
                whole: Vec::new(),
                replies: Vec::new(),
                replied: 0,
                fetches: VecDeque::new(),
                fetched: None,
                waits_for_room: false,
            });
        }
    }

    fn close(&mut self, index: usize) {
        // Closing the socket takes it out of the epoll set.
        self.connections[index] = None;
    }

    /// Reads once; returns whether a request is whole. What was read stays in the group.
    fn receive(&mut self, index: usize) -> anyhow::Result<bool> {
        let Some(connection) = &mut self.connections[index] else { return Ok(false) };
        let received = match connection.stream.read(self.group.room()) {
            Ok(0) => anyhow::bail!("the client has gone"),
            Ok(received) => received,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
            Err(error) => return Err(error.into()),
        };
        let whole = &mut connection.whole;
        connection
            .frames
            .feed(self.group.fill(received), |request| whole.push(request))
            .map_err(anyhow::Error::msg)?;
        Ok(!whole.is_empty())
    }

    /// Sends the answers that are due, as far as the socket takes them.
    fn answer(&mut self, index: usize) -> anyhow::Result<()> {
        let connection = self.connections[index].as_mut().context("a connection")?;
        for request in connection.whole.drain(..) {
            match self.answers.to(&request)? {
                Answer::Whole(bytes) => {
                    answers::append(&mut connection.replies, bytes, request.correlation_id)
                }
                Answer::Fetched => connection.fetches.push_back(request.correlation_id),
            }
        }
        let taken = match self.send(index) {
            Ok(()) => true,
            Err(Errno::AGAIN) => false,
            Err(error) => return Err(error.into()),
        };
        let connection = self.connections[index].as_mut().context("a connection")?;
        if connection.waits_for_room == taken {
            connection.waits_for_room = !taken;
            let flags = if taken { EventFlags::IN } else { EventFlags::IN | EventFlags::OUT };
            epoll::modify(
                &self.epoll,
                &connection.stream,
                EventData::new_u64(index as u64),
                flags,
            )?;
        }
        Ok(())
    }

    /// Until all is sent, or `AGAIN`.
    fn send(&mut self, index: usize) -> Result<(), Errno> {
        let Some(connection) = &mut self.connections[index] else { return Ok(()) };
        while connection.replied < connection.replies.len() {
            connection.replied += send(
                &connection.stream,
                &connection.replies[connection.replied..],
                SendFlags::NOSIGNAL,
            )?;
        }
        connection.replies.clear();
        connection.replied = 0;
        loop {
            if connection.fetched.is_none() {
                let Some(correlation_id) = connection.fetches.pop_front() else { return Ok(()) };
                let mut fetched = Fetched {
                    prefix: self.answers.fetch_prefix(correlation_id),
                    block: self.next_block,
                    sent: 0,
                    buffer: None,
                    in_pipe: 0,
                    pipe: None,
                };
                self.next_block += 1;
                match &self.blocks {
                    Blocks::Warm(_) => {
                        fetched.pipe = Some(self.pipes.pop().map_or_else(new_pipe, Ok)?)
                    }
                    Blocks::Cold(_) => {
                        let mut buffer =
                            self.buffers.pop().unwrap_or_else(|| Aligned::new(BLOCK_BYTES));
                        self.blocks.get(fetched.block, &mut buffer).map_err(|_| Errno::IO)?;
                        fetched.buffer = Some(buffer);
                    }
                    Blocks::Hot(_) | Blocks::None => {}
                }
                connection.fetched = Some(fetched);
            }
            let fetched = connection.fetched.as_mut().expect("made above");
            fetched.send(&connection.stream, &self.blocks, &self.answers.fetch_suffix)?;
            let fetched = connection.fetched.take().expect("made above");
            self.buffers.extend(fetched.buffer);
            self.pipes.extend(fetched.pipe);
        }
    }
}

impl Fetched {
    fn send(&mut self, stream: &TcpStream, blocks: &Blocks, suffix: &[u8]) -> Result<(), Errno> {
        let more = SendFlags::NOSIGNAL | SendFlags::MORE;
        let (block_start, block_end) = (self.prefix.len(), self.prefix.len() + BLOCK_BYTES);
        while self.sent < block_start {
            self.sent += send(stream, &self.prefix[self.sent..], more)?;
        }
        while self.sent < block_end {
            let at = self.sent - block_start;
            self.sent += match (blocks, &self.buffer) {
                (Blocks::Hot(bytes), _) => {
                    let start = self.block as usize * BLOCK_BYTES % bytes.len();
                    send(stream, &bytes[start + at..start + BLOCK_BYTES], more)?
                }
                (_, Some(buffer)) => send(stream, &buffer.get()[at..], more)?,
                (Blocks::Warm(file), None) => self.splice(stream, file, at)?,
                _ => return Err(Errno::INVAL),
            };
        }
        while self.sent < block_end + suffix.len() {
            self.sent += send(stream, &suffix[self.sent - block_end..], SendFlags::NOSIGNAL)?;
        }
        Ok(())
    }

    /// One step from the page cache through the pipe to the socket; returns what the socket took.
    fn splice(
        &mut self,
        stream: &TcpStream,
        file: &std::fs::File,
        at: usize,
    ) -> Result<usize, Errno> {
        let (out, into) = self.pipe.as_ref().ok_or(Errno::INVAL)?;
        if self.in_pipe == 0 {
            let mut offset = Blocks::offset(self.block) + at as u64;
            self.in_pipe =
                splice(file, Some(&mut offset), into, None, BLOCK_BYTES - at, SpliceFlags::MOVE)?;
        }
        let flags = SpliceFlags::MOVE | SpliceFlags::NONBLOCK | SpliceFlags::MORE;
        let sent = splice(out, None, stream, None, self.in_pipe, flags)?;
        self.in_pipe -= sent;
        Ok(sent)
    }
}

fn new_pipe() -> Result<(OwnedFd, OwnedFd), Errno> {
    let (out, into) = pipe_with(PipeFlags::CLOEXEC)?;
    fcntl_setpipe_size(&into, BLOCK_BYTES)?;
    Ok((out, into))
}

//! Replies as produce and fetch make them, over the transports that there are: in the clear, and
//! through a buffer that changes every byte. On the real back-ends.

use super::*;
use crate::{
    log::tests::on_each_backend,
    memory::{Memory, Plan, Use},
    request::{
        FileRange, Transport,
        progress::Progress,
        reply::{Replies, Reply, fill_in_length},
        transport::tests::masked::{BUFFER_BYTES, Masked, mask},
    },
};
use bytes::BytesMut;
use ring::{File, ListenOptions, OpenOptions, Stream};
use smallvec::smallvec;
use std::{
    cell::{Cell, RefCell},
    path::Path,
    rc::Rc,
};

const FILE_BYTES: usize = 200_000;

fn pattern(bytes: usize, salt: usize) -> Vec<u8> {
    (0..bytes).map(|at| (at * 7 + at / 251 + salt) as u8).collect()
}

async fn file(ring: &Ring, dir: &Path) -> File {
    let path = dir.join("records");
    let file = ring.open(&path, OpenOptions::write()).await.unwrap();
    ring.write_at(&file, vec![pattern(FILE_BYTES, 3).into()], 0).await.unwrap();
    ring.open(&path, OpenOptions::read()).await.unwrap()
}

/// One reply in one piece, as a produce request has it.
fn produce_like(salt: usize) -> Reply {
    Reply::from_frame(BytesMut::from(&pattern(4 + 60, salt)[..])).unwrap()
}

/// A head, records from memory, a range of a file, and what follows.
fn fetch_like(file: &File, position: usize, length: usize) -> Reply {
    let (records, rest) = (pattern(5000, 7), pattern(9, 8));
    let mut head = BytesMut::from(&pattern(4 + 40, 9)[..]);
    fill_in_length(&mut head, records.len() + length + rest.len()).unwrap();
    let (position, length) = (position as u64, length as u64);
    let stable = file.stable(position + length);
    let range = ReplyPart::File(FileRange { file: file.clone(), position, length, stable });
    let parts = smallvec![
        ReplyPart::Bytes(head.freeze()),
        ReplyPart::Records(records.into()),
        range,
        ReplyPart::Bytes(rest.into()),
    ];
    Reply { parts }
}

/// The bytes of a reply, as the client should get them.
fn bytes_of(reply: &Reply) -> Vec<u8> {
    let of_file = pattern(FILE_BYTES, 3);
    let part = |part: &ReplyPart| match part {
        ReplyPart::Bytes(bytes) | ReplyPart::Records(bytes) => bytes.to_vec(),
        ReplyPart::File(range) => {
            of_file[range.position as usize..][..range.length as usize].to_vec()
        }
    };
    reply.parts.iter().flat_map(part).collect()
}

async fn receive_exactly(ring: &Ring, stream: &Stream, bytes: usize) -> Vec<u8> {
    let mut buffer = BytesMut::new();
    while buffer.len() < bytes {
        let (received, back) = ring.recv(stream, buffer, bytes).await;
        assert_ne!(received.unwrap(), 0, "{} of {bytes} bytes have come", back.len());
        buffer = back;
    }
    buffer.to_vec()
}

/// Sends replies of all kinds on a transport that has moved between cores, after a request has come
/// in; `unmask` is what the client does with each byte that it receives or sends.
async fn drive(
    ring: Ring,
    dir: &Path,
    make: impl Fn(Stream) -> Transport,
    unmask: impl Fn(u64) -> u8,
) {
    let file = file(&ring, dir).await;
    let any = ([127, 0, 0, 1], 0).into();
    let listener = ring.listen(any, ListenOptions::default()).unwrap();
    let client = ring.connect(listener.local_addr()).await.unwrap();
    let transport = make(ring.accept(&listener).await.unwrap());
    let transport = transport.release(&ring).adopt(&ring).unwrap();
    assert_eq!(transport.peer_addr(), client.local_addr());

    let request = pattern(100, 1);
    let changed: Vec<u8> = request.iter().zip(0..).map(|(byte, at)| byte ^ unmask(at)).collect();
    ring.send(&client, vec![changed.into()]).await.unwrap();
    let mut got = BytesMut::from(&b"before"[..]);
    while got.len() < 6 + request.len() {
        assert_ne!(transport.recv(&ring, &mut got, 1, 64).await.unwrap(), 0);
    }
    assert_eq!(got[6..], request[..]);

    let memory = Memory::new(Plan::default());
    let replies = Rc::new(Replies::new(memory.clone()));
    let sender = Client {
        number: 0,
        transport,
        listener: 0,
        is_counted: Cell::new(true),
        replies: replies.clone(),
        moved: Rc::default(),
        progress: Progress::new(ring.now()),
        transactional_id: RefCell::default(),
        software: RefCell::default(),
        telemetry: RefCell::default(),
        accounts: RefCell::default(),
        _charge: memory.charge(Use::Connections, 1),
    };
    let all = [
        produce_like(20),
        fetch_like(&file, 0, 1),
        produce_like(21),
        fetch_like(&file, 777, 3 * BUFFER_BYTES),
        fetch_like(&file, 50_000, 150_000),
        produce_like(22),
    ];
    let expected: Vec<u8> = all.iter().flat_map(bytes_of).collect();
    let reader = {
        let (ring, bytes) = (ring.clone(), expected.len());
        ring.clone().spawn(async move { receive_exactly(&ring, &client, bytes).await })
    };
    for reply in all {
        replies.expect((Use::Requests, 100)).reply(reply);
    }
    let (mut parts, mut gathered) = (Vec::new(), Vec::new());
    while !replies.is_empty() {
        // Few parts at a time: a reply is never taken in pieces.
        let taken = replies.take_ready(&mut parts, 5);
        let sent = send(&ring, &sender, &mut parts, &mut gathered).await.unwrap();
        assert_eq!(memory.used(Use::Replies), replies.reply_bytes(), "no buffer is left over");
        replies.sent(taken, Some(sent));
    }
    let mut got = reader.await;
    got.iter_mut().zip(0..).for_each(|(byte, at)| *byte ^= unmask(at));
    assert!(got == expected, "the client gets other bytes than were sent");
    assert_eq!(memory.used(Use::Replies), 0);
}

#[test]
fn replies_arrive_over_a_transport_in_the_clear() {
    on_each_backend(|ring, dir| async move {
        drive(ring, dir.path(), Transport::Plain, |_| 0).await;
    });
}

#[test]
fn replies_arrive_over_a_transport_that_changes_every_byte() {
    on_each_backend(|ring, dir| async move {
        let masked = |stream| Transport::Masked(Masked::new(stream));
        drive(ring, dir.path(), masked, mask).await;
    });
}

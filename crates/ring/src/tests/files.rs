//! Files and directories.

use super::*;
use crate::{AlignedBuf, DirEntry, OpenOptions};
use std::{io, rc::Rc};

/// Runs the test with a directory of its own.
pub(super) fn in_scratch<F: Future<Output = ()> + 'static>(
    name: &str,
    test: impl Fn(Ring, Rc<Scratch>) -> F,
) {
    on_each(|ring| {
        let scratch = Rc::new(Scratch::new(&format!("{name}-{:?}", ring.backend())));
        test(ring, scratch)
    });
}

#[test]
fn what_was_written_is_read() {
    in_scratch("write-read", |ring, scratch| async move {
        let file = ring.open(scratch.path("file"), OpenOptions::write()).await.expect("opens");
        let content = pattern(0, 3_000_000);
        let pieces: Vec<Bytes> = (0..content.len())
            .step_by(10_007)
            .map(|at| content.slice(at..content.len().min(at + 10_007)))
            .collect();
        ring.write_at(&file, pieces, 100).await.expect("writes");
        ring.write_now(&file, &[pattern(7, 50), Bytes::new(), pattern(57, 50)], 0).expect("writes");
        ring.sync_data(&file).await.expect("syncs");
        assert_eq!(ring.size(&file).await.expect("has a size"), 3_000_100);
        assert!(ring.read_exact_at(&file, 100, 3_000_000).await.expect("reads") == content);
        assert_eq!(ring.read_exact_at(&file, 0, 100).await.expect("reads"), pattern(7, 100));
        let mut buf = BytesMut::from(&b"kept"[..]);
        assert_eq!(ring.read_now(&file, &mut buf, 10, 0).expect("reads"), 10);
        assert_eq!(buf, [&b"kept"[..], &pattern(7, 10)].concat());
        let (read, buf) = ring.read_at(&file, buf, 100, 3_000_050).await;
        assert_eq!((read.expect("reads"), buf.len()), (50, 64));
        let (read, _) = ring.read_at(&file, buf, 100, 4_000_000).await;
        assert_eq!(read.expect("the end is no error"), 0);
        let error = ring.read_exact_at(&file, 3_000_000, 101).await.expect_err("one too many");
        assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
    });
}

#[test]
fn sizes_are_set_and_room_is_kept() {
    in_scratch("sizes", |ring, scratch| async move {
        let file = ring.open(scratch.path("file"), OpenOptions::write()).await.expect("opens");
        ring.allocate(&file, 0, 1 << 20, true).await.expect("allocates");
        assert_eq!(ring.size(&file).await.expect("has a size"), 0);
        ring.allocate(&file, 0, 1 << 20, false).await.expect("allocates");
        assert_eq!(ring.size(&file).await.expect("has a size"), 1 << 20);
        ring.truncate(&file, 10).await.expect("truncates");
        assert_eq!(ring.size(&file).await.expect("has a size"), 10);
        let (free_bytes, total_bytes) = ring.disk_space(&scratch.0).await.expect("tells");
        assert!(0 < free_bytes && free_bytes <= total_bytes);
    });
}

#[test]
fn directories_are_made_listed_and_removed() {
    in_scratch("directories", |ring, scratch| async move {
        let deep = scratch.path("a/b/c");
        ring.create_dir_all(&deep).await.expect("creates");
        ring.create_dir_all(&deep).await.expect("creates folders that are there");
        let file = ring.open(deep.join("z"), OpenOptions::write()).await.expect("opens");
        ring.write_at(&file, vec![pattern(0, 5)], 0).await.expect("writes");
        ring.create_dir_all(deep.join("y")).await.expect("creates");
        ring.sync_dir(&deep).await.expect("syncs");
        let entry =
            |name: &str, is_dir, size_bytes| DirEntry { name: name.into(), is_dir, size_bytes };
        assert_eq!(
            ring.read_dir(&deep).await.expect("lists"),
            [entry("y", true, 0), entry("z", false, 5)]
        );
        ring.rename(deep.join("z"), deep.join("x")).await.expect("renames");
        assert_eq!(
            ring.read_dir(&deep).await.expect("lists"),
            [entry("x", false, 5), entry("y", true, 0)]
        );
        ring.remove_dir(&deep).await.expect_err("it is not empty");
        ring.unlink(deep.join("x")).await.expect("removes");
        ring.remove_dir(deep.join("y")).await.expect("removes");
        ring.remove_dir(&deep).await.expect("removes");
        for error in [
            ring.unlink(deep.join("x")).await.expect_err("it is gone"),
            ring.open(&deep, OpenOptions::read()).await.expect_err("it is gone"),
            ring.read_dir(&deep).await.expect_err("it is gone"),
            ring.rename(&deep, scratch.path("d")).await.expect_err("it is gone"),
        ] {
            assert_eq!(error.kind(), io::ErrorKind::NotFound);
        }
    });
}

#[test]
fn open_does_what_its_options_say() {
    in_scratch("open", |ring, scratch| async move {
        let path = scratch.path("file");
        let new = OpenOptions { create_new: true, ..OpenOptions::write() };
        let file = ring.open(&path, new).await.expect("creates");
        ring.write_at(&file, vec![pattern(0, 5)], 0).await.expect("writes");
        assert_eq!(
            ring.open(&path, new).await.expect_err("exists").kind(),
            io::ErrorKind::AlreadyExists
        );
        let read_only = ring.open(&path, OpenOptions::read()).await.expect("opens");
        ring.write_at(&read_only, vec![pattern(0, 5)], 0).await.expect_err("not for writing");
        let file = ring
            .open(&path, OpenOptions { truncate: true, ..OpenOptions::write() })
            .await
            .expect("opens");
        assert_eq!(ring.size(&file).await.expect("has a size"), 0);
        let error = ring
            .open(std::path::Path::new("with\0zero"), OpenOptions::read())
            .await
            .expect_err("no such name");
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    });
}

#[test]
fn a_lock_is_held_once() {
    in_scratch("lock", |ring, scratch| async move {
        let path = scratch.path(".lock");
        let first = ring.open(&path, OpenOptions::write()).await.expect("opens");
        let second = ring.open(&path, OpenOptions::write()).await.expect("opens");
        assert!(ring.try_lock(&first).await.expect("locks"));
        assert!(!ring.try_lock(&second).await.expect("tells"));
        drop(first);
        assert!(ring.try_lock(&second).await.expect("locks"));
    });
}

#[test]
fn whole_files() {
    in_scratch("whole", |ring, scratch| async move {
        let path = scratch.path("meta.properties");
        for content in [Bytes::from_static(b"first"), pattern(0, 100_000), Bytes::new()] {
            ring.write_file_atomically(&path, content.clone()).await.expect("replaces");
            assert!(ring.read_file(&path, 100_000).await.expect("reads") == content);
        }
        assert_eq!(ring.read_dir(&scratch.0).await.expect("lists").len(), 1);
        ring.write_file_atomically(&path, pattern(0, 11)).await.expect("replaces");
        let error = ring.read_file(&path, 10).await.expect_err("too large");
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    });
}

#[test]
fn dropped_file_operations_still_end() {
    in_scratch("dropped", |ring, scratch| async move {
        let file = ring.open(scratch.path("file"), OpenOptions::write()).await.expect("opens");
        for nth in 0..50u64 {
            let write = ring.write_at(&file, vec![pattern(nth as usize, 100_000)], nth * 100_000);
            ring.timeout(Duration::ZERO, write).await;
            ring.timeout(Duration::ZERO, ring.sync_data(&file)).await;
            ring.timeout(Duration::ZERO, ring.read_exact_at(&file, 0, 1000)).await;
            ring.timeout(Duration::ZERO, ring.open(scratch.path("other"), OpenOptions::write()))
                .await;
        }
        while ring.size(&file).await.expect("has a size") < 5_000_000 {
            ring.sleep(Duration::from_millis(1)).await;
        }
    });
}

#[test]
fn direct_files_bypass_the_page_cache() {
    in_scratch("direct", |ring, scratch| async move {
        let direct = OpenOptions { direct: true, ..OpenOptions::write() };
        let file = match ring.open(scratch.path("file"), direct).await {
            Ok(file) => file,
            // A file system without direct I/O says so when the file is opened.
            Err(error) => return assert_eq!(error.kind(), io::ErrorKind::InvalidInput),
        };
        let mut aligned = BytesMut::zeroed(8192 + 4096);
        let skip = aligned.as_ptr().align_offset(4096);
        let mut aligned = aligned.split_off(skip);
        aligned.truncate(8192);
        aligned.copy_from_slice(&pattern(0, 8192));
        ring.write_at(&file, vec![aligned.freeze()], 4096).await.expect("writes");
        let mut buf = BytesMut::with_capacity(8192 + 4096);
        let skip = buf.spare_capacity_mut().as_ptr().align_offset(4096);
        buf.resize(skip, 0);
        let mut buf = buf.split_off(skip);
        while buf.len() < 8192 {
            let at = 4096 + buf.len() as u64;
            let (missing, read);
            missing = 8192 - buf.len();
            (read, buf) = ring.read_at(&file, buf, missing, at).await;
            assert!(read.expect("reads") > 0);
        }
        assert!(buf == pattern(0, 8192));
    });
}

#[test]
fn more_operations_in_one_turn_than_a_queue_holds() {
    in_scratch("crowd", |ring, scratch| async move {
        let file = ring.open(scratch.path("file"), OpenOptions::write()).await.expect("opens");
        ring.write_at(&file, vec![pattern(0, 100_000)], 0).await.expect("writes");
        let readers: Vec<_> = (0..2000)
            .map(|nth| {
                let (ring, file) = (ring.clone(), file.clone());
                ring.clone().spawn(async move {
                    let got = ring.read_exact_at(&file, nth * 7, 100).await.expect("reads");
                    assert_eq!(got, pattern(nth as usize * 7, 100));
                })
            })
            .collect();
        for reader in readers {
            reader.await;
        }
    });
}

#[test]
fn durable_writes_go_where_they_belong_and_give_their_buffer_back() {
    in_scratch("durable", |ring, scratch| async move {
        let (file, _) =
            ring.open_direct(scratch.path("file"), OpenOptions::write()).await.expect("opens");
        let mut buf = AlignedBuf::default();
        for (nth, length) in [(0_u64, 4096), (5, 3 * 4096), (1, 4 * 4096), (1000, 1 << 20)] {
            buf.clear();
            buf.extend_from_slice(&pattern(nth as usize, length));
            let written;
            (written, buf) = ring.write_durable(&file, buf, nth * 4096).await;
            written.expect("writes");
            assert!(buf[..] == pattern(nth as usize, length), "the bytes come back as they went");
        }
        let plain = ring.open(scratch.path("file"), OpenOptions::read()).await.expect("opens");
        let read = async |page: u64, length| {
            ring.read_exact_at(&plain, page * 4096, length).await.expect("reads")
        };
        assert_eq!(read(0, 4096).await, pattern(0, 4096));
        assert_eq!(read(1, 4 * 4096).await, pattern(1, 4 * 4096));
        assert_eq!(read(5, 2 * 4096).await[..], pattern(5, 3 * 4096)[..2 * 4096]);
        assert!(read(1000, 1 << 20).await == pattern(1000, 1 << 20));
        let (written, buf) = ring.write_durable(&plain, buf, 0).await;
        written.expect_err("not for writing");
        assert_eq!(buf.len(), 1 << 20);
    });
}

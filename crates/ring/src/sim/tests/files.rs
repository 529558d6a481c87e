//! Files of a healthy process: names, contents, locks, capacity and errors.

use super::*;
use std::io::ErrorKind;

#[test]
fn files_behave_as_files() {
    let (world, node) = calm(1);
    on(&world, node, |ring| async move {
        ring.create_dir_all("/data/t-0").await.unwrap();
        let file = create(&ring, "/data/t-0/log").await;
        write(&ring, &file, b"hello", 0).await;
        write(&ring, &file, b"world", 5000).await;
        assert_eq!(ring.size(&file).await.unwrap(), 5005);
        let content = read(&ring, "data/./t-0/x/../log").await.unwrap();
        assert_eq!((&content[..5], &content[4999..]), (&b"hello"[..], &b"\0world"[..]));
        ring.truncate(&file, 3).await.unwrap();
        ring.truncate(&file, 6).await.unwrap();
        assert_eq!(read(&ring, "/data/t-0/log").await.unwrap(), b"hel\0\0\0");

        let error = |result: std::io::Result<File>| result.unwrap_err().kind();
        let new = OpenOptions { create_new: true, ..OpenOptions::write() };
        assert_eq!(error(ring.open("/data/t-0/log", new).await), ErrorKind::AlreadyExists);
        assert_eq!(
            error(ring.open("/data/t-0/none", OpenOptions::read()).await),
            ErrorKind::NotFound
        );
        assert_eq!(error(ring.open("/none/log", OpenOptions::write()).await), ErrorKind::NotFound);
        assert_eq!(error(ring.open("/data", OpenOptions::read()).await), ErrorKind::IsADirectory);
        assert_eq!(
            error(ring.open("/data/a\0b", OpenOptions::read()).await),
            ErrorKind::InvalidInput
        );
        let long = format!("/data/{}", "x".repeat(256));
        assert_eq!(error(ring.open(long, OpenOptions::write()).await), ErrorKind::InvalidFilename);
        assert_eq!(
            ring.remove_dir("/data/t-0").await.unwrap_err().kind(),
            ErrorKind::DirectoryNotEmpty
        );
        assert_eq!(ring.unlink("/data/t-0").await.unwrap_err().kind(), ErrorKind::IsADirectory);

        ring.rename("/data/t-0", "/data/t-0.gone").await.unwrap();
        let names: Vec<_> =
            ring.read_dir("/data").await.unwrap().into_iter().map(|entry| entry.name).collect();
        assert_eq!(names, ["t-0.gone"]);
        ring.unlink("/data/t-0.gone/log").await.unwrap();
        write(&ring, &file, b"still here", 0).await;
        assert_eq!(&ring.read_exact_at(&file, 0, 10).await.unwrap()[..], b"still here");
        ring.remove_dir("/data/t-0.gone").await.unwrap();
        assert!(ring.read_dir("/data").await.unwrap().is_empty());
    });
}

#[test]
fn write_now_is_seen_at_once_and_needs_no_turn() {
    let (world, node) = calm(1);
    on(&world, node, |ring| async move {
        let file = create(&ring, "/log").await;
        let reader = ring.open("/log", OpenOptions::read()).await.unwrap();
        ring.write_now(&file, &[Bytes::from_static(b"ab"), Bytes::from_static(b"cd")], 1).unwrap();
        let mut buf = BytesMut::new();
        assert_eq!(ring.read_now(&reader, &mut buf, 3, 1).unwrap(), 3);
        assert_eq!(&buf[..], b"abc");
        assert_eq!(ring.read_now(&reader, &mut buf, 10, 5).unwrap(), 0);
        assert!(
            ring.write_now(&reader, &[Bytes::from_static(b"x")], 0).is_err(),
            "opened for reading only"
        );
    });
    assert_eq!(world.disk(node).file_names(), ["/log"]);
    assert_eq!(world.disk(node).read_raw("/log").unwrap(), b"\0abcd");
}

#[test]
fn a_full_disk_refuses_and_recovers() {
    for seed in SEEDS {
        let (world, node) = calm(seed);
        world.disk(node).set_capacity_bytes(10 * 4096);
        on(&world, node, |ring| async move {
            let page = Bytes::from(vec![7; 4096]);
            let file = create(&ring, "/log").await;
            let ballast = create(&ring, "/ballast").await;
            ring.allocate(&ballast, 0, 4 * 4096, true).await.unwrap();
            assert_eq!(ring.disk_space("/").await.unwrap(), (6 * 4096, 10 * 4096));
            for index in 0..6 {
                ring.write_at(&file, vec![page.clone()], index * 4096).await.unwrap();
            }
            let error = ring.write_at(&file, vec![page.clone()], 6 * 4096).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::StorageFull);
            assert_eq!(
                ring.write_now(&file, std::slice::from_ref(&page), 6 * 4096).unwrap_err().kind(),
                ErrorKind::StorageFull
            );
            ring.write_at(&file, vec![page.clone()], 0).await.expect("overwriting needs no space");
            ring.write_at(&ballast, vec![page.clone()], 0)
                .await
                .expect("the ballast has its space");
            drop(ballast);
            ring.unlink("/ballast").await.unwrap();
            ring.write_at(&file, vec![page], 6 * 4096).await.expect("there is room again");
            ring.truncate(&file, 0).await.unwrap();
            assert_eq!(ring.disk_space("/").await.unwrap().0, 10 * 4096);
        });
    }
}

#[test]
fn locks_end_with_their_file_process_or_node() {
    let take = |ring: Ring| async move {
        let file = create(&ring, "/lock").await;
        let held = ring.try_lock(&file).await.unwrap();
        ring.spawn(async move {
            let _file = file;
            std::future::pending::<()>().await;
        });
        held
    };
    let (world, node) = calm(1);
    on(&world, node, |ring| async move {
        let (one, other) = (create(&ring, "/lock").await, create(&ring, "/lock").await);
        assert!(ring.try_lock(&one).await.unwrap() && ring.try_lock(&one).await.unwrap());
        assert!(!ring.try_lock(&other).await.unwrap());
        drop(one);
        ring.sleep(Duration::from_millis(1)).await;
        assert!(ring.try_lock(&other).await.unwrap());
    });
    assert!(on(&world, node, take), "its holder is gone");
    assert!(!on(&world, node, take));
    world.kill(node);
    assert!(on(&world, node, |ring| async move {
        let file = create(&ring, "/lock").await;
        ring.sync_dir("/").await.unwrap();
        ring.try_lock(&file).await.unwrap()
    }));
    world.crash(node);
    assert!(on(&world, node, take));
}

#[test]
fn errors_come_where_they_were_asked_for() {
    let (world, node) = calm(1);
    let disk = world.disk(node);
    on(&world, node, |ring| async move {
        for path in ["/a.log", "/a.index"] {
            let file = create(&ring, path).await;
            write(&ring, &file, b"content", 0).await;
        }
    });
    disk.fail_reads(".log");
    disk.fail_writes(".index");
    on(&world, node, |ring| async move {
        assert!(ring.read_file("/a.log", 100).await.is_err());
        assert!(ring.read_file("/a.index", 100).await.is_ok());
        let (log, index) = (create(&ring, "/a.log").await, create(&ring, "/a.index").await);
        write(&ring, &log, b"more", 0).await;
        assert!(ring.write_at(&index, vec![Bytes::from_static(b"more")], 0).await.is_err());
    });
    disk.heal();
    disk.flip_bit("/a.log", 2).unwrap();
    on(&world, node, |ring| async move {
        let content = read(&ring, "/a.log").await.unwrap();
        let differing: u32 =
            content.iter().zip(b"moreent").map(|(a, b)| (a ^ b).count_ones()).sum();
        assert_eq!(differing, 1);
    });
}

#[test]
fn a_hung_disk_waits_and_fails_nothing() {
    let (world, node) = calm(1);
    world.disk(node).hang(true);
    let done = start(&world, node, |ring| async move { create(&ring, "/log").await });
    world.run_for(Duration::from_secs(100));
    assert!(done.borrow().is_none());
    world.disk(node).hang(false);
    world.run_for(Duration::from_millis(10));
    assert!(done.borrow().is_some());
}

#[test]
fn direct_files_want_alignment() {
    let (world, node) = calm(1);
    on(&world, node, |ring| async move {
        let file =
            ring.open("/log", OpenOptions { direct: true, ..OpenOptions::write() }).await.unwrap();
        let page = Bytes::from(vec![1; 4096]);
        ring.write_at(&file, vec![page.clone()], 4096).await.unwrap();
        for (bufs, offset) in [(vec![page.clone()], 512), (vec![page.slice(..100)], 0)] {
            assert_eq!(
                ring.write_at(&file, bufs, offset).await.unwrap_err().kind(),
                ErrorKind::InvalidInput
            );
        }
    });
}

#[test]
fn reads_may_be_short_but_move_on() {
    let mut options = SimOptions::calm();
    options.disk.short_read_per_million = 500_000;
    let world = World::new(1, options);
    let node = world.node("a");
    on(&world, node, |ring| async move {
        let file = create(&ring, "/log").await;
        let content: Vec<u8> = (0..9000_u32).map(|i| i as u8).collect();
        ring.write_at(&file, vec![content.clone().into()], 0).await.unwrap();
        assert_eq!(ring.read_exact_at(&file, 0, 9000).await.unwrap(), content);
    });
}

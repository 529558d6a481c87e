//! Starts that must fail: with exit code 1, a message that says what to do, and nothing changed on
//! the disk.

use crate::{
    assert_unchanged, contents,
    support::{
        self, Broker, Client, Setup,
        broker::{Refusal, free_port, scratch_folder},
    },
};
use std::{fs, net::TcpListener, path::Path};

fn refusal(setup: &Setup, data: &Path, port: u16) -> Refusal {
    let Err(refusal) = Broker::try_start(setup, data, port) else { panic!("the broker started") };
    eprintln!("{}", refusal.stderr.trim());
    assert_eq!(refusal.status.code(), Some(1), "{}", refusal.stderr);
    assert!(!refusal.stderr.contains("panicked"), "{}", refusal.stderr);
    refusal
}

#[track_caller]
fn says(refusal: &Refusal, words: &[&str]) {
    for word in words {
        assert!(refusal.stderr.contains(word), "nothing of '{word}' in: {}", refusal.stderr);
    }
}

/// A folder with the data of a broker that was stopped cleanly, and the port it had.
fn used_data(setup: &Setup) -> (std::path::PathBuf, u16) {
    let (data, port) = (scratch_folder().join("data"), free_port());
    let mut broker = Broker::try_start(setup, &data, port).expect("a broker");
    Client::connect(broker.address).create_topic("kept", 1, &[]);
    broker.stop();
    (data, port)
}

#[test]
fn a_port_in_use_is_named() {
    for setup in Setup::backends() {
        let folder = scratch_folder();
        let other = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = other.local_addr().unwrap().port();
        let refusal = refusal(&setup, &folder.join("data"), port);
        says(&refusal, &[&format!("127.0.0.1:{port}"), "listeners"]);
        let made = contents(&folder.join("data"));
        assert!(made.is_empty(), "made: {:?}", made.keys());
        fs::remove_dir_all(folder).unwrap();
    }
}

#[test]
fn the_port_of_another_broker_is_named_and_that_broker_serves_on() {
    support::on_each_backend(|broker| {
        let folder = scratch_folder();
        let refusal = refusal(&broker.setup, &folder.join("data"), broker.address.port());
        says(&refusal, &[&broker.address.to_string(), "listeners"]);
        Client::connect(broker.address).create_topic("still-served", 1, &[]);
        fs::remove_dir_all(folder).unwrap();
    });
}

#[test]
fn a_used_folder_stays_as_it_is_when_the_port_is_taken() {
    for setup in Setup::backends() {
        let (data, port) = used_data(&setup);
        let before = contents(&data);
        let other = TcpListener::bind(("127.0.0.1", port)).unwrap();
        says(&refusal(&setup, &data, port), &["listeners"]);
        assert_unchanged(&before, &contents(&data));
        drop(other);
        let mut broker =
            Broker::try_start(&setup, &data, port).expect("it starts when the port is free");
        broker.stop();
        fs::remove_dir_all(data.parent().unwrap()).unwrap();
    }
}

#[test]
fn a_folder_that_another_broker_uses_is_locked() {
    support::on_each_backend(|broker| {
        let mut client = Client::connect(broker.address);
        client.create_topic("kept", 1, &[]);
        client.produce_value("kept", 0, b"value");
        // But for what the running broker writes in its own time.
        let others = |data: &Path| {
            let mut found = contents(data);
            let own = [
                "commit-stream-",
                "-checkpoint",
                "millstream-metadata-seen",
                "__cluster_metadata-0",
            ];
            found.retain(|path, _| !own.iter().any(|part| path.to_string_lossy().contains(part)));
            found
        };
        let before = others(&broker.data());
        let refusal = refusal(&broker.setup, &broker.data(), free_port());
        says(&refusal, &[&broker.data().display().to_string()]);
        assert!(
            refusal.stderr.contains("lock") || refusal.stderr.contains("use"),
            "{}",
            refusal.stderr
        );
        assert_unchanged(&before, &others(&broker.data()));
        assert_eq!(client.read_all_values("kept", 0), [b"value"]);
    });
}

#[test]
fn a_folder_of_another_cluster_is_refused() {
    for setup in Setup::backends() {
        let (data, port) = used_data(&setup);
        let before = contents(&data);
        let other = setup.clone().with("cluster.id", "AAAAAAAAAAAAAAAAAAAAAQ");
        says(&refusal(&other, &data, port), &["AAAAAAAAAAAAAAAAAAAAAQ", "cluster"]);
        assert_unchanged(&before, &contents(&data));
        fs::remove_dir_all(data.parent().unwrap()).unwrap();
    }
}

#[test]
fn a_folder_of_another_node_is_refused() {
    for setup in Setup::backends() {
        let (data, port) = used_data(&setup);
        let before = contents(&data);
        says(&refusal(&setup.clone().with("node.id", "77"), &data, port), &["node 77"]);
        assert_unchanged(&before, &contents(&data));
        fs::remove_dir_all(data.parent().unwrap()).unwrap();
    }
}

#[test]
fn folders_of_two_clusters_do_not_mix() {
    for setup in Setup::backends() {
        let ((mine, port), (theirs, _)) = (used_data(&setup), used_data(&setup));
        let before = [contents(&mine), contents(&theirs)];
        let both =
            setup.clone().with("log.dirs", &format!("{},{}", mine.display(), theirs.display()));
        says(&refusal(&both, &mine, port), &["cluster"]);
        assert_unchanged(&before[0], &contents(&mine));
        assert_unchanged(&before[1], &contents(&theirs));
        fs::remove_dir_all(mine.parent().unwrap()).unwrap();
        fs::remove_dir_all(theirs.parent().unwrap()).unwrap();
    }
}

#[test]
fn nonsense_in_the_configuration_is_named() {
    let folder = scratch_folder();
    let (setup, data) = (&Setup::backends()[0], folder.join("data"));
    for (key, value) in [
        ("io.backend", "kqueue"),
        ("shard.cores", "none"),
        ("durability", "maybe"),
        ("listeners", "PLAINTEXT://127.0.0.1:http"),
        ("log.retention.ms", "a while"),
        ("node.id", "-7"),
    ] {
        let refusal = refusal(&setup.clone().with(key, value), &data, free_port());
        says(&refusal, &[key]);
    }
    assert!(contents(&data).is_empty());
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let folder = scratch_folder();
    fs::write(folder.join("file"), b"in the way").unwrap();
    for setup in Setup::backends() {
        let setup = setup.with("log.dirs", &folder.join("file/data").display().to_string());
        says(&refusal(&setup, &folder.join("data"), free_port()), &["file/data"]);
    }
    fs::remove_dir_all(folder).unwrap();
}

//! Damaged and missing files: a start says what is wrong, serves the rest, and says the same at the
//! next start.

use crate::support::{Broker, Setup, client, unique};
use protocol::ErrorCode;
use std::{fs, path::Path};

/// Names and contents of the files of a folder.
fn files_in(dir: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(&path).unwrap())
        })
        .collect();
    files.sort();
    files
}

/// The log file of one partition is emptied, and the folder of another is gone. Each start keeps
/// both offline, leaves the files there as they are, makes nothing in place of missing ones, and
/// serves the third.
#[test]
fn what_is_lost_stays_offline_start_after_start() {
    for setup in Setup::backends() {
        let mut broker = Broker::start(&setup);
        let mut client = client::Client::connect(broker.address);
        let topics = [unique("emptied"), unique("gone"), unique("good")];
        for topic in &topics {
            client.create_topic(topic, 1, &[]);
            for value in [b"one", b"two"] {
                client.produce_value(topic, 0, value);
            }
        }
        assert_eq!(broker.stop().code(), Some(0));
        let folder = |topic: &str| broker.data().join(format!("{topic}-0"));
        let (emptied, gone) = (folder(&topics[0]), folder(&topics[1]));
        fs::write(emptied.join("00000000000000000000.log"), b"").unwrap();
        fs::remove_dir_all(&gone).unwrap();
        let before = files_in(&emptied);
        for (start, kill) in [false, true, false].into_iter().enumerate() {
            broker.start_again(&setup);
            let mut client = client::Client::connect(broker.address);
            for topic in &topics[..2] {
                let error = client::error(client.fetch(topic, 0, 0).error_code);
                assert!(error != ErrorCode::None, "{topic} is served");
                assert!(broker.log().contains(&format!("{topic}-0")), "{}", broker.log());
            }
            assert_eq!(client.read_all_values(&topics[2], 0).len(), 2);
            assert_eq!(files_in(&emptied), before);
            assert!(!gone.exists());
            if kill {
                broker.kill();
            } else {
                broker.stop();
                // What was not touched is as it was: closed cleanly before the kill, to be
                // recovered behind it.
                let is_clean = broker.data().join(".kafka_cleanshutdown").exists();
                assert_eq!(is_clean, start == 0, "start {start}");
            }
        }
    }
}

use super::{Out, Task, run};
use crate::log::tests::on_epoll;
use ring::Ring;
use std::{cell::RefCell, fs, path::Path, rc::Rc};

/// The snapshot that `kafka-storage format` of Apache Kafka 4.4.0 writes.
const FORMATTED: &[u8] = include_bytes!("../meta/golden/kafka-4.4.0-formatted.checkpoint");

/// What `log check` says, and whether nothing is wrong.
async fn check(ring: &Ring, dir: &Path) -> (bool, String) {
    let said = Rc::new(RefCell::new(String::new()));
    let heard = said.clone();
    let say = move |line: &str| {
        heard.borrow_mut().push_str(line);
        heard.borrow_mut().push('\n');
    };
    let out = Out { say: Box::new(say), progress: Box::new(|_| {}) };
    let is_well = run(ring, Task::Check, &[dir.to_owned()], &out).await.unwrap();
    let said = said.borrow().clone();
    (is_well, said)
}

#[test]
fn a_directory_that_was_only_formatted_lacks_nothing() {
    on_epoll(|ring, temp| async move {
        let (dir, metadata) = (temp.path(), temp.path().join("__cluster_metadata-0"));
        fs::create_dir(&metadata).unwrap();
        let meta = "#\ncluster.id=abc\ndirectory.id=ASNFZ4mrze8BI0VniavN7w\nnode.id=1\nversion=1\n";
        fs::write(dir.join("meta.properties"), meta).unwrap();
        fs::write(metadata.join("00000000000000000000-0000000000.checkpoint"), FORMATTED).unwrap();
        let (is_well, said) = check(&ring, dir).await;
        assert!(is_well, "{said}");

        // Malformed is not missing.
        let starts = dir.join("log-start-offset-checkpoint");
        fs::write(&starts, "no checkpoint").unwrap();
        let (is_well, said) = check(&ring, dir).await;
        assert!(!is_well && said.contains("the checkpoint is malformed"), "{said}");
        assert!(!said.contains("the checkpoint is missing"), "{said}");
        fs::remove_file(starts).unwrap();

        // A broker has run.
        fs::write(metadata.join("00000000000000000000.log"), "").unwrap();
        let (is_well, said) = check(&ring, dir).await;
        assert!(!is_well, "{said}");
        assert_eq!(said.matches("the checkpoint is missing").count(), 3, "{said}");
    });
}

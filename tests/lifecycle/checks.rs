//! `millstream log check` and `log repair` beside the damage matrix: what they say and do not say,
//! and that they agree.

use crate::{
    contents,
    support::{Broker, Client, Setup, broker::free_port, broker::scratch_folder, client, unique},
};
use protocol::ErrorCode;
use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
};

/// Exit code and words.
fn log(task: &str, dirs: &[&Path]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_millstream"));
    let output = command.args(["log", task]).args(dirs).output().expect("the command runs");
    let words = [output.stdout, output.stderr]
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .concat();
    (output.status.code().unwrap_or(-1), words)
}

fn setup() -> Setup {
    Setup::new("epoll", 1)
}

/// A broker that has served `topics` of two records, and was shut down cleanly.
fn stopped(setup: &Setup, topics: &[&str]) -> Broker {
    let mut broker = Broker::start(setup);
    let mut client = Client::connect(broker.address);
    for topic in topics {
        client.create_topic(topic, 1, &[]);
        client.produce_value(topic, 0, b"one");
        client.produce_value(topic, 0, b"two");
    }
    assert_eq!(broker.stop().code(), Some(0));
    broker
}

/// The leader epochs of a metadata log that has given up its beginning were called wrong.
#[test]
fn a_metadata_log_that_was_cut_behind_its_snapshots_is_no_damage() {
    let setup = setup().with("metadata.log.max.record.bytes.between.snapshots", "1");
    let mut broker = stopped(&setup, &[&unique("first")]);
    for _ in 0..3 {
        broker.start_again(&setup);
        let mut client = Client::connect(broker.address);
        for _ in 0..3 {
            client.create_topic(&unique("more"), 1, &[]);
        }
        assert_eq!(broker.stop().code(), Some(0));
    }
    let (code, words) = log("check", &[&broker.data()]);
    assert_eq!(code, 0, "{words}");
    let epochs =
        fs::read_to_string(broker.data().join("__cluster_metadata-0/leader-epoch-checkpoint"))
            .unwrap();
    let start: i64 =
        epochs.lines().nth(2).and_then(|line| line.split(' ').nth(1)?.parse().ok()).unwrap();
    assert!(start > 0, "the log has not given up its beginning: {epochs}");
}

/// The check called it wrong, and the repair left it, and said that all was well.
#[test]
fn a_repair_writes_a_malformed_checkpoint_anew_and_keeps_what_there_was() {
    let topic = unique("kept");
    let broker = stopped(&setup(), &[&topic]);
    for name in [
        "recovery-point-offset-checkpoint",
        "log-start-offset-checkpoint",
        "replication-offset-checkpoint",
    ] {
        let path = broker.data().join(name);
        let junk = format!("0\n7\n{}\n", "junk ".repeat(600_000));
        fs::write(&path, &junk).unwrap();
        let (code, words) = log("check", &[&broker.data()]);
        assert!(code == 4 && words.contains(name) && words.contains("line 3"), "{code}: {words}");
        assert!(
            words.len() < 5_000,
            "a file of {} bytes is quoted in {} bytes",
            junk.len(),
            words.len()
        );
        let (code, words) = log("repair", &[&broker.data()]);
        assert!(code == 0 && words.contains(&format!("{name}.aside-0")), "{code}: {words}");
        assert_eq!(
            fs::read_to_string(broker.data().join(format!("{name}.aside-0"))).unwrap(),
            junk
        );
        let (code, words) = log("check", &[&broker.data()]);
        assert_eq!(code, 0, "{words}");
    }
    fs::remove_file(broker.data().join("recovery-point-offset-checkpoint")).unwrap();
    assert_eq!(["check", "repair", "check"].map(|task| log(task, &[&broker.data()]).0), [4, 0, 0]);
    let mut broker = broker;
    broker.start_again(&setup());
    assert_eq!(Client::connect(broker.address).read_all_values(&topic, 0).len(), 2);
}

/// It was a note, and the exit code 0.
#[test]
fn partitions_of_a_directory_that_is_not_there_are_wrong() {
    let folder = scratch_folder();
    let dirs = ["a", "b"].map(|name| folder.join(name));
    let listed = dirs.each_ref().map(|dir| dir.display().to_string()).join(",");
    let setup = setup().with("log.dirs", &listed);
    let mut broker =
        Broker::try_start(&setup, &folder.join("unused"), free_port()).expect("a broker");
    Client::connect(broker.address).create_topic("spread", 4, &[]);
    assert_eq!(broker.stop().code(), Some(0));
    let (a, b): (&Path, &Path) = (&dirs[0], &dirs[1]);
    assert_eq!(log("check", &[a, b]).0, 0);
    fs::rename(b, folder.join("away")).unwrap();
    let before = contents(a);
    for task in ["check", "repair"] {
        let (code, words) = log(task, &[a]);
        assert!(
            code == 4 && words.contains("WRONG") && words.contains("directory.id is"),
            "{task}: {code}: {words}"
        );
        assert!(words.contains("spread-") && words.contains("log.dirs"), "{words}");
    }
    let mut after = contents(a);
    after.retain(|path, _| before.contains_key(path));
    crate::assert_unchanged(&before, &after);
    fs::remove_dir_all(folder).unwrap();
}

/// A link that leads to itself: to open it is an error (ELOOP), for root too.
fn make_unreadable(path: &Path) -> PathBuf {
    let kept = path.with_extension("kept");
    fs::rename(path, &kept).unwrap();
    symlink(path, path).unwrap();
    kept
}

/// One file that could not be read ended both commands.
#[test]
fn a_file_that_cannot_be_read_is_a_finding_and_the_rest_is_examined() {
    let [unreadable, damaged] = ["unreadable", "damaged"].map(unique);
    let broker = stopped(&setup(), &[&unreadable, &damaged]);
    let data = broker.data();
    // Damage behind it, in the order of the examination too.
    let harmed = data.join(format!("{damaged}-0/00000000000000000000.log"));
    let whole = fs::read(&harmed).unwrap();
    let harm = || {
        let mut bytes = whole.clone();
        *bytes.last_mut().unwrap() ^= 1;
        fs::write(&harmed, bytes).unwrap();
    };
    for path in [
        format!("{unreadable}-0/00000000000000000000.log"),
        format!("{unreadable}-0/leader-epoch-checkpoint"),
        format!("{unreadable}-0/00000000000000000000.index"),
        "recovery-point-offset-checkpoint".to_owned(),
        "__cluster_metadata-0/quorum-state".to_owned(),
        "__cluster_metadata-0/00000000000000000000.log".to_owned(),
    ] {
        harm();
        let kept = make_unreadable(&data.join(&path));
        for task in ["check", "repair"] {
            let (code, words) = log(task, &[&data]);
            assert_eq!(code, 4, "{task} with {path}: {words}");
            let wrong: Vec<&str> = words.lines().filter(|line| line.contains("WRONG: ")).collect();
            assert!(wrong.iter().any(|line| line.contains(&path)), "{task} with {path}: {words}");
            assert!(
                wrong.iter().any(|line| line.contains(&damaged)),
                "{task} with {path}: {words}"
            );
            assert!(data.join(&path).is_symlink(), "{task} with {path} is left alone: {words}");
        }
        fs::remove_file(data.join(&path)).unwrap();
        fs::rename(&kept, data.join(&path)).unwrap();
        let (code, words) = log("repair", &[&data]);
        assert_eq!(code, 0, "{path}: {words}");
        let (code, words) = log("check", &[&data]);
        assert_eq!(code, 0, "{path}: {words}");
    }
}

/// The only directory lost all but its identity and the metadata: its partitions were served from
/// offset 0, and a check found nothing wrong.
#[test]
fn a_directory_that_has_lost_its_partitions_and_checkpoints_is_wrong() {
    let topic = unique("lost");
    let mut broker = stopped(&setup(), &[&topic]);
    for entry in fs::read_dir(broker.data()).unwrap().map(|entry| entry.unwrap()) {
        let name = entry.file_name().into_string().unwrap();
        if name.starts_with(&topic) {
            fs::remove_dir_all(entry.path()).unwrap();
        } else if name.ends_with("-offset-checkpoint") {
            fs::remove_file(entry.path()).unwrap();
        }
    }
    let (code, words) = log("check", &[&broker.data()]);
    assert!(
        code == 4
            && words.contains(&format!("{topic}-0"))
            && words.contains("none of the partitions"),
        "{words}"
    );
    broker.start_again(&setup());
    let error = client::error(Client::connect(broker.address).fetch(&topic, 0, 0).error_code);
    assert_ne!(error, ErrorCode::None);
    broker.stop();
    assert!(!broker.data().join(format!("{topic}-0")).exists(), "nothing is made in its place");
}

//! Log directories that change their order, go away and come back: partitions are where the
//! metadata says, or offline.

use crate::{
    assert_unchanged, contents,
    support::{
        Broker, Client, Setup, batch,
        broker::{free_port, scratch_folder},
        client, eventually,
    },
};
use protocol::{
    ErrorCode,
    messages::{MetadataRequest, metadata_request::MetadataRequestTopic},
};
use std::{
    fs,
    path::{Path, PathBuf},
};

const PARTITIONS: i32 = 6;
/// The exit code of a stop that leaves something to recover.
const STOPPED_UNCLEAN: i32 = 3;

/// A node with two log directories, and a topic `kept` with a record in each of its partitions.
struct Node {
    folder: PathBuf,
    setup: Setup,
    port: u16,
}

impl Node {
    fn filled(setup: Setup) -> Node {
        let node = Node { folder: scratch_folder(), setup, port: free_port() };
        let mut broker = node.start(&["a", "b"]);
        let mut client = Client::connect(broker.address);
        client.create_topic("kept", PARTITIONS, &[]);
        for partition in 0..PARTITIONS {
            client.produce_value("kept", partition, value(partition).as_bytes());
        }
        assert!(broker.stop().success());
        node
    }

    fn dir(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn try_start(&self, dirs: &[&str]) -> Result<Broker, String> {
        let dirs: Vec<String> =
            dirs.iter().map(|name| self.dir(name).display().to_string()).collect();
        let setup = self.setup.clone().with("log.dirs", &dirs.join(","));
        // The log is found beside this path.
        let begun = Broker::try_start(&setup, &self.dir("node"), self.port);
        begun.map_err(|refusal| refusal.stderr)
    }

    #[track_caller]
    fn start(&self, dirs: &[&str]) -> Broker {
        self.try_start(dirs).unwrap_or_else(|stderr| panic!("it does not start: {stderr}"))
    }

    #[track_caller]
    fn refuses(&self, dirs: &[&str], words: &[&str]) {
        let before = contents(&self.folder.join("a"));
        let Err(stderr) = self.try_start(dirs) else { panic!("the broker started") };
        words
            .iter()
            .for_each(|word| assert!(stderr.contains(word), "nothing of '{word}' in: {stderr}"));
        assert_unchanged(&before, &contents(&self.folder.join("a")));
    }

    /// What the broker has said since the first start.
    fn log(&self) -> String {
        fs::read_to_string(self.dir("node").with_extension("stderr")).expect("its log")
    }

    /// The partitions that lie in a directory.
    fn partitions_in(&self, dir: &str) -> Vec<i32> {
        let entries = fs::read_dir(self.dir(dir)).expect("the directory").flatten();
        let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
        let mut found: Vec<i32> =
            names.filter_map(|name| name.strip_prefix("kept-")?.parse().ok()).collect();
        found.sort_unstable();
        found
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn value(partition: i32) -> String {
    format!("value {partition}")
}

#[track_caller]
fn serves_all(broker: &Broker) {
    let mut client = Client::connect(broker.address);
    for partition in 0..PARTITIONS {
        assert_eq!(
            client.read_all_values("kept", partition),
            [value(partition).into_bytes()],
            "partition {partition}"
        );
    }
}

fn nodes() -> impl Iterator<Item = Node> {
    Setup::backends().into_iter().map(Node::filled)
}

#[test]
fn the_order_of_the_directories_does_not_matter() {
    for node in nodes() {
        let before = (node.partitions_in("a"), node.partitions_in("b"));
        assert_eq!((before.0.len(), before.1.len()), (3, 3), "new partitions are spread evenly");
        for dirs in [&["b", "a"][..], &["new", "b", "a"], &["a", "b"]] {
            let mut broker = node.start(dirs);
            serves_all(&broker);
            assert_eq!((node.partitions_in("a"), node.partitions_in("b")), before);
            assert!(broker.stop().success());
        }
        assert!(node.log().contains("the metadata log is in"), "{}", node.log());
    }
}

#[test]
fn a_directory_that_is_away_takes_its_partitions_offline() {
    for node in nodes() {
        let away = node.partitions_in("b");
        fs::rename(node.dir("b"), node.dir("unmounted")).unwrap();
        // Not mentioned any more, or an empty mount point.
        for dirs in [&["a"][..], &["a", "b"]] {
            let mut broker = node.start(dirs);
            let mut client = Client::connect(broker.address);
            let asked =
                MetadataRequestTopic { name: Some("kept".to_owned()), ..Default::default() };
            let request = MetadataRequest { topics: Some(vec![asked]), ..Default::default() };
            for partition in client.call(&request, 12).topics.remove(0).partitions {
                let index = partition.partition_index;
                let is_away = away.contains(&index);
                let expected = if is_away { (5, -1, vec![1]) } else { (0, 1, vec![]) };
                assert_eq!(
                    (partition.error_code, partition.leader_id, partition.offline_replicas),
                    expected,
                    "{index}"
                );
                let error = client.produce("kept", index, batch::of(&[b"more"])).error_code;
                assert_eq!(error != 0, is_away, "{index}: {:?}", client::error(error));
                if is_away {
                    // Another thread writes the log.
                    eventually("it is named", || node.log().contains(&format!("kept-{index}")));
                }
            }
            // New partitions go where there is room for them.
            client.create_topic(&format!("meanwhile-{}", dirs.len()), 4, &[]);
            assert_eq!(node.partitions_in("a").len(), 3, "nothing is made in their place");
            assert!(broker.stop().success());
        }
        fs::rename(node.dir("b"), node.dir("empty")).unwrap();
        fs::rename(node.dir("unmounted"), node.dir("b")).unwrap();
        let mut broker = node.start(&["a", "b"]);
        let mut client = Client::connect(broker.address);
        for index in away {
            assert_eq!(client.read_all_values("kept", index), [value(index).into_bytes()]);
            assert_eq!(client.produce_value("kept", index, b"more"), 1);
        }
        assert!(broker.stop().success());
    }
}

#[test]
fn a_directory_that_cannot_be_used_is_offline() {
    for node in nodes() {
        let away = node.partitions_in("b");
        fs::rename(node.dir("b"), node.dir("away")).unwrap();
        fs::write(node.dir("b"), b"in the way").unwrap();
        let mut broker = node.start(&["a", "b"]);
        let mut client = Client::connect(broker.address);
        for index in 0..PARTITIONS {
            let error = client::error(client.fetch("kept", index, 0).error_code);
            assert_eq!(error != ErrorCode::None, away.contains(&index), "{index}: {error:?}");
        }
        assert_eq!(
            broker.stop().code(),
            Some(STOPPED_UNCLEAN),
            "the sick directory is not closed cleanly"
        );
        assert!(node.dir("a").join(".kafka_cleanshutdown").exists());
        // The directory of the metadata is needed.
        fs::rename(node.dir("a"), node.dir("metadata")).unwrap();
        fs::write(node.dir("a"), b"in the way").unwrap();
        fs::remove_file(node.dir("b")).unwrap();
        fs::rename(node.dir("away"), node.dir("b")).unwrap();
        node.refuses(&["a", "b"], &["metadata log", "a"]);
    }
}

#[test]
fn directories_that_say_too_little_or_too_much_are_refused() {
    for node in nodes() {
        let metadata = |dir: &str| node.dir(dir).join("__cluster_metadata-0");
        let meta = node.dir("b").join("meta.properties");
        let text = fs::read_to_string(&meta).unwrap();
        fs::remove_file(&meta).unwrap();
        let cluster_id = text.lines().find(|line| line.starts_with("cluster.id")).unwrap();
        node.refuses(&["a", "b"], &["meta.properties", "kept-", cluster_id]);
        fs::write(&meta, "").unwrap();
        node.refuses(&["a", "b"], &["meta.properties", cluster_id]);
        let own = fs::read_to_string(node.dir("a").join("meta.properties")).unwrap();
        fs::write(&meta, own).unwrap();
        node.refuses(&["a", "b"], &["directory.id"]);
        fs::write(&meta, &text).unwrap();

        copy(&metadata("a"), &metadata("b"));
        node.refuses(&["a", "b"], &["a: ", "b.", "__cluster_metadata-0"]);
        fs::remove_dir_all(metadata("b")).unwrap();
        fs::rename(metadata("a"), node.dir("elsewhere")).unwrap();
        node.refuses(&["a", "b"], &["no log directory holds the metadata log"]);
        fs::rename(node.dir("elsewhere"), metadata("a")).unwrap();
        let mut broker = node.start(&["a", "b"]);
        serves_all(&broker);
        broker.stop();
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}

/// Earlier versions set every folder aside when the order of the directories changed.
#[test]
fn folders_that_were_set_aside_come_back_with_their_metadata() {
    for node in nodes() {
        for dir in ["a", "b"] {
            for index in node.partitions_in(dir) {
                let stray = format!("kept-{index}.{index:032x}-stray");
                fs::rename(node.dir(dir).join(format!("kept-{index}")), node.dir(dir).join(stray))
                    .unwrap();
            }
        }
        let mut broker = node.start(&["a", "b"]);
        serves_all(&broker);
        assert_eq!((node.partitions_in("a").len(), node.partitions_in("b").len()), (3, 3));
        assert!(broker.stop().success());
    }
}

#[test]
fn a_folder_that_is_gone_is_said_and_not_made_anew() {
    for node in nodes() {
        let index = node.partitions_in("b")[0];
        fs::remove_dir_all(node.dir("b").join(format!("kept-{index}"))).unwrap();
        let mut broker = node.start(&["a", "b"]);
        let error =
            client::error(Client::connect(broker.address).fetch("kept", index, 0).error_code);
        assert_ne!(error, ErrorCode::None);
        assert!(node.log().contains(&format!("kept-{index} is gone")), "{}", node.log());
        assert!(broker.stop().success());
        assert!(!node.partitions_in("b").contains(&index));
    }
}

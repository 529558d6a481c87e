//! Whose log directories these are: what each says of itself is read and compared before anything
//! is written.
//!
//! Owns: nothing. Lives on: the core that boots. A directory that cannot be read is left out, as an
//! offline one, as long as the metadata is in another; directories that contradict each other, or
//! that say too little, keep the broker from starting. Never: changes a file.

use crate::{
    config::BrokerConfig,
    log::{MetaProperties, parse_partition_dir, parse_stray_dir},
    meta::METADATA_TOPIC,
};
use protocol::Uuid;
use ring::Ring;
use std::{
    io,
    path::{Path, PathBuf},
};

const META_PROPERTIES: &str = "meta.properties";
const MAX_META_BYTES: usize = 1 << 20;

/// Why the log directories cannot be told to be this node's: the broker does not start.
#[derive(Debug, thiserror::Error)]
#[error("{}: {detail}", path.display())]
pub struct IdentityError {
    pub path: PathBuf,
    pub detail: String,
}

/// What the configuration says about the directories.
pub struct Wanted<'a> {
    pub cluster_id: Option<&'a str>,
    pub node_id: i32,
    pub metadata_dir: &'a Path,
    pub metadata_dir_is_set: bool,
}

/// A log directory as it was found.
#[derive(Debug, Default)]
pub struct Look {
    pub path: PathBuf,
    /// Why it cannot be used; then nothing else is known, but `meta` perhaps.
    pub fault: Option<String>,
    /// Err: why it says nothing.
    pub meta: Option<Result<MetaProperties, String>>,
    pub has_metadata_log: bool,
    /// The first folder of a partition, and how many there are.
    pub partition: Option<String>,
    pub partitions: usize,
}

/// What the directories have in common.
#[derive(Debug, PartialEq)]
pub struct Identity {
    /// None: they are all new, and no id is configured.
    pub cluster_id: Option<String>,
    /// The directory of the metadata log.
    pub metadata_dir: PathBuf,
    pub usable: Vec<PathBuf>,
    pub offline: Vec<OfflineDir>,
}

/// A log directory of the configuration that cannot be used.
#[derive(Clone, Debug, PartialEq)]
pub struct OfflineDir {
    pub path: PathBuf,
    /// Its `directory.id`, where that could be read.
    pub id: Option<Uuid>,
    pub why: String,
}

/// Looks at every log directory of the configuration.
pub async fn look(ring: &Ring, config: &BrokerConfig) -> Vec<Look> {
    let mut looks = Vec::new();
    for path in &config.log_dirs {
        looks.push(look_at(ring, path).await);
    }
    looks
}

pub async fn look_at(ring: &Ring, path: &Path) -> Look {
    let mut look = Look { path: path.to_owned(), ..Look::default() };
    let entries = match ring.read_dir(path).await {
        Ok(entries) => entries,
        // It is made, then.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return look,
        Err(error) => {
            look.fault = Some(format!("cannot be listed: {error}"));
            return look;
        }
    };
    for entry in entries.into_iter().filter(|entry| entry.is_dir) {
        match parse_partition_dir(&entry.name) {
            Some((METADATA_TOPIC, 0)) => match has_metadata(ring, &path.join(&entry.name)).await {
                Ok(has) => look.has_metadata_log = has,
                Err(error) => {
                    look.fault = Some(format!("{}: cannot be listed: {error}", entry.name))
                }
            },
            None if parse_stray_dir(&entry.name).is_none() => {}
            _ => {
                look.partitions += 1;
                look.partition.get_or_insert(entry.name);
            }
        }
    }
    look.meta = match ring.read_file(path.join(META_PROPERTIES), MAX_META_BYTES).await {
        Ok(bytes) => Some(
            MetaProperties::parse(&String::from_utf8_lossy(&bytes))
                .map_err(|error| error.to_string()),
        ),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => {
            look.fault = Some(format!("{META_PROPERTIES} cannot be read: {error}"));
            None
        }
    };
    look
}

/// A folder without a segment and without a snapshot is as good as none.
async fn has_metadata(ring: &Ring, folder: &Path) -> io::Result<bool> {
    let entries = ring.read_dir(folder).await?;
    Ok(entries
        .iter()
        .any(|entry| entry.name.ends_with(".log") || entry.name.ends_with(".checkpoint")))
}

fn refuse(path: &Path, detail: String) -> IdentityError {
    IdentityError { path: path.to_owned(), detail }
}

/// What follows from the looks at the directories.
pub fn identify(looks: &[Look], wanted: &Wanted<'_>) -> Result<Identity, IdentityError> {
    check_paths(looks, wanted)?;
    let cluster_id = cluster_id(looks, wanted)?;
    check_known(looks, wanted, cluster_id.as_deref())?;
    check_directory_ids(looks)?;
    let metadata_dir = metadata_dir(looks, wanted)?;
    let offline_dir = |look: &Look| {
        let id = look
            .meta
            .as_ref()
            .and_then(|meta| meta.as_ref().ok()?.directory_id.as_deref()?.parse().ok());
        Some(OfflineDir { path: look.path.clone(), id, why: look.fault.clone()? })
    };
    Ok(Identity {
        cluster_id,
        metadata_dir,
        usable: looks
            .iter()
            .filter(|look| look.fault.is_none())
            .map(|look| look.path.clone())
            .collect(),
        offline: looks.iter().filter_map(offline_dir).collect(),
    })
}

/// What is wrong with the `meta.properties` of these directories, which need not be all of their
/// broker's.
pub fn contradiction(looks: &[Look]) -> Option<IdentityError> {
    let node_id = said(looks).next().map_or(1, |(_, meta)| meta.node_id);
    let wanted = Wanted {
        cluster_id: None,
        node_id,
        metadata_dir: Path::new(""),
        metadata_dir_is_set: false,
    };
    let cluster_id = match cluster_id(looks, &wanted) {
        Ok(cluster_id) => cluster_id,
        Err(error) => return Some(error),
    };
    check_known(looks, &wanted, cluster_id.as_deref())
        .and_then(|()| check_directory_ids(looks))
        .err()
}

fn check_paths(looks: &[Look], wanted: &Wanted<'_>) -> Result<(), IdentityError> {
    for (at, look) in looks.iter().enumerate() {
        if looks[..at].iter().any(|other| other.path == look.path) {
            return Err(refuse(
                &look.path,
                "log.dirs names this directory twice: leave one of them out".to_owned(),
            ));
        }
    }
    if !looks.iter().any(|look| look.path == wanted.metadata_dir) {
        return Err(refuse(
            wanted.metadata_dir,
            "metadata.log.dir must be one of log.dirs".to_owned(),
        ));
    }
    if let Some(first) = looks.first().filter(|_| looks.iter().all(|look| look.fault.is_some())) {
        let fault = first.fault.as_deref().unwrap_or_default();
        return Err(refuse(
            &first.path,
            format!(
                "{fault}; no other log directory can be used. Correct log.dirs, or what is in its \
                 way"
            ),
        ));
    }
    Ok(())
}

/// The directories that have an id.
fn said(looks: &[Look]) -> impl Iterator<Item = (&Look, &MetaProperties)> {
    looks.iter().filter_map(|look| Some((look, look.meta.as_ref()?.as_ref().ok()?)))
}

fn cluster_id(looks: &[Look], wanted: &Wanted<'_>) -> Result<Option<String>, IdentityError> {
    let first = said(looks).next();
    for (look, meta) in said(looks) {
        let path = look.path.join(META_PROPERTIES);
        let id = &meta.cluster_id;
        if let Some(configured) = wanted.cluster_id.filter(|configured| configured != id) {
            let detail = format!(
                "this directory belongs to cluster {id}, the configuration says {configured}: \
                 correct cluster.id or log.dirs"
            );
            return Err(refuse(&path, detail));
        }
        if let Some((other, known)) = first.filter(|(_, known)| known.cluster_id != *id) {
            let detail = format!(
                "this directory belongs to cluster {id}, but {} to cluster {}: correct log.dirs",
                other.path.display(),
                known.cluster_id
            );
            return Err(refuse(&path, detail));
        }
        if meta.node_id != wanted.node_id {
            let detail = format!(
                "this directory belongs to node {} of cluster {id}, this is node {}: correct \
                 node.id or log.dirs",
                meta.node_id, wanted.node_id
            );
            return Err(refuse(&path, detail));
        }
    }
    let known = first.map(|(_, meta)| meta.cluster_id.clone());
    Ok(known.or_else(|| wanted.cluster_id.map(str::to_owned)))
}

/// A directory that holds something says to which cluster it belongs, or nothing is begun: another
/// id, drawn anew, would be taken for another cluster by every client and tool.
fn check_known(
    looks: &[Look],
    wanted: &Wanted<'_>,
    cluster_id: Option<&str>,
) -> Result<(), IdentityError> {
    for look in looks.iter().filter(|look| look.fault.is_none()) {
        let holds = match (&look.partition, look.has_metadata_log) {
            (_, true) => "the metadata log".to_owned(),
            (Some(first), false) => format!("{} partitions ({first} is one)", look.partitions),
            (None, false) => String::new(),
        };
        let problem = match &look.meta {
            Some(Err(problem)) => {
                format!("{problem}; this file says to which cluster the directory belongs")
            }
            None if !holds.is_empty() => {
                format!("this file is missing, but the directory holds {holds}")
            }
            _ => continue,
        };
        let id = cluster_id.unwrap_or("ID_OF_THE_CLUSTER");
        let content = MetaProperties {
            cluster_id: id.to_owned(),
            node_id: wanted.node_id,
            ..MetaProperties::default()
        }
        .format();
        let content = content.lines().skip(1).collect::<Vec<_>>().join(", ");
        return Err(refuse(
            &look.path.join(META_PROPERTIES),
            format!("{problem}. Restore it from a backup, or write it with these lines: {content}"),
        ));
    }
    Ok(())
}

fn check_directory_ids(looks: &[Look]) -> Result<(), IdentityError> {
    let ids: Vec<(&Look, &str)> = said(looks)
        .filter_map(|(look, meta)| Some((look, meta.directory_id.as_deref()?)))
        .collect();
    for (at, (look, id)) in ids.iter().enumerate() {
        if let Some((other, _)) = ids[..at].iter().find(|(_, known)| known == id) {
            let detail = format!(
                "this directory has the directory.id {id}, and so has {}: one is a copy, or the \
                 same disk twice. Take one of \
                 them out of log.dirs",
                other.path.display()
            );
            return Err(refuse(&look.path.join(META_PROPERTIES), detail));
        }
    }
    Ok(())
}

/// The metadata log is where it is. Beginning another one would be an empty cluster beside the
/// topics of this one.
fn metadata_dir(looks: &[Look], wanted: &Wanted<'_>) -> Result<PathBuf, IdentityError> {
    let with_log: Vec<&Look> = looks.iter().filter(|look| look.has_metadata_log).collect();
    let configured =
        looks.iter().find(|look| look.path == wanted.metadata_dir).expect("checked above");
    match with_log[..] {
        [] => {
            if let Some(fault) = &configured.fault {
                let detail = format!(
                    "the metadata log belongs in this directory, which {fault}: mend it, then \
                     start again"
                );
                return Err(refuse(&configured.path, detail));
            }
            if let Some(look) = looks.iter().find(|look| look.partitions > 0) {
                let example = look.partition.as_deref().unwrap_or_default();
                let detail = format!(
                    "this directory holds {} partitions ({example} is one), but no log directory \
                     holds the metadata log \
                     ({METADATA_TOPIC}-0), which says whose they are. Restore it, or add the \
                     directory that has it to log.dirs",
                    look.partitions
                );
                return Err(refuse(&look.path, detail));
            }
            Ok(configured.path.clone())
        }
        [one] if one.path == configured.path => match &one.fault {
            None => Ok(one.path.clone()),
            Some(fault) => Err(refuse(
                &one.path,
                format!("it holds the metadata log, but {fault}: mend it first"),
            )),
        },
        [one] if wanted.metadata_dir_is_set => {
            let detail = format!(
                "metadata.log.dir names this directory, but the metadata log is in {}: set \
                 metadata.log.dir to that one",
                one.path.display()
            );
            Err(refuse(&configured.path, detail))
        }
        [one] => {
            tracing::warn!(
                "the metadata log is in {}, not in {}, the first of log.dirs: it is used there. \
                 Set metadata.log.dir={}; \
                 Apache Kafka would not start without it",
                one.path.display(),
                configured.path.display(),
                one.path.display()
            );
            Ok(one.path.clone())
        }
        [first, second, ..] => {
            let detail = format!(
                "this directory holds a metadata log ({METADATA_TOPIC}-0), and so does {}. Only \
                 one of them is that of this \
                 cluster: move the other one away",
                second.path.display()
            );
            Err(refuse(&first.path, detail))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(metadata_dir: &Path) -> Wanted<'_> {
        Wanted { cluster_id: None, node_id: 1, metadata_dir, metadata_dir_is_set: false }
    }

    fn new(path: &str) -> Look {
        Look { path: path.into(), ..Look::default() }
    }

    /// A directory that was in use, with one partition.
    fn used(path: &str, directory_id: &str) -> Look {
        let directory_id = Some(directory_id.to_owned());
        let meta = MetaProperties {
            cluster_id: "cluster".to_owned(),
            node_id: 1,
            directory_id,
            is_unused: false,
        };
        Look { meta: Some(Ok(meta)), partition: Some("t-0".to_owned()), partitions: 1, ..new(path) }
    }

    fn with_log(look: Look) -> Look {
        Look { has_metadata_log: true, ..look }
    }

    fn faulty(look: Look) -> Look {
        Look { fault: Some("cannot be listed: no such luck".to_owned()), ..look }
    }

    fn identify_all(looks: &[Look]) -> Result<Identity, String> {
        identify(looks, &wanted(&looks[0].path)).map_err(|error| error.to_string())
    }

    #[track_caller]
    fn refuses(looks: &[Look], words: &[&str]) {
        let refusal = identify_all(looks).expect_err("a refusal");
        for word in words {
            assert!(refusal.contains(word), "nothing of '{word}' in: {refusal}");
        }
    }

    #[test]
    fn new_directories_are_anybodys() {
        let identity = identify_all(&[new("a"), new("b")]).unwrap();
        assert_eq!((identity.cluster_id, identity.metadata_dir), (None, PathBuf::from("a")));
        let configured = Wanted { cluster_id: Some("mine"), ..wanted(Path::new("a")) };
        assert_eq!(identify(&[new("a")], &configured).unwrap().cluster_id.as_deref(), Some("mine"));
        // Formatted, but never started.
        let formatted = Look { partition: None, partitions: 0, ..used("a", "A") };
        assert_eq!(identify_all(&[formatted]).unwrap().cluster_id.as_deref(), Some("cluster"));
    }

    #[test]
    fn the_metadata_log_is_used_where_it_is() {
        let a = || with_log(used("a", "A"));
        for looks in [[a(), used("b", "B")], [used("b", "B"), a()], [new("new"), a()]] {
            let identity = identify_all(&looks).unwrap();
            assert_eq!(identity.metadata_dir, PathBuf::from("a"));
            assert_eq!(identity.usable.len(), 2);
        }
        let looks = [used("b", "B"), a()];
        let set = Wanted { metadata_dir_is_set: true, ..wanted(Path::new("b")) };
        let refusal = identify(&looks, &set).unwrap_err().to_string();
        assert!(refusal.contains("the metadata log is in a"), "{refusal}");
        refuses(&[a(), with_log(used("b", "B"))], &["a: ", "so does b"]);
        refuses(&[new("a"), used("b", "B")], &["b: ", "__cluster_metadata-0", "Restore"]);
        let elsewhere = wanted(Path::new("c"));
        assert!(
            identify(&looks, &elsewhere)
                .unwrap_err()
                .to_string()
                .contains("must be one of log.dirs")
        );
    }

    #[test]
    fn a_directory_that_says_too_little_is_refused() {
        let silent = |look: Look| Look { meta: None, ..look };
        let words = [
            "a/meta.properties",
            "missing",
            "metadata log",
            "cluster.id=ID_OF_THE_CLUSTER",
            "node.id=1",
        ];
        refuses(&[silent(with_log(used("a", "A")))], &words);
        refuses(
            &[with_log(used("a", "A")), silent(used("b", "B"))],
            &["b/meta.properties", "t-0", "cluster.id=cluster"],
        );
        let emptied = Look { meta: Some(Err("version=1 expected".to_owned())), ..used("a", "A") };
        refuses(&[with_log(emptied)], &["a/meta.properties", "version=1 expected", "Restore"]);
    }

    #[test]
    fn directories_that_contradict_each_other_are_refused() {
        let mut other = used("b", "B");
        let meta = |look: &mut Look, change: &dyn Fn(&mut MetaProperties)| {
            change(look.meta.as_mut().unwrap().as_mut().unwrap())
        };
        meta(&mut other, &|meta| meta.cluster_id = "other".to_owned());
        refuses(
            &[with_log(used("a", "A")), other],
            &["b/meta.properties", "cluster other", "a to cluster cluster"],
        );
        let mut other = used("b", "B");
        meta(&mut other, &|meta| meta.node_id = 7);
        refuses(&[with_log(used("a", "A")), other], &["b/meta.properties", "node 7", "node 1"]);
        refuses(&[with_log(used("a", "A")), used("b", "A")], &["directory.id A", "so has a"]);
        refuses(&[used("a", "A"), used("a", "A")], &["twice"]);
    }

    #[test]
    fn a_directory_that_cannot_be_used_is_offline_unless_it_is_needed() {
        let identity = identify_all(&[with_log(used("a", "A")), faulty(new("b"))]).unwrap();
        assert_eq!(
            (identity.usable, identity.offline[0].path.clone()),
            (vec!["a".into()], "b".into())
        );
        // The first one is sick, but the metadata is in the other.
        let identity = identify_all(&[faulty(new("b")), with_log(used("a", "A"))]).unwrap();
        assert_eq!(identity.metadata_dir, PathBuf::from("a"));
        refuses(&[faulty(new("a")), used("b", "B")], &["a: ", "metadata log", "no such luck"]);
        refuses(&[faulty(new("a")), faulty(new("b"))], &["a: ", "no such luck", "log.dirs"]);
    }
}

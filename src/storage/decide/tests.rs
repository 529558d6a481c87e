//! Facts of a disk beside a metadata image, and the decisions from them.

use super::*;
use crate::meta::{
    controller::{ControllerRequest, ControllerResponse, DirectoryAssignment},
    testing::World,
};

const A: Uuid = Uuid::from_u128(1001);
const B: Uuid = Uuid::from_u128(2001);
const C: Uuid = Uuid::from_u128(3001);
/// A topic that the metadata does not have.
const OTHER: Uuid = Uuid::from_u128(77);

/// A cluster with topic `t` of one partition, which the metadata has in `recorded`.
struct Scene {
    world: World,
    facts: Facts,
    id: PartitionId,
}

impl Scene {
    fn new(recorded: Uuid) -> Scene {
        let mut world = World::new();
        let topic_id = world.topic("t", 1);
        let broker_epoch = world.image().broker(1).unwrap().0.broker_epoch;
        let request = DirectoryAssignment {
            broker_id: 1,
            broker_epoch,
            replicas: vec![(topic_id, 0, recorded)],
        };
        let assigned = world.ask(ControllerRequest::AssignReplicasToDirs(request));
        assert_eq!(assigned, ControllerResponse::AssignReplicasToDirs(Ok(())));
        let dir =
            |path: &str, id| Dir { path: path.into(), id, metadata_seen: -1, ..Dir::default() };
        let facts = Facts {
            dirs: vec![dir("/a", A), dir("/b", B)],
            metadata_offset: world.image().provenance.offset,
            is_registered: true,
            ..Facts::default()
        };
        Scene { world, facts, id: PartitionId { topic_id, index: 0 } }
    }

    fn folder(mut self, path: &str, topic_id: Uuid) -> Scene {
        let path = PathBuf::from(path);
        let dir = self.facts.dirs.iter().position(|dir| path.parent() == Some(&dir.path)).unwrap();
        let (topic, partition) =
            crate::log::parse_partition_dir(path.file_name().unwrap().to_str().unwrap()).unwrap();
        self.facts.folders.push(Folder {
            dir,
            topic: topic.to_owned(),
            partition,
            path: path.clone(),
        });
        self.facts.topic_ids.insert(path, Ok(Some(topic_id)));
        self
    }

    fn stray(mut self, path: &str) -> Scene {
        let path = PathBuf::from(path);
        let dir = self.facts.dirs.iter().position(|dir| path.parent() == Some(&dir.path)).unwrap();
        self.facts.strays.push(Stray {
            dir,
            topic: "t".to_owned(),
            partition: 0,
            path: path.clone(),
        });
        self.facts.topic_ids.insert(path, Ok(Some(self.id.topic_id)));
        self
    }

    fn with(mut self, change: impl FnOnce(&mut Facts, PartitionId)) -> Scene {
        change(&mut self.facts, self.id);
        self
    }

    fn decide(&self) -> Decisions {
        let image = self.world.image().clone();
        let asked = self.facts.ask(&image);
        let mut facts = Facts { topic_ids: FxHashMap::default(), ..self.facts_again() };
        // Only what was asked for is known.
        facts.topic_ids = asked
            .into_iter()
            .map(|path| (path.clone(), self.facts.topic_ids[&path].clone()))
            .collect();
        super::decide(&facts, &image, 1)
    }

    fn facts_again(&self) -> Facts {
        let facts = &self.facts;
        Facts {
            dirs: facts.dirs.clone(),
            folders: facts.folders.clone(),
            strays: facts.strays.clone(),
            known_offsets: facts.known_offsets.clone(),
            registered: facts.registered.clone(),
            ..Facts {
                metadata_offset: facts.metadata_offset,
                is_registered: facts.is_registered,
                ..Facts::default()
            }
        }
    }

    #[track_caller]
    fn is_at(&self, folder: &str, assigned: Option<Uuid>) -> Decisions {
        let decisions = self.decide();
        assert_eq!(decisions.places, [(self.id, Held::At(folder.into()))]);
        let assigned: Vec<_> = assigned.into_iter().map(|id| (self.id.topic_id, 0, id)).collect();
        assert_eq!(decisions.assignments, assigned);
        assert_eq!(decisions.offline, []);
        decisions
    }

    #[track_caller]
    fn is_offline(&self, why: Why) -> Decisions {
        let decisions = self.decide();
        assert_eq!(decisions.offline, [(why, "t-0".to_owned())]);
        assert!(matches!(decisions.places[..], [(id, Held::Offline { .. })] if id == self.id));
        decisions
    }
}

#[test]
fn a_partition_is_where_its_folder_is() {
    let own = |scene: Scene, path| {
        let id = scene.id.topic_id;
        scene.folder(path, id)
    };
    own(Scene::new(B), "/b/t-0").is_at("/b/t-0", None);
    // Found elsewhere, or recorded nowhere: where it is counts, and is recorded.
    own(Scene::new(A), "/b/t-0").is_at("/b/t-0", Some(B));
    for unrecorded in [directory::UNASSIGNED, directory::MIGRATING, directory::LOST, C] {
        own(Scene::new(unrecorded), "/b/t-0").is_at("/b/t-0", Some(B));
    }
    // Two of them: the record decides; without one the partition is offline.
    let both = |recorded| own(own(Scene::new(recorded), "/a/t-0"), "/b/t-0");
    let left = both(B).is_at("/b/t-0", None).left;
    assert_eq!(left[0].0.path, PathBuf::from("/a/t-0"));
    both(C).is_offline(Why::Ambiguous("/a/t-0".into(), "/b/t-0".into()));
}

#[test]
fn a_new_partition_is_made_in_the_directory_that_is_recorded() {
    Scene::new(B).is_at("/b/t-0", None);
    let unassigned = Scene::new(directory::UNASSIGNED);
    let dir = spread(unassigned.id, 2);
    unassigned.is_at(["/a/t-0", "/b/t-0"][dir], Some([A, B][dir]));
}

#[test]
fn nothing_is_made_in_the_place_of_what_is_away() {
    let decisions = Scene::new(C).is_offline(Why::Away(Some(C)));
    assert_eq!(decisions.assignments, []);
    Scene::new(directory::LOST).is_offline(Why::Away(None));
    // An older version recorded no directory: it is in the one that is away, or in one of those.
    let away = |registered: &[Uuid]| {
        Scene::new(directory::UNASSIGNED).with(|facts, _| facts.registered = registered.to_vec())
    };
    let decisions = away(&[A, C]).is_offline(Why::Away(Some(C)));
    assert_eq!(decisions.assignments[0].2, C);
    let decisions = away(&[A, C, Uuid::from_u128(4001)]).is_offline(Why::Away(None));
    assert_eq!(decisions.assignments[0].2, directory::LOST);
}

#[test]
fn a_folder_that_is_gone_is_not_made_anew() {
    let gone =
        Scene::new(B).with(|facts, id| facts.known_offsets = [((1, id), 42)].into_iter().collect());
    gone.is_offline(Why::FolderGone("/b/t-0".into(), 42));
}

#[test]
fn a_folder_is_set_aside_when_the_metadata_knows_that_its_topic_was_deleted() {
    let scene = || Scene::new(A).folder("/b/gone-0", OTHER).folder("/b/gone-1", OTHER);
    assert_eq!(scene().decide().aside, [PathBuf::from("/b/gone-0"), "/b/gone-1".into()]);
    let seen =
        |metadata_seen: i64| scene().with(|facts, _| facts.dirs[1].metadata_seen = metadata_seen);
    let offset = scene().facts.metadata_offset;
    assert_eq!(seen(offset).decide().aside.len(), 2);
    for unproven in [
        // The directory was in use with a longer metadata log, now or once.
        seen(offset + 1),
        scene().with(|facts, _| facts.dirs[1].went_back = true),
        // The metadata log was formatted anew.
        scene().with(|facts, _| facts.is_registered = false),
    ] {
        let decisions = unproven.decide();
        assert_eq!((decisions.aside.len(), decisions.left.len()), (0, 2));
    }
    // The partition is missing, not the topic: the metadata is older, whatever it says of itself.
    let scene = Scene::new(A);
    let id = scene.id.topic_id;
    let decisions = scene.folder("/a/t-5", id).decide();
    assert_eq!((decisions.aside.len(), decisions.left.len()), (0, 1));
}

#[test]
fn a_folder_of_a_deleted_topic_makes_room_for_a_new_one_of_its_name() {
    let scene = || Scene::new(B).folder("/b/t-0", OTHER).stray("/b/t-0.1-stray");
    let decisions = scene().decide();
    assert_eq!(decisions.aside, [PathBuf::from("/b/t-0")]);
    assert!(matches!(&decisions.places[..], [(_, Held::Back { .. })]));
    let unproven = scene().with(|facts, _| facts.dirs[1].went_back = true);
    unproven.is_offline(Why::Unproven("/b/t-0".into()));
}

#[test]
fn a_folder_that_was_set_aside_comes_back() {
    let decisions = Scene::new(A).stray("/b/t-0.1-stray").decide();
    let back = Held::Back { stray: "/b/t-0.1-stray".into(), folder: "/b/t-0".into() };
    assert_eq!(decisions.places.iter().map(|(_, held)| held).collect::<Vec<_>>(), [&back]);
    assert_eq!(decisions.assignments[0].2, B);
    // Not when there is a folder in its place, nor when either of two folders may be it.
    let scene = Scene::new(A);
    let id = scene.id.topic_id;
    scene.folder("/a/t-0", id).stray("/b/t-0.1-stray").is_at("/a/t-0", None);
    let two = Scene::new(A).stray("/b/t-0.1-stray").stray("/b/t-0.2-stray");
    two.is_offline(Why::Ambiguous("/b/t-0.1-stray".into(), "/b/t-0.2-stray".into()));
}

/// Of the metadata's directory, without which there is no start: its partitions were served from
/// offset 0.
#[test]
fn partitions_of_a_directory_that_has_lost_everything_are_offline() {
    let emptied = |scene: Scene| scene.with(|facts, _| facts.dirs[0].is_emptied = true);
    emptied(Scene::new(A)).is_offline(Why::Emptied("/a".into()));
    emptied(Scene::new(B)).is_at("/b/t-0", None);
    // Recorded nowhere yet: nothing says that it was there.
    let unassigned = emptied(Scene::new(directory::UNASSIGNED)).decide();
    assert_eq!(unassigned.offline, []);
}

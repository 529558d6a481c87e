//! The way of new views to the cores, and what is left of topics that are gone.
//!
//! Owns: the newest view, how far each core has applied the metadata, the one view that waits for
//! each core, and the deleted topics that some core or checkpoint may still have something of.
//! Lives on: the core that hosts the controller. Never: lets one core wait for another, or more
//! than one view wait for a core.

use crate::{
    config::RuntimeConfig,
    limits,
    meta::{Changes, ControllerResponse, image::MetadataImage, node::Answer},
    shard::{CONTROLLER_CORE, Shard, apply::Apply, view::ClusterView},
};
use protocol::{ErrorCode, Uuid};
use ring::{Ring, sync::Notify};
use std::{
    cell::{Cell, RefCell},
    collections::BTreeSet,
    path::{Path, PathBuf},
    rc::Rc,
    sync::Arc,
    time::Duration,
};

pub struct Feeds {
    newest: RefCell<ClusterView>,
    cores: Vec<Feed>,
    /// Some core has applied more, or some topic is gone.
    moved: Notify,
    gone: RefCell<Vec<Gone>>,
}

/// One core's.
struct Feed {
    /// What it is to apply next.
    waiting: RefCell<Option<Apply>>,
    offered: Notify,
    /// The last record of the metadata that it has applied.
    applied: Cell<i64>,
}

/// A topic that was deleted, until no core and no checkpoint has anything of it.
pub struct Gone {
    pub topic_id: Uuid,
    pub name: Arc<str>,
    /// Of the image in which it is gone.
    pub offset: i64,
    /// Those that had its partitions.
    pub cores: BTreeSet<usize>,
    /// The log directories whose checkpoints may know it.
    pub dirs: BTreeSet<PathBuf>,
    /// The checkpoints were written since the cores have left it, or could not be.
    pub is_tried: bool,
}

impl Feeds {
    pub fn new(view: ClusterView, cores: usize) -> Feeds {
        let feed = |_| Feed {
            waiting: RefCell::default(),
            offered: Notify::default(),
            applied: Cell::new(view.image.provenance.offset),
        };
        Feeds {
            cores: (0..cores).map(feed).collect(),
            newest: RefCell::new(view),
            moved: Notify::default(),
            gone: RefCell::default(),
        }
    }

    /// Begins to carry what is offered to each core.
    pub fn start(shard: &Shard) -> Rc<Feeds> {
        assert_eq!(shard.index, CONTROLLER_CORE, "views come from the core of the controller");
        let feeds = Rc::new(Feeds::new(shard.control.view().clone(), shard.count));
        for core in 0..shard.count {
            let (shard, feeds) = (shard.clone(), feeds.clone());
            drop(shard.ring.clone().spawn_named("metadata feed", async move {
                loop {
                    let next = feeds.next(core).await;
                    let offset = next.view.image.provenance.offset;
                    if shard.ask(core, next).await.is_none() {
                        return;
                    }
                    feeds.applied(core, offset);
                }
            }));
        }
        feeds
    }

    /// Offers all cores the view that shows `image`, in which `changes` is what has changed. The
    /// view before it, and the new one.
    pub fn offer(
        &self,
        image: Arc<MetadataImage>,
        changes: &Arc<Changes>,
    ) -> (ClusterView, ClusterView) {
        let before = self.newest.borrow().clone();
        let view = before.apply(image, changes);
        let (known, newest) = (before.image.provenance.offset, view.image.provenance.offset);
        assert!(known <= newest, "an image at {newest} is offered after one at {known}");
        self.newest.replace(view.clone());
        for feed in &self.cores {
            let mut waiting = feed.waiting.borrow_mut();
            let changes = match waiting.take() {
                None => changes.clone(),
                Some(superseded) => {
                    let waited = superseded.view.image.provenance.offset;
                    assert!(waited <= newest, "a view at {waited} waits for one at {newest}");
                    let mut merged = superseded.changes;
                    Arc::make_mut(&mut merged).merge(changes, limits::MERGED_CHANGES_MAX);
                    merged
                }
            };
            *waiting = Some(Apply { view: view.clone(), changes });
            feed.offered.notify();
        }
        (before, view)
    }

    /// What a core is to apply next; waits for it.
    async fn next(&self, core: usize) -> Apply {
        let feed = &self.cores[core];
        feed.offered.wait_until(|| feed.waiting.borrow().is_some()).await;
        feed.waiting.take().expect("this core's task alone takes it")
    }

    /// Configs that may change, as the newest view has them.
    pub fn runtime(&self) -> Arc<RuntimeConfig> {
        self.newest.borrow().runtime.clone()
    }

    /// The last record of the metadata that was offered.
    pub fn newest_offset(&self) -> i64 {
        self.newest.borrow().image.provenance.offset
    }

    fn applied(&self, core: usize, offset: i64) {
        let newest = self.newest.borrow().image.provenance.offset;
        assert!(offset <= newest, "core {core} has applied {offset}, and {newest} was offered");
        let before = self.cores[core].applied.replace(offset);
        assert!(before <= offset, "core {core} has applied {before}, and then {offset}");
        self.moved.notify();
    }

    fn have_reached<'a>(&self, cores: impl IntoIterator<Item = &'a usize>, offset: i64) -> bool {
        cores.into_iter().all(|core| self.cores[*core].applied.get() >= offset)
    }

    /// Waits until these cores have applied the metadata up to this offset.
    pub async fn reached(&self, cores: &BTreeSet<usize>, offset: i64) {
        self.moved.wait_until(|| self.have_reached(cores, offset)).await;
    }

    /// Waits until every core has applied the newest view.
    pub async fn all_reached(&self) {
        let offset = self.newest.borrow().image.provenance.offset;
        self.reached(&(0..self.cores.len()).collect(), offset).await;
    }

    // ---- topics that are gone
    // ---------------------------------------------------------------------------------------------

    pub fn note_gone(&self, gone: Vec<Gone>) {
        let newest = self.newest.borrow().image.provenance.offset;
        let is_offered = gone.iter().all(|topic| topic.offset <= newest);
        assert!(is_offered, "no core would leave topics that are gone in no view");
        self.gone.borrow_mut().extend(gone);
        self.moved.notify();
    }

    /// Whether something of a deleted topic of this name may be left.
    pub fn has_gone(&self, name: &str) -> bool {
        self.gone.borrow().iter().any(|topic| *topic.name == *name)
    }

    /// Waits until cores have left topics that are gone: the topics, and the directories whose
    /// checkpoints are to forget them. Each is told once, and again after
    /// [`Feeds::left_something`].
    pub async fn left(&self) -> (Vec<Uuid>, BTreeSet<PathBuf>) {
        let has_left =
            |topic: &Gone| !topic.is_tried && self.have_reached(&topic.cores, topic.offset);
        self.moved.wait_until(|| self.gone.borrow().iter().any(has_left)).await;
        let (mut topics, mut dirs) = (Vec::new(), BTreeSet::new());
        for topic in self.gone.borrow_mut().iter_mut().filter(|topic| has_left(topic)) {
            topic.is_tried = true;
            topics.push(topic.topic_id);
            dirs.extend(topic.dirs.iter().cloned());
        }
        self.drop_forgotten();
        (topics, dirs)
    }

    /// Waits until the cores have left the gone topics of these names: the same of them.
    pub async fn left_names(&self, names: &[String]) -> (Vec<Uuid>, BTreeSet<PathBuf>) {
        let is_named = |topic: &&Gone| names.iter().any(|name| **name == *topic.name);
        let has_left = |topic: &Gone| self.have_reached(&topic.cores, topic.offset);
        self.moved.wait_until(|| self.gone.borrow().iter().filter(is_named).all(has_left)).await;
        // One that no checkpoint knows has nothing more to wait for.
        self.drop_forgotten();
        let gone = self.gone.borrow();
        let named = || gone.iter().filter(is_named);
        let dirs = named().flat_map(|topic| topic.dirs.iter().cloned()).collect();
        (named().map(|topic| topic.topic_id).collect(), dirs)
    }

    /// The checkpoints of this directory know nothing of these topics any more.
    pub fn forgotten(&self, topics: &[Uuid], dir: &Path) {
        let mut gone = self.gone.borrow_mut();
        for topic in gone.iter_mut().filter(|topic| topics.contains(&topic.topic_id)) {
            let has_left = self.have_reached(&topic.cores, topic.offset);
            assert!(has_left, "{} is forgotten, and some core still has it", topic.name);
            topic.dirs.remove(dir);
        }
        drop(gone);
        self.drop_forgotten();
    }

    /// Not all checkpoints could be written so that they know nothing of these topics.
    pub fn left_something(&self, topics: &[Uuid]) {
        for topic in self.gone.borrow_mut().iter_mut() {
            topic.is_tried &= !topics.contains(&topic.topic_id);
        }
        self.moved.notify();
    }

    /// Those that cores have left and no checkpoint knows.
    fn drop_forgotten(&self) {
        let has_something =
            |topic: &Gone| !topic.dirs.is_empty() || !self.have_reached(&topic.cores, topic.offset);
        self.gone.borrow_mut().retain(has_something);
    }

    // ---- answers
    // ---------------------------------------------------------------------------------------------

    /// The cores that own the partitions of the topics which a response tells of, or owned them
    /// before these were deleted. Also of those that a request met so: what it is told is true.
    fn owners(&self, response: &ControllerResponse) -> BTreeSet<usize> {
        let newest = self.newest.borrow();
        let named = |name: &str| {
            let id = newest.image.topics.id(name);
            id.map_or_else(BTreeSet::new, |id| newest.owners.cores_of(id))
        };
        match response {
            ControllerResponse::CreateTopics(response) => {
                response.topics.iter().flat_map(|topic| named(&topic.name)).collect()
            }
            ControllerResponse::CreatePartitions(response) => {
                response.results.iter().flat_map(|topic| named(&topic.name)).collect()
            }
            ControllerResponse::DeleteTopics(response) => {
                let gone = self.gone.borrow();
                let is_told = |topic: &&Gone| {
                    response.responses.iter().any(|told| {
                        told.topic_id == topic.topic_id
                            || told.name.as_deref() == Some(&*topic.name)
                    })
                };
                gone.iter().filter(is_told).flat_map(|topic| topic.cores.clone()).collect()
            }
            _ => BTreeSet::new(),
        }
    }

    /// Waits for the owners of the partitions in question, for as long as the client has said it
    /// waits. Then the answer is that this takes longer.
    pub async fn wait_for_owners(&self, ring: &Ring, answer: &mut Answer, timeout_ms: i32) {
        let owners = self.owners(&answer.response);
        let Some(timeout_ms) = u64::try_from(timeout_ms).ok().filter(|ms| *ms > 0) else { return };
        let reached = self.reached(&owners, answer.offset);
        if ring.timeout(Duration::from_millis(timeout_ms), reached).await.is_none() {
            time_out(&mut answer.response);
        }
    }
}

/// The change is in the metadata, and some core has not applied it yet.
fn time_out(response: &mut ControllerResponse) {
    let told = |error_code: &mut i16, message: &mut Option<String>| {
        if *error_code == 0 {
            *error_code = ErrorCode::RequestTimedOut.code();
            *message = Some("The change is committed, and is being applied".to_owned());
        }
    };
    match response {
        ControllerResponse::CreateTopics(response) => response
            .topics
            .iter_mut()
            .for_each(|topic| told(&mut topic.error_code, &mut topic.error_message)),
        ControllerResponse::CreatePartitions(response) => response
            .results
            .iter_mut()
            .for_each(|topic| told(&mut topic.error_code, &mut topic.error_message)),
        ControllerResponse::DeleteTopics(response) => response
            .responses
            .iter_mut()
            .for_each(|topic| told(&mut topic.error_code, &mut topic.error_message)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config::Layers, meta::testing::add_topic};
    use protocol::messages::CreateTopicsResponse;
    use ring::sim::{SimOptions, World};
    use std::{
        future::Future,
        pin::pin,
        task::{Context, Poll, Waker},
    };

    const CORES: usize = 2;

    fn id(topic: u128) -> Uuid {
        Uuid::from_u128(topic)
    }

    /// The image at this offset, with one partition of each topic.
    fn image(offset: i64, topics: &[u128]) -> Arc<MetadataImage> {
        let mut image = MetadataImage::empty("test");
        for topic in topics {
            add_topic(&mut image, &format!("t{topic}"), id(*topic), 1);
        }
        image.provenance.offset = offset;
        Arc::new(image)
    }

    fn feeds() -> Feeds {
        Feeds::new(ClusterView::empty("test", 1, CORES, Layers::default()), CORES)
    }

    fn offer(feeds: &Feeds, offset: i64, topics: &[u128], changed: &[u128]) {
        let changes = Changes::of_topics(changed.iter().map(|topic| id(*topic)));
        feeds.offer(image(offset, topics), &Arc::new(changes));
    }

    fn poll<F: Future>(future: F) -> Poll<F::Output> {
        pin!(future).poll(&mut Context::from_waker(Waker::noop()))
    }

    fn next(feeds: &Feeds, core: usize) -> Option<(i64, Vec<u128>)> {
        let Poll::Ready(next) = poll(feeds.next(core)) else { return None };
        let topics = next.changes.topics.iter().map(|id| id.as_u128()).collect();
        Some((next.view.image.provenance.offset, topics))
    }

    #[test]
    fn one_view_waits_for_a_core_and_a_newer_one_supersedes_it() {
        let feeds = feeds();
        offer(&feeds, 1, &[1], &[1]);
        assert_eq!(next(&feeds, 0), Some((1, vec![1])));
        offer(&feeds, 2, &[1, 2], &[2]);
        offer(&feeds, 3, &[2, 3], &[1, 3]);
        assert_eq!(next(&feeds, 0), Some((3, vec![1, 2, 3])), "core 0 has begun the first one");
        assert_eq!(next(&feeds, 1), Some((3, vec![1, 2, 3])), "core 1 skips two");
        assert_eq!((next(&feeds, 0), next(&feeds, 1)), (None, None));
    }

    #[test]
    fn what_waits_for_a_core_that_stands_still_does_not_grow() {
        let feeds = feeds();
        let many = (limits::MERGED_CHANGES_MAX + 1) as u128;
        for number in 0..many {
            offer(&feeds, number as i64, &[], &[number]);
        }
        let Poll::Ready(next) = poll(feeds.next(1)) else { panic!("a view waits") };
        assert!(next.changes.is_all_new && next.changes.topics.is_empty());
    }

    #[test]
    fn a_core_that_is_slow_holds_up_only_what_waits_for_it() {
        let feeds = feeds();
        offer(&feeds, 1, &[1], &[1]);
        feeds.applied(0, 1);
        let of = |cores: &[usize]| cores.iter().copied().collect::<BTreeSet<usize>>();
        assert!(poll(feeds.reached(&of(&[0]), 1)).is_ready());
        assert!(poll(feeds.reached(&of(&[0, 1]), 1)).is_pending());
        assert!(poll(feeds.all_reached()).is_pending());
        feeds.applied(1, 1);
        assert!(poll(feeds.all_reached()).is_ready());
    }

    fn gone(topic: u128, offset: i64, cores: &[usize], dirs: &[&str]) -> Gone {
        Gone {
            topic_id: id(topic),
            name: format!("t{topic}").into(),
            offset,
            cores: cores.iter().copied().collect(),
            dirs: dirs.iter().map(PathBuf::from).collect(),
            is_tried: false,
        }
    }

    #[test]
    fn a_name_is_free_when_cores_and_checkpoints_have_nothing_of_it() {
        let feeds = feeds();
        offer(&feeds, 6, &[], &[1, 2]);
        feeds.note_gone(vec![gone(1, 5, &[1], &["/a", "/b"]), gone(2, 6, &[0, 1], &[])]);
        feeds.applied(0, 6);
        let names = ["t1".to_owned()];
        assert!(poll(feeds.left()).is_pending() && poll(feeds.left_names(&names)).is_pending());
        feeds.applied(1, 5);
        let dirs: BTreeSet<PathBuf> = ["/a", "/b"].map(PathBuf::from).into();
        assert_eq!(poll(feeds.left_names(&names)), Poll::Ready((vec![id(1)], dirs.clone())));
        assert_eq!(poll(feeds.left()), Poll::Ready((vec![id(1)], dirs)));
        feeds.forgotten(&[id(1)], Path::new("/a"));
        assert!(feeds.has_gone("t1") && poll(feeds.left()).is_pending(), "told once");
        feeds.left_something(&[id(1)]);
        let left: BTreeSet<PathBuf> = ["/b"].map(PathBuf::from).into();
        assert_eq!(poll(feeds.left()), Poll::Ready((vec![id(1)], left)), "told again");
        feeds.forgotten(&[id(1)], Path::new("/b"));
        assert!(!feeds.has_gone("t1") && feeds.has_gone("t2"));
        feeds.applied(1, 6);
        assert_eq!(poll(feeds.left()), Poll::Ready((vec![id(2)], BTreeSet::new())));
        assert!(!feeds.has_gone("t2"), "no checkpoint knew it");
    }

    #[test]
    fn a_creation_is_answered_when_the_owners_have_applied_it_or_time_is_up() {
        let world = World::new(1, SimOptions::calm());
        let node = world.node("a");
        crate::log::tests::simulated::run_in(&world, node, |ring| async move {
            let feeds = feeds();
            // The first goes to core 0, the second to core 1.
            offer(&feeds, 1, &[1], &[1]);
            offer(&feeds, 2, &[1, 2], &[2]);
            feeds.applied(0, 2);
            let answer = async |topic: u128, timeout_ms| {
                let made = protocol::generated::rpc::create_topics_response::CreatableTopicResult {
                    name: format!("t{topic}"),
                    ..Default::default()
                };
                let response = CreateTopicsResponse { topics: vec![made], ..Default::default() };
                let response = ControllerResponse::CreateTopics(response);
                let mut answer = Answer { response, offset: 2 };
                feeds.wait_for_owners(&ring, &mut answer, timeout_ms).await;
                let ControllerResponse::CreateTopics(response) = answer.response else { panic!() };
                response.topics[0].error_code
            };
            let timed_out = ErrorCode::RequestTimedOut.code();
            assert_eq!((answer(1, 1000).await, answer(2, 1000).await), (0, timed_out));
            assert_eq!(answer(2, 0).await, 0, "it does not wait");
            feeds.applied(1, 2);
            assert_eq!(answer(2, 1000).await, 0);
        });
        world.close();
    }
}

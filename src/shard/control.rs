//! What one core knows and decides of the cluster: the view of the metadata, the controller where
//! it is here, and the coordinators.
//!
//! Owns: this core's view, the coordinators of the partitions that it has, its block of producer
//! ids, and the client metrics that are subscribed to. Lives on: every core; the controller is on
//! core 0 alone. Never: touches records.

use super::{apis, coordinators::Hosts, lead::feeds::Feeds, view::ClusterView};
use crate::{
    coord::producer_ids::ProducerIds,
    meta::{controller::Settings, image::MetadataImage, node::MetaNode},
};
use std::{
    cell::{Ref, RefCell},
    rc::Rc,
    sync::Arc,
};

pub struct Control {
    view: RefCell<ClusterView>,
    pub settings: Arc<Settings>,
    /// The controller, on core 0.
    controller: RefCell<Option<Rc<MetaNode>>>,
    /// How new views come to all cores, on core 0.
    feeds: RefCell<Option<Rc<Feeds>>>,
    pub(super) coordinators: RefCell<Hosts>,
    pub producer_ids: RefCell<ProducerIds>,
    pub(super) auto_creation: apis::metadata::AutoCreation,
    pub(super) producer_id_allocation: apis::init_producer_id::Allocation,
    pub(super) telemetry: apis::telemetry::Telemetry,
}

impl Control {
    pub fn new(view: ClusterView, settings: Arc<Settings>) -> Control {
        Control {
            view: RefCell::new(view),
            settings,
            controller: RefCell::default(),
            feeds: RefCell::default(),
            coordinators: RefCell::default(),
            producer_ids: RefCell::default(),
            auto_creation: apis::metadata::AutoCreation::default(),
            producer_id_allocation: Default::default(),
            telemetry: Default::default(),
        }
    }

    pub fn view(&self) -> Ref<'_, ClusterView> {
        self.view.borrow()
    }

    /// The metadata as this core has followed them.
    pub fn image(&self) -> Arc<MetadataImage> {
        self.view.borrow().image.clone()
    }

    /// This core agrees with `view` from now on; the one before.
    pub fn applied(&self, view: ClusterView) -> ClusterView {
        let (before, now) =
            (self.view.borrow().image.provenance.offset, view.image.provenance.offset);
        assert!(before <= now, "the metadata at {now} follow those at {before}");
        self.view.replace(view)
    }

    pub fn controller(&self) -> Option<Rc<MetaNode>> {
        self.controller.borrow().clone()
    }

    pub fn feeds(&self) -> Option<Rc<Feeds>> {
        self.feeds.borrow().clone()
    }

    pub fn host_controller(&self, node: Rc<MetaNode>, feeds: Rc<Feeds>) {
        let before = self.feeds.replace(Some(feeds));
        assert!(before.is_none(), "new views come one way alone");
        let before = self.controller.borrow_mut().replace(node);
        assert!(before.is_none(), "a core begins to host the controller once");
    }

    pub fn take_controller(&self) -> Option<Rc<MetaNode>> {
        self.controller.take()
    }

    /// At the end of the core: lets go of everything that may hold the shard in its turn.
    pub fn forget(&self) {
        drop(self.controller.take());
        drop(self.feeds.take());
        drop(self.coordinators.take());
    }
}

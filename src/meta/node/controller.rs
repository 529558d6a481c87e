//! The controller at work: requests in turns, their records to the quorum, answers when those are
//! committed.
//!
//! Owns: whose turn it is. Lives on: the core of the metadata node. A request is decided (by
//! [`crate::meta::controller`]) on the image of everything that is committed; its records are
//! appended, committed and replayed, and then the next one has its turn. Never: answers what is not
//! committed, refuses what is there or may come to be, waits for a core, or holds a turn while a
//! name is not free.

use super::{MetaNodeError, MetaNodeOptions, log::Room, publisher::Publisher, quorum::Quorum};
use crate::{
    config::listeners::ListenerConfig,
    meta::{
        ApiError, bootstrap,
        controller::{
            self, BrokerRegistration, BrokerUnfence, Context, ControllerRegistration,
            ControllerRequest, ControllerResponse, Mutations, Outcome, RegisteredEndpoint,
            Settings,
        },
        features,
        image::Endpoint,
    },
};
use protocol::{
    ErrorCode,
    metadata_records::{BeginTransactionRecord, EndTransactionRecord, MetadataRecord},
};
use ring::{Ring, sync::AsyncMutex};
use std::{future::Future, io, pin::Pin, rc::Rc, sync::Arc};

/// The names of topics, which outlast their topics: files and checkpoints go by them.
pub struct Names {
    /// Whether topics of these names can be made now.
    pub are_free: Box<dyn Fn(&[String]) -> bool>,
    /// Waits until what deleted topics of these names have left is gone. An error: a name cannot
    /// be used for now.
    pub release: Box<dyn Fn(Vec<String>) -> Pin<Box<dyn Future<Output = io::Result<()>>>>>,
}

/// A client's quota of changes, as the core of the controller keeps it.
pub trait MutationQuota {
    /// What the client may change now.
    fn left(&self) -> Mutations;

    /// What it changes: the request is decided.
    fn take(&self, mutations: Mutations);
}

/// For requests of the broker's own, and of clients without a quota.
pub struct Unlimited;

impl MutationQuota for Unlimited {
    fn left(&self) -> Mutations {
        Mutations::UNLIMITED
    }

    fn take(&self, _mutations: Mutations) {}
}

/// What the controller answers.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    pub response: ControllerResponse,
    /// The last record that the response rests on: a core that has applied the metadata up to here
    /// finds what it tells.
    pub offset: i64,
}

pub struct Controller {
    ring: Ring,
    settings: Arc<Settings>,
    quorum: Rc<Quorum>,
    /// The epoch of its office.
    epoch: i32,
    publisher: Rc<Publisher>,
    names: Names,
    /// One request is worked on at a time.
    turn: AsyncMutex,
}

impl Room {
    fn of(request: &ControllerRequest) -> Room {
        match request {
            ControllerRequest::CreateTopics(_) | ControllerRequest::CreatePartitions(_) => {
                Room::Spare
            }
            _ => Room::Reserve,
        }
    }
}

/// Clients try another controller then, or this one again.
fn storage_error(failure: &str) -> ApiError {
    ApiError::new(ErrorCode::NotController, format!("The metadata log takes no records: {failure}"))
}

fn registered(listener: ListenerConfig) -> RegisteredEndpoint {
    RegisteredEndpoint {
        security_protocol: listener.security_protocol as i16,
        endpoint: Endpoint { listener: listener.name, host: listener.host, port: listener.port },
    }
}

/// The names of the topics that these records make.
fn created(records: &[MetadataRecord]) -> Vec<String> {
    let name = |record: &MetadataRecord| match record {
        MetadataRecord::Topic(topic) => Some(topic.name.clone()),
        _ => None,
    };
    records.iter().filter_map(name).collect()
}

impl Controller {
    pub fn new(
        ring: &Ring,
        settings: Arc<Settings>,
        quorum: Rc<Quorum>,
        publisher: Rc<Publisher>,
        names: Names,
    ) -> Controller {
        Controller {
            ring: ring.clone(),
            settings,
            epoch: quorum.epoch(),
            quorum,
            publisher,
            names,
            turn: AsyncMutex::default(),
        }
    }

    /// Begins its office in this epoch: ends what its predecessor has left open, and appends what
    /// the log is to begin with.
    pub async fn take_office(&self, bootstrap: &[MetadataRecord]) -> Result<(), MetaNodeError> {
        self.publisher.replayed(self.quorum.high_watermark() - 1).await;
        let image = self.publisher.image();
        let in_transaction = self.publisher.is_in_transaction();
        let records = bootstrap::activation(&image, in_transaction, bootstrap);
        if records.is_empty() {
            return Ok(());
        }
        self.commit(records, Room::Reserve).await
    }

    /// Registers this node as controller and broker, and has the broker unfenced.
    pub async fn register(&self, options: MetaNodeOptions) -> Result<(), MetaNodeError> {
        let node_id = options.settings.node_id;
        let incarnation_id = controller::random_uuid(&mut || self.ring.random_u64());
        let registration = ControllerRegistration {
            controller_id: node_id,
            incarnation_id,
            endpoints: Vec::new(),
        };
        match self.request(ControllerRequest::RegisterController(registration)).await.response {
            ControllerResponse::RegisterController(registered) => {
                registered.map_err(MetaNodeError::Refused)?
            }
            other => unreachable!("{other:?} answers no registration"),
        }
        let previous = self.publisher.image().broker(node_id).map(|broker| broker.0.broker_epoch);
        let registration = BrokerRegistration {
            broker_id: node_id,
            incarnation_id,
            cluster_id: options.cluster_id,
            endpoints: options.endpoints.into_iter().map(registered).collect(),
            rack: options.rack,
            log_dirs: options.log_directories,
        };
        let answer = self.request(ControllerRequest::RegisterBroker(registration)).await;
        let broker_epoch = match answer.response {
            ControllerResponse::RegisterBroker(registered) => {
                registered.map_err(MetaNodeError::Refused)?
            }
            other => unreachable!("{other:?} answers no registration"),
        };
        let was_shut_down_cleanly = previous == Some(options.previous_broker_epoch);
        let unfence = BrokerUnfence {
            broker_id: node_id,
            broker_epoch,
            renew_leader_epochs: !was_shut_down_cleanly,
        };
        match self.request(ControllerRequest::UnfenceBroker(unfence)).await.response {
            ControllerResponse::UnfenceBroker(unfenced) => unfenced.map_err(MetaNodeError::Refused),
            other => unreachable!("{other:?} answers no heartbeat"),
        }
    }

    /// Answers when the request's records are committed and replayed. Requests are worked on one
    /// after the other. Where nothing can be appended any more they are all refused.
    pub async fn request(&self, request: ControllerRequest) -> Answer {
        self.request_within(request, &Unlimited).await
    }

    /// The same for a client whose changes are counted: once, however often it is decided.
    pub async fn request_within(
        &self,
        request: ControllerRequest,
        quota: &dyn MutationQuota,
    ) -> Answer {
        let response = loop {
            let turn = self.turn.lock().await;
            if let Some(why) = self.quorum.refuses() {
                break request.refuse(&storage_error(&why));
            }
            let mut mutations = quota.left();
            let outcome = self.decide(&request, &mut mutations);
            let names = created(&outcome.records);
            if (self.names.are_free)(&names) {
                quota.take(mutations);
                break self.carry_out(&request, outcome).await;
            }
            // Others have their turns meanwhile, so that it is decided anew.
            drop(turn);
            if let Err(error) = (self.names.release)(names).await {
                break request.refuse(&storage_error(&error.to_string()));
            }
            // One that comes to nothing at once does not keep the core.
            self.ring.end_of_turn().await;
        };
        Answer { response, offset: self.publisher.image().provenance.offset }
    }

    async fn carry_out(&self, request: &ControllerRequest, outcome: Outcome) -> ControllerResponse {
        if outcome.records.is_empty() {
            return outcome.response;
        }
        match self.commit(outcome.records, Room::of(request)).await {
            Ok(()) => outcome.response,
            Err(error) => request.refuse(&storage_error(&error.to_string())),
        }
    }

    /// Fences the broker, after the request in progress.
    pub async fn resign(&self) -> Result<(), MetaNodeError> {
        let _turn = self.turn.lock().await;
        let fenced = controller::fence(&self.publisher.image(), self.settings.node_id);
        if let Some(record) = fenced.filter(|_| self.quorum.refuses().is_none()) {
            let batches = self.encode(&[record]);
            self.quorum.append(self.epoch, batches, Room::Reserve).await?;
        }
        Ok(())
    }

    fn decide(&self, request: &ControllerRequest, mutations: &mut Mutations) -> Outcome {
        let image = self.publisher.image();
        let mut context = Context {
            image: &image,
            settings: &self.settings,
            next_offset: self.quorum.end_offset(),
            random: &mut || self.ring.random_u64(),
            mutations,
        };
        controller::handle(&mut context, request)
    }

    /// Has records committed, and waits until they are replayed.
    async fn commit(&self, records: Vec<MetadataRecord>, room: Room) -> Result<(), MetaNodeError> {
        let batches = self.encode(&records);
        // One batch is all or nothing by itself; several are by a transaction.
        let batches = match batches.len() {
            1 => batches,
            _ => {
                let begin = BeginTransactionRecord { name: Some("Large request".to_owned()) };
                let end = EndTransactionRecord::default();
                let all: Vec<MetadataRecord> =
                    std::iter::once(begin.into()).chain(records).chain([end.into()]).collect();
                self.encode(&all)
            }
        };
        let offset = self.quorum.append(self.epoch, batches, room).await?;
        self.quorum.committed(offset).await?;
        self.publisher.replayed(offset).await;
        Ok(())
    }

    fn encode(&self, records: &[MetadataRecord]) -> Vec<bytes::Bytes> {
        let level = match self.publisher.image().metadata_version() {
            // Before the bootstrap records, which are being written.
            0 => features::LATEST_METADATA_VERSION,
            level => level,
        };
        self.quorum.encode(records, level)
    }
}

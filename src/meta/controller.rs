//! The controller's decisions: one request, the current image, the time and randomness in; records
//! and a response out.
//!
//! Pure: nothing here waits, does I/O or keeps state between calls. The state is the image, which
//! the records change when they are replayed after they are durable; until then a response must not
//! leave. One file per family of requests; what only reads is in [`super::answers`].

mod client_quotas;
pub mod configs;
mod create_partitions;
mod create_topics;
mod delete_topics;
mod directories;
mod elect_leaders;
mod features;
mod partition_change;
mod placement;
mod producer_ids;
mod reassignments;
mod refuse;
mod registration;
pub mod scram;

#[cfg(test)]
mod model_tests;
#[cfg(test)]
mod tests;

pub use client_quotas::Mutations;
pub use directories::{CordonedDirectories, DirectoryAssignment};
pub use registration::{
    BrokerRegistration, BrokerUnfence, ControllerRegistration, RegisteredEndpoint, fence,
};
pub use scram::ScramAlterations;

use super::image::{Configs, MetadataImage};
use crate::limits;
use protocol::messages::*;
use protocol::{ErrorCode, Uuid, metadata_records::MetadataRecord};

/// The most records that one request may cause (`QuorumController.MAX_RECORDS_PER_USER_OP`).
pub const MAX_RECORDS_PER_REQUEST: usize = 10_000;

/// What this node's configuration decides for the controller.
#[derive(Clone, Debug)]
pub struct Settings {
    pub node_id: i32,
    /// `num.partitions`
    pub num_partitions: i32,
    /// `default.replication.factor`
    pub default_replication_factor: i16,
    /// `delete.topic.enable`
    pub delete_topic_enable: bool,
    /// What the node was started with, by name; dynamic configs of brokers lie over it.
    pub static_configs: Configs,
}

/// What a decision rests on beside the request.
pub struct Context<'a> {
    pub image: &'a MetadataImage,
    pub settings: &'a Settings,
    /// Where the first record of the outcome will be: a broker's epoch is the offset of its
    /// registration.
    pub next_offset: i64,
    pub random: &'a mut dyn FnMut() -> u64,
    /// What the client may change, and what it changes.
    pub mutations: &'a mut Mutations,
}

impl Context<'_> {
    /// A fresh identifier as Kafka makes them: a random UUID (version 4) that is not reserved, and
    /// whose text does not begin with '-', so that it may stand on a command line.
    pub fn random_uuid(&mut self) -> Uuid {
        random_uuid(self.random)
    }

    /// Whether this broker may lead a partition that it has in this directory.
    fn can_lead(&self, broker: i32, directory: Uuid) -> bool {
        self.image
            .broker(broker)
            .is_some_and(|broker| broker.is_active() && broker.has_online_directory(directory))
    }
}

pub fn random_uuid(random: &mut dyn FnMut() -> u64) -> Uuid {
    loop {
        let bits = u128::from(random()) << 64 | u128::from(random());
        let versioned = bits & !(0xf << 76) & !(0b11 << 62) | 0x4 << 76 | 0b10 << 62;
        let id = Uuid::from_u128(versioned);
        if !id.to_string().starts_with('-') {
            return id;
        }
    }
}

/// What a client is told when a request, or a part of it, fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    pub code: ErrorCode,
    /// None: the code says it all.
    pub message: Option<String>,
}

impl ApiError {
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: Some(cut_message(message.into())) }
    }

    /// With the code's own message.
    pub fn generic(code: ErrorCode) -> Self {
        Self::new(code, code.message())
    }

    /// Without a message.
    pub fn bare(code: ErrorCode) -> Self {
        Self { code, message: None }
    }

    pub fn invalid_request(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::InvalidRequest, message)
    }
}

/// The message as a response can carry it: it may name what the client named, which can be as long
/// as a string of the wire.
pub fn cut_message(mut message: String) -> String {
    message.truncate(message.floor_char_boundary(limits::ERROR_MESSAGE_MAX_BYTES));
    message
}

/// The code and the message fields of a response.
pub fn error_fields<T>(result: &Result<T, ApiError>) -> (i16, Option<String>) {
    match result {
        Ok(_) => (ErrorCode::None.code(), None),
        Err(error) => (error.code.code(), error.message.clone()),
    }
}

/// What the messages of a response take together, counted while they are made: a request names many
/// partitions in the bytes that one message has.
#[derive(Default)]
struct MessageBytes(usize);

impl MessageBytes {
    fn add(&mut self, message: Option<&str>) {
        self.0 += message.map_or(0, str::len);
    }

    /// Err: the request is refused as a whole, before it has changed anything.
    fn check(&self) -> Result<(), ApiError> {
        if self.0 <= limits::RESPONSE_MAX_BYTES {
            return Ok(());
        }
        let message = "The response would be too large: name fewer partitions at once.";
        Err(ApiError::new(ErrorCode::PolicyViolation, message))
    }
}

/// A request to the controller. Requests cross cores as values.
#[derive(Clone, Debug, PartialEq)]
pub enum ControllerRequest {
    CreateTopics(CreateTopicsRequest),
    DeleteTopics { request: DeleteTopicsRequest, version: i16 },
    CreatePartitions(CreatePartitionsRequest),
    IncrementalAlterConfigs(IncrementalAlterConfigsRequest),
    AlterConfigs(AlterConfigsRequest),
    AlterClientQuotas(AlterClientQuotasRequest),
    UpdateFeatures { request: UpdateFeaturesRequest, version: i16 },
    AllocateProducerIds(AllocateProducerIdsRequest),
    AlterPartitionReassignments(AlterPartitionReassignmentsRequest),
    ElectLeaders(ElectLeadersRequest),
    AlterUserScramCredentials(ScramAlterations),
    UnregisterBroker(UnregisterBrokerRequest),
    RegisterController(ControllerRegistration),
    RegisterBroker(BrokerRegistration),
    UnfenceBroker(BrokerUnfence),
    AssignReplicasToDirs(DirectoryAssignment),
    CordonDirectories(CordonedDirectories),
}

#[derive(Clone, Debug, PartialEq)]
pub enum ControllerResponse {
    CreateTopics(CreateTopicsResponse),
    DeleteTopics(DeleteTopicsResponse),
    CreatePartitions(CreatePartitionsResponse),
    IncrementalAlterConfigs(IncrementalAlterConfigsResponse),
    AlterConfigs(AlterConfigsResponse),
    AlterClientQuotas(AlterClientQuotasResponse),
    UpdateFeatures(UpdateFeaturesResponse),
    AllocateProducerIds(AllocateProducerIdsResponse),
    AlterPartitionReassignments(AlterPartitionReassignmentsResponse),
    ElectLeaders(ElectLeadersResponse),
    AlterUserScramCredentials(AlterUserScramCredentialsResponse),
    UnregisterBroker(UnregisterBrokerResponse),
    RegisterController(Result<(), ApiError>),
    /// The epoch of the registration.
    RegisterBroker(Result<i64, ApiError>),
    UnfenceBroker(Result<(), ApiError>),
    AssignReplicasToDirs(Result<(), ApiError>),
    CordonDirectories(Result<(), ApiError>),
}

/// What a request comes to: records to append as a whole, and the response once they are durable
/// and replayed.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome<R = ControllerResponse> {
    pub records: Vec<MetadataRecord>,
    pub response: R,
}

impl<R> Outcome<R> {
    fn of(records: Vec<MetadataRecord>, response: R) -> Self {
        Self { records, response }
    }

    /// Changes nothing.
    fn only(response: R) -> Self {
        Self { records: Vec::new(), response }
    }

    fn map(self, wrap: impl FnOnce(R) -> ControllerResponse) -> Outcome {
        Outcome { records: self.records, response: wrap(self.response) }
    }
}

/// Decides one request.
pub fn handle(context: &mut Context<'_>, request: &ControllerRequest) -> Outcome {
    use ControllerRequest as Q;
    use ControllerResponse as A;
    let outcome = match request {
        Q::CreateTopics(request) => create_topics::handle(context, request).map(A::CreateTopics),
        Q::DeleteTopics { request, version } => {
            delete_topics::handle(context, request, *version).map(A::DeleteTopics)
        }
        Q::CreatePartitions(request) => {
            create_partitions::handle(context, request).map(A::CreatePartitions)
        }
        Q::IncrementalAlterConfigs(request) => {
            configs::incremental(context, request).map(A::IncrementalAlterConfigs)
        }
        Q::AlterConfigs(request) => configs::legacy(context, request).map(A::AlterConfigs),
        Q::AlterClientQuotas(request) => {
            client_quotas::handle(context, request).map(A::AlterClientQuotas)
        }
        Q::UpdateFeatures { request, version } => {
            features::handle(context, request, *version).map(A::UpdateFeatures)
        }
        Q::AllocateProducerIds(request) => {
            producer_ids::handle(context, request).map(A::AllocateProducerIds)
        }
        Q::AlterPartitionReassignments(request) => {
            reassignments::handle(context, request).map(A::AlterPartitionReassignments)
        }
        Q::ElectLeaders(request) => elect_leaders::handle(context, request).map(A::ElectLeaders),
        Q::AlterUserScramCredentials(request) => {
            scram::handle(context, request).map(A::AlterUserScramCredentials)
        }
        Q::UnregisterBroker(request) => {
            registration::unregister(context, request).map(A::UnregisterBroker)
        }
        Q::RegisterController(request) => {
            registration::controller(request).map(A::RegisterController)
        }
        Q::RegisterBroker(request) => registration::broker(context, request).map(A::RegisterBroker),
        // A partition each, as many as there are: no request of a client's.
        Q::UnfenceBroker(request) => {
            return registration::unfence(context, request).map(A::UnfenceBroker);
        }
        Q::AssignReplicasToDirs(request) => {
            return directories::assign(context, request).map(A::AssignReplicasToDirs);
        }
        Q::CordonDirectories(request) => {
            directories::cordon(context, request).map(A::CordonDirectories)
        }
    };
    if outcome.records.len() > MAX_RECORDS_PER_REQUEST {
        let message = "Unable to perform excessively large batch operation.";
        return Outcome::only(request.refuse(&ApiError::new(ErrorCode::PolicyViolation, message)));
    }
    outcome
}

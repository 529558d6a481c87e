//! A node's registrations: as controller, as broker, and the broker's release from its fence.
//!
//! Today the caller is the node itself at boot; the records are those that a quorum writes for
//! BrokerRegistration (62), ControllerRegistration (70) and BrokerHeartbeat (63). An operator may
//! remove the registration of a broker that is gone for good (UnregisterBroker, 64).

use super::{
    ApiError, Context, Outcome,
    partition_change::{Election, PartitionChange},
};
use crate::meta::{
    features,
    image::{Endpoint, MetadataImage},
    topic::{NO_LEADER, directory},
};
use protocol::messages::{UnregisterBrokerRequest, UnregisterBrokerResponse};
use protocol::metadata_records::{
    BrokerRegistrationChangeRecord, MetadataRecord, RegisterBrokerRecord, RegisterControllerRecord,
    UnregisterBrokerRecord, register_broker_record, register_controller_record,
};
use protocol::{ErrorCode, Uuid};

/// A listener and its security protocol: 0 PLAINTEXT, 1 SSL, 2 SASL_PLAINTEXT, 3 SASL_SSL.
#[derive(Clone, Debug, PartialEq)]
pub struct RegisteredEndpoint {
    pub endpoint: Endpoint,
    pub security_protocol: i16,
}

#[derive(Clone, Debug, PartialEq)]
pub struct ControllerRegistration {
    pub controller_id: i32,
    pub incarnation_id: Uuid,
    pub endpoints: Vec<RegisteredEndpoint>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct BrokerRegistration {
    pub broker_id: i32,
    /// Of this process.
    pub incarnation_id: Uuid,
    pub cluster_id: String,
    pub endpoints: Vec<RegisteredEndpoint>,
    pub rack: Option<String>,
    /// The `directory.id` of each log directory.
    pub log_dirs: Vec<Uuid>,
}

/// A broker that has caught up asks to take part.
#[derive(Clone, Debug, PartialEq)]
pub struct BrokerUnfence {
    pub broker_id: i32,
    pub broker_epoch: i64,
    /// The broker was not shut down cleanly: it may have lost records.
    pub renew_leader_epochs: bool,
}

/// Err: the broker is not registered, or with another epoch.
pub fn check_epoch(
    image: &MetadataImage,
    broker_id: i32,
    broker_epoch: i64,
) -> Result<(), ApiError> {
    let Some(broker) = image.broker(broker_id) else {
        let message = format!("No broker registration found for broker id {broker_id}");
        return Err(ApiError::new(ErrorCode::StaleBrokerEpoch, message));
    };
    let epoch = broker.0.broker_epoch;
    if epoch != broker_epoch {
        let message =
            format!("Expected broker epoch {epoch} for broker {broker_id}, but got {broker_epoch}");
        return Err(ApiError::new(ErrorCode::StaleBrokerEpoch, message));
    }
    Ok(())
}

pub fn controller(request: &ControllerRegistration) -> Outcome<Result<(), ApiError>> {
    let end_points =
        request.endpoints.iter().map(|registered| register_controller_record::ControllerEndpoint {
            name: registered.endpoint.listener.clone(),
            host: registered.endpoint.host.clone(),
            port: registered.endpoint.port,
            security_protocol: registered.security_protocol,
        });
    let features =
        features::FEATURES.iter().map(|feature| register_controller_record::ControllerFeature {
            name: feature.name.to_owned(),
            min_supported_version: *feature.supported.start(),
            max_supported_version: *feature.supported.end(),
        });
    let record = RegisterControllerRecord {
        controller_id: request.controller_id,
        incarnation_id: request.incarnation_id,
        zk_migration_ready: false,
        end_points: end_points.collect(),
        features: features.collect(),
    };
    Outcome::of(vec![record.into()], Ok(()))
}

/// A broker begins fenced. Its epoch is the offset of the record.
pub fn broker(
    context: &Context<'_>,
    request: &BrokerRegistration,
) -> Outcome<Result<i64, ApiError>> {
    if let Err(error) = check_registration(context.image, request) {
        return Outcome::only(Err(error));
    }
    let end_points =
        request.endpoints.iter().map(|registered| register_broker_record::BrokerEndpoint {
            name: registered.endpoint.listener.clone(),
            host: registered.endpoint.host.clone(),
            port: registered.endpoint.port,
            security_protocol: registered.security_protocol,
        });
    let features = features::FEATURES.iter().map(|feature| register_broker_record::BrokerFeature {
        name: feature.name.to_owned(),
        min_supported_version: *feature.supported.start(),
        max_supported_version: *feature.supported.end(),
    });
    let record = RegisterBrokerRecord {
        broker_id: request.broker_id,
        incarnation_id: request.incarnation_id,
        broker_epoch: context.next_offset,
        end_points: end_points.collect(),
        features: features.collect(),
        rack: request.rack.clone(),
        fenced: true,
        in_controlled_shutdown: false,
        log_dirs: request.log_dirs.clone(),
        ..RegisterBrokerRecord::default()
    };
    Outcome::of(vec![record.into()], Ok(context.next_offset))
}

fn check_registration(image: &MetadataImage, request: &BrokerRegistration) -> Result<(), ApiError> {
    if request.cluster_id != *image.cluster_id {
        let message = format!(
            "Expected cluster ID {}, but got cluster ID {}",
            image.cluster_id, request.cluster_id
        );
        return Err(ApiError::new(ErrorCode::InconsistentClusterId, message));
    }
    let refuse = |message: String| Err(ApiError::new(ErrorCode::InvalidRegistration, message));
    if request.log_dirs.is_empty() {
        return refuse("No directories specified in request".to_owned());
    }
    for (index, id) in request.log_dirs.iter().enumerate() {
        if directory::is_reserved(*id) {
            return refuse(format!("Reserved directory ID in request: {id}"));
        }
        let owner = image.brokers.values().find(|broker| {
            broker.0.broker_id != request.broker_id && broker.0.log_dirs.contains(id)
        });
        if let Some(owner) = owner {
            return refuse(format!(
                "Broker {} is already registered with directory {id}",
                owner.0.broker_id
            ));
        }
        if request.log_dirs[..index].contains(id) {
            return refuse("Directories specified in request contain duplicates".to_owned());
        }
    }
    Ok(())
}

/// The record of a broker that stops cleanly. The broker that starts on the directory next, Apache
/// Kafka too, need not wait for the end of its session. Partitions keep their leader: with no other
/// replica, no other broker can lead meanwhile.
pub fn fence(image: &MetadataImage, broker_id: i32) -> Option<MetadataRecord> {
    let broker = image.broker(broker_id).filter(|broker| !broker.0.fenced)?;
    let broker_epoch = broker.0.broker_epoch;
    Some(
        BrokerRegistrationChangeRecord { broker_id, broker_epoch, fenced: 1, ..Default::default() }
            .into(),
    )
}

/// Unfences a broker, and gives it the partitions to lead that have no leader and it in their ISR;
/// those whose directory it has no more lose it as their leader. Partitions that it led before a
/// crash begin a new leader epoch: what was not flushed may be lost, and epochs are how consumers
/// and followers find out (KIP-320).
pub fn unfence(context: &Context<'_>, request: &BrokerUnfence) -> Outcome<Result<(), ApiError>> {
    let (broker_id, broker_epoch) = (request.broker_id, request.broker_epoch);
    if let Err(error) = check_epoch(context.image, broker_id, broker_epoch) {
        return Outcome::only(Err(error));
    }
    let unfenced = BrokerRegistrationChangeRecord {
        broker_id,
        broker_epoch,
        fenced: -1,
        ..Default::default()
    };
    let mut records: Vec<MetadataRecord> = vec![unfenced.into()];
    let has_directory = |directory| {
        context.image.broker(broker_id).is_some_and(|broker| broker.has_online_directory(directory))
    };
    let acceptable = |id: i32, directory: Uuid| match id == broker_id {
        true => has_directory(directory),
        false => context.can_lead(id, directory),
    };
    for topic in context.image.topics.iter() {
        for (&index, partition) in &topic.partitions {
            if partition.leader != NO_LEADER && partition.leader != broker_id {
                continue;
            }
            let mut change = PartitionChange::new(partition, Election::Online);
            change.renew_leader_epoch =
                partition.leader == broker_id && request.renew_leader_epochs;
            records
                .extend(change.into_record(topic.id, index, &acceptable).map(MetadataRecord::from));
        }
    }
    Outcome::of(records, Ok(()))
}

/// Removes a broker's registration, and the broker from the replicas in sync. Not that of this
/// node, which serves: Kafka's controller does it, and the partitions have no leader until the
/// next start.
pub fn unregister(
    context: &Context<'_>,
    request: &UnregisterBrokerRequest,
) -> Outcome<UnregisterBrokerResponse> {
    let broker_id = request.broker_id;
    let Some(broker) = context.image.broker(broker_id) else {
        let message = format!("Broker ID {broker_id} is not currently registered");
        let error = ApiError::new(ErrorCode::BrokerIdNotRegistered, message);
        return Outcome::only(unregistered(&error));
    };
    if broker_id == context.settings.node_id {
        let message = format!("Broker {broker_id} cannot be unregistered while it is active.");
        return Outcome::only(unregistered(&ApiError::invalid_request(message)));
    }
    let acceptable = |id: i32, directory: Uuid| id != broker_id && context.can_lead(id, directory);
    let mut records: Vec<MetadataRecord> = Vec::new();
    for topic in context.image.topics.iter() {
        for (&index, partition) in &topic.partitions {
            if partition.leader != broker_id && !partition.isr.contains(&broker_id) {
                continue;
            }
            let mut change = PartitionChange::new(partition, Election::Online);
            // The last replica in sync stays one: it alone has every record.
            if change.isr != [broker_id] {
                change.isr.retain(|id| *id != broker_id);
            }
            records
                .extend(change.into_record(topic.id, index, &acceptable).map(MetadataRecord::from));
        }
    }
    let broker_epoch = broker.0.broker_epoch;
    records.push(UnregisterBrokerRecord { broker_id, broker_epoch }.into());
    Outcome::of(records, UnregisterBrokerResponse::default())
}

pub(super) fn unregistered(error: &ApiError) -> UnregisterBrokerResponse {
    UnregisterBrokerResponse {
        error_code: error.code.code(),
        error_message: error.message.clone(),
        ..Default::default()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{ControllerRequest, ControllerResponse};
    use super::*;
    use crate::meta::testing::{World, set_replicas};

    fn unregister(world: &mut World, broker_id: i32) -> (ErrorCode, Option<String>) {
        let request = UnregisterBrokerRequest { broker_id };
        match world.ask(ControllerRequest::UnregisterBroker(request)) {
            ControllerResponse::UnregisterBroker(response) => {
                (ErrorCode::from_code(response.error_code).unwrap(), response.error_message)
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_broker_that_is_unknown_or_serves_is_not_unregistered() {
        let mut world = World::new();
        let before = world.image().clone();
        let (error, message) = unregister(&mut world, 7);
        assert_eq!(error, ErrorCode::BrokerIdNotRegistered);
        assert_eq!(message.as_deref(), Some("Broker ID 7 is not currently registered"));
        assert_eq!(unregister(&mut world, -1).0, ErrorCode::BrokerIdNotRegistered);
        assert_eq!(unregister(&mut world, 1).0, ErrorCode::InvalidRequest);
        assert_eq!(*world.image(), before);
    }

    #[test]
    fn another_broker_leaves_with_its_place_among_the_replicas_in_sync() {
        let mut world = World::new();
        let id = world.topic("a", 2);
        world.add_broker(2, None);
        let mut image = world.image().clone();
        set_replicas(&mut image, id, 0, &[2, 1]);
        set_replicas(&mut image, id, 1, &[2]);
        world.replay = crate::meta::replay::Replay::new(image);
        assert_eq!(unregister(&mut world, 2), (ErrorCode::None, Some(String::new())));
        let image = world.image();
        assert!(image.broker(2).is_none() && image.broker(1).is_some());
        let partition = |index| image.partition(id, index).unwrap();
        assert_eq!((partition(0).leader, &partition(0).isr[..]), (1, &[1][..]));
        assert_eq!(partition(0).replicas, [2, 1]);
        assert_eq!((partition(1).leader, &partition(1).isr[..]), (NO_LEADER, &[2][..]));
        assert_eq!(unregister(&mut world, 2).0, ErrorCode::BrokerIdNotRegistered);
    }
}

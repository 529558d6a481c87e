//! AlterClientQuotas (key 49): quotas of users, client ids, both, and IP addresses. The quotas of
//! one entity are altered as a whole or not at all; each entity is answered once.

use super::{ApiError, Context, Outcome, error_fields};
use crate::{
    meta::image::QuotaEntity,
    quota::{
        Kind,
        entity::{CLIENT_ID, CONNECTION_RATE, IP, USER},
    },
};
use protocol::{
    ErrorCode,
    messages::{
        AlterClientQuotasRequest, AlterClientQuotasResponse, alter_client_quotas_request,
        alter_client_quotas_response,
    },
    metadata_records::{ClientQuotaRecord, MetadataRecord, client_quota_record},
};
use rustc_hash::FxHashMap;
use std::{collections::BTreeMap, fmt::Write, net::IpAddr};

/// What values of a quota mean.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Values {
    Double,
    Long,
    Int,
}

pub fn handle(
    context: &Context<'_>,
    request: &AlterClientQuotasRequest,
) -> Outcome<AlterClientQuotasResponse> {
    let mut records = Vec::new();
    let mut results: Vec<(QuotaEntity, Result<(), ApiError>)> = Vec::new();
    let mut places = FxHashMap::<QuotaEntity, usize>::default();
    for entry in &request.entries {
        let entity = entity_of(entry);
        match places.get(&entity) {
            // What came first stands; the client is told of the second.
            Some(place) => {
                let message = format!("Ignoring duplicate entity {}", shown(&entity));
                results[*place].1 = Err(ApiError::invalid_request(message));
            }
            None => {
                places.insert(entity.clone(), results.len());
                let altered = alter(context, &entity, entry);
                results.push((entity, altered.map(|altered| records.extend(altered))));
            }
        }
    }
    if request.validate_only {
        records.clear();
    }
    Outcome::of(records, response(results))
}

/// Every entity of the request gets the same error.
pub fn refused(request: &AlterClientQuotasRequest, error: &ApiError) -> AlterClientQuotasResponse {
    response(request.entries.iter().map(|entry| (entity_of(entry), Err(error.clone()))).collect())
}

fn response(results: Vec<(QuotaEntity, Result<(), ApiError>)>) -> AlterClientQuotasResponse {
    let entry = |(entity, result): (QuotaEntity, Result<(), ApiError>)| {
        let (error_code, error_message) = error_fields(&result);
        let part = |(entity_type, entity_name)| alter_client_quotas_response::EntityData {
            entity_type,
            entity_name,
        };
        let entity = entity.into_iter().map(part).collect();
        alter_client_quotas_response::EntryData { error_code, error_message, entity }
    };
    let entries = results.into_iter().map(entry).collect();
    AlterClientQuotasResponse { throttle_time_ms: 0, entries }
}

/// Where a type is named twice the last name counts, as in Kafka.
fn entity_of(entry: &alter_client_quotas_request::EntryData) -> QuotaEntity {
    let parts = entry.entity.iter();
    let by_type: BTreeMap<_, _> =
        parts.map(|part| (part.entity_type.clone(), part.entity_name.clone())).collect();
    by_type.into_iter().collect()
}

/// As Kafka's messages show an entity.
fn shown(entity: &QuotaEntity) -> String {
    let mut text = "ClientQuotaEntity(entries={".to_owned();
    for (place, (entity_type, name)) in entity.iter().enumerate() {
        let comma = if place > 0 { ", " } else { "" };
        let _ = write!(text, "{comma}{entity_type}={}", name.as_deref().unwrap_or("null"));
    }
    text + "})"
}

fn alter(
    context: &Context<'_>,
    entity: &QuotaEntity,
    entry: &alter_client_quotas_request::EntryData,
) -> Result<Vec<MetadataRecord>, ApiError> {
    let mut alterations = BTreeMap::new();
    for op in &entry.ops {
        let value = (!op.remove).then_some(op.value);
        if alterations.insert(op.key.as_str(), value).is_some() {
            // In Kafka this one is answered as if the entity stood there twice.
            let message = format!("Ignoring duplicate entity {}", shown(entity));
            return Err(ApiError::invalid_request(message));
        }
    }
    let is_ip = check_entity(entity)?;
    let part =
        |(entity_type, entity_name): &(String, Option<String>)| client_quota_record::EntityData {
            entity_type: entity_type.clone(),
            entity_name: entity_name.clone(),
        };
    let record = |key: &str, value: Option<f64>| ClientQuotaRecord {
        entity: entity.iter().map(part).collect(),
        key: key.to_owned(),
        value: value.unwrap_or_default(),
        remove: value.is_none(),
    };
    let set = context.image.client_quotas.get(entity);
    let mut records = Vec::new();
    for (key, value) in alterations {
        let before = set.and_then(|set| set.get(key)).copied();
        if let Some(value) = value {
            check_value(is_ip, key, value)?;
        }
        if before != value {
            records.push(record(key, value).into());
        }
    }
    Ok(records)
}

/// Whether there can be such an entity, and whether it is an address.
fn check_entity(entity: &QuotaEntity) -> Result<bool, ApiError> {
    let refuse = |message: String| Err(ApiError::invalid_request(message));
    if entity.is_empty() {
        return refuse("Invalid empty client quota entity".to_owned());
    }
    for (entity_type, name) in entity {
        if ![USER, CLIENT_ID, IP].contains(&entity_type.as_str()) {
            return refuse(format!("Unhandled client quota entity type: {entity_type}"));
        }
        if name.as_deref() == Some("") {
            return refuse(format!("Empty {entity_type} not supported"));
        }
    }
    let Some((_, address)) = entity.iter().find(|(entity_type, _)| entity_type == IP) else {
        return Ok(false);
    };
    if entity.len() > 1 {
        return refuse(
            "Invalid quota entity combination, IP entity should not be combined with User or \
             ClientId"
                .to_owned(),
        );
    }
    match address {
        Some(address) if address.parse::<IpAddr>().is_err() => {
            refuse(format!("{address} is not a valid IP or resolvable host."))
        }
        _ => Ok(true),
    }
}

fn check_value(is_ip: bool, key: &str, value: f64) -> Result<(), ApiError> {
    let values = match key {
        CONNECTION_RATE => is_ip.then_some(Values::Int),
        _ if is_ip => None,
        key => Kind::ALL.into_iter().find(|kind| kind.config() == key).map(|kind| match kind {
            Kind::Produce | Kind::Fetch => Values::Long,
            Kind::Request | Kind::Mutation => Values::Double,
        }),
    };
    let refuse = |message: String| Err(ApiError::invalid_request(message));
    let Some(values) = values else {
        return refuse(format!("Invalid configuration key {key}"));
    };
    if !value.is_finite() {
        return refuse(format!("Quota {key} must be a finite number"));
    }
    if value <= 0.0 {
        return refuse(format!("Quota {key} must be greater than 0"));
    }
    let (most, name) = match values {
        Values::Double => return Ok(()),
        Values::Long => (i64::MAX as f64, "a LONG"),
        Values::Int => (f64::from(i32::MAX), "an INT"),
    };
    if value > most {
        return refuse(format!("Proposed value for {key} is too large for {name}."));
    }
    if (value % 1.0).abs() > 1e-6 {
        return refuse(format!("{key} cannot be a fractional value."));
    }
    Ok(())
}

/// What a client may still change of the metadata, and what it changes with one request
/// (`ControllerMutationQuota`).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mutations {
    /// Below zero: it has changed more than it may.
    left: f64,
    /// A change is refused then; else it is only counted.
    is_strict: bool,
    /// Partitions that the request makes or deletes.
    pub taken: f64,
    /// A part of the request was refused.
    pub is_exceeded: bool,
}

impl Mutations {
    pub const UNLIMITED: Mutations =
        Mutations { left: f64::INFINITY, is_strict: false, taken: 0.0, is_exceeded: false };

    pub fn new(left: f64, is_strict: bool) -> Mutations {
        Mutations { left, is_strict, ..Mutations::UNLIMITED }
    }

    /// Counts partitions that a topic gets or loses. What was left at all is enough for any number.
    pub(super) fn take(&mut self, partitions: usize) -> Result<(), ApiError> {
        if self.is_strict && self.left - self.taken < 0.0 {
            self.is_exceeded = true;
            return Err(ApiError::generic(ErrorCode::ThrottlingQuotaExceeded));
        }
        self.taken += partitions as f64;
        Ok(())
    }
}

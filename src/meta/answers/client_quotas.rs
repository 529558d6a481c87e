//! DescribeClientQuotas (key 48): the quotas of the entities that a filter lets through.

use crate::{
    meta::{
        controller::ApiError,
        image::{MetadataImage, QuotaEntity},
    },
    quota::entity::{CLIENT_ID, IP, USER},
};
use protocol::{
    ErrorCode,
    messages::{
        DescribeClientQuotasRequest, DescribeClientQuotasResponse,
        describe_client_quotas_request::ComponentData,
        describe_client_quotas_response::{EntityData, EntryData, ValueData},
    },
};
use std::collections::BTreeMap;

/// What an entity may be called to be let through.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Match<'a> {
    /// None: the default.
    Name(Option<&'a str>),
    Any,
}

pub fn describe_client_quotas(
    image: &MetadataImage,
    request: &DescribeClientQuotasRequest,
) -> DescribeClientQuotasResponse {
    let filter = match filter_of(&request.components) {
        Ok(filter) => filter,
        Err(error) => {
            return DescribeClientQuotasResponse {
                error_code: error.code.code(),
                error_message: error.message,
                entries: None,
                ..Default::default()
            };
        }
    };
    let matching = image.client_quotas.iter().filter(|(entity, _)| {
        let lets_through = |(entity_type, wanted): (&&str, &Match<'_>)| {
            let named = entity.iter().find(|(named, _)| named == entity_type);
            named.is_some_and(|(_, name)| match wanted {
                Match::Any => true,
                Match::Name(wanted) => name.as_deref() == *wanted,
            })
        };
        (!request.strict || entity.len() == filter.len()) && filter.iter().all(lets_through)
    });
    let entries = matching.map(|(entity, quotas)| entry(entity, quotas)).collect();
    DescribeClientQuotasResponse { entries: Some(entries), ..Default::default() }
}

/// By entity type.
fn filter_of(components: &[ComponentData]) -> Result<BTreeMap<&str, Match<'_>>, ApiError> {
    let mut filter = BTreeMap::new();
    for component in components {
        let entity_type = component.entity_type.as_str();
        if entity_type.is_empty() {
            return Err(ApiError::invalid_request("Invalid empty entity type."));
        }
        if filter.contains_key(entity_type) {
            return Err(ApiError::invalid_request(format!(
                "Entity type {entity_type} cannot appear more than once in the filter."
            )));
        }
        if ![USER, CLIENT_ID, IP].contains(&entity_type) {
            let message = format!("Unsupported entity type {entity_type}");
            return Err(ApiError::new(ErrorCode::UnsupportedVersion, message));
        }
        filter.insert(entity_type, match_of(component)?);
    }
    if filter.len() > 1 && filter.contains_key(IP) {
        return Err(ApiError::invalid_request(
            "Invalid entity filter component combination. IP filter component should not be used \
             with user or clientId filter component.",
        ));
    }
    Ok(filter)
}

fn match_of(component: &ComponentData) -> Result<Match<'_>, ApiError> {
    let named = component.match_.as_deref();
    let refuse = |message: &str| Err(ApiError::invalid_request(message));
    match (component.match_type, named) {
        (0, None) => refuse("Request specified MATCH_TYPE_EXACT, but set match string to null."),
        (0, named) => Ok(Match::Name(named)),
        (1, None) => Ok(Match::Name(None)),
        (1, Some(_)) => {
            refuse("Request specified MATCH_TYPE_DEFAULT, but also specified a match string.")
        }
        (2, None) => Ok(Match::Any),
        (2, Some(_)) => {
            refuse("Request specified MATCH_TYPE_SPECIFIED, but also specified a match string.")
        }
        (other, _) => refuse(&format!("Unknown match type {other}")),
    }
}

fn entry(entity: &QuotaEntity, quotas: &BTreeMap<String, f64>) -> EntryData {
    let part = |(entity_type, entity_name): &(String, Option<String>)| EntityData {
        entity_type: entity_type.clone(),
        entity_name: entity_name.clone(),
    };
    let value = |(key, value): (&String, &f64)| ValueData { key: key.clone(), value: *value };
    EntryData {
        entity: entity.iter().map(part).collect(),
        values: quotas.iter().map(value).collect(),
    }
}

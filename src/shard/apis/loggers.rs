//! Levels of log lines: what DescribeConfigs and IncrementalAlterConfigs say and change of the
//! broker's loggers (KIP-412).
//!
//! They are the process's, and no metadata: the control thread has them. Nothing keeps them over a
//! restart.

use super::controller;
use crate::{
    config::{
        alter::Rejection,
        describe::Source,
        loggers::{LevelChange, Levels},
    },
    meta::image::ConfigResourceType,
    shard::{
        Shard,
        jobs::{Job, JobAnswer},
    },
};
use protocol::{
    ErrorCode,
    generated::rpc::{
        describe_configs_response::DescribeConfigsResourceResult,
        incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig},
        incremental_alter_configs_response::AlterConfigsResourceResponse,
    },
    messages::{
        DescribeConfigsRequest, DescribeConfigsResponse, IncrementalAlterConfigsRequest,
        IncrementalAlterConfigsResponse,
    },
};
use rustc_hash::FxHashSet;

/// `AlterConfigOp.OpType.DELETE`
const DELETE: i8 = 1;
const BROKER_LOGGER: i8 = ConfigResourceType::BrokerLogger.code();

/// Has the control thread do `job`, whose answer is the levels.
async fn ask(shard: &Shard, job: Job) -> Result<Levels, Rejection> {
    let failed = |message: String| Rejection { error: ErrorCode::UnknownServerError, message };
    let answer = shard.mailbox.jobs.ask(job).map_err(|refused| failed(refused.to_string()))?;
    match answer.await {
        Some(JobAnswer::LogLevels(levels)) => levels.map_err(failed),
        _ => Err(failed("the broker stops".to_owned())),
    }
}

/// Adds the levels where `response` answers for this broker's loggers.
pub async fn describe(
    shard: &Shard,
    request: &DescribeConfigsRequest,
    response: &mut DescribeConfigsResponse,
) {
    let is_of_loggers = |kind: i8, error: i16| kind == BROKER_LOGGER && error == 0;
    let described = response.results.iter_mut();
    for result in described.filter(|one| is_of_loggers(one.resource_type, one.error_code)) {
        let asked = request.resources.iter().find(|resource| {
            resource.resource_type == BROKER_LOGGER
                && resource.resource_name == result.resource_name
        });
        let names = asked.and_then(|resource| resource.configuration_keys.as_deref());
        let is_asked = |name: &str| match names {
            None | Some([]) => true,
            Some(names) => names.iter().any(|one| one == name),
        };
        match ask(shard, Job::LogLevels).await {
            Ok(levels) => {
                let all = levels.all().into_iter().filter(|(name, _)| is_asked(name));
                let config = all.map(|(name, level)| DescribeConfigsResourceResult {
                    name: name.to_owned(),
                    value: Some(level.name().to_owned()),
                    config_source: Source::DynamicBrokerLogger as i8,
                    ..Default::default()
                });
                result.configs = config.collect();
            }
            Err(rejection) => {
                result.error_code = rejection.error.code();
                result.error_message = Some(rejection.message);
            }
        }
    }
}

/// Changes the levels, and has the controller change everything else.
pub async fn incremental_alter_configs(
    shard: &Shard,
    mut request: IncrementalAlterConfigsRequest,
) -> IncrementalAlterConfigsResponse {
    let is_logger = |resource: &AlterConfigsResource| resource.resource_type == BROKER_LOGGER;
    if !request.resources.iter().any(is_logger) {
        return controller::incremental_alter_configs(shard, request).await;
    }
    let (mut seen, mut repeated) = (FxHashSet::default(), FxHashSet::default());
    for resource in request.resources.iter().filter(|resource| is_logger(resource)) {
        if !seen.insert(resource.resource_name.clone()) {
            repeated.insert(resource.resource_name.clone());
        }
    }
    let all = std::mem::take(&mut request.resources);
    let mut responses: Vec<Option<AlterConfigsResourceResponse>> = Vec::with_capacity(all.len());
    for resource in all {
        if !is_logger(&resource) {
            responses.push(None);
            request.resources.push(resource);
            continue;
        }
        let altered = match repeated.contains(&resource.resource_name) {
            true => Err(Rejection::invalid_request("Each resource must appear at most once.")),
            false => alter(shard, &resource, request.validate_only).await,
        };
        let (error_code, error_message) = match altered {
            Ok(()) => (0, None),
            Err(rejection) => (rejection.error.code(), Some(rejection.message)),
        };
        responses.push(Some(AlterConfigsResourceResponse {
            error_code,
            error_message,
            resource_type: resource.resource_type,
            resource_name: resource.resource_name,
        }));
    }
    let others = match request.resources.is_empty() {
        true => IncrementalAlterConfigsResponse::default(),
        false => controller::incremental_alter_configs(shard, request).await,
    };
    let asked = responses.iter().filter(|one| one.is_none()).count();
    let answered = others.responses.len();
    assert!(answered <= asked, "{answered} answers for {asked} resources");
    let mut of_controller = others.responses.into_iter();
    let responses = responses.into_iter().filter_map(|one| one.or_else(|| of_controller.next()));
    IncrementalAlterConfigsResponse { responses: responses.collect(), ..Default::default() }
}

async fn alter(
    shard: &Shard,
    resource: &AlterConfigsResource,
    validate_only: bool,
) -> Result<(), Rejection> {
    let mut names = FxHashSet::default();
    if !resource.configs.iter().all(|config| names.insert(&*config.name)) {
        return Err(Rejection::invalid_request("Error due to duplicate config keys"));
    }
    let lacks =
        |config: &&AlterableConfig| config.value.is_none() && config.config_operation != DELETE;
    let nulls: Vec<&str> =
        resource.configs.iter().filter(lacks).map(|config| &*config.name).collect();
    if !nulls.is_empty() {
        return Err(Rejection::invalid_request(format!(
            "Null value not supported for : {}",
            nulls.join(", ")
        )));
    }
    check_node(shard, &resource.resource_name)?;
    let changes: Vec<LevelChange> = ask(shard, Job::LogLevels).await?.check(&resource.configs)?;
    if validate_only || changes.is_empty() {
        return Ok(());
    }
    ask(shard, Job::SetLogLevels { changes }).await.map(drop)
}

fn check_node(shard: &Shard, name: &str) -> Result<(), Rejection> {
    let expected = shard.config.node_id;
    match name.parse::<i32>() {
        Err(_) => Err(Rejection::invalid_request(format!(
            "Node id must be an integer, but it is: {name}"
        ))),
        Ok(id) if id != expected => Err(Rejection::invalid_request(format!(
            "Unexpected node id. Expected {expected}, but received {id}"
        ))),
        Ok(_) => Ok(()),
    }
}

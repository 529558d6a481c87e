//! AlterUserScramCredentials v0: its keys are derived on the core of the connection, some in each
//! turn, and the controller decides. (DescribeUserScramCredentials v0 reads the image alone.)

use super::controller;
use crate::{
    meta::controller::{ControllerRequest, ControllerResponse, ScramAlterations, scram},
    pace::TurnBudget,
    shard::Shard,
};
use protocol::messages::{AlterUserScramCredentialsRequest, AlterUserScramCredentialsResponse};

pub async fn alter(
    shard: &Shard,
    request: AlterUserScramCredentialsRequest,
) -> AlterUserScramCredentialsResponse {
    if let Err(error) = scram::check_size(&request) {
        let deleted = request.deletions.iter().map(|deletion| &*deletion.name);
        let upserted = request.upsertions.iter().map(|upsertion| &*upsertion.name);
        return scram::refuse(deleted.chain(upserted), &error);
    }
    let mut upsertions = Vec::with_capacity(request.upsertions.len());
    let mut budget = TurnBudget::of_items(&shard.ring);
    for upsertion in request.upsertions {
        upsertions.push(scram::derive(upsertion));
        budget.step_done().await;
    }
    let alterations = ScramAlterations { deletions: request.deletions, upsertions };
    let request = ControllerRequest::AlterUserScramCredentials(alterations);
    match controller::call(shard, request).await {
        Some(ControllerResponse::AlterUserScramCredentials(response)) => response,
        // The broker stops: the connection will be closed before this can be sent.
        _ => AlterUserScramCredentialsResponse::default(),
    }
}

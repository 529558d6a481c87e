//! DeleteTopics (key 20): by name, and by id from version 6 on. One RemoveTopicRecord per topic.

use super::{ApiError, Context, Outcome};
use protocol::messages::{
    DeleteTopicsRequest, DeleteTopicsResponse, delete_topics_response::DeletableTopicResult,
};
use protocol::metadata_records::{MetadataRecord, RemoveTopicRecord};
use protocol::{ErrorCode, Uuid};
use rustc_hash::{FxHashMap, FxHashSet};

/// A topic as the client calls it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Target<'a> {
    Name(&'a str),
    Id(Uuid),
}

pub fn handle(
    context: &mut Context<'_>,
    request: &DeleteTopicsRequest,
    version: i16,
) -> Outcome<DeleteTopicsResponse> {
    let mut responses = Vec::new();
    let mut targets = request.topic_names.iter().map(|name| Target::Name(name)).collect::<Vec<_>>();
    for topic in &request.topics {
        match (&topic.name, topic.topic_id) {
            (None, Uuid::ZERO) => {
                let error = ApiError::invalid_request("Neither topic name nor id were specified.");
                responses.push(answer(None, Uuid::ZERO, Err(error)));
            }
            (None, id) => targets.push(Target::Id(id)),
            (Some(name), Uuid::ZERO) => targets.push(Target::Name(name)),
            (Some(name), id) => {
                let error =
                    ApiError::invalid_request("You may not specify both topic name and topic id.");
                responses.push(answer(Some(name), id, Err(error)));
            }
        }
    }
    if !context.settings.delete_topic_enable {
        let error = disabled(version);
        responses.extend(targets.iter().map(|&target| match target {
            Target::Name(name) => answer(Some(name), Uuid::ZERO, Err(error.clone())),
            Target::Id(id) => answer(None, id, Err(error.clone())),
        }));
        return Outcome::only(DeleteTopicsResponse { throttle_time_ms: 0, responses });
    }
    let mut records = Vec::new();
    delete(context, &targets, &mut records, &mut responses);
    Outcome::of(records, DeleteTopicsResponse { throttle_time_ms: 0, responses })
}

fn disabled(version: i16) -> ApiError {
    if version < 3 {
        return ApiError::invalid_request("This version does not support topic deletion.");
    }
    ApiError::bare(ErrorCode::TopicDeletionDisabled)
}

fn delete(
    context: &mut Context<'_>,
    targets: &[Target<'_>],
    records: &mut Vec<MetadataRecord>,
    responses: &mut Vec<DeletableTopicResult>,
) {
    let mut times = FxHashMap::<Target<'_>, usize>::default();
    for target in targets {
        *times.entry(*target).or_default() += 1;
    }
    // Those to be deleted, each with the place of its answer and of its record.
    let mut deleted = FxHashMap::<Uuid, (usize, usize)>::default();
    let (mut unclear_answers, mut unclear_records) = (FxHashSet::default(), FxHashSet::default());
    // Ids before names: a name that leads to an id which was given too is the one refused.
    let (ids, names): (Vec<Target<'_>>, Vec<_>) =
        targets.iter().partition(|target| matches!(target, Target::Id(_)));
    for target in ids.into_iter().chain(names) {
        // Each target is answered once, however often it was given.
        let Some(times) = times.remove(&target) else { continue };
        let (name, id, topic) = match target {
            Target::Name(name) => (Some(name), Uuid::ZERO, context.image.topics.by_name(name)),
            Target::Id(id) => (None, id, context.image.topics.by_id(id)),
        };
        if times > 1 {
            let what = if name.is_some() { "name" } else { "id" };
            let error = ApiError::invalid_request(format!("Duplicate topic {what}."));
            responses.push(answer(name, id, Err(error)));
            continue;
        }
        let Some(topic) = topic else {
            let code = if name.is_some() {
                ErrorCode::UnknownTopicOrPartition
            } else {
                ErrorCode::UnknownTopicId
            };
            responses.push(answer(name, id, Err(ApiError::generic(code))));
            continue;
        };
        if let Some((answer_place, record_place)) = deleted.get(&topic.id) {
            // Which of the two was meant is unclear only when the client mixes names and ids:
            // neither is deleted.
            let clash = ApiError::invalid_request(
                "The provided topic name maps to an ID that was already supplied.",
            );
            unclear_answers.insert(*answer_place);
            unclear_records.insert(*record_place);
            responses.push(answer(Some(&topic.name), topic.id, Err(clash)));
            continue;
        }
        if let Err(error) = context.mutations.take(topic.partitions.len()) {
            responses.push(answer(Some(&topic.name), topic.id, Err(error)));
            continue;
        }
        deleted.insert(topic.id, (responses.len(), records.len()));
        records.push(RemoveTopicRecord { topic_id: topic.id }.into());
        responses.push(answer(Some(&topic.name), topic.id, Ok(())));
    }
    leave_out(responses, &unclear_answers);
    leave_out(records, &unclear_records);
}

/// Takes out what stands at `places`, in one pass for all of them.
fn leave_out<T>(of: &mut Vec<T>, places: &FxHashSet<usize>) {
    let mut place = 0..;
    of.retain(|_| place.next().is_some_and(|place| !places.contains(&place)));
}

pub fn answer(
    name: Option<&str>,
    topic_id: Uuid,
    result: Result<(), ApiError>,
) -> DeletableTopicResult {
    let (error_code, error_message) = super::error_fields(&result);
    DeletableTopicResult { name: name.map(str::to_owned), topic_id, error_code, error_message }
}

//! Topic configs that change while the broker works, and whether it remembers them.

use crate::{
    admin::{Admin, Verdict},
    client::{Client, Lost},
    model::{Invariant, Topic},
};
use protocol::{
    ErrorCode,
    generated::rpc::{
        describe_configs_request::DescribeConfigsResource,
        incremental_alter_configs_request::{AlterConfigsResource, AlterableConfig},
    },
    messages::*,
};

const TOPIC_RESOURCE: i8 = 2;
const SET: i8 = 0;
const DELETE: i8 = 1;

/// A config and its new value; `None`: back to the default.
fn draw(client: &Client) -> (&'static str, Option<String>) {
    let long_retention = (1_000_000_000 + client.below(1_000_000_000)).to_string();
    if !client.run.plan.dynamic {
        return ("retention.ms", Some(long_retention));
    }
    let below = |bound: usize| client.below(bound).to_string();
    let (name, value) = match client.below(7) {
        0 => ("retention.ms", long_retention),
        1 => ("retention.ms", below(3_000)),
        2 => ("retention.bytes", below(10_000)),
        3 => ("segment.bytes", (1_048_576 + client.below(1 << 20)).to_string()),
        4 => ("segment.ms", (30 + client.below(2_000)).to_string()),
        5 => ("max.message.bytes", (200 + client.below(60_000)).to_string()),
        _ => {
            let codecs = ["producer", "gzip", "snappy", "lz4", "zstd", "uncompressed"];
            ("compression.type", codecs[client.below(codecs.len())].to_owned())
        }
    };
    (name, (!client.one_in(6)).then_some(value))
}

/// Takes note that a config was asked for: from now on it may be in force.
fn asked(topic: &mut Topic, name: &'static str, value: Option<&String>) {
    topic.configs.entry(name).or_default().1 = value.cloned();
    match name {
        "max.message.bytes" => topic.small_messages = true,
        "retention.bytes" => topic.may_expire = true,
        "retention.ms" if value.is_some_and(|value| value.len() < 9) => topic.may_expire = true,
        _ => {}
    }
}

/// Changes one config of a topic that stays, until that is done.
pub async fn alter(admin: &mut Admin) {
    let run = admin.client.run.clone();
    let base: Vec<Topic> = run
        .model
        .borrow()
        .live(admin.client.cluster)
        .filter(|topic| topic.is_base)
        .cloned()
        .collect();
    let Some(topic) = base.get(admin.client.below(base.len())) else { return };
    let (name, value) = draw(&admin.client);
    asked(run.model.borrow_mut().topic_mut(topic.key), name, value.as_ref());
    let what = format!("{name}={value:?} for {}", topic.name);
    while !run.is_over() {
        let config_operation = if value.is_some() { SET } else { DELETE };
        let config =
            AlterableConfig { name: name.to_owned(), config_operation, value: value.clone() };
        let resource = AlterConfigsResource {
            resource_type: TOPIC_RESOURCE,
            resource_name: topic.name.clone(),
            configs: vec![config],
        };
        let request =
            IncrementalAlterConfigsRequest { resources: vec![resource], validate_only: false };
        let answer = admin.client.call(1, &request).await;
        let Ok(Some(result)) = answer.map(|response| response.responses.into_iter().next()) else {
            continue;
        };
        if result.error_code == 0 {
            admin.client.note(|| format!("{what}: done"));
            let told = admin.client.told();
            let mut model = run.model.borrow_mut();
            let topic = model.topic_mut(topic.key);
            topic.configs_told = told;
            topic.configs.entry(name).or_default().0 = value;
            return;
        }
        let error = admin.judge(
            &what,
            ErrorCode::from_code(result.error_code),
            result.error_message.as_deref(),
        );
        if let Verdict::Refused(error) = error {
            admin.unexplained(&what, error, result.error_message.as_deref());
        }
        admin.client.pause().await;
    }
}

/// Holds the configs of every topic that lives against what was acknowledged last. What a core may
/// say before it has applied the last changes counts for nothing.
pub async fn check(client: &mut Client) -> Result<(), Lost> {
    let run = client.run.clone();
    let life = run.model.borrow().life(client.cluster);
    let has_any = |topic: &&Topic| !topic.configs.is_empty();
    let set: Vec<Topic> =
        run.model.borrow().live(client.cluster).filter(has_any).cloned().collect();
    let resource = |topic: &Topic| DescribeConfigsResource {
        resource_type: TOPIC_RESOURCE,
        resource_name: topic.name.clone(),
        configuration_keys: Some(topic.configs.keys().map(|name| (*name).to_owned()).collect()),
    };
    let request = DescribeConfigsRequest {
        resources: set.iter().map(resource).collect(),
        ..Default::default()
    };
    let response = client.call(4, &request).await?;
    let mut lags = false;
    for topic in set {
        let result = response.results.iter().find(|result| result.resource_name == topic.name);
        for (name, known) in &topic.configs {
            let config =
                result.and_then(|result| result.configs.iter().find(|config| config.name == *name));
            let found = config.and_then(|config| config.value.as_ref());
            // Where the default counts, or may: what that is, is the broker's affair.
            let (Some(acknowledged), Some(asked)) = known else { continue };
            if found == Some(acknowledged) || found == Some(asked) {
                continue;
            }
            if client.may_lag(&topic.configs_told, life) || client.may_lag(&topic.told, life) {
                lags = true;
            } else {
                let detail =
                    format!("{}: {name} is {found:?}, {acknowledged} was acknowledged", topic.name);
                run.violate(Invariant::TopicsKept, detail);
            }
        }
    }
    if lags { Err(Lost) } else { Ok(()) }
}

//! GetTelemetrySubscriptions v0 and PushTelemetry v0 (KIP-714): what a client is to push of its own
//! metrics, and what it pushes.
//!
//! What is known of a client instance lives with its connection (`request/telemetry.rs`). A push is
//! checked here and handed to the control thread as it came, which unpacks it for the admin page;
//! how many are on that way is bounded. Never: unpacks or reads a push.

use crate::{
    limits,
    meta::{
        client_metrics::{ClientAttributes, Subscriptions, source_address},
        controller::random_uuid,
    },
    request::{
        RequestContext,
        telemetry::{Instance, Push, Subscribed},
    },
    shard::{
        Shard,
        jobs::{Job, JobAnswer},
    },
    stats::ClientPush,
};
use protocol::{
    ErrorCode, Uuid,
    compression::Compression,
    messages::{
        GetTelemetrySubscriptionsRequest, GetTelemetrySubscriptionsResponse, PushTelemetryRequest,
        PushTelemetryResponse,
    },
};
use std::{
    cell::{Cell, RefCell},
    time::Duration,
};

/// The codecs that clients may pack with, the best first.
const COMPRESSION_TYPES: [Compression; 4] =
    [Compression::Zstd, Compression::Lz4, Compression::Gzip, Compression::Snappy];

/// No client instance has them.
const RESERVED_IDS: [Uuid; 2] = [Uuid::ZERO, Uuid::from_u128(1)];

/// An instance is taken for gone after so many push intervals without a push, and not before so
/// long (`ClientMetricsManager`).
const SHOWN_INTERVALS: u32 = 3;
const SHOWN_MIN: Duration = Duration::from_secs(60);

/// What this core has for client metrics.
#[derive(Default)]
pub struct Telemetry {
    subscriptions: RefCell<Subscriptions>,
    /// That the control thread has not answered.
    pushes: Cell<usize>,
}

impl Telemetry {
    /// A place among the pushes that are under way. `None`: there are as many as may be.
    fn enter(&self) -> Option<Entered<'_>> {
        let pushes = self.pushes.get();
        if pushes == limits::CLIENT_PUSHES_UNDER_WAY_MAX {
            return None;
        }
        self.pushes.set(pushes + 1);
        assert!(self.pushes.get() <= limits::CLIENT_PUSHES_UNDER_WAY_MAX, "pushes are bounded");
        Some(Entered(&self.pushes))
    }
}

struct Entered<'a>(&'a Cell<usize>);

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        assert!(self.0.get() > 0, "a push leaves that has not entered");
        self.0.set(self.0.get() - 1);
    }
}

/// Runs `then` with what is known of a client instance, as subscriptions are now, and what they ask
/// of it.
fn with_instance<R>(
    shard: &Shard,
    context: &RequestContext<'_>,
    id: Uuid,
    then: impl FnOnce(&mut Instance, &dyn Fn() -> Vec<String>) -> R,
) -> R {
    let telemetry = &shard.control.telemetry;
    telemetry.subscriptions.borrow_mut().follow(&shard.control.image());
    let subscriptions = telemetry.subscriptions.borrow();
    let (client_id, software) = (context.client_id.decode(), context.client.software.borrow());
    let attributes = ClientAttributes {
        instance_id: id,
        client_id: &client_id,
        software_name: &software.name,
        software_version: &software.version,
        source: context.client.peer_addr(),
    };
    let version = subscriptions.version();
    let mut known = context.client.telemetry.borrow_mut();
    let instance = match &mut *known {
        Some(instance) if instance.is_current(id, version) => instance,
        other => {
            let asked = subscriptions.of(&attributes);
            let subscribed = Subscribed {
                version,
                subscription_id: asked.subscription_id,
                push_interval_ms: asked.push_interval_ms,
            };
            other.insert(Box::new(Instance::new(id, subscribed)))
        }
    };
    assert!(instance.is_current(id, version), "what is told is of the newest subscriptions");
    then(instance, &|| subscriptions.of(&attributes).metrics)
}

pub async fn subscriptions(
    shard: &Shard,
    context: &RequestContext<'_>,
    request: GetTelemetrySubscriptionsRequest,
) -> GetTelemetrySubscriptionsResponse {
    let id = match request.client_instance_id {
        Uuid::ZERO => random_uuid(&mut || shard.ring.random_u64()),
        id => id,
    };
    let now = shard.ring.now();
    with_instance(shard, context, id, |instance, metrics| {
        if let Err(error) = instance.may_get(now) {
            let error_code = error.code();
            return GetTelemetrySubscriptionsResponse { error_code, ..Default::default() };
        }
        let subscribed = instance.subscribed();
        GetTelemetrySubscriptionsResponse {
            client_instance_id: id,
            subscription_id: subscribed.subscription_id,
            accepted_compression_types: COMPRESSION_TYPES.map(|codec| codec.id() as i8).to_vec(),
            push_interval_ms: subscribed.push_interval_ms,
            telemetry_max_bytes: shard.config.network.telemetry_max_bytes,
            delta_temporality: true,
            requested_metrics: metrics(),
            ..Default::default()
        }
    })
}

pub async fn push(
    shard: &Shard,
    context: &RequestContext<'_>,
    request: PushTelemetryRequest,
) -> PushTelemetryResponse {
    let error = pushed(shard, context, request).await.err().unwrap_or(ErrorCode::None);
    PushTelemetryResponse { error_code: error.code(), ..Default::default() }
}

async fn pushed(
    shard: &Shard,
    context: &RequestContext<'_>,
    request: PushTelemetryRequest,
) -> Result<(), ErrorCode> {
    let id = request.client_instance_id;
    if RESERVED_IDS.contains(&id) {
        return Err(ErrorCode::InvalidRequest);
    }
    let max_bytes = usize::try_from(shard.config.network.telemetry_max_bytes).unwrap_or(0);
    let push = Push {
        subscription_id: request.subscription_id,
        is_terminating: request.terminating,
        compression_type: request.compression_type,
        bytes: request.metrics.len(),
    };
    let now = shard.ring.now();
    let subscribed = with_instance(shard, context, id, |instance, _| {
        instance.may_push(push, max_bytes, now).map(|()| instance.subscribed())
    })?;
    if request.metrics.is_empty() {
        return Ok(());
    }
    let exported = export(shard, context, request, subscribed).await;
    if let Err(error) = exported {
        let mut known = context.client.telemetry.borrow_mut();
        if let Some(instance) = known.as_mut().filter(|instance| instance.id == id) {
            instance.failed(error);
        }
    }
    exported
}

/// Has the control thread take a push.
async fn export(
    shard: &Shard,
    context: &RequestContext<'_>,
    request: PushTelemetryRequest,
    subscribed: Subscribed,
) -> Result<(), ErrorCode> {
    // The client tries again after an interval, with all that it has counted until then.
    let busy = ErrorCode::ThrottlingQuotaExceeded;
    let _entered = shard.control.telemetry.enter().ok_or(busy)?;
    let interval_ms = u64::try_from(subscribed.push_interval_ms).unwrap_or(0);
    let software = context.client.software.borrow().clone();
    let push = ClientPush {
        instance_id: request.client_instance_id,
        client_id: context.client_id.decode().into_owned(),
        software_name: software.name.into(),
        software_version: software.version.into(),
        source_address: source_address(context.client.peer_addr().ip()),
        shown_for: (Duration::from_millis(interval_ms) * SHOWN_INTERVALS).max(SHOWN_MIN),
        compression_type: request.compression_type as u8,
        metrics: request.metrics.to_vec(),
    };
    let answer = shard.mailbox.jobs.ask(Job::ShowMetrics(Box::new(push))).map_err(|_| busy)?;
    match answer.await {
        Some(JobAnswer::Shown(Ok(()))) => Ok(()),
        Some(JobAnswer::Shown(Err(why))) => {
            shard.clients.bad_input.say(shard.ring.now(), || {
                let peer = context.client.peer_addr();
                format!("metrics that {peer} has pushed cannot be read: {why}")
            });
            Err(ErrorCode::InvalidRecord)
        }
        // The broker stops: the connection will be closed before this can be sent.
        _ => Err(busy),
    }
}

//! Values that are good alone but not together (`KafkaConfig.validateValues`). Pure; runs at start
//! and for every change of a dynamic config.

use super::broker::BrokerConfig;
use super::listeners::{ListenerConfig, SecurityProtocol};

/// What must hold, and what to say if it does not.
type Rule = (bool, &'static str);

/// One sentence per conflict.
pub fn find(config: &BrokerConfig) -> Vec<String> {
    let rules = [role_rules(config), listener_rules(config), limit_rules(config)].concat();
    let broken =
        rules.into_iter().filter(|(holds, _)| !holds).map(|(_, problem)| problem.to_owned());
    let mut problems: Vec<String> = broken.chain(unserved_protocols(config)).collect();
    problems.dedup();
    problems
}

fn role_rules(config: &BrokerConfig) -> Vec<Rule> {
    let is_voter = config.quorum_voters.iter().any(|voter| voter.id == config.node_id);
    if config.roles.controller {
        let may_vote = config.quorum_voters.is_empty() || is_voter;
        return vec![(
            may_vote,
            "controller.quorum.voters does not contain this node.id although process.roles has \
             'controller'",
        )];
    }
    let knows_controllers =
        !config.quorum_voters.is_empty() || !config.quorum_bootstrap_servers.is_empty();
    vec![
        (
            knows_controllers,
            "process.roles=broker needs controller.quorum.bootstrap.servers (or \
             controller.quorum.voters)",
        ),
        (
            !is_voter,
            "controller.quorum.voters contains this node.id although process.roles lacks \
             'controller'",
        ),
        (
            config.controller_listeners.is_empty(),
            "listeners contains a controller listener although process.roles lacks 'controller'",
        ),
    ]
}

fn listener_rules(config: &BrokerConfig) -> Vec<Rule> {
    let mut rules = Vec::new();
    let names: Vec<&str> = config.listeners.iter().map(|listener| listener.name.as_str()).collect();
    if config.roles.broker {
        let advertises =
            |listener: &ListenerConfig| listener.name == config.inter_broker_listener_name;
        rules.push((
            !names.is_empty(),
            "listeners has no listener for clients: all its names are in controller.listener.names",
        ));
        rules.push((
            names.is_empty() || config.advertised_listeners.iter().any(advertises),
            "inter.broker.listener.name is not the name of an advertised listener",
        ));
    }
    for listener in &config.advertised_listeners {
        rules.push((
            names.contains(&listener.name.as_str()),
            "advertised.listeners has a name that listeners lacks",
        ));
        rules.push((
            listener.host != "0.0.0.0" && listener.host != "::",
            "advertised.listeners has an address that no client can connect to (0.0.0.0 or [::]): \
             name this host instead",
        ));
    }
    rules
}

fn limit_rules(config: &BrokerConfig) -> Vec<Rule> {
    let (network, replication, groups) = (&config.network, &config.replication, &config.groups);
    let queue_has_room = network.queued_max_request_bytes <= 0
        || network.queued_max_request_bytes >= i64::from(network.request_max_bytes);
    vec![
        (
            queue_has_room,
            "queued.max.request.bytes must not be smaller than socket.request.max.bytes",
        ),
        (
            replication.fetch_wait_max_ms <= replication.socket_timeout_ms,
            "replica.fetch.wait.max.ms must not be larger than replica.socket.timeout.ms",
        ),
        (
            i64::from(replication.fetch_wait_max_ms) <= replication.lag_time_max_ms,
            "replica.fetch.wait.max.ms must not be larger than replica.lag.time.max.ms",
        ),
        (
            groups.min_session_timeout_ms <= groups.max_session_timeout_ms,
            "group.min.session.timeout.ms must not be larger than group.max.session.timeout.ms",
        ),
        (
            groups.rebalance_protocols.iter().any(|protocol| protocol == "classic"),
            "group.coordinator.rebalance.protocols must contain 'classic'",
        ),
    ]
}

fn unserved_protocols(config: &BrokerConfig) -> impl Iterator<Item = String> {
    let listeners = config.listeners.iter().chain(&config.controller_listeners);
    listeners.filter(|listener| listener.security_protocol != SecurityProtocol::Plaintext)
        .map(|listener| {
        format!(
            "listener {} speaks {}: Millstream does not serve that yet, only PLAINTEXT. Map it to \
             PLAINTEXT in \
             listener.security.protocol.map, or remove it from listeners",
            listener.name,
            listener.security_protocol.name()
        )
    })
}

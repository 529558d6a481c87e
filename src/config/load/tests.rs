use super::*;
use crate::config::broker::{IoBackend, ShardCores};
use crate::config::listeners::SecurityProtocol;
use crate::config::topic::Durability;

fn from(
    file: &str,
    overrides: &[(&str, &str)],
    environment: &[(&str, &str)],
) -> Result<Loaded, ConfigError> {
    let pair = |(key, value): &(&str, &str)| (key.to_string(), value.to_string());
    let overrides: Vec<(String, String)> = overrides.iter().map(pair).collect();
    let file = (!file.is_empty()).then_some(("server.properties", file.as_bytes()));
    from_sources(file, &overrides, environment.iter().map(pair), "host.example")
}

fn problems(file: &str) -> String {
    from(file, &[], &[]).unwrap_err().to_string()
}

#[test]
fn without_anything_it_is_a_single_node_on_localhost() {
    let Loaded { config, warnings, notes, .. } = from("", &[], &[]).unwrap();
    assert_eq!((config.node_id, config.roles.broker, config.roles.controller), (1, true, true));
    let listener = &config.listeners[0];
    assert_eq!(
        (listener.name.as_str(), listener.host.as_str(), listener.port),
        ("PLAINTEXT", "localhost", 9092)
    );
    assert_eq!(listener.security_protocol, SecurityProtocol::Plaintext);
    assert_eq!(config.advertised_listeners, config.listeners);
    assert_eq!(config.inter_broker_listener_name, "PLAINTEXT");
    assert_eq!(config.log_dirs, [std::path::PathBuf::from("./millstream-data")]);
    assert_eq!(config.metadata_log_dir, config.log_dirs[0]);
    assert_eq!(
        (config.offsets.topic_num_partitions, config.offsets.topic_replication_factor),
        (50, 1)
    );
    assert_eq!(config.admin_listener.unwrap().to_string(), "localhost:9464");
    assert_eq!((config.shard_cores, config.io_backend), (ShardCores::Auto, IoBackend::Auto));
    assert_eq!(config.topic_defaults.durability, Durability::Fsync);
    assert_eq!((warnings, notes), (vec![], vec![]));
}

#[test]
fn the_command_line_beats_the_environment_beats_the_file_beats_the_default() {
    let file = "num.partitions=2\nlog.segment.bytes=2000000\nbroker.rack=file\n";
    let environment = [
        ("KAFKA_NUM_PARTITIONS", "3"),
        ("KAFKA_BROKER_RACK", "environment"),
        ("CLUSTER_ID", "abc"),
        ("PATH", "/"),
    ];
    let loaded = from(file, &[("num.partitions", "4")], &environment).unwrap();
    let config = loaded.config;
    assert_eq!((config.topics.num_partitions, config.rack.as_deref()), (4, Some("environment")));
    assert_eq!(
        (config.topic_defaults.segment_bytes, config.cluster_id.as_deref()),
        (2_000_000, Some("abc"))
    );
    assert_eq!(config.topics.default_replication_factor, 1);
    assert_eq!(loaded.layers.static_values["num.partitions"], "4");
}

/// The file that Apache Kafka ships for a combined node (config/server.properties of 4.3), without
/// its comments.
const SHIPPED: &str = "\
    process.roles=broker,controller\n\
    node.id=1\n\
    controller.quorum.bootstrap.servers=localhost:9093\n\
    listeners=PLAINTEXT://:9092,CONTROLLER://:9093\n\
    inter.broker.listener.name=PLAINTEXT\n\
    advertised.listeners=PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093\n\
    controller.listener.names=CONTROLLER\n\
    listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL\n\
    num.network.threads=3\n\
    num.io.threads=8\n\
    socket.send.buffer.bytes=102400\n\
    socket.receive.buffer.bytes=102400\n\
    socket.request.max.bytes=104857600\n\
    log.dirs=/tmp/kraft-combined-logs\n\
    num.partitions=1\n\
    num.recovery.threads.per.data.dir=2\n\
    offsets.topic.replication.factor=1\n\
    share.coordinator.state.topic.replication.factor=1\n\
    share.coordinator.state.topic.min.isr=1\n\
    transaction.state.log.replication.factor=1\n\
    transaction.state.log.min.isr=1\n\
    log.retention.hours=168\n\
    log.segment.bytes=1073741824\n\
    log.retention.check.interval.ms=300000\n\
    ";

#[test]
fn the_file_that_kafka_ships_is_understood() {
    let Loaded { config, warnings, notes, .. } = from(SHIPPED, &[], &[]).unwrap();
    assert_eq!((config.listeners.len(), config.controller_listeners.len()), (1, 1));
    assert_eq!(
        (config.listeners[0].host.as_str(), config.advertised_listeners[0].host.as_str()),
        ("", "localhost")
    );
    assert_eq!(config.quorum_bootstrap_servers[0].to_string(), "localhost:9093");
    assert!(warnings.is_empty(), "{warnings:?}");
    assert_eq!(
        notes,
        [
            "These configs are Kafka's and have no effect here: num.io.threads, \
             num.network.threads, num.recovery.threads.per.data.dir, \
             share.coordinator.state.topic.min.isr, \
             share.coordinator.state.topic.replication.factor",
            "The controller listener is not opened: this node is a quorum of one",
        ]
    );
}

#[test]
fn an_unknown_key_is_a_warning_with_the_nearest_name() {
    let loaded = from(
        "num.partition=2\n",
        &[("completely.different.thing", "x")],
        &[("KAFKA_LOG_DIR_S", "x")],
    )
    .unwrap();
    assert_eq!(
        loaded.warnings,
        [
            "--override: no config is named 'completely.different.thing'",
            "environment variable KAFKA_LOG_DIR_S: no config is named 'log.dir.s': did you mean \
             'log.dirs'?",
            "server.properties line 1: no config is named 'num.partition': did you mean \
             'num.partitions'?",
        ]
    );
    let loaded = from(
        "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer\n",
        &[],
        &[],
    )
    .unwrap();
    assert!(
        loaded.warnings[0]
            .contains("authorizer.class.name is set, but Millstream does not act on it yet")
    );
}

#[test]
fn bad_values_are_all_named_with_where_they_are_set() {
    assert_eq!(
        problems("a=1\nnum.partitions=many\nlog.segment.bytes=5\n"),
        "server.properties line 3: log.segment.bytes: '5' is less than 1048576\n\
         server.properties line 2: num.partitions: 'many' is not a whole number"
    );
    assert_eq!(
        problems("a=\\u00g0\n"),
        "server.properties: line 1: '\\u00g0' is not \\u with four hexadecimal digits"
    );
    let secret = from("", &[("ssl.key.password", "secret")], &[]).unwrap();
    assert!(!format!("{:?}{:?}", secret.warnings, secret.notes).contains("secret"));
}

#[test]
fn values_that_do_not_fit_each_other_are_refused() {
    assert!(
        problems("listeners=SSL://:9092\nsecurity.inter.broker.protocol=SSL")
            .contains("listener SSL speaks SSL: Millstream does not serve that yet")
    );
    assert!(
        problems("listeners=OTHER://:9092")
            .contains("add OTHER:PLAINTEXT to listener.security.protocol.map")
    );
    assert!(
        problems("listeners=PLAINTEXT://:9092\nadvertised.listeners=PLAINTEXT://0.0.0.0:9092")
            .contains("0.0.0.0")
    );
    assert!(problems("process.roles=broker").contains("controller.quorum.bootstrap.servers"));
    assert!(
        problems("controller.quorum.voters=2@localhost:9093")
            .contains("does not contain this node.id")
    );
    assert!(problems("inter.broker.listener.name=B").contains("inter.broker.listener.name"));
    assert!(problems("queued.max.request.bytes=5").contains("socket.request.max.bytes"));
    assert!(problems("listeners=").contains("at least one element"));
    assert!(problems("log.dirs=").contains("log.dirs"));
}

#[test]
fn an_advertised_listener_without_a_host_names_this_host() {
    let loaded = from("listeners=PLAINTEXT://:9092\n", &[], &[]).unwrap();
    assert_eq!(loaded.config.advertised_listeners[0].host, "host.example");
    assert_eq!(loaded.config.listeners[0].host, "");
}

#[test]
fn a_node_of_a_cluster_keeps_kafkas_replication_of_internal_topics() {
    let loaded = from(
        "process.roles=broker\nnode.id=2\ncontroller.quorum.bootstrap.servers=a:9093,b:9093\n",
        &[],
        &[],
    )
    .unwrap();
    assert_eq!(
        (
            loaded.config.offsets.topic_replication_factor,
            loaded.config.transactions.state_log_min_isr
        ),
        (3, 2)
    );
    assert_eq!(loaded.config.quorum_bootstrap_servers.len(), 2);
}

#[test]
fn the_old_name_of_the_node_id_still_works() {
    let loaded = from("broker.id=7\n", &[], &[]).unwrap();
    assert_eq!((loaded.config.node_id, loaded.notes.len()), (7, 0));
    assert_eq!(from("node.id=8\n", &[], &[]).unwrap().layers.static_values["broker.id"], "8");
    assert!(problems("node.id=1\nbroker.id=2\n").contains("must be the same"));
}

#[test]
fn own_configs() {
    let file = "shard.cores=0-2,5\nio.backend=epoll\ndurability=os\nadmin.listener=\n";
    let config = from(file, &[], &[]).unwrap().config;
    assert_eq!(config.shard_cores, ShardCores::Processors(vec![0, 1, 2, 5]));
    assert_eq!(
        (config.io_backend, config.topic_defaults.durability),
        (IoBackend::Epoll, Durability::Os)
    );
    assert_eq!(config.admin_listener, None);
    for bad in [
        "shard.cores=",
        "shard.cores=0,",
        "shard.cores=3-1",
        "shard.cores=1,1",
        "shard.cores=x",
        "io.backend=poll",
        "admin.listener=9464",
    ] {
        assert!(from(bad, &[], &[]).is_err(), "{bad}");
    }
}

#[test]
fn cores_are_chosen_among_the_allowed_ones() {
    let allowed = [2, 3, 5];
    assert_eq!(ShardCores::Auto.choose(&allowed), Ok(vec![2, 3, 5]));
    assert_eq!(ShardCores::parse("2").unwrap().choose(&allowed), Ok(vec![2]));
    assert_eq!(ShardCores::parse("2-3,5").unwrap().choose(&allowed), Ok(vec![2, 3, 5]));
    assert!(ShardCores::parse("4").unwrap().choose(&allowed).unwrap_err().contains("processor 4"));
    assert!(
        ShardCores::parse("1,2").unwrap().choose(&allowed).unwrap_err().contains("processor 1")
    );
}

#[test]
fn a_file_is_read_and_a_missing_one_is_said() {
    let path =
        std::env::temp_dir().join(format!("millstream-load-{}.properties", std::process::id()));
    std::fs::write(&path, "node.id=7\n").unwrap();
    let loaded = load(Some(&path), &[], std::iter::empty()).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(loaded.config.node_id, 7);
    let error = load(Some(&path), &[], std::iter::empty()).unwrap_err().to_string();
    assert!(error.contains("cannot be read") && error.contains("millstream-load"), "{error}");
}

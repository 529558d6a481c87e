//! Configs in environment variables, named as Apache Kafka's container images take them
//! (`KafkaDockerWrapper`): `KAFKA_LOG_DIRS` is `log.dirs`; `__` stands for `_` and `___` for `-`.
//! `CLUSTER_ID` is `cluster.id`.

const PREFIX: &str = "KAFKA_";

/// Variables of the images that are meant for the Java process and its logging, not for the broker.
const EXCLUDED: [&str; 5] = [
    "KAFKA_VERSION",
    "KAFKA_HEAP_OPTS",
    "KAFKA_OPTS",
    "KAFKA_JVM_PERFORMANCE_OPTS",
    "KAFKA_GC_LOG_OPTS",
];
const EXCLUDED_PREFIXES: [&str; 3] = ["KAFKA_LOG4J_", "KAFKA_TOOLS_LOG4J_", "KAFKA_JMX_"];

/// The config that `variable` sets, or `None` for a variable that sets none.
pub fn config_name(variable: &str) -> Option<String> {
    if variable == "CLUSTER_ID" {
        return Some("cluster.id".to_owned());
    }
    let excluded = EXCLUDED.contains(&variable)
        || EXCLUDED_PREFIXES.iter().any(|prefix| variable.starts_with(prefix));
    let name = variable.strip_prefix(PREFIX).filter(|name| !name.is_empty() && !excluded)?;
    Some(name.to_lowercase().replace('_', ".").replace("...", "-").replace("..", "_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_mapped_as_the_images_do() {
        let name = |variable: &str| config_name(variable);
        assert_eq!(name("KAFKA_LOG_DIRS").as_deref(), Some("log.dirs"));
        assert_eq!(name("KAFKA_A__B___C_D").as_deref(), Some("a_b-c.d"));
        assert_eq!(
            name("KAFKA_LISTENER_NAME_BROKER_SCRAM___SHA___256_SASL_JAAS_CONFIG").as_deref(),
            Some("listener.name.broker.scram-sha-256.sasl.jaas.config")
        );
        assert_eq!(name("CLUSTER_ID").as_deref(), Some("cluster.id"));
    }

    #[test]
    fn other_variables_are_left_alone() {
        for variable in [
            "PATH",
            "KAFKA",
            "KAFKA_",
            "KAFKA_HEAP_OPTS",
            "KAFKA_OPTS",
            "KAFKA_VERSION",
            "KAFKA_JMX_PORT",
            "KAFKA_JMX_OPTS",
            "KAFKA_LOG4J_LOGGERS",
            "KAFKA_TOOLS_LOG4J_LOGLEVEL",
            "KAFKA_GC_LOG_OPTS",
        ] {
            assert_eq!(config_name(variable), None, "{variable}");
        }
    }
}

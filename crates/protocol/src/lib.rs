//! Apache Kafka’s wire protocol.

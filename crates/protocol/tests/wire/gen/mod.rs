// Generated from the schemas of Apache Kafka 4.4.0 by `cargo xtask codegen`; do not edit.

//! Every schema as data, beside the generated code it describes.

use crate::schema::{Kind::*, Schema, Structure, field, recode, write_default};
use protocol::generated::*;

pub static SCHEMAS: &[Schema] = &[
    Schema {
        set: "rpc",
        name: "AddOffsetsToTxnRequest",
        versions: (0, 4),
        flexible: Some((3, 32767)),
        recode: recode::<rpc::AddOffsetsToTxnRequest>,
        write_default: write_default::<rpc::AddOffsetsToTxnRequest>,
        structs: &[Structure {
            name: "AddOffsetsToTxnRequest",
            fields: &[
                field(String, Some((0, 32767))),
                field(Int64, Some((0, 32767))),
                field(Int16, Some((0, 32767))),
                field(String, Some((0, 32767))),
            ],
        }],
    },
    Schema {
        set: "rpc",
        name: "AddOffsetsToTxnResponse",
        versions: (0, 4),
        flexible: Some((3, 32767)),
        recode: recode::<rpc::AddOffsetsToTxnResponse>,
        write_default: write_default::<rpc::AddOffsetsToTxnResponse>,
        structs: &[Structure {
            name: "AddOffsetsToTxnResponse",
            fields: &[field(Int32, Some((0, 32767))), field(Int16, Some((0, 32767)))],
        }],
    },
    Schema {
        set: "rpc",
        name: "AddPartitionsToTxnRequest",
        versions: (0, 5),
        flexible: Some((3, 32767)),
        recode: recode::<rpc::AddPartitionsToTxnRequest>,
        write_default: write_default::<rpc::AddPartitionsToTxnRequest>,
        structs: &[
            Structure {
                name: "AddPartitionsToTxnRequest",
                fields: &[
                    field(Array(&Struct("AddPartitionsToTxnTransaction")), Some((4, 32767))),
                    field(String, Some((0, 3))),
                    field(Int64, Some((0, 3))),
                    field(Int16, Some((0, 3))),
                    field(Array(&Struct("AddPartitionsToTxnTopic")), Some((0, 3))),
                ],
            },
            Structure {
                name: "AddPartitionsToTxnTransaction",
                fields: &[
                    field(String, Some((4, 32767))),
                    field(Int64, Some((4, 32767))),
                    field(Int16, Some((4, 32767))),
                    field(Bool, Some((4, 32767))).default("false"),
                    field(Array(&Struct("AddPartitionsToTxnTopic")), Some((4, 32767))),
                ],
            },
            Structure {
                name: "AddPartitionsToTxnTopic",
                fields: &[field(String, Some((0, 32767))), field(Array(&Int32), Some((0, 32767)))],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "AddPartitionsToTxnResponse",
        versions: (0, 5),
        flexible: Some((3, 32767)),
        recode: recode::<rpc::AddPartitionsToTxnResponse>,
        write_default: write_default::<rpc::AddPartitionsToTxnResponse>,
        structs: &[
            Structure {
                name: "AddPartitionsToTxnResponse",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Int16, Some((4, 32767))),
                    field(Array(&Struct("AddPartitionsToTxnResult")), Some((4, 32767))),
                    field(Array(&Struct("AddPartitionsToTxnTopicResult")), Some((0, 3))),
                ],
            },
            Structure {
                name: "AddPartitionsToTxnResult",
                fields: &[
                    field(String, Some((4, 32767))),
                    field(Array(&Struct("AddPartitionsToTxnTopicResult")), Some((4, 32767))),
                ],
            },
            Structure {
                name: "AddPartitionsToTxnTopicResult",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(Array(&Struct("AddPartitionsToTxnPartitionResult")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "AddPartitionsToTxnPartitionResult",
                fields: &[field(Int32, Some((0, 32767))), field(Int16, Some((0, 32767)))],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "AddRaftVoterRequest",
        versions: (0, 1),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::AddRaftVoterRequest>,
        write_default: write_default::<rpc::AddRaftVoterRequest>,
        structs: &[
            Structure {
                name: "AddRaftVoterRequest",
                fields: &[
                    field(String, Some((0, 32767))).nullable(0, 32767),
                    field(Int32, Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                    field(Uuid, Some((0, 32767))),
                    field(Array(&Struct("Listener")), Some((0, 32767))),
                    field(Bool, Some((1, 32767))).default("true"),
                ],
            },
            Structure {
                name: "Listener",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(String, Some((0, 32767))),
                    field(Uint16, Some((0, 32767))),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "AddRaftVoterResponse",
        versions: (0, 1),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::AddRaftVoterResponse>,
        write_default: write_default::<rpc::AddRaftVoterResponse>,
        structs: &[Structure {
            name: "AddRaftVoterResponse",
            fields: &[
                field(Int32, Some((0, 32767))),
                field(Int16, Some((0, 32767))),
                field(String, Some((0, 32767))).nullable(0, 32767),
            ],
        }],
    },
    Schema {
        set: "rpc",
        name: "AllocateProducerIdsRequest",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::AllocateProducerIdsRequest>,
        write_default: write_default::<rpc::AllocateProducerIdsRequest>,
        structs: &[Structure {
            name: "AllocateProducerIdsRequest",
            fields: &[field(Int32, Some((0, 32767))), field(Int64, Some((0, 32767))).default("-1")],
        }],
    },
    Schema {
        set: "rpc",
        name: "AllocateProducerIdsResponse",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::AllocateProducerIdsResponse>,
        write_default: write_default::<rpc::AllocateProducerIdsResponse>,
        structs: &[Structure {
            name: "AllocateProducerIdsResponse",
            fields: &[
                field(Int32, Some((0, 32767))),
                field(Int16, Some((0, 32767))),
                field(Int64, Some((0, 32767))),
                field(Int32, Some((0, 32767))),
            ],
        }],
    },
    Schema {
        set: "rpc",
        name: "AlterClientQuotasRequest",
        versions: (0, 1),
        flexible: Some((1, 32767)),
        recode: recode::<rpc::AlterClientQuotasRequest>,
        write_default: write_default::<rpc::AlterClientQuotasRequest>,
        structs: &[
            Structure {
                name: "AlterClientQuotasRequest",
                fields: &[
                    field(Array(&Struct("EntryData")), Some((0, 32767))),
                    field(Bool, Some((0, 32767))),
                ],
            },
            Structure {
                name: "EntryData",
                fields: &[
                    field(Array(&Struct("EntityData")), Some((0, 32767))),
                    field(Array(&Struct("OpData")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "EntityData",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(String, Some((0, 32767))).nullable(0, 32767),
                ],
            },
            Structure {
                name: "OpData",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(Float64, Some((0, 32767))),
                    field(Bool, Some((0, 32767))),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "AlterClientQuotasResponse",
        versions: (0, 1),
        flexible: Some((1, 32767)),
        recode: recode::<rpc::AlterClientQuotasResponse>,
        write_default: write_default::<rpc::AlterClientQuotasResponse>,
        structs: &[
            Structure {
                name: "AlterClientQuotasResponse",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Array(&Struct("EntryData")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "EntryData",
                fields: &[
                    field(Int16, Some((0, 32767))),
                    field(String, Some((0, 32767))).nullable(0, 32767),
                    field(Array(&Struct("EntityData")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "EntityData",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(String, Some((0, 32767))).nullable(0, 32767),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "AlterConfigsRequest",
        versions: (0, 2),
        flexible: Some((2, 32767)),
        recode: recode::<rpc::AlterConfigsRequest>,
        write_default: write_default::<rpc::AlterConfigsRequest>,
        structs: &[
            Structure {
                name: "AlterConfigsRequest",
                fields: &[
                    field(Array(&Struct("AlterConfigsResource")), Some((0, 32767))),
                    field(Bool, Some((0, 32767))),
                ],
            },
            Structure {
                name: "AlterConfigsResource",
                fields: &[
                    field(Int8, Some((0, 32767))),
                    field(String, Some((0, 32767))),
                    field(Array(&Struct("AlterableConfig")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "AlterableConfig",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(String, Some((0, 32767))).nullable(0, 32767),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "AlterConfigsResponse",
        versions: (0, 2),
        flexible: Some((2, 32767)),
        recode: recode::<rpc::AlterConfigsResponse>,
        write_default: write_default::<rpc::AlterConfigsResponse>,
        structs: &[
            Structure {
                name: "AlterConfigsResponse",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Array(&Struct("AlterConfigsResourceResponse")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "AlterConfigsResourceResponse",
                fields: &[
                    field(Int16, Some((0, 32767))),
                    field(String, Some((0, 32767))).nullable(0, 32767),
                    field(Int8, Some((0, 32767))),
                    field(String, Some((0, 32767))),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "AlterPartitionReassignmentsRequest",
        versions: (0, 1),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::AlterPartitionReassignmentsRequest>,
        write_default: write_default::<rpc::AlterPartitionReassignmentsRequest>,
        structs: &[
            Structure {
                name: "AlterPartitionReassignmentsRequest",
                fields: &[
                    field(Int32, Some((0, 32767))).default("60000"),
                    field(Bool, Some((1, 32767))).default("true"),
                    field(Array(&Struct("ReassignableTopic")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "ReassignableTopic",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(Array(&Struct("ReassignablePartition")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "ReassignablePartition",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Array(&Int32), Some((0, 32767))).nullable(0, 32767).default("null"),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "AlterPartitionReassignmentsResponse",
        versions: (0, 1),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::AlterPartitionReassignmentsResponse>,
        write_default: write_default::<rpc::AlterPartitionReassignmentsResponse>,
        structs: &[
            Structure {
                name: "AlterPartitionReassignmentsResponse",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Bool, Some((1, 32767))).default("true"),
                    field(Int16, Some((0, 32767))),
                    field(String, Some((0, 32767))).nullable(0, 32767),
                    field(Array(&Struct("ReassignableTopicResponse")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "ReassignableTopicResponse",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(Array(&Struct("ReassignablePartitionResponse")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "ReassignablePartitionResponse",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Int16, Some((0, 32767))),
                    field(String, Some((0, 32767))).nullable(0, 32767),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "AlterPartitionRequest",
        versions: (2, 3),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::AlterPartitionRequest>,
        write_default: write_default::<rpc::AlterPartitionRequest>,
        structs: &[
            Structure {
                name: "AlterPartitionRequest",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Int64, Some((0, 32767))).default("-1"),
                    field(Array(&Struct("TopicData")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "TopicData",
                fields: &[
                    field(Uuid, Some((2, 32767))),
                    field(Array(&Struct("PartitionData")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "PartitionData",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                    field(Array(&Int32), Some((0, 2))),
                    field(Array(&Struct("BrokerState")), Some((3, 32767))),
                    field(Int8, Some((1, 32767))).default("0"),
                    field(Int32, Some((0, 32767))),
                ],
            },
            Structure {
                name: "BrokerState",
                fields: &[
                    field(Int32, Some((3, 32767))),
                    field(Int64, Some((3, 32767))).default("-1"),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "AlterPartitionResponse",
        versions: (2, 3),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::AlterPartitionResponse>,
        write_default: write_default::<rpc::AlterPartitionResponse>,
        structs: &[
            Structure {
                name: "AlterPartitionResponse",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Int16, Some((0, 32767))),
                    field(Array(&Struct("TopicData")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "TopicData",
                fields: &[
                    field(Uuid, Some((2, 32767))),
                    field(Array(&Struct("PartitionData")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "PartitionData",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Int16, Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                    field(Array(&Int32), Some((0, 32767))),
                    field(Int8, Some((1, 32767))).default("0"),
                    field(Int32, Some((0, 32767))),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "AlterReplicaLogDirsRequest",
        versions: (1, 2),
        flexible: Some((2, 32767)),
        recode: recode::<rpc::AlterReplicaLogDirsRequest>,
        write_default: write_default::<rpc::AlterReplicaLogDirsRequest>,
        structs: &[
            Structure {
                name: "AlterReplicaLogDirsRequest",
                fields: &[field(Array(&Struct("AlterReplicaLogDir")), Some((0, 32767)))],
            },
            Structure {
                name: "AlterReplicaLogDir",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(Array(&Struct("AlterReplicaLogDirTopic")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "AlterReplicaLogDirTopic",
                fields: &[field(String, Some((0, 32767))), field(Array(&Int32), Some((0, 32767)))],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "AlterReplicaLogDirsResponse",
        versions: (1, 2),
        flexible: Some((2, 32767)),
        recode: recode::<rpc::AlterReplicaLogDirsResponse>,
        write_default: write_default::<rpc::AlterReplicaLogDirsResponse>,
        structs: &[
            Structure {
                name: "AlterReplicaLogDirsResponse",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Array(&Struct("AlterReplicaLogDirTopicResult")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "AlterReplicaLogDirTopicResult",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(Array(&Struct("AlterReplicaLogDirPartitionResult")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "AlterReplicaLogDirPartitionResult",
                fields: &[field(Int32, Some((0, 32767))), field(Int16, Some((0, 32767)))],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "AlterShareGroupOffsetsRequest",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::AlterShareGroupOffsetsRequest>,
        write_default: write_default::<rpc::AlterShareGroupOffsetsRequest>,
        structs: &[
            Structure {
                name: "AlterShareGroupOffsetsRequest",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(Array(&Struct("AlterShareGroupOffsetsRequestTopic")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "AlterShareGroupOffsetsRequestTopic",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(
                        Array(&Struct("AlterShareGroupOffsetsRequestPartition")),
                        Some((0, 32767)),
                    ),
                ],
            },
            Structure {
                name: "AlterShareGroupOffsetsRequestPartition",
                fields: &[field(Int32, Some((0, 32767))), field(Int64, Some((0, 32767)))],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "AlterShareGroupOffsetsResponse",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::AlterShareGroupOffsetsResponse>,
        write_default: write_default::<rpc::AlterShareGroupOffsetsResponse>,
        structs: &[
            Structure {
                name: "AlterShareGroupOffsetsResponse",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Int16, Some((0, 32767))),
                    field(String, Some((0, 32767))).nullable(0, 32767).default("null"),
                    field(Array(&Struct("AlterShareGroupOffsetsResponseTopic")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "AlterShareGroupOffsetsResponseTopic",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(Uuid, Some((0, 32767))),
                    field(
                        Array(&Struct("AlterShareGroupOffsetsResponsePartition")),
                        Some((0, 32767)),
                    ),
                ],
            },
            Structure {
                name: "AlterShareGroupOffsetsResponsePartition",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Int16, Some((0, 32767))),
                    field(String, Some((0, 32767))).nullable(0, 32767).default("null"),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "AlterUserScramCredentialsRequest",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::AlterUserScramCredentialsRequest>,
        write_default: write_default::<rpc::AlterUserScramCredentialsRequest>,
        structs: &[
            Structure {
                name: "AlterUserScramCredentialsRequest",
                fields: &[
                    field(Array(&Struct("ScramCredentialDeletion")), Some((0, 32767))),
                    field(Array(&Struct("ScramCredentialUpsertion")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "ScramCredentialDeletion",
                fields: &[field(String, Some((0, 32767))), field(Int8, Some((0, 32767)))],
            },
            Structure {
                name: "ScramCredentialUpsertion",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(Int8, Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                    field(Bytes, Some((0, 32767))),
                    field(Bytes, Some((0, 32767))),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "AlterUserScramCredentialsResponse",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::AlterUserScramCredentialsResponse>,
        write_default: write_default::<rpc::AlterUserScramCredentialsResponse>,
        structs: &[
            Structure {
                name: "AlterUserScramCredentialsResponse",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Array(&Struct("AlterUserScramCredentialsResult")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "AlterUserScramCredentialsResult",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(Int16, Some((0, 32767))),
                    field(String, Some((0, 32767))).nullable(0, 32767),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "ApiVersionsRequest",
        versions: (0, 5),
        flexible: Some((3, 32767)),
        recode: recode::<rpc::ApiVersionsRequest>,
        write_default: write_default::<rpc::ApiVersionsRequest>,
        structs: &[Structure {
            name: "ApiVersionsRequest",
            fields: &[
                field(String, Some((3, 32767))),
                field(String, Some((3, 32767))),
                field(String, Some((5, 32767))).nullable(5, 32767).default("null"),
                field(Int32, Some((5, 32767))).default("-1"),
            ],
        }],
    },
    Schema {
        set: "rpc",
        name: "ApiVersionsResponse",
        versions: (0, 5),
        flexible: Some((3, 32767)),
        recode: recode::<rpc::ApiVersionsResponse>,
        write_default: write_default::<rpc::ApiVersionsResponse>,
        structs: &[
            Structure {
                name: "ApiVersionsResponse",
                fields: &[
                    field(Int16, Some((0, 32767))),
                    field(Array(&Struct("ApiVersion")), Some((0, 32767))),
                    field(Int32, Some((1, 32767))),
                    field(Array(&Struct("SupportedFeatureKey")), Some((3, 32767)))
                        .tagged(0, 3, 32767),
                    field(Int64, Some((3, 32767))).tagged(1, 3, 32767).default("-1"),
                    field(Array(&Struct("FinalizedFeatureKey")), Some((3, 32767)))
                        .tagged(2, 3, 32767),
                    field(Bool, Some((3, 32767))).tagged(3, 3, 32767).default("false"),
                ],
            },
            Structure {
                name: "ApiVersion",
                fields: &[
                    field(Int16, Some((0, 32767))),
                    field(Int16, Some((0, 32767))),
                    field(Int16, Some((0, 32767))),
                ],
            },
            Structure {
                name: "SupportedFeatureKey",
                fields: &[
                    field(String, Some((3, 32767))),
                    field(Int16, Some((3, 32767))),
                    field(Int16, Some((3, 32767))),
                ],
            },
            Structure {
                name: "FinalizedFeatureKey",
                fields: &[
                    field(String, Some((3, 32767))),
                    field(Int16, Some((3, 32767))),
                    field(Int16, Some((3, 32767))),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "AssignReplicasToDirsRequest",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::AssignReplicasToDirsRequest>,
        write_default: write_default::<rpc::AssignReplicasToDirsRequest>,
        structs: &[
            Structure {
                name: "AssignReplicasToDirsRequest",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Int64, Some((0, 32767))).default("-1"),
                    field(Array(&Struct("DirectoryData")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "DirectoryData",
                fields: &[
                    field(Uuid, Some((0, 32767))),
                    field(Array(&Struct("TopicData")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "TopicData",
                fields: &[
                    field(Uuid, Some((0, 32767))),
                    field(Array(&Struct("PartitionData")), Some((0, 32767))),
                ],
            },
            Structure { name: "PartitionData", fields: &[field(Int32, Some((0, 32767)))] },
        ],
    },
    Schema {
        set: "rpc",
        name: "AssignReplicasToDirsResponse",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::AssignReplicasToDirsResponse>,
        write_default: write_default::<rpc::AssignReplicasToDirsResponse>,
        structs: &[
            Structure {
                name: "AssignReplicasToDirsResponse",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Int16, Some((0, 32767))),
                    field(Array(&Struct("DirectoryData")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "DirectoryData",
                fields: &[
                    field(Uuid, Some((0, 32767))),
                    field(Array(&Struct("TopicData")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "TopicData",
                fields: &[
                    field(Uuid, Some((0, 32767))),
                    field(Array(&Struct("PartitionData")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "PartitionData",
                fields: &[field(Int32, Some((0, 32767))), field(Int16, Some((0, 32767)))],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "BeginQuorumEpochRequest",
        versions: (0, 1),
        flexible: Some((1, 32767)),
        recode: recode::<rpc::BeginQuorumEpochRequest>,
        write_default: write_default::<rpc::BeginQuorumEpochRequest>,
        structs: &[
            Structure {
                name: "BeginQuorumEpochRequest",
                fields: &[
                    field(String, Some((0, 32767))).nullable(0, 32767).default("null"),
                    field(Int32, Some((1, 32767))).default("-1"),
                    field(Array(&Struct("TopicData")), Some((0, 32767))),
                    field(Array(&Struct("LeaderEndpoint")), Some((1, 32767))),
                ],
            },
            Structure {
                name: "TopicData",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(Array(&Struct("PartitionData")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "PartitionData",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Uuid, Some((1, 32767))),
                    field(Int32, Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                ],
            },
            Structure {
                name: "LeaderEndpoint",
                fields: &[
                    field(String, Some((1, 32767))),
                    field(String, Some((1, 32767))),
                    field(Uint16, Some((1, 32767))),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "BeginQuorumEpochResponse",
        versions: (0, 1),
        flexible: Some((1, 32767)),
        recode: recode::<rpc::BeginQuorumEpochResponse>,
        write_default: write_default::<rpc::BeginQuorumEpochResponse>,
        structs: &[
            Structure {
                name: "BeginQuorumEpochResponse",
                fields: &[
                    field(Int16, Some((0, 32767))),
                    field(Array(&Struct("TopicData")), Some((0, 32767))),
                    field(Array(&Struct("NodeEndpoint")), Some((1, 32767))).tagged(0, 1, 32767),
                ],
            },
            Structure {
                name: "TopicData",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(Array(&Struct("PartitionData")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "PartitionData",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Int16, Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                ],
            },
            Structure {
                name: "NodeEndpoint",
                fields: &[
                    field(Int32, Some((1, 32767))),
                    field(String, Some((1, 32767))),
                    field(Uint16, Some((1, 32767))),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "BrokerHeartbeatRequest",
        versions: (0, 2),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::BrokerHeartbeatRequest>,
        write_default: write_default::<rpc::BrokerHeartbeatRequest>,
        structs: &[Structure {
            name: "BrokerHeartbeatRequest",
            fields: &[
                field(Int32, Some((0, 32767))),
                field(Int64, Some((0, 32767))).default("-1"),
                field(Int64, Some((0, 32767))),
                field(Bool, Some((0, 32767))),
                field(Bool, Some((0, 32767))),
                field(Array(&Uuid), Some((1, 32767))).tagged(0, 1, 32767),
                field(Array(&Uuid), Some((2, 32767)))
                    .nullable(2, 32767)
                    .tagged(1, 2, 32767)
                    .default("null"),
            ],
        }],
    },
    Schema {
        set: "rpc",
        name: "BrokerHeartbeatResponse",
        versions: (0, 2),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::BrokerHeartbeatResponse>,
        write_default: write_default::<rpc::BrokerHeartbeatResponse>,
        structs: &[Structure {
            name: "BrokerHeartbeatResponse",
            fields: &[
                field(Int32, Some((0, 32767))),
                field(Int16, Some((0, 32767))),
                field(Bool, Some((0, 32767))).default("false"),
                field(Bool, Some((0, 32767))).default("true"),
                field(Bool, Some((0, 32767))),
            ],
        }],
    },
    Schema {
        set: "rpc",
        name: "BrokerRegistrationRequest",
        versions: (0, 4),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::BrokerRegistrationRequest>,
        write_default: write_default::<rpc::BrokerRegistrationRequest>,
        structs: &[
            Structure {
                name: "BrokerRegistrationRequest",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(String, Some((0, 32767))),
                    field(Uuid, Some((0, 32767))),
                    field(Array(&Struct("Listener")), Some((0, 32767))),
                    field(Array(&Struct("Feature")), Some((0, 32767))),
                    field(String, Some((0, 32767))).nullable(0, 32767),
                    field(Bool, Some((1, 32767))).default("false"),
                    field(Array(&Uuid), Some((2, 32767))),
                    field(Int64, Some((3, 32767))).default("-1"),
                ],
            },
            Structure {
                name: "Listener",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(String, Some((0, 32767))),
                    field(Uint16, Some((0, 32767))),
                    field(Int16, Some((0, 32767))),
                ],
            },
            Structure {
                name: "Feature",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(Int16, Some((0, 32767))),
                    field(Int16, Some((0, 32767))),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "BrokerRegistrationResponse",
        versions: (0, 4),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::BrokerRegistrationResponse>,
        write_default: write_default::<rpc::BrokerRegistrationResponse>,
        structs: &[Structure {
            name: "BrokerRegistrationResponse",
            fields: &[
                field(Int32, Some((0, 32767))),
                field(Int16, Some((0, 32767))),
                field(Int64, Some((0, 32767))).default("-1"),
            ],
        }],
    },
    Schema {
        set: "rpc",
        name: "ConsumerGroupDescribeRequest",
        versions: (0, 1),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::ConsumerGroupDescribeRequest>,
        write_default: write_default::<rpc::ConsumerGroupDescribeRequest>,
        structs: &[Structure {
            name: "ConsumerGroupDescribeRequest",
            fields: &[field(Array(&String), Some((0, 32767))), field(Bool, Some((0, 32767)))],
        }],
    },
    Schema {
        set: "rpc",
        name: "ConsumerGroupDescribeResponse",
        versions: (0, 1),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::ConsumerGroupDescribeResponse>,
        write_default: write_default::<rpc::ConsumerGroupDescribeResponse>,
        structs: &[
            Structure {
                name: "ConsumerGroupDescribeResponse",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Array(&Struct("DescribedGroup")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "DescribedGroup",
                fields: &[
                    field(Int16, Some((0, 32767))),
                    field(String, Some((0, 32767))).nullable(0, 32767).default("null"),
                    field(String, Some((0, 32767))),
                    field(String, Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                    field(String, Some((0, 32767))),
                    field(Array(&Struct("Member")), Some((0, 32767))),
                    field(Int32, Some((0, 32767))).default("-2147483648"),
                ],
            },
            Structure {
                name: "Member",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(String, Some((0, 32767))).nullable(0, 32767).default("null"),
                    field(String, Some((0, 32767))).nullable(0, 32767).default("null"),
                    field(Int32, Some((0, 32767))),
                    field(String, Some((0, 32767))),
                    field(String, Some((0, 32767))),
                    field(Array(&String), Some((0, 32767))),
                    field(String, Some((0, 32767))).nullable(0, 32767).default("null"),
                    field(Struct("Assignment"), Some((0, 32767))),
                    field(Struct("Assignment"), Some((0, 32767))),
                    field(Int8, Some((1, 32767))).default("-1"),
                ],
            },
            Structure {
                name: "TopicPartitions",
                fields: &[
                    field(Uuid, Some((0, 32767))),
                    field(String, Some((0, 32767))),
                    field(Array(&Int32), Some((0, 32767))),
                ],
            },
            Structure {
                name: "Assignment",
                fields: &[field(Array(&Struct("TopicPartitions")), Some((0, 32767)))],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "ConsumerGroupHeartbeatRequest",
        versions: (0, 1),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::ConsumerGroupHeartbeatRequest>,
        write_default: write_default::<rpc::ConsumerGroupHeartbeatRequest>,
        structs: &[
            Structure {
                name: "ConsumerGroupHeartbeatRequest",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(String, Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                    field(String, Some((0, 32767))).nullable(0, 32767).default("null"),
                    field(String, Some((0, 32767))).nullable(0, 32767).default("null"),
                    field(Int32, Some((0, 32767))).default("-1"),
                    field(Array(&String), Some((0, 32767))).nullable(0, 32767).default("null"),
                    field(String, Some((1, 32767))).nullable(1, 32767).default("null"),
                    field(String, Some((0, 32767))).nullable(0, 32767).default("null"),
                    field(Array(&Struct("TopicPartitions")), Some((0, 32767)))
                        .nullable(0, 32767)
                        .default("null"),
                ],
            },
            Structure {
                name: "TopicPartitions",
                fields: &[field(Uuid, Some((0, 32767))), field(Array(&Int32), Some((0, 32767)))],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "ConsumerGroupHeartbeatResponse",
        versions: (0, 1),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::ConsumerGroupHeartbeatResponse>,
        write_default: write_default::<rpc::ConsumerGroupHeartbeatResponse>,
        structs: &[
            Structure {
                name: "ConsumerGroupHeartbeatResponse",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Int16, Some((0, 32767))),
                    field(String, Some((0, 32767))).nullable(0, 32767).default("null"),
                    field(String, Some((0, 32767))).nullable(0, 32767).default("null"),
                    field(Int32, Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                    field(Struct("Assignment"), Some((0, 32767)))
                        .nullable(0, 32767)
                        .default("null"),
                ],
            },
            Structure {
                name: "Assignment",
                fields: &[field(Array(&Struct("TopicPartitions")), Some((0, 32767)))],
            },
            Structure {
                name: "TopicPartitions",
                fields: &[field(Uuid, Some((0, 32767))), field(Array(&Int32), Some((0, 32767)))],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "ControllerRegistrationRequest",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::ControllerRegistrationRequest>,
        write_default: write_default::<rpc::ControllerRegistrationRequest>,
        structs: &[
            Structure {
                name: "ControllerRegistrationRequest",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Uuid, Some((0, 32767))),
                    field(Bool, Some((0, 32767))),
                    field(Array(&Struct("Listener")), Some((0, 32767))),
                    field(Array(&Struct("Feature")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "Listener",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(String, Some((0, 32767))),
                    field(Uint16, Some((0, 32767))),
                    field(Int16, Some((0, 32767))),
                ],
            },
            Structure {
                name: "Feature",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(Int16, Some((0, 32767))),
                    field(Int16, Some((0, 32767))),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "ControllerRegistrationResponse",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::ControllerRegistrationResponse>,
        write_default: write_default::<rpc::ControllerRegistrationResponse>,
        structs: &[Structure {
            name: "ControllerRegistrationResponse",
            fields: &[
                field(Int32, Some((0, 32767))),
                field(Int16, Some((0, 32767))),
                field(String, Some((0, 32767))).nullable(0, 32767),
            ],
        }],
    },
    Schema {
        set: "rpc",
        name: "CreateAclsRequest",
        versions: (1, 3),
        flexible: Some((2, 32767)),
        recode: recode::<rpc::CreateAclsRequest>,
        write_default: write_default::<rpc::CreateAclsRequest>,
        structs: &[
            Structure {
                name: "CreateAclsRequest",
                fields: &[field(Array(&Struct("AclCreation")), Some((0, 32767)))],
            },
            Structure {
                name: "AclCreation",
                fields: &[
                    field(Int8, Some((0, 32767))),
                    field(String, Some((0, 32767))),
                    field(Int8, Some((1, 32767))).default("3"),
                    field(String, Some((0, 32767))),
                    field(String, Some((0, 32767))),
                    field(Int8, Some((0, 32767))),
                    field(Int8, Some((0, 32767))),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "CreateAclsResponse",
        versions: (1, 3),
        flexible: Some((2, 32767)),
        recode: recode::<rpc::CreateAclsResponse>,
        write_default: write_default::<rpc::CreateAclsResponse>,
        structs: &[
            Structure {
                name: "CreateAclsResponse",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Array(&Struct("AclCreationResult")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "AclCreationResult",
                fields: &[
                    field(Int16, Some((0, 32767))),
                    field(String, Some((0, 32767))).nullable(0, 32767),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "CreateDelegationTokenRequest",
        versions: (1, 3),
        flexible: Some((2, 32767)),
        recode: recode::<rpc::CreateDelegationTokenRequest>,
        write_default: write_default::<rpc::CreateDelegationTokenRequest>,
        structs: &[
            Structure {
                name: "CreateDelegationTokenRequest",
                fields: &[
                    field(String, Some((3, 32767))).nullable(3, 32767),
                    field(String, Some((3, 32767))).nullable(3, 32767),
                    field(Array(&Struct("CreatableRenewers")), Some((0, 32767))),
                    field(Int64, Some((0, 32767))),
                ],
            },
            Structure {
                name: "CreatableRenewers",
                fields: &[field(String, Some((0, 32767))), field(String, Some((0, 32767)))],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "CreateDelegationTokenResponse",
        versions: (1, 3),
        flexible: Some((2, 32767)),
        recode: recode::<rpc::CreateDelegationTokenResponse>,
        write_default: write_default::<rpc::CreateDelegationTokenResponse>,
        structs: &[Structure {
            name: "CreateDelegationTokenResponse",
            fields: &[
                field(Int16, Some((0, 32767))),
                field(String, Some((0, 32767))),
                field(String, Some((0, 32767))),
                field(String, Some((3, 32767))),
                field(String, Some((3, 32767))),
                field(Int64, Some((0, 32767))),
                field(Int64, Some((0, 32767))),
                field(Int64, Some((0, 32767))),
                field(String, Some((0, 32767))),
                field(Bytes, Some((0, 32767))),
                field(Int32, Some((0, 32767))),
            ],
        }],
    },
    Schema {
        set: "rpc",
        name: "CreatePartitionsRequest",
        versions: (0, 3),
        flexible: Some((2, 32767)),
        recode: recode::<rpc::CreatePartitionsRequest>,
        write_default: write_default::<rpc::CreatePartitionsRequest>,
        structs: &[
            Structure {
                name: "CreatePartitionsRequest",
                fields: &[
                    field(Array(&Struct("CreatePartitionsTopic")), Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                    field(Bool, Some((0, 32767))),
                ],
            },
            Structure {
                name: "CreatePartitionsTopic",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                    field(Array(&Struct("CreatePartitionsAssignment")), Some((0, 32767)))
                        .nullable(0, 32767),
                ],
            },
            Structure {
                name: "CreatePartitionsAssignment",
                fields: &[field(Array(&Int32), Some((0, 32767)))],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "CreatePartitionsResponse",
        versions: (0, 3),
        flexible: Some((2, 32767)),
        recode: recode::<rpc::CreatePartitionsResponse>,
        write_default: write_default::<rpc::CreatePartitionsResponse>,
        structs: &[
            Structure {
                name: "CreatePartitionsResponse",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Array(&Struct("CreatePartitionsTopicResult")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "CreatePartitionsTopicResult",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(Int16, Some((0, 32767))),
                    field(String, Some((0, 32767))).nullable(0, 32767).default("null"),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "CreateTopicsRequest",
        versions: (2, 7),
        flexible: Some((5, 32767)),
        recode: recode::<rpc::CreateTopicsRequest>,
        write_default: write_default::<rpc::CreateTopicsRequest>,
        structs: &[
            Structure {
                name: "CreateTopicsRequest",
                fields: &[
                    field(Array(&Struct("CreatableTopic")), Some((0, 32767))),
                    field(Int32, Some((0, 32767))).default("60000"),
                    field(Bool, Some((1, 32767))).default("false"),
                ],
            },
            Structure {
                name: "CreatableTopic",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                    field(Int16, Some((0, 32767))),
                    field(Array(&Struct("CreatableReplicaAssignment")), Some((0, 32767))),
                    field(Array(&Struct("CreatableTopicConfig")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "CreatableReplicaAssignment",
                fields: &[field(Int32, Some((0, 32767))), field(Array(&Int32), Some((0, 32767)))],
            },
            Structure {
                name: "CreatableTopicConfig",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(String, Some((0, 32767))).nullable(0, 32767),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "CreateTopicsResponse",
        versions: (2, 7),
        flexible: Some((5, 32767)),
        recode: recode::<rpc::CreateTopicsResponse>,
        write_default: write_default::<rpc::CreateTopicsResponse>,
        structs: &[
            Structure {
                name: "CreateTopicsResponse",
                fields: &[
                    field(Int32, Some((2, 32767))),
                    field(Array(&Struct("CreatableTopicResult")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "CreatableTopicResult",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(Uuid, Some((7, 32767))),
                    field(Int16, Some((0, 32767))),
                    field(String, Some((1, 32767))).nullable(0, 32767),
                    field(Int16, Some((5, 32767))).tagged(0, 5, 32767),
                    field(Int32, Some((5, 32767))).default("-1"),
                    field(Int16, Some((5, 32767))).default("-1"),
                    field(Array(&Struct("CreatableTopicConfigs")), Some((5, 32767)))
                        .nullable(5, 32767),
                ],
            },
            Structure {
                name: "CreatableTopicConfigs",
                fields: &[
                    field(String, Some((5, 32767))),
                    field(String, Some((5, 32767))).nullable(5, 32767),
                    field(Bool, Some((5, 32767))),
                    field(Int8, Some((5, 32767))).default("-1"),
                    field(Bool, Some((5, 32767))),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "DeleteAclsRequest",
        versions: (1, 3),
        flexible: Some((2, 32767)),
        recode: recode::<rpc::DeleteAclsRequest>,
        write_default: write_default::<rpc::DeleteAclsRequest>,
        structs: &[
            Structure {
                name: "DeleteAclsRequest",
                fields: &[field(Array(&Struct("DeleteAclsFilter")), Some((0, 32767)))],
            },
            Structure {
                name: "DeleteAclsFilter",
                fields: &[
                    field(Int8, Some((0, 32767))),
                    field(String, Some((0, 32767))).nullable(0, 32767),
                    field(Int8, Some((1, 32767))).default("3"),
                    field(String, Some((0, 32767))).nullable(0, 32767),
                    field(String, Some((0, 32767))).nullable(0, 32767),
                    field(Int8, Some((0, 32767))),
                    field(Int8, Some((0, 32767))),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "DeleteAclsResponse",
        versions: (1, 3),
        flexible: Some((2, 32767)),
        recode: recode::<rpc::DeleteAclsResponse>,
        write_default: write_default::<rpc::DeleteAclsResponse>,
        structs: &[
            Structure {
                name: "DeleteAclsResponse",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Array(&Struct("DeleteAclsFilterResult")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "DeleteAclsFilterResult",
                fields: &[
                    field(Int16, Some((0, 32767))),
                    field(String, Some((0, 32767))).nullable(0, 32767),
                    field(Array(&Struct("DeleteAclsMatchingAcl")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "DeleteAclsMatchingAcl",
                fields: &[
                    field(Int16, Some((0, 32767))),
                    field(String, Some((0, 32767))).nullable(0, 32767),
                    field(Int8, Some((0, 32767))),
                    field(String, Some((0, 32767))),
                    field(Int8, Some((1, 32767))).default("3"),
                    field(String, Some((0, 32767))),
                    field(String, Some((0, 32767))),
                    field(Int8, Some((0, 32767))),
                    field(Int8, Some((0, 32767))),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "DeleteGroupsRequest",
        versions: (0, 3),
        flexible: Some((2, 32767)),
        recode: recode::<rpc::DeleteGroupsRequest>,
        write_default: write_default::<rpc::DeleteGroupsRequest>,
        structs: &[Structure {
            name: "DeleteGroupsRequest",
            fields: &[field(Array(&String), Some((0, 32767)))],
        }],
    },
    Schema {
        set: "rpc",
        name: "DeleteGroupsResponse",
        versions: (0, 3),
        flexible: Some((2, 32767)),
        recode: recode::<rpc::DeleteGroupsResponse>,
        write_default: write_default::<rpc::DeleteGroupsResponse>,
        structs: &[
            Structure {
                name: "DeleteGroupsResponse",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Array(&Struct("DeletableGroupResult")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "DeletableGroupResult",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(Int16, Some((0, 32767))),
                    field(String, Some((3, 32767))).nullable(3, 32767).default("null"),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "DeleteRecordsRequest",
        versions: (0, 2),
        flexible: Some((2, 32767)),
        recode: recode::<rpc::DeleteRecordsRequest>,
        write_default: write_default::<rpc::DeleteRecordsRequest>,
        structs: &[
            Structure {
                name: "DeleteRecordsRequest",
                fields: &[
                    field(Array(&Struct("DeleteRecordsTopic")), Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                ],
            },
            Structure {
                name: "DeleteRecordsTopic",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(Array(&Struct("DeleteRecordsPartition")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "DeleteRecordsPartition",
                fields: &[field(Int32, Some((0, 32767))), field(Int64, Some((0, 32767)))],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "DeleteRecordsResponse",
        versions: (0, 2),
        flexible: Some((2, 32767)),
        recode: recode::<rpc::DeleteRecordsResponse>,
        write_default: write_default::<rpc::DeleteRecordsResponse>,
        structs: &[
            Structure {
                name: "DeleteRecordsResponse",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Array(&Struct("DeleteRecordsTopicResult")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "DeleteRecordsTopicResult",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(Array(&Struct("DeleteRecordsPartitionResult")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "DeleteRecordsPartitionResult",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Int64, Some((0, 32767))),
                    field(Int16, Some((0, 32767))),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "DeleteShareGroupOffsetsRequest",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::DeleteShareGroupOffsetsRequest>,
        write_default: write_default::<rpc::DeleteShareGroupOffsetsRequest>,
        structs: &[
            Structure {
                name: "DeleteShareGroupOffsetsRequest",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(Array(&Struct("DeleteShareGroupOffsetsRequestTopic")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "DeleteShareGroupOffsetsRequestTopic",
                fields: &[field(String, Some((0, 32767)))],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "DeleteShareGroupOffsetsResponse",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::DeleteShareGroupOffsetsResponse>,
        write_default: write_default::<rpc::DeleteShareGroupOffsetsResponse>,
        structs: &[
            Structure {
                name: "DeleteShareGroupOffsetsResponse",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Int16, Some((0, 32767))),
                    field(String, Some((0, 32767))).nullable(0, 32767).default("null"),
                    field(Array(&Struct("DeleteShareGroupOffsetsResponseTopic")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "DeleteShareGroupOffsetsResponseTopic",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(Uuid, Some((0, 32767))),
                    field(Int16, Some((0, 32767))),
                    field(String, Some((0, 32767))).nullable(0, 32767).default("null"),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "DeleteShareGroupStateRequest",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::DeleteShareGroupStateRequest>,
        write_default: write_default::<rpc::DeleteShareGroupStateRequest>,
        structs: &[
            Structure {
                name: "DeleteShareGroupStateRequest",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(Array(&Struct("DeleteStateData")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "DeleteStateData",
                fields: &[
                    field(Uuid, Some((0, 32767))),
                    field(Array(&Struct("PartitionData")), Some((0, 32767))),
                ],
            },
            Structure { name: "PartitionData", fields: &[field(Int32, Some((0, 32767)))] },
        ],
    },
    Schema {
        set: "rpc",
        name: "DeleteShareGroupStateResponse",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::DeleteShareGroupStateResponse>,
        write_default: write_default::<rpc::DeleteShareGroupStateResponse>,
        structs: &[
            Structure {
                name: "DeleteShareGroupStateResponse",
                fields: &[field(Array(&Struct("DeleteStateResult")), Some((0, 32767)))],
            },
            Structure {
                name: "DeleteStateResult",
                fields: &[
                    field(Uuid, Some((0, 32767))),
                    field(Array(&Struct("PartitionResult")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "PartitionResult",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Int16, Some((0, 32767))),
                    field(String, Some((0, 32767))).nullable(0, 32767).default("null"),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "DeleteTopicsRequest",
        versions: (1, 6),
        flexible: Some((4, 32767)),
        recode: recode::<rpc::DeleteTopicsRequest>,
        write_default: write_default::<rpc::DeleteTopicsRequest>,
        structs: &[
            Structure {
                name: "DeleteTopicsRequest",
                fields: &[
                    field(Array(&Struct("DeleteTopicState")), Some((6, 32767))),
                    field(Array(&String), Some((0, 5))),
                    field(Int32, Some((0, 32767))),
                ],
            },
            Structure {
                name: "DeleteTopicState",
                fields: &[
                    field(String, Some((6, 32767))).nullable(6, 32767).default("null"),
                    field(Uuid, Some((6, 32767))),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "DeleteTopicsResponse",
        versions: (1, 6),
        flexible: Some((4, 32767)),
        recode: recode::<rpc::DeleteTopicsResponse>,
        write_default: write_default::<rpc::DeleteTopicsResponse>,
        structs: &[
            Structure {
                name: "DeleteTopicsResponse",
                fields: &[
                    field(Int32, Some((1, 32767))),
                    field(Array(&Struct("DeletableTopicResult")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "DeletableTopicResult",
                fields: &[
                    field(String, Some((0, 32767))).nullable(6, 32767),
                    field(Uuid, Some((6, 32767))),
                    field(Int16, Some((0, 32767))),
                    field(String, Some((5, 32767))).nullable(5, 32767).default("null"),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "DescribeAclsRequest",
        versions: (1, 3),
        flexible: Some((2, 32767)),
        recode: recode::<rpc::DescribeAclsRequest>,
        write_default: write_default::<rpc::DescribeAclsRequest>,
        structs: &[Structure {
            name: "DescribeAclsRequest",
            fields: &[
                field(Int8, Some((0, 32767))),
                field(String, Some((0, 32767))).nullable(0, 32767),
                field(Int8, Some((1, 32767))).default("3"),
                field(String, Some((0, 32767))).nullable(0, 32767),
                field(String, Some((0, 32767))).nullable(0, 32767),
                field(Int8, Some((0, 32767))),
                field(Int8, Some((0, 32767))),
            ],
        }],
    },
    Schema {
        set: "rpc",
        name: "DescribeAclsResponse",
        versions: (1, 3),
        flexible: Some((2, 32767)),
        recode: recode::<rpc::DescribeAclsResponse>,
        write_default: write_default::<rpc::DescribeAclsResponse>,
        structs: &[
            Structure {
                name: "DescribeAclsResponse",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Int16, Some((0, 32767))),
                    field(String, Some((0, 32767))).nullable(0, 32767),
                    field(Array(&Struct("DescribeAclsResource")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "DescribeAclsResource",
                fields: &[
                    field(Int8, Some((0, 32767))),
                    field(String, Some((0, 32767))),
                    field(Int8, Some((1, 32767))).default("3"),
                    field(Array(&Struct("AclDescription")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "AclDescription",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(String, Some((0, 32767))),
                    field(Int8, Some((0, 32767))),
                    field(Int8, Some((0, 32767))),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "DescribeClientQuotasRequest",
        versions: (0, 1),
        flexible: Some((1, 32767)),
        recode: recode::<rpc::DescribeClientQuotasRequest>,
        write_default: write_default::<rpc::DescribeClientQuotasRequest>,
        structs: &[
            Structure {
                name: "DescribeClientQuotasRequest",
                fields: &[
                    field(Array(&Struct("ComponentData")), Some((0, 32767))),
                    field(Bool, Some((0, 32767))),
                ],
            },
            Structure {
                name: "ComponentData",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(Int8, Some((0, 32767))),
                    field(String, Some((0, 32767))).nullable(0, 32767),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "DescribeClientQuotasResponse",
        versions: (0, 1),
        flexible: Some((1, 32767)),
        recode: recode::<rpc::DescribeClientQuotasResponse>,
        write_default: write_default::<rpc::DescribeClientQuotasResponse>,
        structs: &[
            Structure {
                name: "DescribeClientQuotasResponse",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Int16, Some((0, 32767))),
                    field(String, Some((0, 32767))).nullable(0, 32767),
                    field(Array(&Struct("EntryData")), Some((0, 32767))).nullable(0, 32767),
                ],
            },
            Structure {
                name: "EntryData",
                fields: &[
                    field(Array(&Struct("EntityData")), Some((0, 32767))),
                    field(Array(&Struct("ValueData")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "EntityData",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(String, Some((0, 32767))).nullable(0, 32767),
                ],
            },
            Structure {
                name: "ValueData",
                fields: &[field(String, Some((0, 32767))), field(Float64, Some((0, 32767)))],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "DescribeClusterRequest",
        versions: (0, 2),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::DescribeClusterRequest>,
        write_default: write_default::<rpc::DescribeClusterRequest>,
        structs: &[Structure {
            name: "DescribeClusterRequest",
            fields: &[
                field(Bool, Some((0, 32767))),
                field(Int8, Some((1, 32767))).default("1"),
                field(Bool, Some((2, 32767))),
            ],
        }],
    },
    Schema {
        set: "rpc",
        name: "DescribeClusterResponse",
        versions: (0, 2),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::DescribeClusterResponse>,
        write_default: write_default::<rpc::DescribeClusterResponse>,
        structs: &[
            Structure {
                name: "DescribeClusterResponse",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Int16, Some((0, 32767))),
                    field(String, Some((0, 32767))).nullable(0, 32767).default("null"),
                    field(Int8, Some((1, 32767))).default("1"),
                    field(String, Some((0, 32767))),
                    field(Int32, Some((0, 32767))).default("-1"),
                    field(Array(&Struct("DescribeClusterBroker")), Some((0, 32767))),
                    field(Int32, Some((0, 32767))).default("-2147483648"),
                ],
            },
            Structure {
                name: "DescribeClusterBroker",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(String, Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                    field(String, Some((0, 32767))).nullable(0, 32767).default("null"),
                    field(Bool, Some((2, 32767))),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "DescribeConfigsRequest",
        versions: (1, 4),
        flexible: Some((4, 32767)),
        recode: recode::<rpc::DescribeConfigsRequest>,
        write_default: write_default::<rpc::DescribeConfigsRequest>,
        structs: &[
            Structure {
                name: "DescribeConfigsRequest",
                fields: &[
                    field(Array(&Struct("DescribeConfigsResource")), Some((0, 32767))),
                    field(Bool, Some((1, 32767))).default("false"),
                    field(Bool, Some((3, 32767))).default("false"),
                ],
            },
            Structure {
                name: "DescribeConfigsResource",
                fields: &[
                    field(Int8, Some((0, 32767))),
                    field(String, Some((0, 32767))),
                    field(Array(&String), Some((0, 32767))).nullable(0, 32767),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "DescribeConfigsResponse",
        versions: (1, 4),
        flexible: Some((4, 32767)),
        recode: recode::<rpc::DescribeConfigsResponse>,
        write_default: write_default::<rpc::DescribeConfigsResponse>,
        structs: &[
            Structure {
                name: "DescribeConfigsResponse",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Array(&Struct("DescribeConfigsResult")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "DescribeConfigsResult",
                fields: &[
                    field(Int16, Some((0, 32767))),
                    field(String, Some((0, 32767))).nullable(0, 32767),
                    field(Int8, Some((0, 32767))),
                    field(String, Some((0, 32767))),
                    field(Array(&Struct("DescribeConfigsResourceResult")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "DescribeConfigsResourceResult",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(String, Some((0, 32767))).nullable(0, 32767),
                    field(Bool, Some((0, 32767))),
                    field(Int8, Some((1, 32767))).default("-1"),
                    field(Bool, Some((0, 32767))),
                    field(Array(&Struct("DescribeConfigsSynonym")), Some((1, 32767))),
                    field(Int8, Some((3, 32767))).default("0"),
                    field(String, Some((3, 32767))).nullable(0, 32767),
                ],
            },
            Structure {
                name: "DescribeConfigsSynonym",
                fields: &[
                    field(String, Some((1, 32767))),
                    field(String, Some((1, 32767))).nullable(0, 32767),
                    field(Int8, Some((1, 32767))),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "DescribeDelegationTokenRequest",
        versions: (1, 3),
        flexible: Some((2, 32767)),
        recode: recode::<rpc::DescribeDelegationTokenRequest>,
        write_default: write_default::<rpc::DescribeDelegationTokenRequest>,
        structs: &[
            Structure {
                name: "DescribeDelegationTokenRequest",
                fields: &[field(Array(&Struct("DescribeDelegationTokenOwner")), Some((0, 32767)))
                    .nullable(0, 32767)],
            },
            Structure {
                name: "DescribeDelegationTokenOwner",
                fields: &[field(String, Some((0, 32767))), field(String, Some((0, 32767)))],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "DescribeDelegationTokenResponse",
        versions: (1, 3),
        flexible: Some((2, 32767)),
        recode: recode::<rpc::DescribeDelegationTokenResponse>,
        write_default: write_default::<rpc::DescribeDelegationTokenResponse>,
        structs: &[
            Structure {
                name: "DescribeDelegationTokenResponse",
                fields: &[
                    field(Int16, Some((0, 32767))),
                    field(Array(&Struct("DescribedDelegationToken")), Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                ],
            },
            Structure {
                name: "DescribedDelegationToken",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(String, Some((0, 32767))),
                    field(String, Some((3, 32767))),
                    field(String, Some((3, 32767))),
                    field(Int64, Some((0, 32767))),
                    field(Int64, Some((0, 32767))),
                    field(Int64, Some((0, 32767))),
                    field(String, Some((0, 32767))),
                    field(Bytes, Some((0, 32767))),
                    field(Array(&Struct("DescribedDelegationTokenRenewer")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "DescribedDelegationTokenRenewer",
                fields: &[field(String, Some((0, 32767))), field(String, Some((0, 32767)))],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "DescribeGroupsRequest",
        versions: (0, 6),
        flexible: Some((5, 32767)),
        recode: recode::<rpc::DescribeGroupsRequest>,
        write_default: write_default::<rpc::DescribeGroupsRequest>,
        structs: &[Structure {
            name: "DescribeGroupsRequest",
            fields: &[field(Array(&String), Some((0, 32767))), field(Bool, Some((3, 32767)))],
        }],
    },
    Schema {
        set: "rpc",
        name: "DescribeGroupsResponse",
        versions: (0, 6),
        flexible: Some((5, 32767)),
        recode: recode::<rpc::DescribeGroupsResponse>,
        write_default: write_default::<rpc::DescribeGroupsResponse>,
        structs: &[
            Structure {
                name: "DescribeGroupsResponse",
                fields: &[
                    field(Int32, Some((1, 32767))),
                    field(Array(&Struct("DescribedGroup")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "DescribedGroup",
                fields: &[
                    field(Int16, Some((0, 32767))),
                    field(String, Some((6, 32767))).nullable(6, 32767).default("null"),
                    field(String, Some((0, 32767))),
                    field(String, Some((0, 32767))),
                    field(String, Some((0, 32767))),
                    field(String, Some((0, 32767))),
                    field(Array(&Struct("DescribedGroupMember")), Some((0, 32767))),
                    field(Int32, Some((3, 32767))).default("-2147483648"),
                ],
            },
            Structure {
                name: "DescribedGroupMember",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(String, Some((4, 32767))).nullable(4, 32767).default("null"),
                    field(String, Some((0, 32767))),
                    field(String, Some((0, 32767))),
                    field(Bytes, Some((0, 32767))),
                    field(Bytes, Some((0, 32767))),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "DescribeLogDirsRequest",
        versions: (1, 5),
        flexible: Some((2, 32767)),
        recode: recode::<rpc::DescribeLogDirsRequest>,
        write_default: write_default::<rpc::DescribeLogDirsRequest>,
        structs: &[
            Structure {
                name: "DescribeLogDirsRequest",
                fields: &[field(Array(&Struct("DescribableLogDirTopic")), Some((0, 32767)))
                    .nullable(0, 32767)],
            },
            Structure {
                name: "DescribableLogDirTopic",
                fields: &[field(String, Some((0, 32767))), field(Array(&Int32), Some((0, 32767)))],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "DescribeLogDirsResponse",
        versions: (1, 5),
        flexible: Some((2, 32767)),
        recode: recode::<rpc::DescribeLogDirsResponse>,
        write_default: write_default::<rpc::DescribeLogDirsResponse>,
        structs: &[
            Structure {
                name: "DescribeLogDirsResponse",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Int16, Some((3, 32767))),
                    field(Array(&Struct("DescribeLogDirsResult")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "DescribeLogDirsResult",
                fields: &[
                    field(Int16, Some((0, 32767))),
                    field(String, Some((0, 32767))),
                    field(Array(&Struct("DescribeLogDirsTopic")), Some((0, 32767))),
                    field(Int64, Some((4, 32767))).default("-1"),
                    field(Int64, Some((4, 32767))).default("-1"),
                    field(Bool, Some((5, 32767))).default("false"),
                ],
            },
            Structure {
                name: "DescribeLogDirsTopic",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(Array(&Struct("DescribeLogDirsPartition")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "DescribeLogDirsPartition",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Int64, Some((0, 32767))),
                    field(Int64, Some((0, 32767))),
                    field(Bool, Some((0, 32767))),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "DescribeProducersRequest",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::DescribeProducersRequest>,
        write_default: write_default::<rpc::DescribeProducersRequest>,
        structs: &[
            Structure {
                name: "DescribeProducersRequest",
                fields: &[field(Array(&Struct("TopicRequest")), Some((0, 32767)))],
            },
            Structure {
                name: "TopicRequest",
                fields: &[field(String, Some((0, 32767))), field(Array(&Int32), Some((0, 32767)))],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "DescribeProducersResponse",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::DescribeProducersResponse>,
        write_default: write_default::<rpc::DescribeProducersResponse>,
        structs: &[
            Structure {
                name: "DescribeProducersResponse",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Array(&Struct("TopicResponse")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "TopicResponse",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(Array(&Struct("PartitionResponse")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "PartitionResponse",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Int16, Some((0, 32767))),
                    field(String, Some((0, 32767))).nullable(0, 32767).default("null"),
                    field(Array(&Struct("ProducerState")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "ProducerState",
                fields: &[
                    field(Int64, Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                    field(Int32, Some((0, 32767))).default("-1"),
                    field(Int64, Some((0, 32767))).default("-1"),
                    field(Int32, Some((0, 32767))),
                    field(Int64, Some((0, 32767))).default("-1"),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "DescribeQuorumRequest",
        versions: (0, 2),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::DescribeQuorumRequest>,
        write_default: write_default::<rpc::DescribeQuorumRequest>,
        structs: &[
            Structure {
                name: "DescribeQuorumRequest",
                fields: &[field(Array(&Struct("TopicData")), Some((0, 32767)))],
            },
            Structure {
                name: "TopicData",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(Array(&Struct("PartitionData")), Some((0, 32767))),
                ],
            },
            Structure { name: "PartitionData", fields: &[field(Int32, Some((0, 32767)))] },
        ],
    },
    Schema {
        set: "rpc",
        name: "DescribeQuorumResponse",
        versions: (0, 2),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::DescribeQuorumResponse>,
        write_default: write_default::<rpc::DescribeQuorumResponse>,
        structs: &[
            Structure {
                name: "DescribeQuorumResponse",
                fields: &[
                    field(Int16, Some((0, 32767))),
                    field(String, Some((2, 32767))).nullable(2, 32767),
                    field(Array(&Struct("TopicData")), Some((0, 32767))),
                    field(Array(&Struct("Node")), Some((2, 32767))),
                ],
            },
            Structure {
                name: "TopicData",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(Array(&Struct("PartitionData")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "PartitionData",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Int16, Some((0, 32767))),
                    field(String, Some((2, 32767))).nullable(2, 32767),
                    field(Int32, Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                    field(Int64, Some((0, 32767))),
                    field(Array(&Struct("ReplicaState")), Some((0, 32767))),
                    field(Array(&Struct("ReplicaState")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "Node",
                fields: &[
                    field(Int32, Some((2, 32767))),
                    field(Array(&Struct("Listener")), Some((2, 32767))),
                ],
            },
            Structure {
                name: "Listener",
                fields: &[
                    field(String, Some((2, 32767))),
                    field(String, Some((2, 32767))),
                    field(Uint16, Some((2, 32767))),
                ],
            },
            Structure {
                name: "ReplicaState",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Uuid, Some((2, 32767))),
                    field(Int64, Some((0, 32767))),
                    field(Int64, Some((1, 32767))).default("-1"),
                    field(Int64, Some((1, 32767))).default("-1"),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "DescribeShareGroupOffsetsRequest",
        versions: (0, 1),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::DescribeShareGroupOffsetsRequest>,
        write_default: write_default::<rpc::DescribeShareGroupOffsetsRequest>,
        structs: &[
            Structure {
                name: "DescribeShareGroupOffsetsRequest",
                fields: &[field(
                    Array(&Struct("DescribeShareGroupOffsetsRequestGroup")),
                    Some((0, 32767)),
                )],
            },
            Structure {
                name: "DescribeShareGroupOffsetsRequestGroup",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(
                        Array(&Struct("DescribeShareGroupOffsetsRequestTopic")),
                        Some((0, 32767)),
                    )
                    .nullable(0, 32767),
                ],
            },
            Structure {
                name: "DescribeShareGroupOffsetsRequestTopic",
                fields: &[field(String, Some((0, 32767))), field(Array(&Int32), Some((0, 32767)))],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "DescribeShareGroupOffsetsResponse",
        versions: (0, 1),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::DescribeShareGroupOffsetsResponse>,
        write_default: write_default::<rpc::DescribeShareGroupOffsetsResponse>,
        structs: &[
            Structure {
                name: "DescribeShareGroupOffsetsResponse",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(
                        Array(&Struct("DescribeShareGroupOffsetsResponseGroup")),
                        Some((0, 32767)),
                    ),
                ],
            },
            Structure {
                name: "DescribeShareGroupOffsetsResponseGroup",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(
                        Array(&Struct("DescribeShareGroupOffsetsResponseTopic")),
                        Some((0, 32767)),
                    ),
                    field(Int16, Some((0, 32767))),
                    field(String, Some((0, 32767))).nullable(0, 32767).default("null"),
                ],
            },
            Structure {
                name: "DescribeShareGroupOffsetsResponseTopic",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(Uuid, Some((0, 32767))),
                    field(
                        Array(&Struct("DescribeShareGroupOffsetsResponsePartition")),
                        Some((0, 32767)),
                    ),
                ],
            },
            Structure {
                name: "DescribeShareGroupOffsetsResponsePartition",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Int64, Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                    field(Int64, Some((1, 32767))).default("-1"),
                    field(Int16, Some((0, 32767))),
                    field(String, Some((0, 32767))).nullable(0, 32767).default("null"),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "DescribeTopicPartitionsRequest",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::DescribeTopicPartitionsRequest>,
        write_default: write_default::<rpc::DescribeTopicPartitionsRequest>,
        structs: &[
            Structure {
                name: "DescribeTopicPartitionsRequest",
                fields: &[
                    field(Array(&Struct("TopicRequest")), Some((0, 32767))),
                    field(Int32, Some((0, 32767))).default("2000"),
                    field(Struct("Cursor"), Some((0, 32767))).nullable(0, 32767).default("null"),
                ],
            },
            Structure { name: "TopicRequest", fields: &[field(String, Some((0, 32767)))] },
            Structure {
                name: "Cursor",
                fields: &[field(String, Some((0, 32767))), field(Int32, Some((0, 32767)))],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "DescribeTopicPartitionsResponse",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::DescribeTopicPartitionsResponse>,
        write_default: write_default::<rpc::DescribeTopicPartitionsResponse>,
        structs: &[
            Structure {
                name: "DescribeTopicPartitionsResponse",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Array(&Struct("DescribeTopicPartitionsResponseTopic")), Some((0, 32767))),
                    field(Struct("Cursor"), Some((0, 32767))).nullable(0, 32767).default("null"),
                ],
            },
            Structure {
                name: "DescribeTopicPartitionsResponseTopic",
                fields: &[
                    field(Int16, Some((0, 32767))),
                    field(String, Some((0, 32767))).nullable(0, 32767),
                    field(Uuid, Some((0, 32767))),
                    field(Bool, Some((0, 32767))).default("false"),
                    field(
                        Array(&Struct("DescribeTopicPartitionsResponsePartition")),
                        Some((0, 32767)),
                    ),
                    field(Int32, Some((0, 32767))).default("-2147483648"),
                ],
            },
            Structure {
                name: "DescribeTopicPartitionsResponsePartition",
                fields: &[
                    field(Int16, Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                    field(Int32, Some((0, 32767))).default("-1"),
                    field(Array(&Int32), Some((0, 32767))),
                    field(Array(&Int32), Some((0, 32767))),
                    field(Array(&Int32), Some((0, 32767))).nullable(0, 32767).default("null"),
                    field(Array(&Int32), Some((0, 32767))).nullable(0, 32767).default("null"),
                    field(Array(&Int32), Some((0, 32767))),
                ],
            },
            Structure {
                name: "Cursor",
                fields: &[field(String, Some((0, 32767))), field(Int32, Some((0, 32767)))],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "DescribeTransactionsRequest",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::DescribeTransactionsRequest>,
        write_default: write_default::<rpc::DescribeTransactionsRequest>,
        structs: &[Structure {
            name: "DescribeTransactionsRequest",
            fields: &[field(Array(&String), Some((0, 32767)))],
        }],
    },
    Schema {
        set: "rpc",
        name: "DescribeTransactionsResponse",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::DescribeTransactionsResponse>,
        write_default: write_default::<rpc::DescribeTransactionsResponse>,
        structs: &[
            Structure {
                name: "DescribeTransactionsResponse",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Array(&Struct("TransactionState")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "TransactionState",
                fields: &[
                    field(Int16, Some((0, 32767))),
                    field(String, Some((0, 32767))),
                    field(String, Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                    field(Int64, Some((0, 32767))),
                    field(Int64, Some((0, 32767))),
                    field(Int16, Some((0, 32767))),
                    field(Array(&Struct("TopicData")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "TopicData",
                fields: &[field(String, Some((0, 32767))), field(Array(&Int32), Some((0, 32767)))],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "DescribeUserScramCredentialsRequest",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::DescribeUserScramCredentialsRequest>,
        write_default: write_default::<rpc::DescribeUserScramCredentialsRequest>,
        structs: &[
            Structure {
                name: "DescribeUserScramCredentialsRequest",
                fields: &[field(Array(&Struct("UserName")), Some((0, 32767))).nullable(0, 32767)],
            },
            Structure { name: "UserName", fields: &[field(String, Some((0, 32767)))] },
        ],
    },
    Schema {
        set: "rpc",
        name: "DescribeUserScramCredentialsResponse",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::DescribeUserScramCredentialsResponse>,
        write_default: write_default::<rpc::DescribeUserScramCredentialsResponse>,
        structs: &[
            Structure {
                name: "DescribeUserScramCredentialsResponse",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Int16, Some((0, 32767))),
                    field(String, Some((0, 32767))).nullable(0, 32767),
                    field(Array(&Struct("DescribeUserScramCredentialsResult")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "DescribeUserScramCredentialsResult",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(Int16, Some((0, 32767))),
                    field(String, Some((0, 32767))).nullable(0, 32767),
                    field(Array(&Struct("CredentialInfo")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "CredentialInfo",
                fields: &[field(Int8, Some((0, 32767))), field(Int32, Some((0, 32767)))],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "ElectLeadersRequest",
        versions: (0, 2),
        flexible: Some((2, 32767)),
        recode: recode::<rpc::ElectLeadersRequest>,
        write_default: write_default::<rpc::ElectLeadersRequest>,
        structs: &[
            Structure {
                name: "ElectLeadersRequest",
                fields: &[
                    field(Int8, Some((1, 32767))),
                    field(Array(&Struct("TopicPartitions")), Some((0, 32767))).nullable(0, 32767),
                    field(Int32, Some((0, 32767))).default("60000"),
                ],
            },
            Structure {
                name: "TopicPartitions",
                fields: &[field(String, Some((0, 32767))), field(Array(&Int32), Some((0, 32767)))],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "ElectLeadersResponse",
        versions: (0, 2),
        flexible: Some((2, 32767)),
        recode: recode::<rpc::ElectLeadersResponse>,
        write_default: write_default::<rpc::ElectLeadersResponse>,
        structs: &[
            Structure {
                name: "ElectLeadersResponse",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Int16, Some((1, 32767))),
                    field(Array(&Struct("ReplicaElectionResult")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "ReplicaElectionResult",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(Array(&Struct("PartitionResult")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "PartitionResult",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Int16, Some((0, 32767))),
                    field(String, Some((0, 32767))).nullable(0, 32767),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "EndQuorumEpochRequest",
        versions: (0, 1),
        flexible: Some((1, 32767)),
        recode: recode::<rpc::EndQuorumEpochRequest>,
        write_default: write_default::<rpc::EndQuorumEpochRequest>,
        structs: &[
            Structure {
                name: "EndQuorumEpochRequest",
                fields: &[
                    field(String, Some((0, 32767))).nullable(0, 32767).default("null"),
                    field(Array(&Struct("TopicData")), Some((0, 32767))),
                    field(Array(&Struct("LeaderEndpoint")), Some((1, 32767))),
                ],
            },
            Structure {
                name: "TopicData",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(Array(&Struct("PartitionData")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "PartitionData",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                    field(Array(&Int32), Some((0, 0))),
                    field(Array(&Struct("ReplicaInfo")), Some((1, 32767))),
                ],
            },
            Structure {
                name: "ReplicaInfo",
                fields: &[field(Int32, Some((1, 32767))), field(Uuid, Some((1, 32767)))],
            },
            Structure {
                name: "LeaderEndpoint",
                fields: &[
                    field(String, Some((1, 32767))),
                    field(String, Some((1, 32767))),
                    field(Uint16, Some((1, 32767))),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "EndQuorumEpochResponse",
        versions: (0, 1),
        flexible: Some((1, 32767)),
        recode: recode::<rpc::EndQuorumEpochResponse>,
        write_default: write_default::<rpc::EndQuorumEpochResponse>,
        structs: &[
            Structure {
                name: "EndQuorumEpochResponse",
                fields: &[
                    field(Int16, Some((0, 32767))),
                    field(Array(&Struct("TopicData")), Some((0, 32767))),
                    field(Array(&Struct("NodeEndpoint")), Some((1, 32767))).tagged(0, 1, 32767),
                ],
            },
            Structure {
                name: "TopicData",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(Array(&Struct("PartitionData")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "PartitionData",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Int16, Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                ],
            },
            Structure {
                name: "NodeEndpoint",
                fields: &[
                    field(Int32, Some((1, 32767))),
                    field(String, Some((1, 32767))),
                    field(Uint16, Some((1, 32767))),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "EndTxnRequest",
        versions: (0, 5),
        flexible: Some((3, 32767)),
        recode: recode::<rpc::EndTxnRequest>,
        write_default: write_default::<rpc::EndTxnRequest>,
        structs: &[Structure {
            name: "EndTxnRequest",
            fields: &[
                field(String, Some((0, 32767))),
                field(Int64, Some((0, 32767))),
                field(Int16, Some((0, 32767))),
                field(Bool, Some((0, 32767))),
            ],
        }],
    },
    Schema {
        set: "rpc",
        name: "EndTxnResponse",
        versions: (0, 5),
        flexible: Some((3, 32767)),
        recode: recode::<rpc::EndTxnResponse>,
        write_default: write_default::<rpc::EndTxnResponse>,
        structs: &[Structure {
            name: "EndTxnResponse",
            fields: &[
                field(Int32, Some((0, 32767))),
                field(Int16, Some((0, 32767))),
                field(Int64, Some((5, 32767))).default("-1"),
                field(Int16, Some((5, 32767))).default("-1"),
            ],
        }],
    },
    Schema {
        set: "rpc",
        name: "EnvelopeRequest",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::EnvelopeRequest>,
        write_default: write_default::<rpc::EnvelopeRequest>,
        structs: &[Structure {
            name: "EnvelopeRequest",
            fields: &[
                field(Bytes, Some((0, 32767))),
                field(Bytes, Some((0, 32767))).nullable(0, 32767),
                field(Bytes, Some((0, 32767))),
            ],
        }],
    },
    Schema {
        set: "rpc",
        name: "EnvelopeResponse",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::EnvelopeResponse>,
        write_default: write_default::<rpc::EnvelopeResponse>,
        structs: &[Structure {
            name: "EnvelopeResponse",
            fields: &[
                field(Bytes, Some((0, 32767))).nullable(0, 32767).default("null"),
                field(Int16, Some((0, 32767))),
            ],
        }],
    },
    Schema {
        set: "rpc",
        name: "ExpireDelegationTokenRequest",
        versions: (1, 2),
        flexible: Some((2, 32767)),
        recode: recode::<rpc::ExpireDelegationTokenRequest>,
        write_default: write_default::<rpc::ExpireDelegationTokenRequest>,
        structs: &[Structure {
            name: "ExpireDelegationTokenRequest",
            fields: &[field(Bytes, Some((0, 32767))), field(Int64, Some((0, 32767)))],
        }],
    },
    Schema {
        set: "rpc",
        name: "ExpireDelegationTokenResponse",
        versions: (1, 2),
        flexible: Some((2, 32767)),
        recode: recode::<rpc::ExpireDelegationTokenResponse>,
        write_default: write_default::<rpc::ExpireDelegationTokenResponse>,
        structs: &[Structure {
            name: "ExpireDelegationTokenResponse",
            fields: &[
                field(Int16, Some((0, 32767))),
                field(Int64, Some((0, 32767))),
                field(Int32, Some((0, 32767))),
            ],
        }],
    },
    Schema {
        set: "rpc",
        name: "FetchRequest",
        versions: (4, 18),
        flexible: Some((12, 32767)),
        recode: recode::<rpc::FetchRequest>,
        write_default: write_default::<rpc::FetchRequest>,
        structs: &[
            Structure {
                name: "FetchRequest",
                fields: &[
                    field(String, Some((12, 32767)))
                        .nullable(12, 32767)
                        .tagged(0, 12, 32767)
                        .default("null"),
                    field(Int32, Some((0, 14))).default("-1"),
                    field(Struct("ReplicaState"), Some((15, 32767))).tagged(1, 15, 32767),
                    field(Int32, Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                    field(Int32, Some((3, 32767))).default("0x7fffffff"),
                    field(Int8, Some((4, 32767))).default("0"),
                    field(Int32, Some((7, 32767))).default("0"),
                    field(Int32, Some((7, 32767))).default("-1"),
                    field(Array(&Struct("FetchTopic")), Some((0, 32767))),
                    field(Array(&Struct("ForgottenTopic")), Some((7, 32767))),
                    field(String, Some((11, 32767))).default(""),
                ],
            },
            Structure {
                name: "ReplicaState",
                fields: &[
                    field(Int32, Some((15, 32767))).default("-1"),
                    field(Int64, Some((15, 32767))).default("-1"),
                ],
            },
            Structure {
                name: "FetchTopic",
                fields: &[
                    field(String, Some((0, 12))),
                    field(Uuid, Some((13, 32767))),
                    field(Array(&Struct("FetchPartition")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "FetchPartition",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Int32, Some((9, 32767))).default("-1"),
                    field(Int64, Some((0, 32767))),
                    field(Int32, Some((12, 32767))).default("-1"),
                    field(Int64, Some((5, 32767))).default("-1"),
                    field(Int32, Some((0, 32767))),
                    field(Uuid, Some((17, 32767))).tagged(0, 17, 32767),
                    field(Int64, Some((18, 32767)))
                        .tagged(1, 18, 32767)
                        .default("9223372036854775807"),
                ],
            },
            Structure {
                name: "ForgottenTopic",
                fields: &[
                    field(String, Some((7, 12))),
                    field(Uuid, Some((13, 32767))),
                    field(Array(&Int32), Some((7, 32767))),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "FetchResponse",
        versions: (4, 18),
        flexible: Some((12, 32767)),
        recode: recode::<rpc::FetchResponse>,
        write_default: write_default::<rpc::FetchResponse>,
        structs: &[
            Structure {
                name: "FetchResponse",
                fields: &[
                    field(Int32, Some((1, 32767))),
                    field(Int16, Some((7, 32767))),
                    field(Int32, Some((7, 32767))).default("0"),
                    field(Array(&Struct("FetchableTopicResponse")), Some((0, 32767))),
                    field(Array(&Struct("NodeEndpoint")), Some((16, 32767))).tagged(0, 16, 32767),
                ],
            },
            Structure {
                name: "FetchableTopicResponse",
                fields: &[
                    field(String, Some((0, 12))),
                    field(Uuid, Some((13, 32767))),
                    field(Array(&Struct("PartitionData")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "PartitionData",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Int16, Some((0, 32767))),
                    field(Int64, Some((0, 32767))),
                    field(Int64, Some((4, 32767))).default("-1"),
                    field(Int64, Some((5, 32767))).default("-1"),
                    field(Struct("EpochEndOffset"), Some((12, 32767))).tagged(0, 12, 32767),
                    field(Struct("LeaderIdAndEpoch"), Some((12, 32767))).tagged(1, 12, 32767),
                    field(Struct("SnapshotId"), Some((12, 32767))).tagged(2, 12, 32767),
                    field(Array(&Struct("AbortedTransaction")), Some((4, 32767)))
                        .nullable(4, 32767),
                    field(Int32, Some((11, 32767))).default("-1"),
                    field(Bytes, Some((0, 32767))).nullable(0, 32767),
                ],
            },
            Structure {
                name: "EpochEndOffset",
                fields: &[
                    field(Int32, Some((12, 32767))).default("-1"),
                    field(Int64, Some((12, 32767))).default("-1"),
                ],
            },
            Structure {
                name: "LeaderIdAndEpoch",
                fields: &[
                    field(Int32, Some((12, 32767))).default("-1"),
                    field(Int32, Some((12, 32767))).default("-1"),
                ],
            },
            Structure {
                name: "SnapshotId",
                fields: &[
                    field(Int64, Some((0, 32767))).default("-1"),
                    field(Int32, Some((0, 32767))).default("-1"),
                ],
            },
            Structure {
                name: "AbortedTransaction",
                fields: &[field(Int64, Some((4, 32767))), field(Int64, Some((4, 32767)))],
            },
            Structure {
                name: "NodeEndpoint",
                fields: &[
                    field(Int32, Some((16, 32767))),
                    field(String, Some((16, 32767))),
                    field(Int32, Some((16, 32767))),
                    field(String, Some((16, 32767))).nullable(16, 32767).default("null"),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "FetchSnapshotRequest",
        versions: (0, 1),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::FetchSnapshotRequest>,
        write_default: write_default::<rpc::FetchSnapshotRequest>,
        structs: &[
            Structure {
                name: "FetchSnapshotRequest",
                fields: &[
                    field(String, Some((0, 32767)))
                        .nullable(0, 32767)
                        .tagged(0, 0, 32767)
                        .default("null"),
                    field(Int32, Some((0, 32767))).default("-1"),
                    field(Int32, Some((0, 32767))).default("0x7fffffff"),
                    field(Array(&Struct("TopicSnapshot")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "TopicSnapshot",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(Array(&Struct("PartitionSnapshot")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "PartitionSnapshot",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                    field(Struct("SnapshotId"), Some((0, 32767))),
                    field(Int64, Some((0, 32767))),
                    field(Uuid, Some((1, 32767))).tagged(0, 1, 32767),
                ],
            },
            Structure {
                name: "SnapshotId",
                fields: &[field(Int64, Some((0, 32767))), field(Int32, Some((0, 32767)))],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "FetchSnapshotResponse",
        versions: (0, 1),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::FetchSnapshotResponse>,
        write_default: write_default::<rpc::FetchSnapshotResponse>,
        structs: &[
            Structure {
                name: "FetchSnapshotResponse",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Int16, Some((0, 32767))),
                    field(Array(&Struct("TopicSnapshot")), Some((0, 32767))),
                    field(Array(&Struct("NodeEndpoint")), Some((1, 32767))).tagged(0, 1, 32767),
                ],
            },
            Structure {
                name: "TopicSnapshot",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(Array(&Struct("PartitionSnapshot")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "PartitionSnapshot",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Int16, Some((0, 32767))),
                    field(Struct("SnapshotId"), Some((0, 32767))),
                    field(Struct("LeaderIdAndEpoch"), Some((0, 32767))).tagged(0, 0, 32767),
                    field(Int64, Some((0, 32767))),
                    field(Int64, Some((0, 32767))),
                    field(Bytes, Some((0, 32767))),
                ],
            },
            Structure {
                name: "SnapshotId",
                fields: &[field(Int64, Some((0, 32767))), field(Int32, Some((0, 32767)))],
            },
            Structure {
                name: "LeaderIdAndEpoch",
                fields: &[field(Int32, Some((0, 32767))), field(Int32, Some((0, 32767)))],
            },
            Structure {
                name: "NodeEndpoint",
                fields: &[
                    field(Int32, Some((1, 32767))),
                    field(String, Some((1, 32767))),
                    field(Uint16, Some((1, 32767))),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "FindCoordinatorRequest",
        versions: (0, 6),
        flexible: Some((3, 32767)),
        recode: recode::<rpc::FindCoordinatorRequest>,
        write_default: write_default::<rpc::FindCoordinatorRequest>,
        structs: &[Structure {
            name: "FindCoordinatorRequest",
            fields: &[
                field(String, Some((0, 3))),
                field(Int8, Some((1, 32767))).default("0"),
                field(Array(&String), Some((4, 32767))),
            ],
        }],
    },
    Schema {
        set: "rpc",
        name: "FindCoordinatorResponse",
        versions: (0, 6),
        flexible: Some((3, 32767)),
        recode: recode::<rpc::FindCoordinatorResponse>,
        write_default: write_default::<rpc::FindCoordinatorResponse>,
        structs: &[
            Structure {
                name: "FindCoordinatorResponse",
                fields: &[
                    field(Int32, Some((1, 32767))),
                    field(Int16, Some((0, 3))),
                    field(String, Some((1, 3))).nullable(1, 3),
                    field(Int32, Some((0, 3))),
                    field(String, Some((0, 3))),
                    field(Int32, Some((0, 3))),
                    field(Array(&Struct("Coordinator")), Some((4, 32767))),
                ],
            },
            Structure {
                name: "Coordinator",
                fields: &[
                    field(String, Some((4, 32767))),
                    field(Int32, Some((4, 32767))),
                    field(String, Some((4, 32767))),
                    field(Int32, Some((4, 32767))),
                    field(Int16, Some((4, 32767))),
                    field(String, Some((4, 32767))).nullable(4, 32767),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "GetTelemetrySubscriptionsRequest",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::GetTelemetrySubscriptionsRequest>,
        write_default: write_default::<rpc::GetTelemetrySubscriptionsRequest>,
        structs: &[Structure {
            name: "GetTelemetrySubscriptionsRequest",
            fields: &[field(Uuid, Some((0, 32767)))],
        }],
    },
    Schema {
        set: "rpc",
        name: "GetTelemetrySubscriptionsResponse",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::GetTelemetrySubscriptionsResponse>,
        write_default: write_default::<rpc::GetTelemetrySubscriptionsResponse>,
        structs: &[Structure {
            name: "GetTelemetrySubscriptionsResponse",
            fields: &[
                field(Int32, Some((0, 32767))),
                field(Int16, Some((0, 32767))),
                field(Uuid, Some((0, 32767))),
                field(Int32, Some((0, 32767))),
                field(Array(&Int8), Some((0, 32767))),
                field(Int32, Some((0, 32767))),
                field(Int32, Some((0, 32767))),
                field(Bool, Some((0, 32767))),
                field(Array(&String), Some((0, 32767))),
            ],
        }],
    },
    Schema {
        set: "rpc",
        name: "HeartbeatRequest",
        versions: (0, 4),
        flexible: Some((4, 32767)),
        recode: recode::<rpc::HeartbeatRequest>,
        write_default: write_default::<rpc::HeartbeatRequest>,
        structs: &[Structure {
            name: "HeartbeatRequest",
            fields: &[
                field(String, Some((0, 32767))),
                field(Int32, Some((0, 32767))),
                field(String, Some((0, 32767))),
                field(String, Some((3, 32767))).nullable(3, 32767).default("null"),
            ],
        }],
    },
    Schema {
        set: "rpc",
        name: "HeartbeatResponse",
        versions: (0, 4),
        flexible: Some((4, 32767)),
        recode: recode::<rpc::HeartbeatResponse>,
        write_default: write_default::<rpc::HeartbeatResponse>,
        structs: &[Structure {
            name: "HeartbeatResponse",
            fields: &[field(Int32, Some((1, 32767))), field(Int16, Some((0, 32767)))],
        }],
    },
    Schema {
        set: "rpc",
        name: "IncrementalAlterConfigsRequest",
        versions: (0, 1),
        flexible: Some((1, 32767)),
        recode: recode::<rpc::IncrementalAlterConfigsRequest>,
        write_default: write_default::<rpc::IncrementalAlterConfigsRequest>,
        structs: &[
            Structure {
                name: "IncrementalAlterConfigsRequest",
                fields: &[
                    field(Array(&Struct("AlterConfigsResource")), Some((0, 32767))),
                    field(Bool, Some((0, 32767))),
                ],
            },
            Structure {
                name: "AlterConfigsResource",
                fields: &[
                    field(Int8, Some((0, 32767))),
                    field(String, Some((0, 32767))),
                    field(Array(&Struct("AlterableConfig")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "AlterableConfig",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(Int8, Some((0, 32767))),
                    field(String, Some((0, 32767))).nullable(0, 32767),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "IncrementalAlterConfigsResponse",
        versions: (0, 1),
        flexible: Some((1, 32767)),
        recode: recode::<rpc::IncrementalAlterConfigsResponse>,
        write_default: write_default::<rpc::IncrementalAlterConfigsResponse>,
        structs: &[
            Structure {
                name: "IncrementalAlterConfigsResponse",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Array(&Struct("AlterConfigsResourceResponse")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "AlterConfigsResourceResponse",
                fields: &[
                    field(Int16, Some((0, 32767))),
                    field(String, Some((0, 32767))).nullable(0, 32767),
                    field(Int8, Some((0, 32767))),
                    field(String, Some((0, 32767))),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "InitProducerIdRequest",
        versions: (0, 6),
        flexible: Some((2, 32767)),
        recode: recode::<rpc::InitProducerIdRequest>,
        write_default: write_default::<rpc::InitProducerIdRequest>,
        structs: &[Structure {
            name: "InitProducerIdRequest",
            fields: &[
                field(String, Some((0, 32767))).nullable(0, 32767),
                field(Int32, Some((0, 32767))),
                field(Int64, Some((3, 32767))).default("-1"),
                field(Int16, Some((3, 32767))).default("-1"),
                field(Bool, Some((6, 32767))).default("false"),
                field(Bool, Some((6, 32767))).default("false"),
            ],
        }],
    },
    Schema {
        set: "rpc",
        name: "InitProducerIdResponse",
        versions: (0, 6),
        flexible: Some((2, 32767)),
        recode: recode::<rpc::InitProducerIdResponse>,
        write_default: write_default::<rpc::InitProducerIdResponse>,
        structs: &[Structure {
            name: "InitProducerIdResponse",
            fields: &[
                field(Int32, Some((0, 32767))),
                field(Int16, Some((0, 32767))),
                field(Int64, Some((0, 32767))).default("-1"),
                field(Int16, Some((0, 32767))),
                field(Int64, Some((6, 32767))).default("-1"),
                field(Int16, Some((6, 32767))).default("-1"),
            ],
        }],
    },
    Schema {
        set: "rpc",
        name: "InitializeShareGroupStateRequest",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::InitializeShareGroupStateRequest>,
        write_default: write_default::<rpc::InitializeShareGroupStateRequest>,
        structs: &[
            Structure {
                name: "InitializeShareGroupStateRequest",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(Array(&Struct("InitializeStateData")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "InitializeStateData",
                fields: &[
                    field(Uuid, Some((0, 32767))),
                    field(Array(&Struct("PartitionData")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "PartitionData",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                    field(Int64, Some((0, 32767))),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "InitializeShareGroupStateResponse",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::InitializeShareGroupStateResponse>,
        write_default: write_default::<rpc::InitializeShareGroupStateResponse>,
        structs: &[
            Structure {
                name: "InitializeShareGroupStateResponse",
                fields: &[field(Array(&Struct("InitializeStateResult")), Some((0, 32767)))],
            },
            Structure {
                name: "InitializeStateResult",
                fields: &[
                    field(Uuid, Some((0, 32767))),
                    field(Array(&Struct("PartitionResult")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "PartitionResult",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Int16, Some((0, 32767))),
                    field(String, Some((0, 32767))).nullable(0, 32767).default("null"),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "JoinGroupRequest",
        versions: (0, 9),
        flexible: Some((6, 32767)),
        recode: recode::<rpc::JoinGroupRequest>,
        write_default: write_default::<rpc::JoinGroupRequest>,
        structs: &[
            Structure {
                name: "JoinGroupRequest",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                    field(Int32, Some((1, 32767))).default("-1"),
                    field(String, Some((0, 32767))),
                    field(String, Some((5, 32767))).nullable(5, 32767).default("null"),
                    field(String, Some((0, 32767))),
                    field(Array(&Struct("JoinGroupRequestProtocol")), Some((0, 32767))),
                    field(String, Some((8, 32767))).nullable(8, 32767).default("null"),
                ],
            },
            Structure {
                name: "JoinGroupRequestProtocol",
                fields: &[field(String, Some((0, 32767))), field(Bytes, Some((0, 32767)))],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "JoinGroupResponse",
        versions: (0, 9),
        flexible: Some((6, 32767)),
        recode: recode::<rpc::JoinGroupResponse>,
        write_default: write_default::<rpc::JoinGroupResponse>,
        structs: &[
            Structure {
                name: "JoinGroupResponse",
                fields: &[
                    field(Int32, Some((2, 32767))),
                    field(Int16, Some((0, 32767))),
                    field(Int32, Some((0, 32767))).default("-1"),
                    field(String, Some((7, 32767))).nullable(7, 32767).default("null"),
                    field(String, Some((0, 32767))).nullable(7, 32767),
                    field(String, Some((0, 32767))),
                    field(Bool, Some((9, 32767))).default("false"),
                    field(String, Some((0, 32767))),
                    field(Array(&Struct("JoinGroupResponseMember")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "JoinGroupResponseMember",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(String, Some((5, 32767))).nullable(5, 32767).default("null"),
                    field(Bytes, Some((0, 32767))),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "LeaveGroupRequest",
        versions: (0, 5),
        flexible: Some((4, 32767)),
        recode: recode::<rpc::LeaveGroupRequest>,
        write_default: write_default::<rpc::LeaveGroupRequest>,
        structs: &[
            Structure {
                name: "LeaveGroupRequest",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(String, Some((0, 2))),
                    field(Array(&Struct("MemberIdentity")), Some((3, 32767))),
                ],
            },
            Structure {
                name: "MemberIdentity",
                fields: &[
                    field(String, Some((3, 32767))),
                    field(String, Some((3, 32767))).nullable(3, 32767).default("null"),
                    field(String, Some((5, 32767))).nullable(5, 32767).default("null"),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "LeaveGroupResponse",
        versions: (0, 5),
        flexible: Some((4, 32767)),
        recode: recode::<rpc::LeaveGroupResponse>,
        write_default: write_default::<rpc::LeaveGroupResponse>,
        structs: &[
            Structure {
                name: "LeaveGroupResponse",
                fields: &[
                    field(Int32, Some((1, 32767))),
                    field(Int16, Some((0, 32767))),
                    field(Array(&Struct("MemberResponse")), Some((3, 32767))),
                ],
            },
            Structure {
                name: "MemberResponse",
                fields: &[
                    field(String, Some((3, 32767))),
                    field(String, Some((3, 32767))).nullable(3, 32767),
                    field(Int16, Some((3, 32767))),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "ListConfigResourcesRequest",
        versions: (0, 1),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::ListConfigResourcesRequest>,
        write_default: write_default::<rpc::ListConfigResourcesRequest>,
        structs: &[Structure {
            name: "ListConfigResourcesRequest",
            fields: &[field(Array(&Int8), Some((1, 32767)))],
        }],
    },
    Schema {
        set: "rpc",
        name: "ListConfigResourcesResponse",
        versions: (0, 1),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::ListConfigResourcesResponse>,
        write_default: write_default::<rpc::ListConfigResourcesResponse>,
        structs: &[
            Structure {
                name: "ListConfigResourcesResponse",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Int16, Some((0, 32767))),
                    field(Array(&Struct("ConfigResource")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "ConfigResource",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(Int8, Some((1, 32767))).default("16"),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "ListGroupsRequest",
        versions: (0, 5),
        flexible: Some((3, 32767)),
        recode: recode::<rpc::ListGroupsRequest>,
        write_default: write_default::<rpc::ListGroupsRequest>,
        structs: &[Structure {
            name: "ListGroupsRequest",
            fields: &[
                field(Array(&String), Some((4, 32767))),
                field(Array(&String), Some((5, 32767))),
            ],
        }],
    },
    Schema {
        set: "rpc",
        name: "ListGroupsResponse",
        versions: (0, 5),
        flexible: Some((3, 32767)),
        recode: recode::<rpc::ListGroupsResponse>,
        write_default: write_default::<rpc::ListGroupsResponse>,
        structs: &[
            Structure {
                name: "ListGroupsResponse",
                fields: &[
                    field(Int32, Some((1, 32767))),
                    field(Int16, Some((0, 32767))),
                    field(Array(&Struct("ListedGroup")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "ListedGroup",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(String, Some((0, 32767))),
                    field(String, Some((4, 32767))),
                    field(String, Some((5, 32767))),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "ListOffsetsRequest",
        versions: (1, 11),
        flexible: Some((6, 32767)),
        recode: recode::<rpc::ListOffsetsRequest>,
        write_default: write_default::<rpc::ListOffsetsRequest>,
        structs: &[
            Structure {
                name: "ListOffsetsRequest",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Int8, Some((2, 32767))),
                    field(Array(&Struct("ListOffsetsTopic")), Some((0, 32767))),
                    field(Int32, Some((10, 32767))),
                ],
            },
            Structure {
                name: "ListOffsetsTopic",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(Array(&Struct("ListOffsetsPartition")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "ListOffsetsPartition",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Int32, Some((4, 32767))).default("-1"),
                    field(Int64, Some((0, 32767))),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "ListOffsetsResponse",
        versions: (1, 11),
        flexible: Some((6, 32767)),
        recode: recode::<rpc::ListOffsetsResponse>,
        write_default: write_default::<rpc::ListOffsetsResponse>,
        structs: &[
            Structure {
                name: "ListOffsetsResponse",
                fields: &[
                    field(Int32, Some((2, 32767))),
                    field(Array(&Struct("ListOffsetsTopicResponse")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "ListOffsetsTopicResponse",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(Array(&Struct("ListOffsetsPartitionResponse")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "ListOffsetsPartitionResponse",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Int16, Some((0, 32767))),
                    field(Int64, Some((1, 32767))).default("-1"),
                    field(Int64, Some((1, 32767))).default("-1"),
                    field(Int32, Some((4, 32767))).default("-1"),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "ListPartitionReassignmentsRequest",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::ListPartitionReassignmentsRequest>,
        write_default: write_default::<rpc::ListPartitionReassignmentsRequest>,
        structs: &[
            Structure {
                name: "ListPartitionReassignmentsRequest",
                fields: &[
                    field(Int32, Some((0, 32767))).default("60000"),
                    field(Array(&Struct("ListPartitionReassignmentsTopics")), Some((0, 32767)))
                        .nullable(0, 32767)
                        .default("null"),
                ],
            },
            Structure {
                name: "ListPartitionReassignmentsTopics",
                fields: &[field(String, Some((0, 32767))), field(Array(&Int32), Some((0, 32767)))],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "ListPartitionReassignmentsResponse",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::ListPartitionReassignmentsResponse>,
        write_default: write_default::<rpc::ListPartitionReassignmentsResponse>,
        structs: &[
            Structure {
                name: "ListPartitionReassignmentsResponse",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Int16, Some((0, 32767))),
                    field(String, Some((0, 32767))).nullable(0, 32767),
                    field(Array(&Struct("OngoingTopicReassignment")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "OngoingTopicReassignment",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(Array(&Struct("OngoingPartitionReassignment")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "OngoingPartitionReassignment",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Array(&Int32), Some((0, 32767))),
                    field(Array(&Int32), Some((0, 32767))),
                    field(Array(&Int32), Some((0, 32767))),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "ListTransactionsRequest",
        versions: (0, 2),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::ListTransactionsRequest>,
        write_default: write_default::<rpc::ListTransactionsRequest>,
        structs: &[Structure {
            name: "ListTransactionsRequest",
            fields: &[
                field(Array(&String), Some((0, 32767))),
                field(Array(&Int64), Some((0, 32767))),
                field(Int64, Some((1, 32767))).default("-1"),
                field(String, Some((2, 32767))).nullable(2, 32767).default("null"),
            ],
        }],
    },
    Schema {
        set: "rpc",
        name: "ListTransactionsResponse",
        versions: (0, 2),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::ListTransactionsResponse>,
        write_default: write_default::<rpc::ListTransactionsResponse>,
        structs: &[
            Structure {
                name: "ListTransactionsResponse",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Int16, Some((0, 32767))),
                    field(Array(&String), Some((0, 32767))),
                    field(Array(&Struct("TransactionState")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "TransactionState",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(Int64, Some((0, 32767))),
                    field(String, Some((0, 32767))),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "MetadataRequest",
        versions: (0, 13),
        flexible: Some((9, 32767)),
        recode: recode::<rpc::MetadataRequest>,
        write_default: write_default::<rpc::MetadataRequest>,
        structs: &[
            Structure {
                name: "MetadataRequest",
                fields: &[
                    field(Array(&Struct("MetadataRequestTopic")), Some((0, 32767)))
                        .nullable(1, 32767),
                    field(Bool, Some((4, 32767))).default("true"),
                    field(Bool, Some((8, 10))),
                    field(Bool, Some((8, 32767))),
                ],
            },
            Structure {
                name: "MetadataRequestTopic",
                fields: &[
                    field(Uuid, Some((10, 32767))),
                    field(String, Some((0, 32767))).nullable(10, 32767),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "MetadataResponse",
        versions: (0, 13),
        flexible: Some((9, 32767)),
        recode: recode::<rpc::MetadataResponse>,
        write_default: write_default::<rpc::MetadataResponse>,
        structs: &[
            Structure {
                name: "MetadataResponse",
                fields: &[
                    field(Int32, Some((3, 32767))),
                    field(Array(&Struct("MetadataResponseBroker")), Some((0, 32767))),
                    field(String, Some((2, 32767))).nullable(2, 32767).default("null"),
                    field(Int32, Some((1, 32767))).default("-1"),
                    field(Array(&Struct("MetadataResponseTopic")), Some((0, 32767))),
                    field(Int32, Some((8, 10))).default("-2147483648"),
                    field(Int16, Some((13, 32767))),
                ],
            },
            Structure {
                name: "MetadataResponseBroker",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(String, Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                    field(String, Some((1, 32767))).nullable(1, 32767).default("null"),
                ],
            },
            Structure {
                name: "MetadataResponseTopic",
                fields: &[
                    field(Int16, Some((0, 32767))),
                    field(String, Some((0, 32767))).nullable(12, 32767),
                    field(Uuid, Some((10, 32767))),
                    field(Bool, Some((1, 32767))).default("false"),
                    field(Array(&Struct("MetadataResponsePartition")), Some((0, 32767))),
                    field(Int32, Some((8, 32767))).default("-2147483648"),
                ],
            },
            Structure {
                name: "MetadataResponsePartition",
                fields: &[
                    field(Int16, Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                    field(Int32, Some((7, 32767))).default("-1"),
                    field(Array(&Int32), Some((0, 32767))),
                    field(Array(&Int32), Some((0, 32767))),
                    field(Array(&Int32), Some((5, 32767))),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "OffsetCommitRequest",
        versions: (2, 10),
        flexible: Some((8, 32767)),
        recode: recode::<rpc::OffsetCommitRequest>,
        write_default: write_default::<rpc::OffsetCommitRequest>,
        structs: &[
            Structure {
                name: "OffsetCommitRequest",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(Int32, Some((1, 32767))).default("-1"),
                    field(String, Some((1, 32767))),
                    field(String, Some((7, 32767))).nullable(7, 32767).default("null"),
                    field(Int64, Some((2, 4))).default("-1"),
                    field(Array(&Struct("OffsetCommitRequestTopic")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "OffsetCommitRequestTopic",
                fields: &[
                    field(String, Some((0, 9))),
                    field(Uuid, Some((10, 32767))),
                    field(Array(&Struct("OffsetCommitRequestPartition")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "OffsetCommitRequestPartition",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Int64, Some((0, 32767))),
                    field(Int32, Some((6, 32767))).default("-1"),
                    field(String, Some((0, 32767))).nullable(0, 32767),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "OffsetCommitResponse",
        versions: (2, 10),
        flexible: Some((8, 32767)),
        recode: recode::<rpc::OffsetCommitResponse>,
        write_default: write_default::<rpc::OffsetCommitResponse>,
        structs: &[
            Structure {
                name: "OffsetCommitResponse",
                fields: &[
                    field(Int32, Some((3, 32767))),
                    field(Array(&Struct("OffsetCommitResponseTopic")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "OffsetCommitResponseTopic",
                fields: &[
                    field(String, Some((0, 9))),
                    field(Uuid, Some((10, 32767))),
                    field(Array(&Struct("OffsetCommitResponsePartition")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "OffsetCommitResponsePartition",
                fields: &[field(Int32, Some((0, 32767))), field(Int16, Some((0, 32767)))],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "OffsetDeleteRequest",
        versions: (0, 0),
        flexible: None,
        recode: recode::<rpc::OffsetDeleteRequest>,
        write_default: write_default::<rpc::OffsetDeleteRequest>,
        structs: &[
            Structure {
                name: "OffsetDeleteRequest",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(Array(&Struct("OffsetDeleteRequestTopic")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "OffsetDeleteRequestTopic",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(Array(&Struct("OffsetDeleteRequestPartition")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "OffsetDeleteRequestPartition",
                fields: &[field(Int32, Some((0, 32767)))],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "OffsetDeleteResponse",
        versions: (0, 0),
        flexible: None,
        recode: recode::<rpc::OffsetDeleteResponse>,
        write_default: write_default::<rpc::OffsetDeleteResponse>,
        structs: &[
            Structure {
                name: "OffsetDeleteResponse",
                fields: &[
                    field(Int16, Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                    field(Array(&Struct("OffsetDeleteResponseTopic")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "OffsetDeleteResponseTopic",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(Array(&Struct("OffsetDeleteResponsePartition")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "OffsetDeleteResponsePartition",
                fields: &[field(Int32, Some((0, 32767))), field(Int16, Some((0, 32767)))],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "OffsetFetchRequest",
        versions: (1, 10),
        flexible: Some((6, 32767)),
        recode: recode::<rpc::OffsetFetchRequest>,
        write_default: write_default::<rpc::OffsetFetchRequest>,
        structs: &[
            Structure {
                name: "OffsetFetchRequest",
                fields: &[
                    field(String, Some((0, 7))),
                    field(Array(&Struct("OffsetFetchRequestTopic")), Some((0, 7))).nullable(2, 7),
                    field(Array(&Struct("OffsetFetchRequestGroup")), Some((8, 32767))),
                    field(Bool, Some((7, 32767))).default("false"),
                ],
            },
            Structure {
                name: "OffsetFetchRequestTopic",
                fields: &[field(String, Some((0, 7))), field(Array(&Int32), Some((0, 7)))],
            },
            Structure {
                name: "OffsetFetchRequestGroup",
                fields: &[
                    field(String, Some((8, 32767))),
                    field(String, Some((9, 32767))).nullable(9, 32767).default("null"),
                    field(Int32, Some((9, 32767))).default("-1"),
                    field(Array(&Struct("OffsetFetchRequestTopics")), Some((8, 32767)))
                        .nullable(8, 32767),
                ],
            },
            Structure {
                name: "OffsetFetchRequestTopics",
                fields: &[
                    field(String, Some((8, 9))),
                    field(Uuid, Some((10, 32767))),
                    field(Array(&Int32), Some((8, 32767))),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "OffsetFetchResponse",
        versions: (1, 10),
        flexible: Some((6, 32767)),
        recode: recode::<rpc::OffsetFetchResponse>,
        write_default: write_default::<rpc::OffsetFetchResponse>,
        structs: &[
            Structure {
                name: "OffsetFetchResponse",
                fields: &[
                    field(Int32, Some((3, 32767))),
                    field(Array(&Struct("OffsetFetchResponseTopic")), Some((0, 7))),
                    field(Int16, Some((2, 7))).default("0"),
                    field(Array(&Struct("OffsetFetchResponseGroup")), Some((8, 32767))),
                ],
            },
            Structure {
                name: "OffsetFetchResponseTopic",
                fields: &[
                    field(String, Some((0, 7))),
                    field(Array(&Struct("OffsetFetchResponsePartition")), Some((0, 7))),
                ],
            },
            Structure {
                name: "OffsetFetchResponsePartition",
                fields: &[
                    field(Int32, Some((0, 7))),
                    field(Int64, Some((0, 7))),
                    field(Int32, Some((5, 7))).default("-1"),
                    field(String, Some((0, 7))).nullable(0, 7),
                    field(Int16, Some((0, 7))),
                ],
            },
            Structure {
                name: "OffsetFetchResponseGroup",
                fields: &[
                    field(String, Some((8, 32767))),
                    field(Array(&Struct("OffsetFetchResponseTopics")), Some((8, 32767))),
                    field(Int16, Some((8, 32767))).default("0"),
                ],
            },
            Structure {
                name: "OffsetFetchResponseTopics",
                fields: &[
                    field(String, Some((8, 9))),
                    field(Uuid, Some((10, 32767))),
                    field(Array(&Struct("OffsetFetchResponsePartitions")), Some((8, 32767))),
                ],
            },
            Structure {
                name: "OffsetFetchResponsePartitions",
                fields: &[
                    field(Int32, Some((8, 32767))),
                    field(Int64, Some((8, 32767))),
                    field(Int32, Some((8, 32767))).default("-1"),
                    field(String, Some((8, 32767))).nullable(8, 32767),
                    field(Int16, Some((8, 32767))),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "OffsetForLeaderEpochRequest",
        versions: (2, 4),
        flexible: Some((4, 32767)),
        recode: recode::<rpc::OffsetForLeaderEpochRequest>,
        write_default: write_default::<rpc::OffsetForLeaderEpochRequest>,
        structs: &[
            Structure {
                name: "OffsetForLeaderEpochRequest",
                fields: &[
                    field(Int32, Some((3, 32767))).default("-2"),
                    field(Array(&Struct("OffsetForLeaderTopic")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "OffsetForLeaderTopic",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(Array(&Struct("OffsetForLeaderPartition")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "OffsetForLeaderPartition",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Int32, Some((2, 32767))).default("-1"),
                    field(Int32, Some((0, 32767))),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "OffsetForLeaderEpochResponse",
        versions: (2, 4),
        flexible: Some((4, 32767)),
        recode: recode::<rpc::OffsetForLeaderEpochResponse>,
        write_default: write_default::<rpc::OffsetForLeaderEpochResponse>,
        structs: &[
            Structure {
                name: "OffsetForLeaderEpochResponse",
                fields: &[
                    field(Int32, Some((2, 32767))),
                    field(Array(&Struct("OffsetForLeaderTopicResult")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "OffsetForLeaderTopicResult",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(Array(&Struct("EpochEndOffset")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "EpochEndOffset",
                fields: &[
                    field(Int16, Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                    field(Int32, Some((1, 32767))).default("-1"),
                    field(Int64, Some((0, 32767))).default("-1"),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "ProduceRequest",
        versions: (3, 13),
        flexible: Some((9, 32767)),
        recode: recode::<rpc::ProduceRequest>,
        write_default: write_default::<rpc::ProduceRequest>,
        structs: &[
            Structure {
                name: "ProduceRequest",
                fields: &[
                    field(String, Some((3, 32767))).nullable(3, 32767).default("null"),
                    field(Int16, Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                    field(Array(&Struct("TopicProduceData")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "TopicProduceData",
                fields: &[
                    field(String, Some((0, 12))),
                    field(Uuid, Some((13, 32767))),
                    field(Array(&Struct("PartitionProduceData")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "PartitionProduceData",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Bytes, Some((0, 32767))).nullable(0, 32767),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "ProduceResponse",
        versions: (3, 13),
        flexible: Some((9, 32767)),
        recode: recode::<rpc::ProduceResponse>,
        write_default: write_default::<rpc::ProduceResponse>,
        structs: &[
            Structure {
                name: "ProduceResponse",
                fields: &[
                    field(Array(&Struct("TopicProduceResponse")), Some((0, 32767))),
                    field(Int32, Some((1, 32767))).default("0"),
                    field(Array(&Struct("NodeEndpoint")), Some((10, 32767))).tagged(0, 10, 32767),
                ],
            },
            Structure {
                name: "TopicProduceResponse",
                fields: &[
                    field(String, Some((0, 12))),
                    field(Uuid, Some((13, 32767))),
                    field(Array(&Struct("PartitionProduceResponse")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "PartitionProduceResponse",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Int16, Some((0, 32767))),
                    field(Int64, Some((0, 32767))),
                    field(Int64, Some((2, 32767))).default("-1"),
                    field(Int64, Some((5, 32767))).default("-1"),
                    field(Array(&Struct("BatchIndexAndErrorMessage")), Some((8, 32767))),
                    field(String, Some((8, 32767))).nullable(8, 32767).default("null"),
                    field(Struct("LeaderIdAndEpoch"), Some((10, 32767))).tagged(0, 10, 32767),
                ],
            },
            Structure {
                name: "BatchIndexAndErrorMessage",
                fields: &[
                    field(Int32, Some((8, 32767))),
                    field(String, Some((8, 32767))).nullable(8, 32767).default("null"),
                ],
            },
            Structure {
                name: "LeaderIdAndEpoch",
                fields: &[
                    field(Int32, Some((10, 32767))).default("-1"),
                    field(Int32, Some((10, 32767))).default("-1"),
                ],
            },
            Structure {
                name: "NodeEndpoint",
                fields: &[
                    field(Int32, Some((10, 32767))),
                    field(String, Some((10, 32767))),
                    field(Int32, Some((10, 32767))),
                    field(String, Some((10, 32767))).nullable(10, 32767).default("null"),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "PushTelemetryRequest",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::PushTelemetryRequest>,
        write_default: write_default::<rpc::PushTelemetryRequest>,
        structs: &[Structure {
            name: "PushTelemetryRequest",
            fields: &[
                field(Uuid, Some((0, 32767))),
                field(Int32, Some((0, 32767))),
                field(Bool, Some((0, 32767))),
                field(Int8, Some((0, 32767))),
                field(Bytes, Some((0, 32767))),
            ],
        }],
    },
    Schema {
        set: "rpc",
        name: "PushTelemetryResponse",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::PushTelemetryResponse>,
        write_default: write_default::<rpc::PushTelemetryResponse>,
        structs: &[Structure {
            name: "PushTelemetryResponse",
            fields: &[field(Int32, Some((0, 32767))), field(Int16, Some((0, 32767)))],
        }],
    },
    Schema {
        set: "rpc",
        name: "ReadShareGroupStateRequest",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::ReadShareGroupStateRequest>,
        write_default: write_default::<rpc::ReadShareGroupStateRequest>,
        structs: &[
            Structure {
                name: "ReadShareGroupStateRequest",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(Array(&Struct("ReadStateData")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "ReadStateData",
                fields: &[
                    field(Uuid, Some((0, 32767))),
                    field(Array(&Struct("PartitionData")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "PartitionData",
                fields: &[field(Int32, Some((0, 32767))), field(Int32, Some((0, 32767)))],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "ReadShareGroupStateResponse",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::ReadShareGroupStateResponse>,
        write_default: write_default::<rpc::ReadShareGroupStateResponse>,
        structs: &[
            Structure {
                name: "ReadShareGroupStateResponse",
                fields: &[field(Array(&Struct("ReadStateResult")), Some((0, 32767)))],
            },
            Structure {
                name: "ReadStateResult",
                fields: &[
                    field(Uuid, Some((0, 32767))),
                    field(Array(&Struct("PartitionResult")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "PartitionResult",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Int16, Some((0, 32767))),
                    field(String, Some((0, 32767))).nullable(0, 32767).default("null"),
                    field(Int32, Some((0, 32767))),
                    field(Int64, Some((0, 32767))),
                    field(Array(&Struct("StateBatch")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "StateBatch",
                fields: &[
                    field(Int64, Some((0, 32767))),
                    field(Int64, Some((0, 32767))),
                    field(Int8, Some((0, 32767))),
                    field(Int16, Some((0, 32767))),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "ReadShareGroupStateSummaryRequest",
        versions: (0, 1),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::ReadShareGroupStateSummaryRequest>,
        write_default: write_default::<rpc::ReadShareGroupStateSummaryRequest>,
        structs: &[
            Structure {
                name: "ReadShareGroupStateSummaryRequest",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(Array(&Struct("ReadStateSummaryData")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "ReadStateSummaryData",
                fields: &[
                    field(Uuid, Some((0, 32767))),
                    field(Array(&Struct("PartitionData")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "PartitionData",
                fields: &[field(Int32, Some((0, 32767))), field(Int32, Some((0, 32767)))],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "ReadShareGroupStateSummaryResponse",
        versions: (0, 1),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::ReadShareGroupStateSummaryResponse>,
        write_default: write_default::<rpc::ReadShareGroupStateSummaryResponse>,
        structs: &[
            Structure {
                name: "ReadShareGroupStateSummaryResponse",
                fields: &[field(Array(&Struct("ReadStateSummaryResult")), Some((0, 32767)))],
            },
            Structure {
                name: "ReadStateSummaryResult",
                fields: &[
                    field(Uuid, Some((0, 32767))),
                    field(Array(&Struct("PartitionResult")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "PartitionResult",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Int16, Some((0, 32767))),
                    field(String, Some((0, 32767))).nullable(0, 32767).default("null"),
                    field(Int32, Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                    field(Int64, Some((0, 32767))),
                    field(Int32, Some((1, 32767))).default("-1"),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "RemoveRaftVoterRequest",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::RemoveRaftVoterRequest>,
        write_default: write_default::<rpc::RemoveRaftVoterRequest>,
        structs: &[Structure {
            name: "RemoveRaftVoterRequest",
            fields: &[
                field(String, Some((0, 32767))).nullable(0, 32767),
                field(Int32, Some((0, 32767))),
                field(Uuid, Some((0, 32767))),
            ],
        }],
    },
    Schema {
        set: "rpc",
        name: "RemoveRaftVoterResponse",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::RemoveRaftVoterResponse>,
        write_default: write_default::<rpc::RemoveRaftVoterResponse>,
        structs: &[Structure {
            name: "RemoveRaftVoterResponse",
            fields: &[
                field(Int32, Some((0, 32767))),
                field(Int16, Some((0, 32767))),
                field(String, Some((0, 32767))).nullable(0, 32767),
            ],
        }],
    },
    Schema {
        set: "rpc",
        name: "RenewDelegationTokenRequest",
        versions: (1, 2),
        flexible: Some((2, 32767)),
        recode: recode::<rpc::RenewDelegationTokenRequest>,
        write_default: write_default::<rpc::RenewDelegationTokenRequest>,
        structs: &[Structure {
            name: "RenewDelegationTokenRequest",
            fields: &[field(Bytes, Some((0, 32767))), field(Int64, Some((0, 32767)))],
        }],
    },
    Schema {
        set: "rpc",
        name: "RenewDelegationTokenResponse",
        versions: (1, 2),
        flexible: Some((2, 32767)),
        recode: recode::<rpc::RenewDelegationTokenResponse>,
        write_default: write_default::<rpc::RenewDelegationTokenResponse>,
        structs: &[Structure {
            name: "RenewDelegationTokenResponse",
            fields: &[
                field(Int16, Some((0, 32767))),
                field(Int64, Some((0, 32767))),
                field(Int32, Some((0, 32767))),
            ],
        }],
    },
    Schema {
        set: "rpc",
        name: "RequestHeader",
        versions: (1, 2),
        flexible: Some((2, 32767)),
        recode: recode::<rpc::RequestHeader>,
        write_default: write_default::<rpc::RequestHeader>,
        structs: &[Structure {
            name: "RequestHeader",
            fields: &[
                field(Int16, Some((0, 32767))),
                field(Int16, Some((0, 32767))),
                field(Int32, Some((0, 32767))),
                field(String, Some((1, 32767))).nullable(1, 32767).never_flexible(),
            ],
        }],
    },
    Schema {
        set: "rpc",
        name: "ResponseHeader",
        versions: (0, 1),
        flexible: Some((1, 32767)),
        recode: recode::<rpc::ResponseHeader>,
        write_default: write_default::<rpc::ResponseHeader>,
        structs: &[Structure { name: "ResponseHeader", fields: &[field(Int32, Some((0, 32767)))] }],
    },
    Schema {
        set: "rpc",
        name: "SaslAuthenticateRequest",
        versions: (0, 2),
        flexible: Some((2, 32767)),
        recode: recode::<rpc::SaslAuthenticateRequest>,
        write_default: write_default::<rpc::SaslAuthenticateRequest>,
        structs: &[Structure {
            name: "SaslAuthenticateRequest",
            fields: &[field(Bytes, Some((0, 32767)))],
        }],
    },
    Schema {
        set: "rpc",
        name: "SaslAuthenticateResponse",
        versions: (0, 2),
        flexible: Some((2, 32767)),
        recode: recode::<rpc::SaslAuthenticateResponse>,
        write_default: write_default::<rpc::SaslAuthenticateResponse>,
        structs: &[Structure {
            name: "SaslAuthenticateResponse",
            fields: &[
                field(Int16, Some((0, 32767))),
                field(String, Some((0, 32767))).nullable(0, 32767),
                field(Bytes, Some((0, 32767))),
                field(Int64, Some((1, 32767))).default("0"),
            ],
        }],
    },
    Schema {
        set: "rpc",
        name: "SaslHandshakeRequest",
        versions: (0, 1),
        flexible: None,
        recode: recode::<rpc::SaslHandshakeRequest>,
        write_default: write_default::<rpc::SaslHandshakeRequest>,
        structs: &[Structure {
            name: "SaslHandshakeRequest",
            fields: &[field(String, Some((0, 32767)))],
        }],
    },
    Schema {
        set: "rpc",
        name: "SaslHandshakeResponse",
        versions: (0, 1),
        flexible: None,
        recode: recode::<rpc::SaslHandshakeResponse>,
        write_default: write_default::<rpc::SaslHandshakeResponse>,
        structs: &[Structure {
            name: "SaslHandshakeResponse",
            fields: &[field(Int16, Some((0, 32767))), field(Array(&String), Some((0, 32767)))],
        }],
    },
    Schema {
        set: "rpc",
        name: "ShareAcknowledgeRequest",
        versions: (1, 2),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::ShareAcknowledgeRequest>,
        write_default: write_default::<rpc::ShareAcknowledgeRequest>,
        structs: &[
            Structure {
                name: "ShareAcknowledgeRequest",
                fields: &[
                    field(String, Some((0, 32767))).nullable(0, 32767).default("null"),
                    field(String, Some((0, 32767))).nullable(0, 32767),
                    field(Int32, Some((0, 32767))),
                    field(Bool, Some((2, 32767))).default("false"),
                    field(Array(&Struct("AcknowledgeTopic")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "AcknowledgeTopic",
                fields: &[
                    field(Uuid, Some((0, 32767))),
                    field(Array(&Struct("AcknowledgePartition")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "AcknowledgePartition",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Array(&Struct("AcknowledgementBatch")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "AcknowledgementBatch",
                fields: &[
                    field(Int64, Some((0, 32767))),
                    field(Int64, Some((0, 32767))),
                    field(Array(&Int8), Some((0, 32767))),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "ShareAcknowledgeResponse",
        versions: (1, 2),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::ShareAcknowledgeResponse>,
        write_default: write_default::<rpc::ShareAcknowledgeResponse>,
        structs: &[
            Structure {
                name: "ShareAcknowledgeResponse",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Int16, Some((0, 32767))),
                    field(String, Some((0, 32767))).nullable(0, 32767).default("null"),
                    field(Int32, Some((2, 32767))),
                    field(Array(&Struct("ShareAcknowledgeTopicResponse")), Some((0, 32767))),
                    field(Array(&Struct("NodeEndpoint")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "ShareAcknowledgeTopicResponse",
                fields: &[
                    field(Uuid, Some((0, 32767))),
                    field(Array(&Struct("PartitionData")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "PartitionData",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Int16, Some((0, 32767))),
                    field(String, Some((0, 32767))).nullable(0, 32767).default("null"),
                    field(Struct("LeaderIdAndEpoch"), Some((0, 32767))),
                ],
            },
            Structure {
                name: "LeaderIdAndEpoch",
                fields: &[field(Int32, Some((0, 32767))), field(Int32, Some((0, 32767)))],
            },
            Structure {
                name: "NodeEndpoint",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(String, Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                    field(String, Some((0, 32767))).nullable(0, 32767).default("null"),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "ShareFetchRequest",
        versions: (1, 2),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::ShareFetchRequest>,
        write_default: write_default::<rpc::ShareFetchRequest>,
        structs: &[
            Structure {
                name: "ShareFetchRequest",
                fields: &[
                    field(String, Some((0, 32767))).nullable(0, 32767).default("null"),
                    field(String, Some((0, 32767))).nullable(0, 32767),
                    field(Int32, Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                    field(Int32, Some((0, 32767))).default("0x7fffffff"),
                    field(Int32, Some((1, 32767))),
                    field(Int32, Some((1, 32767))),
                    field(Int8, Some((2, 32767))).default("0"),
                    field(Bool, Some((2, 32767))).default("false"),
                    field(Array(&Struct("FetchTopic")), Some((0, 32767))),
                    field(Array(&Struct("ForgottenTopic")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "FetchTopic",
                fields: &[
                    field(Uuid, Some((0, 32767))),
                    field(Array(&Struct("FetchPartition")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "FetchPartition",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Int32, Some((0, 0))),
                    field(Array(&Struct("AcknowledgementBatch")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "AcknowledgementBatch",
                fields: &[
                    field(Int64, Some((0, 32767))),
                    field(Int64, Some((0, 32767))),
                    field(Array(&Int8), Some((0, 32767))),
                ],
            },
            Structure {
                name: "ForgottenTopic",
                fields: &[field(Uuid, Some((0, 32767))), field(Array(&Int32), Some((0, 32767)))],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "ShareFetchResponse",
        versions: (1, 2),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::ShareFetchResponse>,
        write_default: write_default::<rpc::ShareFetchResponse>,
        structs: &[
            Structure {
                name: "ShareFetchResponse",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Int16, Some((0, 32767))),
                    field(String, Some((0, 32767))).nullable(0, 32767).default("null"),
                    field(Int32, Some((1, 32767))),
                    field(Array(&Struct("ShareFetchableTopicResponse")), Some((0, 32767))),
                    field(Array(&Struct("NodeEndpoint")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "ShareFetchableTopicResponse",
                fields: &[
                    field(Uuid, Some((0, 32767))),
                    field(Array(&Struct("PartitionData")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "PartitionData",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Int16, Some((0, 32767))),
                    field(String, Some((0, 32767))).nullable(0, 32767).default("null"),
                    field(Int16, Some((0, 32767))),
                    field(String, Some((0, 32767))).nullable(0, 32767).default("null"),
                    field(Struct("LeaderIdAndEpoch"), Some((0, 32767))),
                    field(Bytes, Some((0, 32767))).nullable(0, 0),
                    field(Array(&Struct("AcquiredRecords")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "LeaderIdAndEpoch",
                fields: &[field(Int32, Some((0, 32767))), field(Int32, Some((0, 32767)))],
            },
            Structure {
                name: "AcquiredRecords",
                fields: &[
                    field(Int64, Some((0, 32767))),
                    field(Int64, Some((0, 32767))),
                    field(Int16, Some((0, 32767))),
                ],
            },
            Structure {
                name: "NodeEndpoint",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(String, Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                    field(String, Some((0, 32767))).nullable(0, 32767).default("null"),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "ShareGroupDescribeRequest",
        versions: (1, 1),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::ShareGroupDescribeRequest>,
        write_default: write_default::<rpc::ShareGroupDescribeRequest>,
        structs: &[Structure {
            name: "ShareGroupDescribeRequest",
            fields: &[field(Array(&String), Some((0, 32767))), field(Bool, Some((0, 32767)))],
        }],
    },
    Schema {
        set: "rpc",
        name: "ShareGroupDescribeResponse",
        versions: (1, 1),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::ShareGroupDescribeResponse>,
        write_default: write_default::<rpc::ShareGroupDescribeResponse>,
        structs: &[
            Structure {
                name: "ShareGroupDescribeResponse",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Array(&Struct("DescribedGroup")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "DescribedGroup",
                fields: &[
                    field(Int16, Some((0, 32767))),
                    field(String, Some((0, 32767))).nullable(0, 32767).default("null"),
                    field(String, Some((0, 32767))),
                    field(String, Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                    field(String, Some((0, 32767))),
                    field(Array(&Struct("Member")), Some((0, 32767))),
                    field(Int32, Some((0, 32767))).default("-2147483648"),
                ],
            },
            Structure {
                name: "Member",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(String, Some((0, 32767))).nullable(0, 32767).default("null"),
                    field(Int32, Some((0, 32767))),
                    field(String, Some((0, 32767))),
                    field(String, Some((0, 32767))),
                    field(Array(&String), Some((0, 32767))),
                    field(Struct("Assignment"), Some((0, 32767))),
                ],
            },
            Structure {
                name: "TopicPartitions",
                fields: &[
                    field(Uuid, Some((0, 32767))),
                    field(String, Some((0, 32767))),
                    field(Array(&Int32), Some((0, 32767))),
                ],
            },
            Structure {
                name: "Assignment",
                fields: &[field(Array(&Struct("TopicPartitions")), Some((0, 32767)))],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "ShareGroupHeartbeatRequest",
        versions: (1, 1),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::ShareGroupHeartbeatRequest>,
        write_default: write_default::<rpc::ShareGroupHeartbeatRequest>,
        structs: &[Structure {
            name: "ShareGroupHeartbeatRequest",
            fields: &[
                field(String, Some((0, 32767))),
                field(String, Some((0, 32767))),
                field(Int32, Some((0, 32767))),
                field(String, Some((0, 32767))).nullable(0, 32767).default("null"),
                field(Array(&String), Some((0, 32767))).nullable(0, 32767).default("null"),
            ],
        }],
    },
    Schema {
        set: "rpc",
        name: "ShareGroupHeartbeatResponse",
        versions: (1, 1),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::ShareGroupHeartbeatResponse>,
        write_default: write_default::<rpc::ShareGroupHeartbeatResponse>,
        structs: &[
            Structure {
                name: "ShareGroupHeartbeatResponse",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Int16, Some((0, 32767))),
                    field(String, Some((0, 32767))).nullable(0, 32767).default("null"),
                    field(String, Some((0, 32767))).nullable(0, 32767).default("null"),
                    field(Int32, Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                    field(Struct("Assignment"), Some((0, 32767)))
                        .nullable(0, 32767)
                        .default("null"),
                ],
            },
            Structure {
                name: "Assignment",
                fields: &[field(Array(&Struct("TopicPartitions")), Some((0, 32767)))],
            },
            Structure {
                name: "TopicPartitions",
                fields: &[field(Uuid, Some((0, 32767))), field(Array(&Int32), Some((0, 32767)))],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "StreamsGroupDescribeRequest",
        versions: (0, 1),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::StreamsGroupDescribeRequest>,
        write_default: write_default::<rpc::StreamsGroupDescribeRequest>,
        structs: &[Structure {
            name: "StreamsGroupDescribeRequest",
            fields: &[
                field(Array(&String), Some((0, 32767))),
                field(Bool, Some((0, 32767))),
                field(Bool, Some((1, 32767))).default("false"),
            ],
        }],
    },
    Schema {
        set: "rpc",
        name: "StreamsGroupDescribeResponse",
        versions: (0, 1),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::StreamsGroupDescribeResponse>,
        write_default: write_default::<rpc::StreamsGroupDescribeResponse>,
        structs: &[
            Structure {
                name: "StreamsGroupDescribeResponse",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Array(&Struct("DescribedGroup")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "DescribedGroup",
                fields: &[
                    field(Int16, Some((0, 32767))),
                    field(String, Some((0, 32767))).nullable(0, 32767).default("null"),
                    field(String, Some((0, 32767))),
                    field(String, Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                    field(Struct("Topology"), Some((0, 32767))).nullable(0, 32767).default("null"),
                    field(Array(&Struct("Member")), Some((0, 32767))),
                    field(Int32, Some((0, 32767))).default("-2147483648"),
                    field(Struct("TopologyDescription"), Some((1, 32767)))
                        .nullable(1, 32767)
                        .default("null"),
                    field(Int8, Some((1, 32767))).default("0"),
                    field(String, Some((1, 32767))).nullable(1, 32767).default("null"),
                ],
            },
            Structure {
                name: "Topology",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Array(&Struct("Subtopology")), Some((0, 32767)))
                        .nullable(0, 32767)
                        .default("null"),
                ],
            },
            Structure {
                name: "Subtopology",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(Array(&String), Some((0, 32767))),
                    field(Array(&String), Some((0, 32767))),
                    field(Array(&Struct("TopicInfo")), Some((0, 32767))),
                    field(Array(&Struct("TopicInfo")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "Member",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                    field(String, Some((0, 32767))).nullable(0, 32767).default("null"),
                    field(String, Some((0, 32767))).nullable(0, 32767).default("null"),
                    field(String, Some((0, 32767))),
                    field(String, Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                    field(String, Some((0, 32767))),
                    field(Struct("Endpoint"), Some((0, 32767))).nullable(0, 32767).default("null"),
                    field(Array(&Struct("KeyValue")), Some((0, 32767))),
                    field(Array(&Struct("TaskOffset")), Some((0, 32767))),
                    field(Array(&Struct("TaskOffset")), Some((0, 32767))),
                    field(Struct("Assignment"), Some((0, 32767))),
                    field(Struct("Assignment"), Some((0, 32767))),
                    field(Bool, Some((0, 32767))),
                ],
            },
            Structure {
                name: "Endpoint",
                fields: &[field(String, Some((0, 32767))), field(Uint16, Some((0, 32767)))],
            },
            Structure {
                name: "TaskOffset",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                    field(Int64, Some((0, 32767))),
                ],
            },
            Structure {
                name: "Assignment",
                fields: &[
                    field(Array(&Struct("TaskIds")), Some((0, 32767))),
                    field(Array(&Struct("TaskIds")), Some((0, 32767))),
                    field(Array(&Struct("TaskIds")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "TaskIds",
                fields: &[field(String, Some((0, 32767))), field(Array(&Int32), Some((0, 32767)))],
            },
            Structure {
                name: "KeyValue",
                fields: &[field(String, Some((0, 32767))), field(String, Some((0, 32767)))],
            },
            Structure {
                name: "TopicInfo",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                    field(Int16, Some((0, 32767))),
                    field(Array(&Struct("KeyValue")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "TopologyDescription",
                fields: &[
                    field(Array(&Struct("TopologyDescriptionSubtopology")), Some((1, 32767))),
                    field(Array(&Struct("TopologyDescriptionGlobalStore")), Some((1, 32767))),
                ],
            },
            Structure {
                name: "TopologyDescriptionSubtopology",
                fields: &[
                    field(String, Some((1, 32767))),
                    field(Array(&Struct("TopologyDescriptionNode")), Some((1, 32767))),
                ],
            },
            Structure {
                name: "TopologyDescriptionNode",
                fields: &[
                    field(String, Some((1, 32767))),
                    field(Int8, Some((1, 32767))),
                    field(Array(&String), Some((1, 32767))),
                    field(String, Some((1, 32767))).nullable(1, 32767).default("null"),
                    field(Array(&String), Some((1, 32767))),
                    field(Array(&String), Some((1, 32767))),
                ],
            },
            Structure {
                name: "TopologyDescriptionGlobalStore",
                fields: &[
                    field(Struct("TopologyDescriptionNode"), Some((1, 32767))),
                    field(Struct("TopologyDescriptionNode"), Some((1, 32767))),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "StreamsGroupHeartbeatRequest",
        versions: (0, 1),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::StreamsGroupHeartbeatRequest>,
        write_default: write_default::<rpc::StreamsGroupHeartbeatRequest>,
        structs: &[
            Structure {
                name: "StreamsGroupHeartbeatRequest",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(String, Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                    field(String, Some((0, 32767))).nullable(0, 32767).default("null"),
                    field(String, Some((0, 32767))).nullable(0, 32767).default("null"),
                    field(Int32, Some((0, 32767))).default("-1"),
                    field(Struct("Topology"), Some((0, 32767))).nullable(0, 32767).default("null"),
                    field(Array(&Struct("TaskIds")), Some((0, 32767)))
                        .nullable(0, 32767)
                        .default("null"),
                    field(Array(&Struct("TaskIds")), Some((0, 32767)))
                        .nullable(0, 32767)
                        .default("null"),
                    field(Array(&Struct("TaskIds")), Some((0, 32767)))
                        .nullable(0, 32767)
                        .default("null"),
                    field(String, Some((0, 32767))).nullable(0, 32767).default("null"),
                    field(Struct("Endpoint"), Some((0, 32767))).nullable(0, 32767).default("null"),
                    field(Array(&Struct("KeyValue")), Some((0, 32767)))
                        .nullable(0, 32767)
                        .default("null"),
                    field(Array(&Struct("TaskOffset")), Some((0, 32767)))
                        .nullable(0, 32767)
                        .default("null"),
                    field(Array(&Struct("TaskOffset")), Some((0, 32767)))
                        .nullable(0, 32767)
                        .default("null"),
                    field(Bool, Some((0, 32767))).default("false"),
                ],
            },
            Structure {
                name: "Topology",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Array(&Struct("Subtopology")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "Subtopology",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(Array(&String), Some((0, 32767))),
                    field(Array(&String), Some((0, 32767))),
                    field(Array(&Struct("TopicInfo")), Some((0, 32767))),
                    field(Array(&String), Some((0, 32767))),
                    field(Array(&Struct("TopicInfo")), Some((0, 32767))),
                    field(Array(&Struct("CopartitionGroup")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "CopartitionGroup",
                fields: &[
                    field(Array(&Int16), Some((0, 32767))),
                    field(Array(&Int16), Some((0, 32767))),
                    field(Array(&Int16), Some((0, 32767))),
                ],
            },
            Structure {
                name: "KeyValue",
                fields: &[field(String, Some((0, 32767))), field(String, Some((0, 32767)))],
            },
            Structure {
                name: "TopicInfo",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                    field(Int16, Some((0, 32767))),
                    field(Array(&Struct("KeyValue")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "Endpoint",
                fields: &[field(String, Some((0, 32767))), field(Uint16, Some((0, 32767)))],
            },
            Structure {
                name: "TaskOffset",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                    field(Int64, Some((0, 32767))),
                ],
            },
            Structure {
                name: "TaskIds",
                fields: &[field(String, Some((0, 32767))), field(Array(&Int32), Some((0, 32767)))],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "StreamsGroupHeartbeatResponse",
        versions: (0, 1),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::StreamsGroupHeartbeatResponse>,
        write_default: write_default::<rpc::StreamsGroupHeartbeatResponse>,
        structs: &[
            Structure {
                name: "StreamsGroupHeartbeatResponse",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Int16, Some((0, 32767))),
                    field(String, Some((0, 32767))).nullable(0, 32767).default("null"),
                    field(String, Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                    field(Int32, Some((0, 0))),
                    field(Int32, Some((0, 32767))),
                    field(Int64, Some((1, 32767))).default("-1"),
                    field(Array(&Struct("Status")), Some((0, 32767))).nullable(0, 32767),
                    field(Array(&Struct("TaskIds")), Some((0, 32767)))
                        .nullable(0, 32767)
                        .default("null"),
                    field(Array(&Struct("TaskIds")), Some((0, 32767)))
                        .nullable(0, 32767)
                        .default("null"),
                    field(Array(&Struct("TaskIds")), Some((0, 32767)))
                        .nullable(0, 32767)
                        .default("null"),
                    field(Bool, Some((1, 32767))).default("false"),
                    field(Int32, Some((0, 32767))),
                    field(Array(&Struct("EndpointToPartitions")), Some((0, 32767)))
                        .nullable(0, 32767)
                        .default("null"),
                ],
            },
            Structure {
                name: "EndpointToPartitions",
                fields: &[
                    field(Struct("Endpoint"), Some((0, 32767))),
                    field(Array(&Struct("TopicPartition")), Some((0, 32767))),
                    field(Array(&Struct("TopicPartition")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "Status",
                fields: &[field(Int8, Some((0, 32767))), field(String, Some((0, 32767)))],
            },
            Structure {
                name: "TopicPartition",
                fields: &[field(String, Some((0, 32767))), field(Array(&Int32), Some((0, 32767)))],
            },
            Structure {
                name: "TaskIds",
                fields: &[field(String, Some((0, 32767))), field(Array(&Int32), Some((0, 32767)))],
            },
            Structure {
                name: "Endpoint",
                fields: &[field(String, Some((0, 32767))), field(Uint16, Some((0, 32767)))],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "StreamsGroupTopologyDescriptionUpdateRequest",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::StreamsGroupTopologyDescriptionUpdateRequest>,
        write_default: write_default::<rpc::StreamsGroupTopologyDescriptionUpdateRequest>,
        structs: &[
            Structure {
                name: "StreamsGroupTopologyDescriptionUpdateRequest",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(String, Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                    field(Struct("TopologyDescription"), Some((0, 32767))),
                ],
            },
            Structure {
                name: "TopologyDescription",
                fields: &[
                    field(Array(&Struct("TopologyDescriptionSubtopology")), Some((0, 32767))),
                    field(Array(&Struct("TopologyDescriptionGlobalStore")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "TopologyDescriptionSubtopology",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(Array(&Struct("TopologyDescriptionNode")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "TopologyDescriptionNode",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(Int8, Some((0, 32767))),
                    field(Array(&String), Some((0, 32767))),
                    field(String, Some((0, 32767))).nullable(0, 32767).default("null"),
                    field(Array(&String), Some((0, 32767))),
                    field(Array(&String), Some((0, 32767))),
                ],
            },
            Structure {
                name: "TopologyDescriptionGlobalStore",
                fields: &[
                    field(Struct("TopologyDescriptionNode"), Some((0, 32767))),
                    field(Struct("TopologyDescriptionNode"), Some((0, 32767))),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "StreamsGroupTopologyDescriptionUpdateResponse",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::StreamsGroupTopologyDescriptionUpdateResponse>,
        write_default: write_default::<rpc::StreamsGroupTopologyDescriptionUpdateResponse>,
        structs: &[Structure {
            name: "StreamsGroupTopologyDescriptionUpdateResponse",
            fields: &[
                field(Int32, Some((0, 32767))),
                field(Int16, Some((0, 32767))),
                field(String, Some((0, 32767))).nullable(0, 32767).default("null"),
            ],
        }],
    },
    Schema {
        set: "rpc",
        name: "SyncGroupRequest",
        versions: (0, 5),
        flexible: Some((4, 32767)),
        recode: recode::<rpc::SyncGroupRequest>,
        write_default: write_default::<rpc::SyncGroupRequest>,
        structs: &[
            Structure {
                name: "SyncGroupRequest",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                    field(String, Some((0, 32767))),
                    field(String, Some((3, 32767))).nullable(3, 32767).default("null"),
                    field(String, Some((5, 32767))).nullable(5, 32767).default("null"),
                    field(String, Some((5, 32767))).nullable(5, 32767).default("null"),
                    field(Array(&Struct("SyncGroupRequestAssignment")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "SyncGroupRequestAssignment",
                fields: &[field(String, Some((0, 32767))), field(Bytes, Some((0, 32767)))],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "SyncGroupResponse",
        versions: (0, 5),
        flexible: Some((4, 32767)),
        recode: recode::<rpc::SyncGroupResponse>,
        write_default: write_default::<rpc::SyncGroupResponse>,
        structs: &[Structure {
            name: "SyncGroupResponse",
            fields: &[
                field(Int32, Some((1, 32767))),
                field(Int16, Some((0, 32767))),
                field(String, Some((5, 32767))).nullable(5, 32767).default("null"),
                field(String, Some((5, 32767))).nullable(5, 32767).default("null"),
                field(Bytes, Some((0, 32767))),
            ],
        }],
    },
    Schema {
        set: "rpc",
        name: "TxnOffsetCommitRequest",
        versions: (0, 6),
        flexible: Some((3, 32767)),
        recode: recode::<rpc::TxnOffsetCommitRequest>,
        write_default: write_default::<rpc::TxnOffsetCommitRequest>,
        structs: &[
            Structure {
                name: "TxnOffsetCommitRequest",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(String, Some((0, 32767))),
                    field(Int64, Some((0, 32767))),
                    field(Int16, Some((0, 32767))),
                    field(Int32, Some((3, 32767))).default("-1"),
                    field(String, Some((3, 32767))).default(""),
                    field(String, Some((3, 32767))).nullable(3, 32767).default("null"),
                    field(Array(&Struct("TxnOffsetCommitRequestTopic")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "TxnOffsetCommitRequestTopic",
                fields: &[
                    field(String, Some((0, 5))),
                    field(Uuid, Some((6, 32767))),
                    field(Array(&Struct("TxnOffsetCommitRequestPartition")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "TxnOffsetCommitRequestPartition",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Int64, Some((0, 32767))),
                    field(Int32, Some((2, 32767))).default("-1"),
                    field(String, Some((0, 32767))).nullable(0, 32767),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "TxnOffsetCommitResponse",
        versions: (0, 6),
        flexible: Some((3, 32767)),
        recode: recode::<rpc::TxnOffsetCommitResponse>,
        write_default: write_default::<rpc::TxnOffsetCommitResponse>,
        structs: &[
            Structure {
                name: "TxnOffsetCommitResponse",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Array(&Struct("TxnOffsetCommitResponseTopic")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "TxnOffsetCommitResponseTopic",
                fields: &[
                    field(String, Some((0, 5))),
                    field(Uuid, Some((6, 32767))),
                    field(Array(&Struct("TxnOffsetCommitResponsePartition")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "TxnOffsetCommitResponsePartition",
                fields: &[field(Int32, Some((0, 32767))), field(Int16, Some((0, 32767)))],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "UnregisterBrokerRequest",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::UnregisterBrokerRequest>,
        write_default: write_default::<rpc::UnregisterBrokerRequest>,
        structs: &[Structure {
            name: "UnregisterBrokerRequest",
            fields: &[field(Int32, Some((0, 32767)))],
        }],
    },
    Schema {
        set: "rpc",
        name: "UnregisterBrokerResponse",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::UnregisterBrokerResponse>,
        write_default: write_default::<rpc::UnregisterBrokerResponse>,
        structs: &[Structure {
            name: "UnregisterBrokerResponse",
            fields: &[
                field(Int32, Some((0, 32767))),
                field(Int16, Some((0, 32767))),
                field(String, Some((0, 32767))).nullable(0, 32767),
            ],
        }],
    },
    Schema {
        set: "rpc",
        name: "UnregisterControllerRequest",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::UnregisterControllerRequest>,
        write_default: write_default::<rpc::UnregisterControllerRequest>,
        structs: &[Structure {
            name: "UnregisterControllerRequest",
            fields: &[field(Int32, Some((0, 32767)))],
        }],
    },
    Schema {
        set: "rpc",
        name: "UnregisterControllerResponse",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::UnregisterControllerResponse>,
        write_default: write_default::<rpc::UnregisterControllerResponse>,
        structs: &[Structure {
            name: "UnregisterControllerResponse",
            fields: &[
                field(Int32, Some((0, 32767))),
                field(Int16, Some((0, 32767))),
                field(String, Some((0, 32767))).nullable(0, 32767),
            ],
        }],
    },
    Schema {
        set: "rpc",
        name: "UpdateFeaturesRequest",
        versions: (0, 2),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::UpdateFeaturesRequest>,
        write_default: write_default::<rpc::UpdateFeaturesRequest>,
        structs: &[
            Structure {
                name: "UpdateFeaturesRequest",
                fields: &[
                    field(Int32, Some((0, 32767))).default("60000"),
                    field(Array(&Struct("FeatureUpdateKey")), Some((0, 32767))),
                    field(Bool, Some((1, 32767))).default("false"),
                ],
            },
            Structure {
                name: "FeatureUpdateKey",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(Int16, Some((0, 32767))),
                    field(Bool, Some((0, 0))),
                    field(Int8, Some((1, 32767))).default("1"),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "UpdateFeaturesResponse",
        versions: (0, 2),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::UpdateFeaturesResponse>,
        write_default: write_default::<rpc::UpdateFeaturesResponse>,
        structs: &[
            Structure {
                name: "UpdateFeaturesResponse",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Int16, Some((0, 32767))),
                    field(String, Some((0, 32767))).nullable(0, 32767),
                    field(Array(&Struct("UpdatableFeatureResult")), Some((0, 1))),
                ],
            },
            Structure {
                name: "UpdatableFeatureResult",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(Int16, Some((0, 32767))),
                    field(String, Some((0, 32767))).nullable(0, 32767),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "UpdateRaftVoterRequest",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::UpdateRaftVoterRequest>,
        write_default: write_default::<rpc::UpdateRaftVoterRequest>,
        structs: &[
            Structure {
                name: "UpdateRaftVoterRequest",
                fields: &[
                    field(String, Some((0, 32767))).nullable(0, 32767),
                    field(Int32, Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                    field(Uuid, Some((0, 32767))),
                    field(Array(&Struct("Listener")), Some((0, 32767))),
                    field(Struct("KRaftVersionFeature"), Some((0, 32767))),
                ],
            },
            Structure {
                name: "Listener",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(String, Some((0, 32767))),
                    field(Uint16, Some((0, 32767))),
                ],
            },
            Structure {
                name: "KRaftVersionFeature",
                fields: &[field(Int16, Some((0, 32767))), field(Int16, Some((0, 32767)))],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "UpdateRaftVoterResponse",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::UpdateRaftVoterResponse>,
        write_default: write_default::<rpc::UpdateRaftVoterResponse>,
        structs: &[
            Structure {
                name: "UpdateRaftVoterResponse",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Int16, Some((0, 32767))),
                    field(Struct("CurrentLeader"), Some((0, 32767))).tagged(0, 0, 32767),
                ],
            },
            Structure {
                name: "CurrentLeader",
                fields: &[
                    field(Int32, Some((0, 32767))).default("-1"),
                    field(Int32, Some((0, 32767))).default("-1"),
                    field(String, Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "VoteRequest",
        versions: (0, 2),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::VoteRequest>,
        write_default: write_default::<rpc::VoteRequest>,
        structs: &[
            Structure {
                name: "VoteRequest",
                fields: &[
                    field(String, Some((0, 32767))).nullable(0, 32767).default("null"),
                    field(Int32, Some((1, 32767))).default("-1"),
                    field(Array(&Struct("TopicData")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "TopicData",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(Array(&Struct("PartitionData")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "PartitionData",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                    field(Uuid, Some((1, 32767))),
                    field(Uuid, Some((1, 32767))),
                    field(Int32, Some((0, 32767))),
                    field(Int64, Some((0, 32767))),
                    field(Bool, Some((2, 32767))),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "VoteResponse",
        versions: (0, 2),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::VoteResponse>,
        write_default: write_default::<rpc::VoteResponse>,
        structs: &[
            Structure {
                name: "VoteResponse",
                fields: &[
                    field(Int16, Some((0, 32767))),
                    field(Array(&Struct("TopicData")), Some((0, 32767))),
                    field(Array(&Struct("NodeEndpoint")), Some((1, 32767))).tagged(0, 1, 32767),
                ],
            },
            Structure {
                name: "TopicData",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(Array(&Struct("PartitionData")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "PartitionData",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Int16, Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                    field(Bool, Some((0, 32767))),
                ],
            },
            Structure {
                name: "NodeEndpoint",
                fields: &[
                    field(Int32, Some((1, 32767))),
                    field(String, Some((1, 32767))),
                    field(Uint16, Some((1, 32767))),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "WriteShareGroupStateRequest",
        versions: (0, 1),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::WriteShareGroupStateRequest>,
        write_default: write_default::<rpc::WriteShareGroupStateRequest>,
        structs: &[
            Structure {
                name: "WriteShareGroupStateRequest",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(Array(&Struct("WriteStateData")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "WriteStateData",
                fields: &[
                    field(Uuid, Some((0, 32767))),
                    field(Array(&Struct("PartitionData")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "PartitionData",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                    field(Int64, Some((0, 32767))),
                    field(Int32, Some((1, 32767))).default("-1"),
                    field(Array(&Struct("StateBatch")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "StateBatch",
                fields: &[
                    field(Int64, Some((0, 32767))),
                    field(Int64, Some((0, 32767))),
                    field(Int8, Some((0, 32767))),
                    field(Int16, Some((0, 32767))),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "WriteShareGroupStateResponse",
        versions: (0, 1),
        flexible: Some((0, 32767)),
        recode: recode::<rpc::WriteShareGroupStateResponse>,
        write_default: write_default::<rpc::WriteShareGroupStateResponse>,
        structs: &[
            Structure {
                name: "WriteShareGroupStateResponse",
                fields: &[field(Array(&Struct("WriteStateResult")), Some((0, 32767)))],
            },
            Structure {
                name: "WriteStateResult",
                fields: &[
                    field(Uuid, Some((0, 32767))),
                    field(Array(&Struct("PartitionResult")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "PartitionResult",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Int16, Some((0, 32767))),
                    field(String, Some((0, 32767))).nullable(0, 32767).default("null"),
                ],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "WriteTxnMarkersRequest",
        versions: (1, 2),
        flexible: Some((1, 32767)),
        recode: recode::<rpc::WriteTxnMarkersRequest>,
        write_default: write_default::<rpc::WriteTxnMarkersRequest>,
        structs: &[
            Structure {
                name: "WriteTxnMarkersRequest",
                fields: &[field(Array(&Struct("WritableTxnMarker")), Some((0, 32767)))],
            },
            Structure {
                name: "WritableTxnMarker",
                fields: &[
                    field(Int64, Some((0, 32767))),
                    field(Int16, Some((0, 32767))),
                    field(Bool, Some((0, 32767))),
                    field(Array(&Struct("WritableTxnMarkerTopic")), Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                    field(Int8, Some((2, 32767))).default("0"),
                ],
            },
            Structure {
                name: "WritableTxnMarkerTopic",
                fields: &[field(String, Some((0, 32767))), field(Array(&Int32), Some((0, 32767)))],
            },
        ],
    },
    Schema {
        set: "rpc",
        name: "WriteTxnMarkersResponse",
        versions: (1, 2),
        flexible: Some((1, 32767)),
        recode: recode::<rpc::WriteTxnMarkersResponse>,
        write_default: write_default::<rpc::WriteTxnMarkersResponse>,
        structs: &[
            Structure {
                name: "WriteTxnMarkersResponse",
                fields: &[field(Array(&Struct("WritableTxnMarkerResult")), Some((0, 32767)))],
            },
            Structure {
                name: "WritableTxnMarkerResult",
                fields: &[
                    field(Int64, Some((0, 32767))),
                    field(Array(&Struct("WritableTxnMarkerTopicResult")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "WritableTxnMarkerTopicResult",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(Array(&Struct("WritableTxnMarkerPartitionResult")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "WritableTxnMarkerPartitionResult",
                fields: &[field(Int32, Some((0, 32767))), field(Int16, Some((0, 32767)))],
            },
        ],
    },
    Schema {
        set: "metadata",
        name: "AbortTransactionRecord",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<metadata::AbortTransactionRecord>,
        write_default: write_default::<metadata::AbortTransactionRecord>,
        structs: &[Structure {
            name: "AbortTransactionRecord",
            fields: &[field(String, Some((0, 32767)))
                .nullable(0, 32767)
                .tagged(0, 0, 32767)
                .default("null")],
        }],
    },
    Schema {
        set: "metadata",
        name: "AccessControlEntryRecord",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<metadata::AccessControlEntryRecord>,
        write_default: write_default::<metadata::AccessControlEntryRecord>,
        structs: &[Structure {
            name: "AccessControlEntryRecord",
            fields: &[
                field(Uuid, Some((0, 32767))),
                field(Int8, Some((0, 32767))),
                field(String, Some((0, 32767))),
                field(Int8, Some((0, 32767))),
                field(String, Some((0, 32767))),
                field(String, Some((0, 32767))),
                field(Int8, Some((0, 32767))),
                field(Int8, Some((0, 32767))),
            ],
        }],
    },
    Schema {
        set: "metadata",
        name: "BeginTransactionRecord",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<metadata::BeginTransactionRecord>,
        write_default: write_default::<metadata::BeginTransactionRecord>,
        structs: &[Structure {
            name: "BeginTransactionRecord",
            fields: &[field(String, Some((0, 32767)))
                .nullable(0, 32767)
                .tagged(0, 0, 32767)
                .default("null")],
        }],
    },
    Schema {
        set: "metadata",
        name: "BrokerRegistrationChangeRecord",
        versions: (0, 3),
        flexible: Some((0, 32767)),
        recode: recode::<metadata::BrokerRegistrationChangeRecord>,
        write_default: write_default::<metadata::BrokerRegistrationChangeRecord>,
        structs: &[Structure {
            name: "BrokerRegistrationChangeRecord",
            fields: &[
                field(Int32, Some((0, 32767))),
                field(Int64, Some((0, 32767))),
                field(Int8, Some((0, 32767))).tagged(0, 0, 32767),
                field(Int8, Some((1, 32767))).tagged(1, 1, 32767),
                field(Array(&Uuid), Some((2, 32767))).tagged(2, 2, 32767),
                field(Array(&Uuid), Some((3, 32767)))
                    .nullable(3, 32767)
                    .tagged(3, 3, 32767)
                    .default("null"),
            ],
        }],
    },
    Schema {
        set: "metadata",
        name: "ClearElrRecord",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<metadata::ClearElrRecord>,
        write_default: write_default::<metadata::ClearElrRecord>,
        structs: &[Structure {
            name: "ClearElrRecord",
            fields: &[field(String, Some((0, 32767)))],
        }],
    },
    Schema {
        set: "metadata",
        name: "ClientQuotaRecord",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<metadata::ClientQuotaRecord>,
        write_default: write_default::<metadata::ClientQuotaRecord>,
        structs: &[
            Structure {
                name: "ClientQuotaRecord",
                fields: &[
                    field(Array(&Struct("EntityData")), Some((0, 32767))),
                    field(String, Some((0, 32767))),
                    field(Float64, Some((0, 32767))),
                    field(Bool, Some((0, 32767))),
                ],
            },
            Structure {
                name: "EntityData",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(String, Some((0, 32767))).nullable(0, 32767),
                ],
            },
        ],
    },
    Schema {
        set: "metadata",
        name: "ConfigRecord",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<metadata::ConfigRecord>,
        write_default: write_default::<metadata::ConfigRecord>,
        structs: &[Structure {
            name: "ConfigRecord",
            fields: &[
                field(Int8, Some((0, 32767))),
                field(String, Some((0, 32767))),
                field(String, Some((0, 32767))),
                field(String, Some((0, 32767))).nullable(0, 32767),
            ],
        }],
    },
    Schema {
        set: "metadata",
        name: "DelegationTokenRecord",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<metadata::DelegationTokenRecord>,
        write_default: write_default::<metadata::DelegationTokenRecord>,
        structs: &[Structure {
            name: "DelegationTokenRecord",
            fields: &[
                field(String, Some((0, 32767))),
                field(String, Some((0, 32767))),
                field(Array(&String), Some((0, 32767))),
                field(Int64, Some((0, 32767))),
                field(Int64, Some((0, 32767))),
                field(Int64, Some((0, 32767))),
                field(String, Some((0, 32767))),
            ],
        }],
    },
    Schema {
        set: "metadata",
        name: "EndTransactionRecord",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<metadata::EndTransactionRecord>,
        write_default: write_default::<metadata::EndTransactionRecord>,
        structs: &[Structure { name: "EndTransactionRecord", fields: &[] }],
    },
    Schema {
        set: "metadata",
        name: "FeatureLevelRecord",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<metadata::FeatureLevelRecord>,
        write_default: write_default::<metadata::FeatureLevelRecord>,
        structs: &[Structure {
            name: "FeatureLevelRecord",
            fields: &[field(String, Some((0, 32767))), field(Int16, Some((0, 32767)))],
        }],
    },
    Schema {
        set: "metadata",
        name: "FenceBrokerRecord",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<metadata::FenceBrokerRecord>,
        write_default: write_default::<metadata::FenceBrokerRecord>,
        structs: &[Structure {
            name: "FenceBrokerRecord",
            fields: &[field(Int32, Some((0, 32767))), field(Int64, Some((0, 32767)))],
        }],
    },
    Schema {
        set: "metadata",
        name: "NoOpRecord",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<metadata::NoOpRecord>,
        write_default: write_default::<metadata::NoOpRecord>,
        structs: &[Structure { name: "NoOpRecord", fields: &[] }],
    },
    Schema {
        set: "metadata",
        name: "PartitionChangeRecord",
        versions: (0, 2),
        flexible: Some((0, 32767)),
        recode: recode::<metadata::PartitionChangeRecord>,
        write_default: write_default::<metadata::PartitionChangeRecord>,
        structs: &[Structure {
            name: "PartitionChangeRecord",
            fields: &[
                field(Int32, Some((0, 32767))).default("-1"),
                field(Uuid, Some((0, 32767))),
                field(Array(&Int32), Some((0, 32767)))
                    .nullable(0, 32767)
                    .tagged(0, 0, 32767)
                    .default("null"),
                field(Int32, Some((0, 32767))).tagged(1, 0, 32767).default("-2"),
                field(Array(&Int32), Some((0, 32767)))
                    .nullable(0, 32767)
                    .tagged(2, 0, 32767)
                    .default("null"),
                field(Array(&Int32), Some((0, 32767)))
                    .nullable(0, 32767)
                    .tagged(3, 0, 32767)
                    .default("null"),
                field(Array(&Int32), Some((0, 32767)))
                    .nullable(0, 32767)
                    .tagged(4, 0, 32767)
                    .default("null"),
                field(Int8, Some((0, 32767))).tagged(5, 0, 32767).default("-1"),
                field(Array(&Uuid), Some((1, 32767)))
                    .nullable(1, 32767)
                    .tagged(8, 1, 32767)
                    .default("null"),
                field(Array(&Int32), Some((2, 32767)))
                    .nullable(2, 32767)
                    .tagged(6, 2, 32767)
                    .default("null"),
                field(Array(&Int32), Some((2, 32767)))
                    .nullable(2, 32767)
                    .tagged(7, 2, 32767)
                    .default("null"),
            ],
        }],
    },
    Schema {
        set: "metadata",
        name: "PartitionRecord",
        versions: (0, 2),
        flexible: Some((0, 32767)),
        recode: recode::<metadata::PartitionRecord>,
        write_default: write_default::<metadata::PartitionRecord>,
        structs: &[Structure {
            name: "PartitionRecord",
            fields: &[
                field(Int32, Some((0, 32767))).default("-1"),
                field(Uuid, Some((0, 32767))),
                field(Array(&Int32), Some((0, 32767))),
                field(Array(&Int32), Some((0, 32767))),
                field(Array(&Int32), Some((0, 32767))),
                field(Array(&Int32), Some((0, 32767))),
                field(Int32, Some((0, 32767))).default("-1"),
                field(Int8, Some((0, 32767))).tagged(0, 0, 32767).default("0"),
                field(Int32, Some((0, 32767))).default("-1"),
                field(Int32, Some((0, 32767))).default("-1"),
                field(Array(&Uuid), Some((1, 32767))),
                field(Array(&Int32), Some((2, 32767)))
                    .nullable(2, 32767)
                    .tagged(1, 2, 32767)
                    .default("null"),
                field(Array(&Int32), Some((2, 32767)))
                    .nullable(2, 32767)
                    .tagged(2, 2, 32767)
                    .default("null"),
            ],
        }],
    },
    Schema {
        set: "metadata",
        name: "ProducerIdsRecord",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<metadata::ProducerIdsRecord>,
        write_default: write_default::<metadata::ProducerIdsRecord>,
        structs: &[Structure {
            name: "ProducerIdsRecord",
            fields: &[
                field(Int32, Some((0, 32767))),
                field(Int64, Some((0, 32767))).default("-1"),
                field(Int64, Some((0, 32767))),
            ],
        }],
    },
    Schema {
        set: "metadata",
        name: "RegisterBrokerRecord",
        versions: (0, 4),
        flexible: Some((0, 32767)),
        recode: recode::<metadata::RegisterBrokerRecord>,
        write_default: write_default::<metadata::RegisterBrokerRecord>,
        structs: &[
            Structure {
                name: "RegisterBrokerRecord",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Bool, Some((2, 32767))).default("false"),
                    field(Uuid, Some((0, 32767))),
                    field(Int64, Some((0, 32767))),
                    field(Array(&Struct("BrokerEndpoint")), Some((0, 32767))),
                    field(Array(&Struct("BrokerFeature")), Some((0, 32767))),
                    field(String, Some((0, 32767))).nullable(0, 32767),
                    field(Bool, Some((0, 32767))).default("true"),
                    field(Bool, Some((1, 32767))).default("false"),
                    field(Array(&Uuid), Some((3, 32767))).tagged(0, 3, 32767),
                    field(Array(&Uuid), Some((4, 32767)))
                        .nullable(4, 32767)
                        .tagged(1, 4, 32767)
                        .default("null"),
                ],
            },
            Structure {
                name: "BrokerEndpoint",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(String, Some((0, 32767))),
                    field(Uint16, Some((0, 32767))),
                    field(Int16, Some((0, 32767))),
                ],
            },
            Structure {
                name: "BrokerFeature",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(Int16, Some((0, 32767))),
                    field(Int16, Some((0, 32767))),
                ],
            },
        ],
    },
    Schema {
        set: "metadata",
        name: "RegisterControllerRecord",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<metadata::RegisterControllerRecord>,
        write_default: write_default::<metadata::RegisterControllerRecord>,
        structs: &[
            Structure {
                name: "RegisterControllerRecord",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Uuid, Some((0, 32767))),
                    field(Bool, Some((0, 32767))),
                    field(Array(&Struct("ControllerEndpoint")), Some((0, 32767))),
                    field(Array(&Struct("ControllerFeature")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "ControllerEndpoint",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(String, Some((0, 32767))),
                    field(Uint16, Some((0, 32767))),
                    field(Int16, Some((0, 32767))),
                ],
            },
            Structure {
                name: "ControllerFeature",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(Int16, Some((0, 32767))),
                    field(Int16, Some((0, 32767))),
                ],
            },
        ],
    },
    Schema {
        set: "metadata",
        name: "RemoveAccessControlEntryRecord",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<metadata::RemoveAccessControlEntryRecord>,
        write_default: write_default::<metadata::RemoveAccessControlEntryRecord>,
        structs: &[Structure {
            name: "RemoveAccessControlEntryRecord",
            fields: &[field(Uuid, Some((0, 32767)))],
        }],
    },
    Schema {
        set: "metadata",
        name: "RemoveDelegationTokenRecord",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<metadata::RemoveDelegationTokenRecord>,
        write_default: write_default::<metadata::RemoveDelegationTokenRecord>,
        structs: &[Structure {
            name: "RemoveDelegationTokenRecord",
            fields: &[field(String, Some((0, 32767)))],
        }],
    },
    Schema {
        set: "metadata",
        name: "RemoveTopicRecord",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<metadata::RemoveTopicRecord>,
        write_default: write_default::<metadata::RemoveTopicRecord>,
        structs: &[Structure {
            name: "RemoveTopicRecord",
            fields: &[field(Uuid, Some((0, 32767)))],
        }],
    },
    Schema {
        set: "metadata",
        name: "RemoveUserScramCredentialRecord",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<metadata::RemoveUserScramCredentialRecord>,
        write_default: write_default::<metadata::RemoveUserScramCredentialRecord>,
        structs: &[Structure {
            name: "RemoveUserScramCredentialRecord",
            fields: &[field(String, Some((0, 32767))), field(Int8, Some((0, 32767)))],
        }],
    },
    Schema {
        set: "metadata",
        name: "TopicRecord",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<metadata::TopicRecord>,
        write_default: write_default::<metadata::TopicRecord>,
        structs: &[Structure {
            name: "TopicRecord",
            fields: &[field(String, Some((0, 32767))), field(Uuid, Some((0, 32767)))],
        }],
    },
    Schema {
        set: "metadata",
        name: "UnfenceBrokerRecord",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<metadata::UnfenceBrokerRecord>,
        write_default: write_default::<metadata::UnfenceBrokerRecord>,
        structs: &[Structure {
            name: "UnfenceBrokerRecord",
            fields: &[field(Int32, Some((0, 32767))), field(Int64, Some((0, 32767)))],
        }],
    },
    Schema {
        set: "metadata",
        name: "UnregisterBrokerRecord",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<metadata::UnregisterBrokerRecord>,
        write_default: write_default::<metadata::UnregisterBrokerRecord>,
        structs: &[Structure {
            name: "UnregisterBrokerRecord",
            fields: &[field(Int32, Some((0, 32767))), field(Int64, Some((0, 32767)))],
        }],
    },
    Schema {
        set: "metadata",
        name: "UnregisterControllerRecord",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<metadata::UnregisterControllerRecord>,
        write_default: write_default::<metadata::UnregisterControllerRecord>,
        structs: &[Structure {
            name: "UnregisterControllerRecord",
            fields: &[field(Int32, Some((0, 32767)))],
        }],
    },
    Schema {
        set: "metadata",
        name: "UserScramCredentialRecord",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<metadata::UserScramCredentialRecord>,
        write_default: write_default::<metadata::UserScramCredentialRecord>,
        structs: &[Structure {
            name: "UserScramCredentialRecord",
            fields: &[
                field(String, Some((0, 32767))),
                field(Int8, Some((0, 32767))),
                field(Bytes, Some((0, 32767))),
                field(Bytes, Some((0, 32767))),
                field(Bytes, Some((0, 32767))),
                field(Int32, Some((0, 32767))),
            ],
        }],
    },
    Schema {
        set: "metadata",
        name: "ZkMigrationStateRecord",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<metadata::ZkMigrationStateRecord>,
        write_default: write_default::<metadata::ZkMigrationStateRecord>,
        structs: &[Structure {
            name: "ZkMigrationStateRecord",
            fields: &[field(Int8, Some((0, 32767)))],
        }],
    },
    Schema {
        set: "group",
        name: "ConsumerGroupCurrentMemberAssignmentKey",
        versions: (0, 0),
        flexible: None,
        recode: recode::<group::ConsumerGroupCurrentMemberAssignmentKey>,
        write_default: write_default::<group::ConsumerGroupCurrentMemberAssignmentKey>,
        structs: &[Structure {
            name: "ConsumerGroupCurrentMemberAssignmentKey",
            fields: &[field(String, Some((0, 0))), field(String, Some((0, 0)))],
        }],
    },
    Schema {
        set: "group",
        name: "ConsumerGroupCurrentMemberAssignmentValue",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<group::ConsumerGroupCurrentMemberAssignmentValue>,
        write_default: write_default::<group::ConsumerGroupCurrentMemberAssignmentValue>,
        structs: &[
            Structure {
                name: "ConsumerGroupCurrentMemberAssignmentValue",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                    field(Int8, Some((0, 32767))),
                    field(Array(&Struct("TopicPartitions")), Some((0, 32767))),
                    field(Array(&Struct("TopicPartitions")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "TopicPartitions",
                fields: &[
                    field(Uuid, Some((0, 32767))),
                    field(Array(&Int32), Some((0, 32767))),
                    field(Array(&Int32), Some((0, 32767))).nullable(0, 32767).tagged(0, 0, 32767),
                ],
            },
        ],
    },
    Schema {
        set: "group",
        name: "ConsumerGroupMemberMetadataKey",
        versions: (0, 0),
        flexible: None,
        recode: recode::<group::ConsumerGroupMemberMetadataKey>,
        write_default: write_default::<group::ConsumerGroupMemberMetadataKey>,
        structs: &[Structure {
            name: "ConsumerGroupMemberMetadataKey",
            fields: &[field(String, Some((0, 0))), field(String, Some((0, 0)))],
        }],
    },
    Schema {
        set: "group",
        name: "ConsumerGroupMemberMetadataValue",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<group::ConsumerGroupMemberMetadataValue>,
        write_default: write_default::<group::ConsumerGroupMemberMetadataValue>,
        structs: &[
            Structure {
                name: "ConsumerGroupMemberMetadataValue",
                fields: &[
                    field(String, Some((0, 32767))).nullable(0, 32767),
                    field(String, Some((0, 32767))).nullable(0, 32767),
                    field(String, Some((0, 32767))),
                    field(String, Some((0, 32767))),
                    field(Array(&String), Some((0, 32767))),
                    field(String, Some((0, 32767))).nullable(0, 32767),
                    field(Int32, Some((0, 32767))).default("-1"),
                    field(String, Some((0, 32767))).nullable(0, 32767),
                    field(Struct("ClassicMemberMetadata"), Some((0, 32767)))
                        .nullable(0, 32767)
                        .tagged(0, 0, 32767),
                ],
            },
            Structure {
                name: "ClassicMemberMetadata",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Array(&Struct("ClassicProtocol")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "ClassicProtocol",
                fields: &[field(String, Some((0, 32767))), field(Bytes, Some((0, 32767)))],
            },
        ],
    },
    Schema {
        set: "group",
        name: "ConsumerGroupMetadataKey",
        versions: (0, 0),
        flexible: None,
        recode: recode::<group::ConsumerGroupMetadataKey>,
        write_default: write_default::<group::ConsumerGroupMetadataKey>,
        structs: &[Structure {
            name: "ConsumerGroupMetadataKey",
            fields: &[field(String, Some((0, 0)))],
        }],
    },
    Schema {
        set: "group",
        name: "ConsumerGroupMetadataValue",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<group::ConsumerGroupMetadataValue>,
        write_default: write_default::<group::ConsumerGroupMetadataValue>,
        structs: &[Structure {
            name: "ConsumerGroupMetadataValue",
            fields: &[
                field(Int32, Some((0, 32767))),
                field(Int64, Some((0, 32767))).tagged(0, 0, 32767).default("0"),
            ],
        }],
    },
    Schema {
        set: "group",
        name: "ConsumerGroupPartitionMetadataKey",
        versions: (0, 0),
        flexible: None,
        recode: recode::<group::ConsumerGroupPartitionMetadataKey>,
        write_default: write_default::<group::ConsumerGroupPartitionMetadataKey>,
        structs: &[Structure {
            name: "ConsumerGroupPartitionMetadataKey",
            fields: &[field(String, Some((0, 0)))],
        }],
    },
    Schema {
        set: "group",
        name: "ConsumerGroupPartitionMetadataValue",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<group::ConsumerGroupPartitionMetadataValue>,
        write_default: write_default::<group::ConsumerGroupPartitionMetadataValue>,
        structs: &[
            Structure {
                name: "ConsumerGroupPartitionMetadataValue",
                fields: &[field(Array(&Struct("TopicMetadata")), Some((0, 32767)))],
            },
            Structure {
                name: "TopicMetadata",
                fields: &[
                    field(Uuid, Some((0, 32767))),
                    field(String, Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                    field(Array(&Struct("PartitionMetadata")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "PartitionMetadata",
                fields: &[field(Int32, Some((0, 32767))), field(Array(&String), Some((0, 32767)))],
            },
        ],
    },
    Schema {
        set: "group",
        name: "ConsumerGroupRegularExpressionKey",
        versions: (0, 0),
        flexible: None,
        recode: recode::<group::ConsumerGroupRegularExpressionKey>,
        write_default: write_default::<group::ConsumerGroupRegularExpressionKey>,
        structs: &[Structure {
            name: "ConsumerGroupRegularExpressionKey",
            fields: &[field(String, Some((0, 0))), field(String, Some((0, 0)))],
        }],
    },
    Schema {
        set: "group",
        name: "ConsumerGroupRegularExpressionValue",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<group::ConsumerGroupRegularExpressionValue>,
        write_default: write_default::<group::ConsumerGroupRegularExpressionValue>,
        structs: &[Structure {
            name: "ConsumerGroupRegularExpressionValue",
            fields: &[
                field(Array(&String), Some((0, 32767))),
                field(Int64, Some((0, 32767))),
                field(Int64, Some((0, 32767))),
            ],
        }],
    },
    Schema {
        set: "group",
        name: "ConsumerGroupTargetAssignmentMemberKey",
        versions: (0, 0),
        flexible: None,
        recode: recode::<group::ConsumerGroupTargetAssignmentMemberKey>,
        write_default: write_default::<group::ConsumerGroupTargetAssignmentMemberKey>,
        structs: &[Structure {
            name: "ConsumerGroupTargetAssignmentMemberKey",
            fields: &[field(String, Some((0, 0))), field(String, Some((0, 0)))],
        }],
    },
    Schema {
        set: "group",
        name: "ConsumerGroupTargetAssignmentMemberValue",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<group::ConsumerGroupTargetAssignmentMemberValue>,
        write_default: write_default::<group::ConsumerGroupTargetAssignmentMemberValue>,
        structs: &[
            Structure {
                name: "ConsumerGroupTargetAssignmentMemberValue",
                fields: &[field(Array(&Struct("TopicPartition")), Some((0, 32767)))],
            },
            Structure {
                name: "TopicPartition",
                fields: &[field(Uuid, Some((0, 32767))), field(Array(&Int32), Some((0, 32767)))],
            },
        ],
    },
    Schema {
        set: "group",
        name: "ConsumerGroupTargetAssignmentMetadataKey",
        versions: (0, 0),
        flexible: None,
        recode: recode::<group::ConsumerGroupTargetAssignmentMetadataKey>,
        write_default: write_default::<group::ConsumerGroupTargetAssignmentMetadataKey>,
        structs: &[Structure {
            name: "ConsumerGroupTargetAssignmentMetadataKey",
            fields: &[field(String, Some((0, 0)))],
        }],
    },
    Schema {
        set: "group",
        name: "ConsumerGroupTargetAssignmentMetadataValue",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<group::ConsumerGroupTargetAssignmentMetadataValue>,
        write_default: write_default::<group::ConsumerGroupTargetAssignmentMetadataValue>,
        structs: &[Structure {
            name: "ConsumerGroupTargetAssignmentMetadataValue",
            fields: &[
                field(Int32, Some((0, 32767))),
                field(Int64, Some((0, 32767))).tagged(0, 0, 32767).default("0"),
            ],
        }],
    },
    Schema {
        set: "group",
        name: "GroupMetadataKey",
        versions: (0, 0),
        flexible: None,
        recode: recode::<group::GroupMetadataKey>,
        write_default: write_default::<group::GroupMetadataKey>,
        structs: &[Structure { name: "GroupMetadataKey", fields: &[field(String, Some((0, 0)))] }],
    },
    Schema {
        set: "group",
        name: "GroupMetadataValue",
        versions: (0, 4),
        flexible: Some((4, 32767)),
        recode: recode::<group::GroupMetadataValue>,
        write_default: write_default::<group::GroupMetadataValue>,
        structs: &[
            Structure {
                name: "GroupMetadataValue",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                    field(String, Some((0, 32767))).nullable(0, 32767),
                    field(String, Some((0, 32767))).nullable(0, 32767),
                    field(Int64, Some((2, 32767))).default("-1"),
                    field(Array(&Struct("MemberMetadata")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "MemberMetadata",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(String, Some((3, 32767))).nullable(3, 32767).default("null"),
                    field(String, Some((0, 32767))),
                    field(String, Some((0, 32767))),
                    field(Int32, Some((1, 32767))).default("-1"),
                    field(Int32, Some((0, 32767))),
                    field(Bytes, Some((0, 32767))),
                    field(Bytes, Some((0, 32767))),
                ],
            },
        ],
    },
    Schema {
        set: "group",
        name: "LegacyOffsetCommitKey",
        versions: (0, 0),
        flexible: None,
        recode: recode::<group::LegacyOffsetCommitKey>,
        write_default: write_default::<group::LegacyOffsetCommitKey>,
        structs: &[Structure {
            name: "LegacyOffsetCommitKey",
            fields: &[
                field(String, Some((0, 0))),
                field(String, Some((0, 0))),
                field(Int32, Some((0, 0))),
            ],
        }],
    },
    Schema {
        set: "group",
        name: "LegacyOffsetCommitValue",
        versions: (0, 0),
        flexible: None,
        recode: recode::<group::LegacyOffsetCommitValue>,
        write_default: write_default::<group::LegacyOffsetCommitValue>,
        structs: &[Structure {
            name: "LegacyOffsetCommitValue",
            fields: &[
                field(Int64, Some((0, 0))),
                field(String, Some((0, 0))),
                field(Int64, Some((0, 0))),
            ],
        }],
    },
    Schema {
        set: "group",
        name: "OffsetCommitKey",
        versions: (0, 0),
        flexible: None,
        recode: recode::<group::OffsetCommitKey>,
        write_default: write_default::<group::OffsetCommitKey>,
        structs: &[Structure {
            name: "OffsetCommitKey",
            fields: &[
                field(String, Some((0, 0))),
                field(String, Some((0, 0))),
                field(Int32, Some((0, 0))),
            ],
        }],
    },
    Schema {
        set: "group",
        name: "OffsetCommitValue",
        versions: (0, 4),
        flexible: Some((4, 32767)),
        recode: recode::<group::OffsetCommitValue>,
        write_default: write_default::<group::OffsetCommitValue>,
        structs: &[Structure {
            name: "OffsetCommitValue",
            fields: &[
                field(Int64, Some((0, 32767))),
                field(Int32, Some((3, 32767))).default("-1"),
                field(String, Some((0, 32767))),
                field(Int64, Some((0, 32767))),
                field(Int64, Some((1, 1))).default("-1"),
                field(Uuid, Some((4, 32767))).tagged(0, 4, 32767),
            ],
        }],
    },
    Schema {
        set: "group",
        name: "ShareGroupCurrentMemberAssignmentKey",
        versions: (0, 0),
        flexible: None,
        recode: recode::<group::ShareGroupCurrentMemberAssignmentKey>,
        write_default: write_default::<group::ShareGroupCurrentMemberAssignmentKey>,
        structs: &[Structure {
            name: "ShareGroupCurrentMemberAssignmentKey",
            fields: &[field(String, Some((0, 0))), field(String, Some((0, 0)))],
        }],
    },
    Schema {
        set: "group",
        name: "ShareGroupCurrentMemberAssignmentValue",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<group::ShareGroupCurrentMemberAssignmentValue>,
        write_default: write_default::<group::ShareGroupCurrentMemberAssignmentValue>,
        structs: &[
            Structure {
                name: "ShareGroupCurrentMemberAssignmentValue",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                    field(Int8, Some((0, 32767))),
                    field(Array(&Struct("TopicPartitions")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "TopicPartitions",
                fields: &[field(Uuid, Some((0, 32767))), field(Array(&Int32), Some((0, 32767)))],
            },
        ],
    },
    Schema {
        set: "group",
        name: "ShareGroupMemberMetadataKey",
        versions: (0, 0),
        flexible: None,
        recode: recode::<group::ShareGroupMemberMetadataKey>,
        write_default: write_default::<group::ShareGroupMemberMetadataKey>,
        structs: &[Structure {
            name: "ShareGroupMemberMetadataKey",
            fields: &[field(String, Some((0, 0))), field(String, Some((0, 0)))],
        }],
    },
    Schema {
        set: "group",
        name: "ShareGroupMemberMetadataValue",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<group::ShareGroupMemberMetadataValue>,
        write_default: write_default::<group::ShareGroupMemberMetadataValue>,
        structs: &[Structure {
            name: "ShareGroupMemberMetadataValue",
            fields: &[
                field(String, Some((0, 32767))).nullable(0, 32767),
                field(String, Some((0, 32767))),
                field(String, Some((0, 32767))),
                field(Array(&String), Some((0, 32767))),
            ],
        }],
    },
    Schema {
        set: "group",
        name: "ShareGroupMetadataKey",
        versions: (0, 0),
        flexible: None,
        recode: recode::<group::ShareGroupMetadataKey>,
        write_default: write_default::<group::ShareGroupMetadataKey>,
        structs: &[Structure {
            name: "ShareGroupMetadataKey",
            fields: &[field(String, Some((0, 0)))],
        }],
    },
    Schema {
        set: "group",
        name: "ShareGroupMetadataValue",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<group::ShareGroupMetadataValue>,
        write_default: write_default::<group::ShareGroupMetadataValue>,
        structs: &[Structure {
            name: "ShareGroupMetadataValue",
            fields: &[field(Int32, Some((0, 32767))), field(Int64, Some((0, 32767)))],
        }],
    },
    Schema {
        set: "group",
        name: "ShareGroupStatePartitionMetadataKey",
        versions: (0, 0),
        flexible: None,
        recode: recode::<group::ShareGroupStatePartitionMetadataKey>,
        write_default: write_default::<group::ShareGroupStatePartitionMetadataKey>,
        structs: &[Structure {
            name: "ShareGroupStatePartitionMetadataKey",
            fields: &[field(String, Some((0, 0)))],
        }],
    },
    Schema {
        set: "group",
        name: "ShareGroupStatePartitionMetadataValue",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<group::ShareGroupStatePartitionMetadataValue>,
        write_default: write_default::<group::ShareGroupStatePartitionMetadataValue>,
        structs: &[
            Structure {
                name: "ShareGroupStatePartitionMetadataValue",
                fields: &[
                    field(Array(&Struct("TopicPartitionsInfo")), Some((0, 32767))),
                    field(Array(&Struct("TopicPartitionsInfo")), Some((0, 32767))),
                    field(Array(&Struct("TopicInfo")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "TopicPartitionsInfo",
                fields: &[
                    field(Uuid, Some((0, 32767))),
                    field(String, Some((0, 32767))),
                    field(Array(&Int32), Some((0, 32767))),
                ],
            },
            Structure {
                name: "TopicInfo",
                fields: &[field(Uuid, Some((0, 32767))), field(String, Some((0, 32767)))],
            },
        ],
    },
    Schema {
        set: "group",
        name: "ShareGroupTargetAssignmentMemberKey",
        versions: (0, 0),
        flexible: None,
        recode: recode::<group::ShareGroupTargetAssignmentMemberKey>,
        write_default: write_default::<group::ShareGroupTargetAssignmentMemberKey>,
        structs: &[Structure {
            name: "ShareGroupTargetAssignmentMemberKey",
            fields: &[field(String, Some((0, 0))), field(String, Some((0, 0)))],
        }],
    },
    Schema {
        set: "group",
        name: "ShareGroupTargetAssignmentMemberValue",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<group::ShareGroupTargetAssignmentMemberValue>,
        write_default: write_default::<group::ShareGroupTargetAssignmentMemberValue>,
        structs: &[
            Structure {
                name: "ShareGroupTargetAssignmentMemberValue",
                fields: &[field(Array(&Struct("TopicPartition")), Some((0, 32767)))],
            },
            Structure {
                name: "TopicPartition",
                fields: &[field(Uuid, Some((0, 32767))), field(Array(&Int32), Some((0, 32767)))],
            },
        ],
    },
    Schema {
        set: "group",
        name: "ShareGroupTargetAssignmentMetadataKey",
        versions: (0, 0),
        flexible: None,
        recode: recode::<group::ShareGroupTargetAssignmentMetadataKey>,
        write_default: write_default::<group::ShareGroupTargetAssignmentMetadataKey>,
        structs: &[Structure {
            name: "ShareGroupTargetAssignmentMetadataKey",
            fields: &[field(String, Some((0, 0)))],
        }],
    },
    Schema {
        set: "group",
        name: "ShareGroupTargetAssignmentMetadataValue",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<group::ShareGroupTargetAssignmentMetadataValue>,
        write_default: write_default::<group::ShareGroupTargetAssignmentMetadataValue>,
        structs: &[Structure {
            name: "ShareGroupTargetAssignmentMetadataValue",
            fields: &[
                field(Int32, Some((0, 32767))),
                field(Int64, Some((0, 32767))).tagged(0, 0, 32767).default("0"),
            ],
        }],
    },
    Schema {
        set: "group",
        name: "StreamsGroupCurrentMemberAssignmentKey",
        versions: (0, 0),
        flexible: None,
        recode: recode::<group::StreamsGroupCurrentMemberAssignmentKey>,
        write_default: write_default::<group::StreamsGroupCurrentMemberAssignmentKey>,
        structs: &[Structure {
            name: "StreamsGroupCurrentMemberAssignmentKey",
            fields: &[field(String, Some((0, 0))), field(String, Some((0, 0)))],
        }],
    },
    Schema {
        set: "group",
        name: "StreamsGroupCurrentMemberAssignmentValue",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<group::StreamsGroupCurrentMemberAssignmentValue>,
        write_default: write_default::<group::StreamsGroupCurrentMemberAssignmentValue>,
        structs: &[
            Structure {
                name: "StreamsGroupCurrentMemberAssignmentValue",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                    field(Int8, Some((0, 32767))),
                    field(Array(&Struct("TaskIds")), Some((0, 32767))),
                    field(Array(&Struct("TaskIds")), Some((0, 32767))),
                    field(Array(&Struct("TaskIds")), Some((0, 32767))),
                    field(Array(&Struct("TaskIds")), Some((0, 32767))),
                    field(Array(&Struct("TaskIds")), Some((0, 32767))),
                    field(Array(&Struct("TaskIds")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "TaskIds",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(Array(&Int32), Some((0, 32767))),
                    field(Array(&Int32), Some((0, 32767))).nullable(0, 32767).tagged(0, 0, 32767),
                ],
            },
        ],
    },
    Schema {
        set: "group",
        name: "StreamsGroupMemberMetadataKey",
        versions: (0, 0),
        flexible: None,
        recode: recode::<group::StreamsGroupMemberMetadataKey>,
        write_default: write_default::<group::StreamsGroupMemberMetadataKey>,
        structs: &[Structure {
            name: "StreamsGroupMemberMetadataKey",
            fields: &[field(String, Some((0, 0))), field(String, Some((0, 0)))],
        }],
    },
    Schema {
        set: "group",
        name: "StreamsGroupMemberMetadataValue",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<group::StreamsGroupMemberMetadataValue>,
        write_default: write_default::<group::StreamsGroupMemberMetadataValue>,
        structs: &[
            Structure {
                name: "StreamsGroupMemberMetadataValue",
                fields: &[
                    field(String, Some((0, 32767))).nullable(0, 32767),
                    field(String, Some((0, 32767))).nullable(0, 32767),
                    field(String, Some((0, 32767))),
                    field(String, Some((0, 32767))),
                    field(Int32, Some((0, 32767))).default("-1"),
                    field(Int32, Some((0, 32767))),
                    field(String, Some((0, 32767))),
                    field(Struct("Endpoint"), Some((0, 32767))).nullable(0, 32767).default("null"),
                    field(Array(&Struct("KeyValue")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "Endpoint",
                fields: &[field(String, Some((0, 32767))), field(Uint16, Some((0, 32767)))],
            },
            Structure {
                name: "KeyValue",
                fields: &[field(String, Some((0, 32767))), field(String, Some((0, 32767)))],
            },
        ],
    },
    Schema {
        set: "group",
        name: "StreamsGroupMetadataKey",
        versions: (0, 0),
        flexible: None,
        recode: recode::<group::StreamsGroupMetadataKey>,
        write_default: write_default::<group::StreamsGroupMetadataKey>,
        structs: &[Structure {
            name: "StreamsGroupMetadataKey",
            fields: &[field(String, Some((0, 0)))],
        }],
    },
    Schema {
        set: "group",
        name: "StreamsGroupMetadataValue",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<group::StreamsGroupMetadataValue>,
        write_default: write_default::<group::StreamsGroupMetadataValue>,
        structs: &[
            Structure {
                name: "StreamsGroupMetadataValue",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Int64, Some((0, 32767))),
                    field(Int32, Some((0, 32767))).tagged(0, 0, 32767).default("-1"),
                    field(Array(&Struct("LastAssignmentConfig")), Some((0, 32767)))
                        .nullable(0, 32767)
                        .tagged(1, 0, 32767),
                    field(Int32, Some((0, 32767))).tagged(2, 0, 32767).default("-1"),
                    field(Int32, Some((0, 32767))).tagged(3, 0, 32767).default("-1"),
                ],
            },
            Structure {
                name: "LastAssignmentConfig",
                fields: &[field(String, Some((0, 32767))), field(String, Some((0, 32767)))],
            },
        ],
    },
    Schema {
        set: "group",
        name: "StreamsGroupTargetAssignmentMemberKey",
        versions: (0, 0),
        flexible: None,
        recode: recode::<group::StreamsGroupTargetAssignmentMemberKey>,
        write_default: write_default::<group::StreamsGroupTargetAssignmentMemberKey>,
        structs: &[Structure {
            name: "StreamsGroupTargetAssignmentMemberKey",
            fields: &[field(String, Some((0, 0))), field(String, Some((0, 0)))],
        }],
    },
    Schema {
        set: "group",
        name: "StreamsGroupTargetAssignmentMemberValue",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<group::StreamsGroupTargetAssignmentMemberValue>,
        write_default: write_default::<group::StreamsGroupTargetAssignmentMemberValue>,
        structs: &[
            Structure {
                name: "StreamsGroupTargetAssignmentMemberValue",
                fields: &[
                    field(Array(&Struct("TaskIds")), Some((0, 32767))),
                    field(Array(&Struct("TaskIds")), Some((0, 32767))),
                    field(Array(&Struct("TaskIds")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "TaskIds",
                fields: &[field(String, Some((0, 32767))), field(Array(&Int32), Some((0, 32767)))],
            },
        ],
    },
    Schema {
        set: "group",
        name: "StreamsGroupTargetAssignmentMetadataKey",
        versions: (0, 0),
        flexible: None,
        recode: recode::<group::StreamsGroupTargetAssignmentMetadataKey>,
        write_default: write_default::<group::StreamsGroupTargetAssignmentMetadataKey>,
        structs: &[Structure {
            name: "StreamsGroupTargetAssignmentMetadataKey",
            fields: &[field(String, Some((0, 0)))],
        }],
    },
    Schema {
        set: "group",
        name: "StreamsGroupTargetAssignmentMetadataValue",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<group::StreamsGroupTargetAssignmentMetadataValue>,
        write_default: write_default::<group::StreamsGroupTargetAssignmentMetadataValue>,
        structs: &[Structure {
            name: "StreamsGroupTargetAssignmentMetadataValue",
            fields: &[
                field(Int32, Some((0, 32767))),
                field(Int64, Some((0, 32767))).tagged(0, 0, 32767).default("0"),
            ],
        }],
    },
    Schema {
        set: "group",
        name: "StreamsGroupTopologyKey",
        versions: (0, 0),
        flexible: None,
        recode: recode::<group::StreamsGroupTopologyKey>,
        write_default: write_default::<group::StreamsGroupTopologyKey>,
        structs: &[Structure {
            name: "StreamsGroupTopologyKey",
            fields: &[field(String, Some((0, 0)))],
        }],
    },
    Schema {
        set: "group",
        name: "StreamsGroupTopologyValue",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<group::StreamsGroupTopologyValue>,
        write_default: write_default::<group::StreamsGroupTopologyValue>,
        structs: &[
            Structure {
                name: "StreamsGroupTopologyValue",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Array(&Struct("Subtopology")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "Subtopology",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(Array(&String), Some((0, 32767))),
                    field(Array(&String), Some((0, 32767))),
                    field(Array(&Struct("TopicInfo")), Some((0, 32767))),
                    field(Array(&String), Some((0, 32767))),
                    field(Array(&Struct("TopicInfo")), Some((0, 32767))),
                    field(Array(&Struct("CopartitionGroup")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "CopartitionGroup",
                fields: &[
                    field(Array(&Int16), Some((0, 32767))),
                    field(Array(&Int16), Some((0, 32767))),
                    field(Array(&Int16), Some((0, 32767))),
                ],
            },
            Structure {
                name: "TopicConfig",
                fields: &[field(String, Some((0, 32767))), field(String, Some((0, 32767)))],
            },
            Structure {
                name: "TopicInfo",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                    field(Int16, Some((0, 32767))),
                    field(Array(&Struct("TopicConfig")), Some((0, 32767))),
                ],
            },
        ],
    },
    Schema {
        set: "transaction",
        name: "TransactionLogKey",
        versions: (0, 0),
        flexible: None,
        recode: recode::<transaction::TransactionLogKey>,
        write_default: write_default::<transaction::TransactionLogKey>,
        structs: &[Structure { name: "TransactionLogKey", fields: &[field(String, Some((0, 0)))] }],
    },
    Schema {
        set: "transaction",
        name: "TransactionLogValue",
        versions: (0, 1),
        flexible: Some((1, 32767)),
        recode: recode::<transaction::TransactionLogValue>,
        write_default: write_default::<transaction::TransactionLogValue>,
        structs: &[
            Structure {
                name: "TransactionLogValue",
                fields: &[
                    field(Int64, Some((0, 32767))),
                    field(Int64, Some((1, 32767))).tagged(0, 1, 32767).default("-1"),
                    field(Int64, Some((1, 32767))).tagged(1, 1, 32767).default("-1"),
                    field(Int16, Some((0, 32767))),
                    field(Int16, Some((1, 32767))).tagged(3, 1, 32767).default("-1"),
                    field(Int32, Some((0, 32767))),
                    field(Int8, Some((0, 32767))),
                    field(Array(&Struct("PartitionsSchema")), Some((0, 32767))).nullable(0, 32767),
                    field(Int64, Some((0, 32767))),
                    field(Int64, Some((0, 32767))),
                    field(Int16, Some((1, 32767))).tagged(2, 1, 32767).default("0"),
                ],
            },
            Structure {
                name: "PartitionsSchema",
                fields: &[field(String, Some((0, 32767))), field(Array(&Int32), Some((0, 32767)))],
            },
        ],
    },
    Schema {
        set: "share",
        name: "ShareSnapshotKey",
        versions: (0, 0),
        flexible: None,
        recode: recode::<share::ShareSnapshotKey>,
        write_default: write_default::<share::ShareSnapshotKey>,
        structs: &[Structure {
            name: "ShareSnapshotKey",
            fields: &[
                field(String, Some((0, 0))),
                field(Uuid, Some((0, 0))),
                field(Int32, Some((0, 0))),
            ],
        }],
    },
    Schema {
        set: "share",
        name: "ShareSnapshotValue",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<share::ShareSnapshotValue>,
        write_default: write_default::<share::ShareSnapshotValue>,
        structs: &[
            Structure {
                name: "ShareSnapshotValue",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                    field(Int64, Some((0, 32767))),
                    field(Int32, Some((0, 32767))).tagged(0, 0, 32767).default("-1"),
                    field(Int64, Some((0, 32767))),
                    field(Int64, Some((0, 32767))),
                    field(Array(&Struct("StateBatch")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "StateBatch",
                fields: &[
                    field(Int64, Some((0, 32767))),
                    field(Int64, Some((0, 32767))),
                    field(Int8, Some((0, 32767))),
                    field(Int16, Some((0, 32767))),
                ],
            },
        ],
    },
    Schema {
        set: "share",
        name: "ShareUpdateKey",
        versions: (0, 0),
        flexible: None,
        recode: recode::<share::ShareUpdateKey>,
        write_default: write_default::<share::ShareUpdateKey>,
        structs: &[Structure {
            name: "ShareUpdateKey",
            fields: &[
                field(String, Some((0, 0))),
                field(Uuid, Some((0, 0))),
                field(Int32, Some((0, 0))),
            ],
        }],
    },
    Schema {
        set: "share",
        name: "ShareUpdateValue",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<share::ShareUpdateValue>,
        write_default: write_default::<share::ShareUpdateValue>,
        structs: &[
            Structure {
                name: "ShareUpdateValue",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                    field(Int64, Some((0, 32767))),
                    field(Int32, Some((0, 32767))).tagged(0, 0, 32767).default("-1"),
                    field(Array(&Struct("StateBatch")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "StateBatch",
                fields: &[
                    field(Int64, Some((0, 32767))),
                    field(Int64, Some((0, 32767))),
                    field(Int8, Some((0, 32767))),
                    field(Int16, Some((0, 32767))),
                ],
            },
        ],
    },
    Schema {
        set: "file",
        name: "AbortedTxn",
        versions: (0, 0),
        flexible: None,
        recode: recode::<file::AbortedTxn>,
        write_default: write_default::<file::AbortedTxn>,
        structs: &[Structure {
            name: "AbortedTxn",
            fields: &[
                field(Int64, Some((0, 32767))),
                field(Int64, Some((0, 32767))),
                field(Int64, Some((0, 32767))),
                field(Int64, Some((0, 32767))),
            ],
        }],
    },
    Schema {
        set: "file",
        name: "ConsumerProtocolAssignment",
        versions: (0, 3),
        flexible: None,
        recode: recode::<file::ConsumerProtocolAssignment>,
        write_default: write_default::<file::ConsumerProtocolAssignment>,
        structs: &[
            Structure {
                name: "ConsumerProtocolAssignment",
                fields: &[
                    field(Array(&Struct("TopicPartition")), Some((0, 32767))),
                    field(Bytes, Some((0, 32767))).nullable(0, 32767).default("null"),
                ],
            },
            Structure {
                name: "TopicPartition",
                fields: &[field(String, Some((0, 32767))), field(Array(&Int32), Some((0, 32767)))],
            },
        ],
    },
    Schema {
        set: "file",
        name: "ConsumerProtocolSubscription",
        versions: (0, 3),
        flexible: None,
        recode: recode::<file::ConsumerProtocolSubscription>,
        write_default: write_default::<file::ConsumerProtocolSubscription>,
        structs: &[
            Structure {
                name: "ConsumerProtocolSubscription",
                fields: &[
                    field(Array(&String), Some((0, 32767))),
                    field(Bytes, Some((0, 32767))).nullable(0, 32767).default("null"),
                    field(Array(&Struct("TopicPartition")), Some((1, 32767))),
                    field(Int32, Some((2, 32767))).default("-1"),
                    field(String, Some((3, 32767))).nullable(3, 32767).default("null"),
                ],
            },
            Structure {
                name: "TopicPartition",
                fields: &[field(String, Some((1, 32767))), field(Array(&Int32), Some((1, 32767)))],
            },
        ],
    },
    Schema {
        set: "file",
        name: "ControlRecordTypeSchema",
        versions: (0, 0),
        flexible: None,
        recode: recode::<file::ControlRecordTypeSchema>,
        write_default: write_default::<file::ControlRecordTypeSchema>,
        structs: &[Structure {
            name: "ControlRecordTypeSchema",
            fields: &[field(Int16, Some((0, 32767)))],
        }],
    },
    Schema {
        set: "file",
        name: "DefaultPrincipalData",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<file::DefaultPrincipalData>,
        write_default: write_default::<file::DefaultPrincipalData>,
        structs: &[Structure {
            name: "DefaultPrincipalData",
            fields: &[
                field(String, Some((0, 32767))),
                field(String, Some((0, 32767))),
                field(Bool, Some((0, 32767))),
            ],
        }],
    },
    Schema {
        set: "file",
        name: "EndTxnMarker",
        versions: (0, 0),
        flexible: None,
        recode: recode::<file::EndTxnMarker>,
        write_default: write_default::<file::EndTxnMarker>,
        structs: &[Structure { name: "EndTxnMarker", fields: &[field(Int32, Some((0, 32767)))] }],
    },
    Schema {
        set: "file",
        name: "KRaftVersionRecord",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<file::KRaftVersionRecord>,
        write_default: write_default::<file::KRaftVersionRecord>,
        structs: &[Structure {
            name: "KRaftVersionRecord",
            fields: &[field(Int16, Some((0, 32767))), field(Int16, Some((0, 32767)))],
        }],
    },
    Schema {
        set: "file",
        name: "LeaderChangeMessage",
        versions: (0, 1),
        flexible: Some((0, 32767)),
        recode: recode::<file::LeaderChangeMessage>,
        write_default: write_default::<file::LeaderChangeMessage>,
        structs: &[
            Structure {
                name: "LeaderChangeMessage",
                fields: &[
                    field(Int16, Some((0, 32767))),
                    field(Int32, Some((0, 32767))),
                    field(Array(&Struct("Voter")), Some((0, 32767))),
                    field(Array(&Struct("Voter")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "Voter",
                fields: &[field(Int32, Some((0, 32767))), field(Uuid, Some((1, 32767)))],
            },
        ],
    },
    Schema {
        set: "file",
        name: "ProducerSnapshot",
        versions: (1, 1),
        flexible: None,
        recode: recode::<file::ProducerSnapshot>,
        write_default: write_default::<file::ProducerSnapshot>,
        structs: &[
            Structure {
                name: "ProducerSnapshot",
                fields: &[
                    field(Uint32, Some((1, 1))),
                    field(Array(&Struct("ProducerEntry")), Some((1, 1))),
                ],
            },
            Structure {
                name: "ProducerEntry",
                fields: &[
                    field(Int64, Some((1, 1))),
                    field(Int16, Some((1, 1))),
                    field(Int32, Some((1, 1))),
                    field(Int64, Some((1, 1))),
                    field(Int32, Some((1, 1))),
                    field(Int64, Some((1, 1))),
                    field(Int32, Some((1, 1))),
                    field(Int64, Some((1, 1))),
                ],
            },
        ],
    },
    Schema {
        set: "file",
        name: "QuorumStateData",
        versions: (0, 1),
        flexible: Some((0, 32767)),
        recode: recode::<file::QuorumStateData>,
        write_default: write_default::<file::QuorumStateData>,
        structs: &[
            Structure {
                name: "QuorumStateData",
                fields: &[
                    field(String, Some((0, 0))),
                    field(Int32, Some((0, 32767))).default("-1"),
                    field(Int32, Some((0, 32767))).default("-1"),
                    field(Int32, Some((0, 32767))).default("-1"),
                    field(Uuid, Some((1, 32767))),
                    field(Int64, Some((0, 0))),
                    field(Array(&Struct("Voter")), Some((0, 0))).nullable(0, 0),
                ],
            },
            Structure { name: "Voter", fields: &[field(Int32, Some((0, 0)))] },
        ],
    },
    Schema {
        set: "file",
        name: "SnapshotFooterRecord",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<file::SnapshotFooterRecord>,
        write_default: write_default::<file::SnapshotFooterRecord>,
        structs: &[Structure {
            name: "SnapshotFooterRecord",
            fields: &[field(Int16, Some((0, 32767)))],
        }],
    },
    Schema {
        set: "file",
        name: "SnapshotHeaderRecord",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<file::SnapshotHeaderRecord>,
        write_default: write_default::<file::SnapshotHeaderRecord>,
        structs: &[Structure {
            name: "SnapshotHeaderRecord",
            fields: &[field(Int16, Some((0, 32767))), field(Int64, Some((0, 32767)))],
        }],
    },
    Schema {
        set: "file",
        name: "VotersRecord",
        versions: (0, 0),
        flexible: Some((0, 32767)),
        recode: recode::<file::VotersRecord>,
        write_default: write_default::<file::VotersRecord>,
        structs: &[
            Structure {
                name: "VotersRecord",
                fields: &[
                    field(Int16, Some((0, 32767))),
                    field(Array(&Struct("Voter")), Some((0, 32767))),
                ],
            },
            Structure {
                name: "Voter",
                fields: &[
                    field(Int32, Some((0, 32767))),
                    field(Uuid, Some((0, 32767))),
                    field(Array(&Struct("Endpoint")), Some((0, 32767))),
                    field(Struct("KRaftVersionFeature"), Some((0, 32767))),
                ],
            },
            Structure {
                name: "Endpoint",
                fields: &[
                    field(String, Some((0, 32767))),
                    field(String, Some((0, 32767))),
                    field(Uint16, Some((0, 32767))),
                ],
            },
            Structure {
                name: "KRaftVersionFeature",
                fields: &[field(Int16, Some((0, 32767))), field(Int16, Some((0, 32767)))],
            },
        ],
    },
];

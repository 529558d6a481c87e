import com.fasterxml.jackson.databind.ObjectMapper;
import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.coordinator.group.GroupConfig;
import org.apache.kafka.server.config.DynamicBrokerConfig;
import org.apache.kafka.server.config.DynamicConfig;
import org.apache.kafka.server.config.ServerTopicConfigSynonyms;
import org.apache.kafka.storage.internals.log.LogConfig;

/**
 * Prints what Apache Kafka knows about its broker, topic and group configs, as one JSON object {broker, topic, group},
 * each a list of definitions sorted by name. `cargo xtask codegen-configs` runs it against Kafka's jars and turns the
 * answer into Rust.
 */
public class ConfigDefinitions {
    private static final String HOURS = "hours";
    private static final String MINUTES = "minutes";

    public static void main(String[] arguments) throws Exception {
        Map<String, Object> all = new LinkedHashMap<>();
        all.put("broker", broker());
        all.put("topic", topic());
        all.put("group", group());
        System.out.println(new ObjectMapper().writeValueAsString(all));
    }

    private static List<Map<String, Object>> broker() throws Exception {
        Map<String, String> updateModes = DynamicBrokerConfig.dynamicConfigUpdateModes();
        Map<String, ConfigDef.ConfigKey> keys = kafka.server.KafkaConfig.configDef().configKeys();
        List<Map<String, Object>> definitions = new ArrayList<>();
        for (ConfigDef.ConfigKey key : new TreeMap<>(keys).values()) {
            Map<String, Object> definition = definition(key);
            definition.put("update_mode", updateModes.getOrDefault(key.name, "read-only"));
            definitions.add(definition);
        }
        // Some names exist only as dynamic configs: the replication throttles.
        Map<String, ConfigDef.ConfigKey> dynamicKeys = DynamicConfig.Broker.configKeys();
        for (String name : new TreeSet<>(dynamicKeys.keySet())) {
            if (keys.containsKey(name)) continue;
            Map<String, Object> definition = definition(dynamicKeys.get(name));
            definition.put("update_mode", updateModes.getOrDefault(name, "cluster-wide"));
            definition.put("internal", true);
            definitions.add(definition);
        }
        definitions.sort((left, right) -> ((String) left.get("name")).compareTo((String) right.get("name")));
        return definitions;
    }

    private static List<Map<String, Object>> topic() throws Exception {
        List<Map<String, Object>> definitions = new ArrayList<>();
        for (ConfigDef.ConfigKey key : new TreeMap<>(LogConfig.configKeys()).values()) {
            Map<String, Object> definition = definition(key);
            definition.put("update_mode", "cluster-wide");
            List<Map<String, String>> synonyms = new ArrayList<>();
            for (var synonym : ServerTopicConfigSynonyms.ALL_TOPIC_CONFIG_SYNONYMS.getOrDefault(key.name, List.of())) {
                // What a converter does is told apart by what it makes of one unit.
                String converted = synonym.converter().apply("1");
                String unit = switch (converted) {
                    case "1" -> "same";
                    case "3600000" -> HOURS;
                    case "60000" -> MINUTES;
                    default -> throw new IllegalStateException(synonym.name() + " converts 1 to " + converted);
                };
                synonyms.add(Map.of("name", synonym.name(), "unit", unit));
            }
            definition.put("synonyms", synonyms);
            definitions.add(definition);
        }
        return definitions;
    }

    private static List<Map<String, Object>> group() throws Exception {
        List<Map<String, Object>> definitions = new ArrayList<>();
        for (ConfigDef.ConfigKey key : new TreeMap<>(GroupConfig.CONFIG_DEF.configKeys()).values()) {
            Map<String, Object> definition = definition(key);
            definition.put("update_mode", "cluster-wide");
            List<Map<String, String>> synonyms = new ArrayList<>();
            GroupConfig.brokerSynonym(key.name).ifPresent(name -> synonyms.add(Map.of("name", name, "unit", "same")));
            definition.put("synonyms", synonyms);
            definitions.add(definition);
        }
        return definitions;
    }

    private static Map<String, Object> definition(ConfigDef.ConfigKey key) throws Exception {
        Map<String, Object> definition = new LinkedHashMap<>();
        definition.put("name", key.name);
        definition.put("type", key.type.name());
        definition.put("required", !key.hasDefault());
        definition.put("default", key.hasDefault() ? ConfigDef.convertToString(key.defaultValue, key.type) : null);
        definition.put("importance", key.importance.name());
        definition.put("internal", key.internalConfig);
        definition.put("valid", valid(key));
        definition.put("documentation", key.documentation);
        return definition;
    }

    /** A validator as data: {kind, ...}. An unknown validator stops the run, so that none is lost silently. */
    private static Map<String, Object> valid(ConfigDef.ConfigKey key) throws Exception {
        Map<String, Object> valid = new LinkedHashMap<>();
        if (key.validator == null) {
            valid.put("kind", "any");
            return valid;
        }
        String validator = key.validator.getClass().getSimpleName();
        switch (validator) {
            case "Range" -> {
                valid.put("kind", "range");
                valid.put("min", field(key.validator, "min"));
                valid.put("max", field(key.validator, "max"));
            }
            case "ValidString" -> {
                valid.put("kind", "one_of");
                valid.put("values", field(key.validator, "validStrings"));
            }
            case "CaseInsensitiveValidString" -> {
                valid.put("kind", "one_of_ignoring_case");
                valid.put("values", new TreeSet<>((java.util.Collection<?>) field(key.validator, "validStrings")));
            }
            case "ValidList" -> {
                valid.put("kind", "list");
                valid.put("values", field(field(key.validator, "validString"), "validStrings"));
                valid.put("empty_allowed", field(key.validator, "isEmptyAllowed"));
            }
            case "NonEmptyString" -> valid.put("kind", "non_empty");
            case "NonNullValidator" -> valid.put("kind", "any");
            case "ControllerQuorumVotersValidator" -> valid.put("kind", "quorum_voters");
            case "ControllerQuorumBootstrapServersValidator" -> valid.put("kind", "bootstrap_servers");
            case "ThrottledReplicaListValidator" -> valid.put("kind", "throttled_replicas");
            case "LambdaValidator" -> {
                if (!key.name.equals("compression.gzip.level"))
                    throw new IllegalStateException(key.name + " has an unknown validator: " + key.validator);
                valid.put("kind", "gzip_level");
            }
            case "Validator" -> {
                if (!key.name.equals("share.auto.offset.reset"))
                    throw new IllegalStateException(key.name + " has an unknown validator: " + key.validator);
                valid.put("kind", "share_offset_reset");
            }
            default -> throw new IllegalStateException(key.name + " has an unknown validator: " + validator);
        }
        return valid;
    }

    private static Object field(Object owner, String name) throws Exception {
        Field field = owner.getClass().getDeclaredField(name);
        field.setAccessible(true);
        return field.get(owner);
    }
}

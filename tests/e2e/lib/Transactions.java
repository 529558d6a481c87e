// Transactional load of Apache Kafka's own producers, and what a read_committed consumer must see of it afterwards.
//   java -cp LIBS Transactions.java load  BOOTSTRAP JOURNAL STOP_FILE
//   java -cp LIBS Transactions.java check BOOTSTRAP JOURNAL ISOLATION_LEVEL
// The journal has a line for each transaction, `PRODUCER NUMBER RECORDS OUTCOME`. Producers whose transaction was
// begun when the load is told to stop vanish in it: its timeout has to abort it.
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerGroupMetadata;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

public class Transactions {
    static final int PRODUCERS = 4;
    static final int PARTITIONS = 3;
    static final List<String> TOPICS = List.of("left", "right");
    static final int TRANSACTION_TIMEOUT_MS = 5_000;
    static final Duration PATIENCE = Duration.ofSeconds(60);
    // What the transactions commit an offset of.
    static final TopicPartition CONSUMED = new TopicPartition("left", 0);

    static List<String> journal = new ArrayList<>();

    public static void main(String[] args) throws Exception {
        switch (args[0]) {
            case "load" -> load(args[1], Path.of(args[2]), Path.of(args[3]));
            case "check" -> System.exit(check(args[1], Path.of(args[2]), args[3]));
            default -> throw new IllegalArgumentException(args[0]);
        }
    }

    static Properties properties(String bootstrap) {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", bootstrap);
        properties.put("reconnect.backoff.ms", "20");
        properties.put("reconnect.backoff.max.ms", "100");
        properties.put("retry.backoff.ms", "20");
        properties.put("retry.backoff.max.ms", "100");
        return properties;
    }

    static void load(String bootstrap, Path path, Path stop) throws Exception {
        try (Admin admin = Admin.create(properties(bootstrap))) {
            List<NewTopic> topics = TOPICS.stream().map(name -> new NewTopic(name, PARTITIONS, (short) 1)).toList();
            admin.createTopics(topics).all().get();
        }
        List<Thread> threads = new ArrayList<>();
        for (int index = 0; index < PRODUCERS; index++) {
            int producer = index;
            Thread thread = new Thread(() -> produce(bootstrap, producer, stop));
            thread.start();
            threads.add(thread);
        }
        for (Thread thread : threads) {
            thread.join();
        }
        Files.write(path, journal);
        System.out.println(journal.size() + " transactions: " + journal.stream()
            .collect(Collectors.groupingBy(line -> line.split(" ")[3], Collectors.counting())));
        // Nothing is closed: what is open stays so.
        Runtime.getRuntime().halt(0);
    }

    static KafkaProducer<String, String> producer(String bootstrap, int index) {
        Properties properties = properties(bootstrap);
        properties.put("transactional.id", "load-" + index);
        properties.put("transaction.timeout.ms", String.valueOf(TRANSACTION_TIMEOUT_MS));
        properties.put("linger.ms", "2");
        while (true) {
            KafkaProducer<String, String> producer =
                new KafkaProducer<>(properties, new StringSerializer(), new StringSerializer());
            try {
                producer.initTransactions();
                return producer;
            } catch (KafkaException error) {
                producer.close(Duration.ZERO);
            }
        }
    }

    static void produce(String bootstrap, int index, Path stop) {
        Random random = new Random(index);
        KafkaProducer<String, String> producer = producer(bootstrap, index);
        for (int number = 0; ; number++) {
            boolean last = Files.exists(stop);
            int records = 1 + random.nextInt(8);
            boolean commits = random.nextInt(4) != 0;
            String outcome = "aborted";
            try {
                producer.beginTransaction();
                for (int record = 0; record < records; record++) {
                    String topic = TOPICS.get(random.nextInt(TOPICS.size()));
                    String value = index + " " + number + " " + record;
                    producer.send(new ProducerRecord<>(topic, random.nextInt(PARTITIONS), null, value));
                }
                producer.sendOffsetsToTransaction(
                    Map.of(CONSUMED, new OffsetAndMetadata(number + 1)), new ConsumerGroupMetadata("group-" + index));
                if (last) {
                    producer.flush();
                } else if (commits) {
                    outcome = "in-doubt";
                    producer.commitTransaction();
                    outcome = "committed";
                    System.out.println("commit");
                } else {
                    producer.abortTransaction();
                }
            } catch (KafkaException error) {
                producer.close(Duration.ZERO);
                producer = producer(bootstrap, index);
            }
            synchronized (journal) {
                journal.add(index + " " + number + " " + records + " " + outcome);
            }
            if (last) {
                return;
            }
        }
    }

    static int check(String bootstrap, Path path, String isolation) throws IOException {
        List<String> wrong = new ArrayList<>();
        Map<String, Set<Integer>> seen = read(bootstrap, isolation, wrong);
        Map<Integer, Integer> offsets = new HashMap<>();
        for (String line : Files.readAllLines(path)) {
            String[] words = line.split(" ");
            String transaction = words[0] + " " + words[1];
            int records = Integer.parseInt(words[2]);
            int found = seen.getOrDefault(transaction, Set.of()).size();
            boolean fits = switch (words[3]) {
                case "committed" -> found == records;
                case "aborted" -> found == 0;
                default -> found == 0 || found == records;
            };
            if (!fits) {
                wrong.add("of transaction " + line + " " + found + " records are seen");
            }
            if (found > 0) {
                offsets.merge(Integer.parseInt(words[0]), Integer.parseInt(words[1]) + 1, Math::max);
            }
        }
        for (int index = 0; index < PRODUCERS; index++) {
            long committed = committed(bootstrap, index);
            if (committed != offsets.getOrDefault(index, 0)) {
                wrong.add("group-" + index + " is at " + committed + ", not " + offsets.get(index));
            }
        }
        wrong.stream().limit(10).forEach(System.out::println);
        System.out.println(seen.size() + " transactions seen, " + wrong.size() + " wrong");
        return wrong.isEmpty() ? 0 : 1;
    }

    // The records of each transaction, up to the end of all partitions.
    static Map<String, Set<Integer>> read(String bootstrap, String isolation, List<String> wrong) {
        Map<String, Set<Integer>> seen = new HashMap<>();
        Properties properties = properties(bootstrap);
        List<TopicPartition> partitions = new ArrayList<>();
        for (String topic : TOPICS) {
            for (int partition = 0; partition < PARTITIONS; partition++) {
                partitions.add(new TopicPartition(topic, partition));
            }
        }
        Map<TopicPartition, Long> ends;
        try (KafkaConsumer<String, String> all =
                new KafkaConsumer<>(properties, new StringDeserializer(), new StringDeserializer())) {
            ends = all.endOffsets(partitions);
        }
        properties.put("isolation.level", isolation);
        try (KafkaConsumer<String, String> consumer =
                new KafkaConsumer<>(properties, new StringDeserializer(), new StringDeserializer())) {
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            long until = System.nanoTime() + PATIENCE.toNanos();
            Set<TopicPartition> left = new TreeSet<>((a, b) -> a.toString().compareTo(b.toString()));
            left.addAll(partitions);
            while (!left.isEmpty()) {
                consumer.poll(Duration.ofMillis(100)).forEach(record -> {
                    String[] words = record.value().split(" ");
                    Set<Integer> records = seen.computeIfAbsent(words[0] + " " + words[1], key -> new TreeSet<>());
                    if (!records.add(Integer.parseInt(words[2]))) {
                        wrong.add("record " + record.value() + " is there twice");
                    }
                });
                left.removeIf(partition -> consumer.position(partition) >= ends.get(partition));
                if (System.nanoTime() > until) {
                    wrong.add("a transaction hangs: no end is reached of " + left);
                    break;
                }
            }
        }
        return seen;
    }

    static long committed(String bootstrap, int index) {
        Properties properties = properties(bootstrap);
        properties.put("group.id", "group-" + index);
        properties.put("isolation.level", "read_committed");
        try (KafkaConsumer<String, String> consumer =
                new KafkaConsumer<>(properties, new StringDeserializer(), new StringDeserializer())) {
            OffsetAndMetadata found = consumer.committed(Set.of(CONSUMED), PATIENCE).get(CONSUMED);
            return found == null ? 0 : found.offset();
        }
    }
}

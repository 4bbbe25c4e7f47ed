import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.UUID;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.KeyValue;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Grouped;
import org.apache.kafka.streams.kstream.KGroupedStream;
import org.apache.kafka.streams.kstream.KStream;
import org.apache.kafka.streams.kstream.Materialized;
import org.apache.kafka.streams.kstream.TimeWindows;
import org.apache.kafka.streams.state.Stores;

/**
 * Kafka Streams: terms through a repartition topic, hopping windows in memory, and the first ten by hand.
 *
 * Changelogs are off and caches on, since both make it faster. The grace is longer than what one partition may be ahead of
 * another while a full topic is read, else it would drop posts.
 */
public final class Job {
    private static final JsonFactory JSON = new JsonFactory();

    public static void main(String[] args) throws Exception {
        String brokers = args[0], topic = args[1], workload = args[2], folder = args[3], batch = args[5];
        StreamsBuilder builder = new StreamsBuilder();
        KStream<byte[], byte[]> records = builder.stream(topic, Consumed.with(Serdes.ByteArray(), Serdes.ByteArray()));
        byte[] nothing = new byte[0];
        String field = workload.equals("posts") ? "text" : "word";
        KGroupedStream<String, byte[]> terms = records
                .flatMap((key, value) -> {
                    List<KeyValue<String, byte[]>> found = new ArrayList<>(24);
                    for (String term : field(value, field).split(" ")) {
                        found.add(KeyValue.pair(term, nothing));
                    }
                    return found;
                })
                .groupByKey(Grouped.with("terms", Serdes.String(), Serdes.ByteArray()));
        if (workload.equals("posts")) {
            Duration size = Duration.ofSeconds(60), grace = Duration.ofSeconds(120);
            terms.windowedBy(TimeWindows.ofSizeAndGrace(size, grace).advanceBy(Duration.ofSeconds(10)))
                    .count(Materialized.<String, Long>as(
                                    Stores.inMemoryWindowStore("counts", size.plus(grace), size, false))
                            .withKeySerde(Serdes.String())
                            .withCachingEnabled()
                            .withLoggingDisabled())
                    .toStream()
                    .foreach((window, count) -> Shown.count(window.window().start(), window.key(), count));
        } else {
            terms.count(Materialized.<String, Long>as(Stores.inMemoryKeyValueStore("counts"))
                            .withKeySerde(Serdes.String())
                            .withCachingEnabled()
                            .withLoggingDisabled())
                    .toStream()
                    .foreach(Shown::line);
        }
        Properties settings = new Properties();
        // A name of its own: offsets and topics of one before are not wanted.
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, "streams-" + UUID.randomUUID());
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, brokers);
        settings.put(StreamsConfig.STATE_DIR_CONFIG, folder + "/streams");
        settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, "2");
        settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, batch);
        settings.put(StreamsConfig.STATESTORE_CACHE_MAX_BYTES_CONFIG, Integer.toString(64 << 20));
        settings.put(StreamsConfig.consumerPrefix("auto.offset.reset"), "earliest");
        settings.put(StreamsConfig.consumerPrefix("max.poll.records"), "4000");
        settings.put(StreamsConfig.producerPrefix("linger.ms"), "5");
        settings.put(StreamsConfig.producerPrefix("batch.size"), "262144");
        KafkaStreams streams = new KafkaStreams(builder.build(), settings);
        streams.setUncaughtExceptionHandler(error -> {
            error.printStackTrace();
            Runtime.getRuntime().halt(1);
            return null;
        });
        Shown.every(10);
        streams.start();
    }

    /** A field of a flat object, without looking at the others. */
    private static String field(byte[] json, String name) {
        try (JsonParser parser = JSON.createParser(json)) {
            parser.nextToken();
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                boolean wanted = parser.currentName().equals(name);
                parser.nextToken();
                if (wanted) {
                    return parser.getText();
                }
                parser.skipChildren();
            }
            return "";
        } catch (IOException error) {
            throw new IllegalArgumentException(error);
        }
    }
}

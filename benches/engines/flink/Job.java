import java.time.Instant;
import java.time.LocalDateTime;
import java.time.ZoneId;
import java.time.ZoneOffset;
import org.apache.flink.api.common.functions.MapFunction;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;
import org.apache.flink.table.annotation.DataTypeHint;
import org.apache.flink.table.annotation.FunctionHint;
import org.apache.flink.table.api.bridge.java.StreamTableEnvironment;
import org.apache.flink.table.functions.TableFunction;
import org.apache.flink.types.Row;
import org.apache.flink.types.RowKind;

/**
 * Flink SQL, two ways: `closed` counts by the window function HOP, which shares panes and shows a window when it has
 * closed; `live` counts each window of a term by itself, and ranks all the while.
 *
 * Both rank by ROW_NUMBER. Only cutting text into terms is a function of our own, in Java.
 * Arguments: brokers, topic, workload, folder, `closed` or `live`, and milliseconds of a mini-batch. A closed one reads to
 * the end of the topic as it is at the start, since only the end closes the last windows.
 */
public final class Job {
    public static void main(String[] args) throws Exception {
        String brokers = args[0], topic = args[1], workload = args[2], mode = args[4], batch = args[5];
        Configuration settings = new Configuration();
        settings.setString("parallelism.default", "2");
        settings.setString("pipeline.object-reuse", "true");
        settings.setString("taskmanager.numberOfTaskSlots", "2");
        settings.setString("execution.buffer-timeout.interval", "20 ms");
        StreamExecutionEnvironment streams = StreamExecutionEnvironment.getExecutionEnvironment(settings);
        StreamTableEnvironment tables = StreamTableEnvironment.create(streams);
        tables.getConfig().setLocalTimeZone(ZoneId.of("UTC"));
        tables.getConfig().set("table.exec.mini-batch.enabled", "true");
        tables.getConfig().set("table.exec.mini-batch.allow-latency", batch + " ms");
        tables.getConfig().set("table.exec.mini-batch.size", "20000");
        tables.getConfig().set("table.optimizer.agg-phase-strategy", "TWO_PHASE");
        tables.getConfig().set("table.exec.state.ttl", "200 s");
        tables.createTemporarySystemFunction("terms", Terms.class);
        tables.createTemporarySystemFunction("windowed", Windowed.class);
        boolean posts = workload.equals("posts"), closed = mode.equals("closed");
        tables.executeSql("CREATE TABLE posts (`" + (posts ? "text" : "word") + "` STRING,"
                + " ts TIMESTAMP_LTZ(3) METADATA FROM 'timestamp', WATERMARK FOR ts AS ts) WITH ("
                + " 'connector' = 'kafka', 'topic' = '" + topic + "', 'format' = 'json',"
                + " 'properties.bootstrap.servers' = '" + brokers + "', 'properties.group.id' = 'flink',"
                + " 'scan.startup.mode' = 'earliest-offset'"
                + (posts && closed ? ", 'scan.bounded.mode' = 'latest-offset')" : ")"));
        if (posts && closed) {
            tables.executeSql(MARKED);
        }
        String query = !posts ? WORDS : closed ? CLOSED : LIVE;
        DataStream<Row> rows = tables.toChangelogStream(tables.sqlQuery(query));
        MapFunction<Row, Integer> show = posts ? new ShowTop() : new ShowWord();
        rows.map(show).sinkTo(new DiscardingSink<>());
        Shown.every(10);
        streams.execute();
        // Whoever started this ends it, when all has been read from it.
        Thread.sleep(Long.MAX_VALUE);
    }

    private static final String MARKED = """
            CREATE TEMPORARY VIEW marked AS
            SELECT ts, term LIKE '#%' AS tag, term FROM posts, LATERAL TABLE(terms(`text`)) AS t(term)""";

    private static final String CLOSED = """
            SELECT window_start, term, n FROM (
              SELECT *, ROW_NUMBER() OVER (
                PARTITION BY window_start, window_end, tag ORDER BY n DESC, term) AS place
              FROM (
                SELECT window_start, window_end, tag, term, COUNT(*) AS n
                FROM TABLE(HOP(TABLE marked, DESCRIPTOR(ts), INTERVAL '10' SECOND, INTERVAL '60' SECOND))
                GROUP BY window_start, window_end, tag, term))
            WHERE place <= 10""";

    private static final String LIVE = """
            SELECT start_ms, term, n FROM (
              SELECT *, ROW_NUMBER() OVER (PARTITION BY start_ms, tag ORDER BY n DESC, term) AS place
              FROM (
                SELECT start_ms, tag, term, COUNT(*) AS n
                FROM (
                  SELECT start_ms, term LIKE '#%' AS tag, term
                  FROM posts, LATERAL TABLE(windowed(`text`, ts)) AS t(start_ms, term))
                GROUP BY start_ms, tag, term))
            WHERE place <= 10""";

    private static final String WORDS = "SELECT word, COUNT(*) AS n FROM posts GROUP BY word";

    /** The terms of a text. */
    @FunctionHint(output = @DataTypeHint("ROW<term STRING>"))
    public static final class Terms extends TableFunction<Row> {
        public void eval(String text) {
            for (String term : text.split(" ")) {
                collect(Row.of(term));
            }
        }
    }

    /** The terms of a text, once for each window that they lie in. */
    @FunctionHint(output = @DataTypeHint("ROW<start_ms BIGINT, term STRING>"))
    public static final class Windowed extends TableFunction<Row> {
        public void eval(String text, @DataTypeHint("TIMESTAMP_LTZ(3)") Instant time) {
            long last = Math.floorDiv(time.toEpochMilli(), 10_000L) * 10_000L;
            String[] terms = text.split(" ");
            for (long start = last; start > last - 60_000L; start -= 10_000L) {
                for (String term : terms) {
                    collect(Row.of(start, term));
                }
            }
        }
    }

    /** Shows the first ten of a window. */
    public static final class ShowTop implements MapFunction<Row, Integer> {
        @Override
        public Integer map(Row row) {
            if (row.getKind() == RowKind.INSERT || row.getKind() == RowKind.UPDATE_AFTER) {
                Object start = row.getField(0);
                long ms = start instanceof LocalDateTime time
                        ? time.toInstant(ZoneOffset.UTC).toEpochMilli()
                        : (Long) start;
                Shown.count(ms, (String) row.getField(1), (Long) row.getField(2));
            }
            return 0;
        }
    }

    /** Shows a count of the plain word count. */
    public static final class ShowWord implements MapFunction<Row, Integer> {
        @Override
        public Integer map(Row row) {
            if (row.getKind() == RowKind.INSERT || row.getKind() == RowKind.UPDATE_AFTER) {
                Shown.line((String) row.getField(0), (Long) row.getField(1));
            }
            return 0;
        }
    }
}

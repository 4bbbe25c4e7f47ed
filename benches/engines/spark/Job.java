import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.explode;
import static org.apache.spark.sql.functions.get_json_object;
import static org.apache.spark.sql.functions.split;
import static org.apache.spark.sql.functions.unix_millis;
import static org.apache.spark.sql.functions.window;

import org.apache.spark.api.java.function.VoidFunction2;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.streaming.DataStreamReader;
import org.apache.spark.sql.streaming.DataStreamWriter;
import org.apache.spark.sql.streaming.Trigger;
import org.apache.spark.unsafe.types.UTF8String;

/**
 * Spark Structured Streaming: the query as its guide writes it, in update mode; what changed is ranked by hand in the
 * process of its tasks, since nothing may be ranked behind an update.
 *
 * Arguments: brokers, topic, workload, folder, `micro` for batches or `real` for Real-Time Mode, and the least
 * milliseconds from batch to batch.
 */
public final class Job {
    private static final UTF8String SIGN = UTF8String.fromString("#");

    public static void main(String[] args) throws Exception {
        String brokers = args[0], topic = args[1], workload = args[2], folder = args[3], mode = args[4], batch = args[5];
        boolean real = mode.equals("real");
        SparkSession spark = SparkSession.builder()
                // Real-Time Mode starts all tasks at once: four that read, two that count.
                .master(real ? "local[6]" : "local[2]")
                .config("spark.ui.enabled", "false")
                .config("spark.sql.shuffle.partitions", "2")
                .config("spark.sql.streaming.minBatchesToRetain", "2")
                .config("spark.sql.streaming.noDataMicroBatches.enabled", "false")
                .config("spark.sql.session.timeZone", "UTC")
                .config("spark.local.dir", folder + "/spark")
                .config("spark.sql.warehouse.dir", folder + "/warehouse")
                .getOrCreate();
        spark.sparkContext().setLogLevel("WARN");
        DataStreamReader reader = spark.readStream()
                .format("kafka")
                .option("kafka.bootstrap.servers", brokers)
                .option("subscribe", topic)
                .option("startingOffsets", "earliest");
        Dataset<Row> records = (real ? reader : reader.option("maxOffsetsPerTrigger", "100000")).load();
        String field = workload.equals("posts") ? "$.text" : "$.word";
        Dataset<Row> texts = records.select(
                col("timestamp"), get_json_object(col("value").cast("string"), field).as("text"));
        Dataset<Row> counts;
        if (workload.equals("posts")) {
            counts = texts.withWatermark("timestamp", "60 seconds")
                    .select(col("timestamp"), explode(split(col("text"), " ")).as("term"))
                    .groupBy(window(col("timestamp"), "60 seconds", "10 seconds"), col("term"))
                    .count()
                    .select(unix_millis(col("window.start")).as("start"), col("term"), col("count"));
        } else {
            counts = texts.groupBy(col("text")).count();
        }
        DataStreamWriter<Row> writer = counts.writeStream()
                .outputMode("update")
                .option("checkpointLocation", folder + "/checkpoint");
        if (real) {
            writer.trigger(Trigger.RealTime("1 minute")).foreach(new Rows(workload));
            Shown.every(10);
        } else {
            writer.trigger(Trigger.ProcessingTime(batch + " milliseconds")).foreachBatch(batch(workload));
        }
        writer.start().awaitTermination();
    }

    private static VoidFunction2<Dataset<Row>, Long> batch(String workload) {
        boolean posts = workload.equals("posts");
        return (changed, number) -> {
            // The rows as the engine holds them: to make objects of each would cost it more.
            changed.queryExecution().toRdd().toJavaRDD().foreachPartition(rows -> rows.forEachRemaining(row -> {
                if (posts) {
                    UTF8String term = row.getUTF8String(1);
                    boolean tag = term.startsWith(SIGN);
                    Shown window = Shown.of(row.getLong(0), tag);
                    if (window.mayTake(row.getLong(2))) {
                        window.take(term.toString().substring(tag ? 1 : 0), row.getLong(2));
                    }
                } else {
                    Shown.line(row.getUTF8String(0).toString(), row.getLong(1));
                }
            }));
            Shown.print();
        };
    }
}

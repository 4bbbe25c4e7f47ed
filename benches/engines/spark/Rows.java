import org.apache.spark.sql.ForeachWriter;
import org.apache.spark.sql.Row;

/** What Real-Time Mode hands over row by row, in the process of its tasks. */
public final class Rows extends ForeachWriter<Row> {
    private final boolean posts;

    public Rows(String workload) {
        posts = workload.equals("posts");
    }

    @Override
    public boolean open(long partition, long epoch) {
        return true;
    }

    @Override
    public void process(Row row) {
        if (posts) {
            Shown.count(row.getLong(0), row.getString(1), row.getLong(2));
        } else {
            Shown.line(row.getString(0), row.getLong(1));
        }
    }

    @Override
    public void close(Throwable error) {}
}

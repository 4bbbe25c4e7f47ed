import java.io.BufferedOutputStream;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * What a job shows: the first ten of each window, and a line for each one that has changed.
 *
 * Idea: counts of a window only rise, so whoever is told of every new count needs no more than the ten best to keep them
 * exact: a term that enters the first ten has just been told. An engine that ranks by itself tells only its first ten.
 * Invariant: ranking is by count, falling, then by term, rising. A line is whole.
 * Cost: a look at the tenth's count for a term that is none of the first.
 */
public final class Shown {
    private static final int FIRST = 10;
    private static final Map<Long, Shown> WORDS = new ConcurrentHashMap<>();
    private static final Map<Long, Shown> TAGS = new ConcurrentHashMap<>();
    private static final PrintStream OUT =
            new PrintStream(new BufferedOutputStream(new FileOutputStream(FileDescriptor.out), 1 << 16), false);

    private final String[] terms = new String[FIRST];
    private final long[] counts = new long[FIRST];
    private int held;
    private boolean changed;
    /** The count below which nothing enters: read without the lock. */
    private volatile long least;

    /** Begins to print what changes, so often. */
    public static void every(long milliseconds) {
        Thread thread = new Thread(() -> {
            while (true) {
                print();
                try {
                    Thread.sleep(milliseconds);
                } catch (InterruptedException stopped) {
                    return;
                }
            }
        }, "shown");
        thread.setDaemon(true);
        thread.start();
    }

    /** A term of a window now has this count; a tag begins with its sign. */
    public static void count(long start, String term, long count) {
        boolean tag = term.startsWith("#");
        Shown window = of(start, tag);
        if (window.mayTake(count)) {
            window.take(tag ? term.substring(1) : term, count);
        }
    }

    /** The first ten of a window, of tags or of words. */
    public static Shown of(long start, boolean tags) {
        return (tags ? TAGS : WORDS).computeIfAbsent(start, unseen -> new Shown());
    }

    /** Whether a term with this count can be among the first. */
    public boolean mayTake(long count) {
        return count >= least;
    }

    /** A word of the plain word count now has this count. */
    public static void line(String word, long count) {
        synchronized (OUT) {
            OUT.append("count ").append(word).append(' ').append(Long.toString(count)).append('\n');
        }
    }

    /** A term, without its sign, now has this count. */
    public void take(String term, long count) {
        synchronized (this) {
            int at = 0;
            while (at < held && !terms[at].equals(term)) {
                at++;
            }
            if (at == held) {
                if (held < FIRST) {
                    held++;
                } else if (before(terms[FIRST - 1], counts[FIRST - 1], term, count)) {
                    return;
                } else {
                    at = FIRST - 1;
                }
            } else if (counts[at] >= count) {
                return;
            }
            while (at > 0 && before(term, count, terms[at - 1], counts[at - 1])) {
                terms[at] = terms[at - 1];
                counts[at] = counts[at - 1];
                at--;
            }
            terms[at] = term;
            counts[at] = count;
            changed = true;
            least = held < FIRST ? 0 : counts[FIRST - 1];
        }
    }

    private static boolean before(String term, long count, String other, long otherCount) {
        return count > otherCount || count == otherCount && term.compareTo(other) < 0;
    }

    /** Prints what has changed since the last time. */
    public static void print() {
        synchronized (OUT) {
            TAGS.forEach((start, window) -> window.append(start + " hashtags"));
            WORDS.forEach((start, window) -> window.append(start + " words"));
            OUT.flush();
        }
    }

    private void append(String name) {
        StringBuilder line = new StringBuilder();
        synchronized (this) {
            if (!changed) {
                return;
            }
            changed = false;
            line.append("top ").append(name);
            for (int at = 0; at < held; at++) {
                line.append(' ').append(terms[at]).append(' ').append(counts[at]);
            }
        }
        byte[] bytes = line.append('\n').toString().getBytes(StandardCharsets.UTF_8);
        OUT.write(bytes, 0, bytes.length);
    }

    private Shown() {}
}

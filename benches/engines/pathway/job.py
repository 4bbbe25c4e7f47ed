"""Pathway: terms and windows by a function a post, counted in groups, ranked in two steps.

A post's windows are made before its terms are, by one call of Python a post; the library's own sliding windows call Python
once a term. Ranking a window's terms in one group would sort them all anew whenever one changes, so they are ranked in 1,024
parts first, and then the first ten of each part.

Arguments: brokers, topic, workload, milliseconds from commit to commit.
"""

import sys
import uuid

import pathway as pw

brokers, topic, workload = sys.argv[1:4]
batch_ms = int(sys.argv[4])
SLIDE, SIZE, PARTS = 10_000, 60_000, 1_024
SETTINGS = {
    "bootstrap.servers": brokers,
    # Of its own: offsets of one before are not wanted.
    "group.id": f"pathway-{uuid.uuid4()}",
    "auto.offset.reset": "earliest",
    "queued.min.messages": "1000000",
}


class Post(pw.Schema):
    text: str
    created_at: int


class Word(pw.Schema):
    word: str


def windows(time_ms: int) -> tuple[int, ...]:
    last = time_ms // SLIDE * SLIDE
    return tuple(range(last, last - SIZE, -SLIDE))


def split(text: str) -> tuple[str, ...]:
    return tuple(text.split(" "))


def part(term: str) -> int:
    return hash(term) % PARTS


def first(ranked: tuple[tuple[int, str], ...]) -> tuple[tuple[int, str], ...]:
    return ranked[:10]


def read(schema, backlog):
    # Else all of a topic that is full already is read into one batch, which shows nothing before it ends.
    return pw.io.kafka.read(
        SETTINGS, topic=topic, format="json", schema=schema, autocommit_duration_ms=batch_ms, max_backlog_size=backlog
    )


def show(table, line):
    def changed(key, row, time, is_addition):
        if is_addition:
            sys.stdout.write(line(row))

    def closed(time):
        sys.stdout.flush()

    pw.io.subscribe(table, on_change=changed, on_time_end=closed)


def top_line(row):
    kind = "hashtags" if row["tag"] else "words"
    cut = 1 if row["tag"] else 0
    return f"top {row['start']} {kind} " + " ".join(f"{term[cut:]} {-n}" for n, term in row["top"]) + "\n"


if workload == "posts":
    posts = read(Post, 20_000)
    terms = (
        posts.select(
            start=pw.apply_with_type(windows, tuple[int, ...], posts.created_at),
            term=pw.apply_with_type(split, tuple[str, ...], posts.text),
        )
        .flatten(pw.this.term)
        .flatten(pw.this.start)
    )
    counts = terms.groupby(pw.this.start, pw.this.term).reduce(pw.this.start, pw.this.term, n=pw.reducers.count())
    placed = counts.select(
        pw.this.start,
        tag=pw.this.term.str.startswith("#"),
        part=pw.apply_with_type(part, int, pw.this.term),
        entry=pw.make_tuple(-pw.this.n, pw.this.term),
    )
    parts = placed.groupby(pw.this.start, pw.this.tag, pw.this.part).reduce(
        pw.this.start, pw.this.tag, ranked=pw.reducers.sorted_tuple(pw.this.entry)
    )
    entries = parts.select(
        pw.this.start, pw.this.tag, entry=pw.apply_with_type(first, tuple[tuple[int, str], ...], pw.this.ranked)
    ).flatten(pw.this.entry)
    top = entries.groupby(pw.this.start, pw.this.tag).reduce(
        pw.this.start, pw.this.tag, ranked=pw.reducers.sorted_tuple(pw.this.entry)
    )
    show(
        top.select(pw.this.start, pw.this.tag, top=pw.apply_with_type(first, tuple[tuple[int, str], ...], pw.this.ranked)),
        top_line,
    )
else:
    words = read(Word, 500_000)
    show(
        words.groupby(pw.this.word).reduce(pw.this.word, n=pw.reducers.count()),
        lambda row: f"count {row['word']} {row['n']}\n",
    )

pw.run(monitoring_level=pw.MonitoringLevel.NONE)

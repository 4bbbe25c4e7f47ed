"""Bytewax: counts of a term's windows in one keyed step, the first ten of a window in another.

The library's own windows show nothing before they have closed and are slower, so the steps are `stateful_batch`, which
hands over all values of a key that came together. Two processes, since threads of one share Python's lock.

Arguments: brokers, topic, workload; and of a process that this one starts, its number and all addresses.
"""

import json
import os
import socket
import subprocess
import sys

import bytewax.operators as op
from bytewax.connectors.kafka import KafkaSource
from bytewax.dataflow import Dataflow
from bytewax.outputs import DynamicSink, StatelessSinkPartition
from bytewax.run import cli_main

brokers, topic, workload = sys.argv[1:4]
SLIDE, SIZE, KEPT = 10_000, 60_000, 180_000


class Windows(op.StatefulBatchLogic):
    """The windows of a term."""

    def __init__(self):
        self.counts = {}

    def on_batch(self, values):
        changed = set()
        for pane in values:
            for start in range(pane, pane - SIZE, -SLIDE):
                self.counts[start] = self.counts.get(start, 0) + 1
                changed.add(start)
        for start in [start for start in self.counts if start < pane - KEPT]:
            del self.counts[start]
        return [(start, self.counts[start]) for start in changed if start in self.counts], False

    def snapshot(self):
        return None


class First(op.StatefulBatchLogic):
    """The first ten of a window. Counts only rise, so these ten and what comes are enough."""

    def __init__(self):
        self.top = {}

    def on_batch(self, values):
        before = dict(self.top)
        for term, count in values:
            if count > self.top.get(term, 0):
                self.top[term] = count
        ranked = sorted(self.top.items(), key=lambda item: (-item[1], item[0]))[:10]
        self.top = dict(ranked)
        return ([ranked] if self.top != before else []), False

    def snapshot(self):
        return None


class Count(op.StatefulBatchLogic):
    """A word of the plain word count."""

    def __init__(self):
        self.count = 0

    def on_batch(self, values):
        self.count += len(values)
        return [self.count], False

    def snapshot(self):
        return None


class Lines(StatelessSinkPartition):
    def write_batch(self, items):
        # Each at once, so that lines of the two processes do not mix.
        for item in items:
            os.write(1, item.encode())


class Output(DynamicSink):
    def build(self, step_id, worker_index, worker_count):
        return Lines()


def terms(message):
    post = json.loads(message.value)
    pane = post["created_at"] // SLIDE * SLIDE
    return [(term, pane) for term in post["text"].split(" ")]


def of_window(item):
    term, (start, count) = item
    kind = "hashtags" if term[0] == "#" else "words"
    return f"{start} {kind}", (term.lstrip("#"), count)


def top_line(item):
    window, ranked = item
    return f"top {window} " + " ".join(f"{term} {count}" for term, count in ranked) + "\n"


def dataflow():
    flow = Dataflow("peers")
    records = op.input("posts", flow, KafkaSource([brokers], [topic], batch_size=5_000))
    if workload == "posts":
        counted = op.stateful_batch("windows", op.flat_map("terms", records, terms), lambda _: Windows())
        ranked = op.stateful_batch("first", op.map("window", counted, of_window), lambda _: First())
        lines = op.map("top", ranked, top_line)
    else:
        words = op.map("words", records, lambda message: (json.loads(message.value)["word"], 1))
        counted = op.stateful_batch("counts", words, lambda _: Count())
        lines = op.map("line", counted, lambda item: f"count {item[0]} {item[1]}\n")
    op.output("lines", lines, Output())
    return flow


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


if len(sys.argv) > 4:
    cli_main(dataflow(), process_id=int(sys.argv[4]), addresses=sys.argv[5].split(","))
else:
    addresses = ",".join(f"127.0.0.1:{free_port()}" for _ in range(2))
    both = [subprocess.Popen([sys.executable, *sys.argv, str(number), addresses]) for number in range(2)]
    for process in both:
        process.wait()

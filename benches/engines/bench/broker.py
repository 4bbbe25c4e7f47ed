"""A real Kafka, its topics, and records in them.

Idea: the broker of tests/kafka/kafka.sh, on loopback ports of its own. A topic is filled before an engine starts; for
delays, a process of its own sends posts at a fixed rate, each with the moment at which it should have been sent, so
that whoever holds the sender up is charged for it.
Invariant: record n goes to partition n modulo the number of partitions, with the post's time as timestamp.
"""

import itertools
import os
import subprocess
import sys
import time

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from . import posts, process

SCRIPT = os.path.join(os.path.dirname(__file__), "..", "..", "..", "tests", "kafka", "kafka.sh")


class Broker:
    """A running broker; `with` stops it."""

    def __init__(self, folder):
        self.folder = os.path.join(folder, "broker")
        said = subprocess.run(["bash", SCRIPT, "start", self.folder], check=True, stdout=subprocess.PIPE, text=True)
        self.address = said.stdout.split()[-1]
        with open(os.path.join(self.folder, "pid")) as file:
            self.pid = int(file.read())
        self.admin = AdminClient({"bootstrap.servers": self.address, "log_level": 0})
        self.made = 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run(["bash", SCRIPT, "stop", self.folder], check=False)

    def cpu(self):
        return process.cpu(self.pid)

    def warm(self, seconds=20):
        """Has it take and give records for a while: a Java program just started is slow, and so would the first engine be."""
        name, end = self.topic(posts.PARTITIONS), time.time() + seconds
        sender, made = sending(self.address, 1), posts.texts()
        reader = Consumer({"bootstrap.servers": self.address, "group.id": "warm", "log_level": 0})
        reader.assign([TopicPartition(name, partition, 0) for partition in range(posts.PARTITIONS)])
        number = 0
        while time.time() < end:
            for text in itertools.islice(made, 200):
                send(sender, name, posts.record(number, posts.time_of(number), text), number % posts.PARTITIONS, 0)
                number += 1
            sender.poll(0)
            reader.consume(1_000, timeout=0.01)
        sender.flush(30)
        reader.close()

    def topic(self, partitions):
        """A new topic that keeps its records, however old they say they are."""
        self.made += 1
        name = f"t{self.made}"
        topic = NewTopic(name, num_partitions=partitions, replication_factor=1, config={"retention.ms": "-1"})
        for made in self.admin.create_topics([topic]).values():
            made.result(30)
        return name

    def filled(self, path, workload, first=None):
        """A topic with the records of a file, or the first of them."""
        partitions = posts.PARTITIONS if workload == "posts" else 1
        name = self.topic(partitions)
        sender = sending(self.address, 50)
        for number, line in enumerate(posts.lines(path)):
            if number == first:
                break
            when = posts.time_of(number) if workload == "posts" else 0
            send(sender, name, line, number % partitions, when)
        sender.flush(60)
        return name


def sending(address, linger_ms):
    return Producer(
        {
            "bootstrap.servers": address,
            "linger.ms": linger_ms,
            "batch.size": 1_000_000,
            "queue.buffering.max.messages": 200_000,
            "acks": 1,
            # That a broker which was stopped is gone is no news.
            "log_level": 0,
        }
    )


def send(sender, topic, line, partition, time_ms):
    while True:
        try:
            if time_ms:
                sender.produce(topic, line, partition=partition, timestamp=time_ms)
            else:
                sender.produce(topic, line, partition=partition)
            return
        except BufferError:
            sender.poll(0.05)


def live(address, topic, rate, begin, seconds):
    """Sends at this rate from that moment (Unix seconds) on; post n is due at `begin + n / rate`."""
    sender = sending(address, 1)
    ready = list(itertools.islice(posts.texts(), min(200_000, int(rate * seconds))))
    total, sent = int(rate * seconds), 0
    # The texts took a while, and a sender that begins late would send a burst.
    assert time.time() < begin, "the machine is too slow to make the texts in time"
    while sent < total:
        due = min(total, int((time.time() - begin) * rate) + 1)
        while sent < due:
            when = int((begin + sent / rate) * 1_000)
            # A multiple of 16 texts come round, so that each 16th post has the probe.
            line = posts.record(sent, when, ready[sent % (len(ready) // posts.PROBE_EVERY * posts.PROBE_EVERY)])
            send(sender, topic, line, sent % posts.PARTITIONS, when)
            sent += 1
        sender.poll(0)
        time.sleep(0.001)
    sender.flush(30)


if __name__ == "__main__":
    live(sys.argv[1], sys.argv[2], float(sys.argv[3]), float(sys.argv[4]), float(sys.argv[5]))

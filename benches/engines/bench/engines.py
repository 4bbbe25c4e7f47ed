"""Which engines there are, and how each one's job is started.

Idea: a row an engine: what it is called, its version, its job, how many posts fill a run of half a minute or more (of
tidings some seconds). All have two threads to work with, and the same heap where they have a virtual machine.
Invariant: nothing of an engine lies in this repository but the job that we wrote for it.
"""

import dataclasses
import os

from . import ours, runs

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ROOT = os.path.dirname(os.path.dirname(HERE))
TARGET = os.path.join(ROOT, "target", "engines")
# What Spark and Flink reach for inside Java 17.
OPENS = [
    f"--add-opens=java.base/{name}=ALL-UNNAMED"
    for name in (
        "java.lang java.lang.invoke java.lang.reflect java.io java.net java.nio java.time java.util"
        " java.util.concurrent java.util.concurrent.atomic sun.nio.ch sun.nio.cs sun.security.action sun.util.calendar"
    ).split()
]
HEAP = "3g"


@dataclasses.dataclass(frozen=True)
class Engine:
    """How an engine is run and measured."""

    title: str
    version: str
    # jvm, python or rust; ours for tidings.
    kind: str
    # The folder of its job.
    job: str
    # What its job is told beyond broker, topic, workload and folder.
    mode: str = ""
    # Posts, and words, of a drain.
    posts: int = 1_000_000
    words: int = 2_000_000
    # Posts a second at which its delay is measured; 0: it has no answer before a window closes.
    rate: int = 10_000
    # Seconds before its delay is measured.
    warm: int = 20


ENGINES = {
    "tidings": Engine("tidings, 2 workers", "", "ours", "", "2", 3_000_000, 10_000_000, warm=5),
    "tidings-1": Engine("tidings, 1 worker", "", "ours", "", "1", 3_000_000, 10_000_000, warm=5),
    "differential": Engine("differential alone", "0.26.0", "rust", "differential", "", 200_000, 10_000_000, warm=5),
    "dbsp": Engine("DBSP", "0.349.0", "rust", "dbsp", "", 300_000, 30_000_000, warm=5),
    "streams": Engine("Kafka Streams", "4.3.1", "jvm", "streams", "", 100_000, 2_000_000),
    "spark": Engine("Spark, micro-batch", "4.2.0", "jvm", "spark", "micro", 200_000, 4_000_000),
    "spark-real": Engine("Spark, Real-Time Mode", "4.2.0", "jvm", "spark", "real", 200_000, 4_000_000),
    "flink": Engine("Flink SQL, at window close", "2.2.1", "jvm", "flink", "closed", 400_000, 4_000_000, 0),
    "flink-live": Engine("Flink SQL, live", "2.2.1", "jvm", "flink", "live", 100_000, 4_000_000),
    "pathway": Engine("Pathway", "0.33.0", "python", "pathway", "2", 100_000, 10_000_000, 1_000),
    "pathway-1": Engine("Pathway, 1 thread", "0.33.0", "python", "pathway", "1", 100_000, 10_000_000, 1_000),
    "bytewax": Engine("Bytewax, 2 processes", "0.21.1", "python", "bytewax", "", 100_000, 1_000_000, 1_000),
}


def start(name, engine, settings):
    """The job, running. `settings`: brokers, topic, workload, folder; clock and epoch, which only
    tidings has; milliseconds of a batch, of those that have them."""
    folder = settings["folder"]
    if engine.kind == "ours":
        return ours.Tidings(settings["program"], {**settings, "workers": engine.mode, "text": text(settings)}, folder)
    told = [settings["brokers"], settings["topic"], settings["workload"]]
    environment = {}
    if engine.kind == "jvm":
        built = os.path.join(TARGET, "classes", engine.job)
        path = f"{built}:{TARGET}/lib/{engine.job}/*"
        simple = ["-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"]
        command = ["java", f"-Xmx{HEAP}", *OPENS, *simple, "-cp", path, "Job", *told, folder, engine.mode, settings["batch"]]
    elif engine.kind == "python":
        command = [os.path.join(TARGET, "venv", "bin", "python"), os.path.join(HERE, engine.job, "job.py"), *told]
        if engine.job == "pathway":
            command.append(settings["batch"])
        environment = {"PATHWAY_THREADS": engine.mode or "1", "PYTHONUNBUFFERED": ""}
    else:
        command = [os.path.join(TARGET, "rust", "release", engine.job), *told]
    return runs.Job(command, environment, os.path.join(folder, f"{name}.log"))


def text(settings):
    return "/text" if settings["workload"] == "posts" else "/word"

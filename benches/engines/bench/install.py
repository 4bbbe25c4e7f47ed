"""Other engines, fetched by ordinary clients and put under target/engines.

Idea: pip into a virtual environment, Maven for jars, cargo for the one in Rust; our jobs are compiled against them.
Invariant: what is there is not fetched again, and nothing outside target/engines and the clients' own caches changes.
"""

import os
import subprocess
import sys

from .engines import HERE, TARGET

PYTHON = ["pathway==0.33.0", "bytewax[kafka]==0.21.1"]
# The harness itself writes to Kafka.
HARNESS = ["confluent-kafka==2.16.1"]


def run(*command, **more):
    subprocess.run(command, check=True, stdout=sys.stderr, **more)


def harness():
    """The Python of the harness, with a Kafka client."""
    python = os.path.join(TARGET, "venv", "bin", "python")
    if not os.path.exists(os.path.join(TARGET, "venv", "harness")):
        os.makedirs(TARGET, exist_ok=True)
        run(sys.executable, "-m", "venv", os.path.join(TARGET, "venv"))
        run(python, "-m", "pip", "install", "-q", *HARNESS)
        open(os.path.join(TARGET, "venv", "harness"), "w").close()
    return python


def engine(kind, job):
    """All that a job needs."""
    {"jvm": jvm, "python": python_packages, "rust": rust, "ours": lambda _: None}[kind](job)


def python_packages(_job):
    done = os.path.join(TARGET, "venv", "engines")
    if not os.path.exists(done):
        run(harness(), "-m", "pip", "install", "-q", *PYTHON)
        open(done, "w").close()


def jvm(job):
    jars = os.path.join(TARGET, "lib", job)
    if not os.path.exists(jars):
        part = jars + ".part"
        run(
            "mvn", "-q", "-B", "-f", os.path.join(HERE, job, "pom.xml"), "dependency:copy-dependencies",
            "-DincludeScope=runtime", f"-DoutputDirectory={part}",
        )
        os.rename(part, jars)
    sources = [os.path.join(HERE, "java", "Shown.java")]
    sources += [os.path.join(HERE, job, name) for name in sorted(os.listdir(os.path.join(HERE, job))) if name.endswith(".java")]
    built = os.path.join(TARGET, "classes", job)
    made = os.path.join(built, "Job.class")
    if older(made, sources):
        os.makedirs(built, exist_ok=True)
        run("javac", "-nowarn", "-cp", f"{jars}/*", "-d", built, *sources)


def rust(job):
    built, folder = os.path.join(TARGET, "rust", "release", job), os.path.join(HERE, "rust")
    sources = [os.path.join(at, name) for at, _, names in os.walk(folder) for name in names]
    # cargo would look for itself, but would also wait for whoever builds another job.
    if not older(built, sources):
        return
    run(
        # Of the one package alone: else what one needs of a library would be built into the other.
        "cargo", "build", "--release", "--quiet", "--manifest-path", os.path.join(folder, job, "Cargo.toml"),
        "--bin", job, "--target-dir", os.path.join(TARGET, "rust"),
    )


def older(made, sources):
    """Whether something is not there, or was made before one of its sources changed."""
    return not os.path.exists(made) or os.path.getmtime(made) < max(map(os.path.getmtime, sources))

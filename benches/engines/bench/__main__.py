"""`python3 benches/engines/run.py`: any engines in turn, in one run, and a table of what they did.

Idea: rounds, and in each round every engine once, so that what else the machine does meets all alike; a figure is the
median of the rounds. See docs/peers.md for what is measured.
Invariant: an engine whose answers are not the oracle's has no rate; the table says so, and the others go on.
"""

import argparse
import datetime
import os
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile

from . import broker, engines, install, measures, oracle, posts


def arguments():
    parser = argparse.ArgumentParser(prog="benches/engines/run.py", description=__doc__.splitlines()[0])
    names = ", ".join(engines.ENGINES)
    parser.add_argument("engines", nargs="*", default=["tidings"], help=f"in this order; of {names}")
    parser.add_argument("--workload", choices=["posts", "words"], default="posts", help="with windows, or a word a record")
    parser.add_argument("--what", default="drain,delay,start", help="which of drain, delay, start (default: all)")
    parser.add_argument("--records", type=int, help="records of a drain, the same for all")
    parser.add_argument("--rate", type=int, help="posts a second for the delay, the same for all")
    parser.add_argument("--seconds", type=int, default=30, help="seconds of the delay that are measured")
    parser.add_argument("--patience", type=int, default=120, help="seconds that a drain may take")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--tidings", default=os.path.join(engines.ROOT, "target", "release", "tidings"), help="the program")
    parser.add_argument("--install", action="store_true", help="only fetch and build what the engines need")
    args = parser.parse_args()
    if unknown := [name for name in args.engines if name not in engines.ENGINES]:
        parser.error(f"unknown: {', '.join(unknown)}; there are {names}")
    if any(engines.ENGINES[name].kind == "ours" for name in args.engines) and not os.path.exists(args.tidings):
        parser.error(f"{args.tidings} is missing: cargo build --release, or --tidings PROGRAM")
    return args


def main():
    args = arguments()
    # So that what was started is ended.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    for name in args.engines:
        install.engine(engines.ENGINES[name].kind, engines.ENGINES[name].job)
    if args.install:
        return
    figures = {name: [] for name in args.engines}
    # On the same disk as all else: a broker's data in memory would be another thing.
    with tempfile.TemporaryDirectory(prefix="run-", dir=engines.TARGET) as folder, broker.Broker(folder) as kafka:
        filled = {}
        kafka.warm()
        for number in range(args.rounds):
            for name in args.engines:
                print(f"{name}, round {number + 1}", file=sys.stderr, flush=True)
                found = one(args, name, kafka, folder, filled)
                print(f"  {found}", file=sys.stderr, flush=True)
                figures[name].append(found)
    print_table(args, figures)
    if any("failed" in found for rounds in figures.values() for found in rounds):
        sys.exit(1)


def one(args, name, kafka, folder, filled):
    """All that is asked of one engine, once."""
    engine, found, failed = engines.ENGINES[name], {}, []
    for what in args.what.split(","):
        place = tempfile.mkdtemp(prefix=f"{name}-", dir=folder)
        try:
            found.update(measured(what, args, name, engine, kafka, place, filled))
        except measures.Failed as error:
            failed.append(f"{what}: {error}")
        finally:
            shutil.rmtree(place, ignore_errors=True)
    if failed:
        found["failed"] = "; ".join(failed)
    return found


def measured(what, args, name, engine, kafka, place, filled):
    def start(topic, clock, epoch, batch):
        settings = {"program": args.tidings, "brokers": kafka.address, "topic": topic, "workload": args.workload,
                    "folder": place, "clock": clock, "epoch": epoch, "batch": batch}
        return lambda: engines.start(name, engine, settings)

    if what == "drain":
        records = args.records or (engine.posts if args.workload == "posts" else engine.words)
        path = posts.file_of(os.path.join(engines.TARGET, "data"), args.workload, records)
        answers = oracle.of_file(path, args.workload)
        if records not in filled:
            filled[records] = kafka.filled(path, args.workload)
        return measures.drain(args.patience, start(filled[records], "event", "250ms", "1000"), kafka, records, answers)
    if args.workload == "words":
        return {}
    if what == "delay":
        rate = args.rate or engine.rate
        if engine.rate == 0:
            return {}
        topic = kafka.topic(posts.PARTITIONS)
        return measures.delays(start(topic, "wall", "50ms", "100"), kafka, topic, rate, args.seconds, engine.warm)
    path = posts.file_of(os.path.join(engines.TARGET, "data"), "posts", 1)
    return measures.start_up(start(kafka.filled(path, "posts"), "event", "250ms", "100"))


COLUMNS = [
    ("rate", "posts/s", "{:,.0f}"),
    ("cpu", "CPU s a million", "{:.1f}"),
    ("broker", "broker's CPU s a million", "{:.1f}"),
    ("peak", "memory, MiB", "{:,.0f}"),
    ("p50", "delay p50, ms", "{:,.0f}"),
    ("p99", "delay p99, ms", "{:,.0f}"),
    ("offered", "at posts/s", "{:,.0f}"),
    ("seconds", "start-up, s", "{:.2f}"),
]


def print_table(args, figures):
    when = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
    print(f"{when}; {processor()}, {os.cpu_count()} cores; Linux {platform.release()}; {java()}; rounds: {args.rounds};")
    print(f"`python3 benches/engines/run.py {' '.join(sys.argv[1:])}`\n")
    print("| engine | version | " + " | ".join(title for _, title, _ in COLUMNS) + " |")
    print("|---|---|" + "---|" * len(COLUMNS))
    for name, rounds in figures.items():
        engine, cells = engines.ENGINES[name], []
        for key, _, form in COLUMNS:
            values = [found[key] / (1 << 20 if key == "peak" else 1) for found in rounds if key in found]
            cells.append(form.format(statistics.median(values)) if values else "-")
        version = engine.version or commit()
        print(f"| {engine.title} | {version} | " + " | ".join(cells) + " |")
    for name, rounds in figures.items():
        for found in rounds:
            if "failed" in found:
                print(f"\n{name}: {found['failed']}")


def processor():
    with open("/proc/cpuinfo") as file:
        return next((line.split(":")[1].strip() for line in file if line.startswith("model name")), "unknown processor")


def java():
    said = subprocess.run(["java", "-version"], stderr=subprocess.PIPE, text=True, check=False).stderr
    return said.splitlines()[0] if said else "no Java"


def commit():
    command = ["git", "-C", engines.ROOT, "rev-parse", "--short", "HEAD"]
    said = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    return said.stdout.strip() or "unknown"


if __name__ == "__main__":
    main()

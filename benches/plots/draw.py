"""`python3 benches/plots/draw.py`: the plots of docs/benchmarks.md, from what the benches print.

Idea: a plot is a bench's own output, drawn; nothing is typed in. Each plot runs its commands, or reads what they printed before
(`--read FOLDER`, where `--keep FOLDER` has put it), and writes one SVG.
Invariant: a line that is not as expected ends the script, so that no plot is of half an output.
Cost: that of the benches, some ten minutes for all, of which `delay` needs Java and the broker's jars
(`tests/kafka/kafka.sh install`); matplotlib comes by pip into a virtual environment under `target`.
"""

import argparse
import os
import re
import subprocess
import sys
import venv

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
VENV = os.path.join(ROOT, "target", "plots")
OUT = os.path.join(ROOT, "docs", "plots")
RATES = [1_000, 3_000, 10_000, 30_000, 60_000]


def main():
    parser = argparse.ArgumentParser(prog="benches/plots/draw.py", description=__doc__.splitlines()[0])
    parser.add_argument("plots", nargs="*", help=f"of {', '.join(PLOTS)} (default: all)")
    files = parser.add_mutually_exclusive_group()
    files.add_argument("--read", metavar="FOLDER", help="draw what was printed before instead of measuring")
    files.add_argument("--keep", metavar="FOLDER", help="also write what the benches print into files there")
    args = parser.parse_args()
    if unknown := [name for name in args.plots if name not in PLOTS]:
        parser.error(f"unknown: {', '.join(unknown)}; there are {', '.join(PLOTS)}")
    plt = library()
    os.makedirs(OUT, exist_ok=True)
    for name in args.plots or PLOTS:
        commands, draw = PLOTS[name]
        printed = [output(args, f"{name}-{number}", command) for number, command in enumerate(commands)]
        figure, axes = plt.subplots(figsize=(8, 3.6), layout="constrained")
        draw(axes, printed)
        axes.spines[["top", "right"]].set_visible(False)
        # Neither the moment nor chance may change a file whose content has not changed.
        figure.savefig(os.path.join(OUT, f"{name}.svg"), metadata={"Date": None})
        plt.close(figure)
        print(f"docs/plots/{name}.svg", file=sys.stderr)


def library():
    """matplotlib's pyplot, of the version that is asked for: this script is started again by a Python that has it."""
    if os.path.realpath(sys.prefix) != os.path.realpath(VENV):
        python = os.path.join(VENV, "bin", "python")
        if not os.path.exists(python):
            venv.create(VENV, with_pip=True)
        requirements = os.path.join(HERE, "requirements.txt")
        subprocess.run([python, "-m", "pip", "install", "--quiet", "-r", requirements], check=True)
        os.execv(python, [python, os.path.abspath(__file__), *sys.argv[1:]])
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams.update({"svg.hashsalt": "tidings", "svg.fonttype": "none", "font.family": "sans-serif"})
    import matplotlib.pyplot

    return matplotlib.pyplot


def output(args, name, command):
    if args.read:
        with open(os.path.join(args.read, f"{name}.txt")) as file:
            return file.read()
    print(command, file=sys.stderr, flush=True)
    said = subprocess.run(command.split(), cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout
    if args.keep:
        os.makedirs(args.keep, exist_ok=True)
        with open(os.path.join(args.keep, f"{name}.txt"), "w") as file:
            file.write(said)
    return said


def numbers(text, pattern):
    """What the groups of a pattern found in a text, which must have it once."""
    found = re.findall(pattern, text, re.MULTILINE)
    if len(found) != 1:
        sys.exit(f"{len(found)} lines match {pattern!r} in:\n{text}")
    return [float(number) for number in (found[0] if isinstance(found[0], tuple) else found)]


def stages(axes, printed):
    """Of the loop and of the engine, where a post's processor time goes."""
    cost = lambda name: numbers(printed[0], rf"^{re.escape(name)} +\d+ +([\d.]+) ")[0]
    read, decode, extract, combine = (cost(name) for name in ["read", "+ decode", "+ extract", "+ combine"])
    shared = [("reading", read), ("decoding", decode - read), ("terms", extract - decode)]
    rows = [
        ("the loop", shared + [("counting", cost("loop") - extract)]),
        ("engine, 1 worker", shared + [("combining", combine - extract), ("the rest", cost("engine, workers: 1") - combine)]),
    ]
    colours = {"reading": "#9aa5b1", "decoding": "#6f8fb0", "terms": "#3f6d9b", "counting": "#c9803a", "combining": "#c9803a", "the rest": "#8f4f1c"}
    for row, (name, parts) in enumerate(rows):
        left = 0
        for part, seconds in parts:
            axes.barh(row, seconds, left=left, color=colours[part], edgecolor="white")
            if seconds > 0.15:
                axes.text(left + seconds / 2, row, f"{part}\n{seconds:.2f}", ha="center", va="center", color="white", fontsize=9)
            left += seconds
        axes.text(left, row, f" {left:.2f}", va="center", fontsize=9)
    axes.set_yticks(range(len(rows)), [name for name, _ in rows])
    axes.invert_yaxis()
    axes.set_xlabel("CPU seconds per million posts")


def delay(axes, printed):
    """From the intended moment of sending to the answer over HTTP, against the rate of posts."""
    pattern = r"^sent until answered over HTTP +\d+ +([\d.]+) \S+ +([\d.]+) \S+ +[\d.]+ \S+$"
    found = [numbers(text, pattern) for text in printed]
    for rate, text in zip(RATES, printed):
        sent, rounds, seconds, wanted = numbers(text, r"^(\d+) posts in (\d+) rounds of (\d+) s, (\d+) \S+ a second wanted;")
        if wanted != rate or sent < 0.99 * rate * seconds * rounds:
            sys.exit(f"not {rate} posts a second:\n{text}")
    for place, name in enumerate(["p50", "p99"]):
        axes.plot(RATES, [values[place] for values in found], marker="o", label=name, color=["#3f6d9b", "#c9803a"][place])
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("posts a second, offered evenly")
    axes.set_ylabel("ms until answered")
    axes.grid(True, which="both", color="#e4e7eb", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.legend(frameon=False)


def windows(axes, printed):
    """What the same posts cost with other windows."""
    lines = re.findall(r"^(\S+) +\d+ +([\d.]+)  ", printed[0], re.MULTILINE)
    if len(lines) != len(printed[0].strip().splitlines()) - 2:
        sys.exit(f"behind two lines there are others than of windows in:\n{printed[0]}")
    names, costs = [name for name, _ in lines], [float(cost) for _, cost in lines]
    axes.barh(range(len(lines)), costs, color="#3f6d9b")
    for row, cost in enumerate(costs):
        axes.text(cost, row, f" {cost:.2f}", va="center", fontsize=9)
    axes.set_yticks(range(len(lines)), names)
    axes.invert_yaxis()
    axes.set_xlabel("CPU seconds per million posts")


PLOTS = {
    "stages": (["cargo bench --bench engine -- --repeats 9"], stages),
    "windows": (["cargo bench --bench windows -- --minutes 6"], windows),
    "delay": ([f"cargo bench --bench live -- latency --workers 1 --rate {rate} --seconds 10" for rate in RATES], delay),
}

if __name__ == "__main__":
    main()

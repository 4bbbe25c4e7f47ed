"""The three things that are measured of each engine.

Idea: draining a topic that is full already; the delay from the moment at which a post should have been sent to the one at
which an answer with it was read; and the time from starting the program to its first right answer.
Invariant: a drain counts only where everything shown in the end is what the oracle says. Its rate and processor time are
of what came after the first fifth, so that starting and warming up are in neither. A delay is measured from the intended
moment, whatever held the sender up.
Cost: as long as the engine takes, and a patience at the most.
"""

import subprocess
import sys
import time

from . import ours, posts

PATIENCE = 120
WARM = 0.2


class Failed(Exception):
    """Why an engine has no figure."""


def drain(patience, start, broker, records, answers):
    """Posts a second, processor seconds a million posts of engine and broker, bytes at the most."""
    with start() as run:
        began, warm, end = time.time(), None, None
        while True:
            visible = run.visible()
            if warm is None and visible >= WARM * records:
                warm = mark(run, broker)
            if end is None and visible >= records:
                end = mark(run, broker)
                peak = run.peak()
            if end is not None and settled(run) and run.right(answers):
                break
            # A job stays when it has read all, until it is ended.
            if run.ended():
                run.reader.join(5)
                raise Failed(f"it ended: {run.wrong(answers)}\n{run.tail()}")
            if time.time() - began > patience:
                raise Failed(f"after {patience} s {visible} of {records} posts are visible; {run.wrong(answers)}")
            time.sleep(0.03)
        posts_between, seconds = end["visible"] - warm["visible"], end["moment"] - warm["moment"]
        if seconds <= 0:
            raise Failed("all of it was right, but came at once: too few posts for a rate")
        return {
            "rate": posts_between / seconds,
            "cpu": (end["cpu"] - warm["cpu"]) / posts_between * 1e6,
            "broker": (end["broker"] - warm["broker"]) / posts_between * 1e6,
            "peak": peak,
        }


def mark(run, broker):
    moment, visible = run.progress[-1]
    return {"moment": moment, "visible": visible, "cpu": run.cpu(), "broker": broker.cpu()}


def settled(run):
    return time.time() - run.progress[-1][0] > 0.3


def delays(start, broker, topic, rate, seconds, warm):
    """Median and 99th percentile, in milliseconds, of what came after `warm` seconds."""
    with start() as run:
        first = time.time()
        begin = first + 12
        sender = subprocess.Popen(
            [sys.executable, "-m", "bench.broker", broker.address, topic, str(rate), str(begin), str(warm + seconds)],
            cwd=__file__.rsplit("/", 2)[0],
        )
        try:
            if sender.wait(12 + warm + seconds + 40) != 0:
                raise Failed("the sender failed")
            time.sleep(5)
        finally:
            if sender.poll() is None:
                sender.kill()
                sender.wait()
        if run.ended():
            raise Failed(f"it ended\n{run.tail()}")
        sights = probes_tidings(run, begin, rate) if isinstance(run, ours.Tidings) else probes_job(run)
    probes = int(rate * (warm + seconds)) // posts.PROBE_EVERY
    return percentiles(sights, probes, begin, rate, warm)


def probes_job(run):
    return [(moment, visible // posts.PROBE_EVERY) for moment, visible in run.progress]


def probes_tidings(run, begin, rate):
    """When how many probes were visible: those before the window, and those counted in it."""
    sights = []
    for moment, start_ms, found in run.sights:
        number = max(0, int((start_ms / 1_000 - begin) * rate) - 2)
        while int((begin + number / rate) * 1_000) < start_ms:
            number += 1
        before = -(-number // posts.PROBE_EVERY)
        sights.append((moment, before + found))
    return sights


def percentiles(sights, probes, begin, rate, warm):
    found, at = [], 0
    for probe in range(probes):
        due = begin + probe * posts.PROBE_EVERY / rate
        while at < len(sights) and sights[at][1] <= probe:
            at += 1
        if at == len(sights):
            # The last few may be left in a batch that is not closed.
            if probes - probe > max(2, probes // 100):
                raise Failed(f"it fell behind: {probe} of {probes} probes were seen 5 s after the last was sent")
            break
        if due - begin >= warm:
            found.append((sights[at][0] - due) * 1_000)
    found.sort()
    return {"p50": found[len(found) // 2], "p99": found[len(found) * 99 // 100], "offered": rate}


def start_up(start):
    """Seconds from starting the program to an answer with the one post that the topic holds."""
    with start() as run:
        while run.probes_seen() == 0:
            if run.ended():
                run.reader.join(5)
                if run.probes_seen():
                    break
                raise Failed(f"it ended\n{run.tail()}")
            if time.time() - run.started > PATIENCE:
                raise Failed("no answer")
            time.sleep(0.002)
        moment = run.sights[-1][0] if isinstance(run, ours.Tidings) else run.progress[-1][0]
        return {"seconds": moment - run.started}

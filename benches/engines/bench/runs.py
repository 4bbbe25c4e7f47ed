"""A job that runs, and what it has shown so far.

Idea: each job of another engine writes a line whenever something that it counts has changed, to its standard output, the
cheapest of all sinks; a thread here reads the lines and notes when how much was visible.
  top WINDOW_START_MS KIND TERM COUNT TERM COUNT ..   the first ten of a window, whole
  count TERM COUNT                                    the plain word count
Invariant: a moment is noted after the line has been read, so what an answer takes to come counts. Lines are trusted for
nothing: in the end all that was shown is compared with the oracle.
Cost: about a microsecond a line, on the cores that the engine has too.
"""

import os
import signal
import subprocess
import threading
import time

from . import posts, process

PANES = posts.WINDOW_MS // posts.SLIDE_MS


class Run:
    """A process of an engine; `with` ends it and all that it started."""

    def __init__(self, command, environment, log):
        self.started = time.time()
        self.log = log
        with open(log, "wb") as err:
            self.child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=err,
                env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | environment,
                start_new_session=True,
            )
        self.pid = self.child.pid
        # (moment, posts that are in the answer), rising.
        self.progress = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.child.poll() is None:
            self.end(signal.SIGTERM)
            try:
                self.child.wait(10)
            except subprocess.TimeoutExpired:
                self.end(signal.SIGKILL)
        self.child.wait()

    def end(self, how):
        # A session of its own, so that what the job started ends too.
        try:
            os.killpg(self.pid, how)
        except ProcessLookupError:
            pass

    def ended(self):
        return self.child.poll() is not None

    def cpu(self):
        return process.cpu(self.pid)

    def peak(self):
        return process.peak(self.pid)

    def seen(self, visible):
        if visible > (self.progress[-1][1] if self.progress else 0):
            self.progress.append((time.time(), visible))

    def visible(self):
        return self.progress[-1][1] if self.progress else 0

    def tail(self):
        with open(self.log, errors="replace") as file:
            return "".join(file.readlines()[-15:])


class Job(Run):
    """A job of another engine."""

    def __init__(self, command, environment, log):
        super().__init__(command, environment, log)
        self.windows, self.counts = {}, {}
        # Of the probe in all windows; and of all words.
        self.probes = self.total = 0
        self.other = []
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.child.stdout:
            try:
                self.take(line.decode().split())
            except (ValueError, IndexError):
                self.other.append(line)
        self.child.stdout.close()

    def take(self, parts):
        if parts[0] == "top":
            name = f"{parts[1]} {parts[2]}"
            top = [[parts[at], int(parts[at + 1])] for at in range(3, len(parts), 2)]
            if parts[2] == "hashtags":
                self.probes += probe_in(top) - probe_in(self.windows.get(name, ()))
            self.windows[name] = top
            self.seen(self.probes // PANES * posts.PROBE_EVERY)
        elif parts[0] == "count":
            self.total += int(parts[2]) - self.counts.get(parts[1], 0)
            self.counts[parts[1]] = int(parts[2])
            self.seen(self.total)
        else:
            raise ValueError

    def probes_seen(self):
        return self.probes // PANES

    def right(self, answers):
        """Whether all that was shown is what the oracle says."""
        if "counts" in answers:
            return dict(self.counts) == answers["counts"]
        return dict(self.windows) == answers["windows"]

    def wrong(self, answers):
        """What the first differences are."""
        shown, meant = (self.counts, answers["counts"]) if "counts" in answers else (self.windows, answers["windows"])
        names = sorted(name for name in set(shown) | set(meant) if shown.get(name) != meant.get(name))
        said = [f"{len(names)} of {len(meant)} answers differ"]
        said += [f"  {name}: shown {shown.get(name)}, right {meant.get(name)}" for name in names[:3]]
        return "\n".join(said)


def probe_in(top):
    return next((count for term, count in top if term == posts.PROBE[1:]), 0)

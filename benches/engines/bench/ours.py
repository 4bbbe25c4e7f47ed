"""tidings as a user has it: the program, its configuration, its HTTP interface.

Idea: what is shown is what a follower of /v1/events gets, and in the end /v1/counts/{count}/top, with a thousand terms of
both counts, totals and distinct terms, is compared with the oracle.
Invariant: how many posts are in an answer is what its stamp says (drain), or follows from the count of the probe in it
(delay), as for every other engine.
Cost: one stream, over HTTP.
"""

import http.client
import json
import threading
import time

from . import posts, runs

CONFIG = """
[kafka]
brokers = "{brokers}"
topics = ["{topic}"]
start = "earliest"
[posts]
format = "json"
text = "{text}"
[engine]
workers = {workers}
epoch = "{epoch}"
clock = "{clock}"
[http]
bind = "127.0.0.1:0"
"""
COUNTS = {
    "posts": """
[[count]]
name = "hashtags"
of = "hashtags"
windows = ["1m/10s"]
[[count]]
name = "words"
of = "words"
windows = ["1m/10s"]
""",
    "words": """
[[count]]
name = "words"
of = "words"
windows = ["all"]
""",
}


class Tidings(runs.Run):
    """`tidings run`, and a follower."""

    def __init__(self, program, settings, folder):
        config = f"{folder}/tidings.toml"
        with open(config, "w") as out:
            out.write(CONFIG.format(**settings) + COUNTS[settings["workload"]])
        super().__init__([program, "run", "-c", config], {}, f"{folder}/tidings.log")
        self.workload = settings["workload"]
        self.window = "1m/10s" if self.workload == "posts" else "all"
        self.address = None
        # (moment, start of the window in Unix milliseconds, count of the probe in it)
        self.sights = []
        self.reader = threading.Thread(target=self.follow, daemon=True)
        self.reader.start()

    def follow(self):
        while (address := self.said_where()) is None:
            if self.ended():
                return
            time.sleep(0.002)
        self.address = address
        connection = http.client.HTTPConnection(address)
        counts = "hashtags,words" if self.workload == "posts" else "words"
        connection.request("GET", f"/v1/events?counts={counts}&window={self.window}&k=10")
        response = connection.getresponse()
        try:
            for line in response:
                if line.startswith(b"data: "):
                    self.take(json.loads(line[6:]))
        except (OSError, ValueError, http.client.HTTPException, AttributeError):
            # It has ended, or is being ended.
            return

    def said_where(self):
        with open(self.log) as file:
            _, found, rest = file.read().partition("answering on http://")
        return rest.split()[0] if found and "\n" in rest else None

    def take(self, event):
        offsets = event["stamp"]["offsets"]
        self.seen(sum(sum(partitions.values()) for partitions in offsets.values()))
        if hashtags := event.get("counts", {}).get("hashtags"):
            found = runs.probe_in([[entry["term"], entry["count"]] for entry in hashtags["top"]])
            self.sights.append((time.time(), epoch_ms(event["stamp"]["from"]), found))

    def probes_seen(self):
        return self.sights[-1][2] if self.sights else 0

    def ask(self, path):
        connection = http.client.HTTPConnection(self.address, timeout=10)
        connection.request("GET", path)
        return json.loads(connection.getresponse().read())

    def right(self, answers):
        return self.wrong(answers) is None

    def wrong(self, answers):
        if "counts" in answers:
            return self.wrong_words(answers["counts"])
        for of, meant in answers["last"].items():
            said = self.ask(f"/v1/counts/{of}/top?window={self.window}&k=1000")
            top = [[entry["term"], entry["count"]] for entry in said["top"]]
            if (said["total"], said["distinct"], top) != (meant["total"], meant["distinct"], meant["top"]):
                shown = (said["stamp"]["from"], said["total"], said["distinct"], top[:3])
                return f"{of}: shown {shown}, right {(meant['total'], meant['distinct'], meant['top'][:3])}"
        return None

    def wrong_words(self, meant):
        shown, after = {}, ""
        while after is not None:
            page = self.ask(f"/v1/counts/words/terms?window=all&prefix=&limit=1000{after}")
            shown.update((entry["term"], entry["count"]) for entry in page["terms"])
            after = f"&after={page['next']}" if page["next"] else None
        return None if shown == meant else f"{len(shown)} words of {len(meant)}, or other counts"


def epoch_ms(text):
    """Unix milliseconds of a time as the stamp has it."""
    if text is None:
        return 0
    whole = time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S")
    import calendar

    return calendar.timegm(whole) * 1_000 + int(text[20:23])

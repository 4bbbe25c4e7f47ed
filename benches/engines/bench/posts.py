"""Posts that every engine cuts into the same terms, and words for the plain word count.

Idea: text of lower-case ASCII words and one #tag, parted by single spaces, so that splitting at spaces, a regular
expression and Unicode's word rules all agree, and one oracle serves every engine. Words and tags follow Zipf's law with
exponent 1 over 300,000 words and 20,000 tags, which is a long tail as posts have it.
Invariant: the same number gives the same file, byte for byte; every 16th post has the tag #probe, by whose count a
reader sees how many posts are in an answer.
Cost: about 15 microseconds a post, once: files are kept.
"""

import itertools
import json
import os
import random

PROBE = "#probe"
PROBE_EVERY = 16
PARTITIONS = 4
# Event time: posts a second, and where it begins. A multiple of every slide that is used.
PACE = 5_000
BEGIN_MS = 1_700_000_000_000
WINDOW_MS = 60_000
SLIDE_MS = 10_000
WORDS = 300_000
TAGS = 20_000
# The plain word count, as Pathway published it: one word a record, chosen evenly from so many.
EVEN_WORDS = 5_000


def word(index):
    """A word for a number: the smaller, the shorter; no two alike."""
    letters = ""
    while True:
        index, digit = divmod(index, 100)
        letters = "bcdfghjklmnprstvwxyz"[digit // 5] + "aeiou"[digit % 5] + letters
        if index == 0:
            return letters
        index -= 1


def zipf(size):
    return list(itertools.accumulate(1 / rank for rank in range(1, size + 1)))


def texts(seed=1):
    """Texts without end."""
    rng = random.Random(seed)
    words, weights = [word(i) for i in range(WORDS)], zipf(WORDS)
    tags, tag_weights = ["#" + word(i) + "s" for i in range(TAGS)], zipf(TAGS)
    number = 0
    while True:
        lengths = rng.choices(range(8, 24), k=4_096)
        drawn = rng.choices(words, cum_weights=weights, k=sum(lengths))
        tagged = rng.choices(tags, cum_weights=tag_weights, k=len(lengths))
        at = 0
        for length, tag in zip(lengths, tagged):
            if number % PROBE_EVERY == 0:
                tag = PROBE
            yield " ".join(drawn[at : at + length]) + " " + tag
            at += length
            number += 1


def record(number, time_ms, text):
    """The JSON of a post, about as long as a short one of a real source."""
    return (
        f'{{"id":"{1_700_000_000_000_000_000 + number}","author":"did:plc:{number % 9_973:024d}",'
        f'"created_at":{time_ms},"lang":"en","reply_to":null,"text":"{text}"}}'
    )


def time_of(number):
    """Event time of a post of a file, in Unix milliseconds."""
    return BEGIN_MS + number * 1_000 // PACE


def posts(count):
    for number, text in zip(range(count), texts()):
        yield record(number, time_of(number), text)


def words(count, seed=1):
    rng = random.Random(seed)
    names = [word(i) for i in range(EVEN_WORDS)]
    left = count
    while left > 0:
        for name in rng.choices(names, k=min(left, 65_536)):
            yield f'{{"word":"{name}"}}'
        left -= 65_536


def file_of(folder, workload, count):
    """The file with so many records, a line each; written where it is not there yet."""
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, f"{workload}-{count}.jsonl")
    if not os.path.exists(path):
        part = path + ".part"
        with open(part, "w", buffering=1 << 20) as out:
            for line in (posts if workload == "posts" else words)(count):
                out.write(line + "\n")
        os.rename(part, path)
    return path


def lines(path):
    with open(path, buffering=1 << 20) as file:
        for line in file:
            yield line[:-1]


def fields(line):
    return json.loads(line)

"""What a process and all below it use.

Idea: /proc, so that every engine is measured alike, whether it is one process, one in a virtual machine or several.
Invariant: children that have ended count through whoever waited for them; nothing but Linux is needed.
"""

import os

TICK = os.sysconf("SC_CLK_TCK")


def stat(pid):
    """Parent, and processor seconds of a process with those of its ended children; `None` where it has ended."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
    except (OSError, IndexError):
        return None
    return int(fields[1]), sum(int(field) for field in fields[11:15]) / TICK


def tree(root):
    """The ids of a process and all below it."""
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdigit() and (found := stat(name)):
            parents.setdefault(found[0], []).append(int(name))
    found, ahead = [], [root]
    while ahead:
        pid = ahead.pop()
        found.append(pid)
        ahead += parents.get(pid, [])
    return found


def cpu(root):
    """Processor seconds so far, in user and in system mode."""
    return sum(found[1] for pid in tree(root) if (found := stat(pid)))


def peak(root):
    """Bytes: the sum of what each process held at its most."""
    total = 0
    for pid in tree(root):
        try:
            with open(f"/proc/{pid}/status") as file:
                total += sum(int(line.split()[1]) * 1024 for line in file if line.startswith("VmHWM:"))
        except OSError:
            continue
    return total

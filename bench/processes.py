"""What processes have used so far, from /proc."""
import os
import pathlib
import re
import statistics

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


def _stat(pid):
    """The fields of /proc/PID/stat after the name, which may hold anything."""
    return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def descendants(root):
    """Every process below `root`, without it."""
    children = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                children.setdefault(int(_stat(entry)[1]), []).append(int(entry))
            except (OSError, IndexError):
                pass  # it has ended
    found, queue = [], [root]
    while queue:
        below = children.get(queue.pop(), [])
        found += below
        queue += below
    return found


def cpu_seconds(pids):
    """User and system time of these processes, their threads and what they have waited for."""
    ticks = 0
    for pid in pids:
        ticks += sum(int(value) for value in _stat(pid)[11:15])
    return ticks / TICKS_PER_SECOND


def _status_mb(pids, field):
    total_kb = 0
    for pid in pids:
        match = re.search(rf"^{field}:\s+(\d+) kB", pathlib.Path(f"/proc/{pid}/status").read_text(),
                          re.MULTILINE)
        total_kb += int(match.group(1)) if match else 0
    return total_kb / 1024


def peak_rss_mb(pids):
    """Sum of each process's highest resident memory. What two of them share counts twice."""
    return _status_mb(pids, "VmHWM")


def rss_mb(pids):
    return _status_mb(pids, "VmRSS")


def median(values):
    return statistics.median(values)


def ratio(ours, theirs):
    """Median of the ratios pair by pair."""
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))

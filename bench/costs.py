"""Dollars for a million images, from the processor time that was measured."""
import math

from processes import median

# AWS Lambda's list price in us-east-1, in dollars: https://aws.amazon.com/lambda/pricing/
PER_GB_SECOND = {"x86_64": 0.0000166667, "arm64": 0.0000133334}
PER_MILLION_REQUESTS = 0.20
# From here on a function has one whole vCPU; below, its share is in proportion.
MEMORY_MB_OF_ONE_VCPU = 1769
MEMORY_MB = (128, 256, 512, 1024, 1769)
MILLION = 1_000_000


def per_million(cpu_ms, memory_mb, architecture):
    billed_ms = math.ceil(cpu_ms * max(1.0, MEMORY_MB_OF_ONE_VCPU / memory_mb))
    gb_seconds = billed_ms / 1000 * memory_mb / 1024
    return gb_seconds * PER_GB_SECOND[architecture] * MILLION + PER_MILLION_REQUESTS


def table(entry, names, architecture):
    """Rows of text, one for each memory size; a dash where the peak of memory does not fit."""
    rows = []
    for memory_mb in MEMORY_MB:
        row = [f"{memory_mb:,} MB"]
        for name in names:
            measured = entry.get(name)
            if not measured or not measured["cpu_ms"] or measured["peak_rss_mb"] > memory_mb:
                row.append("–")
            else:
                dollars = per_million(median(measured["cpu_ms"]), memory_mb, architecture)
                row.append(f"{dollars:.2f}")
        rows.append(row)
    return rows

"""What the figures are measured against, and whether they reach it."""
import statistics

from processes import median, ratio

NEXT_RATIO_MAX, RECORD_RATIO_MAX = 1 / 25, 1 / 6
MIB = 1024 * 1024


def _best(entry, names, field):
    """The best peer's name: the one with the smallest median."""
    found = [n for n in names if entry.get(n, {}).get(field)]
    return min(found, key=lambda n: median(entry[n][field])) if found else None


def _functions(found):
    cold, warm = found["cold"], found["warm"]
    for peer in [n for n in cold if n != "ours"]:
        for field, bound, text in (("next_ms", NEXT_RATIO_MAX, "first `/next`"),
                                   ("record_ms", RECORD_RATIO_MAX, "first record")):
            value = ratio(cold["ours"][field], cold[peer][field])
            yield (f"cold start to {text}, of {peer}'s", f"≤ 1/{1 / bound:.0f}",
                   f"1/{1 / value:.1f}", value <= bound)
    for image, set_name, peers, bound in (
            ("jpeg", "one", ("pillow", "sharp"), 0.5),
            ("jpeg-progressive", "one", ("pillow", "sharp"), 0.1),
            ("jpeg", "five", ("sharp",), 0.4),
            ("jpeg", "five", ("sharp-careful",), 0.8)):
        entry = warm.get(image, {}).get(set_name, {})
        if peer := _best(entry, peers, "cpu_ms"):
            value = ratio(entry["ours"]["cpu_ms"], entry[peer]["cpu_ms"])
            yield (f"processor time, {image}, {set_name}, of {peer}'s", f"≤ {bound}",
                   f"{value:.3f}", value <= bound)
    for image, bound in (("jpeg", 64), ("jpeg-progressive", 64), ("jpeg-100mp", 128)):
        if image in warm:
            value = warm[image]["one"]["ours"]["peak_rss_mb"]
            yield f"peak memory, {image}, one", f"≤ {bound} MB", f"{value:.0f} MB", value <= bound
    if "ours" in found["package_bytes"]:
        value = found["package_bytes"]["ours"] / 1e6
        yield "package", "≤ 12 MB", f"{value:.1f} MB", value <= 12


def _cloud(found):
    ours = found["start"]["ours"]
    for field, bound, text, unit in (("ready_ms", 50, "ready", "ms"),
                                     ("idle_mb", 20, "idle memory", "MB")):
        value = median(ours[field])
        yield f"`imgproc local`, {text}", f"≤ {bound} {unit}", f"{value:.0f} {unit}", value <= bound
    for operations, peers in (
            (("S3 put 4 KB", "S3 get 4 KB"), {"s3rver": 10, "moto": 30}),
            (("DynamoDB put", "DynamoDB get"), {"dynalite": 2, "moto": 20})):
        for operation in operations:
            entry = found["load"][operation]
            for peer, bound in peers.items():
                if peer in entry:
                    value = ratio(entry["ours"]["per_second"], entry[peer]["per_second"])
                    yield (f"{operation}, times {peer}'s", f"≥ {bound}", f"{value:.1f}",
                           value >= bound)
    value = statistics.median(found["latency"]["overhead_ms"])
    yield "event to record without the image's work, p50", "< 5 ms", f"{value:.1f} ms", value < 5


def check(results):
    """(what, goal, measured, reached) for each goal that was measured."""
    yield from _functions(results["functions"])
    yield from _cloud(results["cloud"])

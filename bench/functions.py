"""The whole function against its peers: cold start, processor time, throughput, memory, size."""
import concurrent.futures
import json
import time

import deployment
import images
import processes
from processes import median

SETS = {"one": [200], "five": [200, 400, 800, 1200, 1600]}
# A batch is to last about so long: processor time comes in ticks of 10 ms.
BATCH_SECONDS, EVENTS_MIN, EVENTS_MAX = 1.0, 5, 60
COLD_IMAGE = "jpeg-2mp"
THROUGHPUT_IMAGES = ("jpeg", "jpeg-2mp")
# Too large for some peer's default memory, and told apart for that.
LARGE_IMAGE = "jpeg-100mp"


def config_of(sizes):
    """Our configuration for what the peers do with SIZES."""
    return json.dumps({"recipes": [{"renditions": {
        f"w{size}": {"width": size, "height": size, "fit": "inside", "format": "jpeg",
                     "quality": 80} for size in sizes}}]})


def variables_of(name, set_name):
    sizes = SETS[set_name]
    if name == "ours":
        return {"IMGPROC_CONFIG": config_of(sizes)}
    mode = "careful" if name == "sharp-careful" else "usual"
    return {"SIZES": ",".join(map(str, sizes)), "MODE": mode}


class Functions:
    def __init__(self, package, build, pictures, options, say):
        self.pictures, self.options, self.say = pictures, options, say
        self.missing, self.sizes, codes = {}, {}, {"ours": package}
        for name, make in (("pillow", deployment.pillow_package),
                           ("sharp", lambda: deployment.sharp_package(build))):
            try:
                codes[name] = make()
            except deployment.Missing as missing:
                self.missing[name] = str(missing)
        if "sharp" in codes:
            codes["sharp-careful"] = codes["sharp"]
        for name, code in codes.items():
            if isinstance(code, bytes):
                self.sizes[name] = len(code)
        self.deployed = {
            name: deployment.Deployment(name, code, variables_of(name, "one"),
                                        deployment.MEMORY_MB_LARGE)
            for name, code in codes.items()}

    def stop(self):
        for function in self.deployed.values():
            function.stop()

    def run(self):
        results = {"package_bytes": self.sizes, "missing": self.missing, "cold": self.cold()}
        results["warm"] = {name: {s: self.warm(name, s) for s in SETS}
                           for name in self.options.classes}
        if self.options.large:
            results["warm"][LARGE_IMAGE] = {"one": self.warm(LARGE_IMAGE, "one", rounds=1)}
        results["throughput"] = {name: self.throughput(name) for name in THROUGHPUT_IMAGES
                                 if name in self.options.classes}
        return results

    def cold(self):
        """Spawn to the first /next, and to the answer after the first record, milliseconds."""
        path, found = self.pictures.path(COLD_IMAGE), {}
        names = [name for name in self.deployed if name != "sharp-careful"]
        for name in names:
            self.deployed[name].restart(**variables_of(name, "one"))
        for _ in range(self.options.cold_rounds):
            for name in names:
                function = self.deployed[name]
                key, = function.upload(path, 1)
                function.restart()
                report = function.invoke(key)
                function.check(key, 1)
                entry = found.setdefault(name, {"next_ms": [], "record_ms": []})
                entry["next_ms"].append(report["Init Duration"])
                entry["record_ms"].append(report["Init Duration"] + report["Duration"])
        self.say("cold start: " + ", ".join(
            f"{n} {median(v['next_ms']):.0f}/{median(v['record_ms']):.0f} ms"
            for n, v in found.items()))
        return found

    def warm(self, image, set_name, rounds=None):
        path, found, events = self.pictures.path(image), {}, {}
        for _ in range(rounds or self.options.rounds):
            for name, function in self.deployed.items():
                if name == "sharp-careful" and set_name == "one":
                    continue  # with one size both are the same
                entry = found.setdefault(name, {"cpu_ms": [], "wall_ms": []})
                if "unsupported" in entry:
                    continue
                if name not in events:
                    if not self._first(function, name, set_name, path, entry, events):
                        continue
                keys = function.upload(path, events[name])
                pids = function.pids()
                before = processes.cpu_seconds(pids)
                wall = [function.invoke(key)["Duration"] for key in keys]
                spent = processes.cpu_seconds(pids) - before
                function.check(keys[-1], len(SETS[set_name]))
                entry["cpu_ms"].append(1000 * spent / len(keys))
                entry["wall_ms"].append(median(wall))
                entry["peak_rss_mb"] = processes.peak_rss_mb(pids)
        self.say(f"{image}, {set_name}: " + ", ".join(
            f"{n} {median(v['cpu_ms']):.1f} ms {v['peak_rss_mb']:.0f} MB"
            for n, v in found.items() if v["cpu_ms"]))
        return found

    def _first(self, function, name, set_name, path, entry, events):
        """A fresh environment, warmed up; and how many events make a batch."""
        function.restart(**variables_of(name, set_name))
        keys = function.upload(path, 2)
        try:
            function.invoke(keys[0])
        except RuntimeError as error:
            entry["unsupported"] = str(error)
            self.say(f"{name} cannot do this: {error}")
            return False
        duration = function.invoke(keys[1])["Duration"] / 1000
        wanted = int(self.options.batch_seconds / duration)
        events[name] = max(self.options.events_min, min(wanted, EVENTS_MAX))
        return True

    def throughput(self, image):
        """Events a second with one and with two invocations at once, client and cloud included."""
        path, found = self.pictures.path(image), {}
        for workers in (1, 2):
            for name, function in self.deployed.items():
                if name == "sharp-careful":
                    continue
                function.restart(**variables_of(name, "one"))
            for _ in range(self.options.rounds + 1):  # the first is for warming up
                for name, function in self.deployed.items():
                    if name == "sharp-careful":
                        continue
                    keys = function.upload(path, 2 * max(self.options.events_min, 10))
                    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
                        began = time.monotonic()
                        list(pool.map(function.invoke, keys))
                        spent = time.monotonic() - began
                    found.setdefault(name, {}).setdefault(str(workers), []).append(
                        len(keys) / spent)
            for entry in found.values():
                del entry[str(workers)][0]
        self.say(f"events a second, {image}: " + ", ".join(
            f"{n} {median(v['1']):.1f}/{median(v['2']):.1f}" for n, v in found.items()))
        return found


def classes():
    return [name for name in images.CLASSES if name != LARGE_IMAGE]

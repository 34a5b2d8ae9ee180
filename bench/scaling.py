"""How time and memory grow: with pixels, renditions, events, and what the local cloud keeps."""
import load
import processes
from cloud import BUCKET, KIB, TABLE
from deployment import SOURCE, clients
from functions import config_of

SHAPE = (4, 3)
MEGAPIXELS = (1, 3, 6, 13, 24, 48)
RENDITIONS = (1, 2, 4, 8, 16)
RENDITION_SIZE = 400
EVENTS_STEPS = 8
KEYS_STEPS = 8


class Scaling:
    def __init__(self, function, servers, pictures, options, say):
        self.function, self.servers = function, servers
        self.pictures, self.options, self.say = pictures, options, say

    def run(self):
        return {"pixels": self.pixels(), "renditions": self.renditions(),
                "events": self.events(), "keys": self.keys()}

    def _batch(self, path, events, renditions):
        """Milliseconds of processor time per event, and the peak of memory since the restart."""
        function = self.function
        function.invoke(*function.upload(path, 1))
        keys = function.upload(path, events)
        pids = function.pids()
        before = processes.cpu_seconds(pids)
        for key in keys:
            function.invoke(key)
        spent = processes.cpu_seconds(pids) - before
        function.check(keys[-1], renditions)
        return 1000 * spent / events, processes.peak_rss_mb(pids)

    def pixels(self):
        points = []
        for megapixels in self.options.megapixels:
            unit = (megapixels * 1e6 / (SHAPE[0] * SHAPE[1])) ** 0.5
            size = tuple(round(side * unit / 16) * 16 for side in SHAPE)
            path = self.pictures.of_size(f"scale-{megapixels}mp", size)
            self.function.restart(IMGPROC_CONFIG=config_of([200]))
            cpu, peak = self._batch(path, self.options.scaling_events, 1)
            points.append({"megapixels": size[0] * size[1] / 1e6, "cpu_ms": cpu,
                           "peak_rss_mb": peak})
        self.say("by pixels: " + ", ".join(
            f"{p['megapixels']:.0f} MP {p['cpu_ms']:.0f} ms" for p in points))
        return points

    def renditions(self):
        path, points = self.pictures.path("jpeg-2mp"), []
        for count in RENDITIONS:
            # Of different sizes, since one name stands for each.
            config = config_of([RENDITION_SIZE + i for i in range(count)])
            self.function.restart(IMGPROC_CONFIG=config)
            cpu, peak = self._batch(path, self.options.scaling_events, count)
            points.append({"renditions": count, "cpu_ms": cpu, "peak_rss_mb": peak})
        self.say("by renditions: " + ", ".join(
            f"{p['renditions']} {p['peak_rss_mb']:.0f} MB" for p in points))
        return points

    def events(self):
        """Resident memory of one environment as it works on."""
        path, points, done = self.pictures.small(), [], 0
        self.function.restart(IMGPROC_CONFIG=config_of([200]))
        for _ in range(EVENTS_STEPS):
            for key in self.function.upload(path, self.options.events_max // EVENTS_STEPS):
                self.function.invoke(key)
                done += 1
            points.append({"events": done, "rss_mb": processes.rss_mb(self.function.pids())})
        self.say("by events: " + ", ".join(
            f"{p['events']} {p['rss_mb']:.0f} MB" for p in points))
        return points

    def keys(self):
        """Resident memory of the local cloud as objects and records are added."""
        server = self.servers.start("ours", "--empty")
        endpoint, points = server.endpoint, []
        clients.client("s3", endpoint).create_bucket(Bucket=BUCKET)
        clients.client("dynamodb", endpoint).create_table(
            TableName=TABLE, BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "path", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "path", "KeyType": "HASH"}])
        body, step = bytes(KIB), self.options.keys_max // KEYS_STEPS
        for start in range(0, step * KEYS_STEPS, step):
            names = [f"{number:09d}" for number in range(start, start + step)]
            objects = (load.signed(endpoint, "s3", "PUT", f"/{BUCKET}/{name}", body)
                       for name in names)
            records = (load.dynamodb(endpoint, "PutItem", {"TableName": TABLE, "Item": {
                "path": {"S": f"{SOURCE}/{name}"}, "status": {"S": "READY"}}}) for name in names)
            load.send_once(server.port, objects)
            load.send_once(server.port, records)
            points.append({"keys": start + step, "rss_mb": server.rss_mb()})
        self.say("by keys: " + ", ".join(f"{p['keys']} {p['rss_mb']:.0f} MB" for p in points))
        server.stop()
        return points

"""The local cloud against servers that others wrote: requests a second, latency, start, memory."""
import http.client
import json
import time

import boto3
from botocore.config import Config

import load
import processes
from deployment import clients
from processes import median

KIB, MIB = 1024, 1024 * 1024
BUCKET, TABLE = "bench-load", "bench-load"
S3_SERVERS = ("ours", "s3rver", "moto")
DYNAMODB_SERVERS = ("ours", "dynalite", "moto")
CONNECTIONS = 8
# So many different keys are written in turn.
KEYS = 500
ITEMS_PER_HASH = 10
LARGE_BYTES = 100 * MIB
# A photo's record has about so much text.
ATTRIBUTE_BYTES = 700


class Cloud:
    def __init__(self, servers, pictures, options, say):
        self.servers, self.pictures, self.options, self.say = servers, pictures, options, say

    def run(self):
        results = {"missing": self.servers.missing, "start": self.start(),
                   "load": self.load(), "latency": self.event_to_record()}
        return results

    def _names(self, wanted):
        return [name for name in wanted if name in self.servers.available]

    def start(self):
        """Spawn to the first answer, milliseconds, and resident memory soon after, MB."""
        found = {}
        for _ in range(self.options.start_rounds):
            for name in self.servers.available:
                server = self.servers.start(name)
                entry = found.setdefault(name, {"ready_ms": [], "idle_mb": []})
                entry["ready_ms"].append(server.ready_ms)
                entry["idle_mb"].append(server.rss_mb())
                server.stop()
        self.say("ready: " + ", ".join(
            f"{n} {median(v['ready_ms']):.0f} ms {median(v['idle_mb']):.0f} MB"
            for n, v in found.items()))
        return found

    def load(self):
        """Each operation on each server, in turn, `rounds` times."""
        running = {name: self.servers.start(name, *(["--empty"] if name == "ours" else []))
                   for name in self.servers.available}
        try:
            found = {}
            for names, prepare in ((self._names(S3_SERVERS), self._s3),
                                   (self._names(DYNAMODB_SERVERS), self._dynamodb)):
                work = {name: prepare(running[name].endpoint) for name in names}
                for operation in work["ours"]:
                    found[operation] = self._alternate(
                        operation, {name: (running[name], work[name][operation])
                                    for name in names})
            found |= self._large({n: running[n] for n in self._names(S3_SERVERS)})
            return found
        finally:
            for server in running.values():
                server.stop()

    def _alternate(self, operation, work):
        entry = {name: {"per_second": [], "cpu_us": [], "p50_ms": [], "p99_ms": []}
                 for name in work}
        for _ in range(self.options.rounds):
            for name, (server, requests) in work.items():
                def replay(connections):
                    return load.replay(server.endpoint, requests, self.servers.folder.name,
                                       self.options.load_seconds, connections)
                pids = [server.process.pid, *processes.descendants(server.process.pid)]
                before = processes.cpu_seconds(pids)
                busy = replay(CONNECTIONS)
                spent = processes.cpu_seconds(pids) - before
                if name == "ours" and busy["failed"]:
                    raise RuntimeError(f"{operation}: {busy['failed']} requests failed")
                entry[name]["cpu_us"].append(1e6 * spent / busy["requests"])
                # How long one request takes shows where none waits for another.
                alone = replay(1) if self.options.large else busy
                entry[name]["per_second"].append(busy["per_second"])
                entry[name]["p50_ms"].append(alone["p50_ms"])
                entry[name]["p99_ms"].append(alone["p99_ms"])
        self.say(f"{operation}: " + ", ".join(
            f"{n} {median(v['per_second']):.0f}/s" for n, v in entry.items()))
        return entry

    def _s3(self, endpoint):
        """Puts come before gets, so that what is read is there."""
        client = _s3_client(endpoint)
        client.create_bucket(Bucket=BUCKET)
        work = {}
        for label, size, keys in (("4 KB", 4 * KIB, KEYS), ("1 MB", MIB, 10)):
            body = bytes(i * 31 % 256 for i in range(size))
            targets = [f"/{BUCKET}/{size}/{i:06d}" for i in range(keys)]
            for target in targets:
                client.put_object(Bucket=BUCKET, Key=target.partition(f"/{BUCKET}/")[2], Body=body)
            work[f"S3 put {label}"] = [
                load.signed(endpoint, "s3", "PUT", target, body) for target in targets]
            work[f"S3 get {label}"] = [
                load.signed(endpoint, "s3", "GET", target) for target in targets]
        return work

    def _dynamodb(self, endpoint):
        client = clients.client("dynamodb", endpoint)
        client.create_table(
            TableName=TABLE, BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"},
                                  {"AttributeName": "at", "AttributeType": "N"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"},
                       {"AttributeName": "at", "KeyType": "RANGE"}])
        client.get_waiter("table_exists").wait(TableName=TABLE)
        puts, gets, queries = [], [], []
        for number in range(KEYS):
            key = {"id": {"S": f"photo-{number // ITEMS_PER_HASH:05d}"},
                   "at": {"N": str(number % ITEMS_PER_HASH)}}
            item = key | {"status": {"S": "READY"}, "size": {"N": str(number)},
                          "text": {"S": "x" * ATTRIBUTE_BYTES}}
            client.put_item(TableName=TABLE, Item=item)
            puts.append(load.dynamodb(endpoint, "PutItem", {"TableName": TABLE, "Item": item}))
            gets.append(load.dynamodb(endpoint, "GetItem", {"TableName": TABLE, "Key": key}))
            queries.append(load.dynamodb(endpoint, "Query", {
                "TableName": TABLE, "KeyConditionExpression": "id = :id",
                "ExpressionAttributeValues": {":id": key["id"]}}))
        return {"DynamoDB put": puts, "DynamoDB get": gets, "DynamoDB query": queries}

    def _large(self, running):
        """100 MB each way, MB per second, by one connection that sends and drops bytes."""
        body = bytes(LARGE_BYTES)
        found = {"S3 put 100 MB": {}, "S3 get 100 MB": {}}
        for _ in range(self.options.rounds if self.options.large else 1):
            for name, server in running.items():
                target = f"/{BUCKET}/large"
                for label, method, sent in (("put", "PUT", body), ("get", "GET", b"")):
                    request = load.signed(server.endpoint, "s3", method, target, sent)
                    spent = _exchange(server.port, request)
                    entry = found[f"S3 {label} 100 MB"].setdefault(name, {"mb_per_second": []})
                    entry["mb_per_second"].append(LARGE_BYTES / MIB / spent)
        for operation, entry in found.items():
            self.say(f"{operation}: " + ", ".join(
                f"{n} {median(v['mb_per_second']):.0f} MB/s" for n, v in entry.items()))
        return found

    def event_to_record(self):
        """From sending an upload until the final record can be read, milliseconds."""
        server = self.servers.start("ours")
        source, table = "serverless-img-proc-source", "serverless-img-proc-metadata"
        body = self.pictures.small().read_bytes()
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        whole, overhead = [], []
        for number in range(self.options.latency_events + 1):
            key = f"{number:06d}.jpg"
            upload = load.signed(server.endpoint, "s3", "PUT", f"/{source}/{key}", body)
            poll = load.dynamodb(server.endpoint, "GetItem", {
                "TableName": table, "Key": {"path": {"S": f"{source}/{key}"}},
                "ConsistentRead": True})
            began = time.monotonic()
            load.send(connection, upload)
            while True:
                item = json.loads(load.send(connection, poll)).get("Item")
                if item and item["status"]["S"] == "READY":
                    break
                if time.monotonic() - began > 60:
                    raise RuntimeError(f"no record of {key}: {item}")
            spent = 1000 * (time.monotonic() - began)
            if number == 0:
                continue  # the cold start is measured elsewhere
            timings = item["timings_ms"]["M"]
            image = sum(float(timings[step]["N"]) for step in
                        ("header", "decode", "appearance", "resize", "encode")
                        if step in timings)
            whole.append(spent)
            overhead.append(spent - image)
        connection.close()
        server.stop()
        self.say(f"event to record: {median(whole):.1f} ms, without the image's own work "
                 f"{median(overhead):.1f} ms")
        return {"whole_ms": whole, "overhead_ms": overhead}


def _s3_client(endpoint):
    """With the one pair of keys that s3rver accepts."""
    return boto3.client("s3", endpoint_url=endpoint, region_name=load.REGION,
                        aws_access_key_id=load.CREDENTIALS.access_key,
                        aws_secret_access_key=load.CREDENTIALS.secret_key,
                        config=Config(s3={"addressing_style": "path"}))


def _exchange(port, request):
    """Seconds for one request and its whole answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    connection.connect()
    began = time.monotonic()
    connection.sock.sendall(request)
    response = http.client.HTTPResponse(connection.sock)
    response.begin()
    buffer = bytearray(MIB)
    while response.readinto(buffer):
        pass
    spent = time.monotonic() - began
    connection.close()
    if response.status != 200:
        raise RuntimeError(f"the answer was {response.status}")
    return spent

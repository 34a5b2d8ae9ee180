#!/usr/bin/env python3
"""Kills `imgproc local` at random moments and checks that nothing it acknowledged is lost.

Each round starts the server on the same data folder, lets several clients put and overwrite objects
and write table items, and kills the process with SIGKILL at a random moment. In the end every
acknowledged object must be there with its bytes, every acknowledged item must be in its table, and
every object, acknowledged or not, must have a READY record of its own ETag with all its renditions.
Usage: crash_test.py [--rounds N] [--seed N]        programs: IMGPROC_BIN, else build/release/bin
"""
import argparse
import hashlib
import pathlib
import random
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "conformance"))

import botocore.exceptions  # noqa: E402

import clients  # noqa: E402
import stack  # noqa: E402

WRITERS = 4
KEYS_PER_WRITER = 40
ALIVE_SECONDS = (0.02, 1.2)
SETTLE_SECONDS_MAX = 600
JOURNAL = "crash-journal"


class Writer(threading.Thread):
    """Puts objects under keys of its own until the server is gone; remembers what was answered."""

    def __init__(self, number, seed, known):
        super().__init__(daemon=True)
        self.number, self.random, self.known = number, random.Random(seed), known
        self.endpoint = None
        self.acknowledged = 0

    def run(self):
        s3 = clients.client("s3", self.endpoint, read_timeout=20)
        dynamodb = clients.client("dynamodb", self.endpoint, read_timeout=20)
        try:
            while True:
                self.put(s3)
                self.write_item(dynamodb)
        except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError,
                botocore.exceptions.HTTPClientError):
            return  # killed: what was under way counts as not acknowledged

    def put(self, s3):
        key = f"writer {self.number}/{self.random.randrange(KEYS_PER_WRITER):02}.png"
        picture = stack.gradient_png(24, 16, blue=self.random.randrange(256))
        body = picture + self.random.randbytes(8)
        entry = self.known["objects"].setdefault(key, {"certain": None, "possible": set()})
        digest = hashlib.sha256(body).hexdigest()
        entry["possible"].add(digest)
        s3.put_object(Bucket=stack.SOURCE, Key=key, Body=body)
        entry["certain"], entry["possible"] = digest, set()
        self.acknowledged += 1

    def write_item(self, dynamodb):
        number = len(self.known["items"][self.number])
        dynamodb.put_item(TableName=JOURNAL, Item={
            "writer": {"S": str(self.number)}, "number": {"N": str(number)}})
        self.known["items"][self.number].append(number)


def start(data):
    begin = time.monotonic()
    server = clients.Server(data, start_seconds_max=60)
    return server, time.monotonic() - begin


def run_round(data, known, rng):
    """Returns (puts acknowledged, seconds the start took)."""
    server, seconds = start(data)
    writers = [Writer(n, rng.random(), known) for n in range(WRITERS)]
    for writer in writers:
        writer.endpoint = server.endpoint
        writer.start()
    time.sleep(rng.uniform(*ALIVE_SECONDS))
    server.kill()
    for writer in writers:
        writer.join(60)
        assert not writer.is_alive(), "a client still waits for a killed server"
    return sum(writer.acknowledged for writer in writers), seconds


def check_objects(s3, known):
    """Objects that are there, key to ETag, after comparing each with what was acknowledged."""
    there, problems = {}, []
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=stack.SOURCE):
        there |= {item["Key"]: item["ETag"] for item in page.get("Contents", [])}
    for key, entry in known["objects"].items():
        if key not in there:
            if entry["certain"]:
                problems.append(f"lost object: {key}")
            continue
        body = s3.get_object(Bucket=stack.SOURCE, Key=key)["Body"].read()
        digest = hashlib.sha256(body).hexdigest()
        if digest != entry["certain"] and digest not in entry["possible"]:
            problems.append(f"object with bytes that nobody sent last: {key}")
    problems += [f"object that nobody sent: {key}" for key in there if key not in known["objects"]]
    return there, problems


def check_items(dynamodb, known):
    found = {number: set() for number in range(WRITERS)}
    for page in dynamodb.get_paginator("scan").paginate(TableName=JOURNAL):
        for item in page["Items"]:
            found[int(item["writer"]["S"])].add(int(item["number"]["N"]))
    return [f"lost item: writer {writer}, {number}" for writer, numbers in known["items"].items()
            for number in numbers if number not in found[writer]]


def check_records(s3, dynamodb, there):
    """Every object must come to a READY record of its own ETag, with its renditions."""
    problems, deadline = [], time.monotonic() + SETTLE_SECONDS_MAX
    for key, etag in there.items():
        try:
            record = stack.wait_for_record(dynamodb, key, max(1, deadline - time.monotonic()), etag)
        except AssertionError as error:
            problems.append(f"lost event: {error}")
            continue
        if record["status"]["S"] != "READY":
            problems.append(f"record of {key} is {record['status']['S']}: {record.get('error')}")
            continue
        for rendition in record["renditions"]["M"].values():
            try:
                s3.head_object(Bucket=stack.DESTINATION, Key=rendition["M"]["key"]["S"])
            except botocore.exceptions.ClientError as error:
                problems.append(f"rendition of {key}: {error}")
    return problems


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    arguments = parser.parse_args()
    print(f"crash test: {arguments.rounds} rounds, seed {arguments.seed}", flush=True)
    rng = random.Random(arguments.seed)
    known = {"objects": {}, "items": {number: [] for number in range(WRITERS)}}
    with tempfile.TemporaryDirectory() as data:
        server, _ = start(data)
        clients.client("dynamodb", server.endpoint).create_table(
            TableName=JOURNAL, BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "writer", "AttributeType": "S"},
                                  {"AttributeName": "number", "AttributeType": "N"}],
            KeySchema=[{"AttributeName": "writer", "KeyType": "HASH"},
                       {"AttributeName": "number", "KeyType": "RANGE"}])
        server.kill()
        acknowledged, slowest = 0, 0.0
        for _ in range(arguments.rounds):
            puts, seconds = run_round(data, known, rng)
            acknowledged += puts
            slowest = max(slowest, seconds)
        server, _ = start(data)
        s3 = clients.client("s3", server.endpoint)
        dynamodb = clients.client("dynamodb", server.endpoint)
        there, problems = check_objects(s3, known)
        problems += check_items(dynamodb, known)
        problems += check_records(s3, dynamodb, there)
        if problems:
            print(server.tail(20_000))
        server.stop()
    items = sum(len(numbers) for numbers in known["items"].values())
    for problem in problems[:50]:
        print(problem)
    print(f"crash test: {arguments.rounds} kills, {acknowledged} puts and {items} items "
          f"acknowledged, {len(there)} objects at the end, slowest start {slowest:.2f} s, "
          f"{len(problems)} problems, seed {arguments.seed}")
    if not acknowledged:
        print("nothing was acknowledged, so nothing was tested")
    return 1 if problems or not acknowledged else 0


if __name__ == "__main__":
    sys.exit(main())

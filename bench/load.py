"""Requests signed beforehand, and wrk, which sends them faster than any server here answers."""
import concurrent.futures
import http.client
import itertools
import json
import pathlib
import shutil
import subprocess
import urllib.parse

import botocore.auth
import botocore.awsrequest
import botocore.credentials

REGION = "us-east-1"
# s3rver takes no other.
CREDENTIALS = botocore.credentials.Credentials("S3RVER", "S3RVER")
FAILED_SHARE_MAX = 0.05
SCRIPT = pathlib.Path(__file__).with_name("load.lua")


def available():
    return shutil.which("wrk") is not None


def signed(endpoint, service, method, target, body=b"", headers=None):
    """The request as it goes over the wire."""
    request = botocore.awsrequest.AWSRequest(method, endpoint + target, dict(headers or {}), body)
    auth = botocore.auth.S3SigV4Auth if service == "s3" else botocore.auth.SigV4Auth
    auth(CREDENTIALS, service, REGION).add_auth(request)
    lines = [f"{method} {target} HTTP/1.1", f"Host: {urllib.parse.urlsplit(endpoint).netloc}"]
    lines += [f"{name}: {value}" for name, value in request.headers.items()]
    if method in ("PUT", "POST"):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def dynamodb(endpoint, operation, parameters):
    return signed(endpoint, "dynamodb", "POST", "/", json.dumps(parameters).encode(),
                  {"X-Amz-Target": f"DynamoDB_20120810.{operation}",
                   "Content-Type": "application/x-amz-json-1.0"})


def replay(endpoint, requests, folder, seconds, connections):
    """What load.lua prints. All but a few answers must have been successes, of which the rest is
    counted: moto fails some requests that come side by side."""
    file = pathlib.Path(folder) / "requests"
    with file.open("wb") as out:
        for request in requests:
            out.write(f"{len(request)}\n".encode() + request)
    result = subprocess.run(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "-s", SCRIPT,
         endpoint, "--", file], capture_output=True, text=True, check=True, timeout=seconds + 60)
    seen = json.loads(result.stdout.strip().splitlines()[-1])
    succeeded = seen["requests"] - seen["failed"]
    if succeeded <= 0 or seen["failed"] > FAILED_SHARE_MAX * seen["requests"]:
        raise RuntimeError(f"{endpoint}: {result.stdout}")
    seen["per_second"] = succeeded / seen["seconds"]
    return seen


def send(connection, request):
    """Sends whole bytes over a connection that is kept. The answer's body, or a RuntimeError."""
    if connection.sock is None:
        connection.connect()
    connection.sock.sendall(request)
    response = http.client.HTTPResponse(connection.sock)
    response.begin()
    body = response.read()
    if response.status != 200:
        raise RuntimeError(f"the answer was {response.status}: {body[:300]}")
    return body


def send_once(port, requests, connections=4):
    """Each request once, for filling a server."""
    def work(batch):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        for request in batch:
            send(connection, request)
        connection.close()
    requests = iter(requests)
    batches = iter(lambda: list(itertools.islice(requests, 500)), [])
    with concurrent.futures.ThreadPoolExecutor(connections) as pool:
        for group in iter(lambda: list(itertools.islice(batches, connections)), []):
            list(pool.map(work, group))

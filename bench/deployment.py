"""One Lambda function in an `imgproc local` of its own: ours, or a peer's."""
import base64
import io
import itertools
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile

import processes

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests/conformance"))
import clients  # noqa: E402  the server and its clients, as the tests start them

SOURCE, DESTINATION, TABLE, NAME = "bench-source", "bench-dest", "bench-records", "bench"
# One whole vCPU on AWS.
MEMORY_MB = 1769
# The peers' largest picture needs more than that.
MEMORY_MB_LARGE = 3008
TIMEOUT_S = 120
POLICY = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": ["s3:*", "dynamodb:*", "logs:*"], "Resource": "*"}]}


class Missing(Exception):
    """What this machine lacks to run a peer."""


def pillow_package():
    if subprocess.run(["/usr/bin/python3", "-c", "import PIL, boto3"], check=False,
                      stderr=subprocess.DEVNULL).returncode:
        raise Missing("python3-pil and python3-boto3 are not installed")
    # boto3 is Debian's here and Lambda's own there; what is uploaded is the handler.
    start = '#!/bin/sh\nexec /usr/bin/python3 -B "$LAMBDA_TASK_ROOT/handler.py"\n'
    handler = ROOT / "bench/peers/pillow/handler.py"
    return _zip({"bootstrap": start, "handler.py": handler.read_bytes()})


def sharp_package(build):
    """Made by tools/dev/bench.sh in `build`: the bundle, and node_modules without what it holds."""
    folder, node = pathlib.Path(build) / "sharp", shutil.which("node")
    if not node or not (folder / "index.cjs").exists():
        raise Missing(f"{folder} is not made (./dev bench makes it)")
    loaded = subprocess.run([node, "-e", "require('sharp')"], cwd=folder, check=False,
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if loaded.returncode:
        raise Missing("sharp does not load here: it needs Node.js 20.9, newer than Debian 12's")
    files = {"bootstrap": f'#!/bin/sh\nexec {node} "$LAMBDA_TASK_ROOT/index.cjs"\n'}
    for path in [folder / "index.cjs", *(folder / "node_modules").rglob("*")]:
        if path.is_file() and not path.is_symlink():
            files[str(path.relative_to(folder))] = path.read_bytes()
    return _zip(files)


def _zip(files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in sorted(files.items()):
            info = zipfile.ZipInfo(name)
            info.external_attr = 0o755 << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
    return out.getvalue()


class Deployment:
    """code: the bytes of a zip, or the folder in which `bootstrap` stands."""

    def __init__(self, name, code, variables, memory_mb=MEMORY_MB):
        self.name = name
        self.folder = tempfile.TemporaryDirectory(prefix="imgproc-bench-")
        self.server = clients.Server(self.folder.name, "--empty", "--quiet")
        self._client = {s: clients.client(s, self.server.endpoint)
                        for s in ("s3", "dynamodb", "lambda", "iam")}
        self.s3, self.dynamodb = self._client["s3"], self._client["dynamodb"]
        self.function = self._client["lambda"]
        self._numbers = itertools.count(1)
        self._variables = variables
        self._create(code, memory_mb)

    def _create(self, code, memory_mb):
        for bucket in (SOURCE, DESTINATION):
            self.s3.create_bucket(Bucket=bucket)
        self.dynamodb.create_table(
            TableName=TABLE, BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "path", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "path", "KeyType": "HASH"}])
        iam = self._client["iam"]
        trust = {"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Action": "sts:AssumeRole",
            "Principal": {"Service": "lambda.amazonaws.com"}}]}
        role = iam.create_role(RoleName=NAME, AssumeRolePolicyDocument=json.dumps(trust))
        iam.put_role_policy(RoleName=NAME, PolicyName="all", PolicyDocument=json.dumps(POLICY))
        if isinstance(code, bytes):
            code = {"ZipFile": code}
        else:
            code = {"S3Bucket": "$local", "S3Key": str(code)}
        self.function.create_function(
            FunctionName=NAME, Runtime="provided.al2023", Handler="bootstrap", Code=code,
            Role=role["Role"]["Arn"], MemorySize=memory_mb, Timeout=TIMEOUT_S,
            Environment=self._environment(0))

    def _environment(self, number):
        return {"Variables": {"DESTINATION_BUCKET": DESTINATION, "TABLE_NAME": TABLE,
                              "SOURCE_BUCKET": SOURCE, "BENCH_ROUND": str(number)}
                | self._variables}

    def restart(self, **variables):
        """The next invocation starts a fresh environment, as after any change of a function."""
        self._variables |= variables
        self.function.update_function_configuration(
            FunctionName=NAME, Environment=self._environment(next(self._numbers)))

    def upload(self, path, count):
        """`count` objects of the file's bytes, no two with one key."""
        keys = [f"{next(self._numbers):08d}{path.suffix}" for _ in range(count)]
        self.s3.put_object(Bucket=SOURCE, Key=keys[0], Body=path.read_bytes())
        for key in keys[1:]:
            self.s3.copy_object(Bucket=SOURCE, Key=key,
                                CopySource={"Bucket": SOURCE, "Key": keys[0]})
        return keys

    def event(self, key):
        return json.dumps({"Records": [{
            "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": clients.REGION,
            "eventTime": "2026-01-01T00:00:00.000Z", "eventName": "ObjectCreated:Put",
            "s3": {"s3SchemaVersion": "1.0", "configurationId": "bench",
                   "bucket": {"name": SOURCE, "arn": f"arn:aws:s3:::{SOURCE}"},
                   "object": {"key": key, "sequencer": f"{next(self._numbers):016X}"}}}]})

    def invoke(self, key):
        """Runs one event to its end. The report's times, ms: Duration, at a start Init Duration."""
        answer = self.function.invoke(FunctionName=NAME, Payload=self.event(key), LogType="Tail")
        if "FunctionError" in answer:
            raise RuntimeError(f"{self.name}, {key}: {answer['Payload'].read().decode()}")
        log = base64.b64decode(answer["LogResult"]).decode()
        report = log[log.rindex("REPORT "):]
        return {name: float(value) for name, value in
                re.findall(r"([A-Z][A-Za-z ]+): ([\d.]+) ms", report)}

    def record(self, key):
        return self.dynamodb.get_item(TableName=TABLE, Key={"path": {"S": f"{SOURCE}/{key}"}},
                                      ConsistentRead=True).get("Item")

    def check(self, key, renditions):
        """A benchmark of work that was not done would be quick."""
        item = self.record(key)
        if not item or item["status"]["S"] != "READY":
            raise RuntimeError(f"{self.name}: the record of {key} is {item}")
        made = item["renditions"]["M"].values()
        for rendition in made:
            self.s3.head_object(Bucket=DESTINATION, Key=rendition["M"]["key"]["S"])
        if len(made) != renditions:
            raise RuntimeError(f"{self.name}: {len(made)} renditions of {key}, not {renditions}")

    def pids(self):
        return processes.descendants(self.server.process.pid)

    def stop(self):
        self.server.stop()
        self.folder.cleanup()

"""AWS's own clients as this machine has them, and the server that they are pointed at."""
import functools
import json
import os
import pathlib
import re
import selectors
import shutil
import signal
import subprocess
import tempfile
import urllib.error
import urllib.request

import boto3
import botocore
import botocore.config

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
REGION = "us-east-1"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
BOTOCORE = tuple(int(part) for part in botocore.__version__.split(".")[:2])
# botocore sends default checksums, conditional writes and CRC64NVME from these versions on.
HAS_DEFAULT_CHECKSUMS = BOTOCORE >= (1, 36)
HAS_IF_NONE_MATCH = BOTOCORE >= (1, 35)
COMMAND_SECONDS_MAX = 120


def binary(name):
    """A program of ours, from IMGPROC_BIN or the release build."""
    return pathlib.Path(os.environ.get("IMGPROC_BIN", ROOT / "build/release/bin")) / name


class Server:
    """`imgproc local` on a free port and a data folder of its own."""

    def __init__(self, data, *options, start_seconds_max=30):
        self.data = pathlib.Path(data)
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [binary("imgproc"), "local", "--port", "0", "--data", str(data), *options],
            stdout=subprocess.PIPE, stderr=self.log, text=True,
            env=clean_environment())
        line = _read_line(self.process, start_seconds_max)
        match = re.match(r"listening on (http://\S+)", line)
        if not match:
            self.kill()
            raise RuntimeError(f"imgproc local said {line!r}, not its address:\n{self.tail()}")
        self.endpoint = match.group(1)

    def tail(self, bytes_max=4000):
        size = self.log.seek(0, os.SEEK_END)
        self.log.seek(max(0, size - bytes_max))
        return self.log.read().decode(errors="replace")

    def stop(self):
        """SIGTERM, as a service manager does; True if it ended by itself with status 0."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(30) == 0
        except subprocess.TimeoutExpired:
            self.kill()
            return False

    def kill(self):
        self.process.kill()
        self.process.wait()


def _read_line(process, seconds_max):
    """First line of the process's standard output, or what came until the time was over."""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        if not selector.select(seconds_max):
            return ""
        return process.stdout.readline()


def clean_environment(**extra):
    """The environment without anything that would steer an AWS client elsewhere."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "IMGPROC_"))}
    return kept | {"AWS_EC2_METADATA_DISABLED": "true"} | extra


def is_ours(endpoint):
    try:
        with urllib.request.urlopen(f"{endpoint}/_health", timeout=10) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False


def client(service, endpoint, region_name=REGION, **config):
    options = {"connect_timeout": 5, "read_timeout": 60, "retries": {"total_max_attempts": 1}}
    return boto3.client(
        service, endpoint_url=endpoint, region_name=region_name, aws_access_key_id="test",
        aws_secret_access_key="test", config=botocore.config.Config(**(options | config)))


class Cli:
    """One installed AWS CLI."""

    def __init__(self, path, version):
        self.path, self.version = path, version
        self.major = version[0]

    def run(self, endpoint, *arguments, check=True, stdin=None, **environment):
        """stdout of `aws ARGUMENTS`; with check=False the finished process."""
        # --endpoint-url, since CLIs older than 2.13 do not read AWS_ENDPOINT_URL.
        result = subprocess.run(
            [self.path, "--endpoint-url", endpoint, *map(str, arguments)], input=stdin,
            capture_output=True, timeout=COMMAND_SECONDS_MAX, check=False,
            env=clean_environment(
                AWS_DEFAULT_REGION=REGION, AWS_PAGER="", HOME=os.environ.get("HOME", "/"),
                AWS_CONFIG_FILE=os.devnull, AWS_SHARED_CREDENTIALS_FILE=os.devnull,
                AWS_MAX_ATTEMPTS="1", **CREDENTIALS, **environment))
        if not check:
            return result
        assert result.returncode == 0, (
            f"aws {' '.join(map(str, arguments))} ended with {result.returncode}: "
            f"{result.stderr.decode(errors='replace')}")
        return result.stdout.decode()

    def json(self, endpoint, *arguments, **options):
        text = self.run(endpoint, *arguments, "--output", "json", **options)
        return json.loads(text) if text.strip() else None


@functools.cache
def clis():
    """Every AWS CLI of this machine by name: v1, v2 (of tests/peers), v2-debian."""
    found = {}
    candidates = [shutil.which("aws"), "/usr/bin/aws",
                  ROOT / "build/peers/awscli/v2/current/dist/aws"]
    for path in candidates:
        if not path or not pathlib.Path(path).exists():
            continue
        try:
            text = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=60,
                                  check=False).stdout
        except OSError:
            continue
        match = re.match(r"aws-cli/(\d+)\.(\d+)\.(\d+)", text)
        if not match:
            continue
        version = tuple(map(int, match.groups()))
        name = "v1" if version[0] == 1 else "v2" if version >= (2, 13) else "v2-debian"
        found.setdefault(name, Cli(path, version))
    return found


def is_final(record):
    """True of the function's record (or None) once it says how things ended. A tombstone that still
    lists renditions is a claim: they are being removed."""
    if not record:
        return False
    status, listed = record["status"]["S"], record.get("renditions", {}).get("M")
    return status in ("READY", "FAILED", "SKIPPED") or (status == "DELETED" and not listed)

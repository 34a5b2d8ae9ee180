"""`imgproc local` and the servers it is compared with, each on a free port."""
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import processes

READY_SECONDS_MAX = 60
S3RVER = """
const S3rver = require(process.argv[1]);
new S3rver({address: '127.0.0.1', port: +process.argv[2], silent: true,
            directory: process.argv[3]}).run();
"""
DYNALITE = """
require(process.argv[1])({createTableMs: 0}).listen(+process.argv[2], '127.0.0.1');
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _answers(port):
    """True once an HTTP answer of any kind comes."""
    try:
        with socket.create_connection(("127.0.0.1", port), 1) as connection:
            connection.settimeout(10)
            connection.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
            return connection.recv(5) == b"HTTP/"
    except OSError:
        return False


class Server:
    def __init__(self, name, command, port):
        """Starts it; ready_ms is the time until it answers a request."""
        self.name, self.port = name, port
        self.endpoint = f"http://127.0.0.1:{port}"
        began = time.monotonic()
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, start_new_session=True)
        while not _answers(port):
            if time.monotonic() - began > READY_SECONDS_MAX or self.process.poll() is not None:
                self.stop()
                raise RuntimeError(f"{name} did not start: {command}")
            time.sleep(0.001)
        self.ready_ms = 1000 * (time.monotonic() - began)

    def rss_mb(self):
        pids = [self.process.pid, *processes.descendants(self.process.pid)]
        return processes.rss_mb(pids)

    def stop(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()


class Servers:
    """start(NAME) for each name of `available`; all data is below one folder."""

    def __init__(self, imgproc, modules):
        self.folder = tempfile.TemporaryDirectory(prefix="imgproc-bench-")
        self.imgproc, self.modules, self.started = imgproc, pathlib.Path(modules), 0
        self.available, self.missing = ["ours"], {}
        node = shutil.which("node")
        for name in ("s3rver", "dynalite"):
            if node and (self.modules / name).is_dir():
                self.available.append(name)
            else:
                self.missing[name] = f"{name} is not installed in {self.modules}"
        if shutil.which("moto_server"):
            self.available.append("moto")
        else:
            self.missing["moto"] = "moto_server is not on the PATH"

    def start(self, name, *options):
        port = free_port()
        self.started += 1
        data = f"{self.folder.name}/{name}-{self.started}"
        pathlib.Path(data).mkdir()
        commands = {
            "ours": [self.imgproc, "local", "--quiet", "--port", str(port), "--data", data,
                     *options],
            "s3rver": ["node", "-e", S3RVER, self.modules / "s3rver", str(port), data],
            "dynalite": ["node", "-e", DYNALITE, self.modules / "dynalite", str(port)],
            "moto": ["moto_server", "-p", str(port)],
        }
        return Server(name, commands[name], port)

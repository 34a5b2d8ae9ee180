"""Recorded exchanges between AWS's clients and a server, and the means to send them again.

A recording holds, per exchange, a "## client  phase=..." line, the request's lines after "> " and
the answer's after "< "; binary bodies stand as "<binary N bytes>", signatures as "<hex64>".
"""
import base64
import dataclasses
import datetime
import hashlib
import hmac
import http.client
import io
import json
import os
import pathlib
import re
import urllib.parse
import xml.etree.ElementTree as ET
import zipfile
import zlib

import clients

SHARED = pathlib.Path(os.environ.get("IMGPROC_SHARED", clients.ROOT.parent / "shared"))
RECORDINGS = SHARED / "aws" / "recordings"
MODELS = SHARED / "aws" / "MODELS.md"
RECORDED_ACCOUNT = "123456789012"
ACCOUNT = os.environ.get("IMGPROC_ACCOUNT", "000000000000")
RECORDED_REGION = "eu-west-1"
# Recorded bodies larger than this are sent shortened: their size is not what is tested here.
BODY_BYTES_MAX = 64 * 1024
def _function_zip():
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        entry = zipfile.ZipInfo("bootstrap")
        entry.external_attr = 0o755 << 16
        archive.writestr(entry, "#!/bin/sh\nexit 1\n")
    return memory.getvalue()


# In place of "<base64>".
FUNCTION_ZIP = base64.b64encode(_function_zip()).decode()


@dataclasses.dataclass
class Exchange:
    operation: str
    client: str
    phase: str
    method: str
    target: str
    headers: list
    body: bytes
    status: int
    answer: str

    @property
    def service(self):
        return self.operation.split(".")[0]

    def header(self, name):
        return next((v for n, v in self.headers if n.lower() == name.lower()), None)

    def replaced(self, names):
        """The exchange with each old text of `names` replaced in target, headers and body."""
        target, headers, body = self.target, self.headers, self.body
        for old, new in sorted(names.items(), key=lambda pair: -len(pair[0])):
            target = target.replace(old, new).replace(
                urllib.parse.quote(old, safe=""), urllib.parse.quote(new, safe=""))
            headers = [(n, v.replace(old, new)) for n, v in headers]
            body = body.replace(old.encode(), new.encode())
        return dataclasses.replace(self, target=target, headers=headers, body=body)


def _parse_one(operation, text):
    lines = text.split("\n")
    client, _, phase = lines[0].partition("phase=")
    sent = [line[2:] for line in lines if line.startswith(">")]
    got = [line[2:] for line in lines if line.startswith("<")]
    method, target, _ = sent[0].split(" ")
    headers, index = [], 1
    while index < len(sent) and sent[index] != "":
        if not sent[index].startswith("("):
            name, _, value = sent[index].partition(": ")
            headers.append((name, value))
        index += 1
    body = "\n".join(sent[index + 1:])
    if binary := re.fullmatch(r"<binary (\d+) bytes>", body):
        data = bytes(i % 251 for i in range(min(int(binary.group(1)), BODY_BYTES_MAX)))
    else:
        data = body.replace("<base64>", FUNCTION_ZIP).encode()
    end = got.index("") if "" in got else len(got)
    return Exchange(operation, client.strip(), phase.split()[0], method, target, headers, data,
                    int(got[0]), "\n".join(got[end + 1:]))


def load(operation):
    text = (RECORDINGS / f"{operation}.txt").read_text("utf-8")
    return [_parse_one(operation, part) for part in re.split(r"^## ", text, flags=re.M)[1:]]


def operations(services):
    if not RECORDINGS.is_dir():
        return []
    names = sorted(path.stem for path in RECORDINGS.glob("*.txt"))
    return [name for name in names if name.split(".")[0] in services]


def modelled_members(operation):
    """Names on the wire of the answer's top-level body members, from MODELS.md."""
    text = MODELS.read_text("utf-8")
    section = text.split(f"\n### {operation.replace('.', ':')}\n", 1)[1].split("\n### ", 1)[0]
    out = section.split("- out:", 1)[1] if "- out:" in section else ""
    members = set()
    for line in out.split("\n"):
        if match := re.match(r"    - (\w+)\*?(.*)", line):
            rest = match.group(2).split(":", 1)[0]
            if "@" not in rest:
                alias = re.search(r"\bas (\w+)", match.group(2))
                members.add(alias.group(1) if alias else match.group(1))
    return members


def _hmac(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def _sign(method, target, headers, payload_hash, region, service):
    """The Authorization header of Signature Version 4, over every header given."""
    path, _, query = target.partition("?")
    if service != "s3":
        path = urllib.parse.quote(path, safe="/~")
    pairs = sorted((p.partition("=")[0], p.partition("=")[2]) for p in query.split("&") if p)
    canonical_query = "&".join(f"{n}={v}" for n, v in pairs)
    named = sorted((n.lower(), " ".join(v.split())) for n, v in headers)
    signed = ";".join(n for n, _ in named)
    canonical = "\n".join([method, path, canonical_query,
                           *(f"{n}:{v}" for n, v in named), "", signed, payload_hash])
    stamp = dict(named)["x-amz-date"]
    scope = f"{stamp[:8]}/{region}/{service}/aws4_request"
    text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope,
                      hashlib.sha256(canonical.encode()).hexdigest()])
    key = b"AWS4test"
    for part in (stamp[:8], region, service, "aws4_request"):
        key = _hmac(key, part)
    signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
    return (f"AWS4-HMAC-SHA256 Credential=test/{scope}, SignedHeaders={signed}, "
            f"Signature={signature}")


def _frame(body):
    """aws-chunked with a CRC32 trailer, as botocore sends it over TLS."""
    crc = base64.b64encode(zlib.crc32(body).to_bytes(4, "big")).decode()
    return b"%x\r\n%b\r\n0\r\nx-amz-checksum-crc32:%b\r\n\r\n" % (len(body), body, crc.encode())


@dataclasses.dataclass
class Answer:
    status: int
    headers: dict
    body: bytes

    def members(self):
        """Names of the top-level members of a JSON or XML answer."""
        if not self.body.strip():
            return set()
        if re.search(rb"\.\.\.<\d+ bytes total>$", self.body.rstrip()):
            return set()  # a recording cut short
        if self.body.lstrip().startswith(b"<"):
            return {child.tag.rpartition("}")[2] for child in ET.fromstring(self.body)}
        return set(json.loads(self.body))

    def root(self):
        return ET.fromstring(self.body).tag.rpartition("}")[2]


def send(endpoint, exchange):
    """Sends the request again, signed for now, with checksums of the body that is really sent."""
    host = urllib.parse.urlsplit(endpoint).netloc
    stamp = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    body, headers = exchange.body, []
    chunked = exchange.header("Content-Encoding") == "aws-chunked"
    decoded = len(body)
    if chunked:
        body = _frame(body)
    payload_hash = "STREAMING-UNSIGNED-PAYLOAD-TRAILER" if chunked else (
        hashlib.sha256(body).hexdigest())
    for name, value in exchange.headers:
        lower = name.lower()
        if lower in ("authorization", "host", "content-length", "transfer-encoding", "expect"):
            continue
        if lower == "x-amz-date":
            value = stamp
        elif lower == "x-amz-content-sha256":
            value = payload_hash
        elif lower == "x-amz-decoded-content-length":
            value = str(decoded)
        elif lower == "x-amz-checksum-crc32":
            value = base64.b64encode(zlib.crc32(body).to_bytes(4, "big")).decode()
        elif lower == "x-amz-checksum-crc64nvme" and exchange.body:
            value = base64.b64encode(crc64nvme(body).to_bytes(8, "big")).decode()
        headers.append((name, value))
    headers.append(("Host", host))
    if exchange.header("Authorization"):
        scope = re.search(r"Credential=\w+/\d+/([\w-]+)/(\w+)/", exchange.header("Authorization"))
        headers.append(("Authorization", _sign(exchange.method, exchange.target, headers,
                                               payload_hash, *scope.groups())))
    connection = http.client.HTTPConnection(host, timeout=60)
    connection.putrequest(exchange.method, exchange.target, skip_host=True,
                          skip_accept_encoding=True)
    for name, value in headers:
        connection.putheader(name, value)
    if body or exchange.method in ("PUT", "POST"):
        connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body)
    response = connection.getresponse()
    answer = Answer(response.status, {n.lower(): v for n, v in response.getheaders()},
                    response.read())
    connection.close()
    return answer


def _crc64_table():
    table = []
    for value in range(256):
        for _ in range(8):
            value = (value >> 1) ^ (0x9A6C9329AC4BC9B5 if value & 1 else 0)
        table.append(value)
    return table


CRC64 = _crc64_table()


def crc64nvme(data):
    value = 0xFFFFFFFFFFFFFFFF
    for byte in data:
        value = CRC64[(value ^ byte) & 0xFF] ^ (value >> 8)
    return value ^ 0xFFFFFFFFFFFFFFFF

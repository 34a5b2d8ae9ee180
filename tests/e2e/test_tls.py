"""`bootstrap` over TLS, with the keys and curves that AWS's endpoints may have: what the server
answers arrives, and a server whose certificate is not trusted gets no request."""
import contextlib
import http.server
import json
import os
import queue
import socket
import ssl
import subprocess
import threading

import pytest

import clients
import runtime_api
import stack

KEYS = {"p256": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"],
        "p384": ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp384r1"],
        "rsa": ["-newkey", "rsa:2048"]}


class Endpoint(http.server.BaseHTTPRequestHandler):
    """Refuses everything, as S3 and DynamoDB do it."""
    protocol_version = "HTTP/1.1"

    def refuse(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.requests.append(self.path)
        body = (b'{"__type":"x#AccessDeniedException","message":"over TLS"}'
                if "X-Amz-Target" in self.headers else
                b"<Error><Code>AccessDenied</Code><Message>over TLS</Message></Error>")
        self.send_response(403)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_HEAD = refuse

    def log_message(self, *_):
        pass


def make_context(key, folder):
    """A server's side of TLS with a key of that kind, and the file of its certificate."""
    certificate, secret = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(["openssl", "req", "-x509", *KEYS[key], "-nodes", "-keyout", secret, "-out",
                    certificate, "-days", "2", "-subj", "/CN=test", "-addext",
                    "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, secret)
    return context, certificate


@contextlib.contextmanager
def serving(context):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
    server.daemon_threads = True
    server.requests = []
    server.socket = context.wrap_socket(server.socket, server_side=True,
                                        do_handshake_on_connect=False)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(params=[(key, curve) for key in KEYS for curve in ("default", "prime256v1")],
                ids="-".join)
def endpoint(request, tmp_path):
    """A server with such a key that agrees on keys over such a curve (X25519 by default), and its
    certificate."""
    key, curve = request.param
    context, certificate = make_context(key, tmp_path)
    if curve != "default":
        context.set_ecdh_curve(curve)
    with serving(context) as server:
        yield server, certificate


def invoke(port, tmp_path, wait=None, **environment):
    """What bootstrap says to one event while AWS is on `port`, or what `wait` returns meanwhile."""
    api = runtime_api.RuntimeApi()
    process = subprocess.Popen(
        [clients.binary("bootstrap")], cwd=tmp_path,
        env={"AWS_LAMBDA_RUNTIME_API": api.address,
             "AWS_ENDPOINT_URL": f"https://127.0.0.1:{port}",
             "AWS_REGION": clients.REGION, "AWS_ACCESS_KEY_ID": "test",
             "AWS_SECRET_ACCESS_KEY": "test", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769",
             "SOURCE_BUCKET": stack.SOURCE, "DESTINATION_BUCKET": stack.DESTINATION,
             "TABLE_NAME": stack.TABLE, "PATH": os.environ["PATH"], **environment})
    event = {"bucket": stack.SOURCE, "key": "photo.jpg"}
    try:
        if not wait:
            return api.invoke(event)
        api.events.put(event)
        return wait()
    finally:
        process.kill()
        process.wait()
        api.stop()


def test_answers_arrive(endpoint, tmp_path):
    server, certificate = endpoint
    kind, answer = invoke(server.server_port, tmp_path, AWS_CA_BUNDLE=str(certificate))
    assert kind == "error"
    assert answer["errorType"].startswith("AccessDenied"), answer
    assert "over TLS" in answer["errorMessage"]
    assert server.requests


def test_unknown_certificate_is_refused(endpoint, tmp_path):
    server, _ = endpoint
    kind, answer = invoke(server.server_port, tmp_path)
    assert (kind, answer["errorType"]) == ("error", "TLS_FAILED"), answer
    assert not server.requests


def test_authority_is_found_among_many(tmp_path):
    """A certificate that another one has signed, and a bundle in which that one is the third."""
    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], cwd=tmp_path, check=True, capture_output=True)

    for name in ("a", "b", "root", "c"):
        openssl("req", "-x509", *KEYS["p256"], "-nodes", "-keyout", f"{name}.key", "-out",
                f"{name}.pem", "-days", "2", "-subj", f"/O=Test Authorities/CN=Test {name}")
    openssl("req", *KEYS["rsa"], "-nodes", "-keyout", "leaf.key", "-out", "leaf.csr", "-subj",
            "/CN=leaf", "-addext", "subjectAltName=IP:127.0.0.1")
    openssl("x509", "-req", "-in", "leaf.csr", "-CA", "root.pem", "-CAkey", "root.key",
            "-copy_extensions", "copy", "-days", "2", "-out", "leaf.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "leaf.pem", tmp_path / "leaf.key")
    for names, code in (("a b root c", "AccessDenied"), ("a b c", "TLS_FAILED")):
        (tmp_path / "bundle.pem").write_text(
            "".join((tmp_path / f"{name}.pem").read_text() for name in names.split()))
        with serving(context) as server:
            kind, answer = invoke(server.server_port, tmp_path,
                                  AWS_CA_BUNDLE=str(tmp_path / "bundle.pem"))
        assert kind == "error"
        assert answer["errorType"].startswith(code), answer


def test_bundle_without_certificates_is_refused(tmp_path):
    bundle = tmp_path / "bundle.pem"
    bundle.write_text("no certificate\n")
    with serving(make_context("p256", tmp_path)[0]) as server:
        kind, answer = invoke(server.server_port, tmp_path, AWS_CA_BUNDLE=str(bundle))
    assert (kind, answer["errorType"]) == ("error", "TLS_FAILED")
    assert "no trusted roots" in answer["errorMessage"]


def test_head_and_small_body_are_one_record(tmp_path):
    """In two packets, the second would wait until the peer acknowledges the first: 40 ms."""
    context, certificate = make_context("p256", tmp_path)
    records = queue.Queue()

    def serve(connection):
        with context.wrap_socket(connection, server_side=True) as tls:
            records.put(tls.recv(65536))

    def accept(listener):
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=[connection], daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=accept, args=[listener], daemon=True).start()
        first = invoke(listener.getsockname()[1], tmp_path, lambda: records.get(timeout=30),
                       AWS_CA_BUNDLE=str(certificate))
    head, _, body = first.partition(b"\r\n\r\n")
    assert head.startswith(b"POST / ")
    assert stack.TABLE in json.loads(body).values()

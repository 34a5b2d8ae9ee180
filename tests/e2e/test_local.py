"""The guide for the laptop, and how each kind of upload must end, good or bad."""
import hashlib
import os
import pathlib
import re
import stat
import subprocess
import urllib.request

import pytest

import clients
import stack


@pytest.fixture(scope="module")
def s3(server):
    return clients.client("s3", server.endpoint)


@pytest.fixture(scope="module")
def dynamodb(server):
    return clients.client("dynamodb", server.endpoint)


def upload(s3, dynamodb, key, body):
    etag = s3.put_object(Bucket=stack.SOURCE, Key=key, Body=body)["ETag"]
    record = stack.wait_for_record(dynamodb, key, etag=etag)
    assert record["path"]["S"] == f"{stack.SOURCE}/{key}"
    assert record["size"]["N"] == str(len(body))
    assert record["timestamp"]["S"].endswith("Z")
    return record


def renditions_of(s3, record):
    """Every rendition of the record, read back."""
    found = {}
    for name, rendition in record["renditions"]["M"].items():
        value = rendition["M"]
        assert value["state"]["S"] == "READY"
        body = s3.get_object(Bucket=stack.DESTINATION, Key=value["key"]["S"])["Body"].read()
        assert len(body) == int(value["size"]["N"])
        found[name] = body
    return found


def test_the_guide_word_for_word(server, dynamodb, tmp_path):
    """What README.md tells to type, in that order, with AWS_ENDPOINT_URL in the environment."""
    cli = clients.clis().get("v2") or clients.clis().get("v1")
    if not cli:
        pytest.skip("no AWS CLI that reads AWS_ENDPOINT_URL on this machine")
    photo = tmp_path / "photo.png"
    photo.write_bytes(stack.gradient_png(800, 600))
    environment = clients.clean_environment(
        AWS_ENDPOINT_URL=server.endpoint, AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test",
        AWS_DEFAULT_REGION="us-east-1", AWS_PAGER="", HOME=str(tmp_path))

    def aws(command):
        return subprocess.run([cli.path, *command.split()], env=environment, check=True,
                              timeout=120, capture_output=True, text=True, cwd=tmp_path).stdout
    aws(f"s3 cp photo.png s3://{stack.SOURCE}/")
    record = stack.wait_for_record(dynamodb, "photo.png")
    listed = aws(f"s3 ls s3://{stack.DESTINATION}/ --recursive")
    scanned = aws(f"dynamodb scan --table-name {stack.TABLE}")
    for rendition in record["renditions"]["M"].values():
        assert rendition["M"]["key"]["S"] in listed
    assert f"{stack.SOURCE}/photo.png" in scanned and "READY" in scanned


@pytest.mark.parametrize("key", [
    "photo.png", "a folder/with spaces.png", "1+1=2.png", "100%.png", "%2B.png",
    "Übergrößenträger/ñandú.png", "📷/🏖️ beach.png"])
def test_good_picture(s3, dynamodb, key):
    key = f"good/{key}"
    record = upload(s3, dynamodb, key, stack.gradient_png(640, 480))
    assert record["status"]["S"] == "READY"
    assert (record["width"]["N"], record["height"]["N"]) == ("640", "480")
    assert record["format"]["S"] == "png" and record["content_type"]["S"] == "image/png"
    assert all(renditions_of(s3, record).values())


def test_30_mb_upload_in_parts(s3, dynamodb, tmp_path):
    file = tmp_path / "big.png"
    file.write_bytes(stack.noise_png(4000, 2500))
    s3.upload_file(str(file), stack.SOURCE, "big.png")
    record = stack.wait_for_record(dynamodb, "big.png")
    assert record["status"]["S"] == "READY" and record["size"]["N"] == str(file.stat().st_size)
    assert "-" in record["etag"]["S"]
    assert renditions_of(s3, record)


@pytest.mark.parametrize("key, body, code", [
    ("empty.jpg", b"", "EMPTY_OBJECT"),
    ("text.jpg", b"This is a text, whatever its name says.\n" * 10, "UNSUPPORTED_FORMAT"),
    ("page.png", b"<html><script>alert(1)</script></html>", "UNSUPPORTED_FORMAT"),
    ("bomb.png", stack.bomb_png(30_000), "TOO_MANY_PIXELS"),
    ("header only.png", stack.gradient_png(64, 64)[:33], "CORRUPT_IMAGE"),
])
def test_bad_file_ends_in_a_record_that_says_why(s3, dynamodb, key, body, code):
    record = upload(s3, dynamodb, f"bad/{key}", body)
    assert record["status"]["S"] == "FAILED"
    assert record["error"]["M"]["code"]["S"] == code
    assert record["error"]["M"]["message"]["S"]
    assert record["error"]["M"]["retryable"]["BOOL"] is False
    for rendition in record.get("renditions", {"M": {}})["M"].values():
        assert rendition["M"]["state"]["S"] != "READY"


def test_truncated_jpeg_is_shown_as_far_as_it_goes(s3, dynamodb):
    whole = next(body for body in renditions_of(s3, upload(
        s3, dynamodb, "for-jpeg.png", stack.gradient_png(400, 300))).values()
        if body.startswith(b"\xff\xd8"))
    record = upload(s3, dynamodb, "truncated.jpg", whole[:len(whole) * 2 // 3])
    assert record["status"]["S"] == "READY"
    assert record["degraded"]["BOOL"] is True
    assert renditions_of(s3, record)


def test_overwrite_and_delete_propagate(s3, dynamodb):
    first = upload(s3, dynamodb, "changing.png", stack.gradient_png(300, 200))
    second = upload(s3, dynamodb, "changing.png", stack.gradient_png(200, 300))
    assert second["sequencer"]["S"] > first["sequencer"]["S"]
    assert (second["width"]["N"], second["height"]["N"]) == ("200", "300")
    kept = [r["M"]["key"]["S"] for r in second["renditions"]["M"].values()]
    s3.delete_object(Bucket=stack.SOURCE, Key="changing.png")
    for _ in range(600):
        record = stack.wait_for_record(dynamodb, "changing.png")
        if record["status"]["S"] == "DELETED":
            break
    assert record["status"]["S"] == "DELETED" and record["expires_at"]["N"]
    listed = s3.list_objects_v2(Bucket=stack.DESTINATION, Prefix="changing.png")
    assert not [i["Key"] for i in listed.get("Contents", []) if i["Key"] in kept]


def test_health_and_metrics(server):
    with urllib.request.urlopen(f"{server.endpoint}/_health", timeout=10) as answer:
        assert answer.status == 200 and answer.read()
    with urllib.request.urlopen(f"{server.endpoint}/_metrics", timeout=10) as answer:
        text = answer.read().decode()
    assert "# TYPE" in text and text.endswith("\n")


def peak_memory_mib(server):
    """VmHWM of the server process."""
    status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text(encoding="ascii")
    return int(re.search(r"VmHWM:\s+(\d+) kB", status).group(1)) / 1024


def test_bodies_are_streamed_both_ways(tmp_path):
    """A body many times larger than the memory that the server may take for it."""
    server = clients.Server(tmp_path / "data", "--empty")
    s3 = clients.client("s3", server.endpoint)
    s3.create_bucket(Bucket="large")
    block = os.urandom(1 << 20)
    file = tmp_path / "large.bin"
    digest = hashlib.sha256()
    with file.open("wb") as out:
        for number in range(256):
            part = number.to_bytes(4, "big") + block
            out.write(part)
            digest.update(part)
    with file.open("rb") as body:
        s3.put_object(Bucket="large", Key="k", Body=body)
    got = hashlib.sha256()
    for part in s3.get_object(Bucket="large", Key="k")["Body"].iter_chunks(1 << 20):
        got.update(part)
    assert got.digest() == digest.digest()
    assert peak_memory_mib(server) < 64
    assert server.stop(), server.tail()


def test_second_start_on_the_same_data_is_refused(server, tmp_path):
    result = subprocess.run(
        [clients.binary("imgproc"), "local", "--port", "0", "--data", str(server.data)],
        capture_output=True, text=True, timeout=60, env=clients.clean_environment(), check=False)
    assert result.returncode != 0 and "DATA_DIR_IN_USE" in result.stderr


def test_a_fault_in_the_configuration_ends_the_start(tmp_path):
    config = tmp_path / "imgproc.json"
    config.write_text('{"recipes":[{"renditions":{"a":{"widht":10}}}]}', encoding="utf-8")
    result = subprocess.run(
        [clients.binary("imgproc"), "local", "--port", "0", "--data", str(tmp_path / "data"),
         "--config", str(config)],
        capture_output=True, text=True, timeout=60, env=clients.clean_environment(), check=False)
    assert result.returncode != 0 and not (tmp_path / "data").exists()
    assert "INVALID_CONFIG" in result.stderr and "did you mean width?" in result.stderr


def test_power_safe_works_the_same(tmp_path):
    server = clients.Server(tmp_path, "--power-safe")
    record = upload(clients.client("s3", server.endpoint),
                    clients.client("dynamodb", server.endpoint), "safe.png",
                    stack.noise_png(100, 100))
    assert record["status"]["S"] == "READY"
    assert server.stop(), server.tail()


def test_restart_keeps_everything(tmp_path):
    first = clients.Server(tmp_path)
    s3 = clients.client("s3", first.endpoint)
    etag = s3.put_object(Bucket=stack.SOURCE, Key="kept.png",
                         Body=stack.gradient_png(100, 100))["ETag"]
    stack.wait_for_record(clients.client("dynamodb", first.endpoint), "kept.png")
    assert first.stop(), first.tail()
    second = clients.Server(tmp_path)
    s3 = clients.client("s3", second.endpoint)
    assert s3.head_object(Bucket=stack.SOURCE, Key="kept.png")["ETag"] == etag
    record = stack.item_of(clients.client("dynamodb", second.endpoint), "kept.png")
    assert record["status"]["S"] == "READY"
    assert second.stop(), second.tail()


def test_programs_run_from_wherever_their_folder_is_copied(tmp_path):
    copy = tmp_path / "anywhere"
    copy.mkdir()
    for file in clients.binary("").iterdir():
        if file.is_file() and (file.stat().st_mode & stat.S_IXUSR or ".so" in file.name):
            if not file.name.endswith(("_test", "_fuzz")):
                (copy / file.name).write_bytes(file.read_bytes())
                (copy / file.name).chmod(0o755)
    old = os.environ.get("IMGPROC_BIN")
    os.environ["IMGPROC_BIN"] = str(copy)
    try:
        server = clients.Server(tmp_path / "data")
        upload(clients.client("s3", server.endpoint), clients.client("dynamodb", server.endpoint),
               "copied.png", stack.gradient_png(100, 100))
        assert server.stop(), server.tail()
    finally:
        if old is None:
            del os.environ["IMGPROC_BIN"]
        else:
            os.environ["IMGPROC_BIN"] = old

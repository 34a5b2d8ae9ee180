"""`bootstrap` against S3 and DynamoDB that are not ours (moto), behind a few lines of Runtime API:
what an event leaves there is the same as on our own cloud."""
import os
import shutil
import socket
import subprocess
import time
import urllib.request

import pytest
from botocore.exceptions import ClientError

import clients
import runtime_api
import stack

START_SECONDS_MAX = 120
# The function pads sequencers, so that they compare as texts.
SEQUENCER_DIGITS = 32

if not shutil.which("moto_server"):
    pytest.skip("moto_server is not on the PATH", allow_module_level=True)


def wait_until(ready, what):
    deadline = time.monotonic() + START_SECONDS_MAX
    while not ready():
        assert time.monotonic() < deadline, f"{what} in vain for {START_SECONDS_MAX} s"
        time.sleep(0.1)


@pytest.fixture(scope="module")
def moto(tmp_path_factory):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("moto") / "moto.log"
    with open(log, "wb") as output:
        process = subprocess.Popen(["moto_server", "-H", "127.0.0.1", "-p", str(port)],
                                   stdout=output, stderr=output)
    endpoint = f"http://127.0.0.1:{port}"

    def ready():
        assert process.poll() is None, log.read_text(errors="replace")
        try:
            with urllib.request.urlopen(f"{endpoint}/moto-api/", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False
    wait_until(ready, "waited for moto_server")
    yield endpoint
    process.kill()
    process.wait()


@pytest.fixture(scope="module")
def s3(moto):
    s3 = clients.client("s3", moto)
    s3.create_bucket(Bucket=stack.SOURCE)
    s3.create_bucket(Bucket=stack.DESTINATION)
    return s3


@pytest.fixture(scope="module")
def dynamodb(moto):
    dynamodb = clients.client("dynamodb", moto)
    dynamodb.create_table(
        TableName=stack.TABLE, BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "path", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "path", "KeyType": "HASH"}])
    return dynamodb


@pytest.fixture(scope="module")
def function(moto, s3, dynamodb, tmp_path_factory):
    api = runtime_api.RuntimeApi()
    folder = tmp_path_factory.mktemp("function")
    log = folder / "bootstrap.log"
    with open(log, "wb") as output:
        process = subprocess.Popen(
            [clients.binary("bootstrap")], stdout=output, stderr=output, cwd=folder,
            env={"AWS_LAMBDA_RUNTIME_API": api.address, "AWS_ENDPOINT_URL": moto,
                 "AWS_REGION": clients.REGION, "AWS_ACCESS_KEY_ID": "test",
                 "AWS_SECRET_ACCESS_KEY": "test", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "1769",
                 "LAMBDA_TASK_ROOT": str(folder), "SOURCE_BUCKET": stack.SOURCE,
                 "DESTINATION_BUCKET": stack.DESTINATION, "TABLE_NAME": stack.TABLE,
                 "PATH": os.environ["PATH"]})
    yield api
    api.close()
    try:
        assert process.wait(30) == 0, log.read_text(errors="replace")
    finally:
        process.kill()
        process.wait()
        api.stop()


def s3_event(name, key, sequencer, **of_object):
    return {"Records": [{
        "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": clients.REGION,
        "eventTime": "2026-01-01T00:00:00.000Z", "eventName": name,
        "s3": {"s3SchemaVersion": "1.0", "bucket": {"name": stack.SOURCE},
               "object": {"key": key, "sequencer": sequencer, **of_object}}}]}


def upload(s3, function, key, body, sequencer):
    etag = s3.put_object(Bucket=stack.SOURCE, Key=key, Body=body)["ETag"].strip('"')
    kind, answer = function.invoke(
        s3_event("ObjectCreated:Put", key, sequencer, size=len(body), eTag=etag))
    assert kind == "response", answer
    return answer["results"][0]["outcome"]


def renditions(s3, record):
    """Key to (head, body) of what the record lists, all of it there."""
    found = {}
    for rendition in record["renditions"]["M"].values():
        key = rendition["M"]["key"]["S"]
        assert rendition["M"]["state"]["S"] == "READY"
        answer = s3.get_object(Bucket=stack.DESTINATION, Key=key)
        found[key] = (answer, answer["Body"].read())
    return found


def keys_of_destination(s3):
    return {item["Key"]
            for item in s3.list_objects_v2(Bucket=stack.DESTINATION).get("Contents", [])}


def test_an_upload_becomes_rendition_and_record(s3, dynamodb, function):
    body = stack.gradient_png(640, 480)
    assert upload(s3, function, "photo.png", body, "01") == "ready"
    record = stack.item_of(dynamodb, "photo.png")
    assert record["status"]["S"] == "READY"
    assert record["size"]["N"] == str(len(body))
    assert (record["width"]["N"], record["height"]["N"]) == ("640", "480")
    made = renditions(s3, record)
    assert made
    for answer, content in made.values():
        assert len(content) == answer["ContentLength"] > 0
        assert answer["Metadata"]["imgproc-generated"] == "true"
        assert answer["Metadata"]["imgproc-sequencer"] == "01".ljust(SEQUENCER_DIGITS, "0")


def test_an_overwrite_replaces_and_an_old_event_yields(s3, dynamodb, function):
    upload(s3, function, "twice.png", stack.gradient_png(300, 200), "05")
    assert upload(s3, function, "twice.png", stack.gradient_png(200, 300), "07") == "ready"
    after = stack.item_of(dynamodb, "twice.png")
    assert after["width"]["N"] == "200"
    assert after["sequencer"]["S"] == "07".ljust(SEQUENCER_DIGITS, "0")
    made = renditions(s3, after)
    kind, answer = function.invoke(s3_event("ObjectRemoved:Delete", "twice.png", "06"))
    assert kind == "response" and answer["results"][0]["outcome"] == "superseded", answer
    assert stack.item_of(dynamodb, "twice.png") == after
    assert set(made) <= keys_of_destination(s3)


def test_what_is_no_image_is_recorded(s3, dynamodb, function):
    assert upload(s3, function, "half.png", stack.gradient_png(64, 64)[:33], "01") == "failed"
    record = stack.item_of(dynamodb, "half.png")
    assert record["status"]["S"] == "FAILED"
    assert record["error"]["M"]["code"]["S"] == "CORRUPT_IMAGE"


def test_a_deletion_takes_the_renditions_along(s3, dynamodb, function):
    upload(s3, function, "gone.png", stack.gradient_png(100, 100), "01")
    made = renditions(s3, stack.item_of(dynamodb, "gone.png"))
    s3.delete_object(Bucket=stack.SOURCE, Key="gone.png")
    kind, answer = function.invoke(s3_event("ObjectRemoved:Delete", "gone.png", "02"))
    assert kind == "response" and answer["results"][0]["outcome"] == "deleted", answer
    assert stack.item_of(dynamodb, "gone.png")["status"]["S"] == "DELETED"
    assert not set(made) & keys_of_destination(s3)
    for key in made:
        with pytest.raises(ClientError):
            s3.head_object(Bucket=stack.DESTINATION, Key=key)

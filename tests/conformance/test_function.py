"""The standard stack: the function behind the notification, invoked and logged as on AWS."""
import base64
import binascii
import json
import struct
import time
import zlib

import clients
import pytest
from botocore.exceptions import ClientError

FUNCTION = "serverless-img-proc"
SOURCE, DESTINATION = "serverless-img-proc-source", "serverless-img-proc-dest"
TABLE = "serverless-img-proc-metadata"
LOG_GROUP = f"/aws/lambda/{FUNCTION}"
RECORD_SECONDS_MAX = 60

pytestmark = pytest.mark.ours


def png(width, height):
    """A gradient, so that there is something to scale."""
    rows = b"".join(b"\0" + bytes(v for x in range(width)
                                  for v in (x * 255 // width, y * 255 // height, 128))
                    for y in range(height))
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(
            ">I", binascii.crc32(kind + data))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
            + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def record_of(dynamodb, key):
    """The record of a source object, once it says how things ended."""
    deadline = time.monotonic() + RECORD_SECONDS_MAX
    while time.monotonic() < deadline:
        item = dynamodb.get_item(TableName=TABLE, ConsistentRead=True,
                                 Key={"path": {"S": f"{SOURCE}/{key}"}}).get("Item")
        if clients.is_final(item):
            return item
        time.sleep(0.1)
    pytest.fail(f"no final record of {key} after {RECORD_SECONDS_MAX} s")


def test_upload_becomes_rendition_and_record(s3, dynamodb, name):
    key = f"{name}/ein Bild +1 100% ü📷.png"
    s3.put_object(Bucket=SOURCE, Key=key, Body=png(640, 480), ContentType="image/png")
    record = record_of(dynamodb, key)
    assert record["status"]["S"] == "READY", record
    assert (record["width"]["N"], record["height"]["N"]) == ("640", "480")
    assert record["format"]["S"] == "png" and int(record["size"]["N"]) == len(png(640, 480))
    renditions = record["renditions"]["M"]
    assert renditions
    for rendition in renditions.values():
        assert rendition["M"]["state"]["S"] == "READY"
        head = s3.head_object(Bucket=DESTINATION, Key=rendition["M"]["key"]["S"])
        assert head["ContentLength"] == int(rendition["M"]["size"]["N"])
        assert head["Metadata"]["imgproc-generated"] == "true"
        assert head["Metadata"]["imgproc-source"]


def test_delete_removes_renditions_and_leaves_a_tombstone(s3, dynamodb, name):
    key = f"{name}.png"
    s3.put_object(Bucket=SOURCE, Key=key, Body=png(300, 300))
    renditions = record_of(dynamodb, key)["renditions"]["M"]
    s3.delete_object(Bucket=SOURCE, Key=key)
    deadline = time.monotonic() + RECORD_SECONDS_MAX
    while record_of(dynamodb, key)["status"]["S"] != "DELETED":
        assert time.monotonic() < deadline, "the deletion was not seen"
        time.sleep(0.1)
    for rendition in renditions.values():
        with pytest.raises(ClientError):
            s3.head_object(Bucket=DESTINATION, Key=rendition["M"]["key"]["S"])


def test_invoke_by_hand(s3, awslambda, dynamodb, name):
    key = f"{name}.png"
    s3.put_object(Bucket=SOURCE, Key=key, Body=png(300, 200))
    record_of(dynamodb, key)
    answer = awslambda.invoke(FunctionName=FUNCTION, LogType="Tail",
                              Payload=json.dumps({"bucket": SOURCE, "key": key}).encode())
    assert answer["StatusCode"] == 200 and "FunctionError" not in answer
    assert answer["ExecutedVersion"] == "$LATEST"
    assert base64.b64decode(answer["LogResult"])
    json.loads(answer["Payload"].read())


def test_invoke_asynchronously_and_dry(awslambda):
    payload = json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent"}).encode()
    answer = awslambda.invoke(FunctionName=FUNCTION, InvocationType="Event", Payload=payload)
    assert answer["StatusCode"] == 202
    answer = awslambda.invoke(FunctionName=FUNCTION, InvocationType="DryRun", Payload=b"{}")
    assert answer["StatusCode"] == 204


def test_function_error_is_told(awslambda):
    answer = awslambda.invoke(FunctionName=FUNCTION, Payload=b'{"no event": "of ours"}')
    assert answer["StatusCode"] == 200 and answer["FunctionError"] in ("Unhandled", "Handled")
    told = json.loads(answer["Payload"].read())
    assert told["errorType"] and told["errorMessage"]


def test_errors(awslambda):
    for call, code in [
            (lambda: awslambda.invoke(FunctionName="none", Payload=b"{}"),
             "ResourceNotFoundException"),
            (lambda: awslambda.get_function(FunctionName="none"), "ResourceNotFoundException"),
            (lambda: awslambda.invoke(FunctionName=FUNCTION, Payload=b"not json"),
             "InvalidRequestContentException")]:
        with pytest.raises(ClientError) as error:
            call()
        assert error.value.response["Error"]["Code"] == code


def test_function_description(awslambda):
    found = awslambda.get_function(FunctionName=FUNCTION)["Configuration"]
    assert found["State"] == "Active" and found["Runtime"] == "provided.al2023"
    assert FUNCTION in [f["FunctionName"] for f in awslambda.list_functions()["Functions"]]
    awslambda.get_waiter("function_active_v2").wait(FunctionName=FUNCTION)


def test_log_events(s3, dynamodb, logs, name):
    s3.put_object(Bucket=SOURCE, Key=f"{name}.png", Body=png(50, 50))
    record_of(dynamodb, f"{name}.png")
    assert LOG_GROUP in [g["logGroupName"] for g in logs.describe_log_groups()["logGroups"]]
    deadline = time.monotonic() + RECORD_SECONDS_MAX
    while True:
        events = [event for page in logs.get_paginator("filter_log_events").paginate(
            logGroupName=LOG_GROUP) for event in page["events"]]
        if any("platform.report" in event["message"] for event in events):
            break
        assert time.monotonic() < deadline, "no report line came"
        time.sleep(0.2)
    assert len({event["eventId"] for event in events}) == len(events)
    assert [e["timestamp"] for e in events] == sorted(e["timestamp"] for e in events)
    found = logs.filter_log_events(
        logGroupName=LOG_GROUP, filterPattern='"platform.report"')["events"]
    assert found and all("platform.report" in event["message"] for event in found)


def test_invoke_and_tail_of_the_cli(aws, tmp_path):
    out = tmp_path / "out.json"
    payload = json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent"})
    raw = ["--cli-binary-format", "raw-in-base64-out"] if aws.cli.major == 2 else []
    told = aws.json("lambda", "invoke", "--function-name", FUNCTION, "--payload", payload, *raw,
                    out)
    assert told["StatusCode"] == 200 and "FunctionError" not in told
    aws("lambda", "wait", "function-active-v2", "--function-name", FUNCTION)
    if aws.cli.major == 2:
        assert "platform.report" in aws("logs", "tail", LOG_GROUP, "--since", "1h")


def test_guide_commands(aws, s3, dynamodb, name, tmp_path):
    file = tmp_path / "cat.png"
    file.write_bytes(png(400, 300))
    aws("s3", "cp", file, f"s3://{SOURCE}/{name}/cat.png")
    record_of(dynamodb, f"{name}/cat.png")
    listed = aws("s3", "ls", f"s3://{DESTINATION}/", "--recursive")
    assert f"{name}/cat.png/" in listed
    scanned = aws.json("dynamodb", "scan", "--table-name", TABLE)
    assert f"{SOURCE}/{name}/cat.png" in [item["path"]["S"] for item in scanned["Items"]]

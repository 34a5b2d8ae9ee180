"""The usual recipe in Python: Pillow and boto3 behind Lambda's Runtime API.

The picture is decoded once, by libjpeg already shrunk towards the largest size (Image.draft), and
every rendition is made from that.
"""
import datetime
import http.client
import io
import json
import os
import urllib.parse

import boto3
from PIL import Image, ImageOps

SIZES = [int(size) for size in os.environ["SIZES"].split(",")]
DESTINATION = os.environ["DESTINATION_BUCKET"]
TABLE = os.environ["TABLE_NAME"]
# Pillow shrinks by whole factors down to this many times the size, and resamples the rest.
REDUCING_GAP = 2.0

# boto3 reads this by itself from 1.28 on.
endpoint = os.environ.get("AWS_ENDPOINT_URL")
s3 = boto3.client("s3", endpoint_url=endpoint)
dynamodb = boto3.client("dynamodb", endpoint_url=endpoint)
runtime = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])


def call_runtime(method, path, body=None):
    runtime.request(method, f"/2018-06-01/runtime/{path}", body)
    response = runtime.getresponse()
    return response.headers, response.read()


def render(body):
    image = Image.open(io.BytesIO(body))
    facts = {"format": image.format.lower(), "width": image.width, "height": image.height}
    largest = max(SIZES)
    image.draft("RGB", (int(largest * REDUCING_GAP), int(largest * REDUCING_GAP)))
    image = ImageOps.exif_transpose(image)
    if image.mode != "RGB":
        image = image.convert("RGB")
    renditions = {}
    for size in SIZES:
        copy = image.copy()
        copy.thumbnail((size, size), Image.Resampling.LANCZOS, reducing_gap=REDUCING_GAP)
        out = io.BytesIO()
        copy.save(out, "JPEG", quality=80)
        renditions[f"w{size}"] = (copy.size, out.getvalue())
    return facts, renditions


def process(bucket, key):
    body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    facts, renditions = render(body)
    listed = {}
    for name, ((width, height), data) in renditions.items():
        target = f"{key}/{name}.jpg"
        s3.put_object(Bucket=DESTINATION, Key=target, Body=data, ContentType="image/jpeg")
        listed[name] = {"M": {"key": {"S": target}, "width": {"N": str(width)},
                              "height": {"N": str(height)}, "size": {"N": str(len(data))}}}
    now = datetime.datetime.now(datetime.timezone.utc)
    dynamodb.put_item(TableName=TABLE, Item={
        "path": {"S": f"{bucket}/{key}"}, "size": {"N": str(len(body))}, "status": {"S": "READY"},
        "timestamp": {"S": now.isoformat()}, "format": {"S": facts["format"]},
        "width": {"N": str(facts["width"])}, "height": {"N": str(facts["height"])},
        "renditions": {"M": listed}})


def main():
    while True:
        headers, event = call_runtime("GET", "invocation/next")
        request = headers["Lambda-Runtime-Aws-Request-Id"]
        try:
            for record in json.loads(event)["Records"]:
                key = urllib.parse.unquote_plus(record["s3"]["object"]["key"])
                process(record["s3"]["bucket"]["name"], key)
            call_runtime("POST", f"invocation/{request}/response", b"{}")
        except Exception as error:  # whatever it is, Lambda is told
            report = {"errorMessage": str(error), "errorType": type(error).__name__}
            call_runtime("POST", f"invocation/{request}/error", json.dumps(report))


main()

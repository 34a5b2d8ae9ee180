"""Presigned URLs and forms, used as a browser would: by a client without credentials."""
import subprocess
import time
import urllib.parse

import pytest

import clients


def curl(url, *arguments):
    """(status, body) of one request."""
    result = subprocess.run(
        ["curl", "--silent", "--show-error", "--globoff", "--max-time", "30",
         "--write-out", "\n%{http_code}", *arguments, url], capture_output=True, check=True)
    body, _, status = result.stdout.rpartition(b"\n")
    return int(status), body


@pytest.fixture(params=["s3", "s3v4"], ids=["SigV2", "SigV4"])
def signer(request, endpoint):
    return clients.client("s3", endpoint, signature_version=request.param)


KEY = "uploads/ä b+c%20.txt"


def test_presigned_get(signer, s3, bucket):
    s3.put_object(Bucket=bucket, Key=KEY, Body=b"0123456789")
    url = signer.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": KEY})
    assert curl(url) == (200, b"0123456789")
    assert curl(url, "--range", "2-4") == (206, b"234")
    url = signer.generate_presigned_url("head_object", Params={"Bucket": bucket, "Key": KEY})
    assert curl(url, "--head")[0] == 200


def test_presigned_put(signer, s3, bucket, tmp_path):
    file = tmp_path / "file"
    file.write_bytes(b"from a browser")
    url = signer.generate_presigned_url("put_object", Params={"Bucket": bucket, "Key": KEY})
    assert curl(url, "--upload-file", str(file))[0] == 200
    assert s3.get_object(Bucket=bucket, Key=KEY)["Body"].read() == b"from a browser"


def test_presigned_response_headers(signer, s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    url = signer.generate_presigned_url("get_object", Params={
        "Bucket": bucket, "Key": "k", "ResponseContentType": "text/x-test"})
    status, headers = curl(url, "--dump-header", "-", "--output", "/dev/null")
    assert status == 200 and b"content-type: text/x-test" in headers.lower()


@pytest.mark.ours
def test_expired_url_is_refused(signer, s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    url = signer.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "k"},
                                        ExpiresIn=1)
    deadline = time.monotonic() + 20
    while (answer := curl(url))[0] == 200 and time.monotonic() < deadline:
        time.sleep(0.2)
    assert answer[0] == 403 and b"<Code>AccessDenied</Code>" in answer[1]


def test_form_upload(s3, bucket):
    form = s3.generate_presigned_post(bucket, "form/${filename}",
                                      Conditions=[["content-length-range", 1, 100]])
    fields = [part for name, value in form["fields"].items()
              for part in ("--form-string", f"{name}={value}")]
    status, _ = curl(form["url"], *fields, "--form", "file=hello;filename=a.txt")
    assert status == 204
    assert s3.get_object(Bucket=bucket, Key="form/a.txt")["Body"].read() == b"hello"


def test_presign_of_the_cli(aws, s3, bucket):
    s3.put_object(Bucket=bucket, Key=KEY, Body=b"0123456789")
    url = aws("s3", "presign", f"s3://{bucket}/{KEY}").strip()
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(url).query)
    assert ("X-Amz-Signature" if aws.cli.major == 2 else "Signature") in query
    assert curl(url) == (200, b"0123456789")

"""The S3 commands of the AWS CLI, each with what it must leave behind."""
import os

import pytest

BIG_BYTES = 30_000_000


def keys_of(s3, bucket):
    return [item["Key"] for item in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]


def test_make_and_remove_buckets(aws, s3, name):
    aws("s3", "mb", f"s3://{name}")
    assert name in aws("s3", "ls")
    s3.put_object(Bucket=name, Key="a b+c%.jpg", Body=b"x")
    assert aws("s3", "rb", f"s3://{name}", check=False).returncode != 0
    aws("s3", "rb", f"s3://{name}", "--force")
    assert name not in aws("s3", "ls")


def test_small_file_up_and_down(aws, s3, bucket, tmp_path):
    source = tmp_path / "ein Bild +1 100% ü📷.jpg"
    source.write_bytes(os.urandom(20_000))
    aws("s3", "cp", source, f"s3://{bucket}/uploads/{source.name}")
    assert keys_of(s3, bucket) == [f"uploads/{source.name}"]
    head = s3.head_object(Bucket=bucket, Key=f"uploads/{source.name}")
    assert head["ContentType"] == "image/jpeg"
    back = tmp_path / "back.jpg"
    aws("s3", "cp", f"s3://{bucket}/uploads/{source.name}", back)
    assert back.read_bytes() == source.read_bytes()


def test_standard_input_and_output(aws, bucket):
    aws("s3", "cp", "-", f"s3://{bucket}/stream", stdin=b"from a pipe")
    assert aws("s3", "cp", f"s3://{bucket}/stream", "-") == "from a pipe"


def test_missing_key(aws, bucket, tmp_path):
    result = aws("s3", "cp", f"s3://{bucket}/none", tmp_path / "none", check=False)
    assert result.returncode == 1 and b"404" in result.stderr


@pytest.mark.slow
def test_30_mb_up_copy_and_down(aws, s3, bucket, tmp_path):
    source, back = tmp_path / "big.bin", tmp_path / "back.bin"
    source.write_bytes(os.urandom(BIG_BYTES))
    aws("s3", "cp", source, f"s3://{bucket}/big.bin")
    assert s3.head_object(Bucket=bucket, Key="big.bin")["ETag"].endswith('-4"')
    aws("s3", "cp", f"s3://{bucket}/big.bin", f"s3://{bucket}/copy.bin")
    aws("s3", "cp", f"s3://{bucket}/copy.bin", back)
    assert back.read_bytes() == source.read_bytes()


def test_ls(aws, s3, bucket):
    for key in ("a.jpg", "folder/b c.jpg", "folder/ü+%.jpg"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"xyz")
    top = aws("s3", "ls", f"s3://{bucket}/")
    assert "PRE folder/" in top and "3 a.jpg" in top and "b c" not in top
    everything = aws("s3", "ls", f"s3://{bucket}", "--recursive")
    assert [line.split(None, 3)[3] for line in everything.splitlines()] == [
        "a.jpg", "folder/b c.jpg", "folder/ü+%.jpg"]


def test_sync(aws, s3, bucket, tmp_path):
    source, back = tmp_path / "source", tmp_path / "back"
    (source / "sub folder").mkdir(parents=True)
    for path in ("a.txt", "sub folder/b+c.txt", "sub folder/d%.txt"):
        (source / path).write_text(path)
    aws("s3", "sync", source, f"s3://{bucket}/to")
    expected = ["to/a.txt", "to/sub folder/b+c.txt", "to/sub folder/d%.txt"]
    assert keys_of(s3, bucket) == expected
    assert aws("s3", "sync", source, f"s3://{bucket}/to") == "", "the second sync has nothing to do"
    aws("s3", "sync", f"s3://{bucket}/to", back)
    assert (back / "sub folder/b+c.txt").read_text() == "sub folder/b+c.txt"
    (source / "a.txt").unlink()
    aws("s3", "sync", source, f"s3://{bucket}/to", "--delete")
    assert keys_of(s3, bucket) == expected[1:]


def test_copy_move_and_remove(aws, s3, bucket):
    s3.put_object(Bucket=bucket, Key="a", Body=b"x")
    aws("s3", "cp", f"s3://{bucket}/a", f"s3://{bucket}/b")
    aws("s3", "mv", f"s3://{bucket}/b", f"s3://{bucket}/c d")
    assert keys_of(s3, bucket) == ["a", "c d"]
    aws("s3", "rm", f"s3://{bucket}/a")
    assert keys_of(s3, bucket) == ["c d"]
    s3.put_object(Bucket=bucket, Key="e/f", Body=b"x")
    aws("s3", "rm", f"s3://{bucket}", "--recursive")
    assert keys_of(s3, bucket) == []


def test_s3api_object(aws, bucket, tmp_path):
    body = tmp_path / "body"
    body.write_bytes(b"0123456789")
    put = aws.json("s3api", "put-object", "--bucket", bucket, "--key", "k", "--body", body,
                   "--content-type", "text/x-test", "--metadata", "a=1")
    head = aws.json("s3api", "head-object", "--bucket", bucket, "--key", "k")
    assert (head["ETag"], head["ContentType"], head["Metadata"], head["ContentLength"]) == (
        put["ETag"], "text/x-test", {"a": "1"}, 10)
    part = tmp_path / "part"
    got = aws.json("s3api", "get-object", "--bucket", bucket, "--key", "k", "--range", "bytes=3-5",
                   part)
    assert part.read_bytes() == b"345" and got["ContentRange"] == "bytes 3-5/10"
    result = aws("s3api", "get-object", "--bucket", bucket, "--key", "k", "--if-none-match",
                 put["ETag"], part, check=False)
    assert result.returncode != 0 and b"304" in result.stderr
    page = aws.json("s3api", "list-objects-v2", "--bucket", bucket)
    assert [item["Key"] for item in page["Contents"]] == ["k"]
    aws("s3api", "delete-object", "--bucket", bucket, "--key", "k")
    result = aws("s3api", "get-object", "--bucket", bucket, "--key", "k", part, check=False)
    assert b"NoSuchKey" in result.stderr


def test_checksum_of_the_cli_is_checked_and_kept(aws, s3, bucket, tmp_path):
    """v1 sends CRC32 by itself and v2 CRC64NVME, from the versions that do."""
    if aws.cli.version < ((1, 37, 0) if aws.cli.major == 1 else (2, 23, 0)):
        pytest.skip("this CLI sends no checksum by itself")
    source = tmp_path / "nine"
    source.write_bytes(b"123456789")
    aws("s3", "cp", source, f"s3://{bucket}/nine")
    head = aws.json("s3api", "head-object", "--bucket", bucket, "--key", "nine",
                    "--checksum-mode", "ENABLED")
    # The check values that the CRC catalogue gives for "123456789".
    expected = {1: ("ChecksumCRC32", "y/Q5Jg=="), 2: ("ChecksumCRC64NVME", "rosUhgp5mIg=")}
    field, value = expected[aws.cli.major]
    assert head[field] == value


def test_create_only_if_absent(aws, s3, bucket, tmp_path):
    if aws.cli.version < ((1, 34, 0) if aws.cli.major == 1 else (2, 17, 33)):
        pytest.skip("this CLI has no --if-none-match on put-object")
    body = tmp_path / "body"
    body.write_bytes(b"first")
    arguments = ("s3api", "put-object", "--bucket", bucket, "--key", "k", "--body", body,
                 "--if-none-match", "*")
    aws(*arguments)
    result = aws(*arguments, check=False)
    assert result.returncode != 0 and b"PreconditionFailed" in result.stderr


def test_notification_configuration_comes_back(aws, bucket):
    assert not aws.json("s3api", "get-bucket-notification-configuration", "--bucket", bucket)

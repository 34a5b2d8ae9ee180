"""Objects and buckets through boto3."""
import base64
import datetime
import hashlib
import io
import os
import zlib

import pytest
from botocore.exceptions import ClientError

import clients

# What people and programs really name their files; each must come back byte for byte.
KEYS = [
    "plain.jpg", "a b.jpg", "a+b.jpg", "100%.jpg", "%20.jpg", "%2B.jpg", "a%2Fb.jpg",
    "ümläut ß.jpg",
    "u\u0308-decomposed.jpg", "日本語/写真.png", "emoji 📷🏖️.jpg", "a&b=c?d#e;f:g@h.jpg",
    "a'b\"c.jpg",
    "(1) [2] {3}.jpg",
    "~tilde^caret`tick|pipe.jpg", "back\\slash.jpg", "a//b", "/leading", "folder/",
    "..", "../x", "a/../b", "a/./b", ".", "$HOME *", "<xml>&amp;</xml>.jpg", "tab\there",
    "x" * 1024, "ö" * 512,
]


def code_of(error):
    return error.value.response["Error"]["Code"]


def status_of(error):
    return error.value.response["ResponseMetadata"]["HTTPStatusCode"]


@pytest.mark.parametrize("key", KEYS, ids=lambda key: ascii(key)[:40])
def test_key_comes_back_as_it_went(s3, bucket, key):
    body = key.encode()
    put = s3.put_object(Bucket=bucket, Key=key, Body=body)
    assert put["ETag"] == f'"{hashlib.md5(body).hexdigest()}"'
    got = s3.get_object(Bucket=bucket, Key=key)
    assert got["Body"].read() == body
    listed = s3.list_objects_v2(Bucket=bucket)
    assert [item["Key"] for item in listed["Contents"]] == [key]
    assert [item["Key"] for item in s3.list_objects(Bucket=bucket)["Contents"]] == [key]
    copy = f"copy/{key}"[:1000] if len(key.encode()) < 1000 else "copy"
    s3.copy_object(Bucket=bucket, Key=copy, CopySource={"Bucket": bucket, "Key": key})
    assert s3.get_object(Bucket=bucket, Key=copy)["Body"].read() == body
    deleted = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key}, {"Key": copy}]})
    assert {item["Key"] for item in deleted["Deleted"]} == {key, copy}
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_key_over_1024_bytes_is_refused(s3, bucket):
    with pytest.raises(ClientError) as error:
        s3.put_object(Bucket=bucket, Key="x" * 1025, Body=b"")
    assert code_of(error) == "KeyTooLongError" and status_of(error) == 400


def test_headers_and_metadata_come_back(s3, bucket):
    expires = datetime.datetime(2030, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)
    s3.put_object(Bucket=bucket, Key="k", Body=b"{}", ContentType="application/json",
                  CacheControl="max-age=60", ContentDisposition='attachment; filename="x"',
                  ContentEncoding="identity", ContentLanguage="de", Expires=expires,
                  Metadata={"one": "1", "two-words": "a b"})
    for got in (s3.head_object(Bucket=bucket, Key="k"), s3.get_object(Bucket=bucket, Key="k")):
        assert got["ContentType"] == "application/json"
        assert got["CacheControl"] == "max-age=60"
        assert got["ContentDisposition"] == 'attachment; filename="x"'
        assert got["ContentLanguage"] == "de"
        assert got["Metadata"] == {"one": "1", "two-words": "a b"}
        assert got["ContentLength"] == 2
        age = datetime.datetime.now(datetime.timezone.utc) - got["LastModified"]
        assert abs(age.total_seconds()) < 60


def test_content_type_is_binary_unless_given(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"x")
    assert s3.head_object(Bucket=bucket, Key="k")["ContentType"] == "binary/octet-stream"


def test_empty_object(s3, bucket):
    s3.put_object(Bucket=bucket, Key="empty", Body=b"")
    got = s3.get_object(Bucket=bucket, Key="empty")
    assert got["Body"].read() == b"" and got["ContentLength"] == 0
    assert got["ETag"] == '"d41d8cd98f00b204e9800998ecf8427e"'


@pytest.mark.parametrize("asked, expected, content_range", [
    ("bytes=0-0", b"0", "bytes 0-0/10"),
    ("bytes=2-5", b"2345", "bytes 2-5/10"),
    ("bytes=7-", b"789", "bytes 7-9/10"),
    ("bytes=-3", b"789", "bytes 7-9/10"),
    ("bytes=5-99", b"56789", "bytes 5-9/10"),
    ("bytes=-99", b"0123456789", "bytes 0-9/10"),
])
def test_range(s3, bucket, asked, expected, content_range):
    s3.put_object(Bucket=bucket, Key="k", Body=b"0123456789")
    got = s3.get_object(Bucket=bucket, Key="k", Range=asked)
    assert got["ResponseMetadata"]["HTTPStatusCode"] == 206
    assert got["Body"].read() == expected and got["ContentRange"] == content_range
    head = s3.head_object(Bucket=bucket, Key="k", Range=asked)
    assert head["ContentLength"] == len(expected)


def test_range_beyond_the_end(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"0123456789")
    with pytest.raises(ClientError) as error:
        s3.get_object(Bucket=bucket, Key="k", Range="bytes=10-")
    assert code_of(error) == "InvalidRange" and status_of(error) == 416


def test_conditional_reads(s3, bucket):
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"x")["ETag"]
    modified = s3.head_object(Bucket=bucket, Key="k")["LastModified"]
    hour = datetime.timedelta(hours=1)
    assert s3.get_object(Bucket=bucket, Key="k", IfMatch=etag)["ETag"] == etag
    assert s3.get_object(Bucket=bucket, Key="k", IfNoneMatch='"other"')["ETag"] == etag
    assert s3.get_object(Bucket=bucket, Key="k", IfModifiedSince=modified - hour)["ETag"] == etag
    for condition, status in [({"IfMatch": '"other"'}, 412), ({"IfNoneMatch": etag}, 304),
                              ({"IfModifiedSince": modified + hour}, 304),
                              ({"IfUnmodifiedSince": modified - hour}, 412)]:
        with pytest.raises(ClientError) as error:
            s3.get_object(Bucket=bucket, Key="k", **condition)
        assert status_of(error) == status, condition


def raw_headers(s3, operation, headers):
    """Adds request headers that an old boto3 has no parameter for."""
    event = f"before-sign.s3.{operation}"

    def add(request, **_):
        for name, value in headers.items():
            request.headers[name] = value
    s3.meta.events.register(event, add, unique_id="raw-headers")
    return lambda: s3.meta.events.unregister(event, unique_id="raw-headers")


def test_create_only_if_absent(s3, bucket):
    done = raw_headers(s3, "PutObject", {"If-None-Match": "*"})
    try:
        s3.put_object(Bucket=bucket, Key="k", Body=b"first")
        with pytest.raises(ClientError) as error:
            s3.put_object(Bucket=bucket, Key="k", Body=b"second")
    finally:
        done()
    assert code_of(error) == "PreconditionFailed" and status_of(error) == 412
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"first"


def test_overwrite_only_that_version(s3, bucket):
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"first")["ETag"]
    done = raw_headers(s3, "PutObject", {"If-Match": etag})
    try:
        s3.put_object(Bucket=bucket, Key="k", Body=b"second")
        with pytest.raises(ClientError) as error:
            s3.put_object(Bucket=bucket, Key="k", Body=b"third")
    finally:
        done()
    assert code_of(error) == "PreconditionFailed" and status_of(error) == 412
    assert s3.get_object(Bucket=bucket, Key="k")["Body"].read() == b"second"


def test_wrong_md5_is_refused_and_nothing_stored(s3, bucket):
    wrong = base64.b64encode(hashlib.md5(b"other").digest()).decode()
    with pytest.raises(ClientError) as error:
        s3.put_object(Bucket=bucket, Key="k", Body=b"x", ContentMD5=wrong)
    assert code_of(error) == "BadDigest" and status_of(error) == 400
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def crc32(body):
    return base64.b64encode(zlib.crc32(body).to_bytes(4, "big")).decode()


@pytest.mark.parametrize("algorithm, digest", [
    ("CRC32", crc32(b"checked")),
    ("SHA1", base64.b64encode(hashlib.sha1(b"checked").digest()).decode()),
    ("SHA256", base64.b64encode(hashlib.sha256(b"checked").digest()).decode()),
])
def test_checksum_is_checked_kept_and_given_back(s3, bucket, algorithm, digest):
    field = f"Checksum{algorithm}"
    put = s3.put_object(Bucket=bucket, Key="k", Body=b"checked", ChecksumAlgorithm=algorithm,
                        **{field: digest})
    assert put[field] == digest
    assert s3.head_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")[field] == digest
    got = s3.get_object(Bucket=bucket, Key="k", ChecksumMode="ENABLED")
    assert got[field] == digest and got["Body"].read() == b"checked"


def test_wrong_checksum_is_refused_and_nothing_stored(s3, bucket):
    with pytest.raises(ClientError) as error:
        s3.put_object(Bucket=bucket, Key="k", Body=b"x", ChecksumAlgorithm="CRC32",
                      ChecksumCRC32=crc32(b"y"))
    assert status_of(error) == 400
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_copy_keeps_or_replaces_metadata(s3, bucket):
    s3.put_object(Bucket=bucket, Key="a", Body=b"x", ContentType="image/png", Metadata={"m": "1"})
    source = {"Bucket": bucket, "Key": "a"}
    s3.copy_object(Bucket=bucket, Key="b", CopySource=source)
    got = s3.head_object(Bucket=bucket, Key="b")
    assert (got["ContentType"], got["Metadata"]) == ("image/png", {"m": "1"})
    s3.copy_object(Bucket=bucket, Key="c", CopySource=source, MetadataDirective="REPLACE",
                   ContentType="image/gif", Metadata={"n": "2"})
    got = s3.head_object(Bucket=bucket, Key="c")
    assert (got["ContentType"], got["Metadata"]) == ("image/gif", {"n": "2"})


def test_copy_onto_itself_without_change_is_refused(s3, bucket):
    s3.put_object(Bucket=bucket, Key="a", Body=b"x")
    with pytest.raises(ClientError) as error:
        s3.copy_object(Bucket=bucket, Key="a", CopySource={"Bucket": bucket, "Key": "a"})
    assert code_of(error) == "InvalidRequest"


def test_listing_pages_prefixes_and_delimiters(s3, bucket):
    keys = sorted([f"a/{i:02}.jpg" for i in range(25)] + ["b/x/1", "b/y/2", "c"])
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=b"")
    pages = list(s3.get_paginator("list_objects_v2").paginate(
        Bucket=bucket, PaginationConfig={"PageSize": 7}))
    assert [i["Key"] for page in pages for i in page["Contents"]] == keys
    assert len(pages) == 4 and [page["IsTruncated"] for page in pages] == [True, True, True, False]
    top = s3.list_objects_v2(Bucket=bucket, Delimiter="/")
    assert [p["Prefix"] for p in top["CommonPrefixes"]] == ["a/", "b/"]
    assert [i["Key"] for i in top["Contents"]] == ["c"] and top["KeyCount"] == 3
    below = s3.list_objects_v2(Bucket=bucket, Delimiter="/", Prefix="b/")
    assert [p["Prefix"] for p in below["CommonPrefixes"]] == ["b/x/", "b/y/"]
    pages = list(s3.get_paginator("list_objects_v2").paginate(
        Bucket=bucket, Delimiter="/", PaginationConfig={"PageSize": 1}))
    names = [p["Prefix"] for page in pages for p in page.get("CommonPrefixes", [])]
    names += [i["Key"] for page in pages for i in page.get("Contents", [])]
    assert names == ["a/", "b/", "c"]
    after = s3.list_objects_v2(Bucket=bucket, StartAfter="a/23.jpg", MaxKeys=2)
    assert [i["Key"] for i in after["Contents"]] == ["a/24.jpg", "b/x/1"]
    old = s3.list_objects(Bucket=bucket, Delimiter="/", MaxKeys=2)
    assert [p["Prefix"] for p in old["CommonPrefixes"]] == ["a/", "b/"] and old["IsTruncated"]


def test_delete_is_quiet_about_what_is_missing(s3, bucket):
    answer = s3.delete_object(Bucket=bucket, Key="never")
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "never"}], "Quiet": True})
    assert "Deleted" not in answer and "Errors" not in answer


def test_versions(s3, name):
    s3.create_bucket(Bucket=name)
    assert "Status" not in s3.get_bucket_versioning(Bucket=name)
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    first = s3.put_object(Bucket=name, Key="k", Body=b"one")["VersionId"]
    second = s3.put_object(Bucket=name, Key="k", Body=b"two")["VersionId"]
    assert first != second
    assert s3.get_object(Bucket=name, Key="k")["Body"].read() == b"two"
    assert s3.get_object(Bucket=name, Key="k", VersionId=first)["Body"].read() == b"one"
    marker = s3.delete_object(Bucket=name, Key="k")
    assert marker["DeleteMarker"]
    with pytest.raises(ClientError) as error:
        s3.get_object(Bucket=name, Key="k")
    assert code_of(error) == "NoSuchKey"
    listed = s3.list_object_versions(Bucket=name)
    assert [v["VersionId"] for v in listed["Versions"]] == [second, first]
    assert [v["VersionId"] for v in listed["DeleteMarkers"]] == [marker["VersionId"]]
    with pytest.raises(ClientError) as error:
        s3.delete_bucket(Bucket=name)
    assert code_of(error) == "BucketNotEmpty" and status_of(error) == 409
    for version in (first, second, marker["VersionId"]):
        s3.delete_object(Bucket=name, Key="k", VersionId=version)
    s3.delete_bucket(Bucket=name)


def test_multipart_by_hand(s3, bucket):
    parts = [os.urandom(5 << 20), os.urandom(5 << 20), b"tail"]
    upload = s3.create_multipart_upload(Bucket=bucket, Key="k", ContentType="image/png",
                                        Metadata={"m": "1"})["UploadId"]
    assert [u["UploadId"] for u in s3.list_multipart_uploads(Bucket=bucket)["Uploads"]] == [upload]
    done = []
    for number in (2, 1, 3):
        answer = s3.upload_part(Bucket=bucket, Key="k", UploadId=upload, PartNumber=number,
                                Body=parts[number - 1])
        done.append({"PartNumber": number, "ETag": answer["ETag"]})
    listed = s3.list_parts(Bucket=bucket, Key="k", UploadId=upload)["Parts"]
    assert [(p["PartNumber"], p["Size"]) for p in listed] == [(1, 5 << 20), (2, 5 << 20), (3, 4)]
    done.sort(key=lambda part: part["PartNumber"])
    answer = s3.complete_multipart_upload(Bucket=bucket, Key="k", UploadId=upload,
                                          MultipartUpload={"Parts": done})
    digest = hashlib.md5(b"".join(hashlib.md5(part).digest() for part in parts)).hexdigest()
    assert answer["ETag"] == f'"{digest}-3"'
    got = s3.get_object(Bucket=bucket, Key="k")
    assert got["Body"].read() == b"".join(parts)
    assert (got["ContentType"], got["Metadata"]) == ("image/png", {"m": "1"})


def test_multipart_errors(s3, bucket):
    upload = s3.create_multipart_upload(Bucket=bucket, Key="k")["UploadId"]
    part = {"Bucket": bucket, "Key": "k", "UploadId": upload, "Body": b"x"}
    small = [s3.upload_part(PartNumber=number, **part)["ETag"] for number in (1, 2)]
    for parts, code in [
            ([{"PartNumber": 1, "ETag": small[0]}, {"PartNumber": 2, "ETag": small[1]}],
             "EntityTooSmall"),
            ([{"PartNumber": 1, "ETag": '"0123456789abcdef0123456789abcdef"'}], "InvalidPart"),
            ([{"PartNumber": 2, "ETag": small[1]}, {"PartNumber": 1, "ETag": small[0]}],
             "InvalidPartOrder")]:
        with pytest.raises(ClientError) as error:
            s3.complete_multipart_upload(Bucket=bucket, Key="k", UploadId=upload,
                                         MultipartUpload={"Parts": parts})
        assert code_of(error) == code
    s3.abort_multipart_upload(Bucket=bucket, Key="k", UploadId=upload)
    with pytest.raises(ClientError) as error:
        s3.upload_part(PartNumber=1, **part)
    assert code_of(error) == "NoSuchUpload" and status_of(error) == 404
    assert s3.list_objects_v2(Bucket=bucket)["KeyCount"] == 0


@pytest.mark.slow
def test_transfer_manager_30_mb_up_copy_and_down(s3, bucket, tmp_path):
    source = tmp_path / "big.bin"
    source.write_bytes(os.urandom(30_000_000))
    s3.upload_file(str(source), bucket, "big.bin")
    assert s3.head_object(Bucket=bucket, Key="big.bin")["ETag"].endswith('-4"')
    s3.copy({"Bucket": bucket, "Key": "big.bin"}, bucket, "copy.bin")
    s3.download_file(bucket, "copy.bin", str(tmp_path / "down.bin"))
    assert (tmp_path / "down.bin").read_bytes() == source.read_bytes()
    stream = io.BytesIO()
    s3.download_fileobj(bucket, "big.bin", stream)
    assert stream.getvalue() == source.read_bytes()


def test_errors_have_aws_codes(s3, bucket, name):
    other = name + "-none"
    for call, code, status in [
            (lambda: s3.get_object(Bucket=bucket, Key="none"), "NoSuchKey", 404),
            (lambda: s3.head_object(Bucket=bucket, Key="none"), "404", 404),
            (lambda: s3.get_object(Bucket=other, Key="k"), "NoSuchBucket", 404),
            (lambda: s3.put_object(Bucket=other, Key="k", Body=b""), "NoSuchBucket", 404),
            (lambda: s3.list_objects_v2(Bucket=other), "NoSuchBucket", 404),
            (lambda: s3.head_bucket(Bucket=other), "404", 404),
            (lambda: s3.delete_bucket(Bucket=other), "NoSuchBucket", 404),
            (lambda: s3.get_bucket_policy(Bucket=bucket), "NoSuchBucketPolicy", 404),
            (lambda: s3.get_bucket_cors(Bucket=bucket), "NoSuchCORSConfiguration", 404),
            (lambda: s3.get_bucket_tagging(Bucket=bucket), "NoSuchTagSet", 404),
            (lambda: s3.get_bucket_lifecycle_configuration(Bucket=bucket),
             "NoSuchLifecycleConfiguration", 404),
            (lambda: s3.create_bucket(Bucket="Not_A_Bucket"), "InvalidBucketName", 400)]:
        with pytest.raises(ClientError) as error:
            call()
        assert (code_of(error), status_of(error)) == (code, status)
        assert error.value.response["ResponseMetadata"].get("RequestId")


def test_a_bucket_with_objects_is_not_deleted(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"")
    with pytest.raises(ClientError) as error:
        s3.delete_bucket(Bucket=bucket)
    assert code_of(error) == "BucketNotEmpty" and status_of(error) == 409


def test_bucket_settings_come_back(s3, bucket):
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [{"Key": "a", "Value": "b c"}]})
    assert s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == [{"Key": "a", "Value": "b c"}]
    rules = [{"ID": "r", "Status": "Enabled", "Filter": {"Prefix": "tmp/"},
              "Expiration": {"Days": 7}}]
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": rules})
    assert s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"] == rules
    s3.put_object(Bucket=bucket, Key="k", Body=b"", Tagging="x=1&y=a%20b")
    tags = s3.get_object_tagging(Bucket=bucket, Key="k")["TagSet"]
    assert sorted((t["Key"], t["Value"]) for t in tags) == [("x", "1"), ("y", "a b")]
    location = s3.get_bucket_location(Bucket=bucket)["LocationConstraint"]
    assert location is None
    assert bucket in [b["Name"] for b in s3.list_buckets()["Buckets"]]


@pytest.mark.skipif(not clients.HAS_DEFAULT_CHECKSUMS,
                    reason="this boto3 sends no checksum by itself")
def test_default_checksum_comes_back(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k", Body=b"checked")
    assert s3.get_object(Bucket=bucket, Key="k")["ChecksumCRC32"] == crc32(b"checked")

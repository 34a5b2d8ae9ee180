"""Sends each recorded S3, DynamoDB and Lambda request of AWS's own clients to the server again.

The recordings lie beside the tree (../shared, or IMGPROC_SHARED). Judged are the status, the error
code, and that the answer's top-level members are those that AWS's service model knows and that the
client was answered with. The values are the other tests' matter.
"""
import base64
import json
import re
import urllib.parse
import uuid
import zlib

import pytest
from botocore.exceptions import ClientError

import clients
import recordings

OPERATIONS = recordings.operations({"s3", "dynamodb", "lambda"})
# Forms and presigned queries carry a signature that is tested in test_s3_presigned.py.
SIGNED_ELSEWHERE = re.compile(r"[?&](AWSAccessKeyId|X-Amz-Algorithm)=")
ROOTS = {
    "ListBuckets": "ListAllMyBucketsResult", "ListObjects": "ListBucketResult",
    "ListObjectsV2": "ListBucketResult", "ListObjectVersions": "ListVersionsResult",
    "CreateMultipartUpload": "InitiateMultipartUploadResult",
    "CompleteMultipartUpload": "CompleteMultipartUploadResult", "CopyObject": "CopyObjectResult",
    "UploadPartCopy": "CopyPartResult", "ListParts": "ListPartsResult",
    "ListMultipartUploads": "ListMultipartUploadsResult", "DeleteObjects": "DeleteResult",
    "GetBucketLocation": "LocationConstraint", "GetBucketVersioning": "VersioningConfiguration",
    "GetBucketLifecycleConfiguration": "LifecycleConfiguration",
    "GetBucketNotificationConfiguration": "NotificationConfiguration",
    "GetBucketEncryption": "ServerSideEncryptionConfiguration",
    "GetPublicAccessBlock": "PublicAccessBlockConfiguration",
    "GetBucketOwnershipControls": "OwnershipControls", "GetBucketTagging": "Tagging",
    "GetObjectTagging": "Tagging", "GetBucketCors": "CORSConfiguration",
    "GetBucketAcl": "AccessControlPolicy", "GetBucketLogging": "BucketLoggingStatus",
    "GetBucketAccelerateConfiguration": "AccelerateConfiguration",
    "GetBucketRequestPayment": "RequestPaymentConfiguration",
    "GetObjectAttributes": "GetObjectAttributesResponse",
}
# Members that a server may leave out: empty, optional, or the recorded server's own.
OPTIONAL = {"Owner", "Marker", "NextMarker", "Prefix", "Delimiter", "KeyCount", "Contents",
            "KeyMarker",
            "VersionIdMarker", "Location", "ItemCollectionMetrics", "ConsumedCapacity", "Payer",
            "VpcConfig", "Layers", "SigningProfileVersionArn", "SigningJobArn", "Description",
            "LastEvaluatedTableName", "StorageClass", "Initiator", "PartNumberMarker",
            "NextPartNumberMarker", "UploadIdMarker", "NextUploadIdMarker", "NextKeyMarker",
            "DeadLetterConfig", "KMSKeyArn", "RevisionId", "Status", "MfaDelete", "CORSRules",
            "Concurrency", "Tags", "SnapStart", "ResponseMetadata", "CodeSigningConfigArn",
            "CommonPrefixes", "EncodingType", "Deleted", "UploadId", "StateReason",
            "ReservedConcurrentExecutions", "AliasArn", "ChecksumType", "ChecksumAlgorithm"}


def exchanges():
    for operation in OPERATIONS:
        for number, exchange in enumerate(recordings.load(operation)):
            if SIGNED_ELSEWHERE.search(exchange.target) or operation == "s3.PostObject":
                continue
            if exchange.status == 403:
                continue
            yield pytest.param(exchange, id=f"{operation}-{number}-{exchange.status}")


class Stage:
    """Makes the world that an exchange expects, and remembers which names stand for which."""

    def __init__(self, endpoint):
        self.endpoint = endpoint
        # Recorded with functions for arm64, which a machine may be unable to run and then refuses.
        self.names = {recordings.RECORDED_ACCOUNT: recordings.ACCOUNT, "arm64": "x86_64"}
        def make(service):
            return clients.client(service, endpoint, region_name=recordings.RECORDED_REGION)
        self.s3, self.dynamodb, self.iam = make("s3"), make("dynamodb"), make("iam")
        self.functions = make("lambda")

    def replay(self, operation, number=0, **changes):
        """Sends a recorded request as part of the preparation; it must succeed."""
        exchange = recordings.load(operation)[number].replaced(self.names | changes)
        answer = recordings.send(self.endpoint, exchange)
        if answer.status == 501:
            pytest.skip(f"{operation} answers NotImplemented")
        assert answer.status < 300, f"preparing with {operation}: {answer.status} {answer.body}"
        return answer

    def fresh(self, recorded):
        name = self.names.setdefault(recorded, f"r-{uuid.uuid4().hex[:16]}")
        return name

    # --- S3 ---

    def prepare_s3(self, exchange):
        operation, status = exchange.operation.split(".")[1], exchange.status
        path, _, query = exchange.target.partition("?")
        recorded, _, key = path.removeprefix("/").partition("/")
        key = urllib.parse.unquote(key)
        if not recorded:
            return
        bucket = self.fresh(recorded)
        absent = recorded in ("no-such-bucket-xyz", "nobucket-zz") or (
            operation == "HeadBucket" and status == 404)
        if absent or (operation == "CreateBucket" and status != 409):
            return
        self.create_bucket(bucket)
        self.prepare_object(exchange, operation, bucket, key)
        if "uploadId=" in query or operation in ("ListMultipartUploads",):
            self.prepare_upload(exchange, operation, bucket, key or "k")
        if operation.startswith("Get") and "/" not in path[1:] and status == 200:
            self.prepare_setting(exchange, operation, recorded)
        if (operation, status) == ("GetBucketOwnershipControls", 404):
            # New buckets have owner-enforced controls and a public access block.
            self.s3.delete_bucket_ownership_controls(Bucket=bucket)
        if (operation, status) == ("GetPublicAccessBlock", 404):
            self.s3.delete_public_access_block(Bucket=bucket)
        if (operation, status) == ("GetBucketEncryption", 404):
            pytest.skip("S3 itself encrypts every bucket; only the recorded server had none")
        if operation == "PutBucketNotificationConfiguration":
            self.need_notification_targets(exchange)

    def create_bucket(self, bucket):
        self.s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={
            "LocationConstraint": recordings.RECORDED_REGION})

    def prepare_object(self, exchange, operation, bucket, key):
        source = exchange.header("x-amz-copy-source")
        if source:
            recorded, _, source_key = source.partition("/")
            if recorded not in self.names:
                self.create_bucket(self.fresh(recorded))
            size = 30_000_000 if "Part" in operation else 100
            put = self.s3.put_object(Bucket=self.names[recorded], Key=source_key, Body=bytes(size))
            self.same_etag(exchange, put["ETag"])
        versions = re.findall(r"(?:versionId=|<VersionId>)([\w-]+)",
                              exchange.target + exchange.body.decode("latin-1"))
        if versions:
            self.s3.put_bucket_versioning(Bucket=bucket,
                                          VersioningConfiguration={"Status": "Enabled"})
            key = key or re.search(r"<Key>(.*?)</Key>", exchange.body.decode()).group(1)
            for version in versions:
                self.names[version] = self.s3.put_object(Bucket=bucket, Key=key,
                                                         Body=b"v")["VersionId"]
        reads = operation in ("GetObject", "HeadObject", "GetObjectTagging", "PutObjectTagging",
                              "GetObjectAttributes", "DeleteObject")
        if key and not versions and ((reads and exchange.status != 404)
                                     or (operation == "PutObject" and exchange.status == 412)):
            whole = bytes(9_000_000 if exchange.header("Range") else 20_000)
            self.same_etag(exchange, self.s3.put_object(Bucket=bucket, Key=key, Body=whole)["ETag"])
        if operation == "DeleteBucket" and exchange.status == 409:
            self.s3.put_object(Bucket=bucket, Key="k", Body=b"")
        if operation.startswith("ListObject"):
            self.s3.put_object(Bucket=bucket, Key="code/function.zip", Body=b"")

    def same_etag(self, exchange, etag):
        for name in ("If-Match", "If-None-Match", "x-amz-copy-source-if-match"):
            value = exchange.header(name)
            if value and value != "*":
                self.names[value.strip('"')] = etag.strip('"')

    def prepare_upload(self, exchange, operation, bucket, key):
        upload = self.s3.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
        if match := re.search(r"uploadId=([\w.~-]+)", exchange.target):
            self.names[match.group(1)] = upload
        parts = re.findall(r"<ETag>\"?(\w+)\"?</ETag>", exchange.body.decode("latin-1"))
        sums = re.findall(r"<ChecksumCRC32>(.*?)</ChecksumCRC32>", exchange.body.decode("latin-1"))
        for number in range(max(1, len(parts)) if operation != "UploadPart" else 0):
            data = bytes([number]) * (5 << 20)
            answer = self.s3.upload_part(Bucket=bucket, Key=key, UploadId=upload,
                                         PartNumber=number + 1, Body=data)
            if parts:
                self.names[parts[number]] = answer["ETag"].strip('"')
            if sums:
                self.names[sums[number]] = base64.b64encode(
                    zlib.crc32(data).to_bytes(4, "big")).decode()

    def prepare_setting(self, exchange, operation, recorded):
        put = "s3." + operation.replace("Get", "Put", 1)
        if put not in OPERATIONS or operation in ("GetBucketVersioning",):
            return
        if operation == "GetBucketNotificationConfiguration":
            self.need_notification_targets(recordings.load(put)[0])
        other = recordings.load(put)[0].target.split("/")[1].split("?")[0]
        self.replay(put, **{other: self.names[recorded]})

    def need_notification_targets(self, exchange):
        if b"CloudFunction>" in exchange.body:
            self.function("serverless-img-proc")
            self.functions.add_permission(
                FunctionName=self.names["serverless-img-proc"], StatementId="s3",
                Action="lambda:InvokeFunction", Principal="s3.amazonaws.com")
        if b"<Queue>" in exchange.body or b"<Topic>" in exchange.body:
            pytest.skip("notifications to queues and topics are judged with those services")

    # --- DynamoDB ---

    def prepare_dynamodb(self, exchange):
        operation = exchange.operation.split(".")[1]
        text = exchange.body.decode()
        for number, recorded in ((0, "serverless-img-proc-metadata"), (1, "cli-v1-meta")):
            if recorded not in text:
                continue
            table = self.fresh(recorded)
            if operation == "CreateTable" or (operation == "DescribeTable"
                                              and exchange.status == 400):
                continue
            self.replay("dynamodb.CreateTable", number)
            self.dynamodb.get_waiter("table_exists").wait(TableName=table)
            if recorded == "cli-v1-meta" and operation not in ("DeleteTable",):
                self.replay("dynamodb.PutItem", 0)
            if operation == "DeleteTable" and exchange.status == 400:
                self.replay("dynamodb.UpdateTable", 2)
            if operation == "UpdateTable" and '"Delete"' in text:
                self.replay("dynamodb.UpdateTable", 0)
                self.dynamodb.get_waiter("table_exists").wait(TableName=table)
            if operation == "UntagResource":
                self.replay("dynamodb.TagResource")
            if operation == "DeleteItem":
                self.dynamodb.put_item(TableName=table, Item=json.loads(text)["Key"])

    # --- Lambda ---

    def function(self, recorded):
        """A function of that recorded name; "CreateFunction" itself is the recorded request."""
        number = 0 if recorded == "serverless-img-proc" else 1
        if recorded not in self.names:
            self.fresh(recorded)
            self.role(recordings.load("lambda.CreateFunction")[number])
            self.replay("lambda.CreateFunction", number)

    def role(self, exchange):
        """The role that the function of CreateFunction runs under."""
        name = json.loads(exchange.body)["Role"].rpartition("/")[2]
        trust = {"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Action": "sts:AssumeRole",
            "Principal": {"Service": "lambda.amazonaws.com"}}]}
        try:
            self.iam.create_role(RoleName=self.fresh(name),
                                 AssumeRolePolicyDocument=json.dumps(trust))
            # What Lambda asks of the role before it takes a dead-letter queue and tracing.
            rights = {"Version": "2012-10-17", "Statement": [{
                "Effect": "Allow", "Resource": "*", "Action": ["sqs:SendMessage", "xray:*"]}]}
            self.iam.put_role_policy(RoleName=self.names[name], PolicyName="rights",
                                     PolicyDocument=json.dumps(rights))
        except ClientError:
            # A server without IAM has no roles to look up.
            pass

    def prepare_lambda(self, exchange):
        operation = exchange.operation.split(".")[1]
        text = exchange.target + exchange.body.decode()
        if "event-source-mapping" in text:
            pytest.skip("event source mappings are judged with SQS")
        recorded = "cli-v1-fn" if "cli-v1-fn" in text else "serverless-img-proc"
        if operation == "CreateFunction":
            self.fresh(recorded)
            self.role(exchange)
            return
        if operation == "ListFunctions":
            return
        self.function(recorded)
        if operation in ("GetPolicy", "RemovePermission") and exchange.status < 300:
            self.replay("lambda.AddPermission", 0 if recorded == "serverless-img-proc" else 1)
        if operation == "DeleteFunctionEventInvokeConfig" or (
                operation == "GetFunctionEventInvokeConfig"):
            self.replay("lambda.PutFunctionEventInvokeConfig")
        if operation == "DeleteFunctionConcurrency":
            self.replay("lambda.PutFunctionConcurrency")
        if "Alias" in operation or "Qualifier" in text:
            self.replay("lambda.PublishVersion", 0)
        if operation in ("GetAlias", "UpdateAlias", "DeleteAlias"):
            self.replay("lambda.CreateAlias")
        if operation == "UpdateAlias":
            # It moves the alias to version 2, which only a change makes.
            self.replay("lambda.UpdateFunctionConfiguration", 0)
            self.replay("lambda.PublishVersion", 0)


def error_code(answer):
    if answer.headers.get("x-amzn-errortype"):
        return answer.headers["x-amzn-errortype"].split(":")[0]
    if answer.body.lstrip().startswith(b"<"):
        return re.search(rb"<Code>(\w+)</Code>", answer.body).group(1).decode()
    if answer.body:
        return json.loads(answer.body)["__type"].rpartition("#")[2]
    return None


def recorded_code(exchange):
    return error_code(recordings.Answer(exchange.status, {}, exchange.answer.encode()))


@pytest.mark.skipif(not OPERATIONS, reason=f"no recordings in {recordings.RECORDINGS}")
@pytest.mark.parametrize("exchange", exchanges())
def test_recorded_request(endpoint, exchange):
    stage = Stage(endpoint)
    getattr(stage, f"prepare_{exchange.service}")(exchange)
    answer = recordings.send(endpoint, exchange.replaced(stage.names))
    if answer.status == 501:
        assert "NotImplemented" in (error_code(answer) or "")
        pytest.skip(f"{exchange.operation} answers NotImplemented")
    told = f"{answer.status} {answer.body[:600]!r}"
    if exchange.status >= 300:
        assert answer.status == exchange.status, told
        if answer.body and exchange.answer.strip():
            assert error_code(answer) == recorded_code(exchange), told
        return
    # Between 200, 201, 202 and 204 the recorded server was not always right.
    assert 200 <= answer.status < 300, told
    known = recordings.modelled_members(exchange.operation)
    name = exchange.operation.split(".")[1]
    if exchange.service == "s3":
        if name not in ROOTS or name == "GetBucketLocation":
            return
        assert answer.root() == ROOTS[name], told
        if name == "GetBucketNotificationConfiguration":
            # Which kinds it lists follows from what was put; the replay puts functions only.
            return
        assert answer.headers["content-type"] == "application/xml"
        expected = recordings.Answer(200, {}, exchange.answer.encode()).members() & known
    elif name == "Invoke":
        return
    else:
        recorded = json.loads(exchange.answer) if exchange.answer.strip() else {}
        expected = {m for m, value in recorded.items() if value not in (None, [], {})} & known
        assert answer.members() <= known, f"members unknown to the model: {told}"
    missing = expected - answer.members() - OPTIONAL
    assert not missing, f"{missing} missing in {told}"

"""Where the tests run: against IMGPROC_ENDPOINT if it is set, else a server of their own.

    IMGPROC_BIN=build/dev/bin python3 -m pytest tests/conformance
    IMGPROC_ENDPOINT=http://127.0.0.1:5000 python3 -m pytest tests/conformance   (or any other)
"""
import os
import uuid

import pytest

import clients


@pytest.fixture(scope="session")
def endpoint(tmp_path_factory):
    if given := os.environ.get("IMGPROC_ENDPOINT"):
        yield given
        return
    server = clients.Server(tmp_path_factory.mktemp("data"))
    yield server.endpoint
    assert server.stop(), f"imgproc local did not stop cleanly:\n{server.tail()}"


@pytest.fixture(autouse=True)
def only_ours(request):
    if request.node.get_closest_marker("ours"):
        if not clients.is_ours(request.getfixturevalue("endpoint")):
            pytest.skip("this server is not imgproc local")


@pytest.fixture(scope="session")
def s3(endpoint):
    return clients.client("s3", endpoint)


@pytest.fixture(scope="session")
def dynamodb(endpoint):
    return clients.client("dynamodb", endpoint)


@pytest.fixture(scope="session")
def awslambda(endpoint):
    return clients.client("lambda", endpoint)


@pytest.fixture(scope="session")
def logs(endpoint):
    return clients.client("logs", endpoint)


@pytest.fixture
def name():
    """A fresh name, good for buckets and tables."""
    return f"t-{uuid.uuid4().hex[:16]}"


@pytest.fixture
def bucket(s3, name):
    s3.create_bucket(Bucket=name)
    yield name
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=name):
        for item in page.get("Contents", []):
            s3.delete_object(Bucket=name, Key=item["Key"])
    for upload in s3.list_multipart_uploads(Bucket=name).get("Uploads", []):
        s3.abort_multipart_upload(Bucket=name, Key=upload["Key"], UploadId=upload["UploadId"])
    s3.delete_bucket(Bucket=name)


@pytest.fixture
def table(dynamodb, name):
    """Hash key `id` (S), range key `at` (N), index by-kind (kind S, at N)."""
    dynamodb.create_table(
        TableName=name, BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"},
                              {"AttributeName": "at", "AttributeType": "N"},
                              {"AttributeName": "kind", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"},
                   {"AttributeName": "at", "KeyType": "RANGE"}],
        GlobalSecondaryIndexes=[{
            "IndexName": "by-kind", "Projection": {"ProjectionType": "ALL"},
            "KeySchema": [{"AttributeName": "kind", "KeyType": "HASH"},
                          {"AttributeName": "at", "KeyType": "RANGE"}]}])
    dynamodb.get_waiter("table_exists").wait(TableName=name)
    yield name
    dynamodb.delete_table(TableName=name)


@pytest.fixture(params=["v1", "v2", "v2-debian"])
def aws(request, endpoint):
    """aws("s3", "ls"): runs each AWS CLI that the machine has; the others are skipped by name."""
    found = clients.clis().get(request.param)
    if not found:
        pytest.skip(f"no AWS CLI {request.param} on this machine")

    def run(*arguments, **options):
        return found.run(endpoint, *arguments, **options)

    run.json = lambda *arguments, **options: found.json(endpoint, *arguments, **options)
    run.cli = found
    return run

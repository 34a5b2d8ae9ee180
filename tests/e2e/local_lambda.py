"""Functions on the local cloud for tests: packages, roles, queues, and what their logs say."""
import io
import json
import time
import urllib.request
import zipfile

import clients

WAIT_SECONDS_MAX = 90
TRUST = {"Version": "2012-10-17", "Statement": [{
    "Effect": "Allow", "Action": "sts:AssumeRole",
    "Principal": {"Service": "lambda.amazonaws.com"}}]}


def package(files):
    """A zip of {name: path or bytes}, all of them executable."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as zipped:
        for name, content in files.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o755 << 16
            zipped.writestr(info, content if isinstance(content, bytes) else content.read_bytes())
    return buffer.getvalue()


def pipeline_package():
    """The function as it was built, with its decoder: what ./dev package makes, less portable."""
    names = ["bootstrap", "decoder"]
    names += [path.name for path in clients.binary("").glob("libvips*.so*")]
    return package({name: clients.binary(name) for name in names})


def wait_for(look, what, seconds_max=WAIT_SECONDS_MAX):
    """What `look` returns, as soon as that is something."""
    deadline = time.monotonic() + seconds_max
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < deadline, f"waited {seconds_max} s in vain for {what}"
        time.sleep(0.1)


def sqs(endpoint, operation, **members):
    """One call of SQS in its JSON protocol, which older boto3 do not speak."""
    request = urllib.request.Request(
        f"{endpoint}/", json.dumps(members).encode(), headers={
            "X-Amz-Target": f"AmazonSQS.{operation}",
            "Content-Type": "application/x-amz-json-1.0"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.loads(answer.read() or b"{}")


def make_queue(endpoint, name):
    """(URL, ARN)"""
    url = sqs(endpoint, "CreateQueue", QueueName=name)["QueueUrl"]
    return url, sqs(endpoint, "GetQueueAttributes", QueueUrl=url,
                    AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def receive(endpoint, url):
    """Takes up to ten messages out of the queue."""
    messages = sqs(endpoint, "ReceiveMessage", QueueUrl=url, MaxNumberOfMessages=10,
                   MessageAttributeNames=["All"]).get("Messages", [])
    for message in messages:
        sqs(endpoint, "DeleteMessage", QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return messages


def make_role(endpoint, name, *statements):
    """A role with one inline policy; its ARN."""
    iam = clients.client("iam", endpoint)
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    put_policy(endpoint, name, {"Version": "2012-10-17", "Statement": list(statements)})
    return role


def put_policy(endpoint, role_name, policy):
    clients.client("iam", endpoint).put_role_policy(
        RoleName=role_name, PolicyName="test", PolicyDocument=json.dumps(policy))


def log_messages(endpoint, function):
    """Every line of the function's log, oldest first."""
    logs = clients.client("logs", endpoint)
    try:
        pages = logs.get_paginator("filter_log_events").paginate(
            logGroupName=f"/aws/lambda/{function}")
        return [event["message"] for page in pages for event in page["events"]]
    except logs.exceptions.ResourceNotFoundException:
        return []

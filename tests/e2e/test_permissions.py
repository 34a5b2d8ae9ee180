"""The role that our Terraform makes, permission by permission: with all of them the pipeline works,
and without any single one something that the guide does fails, and says which one is missing.

Terraform itself makes the resources in `imgproc local --empty`; then the role's policy is put
without one action on one resource at a time, and the step that needs it is taken."""
import json
import os
import re
import shutil
import subprocess
import uuid

import pytest
from botocore.exceptions import ClientError

import clients
import local_lambda
import stack

NAME = "permissions"
TERRAFORM_SECONDS_MAX = 600
SEEN_SECONDS_MAX = 60

MODULE = """
provider "aws" {}
module "pipeline" {
  source        = "%s"
  name          = "%s"
  package_path  = "package.zip"
  force_destroy = true
  versioning    = true
  tracing       = true
  trigger       = var.trigger
  kms_key_arn   = aws_kms_key.this.arn
  on_failure_destination_arn = aws_sqs_queue.failures.arn
}
variable "trigger" {}
resource "aws_kms_key" "this" {}
resource "aws_sqs_queue" "failures" { name = "permissions-failures" }
output "source" { value = module.pipeline.source_bucket_name }
output "destination" { value = module.pipeline.destination_bucket_name }
output "table" { value = module.pipeline.metadata_table_name }
"""
# Not what the provider waits for a long time (lifecycle rules), nor alarms and dashboard.
TARGETS = ["aws_s3_bucket_notification.source", "aws_lambda_function_event_invoke_config.this",
           "aws_s3_bucket_server_side_encryption_configuration.this",
           "aws_s3_bucket_versioning.this", "aws_lambda_event_source_mapping.events"]

if not shutil.which("terraform"):
    pytest.skip("terraform is not installed", allow_module_level=True)


def plugin_dir():
    finder = clients.ROOT.parent / "shared/tools/terraform-plugins"
    if os.environ.get("TF_PLUGIN_DIR"):
        return os.environ["TF_PLUGIN_DIR"]
    if finder.exists():
        found = subprocess.run([finder], capture_output=True, text=True, check=False)
        return found.stdout.strip()
    return ""


class World:
    """The cloud, what Terraform made in it, and what the guide does with it."""

    def __init__(self, server, folder):
        self.server, self.folder = server, folder
        endpoint = server.endpoint
        self.s3, self.iam = clients.client("s3", endpoint), clients.client("iam", endpoint)
        self.awslambda = clients.client("lambda", endpoint)
        self.dynamodb = clients.client("dynamodb", endpoint)
        (folder / "package.zip").write_bytes(local_lambda.pipeline_package())
        module = clients.ROOT / "terraform/modules/image-pipeline"
        (folder / "main.tf").write_text(MODULE % (module, NAME))
        plugins = plugin_dir()
        init = self.terraform("init", *([f"-plugin-dir={plugins}"] if plugins else []), check=False)
        if init.returncode != 0:
            pytest.skip(f"the AWS provider is not to be had: {init.stderr[-300:]}")

    def terraform(self, *arguments, check=True):
        result = subprocess.run(
            ["terraform", *arguments], cwd=self.folder, capture_output=True, text=True,
            timeout=TERRAFORM_SECONDS_MAX, check=False, env=clients.clean_environment(
                AWS_ENDPOINT_URL=self.server.endpoint, AWS_REGION=clients.REGION,
                TF_IN_AUTOMATION="1", TF_INPUT="0", **clients.CREDENTIALS))
        assert not check or result.returncode == 0, result.stdout[-2000:] + result.stderr[-4000:]
        return result

    def apply(self, trigger, targets=None):
        chosen = TARGETS if targets is None else targets
        self.terraform("apply", "-auto-approve", f"-var=trigger={trigger}",
                       *[f"-target=module.pipeline.{target}" for target in chosen])
        outputs = json.loads(self.terraform("output", "-json").stdout)
        self.source, self.destination, self.table = (
            outputs[name]["value"] for name in ("source", "destination", "table"))
        role = self.awslambda.get_function(FunctionName=NAME)["Configuration"]["Role"]
        self.role = role.rpartition("/")[2]
        names = self.iam.list_role_policies(RoleName=self.role)["PolicyNames"]
        assert len(names) == 1, names
        self.policy_name = names[0]
        self.policy = self.iam.get_role_policy(
            RoleName=self.role, PolicyName=self.policy_name)["PolicyDocument"]
        if isinstance(self.policy, str):
            self.policy = json.loads(self.policy)

    def put_policy(self, policy):
        self.iam.put_role_policy(RoleName=self.role, PolicyName=self.policy_name,
                                 PolicyDocument=json.dumps(policy))

    # --- what the guide does ---

    def upload(self, key, blue=0):
        return self.s3.put_object(Bucket=self.source, Key=key,
                                  Body=stack.gradient_png(64, 48, blue))["ETag"]

    def record(self, key):
        return self.dynamodb.get_item(
            TableName=self.table, ConsistentRead=True,
            Key={"path": {"S": f"{self.source}/{key}"}}).get("Item", {})

    def is_ready(self, key, etag):
        record = self.record(key)
        return (record.get("status", {}).get("S") == "READY"
                and record["etag"]["S"] == etag.strip('"'))

    def wait_until_ready(self, key, etag):
        local_lambda.wait_for(lambda: self.is_ready(key, etag), f"{key} to be READY")

    def renditions(self, key):
        return [r["M"]["key"]["S"] for r in self.record(key)["renditions"]["M"].values()]

    def log(self):
        return "\n".join(local_lambda.log_messages(self.server.endpoint, NAME))

    def told(self, where, answer=""):
        """What somebody reads who looks there: the function's log, or the local cloud's own."""
        if where == "answer":
            return answer
        return self.log() if where == "log" else self.server.tail(1 << 30)

    def new_environment(self):
        """The next invocation starts a process of its own."""
        self.awslambda.update_function_configuration(
            FunctionName=NAME, Description=str(uuid.uuid4()), DeadLetterConfig={"TargetArn": ""},
            TracingConfig={"Mode": "PassThrough"})


# --- The steps that need permissions: what goes before, the step, and whether it went well --------


class Upload:
    """The base of all: `where` says who names a missing permission, and `words_first` how often
    that is said before the step is taken, where nobody waits for the step to say it."""
    where, answer, words_first = "log", "", 0

    def prepare(self, world, key):
        pass

    def act(self, world, key):
        self.etag = world.upload(key)

    def went_well(self, world, key):
        return world.is_ready(key, self.etag)


class Overwrite(Upload):
    def prepare(self, world, key):
        world.wait_until_ready(key, world.upload(key))

    def act(self, world, key):
        self.etag = world.upload(key, blue=200)


class Delete(Upload):
    def prepare(self, world, key):
        world.wait_until_ready(key, world.upload(key))
        self.renditions = world.renditions(key)
        assert self.renditions

    def act(self, world, key):
        world.s3.delete_object(Bucket=world.source, Key=key)

    def went_well(self, world, key):
        # The record says so before the renditions are gone; the log when all is done.
        return any(key in line and '"outcome":"deleted"' in line
                   for line in world.log().splitlines())


class DeleteWithoutRenditions(Delete):
    """Somebody took the renditions away: they are looked for, and not found."""

    def prepare(self, world, key):
        super().prepare(world, key)
        for rendition in self.renditions:
            world.s3.delete_object(Bucket=world.destination, Key=rendition)


class InvokeByHand(Upload):
    """Events of versioned buckets name a version; a call by hand does not."""

    def prepare(self, world, key):
        world.wait_until_ready(key, world.upload(key))

    def act(self, world, key):
        answer = world.awslambda.invoke(FunctionName=NAME, Payload=json.dumps(
            {"bucket": world.source, "key": key}).encode())
        self.failed = "FunctionError" in answer

    def went_well(self, world, key):
        return not self.failed


class UploadThatIsGone(InvokeByHand):
    """An event comes later than the object's deletion."""

    def prepare(self, world, key):
        pass


class ReadTheLog(Upload):
    where = "cloud"

    def prepare(self, world, key):
        world.new_environment()

    def went_well(self, world, key):
        return super().went_well(world, key) and key in world.log()


class Configure:
    where, words_first = "answer", 0

    def prepare(self, world, key):
        pass

    def act(self, world, key):
        self.answer = ""
        try:
            self.call(world)
        except ClientError as error:
            self.answer = str(error)

    def went_well(self, world, key):
        return not self.answer


class ConfigureDeadLetters(Configure):
    def call(self, world):
        world.awslambda.update_function_configuration(FunctionName=NAME, DeadLetterConfig={
            "TargetArn": f"arn:aws:sqs:{clients.REGION}:000000000000:{NAME}-dead-letters"})


class ConfigureTracing(Configure):
    def call(self, world):
        world.awslambda.update_function_configuration(
            FunctionName=NAME, TracingConfig={"Mode": "Active"})


class ConfigureDestination(Configure):
    def call(self, world):
        world.awslambda.put_function_event_invoke_config(
            FunctionName=NAME, DestinationConfig={"OnFailure": {
                "Destination": f"arn:aws:sqs:{clients.REGION}:000000000000:{NAME}-failures"}})


class UploadThroughTheQueue(Upload):
    where = "cloud"
    # Each of the mapping's pollers says it once, and reads no more from then on.
    words_first = 2

    def went_well(self, world, key):
        if world.is_ready(key, self.etag):
            return True
        waiting = local_lambda.sqs(
            world.server.endpoint, "GetQueueAttributes", AttributeNames=["All"],
            QueueUrl=f"{world.server.endpoint}/000000000000/{NAME}-events")["Attributes"]
        self.unread = waiting["ApproximateNumberOfMessages"]
        return False


SOURCE, DESTINATION = ":::permissions-source-", ":::permissions-dest-"
# (action, part of the resource): the step that needs it.
STEPS = {
    ("s3:GetObject", SOURCE): InvokeByHand,
    ("s3:GetObjectVersion", SOURCE): Upload,
    ("s3:ListBucket", SOURCE): UploadThatIsGone,
    ("s3:ListBucket", DESTINATION): DeleteWithoutRenditions,
    ("s3:GetObject", DESTINATION): Overwrite,
    ("s3:PutObject", DESTINATION): Upload,
    ("s3:DeleteObject", DESTINATION): Delete,
    ("dynamodb:GetItem", ":table/"): Upload,
    ("dynamodb:PutItem", ":table/"): Upload,
    ("kms:Decrypt", ":key/"): Upload,
    ("kms:GenerateDataKey", ":key/"): Upload,
    ("logs:CreateLogStream", ":log-group:"): ReadTheLog,
    ("logs:PutLogEvents", ":log-group:"): ReadTheLog,
    ("sqs:SendMessage", "-dead-letters"): ConfigureDeadLetters,
    ("sqs:SendMessage", "-failures"): ConfigureDestination,
    ("xray:PutTraceSegments", "*"): ConfigureTracing,
    ("xray:PutTelemetryRecords", "*"): ConfigureTracing,
}
STEPS_OF_QUEUE = {
    ("sqs:ReceiveMessage", "-events"): UploadThroughTheQueue,
    ("sqs:DeleteMessage", "-events"): UploadThroughTheQueue,
    ("sqs:GetQueueAttributes", "-events"): UploadThroughTheQueue,
}


def pairs(policy):
    """(index of the statement, action, resource) of all that the policy allows."""
    return [(index, action, resource) for index, statement in enumerate(policy["Statement"])
            for action in statement["Action"] for resource in statement["Resource"]]


def without(policy, index, action, resource):
    """The policy less one action on one resource."""
    statements = list(policy["Statement"])
    whole = statements.pop(index)
    assert whole["Effect"] == "Allow" and "Condition" not in whole
    for actions, resources in [
            ([a for a in whole["Action"] if a != action], whole["Resource"]),
            ([action], [r for r in whole["Resource"] if r != resource])]:
        if actions and resources:
            statements.append({"Effect": "Allow", "Action": actions, "Resource": resources})
    return {"Version": policy["Version"], "Statement": statements}


def the_pair(policy, action, part):
    found = [pair for pair in pairs(policy) if pair[1] == action and part in pair[2]]
    assert len(found) == 1, f"{action} on {part}: {found}"
    return found[0]


def wait_for_words(world, step, names, count):
    local_lambda.wait_for(
        lambda: len(names.findall(world.told(step.where, step.answer))) >= count,
        f"words that match {names.pattern}", SEEN_SECONDS_MAX)


def check(world, wanted, step):
    """The step goes well with the whole policy; without the permission it does not, and says so."""
    index, action, resource = the_pair(world.policy, *wanted)
    names = re.compile(f"{re.escape(action)} on resource: "
                       + re.escape(resource).replace(r"\*", ".*"))
    for missing in (False, True):
        key = f"{uuid.uuid4()}.png"
        step.prepare(world, key)
        seen = len(names.findall(world.told(step.where)))
        try:
            if missing:
                world.put_policy(without(world.policy, index, action, resource))
                wait_for_words(world, step, names, seen + step.words_first)
            step.act(world, key)
            if not missing:
                local_lambda.wait_for(lambda: step.went_well(world, key),
                                      f"{type(step).__name__} with every permission")
                continue
            wait_for_words(world, step, names, seen + 1)
            assert not step.went_well(world, key), f"{action} on {resource} is not needed"
            assert getattr(step, "unread", "1") == "1", "the message lies in the queue, untouched"
        finally:
            world.put_policy(world.policy)
            world.new_environment()


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    server = clients.Server(tmp_path_factory.mktemp("data"), "--empty", "--retry-delay", "0.1")
    world = World(server, tmp_path_factory.mktemp("terraform"))
    world.apply("s3")
    yield world
    assert server.stop(), f"imgproc local did not stop cleanly:\n{server.tail()}"


@pytest.fixture(scope="module")
def queue_world(world):
    world.apply("sqs")
    return world


def test_the_table_knows_every_permission(world):
    for _, action, resource in pairs(world.policy):
        known = [step for step in STEPS if step[0] == action and step[1] in resource]
        assert len(known) == 1, f"{action} on {resource} is in {len(known)} rows of the table"
    assert len(pairs(world.policy)) == len(STEPS)


@pytest.mark.parametrize("wanted", STEPS, ids=lambda wanted: "-".join(wanted))
def test_each_permission_is_needed_and_named(world, wanted):
    check(world, wanted, STEPS[wanted]())


def test_eventbridge_needs_no_other_permission(world):
    before = world.policy
    world.apply("eventbridge", ["aws_iam_role_policy.function"])
    assert world.policy == before


def test_the_table_knows_every_permission_of_the_queue(world):
    before = pairs(world.policy)
    world.apply("sqs")
    added = [pair[1:] for pair in pairs(world.policy) if pair[1:] not in [b[1:] for b in before]]
    for action, resource in added:
        assert [step for step in STEPS_OF_QUEUE if step[0] == action and step[1] in resource]
    assert len(added) == len(STEPS_OF_QUEUE)


@pytest.mark.parametrize("wanted", STEPS_OF_QUEUE, ids=lambda wanted: "-".join(wanted))
def test_each_permission_of_the_queue_is_needed_and_named(queue_world, wanted):
    check(queue_world, wanted, STEPS_OF_QUEUE[wanted]())

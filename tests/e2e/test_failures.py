"""How functions fail, as on AWS: what the log says, how often an event is tried, what lies in the
dead-letter queue, and which alarm rings."""
import json
import os
import pathlib
import re

import pytest
from botocore.exceptions import ClientError

import clients
import local_lambda

RETRY_DELAY_SECONDS = 0.1
TRIES = 3
# Alarms are evaluated every ten seconds.
ALARM_SECONDS_MAX = 60
ALLOW_ALL = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def misbehaving():
    """The function of tests/lambda_function."""
    default = clients.ROOT / "build/release/src/localcloud/lambda/lambda_test_function"
    return local_lambda.package(
        {"bootstrap": pathlib.Path(os.environ.get("IMGPROC_TEST_FUNCTION", default))})


class Case:
    def __init__(self, name, error_type, message, log, event="1", init="", tries=TRIES, files=None,
                 report="Status: error\tError Type: {}", cold=False, **settings):
        self.name, self.error_type, self.message, self.log = name, error_type, message, log
        self.event, self.init, self.tries, self.files = event, init, tries, files
        self.report = report.format(error_type)
        # Each try initializes anew, and reports it.
        self.cold = cold
        self.settings = {"Timeout": 10, "MemorySize": 512} | settings


def init_reports(status):
    return [rf"INIT_REPORT Init Duration: [\d.]+ ms\tPhase: {phase}\tStatus: {status}"
            for phase in ("init", "invoke")]


CASES = [
    Case("error", "Test.Error", "as asked", [], event='"error"', report=""),
    Case("timeout", "Sandbox.Timedout", "Task timed out after 1.00 seconds",
         [r"Z [-0-9a-f]{36} Task timed out after 1\.00 seconds"], event='"hang"',
         report="Status: timeout", Timeout=1),
    Case("exit", "Runtime.ExitError", "Runtime exited with error: exit status 7",
         [r"^RequestId: [-0-9a-f]{36} Error: Runtime exited with error: exit status 7\n"
          r"Runtime\.ExitError$"], event='"exit"'),
    Case("silent-exit", "Runtime.ExitError", "Runtime exited without providing a reason",
         [r"Error: Runtime exited without providing a reason\nRuntime\.ExitError$"],
         event='"exit0"'),
    Case("abort", "Runtime.ExitError", "Runtime exited with error: signal: aborted",
         [r"Error: Runtime exited with error: signal: aborted\nRuntime\.ExitError$"],
         event='"abort"'),
    Case("memory", "Runtime.OutOfMemory", "Runtime exited with error: signal: killed",
         [r"Error: Runtime exited with error: signal: killed\nRuntime\.OutOfMemory$"],
         event='"memory"', MemorySize=128),
    Case("init-exit", "Runtime.ExitError", "Runtime exited with error: exit status 3",
         init_reports("error\tError Type: Runtime.ExitError"), init="exit", cold=True),
    Case("init-error", "Test.Init", "no",
         init_reports("error\tError Type: Test.Init"), init="error", cold=True),
    # Ten seconds, and then the function's own.
    Case("init-hang", "Sandbox.Timedout", "Task timed out after 2.00 seconds",
         init_reports("timeout"), init="hang", cold=True, tries=1, Timeout=2,
         report="Status: timeout"),
    Case("no-program", "Runtime.InvalidEntrypoint",
         "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]",
         init_reports("error\tError Type: Runtime.InvalidEntrypoint"), cold=True,
         files={"readme": b"nothing to run"}),
    Case("no-format", "Runtime.InvalidEntrypoint",
         "fork/exec /var/task/bootstrap: exec format error",
         init_reports("error\tError Type: Runtime.InvalidEntrypoint"), cold=True,
         files={"bootstrap": b"neither ELF nor script"}),
]


class Failed:
    """A function of one case, and the event that was given up on."""

    def __init__(self, endpoint, case):
        self.case, self.function = case, f"fails-{case.name}"
        self.queue, arn = local_lambda.make_queue(endpoint, f"{self.function}-dead")
        awslambda = clients.client("lambda", endpoint)
        zipped = local_lambda.package(case.files) if case.files else misbehaving()
        awslambda.create_function(
            FunctionName=self.function, Role="arn:aws:iam::000000000000:role/fails",
            Runtime="provided.al2023", Handler="bootstrap", Code={"ZipFile": zipped},
            DeadLetterConfig={"TargetArn": arn},
            Environment={"Variables": {"TEST_INIT": case.init} if case.init else {}},
            **case.settings)
        if case.tries != TRIES:
            awslambda.put_function_event_invoke_config(
                FunctionName=self.function, MaximumRetryAttempts=case.tries - 1)
        cloudwatch = clients.client("cloudwatch", endpoint)
        for alarm, namespace, metric, dimension in [
                ("errors", "AWS/Lambda", "Errors", ("FunctionName", self.function)),
                ("dead", "AWS/SQS", "ApproximateNumberOfMessagesVisible",
                 ("QueueName", f"{self.function}-dead"))]:
            cloudwatch.put_metric_alarm(
                AlarmName=f"{self.function}-{alarm}", Namespace=namespace, MetricName=metric,
                Dimensions=[{"Name": dimension[0], "Value": dimension[1]}], Statistic="Maximum",
                Period=300, EvaluationPeriods=1, Threshold=1,
                ComparisonOperator="GreaterThanOrEqualToThreshold",
                TreatMissingData="notBreaching")
        self.states_before = self.states(endpoint)
        awslambda.invoke(FunctionName=self.function, InvocationType="Event",
                         Payload=case.event.encode())

    def states(self, endpoint):
        alarms = clients.client("cloudwatch", endpoint).describe_alarms(
            AlarmNamePrefix=f"{self.function}-")["MetricAlarms"]
        return {alarm["AlarmName"].rpartition("-")[2]: alarm["StateValue"] for alarm in alarms}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = clients.Server(tmp_path_factory.mktemp("data"), "--empty", "--retry-delay",
                            str(RETRY_DELAY_SECONDS))
    yield server
    assert server.stop(), f"imgproc local did not stop cleanly:\n{server.tail()}"


@pytest.fixture(scope="module")
def awslambda(server):
    return clients.client("lambda", server.endpoint)


@pytest.fixture(scope="module")
def failed(server):
    """All of them at once, as they would come."""
    local_lambda.make_role(server.endpoint, "fails", ALLOW_ALL)
    return {case.name: Failed(server.endpoint, case) for case in CASES}


@pytest.mark.parametrize("name", [case.name for case in CASES])
def test_a_failure_shows_everywhere(server, failed, name):
    run, case = failed[name], failed[name].case
    assert run.states_before == {"errors": "OK", "dead": "OK"}
    # The states are read before the queue is emptied.
    local_lambda.wait_for(
        lambda: run.states(server.endpoint) == {"errors": "ALARM", "dead": "ALARM"},
        f"both alarms of {run.function}")

    letters = local_lambda.receive(server.endpoint, run.queue)
    assert [letter["Body"] for letter in letters] == [case.event]
    attributes = {key: value["StringValue"]
                  for key, value in letters[0]["MessageAttributes"].items()}
    assert attributes["ErrorCode"] == "200"
    assert case.message in attributes["ErrorMessage"]
    request = attributes["RequestID"]

    lines = local_lambda.log_messages(server.endpoint, run.function)
    assert lines.count(f"START RequestId: {request} Version: $LATEST") == case.tries
    assert lines.count(f"END RequestId: {request}") == case.tries
    reports = [line for line in lines if line.startswith(f"REPORT RequestId: {request}\t")]
    assert len(reports) == case.tries
    for report in reports:
        assert report.endswith(case.report) if case.report else "Status:" not in report
    for pattern in case.log:
        assert len([line for line in lines if re.search(pattern, line)]) == case.tries, (
            pattern, lines)
    if not case.cold:
        assert not [line for line in lines if line.startswith("INIT_REPORT")]


@pytest.mark.parametrize("name", ["error", "timeout", "exit", "memory", "init-error", "no-program"])
def test_the_caller_is_told_the_same(awslambda, failed, name):
    case = failed[name].case
    answer = awslambda.invoke(FunctionName=failed[name].function, Payload=case.event.encode())
    assert answer["StatusCode"] == 200 and answer["FunctionError"] == "Unhandled"
    told = json.loads(answer["Payload"].read())
    assert told["errorType"] == case.error_type
    assert case.message in told["errorMessage"]


@pytest.mark.parametrize("zipped", [b"", b"no zip at all", local_lambda.package({"../up": b"x"}),
                                    local_lambda.package({"bootstrap": b"x" * 1000})[:-200]],
                         ids=["empty", "text", "leaves-its-folder", "cut-off"])
def test_a_bad_zip_is_refused(awslambda, failed, zipped):
    with pytest.raises(ClientError) as refused:
        awslambda.create_function(
            FunctionName="bad-zip", Role="arn:aws:iam::000000000000:role/fails",
            Runtime="provided.al2023", Handler="bootstrap", Code={"ZipFile": zipped})
    error = refused.value.response["Error"]
    assert error["Code"] == "InvalidParameterValueException"
    assert "Could not unzip uploaded file" in error["Message"]
    with pytest.raises(ClientError) as missing:
        awslambda.get_function(FunctionName="bad-zip")
    assert missing.value.response["Error"]["Code"] == "ResourceNotFoundException"


def test_a_function_that_is_switched_off_gives_its_events_up_at_once(server, awslambda, failed):
    queue, arn = local_lambda.make_queue(server.endpoint, "off-dead")
    awslambda.create_function(
        FunctionName="off", Role="arn:aws:iam::000000000000:role/fails", Runtime="provided.al2023",
        Handler="bootstrap", Code={"ZipFile": misbehaving()}, DeadLetterConfig={"TargetArn": arn})
    awslambda.put_function_concurrency(FunctionName="off", ReservedConcurrentExecutions=0)
    with pytest.raises(ClientError) as refused:
        awslambda.invoke(FunctionName="off", Payload=b"1")
    assert refused.value.response["Error"]["Code"] == "TooManyRequestsException"
    awslambda.invoke(FunctionName="off", InvocationType="Event", Payload=b"2")
    letters = local_lambda.wait_for(lambda: local_lambda.receive(server.endpoint, queue),
                                    "the dead letter")
    assert [letter["Body"] for letter in letters] == ["2"]
    assert letters[0]["MessageAttributes"]["ErrorCode"]["StringValue"] == "429"
    assert not local_lambda.log_messages(server.endpoint, "off"), "it never ran"
    awslambda.delete_function_concurrency(FunctionName="off")
    assert awslambda.invoke(FunctionName="off", Payload=b"3")["Payload"].read() == b"3"


def test_an_alarm_reaches_its_topic_without_anybody_asking(server, awslambda, failed):
    queue, arn = local_lambda.make_queue(server.endpoint, "alarms")
    sns = clients.client("sns", server.endpoint)
    topic = sns.create_topic(Name="alarms")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    clients.client("cloudwatch", server.endpoint).put_metric_alarm(
        AlarmName="topic-errors", Namespace="AWS/Lambda", MetricName="Errors", Statistic="Sum",
        Dimensions=[{"Name": "FunctionName", "Value": "fails-error"}], Period=300,
        EvaluationPeriods=1, Threshold=1, ComparisonOperator="GreaterThanOrEqualToThreshold",
        TreatMissingData="notBreaching", AlarmActions=[topic])
    awslambda.invoke(FunctionName="fails-error", Payload=b'"error"')
    message = local_lambda.wait_for(lambda: local_lambda.receive(server.endpoint, queue),
                                    "the alarm's message", ALARM_SECONDS_MAX)[0]
    notice = json.loads(json.loads(message["Body"])["Message"])
    assert (notice["AlarmName"], notice["NewStateValue"]) == ("topic-errors", "ALARM")


def test_the_spend_brake_stops_the_function(server, awslambda, failed):
    """The alarm calls the second function of the package, whose role may do this one thing."""
    awslambda.create_function(
        FunctionName="spender", Role="arn:aws:iam::000000000000:role/fails",
        Runtime="provided.al2023", Handler="bootstrap", Code={"ZipFile": misbehaving()})
    arn = awslambda.get_function(FunctionName="spender")["Configuration"]["FunctionArn"]
    brake_role = local_lambda.make_role(
        server.endpoint, "brake",
        {"Effect": "Allow", "Action": "lambda:PutFunctionConcurrency", "Resource": arn},
        {"Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
         "Resource": "arn:aws:logs:*:*:log-group:/aws/lambda/brake:*"})
    brake = awslambda.create_function(
        FunctionName="brake", Role=brake_role, Runtime="provided.al2023", Handler="spend_brake",
        MemorySize=128, Timeout=30, Environment={"Variables": {"BRAKED_FUNCTION_NAME": "spender"}},
        Code={"ZipFile": local_lambda.package({"bootstrap": clients.binary("bootstrap")})})
    stat = {"Period": 3600, "Stat": "Sum"}
    dimensions = [{"Name": "FunctionName", "Value": "spender"}]
    clients.client("cloudwatch", server.endpoint).put_metric_alarm(
        AlarmName="spend", EvaluationPeriods=1, Threshold=1.5,
        ComparisonOperator="GreaterThanThreshold", TreatMissingData="notBreaching",
        AlarmActions=[brake["FunctionArn"]],
        Metrics=[
            {"Id": "usd", "Expression": "duration * 0.0000001 + invocations * 0.5",
             "Label": "Estimated", "ReturnData": True},
            {"Id": "duration", "ReturnData": False, "MetricStat": stat | {"Metric": {
                "Namespace": "AWS/Lambda", "MetricName": "Duration", "Dimensions": dimensions}}},
            {"Id": "invocations", "ReturnData": False, "MetricStat": stat | {"Metric": {
                "Namespace": "AWS/Lambda", "MetricName": "Invocations",
                "Dimensions": dimensions}}}])

    def bound():
        return awslambda.get_function_concurrency(FunctionName="spender").get(
            "ReservedConcurrentExecutions")
    awslambda.invoke(FunctionName="spender", Payload=b"1")
    assert bound() is None
    for _ in range(3):
        awslambda.invoke(FunctionName="spender", Payload=b"1")
    local_lambda.wait_for(lambda: bound() == 0, "the brake", ALARM_SECONDS_MAX)
    with pytest.raises(ClientError) as refused:
        awslambda.invoke(FunctionName="spender", Payload=b"1")
    assert refused.value.response["Error"]["Code"] == "TooManyRequestsException"
    local_lambda.wait_for(
        lambda: [line for line in local_lambda.log_messages(server.endpoint, "brake")
                 if "the function is stopped" in line and '"spender"' in line],
        "the brake's line in its log")

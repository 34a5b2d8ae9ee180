"""The commands that work without a cloud: their help, exit codes, output and progress."""
import json
import os
import pty
import subprocess

import pytest

import clients
import stack

IMGPROC = clients.binary("imgproc")
COMMANDS = ("local", "process", "inspect", "lint", "doctor", "version")


def run(*arguments, cwd=None, **options):
    return subprocess.run([IMGPROC, *map(str, arguments)], capture_output=True, text=True,
                          timeout=120, cwd=cwd, env=clients.clean_environment(), **options)


def on_a_terminal(*arguments, cwd):
    """What a user sees who watches both outputs, and the exit code."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen([IMGPROC, *map(str, arguments)], stdin=theirs, stdout=theirs,
                               stderr=theirs, cwd=cwd, env=clients.clean_environment())
    os.close(theirs)
    seen = b""
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:  # Linux: the other side was closed
            break
        if not piece:
            break
        seen += piece
    os.close(ours)
    return seen.decode(), process.wait(timeout=60)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    (folder / "sub").mkdir()
    for i in range(11):
        (folder / "sub" / f"{i}.png").write_bytes(stack.gradient_png(40 + i, 30))
    (folder / "note.txt").write_text("no picture")
    return folder


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_with_examples(command):
    shown = run(command, "--help")
    assert shown.returncode == 0
    assert "Example" in shown.stdout and f"imgproc {command}" in shown.stdout
    assert run(command, "--no-such-option").returncode == 2


def test_wrong_use_is_told_and_ends_with_2(tmp_path):
    assert run().returncode == 2
    assert run("nonsense").returncode == 2
    missing = run("process", "nowhere.jpg", "--out", "out", cwd=tmp_path)
    assert missing.returncode == 2 and "nowhere.jpg" in missing.stderr
    assert run("process", "nowhere.jpg", cwd=tmp_path).returncode == 2
    assert not (tmp_path / "out").exists()


def test_process_makes_renditions_and_tells_of_each_file(pictures, tmp_path):
    made = run("process", pictures, "--out", tmp_path / "out", "--json")
    assert made.returncode == 1, "a text file is no picture"
    records = {record["key"]: record for record in map(json.loads, made.stdout.splitlines())}
    assert len(records) == 12
    assert records["note.txt"]["error"]["code"] == "UNSUPPORTED_FORMAT"
    for i in range(11):
        rendition = records[f"sub/{i}.png"]["renditions"]["thumbnail"]
        assert rendition["state"] == "READY" and rendition["width"] == 40 + i
        assert (tmp_path / "out" / rendition["key"]).stat().st_size == rendition["size"]
    assert made.stderr == "", "no progress where nobody watches"
    assert run("process", pictures / "sub", "--out", tmp_path / "out").returncode == 0


def test_inspect_walks_folders(pictures):
    told = run("inspect", pictures)
    assert told.returncode == 1
    lines = [json.loads(line) for line in told.stdout.splitlines()]
    assert len(lines) == 12
    assert sum("error" in line for line in lines) == 1
    assert all(line["format"] == "png" for line in lines if "error" not in line)


@pytest.mark.parametrize("command", (["inspect"], ["process", "--out", "out"]))
def test_progress_on_a_terminal_does_not_mix_with_the_output(pictures, tmp_path, command):
    seen, code = on_a_terminal(*command, pictures, cwd=tmp_path)
    assert code == 1
    assert "11 of 12" in seen
    # What remains on the screen: each line from the last carriage return and erasure on.
    lines = [line.rsplit("\r\x1b[K", 1)[-1] for line in seen.replace("\r\n", "\n").split("\n")]
    assert not any(" of 12" in line for line in lines), lines
    told = [line for line in lines if "note.txt" in line]
    assert len(told) == 1 and told[0].startswith(("{", "note.txt"))


def test_lint_tells_every_fault_and_local_refuses_them_at_the_start(tmp_path):
    faulty = tmp_path / "imgproc.json"
    faulty.write_text('{"recipes": [{"renditions": {"a": {"width": -1}}}], "nonsense": 1}')
    linted = run("lint", faulty)
    assert linted.returncode == 1
    assert "/recipes/0/renditions/a/width" in linted.stderr and "/nonsense" in linted.stderr
    refused = run("local", "--port", "0", "--data", tmp_path / "data", "--config", faulty)
    assert refused.returncode == 1
    assert "/nonsense" in refused.stderr and refused.stdout == ""
    assert not (tmp_path / "data").exists()
    faulty.write_text('{"recipes": [{"renditions": {"a": {"width": 10}}}]}')
    assert run("lint", faulty).returncode == 0
    assert run("lint", "--schema").stdout.startswith("{")


def test_doctor_says_whether_the_decoder_works(tmp_path):
    told = run("doctor", "--data", tmp_path / "data", "--port", "1")
    assert "decoder: works" in told.stdout
    assert told.returncode == 0, told.stdout
    assert not (tmp_path / "data").exists()


def test_a_restart_keeps_the_notification_that_a_user_has_set(tmp_path):
    def function_rules(s3):
        answer = s3.get_bucket_notification_configuration(Bucket=stack.SOURCE)
        return answer.get("LambdaFunctionConfigurations", [])

    server = clients.Server(tmp_path / "data", "--quiet")
    s3 = clients.client("s3", server.endpoint)
    (standard,) = function_rules(s3)
    mine = {"Id": "mine", "LambdaFunctionArn": standard["LambdaFunctionArn"],
            "Events": ["s3:ObjectCreated:Put"],
            "Filter": {"Key": {"FilterRules": [{"Name": "prefix", "Value": "only/"}]}}}
    s3.put_bucket_notification_configuration(
        Bucket=stack.SOURCE, NotificationConfiguration={"LambdaFunctionConfigurations": [mine]})
    assert server.stop()
    server = clients.Server(tmp_path / "data", "--quiet")
    try:
        assert [rule["Id"] for rule in function_rules(clients.client("s3", server.endpoint))] \
            == ["mine"]
    finally:
        assert server.stop()

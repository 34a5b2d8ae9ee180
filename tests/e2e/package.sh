#!/usr/bin/env bash
# The Lambda package in an otherwise empty root: nothing but the unpacked zip, /tmp, /proc and /dev.
# An event for an image goes through: renditions and record stand in the local cloud afterwards.
#
# usage: package.sh ZIP     an arm64 package needs qemu-user-static registered with binfmt_misc
#
# IMGPROC_BIN   folder of imgproc, build/release/bin unless set
# Exit status: 0 all went well, 77 this machine cannot run it, 1 something failed.
set -euo pipefail

zip=$(realpath "$1")
checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=tests/e2e/guide_lib.sh
source "$checkout/tests/e2e/guide_lib.sh"

need aws python3 unzip unshare
work=$(mktemp -d)
trap finish EXIT
export AWS_PAGER='' AWS_REGION=eu-west-1 AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test

root=$work/root
mkdir -p "$root"/{var/task,tmp,proc,dev}
unzip -q "$zip" -d "$root/var/task"

# Namespaces of its own for mounts and processes; as an ordinary user also one for users.
empty_root=(unshare --map-root-user --user --mount --pid --fork)
[[ $EUID -eq 0 ]] && empty_root=(unshare --mount --pid --fork)
cat >"$work/enter.sh" <<'SCRIPT'
set -e
mount -t proc proc "$1/proc"
mount --rbind /dev "$1/dev"
exec chroot "$1" /var/task/bootstrap
SCRIPT
"${empty_root[@]}" true 2>"$work/step.log" || {
  echo "package: skipped, this machine allows no namespaces"
  exit 77
}

start_local_cloud # with the standard buckets, table and function
make_png "$work/photo.png" 640 480
bucket=serverless-img-proc-source
# Under this name the bucket's own notification does not start the local cloud's own function.
source_bucket=package-test-source
step "a bucket" aws s3 mb "s3://$source_bucket"
step "an upload" aws s3 cp "$work/photo.png" "s3://$source_bucket/photo.png"

# One event over the Lambda Runtime API; prints its answer and ends.
cat >"$work/runtime.py" <<'PYTHON'
import http.server
import json
import sys
import time

event = {"bucket": sys.argv[1], "key": "photo.png"}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    answered = False

    def answer(self, status, body=b"", headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer(200, json.dumps(event).encode(), [
            ("Lambda-Runtime-Aws-Request-Id", "00000000-0000-4000-8000-000000000001"),
            ("Lambda-Runtime-Deadline-Ms", str(int(time.time() * 1000) + 60000)),
            ("Lambda-Runtime-Invoked-Function-Arn",
             "arn:aws:lambda:eu-west-1:123456789012:function:package"),
            ("Content-Type", "application/json")])

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.answer(202)
        print(self.path, body.decode(), flush=True)
        Handler.answered = True

    def log_message(self, *_):
        pass


server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
while not Handler.answered:
    server.handle_request()
PYTHON
python3 "$work/runtime.py" "$source_bucket" >"$work/runtime.out" &
pids+=($!)
wait_for 10 test -s "$work/runtime.out"

env -i AWS_LAMBDA_RUNTIME_API="127.0.0.1:$(head -n 1 "$work/runtime.out")" \
  AWS_ENDPOINT_URL="$AWS_ENDPOINT_URL" AWS_REGION=eu-west-1 AWS_ACCESS_KEY_ID=test \
  AWS_SECRET_ACCESS_KEY=test LAMBDA_TASK_ROOT=/var/task AWS_LAMBDA_FUNCTION_MEMORY_SIZE=1769 \
  SOURCE_BUCKET="$source_bucket" DESTINATION_BUCKET="${bucket/source/dest}" \
  TABLE_NAME=serverless-img-proc-metadata PATH="$PATH" \
  "${empty_root[@]}" sh "$work/enter.sh" "$root" >"$work/bootstrap.log" 2>&1 &
pids+=($!)

answered() { [[ $(wc -l <"$work/runtime.out") -ge 2 ]]; }
step "the event is answered" wait_for 60 answered
step "with success" grep -q '/response ' "$work/runtime.out"
step "its record is READY" wait_for 5 \
  record_is serverless-img-proc-metadata "$source_bucket/photo.png" READY
step "its rendition stands" object_begins "${bucket/source/dest}" photo.png/thumbnail.

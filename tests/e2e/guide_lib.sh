# What guide.sh does besides the guide's own commands: tools, servers, files, waiting, checking.
# shellcheck shell=bash disable=SC2154

pids=()
local_cloud_arguments=()

die() {
  printf 'guide: %s\n' "$*" >&2
  exit 1
}

need() { # PROGRAM...: ends with status 77 if one is missing
  local program
  for program in "$@"; do
    command -v "$program" >/dev/null || {
      echo "guide: skipped, $program is not installed"
      exit 77
    }
  done
}

# Ends what was started; on failure shows what the last command and the server said.
finish() {
  local status=$?
  if [[ $status -ne 0 && $status -ne 77 ]]; then
    for log in step server bootstrap; do
      [[ -f $work/$log.log ]] && echo "--- $log" >&2 && tail -n 60 "$work/$log.log" >&2
    done
  fi
  for pid in "${pids[@]}"; do
    kill "$pid" 2>/dev/null || true
    wait "$pid" 2>/dev/null || true
  done
  rm -rf "$work"
  exit "$status"
}

step() { # TEXT COMMAND...: runs it, shows what it says only if it fails
  local text=$1 begin=$SECONDS
  shift
  printf '%-50s ' "$text"
  if "$@" >"$work/step.log" 2>&1; then
    printf 'ok (%d s)\n' $((SECONDS - begin))
  else
    printf 'FAILED\n'
    exit 1
  fi
}

wait_for() { # SECONDS COMMAND...: until it succeeds
  local limit=$((SECONDS + $1))
  shift
  until "$@"; do
    [[ $SECONDS -lt $limit ]] || {
      echo "in vain: $*"
      return 1
    }
    sleep 0.5
  done
}

plugin_dir_argument() {
  local finder=$checkout/../shared/tools/terraform-plugins
  if [[ ! ${TF_PLUGIN_DIR:-} && -x $finder ]]; then
    TF_PLUGIN_DIR=$("$finder") || TF_PLUGIN_DIR=
  fi
  [[ ${TF_PLUGIN_DIR:-} ]] && printf -- '-plugin-dir=%s' "$TF_PLUGIN_DIR"
  return 0
}

# --- Package --------------------------------------------------------------------------------------

make_package() { # PATH
  if [[ ! ${GUIDE_PACKAGE:-} ]]; then
    (cd "$checkout" && ./dev package)
    GUIDE_PACKAGE=$checkout/dist/imgproc-lambda-x86_64.zip
  fi
  cp "$GUIDE_PACKAGE" "$1"
}

dummy_package() { # PATH
  python3 -c 'import sys, zipfile; zipfile.ZipFile(sys.argv[1], "w").writestr("bootstrap", "")' "$1"
}

change_package() { # PATH: other bytes, same programs
  python3 -c 'import sys, zipfile; zipfile.ZipFile(sys.argv[1], "a").writestr("changed", "")' "$1"
}

# --- Servers --------------------------------------------------------------------------------------

# With the arguments that local_cloud_arguments holds.
start_local_cloud() {
  local imgproc=${IMGPROC_BIN:-$checkout/build/release/bin}/imgproc
  [[ -x $imgproc ]] || die "there is no $imgproc: run ./dev build first"
  data=$work/data
  "$imgproc" local --port 0 --data "$data" "${local_cloud_arguments[@]}" \
    >"$work/server.out" 2>"$work/server.log" &
  pids+=($!)
  wait_for 20 grep -q '^listening on ' "$work/server.out" || die "the local cloud did not start"
  AWS_ENDPOINT_URL=$(sed -n 's/^listening on //p' "$work/server.out")
  export AWS_ENDPOINT_URL
}

start_moto() {
  local port
  port=$(python3 -c 'import socket
s = socket.socket()
s.bind(("127.0.0.1", 0))
print(s.getsockname()[1])')
  moto_server -H 127.0.0.1 -p "$port" >"$work/server.log" 2>&1 &
  pids+=($!)
  export AWS_ENDPOINT_URL=http://127.0.0.1:$port
  wait_for 30 aws s3 ls >"$work/step.log" 2>&1 || die "moto_server did not start"
  # It forgets a function's DeadLetterConfig and LoggingConfig, so the provider sets them again.
  drift_allowed='module.image_pipeline.aws_lambda_function.this'
}

# --- Checks ---------------------------------------------------------------------------------------

# `terraform plan` must find nothing to do, except for resources that drift_allowed names.
expect_no_changes() {
  local status=0 changed
  terraform plan -detailed-exitcode -out="$work/plan" || status=$?
  [[ $status -eq 0 ]] && return 0
  [[ $status -eq 2 ]] || return 1
  changed=$(terraform show -json "$work/plan" | python3 -c '
import json, sys
for change in json.load(sys.stdin)["resource_changes"]:
    if change["change"]["actions"] not in (["no-op"], ["read"]):
        print(change["address"])')
  [[ $changed == "${drift_allowed:-}" ]]
}

record_is() { # TABLE PATH STATUS
  local key status
  key=$(python3 -c 'import json, sys; print(json.dumps({"path": {"S": sys.argv[1]}}))' "$2")
  status=$(aws dynamodb get-item --consistent-read --table-name "$1" --key "$key" \
    --query Item.status.S --output text)
  [[ $status == "$3" ]]
}

objects_that_begin() { # BUCKET PREFIX: their number
  # shellcheck disable=SC2016 # JMESPath
  aws s3api list-objects-v2 --bucket "$1" --prefix "$2" --query 'length(Contents || `[]`)'
}

object_begins() { # BUCKET PREFIX: some object's key begins so
  local count
  count=$(objects_that_begin "$@") && [[ $count -gt 0 ]]
}

no_object_begins() {
  local count
  count=$(objects_that_begin "$@") && [[ $count -eq 0 ]]
}

log_holds() { # GROUP TEXT
  aws logs filter-log-events --log-group-name "$1" --query 'events[].message' | grep -qF "$2"
}

# AWS CLI v1 ignores AWS_ENDPOINT_URL for SQS alone, so it is told again.
dead_letters_are() { # COUNT
  local count
  count=$(aws sqs get-queue-attributes --endpoint-url "$AWS_ENDPOINT_URL" \
    --queue-url "$(terraform output -raw dead_letter_queue_url)" \
    --attribute-names ApproximateNumberOfMessages \
    --query Attributes.ApproximateNumberOfMessages --output text) && [[ $count == "$1" ]]
}

# Every list is empty that could name something of ours. A list that cannot be had is a failure:
# commands in a condition do not end the script by themselves.
expect_nothing_left() {
  local list listed left=()
  local lists=(
    "s3api list-buckets --query Buckets[].Name"
    "dynamodb list-tables --query TableNames"
    "lambda list-functions --query Functions[].FunctionName"
    "lambda list-event-source-mappings --query EventSourceMappings[].UUID"
    "sqs list-queues --endpoint-url $AWS_ENDPOINT_URL --query QueueUrls"
    "sns list-topics --query Topics[].TopicArn"
    "iam list-roles --query Roles[].RoleName"
    "logs describe-log-groups --query logGroups[].logGroupName"
    "cloudwatch describe-alarms --query MetricAlarms[].AlarmName"
    "cloudwatch list-dashboards --query DashboardEntries[].DashboardName"
    "events list-rules --query Rules[].Name"
  )
  for list in "${lists[@]}"; do
    # shellcheck disable=SC2086 # words
    listed=$(aws $list --output text) || return 1
    [[ ! $listed || $listed == None ]] || left+=("$listed")
  done
  [[ ${#left[@]} -eq 0 ]] || {
    echo "still there: ${left[*]}"
    return 1
  }
}

# No file is left that could hold an object, a package or a log: only the store's own databases.
expect_data_directory_empty() {
  local left
  left=$(find "$data" -type f ! -name '*.db' ! -name '*.db-*' ! -name '*.lock')
  [[ ! $left ]] || {
    echo "still there: $left"
    return 1
  }
}

# --- Files ----------------------------------------------------------------------------------------

# A PNG whose pixels are stored, not packed: 3 bytes each, so that its size is known.
make_png() { # PATH WIDTH HEIGHT
  python3 - "$@" <<'PYTHON'
import struct, sys, zlib

path, width, height = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
row = b"\0" + b"".join(bytes((x * 255 // width, 128, 64)) for x in range(width))


def chunk(kind, data):
    crc = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)


with open(path, "wb") as file:
    file.write(b"\x89PNG\r\n\x1a\n")
    file.write(chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)))
    file.write(chunk(b"IDAT", zlib.compress(row * height, 0)))
    file.write(chunk(b"IEND", b""))
PYTHON
}

#!/usr/bin/env bash
# The Lambda package in an otherwise empty root: nothing but the unpacked zip, /tmp, /proc and /dev.
# An event for an image goes through: renditions and record stand in the local cloud afterwards.
#
# usage: package.sh ZIP     elsewhere than on arm64, an arm64 package needs qemu-user-static
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
# The region of the local cloud's standard stack.
export AWS_PAGER='' AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1
export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test

root=$work/root
mkdir -p "$root"/{var/task,tmp,proc,dev}
unzip -q "$zip" -d "$root/var/task"

# Namespaces of its own for users, mounts and processes. The programs of another processor run
# through qemu-user, which is registered inside only (Linux 6.7 and newer have a binfmt_misc per
# user namespace); "F" opens it at once, so that it need not stand in the root.
empty_root=(unshare --map-root-user --user --mount --pid --fork)
foreign=
case $(od -An -tu2 -j18 -N2 "$root/var/task/bootstrap" | tr -d ' ')/$(uname -m) in
  62/x86_64 | 183/aarch64) ;;
  183/*)
    need qemu-aarch64-static
    foreign=$work/binfmt
    mkdir "$foreign"
    ;;
  *) die "$zip holds no program for x86_64 or arm64" ;;
esac
cat >"$work/enter.sh" <<'SCRIPT'
set -e
if [ "$2" ]; then
  mount -t binfmt_misc binfmt_misc "$2"
  bytes='\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00'
  mask='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'
  printf '%s' ":aarch64:M::$bytes:$mask:$(command -v qemu-aarch64-static):F" >"$2/register"
fi
mount -t proc proc "$1/proc"
mount --rbind /dev "$1/dev"
[ "$3" = try ] || exec chroot "$1" /var/task/bootstrap
SCRIPT
"${empty_root[@]}" sh "$work/enter.sh" "$root" "$foreign" try >"$work/step.log" 2>&1 || {
  echo "package: skipped, this machine does not allow what an empty root needs:"
  cat "$work/step.log"
  exit 77
}

start_local_cloud # with the standard buckets, table and function
make_png "$work/photo.png" 640 480
bucket=serverless-img-proc-source
# Under this name the bucket's own notification does not start the local cloud's own function.
source_bucket=package-test-source
step "a bucket" aws s3 mb "s3://$source_bucket"
step "an upload" aws s3 cp "$work/photo.png" "s3://$source_bucket/photo.png"

event="{\"bucket\": \"$source_bucket\", \"key\": \"photo.png\"}"
python3 "$checkout/tests/e2e/runtime_api.py" "$event" >"$work/runtime.out" &
pids+=($!)
wait_for 10 test -s "$work/runtime.out"

env -i AWS_LAMBDA_RUNTIME_API="$(head -n 1 "$work/runtime.out")" \
  AWS_ENDPOINT_URL="$AWS_ENDPOINT_URL" AWS_REGION="$AWS_REGION" AWS_ACCESS_KEY_ID=test \
  AWS_SECRET_ACCESS_KEY=test LAMBDA_TASK_ROOT=/var/task AWS_LAMBDA_FUNCTION_MEMORY_SIZE=1769 \
  SOURCE_BUCKET="$source_bucket" DESTINATION_BUCKET="${bucket/source/dest}" \
  TABLE_NAME=serverless-img-proc-metadata PATH="$PATH" \
  "${empty_root[@]}" sh "$work/enter.sh" "$root" "$foreign" run >"$work/bootstrap.log" 2>&1 &
pids+=($!)

answered() { [[ $(wc -l <"$work/runtime.out") -ge 2 ]]; }
step "the event is answered" wait_for 60 answered
step "with success" grep -q '^response ' "$work/runtime.out"
step "its record is READY" wait_for 5 \
  record_is serverless-img-proc-metadata "$source_bucket/photo.png" READY
step "its rendition stands" object_begins "${bucket/source/dest}" photo.png/thumbnail.

#!/usr/bin/env bash
# Proves the first promise of README.md: makes a fresh root of Debian or Ubuntu that has nothing but
# git, puts a clone of this tree into it, and types `./dev run` and `./dev test` there. By hand or
# nightly: it takes as long as installing and building everything does. Needs root, debootstrap and
# about 6 GB.
#
# usage: fresh_root.sh [run|test|all] [SUITE]        SUITE: bookworm (default), noble ...
#   FRESH_ROOT=DIR     keeps the root there, and uses it again if it exists; else it is removed
#   FRESH_CCACHE=DIR   lends a compiler cache to it, which spares time and hides no step
#   FRESH_SHARED=DIR   shows it a folder of recorded messages and images beside the checkout
#
# apt and npm inside use this machine's own configuration, so it works behind a mirror too.
set -euo pipefail
what=${1:-all}
suite=${2:-bookworm}
checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
[[ $EUID -eq 0 ]] || { echo "fresh_root: run as root" >&2; exit 77; }
command -v debootstrap >/dev/null || { echo "fresh_root: install debootstrap" >&2; exit 77; }

root=${FRESH_ROOT:-$(mktemp -d)}
server=
finish() {
  [[ -z $server ]] || stop
  for mount in shared root/.cache/ccache dev/shm dev/pts dev sys proc; do
    mountpoint -q "$root/$mount" && umount "$root/$mount"
  done
  [[ -n ${FRESH_ROOT:-} ]] || rm -rf --one-file-system "$root"
}
trap finish EXIT
trap 'exit 1' INT TERM

# The first mirror that this machine itself takes packages from.
# shellcheck disable=SC2016
mirror=$(apt-get indextargets --format '$(SITE)' 2>/dev/null | head -n 1)
if [[ ! -x $root/usr/bin/git ]]; then
  debootstrap --variant=minbase --include=git,ca-certificates "$suite" "$root" ${mirror:+"$mirror"}
fi
copy() { # FILE_OR_FOLDER...: the same place inside, if it is here
  for path in "$@"; do
    [[ -e $path ]] || continue
    mkdir -p "$root/$(dirname "$path")"
    # Links inside point to this machine's files: replaced, never followed.
    cp -aL --remove-destination "$path" "$root/$(dirname "$path")/"
  done
}
if [[ $suite == "$(. /etc/os-release && echo "${VERSION_CODENAME:-}")" ]]; then
  rm -rf "$root/etc/apt"
  copy /etc/apt
fi
copy /etc/resolv.conf /etc/hosts /etc/ssl/certs/ca-certificates.crt \
  "$(npm config get userconfig 2>/dev/null || echo /nonexistent)" \
  "$(npm config get globalconfig 2>/dev/null || echo /nonexistent)"
mount -t proc proc "$root/proc"
mount -t sysfs sys "$root/sys"
for mount in dev dev/pts dev/shm; do
  mount --bind "/$mount" "$root/$mount"
done
lend() { # FOLDER PLACE: a folder of this machine, seen inside
  mkdir -p "$root/$2"
  mount --bind "$1" "$root/$2"
}
[[ -z ${FRESH_CCACHE:-} ]] || lend "$FRESH_CCACHE" root/.cache/ccache
[[ -z ${FRESH_SHARED:-} ]] || lend "$FRESH_SHARED" shared

rm -rf "$root/src"
git clone -q --no-hardlinks "$checkout" "$root/src"
# What steers apt and npm, and nothing else of this machine's environment.
keep=()
while IFS= read -r name; do keep+=("$name=${!name}"); done \
  < <(compgen -e | grep -iE '^(https?_proxy|no_proxy|npm_config_.*|node_extra_ca_certs)$')
inside=(chroot "$root" env -i HOME=/root LANG=C.UTF-8
  PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "${keep[@]}" bash -c)
start() { # the server, in the background, its output in run.log and run.err
  rm -f "$root/run.log"
  # A session of its own, so that everything it starts can be ended with it.
  setsid "${inside[@]}" 'cd /src && exec ./dev run --port 0 --data /data' \
    >"$root/run.log" 2>"$root/run.err" &
  server=$!
  until grep -qs '^listening on' "$root/run.log"; do
    kill -0 "$server" 2>/dev/null || { tail -n 40 "$root/run.err" >&2; exit 1; }
    sleep 0.05
  done
}
stop() {
  kill -- "-$server" 2>/dev/null || true
  wait "$server" || true
  server=
}

if [[ $what != test ]]; then
  begin=$SECONDS
  start
  echo "fresh_root: first ./dev run listens after $((SECONDS - begin)) s"
  endpoint=$(sed -n 's/^listening on //p' "$root/run.log" | head -n 1)
  (exec 3<>"/dev/tcp/127.0.0.1/${endpoint##*:}" && printf 'GET /_health HTTP/1.0\r\n\r\n' >&3 &&
    head -n 1 <&3 | grep -q ' 200 ')
  stop
  begin=$(date +%s%N)
  start
  echo "fresh_root: second ./dev run listens after $((($(date +%s%N) - begin) / 1000000)) ms"
  stop
fi
if [[ $what != run ]]; then
  "${inside[@]}" 'cd /src && ./dev test'
fi
echo "fresh_root: ok"

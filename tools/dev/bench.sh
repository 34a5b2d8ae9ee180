# shellcheck shell=bash source=tools/dev/common.sh disable=SC2154
#: bench [OPTIONS]      measure the function and the local cloud against others, and put the figures
#:                      into docs/benchmarks.md and docs/costs.md (--quick: only see that it works)
if [[ " $* " == *" --help "* || " $* " == *" -h "* ]]; then
  /usr/bin/python3 -B bench/run.py --help
  exit 0
fi
build_programs
fetch_bench_peers
# What is deployed is measured where it is made (./dev package), else the programs of this build.
package=dist/imgproc-lambda-$(uname -m).zip
[[ -f $package && $* != *--package* ]] && set -- --package "$package" "$@"
/usr/bin/python3 -B bench/run.py "$@"
[[ " $* " == *" --quick "* ]] || /usr/bin/python3 -B bench/report.py

# shellcheck shell=bash source=tools/dev/common.sh disable=SC2154,SC2317
#: ci [full]            all that a change must pass: the rules, the release build with every test,
#:                      and what reads images under sanitizers with a second compiler; full adds
#:                      every other unit test to those, clang-tidy on every file, threads under
#:                      their sanitizer, a short fuzz run, and the arm64 package under qemu-user:
#:                      over an hour on 2 cores
results=$PWD/build/results
rm -rf "$results"
mkdir -p "$results"
failed_steps=()
step() { # NAME COMMAND...: runs it, goes on if it fails, and says how long it took
  local name=$1 begin=$SECONDS status
  shift
  say "== $name"
  # A subshell, so that a task that gives up ends its step and not the whole run; and not as a
  # condition, where bash would go on after a failed command.
  set +e
  (
    set -e
    "$@"
  )
  status=$?
  set -e
  if [[ $status -eq 0 ]]; then
    say "== $name: ok after $((SECONDS - begin)) s"
  else
    failed_steps+=("$name")
    say "== $name: FAILED after $((SECONDS - begin)) s"
  fi
}
task() { # NAME ARGUMENTS...
  local script=tools/dev/$1.sh
  shift
  # shellcheck source=/dev/null
  source "$script"
}
run_ctest() { # PRESET ARGUMENTS...: each gtest program also writes its own report
  local preset=$1
  shift
  mkdir -p "$results/$preset"
  IMGPROC_RESULTS=$results/$preset GTEST_OUTPUT="xml:$results/$preset/" \
    ctest --test-dir "build/$preset" --output-on-failure --no-tests=error \
    --output-junit "$results/$preset/ctest.xml" "$@"
}
packages() {
  install_packages build "${packages_build[@]}"
  install_packages test "${packages_test[@]}"
  install_packages lint "${packages_lint[@]}"
  install_wishes "${packages_wish[@]}"
  fetch_peers
  fetch_bench_peers
  fetch_libvips
  # Elsewhere its tests are skipped where it is missing; here nothing may be left out.
  command -v terraform >/dev/null ||
    die "Terraform is not installed: https://developer.hashicorp.com/terraform/install"
}
release() {
  configure release -DIMGPROC_TESTS=ON
  ninja_build release all
  run_ctest release -j "$jobs_max"
}
# The second compiler, AddressSanitizer with its leak check, and UndefinedBehaviorSanitizer: over
# what reads the bytes of strangers, images first; `all` over every unit test and fuzz corpus.
sanitized() { # [all]
  configure sanitized
  if [[ ${1:-} == all ]]; then
    ninja_build sanitized all
    run_ctest sanitized -j "$jobs_max" -L 'unit|fuzz|corpus'
  else
    ninja_build sanitized decoder corpus process_image_fuzz "${sanitized_tests[@]/%/_test}"
    local names
    names=$(printf '%s|' "${sanitized_tests[@]}")
    run_ctest sanitized -j "$jobs_max" -R "^(${names}process_image_fuzz_replay|corpus.*)\$"
  fi
}
sanitized_tests=(image image_jpeg_dc decoder protocol)
# ThreadSanitizer over the unit tests of what runs several threads.
threaded() {
  configure tsan
  ninja_build tsan "${threaded_tests[@]}"
  local names
  names=$(printf '%s|' "${threaded_tests[@]/%_test/}")
  run_ctest tsan -j "$jobs_max" -L unit -R "^(${names%|})\$"
}
# The package for arm64, under qemu-user in an otherwise empty root.
arm64() {
  install_packages qemu qemu-user-static awscli
  task package arm64
  tests/e2e/package.sh dist/imgproc-lambda-arm64.zip
}
threaded_tests=()
for module in http decoder aws runtime localcloud_store localcloud_lambda localcloud_s3; do
  [[ -n $(git ls-files "src/${module/localcloud_/localcloud\/}/*_test.cc") ]] &&
    threaded_tests+=("${module}_test")
done

step packages packages
if [[ ${1:-} == full ]]; then
  step lint task lint all
  step release release
  step sanitized sanitized all
  step fuzz task fuzz 10
  step threaded threaded
  step arm64 arm64
else
  step lint task lint none
  step release release
  step sanitized sanitized
fi
status=0
python3 tools/count_results.py "$results" "${failed_steps[@]}" || status=1
exit $status

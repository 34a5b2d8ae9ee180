# shellcheck shell=bash source=tools/dev/common.sh disable=SC2154
#: lint [changed|all|none]  format, layers, tidy rules, the record page, shellcheck, and clang-tidy
#:                      of the files that changed since they last passed, of every file, or of none
install_packages build "${packages_build[@]}"
install_packages lint "${packages_lint[@]}"
fetch_libvips
failed=()
check() { # NAME COMMAND...
  local name=$1
  shift
  if "$@"; then echo "lint: $name: ok"; else
    failed+=("$name")
    echo "lint: $name: FAILED"
  fi
}
format_is_right() {
  git ls-files -z --cached --others --exclude-standard '*.h' '*.cc' |
    xargs -0 -r -n 20 -P "$jobs_max" clang-format-19 --dry-run --Werror
}
shell_is_right() {
  git ls-files -z --cached --others --exclude-standard dev .ci/run '*.sh' |
    xargs -0 -r shellcheck -x
}
check format format_is_right
check layers python3 tools/check_layers.py
check tidy python3 tools/check_tidy.py
check record python3 tools/check_record.py
check shellcheck shell_is_right
scope=${1:-changed}
[[ $scope == none ]] ||
  check clang-tidy python3 tools/run_clang_tidy.py --jobs "$jobs_max" "$scope"
[[ ${#failed[@]} -eq 0 ]] || die "lint failed: ${failed[*]}"

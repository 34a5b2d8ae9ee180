#!/usr/bin/env bash
# The Terraform folder by itself: formatted, valid, and keeping its rules with a mocked provider.
# Exit status 77 if Terraform or the provider is not to be had.
set -euo pipefail

checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=tests/e2e/guide_lib.sh
source "$checkout/tests/e2e/guide_lib.sh"
need terraform
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

export TF_IN_AUTOMATION=1 TF_INPUT=0
TF_CLI_ARGS_init=$(plugin_dir_argument)
export TF_CLI_ARGS_init
cp -r "$checkout/terraform" "$work/terraform"
cd "$work/terraform"
rm -rf .terraform
terraform fmt -check -recursive -diff
terraform init -backend=false >"$work/init.log" 2>&1 || {
  echo "skipped, the provider is not to be had:"
  tail -n 5 "$work/init.log"
  exit 77
}
terraform validate
terraform test "$@"

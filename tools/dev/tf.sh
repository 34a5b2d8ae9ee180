# shellcheck shell=bash source=tools/dev/common.sh disable=SC2154
#: tf [guide]           check terraform/: format, validity, rules; with guide also apply and destroy
#:                      it against the local cloud, as the user's guide does
what=${1:-}
command -v terraform >/dev/null ||
  die "Terraform is not installed: https://developer.hashicorp.com/terraform/install"
case $what in
  '') python3 tools/terraform_reference.py --check && tests/terraform/module.sh ;;
  guide) tests/e2e/guide.sh ;;
  *) die "usage: ./dev tf [guide]" ;;
esac

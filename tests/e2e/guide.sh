#!/usr/bin/env bash
# The user's guide, word for word, against the local cloud: package, terraform init, terraform
# apply, upload, look, change, terraform destroy. What differs from AWS stands in the environment
# only: AWS_ENDPOINT_URL, a region, dummy credentials.
#
# usage: guide.sh                  starts `imgproc local --empty` and goes through everything
#        guide.sh --endpoint-only  apply, no-op, destroy against the AWS_ENDPOINT_URL that is set,
#                                  with a package that does nothing
#        guide.sh --moto           the same against a moto_server that it starts
#
# IMGPROC_BIN      folder of the programs, build/release/bin unless set
# GUIDE_PACKAGE    a finished package; otherwise ./dev package makes it
# TF_PLUGIN_DIR    a folder with the provider, for machines that cannot download it
#
# Exit status: 0 all went well, 77 a tool is missing and nothing was tested, 1 something failed.
set -euo pipefail

mode=${1:-full}
checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=tests/e2e/guide_lib.sh
source "$checkout/tests/e2e/guide_lib.sh"

need terraform aws python3
work=$(mktemp -d)
trap finish EXIT

# --- A checkout as the reader of the guide has it -------------------------------------------------

# terraform/ in a folder of its own, so that no state of this run lands in the tree.
mkdir "$work/checkout" "$work/checkout/dist"
cp -r "$checkout/terraform" "$work/checkout/terraform"
rm -rf "$work/checkout/terraform/.terraform"
cd "$work/checkout"
# The answers that a person gives at the prompt, and where the provider is if not on the network.
export TF_IN_AUTOMATION=1 TF_INPUT=0
export TF_CLI_ARGS_apply=-auto-approve TF_CLI_ARGS_destroy=-auto-approve
TF_CLI_ARGS_init=$(plugin_dir_argument)
export TF_CLI_ARGS_init
export AWS_PAGER='' AWS_EC2_METADATA_DISABLED=true
export AWS_REGION=${AWS_REGION:-eu-west-1}
export AWS_DEFAULT_REGION=$AWS_REGION # AWS CLI v1 reads this one
export AWS_ACCESS_KEY_ID=${AWS_ACCESS_KEY_ID:-test}
export AWS_SECRET_ACCESS_KEY=${AWS_SECRET_ACCESS_KEY:-test}

# --- ./dev package; imgproc local --empty ---------------------------------------------------------

package=$work/checkout/dist/imgproc-lambda-x86_64.zip
case $mode in
  full)
    make_package "$package"
    local_cloud_arguments=(--empty)
    start_local_cloud
    ;;
  --endpoint-only)
    [[ ${AWS_ENDPOINT_URL:-} ]] || die "--endpoint-only needs AWS_ENDPOINT_URL"
    dummy_package "$package"
    ;;
  --moto)
    need moto_server
    dummy_package "$package"
    start_moto
    ;;
  *) die "unknown argument $mode" ;;
esac

# --- terraform init && terraform apply ------------------------------------------------------------

cd terraform
step "terraform init" terraform init
step "terraform apply" terraform apply
step "a second apply changes nothing" expect_no_changes

if [[ $mode != full ]]; then
  step "terraform destroy" terraform destroy
  step "nothing is left" expect_nothing_left
  exit 0
fi

source_bucket=$(terraform output -raw source_bucket_name)
destination_bucket=$(terraform output -raw destination_bucket_name)
table=$(terraform output -raw metadata_table_name)
function=$(terraform output -raw function_name)

# --- Upload and look ------------------------------------------------------------------------------

make_png "$work/small.png" 320 240
make_png "$work/large.png" 3400 3000 # 30 MB: the CLI sends it in parts

step "upload a small file" aws s3 cp "$work/small.png" "s3://$source_bucket/photo.png"
step "upload 30 MB in parts" aws s3 cp "$work/large.png" "s3://$source_bucket/large.png"
awkward="holiday/a b+c%20ü (1).png"
step "upload under an awkward key" aws s3 cp "$work/small.png" "s3://$source_bucket/$awkward"

for key in photo.png large.png "$awkward"; do
  step "record of $key is READY" wait_for 60 record_is "$table" "$source_bucket/$key" READY
  step "rendition of $key stands" wait_for 5 object_begins "$destination_bucket" "$key/thumbnail."
done
step "aws s3 ls" aws s3 ls "s3://$destination_bucket" --recursive
step "aws dynamodb scan" aws dynamodb scan --table-name "$table"
step "the function's lines are in its log" wait_for 30 log_holds "/aws/lambda/$function" photo.png
step "no event was given up on" dead_letters_are 0

# --- Changes, each by apply -----------------------------------------------------------------------

try_upload() { # KEY RENDITION
  aws s3 cp --only-show-errors "$work/small.png" "s3://$source_bucket/$1"
  wait_for 60 record_is "$table" "$source_bucket/$1" READY
  wait_for 5 object_begins "$destination_bucket" "$1/$2."
}

step "more memory" terraform apply -var memory_size=2048
step "it still works" try_upload memory.png thumbnail

cat >terraform.tfvars <<'HCL'
memory_size = 2048
recipes = [{
  renditions = { tiny = { width = 32, height = 32, fit = "cover", format = "webp" } }
}]
HCL
step "another recipe" terraform apply
step "it makes what the recipe says" try_upload recipe.png tiny

change_package "$package"
step "new code" terraform apply
step "it still works" try_upload code.png tiny

echo 'trigger = "sqs"' >>terraform.tfvars
step "from the direct trigger to SQS" terraform apply
step "it still works" try_upload sqs.png tiny
step "a second apply changes nothing" expect_no_changes

step "a delete takes the rendition along" aws s3 rm "s3://$source_bucket/sqs.png"
step "record of the deleted file" wait_for 60 record_is "$table" "$source_bucket/sqs.png" DELETED
step "its rendition is gone" wait_for 5 no_object_begins "$destination_bucket" "sqs.png/"

# --- terraform destroy ----------------------------------------------------------------------------

step "terraform destroy" terraform destroy
step "nothing is left" expect_nothing_left
step "nothing is left in the data directory" expect_data_directory_empty

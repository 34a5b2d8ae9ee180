# The guide's deployment: terraform init, terraform apply. Region, credentials and, for the local cloud, the endpoint come from
# the environment (AWS_REGION, AWS_ENDPOINT_URL …), so that this folder is the same everywhere.

provider "aws" {}

locals {
  package_path = coalesce(var.package_path, "${path.module}/../dist/imgproc-lambda-${var.architecture}.zip")
}

module "image_pipeline" {
  source = "./modules/image-pipeline"

  name                     = var.name
  package_path             = local.package_path
  architecture             = var.architecture
  recipes                  = var.recipes
  trigger                  = var.trigger
  memory_size              = var.memory_size
  timeout                  = var.timeout
  reserved_concurrency     = var.reserved_concurrency
  versioning               = var.versioning
  log_retention_days       = var.log_retention_days
  deletion_protection      = var.deletion_protection
  alarm_email              = var.alarm_email
  spend_brake_usd_per_hour = var.spend_brake_usd_per_hour
  force_destroy            = var.force_destroy
}

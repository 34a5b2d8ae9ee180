# Two buckets that stand already. Nobody else's notification stands in the source bucket, so the module may write it.

module "image_pipeline" {
  source = "../../modules/image-pipeline"

  name                        = "photo-renditions"
  package_path                = var.package_path
  source_bucket_name          = var.source_bucket_name
  destination_bucket_name     = var.destination_bucket_name
  replace_bucket_notification = true
  filter_prefix               = "originals/"
}

variable "source_bucket_name" {
  description = "Bucket with the originals."
  type        = string
}

variable "destination_bucket_name" {
  description = "Bucket for the renditions."
  type        = string
}

variable "package_path" {
  description = "The function's zip."
  type        = string
  default     = "../../../dist/imgproc-lambda-x86_64.zip"
}


# A source bucket whose notification belongs to someone else: nothing in the bucket is touched. EventBridge must be on in the
# bucket's properties; whoever owns the notification switches it on there.

module "image_pipeline" {
  source = "../../modules/image-pipeline"

  name               = "shared-bucket-images"
  package_path       = var.package_path
  trigger            = "eventbridge"
  source_bucket_name = var.source_bucket_name
  filter_prefix      = "uploads/"
  filter_suffixes    = [".jpg", ".png"]
  versioning         = true
}

variable "source_bucket_name" {
  description = "Bucket that others use too."
  type        = string
}

variable "package_path" {
  description = "The function's zip."
  type        = string
  default     = "../../../dist/imgproc-lambda-x86_64.zip"
}


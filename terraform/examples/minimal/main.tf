# The least: two new buckets, and a thumbnail of every upload.

module "image_pipeline" {
  source = "../../modules/image-pipeline"

  package_path = var.package_path
}

variable "package_path" {
  description = "The function's zip."
  type        = string
  default     = "../../../dist/imgproc-lambda-x86_64.zip"
}


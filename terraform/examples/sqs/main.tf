# For many uploads at once: a queue holds the backlog, at most 20 images are worked on at the same time, alarms go by mail, and
# the function is stopped when it spends over five dollars in an hour.

module "image_pipeline" {
  source = "../../modules/image-pipeline"

  name                     = "photo-backlog"
  package_path             = var.package_path
  architecture             = "arm64"
  trigger                  = "sqs"
  batch_size               = 5
  reserved_concurrency     = 20
  timeout                  = 120
  alarm_email              = "oncall@example.com"
  spend_brake_usd_per_hour = 5

  recipes = [
    {
      match = { prefix = "avatars/", types = ["image/*"] }
      renditions = {
        small = { width = 96, height = 96, fit = "cover", position = "attention", format = "webp" }
        large = { width = 1024, format = "auto" }
      }
    },
    {
      renditions = { thumbnail = { width = 200, height = 200 } }
    },
  ]
}

variable "package_path" {
  description = "The function's zip."
  type        = string
  default     = "../../../dist/imgproc-lambda-arm64.zip"
}


# The settings most deployments touch. Null takes the module's default; the module checks the values, and has more of them
# (docs/terraform-reference.md).

variable "name" {
  description = "Stem of the names of function, table, queues and buckets."
  type        = string
  default     = null
}

variable "architecture" {
  description = "Processor of the function: `x86_64`, or `arm64`, a fifth cheaper on AWS."
  type        = string
  default     = "x86_64"
  nullable    = false
}

variable "package_path" {
  description = "The function's zip. Null takes the one that `./dev package` made for `architecture`."
  type        = string
  default     = null
}

variable "recipes" {
  description = "What to make of which upload: a list of recipes, typed and checked by the module."
  type        = any
  default     = null
}

variable "trigger" {
  description = "How uploads reach the function: `s3`, `sqs` or `eventbridge`."
  type        = string
  default     = null
}

variable "memory_size" {
  description = "Memory of the function in MB. CPU follows it: 1769 MB are one processor."
  type        = number
  default     = null
}

variable "timeout" {
  description = "Seconds that one invocation may take."
  type        = number
  default     = null
}

variable "reserved_concurrency" {
  description = "Most invocations at the same time; -1 sets no bound, 0 stops the function."
  type        = number
  default     = null
}

variable "versioning" {
  description = "Keep old versions of objects in both buckets."
  type        = bool
  default     = null
}

variable "log_retention_days" {
  description = "Days for which CloudWatch Logs keeps the function's lines."
  type        = number
  default     = null
}

variable "deletion_protection" {
  description = "Refuse to delete the table. On, `terraform destroy` fails until it is switched off by an apply."
  type        = bool
  default     = null
}

variable "alarm_email" {
  description = "Address for the alarms."
  type        = string
  default     = null
}

variable "spend_brake_usd_per_hour" {
  description = "Estimated US dollars per hour at which the function is stopped; 0 installs no brake."
  type        = number
  default     = null
}

variable "force_destroy" {
  description = "Let `terraform destroy` delete the buckets with everything in them. On here, so that the guide can clean up after itself; off in the module."
  type        = bool
  default     = true
  nullable    = false
}

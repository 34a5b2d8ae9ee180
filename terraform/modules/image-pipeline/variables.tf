# Everything that can be set. The order is that of the reference page: what every user sets first.

variable "name" {
  description = "Stem of every name: function `NAME`, table `NAME-metadata`, queues `NAME-dead-letters` and `NAME-events`, buckets `NAME-source-…` and `NAME-dest-…`. One deployment per name, account and region."
  type        = string
  default     = "serverless-img-proc"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,27}[a-z0-9]$", var.name))
    error_message = "name must be 3 to 29 lower-case letters, digits and hyphens, begin with a letter and not end with a hyphen: it becomes part of bucket names."
  }
}

variable "package_path" {
  description = "The function's zip: `dist/imgproc-lambda-x86_64.zip` or `dist/imgproc-lambda-arm64.zip`, as `./dev package` makes them. Must fit `architecture`."
  type        = string
  nullable    = false

  validation {
    condition     = endswith(var.package_path, ".zip")
    error_message = "package_path must name a .zip file."
  }
}

variable "architecture" {
  description = "Processor of the function: `x86_64`, or `arm64` (Graviton2), a fifth cheaper on AWS."
  type        = string
  default     = "x86_64"
  nullable    = false

  validation {
    condition     = contains(["x86_64", "arm64"], var.architecture)
    error_message = "architecture must be x86_64 or arm64."
  }
}

variable "recipes" {
  description = "What to make of which upload. The first recipe whose `match` fits wins; one without `match` fits all. `renditions` maps a name to its settings; words and meanings are those of sharp and CSS. Unset members take the function's own defaults."
  type = list(object({
    match = optional(object({
      prefix = optional(string)
      suffix = optional(string)
      types  = optional(list(string))
    }))
    renditions = map(object({
      width       = optional(number)
      height      = optional(number)
      fit         = optional(string)
      position    = optional(string)
      enlarge     = optional(bool)
      format      = optional(string)
      quality     = optional(number)
      effort      = optional(number)
      lossless    = optional(bool)
      progressive = optional(bool)
      animated    = optional(bool)
      background  = optional(string)
    }))
  }))
  default = [{
    renditions = {
      thumbnail = { width = 200, height = 200, fit = "inside", quality = 80 }
    }
  }]
  nullable = false

  validation {
    condition     = length(var.recipes) > 0 && alltrue([for r in var.recipes : length(r.renditions) > 0])
    error_message = "recipes needs at least one recipe, and every recipe at least one rendition."
  }
  validation {
    condition = alltrue(flatten([for r in var.recipes : [
      for name, _ in r.renditions : can(regex("^[A-Za-z0-9_-]{1,64}$", name))
    ]]))
    error_message = "A rendition's name is 1 to 64 letters, digits, _ and -: it becomes part of object keys."
  }
  validation {
    condition = alltrue(flatten([for r in var.recipes : [for s in values(r.renditions) : [
      for side in [s.width, s.height] : side == null ? true : side >= 0 && side <= 16383 && floor(side) == side
    ]]]))
    error_message = "width and height of a rendition are whole numbers from 0 to 16383 pixels; 0 lets one follow from the other."
  }
  validation {
    condition = alltrue(flatten([for r in var.recipes : [for s in values(r.renditions) :
      s.fit == null ? true : contains(["inside", "cover", "contain", "fill", "outside"], s.fit)
    ]]))
    error_message = "fit must be inside, cover, contain, fill or outside."
  }
  validation {
    condition = alltrue(flatten([for r in var.recipes : [for s in values(r.renditions) :
      s.position == null ? true : contains([
        "centre", "center", "top", "right top", "right", "right bottom", "bottom", "left bottom", "left", "left top",
        "entropy", "attention"
      ], s.position)
    ]]))
    error_message = "position must be centre, top, right top, right, right bottom, bottom, left bottom, left, left top, entropy or attention."
  }
  validation {
    condition = alltrue(flatten([for r in var.recipes : [for s in values(r.renditions) :
      s.format == null ? true : contains(["auto", "jpeg", "jpg", "png", "webp", "avif", "gif"], s.format)
    ]]))
    error_message = "format must be auto, jpeg, png, webp, avif or gif."
  }
  validation {
    condition = alltrue(flatten([for r in var.recipes : [for s in values(r.renditions) :
      s.quality == null ? true : s.quality >= 1 && s.quality <= 100 && floor(s.quality) == s.quality
    ]]))
    error_message = "quality is a whole number from 1 to 100."
  }
  validation {
    condition = alltrue(flatten([for r in var.recipes : [for s in values(r.renditions) :
      s.effort == null ? true : s.effort >= -1 && s.effort <= 10 && floor(s.effort) == s.effort
    ]]))
    error_message = "effort is a whole number from 0 to 6 for WebP, to 9 for AVIF, from 1 to 10 for GIF; -1 is the format's own default."
  }
  validation {
    condition     = alltrue([for i, r in var.recipes : r.match != null || i == length(var.recipes) - 1])
    error_message = "A recipe without match fits every upload, so it must stand last: the recipes after it could never be used."
  }
}

variable "destination" {
  description = "Where renditions go and how they are cached. `key` is the template of their object keys (`{key}`, or `{dir}` and `{name}`; `{bucket}`, `{rendition}`, `{ext}`), `cache_control` the header they carry."
  type = object({
    key           = optional(string)
    cache_control = optional(string)
  })
  default  = {}
  nullable = false

  validation {
    condition = var.destination.key == null ? true : (
      strcontains(var.destination.key, "{key}")
      || (strcontains(var.destination.key, "{dir}") && strcontains(var.destination.key, "{name}"))
    )
    error_message = "destination.key must contain {key}, or {dir} and {name}: otherwise two sources would share one object key."
  }
  validation {
    condition = var.destination.key == null ? true : (
      strcontains(var.destination.key, "{rendition}") || alltrue([for r in var.recipes : length(r.renditions) < 2])
    )
    error_message = "destination.key must contain {rendition}: otherwise two renditions would share one object key."
  }
}

variable "limits" {
  description = "Bounds that an upload must keep; they are checked from the file's header, before pixels are touched. Unset members take the function's defaults: 100 MiB, 100 megapixels decoded, 268 declared, 256 frames, 100 scans."
  type = object({
    max_bytes         = optional(number)
    max_pixels        = optional(number)
    max_source_pixels = optional(number)
    max_frames        = optional(number)
    max_scans         = optional(number)
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for v in values(var.limits) : v == null ? true : v >= 1 && floor(v) == v])
    error_message = "Every limit is a whole number of at least 1."
  }
}

# --- Buckets -------------------------------------------------------------------------------------

variable "source_bucket_name" {
  description = "An existing bucket to watch. Null creates one. An existing bucket keeps its own settings (encryption, policy, lifecycle): the module only adds the trigger, and only if that takes nothing away (see `replace_bucket_notification`)."
  type        = string
  default     = null
}

variable "destination_bucket_name" {
  description = "An existing bucket for the renditions. Null creates one."
  type        = string
  default     = null

  validation {
    condition     = var.destination_bucket_name == null ? true : var.destination_bucket_name != var.source_bucket_name
    error_message = "The destination bucket must not be the source bucket: every rendition would trigger the function again."
  }
}

variable "existing_bucket_kms_key_arns" {
  description = "KMS keys with which existing buckets are encrypted; the function may use them."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for arn in var.existing_bucket_kms_key_arns : can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/.+$", arn))])
    error_message = "existing_bucket_kms_key_arns takes key ARNs (arn:aws:kms:REGION:ACCOUNT:key/ID), not aliases."
  }
}

variable "versioning" {
  description = "Keep old versions of objects in the buckets that the module creates."
  type        = bool
  default     = false
  nullable    = false
}

variable "lifecycle_days" {
  description = "Days after which the buckets that the module creates drop things: parts of uploads never completed, old versions, and renditions (null keeps these for ever)."
  type = object({
    abort_incomplete_uploads   = optional(number, 7)
    expire_noncurrent_versions = optional(number, 30)
    expire_renditions          = optional(number)
  })
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for v in values(var.lifecycle_days) : v == null ? true : v >= 1 && floor(v) == v])
    error_message = "lifecycle_days are whole numbers of at least 1."
  }
}

variable "force_destroy" {
  description = "Let `terraform destroy` delete the created buckets with everything in them. Off, a bucket that is not empty stops the destroy."
  type        = bool
  default     = false
  nullable    = false
}

variable "kms_key_arn" {
  description = "A KMS key of yours for the created buckets, the table, the queues and the log group. Null uses the keys of each service (SSE-S3, SSE-SQS …). The key's policy must admit the services; docs/deploy.md has the statement."
  type        = string
  default     = null

  validation {
    condition     = var.kms_key_arn == null ? true : can(regex("^arn:[a-z-]+:kms:[a-z0-9-]+:[0-9]{12}:key/.+$", var.kms_key_arn))
    error_message = "kms_key_arn must be a key ARN (arn:aws:kms:REGION:ACCOUNT:key/ID), not an alias."
  }
}

# --- Trigger -------------------------------------------------------------------------------------

variable "trigger" {
  description = "How uploads reach the function. `s3`: directly. `sqs`: through a queue, which bounds concurrency and holds a backlog. `eventbridge`: by a rule on the event bus, for buckets whose notification belongs to someone else."
  type        = string
  default     = "s3"
  nullable    = false

  validation {
    condition     = contains(["s3", "sqs", "eventbridge"], var.trigger)
    error_message = "trigger must be s3, sqs or eventbridge."
  }
  validation {
    condition     = var.source_bucket_name == null || var.trigger == "eventbridge" || var.replace_bucket_notification
    error_message = "An S3 bucket has one notification configuration, and writing it replaces whatever is there. For an existing source bucket either set trigger = \"eventbridge\" (and switch EventBridge on in the bucket's properties), which touches nothing, or set replace_bucket_notification = true if nobody else's notification stands in that bucket."
  }
}

variable "replace_bucket_notification" {
  description = "Existing source bucket only: allow triggers `s3` and `sqs` to replace the bucket's whole notification configuration, also what others put there."
  type        = bool
  default     = false
  nullable    = false
}

variable "filter_prefix" {
  description = "Only objects whose key begins so reach the function. Empty takes all."
  type        = string
  default     = ""
  nullable    = false
}

variable "filter_suffixes" {
  description = "Only objects whose key ends in one of these reach the function, as `[\".jpg\", \".png\"]`; case matters. Empty takes all: the function tells types by content and records the rest as skipped."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition = alltrue(flatten([for i, a in var.filter_suffixes : [
      for j, b in var.filter_suffixes : i == j ? a != "" : !endswith(a, b)
    ]]))
    error_message = "filter_suffixes must be neither empty nor overlapping (\".jpg\" and \"jpg\"): S3 refuses filters that two rules could match."
  }
  validation {
    condition     = length(var.filter_suffixes) <= 100
    error_message = "A bucket can hold 100 notification rules at most."
  }
}

variable "batch_size" {
  description = "Trigger `sqs`: uploads per invocation, 1 to 10. Failures are reported one by one either way; 1 gives every image the whole time-out."
  type        = number
  default     = 1
  nullable    = false

  validation {
    condition     = var.batch_size >= 1 && var.batch_size <= 10 && floor(var.batch_size) == var.batch_size
    error_message = "batch_size is a whole number from 1 to 10."
  }
}

# --- Function ------------------------------------------------------------------------------------

variable "memory_size" {
  description = "Memory of the function in MB. CPU follows it: 1769 MB are one processor."
  type        = number
  default     = 1769
  nullable    = false

  validation {
    condition     = var.memory_size >= 512 && var.memory_size <= 10240 && floor(var.memory_size) == var.memory_size
    error_message = "memory_size is a whole number from 512 to 10240 MB: less cannot hold a decoded photograph."
  }
}

variable "timeout" {
  description = "Seconds that one invocation may take."
  type        = number
  default     = 60
  nullable    = false

  validation {
    condition     = var.timeout >= 10 && var.timeout <= 900 && floor(var.timeout) == var.timeout
    error_message = "timeout is a whole number from 10 to 900 seconds."
  }
}

variable "ephemeral_storage_size" {
  description = "Size of the function's /tmp in MB."
  type        = number
  default     = 512
  nullable    = false

  validation {
    condition     = var.ephemeral_storage_size >= 512 && var.ephemeral_storage_size <= 10240
    error_message = "ephemeral_storage_size must be from 512 to 10240 MB."
  }
}

variable "reserved_concurrency" {
  description = "Most invocations at the same time, taken out of the account's pool; -1 sets no bound, 0 stops the function. With trigger `sqs` the queue's pollers keep to it too."
  type        = number
  default     = -1
  nullable    = false

  validation {
    condition     = var.reserved_concurrency >= -1 && floor(var.reserved_concurrency) == var.reserved_concurrency
    error_message = "reserved_concurrency is -1 (no bound), 0 (stopped) or a whole number above."
  }
}

variable "tracing" {
  description = "Send traces to AWS X-Ray."
  type        = bool
  default     = false
  nullable    = false
}

variable "log_retention_days" {
  description = "Days for which CloudWatch Logs keeps the function's lines; 0 keeps them for ever."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = contains([0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days must be one that CloudWatch Logs offers: 0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653."
  }
}

variable "permissions_boundary_arn" {
  description = "Permissions boundary of the roles, where the account demands one."
  type        = string
  default     = null
}

# --- Table ---------------------------------------------------------------------------------------

variable "deletion_protection" {
  description = "Refuse to delete the table. On, `terraform destroy` fails until it is switched off by an apply."
  type        = bool
  default     = false
  nullable    = false
}

# --- Failures ------------------------------------------------------------------------------------

variable "on_failure_destination_arn" {
  description = "Triggers `s3` and `eventbridge`: an SQS queue, SNS topic, S3 bucket, event bus or function that, beside the dead-letter queue, receives a record of every event given up on."
  type        = string
  default     = null

  validation {
    condition     = var.on_failure_destination_arn == null ? true : can(regex("^arn:[a-z-]+:(sqs|sns|s3|events|lambda):", var.on_failure_destination_arn))
    error_message = "on_failure_destination_arn must be the ARN of an SQS queue, SNS topic, S3 bucket, EventBridge bus or Lambda function."
  }
}

variable "alarm_email" {
  description = "Address for the alarms. Creates an SNS topic; AWS sends a mail whose link must be followed before alarms arrive."
  type        = string
  default     = null

  validation {
    condition     = var.alarm_email == null ? true : can(regex("^[^@\\s]+@[^@\\s]+$", var.alarm_email))
    error_message = "alarm_email must be an e-mail address."
  }
}

variable "alarm_topic_arn" {
  description = "An existing SNS topic for the alarms."
  type        = string
  default     = null

  validation {
    condition     = var.alarm_topic_arn == null ? true : can(regex("^arn:[a-z-]+:sns:", var.alarm_topic_arn))
    error_message = "alarm_topic_arn must be the ARN of an SNS topic."
  }
}

variable "spend_brake_usd_per_hour" {
  description = "Estimated US dollars per hour at which the function is stopped (its concurrency set to zero); `terraform apply` releases it. 0 installs no brake."
  type        = number
  default     = 0
  nullable    = false

  validation {
    condition     = var.spend_brake_usd_per_hour >= 0
    error_message = "spend_brake_usd_per_hour must not be negative."
  }
}

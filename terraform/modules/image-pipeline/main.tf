# What the other files share. By subject: buckets.tf, table.tf, function.tf, role.tf, trigger.tf, failures.tf,
# spend_brake.tf, dashboard.tf.

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  account_id = data.aws_caller_identity.current.account_id
  partition  = data.aws_partition.current.partition
  # `id` is the region's name in provider 5 and 6; `name` is deprecated in 6, `region` missing in 5.
  region = data.aws_region.current.id

  # Names are fixed, so these ARNs are known before the resources are. That keeps policies readable in the plan, breaks the
  # circle between a queue and its own policy, and spares the provider's waits for separate policy resources.
  arn_suffix            = "${local.region}:${local.account_id}"
  function_arn          = "arn:${local.partition}:lambda:${local.arn_suffix}:function:${var.name}"
  dead_letter_queue     = "${var.name}-dead-letters"
  dead_letter_queue_arn = "arn:${local.partition}:sqs:${local.arn_suffix}:${local.dead_letter_queue}"
  event_queue           = "${var.name}-events"
  event_queue_arn       = "arn:${local.partition}:sqs:${local.arn_suffix}:${local.event_queue}"
  event_rule_arn        = "arn:${local.partition}:events:${local.arn_suffix}:rule/${var.name}"

  # IMGPROC_CONFIG: only what was set, so that the function's own defaults stay in one place.
  config = { for part, value in {
    recipes = [for recipe in var.recipes : { for part, value in {
      match = recipe.match == null ? null : { for k, v in recipe.match : k => v if v != null }
      renditions = { for name, settings in recipe.renditions :
        name => { for k, v in settings : k => v if v != null }
      }
    } : part => value if value != null }]
    destination = { for k, v in var.destination : k => v if v != null }
    limits      = { for k, v in var.limits : k => v if v != null }
  } : part => value if length(value) > 0 }
}

# How an upload reaches the function: S3 directly, through SQS, or by EventBridge.
#
# `create_before_destroy` on what S3 needs in order to deliver (permission, queue): when the trigger is switched, the new way
# is open and the bucket points to it before the old way closes, so that no event falls between.

locals {
  s3_events = ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]
  # One rule per suffix; one without suffix if there is none.
  s3_suffixes = length(var.filter_suffixes) == 0 ? [""] : var.filter_suffixes

  # The bucket's whole notification configuration is ours in a bucket of ours, or where the user says so.
  manage_notification = var.source_bucket_name == null || (var.replace_bucket_notification && var.trigger != "eventbridge")

  # In EventBridge's wildcards `*` and `\` of a prefix must be escaped.
  escaped_prefix   = replace(replace(var.filter_prefix, "\\", "\\\\"), "*", "\\*")
  escaped_suffixes = [for s in var.filter_suffixes : replace(replace(s, "\\", "\\\\"), "*", "\\*")]
  event_key_filter = concat(
    length(var.filter_suffixes) == 0 && var.filter_prefix != "" ? [{ prefix = var.filter_prefix }] : [],
    [for s in var.filter_suffixes : { suffix = s } if var.filter_prefix == ""],
    [for s in local.escaped_suffixes : { wildcard = "${local.escaped_prefix}*${s}" } if var.filter_prefix != ""],
  )
}

resource "aws_s3_bucket_notification" "source" {
  count = local.manage_notification ? 1 : 0

  bucket      = local.source_bucket
  eventbridge = var.trigger == "eventbridge"

  dynamic "lambda_function" {
    for_each = var.trigger == "s3" ? local.s3_suffixes : []
    content {
      id                  = "${var.name}-${lambda_function.key}"
      lambda_function_arn = aws_lambda_function.this.arn
      events              = local.s3_events
      filter_prefix       = var.filter_prefix
      filter_suffix       = lambda_function.value
    }
  }

  dynamic "queue" {
    for_each = var.trigger == "sqs" ? local.s3_suffixes : []
    content {
      id            = "${var.name}-${queue.key}"
      queue_arn     = aws_sqs_queue.events[0].arn
      events        = local.s3_events
      filter_prefix = var.filter_prefix
      filter_suffix = queue.value
    }
  }

  # S3 tries the target when the configuration is written, and refuses if it may not deliver. The consumers come first as
  # well: an event must not meet a queue that nobody reads.
  depends_on = [
    aws_lambda_permission.s3,
    aws_lambda_event_source_mapping.events,
    aws_cloudwatch_event_target.function,
  ]
}

# --- s3 ------------------------------------------------------------------------------------------

resource "aws_lambda_permission" "s3" {
  count = var.trigger == "s3" ? 1 : 0

  statement_id_prefix = "s3-"
  action              = "lambda:InvokeFunction"
  function_name       = aws_lambda_function.this.function_name
  principal           = "s3.amazonaws.com"
  source_arn          = local.source_bucket_arn
  # A bucket's ARN names no account: were the bucket deleted, a stranger could take its name.
  source_account = local.account_id

  lifecycle {
    create_before_destroy = true
  }
}

# --- sqs -----------------------------------------------------------------------------------------

resource "aws_sqs_queue" "events" {
  count = var.trigger == "sqs" ? 1 : 0

  name = local.event_queue
  # AWS's advice: six times the function's time-out, so that a message is not handed out again while it is being worked on.
  visibility_timeout_seconds = 6 * var.timeout
  message_retention_seconds  = 1209600
  sqs_managed_sse_enabled    = var.kms_key_arn == null ? true : null
  kms_master_key_id          = var.kms_key_arn

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letters.arn
    maxReceiveCount     = 5
  })

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "SourceBucketSends"
      Effect    = "Allow"
      Principal = { Service = "s3.amazonaws.com" }
      Action    = "sqs:SendMessage"
      Resource  = local.event_queue_arn
      Condition = {
        ArnEquals    = { "aws:SourceArn" = local.source_bucket_arn }
        StringEquals = { "aws:SourceAccount" = local.account_id }
      }
    }]
  })

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_lambda_event_source_mapping" "events" {
  count = var.trigger == "sqs" ? 1 : 0

  event_source_arn        = aws_sqs_queue.events[0].arn
  function_name           = aws_lambda_function.this.function_name
  batch_size              = var.batch_size
  function_response_types = ["ReportBatchItemFailures"]

  # The pollers keep to the function's bound: what they fetch beyond it would be throttled, and count as a failed try.
  dynamic "scaling_config" {
    for_each = var.reserved_concurrency >= 2 ? [min(var.reserved_concurrency, 1000)] : []
    content {
      maximum_concurrency = scaling_config.value
    }
  }

  lifecycle {
    create_before_destroy = true
  }
}

# --- eventbridge ---------------------------------------------------------------------------------

resource "aws_cloudwatch_event_rule" "uploads" {
  count = var.trigger == "eventbridge" ? 1 : 0

  name        = var.name
  description = "Objects created in and deleted from the source bucket of ${var.name}"
  event_pattern = jsonencode({
    source        = ["aws.s3"]
    "detail-type" = ["Object Created", "Object Deleted"]
    detail = { for part, value in {
      bucket = { name = [local.source_bucket] }
      object = length(local.event_key_filter) == 0 ? null : { key = local.event_key_filter }
    } : part => value if value != null }
  })

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_lambda_permission" "eventbridge" {
  count = var.trigger == "eventbridge" ? 1 : 0

  statement_id_prefix = "eventbridge-"
  action              = "lambda:InvokeFunction"
  function_name       = aws_lambda_function.this.function_name
  principal           = "events.amazonaws.com"
  source_arn          = aws_cloudwatch_event_rule.uploads[0].arn

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_cloudwatch_event_target" "function" {
  count = var.trigger == "eventbridge" ? 1 : 0

  rule      = aws_cloudwatch_event_rule.uploads[0].name
  target_id = "function"
  arn       = aws_lambda_function.this.arn

  # An event that EventBridge could not hand over within a day.
  dead_letter_config {
    arn = aws_sqs_queue.dead_letters.arn
  }

  lifecycle {
    create_before_destroy = true
  }

  depends_on = [aws_lambda_permission.eventbridge]
}

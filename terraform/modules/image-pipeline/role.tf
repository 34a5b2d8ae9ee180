# What the function may do, and nothing else: named actions on named resources.

locals {
  lambda_may_assume = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })

  function_kms_key_arns = distinct(concat(var.kms_key_arn == null ? [] : [var.kms_key_arn], var.existing_bucket_kms_key_arns))

  on_failure_service = var.on_failure_destination_arn == null ? null : split(":", var.on_failure_destination_arn)[2]
  on_failure_action = {
    sqs    = "sqs:SendMessage"
    sns    = "sns:Publish"
    s3     = "s3:PutObject"
    events = "events:PutEvents"
    lambda = "lambda:InvokeFunction"
  }

  # Each statement with the condition under which it is needed at all.
  function_statements = [
    {
      needed   = true
      sid      = "ReadSource"
      actions  = ["s3:GetObject"]
      resource = ["${local.source_bucket_arn}/*"]
    },
    {
      # Only versioned buckets name a version in their events.
      needed   = var.versioning || var.source_bucket_name != null
      sid      = "ReadSourceVersion"
      actions  = ["s3:GetObjectVersion"]
      resource = ["${local.source_bucket_arn}/*"]
    },
    {
      # Without it S3 answers 403 instead of 404 for an object that is gone, which is no reason to retry.
      needed   = true
      sid      = "TellMissingFromForbidden"
      actions  = ["s3:ListBucket"]
      resource = [local.source_bucket_arn, local.destination_arn]
    },
    {
      # Read: to replace or remove only what an older event wrote. Delete: when the source goes.
      needed   = true
      sid      = "WriteRenditions"
      actions  = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
      resource = ["${local.destination_arn}/*"]
    },
    {
      needed   = true
      sid      = "KeepRecords"
      actions  = ["dynamodb:GetItem", "dynamodb:PutItem"]
      resource = [aws_dynamodb_table.metadata.arn]
    },
    {
      needed   = true
      sid      = "WriteLogs"
      actions  = ["logs:CreateLogStream", "logs:PutLogEvents"]
      resource = ["${aws_cloudwatch_log_group.function.arn}:*"]
    },
    {
      needed   = true
      sid      = "SendDeadLetters"
      actions  = ["sqs:SendMessage"]
      resource = [local.dead_letter_queue_arn]
    },
    {
      needed   = var.trigger == "sqs"
      sid      = "ReadEventQueue"
      actions  = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
      resource = [local.event_queue_arn]
    },
    {
      needed   = length(local.function_kms_key_arns) > 0
      sid      = "UseKeys"
      actions  = ["kms:Decrypt", "kms:GenerateDataKey"]
      resource = local.function_kms_key_arns
    },
    {
      needed   = var.on_failure_destination_arn != null
      sid      = "SendToFailureDestination"
      actions  = [lookup(local.on_failure_action, coalesce(local.on_failure_service, "-"), "-")]
      resource = [local.on_failure_service == "s3" ? "${var.on_failure_destination_arn}/*" : coalesce(var.on_failure_destination_arn, "-")]
    },
    {
      # X-Ray knows no resources for these two.
      needed   = var.tracing
      sid      = "SendTraces"
      actions  = ["xray:PutTraceSegments", "xray:PutTelemetryRecords"]
      resource = ["*"]
    },
  ]

  function_policy = {
    Version = "2012-10-17"
    Statement = [for s in local.function_statements : {
      Sid      = s.sid
      Effect   = "Allow"
      Action   = s.actions
      Resource = s.resource
    } if s.needed]
  }
}

resource "aws_iam_role" "function" {
  # Roles are global: the region lets one name live in several.
  name                 = "${var.name}-${local.region}"
  description          = "Role of the Lambda function ${var.name}"
  assume_role_policy   = local.lambda_may_assume
  permissions_boundary = var.permissions_boundary_arn
}

resource "aws_iam_role_policy" "function" {
  name   = "image-pipeline"
  role   = aws_iam_role.function.id
  policy = jsonencode(local.function_policy)
}

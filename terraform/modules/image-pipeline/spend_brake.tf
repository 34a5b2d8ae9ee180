# The brake: an alarm on the estimated spend of the last hour calls a second, tiny function from the same package, which sets
# the first one's concurrency to zero. A function of its own, because a runaway one has no free slot left for the alarm, and
# because the role that handles untrusted images must not be able to change its own bounds.
# Events are not lost meanwhile: with a concurrency of zero Lambda puts asynchronous ones into the dead-letter queue at once.

locals {
  brake      = var.spend_brake_usd_per_hour > 0
  brake_name = "${var.name}-spend-brake"
  brake_arn  = "arn:${local.partition}:lambda:${local.arn_suffix}:function:${local.brake_name}"

  # AWS list prices, us-east-1. An estimate for a brake, not an invoice.
  usd_per_gb_second  = var.architecture == "arm64" ? 0.0000133334 : 0.0000166667
  usd_per_invocation = 0.0000002
  usd_per_put_object = 0.000005
  # A record of 1 to 2 KB, written twice (claim and commit): table and full index 2 units each and the index of hashes 1, then
  # 2 for the table and 4 for the full index, where the record moves from one status to the other.
  usd_per_record = 11 * 0.000000625

  renditions_at_most = max([for r in var.recipes : length(r.renditions)]...)
  uploads_per_call   = var.trigger == "sqs" ? var.batch_size : 1
  usd_per_call       = local.usd_per_invocation + local.uploads_per_call * (local.renditions_at_most * local.usd_per_put_object + local.usd_per_record)
  usd_per_ms         = local.usd_per_gb_second * var.memory_size / 1024 / 1000
}

resource "aws_cloudwatch_metric_alarm" "spend" {
  count = local.brake ? 1 : 0

  alarm_name          = "${var.name}-spend"
  alarm_description   = "${var.name} spends over ${var.spend_brake_usd_per_hour} USD an hour (estimated) and is stopped; terraform apply releases it"
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.spend_brake_usd_per_hour
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = concat([local.brake_arn], local.alarm_topic_arns)

  metric_query {
    id          = "usd"
    label       = "Estimated US dollars per hour"
    expression  = "duration * ${local.usd_per_ms} + invocations * ${local.usd_per_call}"
    return_data = true
  }
  metric_query {
    id = "duration"
    metric {
      namespace   = "AWS/Lambda"
      metric_name = "Duration"
      dimensions  = { FunctionName = var.name }
      stat        = "Sum"
      period      = 3600
    }
  }
  metric_query {
    id = "invocations"
    metric {
      namespace   = "AWS/Lambda"
      metric_name = "Invocations"
      dimensions  = { FunctionName = var.name }
      stat        = "Sum"
      period      = 3600
    }
  }

  depends_on = [aws_lambda_permission.spend_brake]
}

resource "aws_lambda_function" "spend_brake" {
  count = local.brake ? 1 : 0

  function_name    = local.brake_name
  description      = "Stops ${var.name} when the spend alarm rings"
  role             = aws_iam_role.spend_brake[0].arn
  runtime          = "provided.al2023"
  handler          = "spend_brake"
  architectures    = [var.architecture]
  filename         = var.package_path
  source_code_hash = fileexists(var.package_path) ? filebase64sha256(var.package_path) : null
  memory_size      = 128
  timeout          = 30

  environment {
    variables = { BRAKED_FUNCTION_NAME = var.name }
  }

  logging_config {
    log_format = "JSON"
    log_group  = aws_cloudwatch_log_group.spend_brake[0].name
  }

  depends_on = [aws_iam_role_policy.spend_brake]
}

resource "aws_lambda_permission" "spend_brake" {
  count = local.brake ? 1 : 0

  statement_id   = "alarm"
  action         = "lambda:InvokeFunction"
  function_name  = aws_lambda_function.spend_brake[0].function_name
  principal      = "lambda.alarms.cloudwatch.amazonaws.com"
  source_arn     = "arn:${local.partition}:cloudwatch:${local.arn_suffix}:alarm:${var.name}-spend"
  source_account = local.account_id
}

resource "aws_cloudwatch_log_group" "spend_brake" {
  count = local.brake ? 1 : 0

  name              = "/aws/lambda/${local.brake_name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}

resource "aws_iam_role" "spend_brake" {
  count = local.brake ? 1 : 0

  name                 = "${local.brake_name}-${local.region}"
  description          = "Role of the Lambda function ${local.brake_name}"
  assume_role_policy   = local.lambda_may_assume
  permissions_boundary = var.permissions_boundary_arn
}

resource "aws_iam_role_policy" "spend_brake" {
  count = local.brake ? 1 : 0

  name = "spend-brake"
  role = aws_iam_role.spend_brake[0].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "StopTheFunction"
        Effect   = "Allow"
        Action   = ["lambda:PutFunctionConcurrency"]
        Resource = [local.function_arn]
      },
      {
        Sid      = "WriteLogs"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = ["${aws_cloudwatch_log_group.spend_brake[0].arn}:*"]
      },
    ]
  })
}

# Where events end that could not be processed, and who is told.

resource "aws_sqs_queue" "dead_letters" {
  name                      = local.dead_letter_queue
  message_retention_seconds = 1209600
  sqs_managed_sse_enabled   = var.kms_key_arn == null ? true : null
  kms_master_key_id         = var.kms_key_arn

  # The function's role writes here; EventBridge itself needs the queue's consent.
  policy = var.trigger != "eventbridge" ? null : jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "RuleSendsUndelivered"
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = "sqs:SendMessage"
      Resource  = local.dead_letter_queue_arn
      Condition = { ArnEquals = { "aws:SourceArn" = local.event_rule_arn } }
    }]
  })
}

resource "aws_sns_topic" "alarms" {
  count = var.alarm_email == null ? 0 : 1

  name = "${var.name}-alarms"
}

resource "aws_sns_topic_subscription" "alarms" {
  count = var.alarm_email == null ? 0 : 1

  topic_arn = aws_sns_topic.alarms[0].arn
  protocol  = "email"
  endpoint  = var.alarm_email
}

locals {
  alarm_topic_arns = concat(aws_sns_topic.alarms[*].arn, var.alarm_topic_arn == null ? [] : [var.alarm_topic_arn])

  function_metric = { namespace = "AWS/Lambda", dimensions = { FunctionName = var.name } }
  age_metric = var.trigger == "sqs" ? {
    namespace  = "AWS/SQS", metric = "ApproximateAgeOfOldestMessage", unit = 1
    dimensions = { QueueName = local.event_queue }
    } : {
    namespace  = "AWS/Lambda", metric = "AsyncEventAge", unit = 1000
    dimensions = { FunctionName = var.name }
  }

  alarms = {
    errors = merge(local.function_metric, {
      text      = "Invocations of ${var.name} fail", metric = "Errors", statistic = "Sum"
      threshold = 1, period = 300, periods = 1
    })
    throttles = merge(local.function_metric, {
      text      = "Invocations of ${var.name} are throttled for a quarter of an hour", metric = "Throttles", statistic = "Sum"
      threshold = 1, period = 300, periods = 3
    })
    duration = merge(local.function_metric, {
      text      = "An invocation of ${var.name} took over 80 % of its time-out", metric = "Duration", statistic = "Maximum"
      threshold = 800 * var.timeout, period = 300, periods = 1
    })
    age = {
      text      = "Uploads have waited for ${var.name} for over ten minutes", statistic = "Maximum"
      namespace = local.age_metric.namespace, metric = local.age_metric.metric, dimensions = local.age_metric.dimensions
      threshold = 600 * local.age_metric.unit, period = 60, periods = 1
    }
    dead-letters = {
      text      = "Uploads were given up on and lie in ${local.dead_letter_queue}", statistic = "Maximum"
      namespace = "AWS/SQS", metric = "ApproximateNumberOfMessagesVisible", dimensions = { QueueName = local.dead_letter_queue }
      threshold = 1, period = 60, periods = 1
    }
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.text
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = each.value.threshold
  period              = each.value.period
  evaluation_periods  = each.value.periods
  # No uploads, no data, no alarm.
  treat_missing_data = "notBreaching"
  alarm_actions      = local.alarm_topic_arns
  ok_actions         = local.alarm_topic_arns
}

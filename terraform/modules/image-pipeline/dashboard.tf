locals {
  console_host = lookup({
    aws-cn     = "console.amazonaws.cn"
    aws-us-gov = "console.amazonaws-us-gov.com"
  }, local.partition, "console.aws.amazon.com")

  # Title, and metrics as CloudWatch writes them: namespace, name, dimension, value, options.
  dashboard_graphs = [
    ["Invocations", [
      ["AWS/Lambda", "Invocations", "FunctionName", var.name, { stat = "Sum" }],
      ["AWS/Lambda", "Errors", "FunctionName", var.name, { stat = "Sum", color = "#d62728" }],
      ["AWS/Lambda", "Throttles", "FunctionName", var.name, { stat = "Sum", color = "#ff7f0e" }],
    ]],
    ["Duration (ms)", [
      ["AWS/Lambda", "Duration", "FunctionName", var.name, { stat = "p50" }],
      ["AWS/Lambda", "Duration", "FunctionName", var.name, { stat = "p99" }],
      ["AWS/Lambda", "Duration", "FunctionName", var.name, { stat = "Maximum" }],
    ]],
    ["At the same time", [
      ["AWS/Lambda", "ConcurrentExecutions", "FunctionName", var.name, { stat = "Maximum" }],
    ]],
    ["Waiting time", [
      var.trigger == "sqs"
      ? ["AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", local.event_queue, { stat = "Maximum", label = "Oldest in the queue (s)" }]
      : ["AWS/Lambda", "AsyncEventAge", "FunctionName", var.name, { stat = "Maximum", label = "Oldest event (ms)" }],
    ]],
    ["Given up on", [
      ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", local.dead_letter_queue, { stat = "Maximum" }],
      ["AWS/Lambda", "DeadLetterErrors", "FunctionName", var.name, { stat = "Sum", color = "#d62728" }],
    ]],
    ["Records", [
      ["AWS/DynamoDB", "ConsumedWriteCapacityUnits", "TableName", "${var.name}-metadata", { stat = "Sum" }],
      ["AWS/DynamoDB", "WriteThrottleEvents", "TableName", "${var.name}-metadata", { stat = "Sum", color = "#d62728" }],
    ]],
  ]
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = var.name
  dashboard_body = jsonencode({
    widgets = [for i, graph in local.dashboard_graphs : {
      type   = "metric"
      x      = 8 * (i % 3)
      y      = 6 * floor(i / 3)
      width  = 8
      height = 6
      properties = {
        title   = graph[0]
        metrics = graph[1]
        region  = local.region
        period  = 60
        view    = "timeSeries"
      }
    }]
  })
}

output "source_bucket_name" {
  description = "Bucket to upload to."
  value       = local.source_bucket
}

output "destination_bucket_name" {
  description = "Bucket in which the renditions stand."
  value       = local.destination_bucket
}

output "metadata_table_name" {
  description = "DynamoDB table with one record per upload."
  value       = aws_dynamodb_table.metadata.name
}

output "function_name" {
  description = "Name of the Lambda function."
  value       = aws_lambda_function.this.function_name
}

output "function_arn" {
  description = "ARN of the Lambda function, as S3 Batch Operations asks for it."
  value       = aws_lambda_function.this.arn
}

output "role_name" {
  description = "IAM role under which the function runs."
  value       = aws_iam_role.function.name
}

output "log_group_name" {
  description = "CloudWatch log group with the function's lines."
  value       = aws_cloudwatch_log_group.function.name
}

output "dead_letter_queue_url" {
  description = "SQS queue in which events end that were retried in vain."
  value       = aws_sqs_queue.dead_letters.url
}

output "event_queue_url" {
  description = "Trigger `sqs`: the queue between bucket and function; else null."
  value       = one(aws_sqs_queue.events[*].url)
}

output "alarm_topic_arn" {
  description = "SNS topic of the alarms, if there is one."
  value       = try(local.alarm_topic_arns[0], null)
}

output "dashboard_url" {
  description = "The CloudWatch dashboard in the AWS console."
  value       = "https://${local.region}.${local.console_host}/cloudwatch/home?region=${local.region}#dashboards/dashboard/${aws_cloudwatch_dashboard.this.dashboard_name}"
}

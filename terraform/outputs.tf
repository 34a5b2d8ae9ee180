output "source_bucket_name" {
  description = "Bucket to upload to."
  value       = module.image_pipeline.source_bucket_name
}

output "destination_bucket_name" {
  description = "Bucket in which the renditions stand."
  value       = module.image_pipeline.destination_bucket_name
}

output "metadata_table_name" {
  description = "DynamoDB table with one record per upload."
  value       = module.image_pipeline.metadata_table_name
}

output "function_name" {
  description = "Name of the Lambda function; its log group is `/aws/lambda/NAME`."
  value       = module.image_pipeline.function_name
}

output "dead_letter_queue_url" {
  description = "SQS queue in which events end that were retried in vain."
  value       = module.image_pipeline.dead_letter_queue_url
}

output "dashboard_url" {
  description = "The CloudWatch dashboard in the AWS console."
  value       = module.image_pipeline.dashboard_url
}

resource "aws_cloudwatch_log_group" "function" {
  name              = "/aws/lambda/${var.name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}

resource "aws_lambda_function" "this" {
  function_name = var.name
  description   = "Makes renditions of uploaded images and records their metadata"
  role          = aws_iam_role.function.arn

  runtime          = "provided.al2023"
  handler          = "bootstrap"
  architectures    = [var.architecture]
  filename         = var.package_path
  source_code_hash = fileexists(var.package_path) ? filebase64sha256(var.package_path) : null

  memory_size                    = var.memory_size
  timeout                        = var.timeout
  reserved_concurrent_executions = var.reserved_concurrency

  ephemeral_storage {
    size = var.ephemeral_storage_size
  }

  environment {
    variables = {
      SOURCE_BUCKET      = local.source_bucket
      DESTINATION_BUCKET = local.destination_bucket
      TABLE_NAME         = aws_dynamodb_table.metadata.name
      IMGPROC_CONFIG     = jsonencode(local.config)
    }
  }

  logging_config {
    log_format = "JSON"
    log_group  = aws_cloudwatch_log_group.function.name
  }

  tracing_config {
    mode = var.tracing ? "Active" : "PassThrough"
  }

  # An event that was retried in vain, as it came.
  dead_letter_config {
    target_arn = aws_sqs_queue.dead_letters.arn
  }

  # AWS checks at creation that the role may write to the dead-letter queue.
  depends_on = [aws_iam_role_policy.function]

  lifecycle {
    precondition {
      condition     = fileexists(var.package_path)
      error_message = "There is no package at ${var.package_path}. Make it first: run ./dev package in the checkout's root."
    }
    precondition {
      # Lambda allows 4 KB for all variables together; the others take about 500 bytes at most.
      condition     = length(jsonencode(local.config)) <= 3500
      error_message = "The recipes make ${length(jsonencode(local.config))} bytes of IMGPROC_CONFIG; 3500 fit into a function's environment. Use fewer or shorter recipes, or leave out settings that equal the defaults."
    }
  }
}

# Lambda's own defaults, written down so that nobody's change goes unseen: two more tries, six hours.
resource "aws_lambda_function_event_invoke_config" "this" {
  function_name                = aws_lambda_function.this.function_name
  maximum_retry_attempts       = 2
  maximum_event_age_in_seconds = 21600

  dynamic "destination_config" {
    for_each = var.on_failure_destination_arn == null ? [] : [var.on_failure_destination_arn]
    content {
      on_failure {
        destination = destination_config.value
      }
    }
  }
}

# What every deployment keeps to: closed buckets, least privilege, nothing lost. With a mocked provider: no account is needed.

mock_provider "aws" {
  source = "./tests/mocks"
}

override_resource {
  override_during = plan
  target          = aws_s3_bucket.this["source"]
  values          = { id = "img-source", arn = "arn:aws:s3:::img-source" }
}
override_resource {
  override_during = plan
  target          = aws_s3_bucket.this["dest"]
  values          = { id = "img-dest", arn = "arn:aws:s3:::img-dest" }
}
override_resource {
  override_during = plan
  target          = aws_dynamodb_table.metadata
  values          = { arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/img-metadata" }
}
override_resource {
  override_during = plan
  target          = aws_cloudwatch_log_group.function
  values          = { arn = "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/img" }
}
override_resource {
  override_during = plan
  target          = aws_sqs_queue.dead_letters
  values          = { arn = "arn:aws:sqs:eu-west-1:123456789012:img-dead-letters" }
}
override_resource {
  override_during = plan
  target          = aws_lambda_function.this
  values          = { arn = "arn:aws:lambda:eu-west-1:123456789012:function:img" }
}

variables {
  name         = "img"
  package_path = "./tests/fixtures/package.zip"
}

run "buckets_are_closed" {
  command = plan
  module {
    source = "./modules/image-pipeline"
  }

  assert {
    condition     = length(aws_s3_bucket.this) == 2 && alltrue([for b in aws_s3_bucket.this : !b.force_destroy])
    error_message = "Two buckets are made, and a full one must survive terraform destroy."
  }
  assert {
    condition = length(aws_s3_bucket_public_access_block.this) == 2 && alltrue([
      for b in aws_s3_bucket_public_access_block.this :
      b.block_public_acls && b.block_public_policy && b.ignore_public_acls && b.restrict_public_buckets
    ])
    error_message = "All four kinds of public access must be blocked for both buckets."
  }
  assert {
    condition     = alltrue([for b in aws_s3_bucket_ownership_controls.this : one(b.rule).object_ownership == "BucketOwnerEnforced"])
    error_message = "The bucket owner must own every object."
  }
  assert {
    condition = alltrue([for b in aws_s3_bucket_server_side_encryption_configuration.this :
      one(one(b.rule).apply_server_side_encryption_by_default).sse_algorithm == "AES256"
    ])
    error_message = "Without a key, buckets are encrypted with SSE-S3."
  }
  assert {
    condition = length(aws_s3_bucket_policy.this) == 2 && alltrue([for role, p in aws_s3_bucket_policy.this :
      jsondecode(p.policy).Statement == [{
        Sid       = "TlsOnly", Effect = "Deny", Principal = "*", Action = "s3:*"
        Resource  = ["arn:aws:s3:::img-${role}", "arn:aws:s3:::img-${role}/*"]
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      }]
    ])
    error_message = "Both buckets must refuse everything but TLS."
  }
  assert {
    condition = alltrue([for b in aws_s3_bucket_lifecycle_configuration.this :
      [for r in b.rule : r.id] == ["abort-incomplete-uploads"] && one(b.rule[0].abort_incomplete_multipart_upload).days_after_initiation == 7
    ])
    error_message = "Parts of uploads never completed must go after a week, and nothing else by default."
  }
  assert {
    condition     = length(aws_s3_bucket_versioning.this) == 0
    error_message = "Versioning is off unless asked for."
  }
}

run "role_is_least_privilege" {
  command = plan
  module {
    source = "./modules/image-pipeline"
  }

  assert {
    condition = { for s in jsondecode(aws_iam_role_policy.function.policy).Statement : s.Sid => {
      effect = s.Effect, actions = s.Action, resources = s.Resource
      } } == {
      ReadSource               = { effect = "Allow", actions = ["s3:GetObject"], resources = ["arn:aws:s3:::img-source/*"] }
      TellMissingFromForbidden = { effect = "Allow", actions = ["s3:ListBucket"], resources = ["arn:aws:s3:::img-source", "arn:aws:s3:::img-dest"] }
      WriteRenditions          = { effect = "Allow", actions = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], resources = ["arn:aws:s3:::img-dest/*"] }
      KeepRecords              = { effect = "Allow", actions = ["dynamodb:GetItem", "dynamodb:PutItem"], resources = ["arn:aws:dynamodb:eu-west-1:123456789012:table/img-metadata"] }
      WriteLogs                = { effect = "Allow", actions = ["logs:CreateLogStream", "logs:PutLogEvents"], resources = ["arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/img:*"] }
      SendDeadLetters          = { effect = "Allow", actions = ["sqs:SendMessage"], resources = ["arn:aws:sqs:eu-west-1:123456789012:img-dead-letters"] }
    }
    error_message = "The function's role has these rights and no others."
  }
  assert {
    condition     = jsondecode(aws_iam_role.function.assume_role_policy).Statement[0].Principal == { Service = "lambda.amazonaws.com" }
    error_message = "Only Lambda may take the role."
  }
}

run "no_action_is_a_wildcard_with_everything_on" {
  command = plan
  module {
    source = "./modules/image-pipeline"
  }
  variables {
    trigger                    = "sqs"
    tracing                    = true
    versioning                 = true
    kms_key_arn                = "arn:aws:kms:eu-west-1:123456789012:key/1234"
    on_failure_destination_arn = "arn:aws:s3:::failures"
    spend_brake_usd_per_hour   = 1
    alarm_email                = "oncall@example.com"
  }
  override_resource {
    override_during = plan
    target          = aws_cloudwatch_log_group.spend_brake[0]
    values          = { arn = "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/img-spend-brake" }
  }

  assert {
    condition = alltrue(flatten([for p in [aws_iam_role_policy.function.policy, aws_iam_role_policy.spend_brake[0].policy] :
      [for s in jsondecode(p).Statement : [for a in s.Action : !strcontains(a, "*")]]
    ]))
    error_message = "No action may contain a wildcard."
  }
  assert {
    condition = alltrue(flatten([for p in [aws_iam_role_policy.function.policy, aws_iam_role_policy.spend_brake[0].policy] :
      [for s in jsondecode(p).Statement : !contains(s.Resource, "*") || s.Sid == "SendTraces"]
    ]))
    error_message = "Only X-Ray's actions, which know no resources, may name all of them."
  }
  assert {
    condition = alltrue([for sid in ["ReadSourceVersion", "ReadEventQueue", "UseKeys", "SendToFailureDestination", "SendTraces"] :
      contains([for s in jsondecode(aws_iam_role_policy.function.policy).Statement : s.Sid], sid)
    ])
    error_message = "Each feature brings its right along."
  }
  assert {
    condition = alltrue([for b in aws_s3_bucket_server_side_encryption_configuration.this :
      one(one(b.rule).apply_server_side_encryption_by_default).sse_algorithm == "aws:kms" && one(b.rule).bucket_key_enabled
    ])
    error_message = "With a key, buckets use it, through a bucket key."
  }
  assert {
    condition = (aws_sqs_queue.dead_letters.kms_master_key_id == var.kms_key_arn && aws_sqs_queue.events[0].kms_master_key_id == var.kms_key_arn
    && one(aws_dynamodb_table.metadata.server_side_encryption).kms_key_arn == var.kms_key_arn && aws_cloudwatch_log_group.function.kms_key_id == var.kms_key_arn)
    error_message = "With a key, queues, table and log group use it."
  }
}

run "function_is_set_up" {
  command = plan
  module {
    source = "./modules/image-pipeline"
  }

  assert {
    condition = (aws_lambda_function.this.runtime == "provided.al2023" && aws_lambda_function.this.architectures == tolist(["x86_64"])
    && aws_lambda_function.this.reserved_concurrent_executions == -1)
    error_message = "provided.al2023 on x86_64, nothing taken from the account's concurrency."
  }
  assert {
    condition     = one(aws_lambda_function.this.logging_config).log_format == "JSON" && aws_cloudwatch_log_group.function.retention_in_days == 30
    error_message = "Logs are JSON and end after 30 days."
  }
  assert {
    condition = jsondecode(one(aws_lambda_function.this.environment).variables.IMGPROC_CONFIG) == {
      recipes = [{ renditions = { thumbnail = { width = 200, height = 200, fit = "inside", quality = 80 } } }]
    }
    error_message = "IMGPROC_CONFIG holds what was set and nothing else."
  }
  assert {
    condition = (one(aws_lambda_function.this.environment).variables.SOURCE_BUCKET == "img-source"
      && one(aws_lambda_function.this.environment).variables.DESTINATION_BUCKET == "img-dest"
    && one(aws_lambda_function.this.environment).variables.TABLE_NAME == "img-metadata")
    error_message = "The function is told its buckets and table."
  }
  assert {
    condition     = aws_lambda_function.this.source_code_hash == filebase64sha256("./tests/fixtures/package.zip")
    error_message = "New code must show in the plan."
  }
}

run "recipes_become_the_configuration" {
  command = plan
  module {
    source = "./modules/image-pipeline"
  }
  variables {
    recipes = [
      { match = { prefix = "a/", types = ["image/*"] }, renditions = { s = { width = 96, fit = "cover", position = "right top", format = "webp", animated = true } } },
      { renditions = { t = { height = 10, lossless = false }, u = {} } },
    ]
    destination = { key = "{key}/{rendition}.{ext}", cache_control = "no-store" }
    limits      = { max_frames = 1 }
  }

  assert {
    condition = jsondecode(one(aws_lambda_function.this.environment).variables.IMGPROC_CONFIG) == {
      recipes = [
        { match = { prefix = "a/", types = ["image/*"] }, renditions = { s = { width = 96, fit = "cover", position = "right top", format = "webp", animated = true } } },
        { renditions = { t = { height = 10, lossless = false }, u = {} } },
      ]
      destination = { key = "{key}/{rendition}.{ext}", cache_control = "no-store" }
      limits      = { max_frames = 1 }
    }
    error_message = "IMGPROC_CONFIG is the JSON of recipes, destination and limits."
  }
}

run "table_has_keys_and_indexes" {
  command = plan
  module {
    source = "./modules/image-pipeline"
  }

  assert {
    condition = (aws_dynamodb_table.metadata.hash_key == "path" && aws_dynamodb_table.metadata.range_key == null
    && aws_dynamodb_table.metadata.billing_mode == "PAY_PER_REQUEST")
    error_message = "One item per path, on demand."
  }
  assert {
    condition = { for i in aws_dynamodb_table.metadata.global_secondary_index : i.name => [i.hash_key, i.range_key == null ? "" : i.range_key] } == {
      "status-timestamp-index" = ["status", "timestamp"]
      "sha256-index"           = ["sha256", ""]
    }
    error_message = "The two indexes of the record's contract."
  }
  assert {
    condition = (one(aws_dynamodb_table.metadata.ttl).attribute_name == "expires_at" && one(aws_dynamodb_table.metadata.ttl).enabled
    && one(aws_dynamodb_table.metadata.point_in_time_recovery).enabled && !aws_dynamodb_table.metadata.deletion_protection_enabled)
    error_message = "TTL and point-in-time recovery are on, deletion protection off."
  }
}

run "trigger_s3" {
  command = plan
  module {
    source = "./modules/image-pipeline"
  }
  variables {
    filter_prefix   = "in/"
    filter_suffixes = [".jpg", ".png"]
  }

  assert {
    condition = [for f in aws_s3_bucket_notification.source[0].lambda_function : [f.filter_prefix, f.filter_suffix]] == [
    ["in/", ".jpg"], ["in/", ".png"]]
    error_message = "One rule per suffix."
  }
  assert {
    condition = alltrue([for f in aws_s3_bucket_notification.source[0].lambda_function :
      toset(f.events) == toset(["s3:ObjectCreated:*", "s3:ObjectRemoved:*"])
    ])
    error_message = "Uploads and deletes reach the function."
  }
  assert {
    condition = (aws_lambda_permission.s3[0].principal == "s3.amazonaws.com" && aws_lambda_permission.s3[0].source_arn == "arn:aws:s3:::img-source"
    && aws_lambda_permission.s3[0].source_account == "123456789012")
    error_message = "Only this bucket of this account may call the function."
  }
  assert {
    condition     = length(aws_sqs_queue.events) + length(aws_cloudwatch_event_rule.uploads) == 0
    error_message = "No other trigger stands beside it."
  }
}

run "trigger_sqs" {
  command = plan
  module {
    source = "./modules/image-pipeline"
  }
  variables {
    trigger              = "sqs"
    timeout              = 100
    reserved_concurrency = 20
  }
  override_resource {
    target          = aws_sqs_queue.events[0]
    override_during = plan
    values          = { arn = "arn:aws:sqs:eu-west-1:123456789012:img-events" }
  }

  assert {
    condition     = aws_sqs_queue.events[0].visibility_timeout_seconds == 600
    error_message = "A message stays hidden for six times the time-out."
  }
  assert {
    condition = jsondecode(aws_sqs_queue.events[0].redrive_policy) == {
      deadLetterTargetArn = "arn:aws:sqs:eu-west-1:123456789012:img-dead-letters", maxReceiveCount = 5
    }
    error_message = "After five tries a message goes to the dead-letter queue."
  }
  assert {
    condition = jsondecode(aws_sqs_queue.events[0].policy).Statement == [{
      Sid       = "SourceBucketSends", Effect = "Allow", Principal = { Service = "s3.amazonaws.com" }, Action = "sqs:SendMessage"
      Resource  = "arn:aws:sqs:eu-west-1:123456789012:img-events"
      Condition = { ArnEquals = { "aws:SourceArn" = "arn:aws:s3:::img-source" }, StringEquals = { "aws:SourceAccount" = "123456789012" } }
    }]
    error_message = "Only this bucket of this account may send."
  }
  assert {
    condition = (aws_lambda_event_source_mapping.events[0].function_response_types == toset(["ReportBatchItemFailures"])
    && one(aws_lambda_event_source_mapping.events[0].scaling_config).maximum_concurrency == 20)
    error_message = "Failures are reported one by one, and pollers keep to the function's bound."
  }
  assert {
    condition     = length(aws_s3_bucket_notification.source[0].queue) == 1 && length(aws_s3_bucket_notification.source[0].lambda_function) == 0
    error_message = "The bucket sends to the queue alone."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.this["age"].metric_name == "ApproximateAgeOfOldestMessage"
    error_message = "The age of the backlog is the queue's."
  }
}

run "trigger_eventbridge" {
  command = plan
  module {
    source = "./modules/image-pipeline"
  }
  variables {
    trigger         = "eventbridge"
    filter_prefix   = "in*/"
    filter_suffixes = [".jpg"]
  }
  override_resource {
    target          = aws_cloudwatch_event_rule.uploads[0]
    override_during = plan
    values          = { arn = "arn:aws:events:eu-west-1:123456789012:rule/img" }
  }

  assert {
    condition = jsondecode(aws_cloudwatch_event_rule.uploads[0].event_pattern) == {
      source = ["aws.s3"], "detail-type" = ["Object Created", "Object Deleted"]
      detail = { bucket = { name = ["img-source"] }, object = { key = [{ wildcard = "in\\*/*.jpg" }] } }
    }
    error_message = "The rule takes this bucket's uploads and deletes, filtered."
  }
  assert {
    condition     = aws_s3_bucket_notification.source[0].eventbridge && length(aws_s3_bucket_notification.source[0].lambda_function) == 0
    error_message = "A bucket of ours sends to EventBridge alone."
  }
  assert {
    condition     = jsondecode(aws_sqs_queue.dead_letters.policy).Statement[0].Condition == { ArnEquals = { "aws:SourceArn" = "arn:aws:events:eu-west-1:123456789012:rule/img" } }
    error_message = "The rule may send undelivered events to the dead-letter queue."
  }
  assert {
    condition     = aws_lambda_permission.eventbridge[0].source_arn == "arn:aws:events:eu-west-1:123456789012:rule/img"
    error_message = "Only this rule may call the function."
  }
}

run "existing_bucket_is_not_touched" {
  command = plan
  module {
    source = "./modules/image-pipeline"
  }
  variables {
    trigger            = "eventbridge"
    source_bucket_name = "theirs"
  }

  assert {
    condition     = length(aws_s3_bucket_notification.source) == 0 && keys(aws_s3_bucket_policy.this) == ["dest"] && keys(aws_s3_bucket.this) == ["dest"]
    error_message = "Nothing of an existing bucket may be written."
  }
  assert {
    condition     = contains([for s in jsondecode(aws_iam_role_policy.function.policy).Statement : s.Sid], "ReadSourceVersion")
    error_message = "An existing bucket may be versioned."
  }
}

run "existing_bucket_notification_by_consent" {
  command = plan
  module {
    source = "./modules/image-pipeline"
  }
  variables {
    source_bucket_name          = "theirs"
    replace_bucket_notification = true
  }

  assert {
    condition     = aws_s3_bucket_notification.source[0].bucket == "theirs"
    error_message = "With the user's consent the notification is written."
  }
}

run "versions_and_renditions_expire_when_asked" {
  command = plan
  module {
    source = "./modules/image-pipeline"
  }
  variables {
    versioning     = true
    force_destroy  = true
    lifecycle_days = { expire_renditions = 90 }
  }

  assert {
    condition     = [for r in aws_s3_bucket_lifecycle_configuration.this["source"].rule : r.id] == ["abort-incomplete-uploads", "expire-noncurrent-versions"]
    error_message = "Originals never expire; their old versions do."
  }
  assert {
    condition     = [for r in aws_s3_bucket_lifecycle_configuration.this["dest"].rule : r.id] == ["abort-incomplete-uploads", "expire-noncurrent-versions", "expire-renditions"]
    error_message = "Renditions expire when asked."
  }
  assert {
    condition     = alltrue([for b in aws_s3_bucket.this : b.force_destroy]) && length(aws_s3_bucket_versioning.this) == 2
    error_message = "force_destroy and versioning reach both buckets."
  }
}

run "nothing_fails_unseen" {
  command = plan
  module {
    source = "./modules/image-pipeline"
  }
  variables {
    alarm_topic_arn = "arn:aws:sns:eu-west-1:123456789012:alarms"
    timeout         = 100
  }

  assert {
    condition     = toset(keys(aws_cloudwatch_metric_alarm.this)) == toset(["errors", "throttles", "duration", "age", "dead-letters"])
    error_message = "Errors, throttles, duration, age and dead letters have alarms."
  }
  assert {
    condition = alltrue([for a in aws_cloudwatch_metric_alarm.this :
      a.alarm_actions == toset([var.alarm_topic_arn]) && a.treat_missing_data == "notBreaching"
    ])
    error_message = "Every alarm reaches the topic, and silence is no alarm."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.this["duration"].threshold == 80000
    error_message = "The duration alarm rings at 80 % of the time-out."
  }
  assert {
    condition     = one(aws_lambda_function.this.dead_letter_config).target_arn == "arn:aws:sqs:eu-west-1:123456789012:img-dead-letters"
    error_message = "What is given up on goes to the dead-letter queue."
  }
  assert {
    condition = (aws_lambda_function_event_invoke_config.this.maximum_retry_attempts == 2 && aws_sqs_queue.dead_letters.message_retention_seconds == 1209600
    && aws_sqs_queue.dead_letters.sqs_managed_sse_enabled)
    error_message = "Two more tries; dead letters are encrypted and kept for two weeks."
  }
  assert {
    condition     = length(aws_lambda_function.spend_brake) == 0 && length(aws_sns_topic.alarms) == 0
    error_message = "Brake and topic only when asked for."
  }
  assert {
    condition     = length(jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets) == 6
    error_message = "The dashboard has its six graphs."
  }
}

run "spend_brake_stops_only_this_function" {
  command = plan
  module {
    source = "./modules/image-pipeline"
  }
  variables {
    spend_brake_usd_per_hour = 5
  }
  override_resource {
    override_during = plan
    target          = aws_cloudwatch_log_group.spend_brake[0]
    values          = { arn = "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/img-spend-brake" }
  }

  assert {
    condition = [for s in jsondecode(aws_iam_role_policy.spend_brake[0].policy).Statement : [s.Action, s.Resource] if s.Sid == "StopTheFunction"] == [
    [["lambda:PutFunctionConcurrency"], ["arn:aws:lambda:eu-west-1:123456789012:function:img"]]]
    error_message = "The brake may set this function's concurrency and nothing else."
  }
  assert {
    condition     = !strcontains(aws_iam_role_policy.function.policy, "PutFunctionConcurrency")
    error_message = "The function that reads images must not change its own bounds."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.spend[0].threshold == 5 && contains(aws_cloudwatch_metric_alarm.spend[0].alarm_actions, "arn:aws:lambda:eu-west-1:123456789012:function:img-spend-brake")
    error_message = "The alarm calls the brake."
  }
}

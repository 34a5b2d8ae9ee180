# Bad settings are refused at plan time, each by its own rule.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  package_path = "./tests/fixtures/package.zip"
}

run "refuses_name_with_capitals" {
  command = plan
  module {
    source = "./modules/image-pipeline"
  }
  variables {
    name = "Photos"
  }
  expect_failures = [var.name]
}

run "refuses_name_too_long_for_a_bucket" {
  command = plan
  module {
    source = "./modules/image-pipeline"
  }
  variables {
    name = "a-name-that-leaves-no-room-for-more"
  }
  expect_failures = [var.name]
}

run "refuses_name_ending_in_a_hyphen" {
  command = plan
  module {
    source = "./modules/image-pipeline"
  }
  variables {
    name = "photos-"
  }
  expect_failures = [var.name]
}

run "refuses_package_that_is_no_zip" {
  command = plan
  module {
    source = "./modules/image-pipeline"
  }
  variables {
    package_path = "./tests/fixtures/package.tar"
  }
  expect_failures = [var.package_path]
}

run "refuses_package_that_is_missing" {
  command = plan
  module {
    source = "./modules/image-pipeline"
  }
  variables {
    package_path = "./tests/fixtures/missing.zip"
  }
  expect_failures = [aws_lambda_function.this]
}

run "refuses_unknown_architecture" {
  command = plan
  module {
    source = "./modules/image-pipeline"
  }
  variables {
    architecture = "riscv64"
  }
  expect_failures = [var.architecture]
}

run "refuses_no_recipe" {
  command = plan
  module {
    source = "./modules/image-pipeline"
  }
  variables {
    recipes = []
  }
  expect_failures = [var.recipes]
}

run "refuses_recipe_without_renditions" {
  command = plan
  module {
    source = "./modules/image-pipeline"
  }
  variables {
    recipes = [{ renditions = {} }]
  }
  expect_failures = [var.recipes]
}

run "refuses_rendition_name_with_a_slash" {
  command = plan
  module {
    source = "./modules/image-pipeline"
  }
  variables {
    recipes = [{ renditions = { "a/b" = { width = 10 } } }]
  }
  expect_failures = [var.recipes]
}

run "refuses_negative_width" {
  command = plan
  module {
    source = "./modules/image-pipeline"
  }
  variables {
    recipes = [{ renditions = { a = { width = -1 } } }]
  }
  expect_failures = [var.recipes]
}

run "refuses_rendition_too_wide" {
  command = plan
  module {
    source = "./modules/image-pipeline"
  }
  variables {
    recipes = [{ renditions = { a = { width = 16384 } } }]
  }
  expect_failures = [var.recipes]
}

run "refuses_rendition_of_half_a_pixel" {
  command = plan
  module {
    source = "./modules/image-pipeline"
  }
  variables {
    recipes = [{ renditions = { a = { height = 10.5 } } }]
  }
  expect_failures = [var.recipes]
}

run "refuses_unknown_fit" {
  command = plan
  module {
    source = "./modules/image-pipeline"
  }
  variables {
    recipes = [{ renditions = { a = { width = 10, fit = "crop" } } }]
  }
  expect_failures = [var.recipes]
}

run "refuses_unknown_position" {
  command = plan
  module {
    source = "./modules/image-pipeline"
  }
  variables {
    recipes = [{ renditions = { a = { width = 10, position = "faces" } } }]
  }
  expect_failures = [var.recipes]
}

run "refuses_unknown_format" {
  command = plan
  module {
    source = "./modules/image-pipeline"
  }
  variables {
    recipes = [{ renditions = { a = { width = 10, format = "bmp" } } }]
  }
  expect_failures = [var.recipes]
}

run "refuses_quality_above_100" {
  command = plan
  module {
    source = "./modules/image-pipeline"
  }
  variables {
    recipes = [{ renditions = { a = { width = 10, quality = 101 } } }]
  }
  expect_failures = [var.recipes]
}

run "refuses_effort_of_eleven" {
  command = plan
  module {
    source = "./modules/image-pipeline"
  }
  variables {
    recipes = [{ renditions = { a = { width = 10, effort = 11 } } }]
  }
  expect_failures = [var.recipes]
}

run "refuses_recipe_after_the_one_for_all" {
  command = plan
  module {
    source = "./modules/image-pipeline"
  }
  variables {
    recipes = [
      { renditions = { a = { width = 10 } } },
      { match = { prefix = "b/" }, renditions = { b = { width = 10 } } },
    ]
  }
  expect_failures = [var.recipes]
}

run "refuses_recipes_larger_than_the_environment" {
  command = plan
  module {
    source = "./modules/image-pipeline"
  }
  variables {
    recipes = [{ renditions = { for i in range(100) : "rendition-number-${i}" => { width = 10 + i, height = 10 + i, fit = "cover" } } }]
  }
  expect_failures = [aws_lambda_function.this]
}

run "refuses_key_template_without_key" {
  command = plan
  module {
    source = "./modules/image-pipeline"
  }
  variables {
    destination = { key = "{name}/{rendition}.{ext}" }
  }
  expect_failures = [var.destination]
}

run "refuses_key_template_without_rendition" {
  command = plan
  module {
    source = "./modules/image-pipeline"
  }
  variables {
    destination = { key = "{key}.{ext}" }
    recipes     = [{ renditions = { a = { width = 1 }, b = { width = 2 } } }]
  }
  expect_failures = [var.destination]
}

run "refuses_limit_of_zero" {
  command = plan
  module {
    source = "./modules/image-pipeline"
  }
  variables {
    limits = { max_pixels = 0 }
  }
  expect_failures = [var.limits]
}

run "refuses_source_that_is_the_destination" {
  command = plan
  module {
    source = "./modules/image-pipeline"
  }
  variables {
    source_bucket_name          = "one"
    destination_bucket_name     = "one"
    replace_bucket_notification = true
  }
  expect_failures = [var.destination_bucket_name]
}

run "refuses_key_alias_for_an_existing_bucket" {
  command = plan
  module {
    source = "./modules/image-pipeline"
  }
  variables {
    existing_bucket_kms_key_arns = ["alias/photos"]
  }
  expect_failures = [var.existing_bucket_kms_key_arns]
}

run "refuses_key_alias" {
  command = plan
  module {
    source = "./modules/image-pipeline"
  }
  variables {
    kms_key_arn = "alias/photos"
  }
  expect_failures = [var.kms_key_arn]
}

run "refuses_lifecycle_of_no_days" {
  command = plan
  module {
    source = "./modules/image-pipeline"
  }
  variables {
    lifecycle_days = { expire_renditions = 0 }
  }
  expect_failures = [var.lifecycle_days]
}

run "refuses_unknown_trigger" {
  command = plan
  module {
    source = "./modules/image-pipeline"
  }
  variables {
    trigger = "sns"
  }
  expect_failures = [var.trigger]
}

run "refuses_notification_of_an_existing_bucket_by_default" {
  command = plan
  module {
    source = "./modules/image-pipeline"
  }
  variables {
    source_bucket_name = "theirs"
  }
  expect_failures = [var.trigger]
}

run "refuses_notification_of_an_existing_bucket_with_sqs" {
  command = plan
  module {
    source = "./modules/image-pipeline"
  }
  variables {
    source_bucket_name = "theirs"
    trigger            = "sqs"
  }
  expect_failures = [var.trigger]
}

run "refuses_overlapping_suffixes" {
  command = plan
  module {
    source = "./modules/image-pipeline"
  }
  variables {
    filter_suffixes = [".jpg", "jpg"]
  }
  expect_failures = [var.filter_suffixes]
}

run "refuses_empty_suffix" {
  command = plan
  module {
    source = "./modules/image-pipeline"
  }
  variables {
    filter_suffixes = [""]
  }
  expect_failures = [var.filter_suffixes]
}

run "refuses_more_rules_than_a_bucket_holds" {
  command = plan
  module {
    source = "./modules/image-pipeline"
  }
  variables {
    filter_suffixes = [for i in range(101) : format(".%03d", i)]
  }
  expect_failures = [var.filter_suffixes]
}

run "refuses_batch_of_eleven" {
  command = plan
  module {
    source = "./modules/image-pipeline"
  }
  variables {
    batch_size = 11
  }
  expect_failures = [var.batch_size]
}

run "refuses_too_little_memory" {
  command = plan
  module {
    source = "./modules/image-pipeline"
  }
  variables {
    memory_size = 128
  }
  expect_failures = [var.memory_size]
}

run "refuses_too_much_memory" {
  command = plan
  module {
    source = "./modules/image-pipeline"
  }
  variables {
    memory_size = 10241
  }
  expect_failures = [var.memory_size]
}

run "refuses_timeout_over_a_quarter_of_an_hour" {
  command = plan
  module {
    source = "./modules/image-pipeline"
  }
  variables {
    timeout = 901
  }
  expect_failures = [var.timeout]
}

run "refuses_timeout_too_short_for_an_image" {
  command = plan
  module {
    source = "./modules/image-pipeline"
  }
  variables {
    timeout = 3
  }
  expect_failures = [var.timeout]
}

run "refuses_too_little_ephemeral_storage" {
  command = plan
  module {
    source = "./modules/image-pipeline"
  }
  variables {
    ephemeral_storage_size = 100
  }
  expect_failures = [var.ephemeral_storage_size]
}

run "refuses_negative_concurrency" {
  command = plan
  module {
    source = "./modules/image-pipeline"
  }
  variables {
    reserved_concurrency = -2
  }
  expect_failures = [var.reserved_concurrency]
}

run "refuses_log_retention_that_aws_does_not_offer" {
  command = plan
  module {
    source = "./modules/image-pipeline"
  }
  variables {
    log_retention_days = 31
  }
  expect_failures = [var.log_retention_days]
}

run "refuses_failure_destination_that_is_no_arn" {
  command = plan
  module {
    source = "./modules/image-pipeline"
  }
  variables {
    on_failure_destination_arn = "failures"
  }
  expect_failures = [var.on_failure_destination_arn]
}

run "refuses_failure_destination_of_another_service" {
  command = plan
  module {
    source = "./modules/image-pipeline"
  }
  variables {
    on_failure_destination_arn = "arn:aws:kinesis:eu-west-1:123456789012:stream/failures"
  }
  expect_failures = [var.on_failure_destination_arn]
}

run "refuses_alarm_email_without_at" {
  command = plan
  module {
    source = "./modules/image-pipeline"
  }
  variables {
    alarm_email = "oncall"
  }
  expect_failures = [var.alarm_email]
}

run "refuses_alarm_topic_that_is_no_topic" {
  command = plan
  module {
    source = "./modules/image-pipeline"
  }
  variables {
    alarm_topic_arn = "arn:aws:sqs:eu-west-1:123456789012:alarms"
  }
  expect_failures = [var.alarm_topic_arn]
}

run "refuses_negative_spend" {
  command = plan
  module {
    source = "./modules/image-pipeline"
  }
  variables {
    spend_brake_usd_per_hour = -1
  }
  expect_failures = [var.spend_brake_usd_per_hour]
}

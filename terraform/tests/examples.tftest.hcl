# The guide's root and every example can be planned.

mock_provider "aws" {
  source = "./tests/mocks"
}

variables {
  package_path = "./tests/fixtures/package.zip"
}

run "guide" {
  command = plan

  assert {
    condition     = output.function_name == "serverless-img-proc" && output.metadata_table_name == "serverless-img-proc-metadata"
    error_message = "The names of the guide."
  }
  assert {
    condition     = output.dashboard_url == "https://eu-west-1.console.aws.amazon.com/cloudwatch/home?region=eu-west-1#dashboards/dashboard/serverless-img-proc"
    error_message = "The dashboard's address."
  }
}

run "guide_with_settings" {
  command = plan
  variables {
    name    = "mine"
    trigger = "sqs"
    recipes = [
      { match = { prefix = "a/" }, renditions = { small = { width = 96 } } },
      { renditions = { large = { width = 1024, format = "webp" } } },
    ]
  }

  assert {
    condition     = output.function_name == "mine"
    error_message = "The root passes settings on."
  }
}

run "minimal" {
  command = plan
  module {
    source = "./examples/minimal"
  }
}

run "existing_bucket" {
  command = plan
  module {
    source = "./examples/existing-bucket"
  }
  variables {
    source_bucket_name      = "originals"
    destination_bucket_name = "renditions"
  }
}

run "sqs" {
  command = plan
  module {
    source = "./examples/sqs"
  }
}

run "eventbridge" {
  command = plan
  module {
    source = "./examples/eventbridge"
  }
  variables {
    source_bucket_name = "theirs"
  }
}

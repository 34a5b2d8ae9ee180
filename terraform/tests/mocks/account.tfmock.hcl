# Answers of the mocked provider that have to look like AWS's.

mock_data "aws_caller_identity" {
  defaults = { account_id = "123456789012" }
}

mock_data "aws_partition" {
  defaults = { partition = "aws" }
}

mock_data "aws_region" {
  defaults = { id = "eu-west-1" }
}

mock_data "aws_s3_bucket" {
  defaults = { id = "theirs", arn = "arn:aws:s3:::theirs" }
}

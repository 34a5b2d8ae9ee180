# One item per source object; the key is `bucket/key`.

resource "aws_dynamodb_table" "metadata" {
  name                        = "${var.name}-metadata"
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = "path"
  deletion_protection_enabled = var.deletion_protection

  attribute {
    name = "path"
    type = "S"
  }
  attribute {
    name = "status"
    type = "S"
  }
  attribute {
    name = "timestamp"
    type = "S"
  }
  attribute {
    name = "sha256"
    type = "S"
  }

  # "Newest ready", "what failed".
  global_secondary_index {
    name            = "status-timestamp-index"
    hash_key        = "status"
    range_key       = "timestamp"
    projection_type = "ALL"
  }

  # "Is it here already".
  global_secondary_index {
    name            = "sha256-index"
    hash_key        = "sha256"
    projection_type = "KEYS_ONLY"
  }

  ttl {
    attribute_name = "expires_at"
    enabled        = true
  }

  point_in_time_recovery {
    enabled = true
  }

  # Without a key of yours: DynamoDB's own, which costs nothing.
  dynamic "server_side_encryption" {
    for_each = var.kms_key_arn == null ? [] : [var.kms_key_arn]
    content {
      enabled     = true
      kms_key_arn = server_side_encryption.value
    }
  }
}

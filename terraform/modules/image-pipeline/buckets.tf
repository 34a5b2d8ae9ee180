# Source and destination. A bucket that is given is only read; one that is made is closed, encrypted and TLS-only.

locals {
  created_buckets = { for role, made in {
    source = var.source_bucket_name == null
    dest   = var.destination_bucket_name == null
  } : role => role if made }

  source_bucket      = var.source_bucket_name == null ? aws_s3_bucket.this["source"].id : data.aws_s3_bucket.existing["source"].id
  source_bucket_arn  = var.source_bucket_name == null ? aws_s3_bucket.this["source"].arn : data.aws_s3_bucket.existing["source"].arn
  destination_bucket = var.destination_bucket_name == null ? aws_s3_bucket.this["dest"].id : data.aws_s3_bucket.existing["dest"].id
  destination_arn    = var.destination_bucket_name == null ? aws_s3_bucket.this["dest"].arn : data.aws_s3_bucket.existing["dest"].arn
}

data "aws_s3_bucket" "existing" {
  for_each = { for role, name in { source = var.source_bucket_name, dest = var.destination_bucket_name } : role => name if name != null }

  bucket = each.value
}

resource "aws_s3_bucket" "this" {
  for_each = local.created_buckets

  bucket_prefix = "${var.name}-${each.key}-"
  force_destroy = var.force_destroy
}

resource "aws_s3_bucket_public_access_block" "this" {
  for_each = local.created_buckets

  bucket                  = aws_s3_bucket.this[each.key].id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "this" {
  for_each = local.created_buckets

  bucket = aws_s3_bucket.this[each.key].id
  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  for_each = local.created_buckets

  bucket = aws_s3_bucket.this[each.key].id
  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm     = var.kms_key_arn == null ? "AES256" : "aws:kms"
      kms_master_key_id = var.kms_key_arn
    }
    # One data key per bucket and while instead of one KMS call per object.
    bucket_key_enabled = var.kms_key_arn != null
  }
}

resource "aws_s3_bucket_versioning" "this" {
  for_each = var.versioning ? local.created_buckets : {}

  bucket = aws_s3_bucket.this[each.key].id
  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_policy" "this" {
  for_each = local.created_buckets

  bucket = aws_s3_bucket.this[each.key].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "TlsOnly"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = [aws_s3_bucket.this[each.key].arn, "${aws_s3_bucket.this[each.key].arn}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })

  # S3 answers 409 to two changes of one bucket's access at the same moment.
  depends_on = [aws_s3_bucket_public_access_block.this]
}

resource "aws_s3_bucket_lifecycle_configuration" "this" {
  for_each = local.created_buckets

  bucket = aws_s3_bucket.this[each.key].id

  rule {
    id     = "abort-incomplete-uploads"
    status = "Enabled"
    filter {}
    abort_incomplete_multipart_upload {
      days_after_initiation = var.lifecycle_days.abort_incomplete_uploads
    }
  }

  dynamic "rule" {
    for_each = var.versioning ? [var.lifecycle_days.expire_noncurrent_versions] : []
    content {
      id     = "expire-noncurrent-versions"
      status = "Enabled"
      filter {}
      noncurrent_version_expiration {
        noncurrent_days = rule.value
      }
    }
  }

  dynamic "rule" {
    for_each = each.key == "dest" && var.lifecycle_days.expire_renditions != null ? [var.lifecycle_days.expire_renditions] : []
    content {
      id     = "expire-renditions"
      status = "Enabled"
      filter {}
      expiration {
        days = rule.value
      }
    }
  }

  # Rules for old versions are only sensible once versioning is on.
  depends_on = [aws_s3_bucket_versioning.this]
}

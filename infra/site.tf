# The static site and the artists' pictures: two private buckets that only CloudFront reads.

locals {
  site           = coalesce(var.site_dir, "${path.module}/../frontend/dist")
  images_bucket  = "${local.name}-images-${var.account_id}"
  images_arn     = "arn:aws:s3:::${local.images_bucket}"
  uploads_origin = "https://${local.images_bucket}.s3.${var.region}.amazonaws.com"

  # What CloudFront may read of each. It may also see what is missing, or that would be a 403, which nobody understands.
  buckets = { site = "*", images = "images/*" }
}

resource "aws_s3_bucket" "this" {
  for_each = local.buckets
  bucket   = "${local.name}-${each.key}-${var.account_id}" # names are shared with all of AWS
  # The site is in git; the pictures are nowhere else.
  force_destroy = each.key == "site" || var.emulator
}

resource "aws_s3_bucket_public_access_block" "this" {
  for_each                = aws_s3_bucket.this
  bucket                  = each.value.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_versioning" "this" {
  for_each = aws_s3_bucket.this
  bucket   = each.value.id
  versioning_configuration { status = "Enabled" }
}

resource "aws_s3_bucket_lifecycle_configuration" "this" {
  for_each = aws_s3_bucket.this
  bucket   = each.value.id
  rule {
    id     = "old-versions"
    status = "Enabled"
    filter {}
    noncurrent_version_expiration { noncurrent_days = 30 }
    abort_incomplete_multipart_upload { days_after_initiation = 1 }
  }
  dynamic "rule" {
    for_each = each.key == "images" ? ["incoming"] : []
    content {
      id     = "never-taken-in"
      status = "Enabled"
      filter { prefix = "incoming/" }
      expiration { days = 1 }
    }
  }
  depends_on = [aws_s3_bucket_versioning.this]
}

resource "aws_s3_bucket_policy" "this" {
  for_each = aws_s3_bucket.this
  bucket   = each.value.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "CloudFrontReads", Effect = "Allow", Principal = { Service = "cloudfront.amazonaws.com" }
        Action    = "s3:GetObject", Resource = "${each.value.arn}/${local.buckets[each.key]}"
        Condition = { StringEquals = { "AWS:SourceArn" = aws_cloudfront_distribution.site.arn } }
      },
      {
        Sid       = "CloudFrontSeesWhatIsMissing", Effect = "Allow", Principal = { Service = "cloudfront.amazonaws.com" }
        Action    = "s3:ListBucket", Resource = each.value.arn
        Condition = { StringEquals = { "AWS:SourceArn" = aws_cloudfront_distribution.site.arn } }
      },
      {
        Sid       = "OnlyOverTls", Effect = "Deny", Principal = "*"
        Action    = "s3:*", Resource = [each.value.arn, "${each.value.arn}/*"]
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })
}

# --- Pictures: the artist's browser puts them here by itself ------------------------------------------------------------

resource "aws_s3_bucket_cors_configuration" "images" {
  bucket = aws_s3_bucket.this["images"].id
  cors_rule {
    allowed_origins = [local.public_url]
    allowed_methods = ["PUT"]
    allowed_headers = ["content-type"]
    max_age_seconds = 3000
  }
}

# It writes under images/ only, so that it never calls itself.
resource "aws_s3_bucket_notification" "images" {
  bucket = aws_s3_bucket.this["images"].id
  lambda_function {
    lambda_function_arn = module.function["image-intake"].live_arn
    events              = ["s3:ObjectCreated:*"]
    filter_prefix       = "incoming/"
  }
  depends_on = [aws_lambda_permission.images]
}

resource "aws_lambda_permission" "images" {
  statement_id   = "Pictures"
  action         = "lambda:InvokeFunction"
  function_name  = module.function["image-intake"].name
  qualifier      = "live"
  principal      = "s3.amazonaws.com"
  source_arn     = aws_s3_bucket.this["images"].arn
  source_account = var.account_id
  depends_on     = [module.function] # the alias, which the name alone does not wait for
}

resource "aws_lambda_function_event_invoke_config" "images" {
  function_name                = module.function["image-intake"].name
  qualifier                    = "live"
  maximum_retry_attempts       = 2
  maximum_event_age_in_seconds = 3600
  destination_config {
    on_failure { destination = aws_sqs_queue.dead["images"].arn }
  }
  depends_on = [module.function]
}

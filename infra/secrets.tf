# What the functions read once, at their start, from SSM (SECRETS_PARAMETERS). Values are write-only: neither the plan nor
# the state has them.

locals {
  public_url     = "https://${coalesce(var.domain_name, aws_cloudfront_distribution.site.domain_name)}"
  jwt_secret     = var.supabase_jwt_secret ? ["SUPABASE_JWT_SECRET"] : []
  supabase_key   = var.supabase_secret_key ? ["SUPABASE_SECRET_KEY"] : []
  secrets        = toset(concat(["DATABASE_URL", "STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRETS", "ENCRYPTION_KEY"], local.jwt_secret, local.supabase_key))
  parameter_path = "/inkflow/${var.env}"
  parameter_arn  = "arn:aws:ssm:${var.region}:${var.account_id}:parameter${local.parameter_path}"
}

resource "aws_ssm_parameter" "secret" {
  for_each         = local.secrets
  name             = "${local.parameter_path}/${each.key}"
  type             = "SecureString"
  value_wo         = var.secrets[each.key] # a missing one fails here, before anything is overwritten
  value_wo_version = var.secrets_version
}

# No secrets, but known only when CloudFront and the functions' URLs are there, which need the functions first.
resource "aws_ssm_parameter" "public_url" {
  name  = "${local.parameter_path}/PUBLIC_URL"
  type  = "String"
  value = local.public_url

  lifecycle {
    precondition {
      condition     = var.domain_name == null || var.certificate_arn != null || var.hosted_zone_id != null
      error_message = "domain_name needs certificate_arn (us-east-1) or hosted_zone_id."
    }
  }
}

# Where Cal.com is told to send its events: it cannot sign for AWS, so not through CloudFront.
resource "aws_ssm_parameter" "calcom_webhook_url" {
  name  = "${local.parameter_path}/CALCOM_WEBHOOK_URL"
  type  = "String"
  value = local.webhook_urls["/api/webhooks/calcom"]
}

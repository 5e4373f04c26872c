# What the functions read once, at their start, from SSM (SECRETS_PARAMETERS). The secrets are put there by `make secret` and
# `make database`: Terraform knows their names and versions, and no value.

locals {
  public_url     = "https://${coalesce(var.domain_name, aws_cloudfront_distribution.site.domain_name)}"
  jwt_secret     = var.supabase_jwt_secret ? ["SUPABASE_JWT_SECRET"] : []
  supabase_key   = var.supabase_secret_key ? ["SUPABASE_SECRET_KEY"] : []
  secrets        = toset(concat(["DATABASE_URL", "STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRETS", "ENCRYPTION_KEY"], local.jwt_secret, local.supabase_key))
  parameter_path = "/inkflow/${var.env}"
  parameter_arn  = "arn:aws:ssm:${var.region}:${var.account_id}:parameter${local.parameter_path}"
}

# Terraform wrote them once. It forgets them, and they stay.
removed {
  from = aws_ssm_parameter.secret

  lifecycle {
    destroy = false
  }
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

# What the functions read once, at their start, from SSM (SECRETS_PARAMETERS). Values are write-only: neither the plan nor
# the state has them.

locals {
  secrets        = toset(["DATABASE_URL", "STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRETS", "ENCRYPTION_KEY"])
  parameter_path = "/inkflow/${var.env}"
  parameter_arn  = "arn:aws:ssm:${var.region}:${var.account_id}:parameter${local.parameter_path}"
  public_url     = !var.cloudfront ? var.site_url : "https://${coalesce(var.domain_name, one(aws_cloudfront_distribution.site[*].domain_name))}"
}

resource "aws_ssm_parameter" "secret" {
  for_each         = local.secrets
  name             = "${local.parameter_path}/${each.key}"
  type             = "SecureString"
  value_wo         = var.secrets[each.key] # a missing one fails here, before anything is overwritten
  value_wo_version = var.secrets_version
}

# No secret, but known only when CloudFront is there, and CloudFront needs the functions' URLs first.
resource "aws_ssm_parameter" "public_url" {
  name  = "${local.parameter_path}/PUBLIC_URL"
  type  = "String"
  value = trimsuffix(local.public_url, "/")

  lifecycle {
    precondition {
      condition     = var.cloudfront || can(regex("^https://[^/]+$", var.site_url))
      error_message = "Without CloudFront, site_url is the origin of the frontend: https://host, without a slash at the end."
    }
    precondition {
      condition     = var.domain_name == null || var.certificate_arn != null || var.hosted_zone_id != null
      error_message = "domain_name needs certificate_arn (us-east-1) or hosted_zone_id."
    }
  }
}

# With a Route 53 zone: the certificate, the site's name, and the records by which SES knows the mail domain.

locals {
  own_certificate = var.domain_name != null && var.certificate_arn == null && var.hosted_zone_id != null
  certificate_arn = var.certificate_arn != null ? var.certificate_arn : one(aws_acm_certificate_validation.site[*].certificate_arn)
}

resource "aws_acm_certificate" "site" {
  count             = local.own_certificate ? 1 : 0
  provider          = aws.us_east_1
  domain_name       = var.domain_name
  validation_method = "DNS"
  lifecycle { create_before_destroy = true }
}

resource "aws_route53_record" "certificate" {
  count           = local.own_certificate ? 1 : 0
  zone_id         = var.hosted_zone_id
  name            = tolist(aws_acm_certificate.site[0].domain_validation_options)[0].resource_record_name
  type            = tolist(aws_acm_certificate.site[0].domain_validation_options)[0].resource_record_type
  records         = [tolist(aws_acm_certificate.site[0].domain_validation_options)[0].resource_record_value]
  ttl             = 300
  allow_overwrite = true
}

resource "aws_acm_certificate_validation" "site" {
  count                   = local.own_certificate ? 1 : 0
  provider                = aws.us_east_1
  certificate_arn         = aws_acm_certificate.site[0].arn
  validation_record_fqdns = [aws_route53_record.certificate[0].fqdn]
}

resource "aws_route53_record" "site" {
  for_each = var.domain_name != null && var.hosted_zone_id != null ? toset(["A", "AAAA"]) : toset([])
  zone_id  = var.hosted_zone_id
  name     = var.domain_name
  type     = each.key
  alias {
    name                   = aws_cloudfront_distribution.site.domain_name
    zone_id                = aws_cloudfront_distribution.site.hosted_zone_id
    evaluate_target_health = false
  }
}

# Whether the mail domain is in the zone as well: a record of another domain would be made under a name that nobody asks.
data "aws_route53_zone" "this" {
  count   = var.hosted_zone_id == null ? 0 : 1
  zone_id = var.hosted_zone_id
}

locals {
  # The emulators know of none.
  dkim_tokens = try(tolist(aws_sesv2_email_identity.this[0].dkim_signing_attributes[0].tokens), ["1", "2", "3"])

  zone         = one([for zone in data.aws_route53_zone.this : trimsuffix(zone.name, ".")])
  mail_in_zone = local.zone != null && endswith(".${local.mail_domain}", ".${coalesce(local.zone, "-")}")
  # DMARC is for all mail of the domain, so that is said by its owner.
  mail_records_made = local.mail_in_zone && var.create_mail_identity ? ["dkim0", "dkim1", "dkim2", "mx", "spf"] : []

  # What DNS must say for the mails to arrive. A known identity has its own already.
  mail_records = { for key, record in merge(
    { for index in range(3) : "dkim${index}" => {
      name = "${local.dkim_tokens[index]}._domainkey.${local.mail_domain}", type = "CNAME", value = "${local.dkim_tokens[index]}.dkim.amazonses.com"
    } },
    {
      dmarc = { name = "_dmarc.${local.mail_domain}", type = "TXT", value = "v=DMARC1; p=none" }
      mx    = { name = "bounce.${local.mail_domain}", type = "MX", value = "10 feedback-smtp.${var.region}.amazonses.com" }
      spf   = { name = "bounce.${local.mail_domain}", type = "TXT", value = "v=spf1 include:amazonses.com ~all" }
    },
  ) : key => record if var.create_mail_identity }
}

resource "aws_route53_record" "mail" {
  for_each = toset(local.mail_records_made)
  zone_id  = var.hosted_zone_id
  name     = local.mail_records[each.key].name
  type     = local.mail_records[each.key].type
  records  = [local.mail_records[each.key].value]
  ttl      = 1800
}

locals {
  # What is left for a person to enter where the DNS is. CNAME is for a name below the domain; the domain itself wants the
  # provider's ALIAS, ANAME or flattened CNAME.
  site_record = var.domain_name == null || var.hosted_zone_id != null ? [] : [
    { name = var.domain_name, type = "CNAME", value = aws_cloudfront_distribution.site.domain_name }
  ]
  dns_records = concat(local.site_record, [for key, record in local.mail_records : record if !contains(local.mail_records_made, key)])
}

# SES: the sender's domain, and what becomes of the mails.

locals {
  mail_domain                = one(regex("@([a-z0-9.-]+)>?$", var.mail_from))
  mail_identity_arn          = "arn:aws:ses:${var.region}:${var.account_id}:identity/${local.mail_domain}"
  mail_configuration_set_arn = "arn:aws:ses:${var.region}:${var.account_id}:configuration-set/${local.name}"
}

resource "aws_sesv2_configuration_set" "this" {
  configuration_set_name = local.name
  delivery_options { tls_policy = "REQUIRE" }
  reputation_options { reputation_metrics_enabled = true }
  sending_options { sending_enabled = true }
  suppression_options { suppressed_reasons = ["BOUNCE", "COMPLAINT"] }
}

# SES knows a domain once in an account and region: another environment, or another product, may have made it already.
resource "aws_sesv2_email_identity" "this" {
  count                  = var.create_mail_identity ? 1 : 0
  email_identity         = local.mail_domain
  configuration_set_name = aws_sesv2_configuration_set.this.configuration_set_name
}

# Whoever has made it looks after its DNS. That it is there is asked before anything is changed.
data "aws_sesv2_email_identity" "known" {
  count          = var.create_mail_identity ? 0 : 1
  email_identity = local.mail_domain
}

# Bounces come back to a name of ours, so that SPF agrees with the sender (DMARC).
resource "aws_sesv2_email_identity_mail_from_attributes" "this" {
  count                  = var.create_mail_identity && !var.emulator ? 1 : 0
  email_identity         = aws_sesv2_email_identity.this[0].email_identity
  mail_from_domain       = "bounce.${local.mail_domain}"
  behavior_on_mx_failure = "USE_DEFAULT_VALUE"
}

resource "aws_sesv2_configuration_set_event_destination" "failures" {
  configuration_set_name = aws_sesv2_configuration_set.this.configuration_set_name
  event_destination_name = "failures"
  event_destination {
    enabled              = true
    matching_event_types = ["BOUNCE", "COMPLAINT", "REJECT"]
    sns_destination { topic_arn = aws_sns_topic.mail_failures.arn }
  }
  depends_on = [aws_sns_topic_policy.mail_failures]
}

# Apart from the alarms: these messages name the person who could not be reached.
resource "aws_sns_topic" "mail_failures" {
  name = "${local.name}-mail-failures"
}

resource "aws_sns_topic_policy" "mail_failures" {
  arn = aws_sns_topic.mail_failures.arn
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow", Action = "sns:Publish", Principal = { Service = "ses.amazonaws.com" }, Resource = aws_sns_topic.mail_failures.arn
      Condition = { StringEquals = { "AWS:SourceAccount" = var.account_id, "AWS:SourceArn" = local.mail_configuration_set_arn } }
    }]
  })
}

resource "aws_sns_topic_subscription" "mail_failures" {
  count     = var.alarm_email == null ? 0 : 1
  topic_arn = aws_sns_topic.mail_failures.arn
  protocol  = "email"
  endpoint  = var.alarm_email
}

# The worker notes which mail did not arrive, so that its artist sees it. SES takes the mail to an address on its list like any other.
resource "aws_sns_topic_subscription" "mails_that_came_back" {
  topic_arn            = aws_sns_topic.mail_failures.arn
  protocol             = "sqs"
  endpoint             = aws_sqs_queue.jobs.arn
  raw_message_delivery = true
}

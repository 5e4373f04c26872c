# What `make deploy` and a person need afterwards.

output "site_url" {
  description = "Where the site is: PUBLIC_URL of the functions."
  value       = local.public_url
}

output "webhook_urls" {
  description = "To be entered at the services that call us."
  value       = local.webhook_urls
}

output "function_urls" {
  description = "Each function's own URL. Behind CloudFront they answer nobody else."
  value       = { for name, function in module.function : name => function.url if function.url != null }
}

output "functions" {
  description = "Name of each function at AWS."
  value       = { for name, function in module.function : name => function.name }
}

output "site_bucket" {
  description = "Where the site's files go."
  value       = aws_s3_bucket.this["site"].bucket
}

output "images_bucket" {
  description = "Where the artists' images go; they are served under /images/."
  value       = aws_s3_bucket.this["images"].bucket
}

output "distribution" {
  description = "CloudFront's id."
  value       = aws_cloudfront_distribution.site.id
}

output "queues" {
  description = "The jobs, and what nobody could deal with."
  value       = { jobs = aws_sqs_queue.jobs.url, jobs-dead = aws_sqs_queue.dead["jobs"].url, images-dead = aws_sqs_queue.dead["images"].url }
}

output "mail_domain" {
  description = "What SES must have verified."
  value       = local.mail_domain
}

output "distribution_domain" {
  description = "CloudFront's own name, to which the site's domain must lead. The site answers there as well."
  value       = aws_cloudfront_distribution.site.domain_name
}

output "dns_records" {
  description = "DNS records that are not made here and must be entered by hand, of the site and of the mails."
  value       = local.dns_records
}

output "region" {
  description = "Where it runs."
  value       = var.region
}

output "parameter_path" {
  description = "Where the secrets are in SSM."
  value       = local.parameter_path
}

output "secrets" {
  description = "Their names."
  value       = local.secrets
}

output "secret_versions" {
  description = "Their versions, with which the functions were started."
  value       = var.secret_versions
}

output "settings" {
  description = "The plain settings of the functions."
  value       = local.settings
}

output "alarm_topics" {
  description = "Where alarms and bounced mails are told, by region: each subscription must be confirmed."
  value = concat(
    [for arn in concat([aws_sns_topic.alarms.arn, aws_sns_topic.mail_failures.arn], aws_sns_topic.pager[*].arn) : "${var.region} ${arn}"],
    [for arn in concat([aws_sns_topic.edge.arn], aws_sns_topic.edge_pager[*].arn) : "us-east-1 ${arn}"],
  )
}

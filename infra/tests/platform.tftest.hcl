# What must stay true of the configuration, with AWS played by Terraform itself: no account, no server.

mock_provider "aws" {
  source = "./tests/mocks"
}

mock_provider "aws" {
  alias  = "us_east_1"
  source = "./tests/mocks"
}

variables {
  env             = "test"
  account_id      = "123456789012"
  region          = "eu-west-3"
  mail_from       = "InkFlow <bonjour@mail.example.com>"
  alarm_email     = "ops@example.com"
  secret_versions = { DATABASE_URL = 2, STRIPE_SECRET_KEY = 3, STRIPE_WEBHOOK_SECRETS = 5, ENCRYPTION_KEY = 7 }
}

run "the_platform" {
  variables {
    waf                 = true
    reserve_concurrency = true
    domain_name         = "inkflow.example"
    hosted_zone_id      = "Z1"
  }

  # --- The queue ---
  assert {
    condition     = aws_sqs_queue.jobs.visibility_timeout_seconds >= 6 * local.functions.worker.timeout
    error_message = "A message must stay hidden for six times the worker's timeout."
  }
  assert {
    condition     = aws_lambda_event_source_mapping.worker.function_response_types == toset(["ReportBatchItemFailures"])
    error_message = "Without partial batch responses, one bad job repeats nine good ones."
  }
  assert {
    condition = (
      aws_lambda_event_source_mapping.worker.scaling_config[0].maximum_concurrency <= local.functions.worker.concurrency &&
      aws_lambda_event_source_mapping.worker.scaling_config[0].maximum_concurrency >= 2
    )
    error_message = "The queue's concurrency is 2 at least (AWS) and at most the worker's: above it, messages count as received and die."
  }
  assert {
    condition     = jsondecode(aws_sqs_queue.jobs.redrive_policy) == { deadLetterTargetArn = aws_sqs_queue.dead["jobs"].arn, maxReceiveCount = tonumber(local.settings.JOB_MAX_ATTEMPTS) }
    error_message = "What the worker gives up must end in the dead letters."
  }
  assert {
    condition     = aws_sqs_queue.dead["jobs"].message_retention_seconds > aws_sqs_queue.jobs.message_retention_seconds
    error_message = "A dead letter keeps its first date: the dead letters must be kept longer than the jobs."
  }

  # --- Times nest ---
  assert {
    condition     = alltrue([for name in local.behind_cloudfront : local.functions[name].timeout <= 20])
    error_message = "CloudFront waits 30 s: a function that it calls must have answered well before."
  }
  assert {
    condition     = tonumber(local.settings.JOB_LEASE_SECONDS) > local.functions.worker.timeout
    error_message = "A job's lease must outlast the worker, or two workers do one job."
  }
  assert {
    condition     = local.functions.sweeper.timeout < 60 && local.functions.sweeper.concurrency == 1
    error_message = "One sweep must end before the next one begins."
  }

  # --- Who may call what ---
  assert {
    condition = alltrue([for name, access in local.access : access == (
      endswith(name, "-webhook") ? "webhook" : contains(["worker", "sweeper", "image-intake"], name) ? "none" : "site"
    )])
    error_message = "Only the functions of /api/webhooks/ are public, and only those of a route have a URL."
  }
  assert {
    condition     = alltrue([for name, access in local.access : (module.function[name].url == null) == (access == "none")])
    error_message = "A function that nobody calls over HTTP must have no URL."
  }
  assert {
    condition = alltrue([for name in local.behind_cloudfront : alltrue([for action in ["InvokeFunctionUrl", "InvokeFunction"] :
      try(aws_lambda_permission.cloudfront["${name} ${action}"].source_arn == aws_cloudfront_distribution.site.arn, false) &&
    aws_lambda_permission.cloudfront["${name} ${action}"].qualifier == "live"])])
    error_message = "CloudFront needs both permissions on each function, and no other distribution may have them."
  }
  assert {
    condition     = alltrue([for permission in aws_lambda_permission.cloudfront : permission.function_url_auth_type == null])
    error_message = "AWS refuses function_url_auth_type on InvokeFunction."
  }
  assert {
    condition     = alltrue([for bucket in ["site", "images"] : aws_s3_bucket_public_access_block.this[bucket].block_public_policy && aws_s3_bucket_public_access_block.this[bucket].restrict_public_buckets])
    error_message = "The buckets are private."
  }
  assert {
    condition = alltrue([for origin in aws_cloudfront_distribution.site.origin : contains(["site", "images"], origin.origin_id) ?
      origin.origin_access_control_id == aws_cloudfront_origin_access_control.this["s3"].id :
    origin.origin_access_control_id == aws_cloudfront_origin_access_control.this["lambda"].id])
    error_message = "CloudFront must sign what it asks of every origin."
  }

  # --- The paths ---
  assert {
    condition = alltrue([for route in local.routes : local.access[route.function] != "site" || try([
      for behavior in aws_cloudfront_distribution.site.ordered_cache_behavior : behavior.target_origin_id
      if can(regex("^${replace(behavior.path_pattern, "*", ".*")}$", replace(route.path, "/\\{[^}]+\\}/", "a-1")))
    ][0] == route.function, false)])
    error_message = "The first pattern that fits a route must lead to the route's function."
  }
  assert {
    condition     = length(aws_cloudfront_distribution.site.ordered_cache_behavior) < 25
    error_message = "CloudFront takes 25 behaviors of one distribution in an older account, the default one among them."
  }
  assert {
    condition     = !contains(local.behaviors[*].pattern, "/api/webhooks/stripe")
    error_message = "Stripe cannot sign for AWS: its webhook is not behind CloudFront."
  }
  assert {
    condition = (
      alltrue([for error in aws_cloudfront_distribution.site.custom_error_response : error.response_page_path == null && error.error_caching_min_ttl == 0]) &&
      toset(aws_cloudfront_distribution.site.custom_error_response[*].error_code) == toset([400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504])
    )
    error_message = "No error may be kept, or one visitor's is everybody's for ten seconds; and a page of its own would take the place of the API's problems."
  }
  assert {
    condition = alltrue([for behavior in aws_cloudfront_distribution.site.ordered_cache_behavior :
      contains(["/images/*", "/artist/*", "/api/artists*", "/api/artists/*"], behavior.path_pattern) || behavior.cache_policy_id == "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
    ])
    error_message = "Only pictures and artists' pages may be kept: everything else is somebody's own, or changes."
  }
  assert {
    condition = (
      contains(aws_cloudfront_origin_request_policy.api.headers_config[0].headers[0].items, local.settings.CLIENT_IP_HEADER) &&
      aws_cloudfront_origin_request_policy.api.headers_config[0].header_behavior == "whitelist" &&
      !contains(aws_cloudfront_origin_request_policy.api.headers_config[0].headers[0].items, "host")
    )
    error_message = "The rate limits need CloudFront's word for the caller's address; the function URL refuses a foreign Host."
  }
  assert {
    condition = alltrue([for policy in aws_cloudfront_cache_policy.this :
    policy.parameters_in_cache_key_and_forwarded_to_origin[0].query_strings_config[0].query_string_behavior == "none"])
    error_message = "A query that somebody made up must not pass the cache."
  }
  assert {
    condition     = alltrue([for policy in aws_cloudfront_cache_policy.this : policy.default_ttl == 0 && policy.min_ttl == 0])
    error_message = "Nothing of the functions may be kept unless the function says so."
  }
  assert {
    condition = (
      contains(aws_cloudfront_cache_policy.this["page"].parameters_in_cache_key_and_forwarded_to_origin[0].headers_config[0].headers[0].items, "accept-language") &&
      alltrue([for behavior in aws_cloudfront_distribution.site.ordered_cache_behavior :
      length(behavior.function_association) == (startswith(behavior.path_pattern, "/artist/") ? 1 : 0)])
    )
    error_message = "A page that is kept for one language must not be shown to a reader of the other."
  }

  # --- The headers ---
  assert {
    condition = alltrue([for name, headers in local.headers :
      aws_cloudfront_response_headers_policy.this[name].security_headers_config[0].content_security_policy[0].content_security_policy == headers["content-security-policy"] &&
      aws_cloudfront_response_headers_policy.this[name].security_headers_config[0].strict_transport_security[0].access_control_max_age_sec >= 31536000 &&
      length(setsubtract(keys(headers), concat(local.security_headers, keys(local.custom_headers[name])))) == 0
    ])
    error_message = "Every header of headers.json must be said by CloudFront."
  }

  # --- The site and the pictures ---
  assert {
    condition     = max(length(aws_cloudfront_function.router.code), length(aws_cloudfront_function.language.code)) < 10240
    error_message = "CloudFront takes no function of more than 10 KB: the list of the site's files has grown too long."
  }
  assert {
    condition     = local.uploads_origin == "https://inkflow-test-images-123456789012.s3.eu-west-3.amazonaws.com" && aws_s3_bucket.this["images"].bucket == local.images_bucket
    error_message = "The page may send pictures to the bucket, by the name under which the functions sign for it."
  }
  assert {
    condition = alltrue([for rule in aws_s3_bucket_cors_configuration.images.cors_rule :
    rule.allowed_origins == toset(["https://inkflow.example"]) && rule.allowed_methods == toset(["PUT"]) && rule.allowed_headers == toset(["content-type"])])
    error_message = "Only the site itself may put pictures into the bucket, and do nothing else."
  }
  assert {
    condition     = anytrue([for rule in aws_s3_bucket_lifecycle_configuration.this["images"].rule : try(rule.filter[0].prefix == "incoming/" && rule.expiration[0].days == 1, false)])
    error_message = "A picture that was never taken in must not stay."
  }
  assert {
    condition     = jsondecode(aws_s3_bucket_policy.this["images"].policy).Statement[0].Resource == "${aws_s3_bucket.this["images"].arn}/images/*"
    error_message = "What has just been uploaded is nobody's to see."
  }

  # --- The rest ---
  assert {
    condition     = aws_cloudfront_distribution.site.viewer_certificate[0].minimum_protocol_version == "TLSv1.2_2021"
    error_message = "The own domain speaks TLS 1.2 or newer."
  }
  assert {
    condition     = aws_cloudfront_distribution.site.web_acl_id == aws_wafv2_web_acl.edge[0].arn
    error_message = "The firewall stands before nothing."
  }
  assert {
    condition     = aws_ssm_parameter.public_url.value == "https://inkflow.example"
    error_message = "Links must begin with the site's own domain."
  }
  assert {
    condition = (
      local.secrets_read["stripe-webhook"] == ", secrets version 2.5" && local.secrets_read["page-errors"] == ", secrets version 2" &&
      local.secrets_read["contact"] == "" && !contains(local.reads["stripe-webhook"].parameters, "STRIPE_SECRET_KEY")
    )
    error_message = "A function must start anew when a secret that it reads has changed, and read no other."
  }
  assert {
    condition     = alltrue([for name in ["jobs-dead-letters", "images-dead-letters", "jobs-wait", "sweeper-silent", "refund-failed", "request-failed", "webhook-not-believed"] : aws_cloudwatch_metric_alarm.this[name].alarm_actions == toset([aws_sns_topic.alarms.arn])])
    error_message = "These alarms must reach a person."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.this["sweeper-silent"].treat_missing_data == "breaching"
    error_message = "A sweeper that never runs has no data: silence is the alarm."
  }
  assert {
    condition     = alltrue([for name, reads in local.reads : length(reads.parameters) <= 10])
    error_message = "SSM gives ten parameters in one call."
  }
  assert {
    condition     = strcontains(aws_iam_role.scheduler.assume_role_policy, "aws:SourceAccount")
    error_message = "Another account's schedule could borrow the role."
  }
}

run "the_webhooks_have_a_share_of_their_own_where_the_account_allows_it" {
  command = plan
  assert {
    condition     = local.reserve_webhooks
    error_message = "A flood at a public door must not stop the rest: an account of 1 000 can spare 30."
  }
}

run "a_new_account_reserves_nothing" {
  command = plan
  override_data {
    target = data.aws_servicequotas_service_quota.concurrency
    values = { value = 10 }
  }
  assert {
    condition     = !local.reserve_webhooks
    error_message = "AWS refuses to reserve what would leave less than 100: the first deploy would fail."
  }
}

run "refuses_a_domain_without_certificate" {
  command = plan
  variables {
    domain_name = "inkflow.example"
  }
  expect_failures = [aws_ssm_parameter.public_url]
}

run "refuses_secrets_among_the_settings" {
  command = plan
  variables {
    settings = { STRIPE_SECRET_KEY = "sk_live_x" }
  }
  expect_failures = [var.settings]
}

run "the_old_secret_of_supabase_is_asked_for_and_kept" {
  command = plan
  variables {
    supabase_jwt_secret = true
  }
  assert {
    condition     = contains(local.secrets, "SUPABASE_JWT_SECRET") && contains(local.capabilities.accounts.parameters, "SUPABASE_JWT_SECRET")
    error_message = "Functions that know accounts must read the secret."
  }
}

run "the_secret_key_of_supabase_is_read_by_who_signs_in_and_by_nobody_else" {
  command = plan
  variables {
    supabase_secret_key = true
  }
  assert {
    condition     = contains(local.secrets, "SUPABASE_SECRET_KEY") && [for name, of in local.capabilities : name if contains(of.parameters, "SUPABASE_SECRET_KEY")] == ["sign_in"]
    error_message = "It can do everything in the project."
  }
  assert {
    condition     = [for name, of in local.functions : name if contains(of.uses, "sign_in")] == ["session"]
    error_message = "Only one function signs in."
  }
}

run "one_visitors_odd_request_wakes_nobody" {
  command = plan
  assert {
    condition = alltrue([for name in ["artist-page", "slots", "contact", "create-booking", "booking-status", "release-booking", "calendar-file", "page-errors", "session", "calcom-webhook"] :
    contains(local.open_functions, name) && aws_cloudwatch_metric_alarm.this["${name}-crashed"].threshold == 2 && aws_cloudwatch_metric_alarm.this["${name}-crashed"].period == 3600])
    error_message = "A function that anybody may call rings at the third crash of an hour."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.this["visit-failed"].threshold == 2 && aws_cloudwatch_metric_alarm.this["visit-failed"].period == 3600 && aws_cloudwatch_metric_alarm.this["request-not-served"].threshold == 9
    error_message = "Failures that one visitor can bring about are counted before they ring."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.this["request-failed"].threshold == 0 && alltrue([for name in ["stripe-webhook", "worker", "dashboard-bookings"] : aws_cloudwatch_metric_alarm.this["${name}-crashed"].threshold == 0])
    error_message = "What comes once, and is money or somebody's work, rings at once."
  }
  assert {
    condition     = setunion([for key, of in local.signal_filters : of.function if of.signal == "request-failed"], [for key, of in local.signal_filters : of.function if of.signal == "visit-failed"]) == toset(local.http_functions)
    error_message = "Every function that answers requests is listened to."
  }
}

run "refuses_a_shifted_clock" {
  command = plan
  variables {
    settings = { CLOCK_SHIFT_SECONDS = "60" }
  }
  expect_failures = [var.settings]
}

run "refuses_names_that_aws_refuses" {
  command = plan
  variables {
    env        = "Prod!"
    account_id = "12"
    mail_from  = "nobody"
  }
  expect_failures = [var.env, var.account_id, var.mail_from]
}

# --- Domains ---

run "a_domain_whose_dns_is_elsewhere_is_told_what_to_enter_there" {
  variables {
    domain_name     = "inkflow.example"
    certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/mine"
  }
  assert {
    condition = (
      output.distribution_domain == "d1.cloudfront.net" &&
      contains(output.dns_records, { name = "inkflow.example", type = "CNAME", value = "d1.cloudfront.net" })
    )
    error_message = "Whoever has the DNS elsewhere must be told where the name has to lead."
  }
  assert {
    condition = (
      length([for record in output.dns_records : record if endswith(record.name, "._domainkey.mail.example.com")]) == 3 &&
      length(output.dns_records) == 7 && length(aws_route53_record.mail) == 0
    )
    error_message = "The records of the mail domain belong among those to enter: three of DKIM, DMARC, MX and SPF of the bounces, beside the site's."
  }
}

run "a_mail_domain_of_another_zone_is_left_to_its_owner" {
  variables {
    domain_name    = "inkflow.example"
    hosted_zone_id = "Z1"
  }
  assert {
    condition     = length(aws_route53_record.mail) == 0 && length(output.dns_records) == 6
    error_message = "A record of mail.example.com in the zone of inkflow.example would be asked for by nobody."
  }
}

run "a_mail_domain_of_the_same_zone_needs_no_hand_but_for_dmarc" {
  variables {
    domain_name    = "inkflow.example"
    hosted_zone_id = "Z1"
    mail_from      = "bonjour@mail.inkflow.example"
  }
  assert {
    condition     = length(aws_route53_record.mail) == 5 && [for record in output.dns_records : record.name] == ["_dmarc.mail.inkflow.example"]
    error_message = "With the zone, the records are made; DMARC speaks for all mail of the domain and is its owner's."
  }
}

run "a_mail_domain_that_ses_knows_already_is_used_and_not_made" {
  variables {
    create_mail_identity = false
    domain_name          = "inkflow.example"
    hosted_zone_id       = "Z1"
    mail_from            = "bonjour@mail.inkflow.example"
  }
  assert {
    condition = (
      length(aws_sesv2_email_identity.this) == 0 && length(aws_sesv2_email_identity_mail_from_attributes.this) == 0 &&
      length(data.aws_sesv2_email_identity.known) == 1
    )
    error_message = "SES refuses to make an identity twice, when most of the platform stands already."
  }
  assert {
    condition     = length(aws_route53_record.mail) == 0 && length(output.dns_records) == 0
    error_message = "The DNS of a known identity is somebody else's."
  }
  assert {
    condition     = local.permissions.mail.Resource[0] == "arn:aws:ses:eu-west-3:123456789012:identity/mail.inkflow.example"
    error_message = "The worker must be allowed to send in its name."
  }
}

run "https_reaches_as_far_as_the_operator_says" {
  command = plan
  assert {
    condition     = alltrue([for headers in local.headers : !strcontains(headers["strict-transport-security"], "ubDomains") && !strcontains(headers["strict-transport-security"], "preload")])
    error_message = "By default only the site's own name: on a company's domain the rest would shut out every http-only host for two years."
  }
}

run "https_for_all_of_the_domain_when_wanted" {
  command = plan
  variables {
    hsts = "preload"
  }
  assert {
    condition = alltrue([for policy in aws_cloudfront_response_headers_policy.this :
    policy.security_headers_config[0].strict_transport_security[0].include_subdomains && policy.security_headers_config[0].strict_transport_security[0].preload])
    error_message = "hsts = preload must reach CloudFront."
  }
}

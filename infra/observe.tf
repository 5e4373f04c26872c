# What tells a person that something is wrong: alarms, a dashboard, a budget. README.md says what to do about each.

resource "aws_sns_topic" "alarms" {
  name = "${local.name}-alarms"
}

resource "aws_sns_topic_subscription" "alarms" {
  count     = var.alarm_email == null ? 0 : 1
  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = var.alarm_email
}

# What cannot wait for the morning goes to a pager as well.
resource "aws_sns_topic" "pager" {
  count = var.pager_url == null ? 0 : 1
  name  = "${local.name}-pager"
}

resource "aws_sns_topic_subscription" "pager" {
  count                  = var.pager_url == null ? 0 : 1
  topic_arn              = aws_sns_topic.pager[0].arn
  protocol               = "https"
  endpoint               = var.pager_url
  endpoint_auto_confirms = true
}

locals {
  http_functions = [for name, access in local.access : name if access != "none"]

  # Anybody may knock at these. One failure can be the odd idea of one visitor, so it takes three in an hour to wake a person; behind
  # a sign-in or Stripe's signature it takes one, because what comes there comes once and is somebody's work or money.
  open_functions = [for name in local.http_functions : name if !startswith(name, "dashboard-") && name != "stripe-webhook"]

  # Lines of the log that a person must know of. A test looks each text up in the source of the functions.
  signals = {
    # The database has an alarm of its own, and is one message when it is away.
    request-failed       = { functions = setsubtract(local.http_functions, local.open_functions), pattern = "\"request failed\" -\"the database cannot be reached\"", threshold = 1 }
    visit-failed         = { functions = local.open_functions, pattern = "\"request failed\" -\"the database cannot be reached\"", threshold = 3, period = 3600 }
    request-not-served   = { functions = local.http_functions, pattern = "\"request not served\" -\"the database cannot be reached\"", threshold = 10 }
    database-unreachable = { functions = local.http_functions, pattern = "\"request not served\" \"the database cannot be reached\"", threshold = 3 }
    page-failed          = { functions = ["page-errors"], pattern = "\"a page failed\"", threshold = 1 }
    webhook-not-believed = { functions = ["stripe-webhook"], pattern = "\"a webhook is not from Stripe\"", threshold = 3 }
    webhook-unknown      = { functions = ["stripe-webhook", "sweeper"], pattern = "\"an event belongs to no booking\"", threshold = 1 }
    refund-failed        = { functions = ["worker", "sweeper"], pattern = "\"a refund has failed\"", threshold = 1 }
    payment-disputed     = { functions = ["stripe-webhook", "sweeper"], pattern = "\"event applied\" \"charge.dispute.created\"", threshold = 1 }
    refund-refused       = { functions = ["worker"], pattern = "\"job discarded\" \"Stripe refuses the refund\"", threshold = 1 }
    job-given-up         = { functions = ["worker"], pattern = "\"job given up\"", threshold = 1 }
    mail-in-doubt        = { functions = ["worker", "sweeper"], pattern = "\"nobody knows whether a mail arrived\"", threshold = 1 }
    mails-withheld       = { functions = ["worker"], pattern = "\"a mail was withheld\"", threshold = 20 }
    refund-stuck         = { functions = ["sweeper"], pattern = "\"money is owed and nothing gives it back\"", threshold = 1 }
    webhook-lost         = { functions = ["sweeper"], pattern = "\"no webhook had brought this event\"", threshold = 1 }
    event-unreadable     = { functions = ["stripe-webhook"], pattern = "\"an event cannot be read\"", threshold = 1 }
    event-not-applied    = { functions = ["sweeper"], pattern = "\"an event could not be applied\"", threshold = 3, period = 900 }
    sweep-too-long       = { functions = ["sweeper"], pattern = "\"the sweep ran out of time\"", threshold = 10, period = 900 }
    hook-not-believed    = { functions = ["calcom-webhook"], pattern = "\"a webhook is not from the artist's Cal.com\"", threshold = 10 }
    holds-want-proof     = { functions = ["create-booking"], pattern = "\"a hold wants a proof\"", threshold = 50 }
    network-holds-much   = { functions = ["create-booking"], pattern = "\"a network holds too much\"", threshold = 20 }
    queue-unreachable    = { functions = ["sweeper"], pattern = "\"the queue takes no jobs\"", threshold = 3 }
  }
  signal_filters = merge([for signal, of in local.signals : {
    for function in of.functions : "${signal} ${function}" => { signal = signal, function = function, pattern = of.pattern }
  }]...)

  # Nobody can book, nobody is asked for the money, or money that was paid moves nothing: the alarms that wake people.
  wake = ["database-unreachable", "sweeper-silent", "jobs-wait", "queue-unreachable", "site-down", "site-fails"]

  # Every alarm is this, with the differences below. `missing` is what silence means.
  alarm = { statistic = "Sum", period = 300, periods = 1, above = 0, below = null, missing = "notBreaching", dimensions = {} }
  alarms = merge(
    { for name, of in local.signals : name => merge(local.alarm, {
      namespace = local.name, metric = name, above = of.threshold - 1, period = try(of.period, 300), what = "The log says ${of.pattern}"
    }) },
    { for name in keys(local.functions) : "${name}-crashed" => merge(local.alarm, {
      namespace  = "AWS/Lambda", metric = "Errors", what = "${name} crashed, ran out of time, or does not start"
      above      = contains(concat(local.open_functions, ["sweeper"]), name) ? 2 : 0
      period     = contains(local.open_functions, name) ? 3600 : 300
      dimensions = { FunctionName = "${local.name}-${name}" }
    }) },
    # What calls these two is not seen by CloudFront.
    { for name in ["stripe-webhook", "calcom-webhook"] : "${name}-url-fails" => merge(local.alarm, {
      namespace  = "AWS/Lambda", metric = "Url5xxCount", above = 2, period = 900, what = "The URL of ${name} answers with errors"
      dimensions = { FunctionName = module.function[name].name }
    }) },
    { for name, queue in aws_sqs_queue.dead : "${name}-dead-letters" => merge(local.alarm, {
      namespace  = "AWS/SQS", metric = "ApproximateNumberOfMessagesVisible", statistic = "Maximum", period = 60, what = "Something of ${name} failed too often"
      dimensions = { QueueName = queue.name }
    }) },
    {
      throttled = merge(local.alarm, {
        namespace = "AWS/Lambda", metric = "Throttles", above = 10, what = "The account runs more functions at once than it may"
      })
      jobs-wait = merge(local.alarm, {
        namespace  = "AWS/SQS", metric = "ApproximateAgeOfOldestMessage", statistic = "Maximum", period = 60, periods = 5, above = 900, what = "Jobs wait for more than 15 minutes"
        dimensions = { QueueName = aws_sqs_queue.jobs.name }
      })
      sweeper-silent = merge(local.alarm, {
        namespace  = "AWS/Lambda", metric = "Invocations", above = null, below = 1, periods = 2, missing = "breaching", what = "The sweeper did not run for 10 minutes"
        dimensions = { FunctionName = "${local.name}-sweeper" }
      })
      mails-bounce = merge(local.alarm, {
        namespace = "AWS/SES", metric = "Reputation.BounceRate", statistic = "Maximum", period = 3600, above = 0.04, what = "More than 4 % of the mails bounce: AWS acts at 5 %"
      })
      mails-complaints = merge(local.alarm, {
        namespace = "AWS/SES", metric = "Reputation.ComplaintRate", statistic = "Maximum", period = 3600, above = 0.0008, what = "Mails are reported as spam: AWS acts at 0.1 %"
      })
    },
  )
}

resource "aws_cloudwatch_log_metric_filter" "signal" {
  for_each       = local.signal_filters
  name           = each.value.signal
  log_group_name = module.function[each.value.function].log_group
  pattern        = each.value.pattern
  metric_transformation {
    namespace     = local.name
    name          = each.value.signal
    value         = "1"
    default_value = "0"
  }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each            = local.alarms
  alarm_name          = "${local.name}-${each.key}"
  alarm_description   = "${each.value.what}. What to do: infra/README.md, \"${each.key}\"."
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic
  period              = each.value.period
  evaluation_periods  = each.value.periods
  comparison_operator = each.value.below == null ? "GreaterThanThreshold" : "LessThanThreshold"
  threshold           = each.value.below == null ? each.value.above : each.value.below
  treat_missing_data  = each.value.missing
  alarm_actions       = concat([aws_sns_topic.alarms.arn], contains(local.wake, each.key) ? aws_sns_topic.pager[*].arn : [])
  ok_actions          = concat([aws_sns_topic.alarms.arn], contains(local.wake, each.key) ? aws_sns_topic.pager[*].arn : [])
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = local.name
  dashboard_body = jsonencode({
    widgets = [for index, widget in [
      { title = "Requests and runs", stat = "Sum", metrics = [for name in keys(local.functions) : ["AWS/Lambda", "Invocations", "FunctionName", "${local.name}-${name}"]] },
      { title = "Crashes", stat = "Sum", metrics = [for name in keys(local.functions) : ["AWS/Lambda", "Errors", "FunctionName", "${local.name}-${name}"]] },
      { title = "Time, 99 of 100 (ms)", stat = "p99", metrics = [for name in keys(local.functions) : ["AWS/Lambda", "Duration", "FunctionName", "${local.name}-${name}"]] },
      { title = "At the same time", stat = "Maximum", metrics = [for name in keys(local.functions) : ["AWS/Lambda", "ConcurrentExecutions", "FunctionName", "${local.name}-${name}"]] },
      { title = "What the log tells", stat = "Sum", metrics = [for name in keys(local.signals) : [local.name, name]] },
      { title = "Jobs", stat = "Maximum", metrics = [
        ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", aws_sqs_queue.jobs.name],
        ["AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", aws_sqs_queue.jobs.name],
        ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", aws_sqs_queue.dead["jobs"].name],
        ["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", aws_sqs_queue.dead["images"].name],
      ] },
      { title = "Mails", stat = "Sum", metrics = [["AWS/SES", "Send"], ["AWS/SES", "Delivery"], ["AWS/SES", "Bounce"], ["AWS/SES", "Complaint"]] },
      ] : {
      type       = "metric", width = 12, height = 6, x = index % 2 * 12, y = floor(index / 2) * 6
      properties = { title = widget.title, stat = widget.stat, metrics = widget.metrics, period = 300, region = var.region, view = "timeSeries" }
    }]
  })
}

# --- The site, seen from outside: where CloudFront, certificates and Route 53 count, in us-east-1 --------------------------

resource "aws_sns_topic" "edge" {
  provider = aws.us_east_1
  name     = "${local.name}-alarms-edge"
}

resource "aws_sns_topic_subscription" "edge" {
  count     = var.alarm_email == null ? 0 : 1
  provider  = aws.us_east_1
  topic_arn = aws_sns_topic.edge.arn
  protocol  = "email"
  endpoint  = var.alarm_email
}

resource "aws_sns_topic_subscription" "edge_pager" {
  count                  = var.pager_url == null ? 0 : 1
  provider               = aws.us_east_1
  topic_arn              = aws_sns_topic.edge_pager[0].arn
  protocol               = "https"
  endpoint               = var.pager_url
  endpoint_auto_confirms = true
}

resource "aws_sns_topic" "edge_pager" {
  count    = var.pager_url == null ? 0 : 1
  provider = aws.us_east_1
  name     = "${local.name}-pager-edge"
}

locals {
  # Of few requests one is many per cent, so that a robot at night would be an alarm.
  site_rates = {
    site-fails   = { rate = "5xxErrorRate", above = 5, requests = 20, what = "More than 5 % of what CloudFront answers are errors of ours" }
    site-refuses = { rate = "4xxErrorRate", above = 60, requests = 300, what = "More than 60 % of what CloudFront answers are 4xx: a permission is gone, or files of the site, or a robot looks for holes" }
  }
  site_host = var.domain_name == null ? aws_cloudfront_distribution.site.domain_name : var.domain_name
}

resource "aws_cloudwatch_metric_alarm" "site" {
  for_each            = var.emulator ? {} : local.site_rates
  provider            = aws.us_east_1
  alarm_name          = "${local.name}-${each.key}"
  alarm_description   = "${each.value.what}. What to do: infra/README.md, \"${each.key}\"."
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.above
  evaluation_periods  = 2
  treat_missing_data  = "notBreaching"
  alarm_actions       = concat([aws_sns_topic.edge.arn], contains(local.wake, each.key) ? aws_sns_topic.edge_pager[*].arn : [])
  ok_actions          = concat([aws_sns_topic.edge.arn], contains(local.wake, each.key) ? aws_sns_topic.edge_pager[*].arn : [])

  metric_query {
    id          = "often"
    expression  = "IF(requests > ${each.value.requests}, rate, 0)"
    label       = each.value.rate
    return_data = true
  }
  metric_query {
    id = "rate"
    metric {
      namespace   = "AWS/CloudFront"
      metric_name = each.value.rate
      dimensions  = { DistributionId = aws_cloudfront_distribution.site.id, Region = "Global" }
      stat        = "Average"
      period      = 300
    }
  }
  metric_query {
    id = "requests"
    metric {
      namespace   = "AWS/CloudFront"
      metric_name = "Requests"
      dimensions  = { DistributionId = aws_cloudfront_distribution.site.id, Region = "Global" }
      stat        = "Sum"
      period      = 300
    }
  }
}

# From three parts of the world, twice a minute: what no log of ours can tell, because nothing of ours runs.
resource "aws_route53_health_check" "site" {
  for_each          = var.emulator ? toset([]) : toset(var.outside_checks)
  fqdn              = local.site_host
  port              = 443
  type              = "HTTPS"
  resource_path     = each.key
  request_interval  = 30
  failure_threshold = 3
  enable_sni        = true
  regions           = ["eu-west-1", "us-east-1", "ap-southeast-1"]
  tags              = { Name = "${local.name} ${each.key}" }
}

resource "aws_cloudwatch_metric_alarm" "site_down" {
  for_each            = aws_route53_health_check.site
  provider            = aws.us_east_1
  alarm_name          = "${local.name}-site-down ${each.key}"
  alarm_description   = "https://${local.site_host}${each.key} does not answer to the world. What to do: infra/README.md, \"site-down\"."
  namespace           = "AWS/Route53"
  metric_name         = "HealthCheckStatus"
  dimensions          = { HealthCheckId = each.value.id }
  statistic           = "Minimum"
  period              = 60
  evaluation_periods  = 3
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  treat_missing_data  = "breaching"
  alarm_actions       = concat([aws_sns_topic.edge.arn], aws_sns_topic.edge_pager[*].arn)
  ok_actions          = concat([aws_sns_topic.edge.arn], aws_sns_topic.edge_pager[*].arn)
}

# AWS renews it by itself 60 days before the end, as long as the record of its validation is in the DNS.
resource "aws_cloudwatch_metric_alarm" "certificate" {
  count               = var.domain_name == null ? 0 : 1
  provider            = aws.us_east_1
  alarm_name          = "${local.name}-certificate-ends"
  alarm_description   = "The site's certificate ends in less than three weeks. What to do: infra/README.md, \"certificate-ends\"."
  namespace           = "AWS/CertificateManager"
  metric_name         = "DaysToExpiry"
  dimensions          = { CertificateArn = local.certificate_arn }
  statistic           = "Minimum"
  period              = 86400
  evaluation_periods  = 1
  comparison_operator = "LessThanThreshold"
  threshold           = 21
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.edge.arn]
  ok_actions          = [aws_sns_topic.edge.arn]
}

resource "aws_budgets_budget" "monthly" {
  count        = var.alarm_email == null ? 0 : 1
  name         = local.name
  budget_type  = "COST"
  limit_amount = tostring(var.monthly_budget_usd)
  limit_unit   = "USD"
  time_unit    = "MONTHLY"

  # This environment and nothing else of the account, once AWS counts by its tag (infra/README.md, "What it costs").
  dynamic "cost_filter" {
    for_each = var.budget_by_tag ? { TagKeyValue = ["user:stack${"$"}${local.name}"] } : {}
    content {
      name   = cost_filter.key
      values = cost_filter.value
    }
  }

  dynamic "notification" {
    for_each = { FORECASTED = 80, ACTUAL = 100 }
    content {
      comparison_operator        = "GREATER_THAN"
      notification_type          = notification.key
      threshold                  = notification.value
      threshold_type             = "PERCENTAGE"
      subscriber_email_addresses = [var.alarm_email]
    }
  }
}

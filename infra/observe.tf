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

locals {
  http_functions = [for name, access in local.access : name if access != "none"]

  # Lines of the log that a person must know of. A test looks each text up in the source of the functions.
  signals = {
    request-failed       = { functions = local.http_functions, pattern = "\"request failed\"", threshold = 1 }
    page-failed          = { functions = ["page-errors"], pattern = "\"a page failed\"", threshold = 1 }
    webhook-not-believed = { functions = ["stripe-webhook"], pattern = "\"a webhook is not from Stripe\"", threshold = 3 }
    webhook-unknown      = { functions = ["stripe-webhook", "sweeper"], pattern = "\"an event belongs to no booking\"", threshold = 1 }
    refund-failed        = { functions = ["stripe-webhook"], pattern = "\"event applied\" \"refund.failed\"", threshold = 1 }
    payment-disputed     = { functions = ["stripe-webhook"], pattern = "\"event applied\" \"charge.dispute.created\"", threshold = 1 }
    refund-refused       = { functions = ["worker"], pattern = "\"job discarded\" \"Stripe refuses the refund\"", threshold = 1 }
    job-given-up         = { functions = ["worker"], pattern = "\"job given up\"", threshold = 1 }
    refund-stuck         = { functions = ["sweeper"], pattern = "\"money is owed and nothing gives it back\"", threshold = 1 }
    webhook-lost         = { functions = ["sweeper"], pattern = "\"no webhook had brought this event\"", threshold = 1 }
    hook-not-believed    = { functions = ["calcom-webhook"], pattern = "\"a webhook is not from the artist's Cal.com\"", threshold = 10 }
    holds-want-proof     = { functions = ["create-booking"], pattern = "\"a hold wants a proof\"", threshold = 50 }
    network-holds-much   = { functions = ["create-booking"], pattern = "\"a network holds too much\"", threshold = 20 }
    queue-unreachable    = { functions = ["sweeper"], pattern = "\"the queue takes no jobs\"", threshold = 3 }
  }
  signal_filters = merge([for signal, of in local.signals : {
    for function in of.functions : "${signal} ${function}" => { signal = signal, function = function, pattern = of.pattern }
  }]...)

  # Every alarm is this, with the differences below. `missing` is what silence means.
  alarm = { statistic = "Sum", period = 300, periods = 1, above = 0, below = null, missing = "notBreaching", dimensions = {} }
  alarms = merge(
    { for name, of in local.signals : name => merge(local.alarm, {
      namespace = local.name, metric = name, above = of.threshold - 1, what = "The log says ${of.pattern}"
    }) },
    { for name in keys(local.functions) : "${name}-crashed" => merge(local.alarm, {
      namespace  = "AWS/Lambda", metric = "Errors", above = name == "sweeper" ? 2 : 0, what = "${name} crashed, ran out of time, or does not start"
      dimensions = { FunctionName = "${local.name}-${name}" }
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
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
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

resource "aws_budgets_budget" "monthly" {
  count        = var.alarm_email == null ? 0 : 1
  name         = local.name
  budget_type  = "COST"
  limit_amount = tostring(var.monthly_budget_usd)
  limit_unit   = "USD"
  time_unit    = "MONTHLY"

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

# The queue of jobs, the worker that reads it, and what nobody could deal with.

locals {
  jobs_arn = "arn:aws:sqs:${var.region}:${var.account_id}:${local.name}-jobs"
}

resource "aws_sqs_queue" "jobs" {
  name                       = "${local.name}-jobs"
  visibility_timeout_seconds = 6 * local.functions.worker.timeout # AWS's advice: a batch may be retried while it is throttled
  message_retention_seconds  = 4 * 24 * 3600
  receive_wait_time_seconds  = 20
  sqs_managed_sse_enabled    = true
  # As often as the worker tries a job: what comes back more often is no job.
  redrive_policy = jsonencode({ deadLetterTargetArn = aws_sqs_queue.dead["jobs"].arn, maxReceiveCount = tonumber(lookup(var.settings, "JOB_MAX_ATTEMPTS", "8")) })
}

# Jobs that came back too often, and pictures that could not be taken in.
resource "aws_sqs_queue" "dead" {
  for_each                  = toset(["jobs", "images"])
  name                      = "${local.name}-${each.key}-dead"
  message_retention_seconds = 14 * 24 * 3600
  sqs_managed_sse_enabled   = true
}

resource "aws_sqs_queue_redrive_allow_policy" "dead" {
  queue_url            = aws_sqs_queue.dead["jobs"].url
  redrive_allow_policy = jsonencode({ redrivePermission = "byQueue", sourceQueueArns = [local.jobs_arn] })
}

resource "aws_sqs_queue_policy" "tls_only" {
  for_each  = { jobs = aws_sqs_queue.jobs, jobs-dead = aws_sqs_queue.dead["jobs"], images-dead = aws_sqs_queue.dead["images"] }
  queue_url = each.value.url
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat([{
      Sid       = "OnlyOverTls", Effect = "Deny", Principal = "*", Action = "sqs:*", Resource = each.value.arn
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
      }], each.key != "jobs" ? [] : [{
      Sid       = "MailsThatCameBack", Effect = "Allow", Principal = { Service = "sns.amazonaws.com" }, Action = "sqs:SendMessage", Resource = each.value.arn
      Condition = { ArnEquals = { "aws:SourceArn" = aws_sns_topic.mail_failures.arn } }
    }])
  })
}

resource "aws_lambda_event_source_mapping" "worker" {
  event_source_arn        = aws_sqs_queue.jobs.arn
  function_name           = module.function["worker"].live_arn
  batch_size              = 10
  function_response_types = ["ReportBatchItemFailures"] # one bad job must not repeat nine good ones
  # Never more than the reserved concurrency, or AWS would count throttled messages as received.
  scaling_config { maximum_concurrency = 5 }
}

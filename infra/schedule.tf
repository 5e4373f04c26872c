# The sweeper, once a minute.

locals {
  sweeper_arn = "arn:aws:lambda:${var.region}:${var.account_id}:function:${local.name}-sweeper:live"
}

resource "aws_scheduler_schedule_group" "this" {
  name = local.name
}

resource "aws_scheduler_schedule" "sweeper" {
  name                = "${local.name}-sweeper"
  group_name          = aws_scheduler_schedule_group.this.name
  schedule_expression = "rate(1 minute)"
  flexible_time_window { mode = "OFF" }
  target {
    arn      = module.function["sweeper"].live_arn
    role_arn = aws_iam_role.scheduler.arn
    input    = jsonencode({})
    # The next minute is the retry.
    retry_policy {
      maximum_retry_attempts       = 0
      maximum_event_age_in_seconds = 60
    }
  }
  depends_on = [aws_iam_role_policy.scheduler, aws_ssm_parameter.public_url]
}

# The schedule calls without waiting for the end, so it is Lambda that would repeat a run which failed, twice, beside the next
# minute's: three counts of one failure, and two sweeps at once.
resource "aws_lambda_function_event_invoke_config" "sweeper" {
  function_name                = module.function["sweeper"].name
  qualifier                    = "live"
  maximum_retry_attempts       = 0
  maximum_event_age_in_seconds = 60
  depends_on                   = [module.function]
}

resource "aws_iam_role" "scheduler" {
  name = "${local.name}-scheduler"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "scheduler.amazonaws.com" }
      # Only our own schedule may borrow it.
      Condition = { StringEquals = { "aws:SourceAccount" = var.account_id, "aws:SourceArn" = "arn:aws:scheduler:${var.region}:${var.account_id}:schedule-group/${local.name}" } }
    }]
  })
}

resource "aws_iam_role_policy" "scheduler" {
  name = "least-privilege"
  role = aws_iam_role.scheduler.id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = ["lambda:InvokeFunction"], Resource = [local.sweeper_arn] }]
  })
}

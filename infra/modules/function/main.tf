# One function: code, role, log, the alias `live` that everything calls, and its URL.

terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

resource "aws_iam_role" "this" {
  name = var.name
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }]
  })
}

resource "aws_iam_role_policy" "this" {
  name = "least-privilege"
  role = aws_iam_role.this.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [for statement in concat(
      # CreateLogGroup is not among them: a group that Terraform did not make would never expire.
      [{ Action = ["logs:CreateLogStream", "logs:PutLogEvents"], Resource = ["${aws_cloudwatch_log_group.this.arn}:*"] }],
      var.statements,
    ) : merge({ Effect = "Allow" }, statement)]
  })
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/aws/lambda/${var.name}"
  retention_in_days = var.log_retention_days
}

resource "aws_lambda_function" "this" {
  function_name                  = var.name
  description                    = var.description
  role                           = aws_iam_role.this.arn
  runtime                        = "provided.al2023"
  handler                        = "bootstrap"
  architectures                  = [var.architecture]
  filename                       = var.zip
  source_code_hash               = filebase64sha256(var.zip)
  memory_size                    = var.memory
  timeout                        = var.timeout
  reserved_concurrent_executions = var.reserved_concurrency
  publish                        = true

  environment { variables = var.environment }

  logging_config {
    log_format       = "JSON"
    system_log_level = "WARN"
    log_group        = aws_cloudwatch_log_group.this.name
  }

  depends_on = [aws_iam_role_policy.this]
}

# Everything calls the alias, so that `make rollback` is one call and takes a second.
resource "aws_lambda_alias" "live" {
  name             = "live"
  function_name    = aws_lambda_function.this.function_name
  function_version = aws_lambda_function.this.version
}

resource "aws_lambda_function_url" "this" {
  count              = var.url == "none" ? 0 : 1
  function_name      = aws_lambda_function.this.function_name
  qualifier          = aws_lambda_alias.live.name
  authorization_type = var.url == "signed" ? "AWS_IAM" : "NONE"
  # No `cors` here: the function answers preflights itself, and two answers would be one too many.
}

# A public URL needs two permissions, an older one too since November 2026. Terraform gives InvokeFunctionUrl with the URL; this provider
# has no word for the other, InvokeFunction only through the URL, so CloudFormation says it. Without it: 403.
resource "aws_cloudformation_stack" "public" {
  count = var.url == "public" ? 1 : 0
  name  = "${var.name}-url"
  template_body = jsonencode({
    Resources = {
      Invoke = {
        Type = "AWS::Lambda::Permission"
        Properties = {
          Action                = "lambda:InvokeFunction"
          FunctionName          = aws_lambda_alias.live.arn
          Principal             = "*"
          InvokedViaFunctionUrl = true
        }
      }
    }
  })
}

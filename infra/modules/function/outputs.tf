output "name" {
  description = "Its name."
  value       = aws_lambda_function.this.function_name
}

output "live_arn" {
  description = "What queue and schedule call."
  value       = aws_lambda_alias.live.arn
}

output "url" {
  description = "Its URL; none when nobody calls it over HTTP."
  value       = one(aws_lambda_function_url.this[*].function_url)
}

output "log_group" {
  description = "Name of its log."
  value       = aws_cloudwatch_log_group.this.name
}

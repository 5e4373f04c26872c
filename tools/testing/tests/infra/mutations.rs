//! Small wrong turns of `infra/`, one after the other, and where the reviewed plan shows each. A turn that no text shows is
//! one that nobody would notice.
//!
//! To plan takes seconds, so that many are made at once, each at a resource of its own, and told apart by where they show. Whatever
//! is not found among others is made once more alone.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use dev::platform::checkout;
use futures_util::future::join_all;

use crate::plan::{Desk, blocks, reviewable, reviewed};
use crate::platform::terraform;

/// How many plans are made at the same time: each takes a gigabyte.
const AT_ONCE: usize = 2;

struct Turn {
    what: &'static str,
    /// Below `infra/`.
    file: &'static str,
    find: &'static str,
    put: &'static str,
    /// The resource that shows it. Of brothers who all change, the first: the others say that they are like it.
    at: &'static str,
    /// A word of the line that comes or goes.
    shows: &'static str,
}

const fn turn(
    what: &'static str,
    file: &'static str,
    [find, put]: [&'static str; 2],
    [at, shows]: [&'static str; 2],
) -> Turn {
    Turn { what, file, find, put, at, shows }
}

const DISTRIBUTION: &str = "aws_cloudfront_distribution.site";
const FIREWALL: &str = "aws_wafv2_web_acl.edge[0]";

#[rustfmt::skip]
const TURNS: &[Turn] = &[
    // --- Who may call what ---
    turn("every function's URL is public", "modules/function/main.tf",
        [r#"var.url == "signed" ? "AWS_IAM" : "NONE""#, r#""NONE""#],
        [r#"module.function["artist-page"].aws_lambda_function_url.this[0]"#, "authorization_type"]),
    turn("the webhooks' URLs are signed", "functions.tf",
        [r#": local.access[each.key] == "site" ? "signed" : "public""#, r#": "signed""#],
        [r#"module.function["calcom-webhook"].aws_lambda_function_url.this[0]"#, "authorization_type"]),
    turn("a stranger may invoke a webhook past its URL", "modules/function/main.tf",
        ["          InvokedViaFunctionUrl = true\n", ""],
        [r#"module.function["calcom-webhook"].aws_cloudformation_stack.public[0]"#, "InvokedViaFunctionUrl"]),
    turn("the URL leads past the alias", "modules/function/main.tf",
        ["  qualifier          = aws_lambda_alias.live.name\n", ""],
        [r#"module.function["artist-page"].aws_lambda_function_url.this[0]"#, "qualifier"]),
    turn("CloudFront may not invoke", "cdn.tf",
        [r#"["InvokeFunctionUrl", "InvokeFunction"]"#, r#"["InvokeFunctionUrl"]"#],
        [r#"aws_lambda_permission.cloudfront["slots InvokeFunction"]"#, "lambda:InvokeFunction"]),
    turn("any distribution may call the functions", "cdn.tf",
        ["  principal     = \"cloudfront.amazonaws.com\"\n  source_arn    = aws_cloudfront_distribution.site.arn\n", "  principal     = \"cloudfront.amazonaws.com\"\n"],
        [r#"aws_lambda_permission.cloudfront["artist-page InvokeFunction"]"#, "source_arn"]),
    turn("anybody's bucket may call image-intake", "site.tf",
        ["  source_arn     = aws_s3_bucket.this[\"images\"].arn\n  source_account = var.account_id\n", ""],
        ["aws_lambda_permission.images", "source_arn"]),
    turn("anybody's account may name the pictures' bucket", "site.tf",
        ["  source_account = var.account_id\n", ""],
        ["aws_lambda_permission.images", "source_account"]),
    turn("CloudFront signs nothing", "cdn.tf",
        [r#"signing_behavior                  = "always""#, r#"signing_behavior                  = "never""#],
        [r#"aws_cloudfront_origin_access_control.this["lambda"]"#, "signing_behavior"]),
    turn("CloudFront signs unless the visitor does", "cdn.tf",
        [r#"signing_behavior                  = "always""#, r#"signing_behavior                  = "no-override""#],
        [r#"aws_cloudfront_origin_access_control.this["lambda"]"#, "signing_behavior"]),
    turn("the functions are asked with the buckets' signature", "cdn.tf",
        [r#"aws_cloudfront_origin_access_control.this["lambda"].id"#, r#"aws_cloudfront_origin_access_control.this["s3"].id"#],
        [DISTRIBUTION, "origin_access_control_id"]),

    // --- What CloudFront hands on, keeps and says ---
    turn("the body's hash is not handed on", "handed-on.json",
        [",\n    \"x-amz-content-sha256\"", ""],
        ["aws_cloudfront_origin_request_policy.api", "x-amz-content-sha256"]),
    turn("the idempotency key is not handed on", "handed-on.json",
        ["    \"idempotency-key\",\n", ""],
        ["aws_cloudfront_origin_request_policy.api", "idempotency-key"]),
    turn("the page that asks is not handed on, so that no cookie is believed", "handed-on.json",
        ["    \"origin\",\n", ""],
        ["aws_cloudfront_origin_request_policy.api", r#""origin""#]),
    turn("the visitor's address is not handed on", "handed-on.json",
        ["    \"cloudfront-viewer-address\",\n", ""],
        ["aws_cloudfront_origin_request_policy.api", "cloudfront-viewer-address"]),
    turn("cookies are not handed on", "handed-on.json",
        [r#""cookies": "all""#, r#""cookies": "none""#],
        ["aws_cloudfront_origin_request_policy.api", "cookie_behavior"]),
    turn("queries are not handed on", "handed-on.json",
        [r#""queries": "all""#, r#""queries": "none""#],
        ["aws_cloudfront_origin_request_policy.api", "query_string_behavior"]),
    turn("all that a visitor says is handed on, Host too", "cdn.tf",
        ["header_behavior = \"whitelist\"\n    headers { items = local.handed_on.headers }", "header_behavior = \"allViewer\""],
        ["aws_cloudfront_origin_request_policy.api", "header_behavior"]),
    turn("pages of two languages mix", "cdn.tf",
        [r#"page = ["accept-language"]"#, "page = []"],
        [r#"aws_cloudfront_cache_policy.this["page"]"#, "accept-language"]),
    turn("an invented query passes the cache", "cdn.tf",
        [r#"query_strings_config { query_string_behavior = "none" }"#, r#"query_strings_config { query_string_behavior = "all" }"#],
        [r#"aws_cloudfront_cache_policy.this["api"]"#, "query_string_behavior"]),
    turn("an invented origin passes the cache", "cdn.tf",
        [r#"local.settings.CORS_ORIGINS == "" ? [] : ["origin"]"#, r#"["origin"]"#],
        [r#"aws_cloudfront_cache_policy.this["api"]"#, "origin"]),
    turn("one artist's errors are every artist's", "cdn.tf",
        ["error_caching_min_ttl = 0", "error_caching_min_ttl = 10"],
        [DISTRIBUTION, "error_caching_min_ttl"]),
    turn("a 404 is kept for ten seconds", "cdn.tf",
        ["[400, 403, 404, 405,", "[400, 403, 405,"],
        [DISTRIBUTION, "error_code = 404"]),
    turn("everybody's own answers may be kept", "cdn.tf",
        [r#": "page" if contains(local.handed_on.shared, behavior.function) }"#, r#": "page" }"#],
        [DISTRIBUTION, "cache_policy_id"]),
    turn("pages are kept for a day", "cdn.tf",
        ["max_ttl     = 300", "max_ttl     = 86400"],
        [r#"aws_cloudfront_cache_policy.this["api"]"#, "max_ttl"]),
    turn("answers are kept though nobody said so", "cdn.tf",
        ["default_ttl = 0", "default_ttl = 60"],
        [r#"aws_cloudfront_cache_policy.this["api"]"#, "default_ttl"]),
    turn("artists' pages are asked for without the edge's word for the language", "cdn.tf",
        [r#"startswith(behavior.value.pattern, "/api/") ? [] : [aws_cloudfront_function.language.arn]"#, "[]"],
        [DISTRIBUTION, "function_association"]),
    turn("the API answers over http", "cdn.tf",
        [r#"? "https-only" : "redirect-to-https""#, r#"? "allow-all" : "redirect-to-https""#],
        [DISTRIBUTION, "viewer_protocol_policy"]),
    turn("CloudFront asks the functions over http", "cdn.tf",
        [r#"origin_protocol_policy = "https-only""#, r#"origin_protocol_policy = "http-only""#],
        [DISTRIBUTION, "origin_protocol_policy"]),
    turn("CloudFront gives up before a function does", "cdn.tf",
        ["origin_read_timeout    = 30", "origin_read_timeout    = 5"],
        [DISTRIBUTION, "origin_read_timeout"]),
    turn("the own domain speaks TLS 1.0", "cdn.tf",
        [r#""TLSv1" : "TLSv1.2_2021""#, r#""TLSv1" : "TLSv1""#],
        [DISTRIBUTION, "minimum_protocol_version"]),
    turn("the firewall stands before nothing", "cdn.tf",
        ["  web_acl_id          = one(aws_wafv2_web_acl.edge[*].arn)\n", ""],
        [DISTRIBUTION, "web_acl_id"]),
    turn("one address may ask a thousand times as often", "cdn.tf",
        ["limit              = 300 ", "limit              = 300000 "],
        [FIREWALL, "limit"]),
    turn("an encoded letter passes the firewall", "cdn.tf",
        [r#""URL_DECODE""#, r#""NONE""#],
        [FIREWALL, "URL_DECODE"]),
    turn("two slashes pass the firewall", "cdn.tf",
        [r#""NORMALIZE_PATH""#, r#""NONE""#],
        [FIREWALL, "NORMALIZE_PATH"]),
    turn("artists' pages are asked for without end", "cdn.tf",
        [r#"for_each = ["/api/", "/artist/"]"#, r#"for_each = ["/api/", "/api/artists/"]"#],
        [FIREWALL, "/artist/"]),
    turn("the firewall counts and lets pass", "cdn.tf",
        ["action {\n      block {}", "action {\n      count {}"],
        [FIREWALL, "action"]),
    turn("pages may be framed, and make scripts of strings", "headers.json",
        ["frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'", "form-action 'self'"],
        [r#"aws_cloudfront_response_headers_policy.this["site"]"#, "content_security_policy"]),
    turn("pages may hold scripts of anybody's", "headers.json",
        ["script-src 'self'", "script-src 'self' 'unsafe-inline'"],
        [r#"aws_cloudfront_response_headers_policy.this["site"]"#, "content_security_policy"]),
    turn("types are guessed", "cdn.tf",
        ["    content_type_options { override = true }\n", ""],
        [r#"aws_cloudfront_response_headers_policy.this["api"]"#, "content_type_options"]),
    turn("browsers are told of https for a minute", "cdn.tf",
        [r#"one(regex("max-age=(\\d+)", each.value["strict-transport-security"]))"#, "60"],
        [r#"aws_cloudfront_response_headers_policy.this["api"]"#, "access_control_max_age_sec"]),
    turn("a page says which pages it is framed by, or not", "cdn.tf",
        [r#"override                = each.key == "site""#, "override                = false"],
        [r#"aws_cloudfront_response_headers_policy.this["site"]"#, "content_security_policy.override"]),

    // --- Functions ---
    turn("a visitor's address is what the visitor says", "functions.tf",
        [r#"CLIENT_IP_HEADER       = "cloudfront-viewer-address""#, r#"CLIENT_IP_HEADER       = "accept-language""#],
        [r#"module.function["artist-page"].aws_lambda_function.this"#, "CLIENT_IP_HEADER"]),
    turn("concurrency is reserved by nobody", "functions.tf",
        [r#"var.reserve_concurrency || (local.reserve_webhooks && local.access[each.key] == "webhook") ? each.value.concurrency : -1"#, "-1"],
        [r#"module.function["slots"].aws_lambda_function.this"#, "reserved_concurrent_executions"]),
    turn("a flood at the webhooks stops everything", "functions.tf",
        [r#" || (local.reserve_webhooks && local.access[each.key] == "webhook")"#, ""],
        [r#"module.function["stripe-webhook"].aws_lambda_function.this"#, "reserved_concurrent_executions"]),
    turn("two sweeps at a time", "functions.tf",
        [r#""queue", "stripe"], memory = 256, concurrency = 1"#, r#""queue", "stripe"], memory = 256, concurrency = 2"#],
        [r#"module.function["sweeper"].aws_lambda_function.this"#, "reserved_concurrent_executions"]),
    turn("Stripe's webhook outlasts Stripe", "functions.tf",
        ["timeout = 15 # Stripe gives up", "timeout = 60 # Stripe gives up"],
        [r#"module.function["stripe-webhook"].aws_lambda_function.this"#, "timeout"]),
    turn("image-intake has no room for a picture", "functions.tf",
        ["memory = 2048", "memory = 256"],
        [r#"module.function["image-intake"].aws_lambda_function.this"#, "memory_size"]),
    turn("jobs are sent to the dead letters", "functions.tf",
        ["QUEUE_URL              = aws_sqs_queue.jobs.url", r#"QUEUE_URL              = aws_sqs_queue.dead["jobs"].url"#],
        [r#"module.function["calcom-webhook"].aws_lambda_function.this"#, "QUEUE_URL"]),
    turn("a limit is lifted", "functions.tf",
        [r#"RATE_LIMIT_SIGN_INS_PER_HOUR = "20""#, r#"RATE_LIMIT_SIGN_INS_PER_HOUR = "20000""#],
        [r#"module.function["session"].aws_lambda_function.this"#, "RATE_LIMIT_SIGN_INS_PER_HOUR"]),
    turn("no release is a version", "modules/function/main.tf",
        ["publish                        = true", "publish                        = false"],
        [r#"module.function["artist-page"].aws_lambda_function.this"#, "publish"]),
    turn("logs are no JSON", "modules/function/main.tf",
        ["    log_format       = \"JSON\"\n    system_log_level = \"WARN\"\n", "    log_format       = \"Text\"\n"],
        [r#"module.function["artist-page"].aws_lambda_function.this"#, "log_format"]),
    turn("a function may do everything", "modules/function/main.tf",
        [r#"merge({ Effect = "Allow" }, statement)"#, r#"merge({ Effect = "Allow" }, statement, { Action = ["*"] })"#],
        [r#"module.function["artist-page"].aws_iam_role_policy.this"#, "Action"]),
    turn("a function may read every secret", "functions.tf",
        [r#"Resource = [for name in local.reads[each.key].parameters : "${local.parameter_arn}/${name}"]"#, r#"Resource = ["${local.parameter_arn}/*"]"#],
        [r#"module.function["artist-page"].aws_iam_role_policy.this"#, "parameter/inkflow/test/*"]),
    turn("image-intake may do everything with its bucket", "functions.tf",
        [r#"publish = { Action = ["s3:PutObject"]"#, r#"publish = { Action = ["s3:*"]"#],
        [r#"module.function["image-intake"].aws_iam_role_policy.this"#, "s3:*"]),
    turn("an upload may land among what is shown", "functions.tf",
        [r#"upload  = { Action = ["s3:PutObject"], Resource = ["${local.images_arn}/incoming/*"] }"#, r#"upload  = { Action = ["s3:PutObject"], Resource = ["${local.images_arn}/*"] }"#],
        [r#"module.function["dashboard-settings"].aws_iam_role_policy.this"#, "Resource"]),
    turn("anybody's function may borrow the roles", "modules/function/main.tf",
        [r#"Principal = { Service = "lambda.amazonaws.com" }"#, r#"Principal = { AWS = "*" }"#],
        [r#"module.function["artist-page"].aws_iam_role.this"#, "Principal"]),
    turn("logs are kept for ever", "modules/function/main.tf",
        ["  retention_in_days = var.log_retention_days\n", ""],
        [r#"module.function["artist-page"].aws_cloudwatch_log_group.this"#, "retention_in_days"]),
    turn("the alias follows nothing", "modules/function/main.tf",
        ["function_version = aws_lambda_function.this.version", r#"function_version = "$LATEST""#],
        [r#"module.function["artist-page"].aws_lambda_alias.live"#, "function_version"]),

    // --- The queue and the schedule ---
    turn("the sweeper runs once an hour", "schedule.tf",
        ["rate(1 minute)", "rate(1 hour)"],
        ["aws_scheduler_schedule.sweeper", "schedule_expression"]),
    turn("late sweeps come all at once", "schedule.tf",
        ["      maximum_retry_attempts       = 0", "      maximum_retry_attempts       = 185"],
        ["aws_scheduler_schedule.sweeper", "maximum_retry_attempts"]),
    turn("Lambda repeats a sweep that failed", "schedule.tf",
        ["maximum_retry_attempts       = 0\n  maximum_event_age", "maximum_retry_attempts       = 2\n  maximum_event_age"],
        ["aws_lambda_function_event_invoke_config.sweeper", "maximum_retry_attempts"]),
    turn("the schedule may invoke everything", "schedule.tf",
        ["Resource = [local.sweeper_arn]", r#"Resource = ["*"]"#],
        ["aws_iam_role_policy.scheduler", "Resource"]),
    turn("anybody's schedule may borrow the role", "schedule.tf",
        [r#""aws:SourceAccount" = var.account_id, "#, ""],
        ["aws_iam_role.scheduler", "SourceAccount"]),
    turn("a job that fails comes back for ever", "queue.tf",
        [r#"  redrive_policy = jsonencode({ deadLetterTargetArn = aws_sqs_queue.dead["jobs"].arn, maxReceiveCount = tonumber(lookup(var.settings, "JOB_MAX_ATTEMPTS", "8")) })"#, ""],
        ["aws_sqs_queue.jobs", "redrive_policy"]),
    turn("a failed job is taken for a failed picture", "queue.tf",
        [r#"deadLetterTargetArn = aws_sqs_queue.dead["jobs"].arn"#, r#"deadLetterTargetArn = aws_sqs_queue.dead["images"].arn"#],
        ["aws_sqs_queue.jobs", "deadLetterTargetArn"]),
    turn("a job is done twice, because it is shown again too soon", "queue.tf",
        ["6 * local.functions.worker.timeout", "30"],
        ["aws_sqs_queue.jobs", "visibility_timeout_seconds"]),
    turn("the jobs rest unencrypted", "queue.tf",
        ["  sqs_managed_sse_enabled    = true\n", "  sqs_managed_sse_enabled    = false\n"],
        ["aws_sqs_queue.jobs", "sqs_managed_sse_enabled"]),
    turn("dead letters are gone within the day", "queue.tf",
        ["message_retention_seconds = 14 * 24 * 3600", "message_retention_seconds = 4 * 3600"],
        [r#"aws_sqs_queue.dead["images"]"#, "message_retention_seconds"]),
    turn("any queue may bury its letters here", "queue.tf",
        [r#"redrivePermission = "byQueue", sourceQueueArns = [local.jobs_arn]"#, r#"redrivePermission = "allowAll""#],
        ["aws_sqs_queue_redrive_allow_policy.dead", "redrivePermission"]),
    turn("anybody may write to the queues", "queue.tf",
        [r#"Effect = "Deny", Principal = "*", Action = "sqs:*""#, r#"Effect = "Allow", Principal = "*", Action = "sqs:*""#],
        [r#"aws_sqs_queue_policy.tls_only["images-dead"]"#, "Effect"]),
    turn("any topic of anybody may write jobs", "queue.tf",
        [r#"Condition = { ArnEquals = { "aws:SourceArn" = aws_sns_topic.mail_failures.arn } }"#, ""],
        [r#"aws_sqs_queue_policy.tls_only["jobs"]"#, "SourceArn"]),
    turn("one bad job repeats nine good ones", "queue.tf",
        [r#"function_response_types = ["ReportBatchItemFailures"] "#, "function_response_types = [] "],
        ["aws_lambda_event_source_mapping.worker", "ReportBatchItemFailures"]),
    turn("the queue calls past the alias", "queue.tf",
        [r#"function_name           = module.function["worker"].live_arn"#, r#"function_name           = module.function["worker"].name"#],
        ["aws_lambda_event_source_mapping.worker", "function_name"]),
    turn("the queue starts more workers than are reserved", "queue.tf",
        ["maximum_concurrency = 5", "maximum_concurrency = 50"],
        ["aws_lambda_event_source_mapping.worker", "maximum_concurrency"]),

    // --- Buckets ---
    turn("any distribution of anybody's reads the buckets", "site.tf",
        [r#"Resource = "${each.value.arn}/${local.buckets[each.key]}"
        Condition = { StringEquals = { "AWS:SourceArn" = aws_cloudfront_distribution.site.arn } }"#, r#"Resource = "${each.value.arn}/${local.buckets[each.key]}""#],
        [r#"aws_s3_bucket_policy.this["images"]"#, "SourceArn"]),
    turn("everybody reads the buckets", "site.tf",
        [r#"Sid       = "CloudFrontReads", Effect = "Allow", Principal = { Service = "cloudfront.amazonaws.com" }"#, r#"Sid       = "CloudFrontReads", Effect = "Allow", Principal = "*""#],
        [r#"aws_s3_bucket_policy.this["images"]"#, "Principal"]),
    turn("what was just uploaded is shown", "site.tf",
        [r#"images = "images/*""#, r#"images = "*""#],
        [r#"aws_s3_bucket_policy.this["images"]"#, "Resource"]),
    turn("the buckets may be made public", "site.tf",
        ["restrict_public_buckets = true", "restrict_public_buckets = false"],
        [r#"aws_s3_bucket_public_access_block.this["images"]"#, "restrict_public_buckets"]),
    turn("public ACLs are taken", "site.tf",
        ["block_public_acls       = true", "block_public_acls       = false"],
        [r#"aws_s3_bucket_public_access_block.this["images"]"#, "block_public_acls"]),
    turn("a deleted picture is gone", "site.tf",
        [r#"status = "Enabled" }"#, r#"status = "Suspended" }"#],
        [r#"aws_s3_bucket_versioning.this["images"]"#, "status"]),
    turn("the pictures are destroyed with the platform", "site.tf",
        [r#"force_destroy = each.key == "site" || var.emulator"#, "force_destroy = true"],
        [r#"aws_s3_bucket.this["images"]"#, "force_destroy"]),
    turn("what was never taken in stays", "site.tf",
        [r#"each.key == "images" ? ["incoming"] : []"#, "[]"],
        [r#"aws_s3_bucket_lifecycle_configuration.this["images"]"#, "never-taken-in"]),
    turn("the shown pictures are deleted after a day", "site.tf",
        [r#"filter { prefix = "incoming/" }"#, r#"filter { prefix = "images/" }"#],
        [r#"aws_s3_bucket_lifecycle_configuration.this["images"]"#, "prefix"]),
    turn("every site may put pictures into the bucket", "site.tf",
        ["allowed_origins = [local.public_url]", r#"allowed_origins = ["*"]"#],
        ["aws_s3_bucket_cors_configuration.images", "allowed_origins"]),
    turn("image-intake calls itself", "site.tf",
        [r#"filter_prefix       = "incoming/""#, r#"filter_prefix       = """#],
        ["aws_s3_bucket_notification.images", "filter_prefix"]),
    turn("a picture that fails is forgotten", "site.tf",
        [r#"  destination_config {
    on_failure { destination = aws_sqs_queue.dead["images"].arn }
  }
"#, ""],
        [r#"aws_lambda_function_event_invoke_config.images"#, "on_failure"]),

    // --- What tells a person ---
    turn("nobody hears of a dispute", "observe.tf",
        ["    payment-disputed     = { functions = [\"stripe-webhook\", \"sweeper\"], pattern = \"\\\"event applied\\\" \\\"charge.dispute.created\\\"\", threshold = 1 }\n", ""],
        [r#"aws_cloudwatch_metric_alarm.this["payment-disputed"]"#, "alarm_description"]),
    turn("nobody hears of a dispute whose webhook was lost", "observe.tf",
        [r#"payment-disputed     = { functions = ["stripe-webhook", "sweeper"]"#, r#"payment-disputed     = { functions = ["stripe-webhook"]"#],
        [r#"aws_cloudwatch_log_metric_filter.signal["payment-disputed sweeper"]"#, "log_group_name"]),
    turn("nobody hears of a crash", "observe.tf",
        [r#"{ for name in keys(local.functions) : "${name}-crashed" => merge(local.alarm, {"#, r#"{ for name in [] : "${name}-crashed" => merge(local.alarm, {"#],
        [r#"aws_cloudwatch_metric_alarm.this["worker-crashed"]"#, "FunctionName"]),
    turn("alarms look where no metric is", "observe.tf",
        ["namespace = local.name, metric = name, above = of.threshold - 1", "namespace = \"InkFlow\", metric = name, above = of.threshold - 1"],
        [r#"aws_cloudwatch_metric_alarm.this["database-unreachable"]"#, "namespace"]),
    turn("alarms of a crash look at no function", "observe.tf",
        [r#"dimensions = { FunctionName = "${local.name}-${name}" }"#, "dimensions = { FunctionName = name }"],
        [r#"aws_cloudwatch_metric_alarm.this["artist-page-crashed"]"#, "FunctionName"]),
    turn("a filter counts nothing", "observe.tf",
        [r#"value         = "1""#, r#"value         = "0""#],
        [r#"aws_cloudwatch_log_metric_filter.signal["database-unreachable artist-page"]"#, "metric_transformation.value"]),
    turn("a filter counts under another name", "observe.tf",
        ["    namespace     = local.name\n    name          = each.value.signal", "    namespace     = local.name\n    name          = each.value.function"],
        [r#"aws_cloudwatch_log_metric_filter.signal["job-given-up worker"]"#, "metric_transformation.name"]),
    turn("a filter reads another function's log", "observe.tf",
        ["log_group_name = module.function[each.value.function].log_group", r#"log_group_name = module.function["contact"].log_group"#],
        [r#"aws_cloudwatch_log_metric_filter.signal["page-failed page-errors"]"#, "log_group_name"]),
    turn("a filter looks for what nobody writes", "observe.tf",
        [r#""\"job given up\"""#, r#""\"job was given up\"""#],
        [r#"aws_cloudwatch_log_metric_filter.signal["job-given-up worker"]"#, "pattern"]),
    turn("a thousand refunds may fail", "observe.tf",
        [r#"\"a refund has failed\"", threshold = 1 }"#, r#"\"a refund has failed\"", threshold = 1000 }"#],
        [r#"aws_cloudwatch_metric_alarm.this["refund-failed"]"#, "threshold"]),
    turn("a silent sweeper is taken for a good one", "observe.tf",
        [r#"missing = "breaching""#, r#"missing = "notBreaching""#],
        [r#"aws_cloudwatch_metric_alarm.this["sweeper-silent"]"#, "treat_missing_data"]),
    turn("an alarm is raised by what is right", "observe.tf",
        [r#"? "GreaterThanThreshold" : "LessThanThreshold""#, r#"? "LessThanThreshold" : "GreaterThanThreshold""#],
        [r#"aws_cloudwatch_metric_alarm.this["artist-page-crashed"]"#, "comparison_operator"]),
    turn("alarms tell nobody", "observe.tf",
        ["  alarm_actions       = concat([aws_sns_topic.alarms.arn], ", "  alarm_actions       = concat([], "],
        [r#"aws_cloudwatch_metric_alarm.this["artist-page-crashed"]"#, "alarm_actions"]),
    turn("alarms go to the topic of the bounces", "observe.tf",
        ["  alarm_actions       = concat([aws_sns_topic.alarms.arn], ", "  alarm_actions       = concat([aws_sns_topic.mail_failures.arn], "],
        [r#"aws_cloudwatch_metric_alarm.this["artist-page-crashed"]"#, "alarm_actions"]),
    turn("nobody is mailed", "observe.tf",
        ["resource \"aws_sns_topic_subscription\" \"alarms\" {\n  count     = var.alarm_email == null ? 0 : 1", "resource \"aws_sns_topic_subscription\" \"alarms\" {\n  count     = 0"],
        ["aws_sns_topic_subscription.alarms[0]", "endpoint"]),
    turn("nobody is woken when there is no database", "observe.tf",
        [r#"wake = ["database-unreachable", "#, "wake = ["],
        [r#"aws_cloudwatch_metric_alarm.this["database-unreachable"]"#, "alarm_actions"]),
    turn("the pager is not called", "observe.tf",
        ["resource \"aws_sns_topic_subscription\" \"pager\" {\n  count                  = var.pager_url == null ? 0 : 1", "resource \"aws_sns_topic_subscription\" \"pager\" {\n  count                  = 0"],
        ["aws_sns_topic_subscription.pager[0]", "endpoint"]),
    turn("nobody is mailed what the edge sees", "observe.tf",
        ["resource \"aws_sns_topic_subscription\" \"edge\" {\n  count     = var.alarm_email == null ? 0 : 1", "resource \"aws_sns_topic_subscription\" \"edge\" {\n  count     = 0"],
        ["aws_sns_topic_subscription.edge[0]", "endpoint"]),
    turn("errors of the site are good as long as they are many", "observe.tf",
        [r#"site-fails   = { rate = "5xxErrorRate", above = 5, "#, r#"site-fails   = { rate = "5xxErrorRate", above = 500, "#],
        [r#"aws_cloudwatch_metric_alarm.site["site-fails"]"#, "threshold"]),
    turn("a site that is down is asked about by http", "observe.tf",
        [r#"type              = "HTTPS""#, r#"type              = "HTTP""#],
        [r#"aws_route53_health_check.site["/"]"#, "type"]),
    turn("a site that is down is what is right", "observe.tf",
        ["statistic           = \"Minimum\"\n  period              = 60\n  evaluation_periods  = 3\n  comparison_operator = \"LessThanThreshold\"", "statistic           = \"Minimum\"\n  period              = 60\n  evaluation_periods  = 3\n  comparison_operator = \"GreaterThanThreshold\""],
        [r#"aws_cloudwatch_metric_alarm.site_down["/"]"#, "comparison_operator"]),
    turn("the certificate's end is told the day before", "observe.tf",
        ["threshold           = 21", "threshold           = 1"],
        ["aws_cloudwatch_metric_alarm.certificate[0]", "threshold"]),
    turn("a sweep that failed is made three times at once", "schedule.tf",
        ["  maximum_retry_attempts       = 0\n  maximum_event_age_in_seconds = 60\n  depends_on", "  maximum_event_age_in_seconds = 60\n  depends_on"],
        ["aws_lambda_function_event_invoke_config.sweeper", "maximum_retry_attempts"]),
    turn("the budget counts another environment", "observe.tf",
        [r#""user:stack${"$"}${local.name}""#, r#""user:env${"$"}prod""#],
        ["aws_budgets_budget.monthly[0]", "cost_filter"]),
    turn("there is no budget", "observe.tf",
        ["resource \"aws_budgets_budget\" \"monthly\" {\n  count        = var.alarm_email == null ? 0 : 1", "resource \"aws_budgets_budget\" \"monthly\" {\n  count        = 0"],
        ["aws_budgets_budget.monthly[0]", "limit_amount"]),
    turn("the budget warns when it is too late", "observe.tf",
        ["FORECASTED = 80", "FORECASTED = 800"],
        ["aws_budgets_budget.monthly[0]", "threshold"]),

    // --- Mails and secrets ---
    turn("mails go over lines that anybody reads", "mail.tf",
        [r#"tls_policy = "REQUIRE""#, r#"tls_policy = "OPTIONAL""#],
        ["aws_sesv2_configuration_set.this", "tls_policy"]),
    turn("who complained is written to again", "mail.tf",
        [r#"suppressed_reasons = ["BOUNCE", "COMPLAINT"]"#, r#"suppressed_reasons = ["BOUNCE"]"#],
        ["aws_sesv2_configuration_set.this", "suppressed_reasons"]),
    turn("nobody hears of a complaint", "mail.tf",
        [r#"matching_event_types = ["BOUNCE", "COMPLAINT", "REJECT"]"#, r#"matching_event_types = ["BOUNCE", "REJECT"]"#],
        ["aws_sesv2_configuration_set_event_destination.failures", "COMPLAINT"]),
    turn("what came back is told in an envelope that the worker does not know", "mail.tf",
        ["raw_message_delivery = true", "raw_message_delivery = false"],
        ["aws_sns_topic_subscription.mails_that_came_back", "raw_message_delivery"]),
    turn("anybody's SES may publish here", "mail.tf",
        [r#"Condition = { StringEquals = { "AWS:SourceAccount" = var.account_id, "AWS:SourceArn" = local.mail_configuration_set_arn } }"#, ""],
        ["aws_sns_topic_policy.mail_failures", "SourceAccount"]),
    turn("a function does not start anew when its secret has changed", "functions.tf",
        ["lookup(var.secret_versions, secret, 0)", "1"],
        [r#"module.function["artist-page"].aws_lambda_function.this"#, "description"]),
    turn("the webhook that everybody may call reads Stripe's key", "functions.tf",
        [r#"uses    = ["web", "database", "queue", "stripe_webhook"]"#, r#"uses    = ["web", "database", "queue", "stripe", "stripe_webhook"]"#],
        [r#"module.function["stripe-webhook"].aws_lambda_function.this"#, "STRIPE_SECRET_KEY"]),
    turn("the webhook ignores real payments", "functions.tf",
        ["STRIPE_LIVE            = tostring(var.stripe_live)", r#"STRIPE_LIVE            = "false""#],
        [r#"module.function["stripe-webhook"].aws_lambda_function.this"#, "STRIPE_LIVE"]),
    turn("links lead to CloudFront's name and not to the own domain", "secrets.tf",
        [r#"coalesce(var.domain_name, aws_cloudfront_distribution.site.domain_name)"#, "aws_cloudfront_distribution.site.domain_name"],
        ["aws_ssm_parameter.public_url", "value"]),
    turn("Cal.com is told of Stripe's door", "secrets.tf",
        [r#"local.webhook_urls["/api/webhooks/calcom"]"#, r#"local.webhook_urls["/api/webhooks/stripe"]"#],
        ["aws_ssm_parameter.calcom_webhook_url", "value"]),
];

/// Files of `infra/` by their names, as they are and as some turns make them.
fn turned(turns: &[&Turn]) -> Result<BTreeMap<&'static str, String>, &'static str> {
    let mut files = BTreeMap::new();
    for turn in turns {
        let text = files.entry(turn.file).or_insert_with(|| {
            fs::read_to_string(checkout().join("infra").join(turn.file))
                .unwrap_or_else(|error| panic!("{}: {error}", turn.file))
        });
        if !text.contains(turn.find) {
            return Err(turn.what);
        }
        *text = text.replacen(turn.find, turn.put, 1);
    }
    Ok(files)
}

/// As few groups as it takes for no resource and no text to be turned twice in one; of the two large ones, no attribute.
fn groups() -> Vec<Vec<&'static Turn>> {
    let mut groups: Vec<Vec<&Turn>> = Vec::new();
    for turn in TURNS {
        let fits = |group: &&mut Vec<&Turn>| {
            let apart = |other: &&Turn| {
                other.at != turn.at || ([DISTRIBUTION, FIREWALL].contains(&turn.at) && other.shows != turn.shows)
            };
            group.iter().all(apart) && {
                let with: Vec<&Turn> = group.iter().copied().chain([turn]).collect();
                turned(&with).is_ok()
            }
        };
        match groups.iter_mut().find(fits) {
            Some(group) => group.push(turn),
            None => groups.push(vec![turn]),
        }
    }
    groups
}

/// Whether the reviewed texts show a turn, when the plan has become `now`.
fn shown(turn: &Turn, now: &BTreeMap<&'static str, BTreeMap<String, Vec<String>>>) -> bool {
    now.iter().any(|(name, now)| {
        let text = fs::read_to_string(reviewed(name)).expect("a reviewed plan");
        let was: BTreeSet<&str> = blocks(&text).get(turn.at).into_iter().flatten().copied().collect();
        let is: BTreeSet<&str> = now.get(turn.at).into_iter().flatten().map(String::as_str).collect();
        was.symmetric_difference(&is).any(|line| line.contains(turn.shows))
    })
}

/// Makes some turns at once, and says which of them nobody would notice. None if Terraform itself refuses.
async fn unnoticed(desk: &Desk, turns: &[&'static Turn]) -> Option<Vec<&'static Turn>> {
    let files = turned(turns).unwrap_or_else(|what| panic!("{what}: its text is not there any more"));
    let put = |name: &str, text: &str| fs::write(desk.infra.join(name), text).expect("written");
    for (name, text) in &files {
        put(name, text);
    }
    let plans = desk.plan().await;
    for name in files.keys() {
        put(name, &fs::read_to_string(checkout().join("infra").join(name)).expect("read"));
    }
    let now = reviewable(&plans.ok()?).into_iter().map(|(name, blocks)| (name, blocks.into_iter().collect())).collect();
    Some(turns.iter().copied().filter(|turn| !shown(turn, &now)).collect())
}

#[test]
fn the_text_of_every_wrong_turn_is_still_there() {
    for turn in TURNS {
        assert!(Path::new(&checkout().join("infra").join(turn.file)).is_file(), "{}", turn.file);
        assert!(turned(&[turn]).is_ok(), "{}: {} has no {:?} any more", turn.what, turn.file, turn.find);
        assert_ne!(turn.find, turn.put, "{}", turn.what);
    }
    assert!(groups().len() < 12, "a plan takes seconds: {} of them", groups().len());
}

#[tokio::test]
async fn every_wrong_turn_is_noticed() {
    let Some(init) = terraform() else { return };
    let mut left: Vec<Vec<Vec<&Turn>>> = vec![Vec::new(); AT_ONCE];
    for (at, group) in groups().into_iter().enumerate() {
        left[at % AT_ONCE].push(group);
    }
    let tables = left.into_iter().enumerate().map(async |(at, groups)| {
        let desk = Desk::new(&format!("turns-{at}"), &init).await;
        let (mut missed, mut refused) = (Vec::new(), Vec::new());
        for group in groups {
            let again = unnoticed(&desk, &group).await.unwrap_or(group);
            for turn in again {
                match unnoticed(&desk, &[turn]).await {
                    None => refused.push(turn.what),
                    Some(unnoticed) => missed.extend(unnoticed.iter().map(|turn| turn.what)),
                }
            }
        }
        desk.end();
        (missed, refused)
    });
    let told = join_all(tables).await;
    let (missed, refused): (Vec<_>, Vec<_>) = told.into_iter().unzip();
    println!("{} wrong turns; Terraform refuses {:?}", TURNS.len(), refused.concat());
    assert_eq!(missed.concat(), Vec::<&str>::new(), "nobody would notice these");
}

# CloudFront: one domain for the site, the artists' pages and the API, so that a browser needs no CORS.
# No custom_error_response here has a page: it would turn the API's answers into it.

locals {
  # Few path patterns for many routes, because CloudFront takes 75 (25 in an older account): a function that has all of `/api/x` or `/api/x/y` to
  # itself gets that, the other routes get a pattern each.
  site_routes = { for route in local.routes : route.path => route.function... if contains(local.behind_cloudfront, route.function) }
  begin = { for length in [3, 4] : length => { for path in keys(local.site_routes) :
  path => join("/", slice(split("/", path), 0, min(length, length(split("/", path))))) } }
  below = { for length in [3, 4] : length => { for path, begin in local.begin[length] : begin => path... } }
  whole = { for path in keys(local.site_routes) : path => try([for length in [3, 4] :
    length(local.below[length][local.begin[length][path]]) == 1 ? path : "${local.begin[length][path]}*"
    if length(distinct(flatten([for other in local.below[length][local.begin[length][path]] : local.site_routes[other]]))) == 1
  ][0], path) }
  patterns = { for path, whole in local.whole : replace(whole, "/\\{[^}]+\\}/", "*") => local.site_routes[path][0]... }

  # The exact ones first, then the longer ones, because the first that fits wins.
  behaviors = [for key in sort([for pattern, _ in local.patterns :
    "${endswith(pattern, "*") ? "b" : "a"}${format("%03d", 999 - length(pattern))} ${pattern}"]) :
    { pattern = split(" ", key)[1], function = local.patterns[split(" ", key)[1]][0] }
  ]

  # {uploads}: where a browser may put a picture. How far https reaches is the operator's to say.
  hsts = { site = "", subdomains = "; includeSubDomains", preload = "; includeSubDomains; preload" }[var.hsts]
  headers = { for name, headers in jsondecode(replace(file("${path.module}/headers.json"), "{uploads}", local.uploads_origin)) : name =>
    merge(headers, { "strict-transport-security" = "${headers["strict-transport-security"]}${local.hsts}" })
  }

  # AWS's own policies CachingOptimized and CachingDisabled: the same in every account.
  caching_optimized = "658327ea-f89d-4fab-a63d-7e88639e58f6"
  caching_disabled  = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"

  # What is handed on of a request; `make dev` hands on no more.
  handed_on = jsondecode(file("${path.module}/handed-on.json"))

  # Whose answers are the same for everybody, and may be kept where they say so: by a key that no visitor can vary at will.
  # Everything else is somebody's own, or changes.
  kept = { for behavior in local.behaviors : behavior.pattern => startswith(behavior.pattern, "/api/") ? "api" : "page" if contains(local.handed_on.shared, behavior.function) }
}

resource "aws_cloudfront_distribution" "site" {
  enabled             = true
  is_ipv6_enabled     = true
  http_version        = "http2and3"
  comment             = local.name
  default_root_object = "index.html"
  price_class         = "PriceClass_100"
  aliases             = var.domain_name == null ? [] : [var.domain_name]
  web_acl_id          = one(aws_wafv2_web_acl.edge[*].arn)
  wait_for_deployment = !var.emulator

  dynamic "origin" {
    for_each = aws_s3_bucket.this
    content {
      origin_id                = origin.key
      domain_name              = origin.value.bucket_regional_domain_name
      origin_access_control_id = aws_cloudfront_origin_access_control.this["s3"].id
    }
  }

  dynamic "origin" {
    for_each = local.behind_cloudfront
    content {
      origin_id                = origin.key
      domain_name              = split("/", module.function[origin.key].url)[2]
      origin_access_control_id = aws_cloudfront_origin_access_control.this["lambda"].id
      custom_origin_config {
        http_port              = 80
        https_port             = 443
        origin_protocol_policy = "https-only"
        origin_ssl_protocols   = ["TLSv1.2"]
        origin_read_timeout    = 30
      }
    }
  }

  default_cache_behavior {
    target_origin_id           = "site"
    viewer_protocol_policy     = "redirect-to-https"
    allowed_methods            = ["GET", "HEAD"]
    cached_methods             = ["GET", "HEAD"]
    compress                   = true
    cache_policy_id            = local.caching_optimized
    response_headers_policy_id = aws_cloudfront_response_headers_policy.this["site"].id
    function_association {
      event_type   = "viewer-request"
      function_arn = aws_cloudfront_function.router.arn
    }
  }

  ordered_cache_behavior {
    path_pattern               = "/images/*"
    target_origin_id           = "images"
    viewer_protocol_policy     = "redirect-to-https"
    allowed_methods            = ["GET", "HEAD"]
    cached_methods             = ["GET", "HEAD"]
    compress                   = true
    cache_policy_id            = local.caching_optimized
    response_headers_policy_id = aws_cloudfront_response_headers_policy.this["site"].id
  }

  dynamic "ordered_cache_behavior" {
    for_each = local.behaviors
    iterator = behavior
    content {
      path_pattern               = behavior.value.pattern
      target_origin_id           = behavior.value.function
      viewer_protocol_policy     = startswith(behavior.value.pattern, "/api/") ? "https-only" : "redirect-to-https"
      allowed_methods            = ["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"]
      cached_methods             = ["GET", "HEAD"]
      compress                   = true
      cache_policy_id            = contains(keys(local.kept), behavior.value.pattern) ? aws_cloudfront_cache_policy.this[local.kept[behavior.value.pattern]].id : local.caching_disabled
      origin_request_policy_id   = contains(keys(local.kept), behavior.value.pattern) ? null : aws_cloudfront_origin_request_policy.api.id
      response_headers_policy_id = aws_cloudfront_response_headers_policy.this[startswith(behavior.value.pattern, "/api/") ? "api" : "site"].id
      dynamic "function_association" {
        for_each = startswith(behavior.value.pattern, "/api/") ? [] : [aws_cloudfront_function.language.arn]
        content {
          event_type   = "viewer-request"
          function_arn = function_association.value
        }
      }
    }
  }

  # Unless told otherwise CloudFront keeps an error for ten seconds, whatever the answer says of it, and by a key without the
  # cookie: one artist's "Create your page first" would be every artist's. These are all whose time can be set; others it keeps not.
  dynamic "custom_error_response" {
    for_each = [400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504]
    content {
      error_code            = custom_error_response.value
      error_caching_min_ttl = 0
    }
  }

  viewer_certificate {
    cloudfront_default_certificate = var.domain_name == null
    acm_certificate_arn            = var.domain_name == null ? null : local.certificate_arn
    minimum_protocol_version       = var.domain_name == null ? "TLSv1" : "TLSv1.2_2021" # CloudFront's own name knows no other
    ssl_support_method             = var.domain_name == null ? null : "sni-only"
  }

  restrictions {
    geo_restriction { restriction_type = "none" }
  }
}

# CloudFront signs what it asks of the buckets and the functions, and both answer nobody else.
resource "aws_cloudfront_origin_access_control" "this" {
  for_each                          = toset(["s3", "lambda"])
  name                              = "${local.name}-${each.key}"
  origin_access_control_origin_type = each.key
  signing_behavior                  = "always"
  signing_protocol                  = "sigv4"
}

# A signed URL wants both permissions: InvokeFunctionUrl, and InvokeFunction, since October 2025 for a new URL and since
# November 2026 for every one.
resource "aws_lambda_permission" "cloudfront" {
  for_each = { for pair in setproduct(local.behind_cloudfront, ["InvokeFunctionUrl", "InvokeFunction"]) :
  "${pair[0]} ${pair[1]}" => { function = pair[0], action = pair[1] } }
  statement_id  = "CloudFront${each.value.action}"
  action        = "lambda:${each.value.action}"
  function_name = module.function[each.value.function].name
  qualifier     = "live"
  principal     = "cloudfront.amazonaws.com"
  source_arn    = aws_cloudfront_distribution.site.arn
}

# handed-on.json is exactly what the functions read. AWS's own AllViewerExceptHostHeader would leave out CloudFront-Viewer-Address, on which
# the rate limits stand; and Host must not be sent, or the function URL answers 403.
resource "aws_cloudfront_origin_request_policy" "api" {
  name = "${local.name}-api"
  headers_config {
    header_behavior = "whitelist"
    headers { items = local.handed_on.headers }
  }
  cookies_config { cookie_behavior = local.handed_on.cookies }
  query_strings_config { query_string_behavior = local.handed_on.queries }
}

# Nothing is kept unless the function says so (s-maxage), as for an artist's page: 30 seconds.
# A page speaks the reader's language, of which the function before it leaves one word; it has read `?lang=` as well. What is no
# part of the key is not handed on either: a query or a header that somebody made up neither passes the cache nor changes what it keeps.
resource "aws_cloudfront_cache_policy" "this" {
  for_each    = { api = local.settings.CORS_ORIGINS == "" ? [] : ["origin"], page = ["accept-language"] }
  name        = "${local.name}-${each.key}"
  min_ttl     = 0
  default_ttl = 0
  max_ttl     = 300
  parameters_in_cache_key_and_forwarded_to_origin {
    headers_config {
      header_behavior = length(each.value) == 0 ? "none" : "whitelist"
      dynamic "headers" {
        for_each = length(each.value) == 0 ? [] : [each.value]
        content { items = headers.value }
      }
    }
    cookies_config { cookie_behavior = "none" }
    query_strings_config { query_string_behavior = "none" }
    enable_accept_encoding_brotli = true
    enable_accept_encoding_gzip   = true
  }
}

moved {
  from = aws_cloudfront_cache_policy.api
  to   = aws_cloudfront_cache_policy.this["api"]
}

# headers.json, as `make dev` sends them too.
resource "aws_cloudfront_response_headers_policy" "this" {
  for_each = local.headers
  name     = "${local.name}-${each.key}"

  security_headers_config {
    content_security_policy {
      content_security_policy = each.value["content-security-policy"]
      override                = each.key == "site" # an answer of the API may be stricter
    }
    strict_transport_security {
      access_control_max_age_sec = one(regex("max-age=(\\d+)", each.value["strict-transport-security"]))
      include_subdomains         = strcontains(each.value["strict-transport-security"], "includeSubDomains")
      preload                    = strcontains(each.value["strict-transport-security"], "preload")
      override                   = true
    }
    referrer_policy {
      referrer_policy = each.value["referrer-policy"]
      override        = true
    }
    content_type_options { override = true }
    dynamic "frame_options" {
      for_each = contains(keys(each.value), "x-frame-options") ? [each.value["x-frame-options"]] : []
      content {
        frame_option = frame_options.value
        override     = true
      }
    }
  }

  dynamic "custom_headers_config" {
    for_each = length(local.custom_headers[each.key]) > 0 ? [local.custom_headers[each.key]] : []
    content {
      dynamic "items" {
        for_each = custom_headers_config.value
        content {
          header   = items.key
          value    = items.value
          override = true
        }
      }
    }
  }
}

locals {
  # CloudFront refuses these as custom headers: they have words of their own above.
  security_headers = [
    "content-security-policy", "referrer-policy", "strict-transport-security", "x-content-type-options", "x-frame-options",
  ]
  custom_headers = { for name, headers in local.headers : name => {
    for header, value in headers : header => value if !contains(local.security_headers, header)
  } }
}

resource "aws_cloudfront_function" "router" {
  name    = "${local.name}-router"
  runtime = "cloudfront-js-2.0"
  publish = true
  code = join("\n", [file("${path.module}/edge/preferred.js"), templatefile("${path.module}/edge/router.js", {
    files         = jsonencode([for file in fileset(local.site, "**") : file if !startswith(file, ".") && file != "assets.json"])
    headers       = jsonencode(local.headers)
    missing_pages = jsonencode({ fr = file("${local.site}/404.html"), en = file("${local.site}/en/404.html") })
  })])
}

resource "aws_cloudfront_function" "language" {
  name    = "${local.name}-language"
  runtime = "cloudfront-js-2.0"
  publish = true
  code    = join("\n", [file("${path.module}/edge/preferred.js"), file("${path.module}/edge/language.js")])
}

resource "aws_wafv2_web_acl" "edge" {
  count    = var.waf ? 1 : 0
  provider = aws.us_east_1
  name     = local.name
  scope    = "CLOUDFRONT"

  default_action {
    allow {}
  }

  rule {
    name     = "known-bad-inputs"
    priority = 0
    override_action {
      none {}
    }
    statement {
      managed_rule_group_statement {
        vendor_name = "AWS"
        name        = "AWSManagedRulesKnownBadInputsRuleSet"
      }
    }
    visibility_config {
      cloudwatch_metrics_enabled = true
      metric_name                = "known-bad-inputs"
      sampled_requests_enabled   = true
    }
  }

  rule {
    name     = "rate"
    priority = 1
    action {
      block {}
    }
    statement {
      rate_based_statement {
        limit              = 300 # in five minutes; a booking takes about twenty requests
        aggregate_key_type = "IP"
        # Everything that starts a function. CloudFront leads `/%61pi/…` and `//api/…` to the same one, so they count as the same.
        scope_down_statement {
          or_statement {
            dynamic "statement" {
              for_each = ["/api/", "/artist/"]
              content {
                byte_match_statement {
                  search_string         = statement.value
                  positional_constraint = "STARTS_WITH"
                  field_to_match {
                    uri_path {}
                  }
                  text_transformation {
                    priority = 0
                    type     = "URL_DECODE"
                  }
                  text_transformation {
                    priority = 1
                    type     = "NORMALIZE_PATH"
                  }
                }
              }
            }
          }
        }
      }
    }
    visibility_config {
      cloudwatch_metrics_enabled = true
      metric_name                = "rate"
      sampled_requests_enabled   = true
    }
  }

  visibility_config {
    cloudwatch_metrics_enabled = true
    metric_name                = local.name
    sampled_requests_enabled   = true
  }
}

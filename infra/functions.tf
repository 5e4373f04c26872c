# The functions: what each one reads, may do, and how long it may take. The routes are those of routes.json.

locals {
  routes = jsondecode(file("${path.module}/routes.json"))

  # Times nest: CloudFront 30 s > function > one call outside 5 to 8 s > one statement 5 s.
  # 256 MB is 1/7 of a processor: enough for JSON and TLS, and the price of a request is mostly waiting.
  # `concurrency` is how many may run at once, when reserve_concurrency is on.
  functions = {
    artist-page = {
      uses    = ["web", "database", "hold", "assets"], memory = 256, concurrency = 20
      timeout = 10 # a read or two of the database
    }
    slots = {
      uses    = ["web", "database", "calendars"], memory = 256, concurrency = 20
      timeout = 15 # Cal.com may take 4 s, and is asked at most twice
    }
    create-booking = {
      uses    = ["web", "database", "calendars", "queue", "stripe", "hold", "limits"], memory = 256, concurrency = 20
      timeout = 20 # Cal.com, the database and Stripe, one after the other
    }
    contact = {
      uses    = ["web"], memory = 256, concurrency = 10
      timeout = 10 # asks nobody
    }
    booking-status = {
      uses    = ["web", "database", "calcom_pages"], memory = 256, concurrency = 20
      timeout = 10
    }
    release-booking = {
      uses    = ["web", "database", "queue", "stripe"], memory = 256, concurrency = 10
      timeout = 20 # Stripe's page is closed before the hold is
    }
    calendar-file = {
      uses    = ["web", "database", "sender"], memory = 256, concurrency = 10
      timeout = 10
    }
    session = {
      uses    = ["web", "database", "accounts", "sign_in", "sign_up"], memory = 256, concurrency = 10
      timeout = 15 # Supabase Auth, then a read
    }
    dashboard-stats = {
      uses    = ["web", "database", "accounts"], memory = 256, concurrency = 10
      timeout = 10
    }
    dashboard-bookings = {
      uses    = ["web", "database", "accounts", "queue", "stripe", "calcom_pages"], memory = 256, concurrency = 10
      timeout = 20 # Stripe's page is closed before a booking is cancelled
    }
    dashboard-settings = {
      uses    = ["web", "database", "accounts", "sign_up", "calendars", "calcom_hook", "queue", "pictures_in"], memory = 256, concurrency = 10
      timeout = 20 # the test of a calendar asks Cal.com four things
    }
    page-errors = {
      uses    = ["web", "database"], memory = 256, concurrency = 5
      timeout = 10
    }
    stripe-webhook = {
      uses    = ["web", "database", "queue", "stripe_webhook"], memory = 256, concurrency = 20
      timeout = 15 # Stripe gives up after about 20 s; nothing outside is called but the queue
    }
    calcom-webhook = {
      uses    = ["web", "database", "calendars", "queue"], memory = 256, concurrency = 10
      timeout = 15
    }
    worker = {
      uses    = ["site", "database", "calendars", "calcom_pages", "queue", "stripe", "mail", "jobs"], memory = 256, concurrency = 10
      timeout = 60 # ten jobs side by side; one is Stripe or Cal.com with one repetition
    }
    sweeper = {
      uses    = ["site", "database", "calendars", "queue", "stripe"], memory = 256, concurrency = 1
      timeout = 55 # ends before the next minute begins
    }
    image-intake = {
      uses    = ["database", "pictures"], memory = 2048, concurrency = 5 # a picture of 50 megapixels takes 400 MB
      timeout = 60
    }
  }

  # What a function that uses X reads (settings: plain; parameters: from SSM) and may call.
  capabilities = {
    web            = { settings = ["CORS_ORIGINS", "CLIENT_IP_HEADER"], parameters = ["PUBLIC_URL"], may = [] }
    site           = { settings = [], parameters = ["PUBLIC_URL"], may = [] }
    assets         = { settings = ["ASSETS"], parameters = [], may = [] }
    database       = { settings = ["DATABASE_CA"], parameters = ["DATABASE_URL"], may = [] }
    accounts       = { settings = ["SUPABASE_URL"], parameters = local.jwt_secret, may = [] }
    sign_in        = { settings = ["SUPABASE_PUBLISHABLE_KEY", "RATE_LIMIT_SIGN_INS_PER_HOUR"], parameters = local.supabase_key, may = [] }
    sign_up        = { settings = ["SIGN_UP"], parameters = [], may = [] }
    calendars      = { settings = ["CALCOM_API_BASE"], parameters = ["ENCRYPTION_KEY"], may = [] }
    calcom_pages   = { settings = ["CALCOM_WEB_BASE"], parameters = [], may = [] }
    calcom_hook    = { settings = [], parameters = ["CALCOM_WEBHOOK_URL"], may = [] }
    stripe         = { settings = ["STRIPE_API_BASE"], parameters = ["STRIPE_SECRET_KEY"], may = [] }
    stripe_webhook = { settings = ["STRIPE_LIVE"], parameters = ["STRIPE_WEBHOOK_SECRETS"], may = [] } # everybody may call it: no key of Stripe
    queue          = { settings = ["QUEUE_URL"], parameters = [], may = ["send"] }
    jobs           = { settings = ["JOB_LEASE_SECONDS", "JOB_MAX_ATTEMPTS"], parameters = [], may = ["consume"] }
    mail           = { settings = ["MAIL_FROM", "MAIL_CONFIGURATION_SET"], parameters = [], may = ["mail"] }
    sender         = { settings = ["MAIL_FROM"], parameters = [], may = [] }
    pictures_in    = { settings = ["IMAGES_BUCKET"], parameters = [], may = ["upload"] }
    pictures       = { settings = ["IMAGES_BUCKET"], parameters = [], may = ["see_pictures", "take_in", "publish", "bury"] }
    hold           = { settings = ["HOLD_MINUTES"], parameters = [], may = [] }
    limits = {
      settings   = ["RATE_LIMIT_BOOKINGS_PER_HOUR", "MAX_HOLDS_PER_CLIENT", "MAX_HOLDS_PER_ARTIST"]
      parameters = [], may = []
    }
  }

  permissions = {
    send    = { Action = ["sqs:SendMessage"], Resource = [local.jobs_arn] }
    consume = { Action = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"], Resource = [local.jobs_arn] }
    # A message that is written by us is SendRawEmail to SES, though the call is SendEmail.
    mail = { Action = ["ses:SendEmail", "ses:SendRawEmail"], Resource = [local.mail_identity_arn, local.mail_configuration_set_arn] }
    # A presigned upload can do no more than who signed it.
    upload  = { Action = ["s3:PutObject"], Resource = ["${local.images_arn}/incoming/*"] }
    take_in = { Action = ["s3:GetObject", "s3:DeleteObject"], Resource = ["${local.images_arn}/incoming/*"] }
    publish = { Action = ["s3:PutObject"], Resource = ["${local.images_arn}/images/*"] }
    # Without it a missing file is a 403, and worth trying again.
    see_pictures = { Action = ["s3:ListBucket"], Resource = [local.images_arn] }
    bury         = { Action = ["sqs:SendMessage"], Resource = [aws_sqs_queue.dead["images"].arn] }
  }

  # An empty value is not set at all. The defaults are those of .env.example.
  settings = merge({
    CORS_ORIGINS                 = ""
    CALCOM_API_BASE              = "https://api.cal.com"
    CALCOM_WEB_BASE              = "https://cal.com"
    SUPABASE_URL                 = ""
    SUPABASE_PUBLISHABLE_KEY     = ""
    STRIPE_API_BASE              = "https://api.stripe.com"
    LOG_LEVEL                    = "info"
    HOLD_MINUTES                 = "30"
    RATE_LIMIT_BOOKINGS_PER_HOUR = "20"
    RATE_LIMIT_SIGN_INS_PER_HOUR = "20"
    SIGN_UP                      = "closed"
    MAX_HOLDS_PER_CLIENT         = "3"
    MAX_HOLDS_PER_ARTIST         = "10"
    JOB_LEASE_SECONDS            = "90"
    JOB_MAX_ATTEMPTS             = "8"
    }, var.settings, {
    # CloudFront writes it over whatever the caller sent.
    CLIENT_IP_HEADER       = "cloudfront-viewer-address"
    DATABASE_CA            = var.database_ca
    ASSETS                 = trimspace(file("${local.site}/assets.json"))
    STRIPE_LIVE            = tostring(var.stripe_live)
    IMAGES_BUCKET          = local.images_bucket
    QUEUE_URL              = aws_sqs_queue.jobs.url
    MAIL_FROM              = var.mail_from
    MAIL_CONFIGURATION_SET = local.name
  })

  # webhook: called by a service that cannot sign for AWS. site: by browsers. none: by AWS itself.
  access = { for name in keys(local.functions) : name =>
    anytrue([for route in local.routes : route.function == name && startswith(route.path, "/api/webhooks/")]) ? "webhook" :
    anytrue([for route in local.routes : route.function == name]) ? "site" : "none"
  }
  behind_cloudfront = toset([for name, access in local.access : name if access == "site"])
}

# Anybody may call a webhook's URL, past CloudFront and its firewall. A share of their own is also their ceiling: whoever floods
# one of them stops nothing else, and fills no pooler. Stripe repeats its events for three days, and the sweeper asks for them.
# AWS wants 100 left for those that reserve nothing, so a new account, which may run ten, cannot.
data "aws_servicequotas_service_quota" "concurrency" {
  count        = var.reserve_webhooks == null && !var.reserve_concurrency && !var.emulator ? 1 : 0
  service_code = "lambda"
  quota_code   = "L-B99A9384" # concurrent executions
}

locals {
  for_webhooks     = sum([for name, access in local.access : local.functions[name].concurrency if access == "webhook"])
  reserve_webhooks = var.reserve_webhooks != null ? var.reserve_webhooks : anytrue([for quota in data.aws_servicequotas_service_quota.concurrency : quota.value >= 100 + local.for_webhooks])
}

module "function" {
  source   = "./modules/function"
  for_each = local.functions

  name                 = "${local.name}-${each.key}"
  description          = "InkFlow ${each.key}, release ${var.release}${local.secrets_read[each.key]}"
  zip                  = "${coalesce(var.functions_dir, "${path.module}/../dist/functions")}/${each.key}/bootstrap.zip"
  architecture         = var.architecture
  memory               = each.value.memory
  timeout              = each.value.timeout
  reserved_concurrency = var.reserve_concurrency || (local.reserve_webhooks && local.access[each.key] == "webhook") ? each.value.concurrency : -1
  url                  = local.access[each.key] == "none" ? "none" : local.access[each.key] == "site" ? "signed" : "public"
  log_retention_days   = var.log_retention_days

  environment = merge(
    { SECRETS_PARAMETERS = join(",", [for name in local.reads[each.key].parameters : "${local.parameter_path}/${name}"]) },
    { for name in local.reads[each.key].settings : name => local.settings[name] if local.settings[name] != "" },
  )
  statements = concat(
    [{ Action = ["ssm:GetParameters"], Resource = [for name in local.reads[each.key].parameters : "${local.parameter_arn}/${name}"] }],
    [for may in local.reads[each.key].may : local.permissions[may]],
  )
}

locals {
  webhook_urls = { for route in local.routes : route.path => "${trimsuffix(module.function[route.function].url, "/")}${route.path}" if local.access[route.function] == "webhook" }

  # A new version of a function reads its parameters when it starts: it has one whenever one of them is written.
  secrets_read = { for name, reads in local.reads : name =>
    try(format(", secrets version %s", coalesce(join(".", [for secret in reads.parameters : lookup(var.secret_versions, secret, 0) if contains(local.secrets, secret)]))), "")
  }

  # All that each function reads and may do, from what it uses.
  reads = { for name, function in local.functions : name => {
    settings   = distinct(concat(["LOG_LEVEL"], flatten([for used in function.uses : local.capabilities[used].settings])))
    parameters = distinct(flatten([for used in function.uses : local.capabilities[used].parameters]))
    may        = distinct(flatten([for used in function.uses : local.capabilities[used].may]))
  } }
}

# A route without an entry above, or an entry that nobody calls, is a mistake.
check "routes" {
  assert {
    condition     = length(setsubtract(local.routes[*].function, keys(local.functions))) == 0
    error_message = "routes.json names a function that functions.tf does not know."
  }
  assert {
    condition     = setsubtract(keys(local.functions), local.routes[*].function) == toset(["sweeper", "worker", "image-intake"])
    error_message = "functions.tf has a function that no route, no queue, no schedule and no bucket calls."
  }
}

# --- What must be said --------------------------------------------------------------------------------------------------

variable "env" {
  description = "Name of this environment: prod, staging. Part of every resource's name."
  type        = string
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,11}$", var.env))
    error_message = "env is 2 to 12 lower-case letters, digits or dashes."
  }
}

variable "account_id" {
  description = "The AWS account to deploy to. Credentials of another one are refused."
  type        = string
  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "account_id is the 12 digits of an AWS account."
  }
}

variable "region" {
  description = "AWS region: the one nearest to the database."
  type        = string
}

variable "mail_from" {
  description = "Who the mails come from: InkFlow <bonjour@example.com>, or the address alone."
  type        = string
  validation {
    condition     = can(regex("[^ <@]+@[a-z0-9.-]+\\.[a-z]+>?$", var.mail_from))
    error_message = "mail_from is an address, with or without a name before it."
  }
}

# --- What may be said ---------------------------------------------------------------------------------------------------

variable "settings" {
  description = "Other values than the defaults of functions.tf, by the name in .env.example: { HOLD_MINUTES = \"45\" }."
  type        = map(string)
  default     = {}
  validation {
    condition = length(setsubtract(keys(var.settings), [
      "CALCOM_API_BASE", "CALCOM_WEB_BASE", "CORS_ORIGINS", "HOLD_MINUTES", "JOB_LEASE_SECONDS",
      "JOB_MAX_ATTEMPTS", "LOG_LEVEL", "MAX_HOLDS_PER_ARTIST", "MAX_HOLDS_PER_CLIENT", "RATE_LIMIT_BOOKINGS_PER_HOUR",
      "RATE_LIMIT_SIGN_INS_PER_HOUR", "SIGN_UP",
      "STRIPE_API_BASE", "SUPABASE_PUBLISHABLE_KEY", "SUPABASE_URL",
    ])) == 0
    error_message = "settings has a name that no function reads, or that Terraform sets itself, or that is a secret."
  }
  validation {
    condition     = contains(["closed", "invited", "open"], lookup(var.settings, "SIGN_UP", "closed"))
    error_message = "SIGN_UP is closed, invited or open."
  }
}

variable "database_ca" {
  description = "The authority of the database's certificate, when it is no public one: a file in the root of the checkout, or the PEM. `make deploy` reads the file."
  type        = string
  default     = ""
}

variable "domain_name" {
  description = "The site's own domain. None: CloudFront's."
  type        = string
  default     = null
}

variable "hosted_zone_id" {
  description = "The Route 53 zone of domain_name: certificate and DNS records are then made here, those of the mail domain too when it is in this zone."
  type        = string
  default     = null
}

variable "certificate_arn" {
  description = "Certificate of domain_name in us-east-1, when its DNS is elsewhere than in Route 53."
  type        = string
  default     = null
}

variable "create_mail_identity" {
  description = "False: SES knows the domain of mail_from in this account and region already, by another environment or product, and has verified it."
  type        = bool
  default     = true
}

variable "hsts" {
  description = "Whom browsers may speak to by https only, for two years: \"site\", also the \"subdomains\" of domain_name, or those by the browsers' own list, \"preload\". The latter two hold for everything of that domain and are hard to take back."
  type        = string
  default     = "site"
  validation {
    condition     = contains(["site", "subdomains", "preload"], var.hsts)
    error_message = "hsts is site, subdomains or preload."
  }
}

variable "supabase_secret_key" {
  description = "True: SUPABASE_SECRET_KEY is among the secrets, and Supabase counts each visitor by their own address."
  type        = bool
  default     = false
}

variable "supabase_jwt_secret" {
  description = "True: the project still signs its tokens with the old shared secret, which is then SUPABASE_JWT_SECRET among the secrets."
  type        = bool
  default     = false
}

variable "waf" {
  description = "A firewall before CloudFront: 300 requests of artists' pages and the API per address in 5 minutes. About 7 USD a month."
  type        = bool
  default     = false
}

variable "architecture" {
  description = "arm64, a fifth cheaper, or x86_64; as in `make build ARCH=`."
  type        = string
  default     = "arm64"
  validation {
    condition     = contains(["arm64", "x86_64"], var.architecture)
    error_message = "architecture is arm64 or x86_64."
  }
}

variable "reserve_concurrency" {
  description = "Reserve each function's concurrency, which is also its ceiling. A new account's quota (10) is too small for it."
  type        = bool
  default     = false
}

variable "reserve_webhooks" {
  description = "Reserve the concurrency of the two webhooks, whose URLs anybody may call, so that a flood there stops nothing else. null: if the account may run enough at once, which a new one (10) may not."
  type        = bool
  default     = null
}

variable "alarm_email" {
  description = "Who is told of alarms, bounced mails and the budget. Confirm the three subscriptions that AWS mails there. Without it nobody is told of anything."
  type        = string
  default     = null
}

variable "pager_url" {
  description = "An https address that SNS may call, of a pager (PagerDuty, Opsgenie, Grafana OnCall …), for the alarms that cannot wait for the morning. Its subscription must confirm itself, as theirs do."
  type        = string
  default     = null
  validation {
    condition     = var.pager_url == null || can(regex("^https://[^ ]+$", var.pager_url))
    error_message = "pager_url begins with https://."
  }
}

variable "outside_checks" {
  description = "Paths of the site that Route 53 asks for from three parts of the world and that must answer 200: some 1.50 USD a month each. Add one that needs the API and the database: /api/artists/<an artist's address>."
  type        = list(string)
  default     = ["/"]
  validation {
    condition     = alltrue([for path in var.outside_checks : can(regex("^/[^? ]*$", path))])
    error_message = "outside_checks are paths: [\"/\", \"/api/artists/lea\"]."
  }
}

variable "budget_by_tag" {
  description = "True: the budget counts this environment alone. First switch the tag `stack` on: Billing, Cost allocation tags; a day later AWS counts by it. False: the whole account."
  type        = bool
  default     = false
}

variable "monthly_budget_usd" {
  description = "A warning at 80 % of it, forecast, and at 100 %, spent."
  type        = number
  default     = 50
}

variable "log_retention_days" {
  description = "How long logs are kept. They hold ids and no personal data."
  type        = number
  default     = 30
}

variable "tags" {
  description = "Further tags of every resource."
  type        = map(string)
  default     = {}
}

variable "secret_versions" {
  description = "The versions of the secrets in SSM, by name: a function starts anew when one that it reads has another. `make deploy` looks them up."
  type        = map(number)
  default     = {}
}

variable "stripe_live" {
  description = "Whether STRIPE_SECRET_KEY moves real money: `make deploy` looks at the key. Events of the other mode are not for us."
  type        = bool
  default     = false
}

variable "release" {
  description = "What is deployed, in words: every release is a version of every function, so that `make rollback` goes back one release."
  type        = string
  default     = "unknown"
}

variable "functions_dir" {
  description = "Where `make build` leaves <function>/bootstrap.zip. Default: dist/functions of this checkout."
  type        = string
  default     = null
}

variable "site_dir" {
  description = "The built site. Default: frontend/dist of this checkout, as `make site` leaves it."
  type        = string
  default     = null
}

variable "emulator" {
  description = "For tests: a local AWS instead of the real one, without the few things that it cannot do."
  type        = bool
  default     = false
}

# One environment: `cp infra/environments/example.tfvars infra/environments/prod.tfvars`. No secrets here: those are put into
# SSM by `make secret`. variables.tf explains every name. What is commented out has the value that is written there, or none.

env        = "prod"
account_id = "123456789012"
region     = "eu-west-3" # the one nearest to the Supabase project

mail_from   = "InkFlow <bonjour@mail.example.com>" # one mail domain for each environment
alarm_email = "ops@example.com"

settings = {
  SUPABASE_URL             = "https://abcdefghijklmnopqrst.supabase.co"
  SUPABASE_PUBLISHABLE_KEY = "sb_publishable_…"
  SIGN_UP                  = "invited" # whom you invite by make artist; "closed": nobody any more, "open": anybody
}

# The authority of the database's certificate. Supabase: Project settings, Database, SSL configuration: download it to the root of
# the checkout.
# database_ca = "prod-ca-2021.crt"

# The site's own domain, and where its DNS is: a zone of Route 53, or elsewhere with a certificate of us-east-1 (docs/deploy.md,
# step 2). Without them the site has CloudFront's name.
# domain_name     = "inkflow.example"
# hosted_zone_id  = "Z0123456789ABCDEFGHIJ"
# certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/…"

# SES knows the domain of mail_from already, in this account and region, by another environment or product.
# create_mail_identity = true

# How far "https only" reaches in browsers, for two years: "site", "subdomains" (all of domain_name), "preload".
# hsts = "site"

# A firewall, some 7 USD a month; and, once the account may run 1 000 functions at once, a share of them for each. The two webhooks
# have theirs as soon as the account may run 130 (null), so that a flood at their public doors stops nothing else; false where other
# things of the account have reserved too much for it.
# waf                 = false
# reserve_concurrency = false
# reserve_webhooks    = null

# Beside alarm_email: a pager, for what cannot wait; and paths that the world must get an answer to, one with the database.
# pager_url      = "https://events.pagerduty.com/integration/…/enqueue"
# outside_checks = ["/", "/api/artists/lea"]

# monthly_budget_usd  = 50
# budget_by_tag       = false
# log_retention_days  = 30
# architecture        = "arm64"
# supabase_secret_key = false
# supabase_jwt_secret = false
# tags                = {}

# One environment: `cp infra/environments/example.tfvars infra/environments/prod.tfvars`. No secrets here: those are in
# `.env.prod`. variables.tf explains every name.

env        = "prod"
account_id = "123456789012"
region     = "eu-west-3" # the one nearest to the Supabase project

mail_from   = "InkFlow <bonjour@mail.example.com>"
alarm_email = "ops@example.com"

# The site's own domain, and where its DNS is. Without them the site has CloudFront's name.
# domain_name    = "inkflow.example"
# hosted_zone_id = "Z0123456789ABCDEFGHIJ"

settings = {
  SUPABASE_URL             = "https://abcdefghijklmnopqrst.supabase.co"
  SUPABASE_PUBLISHABLE_KEY = "sb_publishable_…"
}

# Raise it whenever a secret in .env.prod has changed.
secrets_version = 1

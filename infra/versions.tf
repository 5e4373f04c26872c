terraform {
  required_version = ">= 1.11" # the lock of the state lies beside it

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "5.100.0"
    }
  }

  # Where the state lives is said at `terraform init`; `make deploy` does.
  backend "s3" {}
}

provider "aws" {
  region = var.region
  # A plan for one account can never be applied to another one.
  allowed_account_ids         = [var.account_id]
  skip_credentials_validation = var.emulator
  skip_metadata_api_check     = var.emulator
  skip_region_validation      = var.emulator
  s3_use_path_style           = var.emulator

  default_tags { tags = local.tags }
}

# What CloudFront uses lives in us-east-1, wherever the rest is: its certificate and its firewall.
provider "aws" {
  alias                       = "us_east_1"
  region                      = "us-east-1"
  allowed_account_ids         = [var.account_id]
  skip_credentials_validation = var.emulator
  skip_metadata_api_check     = var.emulator
  skip_region_validation      = var.emulator
  s3_use_path_style           = var.emulator

  default_tags { tags = local.tags }
}

locals {
  name = "inkflow-${var.env}"
  # `stack` is this environment's alone: the budget may count by it.
  tags = merge(var.tags, { app = "inkflow", env = var.env, stack = local.name, managed_by = "terraform" })
}

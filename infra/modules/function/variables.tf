variable "name" {
  description = "Name of the function and of its role."
  type        = string
}

variable "description" {
  description = "A changed description publishes a new version, which starts with the parameters of that moment."
  type        = string
}

variable "zip" {
  description = "The compiled function."
  type        = string
}

variable "architecture" {
  description = "arm64 or x86_64."
  type        = string
}

variable "memory" {
  description = "In MB; the share of a processor follows it."
  type        = number
}

variable "timeout" {
  description = "In seconds."
  type        = number
}

variable "reserved_concurrency" {
  description = "How many may run at once; -1 for no limit but the account's."
  type        = number
}

variable "url" {
  description = "none, signed (only who signs for AWS, as CloudFront does) or public."
  type        = string
  validation {
    condition     = contains(["none", "signed", "public"], var.url)
    error_message = "url is none, signed or public."
  }
}

variable "environment" {
  description = "Its plain settings."
  type        = map(string)
}

variable "statements" {
  description = "What it may do beside writing its log, as IAM statements without an Effect."
  type        = list(object({ Action = list(string), Resource = list(string) }))
}

variable "log_retention_days" {
  description = "How long its log is kept."
  type        = number
}

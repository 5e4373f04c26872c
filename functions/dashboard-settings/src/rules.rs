//! `/api/dashboard/rules` and `/api/dashboard/policy`: what bookings still to be made will say.

use lambda_http::http::StatusCode;
use serde::{Deserialize, Serialize};
use shared::db::settings::rules as store;
use shared::domain::locale::Locale;
use shared::domain::policy::CancellationPolicy;
use shared::domain::settings::rules::{PolicyDraft, Rules, RulesDraft, TEMPLATES, policy};
use shared::error::Error;
use shared::http::{self, Reply};

use crate::{Asked, body};

/// Deposit and slots as they come in.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[derive(schemars::JsonSchema)]
pub struct RulesInput {
    #[schemars(required)]
    deposit_percent: Option<i64>,
    #[schemars(required)]
    deposit_minimum_cents: Option<i64>,
    #[schemars(required)]
    project_deposit_cents: Option<i64>,
    #[schemars(required)]
    project_duration_minutes: Option<i64>,
    #[schemars(required)]
    minimum_notice_minutes: Option<i64>,
    #[schemars(required)]
    buffer_minutes: Option<i64>,
    #[schemars(required)]
    slot_step_minutes: Option<i64>,
    #[schemars(required)]
    horizon_days: Option<i64>,
}

/// Deposit and slots as they are.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct RulesView {
    /// The share of a flash's price that is paid ahead.
    pub deposit_percent: i16,
    /// The least deposit.
    pub deposit_minimum_cents: i64,
    /// The deposit of a project.
    pub project_deposit_cents: i64,
    /// How long a project's first appointment takes.
    pub project_duration_minutes: i32,
    /// How long before it an appointment can still be booked.
    pub minimum_notice_minutes: i32,
    /// The rest between two appointments.
    pub buffer_minutes: i32,
    /// How far apart two starts are.
    pub slot_step_minutes: i32,
    /// How many days ahead can be booked.
    pub horizon_days: i32,
}

impl From<Rules> for RulesView {
    fn from(rules: Rules) -> Self {
        Self {
            deposit_percent: rules.deposit_percent,
            deposit_minimum_cents: rules.deposit_minimum.cents(),
            project_deposit_cents: rules.project_deposit.cents(),
            project_duration_minutes: rules.project_duration_minutes,
            minimum_notice_minutes: rules.minimum_notice_minutes,
            buffer_minutes: rules.buffer_minutes,
            slot_step_minutes: rules.slot_step_minutes,
            horizon_days: rules.horizon_days,
        }
    }
}

pub(crate) async fn show(asked: &Asked<'_>) -> Reply {
    let rules = store::read(&asked.app.db, asked.who.account()).await?;
    http::reply(StatusCode::OK, &RulesView::from(rules))
}

pub(crate) async fn save(asked: &Asked<'_>) -> Reply {
    let input: RulesInput = body(asked.request)?;
    let rules = Rules::parse(&RulesDraft {
        deposit_percent: input.deposit_percent,
        deposit_minimum_cents: input.deposit_minimum_cents,
        project_deposit_cents: input.project_deposit_cents,
        project_duration_minutes: input.project_duration_minutes,
        minimum_notice_minutes: input.minimum_notice_minutes,
        buffer_minutes: input.buffer_minutes,
        slot_step_minutes: input.slot_step_minutes,
        horizon_days: input.horizon_days,
    })
    .map_err(|flaws| asked.refuse(flaws))?;
    store::write(&asked.app.db, asked.who.account(), &rules, asked.now).await?;
    http::reply(StatusCode::OK, &RulesView::from(rules))
}

/// A policy as it comes in.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
#[derive(schemars::JsonSchema)]
pub struct PolicyInput {
    #[schemars(required)]
    full_refund_hours: Option<i64>,
    #[schemars(required)]
    late_refund_percent: Option<i64>,
    #[schemars(required)]
    free_moves: Option<i64>,
    /// `acompte` or `arrhes`.
    #[schemars(required)]
    nature: Option<String>,
}

/// A policy in figures.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct PolicyFigures {
    /// Up to so many hours before, everything comes back.
    pub full_refund_hours: u32,
    /// The share that comes back later than that.
    pub late_refund_percent: u8,
    /// How often the appointment may be moved.
    pub free_moves: u8,
    /// `acompte` or `arrhes`.
    pub nature: &'static str,
}

/// A policy as the client reads it.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct Sentences {
    /// In French.
    pub fr: String,
    /// In English.
    pub en: String,
}

/// A policy to begin from.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct TemplateView {
    /// A name for programs.
    pub id: &'static str,
    /// A name for French readers.
    pub name_fr: &'static str,
    /// A name for English readers.
    pub name_en: &'static str,
    /// The policy.
    pub policy: PolicyFigures,
}

/// The policy as it is, with those to begin from.
#[derive(Debug, Serialize, schemars::JsonSchema)]
pub struct OwnPolicyView {
    /// The policy.
    #[serde(flatten)]
    pub policy: PolicyFigures,
    /// As the client reads it.
    pub sentences: Sentences,
    /// Policies to begin from.
    pub templates: Vec<TemplateView>,
}

impl From<CancellationPolicy> for PolicyFigures {
    fn from(policy: CancellationPolicy) -> Self {
        Self {
            full_refund_hours: policy.full_refund_hours,
            late_refund_percent: policy.late_refund_percent,
            free_moves: policy.free_moves,
            nature: policy.nature.name(),
        }
    }
}

impl From<CancellationPolicy> for Sentences {
    fn from(policy: CancellationPolicy) -> Self {
        Self { fr: policy.sentence(Locale::Fr), en: policy.sentence(Locale::En) }
    }
}

impl From<CancellationPolicy> for OwnPolicyView {
    fn from(policy: CancellationPolicy) -> Self {
        let templates = TEMPLATES.iter().map(|template| TemplateView {
            id: template.id,
            name_fr: template.name_fr,
            name_en: template.name_en,
            policy: template.policy.into(),
        });
        Self { policy: policy.into(), sentences: policy.into(), templates: templates.collect() }
    }
}

fn parsed(asked: &Asked<'_>) -> Result<CancellationPolicy, Error> {
    let input: PolicyInput = body(asked.request)?;
    policy(&PolicyDraft {
        full_refund_hours: input.full_refund_hours,
        late_refund_percent: input.late_refund_percent,
        free_moves: input.free_moves,
        nature: input.nature.as_deref(),
    })
    .map_err(|flaws| asked.refuse(flaws))
}

pub(crate) async fn show_policy(asked: &Asked<'_>) -> Reply {
    let policy = store::read_policy(&asked.app.db, asked.who.account()).await?;
    http::reply(StatusCode::OK, &OwnPolicyView::from(policy))
}

pub(crate) async fn save_policy(asked: &Asked<'_>) -> Reply {
    let policy = parsed(asked)?;
    store::write_policy(&asked.app.db, asked.who.account(), &policy, asked.now).await?;
    http::reply(StatusCode::OK, &OwnPolicyView::from(policy))
}

/// The policy in words, before it is saved.
pub(crate) fn preview(asked: &Asked<'_>) -> Reply {
    http::reply(StatusCode::OK, &Sentences::from(parsed(asked)?))
}

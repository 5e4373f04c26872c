//! The deposit, the shape of the slots, and the policy.

use jiff::Timestamp;
use tokio_postgres::types::Type;

use super::of_an_artist;
use crate::auth::Account;
use crate::db::bookings::euros;
use crate::db::{Db, Repeat, get, get_named};
use crate::domain::policy::{CancellationPolicy, DepositNature};
use crate::domain::settings::rules::Rules;
use crate::error::Error;

/// The rules of an account's artist. One flight.
///
/// # Errors
/// [`Error::NoArtist`], or the database failed.
pub async fn read(db: &Db, user: Account) -> Result<Rules, Error> {
    const SQL: &str = r"select deposit_percent, deposit_minimum::text, project_deposit::text, project_duration_minutes,
         minimum_notice_minutes, buffer_minutes, slot_step_minutes, horizon_days from artists where user_id = account($1)";
    let row = of_an_artist(db.row(Repeat::Safe, SQL, &[(&user, Type::UUID_ARRAY)]).await?)?;
    Ok(Rules {
        deposit_percent: get(&row, "deposit_percent")?,
        deposit_minimum: euros(&row, "deposit_minimum")?,
        project_deposit: euros(&row, "project_deposit")?,
        project_duration_minutes: get(&row, "project_duration_minutes")?,
        minimum_notice_minutes: get(&row, "minimum_notice_minutes")?,
        buffer_minutes: get(&row, "buffer_minutes")?,
        slot_step_minutes: get(&row, "slot_step_minutes")?,
        horizon_days: get(&row, "horizon_days")?,
    })
}

/// Writes the rules. One flight.
///
/// # Errors
/// [`Error::NoArtist`], or the database failed.
pub async fn write(db: &Db, user: Account, rules: &Rules, now: Timestamp) -> Result<(), Error> {
    const SQL: &str = r"update artists set deposit_percent = $2, deposit_minimum = $3::text::numeric,
         project_deposit = $4::text::numeric, project_duration_minutes = $5, minimum_notice_minutes = $6,
         buffer_minutes = $7, slot_step_minutes = $8, horizon_days = $9, updated_at = $10 where user_id = account($1) returning id";
    let row = db
        .row(
            Repeat::Safe,
            SQL,
            &[
                (&user, Type::UUID_ARRAY),
                (&rules.deposit_percent, Type::INT2),
                (&rules.deposit_minimum.to_euros(), Type::TEXT),
                (&rules.project_deposit.to_euros(), Type::TEXT),
                (&rules.project_duration_minutes, Type::INT4),
                (&rules.minimum_notice_minutes, Type::INT4),
                (&rules.buffer_minutes, Type::INT4),
                (&rules.slot_step_minutes, Type::INT4),
                (&rules.horizon_days, Type::INT4),
                (&now, Type::TIMESTAMPTZ),
            ],
        )
        .await?;
    of_an_artist(row).map(|_| ())
}

/// The policy of an account's artist. One flight.
///
/// # Errors
/// [`Error::NoArtist`], or the database failed.
pub async fn read_policy(db: &Db, user: Account) -> Result<CancellationPolicy, Error> {
    const SQL: &str = r"select policy_full_refund_hours, policy_late_refund_percent, policy_free_moves, deposit_nature
         from artists where user_id = account($1)";
    let row = of_an_artist(db.row(Repeat::Safe, SQL, &[(&user, Type::UUID_ARRAY)]).await?)?;
    let out_of_range = |_| Error::Internal("a policy out of range".into());
    Ok(CancellationPolicy {
        full_refund_hours: get::<i32>(&row, "policy_full_refund_hours")?.try_into().map_err(out_of_range)?,
        late_refund_percent: get::<i16>(&row, "policy_late_refund_percent")?.try_into().map_err(out_of_range)?,
        free_moves: get::<i16>(&row, "policy_free_moves")?.try_into().map_err(out_of_range)?,
        nature: get_named(&row, "deposit_nature", DepositNature::parse)?,
    })
}

/// Writes the policy: of bookings still to be made, because each booking carries its own. One flight.
///
/// # Errors
/// [`Error::NoArtist`], or the database failed.
pub async fn write_policy(db: &Db, user: Account, policy: &CancellationPolicy, now: Timestamp) -> Result<(), Error> {
    const SQL: &str = r"update artists set policy_full_refund_hours = $2, policy_late_refund_percent = $3,
         policy_free_moves = $4, deposit_nature = $5, updated_at = $6 where user_id = account($1) returning id";
    let row = db
        .row(
            Repeat::Safe,
            SQL,
            &[
                (&user, Type::UUID_ARRAY),
                (&i32::try_from(policy.full_refund_hours).unwrap_or(i32::MAX), Type::INT4),
                (&i16::from(policy.late_refund_percent), Type::INT2),
                (&i16::from(policy.free_moves), Type::INT2),
                (&policy.nature.name(), Type::TEXT),
                (&now, Type::TIMESTAMPTZ),
            ],
        )
        .await?;
    of_an_artist(row).map(|_| ())
}

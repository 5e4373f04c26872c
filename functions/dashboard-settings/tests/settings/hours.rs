//! When the artist works, and when not.

use testing::Plan;

use super::*;

fn opening(weekday: i64, opens: &str, closes: &str) -> Value {
    json!({ "weekday": weekday, "opens": opens, "closes": closes })
}

#[test]
fn a_week_is_replaced_as_a_whole_and_clients_see_it_at_once() {
    World::run(|world| async move {
        let before = get(world, &LEA, "hours").await;
        assert_eq!(before["hours"].as_array().expect("a week").len(), 8);
        assert_eq!(before["hours"][5], opening(5, "14:00", "24:00"), "{before}");
        // Sent back, sent in another order, sent twice: always the same week.
        for _ in 0..2 {
            let mut again = before.clone();
            again["hours"].as_array_mut().expect("a week").reverse();
            let saved = put(world, &LEA, "hours", again).await;
            assert_eq!((saved.status, &saved.body), (200, &before), "{}", saved.body);
        }
        // The same day, an hour later: the old row and the new one would overlap.
        let shifted = json!({ "hours": [opening(4, "11:00", "20:00"), opening(7, "00:00", "24:00")] });
        assert_eq!(put(world, &LEA, "hours", shifted.clone()).await.body, shifted);
        assert_eq!(get(world, &LEA, "hours").await, shifted);
        assert_eq!(
            slots(world, LEA.slug, "2027-02-04").await.first().map(String::as_str),
            Some("2027-02-04T11:00:00+01:00")
        );
        assert_eq!(slots(world, LEA.slug, "2027-02-05").await, Vec::<String>::new(), "Friday is closed now");
        assert_eq!(put(world, &LEA, "hours", json!({ "hours": [] })).await.status, 200);
        assert_eq!(
            world.rows(&format!("select * from availability where artist_id = '{}'", LEA.id), &[]).await.len(),
            0
        );
        assert_eq!(get(world, &NOA, "hours").await["hours"].as_array().expect("hers").len(), 6, "nobody else’s");
    });
}

#[test]
fn hours_that_overlap_or_are_none_are_named_by_their_place() {
    World::run(|world| async move {
        let before = get(world, &LEA, "hours").await;
        let wrong = json!({ "hours": [
            opening(1, "10:00", "12:00"), opening(1, "11:00", "13:00"), opening(9, "10:00", "12:00"), opening(2, "18:00", "02:00"),
            opening(3, "24:00", "25:00"),
        ] });
        let refused = put(world, &LEA, "hours", wrong).await;
        assert_eq!(
            (refused.status, refused.pointers()),
            (422, vec!["#/hours/1", "#/hours/2/weekday", "#/hours/3/closes", "#/hours/4/closes"]),
            "{}",
            refused.body
        );
        assert_eq!(get(world, &LEA, "hours").await, before);
    });
}

#[test]
fn time_off_tells_which_appointments_lie_in_it_and_touches_none() {
    World::run(|world| async move {
        let held = world.hold(&Plan::of(&LEA, 0, "2027-02-04T09:00:00Z")).await;
        let paid = world.hold(&Plan::of(&LEA, 0, "2027-02-05T09:00:00Z").by("ana@example.fr")).await;
        world.confirm(&paid).await;
        let after = world.hold(&Plan::of(&LEA, 0, "2027-02-06T09:00:00Z").by("bo@example.fr")).await;
        let elsewhere = world.hold(&Plan::of(&NOA, 0, "2027-02-05T09:00:00Z").by("cy@example.fr")).await;
        // Until the very minute at which the last one begins.
        let wish = json!({ "starts_at": "2027-02-03T23:00:00Z", "ends_at": "2027-02-06T09:00:00Z", "note": "Turin" });
        let taken = post(world, &LEA, "time-off", wish).await;
        assert_eq!(taken.status, 201, "{}", taken.body);
        assert_eq!(taken.body["conflicts"], json!([held.id(), paid.id()]), "{}", taken.body);
        for booking in [&held, &paid, &after, &elsewhere] {
            assert_ne!(world.booking(&booking.id()).await["status"], "cancelled");
        }
        assert_eq!(slots(world, LEA.slug, "2027-02-05").await, Vec::<String>::new());

        let list = get(world, &LEA, "time-off").await;
        let ids: Vec<&Value> = list["time_off"].as_array().expect("a list").iter().map(|off| &off["id"]).collect();
        assert_eq!(ids, [&taken.body["id"], &json!("019aa000-0000-7000-8000-00000000c001")], "in order: {list}");
        let path = format!("time-off/{}", taken.body["id"].as_str().expect("an id"));
        assert_eq!(ask(world, &LEA, "DELETE", &path, None).await.status, 204);
        assert_eq!(ask(world, &LEA, "DELETE", &path, None).await.status, 404, "it is gone");
        assert!(!slots(world, LEA.slug, "2027-02-05").await.is_empty());
    });
}

#[test]
fn a_lapsed_hold_is_no_conflict_and_past_time_off_is_not_listed() {
    World::run(|world| async move {
        world.hold(&Plan::of(&LEA, 0, "2027-02-04T09:00:00Z")).await;
        world.advance_minutes(31);
        let taken = post(
            world,
            &LEA,
            "time-off",
            json!({ "starts_at": "2027-02-04T00:00:00Z", "ends_at": "2027-02-05T00:00:00Z" }),
        )
        .await;
        assert_eq!((taken.status, &taken.body["conflicts"]), (201, &json!([])));
        world.execute("update time_off set starts_at = '2026-01-01', ends_at = '2026-01-02'").await;
        assert_eq!(get(world, &LEA, "time-off").await["time_off"], json!([]));
        let past = post(
            world,
            &LEA,
            "time-off",
            json!({ "starts_at": "2026-02-04T00:00:00Z", "ends_at": "2026-02-05T00:00:00Z" }),
        )
        .await;
        assert_eq!((past.status, past.pointers()), (422, vec!["#/ends_at"]));
    });
}

#[test]
fn time_off_is_told_and_taken_on_the_studio_s_clock() {
    World::run(|world| async move {
        let wish =
            json!({ "starts_at": "2027-02-04T00:00", "ends_at": "2027-02-05T00:00", "timezone": "Europe/Paris" });
        let taken = post(world, &LEA, "time-off", wish).await;
        assert_eq!(taken.status, 201, "{}", taken.body);
        let ends = json!(["2027-02-04T00:00:00+01:00", "2027-02-05T00:00:00+01:00"]);
        assert_eq!(json!([taken.body["starts_at"], taken.body["ends_at"]]), ends);
        let listed = &get(world, &LEA, "time-off").await["time_off"][0];
        assert_eq!(json!([listed["starts_at"], listed["ends_at"]]), ends);
        // Without an offset, whose clock it is must be said.
        let wish = json!({ "starts_at": "2027-02-04T00:00", "ends_at": "2027-02-05T00:00" });
        let refused = post(world, &LEA, "time-off", wish).await;
        assert_eq!((refused.status, refused.pointers()), (422, vec!["#/starts_at", "#/ends_at"]));
    });
}

//! Deposit, slots and policy: what bookings still to be made will say, and no other.

use testing::Plan;

use super::*;

#[test]
fn rules_are_kept_as_they_were_sent() {
    World::run(|world| async move {
        let mut rules = get(world, &LEA, "rules").await;
        assert_eq!((&rules["deposit_percent"], &rules["deposit_minimum_cents"]), (&json!(30), &json!(5_000)));
        rules["deposit_percent"] = 40.into();
        rules["deposit_minimum_cents"] = 6_050.into();
        rules["slot_step_minutes"] = 60.into();
        assert_eq!(rules["horizon_days"], 180);
        rules["horizon_days"] = 90.into();
        let saved = put(world, &LEA, "rules", rules.clone()).await;
        assert_eq!((saved.status, &saved.body), (200, &rules));
        assert_eq!(get(world, &LEA, "rules").await, rules);
        // The second flash of 380 euros names no deposit of its own.
        assert_eq!(page(world, LEA.slug).await["flashes"][1]["deposit_cents"], 15_200);
    });
}

#[test]
fn rules_out_of_bounds_are_named_and_change_nothing() {
    World::run(|world| async move {
        let before = get(world, &LEA, "rules").await;
        let refused = put(
            world,
            &LEA,
            "rules",
            json!({
                "deposit_percent": 101, "deposit_minimum_cents": 49, "project_deposit_cents": -1,
                "project_duration_minutes": 0, "minimum_notice_minutes": -1, "buffer_minutes": 9999, "slot_step_minutes": 0,
                "horizon_days": 731,
            }),
        )
        .await;
        assert_eq!((refused.status, refused.pointers().len()), (422, 8), "{}", refused.body);
        assert_eq!(get(world, &LEA, "rules").await, before);
    });
}

#[test]
fn a_policy_is_previewed_in_the_very_words_that_clients_read() {
    World::run(|world| async move {
        let policy = json!({ "full_refund_hours": 48, "late_refund_percent": 50, "free_moves": 1, "nature": "arrhes" });
        let words = post(world, &LEA, "policy/preview", policy.clone()).await;
        assert_eq!(words.status, 200);
        let before = page(world, LEA.slug).await;
        assert_ne!(words.body["fr"], before["policy"]["text_fr"], "a preview writes nothing");
        let saved = put(world, &LEA, "policy", policy).await;
        assert_eq!((saved.status, &saved.body["sentences"]), (200, &words.body), "{}", saved.body);
        let after = page(world, LEA.slug).await;
        assert_eq!((&after["policy"]["text_fr"], &after["policy"]["text_en"]), (&words.body["fr"], &words.body["en"]));
        let templates = saved.body["templates"].as_array().expect("templates");
        assert_eq!(templates.len(), 3);
        for template in templates {
            assert_eq!(put(world, &LEA, "policy", template["policy"].clone()).await.status, 200, "{template}");
        }
        assert_eq!(post(world, &LEA, "policy/preview", json!({ "nature": "caution" })).await.pointers().len(), 4);
    });
}

/// A booking carries its own copies: title, price, deposit, times, policy.
#[test]
fn no_change_of_the_settings_moves_a_booking_that_is_made() {
    World::run(|world| async move {
        let held = world.hold(&Plan::of(&LEA, 1, "2027-02-04T09:00:00Z")).await;
        let paid = world.hold(&Plan::of(&LEA, 0, "2027-02-05T09:00:00Z").by("ana@example.fr")).await;
        world.confirm(&paid).await;
        let before = [promise(world, &held.id()).await, promise(world, &paid.id()).await];

        let mut profile = get(world, &LEA, "profile").await;
        profile["slug"] = "lea-m".into();
        profile["timezone"] = "America/Martinique".into();
        profile["address"] = "ailleurs".into();
        let rules = json!({
            "deposit_percent": 100, "deposit_minimum_cents": 100_000, "project_deposit_cents": 100_000,
            "project_duration_minutes": 15, "minimum_notice_minutes": 525_600, "buffer_minutes": 1_440,
            "slot_step_minutes": 1_440, "horizon_days": 7,
        });
        let policy =
            json!({ "full_refund_hours": 8_760, "late_refund_percent": 0, "free_moves": 0, "nature": "arrhes" });
        for (path, body) in
            [("profile", profile), ("rules", rules), ("policy", policy), ("hours", json!({ "hours": [] }))]
        {
            let answer = put(world, &LEA, path, body).await;
            assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        }
        let off = json!({ "starts_at": "2027-02-01T00:00:00Z", "ends_at": "2027-03-01T00:00:00Z" });
        assert_eq!(post(world, &LEA, "time-off", off).await.status, 201);
        let change = json!({ "title": "Autre", "price_cents": 100_000, "deposit_cents": 100_000, "duration_minutes": 15, "repeatable": false });
        let flash = format!("flashes/{}", LEA.flashes[1].id);
        assert_eq!(put(world, &LEA, &flash, change).await.status, 200);
        assert_eq!(ask(world, &LEA, "POST", &format!("{flash}/archive"), None).await.status, 200);

        assert_eq!([promise(world, &held.id()).await, promise(world, &paid.id()).await], before);
        // The one who is paying still can, and gets what was promised.
        world.confirm(&held).await;
        let row = world.booking(&held.id()).await;
        assert_eq!((&row["title"], &row["policy"]["full_refund_hours"]), (&json!("Pivoine ouverte"), &json!(72)));
    });
}

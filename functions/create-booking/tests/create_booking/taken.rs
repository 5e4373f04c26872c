//! Two clients, one chair: who comes second is told so, and what is free instead.

use dev::stripe::Outcome;
use testing::{Plan, at};

use super::*;

/// Field failure F17.
#[test]
fn a_second_client_cannot_take_a_held_slot() {
    World::run(|world| async move {
        let body = wish(&LEA, HIRONDELLE, TUESDAY_AT_TEN);
        let first = book(world, &body).await;
        let answer = book_from_afar(world, &of_sam(&body)).await;
        is_refused(&answer, 409, "slot-taken");
        let fresh = fresh(&answer);
        // Ten to noon, and half an hour of rest: the next one starts at half past twelve.
        assert_eq!(fresh[0], "2027-02-02T11:30:00Z");
        assert!(!fresh.contains(&TUESDAY_AT_TEN.to_owned()));
        assert!(fresh.contains(&"2027-02-03T09:00:00Z".to_owned()));
        assert_eq!((statuses(world).await.len(), opened(world).len()), (1, 1));
        assert!(!answer.body.to_string().contains(&id(&first)), "{:?}", answer.body);
    });
}

#[test]
fn a_slot_offered_instead_can_be_taken() {
    World::run(|world| async move {
        let body = wish(&LEA, HIRONDELLE, TUESDAY_AT_TEN);
        book(world, &body).await;
        let refused = book_from_afar(world, &of_sam(&body)).await;
        let instead = fresh(&refused)[0].clone();
        id(&book_from_afar(world, &of_sam(&wish(&LEA, HIRONDELLE, &instead))).await);
    });
}

#[test]
fn slots_that_overlap_without_being_equal_are_one_chair_too() {
    World::run(|world| async move {
        world.execute("update artists set buffer_minutes = 0").await;
        // Noon to two.
        id(&book(world, &wish(&LEA, HIRONDELLE, "2027-02-02T11:00:00Z")).await);
        for start in ["2027-02-02T09:30:00Z", "2027-02-02T10:30:00Z", "2027-02-02T11:30:00Z", "2027-02-02T12:30:00Z"] {
            is_refused(&book_from_afar(world, &of_sam(&wish(&LEA, HIRONDELLE, start))).await, 409, "slot-taken");
        }
        // A long project around it, and a longer flash before it.
        is_refused(&book_from_afar(world, &of_sam(&project(&LEA, "2027-02-02T10:30:00Z"))).await, 409, "slot-taken");
        is_refused(
            &book_from_afar(world, &of_sam(&wish(&LEA, PIVOINE, "2027-02-02T09:00:00Z"))).await,
            409,
            "slot-taken",
        );
        // What touches it is free.
        id(&book_from_afar(world, &of_sam(&wish(&LEA, HIRONDELLE, "2027-02-02T09:00:00Z"))).await);
        id(&book_from_afar(world, &of_sam(&wish(&LEA, HIRONDELLE, "2027-02-02T13:00:00Z"))).await);
    });
}

#[test]
fn another_artist_has_another_chair() {
    World::run(|world| async move {
        id(&book(world, &wish(&LEA, HIRONDELLE, TUESDAY_AT_TEN)).await);
        id(&book_from_afar(world, &of_sam(&wish(&NOA, DAGUE, TUESDAY_AT_TEN))).await);
    });
}

#[test]
fn a_unique_flash_is_held_by_one_client_at_a_time_whatever_the_slot() {
    World::run(|world| async move {
        id(&book(world, &wish(&LEA, PIVOINE, TUESDAY_AT_TEN)).await);
        let answer = book_from_afar(world, &of_sam(&wish(&LEA, PIVOINE, "2027-02-04T09:00:00Z"))).await;
        is_refused(&answer, 409, "flash-taken");
        // Not even the same client, at another time: the flash is held, and they are led to where they hold it.
        is_refused(&book(world, &wish(&LEA, PIVOINE, "2027-02-04T09:00:00Z")).await, 409, "flash-yours");
        assert_eq!(statuses(world).await.len(), 1);
    });
}

#[test]
fn a_unique_flash_that_was_paid_is_sold() {
    World::run(|world| async move {
        let held = world.hold(&Plan::of(&LEA, 1, TUESDAY_AT_TEN)).await;
        world.confirm(&held).await;
        world.advance_minutes(24 * 60);
        is_refused(
            &book_from_afar(world, &of_sam(&wish(&LEA, PIVOINE, "2027-02-06T13:00:00Z"))).await,
            409,
            "flash-taken",
        );
    });
}

#[test]
fn a_repeatable_flash_can_be_booked_at_two_times() {
    World::run(|world| async move {
        id(&book(world, &wish(&LEA, HIRONDELLE, TUESDAY_AT_TEN)).await);
        id(&book_from_afar(world, &of_sam(&wish(&LEA, HIRONDELLE, "2027-02-04T09:00:00Z"))).await);
        id(&book(world, &wish(&LEA, HIRONDELLE, "2027-02-04T14:00:00Z")).await);
        assert_eq!(statuses(world).await, ["pending"; 3]);
    });
}

/// Field failure F3.
#[test]
fn a_paid_slot_stays_taken() {
    World::run(|world| async move {
        let held = world.hold(&Plan::of(&LEA, 0, "2027-02-04T09:00:00Z")).await;
        world.confirm(&held).await;
        world.advance_minutes(120);
        is_refused(
            &book_from_afar(world, &of_sam(&wish(&LEA, HIRONDELLE, "2027-02-04T09:00:00Z"))).await,
            409,
            "slot-taken",
        );
        assert_eq!(statuses(world).await, ["confirmed"]);
    });
}

#[test]
fn what_is_busy_in_calcom_only_is_refused_too() {
    World::run(|world| async move {
        world
            .calcom
            .block("noa-keller", at("2027-02-02T08:00:00Z"), at("2027-02-02T10:00:00Z"), "Dentiste")
            .expect("Noa is there");
        let answer = book(world, &wish(&NOA, DAGUE, TUESDAY_AT_TEN)).await;
        is_refused(&answer, 409, "slot-taken");
        assert_eq!(fresh(&answer)[0], "2027-02-02T10:00:00Z");
        assert_eq!(world.count("bookings").await, 0);
    });
}

#[test]
fn the_database_has_the_last_word_when_somebody_is_faster_by_a_breath() {
    World::run(|world| async move {
        let body = wish(&LEA, HIRONDELLE, TUESDAY_AT_TEN);
        let (one, two) = (app(world), app(world));
        let sam = of_sam(&body);
        let elsewhere = [(":source-ip", "203.0.113.9")];
        let (first, second) = tokio::join!(send(&one, world, &[], &body), send(&two, world, &elsewhere, &sam));
        let mut ended = [first.status, second.status];
        ended.sort_unstable();
        assert_eq!(ended, [201, 409], "{:?} {:?}", first.body, second.body);
        let loser = if first.status == 409 { first } else { second };
        is_refused(&loser, 409, "slot-taken");
        assert!(!fresh(&loser).contains(&TUESDAY_AT_TEN.to_owned()));
        assert_eq!(statuses(world).await, ["pending"]);
    });
}

#[test]
fn the_loser_of_a_unique_flash_is_told_that_it_is_the_flash() {
    World::run(|world| async move {
        let (one, two) = (app(world), app(world));
        let body = wish(&LEA, PIVOINE, TUESDAY_AT_TEN);
        let sam = of_sam(&wish(&LEA, PIVOINE, "2027-02-04T09:00:00Z"));
        let elsewhere = [(":source-ip", "203.0.113.9")];
        let (first, second) = tokio::join!(send(&one, world, &[], &body), send(&two, world, &elsewhere, &sam));
        let loser = if first.status == 409 { &first } else { &second };
        is_refused(loser, 409, "flash-taken");
        assert_eq!(statuses(world).await, ["pending"]);
    });
}

/// Field failure F2.
#[test]
fn abandoning_and_retrying_never_confirms_anything() {
    World::run(|world| async move {
        let body = wish(&LEA, HIRONDELLE, "2027-02-04T09:00:00Z");
        let first = book(world, &body).await;
        let session = world.stripe.sessions()[0]["id"].as_str().expect("an id").to_owned();
        world.stripe.pay(&session, Outcome::Declined).expect("open");
        for _ in 0..3 {
            let again = book(world, &body).await;
            assert_eq!((id(&again), &again.body["status"]), (id(&first), &json!("pending")));
        }
        assert_eq!(world.booking(&id(&first)).await["acompte_paid"], false);
    });
}

//! What is for sale, and what a booking of it stands for.

use testing::Plan;

use super::*;

fn of(flash: &demo::Flash) -> String {
    format!("flashes/{}", flash.id)
}

/// The flash as the list shows it.
async fn shown(world: &World, artist: &demo::Artist, id: &str) -> Value {
    let list = get(world, artist, "flashes").await;
    let flashes = list["flashes"].as_array().expect("flashes");
    flashes.iter().find(|flash| flash["id"] == id).unwrap_or_else(|| panic!("{id} is not in {list}")).clone()
}

#[test]
fn a_flash_is_made_changed_archived_and_restored() {
    World::run(|world| async move {
        let image = picture(world, &LEA).await;
        let wish = json!({ "title": " Lune ", "price_cents": 20_000, "duration_minutes": 90, "repeatable": true, "image_id": image });
        let made = post(world, &LEA, "flashes", wish).await;
        assert_eq!(made.status, 201, "{}", made.body);
        let id = made.body["id"].as_str().expect("an id").to_owned();
        // Thirty percent, at least fifty euros.
        assert_eq!((&made.body["deposit_cents"], &made.body["effective_deposit_cents"]), (&Value::Null, &json!(6_000)));
        assert_eq!((&made.body["position"], &made.body["title"]), (&json!(6), &json!("Lune")), "the last");
        assert_eq!(
            (&made.body["image"], &made.body["image_id"]),
            (&json!(format!("/images/{image}/1600.jpg")), &json!(image))
        );
        assert_eq!(shown(world, &LEA, &id).await, made.body);

        let change = json!({ "title": "Lune rousse", "price_cents": 25_000, "deposit_cents": 25_000, "duration_minutes": 120, "repeatable": false, "position": 0 });
        let changed = put(world, &LEA, &format!("flashes/{id}"), change).await;
        assert_eq!((changed.status, &changed.body["image"]), (200, &made.body["image"]), "{}", changed.body);
        let page_now = page(world, LEA.slug).await;
        assert_eq!(
            (&page_now["flashes"][0]["title"], &page_now["flashes"][0]["deposit_cents"]),
            (&json!("Lune rousse"), &json!(25_000))
        );

        for _ in 0..2 {
            let archived = ask(world, &LEA, "POST", &format!("flashes/{id}/archive"), None).await;
            assert_eq!((archived.status, &archived.body["state"]), (200, &json!("archived")));
        }
        assert!(!page(world, LEA.slug).await.to_string().contains("Lune rousse"));
        let list = get(world, &LEA, "flashes").await;
        assert_eq!(list["flashes"].as_array().and_then(|all| all.last()).expect("flashes")["id"], id, "at the end");
        let restored = ask(world, &LEA, "POST", &format!("flashes/{id}/restore"), None).await;
        assert_eq!(restored.body["state"], "available");
        assert!(page(world, LEA.slug).await.to_string().contains("Lune rousse"));
    });
}

#[test]
fn price_and_deposit_that_do_not_fit_are_named() {
    World::run(|world| async move {
        let with = |price: i64, deposit: i64| json!({ "title": "x", "price_cents": price, "deposit_cents": deposit, "duration_minutes": 60, "repeatable": true });
        let path = of(&LEA.flashes[0]);
        for (price, deposit, pointer) in [
            (10_000, 10_001, "#/deposit_cents"),
            (10_000, 49, "#/deposit_cents"),
            (49, 49, "#/price_cents"),
            (-10_000, -10_001, "#/price_cents"),
        ] {
            let refused = put(world, &LEA, &path, with(price, deposit)).await;
            assert_eq!((refused.status, refused.pointers()[0]), (422, pointer), "{}", refused.body);
        }
        assert_eq!(put(world, &LEA, &path, with(10_000, 10_000)).await.status, 200);
        let bare = post(world, &LEA, "flashes", json!({})).await;
        assert_eq!(bare.pointers(), ["#/title", "#/price_cents", "#/duration_minutes", "#/image_id"]);
    });
}

#[test]
fn a_picture_that_is_not_ready_is_refused() {
    World::run(|world| async move {
        let upload =
            post(world, &LEA, "images", json!({ "kind": "flash", "content_type": "image/jpeg", "size": 10 })).await;
        let wish =
            json!({ "title": "x", "price_cents": 10_000, "duration_minutes": 60, "image_id": upload.body["id"] });
        let refused = post(world, &LEA, "flashes", wish).await;
        assert_eq!((refused.status, refused.pointers()), (422, vec!["#/image_id"]), "{}", refused.body);
    });
}

#[test]
fn a_unique_flash_that_is_held_or_sold_stays_what_was_chosen() {
    World::run(|world| async move {
        let (flash, id) = (&LEA.flashes[1], LEA.flashes[1].id.to_string());
        let image = picture(world, &LEA).await;
        let as_it_is =
            json!({ "title": "Pivoine", "price_cents": 50_000, "duration_minutes": 300, "repeatable": false });
        let mut repeatable = as_it_is.clone();
        repeatable["repeatable"] = true.into();
        let mut redrawn = as_it_is.clone();
        redrawn["image_id"] = image.into();

        let held = world.hold(&Plan::of(&LEA, 1, "2027-02-04T09:00:00Z")).await;
        for state in ["held", "sold"] {
            let now = shown(world, &LEA, &id).await;
            assert_eq!((&now["held"], &now["sold"]), (&json!(state == "held"), &json!(state == "sold")), "{now}");
            let refused = put(world, &LEA, &of(flash), repeatable.clone()).await;
            assert_eq!((refused.status, refused.pointers()), (422, vec!["#/repeatable"]), "{}", refused.body);
            let refused = put(world, &LEA, &of(flash), redrawn.clone()).await;
            assert_eq!((refused.status, refused.pointers()), (422, vec!["#/image_id"]), "{}", refused.body);
            let before = promise(world, &held.id()).await;
            // Words and prices are copied into the booking: they may change.
            assert_eq!(put(world, &LEA, &of(flash), as_it_is.clone()).await.status, 200);
            assert_eq!(promise(world, &held.id()).await, before);
            if state == "held" {
                world.confirm(&held).await;
            }
        }
        // Archived and back, it is still sold.
        ask(world, &LEA, "POST", &format!("{}/archive", of(flash)), None).await;
        let back = ask(world, &LEA, "POST", &format!("{}/restore", of(flash)), None).await;
        assert_eq!((&back.body["state"], &back.body["sold"]), (&json!("available"), &json!(true)));
        assert_eq!(page(world, LEA.slug).await["flashes"][1]["state"], "sold");
    });
}

#[test]
fn a_hold_that_has_run_out_may_still_be_paid_so_it_still_counts() {
    World::run(|world| async move {
        world.hold(&Plan::of(&LEA, 1, "2027-02-04T09:00:00Z")).await;
        world.advance_minutes(31);
        let now = shown(world, &LEA, &LEA.flashes[1].id.to_string()).await;
        assert_eq!((&now["held"], &now["sold"]), (&json!(false), &json!(false)), "readers offer it again at once");
        let repeatable = json!({ "title": "x", "price_cents": 50_000, "duration_minutes": 300, "repeatable": true });
        assert_eq!(put(world, &LEA, &of(&LEA.flashes[1]), repeatable).await.pointers(), ["#/repeatable"]);
    });
}

#[test]
fn a_repeatable_flash_that_is_booked_cannot_become_unique() {
    World::run(|world| async move {
        let unique =
            json!({ "title": "Hirondelle", "price_cents": 15_000, "duration_minutes": 120, "repeatable": false });
        assert_eq!(put(world, &LEA, &of(&LEA.flashes[0]), unique.clone()).await.status, 200, "nobody has booked it");
        let repeatable =
            json!({ "title": "Hirondelle", "price_cents": 15_000, "duration_minutes": 120, "repeatable": true });
        assert_eq!(put(world, &LEA, &of(&LEA.flashes[0]), repeatable).await.status, 200);
        let held = world.hold(&Plan::of(&LEA, 0, "2027-02-04T09:00:00Z")).await;
        assert_eq!(put(world, &LEA, &of(&LEA.flashes[0]), unique.clone()).await.pointers(), ["#/repeatable"]);
        world
            .execute(&format!(
                r"update bookings set status = 'cancelled', cancel_reason = 'client', hold_expires_at = null,
                 version = version + 1 where id = '{}'",
                held.id
            ))
            .await;
        assert_eq!(put(world, &LEA, &of(&LEA.flashes[0]), unique).await.status, 200, "nobody has it any more");
    });
}

//! How much one address, one client or one artist's page may carry, and what the limits are counted by.

use lambda_http::http::HeaderName;
use shared::http::Web;
use shared::testing::Plan;

use super::*;

const FAR: &[(&str, &str)] = &[(":source-ip", "203.0.113.9")];

fn limited(world: &World, requests: i32, client: i64, artist: i64) -> App {
    let limits = Limits { requests_per_hour: requests, holds_per_client: client, holds_per_artist: artist };
    App { limits, ..app(world) }
}

#[test]
fn an_address_that_asks_too_often_is_told_when_to_come_back() {
    World::run(|world| async move {
        let body = wish(&LEA, HIRONDELLE, TUESDAY_AT_TEN);
        let sam = of_sam(&wish(&LEA, HIRONDELLE, "2027-02-03T09:00:00Z"));
        let app_now = limited(world, 2, 10, 10);
        id(&send(&app_now, world, &[], &body).await);
        // A refusal counts as well.
        is_refused(&send(&app_now, world, &[], &of_sam(&body)).await, 409, "slot-taken");
        let answer = send(&app_now, world, &[], &sam).await;
        is_refused(&answer, 429, "too-many-requests");
        let after: u64 = answer.header("retry-after").parse().expect("seconds");
        assert!((1..=3_600).contains(&after), "{after}");
        assert_eq!(statuses(world).await, ["pending"]);

        // Another address is another client, and the next hour another count.
        id(&send(&app_now, world, FAR, &sam).await);
        world.advance(std::time::Duration::from_secs(after));
        id(&send(&limited(world, 2, 10, 10), world, &[], &wish(&LEA, HIRONDELLE, "2027-02-04T09:00:00Z")).await);
    });
}

#[test]
fn what_is_already_held_is_given_back_however_often_it_is_asked_for() {
    World::run(|world| async move {
        let app = limited(world, 1, 1, 1);
        let body = wish(&LEA, HIRONDELLE, TUESDAY_AT_TEN);
        let first = id(&send(&app, world, &[], &body).await);
        for _ in 0..3 {
            assert_eq!(id(&send(&app, world, &[], &body).await), first);
        }
    });
}

#[test]
fn a10_a_header_that_anybody_can_write_makes_no_new_client() {
    World::run(|world| async move {
        let app = limited(world, 1, 10, 10);
        id(&send(&app, world, &[("x-forwarded-for", "192.0.2.1")], &wish(&LEA, HIRONDELLE, TUESDAY_AT_TEN)).await);
        for header in ["x-forwarded-for", "x-real-ip", "forwarded", "cloudfront-viewer-address", "true-client-ip"] {
            let headers = [(header, "192.0.2.77:443")];
            let answer = send(&app, world, &headers, &of_sam(&wish(&LEA, HIRONDELLE, "2027-02-04T09:00:00Z"))).await;
            is_refused(&answer, 429, "too-many-requests");
        }
        let counters = world.rows("select bucket, count from rate_limits", &[]).await;
        assert_eq!(counters.len(), 1);
        assert!(!counters[0]["bucket"].as_str().expect("a bucket").contains("198.51"), "a hash, not the address");
    });
}

#[test]
fn a10_behind_cloudfront_its_own_header_tells_clients_apart() {
    World::run(|world| async move {
        let client_ip_header = Some(HeaderName::from_static("cloudfront-viewer-address"));
        let app = App { web: Web { client_ip_header, ..world.web() }, ..limited(world, 1, 10, 10) };
        let viewer = |address| [("cloudfront-viewer-address", address)];
        id(&send(&app, world, &viewer("192.0.2.1:4711"), &wish(&LEA, HIRONDELLE, TUESDAY_AT_TEN)).await);
        let sam = of_sam(&wish(&LEA, HIRONDELLE, "2027-02-04T09:00:00Z"));
        // The port is another at each connection.
        is_refused(&send(&app, world, &viewer("192.0.2.1:4712"), &sam).await, 429, "too-many-requests");
        id(&send(&app, world, &viewer("[2001:db8::1]:4711"), &sam).await);
    });
}

#[test]
fn a_client_holds_only_so_many_slots_by_address_of_mail_or_of_network() {
    World::run(|world| async move {
        let app = limited(world, 100, 2, 100);
        id(&send(&app, world, &[], &wish(&LEA, HIRONDELLE, TUESDAY_AT_TEN)).await);
        id(&send(&app, world, &[], &wish(&LEA, HIRONDELLE, "2027-02-03T09:00:00Z")).await);
        let third = wish(&LEA, HIRONDELLE, "2027-02-04T09:00:00Z");
        // By mail, from elsewhere; and from here, under another mail.
        is_refused(&send(&app, world, FAR, &third).await, 429, "too-many-holds");
        is_refused(&send(&app, world, &[], &of_sam(&third)).await, 429, "too-many-holds");
        assert_eq!((statuses(world).await.len(), opened(world).len()), (2, 2));
        id(&send(&app, world, FAR, &of_sam(&third)).await);
    });
}

#[test]
fn m15_only_live_unpaid_holds_count() {
    World::run(|world| async move {
        let paid = world.hold(&Plan::of(&LEA, 0, "2027-02-03T09:00:00Z")).await;
        world.confirm(&paid).await;
        world.hold(&Plan::of(&LEA, 0, "2027-02-04T09:00:00Z")).await;
        let body = wish(&LEA, HIRONDELLE, "2027-02-04T14:00:00Z");
        is_refused(&send(&limited(world, 100, 1, 100), world, &[], &body).await, 429, "too-many-holds");
        world.advance_minutes(30);
        id(&send(&limited(world, 100, 1, 100), world, &[], &body).await);
    });
}

#[test]
fn an_artist_s_page_carries_only_so_many_holds() {
    World::run(|world| async move {
        let app = limited(world, 100, 100, 1);
        id(&send(&app, world, &[], &wish(&LEA, HIRONDELLE, TUESDAY_AT_TEN)).await);
        let sam = of_sam(&wish(&LEA, HIRONDELLE, "2027-02-04T09:00:00Z"));
        is_refused(&send(&app, world, FAR, &sam).await, 429, "too-many-holds");
        id(&send(&app, world, FAR, &of_sam(&wish(&NOA, DAGUE, TUESDAY_AT_TEN))).await);
    });
}

//! Unpaid holds that look as if nobody meant to pay them: shown together, and ended at once.

use dev::demo::{LEA, NOA};
use dev::stripe::{Down, Outcome};
use serde_json::{Value, json};
use testing::{Held, Plan, World};

use crate::{get, post, run_everything};

const SUSPICIOUS: &str = "/api/dashboard/bookings/suspicious";
const END: &str = "/api/dashboard/bookings/suspicious/end";

/// Holds of Noa's, each of another client, all from one network.
async fn holds(world: &World, starts: &[&str]) -> Vec<Held> {
    let mut all = Vec::new();
    for (number, start) in starts.iter().enumerate() {
        all.push(world.hold(&Plan::of(&NOA, 0, start).by(&format!("robin{number}@example.com"))).await);
    }
    all
}

const FOUR: &[&str] = &["2027-02-03T09:00:00Z", "2027-02-04T09:00:00Z", "2027-02-05T09:00:00Z", "2027-02-09T09:00:00Z"];

/// One of them comes from elsewhere.
async fn from_elsewhere(world: &World, held: &Held) {
    world
        .execute(&format!(
            "update bookings set client_origin = '\\x0b', client_wide = '\\x0b' where id = '{}'",
            held.id()
        ))
        .await;
}

fn ids(answer: &Value) -> Vec<String> {
    let groups = answer["groups"].as_array().expect("groups");
    let holds = groups.iter().flat_map(|group| group["holds"].as_array().expect("holds"));
    holds.map(|hold| hold["id"].as_str().expect("an id").to_owned()).collect()
}

#[test]
fn many_of_one_network_are_shown_together_and_one_of_another_is_not() {
    World::run(|world| async move {
        let held = holds(world, FOUR).await;
        from_elsewhere(world, &held[3]).await;
        let answer = get(world, &NOA, SUSPICIOUS).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(ids(&answer.body), held[..3].iter().map(Held::id).collect::<Vec<_>>());
        let group = &answer.body["groups"][0];
        assert_eq!((answer.body["groups"].as_array().map(Vec::len), &group["lapsed"]), (Some(1), &json!(0)));
        assert_eq!(group["holds"][0]["client_name"], "Jo Martin");
        assert_eq!(group["holds"][0]["start"], "2027-02-03T10:00:00+01:00");
        // Whose network it is, nobody is told.
        let stored = world.booking(&held[0].id()).await;
        let text = stored["client_origin"].as_str().expect("bytes").trim_start_matches("\\x").to_owned();
        assert!(!answer.body.to_string().contains(&text[..12]), "{}", answer.body);
        // Another artist has none, and an account without a page is told so.
        assert_eq!(get(world, &LEA, SUSPICIOUS).await.body, json!({ "groups": [] }));
    });
}

#[test]
fn one_whose_network_let_others_lapse_is_suspicious_and_one_whose_network_pays_is_not() {
    World::run(|world| async move {
        let held = holds(world, &FOUR[..1]).await;
        assert_eq!(get(world, &NOA, SUSPICIOUS).await.body, json!({ "groups": [] }));
        let ending = |kept: bool| {
            format!(
                r"insert into hold_endings (artist_id, network, ended_at, kept)
                 select artist_id, client_origin, created_at, {kept} from bookings where id = '{}'",
                held[0].id()
            )
        };
        for _ in 0..2 {
            world.execute(&ending(false)).await;
        }
        let shown = get(world, &NOA, SUSPICIOUS).await.body;
        assert_eq!((ids(&shown), &shown["groups"][0]["lapsed"]), (vec![held[0].id()], &json!(2)));
        world.execute(&ending(true)).await;
        assert_eq!(get(world, &NOA, SUSPICIOUS).await.body, json!({ "groups": [] }));
    });
}

#[test]
fn they_end_at_once_but_for_the_one_that_is_being_paid_and_nobody_is_written_to() {
    World::run(|world| async move {
        let held = holds(world, FOUR).await;
        run_everything(world).await;
        let mails = world.mails.messages().len();
        from_elsewhere(world, &held[3]).await;
        world.stripe.pay(&held[1].session, Outcome::WebhookLost).expect("the page is open");
        let all: Vec<String> = held.iter().map(Held::id).collect();
        let answer = post(world, &NOA, END, json!({ "ids": all })).await;
        assert_eq!((answer.status, answer.body), (200, json!({ "ended": 2, "rest": 0 })));
        let mut statuses = Vec::new();
        for one in &held {
            let row = world.booking(&one.id()).await;
            statuses.push(row["status"].as_str().expect("a status").to_owned());
        }
        assert_eq!(statuses, ["cancelled", "confirmed", "cancelled", "pending"]);
        let session = |held: &Held| world.stripe.session(&held.session).expect("the session")["status"].clone();
        assert_eq!((session(&held[0]), session(&held[3])), (json!("expired"), json!("open")));
        run_everything(world).await;
        let told = world.mails.messages().len() - mails;
        assert_eq!(told, 2, "of the one that was paid: to its client and to the artist");
        // It counts against the network, as if they had lapsed.
        assert_eq!(world.count("hold_endings where not kept").await, 2);
    });
}

#[test]
fn another_artists_holds_and_holds_that_are_not_suspicious_do_not_end() {
    World::run(|world| async move {
        let held = holds(world, FOUR).await;
        let all: Vec<String> = held.iter().map(Held::id).collect();
        let answer = post(world, &LEA, END, json!({ "ids": all })).await;
        assert_eq!(answer.body, json!({ "ended": 0, "rest": 0 }));
        for one in &held[1..] {
            from_elsewhere(world, one).await;
        }
        // Three are left of the other network; the first is one of a kind.
        let answer = post(world, &NOA, END, json!({ "ids": [held[0].id()] })).await;
        assert_eq!(answer.body, json!({ "ended": 0, "rest": 0 }));
        assert_eq!(world.count("bookings where status = 'pending'").await, 4);
        world.stripe.switch(|switches| switches.api.down = Some(Down::Unavailable));
        let answer = post(world, &NOA, END, json!({ "ids": all })).await;
        assert_eq!((answer.status, answer.problem()), (502, "stripe-unavailable"));
        assert_eq!(world.count("bookings where status = 'pending'").await, 4);
    });
}

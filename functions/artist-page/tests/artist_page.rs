//! The vitrine through `handle`: as JSON, and as a page whose head and hero are ready before any script runs.

use artist_page::{App, PageAssets, handle};
use dev::demo::{LEA, NOA};
use lambda_http::http::Method;
use serde_json::{Value, json};
use testing::{self, Answer, PUBLIC_URL, Plan, World, get};

fn assets() -> PageAssets {
    PageAssets::parse(
        r#"{"artist":{"js":"/assets/site-1.js","css":["/assets/site-1.css"],"preload":["/assets/face-1.woff2"]}}"#,
    )
    .expect("as the build writes it")
}

fn app(world: &World) -> App {
    App { db: world.db(), clock: world.clock(), public_url: PUBLIC_URL.into(), hold_minutes: 30, assets: assets() }
}

async fn ask(world: &World, path: &str) -> Answer {
    let app = app(world);
    testing::ask(&world.web(), get(path), |request| handle(&app, request)).await
}

/// The state of each flash, in the order of the page.
async fn states(world: &World, slug: &str) -> Vec<String> {
    let answer = ask(world, &format!("/api/artists/{slug}")).await;
    let flashes = answer.body["flashes"].as_array().expect("flashes");
    flashes.iter().map(|flash| flash["state"].as_str().expect("a state").to_owned()).collect()
}

mod the_list {
    use super::*;

    async fn slugs(world: &World) -> Vec<String> {
        let answer = ask(world, "/api/artists").await;
        assert_eq!(answer.status, 200);
        let artists = answer.body["artists"].as_array().expect("artists").clone();
        artists.iter().map(|artist| artist["slug"].as_str().expect("a slug").to_owned()).collect()
    }

    #[test]
    fn names_whoever_has_an_open_page_and_something_to_book() {
        World::run(|world| async move {
            let answer = ask(world, "/api/artists").await;
            assert!(answer.header("cache-control").contains("s-maxage=30"));
            assert_eq!(
                answer.body["artists"][0],
                json!({
                    "slug": LEA.slug, "display_name": LEA.display_name, "city": LEA.city, "bio": LEA.bio, "locale": "fr",
                    "image": LEA.hero_image
                })
            );
            let all = slugs(world).await;
            assert!(all.contains(&NOA.slug.to_owned()), "a calendar elsewhere is enough");
            world.execute(&format!("update artists set active = false where slug = '{}'", NOA.slug)).await;
            assert!(!slugs(world).await.contains(&NOA.slug.to_owned()));
            // Without hours nobody can be booked; without a large image the first flash stands for the artist.
            world.execute(&format!("update artists set hero_image = null where slug = '{}'", LEA.slug)).await;
            let answer = ask(world, "/api/artists").await;
            assert_eq!(answer.body["artists"][0]["image"], LEA.flashes[0].image);
            world.execute(&format!("delete from availability where artist_id = '{}'", LEA.id)).await;
            assert!(!slugs(world).await.contains(&LEA.slug.to_owned()));
        });
    }

    #[test]
    fn tells_nothing_but_what_the_page_tells() {
        World::run(|world| async move {
            let answer = ask(world, "/api/artists/").await.body.to_string();
            for secret in [LEA.email, LEA.address] {
                assert!(!answer.contains(secret), "{secret}");
            }
        });
    }
}

mod as_json {
    use super::*;

    #[test]
    fn it_tells_who_the_artist_is_and_what_is_for_sale() {
        World::run(|world| async move {
            let answer = ask(world, "/api/artists/noa-keller").await;
            assert_eq!((answer.status, answer.header("content-type")), (200, "application/json"));
            insta::assert_json_snapshot!(answer.body);
        });
    }

    #[test]
    fn prices_and_deposits_are_whole_cents() {
        World::run(|world| async move {
            let answer = ask(world, "/api/artists/lea-marchetti").await;
            let cents: Vec<(i64, i64)> = answer.body["flashes"]
                .as_array()
                .expect("flashes")
                .iter()
                .map(|flash| {
                    (flash["price_cents"].as_i64().expect("cents"), flash["deposit_cents"].as_i64().expect("cents"))
                })
                .collect();
            // 30 percent, at least 50 euros; the first names its own.
            assert_eq!(cents, [(15_000, 5_000), (38_000, 11_400), (26_000, 7_800), (18_000, 5_400), (22_000, 6_600)]);
            assert_eq!(answer.body["project"]["deposit_cents"], 8_000);
        });
    }

    #[test]
    fn a_unique_flash_is_held_then_sold_and_a_repeatable_one_stays_available() {
        World::run(|world| async move {
            let held = world.hold(&Plan::of(&LEA, 1, "2027-02-02T09:00:00Z")).await;
            world.hold(&Plan::of(&LEA, 0, "2027-02-04T09:00:00Z")).await;
            assert_eq!(
                states(world, "lea-marchetti").await,
                ["available", "held", "available", "available", "available"]
            );
            world.confirm(&held).await;
            assert_eq!(
                states(world, "lea-marchetti").await,
                ["available", "sold", "available", "available", "available"]
            );
        });
    }

    /// Field failure F1.
    #[test]
    fn a_lapsed_hold_shows_its_flash_as_available_at_once() {
        World::run(|world| async move {
            world.hold(&Plan::of(&LEA, 1, "2027-02-02T09:00:00Z")).await;
            world.advance_minutes(29);
            assert_eq!(states(world, "lea-marchetti").await[1], "held");
            world.advance_minutes(1);
            assert_eq!(states(world, "lea-marchetti").await[1], "available");
        });
    }

    #[test]
    fn a_flash_comes_back_when_its_booking_is_cancelled() {
        World::run(|world| async move {
            let held = world.hold(&Plan::of(&LEA, 1, "2027-02-02T09:00:00Z")).await;
            world.confirm(&held).await;
            world
                .execute(&format!(
                    "update bookings set status = 'cancelled', cancel_reason = 'client', version = version + 1 where id = '{}'",
                    held.id
                ))
                .await;
            assert_eq!(states(world, "lea-marchetti").await[1], "available");
        });
    }

    #[test]
    fn what_is_archived_is_not_shown() {
        World::run(|world| async move {
            world.execute("update flashes set state = 'archived' where title = 'Pivoine ouverte'").await;
            let answer = ask(world, "/api/artists/lea-marchetti").await;
            assert_eq!(answer.body["flashes"].as_array().expect("flashes").len(), 4);
            assert!(!answer.body.to_string().contains("Pivoine"));
        });
    }

    #[test]
    fn an_artist_without_flashes_has_an_empty_gallery() {
        World::run(|world| async move {
            world.execute("delete from flashes").await;
            let answer = ask(world, "/api/artists/lea-marchetti").await;
            assert_eq!((answer.status, &answer.body["flashes"]), (200, &Value::Array(Vec::new())));
        });
    }

    #[test]
    fn it_may_be_kept_for_a_moment_by_a_cache_in_between() {
        World::run(|world| async move {
            for path in ["/api/artists/lea-marchetti", "/artist/lea-marchetti"] {
                let answer = ask(world, path).await;
                assert_eq!(answer.header("cache-control"), "public, max-age=0, s-maxage=30, stale-while-revalidate=60");
            }
            assert_eq!(ask(world, "/api/artists/nobody").await.header("cache-control"), "no-store");
        });
    }
}

mod as_a_page {
    use super::*;

    async fn page(world: &World, path: &str) -> String {
        let answer = ask(world, path).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, "text/html; charset=utf-8"));
        answer.body.as_str().expect("text").to_owned()
    }

    /// The data block, as the page's script reads it.
    fn data(page: &str) -> Value {
        let (_before, rest) = page.split_once(r#"<script type="application/json" id="data">"#).expect("a data block");
        let (data, _after) = rest.split_once("</script>").expect("its end");
        assert!(!data.contains('<'), "{data}");
        serde_json::from_str(data).expect("JSON")
    }

    #[test]
    fn a_shared_link_previews_with_name_words_and_picture() {
        World::run(|world| async move {
            let page = page(world, "/artist/lea-marchetti").await;
            for expected in [
                r#"<html lang="fr">"#,
                "<title>Léa Marchetti · tatouages sur rendez-vous</title>",
                r#"<meta name="description" content="Trait fin, botanique et gravure."#,
                r#"<link rel="canonical" href="https://ink.test/artist/lea-marchetti">"#,
                r#"<meta property="og:title" content="Léa Marchetti · tatouages sur rendez-vous">"#,
                r#"<meta property="og:url" content="https://ink.test/artist/lea-marchetti">"#,
                r#"<meta property="og:image" content="https://ink.test/hero/lea-marchetti.jpg">"#,
                r#"<script type="module" src="/assets/site-1.js"></script>"#,
                r#"<link rel="stylesheet" href="/assets/site-1.css">"#,
                "<h1>Léa Marchetti</h1>",
                r#"<p class="city">Lyon</p>"#,
                r#"src="/hero/lea-marchetti.svg""#,
            ] {
                assert!(page.contains(expected), "{expected} is not in {page}");
            }
        });
    }

    #[test]
    fn without_a_flash_nothing_is_said_of_flashes_and_whoever_may_book_is_invited_to_a_project() {
        World::run(|world| async move {
            world.execute("delete from flashes").await;
            for (path, idea, invitation) in [
                ("/artist/lea-marchetti?lang=fr", "Une idée à vous\u{202f}?", "Proposer un projet"),
                ("/artist/lea-marchetti?lang=en", "An idea of your own?", "Suggest a project"),
            ] {
                world.execute("update artists set takes_deposits = true").await;
                let open = page(world, path).await;
                let heading = format!(r#"<h2 id="flashs-title">{idea}</h2>"#);
                assert!(open.contains(&heading) && open.contains(invitation), "{path}: {open}");
                world.execute("update artists set takes_deposits = false").await;
                let closed = page(world, path).await;
                assert!(
                    !closed.contains(idea) && !closed.contains("<button"),
                    "nobody is invited yet, {path}: {closed}"
                );
                for (text, state) in [(&open, "open"), (&closed, "closed")] {
                    let (shown, _data) = text.split_once(r#"<script type="application/json""#).expect("a data block");
                    for word in ["Flash", "flashs ", "flashes ", "#flashs", "calendar", "agenda"] {
                        assert!(!shown.contains(word), "{word}, {state}, {path}: {shown}");
                    }
                }
            }
        });
    }

    #[test]
    fn its_data_block_is_what_the_api_answers() {
        World::run(|world| async move {
            world.hold(&Plan::of(&NOA, 1, "2027-02-02T09:00:00Z")).await;
            let page = page(world, "/artist/noa-keller").await;
            assert_eq!(data(&page), ask(world, "/api/artists/noa-keller").await.body);
        });
    }

    #[test]
    fn a_bio_cannot_break_out_of_the_page() {
        World::run(|world| async move {
            world
                .execute(
                    r#"update artists set bio = $$</script><script>alert(1)</script><!-- " onload="x$$,
                     display_name = $$Léa <b>"&'$$ where slug = 'lea-marchetti'"#,
                )
                .await;
            let page = page(world, "/artist/lea-marchetti").await;
            assert!(!page.contains("<script>alert"), "{page}");
            assert!(!page.contains("<b>") && !page.contains("<!--"), "{page}");
            assert!(!page.contains("\" onload=\""), "{page}");
            assert_eq!(data(&page)["bio"], "</script><script>alert(1)</script><!-- \" onload=\"x");
            assert_eq!(page.matches("<script").count(), 3, "the module, what search engines read, and the data");
        });
    }

    #[test]
    fn it_speaks_the_language_that_is_asked_for() {
        World::run(|world| async move {
            let english = page(world, "/artist/lea-marchetti?lang=en").await;
            assert!(english.contains(r#"<html lang="en">"#), "{english}");
            assert!(english.contains("<title>Léa Marchetti · tattoos by appointment</title>"), "{english}");
            world.execute("update artists set locale = 'en'").await;
            assert!(page(world, "/artist/lea-marchetti").await.contains(r#"<html lang="en">"#));
            assert!(page(world, "/artist/lea-marchetti?lang=fr").await.contains(r#"<html lang="fr">"#));
        });
    }

    /// The address, else the browser, else the artist.
    #[test]
    fn it_speaks_the_language_of_the_browser_when_the_address_names_none() {
        World::run(|world| async move {
            let app = app(world);
            for (query, languages, spoken) in [
                ("", "en-CA,en;q=0.9,fr;q=0.5", "en"),
                ("", "fr-CA,fr;q=0.9,en;q=0.5", "fr"),
                ("?lang=fr", "en", "fr"),
                ("?lang=xx", "en", "en"),
                ("", "de", "fr"),
            ] {
                let path = format!("/artist/lea-marchetti{query}");
                let request = testing::request(Method::GET, &path, &[("accept-language", languages)], None);
                let answer = testing::ask(&world.web(), request, |request| handle(&app, request)).await;
                let text = answer.body.as_str().expect("text");
                assert!(text.contains(&format!(r#"<html lang="{spoken}">"#)), "{query} {languages}: {text}");
                assert_eq!(answer.header("vary"), "accept-language");
            }
            let request = testing::request(Method::GET, "/artist/nobody", &[("accept-language", "en")], None);
            let lost = testing::ask(&world.web(), request, |request| handle(&app, request)).await;
            let lost = lost.body.as_str().expect("text").to_owned();
            assert!(lost.contains(r#"<html lang="en">"#) && !lost.contains("artiste"), "{lost}");
        });
    }

    #[test]
    fn her_words_are_marked_with_her_language_where_the_page_speaks_the_other() {
        World::run(|world| async move {
            let english = page(world, "/artist/lea-marchetti?lang=en").await;
            for marked in
                [r#"<p class="bio" lang="fr">"#, r#"<h3 lang="fr">Hirondelle"#, r#"alt="Hirondelle" lang="fr""#]
            {
                assert!(english.contains(marked), "{marked} is not in {english}");
            }
            let french = page(world, "/artist/lea-marchetti").await;
            assert!(french.contains(r#"<p class="bio">"#) && french.contains("<h3>Hirondelle"), "{french}");
        });
    }

    #[test]
    fn a_page_without_picture_and_words_is_still_one() {
        World::run(|world| async move {
            world.execute("update artists set hero_image = null, bio = '' where slug = 'lea-marchetti'").await;
            let plain = page(world, "/artist/lea-marchetti").await;
            assert!(!plain.contains("og:image") && !plain.contains("hero-art"), "{plain}");
            assert!(plain.contains(r#"<meta name="description" content="Réserver avec Léa Marchetti">"#), "{plain}");
        });
    }

    #[test]
    fn a_picture_elsewhere_keeps_its_address() {
        World::run(|world| async move {
            world.execute("update artists set hero_image = 'https://images.example/hero.jpg'").await;
            let page = page(world, "/artist/lea-marchetti").await;
            assert!(page.contains(r#"<meta property="og:image" content="https://images.example/hero.jpg">"#), "{page}");
        });
    }

    #[test]
    fn an_unknown_artist_has_a_page_that_says_so() {
        World::run(|world| async move {
            // Also where more follows than an address of ours has: it is a person who came by a wrong link.
            for path in ["/artist/nobody", "/artist/lea-marchetti/flashes", "/artist/"] {
                let answer = ask(world, path).await;
                assert_eq!((answer.status, answer.header("content-type")), (404, "text/html; charset=utf-8"), "{path}");
                assert!(answer.body.as_str().expect("text").contains("<h1"), "{:?}", answer.body);
            }
        });
    }
}

#[test]
fn an_artist_who_is_not_active_is_not_found() {
    World::run(|world| async move {
        world.execute("update artists set active = false where slug = 'lea-marchetti'").await;
        for slug in ["lea-marchetti", "nobody", "LEA-MARCHETTI", "..", "%2e%2e"] {
            let answer = ask(world, &format!("/api/artists/{slug}")).await;
            assert_eq!((answer.status, answer.problem()), (404, "not-found"), "{slug}");
            assert_eq!(ask(world, &format!("/artist/{slug}")).await.status, 404, "{slug}");
        }
        for path in ["/api/artists/lea-marchetti%00", "/artist/lea-marchetti%00"] {
            assert_eq!(ask(world, path).await.status, 400, "no text of PostgreSQL holds U+0000: {path}");
        }
        assert_eq!(ask(world, "/api/artists/noa-keller").await.status, 200);
    });
}

#[test]
fn neither_form_tells_an_address_a_key_or_a_client() {
    World::run(|world| async move {
        world.execute("update artists set stripe_account_id = 'acct_1secret'").await;
        let held = world.hold_unopened(&Plan::of(&NOA, 1, "2027-02-02T09:00:00Z")).await.0;
        for path in ["/api/artists/noa-keller", "/artist/noa-keller"] {
            let text = ask(world, path).await.body.to_string();
            for secret in [
                "keller.example",
                "cal_",
                "4210001",
                "acct_",
                "user_id",
                "jo@example.fr",
                "Martin",
                "336",
                &held.to_string(),
            ] {
                assert!(!text.contains(secret), "{secret} is in {path}: {text}");
            }
        }
    });
}

#[test]
fn the_street_is_in_neither_form_unless_the_artist_shows_it_to_everybody() {
    World::run(|world| async move {
        for (choice, public) in [("after_payment", false), ("with_summary", false), ("public", true)] {
            world.execute(&format!("update artists set address_shown = '{choice}'")).await;
            let json = ask(world, "/api/artists/noa-keller").await.body;
            assert_eq!((&json["address_shown"], json["address"].is_string()), (&choice.into(), public), "{json}");
            for path in ["/api/artists/noa-keller", "/artist/noa-keller", "/artist/noa-keller?lang=en"] {
                let text = ask(world, path).await.body.to_string();
                for street in ["Tanneurs", "67000"] {
                    assert_eq!(text.contains(street), public, "{street}, {choice}, {path}: {text}");
                }
                assert!(text.contains("Strasbourg"), "the town is public: {path}");
            }
        }
        let page = ask(world, "/artist/noa-keller").await.body;
        let page = page.as_str().expect("text");
        for shown in [
            r#""streetAddress":"9 rue du Fossé-des-Tanneurs, 67000 Strasbourg""#,
            r#"<a href="https://www.openstreetmap.org/search?query=9+rue+du+Foss%C3%A9"#,
        ] {
            assert!(page.contains(shown), "{shown} is not in {page}");
        }
    });
}

#[test]
fn only_reading_is_answered() {
    World::run(|world| async move {
        let app = app(world);
        for (method, status) in [(Method::HEAD, 200), (Method::POST, 405), (Method::DELETE, 405)] {
            let request = testing::request(method.clone(), "/api/artists/lea-marchetti", &[], None);
            let answer = testing::ask(&world.web(), request, |request| handle(&app, request)).await;
            assert_eq!(answer.status, status, "{method}");
        }
    });
}

/// A page that answers at invented addresses as well is asked for past the cache, as often as somebody likes.
#[test]
fn a_page_has_one_address() {
    World::run(|world| async move {
        let app = app(world);
        for (path, status) in [
            ("/artist/lea-marchetti", 200),
            ("/artist/lea-marchetti/", 200),
            ("/artist/1/lea-marchetti", 404),
            ("/artist/lea%2Dmarchetti", 404),
            ("/artist/lea-marchetti//", 404),
            ("/api/artists/1/lea-marchetti", 404),
            ("/api/artists/lea-marchetti", 200),
            ("/lea-marchetti", 404),
        ] {
            let answer = testing::ask(&world.web(), get(path), |request| handle(&app, request)).await;
            assert_eq!(answer.status, status, "{path}");
        }
    });
}

#[test]
fn one_flight_to_the_database_is_enough() {
    World::run(|world| async move {
        let wire = world.wire().await;
        let app = App { db: world.db_through(&wire).await, ..app(world) };
        for path in ["/api/artists/lea-marchetti", "/artist/noa-keller", "/artist/nobody"] {
            wire.reset();
            testing::ask(&world.web(), get(path), |request| handle(&app, request)).await;
            assert_eq!(wire.flights(), 1, "{path}");
        }
    });
}

#[test]
fn a_connection_that_died_while_the_sandbox_slept_is_replaced_in_the_same_request() {
    World::run(|world| async move {
        let wire = world.wire().await;
        let app = App { db: world.db_through(&wire).await, ..app(world) };
        wire.cut();
        // The line is seen to be dead only when it is used.
        wire.mend();
        let answer =
            testing::ask(&world.web(), get("/api/artists/lea-marchetti"), |request| handle(&app, request)).await;
        assert_eq!(answer.status, 200);
    });
}

#[test]
fn a_database_that_is_away_is_a_503_without_details() {
    World::run(|world| async move {
        let wire = world.wire().await;
        let app = App { db: world.db_through(&wire).await, ..app(world) };
        wire.cut();
        let answer =
            testing::ask(&world.web(), get("/api/artists/lea-marchetti"), |request| handle(&app, request)).await;
        assert_eq!((answer.status, answer.problem()), (503, "try-again"));
        assert_eq!(answer.body["detail"], Value::Null);
    });
}

#[test]
fn whoever_opens_the_page_while_the_database_is_away_reads_so_and_can_try_again() {
    World::run(|world| async move {
        let wire = world.wire().await;
        let app = App { db: world.db_through(&wire).await, ..app(world) };
        wire.cut();
        for (lang, title, again) in [
            ("fr", "Cette page ne répond pas pour l’instant", "href=\"?lang=fr\">Réessayer"),
            ("en", "This page does not answer just now", "href=\"?lang=en\">Try again"),
        ] {
            let asked = get(&format!("/artist/lea-marchetti?lang={lang}"));
            let answer = testing::ask(&world.web(), asked, |request| handle(&app, request)).await;
            assert_eq!((answer.status, answer.header("content-type")), (503, "text/html; charset=utf-8"));
            assert_eq!((answer.header("retry-after"), answer.header("cache-control")), ("5", "no-store"));
            let page = answer.body.as_str().expect("a page");
            assert!(page.contains(title) && page.contains(again), "{page}");
        }
    });
}

#[test]
fn an_address_that_a_phone_began_with_a_capital_leads_to_the_page() {
    World::run(|world| async move {
        let app = app(world);
        let asked = get("/artist/Lea-Marchetti?lang=en");
        let answer = testing::ask(&world.web(), asked, |request| handle(&app, request)).await;
        assert_eq!((answer.status, answer.header("location")), (307, "/artist/lea-marchetti?lang=en"));
    });
}

mod elsewhere {
    use super::*;

    /// The artist renames the page, as the dashboard does.
    async fn rename(world: &World, slug: &str) {
        world
            .execute(&format!(
                "update artists set slug = '{slug}', updated_at = '{}' where id = '{}'",
                world.now(),
                LEA.id
            ))
            .await;
    }

    #[test]
    fn an_address_that_was_given_up_leads_to_the_new_one_for_a_year() {
        World::run(|world| async move {
            rename(world, "lea-ailleurs").await;
            for (asked, there) in [
                ("/artist/lea-marchetti", "/artist/lea-ailleurs"),
                ("/artist/lea-marchetti?lang=en", "/artist/lea-ailleurs?lang=en"),
                ("/api/artists/lea-marchetti", "/api/artists/lea-ailleurs"),
            ] {
                let answer = ask(world, asked).await;
                assert_eq!((answer.status, answer.header("location")), (307, there));
            }
            // However often it moved.
            rename(world, "lea-encore").await;
            for former in ["lea-marchetti", "lea-ailleurs"] {
                assert_eq!(ask(world, &format!("/artist/{former}")).await.header("location"), "/artist/lea-encore");
            }
            // Taken back it is a page again, and the one between leads there.
            rename(world, "lea-marchetti").await;
            assert_eq!(ask(world, "/artist/lea-marchetti").await.status, 200);
            assert_eq!(ask(world, "/artist/lea-encore").await.header("location"), "/artist/lea-marchetti");
            world.execute("update artists set active = false").await;
            assert_eq!(ask(world, "/artist/lea-encore").await.status, 404, "a closed page is nowhere");
            world.execute("update artists set active = true").await;
            world.advance_minutes(366 * 24 * 60);
            assert_eq!(ask(world, "/artist/lea-encore").await.status, 404);
        });
    }

    #[test]
    fn a_page_that_takes_no_deposits_is_shown_without_a_door() {
        World::run(|world| async move {
            assert_eq!(ask(world, "/api/artists/lea-marchetti").await.body["takes_bookings"], true);
            assert!(ask(world, "/api/artists").await.body.to_string().contains("lea-marchetti"));
            world.execute("update artists set takes_deposits = false").await;
            assert_eq!(ask(world, "/api/artists/lea-marchetti").await.body["takes_bookings"], false);
            assert!(
                !ask(world, "/api/artists").await.body.to_string().contains("lea-marchetti"),
                "nor is it on the first page"
            );
            for (path, words) in [
                ("/artist/lea-marchetti?lang=fr", "Les réservations ouvrent bientôt."),
                ("/artist/lea-marchetti?lang=en", "Bookings open soon."),
            ] {
                let page = ask(world, path).await;
                let text = page.body.as_str().expect("a page");
                assert!(text.contains(words) && text.contains("Hirondelle") && !text.contains("<button"), "{path}");
                assert!(!text.contains("sheet idea"), "nobody is asked for an idea that cannot be sent: {path}");
            }
            world.execute("update artists set stripe_account_id = 'acct_own'").await;
            assert_eq!(ask(world, "/api/artists/lea-marchetti").await.body["takes_bookings"], true);
        });
    }
}

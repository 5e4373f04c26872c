//! A flash as its artist describes it.

use super::Flaws;
use super::rules::{amount, whole};
use crate::domain::ids::ImageId;
use crate::domain::money::Cents;

/// A flash as it comes in.
#[derive(Debug, Clone, Copy, Default)]
pub struct FlashDraft<'a> {
    pub title: Option<&'a str>,
    /// The whole price.
    pub price_cents: Option<i64>,
    /// What is paid ahead; none leaves it to the artist's rule.
    pub deposit_cents: Option<i64>,
    pub duration_minutes: Option<i64>,
    /// Whether it may be tattooed more than once.
    pub repeatable: Option<bool>,
    /// Its picture; none keeps the one it has.
    pub image_id: Option<&'a str>,
    /// Its place in the gallery.
    pub position: Option<i64>,
}

/// A flash that can be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlashSheet {
    pub title: String,
    /// The whole price.
    pub price: Cents,
    /// What is paid ahead, unless the artist's rule decides.
    pub deposit: Option<Cents>,
    pub duration_minutes: i32,
    /// Whether it may be tattooed more than once.
    pub repeatable: bool,
    /// A new picture; none keeps the one it has.
    pub image: Option<ImageId>,
    /// Its place in the gallery; none is the last, or the one it has.
    pub position: Option<i32>,
}

impl FlashSheet {
    /// Reads a flash; a `new` one needs a picture.
    pub fn parse(draft: &FlashDraft<'_>, new: bool) -> Result<Self, Flaws> {
        let mut flaws = Flaws::default();
        let title = flaws.name("/title", draft.title, 1, 80);
        let price = amount(&mut flaws, "/price_cents", draft.price_cents);
        let deposit = draft.deposit_cents.and_then(|cents| amount(&mut flaws, "/deposit_cents", Some(cents)));
        if let (Some(price), Some(deposit)) = (price, deposit)
            && deposit > price
        {
            flaws.add(
                "/deposit_cents",
                "L’acompte ne peut pas dépasser le prix.",
                "The deposit cannot be more than the price.",
            );
        }
        let duration = flaws.number("/duration_minutes", draft.duration_minutes, 15, 1_440);
        let position = draft.position.and_then(|place| flaws.number("/position", Some(place), 0, 100_000)).map(whole);
        let image = match draft.image_id.map(str::trim).filter(|text| !text.is_empty()) {
            None if new => {
                flaws.add("/image_id", "Ajoutez une image.", "Add a picture.");
                None
            }
            None => None,
            Some(text) => {
                let id = text.parse().ok();
                if id.is_none() {
                    flaws.add("/image_id", "Cette image n’existe pas.", "There is no such picture.");
                }
                id
            }
        };
        match (title, price, duration) {
            (Some(title), Some(price), Some(duration)) if flaws.is_empty() => Ok(Self {
                title,
                price,
                deposit,
                duration_minutes: whole(duration),
                repeatable: draft.repeatable.unwrap_or_default(),
                image,
                position,
            }),
            _ => Err(flaws),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::pointers;
    use super::*;

    const IMAGE: &str = "0192f3a4-5b6c-7d8e-9f00-112233445566";

    fn draft() -> FlashDraft<'static> {
        FlashDraft {
            title: Some("Pivoine"),
            price_cents: Some(15_000),
            deposit_cents: None,
            duration_minutes: Some(120),
            repeatable: Some(false),
            image_id: Some(IMAGE),
            position: None,
        }
    }

    #[test]
    fn a_flash_is_read_and_a_new_one_needs_a_picture() {
        let sheet = FlashSheet::parse(&draft(), true).expect("fine");
        assert_eq!((sheet.deposit, sheet.image), (None, Some(IMAGE.parse().expect("an id"))));
        let bare = FlashDraft { image_id: None, ..draft() };
        assert_eq!(pointers(&FlashSheet::parse(&bare, true).expect_err("no picture")), ["/image_id"]);
        assert_eq!(FlashSheet::parse(&bare, false).expect("it keeps the one it has").image, None);
    }

    #[test]
    fn a_deposit_is_payable_and_at_most_the_price() {
        let with = |price_cents, deposit_cents| {
            let draft = FlashDraft { price_cents: Some(price_cents), deposit_cents: Some(deposit_cents), ..draft() };
            FlashSheet::parse(&draft, true)
        };
        assert!(with(15_000, 15_000).is_ok());
        assert_eq!(pointers(&with(15_000, 15_001).expect_err("more than the price")), ["/deposit_cents"]);
        assert_eq!(pointers(&with(15_000, 49).expect_err("no card pays it")), ["/deposit_cents"]);
        assert_eq!(pointers(&with(49, 50).expect_err("no card pays the price")), ["/price_cents"]);
    }

    #[test]
    fn every_field_that_is_wrong_is_named() {
        let flaws = FlashSheet::parse(
            &FlashDraft {
                title: Some(" "),
                price_cents: None,
                deposit_cents: Some(-1),
                duration_minutes: Some(1_441),
                repeatable: None,
                image_id: Some("../x"),
                position: Some(-1),
            },
            false,
        );
        assert_eq!(
            pointers(&flaws.expect_err("all wrong")),
            ["/title", "/price_cents", "/deposit_cents", "/duration_minutes", "/position", "/image_id"]
        );
    }
}

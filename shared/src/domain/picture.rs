//! Uploaded pictures: what is taken, what becomes of it, and where its sizes are.

use std::fmt;

use super::ids::ImageId;
use super::locale::Locale;
use super::settings::Flaws;

/// The most that a picture may weigh: more than any phone's JPEG.
pub const MOST_BYTES: i64 = 15 * 1024 * 1024;

/// The most pixels that are decoded: what phones call 50 megapixels is up to 8192 × 6144. What claims more is seldom a
/// photograph, and takes more memory than there is.
pub const MOST_PIXELS: u64 = 51_000_000;

/// The least of its shorter side, so that it can be looked at.
pub const LEAST_SIDE: u32 = 300;

/// The widths that pages choose from.
pub const WIDTHS: [u32; 4] = [480, 800, 1_200, 1_600];

/// What a picture is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A drawing for sale.
    Flash,
    /// The large picture of a page.
    Hero,
}

impl Kind {
    /// The name as stored and as sent.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Flash => "flash",
            Self::Hero => "hero",
        }
    }
}

/// What may be uploaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentType {
    /// `image/jpeg`.
    Jpeg,
    /// `image/png`.
    Png,
    /// `image/webp`.
    Webp,
}

impl ContentType {
    const ALL: [Self; 3] = [Self::Jpeg, Self::Png, Self::Webp];

    /// The name as sent.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Webp => "image/webp",
        }
    }

    /// The type of a name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name().eq_ignore_ascii_case(text))
    }
}

/// An upload that is announced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Upload {
    pub kind: Kind,
    pub content_type: ContentType,
    /// How many bytes.
    pub size: i32,
}

impl Upload {
    pub fn parse(kind: Option<&str>, content_type: Option<&str>, size: Option<i64>) -> Result<Self, Flaws> {
        let mut flaws = Flaws::default();
        let kind = match kind {
            Some("flash") => Some(Kind::Flash),
            Some("hero") => Some(Kind::Hero),
            _ => {
                flaws.add(
                    "/kind",
                    "Doit être «\u{a0}flash\u{a0}» ou «\u{a0}hero\u{a0}».",
                    "Must be “flash” or “hero”.",
                );
                None
            }
        };
        // image/heic, image/heif, image/heic-sequence and image/heif-sequence.
        let is_heic = content_type.is_some_and(|given| given.to_ascii_lowercase().starts_with("image/hei"));
        let content_type = content_type.and_then(ContentType::parse);
        if content_type.is_none() {
            let (fr, en) = if is_heic {
                HEIC
            } else {
                ("Envoyez une image JPEG, PNG ou WebP.", "Send a JPEG, PNG or WebP picture.")
            };
            flaws.add("/content_type", fr, en);
        }
        let size = match size {
            Some(size) if (1..=MOST_BYTES).contains(&size) => i32::try_from(size).ok(),
            Some(size) if size > MOST_BYTES => {
                flaws.add("/size", "15\u{a0}Mo au plus.", "15 MB at the most.");
                None
            }
            _ => {
                flaws.add("/size", "Ce fichier est vide.", "This file is empty.");
                None
            }
        };
        match (kind, content_type, size) {
            (Some(kind), Some(content_type), Some(size)) => Ok(Self { kind, content_type, size }),
            _ => Err(flaws),
        }
    }
}

/// What to do with a photograph in HEIC, in French and in English.
const HEIC: (&str, &str) = (
    "Cette photo est en HEIC, que les navigateurs ne montrent pas\u{a0}: exportez-la en JPEG (sur iPhone\u{a0}: Réglages, Appareil photo, Formats, «\u{a0}Le plus compatible\u{a0}»), ou envoyez une capture d’écran.",
    "This photo is in HEIC, which browsers do not show: export it as JPEG (on an iPhone: Settings, Camera, Formats, “Most Compatible”), or send a screenshot.",
);

/// Why a picture was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// More bytes than are taken.
    TooHeavy,
    /// It is not a JPEG, PNG or WebP, whatever was announced.
    NotAPicture,
    /// It begins as one and cannot be read.
    Unreadable,
    /// More pixels than are decoded.
    TooManyPixels,
    /// Too small to be looked at.
    TooSmall,
    /// So long and narrow that it is too small once it fits a page.
    TooNarrow,
    /// The format in which iPhones keep their photographs.
    Heic,
    /// A JPEG of a kind that hardly anything writes or shows.
    UnusualJpeg,
    /// It never came.
    NotReceived,
}

impl Refused {
    const ALL: [Self; 9] = [
        Self::TooHeavy,
        Self::NotAPicture,
        Self::Unreadable,
        Self::TooManyPixels,
        Self::TooSmall,
        Self::TooNarrow,
        Self::Heic,
        Self::UnusualJpeg,
        Self::NotReceived,
    ];

    /// The name as stored and as sent.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TooHeavy => "too_heavy",
            Self::NotAPicture => "not_a_picture",
            Self::Unreadable => "unreadable",
            Self::TooManyPixels => "too_many_pixels",
            Self::TooSmall => "too_small",
            Self::TooNarrow => "too_narrow",
            Self::Heic => "heic",
            Self::UnusualJpeg => "unusual_jpeg",
            Self::NotReceived => "not_received",
        }
    }

    /// The reason of a stored name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == text)
    }

    /// What to say to the artist.
    #[must_use]
    pub const fn sentence(self, locale: Locale) -> &'static str {
        match (self, locale) {
            (Self::TooHeavy, Locale::Fr) => "Ce fichier dépasse 15\u{a0}Mo.",
            (Self::TooHeavy, Locale::En) => "This file is larger than 15 MB.",
            (Self::NotAPicture, Locale::Fr) => "Ce fichier n’est pas une image JPEG, PNG ou WebP.",
            (Self::NotAPicture, Locale::En) => "This file is not a JPEG, PNG or WebP picture.",
            (Self::Unreadable, Locale::Fr) => "Cette image est abîmée\u{a0}: exportez-la de nouveau.",
            (Self::Unreadable, Locale::En) => "This picture is damaged: export it again.",
            (Self::TooManyPixels, Locale::Fr) => "Cette image a plus de 51\u{a0}mégapixels\u{a0}: réduisez-la.",
            (Self::TooManyPixels, Locale::En) => "This picture has more than 51 megapixels: make it smaller.",
            (Self::TooSmall, Locale::Fr) => "Cette image fait moins de 300\u{a0}pixels de côté.",
            (Self::TooSmall, Locale::En) => "This picture is smaller than 300 pixels.",
            (Self::TooNarrow, Locale::Fr) => {
                "Cette image est trop allongée\u{a0}: sur une page, elle ferait moins de 300\u{a0}pixels de haut. Recadrez-la."
            }
            (Self::TooNarrow, Locale::En) => {
                "This picture is too long: on a page it would be less than 300 pixels high. Crop it."
            }
            (Self::Heic, Locale::Fr) => HEIC.0,
            (Self::Heic, Locale::En) => HEIC.1,
            (Self::UnusualJpeg, Locale::Fr) => {
                "Ce type de JPEG (codage arithmétique, sans perte ou 12\u{a0}bits) n’est pas pris en charge\u{a0}: exportez l’image en JPEG ordinaire ou en PNG."
            }
            (Self::UnusualJpeg, Locale::En) => {
                "This kind of JPEG (arithmetic coding, lossless or 12 bits) is not supported: export the picture as an ordinary JPEG or as PNG."
            }
            (Self::NotReceived, Locale::Fr) => "L’image n’est pas arrivée. Envoyez-la de nouveau.",
            (Self::NotReceived, Locale::En) => "The picture did not arrive. Send it again.",
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The key under which an upload arrives.
#[must_use]
pub fn incoming_key(id: ImageId) -> String {
    format!("incoming/{id}")
}

/// The image of an upload's key.
#[must_use]
pub fn of_incoming_key(key: &str) -> Option<ImageId> {
    key.strip_prefix("incoming/")?.parse().ok()
}

/// The key of one size; with a `/` before it, its path on the site.
#[must_use]
pub fn key(id: ImageId, width: u32) -> String {
    format!("images/{id}/{width}.jpg")
}

/// The widths that are made of a picture, the widest last: never more than it has.
#[must_use]
pub fn widths(original: u32) -> Vec<u32> {
    let most = original.min(WIDTHS[WIDTHS.len() - 1]);
    WIDTHS.into_iter().filter(|width| *width < most).chain([most]).collect()
}

/// True for a picture that is too low to be looked at once it is as wide as a page.
#[must_use]
pub fn is_too_narrow(width: u32, height: u32) -> bool {
    let widest = u64::from(WIDTHS[WIDTHS.len() - 1]);
    u64::from(width) > widest && u64::from(height) * widest < u64::from(LEAST_SIDE) * u64::from(width)
}

/// An uploaded picture that is shown, read from the path of its widest size.
///
/// That path is all that a flash or a profile stores; the other sizes follow from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Picture {
    id: ImageId,
    width: u32,
}

impl Picture {
    /// A picture whose widest size is `width` wide.
    #[must_use]
    pub const fn new(id: ImageId, width: u32) -> Self {
        Self { id, width }
    }

    /// Reads the path; none for a picture that belongs to the site itself or lies elsewhere.
    #[must_use]
    pub fn of_path(path: &str) -> Option<Self> {
        let (id, file) = path.strip_prefix("/images/")?.split_once('/')?;
        let width = file.strip_suffix(".jpg")?.parse().ok()?;
        Some(Self { id: id.parse().ok()?, width })
    }

    /// Which upload it is.
    #[must_use]
    pub const fn id(self) -> ImageId {
        self.id
    }

    /// The path of its widest size.
    #[must_use]
    pub fn path(self) -> String {
        format!("/{}", key(self.id, self.width))
    }

    /// Its sizes, as `srcset` lists them.
    #[must_use]
    pub fn srcset(self) -> String {
        let sizes: Vec<String> =
            widths(self.width).into_iter().map(|width| format!("/{} {width}w", key(self.id, width))).collect();
        sizes.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::super::settings::pointers;
    use super::*;

    const ID: &str = "0192f3a4-5b6c-7d8e-9f00-112233445566";

    #[test]
    fn an_upload_is_a_picture_of_at_most_fifteen_megabytes() {
        let upload = Upload::parse(Some("flash"), Some("image/JPEG"), Some(MOST_BYTES)).expect("fine");
        assert_eq!((upload.content_type, upload.size), (ContentType::Jpeg, 15_728_640));
        let flaws = Upload::parse(Some("avatar"), Some("image/svg+xml"), Some(0)).expect_err("all wrong");
        assert_eq!(pointers(&flaws), ["/kind", "/content_type", "/size"]);
        assert_eq!(
            pointers(&Upload::parse(Some("hero"), Some("image/png"), Some(MOST_BYTES + 1)).expect_err("heavy")),
            ["/size"]
        );
        assert_eq!(
            pointers(&Upload::parse(Some("hero"), Some("image/png"), Some(i64::MAX)).expect_err("heavy")),
            ["/size"]
        );
    }

    #[test]
    fn the_sizes_of_a_picture_follow_from_the_path_of_its_widest() {
        let picture = Picture::of_path(&format!("/images/{ID}/1000.jpg")).expect("a picture");
        assert_eq!(
            picture.srcset(),
            format!("/images/{ID}/480.jpg 480w, /images/{ID}/800.jpg 800w, /images/{ID}/1000.jpg 1000w")
        );
        assert_eq!(picture.path(), format!("/images/{ID}/1000.jpg"));
        for path in ["/flash/dague.svg", "/images/x/800.jpg", "/images/800.jpg", "https://other.example/images/a/b.jpg"]
        {
            assert_eq!(Picture::of_path(path), None, "{path}");
        }
    }

    #[test]
    fn nothing_is_made_wider_than_it_is() {
        assert_eq!(widths(4_000), [480, 800, 1_200, 1_600]);
        assert_eq!(widths(1_600), [480, 800, 1_200, 1_600]);
        assert_eq!(widths(1_599), [480, 800, 1_200, 1_599]);
        assert_eq!(widths(480), [480]);
        assert_eq!(widths(300), [300]);
    }

    #[test]
    fn a_photograph_in_heic_is_told_what_to_do() {
        for given in ["image/heic", "image/heif", "IMAGE/HEIC-sequence"] {
            let flaws = Upload::parse(Some("flash"), Some(given), Some(100)).expect_err("not taken").into_vec();
            assert!(flaws[0].fr.contains("HEIC") && flaws[0].en.contains("Most Compatible"), "{given}");
        }
        let flaws = Upload::parse(Some("flash"), Some("image/gif"), Some(100)).expect_err("not taken").into_vec();
        assert_eq!(flaws[0].en, "Send a JPEG, PNG or WebP picture.");
    }

    #[test]
    fn what_is_low_on_a_page_is_too_narrow() {
        for (width, height, narrow) in [
            (16_000, 300, true),
            (8_000, 1_499, true),
            (8_000, 1_500, false),
            (1_600, 300, false),
            (300, 16_000, false),
        ] {
            assert_eq!(is_too_narrow(width, height), narrow, "{width} × {height}");
        }
    }

    #[test]
    fn only_keys_of_uploads_name_an_image() {
        let id = ID.parse().expect("an id");
        assert_eq!(of_incoming_key(&incoming_key(id)), Some(id));
        for key in ["incoming/", "incoming/../x", "images/0192f3a4-5b6c-7d8e-9f00-112233445566", ID] {
            assert_eq!(of_incoming_key(key), None, "{key}");
        }
    }

    #[test]
    fn every_reason_has_a_name_and_words() {
        for reason in Refused::ALL {
            assert_eq!(Refused::parse(reason.name()), Some(reason));
            assert!(reason.sentence(Locale::Fr).ends_with('.') && reason.sentence(Locale::En).ends_with('.'));
        }
        assert_eq!(Refused::parse("nothing"), None);
    }
}

//! From the bytes of an upload to the sizes that pages show. Pure.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::imageops::{self, FilterType};
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, Rgb, RgbImage, RgbaImage};
use shared::domain::picture::{LEAST_SIDE, MOST_PIXELS, Refused, is_too_narrow, widths};

use crate::colour::Meaning;
use crate::jpeg::{self, Outline};

/// What decoding may take of memory: a picture of the most pixels, with four channels of sixteen bits.
const MOST_MEMORY: u64 = MOST_PIXELS * 8 + (16 << 20);

/// JPEG's usual balance: at 82 neither lines nor skin show blocks.
const QUALITY: u8 = 82;

/// One size of a picture.
#[derive(Debug)]
pub struct Size {
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    pub jpeg: Vec<u8>,
}

/// A decoded picture, upright, in the numbers of its file.
enum Decoded {
    Light(RgbImage),
    Ink(RgbaImage),
}

impl Decoded {
    fn dimensions(&self) -> (u32, u32) {
        match self {
            Self::Light(picture) => picture.dimensions(),
            Self::Ink(picture) => picture.dimensions(),
        }
    }

    /// Made smaller first: a page's size is converted in a fraction of the time that a photograph's takes.
    fn shown(self, width: u32, height: u32, meaning: &Meaning) -> RgbImage {
        let smaller = (width, height) != self.dimensions();
        match self {
            Self::Light(picture) if smaller => {
                meaning.shown(imageops::resize(&picture, width, height, FilterType::CatmullRom))
            }
            Self::Light(picture) => meaning.shown(picture),
            Self::Ink(picture) if smaller => {
                meaning.printed(&imageops::resize(&picture, width, height, FilterType::CatmullRom))
            }
            Self::Ink(picture) => meaning.printed(&picture),
        }
    }
}

/// Makes the sizes of an upload, the widest last.
///
/// What the file says of itself is believed only after it was decoded: neither its name nor its announced type counts.
/// Nothing of its metadata is kept. Its orientation is applied, and its colours become those of sRGB.
pub fn develop(bytes: &[u8]) -> Result<Vec<Size>, Refused> {
    let (decoded, meaning) = decode(bytes)?;
    let (width, height) = decoded.dimensions();
    let height_at = |wanted: u32| {
        let height = (u64::from(height) * u64::from(wanted) + u64::from(width) / 2) / u64::from(width);
        u32::try_from(height).unwrap_or(u32::MAX).max(1)
    };
    // From the widest down: each one begins from the one before it.
    let mut wanted = widths(width).into_iter().rev();
    let widest = wanted.next().unwrap_or(width);
    let mut picture = decoded.shown(widest, if widest < width { height_at(widest) } else { height }, &meaning);
    let mut sizes = vec![written(&picture)?];
    for width in wanted {
        picture = imageops::resize(&picture, width, height_at(width), FilterType::CatmullRom);
        sizes.push(written(&picture)?);
    }
    sizes.reverse();
    Ok(sizes)
}

fn decode(bytes: &[u8]) -> Result<(Decoded, Meaning), Refused> {
    let format = match image::guess_format(bytes) {
        Ok(format @ (ImageFormat::Jpeg | ImageFormat::Png | ImageFormat::WebP)) => format,
        _ if is_heic(bytes) => return Err(Refused::Heic),
        _ => return Err(Refused::NotAPicture),
    };
    let outline = (format == ImageFormat::Jpeg).then(|| Outline::of(bytes));
    if outline.is_some_and(Outline::is_unusual) {
        return Err(Refused::UnusualJpeg);
    }
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::default();
    limits.max_alloc = Some(MOST_MEMORY);
    reader.limits(limits.clone());
    let mut decoder = reader.into_decoder().map_err(refusal)?;
    // The header is enough to refuse a bomb: a few kilobytes that unfold to gigabytes.
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MOST_PIXELS {
        return Err(Refused::TooManyPixels);
    }
    if width.min(height) < LEAST_SIDE {
        return Err(Refused::TooSmall);
    }
    decoder.set_limits(limits).map_err(refusal)?;
    let orientation = decoder.orientation().map_err(refusal)?;
    let upright = if is_turned(orientation) { (height, width) } else { (width, height) };
    if is_too_narrow(upright.0, upright.1) {
        return Err(Refused::TooNarrow);
    }
    let profile = decoder.icc_profile().unwrap_or_default();
    let meaning = (format == ImageFormat::Png).then(|| Meaning::of_png(bytes)).flatten();
    let meaning = meaning.unwrap_or_else(|| Meaning::of_profile(profile.as_deref()));
    let decoded = if outline.is_some_and(Outline::is_in_inks) {
        let mut picture = DynamicImage::ImageRgba8(jpeg::inks(bytes).ok_or(Refused::Unreadable)?);
        picture.apply_orientation(orientation);
        Decoded::Ink(picture.into_rgba8())
    } else {
        let mut picture = DynamicImage::from_decoder(decoder).map_err(refusal)?;
        picture.apply_orientation(orientation);
        Decoded::Light(opaque(picture))
    };
    // Cameras forget the end now and then; without one, every row is looked for.
    if outline.is_some_and(|outline| !outline.is_ended) && !jpeg::is_whole(bytes) {
        return Err(Refused::Unreadable);
    }
    Ok((decoded, meaning))
}

/// True if the picture lies on its side in the file.
fn is_turned(orientation: Orientation) -> bool {
    use Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
    matches!(orientation, Rotate90 | Rotate90FlipH | Rotate270 | Rotate270FlipH)
}

/// True for what an iPhone, and many an Android, keeps its photographs in: a box `ftyp` of one of these kinds.
fn is_heic(bytes: &[u8]) -> bool {
    const KINDS: [&[u8]; 8] = [b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"];
    bytes.get(4..8) == Some(b"ftyp") && bytes.get(8..12).is_some_and(|kind| KINDS.contains(&kind))
}

/// JPEG knows no transparency: what is clear becomes the white of paper.
fn opaque(picture: DynamicImage) -> RgbImage {
    if !picture.color().has_alpha() {
        return picture.into_rgb8();
    }
    let picture = picture.into_rgba8();
    RgbImage::from_fn(picture.width(), picture.height(), |x, y| {
        let [red, green, blue, alpha] = picture.get_pixel(x, y).0;
        let on_paper = |channel: u8| {
            let (channel, alpha) = (u32::from(channel), u32::from(alpha));
            u8::try_from((channel * alpha + 255 * (255 - alpha) + 127) / 255).unwrap_or(255)
        };
        Rgb([on_paper(red), on_paper(green), on_paper(blue)])
    })
}

fn written(picture: &RgbImage) -> Result<Size, Refused> {
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, QUALITY).encode_image(picture).map_err(|_| Refused::Unreadable)?;
    Ok(Size { width: picture.width(), height: picture.height(), jpeg })
}

/// What a failure of the decoder says about the file.
fn refusal(error: image::ImageError) -> Refused {
    match error {
        image::ImageError::Limits(_) => Refused::TooManyPixels,
        image::ImageError::Unsupported(_) => Refused::NotAPicture,
        _ => Refused::Unreadable,
    }
}

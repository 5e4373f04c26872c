//! From the bytes of an upload to the sizes that pages show. Pure.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::imageops::FilterType;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, Rgb, RgbImage};
use shared::domain::picture::{LEAST_SIDE, MOST_PIXELS, Refused, widths};

/// What decoding may take of memory: a picture of the most pixels, with four channels of sixteen bits.
const MOST_MEMORY: u64 = MOST_PIXELS * 8 + (16 << 20);

/// JPEG's usual balance: at 82 neither lines nor skin show blocks.
const QUALITY: u8 = 82;

/// The largest colour profile that is kept.
const MOST_PROFILE: usize = 64 * 1024;

/// One size of a picture.
#[derive(Debug)]
pub struct Size {
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// The file.
    pub jpeg: Vec<u8>,
}

/// Makes the sizes of an upload, the widest last.
///
/// What the file says of itself is believed only after it was decoded: neither its name nor its announced type counts.
/// Nothing of its metadata is kept but the colour profile, which says how the colours are meant; its orientation is
/// applied first.
///
/// # Errors
/// Says why it cannot be shown.
pub fn develop(bytes: &[u8]) -> Result<Vec<Size>, Refused> {
    let format = image::guess_format(bytes).map_err(|_| Refused::NotAPicture)?;
    if !matches!(format, ImageFormat::Jpeg | ImageFormat::Png | ImageFormat::WebP) {
        return Err(Refused::NotAPicture);
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
    let profile = decoder.icc_profile().unwrap_or_default().filter(|profile| is_for_rgb(profile));
    let mut picture = DynamicImage::from_decoder(decoder).map_err(refusal)?;
    picture.apply_orientation(orientation);
    let mut picture = opaque(picture);
    let whole = (u64::from(picture.width()), u64::from(picture.height()));
    let mut sizes = Vec::new();
    // From the widest down: each one begins from the one before it.
    for width in widths(picture.width()).into_iter().rev() {
        if width < picture.width() {
            let height = (whole.1 * u64::from(width) + whole.0 / 2) / whole.0;
            let height = u32::try_from(height).unwrap_or(u32::MAX).max(1);
            picture = DynamicImage::ImageRgb8(picture).resize_exact(width, height, FilterType::CatmullRom).into_rgb8();
        }
        sizes.push(Size {
            width: picture.width(),
            height: picture.height(),
            jpeg: written(&picture, profile.as_deref())?,
        });
    }
    sizes.reverse();
    Ok(sizes)
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

/// Whether a colour profile speaks of red, green and blue: bytes 16 to 19 of its header (ICC.1).
fn is_for_rgb(profile: &[u8]) -> bool {
    profile.len() <= MOST_PROFILE && profile.get(16..20) == Some(b"RGB ")
}

fn written(picture: &RgbImage, profile: Option<&[u8]>) -> Result<Vec<u8>, Refused> {
    use image::ImageEncoder as _;
    let mut jpeg = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut jpeg, QUALITY);
    if let Some(profile) = profile {
        // An encoder that takes no profile writes sRGB, which is what most pictures are.
        let _ = encoder.set_icc_profile(profile.to_vec());
    }
    encoder.encode_image(picture).map_err(|_| Refused::Unreadable)?;
    Ok(jpeg)
}

/// What a failure of the decoder says about the file.
fn refusal(error: image::ImageError) -> Refused {
    match error {
        image::ImageError::Limits(_) => Refused::TooManyPixels,
        image::ImageError::Unsupported(_) => Refused::NotAPicture,
        _ => Refused::Unreadable,
    }
}

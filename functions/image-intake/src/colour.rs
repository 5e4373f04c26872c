//! From the numbers of a file to those of sRGB, which is what pages are shown in. Pure.

use std::sync::Arc;

use image::{Rgb, RgbImage, RgbaImage};
use moxcms::{
    CicpColorPrimaries, CicpProfile, ColorProfile, DataColorSpace, Layout, MatrixCoefficients, RenderingIntent,
    TransferCharacteristics, Transform8BitExecutor, TransformOptions,
};

/// What the numbers of a picture mean; sRGB where the file says nothing that can be understood.
#[derive(Debug)]
pub enum Meaning {
    /// sRGB.
    Plain,
    /// Red, green and blue of another kind.
    Light(Box<ColorProfile>),
    /// Cyan, magenta, yellow and black of a press.
    Ink(Box<ColorProfile>),
}

impl Meaning {
    /// What a colour profile says, however large it is.
    #[must_use]
    pub fn of_profile(profile: Option<&[u8]>) -> Self {
        match profile.and_then(|bytes| ColorProfile::new_from_slice(bytes).ok()) {
            Some(profile) if profile.color_space == DataColorSpace::Rgb => Self::Light(Box::new(profile)),
            Some(profile) if profile.color_space == DataColorSpace::Cmyk => Self::Ink(Box::new(profile)),
            _ => Self::Plain,
        }
    }

    /// What the `cICP` chunk of a PNG says, which is stronger than a profile; none where there is none. The curves of films
    /// in high dynamic range are left alone: on a page they would be dark.
    #[must_use]
    pub fn of_png(png: &[u8]) -> Option<Self> {
        let &[primaries, transfer, 0, 1] = cicp(png)? else { return None };
        if matches!(transfer, 16 | 18) {
            return None;
        }
        let said = CicpProfile {
            color_primaries: CicpColorPrimaries::try_from(primaries).ok()?,
            transfer_characteristics: TransferCharacteristics::try_from(transfer).ok()?,
            matrix_coefficients: MatrixCoefficients::Identity,
            full_range: true,
        };
        Some(Self::Light(Box::new(ColorProfile::new_from_cicp(said))))
    }

    /// The picture in sRGB.
    #[must_use]
    pub fn shown(&self, picture: RgbImage) -> RgbImage {
        let Self::Light(profile) = self else { return picture };
        let Some(transform) = to_srgb(profile, Layout::Rgb) else { return picture };
        let mut shown = RgbImage::new(picture.width(), picture.height());
        match transform.transform(picture.as_raw(), &mut shown) {
            Ok(()) => shown,
            Err(_) => picture,
        }
    }

    /// Inks on paper in sRGB; by plain arithmetic where nothing says of which press they are.
    #[must_use]
    pub fn printed(&self, inks: &RgbaImage) -> RgbImage {
        let mut shown = RgbImage::new(inks.width(), inks.height());
        if let Self::Ink(profile) = self
            && let Some(transform) = to_srgb(profile, Layout::Rgba)
            && transform.transform(inks.as_raw(), &mut shown).is_ok()
        {
            return shown;
        }
        RgbImage::from_fn(inks.width(), inks.height(), |x, y| {
            let [cyan, magenta, yellow, black] = inks.get_pixel(x, y).0;
            let left = |ink: u8| {
                let product = u32::from(255 - ink) * u32::from(255 - black);
                u8::try_from((product + 127) / 255).unwrap_or(u8::MAX)
            };
            Rgb([left(cyan), left(magenta), left(yellow)])
        })
    }
}

fn to_srgb(profile: &ColorProfile, layout: Layout) -> Option<Arc<Transform8BitExecutor>> {
    // A profile may have one table for all intents, the perceptual one (ICC.1, 9.2), which is not taken by itself.
    [RenderingIntent::RelativeColorimetric, RenderingIntent::Perceptual].into_iter().find_map(|rendering_intent| {
        let options = TransformOptions { rendering_intent, ..Default::default() };
        profile.create_transform_8bit(layout, &ColorProfile::new_srgb(), Layout::Rgb, options).ok()
    })
}

/// The content of the `cICP` chunk, which stands before the pixels.
fn cicp(png: &[u8]) -> Option<&[u8]> {
    let mut rest = png.get(8..)?;
    loop {
        let (length, after) = rest.split_first_chunk::<4>()?;
        let (kind, after) = after.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        match kind {
            b"cICP" => return after.get(..length),
            b"IDAT" | b"IEND" => return None,
            _ => rest = after.get(length.checked_add(4)?..)?,
        }
    }
}

//! What the decoder of JPEGs does not say: whether the file is whole, of which kind it is, and its four inks. Pure.

use image::RgbaImage;
use zune_core::bytestream::ZCursor;
use zune_core::colorspace::ColorSpace;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

/// What the markers of a file tell.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Outline {
    /// How the pixels are coded, which the first byte of the frame's marker says.
    frame: u8,
    /// Bits of a sample.
    precision: u8,
    /// How many numbers a pixel has.
    components: u8,
    /// The end is there. What a phone puts behind it, a film or a second picture, does not matter.
    pub is_ended: bool,
}

impl Outline {
    /// Walks from marker to marker, as far as they go.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let mut outline = Self::default();
        let mut at = 2;
        while let Some(&[mark, kind]) = bytes.get(at..at + 2).and_then(|pair| pair.first_chunk::<2>()) {
            match (mark, kind) {
                (0xff, 0xd9) => {
                    outline.is_ended = true;
                    break;
                }
                // Fill bytes and markers without content; then what stands between two segments: coded pixels.
                (0xff, 0xff) => at += 1,
                (0xff, 0x00 | 0x01 | 0xd0..=0xd8) => at += 2,
                (0xff, _) => {
                    let Some(length) = bytes.get(at + 2..).and_then(|rest| rest.first_chunk::<2>()) else { break };
                    if outline.frame == 0 && matches!(kind, 0xc0..=0xcf) && !matches!(kind, 0xc4 | 0xc8 | 0xcc) {
                        outline.frame = kind;
                        outline.precision = bytes.get(at + 4).copied().unwrap_or_default();
                        outline.components = bytes.get(at + 9).copied().unwrap_or_default();
                    }
                    at += 2 + usize::from(u16::from_be_bytes(*length)).max(2);
                }
                _ => at += 1,
            }
        }
        outline
    }

    /// True for a kind that hardly any program writes, and browsers do not all show: arithmetic coding, lossless, twelve bits.
    #[must_use]
    pub const fn is_unusual(self) -> bool {
        self.frame > 0xc2 || (self.frame != 0 && self.precision != 8)
    }

    /// True for a picture made for print.
    #[must_use]
    pub const fn is_in_inks(self) -> bool {
        self.components == 4
    }
}

/// True if every row is in the file. The decoder shows grey for what is missing; asked to be strict, it complains.
#[must_use]
pub fn is_whole(bytes: &[u8]) -> bool {
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options().set_strict_mode(true));
    decoder.decode().is_ok()
}

/// The inks of each pixel, from none (0) to all (255), in the order cyan, magenta, yellow, black.
#[must_use]
pub fn inks(bytes: &[u8]) -> Option<RgbaImage> {
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options());
    decoder.decode_headers().ok()?;
    // As they are in the file: the decoder's own way from inks to light knows no profile.
    let space = decoder.input_colorspace()?;
    decoder.set_options(options().jpeg_set_out_colorspace(space));
    let (width, height) = decoder.dimensions()?;
    let pixels = decoder.decode().ok()?;
    let mut inks = RgbaImage::from_raw(u32::try_from(width).ok()?, u32::try_from(height).ok()?, pixels)?;
    for pixel in inks.pixels_mut() {
        let [one, two, three, black] = pixel.0;
        pixel.0 = match space {
            ColorSpace::YCCK => {
                let [cyan, magenta, yellow] = unmixed(one, two, three);
                [cyan, magenta, yellow, 255 - black]
            }
            // Adobe's programs write what is left of the paper, and everybody reads every file so.
            _ => [255 - one, 255 - two, 255 - three, 255 - black],
        };
    }
    Some(inks)
}

/// Brightness and two differences, apart again (JFIF).
fn unmixed(luma: u8, blue: u8, red: u8) -> [u8; 3] {
    let (luma, blue, red) = (f32::from(luma), f32::from(blue) - 128.0, f32::from(red) - 128.0);
    [luma + 1.402 * red, luma - 0.344_14 * blue - 0.714_14 * red, luma + 1.772 * blue]
        .map(|value| value.round().clamp(0.0, 255.0) as u8)
}

fn options() -> DecoderOptions {
    DecoderOptions::default().set_strict_mode(false).set_max_width(usize::MAX).set_max_height(usize::MAX)
}

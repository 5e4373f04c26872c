//! Uploads through `handle`: what they are is found out, what they tell beside the picture is gone.

use std::io::Cursor;

use aws_lambda_events::s3::S3Event;
use dev::demo::LEA;
use image::{DynamicImage, ImageEncoder as _, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};
use image_intake::{App, develop, handle};
use serde_json::json;
use shared::bucket::Fetched;
use shared::domain::picture::Refused;
use testing::World;

/// A picture whose left half is red and whose right half is blue, so that a turn shows.
fn halves(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, _| if x < width / 2 { Rgb([200, 20, 20]) } else { Rgb([20, 20, 200]) })
}

fn jpeg(picture: &RgbImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, 90).encode_image(picture).expect("a JPEG");
    bytes
}

fn png(picture: &DynamicImage) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Png).expect("a PNG");
    bytes.into_inner()
}

/// Exif as phones write it (little-endian TIFF): the orientation, the camera's name, and where it was.
fn exif(orientation: u16) -> Vec<u8> {
    let mut tiff = b"II*\0\x08\0\0\0".to_vec();
    let entry = |tag: u16, kind: u16, count: u32, value: [u8; 4]| {
        [&tag.to_le_bytes()[..], &kind.to_le_bytes(), &count.to_le_bytes(), &value].concat()
    };
    // The first directory: three entries, then no other directory.
    tiff.extend(3_u16.to_le_bytes());
    let camera = b"SpyCam 3000\0";
    let after_first: u32 = 8 + 2 + 3 * 12 + 4;
    tiff.extend(entry(0x010f, 2, 12, after_first.to_le_bytes()));
    let [low, high] = orientation.to_le_bytes();
    tiff.extend(entry(0x0112, 3, 1, [low, high, 0, 0]));
    let gps = after_first + 12;
    tiff.extend(entry(0x8825, 4, 1, gps.to_le_bytes()));
    tiff.extend(0_u32.to_le_bytes());
    tiff.extend(camera);
    // Where it was: 45° 46′ 12″ north.
    tiff.extend(2_u16.to_le_bytes());
    tiff.extend(entry(0x0001, 2, 2, *b"N\0\0\0"));
    tiff.extend(entry(0x0002, 5, 3, (gps + 2 + 2 * 12 + 4).to_le_bytes()));
    tiff.extend(0_u32.to_le_bytes());
    for (number, by) in [(45_u32, 1_u32), (46, 1), (12, 1)] {
        tiff.extend(number.to_le_bytes());
        tiff.extend(by.to_le_bytes());
    }
    [b"Exif\0\0".to_vec(), tiff].concat()
}

/// Puts Exif right behind the beginning of a JPEG.
fn with_exif(jpeg: &[u8], exif: &[u8]) -> Vec<u8> {
    let length = u16::try_from(exif.len() + 2).expect("it is short").to_be_bytes();
    [&jpeg[..2], &[0xff, 0xe1], &length, exif, &jpeg[2..]].concat()
}

fn has(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// Reds of a pixel outweigh its blues.
fn is_red(jpeg: &[u8], x: u32, y: u32) -> bool {
    let pixel = image::load_from_memory(jpeg).expect("a JPEG").into_rgb8().get_pixel(x, y).0;
    pixel[0] > pixel[2]
}

#[test]
fn what_a_photograph_tells_of_camera_and_place_is_gone_and_it_stands_upright() {
    // 6: the camera was held upright, so the picture is to be turned to the right.
    let sent = with_exif(&jpeg(&halves(1_000, 600)), &exif(6));
    assert!(has(&sent, b"SpyCam") && has(&sent, b"Exif\0\0"), "the fixture is one");
    let sizes = develop::develop(&sent).expect("it can be shown");
    let widths: Vec<(u32, u32)> = sizes.iter().map(|size| (size.width, size.height)).collect();
    assert_eq!(widths, [(480, 800), (600, 1_000)], "upright, and never wider than it was");
    for size in &sizes {
        for secret in [b"SpyCam".as_slice(), b"Exif", b"GPS", &[0x25, 0x88]] {
            let head = &size.jpeg[..size.jpeg.len().min(600)];
            assert!(!has(head, secret), "{secret:?} is still there");
        }
        // What was left is above now.
        assert!(is_red(&size.jpeg, size.width / 2, 10), "above");
        assert!(!is_red(&size.jpeg, size.width / 2, size.height - 10), "below");
    }
}

#[test]
fn each_orientation_that_phones_write_is_applied() {
    for (orientation, upright) in [(1, (480, 288)), (3, (480, 288)), (6, (480, 800)), (8, (480, 800))] {
        let sizes = develop::develop(&with_exif(&jpeg(&halves(1_000, 600)), &exif(orientation))).expect("fine");
        assert_eq!((sizes[0].width, sizes[0].height), upright, "{orientation}");
    }
    let turned = develop::develop(&with_exif(&jpeg(&halves(1_000, 600)), &exif(3))).expect("fine");
    assert!(!is_red(&turned[0].jpeg, 10, 10) && is_red(&turned[0].jpeg, 470, 10), "upside down");
}

#[test]
fn a_large_photograph_has_all_sizes_and_what_is_clear_becomes_paper() {
    let sizes = develop::develop(&jpeg(&halves(3_000, 2_000))).expect("fine");
    let widths: Vec<(u32, u32)> = sizes.iter().map(|size| (size.width, size.height)).collect();
    assert_eq!(widths, [(480, 320), (800, 533), (1_200, 800), (1_600, 1_067)]);
    assert!(sizes.windows(2).all(|pair| pair[0].jpeg.len() < pair[1].jpeg.len()));

    let clear = RgbaImage::from_pixel(400, 400, Rgba([0, 0, 0, 0]));
    let paper = develop::develop(&png(&clear.into())).expect("fine");
    let pixel = image::load_from_memory(&paper[0].jpeg).expect("a JPEG").into_rgb8().get_pixel(200, 200).0;
    assert!(pixel.iter().all(|channel| *channel > 250), "{pixel:?}");
}

#[test]
fn a_webp_is_a_picture_too() {
    let picture = halves(500, 400);
    let mut bytes = Vec::new();
    image::codecs::webp::WebPEncoder::new_lossless(&mut bytes)
        .write_image(picture.as_raw(), 500, 400, image::ExtendedColorType::Rgb8)
        .expect("a WebP");
    assert_eq!(develop::develop(&bytes).expect("fine").last().map(|size| size.width), Some(500));
}

/// A PNG's header that claims a size, with hardly a pixel behind it.
fn claiming(width: u32, height: u32) -> Vec<u8> {
    let small = png(&DynamicImage::ImageRgb8(halves(400, 400)));
    let mut bytes = small;
    bytes[16..20].copy_from_slice(&width.to_be_bytes());
    bytes[20..24].copy_from_slice(&height.to_be_bytes());
    let crc = crc32(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&crc.to_be_bytes());
    bytes
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xedb8_8320 } else { crc >> 1 })
    })
}

#[test]
fn a_bomb_is_refused_by_its_header() {
    assert!(claiming(60_000, 60_000).len() < 10_000, "a bomb is small");
    assert_eq!(develop::develop(&claiming(60_000, 60_000)).err(), Some(Refused::TooManyPixels));
    assert_eq!(develop::develop(&claiming(u32::MAX >> 1, 1)).err(), Some(Refused::TooManyPixels));
    // Within the pixels, but without them.
    assert_eq!(develop::develop(&claiming(7_000, 7_000)).err(), Some(Refused::Unreadable));
}

#[test]
fn what_only_pretends_to_be_a_picture_is_refused() {
    for bytes in [
        b"".as_slice(),
        b"\x89PNG",
        b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>",
        b"GIF89a\x01\0\x01\0\0\0\0;",
        b"%PDF-1.7",
        b"MZ\x90\0",
    ] {
        assert_eq!(develop::develop(bytes).err(), Some(Refused::NotAPicture), "{bytes:?}");
    }
    assert_eq!(develop::develop(b"\x89PNG\r\n\x1a\nthis is no PNG at all").err(), Some(Refused::Unreadable));
    assert_eq!(develop::develop(b"\xff\xd8\xff\xe0 neither a JPEG").err(), Some(Refused::Unreadable));
    assert_eq!(develop::develop(&jpeg(&halves(400, 299))).err(), Some(Refused::TooSmall));
    for kind in [b"heic", b"mif1", b"hevc"] {
        let bytes = [b"\0\0\0\x18ftyp".as_slice(), kind, b"\0\0\0\0mif1heic"].concat();
        assert_eq!(develop::develop(&bytes).err(), Some(Refused::Heic));
    }
    assert_eq!(develop::develop(b"\0\0\0\x18ftypisom\0\0\0\0isomavc1").err(), Some(Refused::NotAPicture));
}

#[test]
fn a_jpeg_that_is_cut_off_is_refused_and_what_stands_behind_its_end_is_no_matter() {
    let whole = jpeg(&RgbImage::from_fn(600, 400, |x, y| Rgb([(x % 251) as u8, (y % 241) as u8, (x * y % 239) as u8])));
    assert!(develop::develop(&whole).is_ok());
    for share in [2, 10, 33, 50, 75, 90] {
        let cut = &whole[..whole.len() * share / 100];
        assert_eq!(develop::develop(cut).err(), Some(Refused::Unreadable), "{share} %");
    }
    for cut in (0..whole.len()).step_by(97) {
        let _ = develop::develop(&whole[..cut]);
    }
    // Cameras that forget the end; a phone's film behind the picture; a second picture.
    for more in [b"".as_slice(), b"\0\0\0\x18ftypmp42 and a film", &whole] {
        assert!(develop::develop(&[&whole, more].concat()).is_ok());
    }
    assert!(develop::develop(&whole[..whole.len() - 2]).is_ok(), "only its end is missing");
    // A picture may be grey where it ends.
    let grey = RgbImage::from_fn(600, 400, |_, y| if y < 200 { Rgb([200, 20, 20]) } else { Rgb([128, 128, 128]) });
    assert!(develop::develop(&jpeg(&grey)).is_ok());
}

#[test]
fn a_jpeg_of_an_unusual_kind_is_called_that() {
    let usual = jpeg(&halves(400, 400));
    let frame = usual.windows(2).position(|pair| pair == [0xff, 0xc0]).expect("a frame");
    for kind in [0xc3, 0xc9, 0xca, 0xcb] {
        let mut bytes = usual.clone();
        bytes[frame + 1] = kind;
        assert_eq!(develop::develop(&bytes).err(), Some(Refused::UnusualJpeg), "{kind:x}");
    }
    let mut twelve_bits = usual.clone();
    (twelve_bits[frame + 1], twelve_bits[frame + 4]) = (0xc1, 12);
    assert_eq!(develop::develop(&twelve_bits).err(), Some(Refused::UnusualJpeg));
}

#[test]
fn what_would_be_a_strip_on_a_page_is_refused_and_phones_of_fifty_megapixels_are_not() {
    assert_eq!(develop::develop(&jpeg(&halves(8_000, 400))).err(), Some(Refused::TooNarrow));
    // On its side in the file, upright on the page.
    let tall = with_exif(&jpeg(&halves(2_000, 310)), &exif(6));
    assert_eq!(develop::develop(&tall).map(|sizes| sizes.len()).ok(), Some(1));
    let low = with_exif(&jpeg(&halves(310, 2_000)), &exif(6));
    assert_eq!(develop::develop(&low).err(), Some(Refused::TooNarrow));
    // 8192 × 6144, as phones write it: only the header is asked here, for time's sake.
    assert_eq!(develop::develop(&claiming(8_192, 6_144)).err(), Some(Refused::Unreadable));
    assert_eq!(develop::develop(&claiming(8_192, 6_300)).err(), Some(Refused::TooManyPixels));
}

/// The difference of two colours as people see it (CIE 1976), of numbers in sRGB.
fn difference(one: [u8; 3], other: [u8; 3]) -> f64 {
    let lab = |colour: [u8; 3]| {
        let [red, green, blue] = colour.map(|value| {
            let value = f64::from(value) / 255.0;
            if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        });
        let [x, y, z] = [
            (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.9505,
            0.2126 * red + 0.7152 * green + 0.0722 * blue,
            (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.089,
        ]
        .map(|value| if value > 0.008_856 { value.cbrt() } else { 7.787 * value + 16.0 / 116.0 });
        [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
    };
    lab(one).iter().zip(lab(other)).map(|(one, other)| (one - other).powi(2)).sum::<f64>().sqrt()
}

#[test]
fn what_calls_itself_a_colour_profile_goes_no_further() {
    let mut words = vec![0_u8; 60_000];
    words[16..20].copy_from_slice(b"RGB ");
    words[36..40].copy_from_slice(b"acsp");
    words[200..216].copy_from_slice(b"whatever one may");
    let chunk = [b"ICC_PROFILE\0\x01\x01".to_vec(), words].concat();
    let plain = jpeg(&halves(1_000, 600));
    let length = u16::try_from(chunk.len() + 2).expect("it fits").to_be_bytes();
    let sent = [&plain[..2], &[0xff, 0xe2], &length, &chunk, &plain[2..]].concat();
    assert!(has(&sent, b"whatever one may") && has(&sent, b"RGB "), "the fixture is one");
    let sizes = develop::develop(&sent).expect("a picture all the same");
    for size in &sizes {
        assert!(!has(&size.jpeg, b"ICC_PROFILE") && !has(&size.jpeg, b"whatever one may"), "{} wide", size.width);
        assert!(size.jpeg.len() < 60_000, "{} bytes", size.jpeg.len());
    }
}

/// `tests/pictures/make` wrote the pictures, and what LittleCMS makes of each of their patches.
#[test]
fn colours_are_those_that_the_profile_of_the_file_means() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pictures");
    let expected = std::fs::read_to_string(folder.join("expected.tsv")).expect("the table");
    let mut shown = std::collections::BTreeMap::new();
    let mut worst = std::collections::BTreeMap::<&str, f64>::new();
    for line in expected.lines() {
        let (name, numbers) = line.split_once('\t').expect("a name");
        let picture = shown.entry(name).or_insert_with(|| {
            let sizes = develop::develop(&std::fs::read(folder.join(name)).expect("a picture")).expect(name);
            let widest = sizes.last().expect("a size");
            assert!(!has(&widest.jpeg, b"ICC_PROFILE"), "{name}: sRGB is said by saying nothing");
            image::load_from_memory(&widest.jpeg).expect("a JPEG").into_rgb8()
        });
        let numbers: Vec<u32> = numbers.split('\t').map(|number| number.parse().expect("a number")).collect();
        let [x, y, red, green, blue] = numbers[..] else { panic!("{line}") };
        let wanted = [red, green, blue].map(|value| u8::try_from(value).expect("a byte"));
        let found = difference(picture.get_pixel(x, y).0, wanted);
        let worst = worst.entry(name).or_default();
        *worst = worst.max(found);
    }
    assert_eq!(worst.len(), 8);
    for (name, worst) in worst {
        assert!(worst < 6.0, "{name}: {worst:.1}");
    }
}

// Through the bucket and the database.

async fn app(world: &World) -> App {
    App { db: world.db(), bucket: world.bucket().await, clock: world.clock() }
}

/// An upload that was announced and has arrived.
async fn arrived(world: &World, app: &App, bytes: Vec<u8>) -> String {
    let id = format!("0192f3a4-5b6c-7d8e-9f00-{:012x}", bytes.len());
    world
        .execute(&format!(
            r"insert into images (id, artist_id, kind, content_type, size, created_at, updated_at)
             values ('{id}', '{}', 'flash', 'image/jpeg', {}, now(), now())",
            LEA.id,
            bytes.len().min(15_728_640)
        ))
        .await;
    app.bucket.put(&format!("incoming/{id}"), "image/jpeg", bytes).await.expect("it arrives");
    id
}

fn event(key: &str) -> S3Event {
    serde_json::from_value(json!({ "Records": [{
        "eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": "eu-west-3", "eventTime": "2027-02-01T08:00:00.000Z",
        "eventName": "ObjectCreated:Put", "userIdentity": {}, "requestParameters": {}, "responseElements": {},
        "s3": { "bucket": { "name": "b" }, "object": { "key": key, "size": 1 } },
    }] }))
    .expect("an event")
}

async fn row(world: &World, id: &str) -> serde_json::Value {
    world.rows(&format!("select status, reason, width, height from images where id = '{id}'"), &[]).await.remove(0)
}

async fn is_there(app: &App, key: &str) -> bool {
    matches!(app.bucket.get(key, 1 << 24).await.expect("the bucket answers"), Fetched::Bytes(_))
}

#[test]
fn an_upload_becomes_its_sizes_and_the_original_is_forgotten() {
    World::run(|world| async move {
        let app = app(world).await;
        let id = arrived(world, &app, with_exif(&jpeg(&halves(1_000, 600)), &exif(6))).await;
        let key = format!("incoming/{id}");
        handle(&app, event(&key)).await.expect("it is taken in");
        assert_eq!(row(world, &id).await, json!({ "status": "ready", "reason": null, "width": 600, "height": 1_000 }));
        for width in [480, 600] {
            assert!(is_there(&app, &format!("images/{id}/{width}.jpg")).await, "{width}");
        }
        assert!(!is_there(&app, &format!("images/{id}/800.jpg")).await);
        assert!(!is_there(&app, &key).await, "the original, with its GPS, is gone");

        // The event comes twice; then somebody uses the same address once more.
        handle(&app, event(&key)).await.expect("nothing to do");
        app.bucket.put(&key, "image/jpeg", b"something else".to_vec()).await.expect("it arrives");
        handle(&app, event(&key)).await.expect("nothing to do");
        assert_eq!(row(world, &id).await["status"], "ready", "what is decided stays decided");
        assert!(!is_there(&app, &key).await);
    });
}

#[test]
fn two_events_of_one_upload_at_once_end_the_same() {
    World::run(|world| async move {
        let (one, two) = (app(world).await, app(world).await);
        let id = arrived(world, &one, jpeg(&halves(500, 500))).await;
        let key = format!("incoming/{id}");
        let (a, b) = tokio::join!(handle(&one, event(&key)), handle(&two, event(&key)));
        a.expect("taken in");
        b.expect("taken in");
        assert_eq!(row(world, &id).await["status"], "ready");
    });
}

#[test]
fn refusals_are_kept_with_their_reason() {
    World::run(|world| async move {
        let app = app(world).await;
        for (bytes, reason) in [
            (claiming(60_000, 60_000), "too_many_pixels"),
            (b"\x89PNG\r\n\x1a\nthis is no PNG at all".to_vec(), "unreadable"),
            (b"<html>".to_vec(), "not_a_picture"),
            // The signature of the address holds the size; should it ever not, this does.
            (vec![0xff; 15 * 1024 * 1024 + 1], "too_heavy"),
        ] {
            let id = arrived(world, &app, bytes).await;
            handle(&app, event(&format!("incoming/{id}"))).await.expect("it is decided");
            let row = row(world, &id).await;
            assert_eq!((&row["status"], &row["reason"]), (&json!("refused"), &json!(reason)));
            assert!(!is_there(&app, &format!("incoming/{id}")).await, "{reason}: it is not kept");
        }
    });
}

#[test]
fn what_was_never_announced_is_deleted_and_what_is_no_upload_left_alone() {
    World::run(|world| async move {
        let app = app(world).await;
        let key = "incoming/0192f3a4-5b6c-7d8e-9f00-112233445566";
        app.bucket.put(key, "image/jpeg", jpeg(&halves(400, 400))).await.expect("it arrives");
        handle(&app, event(key)).await.expect("nothing to do");
        assert!(!is_there(&app, key).await);
        app.bucket.put("images/x/1.jpg", "image/jpeg", vec![1]).await.expect("it arrives");
        handle(&app, event("images/x/1.jpg")).await.expect("nothing to do");
        assert!(is_there(&app, "images/x/1.jpg").await);
        handle(&app, event("incoming/../../etc/passwd")).await.expect("nothing to do");
    });
}

#[test]
fn a_database_that_is_away_lets_the_event_come_again() {
    World::run(|world| async move {
        let wire = world.wire().await;
        let app = App { db: world.db_through(&wire).await, ..app(world).await };
        let id = arrived(world, &app, jpeg(&halves(400, 400))).await;
        let key = format!("incoming/{id}");
        wire.cut();
        handle(&app, event(&key)).await.expect_err("it must come again");
        assert!(is_there(&app, &key).await, "the upload is still there");
        wire.mend();
        handle(&app, event(&key)).await.expect("now it is taken in");
        assert_eq!(row(world, &id).await["status"], "ready");
    });
}

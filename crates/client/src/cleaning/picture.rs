//! Pictures: decoded, turned the right way up, made smaller, and written anew as JPEG. Only points come through.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::imageops::FilterType;
use image::{DynamicImage, ImageDecoder as _, ImageError, ImageFormat, ImageReader, Limits, RgbImage};
use proto::document::MAX_CONTENT;

use super::{NotTaken, Sizes};

/// The most points a picture may have, and the longest side.
const MAX_POINTS: u64 = 64_000_000;
const MAX_SIDE: u32 = 20_000;
/// The most bytes that decoding may take.
const MAX_DECODED: u64 = 320 << 20;
/// Of JPEG, 1 to 100. Letters stay legible and faces recognisable.
const QUALITY: u8 = 75;
/// More points than this never fit a document, and cost time.
const MAX_SENT: f64 = 8_000_000.0;
/// How often a size is tried.
const TRIES: usize = 8;
/// A screen shows no more.
const PREVIEW: u32 = 1_600;

pub(super) fn is_one(bytes: &[u8]) -> bool {
    format(bytes).is_some()
}

fn format(bytes: &[u8]) -> Option<ImageFormat> {
    let is = |at: usize, what: &[u8]| bytes.get(at..).is_some_and(|rest| rest.starts_with(what));
    if is(0, b"\xff\xd8\xff") {
        Some(ImageFormat::Jpeg)
    } else if is(0, b"\x89PNG\r\n\x1a\n") {
        Some(ImageFormat::Png)
    } else {
        (is(0, b"RIFF") && is(8, b"WEBP")).then_some(ImageFormat::WebP)
    }
}

/// The picture anew, in each of the sizes that is smaller than the next: for 10 hours, for 30, and as large as can be sent.
pub(super) fn clean(bytes: &[u8], sizes: Sizes) -> Result<Vec<Vec<u8>>, NotTaken> {
    let mut points = decode(bytes)?;
    let scale = (MAX_SENT / (f64::from(points.width()) * f64::from(points.height()))).sqrt();
    if scale < 1.0 {
        let side = |length: u32| ((f64::from(length) * scale) as u32).max(1);
        let (width, height) = (side(points.width()), side(points.height()));
        points = image::imageops::resize(&points, width, height, FilterType::Triangle);
    }
    let mut made: Vec<Vec<u8>> = Vec::new();
    // The largest first: each is made of the one before, which costs less and shows no more.
    for limit in [MAX_CONTENT, sizes.thirty, sizes.ten] {
        if made.last().is_some_and(|last| last.len() <= limit) {
            continue;
        }
        let Some(fitted) = fit(&mut points, limit)? else { break };
        made.push(fitted);
    }
    made.reverse();
    if made.is_empty() { Err(NotTaken::Damaged) } else { Ok(made) }
}

/// What a screen may show of a picture that somebody else made: its points, decoded here and written anew. Never the picture
/// itself.
///
/// # Errors
/// It is damaged, is no picture, or would be too large.
pub fn preview(bytes: &[u8]) -> Result<Vec<u8>, NotTaken> {
    let points = decode(bytes)?;
    let small = points.width() <= PREVIEW && points.height() <= PREVIEW;
    let points = if small {
        points
    } else {
        DynamicImage::from(points).resize(PREVIEW, PREVIEW, FilterType::Triangle).into_rgb8()
    };
    encode(&points)
}

/// Decodes within limits, the right way up, and on white where it is transparent.
fn decode(bytes: &[u8]) -> Result<RgbImage, NotTaken> {
    let format = format(bytes).ok_or(NotTaken::Kind)?;
    let failed = |e: ImageError| match e {
        ImageError::Limits(_) => NotTaken::Bomb,
        _ => NotTaken::Damaged,
    };
    let mut limits = Limits::no_limits();
    (limits.max_image_width, limits.max_image_height) = (Some(MAX_SIDE), Some(MAX_SIDE));
    limits.max_alloc = Some(MAX_DECODED);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(failed)?;
    let (width, height) = decoder.dimensions();
    // Before a byte of it is decoded.
    if u64::from(width) * u64::from(height) > MAX_POINTS || decoder.total_bytes() > MAX_DECODED {
        return Err(NotTaken::Bomb);
    }
    let turn = decoder.orientation().map_err(failed)?;
    let mut image = DynamicImage::from_decoder(decoder).map_err(failed)?;
    image.apply_orientation(turn);
    if !image.color().has_alpha() {
        return Ok(image.into_rgb8());
    }
    let image = image.into_rgba8();
    let on_white = |v: u8, a: u8| ((u32::from(v) * u32::from(a) + 255 * (255 - u32::from(a))) / 255) as u8;
    let mut flat = RgbImage::new(image.width(), image.height());
    for (to, from) in flat.pixels_mut().zip(image.pixels()) {
        let [r, g, b, a] = from.0;
        to.0 = [on_white(r, a), on_white(g, a), on_white(b, a)];
    }
    Ok(flat)
}

fn encode(points: &RgbImage) -> Result<Vec<u8>, NotTaken> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, QUALITY).encode_image(points).map_err(|_| NotTaken::Damaged)?;
    Ok(bytes)
}

/// The picture as large as fits, or nearly, and leaves it so. `None`: not even a small one does.
fn fit(points: &mut RgbImage, limit: usize) -> Result<Option<Vec<u8>>, NotTaken> {
    let whole = encode(points)?;
    if whole.len() <= limit {
        return Ok(Some(whole));
    }
    // By how much to shrink: surely enough below `fits`, surely not above `too_large`. Bytes grow about as points do.
    let guess = |scale: f64, bytes: usize| scale * (limit as f64 / bytes as f64).sqrt() * 0.97;
    let (mut fits, mut too_large, mut best) = (0.0, 1.0, None);
    let mut scale = guess(1.0, whole.len());
    for _ in 0..TRIES {
        let side = |length: u32| (f64::from(length) * scale) as u32;
        let (width, height) = (side(points.width()), side(points.height()));
        if width.max(height) < 32 || width.min(height) == 0 {
            break;
        }
        let smaller = image::imageops::resize(points, width, height, FilterType::CatmullRom);
        let bytes = encode(&smaller)?;
        let length = bytes.len();
        if length > limit {
            too_large = scale;
        } else {
            fits = scale;
            best = Some((smaller, bytes));
            if length * 10 >= limit * 9 {
                break;
            }
        }
        scale = guess(scale, length);
        if scale <= fits || scale >= too_large {
            scale = (fits + too_large) / 2.0;
        }
    }
    Ok(best.map(|(smaller, bytes)| {
        *points = smaller;
        bytes
    }))
}

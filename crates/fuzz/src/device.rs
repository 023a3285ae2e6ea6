//! What a device makes of what others wrote: messages at a desk, replies at a source, files that are attached, and what it kept
//! itself.

use std::io::Write as _;

use client::cleaning::{MAX_FILE, Sizes, look, named, preview};
use client::fuzzing::{Desk, Source};
use client::{Passphrase, is_listed};
use image::codecs::{jpeg::JpegEncoder, png::PngEncoder, webp::WebPEncoder};
use image::{ExtendedColorType, ImageEncoder};
use proto::Round;
use proto::conversation::{ConversationKey, Message, ReplyPart};
use proto::document::{Document, Format, Joining, MAX_CONTENT, MAX_NAME, Part, Taken, is_name, parts};
use proto::size::{Cascade, READER_SLOT};

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use crate::input::{Input, bend, fill};

/// A document in parts, which come twice, in another order, cut from another document, or bent.
pub(crate) fn documents(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let cascade = Cascade::new(1 + input.below(4) as u8).expect("1 to 4");
    let name = String::from_utf8_lossy(input.piece()).into_owned();
    let format = [Format::Text, Format::Picture, Format::Pdf, Format::Docx, Format::Ods][input.below(5)];
    let length = usize::from(input.word());
    let acts = input.up_to(64);
    let content = fill(input.rest(), length);
    let document = Document { name, format, content };
    let stream = match document.to_stream() {
        Ok(stream) => stream,
        Err(_) => {
            assert!(document.content.is_empty() || !is_name(&document.name));
            return;
        }
    };
    let many = parts(cascade, stream.len());
    let mut joining = Joining::new(many);
    let mut honest = true;
    for act in acts.chunks(4) {
        let mut act = Input::new(act);
        let part = Part::of(cascade, &stream, act.word() % many);
        // It travels: packed and read again, it is the same part.
        let sequence = u32::from(part.part) + u32::from(act.byte());
        let (at, of) = (part.part, part.parts);
        let message = Message {
            conversation: ConversationKey::from_bytes([1; 32]),
            sequence,
            received: proto::conversation::Received::default(),
            body: proto::conversation::Body::Part(part),
        };
        let mut plain = message.pack(cascade).expect("a part fits a message").to_vec();
        let bend = act.byte();
        if bend >= 0x80 {
            plain[48 + usize::from(bend & 0x7f)] ^= 1;
        }
        let Ok(Message { body: proto::conversation::Body::Part(part), .. }) =
            Message::unpack(cascade, &plain)
        else {
            assert!(bend >= 0x80, "an honest part is taken");
            continue;
        };
        honest &= bend < 0x80;
        assert!(bend >= 0x80 || (part.part, part.parts) == (at, of));
        let had = joining.have();
        match joining.take(&part) {
            Taken::New => assert_eq!(joining.have(), had + 1),
            Taken::Known => assert_eq!(joining.have(), had),
            Taken::Disagrees => assert!(part.parts != many && joining.have() == had),
        }
        assert!(joining.have() <= joining.parts());
    }
    match joining.join() {
        None => assert!(joining.have() < many),
        Some(Ok(joined)) => {
            assert!(joined == document || !honest);
            assert!(
                is_name(&joined.name) && joined.name.len() <= MAX_NAME && joined.content.len() <= MAX_CONTENT
            );
        }
        Some(Err(_)) => assert!(!honest, "honest parts join"),
    }
    // Kept between two starts, and read again.
    let kept = minicbor::to_vec(&joining).expect("a vector takes all");
    let again: Joining = minicbor::decode(&kept).expect("kept just now");
    assert_eq!(
        (again.have(), again.parts(), again.head()),
        (joining.have(), joining.parts(), joining.head())
    );
}

/// A desk's vault takes messages that opened, whoever wrote them, and is kept and read between them.
pub(crate) fn desks(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let cascade = Cascade::new(4).expect("four is a cascade");
    let mut desk = match input.byte() % 4 {
        // What an earlier version, or a bent disk, may have left behind the seal.
        0 => match Desk::read(input.piece()) {
            Some(desk) => desk,
            None => return,
        },
        _ => Desk::new(),
    };
    let mut edition = u32::from(input.word());
    while !input.is_over() {
        match input.byte() % 4 {
            0 => edition = edition.saturating_add(input.byte().into()),
            1 => desk.repeat(Round(edition), Round(edition.saturating_add(1))),
            // Two conversations, few numbers: so that messages meet.
            _ => {
                let mut plain = vec![1, 1 + input.byte() % 2, 0, 0];
                plain.extend([1 + input.byte() % 2; 32]);
                plain.extend(u32::from(input.word()).to_be_bytes());
                let (text, length) = (input.piece(), plain.len());
                let (mut data, received) = (text.to_vec(), input.bytes::<6>());
                if plain[1] == 1 {
                    data = zstd::bulk::compress(text, 1).expect("memory is all it needs");
                } else if input.byte().is_multiple_of(2) && data.len() > 4 {
                    data = fill(&data, 4 + cascade.part());
                }
                plain.extend((data.len() as u16).to_be_bytes());
                plain.extend(received);
                debug_assert_eq!(plain.len(), length + 8);
                plain.extend(data);
                plain.resize(cascade.message(), 0);
                if let Ok(message) = Message::unpack(cascade, &plain) {
                    let before = desk.lines();
                    desk.take(&message, input.bytes(), Round(edition));
                    assert!(desk.lines() >= before, "nothing that came is lost");
                }
            }
        }
    }
    desk.looked_at(Round(edition));
    let kept = desk.to_bytes();
    let again = Desk::read(&kept).expect("kept just now");
    assert_eq!(again.to_bytes(), kept, "a vault is read as it was written");
}

/// A source's mailbox takes slots that bear its tags, whatever stands in them.
pub(crate) fn sources(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    if input.byte().is_multiple_of(4) {
        // What an earlier version may have left behind the seal.
        if let Some(source) = Source::read(input.rest()) {
            let kept = source.to_bytes();
            assert_eq!(Source::read(&kept).expect("kept just now").to_bytes(), kept);
        }
        return;
    }
    let mut source = Source::new(&[input.byte() % 4, input.byte() % 4]);
    while !input.is_over() {
        let edition = Round(input.byte().into());
        match input.byte() % 4 {
            0 => {
                let (number, which, of) = (1 + u32::from(input.byte() % 4), input.byte(), input.byte());
                let text: Vec<u8> = input.piece().iter().copied().take(944).collect();
                // Half of them of replies that can become whole: of one part, or all parts empty.
                let whole = match of % 4 {
                    0 => ReplyPart::whole(&text),
                    1 => ReplyPart::whole(b""),
                    more => [more; 8],
                };
                let parts = 1 + of / 4 % 3;
                let part = ReplyPart { number, part: which % parts, parts, whole, text: text.into() };
                source.reply(input.below(4), &part, edition);
            }
            1 => source.acknowledge(input.below(4), edition),
            2 => source.slot(fill(input.piece(), READER_SLOT).try_into().expect("a slot's length"), edition),
            _ => source.looked_at(edition),
        }
    }
    let kept = source.to_bytes();
    assert_eq!(Source::read(&kept).expect("kept just now").to_bytes(), kept, "it is read as it was written");
}

/// Files that are attached: what is found in them, and pictures made anew.
pub(crate) fn files(bytes: &[u8]) {
    let mut input = Input::new(bytes);
    let mode = input.byte() % 8;
    let length = input.byte() % 32;
    let name = String::from_utf8_lossy(input.up_to(length.into())).into_owned();
    assert!(is_name(&named(&name, Format::Docx)));
    let bytes = match mode {
        1..=3 => picture(mode, &mut input),
        4 => office(&mut input),
        5 => [b"%PDF-1.7\n".as_slice(), input.rest()].concat(),
        _ => input.rest().to_vec(),
    };
    let Ok(looked) = look(&name, &bytes, Sizes { ten: 20_000, thirty: 60_000 }) else { return };
    assert!(bytes.len() <= MAX_FILE && !looked.documents.is_empty() && looked.found.len() <= 130);
    assert!(looked.found.iter().all(|finding| finding.text.chars().count() <= 120));
    for document in &looked.documents {
        assert!(document.to_stream().is_ok(), "what is offered can be sent");
        if !looked.cleaned {
            assert!(document.content == bytes, "other files go as they are");
            continue;
        }
        // A picture made anew carries no notes, and is a picture.
        let mut reader = std::io::Cursor::new(&document.content);
        assert!(exif::Reader::new().read_from_container(&mut reader).is_err(), "it carries notes");
        assert!(
            segments(&document.content).iter().all(|&mark| !matches!(mark, 0xe1..=0xef | 0xfe)),
            "it carries notes"
        );
        assert!(preview(&document.content).is_ok());
    }
}

/// A small picture with what an input puts beside its points.
fn picture(mode: u8, input: &mut Input<'_>) -> Vec<u8> {
    let (width, height) = (1 + u32::from(input.byte() % 40), 1 + u32::from(input.byte() % 40));
    let notes = input.piece().to_vec();
    let bends = &mut Input::new(input.piece());
    let points = fill(input.rest(), (width * height * 3) as usize);
    let (mut made, colour) = (Vec::new(), ExtendedColorType::Rgb8);
    let written = match mode {
        1 => written(JpegEncoder::new(&mut made), notes, &points, width, height, colour),
        2 => written(PngEncoder::new(&mut made), notes, &points, width, height, colour),
        _ => written(WebPEncoder::new_lossless(&mut made), notes, &points, width, height, colour),
    };
    if !written {
        made.clear();
    }
    bend(bends, &mut made);
    made
}

fn written(
    mut encoder: impl ImageEncoder,
    notes: Vec<u8>,
    points: &[u8],
    width: u32,
    height: u32,
    colour: ExtendedColorType,
) -> bool {
    // Notes too long for the format are left out.
    let _ = encoder.set_exif_metadata(notes);
    encoder.write_image(points, width, height, colour).is_ok()
}

/// An archive with the names that office files have.
fn office(input: &mut Input<'_>) -> Vec<u8> {
    const NAMES: [&str; 12] = [
        "[Content_Types].xml",
        "word/document.xml",
        "xl/workbook.xml",
        "ppt/presentation.xml",
        "mimetype",
        "docProps/core.xml",
        "docProps/app.xml",
        "meta.xml",
        "content.xml",
        "word/vbaProject.bin",
        "word/comments.xml",
        "word/media/1.jpg",
    ];
    let bends = &mut Input::new(input.piece());
    let mut archive = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    while !input.is_over() {
        let choice = input.byte();
        let method = if choice & 0x80 == 0 { CompressionMethod::Stored } else { CompressionMethod::Deflated };
        let options = SimpleFileOptions::default().compression_method(method);
        let name = match NAMES.get(usize::from(choice & 0x0f)) {
            Some(name) => (*name).to_owned(),
            None => String::from_utf8_lossy(input.up_to(12)).into_owned(),
        };
        if archive.start_file(name, options).is_ok() {
            archive.write_all(input.piece()).expect("a vector takes all");
        }
    }
    let mut made = archive.finish().expect("a vector takes all").into_inner();
    bend(bends, &mut made);
    made
}

/// The marks of a JPEG's segments up to its points.
fn segments(mut bytes: &[u8]) -> Vec<u8> {
    let mut marks = Vec::new();
    bytes = &bytes[2..];
    while let [0xff, mark, high, low, ..] = *bytes {
        marks.push(mark);
        if mark == 0xda {
            break;
        }
        bytes = &bytes[2 + usize::from(u16::from_be_bytes([high, low]))..];
    }
    marks
}

/// Six words, as somebody types them.
pub(crate) fn passphrases(bytes: &[u8]) {
    let Ok(typed) = core::str::from_utf8(bytes) else { return };
    let Ok(read) = Passphrase::parse(typed) else { return };
    let words: Vec<_> = read.words().collect();
    assert!(words.len() == 6 && words.iter().all(|word| is_listed(word)));
    let again = Passphrase::parse(&words.join(" ")).expect("six listed words");
    assert!(again.words().eq(read.words()));
}

use std::io::{Cursor, Write as _};

use ::exif::experimental::Writer;
use ::exif::{Field, In, Rational, Tag, Value};
use image::codecs::{png::PngEncoder, webp::WebPEncoder};
use image::{DynamicImage, ExtendedColorType, ImageDecoder as _, ImageEncoder as _, ImageReader, RgbImage};
use proptest::prelude::*;
use proto::document;
use proto::size::Cascade;
use rand::{SeedableRng as _, rngs::StdRng};

use super::*;

const SIZES: Sizes = Sizes { ten: 35_000, thirty: 106_000 };

/// Something with edges and colours, which does not pack to nothing.
fn points(width: u32, height: u32) -> RgbImage {
    let mut noise = vec![0; 64 * 64];
    StdRng::seed_from_u64(1).fill_bytes(&mut noise);
    RgbImage::from_fn(width, height, |x, y| {
        let n = noise[(x / 3 % 64 + y / 3 % 64 * 64) as usize];
        image::Rgb([(x * 255 / width) as u8, (y * 255 / height) as u8, n])
    })
}

/// What a phone writes beside a picture: where, when, with what; and that it lies on its side.
fn exif_of_a_phone() -> Vec<u8> {
    let ascii = |text: &str| Value::Ascii(vec![text.as_bytes().to_vec()]);
    let degrees = |d, m, s| Value::Rational([d, m, s].map(|num| Rational { num, denom: 1 }).to_vec());
    let fields = [
        (Tag::Model, ascii("Lantern 7")),
        (Tag::Software, ascii("Lantern OS 4")),
        (Tag::DateTime, ascii("2026:11:03 14:20:00")),
        (Tag::Artist, ascii("Ana Example")),
        (Tag::Orientation, Value::Short(vec![6])),
        (Tag::GPSLatitudeRef, ascii("N")),
        (Tag::GPSLatitude, degrees(48, 12, 36)),
        (Tag::GPSLongitudeRef, ascii("E")),
        (Tag::GPSLongitude, degrees(16, 22, 12)),
    ];
    let fields: Vec<_> = fields.map(|(tag, value)| Field { tag, ifd_num: In::PRIMARY, value }).into();
    let mut writer = Writer::new();
    fields.iter().for_each(|field| writer.push_field(field));
    let mut tiff = Cursor::new(Vec::new());
    writer.write(&mut tiff, false).unwrap();
    tiff.into_inner()
}

fn jpeg(points: &RgbImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, 95);
    encoder.set_exif_metadata(exif_of_a_phone()).unwrap();
    encoder.encode_image(points).unwrap();
    bytes
}

fn png(points: &RgbImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = PngEncoder::new(&mut bytes);
    encoder.set_exif_metadata(exif_of_a_phone()).unwrap();
    encoder.write_image(points, points.width(), points.height(), ExtendedColorType::Rgb8).unwrap();
    bytes
}

fn webp(points: &RgbImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = WebPEncoder::new_lossless(&mut bytes);
    encoder.set_exif_metadata(exif_of_a_phone()).unwrap();
    encoder.write_image(points, points.width(), points.height(), ExtendedColorType::Rgb8).unwrap();
    bytes
}

fn has(bytes: &[u8], what: &[u8]) -> bool {
    bytes.windows(what.len()).any(|at| at == what)
}

fn texts(looked: &Looked, what: What) -> Vec<&str> {
    looked.found.iter().filter(|f| f.what == what).map(|f| f.text.as_str()).collect()
}

#[test]
fn nothing_that_a_phone_wrote_beside_a_picture_is_in_what_is_sent() {
    let points = points(900, 600);
    for (name, picture) in [("a.jpg", jpeg(&points)), ("b.png", png(&points)), ("c.webp", webp(&points))] {
        assert!(has(&picture, b"Lantern 7") && has(&picture, b"Ana Example"), "{name}: it is there before");
        let looked = look(name, &picture, SIZES).unwrap();
        assert!(looked.cleaned);
        assert_eq!(texts(&looked, What::Place), ["48.2100 N, 16.3700 E"], "{name}");
        assert_eq!(texts(&looked, What::Device), ["Lantern 7"], "{name}");
        assert_eq!(texts(&looked, What::Person), ["Ana Example"], "{name}");
        assert_eq!(looked.documents.len(), 3, "{name}");
        for document in &looked.documents {
            let sent = &document.content;
            for gone in [&b"Exif"[..], b"Lantern", b"Ana", b"2026:11", b"GPS", b"http", b"ICC_PROFILE"] {
                assert!(!has(sent, gone), "{name}: {:?}", String::from_utf8_lossy(gone));
            }
            assert!(exif::of_picture(sent).is_empty());
            assert_eq!(segments(sent), [0xc0, 0xc4, 0xda, 0xdb, 0xe0], "{name}: nothing but a picture");
            let mut read =
                ImageReader::new(Cursor::new(sent)).with_guessed_format().unwrap().into_decoder().unwrap();
            assert!(read.exif_metadata().unwrap().is_none() && read.icc_profile().unwrap().is_none());
            let (width, height) = read.dimensions();
            assert!(height > width, "{name}: the right way up");
            assert_eq!(document.format, Format::Picture);
        }
    }
}

/// The kinds of segments before the points, each once, in order.
fn segments(jpeg: &[u8]) -> Vec<u8> {
    let (mut at, mut kinds) = (2, vec![]);
    while at + 4 <= jpeg.len() && jpeg[at] == 0xff {
        let kind = jpeg[at + 1];
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
        if kind == 0xda {
            break;
        }
        at += 2 + usize::from(u16::from_be_bytes([jpeg[at + 2], jpeg[at + 3]]));
    }
    kinds.sort_unstable();
    kinds
}

#[test]
fn a_picture_is_made_in_sizes_that_fit_ten_and_thirty_hours() {
    let picture = jpeg(&points(1_800, 1_200));
    for k in [1, 4] {
        let cascade = Cascade::new(k).unwrap();
        let of = |parts| document::fits(cascade, "holiday.jpg", parts);
        let looked =
            look("C:\\photos\\holiday.jpeg", &picture, Sizes { ten: of(10), thirty: of(30) }).unwrap();
        let parts: Vec<_> = looked
            .documents
            .iter()
            .map(|d| document::parts(cascade, document::stream_len(&d.name, d.content.len())))
            .collect();
        assert!(parts[0] <= 10 && parts[1] <= 30 && parts[2] > 30, "{parts:?}");
        assert!(parts[0] >= 7 && parts[1] >= 22, "and not much smaller: {parts:?}");
        assert_eq!(looked.documents[0].name, "holiday.jpg");
    }
    // One that is small enough is made once, and points are not taken away.
    let looked = look("a.png", &png(&points(40, 30)), SIZES).unwrap();
    assert_eq!(looked.documents.len(), 1);
    let read = image::load_from_memory(&looked.documents[0].content).unwrap();
    assert_eq!((read.width(), read.height()), (30, 40));
}

/// A PNG that says it has so many points, and whose data are as short as can be.
fn bomb(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    let header = [&width.to_be_bytes()[..], &height.to_be_bytes(), &[8, 2, 0, 0, 0]].concat();
    let row = vec![0; 1 << 20];
    let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    (0..64).for_each(|_| packed.write_all(&row).unwrap());
    for (kind, data) in [(b"IHDR", header), (b"IDAT", packed.finish().unwrap()), (b"IEND", vec![])] {
        let mut crc = flate2::Crc::new();
        crc.update(kind);
        crc.update(&data);
        bytes.extend((data.len() as u32).to_be_bytes());
        bytes.extend(kind);
        bytes.extend(&data);
        bytes.extend(crc.sum().to_be_bytes());
    }
    bytes
}

#[test]
fn bombs_are_refused_before_they_are_unpacked() {
    for (width, height) in [(19_000, 19_000), (100_000, 10), (u32::MAX >> 1, 1)] {
        let bomb = bomb(width, height);
        assert!(bomb.len() < 100_000);
        assert_eq!(look("a.png", &bomb, SIZES).err(), Some(NotTaken::Bomb), "{width} x {height}");
        assert_eq!(preview(&bomb).err(), Some(NotTaken::Bomb));
    }
    // A hundred files of a mebibyte of nothing in a small archive.
    let nothing = vec![0; 1 << 20];
    let files: Vec<_> = (0..100).map(|n| (format!("word/media/{n}.bin"), &nothing[..])).collect();
    let office = archive(files.iter().map(|(name, bytes)| (name.as_str(), *bytes)), b"<a/>", b"<a/>");
    assert!(office.len() < 200_000);
    assert_eq!(look("a.docx", &office, SIZES).err(), Some(NotTaken::Bomb));
    assert_eq!(look("a", &vec![b'x'; MAX_FILE + 1], SIZES).err(), Some(NotTaken::Huge));
}

#[test]
fn what_is_damaged_or_of_no_kind_says_so() {
    let picture = jpeg(&points(300, 200));
    for (bytes, why) in [
        (&picture[..200], NotTaken::Damaged),
        (&b"\xff\xd8\xff\xe0 not a picture"[..], NotTaken::Damaged),
        (b"\x89PNG\r\n\x1a\nnot a picture", NotTaken::Damaged),
        (b"RIFF\x00\x00\x00\x00WEBPnot a picture", NotTaken::Damaged),
        (b"PK\x03\x04 not an archive", NotTaken::Damaged),
        (b"MZ\x90\x00\x03 a program", NotTaken::Kind),
        (b"\xff\xfea\x00", NotTaken::Kind),
        (b"", NotTaken::Unfit(Unfit::Empty)),
    ] {
        assert_eq!(
            look("a", bytes, SIZES).err(),
            Some(why),
            "{:?}",
            String::from_utf8_lossy(&bytes[..bytes.len().min(20)])
        );
    }
    let long = vec![b'x'; MAX_CONTENT + 1];
    assert_eq!(look("a.txt", &long, SIZES).err(), Some(NotTaken::Unfit(Unfit::TooLong(long.len()))));
}

fn archive<'a>(
    files: impl Iterator<Item = (&'a str, &'a [u8])>,
    core: &'a [u8],
    document: &'a [u8],
) -> Vec<u8> {
    let own = [
        ("[Content_Types].xml", &b"<Types/>"[..]),
        ("docProps/core.xml", core),
        ("word/document.xml", document),
    ];
    zipped(own.into_iter().chain(files))
}

fn zipped<'a>(files: impl Iterator<Item = (&'a str, &'a [u8])>) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    for (name, bytes) in files {
        zip.start_file(name, options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// An archive of texts that is taken for what its first file says.
fn office<const N: usize>(files: [(&str, &str); N]) -> Looked {
    let types = ("[Content_Types].xml", &b"<Types/>"[..]);
    let files = files.iter().map(|(name, text)| (*name, text.as_bytes()));
    look("a", &zipped(core::iter::once(types).chain(files)), SIZES).unwrap()
}

fn pdf(text: &[u8]) -> Looked {
    look("a.pdf", &[b"%PDF-1.7\n", text].concat(), SIZES).unwrap()
}

/// A packed stream of a PDF.
fn stream(text: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    packed.write_all(text).unwrap();
    [b"2 0 obj << /Filter /FlateDecode >> stream\r\n", &packed.finish().unwrap()[..], b"\nendstream endobj\n"]
        .concat()
}

#[test]
fn an_office_file_goes_as_it_is_and_what_it_carries_is_told() {
    let core = b"<cp:coreProperties><dc:creator>Ana Example</dc:creator><cp:lastModifiedBy>Ben Other</cp:lastModifiedBy>\
        <dcterms:created xsi:type=\"dcterms:W3CDTF\">2026-11-03T10:00:00Z</dcterms:created></cp:coreProperties>";
    let picture = jpeg(&points(60, 40));
    let files = [
        ("word/comments.xml", &b"<w:comments/>"[..]),
        ("word/media/image1.jpg", &picture),
        ("word/vbaProject.bin", b"x"),
    ];
    let office = archive(files.into_iter(), core, b"<w:p><w:ins w:author=\"x\"/></w:p>");
    let looked = look("Minutes of 3/Minutes.docm", &office, SIZES).unwrap();
    assert!(!looked.cleaned);
    let [document] = &looked.documents[..] else { panic!("one") };
    assert_eq!((document.format, &*document.name), (Format::Docx, "Minutes.docx"));
    assert!(document.content == office, "as it is");
    assert_eq!(texts(&looked, What::Person), ["Ana Example", "Ben Other", "x"]);
    assert_eq!(texts(&looked, What::Place), ["48.2100 N, 16.3700 E"]);
    assert_eq!(texts(&looked, What::Date)[0], "2026-11-03T10:00:00Z");
    assert_eq!((texts(&looked, What::Comments).len(), texts(&looked, What::Macros).len()), (1, 1));
}

#[test]
fn of_a_pdf_the_usual_places_are_told_packed_or_not() {
    let mut pdf = b"%PDF-1.7\n1 0 obj << /Author (Ana \\(Example\\)) /Title <FEFF004D00FC> /CreationDate (D:20261103) >> endobj\n".to_vec();
    let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    packed.write_all(b"<< /Producer (Printer 3) /Creator (Writer 2) >>").unwrap();
    pdf.extend(b"2 0 obj << /Type /ObjStm /Filter /FlateDecode >> stream\n");
    pdf.extend(packed.finish().unwrap());
    pdf.extend(b"\nendstream endobj\n3 0 obj << /Filter /DCTDecode >> stream\n");
    pdf.extend(jpeg(&points(60, 40)));
    pdf.extend(b"\nendstream endobj\n%%EOF");
    let looked = look("a.pdf", &pdf, SIZES).unwrap();
    assert!(
        !looked.cleaned && looked.documents[0].content == pdf && looked.documents[0].format == Format::Pdf
    );
    assert!(texts(&looked, What::Person).contains(&"Ana (Example)"));
    assert_eq!(texts(&looked, What::Title), ["M\u{fc}"]);
    assert!(texts(&looked, What::Program).starts_with(&["Lantern OS 4", "Printer 3", "Writer 2"]));
    assert_eq!(texts(&looked, What::Place), ["48.2100 N, 16.3700 E"]);
    assert!(texts(&looked, What::Locked).is_empty());
    let locked = [&pdf[..], b"trailer << /Encrypt 5 0 R >>"].concat();
    assert_eq!(texts(&look("a.pdf", &locked, SIZES).unwrap(), What::Locked), [""]);
}

#[test]
fn properties_that_somebody_gave_an_office_file_are_told_under_their_names() {
    let looked = office([
        ("word/document.xml", ""),
        (
            "docProps/custom.xml",
            r#"<?xml version="1.0"?><Properties xmlns="http://a" xmlns:vt="http://b">
            <property fmtid="{D5}" pid="2" name="Client"><vt:lpwstr>Harbour &amp; Sons</vt:lpwstr></property>
            <property fmtid="{D5}" pid="3" name="Checked"><vt:filetime>2026-11-03T10:00:00Z</vt:filetime></property>
            <property fmtid="{D5}" pid="4" name="Empty"><vt:lpwstr></vt:lpwstr></property></Properties>"#,
        ),
        (
            "docProps/app.xml",
            "<Properties><Company>Tom &#38; Ana</Company><Template>Quay.dotm</Template></Properties>",
        ),
        (
            "docMetadata/LabelInfo.xml",
            r#"<clbl:labelList><clbl:label id="{7f}" enabled="1" siteId="{c0ffee}" removed="0"/></clbl:labelList>"#,
        ),
    ]);
    let properties = ["Checked: 2026-11-03T10:00:00Z", "Client: Harbour & Sons", "{7f}"];
    assert_eq!(texts(&looked, What::Property), properties);
    assert_eq!(texts(&looked, What::Company), ["Tom & Ana", "{c0ffee}"]);
    assert_eq!(texts(&looked, What::Path), ["Quay.dotm"]);
    let looked = office([
        ("mimetype", "application/vnd.oasis.opendocument.text"),
        (
            "meta.xml",
            r#"<office:meta><meta:user-defined meta:name="Case" meta:value-type="string">14/26</meta:user-defined>
            <meta:template xlink:href="../templates/ana.ott" xlink:title="x"/></office:meta>"#,
        ),
        (
            "content.xml",
            r#"<office:annotation office:name="1"><dc:creator>Ana</dc:creator><dc:date>2026-11-03</dc:date><text:p>no</text:p></office:annotation>"#,
        ),
        (
            "styles.xml",
            "<style:header><text:tracked-changes><office:change-info><dc:creator>Ben</dc:creator></office:change-info></text:tracked-changes></style:header>",
        ),
    ]);
    assert_eq!(looked.documents[0].format, Format::Odt);
    assert_eq!(texts(&looked, What::Property), ["Case: 14/26"]);
    assert_eq!(texts(&looked, What::Path), ["../templates/ana.ott"]);
    assert_eq!(texts(&looked, What::Person), ["Ana", "Ben"]);
    assert_eq!((texts(&looked, What::Date), texts(&looked, What::Comments)), (vec!["2026-11-03"], vec![""]));
}

#[test]
fn comments_and_who_wrote_them_are_found_wherever_an_office_file_has_them() {
    for (main, part, xml, person) in [
        ("ppt/presentation.xml", "ppt/comments/comment1.xml", "<p:cmLst/>", None),
        ("ppt/presentation.xml", "ppt/comments/modernComment_100_0.xml", "<p188:cmLst/>", None),
        ("xl/workbook.xml", "xl/threadedComments/threadedComment1.xml", "<ThreadedComments/>", None),
        (
            "xl/workbook.xml",
            "xl/comments1.xml",
            "<comments><authors><author>Ana</author></authors></comments>",
            Some("Ana"),
        ),
        (
            "xl/workbook.xml",
            "xl/revisions/userNames.xml",
            r#"<users><userInfo userName="Ana"/></users>"#,
            Some("Ana"),
        ),
        ("word/document.xml", "word/commentsExtended.xml", "<w15:commentsEx/>", None),
        (
            "word/document.xml",
            "word/comments.xml",
            r#"<w:comment w:id="0" w:author="Ana" w:initials="A"/>"#,
            Some("Ana"),
        ),
    ] {
        let looked = office([(main, ""), (part, xml)]);
        assert_eq!(texts(&looked, What::Comments), [""], "{part}");
        assert_eq!(texts(&looked, What::Person).first().copied(), person, "{part}");
    }
    for (main, part, xml, people) in [
        ("ppt/presentation.xml", "ppt/commentAuthors.xml", r#"<p:cmAuthor id="0" name="Ana"/>"#, vec!["Ana"]),
        (
            "ppt/presentation.xml",
            "ppt/authors.xml",
            r#"<p188:author name="Ana" userId="S::a@harbour.example"/>"#,
            vec!["Ana", "S::a@harbour.example"],
        ),
        (
            "xl/workbook.xml",
            "xl/persons/person.xml",
            r#"<person displayName="Ana" userId="a"/>"#,
            vec!["Ana", "a"],
        ),
        (
            "word/document.xml",
            "word/people.xml",
            r#"<w15:person w15:author="Ana"><w15:presenceInfo w15:userId="a"/></w15:person>"#,
            vec!["Ana", "a"],
        ),
    ] {
        assert_eq!(texts(&office([(main, ""), (part, xml)]), What::Person), people, "{part}");
    }
}

#[test]
fn folders_templates_and_files_inside_are_found_in_an_office_file() {
    let looked = office([
        (
            "xl/workbook.xml",
            r#"<workbook><fileSharing userName="Ben"/><x15ac:absPath url="C:\Users\ana\Documents\"/></workbook>"#,
        ),
        (
            "xl/externalLinks/_rels/externalLink1.xml.rels",
            r#"<Relationships><Relationship Target="file:///D:\cases\14.xlsx" TargetMode="External"/>
            <Relationship Target="https://harbour.example/" TargetMode="External"/><Relationship Target="../a.xml"/></Relationships>"#,
        ),
        ("xl/embeddings/Sheet1.xlsx", "PK"),
        ("xl/pivotCache/pivotCacheDefinition1.xml", r#"<pivotCacheDefinition refreshedBy="Ana"/>"#),
    ]);
    assert_eq!(texts(&looked, What::Path), ["C:\\Users\\ana\\Documents\\", "file:///D:\\cases\\14.xlsx"]);
    assert_eq!(texts(&looked, What::Person), ["Ana", "Ben"]);
    assert_eq!(texts(&looked, What::File), ["sheet1.xlsx"]);
    let looked = office([
        ("word/document.xml", ""),
        (
            "word/_rels/settings.xml.rels",
            r#"<Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/attachedTemplate" Target="Templates/ana.dotm"/>"#,
        ),
    ]);
    assert_eq!(texts(&looked, What::Path), ["Templates/ana.dotm"]);
}

#[test]
fn changes_are_found_in_headers_notes_and_comments_too() {
    for part in ["document", "header1", "footer2", "footnotes", "endnotes", "glossary/document"] {
        for (change, is_one) in [
            ("w:ins", true),
            ("w:del", true),
            ("w:moveFrom", true),
            ("w:rPrChange", true),
            ("w:instrText", false),
        ] {
            let xml = format!(
                "<w:p><w:r><{change} w:id=\"1\" w:date=\"2026-11-03\" w:author=\"Ana\"/></w:r></w:p>"
            );
            let part = format!("word/{part}.xml");
            let main = [("word/document.xml", "")].into_iter().filter(|(name, _)| *name != part);
            let files = [("[Content_Types].xml", ""), (&part, &xml)].into_iter().chain(main);
            let zip = zipped(files.map(|(name, text)| (name, text.as_bytes())));
            let looked = look("a.docx", &zip, SIZES).unwrap();
            assert_eq!(texts(&looked, What::Comments).len(), usize::from(is_one), "{part} {change}");
            assert_eq!(texts(&looked, What::Person), ["Ana"], "{part} {change}");
            assert_eq!(texts(&looked, What::Date), ["2026-11-03"], "{part} {change}");
        }
    }
}

#[test]
fn xmp_of_a_pdf_is_told_whether_it_is_written_as_attributes_or_as_elements() {
    let xmp = br#"<?xpacket begin="" id="W5"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="a">
        <rdf:Description rdf:about="" xmlns:pdf="b" pdf:Producer="Printer 3" xmp:CreatorTool="Writer &amp; Co" xmp:CreateDate='2026-11-03'>
        <dc:creator><rdf:Seq><rdf:li>Ana</rdf:li><rdf:li>Ben</rdf:li></rdf:Seq></dc:creator>
        <dc:title><rdf:Alt><rdf:li xml:lang="x-default">The quay</rdf:li></rdf:Alt></dc:title><xmp:ModifyDate>2026-11-04</xmp:ModifyDate>
        <pdfx:Company>Harbour</pdfx:Company></rdf:Description></rdf:RDF></x:xmpmeta>"#;
    let plain = [b"1 0 obj << /Type /Metadata >> stream\n", &xmp[..], b"\nendstream endobj"].concat();
    for looked in [pdf(&plain), pdf(&stream(xmp)), pdf(xmp)] {
        assert_eq!(texts(&looked, What::Program), ["Printer 3", "Writer & Co"]);
        assert_eq!(texts(&looked, What::Date), ["2026-11-03", "2026-11-04"]);
        assert_eq!(texts(&looked, What::Person), ["Ana", "Ben"]);
        assert_eq!(texts(&looked, What::Title), ["The quay"]);
        assert_eq!(texts(&looked, What::Company), ["Harbour"]);
    }
}

#[test]
fn files_inside_a_pdf_its_programs_and_all_who_marked_it_are_told_packed_or_not() {
    let objects = br"5 0 obj << /Type /Filespec /F (plan.xls) /UF (plan.xlsx) /EF << /F 6 0 R >> >> endobj
        7 0 obj << /Type /Annot /Subtype /Highlight /T (Ana) /Contents (why?) /Popup 9 0 R >> endobj
        8 0 obj <</T(B\345n \(two\))/Subtype/Text/AP<</N 3 0 R>>>> endobj
        9 0 obj << /Subtype /Widget /FT /Tx /T (field) >> endobj << /T (not of a mark) /F (nor of a file) >>
        10 0 obj << /S /JavaScript /JS 11 0 R >> endobj";
    for looked in [pdf(objects), pdf(&stream(objects))] {
        assert_eq!(texts(&looked, What::File), ["plan.xlsx"]);
        assert_eq!(texts(&looked, What::Person), ["Ana", "B\u{fffd}n (two)"]);
        assert_eq!(
            (texts(&looked, What::Comments), texts(&looked, What::Macros)),
            (vec![""], vec!["JavaScript"])
        );
    }
    let looked = pdf(b"<< /S /J#61vaScript >> << /Type /EmbeddedFile /Length 3 >> stream\nabc\nendstream");
    assert_eq!((texts(&looked, What::Macros), texts(&looked, What::File)), (vec!["JavaScript"], vec![""]));
    // Brackets that do not match hide nothing behind them, nor does a stream that does not end.
    let looked =
        pdf(&[b"<< /Title (the (quay) /Author (Ana) >> stream\n(lost ", &stream(b"<< /Producer (P) >>")[..]]
            .concat());
    assert_eq!((texts(&looked, What::Person), texts(&looked, What::Program)), (vec!["Ana"], vec!["P"]));
}

#[test]
fn many_of_one_kind_leave_room_for_the_others_and_are_counted() {
    let authors =
        |n| (0..n).map(|n| format!("<< /Author (Ana {n:04}) /Author (Ana 0001) >>")).collect::<String>();
    for (many, shown, more) in [
        (10, 10, None),
        (11, 10, Some(More { what: What::Person, count: 1, at_least: false })),
        (1_000, 10, Some(More { what: What::Person, count: 990, at_least: false })),
        (1_001, 10, Some(More { what: What::Person, count: 990, at_least: true })),
    ] {
        let looked = pdf(format!("{} << /Company (Harbour) /Encrypt >>", authors(many)).as_bytes());
        assert_eq!(texts(&looked, What::Person).len(), shown);
        assert_eq!((looked.more.first().copied(), looked.more.len()), (more, usize::from(more.is_some())));
        assert_eq!(
            (texts(&looked, What::Company), texts(&looked, What::Locked)),
            (vec!["Harbour"], vec![""])
        );
        assert!(looked.found.is_sorted());
    }
}

/// How many bytes are walked to look at a file.
fn walked(bytes: &[u8]) -> usize {
    let mut search = Search::default();
    find(bytes, &mut search).unwrap();
    assert!(search.kept() <= 2_000);
    search.walked()
}

#[test]
fn a_file_that_was_made_to_hold_up_who_looks_at_it_does_not() {
    let filled = |unit: &[u8]| {
        let mut bytes = b"%PDF-1.7 ".to_vec();
        while bytes.len() + unit.len() <= MAX_CONTENT {
            bytes.extend(unit);
        }
        bytes
    };
    // Streams each of which would unpack to the end of the file, through blocks of nothing and past the next one's beginning.
    let begin = b"stream\nx\x9c";
    let nothing = b"\x00\x00\x00\xff\xff".repeat(100);
    let within = [&begin[..], &nothing, b"\x00\x09\x00\xf6\xff"].concat();
    for unit in [
        &within[..],
        begin,
        b"stream\nx",
        b"stream\n<<",
        b"endstream",
        b"/Author<",
        b"/Author<41 ",
        b"/Author(",
        b"/T(",
        b"/T\\(",
        b"/T(\\",
        b"/Author        ",
        b"/#",
        b"<<",
        b">>",
        b"<</Subtype/Text/T(a)",
        b"<rdf:RDF",
        b"<rdf:RDF><a>",
        b"<rdf:RDF a='",
    ] {
        let bytes = filled(unit);
        let walked = walked(&bytes);
        assert!(
            walked < 8 * bytes.len(),
            "{:?}: {walked}",
            String::from_utf8_lossy(&unit[..unit.len().min(20)])
        );
        assert!(walked >= bytes.len());
    }
    // Titles without number, all of them different.
    let titles: String = (0..200_000).map(|n| format!("<title>{n:x}</title>")).collect();
    let deep = "<title>".repeat(100_000);
    let many = format!("<title {}/>", "a='1' ".repeat(100_000));
    for xml in [titles, deep, many] {
        for (core, document) in [(&*xml, "<a/>"), ("<a/>", &*xml)] {
            let zip = archive(core::iter::empty(), core.as_bytes(), document.as_bytes());
            assert!(walked(&zip) < 3 * xml.len());
        }
    }
}

#[test]
fn what_is_too_long_to_be_sent_is_refused_before_it_is_looked_at() {
    let long = |start: &[u8]| [start, &vec![b' '; MAX_CONTENT + 1]].concat();
    for start in [&b"%PDF-1.7 << /Author (Ana) >>"[..], b"PK\x03\x04", b"text"] {
        let (bytes, mut search) = (long(start), Search::default());
        assert_eq!(find(&bytes, &mut search), Err(NotTaken::Unfit(Unfit::TooLong(bytes.len()))));
        assert_eq!(search.walked(), 0);
        assert_eq!(look("a", &bytes, SIZES).err(), Some(NotTaken::Unfit(Unfit::TooLong(bytes.len()))));
    }
    assert_eq!(
        look("a", &long(b"MZ\x00"), SIZES).err(),
        Some(NotTaken::Kind),
        "no shorter one could be sent"
    );
}

#[test]
fn files_of_an_archive_that_share_their_bytes_are_refused() {
    let mut noise = vec![0; 200_000];
    StdRng::seed_from_u64(2).fill_bytes(&mut noise);
    let names: Vec<_> = (0..40).map(|n| format!("word/media/{n:02}.bin")).collect();
    let one = |n: usize| if n == 0 { &noise[..] } else { b"" };
    let files = names.iter().enumerate().map(|(n, name)| (&**name, one(n)));
    let mut zip = archive(files, b"<a/>", b"<a/>");
    assert!(look("a.docx", &zip, SIZES).is_ok());
    // In the list at the end: sizes, sum and place of the first for all.
    let entries: Vec<_> =
        zip.windows(4).enumerate().filter(|(_, at)| *at == b"PK\x01\x02").map(|(at, _)| at).collect();
    let (first, others) = entries[3..].split_first().unwrap();
    for other in others {
        for field in [16..28, 42..46] {
            zip.copy_within(first + field.start..first + field.end, other + field.start);
        }
    }
    assert_eq!(look("a.docx", &zip, SIZES).err(), Some(NotTaken::Bomb));
}

#[test]
fn a_text_goes_as_it_is() {
    let looked = look("notes.md", "Größe\r\n\tund Zahl\n".as_bytes(), SIZES).unwrap();
    assert!(looked.found.is_empty() && looked.documents[0].name == "notes.txt");
    assert_eq!(looked.documents[0].content, "Größe\r\n\tund Zahl\n".as_bytes());
}

#[test]
fn what_is_transparent_becomes_white_and_a_preview_is_a_picture_of_our_own() {
    let clear = DynamicImage::from(image::RgbaImage::from_pixel(20, 20, image::Rgba([0, 0, 0, 0])));
    let mut bytes = Cursor::new(Vec::new());
    clear.write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    let looked = look("a.png", bytes.get_ref(), SIZES).unwrap();
    let read = image::load_from_memory(&looked.documents[0].content).unwrap().into_rgb8();
    assert!(read.pixels().all(|p| p.0.iter().all(|&v| v > 250)));
    let shown = preview(&jpeg(&points(3_000, 2_000))).unwrap();
    assert!(!has(&shown, b"Exif") && segments(&shown) == [0xc0, 0xc4, 0xda, 0xdb, 0xe0]);
    let shown = image::load_from_memory(&shown).unwrap();
    assert!(shown.width().max(shown.height()) == 1_600);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_bytes_are_taken_or_refused_and_never_panic(
        start in prop_oneof![
            Just(&b""[..]), Just(&b"\xff\xd8\xff"[..]), Just(&b"\x89PNG\r\n\x1a\n"[..]), Just(&b"RIFF0000WEBP"[..]), Just(&b"%PDF-1.4 stream\nx"[..]),
            Just(&b"PK\x03\x04"[..]), Just(&b"%PDF-/Author ("[..]), Just(&b"%PDF-/Title <FEFF0"[..]),
        ],
        rest in proptest::collection::vec(any::<u8>(), 0..400),
    ) {
        let bytes = [start, &rest].concat();
        let _ = look("a", &bytes, SIZES);
        let _ = preview(&bytes);
    }

    #[test]
    fn any_name_becomes_one_that_can_travel(name in "\\PC{0,200}|[./\\\\:a]{0,20}") {
        for format in [Format::Text, Format::Docx] {
            prop_assert!(is_name(&named(&name, format)), "{}", named(&name, format));
        }
    }
}

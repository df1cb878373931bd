//! The elements of an SVG, one by one. What they show is decided elsewhere; every text and attribute
//! is escaped by the writer.

use std::io;

use quick_xml::Writer;
use quick_xml::events::{BytesEnd, BytesStart, BytesText, Event};

/// A picture that grows element by element.
pub(super) struct Canvas {
    writer: Writer<Vec<u8>>,
}

impl Default for Canvas {
    fn default() -> Self {
        Self {
            writer: Writer::new_with_indent(Vec::new(), b' ', 1),
        }
    }
}

/// How many characters of a usual font fit on a line.
const FITS: usize = 125;

/// A rectangle.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rect {
    pub(super) x: i64,
    pub(super) y: i64,
    pub(super) width: i64,
    pub(super) height: i64,
}

type Attributes<'a> = &'a [(&'a str, &'a str)];

impl Canvas {
    /// Writes the picture's frame around what `inside` draws, with its name and what it shows.
    pub(super) fn svg(
        &mut self,
        (width, height): (i64, i64),
        (title, description): (&str, &str),
        inside: impl FnOnce(&mut Self),
    ) {
        let (width, height) = (width.to_string(), height.to_string());
        let view = format!("0 0 {width} {height}");
        let attributes = [
            ("xmlns", "http://www.w3.org/2000/svg"),
            ("width", width.as_str()),
            ("height", height.as_str()),
            ("viewBox", view.as_str()),
            ("role", "img"),
            ("aria-labelledby", "title description"),
        ];
        self.around("svg", &attributes, |canvas| {
            canvas.words("title", &[("id", "title")], title);
            canvas.words("desc", &[("id", "description")], description);
            inside(canvas);
        });
    }

    /// Writes the style sheet.
    pub(super) fn style(&mut self, style: &str) {
        self.words("style", &[], style);
    }

    /// Writes a text that begins at a point.
    pub(super) fn text(&mut self, (x, y): (i64, i64), class: &str, text: &str) {
        let (x, y) = (x.to_string(), y.to_string());
        self.words("text", &[("x", &x), ("y", &y), ("class", class)], text);
    }

    /// Writes a text over as many lines as it takes. Returns the height of the last one.
    pub(super) fn lines(&mut self, (x, y): (i64, i64), class: &str, text: &str) -> i64 {
        let rows = crate::render::text::rows(text, FITS);
        let mut at = y;
        for (n, row) in rows.iter().enumerate() {
            if n > 0 {
                at += super::LINE;
            }
            self.text((x, at), class, row);
        }
        at
    }

    /// Writes a text that ends at a point, or has it in its middle.
    pub(super) fn anchored(
        &mut self,
        (x, y): (i64, i64),
        anchor: &str,
        (class, text): (&str, &str),
    ) {
        let (x, y) = (x.to_string(), y.to_string());
        let attributes = [
            ("x", x.as_str()),
            ("y", y.as_str()),
            ("text-anchor", anchor),
            ("class", class),
        ];
        self.words("text", &attributes, text);
    }

    /// Draws a rectangle, which says what it is where `about` does.
    pub(super) fn rect(&mut self, rect: Rect, class: &str, about: Option<&str>) {
        let Rect {
            x,
            y,
            width,
            height,
        } = rect;
        let numbers = [x, y, width, height].map(|number| number.to_string());
        let [x, y, width, height] = numbers.each_ref().map(String::as_str);
        let attributes = [
            ("x", x),
            ("y", y),
            ("width", width),
            ("height", height),
            ("class", class),
        ];
        match about {
            Some(about) => self.around("rect", &attributes, |canvas| {
                canvas.words("title", &[], about);
            }),
            None => self.empty("rect", &attributes),
        }
    }

    /// Draws a path.
    pub(super) fn path(&mut self, class: &str, path: &str) {
        self.empty("path", &[("d", path), ("class", class)]);
    }

    /// Writes an element without anything in it.
    pub(super) fn empty(&mut self, name: &str, attributes: Attributes<'_>) {
        let start = BytesStart::new(name).with_attributes(attributes.iter().copied());
        self.write(Event::Empty(start));
    }

    /// Writes an element around what `inside` draws.
    pub(super) fn around(
        &mut self,
        name: &str,
        attributes: Attributes<'_>,
        inside: impl FnOnce(&mut Self),
    ) {
        let start = BytesStart::new(name).with_attributes(attributes.iter().copied());
        self.write(Event::Start(start));
        inside(self);
        self.write(Event::End(BytesEnd::new(name)));
    }

    fn words(&mut self, name: &str, attributes: Attributes<'_>, text: &str) {
        let start = BytesStart::new(name).with_attributes(attributes.iter().copied());
        self.write(Event::Start(start));
        self.write(Event::Text(BytesText::new(text)));
        self.write(Event::End(BytesEnd::new(name)));
    }

    /// Adds what another canvas has.
    pub(super) fn append(&mut self, other: &Self) {
        let bytes = self.writer.get_mut();
        bytes.push(b'\n');
        bytes.extend_from_slice(other.writer.get_ref());
    }

    /// Returns the picture's text, with a line break at the end.
    pub(super) fn finish(self) -> String {
        let mut text = String::from_utf8_lossy(&self.writer.into_inner()).into_owned();
        text.push('\n');
        text
    }

    /// Memory takes whatever is written to it.
    fn write(&mut self, event: Event<'_>) {
        let written: io::Result<()> = self.writer.write_event(event);
        debug_assert!(written.is_ok(), "memory takes all");
    }
}

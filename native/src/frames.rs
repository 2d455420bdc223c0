//! One clean frame of a body, in parts; `logdrain/drain/bulk.py` says what clean means.

use memchr::memmem;

const COUNT_DIGITS_MAX: usize = 8;
const SPACES_IN_SENDER: usize = 3;

/// A frame whose count ends at its newline.
pub struct CleanFrame<'a> {
    /// Where the next frame begins.
    pub end: usize,
    pub message: &'a [u8],
}

/// The frame that begins here; None where that takes a second look.
pub fn frame_at(body: &[u8], at: usize) -> Option<CleanFrame<'_>> {
    let head = &body[at..body.len().min(at + COUNT_DIGITS_MAX + 1)];
    let space = memchr::memchr(b' ', head)?;
    if space == 0 || !head[..space].iter().all(u8::is_ascii_digit) {
        return None;
    }
    let size = head[..space].iter().fold(0_usize, |size, digit| size * 10 + usize::from(digit - b'0'));
    let start = at + space + 1;
    let end = start + size;
    let is_whole = size > 0 && end <= body.len() && body[end - 1] == b'\n' && body.get(end) != Some(&b'\n');
    is_whole.then(|| CleanFrame { end, message: &body[start..end - 1] })
}

/// `<PRI>1 TIME HOST APP PROCID MSGID @[tag] {…}`.
pub struct TaggedLine<'a> {
    pub time: &'a [u8],
    /// `HOST APP PROCID MSGID`.
    pub sender: &'a [u8],
    pub tag: &'a [u8],
    pub text: &'a [u8],
    /// The payload: `@[tag] {…}`.
    pub raw: &'a [u8],
}

/// A message in parts; None where it has no tag, or takes a second look.
pub fn tagged_line(message: &[u8]) -> Option<TaggedLine<'_>> {
    let mark = memmem::find(message, b" @[")?;
    let (time, sender) = header(&message[..mark])?;
    let raw = &message[mark + 1..];
    let close = memmem::find(raw, b"] ")?;
    Some(TaggedLine { time, sender, tag: &raw[2..close], text: &raw[close + 2..], raw })
}

/// Time and sender of a plain line, and its text.
pub fn plain_line(message: &[u8]) -> Option<(&[u8], &[u8])> {
    let (_, rest) = header(message)?;
    let spaces = memchr::memchr_iter(b' ', rest);
    let end = spaces.take(SPACES_IN_SENDER + 1).nth(SPACES_IN_SENDER)?;
    Some((&rest[..end], &rest[end + 1..]))
}

/// The time, and what stands behind it, where the priority and the time look as they should.
fn header(head: &[u8]) -> Option<(&[u8], &[u8])> {
    let after_priority = memchr::memchr(b' ', head)?;
    if !is_priority(&head[..after_priority]) {
        return None;
    }
    let rest = &head[after_priority + 1..];
    let after_time = memchr::memchr(b' ', rest)?;
    let time = &rest[..after_time];
    let is_time = !time.is_empty() && time.iter().all(|octet| b"0123456789-:.TZ+".contains(octet));
    is_time.then(|| (time, &rest[after_time + 1..]))
}

/// `<13>1`
fn is_priority(text: &[u8]) -> bool {
    let Some((priority, version)) = text
        .strip_prefix(b"<")
        .and_then(|rest| memchr::memchr(b'>', rest).map(|end| (&rest[..end], &rest[end + 1..])))
    else {
        return false;
    };
    is_number(priority) && is_number(version)
}

fn is_number(text: &[u8]) -> bool {
    (1..=3).contains(&text.len()) && text.iter().all(u8::is_ascii_digit)
}

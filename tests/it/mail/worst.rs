//! Mails that are as hard to read as their length allows; also read by `benches/parse.rs`.

/// One of them.
pub struct Worst {
    /// What is hard about it.
    pub name: &'static str,
    /// How it begins.
    head: &'static str,
    /// What it repeats, `#` being a number.
    piece: &'static str,
}

impl Worst {
    /// It, of about that many bytes.
    pub fn mail(&self, size: usize) -> Vec<u8> {
        let mut mail = self.head.to_owned();
        let mut number = 0_usize;
        while mail.len() < size {
            mail.push_str(&self.piece.replace('#', &number.to_string()));
            number += 1;
        }
        mail.into_bytes()
    }
}

const fn worst(name: &'static str, head: &'static str, piece: &'static str) -> Worst {
    Worst { name, head, piece }
}

const HTML: &str = "From: a@b.test\r\nContent-Type: text/html\r\n\r\n";
const TEXT: &str = "From: a@b.test\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n";
const PARTS: &str = "Content-Type: multipart/mixed; boundary=b\r\n\r\n";

/// All of them.
pub const ALL: &[Worst] = &[
    worst("lines", TEXT, "a\n"),
    worst("blank lines", TEXT, "\r\n"),
    worst("spaces", TEXT, " "),
    worst("parts", PARTS, "--b\r\n\r\n"),
    worst("parts with boundaries that never come", PARTS, "--b\r\nContent-Type: multipart/mixed; boundary=n#\r\n\r\n"),
    worst("parts in parts", "", "Content-Type: multipart/mixed; boundary=n#\r\n\r\n--n#\r\n"),
    worst("alternatives", PARTS, "--b\r\nContent-Type: multipart/alternative; boundary=n#\r\n\r\n--n#\r\n\r\na\r\n--n#--\r\n"),
    worst("letters in letters", "", "Content-Type: message/rfc822\r\n\r\n"),
    worst("header fields", "", "X-#: y\r\n"),
    worst("lines among header fields that are none", "", "no field\r\nX-#: y\r\n"),
    worst("folded lines", "Subject: x\r\n", " x\r\n"),
    worst("a long field", "Subject: ", "x"),
    worst("encoded words", "", "Cc: =?utf-8?q?a?= =?utf-8?b?YQ==?= =?a?q?=?b?q?\r\n"),
    worst("encoded words without end", "", "Subject: =?a?q?=?a?q?=?a?q?=?a?q?=?a?q?\r\n"),
    worst("addresses", "", "To: a#@b.test, \"b\" <c#@d.test>, (((e: f,;\r\n"),
    worst("one field of addresses", "From: ", "a#@b.test,"),
    worst("message ids", "", "References: <a#@b.test> <<< <c#\r\n"),
    worst("parameters", PARTS, "--b\r\nContent-Type: text/x; a*0=x; a*1*=utf-8''%41; a*#=y; b*0=x; b*1=y\r\n\r\n"),
    worst("names", PARTS, "--b\r\nContent-Disposition: attachment; filename=\"=?utf-8?q?a?= =?a?q?=?\"\r\n\r\n"),
    worst("base64", "Content-Transfer-Encoding: base64\r\n\r\n", "="),
    worst("quoted-printable", "Content-Transfer-Encoding: quoted-printable\r\n\r\n", "= \n"),
    worst("flowed", "Content-Type: text/plain; format=flowed; delsp=yes\r\n\r\n", ">> a \r\n"),
    worst("shifts", "Content-Type: text/plain; charset=iso-2022-jp\r\n\r\n", "\u{1b}$B\u{1b}(B"),
    worst("UTF-7", "Content-Type: text/plain; charset=utf-7\r\n\r\n", "+A+"),
    worst("quotes", TEXT, "> > >\n"),
    worst("marks of quotes", TEXT, ">"),
    worst("lines above quotes", TEXT, "On 1.1.2025 a@b.test wrote\nAm 1.1.2025 schrieb:\n"),
    worst("headings", TEXT, "From: a\nTo: b\n\n"),
    worst("rules", TEXT, "________\n--------\n"),
    worst("signatures", TEXT, "-- \nSent from my \n"),
    worst(
        "reports",
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: a\r\n\r\n",
        "Final-Recipient: rfc822; a@b.test\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n",
    ),
    worst("elements in elements", HTML, "<div>"),
    worst("formatting in formatting", HTML, "<b title=#><p>"),
    worst("formatting that is closed wrongly", HTML, "<b title=#><i title=#></b>x"),
    worst("links in links", HTML, "<a href=https://x/#>x"),
    worst("tables in tables", HTML, "<table><tr><td>"),
    worst("text in tables", HTML, "<table>x<b>y"),
    worst("cells", HTML, "<table><td>x</table>"),
    worst("attributes", HTML, "<p a# b='"),
    worst("attributes of one element", "Content-Type: text/html\r\n\r\n<p ", "a# title=# "),
    worst("quotes in HTML", HTML, "<blockquote>x<br>"),
    worst("comments", HTML, "<!--"),
    worst("tags that never end", HTML, "<a href=\""),
    worst("less-than signs", HTML, "<"),
    worst("ends", HTML, "</p></b></x>"),
    worst("drawings", HTML, "<svg><title>"),
    worst("ends of what goes", "Content-Type: text/html\r\n\r\n<script>", "</scrip"),
    worst("entities", HTML, "&amp&#x&"),
    worst("list items", HTML, "<li><ul><li>"),
    worst("line breaks in HTML", HTML, "<br><pre>\n</pre>"),
    worst("words in HTML", HTML, "<p>Some words of a text.</p>\r\n"),
];

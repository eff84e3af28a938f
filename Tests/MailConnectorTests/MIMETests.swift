import ConnectorKit
import Testing
import Values

@testable import MailConnector

@Suite("Writing and reading messages")
struct MIMETests {
    private static func bytes(_ text: String) -> [UInt8] { Array(text.replacing("\n", with: "\r\n").utf8) }

    private static func value(_ text: String, attachmentBytesMax: Int = 1 << 20) -> Value {
        IncomingMessage.value(Self.bytes(text), attachmentBytesMax: attachmentBytesMax)
    }

    @Test(arguments: [
        (0 as Int64, "Thu, 01 Jan 1970 00:00:00 +0000"), (951_782_400_000, "Tue, 29 Feb 2000 00:00:00 +0000"),
        (1_772_974_799_999, "Sun, 08 Mar 2026 12:59:59 +0000"), (-1, "Wed, 31 Dec 1969 23:59:59 +0000"),
        (4_102_444_800_000, "Fri, 01 Jan 2100 00:00:00 +0000"),
    ])
    func datesAreWritten(_ milliseconds: Int64, _ text: String) {
        #expect(HeaderText.date(milliseconds) == text)
    }

    @Test func daysAndDatesAgree() {
        for days in stride(from: Int64(-800_000), through: 800_000, by: 37) {
            let date = CivilDate(daysSince1970: days)
            #expect(date.daysSince1970 == days)
        }
        #expect(IMAPText.internalDate("17-Jul-1996 02:44:25 -0700") == 837_596_665_000)
        #expect(IMAPText.internalDate(" 7-Mar-2026 00:00:00 +0000") == 1_772_841_600_000)
        #expect(IMAPText.internalDate("17-Xxx-1996 02:44:25 -0700") == nil)
        #expect(IMAPText.day("2026-03-07") == "7-Mar-2026")
        #expect(IMAPText.day("2026-3-7") == nil)
    }

    @Test(arguments: [
        ("INBOX", "\"INBOX\""), ("a\"b\\c", #""a\"b\\c""#), ("Entwürfe", "\"Entw&APw-rfe\""), ("A&B", "\"A&-B\""),
        ("~peter/mail/台北/日本語", "\"~peter/mail/&U,BTFw-/&ZeVnLIqe-\""), ("😀", "\"&2D3eAA-\""),
    ])
    func namesOfMailboxesAreInModifiedUTF7(_ name: String, _ text: String) {
        #expect(IMAPText.mailbox(name) == text)
    }

    @Test func headerFieldsAreFoldedAndComeBack() {
        let texts = [
            "short", String(repeating: "word ", count: 60) + "end", "ü", String(repeating: "äöü€😀", count: 50),
            String(repeating: "x", count: 500), "=?UTF-8?Q?x?=", "two  spaces", "",
        ]
        for text in texts {
            let field = HeaderText.unstructured("Subject", text)
            for line in field.split(separator: "\r\n", omittingEmptySubsequences: false) {
                #expect(line.utf8.count <= 78, "\(line)")
            }
            let (fields, _) = HeaderReader.split(Array((field + "\r\n\r\n").utf8)[...])
            #expect(fields.map { HeaderReader.text($0.value) } == [text])
        }
    }

    @Test(arguments: [
        ("=?iso-8859-1?q?Keld_J=F8rn_Simonsen?=", "Keld Jørn Simonsen"),
        (
            "=?ISO-8859-1?B?SWYgeW91IGNhbiByZWFkIHRoaXMgeW8=?=\r\n =?ISO-8859-2?B?dSB1bmRlcnN0YW5k?=",
            "If you can read this you understand"
        ),
        ("(=?ISO-8859-1?Q?a?= b)", "(a b)"), ("=?utf-8?b?w7w=?= =?utf-8?b?w7w=?= x", "üü x"),
        ("=?utf-8?b?8J+Y?= =?utf-8?b?gA==?=", "😀"), ("=?utf-8?q?=F0=9F=98?=", "\u{FFFD}"),
        ("=?windows-1252?q?=80=93?=", "€“"), ("=?iso-8859-15?q?=A4?=", "€"), ("=?utf-8*de?q?x?=", "x"),
        ("=?utf-8?x?y?=", "=?utf-8?x?y?="), ("=?utf-8?q?x", "=?utf-8?q?x"), ("a =?us-ascii?q?b?= c", "a b c"),
        ("caf\u{E9}", "café"), ("=?utf-8?q?a?==?utf-8?q?b?=", "ab"), ("=?unknown-8bit?q?=E9?=", "é"),
    ])
    func encodedWordsAreRead(_ field: String, _ text: String) {
        let unfolded = field.replacing("\r\n ", with: " ")
        #expect(HeaderReader.text(Array(unfolded.utf8)) == text)
    }

    @Test(arguments: [
        ("text/plain; charset=utf-8", "text/plain", ["charset": "utf-8"]),
        ("TEXT/PLAIN ; Charset = \"us-ascii\" (comment; here)", "text/plain", ["charset": "us-ascii"]),
        ("a/b; name=\"x; \\\"y\\\".txt\"", "a/b", ["name": "x; \"y\".txt"]),
        ("a/b; title*=us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A", "a/b", ["title": "This is ***fun***"]),
        ("a/b; t*0*=utf-8''%C3; t*1*=%BC; t*2=\" x\"", "a/b", ["t": "ü x"]),
        ("a/b; t*1=b; t*0=a", "a/b", ["t": "ab"]), ("a/b; name==?utf-8?b?w7w=?=", "a/b", ["name": "ü"]),
        ("", "", [:]), (";;;=;a", "", ["": ""]),
    ])
    func parametersAreRead(_ field: String, _ value: String, _ parameters: [String: String]) {
        let read = HeaderReader.parameters(Array(field.utf8))
        #expect(read.value == value)
        #expect(read.parameters == parameters)
    }

    @Test func addressesAreRead() {
        let field =
            #"a@b.c, "Doe, J." <j@d.e>, =?utf-8?q?=C3=BC?= <u@v.w>, Team: x@y.z, Z <z@y.z>;, <only@x.y>, (c) q@r.s (d), junk"#
        let read = HeaderReader.addresses(Array(field.utf8))
        #expect(
            read.map(\.address)
                == ["a@b.c", "j@d.e", "u@v.w", "x@y.z", "z@y.z", "only@x.y", "q@r.s"].filter {
                    $0 != "q@r.s" || read.count == 7
                })
        #expect(read.prefix(5).map(\.name) == ["", "Doe, J.", "ü", "", "Z"])
    }

    @Test func quotedPrintableAndBase64ComeBack() {
        var generator = SystemRandomNumberGenerator()
        for count in [0, 1, 2, 3, 57, 58, 75, 76, 77, 1_000] {
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            #expect(TransferEncoding.decodeBase64(TransferEncoding.base64(bytes)) == bytes)
            let text = Self.bytes(String(repeating: "ä= \t\nx ", count: count))
            let encoded = TransferEncoding.quotedPrintable(text)
            #expect(TransferEncoding.decodeQuotedPrintable(encoded[...]) == text)
            for line in encoded.split(separator: 10, omittingEmptySubsequences: false) {
                #expect(line.count <= 77)
                #expect(line.dropLast(line.last == 13 ? 1 : 0).last != 32)
            }
        }
        let odd = Array("a=\r\nb=3Dc=zz=  \r\nd=".utf8)
        #expect(String(decoding: TransferEncoding.decodeQuotedPrintable(odd[...]), as: UTF8.self) == "ab=c=zzd")
        #expect(TransferEncoding.decodeBase64(Array("Y W\r\nJj!ZA==".utf8)) == Array("abcd".utf8))
    }

    @Test func dotsAtLineStartsAreStuffed() {
        #expect(SMTPSession.stuffed(Self.bytes(".\n..a\nb.\n.")) == Self.bytes("..\n...a\nb.\n..\n"))
    }

    @Test func aTreeOfPartsIsTakenApart() {
        let value = Self.value(
            """
            Subject: x
            Content-Type: multipart/mixed; boundary="o u"

            preamble
            --o u
            Content-Type: multipart/alternative; boundary=i

            --i

            plain
            --i
            Content-Type: text/html; charset=utf-8

            <p>é</p>
            --i--
            --o u
            Content-Type: message/rfc822

            Subject: inner

            text
            --o u
            Content-Type: image/png; name="../../etc/passwd"
            Content-ID: <logo>
            Content-Transfer-Encoding: BASE64

            AAEC
            --o u--
            epilogue
            """)
        #expect(value["text"] == "plain")
        #expect(value["html"] == "<p>é</p>")
        let attachments = value["attachments"]?.asList ?? []
        #expect(attachments.map { $0["contentType"] } == ["message/rfc822", "image/png"])
        #expect(attachments.last?["name"] == "passwd")
        #expect(attachments.last?["contentId"] == "logo")
        #expect(attachments.last?["content"] == "AAEC")
    }

    @Test func whatIsWrongIsReadAsFarAsItGoes() {
        #expect(Self.value("")["subject"] == "")
        #expect(Self.value("no header at all")["text"] == "no header at all")
        #expect(Self.value("Content-Type: multipart/mixed; boundary=b\n\n--b\n\ncut off")["text"] == "cut off")
        #expect(Self.value("Content-Type: multipart/mixed\n\nno boundary")["attachments"]?.asList?.count == 1)
        #expect(Self.value("Content-Type: text/plain; charset=klingon\n\nx")["text"] == "x")
        let raw = Array("Subject: caf".utf8) + [0xE9, 13, 10, 13, 10, 0xE9]
        let value = IncomingMessage.value(raw, attachmentBytesMax: 0)
        #expect(value["subject"] == "café")
        #expect(value["text"] == "é")
    }

    @Test func everythingIsBounded() {
        let nested = (0..<500).map { "Content-Type: multipart/mixed; boundary=b\($0)\n\n--b\($0)\n" }.joined()
        _ = Self.value(nested)
        let many =
            "Content-Type: multipart/mixed; boundary=b\n\n"
            + String(repeating: "--b\nContent-Type: a/b\n\nx\n", count: 5_000)
        #expect((Self.value(many)["attachments"]?.asList?.count ?? 0) <= 500)
        let large = Self.value(
            "Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: a/b\n\n12345\n--b\nContent-Type: a/b\n\n1\n--b--",
            attachmentBytesMax: 3)
        #expect(large["attachments"]?.asList?.map { $0["content"] == nil } == [true, false])
        let fields = String(repeating: "X: y\n", count: 20_000)
        #expect(Self.value(fields + "\nx")["text"] == "x")
    }

    @Test func randomBytesNeverCrash() {
        let good = Self.bytes(
            """
            From: =?utf-8?q?J=C3=BC?= <j@e.org>, G: a@b.c;
            Content-Type: multipart/mixed; boundary="b"; x*0*=utf-8''%C3; x*1=y

            --b
            Content-Type: text/plain; charset=iso-8859-15
            Content-Transfer-Encoding: quoted-printable

            a=FC=
            b
            --b
            Content-Transfer-Encoding: base64
            Content-Disposition: attachment; filename="x \\" y"

            AAEC
            --b--
            """)
        var state: UInt64 = 7
        func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        var withText = 0
        for _ in 0..<1_000 {
            var bytes = good
            for _ in 0..<(1 + next(6)) {
                switch next(3) {
                case 0: bytes[next(bytes.count)] = UInt8(next(256))
                case 1: bytes.insert(Array("=?\"<;:\n(".utf8)[next(8)], at: next(bytes.count))
                default: if bytes.count > 60 { bytes.removeSubrange(0..<next(30)) }
                }
            }
            if IncomingMessage.value(bytes, attachmentBytesMax: 1_000)["text"] != nil { withText += 1 }
        }
        #expect(withText > 0)
    }
}

/// A reply of an SMTP server (RFC 5321, 4.2), its lines joined.
struct SMTPReply: Sendable, Hashable {
    var code: Int
    /// The enhanced status code (RFC 3463), where the server gives one.
    var enhanced: String?
    var text: String

    /// Reads one line, the last of a reply or its only one.
    init?(_ line: String) {
        guard let code = Int(line.prefix(3)), (200...599).contains(code), line.utf8.count >= 3 else { return nil }
        self.code = code
        let words = line.dropFirst(4)
        self.text = String(words)
        let first = words.prefix { $0 != " " }
        let parts = first.split(separator: ".", omittingEmptySubsequences: false)
        if parts.count == 3, parts.allSatisfy({ !$0.isEmpty && $0.count <= 3 && Int($0) != nil }) {
            self.enhanced = String(first)
        }
    }
}

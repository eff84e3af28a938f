internal import Values

/// A mailbox: an address, and a name for people.
struct MailAddress: Sendable, Hashable {
    /// Why something is no address.
    struct Problem: Error {
        var reason: String
    }

    var name: String
    /// `local@domain`, ASCII only.
    var address: String

    private static let addressBytesMax = 254

    /// Reads `user@host`, `Name <user@host>` or `{ name, address }`.
    init(_ value: Value) throws(Problem) {
        if let fields = value.asContext {
            for key in fields.keys where key != "name" && key != "address" {
                throw Problem(reason: "unknown field \(key.prefix(40)).")
            }
            guard let address = fields["address"]?.asString else { throw Problem(reason: "address is missing.") }
            try self.init(name: fields["name"]?.asString ?? "", address: address)
        } else if let text = value.asString {
            if text.hasSuffix(">"), let open = text.lastIndex(of: "<") {
                var name = Substring(text[..<open])
                name.trimSpaces()
                if name.count >= 2, name.hasPrefix("\""), name.hasSuffix("\"") { name = name.dropFirst().dropLast() }
                try self.init(name: String(name), address: String(text[text.index(after: open)...].dropLast()))
            } else {
                try self.init(name: "", address: text)
            }
        } else {
            throw Problem(reason: "expected an address but found a \(value.typeName).")
        }
    }

    init(name: String, address: String) throws(Problem) {
        guard !name.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else {
            throw Problem(reason: "a name holds a control character.")
        }
        let shown = "\"\(address.prefix(80).filter { !$0.isNewline })\""
        guard address.utf8.allSatisfy({ $0 < 128 }) else {
            throw Problem(reason: "\(shown) is not ASCII; write the domain as its A-label.")
        }
        let parts = address.split(separator: "@", omittingEmptySubsequences: false)
        let isForbidden: (UInt8) -> Bool = { byte in
            byte <= 32 || byte == 127 || "()<>[]:;@\\,\"".utf8.contains(byte)
        }
        guard parts.count == 2, parts.allSatisfy({ !$0.isEmpty && !$0.utf8.contains(where: isForbidden) }),
            !parts[0].hasPrefix("."), !parts[0].hasSuffix("."), !parts[0].contains(".."), !parts[1].contains(".."),
            !parts[1].hasPrefix("."), address.utf8.count <= Self.addressBytesMax, parts[0].utf8.count <= 64
        else { throw Problem(reason: "\(shown) is no address.") }
        self.name = name
        self.address = address
    }

    /// What follows the @.
    var domain: Substring { self.address.split(separator: "@").last ?? "" }
}

extension Substring {
    /// Takes spaces and tabs off both ends.
    mutating func trimSpaces() {
        while let first = self.first, first == " " || first == "\t" { self.removeFirst() }
        while let last = self.last, last == " " || last == "\t" { self.removeLast() }
    }
}

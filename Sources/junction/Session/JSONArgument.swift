import ArgumentParser
import Values

/// A JSON object given on the command line, or `@file` for one in a file.
struct JSONArgument: ExpressibleByArgument, Sendable {
    let bytes: [UInt8]

    init?(argument: String) {
        self.bytes = Array(argument.utf8)
    }

    /// The object's bytes, checked.
    func object(_ name: String) throws -> [UInt8] {
        var source = name
        var bytes = self.bytes
        if bytes.first == UInt8(ascii: "@") {
            source = String(decoding: bytes.dropFirst(), as: UTF8.self)
            bytes = try FileText.bytes(source)
        }
        do {
            _ = try JSON.members(of: bytes)
            return bytes
        } catch {
            throw ValidationError("\(source) must be a JSON object such as '{\"amount\": 12}': \(error)")
        }
    }
}

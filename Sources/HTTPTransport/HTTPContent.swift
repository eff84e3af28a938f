internal import CCurlShim
internal import Crypto

/// The body of a request as it is sent: stretches of memory and of files, one after the other.
struct HTTPContent: Sendable {
    enum Part: Sendable {
        /// A stretch of `memory`.
        case bytes(Range<Int>)
        case file(HTTPFile)
    }

    private(set) var memory: [UInt8]
    private(set) var parts: [Part]

    init(_ bytes: [UInt8]) {
        self.memory = bytes
        self.parts = bytes.isEmpty ? [] : [.bytes(0..<bytes.count)]
    }

    init(_ file: HTTPFile) {
        self.memory = []
        self.parts = [.file(file)]
    }

    mutating func append(_ text: String) { self.append(Array(text.utf8)) }

    mutating func append(_ bytes: [UInt8]) {
        let start = self.memory.count
        self.memory += bytes
        if case .bytes(let range) = self.parts.last {
            self.parts[self.parts.count - 1] = .bytes(range.lowerBound..<self.memory.count)
        } else {
            self.parts.append(.bytes(start..<self.memory.count))
        }
    }

    mutating func append(_ file: HTTPFile) { self.parts.append(.file(file)) }

    /// The whole body, if all of it is in memory.
    var bytes: [UInt8]? {
        for case .file in self.parts { return nil }
        return self.memory
    }

    /// Its hash, for signatures.
    ///
    /// - Throws: `HTTPFileError` when a file cannot be read to its end.
    func hash<Hash: HashFunction>(_ function: Hash.Type) throws(HTTPFileError) -> [UInt8] {
        var hash = Hash()
        for part in self.parts {
            switch part {
            case .bytes(let range): hash.update(data: self.memory[range])
            case .file(let file): try file.read { hash.update(bufferPointer: $0) }
            }
        }
        return Array(hash.finalize())
    }

    /// For C, as long as `memory` stays where it is.
    func cParts(_ memory: UnsafeBufferPointer<UInt8>) -> [jhc_part] {
        self.parts.map { part in
            switch part {
            case .bytes(let range):
                jhc_part(
                    bytes: memory.baseAddress.map { $0 + range.lowerBound }, file: -1, offset: 0,
                    count: Int64(range.count))
            case .file(let file): jhc_part(bytes: nil, file: file.descriptor, offset: 0, count: file.count)
            }
        }
    }
}

/// Where the body of a successful response goes instead of memory.
public protocol HTTPBodySink: Sendable {
    /// Takes the next bytes; false ends the transfer.
    ///
    /// Called on the client's thread, one call after the other; while it runs, no transfer of the client moves on.
    func write(_ bytes: UnsafeRawBufferPointer) -> Bool
}

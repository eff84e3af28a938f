internal import ConnectorKit
internal import Values

/// How the content of a file is read.
enum FileEncoding: String, CaseIterable {
    case text, json, xml, base64, records
}

extension FilesConnection {
    /// Reads a file, or the next records of one too large for a single answer.
    func read(_ reader: FieldReader) throws -> Outcome {
        reader.require("path")
        let path = reader.string("path") ?? ""
        let encoding = reader.word("encoding", of: FileEncoding.self) ?? .text
        var decoding = RecordDecoding()
        if let decode = reader.object("decode") {
            decoding.read(from: decode)
            decode.finish()
        }
        let offset = reader.integer("offset", in: 0...Int.max)
        let limit = reader.integer("limit", in: 1...100_000)
        if encoding != .records, offset != nil || limit != nil {
            reader.add("input: offset and limit are for the encoding records.")
        }
        try Self.finish(reader)
        if encoding == .records {
            return try self.root.withParent(of: path) { directory, name in
                let page = RecordPage(
                    file: try FileHandleReader(directory, name), path: path, decoding: decoding, offset: offset ?? 0,
                    limit: limit, fileBytesMaximum: self.settings.fileBytesMaximum)
                return try page.outcome()
            }
        }
        let (bytes, _) = try self.root.withParent(of: path) { directory, name in
            try RootDirectory.read(directory, name, maximum: self.settings.fileBytesMaximum)
        }
        let content: Value
        switch encoding {
        case .text:
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw Self.content(path, "is not valid UTF-8", "Read it as base64.")
            }
            content = .string(text)
        case .json:
            do {
                content = try JSON.parse(bytes)
            } catch {
                throw Self.content(path, "is not valid JSON: \(error)", "Correct the file.")
            }
        case .xml:
            do {
                content = try XMLCodec.parse(bytes, maximum: self.settings.fileBytesMaximum)
            } catch {
                throw Self.content(path, "is not valid XML: line \(error.line): \(error.reason)", "Correct the file.")
            }
        case .base64, .records:
            content = .string(Base64.encode(bytes))
        }
        let size = Value.number(Number(Int64(bytes.count)))
        return .done(["path": .string(path), "size": size, "content": content], facts: ["bytes": size])
    }

    /// The digest of a file of any size, read piece by piece.
    func checksum(_ reader: FieldReader) throws -> Outcome {
        reader.require("path")
        let path = reader.string("path") ?? ""
        let algorithm = reader.word("algorithm", of: FileDigest.Algorithm.self) ?? .sha256
        let expected = reader.string("expect")
        try Self.finish(reader)
        var digest = FileDigest(algorithm)
        var size = 0
        try self.root.withParent(of: path) { directory, name in
            try FileHandleReader(directory, name).forEachChunk { chunk in
                digest.update(chunk)
                size += chunk.count
            }
        }
        let text = digest.finalize()
        if let expected, expected.lowercased() != text {
            throw Self.content(
                path, "has the \(algorithm.rawValue) checksum \(text), not \(expected.prefix(128))",
                "Get the file again from where it came.")
        }
        return .done(
            [
                "path": .string(path), "algorithm": .string(algorithm.rawValue), "checksum": .string(text),
                "size": .number(Number(Int64(size))),
            ], facts: ["bytes": .number(Number(Int64(size)))])
    }
}

/// Some records of a file.
///
/// CSV and NDJSON are read in windows, so a file of any size is read page by page in bounded memory; other formats have
/// to be read as a whole.
private struct RecordPage: ~Copyable {
    let file: FileHandleReader
    let path: String
    let decoding: RecordDecoding
    let offset: Int
    let limit: Int?
    let fileBytesMaximum: Int

    func outcome() throws -> Outcome {
        let format = self.decoding.format(for: self.path)
        let isPaged = format == .csv || format == .ndjson
        guard isPaged || self.offset == 0 else {
            throw FilesConnection.content(
                self.path, "is read as \(format.rawValue), which has to be read from its start", "Leave out offset.")
        }
        let size = self.file.entry.size
        guard size <= self.fileBytesMaximum || (isPaged && self.limit != nil) else {
            throw FileErrors.tooLarge(self.path, size, self.fileBytesMaximum)
        }
        let window = isPaged && self.limit != nil ? max(4 << 20, 2 * self.decoding.recordBytesMaximum) : size + 1
        let bytes = try self.file.bytes(at: self.offset, count: window)
        let isAtEnd = self.offset + bytes.count >= self.file.entry.size
        var decoder = RecordDecoder(bytes, name: self.path, decoding: self.decoding)
        if format == .csv, self.offset > 0 {
            decoder = RecordDecoder(bytes, name: self.path, decoding: self.decoding, columns: try self.columns())
        }
        var records: [Value] = []
        var malformed: [Value] = []
        var next: Int?
        while let record = decoder.next() {
            // The end of the window is the end of the record only at the end of the file.
            let isCut = !isAtEnd && record.range.upperBound >= bytes.count
            if isCut || records.count + malformed.count == self.limit ?? .max {
                next = self.offset + record.range.lowerBound
                break
            }
            switch record.body {
            case .value(let value): records.append(value)
            case .undecodable(let finding):
                malformed.append([
                    "line": .number(Number(Int64(finding.line))), "reason": .string(finding.reason),
                    "offset": .number(Number(Int64(self.offset + record.range.lowerBound))),
                ])
            case .undecoded: records.append(.string(Base64.encode(Array(bytes[record.range]))))
            }
        }
        if next == nil, !isAtEnd { next = self.offset + bytes.count }
        return .done(
            [
                "path": .string(self.path), "size": .number(Number(Int64(size))), "content": .list(records),
                "malformed": .list(malformed), "next": next.map { .number(Number(Int64($0))) } ?? .null,
            ], facts: ["bytes": .number(Number(Int64(bytes.count)))])
    }

    /// The header row, which stands at the start of the file.
    private func columns() throws -> [String] {
        let head = try self.file.bytes(at: 0, count: 1 << 20)
        var decoder = RecordDecoder(head, name: self.path, decoding: self.decoding)
        _ = decoder.next()
        return decoder.columns
    }
}

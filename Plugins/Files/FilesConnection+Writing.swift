internal import ConnectorKit
internal import Values

/// What happens when a file of the name exists.
enum FileWriteMode: String, CaseIterable {
    case replace, create
}

/// How content is written.
enum FileWriteEncoding: String, CaseIterable {
    case text, json, ndjson, csv, xml, base64
}

extension FilesConnection {
    func write(_ reader: FieldReader) throws -> Outcome {
        reader.require("path")
        let path = reader.string("path") ?? ""
        let content = reader.value("content") ?? .null
        let encoding = reader.word("encoding", of: FileWriteEncoding.self) ?? (content.asString == nil ? .json : .text)
        let mode = reader.word("mode", of: FileWriteMode.self) ?? .replace
        let columns = reader.strings("columns")
        let delimiter = reader.string("delimiter")
        let bytes = Self.encoded(content, encoding, columns, delimiter, reader)
        try Self.finish(reader)
        if self.settings.isReadOnly { throw Self.readOnly(self.id) }
        guard bytes.count <= self.settings.fileBytesMaximum else {
            throw FileErrors.tooLarge(path, bytes.count, self.settings.fileBytesMaximum)
        }
        let result: Value = ["path": .string(path), "size": .number(Number(Int64(bytes.count)))]
        let wasThere = try self.root.withParent(of: path, create: true) { directory, name in
            if let entry = try RootDirectory.entry(directory, name) {
                guard entry.kind == .file else { throw FileErrors.notAFile(path, "is a \(entry.kind.rawValue)") }
                if mode == .create {
                    // The same content under the same name is what a repeated call finds.
                    let limit = self.settings.fileBytesMaximum
                    if entry.size == bytes.count,
                        try RootDirectory.read(directory, name, maximum: limit).bytes == bytes
                    {
                        return true
                    }
                }
            }
            try RootDirectory.write(directory, name, bytes, replacing: mode == .replace, token: self.token(name))
            return false
        }
        let facts: ValueContext = ["bytes": .number(Number(Int64(bytes.count)))]
        return wasThere ? .alreadyDone(result, facts: facts) : .done(result, facts: facts)
    }

    /// Moves or renames a file within the root.
    func move(_ reader: FieldReader) throws -> Outcome {
        let (from, to, overwrites) = try self.places(reader)
        try self.root.withParent(of: from) { source, name in
            try Self.requireFile(source, name, from)
            try self.root.withParent(of: to, create: true) { target, newName in
                try Self.requireRoom(target, newName, to, overwrites: overwrites)
                try RootDirectory.move(source, name, to: target, as: newName)
                try RootDirectory.sync(target)
                try RootDirectory.sync(source)
            }
        }
        return .done(["path": .string(to)], facts: ValueContext())
    }

    /// Copies a file of any size, piece by piece; the copy appears as a whole.
    func copy(_ reader: FieldReader) throws -> Outcome {
        let (from, to, overwrites) = try self.places(reader)
        var size = 0
        try self.root.withParent(of: from) { source, name in
            try Self.requireFile(source, name, from)
            let file = try FileHandleReader(source, name)
            try self.root.withParent(of: to, create: true) { target, newName in
                try Self.requireRoom(target, newName, to, overwrites: overwrites)
                try RootDirectory.write(target, newName, replacing: overwrites, token: self.token(newName)) { append in
                    try file.forEachChunk { chunk in
                        try append(chunk)
                        size += chunk.count
                    }
                }
            }
        }
        let bytes = Value.number(Number(Int64(size)))
        return .done(["path": .string(to), "size": bytes], facts: ["bytes": bytes])
    }

    /// Removes a file; that it is gone already is a success.
    func delete(_ reader: FieldReader) throws -> Outcome {
        reader.require("path")
        let path = reader.string("path") ?? ""
        try Self.finish(reader)
        if self.settings.isReadOnly { throw Self.readOnly(self.id) }
        let wasThere = try self.root.withParent(of: path) { directory, name in
            guard let entry = try RootDirectory.entry(directory, name) else { return false }
            guard entry.kind == .file else { throw FileErrors.notAFile(path, "is a \(entry.kind.rawValue)") }
            try RootDirectory.delete(directory, name)
            try RootDirectory.sync(directory)
            return true
        }
        let result: Value = ["path": .string(path), "deleted": .boolean(wasThere)]
        return wasThere ? .done(result, facts: ValueContext()) : .alreadyDone(result, facts: ValueContext())
    }

    // MARK: - Parts

    private func places(_ reader: FieldReader) throws -> (from: String, to: String, overwrites: Bool) {
        reader.require("from")
        reader.require("to")
        let from = reader.string("from") ?? ""
        let to = reader.string("to") ?? ""
        let overwrites = reader.boolean("overwrite") ?? false
        try Self.finish(reader)
        if self.settings.isReadOnly { throw Self.readOnly(self.id) }
        return (from, to, overwrites)
    }

    private static func requireFile(_ directory: Int32, _ name: String, _ path: String) throws {
        guard let entry = try RootDirectory.entry(directory, name) else {
            throw FileErrors.system(FileFailure.missing(path))
        }
        guard entry.kind == .file else { throw FileErrors.notAFile(path, "is a \(entry.kind.rawValue)") }
    }

    private static func requireRoom(_ directory: Int32, _ name: String, _ path: String, overwrites: Bool) throws {
        guard let existing = try RootDirectory.entry(directory, name) else { return }
        guard overwrites, existing.kind == .file else { throw FileErrors.system(FileFailure.taken(path)) }
    }

    private static func encoded(
        _ content: Value, _ encoding: FileWriteEncoding, _ columns: [String]?, _ delimiter: String?,
        _ reader: FieldReader
    ) -> [UInt8] {
        if encoding != .csv, columns != nil || delimiter != nil {
            reader.add("input: columns and delimiter are for the encoding csv.")
        }
        var bytes: [UInt8] = []
        switch encoding {
        case .json: JSON.write(content, into: &bytes)
        case .text:
            if let text = content.asString { return Array(text.utf8) }
            reader.add("input.content: expected a text.")
        case .base64:
            if let decoded = content.asString.flatMap({ Base64.decode($0) }) { return decoded }
            reader.add("input.content: expected base64.")
        case .xml:
            do {
                try XMLCodec.write(content, into: &bytes)
            } catch {
                reader.add("input.content: \(error.reason)")
            }
        case .ndjson:
            guard let records = content.asList else {
                reader.add("input.content: expected a list of records.")
                return []
            }
            for record in records {
                JSON.write(record, into: &bytes)
                bytes.append(UInt8(ascii: "\n"))
            }
        case .csv:
            guard let records = content.asList, records.allSatisfy({ $0.asContext != nil }) else {
                reader.add("input.content: expected a list of records with named fields.")
                return []
            }
            let byte = delimiter?.utf8.first ?? UInt8(ascii: ",")
            guard delimiter?.utf8.count ?? 1 == 1, byte < 0x80, !"\"\r\n".utf8.contains(byte) else {
                reader.add("input.delimiter: expected one ASCII character, no quote or line end.")
                return []
            }
            let writer = CSVWriter(columns: columns ?? CSVWriter.columns(of: records), delimiter: byte)
            writer.writeHeader(into: &bytes)
            for record in records { writer.write(record, into: &bytes) }
        }
        return bytes
    }
}

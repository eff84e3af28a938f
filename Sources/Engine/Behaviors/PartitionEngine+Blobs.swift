import Values

/// Large values: kept once, by content, beside the state (DESIGN §2, ADR-0016).
extension PartitionEngine {
    /// A variable whose JSON is larger than this is kept beside the state.
    public static let inlineValueBytesMax = 32 * 1024

    /// What the state keeps of a large value: the name of its text, or the value when the source keeps none.
    func stored(_ value: VariableValue) -> VariableValue {
        let json = value.json
        guard let hash = source.hash(json) else { return value }
        if freshBlobs.updateValue(json, forKey: hash) == nil { newBlobs.append((hash, json)) }
        return VariableValue(BlobReference(hash: hash, byteCount: json.count))
    }

    /// The value behind what the state keeps.
    func resolved(_ value: VariableValue) -> VariableValue {
        guard let reference = value.reference else { return value }
        guard let json = freshBlobs[reference.hash] ?? source.blob(hash: reference.hash) else {
            // Blobs are durable before the batch that names them, so this is a damaged store.
            noteDamage("a large value of \(reference.byteCount) bytes is missing")
            return VariableValue(.null)
        }
        return VariableValue(json: json)
    }

    func resolved(_ document: VariableDocument) -> VariableDocument {
        guard document.members.contains(where: { $0.value.reference != nil }) else { return document }
        return VariableDocument(members: document.members.map { ($0.name, resolved($0.value)) })
    }

    /// These large values are durable: they can be read back, so memory may forget them.
    public func blobsCommitted(_ hashes: [[UInt8]]) {
        for hash in hashes { freshBlobs[hash] = nil }
    }
}

import HubDocuments
import Values

/// The credentials a connections file declares: whole objects by name, so that what belongs together (a user and a
/// password, a key and its id) is declared once and never mixed.
struct NamedCredentials {
    private var credentials: [String: ValueContext] = [:]

    /// Reads the key `credentials` of the document; what is wrong is noted in its log.
    init(_ root: MappingReader, variables: ValueContext?) {
        guard let reader = root.mapping("credentials") else { return }
        for entry in reader.entries {
            guard let fields = reader.mapping(entry.key) else { continue }
            self.credentials[entry.key] = ConnectionsDocument.parameters(fields, variables)
        }
    }

    /// `parameters` with each `{ credential: NAME }`, and each text under a key `credential`, replaced by the object.
    ///
    /// A name that is not declared is noted in the log of `reader`.
    func inserted(into parameters: ValueContext, at reader: MappingReader) -> ValueContext {
        var result = ValueContext()
        result.reserveCapacity(parameters.count)
        for (key, value) in parameters { result[key] = self.inserted(into: value, key: key, at: reader) }
        return result
    }

    private func inserted(into value: Value, key: String, at reader: MappingReader) -> Value {
        switch value {
        case .string(let name) where key == "credential":
            return self.credential(name, at: reader).map { .context($0) } ?? value
        case .context(let context):
            if context.count == 1, let name = context["credential"]?.asString {
                return self.credential(name, at: reader).map { .context($0) } ?? value
            }
            return .context(self.inserted(into: context, at: reader))
        case .list(let items):
            return .list(items.map { self.inserted(into: $0, key: "", at: reader) })
        default:
            return value
        }
    }

    private func credential(_ name: String, at reader: MappingReader) -> ValueContext? {
        if let credential = self.credentials[name] { return credential }
        reader.log.error(
            .unknownName, "There is no credential \"\(name)\".",
            remedy: ClosestMatch.of(name, in: self.credentials.keys.sorted()).map { "Did you mean \"\($0)\"?" }
                ?? "Declare it under credentials.", at: reader.position)
        return nil
    }
}

import Decisions
import HubDocuments
import Values

extension TriggerReader {
    func source() -> SourceDeclaration? {
        guard let reader = self.root.requiredMapping("source", example: "source: { type: file, connection: inbox }"),
            let node = reader.requiredNode("type", example: "type: file")
        else { return nil }
        guard case .string(let word) = node.content, let type = SourceType.named(word) else {
            let names = SourceType.all.map(\.name)
            var hint: String?
            if case .string(let word) = node.content { hint = ClosestMatch.of(word, in: names) }
            reader.reject(
                "type", node, expected: names.joined(separator: ", "), remedy: hint.map { "Did you mean \"\($0)\"?" })
            return nil
        }
        let connection: String?
        var event: String?
        switch type.host {
        case .hub:
            reader.refuse(
                "connection", "a source of type \(type.name) belongs to the hub itself.", remedy: "Remove it.")
            connection = nil
        case .connector(_, let named):
            connection = reader.requiredName("connection", example: "connection: inbox")
            event = named
        case .anyConnector:
            connection = reader.requiredName("connection", example: "connection: scanner")
            event = reader.requiredString("event", example: "event: scanned")
        }
        guard let block = reader.requiredNode(type.name, example: type.example) else {
            reader.finish()
            return nil
        }
        _ = MappingReader(block, path: reader.path(of: type.name), log: self.log)
        let parameters = ValueTemplate(block, key: type.name, reader: reader)
        reader.finish()
        guard type.isOwn || (connection != nil && event != nil) else { return nil }
        return SourceDeclaration(
            type: type, connection: connection, event: event, parameters: parameters, position: block.position)
    }

    /// Every source may give an event twice (a crash between the commit and the acknowledgement is enough), so that it
    /// has to be said what makes two events the same; except where the event's own id says it.
    func dedupe(of type: SourceType?) -> DedupeDeclaration? {
        let isRequired = type.map { !$0.identifiesEvents } ?? true
        let example = "dedupe: { key: \"=data.orderId\" }, which recognises a repeated event"
        guard isRequired || self.root.node("dedupe") != nil else {
            guard let key = try? Expression.compile("event.id", mode: .expression) else { return nil }
            return DedupeDeclaration(key: key, scope: .trigger, timeToLive: .seconds(86_400 * 7), onDuplicate: .ack)
        }
        guard let reader = self.root.requiredMapping("dedupe", example: example) else { return nil }
        let key = reader.requiredNode("key", example: "key: \"=data.orderId\"").flatMap { reader.expression("key", $0) }
        let scope = reader.word("scope", DedupeDeclaration.Scope.self) ?? .trigger
        let timeToLive = reader.duration("ttl", in: .seconds(60)...(.seconds(86_400 * 3_650))) ?? .seconds(86_400 * 7)
        let onDuplicate = reader.word("onDuplicate", DedupeDeclaration.DuplicateDisposition.self) ?? .ack
        reader.finish()
        return key.map {
            DedupeDeclaration(key: $0, scope: scope, timeToLive: timeToLive, onDuplicate: onDuplicate)
        }
    }
}

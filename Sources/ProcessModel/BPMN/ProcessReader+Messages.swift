import Decisions
import Values

extension ProcessReader {
    /// Reads what a receive task waits for.
    func readReceiveTask(_ index: Int) {
        let node = nodes[index]
        node.isInstantiating = reader.boolean("instantiate", of: node.element) ?? false
        guard let message = message(of: node.element, node) else { return }
        node.event = readCaught(message, at: node.element, node, startsInstance: node.isInstantiating)
    }

    /// Reads a message event; one that throws may use the settings of its node.
    func readMessageEvent(
        _ definition: XMLElement, _ node: DraftNode, _ position: EventPosition, _ parts: NodeParts
    ) -> EventDefinition? {
        guard let message = message(of: definition, node) else { return nil }
        if position.isThrowing { return readThrown(message, definition, node, parts.extensions) }
        return readCaught(message, at: definition, node, startsInstance: position == .start)
    }

    /// Reads the message a send task throws, when no worker sends it.
    func readSendTask(_ index: Int, _ parts: NodeParts) {
        let node = nodes[index]
        guard let message = message(of: node.element, node) else { return }
        node.event = readThrown(message, node.element, node, parts.extensions)
    }

    // MARK: References

    /// Whether an element refers to a message, known or not.
    func hasMessage(_ element: XMLElement) -> Bool {
        if let reference = element.attribute("messageRef"), !reference.isEmpty { return true }
        return operation(of: element)?.children.contains { $0.tag == .inMessageRef } ?? false
    }

    /// A message as an event names it.
    private struct Message {
        let name: ExpressionOrLiteral
        let id: String
        /// Where it is defined; nil when only its name is known.
        let element: XMLElement?
    }

    /// The message an element refers to, by itself or through its operation.
    private func message(of element: XMLElement, _ node: DraftNode) -> Message? {
        let what = "the name of the message of \(node.id)"
        if let name = reader.attributeValue("messageExpression", in: .camunda, of: element, what) {
            return Message(name: name, id: node.id, element: nil)
        }
        let reference =
            element.attribute("messageRef") ?? element.children.first { $0.name.local == "messageRef" }?.text
            ?? operation(of: element).flatMap { $0.children.first { $0.tag == .inMessageRef }?.text }
        if let reference, let message = reader.resolve(reference, as: .message) {
            return reader.name(of: message, what).map { Message(name: $0, id: reference, element: message) }
        }
        let missing = reference == nil ? "message of \(node.id)" : "message of this id"
        if let implied = reader.implied(reference ?? node.id, for: missing, at: element) {
            return Message(name: .literal(implied), id: implied, element: nil)
        }
        reader.report(
            .unknownMessage, at: element,
            "Expected \(node.id) to name a message, but "
                + (reference.map { "there is no message \($0)." } ?? "it has no messageRef."),
            remedy: "define <message id=\"…\" name=\"…\"/> and refer to its id")
        return nil
    }

    /// The operation an element refers to.
    func operation(of element: XMLElement) -> XMLElement? {
        let reference =
            element.attribute("operationRef") ?? element.children.first { $0.tag == .operationRef }?.text
        return reference.flatMap { reader.resolve($0, as: .operation) }
    }

    // MARK: Catching

    private func readCaught(
        _ message: Message, at element: XMLElement, _ node: DraftNode, startsInstance: Bool
    ) -> EventDefinition? {
        let id = message.id
        let name = message.name
        // What starts a process does so for each message, whatever its key.
        if startsInstance { return .message(MessageDefinition(name: name, correlationKey: nil)) }
        if let source = message.element.flatMap(subscriptionKey) {
            return reader.markedExpression(source, of: element, "the correlation key of message \(id)").map {
                .message(MessageDefinition(name: name, correlationKey: $0))
            }
        }
        switch message.element.map(correlationBinding) ?? .none {
        case .path(let path):
            return reader.formalExpression(path, "the correlation key of message \(id)").map {
                .message(MessageDefinition(name: name, correlationKey: $0))
            }
        case .several(let subscription):
            reader.report(
                .severalCorrelationProperties, at: subscription,
                "Expected one correlation property for message \(id), but the subscription has several.",
                remedy: "combine them: <zeebe:subscription correlationKey=\"=…\"/> in the message")
            return nil
        case .none:
            reader.report(
                .noCorrelation, at: element,
                "Message \(id) does not say which instance it is for: \(node.id) takes messages with an empty key.",
                remedy: "add <zeebe:subscription correlationKey=\"=…\"/> to the message's extensionElements")
            return .message(MessageDefinition(name: name, correlationKey: nil))
        }
    }

    private func subscriptionKey(of message: XMLElement) -> String? {
        for child in message.children where child.tag == .extensionElements {
            for item in child.children where item.name.extensionTag == .zeebeSubscription {
                return item.attribute("correlationKey").flatMap { $0.isEmpty ? nil : $0 }
            }
        }
        return nil
    }

    // MARK: Correlation as the standard writes it (BPMN 2.0.2 clause 8.4.2)

    private enum CorrelationBinding {
        case none
        /// The expression over the variables of the instance.
        case path(XMLElement)
        case several(XMLElement)
    }

    /// What the process's correlation subscriptions say about a message.
    private func correlationBinding(of message: XMLElement) -> CorrelationBinding {
        for subscription in correlationSubscriptions {
            let bindings = subscription.children.filter { binding in
                guard binding.tag == .correlationPropertyBinding,
                    let property = binding.attribute("correlationPropertyRef").flatMap({ reader.resolve($0) })
                else { return false }
                return retrieval(of: message, in: property) != nil
            }
            guard let binding = bindings.first else { continue }
            if bindings.count > 1 { return .several(subscription) }
            if let path = binding.children.first(where: { $0.tag == .dataPath }) { return .path(path) }
        }
        return .none
    }

    /// How a correlation property is found in a message.
    private func retrieval(of message: XMLElement, in property: XMLElement) -> XMLElement? {
        property.children.first { child in
            child.tag == .correlationPropertyRetrievalExpression
                && child.attribute("messageRef").flatMap { reader.resolve($0) }?.index == message.index
        }
    }

    /// How the only correlation property of a message is found in it.
    private func retrievalPath(of message: XMLElement) -> XMLElement? {
        var path: XMLElement?
        for property in reader.correlationProperties {
            guard let retrieval = retrieval(of: message, in: property) else { continue }
            if path != nil { return nil }
            path = retrieval.children.first { $0.tag == .messagePath }
        }
        return path
    }

    // MARK: Throwing

    private func readThrown(
        _ message: Message, _ definition: XMLElement, _ node: DraftNode, _ extensions: Extensions
    ) -> EventDefinition? {
        let id = message.id
        let publish = extensions.first(.zeebePublishMessage) ?? publication(in: definition)
        var key: Expression?
        if let publish, let source = publish.attribute("correlationKey"), !source.isEmpty {
            key = correlationKey(source, of: publish)
        } else if let source = message.element.flatMap(subscriptionKey) {
            key = reader.markedExpression(source, of: definition, "the correlation key of message \(id)")
        } else if let path = message.element.flatMap(retrievalPath) {
            key = reader.formalExpression(path, "the correlation key of message \(id)")
        }
        let what = "of the message thrown by \(node.id)"
        return .message(
            MessageDefinition(
                name: message.name, correlationKey: key,
                messageID: publish.flatMap { reader.attributeValue("messageId", of: $0, "the id \(what)") },
                timeToLive: publish.flatMap { timeToLive(of: $0, "the time to live \(what)") })
        )
    }

    private func timeToLive(of publish: XMLElement, _ what: String) -> ExpressionOrLiteral? {
        let value = reader.attributeValue("timeToLive", of: publish, what)
        if case .literal(let text)? = value, ISO8601Duration(text).map(\.isNegative) ?? true {
            reader.report(
                .badLiteral, at: publish, "Expected an ISO 8601 duration for \(what), but found \"\(text)\".",
                remedy: "write one such as PT1H, or an expression with a leading =")
        }
        return value
    }

    private func publication(in definition: XMLElement) -> XMLElement? {
        for child in definition.children where child.tag == .extensionElements {
            for item in child.children where item.name.extensionTag == .zeebePublishMessage { return item }
        }
        return nil
    }

    /// The key a message is thrown with, which may be a literal.
    private func correlationKey(_ source: String, of element: XMLElement) -> Expression? {
        switch reader.value(source, of: element, "the correlation key") {
        case .expression(let expression): expression
        case .literal(let text): reader.constant(text, of: element)
        case nil: nil
        }
    }
}

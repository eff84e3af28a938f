import ConnectorKit
import HubDocuments
import Values

/// Checks what concerns several parts of a specification at once.
struct SpecLint {
    let spec: ConnectorSpec
    let root: MappingReader

    private var log: DiagnosticLog { self.root.log }

    func run() {
        self.checkFixtures()
        self.checkReferences()
        self.checkEgress()
        if self.spec.operations.isEmpty, self.spec.events.isEmpty {
            self.log.error(
                .missingKey, "The specification has neither operations nor events.", at: self.root.position)
        }
    }

    /// Where the value under a path of keys stands.
    private func position(_ path: String...) -> DocumentPosition {
        var entries = self.root.entries
        var position = self.root.position
        for key in path {
            guard let entry = entries.first(where: { $0.key == key }) else { break }
            position = entry.position
            guard case .mapping(let inner) = entry.value.content else { break }
            entries = inner
        }
        return position
    }

    private func checkFixtures() {
        for operation in self.spec.operations where !self.spec.tests.contains(where: { $0.operation == operation.id }) {
            self.log.error(
                .missingFixture, "No test calls the operation \"\(operation.id)\".",
                remedy: "Add an entry to tests with operation: \(operation.id).",
                at: self.position("operations", operation.id))
        }
        for event in self.spec.events where !self.spec.tests.contains(where: { $0.event == event.id }) {
            self.log.error(
                .missingFixture, "No test is about the event \"\(event.id)\".",
                remedy: "Add an entry to tests with event: \(event.id).", at: self.position("events", event.id))
        }
        var names: Set<String> = []
        for test in self.spec.tests {
            if !names.insert(test.name).inserted {
                self.log.error(
                    .uselessTest, "Two tests are called \"\(test.name)\".", remedy: "Rename one.", at: test.position)
            }
            if let id = test.operation { self.check(operation: id, "The test \"\(test.name)\"", test.position) }
            if let id = test.event, self.spec.event(id) == nil {
                self.undeclared("event", id, self.spec.eventIDs, "The test \"\(test.name)\"", test.position)
            }
        }
    }

    private func checkReferences() {
        if let test = self.spec.connection.test {
            let position = self.position("connection", "test")
            self.check(operation: test.operation, "connection.test", position)
            if let operation = self.spec.operation(test.operation), operation.effect != .read {
                self.log.error(
                    .contradiction, "connection.test calls \"\(operation.id)\", which does not only read.",
                    remedy: "Use an operation whose effect is read.", at: position)
            }
        }
        for event in self.spec.events {
            if let subscribe = event.webhook?.subscribe {
                self.check(
                    operation: subscribe.operation, "events.\(event.id).webhook.subscribe",
                    self.position("events", event.id, "webhook", "subscribe"))
            }
            if let unsubscribe = event.webhook?.unsubscribe {
                self.check(
                    operation: unsubscribe.operation, "events.\(event.id).webhook.unsubscribe",
                    self.position("events", event.id, "webhook", "unsubscribe"))
            }
            for (key, operation) in event.objects?.named ?? [] {
                self.check(
                    operation: operation, "events.\(event.id).objects.\(key)",
                    self.position("events", event.id, "objects", key))
            }
            if let queue = event.queue {
                let actions = [
                    ("acknowledge", queue.acknowledge), ("extend", queue.extend), ("release", queue.release),
                    ("setAside", queue.setAside),
                ]
                let named =
                    [("receive", queue.receive.operation)]
                    + actions.compactMap { key, action in action.map { (key, $0.operation) } }
                for (key, operation) in named {
                    self.check(
                        operation: operation, "events.\(event.id).queue.\(key)",
                        self.position("events", event.id, "queue", key))
                }
            }
            if let poll = event.poll {
                let position = self.position("events", event.id, "poll")
                self.check(operation: poll.operation, "events.\(event.id).poll", position)
                if let operation = self.spec.operation(poll.operation), operation.response.records == nil {
                    self.log.error(
                        .contradiction,
                        "events.\(event.id).poll calls \"\(operation.id)\", which has no response.records.",
                        remedy: "Say in the operation where the records are.", at: position)
                }
            }
        }
        for operation in self.spec.operations {
            for (field, options) in operation.dynamicOptions {
                self.check(
                    operation: options.operation, "operations.\(operation.id).dynamicOptions.\(field)",
                    self.position("operations", operation.id, "dynamicOptions", field))
            }
        }
        for rule in self.spec.defaults.rateLimits {
            for id in rule.operations.sorted() {
                self.check(operation: id, "defaults.rateLimits", self.position("defaults", "rateLimits"))
            }
        }
        for migration in self.spec.migrations {
            for id in migration.operations.values.sorted() {
                self.check(operation: id, "migrations", self.position("migrations"))
            }
        }
    }

    private func check(operation id: String, _ place: String, _ position: DocumentPosition) {
        guard self.spec.operation(id) == nil else { return }
        self.undeclared("operation", id, self.spec.operationIDs, place, position)
    }

    private func undeclared(
        _ what: String, _ id: String, _ known: [String], _ place: String, _ position: DocumentPosition
    ) {
        self.log.error(
            .undeclaredName, "\(place) names the \(what) \"\(id)\", which is not declared.",
            remedy: ClosestMatch.of(id, in: known).map { "Did you mean \"\($0)\"?" }, at: position)
    }

    /// A host that stands in the file must be one that may be called.
    private func checkEgress() {
        let egress = self.spec.connection.egress
        guard !egress.allowHosts.isEmpty, egress.allowHosts.allSatisfy(\.isLiteral) else { return }
        let patterns = egress.allowHosts.compactMap(\.literal)
        var addresses: [(text: String, position: DocumentPosition)] = []
        if let base = self.spec.connection.baseURL.literal {
            addresses.append((base, self.position("connection", "baseUrl")))
        }
        for operation in self.spec.operations {
            if let path = operation.request.path.literal, path.contains("://") {
                addresses.append((path, self.position("operations", operation.id, "request", "path")))
            }
        }
        for (text, position) in addresses {
            guard let host = HostPattern.host(of: text),
                !patterns.contains(where: { HostPattern.matches(host, $0) })
            else { continue }
            self.log.error(
                .hostNotAllowed, "The host \"\(host)\" is not among connection.egress.allowHosts.",
                remedy: "Add it if it is to be called.", at: position)
        }
    }
}

/// Names of hosts, and patterns such as `*.example.com`.
enum HostPattern {
    static func matches(_ host: String, _ pattern: String) -> Bool {
        let pattern = pattern.lowercased()
        guard pattern.hasPrefix("*.") else { return host == pattern }
        return host.hasSuffix(pattern.dropFirst()) && host.utf8.count > pattern.utf8.count - 1
    }

    /// The host in the text of an address, in lower case, without its port.
    static func host(of address: String) -> String? {
        guard let scheme = address.firstRange(of: "://") else { return nil }
        let authority = address[scheme.upperBound...].prefix { !"/?#".contains($0) }
        let host = authority.hasPrefix("[") ? authority.prefix { $0 != "]" } + "]" : authority.prefix { $0 != ":" }
        return host.isEmpty ? nil : host.lowercased()
    }
}

public import ConnectorKit
import Values

/// Pages about connectors, in Markdown, made of what the connectors say about themselves.
public enum ConnectorPage {
    /// What is said about a connector beside its description.
    public struct Facts: Sendable, Hashable {
        /// How it comes to the hub: `built in` or `specification`.
        public var tier: String
        /// Whether its connections run in a process of their own unless they say otherwise.
        public var isIsolated: Bool
        /// A guide: its title, and where it is, seen from the page.
        public var guide: Guide?
        /// The ways to authorise requests.
        public var authentication: [String]
        /// What the remote allows.
        public var rateLimits: [String]
        /// Events that the remote delivers by calling.
        public var webhooks: [String]

        /// States the facts.
        public init(
            tier: String, isIsolated: Bool = false, guide: Guide? = nil, authentication: [String] = [],
            rateLimits: [String] = [], webhooks: [String] = []
        ) {
            self.tier = tier
            self.isIsolated = isIsolated
            self.guide = guide
            self.authentication = authentication
            self.rateLimits = rateLimits
            self.webhooks = webhooks
        }
    }

    /// A page that says more.
    public struct Guide: Sendable, Hashable {
        /// Its title.
        public var title: String
        /// Where it is, seen from the page.
        public var path: String

        /// Names the page.
        public init(title: String, path: String) {
            self.title = title
            self.path = path
        }
    }

    // MARK: - One connector

    /// The page of one connector.
    public static func page(for descriptor: ConnectorDescriptor, _ facts: Facts) -> String {
        var lines = [
            "# \(Self.text(descriptor.title))", "", Self.text(descriptor.summary), "",
            "Connector `\(descriptor.id)`, version \(descriptor.version), \(facts.tier)."
                + (facts.isIsolated
                    ? " Its connections run in a process of their own unless they say `isolation: none`." : ""),
        ]
        if let guide = facts.guide { lines += ["", "Guide: [\(guide.title)](\(guide.path))."] }
        let secrets = Dictionary(descriptor.secrets.map { ($0.parameter, $0) }, uniquingKeysWith: { first, _ in first })
        lines += ["", "## Parameters", ""]
        lines += Self.fields(descriptor.parameters, secrets: Set(secrets.keys), otherwise: "It has none.")
        if !descriptor.secrets.isEmpty {
            lines += [
                "", "## Secrets", "",
                "Each is a reference, such as `{ secret: \"env:NAME\" }`; a credential of several fields has one for each.",
                "",
            ]
            lines += ["| Parameter | What | Needed |", "|---|---|---|"]
            lines += descriptor.secrets.map {
                "| `\($0.parameter)` | \(Self.text($0.title)) | \($0.isRequired ? "yes" : "no") |"
            }
        }
        lines += Self.list("Authorisation", facts.authentication) + Self.list("Rate limits", facts.rateLimits)
        if !descriptor.operations.isEmpty { lines += ["", "## Operations"] }
        for operation in descriptor.operations {
            lines += ["", "### \(operation.id)", ""]
            lines += [Self.introduction(operation.title, operation.summary), ""]
            lines.append("- Effect: \(operation.effect.rawValue). \(Self.repetition(operation)).")
            if operation.batchMaximum > 1 {
                lines.append("- Up to \(operation.batchMaximum) calls are made together.")
            }
            lines += [""] + Self.fields(operation.input, otherwise: "Its input has no fields.")
        }
        if !descriptor.events.isEmpty { lines += ["", "## Events"] }
        for event in descriptor.events {
            lines += ["", "### Event \(event.id)", "", Self.introduction(event.title, event.summary), ""]
            lines.append("- Delivery: \(Self.delivery(event)).")
            lines += [""] + Self.fields(event.parameters, otherwise: "It has no parameters.")
        }
        return (lines + Self.list("Webhooks", facts.webhooks)).joined(separator: "\n") + "\n"
    }

    private static func introduction(_ title: String, _ summary: String) -> String {
        title == summary ? "\(Self.text(title))." : "\(Self.text(title)): \(Self.text(summary))"
    }

    private static func list(_ title: String, _ items: [String]) -> [String] {
        items.isEmpty ? [] : ["", "## \(title)", ""] + items.map { "- \(Self.text($0))" }
    }

    /// What happens when a call may have executed and is made again.
    private static func repetition(_ operation: OperationDescriptor) -> String {
        guard operation.effect != .read else { return "Repeated after any failure: it changes nothing" }
        return switch operation.idempotency {
        case .none: "Never repeated when it may have executed: it would happen twice"
        case .natural: "Repeated after any failure: a second time changes nothing more"
        case .key(let window):
            "Repeated after any failure: the remote knows the call by its idempotency key"
                + (window.map { " for " + Quantity.text($0) } ?? "")
        }
    }

    private static func delivery(_ event: EventDescriptor) -> String {
        (event.delivery == .atLeastOnce ? "at least once" : "at most once")
            + (event.isOrdered ? ", in order" : ", in any order")
            + (event.holdMaximum.map { ", held up to " + Quantity.text($0) } ?? "")
    }

    // MARK: - All connectors

    /// The index of all pages: a table of what each connector guarantees.
    public static func table(_ connectors: [(descriptor: ConnectorDescriptor, facts: Facts)]) -> String {
        var lines = [
            "# Connectors", "",
            "What each connector promises, made of the descriptions in the program by `junction connector docs`. When a "
                + "call failed and may have executed, the hub repeats it only where that does no harm: a read changes "
                + "nothing, some operations change nothing more the second time by their nature, and some remotes know a "
                + "call by its idempotency key. Where it depends on the call, the worst case is given. "
                + "Any connection can be given a process of its own with `isolation: process`.", "",
            "| Connector | Tier | Repeated: reads | by nature | by key | Never repeated | Events | Own process |",
            "|---|---|---|---|---|---|---|---|",
        ]
        for (descriptor, facts) in connectors {
            func names(_ isIncluded: (OperationDescriptor) -> Bool) -> String {
                descriptor.operations.filter(isIncluded).map { "`\($0.id)`" }.joined(separator: ", ")
            }
            let cells = [
                "[\(Self.text(descriptor.title))](\(descriptor.id).md)", facts.tier,
                names { $0.effect == .read },
                names { $0.effect != .read && $0.idempotency == .natural },
                names { if case .key = $0.idempotency { $0.effect != .read } else { false } },
                names { !$0.isRepeatable },
                descriptor.events.map { "`\($0.id)`: \(Self.delivery($0))" }.joined(separator: "; "),
                facts.isIsolated ? "yes" : "no",
            ]
            lines.append(Self.row(cells))
        }
        return lines.joined(separator: "\n") + "\n"
    }

    // MARK: - Schemas

    /// Objects below this are not opened.
    private static let depthMax = 3

    /// A table of the fields of an object's schema.
    private static func fields(_ schema: Value, secrets: Set<String> = [], otherwise: String) -> [String] {
        var rows: [[String]] = []
        Self.collect(schema, root: schema, path: "", depth: 0, secrets, into: &rows)
        guard !rows.isEmpty else { return [otherwise] }
        return [Self.row(["Field", "Type", "Default", "Meaning"]), "|---|---|---|---|"] + rows.map(Self.row)
    }

    private static func collect(
        _ schema: Value, root: Value, path: String, depth: Int, _ secrets: Set<String>, into rows: inout [[String]]
    ) {
        let schema = Self.resolved(schema, in: root)
        let required = (schema["required"]?.asList ?? []).compactMap(\.asString)
        for (name, property) in schema["properties"]?.asContext ?? ValueContext() {
            let property = Self.resolved(property, in: root)
            let path = path + name
            let standard = property["default"].map { "`\(JSON.string($0))`" }
            let title = property["description"]?.asString ?? property["title"]?.asString ?? ""
            rows.append([
                "`\(path)`",
                secrets.contains(path) && property["x-credential"] == nil ? "secret" : Self.type(property, in: root),
                standard ?? (required.contains(name) ? "required" : ""), Self.text(title),
            ])
            if depth < Self.depthMax {
                Self.collect(property, root: root, path: path + ".", depth: depth + 1, secrets, into: &rows)
            }
        }
    }

    /// The schema a reference names.
    private static func resolved(_ schema: Value, in root: Value) -> Value {
        guard let reference = schema["$ref"]?.asString, reference.hasPrefix("#/") else { return schema }
        var target: Value? = root
        for part in reference.dropFirst(2).split(separator: "/") { target = target?[String(part)] }
        return target ?? schema
    }

    private static func type(_ schema: Value, in root: Value) -> String {
        if let words = schema["enum"]?.asList { return words.map { "`\(JSON.string($0))`" }.joined(separator: ", ") }
        if let word = schema["const"] { return "`\(JSON.string(word))`" }
        for choice in ["oneOf", "anyOf"] {
            guard let schemas = schema[choice]?.asList else { continue }
            var names: [String] = []
            for schema in schemas {
                let name = Self.type(Self.resolved(schema, in: root), in: root)
                if !names.contains(name) { names.append(name) }
            }
            return names.joined(separator: " or ")
        }
        if schema["x-credential"] != nil { return "credential" }
        guard let types = schema["type"]?.asList ?? schema["type"].map({ [$0] }) else { return "anything" }
        return types.compactMap(\.asString).map { type in
            guard type == "array", let items = schema["items"], items.asContext?.isEmpty == false else { return type }
            return "list of " + Self.type(Self.resolved(items, in: root), in: root)
        }.joined(separator: " or ")
    }

    // MARK: - Markdown

    private static func row(_ cells: [String]) -> String {
        "|"
            + cells.map { cell in
                cell.isEmpty ? " |" : " \(cell.replacing("\n", with: " ").replacing("|", with: "\\|")) |"
            }.joined()
    }

    /// Words that are no markup.
    private static func text(_ text: String) -> String {
        text.replacing("\n", with: " ").replacing("<", with: "&lt;").replacing("*", with: "\\*")
            .replacing("](", with: "]\\(")
    }
}

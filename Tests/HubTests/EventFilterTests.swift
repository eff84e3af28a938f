import Decisions
import HubDocuments
import Testing
import Values

@testable import Hub

/// The dialects of the CloudEvents Subscriptions API.
@Suite struct EventFilterTests {
    private static let event: ValueContext = [
        "type": "com.example.order.created", "source": "/shop/eu", "subject": "A-1", "region": "eu", "attempt": 3,
        "final": true, "accent": "e\u{301}a", "headers": ["tenant": "gold", "x.y": "dotted"],
        "coordinates": ["topic": "orders", "nested": ["deep": "yes"]],
    ]

    private static func read(_ text: String) throws -> (filter: EventFilter, log: DiagnosticLog) {
        let log = DiagnosticLog(file: "filter.yaml")
        let node = try #require(YAMLDocument.parse(text, log: log))
        return (EventFilter(MappingReader(node, path: "filter", log: log)), log)
    }

    private static func passes(_ text: String) throws -> Bool {
        let (filter, log) = try Self.read(text)
        try #require(log.diagnostics.isEmpty, "\(log.diagnostics)")
        return filter.verdict(event: Self.event, scope: MapScope(["event": .context(Self.event)])) == .pass
    }

    @Test(arguments: [
        ("an attribute that is the text", "{ type: com.example.order.created }", true),
        ("case counts", "{ type: com.example.order.Created }", false),
        ("a part is not the whole", "{ type: com.example }", false),
        ("prefix", "{ type: { prefix: com.example. } }", true),
        ("suffix", "{ type: { suffix: .created } }", true),
        ("all dialects of an attribute hold", "{ type: { prefix: com, suffix: .deleted } }", false),
        ("several attributes hold", "{ region: eu, subject: { prefix: A- } }", true),
        ("one of several does not hold", "{ region: us, subject: { prefix: A- } }", false),
        ("the dialect in front", "{ suffix: { type: .created } }", true),
        ("the dialect in front, several attributes", "{ exact: { region: eu, subject: A-2 } }", false),
        ("a missing attribute matches nothing", "{ tenant: gold }", false),
        ("not a missing attribute", "{ not: { tenant: gold } }", true),
        ("a number is compared as it is written", "{ attempt: \"3\" }", true),
        ("a number written as one", "{ attempt: 3 }", true),
        ("a truth value", "{ final: true }", true),
        ("a prefix of a number", "{ attempt: { prefix: \"3\" } }", true),
        ("a name with dots leads inside", "{ headers.tenant: { prefix: go } }", true),
        ("a name with dots, twice", "{ coordinates.nested.deep: \"yes\" }", true),
        ("a member with a dot in its name", "{ headers.x.y: dotted }", true),
        ("a name with dots that leads nowhere", "{ coordinates.missing.deep: \"yes\" }", false),
        ("an object is no text", "{ headers: gold }", false),
        ("code units are compared, not looks", "{ accent: \"\u{E9}a\" }", false),
        ("half a character is a prefix", "{ accent: { prefix: e } }", true),
        ("any", "{ any: [{ region: us }, { region: eu }] }", true),
        ("any of none that holds", "{ any: [{ region: us }, { region: asia }] }", false),
        ("all", "{ all: [{ region: eu }, { not: { region: us } }] }", true),
        ("an expression", "{ expr: \"=event.attempt > 2\" }", true),
        ("an expression that has no verdict", "{ expr: \"=event.missing > 2\" }", false),
        ("not an expression that has no verdict", "{ not: { expr: \"=event.missing > 2\" } }", false),
        ("a verdict that does not depend on one", "{ any: [{ expr: \"=1\" }, { region: eu }] }", true),
    ])
    func anEventPassesOrNot(_ row: (name: String, filter: String, passes: Bool)) throws {
        #expect(try Self.passes(row.filter) == row.passes, "\(row.name)")
    }

    @Test(arguments: [
        ("no condition", "{}"), ("an attribute without a text", "{ type: {} }"),
        ("an empty text", "{ type: \"\" }"), ("an empty prefix", "{ type: { prefix: \"\" } }"),
        ("a dialect without attributes", "{ suffix: {} }"), ("an empty list", "{ any: [] }"),
        ("an empty list of all", "{ all: [] }"), ("an empty condition in a list", "{ all: [{}] }"),
        ("an unknown dialect", "{ type: { infix: x } }"), ("a list for an attribute", "{ type: [a, b] }"),
        ("an expression without its mark", "{ expr: data.total > 1 }"), ("not without a condition", "{ not: {} }"),
    ])
    func aFilterThatWouldLetEverythingPassIsRefused(_ row: (name: String, filter: String)) throws {
        #expect(try !Self.read(row.filter).log.isAcceptable, "\(row.name)")
    }

    // MARK: - Against a reference

    /// True, false and neither as numbers: all is the least, any the greatest, not the opposite (Kleene).
    private indirect enum Tree {
        case leaf(Int)
        case all([Tree])
        case any([Tree])
        case not(Tree)

        init(depth: Int, _ random: inout SeededGenerator) {
            switch depth == 0 ? 0 : Int.random(in: 0..<4, using: &random) {
            case 1: self = .all(Self.some(depth, &random))
            case 2: self = .any(Self.some(depth, &random))
            case 3: self = .not(Tree(depth: depth - 1, &random))
            default: self = .leaf(Int.random(in: -1...1, using: &random))
            }
        }

        private static func some(_ depth: Int, _ random: inout SeededGenerator) -> [Tree] {
            (0..<Int.random(in: 1...4, using: &random)).map { _ in Tree(depth: depth - 1, &random) }
        }

        var value: Int {
            switch self {
            case .leaf(let value): value
            case .all(let trees): trees.map(\.value).min() ?? 1
            case .any(let trees): trees.map(\.value).max() ?? -1
            case .not(let tree): -tree.value
            }
        }

        var text: String {
            switch self {
            case .leaf(1): "{ region: eu }"
            case .leaf(-1): "{ region: { suffix: us } }"
            case .leaf: "{ expr: \"=event.missing > 1\" }"
            case .all(let trees): "{ all: [\(trees.map(\.text).joined(separator: ", "))] }"
            case .any(let trees): "{ any: [\(trees.map(\.text).joined(separator: ", "))] }"
            case .not(let tree): "{ not: \(tree.text) }"
            }
        }
    }

    @Test(arguments: (0..<6).map { UInt64(0xF1_7E00 + $0) })
    func combinationsAreThoseOfKleenesLogic(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<100 {
            let tree = Tree(depth: 4, &random)
            let (filter, log) = try Self.read(tree.text)
            try #require(log.diagnostics.isEmpty, "seed \(seed): \(tree.text)")
            let verdict = filter.verdict(event: Self.event, scope: MapScope(["event": .context(Self.event)]))
            let found =
                switch verdict {
                case .pass: 1
                case .stop: -1
                case .undecided: 0
                }
            #expect(found == tree.value, "seed \(seed): \(tree.text)")
        }
    }
}

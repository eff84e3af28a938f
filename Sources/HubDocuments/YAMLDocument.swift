import Values
import Yams

/// Reads YAML strictly: what another reader could take differently is refused.
///
/// Scalars are resolved by the core schema of YAML 1.2. Tags, merge keys, several documents in one file, keys that are
/// not text and duplicate keys are errors. Size, depth and aliases are bounded, so that no document can exhaust memory.
public enum YAMLDocument {
    /// The largest text read: 1 MiB.
    public static let bytesMax = 1 << 20
    /// The deepest nesting read.
    public static let depthMax = 64
    /// The largest number of nodes, aliases expanded.
    public static let nodesMax = 100_000
    /// The largest number of aliases (`*name`) in a document; more could expand beyond any bound before it is counted.
    public static let aliasesMax = 24

    /// Parses one document; nil when it is unusable, with the reason in `log`.
    ///
    /// An empty text is an empty mapping.
    public static func parse(_ text: String, log: DiagnosticLog) -> DocumentNode? {
        guard Self.isWithinBounds(text, log: log) else { return nil }
        do {
            let parser = try Parser(yaml: text, resolver: .basic, encoding: .utf8)
            guard let root = try parser.singleRoot() else {
                return DocumentNode(.mapping([]), at: DocumentPosition(line: 1, column: 1))
            }
            var builder = NodeBuilder(log: log)
            return builder.build(root, depth: 0)
        } catch let error as YamlError {
            Self.report(error, log: log)
        } catch {
            log.error(.syntax, "The document cannot be read as YAML.")
        }
        return nil
    }

    private static func isWithinBounds(_ text: String, log: DiagnosticLog) -> Bool {
        guard text.utf8.count <= Self.bytesMax else {
            log.error(
                .tooLarge, "Expected a document of at most \(Self.bytesMax) bytes but it has \(text.utf8.count).",
                remedy: "Split it into several files.")
            return false
        }
        var aliases = 0
        var flowDepth = 0
        var previous = UInt8(ascii: "\n")
        var isStar = false
        for byte in text.utf8 {
            if isStar, byte > UInt8(ascii: " "), byte != UInt8(ascii: ".") { aliases += 1 }
            isStar = byte == UInt8(ascii: "*") && Self.precedesAlias(previous)
            switch byte {
            case UInt8(ascii: "["), UInt8(ascii: "{"): flowDepth += 1
            case UInt8(ascii: "]"), UInt8(ascii: "}"): flowDepth = max(0, flowDepth - 1)
            default: break
            }
            previous = byte
            guard flowDepth <= 4 * Self.depthMax else {
                log.error(
                    .tooLarge, "The document is nested too deeply.", remedy: "Nest at most \(Self.depthMax) levels.")
                return false
            }
        }
        guard aliases <= Self.aliasesMax else {
            log.error(
                .tooLarge, "Expected at most \(Self.aliasesMax) aliases (*name) but found \(aliases).",
                remedy: "Write the repeated parts out, or quote texts that begin with an asterisk.")
            return false
        }
        return true
    }

    private static func precedesAlias(_ byte: UInt8) -> Bool {
        byte <= UInt8(ascii: " ") || [UInt8(ascii: "["), UInt8(ascii: "{"), UInt8(ascii: ",")].contains(byte)
    }

    /// Notes a parser error without quoting the document, which may hold secrets.
    private static func report(_ error: YamlError, log: DiagnosticLog) {
        switch error {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _):
            let detail = context.map { $0.text + ": " + problem } ?? problem
            log.error(.syntax, "Not valid YAML: \(detail).", at: DocumentPosition(mark))
        case .composer(_, let problem, let mark, _):
            let isSecond = problem.contains("another document")
            log.error(
                isSecond ? .unsupportedYAML : .syntax,
                isSecond ? "Expected one document but found a second one." : "Not valid YAML: \(problem).",
                remedy: isSecond ? "Put each document into a file of its own." : nil, at: DocumentPosition(mark))
        case .duplicatedKeysInMapping(let duplicates, let context):
            let keys = duplicates.map { "\"\($0)\"" }.joined(separator: ", ")
            log.error(
                .duplicateKey, "Expected unique keys but found \(keys) more than once in one mapping.",
                remedy: "Remove or rename one of them.", at: DocumentPosition(context.mark))
        default:
            log.error(
                .syntax, "The document has characters that YAML does not allow.", remedy: "Save it as plain UTF-8 text."
            )
        }
    }
}

extension DocumentPosition {
    fileprivate init(_ mark: Mark) {
        self.init(line: mark.line, column: mark.column)
    }
}

/// Turns the parser's nodes into ours and checks what the parser does not.
private struct NodeBuilder {
    let log: DiagnosticLog
    var count = 0

    mutating func build(_ node: Node, depth: Int) -> DocumentNode? {
        let position = node.mark.map { DocumentPosition($0) } ?? DocumentPosition(line: 1, column: 1)
        self.count += 1
        guard depth <= YAMLDocument.depthMax, self.count <= YAMLDocument.nodesMax else {
            if self.count <= YAMLDocument.nodesMax {
                self.log.error(
                    .tooLarge, "The document is nested too deeply.",
                    remedy: "Nest at most \(YAMLDocument.depthMax) levels.", at: position)
            } else if self.count == YAMLDocument.nodesMax + 1 {
                self.log.error(.tooLarge, "Expected at most \(YAMLDocument.nodesMax) nodes.", at: position)
            }
            return nil
        }
        switch node {
        case .scalar(let scalar):
            return self.build(scalar, at: position)
        case .sequence(let sequence):
            self.refuseTag(sequence.tag, at: position)
            var items: [DocumentNode] = []
            for item in sequence {
                guard let built = self.build(item, depth: depth + 1) else { return nil }
                items.append(built)
            }
            return DocumentNode(.list(items), at: position)
        case .mapping(let mapping):
            self.refuseTag(mapping.tag, at: position)
            return self.build(mapping, at: position, depth: depth)
        case .alias:
            self.log.error(.unsupportedYAML, "The alias stands for nothing.", at: position)
            return nil
        }
    }

    private mutating func build(_ mapping: Node.Mapping, at position: DocumentPosition, depth: Int) -> DocumentNode? {
        var entries: [DocumentNode.Entry] = []
        for (key, value) in mapping {
            let keyPosition = key.mark.map { DocumentPosition($0) } ?? position
            guard case .scalar(let scalar) = key else {
                self.log.error(.unsupportedYAML, "Expected text as a key but found a collection.", at: keyPosition)
                return nil
            }
            if scalar.string == "<<", scalar.style == .plain {
                self.log.error(
                    .unsupportedYAML, "Merge keys (<<) are not read.", remedy: "Write the merged entries out.",
                    at: keyPosition)
                return nil
            }
            guard let built = self.build(value, depth: depth + 1) else { return nil }
            entries.append(DocumentNode.Entry(key: scalar.string, position: keyPosition, value: built))
        }
        return DocumentNode(.mapping(entries), at: position)
    }

    private func build(_ scalar: Node.Scalar, at position: DocumentPosition) -> DocumentNode? {
        guard scalar.style == .plain || scalar.style == .any else {
            self.refuseTag(scalar.tag, at: position)
            return DocumentNode(.string(scalar.string), at: position)
        }
        guard scalar.tag.rawValue.isEmpty else {
            self.refuse(scalar.tag, at: position)
            return DocumentNode(.string(scalar.string), at: position)
        }
        guard let content = CoreSchema.resolve(scalar.string) else {
            self.log.error(
                .invalidValue, "\"\(scalar.string)\" is not a number that can be kept exactly.",
                remedy: "Quote it if it is meant as text.", at: position)
            return DocumentNode(.null, at: position)
        }
        return DocumentNode(content, at: position)
    }

    private func refuseTag(_ tag: Tag, at position: DocumentPosition) {
        // Quoted scalars carry the tag of text by themselves.
        guard !tag.rawValue.isEmpty, tag.rawValue != Tag.Name.str.rawValue else { return }
        self.refuse(tag, at: position)
    }

    private func refuse(_ tag: Tag, at position: DocumentPosition) {
        self.log.error(
            .unsupportedYAML, "Tags (\(tag.rawValue)) are not read.", remedy: "Remove the tag.", at: position)
    }
}

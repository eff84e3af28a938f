public import Decisions
public import Values

/// What became of a DMN document.
public struct DMNImportResult: Sendable {
    /// The model; nil when a finding forbids one.
    ///
    /// A model may come with errors: what they are about is null when evaluated, with a warning.
    public let model: DecisionModel?
    /// Everything found, in document order.
    public let diagnostics: [Diagnostic]

    /// Whether the document must not be deployed.
    public var isRefused: Bool { model == nil || diagnostics.contains { $0.severity == .error } }
}

/// Reads DMN 1.1 to 1.6 XML, with whatever prefix and with or without diagrams, into decision models.
public enum DMNImporter {
    /// Reads a document.
    ///
    /// Never throws and never stops at the first problem, except that a document that is no DMN has one finding.
    /// Takes time and memory linear in the document; documents above 16 MiB or nested deeper than 256 are refused.
    ///
    /// - Parameters:
    ///   - bytes: The document in any encoding its declaration names.
    ///   - file: How findings call the document.
    ///   - imports: The models it may import, by their namespaces.
    public static func read(
        _ bytes: [UInt8], file: String?, imports: [String: DecisionModel] = [:]
    ) -> DMNImportResult {
        let (definitions, findings) = parse(bytes, file: file)
        guard let definitions else { return DMNImportResult(model: nil, diagnostics: findings) }
        return compile(definitions, findings, imports: imports)
    }

    /// Reads several documents that may import each other, in whatever order.
    ///
    /// - Returns: A result for each document, at its position. Imports that form a cycle are refused.
    public static func read(all documents: [(bytes: [UInt8], file: String?)]) -> [DMNImportResult] {
        let parsed = documents.map { parse($0.bytes, file: $0.file) }
        var order = ImportOrder(parsed.map(\.definitions))
        var models: [String: DecisionModel] = [:]
        var results = parsed.map { DMNImportResult(model: nil, diagnostics: $0.findings) }
        for position in order.sorted() {
            guard let definitions = parsed[position].definitions else { continue }
            var findings = parsed[position].findings
            if let reference = order.cycles[position] {
                findings.append(
                    Diagnostic(
                        code: DMNCode.cyclicImports.rawValue, severity: .error,
                        message: "The import of '\(reference.namespace)' leads back to this model.",
                        remedy: "move what both need into a third model", file: documents[position].file,
                        line: reference.place.line, elementID: reference.place.id))
                results[position] = DMNImportResult(model: nil, diagnostics: findings)
                continue
            }
            results[position] = compile(definitions, findings, imports: models)
            if let model = results[position].model { models[model.namespace] = model }
        }
        return results
    }

    /// The namespaces a document imports; empty when it is no DMN.
    public static func importedNamespaces(_ bytes: [UInt8]) -> [String] {
        parse(bytes, file: nil).definitions?.imports.map(\.namespace) ?? []
    }

    private static func compile(
        _ definitions: DMNDefinitions, _ findings: [Diagnostic], imports: [String: DecisionModel]
    ) -> DMNImportResult {
        let isFatal = findings.contains { DMNCode(rawValue: $0.code)?.isFatal == true }
        if isFatal { return DMNImportResult(model: nil, diagnostics: findings) }
        let (model, more) = DecisionModel.compile(definitions, imports: imports)
        let all = (findings + more).enumerated().sorted { left, right in
            let lines = (left.element.line ?? 0, right.element.line ?? 0)
            return lines.0 == lines.1 ? left.offset < right.offset : lines.0 < lines.1
        }
        return DMNImportResult(model: model, diagnostics: all.map(\.element))
    }

    private static func parse(
        _ bytes: [UInt8], file: String?
    ) -> (definitions: DMNDefinitions?, findings: [Diagnostic]) {
        let document: XMLDocument
        do {
            document = try XMLDocument(bytes)
        } catch {
            let finding = error.diagnostic(file: file)
            return (
                nil,
                [
                    Diagnostic(
                        code: DMNCode.malformedXML.rawValue, severity: .error, message: finding.message,
                        remedy: finding.remedy, file: file, line: finding.line, column: finding.column)
                ]
            )
        }
        var reader = DMNReader(document: document, file: file)
        let definitions = reader.read()
        return (definitions, reader.findings)
    }
}

extension DMNImporter {
    /// Every code a finding can have; each has a page in `docs/errors`.
    public static var diagnosticCodes: [String] { DMNCode.allCases.map(\.rawValue) }
}

/// The order in which documents are compiled: imported ones first.
private struct ImportOrder {
    let definitions: [DMNDefinitions?]
    /// The import of each document that leads back to itself.
    private(set) var cycles: [Int: DMNImport] = [:]
    private var positions: [String: Int] = [:]

    init(_ definitions: [DMNDefinitions?]) {
        self.definitions = definitions
        for (position, document) in definitions.enumerated() {
            if let document, positions[document.namespace] == nil { positions[document.namespace] = position }
        }
    }

    mutating func sorted() -> [Int] {
        var order: [Int] = []
        var state = [UInt8](repeating: 0, count: definitions.count)
        for start in definitions.indices where state[start] == 0 {
            var path: [(document: Int, next: Int)] = [(start, 0)]
            state[start] = 1
            while let (document, next) = path.last {
                let imports = definitions[document]?.imports ?? []
                guard next < imports.count else {
                    state[document] = 2
                    order.append(document)
                    path.removeLast()
                    continue
                }
                path[path.count - 1].next += 1
                guard let imported = positions[imports[next].namespace] else { continue }
                switch state[imported] {
                case 0:
                    state[imported] = 1
                    path.append((imported, 0))
                case 1: cycles[document] = imports[next]
                default: continue
                }
            }
        }
        return order
    }
}

internal import CXML
internal import ConnectorKit
internal import Synchronization

/// Validates messages by the schema of a service: libxml2's validator behind the bounded reader.
final class SchemaValidator: Sendable {
    /// Attributes by which binaries name their media type; services refer to them without a document.
    static let mimeNamespace = "http://www.w3.org/2005/05/xmlmime"
    private static let findingsMax = 5

    /// Only the one who holds the lock uses the schema; it lives as long as this object.
    private struct Handle: @unchecked Sendable {
        let schema: OpaquePointer
    }

    private let handle: Mutex<Handle>

    /// Compiles the schema of a service.
    ///
    /// - Throws: `ConnectorError` when the schema is wrong.
    init(_ service: SOAPService) throws(ConnectorError) {
        let sources: [(location: String, bytes: [UInt8])]
        do {
            sources = try SchemaSources.make(of: service)
        } catch {
            throw Self.unusable(["it holds a character that XML has no form for"])
        }
        var error = cxml_error()
        var report: [String] = []
        let schema = Self.withSources(sources) { pointer in
            Self.collect(into: &report) { findings in
                cxml_schema_compile(
                    pointer.baseAddress, pointer.count, XMLParser.limits(bytes: 64 << 20), &findings, &error)
            }
        }
        guard let schema else {
            throw Self.unusable(report.isEmpty ? [XMLFailure(error).description] : report)
        }
        self.handle = Mutex(Handle(schema: schema))
    }

    deinit {
        self.handle.withLock { cxml_schema_free($0.schema) }
    }

    /// What is wrong with the element at `index`, in document order, of a document; nothing when it is valid.
    func findings(_ bytes: [UInt8], element index: Int32 = 0) throws(XMLFailure) -> [String] {
        var error = cxml_error()
        var report: [String] = []
        let status = self.handle.withLock { handle in
            bytes.withUnsafeBufferPointer { buffer in
                Self.collect(into: &report) { findings in
                    cxml_schema_validate(
                        handle.schema, buffer.baseAddress, buffer.count, index, XMLParser.limits(bytes: buffer.count),
                        &findings, &error)
                }
            }
        }
        guard status == CXML_OK else { throw XMLFailure(error) }
        return report
    }

    private static func unusable(_ reasons: [String]) -> ConnectorError {
        ConnectorError(
            .validation, code: SOAPErrors.Code.schema,
            "The schema of the description cannot be used to validate: \(reasons.joined(separator: " "))",
            remedy: "Correct the schema, or set validate: none in the connection.")
    }

    // MARK: - Pointers

    private static func collect<Result>(
        into report: inout [String], _ body: (inout cxml_findings) -> Result
    ) -> Result {
        var items = [cxml_finding](repeating: cxml_finding(), count: Self.findingsMax)
        let (result, total) = items.withUnsafeMutableBufferPointer { buffer in
            var findings = cxml_findings(items: buffer.baseAddress, capacity: Int32(buffer.count), total: 0)
            let result = body(&findings)
            return (result, Int(findings.total))
        }
        for item in items.prefix(total) {
            let message = withUnsafeBytes(of: item.message) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            let place = item.line > 0 ? "Line \(item.line): " : ""
            report.append(place + Self.shortened(message))
        }
        if total > items.count { report.append("And \(total - items.count) more.") }
        return result
    }

    /// A message with its quoted values cut: they are the payload's.
    private static func shortened(_ message: String) -> String {
        message.split(separator: "'", omittingEmptySubsequences: false).enumerated().map { index, piece in
            index % 2 == 1 && piece.count > 60 ? piece.prefix(40) + "…" : piece
        }.joined(separator: "'")
    }

    /// Gives `body` the sources as C sees them.
    private static func withSources<Result>(
        _ sources: [(location: String, bytes: [UInt8])],
        _ body: (UnsafeBufferPointer<cxml_schema_source>) -> Result
    ) -> Result {
        var pool: [UInt8] = []
        var places: [(location: Int, bytes: Int, count: Int)] = []
        for source in sources {
            let location = pool.count
            pool += source.location.utf8
            pool.append(0)
            places.append((location, pool.count, source.bytes.count))
            pool += source.bytes
        }
        return pool.withUnsafeBytes { raw in
            let items = places.compactMap { place -> cxml_schema_source? in
                guard let base = raw.baseAddress else { return nil }
                return cxml_schema_source(
                    location: base.advanced(by: place.location).assumingMemoryBound(to: CChar.self),
                    bytes: base.advanced(by: place.bytes).assumingMemoryBound(to: UInt8.self), count: place.count)
            }
            return items.withUnsafeBufferPointer(body)
        }
    }
}

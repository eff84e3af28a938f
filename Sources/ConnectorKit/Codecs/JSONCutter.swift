internal import Values

/// Cuts a JSON document: the elements of a top-level array are a record each, anything else is one record.
///
/// Elements are found by brackets and strings alone and parsed one by one, so a broken element leaves its neighbours
/// alone as long as its brackets and quotes balance, or are closed by those around them.
struct JSONCutter: Sendable {
    private var position: Int
    private var line = 1
    private var phase = Phase.start
    private let maximum: Int

    private enum Phase: Sendable {
        case start, element, afterElement, done
    }

    init(_ bytes: [UInt8], _ decoding: RecordDecoding) {
        self.position = bytes.contentStart
        self.maximum = decoding.recordBytesMaximum
    }

    static func decode(_ bytes: ArraySlice<UInt8>, line: Int, maximum: Int) -> SourceEvent.Body {
        guard bytes.count <= maximum else {
            return .undecodable(
                .init(line: line, reason: "The record has \(bytes.count) bytes; at most \(maximum) are allowed."))
        }
        do {
            return .value(try JSON.parse(bytes))
        } catch {
            return .undecodable(
                .init(line: line + error.line - 1, column: error.column, reason: "\(error.message)"))
        }
    }

    mutating func next(_ bytes: [UInt8]) -> DecodedRecord? {
        if self.phase == .start {
            self.skipBlanks(bytes)
            guard self.position < bytes.count, bytes[self.position] == UInt8(ascii: "[") else {
                self.phase = .done
                let range = self.position..<bytes.count
                let body = Self.decode(bytes[range], line: self.line, maximum: self.maximum)
                return DecodedRecord(range: range, line: self.line, body: body, isWholeDocument: true)
            }
            self.position += 1
            self.skipBlanks(bytes)
            if self.position < bytes.count, bytes[self.position] == UInt8(ascii: "]") {
                self.position += 1
                return self.finish(bytes)
            }
            self.phase = .element
        }
        if self.phase == .afterElement {
            // `position` is on the comma or the closing bracket that ended the element.
            let isEnd = bytes[self.position] == UInt8(ascii: "]")
            self.position += 1
            if isEnd { return self.finish(bytes) }
            self.phase = .element
        }
        guard self.phase == .element else { return nil }
        self.skipBlanks(bytes)
        let start = self.position
        let line = self.line
        let isClosed = self.skipElement(bytes)
        self.phase = isClosed ? .afterElement : .done
        var end = self.position
        while end > start, Self.isBlank(bytes[end - 1]) { end -= 1 }
        var body: SourceEvent.Body
        if start == end {
            body = .undecodable(.init(line: line, reason: "Expected an element of the array but found none."))
        } else {
            body = Self.decode(bytes[start..<end], line: line, maximum: self.maximum)
            if case .undecodable(var finding) = body, finding.line == line, let column = finding.column {
                // Counted from the start of the element so far; other elements may stand before it on its line.
                finding.column = column + start - bytes.lineStart(of: start)
                body = .undecodable(finding)
            }
        }
        if !isClosed, case .value = body {
            // A complete element, then the end of the document: the array was cut off after it.
            body = .undecodable(.init(line: line, reason: "The array is never closed; the document is cut off."))
        }
        return DecodedRecord(range: start..<end, line: line, body: body, isWholeDocument: false)
    }

    /// After the array: only blanks may follow.
    private mutating func finish(_ bytes: [UInt8]) -> DecodedRecord? {
        self.phase = .done
        self.skipBlanks(bytes)
        guard self.position < bytes.count else { return nil }
        return DecodedRecord(
            range: self.position..<bytes.count, line: self.line,
            body: .undecodable(.init(line: self.line, reason: "Expected the end of the document after the array.")),
            isWholeDocument: false)
    }

    /// Moves to the comma or bracket that ends the element.
    ///
    /// Returns false at the end of the document.
    private mutating func skipElement(_ bytes: [UInt8]) -> Bool {
        var open: [UInt8] = []
        var isString = false
        while self.position < bytes.count {
            let byte = bytes[self.position]
            if isString {
                switch byte {
                case UInt8(ascii: "\\"):
                    self.position += 1
                    if self.position < bytes.count, bytes[self.position] == UInt8(ascii: "\n") { self.line += 1 }
                case UInt8(ascii: "\""): isString = false
                case UInt8(ascii: "\n"):
                    // No JSON string holds a line end: the quote was lost.
                    isString = false
                    self.line += 1
                default: break
                }
                self.position += 1
                continue
            }
            switch byte {
            case UInt8(ascii: "\n"): self.line += 1
            case UInt8(ascii: "\""): isString = true
            case UInt8(ascii: "{"), UInt8(ascii: "["): open.append(byte)
            case UInt8(ascii: ","):
                if open.isEmpty { return true }
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                let opener = byte == UInt8(ascii: "}") ? UInt8(ascii: "{") : UInt8(ascii: "[")
                if let match = open.lastIndex(of: opener) {
                    open.removeSubrange(match...)
                } else if byte == UInt8(ascii: "]") {
                    return true
                }
            default: break
            }
            self.position += 1
        }
        self.position = bytes.count
        return false
    }

    private mutating func skipBlanks(_ bytes: [UInt8]) {
        while self.position < bytes.count, Self.isBlank(bytes[self.position]) {
            if bytes[self.position] == UInt8(ascii: "\n") { self.line += 1 }
            self.position += 1
        }
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
    }
}

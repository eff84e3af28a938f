import ConnectorKit
import Values

/// Turns answers into what expressions see as `response`.
enum AnswerReader {
    /// Why a body cannot be read.
    struct Failure: Error {
        var message: String
    }

    /// `response`: `status`, `headers`, `body`, and `headersJson` for fields that hold JSON.
    ///
    /// - Parameter isLenient: A body that is not what it says becomes text instead of an error.
    static func value(
        _ response: SpecResponse, _ decoding: ResponseSpec.Decoding, isLenient: Bool
    ) throws(Failure) -> Value {
        var headers = ValueContext()
        var decoded = ValueContext()
        for field in response.headers {
            if let earlier = headers[field.name]?.asString {
                headers[field.name] = .string(earlier + (field.name == "set-cookie" ? "\n" : ", ") + field.value)
            } else {
                headers[field.name] = .string(field.value)
            }
            if field.value.hasPrefix("{") || field.value.hasPrefix("["), let json = try? JSON.parse(field.value) {
                decoded[field.name] = json
            }
        }
        let body: Value
        do {
            // What failed is told in XML where answers are XML or bytes.
            let isXML = isLenient && (response.header("content-type") ?? "").contains("/xml")
            body = try Self.body(response, isXML ? .xml : decoding)
        } catch {
            guard isLenient else { throw error }
            body = Self.text(response.body)
        }
        return [
            "status": .number(Number(Int64(response.status))), "headers": .context(headers),
            "headersJson": .context(decoded), "body": body,
        ]
    }

    private static func body(_ response: SpecResponse, _ decoding: ResponseSpec.Decoding) throws(Failure) -> Value {
        let bytes = response.body
        if bytes.isEmpty { return .null }
        switch decoding {
        case .none: return .null
        case .base64: return .string(Base64.encode(bytes))
        case .json: return try Self.json(bytes)
        case .xml: return try Self.xml(bytes)
        case .ndjson:
            var items: [Value] = []
            for line in bytes.split(separator: UInt8(ascii: "\n")) {
                if line.allSatisfy({ $0 == 0x20 || $0 == 0x0D || $0 == 0x09 }) { continue }
                items.append(try Self.json(Array(line)))
            }
            return .list(items)
        case .text:
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw Failure(message: "Expected UTF-8 text.")
            }
            return .string(text)
        case .auto:
            let type = (response.header("content-type") ?? "").prefix { $0 != ";" && $0 != " " }.lowercased()
            let first = bytes.first { $0 > 0x20 }
            let looksLikeJSON = first == UInt8(ascii: "{") || first == UInt8(ascii: "[")
            if type.hasSuffix("json") || (type.isEmpty && looksLikeJSON) || type.contains("x-amz-json") {
                return try Self.json(bytes)
            }
            return Self.text(bytes)
        }
    }

    private static func xml(_ bytes: [UInt8]) throws(Failure) -> Value {
        do {
            return try XMLCodec.parse(bytes)
        } catch {
            throw Failure(message: "Expected XML: \(error.reason) (line \(error.line)).")
        }
    }

    private static func json(_ bytes: [UInt8]) throws(Failure) -> Value {
        do {
            return try JSON.parse(bytes)
        } catch {
            throw Failure(message: "Expected JSON: \(error).")
        }
    }

    private static func text(_ bytes: [UInt8]) -> Value {
        if bytes.isEmpty { return .null }
        return .string(String(validating: bytes, as: UTF8.self) ?? Base64.encode(bytes))
    }
}

extension Value {
    func writeJSON(into bytes: inout [UInt8]) {
        switch self {
        case .null, .range, .function:
            bytes.append(contentsOf: JSONText.null)
        case .boolean(let flag):
            bytes.append(contentsOf: flag ? JSONText.true : JSONText.false)
        case .number(let number):
            number.write(into: &bytes)
        case .string(let text):
            JSONText.write(text, into: &bytes)
        case .list(let elements):
            bytes.append(0x5B)
            var isFirst = true
            for element in elements {
                if isFirst { isFirst = false } else { bytes.append(0x2C) }
                element.writeJSON(into: &bytes)
            }
            bytes.append(0x5D)
        case .context(let context):
            bytes.append(0x7B)
            var isFirst = true
            for entry in context.entries {
                if isFirst { isFirst = false } else { bytes.append(0x2C) }
                JSONText.write(entry.key, into: &bytes)
                bytes.append(0x3A)
                entry.value.writeJSON(into: &bytes)
            }
            bytes.append(0x7D)
        case .date, .time, .dateTime, .yearMonthDuration, .dayTimeDuration:
            JSONText.write(self.temporalText ?? "", into: &bytes)
        }
    }

    /// The ISO 8601 text of a temporal value, nil for any other.
    public var temporalText: String? {
        switch self {
        case .date(let date): date.description
        case .time(let time): time.description
        case .dateTime(let dateTime): dateTime.description
        case .yearMonthDuration(let duration): duration.description
        case .dayTimeDuration(let duration): duration.description
        default: nil
        }
    }

    func writePrettyJSON(into bytes: inout [UInt8], indentation: Int) {
        switch self {
        case .list(let elements) where !elements.isEmpty:
            bytes.append(0x5B)
            for (index, element) in elements.enumerated() {
                if index > 0 { bytes.append(0x2C) }
                JSONText.writeNewline(indentation: indentation + 1, into: &bytes)
                element.writePrettyJSON(into: &bytes, indentation: indentation + 1)
            }
            JSONText.writeNewline(indentation: indentation, into: &bytes)
            bytes.append(0x5D)
        case .context(let context) where !context.isEmpty:
            bytes.append(0x7B)
            for (index, entry) in context.entries.enumerated() {
                if index > 0 { bytes.append(0x2C) }
                JSONText.writeNewline(indentation: indentation + 1, into: &bytes)
                JSONText.write(entry.key, into: &bytes)
                bytes.append(0x3A)
                bytes.append(0x20)
                entry.value.writePrettyJSON(into: &bytes, indentation: indentation + 1)
            }
            JSONText.writeNewline(indentation: indentation, into: &bytes)
            bytes.append(0x7D)
        default:
            self.writeJSON(into: &bytes)
        }
    }
}

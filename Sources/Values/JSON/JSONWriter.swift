/// Writes one JSON text piece by piece, for responses that are never a `Value`.
///
/// The writer places commas. It does not check that objects and arrays are closed or that members have keys: the caller
/// writes a fixed shape.
public struct JSONWriter: Sendable {
    /// What has been written so far.
    public private(set) var bytes: [UInt8]
    /// Whether the next key, or the next value outside an object, needs a comma before it.
    private var needsComma = false

    /// Creates a writer with room for `capacity` bytes.
    public init(capacity: Int = 256) {
        self.bytes = []
        self.bytes.reserveCapacity(capacity)
    }

    /// The text so far.
    public var string: String { String(decoding: self.bytes, as: UTF8.self) }

    /// Opens an object.
    public mutating func beginObject() {
        self.separate()
        self.bytes.append(0x7B)
        self.needsComma = false
    }

    /// Closes the innermost object.
    public mutating func endObject() {
        self.bytes.append(0x7D)
        self.needsComma = true
    }

    /// Opens an array.
    public mutating func beginArray() {
        self.separate()
        self.bytes.append(0x5B)
        self.needsComma = false
    }

    /// Closes the innermost array.
    public mutating func endArray() {
        self.bytes.append(0x5D)
        self.needsComma = true
    }

    /// Writes the key of the next value.
    public mutating func key(_ key: String) {
        self.separate()
        JSONText.write(key, into: &self.bytes)
        self.bytes.append(0x3A)
        self.needsComma = false
    }

    /// Writes a string.
    public mutating func value(_ text: String) {
        self.separate()
        JSONText.write(text, into: &self.bytes)
        self.needsComma = true
    }

    /// Writes an integer.
    public mutating func value(_ integer: Int64) {
        self.separate()
        Number(integer).write(into: &self.bytes)
        self.needsComma = true
    }

    /// Writes an integer.
    public mutating func value(_ integer: Int) {
        self.value(Int64(integer))
    }

    /// Writes a boolean.
    public mutating func value(_ flag: Bool) {
        self.separate()
        self.bytes.append(contentsOf: flag ? JSONText.true : JSONText.false)
        self.needsComma = true
    }

    /// Writes a key as a string of digits, as the API wants keys.
    public mutating func value(_ key: Key) {
        self.value(key.description)
    }

    /// Writes a value.
    public mutating func value(_ value: Value) {
        self.separate()
        value.writeJSON(into: &self.bytes)
        self.needsComma = true
    }

    /// Writes `null`.
    public mutating func null() {
        self.separate()
        self.bytes.append(contentsOf: JSONText.null)
        self.needsComma = true
    }

    /// Writes bytes that are one JSON value already.
    public mutating func raw(_ json: some Collection<UInt8>) {
        self.separate()
        self.bytes.append(contentsOf: json)
        self.needsComma = true
    }

    private mutating func separate() {
        if self.needsComma { self.bytes.append(0x2C) }
    }
}

internal import Values

/// The key that lets a remote recognise a repeated call: stable over retries, crash and failover, new for a new
/// logical attempt.
///
/// Derived, never drawn: from the process instance, the element instance and the epoch of the logical attempt. The
/// epoch grows only when somebody decides that the effect shall happen again (an operator's redrive with a new key).
/// The engine stores the epoch before the first send.
public struct IdempotencyKey: Sendable, Hashable, CustomStringConvertible {
    /// Key of the process instance.
    public let instance: UInt64
    /// Key of the element instance; unique in a cluster by itself.
    public let element: UInt64
    /// Number of the logical attempt, from 0.
    public let epoch: UInt32
    /// Tells installations apart that call the same remote; empty when there is one.
    public let namespace: String

    /// Derives the key.
    public init(namespace: String = "", instance: UInt64, element: UInt64, epoch: UInt32 = 0) {
        self.namespace = namespace
        self.instance = instance
        self.element = element
        self.epoch = epoch
    }

    /// `[namespace-]instance-element-epoch`: different keys have different texts.
    public var description: String {
        (self.namespace.isEmpty ? "" : self.namespace + "-") + "\(self.instance)-\(self.element)-\(self.epoch)"
    }

    /// The key as a UUID of version 8 (RFC 9562), for remotes that accept nothing else.
    ///
    /// Holds the element key's 63 bits and the epoch in full, so two calls of one installation never share one, and
    /// 27 bits that depend on the namespace and the instance.
    public var uuid: String {
        let salt = self.saltBits
        // 122 free bits: 48 of the element key | 12 more | 62: the last 3 of it, 32 of the epoch, 27 of the salt.
        let element = self.element & 0x7FFF_FFFF_FFFF_FFFF
        let high = (element >> 15) << 16 | 0x8000 | (element >> 3) & 0xFFF
        let low = 0x8000_0000_0000_0000 | (element & 0b111) << 59 | UInt64(self.epoch) << 27 | salt
        let digits = Self.hex(high) + Self.hex(low)
        var text = ""
        text.reserveCapacity(36)
        for (index, digit) in digits.enumerated() {
            if index == 8 || index == 12 || index == 16 || index == 20 { text.append("-") }
            text.append(digit)
        }
        return text
    }

    private var saltBits: UInt64 {
        let hash = StableHash.fnv1a64(self.namespace, state: StableHash.mixed(self.instance))
        return StableHash.mixed(hash) & 0x7FF_FFFF
    }

    private static func hex(_ number: UInt64) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

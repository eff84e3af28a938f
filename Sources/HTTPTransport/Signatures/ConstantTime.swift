/// Comparison that takes as long for a near miss as for a far one.
public enum ConstantTime {
    /// Whether both are the same bytes; their length is no secret.
    public static func areEqual(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        guard a.count == b.count else { return false }
        var difference: UInt8 = 0
        for index in a.indices { difference |= a[index] ^ b[index] }
        return difference == 0
    }
}

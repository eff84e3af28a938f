/// Lengths of time and sizes the way people write them in configuration files.
public enum Quantity {
    /// Reads `500ms`, `1.5s`, `5m`, `2h`, `7d`, several in a row (`1h30m`), or `0`.
    ///
    /// `nil` for anything else, and for more than 10,000 years.
    public static func duration(_ text: some StringProtocol) -> Duration? {
        if text == "0" { return .zero }
        var total = Duration.zero
        var rest = text[...]
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
            rest = rest.dropFirst(digits.count)
            let unit = rest.prefix { $0.isASCII && $0.isLetter }
            rest = rest.dropFirst(unit.count)
            guard let nanoseconds = Self.nanoseconds(per: unit),
                let count = Self.scaled(digits, by: nanoseconds), count <= 3_155_760_000_000_000_000
            else { return nil }
            total += .seconds(count / 1_000_000_000) + .nanoseconds(count % 1_000_000_000)
        }
        return total
    }

    /// Reads `512`, `64KiB`, `1MiB`, `2GB`, with or without a blank before the unit: a number of bytes.
    ///
    /// `kB`, `MB`, `GB` are powers of 1,000, `KiB`, `MiB`, `GiB` of 1,024.
    public static func bytes(_ text: some StringProtocol) -> Int? {
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let unit = text.dropFirst(digits.count).drop { $0 == " " }
        let factor: Int64? =
            switch unit {
            case "", "B": 1
            case "kB", "KB": 1_000
            case "MB": 1_000_000
            case "GB": 1_000_000_000
            case "KiB": 1_024
            case "MiB": 1_048_576
            case "GiB": 1_073_741_824
            default: nil
            }
        guard let factor, let count = Self.scaled(digits, by: factor) else { return nil }
        return Int(exactly: count)
    }

    /// Writes `duration` so that it reads well and `duration(_:)` reads it back: `1h30m`, `20s`, `1.5s`, `250ms`.
    public static func text(_ duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        let nanoseconds = attoseconds / 1_000_000_000
        if seconds == 0, nanoseconds == 0 { return "0" }
        if seconds == 0 {
            if nanoseconds % 1_000_000 == 0 { return "\(nanoseconds / 1_000_000)ms" }
            if nanoseconds % 1_000 == 0 { return "\(nanoseconds / 1_000)us" }
            return "\(nanoseconds)ns"
        }
        var text = ""
        var rest = seconds
        for (unit, size) in [("d", 86_400), ("h", 3_600), ("m", 60)] as [(String, Int64)] where rest >= size {
            text += "\(rest / size)\(unit)"
            rest %= size
        }
        if nanoseconds > 0 {
            var fraction = String(nanoseconds + 1_000_000_000).dropFirst()
            while fraction.last == "0" { fraction = fraction.dropLast() }
            text += "\(rest).\(fraction)s"
        } else if rest > 0 {
            text += "\(rest)s"
        }
        return text
    }

    private static func nanoseconds(per unit: some StringProtocol) -> Int64? {
        switch unit {
        case "ns": 1
        case "us": 1_000
        case "ms": 1_000_000
        case "s": 1_000_000_000
        case "m", "min": 60_000_000_000
        case "h": 3_600_000_000_000
        case "d": 86_400_000_000_000
        case "w": 604_800_000_000_000
        default: nil
        }
    }

    /// `digits`, with at most one point, times `factor`; `nil` when that is no number, no whole result or too big.
    private static func scaled(_ digits: some StringProtocol, by factor: Int64) -> Int64? {
        let parts = digits.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count <= 2, let whole = parts.first.flatMap({ Int64($0) }) else { return nil }
        var fraction: Int128 = 0
        if parts.count == 2 {
            guard parts[1].utf8.count <= 18, let decimals = Int64(parts[1]) else { return nil }
            var denominator: Int128 = 1
            for _ in parts[1] { denominator *= 10 }
            let scaled = Int128(decimals) * Int128(factor)
            guard scaled % denominator == 0 else { return nil }
            fraction = scaled / denominator
        }
        return Int64(exactly: Int128(whole) * Int128(factor) + fraction)
    }
}

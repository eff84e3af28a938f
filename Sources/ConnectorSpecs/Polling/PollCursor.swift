import Values

/// How far a poll has come.
struct PollCursor: Sendable {
    let spec: PollSpec

    /// The cursor of an event; `nil` when it has none that can be compared.
    func position(_ value: Value) -> Number? {
        switch self.spec.cursorUnit {
        case .timestamp:
            (value.asString ?? value.temporalText).flatMap { Timestamp.milliseconds($0) }.map { Number($0) }
        case .seconds, .milliseconds, .number:
            value.asNumber
                ?? value.asString.flatMap { text in
                    (try? JSON.parse(text))?.asNumber
                }
        }
    }

    /// A position as expressions see it.
    func value(_ position: Number?) -> Value {
        guard let position else { return .null }
        guard self.spec.cursorUnit == .timestamp else { return .number(position) }
        guard let milliseconds = position.int64 else { return .null }
        // Many services take no fractions of a second; one that is zero says nothing.
        return .string(Timestamp.text(milliseconds).replacing(".000Z", with: "Z"))
    }

    /// `position`, moved back by the lookback.
    func lookingBack(_ position: Number) -> Number { self.moved(position, by: self.spec.lookback) }

    /// Where a source begins at `unixMilliseconds`, as far back as `duration`.
    ///
    /// `nil`, the beginning, for a cursor that is no time.
    func start(unixMilliseconds: Int64, back duration: Duration) -> Number? {
        switch self.spec.cursorUnit {
        case .number: nil
        case .seconds: self.moved(Number(unixMilliseconds / 1_000), by: duration)
        case .milliseconds, .timestamp: self.moved(Number(unixMilliseconds), by: duration)
        }
    }

    private func moved(_ position: Number, by duration: Duration) -> Number {
        let (seconds, attoseconds) = duration.components
        let milliseconds = seconds * 1_000 + attoseconds / 1_000_000_000_000_000
        switch self.spec.cursorUnit {
        case .number: return position
        case .seconds: return position.minus(seconds)
        case .milliseconds, .timestamp: return position.minus(milliseconds)
        }
    }
}

extension Number {
    /// The number less a whole one; the number itself when the result cannot be kept.
    fileprivate func minus(_ amount: Int64) -> Number {
        (self.int64.map { $0.subtractingReportingOverflow(amount) }).flatMap {
            $0.overflow ? nil : Number($0.partialValue)
        }
            ?? Number(self.double - Double(amount)) ?? self
    }
}

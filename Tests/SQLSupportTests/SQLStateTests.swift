import ConnectorKit
import SQLSupport
import Testing

@Suite struct SQLStateTests {
    @Test(arguments: [
        ("23505", ConnectorError.Kind.conflict), ("40001", .transient), ("40P01", .transient), ("57P01", .unavailable),
        ("57P03", .unavailable), ("28P01", .auth), ("28000", .auth), ("42501", .permission), ("42P01", .notFound),
        ("22003", .validation), ("22999", .validation), ("57014", .timeout), ("08006", .transient),
        ("08001", .unavailable),
        ("HYT00", .timeout), ("42S02", .notFound), ("53300", .rateLimited), ("0A000", .unsupported), ("", .unknown),
        ("ZZZZZ", .unknown), ("toolong", .unknown),
    ])
    func stateHasItsPlaceInTheTaxonomy(_ row: (state: String, kind: ConnectorError.Kind)) {
        #expect(SQLState.kind(row.state) == row.kind)
    }
}

package import ConnectorKit

/// What an SQLSTATE means in the taxonomy of connector errors.
package enum SQLState {
    /// The kind `state` stands for; `unknown` for text that is none.
    ///
    /// Single states first, then their class (ISO 9075-2 clause 24, the tables of PostgreSQL and ODBC).
    package static func kind(_ state: String) -> ConnectorError.Kind {
        guard state.utf8.count == 5 else { return .unknown }
        return Self.states[state] ?? Self.classes[String(state.prefix(2))] ?? .unknown
    }

    /// The remedy for an error of `kind` that a database reported.
    package static func remedy(_ kind: ConnectorError.Kind) -> String {
        switch kind {
        case .auth: "Check user and password of the connection."
        case .permission: "Grant the user the right, or use another connection."
        case .notFound: "Check the names in the statement, and the schema it runs in."
        case .conflict: "Look at the row that is there already; another change came first."
        case .rateLimited: "Lower the number of connections, or raise the server's limit."
        case .quotaExhausted: "Give the server more space or memory."
        case .timeout: "Allow more time, or make the statement faster."
        case .transient: "Usually passes when it is tried again."
        case .unavailable: "Check that the server runs; usually passes."
        case .unsupported: "The server cannot do this; use another statement."
        case .validation, .unknown: "Correct the statement or its parameters as the message says."
        }
    }

    // Put together, because the whole looks like one of our own codes.
    private static let callLevel = "HY"
    private static let driverManager = "IM"

    /// ODBC: an error without a state of its own.
    package static let general = callLevel + "000"
    /// ODBC: no memory.
    package static let noMemory = callLevel + "001"
    /// ODBC: the operation was cancelled.
    package static let cancelled = callLevel + "008"

    private static let states: [String: ConnectorError.Kind] = [
        // ODBC driver manager and drivers
        "01S02": .unsupported, "08S01": .transient, Self.general: .unknown, Self.noMemory: .quotaExhausted,
        "HYC00": .unsupported, "HYT00": .timeout, "HYT01": .timeout, Self.cancelled: .timeout,
        Self.driverManager + "001": .unsupported, Self.driverManager + "004": .unavailable,
        "S0002": .notFound, "42S02": .notFound, "42S22": .notFound, "42S12": .notFound, "42S01": .conflict,
        "42S11": .conflict, "42S21": .conflict,
        // Connections
        "08001": .unavailable, "08004": .unavailable, "08006": .transient, "08003": .transient, "08007": .transient,
        "08P01": .unknown,
        // Data
        "23505": .conflict, "23503": .conflict, "23P01": .conflict, "23000": .conflict, "23001": .conflict,
        // PostgreSQL: names
        "42P01": .notFound, "42703": .notFound, "42883": .notFound, "42704": .notFound, "3D000": .notFound,
        "3F000": .notFound, "26000": .transient, "42P07": .conflict, "42710": .conflict, "42P04": .conflict,
        "42P06": .conflict, "42723": .conflict, "42701": .validation, "42501": .permission, "42000": .validation,
        "0A000": .unsupported, "25006": .permission,
        // PostgreSQL: resources and operators' doings
        "53300": .rateLimited, "53100": .quotaExhausted, "53200": .transient, "53400": .quotaExhausted,
        "55P03": .transient, "55006": .conflict, "55P02": .unsupported, "57014": .timeout, "57P01": .unavailable,
        "57P02": .unavailable, "57P03": .unavailable, "57P04": .notFound, "57P05": .unavailable, "25P03": .timeout,
        "40001": .transient, "40P01": .transient, "40003": .transient, "40002": .conflict,
    ]

    private static let classes: [String: ConnectorError.Kind] = [
        "00": .unknown, "01": .unknown, "02": .notFound, "03": .validation, "07": .validation, "08": .transient,
        "09": .validation, "0A": .unsupported, "0F": .validation, "0L": .permission, "0P": .permission,
        "20": .validation, "21": .validation, "22": .validation, "23": .validation, "24": .validation,
        "25": .conflict, "27": .conflict, "28": .auth, "2B": .conflict, "2D": .validation, "2F": .validation,
        "34": .validation, "38": .validation, "39": .unknown, "3B": .validation, "3C": .validation, "3D": .notFound,
        "3F": .notFound, "40": .transient, "42": .validation, "44": .validation, "53": .transient,
        "54": .validation, "55": .conflict, "57": .unavailable, "58": .transient, "72": .conflict,
        "F0": .unavailable, "HV": .unknown, "HY": .unknown, "IM": .validation, "P0": .validation, "XX": .unknown,
    ]
}

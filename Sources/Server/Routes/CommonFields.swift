import Values

extension RequestField {
    /// Only the default tenant exists.
    static let tenantID = RequestField("tenantId", .string, "The tenant; only `<default>` exists.")
    /// Accepted for compatibility; nothing refers to it.
    static let operationReference = RequestField(
        "operationReference", .integer(.positive), "A reference of the caller's; accepted, not kept.")

    static func variables(_ summary: String) -> RequestField {
        RequestField("variables", .object, summary)
    }
}

extension RequestObject {
    /// Refuses every tenant but the default one: there are no others yet.
    func checkTenant() throws(ProblemDetails) {
        if let tenant = try self.string("tenantId"), tenant != defaultTenant {
            throw .unsupported(
                "There is no tenant \(quoted(tenant)).", remedy: "Leave tenantId out, or use \(defaultTenant).",
                field: "tenantId")
        }
    }

    /// Refuses a member that this server cannot honour, unless it is empty.
    func refuse(_ name: String, because reason: String, remedy: String) throws(ProblemDetails) {
        guard let value = try self.value(name) else { return }
        if let list = value.asList, list.isEmpty { return }
        throw .unsupported(reason, remedy: remedy, field: name)
    }
}

/// The tenant everything belongs to.
let defaultTenant = "<default>"

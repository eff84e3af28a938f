import Values

/// Diagnostics as `CODE line:column`, in order.
func places(_ diagnostics: [Diagnostic]) -> [String] {
    diagnostics.map { "\($0.code) \($0.line ?? 0):\($0.column ?? 0)" }
}

import Decisions
import ProcessModel
import Values

/// FEEL conditions and decision tables by themselves, on one core.
struct DecisionBench {
    let settings: BenchSettings

    /// Simple conditions.
    func conditions() throws -> BenchReport {
        let condition = try Expression.compile("amount > 100 and currency = \"EUR\"")
        let scope = MapScope(["amount": 250, "currency": "EUR"])
        let count = settings.count ?? 5_000_000
        var held = 0
        let seconds = Self.seconds { for _ in 0..<count where condition.evaluateCondition(scope) == true { held += 1 } }
        precondition(held == count)
        var report = BenchReport("feel")
        report.set("expression", condition.source)
        report.set("conditions", count)
        report.set("conditions_per_second", Double(count) / seconds)
        return report
    }

    /// A table with a hundred rules of which one matches.
    func table() throws -> BenchReport {
        let rules = 100
        let result = DMNImporter.read(Array(Self.model(rules).utf8), file: "fees.dmn")
        guard let model = result.model, !result.isRefused else {
            throw CommandFailure(
                .measurement, "The decision table of the scenario is refused.", remedy: "Report this as a bug.",
                diagnostics: result.diagnostics)
        }
        let count = settings.count ?? 500_000
        let scopes = (0..<rules).map { rule in
            MapScope([
                "segment": .string("s\(rule / 10)"), "amount": .number(Number(rule % 10 * 100 + 50)), "age": 40,
            ])
        }
        var found = 0
        let seconds = Self.seconds {
            for number in 0..<count {
                let value = model.evaluateValue(decision: "fee", inputs: scopes[number % rules])
                if value.asInt64 == Int64(number % rules) { found += 1 }
            }
        }
        precondition(found == count)
        var report = BenchReport("decision-table")
        report.set("rules", rules)
        report.set("inputs", 3)
        report.set("evaluations", count)
        report.set("evaluations_per_second", Double(count) / seconds)
        return report
    }

    private static func seconds(_ body: () -> Void) -> Double {
        let duration = ContinuousClock().measure(body)
        return Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
    }

    /// Ten customer segments with ten ranges of amounts each.
    private static func model(_ rules: Int) -> String {
        let inputs = ["segment", "amount", "age"]
        let data = inputs.map { #"<inputData id="\#($0)" name="\#($0)"><variable name="\#($0)"/></inputData>"# }
        let requirements = inputs.map {
            ##"<informationRequirement><requiredInput href="#\##($0)"/></informationRequirement>"##
        }
        let clauses = inputs.map { "<input><inputExpression><text>\($0)</text></inputExpression></input>" }
        let rows = (0..<rules).map { rule in
            """
            <rule><inputEntry><text>"s\(rule / 10)"</text></inputEntry>\
            <inputEntry><text>[\(rule % 10 * 100)..\(rule % 10 * 100 + 100))</text></inputEntry>\
            <inputEntry><text>&gt;= 18</text></inputEntry><outputEntry><text>\(rule)</text></outputEntry></rule>
            """
        }
        return """
            <definitions xmlns="https://www.omg.org/spec/DMN/20230324/MODEL/" name="fees" namespace="urn:fees">\
            \(data.joined())<decision id="fee" name="fee"><variable name="fee"/>\(requirements.joined())\
            <decisionTable hitPolicy="UNIQUE">\(clauses.joined())<output/>\(rows.joined())</decisionTable>\
            </decision></definitions>
            """
    }
}

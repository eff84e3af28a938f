import Logging
import Testing
import Values

@testable import junction

@Suite struct OutputTests {
    static let durations: [(milliseconds: Int64, text: String)] = [
        (0, "0 ms"), (999, "999 ms"), (1_000, "1 s"), (1_250, "1.25 s"), (1_200, "1.2 s"), (12_059, "12.05 s"),
        (59_999, "59.99 s"), (60_000, "1 min"), (200_000, "3 min 20 s"), (7_500_000, "2 h 5 min"),
        (3_600_000, "1 h"), (356_400_000, "4 d 3 h"), (-1_500, "-1.5 s"),
    ]

    @Test(arguments: durations)
    func durationsHaveTheUnitThatFits(_ row: (milliseconds: Int64, text: String)) {
        #expect(DurationText.of(milliseconds: row.milliseconds) == row.text)
    }

    static let widths: [(text: String, width: Int)] = [
        ("", 0), ("abc", 3), ("żółć", 4), ("日本", 4), ("e\u{301}", 1), ("✅", 2), ("├─", 2),
    ]

    @Test(arguments: widths)
    func widthsAreColumnsOfATerminal(_ row: (text: String, width: Int)) {
        #expect(TextWidth.of(row.text) == row.width)
    }

    static let cuts: [(text: String, width: Int, cut: String)] = [
        ("abc", 3, "abc"), ("abcd", 3, "ab…"), ("日本語", 5, "日本…"), ("日本語", 4, "日…"), ("abc", 0, ""),
    ]

    @Test(arguments: cuts)
    func textsAreCutToColumns(_ row: (text: String, width: Int, cut: String)) {
        #expect(TextWidth.cut(row.text, to: row.width) == row.cut)
        #expect(TextWidth.of(row.cut) <= row.width || row.text == row.cut)
    }

    private var table: Table {
        var table = Table([
            .init("NAME", shrinks: true), .init("STATE", state: true), .init("COUNT", right: true), .init("NOTE"),
        ])
        table.add(["first", "completed", "7", nil])
        table.add(["a name that is long", "active", "1234", "line\nbreak"])
        return table
    }

    @Test func tablesAlignAndLeaveNoBlanksAtTheEnd() {
        #expect(
            table.lines(.plain) == [
                "NAME                 STATE      COUNT  NOTE",
                "first                completed      7",
                "a name that is long  active      1234  line break",
            ])
        #expect(Table([.init("A")]).lines(.plain, hasHead: false) == [])
    }

    @Test func narrowTerminalsShrinkWhatMayShrink() {
        let style = Style(hasColour: false, hasUnicode: true, width: 40)
        #expect(
            table.lines(style)
                == [
                    "NAME        STATE      COUNT  NOTE",
                    "first       completed      7",
                    "a name th…  active      1234  line break",
                ])
        for line in table.lines(Style(hasColour: false, hasUnicode: true, width: 10)) { #expect(!line.isEmpty) }
    }

    @Test func statesHaveColourOnATerminalOnly() {
        let style = Style(hasColour: true, hasUnicode: true, width: 80)
        #expect(table.lines(style)[1].contains("\u{1B}[32mcompleted\u{1B}[0m"))
        #expect(!table.lines(.plain).joined().contains("\u{1B}"))
        #expect(style.paint("", .bad) == "")
    }

    @Test func paintedLinesAreCutByWhatIsSeen() {
        let style = Style(hasColour: true, hasUnicode: true, width: 5)
        #expect(style.fit("ab" + style.paint("cd", .bad) + "ef") == "ab\u{1B}[31mcd\u{1B}[0me\u{1B}[0m")
        #expect(style.fit("abcde") == "abcde")
        #expect(Style.plain.fit("abcdefgh") == "abcdefgh")
    }

    static let environments: [(variables: [String: String], terminal: Int?, style: Style)] = [
        (["LANG": "C.UTF-8"], 100, Style(hasColour: true, hasUnicode: true, width: 100)),
        (["LANG": "en_US.UTF-8", "NO_COLOR": "1"], 80, Style(hasColour: false, hasUnicode: true, width: 80)),
        (["NO_COLOR": ""], 80, Style(hasColour: true, hasUnicode: true, width: 80)),
        (["LANG": "C", "TERM": "dumb"], 80, Style(hasColour: false, hasUnicode: false, width: 80)),
        (["LC_ALL": "POSIX", "LANG": "C.UTF-8"], nil, Style(hasColour: false, hasUnicode: false, width: nil)),
        ([:], nil, .plain),
    ]

    @Test(arguments: environments)
    func theSurroundingsDecideAboutColourAndSigns(
        _ row: (variables: [String: String], terminal: Int?, style: Style)
    ) {
        let environment = Environment(lookup: { row.variables[$0] }, terminalWidth: { _ in row.terminal })
        #expect(environment.style(of: 1) == row.style)
    }

    @Test func theUserIsTheOneWhoIsLoggedIn() {
        #expect(Environment(lookup: { ["USER": "ada"][$0] }).user == "ada")
        #expect(Environment(lookup: { ["LOGNAME": "bob"][$0] }).user == "bob")
        #expect(Environment(lookup: { _ in nil }).user.hasPrefix("uid:"))
    }

    @Test func logLinesAreTextOrJSON() {
        let metadata: [(key: String, value: Logger.MetadataValue)] = [
            (key: "job.id", value: "7"), (key: "reason", value: "no \"paper\""), (key: "empty", value: ""),
        ]
        #expect(
            ConsoleLogHandler.line(at: 0, .warning, "Job failed", metadata, format: .text, style: .plain)
                == #"1970-01-01T00:00:00.000Z warning Job failed job.id=7 reason="no \"paper\"" empty="""#)
        #expect(
            ConsoleLogHandler.line(at: 0, .error, "Job failed", metadata, format: .json, style: .plain)
                == #"{"time":"1970-01-01T00:00:00.000Z","level":"error","message":"Job failed","job.id":"7","#
                + #""reason":"no \"paper\"","empty":""}"#)
    }

    @Test func theLiveDisplayIsRedrawnInPlaceBelowNotes() {
        let output = Captured()
        let console = Console(isJSON: false, environment: Environment(lookup: { _ in nil }), streams: output.streams)
        console.draw(["one", "two"])
        console.note("a line")
        console.draw(["three"])
        console.draw([])
        console.print("data")
        console.flush()
        #expect(
            output.notes
                == "one\ntwo\n\u{1B}[2F\u{1B}[Ja line\nthree\n\u{1B}[1F\u{1B}[J")
        #expect(output.data == "data\n")
    }
}

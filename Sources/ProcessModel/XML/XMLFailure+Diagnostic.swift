import CXML
import Values

extension XMLFailure {
    /// The failure in the shape shared by all documents.
    func diagnostic(file: String?) -> Diagnostic {
        let (code, remedy): (BPMNCode, String) =
            switch status {
            case CXML_ENCODING:
                (.badEncoding, "save the document as UTF-8, or declare its real encoding in the first line")
            case CXML_DOCTYPE:
                (.doctypeRefused, "remove the DOCTYPE; entities are never expanded and nothing is loaded")
            case CXML_TOO_LARGE:
                (.documentTooLarge, "split the document into several")
            case CXML_TOO_DEEP:
                (.nestedTooDeeply, "move inner sub-processes into processes of their own")
            case CXML_TOO_MANY_NODES, CXML_OUT_OF_MEMORY:
                (.tooManyNodes, "split the document into several")
            case CXML_CONSTRUCT_TOO_LONG:
                (.constructTooLong, "move the long value into an element's text, or out of the model")
            default:
                (.malformedXML, "export the model again with its tool, or repair the XML there")
            }
        return Diagnostic(
            code: code.rawValue, severity: code.severity, message: "Expected an XML document, but \(message).",
            remedy: remedy, file: file, line: line, column: column)
    }
}

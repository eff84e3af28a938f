// A bounded XML reader: bytes in, a compact read-only tree out. Nothing of the parser behind it shows here.
//
// The tree is four flat arrays and one pool of UTF-8 bytes. Elements stand in document order, so element 0 is the root
// and a parent's index is smaller than its children's. Comments, processing instructions, prefixes and namespace
// declarations are kept on request only.
//
// No network access, no external entities, no DTD: a document with a DOCTYPE that declares anything or points outside
// is refused before any of it is expanded.
#ifndef CXML_H
#define CXML_H

#include <stddef.h>
#include <stdint.h>

/// The index that means "none".
#define CXML_NONE (-1)

/// Bytes of the pool of a document; not terminated by zero.
typedef struct {
    uint32_t offset;
    uint32_t length;
} cxml_text;

/// A name as the namespace defines it: equal names have equal indexes within one document.
typedef struct {
    /// The namespace URI; empty when there is none.
    cxml_text uri;
    /// The name without its prefix.
    cxml_text local;
} cxml_name;

/// One element.
typedef struct {
    /// Index of its name.
    int32_t name;
    /// Index of the element around it.
    int32_t parent;
    /// Index of the first element inside it.
    int32_t first_child;
    /// Index of the next element beside it.
    int32_t next_sibling;
    /// Index of its first attribute; the others follow.
    int32_t first_attribute;
    int32_t attribute_count;
    /// Index of the first run of the text directly inside it.
    int32_t first_run;
    /// The line of its start tag, 1-based.
    int32_t line;
} cxml_element;

/// One attribute; entities are already replaced.
typedef struct {
    /// Index of its name.
    int32_t name;
    cxml_text value;
} cxml_attribute;

/// A stretch of text between two child elements.
typedef struct {
    cxml_text text;
    /// Index of the next run of the same element.
    int32_t next;
} cxml_run;

/// What stands in a document besides attributes, in its order.
typedef enum {
    CXML_START = 0,
    CXML_END = 1,
    CXML_CHARACTERS = 2,
    CXML_CDATA = 3,
    CXML_COMMENT = 4,
    CXML_INSTRUCTION = 5,
} cxml_piece_kind;

/// One piece of a document: a tag, text, a comment or an instruction.
typedef struct {
    cxml_piece_kind kind;
    /// The element that starts or ends; of other pieces the element around, or none outside the root.
    int32_t element;
    /// The text, the comment, or the data of the instruction.
    cxml_text text;
    /// The target of the instruction.
    cxml_text target;
} cxml_piece;

/// A namespace declaration; no prefix makes it the default, no URI takes the default away.
typedef struct {
    cxml_text prefix;
    cxml_text uri;
} cxml_declaration;

/// How an element was written.
typedef struct {
    cxml_text prefix;
    /// Index of the first namespace declared on it; the others follow.
    int32_t first_declaration;
    int32_t declaration_count;
} cxml_spelling;

/// A parsed document.
typedef struct {
    const cxml_name *names;
    const cxml_element *elements;
    const cxml_attribute *attributes;
    const cxml_run *runs;
    const uint8_t *bytes;
    int32_t name_count;
    int32_t element_count;
    int32_t attribute_count;
    int32_t run_count;
    // The rest is kept by `cxml_parse_all` only.
    const cxml_piece *pieces;
    int32_t piece_count;
    /// One for each element.
    const cxml_spelling *spellings;
    /// The prefix of each attribute.
    const cxml_text *attribute_prefixes;
    const cxml_declaration *declarations;
    /// What the XML declaration says of it: 1 yes, 0 no, negative nothing.
    int32_t standalone;
} cxml_document;

/// What a document may cost. Every limit is inclusive.
typedef struct {
    /// Bytes of the whole document.
    size_t bytes;
    /// Bytes of one start tag, comment, instruction or CDATA section.
    size_t construct_bytes;
    /// Elements inside each other.
    int32_t depth;
    int32_t elements;
    int32_t attributes;
    /// Distinct names of elements and attributes.
    int32_t names;
    /// Tags, texts, comments and instructions, where they are kept.
    int32_t pieces;
} cxml_limits;

/// Why a document was refused.
typedef enum {
    CXML_OK = 0,
    /// Not well-formed.
    CXML_SYNTAX = 1,
    /// Bytes that are no text in the document's encoding, or an unknown encoding.
    CXML_ENCODING = 2,
    /// A DOCTYPE that declares something or refers to another document.
    CXML_DOCTYPE = 3,
    CXML_TOO_LARGE = 4,
    CXML_TOO_DEEP = 5,
    CXML_TOO_MANY_NODES = 6,
    CXML_CONSTRUCT_TOO_LONG = 7,
    CXML_OUT_OF_MEMORY = 8,
} cxml_status;

/// The first reason to refuse a document, and where; line and column are 1-based, 0 when unknown.
typedef struct {
    cxml_status status;
    int32_t line;
    int32_t column;
    char message[240];
} cxml_error;

/// The limits used unless told otherwise: 16 MiB, 256 KiB per construct, depth 256, 500,000 elements, 1,000,000
/// attributes, 20,000 names and 2,000,000 pieces.
cxml_limits cxml_default_limits(void);

/// Reads a document. Returns NULL and fills `error` when it is refused; otherwise the caller frees the result with
/// `cxml_free`. Safe on any thread; takes time linear in `count`.
cxml_document *cxml_parse(const uint8_t *bytes, size_t count, cxml_limits limits, cxml_error *error);

/// Reads a document like `cxml_parse` and keeps everything that stands in it: the order of text and elements, CDATA
/// sections, comments, instructions, prefixes and namespace declarations. An empty DOCTYPE is not kept.
cxml_document *cxml_parse_all(const uint8_t *bytes, size_t count, cxml_limits limits, cxml_error *error);

/// Frees a document; NULL is allowed.
void cxml_free(cxml_document *document);

// XML Schema 1.0: compile once, validate often.

/// One document of a schema.
typedef struct {
    /// The location other documents name it by; compared as text. Zero-terminated.
    const char *location;
    const uint8_t *bytes;
    size_t count;
} cxml_schema_source;

/// A compiled schema.
typedef struct cxml_schema cxml_schema;

/// Something a schema or a document does wrong; the line is 1-based, 0 when unknown.
typedef struct {
    int32_t line;
    char message[320];
} cxml_finding;

/// Where findings go: the first `capacity` are kept, all are counted.
typedef struct {
    cxml_finding *items;
    int32_t capacity;
    int32_t total;
} cxml_findings;

/// Compiles the schema whose first document is `sources[0]`. Imports and includes are served from `sources` only:
/// neither files nor the network are read. Every document has to keep to `limits`, and none may have a DOCTYPE that
/// declares anything. Returns NULL when that fails, and fills `error` if a document was refused, `findings` if the
/// schema is wrong; otherwise the caller frees the result with `cxml_schema_free`. Safe on any thread.
cxml_schema *cxml_schema_compile(
    const cxml_schema_source *sources, size_t count, cxml_limits limits, cxml_findings *findings, cxml_error *error);

/// Validates the element that stands at `element` in document order (0 is the root), with what is inside it. Returns
/// CXML_OK when it was looked at: it is valid if there are no findings. Otherwise the document was refused and `error`
/// says why. White space at the ends of a text never makes a document invalid. A schema may be used by one thread at a
/// time.
cxml_status cxml_schema_validate(
    const cxml_schema *schema, const uint8_t *bytes, size_t count, int32_t element, cxml_limits limits,
    cxml_findings *findings, cxml_error *error);

/// Frees a schema; NULL is allowed.
void cxml_schema_free(cxml_schema *schema);

#endif

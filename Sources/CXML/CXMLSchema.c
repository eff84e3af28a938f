#include "CXML.h"

#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <libxml/xmlerror.h>
#include <libxml/xmlschemas.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct cxml_schema {
    xmlSchemaPtr compiled;
};

/// The documents a compilation may read. The parser asks for them through a hook that all threads share, so which
/// compilation asks has to be known by the thread.
typedef struct {
    const cxml_schema_source *items;
    size_t count;
} source_table;

static _Thread_local const source_table *serving;
static xmlExternalEntityLoader outer_loader;
static pthread_once_t loader_installed = PTHREAD_ONCE_INIT;

/// Hands out a document of the compilation at hand; nothing else while one runs.
static xmlParserInputPtr load_source(const char *location, const char *id, xmlParserCtxtPtr context) {
    if (serving == NULL) return outer_loader(location, id, context);
    if (location == NULL) return NULL;
    for (size_t i = 0; i < serving->count; i++) {
        const cxml_schema_source *source = &serving->items[i];
        if (strcmp(source->location, location) != 0) continue;
        xmlParserInputBufferPtr buffer =
            xmlParserInputBufferCreateMem((const char *)source->bytes, (int)source->count, XML_CHAR_ENCODING_NONE);
        if (buffer == NULL) return NULL;
        xmlParserInputPtr input = xmlNewIOInputStream(context, buffer, XML_CHAR_ENCODING_NONE);
        if (input == NULL) {
            xmlFreeParserInputBuffer(buffer);
            return NULL;
        }
        input->filename = (const char *)xmlStrdup((const xmlChar *)location);
        return input;
    }
    return NULL;
}

static void install_loader(void) {
    xmlInitParser();
    outer_loader = xmlGetExternalEntityLoader();
    xmlSetExternalEntityLoader(load_source);
}

/// Collects what is reported about a schema or a document.
static void take_finding(void *context, xmlErrorPtr reported) {
    cxml_findings *findings = context;
    if (reported->level < XML_ERR_ERROR) return;
    int32_t at = findings->total;
    if (findings->total < INT32_MAX) findings->total++;
    if (at >= findings->capacity) return;
    cxml_finding *finding = &findings->items[at];
    finding->line = reported->line > 0 ? reported->line : 0;
    const char *message = reported->message != NULL ? reported->message : "invalid";
    snprintf(finding->message, sizeof finding->message, "%.*s", (int)strcspn(message, "\r\n"), message);
}

static void take_message(void *context, const char *format, ...) {
    (void)context, (void)format;
}

/// What the thread's handlers were before.
typedef struct {
    xmlStructuredErrorFunc structured;
    void *structured_context;
    xmlGenericErrorFunc generic;
    void *generic_context;
} handlers;

static handlers take_over(cxml_findings *findings) {
    handlers outer = {xmlStructuredError, xmlStructuredErrorContext, xmlGenericError, xmlGenericErrorContext};
    xmlSetStructuredErrorFunc(findings, take_finding);
    xmlSetGenericErrorFunc(NULL, take_message);
    return outer;
}

static void give_back(handlers outer) {
    xmlSetStructuredErrorFunc(outer.structured_context, outer.structured);
    xmlSetGenericErrorFunc(outer.generic_context, outer.generic);
}

/// Whether the bounded reader takes the document: afterwards any other way of reading the same bytes is harmless.
static int is_harmless(const uint8_t *bytes, size_t count, cxml_limits limits, cxml_error *error) {
    cxml_document *document = cxml_parse(bytes, count, limits, error);
    if (document == NULL) return 0;
    cxml_free(document);
    return 1;
}

cxml_schema *cxml_schema_compile(
    const cxml_schema_source *sources, size_t count, cxml_limits limits, cxml_findings *findings, cxml_error *error) {
    memset(error, 0, sizeof *error);
    findings->total = 0;
    for (size_t i = 0; i < count; i++) {
        if (!is_harmless(sources[i].bytes, sources[i].count, limits, error)) return NULL;
    }
    cxml_schema *schema = calloc(1, sizeof *schema);
    if (count == 0 || schema == NULL) {
        error->status = schema == NULL ? CXML_OUT_OF_MEMORY : CXML_SYNTAX;
        free(schema);
        return NULL;
    }
    pthread_once(&loader_installed, install_loader);
    source_table table = {sources, count};
    handlers outer = take_over(findings);
    serving = &table;
    xmlSchemaParserCtxtPtr parser =
        xmlSchemaNewMemParserCtxt((const char *)sources[0].bytes, (int)sources[0].count);
    if (parser != NULL) {
        xmlSchemaSetParserStructuredErrors(parser, take_finding, findings);
        schema->compiled = xmlSchemaParse(parser);
        xmlSchemaFreeParserCtxt(parser);
    }
    serving = NULL;
    give_back(outer);
    if (schema->compiled != NULL && findings->total == 0) return schema;
    cxml_schema_free(schema);
    if (findings->total == 0) error->status = CXML_OUT_OF_MEMORY;
    return NULL;
}

/// The element at `index` in document order.
static xmlNodePtr find_element(xmlDocPtr document, int32_t index) {
    xmlNodePtr root = xmlDocGetRootElement(document);
    xmlNodePtr node = root;
    while (node != NULL) {
        if (node->type == XML_ELEMENT_NODE && index-- == 0) return node;
        if (node->type == XML_ELEMENT_NODE && node->children != NULL) {
            node = node->children;
            continue;
        }
        while (node != root && node->next == NULL) node = node->parent;
        if (node == root) return NULL;
        node = node->next;
    }
    return NULL;
}

/// The node after `node` in document order, inside `root`; NULL at the end.
static xmlNodePtr next_node(xmlNodePtr node, xmlNodePtr root) {
    if (node->type == XML_ELEMENT_NODE && node->children != NULL) return node->children;
    while (node != root && node->next == NULL) node = node->parent;
    return node == root ? NULL : node->next;
}

static int is_space(xmlChar byte) {
    return byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09;
}

/// Takes white space from both ends of the texts that are the only content of their elements; false when there was none
/// or memory is exhausted.
static int trim_texts(xmlNodePtr root) {
    int trimmed = 0;
    for (xmlNodePtr node = root; node != NULL; node = next_node(node, root)) {
        if (node->type != XML_TEXT_NODE || node->prev != NULL || node->next != NULL || node->content == NULL) continue;
        const xmlChar *start = node->content;
        size_t length = strlen((const char *)start);
        size_t whole = length;
        while (length > 0 && is_space(start[length - 1])) length--;
        while (length > 0 && is_space(*start)) start++, length--;
        if (length == whole) continue;
        xmlChar *text = xmlStrndup(start, (int)length);
        if (text == NULL) return 0;
        xmlNodeSetContentLen(node, text, (int)length);
        xmlFree(text);
        trimmed = 1;
    }
    return trimmed;
}

/// Validates an element; false when that was not possible.
static int validate(const cxml_schema *schema, xmlNodePtr node, cxml_findings *findings) {
    findings->total = 0;
    xmlSchemaValidCtxtPtr validator = xmlSchemaNewValidCtxt(schema->compiled);
    if (validator == NULL) return 0;
    xmlSchemaSetValidStructuredErrors(validator, take_finding, findings);
    int result = xmlSchemaValidateOneElement(validator, node);
    xmlSchemaFreeValidCtxt(validator);
    return result >= 0;
}

cxml_status cxml_schema_validate(
    const cxml_schema *schema, const uint8_t *bytes, size_t count, int32_t element, cxml_limits limits,
    cxml_findings *findings, cxml_error *error) {
    memset(error, 0, sizeof *error);
    findings->total = 0;
    if (!is_harmless(bytes, count, limits, error)) return error->status;
    handlers outer = take_over(findings);
    // The limits were checked: the parser's own, which are for whole programs, would refuse long texts.
    xmlDocPtr document = xmlReadMemory(
        (const char *)bytes, (int)count, NULL, NULL,
        XML_PARSE_NONET | XML_PARSE_HUGE | XML_PARSE_BIG_LINES | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    xmlNodePtr node = document != NULL ? find_element(document, element) : NULL;
    int is_done = node != NULL && validate(schema, node, findings);
    // Older versions of the library reject white space around numbers and dates, which does not count.
    if (is_done && findings->total > 0 && trim_texts(node)) is_done = validate(schema, node, findings);
    if (!is_done) {
        findings->total = 0;
        error->status = CXML_OUT_OF_MEMORY;
        snprintf(error->message, sizeof error->message, "the document cannot be validated");
    }
    xmlFreeDoc(document);
    give_back(outer);
    return error->status;
}

void cxml_schema_free(cxml_schema *schema) {
    if (schema == NULL) return;
    xmlSchemaFree(schema->compiled);
    free(schema);
}

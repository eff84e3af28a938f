#include "CXML.h"

#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <libxml/xmlerror.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/// How many bytes the parser gets at a time: what it cannot consume of them is an unfinished construct, whose size is
/// then known and bounded, whatever the encoding.
enum { chunk_bytes = 32 * 1024, depth_max = 256 };

typedef struct {
    void *items;
    size_t count;
    size_t capacity;
} array;

/// Where an interned name went, keyed by the parser's own interned strings.
typedef struct {
    const xmlChar *uri;
    const xmlChar *local;
    int32_t name;
} name_slot;

/// A namespace URI and where its one copy went.
typedef struct {
    const xmlChar *uri;
    cxml_text kept;
} uri_slot;

/// An element whose end tag has not come yet.
typedef struct {
    int32_t element;
    int32_t last_child;
    int32_t last_run;
} open_element;

typedef struct {
    xmlParserCtxtPtr parser;
    cxml_limits limits;
    cxml_error *error;
    array names, uris, elements, attributes, runs, bytes;
    /// Whether to keep what the tree does not need: the arrays of the next line.
    int keeps_all;
    array pieces, spellings, attribute_prefixes, declarations;
    name_slot *slots;
    size_t slot_count;
    open_element open[depth_max];
    int32_t depth;
} builder;

cxml_limits cxml_default_limits(void) {
    return (cxml_limits){
        .bytes = 16 * 1024 * 1024,
        .construct_bytes = 256 * 1024,
        .depth = depth_max,
        .elements = 500 * 1000,
        .attributes = 1000 * 1000,
        .names = 20 * 1000,
        .pieces = 2 * 1000 * 1000,
    };
}

/// Makes room for `added` more items; false when memory is exhausted.
static int reserve(array *a, size_t added, size_t item_bytes) {
    size_t needed = a->count + added;
    if (needed <= a->capacity) return 1;
    size_t capacity = a->capacity < 64 ? 64 : a->capacity * 2;
    if (capacity < needed) capacity = needed;
    void *items = realloc(a->items, capacity * item_bytes);
    if (items == NULL) return 0;
    a->items = items;
    a->capacity = capacity;
    return 1;
}

#define AT(array_, type, index) (((type *)(array_).items)[index])

/// Records the first reason and stops the parser.
static void refuse(builder *b, cxml_status status, const char *message) {
    if (b->error->status == CXML_OK) {
        b->error->status = status;
        b->error->line = b->parser != NULL && b->parser->input != NULL ? b->parser->input->line : 0;
        b->error->column = b->parser != NULL && b->parser->input != NULL ? b->parser->input->col : 0;
        snprintf(b->error->message, sizeof b->error->message, "%s", message);
    }
    if (b->parser != NULL) xmlStopParser(b->parser);
}

static void refuse_memory(builder *b) {
    refuse(b, CXML_OUT_OF_MEMORY, "no memory is left for the document");
}

/// Copies text into the pool; false (and refused) when memory is exhausted.
static int keep(builder *b, const xmlChar *text, size_t length, cxml_text *kept) {
    if (!reserve(&b->bytes, length, 1)) {
        refuse_memory(b);
        return 0;
    }
    kept->offset = (uint32_t)b->bytes.count;
    kept->length = (uint32_t)length;
    if (length != 0) memcpy((uint8_t *)b->bytes.items + b->bytes.count, text, length);
    b->bytes.count += length;
    return 1;
}

static size_t slot_hash(const xmlChar *uri, const xmlChar *local) {
    uint64_t mixed = ((uint64_t)(uintptr_t)uri * 31) ^ (uint64_t)(uintptr_t)local;
    return (size_t)((mixed * 0x9E3779B97F4A7C15u) >> 32);
}

static int grow_slots(builder *b) {
    size_t count = b->slot_count == 0 ? 256 : b->slot_count * 2;
    name_slot *slots = calloc(count, sizeof *slots);
    if (slots == NULL) return 0;
    for (size_t i = 0; i < b->slot_count; i++) {
        if (b->slots[i].local == NULL) continue;
        size_t at = slot_hash(b->slots[i].uri, b->slots[i].local) & (count - 1);
        while (slots[at].local != NULL) at = (at + 1) & (count - 1);
        slots[at] = b->slots[i];
    }
    free(b->slots);
    b->slots = slots;
    b->slot_count = count;
    return 1;
}

/// Keeps one copy of each URI, however many names it has.
static int keep_uri(builder *b, const xmlChar *uri, cxml_text *kept) {
    for (size_t i = b->uris.count; i > 0; i--) {
        uri_slot *slot = &AT(b->uris, uri_slot, i - 1);
        if (slot->uri != uri) continue;
        *kept = slot->kept;
        return 1;
    }
    if (!keep(b, uri, strlen((const char *)uri), kept)) return 0;
    if (!reserve(&b->uris, 1, sizeof(uri_slot))) {
        refuse_memory(b);
        return 0;
    }
    AT(b->uris, uri_slot, b->uris.count++) = (uri_slot){uri, *kept};
    return 1;
}

/// The index of a name. The parser keeps one copy of each string, so its pointers identify it.
static int32_t intern(builder *b, const xmlChar *uri, const xmlChar *local) {
    if (b->names.count * 2 >= b->slot_count && !grow_slots(b)) {
        refuse_memory(b);
        return CXML_NONE;
    }
    size_t at = slot_hash(uri, local) & (b->slot_count - 1);
    while (b->slots[at].local != NULL) {
        if (b->slots[at].local == local && b->slots[at].uri == uri) return b->slots[at].name;
        at = (at + 1) & (b->slot_count - 1);
    }
    if (b->names.count >= (size_t)b->limits.names) {
        refuse(b, CXML_TOO_MANY_NODES, "too many different names");
        return CXML_NONE;
    }
    cxml_name name = {{0, 0}, {0, 0}};
    if (!reserve(&b->names, 1, sizeof name)) {
        refuse_memory(b);
        return CXML_NONE;
    }
    if (uri != NULL && !keep_uri(b, uri, &name.uri)) return CXML_NONE;
    if (!keep(b, local, strlen((const char *)local), &name.local)) return CXML_NONE;
    b->slots[at] = (name_slot){uri, local, (int32_t)b->names.count};
    AT(b->names, cxml_name, b->names.count) = name;
    return (int32_t)b->names.count++;
}

/// The line of the start tag whose end the parser has just reached. A raw `<` cannot stand inside a tag.
static int32_t tag_line(xmlParserInputPtr input) {
    int32_t line = input->line;
    for (const xmlChar *at = input->cur; at > input->base && *at != '<'; at--) {
        if (at[-1] == '\n') line--;
    }
    return line;
}

/// Adds to the pieces; false (and refused) when there are too many.
static int add_piece(builder *b, cxml_piece_kind kind, cxml_text text, cxml_text target) {
    if (b->pieces.count >= (size_t)b->limits.pieces) {
        refuse(b, CXML_TOO_MANY_NODES, "too many tags, texts, comments or instructions");
        return 0;
    }
    if (!reserve(&b->pieces, 1, sizeof(cxml_piece))) {
        refuse_memory(b);
        return 0;
    }
    int32_t element = b->depth > 0 ? b->open[b->depth - 1].element : CXML_NONE;
    AT(b->pieces, cxml_piece, b->pieces.count++) = (cxml_piece){kind, element, text, target};
    return 1;
}

/// Text arrives in several calls; those of one piece become one piece.
static void add_text_piece(builder *b, cxml_piece_kind kind, cxml_text text) {
    if (b->pieces.count > 0) {
        cxml_piece *last = &AT(b->pieces, cxml_piece, b->pieces.count - 1);
        if (last->kind == kind && last->text.offset + last->text.length == text.offset) {
            last->text.length += text.length;
            return;
        }
    }
    add_piece(b, kind, text, (cxml_text){0, 0});
}

static int keep_string(builder *b, const xmlChar *text, cxml_text *kept) {
    *kept = (cxml_text){0, 0};
    return text == NULL || keep(b, text, strlen((const char *)text), kept);
}

/// Keeps how a start tag is written: its prefix, the namespaces it declares (prefix and URI each), and the prefixes of
/// its attributes.
static int add_spelling(
    builder *b, const xmlChar *prefix, int namespace_count, const xmlChar **namespaces, int attribute_count,
    const xmlChar **attributes) {
    if (!reserve(&b->spellings, 1, sizeof(cxml_spelling))
        || !reserve(&b->declarations, (size_t)namespace_count, sizeof(cxml_declaration))
        || !reserve(&b->attribute_prefixes, (size_t)attribute_count, sizeof(cxml_text))) {
        refuse_memory(b);
        return 0;
    }
    cxml_spelling spelling = {{0, 0}, (int32_t)b->declarations.count, namespace_count};
    if (!keep_string(b, prefix, &spelling.prefix)) return 0;
    for (int i = 0; i < namespace_count; i++) {
        cxml_declaration declaration;
        if (!keep_string(b, namespaces[2 * i], &declaration.prefix)) return 0;
        if (!keep_string(b, namespaces[2 * i + 1], &declaration.uri)) return 0;
        AT(b->declarations, cxml_declaration, b->declarations.count++) = declaration;
    }
    for (int i = 0; i < attribute_count; i++) {
        cxml_text attribute_prefix;
        if (!keep_string(b, attributes[5 * i + 1], &attribute_prefix)) return 0;
        AT(b->attribute_prefixes, cxml_text, b->attribute_prefixes.count++) = attribute_prefix;
    }
    AT(b->spellings, cxml_spelling, b->spellings.count++) = spelling;
    return 1;
}

static int add_attributes(builder *b, int count, const xmlChar **attributes) {
    if (!reserve(&b->attributes, (size_t)count, sizeof(cxml_attribute))) {
        refuse_memory(b);
        return 0;
    }
    // Five pointers each: local name, prefix, URI, start and end of the value.
    for (int i = 0; i < count; i++, attributes += 5) {
        cxml_attribute attribute;
        attribute.name = intern(b, attributes[2], attributes[0]);
        if (attribute.name == CXML_NONE) return 0;
        if (!keep(b, attributes[3], (size_t)(attributes[4] - attributes[3]), &attribute.value)) return 0;
        AT(b->attributes, cxml_attribute, b->attributes.count++) = attribute;
    }
    return 1;
}

static void start_element(
    void *context, const xmlChar *local, const xmlChar *prefix, const xmlChar *uri, int namespace_count,
    const xmlChar **namespaces, int attribute_count, int defaulted_count, const xmlChar **attributes) {
    (void)defaulted_count;
    builder *b = context;
    if (b->error->status != CXML_OK) return;
    if (b->depth >= b->limits.depth) {
        refuse(b, CXML_TOO_DEEP, "elements are nested too deeply");
        return;
    }
    if (b->elements.count >= (size_t)b->limits.elements
        || b->attributes.count + (size_t)attribute_count > (size_t)b->limits.attributes) {
        refuse(b, CXML_TOO_MANY_NODES, "too many elements or attributes");
        return;
    }
    if (!reserve(&b->elements, 1, sizeof(cxml_element))) {
        refuse_memory(b);
        return;
    }
    int32_t index = (int32_t)b->elements.count;
    cxml_element element = {
        .name = intern(b, uri, local),
        .parent = CXML_NONE,
        .first_child = CXML_NONE,
        .next_sibling = CXML_NONE,
        .first_attribute = (int32_t)b->attributes.count,
        .attribute_count = attribute_count,
        .first_run = CXML_NONE,
        .line = tag_line(b->parser->input),
    };
    if (element.name == CXML_NONE || !add_attributes(b, attribute_count, attributes)) return;
    if (b->keeps_all && !add_spelling(b, prefix, namespace_count, namespaces, attribute_count, attributes)) return;
    if (b->depth > 0) {
        open_element *around = &b->open[b->depth - 1];
        element.parent = around->element;
        if (around->last_child == CXML_NONE) {
            AT(b->elements, cxml_element, around->element).first_child = index;
        } else {
            AT(b->elements, cxml_element, around->last_child).next_sibling = index;
        }
        around->last_child = index;
    }
    AT(b->elements, cxml_element, index) = element;
    b->elements.count++;
    b->open[b->depth++] = (open_element){index, CXML_NONE, CXML_NONE};
    if (b->keeps_all) add_piece(b, CXML_START, (cxml_text){0, 0}, (cxml_text){0, 0});
}

static void end_element(void *context, const xmlChar *local, const xmlChar *prefix, const xmlChar *uri) {
    (void)local, (void)prefix, (void)uri;
    builder *b = context;
    if (b->error->status != CXML_OK || b->depth == 0) return;
    if (b->keeps_all) add_piece(b, CXML_END, (cxml_text){0, 0}, (cxml_text){0, 0});
    b->depth--;
}

static void add_run(builder *b, cxml_piece_kind kind, const xmlChar *text, int length) {
    if (b->error->status != CXML_OK || b->depth == 0 || length <= 0) return;
    open_element *around = &b->open[b->depth - 1];
    cxml_run run = {.next = CXML_NONE};
    if (!keep(b, text, (size_t)length, &run.text)) return;
    if (b->keeps_all) add_text_piece(b, kind, run.text);
    if (around->last_run != CXML_NONE) {
        cxml_run *last = &AT(b->runs, cxml_run, around->last_run);
        if (last->text.offset + last->text.length == run.text.offset) {
            last->text.length += run.text.length;
            return;
        }
    }
    if (!reserve(&b->runs, 1, sizeof run)) {
        refuse_memory(b);
        return;
    }
    int32_t index = (int32_t)b->runs.count++;
    AT(b->runs, cxml_run, index) = run;
    if (around->last_run == CXML_NONE) {
        AT(b->elements, cxml_element, around->element).first_run = index;
    } else {
        AT(b->runs, cxml_run, around->last_run).next = index;
    }
    around->last_run = index;
}

static void add_text(void *context, const xmlChar *text, int length) {
    add_run(context, CXML_CHARACTERS, text, length);
}

static void add_cdata(void *context, const xmlChar *text, int length) {
    add_run(context, CXML_CDATA, text, length);
}

static void add_comment(void *context, const xmlChar *text) {
    builder *b = context;
    if (b->error->status != CXML_OK || b->parser->inSubset != 0) return;
    cxml_text kept;
    if (keep_string(b, text, &kept)) add_piece(b, CXML_COMMENT, kept, (cxml_text){0, 0});
}

static void add_instruction(void *context, const xmlChar *target, const xmlChar *data) {
    builder *b = context;
    if (b->error->status != CXML_OK || b->parser->inSubset != 0) return;
    cxml_text kept, kept_target;
    if (keep_string(b, target, &kept_target) && keep_string(b, data, &kept)) {
        add_piece(b, CXML_INSTRUCTION, kept, kept_target);
    }
}

static void refuse_doctype(builder *b) {
    refuse(b, CXML_DOCTYPE, "a DOCTYPE must not declare anything or refer to another document");
}

static void internal_subset(void *context, const xmlChar *name, const xmlChar *public_id, const xmlChar *system_id) {
    (void)name;
    if (public_id != NULL || system_id != NULL) refuse_doctype(context);
}

static void entity_declaration(
    void *context, const xmlChar *name, int type, const xmlChar *public_id, const xmlChar *system_id,
    xmlChar *content) {
    (void)name, (void)type, (void)public_id, (void)system_id, (void)content;
    refuse_doctype(context);
}

static void unparsed_entity_declaration(
    void *context, const xmlChar *name, const xmlChar *public_id, const xmlChar *system_id, const xmlChar *notation) {
    (void)name, (void)public_id, (void)system_id, (void)notation;
    refuse_doctype(context);
}

static void notation_declaration(
    void *context, const xmlChar *name, const xmlChar *public_id, const xmlChar *system_id) {
    (void)name, (void)public_id, (void)system_id;
    refuse_doctype(context);
}

static void attribute_declaration(
    void *context, const xmlChar *element, const xmlChar *name, int type, int kind, const xmlChar *value,
    xmlEnumerationPtr values) {
    (void)element, (void)name, (void)type, (void)kind, (void)value;
    xmlFreeEnumeration(values);
    refuse_doctype(context);
}

static void element_declaration(void *context, const xmlChar *name, int type, xmlElementContentPtr content) {
    (void)name, (void)type, (void)content;
    refuse_doctype(context);
}

static int is_encoding_error(int code) {
    switch (code) {
    case XML_ERR_INVALID_ENCODING:
    case XML_ERR_UNKNOWN_ENCODING:
    case XML_ERR_UNSUPPORTED_ENCODING:
    case XML_ERR_INVALID_CHAR:
    case XML_I18N_NO_NAME:
    case XML_I18N_NO_HANDLER:
    case XML_I18N_EXCESS_HANDLER:
    case XML_I18N_CONV_FAILED:
    case XML_I18N_NO_OUTPUT:
    case XML_IO_ENCODER:
        return 1;
    default:
        return 0;
    }
}

/// Takes what the parser reports. Warnings do not make a document wrong, nor does a namespace that is no valid URI.
static void take_error(void *context, xmlErrorPtr reported) {
    builder *b = context;
    if (reported->level < XML_ERR_ERROR || b->error->status != CXML_OK) return;
    if (reported->code == XML_ERR_USER_STOP || reported->code == XML_WAR_NS_URI) return;
    cxml_status status = CXML_SYNTAX;
    if (is_encoding_error(reported->code)) status = CXML_ENCODING;
    if (reported->code == XML_ERR_NO_MEMORY) status = CXML_OUT_OF_MEMORY;
    // What goes wrong while decoding is reported without a place; then it is where the parser stands.
    xmlParserInputPtr input = b->parser != NULL ? b->parser->input : NULL;
    int has_place = reported->ctxt != NULL || input == NULL;
    b->error->status = status;
    b->error->line = has_place ? reported->line : input->line;
    b->error->column = has_place ? reported->int2 : input->col;
    const char *message = reported->message != NULL ? reported->message : "not well-formed";
    if (reported->code == XML_ERR_DOCUMENT_EMPTY || reported->code == XML_ERR_DOCUMENT_END) {
        if (b->elements.count == 0) message = "there is no root element";
        if (b->depth > 0) message = "the document ends before its root element does";
    }
    int length = (int)strcspn(message, "\r\n");
    snprintf(b->error->message, sizeof b->error->message, "%.*s", length, message);
    // While decoding the parser must not be stopped under its own feet; `feed` stops after the piece at hand.
    if (reported->ctxt != NULL && b->parser != NULL) xmlStopParser(b->parser);
}

/// Takes the place of the parser's habit of printing what it reports to no one.
static void take_message(void *context, const char *format, ...) {
    (void)context, (void)format;
}

static pthread_once_t parser_initialized = PTHREAD_ONCE_INIT;

static xmlSAXHandler make_handler(int keeps_all) {
    xmlSAXHandler handler;
    memset(&handler, 0, sizeof handler);
    handler.initialized = XML_SAX2_MAGIC;
    handler.startElementNs = start_element;
    handler.endElementNs = end_element;
    handler.characters = add_text;
    handler.ignorableWhitespace = add_text;
    handler.cdataBlock = add_cdata;
    if (keeps_all) {
        handler.comment = add_comment;
        handler.processingInstruction = add_instruction;
    }
    handler.internalSubset = internal_subset;
    handler.externalSubset = internal_subset;
    handler.entityDecl = entity_declaration;
    handler.unparsedEntityDecl = unparsed_entity_declaration;
    handler.notationDecl = notation_declaration;
    handler.attributeDecl = attribute_declaration;
    handler.elementDecl = element_declaration;
    handler.serror = take_error;
    return handler;
}

/// Feeds the document piece by piece, checking after each that no construct outgrows its limit.
static void feed(builder *b, const uint8_t *bytes, size_t count) {
    size_t at = 0;
    while (at < count && b->error->status == CXML_OK) {
        size_t length = count - at < chunk_bytes ? count - at : chunk_bytes;
        xmlParseChunk(b->parser, (const char *)bytes + at, (int)length, 0);
        at += length;
        xmlParserInputPtr input = b->parser->input;
        if (input != NULL && (size_t)(input->end - input->cur) > b->limits.construct_bytes) {
            refuse(b, CXML_CONSTRUCT_TOO_LONG, "a tag, comment, instruction or CDATA section is too long");
        }
    }
    if (b->error->status == CXML_OK) xmlParseChunk(b->parser, NULL, 0, 1);
    if (b->error->status == CXML_OK && (!b->parser->wellFormed || b->elements.count == 0 || b->depth != 0)) {
        refuse(b, CXML_SYNTAX, "the document ends too early");
    }
}

static cxml_document *finish(builder *b) {
    cxml_document *document = malloc(sizeof *document);
    if (document == NULL) {
        refuse_memory(b);
        return NULL;
    }
    *document = (cxml_document){
        .names = b->names.items,
        .elements = b->elements.items,
        .attributes = b->attributes.items,
        .runs = b->runs.items,
        .bytes = b->bytes.items,
        .name_count = (int32_t)b->names.count,
        .element_count = (int32_t)b->elements.count,
        .attribute_count = (int32_t)b->attributes.count,
        .run_count = (int32_t)b->runs.count,
        .pieces = b->pieces.items,
        .piece_count = (int32_t)b->pieces.count,
        .spellings = b->spellings.items,
        .attribute_prefixes = b->attribute_prefixes.items,
        .declarations = b->declarations.items,
        .standalone = b->parser->standalone,
    };
    return document;
}

static cxml_document *parse(
    const uint8_t *bytes, size_t count, cxml_limits limits, int keeps_all, cxml_error *error) {
    memset(error, 0, sizeof *error);
    if (count > limits.bytes || count > UINT32_MAX / 4) {
        error->status = CXML_TOO_LARGE;
        snprintf(
            error->message, sizeof error->message, "%zu bytes are more than the limit of %zu", count, limits.bytes);
        return NULL;
    }
    pthread_once(&parser_initialized, xmlInitParser);
    builder *b = calloc(1, sizeof *b);
    if (b == NULL) {
        error->status = CXML_OUT_OF_MEMORY;
        return NULL;
    }
    b->keeps_all = keeps_all;
    b->limits = limits;
    if (b->limits.depth > depth_max) b->limits.depth = depth_max;
    b->error = error;
    // These two are per thread; whoever else uses the parser here gets them back.
    xmlStructuredErrorFunc outer_structured = xmlStructuredError;
    void *outer_structured_context = xmlStructuredErrorContext;
    xmlGenericErrorFunc outer_generic = xmlGenericError;
    void *outer_generic_context = xmlGenericErrorContext;
    xmlSetStructuredErrorFunc(b, take_error);
    xmlSetGenericErrorFunc(NULL, take_message);
    xmlSAXHandler handler = make_handler(keeps_all);
    // The first four bytes tell the encoding.
    size_t probed = count < 4 ? count : 4;
    b->parser = xmlCreatePushParserCtxt(&handler, b, (const char *)bytes, (int)probed, NULL);
    cxml_document *document = NULL;
    if (b->parser == NULL) {
        refuse_memory(b);
    } else {
        // NOENT only makes the five predefined entities and character references arrive as plain text: others cannot
        // be declared.
        xmlCtxtUseOptions(b->parser, XML_PARSE_NONET | XML_PARSE_NOENT);
        feed(b, bytes + probed, count - probed);
        if (error->status == CXML_OK) document = finish(b);
        if (b->parser->myDoc != NULL) xmlFreeDoc(b->parser->myDoc);
        b->parser->myDoc = NULL;
        xmlFreeParserCtxt(b->parser);
    }
    xmlSetStructuredErrorFunc(outer_structured_context, outer_structured);
    xmlSetGenericErrorFunc(outer_generic_context, outer_generic);
    if (document == NULL) {
        free(b->names.items);
        free(b->elements.items);
        free(b->attributes.items);
        free(b->runs.items);
        free(b->bytes.items);
        free(b->pieces.items);
        free(b->spellings.items);
        free(b->attribute_prefixes.items);
        free(b->declarations.items);
    }
    free(b->slots);
    free(b->uris.items);
    free(b);
    return document;
}

cxml_document *cxml_parse(const uint8_t *bytes, size_t count, cxml_limits limits, cxml_error *error) {
    return parse(bytes, count, limits, 0, error);
}

cxml_document *cxml_parse_all(const uint8_t *bytes, size_t count, cxml_limits limits, cxml_error *error) {
    return parse(bytes, count, limits, 1, error);
}

void cxml_free(cxml_document *document) {
    if (document == NULL) return;
    free((void *)document->names);
    free((void *)document->elements);
    free((void *)document->attributes);
    free((void *)document->runs);
    free((void *)document->bytes);
    free((void *)document->pieces);
    free((void *)document->spellings);
    free((void *)document->attribute_prefixes);
    free((void *)document->declarations);
    free(document);
}

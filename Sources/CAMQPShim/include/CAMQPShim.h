#pragma once

// One AMQP 0-9-1 connection over rabbitmq-c, without its unions and variadic functions.
//
// A connection belongs to one thread at a time. Functions that return int return 0 on success and -1 on failure, told
// in `failure`; afterwards the connection is of no use unless the failure is JRQ_FAILURE_CHANNEL. Nothing that is passed
// in is kept. Field tables cross this border as they stand in frames: a 32-bit length and the entries.

#include <stddef.h>
#include <stdint.h>

typedef struct jrq_connection jrq_connection;

// Bytes of somebody else.
typedef struct {
    const uint8_t *bytes;
    size_t count;
} jrq_bytes;

typedef enum {
    JRQ_FAILURE_NONE = 0,
    JRQ_FAILURE_RESOLVE,     // the host name is unknown
    JRQ_FAILURE_CONNECT,     // nobody accepted the connection
    JRQ_FAILURE_TLS,         // certificate or handshake
    JRQ_FAILURE_TIMEOUT,     // no answer in time
    JRQ_FAILURE_LOST,        // the connection broke
    JRQ_FAILURE_HEARTBEAT,   // the broker was silent for two heartbeats
    JRQ_FAILURE_PROTOCOL,    // what came is no AMQP 0-9-1, or not what may come here
    JRQ_FAILURE_CONNECTION,  // the broker closed the connection, with `code` and `text`
    JRQ_FAILURE_CHANNEL,     // the broker closed the channel, with `code` and `text`
    JRQ_FAILURE_MEMORY,
} jrq_failure_kind;

typedef struct {
    jrq_failure_kind kind;
    int code;                // the broker's reply code, else the library's status
    uint16_t class_id;       // of the method the broker objects to, 0 if none
    uint16_t method_id;
    char text[512];          // the broker's words, else the library's
} jrq_failure;

typedef struct {
    const char *host;
    int port;
    const char *vhost;
    const char *user;
    const char *password;
    const char *name;        // shown by the broker
    const char *product;
    int connect_timeout_ms;  // for everything until the connection is open
    int rpc_timeout_ms;      // for each question to the broker afterwards
    int heartbeat_s;
    int channel_max;
    int tls;                 // nonzero: TLS 1.2 or later, certificate and host name verified
    const char *ca_file;
    const char *certificate_file;  // NULL: none
    const char *key_file;
} jrq_options;

// The properties of a message; flags say which are there.
enum {
    JRQ_CONTENT_TYPE = 1 << 0,
    JRQ_CONTENT_ENCODING = 1 << 1,
    JRQ_HEADERS = 1 << 2,
    JRQ_DELIVERY_MODE = 1 << 3,
    JRQ_PRIORITY = 1 << 4,
    JRQ_CORRELATION_ID = 1 << 5,
    JRQ_REPLY_TO = 1 << 6,
    JRQ_EXPIRATION = 1 << 7,
    JRQ_MESSAGE_ID = 1 << 8,
    JRQ_TIMESTAMP = 1 << 9,
    JRQ_TYPE = 1 << 10,
    JRQ_USER_ID = 1 << 11,
    JRQ_APP_ID = 1 << 12,
};

typedef struct {
    uint32_t flags;
    jrq_bytes content_type;
    jrq_bytes content_encoding;
    jrq_bytes headers;       // a field table
    uint8_t delivery_mode;   // 2: survives a restart of the broker
    uint8_t priority;
    jrq_bytes correlation_id;
    jrq_bytes reply_to;
    jrq_bytes expiration;
    jrq_bytes message_id;
    uint64_t timestamp;      // in seconds
    jrq_bytes type;
    jrq_bytes user_id;
    jrq_bytes app_id;
} jrq_properties;

typedef enum {
    JRQ_EVENT_NONE = 0,
    JRQ_EVENT_DELIVERY,
    JRQ_EVENT_OVERSIZED,     // a delivery of `body_size` bytes, more than allowed; its body was skipped
    JRQ_EVENT_RETURNED,      // an unroutable message, with `code` and `text`
    JRQ_EVENT_ACK,
    JRQ_EVENT_NACK,
    JRQ_EVENT_CANCELLED,     // the broker ended the consumer
    JRQ_EVENT_BLOCKED,       // the broker takes no messages, with `text`
    JRQ_EVENT_UNBLOCKED,
    JRQ_EVENT_CHANNEL_CLOSED,
    JRQ_EVENT_PROGRESS,      // many frames came that make no event yet; ask again soon
} jrq_event_kind;

// What the broker said. Pointers are valid until the next call on the connection.
typedef struct {
    jrq_event_kind kind;
    uint16_t channel;
    uint64_t tag;
    int multiple;
    int redelivered;
    jrq_bytes exchange;
    jrq_bytes routing_key;
    jrq_properties properties;
    jrq_bytes body;
    uint64_t body_size;
    int code;
    jrq_bytes text;
} jrq_event;

// Opens a connection; NULL on failure.
jrq_connection *jrq_open(const jrq_options *options, jrq_failure *failure);

// Says goodbye if `polite`, waiting at most the rpc timeout, and frees everything.
void jrq_destroy(jrq_connection *connection, int polite);

int jrq_descriptor(jrq_connection *connection);
int jrq_heartbeat_s(jrq_connection *connection);
int jrq_frame_max(jrq_connection *connection);
int jrq_channel_max(jrq_connection *connection);

// Whether the socket takes bytes now.
int jrq_can_write(jrq_connection *connection);

// Opens a channel; with `confirms` the broker confirms what is published on it.
int jrq_channel_open(jrq_connection *connection, uint16_t channel, int confirms, jrq_failure *failure);
int jrq_channel_close(jrq_connection *connection, uint16_t channel, jrq_failure *failure);

// Declares a queue, or, if `passive`, asks whether it is there.
int jrq_queue_declare(
    jrq_connection *connection, uint16_t channel, const char *queue, int passive, int durable, int exclusive,
    int auto_delete, jrq_bytes arguments, jrq_failure *failure);

// At most `prefetch` unacknowledged messages at a time.
int jrq_prefetch(jrq_connection *connection, uint16_t channel, uint16_t prefetch, jrq_failure *failure);

int jrq_consume(
    jrq_connection *connection, uint16_t channel, const char *queue, const char *tag, int exclusive,
    jrq_bytes arguments, jrq_failure *failure);

// Writes a message. Success means only that the bytes are on their way.
int jrq_publish(
    jrq_connection *connection, uint16_t channel, jrq_bytes exchange, jrq_bytes routing_key, int mandatory,
    const jrq_properties *properties, jrq_bytes body, jrq_failure *failure);

int jrq_ack(jrq_connection *connection, uint16_t channel, uint64_t tag, int multiple, jrq_failure *failure);
int jrq_nack(
    jrq_connection *connection, uint16_t channel, uint64_t tag, int multiple, int requeue, jrq_failure *failure);

// The next thing the broker said, without waiting; JRQ_EVENT_NONE when there is nothing. Also sends the heartbeat that is
// due and fails with JRQ_FAILURE_HEARTBEAT when the broker's is missing: call it at least twice per heartbeat. Bodies
// longer than `body_max` are skipped.
int jrq_next(jrq_connection *connection, uint64_t body_max, jrq_event *event, jrq_failure *failure);

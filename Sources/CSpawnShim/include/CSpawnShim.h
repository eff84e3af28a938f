#ifndef JUNCTION_CSPAWN_SHIM_H
#define JUNCTION_CSPAWN_SHIM_H

#include <stdint.h>

/// What a child process is started with. A limit below zero is inherited.
typedef struct {
    const char *path;
    char *const *arguments;
    char *const *environment;
    const char *directory;
    /// The child's standard input, output and error.
    int32_t input, output, errors;
    int64_t cpu_seconds, memory_bytes, open_files, processes, file_bytes;
    /// Nonzero: it gets a network of its own, with nothing in it, by a user namespace. Linux only.
    int32_t isolates_network;
} jn_spawn_request;

/// The step that failed.
enum { JN_SPAWN_FORK = 1, JN_SPAWN_SETUP, JN_SPAWN_DIRECTORY, JN_SPAWN_LIMITS, JN_SPAWN_EXEC, JN_SPAWN_NETWORK };

/// Starts a child in a process group of its own, with no descriptors but its three, default signal handling, and the
/// environment given. It is killed when the calling *thread* ends.
///
/// Returns its process id, or the error number below zero, with the step in `*stage`. Safe beside other threads.
int32_t jn_spawn(const jn_spawn_request *request, int32_t *stage);

/// A descriptor that becomes readable when the process ends; -1 where the system has none.
int32_t jn_watch_process(int32_t pid);

/// Whether a child has ended; it is not reaped, so its id still is its own.
int32_t jn_has_ended(int32_t pid);

/// Keeps signals, SIGPIPE among them, from the calling thread.
void jn_block_signals(void);

/// Lets lines that are printed out at once, also when they go to a pipe.
void jn_line_buffer_output(void);

/// A pipe whose ends are closed on exec: 0, or the error number below zero.
int32_t jn_pipe(int32_t *read_end, int32_t *write_end);

/// Makes reads and writes of a descriptor return at once: 0, or the error number below zero.
int32_t jn_set_nonblocking(int32_t descriptor);

#endif

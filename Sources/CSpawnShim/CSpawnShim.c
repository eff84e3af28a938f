#define _GNU_SOURCE
#include "CSpawnShim.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __linux__
#include <sys/prctl.h>
#include <sys/syscall.h>
#endif

/// Descriptors from here on are out of the way of 0, 1 and 2.
enum { FIRST_SPARE = 10 };

int32_t jn_pipe(int32_t *read_end, int32_t *write_end) {
    int ends[2];
#ifdef __linux__
    if (pipe2(ends, O_CLOEXEC) != 0) return -errno;
#else
    if (pipe(ends) != 0) return -errno;
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
#endif
    *read_end = ends[0];
    *write_end = ends[1];
    return 0;
}

int32_t jn_set_nonblocking(int32_t descriptor) {
    int flags = fcntl(descriptor, F_GETFL);
    return flags < 0 || fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) < 0 ? -errno : 0;
}

int32_t jn_watch_process(int32_t pid) {
#if defined(__linux__) && defined(SYS_pidfd_open)
    return (int32_t)syscall(SYS_pidfd_open, pid, 0);
#else
    (void)pid;
    return -1;
#endif
}

int32_t jn_has_ended(int32_t pid) {
    siginfo_t info;
    memset(&info, 0, sizeof info);
    int result;
    do {
        result = waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT);
    } while (result != 0 && errno == EINTR);
    // No such child: somebody else has reaped it.
    return result != 0 || info.si_pid == pid;
}

void jn_line_buffer_output(void) { setvbuf(stdout, NULL, _IOLBF, 0); }

void jn_block_signals(void) {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
}

/// Everything from 3 on is closed when the program is executed; until then `report` must stay open.
static void close_others_on_exec(int report) {
#if defined(__linux__) && defined(SYS_close_range)
    if (syscall(SYS_close_range, 3U, UINT_MAX, 4U /* CLOSE_RANGE_CLOEXEC */) == 0) return;
#endif
    struct rlimit files;
    int end = getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < 65536 ? (int)files.rlim_cur : 65536;
    for (int descriptor = 3; descriptor < end; descriptor++) {
        if (descriptor != report) close(descriptor);
    }
}

static int limit(int resource, int64_t value) {
    if (value < 0) return 0;
    struct rlimit limits;
    if (getrlimit(resource, &limits) != 0) return -1;
    rlim_t wanted = (rlim_t)value;
    // A limit is never raised, only lowered.
    if (limits.rlim_max != RLIM_INFINITY && wanted > limits.rlim_max) wanted = limits.rlim_max;
    limits.rlim_cur = limits.rlim_max = wanted;
    return setrlimit(resource, &limits);
}

/// The identity map of one user or group namespace, as the kernel reads it.
typedef struct {
    char text[64];
    int bytes;
} id_map;

static id_map identity_map(unsigned id) {
    id_map map;
    map.bytes = snprintf(map.text, sizeof map.text, "%u %u 1\n", id, id);
    return map;
}

/// Both maps are made before the fork: `snprintf` may allocate.
typedef struct {
    id_map user, group;
} id_maps;

#ifdef __linux__
static int write_file(const char *path, const char *text, int bytes) {
    int file = open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0) return -1;
    ssize_t written = write(file, text, (size_t)bytes);
    int number = errno;
    close(file);
    errno = number;
    return written == bytes ? 0 : -1;
}
#endif

/// In the child: leaves the network. Users keep their numbers.
static int leave_network(const id_maps *maps) {
#ifdef __linux__
    if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) return -1;
    // An older kernel has no such file, and needs none.
    if (write_file("/proc/self/setgroups", "deny", 4) != 0 && errno != ENOENT) return -1;
    if (write_file("/proc/self/uid_map", maps->user.text, maps->user.bytes) != 0) return -1;
    if (write_file("/proc/self/gid_map", maps->group.text, maps->group.bytes) != 0) return -1;
    // A change of credentials may have cleared it.
    return prctl(PR_SET_PDEATHSIG, SIGKILL);
#else
    (void)maps;
    errno = ENOSYS;
    return -1;
#endif
}

/// In the child: only calls that are safe after a fork of a program with threads. Returns the step that failed.
static int become(const jn_spawn_request *request, const id_maps *maps, int report, pid_t parent) {
    setpgid(0, 0);
#ifdef __linux__
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return JN_SPAWN_SETUP;
    // The parent may have ended before that was set.
    if (getppid() != parent) _exit(127);
#else
    (void)parent;
#endif
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = SIG_DFL;
    for (int number = 1; number < NSIG; number++) sigaction(number, &action, NULL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);

    int input = fcntl(request->input, F_DUPFD_CLOEXEC, FIRST_SPARE);
    int output = fcntl(request->output, F_DUPFD_CLOEXEC, FIRST_SPARE);
    int errors = fcntl(request->errors, F_DUPFD_CLOEXEC, FIRST_SPARE);
    if (input < 0 || output < 0 || errors < 0) return JN_SPAWN_SETUP;
    if (dup2(input, 0) < 0 || dup2(output, 1) < 0 || dup2(errors, 2) < 0) return JN_SPAWN_SETUP;
    close_others_on_exec(report);

    if (chdir(request->directory) != 0) return JN_SPAWN_DIRECTORY;
    // Before the limits: what is open now may be more than they allow.
    if (request->isolates_network && leave_network(maps) != 0) return JN_SPAWN_NETWORK;
    if (limit(RLIMIT_CORE, 0) != 0 || limit(RLIMIT_CPU, request->cpu_seconds) != 0 ||
        limit(RLIMIT_AS, request->memory_bytes) != 0 || limit(RLIMIT_NOFILE, request->open_files) != 0 ||
        limit(RLIMIT_FSIZE, request->file_bytes) != 0 || limit(RLIMIT_NPROC, request->processes) != 0) {
        return JN_SPAWN_LIMITS;
    }
    execve(request->path, request->arguments, request->environment);
    return JN_SPAWN_EXEC;
}

int32_t jn_spawn(const jn_spawn_request *request, int32_t *stage) {
    int32_t listen_end, report_end;
    *stage = JN_SPAWN_SETUP;
    int32_t failure = jn_pipe(&listen_end, &report_end);
    if (failure != 0) return failure;
    int spare = fcntl(report_end, F_DUPFD_CLOEXEC, FIRST_SPARE);
    close(report_end);
    if (spare < 0) {
        failure = -errno;
        close(listen_end);
        return failure;
    }
    // No signal handler of ours may run in the child before it has reset them.
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pid_t parent = getpid();
    id_maps maps;
    maps.user = identity_map((unsigned)geteuid());
    maps.group = identity_map((unsigned)getegid());
    pid_t child = fork();
    if (child == 0) {
        int32_t message[2];
        message[0] = become(request, &maps, spare, parent);
        message[1] = errno;
        ssize_t written = write(spare, message, sizeof message);
        (void)written;
        _exit(127);
    }
    failure = -errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(spare);
    if (child < 0) {
        close(listen_end);
        *stage = JN_SPAWN_FORK;
        return failure;
    }
    int32_t message[2];
    ssize_t count;
    do {
        count = read(listen_end, message, sizeof message);
    } while (count < 0 && errno == EINTR);
    close(listen_end);
    if (count == (ssize_t)sizeof message) {
        int status;
        while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
        }
        *stage = message[0];
        return -message[1];
    }
    *stage = 0;
    return child;
}

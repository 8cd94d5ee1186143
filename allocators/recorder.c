/* SPDX-License-Identifier: MIT
 * recorder.c - writes down what a real program allocates: build/lib/refarena-recorder.so.
 *
 *     REFARENA_RECORD=file.trace.zst LD_PRELOAD=build/lib/refarena-recorder.so program ...
 *
 * It stands in front of glibc's malloc family and notes every allocation, resize and release, in true
 * order. One lock is held over each call *and* its note: noted after the lock was dropped, an address that
 * one thread freed could be noted as another thread's birth before its death. So threads run one at a
 * time inside malloc; a trace has their order, not their timing.
 *
 * - Of its own it uses mmap only (zstd works in memory handed to it), so it never records itself.
 * - glibc's functions are called by their second names, __libc_malloc and so on: no dlsym, which calls
 *   calloc, before the first call can be served.
 * - It keeps no file open, because programs close what they did not open and the number would then
 *   belong to another file: each flush opens, writes at its offset and closes.
 * - A block born before the recording began is unknown: its release is not noted, its resize is a birth.
 * - A forked child stops recording; so does a program started by this one, because REFARENA_RECORD leaves
 *   the environment. Where the file's name contains %p (the process's number) all record, each to its own.
 * - exit, _exit and exec end the trace properly. After a crash or a kill the head says "unfinished".
 */
#define ZSTD_STATIC_LINKING_ONLY            /* ZSTD_initStaticCCtx: a context in our own memory */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <zstd.h>

#include "recorder.h"

extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void  __libc_free(void *);

enum {
    RECORDER_EVENT_BYTES = 32,              /* more than any event takes, a thread switch included */
    RECORDER_LEVEL       = 12,              /* of compression: small files, and no long halts */
    RECORDER_FIRST_SLOTS = 1 << 16,
    RECORDER_ARGUMENTS   = 4096,            /* of a program, through execl */
};

typedef struct recorder_block { uintptr_t address; uint64_t birth; size_t bytes; } recorder_block;

static _Atomic enum { RECORDER_UNDECIDED, RECORDER_ON, RECORDER_OFF } recorder_state;
static pthread_mutex_t recorder_lock = PTHREAD_MUTEX_INITIALIZER;

/* All below is guarded by the lock. */
static recorder_head  recorder_now;             /* counts so far, of the trace being written */
static char           recorder_pattern[PATH_MAX], recorder_path[PATH_MAX];
static pid_t          recorder_process;
static uint64_t       recorder_live_blocks, recorder_live_bytes, recorder_thread_noted;
static off_t          recorder_file_bytes;
static unsigned char *recorder_raw, *recorder_packed;
static size_t         recorder_raw_used;
static ZSTD_CCtx     *recorder_zstd;
static recorder_block *recorder_blocks;         /* open addressing, address 0 is free; at most half full */
static size_t         recorder_slots;

/* In the executable's initial TLS block: reading them never allocates. */
#define RECORDER_THREAD_LOCAL static _Thread_local __attribute__((tls_model("initial-exec")))
RECORDER_THREAD_LOCAL bool     recorder_inside;     /* a signal handler that allocates must not deadlock */
RECORDER_THREAD_LOCAL pid_t    recorder_thread_of;  /* process in which the thread got its number */
RECORDER_THREAD_LOCAL uint64_t recorder_thread;

/* --- what goes wrong ---------------------------------------------------------------------------------- */

static void recorder_complain(const char *what) {
    char line[PATH_MAX + 256];
    int length = snprintf(line, sizeof line, "refarena-recorder: %s: %s: %s\n", recorder_path, what, strerror(errno));
    if (write(STDERR_FILENO, line, (size_t)length) < 0) return;
}

static void *recorder_map(size_t bytes) {
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

/* --- the file ----------------------------------------------------------------------------------------- */

static bool recorder_write(int flags, const void *bytes, size_t count, off_t offset) {
    int file = open(recorder_path, O_WRONLY | O_CLOEXEC | flags, 0666);
    bool written = file >= 0;
    for (size_t done = 0; written && done < count;) {
        ssize_t n = pwrite(file, (const char *)bytes + done, count - done, offset + (off_t)done);
        if (n < 0 && errno != EINTR) written = false;
        if (n > 0) done += (size_t)n;
    }
    if (file >= 0 && close(file) < 0) written = false;
    if (!written) {
        recorder_complain("cannot be written, recording stops here");
        recorder_state = RECORDER_OFF;
    }
    return written;
}

static bool recorder_write_head(int flags) {
    recorder_head *head = &recorder_now;
    head->head_checksum = recorder_checksum(RECORDER_CHECKSUM_START, head, offsetof(recorder_head, head_checksum));
    return recorder_write(flags, head, sizeof *head, 0);
}

/* Write the events noted since the last flush as one zstd frame. */
static bool recorder_flush(void) {
    if (recorder_raw_used == 0) return true;
    size_t packed = ZSTD_compress2(recorder_zstd, recorder_packed, ZSTD_compressBound(RECORDER_RAW_BYTES),
                                   recorder_raw, recorder_raw_used);
    if (ZSTD_isError(packed)) {
        errno = ENOMEM;
        recorder_complain("cannot be compressed, recording stops here");
        recorder_state = RECORDER_OFF;
        return false;
    }
    if (!recorder_write(0, recorder_packed, packed, recorder_file_bytes)) return false;
    recorder_now.raw_checksum = recorder_checksum(recorder_now.raw_checksum, recorder_raw, recorder_raw_used);
    recorder_now.raw_bytes += recorder_raw_used;
    recorder_file_bytes += (off_t)packed;
    recorder_raw_used = 0;
    return true;
}

/* Make the file a whole trace. Recording may go on after it (exec can fail) and finish again. */
static void recorder_finish(void) {
    int error = errno;
    /* a vforked child shares this memory, but the file is its parent's */
    if (getpid() == recorder_process && recorder_flush()) {
        recorder_now.finished = 1;
        recorder_write_head(0);
        recorder_now.finished = 0;
    }
    errno = error;
}

/* --- the table of live blocks ----------------------------------------------------------------------- */

static size_t recorder_slot(uintptr_t address) {        /* multiplicative hashing: Knuth, TAOCP 3, 6.4 */
    return (size_t)((address >> 4) * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (recorder_slots - 1);
}

static recorder_block *recorder_find(uintptr_t address) {
    size_t at = recorder_slot(address);
    while (recorder_blocks[at].address && recorder_blocks[at].address != address) at = (at + 1) & (recorder_slots - 1);
    return &recorder_blocks[at];
}

static bool recorder_grow(void) {
    recorder_block *old = recorder_blocks;
    size_t old_slots = recorder_slots, slots = old_slots ? old_slots * 2 : RECORDER_FIRST_SLOTS;
    recorder_block *grown = recorder_map(slots * sizeof *grown);
    if (!grown) {
        recorder_complain("no memory for the table of blocks, recording stops here");
        recorder_state = RECORDER_OFF;
        return false;
    }
    recorder_blocks = grown;
    recorder_slots = slots;
    for (size_t i = 0; i < old_slots; i++)
        if (old[i].address) *recorder_find(old[i].address) = old[i];
    if (old) munmap(old, old_slots * sizeof *old);
    return true;
}

/* Close the gap that a removal leaves, so that no search ends early: Knuth, TAOCP 3, 6.4, algorithm R. */
static void recorder_remove(recorder_block *gone) {
    size_t mask = recorder_slots - 1, hole = (size_t)(gone - recorder_blocks);
    for (size_t at = (hole + 1) & mask; recorder_blocks[at].address; at = (at + 1) & mask) {
        size_t home = recorder_slot(recorder_blocks[at].address);
        if (((at - home) & mask) < ((at - hole) & mask)) continue;
        recorder_blocks[hole] = recorder_blocks[at];
        hole = at;
    }
    recorder_blocks[hole].address = 0;
}

/* --- events ------------------------------------------------------------------------------------------- */

static void recorder_number(uint64_t number) {
    for (; number >= 0x80; number >>= 7) recorder_raw[recorder_raw_used++] = (unsigned char)(number | 0x80);
    recorder_raw[recorder_raw_used++] = (unsigned char)number;
}

/* The kind of the next event, and before it the thread where that changed. */
static bool recorder_note(recorder_kind kind) {
    if (recorder_raw_used + RECORDER_EVENT_BYTES > RECORDER_RAW_BYTES && !recorder_flush()) return false;
    if (recorder_thread_of != recorder_process) {
        recorder_thread_of = recorder_process;
        recorder_thread = recorder_now.threads++;
    }
    if (recorder_thread != recorder_thread_noted) {
        recorder_raw[recorder_raw_used++] = RECORDER_THREAD;
        recorder_number(recorder_thread_noted = recorder_thread);
    }
    recorder_raw[recorder_raw_used++] = (unsigned char)kind;
    return true;
}

static uint64_t recorder_events(void) {
    return recorder_now.allocations + recorder_now.resizes + recorder_now.releases;
}

static void recorder_count_bytes(size_t less, size_t more) {
    recorder_now.total_bytes += more;
    recorder_live_bytes += more - less;
    if (recorder_live_bytes <= recorder_now.peak_bytes) return;
    recorder_now.peak_bytes = recorder_live_bytes;
    recorder_now.peak_event = recorder_events();
}

static void recorder_died(void *address) {
    recorder_block *block = recorder_find((uintptr_t)address);
    if (!block->address || !recorder_note(RECORDER_RELEASE)) return;
    recorder_number(recorder_now.allocations - block->birth);
    recorder_now.releases++;
    recorder_live_blocks--;
    recorder_count_bytes(block->bytes, 0);
    recorder_remove(block);
}

static void recorder_born(recorder_kind kind, void *address, size_t alignment, size_t bytes) {
    recorder_died(address);     /* freed where we could not see it */
    if (recorder_live_blocks * 2 >= recorder_slots && !recorder_grow()) return;
    if (!recorder_note(kind)) return;
    if (kind == RECORDER_ALIGNED) recorder_number((uint64_t)__builtin_ctzll(alignment));
    recorder_number(bytes);
    *recorder_find((uintptr_t)address) = (recorder_block){(uintptr_t)address, recorder_now.allocations++, bytes};
    if (++recorder_live_blocks > recorder_now.peak_blocks) recorder_now.peak_blocks = recorder_live_blocks;
    recorder_count_bytes(0, bytes);
}

static void recorder_resized(void *before, void *after, size_t bytes) {
    recorder_block *found = recorder_find((uintptr_t)before), block = *found;
    if (!block.address) {
        recorder_born(RECORDER_ALLOC, after, 0, bytes);
        return;
    }
    recorder_remove(found);
    recorder_died(after);       /* freed where we could not see it */
    if (!recorder_note(RECORDER_RESIZE)) return;
    recorder_number(recorder_now.allocations - block.birth);
    recorder_number(bytes);
    *recorder_find((uintptr_t)after) = (recorder_block){(uintptr_t)after, block.birth, bytes};
    recorder_now.resizes++;
    recorder_count_bytes(block.bytes, bytes);
}

/* --- start and end ------------------------------------------------------------------------------------ */

/* recorder_path = recorder_pattern with each %p replaced by this process's number. */
static void recorder_name_file(void) {
    size_t used = 0;
    for (const char *at = recorder_pattern; *at && used + 16 < sizeof recorder_path; at++) {
        if (at[0] == '%' && at[1] == 'p') used += (size_t)sprintf(recorder_path + used, "%d", (int)getpid()), at++;
        else recorder_path[used++] = *at;
    }
    recorder_path[used] = 0;
}

static void recorder_read_command(void) {
    char *command = recorder_now.command;
    int file = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
    ssize_t length = file < 0 ? 0 : read(file, command, RECORDER_COMMAND_BYTES - 1);
    if (file >= 0) close(file);
    if (length < 0) length = 0;
    if (length > 0 && command[length - 1] == 0) length--;
    for (ssize_t i = 0; i < length; i++)
        if ((unsigned char)command[i] < ' ') command[i] = ' ';
    command[length] = 0;
}

static bool recorder_map_buffers(void) {
    size_t zstd_bytes = ZSTD_estimateCCtxSize(RECORDER_LEVEL);
    void *zstd = recorder_map(zstd_bytes);
    recorder_raw = recorder_map(RECORDER_RAW_BYTES);
    recorder_packed = recorder_map(ZSTD_compressBound(RECORDER_RAW_BYTES));
    if (!zstd || !recorder_raw || !recorder_packed) return false;
    recorder_zstd = ZSTD_initStaticCCtx(zstd, zstd_bytes);
    return recorder_zstd
        && !ZSTD_isError(ZSTD_CCtx_setParameter(recorder_zstd, ZSTD_c_compressionLevel, RECORDER_LEVEL))
        && !ZSTD_isError(ZSTD_CCtx_setParameter(recorder_zstd, ZSTD_c_checksumFlag, 1));
}

/* Begin a trace of this process from an empty table: at the first call, or in a forked child. */
static void recorder_begin(void) {
    recorder_name_file();
    recorder_process = getpid();
    recorder_live_blocks = recorder_live_bytes = recorder_thread_noted = recorder_raw_used = 0;
    if (recorder_blocks) memset(recorder_blocks, 0, recorder_slots * sizeof *recorder_blocks);
    recorder_now = (recorder_head){
        .frame_magic = RECORDER_FRAME_MAGIC, .frame_bytes = sizeof(recorder_head) - 8,
        .magic = {'r', 'e', 'f', 'a', 'r', 'e', 'n', 'a'}, .version = RECORDER_VERSION,
        .raw_checksum = RECORDER_CHECKSUM_START,
    };
    recorder_read_command();
    recorder_file_bytes = sizeof recorder_now;
    recorder_state = RECORDER_ON;
    if (!recorder_blocks && !recorder_grow()) return;
    if (!recorder_raw && !recorder_map_buffers()) {
        recorder_complain("no memory to record");
        recorder_state = RECORDER_OFF;
        return;
    }
    recorder_write_head(O_CREAT | O_TRUNC);
}

/* The first call of the process: libraries allocate in their constructors, before ours runs. */
static void recorder_decide(void) {
    if (!environ) return;       /* the C library is not up yet; ask again at the next call */
    const char *name = getenv("REFARENA_RECORD");
    if (!name || !*name) {
        recorder_state = RECORDER_OFF;
        return;
    }
    /* a program may change its folder while it runs */
    if (*name != '/' && getcwd(recorder_pattern, sizeof recorder_pattern - 1)) strcat(recorder_pattern, "/");
    size_t used = strlen(recorder_pattern);
    snprintf(recorder_pattern + used, sizeof recorder_pattern - used, "%s", name);
    recorder_begin();
    if (recorder_state == RECORDER_OFF) syscall(SYS_exit_group, 2);     /* asked to record, and cannot */
}

static bool recorder_enter(void) {
    if (recorder_state == RECORDER_OFF || recorder_inside) return false;
    pthread_mutex_lock(&recorder_lock);
    recorder_inside = true;
    if (recorder_state == RECORDER_UNDECIDED) recorder_decide();
    if (recorder_state == RECORDER_ON) return true;
    recorder_inside = false;
    pthread_mutex_unlock(&recorder_lock);
    return false;
}

static void recorder_leave(void) {
    recorder_inside = false;
    pthread_mutex_unlock(&recorder_lock);
}

static void recorder_in_child(void) {
    recorder_lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;     /* its holder stayed in the parent */
    if (recorder_state != RECORDER_ON) return;
    if (strstr(recorder_pattern, "%p")) recorder_begin();
    else recorder_state = RECORDER_OFF;
}

static void recorder_finish_now(void) {
    if (!recorder_enter()) return;
    recorder_finish();
    recorder_leave();
}

static void recorder_end(void) {
    if (!recorder_enter()) return;
    recorder_finish();
    recorder_state = RECORDER_OFF;
    recorder_leave();
}

__attribute__((constructor)) static void recorder_construct(void) {
    if (recorder_enter()) recorder_leave();
    if (recorder_state != RECORDER_ON) return;
    pthread_atfork(NULL, NULL, recorder_in_child);
    at_quick_exit(recorder_end);
    if (!strstr(recorder_pattern, "%p")) unsetenv("REFARENA_RECORD");
}

__attribute__((destructor)) static void recorder_destruct(void) { recorder_end(); }

/* --- the malloc family -------------------------------------------------------------------------------- */

static void *recorder_alloc(recorder_kind kind, size_t alignment, size_t bytes) {
    bool on = recorder_enter();
    void *block = kind == RECORDER_ALIGNED ? __libc_memalign(alignment, bytes)
                : kind == RECORDER_ZEROED  ? __libc_calloc(1, bytes) : __libc_malloc(bytes);
    if (!on) return block;
    int error = errno;
    if (block) recorder_born(kind, block, alignment, bytes);
    recorder_leave();
    errno = error;
    return block;
}

void *malloc(size_t bytes) { return recorder_alloc(RECORDER_ALLOC, 0, bytes); }

void *calloc(size_t count, size_t bytes) {
    size_t total;
    if (!__builtin_mul_overflow(count, bytes, &total)) return recorder_alloc(RECORDER_ZEROED, 0, total);
    errno = ENOMEM;
    return NULL;
}

void free(void *block) {
    bool on = block && recorder_enter();
    int error = errno;
    if (on) recorder_died(block);
    __libc_free(block);
    if (on) recorder_leave();
    errno = error;
}

void *realloc(void *block, size_t bytes) {
    if (!block) return malloc(bytes);
    bool on = recorder_enter();
    void *moved = __libc_realloc(block, bytes);
    if (!on) return moved;
    int error = errno;
    if (moved) recorder_resized(block, moved, bytes);
    else if (bytes == 0) recorder_died(block);      /* glibc frees it then */
    recorder_leave();
    errno = error;
    return moved;
}

void *reallocarray(void *block, size_t count, size_t bytes) {
    size_t total;
    if (!__builtin_mul_overflow(count, bytes, &total)) return realloc(block, total);
    errno = ENOMEM;
    return NULL;
}

static bool recorder_is_power_of_two(size_t n) { return n && (n & (n - 1)) == 0; }

/* As glibc, which rounds an alignment up to a power of two. */
void *memalign(size_t alignment, size_t bytes) {
    size_t rounded = sizeof(void *);
    while (rounded < alignment && rounded <= SIZE_MAX / 4) rounded *= 2;
    return recorder_alloc(RECORDER_ALIGNED, rounded, bytes);
}

void *aligned_alloc(size_t alignment, size_t bytes) { return memalign(alignment, bytes); }

int posix_memalign(void **block, size_t alignment, size_t bytes) {
    if (!recorder_is_power_of_two(alignment) || alignment % sizeof(void *)) return EINVAL;
    void *made = recorder_alloc(RECORDER_ALIGNED, alignment, bytes);
    if (!made) return ENOMEM;
    *block = made;
    return 0;
}

void *valloc(size_t bytes) { return memalign((size_t)sysconf(_SC_PAGESIZE), bytes); }

void *pvalloc(size_t bytes) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    if (bytes > SIZE_MAX - page) {
        errno = ENOMEM;
        return NULL;
    }
    return memalign(page, (bytes + page - 1) / page * page);
}

/* --- the ways to end without exit --------------------------------------------------------------------- */

_Noreturn void _exit(int status) {
    recorder_end();
    for (;;) syscall(SYS_exit_group, status);
}

_Noreturn void _Exit(int status) { _exit(status); }

int execve(const char *path, char *const argv[], char *const environment[]) {
    recorder_finish_now();
    return (int)syscall(SYS_execve, path, argv, environment);
}

int execv(const char *path, char *const argv[]) { return execve(path, argv, environ); }

int execvpe(const char *name, char *const argv[], char *const environment[]) {
    int (*next)(const char *, char *const[], char *const[]) = 0;
    *(void **)&next = dlsym(RTLD_NEXT, "execvpe");
    recorder_finish_now();
    return next(name, argv, environment);
}

int execvp(const char *name, char *const argv[]) { return execvpe(name, argv, environ); }

/* The arguments of execl and its kin as an array. False: more than any of them is given in practice. */
static bool recorder_gather(char *argv[RECORDER_ARGUMENTS], const char *first, va_list *rest) {
    size_t count = 0;
    for (const char *next = first; next; next = va_arg(*rest, const char *)) {
        if (count == RECORDER_ARGUMENTS - 1) {
            errno = E2BIG;
            return false;
        }
        argv[count++] = (char *)next;
    }
    argv[count] = NULL;
    return true;
}

int execl(const char *path, const char *first, ...) {
    char *argv[RECORDER_ARGUMENTS];
    va_list rest;
    va_start(rest, first);
    int result = recorder_gather(argv, first, &rest) ? execv(path, argv) : -1;
    va_end(rest);
    return result;
}

int execlp(const char *name, const char *first, ...) {
    char *argv[RECORDER_ARGUMENTS];
    va_list rest;
    va_start(rest, first);
    int result = recorder_gather(argv, first, &rest) ? execvp(name, argv) : -1;
    va_end(rest);
    return result;
}

int execle(const char *path, const char *first, ...) {
    char *argv[RECORDER_ARGUMENTS];
    va_list rest;
    va_start(rest, first);
    int result = recorder_gather(argv, first, &rest) ? execve(path, argv, va_arg(rest, char *const *)) : -1;
    va_end(rest);
    return result;
}

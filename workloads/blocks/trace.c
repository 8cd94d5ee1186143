/* SPDX-License-Identifier: MIT
 * trace.c - reads a recorded trace: unpack, check, decode.
 *
 * Nothing in the file is believed. The head has a checksum of its own, the stream of events another;
 * every event is checked against the blocks that live at that point, and at the end all counts are held
 * against the head's. A file that was cut or changed anywhere is refused, and the line says after which
 * event it stopped making sense.
 *
 * All memory is workload_map's, zstd's too: reading a trace leaves no mark on the allocator under test.
 */
#define ZSTD_STATIC_LINKING_ONLY            /* ZSTD_initStaticDStream: a context in our own memory */
#include "trace.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include "../workload.h"

#define TRACE_MOST UINT64_C(0x7fffffff)     /* events, blocks, bytes of the stream: more is no trace of ours */
#define TRACE_ADVICE "; record it again with `make recordings`"

typedef struct trace_bytes { unsigned char *start; size_t count; } trace_bytes;     /* mapped */

/* What decoding knows between two events. */
typedef struct trace_reader {
    trace         *into;
    const unsigned char *at, *end;
    uint64_t       births;
    uint32_t      *slot_of;             /* by birth; TRACE_DEAD once released */
    uint64_t      *bytes_of;            /* by slot */
    uint32_t      *free_slots;          /* a stack: the slot freed last is used first */
    uint64_t       free_count;
    uint64_t       live_bytes, total_bytes, peak_bytes, peak_event, peak_blocks, resizes, releases;
    uint16_t       thread;
} trace_reader;

#define TRACE_DEAD UINT32_MAX

/* Which file is read, and where to say what is wrong with it. */
typedef struct trace_source { const char *path; char *why; size_t why_bytes; } trace_source;

static bool trace_refuse(const trace_source *from, const char *format, ...) {
    enum { SHOWN = 100 };       /* of a long path: its end, which says more than its start */
    size_t length = strlen(from->path), hidden = length > SHOWN ? length - SHOWN : 0;
    int used = snprintf(from->why, from->why_bytes, "trace %s%s: ", hidden ? "..." : "", from->path + hidden);
    va_list values;
    va_start(values, format);
    if (used >= 0 && (size_t)used < from->why_bytes)
        vsnprintf(from->why + used, from->why_bytes - (size_t)used, format, values);
    va_end(values);
    return false;
}

/* --- the file ----------------------------------------------------------------------------------------- */

static bool trace_read_file(trace_bytes *file, const trace_source *from) {
    struct stat status;
    int fd = open(from->path, O_RDONLY | O_CLOEXEC);
    bool fine = fd >= 0 && fstat(fd, &status) == 0;
    if (fine && !S_ISREG(status.st_mode)) errno = S_ISDIR(status.st_mode) ? EISDIR : EINVAL, fine = false;
    if (fine) {
        file->count = (size_t)status.st_size;
        file->start = workload_map(file->count);
        fine = file->start != NULL;
    }
    for (size_t done = 0; fine && done < file->count;) {
        ssize_t n = read(fd, file->start + done, file->count - done);
        if (n > 0) done += (size_t)n;
        else if (n == 0) file->count = done;
        else fine = errno == EINTR;
    }
    int error = errno;
    if (fd >= 0) close(fd);
    if (!fine) trace_refuse(from, "cannot be read: %s; `make recordings` makes cpython, sqlite3 and cc1", strerror(error));
    return fine;
}

static bool trace_read_head(recorder_head *head, trace_bytes file, const trace_source *from) {
    if (file.count < sizeof *head) return trace_refuse(from, "truncated in its head" TRACE_ADVICE);
    memcpy(head, file.start, sizeof *head);
    if (head->frame_magic != RECORDER_FRAME_MAGIC || head->frame_bytes != sizeof *head - 8
        || memcmp(head->magic, RECORDER_MAGIC, sizeof head->magic) != 0)
        return trace_refuse(from, "not a recorded trace, or damaged in its head" TRACE_ADVICE);
    if (recorder_checksum(RECORDER_CHECKSUM_START, head, offsetof(recorder_head, head_checksum)) != head->head_checksum)
        return trace_refuse(from, "damaged in its head" TRACE_ADVICE);
    if (head->version != RECORDER_VERSION)
        return trace_refuse(from, "has version %u, this program reads %d" TRACE_ADVICE, head->version,
                            RECORDER_VERSION);
    if (!head->finished)
        return trace_refuse(from, "unfinished: its program was killed, or is still running" TRACE_ADVICE);
    if (head->raw_bytes > TRACE_MOST || head->allocations > TRACE_MOST || head->resizes > TRACE_MOST
        || (head->allocations + head->resizes + head->releases) * 2 > head->raw_bytes      /* the shortest take two */
        || head->releases > head->allocations || head->peak_blocks > head->allocations
        || head->threads > UINT16_MAX)
        return trace_refuse(from, "has more events than can be replayed");
    head->command[RECORDER_COMMAND_BYTES - 1] = 0;
    return true;
}

/* Unpack the frames behind the head into `raw`. Returns how many bytes came out; *broken says whether zstd
 * found damage, or the file goes on behind them. */
static size_t trace_unpack(trace_bytes raw, trace_bytes file, bool *broken) {
    size_t context_bytes = ZSTD_estimateDStreamSize(RECORDER_RAW_BYTES);
    void *context = workload_map(context_bytes);
    ZSTD_DStream *stream = context ? ZSTD_initStaticDStream(context, context_bytes) : NULL;
    ZSTD_inBuffer in = {file.start, file.count, sizeof(recorder_head)};
    ZSTD_outBuffer out = {raw.start, raw.count, 0};
    size_t missing = 0;                                 /* 0: at the end of a frame */
    bool moves = stream != NULL;
    *broken = stream == NULL;
    while (moves && !*broken) {                         /* until there is no more to read, or no room for more */
        size_t in_before = in.pos, out_before = out.pos;
        size_t hint = ZSTD_decompressStream(stream, &out, &in);
        *broken = ZSTD_isError(hint);
        moves = in.pos != in_before || out.pos != out_before;
        if (moves) missing = hint;                      /* a call that does nothing asks for another frame */
    }
    if (out.pos == out.size && (in.pos < in.size || missing)) *broken = true;
    workload_unmap(context, context_bytes);
    return out.pos;
}

/* --- decoding ----------------------------------------------------------------------------------------- */

static bool trace_number(trace_reader *r, uint64_t *number) {
    *number = 0;
    for (unsigned shift = 0; r->at < r->end && shift < 64; shift += 7) {
        unsigned char byte = *r->at++;
        *number |= (uint64_t)(byte & 0x7f) << shift;
        if (!(byte & 0x80)) return true;
    }
    return false;
}

static void trace_add(trace_reader *r, recorder_kind kind, uint32_t slot, uint64_t bytes, unsigned alignment_log2) {
    r->into->events[r->into->count++] = (trace_event){bytes, slot, r->thread, (uint8_t)kind, (uint8_t)alignment_log2};
    if (kind != RECORDER_RELEASE) r->total_bytes += bytes;
    if (r->live_bytes > r->peak_bytes) {
        r->peak_bytes = r->live_bytes;
        r->peak_event = r->into->count;
    }
}

static bool trace_birth(trace_reader *r, recorder_kind kind) {
    uint64_t alignment_log2 = 0, bytes;
    if (kind == RECORDER_ALIGNED && (!trace_number(r, &alignment_log2) || alignment_log2 > 62)) return false;
    if (!trace_number(r, &bytes) || r->births == r->into->head.allocations) return false;
    bool recycled = r->free_count > 0;
    if (!recycled && r->peak_blocks == r->into->slots) return false;
    uint32_t slot = recycled ? r->free_slots[--r->free_count] : (uint32_t)r->peak_blocks++;
    r->slot_of[r->births++] = slot;
    r->bytes_of[slot] = bytes;
    r->live_bytes += bytes;
    trace_add(r, kind, slot, bytes, (unsigned)alignment_log2);
    return true;
}

static void trace_release(trace_reader *r, uint64_t birth) {
    uint32_t slot = r->slot_of[birth];
    r->slot_of[birth] = TRACE_DEAD;
    r->free_slots[r->free_count++] = slot;
    r->live_bytes -= r->bytes_of[slot];
    trace_add(r, RECORDER_RELEASE, slot, r->bytes_of[slot], 0);
}

static bool trace_change(trace_reader *r, recorder_kind kind) {
    uint64_t age, bytes;
    if (!trace_number(r, &age) || age == 0 || age > r->births) return false;
    uint64_t birth = r->births - age;
    uint32_t slot = r->slot_of[birth];
    if (slot == TRACE_DEAD) return false;
    if (kind == RECORDER_RELEASE) {
        if (r->releases++ == r->into->head.releases) return false;
        trace_release(r, birth);
        return true;
    }
    if (!trace_number(r, &bytes) || r->resizes++ == r->into->head.resizes) return false;
    r->live_bytes += bytes - r->bytes_of[slot];
    r->bytes_of[slot] = bytes;
    trace_add(r, kind, slot, bytes, 0);
    return true;
}

/* The next event, or change of thread. */
static bool trace_step(trace_reader *r) {
    uint64_t thread;
    switch (*r->at++) {
    case RECORDER_ALLOC:   return trace_birth(r, RECORDER_ALLOC);
    case RECORDER_ZEROED:  return trace_birth(r, RECORDER_ZEROED);
    case RECORDER_ALIGNED: return trace_birth(r, RECORDER_ALIGNED);
    case RECORDER_RESIZE:  return trace_change(r, RECORDER_RESIZE);
    case RECORDER_RELEASE: return trace_change(r, RECORDER_RELEASE);
    case RECORDER_THREAD:
        if (!trace_number(r, &thread) || thread >= r->into->head.threads) return false;
        r->thread = (uint16_t)thread;
        return true;
    default: return false;
    }
}

static bool trace_agrees(const trace_reader *r) {
    const recorder_head *head = &r->into->head;
    return r->births == head->allocations && r->resizes == head->resizes && r->releases == head->releases
        && r->peak_blocks == head->peak_blocks && r->peak_bytes == head->peak_bytes
        && r->peak_event == head->peak_event && r->total_bytes == head->total_bytes;
}

/* Decode `raw` into loaded->events. False where the stream makes no sense; loaded->count is then the number
 * of events before that point. */
static bool trace_decode(trace *loaded, trace_bytes raw) {
    size_t births = loaded->head.allocations, table_bytes = births * 4 + loaded->slots * 12;
    char *table = workload_map(table_bytes);
    if (!table) return false;
    trace_reader r = {.into = loaded, .at = raw.start, .end = raw.start + raw.count};
    r.bytes_of = (uint64_t *)table;
    r.free_slots = (uint32_t *)(table + loaded->slots * 8);
    r.slot_of = (uint32_t *)(table + loaded->slots * 12);
    bool fine = true;
    while (fine && r.at < r.end) fine = trace_step(&r);
    fine = fine && trace_agrees(&r);
    for (uint64_t birth = 0; fine && birth < births; birth++)
        if (r.slot_of[birth] != TRACE_DEAD) trace_release(&r, birth);
    workload_unmap(table, table_bytes);
    return fine;
}

/* --- the whole ---------------------------------------------------------------------------------------- */

static bool trace_load_events(trace *loaded, trace_bytes raw, trace_bytes file, const trace_source *from) {
    bool broken;
    size_t unpacked = trace_unpack(raw, file, &broken);
    bool cut = unpacked < raw.count;
    bool same = !broken && !cut
        && recorder_checksum(RECORDER_CHECKSUM_START, raw.start, raw.count) == loaded->head.raw_checksum;
    bool decoded = trace_decode(loaded, (trace_bytes){raw.start, unpacked});
    if (same && decoded) return true;
    return trace_refuse(from, "%s after event %llu" TRACE_ADVICE, cut && !broken ? "truncated" : "damaged",
                        (unsigned long long)loaded->count);
}

bool trace_load(trace *loaded, const char *path, char *why, size_t why_bytes) {
    const trace_source from = {path, why, why_bytes};
    trace_bytes file = {0}, raw = {0};
    *loaded = (trace){0};
    const recorder_head *head = &loaded->head;
    bool fine = trace_read_file(&file, &from) && trace_read_head(&loaded->head, file, &from);
    if (fine) {
        loaded->slots = head->peak_blocks;
        /* each birth ends in a release, recorded or added */
        loaded->mapped_bytes = (head->allocations * 2 + head->resizes) * sizeof(trace_event);
        loaded->events = workload_map(loaded->mapped_bytes);
        raw.count = head->raw_bytes;
        raw.start = workload_map(raw.count);
        fine = loaded->events && raw.start;
        if (!fine) trace_refuse(&from, "no memory for its %zu bytes of events", loaded->mapped_bytes);
    }
    fine = fine && trace_load_events(loaded, raw, file, &from);
    workload_unmap(raw.start, raw.count);
    workload_unmap(file.start, file.count);
    if (!fine) trace_unload(loaded);
    return fine;
}

void trace_unload(trace *loaded) {
    workload_unmap(loaded->events, loaded->mapped_bytes);
    *loaded = (trace){0};
}

void trace_find(const char *name, char *path, size_t path_bytes) {
    if (strchr(name, '/') || strstr(name, ".zst")) {
        snprintf(path, path_bytes, "%s", name);
        return;
    }
    char folder[PATH_MAX];
    ssize_t length = readlink("/proc/self/exe", folder, sizeof folder - 1);
    folder[length > 0 ? length : 0] = 0;
    /* build/bin/ is two folders below the top, build/address/bin/ three */
    for (char *slash; (slash = strrchr(folder, '/')) != NULL;) {
        *slash = 0;
        int used = snprintf(path, path_bytes, "%s/workloads/recordings/%s.trace.zst", folder, name);
        if (used >= 0 && (size_t)used < path_bytes && access(path, F_OK) == 0) return;
    }
    snprintf(path, path_bytes, "workloads/recordings/%s.trace.zst", name);
}

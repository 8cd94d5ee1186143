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
#include "trace.h"

#include <string.h>

#include "../packed.h"
#include "../workload.h"

#define TRACE_MOST UINT64_C(0x7fffffff)     /* events, blocks, bytes of the stream: more is no trace of ours */

/* What decoding knows between two events. */
typedef struct trace_reader {
    trace         *into;
    const unsigned char *at, *end;
    uint64_t       births;
    uint32_t      *slot_of;             /* by birth; TRACE_DEAD once released */
    uint64_t      *bytes_of;            /* by slot */
    uint32_t      *next_free;           /* by slot: the one under it on its stack, plus 1 */
    uint32_t      *free_slots;          /* by thread: top of the stack of slots it freed, plus 1; 0: empty */
    uint64_t       live_blocks, live_bytes, total_bytes, peak_bytes, peak_event, peak_blocks, resizes, releases;
    uint16_t       thread;
} trace_reader;

#define TRACE_DEAD UINT32_MAX

static bool trace_read_head(recorder_head *head, packed_bytes file, const packed_source *from) {
    if (!packed_read_head(head, sizeof *head, RECORDER_MAGIC, RECORDER_VERSION, file, from)) return false;
    if (head->raw_bytes > TRACE_MOST || head->allocations > TRACE_MOST || head->resizes > TRACE_MOST
        || (head->allocations + head->resizes + head->releases) * 2 > head->raw_bytes      /* the shortest take two */
        || head->releases > head->allocations || head->peak_blocks > head->allocations
        || head->threads > UINT16_MAX)
        return packed_refuse(from, "has more events than can be replayed");
    head->command[RECORDER_COMMAND_BYTES - 1] = 0;
    return true;
}

/* --- decoding ----------------------------------------------------------------------------------------- */

static bool trace_number(trace_reader *r, uint64_t *number) { return packed_number(&r->at, r->end, number); }

static void trace_add(trace_reader *r, recorder_kind kind, uint32_t slot, uint64_t bytes, unsigned alignment_log2) {
    r->into->events[r->into->count++] = (trace_event){bytes, slot, r->thread, (uint8_t)kind, (uint8_t)alignment_log2};
    if (kind != RECORDER_RELEASE) r->total_bytes += bytes;
    if (r->live_bytes > r->peak_bytes) {
        r->peak_bytes = r->live_bytes;
        r->peak_event = r->into->count;
    }
}

/* The slot that this thread freed last; a new one where it has none left. */
static uint32_t trace_take_slot(trace_reader *r) {
    uint32_t top = r->free_slots[r->thread];
    if (!top) return (uint32_t)r->into->slots++;
    r->free_slots[r->thread] = r->next_free[top - 1];
    return top - 1;
}

static bool trace_birth(trace_reader *r, recorder_kind kind) {
    uint64_t alignment_log2 = 0, bytes;
    if (kind == RECORDER_ALIGNED && (!trace_number(r, &alignment_log2) || alignment_log2 > 62)) return false;
    if (!trace_number(r, &bytes) || r->births == r->into->head.allocations) return false;
    uint32_t slot = trace_take_slot(r);
    r->slot_of[r->births++] = slot;
    r->bytes_of[slot] = bytes;
    if (++r->live_blocks > r->peak_blocks) r->peak_blocks = r->live_blocks;
    r->live_bytes += bytes;
    trace_add(r, kind, slot, bytes, (unsigned)alignment_log2);
    return true;
}

static void trace_release(trace_reader *r, uint64_t birth) {
    uint32_t slot = r->slot_of[birth];
    r->slot_of[birth] = TRACE_DEAD;
    r->next_free[slot] = r->free_slots[r->thread];
    r->free_slots[r->thread] = slot + 1;
    r->live_blocks--;
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
static bool trace_decode(trace *loaded, packed_bytes raw) {
    size_t births = loaded->head.allocations, table_bytes = births * 16 + (loaded->head.threads + 1) * 4;
    char *table = workload_map(table_bytes);
    if (!table) return false;
    trace_reader r = {.into = loaded, .at = raw.start, .end = raw.start + raw.count};
    r.bytes_of = (uint64_t *)table;
    r.next_free = (uint32_t *)(table + births * 8);
    r.slot_of = r.next_free + births;
    r.free_slots = r.slot_of + births;
    bool fine = true;
    while (fine && r.at < r.end) fine = trace_step(&r);
    fine = fine && trace_agrees(&r);
    for (uint64_t birth = 0; fine && birth < births; birth++)
        if (r.slot_of[birth] != TRACE_DEAD) trace_release(&r, birth);
    workload_unmap(table, table_bytes);
    return fine;
}

/* --- the whole ---------------------------------------------------------------------------------------- */

static bool trace_load_events(trace *loaded, packed_bytes raw, packed_bytes file, const packed_source *from) {
    bool broken;
    size_t unpacked = packed_unpack(raw, file, sizeof(recorder_head), &broken);
    bool cut = unpacked < raw.count;
    bool same = !broken && !cut
        && recorder_checksum(RECORDER_CHECKSUM_START, raw.start, raw.count) == loaded->head.raw_checksum;
    bool decoded = trace_decode(loaded, (packed_bytes){raw.start, unpacked});
    if (same && decoded) return true;
    return packed_refuse(from, "%s after event %llu" PACKED_ADVICE, cut && !broken ? "truncated" : "damaged",
                        (unsigned long long)loaded->count);
}

bool trace_load(trace *loaded, const char *path, char *why, size_t why_bytes) {
    const packed_source from = {"trace", path, why, why_bytes};
    packed_bytes file = {0}, raw = {0};
    *loaded = (trace){0};
    const recorder_head *head = &loaded->head;
    bool fine = packed_read(&file, &from) && trace_read_head(&loaded->head, file, &from);
    if (fine) {
        /* each birth ends in a release, recorded or added */
        loaded->mapped_bytes = (head->allocations * 2 + head->resizes) * sizeof(trace_event);
        loaded->events = workload_map(loaded->mapped_bytes);
        raw.count = head->raw_bytes;
        raw.start = workload_map(raw.count);
        fine = loaded->events && raw.start;
        if (!fine) packed_refuse(&from, "no memory for its %zu bytes of events", loaded->mapped_bytes);
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

/* SPDX-License-Identifier: MIT
 * object_graph.c - reads a heap snapshot: unpack, check, decode.
 *
 * As a trace's (blocks/trace.c), every number is checked where it is read and all sums are held against
 * the head's in the end; what was cut or changed anywhere is refused, and the line says after which object.
 */
#include "object_graph.h"

#include <string.h>

#include "../allocators/recorder.h"
#include "workload.h"

#define OBJECT_GRAPH_MOST UINT64_C(0x7fffffff)      /* objects, references, bytes of one: more is no snapshot of ours */

/* What decoding knows between two objects. */
typedef struct object_graph_reader {
    object_graph *into;
    const unsigned char *at, *end;
    uint64_t objects, references, roots, tracked, bytes;    /* so far */
} object_graph_reader;

static size_t object_graph_objects_bytes(const object_graph *g) { return g->head.objects * sizeof *g->objects; }
static size_t object_graph_references_bytes(const object_graph *g) { return g->head.references * sizeof *g->references; }

static bool object_graph_read_head(object_graph_head *head, packed_bytes file, const packed_source *from) {
    if (!packed_read_head(head, sizeof *head, OBJECT_GRAPH_MAGIC, OBJECT_GRAPH_VERSION, file, from)) return false;
    if (head->raw_bytes > OBJECT_GRAPH_MOST || head->types > head->raw_bytes
        || head->objects > head->raw_bytes / 3 || head->references > head->raw_bytes)       /* the shortest take so many */
        return packed_refuse(from, "has more objects than can be rebuilt");
    if (head->objects == 0) return packed_refuse(from, "has no objects" PACKED_ADVICE);
    head->program[OBJECT_GRAPH_PROGRAM_BYTES - 1] = 0;
    return true;
}

/* --- decoding ----------------------------------------------------------------------------------------- */

static bool object_graph_number(object_graph_reader *r, uint64_t *number) { return packed_number(&r->at, r->end, number); }

/* Names are for people: they are passed over. */
static bool object_graph_type(object_graph_reader *r) {
    uint64_t length;
    if (!object_graph_number(r, &length) || length > (uint64_t)(r->end - r->at)) return false;
    r->at += length;
    return true;
}

static bool object_graph_reference(object_graph_reader *r, uint64_t *before) {
    uint64_t coded;
    if (!object_graph_number(r, &coded) || coded / 2 > OBJECT_GRAPH_MOST) return false;
    uint64_t target = coded & 1 ? *before - coded / 2 : *before + coded / 2;
    if (target >= r->into->head.objects) return false;
    r->into->references[r->references++] = (uint32_t)target;
    *before = target;
    return true;
}

static bool object_graph_object_next(object_graph_reader *r) {
    const object_graph_head *head = &r->into->head;
    uint64_t kind, bytes, count, before = r->objects;
    if (!object_graph_number(r, &kind) || !object_graph_number(r, &bytes) || !object_graph_number(r, &count)) return false;
    if (kind / 4 >= head->types || bytes < OBJECT_GRAPH_HEADER_BYTES || bytes > OBJECT_GRAPH_MOST
        || count > head->references - r->references)
        return false;
    r->into->objects[r->objects] = (object_graph_object){
        .bytes = bytes, .first = (uint32_t)r->references, .count = (uint32_t)count, .type = (uint32_t)(kind / 4),
        .flags = kind & (OBJECT_GRAPH_TRACKED | OBJECT_GRAPH_ROOT)};
    for (uint64_t i = 0; i < count; i++)
        if (!object_graph_reference(r, &before)) return false;
    r->objects++;
    r->bytes += bytes;
    r->tracked += (kind & OBJECT_GRAPH_TRACKED) != 0;
    r->roots += (kind & OBJECT_GRAPH_ROOT) != 0;
    return true;
}

/* (I1), its second half. False, too: no memory to look. */
static bool object_graph_is_reachable(const object_graph *g) {
    uint64_t objects = g->head.objects, found = 0;
    uint32_t *queue = workload_map(objects * sizeof *queue);
    unsigned char *seen = workload_map(objects);
    for (uint64_t i = 0; queue && seen && i < objects; i++)
        if (g->objects[i].flags & OBJECT_GRAPH_ROOT) seen[queue[found++] = (uint32_t)i] = 1;
    for (uint64_t i = 0; queue && seen && i < found; i++) {
        const object_graph_object *o = &g->objects[queue[i]];
        for (uint32_t k = o->first; k < o->first + o->count; k++)
            if (!seen[g->references[k]]) seen[queue[found++] = g->references[k]] = 1;
    }
    workload_unmap(queue, objects * sizeof *queue);
    workload_unmap(seen, objects);
    return found == objects;
}

/* False where the stream makes no sense; *after is then the number of objects before that point. */
static bool object_graph_decode(object_graph *loaded, packed_bytes raw, uint64_t *after) {
    const object_graph_head *head = &loaded->head;
    object_graph_reader r = {.into = loaded, .at = raw.start, .end = raw.start + raw.count};
    bool fine = true;
    for (uint64_t i = 0; fine && i < head->types; i++) fine = object_graph_type(&r);
    while (fine && r.at < r.end) fine = r.objects < head->objects && object_graph_object_next(&r);
    *after = r.objects;
    return fine && r.objects == head->objects && r.references == head->references && r.roots == head->roots
        && r.tracked == head->tracked && r.bytes == head->bytes && object_graph_is_reachable(loaded);
}

/* --- the whole ---------------------------------------------------------------------------------------- */

static bool object_graph_load_objects(object_graph *loaded, packed_bytes raw, packed_bytes file, const packed_source *from) {
    bool broken;
    uint64_t after;
    size_t unpacked = packed_unpack(raw, file, sizeof loaded->head, &broken);
    bool cut = unpacked < raw.count;
    bool same = !broken && !cut
        && recorder_checksum(RECORDER_CHECKSUM_START, raw.start, raw.count) == loaded->head.raw_checksum;
    bool decoded = object_graph_decode(loaded, (packed_bytes){raw.start, unpacked}, &after);
    if (same && decoded) return true;
    return packed_refuse(from, "%s after object %llu" PACKED_ADVICE, cut && !broken ? "truncated" : "damaged",
                         (unsigned long long)after);
}

bool object_graph_load(object_graph *loaded, const char *path, char *why, size_t why_bytes) {
    const packed_source from = {"snapshot", path, why, why_bytes};
    packed_bytes file = {0}, raw = {0};
    *loaded = (object_graph){0};
    bool fine = packed_read(&file, &from) && object_graph_read_head(&loaded->head, file, &from);
    if (fine) {
        raw.count = loaded->head.raw_bytes;
        raw.start = workload_map(raw.count);
        loaded->objects = workload_map(object_graph_objects_bytes(loaded));
        loaded->references = workload_map(object_graph_references_bytes(loaded));
        fine = raw.start && loaded->objects && loaded->references;
        if (!fine) packed_refuse(&from, "no memory for its %llu objects", (unsigned long long)loaded->head.objects);
    }
    fine = fine && object_graph_load_objects(loaded, raw, file, &from);
    workload_unmap(raw.start, raw.count);
    workload_unmap(file.start, file.count);
    if (!fine) object_graph_unload(loaded);
    return fine;
}

void object_graph_unload(object_graph *loaded) {
    workload_unmap(loaded->objects, object_graph_objects_bytes(loaded));
    workload_unmap(loaded->references, object_graph_references_bytes(loaded));
    *loaded = (object_graph){0};
}

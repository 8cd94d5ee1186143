/* SPDX-License-Identifier: MIT
 * survey.c - figures, blocks and invariants, gathered from all pools.
 */
#include "survey.h"
#include "arena.h"
#include "../invariant.h"

_Static_assert((int)SIZE_CLASS_COUNT <= (int)ALLOCATOR_SIZE_CLASSES, "the contract has room for all classes");

static bool survey_count(pool *p, void *context) {
    allocator_stats *stats = context;
    if (p->used_blocks == 0)
        return true;                                /* empty: counted with those never carved */
    bool full = p->used_blocks == pool_capacity(p->size_class);
    stats->pools_full += full;
    stats->pools_used += !full;
    stats->class_pools[p->size_class]++;
    stats->class_blocks[p->size_class] += p->used_blocks;
    stats->used_blocks += p->used_blocks;
    stats->used_bytes += (size_t)p->used_blocks * size_class_bytes(p->size_class);
    return true;
}

void survey_stats(allocator_stats *stats) {
    *stats = (allocator_stats){
        .known = ALLOCATOR_KNOWS_HELD | ALLOCATOR_KNOWS_USED | ALLOCATOR_KNOWS_ARENAS | ALLOCATOR_KNOWS_CLASSES,
        .held_bytes = arena_count() * arena_bytes(),
        .arenas = arena_count(), .arenas_peak = arena_state.peak,
        .arenas_mapped = arena_state.mapped, .arenas_unmapped = arena_state.unmapped,
        .classes = SIZE_CLASS_COUNT,
    };
    for (uint32_t i = 0; i < SIZE_CLASS_COUNT; i++)
        stats->class_bytes[i] = size_class_bytes(i);
    for (const arena *a = arena_state.usable; a; a = a->next)
        stats->pools_empty += a->free_pools;
    arena_each_pool(survey_count, stats);
}

typedef struct survey_visit { allocator_visitor *visit; void *context; } survey_visit;

static bool survey_walk_pool(pool *p, void *context) {
    const survey_visit *to = context;
    return pool_walk(p, to->visit, to->context);
}

bool survey_walk(allocator_visitor *visit, void *context) {
    return arena_each_pool(survey_walk_pool, &(survey_visit){ visit, context });
}

/* --- for people, and for plots --- */

static void survey_line(FILE *to, const char *what, size_t number) {
    char digits[32], grouped[48], *end = grouped + sizeof grouped;
    int length = snprintf(digits, sizeof digits, "%zu", number);
    *--end = '\0';
    for (int i = 0; i < length; i++) {
        if (i && i % 3 == 0)
            *--end = ',';
        *--end = digits[length - 1 - i];
    }
    fprintf(to, "%-35s=%21s\n", what, end);
}

/* What a class lost to headers and to rounding is a matter of how many pools it has. */
static void survey_print_classes(FILE *to, const allocator_stats *stats, size_t *available, size_t *rounding) {
    fprintf(to, "Small block threshold = %d, in %d size classes.\n\n", SIZE_CLASS_LARGEST, SIZE_CLASS_COUNT);
    fputs("class   size   num pools   blocks in use  avail blocks\n"
          "-----   ----   ---------   -------------  ------------\n", to);
    *available = *rounding = 0;
    for (uint32_t i = 0; i < SIZE_CLASS_COUNT; i++) {
        size_t pools = stats->class_pools[i], avail = pools * pool_capacity(i) - stats->class_blocks[i];
        if (!pools)
            continue;
        fprintf(to, "%5u %6u %11zu %15zu %13zu\n", i, size_class_bytes(i), pools, stats->class_blocks[i], avail);
        *available += avail * size_class_bytes(i);
        *rounding += pools * ((pool_bytes - POOL_HEADER_BYTES) % size_class_bytes(i));
    }
}

static void survey_print_map(FILE *to) {
    size_t bottom_bytes = sizeof(radix_window) << (RADIX_MIDDLE_SHIFT - radix_window_bits);
    size_t middle = radix_middle_nodes * sizeof(radix_middle), bottom = radix_bottom_nodes * bottom_bytes;
    fputs("\narena map counts\n", to);
    survey_line(to, "# arena map mid nodes", radix_middle_nodes);
    survey_line(to, "# arena map bot nodes", radix_bottom_nodes);
    fputc('\n', to);
    survey_line(to, "# bytes lost to arena map root", sizeof radix_top);
    survey_line(to, "# bytes lost to arena map mid", middle);
    survey_line(to, "# bytes lost to arena map bot", bottom);
    survey_line(to, "Total", sizeof radix_top + middle + bottom);
}

void survey_print(FILE *to) {
    allocator_stats stats;
    char what[64];
    size_t available, rounding, unaligned = 0;
    survey_stats(&stats);
    survey_print_classes(to, &stats, &available, &rounding);
    for (uint32_t i = 0; i < arena_state.table_size; i++)
        unaligned += arena_state.table[i].start % pool_bytes != 0;
    size_t headers = (stats.pools_used + stats.pools_full) * POOL_HEADER_BYTES;
    fputc('\n', to);
    survey_line(to, "# arenas allocated total", stats.arenas_mapped);
    survey_line(to, "# arenas reclaimed", stats.arenas_unmapped);
    survey_line(to, "# arenas highwater mark", stats.arenas_peak);
    survey_line(to, "# arenas allocated current", stats.arenas);
    snprintf(what, sizeof what, "%zu arenas * %zu bytes/arena", stats.arenas, arena_bytes());
    survey_line(to, what, stats.held_bytes);
    fputc('\n', to);
    survey_line(to, "# bytes in allocated blocks", stats.used_bytes);
    survey_line(to, "# bytes in available blocks", available);
    snprintf(what, sizeof what, "%zu unused pools * %u bytes", stats.pools_empty, pool_bytes);
    survey_line(to, what, stats.pools_empty * pool_bytes);
    survey_line(to, "# bytes lost to pool headers", headers);
    survey_line(to, "# bytes lost to quantization", rounding);
    survey_line(to, "# bytes lost to arena alignment", unaligned * pool_bytes);
    survey_line(to, "Total", stats.used_bytes + available + stats.pools_empty * pool_bytes + headers + rounding
                             + unaligned * pool_bytes);
    survey_print_map(to);
}

void survey_map(FILE *to) {
    fputs("arena pool class_bytes used capacity\n", to);
    for (uint32_t i = 0; i < arena_state.table_size; i++) {
        const arena *a = &arena_state.table[i];
        for (uint32_t k = 0; a->start && k < a->total_pools; k++) {
            const pool *p = (const pool *)(arena_first_pool(a) + (size_t)k * pool_bytes);
            bool used = (uintptr_t)p < a->next_pool && p->used_blocks > 0;
            fprintf(to, "%u %u %u %u %u\n", i, k, used ? size_class_bytes(p->size_class) : 0,
                    used ? p->used_blocks : 0, used ? pool_capacity(p->size_class) : 0);
        }
    }
}

/* --- invariants --- */

static bool survey_check_pool(pool *p, void *context) {
    size_t *used = context;
    pool_check(p);
    *used += p->used_blocks > 0 && p->used_blocks < pool_capacity(p->size_class);
    return true;
}

/* A list that reads the same in both directions and ends has nothing twice: so if it has used pools only,
 * and as many as there are, it has each. */
static size_t survey_check_lists(void) {
    size_t listed = 0, most = arena_count() * arena_pools();
    for (uint32_t i = 0; i < SIZE_CLASS_COUNT; i++) {
        const pool_link *head = &pool_lists[i];
        for (const pool_link *link = head->next; link != head; link = link->next) {
            const pool *p = (const pool *)link;
            INVARIANT(radix_owns(link) && (uintptr_t)link % pool_bytes == 0, "(P3) a list has pools of ours only");
            INVARIANT(link->previous->next == link && link->next->previous == link,
                      "(P3) a list reads the same in both directions");
            INVARIANT(p->size_class == i, "(P3) a pool is in the list of its own class");
            INVARIANT(p->used_blocks > 0 && p->used_blocks < pool_capacity(i),
                      "(P3) a pool in a list is used, not full or empty");
            INVARIANT(++listed <= most, "(P3) a list ends");
        }
    }
    return listed;
}

void survey_check(void) {
    arena_check();                  /* first: the others ask the radix map, and follow links into arenas */
    size_t listed = survey_check_lists(), used = 0;
    arena_each_pool(survey_check_pool, &used);
    INVARIANT(listed == used, "(P3) every used pool is in the list of its class");
}

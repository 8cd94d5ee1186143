/* SPDX-License-Identifier: MIT
 * arena.c - arenas from mmap and back, and the list that is sorted by how much of them is free.
 */
#include "arena.h"
#include "../invariant.h"
#include "../os_page.h"
#include "../system.h"

#include <sys/mman.h>

_Static_assert(((size_t)1 << RADIX_WINDOW_BITS_LEAST) % OS_PAGE_MOST_BYTES == 0, "an arena is whole pages");

arena_heap arena_state;
size_t     arena_keep;

/* --- from the OS and back --- */

/* More descriptors. No pointer to one is lost when the table moves: this happens only when no arena is
 * usable, so that the list and last_with are empty, and pools know their arena by its index. */
static bool arena_grow_table(void) {
    uint32_t size = arena_state.table_size ? arena_state.table_size * 2 : ARENA_TABLE_START;
    if (size <= arena_state.table_size)
        return false;
    arena *table = arena_state.table ? system_allocator.resize(arena_state.table, 0, size * sizeof *table)
                                     : system_allocator.alloc(size * sizeof *table, ALLOCATOR_ALIGNMENT);
    if (!table)
        return false;
    for (uint32_t i = arena_state.table_size; i < size; i++)
        table[i] = (arena){ .next = i + 1 < size ? &table[i + 1] : NULL };
    arena_state.unused = &table[arena_state.table_size];
    arena_state.table = table;
    arena_state.table_size = size;
    return true;
}

static bool arena_map(arena *a) {
    void *space = mmap(NULL, arena_bytes(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (space == MAP_FAILED)
        return false;
    if (!radix_add((uintptr_t)space)) {
        munmap(space, arena_bytes());
        return false;
    }
    watch_close(space, arena_bytes());
    *a = (arena){ .start = (uintptr_t)space };
    a->next_pool = arena_first_pool(a);
    a->total_pools = (uint32_t)((a->start + arena_bytes() - a->next_pool) / pool_bytes);
    a->free_pools = a->total_pools;
    return true;
}

static arena *arena_new(void) {
    if (!arena_state.unused && !arena_grow_table())
        return NULL;
    arena *a = arena_state.unused, *rest = a->next;
    if (!arena_map(a))
        return NULL;
    arena_state.unused = rest;
    arena_state.mapped++;
    if (arena_count() > arena_state.peak)
        arena_state.peak = arena_count();
    return a;
}

static void arena_unmap(arena *a) {
    radix_remove(a->start);
    watch_open((void *)a->start, arena_bytes());      /* the next owner of the address must not inherit our marks */
    munmap((void *)a->start, arena_bytes());
    *a = (arena){ .next = arena_state.unused };
    arena_state.unused = a;
    arena_state.unmapped++;
}

/* --- the sorted list --- */

static void arena_unlink(arena *a) {
    if (a->previous)
        a->previous->next = a->next;
    else
        arena_state.usable = a->next;
    if (a->next)
        a->next->previous = a->previous;
}

static void arena_insert_behind(arena *place, arena *a) {      /* place NULL: at the head */
    a->previous = place;
    a->next = place ? place->next : arena_state.usable;
    if (place)
        place->next = a;
    else
        arena_state.usable = a;
    if (a->next)
        a->next->previous = a;
}

pool *arena_take_pool(void) {
    if (!arena_state.usable) {
        arena *fresh = arena_new();
        if (!fresh)
            return NULL;
        arena_state.wholly_free++;
        arena_insert_behind(NULL, fresh);
        arena_state.last_with[fresh->free_pools] = fresh;
    }
    arena *a = arena_state.usable;
    arena_state.wholly_free -= a->free_pools == a->total_pools;
    /* a is the first, so none has fewer free pools: with one less, it alone has that many */
    if (arena_state.last_with[a->free_pools] == a)
        arena_state.last_with[a->free_pools] = NULL;
    if (--a->free_pools > 0)
        arena_state.last_with[a->free_pools] = a;
    else
        arena_unlink(a);

    if (a->empty_pools) {
        pool *p = (pool *)a->empty_pools;
        a->empty_pools = p->link.next;
        return p;
    }
    pool *p = (pool *)a->next_pool;
    a->next_pool += pool_bytes;
    watch_open(p, POOL_HEADER_BYTES);
    *p = (pool){ .arena = (uint32_t)(a - arena_state.table), .size_class = POOL_NO_CLASS };
    return p;
}

void arena_return_pool(pool *p) {
    arena *a = &arena_state.table[p->arena];
    p->link.next = a->empty_pools;
    a->empty_pools = &p->link;

    /* last_with loses a where it was, before the number changes */
    uint32_t had = a->free_pools;
    arena *last_with_as_many = arena_state.last_with[had];      /* NULL where had is 0: none such is listed */
    if (last_with_as_many == a)
        arena_state.last_with[had] = a->previous && a->previous->free_pools == had ? a->previous : NULL;
    a->free_pools = had + 1;

    if (a->free_pools == a->total_pools) {
        if (a->next && arena_state.wholly_free >= arena_keep) {
            arena_unlink(a);
            arena_unmap(a);                 /* the last one is kept, or a pool taken next would map it again */
            return;
        }
        arena_state.wholly_free++;
    }
    if (a->free_pools == 1)
        arena_insert_behind(NULL, a);
    if (!arena_state.last_with[a->free_pools])
        arena_state.last_with[a->free_pools] = a;
    if (had == 0 || last_with_as_many == a)
        return;                             /* in order already */
    arena_unlink(a);
    arena_insert_behind(last_with_as_many, a);
}

/* Their last_with is put right by hand: none but wholly free ones, which are listed by how many pools they have,
 * go, so what remains with as many is the one before. */
void arena_trim(void) {
    for (arena *a = arena_state.usable, *next; a; a = next) {
        next = a->next;
        if (!next || a->free_pools < a->total_pools)
            continue;
        if (arena_state.last_with[a->free_pools] == a)
            arena_state.last_with[a->free_pools] =
                a->previous && a->previous->free_pools == a->free_pools ? a->previous : NULL;
        arena_unlink(a);
        arena_unmap(a);
        arena_state.wholly_free--;
    }
}

void arena_unmap_all(void) {
    for (uint32_t i = 0; i < arena_state.table_size; i++)
        if (arena_state.table[i].start)
            arena_unmap(&arena_state.table[i]);
    system_allocator.release(arena_state.table, 0);
    arena_state = (arena_heap){
        .mapped = arena_state.mapped, .unmapped = arena_state.unmapped, .peak = arena_state.peak,
    };
}

/* --- all of it --- */

bool arena_each_pool(bool (*visit)(pool *, void *), void *context) {
    for (uint32_t i = 0; i < arena_state.table_size; i++) {
        const arena *a = &arena_state.table[i];
        if (!a->start)
            continue;
        for (uintptr_t at = arena_first_pool(a); at < a->next_pool; at += pool_bytes)
            if (!visit((pool *)at, context))
                return false;
    }
    return true;
}

static void arena_check_pools(const arena *a, uint32_t index) {
    uint32_t empty = 0, linked = 0;
    for (uintptr_t at = arena_first_pool(a); at < a->next_pool; at += pool_bytes) {
        INVARIANT(((pool *)at)->arena == index, "(A1) a pool knows its arena");
        empty += ((pool *)at)->used_blocks == 0;
    }
    for (const pool_link *link = a->empty_pools; link; link = link->next) {
        INVARIANT(((uintptr_t)link - arena_first_pool(a)) % pool_bytes == 0 && (uintptr_t)link < a->next_pool
                  && (uintptr_t)link >= a->start, "(A1) an empty pool is a pool of this arena");
        INVARIANT(++linked <= empty, "(A1) the list of empty pools has each once");
    }
    uint32_t carved = (uint32_t)((a->next_pool - arena_first_pool(a)) / pool_bytes);
    INVARIANT(carved <= a->total_pools, "(A1) no pool is carved beyond the arena");
    INVARIANT(linked == empty, "(A1) every empty pool is in the list of its arena");
    INVARIANT(a->free_pools == empty + (a->total_pools - carved), "(A1) free pools == empty + never carved");
}

static void arena_check_list(void) {
    uint32_t listed = 0, with_free_pool = 0;
    size_t wholly_free = 0;
    bool last_is_free = false;
    const arena *before = NULL, *last[ARENA_POOLS_MOST + 1] = { 0 };
    for (const arena *a = arena_state.usable; a; before = a, a = a->next) {
        INVARIANT(a->previous == before, "(A2) the list reads the same in both directions");
        INVARIANT(a->free_pools > 0 && a->free_pools <= a->total_pools, "(A2) an arena in the list has a free pool");
        INVARIANT(!before || before->free_pools <= a->free_pools, "(A2) the list is sorted by free pools");
        wholly_free += a->free_pools == a->total_pools;
        last_is_free = a->free_pools == a->total_pools;
        INVARIANT(++listed <= arena_state.table_size, "(A2) the list ends");
        last[a->free_pools] = a;
    }
    for (uint32_t i = 0; i < arena_state.table_size; i++)
        with_free_pool += arena_state.table[i].start && arena_state.table[i].free_pools > 0;
    INVARIANT(wholly_free == arena_state.wholly_free, "(A4) wholly_free counts the arenas without a used pool");
    INVARIANT(wholly_free - last_is_free <= arena_keep,
              "(A4) a wholly free arena is the last, or one of those that are kept");
    INVARIANT(listed == with_free_pool, "(A2) every arena with a free pool is in the list");
    for (size_t k = 0; k <= ARENA_POOLS_MOST; k++)
        INVARIANT(arena_state.last_with[k] == last[k], "(A3) last_with[k] is the last with k free pools");
}

void arena_check(void) {
    size_t held = 0;
    for (uint32_t i = 0; i < arena_state.table_size; i++) {
        const arena *a = &arena_state.table[i];
        if (!a->start)
            continue;
        held++;
        INVARIANT(a->total_pools == arena_pools() - (a->start % pool_bytes != 0),
                  "(A1) an unaligned arena has one pool less");
        INVARIANT(radix_owns((void *)a->start) && radix_owns((void *)(a->start + arena_bytes() - 1)),
                  "(A6) the radix map knows an arena from its first byte to its last");
        arena_check_pools(a, i);
    }
    INVARIANT(held == arena_count() && arena_count() <= arena_state.peak, "(A5) mapped - unmapped == arenas held");
    arena_check_list();
}

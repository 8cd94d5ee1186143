/* SPDX-License-Identifier: MIT
 * failing.c - a wrapper that refuses the nth request, as an exhausted machine would.
 *
 * Faults that come by chance prove little; faults at each request in turn prove that every path that
 * handles one was taken. Release is never refused, because no allocator may.
 * Source of the idea: SQLite's out-of-memory tests, https://www.sqlite.org/testing.html section 3.1.
 * Thread-safe where the inner allocator is: the requests have one relaxed atomic count.
 */
#include "failing.h"
#include "registry.h"

#include <stdatomic.h>

const char failing_idea[] = "refuses the requests it is told to";

static const allocator *failing_inner;
static allocator        failing_table;
static char             failing_name[REGISTRY_NAME_BYTES];

static struct {
    _Atomic uint64_t requests, refused;
    _Atomic uint64_t first, count;      /* refuse requests first .. first + count - 1 */
} failing;

void failing_refuse(uint64_t first, uint64_t count) {
    failing.first = first;
    failing.count = count;
    failing.requests = failing.refused = 0;
}

uint64_t failing_requests(void) { return failing.requests; }
uint64_t failing_refused(void)  { return failing.refused; }

static bool failing_now(void) {
    uint64_t request = atomic_fetch_add_explicit(&failing.requests, 1, memory_order_relaxed) + 1;
    uint64_t first = atomic_load_explicit(&failing.first, memory_order_relaxed);
    if (request < first || request - first >= atomic_load_explicit(&failing.count, memory_order_relaxed))
        return false;
    atomic_fetch_add_explicit(&failing.refused, 1, memory_order_relaxed);
    return true;
}

static void *failing_alloc(size_t bytes, size_t alignment) {
    return failing_now() ? NULL : failing_inner->alloc(bytes, alignment);
}

static void *failing_alloc_zeroed(size_t bytes, size_t alignment) {
    return failing_now() ? NULL : failing_inner->alloc_zeroed(bytes, alignment);
}

static void *failing_resize(void *block, size_t old_bytes, size_t new_bytes) {
    return failing_now() ? NULL : failing_inner->resize(block, old_bytes, new_bytes);
}

const allocator *failing_wrap(const allocator *inner) {
    registry_wrapped_name(failing_name, "failing", inner);
    failing_inner = inner;
    failing_table = *inner;
    failing_table.name = failing_name;
    failing_table.idea = failing_idea;
    failing_table.alloc = failing_alloc;
    failing_table.alloc_zeroed = failing_alloc_zeroed;
    failing_table.resize = failing_resize;
    failing_refuse(0, 0);
    return &failing_table;
}

/* SPDX-License-Identifier: MIT
 * debug.c - a wrapper that catches what a program does wrong with its blocks, as CPython's PYTHONMALLOC=debug.
 *
 *   | bytes 8 | log2 of the alignment 1 | fd x 7 | cd cd cd ... | fd x 8 | serial 8 |
 *                                                ^ the block    ^ its end
 *
 * Where the alignment is above 16 the same head stands at the start of what the inner allocator gave, too.
 * A block that is given back is filled with dd, its head included, and waits in a queue before the inner allocator
 * gets it: so long a second release finds dd where its head was, and a late write shows when its turn comes.
 *
 * What is found is reported in a few lines on standard error, and the process aborts:
 *   a guard overwritten (overrun, underrun), a block released twice, a pointer that is no block of ours, a
 *   write after release, a size that is told wrongly.
 * What is not: a read of any kind; a write that skips the guards; a second release after the queue
 * has moved on and the block was handed out again.
 *
 * A resize always moves, so that old pointers show. Blocks in the queue count as used until trim.
 *
 * (D1) every block that is handed out has its guards
 * (D2) every byte of a block in the queue is dd
 *
 * Source: CPython 3.12, _PyMem_DebugMalloc and its neighbours in Objects/obmalloc.c, documented under
 * PYTHONMALLOC; it has no queue, and one byte for the API where the alignment stands here.
 */
#include "debug.h"
#include "registry.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

const char debug_idea[] = "guards around blocks, patterns in them, reports and aborts";

enum { DEBUG_GUARD_BYTES = 8, DEBUG_TAIL_BYTES = DEBUG_GUARD_BYTES + sizeof(uint64_t), DEBUG_SHOWN_BYTES = 16,
       DEBUG_QUEUE = 128, DEBUG_QUEUE_BYTES = 4 << 20 };

typedef struct debug_head {
    size_t  bytes;                  /* asked for */
    uint8_t alignment_log2;
    uint8_t guard[7];
} debug_head;

_Static_assert(sizeof(debug_head) == ALLOCATOR_ALIGNMENT, "a head keeps what follows it aligned");

typedef struct debug_corpse { unsigned char *base; size_t bytes; uint64_t serial; } debug_corpse;

static struct {
    const allocator  *inner;
    allocator         table;
    char              name[REGISTRY_NAME_BYTES];
    _Atomic uint64_t  requests;                     /* granted; the serial of the last */
    _Atomic uintptr_t lowest, highest;              /* addresses of blocks: no other can be ours */
    pthread_mutex_t   lock;                         /* of what follows */
    debug_corpse      queue[DEBUG_QUEUE];           /* a ring */
    size_t            first, count, queued_bytes;
} debug = { .lock = PTHREAD_MUTEX_INITIALIZER, .lowest = UINTPTR_MAX };

/* --- where things are --- */

static debug_head *debug_head_of(const void *block) { return (debug_head *)block - 1; }

static size_t debug_front(const debug_head *head) { return (size_t)1 << head->alignment_log2; }

static size_t debug_whole(const debug_head *head) { return debug_front(head) + head->bytes + DEBUG_TAIL_BYTES; }

uint64_t debug_serial(const void *block) {
    uint64_t serial;
    memcpy(&serial, (const char *)block + debug_head_of(block)->bytes + DEBUG_GUARD_BYTES, sizeof serial);
    return serial;
}

/* --- reports --- */

__attribute__((format(printf, 1, 2)))
static void debug_say(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vdprintf(2, format, arguments);             /* no stream: it might allocate */
    va_end(arguments);
}

static void debug_dump(const char *what, const unsigned char *from, size_t bytes) {
    debug_say("    %s:", what);
    for (size_t i = 0; i < bytes; i++)
        debug_say(" %02x", from[i]);
    debug_say("\n");
}

/* "byte 3 behind the end is 41, not fd", for each that is wrong. */
static void debug_say_wrong(const unsigned char *from, size_t bytes, unsigned expected, const char *place, size_t number) {
    size_t said = 0, wrong = 0;
    for (size_t i = 0; i < bytes; i++) {
        wrong += from[i] != expected;
        if (from[i] != expected && said++ < DEBUG_SHOWN_BYTES)
            debug_say("    byte %zu %s is %02x, not %02x\n", number + i, place, from[i], expected);
    }
    if (wrong > DEBUG_SHOWN_BYTES)
        debug_say("    and %zu more\n", wrong - DEBUG_SHOWN_BYTES);
}

_Noreturn static void debug_die(const char *sentence, const void *block) {
    debug_say("%s: block %p %s\n", debug.name, block, sentence);
    abort();
}

/* The guards of a block with a head that can be believed. */
_Noreturn static void debug_report(const unsigned char *block, const char *sentence) {
    const debug_head *head = debug_head_of(block);
    debug_say("%s: block %p of %zu bytes %s\n", debug.name, (const void *)block, head->bytes, sentence);
    debug_say_wrong(head->guard, sizeof head->guard, DEBUG_FORBIDDEN, "of the 7 before it", 0);
    debug_say_wrong(block + head->bytes, DEBUG_GUARD_BYTES, DEBUG_FORBIDDEN, "behind its end", 0);
    debug_say("    it was made by request %llu\n", (unsigned long long)debug_serial(block));
    debug_dump("it begins with", block, head->bytes < DEBUG_SHOWN_BYTES ? head->bytes : DEBUG_SHOWN_BYTES);
    abort();
}

/* --- examination --- */

/* Bytes that may be anybody's: a sanitizer is not asked. */
__attribute__((no_sanitize("address"), no_sanitize("thread"), noinline))
static size_t debug_count(const unsigned char *from, size_t bytes, unsigned value) {
    size_t count = 0;
    for (size_t i = 0; i < bytes; i++)
        count += ((const volatile unsigned char *)from)[i] == value;
    return count;
}

static bool debug_was_ever_near(const void *block) {
    uintptr_t address = (uintptr_t)block;
    return address % ALLOCATOR_ALIGNMENT == 0
        && address >= atomic_load_explicit(&debug.lowest, memory_order_relaxed)
        && address <= atomic_load_explicit(&debug.highest, memory_order_relaxed);
}

_Noreturn static void debug_report_twice(const unsigned char *block) {
    pthread_mutex_lock(&debug.lock);
    for (size_t i = 0; i < debug.count; i++) {
        const debug_corpse *corpse = &debug.queue[(debug.first + i) % DEBUG_QUEUE];
        if (block > corpse->base && block < corpse->base + corpse->bytes)
            debug_say("%s: %zu releases ago, request %llu made it\n", debug.name, debug.count - i,
                      (unsigned long long)corpse->serial);
    }
    debug_die("was released before: it is released twice, or resized when it was gone", block);
}

/* Aborts unless `block` is a live block of ours with whole guards (D1), made of `told` bytes where told is not 0.
 * A few damaged bytes of a guard are an underrun; a guard of which nothing is left is none of ours. */
static debug_head *debug_examine(const unsigned char *block, size_t told) {
    if (!debug_was_ever_near(block))
        debug_die("is none of ours: no block was ever there", block);
    debug_head *head = debug_head_of(block);
    const unsigned char *guard = (const unsigned char *)head + offsetof(debug_head, guard);
    size_t whole = debug_count(guard, sizeof head->guard, DEBUG_FORBIDDEN);
    if (whole != sizeof head->guard) {
        if (debug_count(guard, sizeof head->guard, DEBUG_DEAD) == sizeof head->guard)
            debug_report_twice(block);
        debug_say_wrong(guard, whole ? sizeof head->guard : 0, DEBUG_FORBIDDEN, "of the 7 before it", 0);
        debug_die(whole ? "was written before its start" : "is none of ours, or was written before its start", block);
    }
    if (head->alignment_log2 < 4 || head->alignment_log2 > 62 || head->bytes > debug.inner->largest_bytes)
        debug_die("was written before its start: its head makes no sense", block);
    if (debug_count(block + head->bytes, DEBUG_GUARD_BYTES, DEBUG_FORBIDDEN) != DEBUG_GUARD_BYTES)
        debug_report(block, "was written behind its end");
    if (told && told != head->bytes) {
        debug_say("%s: told that it has %zu bytes\n", debug.name, told);
        debug_report(block, "was given back with another size");
    }
    return head;
}

static void debug_examine_corpse(const debug_corpse *corpse) {
    if (debug_count(corpse->base, corpse->bytes, DEBUG_DEAD) == corpse->bytes)
        return;
    debug_say("%s: memory at %p, released with the block of request %llu, was written afterwards\n", debug.name,
              (void *)corpse->base, (unsigned long long)corpse->serial);
    debug_say_wrong(corpse->base, corpse->bytes, DEBUG_DEAD, "of it, head included,", 0);
    abort();
}

/* --- the queue --- */

/* The oldest, or nothing (base NULL) while there is room for one more of so many bytes. */
static debug_corpse debug_leave(size_t more_bytes, bool all) {
    debug_corpse oldest = { NULL, 0, 0 };
    pthread_mutex_lock(&debug.lock);
    bool full = debug.count == DEBUG_QUEUE || debug.queued_bytes + more_bytes > DEBUG_QUEUE_BYTES;
    if (debug.count && (full || all)) {
        oldest = debug.queue[debug.first];
        debug.first = (debug.first + 1) % DEBUG_QUEUE;
        debug.count--;
        debug.queued_bytes -= oldest.bytes;
    }
    pthread_mutex_unlock(&debug.lock);
    return oldest;
}

static void debug_bury(size_t more_bytes, bool all) {
    for (debug_corpse oldest; (oldest = debug_leave(more_bytes, all)).base;) {
        debug_examine_corpse(&oldest);
        debug.inner->release(oldest.base, oldest.bytes);
    }
}

/* Where several threads come at once, the queue may have no room again: then the block waits no longer. */
static void debug_enter(debug_corpse corpse) {
    debug_bury(corpse.bytes, false);
    pthread_mutex_lock(&debug.lock);
    bool entered = debug.count < DEBUG_QUEUE;
    if (entered) {
        debug.queue[(debug.first + debug.count++) % DEBUG_QUEUE] = corpse;
        debug.queued_bytes += corpse.bytes;
    }
    pthread_mutex_unlock(&debug.lock);
    if (!entered)
        debug.inner->release(corpse.base, corpse.bytes);
}

/* --- the contract --- */

static void debug_stretch(uintptr_t address) {
    uintptr_t bound = atomic_load_explicit(&debug.lowest, memory_order_relaxed);
    while (address < bound && !atomic_compare_exchange_weak(&debug.lowest, &bound, address)) {}
    bound = atomic_load_explicit(&debug.highest, memory_order_relaxed);
    while (address > bound && !atomic_compare_exchange_weak(&debug.highest, &bound, address)) {}
}

static void *debug_dress(unsigned char *base, size_t bytes, size_t front) {
    unsigned char *block = base + front;
    debug_head head = { .bytes = bytes, .alignment_log2 = (uint8_t)__builtin_ctzll(front) };
    uint64_t serial = atomic_fetch_add_explicit(&debug.requests, 1, memory_order_relaxed) + 1;
    memset(head.guard, DEBUG_FORBIDDEN, sizeof head.guard);
    memcpy(base, &head, sizeof head);
    memcpy(debug_head_of(block), &head, sizeof head);
    memset(block + bytes, DEBUG_FORBIDDEN, DEBUG_GUARD_BYTES);
    memcpy(block + bytes + DEBUG_GUARD_BYTES, &serial, sizeof serial);
    debug_stretch((uintptr_t)block);
    return block;
}

static void *debug_make(size_t bytes, size_t alignment, bool zeroed) {
    size_t front = alignment > ALLOCATOR_ALIGNMENT ? alignment : ALLOCATOR_ALIGNMENT;
    if (bytes > debug.inner->largest_bytes || front + DEBUG_TAIL_BYTES > debug.inner->largest_bytes - bytes)
        return NULL;
    size_t whole = front + bytes + DEBUG_TAIL_BYTES;
    unsigned char *base = zeroed ? debug.inner->alloc_zeroed(whole, alignment) : debug.inner->alloc(whole, alignment);
    if (!base)
        return NULL;
    if (!zeroed)
        memset(base + front, DEBUG_CLEAN, bytes);
    return debug_dress(base, bytes, front);
}

static void *debug_alloc(size_t bytes, size_t alignment)        { return debug_make(bytes, alignment, false); }
static void *debug_alloc_zeroed(size_t bytes, size_t alignment) { return debug_make(bytes, alignment, true); }

static void debug_release(void *block, size_t bytes) {
    if (!block)
        return;
    const debug_head *head = debug_examine(block, bytes);
    debug_corpse corpse = { (unsigned char *)block - debug_front(head), debug_whole(head), debug_serial(block) };
    memset(corpse.base, DEBUG_DEAD, corpse.bytes);
    debug_enter(corpse);
}

static void *debug_resize(void *block, size_t old_bytes, size_t new_bytes) {
    size_t had = debug_examine(block, old_bytes)->bytes;
    void *moved = debug_make(new_bytes, ALLOCATOR_ALIGNMENT, false);
    if (!moved)
        return NULL;
    memcpy(moved, block, had < new_bytes ? had : new_bytes);
    debug_release(block, 0);
    return moved;
}

static size_t debug_usable_bytes(const void *block) {
    return debug_examine(block, 0)->bytes;
}

static void debug_trim(void) {
    debug_bury(0, true);
    debug.inner->trim();
}

static bool debug_reset(void) {
    debug_bury(0, true);
    return debug.inner->reset();
}

typedef struct debug_visit { allocator_visitor *visit; void *context; } debug_visit;

/* At the start of what the inner allocator gave stands the head, or dd where the block waits in the queue. */
static bool debug_visit_base(void *base, size_t whole, void *context) {
    const debug_visit *to = context;
    const debug_head *head = base;
    (void)whole;
    if (debug_count(base, sizeof *head, DEBUG_DEAD) == sizeof *head)
        return true;
    unsigned char *block = (unsigned char *)base + debug_front(head);
    return to->visit(block, debug_examine(block, 0)->bytes, to->context);
}

static bool debug_walk(allocator_visitor *visit, void *context) {
    return debug.inner->walk(debug_visit_base, &(debug_visit){ visit, context });
}

static bool debug_look(void *block, size_t bytes, void *context) {
    (void)block, (void)bytes, (void)context;
    return true;                            /* it was examined on the way here */
}

static void debug_check(void) {
    pthread_mutex_lock(&debug.lock);
    for (size_t i = 0; i < debug.count; i++)
        debug_examine_corpse(&debug.queue[(debug.first + i) % DEBUG_QUEUE]);
    pthread_mutex_unlock(&debug.lock);
    debug_walk(debug_look, NULL);
    debug.inner->check();
}

static void debug_fork_prepare(void) {
    pthread_mutex_lock(&debug.lock);
    debug.inner->fork_prepare();
}

static void debug_fork_parent(void) {
    debug.inner->fork_parent();
    pthread_mutex_unlock(&debug.lock);
}

static void debug_fork_child(void) {
    debug.inner->fork_child();
    pthread_mutex_unlock(&debug.lock);
}

const allocator *debug_wrap(const allocator *inner) {
    if (debug.inner)
        debug_bury(0, true);                /* what waits belongs to the one it stood before */
    registry_wrapped_name(debug.name, "debug", inner);
    debug.inner = inner;
    debug.table = *inner;
    debug.table.name = debug.name;
    debug.table.idea = debug_idea;
    debug.table.alloc = debug_alloc;
    debug.table.alloc_zeroed = debug_alloc_zeroed;
    debug.table.resize = debug_resize;
    debug.table.release = debug_release;
    debug.table.usable_bytes = debug_usable_bytes;
    debug.table.trim = debug_trim;
    debug.table.reset = debug_reset;
    debug.table.walk = debug_walk;
    debug.table.check = debug_check;
    debug.table.fork_prepare = debug_fork_prepare;
    debug.table.fork_parent = debug_fork_parent;
    debug.table.fork_child = debug_fork_child;
    return &debug.table;
}

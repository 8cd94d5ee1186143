/* SPDX-License-Identifier: MIT
 * header.h - the 16-byte header of an object whose count is one word, as CPython's is 16 bytes.
 *
 *   | references 4 | count lock 1 | holder lock 1 | flags 1 | 1 | type 8 |
 *
 * CPython 3.11 has a 64-bit count there; 32 bits (as 3.14 has) suffice up to 2^32 references, 32 GiB of
 * fields, and leave room for the locks, so that every such count has the same header.
 */
#ifndef REFARENA_COUNTS_HEADER_H
#define REFARENA_COUNTS_HEADER_H

struct object {
    uint32_t           references;
    atomic_uchar       count_lock;      /* of `references`, where counts/ wants one */
    atomic_uchar       holder_lock;     /* of the fields inside, where loads/ wants one */
    uint8_t            flags;           /* OBJECT_... ; only the owner of the last reference writes it */
    const object_type *type;
};

enum {
    OBJECT_FINALIZED = 1 << 0,          /* its finalizer has run, and will not run again */
    OBJECT_DYING     = 1 << 1,          /* its death has begun: no collector looks at it any more */
};

/* PEP 683, where a row asks for it: a count with its top bit set is never changed. 3.14's trick of starting
 * half-way up, so that a change or two by code that does not look cannot end it. */
static inline bool count_is_immortal(const object *o) {
    return (int32_t)__atomic_load_n(&o->references, __ATOMIC_RELAXED) < 0;
}
static inline void header_immortalize(object *o) { __atomic_store_n(&o->references, 3u << 30, __ATOMIC_RELAXED); }
#ifndef COUNT_IMMORTALIZES
static inline void count_immortalize(object *o) { header_immortalize(o); }
#endif

/* A relaxed load and a relaxed store, which compile to plain ones: under a lock of the count, because who looks for
 * immortality does not hold it; or where to lose updates is the point. Returns the new count. */
static inline uint32_t count_step(object *o, int by) {
    uint32_t next = __atomic_load_n(&o->references, __ATOMIC_RELAXED) + (uint32_t)by;
    __atomic_store_n(&o->references, next, __ATOMIC_RELAXED);
    return next;
}

#define OBJECT_STATIC(object_type) {.references = 1, .type = &(object_type)}

/* The dead that wait for their turn are linked (refcounted.c) through the first six bytes, where count and locks
 * have no use any more: an address has no more than 48 bits, and the flags stay as they are. */
#ifndef COUNT_LINKS
enum { COUNT_LINK_BYTES = 6 };

static inline void count_link(object *o, object *next) {
    uintptr_t link = (uintptr_t)next;
    assert(link >> (8 * COUNT_LINK_BYTES) == 0);
    memcpy(o, &link, COUNT_LINK_BYTES);
}
static inline object *count_unlink(object *o) {
    uintptr_t link = 0;
    memcpy(&link, o, COUNT_LINK_BYTES);
    memset(o, 0, COUNT_LINK_BYTES);
    return (object *)link;
}
#endif

#endif

/* SPDX-License-Identifier: MIT
 * watch.h - tells ASan or memcheck which bytes of a pool a program may touch.
 *
 * To such a tool a pool is one block of the OS's, so that an overflow inside it looks innocent. With these
 * calls every block that is not handed out is out of bounds, and so are the bytes between what was asked
 * for and the end of the block. The links of the free lists lie in blocks that are out of bounds: they are
 * opened for the moment in which they are read or written.
 *
 * ASan where it is compiled in; memcheck with -DREFARENA_VALGRIND, because even outside valgrind its
 * requests are instructions on the fast path. In all other builds every function here is empty.
 */
#ifndef REFARENA_PYMALLOC_WATCH_H
#define REFARENA_PYMALLOC_WATCH_H

#include <stddef.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WATCH_ASAN
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define WATCH_ASAN
#endif

#if defined(WATCH_ASAN)

#include <sanitizer/asan_interface.h>
static inline void watch_close(const void *from, size_t bytes) { __asan_poison_memory_region(from, bytes); }
static inline void watch_open(const void *from, size_t bytes)  { __asan_unpoison_memory_region(from, bytes); }
static inline void watch_grant(const void *block, size_t bytes) { watch_open(block, bytes); }
static inline void watch_take(const void *block, size_t room)   { watch_close(block, room); }

#elif defined(REFARENA_VALGRIND) && __has_include(<valgrind/memcheck.h>)

#include <valgrind/memcheck.h>
extern char watch_heap;             /* its address is the name of the mempool */
void watch_begin(void);             /* once, or again, before the first block */
static inline void watch_forget_blocks(void) { VALGRIND_MEMPOOL_TRIM(&watch_heap, &watch_heap, 1); }
static inline void watch_close(const void *from, size_t bytes) { (void)VALGRIND_MAKE_MEM_NOACCESS(from, bytes); }
static inline void watch_open(const void *from, size_t bytes)  { (void)VALGRIND_MAKE_MEM_DEFINED(from, bytes); }
static inline void watch_grant(const void *block, size_t bytes) { VALGRIND_MEMPOOL_ALLOC(&watch_heap, block, bytes); }
static inline void watch_take(const void *block, size_t room) {
    (void)room;
    VALGRIND_MEMPOOL_FREE(&watch_heap, block);
}
#define WATCH_MEMPOOL               /* blocks have names there: a reset must forget them */

#else

static inline void watch_close(const void *from, size_t bytes)  { (void)from, (void)bytes; }
static inline void watch_open(const void *from, size_t bytes)   { (void)from, (void)bytes; }
static inline void watch_grant(const void *block, size_t bytes) { (void)block, (void)bytes; }
static inline void watch_take(const void *block, size_t room)   { (void)block, (void)room; }

#endif

#ifndef WATCH_MEMPOOL
static inline void watch_begin(void) {}
static inline void watch_forget_blocks(void) {}
#endif

#endif

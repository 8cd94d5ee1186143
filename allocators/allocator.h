/* SPDX-License-Identifier: MIT
 * allocator.h - bytes in, bytes out: the contract of every allocator.
 *
 * An allocator is one const table of functions, and all are reached through such a table, because in
 * real programs malloc sits behind an ABI boundary: every backend pays the same indirect call.
 * No entry is NULL; what an allocator cannot do, an allocator_cannot_... function below does for it.
 *
 * Words: a *block* is what alloc returns. *Used* bytes are in blocks handed out, at the size the
 * allocator set aside for them; *held* bytes were taken from the OS and not returned.
 */
#ifndef REFARENA_ALLOCATOR_H
#define REFARENA_ALLOCATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { ALLOCATOR_ALIGNMENT = 16, ALLOCATOR_LARGEST_ALIGNMENT = 4096, ALLOCATOR_SIZE_CLASSES = 64 };

/* What an allocator knows of itself. A field it cannot say stays 0 and its bit in `known` is clear. */
enum {
    ALLOCATOR_KNOWS_HELD   = 1 << 0,
    ALLOCATOR_KNOWS_USED   = 1 << 1,
    ALLOCATOR_KNOWS_ARENAS = 1 << 2,
    ALLOCATOR_KNOWS_CLASSES = 1 << 3,
};

typedef struct allocator_stats {
    unsigned known;              /* ALLOCATOR_KNOWS_... */
    size_t   held_bytes;         /* from the OS, not returned; for requests passed on, their used bytes */
    size_t   used_bytes;         /* in blocks handed out, each at the size set aside for it */
    size_t   used_blocks;        /* blocks handed out */
    size_t   arenas;             /* held now */
    size_t   arenas_peak;        /* most ever held at once */
    size_t   arenas_mapped;      /* ever taken from the OS */
    size_t   arenas_unmapped;    /* ever returned to it */
    size_t   pools_used;         /* with some, not all, blocks handed out */
    size_t   pools_full;
    size_t   pools_empty;        /* in an arena, with no block handed out (carved before or not) */
    size_t   large_blocks;       /* handed out, too large for a size class: passed on to malloc */
    size_t   classes;            /* size classes in use below: 0 where there are none */
    size_t   class_bytes[ALLOCATOR_SIZE_CLASSES];    /* block size of each class */
    size_t   class_blocks[ALLOCATOR_SIZE_CLASSES];   /* handed out */
    size_t   class_pools[ALLOCATOR_SIZE_CLASSES];    /* used + full pools */
} allocator_stats;

/* Called for each block handed out; returns false to end the walk. */
typedef bool allocator_visitor(void *block, size_t bytes, void *context);

/* What may be written behind a name: pymalloc,arena=256K,keep=all. */
typedef struct allocator_parameter {
    const char *name;
    const char *accepts;                 /* for people: "256K or 1M" */
    bool      (*set)(const char *value); /* for the next open; NULL: the default. False: not accepted */
} allocator_parameter;

typedef struct allocator {
    const char *name;            /* as in allocators.def */
    const char *idea;            /* a few words for --list */
    bool        thread_safe;     /* may be called by several threads at once */
    bool        thread_bound;    /* may be called by the thread that opened it alone; no lock helps */
    bool        frees;           /* a released block can be handed out again */
    size_t      largest_bytes;   /* requests above this are refused */
    size_t      largest_alignment;   /* above this a request may be refused; 0: the usual 4096 */

    /* Both NULL where there are no parameters. The list ends with an entry that has no name. The other table
     * is opened instead of this one where a parameter is given: so this one may be compiled for the defaults. */
    const allocator_parameter *parameters;
    const struct allocator    *with_parameters;

    /* Called before all others, by allocator_open; again is harmless. False: the OS refused. */
    bool   (*open)(void);

    /* A block of at least `bytes`, aligned to `alignment` (a power of two; anything up to 16 means 16;
     * above largest_alignment it may refuse). Zero bytes give a block of their own. NULL: refused, and nothing has changed. */
    void  *(*alloc)(size_t bytes, size_t alignment);
    void  *(*alloc_zeroed)(size_t bytes, size_t alignment);

    /* Move `block` (not NULL) to a block of new_bytes, 16-byte aligned, keeping the first
     * min(old, new) bytes. old_bytes is what was asked for, or 0 for "not known". NULL: refused, and
     * the old block is untouched. */
    void  *(*resize)(void *block, size_t old_bytes, size_t new_bytes);

    /* Take `block` (NULL is allowed) back. bytes is what was asked for, or 0 for "not known". */
    void   (*release)(void *block, size_t bytes);

    size_t (*usable_bytes)(const void *block);          /* >= the bytes asked for; 0: cannot say */
    bool   (*stats)(allocator_stats *stats);            /* false: cannot say anything; stats are zeroed */
    void   (*trim)(void);                               /* return to the OS what can be returned */
    bool   (*reset)(void);                              /* all blocks die at once; false: cannot, nothing done */
    bool   (*walk)(allocator_visitor *visit, void *context);   /* every block handed out; false: cannot */
    void   (*check)(void);                              /* walk everything; abort at a broken invariant */
    void   (*thread_exit)(void);                        /* the calling thread will not come back */
    void   (*fork_prepare)(void);                       /* as pthread_atfork */
    void   (*fork_parent)(void);
    void   (*fork_child)(void);
} allocator;

static inline size_t allocator_largest_alignment(const allocator *a) {
    return a->largest_alignment ? a->largest_alignment : ALLOCATOR_LARGEST_ALIGNMENT;
}

/* Entries for allocators that have nothing to do. */
bool allocator_opens(void);
void allocator_nothing(void);
bool allocator_cannot_reset(void);
bool allocator_cannot_walk(allocator_visitor *visit, void *context);
bool allocator_cannot_say(allocator_stats *stats);

/* --- registry.c ---------------------------------------------------------------------------------- */

/* How a registered allocator comes into the process. */
typedef enum allocator_kind { ALLOCATOR_OWN, ALLOCATOR_PRELOADED, ALLOCATOR_OPENED, ALLOCATOR_WRAPPER } allocator_kind;

typedef struct allocator_entry {
    const char      *name;       /* glibc is "system" */
    allocator_kind   kind;
    const char      *library;    /* sonames, blanks between them; the first that is there is preloaded, or loaded by its open; else NULL */
    const char      *package;    /* Debian packages that have one of them, blanks between them; else NULL */
    const char      *idea;
} allocator_entry;

/* The registry, in the order of allocators.def, ended by an entry whose name is NULL. */
const allocator_entry *allocator_entries(void);

/* The sonames (the first that is there) or the path that must be preloaded for `spec` ("jemalloc",
 * "locked:/usr/lib/x.so"), or NULL where nothing must be: own allocators, or names not known. */
const char *allocator_preload_for(const char *spec);

/* Make this process one in which `spec` can be opened. Where a library must be preloaded and is not yet,
 * the process re-executes itself (/proc/self/exe, argv) with LD_PRELOAD set and a scrubbed environment
 * (GLIBC_TUNABLES, MALLOC_*, MIMALLOC_*, TCMALLOC_* and the like removed unless REFARENA_KEEP_ENV=1) and
 * this call does not return; likewise where nothing must be preloaded but such a setting is there. In the
 * re-executed process it verifies with dladdr that malloc is the library's, unsets LD_PRELOAD and
 * returns true; also true where there was nothing to do. A library that an open loads is loaded here already, before
 * anything is limited or measured. False: not possible, with one line in `why` and in *missing whether the reason is
 * that the library is not installed, or not one that can be used. */
bool allocator_preload(const char *spec, char *const argv[], bool *missing, char *why, size_t why_bytes);

/* Path of the library that was preloaded into this process, or NULL. */
const char *allocator_preloaded_library(void);

/* Path of the library that an open has loaded into this process, and what it calls itself ("libpython 3.13.5, with an
 * interpreter"), or NULL. */
const char *allocator_loaded_library(const char **version);

/* Open what `spec` names: wrappers from left to right, then a registered name, with parameters or without, or
 * the path of a .so ("pymalloc", "locked:pymalloc,arena=256K", "counted:locked:pymalloc", "./libother.so").
 * A preloaded allocator must be this process's malloc already (the harness re-executes itself); this is
 * verified with dladdr. Wrappers and parameters are kept in one place each: opening another spec with the
 * same wrapper, or the same allocator with other parameters, takes it away from the first.
 * Returns the table, its open called, or NULL with one line of why in `why` (why_bytes long, always ended). */
const allocator *allocator_open(const char *spec, char *why, size_t why_bytes);

#endif

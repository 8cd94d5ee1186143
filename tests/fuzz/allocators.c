/* SPDX-License-Identifier: MIT
 * allocators.c - libFuzzer writes sequences of requests; an allocator that differs from a plain model is a crash.
 *
 * The model is a table of blocks: address, bytes, alignment, and a seed from which the contents follow. After each
 * step the new block must be aligned, disjoint from all others, as long as was asked, and have the contents
 * it must have; now and then, and at the end, figures, walk and check() must agree with the table.
 *
 * A sequence may go on in another thread, which ends there: then blocks are freed by a thread that did not allocate
 * them, and heaps outlive their threads. It is one thread at a time, so any allocator can be tried.
 * Built with large.c in the place of the system's malloc, as in the libraries: "system" is large.c here.
 *
 *   make fuzz-allocators ALLOCATOR=magazine SECONDS=60
 */
#include "allocators/allocator.h"
#include "tests/support.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SLOTS = 128, THREADS_MOST = 4 };

typedef struct slot { char *block; size_t bytes, alignment; uint64_t seed; } slot;
typedef struct input { const uint8_t *at, *end; int threads; } input;

static const allocator *subject;
static slot slots[SLOTS];
static size_t strangers_met, walked;
static uint64_t steps;
static allocator_stats start;

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);
const char *__asan_default_options(void);
const char *__asan_default_options(void) { return "detect_leaks=0:allocator_may_return_null=1"; }

#define MUST(condition, sentence) ((condition) ? (void)0 : broken(__LINE__, sentence))

_Noreturn static void broken(int line, const char *sentence) {
    fprintf(stderr, "tests/fuzz/allocators.c:%d: %s: not so: %s\n", line, subject->name, sentence);
    abort();
}

/* --- the model --- */

static size_t room_of(const slot *s) { return s->bytes ? s->bytes : 1; }

static void must_be_disjoint(const slot *fresh) {
    for (const slot *s = slots; s < slots + SLOTS; s++)
        if (s != fresh && s->block)
            MUST(s->block + room_of(s) <= fresh->block || fresh->block + room_of(fresh) <= s->block,
                 "blocks do not overlap");
}

static void must_be_sound(const slot *s) {
    size_t usable = subject->usable_bytes(s->block);
    MUST((uintptr_t)s->block % s->alignment == 0, "a block is aligned as asked");
    MUST(usable == 0 || usable >= s->bytes, "a block has the bytes that were asked for");
    must_be_disjoint(s);
}

static bool is_live(void *block, size_t bytes, void *context) {
    (void)context;
    for (const slot *s = slots; s < slots + SLOTS; s++)
        if (s->block == block && bytes >= s->bytes)
            return walked++, true;
    strangers_met++;
    return true;
}

/* Slots live, and their bytes. */
static size_t count_live(size_t *bytes) {
    size_t live = 0;
    *bytes = 0;
    for (const slot *s = slots; s < slots + SLOTS; s++) {
        live += s->block != NULL;
        *bytes += s->block ? s->bytes : 0;
    }
    return live;
}

static void must_agree(void) {
    size_t bytes, live = count_live(&bytes), by_class = 0;
    allocator_stats now;
    subject->trim();
    subject->check();
    if (!subject->stats(&now))
        return;
    if (subject->frees)
        MUST(now.used_blocks - start.used_blocks == live, "used blocks are those that live");
    MUST(now.used_bytes >= bytes && now.held_bytes >= now.used_bytes, "live <= used <= held");
    for (size_t i = 0; i < now.classes; i++)
        by_class += now.class_blocks[i];
    MUST(!(now.known & ALLOCATOR_KNOWS_CLASSES) || by_class + now.large_blocks == now.used_blocks,
         "blocks of all classes and large ones are the used ones");
    walked = strangers_met = 0;
    if (subject->walk(is_live, NULL))
        MUST(walked == live && strangers_met == 0, "a walk visits every live block once");
}

/* --- steps --- */

static size_t next(input *in) { return in->at < in->end ? *in->at++ : 0; }

/* Mostly small, around the bounds of classes; some large; some that no machine has. */
static size_t next_bytes(input *in) {
    size_t kind = next(in), low = next(in);
    if (kind < 160)
        return low * 2 + kind % 3;
    if (kind < 220)
        return (kind - 160) * 64 + low;
    if (kind < 250)
        return (low + 1) << (kind - 220) % 10;
    if (kind == 250)
        return ((size_t)1 << 20) + low * 4096;
    return kind < 253 ? SIZE_MAX - low : (size_t)PTRDIFF_MAX + low;
}

static void fill(slot *s) {
    s->seed = ++steps;
    support_fill(s->block, s->bytes, s->seed);
}

static void make(slot *s, input *in) {
    size_t how = next(in), bytes = next_bytes(in), alignment = how & 1 ? 16 : (size_t)1 << how / 4 % 13;
    char *block = how & 2 ? subject->alloc_zeroed(bytes, alignment) : subject->alloc(bytes, alignment);
    MUST(!block || bytes <= subject->largest_bytes, "what is too large is refused");
    MUST(block || bytes > 1 << 24, "what is not large is not refused");
    if (!block)
        return;
    *s = (slot){ .block = block, .bytes = bytes, .alignment = alignment < 16 ? 16 : alignment };
    must_be_sound(s);
    for (size_t i = 0; how & 2 && i < bytes; i++)
        MUST(block[i] == 0, "zeroed memory is zero");
    fill(s);
}

static void resize(slot *s, input *in) {
    size_t told = next(in) & 1 ? s->bytes : 0, bytes = next_bytes(in), kept = bytes < s->bytes ? bytes : s->bytes;
    MUST(support_filled(s->block, s->bytes, s->seed), "contents stay");
    char *moved = subject->resize(s->block, told, bytes);
    if (!moved) {
        MUST(bytes > 1 << 24, "a resize that is not large is not refused");
        MUST(support_filled(s->block, s->bytes, s->seed), "a refused resize changes nothing");
        return;
    }
    *s = (slot){ .block = moved, .bytes = bytes, .alignment = 16, .seed = s->seed };
    must_be_sound(s);
    MUST(support_filled(moved, kept, s->seed), "a resize keeps the contents");
    fill(s);
}

static void release(slot *s, bool tell) {
    if (!s->block)
        return;
    MUST(support_filled(s->block, s->bytes, s->seed), "contents stay");
    subject->release(s->block, tell ? s->bytes : 0);
    *s = (slot){ 0 };
}

/* A row of equal blocks, so that pools fill up and become empty within a short sequence. */
static void make_row(input *in) {
    size_t bytes = 1 + next(in) * 2, first = next(in);
    for (size_t i = 0; i < SLOTS / 2; i++) {
        slot *s = &slots[(first + i) % SLOTS];
        release(s, i & 1);
        *s = (slot){ .block = subject->alloc(bytes, 16), .bytes = bytes, .alignment = 16 };
        MUST(s->block, "what is not large is not refused");
        must_be_sound(s);
        fill(s);
    }
}

static void release_row(input *in) {
    size_t first = next(in), stride = next(in) | 1;
    for (size_t i = 0; i < SLOTS / 2; i++)
        release(&slots[(first + i * stride) % SLOTS], i & 1);
}

static void *run(void *context);

static void run_in_a_thread(input *in) {
    pthread_t thread;
    if (in->threads == THREADS_MOST)
        return;
    in->threads++;
    MUST(pthread_create(&thread, NULL, run, in) == 0, "a thread starts");
    pthread_join(thread, NULL);
}

static void start_over(void) {
    if (!subject->reset())
        return;
    memset(slots, 0, sizeof slots);
    subject->stats(&start);
    MUST(start.used_blocks == 0 && start.used_bytes == 0, "after a reset nothing is used");
}

/* Until the sequence ends, or says that the thread does. */
static void *run(void *context) {
    input *in = context;
    bool own_thread = in->threads > 0;
    while (in->at < in->end) {
        size_t what = next(in);
        slot *s = &slots[next(in) % SLOTS];
        if (what < 190)
            s->block ? what < 60 ? resize(s, in) : release(s, what & 1) : make(s, in);
        else if (what < 210)
            make_row(in);
        else if (what < 230)
            release_row(in);
        else if (what < 240)
            run_in_a_thread(in);
        else if (what < 245)
            must_agree();
        else if (what < 247)
            start_over();
        else if (what < 252 && own_thread)
            break;
    }
    if (own_thread)
        subject->thread_exit();
    return NULL;
}

/* --- libFuzzer --- */

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    const char *spec = getenv("REFARENA_ALLOCATOR");
    char why[512];
    (void)argc, (void)argv;
    subject = allocator_open(spec ? spec : "pymalloc", why, sizeof why);
    if (!subject) {
        fprintf(stderr, "%s\n", why);
        exit(2);
    }
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count) {
    input in = { bytes, bytes + count, 0 };
    subject->trim();
    if (!subject->frees)
        subject->reset();
    subject->stats(&start);
    while (in.at < in.end) {
        in.threads = 0;
        run(&in);
    }
    must_agree();
    for (slot *s = slots; s < slots + SLOTS; s++)
        release(s, s->bytes & 1);
    must_agree();
    allocator_stats end;
    if (subject->frees && subject->stats(&end))
        MUST(end.used_bytes == start.used_bytes, "when all is released no byte is used");
    return 0;
}

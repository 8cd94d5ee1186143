/* SPDX-License-Identifier: MIT
 * support.h - what several tests share: sentences as names, children that may die, seeded numbers.
 *
 * A check that aborts, a program that exits, a limit that cannot be lifted again: each is tried in a
 * forked child, which is ended after SUPPORT_SECONDS of work, or SUPPORT_PATIENCE of any kind, so that a test that hangs is
 * a test that fails, and one that only gets little of a busy machine is not.
 */
#ifndef REFARENA_TESTS_SUPPORT_H
#define REFARENA_TESTS_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#if defined(__SANITIZE_THREAD__)
#define SUPPORT_TSAN 1
#elif defined(__has_feature)
#define SUPPORT_TSAN __has_feature(thread_sanitizer)
#else
#define SUPPORT_TSAN 0
#endif

/* TEST(a_refused_resize_leaves_the_block_untouched) { ... }, listed with cmocka_unit_test(its name). */
#define TEST(name) static void name(__attribute__((unused)) void **state)

/* Asserts least <= value <= most, of unsigned numbers: cmocka 2 calls its own assert_in_range deprecated, and 1 has no other. */
#define support_between(value, least, most) support_assert_between(#value, value, least, most)
void support_assert_between(const char *what, uintmax_t value, uintmax_t least, uintmax_t most);

enum { SUPPORT_SECONDS = 60, SUPPORT_PATIENCE = 400 };  /* of processor time; by the clock */
enum { SUPPORT_SKIPPED = 77 };                          /* the exit status of a program that cannot run here */

/* End this process after SUPPORT_SECONDS of work (SIGXCPU) or so many seconds by the clock (SIGALRM). */
void support_limit_time(unsigned seconds);

/* What main returns where its program cannot run here: says why on standard error. */
int support_skip_all(const char *reason);

/* True when act(context) in a child ends it by `signal`. What the child prints is not shown. */
bool support_dies(void (*act)(void *context), void *context, int signal);

/* True when act(context) in a child returns, or ends the child with status 0. */
bool support_survives(void (*act)(void *context), void *context);

/* Exit status of a child that runs act(context) (0 when it returns), or -(signal) that ended it. What it
 * printed on standard error is in `said` (said_bytes long, always ended) unless that is NULL. */
int support_child(void (*act)(void *context), void *context, char *said, size_t said_bytes);

/* The same for a program that is executed: argv ends with NULL, argv[0] is its path. */
int support_program(char *const argv[], char *said, size_t said_bytes);

/* Skip the test that calls it, and say why on the line before. */
_Noreturn void support_skip(const char *reason);

/* Whether a program of ours can be executed from here, and whether the OS keeps to a limit of addresses: an emulator may
 * do neither. Each is found out by trying it in a child. */
bool support_executes(void);
bool support_limits_addresses(void);

/* Next number of the sequence that *state, any seed, stands for: splitmix64 (Steele et al. 2014). */
uint64_t support_random(uint64_t *state);

/* Write bytes that depend on `seed` and on their place; and whether they are still all there. */
void support_fill(void *memory, size_t bytes, uint64_t seed);
bool support_filled(const void *memory, size_t bytes, uint64_t seed);

#endif

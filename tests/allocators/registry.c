/* SPDX-License-Identifier: MIT
 * registry.c - finding allocators by name or path, preloading them, and every way of asking wrongly.
 *
 * Preloading replaces the process, so it is tried in programs of its own: this one, executed anew with
 * `open <spec>`, which prints on standard error what it got.
 */
#include "allocators/allocator.h"
#include "allocators/library.h"
#include "tests/support.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef REFARENA_SANITIZED
enum { SANITIZED = true };
#else
enum { SANITIZED = false };
#endif

enum { SAID_BYTES = 1024 };

/* The program that `opened_anew` executes: status 0, 2, or SUPPORT_SKIPPED when the library is missing. */
static int open_and_tell(char **argv) {
    char why[SAID_BYTES];
    bool missing;
    const allocator *a = NULL;
    if (allocator_preload(argv[2], argv, &missing, why, sizeof why))
        a = allocator_open(argv[2], why, sizeof why);
    if (!a) {
        fprintf(stderr, "%s", why);
        return missing ? SUPPORT_SKIPPED : 2;
    }
    const char *library = allocator_preloaded_library();
    void *block = a->alloc(100, 16);
    a->release(block, 100);
    fprintf(stderr, "%s from %s preload=%s arenas=%s", a->name, library ? library : "here",
            getenv("LD_PRELOAD") ? "set" : "unset", getenv("MALLOC_ARENA_MAX") ? "set" : "unset");
    return block ? 0 : 1;
}

static int opened_anew(const char *spec, char said[SAID_BYTES]) {
    char *const argv[] = { "/proc/self/exe", "open", (char *)spec, NULL };
    if (!support_executes()) support_skip("programs of this kind cannot be executed from here");
    return support_program(argv, said, SAID_BYTES);
}

static void assert_one_line_with(const char *said, const char *part) {
    if (!strstr(said, part) || strchr(said, '\n') || strlen(said) < 10)
        fail_msg("\"%s\" should be one line with \"%s\"", said, part);
}

/* Refused by preload and by open alike. */
static void assert_refused(const char *spec, const char *part) {
    char said[SAID_BYTES];
    assert_int_equal(opened_anew(spec, said), 2);
    assert_one_line_with(said, SANITIZED && allocator_preload_for(spec) ? "unsupported in a sanitizer build" : part);
    assert_null(allocator_open(spec, said, sizeof said));
    assert_true(strlen(said) >= 10 && !strchr(said, '\n'));
}

TEST(every_entry_has_a_name_an_idea_and_what_its_kind_needs) {
    size_t count = 0;
    for (const allocator_entry *entry = allocator_entries(); entry->name; entry++, count++) {
        assert_non_null(entry->idea);
        bool foreign = entry->kind == ALLOCATOR_PRELOADED || entry->kind == ALLOCATOR_OPENED;
        assert_int_equal(entry->library != NULL, foreign);
        assert_int_equal(entry->package != NULL, foreign);
        for (const allocator_entry *other = allocator_entries(); other != entry; other++)
            assert_string_not_equal(other->name, entry->name);
    }
    assert_true(count >= 9);
}

TEST(no_entry_of_any_table_is_null) {
    static const char *const wrapped[] = { "%s", "locked:%s", "counted:%s", "failing:%s", "debug:%s",
                                          "counted:failing:debug:locked:%s" };
    static const unsigned char null[sizeof(void (*)(void))];
    for (const allocator_entry *entry = allocator_entries(); entry->name; entry++)
        for (size_t i = 0; entry->kind == ALLOCATOR_OWN && i < sizeof wrapped / sizeof *wrapped; i++) {
            char spec[128], why[SAID_BYTES];
            snprintf(spec, sizeof spec, wrapped[i], entry->name);
            const allocator *a = allocator_open(spec, why, sizeof why);
            assert_non_null(a);
            assert_string_equal(a->name, spec);
            assert_non_null(a->idea);
            for (const char *at = (const char *)&a->open; at < (const char *)(a + 1); at += sizeof null)
                assert_memory_not_equal(at, null, sizeof null);
        }
}

TEST(what_its_open_loads_is_there_or_is_said_to_be_missing) {
    for (const allocator_entry *entry = allocator_entries(); entry->name; entry++) {
        char path[LIBRARY_PATH_BYTES], said[SAID_BYTES];
        if (entry->kind != ALLOCATOR_OPENED)
            continue;
        bool there = library_find(entry->library, path, sizeof path);
        assert_int_equal(opened_anew(entry->name, said), there ? 0 : SUPPORT_SKIPPED);
        assert_int_equal(allocator_open(entry->name, said, sizeof said) != NULL, there);
        if (!there)
            assert_one_line_with(said, entry->package);
        assert_null(allocator_preload_for(entry->name));
    }
}

TEST(what_must_be_preloaded_is_known_behind_any_wrappers) {
    assert_string_equal(allocator_preload_for("jemalloc"), "libjemalloc.so.2");
    assert_string_equal(allocator_preload_for("counted:locked:tcmalloc"), "libtcmalloc_minimal.so.4");
    assert_string_equal(allocator_preload_for("locked:/opt/lib/x.so"), "/opt/lib/x.so");
    assert_string_equal(allocator_preload_for("./libother.so.3"), "./libother.so.3");
    assert_null(allocator_preload_for("system"));
    assert_null(allocator_preload_for("locked:pymalloc"));
    assert_null(allocator_preload_for("nonesuch"));
}

TEST(every_registered_library_can_be_preloaded_or_is_not_installed) {
    char said[SAID_BYTES];
    for (const allocator_entry *entry = allocator_entries(); entry->name; entry++) {
        if (entry->kind != ALLOCATOR_PRELOADED)
            continue;
        int status = opened_anew(entry->name, said);
        if (SANITIZED) {
            assert_int_equal(status, 2);
            assert_one_line_with(said, "unsupported in a sanitizer build");
        } else if (status == SUPPORT_SKIPPED) {
            assert_one_line_with(said, "apt-get install");
            assert_one_line_with(said, entry->package);
        } else {
            char path[LIBRARY_PATH_BYTES];
            assert_int_equal(status, 0);
            assert_true(library_find(entry->library, path, sizeof path));
            assert_one_line_with(said, path);
            assert_one_line_with(said, "preload=unset");
            assert_int_equal(opened_anew(path, said), 0);               /* the same by its path */
            assert_one_line_with(said, path);
        }
    }
}

TEST(a_malloc_that_was_not_preloaded_is_refused) {
    char why[SAID_BYTES], path[LIBRARY_PATH_BYTES];
    assert_null(allocator_open("jemalloc", why, sizeof why));
    bool installed = library_find("libjemalloc.so.2", path, sizeof path);
    assert_one_line_with(why, SANITIZED ? "unsupported in a sanitizer build" : installed ? "preload it" : "not there");
}

TEST(settings_left_in_the_environment_reach_no_malloc_unless_they_are_kept) {
    char said[SAID_BYTES];
    setenv("MALLOC_ARENA_MAX", "1", 1);
    assert_int_equal(opened_anew("system", said), 0);
    if (!SANITIZED)
        assert_one_line_with(said, "arenas=unset");
    setenv("REFARENA_KEEP_ENV", "1", 1);
    assert_int_equal(opened_anew("system", said), 0);
    assert_one_line_with(said, "arenas=set");
    unsetenv("REFARENA_KEEP_ENV");
    unsetenv("MALLOC_ARENA_MAX");
}

TEST(a_preload_from_outside_is_not_taken_for_the_system) {
    char said[SAID_BYTES], path[LIBRARY_PATH_BYTES];
    if (SANITIZED || !library_find("libjemalloc.so.2", path, sizeof path))
        return;
    setenv("LD_PRELOAD", path, 1);
    assert_int_equal(opened_anew("system", said), 2);
    unsetenv("LD_PRELOAD");
    assert_one_line_with(said, "unset LD_PRELOAD");
}

TEST(an_unknown_name_is_answered_with_the_known_ones) {
    static const char *const unknown[] = {
        "nonesuch", "", "locked:nonesuch", "nonesuch:pymalloc", "pymalloc:locked", "locked:",
    };
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
        for (const allocator_entry *entry = allocator_entries(); entry->name; entry++)
            assert_refused(unknown[i], entry->name);
}

TEST(parameters_stand_behind_a_name_and_name_the_allocator) {
    static const char *const specs[] = {
        "pymalloc,arena=256K", "pymalloc,pool=4K,keep=all", "pymalloc-3.9,keep=7", "locked:pymalloc,arena=1M,keep=none",
        "magazine,keep=0", "counted:locked:pymalloc-3.9,pool=16K",
    };
    for (size_t i = 0; i < sizeof specs / sizeof *specs; i++) {
        char why[SAID_BYTES];
        const allocator *a = allocator_open(specs[i], why, sizeof why);
        if (!a)
            fail_msg("%s", why);
        assert_string_equal(a->name, specs[i]);
        assert_null(allocator_preload_for(specs[i]));
        void *block = a->alloc(100, 16);
        assert_non_null(block);
        a->release(block, 100);
        a->check();
    }
}

TEST(without_parameters_they_have_their_defaults_again) {
    char why[SAID_BYTES];
    allocator_stats stats;
    const size_t arena_bytes[][2] = { { 256 << 10, 1 << 20 }, { 1 << 20, 256 << 10 } };
    const char *const specs[] = { "pymalloc-3.9", "pymalloc", "pymalloc,arena=1M", "pymalloc-3.9,pool=16K" };
    for (size_t i = 0; i < 4; i++) {
        const allocator *a = allocator_open(specs[i], why, sizeof why);
        void *block = a->alloc(100, 16);
        a->stats(&stats);
        assert_int_equal(stats.held_bytes, arena_bytes[i / 2][i % 2]);
        a->release(block, 100);
    }
}

TEST(other_parameters_wait_until_there_is_no_block) {
    char why[SAID_BYTES];
    const allocator *a = allocator_open("pymalloc", why, sizeof why);
    void *block = a->alloc(100, 16);
    assert_null(allocator_open("pymalloc-3.9", why, sizeof why));
    assert_one_line_with(why, "blocks under other parameters");
    a->release(block, 100);
    assert_non_null(allocator_open("pymalloc-3.9", why, sizeof why));
}

TEST(a_parameter_that_is_not_accepted_is_refused) {
    assert_refused("pymalloc,arena=3M", "give 256K or 1M");
    assert_refused("pymalloc,arena=", "give 256K or 1M");
    assert_refused("pymalloc,arena=1048576", "give 256K or 1M");
    assert_refused("pymalloc,pool=8K", "give 4K or 16K");
    assert_refused("pymalloc-3.9,pool=64K", "give 4K or 16K");
    assert_refused("pymalloc,keep=some", "none, all or a number");
    assert_refused("pymalloc,keep=-1", "none, all or a number");
    assert_refused("magazine,keep=99999999999999999999", "none, all or a number");
    assert_refused("magazine,keep=1e3", "none, all or a number");
    assert_refused("pymalloc,size=3", "no parameter \"size=3\"");
    assert_refused("pymalloc,arena", "no parameter");
    assert_refused("pymalloc,", "no parameter");
    assert_refused("pymalloc,arena=1M,,pool=4K", "no parameter");
    assert_refused("locked:pymalloc,x=1", "arena=256K or 1M");
    assert_refused("system,arena=1M", "no parameter");
    assert_refused("bump,keep=all", "no parameter");
    assert_refused("jemalloc,keep=all", "no parameters");
    assert_refused("locked,keep=all:pymalloc", "is a wrapper");
}

TEST(a_wrapper_in_a_wrong_place_is_refused) {
    assert_refused("locked", "locked:<allocator>");
    assert_refused("counted:locked", "locked:<allocator>");
    assert_refused("locked:locked:pymalloc", "twice");
    assert_refused("locked:counted:locked:pymalloc", "twice");
}

TEST(a_path_that_is_not_a_malloc_is_refused) {
    Dl_info cmocka;
    assert_true(dladdr(dlsym(RTLD_DEFAULT, "_cmocka_run_group_tests"), &cmocka) != 0);
    assert_refused("/nonexistent/libmalloc.so", "no such library");
    assert_refused("./libnonexistent.so.7", "no such library");
    assert_refused("libnonexistent.so.7", "no such library");
    assert_refused("/etc/passwd", "not a shared object");
    assert_refused("/dev/null", "not a shared object");
    assert_refused("/", "not a shared object");
    assert_refused(cmocka.dli_fname, "does not define malloc");
    assert_refused("/proc/self/exe", "does not define malloc");
    assert_refused("locked:/etc/passwd", "not a shared object");
}

static void write_file(const char *path, const void *bytes, size_t count) {
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(file >= 0 && write(file, bytes, count) == (ssize_t)count);
    close(file);
}

static void *read_file(const char *path, size_t *count) {
    struct stat about;
    int file = open(path, O_RDONLY);
    assert_true(file >= 0 && !fstat(file, &about));
    *count = (size_t)about.st_size;
    void *bytes = malloc(*count);
    assert_true(read(file, bytes, *count) == (ssize_t)*count);
    close(file);
    return bytes;
}

/* The C library itself has all that is asked for, and is damaged here in a thousand ways. */
TEST(a_damaged_shared_object_is_examined_without_harm) {
    char path[] = P_tmpdir "/refarena-damaged-XXXXXX", why[SAID_BYTES];
    size_t count;
    uint64_t random = 1;
    Dl_info libc;
    assert_true(dladdr(dlsym(RTLD_DEFAULT, "gnu_get_libc_version"), &libc) != 0);
    assert_true(library_is_malloc(libc.dli_fname, why, sizeof why));
    unsigned char *bytes = read_file(libc.dli_fname, &count);
    uint64_t sections;
    memcpy(&sections, bytes + 40, sizeof sections);         /* e_shoff: what is read lies there and in the header */
    close(mkstemp(path));
    write_file(path, bytes, count);
    assert_true(library_is_malloc(path, why, sizeof why));
    for (size_t cut = 0; cut < 128; cut++) {
        assert_int_equal(truncate(path, (off_t)(cut < 100 ? cut : cut * count / 128)), 0);
        assert_false(library_is_malloc(path, why, sizeof why));
        write_file(path, bytes, cut < 100 ? cut + 1 : count);
    }
    for (int i = 0; i < 1000; i++) {
        size_t at = i % 2 ? support_random(&random) % 64 : sections + support_random(&random) % (count - sections);
        uint64_t damage = support_random(&random);
        int file = open(path, O_WRONLY);
        assert_true(pwrite(file, &damage, 8, (off_t)at) == 8);
        library_is_malloc(path, why, sizeof why);           /* true or false, but it returns */
        assert_true(pwrite(file, bytes + at, count - at < 8 ? count - at : 8, (off_t)at) > 0);
        assert_int_equal(ftruncate(file, (off_t)count), 0);
        close(file);
    }
    assert_true(library_is_malloc(path, why, sizeof why));
    unlink(path);
    free(bytes);
}

TEST(a_path_that_a_preload_cannot_hold_is_refused) {
    char folder[] = P_tmpdir "/refarena with blank XXXXXX", path[sizeof folder + 16], why[SAID_BYTES];
    Dl_info libc;
    assert_true(dladdr(dlsym(RTLD_DEFAULT, "gnu_get_libc_version"), &libc) != 0);
    size_t count;
    void *bytes = read_file(libc.dli_fname, &count);
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/x.so", folder);
    write_file(path, bytes, count);
    assert_true(library_is_malloc(path, why, sizeof why));
    assert_refused(path, "cannot be preloaded");
    unlink(path);
    rmdir(folder);
    free(bytes);
}

int main(int argc, char **argv) {
    if (argc == 3 && !strcmp(argv[1], "open"))
        return open_and_tell(argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_entry_has_a_name_an_idea_and_what_its_kind_needs),
        cmocka_unit_test(no_entry_of_any_table_is_null),
        cmocka_unit_test(what_its_open_loads_is_there_or_is_said_to_be_missing),
        cmocka_unit_test(what_must_be_preloaded_is_known_behind_any_wrappers),
        cmocka_unit_test(every_registered_library_can_be_preloaded_or_is_not_installed),
        cmocka_unit_test(a_malloc_that_was_not_preloaded_is_refused),
        cmocka_unit_test(settings_left_in_the_environment_reach_no_malloc_unless_they_are_kept),
        cmocka_unit_test(a_preload_from_outside_is_not_taken_for_the_system),
        cmocka_unit_test(an_unknown_name_is_answered_with_the_known_ones),
        cmocka_unit_test(parameters_stand_behind_a_name_and_name_the_allocator),
        cmocka_unit_test(without_parameters_they_have_their_defaults_again),
        cmocka_unit_test(other_parameters_wait_until_there_is_no_block),
        cmocka_unit_test(a_parameter_that_is_not_accepted_is_refused),
        cmocka_unit_test(a_wrapper_in_a_wrong_place_is_refused),
        cmocka_unit_test(a_path_that_is_not_a_malloc_is_refused),
        cmocka_unit_test(a_damaged_shared_object_is_examined_without_harm),
        cmocka_unit_test(a_path_that_a_preload_cannot_hold_is_refused),
    };
    return cmocka_run_group_tests_name("registry", tests, NULL, NULL);
}

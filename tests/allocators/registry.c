/* SPDX-License-Identifier: MIT
 * registry.c - finding allocators by name or path, preloading them, and every way of asking wrongly.
 *
 * Preloading replaces the process, so it is tried in programs of its own: this one, executed anew with
 * `open <spec>`, which prints on standard error what it got.
 */
#include "allocators/allocator.h"
#include "allocators/library.h"
#include "allocators/registry.h"
#include "tests/support.h"

#include <dlfcn.h>
#include <elf.h>
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
        bool there = library_find_first(entry->library, path, sizeof path);
        assert_int_equal(opened_anew(entry->name, said), there ? 0 : SUPPORT_SKIPPED);
        assert_int_equal(allocator_open(entry->name, said, sizeof said) != NULL, there);
        if (!there)
            assert_one_line_with(said, "is not installed: apt-get install");
        assert_null(allocator_preload_for(entry->name));
    }
}

/* From 3.12 on only the thread that has the interpreter may call it: no wrapper makes that better. */
TEST(what_is_loaded_says_its_version_and_whether_it_is_bound_to_a_thread) {
    char said[SAID_BYTES];
    const char *version;
    const allocator *py = allocator_open("pyobject", said, sizeof said);
    if (!py)
        support_skip(said);
    int minor = 0;
    assert_non_null(allocator_loaded_library(&version));
    assert_int_equal(sscanf(version, "libpython 3.%d.", &minor), 1);
    assert_int_equal(py->thread_bound, minor >= 12);
    assert_int_equal(strstr(version, "with an interpreter") != NULL, minor >= 12);
    assert_int_equal(strstr(py->idea, "with an interpreter") != NULL, minor >= 12);
    static const char *const wrapped[] = { "locked:pyobject", "counted:locked:pyobject", "debug:pyobject", "failing:pyobject" };
    for (size_t i = 0; i < sizeof wrapped / sizeof *wrapped; i++) {
        const allocator *outer = allocator_open(wrapped[i], said, sizeof said);
        assert_non_null(outer);
        assert_int_equal(outer->thread_bound, minor >= 12);
    }
}

TEST(of_several_sonames_the_first_that_is_there_is_taken) {
    char path[LIBRARY_PATH_BYTES], again[LIBRARY_PATH_BYTES];
    assert_true(library_find("libc.so.6", path, sizeof path));
    assert_true(library_find_first("libc.so.6", again, sizeof again));
    assert_string_equal(path, again);
    assert_true(library_find_first(" libnonexistent.so.7  libc.so.6 libm.so.6", again, sizeof again));
    assert_string_equal(path, again);
    assert_false(library_find_first("libnonexistent.so.7 libnonexistent.so.8", again, sizeof again));
    assert_false(library_find_first("", again, sizeof again));
}

TEST(what_is_not_installed_is_said_with_the_packages_that_releases_have) {
    char why[SAID_BYTES];
    static const allocator_entry entries[] = {
        { "other", ALLOCATOR_PRELOADED, "libnonexistent.so.7 libnonexistent.so.8", "libnonexistent7 libnonexistent8 libnonexistent8t64", "" },
        { "other", ALLOCATOR_OPENED, "libnonexistent.so.7", "libnonexistent7", "" },
        { "other", ALLOCATOR_OPENED, "libnonexistent.so.7 libc.so.6", "libnonexistent7 libc6", "" },
    };
    registry_spec parsed = { .base = "other", .entry = &entries[0] };
    assert_true(registry_is_missing(&parsed, why, sizeof why));
    assert_one_line_with(why, "libnonexistent.so.7 or libnonexistent.so.8 is not installed: "
                              "apt-get install libnonexistent7, libnonexistent8 or libnonexistent8t64, whichever this release has");
    parsed.entry = &entries[1];
    assert_true(registry_is_missing(&parsed, why, sizeof why));
    assert_one_line_with(why, "libnonexistent.so.7 is not installed: apt-get install libnonexistent7");
    parsed.entry = &entries[2];
    assert_false(registry_is_missing(&parsed, why, sizeof why));
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
            assert_one_line_with(said, "is not installed: apt-get install");
        } else {
            char path[LIBRARY_PATH_BYTES];
            assert_int_equal(status, 0);
            assert_true(library_find_first(entry->library, path, sizeof path));
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

/* A copy of the C library, which has all that is asked for, to be damaged. */
typedef struct copy { char path[64]; unsigned char *bytes; size_t count; } copy;

static copy copy_libc(void) {
    copy made = { .path = P_tmpdir "/refarena-damaged-XXXXXX" };
    char why[SAID_BYTES];
    Dl_info libc;
    assert_true(dladdr(dlsym(RTLD_DEFAULT, "gnu_get_libc_version"), &libc) != 0);
    assert_true(library_is_malloc(libc.dli_fname, why, sizeof why));
    made.bytes = read_file(libc.dli_fname, &made.count);
    close(mkstemp(made.path));
    write_file(made.path, made.bytes, made.count);
    assert_true(library_is_malloc(made.path, why, sizeof why));
    return made;
}

/* Sound again after all that was done to it. */
static void copy_drop(copy *made) {
    char why[SAID_BYTES];
    assert_true(library_is_malloc(made->path, why, sizeof why));
    unlink(made->path);
    free(made->bytes);
}

static bool is_malloc_with(const copy *made, size_t at, const void *damage, size_t bytes) {
    char why[SAID_BYTES];
    int file = open(made->path, O_WRONLY);
    assert_true(pwrite(file, damage, bytes, (off_t)at) == (ssize_t)bytes);
    bool is = library_is_malloc(made->path, why, sizeof why);
    assert_true(is || !strchr(why, '\n'));
    size_t sound = made->count - at < bytes ? made->count - at : bytes;
    assert_true(pwrite(file, made->bytes + at, sound, (off_t)at) == (ssize_t)sound);
    assert_int_equal(ftruncate(file, (off_t)made->count), 0);
    close(file);
    return is;
}

TEST(a_shared_object_that_was_cut_off_is_refused) {
    copy made = copy_libc();
    char why[SAID_BYTES];
    for (size_t cut = 0; cut < 128; cut++) {
        assert_int_equal(truncate(made.path, (off_t)(cut < 100 ? cut : cut * made.count / 128)), 0);
        assert_false(library_is_malloc(made.path, why, sizeof why));
        write_file(made.path, made.bytes, cut < 100 ? cut + 1 : made.count);
    }
    write_file(made.path, made.bytes, made.count);
    copy_drop(&made);
}

TEST(a_shared_object_damaged_at_random_is_examined_without_harm) {
    copy made = copy_libc();
    uint64_t random = 1, sections;
    memcpy(&sections, made.bytes + offsetof(Elf64_Ehdr, e_shoff), sizeof sections);     /* what is read lies from there on */
    for (int i = 0; i < 1000; i++) {
        size_t at = i % 2 ? support_random(&random) % 64 : sections + support_random(&random) % (made.count - sections);
        uint64_t damage = support_random(&random);
        is_malloc_with(&made, at, &damage, sizeof damage);      /* true or false, but it returns */
    }
    copy_drop(&made);
}

/* What a field of so many bytes may say at worst: each sign of overflow, each edge of the file. */
static size_t extremes_of(const copy *made, size_t bytes, uint64_t extremes[32]) {
    const uint64_t edges[] = { 0, 1, 7, 8, INT16_MAX, UINT16_MAX, INT32_MAX, (uint64_t)INT32_MAX + 1, UINT32_MAX,
                               (uint64_t)UINT32_MAX + 1, INT64_MAX, (uint64_t)INT64_MAX + 1, (uint64_t)1 << 60,
                               UINT64_MAX / 24, UINT64_MAX / 64 + 1, UINT64_MAX - 7, UINT64_MAX,
                               made->count - 1, made->count, made->count + 1, made->count & ~(uint64_t)7,
                               -(uint64_t)made->count, -(uint64_t)(uintptr_t)made->bytes };
    size_t count = 0;
    for (size_t i = 0; i < sizeof edges / sizeof *edges; i++)
        if (bytes == 8 || edges[i] >> 8 * bytes == 0)
            extremes[count++] = edges[i];
    return count;
}

typedef struct part { size_t at, bytes; } part;
#define PART(type, name) { offsetof(type, name), sizeof ((type *)0)->name }

static void set_each_to_extremes(const copy *made, size_t start, const part *parts, size_t part_count) {
    for (size_t p = 0; p < part_count; p++) {
        uint64_t extremes[32];
        size_t count = extremes_of(made, parts[p].bytes, extremes);
        for (size_t i = 0; i < count; i++)      /* a field's first bytes are its lowest: little-endian, as both machines are */
            is_malloc_with(made, start + parts[p].at, &extremes[i], parts[p].bytes);
    }
}

TEST(every_field_of_the_header_may_say_anything) {
    static const part header[] = {
        PART(Elf64_Ehdr, e_type), PART(Elf64_Ehdr, e_machine), PART(Elf64_Ehdr, e_version), PART(Elf64_Ehdr, e_entry),
        PART(Elf64_Ehdr, e_phoff), PART(Elf64_Ehdr, e_shoff), PART(Elf64_Ehdr, e_flags), PART(Elf64_Ehdr, e_ehsize),
        PART(Elf64_Ehdr, e_phentsize), PART(Elf64_Ehdr, e_phnum), PART(Elf64_Ehdr, e_shentsize), PART(Elf64_Ehdr, e_shnum),
        PART(Elf64_Ehdr, e_shstrndx),
    };
    copy made = copy_libc();
    set_each_to_extremes(&made, 0, header, sizeof header / sizeof *header);
    copy_drop(&made);
}

TEST(every_field_of_the_sections_that_are_read_may_say_anything) {
    static const part section[] = {
        PART(Elf64_Shdr, sh_name), PART(Elf64_Shdr, sh_type), PART(Elf64_Shdr, sh_flags), PART(Elf64_Shdr, sh_addr),
        PART(Elf64_Shdr, sh_offset), PART(Elf64_Shdr, sh_size), PART(Elf64_Shdr, sh_link), PART(Elf64_Shdr, sh_info),
        PART(Elf64_Shdr, sh_addralign), PART(Elf64_Shdr, sh_entsize),
    };
    static const part symbol[] = { PART(Elf64_Sym, st_name), PART(Elf64_Sym, st_shndx) };
    copy made = copy_libc();
    const Elf64_Ehdr *header = (const Elf64_Ehdr *)made.bytes;
    const Elf64_Shdr *sections = (const Elf64_Shdr *)(made.bytes + header->e_shoff);
    size_t read = 0;
    for (size_t i = 0; i < header->e_shnum; i++) {
        if (sections[i].sh_type != SHT_DYNSYM)
            continue;
        set_each_to_extremes(&made, header->e_shoff + i * sizeof *sections, section, sizeof section / sizeof *section);
        set_each_to_extremes(&made, header->e_shoff + sections[i].sh_link * sizeof *sections, section,
                             sizeof section / sizeof *section);
        set_each_to_extremes(&made, sections[i].sh_offset + sizeof(Elf64_Sym), symbol, sizeof symbol / sizeof *symbol);
        read++;
    }
    assert_int_equal(read, 1);
    copy_drop(&made);
}

/* A name is one with its end: where the table of names stops within `malloc`, none is defined. */
TEST(a_name_that_is_cut_off_is_no_definition) {
    copy made = copy_libc();
    const Elf64_Ehdr *header = (const Elf64_Ehdr *)made.bytes;
    const Elf64_Shdr *sections = (const Elf64_Shdr *)(made.bytes + header->e_shoff), *table = sections;
    while (table->sh_type != SHT_DYNSYM)
        table++;
    const Elf64_Shdr *strings = &sections[table->sh_link];
    const Elf64_Sym *symbols = (const Elf64_Sym *)(made.bytes + table->sh_offset), *found = symbols;
    while (found->st_shndx == SHN_UNDEF || strcmp((char *)made.bytes + strings->sh_offset + found->st_name, "malloc"))
        found++;
    size_t at = (size_t)((const unsigned char *)strings - made.bytes) + offsetof(Elf64_Shdr, sh_size);
    for (uint64_t letters = 0; letters <= sizeof "malloc" - 1; letters++) {
        uint64_t bytes = found->st_name + letters;
        assert_false(is_malloc_with(&made, at, &bytes, sizeof bytes));
    }
    copy_drop(&made);
}

int main(int argc, char **argv) {
    if (argc == 3 && !strcmp(argv[1], "open"))
        return open_and_tell(argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_entry_has_a_name_an_idea_and_what_its_kind_needs),
        cmocka_unit_test(no_entry_of_any_table_is_null),
        cmocka_unit_test(what_its_open_loads_is_there_or_is_said_to_be_missing),
        cmocka_unit_test(what_is_loaded_says_its_version_and_whether_it_is_bound_to_a_thread),
        cmocka_unit_test(of_several_sonames_the_first_that_is_there_is_taken),
        cmocka_unit_test(what_is_not_installed_is_said_with_the_packages_that_releases_have),
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
        cmocka_unit_test(a_shared_object_that_was_cut_off_is_refused),
        cmocka_unit_test(a_shared_object_damaged_at_random_is_examined_without_harm),
        cmocka_unit_test(every_field_of_the_header_may_say_anything),
        cmocka_unit_test(every_field_of_the_sections_that_are_read_may_say_anything),
        cmocka_unit_test(a_name_that_is_cut_off_is_no_definition),
    };
    return cmocka_run_group_tests_name("registry", tests, NULL, NULL);
}

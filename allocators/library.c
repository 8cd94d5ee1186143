/* SPDX-License-Identifier: MIT
 * library.c - shared objects, read as files (ELF) and asked about through the dynamic loader.
 *
 * The loader only warns about a preload that it cannot find and then runs with the C library's malloc, so
 * a file is examined before it is preloaded, and malloc's origin is asked for (dladdr) afterwards.
 *
 * Source: System V ABI, chapters 4 and 5 (ELF header, sections, symbol table); dlinfo(3), dladdr(3).
 */
#include "library.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__x86_64__)
enum { LIBRARY_MACHINE = EM_X86_64 };
#elif defined(__aarch64__)
enum { LIBRARY_MACHINE = EM_AARCH64 };
#else
#error "refarena runs on Linux x86-64 and aarch64"
#endif

/* --- where it is --- */

static bool library_resolve(const char *folder, const char *name, char *path, size_t path_bytes) {
    char joined[LIBRARY_PATH_BYTES], resolved[PATH_MAX];
    snprintf(joined, sizeof joined, "%s%s%s", folder, *folder ? "/" : "", name);
    if (!realpath(joined, resolved))
        return false;
    return (size_t)snprintf(path, path_bytes, "%s", resolved) < path_bytes;
}

/* The loader's own folders: LD_LIBRARY_PATH and those it was built with, multiarch ones included. */
static bool library_search(const char *name, char *path, size_t path_bytes) {
    void *self = dlopen(NULL, RTLD_LAZY);
    Dl_serinfo sizes, *folders = NULL;
    bool found = false;
    if (self && !dlinfo(self, RTLD_DI_SERINFOSIZE, &sizes) && (folders = malloc(sizes.dls_size))) {
        *folders = sizes;
        if (!dlinfo(self, RTLD_DI_SERINFO, folders))
            for (unsigned i = 0; i < folders->dls_cnt && !found; i++)
                found = library_resolve(folders->dls_serpath[i].dls_name, name, path, path_bytes);
    }
    free(folders);
    if (self)
        dlclose(self);
    return found || library_resolve("/usr/local/lib", name, path, path_bytes);  /* in Debian's ld.so.conf */
}

bool library_find(const char *name, char *path, size_t path_bytes) {
    if (strchr(name, '/'))
        return library_resolve("", name, path, path_bytes);
    return library_search(name, path, path_bytes) || library_resolve("", name, path, path_bytes);
}

bool library_find_first(const char *sonames, char *path, size_t path_bytes) {
    for (const char *at = sonames + strspn(sonames, " "); *at; at += strspn(at, " ")) {
        size_t length = strcspn(at, " ");
        char soname[NAME_MAX + 1];
        snprintf(soname, sizeof soname, "%.*s", (int)length, at);
        if (library_find(soname, path, path_bytes))
            return true;
        at += length;
    }
    return false;
}

/* --- what it defines --- */

typedef struct library_file { const unsigned char *start; size_t bytes; } library_file;

/* `bytes` of them from `offset` on, or NULL where the file says something that is not in it. Nothing is added to an
 * address before that is known: every number in a file may be any number. */
static const void *library_part(const library_file *file, uint64_t offset, uint64_t bytes) {
    return offset <= file->bytes && bytes <= file->bytes - offset ? file->start + offset : NULL;
}

/* `count` items of item_bytes, which lie where the processor can read them at once. */
static const void *library_table(const library_file *file, uint64_t offset, uint64_t count, size_t item_bytes) {
    bool fits = offset % 8 == 0 && count <= file->bytes / item_bytes;
    return fits ? library_part(file, offset, count * item_bytes) : NULL;
}

static bool library_header_fits(const Elf64_Ehdr *header) {
    return header && !memcmp(header->e_ident, ELFMAG, SELFMAG) && header->e_ident[EI_CLASS] == ELFCLASS64
        && header->e_type == ET_DYN && header->e_machine == LIBRARY_MACHINE
        && header->e_shentsize == sizeof(Elf64_Shdr);
}

/* Whether the symbol's name, in a table of so many bytes, is `wanted`, its end included. */
static bool library_is_named(const Elf64_Sym *symbol, const char *names, size_t names_bytes, const char *wanted) {
    size_t bytes = strlen(wanted) + 1;
    return symbol->st_name < names_bytes && names_bytes - symbol->st_name >= bytes
        && !memcmp(names + symbol->st_name, wanted, bytes);
}

static bool library_defines(const library_file *file, const Elf64_Shdr *sections, size_t section_count,
                            const char *wanted) {
    for (const Elf64_Shdr *table = sections; table < sections + section_count; table++) {
        if (table->sh_type != SHT_DYNSYM || table->sh_link >= section_count)
            continue;
        const Elf64_Shdr *strings = &sections[table->sh_link];
        const char *names = library_part(file, strings->sh_offset, strings->sh_size);
        size_t symbol_count = table->sh_size / sizeof(Elf64_Sym);
        const Elf64_Sym *symbols = library_table(file, table->sh_offset, symbol_count, sizeof *symbols);
        for (size_t i = 0; names && symbols && i < symbol_count; i++)
            if (symbols[i].st_shndx != SHN_UNDEF && library_is_named(&symbols[i], names, strings->sh_size, wanted))
                return true;
    }
    return false;
}

static bool library_examine(const library_file *file, const char *path, char *why, size_t why_bytes) {
    static const char *const family[] = { "malloc", "calloc", "realloc", "free", "posix_memalign" };
    const Elf64_Ehdr *header = library_table(file, 0, 1, sizeof *header);
    if (!library_header_fits(header))
        return snprintf(why, why_bytes, "%s is not a shared object (ELF) of this machine", path), false;
    const Elf64_Shdr *sections = library_table(file, header->e_shoff, header->e_shnum, sizeof *sections);
    for (size_t i = 0; i < sizeof family / sizeof *family; i++) {
        if (sections && library_defines(file, sections, header->e_shnum, family[i]))
            continue;
        if (i == 0)
            snprintf(why, why_bytes, "%s does not define malloc: give a library that replaces it", path);
        else
            snprintf(why, why_bytes, "%s defines malloc but not %s: a block of one malloc cannot go to another's",
                     path, family[i]);
        return false;
    }
    return true;
}

bool library_is_malloc(const char *path, char *why, size_t why_bytes) {
    int opened = open(path, O_RDONLY | O_CLOEXEC);
    struct stat about;
    if (opened < 0 || fstat(opened, &about)) {
        snprintf(why, why_bytes, "%s: %s", path, strerror(errno));
        if (opened >= 0)
            close(opened);
        return false;
    }
    library_file file = { MAP_FAILED, (size_t)about.st_size };
    if (S_ISREG(about.st_mode) && file.bytes)
        file.start = mmap(NULL, file.bytes, PROT_READ, MAP_PRIVATE, opened, 0);
    close(opened);
    if (file.start == MAP_FAILED)
        return snprintf(why, why_bytes, "%s is not a shared object (ELF) of this machine", path), false;
    bool examined = library_examine(&file, path, why, why_bytes);
    munmap((void *)file.start, file.bytes);
    return examined;
}

/* --- whose malloc this is --- */

/* dlsym, not &malloc: in an executable that is not position independent that is a stub of its own. */
static Dl_info library_about(const char *symbol) {
    Dl_info about = { 0 };
    void *address = dlsym(RTLD_DEFAULT, symbol);
    if (!address || !dladdr(address, &about))
        about.dli_fname = "an unknown object";
    return about;
}

/* The loader knows a library by the name it was given. Where that is a descriptor (preload.c), the file's own is
 * asked for, once: dli_fname means nothing to another process. */
const char *library_of_malloc(void) {
    static char resolved[PATH_MAX];
    const char *name = library_about("malloc").dli_fname;
    if (strncmp(name, "/proc/self/fd/", strlen("/proc/self/fd/")))
        return name;
    if (!*resolved && !realpath(name, resolved))
        return name;
    return resolved;
}

bool library_has_malloc_of_libc(void) {
    return library_about("malloc").dli_fbase == library_about("gnu_get_libc_version").dli_fbase;
}

bool library_has_malloc_of_process(const char *path) {
    struct stat asked, loaded;
    return !stat(path, &asked) && !stat(library_of_malloc(), &loaded)
        && asked.st_dev == loaded.st_dev && asked.st_ino == loaded.st_ino;
}

void *library_symbol_beside_malloc(const char *symbol) {
    void *address = dlsym(RTLD_DEFAULT, symbol);
    Dl_info about;
    if (!address || !dladdr(address, &about) || about.dli_fbase != library_about("malloc").dli_fbase)
        return NULL;
    return address;
}

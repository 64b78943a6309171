/*
 * exec.c - the guest's execve(): what is 32-bit code runs under btrun again.
 *
 * Other programs, and scripts whose interpreter is one, run natively: that
 * is how a guest's `make` calls the system's own shell.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/btrun/btrun.h"
#include "tests/btrun/linux.h"
#include "tests/btrun/options.h"

#define WORDS_MAX   16384
#define SCRIPT_MAX  256         /* of a script's first line */
#define SPACE       " \t"

/* The first SIZE bytes of the file at PATH; how many there are. */
static size_t
read_head(const char *path, void *to, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t count = fd < 0 ? -1 : read(fd, to, size);

    if (fd >= 0)
        close(fd);
    return count < 0 ? 0 : (size_t)count;
}

static bool
is_guest_program(const char *path)
{
    Elf32_Ehdr header;

    return access(path, X_OK) == 0 &&
           read_head(path, &header, sizeof(header)) == sizeof(header) &&
           memcmp(header.e_ident, ELFMAG, SELFMAG) == 0 &&
           header.e_ident[EI_CLASS] == ELFCLASS32 &&
           header.e_machine == EM_386;
}

/* "#!INTERPRETER [ARGUMENT]" of the file at PATH, cut in two; or false. */
static bool
read_script(const char *path, char *line, char **interpreter, char **argument)
{
    size_t size = read_head(path, line, SCRIPT_MAX - 1);
    char *rest = line + 2;

    line[size] = '\0';
    if (access(path, X_OK) != 0 || strncmp(line, "#!", 2) != 0)
        return false;
    line[strcspn(line, "\n")] = '\0';
    *interpreter = strtok_r(rest, SPACE, &rest);
    *argument = rest == NULL ? NULL : rest + strspn(rest, SPACE);
    if (*argument != NULL && **argument == '\0')
        *argument = NULL;
    return *interpreter != NULL;
}

/* The words to run PATH with ARGS under btrun; false: not that way. */
static bool
make_words(char **words, const char *path, char *const *args)
{
    static char line[SCRIPT_MAX];
    char *interpreter, *argument;
    unsigned n;

    if (is_guest_program(path)) {
        n = options_words(words, path, args[0] == NULL ? path : args[0]);
    } else if (read_script(path, line, &interpreter, &argument) &&
               is_guest_program(interpreter)) {
        n = options_words(words, interpreter, interpreter);
        if (argument != NULL)
            words[n++] = argument;
        words[n++] = (char *)path;
    } else {
        return false;
    }
    for (unsigned i = 1; args[0] != NULL && args[i] != NULL; i++) {
        if (n == WORDS_MAX - 1)
            die("%s: too many arguments", path);
        words[n++] = args[i];
    }
    words[n] = NULL;
    return true;
}

uint32_t
linux_execve(const uint32_t *args)
{
    static char *words[WORDS_MAX];
    uint32_t call[LINUX_ARG_COUNT] = {
        SYS_execve, args[LINUX_ARG1], args[LINUX_ARG2], args[LINUX_ARG3],
    };
    const char *path = (const char *)args[LINUX_ARG1];

    if (strcmp(path, "/proc/self/exe") == 0) {
        path = options.program;
        call[LINUX_ARG1] = (uint32_t)path;
    }
    if (make_words(words, path, (char *const *)args[LINUX_ARG2])) {
        call[LINUX_ARG1] = (uint32_t)options.itself;
        call[LINUX_ARG2] = (uint32_t)words;
    }
    return host_syscall(call);
}

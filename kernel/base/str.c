/*
 * str.c - the string functions that the C library lacks (string.h).
 *
 * Pure: linked into VMkernel, monitor and tests alike.
 */
#include "kernel/base/string.h"

bool
str_copy(char *dst, const char *src, size_t size)
{
    size_t i;

    for (i = 0; i + 1 < size && src[i] != '\0'; i++)
        dst[i] = src[i];
    dst[i] = '\0';
    return src[i] == '\0';
}

bool
str_starts_with(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool
char_is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

bool
char_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool
char_is_print(char c)
{
    return c >= ' ' && c <= '~';
}

char
char_to_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/*
 * vmx_format.c - writes a .vmx file (vmx.h): the one that was read, with a
 * key's value changed.
 *
 * Comments and blank lines are gone.  What cannot stand in a value, and what
 * a reader could take for something else, is escaped.
 *
 * Called by whoever changes a VM's configuration; no locks.
 */
#include "vmm/config/vmx.h"

#include "kernel/base/string.h"

#define HEX_BITS    4u

struct output {
    char *buf;
    size_t size;            /* room, with the NUL */
    size_t used;            /* as if there were enough */
};

static void
put_char(struct output *o, char c)
{
    if (o->used + 1 < o->size)
        o->buf[o->used] = c;
    o->used++;
}

static void
put_text(struct output *o, const char *text)
{
    while (*text != '\0')
        put_char(o, *text++);
}

static void
put_value(struct output *o, const char *value)
{
    static const char digits[] = "0123456789ABCDEF";

    for (; *value != '\0'; value++) {
        uint8_t byte = (uint8_t)*value;

        if (char_is_print(*value) && strchr("\"|", *value) == NULL) {
            put_char(o, *value);
            continue;
        }
        put_char(o, '|');
        put_char(o, digits[byte >> HEX_BITS]);
        put_char(o, digits[byte & 0xf]);
    }
}

static void
put_line(struct output *o, const char *key, const char *value)
{
    put_text(o, key);
    put_text(o, " = \"");
    put_value(o, value);
    put_text(o, "\"\n");
}

size_t
vmx_format(const struct vmx *v, const struct vmx_change *change, char *buf,
           size_t size)
{
    struct output o = { buf, size, 0 };
    bool is_done = change == NULL;

    for (unsigned n = 0; n < v->count; n++) {
        const struct vmx_entry *e = &v->entry[n];

        if (change == NULL || !vmx_is_same_key(e->key, change->key)) {
            put_line(&o, e->key, e->value);
            continue;
        }
        is_done = true;
        if (change->value != NULL)
            put_line(&o, e->key, change->value);
    }
    if (!is_done && change->value != NULL)
        put_line(&o, change->key, change->value);
    if (size > 0)
        buf[MIN(o.used, size - 1)] = '\0';
    return o.used;
}

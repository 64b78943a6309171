/*
 * vmx.h - a VM's configuration file: lines of key = "value".
 *
 *      # a comment
 *      memsize = "64"
 *      boot.kernel = "linux"
 *      displayName = "say |22hello|22"
 *
 * Keys do not care about case.  In a value, |XX is the byte with that hex code,
 * which is how a quote, a bar or a newline gets in.  The keys that we know are
 * in vmx_keys.def with their types, ranges and defaults; a wrong value is
 * refused with its line and what was expected, so what was accepted can be used
 * without a check.  Keys that we do not know are kept, for whoever reports
 * them; a key that comes twice is refused.
 *
 * Pure; the text may be anything.  Whoever creates a VM calls this.
 */
#ifndef VMM_CONFIG_VMX_H
#define VMM_CONFIG_VMX_H

#include "kernel/base/status.h"
#include "kernel/base/types.h"

#define VMX_ENTRIES_MAX     256u
#define VMX_MESSAGE_MAX     128u
#define VMX_SIZE_MAX        KB(64u)

struct vmx_key;

struct vmx_entry {
    const char *key;            /* as it is written in the file */
    const char *value;
    unsigned line;              /* from 1 */
    const struct vmx_key *known;    /* its row of the table, or NULL */
};

struct vmx {
    unsigned count;
    struct vmx_entry entry[VMX_ENTRIES_MAX];
    char message[VMX_MESSAGE_MAX];  /* of an error: "line 3: ..." */
};

/*
 * Read the SIZE bytes at TEXT, which are changed and must stay: entries point
 * into them.  There must be one byte more than SIZE.  ERR_SYNTAX, ERR_INVALID,
 * ERR_FULL: v->message says where and why, in one line.
 */
MUST_CHECK status_t vmx_parse(struct vmx *v, char *text, size_t size);

/* The value of KEY, or the default if the file does not have it, or NULL. */
const char *vmx_text(const struct vmx *v, const char *key);

/* The same, of keys that are numbers (or a choice: then 0) and booleans. */
uint32_t vmx_uint(const struct vmx *v, const char *key);
bool vmx_bool(const struct vmx *v, const char *key);

/* Which of its words a choice is, from 0; VMX_NO_WORD: a number. */
#define VMX_NO_WORD     UINT32_MAX
unsigned vmx_word(const struct vmx *v, const char *key);

/* Do A and B name the same key?  Case does not count. */
bool vmx_is_same_key(const char *a, const char *b);

/* A key that gets another value, or goes: VALUE is NULL. */
struct vmx_change {
    const char *key;
    const char *value;
};

/*
 * V as text that vmx_parse() reads, with CHANGE made to it (NULL: none), into
 * BUF of SIZE bytes, always ended by a NUL when SIZE > 0.  Returns the length
 * that the whole text has; >= SIZE means that it was cut.
 */
size_t vmx_format(const struct vmx *v, const struct vmx_change *change,
                  char *buf, size_t size);

#endif

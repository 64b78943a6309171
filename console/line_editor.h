/*
 * line_editor.h - a line of text, made by a person.
 *
 * The owner feeds it keys (terminal.h) and gets a line back.  What is drawn
 * where is line_view.h's business, so other text may be printed in between:
 * line_editor_hide, print whole lines, line_editor_show.
 *
 * Lines are printable ASCII, at most LINE_MAX characters; whatever else
 * is typed or pasted is dropped.  Keys:
 *
 *      Left Right Ctrl-B Ctrl-F        by a character; with Ctrl by a word
 *      Home End Ctrl-A Ctrl-E          to the line's ends
 *      Up Down Ctrl-P Ctrl-N           earlier and later lines; Ctrl-R search
 *      Backspace Delete Ctrl-H Ctrl-D  delete a character
 *      Ctrl-W Alt-D Ctrl-K Ctrl-U      delete a word, to the end, to the start
 *      Ctrl-Y                          bring back what those four deleted
 *      Ctrl-T                          exchange two characters
 *      Tab                             complete; list if there are several
 *      Ctrl-L                          clear the screen
 *      Ctrl-C                          give the line up
 */
#ifndef CONSOLE_LINE_EDITOR_H
#define CONSOLE_LINE_EDITOR_H

#include "console/completion.h"
#include "console/history.h"
#include "console/line_buffer.h"
#include "console/line_view.h"

#define LINE_SEARCH_MAX     32u
#define LINE_PROMPT_MAX     (LINE_SEARCH_MAX + 16u)

enum line_result {
    LINE_EDITING,
    LINE_DONE,                  /* it is line_editor_text() */
    LINE_ABORTED                /* Ctrl-C: forget it */
};

/* How the text SIZE bytes long at TEXT, up to the cursor, could go on. */
typedef void (*line_complete_t)(void *arg, const char *text, size_t size,
                                struct completion *completion);

/* What the owner brings along; all of it must outlive the editor. */
struct line_editor_setup {
    struct terminal *terminal;
    struct history *history;
    line_write_t write;
    line_complete_t complete;
    void *arg;                  /* for the two */
};

struct line_editor {
    struct line_editor_setup setup;
    struct line_view view;
    struct line_buffer buffer;
    const char *prompt;
    bool shown;                 /* between begin and the end, unless hidden */

    unsigned back;              /* the line of the history shown; 0: none */
    char newest[LINE_MAX + 1];  /* the own line while back > 0 */

    bool searching;
    unsigned found;             /* where in the history; 0: nowhere */
    char pattern[LINE_SEARCH_MAX + 1];
    char search_prompt[LINE_PROMPT_MAX];

    struct completion completion;       /* too large for a stack */
};

void line_editor_init(struct line_editor *e,
                      const struct line_editor_setup *setup);

/* Begin an empty line behind PROMPT. */
void line_editor_begin(struct line_editor *e, const char *prompt);

/* A key was pressed.  A line that is done goes into the history. */
enum line_result line_editor_key(struct line_editor *e, int key);

const char *line_editor_text(const struct line_editor *e);

/*
 * Make room in the row for other output, and come back.  hide returns whether
 * there was anything to hide, and so to show again.
 */
bool line_editor_hide(struct line_editor *e);
void line_editor_show(struct line_editor *e);

#endif

#define _GNU_SOURCE
#include "csagamore_workflow_hooks.h"

#include <pthread.h>
#include <stddef.h>

#define SWIFT_CC __attribute__((swiftcall))

typedef SWIFT_CC void (*enqueue_function)(void *job);

// Of the concurrency runtime. The hooks beside it, for delays and for the main actor, are not called by every version.
extern SWIFT_CC void (*swift_task_enqueueGlobal_hook)(void *job, enqueue_function original);

static _Thread_local void *current_owner;
static _Thread_local bool has_escaped;
static SWIFT_CC void (*next_hook)(void *job, enqueue_function original);

static SWIFT_CC void on_enqueue_global(void *job, enqueue_function original) {
    if (current_owner != NULL) has_escaped = true;
    if (next_hook != NULL) {
        next_hook(job, original);
    } else {
        original(job);
    }
}

static void install(void) {
    next_hook = swift_task_enqueueGlobal_hook;
    swift_task_enqueueGlobal_hook = on_enqueue_global;
}

void csagamore_workflow_hooks_install(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, install);
}

void *csagamore_workflow_enter(void *owner) {
    void *before = current_owner;
    current_owner = owner;
    return before;
}

void *csagamore_workflow_current(void) { return current_owner; }

bool csagamore_workflow_take_escape(void) {
    bool escaped = has_escaped;
    has_escaped = false;
    return escaped;
}

/// Whose workflow code a thread runs, and whether that code made a task which leaves the workflow's executor.
///
/// The concurrency runtime calls a hook when a job goes to the global pool. Workflow code must not cause that: the
/// order in which such a job runs is not in the history.
#ifndef CSAGAMORE_WORKFLOW_HOOKS_H
#define CSAGAMORE_WORKFLOW_HOOKS_H

#include <stdbool.h>

/// Installs the hook, once in a process. A hook that others have installed before is called afterwards.
void csagamore_workflow_hooks_install(void);

/// Says that this thread runs workflow code of `owner` from now on, or none with NULL. Returns the owner before.
void *csagamore_workflow_enter(void *owner);

/// The owner whose workflow code this thread runs, or NULL.
void *csagamore_workflow_current(void);

/// Whether workflow code on this thread has sent a job to the global pool since the last call.
bool csagamore_workflow_take_escape(void);

#endif

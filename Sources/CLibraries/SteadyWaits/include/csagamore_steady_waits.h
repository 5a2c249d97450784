/// Nothing to call: the target takes the place of a function of the C library in the whole process, see its source.
#ifndef CSAGAMORE_STEADY_WAITS_H
#define CSAGAMORE_STEADY_WAITS_H
#endif

#ifndef CSAGAMORE_DEFLATE_SHIM_H
#define CSAGAMORE_DEFLATE_SHIM_H

#if !__has_include(<libdeflate.h>)
#error "libdeflate is missing: install libdeflate-dev (Debian, Ubuntu), libdeflate-devel (Fedora), libdeflate (brew)"
#endif

#include <libdeflate.h>

#endif

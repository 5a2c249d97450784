#ifndef CSAGAMORE_DEFLATE_SHIM_H
#define CSAGAMORE_DEFLATE_SHIM_H

#if !__has_include(<libdeflate.h>)
#error "libdeflate is missing: apt-get install libdeflate-dev (Debian, Ubuntu), dnf install libdeflate-devel, brew install libdeflate"
#endif

#include <libdeflate.h>

#endif

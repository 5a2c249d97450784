#ifndef CSAGAMORE_RDKAFKA_SHIM_H
#define CSAGAMORE_RDKAFKA_SHIM_H

#if !__has_include(<librdkafka/rdkafka.h>) || !__has_include(<librdkafka/rdkafka_mock.h>)
#error "librdkafka is missing: install librdkafka-dev (Debian, Ubuntu), librdkafka-devel (Fedora), librdkafka (brew)"
#endif

#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>

#if RD_KAFKA_VERSION < 0x020000ff
#error "librdkafka is too old: 2.0.0 or later is needed."
#endif

#endif

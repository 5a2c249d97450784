#ifndef CSAGAMORE_YAML_SHIM_H
#define CSAGAMORE_YAML_SHIM_H

#if !__has_include(<yaml.h>)
#error "libyaml is missing: install libyaml-dev (Debian, Ubuntu), libyaml-devel (Fedora), libyaml (brew)"
#endif

#include <yaml.h>

#endif

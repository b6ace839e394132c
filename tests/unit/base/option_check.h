/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Does a program's table hold together? No name is there twice, types fit their fields, presets
 * lie within their bounds, help fits a screen, -h and -V are answered, and what is past a bound
 * is refused. Within a CUnit test; what fails is named on stdout.
 */
#ifndef WM_OPTION_CHECK_H
#define WM_OPTION_CHECK_H

#include "option.h"

void option_check(const struct wm_option_schema *schema);

#endif

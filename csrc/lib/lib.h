/*
 * The whole lower storey, for the module alone: every room of csrc/lib. A file
 * of a room includes that room's header instead.
 */
#ifndef FASTBEARER_LIB_H
#define FASTBEARER_LIB_H

#include "base/base.h"
#include "better_auth/session.h"
#include "crypto/crypto.h"
#include "http/http.h"
#include "jose/jose.h"
#include "json/json.h"
#include "password/password.h"

#endif

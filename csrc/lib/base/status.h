/*
 * Every way in which something can be refused: one table, from which the
 * statuses of the lower storey and the exceptions of the upper one are made. A
 * name, in lower case, is the exception's `reason`: a promise to programs, as
 * the message is not.
 */
#ifndef FASTBEARER_STATUS_H
#define FASTBEARER_STATUS_H

/* X(name, exception class, claim or NULL, message). */
#define STATUS_TABLE(X)                                                       \
    X(OK, NULL, NULL, NULL)                                                   \
    X(NO_MEMORY, NULL, NULL, NULL)                                            \
    X(CRYPTO_FAILED, "FastbearerError", NULL, "libcrypto reported an error")  \
    /* tokens: shape */                                                       \
    X(TOKEN_TOO_LONG, "MalformedTokenError", NULL,                            \
      "the token is longer than max_bytes")                                   \
    X(TOKEN_NOT_COMPACT, "MalformedTokenError", NULL,                         \
      "not a compact JWS: exactly three segments are needed")                 \
    X(TOKEN_ENCRYPTED, "MalformedTokenError", NULL,                           \
      "five segments: an encrypted token (JWE), not a signed one")            \
    X(TOKEN_BASE64, "MalformedTokenError", NULL,                              \
      "a segment is not strict base64url without padding")                    \
    /* tokens: JSON of header and payload */                                  \
    X(JSON_SYNTAX, "MalformedTokenError", NULL, "not strict JSON")            \
    X(JSON_UTF8, "MalformedTokenError", NULL, "JSON that is not UTF-8")       \
    X(JSON_SURROGATE, "MalformedTokenError", NULL,                            \
      "JSON with a lone surrogate")                                           \
    X(JSON_DUPLICATE, "MalformedTokenError", NULL,                            \
      "a JSON object has a name twice")                                       \
    X(JSON_DEPTH, "MalformedTokenError", NULL, "JSON of more than 32 levels") \
    X(JSON_NUMBER, "MalformedTokenError", NULL,                               \
      "a JSON number has too many digits or is out of range")                 \
    X(JSON_NOT_OBJECT, "MalformedTokenError", NULL,                           \
      "header and payload must be JSON objects")                              \
    /* tokens: header */                                                      \
    X(HEADER_MEMBERS, "MalformedTokenError", NULL,                            \
      "the header has more than 64 members")                                  \
    X(HEADER_TYPE, "MalformedTokenError", NULL,                               \
      "kid or typ in the header is not a string")                             \
    X(HEADER_CRIT, "MalformedTokenError", NULL,                               \
      "the header has a critical extension, and none is implemented")         \
    X(HEADER_B64, "MalformedTokenError", NULL,                                \
      "an unencoded payload (b64) is not accepted")                           \
    X(HEADER_ZIP, "MalformedTokenError", NULL,                                \
      "a compressed payload (zip) is not accepted")                           \
    X(ALG_NOT_KEYS, "InvalidAlgorithmError", NULL,                            \
      "the header's alg is not the algorithm of the key")                     \
    X(ALG_NOT_ALLOWED, "InvalidAlgorithmError", NULL,                         \
      "the header's alg is not one of the verifier's algorithms")             \
    X(KID_UNKNOWN, "UnknownKeyError", NULL,                                   \
      "the header's kid names no key of this verifier")                       \
    X(KID_NEEDED, "UnknownKeyError", NULL,                                    \
      "the header names no single key, and no more keys are tried for it")    \
    X(SIGNATURE_WRONG, "InvalidSignatureError", NULL,                         \
      "the signature does not match")                                         \
    /* tokens: claims */                                                      \
    X(CLAIM_MISSING, "MissingClaimError", NULL,                               \
      "a required claim is missing")                                          \
    X(TYP_WRONG, "InvalidClaimError", "typ",                                  \
      "the header's typ is not the expected one")                             \
    X(EXP_INVALID, "InvalidClaimError", "exp",                                \
      "exp is not a number of seconds up to 2^53")                            \
    X(NBF_INVALID, "InvalidClaimError", "nbf",                                \
      "nbf is not a number of seconds up to 2^53")                            \
    X(IAT_INVALID, "InvalidClaimError", "iat",                                \
      "iat is not a number of seconds up to 2^53")                            \
    X(EXP_PASSED, "ExpiredTokenError", "exp", "the token has expired")        \
    X(AGE_PASSED, "ExpiredTokenError", "iat",                                 \
      "the token is older than max_age")                                      \
    X(NBF_AHEAD, "ImmatureTokenError", "nbf", "the token is not valid yet")   \
    X(ISS_WRONG, "InvalidIssuerError", "iss",                                 \
      "iss is not an accepted issuer")                                        \
    X(AUD_SHAPE, "InvalidAudienceError", "aud",                               \
      "aud is neither a string nor a list of strings")                        \
    X(AUD_WRONG, "InvalidAudienceError", "aud",                               \
      "aud does not name this audience")                                      \
    X(AUD_UNEXPECTED, "InvalidAudienceError", "aud",                          \
      "the token has an aud, and the verifier has no audience")               \
    /* sessions of Better Auth */                                             \
    X(SESSION_TOKEN, "MalformedTokenError", NULL,                             \
      "not a signed session token: 32 letters and digits, a dot and 44 "      \
      "characters of base64")                                                 \
    X(SESSION_DATA, "MalformedTokenError", NULL,                              \
      "not session data in the form that Better Auth writes")                 \
    X(SESSION_KEY, "UnknownKeyError", NULL,                                   \
      "the session data is sealed with another secret, or otherwise")         \
    /* keys */                                                                \
    X(KEY_ALGORITHM, "InvalidKeyError", NULL,                                 \
      "the algorithm is unknown, or none for this kind of key")               \
    X(KEY_EMPTY, "InvalidKeyError", NULL, "the secret is empty or blank")     \
    X(KEY_SHORT, "InvalidKeyError", NULL,                                     \
      "the secret is shorter than the hash (RFC 7518 3.2): HS256 needs 32 "   \
      "bytes, HS384 48, HS512 64")                                            \
    X(KEY_UNICODE, "InvalidKeyError", NULL,                                   \
      "the secret holds a lone surrogate")                                    \
    X(KEY_KID, "InvalidKeyError", NULL,                                       \
      "the key's kid holds a lone surrogate")                                 \
    X(KEY_UNREADABLE, "InvalidKeyError", NULL,                                \
      "no key or certificate of a supported kind could be read")              \
    X(KEY_NO_PEM, "InvalidKeyError", NULL,                                    \
      "the text has no PEM block, -----BEGIN to -----END; for a JWK there "   \
      "is Key.from_jwk, for DER Key.from_der, for a secret Key.from_secret")  \
    X(KEY_COSTLY, "InvalidKeyError", NULL,                                    \
      "the key is longer, or costs more to open, than is allowed")            \
    X(KEY_PASSWORD, "InvalidKeyError", NULL,                                  \
      "the private key is encrypted, and the password is missing or wrong")   \
    X(KEY_UNSUITED, "InvalidKeyError", NULL,                                  \
      "the algorithm does not suit the kind of key")                          \
    X(KEY_CURVE, "InvalidKeyError", NULL,                                     \
      "the curve is not a named one that is supported")                       \
    X(KEY_POINT, "InvalidKeyError", NULL,                                     \
      "the public key is no point of its curve, or one of small order")       \
    X(KEY_RSA_SIZE, "InvalidKeyError", NULL,                                  \
      "an RSA key must have 2048 to 16384 bits (RFC 7518 3.3)")               \
    X(KEY_RSA_EXPONENT, "InvalidKeyError", NULL,                              \
      "the public exponent of an RSA key must be odd, at least 3, and have "  \
      "at most 64 bits, or 33 beside a modulus of more than 4096")            \
    X(KEY_RSA_ROCA, "InvalidKeyError", NULL,                                  \
      "the RSA modulus has the ROCA fingerprint (CVE-2017-15361)")            \
    X(KEY_PAIR, "InvalidKeyError", NULL,                                      \
      "the private key does not match its public half")                       \
    X(KEY_NOT_PRIVATE, "InvalidKeyError", NULL,                               \
      "a public key cannot sign and has no private form")                     \
    X(KEY_NO_PUBLIC, "InvalidKeyError", NULL,                                 \
      "a shared secret has no public half")                                   \
    X(KEY_USE, "InvalidKeyError", NULL,                                       \
      "use or key_ops of the JWK do not allow this operation")                \
    X(JWK_JSON, "InvalidKeyError", NULL,                                      \
      "a JWK must be a mapping, or strict JSON of an object; a PEM text is "  \
      "read with Key.from_pem")                                               \
    X(JWK_KTY, "InvalidKeyError", NULL,                                       \
      "the JWK's kty is not oct, RSA, EC or OKP; a JWK Set is read with "     \
      "KeySet.from_jwks")                                                     \
    X(JWK_ALG, "InvalidKeyError", NULL,                                       \
      "the JWK's alg is not a signature algorithm, or not the one asked for") \
    X(JWK_MEMBER, "InvalidKeyError", NULL,                                    \
      "a member of the JWK is missing, has the wrong type or length, or is "  \
      "not strict base64url")                                                 \
    X(KEY_IS_PEM, "InvalidKeyError", NULL,                                    \
      "a PEM key or certificate must not be an HMAC secret: read it with "    \
      "Key.from_pem")                                                         \
    X(KEY_IS_SSH, "InvalidKeyError", NULL,                                    \
      "an SSH key must not be an HMAC secret: ssh-keygen -e -m PKCS8 makes "  \
      "a PEM text of it, for Key.from_pem")                                   \
    X(KEY_IS_JWK, "InvalidKeyError", NULL,                                    \
      "a JWK or JWK Set must not be an HMAC secret: read it with "            \
      "Key.from_jwk or KeySet.from_jwks")                                     \
    X(KEY_IS_DER, "InvalidKeyError", NULL,                                    \
      "a DER key or certificate must not be an HMAC secret: read it with "    \
      "Key.from_der")                                                         \
    /* passwords */                                                           \
    X(HASH_UNKNOWN, "InvalidHashError", NULL,                                 \
      "not a hash of a supported format")                                     \
    X(HASH_MALFORMED, "InvalidHashError", NULL, "a malformed password hash")  \
    X(HASH_COSTLY, "InvalidHashError", NULL,                                  \
      "the hash asks for more memory or time than is allowed")                \
    X(HASH_WEAK, "InvalidHashError", NULL,                                    \
      "the hash is of a weak format, and weak hashes are not taken: "         \
      "weak_hashes=True, or PASSWORD_WEAK_HASHES=1, does")                    \
    X(HASH_OLD, "InvalidHashError", NULL,                                     \
      "no new hashes are made in this format")                                \
    X(PASSWORD_LONG, "PasswordTooLongError", NULL,                            \
      "the password has more bytes than the scheme can hash")                 \
    X(PASSWORD_NUL, "PasswordError", NULL,                                    \
      "bcrypt cannot hash a password with a NUL")                             \
    X(PASSWORD_UNICODE, "PasswordError", NULL,                                \
      "the password holds a lone surrogate")

#define X(name, class, claim, message) STATUS_##name,
typedef enum { STATUS_TABLE(X) STATUS_COUNT } status;
#undef X

/* Stands before every function that returns a status: whoever calls it must
 * look at what it returns. */
#ifdef __GNUC__
#define CHECKED __attribute__((warn_unused_result))
#else
#define CHECKED
#endif

#endif

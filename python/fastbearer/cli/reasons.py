"""The reasons that the documentation site has a heading for."""

__all__ = ["REASONS"]

REASONS = frozenset(
    """
    age_passed alg_not_allowed alg_not_keys api_key_configuration api_key_disabled
    api_key_expired api_key_limited api_key_owner api_key_unknown api_key_unreadable
    api_key_used_up aud_shape aud_unexpected aud_wrong claim_missing crypto_failed
    dpop_without_cnf exp_invalid exp_passed foreign_user hash_costly hash_malformed
    hash_old hash_unknown hash_weak header_b64 header_crit header_members
    header_type header_zip iat_invalid iss_wrong json_depth json_duplicate
    json_not_object json_number json_surrogate json_syntax json_utf8 jwk_alg
    jwk_json jwk_kty jwk_member key_algorithm key_costly key_curve key_empty
    key_is_der key_is_jwk key_is_pem key_is_ssh key_kid key_no_pem key_no_public
    key_not_private key_pair key_password key_point key_private key_rsa_exponent
    key_rsa_roca key_rsa_size key_short key_unicode key_unreadable key_unsuited
    key_use kid_needed kid_unknown link_of_a_message nbf_ahead nbf_invalid no_proof
    no_user nonce_missing nonce_unknown not_access_token origin_missing
    origin_untrusted other_binding other_key other_user password_long password_nul
    password_unicode proof_alg proof_ath proof_claim proof_htm proof_htu proof_iat
    proof_jti proof_key proof_missing proof_replayed proof_too_long role_missing
    scheme_missing scheme_other scope_missing session_data session_ended session_key
    session_token signature_wrong token_base64 token_characters token_empty
    token_encrypted token_inactive token_not_compact token_too_long two_cookies
    two_headers two_origins two_proofs two_subprotocols typ_wrong unbound
    user_not_text value_wrong
    """.split()
)
"""What `error.reason` and lines of the log may say; the page of codes has them all."""

"""Threads that share a verifier: each must get the answers that one alone gets.

It needs the core alone: it also runs in a Python without the GIL, which has no pytest.
"""

from __future__ import annotations

import threading

from fastbearer import Key, KeySet, Signer, TokenError, Verifier


def wrong_answers(steps: int = 300) -> list[object]:
    """Let eight threads verify and sign; return what was not as it should be."""
    keys = [Key.generate(name, kid=name) for name in ("HS256", "ES256", "EdDSA")]
    verifier = Verifier(KeySet(keys), require=(), cache=8)
    claims = [{"n": n, "text": "é" * n} for n in range(60)]
    tokens = [Signer(keys[n % 3]).sign(one) for n, one in enumerate(claims)]
    forged = [text[:-10] + "A" * 10 for text in tokens]
    wrong: list[object] = []

    def work(start: int) -> None:
        for step in range(steps):
            n = (start * 7 + step) % 60
            if verifier.verify(tokens[n]) != claims[n]:
                wrong.append(n)
            if Signer(keys[0]).sign(claims[n]).count(".") != 2:
                wrong.append(n)
            try:
                wrong.append(verifier.verify(forged[n]))
            except TokenError:
                continue

    threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return wrong

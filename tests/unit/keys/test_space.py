from __future__ import annotations

import pytest

from chat_core.keys import batch_key, lease_key
from chat_core.keys.space import KeySpace
from chat_core.settings import ChatSettings, SettingsError

URL = "https://api.openai.com/v1"
BODY = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
EMBEDDING = {"model": "m", "input": ["a"], "dimensions": 8, "encoding_format": "float", "user": "someone"}


def test_users_have_keys_of_their_own_unless_all_share() -> None:
    own, shared = KeySpace(URL), KeySpace(URL, shared=True)
    for users in (own, shared):
        keys = {
            (
                users.response_key("chat/completions", BODY, user=user),
                users.embedding_key("a", EMBEDDING, user=user),
            )
            for user in ("naomi", "kenji")
        }
        assert len(keys) == (1 if users.shared else 2)
    assert own.embedding_key("a", EMBEDDING, user="naomi") != shared.embedding_key("a", EMBEDDING, user="naomi")


def test_an_epoch_puts_every_entry_out_of_reach() -> None:
    first, second = KeySpace(URL, 1), KeySpace(URL, 2)
    assert first.response_key("responses", BODY, user="n") != second.response_key("responses", BODY, user="n")
    assert first.embedding_key("a", EMBEDDING, user="n") != second.embedding_key("a", EMBEDDING, user="n")


def test_one_vector_serves_every_encoding_and_batch() -> None:
    keys = KeySpace(URL)
    other = {**EMBEDDING, "encoding_format": "base64", "input": ["b", "a"], "user": "else"}
    assert keys.embedding_key("a", EMBEDDING, user="n") == keys.embedding_key("a", other, user="n")


def test_a_batch_has_a_lease_of_its_own() -> None:
    keys = [f"emb:1:0123456789ab:{digit * 64}" for digit in "ab"]
    leases = {lease_key(batch_key(some)) for some in (keys, keys[::-1], keys[:1])} | {lease_key(keys[0])}
    assert len(leases) == 4
    assert all(lease.startswith("lease:1:0123456789ab:") for lease in leases)


@pytest.mark.parametrize(("text", "scope"), [("", "user"), ("user", "user"), (" Global ", "global")])
def test_the_scope_is_a_setting(text: str, scope: str) -> None:
    assert ChatSettings.from_env({"HISTORY_TABLE": "t", "CACHE_SCOPE": text}).cache_scope == scope


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CACHE_SCOPE", "everyone"),
        ("CACHE_TIMEOUT_MS", "0"),
        ("CACHE_TTL_SECONDS", "86401"),
        ("DEFAULT_MEMORY", '{"policy"'),
        ("DEFAULT_MEMORY", '{"policy": "none"}'),
        ("DEFAULT_MEMORY", '{"policy": "message_window", "max_messages": 0}'),
    ],
)
def test_a_setting_that_is_none_is_named(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        ChatSettings.from_env({"HISTORY_TABLE": "t", name: value})

"""The line stands between what the context leaves out and what it has; looking for it changes nothing."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from boto3.dynamodb.conditions import Key

if TYPE_CHECKING:
    from local.embedded_aws import EmbeddedAws
    from local.model.server import StandInModel
    from tests.browser.conftest import Show
    from tests.browser.shown import Shown

LIMITS = {
    "message_window": ("max_messages", (1, 4, 9, 20, 60)),
    "turn_window": ("max_turns", (1, 3, 6, 11, 30)),
    "token_window": ("max_tokens", (50, 100, 150, 250, 4000)),
    "summary_window": ("trigger_tokens", (200, 300, 1000, 4000, 8000)),
}


@pytest.fixture
def shown(show: Show) -> Shown:
    shown = show()
    shown.demonstrate()
    return shown


@pytest.mark.parametrize("policy", LIMITS)
def test_the_line_is_where_the_context_has_it(shown: Shown, policy: str) -> None:
    field, values = LIMITS[policy]
    lines = set()
    for value in values:
        shown.choose(policy, value)
        shown.page.wait_for_function(
            "value => document.querySelector('.slider output').value === value", arg=f"{value:,}"
        )
        unset = "&trigger_messages=null&keep=null&max_tokens=null" if policy == "summary_window" else ""
        context = shown.context(f"?policy={policy}&{field}={value}{unset}")
        out = {left["item_id"] for left in context["left_out"]}
        seen = shown.in_view()
        assert [item for item, visible in seen.items() if not visible] == [item for item in seen if item in out]
        assert between(shown) == (context["evicted"], context["retained"])
        assert str(context["tokens"]["total"]) in shown.page.locator(".big").first.inner_text().replace(",", "")
        lines.add(context["evicted"])
    assert len(lines) > 1 or policy == "summary_window"


def between(shown: Shown) -> tuple[int, int]:
    """Count the messages above and below the line; without one, all are below."""
    kinds = shown.page.eval_on_selector_all(
        ".log > .message, .log > .line", "nodes => nodes.map(node => node.className === 'line')"
    )
    above = kinds.index(True) if True in kinds else 0
    return above, len(kinds) - above - (True in kinds)


def test_looking_leaves_no_trace(shown: Shown, aws: EmbeddedAws, model: StandInModel) -> None:
    before = rows(aws), shown.items(), shown.api("GET", f"/v1/conversations/{shown.conversation}")
    own = f"{shown.user}/{shown.conversation}"
    kept = rows(aws, own)
    assert kept
    held = held_by_momento(shown)
    calls = model.calls.total()
    for policy, (_, values) in LIMITS.items():
        for value in values:
            shown.choose(policy, value)
            assert rows(aws, own) == kept, (policy, value)
    for tab in ("turn", "memory", "momento", "json", "context"):
        shown.tab(tab)
    with shown.page.expect_response("**/v1/responses"):  # the dry run of what is being written
        shown.page.fill("#draft", "What is my name?")
    shown.settled()
    assert "with your message" in shown.page.locator(".panel h2").first.inner_text()
    assert shown.page.locator(".part-input").count() > 0
    assert (rows(aws), shown.items(), shown.api("GET", f"/v1/conversations/{shown.conversation}")) == before
    assert held_by_momento(shown) == held
    assert model.calls.total() == calls


@cache
def table_at(url: str) -> Any:
    """Find the table; making a client takes longer than many reads."""
    resource: Any = boto3.resource(
        "dynamodb",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="fake",
        aws_secret_access_key="fake",
    )
    [table] = resource.tables.all()
    return table


def rows(aws: EmbeddedAws, partition: str = "") -> list[Any]:
    """Read the whole table, or one conversation's rows: head, items and all."""
    table = table_at(aws.url)
    return list((table.query(KeyConditionExpression=Key("pk").eq(partition)) if partition else table.scan())["Items"])


def held_by_momento(shown: Shown) -> list[Any]:
    held = shown.api("GET", f"/_local/momento/{shown.conversation}")
    return [held["list"]["elements"], held["memory"]["bytes"]]


def test_a_click_on_the_history_goes_to_its_message(shown: Shown) -> None:
    item = next(iter(shown.in_view()))
    shown.page.locator(".strip rect").first.click()
    assert shown.page.evaluate("document.activeElement.dataset.itemId") == item


def test_policies_stand_side_by_side_with_the_apis_numbers(shown: Shown) -> None:
    told = shown.texts(".bars tbody tr")
    views = {policy: shown.context(f"?policy={policy}{limit}") for policy, limit in USUAL.items()}
    assert len(told) == 1 + len(views)
    for row, view in zip(told, views.values(), strict=False):
        assert row.split()[-2:] == [
            str(view["tokens"]["total"]),
            f"{view['retained']}/{view['retained'] + view['evicted']}",
        ]


USUAL = {
    "buffer": "",
    "message_window": "&max_messages=20",
    "turn_window": "&max_turns=6",
    "token_window": "&max_tokens=500",
}

"""Turns, folds, redeliveries, kills in mid-fold, erasures and wipes in any order: the same views, and nothing risen."""

from __future__ import annotations

import asyncio
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule

from chat_core.cache.policy import Directives
from chat_core.errors import ChatError, NotFound
from chat_core.turns.request import TurnRequest
from tests.fakes.virtual_time import VirtualLoop, run_together
from tests.fault.noting_model import NotingModel, words_in
from tests.fault.parts import Dead, Process, World
from tests.fault.remembering import HERE, Remembering, apart
from tests.nightly import NIGHTLY

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping

    from chat_core.history import Head, StoredItem
    from chat_core.long_term import Memory

SETTINGS: Mapping[str, Any] = {
    "policy": "summary_window",
    "trigger_messages": 6,
    "keep": 3,
    "entities": True,
    "recall": True,
}
DAY = 86_400.0

actions = st.sampled_from(["die before", "die after", "refuse", "lose answer", "yield"])
plans = st.dictionaries(st.integers(1, 12), actions, max_size=2)
refusals = st.sampled_from(["", " ", "I'm sorry, but I can't.", "これは日本語です。"])


class Machine(Remembering):
    """Each rule is one thing that users, the stream or fate do; the checks follow each."""

    @initialize()
    def start(self) -> None:
        self.loop = VirtualLoop()
        self.world = World(self.loop)
        self.model = NotingModel()
        self.world.model = self.model
        self.step = 0
        self.gone: set[str] = set()
        self.values: list[bytes] = []
        self.state: tuple[str, int, int] = ("", 0, 0)
        self.turns(4)

    def teardown(self) -> None:
        if hasattr(self, "loop"):
            self.loop.close()

    @rule(count=st.integers(1, 5))
    def some_turns(self, count: int) -> None:
        self.turns(count)

    @rule()
    def turns_behind_a_fold(self) -> None:
        self.turns(3)
        self.fold(1)
        self.turns(2)

    def turns(self, count: int) -> None:
        """What the model gets is what the rows alone say, whatever the cache has."""
        for _ in range(count):
            self.world.skew += 40.0
            text = self._text()
            expected = self._run(self._send(text, {"dry_run": True}))[0]
            self._run(self._send(text))
            if expected:
                assert self.model.seen[-1] == [str(item["content"]) for item in expected.answer["input"]]

    @rule(plan=plans)
    def turn_in_trouble(self, plan: dict[int, Any]) -> None:
        self._run(self._send(self._text(), plan=plan))
        self.world.skew += 40.0

    @rule(times=st.integers(1, 3))
    def fold(self, times: int) -> None:
        """Delivered once or more, one after the other: then nothing is due that could be done."""
        for _ in range(times):
            self._run(self._process().worker.work(HERE, self._process().deadline(60)))

    @rule(trouble=st.lists(plans, min_size=2, max_size=2))
    def folds_at_once(self, trouble: list[dict[int, Any]]) -> None:
        folding = [self._process(plan) for plan in trouble]
        self._run(*(_whatever(one.worker.work(HERE, one.deadline(60))) for one in folding))

    @rule(plan=plans, wait=st.integers(0, 3))
    def fold_beside_turns(self, plan: dict[int, Any], wait: int) -> None:
        self.world.skew += 40.0
        process = self._process(plan)

        async def later() -> Any:
            await asyncio.sleep(0.1 * wait)
            return await self._send(self._text())

        self._run(_whatever(process.worker.work(HERE, process.deadline(60))), later())

    @rule(texts=st.lists(refusals, min_size=1, max_size=4))
    def fold_is_refused(self, texts: list[str]) -> None:
        before = self._memory()
        self.model.refusing = list(texts)
        self._run(self._process().worker.work(HERE, self._process().deadline(60)))
        self.model.refusing = []
        after = self._memory()
        if before and after and after.folds == before.folds:
            assert after.summary == before.summary

    @rule(data=st.data())
    def delete_item(self, data: st.DataObject) -> None:
        items = self._items()
        if not items:
            return
        self.world.skew += 40.0
        doomed = data.draw(st.sampled_from(items))
        self._run(self._process().erasure.item(HERE, str(doomed.item["id"])))
        self.gone.add(_said(doomed))
        self.values.clear()
        self.state = ("", 0, 0)

    @rule(data=st.data(), plan=plans)
    def delete_item_during_a_fold(self, data: st.DataObject, plan: dict[int, Any]) -> None:
        items = self._items()
        if not items:
            return
        self.world.skew += 40.0
        doomed = data.draw(st.sampled_from(items))
        folding = self._process(plan)

        async def delete() -> Any:
            await asyncio.sleep(0.1)
            return await self._process().erasure.item(HERE, str(doomed.item["id"]))

        self._run(_whatever(folding.worker.work(HERE, folding.deadline(60))), delete())
        self.gone.add(_said(doomed))
        self.values.clear()
        self.state = ("", 0, 0)

    @rule(plan=plans)
    def erase(self, plan: dict[int, Any]) -> None:
        told = {_said(stored) for stored in self._items()}
        self._run(_whatever(self._process(plan).erasure.conversation(HERE)))
        self._run(_whatever(self._process().erasure.conversation(HERE)))
        self.gone |= told
        self.values.clear()
        self.state = ("", 0, 0)

    @rule(rebuild=st.booleans())
    def forget(self, rebuild: bool) -> None:
        if self._head() is None:
            return
        remembered = self._process().remembered
        self._run(remembered.rebuild(HERE) if rebuild else remembered.forget(HERE))
        self.state = ("", 0, 0)
        memory = self._memory()
        assert memory is not None
        assert memory.summary.text == ""
        self.values.clear()

    @rule(what=st.sampled_from(["all", "value", "old value"]), data=st.data())
    def momento_loses(self, what: str, data: st.DataObject) -> None:
        values = self.world.memory._values
        if what == "all":
            self.world.memory.wipe()
        elif what == "value":
            values.delete(HERE.session_id)
        elif self.values:
            values.set(HERE.session_id, data.draw(st.sampled_from(self.values)), DAY)

    @rule(seconds=st.sampled_from([2.0, 40.0, 4_000.0]))
    def time_passes(self, seconds: float) -> None:
        self.world.skew += seconds

    # What must hold

    @invariant()
    def every_item_is_somewhere(self) -> None:
        """Each is in the view or told as left out and why; the notes tell of no other than those that they cover."""
        head = self._head() if hasattr(self, "loop") else None
        if head is None:
            return
        [context] = self._run(self._process().conversations.contexts(HERE, [None], model="m"))[0]
        items = {str(stored.item["id"]): stored for stored in self._items()}
        left = {one["item_id"]: one["reason"] for one in context["left_out"] if "item_id" in one}
        memory = self._memory()
        covers = memory.summary.covers_up_to if memory else 0
        whole = "".join(str(item["content"]) for item in context["input"][:1])
        whole = whole if whole.startswith("<memory_notes>") else ""
        known, notes = apart(whole)
        shown = {str(item["content"]) for item in context["input"]} - {whole}
        skipped = {seq for first, last in (memory.skipped if memory else ()) for seq in range(first, last + 1)}
        for name, stored in items.items():
            assert (_said(stored) in shown) != (name in left), _said(stored)
            if stored.seq > covers:
                assert left.get(name, "not_yet_summarised") in ("not_yet_summarised", "forgotten")
            elif stored.seq not in skipped and left[name] == "summarised":
                assert _said(stored) in notes
        told = {_said(stored): stored.seq for stored in items.values()}
        assert all(told[word] <= covers for word in words_in(notes))
        assert all(word in told for word in words_in(known))

    @invariant()
    def what_is_gone_is_nowhere(self) -> None:
        if hasattr(self, "loop") and self.gone:
            found = set(words_in(self._everything()))
            assert not found & self.gone, "risen"

    @invariant()
    def a_summary_never_goes_backwards(self) -> None:
        memory = self._memory() if hasattr(self, "loop") else None
        if memory is None:
            return
        state = (memory.incarnation, memory.folds, memory.covers_up_to)
        if self.state[0] == state[0]:
            assert state[1:] >= self.state[1:]
        self.state = state
        covered = [one.covers_up_to for one in memory.summaries]
        assert covered == sorted(set(covered))
        head = self._head()
        assert head is not None
        assert memory.folds == head.folds

    # Means

    def _process(self, plan: dict[int, Any] | None = None) -> Process:
        return Process(self.world, plan, settings=SETTINGS)

    def _text(self) -> str:
        self.step += 1
        return f"post{self.step}."

    async def _send(self, text: str, memory: Any = None, *, plan: dict[int, Any] | None = None) -> Any:
        process = self._process(plan)
        item = {"type": "message", "role": "user", "content": text}
        request = TurnRequest(
            address=HERE,
            body={"model": "m"},
            input=(item,),
            memory=memory,
            directives=Directives(),
            fingerprint=sha256(text.encode()).hexdigest(),
            keyed=None,
            retry_count=0,
        )
        try:
            completed = await process.turns.run(request, process.deadline())
        except (ChatError, Dead):
            return None
        value = await self.world.memory.read_memory(HERE, timeout=1)
        if value:
            self.values.append(value)
        return completed

    def _run(self, *work: Coroutine[Any, Any, Any]) -> list[Any]:
        return run_together(self.loop, *work)

    def _head(self) -> Head | None:
        try:
            return self._run(self.world.history.head(HERE))[0]  # type: ignore[no-any-return]
        except NotFound:
            return None

    def _memory(self) -> Memory | None:
        head = self._head()
        return None if head is None else self._run(self.world.long_term.read(head))[0]

    def _items(self) -> list[StoredItem]:
        head = self._head()
        return [] if head is None else list(self._run(self.world.history.items(head, 1, head.seq))[0])

    def _everything(self) -> str:
        """All that a store still holds, as one text; of the cache what is believed."""
        table = self.world.table
        parts = [repr(table.rows.get(HERE)), repr(table.memories.get(HERE))]
        parts += [repr(self.world.memory.history(HERE)), repr(table.users)]
        return "\n".join(parts)


async def _whatever(work: Coroutine[Any, Any, Any]) -> None:
    try:
        await work
    except (ChatError, Dead):
        return


def _said(stored: StoredItem) -> str:
    content = stored.item["content"]
    return str(content if isinstance(content, str) else content[0]["text"])


TestMachine = Machine.TestCase
TestMachine.settings = settings(
    max_examples=3_000 if NIGHTLY else 15,
    stateful_step_count=40 if NIGHTLY else 20,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    report_multiple_bugs=False,
)

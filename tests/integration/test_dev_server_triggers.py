"""The dev server starts functions by the stream of the table that it talks to, and by schedules."""

from __future__ import annotations

import json
import re
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from local.application import Application, Function
from local.embedded_aws import EmbeddedAws
from local.event_sources import Schedule
from local.invocation import Invocation
from local.services import Service
from local.triggers import Triggers
from tests.dev_server import running_server

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE = 60.0
TEMPLATE = """
Resources:
  Worker:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: worker
      Handler: worker.handler
      Timeout: 30
      Events:
        Due:
          Type: DynamoDB
          Properties:
            Stream: !GetAtt HistoryTable.StreamArn
            StartingPosition: TRIM_HORIZON
            BatchSize: 10
            MaximumRetryAttempts: 1
            FunctionResponseTypes: [ReportBatchItemFailures]
            FilterCriteria: {Filters: [{Pattern: '{"dynamodb": {"Keys": {"sk": {"S": ["due"]}}}}'}]}
        Missed: {Type: Schedule, Properties: {Schedule: rate(5 minutes)}}
  HistoryTable:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}, {AttributeName: sk, AttributeType: S}]
      KeySchema: [{AttributeName: pk, KeyType: HASH}, {AttributeName: sk, KeyType: RANGE}]
      StreamSpecification: {StreamViewType: KEYS_ONLY}
"""
WORKER = """
import json, os, pathlib
SEEN = pathlib.Path(os.environ["SEEN"])

def handler(event, context):
    names = [record["dynamodb"]["Keys"]["pk"]["S"] for record in event["Records"]]
    with SEEN.open("a") as seen:
        seen.write(json.dumps(names) + "\\n")
    if "raise" in names:
        raise ValueError("on purpose")
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("triggers")
    (folder / "worker").mkdir()
    (folder / "worker" / "worker.py").write_text(WORKER, "utf-8")
    (folder / "template.yaml").write_text(TEMPLATE, "utf-8")
    return folder


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.02)


def put(endpoint: str, table: str, *names: str) -> None:
    own = {"region_name": "us-east-1", "aws_access_key_id": "fake-offline-id", "aws_secret_access_key": "fake-secret"}
    with closing(boto3.client("dynamodb", endpoint_url=endpoint, **own)) as client:
        for name in names:
            client.put_item(TableName=table, Item={"pk": {"S": name}, "sk": {"S": "due"}})
            client.put_item(TableName=table, Item={"pk": {"S": name}, "sk": {"S": "head"}})


def seen(path: Path) -> list[str]:
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    return [name for line in lines for name in json.loads(line)]


@pytest.mark.parametrize("named", [False, True], ids=["embedded", "named"])
def test_a_row_of_the_table_starts_the_function(folder: Path, tmp_path: Path, named: bool) -> None:
    with EmbeddedAws() as aws:
        env = {"SEEN": str(tmp_path / "seen")}
        if named:
            env |= {"AWS_ENDPOINT_URL": aws.url, "HISTORY_TABLE": "own-table"}
        with running_server(env, ["--template", str(folder / "template.yaml")]) as server:
            if named:
                endpoint = aws.url
            else:
                found = re.search(r"moto at (\S+);", server.output())
                assert found is not None
                endpoint = found[1]
            put(endpoint, "own-table" if named else "HistoryTable", "one", "two")
            until(lambda: seen(tmp_path / "seen") == ["one", "two"])
            put(endpoint, "own-table" if named else "HistoryTable", "raise")
            until(lambda: "1 record(s) of the stream are given up" in server.output())
            put(endpoint, "own-table" if named else "HistoryTable", "three")
            until(lambda: seen(tmp_path / "seen") == ["one", "two", "raise", "raise", "three"])
            assert "Worker: the handler raised" in server.output()


class Pool:
    """A pool whose function answers at once."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []

    def invoke(self, event: bytes, *, trace_id: str) -> Invocation:
        self.events.append(json.loads(event))
        invocation = Invocation()
        invocation.add(b"null")
        invocation.end()
        return invocation


def scheduled(pool: Pool) -> list[dict[str, Any]]:
    return [event for event in pool.events if "source" in event]


def test_a_schedule_starts_its_function_again_and_again() -> None:
    own = (Schedule("ScheduledMissed", 0.02), Schedule("WithInput", 0.02, {"a": 1}))
    function = Function("Worker", "worker.handler", (Path(),), 5.0, 128, "", {}, schedules=own)
    pool, said = Pool(), list[str]()
    aws = Service("AWS", "none", embedded=True, variables={})
    triggers = Triggers(Application((function,), (), {}, ()), {"Worker": pool}, aws, say=said.append)
    triggers.start()
    until(lambda: min(pool.events.count({"a": 1}), len(scheduled(pool))) >= 3)
    triggers.stop()
    event = scheduled(pool)[0]
    assert (event["source"], event["detail-type"], event["detail"]) == ("aws.events", "Scheduled Event", {})
    assert event["resources"][0].endswith(":rule/ScheduledMissed")
    assert said == []

"""A template with one small function, to see how the dev server treats functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_TEMPLATE = """
Globals:
  Function:
    Runtime: python3.13
    Timeout: 20
    Layers: [!Ref FakeLayer]
    Environment:
      Variables: {FROM_TEMPLATE: template, TABLE_NAME: !Ref FakeTable}
Resources:
  FakeLayer:
    Type: AWS::Serverless::LayerVersion
    Metadata: {BuildMethod: python3.13}
    Properties: {ContentUri: layer}
  FakeFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: function
      Handler: fake.handler.lambda_handler
      MemorySize: 256
      Events:
        Do: {Type: Api, Properties: {Method: POST, Path: "/v1/do/{what}"}}
        Get: {Type: Api, Properties: {Method: GET, Path: "/v1/do/{what}"}}
  ShortFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: function
      Handler: fake.handler.lambda_handler
      Timeout: 1
      Events:
        Do: {Type: Api, Properties: {Method: POST, Path: "/v1/short/{what}"}}
  StreamingFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: function
      Handler: fake.streaming.lambda_handler
      Environment:
        Variables: {AWS_LAMBDA_EXEC_WRAPPER: /var/task/stream.sh}
      Events:
        Do:
          Type: Api
          Properties: {Method: POST, Path: "/v1/stream/{what}", ResponseTransferMode: RESPONSE_STREAM}
        Whole: {Type: Api, Properties: {Method: POST, Path: "/v1/whole/{what}"}}
  BrokenFunction:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: function
      Handler: fake.broken.lambda_handler
      Events:
        Do: {Type: Api, Properties: {Method: POST, Path: "/v1/broken/{what}"}}
  FakeTable:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
      TimeToLiveSpecification: {AttributeName: expires_at, Enabled: true}
"""

_HANDLER = """
import json
import os
import pathlib
import sys
import time

import shared_part

WORLD = pathlib.Path(os.environ["FAKE_WORLD"])


def lambda_handler(event, context):
    what = event["pathParameters"]["what"]
    print("handles " + what)
    if what == "exit":
        os._exit(3)
    if what == "log":
        print(json.dumps({"_aws": {}, "service": "fake", "Requests": [1]}))
    if what == "raise":
        raise ValueError("raised on purpose")
    if what == "sleep":
        (WORLD / "sleeps").touch()
        time.sleep(30)
    if what == "wait":
        (WORLD / f"started-{context.aws_request_id}").touch()
        while not (WORLD / "gate").exists():
            time.sleep(0.01)
    if what == "large":
        return {"statusCode": 200, "body": "x" * 7_000_000}
    seen = {
        "pid": os.getpid(),
        "event": event,
        "environment": dict(os.environ),
        "path": sys.path[:2],
        "shared": shared_part.NAME,
        "context": {
            name: getattr(context, name)
            for name in (
                "aws_request_id", "function_name", "function_version", "invoked_function_arn",
                "log_group_name", "log_stream_name", "memory_limit_in_mb",
            )
        },
        "remaining": context.get_remaining_time_in_millis(),
    }
    return {
        "statusCode": 200,
        "multiValueHeaders": {"X-Twice": ["a", "b"], "Content-Type": ["application/json"]},
        "body": json.dumps(seen, ensure_ascii=False),
    }
"""


_STREAMING_HANDLER = """
import os
import pathlib
import time

WORLD = pathlib.Path(os.environ["FAKE_WORLD"])


def wait_for(name):
    while not (WORLD / name).exists():
        time.sleep(0.01)


def lambda_handler(event, context):
    return {"statusCode": 200, "body": "whole"}


def streaming_handler(event, context, send):
    what = event["pathParameters"]["what"]
    if what == "raise":
        raise ValueError("raised on purpose")
    send({"statusCode": 200, "multiValueHeaders": {"Content-Type": ["text/event-stream"]}})
    send(b"one")
    wait_for("gate")
    if what == "raise-later":
        raise ValueError("raised on purpose")
    if what == "exit":
        os._exit(3)
    send(b"two")
    (WORLD / "done").touch()
"""


def write_application(root: Path) -> Path:
    """Write the template and its code into a folder and return the template's path.

    The function does what its path says. It looks for its files in the folder that ``FAKE_WORLD`` names.
    """
    package = root / "function" / "fake"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "handler.py").write_text(_HANDLER, "utf-8")
    (package / "streaming.py").write_text(_STREAMING_HANDLER, "utf-8")
    (package / "broken.py").write_text("import no_such_module_anywhere\n", "utf-8")
    (root / "layer").mkdir()
    (root / "layer" / "shared_part.py").write_text('NAME = "from the layer"\n', "utf-8")
    template = root / "template.yaml"
    template.write_text(_TEMPLATE, "utf-8")
    return template

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from local.application import Route, read_application
from local.cloudformation import Resolver, TemplateError, load_template
from local.rest_api import GatewayResponse

ROOT = Path(__file__).parents[3]

TEMPLATE = """
Parameters:
  Stage: {Type: String, Default: dev}
  Count: {Type: Number, Default: 7}
  Empty: {Type: String, Default: ""}
  NoDefault: {Type: String}
Mappings:
  Days:
    dev: {Kept: 3}
Conditions:
  IsDev: !Equals [!Ref Stage, dev]
  IsProd: !Equals [!Ref Stage, prod]
Globals:
  Function:
    Timeout: 9
    Runtime: python3.13
    Layers: [!Ref Built]
    LoggingConfig: {LogFormat: JSON, ApplicationLogLevel: !If [IsDev, DEBUG, INFO]}
    Environment:
      Variables:
        TABLE: !Ref Rows
        SECRET: !Ref Key
        STAGE: !Ref Stage
        COUNT: !Ref Count
        SHARED: global
Resources:
  Built:
    Type: AWS::Serverless::LayerVersion
    Metadata: {BuildMethod: python3.13}
    Properties: {ContentUri: layers/built}
  Plain:
    Type: AWS::Serverless::LayerVersion
    Properties: {ContentUri: layers/plain}
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: !Ref Stage
      GatewayResponses:
        DEFAULT_4XX:
          ResponseTemplates: {application/json: '{"error":$context.error.messageString}'}
        INTEGRATION_TIMEOUT:
          StatusCode: 504
          ResponseParameters: {Headers: {x-should-retry: "'false'"}}
  One:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: functions/one
      Handler: one.handler.lambda_handler
      MemorySize: 512
      Layers: [!Ref Plain]
      Policies: [!Unknown [1]]
      Environment:
        Variables:
          SHARED: own
          EMPTY: !Ref Empty
          SWITCH: true
          URL: !Sub "https://${Api}.${AWS::Region}.example/${Stage}/${!literal}"
          LISTED: !Sub ["${a}-${Stage}", {a: !Ref Count}]
          DAYS: !FindInMap [Days, !Ref Stage, Kept]
          ARN: !GetAtt Rows.Arn
          EITHER: !If [IsProd, !Ref Nobody, !Ref Stage]
      Events:
        Get:
          Type: Api
          Properties: {RestApiId: !Ref Api, Method: get, Path: "/v1/one/{id}"}
        Nightly:
          Type: Schedule
          Properties: {Schedule: rate(1 day)}
  Absent:
    Type: AWS::Serverless::Function
    Condition: IsProd
    Properties: {CodeUri: x, Handler: x.y}
  Rows:
    Type: AWS::DynamoDB::Table
    Properties:
      TableName: !Sub "${Stage}-rows"
      BillingMode: PAY_PER_REQUEST
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
      TimeToLiveSpecification: {AttributeName: expires_at, Enabled: true}
      PointInTimeRecoverySpecification: {PointInTimeRecoveryEnabled: true}
  Key:
    Type: AWS::SecretsManager::Secret
    Properties: {Description: a key}
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "template.yaml"
    file.write_text(TEMPLATE, "utf-8")
    return file


def test_a_function_is_read_with_its_globals(path: Path) -> None:
    [one] = read_application(path).functions
    assert one.name == "One"
    assert one.handler == "one.handler.lambda_handler"
    assert (one.timeout, one.memory_mb, one.runtime) == (9.0, 512, "python3.13")
    root = path.parent.resolve()
    assert one.paths == (root / "functions/one", root / "layers/built", root / "layers/plain/python")
    assert one.environment == {
        "TABLE": "dev-rows",
        "SECRET": "Key",
        "STAGE": "dev",
        "COUNT": "7",
        "SHARED": "own",
        "EMPTY": "",
        "SWITCH": "true",
        "URL": "https://Api.us-east-1.example/dev/${literal}",
        "LISTED": "7-dev",
        "DAYS": "3",
        "ARN": "dev-rows.Arn",
        "EITHER": "dev",
        "AWS_LAMBDA_LOG_LEVEL": "DEBUG",
    }


def test_routes_are_the_api_events(path: Path) -> None:
    assert read_application(path).routes == (Route("GET", "/v1/one/{id}", "One"),)


def test_a_route_can_be_for_everyone(path: Path) -> None:
    greedy = TEMPLATE.replace('Path: "/v1/one/{id}"', 'Path: "/{proxy+}", Auth: { Authorizer: NONE }')
    assert greedy != TEMPLATE
    path.write_text(greedy, "utf-8")
    assert read_application(path).routes == (Route("GET", "/{proxy+}", "One", authorized=False),)


def test_gateway_responses_are_read(path: Path) -> None:
    assert read_application(path).gateway_responses == {
        "DEFAULT_4XX": GatewayResponse(None, {}, '{"error":$context.error.messageString}'),
        "INTEGRATION_TIMEOUT": GatewayResponse(504, {"x-should-retry": "false"}, None),
    }


def test_a_table_is_read_as_create_table_takes_it(path: Path) -> None:
    [table] = read_application(path).tables
    assert table.name == "dev-rows"
    assert table.ttl_attribute == "expires_at"
    assert sorted(table.definition) == ["AttributeDefinitions", "BillingMode", "KeySchema"]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ({"Fn::If": ["IsDev", 1, 2]}, 1),
        ({"Fn::If": ["IsProd", 1, 2]}, 2),
        ({"Fn::GetAtt": ["Rows", "Arn"]}, "dev-rows.Arn"),
        ({"Fn::Sub": "${Rows.Arn}/index"}, "dev-rows.Arn/index"),
        ({"Condition": {"StringEquals": 1}}, {"Condition": {"StringEquals": 1}}),
    ],
)
def test_intrinsic_functions(path: Path, expression: Any, value: Any) -> None:
    assert Resolver(load_template(path)).resolve(expression) == value


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ({"Ref": "Nobody"}, "Nobody"),
        ({"Ref": "NoDefault"}, "NoDefault"),
        ({"Fn::Unknown": []}, "Fn::Unknown"),
        ({"Fn::If": ["Never", 1, 2]}, "Never"),
        ({"Fn::FindInMap": ["Days", "prod", "Kept"]}, "prod.Kept"),
    ],
)
def test_what_cannot_be_followed_is_named(path: Path, expression: Any, names: str) -> None:
    with pytest.raises(TemplateError, match=names):
        Resolver(load_template(path)).resolve(expression)


@pytest.mark.parametrize("text", ["Resources: {a: [", "just text", "Resources: 1"])
def test_what_is_no_template_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "template.yaml"
    file.write_text(text, "utf-8")
    with pytest.raises(TemplateError, match=r"template\.yaml"):
        read_application(file)


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        ('Path: "/v1/one/{id}"', 'Path: "/v1/{proxy+}/one"', "greedy"),
        ("[!Ref Plain]", '["arn:aws:lambda:x"]', "arn:aws:lambda:x"),
        ("\"'false'\"", '"method.request.header.x"', "single quotes"),
    ],
)
def test_what_the_server_cannot_do_is_told(path: Path, old: str, new: str, names: str) -> None:
    assert old in TEMPLATE
    path.write_text(TEMPLATE.replace(old, new), "utf-8")
    with pytest.raises(TemplateError, match=names):
        read_application(path)


def test_the_projects_own_template_is_followed() -> None:
    application = read_application(ROOT / "template.yaml")
    assert {function.name for function in application.functions} >= {"ChatFunction", "HistoryFunction"}
    assert Route("POST", "/v1/responses", "ChatFunction", streams=True) in application.routes
    [table] = application.tables
    assert {function.environment["HISTORY_TABLE"] for function in application.functions} == {table.name}
    for function in application.functions:
        assert all(path.is_dir() for path in function.paths)

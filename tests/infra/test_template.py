from __future__ import annotations

import importlib
import importlib.util
import inspect
import json
import os
import re
import tomllib
from pathlib import Path
from typing import Any, get_args

import pytest

from chat_core.history.dynamodb.client import Operation
from chat_core.history.dynamodb.heads import INDEX, head_row, listed_head
from chat_core.history.records import Head
from chat_core.keys import Address
from chat_core.settings import ChatSettings, HistorySettings, MemorySettings, SettingsError
from tests.infra import stack
from tools import lambda_python

API = stack.only("AWS::Serverless::Api")["Properties"]
# A first deployment that fails leaves nothing behind; what has once been there is kept.
KEPT = ("RetainExceptOnCreate", "Retain")


GATEWAY_SECONDS = 29
GATEWAY_IDLE_SECONDS = 300  # of a stream of a Regional API
WRAPPER = "AWS_LAMBDA_EXEC_WRAPPER"
RUNTIME = f"python{lambda_python.VERSION}"
FUNCTIONS = sorted(stack.functions())
AUTHORIZER = "AuthorizerFunction"
STREAMING = [name for name in FUNCTIONS if WRAPPER in stack.environment(name)]
LAYER = stack.only("AWS::Serverless::LayerVersion")
TABLE = stack.only("AWS::DynamoDB::Table")
ACTIONS = {
    "GetItem": {"GetItem"},
    "BatchGetItem": {"BatchGetItem"},
    "Query": {"Query"},
    "PutItem": {"PutItem"},
    "UpdateItem": {"UpdateItem"},
    "DeleteItem": {"DeleteItem"},
    "TransactWriteItems": {"PutItem", "UpdateItem", "DeleteItem", "ConditionCheckItem"},
}


# Functions and layer


@pytest.mark.parametrize("name", FUNCTIONS)
def test_handler_is_where_the_template_says(name: str) -> None:
    properties = stack.functions()[name]
    module, _, attribute = properties["Handler"].rpartition(".")
    handler = getattr(importlib.import_module(module), attribute)
    source = inspect.getsourcefile(inspect.unwrap(handler))
    assert source is not None
    assert Path(source).is_relative_to(stack.ROOT / properties["CodeUri"])


def test_one_runtime_everywhere() -> None:
    assert stack.function_globals()["Runtime"] == RUNTIME
    assert LAYER["Metadata"]["BuildMethod"] == RUNTIME
    assert LAYER["Properties"]["CompatibleRuntimes"] == [RUNTIME]
    assert not any("Runtime" in properties for properties in stack.functions().values())


def test_one_architecture_everywhere() -> None:
    architecture = {"Ref": "Architecture"}
    assert stack.template()["Parameters"]["Architecture"]["Default"] == "arm64"
    assert stack.function_globals()["Architectures"] == [architecture]
    assert LAYER["Metadata"]["BuildArchitecture"] == architecture
    assert LAYER["Properties"]["CompatibleArchitectures"] == [architecture]


def test_change_of_the_layer_alone_reaches_every_alias() -> None:
    assert LAYER["Properties"]["PublishLambdaVersion"] is True
    assert stack.function_globals()["AutoPublishAlias"] == "live"
    # cfn-lint refuses it in the globals
    assert all(properties.get("AutoPublishAliasAllProperties") is True for properties in stack.functions().values())


def test_layer_source_leaves_the_python_folder_to_sam() -> None:
    source = stack.ROOT / LAYER["Properties"]["ContentUri"]
    assert (source / "chat_core" / "__init__.py").is_file()
    assert not (source / "python").exists()


@pytest.mark.parametrize("name", sorted(set(stack.routes().values())))
def test_function_ends_before_the_gateway_gives_up(name: str) -> None:
    assert stack.functions()[name]["Timeout"] < (GATEWAY_IDLE_SECONDS if name in STREAMING else GATEWAY_SECONDS)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_streams_on_each_of_its_routes_or_on_none(name: str) -> None:
    """The loop that streams writes a prelude, which a buffered route answers with 502; and the other way round."""
    properties = stack.functions()[name]
    module = importlib.import_module(properties["Handler"].rpartition(".")[0])
    assert hasattr(module, "streaming_handler") == (name in STREAMING)
    modes = {event["Properties"].get("ResponseTransferMode") for event in properties.get("Events", {}).values()}
    assert modes <= {"RESPONSE_STREAM" if name in STREAMING else None}


@pytest.mark.parametrize("name", STREAMING)
def test_the_loop_that_streams_is_in_the_function_and_the_layer(name: str) -> None:
    wrapper = Path(stack.environment(name)[WRAPPER])
    script = stack.ROOT / stack.functions()[name]["CodeUri"] / wrapper.name
    assert wrapper.parent == Path("/var/task")
    assert os.access(script, os.X_OK)
    [module] = re.findall(r"^exec .* -m (\S+)$", script.read_text(encoding="utf-8"), re.MULTILINE)
    assert importlib.util.find_spec(f"{module}.__main__")


def test_the_api_is_one_that_waits_for_silent_streams() -> None:
    assert API["EndpointConfiguration"] == {"Type": "REGIONAL"}  # the edge gives up after 30 seconds


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function_logs_json_to_a_group_of_its_own_that_forgets(name: str) -> None:
    assert stack.function_globals()["LoggingConfig"]["LogFormat"] == "JSON"
    groups = [properties["LoggingConfig"]["LogGroup"]["Ref"] for properties in stack.functions().values()]
    assert len(set(groups)) == len(groups)
    group = stack.functions()[name]["LoggingConfig"]["LogGroup"]["Ref"]
    assert "RetentionInDays" in stack.resources("AWS::Logs::LogGroup")[group]["Properties"]


def test_every_stage_has_a_log_retention() -> None:
    stages = stack.template()["Parameters"]["Stage"]["AllowedValues"]
    assert sorted(stack.template()["Mappings"]["LogRetention"]) == sorted(stages)


# Environment


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("ChatFunction", ChatSettings),
        ("HistoryFunction", HistorySettings),
        ("MemoryFunction", MemorySettings),
    ],
)
def test_function_reads_its_settings_and_no_variable_that_the_template_lacks(name: str, kind: Any) -> None:
    asked: set[str] = set()

    class Recorded(dict[str, str]):
        def get(self, key: str, default: Any = None) -> Any:
            asked.add(key)
            return super().get(key, default)

    declared = stack.environment(name)
    kind.from_env(Recorded(declared))
    assert "HISTORY_TABLE" in asked
    assert asked <= set(declared)


def test_defaults_are_those_of_the_settings() -> None:
    declared = ChatSettings.from_env(stack.environment("ChatFunction"))
    bare = ChatSettings.from_env({"HISTORY_TABLE": "HistoryTable"})
    for name in (
        "allowed_models",
        "allow_provider_references",
        "cache_ttl",
        "cache_scope",
        "cache_epoch",
        "cache_timeout_ms",
        "store_timeout_ms",
        "lock_wait",
    ):
        assert getattr(declared, name) == getattr(bare, name), name
    assert (declared.openai.base_url, declared.openai.model) == (bare.openai.base_url, bare.openai.model)
    assert declared.history.hot_messages == bare.history.hot_messages
    assert declared.history.ttl_days == bare.history.ttl_days
    assert declared.history.default_memory == {"policy": "message_window", "max_messages": 20}


MEMORY_LIMITS = {
    "message_window": ("MemoryMaxMessages", "max_messages"),
    "turn_window": ("MemoryMaxTurns", "max_turns"),
    "token_window": ("MemoryMaxTokens", "max_tokens"),
}


@pytest.mark.parametrize("policy", stack.template()["Parameters"]["MemoryPolicy"]["AllowedValues"])
@pytest.mark.parametrize("bound", ["Default", "MinValue", "MaxValue"])
def test_memory_parameters_are_settings_that_a_conversation_takes(policy: str, bound: str) -> None:
    parameters = stack.template()["Parameters"]
    name, member = MEMORY_LIMITS.get(policy, ("", ""))
    limit = {name: parameters[name][bound]} if name else {}
    variables = stack.environment("HistoryFunction", MemoryPolicy=policy, **limit)
    expected = {"policy": policy, **({member: parameters[name][bound]} if name else {})}
    assert HistorySettings.from_env(variables).default_memory == expected


@pytest.mark.parametrize(("parameter", "variable"), [("HotMessages", "HOT_MESSAGES"), ("CacheEpoch", "CACHE_EPOCH")])
def test_bounds_of_a_parameter_are_those_of_the_setting(parameter: str, variable: str) -> None:
    declared = stack.template()["Parameters"][parameter]
    low, high = declared["MinValue"], declared["MaxValue"]
    for value in (low, high):
        taken = stack.environment("ChatFunction", **{parameter: value})
        assert taken[variable] == str(value)
        ChatSettings.from_env(taken)
    for value in (low - 1, high + 1):
        with pytest.raises(SettingsError, match=variable):
            ChatSettings.from_env(stack.environment("ChatFunction", **{parameter: value}))


@pytest.mark.parametrize("stage", stack.template()["Parameters"]["Stage"]["AllowedValues"])
def test_only_prod_is_protected_against_deletion_by_hand(stage: str) -> None:
    resolver = stack.resolver(Stage=stage)
    pool = stack.only("AWS::Cognito::UserPool")["Properties"]["DeletionProtection"]
    assert resolver.resolve(TABLE["Properties"]["DeletionProtectionEnabled"]) is (stage == "prod")
    assert resolver.resolve(pool) == ("ACTIVE" if stage == "prod" else "INACTIVE")


@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_key_is_in_the_environment(name: str) -> None:
    keys = {variable: value for variable, value in stack.declared_environment(name).items() if "API_KEY" in variable}
    assert keys
    assert set(keys.values()) == {""}


def test_example_of_overrides_names_only_what_the_template_declares() -> None:
    example = json.loads((stack.ROOT / "env.example.json").read_text(encoding="utf-8"))
    assert sorted(example) == FUNCTIONS
    for name, variables in example.items():
        assert set(variables) <= set(stack.declared_environment(name)), name
        assert {"MOMENTO_API_KEY", "HISTORY_TABLE"} <= set(variables), name


# Rights


@pytest.mark.parametrize("name", FUNCTIONS)
def test_rights_name_actions_and_resources_one_by_one(name: str) -> None:
    for statement in stack.statements(name):
        assert statement["Effect"] == "Allow"
        for part in (*stack.as_list(statement["Action"]), *stack.as_list(statement["Resource"])):
            assert "*" not in json.dumps(part)
        assert set(statement) <= {"Sid", "Effect", "Action", "Resource"}


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if name != AUTHORIZER])
def test_rights_to_the_table_are_what_the_store_asks_for(name: str) -> None:
    table = {"Fn::GetAtt": "HistoryTable.Arn"}
    [statement] = [each for each in stack.statements(name) if each["Resource"] == table]
    needed = {f"dynamodb:{action}" for operation in get_args(Operation) for action in ACTIONS[operation]}
    assert set(statement["Action"]) == needed


def test_only_who_lists_conversations_may_read_the_index() -> None:
    index = {"Fn::Sub": "${HistoryTable.Arn}/index/" + INDEX}
    allowed = {
        name: each["Action"] for name in FUNCTIONS for each in stack.statements(name) if each["Resource"] == index
    }
    assert allowed == {"HistoryFunction": "dynamodb:Query", "MemoryFunction": "dynamodb:Query"}


@pytest.mark.parametrize("name", [name for name in FUNCTIONS if name != AUTHORIZER])
def test_function_may_read_the_secrets_that_it_names_and_no_other(name: str) -> None:
    secrets = stack.resources("AWS::SecretsManager::Secret")
    named = {value.get("Ref") for value in stack.declared_environment(name).values() if isinstance(value, dict)} & set(
        secrets
    )
    [statement] = [each for each in stack.statements(name) if each["Action"] == "secretsmanager:GetSecretValue"]
    assert {resource["Ref"] for resource in stack.as_list(statement["Resource"])} == named
    assert ("OpenAISecret" in named) == (name != "HistoryFunction")


@pytest.mark.parametrize("name", sorted(stack.resources("AWS::SecretsManager::Secret")))
def test_secret_has_no_value_and_is_kept(name: str) -> None:
    secret = stack.resources("AWS::SecretsManager::Secret")[name]
    assert set(secret["Properties"]) == {"Description"}
    assert (secret["DeletionPolicy"], secret["UpdateReplacePolicy"]) == KEPT


# Table


def test_table_is_kept_and_can_be_restored() -> None:
    properties = TABLE["Properties"]
    assert (TABLE["DeletionPolicy"], TABLE["UpdateReplacePolicy"]) == KEPT
    assert properties["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert properties["SSESpecification"] == {"SSEEnabled": True}
    assert properties["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}
    assert properties["BillingMode"] == "PAY_PER_REQUEST"


def test_index_holds_what_a_list_of_conversations_shows() -> None:
    [index] = TABLE["Properties"]["GlobalSecondaryIndexes"]
    assert index["IndexName"] == INDEX
    head = Head(
        Address("user", "naomi-diary"),
        incarnation="0123456789abcdef",
        created_at=1,
        updated_at=2.5,
        items=3,
        messages=4,
        turns=5,
        metadata={"title": "日記"},
        memory={"policy": "buffer"},
        title="私の名前",
    )
    row = head_row(head, provisional=False, expires_at=6)
    keys = {key["AttributeName"] for part in (TABLE["Properties"], index) for key in part["KeySchema"]}
    assert keys <= set(row)
    indexed = {name: row[name] for name in {*keys, *index["Projection"]["NonKeyAttributes"]}}
    assert listed_head(indexed, "user") == head
    assert "expires_at" in indexed


# The whole


def test_nothing_has_to_be_answered_to_deploy() -> None:
    assert all("Default" in parameter for parameter in stack.template()["Parameters"].values())


def test_stages_of_samconfig_override_parameters_that_exist() -> None:
    config = tomllib.loads((stack.ROOT / "samconfig.toml").read_text(encoding="utf-8"))
    stages = set()
    for name, environment in config.items():
        if name != "version":
            deploy = environment["deploy"]["parameters"]
            overrides = dict(pair.split("=", 1) for pair in deploy["parameter_overrides"])
            for parameter, value in overrides.items():
                assert value in stack.template()["Parameters"][parameter]["AllowedValues"], parameter
            assert deploy["stack_name"].endswith(overrides["Stage"])
            stages.add(overrides["Stage"])
    assert stages == set(stack.template()["Parameters"]["Stage"]["AllowedValues"])
